"""Policy intensity: the worked example, years without a policy, synergy, proposals with spans."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import MethodError
from analysis.text.commitments import commitments
from analysis.text.intensity import intensity, propose, synergy


def test_golden_values() -> None:
    """text_methods.md 2.2: (p,g,m) = (5,4,3), (2,3,3), (1,1,2) → total 50, mean 16.667."""
    row = intensity(pd.DataFrame({"year": [2023] * 3, "p": [5, 2, 1], "g": [4, 3, 1], "m": [3, 3, 2]})).iloc[
        0
    ]
    assert row["total"] == 50
    assert row["mean"] == pytest.approx(16.667, abs=5e-4)


def test_cumulative_sum_less_what_was_repealed() -> None:
    table = intensity(
        pd.DataFrame({"year": [2020, 2022], "p": [1, 2], "g": [1, 2], "m": [1, 1], "repealed": [2022, None]})
    )
    assert table["total"].tolist() == [2, 0, 6]
    assert table["cumulative"].tolist() == [2, 2, 6]
    assert pd.isna(table["mean"].iloc[1])


def test_policies_without_a_year_or_a_score_are_left_out_and_counted() -> None:
    table = pd.DataFrame(
        {"year": [2023, pd.NA, 2023], "p": [2, 5, pd.NA], "g": [1, 5, 5], "m": [1, 5, 5]}, dtype=object
    )
    result = intensity(table)
    assert result[["policies", "total"]].to_numpy().tolist() == [[1, 4]]
    assert result.attrs["left_out"] == 2
    with pytest.raises(MethodError, match="年份"):
        intensity(table.iloc[1:])


def test_synergy_by_hand() -> None:
    table = pd.DataFrame({"year": [2023, 2023], "p": [2, 3], "训": [1, 2], "考": [4, 5]})
    assert synergy(table, "训", "考")["synergy"].tolist() == [2 * 1 * 4 + 3 * 2 * 5]


def test_proposals_rest_on_spans_and_refuse_news() -> None:
    body = "二、工作任务\n2024年底前,由市信访局负责建立督办考核平台3个。鼓励社会参与。"
    documents = pd.DataFrame(
        [
            {
                "doc_id": "d",
                "body": body,
                "genre": "规范性文件",
                "level": "市",
                "title": "信访督办办法",
                "published": "2024-01-01",
            }
        ]
    )
    row = propose(documents, commitments(documents)).iloc[0]
    assert (row["p"], row["p_ground"], row["g"], row["m"], row["confirmed"]) == (2, "办法·市", 5, 5, False)
    assert body[row["g_start"] : row["g_end"]].startswith("2024年底前")
    with pytest.raises(MethodError):
        propose(documents.assign(genre="新闻特写"), commitments(documents))
