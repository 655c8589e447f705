"""Units and measure words (单位、量词): what may follow a number, and what it then measures."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from .. import codebooks

POINTS = "个百分点"


@dataclass(frozen=True)
class Units:
    """The unit table, ready to match.

    Attributes
    ----------
    pattern
        Matches a unit at a position of the folded text.
    kinds
        Unit → count, money, duration, area or rate.
    alias
        Spelling in the text → unit in the record.
    """

    pattern: re.Pattern[str]
    kinds: dict[str, str]
    alias: dict[str, str]

    def match(self, text: str, position: int) -> tuple[str, int] | None:
        """The unit that begins there, and where it ends."""
        found = self.pattern.match(text, position)
        if found is None:
            return None
        return self.alias.get(found[0], found[0]), found.end()

    def kind(self, unit: str | None) -> str:
        """What a number of this unit measures when nothing else is said."""
        return self.kinds.get(unit or "", "count")


@functools.lru_cache(maxsize=1)
def load() -> Units:
    """The packaged table ``units.yml``."""
    book = codebooks.load("units")
    kinds = {
        name: kind for kind, entries in book["kinds"].items() for entry in entries for name in entry.split()
    }
    alias = dict(book["alias"])
    kinds |= {spelling: kinds[unit] for spelling, unit in alias.items() if unit in kinds}
    blocked, allowed = book["not_before"], book["but_before"]
    names = sorted(kinds, key=lambda name: (-len(name), name))
    parts = []
    for name in names:
        follow, but = blocked.get(name, ""), allowed.get(name, "")
        parts.append(
            re.escape(name)
            + (f"(?!{f'(?!{but})' if but else ''}[{follow}])" if follow else "")
            + ("(?![A-Za-z])" if name.isascii() else "")
        )
    return Units(re.compile("|".join(parts)), kinds, alias)
