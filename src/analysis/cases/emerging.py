"""New and rising topics (新出现与明显上升的问题): this period against the same months of the years before.

A topic's matters are held against all others: the whole rises and falls with the season, the channels and the calendar,
and takes a topic with it. Whether its share is more than ``ratio`` times what it was is one exact test a topic (Fisher's
noncentral hypergeometric distribution), and over all topics tested the false discovery rate is held (Benjamini–Hochberg).
Topics of a few matters are listed as such and not judged. Settings are the codebook ``emerging``.

:func:`emerging` judges one place and period, topic by topic; :func:`figures` counts the verdicts of many at once, for the
indicator table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import codebooks, regions
from ..errors import MethodError, RequestError
from ..periods import Period
from . import margins as margin_tables
from .load import Cases, moment
from .places import Places

if TYPE_CHECKING:
    import pandas as pd

    from .points import Span
    from .registry import Indicator

COLUMNS = ["topic", "n", "base", "base_years", "ratio", "low", "high", "p", "q", "verdict", "word"]
LEVELS = ("topic_1", "topic_2", "topic_3")
BETWEEN = "／"
VERDICTS = {"headline": "new", "rising": "rising"}
"""Variant of the indicator → the verdict that it counts."""
_YEAR = 12


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
        A period, or months (a rolling year below the province, see :func:`window`).
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
    frame = Places(region).assign(counts(tables, now, level))
    frame = frame.assign(month=frame["month"].dt.strftime("%Y-%m"))
    first = since or _since(tables)
    years = [
        [str(month.shift(-12 * back)) for month in months]
        for back in range(1, book["years"] + 1)
        if months[0].shift(-12 * back).start >= first
    ]
    if not years:
        raise MethodError("数据里没有往年同月，看不出哪些问题新出现或上升", value=str(period))
    silent = [str(months[0].shift(-back)) for back in range(1, book["silent_months"] + 1)]
    table = frame.pivot_table(index="topic", columns="month", values="n", aggfunc="sum", fill_value=0.0)
    wide = _wide(table, [str(month) for month in months], [month for year in years for month in year], silent)
    made = _judged(wide, len(years), book)
    made.attrs |= {"level": level, "column": column}
    return made


def window(period: Period, region: str | None) -> list[Period]:
    """The months judged: the period's, or below the province, where months are small, the twelve that end with it."""
    months = period.months()
    if _is_below(region) and len(months) < _YEAR:
        return [months[-1].shift(-back) for back in range(_YEAR - 1, -1, -1)]
    return months


def figures(
    tables: Cases, one: Indicator, places: Places, spans: Sequence[Span], as_of: dt.datetime, lacking: dict[tuple[str, str], str]
) -> pd.DataFrame:  # fmt: skip
    """How many topics are new and how many rise, in every place and span: what :func:`emerging` says, counted.

    Returns
    -------
    DataFrame
        The columns of :func:`.points.points` and ``value``; ``denominator`` is the number of topics tested, and where no
        earlier year can be compared with there is no row. What cannot be computed at all goes into ``lacking``.
    """
    import pandas as pd

    names = [*margin_tables.KEYS[:3], "region_code", "group", "span", "numerator", "denominator", "value"]
    made: list[tuple[object, ...]] = []
    reason = _silent(tables, places)
    if reason is None:
        found = verdicts(*_cube(tables, places, as_of), _since(tables), spans)
        made = [
            (one.id, variant, "", code, "", span, n, tested, n) for variant, code, span, n, tested in found
        ]
        reason = None if made else "数据里没有往年同月，看不出哪些问题新出现或上升"
    if reason is not None:
        lacking |= {(one.id, variant): reason for variant in one.variants}
    return pd.DataFrame(made, columns=names)


def verdicts(
    cube: np.ndarray, codes: np.ndarray, first: int, since: dt.date, spans: Sequence[Span]
) -> Iterator[tuple[str, str, int, float, float]]:
    """Of every place and span the new and the rising topics, counted, and how many topics were tested.

    Parameters
    ----------
    cube, codes, first
        Matters by place, topic and month; the places; the first month, counted from the year 0.
    since
        From when the data are complete.
    """
    long = np.array([_is_below(code) for code in codes], dtype=bool)
    for number, (start, end) in enumerate(spans):
        if start is None or end is None:
            continue
        for rows, months in ((long, _range(start, end, True)), (~long, _range(start, end, False))):
            counted = _counted(cube[rows], *months, first, since) if rows.any() else None
            if counted is not None:
                for variant, verdict in VERDICTS.items():
                    for code, n, tested in zip(codes[rows], counted[verdict], counted["tested"], strict=True):
                        yield variant, code, number, float(n), float(tested)


def _silent(tables: Cases, places: Places) -> str | None:
    """Why nothing can be judged, or ``None``."""
    if not any(tables.has(f"matters.{name}") for name in LEVELS):
        return "无数据来源：信访事项没有问题类别"
    return "不按这一分组判断新出现与上升的问题" if places.column is not None else None


def _is_below(code: str | None) -> bool:
    book = regions.load()
    return code is not None and code in book and book.get(code).level != "省"


def _range(start: dt.date, end: dt.date, long: bool) -> tuple[int, int]:
    """First and last month judged, counted from the year 0."""
    last = end.year * _YEAR + end.month - 1
    first = start.year * _YEAR + start.month - 1
    return (min(first, last - _YEAR + 1) if long else first), last


def _cube(tables: Cases, places: Places, as_of: dt.datetime) -> tuple[np.ndarray, np.ndarray, int]:
    """Matters by place, topic and month from the first; the places, and which month the first is."""
    import pandas as pd

    frame = places.assign(counts(tables, as_of))
    place, codes = pd.factorize(frame["region_code"], sort=True)
    topic, topics = pd.factorize(frame["topic"])
    month = (frame["month"].dt.year * _YEAR + frame["month"].dt.month - 1).to_numpy()
    first = int(month.min()) if len(month) else 0
    shape = (len(codes), len(topics), int(month.max()) - first + 1 if len(month) else 0)
    cells = np.ravel_multi_index((place, topic, month - first), shape) if len(month) else place
    cube = np.bincount(cells, weights=frame["n"].to_numpy(float), minlength=int(np.prod(shape)))
    return cube.reshape(shape), np.array(codes, dtype=object), first


def _counted(
    cube: np.ndarray, left: int, right: int, first: int, since: dt.date
) -> dict[str, np.ndarray] | None:
    """New, rising and tested topics of every place in the months ``left`` to ``right``; ``None`` without an earlier year."""
    book = codebooks.load("emerging")
    known = since.year * _YEAR + since.month - 1
    shifts = [_YEAR * back for back in range(1, book["years"] + 1) if left - _YEAR * back >= known]
    if not shifts or right < first:
        return None

    def summed(start: int, stop: int) -> np.ndarray:
        made: np.ndarray = cube[:, :, max(start - first, 0) : max(stop - first + 1, 0)].sum(axis=2)
        return made

    now, silent = summed(left, right), summed(left - book["silent_months"], left - 1)
    base = np.sum([summed(left - shift, right - shift) for shift in shifts], axis=0)
    fresh, tested = _tested(now, base, silent, book)
    # A topic whose odds have not even grown by the ratio is none of the few that may be called: its p need not be known.
    all_now, all_base = (counts.sum(axis=1, keepdims=True) for counts in (now, base))
    grown = now * (all_base - base) > book["ratio"] * base * (all_now - now)
    p = np.where(tested, 1.0, np.nan)
    for place, topic in np.argwhere(tested & grown):
        counts = now[place, topic], base[place, topic], all_now[place, 0], all_base[place, 0]
        p[place, topic] = _tail(*counts, book["ratio"])
    flagged = _flagged(p, book["false_discovery"])
    return {
        "new": (flagged & fresh).sum(axis=1), "rising": (flagged & ~fresh).sum(axis=1), "tested": tested.sum(axis=1),
    }  # fmt: skip


def _flagged(p: np.ndarray, rate: float) -> np.ndarray:
    """Benjamini and Hochberg's choice in every row: the smallest p up to the last below its share of the rate."""
    order = np.argsort(p, axis=1)  # those not tested, missing, come last
    steps = rate * np.arange(1, p.shape[1] + 1) / np.maximum((~np.isnan(p)).sum(axis=1, keepdims=True), 1)
    below = np.take_along_axis(p, order, axis=1) <= steps
    chosen = below[:, ::-1].cumsum(axis=1)[:, ::-1] > 0
    made = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(made, order, chosen, axis=1)
    return made


def _judged(wide: pd.DataFrame, years: int, book: dict[str, Any]) -> pd.DataFrame:
    """Tests and words for topics with ``now``, ``base`` (all years together) and ``silent`` (matters in the months before)."""
    from scipy.stats import false_discovery_control

    now, base = wide["now"].to_numpy(), wide["base"].to_numpy()
    all_now, all_base = now.sum(), base.sum()
    fresh, tested = _tested(now, base, wide["silent"].to_numpy(), book)
    p = np.full(len(wide), np.nan)
    p[tested] = [
        _tail(now[row], base[row], all_now, all_base, book["ratio"]) for row in np.flatnonzero(tested)
    ]
    q = np.full(len(wide), np.nan)
    if tested.any():
        q[tested] = false_discovery_control(p[tested], method="bh")
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


def _tested(
    now: np.ndarray, base: np.ndarray, silent: np.ndarray, book: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Which topics would be new, and which have matters enough to be judged."""
    fresh = (base == 0) & (silent == 0)
    return fresh, now >= np.where(fresh, book["minimum_new"], book["minimum_n"])


def _tail(now: float, base: float, all_now: float, all_base: float, ratio: float) -> float:
    """P of so many matters or more, were the odds ``ratio`` times those of the base (Fisher's noncentral hypergeometric).

    Given the topic's matters in all years and the totals, those of this period; the rest of the matters are the measure.
    Each chance follows from the one before it; scipy's distribution gives the same and takes some twenty times as long.
    """
    own = now + base
    here = np.arange(max(0.0, own - all_base), min(own, all_now) + 1)
    last, next_ = here[:-1], here[1:]
    steps = np.log(ratio * (all_now - last) * (own - last) / (next_ * (all_base - own + next_)))
    weights = np.append(0.0, steps.cumsum())
    weights = np.exp(weights - weights.max())
    return min(1.0, float(weights[here >= now].sum() / weights.sum()))


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
    first = dt.date.fromisoformat(str(stated)) if stated else tables.first_day
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


def counts(tables: Cases, as_of: dt.datetime, level: int | None = None) -> pd.DataFrame:
    """Matters by region, month of registration and topic down to a level (the finest that the source has): ``topic``, ``n``."""
    frame = _margin(tables, as_of)
    return frame.assign(topic=_joined(frame, level or _level(tables, None)[0]))


def margin(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    """Matters by region, month of registration and topic: region, month, topic_1, topic_2, topic_3 (empty where unknown), n."""
    import ibis

    rows = margin_tables.snapshot(
        tables, "matters", as_of, columns=[name for name in LEVELS if tables.has(f"matters.{name}")]
    )
    rows = rows.filter(rows.registered_at.notnull())
    keys = {"region": margin_tables.place(rows, "matters"), "month": rows.registered_at.truncate("M")}
    keys |= {name: rows[name].fill_null("") if name in rows.columns else ibis.literal("") for name in LEVELS}
    frame = margin_tables.named(tables.rows(rows.group_by(**keys).aggregate(n=rows.count())).to_pandas())
    frame["n"] = frame["n"].astype(float)
    return frame.sort_values(list(keys), kind="stable", ignore_index=True)


def _margin(tables: Cases, as_of: dt.datetime) -> pd.DataFrame:
    ready = tables.summed(as_of)
    return tables.once(
        ("topics", as_of), lambda: margin(tables, as_of) if ready is None else ready.beside("topics")
    )
