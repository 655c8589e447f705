"""Cells with their heads become the same records as sentences."""

from __future__ import annotations

import datetime as dt

import pytest

from analysis.facts import tables
from analysis.facts.dates import Reference

MAY = Reference(None, 2024, (dt.date(2024, 5, 1), dt.date(2024, 5, 31)))


def _cell(text, row="东山区", column="受理量（件）", caption=None, at=1):
    return {
        "table": 1,
        "row": 1,
        "column": at,
        "row_head": row,
        "column_head": column,
        "caption": caption,
        "text": text,
        "start": 10,
        "end": 13,
    }


def _one(*args, **kwargs):
    (record,) = tables.read([_cell(*args, **kwargs)], MAY)
    return record


def test_unit_of_the_head():
    record = _one("1,203")
    assert (record["value"], record["unit"], record["indicator"], record["subject"]) == (
        1203,
        "件",
        "受理量",
        "东山区",
    )
    assert (record["period_start"], record["table"], record["source_start"]) == (
        dt.date(2024, 5, 1),
        True,
        10,
    )


def test_unit_of_the_caption_and_its_multiplier():
    record = _one("3.65", column="执行到位金额", caption="表2 执行情况（单位：亿元）")
    assert (record["value"], record["unit"], record["kind"]) == (365_000_000, "元", "money")


def test_percentages_and_changes():
    assert (_one("98.7%", column="办结率")["unit"], _one("98.7", column="办结率（%）")["kind"]) == (
        "%",
        "rate",
    )
    change = _one("-12.5%", column="同比")
    assert (change["kind"], change["direction"], change["value"], change["base"]) == (
        "change",
        "down",
        12.5,
        "同比",
    )


@pytest.mark.parametrize(
    ("row", "column", "indicator", "subject", "start"),
    [
        ("投诉类", "件数", "投诉类件数", None, dt.date(2024, 5, 1)),
        ("受理件数", "东山区", "受理件数", "东山区", dt.date(2024, 5, 1)),
        ("2023年", "受理件数", "受理件数", None, dt.date(2023, 1, 1)),
        ("受理件数", "2024年3月", "受理件数", None, dt.date(2024, 3, 1)),
    ],
)
def test_which_head_says_what(row, column, indicator, subject, start):
    record = _one("12", row=row, column=column)
    assert (record["indicator"], record["subject"], record["period_start"]) == (indicator, subject, start)


@pytest.mark.parametrize(
    "cell", [_cell("3", column="序号"), _cell("见附件"), _cell("—"), _cell("2024-05-06"), _cell("5", at=0)]
)
def test_cells_that_state_nothing(cell):
    assert tables.read([cell], MAY) == []
