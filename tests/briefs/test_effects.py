"""The evaluation chapter: refusals before estimates, every effect a result with its interval, nothing attributed without controls."""

from __future__ import annotations

import pytest

from analysis import display
from analysis.briefs.chapters import effects
from analysis.display.session import mime


@pytest.fixture(scope="module")
def shown(root):
    """Parts of the chapter on the sample, in order: (kind, content)."""
    display.use()
    evaluation = effects.open_evaluation(str(root / "data/sample/cases"), "990000", "resolved_once")
    effects.chapter(evaluation)
    kinds = ("result", "finding", "table", "chart", "evidence", "note")
    return [
        (kind, bundle[mime(kind)]) for bundle in display.recorded() for kind in kinds if mime(kind) in bundle
    ], evaluation


def test_refusals_stand_before_the_first_effect(shown):
    parts, _ = shown
    kinds = [kind for kind, _ in parts]
    refusal = next(k for k, (kind, part) in enumerate(parts) if kind == "note" and "不作估计" in str(part))
    assert refusal < kinds.index("result")
    assert any("2024-01" in str(part) for kind, part in parts if kind == "note")


def test_every_effect_is_a_result_with_its_interval(shown):
    parts, evaluation = shown
    found = {part["name"]: part for kind, part in parts if kind == "result"}
    for row in evaluation.result["cohorts"]:
        result = found[f"一次性化解率·{evaluation.tier(row['group'])}效应"]
        assert result["value"] == pytest.approx(row["att"])
        assert result["low"] < result["value"] < result["high"]
        assert result["n"] == row["units"]
        assert evaluation.result["specification"] in result["definition"]


def test_small_pilots_are_said_to_be_small(shown):
    parts, _ = shown
    sentences = [str(part) for kind, part in parts if kind == "finding"]
    assert any("2个县" in sentence and "最小可检出效应" in sentence for sentence in sentences)


def test_an_effect_that_hangs_on_the_base_period_says_so(shown):
    parts, evaluation = shown
    said = {part["text"] for kind, part in parts if kind == "finding"}
    for row in evaluation.result["cohorts"]:
        (sentence,) = [text for text in said if text.startswith(f"{evaluation.tier(row['group'])}（")]
        hangs = row["p_randomisation"] <= 0.05 < row["p_other_base"]
        assert (f"p={row['p_other_base']:.3f}" in sentence) == hangs


def test_what_has_no_controls_is_not_attributed(shown):
    parts, _ = shown
    sentences = [str(part) for kind, part in parts if kind == "finding"]
    assert any("71个县" in sentence and "不能归因于政策" in sentence for sentence in sentences)


def test_tables_and_charts_have_names_and_words(shown):
    parts, _ = shown
    assert [part["name"] for kind, part in parts if kind == "table"] == [
        "design-resolved_once",
        "estimates-resolved_once",
    ]
    charts = [part for kind, part in parts if kind == "chart"]
    assert [part["name"] for part in charts] == ["means-resolved_once", "event-resolved_once"]
    assert all("图" in part["alt"] for part in charts)
