"""What the data cover (数据覆盖范围): a region or period they say nothing about is refused before anything is computed.

A county of theirs without a case is covered: it has none. Another province is not, and neither is a month before the
first or after the last day on which something happened.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .. import regions as region_tables
from ..errors import RequestError
from ..periods import Period
from . import schema

if TYPE_CHECKING:
    from .load import Cases

_ROWS = ("matters", "petitions", "monthly")
_MOST = 5


def require(
    tables: Cases,
    period: str | Period | Iterable[str | Period] | None = None,
    region: str | None = None,
) -> None:
    """Refuse a region or period that the data do not cover.

    Raises
    ------
    RequestError
        A region that neither the code table nor the data know (the nearest codes are named), one of a province that the
        data do not hold, or a period wholly before or after the data.
    """
    if region is not None:
        _region(tables, str(region))
    if period is not None:
        for one in [period] if isinstance(period, str | Period) else period:
            _period(tables, one if isinstance(one, Period) else Period.parse(one))


def _region(tables: Cases, region: str) -> None:
    book = region_tables.load()
    coded = region in book
    held: list[str] = []
    for places in _places(tables):
        if region in places or (coded and any(place[:2] == region[:2] for place in places)):
            return  # a source without codes names its places
        held += [place for place in places if place not in held]
    if coded and not held:
        return
    if not coded:
        near = book.nearest(region)
        listed = "、".join(f"{one.code}（{one.name}）" for one in near)
        hint = f"是否为 {listed}" if near else f"数据里的地区有：{_listed(held)}"
        raise RequestError("行政区划代码表和数据里都没有这个地区", value=region, hint=hint)
    raise RequestError(
        f"数据里没有{book.get(region).name}的案件", value=region, hint=f"数据里的地区有：{_listed(held)}"
    )


def _listed(places: list[str]) -> str:
    """The provinces of codes; the names themselves where there are none."""
    book = region_tables.load()
    provinces = sorted({f"{place[:2]}0000" for place in places if place in book})
    named = [f"{code}（{book.get(code).name}）" for code in provinces if code in book] or sorted(places)
    return "、".join(named[:_MOST]) + ("等" if len(named) > _MOST else "")


def _places(tables: Cases) -> Iterator[list[str]]:
    """Region codes or place names, table by table; nothing of a table whose rows have no place."""
    for name in _ROWS:
        column = schema.table(name).region
        if column is None or tables.tables.get(name) is None or not tables.has(f"{name}.{column}"):
            continue
        yield tables.once(("places", name), functools.partial(_distinct, tables.tables[name], column))


def _distinct(table: Any, column: str) -> list[str]:
    found = table.select(column).distinct().execute()[column]
    return sorted(str(place) for place in found.dropna() if place != "")


def _period(tables: Cases, period: Period) -> None:
    first, last = tables.extent
    if first is None or last is None or (period.start <= last and period.end >= first):
        return
    near = Period.containing(first if period.end < first else last, period.frequency)
    raise RequestError(
        "数据里没有这个报告期", value=str(period), hint=f"数据从{first}到{last}，最近的报告期是 {near}"
    )
