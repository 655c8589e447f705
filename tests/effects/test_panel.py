"""Panels of long tables: labels, treatment dates, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.effects.panel import NEVER, read
from analysis.errors import InputError, MethodError

NAMES = {"unit": "u", "time": "t", "outcome": "y", "first_treated": "g"}
FRAME = pd.DataFrame(
    {"u": list("aabbcc"), "t": [2009, 2010] * 3, "y": range(6), "g": [2010, 2010, 0, 0, np.nan, np.nan]}
)


def test_a_panel_by_hand():
    panel = read(FRAME, **NAMES)
    assert panel.units == ("a", "b", "c")
    assert panel.times == ("2009", "2010")
    assert panel.outcome.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert panel.first.tolist() == [1, NEVER, NEVER]
    assert panel.cohorts == [1]


@pytest.mark.parametrize("never", [0, "", None, np.inf, float("nan")])
def test_never_treated_in_every_spelling(never):
    frame = FRAME.assign(g=pd.Series([2010, 2010] + [never] * 4, dtype=object))
    assert np.isinf(read(frame, **NAMES).first[1:]).all()


def test_numbers_are_ordered_as_numbers_and_months_as_text():
    frame = pd.DataFrame({"u": list("aabb"), "t": [9, 10, 9, 10], "y": [1, 2, 3, 4], "g": [10, 10, 0, 0]})
    panel = read(frame, **NAMES)
    assert panel.times == ("9", "10")
    assert panel.first[0] == 1
    months = FRAME.assign(t=["2023-12", "2024-01"] * 3, g=["2024-01-15"] * 2 + [None] * 4)
    assert read(months, **NAMES).first[0] == 1  # a day within a month belongs to that month


def test_dates_between_before_and_after_the_window():
    frame = pd.DataFrame(
        {"u": list("aabbcc"), "t": [2010, 2012] * 3, "y": range(6), "g": [2011, 2011, 2005, 2005, 2020, 2020]}
    )
    assert read(frame, **NAMES).first.tolist() == [1, 0, NEVER]


def test_a_shorter_window_makes_later_units_untreated():
    frame = pd.DataFrame(
        {"u": np.repeat(list("abc"), 4), "t": [1, 2, 3, 4] * 3, "y": range(12), "g": np.repeat([2, 4, 0], 4)}
    )
    panel = read(frame, **NAMES).until("3")
    assert panel.times == ("1", "2", "3")
    assert panel.first.tolist() == [1, NEVER, NEVER]
    with pytest.raises(MethodError, match="不足两期"):
        panel.until("1")


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (FRAME.drop(columns="g"), "缺少列：g"),
        (pd.concat([FRAME, FRAME.head(1)]), "出现两次"),
        (FRAME.assign(y=[1, 2, "三", 4, 5, 6]), "不是数字"),
        (FRAME.assign(g=[2009, 2010, 0, 0, 0, 0]), "两个实施时间"),
    ],
)
def test_what_it_refuses(frame, word):
    with pytest.raises(InputError, match=word):
        read(frame, **NAMES)


def test_too_small():
    with pytest.raises(MethodError, match="至少需要两个单位"):
        read(FRAME.head(2), **NAMES)


def test_a_gap_is_a_gap():
    panel = read(FRAME.drop(index=3), **NAMES)
    assert np.isnan(panel.outcome[1, 1])
