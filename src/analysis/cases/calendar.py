"""Working days and limit dates (工作日与期限): chinesecalendar's record of the State Council's notices, with overrides.

Past the last published year nobody knows the holidays yet; there Monday to Friday are taken as working and every
deadline that depends on it is *provisional* (暂定).
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import codebooks
from ..errors import CodebookError, RequestError

if TYPE_CHECKING:
    import pandas as pd

DAY_RULES = ("calendar", "calendar_roll_forward", "workdays")


@dataclass(frozen=True)
class Deadline:
    """A limit date (截止日).

    Attributes
    ----------
    day
        The last day in time.
    provisional
        True when the answer rests on days whose holidays are not published.
    """

    day: dt.date
    provisional: bool = False


def deadline(start: dt.date, days: int, rule: str = "calendar") -> Deadline:
    """The limit date of a clock; day 0 is the start date.

    Parameters
    ----------
    rule
        ``calendar``; ``calendar_roll_forward`` moves a limit that falls on a day off to the next working day;
        ``workdays`` counts working days only.
    """
    if rule not in DAY_RULES:
        raise RequestError("不认识的计日规则", value=rule, hint=f"可用：{'、'.join(DAY_RULES)}")
    day = start + dt.timedelta(days)
    if rule == "calendar":
        return Deadline(day)
    if rule == "calendar_roll_forward":
        while not working(day):
            day += dt.timedelta(1)
    else:
        day, left = start, days
        while left:
            day += dt.timedelta(1)
            left -= working(day)
    return Deadline(day, day > published_until())


def working(day: dt.date) -> bool:
    """Whether it is a working day."""
    import chinese_calendar

    override = overrides().get(day)
    if override is not None:
        return override
    if not dt.date(2004, 1, 1) <= day <= _chinesecalendar_until():
        return day.weekday() < 5
    return bool(chinese_calendar.is_workday(day))


@functools.lru_cache(maxsize=1)
def overrides() -> dict[dt.date, bool]:
    """The committed exceptions of ``working_days.csv``; each names its notice.

    Raises
    ------
    CodebookError
        A row without a notice, or a value other than 0 and 1.
    """
    file = codebooks.path("working_days.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    for number, row in enumerate(rows, start=1):
        if not row["notice"] or row["working"] not in ("0", "1"):
            raise CodebookError(
                "工作日表的每行要有 0 或 1 和通知文号", file=file, row=number, value=row["day"]
            )
    return {dt.date.fromisoformat(row["day"]): row["working"] == "1" for row in rows}


@functools.lru_cache(maxsize=1)
def published_until() -> dt.date:
    """The last day whose status rests on a published notice."""
    return max([_chinesecalendar_until(), *overrides()])


@functools.lru_cache(maxsize=1)
def _chinesecalendar_until() -> dt.date:
    from chinese_calendar.constants import holidays

    return dt.date(max(day.year for day in holidays), 12, 31)


@functools.lru_cache(maxsize=8)
def days(first: dt.date, last: dt.date) -> pd.DataFrame:
    """Every day of a span, for joins in the database.

    Returns
    -------
    pandas.DataFrame
        ``day``; ``working``; ``rolled``, the day itself or the next working day; ``ordinal``, the count of working
        days from ``first`` up to and including the day.
    """
    import pandas as pd
    from chinese_calendar.constants import holidays, workdays

    span = pd.date_range(first, last + dt.timedelta(30), freq="D")
    usual = (span.dayofweek < 5) & ~span.isin(pd.to_datetime([*holidays]))
    frame = pd.DataFrame({"day": span, "working": usual | span.isin(pd.to_datetime([*workdays]))})
    for day, works in overrides().items():
        frame.loc[span == pd.Timestamp(day), "working"] = works
    frame["rolled"] = frame["day"].where(frame["working"]).bfill()
    frame["ordinal"] = frame["working"].cumsum()
    return frame[frame["day"] <= pd.Timestamp(last)].reset_index(drop=True)


def month_number(when: Any) -> Any:
    """Months since the year 0 (ibis value): a whole number is cheaper to group by than a truncated timestamp."""
    return (when.year() * 12 + when.month() - 1).cast("int32")


def working_days_in(month: dt.date) -> int:
    """Working days of the month that holds the day."""
    first = month.replace(day=1)
    following = (first + dt.timedelta(32)).replace(day=1)
    return sum(working(first + dt.timedelta(k)) for k in range((following - first).days))
