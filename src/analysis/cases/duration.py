"""Time to an event (用时): curves, medians and restricted means from a histogram of days, never from rows.

The database counts days (group, day, event, n); Kaplan–Meier is fitted by lifelines with those counts as weights, the
same curve as from the rows. What is open at the as-of date is censored; what was withdrawn or transferred is a competing
event (Aalen–Johansen), not a censored one. Rows whose end lies before their start are in the rejects, not at day 0.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MethodError, RequestError
from . import margins as margin_tables
from .calendar import month_number
from .load import Cases, moment
from .names import firsts, numbered, same
from .registry import Indicator

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["indicator", "region", "group", "month", "day", "event", "n"]
OPEN, DONE, LEFT = 0, 1, 2
"""Events of a histogram: still open (censored), the event itself, a competing one."""


def histogram(
    tables: Cases,
    by: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
    *,
    start: Sequence[str] = ("registered_at",),
    stop: Sequence[str] = ("replied_at", "concluded_at"),
    leaves: Sequence[str] = ("withdrawn_at", "transferred_at"),
) -> pd.DataFrame:
    """Matters by whole days from start to event.

    Parameters
    ----------
    by
        A column of the matters to group by.
    start, stop, leaves
        Columns; of ``start`` and ``stop`` the first known one counts, of ``leaves`` the earliest.

    Returns
    -------
    DataFrame
        group, day (whole periods of 24 hours; of the calendar where ends have no time of day), event (0 open, 1 done,
        2 left), n. ``attrs["impossible"]`` counts the rows that end before they start; they are not in it.

    Raises
    ------
    RequestError
        The source has no such dates.
    """
    needed = [start[0], _first_there(tables, stop), *([by] if by else [])]
    reason = margin_tables.lack(tables, "matters", needed)
    if reason:
        raise RequestError(reason)
    frame = _counted(tables, moment(as_of, tables), by, start, stop, leaves)
    made = frame.astype({"group": object}).groupby(["group", "day", "event"], as_index=False)["n"].sum()
    possible = made["day"] >= 0
    result = made[possible].reset_index(drop=True)
    result.attrs["impossible"] = int(made.loc[~possible, "n"].sum())
    return result


def curve(table: pd.DataFrame, *, coverage: float = 0.95) -> pd.DataFrame:
    """The Kaplan–Meier curve of one histogram, competing events taken as ends of waiting.

    Returns
    -------
    DataFrame
        day, waiting (share still waiting after that day), low, high (log–log interval), at_risk, done, left.

    Raises
    ------
    MethodError
        The histogram is empty.
    """
    fitter = _fitted(table, coverage)
    events = _events(table)
    bounds = fitter.confidence_interval_
    made = events[["day", "at_risk", "done", "left"]].copy()
    made["waiting"] = fitter.survival_function_at_times(events["day"]).to_numpy()
    made["low"], made["high"] = (bounds[name].reindex(events["day"]).to_numpy() for name in bounds.columns)
    return made[["day", "waiting", "low", "high", "at_risk", "done", "left"]]


def median(table: pd.DataFrame, *, coverage: float = 0.95) -> tuple[float, float, float]:
    """Median days with its interval from the log–log band; infinite where the curve does not come down to one half."""
    from lifelines.utils import median_survival_times

    fitter = _fitted(table, coverage)
    low, high = median_survival_times(fitter.confidence_interval_).iloc[0]
    return float(fitter.median_survival_time_), float(low), float(high)


def incidence(table: pd.DataFrame) -> pd.DataFrame:
    """Aalen–Johansen cumulative incidence of the event and of leaving (竞争风险累积发生率).

    Returns
    -------
    DataFrame
        day, waiting, done, left (shares; they add to 1), and se_done by the delta method.
    """
    events = _events(table)
    risk, done, left = (events[name].to_numpy(float) for name in ("at_risk", "done", "left"))
    both = done + left
    waiting = np.cumprod(1 - both / risk)
    before = np.concatenate([[1.0], waiting[:-1]])
    share_done, share_left = np.cumsum(before * done / risk), np.cumsum(before * left / risk)
    return events[["day"]].assign(
        waiting=waiting,
        done=share_done,
        left=share_left,
        se_done=_incidence_se(share_done, before, risk, done, both),
    )


def rmst(table: pd.DataFrame, until: float, *, coverage: float = 0.95) -> tuple[float, float, float, float]:
    """Restricted mean time waiting (限定平均等待天数) up to a day.

    Returns
    -------
    tuple
        Mean, standard error (Greenwood's), and the bounds of the normal interval.
    """
    from scipy.special import ndtri

    events = _events(table)
    day, risk = events["day"].to_numpy(float), events["at_risk"].to_numpy(float)
    both = (events["done"] + events["left"]).to_numpy(float)
    waiting = np.cumprod(1 - both / risk)
    edges = np.concatenate([[0.0], np.minimum(day, until), [until]])
    steps = np.concatenate([[1.0], waiting])
    pieces = np.diff(edges) * steps
    total = float(pieces.sum())
    remaining = total - np.cumsum(pieces)[:-1]  # area under the curve from each event day on
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where((day < until) & (risk > both), remaining**2 * both / (risk * (risk - both)), 0.0)
    error = float(np.sqrt(terms.sum()))
    half = float(ndtri(0.5 + coverage / 2)) * error
    return total, error, total - half, total + half


def compare(table: pd.DataFrame) -> tuple[float, float]:
    """Log-rank test of the groups of a histogram: χ² and p.

    Plain log-rank: the weighted variants of lifelines ignore its ``weights``.

    Raises
    ------
    MethodError
        Fewer than two groups.
    """
    from lifelines.statistics import multivariate_logrank_test

    if table["group"].nunique() < 2:
        raise MethodError("只有一组，没有可比的", hint="请换一个分组")
    rows = table.reset_index(drop=True)  # lifelines looks weights up by position
    result = multivariate_logrank_test(rows["day"], rows["group"], rows["event"] == DONE, weights=rows["n"])
    return float(result.test_statistic), float(result.p_value)


def summary(table: pd.DataFrame, keys: Sequence[str] = ("group",), until: int = 60) -> pd.DataFrame:
    """Median, restricted mean and shares done by 15, 60 and 90 days, for many groups at once.

    The median is the first day by which half are done (Aalen–Johansen; Kaplan–Meier's median where nothing leaves).

    Returns
    -------
    DataFrame
        ``keys``, n, done, median (missing when not reached), rmst, within_15, within_60, within_90.
    """
    import pandas as pd

    names = list(keys)
    if not len(table):
        return pd.DataFrame(
            columns=[*names, "n", "done", "median", "rmst", "within_15", "within_60", "within_90"]
        )
    number, one = firsts(numbered(table, names))
    labels = table[names].take(one).reset_index(drop=True)
    days = table["day"].to_numpy(int)
    least, width = days.min(), np.ptp(days) + 1
    cells, cell = np.unique(number * width + days - least, return_inverse=True)
    group, day = cells // width, (cells % width + least).astype(float)
    counts = np.bincount(cell * 3 + table["event"].to_numpy(int), table["n"], len(cells) * 3).reshape(-1, 3)
    first = np.flatnonzero(np.diff(group, prepend=-1))  # groups are numbered and sorted
    size = np.add.reduceat(counts.sum(axis=1), first)
    place = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(group))))
    gone = counts.sum(axis=1).cumsum()
    gone_before = gone - counts.sum(axis=1) - (gone[first] - counts.sum(axis=1)[first])[place]
    risk = size[place] - gone_before
    stays = 1 - (counts[:, DONE] + counts[:, LEFT]) / risk
    # Multiplied and added up group by group: one running sum through all of them loses the last digits of the later ones.
    waiting = pd.Series(stays).groupby(place).cumprod().to_numpy()
    before = np.where(np.arange(len(group)) == first[place], 1.0, np.append(1.0, waiting[:-1]))
    done = pd.Series(before * counts[:, DONE] / risk).groupby(place).cumsum().to_numpy()
    frame = pd.DataFrame({"place": place, "day": day, "done": done})
    made = pd.DataFrame({"n": size, "done": np.add.reduceat(counts[:, DONE], first)})
    # The share done is rounded against the last bit, so that exactly one half counts as reached.
    made["median"] = frame[frame["done"] >= 0.5 - 1e-12].groupby("place")["day"].min()
    ends = np.append(np.where(place[1:] == place[:-1], day[1:], until), until)
    area = (np.minimum(ends, until) - np.minimum(day, until)) * waiting
    made["rmst"] = np.add.reduceat(area, first) + np.minimum(day[first], until)
    for limit in (15, 60, 90):
        made[f"within_{limit}"] = frame[frame["day"] <= limit].groupby("place")["done"].max()
    shares = [f"within_{limit}" for limit in (15, 60, 90)]
    made[shares] = made[shares].fillna(0.0)
    return pd.concat([labels, made], axis=1)


def histograms(
    tables: Cases, wanted: Sequence[margin_tables.Wanted], as_of: dt.datetime, by: str | None,
    lacking: dict[tuple[str, str], str],
) -> list[margin_tables.Task]:  # fmt: skip
    """The histograms by region, group and month of start, for the indicator table: one an indicator."""
    there: dict[str, Indicator] = {}
    for one, variant in wanted:
        start, stop = one.options["start"][0], _first_there(tables, one.options["stop"])
        reason = margin_tables.lack(tables, str(one.table), [start, stop, *([by] if by else [])])
        if reason:
            lacking[one.id, variant.id] = reason
        else:
            there[one.id] = one
    return [functools.partial(_histogram, tables, one, as_of, by) for one in there.values()]


def _histogram(tables: Cases, one: Indicator, as_of: dt.datetime, by: str | None) -> list[pd.DataFrame]:
    frame = _counted(tables, as_of, by, *(one.options[name] for name in ("start", "stop", "leaves")))
    frame = frame[frame["day"] >= 0]
    return [frame.assign(indicator=same(one.id, len(frame)))[COLUMNS]]


def _first_there(tables: Cases, columns: Sequence[str]) -> str:
    return next((name for name in columns if tables.has(f"matters.{name}")), columns[0])


def _counted(
    tables: Cases,
    now: dt.datetime,
    by: str | None,
    start: Sequence[str],
    stop: Sequence[str],
    leaves: Sequence[str],
) -> pd.DataFrame:
    """region, group, month, day, event, n."""
    bare = _bare(tables, start, (*stop, *leaves))
    frame = margin_tables.fetch(tables, query(tables, now, by, start, stop, leaves, bare), month=["month"])
    frame["n"] = frame["n"].astype(float)
    return frame


def _bare(tables: Cases, start: Sequence[str], ends: Sequence[str]) -> str | None:
    """Which ends may be bare days beside starts with a time of day: ``all`` of them, ``some``, or ``None``."""

    def timed(columns: Sequence[str]) -> bool:
        return any(tables.timed("matters", one) for one in columns if tables.has(f"matters.{one}"))

    if not timed(start):
        return None
    return "some" if timed(ends) else "all"


def query(
    tables: Cases,
    now: dt.datetime,
    by: str | None,
    start: Sequence[str],
    stop: Sequence[str],
    leaves: Sequence[str],
    bare: str | None = None,
) -> Any:
    """The histogram by region, group and month of start, as an ibis expression.

    An end that is a bare day lasts to its day's end. Where ``all`` are (see :func:`_bare`) the days are those of the
    calendar; where ``some`` may be, only an end on the day of its start is surely one.
    """
    import ibis

    table = margin_tables.snapshot(tables, "matters", now, columns=(*start, *stop, *leaves, by))
    began = _coalesced(table, start)
    done = _coalesced(table, stop)
    left = [table[name] for name in leaves if name in table.columns]
    gone = ibis.least(*left) if len(left) > 1 else left[0] if left else ibis.null("timestamp")
    event = ibis.cases(
        (done.notnull() & (gone.isnull() | (done <= gone)), DONE), (gone.notnull(), LEFT), else_=OPEN
    )
    end = ibis.cases((event == DONE, done), (event == LEFT, gone), else_=ibis.literal(now))
    days = (end.epoch_seconds() - began.epoch_seconds()) / 86400
    whole = days.floor()
    if bare is not None:
        whole = (end == (end if bare == "all" else began).truncate("D")).ifelse(days.ceil(), whole)
    return (
        table.filter(began.notnull())
        .group_by(
            **margin_tables.keys(table, "matters", by),
            month=month_number(began), day=whole.cast("int32"), event=event,
        )
        .aggregate(n=ibis._.count())
    )  # fmt: skip


def _coalesced(table: Any, columns: Sequence[str]) -> Any:
    import ibis

    have = [table[name] for name in columns if name in table.columns]
    return have[0] if len(have) == 1 else ibis.coalesce(*have)


def _fitted(table: pd.DataFrame, coverage: float) -> Any:
    from lifelines import KaplanMeierFitter

    if not len(table) or not table["n"].sum():
        raise MethodError("没有可用的起止日期，无法画出用时曲线", hint="请先运行 cases check")
    return KaplanMeierFitter(alpha=1 - coverage).fit(
        table["day"], event_observed=table["event"] != OPEN, weights=table["n"]
    )


def _events(table: pd.DataFrame) -> pd.DataFrame:
    """day, at_risk, done, left, censored by day."""
    wide = table.pivot_table(index="day", columns="event", values="n", aggfunc="sum", fill_value=0.0)
    wide = wide.reindex(columns=[OPEN, DONE, LEFT], fill_value=0.0).sort_index()
    wide.columns = ["censored", "done", "left"]
    total = wide.sum(axis=1)
    wide.insert(0, "at_risk", total.sum() - total.cumsum() + total)
    return wide.reset_index()


def _incidence_se(
    share: np.ndarray, before: np.ndarray, risk: np.ndarray, done: np.ndarray, both: np.ndarray
) -> np.ndarray:
    """Standard error of the cumulative incidence, by the delta method (Marubini and Valsecchi)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(risk > both, both / (risk * (risk - both)), 0.0)
    second = done * (risk - done) / risk**3
    cross = done / risk**2
    at = share[:, None] - share[None, :]
    past = np.tril(np.ones_like(at))
    variance = (past * (at**2 * first + before**2 * second - 2 * at * before * cross)).sum(axis=1)
    return np.sqrt(np.maximum(variance, 0))
