"""Synthetic control against the Proposition 99 numbers, and weights by construction."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis.effects import did, read
from analysis.effects.synthetic import synthetic_control
from analysis.errors import MethodError, RequestError


def test_proposition_99(smoking):
    fit = synthetic_control(smoking)
    weights = {
        "Utah": 0.3939,
        "Montana": 0.2318,
        "Nevada": 0.2049,
        "Connecticut": 0.1091,
        "New Hampshire": 0.0454,
        "Colorado": 0.0148,
    }
    assert fit.weights.to_dict() == pytest.approx(weights, abs=5e-5)
    assert fit.pre_mspe == pytest.approx(2.7437, abs=5e-5)
    assert fit.att == pytest.approx(-19.5138, abs=5e-4)
    assert fit.rank == (3, 39)
    assert fit.unit == "California"
    assert fit.start == "1989"


def test_plain_difference_in_differences_of_the_same(smoking):
    att = did.summarise(did.att_gt(smoking, control="never", base="all_pre")).overall[0]
    assert att == pytest.approx(-27.3491, abs=5e-5)


def test_synthetic_difference_in_differences_by_the_second_engine(shared):
    diff_diff = pytest.importorskip("diff_diff", reason="needs the extra causal")
    rows = pd.read_csv(shared / "reference_data/synth/prop99_smoking.csv")
    rows["treated"] = (rows["state"] == "California").astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = diff_diff.SyntheticDiD(n_bootstrap=50, seed=1).fit(
            rows,
            outcome="cigsale",
            treatment="treated",
            unit="state",
            time="year",
            post_periods=list(range(1989, 2001)),
        )
    assert fit.att == pytest.approx(-15.6038, abs=5e-5)


def mixture(effect=0.0, seed=0):
    rng = np.random.default_rng(seed)
    donors = rng.normal(0, 1, (6, 20)).cumsum(axis=1) + 40
    own = 0.6 * donors[0] + 0.4 * donors[3]
    own[14:] += effect
    y = np.vstack([own, donors])
    frame = pd.DataFrame(
        {
            "u": np.repeat(list("zabcdef"), 20),
            "t": list(range(1, 21)) * 7,
            "y": y.ravel(),
            "g": np.repeat([15] + [0] * 6, 20),
        }
    )
    return read(frame, unit="u", time="t", outcome="y", first_treated="g")


def test_a_mixture_is_found_again():
    fit = synthetic_control(mixture(effect=-3.0))
    assert fit.weights.to_dict() == pytest.approx({"a": 0.6, "d": 0.4}, abs=1e-4)
    assert fit.att == pytest.approx(-3, abs=1e-3)
    assert fit.pre_mspe < 1e-6
    assert fit.rank == (1, 7)
    assert fit.path["gap"].head(14).abs().max() < 1e-2


def test_poor_placebos_can_be_left_out(smoking):
    fit = synthetic_control(smoking, max_pre_fit=5)
    assert fit.rank[1] < 39
    assert fit.placebo["pre_mspe"].max() <= 5 * fit.pre_mspe


def test_weights_do_not_depend_on_the_unit_of_the_outcome(smoking):
    scaled = type(smoking)(
        smoking.outcome * 1e4 + 7, smoking.units, smoking.times, smoking.first, smoking.covariates
    )
    np.testing.assert_allclose(
        synthetic_control(scaled).weights.sort_index(),
        synthetic_control(smoking).weights.sort_index(),
        atol=1e-6,
    )


def test_what_it_refuses(mpdta):
    with pytest.raises(RequestError, match="不止一个"):
        synthetic_control(mpdta)
    panel = mixture()
    with pytest.raises(RequestError, match="不是处理单位"):
        synthetic_control(panel, "a")
    panel.outcome[2, 3] = np.nan
    with pytest.raises(MethodError, match="没有缺失"):
        synthetic_control(panel)
