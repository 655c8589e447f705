"""Arithmetic relations between stated numbers (数字之间的关系), with the interval that rounding allows.

A stated number stands for an interval: half a unit of its last digit to either side, or more where the text says 余 or
近. A relation holds when what follows from the other numbers can meet what is stated.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

GRADES = ("ok", "rounding", "other base", "contradiction")
COLUMNS = [
    "source",
    "doc_id",
    "type",
    "total",
    "parts",
    "stated",
    "expected",
    "low",
    "high",
    "holds",
    "grade",
    "message",
    "spans",
]
_MORE = {
    "余",
    "多",
    "以上",
    "超",
    "超过",
    "逾",
    "突破",
    "不少于",
    "不低于",
    "高于",
    "多于",
    "至少",
    "上",
    "几",
    "来",
}
_LESS = {
    "近",
    "将近",
    "接近",
    "不足",
    "不到",
    "不满",
    "不超过",
    "以内",
    "以下",
    "内",
    "低于",
    "少于",
    "最多",
    "至多",
}
_RELATIVE = ("%", "‰", "个百分点", "倍")
_KIN = {"封": "件", "件次": "件", "件人次": "件", "条": "件", "单": "件", "宗": "件", "批次": "批"}
_SLACK = 0.1  # how far 余 and 近 reach, as a share of the value


class Interval(NamedTuple):
    """Values that a stated number can stand for."""

    low: float
    high: float

    def meets(self, other: Interval) -> bool:
        """Whether the two overlap (with the tolerance of binary fractions)."""
        slack = 1e-9 * max(1.0, abs(self.low), abs(other.low))
        return self.low <= other.high + slack and other.low <= self.high + slack

    def __add__(self, other: Interval) -> Interval:  # type: ignore[override]
        return Interval(self.low + other.low, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Item:
    """A row of ``statistics`` as the audit sees it."""

    index: int
    row: int
    value: float
    unit: str | None
    kind: str
    indicator: str
    indicator_id: str | None
    subject: str | None
    period: str | None
    days: tuple[dt.date | None, dt.date | None]
    direction: str | None
    base: str | None
    approx: str | None
    step: float
    exact: bool
    share_of: str | None
    part_of: int | None
    paragraph: int
    sentence: int
    group: int
    table: bool
    note: str | None
    text: str
    start: int
    end: int
    source_start: int | None = None
    source_end: int | None = None

    @property
    def interval(self) -> Interval:
        """What the stated number can stand for."""
        v = self.value
        if self.approx in _MORE:
            return Interval(v, v + max(_SLACK * abs(v), self.step))
        if self.approx in _LESS:
            return Interval(v - _SLACK * abs(v), v)
        if self.approx:
            return Interval(v - _SLACK / 2 * abs(v), v + _SLACK / 2 * abs(v))
        half = 0.0 if self.exact and self.unit not in _RELATIVE else self.step / 2
        return Interval(v - half, v + half)

    @property
    def measure(self) -> str | None:
        """The unit with its kin folded: letters (封) and 件次 are counted among 件."""
        return _KIN.get(self.unit or "", self.unit)

    @property
    def percent(self) -> Interval:
        """The interval of a percentage: half a unit of its last digit."""
        return Interval(self.value - self.step / 2, self.value + self.step / 2)

    @property
    def vague(self) -> bool:
        """Stated with 余, 近, 约 …: never the ground of a contradiction."""
        return bool(self.approx)

    @property
    def share(self) -> bool:
        """A share of a whole."""
        return self.kind == "rate" and re.search(r"(?:占比|比重|比例)$", self.indicator) is not None

    @property
    def counted(self) -> bool:
        """A counted level."""
        return self.kind in ("count", "money", "area")

    @property
    def bracketed(self) -> bool:
        """A remark in brackets (含旧存343件), no member of an enumeration."""
        return self.text.startswith(("含", "其中含", "包括"))


@dataclass(slots=True)
class Relation:
    """One relation and whether it holds; ``parts`` and ``total`` are the numbers in it, ``spans`` where they stand."""

    type: str
    total: Item | float | None
    parts: Sequence[Item]
    stated: float
    expected: float
    interval: Interval
    holds: bool
    grade: str
    message: str
    cited: Sequence[Item] = field(default_factory=tuple)

    def row(self, source: str, doc_id: str) -> dict[str, Any]:
        """A row of the contract's table ``relations``."""
        cited = list(self.cited) or [
            *([self.total] if isinstance(self.total, Item) else []),
            *self.parts,
        ]
        return {
            "source": source,
            "doc_id": doc_id,
            "type": self.type,
            "total": self.total.value if isinstance(self.total, Item) else self.total,
            "parts": [p.value for p in self.parts],
            "stated": self.stated,
            "expected": round(self.expected, 4),
            "low": round(self.interval.low, 4),
            "high": round(self.interval.high, 4),
            "holds": self.holds,
            "grade": self.grade,
            "message": self.message,
            "spans": [span(item) for item in cited],
        }


def span(item: Item) -> dict[str, Any]:
    """Where a number of a relation stands."""
    if item.table:
        return {"source_start": item.source_start, "source_end": item.source_end, "text": item.text}
    return {"start": item.start, "end": item.end, "text": item.text}


def number(value: float, digits: int = 2) -> str:
    """A number for a message, as people write it.

    Whole ones whole, others with at most so many decimals; long ones in 亿 or 万 (3826.5亿), whole ones only where that
    loses nothing and is shorter to read: 1234567 stays as it is.
    """
    whole = abs(value) < 1e15 and abs(value - round(value)) < 1e-9
    # Up to six digits, as case counts have, are read as they stand.
    for least, name, scale, most in ((1e12, "万亿", 1e12, 2), (1e8, "亿", 1e8, 4), (1e6, "万", 1e4, 2)):
        if least <= abs(value) < 1e15 and (not whole or round(value) % round(scale / 10**most) == 0):
            return _plain(value / scale, most if whole else 2) + name
    return str(round(value)) if whole else _plain(value, digits)


def _plain(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def told(item: Item) -> str:
    """An item in words: 受理信访事项120件."""
    return f"{item.indicator}{number(item.value, 4)}{item.unit or ''}"


def similar(a: str, b: str) -> float:
    """Dice coefficient over pairs of characters; 1 when one contains the other."""
    if not a or not b:
        return 0.0
    if a in b or b in a:
        return 1.0
    x, y = {a[i : i + 2] for i in range(len(a) - 1)}, {b[i : i + 2] for i in range(len(b) - 1)}
    return 2 * len(x & y) / max(1, len(x) + len(y))
