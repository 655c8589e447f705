"""What a sentence has read so far (已读的数): which earlier number a later one speaks of."""

from __future__ import annotations

import re

from .clauses import Frame
from .records import Statistic

_MEAN = re.compile(r"[日月年周人户]均")
MEMORY = 40  # records that a later number of the same sentence may refer to


class Memory:
    """The records of a document up to now, of which those from ``first`` on are of this sentence."""

    def __init__(self, text: str, start: int, records: list[Statistic], first: int) -> None:
        self.text, self.start, self.records, self.first = text, start, records, first

    def level_before(self, *, counts: bool = False) -> int | None:
        """The last level stated in this sentence (or the one before it), outside brackets first."""
        for i in range(len(self.records) - 1, max(self.first - 12, len(self.records) - MEMORY, -1), -1):
            record = self.records[i]
            if (
                not record.level
                or (counts and record.kind == "rate")
                or record.bracketed
                or record.note == "base"
                or (i > self.first and _MEAN.match(record.indicator))  # 受理2315个,日均331个,较上周减少112个
            ):
                continue
            if i < self.first and record.paragraph != self.paragraph():
                return None
            return i
        return None

    def paragraph(self) -> int:
        """Paragraph of the sentence before."""
        return self.records[self.first - 1].paragraph if self.first else 0

    def levels_before(self, size: int, *, counts: bool) -> list[int]:
        """The last ``size`` levels that a list of changes or shares speaks of, in order; a chain may count as one."""
        found = [
            i
            for i in range(max(0, self.first - 8, len(self.records) - MEMORY), len(self.records))
            if self.records[i].level
            and not self.records[i].bracketed
            and not (counts and self.records[i].kind == "rate")
        ]
        own = [i for i in found if i >= self.first]
        found = own if len(own) >= size else found
        slots = [i for i in found if i - 1 not in found or not self.chained(i)]
        cut = len(found) > size and self.chained(found[-size]) and found[-size] - 1 in found
        return (slots if len(slots) >= size and (counts or cut) else found)[-size:]

    def chained(self, i: int) -> bool:
        """Whether a record is the second number of a chain (2310批4876人次)."""
        return self.records[i].quantity.start == self.records[i - 1].quantity.end

    def matching(self, name: str) -> int | None:
        """The level that a label names again, in full or by its end (举报量), or whose unit it names (批次, 人次)."""
        stem = re.sub(r"(?:数量|总量|总数|件数|量|数)$", "", name)
        for i in range(len(self.records) - 1, max(-1, len(self.records) - 24), -1):
            record = self.records[i]
            if record.level and (
                record.quantity.unit in label_units(name)
                or (len(name) > 1 and record.indicator == name)
                or (1 < len(stem) < len(name) and record.indicator.endswith(stem) and i >= self.first - 8)
            ):
                return i
        return None

    def as_unit_label(self, name: str, reference: int | None) -> str | None:
        """批次 after 群众到市走访共110批1731人次 is 群众到市走访批次."""
        if reference is None or not label_units(name):
            return None
        stem = re.sub(r"\((?:批次|人次|件次|人|批)\)$", "", self.records[reference].indicator)
        return stem + name if stem and name not in stem else None

    def in_bracket(self, frame: Frame) -> int | None:
        """The level that opens the bracket which a number stands in: 餐饮服务(1203件,占12.5%)."""
        last = len(self.records) - 1
        if not frame.bracketed or last < self.first:
            return None
        record = self.records[last]
        open_still = ")" not in self.text[record.quantity.end : frame.quantity.start]
        return last if record.bracketed and record.level and open_still else None

    def number_before(self, frame: Frame) -> bool:
        """Whether a number stands right before the bracket that this one is in."""
        opening = self.text.rfind("(", max(self.start, frame.quantity.start - 60), frame.quantity.start)
        return any(r.quantity.end == opening for r in self.records[max(self.first, len(self.records) - 4) :])


def label_units(name: str) -> tuple[str, ...]:
    """The units that a label such as 批次 or 人数 stands for."""
    return {
        "批次": ("批", "批次"),
        "人次": ("人次", "人"),
        "件次": ("件次", "件"),
        "人数": ("人", "名"),
        "件数": ("件",),
        "批": ("批",),
        "起数": ("起",),
    }.get(name, ())
