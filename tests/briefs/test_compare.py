from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis import display
from analysis.briefs import compare
from analysis.errors import InputError


def result(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "text": str(value),
        "unit": None,
        "low": None,
        "high": None,
        "digits": None,
        **more,
    }


def graded(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> dict[str, tuple[str, str | None]]:
    rows = compare.results({"results": old}, {"results": new})
    return {row["name"]: (row["grade"], row["intervals"]) for row in rows}


@pytest.mark.parametrize(
    ("old", "new", "grade"),
    [
        ({"value": 100}, {"value": 100}, "未变"),
        ({"value": 100}, {"value": 104}, "轻微"),
        ({"value": 100}, {"value": 105}, "明显"),
        ({"value": 100}, {"value": 80}, "重大"),
        ({"value": 0}, {"value": 3}, "重大"),
        ({"value": 90.0, "unit": "%"}, {"value": 90.004, "unit": "%"}, "未变"),
        ({"value": 90.0, "unit": "%"}, {"value": 90.9, "unit": "%"}, "轻微"),
        ({"value": 90.0, "unit": "%"}, {"value": 86.0, "unit": "%"}, "明显"),
        ({"value": 90.0, "unit": "%"}, {"value": 84.0, "unit": "%"}, "重大"),
        ({"value": "甲"}, {"value": "乙"}, "重大"),
        ({"value": None}, {"value": None}, "未变"),
        ({"value": None}, {"value": 3}, "重大"),
    ],
)
def test_a_change_is_graded_by_its_size(old: dict[str, Any], new: dict[str, Any], grade: str) -> None:
    assert graded([result("x", **old)], [result("x", **new)])["x"][0] == grade


def test_overlapping_intervals_hold_the_grade_down() -> None:
    old = result("x", 90.0, unit="%", low=80.0, high=95.0)
    assert graded([old], [result("x", 82.0, unit="%", low=75.0, high=88.0)])["x"] == ("轻微", "重叠")
    assert graded([old], [result("x", 70.0, unit="%", low=65.0, high=79.0)])["x"] == ("重大", "分离")
    assert graded([old], [result("x", 70.0, unit="%")])["x"] == ("重大", None)


def test_new_and_gone_are_told_and_the_greatest_comes_first() -> None:
    old = [result("a", 1), result("b", 100), result("c", 100), result("d", 5)]
    new = [result("b", 103), result("c", 300), result("d", 5), result("e", 1)]
    assert [(row["name"], row["grade"]) for row in compare.results({"results": old}, {"results": new})] == [
        ("c", "重大"), ("b", "轻微"), ("a", "不再出现"), ("e", "新增"), ("d", "未变")
    ]  # fmt: skip


def test_two_briefs_by_results_tables_documents_and_findings(project: Any) -> None:
    project.build("counts", region="990102")
    project.write_table({**project.counts, ("990102", 3): 99})
    old = project.root / "old"
    project.folder("counts/990102/2024-03").rename(old)
    project.build("counts", region="990102")
    found = compare.compare(old, project.folder("counts/990102/2024-03"))
    assert [(row["before"], row["after"], row["grade"]) for row in found["results"]] == [
        ("30件", "99件", "重大")
    ]
    assert found["tables"] == [{"name": "by_month", "state": "有变化", "cells": 1}]
    assert found["documents"] == [{"name": "table/table.csv", "state": "内容有变"}]
    assert {item["state"] for item in found["findings"]} == {"新增", "不再出现"}
    told = "\n".join(compare.lines(found))
    assert "[重大] 来件总数：30件 → 99件（+69件）" in told
    json.dumps(found)


def test_a_row_more_is_one_row_of_difference(tmp_path: Path) -> None:
    rows = [["县", "件"], ["甲", "1"], ["乙", "2"]]
    assert compare._differing(rows, [*rows[:1], ["丙", "9"], *rows[1:]]) == 2
    assert compare._differing(rows, [rows[0], ["甲", "1"], ["乙", "3"]]) == 1


def test_since_and_revisions_read_the_last_brief(tmp_path: Path) -> None:
    file = tmp_path / "previous.json"
    file.write_text(
        json.dumps(
            {
                "results": [
                    result("及时受理率", 90.0, unit="%", digits=2),
                    result("来件", 100),
                    result("旧", 1),
                ]
            }
        )
    )
    display.use()
    display.result("及时受理率", 97.5, unit="%")
    display.result("来件", 100)
    display.result("新", 3)
    changes = compare.since(file)
    assert changes is not None
    assert changes[["结果", "上期", "本期", "程度"]].values.tolist() == [
        ["及时受理率", "90.0", "97.50%", "重大"]
    ]
    revised = compare.revisions(file, {"及时受理率": 90.004, "来件": 103, "没有": 1, "旧": None})
    assert revised is not None
    assert revised.values.tolist() == [["来件", 100, 103, 3, None]]
    assert compare.since(None) is None
    assert compare.revisions(None, {}) is None


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="结果文件"):
        compare.compare(tmp_path, tmp_path)
