"""Opening a scope: what the data do not cover is refused before any indicator is computed."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.briefs.chapters.effects import open_evaluation
from analysis.briefs.chapters.scope import open_scope
from analysis.errors import RequestError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cases")
    row = {"matter_id": "1", "locality_code": "990102", "registered_at": pd.Timestamp("2024-01-05")}
    pd.DataFrame([row]).to_parquet(made / "matters.parquet")
    return str(made)


def test_a_covered_scope_opens(folder: str) -> None:
    assert open_scope(folder, "2024-01", "990000").region.name == "示例省"


@pytest.mark.parametrize(
    ("period", "region", "match"),
    [
        ("2024-02", "990000", "没有这个报告期"),
        ("2024-01", "330000", "没有浙江省"),
        ("2024-01", "99010", "是否为 99010"),
    ],
)
def test_another_is_refused(
    folder: str, period: str, region: str, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.cases.collect.margins", None)  # no indicator may be asked for
    with pytest.raises(RequestError, match=match):
        open_scope(folder, period, region)


def test_an_evaluation_of_another_province_is_refused(folder: str) -> None:
    with pytest.raises(RequestError, match="没有浙江省"):
        open_evaluation(folder, "330000", "resolved_once")
