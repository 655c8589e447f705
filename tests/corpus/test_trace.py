"""Traced text: hand-made edits, and properties over arbitrary texts and edits."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.corpus.trace import Edit, Traced, join


def test_deletion_keeps_the_offsets_of_what_stays():
    text = Traced.of("信(xìn)访").edit([Edit(1, 6)])
    assert text.value == "信访"
    assert text.origin.tolist() == [0, 6]


def test_replacement_of_the_same_length_keeps_offsets_one_to_one():
    text = Traced.of("覆查,好").edit([Edit(0, 2, "复查"), Edit(2, 3, "，")])
    assert (text.value, text.origin.tolist()) == ("复查，好", [0, 1, 2, 3])


def test_replacement_of_another_length_takes_the_first_offset():
    text = Traced.of("a&nbsp;b").edit([Edit(1, 7, " ")])
    assert (text.value, text.origin.tolist()) == ("a b", [0, 1, 7])


def test_insertion_belongs_to_the_character_before():
    assert Traced.of("ab").edit([Edit(1, 1, "--")]).origin.tolist() == [0, 0, 0, 1]


def test_span_is_a_span_of_the_source():
    text = Traced.of("一(yī)二").edit([Edit(1, 5)])
    assert text.span(0, 2) == (0, 6)
    assert text.span(1, 2) == (5, 6)
    assert text.span(1, 1) == (5, 5)
    assert Traced.of("").span(0, 0) == (0, 0)


def test_join_and_lines_are_inverse():
    parts = [Traced.of("甲", 3), Traced.of("", 0), Traced.of("乙丙", 9)]
    whole = join(parts)
    assert whole.value == "甲\n\n乙丙"
    assert [line.value for line in whole.lines()] == ["甲", "", "乙丙"]
    assert whole.origin.tolist() == [3, 3, 3, 9, 10]


def test_a_character_map_must_keep_the_length():
    with pytest.raises(ValueError, match="length"):
        Traced.of("a").translate({ord("a"): "bb"})


texts = st.text(st.sampled_from("信访 ab,，\n(（12"), max_size=60)


@st.composite
def edited(draw: st.DrawFn) -> Traced:
    text = Traced.of(draw(texts))
    for _ in range(draw(st.integers(0, 4))):
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
        pairs = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
        text = text.edit([Edit(a, b, draw(st.text("xy", max_size=3))) for a, b in pairs])
    return text


@given(edited())
def test_origin_has_one_offset_a_character_and_never_goes_back(text):
    assert len(text.value) == len(text.origin)
    assert (np.diff(text.origin) >= 0).all()


@given(edited())
def test_runs_store_the_origin_whole(text):
    assert Traced.from_runs(text.value, text.runs()) == text


@given(texts)
def test_what_no_edit_touches_is_found_in_the_source(source):
    text = Traced.of(source).sub(re.compile("[(（,]|12"), "")
    assert all(source[at] == char for char, at in zip(text.value, text.origin.tolist(), strict=True))
    assert text.value == re.sub("[(（,]|12", "", source)
