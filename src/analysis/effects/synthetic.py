"""Synthetic control (合成控制): one treated unit against a weighted mean of untreated ones that moved alike before.

Outcome-only simplex weights (Abadie, Diamond & Hainmueller 2010 without predictors): the problem is convex and has one
answer whatever it is started from; predictor-weighted versions do not, and are not offered. Placebo runs on every donor are
a descriptive rank, not a test: with regression to the mean they reject too often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import MethodError, RequestError
from .panel import Array, Panel

# Weight of the row that makes the weights add to 1, against outcomes scaled to a unit spread.
_HEAVY = 1e4


@dataclass(frozen=True)
class SyntheticControl:
    """A fitted synthetic control.

    Attributes
    ----------
    unit, start
        The treated unit and the label of its first treated period.
    weights
        Donor → weight, largest first; those below 1e-6 left out.
    att
        Mean gap after treatment.
    pre_mspe, post_mspe
        Mean squared gap before and after.
    path
        ``time``, ``actual``, ``synthetic``, ``gap``.
    placebo
        One row a unit (the treated one too): ``unit``, ``pre_mspe``, ``post_mspe``, ``ratio`` (post ÷ pre, root), ``rank``.
    rank
        Of the treated unit by that ratio, and among how many.
    """

    unit: str
    start: str
    weights: pd.Series
    att: float
    pre_mspe: float
    post_mspe: float
    path: pd.DataFrame
    placebo: pd.DataFrame
    rank: tuple[int, int]


def synthetic_control(
    panel: Panel, unit: str | None = None, *, max_pre_fit: float | None = None
) -> SyntheticControl:
    """Fit the weights, and the same for every donor as if it had been treated.

    Parameters
    ----------
    unit
        The treated unit; not needed when there is but one. Other treated units are neither donors nor placebos.
    max_pre_fit
        Leave out placebos whose fit before treatment is worse than this many times the treated unit's (as ADH do).

    Raises
    ------
    RequestError
        Several treated units and none named, or a unit that is not treated.
    MethodError
        Missing values, fewer than two donors, or fewer than two periods before treatment.
    """
    treated = np.flatnonzero(np.isfinite(panel.first))
    if unit is None:
        if len(treated) != 1:
            raise RequestError(
                "处理单位不止一个，请指明",
                value=len(treated),
                hint=f"可选：{'、'.join(panel.units[i] for i in treated[:10])}",
            )
        place = int(treated[0])
    elif unit in panel.units and np.isfinite(panel.first[panel.units.index(unit)]):
        place = panel.units.index(unit)
    else:
        raise RequestError("这个单位不是处理单位", value=unit, hint="请检查 first_treated 一列")
    donors = np.flatnonzero(np.isinf(panel.first))
    start = int(panel.first[place])
    used = panel.outcome[[place, *donors]]
    if np.isnan(used).any():
        raise MethodError("合成控制需要没有缺失的面板", hint="请补齐，或去掉有缺失的单位")
    if len(donors) < 2 or start < 2:
        raise MethodError("对照单位或实施前的期数不足两个", value=f"{len(donors)} 个单位，{start} 期")
    weights = _simplex(used[0, :start], used[1:, :start])
    gap = used[0] - weights @ used[1:]
    before, after = float((gap[:start] ** 2).mean()), float((gap[start:] ** 2).mean())
    named = pd.Series(weights, index=[panel.units[i] for i in donors]).sort_values(
        ascending=False, kind="stable"
    )
    placebo = _placebos(panel, place, donors, start, (before, after), max_pre_fit)
    own = placebo[placebo["unit"] == panel.units[place]]
    return SyntheticControl(
        unit=panel.units[place],
        start=panel.times[start],
        weights=named[named > 1e-6],
        att=float(gap[start:].mean()),
        pre_mspe=before,
        post_mspe=after,
        path=pd.DataFrame({"time": panel.times, "actual": used[0], "synthetic": used[0] - gap, "gap": gap}),
        placebo=placebo,
        rank=(int(own["rank"].iloc[0]), len(placebo)),
    )


def _simplex(target: Array, donors: Array) -> Array:
    """Non-negative weights that add to 1 and reproduce the target best (least squares by NNLS)."""
    from scipy.optimize import nnls

    centre, spread = donors.mean(), donors.std()
    scale = spread if spread > 0 else 1.0
    a = np.vstack([(donors.T - centre) / scale, np.full(len(donors), _HEAVY)])
    b = np.append((target - centre) / scale, _HEAVY)
    weights, _ = nnls(a, b, maxiter=50 * len(donors))
    return np.asarray(weights / weights.sum())


def _placebos(
    panel: Panel,
    place: int,
    donors: np.ndarray,
    start: int,
    own: tuple[float, float],
    max_pre_fit: float | None,
) -> pd.DataFrame:
    rows = [(panel.units[place], *own)]
    for donor in donors:
        others = donors[donors != donor]
        weights = _simplex(panel.outcome[donor, :start], panel.outcome[others, :start])
        gap = panel.outcome[donor] - weights @ panel.outcome[others]
        before = float((gap[:start] ** 2).mean())
        if max_pre_fit is None or before <= max_pre_fit * own[0]:
            rows.append((panel.units[donor], before, float((gap[start:] ** 2).mean())))
    table = pd.DataFrame(rows, columns=["unit", "pre_mspe", "post_mspe"])
    table["ratio"] = np.sqrt(table["post_mspe"] / table["pre_mspe"].where(table["pre_mspe"] > 0))
    table["rank"] = table["ratio"].rank(ascending=False, method="min", na_option="top").astype(int)
    return table.sort_values(["rank", "unit"], kind="stable").reset_index(drop=True)
