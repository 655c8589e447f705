"""Citations (引用): which documents a text cites, by what name, in which version, and to which article.

Titles in 《》, short forms with their scope (（以下简称《条例》）), document numbers (文号) and articles. Works (films,
books, columns) are refused with the reason. A citation is resolved to the version in force on the citing
document's date, and to the document of the corpus that bears the title.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from .. import codebooks
from .dates import document_date, records

if TYPE_CHECKING:
    import pandas as pd

CITATIONS = (
    "doc_id",
    "start",
    "end",
    "text",
    "title",
    "kind",
    "scope",
    "number",
    "article",
    "version",
    "resolved_to",
    "refused",
)
_DIGITS = "一二三四五六七八九十百零〇两0-9"
_TITLE = re.compile(r"《([^《》\n]{1,120}(?:《[^《》\n]{1,80}》[^《》\n]{0,60})?)》")
_ARTICLE = re.compile(
    rf"^(?:[（(][^（）()]{{1,30}}[)）])?的?(第[{_DIGITS}]+条(?:之[{_DIGITS}]+)?(?:第[{_DIGITS}]+款)?(?:第?[（(]?[{_DIGITS}]+[)）]?项)?)"
)
_OWN_ARTICLE = re.compile(
    rf"(本|该)(条例|办法|规定|细则|法|规则|意见|方案)(第[{_DIGITS}]+条(?:第[{_DIGITS}]+款)?(?:第?[（(][{_DIGITS}]+[)）]项)?)"
)
_NAMING = re.compile(
    r"[（(][^（）()《》]{0,6}?(?:以下)?(?:统称|简称)(?:为)?[:：]?[《“\"'‘]?([^《》“”\"'‘’（）()]{1,20})[》”\"'’]?[)）]"
)
_NUMBER = re.compile(
    r"(?P<issuer>[\u4e00-\u9fff]{1,14})[〔\[［（(]\s?(?P<year>(?:19|20)\d{2})\s?[〕\]］）)]\s?(?P<serial>第?\d{1,5}号)"
)
_DECREE = re.compile(
    r"(?:国务院|主席|人民政府|部|委员会)令第?\s?\d{1,4}号|(?:国务院|主席)令第[一二三四五六七八九十百零〇]+号"
)
_TAIL = re.compile(r"(?:[（(][^（）()]*[)）])+$")
_CLAUSE_MARK = re.compile(r"[，。；！？\n,;!?]")


@dataclass(frozen=True)
class _Title:
    """A title where it stands in the body."""

    start: int
    end: int
    text: str


def cite(
    documents: pd.DataFrame, *, refused: bool = False, held: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """What each document cites (引用).

    Parameters
    ----------
    documents
        Needs ``doc_id`` and ``body``; ``title``, ``published``, ``event_date``, ``near_duplicate_of`` are used when there.
    refused
        Also return the titles that are no document's, with the reason in ``refused``.
    held
        :func:`titles` of the corpus, where ``documents`` are only a part of it.

    Returns
    -------
    DataFrame
        Columns ``CITATIONS``: the span (offsets in the body), the text as it stands, title (the full one that a
        short form means), kind (法律法规, 规章制度, 公文, 规划计划, 其他文件, 文号, 本文), scope (全称, 简称约定, 简称就近,
        简称未定), number (文号), article (第N条第N款), version (in force on the document's date; NA when the registry
        lacks the title or the date is unknown and there are several), resolved_to (doc_id of the corpus).
    """
    import pandas as pd

    held = titles(documents) if held is None else held
    rows: list[dict[str, Any]] = []
    for row in records(documents, "doc_id", "body", "published", "event_date"):
        body = row["body"]
        if isinstance(body, str) and body:
            # A year alone counts as its last day, so that a law of that year is in force.
            day = document_date(row, last=True)
            for found in _in_body(body):
                named = found["title"]
                found["version"] = _version(named, day) if named else None
                bearer = held.get(_normal(named)) if named else None
                found["resolved_to"] = (
                    row["doc_id"] if found["kind"] == "本文" else bearer if bearer != row["doc_id"] else None
                )
                rows.append({"doc_id": row["doc_id"], **found})
    table = pd.DataFrame(rows, columns=list(CITATIONS)).astype({"start": "int64", "end": "int64"})
    return table if refused else table.loc[table["refused"].isna()].reset_index(drop=True)


def chain(citations: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """The citation chain inside the corpus (引用链): doc_id, resolved_to, citations, articles (distinct), first (offset)."""
    inside = citations.dropna(subset=["resolved_to"])
    inside = inside.loc[inside["doc_id"] != inside["resolved_to"]]
    table = inside.groupby(["doc_id", "resolved_to"], as_index=False, sort=False).agg(
        citations=("start", "size"), articles=("article", "nunique"), first=("start", "min")
    )
    return table.loc[table["doc_id"].isin(documents["doc_id"])].reset_index(drop=True)


def titles(documents: pd.DataFrame) -> dict[str, str]:
    """Which document bears which title (normal title → doc_id); of several copies the earliest dated, then the first."""
    found: dict[str, tuple[tuple[str, int], str]] = {}
    for place, row in enumerate(records(documents, "doc_id", "title", "published", "event_date")):
        title = row["title"]
        if isinstance(title, str) and title:
            day = document_date(row, last=True)
            key = (day.isoformat() if day else "9999", place)
            normal = _normal(title)
            if normal not in found or key < found[normal][0]:
                found[normal] = (key, row["doc_id"])
    return {title: doc for title, (_, doc) in found.items()}


def _in_body(body: str) -> Iterator[dict[str, Any]]:
    """All citations of one body in the order of the text."""
    titles = [_Title(match.start(), match.end(), match[1]) for match in _TITLE.finditer(body)]
    named: dict[str, str] = {}
    full: list[str] = []
    found: list[dict[str, Any]] = []
    for place, title in enumerate(titles):
        kind, reason = _kind(title, titles, place, body)
        known, scope = title.text, "全称"
        if reason is None and _bare(title.text) in _words("short_forms"):
            known, scope = _expand(title.text, named, full)
        elif reason is None:
            full.append(title.text)
        after = body[title.end : title.end + 60]
        if reason is None and (naming := _NAMING.match(after)):
            named[naming[1]] = known
            after = after[naming.end() :]
        if reason is None and any(
            body.startswith(mark, title.start - len(mark)) for mark in ("简称", "简称为")
        ):
            continue  # the naming itself, （以下简称《条例》）: its full title stands before it
        article = _ARTICLE.match(after)
        number = _number_after(body, title.end)
        span = {"start": title.start, "end": title.end, "text": body[title.start : title.end]}
        ground = {"kind": kind, "scope": scope, "number": number, "refused": reason}
        found.append({**span, "title": known, **ground, "article": article[1] if article else None})
    taken = [(title.start, title.end + 40) for title in titles]
    for match in _NUMBER.finditer(body):
        if not any(start <= match.start() < end for start, end in taken):
            issuer = _issuer(match["issuer"])
            if issuer:
                start = match.end("issuer") - len(issuer)
                text = f"{issuer}〔{match['year']}〕{match['serial']}"
                found.append(_plain(start, match.end(), body, "文号", number=text))
    for match in _DECREE.finditer(body):
        if not any(start <= match.start() < end for start, end in taken):
            found.append(_plain(match.start(), match.end(), body, "文号", number=match[0]))
    for match in _OWN_ARTICLE.finditer(body):
        found.append(_plain(match.start(), match.end(), body, "本文", article=match[3]))
    yield from sorted(found, key=lambda one: one["start"])


def _plain(start: int, end: int, body: str, kind: str, **more: Any) -> dict[str, Any]:
    base = dict.fromkeys(CITATIONS[4:])
    return {
        "start": start,
        "end": end,
        "text": body[start:end],
        **base,
        "kind": kind,
        "scope": "全称",
        **more,
    }


def _kind(title: _Title, titles: list[_Title], place: int, body: str) -> tuple[str | None, str | None]:
    """The kind of document that a title names, or why it is none."""
    before = _CLAUSE_MARK.split(body[max(0, title.start - 24) : title.start])[-1]
    after = body[title.end : title.end + 8]
    # In a list 《甲》《乙》 the word that introduces it stands before the first.
    if place and titles[place - 1].end >= title.start - 1:
        first = place
        while first and titles[first - 1].end >= titles[first].start - 1:
            first -= 1
        before = _CLAUSE_MARK.split(body[max(0, titles[first].start - 24) : titles[first].start])[-1]
    bare = _bare(title.text)
    kinds: dict[str, list[str]] = _book()["kinds"]
    # The longest ending decides: 实施办法 ends in 法 too, and is no law.
    fits = [
        (len(ending), name) for name, endings in kinds.items() for ending in endings if bare.endswith(ending)
    ]
    kind = max(fits)[1] if fits else None
    # A long title with a document's ending is trusted over a word that happens to stand in front.
    formal = kind is not None and len(bare) >= 6
    for word in _words("works"):
        if word in before and not formal:
            return None, f"作品或刊物：前有“{word}”"
    for word in _words("works_after"):
        if after.startswith(word) and not formal:
            return None, f"作品或刊物：后有“{word}”"
    if kind is None:
        return None, "标题不以文件种类结尾"
    if len(bare) == 1 and bare != "法":
        return None, "标题过短"
    return kind, None


def _expand(short: str, named: dict[str, str], full: list[str]) -> tuple[str, str]:
    """The full title that a short form stands for, and on what ground."""
    bare = _bare(short)
    for key in (short, bare):
        if key in named:
            return named[key], "简称约定"
    for title in reversed(full):
        if _bare(title).endswith(bare) and title != short:
            return title, "简称就近"
    return short, "简称未定"


def _number_after(body: str, end: int) -> str | None:
    """The 文号 in parentheses right behind a title: 《…》（国办发〔2022〕3号）."""
    match = re.match(
        r"\s?[（(]([^（）()]{0,30}?[〔\[［（(](?:19|20)\d{2}[〕\]］）)]\s?第?\d{1,5}号|[^（）()]{0,12}令第?\d{1,4}号)[^（）()]{0,10}[)）]",
        body[end : end + 60],
    )
    return match[1] if match else None


def _issuer(run: str) -> str | None:
    """The issuer's code at the end of a run of characters: words such as 按照 or 印发 in front of it are cut off."""
    cut = 0
    for stop in _words("number_stops"):
        at = run.rfind(stop)
        if at >= 0 and at + len(stop) < len(run):
            cut = max(cut, at + len(stop))
    code = run[cut:]
    return code if 2 <= len(code) <= 10 else None


def _version(title: str, day: date | None) -> str | None:
    law = _laws().get(_normal(title))
    if law is None:
        return None
    versions = law["versions"]
    if day is None:
        return str(versions[0]["version"]) if len(versions) == 1 else None
    begun = [one for one in versions if one["effective"] <= day]
    in_force = begun and (begun[-1].get("until") is None or day <= begun[-1]["until"])
    return str(begun[-1]["version"]) if in_force else None


def _normal(title: str) -> str:
    """A title for comparison: without 中华人民共和国, quotation marks, inner brackets, white space and trailing parentheses."""
    bare = re.sub(r"[\s“”\"'‘’〈〉<>《》·]", "", title).removeprefix("中华人民共和国")
    return _TAIL.sub("", bare)


def _bare(title: str) -> str:
    return _TAIL.sub("", title.strip()).strip("”“\"'’‘〉>》 ")


@functools.lru_cache(maxsize=1)
def _laws() -> dict[str, dict[str, Any]]:
    laws = codebooks.load("laws")["laws"]
    return {_normal(name): law for law in laws for name in (law["title"], *law.get("aliases", ()))}


@functools.lru_cache(maxsize=1)
def _book() -> dict[str, Any]:
    return codebooks.load("citations")


@functools.lru_cache(maxsize=8)
def _words(name: str) -> tuple[str, ...]:
    return tuple(_book()[name])
