"""Named results (有名结果): each headline number with its unit, n, interval, definition and source.

Findings hold slots for results and tables link to them, so prose and tables cannot disagree; lineage, comparison
with the last brief and the tests read results, not text.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

MISSING = "—"


@dataclass(frozen=True)
class Result:
    """One headline (一项有名结果).

    Attributes
    ----------
    name
        Its name within the brief, such as ``及时受理率`` or ``county.on_time``.
    value
        A number in ``unit`` (89.62 with ``%`` is 89.62 %), a text, or ``None`` when it cannot be computed.
    unit, n, low, high
        Unit, number of cases behind it, and its interval in the same unit.
    definition
        Id of the indicator's entry in the registry.
    source
        What it was computed from: a table's name and hash, or a document's id and span.
    digits
        Decimals to show; chosen by unit when ``None``.
    """

    name: str
    value: float | int | str | None
    unit: str | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    definition: str | None = None
    source: str | None = None
    digits: int | None = None

    @property
    def text(self) -> str:
        """Value and unit as a brief prints them: 89.62%, 3,214件, 无数据."""
        if self.value is None:
            return "无数据"
        return format_value(self.value, self.unit, self.digits)

    @property
    def interval(self) -> str:
        """The interval as a brief prints it; empty when there is none."""
        if self.low is None or self.high is None:
            return ""
        low, high = (format_value(bound, self.unit, self.digits) for bound in (self.low, self.high))
        return f"{low}–{high}"

    def _ipython_display_(self) -> None:
        """Nothing: it was shown when it was recorded, and a cell may end with the call."""


def format_value(value: Any, unit: str | None = None, digits: int | None = None) -> str:
    """A value as briefs print it: thousands separated, two decimals for rates, the unit attached."""
    value = scalar(value)
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return value
    number = f"{value:,.{decimals(value, unit, digits)}f}"
    if float(number.replace(",", "")) == 0:
        number = number.lstrip("-")
    return number.replace("-", "−") + (unit or "")


def p_text(value: float) -> str:
    """A p-value in words that follow 检验: ``p=0.034``, ``p<0.001``; never a zero, which no test gives."""
    return "p<0.001" if value < 0.001 else f"p={value:.3f}"


def decimals(value: float, unit: str | None = None, digits: int | None = None) -> int:
    """How many decimals a number prints with: those asked for, else none for whole numbers, two for rates, one."""
    if digits is not None:
        return digits
    return 0 if isinstance(value, int) else 2 if unit in ("%", "个百分点") else 1


def scalar(value: Any) -> Any:
    """A JSON-safe scalar: numpy and pandas scalars unwrapped, missing as None, dates as ISO text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if str(value) in ("<NA>", "NaT"):
        return None
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return "、".join(str(scalar(item)) for item in value)
    return value if isinstance(value, bool | int | str) else str(value)
