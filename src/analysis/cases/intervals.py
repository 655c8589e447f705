"""Intervals of rates and counts (率与计数的置信区间): Wilson, Byar, Jeffreys, and pieces clustered by matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]


def wilson(numerator: ArrayLike, denominator: ArrayLike, coverage: float = 0.95) -> Bounds:
    """Wilson score interval of a proportion; missing where the denominator is 0.

    Both arguments may be fractional (an effective sample size).
    """
    x, n = (np.asarray(value, float) for value in (numerator, denominator))
    q = _quantile(coverage)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = x / n
        centre = (rate + q * q / (2 * n)) / (1 + q * q / n)
        half = q / (1 + q * q / n) * np.sqrt(rate * (1 - rate) / n + q * q / (4 * n * n))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def byar(count: ArrayLike, coverage: float = 0.95) -> Bounds:
    """Byar's interval of a Poisson count; divide by the expected count or the population for a ratio or a rate."""
    x = np.asarray(count, float)
    q = _quantile(coverage)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = x * (1 - 1 / (9 * x) - q / (3 * np.sqrt(x))) ** 3
    more = x + 1
    high = more * (1 - 1 / (9 * more) + q / (3 * np.sqrt(more))) ** 3
    # At counts of 0 and 1 with a wide coverage the cube turns negative: the bound is then 0.
    return np.where(x > 0, np.maximum(low, 0), 0.0), high


def jeffreys(numerator: ArrayLike, denominator: ArrayLike, coverage: float = 0.95) -> Bounds:
    """Equal-tailed Jeffreys interval of a proportion, closed at 0 and 1 when nothing or everything succeeded.

    At a denominator of 0 it is the whole range.
    """
    from scipy.stats import beta

    x, n = (np.asarray(value, float) for value in (numerator, denominator))
    tail = (1 - coverage) / 2
    low = np.where(x > 0, beta.ppf(tail, x + 0.5, n - x + 0.5), 0.0)
    high = np.where(x < n, beta.ppf(1 - tail, x + 0.5, n - x + 0.5), 1.0)
    return low, high


def effective_size(
    clusters: ArrayLike,
    numerator: ArrayLike,
    denominator: ArrayLike,
    squares: ArrayLike,
    products: ArrayLike,
    sizes: ArrayLike,
) -> NDArray[np.float64]:
    """Sample size that independent pieces would need to know a rate as well as these clustered ones do.

    Pieces of one matter rise and fall together, so a rate over pieces knows less than its denominator says. Everything
    needed is a sum over clusters (matters), which a database adds up in one pass.

    Parameters
    ----------
    clusters
        Number of clusters, c.
    numerator, denominator
        Σy and Σn over clusters.
    squares, products, sizes
        Σy², Σy·n and Σn² over clusters.

    Returns
    -------
    ndarray
        r(1−r) ÷ v with v the linearised variance of the ratio; the number of clusters where the rate is 0 or 1 or
        there is but one cluster; never above Σn.
    """
    c, y, n, yy, yn, nn = (
        np.asarray(value, float) for value in (clusters, numerator, denominator, squares, products, sizes)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = y / n
        variance = c / (c - 1) * np.maximum(yy - 2 * rate * yn + rate**2 * nn, 0) / n**2
        size = rate * (1 - rate) / variance
    size = np.where((variance > 0) & (c > 1), size, c)
    return np.minimum(size, n)


def _quantile(coverage: float) -> float:
    from statistics import NormalDist  # to load scipy for this one number takes longer than most tables

    return NormalDist().inv_cdf(0.5 + coverage / 2)
