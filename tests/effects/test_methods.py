"""One call a method: numbers, refusals and caveats together, as plain values."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analysis.effects import estimate
from analysis.effects.methods import METHODS
from analysis.errors import MethodError, RequestError

ROLL_OUT = ((14, 2), (17, 17), (20, 71))


def test_difference_in_differences_of_the_roll_out(counties):
    panel = counties(effect=9.0, cohorts=ROLL_OUT)
    made = estimate(panel, "did", base="all_pre", draws=199)
    assert made["window"] == [panel.times[0], panel.times[19]]
    assert {cell["time"] for cell in made["refused_cells"]} == set(panel.times[20:])
    small, large = made["cohorts"]
    assert (small["units"], large["units"]) == (2, 17)
    assert small["att"] == pytest.approx(9, abs=5)
    assert large["att"] == pytest.approx(9, abs=2)
    assert large["p_randomisation"] == pytest.approx(1 / 200)
    assert large["att_other_base"] != large["att"]
    assert small["mde_all_pre"] < small["mde_varying"]
    # Two counties have no clustered error, so none is given for any sum they are in.
    assert made["overall"]["se_clustered"] is None
    assert "se" not in made["event"][0]
    assert "只有 2 个单位" in "".join(made["refusals"])
    json.dumps(made, allow_nan=False)


def test_mpdta_in_one_call(mpdta):
    made = estimate(mpdta, "did", draws=199)
    assert made["control"] == "never"
    assert made["overall"]["att"] == pytest.approx(-0.039951, abs=5e-7)
    assert made["overall"]["se_clustered"] == pytest.approx(0.012034, abs=5e-7)
    assert made["pretest"]["p"] == pytest.approx(0.16812, abs=5e-6)
    assert made["imputation"] == pytest.approx(-0.0477099, abs=5e-8)
    assert made["event"][-1]["att"] == pytest.approx(-0.07724, abs=5e-6)


def test_no_controls_no_estimate(counties):
    with pytest.raises(MethodError, match="没有一个单元格有对照"):
        estimate(counties(cohorts=((12, 90),)), "did")


def test_interrupted_series_of_a_cohort(counties):
    panel = counties(effect=9.0, cohorts=((14, 20),))
    made = estimate(panel, "its")
    assert made["cohort"] == panel.times[14]
    assert made["units"] == 20
    assert made["harmonics"] == 2
    assert made["placebo"] == [] or made["placebo"][0]["date"] in panel.times
    assert len(made["series"]) == 24
    json.dumps(made, allow_nan=False)
    with pytest.raises(RequestError, match="不止一个"):
        estimate(counties(), "its")
    assert estimate(counties(), "its", cohort="2023-06")["units"] == 17
    with pytest.raises(RequestError, match="没有这个实施时间"):
        estimate(counties(), "its", cohort="2021-01")


def test_synthetic_control_in_one_call(smoking):
    made = estimate(smoking, "synthetic")
    assert made["att"] == pytest.approx(-19.5138, abs=5e-4)
    assert made["rank"] == [3, 39]
    assert next(iter(made["weights"])) == "Utah"
    json.dumps(made, allow_nan=False)


def test_every_method_states_its_limits(counties):
    panel = counties(effect=3.0, cohorts=((14, 1),))
    for method in METHODS:
        options = {"draws": 199} if method == "did" else {}
        made = estimate(panel, method, **options)
        assert made["caveats"]
        assert len(made["specification"]) == 16
        assert np.isfinite(made.get("att", made.get("level", made.get("overall", {}).get("att"))))
    with pytest.raises(RequestError, match="没有这种估计方法"):
        estimate(panel, "regression")
