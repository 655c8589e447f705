"""Integrity checks (数据真实性核查): signs that the clock is worked to rather than the case, beside the figure they touch.

Descriptive: they say where to look, not who did what. Each works on a small table, so on any source; :func:`checks` draws
the tables from loaded cases.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .. import codebooks
from ..errors import MethodError, RequestError
from . import calendar
from .funnel import funnel

if TYPE_CHECKING:
    from .load import Cases

COLUMNS = [
    "check",
    "name",
    "touches",
    "body",
    "at",
    "n",
    "observed",
    "expected",
    "ratio",
    "p",
    "flag",
    "note",
]


def heaping(histogram: pd.DataFrame) -> pd.DataFrame:
    """Are closings bunched just before a limit? (聚集检验)

    The days before each limit are compared with a smooth count drawn from the days around, weekday pattern and all (a
    quasi-Poisson fit that leaves out the heap and as many days after it, from which the heap may have been moved).

    Parameters
    ----------
    histogram
        Columns ``day`` (whole days from acceptance to closing) and ``n``; absent days count 0.

    Returns
    -------
    DataFrame
        One row a limit within the data: ``at``, ``n`` (cases within the margin), ``observed``, ``expected``, ``ratio``, ``p``
        (one-sided), ``flag``, ``note`` where there are too few cases to tell.
    """
    import statsmodels.api as sm
    from scipy.stats import norm

    _need(histogram, ["day", "n"])
    rule = codebooks.load("integrity")["heaping"]
    counts = histogram.groupby("day")["n"].sum()
    rows = []
    for limit in rule["limits"]:
        days = np.arange(max(0, limit - rule["margin"]), limit + rule["margin"] + 1)
        around = counts.reindex(days, fill_value=0).to_numpy(float)
        heap = (days >= limit - rule["before"]) & (days <= limit)
        left_out = heap | ((days > limit) & (days <= limit + rule["before"] + 1))
        row: dict[str, Any] = {"at": limit, "n": float(around.sum()), "observed": float(around[heap].sum())}
        if around[~left_out].sum() < 10 * _TERMS or counts.index.max() < limit:
            rows.append(row | {"flag": False, "note": "件数过少，不作检验"})
            continue
        design = _smooth(days, limit)
        model = sm.GLM(around[~left_out], design[~left_out], family=sm.families.Poisson())
        fit = model.fit(scale="X2")
        mean = fit.predict(design[heap])
        # Uncertainty of the smooth count, and of counting, both widened by the dispersion found around.
        scale = max(float(fit.scale), 1.0)
        gradient = (design[heap] * mean[:, None]).sum(axis=0)
        spread = np.sqrt(float(gradient @ fit.cov_params() @ gradient) + scale * mean.sum())
        p = float(norm.sf((row["observed"] - mean.sum()) / spread))
        ratio = row["observed"] / float(mean.sum())
        row |= {"expected": float(mean.sum()), "ratio": ratio, "p": p}
        rows.append(row | {"flag": p < rule["probability"] and ratio > rule["ratio"], "note": None})
    return pd.DataFrame(rows, columns=["at", "n", "observed", "expected", "ratio", "p", "flag", "note"])


_TERMS = 9  # level, slope, curvature and six weekdays


def _smooth(days: np.ndarray, limit: int) -> np.ndarray:
    x = (days - limit) / 28.0
    weekday = np.column_stack([(days % 7 == k).astype(float) for k in range(6)])
    return np.column_stack([np.ones_like(x), x, x**2, weekday])


def reregistration(daily: pd.DataFrame) -> pd.DataFrame:
    """Are matters registered anew right after like ones were concluded? (办结后即重新登记)

    Within each group (a place and a narrow topic) conclusions are paired with registrations in the days that follow, and
    the pairs compared with those at the same weekdays one to three weeks later, when nothing should tie them.

    Parameters
    ----------
    daily
        Columns ``group``, ``date``, ``concluded``, ``registered`` (counts of the day; days without either may be absent).

    Returns
    -------
    DataFrame
        One row: ``n`` (conclusions), ``observed`` and ``expected`` pairs, ``ratio``, ``p`` (one-sided), ``flag``.
    """
    from scipy.stats import binom

    _need(daily, ["group", "date", "concluded", "registered"])
    rule = codebooks.load("integrity")["reregistration"]
    frame = daily.assign(date=pd.to_datetime(daily["date"]))
    closed = frame.loc[frame["concluded"] > 0, ["group", "date", "concluded"]]
    opened = frame.loc[frame["registered"] > 0, ["group", "date", "registered"]]
    # Conclusions near the end have no later weeks to be compared with.
    last = frame["date"].max() - pd.Timedelta(days=7 * max(rule["weeks"]) + rule["within"])
    closed = closed[closed["date"] <= last]
    conclusions = float(closed["concluded"].sum())

    def pairs(shift: int) -> float:
        total = 0.0
        for lag in range(1, rule["within"] + 1):
            moved = closed.assign(date=closed["date"] + pd.Timedelta(days=lag + shift))
            both = moved.merge(opened, on=["group", "date"])
            total += float((both["concluded"] * both["registered"]).sum())
        return total

    observed = pairs(0)
    later = [pairs(7 * week) for week in rule["weeks"]]
    expected = float(np.mean(later))
    # The comparison itself is counted, so its noise goes in: a binomial split between the first and the later weeks.
    total = observed + sum(later)
    p = float(binom.sf(observed - 1, round(total), 1 / (1 + len(later)))) if total else 1.0
    ratio = observed / expected if expected else float("nan")
    return pd.DataFrame(
        [
            {
                "n": conclusions,
                "observed": observed,
                "expected": expected,
                "ratio": ratio,
                "p": p,
                "flag": bool(p < rule["probability"] and observed - expected > rule["share"] * conclusions),
                "note": None if total >= 20 else "件数过少，不作检验",
            }
        ]
    )


def batching(daily: pd.DataFrame) -> pd.DataFrame:
    """Are closings held for, or pushed into, the end of the month? (月末集中办结)

    Parameters
    ----------
    daily
        Columns ``date`` and ``n`` (closings of the day), whole months.

    Returns
    -------
    DataFrame
        One row: ``observed`` closings on the last working days of months, ``expected`` from those days' share of all
        working days, ``ratio``, ``p`` (one-sided, over months as the unit, so that busy months do not count as many), ``flag``.
    """
    from scipy.stats import ttest_1samp

    _need(daily, ["date", "n"])
    rule = codebooks.load("integrity")["batching"]
    frame = daily.assign(date=pd.to_datetime(daily["date"]))
    first, last = frame["date"].min(), frame["date"].max()
    days = calendar.days(first.to_period("M").start_time.date(), last.to_period("M").end_time.date()).assign(
        date=lambda table: pd.to_datetime(table["day"])
    )
    working = days[days["working"].astype(bool)].copy()
    working["month"] = working["date"].dt.to_period("M")
    working["from_end"] = working.groupby("month").cumcount(ascending=False)
    merged = working.merge(frame[["date", "n"]], on="date", how="left").fillna({"n": 0})
    late = merged["from_end"] < rule["last_working_days"]
    months = (
        merged.assign(late=merged["n"].where(late, 0), share=late.astype(float))
        .groupby("month")
        .agg(n=("n", "sum"), late=("late", "sum"), share=("share", "mean"))
    )
    months = months[months["n"] > 0]
    if months.empty:
        raise MethodError("期间内没有办结", hint="请检查所选期间")
    excess = months["late"] / months["n"] - months["share"]
    observed, expected = float(months["late"].sum()), float((months["n"] * months["share"]).sum())
    enough = len(months) >= 6
    p = (
        float(ttest_1samp(excess, 0, alternative="greater").pvalue)
        if enough and excess.std() > 0
        else float("nan")
    )
    ratio = observed / expected
    return pd.DataFrame(
        [
            {
                "n": float(months["n"].sum()),
                "observed": observed,
                "expected": expected,
                "ratio": ratio,
                "p": p,
                "flag": bool(enough and p < rule["probability"] and ratio > rule["ratio"]),
                "note": None if enough else "不足六个月，不作检验",
            }
        ]
    )


def shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Bodies whose share of a doubtful practice (extension, reopening) stands out from the others.

    Parameters
    ----------
    frame
        Columns ``body``, ``numerator``, ``denominator``.

    Returns
    -------
    DataFrame
        One row a body: ``n``, ``observed`` and ``expected`` counts, ``ratio``, ``p``, ``flag`` above the outer funnel limit.
    """
    fit = funnel(frame)
    table = fit.table
    expected = fit.target * table["denominator"]
    return pd.DataFrame(
        {
            "body": table["body"],
            "n": table["denominator"],
            "observed": table["numerator"],
            "expected": expected,
            "ratio": table["numerator"] / expected.where(expected > 0),
            "p": table["p"],
            "flag": table["position"].eq("above_outer"),
            "note": fit.note,
        }
    )


def response(frame: pd.DataFrame) -> pd.DataFrame:
    """Satisfaction with its response rate, and what the silent could make of it (参评率与满意率的上下界).

    Parameters
    ----------
    frame
        Columns ``body``, ``satisfied``, ``rated``, ``concluded`` (all that could have been rated).

    Returns
    -------
    DataFrame
        ``body``, ``n``, ``response`` (rated ÷ concluded), ``satisfied_of_rated``, ``satisfied_of_all`` (also the lower bound:
        every silent one dissatisfied), ``upper`` (every silent one satisfied), ``flag`` where the response is low, ``note``.

    Raises
    ------
    MethodError
        More rated than concluded, or more satisfied than rated.
    """
    _need(frame, ["body", "satisfied", "rated", "concluded"])
    wrong = frame[(frame["rated"] > frame["concluded"]) | (frame["satisfied"] > frame["rated"])]
    if len(wrong):
        raise MethodError("评价件数互相矛盾", value=wrong["body"].iloc[0], hint="应有 满意 ≤ 已评价 ≤ 应评价")
    least = codebooks.load("integrity")["response"]["least"]
    rated, everyone = frame["rated"], frame["concluded"].where(frame["concluded"] > 0)
    silent = frame["concluded"] - rated
    rate = rated / everyone
    return pd.DataFrame(
        {
            "body": frame["body"],
            "n": frame["concluded"],
            "response": rate,
            "satisfied_of_rated": frame["satisfied"] / rated.where(rated > 0),
            "satisfied_of_all": frame["satisfied"] / everyone,
            "upper": (frame["satisfied"] + silent) / everyone,
            "flag": rate < least,
            "note": [
                f"参评率低于 {least:.0%}，满意率受未评价者左右" if low else None for low in rate < least
            ],
        }
    )


def checks(
    tables: Cases,
    start: dt.date | None = None,
    end: dt.date | None = None,
    *,
    region: str | None = None,
) -> pd.DataFrame:
    """All checks that the source has columns for.

    Parameters
    ----------
    start, end
        First and last day of closing (or of rating) that is looked at; all without them.
    region
        A region code: its counties are taken together where a check is not by body.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`; ``touches`` names the indicators that the check stands beside. A check without its columns
        has one row with the reason in ``note``.
    """
    book = codebooks.load("integrity")["checks"]
    made = []
    for check, words in book.items():
        table = _DRAWN[check](tables, start, end, region)
        if isinstance(table, str):
            table = pd.DataFrame([{"flag": False, "note": table}])
        made.append(table.assign(check=check, name=words["name"], touches="、".join(words["touches"])))
    frame = pd.concat([table.dropna(axis=1, how="all") for table in made], ignore_index=True)
    return frame.reindex(columns=COLUMNS)


def _matters(tables: Cases, needs: list[str], when: str, start: Any, end: Any, region: str | None) -> Any:
    """The matters of a period and region as an ibis table, or the reason why not."""
    lacking = [column for column in needs if not tables.has(f"matters.{column}")]
    if lacking:
        return f"无数据来源：事项表没有 {'、'.join(lacking)}"
    table = tables.matters
    table = table.filter(table[when].notnull())
    if start is not None:
        table = table.filter(table[when] >= dt.datetime.combine(start, dt.time.min))
    if end is not None:
        table = table.filter(table[when] < dt.datetime.combine(end, dt.time.min) + dt.timedelta(days=1))
    if region is not None:
        from .. import regions as region_tables

        level = region_tables.load().get(region).level
        prefix = {"省": region[:2], "市": region[:4], "县": region}[level]
        table = table.filter(table.locality_code.startswith(prefix))
    return table


def _heaping(tables: Cases, start: Any, end: Any, region: str | None) -> Any:
    table = _matters(tables, ["accepted_at", "concluded_at", "path"], "concluded_at", start, end, region)
    if isinstance(table, str):
        return table
    bound = table.filter((table.path == "6") & table.accepted_at.notnull())
    day = bound.concluded_at.date().epoch_days() - bound.accepted_at.date().epoch_days()
    histogram = bound.group_by(day=day).aggregate(n=bound.count()).execute()
    return heaping(histogram[histogram["day"] >= 0])


def _reregistration(tables: Cases, start: Any, end: Any, region: str | None) -> Any:
    needs = ["registered_at", "concluded_at", "locality_code", "topic_3"]
    closed = _matters(tables, needs, "concluded_at", start, end, region)
    if isinstance(closed, str):
        return closed
    opened = _matters(tables, needs, "registered_at", start, end, region)
    frames = [
        table.group_by(group=table.locality_code + "/" + table.topic_3, date=table[when].date())
        .aggregate(**{name: table.count()})
        .execute()
        for table, when, name in (
            (closed, "concluded_at", "concluded"),
            (opened, "registered_at", "registered"),
        )
    ]
    daily = (
        frames[0]
        .merge(frames[1], on=["group", "date"], how="outer")
        .fillna({"concluded": 0, "registered": 0})
    )
    return reregistration(daily.dropna(subset=["group"]))


def _reopening(tables: Cases, start: Any, end: Any, region: str | None) -> Any:
    import ibis

    table = _matters(tables, ["concluded_at", "locality_code"], "concluded_at", start, end, region)
    if isinstance(table, str):
        return table
    if not (tables.has("petitions.matter_id") and tables.has("petitions.registered_at")):
        return "无数据来源：没有信访件表"
    within = codebooks.load("integrity")["reopening"]["within"]
    pieces = tables.petitions
    table = table.select("matter_id", "concluded_at", "locality_code")
    both = table.join(pieces.select("matter_id", again=pieces.registered_at), "matter_id")
    back = both.filter(
        (both.again > both.concluded_at) & (both.again <= both.concluded_at + ibis.interval(days=within))
    )
    reopened = back.select("matter_id").distinct().mutate(back=True)
    joined = table.left_join(reopened, "matter_id")
    frame = (
        joined.group_by(body=joined.locality_code)
        .aggregate(numerator=joined.count(where=joined.back.notnull()), denominator=joined.count())
        .execute()
    )
    return shares(frame.dropna(subset=["body"]).sort_values("body").reset_index(drop=True))


def _batching(tables: Cases, start: Any, end: Any, region: str | None) -> Any:
    table = _matters(tables, ["concluded_at"], "concluded_at", start, end, region)
    if isinstance(table, str):
        return table
    return batching(table.group_by(date=table.concluded_at.date()).aggregate(n=table.count()).execute())


def _extension(tables: Cases, start: Any, end: Any, region: str | None) -> Any:
    needs = ["concluded_at", "extended_days", "path", "locality_code"]
    table = _matters(tables, needs, "concluded_at", start, end, region)
    if isinstance(table, str):
        return table
    table = table.filter(table.path == "6")
    frame = (
        table.group_by(body=table.locality_code)
        .aggregate(numerator=table.count(where=table.extended_days > 0), denominator=table.count())
        .execute()
    )
    return shares(frame.dropna(subset=["body"]).sort_values("body").reset_index(drop=True))


def _response(tables: Cases, start: Any, end: Any, region: str | None) -> Any:
    needs = ["concluded_at", "unit_rating_state", "unit_rating_grade", "locality_code"]
    table = _matters(tables, needs, "concluded_at", start, end, region)
    if isinstance(table, str):
        return table
    table = table.filter(table.unit_rating_state.notnull() & (table.unit_rating_state != "待评价"))
    rated = table.unit_rating_state == "已评价"
    good = table.unit_rating_grade.isin(["满意", "基本满意"])
    frame = (
        table.group_by(body=table.locality_code)
        .aggregate(
            satisfied=table.count(where=rated & good), rated=table.count(where=rated), concluded=table.count()
        )
        .execute()
    )
    frame = frame.dropna(subset=["body"]).sort_values("body").reset_index(drop=True)
    table = response(frame)
    return table.assign(observed=frame["rated"], ratio=table["response"])


_DRAWN = {
    "heaping": _heaping,
    "reregistration": _reregistration,
    "reopening": _reopening,
    "batching": _batching,
    "extension": _extension,
    "response": _response,
}


def _need(frame: pd.DataFrame, columns: list[str]) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="请见函数说明中的列名")
