"""Administrative regions (行政区划): GB/T 2260 codes as text, names, parents, and how long each was valid.

Two packaged tables, both data: ``codebooks/regions.csv`` (real; source and year in its header lines) and
``codebooks/regions_sample.csv`` (the fictional 示例省, codes 99xxxx, which alone carries simulated numbers).
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from dataclasses import dataclass

from . import codebooks
from .errors import RequestError

LEVELS = ("省", "市", "县")


@dataclass(frozen=True)
class Region:
    """One row of a code table.

    Attributes
    ----------
    code
        Six digits, as text.
    name
        Full official name, such as 江山市.
    valid_from, valid_to
        First and last year of the code's validity; ``None`` where the table is open.
    fictional
        True for the sample province.
    """

    code: str
    name: str
    valid_from: int | None = None
    valid_to: int | None = None
    fictional: bool = False

    @property
    def level(self) -> str:
        """省, 市 or 县, read off the code."""
        if self.code.endswith("0000"):
            return "省"
        return "市" if self.code.endswith("00") else "县"

    @property
    def parent(self) -> str | None:
        """Code of the region one level up; ``None`` for a province."""
        if self.level == "省":
            return None
        return self.code[:2] + "0000" if self.level == "市" else self.code[:4] + "00"


@dataclass(frozen=True)
class Regions:
    """A code table with its look-ups."""

    rows: tuple[Region, ...]

    @functools.cached_property
    def _by_code(self) -> dict[str, Region]:
        # The last row of a code wins: rows are in order of validity.
        return {row.code: row for row in self.rows}

    @functools.cached_property
    def _by_name(self) -> dict[str, tuple[Region, ...]]:
        names: dict[str, list[Region]] = {}
        for row in self.rows:
            names.setdefault(row.name, []).append(row)
        return {name: tuple(rows) for name, rows in names.items()}

    def __contains__(self, code: str) -> bool:
        return code in self._by_code

    def get(self, code: str) -> Region:
        """The region of a code.

        Raises
        ------
        RequestError
            The table has no such code.
        """
        try:
            return self._by_code[str(code)]
        except KeyError:
            raise RequestError(
                "行政区划代码表中没有这个代码",
                value=code,
                hint="请用六位 GB/T 2260 代码，如 330000；示例数据用 990000",
            ) from None

    def named(self, name: str) -> tuple[Region, ...]:
        """All regions of exactly that name, over all years."""
        return self._by_name.get(name, ())

    def children(self, code: str) -> list[Region]:
        """Regions one level below, in order of code."""
        return sorted((row for row in self._by_code.values() if row.parent == code), key=lambda row: row.code)

    def counties(self, code: str) -> list[Region]:
        """All county-level regions within (the region itself when it is one)."""
        region = self.get(code)
        if region.level == "县":
            return [region]
        prefix = code[:2] if region.level == "省" else code[:4]
        return sorted(
            (row for row in self._by_code.values() if row.level == "县" and row.code.startswith(prefix)),
            key=lambda row: row.code,
        )

    def path(self, code: str) -> list[Region]:
        """From the province down to the region itself."""
        region = self.get(code)
        above = region.parent
        return [*(self.path(above) if above and above in self else []), region]


@functools.lru_cache(maxsize=1)
def load() -> Regions:
    """Both packaged tables as one."""
    return Regions((*_rows("regions.csv", False), *_rows("regions_sample.csv", True)))


def _rows(name: str, fictional: bool) -> Iterable[Region]:
    file = codebooks.path(name)
    if not file.exists():
        return
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            yield Region(
                row["code"],
                row["name"],
                int(row["valid_from"]) if row.get("valid_from") else None,
                int(row["valid_to"]) if row.get("valid_to") else None,
                fictional,
            )
