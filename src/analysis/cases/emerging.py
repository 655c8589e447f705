"""New and rising topics (新出现与明显上升的问题): this period against the same months of the years before.

A topic's matters are held against all others: the whole rises and falls with the season, the channels and the calendar,
and takes a topic with it. Whether its share is more than ``ratio`` times what it was is one exact test a topic (Fisher's
noncentral hypergeometric distribution), and over all topics tested the false discovery rate is held (Benjamini–Hochberg).
Topics of a few matters are listed as such and not judged. Settings are the codebook ``emerging``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import codebooks
from ..errors import MethodError, RequestError
from ..periods import Period
from . import margins as margin_tables
from .load import Cases, moment
from .places import Places

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["topic", "n", "base", "base_years", "ratio", "low", "high", "p", "q", "verdict", "word"]
LEVELS = ("topic_1", "topic_2", "topic_3")
BETWEEN = "／"


def emerging(
    tables: Cases,
    period: str | Period | Sequence[Period],
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
    *,
    level: int | None = None,
    since: dt.date | None = None,
) -> pd.DataFrame:
    """Judge every topic of a period.

    Parameters
    ----------
    period
        A period, or months (a rolling year for a county).
    level
        1, 2 or 3: how fine; the finest that the source has without it.
    since
        First day from which the data are complete; what the source states as its window, or its first day.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`, one row a topic that occurs in the period or its base, most matters first: ``n`` now,
        ``base`` matters a year in the same months of ``base_years`` years, ``ratio`` of its shares of all matters with
        its 95 % interval, ``p`` of the exact test that its odds have not grown beyond the set ratio, ``q`` adjusted for the
        number of topics, ``verdict`` (``new``, ``rising``, ``usual``, ``small``) and its ``word``. ``attrs``: ``tested``,
        ``flagged``, ``false_discovery``, ``expected_false``, ``ratio``, ``level``.

    Raises
    ------
    RequestError
        The source has no topics, not this level of them, or an unknown period.
    MethodError
        Not one earlier year of the same months in the data.
    """
    book = codebooks.load("emerging")
    months = _months(period)
    now = moment(as_of, tables)
    level, column = _level(tables, level)
    frame = Places(region).assign(_margin(tables, now))
    frame = frame.assign(topic=_joined(frame, level), month=frame["month"].dt.strftime("%Y-%m"))
    first = since or _since(tables)
    years = [
        [str(month.shift(-12 * back)) for month in months]
        for back in range(1, book["years"] + 1)
        if months[0].shift(-12 * back).start >= first
    ]
    if not years:
        raise MethodError("数据里没有往年同月，看不出哪些问题新出现或上升", value=str(period))
    silent = [str(months[0].shift(-back)) for back in range(1, book["silent_months"] + 1)]
    counts = frame.pivot_table(index="topic", columns="month", values="n", aggfunc="sum", fill_value=0.0)
    wide = _wide(
        counts, [str(month) for month in months], [month for year in years for month in year], silent
    )
    made = _judged(wide, len(years), book)
    made.attrs |= {"level": level, "column": column}
    return made


def _judged(wide: pd.DataFrame, years: int, book: dict[str, Any]) -> pd.DataFrame:
    """Tests and words for topics with ``now``, ``base`` (all years together) and ``silent`` (matters in the months before)."""
    from scipy.stats import false_discovery_control, nchypergeom_fisher

    now, base = wide["now"].to_numpy(), wide["base"].to_numpy()
    all_now, all_base = now.sum(), base.sum()
    fresh = (base == 0) & (wide["silent"].to_numpy() == 0)
    tested = now >= np.where(fresh, book["minimum_new"], book["minimum_n"])
    p = np.full(len(wide), np.nan)
    # Given the topic's matters in all years and the totals, those of this period; the rest of the matters are the measure.
    p[tested] = nchypergeom_fisher.sf(
        now[tested] - 1,
        int(all_now + all_base),
        int(all_now),
        (now + base)[tested].astype(int),
        book["ratio"],
    )
    q = np.full(len(wide), np.nan)
    if tested.any():
        q[tested] = false_discovery_control(np.clip(p[tested], 0, 1), method="bh")
    flagged = tested & (np.nan_to_num(q, nan=1.0) <= book["false_discovery"])
    verdict = np.where(flagged, np.where(fresh, "new", "rising"), np.where(tested, "usual", "small"))
    ratio, low, high = _ratios(now, base, all_now, all_base)
    made = wide.reset_index()[["topic"]].assign(
        n=now.astype(int), base=base / years, base_years=years, ratio=ratio, low=low, high=high, p=p, q=q,
        verdict=verdict, word=[book["words"][one] for one in verdict],
    )  # fmt: skip
    made = made.sort_values(["n", "topic"], ascending=[False, True], ignore_index=True)[COLUMNS]
    made.attrs = {
        "tested": int(tested.sum()), "flagged": int(flagged.sum()), "false_discovery": book["false_discovery"],
        "expected_false": float(book["false_discovery"] * flagged.sum()), "ratio": book["ratio"],
    }  # fmt: skip
    return made


def _ratios(
    now: np.ndarray, base: np.ndarray, all_now: float, all_base: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratio of two shares and its interval on the log scale (Katz); missing without a base."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((base > 0) & (now > 0), (now / all_now) / (base / all_base), np.nan)
        error = np.sqrt(1 / now - 1 / all_now + 1 / base - 1 / all_base)
    half = 1.959964 * error
    return ratio, ratio * np.exp(-half), ratio * np.exp(half)


def _wide(counts: pd.DataFrame, now: list[str], base: list[str], silent: list[str]) -> pd.DataFrame:
    made = {name: counts.reindex(columns=months, fill_value=0.0).sum(axis=1)
            for name, months in (("now", now), ("base", base), ("silent", silent))}  # fmt: skip
    wide = counts.iloc[:, :0].assign(**made)
    return wide[(wide["now"] > 0) | (wide["base"] > 0)]


def _months(period: str | Period | Sequence[Period]) -> list[Period]:
    if isinstance(period, str):
        period = Period.parse(period)
    return period.months() if isinstance(period, Period) else list(period)


def _since(tables: Cases) -> dt.date:
    """The first of the month from which the data are complete."""
    stated = (tables.metadata.get("window") or {}).get("start")
    first = dt.date.fromisoformat(str(stated)) if stated else tables.extent[0]
    if first is None:
        raise MethodError("数据里没有日期，无从比较")
    return first if first.day == 1 else (first.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def _level(tables: Cases, level: int | None) -> tuple[int, str]:
    there = [number for number, name in enumerate(LEVELS, 1) if tables.has(f"matters.{name}")]
    if not there:
        raise RequestError("无数据来源：信访事项没有问题类别")
    chosen = level or max(there)
    if chosen not in there:
        raise RequestError("数据没有这一级问题类别", value=level, hint=f"可用：{'、'.join(map(str, there))}")
    return chosen, LEVELS[chosen - 1]


def _joined(frame: pd.DataFrame, level: int) -> pd.Series:
    """Levels joined down to the one wanted; a matter without it counts under the last it has."""
    made = frame[LEVELS[0]]
    for name in LEVELS[1:level]:
        made = made.where(frame[name] == "", made.where(made == "", made + BETWEEN) + frame[name])
    return made.replace("", "未分类")


# ---- counts ------------------------------------------------------------------------------------------------------------


def margin(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    """Matters by region, month of registration and topic: region, month, topic_1, topic_2, topic_3 (empty where unknown), n."""
    import ibis

    rows = margin_tables.snapshot(
        tables, "matters", as_of, columns=[name for name in LEVELS if tables.has(f"matters.{name}")]
    )
    rows = rows.filter(rows.registered_at.notnull())
    keys = {"region": margin_tables.place(rows, "matters"), "month": rows.registered_at.truncate("M")}
    keys |= {name: rows[name].fill_null("") if name in rows.columns else ibis.literal("") for name in LEVELS}
    frame = margin_tables.named(rows.group_by(**keys).aggregate(n=rows.count()).execute())
    frame["n"] = frame["n"].astype(float)
    return frame.sort_values(list(keys), kind="stable", ignore_index=True)


def _margin(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    ready = tables.summed(as_of)
    return tables.once(
        ("topics", as_of), lambda: margin(tables, as_of) if ready is None else ready.beside("topics")
    )
