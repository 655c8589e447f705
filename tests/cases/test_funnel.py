"""Funnel limits against FunnelPlotR's outputs, exact quantiles, and properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from analysis.cases.funnel import exact_binomial, exact_poisson, funnel
from analysis.errors import MethodError, RequestError

TOY = pd.DataFrame(
    {
        "body": list("abcdef"),
        "numerator": [100, 150, 180, 80, 120, 225],
        "denominator": [108, 112, 165, 95, 100, 220],
    }
)
Q998 = 3.090232


def beyond_on_the_root_scale(fit):
    """How FunnelPlotR flags in its CQC mode: the ratio itself against limits it leaves on the square-root scale."""
    return (fit.table["value"] - 1).abs() > Q998 * np.sqrt(fit.table["se"] ** 2 + fit.tau2)


@pytest.mark.parametrize(
    ("kind", "phi", "tau2"),
    [("shmi", 2.948033175, 0.01947753058), ("cqc", 2.327178258, 0.003439780154)],
)
def test_toy_ratios(kind, phi, tau2):
    fit = funnel(TOY, kind=kind, minimum_bodies=0)
    assert fit.phi == pytest.approx(phi, rel=1e-9)
    assert fit.tau2 == pytest.approx(tau2, rel=1e-9)
    assert fit.adjusted


def test_toy_outlier_is_one_only_without_adjustment_or_back_transformation():
    fit = funnel(TOY, kind="cqc", minimum_bodies=0)
    assert fit.table["body"][beyond_on_the_root_scale(fit)].tolist() == ["b"]
    assert not fit.table["flag"].any()
    assert funnel(TOY, kind="cqc", adjust=False).table.query("flag")["body"].tolist() == ["b"]


def test_few_bodies_are_not_adjusted_and_it_says_so():
    fit = funnel(TOY, kind="cqc")
    assert not fit.adjusted
    assert "10" in fit.note
    assert fit.phi == pytest.approx(2.327178258, rel=1e-9)
    assert funnel(TOY, kind="cqc", adjust=False).note is None


def test_exact_poisson_limits():
    size = np.array([15.0, 20, 30])
    expected = {
        (-1, 0.025): (0.5596924, 0.6108260, 0.6746958),
        (1, 0.025): (1.649348, 1.544419, 1.427562),
        (-1, 0.001): (0.3862650, 0.4479107, 0.5289724),
        (1, 0.001): (2.082907, 1.902094, 1.702771),
    }
    for (side, tail), limits in expected.items():
        np.testing.assert_allclose(exact_poisson(size, side, tail), limits, rtol=5e-7)
    frame = pd.DataFrame({"body": list("abc"), "numerator": size, "denominator": size})
    table = funnel(frame, kind="shmi").table
    np.testing.assert_allclose(table["upper_outer"], expected[1, 0.001], rtol=5e-7)


def test_medpar(shared):
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    stays = pd.read_csv(shared / "reference_data/funnel/medpar.csv", dtype={"provnum": str})
    model = smf.glm("los ~ hmo + died + age80 + C(type)", stays, family=sm.families.Poisson()).fit()
    frame = (
        stays.assign(expected=model.fittedvalues)
        .groupby("provnum", as_index=False)
        .agg(numerator=("los", "sum"), denominator=("expected", "sum"))
        .rename(columns={"provnum": "body"})
    )
    assert len(frame) == 54
    shmi = funnel(frame, kind="shmi")
    assert shmi.phi == pytest.approx(8.532851289, rel=1e-9)
    assert shmi.tau2 == pytest.approx(0.02841023227, rel=1e-9)
    assert (shmi.table["position"] != "inside").sum() == 16
    cqc = funnel(frame, kind="cqc")
    assert cqc.phi == pytest.approx(9.302497107, rel=1e-9)
    assert cqc.tau2 == pytest.approx(0.007863079276, rel=1e-9)
    assert beyond_on_the_root_scale(cqc).sum() == 17
    assert cqc.table["flag"].sum() == 2  # our limits, brought back to the ratio: docs/deviations.md


@pytest.fixture
def emergency(shared):
    months = pd.read_csv(
        shared / "reference_data/funnel/nhs_ae_attendances_2016_2019.csv", dtype={"type": str}
    )
    return (
        months[months["type"] == "1"]
        .groupby("org_code", as_index=False)[["breaches", "attendances"]]
        .sum()
        .set_axis(["body", "numerator", "denominator"], axis=1)
    )


def test_proportions_of_140_providers(emergency, shared):
    fit = funnel(emergency)
    assert fit.bodies == 140
    assert fit.target == pytest.approx(0.1748159779, abs=5e-11)
    assert fit.phi == pytest.approx(9459.871096, rel=1e-9)
    assert fit.tau2 == pytest.approx(0.007209629539, rel=1e-9)
    assert fit.table.query("flag")["body"].tolist() == ["RC9", "RCU"]
    unadjusted = funnel(emergency, adjust=False)
    assert unadjusted.table["flag"].sum() == 138
    assert unadjusted.expected_false == pytest.approx(0.28)  # 0.2 % of 140
    assert fit.expected_false > unadjusted.expected_false

    reference = pd.read_csv(shared / "reference_data/reference_outputs/funnel_FunnelPlotR_ae_proportions.csv")
    both = fit.table.merge(reference, left_on="body", right_on="group", validate="one_to_one")
    assert len(both) == 140
    for ours, theirs, digits in (
        ("lower_inner", "OD95LCL", 1e-8),
        ("upper_inner", "OD95UCL", 1e-8),
        ("lower_outer", "OD99LCL", 1e-7),
        ("upper_outer", "OD99UCL", 1e-7),
    ):
        np.testing.assert_allclose(both[ours], both[theirs], rtol=0, atol=digits)
    np.testing.assert_allclose(both["z"], both["Uzscore"], rtol=1e-9)
    assert (both["flag"] == (both["outlier"] == 1)).all()


def test_ratio_of_counts(emergency):
    fit = funnel(emergency, kind="counts")
    assert fit.phi == pytest.approx(6069.701355, rel=1e-9)
    assert fit.tau2 == pytest.approx(0.1271291509, rel=1e-9)


def test_boston_areas(shared):
    cases = pd.read_parquet(shared / "reference_data/cases/boston311_2015_cases.parquet")
    due = cases[(cases["target_dt"] <= pd.Timestamp("2016-01-12 22:22:40")) & cases["neighborhood"].notna()]
    frame = (
        due.assign(good=due["closed_dt"] <= due["target_dt"])
        .groupby("neighborhood", as_index=False)
        .agg(numerator=("good", "sum"), denominator=("good", "size"))
        .rename(columns={"neighborhood": "body"})
    )
    fit = funnel(frame)
    assert fit.bodies == 23
    assert fit.phi == pytest.approx(22.529514, abs=5e-7)
    assert fit.tau2 == pytest.approx(0.0017349472, abs=5e-11)
    assert not fit.table["flag"].any()
    assert (fit.table["z"].abs() > Q998).sum() == 16
    assert funnel(frame, adjust=False).table["flag"].sum() == 16  # by exact limits


def test_the_interpolated_binomial_limit_by_its_definition():
    size, target, tail = 40, 0.9, 0.025
    cdf = binom.cdf(np.arange(size + 1), size, target)
    count = int(np.argmax(cdf >= tail))
    share = (cdf[count] - tail) / (cdf[count] - cdf[count - 1])
    assert exact_binomial(target, np.array([size]), -1, tail)[0] == pytest.approx((count - share) / size)
    mirrored = exact_binomial(1 - target, np.array([size]), 1, tail)[0]
    assert mirrored == pytest.approx(1 - (count - share) / size)
    assert exact_binomial(1.0, np.array([3.0, 9.0]), -1, 0.025).tolist() == [1, 1]


@pytest.mark.parametrize("target", [0.5, 0.9, 0.985])
def test_exact_limits_are_crossed_no_more_often_than_they_say(target):
    size = np.arange(1, 400)
    for side in (-1, 1):
        limit = exact_binomial(target, size.astype(float), side, 0.001)
        for n, bound in zip(size, limit, strict=True):
            counts = np.arange(n + 1)
            outside = counts / n < bound - 1e-12 if side < 0 else counts / n > bound + 1e-12
            assert binom.pmf(counts[outside], n, target).sum() <= 0.001 + 1e-12


def test_all_on_time_is_not_better_than_a_rate_near_one():
    frame = pd.DataFrame({"body": list("abc"), "numerator": [37, 500, 60], "denominator": [37, 508, 61]})
    assert (funnel(frame).table["position"] == "inside").all()


def test_a_body_without_cases_keeps_its_row():
    frame = pd.DataFrame({"body": list("abc"), "numerator": [0, 5, 6], "denominator": [0, 10, 8]})
    table = funnel(frame).table
    assert table["body"].tolist() == ["a", "b", "c"]
    assert pd.isna(table["value"][0])
    assert table["position"][0] is None
    assert not table["flag"][0]


def test_all_bodies_at_one_hundred_percent():
    frame = pd.DataFrame({"body": range(12), "numerator": range(3, 15), "denominator": range(3, 15)})
    fit = funnel(frame)
    assert fit.tau2 == 0
    assert not fit.table["flag"].any()
    assert (fit.table["position"] == "inside").all()


def test_one_body_only():
    fit = funnel(pd.DataFrame({"body": ["a"], "numerator": [7], "denominator": [9]}))
    assert not fit.adjusted
    assert fit.table["position"].tolist() == ["inside"]


def test_the_curve_passes_through_the_table(emergency):
    fit = funnel(emergency)
    curve = fit.limits(fit.table["denominator"])
    np.testing.assert_allclose(curve["upper_outer"], fit.table["upper_outer"])


@pytest.mark.parametrize(
    ("frame", "error", "word"),
    [
        (pd.DataFrame({"body": ["a"], "numerator": [3], "denominator": [2]}), MethodError, "分子大于分母"),
        (pd.DataFrame({"body": ["a"], "numerator": [-1], "denominator": [2]}), MethodError, "计数为负"),
        (pd.DataFrame({"body": ["a"], "numerator": [0], "denominator": [0]}), MethodError, "没有一个单位"),
        (pd.DataFrame({"body": ["a"]}), RequestError, "numerator"),
    ],
)
def test_what_it_refuses(frame, error, word):
    with pytest.raises(error, match=word):
        funnel(frame)


def test_unknown_kind():
    with pytest.raises(RequestError, match="漏斗图"):
        funnel(TOY, kind="rate")


@given(
    st.lists(
        st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        min_size=2,
        max_size=30,
    ),
    st.booleans(),
)
def test_limits_are_ordered_and_narrow_with_size(pairs, adjust):
    frame = pd.DataFrame(pairs, columns=["numerator", "denominator"]).assign(body=range(len(pairs)))
    fit = funnel(frame, adjust=adjust)
    table = fit.table
    assert (
        (table["lower_outer"] <= table["lower_inner"] + 1e-9) & (table["lower_inner"] <= fit.target + 1e-9)
    ).all()
    assert (
        (table["upper_inner"] <= table["upper_outer"] + 1e-9) & (fit.target <= table["upper_inner"] + 1e-9)
    ).all()
    if fit.adjusted:
        curve = fit.limits(np.arange(1, 600))
        assert (curve["upper_outer"].diff().dropna() <= 1e-12).all()
        assert (curve["lower_outer"].diff().dropna() >= -1e-12).all()
