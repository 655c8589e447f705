"""Size by simulation for the effects: how often each inference finds an effect where there is none.

    python benchmarks/coverage_effects.py [PART …]

writes ``coverage_effects.json`` beside itself. Seeds are fixed.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from keep import keep

from analysis.effects import check, did
from analysis.effects.its import interrupt
from analysis.effects.panel import NEVER, Panel
from analysis.effects.randomisation import randomise
from analysis.effects.synthetic import synthetic_control

Row = dict[str, Any]
MONTHS = 24


def panel(
    rng: np.random.Generator, treated: int, start: int, units: int = 90, rho: float = 0.5, effect: float = 0.0
) -> Panel:
    """Counties of AR(1) monthly compliance, sd 5 points; the first few treated."""
    noise = np.zeros((units, MONTHS))
    noise[:, 0] = rng.standard_normal(units)
    for t in range(1, MONTHS):
        noise[:, t] = rho * noise[:, t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(units)
    outcome = 80 + rng.normal(0, 4, units)[:, None] + 5 * noise
    first = np.where(np.arange(units) < treated, float(start), NEVER)
    outcome[:treated, start:] += effect
    times = tuple(f"{2022 + k // 12}-{k % 12 + 1:02d}" for k in range(MONTHS))
    return Panel(outcome, tuple(f"c{k:02d}" for k in range(units)), times, first, np.empty((units, 0)))


def sizes(runs: int = 200) -> list[Row]:
    """Share of true noughts rejected at 5 %: influence-function errors clustered by county, and re-drawn pilots."""
    rows = []
    for treated, start in ((2, 14), (17, 17)):
        rng = np.random.default_rng(treated)
        clustered = {"varying": 0, "all_pre": 0}
        redrawn = {"varying": 0, "all_pre": 0}
        for run in range(runs):
            made = panel(rng, treated, start)
            for base in clustered:
                att, error = did.summarise(did.att_gt(made, control="never", base=base)).overall
                clustered[base] += abs(att) > 1.959964 * error
                redrawn[base] += randomise(made, base=base, draws=199, seed=run).p <= 0.05
        for base in clustered:
            rows += [
                {
                    "what": f"clustered errors, {treated} counties, base {base}",
                    "rejected": int(clustered[base]) / runs,
                    "nominal": 0.05,
                },
                {
                    "what": f"randomisation, {treated} counties, base {base}",
                    "rejected": int(redrawn[base]) / runs,
                    "nominal": 0.05,
                },
            ]
    return rows


def intervals(runs: int = 200) -> list[Row]:
    """Do the randomisation intervals hold a planted effect of 5 points?"""
    rows = []
    for treated, start in ((2, 14), (17, 17)):
        rng = np.random.default_rng(100 + treated)
        held = 0
        for run in range(runs):
            made = randomise(panel(rng, treated, start, effect=5.0), draws=199, seed=run)
            held += made.low <= 5 <= made.high
        rows.append(
            {
                "what": f"randomisation interval, {treated} counties, effect 5",
                "coverage": int(held) / runs,
                "target": [0.93, 0.99],
            }
        )
    return rows


def interruptions(runs: int = 500) -> list[Row]:
    """Interrupted series on noise without any event: Newey–West at 6 lags on 48 months, by autocorrelation."""
    rows = []
    for rho in (0.0, 0.3, 0.6):
        rng = np.random.default_rng(int(10 * rho))
        found = 0
        for _ in range(runs):
            noise = np.zeros(48)
            for t in range(1, 48):
                noise[t] = rho * noise[t - 1] + rng.standard_normal()
            frame = pd.DataFrame({"time": range(48), "outcome": 50 + noise})
            fit = interrupt(frame, 30, family="ols", placebos=False)
            found += fit.level_low > 0 or fit.level_high < 0
        rows.append(
            {
                "what": f"interrupted series, autocorrelation {rho}: no event, change reported",
                "rejected": found / runs,
                "nominal": 0.05,
            }
        )
    return rows


def placebo_ranks(runs: int = 200) -> list[Row]:
    """Synthetic control on 20 units without any effect: how often the treated one ranks first."""
    rng = np.random.default_rng(9)
    first = 0
    for _ in range(runs):
        made = panel(rng, 1, 16, units=20)
        first += synthetic_control(made).rank[0] == 1
    return [
        {"what": "synthetic control without effect: rank 1 of 20", "rejected": first / runs, "nominal": 0.05}
    ]


def claims(runs: int = 600) -> list[Row]:
    """Intervals of a stated change between two months of one level, counts and over-dispersed counts."""
    months = [f"{year}-{month:02d}" for year in (2021, 2022, 2023, 2024) for month in range(1, 13)]
    stated = pd.DataFrame(
        [
            {
                "value": 1,
                "unit": "%",
                "direction": "up",
                "base": "同比",
                "period_start": "2024-03-01",
                "period_end": "2024-03-31",
            }
        ]
    )
    rows = []
    for name, spread in (("Poisson", 0.0), ("Poisson with 10 % spread between months", 0.1)):
        rng = np.random.default_rng(11)
        held = 0
        for _ in range(runs):
            level = 300 * np.exp(rng.normal(0, spread, 48)) if spread else np.full(48, 300.0)
            made = check(
                stated, pd.DataFrame({"period": months, "numerator": rng.poisson(level).astype(float)})
            ).iloc[0]
            held += made["low"] <= 0 <= made["high"]
        rows.append(
            {
                "what": f"interval of a stated change, {name}",
                "coverage": int(held) / runs,
                "target": [0.93, 0.97],
            }
        )
    return rows


PARTS = (sizes, intervals, interruptions, placebo_ranks, claims)


if __name__ == "__main__":
    keep(__file__, PARTS, sys.argv[1:])
