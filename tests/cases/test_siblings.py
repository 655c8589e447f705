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


def province(*cities, split=True):
    """The cities' own rows with their sums, and each city's counties with what is not shown of them."""
    below = [
        (table, conceal(table, small, THRESHOLD))
        for table in (with_totals(city, split=split) for city in cities)
    ]
    rows = np.array([table[-1] for table, _ in below])
    return np.vstack([rows, rows.sum(axis=0)]), below


def test_the_province_withholds_what_one_city_alone_withholds():
    alone = [[3, 60], [0, 90]]
    values, below = province(alone, [[40, 80]], [[20, 90]])
    assert below[0][1].cells[-1].tolist() == [True, True, False]
    assert crown(values, below, small, THRESHOLD).cells[-1].tolist() == [True, True, False]
    # A city that withholds the same can take it back: 3 to 4 and 1 to 0, 3 to 0 and 1 to 4.
    values, below = province(alone, [[1, 80], [0, 40]], [[20, 90]])
    assert not crown(values, below, small, THRESHOLD).cells[-1].any()


def test_the_province_withholds_no_more_than_the_cheaper_way_round():
    """No city withholds the very same two parts, but three of them together close the circle."""
    first, second, third = [[3, 60, 0]], [[0, 80, 4]], [[4, 0, 90]]
    values, below = province(first, second, second, third, third)
    assert [hidden.cells[-1].tolist() for _, hidden in below[:2]] == [
        [True, True, False, False],
        [False, True, True, False],
    ]
    assert not crown(values, below, small, THRESHOLD).cells[-1].any()
    # Without the third the circle is closed at the top, by its two lesser parts: 12 and 94, not 12 and 210.
    values, below = province(first, second, [[9, 70, 90]])
    assert crown(values, below, small, THRESHOLD).cells[-1].tolist() == [True, False, True, False]


provinces = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 2**32 - 1)), min_size=1, max_size=4).flatmap(
    lambda shape: st.tuples(st.just(shape), st.integers(0, 4), st.sampled_from([1, 3, 8]), st.booleans())
)


@settings(max_examples=25, deadline=None)
@given(provinces)
def test_no_small_count_of_a_county_or_city_follows_from_all_that_a_province_shows(drawn):
    """All three levels as one system of equations, judged by programmes."""
    shape, parts, rate, unnamed = drawn
    unseen = np.arange(parts) == (parts - 1 if unnamed and parts > 1 else -1)
    below = []
    for rows, seed in shape:
        counts = np.random.default_rng(seed).poisson(rate, (rows, max(parts, 1))) * np.arange(
            1, max(parts, 1) + 1
        )
        if unseen.any():
            counts[:, -1] *= seed % 2  # some cities name all their parts
        table = with_totals(counts, split=bool(parts))
        below.append((table, conceal(table, small, THRESHOLD, unseen)))
    values = np.vstack([[table[-1] for table, _ in below], sum(table[-1] for table, _ in below)])
    made = crown(values, below, small, THRESHOLD, unseen)
    tables = [*(table for table, _ in below), values]
    starts = np.cumsum([0, *(table.size for table in tables)])
    lines = []
    for table, start in zip(tables, starts, strict=False):
        wide = np.zeros((len(equations(table.shape)), starts[-1]))
        wide[:, start : start + table.size] = equations(table.shape)
        lines += list(wide)
    for city, (table, _) in enumerate(below):  # a city's row stands in two tables
        for column in range(values.shape[1]):
            line = np.zeros(starts[-1])
            line[starts[city] + table.size - values.shape[1] + column] = 1
            line[starts[-2] + city * values.shape[1] + column] = -1
            lines.append(line)
    truth = np.concatenate([table.ravel() for table in tables])
    shut = np.concatenate([*(hidden.cells.ravel() for _, hidden in below), made.cells.ravel()])
    bounds = [(0, None) if hidden else (value, value) for hidden, value in zip(shut, truth, strict=True)]
    named = np.concatenate(
        [
            np.broadcast_to(~np.append(unseen, False)[-table.shape[1] :], table.shape).ravel()
            for table in tables
        ]
    )
    matrix = np.array(lines)
    for cell in np.flatnonzero(small(truth) & named):
        assert shut[cell]
        goal = np.zeros(len(truth))
        for sign, need in ((1, 0), (-1, -THRESHOLD)):
            goal[cell] = sign
            found = linprog(goal, A_eq=matrix, b_eq=matrix @ truth, bounds=bounds)
            assert found.status == 3 or found.fun <= need + 1e-6


def test_the_province_does_not_hide_behind_a_rest_that_is_nothing():
    unseen = np.array([False, False, False, True])
    below = [
        (table, conceal(table, small, THRESHOLD, unseen))
        for table in (with_totals([[2, 5, 57, 0], [0, 0, 0, 0]]), with_totals([[2, 2, 52, 0], [0, 0, 0, 0]]))
    ]
    values = np.vstack([[table[-1] for table, _ in below], below[0][0][-1] + below[1][0][-1]])
    top = crown(values, below, small, THRESHOLD, unseen).cells[-1]
    assert top[0]
    assert top[1:3].any()


@pytest.mark.parametrize("count", [0, 9])
def test_parts_that_a_split_does_not_name_are_never_shown_and_serve_as_partners(count):
    values = with_totals([[3, 20, 8], [30, 40, 9], [12, 14, count]])
    made = conceal(values, small, THRESHOLD, np.array([False, False, True]))
    assert made.cells[:, 2].all()
    assert not made.cells[:, -1].any()
    assert made.cells[0].tolist() == [True, False, True, False]
