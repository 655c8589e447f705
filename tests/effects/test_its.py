"""Interrupted time series against the published Sicily numbers, and on series with known steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.effects.its import interrupt
from analysis.errors import InputError, MethodError, RequestError


@pytest.fixture(scope="module")
def sicily(shared):
    rows = pd.read_csv(shared / "reference_data/its/sicily.csv")
    start = rows.loc[rows["smokban"] == 1, "time"].min()
    return rows.rename(columns={"aces": "outcome", "stdpop": "exposure", "month": "season"}), start


def ratio(fit):
    return fit.level, fit.level_low, fit.level_high


def test_poisson_and_quasi_poisson(sicily):
    rows, start = sicily
    poisson = interrupt(rows, start, family="poisson", harmonics=0)
    assert ratio(poisson) == pytest.approx((0.8944, 0.8647, 0.9251), abs=5e-5)
    quasi = interrupt(rows, start, harmonics=0)
    assert ratio(quasi) == pytest.approx((0.8944, 0.8392, 0.9532), abs=5e-5)
    assert quasi.dispersion == pytest.approx(3.559195, abs=1e-5)


def test_with_season(sicily):
    fit = interrupt(*sicily)
    assert ratio(fit) == pytest.approx((0.885072, 0.839401, 0.933227), abs=5e-7)
    assert fit.dispersion == pytest.approx(2.262186, abs=5e-6)
    assert fit.trend**12 == pytest.approx(1.066808, abs=5e-7)


def test_change_of_slope(sicily):
    fit = interrupt(*sicily, slope=True)
    assert (fit.slope, fit.slope_low, fit.slope_high) == pytest.approx((1.0015, 0.9978, 1.0051), abs=5e-5)
    assert fit.slope_p == pytest.approx(0.4279, abs=5e-5)


@pytest.mark.parametrize(("small_sample", "se"), [(False, 0.0207607975), (True, 0.0221140541)])
def test_newey_west(sicily, small_sample, se):
    rows, start = sicily
    logged = rows.assign(outcome=np.log(rows["outcome"] / rows["exposure"])).drop(columns="exposure")
    fit = interrupt(logged, start, family="ols", lags=6, small_sample=small_sample)
    assert fit.level == pytest.approx(-0.123867888, abs=5e-9)
    assert (fit.level_high - fit.level) / 1.959964 == pytest.approx(se, abs=5e-9)


def series(step=0.0, seed=0, months=60, at=36):
    rng = np.random.default_rng(seed)
    k = np.arange(months)
    y = 50 + 0.1 * k + 3 * np.sin(2 * np.pi * (k + 1) / 12) + step * (k >= at) + rng.normal(0, 1, months)
    return pd.DataFrame({"time": k, "outcome": y})


def test_a_known_step_is_found():
    fit = interrupt(series(step=5.0), 36, family="ols")
    assert fit.level == pytest.approx(5, abs=1.5)
    assert fit.level_p < 0.001
    assert fit.trend == pytest.approx(0.1, abs=0.05)
    counterfactual = fit.table["counterfactual"]
    assert (fit.table["fitted"] - counterfactual)[36:].to_numpy() == pytest.approx(fit.level)
    assert (fit.table["fitted"] == counterfactual)[:36].all()


def test_fake_dates_use_only_what_came_before():
    fit = interrupt(series(step=8.0), 36, family="ols")
    assert fit.placebo["date"].max() < 36
    assert len(fit.placebo) > 15
    assert fit.false_alarms < 0.4
    quiet = interrupt(series(step=8.0), 36, family="ols", placebos=False)
    assert np.isnan(quiet.false_alarms)


@pytest.mark.parametrize(
    ("change", "at", "error", "word"),
    [
        (lambda f: f, 99, RequestError, "不在序列之内"),
        (lambda f: f, 4, MethodError, "期数太少"),
        (lambda f: f.drop(columns="outcome"), 36, InputError, "outcome"),
        (lambda f: f.assign(outcome=f["outcome"].where(f["time"] != 7)), 36, InputError, "缺失"),
    ],
)
def test_what_it_refuses(change, at, error, word):
    with pytest.raises(error, match=word):
        interrupt(change(series()), at, family="ols")


def test_counts_and_exposures_must_be_possible():
    with pytest.raises(InputError, match="为负"):
        interrupt(series().assign(outcome=-1.0), 36)
    with pytest.raises(InputError, match="正数"):
        interrupt(series().assign(exposure=0.0), 36)
    with pytest.raises(RequestError, match="模型"):
        interrupt(series(), 36, family="gamma")
