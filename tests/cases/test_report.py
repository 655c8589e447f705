from pathlib import Path

import openpyxl
import pytest

from analysis import cases
from analysis.cases import report
from analysis.errors import InputError

COLUMNS = {
    "来信": {"indicator": "pieces", "variant": "channel", "channel": "来信"},
    "来访": {"indicator": "pieces", "variant": "channel", "channel": "来访"},
    "按期办结": {"indicator": "on_time", "denominator": "应办结"},
}


def sheet(path: Path, *rows: list[object], title: str = "报告期：2024年3月") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    page.append(["某省信访工作情况统计表"])
    page.merge_cells("A1:E1")
    page.append([title, None, None, None, "单位：件"])
    page.append(["地 区", "来信", "来访", "应办结", "按期办结"])
    for row in rows:
        page.append(row)
    file = path / "报表.xlsx"
    book.save(file)
    return file


def test_places_down_and_figures_across(tmp_path: Path) -> None:
    file = sheet(
        tmp_path, ["合计", 30, 70, 80, 60], ["澄川市", 10, 40, 50, 40], ["砚宁市", "20", 30, "30", 20]
    )
    rows, rejects = report.read(file, COLUMNS)
    assert rejects == []
    assert set(rows["month"]) == {"2024-03"}
    on_time = rows[rows["indicator"] == "on_time"].set_index("region_code")
    assert on_time.loc["990100", ["numerator", "denominator"]].tolist() == [40, 50]
    assert rows[rows["indicator"] == "pieces"].groupby("channel")["numerator"].sum().to_dict() == {
        "来信": 30,
        "来访": 70,
    }


def test_what_does_not_fit_is_reported(tmp_path: Path) -> None:
    file = sheet(
        tmp_path, ["合计", 31, 70, 80, 60], ["澄川市", 10, "四十", 50, 40], ["乌有县", 20, 30, 30, 20]
    )
    rows, rejects = report.read(file, COLUMNS)
    assert {(line["rule"], line["row"], line["field"]) for line in rejects} == {
        ("unreadable_value", 2, "来访"), ("unknown_region", 3, "地区"), ("total_mismatch", 1, "来信"),
        ("total_mismatch", 1, "来访"),
    }  # fmt: skip
    assert set(rows["region_code"]) == {"990100"}


def test_formulas_are_reported_and_a_remark_below_is_no_place(tmp_path: Path) -> None:
    file = sheet(tmp_path, ["合计", 30, "=C5+C6", 80, 60], ["澄川市", 30, 40, "=30+20", 40], ["注：截至月末"])
    rows, rejects = report.read(file, COLUMNS)
    lines = {(line["rule"], line["row"], line["field"], line["value"]) for line in rejects}
    assert lines >= {
        ("formula_without_value", 1, "来访", "=C5+C6"), ("formula_without_value", 2, "应办结", "=30+20"),
    }  # fmt: skip
    assert {line["rule"] for line in rejects} == {"formula_without_value", "total_mismatch"}
    on_time = rows[rows["indicator"] == "on_time"].iloc[0]
    assert on_time["numerator"] == 40
    assert on_time["denominator"] is None or on_time["denominator"] != on_time["denominator"]


@pytest.mark.parametrize(("title", "words"), [("报告期：2024年1—3月", "累计"), ("统计表", "报告期")])
def test_a_period_that_is_no_month_is_refused(tmp_path: Path, title: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        report.read(sheet(tmp_path, ["澄川市", 1, 1, 1, 1], title=title), COLUMNS)


def test_by_mapping_through_the_door_of_all_tables(tmp_path: Path) -> None:
    file = sheet(tmp_path, ["合计", 30, 70, 80, 60], ["澄川市", 10, 40, 50, 40], ["砚宁市", 21, 30, 30, 20])
    mapping = tmp_path / "m.yml"
    mapping.write_text(
        "version: '1'\nsource: 手写\ntables:\n  monthly:\n    report:\n      columns:\n"
        "        来信: {indicator: pieces, variant: channel, channel: 来信}\n"
        "        按期办结: {indicator: on_time, denominator: 应办结}\n",
        encoding="utf-8",
    )
    made = cases.load(file, mapping=mapping)
    table = cases.indicators(made, "2024-03", "990000", only=["on_time", "pieces"], views=["本期"])
    rows = table[table["value"].notna()].set_index("indicator")
    assert rows.loc["on_time", "value"] == 60 / 80
    assert rows.loc["pieces", ["part_of", "value"]].tolist() == ["来信", 31]
    lines = cases.check(made)
    assert lines.set_index("rule").loc["total_mismatch", "value"] == "30≠31"
