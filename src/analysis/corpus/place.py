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
from .split import Article

_ORDER = ("乡", "县", "市", "省", "中央")
_MUNICIPALITIES = {"110000", "120000", "310000", "500000"}


@dataclass(frozen=True, slots=True)
class Place:
    """Level and region of an article; the candidates where the region stayed open."""

    level: str | None = None
    code: str | None = None
    name: str | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    regions: tuple[Region, ...]
    full: bool


def place(article: Article, genre: str, *, year: int | None = None, issuer: str | None = None) -> Place:
    """Where an article belongs.

    Parameters
    ----------
    year
        Year it is of, which decides between names of different times.
    issuer
        Office or newspaper it comes from; it tells which province 我省 means.
    """
    fields = _fields(article, issuer)
    named = _named(fields, year)
    cues = _cues(fields)
    if genre == "论文" and not any(w >= 6 for w in named.scores.values()):
        return Place()
    if genre == "法规" and (national := _national(article)) is not None:
        return national
    level = _level(named, cues, fields, genre)
    return _region(named, level)


@dataclass(slots=True)
class _Named:
    """Scores of the regions named, and names that stayed ambiguous."""

    scores: dict[str, float]
    open: dict[tuple[str, ...], float]


def _fields(article: Article, issuer: str | None) -> list[tuple[str, float]]:
    """Parts of the article with their weights."""
    body = article.body.value
    titles = "。".join(filter(None, (article.kicker, article.title, article.subtitle)))
    head = "。".join(filter(None, (issuer, article.byline, *article.meta)))
    return [(titles, 6.0), (head, 3.0), (body[:60], 3.0), (body[60:300], 2.0), (body[300:6000], 1.0)]


def _national(article: Article) -> Place | None:
    """The state's own regulations name no region."""
    title = article.title or ""
    header = " ".join(article.header)
    if title.startswith("中华人民共和国") or re.search(
        r"国务院令|国务院第|中共中央|全国人民代表大会|国务院(?:发布|公布)", header
    ):
        return Place(level="中央")
    return None


# ------------------------------------------------------------------------------------------------------------- level


def _cues(fields: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Points of each level from words such as 我省 and 市委; many of one word count little more than a few."""
    points = dict.fromkeys(_ORDER, 0.0)
    for level, pattern in _patterns().items():
        for text, weight in fields:
            found = len(pattern.findall(text))
            points[level] += weight * math.log2(1 + found)
    return points


def _level(named: _Named, cues: dict[str, float], fields: list[tuple[str, float]], genre: str) -> str | None:
    points = dict.fromkeys(_ORDER, 0.0)
    table = regions.load()
    municipal = {code for code in named.scores if code[:2] + "0000" in _MUNICIPALITIES}
    home = max(named.scores, key=lambda c: named.scores[c], default=None)
    for level in ("省", "市", "县"):
        best = max((s for c, s in named.scores.items() if table.get(c).level == level), default=0.0)
        points[level] = best + cues[level]
    if home in municipal:
        # In a municipality 全市 is said of the province.
        points["省"] += cues["市"]
        points["市"] = 0.0
    title, lead = fields[0][0], fields[2][0]
    township = _patterns()["乡"]
    if township.search(title) or (
        township.search(lead) and genre not in {"会议报道", "工作部署", "规范性文件", "评论"}
    ):
        points["乡"] = cues["乡"] + (4.0 if township.search(title) else 0.0)
        points["县"] -= cues["乡"] / 4
    points["中央"] = cues["中央"] * 0.45 if not any(points[k] > 6 for k in ("省", "市", "县", "乡")) else 0.0
    best = max(points, key=lambda k: points[k])
    return best if points[best] >= 3 else None


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
    if not scores:
        return Place(level)
    ranked = sorted(scores, key=lambda c: (-scores[c], c))
    if len(ranked) > 1 and scores[ranked[0]] - scores[ranked[1]] < 0.5 and scores[ranked[0]] < 4:
        return Place(level, candidates=tuple(sorted(ranked[:4])))
    return Place(level, ranked[0], table.get(ranked[0]).name)


def _named(fields: list[tuple[str, float]], year: int | None) -> _Named:
    """Regions named in the fields, each with its points."""
    table = regions.load()
    found: list[tuple[_Mention, float, str]] = []
    for text, weight in fields:
        for mention in mentions(text, year):
            found.append((mention, _worth(mention, text, weight), text))
    certain = {m.regions[0].code for m, _, _ in found if len(m.regions) == 1}
    raw: dict[str, list[float]] = {}
    left: dict[tuple[str, ...], float] = {}
    for mention, worth, text in found:
        chosen = _choose(mention, text, certain, table)
        if chosen is None:
            key = tuple(r.code for r in mention.regions)
            left[key] = left.get(key, 0.0) + worth
        else:
            raw.setdefault(chosen.code, []).append(worth)
    # The best mention counts whole, further ones less and less.
    scores = {c: max(w) + math.log2(1 + sum(w) - max(w)) for c, w in raw.items()}
    return _Named(scores, left)


def _worth(mention: _Mention, text: str, weight: float) -> float:
    """Points of one mention: less for a short name, for a place in a list, for what is only the way to a place."""
    worth = weight if mention.full else weight * 0.7
    around = text[max(0, mention.start - 1) : mention.start] + text[mention.end : mention.end + 1]
    return worth * 0.3 if "、" in around else worth


def _choose(mention: _Mention, text: str, certain: set[str], table: Regions) -> Region | None:
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


def mentions(text: str, year: int | None = None) -> list[_Mention]:
    """Names of regions in a text, longest first, those in use in that year before all others."""
    heads, _ = _index()
    common = _common()
    found = []
    at = 0
    while at < len(text) - 1:
        names = heads.get(text[at : at + 2])
        if names is not None:
            for name, rows, full in names:
                if not text.startswith(name, at):
                    continue
                before = text[at - 1] if at else ""
                if name in common and not _after_parent(rows, text, at):
                    break
                if not full and _inside_word(text, at + len(name)):
                    break
                if (
                    len(name) == 2
                    and full
                    and "\u4e00" <= before <= "\u9fff"
                    and not _after_parent(rows, text, at)
                ):
                    break
                valid = [r for r in rows if r.valid(year)] or _latest(rows)
                found.append(_Mention(at, at + len(name), tuple({r.code: r for r in valid}.values()), full))
                at += len(name) - 1
                break
        at += 1
    return found


def _latest(rows: Iterable[Region]) -> list[Region]:
    rows = list(rows)
    last = max(r.valid_to or 9999 for r in rows)
    return [r for r in rows if (r.valid_to or 9999) == last]


def _after_parent(rows: Iterable[Region], text: str, at: int) -> bool:
    table = regions.load()
    before = text[max(0, at - 8) : at]
    return any(before.endswith((a.name, a.short)) for r in rows for a in table.path(r.code)[:-1])


def _inside_word(text: str, end: int) -> bool:
    """Whether a short name is the beginning of another name: 吉林市 is no mention of 吉林, 南京路 none of 南京."""
    return text[end : end + 1] in {"路", "街", "巷", "道", "河", "江", "湖", "山", "会"} and text[
        end : end + 2
    ] not in {"江山", "江干"}


@functools.cache
def _index() -> tuple[dict[str, list[tuple[str, tuple[Region, ...], bool]]], int]:
    """First two characters → names, longest first, with their regions and whether the name is full."""
    table = regions.load()
    names: dict[str, dict[str, bool]] = {}
    for row in table.rows:
        names.setdefault(row.name[:2], {})[row.name] = True
        if row.level in {"省", "市"} and len(row.short) > 1 and row.short != row.name:
            names.setdefault(row.short[:2], {}).setdefault(row.short, False)
    index = {}
    for head, group in names.items():
        rows = []
        for name, full in sorted(group.items(), key=lambda item: -len(item[0])):
            if full:
                meant = table.named(name)
            else:
                meant = tuple(r for r in table.called(name) if r.level == "省") or tuple(
                    r for r in table.called(name) if r.level == "市"
                )
            rows.append((name, meant, full))
        index[head] = rows
    return index, len(index)


@functools.cache
def _common() -> frozenset[str]:
    return frozenset(codebooks.load("places")["common"])


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {level: re.compile(pattern) for level, pattern in codebooks.load("places")["levels"].items()}
