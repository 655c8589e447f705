"""Coverage by simulation for the case statistics: do 95 % intervals hold 95 %, and do charts cry wolf as often as they say?

    python benchmarks/coverage_cases.py [PART …]

writes ``coverage_cases.json`` beside itself. Seeds are fixed; the same machine or another gives the same numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from keep import keep
from scipy.stats import binom

from analysis.cases import duration, intervals, ranking, spc
from analysis.cases.compare import assess
from analysis.cases.funnel import funnel

Row = dict[str, Any]


def rates() -> list[Row]:
    """Exact coverage of rate intervals, averaged over p: sums of binomial probabilities, no draws."""
    grid = (np.arange(2000) + 0.5) / 2000
    rows = []
    for name, method in (("wilson", intervals.wilson), ("jeffreys", intervals.jeffreys)):
        for n in (5, 10, 20, 50, 200, 1000):
            counts = np.arange(n + 1)
            low, high = method(counts, n)
            covered = [float(binom.pmf(counts, n, p)[(low <= p) & (p <= high)].sum()) for p in grid]
            near_one = [value for p, value in zip(grid, covered, strict=True) if p > 0.95]
            rows.append(
                {
                    "what": f"{name} interval of a rate, n={n}",
                    "coverage": float(np.mean(covered)),
                    "lowest": float(np.min(covered)),
                    "mean_above_0.95": float(np.mean(near_one)),
                    "target": [0.93, 0.97],
                }
            )
    return rows


def clustered(runs: int = 2000) -> list[Row]:
    """Pieces of one matter share its luck: Wilson at the nominal size, and at the effective size."""
    rng = np.random.default_rng(1)
    held = {"nominal": 0, "effective": 0}
    for _ in range(runs):
        sizes = 1 + rng.geometric(0.45, 150)
        matter = rng.beta(0.85 * 3, 0.15 * 3, 150)
        good = rng.binomial(sizes, matter)
        effective = intervals.effective_size(
            150, good.sum(), sizes.sum(), (good**2).sum(), (good * sizes).sum(), (sizes**2).sum()
        )
        rate = good.sum() / sizes.sum()
        for name, size in (("nominal", sizes.sum()), ("effective", float(effective))):
            low, high = intervals.wilson(rate * size, size)
            held[name] += bool(low <= 0.85 <= high)
    return [
        {
            "what": f"rate over clustered pieces, {name} size",
            "coverage": count / runs,
            "target": [0.93, 0.97] if name == "effective" else None,
        }
        for name, count in held.items()
    ]


def restricted_means(runs: int = 1000) -> list[Row]:
    """RMST(60) of censored waits: exponential and log-normal, censored uniformly."""
    rng = np.random.default_rng(2)
    rows = []
    draws: dict[str, Callable[[int], np.ndarray]] = {
        "exponential, mean 40 days": lambda n: rng.exponential(40, n),
        "log-normal, median 30 days": lambda n: rng.lognormal(np.log(30), 0.8, n),
    }
    for name, draw in draws.items():
        truth = float(np.minimum(np.floor(draw(2_000_000)), 60).mean())
        for n in (60, 300):
            held = 0
            for _ in range(runs):
                wait, limit = np.floor(draw(n)), np.floor(rng.uniform(20, 160, n))
                day, seen = np.minimum(wait, limit), wait <= limit
                table = (
                    pd.DataFrame({"day": day, "event": np.where(seen, 1, 0), "n": 1})
                    .groupby(["day", "event"], as_index=False)["n"]
                    .sum()
                )
                _, _, low, high = duration.rmst(table, 60)
                held += bool(low <= truth <= high)
            rows.append({"what": f"RMST(60), {name}, n={n}", "coverage": held / runs, "target": [0.93, 0.97]})
    return rows


def rank_sets(runs: int = 400) -> list[Row]:
    """All true ranks at once inside the simultaneous sets; bands for comparison, which promise nothing."""
    rng = np.random.default_rng(3)
    rows = []
    worlds = {
        "20 bodies alike at 60 %, ten of 10 cases and ten of 400": (
            np.full(20, 0.6),
            np.repeat([10, 400], 10),
        ),
        "20 bodies alike at 80 %, 30 cases each": (np.full(20, 0.8), np.full(20, 30)),
        "20 bodies alike at 97 %, ten of 10 cases and ten of 400": (
            np.full(20, 0.97),
            np.repeat([10, 400], 10),
        ),
        "20 bodies from 80 to 99 %, 30 to 600 cases": (
            np.linspace(0.8, 0.99, 20),
            np.linspace(30, 600, 20).astype(int),
        ),
    }
    for name, (p, n) in worlds.items():
        low_true = 1 + (p[:, None] < p[None, :]).sum(axis=1)
        high_true = len(p) - (p[:, None] > p[None, :]).sum(axis=1)
        held = {"exact sets": 0, "Gaussian sets": 0, "bands": 0.0}
        width = {"exact sets": 0.0, "Gaussian sets": 0.0, "bands": 0.0}
        for run in range(runs):
            k = rng.binomial(n, p)
            mean = (k + 0.5) / (n + 1)
            found = {
                "exact sets": ranking.proportion_rank_sets(k, n, simultaneous=True),
                "Gaussian sets": ranking.rank_sets(
                    mean, np.sqrt(mean * (1 - mean) / (n + 2)), simultaneous=True, draws=2000, seed=run
                ),
                "bands": ranking.rank_bands(ranking.beta_draws(k, n, draws=1000, seed=run)),
            }
            for label, (low, high) in found.items():
                inside = (low <= low_true) & (high_true <= high)
                held[label] += float(inside.mean()) if label == "bands" else float(inside.all())
                width[label] += float((high - low + 1).mean())
        for label in held:
            rows.append(
                {
                    "what": f"{label}: {name}",
                    "coverage": held[label] / runs,
                    "mean_width": width[label] / runs,
                    "target": [0.95, 1.0] if label == "exact sets" else None,
                    "note": "share of bodies, descriptive" if label == "bands" else "all bodies at once",
                }
            )
    return rows


def false_signals(series: int = 4000, months: int = 36) -> list[Row]:
    """XmR on pure noise: signals a point, by rule; with limits known against theory, with limits estimated as used."""
    rng = np.random.default_rng(4)
    rules = spc.Rules()
    known: dict[str, int] = {}
    used: dict[str, int] = {}
    for _ in range(series):
        values = rng.standard_normal(months)
        for store, found in (
            (known, spc.signals(values, 0.0, 3.0, rules)),
            (used, spc.xmr(pd.DataFrame({"period": range(months), "value": values}))["rule"].to_numpy()),
        ):
            for rule in found:
                store[rule] = store.get(rule, 0) + 1
    points = series * months
    theory = 2 * 0.0013499  # beyond three standard deviations
    rows = [
        {
            "what": "XmR, limits known: points beyond them",
            "rate": (known.get("above_limit", 0) + known.get("below_limit", 0)) / points,
            "theory": theory,
        }
    ]
    for label, store in (("limits known", known), ("limits estimated from 36 points, as used", used)):
        beyond = store.get("above_limit", 0) + store.get("below_limit", 0)
        rows.append({"what": f"XmR, {label}: points beyond the limits", "rate": beyond / points})
        rows.append({"what": f"XmR, {label}: points with any signal", "rate": 1 - store["common"] / points})
    return rows[:1] + rows[2:]


def funnel_flags(runs: int = 2000) -> list[Row]:
    """Bodies flagged in a world in which all are alike, and in one with the usual spread between them."""
    rng = np.random.default_rng(5)
    rows = []
    for name, spread in (("all alike", 0.0), ("usual spread between bodies (sd 3 points)", 0.03)):
        flags = {True: 0, False: 0}
        for _ in range(runs):
            n = rng.integers(40, 600, 90)
            p = np.clip(rng.normal(0.9, spread, 90), 0.5, 1) if spread else np.full(90, 0.9)
            frame = pd.DataFrame({"body": range(90), "numerator": rng.binomial(n, p), "denominator": n})
            for adjust in flags:
                flags[adjust] += int(funnel(frame, adjust=adjust).table["flag"].sum())
        for adjust, count in flags.items():
            rows.append(
                {
                    "what": f"funnel {'adjusted' if adjust else 'unadjusted'}, {name}: bodies flagged of 90",
                    "rate": count / runs / 90,
                    "nominal": 0.002,
                }
            )
    return rows


def slow_county(runs: int = 100) -> list[Row]:
    """One county made slower than the usual spread: how often it is the one that is flagged."""
    rng = np.random.default_rng(6)
    rows = []
    for late in (0.05, 0.10, 0.15):
        found = others = 0
        for _ in range(runs):
            n = rng.integers(100, 400, 90)
            p = np.clip(rng.normal(0.985, 0.008, 90), 0.9, 1)
            p[0] = 0.985 - late
            frame = pd.DataFrame(
                {"body": [f"{k:02d}" for k in range(90)], "numerator": rng.binomial(n, p), "denominator": n}
            )
            table = assess(frame).table.set_index("body")
            worse = table.index[table["word"] == "差于同组"]
            found += "00" in worse
            others += int((worse != "00").sum())
        rows.append(
            {
                "what": f"planted slow county, {late:.0%} points later than the rest",
                "found": found / runs,
                "others_flagged_a_run": others / runs,
            }
        )
    return rows


PARTS = (rates, clustered, restricted_means, rank_sets, false_signals, funnel_flags, slow_county)


if __name__ == "__main__":
    keep(__file__, PARTS, sys.argv[1:])
