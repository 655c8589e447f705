"""Places (地方): which region an article is about, and which level of government.

Named regions and words of level (我省, 全市, 区委) are counted with the weight of where they stand; the level is the one
that most of them speak of, the region the best named one of that level. What two regions could claim alike stays
open, with the candidates listed.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .. import codebooks, regions
from ..regions import Region, Regions
from .gazetteer import Mention, mentions
from .split import Article

_ORDER = ("乡", "县", "市", "省", "中央")
_OWN = {"省": "省", "市": "市", "州": "市", "盟": "市", "县": "县", "区": "县", "旗": "县"}
_OFFICIAL = {"法规", "规范性文件", "通报", "统计公报", "年度报告", "政府工作报告"}
_MUNICIPALITIES = {"110000", "120000", "310000", "500000"}


@dataclass(frozen=True, slots=True)
class Place:
    """Level and region of an article; the candidates where the region stayed open."""

    level: str | None = None
    code: str | None = None
    name: str | None = None
    candidates: tuple[str, ...] = ()


def place(
    article: Article, genre: str, *, year: int | None = None, issuer: str | None = None, page: str = ""
) -> Place:
    """Where an article belongs.

    Parameters
    ----------
    year
        Year it is of, which decides between names of different times.
    issuer
        Office or newspaper it comes from; it tells which province 我省 means.
    page
        The masthead of the page it stands on, which tells the same less surely.
    """
    fields = [*_fields(article, issuer), (page, 1.0)]
    if genre == "评论":
        del fields[4]  # further down a commentary names places as its examples
    named = _named(fields, year)
    if genre == "论文" and not any(score >= 6 for score in named.scores.values()):
        return Place()
    if genre in {"法规", "规范性文件"} and (drawn := _drawn_up(article, genre, issuer, year)) is not None:
        return drawn
    return _region(named, _level(named, fields, genre))


@dataclass(slots=True)
class _Named:
    """Scores of the regions named, names that stayed ambiguous, by which name each region was called, and which are
    named as where a zone lies."""

    scores: dict[str, float]
    open: dict[tuple[str, ...], float]
    names: dict[str, str]
    zoned: set[str]

    @property
    def cities(self) -> set[str]:
        """Cities that rank as counties."""
        table = regions.load()
        return {c for c in self.scores if table.get(c).level == "县" and table.get(c).name.endswith("市")}


def _fields(article: Article, issuer: str | None) -> list[tuple[str, float]]:
    """Parts of the article with their weights."""
    body = article.body.value
    titles = "。".join(filter(None, (article.kicker, article.title, article.subtitle)))
    head = "。".join(filter(None, (issuer, article.byline, *article.meta, *article.header[-4:])))
    for outlet, code in _book().outlets.items():
        if outlet in head:
            head += "。" + regions.load().get(code).name
    return [(titles, 6.0), (head, 4.5), (body[:60], 3.0), (body[60:300], 2.0), (body[300:6000], 1.0)]


def _drawn_up(article: Article, genre: str, issuer: str | None, year: int | None) -> Place | None:
    """The place of a document of authority: named first in its title, else in the names of those who issued it."""
    title = "".join(filter(None, (article.kicker, article.title)))
    for text in (title, issuer or "", " ".join(article.header)):
        first = next(iter(mentions(text, year)), None)
        nation = _book().national.search(text)
        if nation and (first is None or nation.start() <= first.start):
            return Place("中央")
        if first is not None:
            codes = sorted({region.code for region in first.regions})
            region = first.regions[0]
            return (
                Place(region.level, region.code, region.name)
                if len(codes) == 1
                else Place(region.level, candidates=tuple(codes))
            )
    return Place("中央") if genre == "法规" and not _book().local.search(article.body.value) else None


# ------------------------------------------------------------------------------------------------------------- level


def _cues(fields: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Points of each level from words such as 我省 and 市委; many of one word count little more than a few."""
    points = dict.fromkeys(_ORDER, 0.0)
    for text, weight in fields:
        for level, pattern in _book().levels.items():
            points[level] += weight * math.log2(1 + len(pattern.findall(text)))
    own = {_OWN[m["level"]] for text, _ in fields for m in _book().own.finditer(text)}
    if len(own) == 1:
        points[own.pop()] += 4  # whoever says 我县 writes for the county
    return points


def _level(named: _Named, fields: list[tuple[str, float]], genre: str) -> str | None:
    """The level that most speaks for itself; ``None`` where hardly anything does."""
    table = regions.load()
    cues = _cues(fields)
    points = dict.fromkeys(_ORDER, 0.0)
    for level in ("省", "市", "县"):
        named_best = max((s for c, s in named.scores.items() if table.get(c).level == level), default=0.0)
        points[level] = named_best + cues[level]
    home = max(named.scores, key=lambda c: named.scores[c], default="")
    if home[:2] + "0000" in _MUNICIPALITIES:
        points["省"] += cues["市"]  # there 全市 is said of what ranks as a province
        points["市"] = 0.0
    elif home and table.get(home).level == "县" and home in named.cities:
        points["县"] += cues["市"]  # and in 江山市 of what ranks as a county
        points["市"] -= cues["市"]
    township = _book().levels["乡"]
    title, lead = fields[0][0], fields[2][0]
    if genre == "会议报道" and _township_acts(title, lead):
        return "乡"
    if genre not in _OFFICIAL and (
        township.search(title)
        or (
            (seen := township.search(lead))
            and genre not in {"会议报道", "工作部署", "评论"}
            and not _book().leaders.search(lead, 0, seen.start())
        )
    ):
        points["乡"] = cues["乡"] + (4.0 if township.search(title) else 0.0)
        points["县"] -= cues["乡"] / 4
    if max(points.values()) <= 6:
        points["中央"] = cues["中央"] * 0.45
    best = max(points, key=lambda k: points[k])
    one = len({code[:2] for code in named.scores}) == 1 and not named.open  # no other place competes
    return best if points[best] >= (2 if one else 3) else None


def _township_acts(title: str, lead: str) -> bool:
    """Whether it is a township that calls the meeting: no office above it stands in the title or before its name."""
    book = _book()
    sentence = lead.split("。", 1)[0]
    acts = book.township_acts.search(sentence)
    if acts is None or book.leaders.search(title) or book.leaders.search(sentence, 0, acts.start()):
        return False
    return re.search("[在到赴]", sentence[: acts.start()]) is None and not _cues([(title, 1.0)])["县"]


# ------------------------------------------------------------------------------------------------------------ region


def _region(named: _Named, level: str | None) -> Place:
    table = regions.load()
    if level is None or level == "中央":
        return Place(level)
    wanted = "县" if level == "乡" else level
    scores = {c: s for c, s in named.scores.items() if table.get(c).level == wanted}
    # A county speaks for its city, a city for its province.
    for code, score in named.scores.items():
        for above in table.path(code)[:-1]:
            if above.level == wanted:
                scores[above.code] = scores.get(above.code, 0.0) + score / 4
    ambiguous = [codes for codes, score in named.open.items() if score >= max(scores.values(), default=0)]
    if ambiguous:
        return Place(level, candidates=tuple(sorted(ambiguous[0])))
    if not scores and wanted == "市" and any(c[:2] + "0000" in _MUNICIPALITIES for c in named.scores):
        wanted = level = "省"
        scores = {c: s for c, s in named.scores.items() if table.get(c).level == "省"}
    if not scores and wanted == "县":
        scores = {c: named.scores[c] for c in named.zoned}
    if not scores:
        return Place(level)
    ranked = sorted(scores, key=lambda c: (-scores[c], c))
    if len(ranked) > 1 and scores[ranked[0]] - scores[ranked[1]] < 0.5 and scores[ranked[0]] < 4:
        return Place(level, candidates=tuple(sorted(ranked[:4])))
    return Place(level, ranked[0], named.names.get(ranked[0], table.get(ranked[0]).name))


def _named(fields: list[tuple[str, float]], year: int | None) -> _Named:
    """Regions named in the fields, each with its points."""
    table = regions.load()
    found: list[tuple[Mention, float, str]] = []
    zoned: set[str] = set()
    for text, weight in fields:
        examples = [m.span() for m in _book().examples.finditer(text)]
        for mention in mentions(text, year):
            if any(start <= mention.start < end for start, end in examples):
                continue
            found.append((mention, _worth(mention, text, weight), text))
            if mention.full and mention.regions[0].level == "市" and _book().zone.match(text, mention.end):
                zoned.update(r.code for r in mention.regions)
    certain = {m.regions[0].code for m, _, _ in found if len(m.regions) == 1}
    raw: dict[str, list[float]] = {}
    names: dict[str, str] = {}
    left: dict[tuple[str, ...], float] = {}
    for mention, worth, text in found:
        chosen = _choose(mention, text, certain, table)
        if chosen is None:
            key = tuple(r.code for r in mention.regions)
            left[key] = left.get(key, 0.0) + worth
        else:
            raw.setdefault(chosen.code, []).append(worth)
            names[chosen.code] = chosen.name
    # The best mention counts whole, further ones less and less.
    scores = {c: max(w) + math.log2(1 + sum(w) - max(w)) for c, w in raw.items()}
    return _Named(scores, left, names, zoned & scores.keys())


def _worth(mention: Mention, text: str, weight: float) -> float:
    """Points of one mention: less for a short name, for a place in a list, for what is only the way to a place."""
    worth = weight if mention.full else weight * 0.7
    if _book().dateline.match(text, mention.end) and text[max(0, mention.start - 1) : mention.start] in set(
        "社报网台"
    ):
        return worth * 0.3  # where the report was filed
    around = text[max(0, mention.start - 1) : mention.start] + text[mention.end : mention.end + 1]
    return worth * 0.3 if "、" in around else worth


def _choose(mention: Mention, text: str, certain: set[str], table: Regions) -> Region | None:
    """The one region meant: by the name before it, then by what else the article names."""
    if len(mention.regions) == 1:
        return mention.regions[0]
    before = text[max(0, mention.start - 8) : mention.start]
    for test in (
        lambda r: any(before.endswith((a.name, a.short)) for a in table.path(r.code)[:-1]),
        lambda r: r.code in certain or any(a.code in certain for a in table.path(r.code)[:-1]),
        lambda r: any(c[:4] == r.code[:4] and r.level == "县" for c in certain),
        lambda r: any(c[:2] == r.code[:2] for c in certain),
    ):
        fitting = [r for r in mention.regions if test(r)]
        if len({r.code for r in fitting}) == 1:
            return fitting[0]
    return None


@dataclass(frozen=True)
class _Book:
    """places.yml, compiled."""

    levels: dict[str, re.Pattern[str]]
    own: re.Pattern[str]
    national: re.Pattern[str]
    local: re.Pattern[str]
    examples: re.Pattern[str]
    zone: re.Pattern[str]
    dateline: re.Pattern[str]
    leaders: re.Pattern[str]
    township_acts: re.Pattern[str]
    outlets: dict[str, str]


@functools.cache
def _book() -> _Book:
    book = codebooks.load("places")
    return _Book(
        {level: re.compile(pattern) for level, pattern in book["levels"].items()},
        re.compile(book["own"]),
        re.compile(book["national"]),
        re.compile(book["local"]),
        re.compile("|".join(book["examples"])),
        re.compile(book["zone"]),
        re.compile(book["dateline"]),
        re.compile(book["leaders"]),
        re.compile(book["township_acts"]),
        book["outlets"],
    )
