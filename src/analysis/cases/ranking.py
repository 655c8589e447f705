"""Rank intervals (名次区间): a league table that says how little it knows.

Two answers, kept apart. *Rank bands* (Goldstein & Spiegelhalter 1996) draw every body's rate from its posterior and rank
within each draw: descriptive, no promise of coverage. *Rank sets* (Mogstad, Romano, Shaikh & Wilhelm 2024) invert tests
of all pairwise differences: with the stated probability they contain the true rank of one body (marginal) or of all
bodies at once (simultaneous). Estimates with standard errors use Gaussian draws (:func:`rank_sets`); counts use exact
pairwise tests with Holm's correction, because near 100 % and with few cases the Gaussian sets promise too much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .. import codebooks
from ..errors import MethodError, RequestError

Array = NDArray[np.float64]
Ranks = NDArray[np.int64]
Noise = Callable[[int, NDArray[np.bool_]], Array]
PRIORS = ("empirical_bayes", "jeffreys")


def rank_intervals(
    frame: pd.DataFrame,
    *,
    highest_first: bool = True,
    prior: str | None = None,
    coverage: float | None = None,
    draws: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Rank bodies by a proportion, with bands, sets, and from how many others each cannot be told apart.

    Parameters
    ----------
    frame
        Columns ``body``, ``numerator``, ``denominator`` (above 0; fractional for an effective sample size). Bodies too
        small to rank are left out by the caller, who lists them.
    highest_first
        Whether rank 1 is the highest rate.
    prior
        ``empirical_bayes`` (beta-binomial fit over the bodies) or ``jeffreys``, for the bands.
    coverage, draws
        From ``comparison.yml`` unless given.
    seed
        Same seed, same table.

    Returns
    -------
    DataFrame
        One row a body in the order given: ``body``, ``rank`` (ties share the better one), ``band_low``, ``band_high``
        (posterior draws, descriptive), ``rank_low``, ``rank_high`` (marginal set), ``set_low``, ``set_high``
        (simultaneous), ``undistinguished`` (other bodies that the simultaneous tests tell neither above nor below).

    Raises
    ------
    RequestError
        An unknown prior or a missing column.
    MethodError
        A body without a denominator.
    """
    settings = codebooks.load("comparison")["ranking"]
    prior = prior or settings["prior"]
    coverage, draws = coverage or settings["coverage"], draws or settings["draws"]
    missing = [name for name in ("body", "numerator", "denominator") if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="排名需要 body、numerator、denominator")
    good, size = frame["numerator"].to_numpy(float), frame["denominator"].to_numpy(float)
    if not (size > 0).all():
        raise MethodError("有单位没有分母，不能排名", value=frame["body"][~(size > 0)].iloc[0])
    sign = 1.0 if highest_first else -1.0

    band_low, band_high = rank_bands(
        beta_draws(good, size, prior=prior, draws=draws, seed=seed) * sign, coverage
    )
    above = _exact_above(good, size) if highest_first else _exact_above(size - good, size)
    low, high = _holm_sets(above, False, coverage)
    set_low, set_high = _holm_sets(above, True, coverage)
    return pd.DataFrame(
        {
            "body": frame["body"].to_numpy(),
            "rank": ranks(sign * good / size),
            "band_low": band_low,
            "band_high": band_high,
            "rank_low": low,
            "rank_high": high,
            "set_low": set_low,
            "set_high": set_high,
            "undistinguished": set_high - set_low,
        }
    )


def ranks(values: ArrayLike) -> Ranks:
    """Rank of each value, 1 the highest; ties share the better rank (1, 2, 2, 4)."""
    value = np.asarray(values, float)
    ordered = np.sort(value)
    return (len(value) - np.searchsorted(ordered, value, side="right") + 1).astype(np.int64)


def rank_bands(samples: Array, coverage: float = 0.95) -> tuple[Ranks, Ranks]:
    """Percentiles of the rank within each draw.

    Parameters
    ----------
    samples
        Draws × bodies, higher is better.

    Returns
    -------
    low, high
        Ranks between which the stated share of draws lies, rounded outward.
    """
    within = (-samples).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 1
    tail = (1 - coverage) / 2
    low = np.quantile(within, tail, axis=0, method="lower")
    high = np.quantile(within, 1 - tail, axis=0, method="higher")
    return low.astype(np.int64), high.astype(np.int64)


def beta_draws(
    numerator: ArrayLike, denominator: ArrayLike, *, prior: str = "jeffreys", draws: int, seed: int = 0
) -> Array:
    """Posterior draws of each body's rate, draws × bodies."""
    k, n = np.asarray(numerator, float), np.asarray(denominator, float)
    if prior not in PRIORS:
        raise RequestError("没有这种先验", value=prior, hint=f"可用：{'、'.join(PRIORS)}")
    a, b = (0.5, 0.5) if prior == "jeffreys" else beta_binomial(k, n)
    return np.random.default_rng(seed).beta(k + a, n - k + b, size=(draws, len(k)))


def beta_binomial(numerator: ArrayLike, denominator: ArrayLike) -> tuple[float, float]:
    """Maximum-likelihood Beta(a, b) that the bodies' rates come from (the empirical-Bayes prior).

    Where the bodies differ by no more than chance, a + b runs up to its bound of 1e6 and the draws shrink to the pooled
    rate, as they should.
    """
    from scipy.optimize import minimize
    from scipy.special import betaln, expit, logit

    k, n = np.asarray(numerator, float), np.asarray(denominator, float)

    def shape(point: Array) -> tuple[float, float]:
        mean, precision = expit(point[0]), np.exp(point[1])
        return mean * precision, (1 - mean) * precision

    def loss(point: Array) -> float:
        a, b = shape(point)
        return float(-np.sum(betaln(k + a, n - k + b) - betaln(a, b)))

    pooled = float(logit(np.clip((k.sum() + 0.5) / (n.sum() + 1), 1e-6, 1 - 1e-6)))
    bounds = [(-14, 14), (np.log(0.02), np.log(1e6))]
    fits = [
        minimize(loss, np.array([pooled, np.log(start)]), method="L-BFGS-B", bounds=bounds)
        for start in (2.0, 30.0, 1000.0)
    ]
    return shape(min(fits, key=lambda fit: fit.fun).x)


def rank_sets(
    values: ArrayLike,
    errors: ArrayLike,
    *,
    simultaneous: bool = False,
    stepdown: bool = True,
    coverage: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> tuple[Ranks, Ranks]:
    """Confidence sets for ranks by inverting pairwise tests (two-sided).

    Parameters
    ----------
    values, errors
        Independent estimates, higher is better, and their standard errors.
    simultaneous
        All ranks at once; otherwise each body's own.
    stepdown
        Drop rejected pairs and test the rest again, until nothing more is rejected.

    Returns
    -------
    low, high
        1 + the bodies significantly better; the number of bodies − those significantly worse.
    """
    x = np.asarray(values, float)
    apart, noise = _pairs(x, np.asarray(errors, float), draws, seed)
    bodies = len(x)
    if simultaneous:
        above = _reject(apart, noise, coverage, stepdown, ~np.eye(bodies, dtype=bool))
        return _bounds(above.sum(axis=0), above.sum(axis=1))
    better, worse = np.zeros(bodies), np.zeros(bodies)
    for j in range(bodies):
        above = _reject(apart, noise, coverage, stepdown, _touching(bodies, j))
        better[j], worse[j] = above[:, j].sum(), above[j].sum()
    return _bounds(better, worse)


def tau_best(
    values: ArrayLike,
    errors: ArrayLike,
    tau: int,
    *,
    worst: bool = False,
    coverage: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Which bodies cannot be excluded from the best (or worst) ``tau``: one-sided simultaneous tests with stepdown.

    With the stated probability the set contains all bodies that truly are among the ``tau``.
    """
    x = np.asarray(values, float) * (-1 if worst else 1)
    apart, noise = _pairs(x, np.asarray(errors, float), draws, seed)
    above = _reject(apart, noise, coverage, True, ~np.eye(len(x), dtype=bool))
    return np.asarray(above.sum(axis=0) < tau)


def multinomial_rank_sets(
    counts: ArrayLike, *, simultaneous: bool = False, coverage: float = 0.95
) -> tuple[Ranks, Ranks]:
    """Rank sets for categories of one multinomial count: exact pairwise binomial tests, Holm's correction.

    For shares of a whole (topics, channels), whose counts depend on one another; finite-sample valid.
    """
    from scipy.stats import binom

    x = np.asarray(counts, dtype=np.int64)
    together = x[:, None] + x[None, :]
    # How likely at least x_i of x_i + x_j if both shares were equal.
    value = np.where(together > 0, binom.sf(x[:, None] - 1, together, 0.5), 1.0)
    return _holm_sets(value, simultaneous, coverage)


def proportion_rank_sets(
    numerator: ArrayLike, denominator: ArrayLike, *, simultaneous: bool = False, coverage: float = 0.95
) -> tuple[Ranks, Ranks]:
    """Rank sets for independent proportions: Fisher's exact test of every pair, Holm's correction.

    Valid for any counts, so also at 100 % and for ten cases; wider than Gaussian sets where those hold. Fractional
    counts (effective sizes) are taken down to whole ones at the same rate.
    """
    above = _exact_above(np.asarray(numerator, float), np.asarray(denominator, float))
    return _holm_sets(above, simultaneous, coverage)


def _exact_above(numerator: Array, denominator: Array) -> Array:
    """One-sided Fisher p-values that body i's rate is no higher than body j's."""
    from scipy.stats import hypergeom

    n = np.maximum(np.floor(denominator), 1).astype(np.int64)
    k = np.rint(numerator / denominator * n).astype(np.int64)
    return np.asarray(hypergeom.sf(k[:, None] - 1, n[:, None] + n, k[:, None] + k, n[:, None] + 0 * n))


def _holm_sets(value: Array, simultaneous: bool, coverage: float) -> tuple[Ranks, Ranks]:
    """Rank sets from a matrix of one-sided p-values that i is no better than j."""
    p = len(value)
    if simultaneous:
        greater = _holm(value, ~np.eye(p, dtype=bool), 1 - coverage)
        return _bounds(greater.sum(axis=0), greater.sum(axis=1))
    better, worse = np.zeros(p), np.zeros(p)
    for j in range(p):
        greater = _holm(value, _touching(p, j), 1 - coverage)
        better[j], worse[j] = greater[:, j].sum(), greater[j].sum()
    return _bounds(better, worse)


def _bounds(better: NDArray[Any], worse: NDArray[Any]) -> tuple[Ranks, Ranks]:
    return (1 + better).astype(np.int64), (len(worse) - worse).astype(np.int64)


def _touching(bodies: int, j: int) -> NDArray[np.bool_]:
    """Ordered pairs that contain body j, in both directions."""
    pairs = np.zeros((bodies, bodies), dtype=bool)
    pairs[j], pairs[:, j] = True, True
    pairs[j, j] = False
    return pairs


def _pairs(x: Array, errors: Array, draws: int, seed: int) -> tuple[Array, Noise]:
    """Studentised differences, and a function giving their Gaussian noise for one body against some others.

    One body at a time because all pairs at once would take bodies² × draws numbers.
    """
    if not (errors > 0).all():
        raise MethodError(
            "标准误应为正数", value=float(errors.min()), hint="率为 0 或 100% 时请改用计数的精确方法"
        )
    normal = np.random.default_rng(seed).standard_normal((draws, len(x))) * errors
    sd = np.sqrt(errors[:, None] ** 2 + errors[None, :] ** 2)

    def noise(body: int, others: NDArray[np.bool_]) -> Array:
        return np.asarray((normal[:, [body]] - normal[:, others]) / sd[body, others])

    return (x[:, None] - x[None, :]) / sd, noise


def _reject(
    statistic: Array,
    noise: Noise,
    coverage: float,
    stepdown: bool,
    considered: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Ordered pairs (i, j) for which i is significantly above j, among those considered.

    Each pair is two one-sided hypotheses: rejecting one direction leaves the other in the set over which the next
    critical value is taken.
    """
    remaining = considered.copy()
    rejected = np.zeros_like(remaining)
    while remaining.any():
        highest: Array | float = -np.inf
        for body in np.flatnonzero(remaining.any(axis=1)):
            highest = np.maximum(highest, noise(int(body), remaining[body]).max(axis=1))
        new = remaining & (statistic > np.quantile(highest, coverage))
        rejected |= new
        remaining &= ~new
        if not stepdown or not new.any():
            break
    return rejected


def _holm(value: Array, considered: NDArray[np.bool_], level: float) -> NDArray[np.bool_]:
    where = np.flatnonzero(considered)
    order = where[np.argsort(value.ravel()[where], kind="stable")]
    steps = level / np.arange(len(order), 0, -1)
    passed = np.cumprod(value.ravel()[order] <= steps).astype(bool)
    rejected = np.zeros(value.size, dtype=bool)
    rejected[order[passed]] = True
    return rejected.reshape(value.shape)
