"""Issues of a bulletin side by side: periods, gaps, revisions, definitions, changes, and the monthly hand-over."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from analysis import facts
from analysis.facts.series import frequency_of, period_label, previous_period, same_period_last_year


def _series(*bodies, region="990001"):
    documents = pd.DataFrame(
        [
            {"doc_id": f"d{i}", "source": f"{i}.txt", "body": body, "region_code": region}
            for i, body in enumerate(bodies)
        ]
    )
    return facts.series(facts.extract(documents), documents)


def _of(table, entry):
    return table[table["indicator_id"] == entry]


def test_gap_and_computed_change():
    table = _of(
        _series(
            "2024年1月，县12345热线共受理诉求400件。",
            "2024年2月，县12345热线共受理诉求500件，环比增长25%。",
            "2024年4月，县12345热线共受理诉求450件，环比下降10%。",
        ),
        "received",
    )
    assert table["status"].tolist() == ["首期", "连续", "缺期", "连续"]
    assert table["period"].tolist() == ["2024年1月", "2024年2月", "2024年3月", "2024年4月"]
    assert table["computed_change"].tolist()[1] == 25.0
    assert table["agrees"].tolist()[1] is True
    assert pd.isna(table["computed_change"].iloc[3])  # March is missing: nothing to compare with
    assert pd.isna(table["value"].iloc[2])


def test_revision_and_definition():
    table = _series(
        "2024年1月，县信访局共登记信访件400件。",
        "2024年1月，县信访局共登记信访件410件。",
        "2024年2月，县信访局共登记信访件430件次。",
    )
    table = _of(table, "received")
    assert table["status"].tolist() == ["首期", "修订", "口径变化"]
    assert "400" in table["note"].iloc[1]
    assert "件次" in table["note"].iloc[2]


def test_disagreeing_change_is_marked():
    table = _of(
        _series(
            "2024年1月，县12345热线受理诉求400件。", "2024年2月，县12345热线受理诉求500件，环比增长20%。"
        ),
        "received",
    )
    assert not table["agrees"].iloc[1]
    assert (table["stated_change"].iloc[1], table["computed_change"].iloc[1]) == (20, 25)


def test_systems_are_never_joined():
    table = _series("2024年1月，县信访局受理信访事项400件。", "2024年2月，县12345热线受理诉求5000件。")
    table = _of(table, "received")
    assert set(table["system"]) == {"12345", "信访"}
    assert table["series"].nunique() == 2
    assert set(table["status"]) == {"首期"}


def test_monthly_hand_over():
    table = _series(
        "2024年1月，县12345热线受理诉求400件，办结率98.5%。", "2024年一季度，县12345热线受理诉求1200件。"
    )
    handed = facts.monthly(table)
    assert set(handed["month"]) == {dt.date(2024, 1, 1)}  # the quarter is not divided
    by = handed.set_index("indicator")
    assert (by.loc["受理量", "numerator"], by.loc["受理量", "region_code"]) == (400, "990001")
    assert (by.loc["办结率", "numerator"], by.loc["办结率", "denominator"]) == (98.5, 100)
    assert set(handed["system"]) == {"12345"}


def test_hand_over_fits_the_case_tables():
    from analysis import codebooks

    columns = codebooks.load("case_tables")["tables"]["monthly"]["columns"]
    handed = facts.monthly(_series("2024年1月，县市长信箱收到来信40封。"))
    assert list(handed.columns) == list(columns)
    assert set(handed["system"]) <= set(columns["system"]["terms"])


@pytest.mark.parametrize(
    ("start", "end", "frequency", "label"),
    [
        ("2024-02-01", "2024-02-29", "month", "2024年2月"),
        ("2024-04-01", "2024-06-30", "quarter", "2024年第二季度"),
        ("2024-01-01", "2024-09-30", "cumulative", "2024年1—9月"),
        ("2024-05-13", "2024-05-19", "span", "2024-05-13至2024-05-19"),
    ],
)
def test_frequency_and_label(start, end, frequency, label):
    days = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    assert (frequency_of(days), period_label(days)) == (frequency, label)


def test_bases():
    february = dt.date(2024, 2, 1), dt.date(2024, 2, 29)
    assert previous_period(february) == (dt.date(2024, 1, 1), dt.date(2024, 1, 31))
    assert same_period_last_year(february) == (dt.date(2023, 2, 1), dt.date(2023, 2, 28))
    week = dt.date(2024, 5, 13), dt.date(2024, 5, 19)
    assert previous_period(week) == (dt.date(2024, 5, 6), dt.date(2024, 5, 12))
