"""Reporting periods (报告期): months, quarters, half-years, years, and all of the data."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from .errors import RequestError

_FORM = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})|Q(?P<quarter>[1-4])|H(?P<half>[12]))?")
_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_ORDINAL = "一二三四"


@dataclass(frozen=True, order=True)
class Period:
    """A closed span of whole months: ``2024-03``, ``2024Q1``, ``2024H1`` or ``2024``.

    Attributes
    ----------
    year, first_month
        Where it starts.
    frequency
        ``month``, ``quarter``, ``half`` or ``year``.
    """

    year: int
    first_month: int
    frequency: str

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read a period as the command line and the report definitions write it.

        Raises
        ------
        RequestError
            The text is no period.
        """
        match = _FORM.fullmatch(str(text).strip())
        if match is None or not 1 <= int(match["month"] or 1) <= 12:
            raise RequestError(
                "报告期写法不对",
                value=text,
                hint="请写成 2024-03（月）、2024Q1（季）、2024H1（半年）或 2024（年）",
            )
        year = int(match["year"])
        if match["month"]:
            return cls(year, int(match["month"]), "month")
        if match["quarter"]:
            return cls(year, 3 * int(match["quarter"]) - 2, "quarter")
        if match["half"]:
            return cls(year, 6 * int(match["half"]) - 5, "half")
        return cls(year, 1, "year")

    @classmethod
    def containing(cls, day: dt.date, frequency: str) -> Period:
        """The period of that frequency in which the day falls."""
        length = _MONTHS[frequency]
        return cls(day.year, (day.month - 1) // length * length + 1, frequency)

    @property
    def start(self) -> dt.date:
        """First day."""
        return dt.date(self.year, self.first_month, 1)

    @property
    def end(self) -> dt.date:
        """Last day."""
        month = self.first_month + _MONTHS[self.frequency] - 1
        return dt.date(self.year, month, calendar.monthrange(self.year, month)[1])

    @property
    def label(self) -> str:
        """The Chinese name: 2024年3月, 2024年第一季度, 2024年上半年, 2024年."""
        if self.frequency == "month":
            return f"{self.year}年{self.first_month}月"
        if self.frequency == "quarter":
            return f"{self.year}年第{_ORDINAL[self.first_month // 3]}季度"
        if self.frequency == "half":
            return f"{self.year}年{'上' if self.first_month == 1 else '下'}半年"
        return f"{self.year}年"

    def shift(self, steps: int) -> Period:
        """The period that many steps of its own length later (earlier when negative)."""
        length = _MONTHS[self.frequency]
        months = self.year * 12 + self.first_month - 1 + steps * length
        return Period(months // 12, months % 12 + 1, self.frequency)

    @property
    def previous(self) -> Period:
        """The base of 环比."""
        return self.shift(-1)

    @property
    def last_year(self) -> Period:
        """The base of 同比."""
        return Period(self.year - 1, self.first_month, self.frequency)

    @property
    def year_to_date(self) -> tuple[dt.date, dt.date]:
        """First and last day of 本年累计: the year's first day up to this period's last."""
        return dt.date(self.year, 1, 1), self.end

    def months(self) -> list[Period]:
        """The calendar months in it."""
        return [Period(self.year, self.first_month + k, "month") for k in range(_MONTHS[self.frequency])]

    def __contains__(self, day: dt.date) -> bool:
        return self.start <= day <= self.end

    def __str__(self) -> str:
        if self.frequency == "month":
            return f"{self.year}-{self.first_month:02d}"
        if self.frequency == "quarter":
            return f"{self.year}Q{self.first_month // 3 + 1}"
        if self.frequency == "half":
            return f"{self.year}H{self.first_month // 6 + 1}"
        return str(self.year)
