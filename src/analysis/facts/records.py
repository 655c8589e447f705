"""One record a number (统计记录): what the grammar hands on, before and after it becomes a row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from .numbers import Quantity

#: Columns of the table, in order; the contract of docs/contracts.md and a few more.
COLUMNS = [
    "doc_id",
    "source",
    "start",
    "end",
    "text",
    "indicator",
    "indicator_id",
    "value",
    "unit",
    "kind",
    "approx",
    "period",
    "period_start",
    "period_end",
    "region_code",
    "subject",
    "direction",
    "base",
    "target",
    "table",
    "group",
    "confidence",
    "system",
    "number_start",
    "number_end",
    "source_start",
    "source_end",
    "step",
    "exact",
    "share_of",
    "part_of",
    "note",
    "paragraph",
    "sentence",
]


@dataclass(slots=True)
class Statistic:
    """A number with what it measures.

    Attributes
    ----------
    quantity
        Value, unit, approximation, rounding step.
    start, end
        Offsets in the view of the words of the record, from what it measures to the number (or the noun after it).
    indicator
        What is measured, in the text's own words.
    kind
        count, rate, change, money, duration or area.
    period, period_start, period_end
        In the text's own words, and as days where they can be told.
    subject
        Body or place in the text's own words.
    direction, base
        Of a change: up or down; 同比, 环比, 比前三年平均数 …
    target
        A rule, goal or plan, not a result.
    group
        Number of the enumeration or sentence it stands in; members of one enumeration share it.
    share_of
        Of a share: the words for the whole.
    part_of
        Index in the same list of the record it breaks down (其中, bracket) or refers to (share, change).
    """

    quantity: Quantity
    start: int
    end: int
    indicator: str
    kind: str
    period: str | None = None
    period_start: dt.date | None = None
    period_end: dt.date | None = None
    subject: str | None = None
    direction: str | None = None
    base: str | None = None
    target: bool = False
    group: int = 0
    share_of: str | None = None
    part_of: int | None = None
    note: str | None = None
    bracketed: bool = False
    paragraph: int = 0
    sentence: int = 0
    confidence: float = 0.95
    share: bool = False

    @property
    def level(self) -> bool:
        """A level that a change or a share may refer to."""
        return self.kind != "change" and not self.share
