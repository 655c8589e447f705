"""Keyness: the published numbers, scipy's contingency test, corrections, dispersion, and the driven term."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import RequestError
from analysis.text.compare import corrected, dispersion, keyness, measures
from analysis.text.segment import Lexicon, Segmenter
from analysis.text.terms import count


def test_golden_numbers() -> None:
    found = {
        name: float(value[0])
        for name, value in measures(np.array([40]), 10_000, np.array([10]), 20_000).items()
    }
    assert found["g2"] == pytest.approx(46.0399, abs=5e-5)
    assert found["g2_two_cells"] == pytest.approx(45.9580, abs=5e-5)
    assert found["chi2"] == pytest.approx(49.0818, abs=5e-5)
    assert found["g2_williams"] == pytest.approx(45.5089, abs=5e-5)
    assert found["g2"] / found["g2_williams"] == pytest.approx(1.011667, abs=5e-7)
    assert found["log_ratio"] == pytest.approx(3)


@settings(deadline=None)
@given(a=st.integers(0, 50), b=st.integers(0, 50), more_a=st.integers(1, 5000), more_b=st.integers(1, 5000))
def test_the_sizes_are_scipys(a: int, b: int, more_a: int, more_b: int) -> None:
    from scipy.stats import chi2_contingency

    if a + b == 0:
        return
    table = np.array([[a, b], [more_a, more_b]])
    found = measures(np.array([a]), a + more_a, np.array([b]), b + more_b)
    assert found["chi2"][0] == pytest.approx(
        chi2_contingency(table, correction=False).statistic, rel=1e-9, abs=1e-9
    )
    likelihood = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert found["g2"][0] == pytest.approx(likelihood, rel=1e-9, abs=1e-9)


def test_a_zero_counts_as_a_half_in_the_ratio() -> None:
    assert measures(np.array([0]), 100, np.array([4]), 100)["log_ratio"][0] == pytest.approx(-3)


def test_corrections_by_hand_and_by_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.array([0.01, 0.04, 0.03, 0.005, 0.9])
    for ours, theirs in (("holm", "holm"), ("bonferroni", "bonferroni"), ("bh", "fdr_bh")):
        assert corrected(p, ours) == pytest.approx(multipletests(p, method=theirs)[1])  # type: ignore[arg-type]
    assert corrected(p, "none").tolist() == p.tolist()
    with pytest.raises(RequestError, match="sidak"):
        corrected(p, "sidak")  # type: ignore[arg-type]


def test_dispersion_by_hand() -> None:
    assert dispersion(np.array([2, 2]), np.array([100, 100])) == 0
    assert dispersion(np.array([4, 0]), np.array([100, 300])) == pytest.approx(0.75)


@pytest.fixture(scope="module")
def plain() -> Segmenter:
    return Segmenter(Lexicon())


def test_a_term_that_one_document_drives_is_flagged(frames, plain: Segmenter) -> None:
    documents, _ = frames(
        "登记登记登记登记。督查。", "登记。督查。", "督查。来访来访来访。", "来访来访来访。"
    )
    table = keyness(count(documents, plain, frozenset()), np.array([True, True, False, False]), min_count=1)
    table = table.set_index("term")
    assert table.loc["登记", ["direction", "count", "reference_count", "documents"]].tolist() == [
        "更多",
        5,
        0,
        2,
    ]
    assert table.loc["登记", "driven_by"] == "d0"
    assert table.loc["来访", "direction"] == "更少"
    assert table["driven_by"].isna()["来访"]
    assert set(table["correction"]) == {"holm"}
    assert (table["p_corrected"] >= table["p"]).all()


def test_a_group_without_text_is_said(frames, plain: Segmenter) -> None:
    documents, _ = frames("登记登记登记。", "")
    table = keyness(count(documents, plain, frozenset()), np.array([True, False]))
    assert len(table) == 1
    assert "后一组" in table["note"].iloc[0]


def test_single_documents_are_said(frames, plain: Segmenter) -> None:
    documents, _ = frames("登记登记登记。", "督查督查督查。")
    table = keyness(count(documents, plain, frozenset()), np.array([True, False]))
    assert table["note"].str.contains("只有一篇").all()


def test_duplicates_on_both_sides_show_no_difference(frames, plain: Segmenter) -> None:
    documents, _ = frames(*(["登记来访督查。"] * 4))
    table = keyness(count(documents, plain, frozenset()), np.array([True, True, False, False]))
    assert table["g2"].abs().max() == pytest.approx(0, abs=1e-9)
    assert table["note"].str.contains("全部相同").all()
    assert set(table["direction"]) == {"持平"}


def test_one_value_a_document(frames, plain: Segmenter) -> None:
    documents, _ = frames("登记。", "督查。")
    with pytest.raises(RequestError, match="一一对应"):
        keyness(count(documents, plain), np.array([True]))
