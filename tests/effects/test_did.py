"""Group-time effects against the published numbers of mpdta, a second engine, and by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.effects import did, read
from analysis.errors import MethodError, RequestError

ATT = {
    ("2004", "2004"): -0.0105, ("2004", "2005"): -0.0704, ("2004", "2006"): -0.1373, ("2004", "2007"): -0.1008,
    ("2006", "2004"): 0.0065, ("2006", "2005"): -0.0028, ("2006", "2006"): -0.0046, ("2006", "2007"): -0.0412,
    ("2007", "2004"): 0.0305, ("2007", "2005"): -0.0027, ("2007", "2006"): -0.0311, ("2007", "2007"): -0.0261,
}  # fmt: skip
EVENT = {"-3": 0.0305, "-2": -0.0006, "-1": -0.0245, "0": -0.0199, "1": -0.0510, "2": -0.1373, "3": -0.1008}
EVENT_SE = {
    "-3": 0.015034, "-2": 0.013292, "-1": 0.014236, "0": 0.011826, "1": 0.016893, "2": 0.036436, "3": 0.034359,
}  # fmt: skip


@pytest.fixture(scope="module")
def never(mpdta):
    return did.att_gt(mpdta, control="never")


def test_every_group_time_effect(never):
    found = never.table.set_index(["group", "time"])["att"]
    assert len(found) == len(ATT)
    for cell, value in ATT.items():
        assert found[cell] == pytest.approx(value, abs=5e-5)


def test_pretest(never):
    statistic, freedom, p = did.pretest(never)
    assert freedom == 5
    assert p == pytest.approx(0.16812, abs=5e-6)


@pytest.mark.parametrize(
    ("kind", "att", "se"),
    [
        ("simple", -0.039951, 0.012034),
        ("event", -0.07724, 0.019965),
        ("group", -0.031018, 0.012446),
        ("calendar", -0.0417, 0.015972),
    ],
)
def test_overall_effects_and_their_errors(never, kind, att, se):
    found = did.summarise(never, kind).overall
    assert found[0] == pytest.approx(att, abs=5e-6)
    assert found[1] == pytest.approx(se, abs=5e-7)


def test_event_and_group_effects(never):
    event = did.summarise(never, "event").table.set_index("at")
    assert event["att"].drop("overall").to_dict() == pytest.approx(EVENT, abs=5e-5)
    assert event["se"].drop("overall").to_dict() == pytest.approx(EVENT_SE, abs=5e-7)
    group = did.summarise(never, "group").table.set_index("at")["att"]
    assert group.drop("overall").to_dict() == pytest.approx(
        {"2004": -0.0797, "2006": -0.0229, "2007": -0.0261}, abs=5e-5
    )


def test_doubly_robust_with_a_covariate(minimum_wage):
    panel = read(
        minimum_wage,
        unit="countyreal",
        time="year",
        outcome="lemp",
        first_treated="first.treat",
        covariates=["lpop"],
    )
    att, se = did.summarise(did.att_gt(panel, control="never")).overall
    assert att == pytest.approx(-0.0418, abs=5e-5)
    assert se == pytest.approx(0.0115, abs=5e-5)


def test_imputation_and_two_way_fixed_effects(mpdta):
    assert did.imputation(mpdta) == pytest.approx(-0.0477099, abs=5e-8)
    beta, se = did.twfe(mpdta)
    assert beta == pytest.approx(-0.03654894, abs=5e-9)
    assert se == pytest.approx(0.01326516, abs=5e-9)


def test_goodman_bacon_weights(mpdta):
    table = did.bacon(mpdta)
    weights = table.groupby("comparison")["weight"].sum()
    assert weights.to_dict() == pytest.approx(
        {"处理对从未": 0.8628, "先对后": 0.0833, "后对先": 0.0539}, abs=5e-5
    )
    assert (table["weight"] * table["estimate"]).sum() == pytest.approx(did.twfe(mpdta)[0], abs=1e-12)


def test_the_same_as_diff_diff(minimum_wage, never):
    diff_diff = pytest.importorskip("diff_diff", reason="needs the extra causal")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.CallawaySantAnna(control_group="not_yet_treated").fit(
            minimum_wage, outcome="lemp", unit="countyreal", time="year", first_treat="first.treat"
        )
    panel = never.panel
    ours = did.att_gt(panel, control="not_yet").table.set_index(["group", "time"])
    for (g, t), cell in theirs.group_time_effects.items():
        assert ours.loc[(str(g), str(t)), "att"] == pytest.approx(cell["effect"], abs=1e-10)
        assert ours.loc[(str(g), str(t)), "se"] == pytest.approx(cell["se"], rel=1e-6)


def test_the_same_as_a_saturated_event_study_of_pyfixest(minimum_wage, never):
    pyfixest = pytest.importorskip("pyfixest", reason="needs the extra causal")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.event_study(
            minimum_wage,
            yname="lemp",
            idname="countyreal",
            tname="year",
            gname="first.treat",
            estimator="saturated",
        )
        theirs = fit.aggregate(agg="period")["Estimate"]
    ours = did.summarise(never, "event").table.set_index("at")["att"]
    for event in range(4):
        assert ours[str(event)] == pytest.approx(float(theirs[event]), abs=5e-5)


def test_two_by_two_by_hand():
    frame = pd.DataFrame(
        {"u": list("aabbcc"), "t": [1, 2] * 3, "y": [1.0, 5, 2, 3, 4, 6], "g": [2, 2, 0, 0, 0, 0]}
    )
    panel = read(frame, unit="u", time="t", outcome="y", first_treated="g")
    cell = did.att_gt(panel).table.iloc[0]
    assert cell["att"] == 4 - (1 + 2) / 2
    assert (cell["treated"], cell["controls"]) == (1, 2)
    # Influence function by hand: the treated unit's own part is 0; controls (1 − 1.5)·3/2 and (2 − 1.5)·3/2 with sign.
    assert cell["se"] == pytest.approx(np.sqrt(2 * 0.75**2 / 3 / 3))


def test_bases(counties):
    panel = counties(effect=6.0, seed=1)
    simple = {base: did.summarise(did.att_gt(panel, base=base)).overall[0] for base in did.BASES}
    assert simple["varying"] == simple["universal"]  # after treatment both compare with g − 1
    assert simple["all_pre"] == pytest.approx(6, abs=2.5)
    y = panel.outcome
    treated = panel.members(14)
    by_hand = [
        (y[treated, t] - y[treated, :14].mean(axis=1)).mean()
        - (y[panel.first > max(t, 13), t] - y[panel.first > max(t, 13), :14].mean(axis=1))[
            panel.first[panel.first > max(t, 13)] != 14
        ].mean()
        for t in range(14, 24)
    ]
    cells = did.att_gt(panel, base="all_pre").table.query("g == 14 and event >= 0")
    np.testing.assert_allclose(cells["att"], by_hand)


def test_cells_without_controls_stay_blank_with_their_reason(counties):
    panel = counties(cohorts=((14, 2), (17, 17), (20, 71)))
    cells = did.att_gt(panel).table
    blank = cells[~cells["identified"]]
    assert (blank.query("event >= 0")["t"] >= 20).all()
    assert blank["att"].isna().all()
    assert (blank["reason"] == "没有尚未实施的单位可作对照").all()
    assert cells.query("0 <= event and t < 20")["identified"].all()
    assert not did.att_gt(panel, control="never").table["identified"].any()
    with pytest.raises(MethodError, match="没有一个有对照"):
        did.summarise(did.att_gt(panel, control="never"))
    with pytest.raises(MethodError, match="插补法"):
        did.imputation(panel)


def test_the_quick_number_is_the_same_number(counties):
    for seed in range(4):
        panel = counties(effect=seed, seed=seed, cohorts=((5, 3), (14, 7), (20, 80 if seed == 3 else 20)))
        for control in did.CONTROLS:
            for base in ("varying", "all_pre"):
                slow = did.att_gt(panel, control=control, base=base)
                quick = did.simple_att(panel, control, base)
                if slow.table.query("event >= 0")["identified"].any():
                    assert quick == pytest.approx(did.summarise(slow).overall[0], abs=1e-10)
                else:
                    assert np.isnan(quick)


def test_the_quick_number_with_gaps(counties):
    panel = counties(seed=5)
    panel.outcome[[0, 30, 60], [20, 21, 5]] = np.nan
    slow = did.summarise(did.att_gt(panel)).overall[0]
    assert did.simple_att(panel) == pytest.approx(slow, abs=1e-10)


def test_simultaneous_bands_are_wider_than_pointwise(never):
    event = did.summarise(never, "event")
    band = did.simultaneous_band(event)
    pointwise = event.table.set_index("at").loc[band["at"]]
    assert (band["high"].to_numpy() > pointwise["high"].to_numpy()).all()
    assert 2.2 < band["critical"].iloc[0] < 3.2
    pd.testing.assert_frame_equal(band, did.simultaneous_band(event))


def test_what_it_refuses(mpdta):
    with pytest.raises(RequestError, match="对照或基期"):
        did.att_gt(mpdta, control="all")
    with pytest.raises(RequestError, match="没有这种汇总"):
        did.summarise(did.att_gt(mpdta), "weekly")
    with pytest.raises(MethodError, match="没有单位"):
        did.att_gt(mpdta.with_first(np.full(500, np.inf)))


@settings(max_examples=30, deadline=None)
@given(st.floats(-5, 5), st.floats(-3, 3), st.integers(0, 10_000))
def test_shifts_of_units_and_months_do_not_matter_and_effects_add(counties, effect, shift, seed):
    rng = np.random.default_rng(seed)
    panel = counties(seed=seed, units=12, months=10, cohorts=((4, 3), (7, 3)))
    before = did.simple_att(panel)
    moved = panel.outcome + rng.normal(0, 5, (12, 1)) + rng.normal(0, 5, (1, 10)) + shift
    moved = moved + effect * (np.arange(10)[None, :] >= panel.first[:, None])
    after = did.simple_att(type(panel)(moved, panel.units, panel.times, panel.first, panel.covariates))
    assert after == pytest.approx(before + effect, abs=1e-8)
