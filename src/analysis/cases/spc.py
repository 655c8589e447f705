"""Process behaviour charts (XmR 控制图): is this month more than the usual variation?

The rules are those of the NHS programme Making Data Count, in its order of precedence. Rule sets are data
(``codebooks/comparison.yml``); where tools of the same name differ is told in ``docs/comparison.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .. import codebooks
from ..errors import MethodError, RequestError

# 3 / d2 and D4 for moving ranges of two points (Shewhart's constants for n = 2).
_LIMIT = 2.66
_SCREEN = 3.267
_NEAR = 2 / 3

_SIDE = {
    "above_limit": 1,
    "trend_up": 1,
    "near_upper": 1,
    "shift_above": 1,
    "below_limit": -1,
    "trend_down": -1,
    "near_lower": -1,
    "shift_below": -1,
    "common": 0,
}


@dataclass(frozen=True)
class Rules:
    """A set of rules (判异规则).

    Attributes
    ----------
    shift, trend
        Points in a row strictly on one side of the mean, and points in a strictly monotone run; ``None`` switches off.
    two_in_three
        Whether two of three points near a limit are a signal.
    screen
        Whether moving ranges of at least 3.267 times their mean are left out once before the limits are set.
    minimum_points
        Fewer points than this: the limits are on trial.
    """

    shift: int | None = 7
    trend: int | None = 7
    two_in_three: bool = True
    screen: bool = True
    minimum_points: int = 13

    @classmethod
    def named(cls, name: str | None = None) -> Rules:
        """The rule set of that name in ``comparison.yml``; its default without a name.

        Raises
        ------
        RequestError
            No such rule set.
        """
        book = codebooks.load("comparison")["spc"]
        sets: dict[str, dict[str, Any]] = book["rule_sets"]
        key = name or book["default"]
        if key not in sets:
            raise RequestError("没有这套判异规则", value=name, hint=f"可用：{'、'.join(sets)}")
        return cls(**sets[key])


def xmr(
    frame: pd.DataFrame,
    *,
    by: str | None = None,
    improvement: str = "up",
    target: float | None = None,
    rules: Rules | str | None = None,
    rebase: Sequence[object] = (),
    fix_after: int | None = None,
) -> pd.DataFrame:
    """Individuals chart with limits, rule and colour for every point (单值－移动极差图).

    Parameters
    ----------
    frame
        Columns ``period`` (sortable) and ``value``; with ``by``, several series under one another.
    improvement
        ``up``, ``down`` or ``neutral``: which direction is good.
    target
        A stated target, for the assurance word of :func:`summary`.
    rules
        A :class:`Rules`, the name of a rule set, or nothing for the default set.
    rebase
        Periods at which a new segment with limits of its own begins.
    fix_after
        Set the limits from the first that many points of each segment (at least 12).

    Returns
    -------
    DataFrame
        The rows of ``frame`` in order of series and period with ``segment`` (0…), ``mean``, ``lower``, ``upper``,
        ``near_lower``, ``near_upper``, ``rule`` (see ``comparison.yml``), ``rule_name``, ``type`` (common, improvement,
        concern, higher, lower), ``colour``, ``trial`` (limits on trial), ``improvement``, ``target``. Limits are unclipped: clip them to
        draw a rate, not to judge one. A missing value keeps its row and has no limits.

    Raises
    ------
    RequestError
        An unknown direction or rule set, a missing column, or ``fix_after`` below 12.
    """
    _need(frame, ["period", "value", *([by] if by else [])])
    chosen = rules if isinstance(rules, Rules) else Rules.named(rules)
    if fix_after is not None and fix_after < 12:
        raise RequestError("固定控制限至少需要 12 个点", value=fix_after, hint="请调大 fix_after，或不固定")

    def limits(segment: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        values = segment["value"].to_numpy(float)
        mean, width = _individuals(values[:fix_after], chosen.screen)
        return np.full(len(values), mean), np.full(len(values), width)

    return _chart(frame, by, improvement, target, chosen, rebase, limits)


def p_prime(
    frame: pd.DataFrame,
    *,
    by: str | None = None,
    improvement: str = "up",
    target: float | None = None,
    rules: Rules | str | None = None,
    rebase: Sequence[object] = (),
) -> pd.DataFrame:
    """Laney's p′ chart for rates with unequal denominators (p′ 图).

    Parameters
    ----------
    frame
        Columns ``period``, ``numerator``, ``denominator``; a month with denominator 0 has no value.

    Returns
    -------
    DataFrame
        As :func:`xmr`, with ``value`` the rate and limits that widen where the denominator is small. The near limits
        lie at two thirds of the way, as there.
    """
    _need(frame, ["period", "numerator", "denominator", *([by] if by else [])])
    chosen = rules if isinstance(rules, Rules) else Rules.named(rules)
    rates = frame.assign(
        value=frame["numerator"] / frame["denominator"].where(frame["denominator"] > 0),
    )

    def limits(segment: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        size = segment["denominator"].to_numpy(float)
        centre = float(segment["numerator"].sum() / size.sum())
        spread = np.sqrt(centre * (1 - centre) / size)
        if not spread.any():  # every month at 0 or 100 %
            return np.full(len(size), centre), spread
        z = (segment["value"].to_numpy(float) - centre) / spread
        _, width = _individuals(z, chosen.screen)
        return np.full(len(size), centre), spread * width

    return _chart(rates, by, improvement, target, chosen, rebase, limits)


def history(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """The chart that fits the denominators: p′ where they vary by more than twofold, XmR otherwise.

    ``frame`` has ``period``, ``numerator``, ``denominator``; options as for :func:`xmr`. The result carries ``chart``
    (``xmr`` or ``p_prime``), so that the caption can say which was drawn.
    """
    _need(frame, ["period", "numerator", "denominator"])
    sizes = frame["denominator"][frame["denominator"] > 0]
    limit = codebooks.load("comparison")["spc"]["varying_denominator"]
    if len(sizes) and sizes.max() > limit * sizes.min():
        return p_prime(frame, **options).assign(chart="p_prime")
    rates = frame.assign(value=frame["numerator"] / frame["denominator"].where(frame["denominator"] > 0))
    return xmr(rates, **options).assign(chart="xmr")


def summary(chart: pd.DataFrame, *, by: str | None = None) -> pd.DataFrame:
    """One row a series: the last point's variation word and the assurance word against the target.

    Returns
    -------
    DataFrame
        (``by``,) ``period``, ``value``, ``mean``, ``lower``, ``upper``, ``rule``, ``rule_name``, ``type``, ``variation``
        (Chinese), ``assurance`` (Chinese), ``points``, ``signals`` (points with a signal), ``trial``.
    """
    book = codebooks.load("comparison")
    rows = []
    for key, series in chart.groupby(by, sort=True) if by else [(None, chart)]:
        known = series.dropna(subset=["value", "mean"])
        if known.empty:
            continue
        last = known.iloc[-1]
        row = {by: key} if by else {}
        row |= {
            name: last[name]
            for name in ("period", "value", "mean", "lower", "upper", "rule", "rule_name", "type", "trial")
        }
        row["variation"] = book["words"][last["type"]]["text"]
        row["assurance"] = book["assurance"][_assurance(last)]
        row["points"] = len(known)
        row["signals"] = int((known["rule"] != "common").sum())
        rows.append(row)
    return pd.DataFrame(rows)


def expected_false(points: int, rules: str | None = None) -> float:
    """Signals to expect among so many points though nothing happened: one brief of many charts has some.

    Raises
    ------
    RequestError
        The share has not been measured for that rule set.
    """
    book = codebooks.load("comparison")["spc"]
    name = rules or book["default"]
    if name not in book["false_signals"]:
        raise RequestError(
            "这套规则没有量过误报率", value=name, hint=f"可用：{'、'.join(book['false_signals'])}"
        )
    return float(points * book["false_signals"][name])


def _chart(
    frame: pd.DataFrame,
    by: str | None,
    improvement: str,
    target: float | None,
    rules: Rules,
    rebase: Sequence[object],
    limits: Any,
) -> pd.DataFrame:
    if improvement not in ("up", "down", "neutral"):
        raise RequestError("改善方向应为 up、down 或 neutral", value=improvement)
    ordered = frame.sort_values([by, "period"] if by else ["period"], kind="stable")
    pieces = []
    for _, series in ordered.groupby(by, sort=False) if by else [(None, ordered)]:
        if series["period"].duplicated().any():
            double = series["period"][series["period"].duplicated()].iloc[0]
            raise MethodError("同一序列同一期有两个数", value=str(double), hint="请先按期汇总")
        segment = np.zeros(len(series), dtype=int)
        for start in rebase:
            segment += (series["period"] >= start).to_numpy(int)
        numbered = series.assign(segment=segment)
        pieces += [_segment(part, rules, limits) for _, part in numbered.groupby("segment", sort=True)]
    if not pieces:
        return frame.assign(**{name: pd.Series(dtype=float) for name in ("mean", "lower", "upper")})
    chart = pd.concat(pieces)
    book = codebooks.load("comparison")
    chart["rule_name"] = chart["rule"].map(book["spc"]["names"])
    chart["type"] = [_type(rule, improvement) for rule in chart["rule"]]
    chart["colour"] = chart["type"].map({key: word["colour"] for key, word in book["words"].items()})
    chart["improvement"] = improvement
    chart["target"] = np.nan if target is None else float(target)
    return chart


def _segment(part: pd.DataFrame, rules: Rules, limits: Any) -> pd.DataFrame:
    known = part["value"].notna().to_numpy()
    columns = {
        name: np.full(len(part), np.nan) for name in ("mean", "lower", "upper", "near_lower", "near_upper")
    }
    rule = np.full(len(part), "common", dtype=object)
    if known.any():
        mean, width = limits(part[known])
        columns["mean"][known] = mean
        for name, side, share in (
            ("lower", -1, 1.0),
            ("upper", 1, 1.0),
            ("near_lower", -1, _NEAR),
            ("near_upper", 1, _NEAR),
        ):
            columns[name][known] = mean + side * share * width
        rule[known] = signals(part["value"].to_numpy(float)[known], mean, width, rules)
    return part.assign(**columns, rule=rule, trial=int(known.sum()) < rules.minimum_points)


def _individuals(values: np.ndarray, screen: bool) -> tuple[float, float]:
    """Mean and half-width of the limits of an XmR chart."""
    ranges = np.abs(np.diff(values))
    average = ranges.mean() if len(ranges) else np.nan
    if screen and len(ranges):
        kept = ranges[ranges < _SCREEN * average]
        average = kept.mean() if len(kept) else average
    return float(values.mean()), float(_LIMIT * average)


def signals(values: np.ndarray, mean: np.ndarray, width: np.ndarray, rules: Rules) -> np.ndarray:
    """The rule that each point of one segment falls under, the first that applies; ``common`` for none.

    ``mean`` and ``width`` (half-width of the limits) have one entry a point, or are scalars. With a single point there
    is no width and no rule.
    """
    mean, width = np.broadcast_to(mean, values.shape), np.broadcast_to(width, values.shape)
    side = np.sign(values - mean)
    distance = np.abs(values - mean)
    outside = distance > width
    near = ~outside & (distance > _NEAR * width)
    result = np.full(len(values), "common", dtype=object)

    # From the weakest claim to the strongest: a later line overwrites an earlier one.
    if rules.shift:
        held = _runs(side, rules.shift)
        result[held > 0], result[held < 0] = "shift_above", "shift_below"
    if rules.two_in_three:
        for start in range(len(values) - 2):
            window = slice(start, start + 3)
            if abs(side[window].sum()) == 3 and near[window].sum() >= 2:
                result[window][near[window]] = "near_upper" if side[start] > 0 else "near_lower"
    if rules.trend:
        rising = _runs(np.sign(np.diff(values)), rules.trend - 1)
        # A difference marks both its points; a point in two trends takes the later one's direction.
        trend = np.append(0.0, rising)
        trend[:-1] = np.where(rising != 0, rising, trend[:-1])
        result[trend > 0], result[trend < 0] = "trend_up", "trend_down"
    result[outside & (side > 0)], result[outside & (side < 0)] = "above_limit", "below_limit"
    return result


def _runs(signs: np.ndarray, length: int) -> np.ndarray:
    """Sign of the run that each entry is part of, 0 where its run of equal non-zero signs is shorter than length."""
    held = np.zeros(len(signs))
    start = 0
    for end in range(1, len(signs) + 1):
        if end == len(signs) or signs[end] != signs[start]:
            if end - start >= length:
                held[start:end] = signs[start]
            start = end
    return held


def _type(rule: str, improvement: str) -> str:
    side = _SIDE[rule]
    if side == 0:
        return "common"
    if improvement == "neutral":
        return "higher" if side > 0 else "lower"
    return "improvement" if (side > 0) == (improvement == "up") else "concern"


def _assurance(last: pd.Series) -> str:
    """Whether the process meets its target month after month, never, or by chance."""
    if pd.isna(last["target"]) or last["improvement"] == "neutral":
        return "unknown"
    if last["lower"] < last["target"] < last["upper"]:
        return "mixed"
    above_target = last["target"] <= last["lower"]
    return "met" if above_target == (last["improvement"] == "up") else "missed"


def _need(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="请见函数说明中的列名")
