"""Integrity checks (数据真实性核查): signs that the clock is worked to rather than the case, beside the figure they touch.

Descriptive: they say where to look, not who did what. Each works on a small table, so on any source; :func:`checks` draws
the tables from loaded cases, by way of one margin (:func:`margin`) that prepared data hold too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .. import codebooks
from ..errors import MethodError, RequestError
from ..periods import Period
from . import calendar
from . import margins as margin_tables
from .funnel import funnel
from .load import moment
from .places import Places

if TYPE_CHECKING:
    from .load import Cases

COLUMNS = [
    "check", "name", "touches", "body", "at", "n", "observed", "expected", "ratio", "p", "flag", "note",
]  # fmt: skip
MARGIN = ["region", "month", "measure", "at", "n"]
FEW, NOTHING = "件数过少，不作检验", "期间内没有办结"


def heaping(histogram: pd.DataFrame) -> pd.DataFrame:
    """Are closings bunched just before a limit? (聚集检验)

    The days before each limit are compared with a smooth count drawn from the days around, weekday pattern and all (a
    quasi-Poisson fit that leaves out the heap and as many days after it, from which the heap may have been moved). Of few
    cases, such as a county's, with an even count and the most that weekdays could do.

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
    _need(histogram, ["day", "n"])
    rule = codebooks.load("integrity")["heaping"]
    counts = histogram.groupby("day")["n"].sum()
    rows = []
    for limit in rule["limits"]:
        days = np.arange(max(0, limit - rule["margin"]), limit + rule["margin"] + 1)
        around = counts.reindex(days, fill_value=0).to_numpy(float)
        heap = (days >= limit - rule["before"]) & (days <= limit)
        kept = ~heap & ~((days > limit) & (days <= limit + rule["before"] + 1))
        row: dict[str, Any] = {"at": limit, "n": float(around.sum()), "observed": float(around[heap].sum())}
        if around.sum() < rule["least"] or counts.index.max() < limit:
            rows.append(row | {"flag": False, "note": FEW})
            continue
        if around[kept].sum() < 10 * _TERMS:
            expected, p = _even(around, heap, kept, rule["weekdays"])
        else:
            expected, p = _fitted(around, days, heap, kept, limit)
        ratio = row["observed"] / expected
        row |= {"expected": expected, "ratio": ratio, "p": p}
        rows.append(row | {"flag": p < rule["probability"] and ratio > rule["ratio"], "note": None})
    return pd.DataFrame(rows, columns=["at", "n", "observed", "expected", "ratio", "p", "flag", "note"])


def _even(around: np.ndarray, heap: np.ndarray, kept: np.ndarray, weekdays: float) -> tuple[float, float]:
    """Expected and p where cases are too few for a curve: all days alike, the heap's given the most that weekdays can do."""
    from scipy.stats import binom

    share = weekdays * heap.sum() / (weekdays * heap.sum() + kept.sum())
    total = around[heap].sum() + around[kept].sum()
    p = float(binom.sf(around[heap].sum() - 1, total, share))
    # At least half a case a span, so that nothing around does not make the ratio infinite.
    return weekdays * heap.sum() * max(around[kept].sum(), 0.5) / kept.sum(), p


def _fitted(
    around: np.ndarray, days: np.ndarray, heap: np.ndarray, kept: np.ndarray, limit: int
) -> tuple[float, float]:
    """Expected and p from the smooth count around."""
    # Not statsmodels.api, which loads a second's worth of what is not used here.
    from scipy.stats import norm
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    design = _smooth(days, limit)
    fit = GLM(around[kept], design[kept], family=Poisson()).fit(scale="X2")
    mean = fit.predict(design[heap])
    # Uncertainty of the smooth count, and of counting, both widened by the dispersion found around.
    scale = max(float(fit.scale), 1.0)
    gradient = (design[heap] * mean[:, None]).sum(axis=0)
    spread = np.sqrt(float(gradient @ fit.cov_params() @ gradient) + scale * mean.sum())
    return float(mean.sum()), float(norm.sf((around[heap].sum() - mean.sum()) / spread))


_TERMS = 9  # level, slope, curvature and six weekdays


def _smooth(days: np.ndarray, limit: int) -> np.ndarray:
    x = (days - limit) / 28.0
    weekday = np.column_stack([(days % 7 == k).astype(float) for k in range(6)])
    return np.column_stack([np.ones_like(x), x, x**2, weekday])


def reregistration(concluded: float, observed: float, later: Sequence[float]) -> pd.DataFrame:
    """Are matters registered anew right after like ones were concluded? (办结后即重新登记)

    Within each place and narrow topic a conclusion is paired with each registration in the days that follow, and these
    pairs are compared with those at the same weekdays one to three weeks later, when nothing should tie them.

    Parameters
    ----------
    concluded
        Conclusions.
    observed
        Their pairs in the days that follow.
    later
        Their pairs one, two … weeks later.

    Returns
    -------
    DataFrame
        One row: ``n`` (conclusions), ``observed`` and ``expected`` pairs, ``ratio``, ``p`` (one-sided), ``flag``.
    """
    from scipy.stats import binom

    rule = codebooks.load("integrity")["reregistration"]
    expected = float(np.mean(later))
    # The comparison itself is counted, so its noise goes in: a binomial split between the first and the later weeks.
    total = observed + sum(later)
    p = float(binom.sf(observed - 1, round(total), 1 / (1 + len(later)))) if total else 1.0
    return pd.DataFrame(
        [
            {
                "n": concluded,
                "observed": observed,
                "expected": expected,
                "ratio": observed / expected if expected else float("nan"),
                "p": p,
                "flag": bool(p < rule["probability"] and observed - expected > rule["share"] * concluded),
                "note": None if total >= 20 else FEW,
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
        raise MethodError(NOTHING, hint="请检查所选期间")
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
    among: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
) -> pd.DataFrame:
    """All checks that the source has columns for.

    Parameters
    ----------
    start, end
        First and last day of the months of conclusion that are looked at; all without them. Month-end batching looks at
        least at the twelve that end with the last.
    region
        A region code: its counties are taken together where a check is not by body.
    among
        The region whose counties a county is held against where a check is by body; ``region`` itself without it.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`; ``touches`` names the indicators that the check stands beside. A check without its columns,
        or with nothing to look at, has one row with the reason in ``note``.
    """
    counts = _margin(tables, moment(as_of, tables))
    made = []
    for check, words in codebooks.load("integrity")["checks"].items():
        needs, _, judge = _CHECKS[check]
        lacking = _lacking(tables, needs)
        if lacking is None:
            of = (among or region) if judge in _BY_BODY else region
            table = judge(_chosen(counts, start, end, of, check))
            if among is not None and judge in _BY_BODY:
                table = table[table["body"] == region]
        if lacking is not None or table.empty:
            table = pd.DataFrame([{"flag": False, "note": lacking or NOTHING}])
        made.append(table.assign(check=check, name=words["name"], touches="、".join(words["touches"])))
    frame = pd.concat([table.dropna(axis=1, how="all") for table in made], ignore_index=True)
    return frame.reindex(columns=COLUMNS)


# ---- what is counted, month by month ---------------------------------------------------------------------------------


def margin(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    """What every check is judged from, by region and month of conclusion: region, month, measure, at, n.

    ``days`` at whole days from acceptance to conclusion (path 6, up to the last that a limit needs); ``closings`` at the day
    of the month; ``pairs`` at 0 (registrations right after) and so many weeks later, of ``paired`` conclusions;
    ``reopened`` of ``concluded``; ``extended`` of ``bound``; ``satisfied`` and ``rated`` of ``rateable``.
    """
    frames = [count(tables, as_of) for needs, count, _ in _CHECKS.values() if _lacking(tables, needs) is None]
    if not frames:
        return pd.DataFrame(columns=MARGIN)
    frame = margin_tables.named(pd.concat(frames, ignore_index=True))[MARGIN]
    frame = frame.astype({"measure": object, "at": "int64", "n": "float64"})
    return frame.sort_values(MARGIN[:4], kind="stable", ignore_index=True)


def _margin(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    ready = tables.summed(as_of) if tables.has("matters.concluded_at") else None
    return tables.once(
        ("integrity", as_of), lambda: margin(tables, as_of) if ready is None else ready.beside("integrity")
    )


def _lacking(tables: Cases, needs: Sequence[str]) -> str | None:
    lacking = [name for name in needs if not tables.has(name)]
    return f"无数据来源：没有 {'、'.join(lacking)}" if lacking else None


def _concluded(tables: Cases, as_of: dt.datetime, *columns: str) -> Any:
    """Concluded matters as known, with ``region`` and ``month`` of conclusion."""
    rows = margin_tables.snapshot(tables, "matters", as_of, columns=("concluded_at", *columns))
    rows = rows.filter(rows.concluded_at.notnull())
    return rows.mutate(region=margin_tables.place(rows, "matters"), month=rows.concluded_at.truncate("M"))


def _summed(rows: Any, **measures: Any) -> pd.DataFrame:
    """Sums of conditions, each a measure."""
    wide = rows.group_by("region", "month").aggregate(**measures).execute()
    return wide.melt(["region", "month"], var_name="measure", value_name="n").assign(at=0)


def _count_days(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    rule = codebooks.load("integrity")["heaping"]
    rows = _concluded(tables, as_of, "accepted_at", "path")
    rows = rows.filter((rows.path == "6") & rows.accepted_at.notnull())
    rows = rows.mutate(at=rows.concluded_at.date().epoch_days() - rows.accepted_at.date().epoch_days())
    rows = rows.filter(rows["at"].between(0, max(rule["limits"]) + rule["margin"]))
    return rows.group_by("region", "month", "at").aggregate(n=rows.count()).execute().assign(measure="days")


def _count_closings(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    rows = _concluded(tables, as_of)
    rows = rows.mutate(at=rows.concluded_at.day())
    return (
        rows.group_by("region", "month", "at").aggregate(n=rows.count()).execute().assign(measure="closings")
    )


def _count_pairs(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    import ibis

    rule = codebooks.load("integrity")["reregistration"]
    weeks, within = [0, *rule["weeks"]], rule["within"]
    rows = margin_tables.snapshot(
        tables, "matters", as_of, columns=("registered_at", "concluded_at", "topic_3")
    )
    rows = rows.mutate(region=margin_tables.place(rows, "matters")).filter(rows.topic_3.notnull())
    opened = rows.filter(rows.registered_at.notnull())
    opened = opened.mutate(day=opened.registered_at.date().epoch_days())
    opened = opened.group_by("region", "topic_3", "day").aggregate(registered=opened.count())
    # Conclusions near the end have no later weeks to be compared with.
    closed = rows.filter(rows.concluded_at <= as_of - dt.timedelta(days=7 * max(weeks) + within))
    closed = closed.mutate(
        month=closed.concluded_at.truncate("M"), day=closed.concluded_at.date().epoch_days()
    )
    closed = closed.group_by("region", "topic_3", "month", "day").aggregate(concluded=closed.count())
    later = closed.mutate(
        shift=ibis.array([7 * week + lag for week in weeks for lag in range(1, within + 1)]).unnest()
    )
    later = later.mutate(day=later.day + later["shift"], at=later["shift"] // 7)
    both = later.join(opened, ["region", "topic_3", "day"])
    pairs = both.group_by("region", "month", "at").aggregate(n=(both.concluded * both.registered).sum())
    made = [pairs.execute().assign(measure="pairs"), _summed(closed, paired=closed.concluded.sum())]
    return pd.concat(made, ignore_index=True)


def _count_reopened(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    import ibis

    within = codebooks.load("integrity")["reopening"]["within"]
    rows = _concluded(tables, as_of, "matter_id")
    pieces = margin_tables.snapshot(tables, "petitions", as_of, columns=("matter_id", "registered_at"))
    both = rows.select("matter_id", "concluded_at").join(
        pieces.select("matter_id", again=pieces.registered_at), "matter_id"
    )
    back = both.filter(
        (both.again > both.concluded_at) & (both.again <= both.concluded_at + ibis.interval(days=within))
    )
    again = rows.matter_id.isin(back.matter_id)
    return _summed(rows, reopened=again.sum(), concluded=rows.count())


def _count_extended(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    rows = _concluded(tables, as_of, "extended_days", "path")
    rows = rows.filter(rows.path == "6")
    return _summed(rows, extended=(rows.extended_days > 0).sum(), bound=rows.count())


def _count_rated(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    rows = _concluded(tables, as_of, "unit_rating_state", "unit_rating_grade")
    rows = rows.filter(rows.unit_rating_state.notnull() & (rows.unit_rating_state != "待评价"))
    rated = rows.unit_rating_state == "已评价"
    good = rated & rows.unit_rating_grade.isin(["满意", "基本满意"])
    return _summed(rows, satisfied=good.sum(), rated=rated.sum(), rateable=rows.count())


# ---- and judged -------------------------------------------------------------------------------------------------------


def _chosen(
    counts: pd.DataFrame, start: dt.date | None, end: dt.date | None, region: str | None, check: str
) -> pd.DataFrame:
    """The counts of some months and a region, with the county as ``body``."""
    if end is not None:
        counts = counts[counts["month"] <= pd.Timestamp(end)]
    if start is not None:
        first = start
        if end is not None and (months := codebooks.load("integrity").get(check, {}).get("months")):
            first = min(start, Period.containing(end, "month").shift(1 - months).start)
        counts = counts[counts["month"] >= pd.Timestamp(first)]
    return Places(region).assign(counts.assign(body=counts["region"]))


def _measured(counts: pd.DataFrame, measure: str, by: str) -> pd.Series:
    rows = counts[counts["measure"] == measure]
    return rows.groupby(by)["n"].sum()


def _judge_days(counts: pd.DataFrame) -> pd.DataFrame:
    return heaping(_measured(counts, "days", "at").rename_axis("day").reset_index())


def _judge_closings(counts: pd.DataFrame) -> pd.DataFrame:
    rows = counts[counts["measure"] == "closings"]
    date = rows["month"] + pd.to_timedelta(rows["at"] - 1, unit="D")
    daily = rows["n"].groupby(date.rename("date")).sum().reset_index()
    return batching(daily) if len(daily) else daily


def _judge_pairs(counts: pd.DataFrame) -> pd.DataFrame:
    weeks = [0, *codebooks.load("integrity")["reregistration"]["weeks"]]
    observed, *later = _measured(counts, "pairs", "at").reindex(weeks, fill_value=0.0)
    return reregistration(float(_measured(counts, "paired", "at").sum()), observed, later)


def _by_body(counts: pd.DataFrame, *measures: str) -> pd.DataFrame:
    """One row a county, in order of the codes, a column each measure."""
    made = pd.DataFrame({measure: _measured(counts, measure, "body") for measure in measures}).fillna(0.0)
    made = made[(made.index != "") & (made[measures[-1]] > 0)]
    return made.rename_axis("body").reset_index()


def _judge_shares(counts: pd.DataFrame, top: str, bottom: str) -> pd.DataFrame:
    frame = _by_body(counts, top, bottom).rename(columns={top: "numerator", bottom: "denominator"})
    return shares(frame) if len(frame) else frame


def _judge_reopened(counts: pd.DataFrame) -> pd.DataFrame:
    return _judge_shares(counts, "reopened", "concluded")


def _judge_extended(counts: pd.DataFrame) -> pd.DataFrame:
    return _judge_shares(counts, "extended", "bound")


def _judge_rated(counts: pd.DataFrame) -> pd.DataFrame:
    frame = _by_body(counts, "satisfied", "rated", "rateable").rename(columns={"rateable": "concluded"})
    table = response(frame)
    return table.assign(observed=frame["rated"], ratio=table["response"])


_MATTERS = ("matters.concluded_at", "matters.locality_code")
_CHECKS = {
    "heaping": (("matters.accepted_at", "matters.concluded_at", "matters.path"), _count_days, _judge_days),
    "reregistration": (
        (*_MATTERS, "matters.registered_at", "matters.topic_3"), _count_pairs, _judge_pairs,
    ),
    "reopening": (
        (*_MATTERS, "petitions.matter_id", "petitions.registered_at"), _count_reopened, _judge_reopened,
    ),
    "batching": (("matters.concluded_at",), _count_closings, _judge_closings),
    "extension": ((*_MATTERS, "matters.extended_days", "matters.path"), _count_extended, _judge_extended),
    "response": (
        (*_MATTERS, "matters.unit_rating_state", "matters.unit_rating_grade"), _count_rated, _judge_rated,
    ),
}  # fmt: skip
"""Check → columns it needs, how its margin is counted, how that is judged."""
_BY_BODY = (_judge_reopened, _judge_extended, _judge_rated)


def _need(frame: pd.DataFrame, columns: list[str]) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="请见函数说明中的列名")
