"""Panels that the effects tests share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.effects import read


@pytest.fixture(scope="session")
def minimum_wage(shared):
    """County teen employment and staggered minimum wages (mpdta), as a long table."""
    return pd.read_csv(shared / "reference_data/panels/mpdta.csv")


@pytest.fixture(scope="session")
def mpdta(minimum_wage):
    return read(minimum_wage, unit="countyreal", time="year", outcome="lemp", first_treated="first.treat")


@pytest.fixture(scope="session")
def smoking(shared):
    """Cigarette sales of 39 states and California's Proposition 99."""
    rows = pd.read_csv(shared / "reference_data/synth/prop99_smoking.csv")
    rows["first"] = rows["state"].map({"California": 1989}).fillna(0)
    return read(rows, unit="state", time="year", outcome="cigsale", first_treated="first")


@pytest.fixture(scope="session")
def counties():
    """A maker of county panels."""
    return make_counties


def make_counties(effect=0.0, seed=0, units=90, rho=0.5, sd=5.0, months=24, cohorts=((14, 2), (17, 17))):
    """Monthly compliance of counties: AR(1) noise, two pilots of 2 and 17, the same effect from the start on."""
    rng = np.random.default_rng(seed)
    noise = np.zeros((units, months))
    noise[:, 0] = rng.standard_normal(units)
    for t in range(1, months):
        noise[:, t] = rho * noise[:, t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(units)
    y = 80 + rng.normal(0, 4, units)[:, None] + 3 * np.sin(np.arange(months) / 3) + sd * noise
    first, place = np.zeros(units, dtype=int), 0
    for start, size in cohorts:
        first[place : place + size] = start
        y[place : place + size, start:] += effect
        place += size
    times = [f"{2022 + k // 12}-{k % 12 + 1:02d}" for k in range(months)]
    frame = pd.DataFrame(
        {
            "county": np.repeat([f"c{i:02d}" for i in range(units)], months),
            "month": times * units,
            "rate": y.ravel(),
            "start": np.repeat(["" if f == 0 else times[f] for f in first], months),
        }
    )
    return read(frame, unit="county", time="month", outcome="rate", first_treated="start")
