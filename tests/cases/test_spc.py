"""XmR charts against the NHS reference outputs, hand-made runs, and properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cases import spc
from analysis.errors import MethodError, RequestError

VIGNETTE = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
RULE_OF_R = {
    "Above UCL": "above_limit",
    "Below LCL": "below_limit",
    "7 Point Trend (Increasing)": "trend_up",
    "7 Point Trend (Decreasing)": "trend_down",
    "2 in 3 Above CL": "near_upper",
    "2 in 3 Below CL": "near_lower",
    "7 Points Above CL": "shift_above",
    "7 Points Below CL": "shift_below",
    "Common Cause": "common",
}
TYPE_OF_R = {
    "common_cause": "common",
    "special_cause_concern": "concern",
    "special_cause_improvement": "improvement",
}


def series(values, start=1):
    return pd.DataFrame({"period": range(start, start + len(values)), "value": np.array(values, float)})


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("nhs", (-0.7155556, 1.944444, 4.604444)),
        (spc.Rules(screen=False), (-3.062614, 1.944444, 6.951503)),
    ],
)
def test_limits_of_the_vignette_series(rules, expected):
    chart = spc.xmr(series(VIGNETTE), rules=rules)
    assert chart[["lower", "mean", "upper"]].iloc[0].to_numpy() == pytest.approx(expected, abs=5e-7)
    assert chart["rule"].tolist() == ["above_limit" if value == 10 else "common" for value in VIGNETTE]


def test_every_point_of_the_nhs_reference_output(shared):
    reference = pd.read_csv(
        shared / "reference_data/reference_outputs/xmr_NHSRplotthedots_ae_type1_compliance.csv"
    )
    frame = reference.rename(columns={"x": "period", "y": "value", "f": "body"})
    chart = spc.xmr(frame[["period", "value", "body"]], by="body", target=0.95)
    both = reference.merge(chart, left_on=["f", "x"], right_on=["body", "period"], validate="one_to_one")
    assert len(both) == 4920
    assert both["body"].nunique() == 139
    for ours, theirs in (("mean", "mean_col"), ("lower", "lpl"), ("upper", "upl")):
        np.testing.assert_allclose(both[ours], both[theirs], rtol=0, atol=1e-12)
    assert (both["rule"] == both["special_cause_type"].map(RULE_OF_R)).sum() == 4920
    assert (both["type"] == both["point_type"].map(TYPE_OF_R)).sum() == 4920
    assert both["type"].value_counts().to_dict() == {"common": 2477, "improvement": 1421, "concern": 1022}
    assert (both["trial"] == both["short_group_warning"]).all()


def test_one_provider_in_which_fewer_is_better(shared):
    reference = pd.read_csv(shared / "reference_data/reference_outputs/xmr_NHSRplotthedots_RJZ_breaches.csv")
    frame = reference.rename(columns={"x": "period", "y": "value"})[["period", "value"]]
    chart = spc.xmr(frame, improvement="down")
    assert chart[["lower", "mean", "upper"]].iloc[0].to_numpy() == pytest.approx(
        (2846.125778, 4423.277778, 6000.429778), abs=5e-7
    )
    assert chart["type"].tolist() == reference["point_type"].map(TYPE_OF_R).tolist()


def test_points_on_opposite_sides_are_no_two_in_three():
    values = [1, -1] * 8 + [5.5, -5.5]
    chart = spc.xmr(series(values))
    assert chart["rule"].tail(2).tolist() == ["common", "common"]


def test_seven_points_rising_are_a_trend_and_six_are_not():
    fixed = {"mean": 0.0, "width": 100.0, "rules": spc.Rules()}
    assert set(spc.signals(np.array([-3.0, -2, -1, 0, 1, 2, 3]), **fixed)) == {"trend_up"}
    assert set(spc.signals(np.array([-3.0, -2, -1, 0, 1, 2]), **fixed)) == {"common"}
    assert set(spc.signals(np.array([-3.0, -2, -1, -1, 1, 2, 3]), **fixed)) == {"common"}  # a tie breaks it


def test_the_peak_of_two_trends_takes_the_later_direction():
    up_and_down = np.array([-3.0, -2, -1, 1, 2, 3, 4, 3, 2, 1, -1, -2, -3])
    found = spc.signals(up_and_down, 0.0, 100.0, spc.Rules())
    assert found.tolist() == ["trend_up"] * 6 + ["trend_down"] * 7


def test_only_the_near_points_of_a_two_in_three_are_coloured():
    found = spc.signals(np.array([-1.0, 2.5, 0.5, 2.5, -1]), 0.0, 3.0, spc.Rules())
    assert found.tolist() == ["common", "near_upper", "common", "near_upper", "common"]


def test_a_shift_needs_points_strictly_on_one_side():
    assert set(spc.signals(np.array([1.0, 1, 1, 1, 1, 1, 1]), 0.0, 9.0, spc.Rules())) == {"shift_above"}
    assert set(spc.signals(np.array([1.0, 1, 1, 0, 1, 1, 1]), 0.0, 9.0, spc.Rules())) == {"common"}
    assert set(spc.signals(np.array([1.0] * 6), 0.0, 9.0, spc.Rules(shift=6))) == {"shift_above"}


def test_rebasing_sets_limits_for_each_segment_alone():
    chart = spc.xmr(series([1, 2] * 8 + [11, 12] * 8), rebase=[17])
    assert chart.groupby("segment")["mean"].first().tolist() == [1.5, 11.5]
    assert (chart["rule"] == "common").all()


def test_fixed_limits_judge_later_points():
    chart = spc.xmr(series([1, 2] * 6 + [9]), fix_after=12)
    assert chart["mean"].iloc[0] == 1.5
    assert chart["rule"].iloc[-1] == "above_limit"
    with pytest.raises(RequestError, match="12"):
        spc.xmr(series([1, 2, 3]), fix_after=3)


def test_short_constant_single_and_missing():
    assert spc.xmr(series([1, 2, 1] * 4))["trial"].all()
    assert not spc.xmr(series([1, 2, 1] * 5))["trial"].any()
    assert (spc.xmr(series([5] * 20))["rule"] == "common").all()
    single = spc.xmr(series([5]))
    assert single["rule"].tolist() == ["common"]
    assert np.isnan(single["upper"].iloc[0])
    gap = spc.xmr(series([*VIGNETTE[:5], np.nan, *VIGNETTE[5:]]))
    assert gap["mean"].isna().sum() == 1
    assert gap["upper"].iloc[0] == pytest.approx(4.604444, abs=5e-7)
    assert spc.xmr(series([])).empty


def test_assurance_words():
    values = [1, 2] * 8  # limits −1.16 … 4.16
    words = {
        (5, "up"): "稳定不达标",
        (5, "down"): "稳定达标",
        (-2, "up"): "稳定达标",
        (-2, "down"): "稳定不达标",
        (2, "up"): "时好时坏",
        (2, "neutral"): "未设目标",
        (None, "up"): "未设目标",
    }
    for (target, improvement), word in words.items():
        chart = spc.xmr(series(values), target=target, improvement=improvement)
        assert spc.summary(chart)["assurance"].tolist() == [word]


def test_p_prime_limits_by_hand():
    counts = pd.DataFrame(
        {"period": [1, 2, 3, 4], "numerator": [8, 30, 7, 36], "denominator": [10, 40, 10, 40]}
    )
    centre = 81 / 100
    spread = np.sqrt(centre * (1 - centre) / counts["denominator"])
    z = (counts["numerator"] / counts["denominator"] - centre) / spread
    width = 2.66 * np.abs(np.diff(z)).mean() * spread
    chart = spc.p_prime(counts)
    np.testing.assert_allclose(chart["upper"], centre + width)
    np.testing.assert_allclose(chart["lower"], centre - width)
    assert spc.history(counts)["chart"].iloc[0] == "p_prime"
    even = counts.assign(denominator=40)
    assert spc.history(even)["chart"].iloc[0] == "xmr"


def test_p_prime_at_one_hundred_percent_has_no_signal():
    full = pd.DataFrame({"period": range(14), "numerator": [5, 20] * 7, "denominator": [5, 20] * 7})
    chart = spc.p_prime(full)
    assert (chart["rule"] == "common").all()
    assert (chart["upper"] == 1).all()


def test_expected_false_signals_are_as_measured():
    rng = np.random.default_rng(0)
    signals = points = 0
    for _ in range(250):
        chart = spc.xmr(series(rng.standard_normal(36)))
        signals += (chart["rule"] != "common").sum()
        points += len(chart)
    assert signals == pytest.approx(spc.expected_false(points), rel=0.15)
    with pytest.raises(RequestError, match="误报率"):
        spc.expected_false(10, "nhs_excel_6")


def test_requests_that_cannot_be_met():
    with pytest.raises(RequestError, match="判异规则"):
        spc.xmr(series(VIGNETTE), rules="seven")
    with pytest.raises(RequestError, match="改善方向"):
        spc.xmr(series(VIGNETTE), improvement="good")
    with pytest.raises(RequestError, match="value"):
        spc.xmr(pd.DataFrame({"period": [1]}))
    with pytest.raises(MethodError, match="同一期"):
        spc.xmr(pd.concat([series([1, 2]), series([3])]))


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=40), st.sampled_from([0.25, 2, 8]))
def test_rules_follow_the_shape_not_the_scale(values, scale):
    plain = spc.xmr(series(values))
    # Powers of two keep the arithmetic exact; other factors may move a point that lies on a limit.
    assert spc.xmr(series([scale * value for value in values]))["rule"].tolist() == plain["rule"].tolist()
    mirrored = spc.xmr(series([-value for value in values]))
    assert (mirrored["rule"].map(spc._SIDE) == -plain["rule"].map(spc._SIDE)).all()


@given(st.permutations(range(20)))
def test_the_order_of_rows_does_not_matter(order):
    frame = series([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4])
    pd.testing.assert_frame_equal(spc.xmr(frame), spc.xmr(frame.iloc[list(order)]))
