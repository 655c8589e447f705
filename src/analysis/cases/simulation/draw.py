"""Draws from one seeded generator, and columns of days (随机抽取与日期列)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

NAT = np.datetime64("NaT", "D")
Columns = dict[str, np.ndarray]
Draw = np.random.Generator
Plan = Mapping[str, Any]


def cumulative(weights: Any) -> np.ndarray:
    """Running shares of the weights; the last one is left out, so that a draw near 1 stays inside."""
    total = np.cumsum(np.asarray(weights, dtype=float))
    return total[:-1] / total[-1]


def index(weights: Any, n: int, rng: Draw) -> np.ndarray:
    """Which of the weights each of n draws falls on."""
    return np.searchsorted(cumulative(weights), rng.random(n), side="right")


def pick(shares: Mapping[str, float], n: int, rng: Draw) -> np.ndarray:
    """One of the terms for each of n rows, by share."""
    return np.array(list(shares), dtype=object)[index(list(shares.values()), n, rng)]


def where(mask: Any, yes: Any, no: Any) -> np.ndarray:
    """``np.where`` for columns of text and days, where either side may be nothing (None, NaT)."""
    return np.where(mask, yes, no)


def by(once: np.ndarray, values: Mapping[str, float]) -> np.ndarray:
    """A share that differs between what is resolved at once and what is not."""
    return where(once, values["once"], values["other"])


def lognormal(median: float, spread: float, n: int, rng: Draw) -> np.ndarray:
    """Positive draws with that median and spread of the logarithm."""
    return median * np.exp(spread * rng.standard_normal(n))


def between(span: tuple[int, int], n: int, rng: Draw) -> np.ndarray:
    """Whole days from the first of the two up to, not with, the second."""
    low, high = span
    return rng.integers(low, high, n)


def day(value: dt.date | str) -> np.datetime64:
    """A day of the settings."""
    return np.datetime64(str(value), "D")


def month(days: np.ndarray) -> np.ndarray:
    """Months since 1970-01."""
    return days.astype("M8[M]").astype(int)


def year(days: Any) -> Any:
    """Calendar years of days."""
    return days.astype("M8[Y]").astype(int) + 1970
