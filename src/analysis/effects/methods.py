"""From a panel to a result that says what it rests on: one call a method, plain values out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import MethodError, RequestError
from . import did as differences
from .design import design, records, specification
from .its import interrupt
from .panel import Panel
from .power import mde
from .randomisation import randomise
from .synthetic import synthetic_control

METHODS = ("did", "its", "synthetic")


def estimate(panel: Panel, method: str = "did", **options: Any) -> dict[str, Any]:
    """Estimate by one method.

    Parameters
    ----------
    method
        ``did`` (:func:`staggered`), ``its`` (:func:`interrupted`) or ``synthetic`` (:func:`synthesised`); ``options`` go to it.

    Returns
    -------
    dict
        ``method``, ``specification`` (hash of what was to be estimated), ``window``, the method's results, and ``refusals`` and
        ``caveats`` as Chinese sentences.
    """
    if method not in METHODS:
        raise RequestError("没有这种估计方法", value=method, hint=f"可用：{'、'.join(METHODS)}")
    if method == "did":
        return staggered(panel, **options)
    return interrupted(panel, **options) if method == "its" else synthesised(panel, **options)


def staggered(
    panel: Panel, *, control: str | None = None, base: str = "varying", draws: int = 999, seed: int = 0
) -> dict[str, Any]:
    """Group-time effects up to the last time with controls, each cohort by randomisation inference, with its MDE.

    Parameters
    ----------
    control
        ``never`` where the window has such units, else ``not_yet``, unless given.

    Raises
    ------
    MethodError
        No cell has a control.
    """
    report = design(panel, draws=199, seed=seed)
    if report.last_identified is None:
        raise MethodError(
            "没有一个单元格有对照，不能作双重差分", hint="可改用 its（中断时间序列），并说明其局限"
        )
    window = panel.until(report.last_identified)
    spared = bool(np.isinf(window.first).any())
    control = control or ("never" if spared else "not_yet")
    cells = differences.att_gt(window, control=control, base=base)
    summaries = {kind: differences.summarise(cells, kind) for kind in differences.SUMMARIES}
    few = min(int(window.members(g).sum()) for g in window.cohorts) < differences.FEW
    att, error = summaries["simple"].overall
    overall: dict[str, Any] = {"att": att, "se_clustered": None if few else error}
    if spared:
        drawn = randomise(window, control=control, base=base, draws=draws, seed=seed)
        overall |= {
            "p_randomisation": drawn.p,
            "low": drawn.low,
            "high": drawn.high,
            "sd_randomisation": drawn.sd,
        }
    statistic, freedom, p = differences.pretest(differences.att_gt(window, control=control, base="varying"))
    sizes = mde(window, draws=199, seed=seed)
    return {
        "method": "did",
        "specification": specification(window, method="did", control=control, base=base),
        "window": [window.times[0], window.times[-1]],
        "control": control,
        "base": base,
        "cells": records(cells.table.drop(columns=["g", "t"])),
        "refused_cells": records(report.cells[~report.cells["identified"]]),
        "overall": overall,
        "cohorts": [_cohort(window, g, sizes, control, base, draws, seed) for g in window.cohorts if g > 0],
        **{kind: _rows(summary, few) for kind, summary in summaries.items() if kind != "simple"},
        "pretest": {"chi2": _number(statistic), "df": freedom, "p": _number(p)},
        "imputation": _imputed(window),
        "refusals": list(report.refusals),
        "caveats": [
            "平行趋势是假定，前趋势检验未拒绝不等于成立",
            "单位数少时以随机化推断为准；估计值须与最小可检出效应一并阅读",
        ],
    }


def _rows(summary: differences.Summary, few: bool) -> list[Any]:
    """A summary's rows; clustered errors of too few units are not given as if they were some."""
    table = summary.table.drop(columns="cells")
    return records(table.drop(columns=["se", "low", "high"]) if few else table)


def _cohort(
    window: Panel, g: int, sizes: pd.DataFrame, control: str, base: str, draws: int, seed: int
) -> dict[str, Any]:
    count = int(window.members(g).sum())
    row: dict[str, Any] = {"group": window.times[g], "units": count}
    own = sizes[sizes["group"] == window.times[g]].set_index("base")["mde"]
    row |= {f"mde_{name}": _number(own.get(name, np.nan)) for name in ("varying", "all_pre")}
    try:
        drawn = randomise(window, cohort=g, control=control, base=base, draws=draws, seed=seed)
    except MethodError as error:
        return row | {"att": None, "p_randomisation": None, "note": str(error)}
    row |= {
        "att": drawn.estimate,
        "low": drawn.low,
        "high": drawn.high,
        "p_randomisation": drawn.p,
        "sd_randomisation": drawn.sd,
        "draws": len(drawn.draws),
    }
    other = "varying" if base == "all_pre" else "all_pre"
    again = randomise(window, cohort=g, control=control, base=other, draws=draws, seed=seed)
    row |= {"other_base": other, "att_other_base": again.estimate, "p_other_base": again.p}
    enough = count >= differences.FEW
    row["note"] = None if enough else "单位太少，不给聚类标准误"
    return row


def interrupted(
    panel: Panel, *, cohort: str | None = None, family: str = "ols", slope: bool = False, **options: Any
) -> dict[str, Any]:
    """Interrupted time series of a cohort's mean outcome.

    Parameters
    ----------
    cohort
        Label of the cohort's first treated time; not needed when there is but one.
    """
    g = _chosen(panel, cohort)
    rows = panel.outcome[panel.members(g)]
    frame = pd.DataFrame({"time": np.arange(len(panel.times)), "outcome": np.nanmean(rows, axis=0)})
    monthly = all(len(label) == 7 and label[4] == "-" for label in panel.times)
    if monthly:
        frame["season"] = [int(label[5:7]) for label in panel.times]
    harmonics = options.pop("harmonics", 2 if monthly else 0)
    fit = interrupt(frame, g, family=family, harmonics=harmonics, slope=slope, **options)
    names = (
        "level",
        "level_low",
        "level_high",
        "level_p",
        "slope",
        "slope_low",
        "slope_high",
        "slope_p",
        "trend",
    )
    table = fit.table.assign(time=list(panel.times))[["time", "outcome", "fitted", "counterfactual"]]
    return {
        "method": "its",
        "specification": specification(
            panel, method="its", cohort=panel.times[g], family=family, slope=slope
        ),
        "window": [panel.times[0], panel.times[-1]],
        "cohort": panel.times[g],
        "units": int(panel.members(g).sum()),
        "family": family,
        "harmonics": harmonics,
        **{name: _number(getattr(fit, name)) for name in names},
        "dispersion": fit.dispersion,
        "autocorrelation": list(fit.autocorrelation),
        "false_alarms": _number(fit.false_alarms),
        "placebo": records(
            fit.placebo.assign(date=[panel.times[int(place)] for place in fit.placebo["date"]])
        ),
        "series": records(table),
        "refusals": [],
        "caveats": [
            "没有对照：同一时点发生的其他事情也在估计值之内",
            "假日期中有多少也显示变化，见 false_alarms",
        ],
    }


def synthesised(
    panel: Panel, *, treated: str | None = None, until: str | None = None, max_pre_fit: float | None = None
) -> dict[str, Any]:
    """Synthetic control of one treated unit, the window cut where its donors are treated."""
    window = panel if until is None else panel.until(until)
    fit = synthetic_control(window, treated, max_pre_fit=max_pre_fit)
    return {
        "method": "synthetic",
        "specification": specification(window, method="synthetic", treated=fit.unit),
        "window": [window.times[0], window.times[-1]],
        "unit": fit.unit,
        "start": fit.start,
        "att": fit.att,
        "pre_mspe": fit.pre_mspe,
        "post_mspe": fit.post_mspe,
        "weights": {str(name): float(weight) for name, weight in fit.weights.items()},
        "rank": list(fit.rank),
        "path": records(fit.path),
        "placebo": records(fit.placebo),
        "refusals": [],
        "caveats": ["安慰剂名次只作描述：均值回归会使其偏于拒绝", "拟合不好的单位（实施前误差大）不宜解读"],
    }


def _chosen(panel: Panel, cohort: str | None) -> int:
    found = [g for g in panel.cohorts if g > 0]
    if cohort is None:
        if len(found) != 1:
            labels = "、".join(panel.times[g] for g in found) or "无"
            raise RequestError("实施时间不止一个，请指明", hint=f"可选：{labels}")
        return found[0]
    if cohort not in panel.times or panel.times.index(cohort) not in found:
        raise RequestError(
            "没有这个实施时间", value=cohort, hint=f"可选：{'、'.join(panel.times[g] for g in found)}"
        )
    return panel.times.index(cohort)


def _imputed(window: Panel) -> float | None:
    try:
        return differences.imputation(window)
    except MethodError:
        return None


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
