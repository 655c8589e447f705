"""Intervals against the table of PHEindicatormethods, exact coverage, and clustered pieces."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from analysis.cases import intervals


def test_byar_and_wilson_of_the_phe_table(shared):
    table = pd.read_csv(shared / "reference_data/reference_outputs/phe_byars_wilson.csv")
    for row in table.itertuples():
        coverage = float(row.confidence.rstrip("%")) / 100
        if row.method == "Wilson":
            low, high = intervals.wilson(row.x, row.n, coverage)
        else:
            low, high = intervals.byar(row.x, coverage)
        # The table leaves the bound empty where Byar's cube is negative; ours is 0 there.
        assert low == pytest.approx(0 if np.isnan(row.lowercl) else row.lowercl, rel=1e-12)
        assert high == pytest.approx(row.uppercl, rel=1e-12)


def test_edges():
    low, high = intervals.wilson([0, 4, 0], [4, 4, 0])
    assert low[0] == 0
    assert high[0] < 1
    assert high[1] == 1
    assert np.isnan(low[2])
    assert intervals.byar(0)[0] == 0
    low, high = intervals.jeffreys([0, 4, 0], [4, 4, 0])
    assert low.tolist()[::2] == [0, 0]
    assert high.tolist()[1:] == [1, 1]
    assert 0.5 < low[1] < 0.7


@pytest.mark.parametrize("method", [intervals.wilson, intervals.jeffreys])
@pytest.mark.parametrize("n", [8, 30, 200])
def test_coverage_averaged_over_p_is_near_95_percent(method, n):
    rates = (np.arange(400) + 0.5) / 400
    counts = np.arange(n + 1)
    low, high = method(counts, n)
    covered = [
        binom.pmf(counts, n, rate)[(low <= rate) & (rate <= high)].sum() for rate in rates
    ]  # exact: no simulation
    assert 0.93 < np.mean(covered) < 0.97


def test_pieces_of_one_matter_count_as_fewer():
    # 50 matters of 4 pieces each, all pieces of a matter alike: 200 pieces know what 50 do.
    clusters, inside = 50, 4
    good = np.repeat([1, 0], [40, 10]) * inside
    size = np.full(clusters, inside)
    found = intervals.effective_size(
        clusters, good.sum(), size.sum(), (good**2).sum(), (good * size).sum(), (size**2).sum()
    )
    assert found == pytest.approx(49)  # c − 1: the variance is estimated


def test_single_pieces_know_as_much_as_they_are():
    good = np.repeat([1, 0], [40, 10])
    size = np.ones(50)
    found = intervals.effective_size(50, 40, 50, (good**2).sum(), (good * size).sum(), 50)
    assert found == pytest.approx(49)
    assert intervals.effective_size(10, 40, 40, 160, 160, 160) == 10  # all in time: what the matters say
    assert intervals.effective_size(1, 3, 4, 9, 12, 16) == 1


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_contain_the_rate_and_mirror(pair):
    x, n = pair
    for method in (intervals.wilson, intervals.jeffreys):
        low, high = method(x, n)
        assert -1e-12 <= low <= x / n + 1e-12
        assert x / n - 1e-12 <= high <= 1 + 1e-12
        other_low, other_high = method(n - x, n)
        assert low == pytest.approx(1 - other_high, abs=1e-9)
        assert high == pytest.approx(1 - other_low, abs=1e-9)
