"""Season and calendar (季节与日历): take out what every year brings before calling anything a signal.

Three things move a month's figure without anything having happened: the month of the year, the number of working days,
and the Spring Festival, which falls now in January and now in February. The first is found by STL (Cleveland et al.
1990), the others by robust regression on their departures from that calendar month's usual value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pandas as pd

from .. import codebooks
from ..errors import MethodError, RequestError
from ..periods import Period
from . import calendar

# STL windows in months: a season that hardly changes over so few years (a mean a calendar month: a line through three or
# four values would follow their noise), a trend that follows about a year and a half.
_SEASONAL, _TREND = 35, 19
_ROUNDS = 3


def adjust(frame: pd.DataFrame, *, log: bool | None = None) -> pd.DataFrame:
    """Take season, working days and Spring Festival out of one monthly series.

    Parameters
    ----------
    frame
        Columns ``period`` (``2024-03``) and ``value``, at least three years of consecutive months.
    log
        Effects in proportion (counts) instead of in points (rates); by default where every value is above 1.

    Returns
    -------
    DataFrame
        The input with ``working_days``, ``festival`` (share of the window that falls in the month), ``calendar`` and
        ``seasonal`` (effects in the unit of ``value``), ``trend``, ``adjusted`` (value without the two effects). On the
        log scale effects are differences made to the value.

    Raises
    ------
    RequestError
        A missing column.
    MethodError
        Fewer than three years, a gap, or a missing value.
    """
    for column in ("period", "value"):
        if column not in frame:
            raise RequestError(f"缺少列：{column}", hint="季节调整需要 period 和 value")
    ordered = frame.sort_values("period").reset_index(drop=True)
    months = [Period.parse(period) for period in ordered["period"]]
    _consecutive(months, ordered["value"])
    value = ordered["value"].to_numpy(float)
    multiplicative = bool((value > 1).all()) if log is None else log
    if multiplicative and (value <= 0).any():
        raise MethodError("有的月份为零，不能按比例调整", hint="请改用 log=False")
    y = np.log(value) if multiplicative else value
    facts = month_facts(months)
    effect, seasonal, trend = _decompose(y, facts, np.array([month.first_month for month in months]))
    back = np.exp if multiplicative else np.asarray
    adjusted = back(y - effect - seasonal)
    return ordered.assign(
        working_days=facts["working_days"],
        festival=facts["festival"],
        calendar=back(y) - back(y - effect),
        seasonal=back(y - effect) - adjusted,
        trend=back(trend),
        adjusted=adjusted,
    )


def month_facts(months: Iterable[Period]) -> pd.DataFrame:
    """What the calendar says of each month: ``period``, ``working_days``, ``festival`` (share of the window inside)."""
    chosen = list(months)
    first, last = min(month.start for month in chosen), max(month.end for month in chosen)
    days = calendar.days(first, last)
    keys = pd.to_datetime(days["day"]).dt.strftime("%Y-%m")
    working = days["working"].groupby(keys).sum()
    return pd.DataFrame(
        {
            "period": [str(month) for month in chosen],
            "working_days": [int(working[str(month)]) for month in chosen],
            "festival": [_festival(month) for month in chosen],
        }
    )


def _festival(month: Period) -> float:
    book = codebooks.load("season")
    before, after = book["window"]["before"], book["window"]["after"]
    inside = 0
    for new_year in book["spring_festival"]:
        start, end = new_year - dt.timedelta(before), new_year + dt.timedelta(after - 1)
        inside += max(0, (min(end, month.end) - max(start, month.start)).days + 1)
    return inside / (before + after)


def _consecutive(months: list[Period], value: pd.Series) -> None:
    least = codebooks.load("season")["minimum_months"]
    if len(months) < least:
        raise MethodError(
            f"季节调整至少需要 {least} 个月", value=len(months), hint="数据不足时请直接看同月比较"
        )
    if any(month.frequency != "month" for month in months):
        raise MethodError("季节调整只用于月度序列")
    for earlier, later in zip(months, months[1:], strict=False):
        if earlier.shift(1) != later:
            raise MethodError("序列中缺月", value=str(earlier.shift(1)), hint="请补上该月，或从缺月之后开始")
    if value.isna().any():
        raise MethodError("序列中有缺失的月份值", value=str(months[int(value.isna().argmax())]))


def _decompose(
    y: np.ndarray, facts: pd.DataFrame, month: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import statsmodels.api as sm
    from statsmodels.tsa.seasonal import STL

    # Departures from the calendar month's own average: what the fixed season cannot take up.
    regressors = facts[["working_days", "festival"]].groupby(month).transform(lambda part: part - part.mean())
    design = regressors.to_numpy(float)
    design = design[:, np.abs(design).max(axis=0) > 0]
    effect = np.zeros_like(y)
    fit = None
    for _ in range(_ROUNDS):
        fit = STL(y - effect, period=12, seasonal=_SEASONAL, trend=_TREND, seasonal_deg=0, robust=True).fit()
        if design.shape[1] == 0:
            break
        leftover = y - fit.seasonal - fit.trend
        effect = design @ sm.RLM(leftover, design).fit().params
    assert fit is not None
    return effect, np.asarray(fit.seasonal), np.asarray(fit.trend)
