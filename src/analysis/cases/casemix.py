"""Case mix (案件结构): what a body's figure would be expected to be, given the cases it was given.

Indirect standardisation: every case carries the chance that cases of its topic, channel, path and level have over all
bodies; the sum over a body's cases is its expected count, and observed ÷ expected compares bodies that do not get the
same work. Computed on the rarer outcome (late, not on time), because a ratio near its ceiling cannot tell anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..errors import MethodError, RequestError
from . import intervals

METHODS = ("logistic", "strata")
OTHER = "其他"


def expected(
    frame: pd.DataFrame,
    factors: Sequence[str],
    *,
    method: str = "logistic",
    complement: bool = False,
    minimum_cases: int = 30,
    coverage: float = 0.95,
) -> pd.DataFrame:
    """Observed and expected counts, body by body.

    Parameters
    ----------
    frame
        One row a body and combination of factors: ``body``, the factors, ``numerator``, ``denominator``.
    factors
        Case-mix columns, such as ``topic_1``, ``channel``, ``path``, ``body_level``. A missing term is a term of its own.
    method
        ``logistic``: main effects on the log-odds, fitted over all bodies; ``strata``: the pooled rate of each combination.
    complement
        Count what is *not* in the numerator (for rates near 100 %).
    minimum_cases
        Terms with fewer cases are joined as 其他.

    Returns
    -------
    DataFrame
        ``body``, ``n``, ``observed``, ``expected``, ``ratio`` with Byar limits ``low`` and ``high``, ``adjusted`` (the pooled
        rate × ratio, kept within 0 and 1). Observed and expected sum to the same total.

    Raises
    ------
    RequestError
        A missing column, no factor, or an unknown method.
    MethodError
        Counts that are no proportion, or nothing observed at all.
    """
    if method not in METHODS:
        raise RequestError("没有这种调整方法", value=method, hint=f"可用：{'、'.join(METHODS)}")
    if not factors:
        raise RequestError("没有给出案件结构的字段", hint="例如 topic_1、channel、path")
    missing = [name for name in ("body", *factors, "numerator", "denominator") if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="请见函数说明中的列名")
    rows = frame[frame["denominator"] > 0].copy()
    if (rows["numerator"] > rows["denominator"]).any() or (rows["numerator"] < 0).any():
        raise MethodError("分子大于分母或为负，不是比例")
    rows["observed"] = rows["denominator"] - rows["numerator"] if complement else rows["numerator"]
    total, size = float(rows["observed"].sum()), float(rows["denominator"].sum())
    if total == 0:
        raise MethodError("所选期间没有发生所计的情形，无从调整", hint="请延长期间")
    for factor in factors:
        rows[factor] = _joined(rows, factor, minimum_cases)
    rows["expected"] = rows["denominator"] * (
        _strata(rows, factors) if method == "strata" else _logistic(rows, factors)
    )
    bodies = rows.groupby("body", as_index=False).agg(
        n=("denominator", "sum"), observed=("observed", "sum"), expected=("expected", "sum")
    )
    low, high = intervals.byar(bodies["observed"], coverage)
    bodies["ratio"] = bodies["observed"] / bodies["expected"]
    bodies["low"], bodies["high"] = low / bodies["expected"], high / bodies["expected"]
    bodies["adjusted"] = (total / size * bodies["ratio"]).clip(0, 1)
    if complement:
        bodies["adjusted"] = 1 - bodies["adjusted"]
    return bodies


def _joined(rows: pd.DataFrame, factor: str, minimum: int) -> pd.Series:
    terms = rows[factor].astype("string").fillna("未填")
    cases = rows.groupby(terms)["denominator"].transform("sum")
    return terms.where(cases >= minimum, OTHER)


def _strata(rows: pd.DataFrame, factors: Sequence[str]) -> np.ndarray:
    pooled = rows.groupby(list(factors))[["observed", "denominator"]].transform("sum")
    return (pooled["observed"] / pooled["denominator"]).to_numpy()


def _logistic(rows: pd.DataFrame, factors: Sequence[str]) -> np.ndarray:
    """Chance of each combination from main effects, by Newton's method on the grouped counts.

    A term in which nothing or everything happened has no finite log-odds; a small ridge keeps it in range. The intercept is
    free of it, so the expected counts sum to the observed ones.
    """
    cells = rows.groupby(list(factors), as_index=False)[["observed", "denominator"]].sum()
    design = pd.get_dummies(cells[list(factors)].astype(str), drop_first=True).to_numpy(float)
    x = np.column_stack([np.ones(len(cells)), design])
    y, n = cells["observed"].to_numpy(float), cells["denominator"].to_numpy(float)
    ridge = np.full(x.shape[1], 1e-6)
    ridge[0] = 0.0
    rate = y.sum() / n.sum()
    if rate == 1:
        return np.ones(len(rows))
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(rate / (1 - rate))
    for _ in range(100):
        p = 1 / (1 + np.exp(-(x @ beta)))
        gradient = x.T @ (y - n * p) - ridge * beta
        hessian = (x * (n * p * (1 - p))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        beta += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    else:
        raise MethodError("案件结构模型没有收敛", hint="请减少字段，或改用 strata")
    cells["chance"] = 1 / (1 + np.exp(-(x @ beta)))
    return rows.merge(cells[[*factors, "chance"]], on=list(factors), how="left")["chance"].to_numpy()
