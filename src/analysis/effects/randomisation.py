"""Randomisation inference (随机化推断): the reference distribution of an estimate under other draws of who was treated.

With two pilot counties a clustered standard error is not one: at 5 % it rejects a true nought some 30 % of the time. Here
the cohorts' sizes and dates stay and the units that make them up are drawn anew; what the estimate then does by chance is
what it is measured against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import MethodError
from .did import att_gt, simple_att, summarise
from .panel import Array, Panel

Statistic = Callable[[Panel], float]


@dataclass(frozen=True)
class Randomised:
    """An estimate among its re-draws.

    Attributes
    ----------
    estimate
        With the treatment as it was.
    draws
        The same statistic under re-drawn treatment.
    p
        (1 + draws at least as far from 0) ÷ (draws + 1).
    sd
        Standard deviation of the draws.
    low, high
        95 % interval: effects that, taken out of the treated, would not be rejected at 5 % (for a shift of the statistic).
    eligible
        Units among which treatment was drawn.
    """

    estimate: float
    draws: Array
    p: float
    sd: float
    low: float
    high: float
    eligible: int


def randomise(
    panel: Panel,
    statistic: Statistic | None = None,
    *,
    cohort: int | None = None,
    control: str = "not_yet",
    base: str = "all_pre",
    draws: int = 999,
    seed: int = 0,
) -> Randomised:
    """Re-draw which units form the cohort, or all cohorts.

    Parameters
    ----------
    statistic
        A number from a panel; by default the simple aggregate of :func:`.did.att_gt` (of ``cohort`` where given).
    cohort
        Position of one cohort's first treated period: it is re-drawn among itself and the units never treated in the window,
        the other cohorts being left out. Without it all treated units are re-drawn among all.
    draws
        At least 199.

    Raises
    ------
    MethodError
        Too few draws, no untreated unit to draw from, or a statistic that cannot be computed.
    """
    if draws < 199:
        raise MethodError("随机化推断至少需要 199 次重抽", value=draws)
    used = panel if cohort is None else only(panel, cohort)
    if not np.isinf(used.first).any():
        raise MethodError(
            "窗口内没有未实施的单位，随机化推断无从重抽", hint="请把窗口截到尚有未实施单位的时候"
        )
    compute = statistic or _aggregate(used, control, base)
    estimate = float(compute(used))
    if not np.isfinite(estimate):
        raise MethodError("所选窗口内估计值不存在", hint="请查看设计报告中没有对照的单元格")
    random = np.random.default_rng(seed)
    found = np.array([compute(used.with_first(random.permutation(used.first))) for _ in range(draws)])
    found = found[np.isfinite(found)]
    # Ties with the estimate count against it; a whisker of tolerance keeps equal sums equal.
    far = np.abs(found) >= abs(estimate) - 1e-12
    low, high = _interval(estimate, found)
    return Randomised(
        estimate,
        found,
        float((1 + far.sum()) / (len(found) + 1)),
        float(found.std(ddof=1)),
        low,
        high,
        len(used.units),
    )


def _aggregate(panel: Panel, control: str, base: str) -> Statistic:
    if panel.covariates.shape[1]:
        return lambda one: summarise(att_gt(one, control=control, base=base), "simple").overall[0]
    return lambda one: simple_att(one, control, base)


def _interval(estimate: float, draws: Array) -> tuple[float, float]:
    """Shifts not rejected at 5 %: the draws are, to a first approximation, the noise around any constant effect."""
    reach = float(np.quantile(np.abs(draws), 0.95, method="higher"))
    return estimate - reach, estimate + reach


def only(panel: Panel, cohort: int) -> Panel:
    """One cohort and the units never treated in the window."""
    keep: NDArray[np.bool_] = panel.members(cohort) | np.isinf(panel.first)
    units = tuple(name for name, kept in zip(panel.units, keep, strict=True) if kept)
    return Panel(panel.outcome[keep], units, panel.times, panel.first[keep], panel.covariates[keep])
