"""Observed over expected: by hand, against an independent logistic fit, and where the mix alone makes the difference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analysis.cases.casemix import expected
from analysis.cases.intervals import byar
from analysis.errors import MethodError, RequestError

# Two bodies, two topics: 城建 late 20 %, 教育 late 5 % over both; a gets mostly the slow topic.
MIX = pd.DataFrame(
    {
        "body": ["a", "a", "b", "b"],
        "topic": ["城建", "教育", "城建", "教育"],
        "numerator": [144, 19, 16, 171],
        "denominator": [180, 20, 20, 180],
    }
)


@pytest.mark.parametrize("method", ["strata", "logistic"])
def test_expected_counts_by_hand(method):
    made = expected(MIX, ["topic"], method=method, complement=True, minimum_cases=0).set_index("body")
    # a: 180 × 0.2 + 20 × 0.05 = 37 late expected, 36 + 1 observed; b: 20 × 0.2 + 180 × 0.05 = 13, 4 + 9.
    assert made["expected"].to_dict() == pytest.approx({"a": 37, "b": 13}, rel=1e-5)
    assert made["observed"].to_dict() == {"a": 37, "b": 13}
    assert made["ratio"].to_numpy() == pytest.approx([1, 1], rel=1e-5)
    # Unadjusted, a looks far worse: 81.5 % on time against 93.5 %. Adjusted they are alike.
    assert made["adjusted"].to_numpy() == pytest.approx([0.875, 0.875], rel=1e-5)
    low, high = byar(37)
    assert made.loc["a", ["low", "high"]].tolist() == pytest.approx([low / 37, high / 37], rel=1e-5)


def mixed(seed=0, bodies=15):
    rng = np.random.default_rng(seed)
    rows = []
    for body in range(bodies):
        for topic in "甲乙丙":
            for channel in ("来信", "来访"):
                n = int(rng.integers(5, 90))
                odds = (
                    -2.5
                    + {"甲": 0.0, "乙": 1.0, "丙": -0.5}[topic]
                    + (channel == "来访") * 0.6
                    + (body == 3) * 1.2
                )
                rows.append((body, topic, channel, rng.binomial(n, 1 / (1 + np.exp(-odds))), n))
    return pd.DataFrame(rows, columns=["body", "topic", "channel", "numerator", "denominator"])


def test_the_logistic_fit_equals_statsmodels():
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    frame = mixed()
    fit = smf.glm(
        "good + bad ~ C(topic) + C(channel)",
        frame.assign(good=frame["numerator"], bad=frame["denominator"] - frame["numerator"]),
        family=sm.families.Binomial(),
    ).fit()
    theirs = (fit.fittedvalues * frame["denominator"]).groupby(frame["body"]).sum()
    ours = expected(frame, ["topic", "channel"]).set_index("body")["expected"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_the_body_that_is_late_whatever_it_is_given_stands_out():
    made = expected(mixed(), ["topic", "channel"]).set_index("body")
    assert made["ratio"].idxmax() == 3
    assert made.loc[3, "low"] > 1


def test_rare_terms_are_joined_and_missing_ones_count():
    frame = pd.concat(
        [
            MIX,
            pd.DataFrame(
                {"body": ["a", "b"], "topic": ["罕见", None], "numerator": [1, 2], "denominator": [2, 3]}
            ),
        ]
    )
    made = expected(frame, ["topic"], method="strata", minimum_cases=10)
    assert made["expected"].sum() == pytest.approx(frame["numerator"].sum())
    assert made["n"].sum() == frame["denominator"].sum()


def test_a_term_without_a_single_late_case_is_no_trouble():
    frame = MIX.assign(numerator=[144, 20, 16, 180])
    made = expected(frame, ["topic"], complement=True)
    assert np.isfinite(made["expected"]).all()
    assert made["expected"].sum() == pytest.approx(40, rel=1e-6)


def test_what_it_refuses():
    with pytest.raises(RequestError, match="调整方法"):
        expected(MIX, ["topic"], method="cox")
    with pytest.raises(RequestError, match="channel"):
        expected(MIX, ["channel"])
    with pytest.raises(RequestError, match="没有给出"):
        expected(MIX, [])
    with pytest.raises(MethodError, match="不是比例"):
        expected(MIX.assign(numerator=999), ["topic"])
    with pytest.raises(MethodError, match="没有发生"):
        expected(MIX.assign(numerator=0), ["topic"])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.sampled_from("甲乙丙"),
            st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        ),
        min_size=2,
        max_size=30,
    ),
    st.sampled_from(["strata", "logistic"]),
)
def test_observed_and_expected_agree_in_sum(rows, method):
    frame = pd.DataFrame(
        [(body, topic, k, n) for body, topic, (k, n) in rows],
        columns=["body", "topic", "numerator", "denominator"],
    )
    if frame["numerator"].sum() == 0:
        return
    strata = frame.groupby("topic")[["numerator", "denominator"]].sum()
    # A stratum of only successes or failures has no finite odds: the model then refuses, as it should.
    assume(
        method == "strata"
        or ((strata["numerator"] > 0) & (strata["numerator"] < strata["denominator"])).all()
    )
    made = expected(frame, ["topic"], method=method)
    assert made["expected"].sum() == pytest.approx(made["observed"].sum(), rel=1e-6)
