"""Randomisation inference: exact by enumeration, of the right size where clustered errors are not."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis.effects import did, randomisation, read
from analysis.errors import MethodError


def small():
    frame = pd.DataFrame(
        {
            "u": np.repeat(list("abcdefg"), 2),
            "t": [1, 2] * 7,
            "y": [0, 9, 0, 7, 0, 1, 0, 2, 0, 0.5, 0, 3, 0, 1.5],
            "g": np.repeat([2, 2, 0, 0, 0, 0, 0], 2),
        }
    )
    return read(frame, unit="u", time="t", outcome="y", first_treated="g")


def test_the_share_of_draws_is_that_of_all_assignments():
    panel = small()
    made = randomisation.randomise(panel, draws=3999, seed=1)
    change = panel.outcome[:, 1]
    every = [
        change[list(pair)].mean() - np.delete(change, list(pair)).mean()
        for pair in itertools.combinations(range(7), 2)
    ]
    exact = np.mean(np.abs(every) >= abs(made.estimate) - 1e-12)
    assert made.estimate == pytest.approx(8 - (1 + 2 + 0.5 + 3 + 1.5) / 5)
    assert exact == pytest.approx(1 / 21)
    assert made.p == pytest.approx(exact, abs=0.012)
    assert made.eligible == 7


def test_one_cohort_is_drawn_among_itself_and_the_untreated(counties):
    panel = counties(effect=15.0)
    made = randomisation.randomise(panel, cohort=14, draws=199)
    assert made.eligible == 2 + 71
    assert made.estimate == pytest.approx(did.simple_att(randomisation.only(panel, 14), base="all_pre"))
    assert made.low < made.estimate < made.high
    assert made.p <= 0.05


def test_size_with_two_treated_counties(counties):
    """Clustered errors reject a true nought some 30 % of the time here; re-drawing keeps near 5 %."""
    by_error = by_draws = 0
    runs = 60
    for seed in range(runs):
        panel = counties(seed=seed, cohorts=((14, 2),))
        att, se = did.summarise(did.att_gt(panel, control="never")).overall
        by_error += abs(att) > 1.96 * se
        by_draws += randomisation.randomise(panel, cohort=14, base="varying", draws=199, seed=seed).p <= 0.05
    assert by_draws <= 8  # binomial(60, 0.05): above 8 once in a thousand
    assert by_error >= 9  # binomial(60, 0.3): below 9 once in a hundred


def test_same_seed_same_draws():
    panel = small()
    first, second = (randomisation.randomise(panel, draws=199, seed=4) for _ in range(2))
    assert (first.draws == second.draws).all()


def test_what_it_refuses(counties):
    with pytest.raises(MethodError, match="199"):
        randomisation.randomise(small(), draws=50)
    everyone = counties(cohorts=((14, 45), (17, 45)))
    with pytest.raises(MethodError, match="没有未实施的单位"):
        randomisation.randomise(everyone)
