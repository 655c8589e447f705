"""Staggered difference in differences (交错双重差分): group-time effects and what may be summed of them.

Callaway & Sant'Anna (2021): ATT(g, t) compares the change of the units first treated at g with the change of units not
treated by t. A cell without controls is not estimated but named with its reason. The two-way fixed-effects coefficient and
its Goodman-Bacon weights are there to be shown beside, not to be reported alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import MethodError, RequestError
from .panel import Array, Panel

CONTROLS = ("never", "not_yet")
BASES = ("varying", "universal", "all_pre")
SUMMARIES = ("simple", "event", "group", "calendar")
# A cohort smaller than this has no usable sampling error: randomisation inference only.
FEW = 5


@dataclass(frozen=True)
class GroupTime:
    """Group-time effects.

    Attributes
    ----------
    table
        One row a cell: ``group`` and ``time`` (labels), ``g``, ``t`` (positions), ``event`` (t − g), ``att``, ``se``,
        ``treated``, ``controls``, ``identified``, ``reason`` (why not, in Chinese).
    influence
        Units × cells, NaN columns where not identified: the estimate's influence function.
    panel, control, base
        What it was computed from, and how.
    """

    table: pd.DataFrame
    influence: Array
    panel: Panel
    control: str
    base: str


@dataclass(frozen=True)
class Summary:
    """A weighted sum of group-time effects.

    Attributes
    ----------
    table
        ``at`` (event time, group or calendar time; ``overall``), ``att``, ``se``, ``low``, ``high`` (pointwise 95 %),
        ``cells`` that went in; the last row is the overall.
    """

    kind: str
    table: pd.DataFrame
    influence: Array

    @property
    def overall(self) -> tuple[float, float]:
        """Overall effect and its standard error."""
        last = self.table.iloc[-1]
        return float(last["att"]), float(last["se"])


def att_gt(panel: Panel, *, control: str = "not_yet", base: str = "varying") -> GroupTime:
    """Group-time average effects.

    Parameters
    ----------
    control
        ``never`` treated units, or units ``not_yet`` treated at t (and never treated ones).
    base
        Period compared with: ``varying`` (g − 1 after treatment, t − 1 before), ``universal`` (g − 1 throughout) or
        ``all_pre`` (mean of all periods before g: steadier with few units, at the price of parallel trends throughout).

    Notes
    -----
    With covariates in the panel the doubly robust estimator of Sant'Anna & Zhao (2020) is used.

    Raises
    ------
    RequestError
        An unknown control or base.
    MethodError
        No unit is treated within the window after its start.
    """
    if control not in CONTROLS or base not in BASES:
        raise RequestError(
            "没有这种对照或基期",
            value=f"{control}/{base}",
            hint=f"对照：{'、'.join(CONTROLS)}；基期：{'、'.join(BASES)}",
        )
    cohorts = [g for g in panel.cohorts if g > 0]
    if not cohorts:
        raise MethodError("窗口内没有单位在首期之后开始实施", hint="请检查 first_treated 一列和时间窗口")
    rows, columns = [], []
    for g in cohorts:
        treated = panel.members(g)
        for t in range(len(panel.times)):
            if _is_base(g, t, base):
                continue
            change = _change(panel, g, t, base)
            controls = _controls(panel, g, t, control, base)
            row, influence = _cell(panel, change, treated, controls)
            rows.append(
                {"group": panel.times[g], "time": panel.times[t], "g": g, "t": t, "event": t - g} | row
            )
            columns.append(influence)
    return GroupTime(pd.DataFrame(rows), np.column_stack(columns), panel, control, base)


def _is_base(g: int, t: int, base: str) -> bool:
    """Whether a cell would compare its base with itself, or has none."""
    return {"varying": t == 0, "universal": t == g - 1, "all_pre": g == 1 and t == 0}[base]


def simple_att(panel: Panel, control: str = "not_yet", base: str = "varying") -> float:
    """The simple aggregate alone, as a number: what randomisation computes a thousand times.

    Equals ``summarise(att_gt(panel, …), "simple").overall[0]`` without covariates; NaN where no cell has a control.
    """
    y, total, weight = panel.outcome, 0.0, 0.0
    stop = y.shape[1]
    for g in panel.cohorts:
        if g == 0:
            continue
        treated = panel.members(g)
        before = y[:, :g].mean(axis=1) if base == "all_pre" else y[:, g - 1]
        change = y[:, g:] - before[:, None]
        size = float(treated.sum())
        if control == "never":
            others = np.repeat(np.isinf(panel.first)[:, None], stop - g, axis=1)
        else:
            others = panel.first[:, None] > np.arange(g, stop)[None, :]
        known = ~np.isnan(change)
        others = others & known
        mine = treated[:, None] & known
        values = np.where(known, change, 0.0)
        counts, own = others.sum(axis=0), mine.sum(axis=0)
        usable = (counts > 0) & (own > 0)
        if not usable.any():
            continue
        effect = (values * mine).sum(axis=0)[usable] / own[usable]
        effect -= (values * others).sum(axis=0)[usable] / counts[usable]
        total += size * float(effect.sum())
        weight += size * int(usable.sum())
    return total / weight if weight else float("nan")


def _change(panel: Panel, g: int, t: int, base: str) -> Array:
    y = panel.outcome
    if base == "all_pre":
        return y[:, t] - y[:, :g].mean(axis=1)
    return y[:, t] - y[:, t - 1 if base == "varying" and t < g else g - 1]


def _controls(panel: Panel, g: int, t: int, control: str, base: str) -> NDArray[np.bool_]:
    if control == "never":
        return np.isinf(panel.first)
    # Untreated at t and at every period of the base.
    latest = t if base == "varying" and t < g else max(t, g - 1)
    return np.asarray((panel.first > latest) & (panel.first != g))


def _cell(
    panel: Panel, change: Array, treated: NDArray[np.bool_], controls: NDArray[np.bool_]
) -> tuple[dict[str, object], Array]:
    known = ~np.isnan(change)
    treated, controls = treated & known, controls & known
    counts = {"treated": int(treated.sum()), "controls": int(controls.sum())}
    reason = None
    if not counts["treated"]:
        reason = "处理组这一期没有数据"
    elif not counts["controls"]:
        reason = "没有尚未实施的单位可作对照"
    if reason:
        blank = {"att": np.nan, "se": np.nan, "identified": False, "reason": reason}
        return counts | blank, np.full(len(panel.units), np.nan)
    if panel.covariates.shape[1]:
        att, influence = _doubly_robust(panel, change, treated, controls)
    else:
        n = len(panel.units)
        first, second = change[treated].mean(), change[controls].mean()
        att = first - second
        influence = np.zeros(n)
        influence[treated] = (change[treated] - first) * n / counts["treated"]
        influence[controls] = -(change[controls] - second) * n / counts["controls"]
    return counts | {
        "att": float(att),
        "se": _error(influence),
        "identified": True,
        "reason": None,
    }, influence


def _doubly_robust(
    panel: Panel, change: Array, treated: NDArray[np.bool_], controls: NDArray[np.bool_]
) -> tuple[float, Array]:
    """Doubly robust DiD for panel data: logit propensity, linear outcome among the controls."""
    used = treated | controls
    x = np.column_stack([np.ones(int(used.sum())), panel.covariates[used]])
    d, y = treated[used].astype(float), change[used]
    n = len(y)
    score, information = _logit(x, d)
    c = 1 - d
    gram = (x * c[:, None]).T @ x / n
    beta = np.linalg.solve(gram, (x * c[:, None]).T @ y / n)
    left = y - x @ beta
    odds = score * c / (1 - score)
    treat, cont = (d * left).mean() / d.mean(), (odds * left).mean() / odds.mean()
    # Linear representations of the two nuisance fits, then of the two means.
    ols = np.linalg.solve(gram, (x * (c * left)[:, None]).T).T
    propensity = np.linalg.solve(information / n, (x * (d - score)[:, None]).T).T
    in_treat = d * (left - treat) - ols @ (x * d[:, None]).mean(axis=0)
    slope = (x * (odds * (left - cont))[:, None]).mean(axis=0)
    in_cont = odds * (left - cont) + propensity @ slope - ols @ (x * odds[:, None]).mean(axis=0)
    part = in_treat / d.mean() - in_cont / odds.mean()
    influence = np.zeros(len(panel.units))
    influence[used] = part * len(panel.units) / n
    return float(treat - cont), influence


def _logit(x: Array, d: Array) -> tuple[Array, Array]:
    """Fitted chances and the information matrix of a logistic regression, by Newton's method."""
    beta = np.zeros(x.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        information = (x * (p * (1 - p))[:, None]).T @ x
        try:
            step = np.linalg.solve(information, x.T @ (d - p))
        except np.linalg.LinAlgError:
            break
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return p, information
    raise MethodError("倾向得分模型没有收敛：协变量几乎完全区分处理组与对照组", hint="请减少协变量")


def summarise(cells: GroupTime, kind: str = "simple") -> Summary:
    """Sum group-time effects, weighted by the size of their groups.

    Parameters
    ----------
    kind
        ``simple`` (all treated cells), ``event`` (by time since treatment; overall = mean of t ≥ g), ``group`` or ``calendar``.

    Raises
    ------
    RequestError
        An unknown kind.
    MethodError
        No treated cell is identified.
    """
    if kind not in SUMMARIES:
        raise RequestError("没有这种汇总", value=kind, hint=f"可用：{'、'.join(SUMMARIES)}")
    table = cells.table[cells.table["identified"]]
    after = table[table["event"] >= 0]
    if after.empty:
        raise MethodError("实施之后没有一个有对照的单元格，无法估计", hint="请把窗口截到尚有未实施单位的时候")
    panel = cells.panel
    share = {g: float(panel.members(g).mean()) for g in panel.cohorts}
    labels, parts = _parts(panel, table, after, kind)
    within = [_sum(cells, part, share, by_group=kind == "group") for part in parts]
    rows = [
        _row(label, att, influence, len(part))
        for label, part, (att, influence) in zip(labels, parts, within, strict=True)
    ]
    influences = [influence for _, influence in within]
    if kind != "simple":
        chosen = [place for place, part in enumerate(parts) if kind != "event" or part["event"].iloc[0] >= 0]
        values = np.array([within[place][0] for place in chosen])
        groups = [int(parts[place]["g"].iloc[0]) for place in chosen]
        weight = np.array([share[g] for g in groups]) if kind == "group" else np.ones(len(chosen))
        influence = np.column_stack([influences[place] for place in chosen]) @ (weight / weight.sum())
        if kind == "group":
            influence = influence + _weight_noise(panel, groups, weight, values)
        overall = float(values @ weight / weight.sum())
        rows.append(_row("overall", overall, influence, sum(len(parts[place]) for place in chosen)))
        influences.append(influence)
    return Summary(kind, pd.DataFrame(rows), np.column_stack(influences))


def _parts(
    panel: Panel, table: pd.DataFrame, after: pd.DataFrame, kind: str
) -> tuple[list[str], list[pd.DataFrame]]:
    """Which cells go into which row of a summary."""
    if kind == "simple":
        return ["overall"], [after]
    column, rows = {"event": ("event", table), "group": ("g", after), "calendar": ("t", after)}[kind]
    keys = sorted(int(key) for key in rows[column].unique())
    labels = [str(key) if kind == "event" else panel.times[key] for key in keys]
    return labels, [rows[rows[column] == key] for key in keys]


def _sum(
    cells: GroupTime, part: pd.DataFrame, share: Mapping[int, float], by_group: bool
) -> tuple[float, Array]:
    """Weighted mean of some cells and its influence function; equal weights within a group."""
    groups = [int(g) for g in part["g"]]
    weight = np.ones(len(part)) if by_group else np.array([share[g] for g in groups])
    values = part["att"].to_numpy(float)
    influence = cells.influence[:, part.index] @ (weight / weight.sum())
    if not by_group:
        influence = influence + _weight_noise(cells.panel, groups, weight, values)
    return float(values @ weight / weight.sum()), influence


def _weight_noise(panel: Panel, groups: list[int], weight: Array, values: Array) -> Array:
    """The group shares are estimated too: their part of the influence function."""
    member = np.column_stack([panel.members(g).astype(float) for g in groups])
    total = weight.sum()
    centred = member - weight
    first = centred / total
    second = centred.sum(axis=1, keepdims=True) * weight / total**2
    return np.asarray((first - second) @ values)


def _row(at: str, att: float, influence: Array, cells: int) -> dict[str, object]:
    error = _error(influence)
    return {
        "at": at,
        "att": att,
        "se": error,
        "low": att - 1.959964 * error,
        "high": att + 1.959964 * error,
        "cells": cells,
    }


def _error(influence: Array) -> float:
    return float(np.sqrt((influence**2).mean() / len(influence)))


def simultaneous_band(
    summary: Summary, *, coverage: float = 0.95, draws: int = 999, seed: int = 0
) -> pd.DataFrame:
    """Band that covers all rows of a summary at once, by the multiplier (Mammen) bootstrap of the influence function.

    Returns
    -------
    DataFrame
        The summary's table without the overall row, with ``low``, ``high`` of the band and ``critical``.
    """
    rows = summary.table[summary.table["at"] != "overall"].reset_index(drop=True)
    influence = summary.influence[:, : len(rows)]
    n = len(influence)
    golden = (np.sqrt(5) + 1) / 2
    chance = golden / np.sqrt(5)
    random = np.random.default_rng(seed).random((draws, n))
    multiplier = np.where(random < chance, 1 - golden, golden)
    drawn = multiplier @ influence / n
    error = rows["se"].to_numpy(float)
    critical = float(np.quantile(np.abs(drawn / error).max(axis=1), coverage))
    return rows.assign(
        low=rows["att"] - critical * error, high=rows["att"] + critical * error, critical=critical
    )


def pretest(cells: GroupTime) -> tuple[float, int, float]:
    """Joint Wald test that all effects before treatment are nought.

    Returns
    -------
    statistic, degrees of freedom, p
        Missing where there is no identified cell before treatment, or the cells are collinear (too few units).
    """
    from scipy.stats import chi2

    before = cells.table[cells.table["identified"] & (cells.table["event"] < 0)]
    if before.empty:
        return float("nan"), 0, float("nan")
    influence = cells.influence[:, before.index]
    n = len(influence)
    covariance = influence.T @ influence / n
    if np.linalg.matrix_rank(covariance) < len(before):
        return float("nan"), len(before), float("nan")
    att = before["att"].to_numpy(float)
    statistic = float(n * att @ np.linalg.solve(covariance, att))
    return statistic, len(before), float(chi2.sf(statistic, len(before)))


def imputation(panel: Panel) -> float:
    """Mean effect by imputation (Borusyak, Jaravel & Spiess): unit and time effects from untreated observations only.

    Raises
    ------
    MethodError
        A treated observation whose unit or time has no untreated one.
    """
    place = np.arange(len(panel.times))
    treated = place[None, :] >= panel.first[:, None]
    known = ~np.isnan(panel.outcome)
    clean = ~treated & known
    wanted = treated & known & clean.any(axis=1, keepdims=True) & clean.any(axis=0, keepdims=True)
    if not wanted.any() or (treated & known & ~wanted).any():
        raise MethodError(
            "有的实施后观测没有可比的未实施观测，插补法无法估计", hint="请把窗口截到尚有未实施单位的时候"
        )
    fitted = _two_way(panel.outcome, clean)
    return float((panel.outcome - fitted)[wanted].mean())


def _two_way(y: Array, used: NDArray[np.bool_]) -> Array:
    """Unit + time effects fitted on some observations, as a full matrix."""
    units, times = y.shape
    rows, columns = np.nonzero(used)
    design = np.zeros((len(rows), units + times))
    design[np.arange(len(rows)), rows] = 1
    design[np.arange(len(rows)), units + columns] = 1
    effects = np.linalg.lstsq(design, y[used], rcond=None)[0]
    return np.asarray(effects[:units, None] + effects[None, units:])


def twfe(panel: Panel) -> tuple[float, float]:
    """Two-way fixed-effects coefficient and its standard error clustered by unit (balanced panels only)."""
    if np.isnan(panel.outcome).any():
        raise MethodError("双向固定效应只用于没有缺失的面板")
    units, times = panel.outcome.shape
    treated = (np.arange(times)[None, :] >= panel.first[:, None]).astype(float)

    def within(matrix: Array) -> Array:
        return matrix - matrix.mean(axis=1, keepdims=True) - matrix.mean(axis=0) + matrix.mean()

    d, y = within(treated), within(panel.outcome)
    power = (d**2).sum()
    beta = float((d * y).sum() / power)
    scores = (d * (y - beta * d)).sum(axis=1)
    # Unit effects are nested in the clusters and cost no freedom; time effects and the coefficient do.
    rows = units * times
    small = units / (units - 1) * (rows - 1) / (rows - 1 - times)
    return beta, float(np.sqrt(small * (scores**2).sum()) / power)


def bacon(panel: Panel) -> pd.DataFrame:
    """Goodman-Bacon weights: of which comparisons the two-way coefficient is made.

    Returns
    -------
    DataFrame
        ``comparison`` (处理对从未, 先对后, 后对先), ``treated``, ``control`` (labels), ``weight``, ``estimate``. Weights add to 1;
        the weighted estimates to the two-way coefficient.
    """
    times = len(panel.times)
    groups: list[float] = [*map(float, panel.cohorts), *([np.inf] if np.isinf(panel.first).any() else [])]
    size = {g: float(np.mean(panel.first == g)) for g in groups}
    share = {g: 0.0 if np.isinf(g) else (times - g) / times for g in groups}
    rows = []
    for k in groups:
        for other in groups:
            if np.isinf(k) or k == other or share[k] == 1 or (share[other] == 1 and k > other):
                continue
            n, part = size[k] + size[other], size[k] / (size[k] + size[other])
            a, b = share[k], share[other]
            if np.isinf(other):
                kind, span, weight = "处理对从未", slice(0, times), n**2 * a * (1 - a)
            elif k < other:  # the earlier group against the later while that is untreated
                kind, span = "先对后", slice(0, int(other))
                weight = (n * (1 - b)) ** 2 * (a - b) / (1 - b) * (1 - a) / (1 - b)
            else:  # the later group against the earlier, already treated
                kind, span = "后对先", slice(int(other), times)
                weight = (n * b) ** 2 * a / b * (b - a) / b
            rows.append(
                {
                    "comparison": kind,
                    "treated": panel.times[int(k)],
                    "control": "从未" if np.isinf(other) else panel.times[int(other)],
                    "weight": weight * part * (1 - part),
                    "estimate": _two_by_two(panel, k, other, span),
                }
            )
    table = pd.DataFrame(rows)
    table["weight"] /= table["weight"].sum()
    return table


def _two_by_two(panel: Panel, k: float, other: float, span: slice) -> float:
    y = panel.outcome[:, span]
    start = int(k) - (span.start or 0)
    moved = y[:, start:].mean(axis=1) - y[:, :start].mean(axis=1)
    means = [np.compress(panel.first == group, moved).mean() for group in (k, other)]
    return float(means[0] - means[1])
