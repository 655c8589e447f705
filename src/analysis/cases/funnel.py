"""Funnel limits (漏斗图): which bodies differ from the rest by more than their size and the usual spread explain.

After Spiegelhalter (2005): values on a scale where their spread is known, winsorised or truncated, overdispersion as an
additive between-body variance, limits brought back. Where FunnelPlotR does otherwise is told in ``docs/deviations.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .. import codebooks
from ..errors import MethodError, RequestError

KINDS = ("proportion", "cqc", "shmi", "counts")
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Funnel:
    """A fitted funnel.

    Attributes
    ----------
    table
        One row a body, in the order given: the input columns and ``value``, ``z`` (distance from the target in
        standard errors), ``se`` (on the transformed scale), ``lower_inner``, ``upper_inner``, ``lower_outer``,
        ``upper_outer``, ``position`` (below_outer, below_inner, inside, above_inner, above_outer; missing without a
        denominator), ``flag`` (outside the outer limits), ``p`` (two-sided, of the limits in force).
    kind
        ``proportion``; ``cqc`` and ``shmi`` for observed ÷ expected; ``counts`` for a ratio of two counts.
    target
        Centre line, on the scale of ``value``.
    phi, tau2
        Overdispersion factor, and the between-body variance on the transformed scale.
    adjusted
        Whether the limits contain ``tau2``.
    bodies
        Bodies with a denominator.
    inner, outer
        Probability between the inner and the outer limits.
    note
        Chinese sentence when the limits are unadjusted for want of bodies, else ``None``.
    """

    table: pd.DataFrame
    kind: str
    target: float
    phi: float
    tau2: float
    adjusted: bool
    bodies: int
    inner: float
    outer: float
    note: str | None

    def limits(self, sizes: ArrayLike) -> pd.DataFrame:
        """Limits in force at any denominators, to draw the funnel: ``denominator`` and the four limit columns."""
        size = np.asarray(sizes, float)
        return pd.DataFrame({"denominator": size}).assign(
            **_limits(
                self.kind, self.target, size, self.tau2 if self.adjusted else None, (self.inner, self.outer)
            )
        )

    @property
    def expected_false(self) -> float:
        """Bodies that would lie outside the outer limits though nothing is the matter with them.

        Unadjusted limits are crossed by chance alone; adjusted ones by the usual spread too, more often than their
        probability says, because winsorising does not let extremes widen the limits (a measured share).
        """
        settings = codebooks.load("comparison")["funnel"]
        usual = self.adjusted and self.outer == settings["outer"]
        return self.bodies * (settings["false_signals_adjusted"] if usual else 1 - self.outer)


def funnel(
    frame: pd.DataFrame,
    *,
    kind: str = "proportion",
    target: float | None = None,
    adjust: bool = True,
    minimum_bodies: int | None = None,
    inner: float | None = None,
    outer: float | None = None,
) -> Funnel:
    """Funnel limits with overdispersion, and which bodies lie outside.

    Parameters
    ----------
    frame
        Columns ``body``, ``numerator``, ``denominator`` (the expected count for ``cqc`` and ``shmi``).
    kind
        ``proportion`` (arcsine scale, z winsorised at the 10 % and 90 % quantiles), ``cqc`` (√(O/E), winsorised),
        ``shmi`` (log O/E, the lowest and highest tenth left out, expected counts rounded to 2 places) or ``counts``
        (log of a ratio of counts, winsorised).
    target
        Centre line; the pooled rate for ``proportion`` and ``counts``, 1 for ratios, unless given.
    adjust
        Adjust for overdispersion where phi > 1 and there are at least ``minimum_bodies``. Unadjusted limits are the
        exact binomial ones with Spiegelhalter's interpolation, or the exact Poisson ones.
    inner, outer
        Probabilities between the limits; from ``comparison.yml`` unless given.

    Raises
    ------
    RequestError
        A missing column or an unknown kind.
    MethodError
        A proportion above 1, a negative count, or no body with a denominator.
    """
    book = codebooks.load("comparison")
    settings = book["funnel"]
    inner, outer = inner or settings["inner"], outer or settings["outer"]
    least = settings["minimum_bodies"] if minimum_bodies is None else minimum_bodies
    _check(frame, kind)
    observed = frame["numerator"].to_numpy(float)
    size = frame["denominator"].to_numpy(float)
    known = size > 0
    if not known.any():
        raise MethodError("没有一个单位有分母，画不出漏斗图", hint="请检查所选的指标、期间和地区")
    if target is None:
        target = 1.0 if kind in ("cqc", "shmi") else float(observed[known].sum() / size[known].sum())

    rounded = np.round(size, 2) if kind == "shmi" else size
    y, se = _transform(kind, observed, rounded)
    z = (y - _scale(kind, target)) / se
    phi, tau2 = overdispersion(z[known], se[known], how="truncate" if kind == "shmi" else "winsorise")
    bodies = int(known.sum())
    few = bodies < least
    adjusted = adjust and not few and phi > 1 and tau2 > 0

    columns = _limits(kind, target, size, tau2 if adjusted else None, (inner, outer))
    value = np.full(len(frame), np.nan)
    value[known] = observed[known] / size[known]
    position = _position(value, columns, known)
    table = frame.assign(
        value=value,
        z=np.where(known, z, np.nan),
        se=np.where(known, se, np.nan),
        **columns,
        position=position,
        flag=np.isin(position.astype(str), ("below_outer", "above_outer")),
        p=_two_sided(z * se / np.sqrt(se**2 + (tau2 if adjusted else 0.0)), known),
    )
    note = book["notes"]["unadjusted_few"].format(minimum=least) if adjust and few else None
    return Funnel(table, kind, target, phi, tau2, bool(adjusted), bodies, inner, outer, note)


def overdispersion(z: Array, se: Array, *, how: str = "winsorise") -> tuple[float, float]:
    """Overdispersion factor phi and between-body variance tau² (method of moments).

    ``winsorise`` pulls z in to its 10 % and 90 % quantiles; ``truncate`` leaves the lowest and highest tenth of the
    bodies out (rounded down).
    """
    share = codebooks.load("comparison")["funnel"]["winsorise"]
    if how == "truncate":
        cut = int(share * len(z))
        kept = np.argsort(z, kind="stable")[cut : len(z) - cut]
        z, se = z[kept], se[kept]
    else:
        z = np.clip(z, *np.quantile(z, [share, 1 - share]))
    k = len(z)
    phi = float(np.mean(z**2))
    weights = 1 / se**2
    freedom = weights.sum() - (weights**2).sum() / weights.sum()
    excess = k * phi - (k - 1)
    return phi, float(max(0.0, excess / freedom)) if k > 1 else 0.0


def exact_binomial(target: float, size: Array, side: int, tail: float) -> Array:
    """Exact limit of a proportion, interpolated between counts so that the funnel has no steps (Spiegelhalter).

    ``side`` −1 below, 1 above. The upper limit is the lower one of the complement: interpolated on its own side it would
    lie below counts that are anything but rare, such as all on time.
    """
    from scipy.stats import binom

    if side > 0:
        return 1 - exact_binomial(1 - target, size, -1, tail)
    if target in (0.0, 1.0):
        return np.full(np.shape(size), target)
    n = np.maximum(np.floor(size), 1)  # effective sizes are fractional
    count = binom.ppf(tail, n, target)
    at, below = binom.cdf(count, n, target), binom.cdf(count - 1, n, target)
    return np.clip((count - (at - tail) / (at - below)) / n, 0, 1)


def exact_poisson(size: Array, side: int, tail: float) -> Array:
    """Exact limit of observed ÷ expected at an expected count: the χ² form; ``side`` −1 below, 1 above."""
    from scipy.stats import chi2

    if side < 0:
        return np.asarray(chi2.ppf(tail, 2 * size) / 2 / size)
    return np.asarray(chi2.ppf(1 - tail, 2 * (size + 1)) / 2 / size)


def _transform(kind: str, observed: Array, size: Array) -> tuple[Array, Array]:
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "proportion":
            return np.arcsin(np.sqrt(observed / size)), 1 / (2 * np.sqrt(size))
        if kind == "cqc":
            return np.sqrt(observed / size), 1 / (2 * np.sqrt(size))
        if kind == "shmi":
            # A body with no observed case has no logarithm; half a case stands in for none.
            return np.log(np.maximum(observed, 0.5) / size), 1 / np.sqrt(size)
        y = np.log((observed + 0.5) / (size + 0.5))
        return y, np.sqrt(_log_ratio_variance(observed, size))


def _log_ratio_variance(observed: Array, size: Array) -> Array:
    return observed / (observed + 0.5) ** 2 + size / (size + 0.5) ** 2


def _scale(kind: str, value: float) -> float:
    if kind == "proportion":
        return float(np.arcsin(np.sqrt(value)))
    return float(np.sqrt(value)) if kind == "cqc" else float(np.log(value))


def _back(kind: str, y: Array) -> Array:
    if kind == "proportion":
        # Past a quarter turn the sine would come down again: limits stay at 0 and 1 there.
        return np.sin(np.clip(y, 0, np.pi / 2)) ** 2
    return np.maximum(y, 0) ** 2 if kind == "cqc" else np.exp(y)


def _limits(
    kind: str, target: float, size: Array, tau2: float | None, probabilities: tuple[float, float]
) -> dict[str, Array]:
    from scipy.special import ndtri

    known = size > 0
    some = size[known]
    columns = {}
    for name, inside in zip(("inner", "outer"), probabilities, strict=True):
        tail = (1 - inside) / 2
        for label, side in (("lower", -1), ("upper", 1)):
            limit = np.full(len(size), np.nan)
            if tau2 is None and kind == "proportion":
                limit[known] = exact_binomial(target, some, side, tail)
            elif tau2 is None and kind in ("cqc", "shmi"):
                limit[known] = target * exact_poisson(some * target, side, tail)
            else:
                variance = _expected_variance(kind, target, some)
                sd = np.sqrt(variance + (tau2 or 0.0))
                limit[known] = _back(kind, _scale(kind, target) - side * ndtri(tail) * sd)
            columns[f"{label}_{name}"] = limit
    return columns


def _expected_variance(kind: str, target: float, size: Array) -> Array:
    if kind == "shmi":
        return np.asarray(1 / size)
    if kind == "counts":
        return _log_ratio_variance(target * size, size)
    return np.asarray(1 / (4 * size))


def _position(value: Array, columns: dict[str, Array], known: NDArray[np.bool_]) -> NDArray[np.object_]:
    position = np.full(len(value), "inside", dtype=object)
    # A value that rounds to its own limit (0 or 1 at the edge) lies on it, not beyond.
    for name in ("inner", "outer"):
        position[value < columns[f"lower_{name}"] - 1e-12] = f"below_{name}"
        position[value > columns[f"upper_{name}"] + 1e-12] = f"above_{name}"
    position[~known] = None
    return position


def _two_sided(z: Array, known: NDArray[np.bool_]) -> Array:
    from scipy.special import ndtr

    return np.where(known, 2 * ndtr(-np.abs(z)), np.nan)


def _check(frame: pd.DataFrame, kind: str) -> None:
    if kind not in KINDS:
        raise RequestError("没有这种漏斗图", value=kind, hint=f"可用：{'、'.join(KINDS)}")
    missing = [name for name in ("body", "numerator", "denominator") if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="漏斗图需要 body、numerator、denominator")
    for row, (observed, size) in enumerate(zip(frame["numerator"], frame["denominator"], strict=True), 1):
        if observed < 0 or size < 0:
            raise MethodError("计数为负", row=row, value=min(observed, size), hint="请先核对该行数据")
        if kind == "proportion" and size > 0 and observed > size:
            raise MethodError("分子大于分母，不是比例", row=row, value=f"{observed}/{size}")
