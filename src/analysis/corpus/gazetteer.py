"""Gazetteer (地名): names of regions in running text, each with the regions that it may mean."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .. import codebooks, regions
from ..regions import LEVELS, Region

#: A name, the regions of that name, and whether it is their full name.
_Name = tuple[str, tuple[Region, ...], bool]


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a text: its span, the regions it may mean, and whether it is a full name."""

    start: int
    end: int
    regions: tuple[Region, ...]
    full: bool


def mentions(text: str, year: int | None = None) -> list[Mention]:
    """Names of regions in a text, longest first, those in use in that year before all others."""
    heads, seen = _index()
    found: list[Mention] = []
    end = 0
    for at in [m.start() for m in seen.finditer(text)]:
        if at < end:
            continue
        match = next(
            (entry for entry in heads.get(text[at : at + 2], ()) if text.startswith(entry[0], at)), None
        )
        if match is None or not _names_a_place(match, text, at):
            continue
        name, rows, full = match
        end = at + len(name)
        valid = [r for r in rows if r.valid(year)] or _latest(rows)
        found.append(Mention(at, end, tuple({r.code: r for r in valid}.values()), full))
    return found


def _names_a_place(match: _Name, text: str, at: int) -> bool:
    """Whether the name stands for a place there, and is no common word and no part of another name."""
    name, rows, full = match
    end = at + len(name)
    short_county, common, other = _book()
    if len(name) == 2 and other.match(text, end):
        return False
    if not full:
        if _inside_word(text, end):
            return False
        if rows[0].level == "县" and not short_county.match(text, end):
            return False
    before = text[at - 1] if at else ""
    ordinary = name in common or (len(name) == 2 and full and "\u4e00" <= before <= "\u9fff")
    return not ordinary or _after_parent(rows, text, at)


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
def _index() -> tuple[dict[str, list[_Name]], re.Pattern[str]]:
    """First two characters → names, longest first, with their regions and whether the name is full; and where two
    such characters may stand, which one pass over a text finds at a fraction of the cost of looking up each pair.
    """
    table = regions.load()
    names: dict[str, dict[str, bool]] = {}
    for row in table.rows:
        names.setdefault(row.name[:2], {})[row.name] = True
        if len(row.short) > 1 and row.short != row.name:
            names.setdefault(row.short[:2], {}).setdefault(row.short, False)
    index = {}
    for head, group in names.items():
        rows = []
        for name, full in sorted(group.items(), key=lambda item: -len(item[0])):
            if full:
                meant = table.named(name)
            else:
                # 吉林 is the province, 邯郸 the city and not the county once of that name.
                called = table.called(name)
                highest = min(called, key=lambda r: LEVELS.index(r.level)).level
                meant = tuple(r for r in called if r.level == highest)
            rows.append((name, meant, full))
        index[head] = rows
    first, second = ("".join(map(re.escape, sorted({head[i] for head in index}))) for i in (0, 1))
    return index, re.compile(f"[{first}](?=[{second}])")


@functools.cache
def _book() -> tuple[re.Pattern[str], frozenset[str], re.Pattern[str]]:
    """What must follow a county's short name, names that are common words, what follows no place."""
    book = codebooks.load("places")
    return (
        re.compile(book["short_county_before"]),
        frozenset(book["common"]),
        re.compile(book["not_a_place_before"]),
    )
