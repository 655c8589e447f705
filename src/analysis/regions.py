"""Administrative regions (行政区划): GB/T 2260 codes as text, names, parents, and how long each was valid.

Two packaged tables, both data: ``codebooks/regions.csv`` (real; source and year in its header lines) and
``codebooks/regions_sample.csv`` (the fictional 示例省, codes 99xxxx, which alone carries simulated numbers).
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from . import codebooks
from .errors import RequestError

LEVELS = ("省", "市", "县")

_SUFFIX = re.compile(r"(?:特别行政区|自治[区州县旗]|地区|林区|特区|新区|[省市县区盟旗州])$")
_PEOPLES = re.compile(
    r"(?:蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇|柯尔克孜"
    r"|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|裕固|保安|独龙|鄂温克|各|左翼蒙古)族?$"
)


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
        Year it came into use and year it was changed or abolished (in that year both states were true);
        ``None`` where the table is open.
    successors
        Codes that its area went to when it was abolished.
    fictional
        True for the sample province.
    """

    code: str
    name: str
    valid_from: int | None = None
    valid_to: int | None = None
    fictional: bool = False
    successors: tuple[str, ...] = ()

    @functools.cached_property
    def short(self) -> str:
        """The name in running text: 浙江, 江山, 积石山; the full name where nothing readable would remain."""
        name = _SUFFIX.sub("", self.name)
        if "自治" in self.name:
            while len(rest := _PEOPLES.sub("", name)) < len(name) and len(rest) > 1:
                name = rest
            name = name.removesuffix("族") if len(name) > 2 else name
        return name if len(name) > 1 else self.name

    def valid(self, year: int | None) -> bool:
        """Whether it was in use in that year; ``None`` asks about today."""
        if year is None:
            return self.valid_to is None
        return (self.valid_from or 0) <= year <= (self.valid_to or 9999)

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

    @functools.cached_property
    def _by_short(self) -> dict[str, tuple[Region, ...]]:
        names: dict[str, list[Region]] = {}
        for row in self.rows:
            names.setdefault(row.short, []).append(row)
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
            near = "、".join(f"{one.code}（{one.name}）" for one in self.nearest(str(code)))
            raise RequestError(
                "行政区划代码表中没有这个代码",
                value=code,
                hint=(f"是否为 {near}；" if near else "")
                + "请用六位 GB/T 2260 代码，如 330000；示例数据用 990000",
            ) from None

    def nearest(self, text: str, most: int = 3) -> list[Region]:
        """The regions in use that a mistyped code, or a name given in its place, may have meant."""
        if not text.isdigit():
            called = {
                row.code: row for row in (*self.named(text), *self.called(text)) if row.valid_to is None
            }
            return list(called.values())[:most]
        import difflib

        codes = {row.code: row for row in self._valid(None)}
        return [codes[code] for code in difflib.get_close_matches(text, codes, n=most, cutoff=0.7)]

    def named(self, name: str, year: int | None = None) -> tuple[Region, ...]:
        """All regions of exactly that full name, over all years or in use in that year."""
        rows = self._by_name.get(name, ())
        return rows if year is None else tuple(row for row in rows if row.valid(year))

    def called(self, short: str) -> tuple[Region, ...]:
        """All regions of that short name (浙江, 江山), over all years."""
        return self._by_short.get(short, ())

    def parent(self, code: str) -> str | None:
        """Code of the region above that the table holds.

        The province for districts of a municipality (110101) and counties under a province (429004), which have
        no prefecture; ``None`` for a province.
        """
        above = self.get(code).parent
        if above is not None and above not in self:
            above = code[:2] + "0000"
        return above

    def children(self, code: str, year: int | None = None) -> list[Region]:
        """Regions one level below in use in that year (``None``: today), in order of code."""
        return [row for row in self._valid(year) if row.code != code and self.parent(row.code) == code]

    def counties(self, code: str, year: int | None = None) -> list[Region]:
        """All county-level regions within (the region itself when it is one), as of that year, in order of code."""
        region = self.get(code)
        if region.level == "县":
            return [region]
        prefix = code[:2] if region.level == "省" else code[:4]
        return [row for row in self._valid(year) if row.level == "县" and row.code.startswith(prefix)]

    def path(self, code: str) -> list[Region]:
        """From the province down to the region itself."""
        above = self.parent(code)
        return [*(self.path(above) if above and above in self else []), self.get(code)]

    def _valid(self, year: int | None) -> list[Region]:
        rows = {row.code: row for row in self.rows if row.valid(year)}
        return [rows[code] for code in sorted(rows)]


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
                tuple(filter(None, (row.get("successor") or "").split(";"))),
            )
