"""Interrupted time series (中断时间序列): one series, one date, and how often dates without any event look like it.

Segmented regression after Lopez Bernal, Cummins & Gasparrini (2017): quasi-Poisson for counts with an exposure, least
squares with Newey–West errors otherwise; season by harmonics. It has no controls: whatever else happened at the date is in
the estimate, and the sentence under it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError, MethodError, RequestError
from .panel import Array

FAMILIES = ("poisson", "quasipoisson", "ols")
_PLACEBO = ["date", "level", "low", "high", "excludes_none"]


@dataclass(frozen=True)
class Interruption:
    """A fitted interruption.

    Attributes
    ----------
    family
        ``poisson``, ``quasipoisson`` or ``ols``.
    level, level_low, level_high, level_p
        Change of level at the date: a rate ratio for counts, a difference for ``ols``; 95 % interval.
    slope, slope_low, slope_high, slope_p
        Change of slope per period (ratio or difference); missing when not asked for.
    trend
        Slope before the date, per period (ratio or difference).
    dispersion
        Pearson χ² ÷ residual degrees of freedom; of ``ols`` the residual variance.
    autocorrelation
        Of the residuals at lags 1 to 6.
    table
        The series with ``fitted`` and ``counterfactual`` (the fit without the interruption).
    placebo
        The same model with the date moved to each earlier period that leaves enough on both sides, on data before the true
        date: ``date``, ``level``, ``low``, ``high``, ``excludes_none``.
    """

    family: str
    level: float
    level_low: float
    level_high: float
    level_p: float
    slope: float
    slope_low: float
    slope_high: float
    slope_p: float
    trend: float
    dispersion: float
    autocorrelation: tuple[float, ...]
    table: pd.DataFrame
    placebo: pd.DataFrame

    @property
    def false_alarms(self) -> float:
        """Share of fake dates whose interval excludes no effect; missing without fake dates."""
        return float(self.placebo["excludes_none"].mean()) if len(self.placebo) else float("nan")


@dataclass(frozen=True)
class _Model:
    """The choices that the fit and its placebos share."""

    family: str
    harmonics: int
    slope: bool
    period: int
    lags: int
    small_sample: bool

    @property
    def needed(self) -> int:
        """Periods before the date that the terms take up."""
        return max(2 * self.harmonics + (4 if self.slope else 3), 6)


def interrupt(
    frame: pd.DataFrame,
    at: object,
    *,
    family: str = "quasipoisson",
    harmonics: int = 2,
    slope: bool = False,
    period: int = 12,
    lags: int = 6,
    small_sample: bool = True,
    placebos: bool = True,
) -> Interruption:
    """Fit the interruption at a date.

    Parameters
    ----------
    frame
        Columns ``time`` (sortable, equally spaced), ``outcome``, and ``exposure`` for rates. Season is read off the position
        in the year: ``season`` (1 … ``period``) when given, else the row's place.
    at
        First time at which the change is in force.
    slope
        Whether the slope may change too.
    lags, small_sample
        Of the Newey–West errors of ``ols``.

    Raises
    ------
    InputError
        A missing column or a missing outcome.
    RequestError
        An unknown family, or a date outside the series.
    MethodError
        Fewer periods on either side than the model can use.
    """
    if family not in FAMILIES:
        raise RequestError("没有这种模型", value=family, hint=f"可用：{'、'.join(FAMILIES)}")
    for column in ("time", "outcome"):
        if column not in frame:
            raise InputError(f"缺少列：{column}", hint="中断时间序列需要 time 和 outcome")
    series = frame.sort_values("time").reset_index(drop=True)
    if series["outcome"].isna().any():
        raise InputError("序列中有缺失值", row=int(series["outcome"].isna().argmax()) + 1)
    after = (series["time"] >= at).to_numpy()
    if not after.any() or after.all():
        raise RequestError(
            "中断时间不在序列之内",
            value=str(at),
            hint=f"序列为 {series['time'].iloc[0]} 至 {series['time'].iloc[-1]}",
        )
    start = int(after.argmax())
    model = _Model(family, harmonics, slope, period, lags, small_sample)
    if start < model.needed or len(series) - start < 3:
        raise MethodError(
            "中断前后的期数太少",
            value=f"前 {start} 期、后 {len(series) - start} 期",
            hint="请减少季节项，或延长序列",
        )
    fit, design, names = _fit(series, start, model)
    low, high = _interval(fit, family)
    level = names.index("post")
    back = np.exp if family != "ols" else float
    change = names.index("slope") if slope else None
    plain = design.copy()
    plain[:, level] = 0
    if change is not None:
        plain[:, change] = 0
    offset = _offset(series, family)
    residual = _residuals(fit, series, design, offset, family)
    table = series.assign(
        fitted=_predict(fit, design, offset, family), counterfactual=_predict(fit, plain, offset, family)
    )
    fakes = _placebo(series, start, model) if placebos else pd.DataFrame(columns=_PLACEBO)
    missing = float("nan")
    return Interruption(
        family=family,
        level=float(back(fit.params[level])),
        level_low=float(back(low[level])),
        level_high=float(back(high[level])),
        level_p=_p(fit, level, family),
        slope=missing if change is None else float(back(fit.params[change])),
        slope_low=missing if change is None else float(back(low[change])),
        slope_high=missing if change is None else float(back(high[change])),
        slope_p=missing if change is None else _p(fit, change, family),
        trend=float(back(fit.params[names.index("time")])),
        dispersion=_dispersion(fit, family),
        autocorrelation=tuple(_autocorrelation(residual, lag) for lag in range(1, 7)),
        table=table,
        placebo=fakes,
    )


def _design(series: pd.DataFrame, start: int, model: _Model) -> tuple[Array, list[str]]:
    place = np.arange(len(series), dtype=float)
    season = series["season"].to_numpy(float) if "season" in series else place + 1
    columns = {"const": np.ones(len(series)), "post": (place >= start).astype(float), "time": place + 1}
    if model.slope:
        columns["slope"] = np.maximum(place - start, 0) * (place >= start)
    for k in range(1, model.harmonics + 1):
        columns[f"sin{k}"] = np.sin(2 * np.pi * k * season / model.period)
        columns[f"cos{k}"] = np.cos(2 * np.pi * k * season / model.period)
    return np.column_stack(list(columns.values())), list(columns)


def _offset(series: pd.DataFrame, family: str) -> Array | None:
    if "exposure" not in series:
        return None
    exposure = series["exposure"].to_numpy(float)
    if not (exposure > 0).all():
        raise InputError("分母应为正数", row=int((exposure <= 0).argmax()) + 1)
    return np.log(exposure) if family != "ols" else None


def _fit(series: pd.DataFrame, start: int, model: _Model) -> tuple[Any, Array, list[str]]:
    import statsmodels.api as sm

    design, names = _design(series, start, model)
    outcome = series["outcome"].to_numpy(float)
    if model.family == "ols":
        options = {"maxlags": model.lags, "use_correction": model.small_sample}
        return sm.OLS(outcome, design).fit(cov_type="HAC", cov_kwds=options), design, names
    if (outcome < 0).any():
        raise InputError("计数为负", row=int((outcome < 0).argmax()) + 1)
    glm = sm.GLM(outcome, design, family=sm.families.Poisson(), offset=_offset(series, model.family))
    return glm.fit(scale="X2" if model.family == "quasipoisson" else None), design, names


def _interval(fit: Any, family: str) -> tuple[Array, Array]:
    # The normal quantile throughout, as R's published intervals of these models have it.
    reach = 1.959964 * np.asarray(fit.bse)
    return np.asarray(fit.params) - reach, np.asarray(fit.params) + reach


def _p(fit: Any, place: int, family: str) -> float:
    """Two-sided p-value: t with the residual degrees of freedom where the dispersion is estimated, else normal."""
    from scipy.stats import norm, t

    statistic = abs(float(fit.params[place]) / float(fit.bse[place]))
    return float(2 * (norm.sf(statistic) if family == "poisson" else t.sf(statistic, fit.df_resid)))


def _predict(fit: Any, design: Array, offset: Array | None, family: str) -> Array:
    line = design @ np.asarray(fit.params)
    if family == "ols":
        return np.asarray(line)
    return np.asarray(np.exp(line + (0 if offset is None else offset)))


def _residuals(fit: Any, series: pd.DataFrame, design: Array, offset: Array | None, family: str) -> Array:
    fitted = _predict(fit, design, offset, family)
    plain = series["outcome"].to_numpy(float) - fitted
    return plain if family == "ols" else plain / np.sqrt(fitted)


def _dispersion(fit: Any, family: str) -> float:
    if family == "ols":
        return float(fit.scale)
    return float(fit.pearson_chi2 / fit.df_resid)


def _autocorrelation(residual: Array, lag: int) -> float:
    centred = residual - residual.mean()
    return float((centred[lag:] * centred[:-lag]).sum() / (centred**2).sum())


def _placebo(series: pd.DataFrame, start: int, model: _Model) -> pd.DataFrame:
    """The model at every earlier date that leaves enough on both sides, on what came before the true one."""
    before = series.iloc[:start].reset_index(drop=True)
    back = np.exp if model.family != "ols" else float
    rows = []
    for fake in range(model.needed, start - 2):
        fit, _, names = _fit(before, fake, model)
        low, high = _interval(fit, model.family)
        place = names.index("post")
        rows.append(
            {
                "date": before["time"].iloc[fake],
                "level": float(back(fit.params[place])),
                "low": float(back(low[place])),
                "high": float(back(high[place])),
                "excludes_none": bool(low[place] > 0 or high[place] < 0),
            }
        )
    return pd.DataFrame(rows, columns=_PLACEBO)
