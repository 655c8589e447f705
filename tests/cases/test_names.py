"""Columns of names as categories: the same tables and orders as text gives."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cases.names import firsts, numbered, renamed, same, stack, words

NAMES = st.lists(st.sampled_from(["", "县", "市", "990101", "990102", "b"]), min_size=1, max_size=30)


@given(NAMES, st.randoms())
def test_numbers_order_rows_as_their_names_do(names: list[str], random: object) -> None:
    frame = pd.DataFrame({"region": names, "group": list(reversed(names)), "row": range(len(names))})
    by_number = frame.iloc[np.argsort(numbered(frame, ["region", "group"]), kind="stable")]
    by_name = frame.sort_values(["region", "group"], kind="stable")
    assert by_number["row"].tolist() == by_name["row"].tolist()


def test_what_has_no_name_has_a_number_of_its_own() -> None:
    frame = pd.DataFrame({"region": pd.Categorical(["b", None, "a", None])})
    assert numbered(frame, ["region"]).tolist() == [2, 0, 1, 0]


@given(st.lists(st.integers(-3, 3), max_size=40))
def test_first_places(numbers: list[int]) -> None:
    counted, first = firsts(np.array(numbers, dtype=np.int64))
    distinct = list(dict.fromkeys(numbers))
    assert first.tolist() == [numbers.index(one) for one in distinct]
    assert counted.tolist() == [distinct.index(one) for one in numbers]


def test_text_out_of_arrow_keeps_its_rows_and_has_an_empty_name_for_none() -> None:
    made = words(pa.chunked_array([["b", None], ["a", "b"]]))
    assert list(made) == ["b", "", "a", "b"]
    assert list(made.categories) == ["", "a", "b"]


def test_frames_one_under_the_other() -> None:
    one = pd.DataFrame({"region": same("b", 2), "n": [1.0, 2.0]})
    other = pd.DataFrame({"n": [3.0], "region": ["a"], "more": ["x"]})
    made = stack([one, pd.DataFrame(), other], ["region", "n"])
    assert made["region"].tolist() == ["b", "b", "a"]
    assert made["region"].cat.categories.tolist() == ["a", "b"]
    assert made["n"].tolist() == [1, 2, 3]
    nothing = stack([], ["region", "n"])
    assert list(nothing.columns) == ["region", "n"]
    assert not len(nothing)
    assert nothing["region"].dtype == "category"


@pytest.mark.parametrize("kind", ["object", "category"])
def test_names_put_through_a_function(kind: str) -> None:
    column = pd.Series(["990101", "990102", "x"], index=[5, 6, 7], dtype=kind)
    made = renamed(column, lambda name: name[:4])
    assert made.to_dict() == {5: "9901", 6: "9901", 7: "x"}
