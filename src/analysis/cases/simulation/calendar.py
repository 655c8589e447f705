"""Days of the simulation and how much comes in on each (日历与登记节奏)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import draw
from .draw import Plan


@dataclass(frozen=True)
class Calendar:
    """Days from the start of the warm-up to the window's end, and how much comes in on each."""

    start: np.datetime64
    end: np.datetime64
    days: np.ndarray
    working: np.ndarray
    intake: np.ndarray

    @classmethod
    def of(cls, plan: Plan) -> Calendar:
        """From the settings: working days of the official calendar, season, and the lull and rush of 春节."""
        from chinese_calendar import is_workday

        volume, start, end = (
            plan["volume"],
            draw.day(plan["window"]["start"]),
            draw.day(plan["window"]["end"]),
        )
        days = np.arange(start - plan["warm_up_days"], end + 1)
        working = np.array([is_workday(day) for day in days.astype(object)])
        weekday = (days.astype(int) + 3) % 7
        intake = draw.where(working, np.array([*volume["weekday"], 1.0, 1.0])[weekday], volume["idle_day"])
        intake *= np.array(volume["month"])[draw.month(days) % 12]
        before, after = volume["before_festival"], volume["after_festival"]
        for festival in volume["festivals"]:
            gap = (days - draw.day(festival)).astype(int)
            intake[(gap >= -before["days"]) & (gap < 0)] *= before["factor"]
            intake[(gap >= after["from"]) & (gap < after["from"] + after["days"])] *= after["factor"]
        for year, number in plan["matters_a_year"].items():
            within = draw.year(days) == year
            if within.any():
                length = 366 if year % 4 == 0 else 365
                intake[within] *= number / intake[within].sum() * within.sum() / length
        return cls(start, end, days, working, intake)

    @property
    def months(self) -> np.ndarray:
        """The calendar months of the window."""
        return np.arange(self.start.astype("M8[M]"), (self.end + 1).astype("M8[M]"))

    def next_working(self, day: np.ndarray) -> np.ndarray:
        """The day itself, or the first working day after it (the day itself past the table's end)."""
        place = np.arange(len(self.days))
        onward = np.minimum.accumulate(draw.where(self.working, place, len(place))[::-1])[::-1]
        table = draw.where(onward < len(place), self.days[np.minimum(onward, len(place) - 1)], self.days)
        index = (day - self.days[0]).astype(float)
        inside = (index >= 0) & (index < len(place))
        return draw.where(inside, table[draw.where(inside, index, 0).astype(int)], day)
