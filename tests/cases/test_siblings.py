"""Suppression among siblings: each small cell judged by programmes, each proof checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analysis.cases.siblings import conceal, crown

THRESHOLD = 4


def small(counts):
    counts = np.asarray(counts, float)
    return (counts > 0) & (counts <= THRESHOLD)


def with_totals(parts, *, split=True):
    inner = np.asarray(parts, float)
    table = np.column_stack([inner, inner.sum(axis=1)]) if split else inner
    return np.vstack([table, table.sum(axis=0)])


def equations(shape):
    rows, columns = shape
    place = np.arange(rows * columns).reshape(shape)
    made = []
    for row in range(rows if columns > 1 else 0):
        line = np.zeros(place.size)
        line[place[row, :-1]], line[place[row, -1]] = -1, 1
        made.append(line)
    for column in range(columns):
        line = np.zeros(place.size)
        line[place[:-1, column]], line[place[-1, column]] = -1, 1
        made.append(line)
    return np.array(made)


def ends(values, hidden, cell):
    """Least and greatest value of a cell that what is shown allows."""
    goal = np.zeros(values.size)
    goal[cell] = 1
    truth, matrix = values.ravel(), equations(values.shape)
    bounds = [
        (0, None) if shut else (value, value) for value, shut in zip(truth, hidden.ravel(), strict=True)
    ]
    low = linprog(goal, A_eq=matrix, b_eq=matrix @ truth, bounds=bounds).fun
    high = linprog(-goal, A_eq=matrix, b_eq=matrix @ truth, bounds=bounds)
    return low, np.inf if high.status == 3 else -high.fun


tables = st.integers(1, 6).flatmap(
    lambda rows: st.integers(1, 4).flatmap(
        lambda parts: st.lists(
            st.lists(st.one_of(st.integers(0, 5), st.integers(0, 40)), min_size=parts, max_size=parts),
            min_size=rows,
            max_size=rows,
        )
    )
)


@settings(max_examples=80, deadline=None)
@given(tables, st.booleans())
def test_every_small_cell_can_be_nought_and_the_threshold(parts, split):
    values = with_totals(parts if split else [row[:1] for row in parts], split=split)
    hidden = conceal(values, small, THRESHOLD).cells
    assert hidden[small(values)].all()
    for cell in np.flatnonzero(small(values[:-1])):
        low, high = ends(values, hidden, cell)
        assert low <= 1e-6
        assert high >= THRESHOLD - 1e-6


@settings(max_examples=150, deadline=None)
@given(tables)
def test_every_proof_agrees_with_what_is_shown(parts):
    values = with_totals(parts)
    made = conceal(values, small, THRESHOLD)
    matrix = equations(values.shape)
    for places, added in made.proofs:
        moved = np.zeros(values.size)
        moved[places] = added
        assert np.abs(matrix @ moved).max() < 1e-9
        assert not moved[~made.cells.ravel()].any()
        assert (values.ravel() + moved >= 0).all()


def test_a_swap_leaves_the_citys_own_figures_open():
    values = with_totals([[2, 30], [40, 50], [20, 35]])
    hidden = conceal(values, small, THRESHOLD).cells
    # The cheapest rectangle is with the third county; all totals are shown.
    assert hidden.tolist() == [
        [True, True, False],
        [False, False, False],
        [True, True, False],
        [False, False, False],
    ]


def test_nothing_small_nothing_hidden():
    values = with_totals([[12, 30], [0, 50]])
    assert not conceal(values, small, THRESHOLD).cells.any()


def test_a_county_that_no_sibling_can_stand_for_takes_the_citys_parts_along():
    # The other county has none of the second part to give.
    values = with_totals([[3, 50], [10, 0]])
    hidden = conceal(values, small, THRESHOLD).cells
    assert hidden[0].tolist() == [True, True, False]
    assert hidden[-1].tolist() == [True, True, False]


def test_a_small_count_alone_takes_the_next_smallest_with_it():
    values = with_totals([[3], [9], [30]], split=False)
    assert conceal(values, small, THRESHOLD).cells.ravel().tolist() == [True, True, False, False]


def test_the_province_withholds_what_one_city_alone_withholds():
    values = with_totals([[3, 60], [40, 80], [20, 90]])
    below = np.array([[True, True, False], [False] * 3, [False] * 3])
    assert crown(values, below, small, THRESHOLD).tolist() == [True, True, False]
    shared = np.array([[True, True, False], [True, True, False], [False] * 3])
    # Each can be moved against the other, but the first holds too little for the second's.
    assert crown(values, shared, small, THRESHOLD).tolist() == [True, True, False]
    more = with_totals([[4, 60], [4, 80], [4, 90]])
    assert not crown(more, np.array([[True, True, False]] * 3), small, THRESHOLD).any()


@pytest.mark.parametrize("count", [0, 9])
def test_parts_that_a_split_does_not_name_are_never_shown_and_serve_as_partners(count):
    values = with_totals([[3, 20, 8], [30, 40, 9], [12, 14, count]])
    made = conceal(values, small, THRESHOLD, np.array([False, False, True]))
    assert made.cells[:, 2].all()
    assert not made.cells[:, -1].any()
    assert made.cells[0].tolist() == [True, False, True, False]
