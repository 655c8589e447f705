"""Cells that a spreadsheet would run: harmless going out, the same again when they come back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.formulas import harmless, restored


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-3℃", "@甲", " =1", "|x"])
def test_out_and_back(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert restored(f"'{cell}") == cell


@pytest.mark.parametrize("cell", ["'引号'开头", "'", "%", "", "来访登记", 3, -2.5, None])
def test_what_needs_no_mark_stays(cell: object) -> None:
    assert harmless(cell) == cell
    assert restored(cell) == cell


@given(st.text("=+-@|%来访' 1", min_size=1).filter(lambda cell: not cell.startswith("'")))
def test_every_cell_comes_back(cell: str) -> None:
    assert restored(harmless(cell)) == cell
