from collections.abc import Callable

import pandas as pd

from analysis import cases
from analysis.cases import reception


def held(office: str, level: str, *days: str, kind: str = "接访") -> list[dict[str, object]]:
    return [
        {"office": office, "office_level": level, "locality_code": "990102", "date": day, "kind": kind}
        for day in days
    ]


def test_by_office_and_period_with_not_yet_due(tables: Callable) -> None:
    made = tables(
        receptions=[
            *held("县甲", "县", "2024-01-05", "2024-01-20", "2024-03-01"),
            *held("市乙", "市", "2024-02-10"),
            *held("省丙", "省", "2024-01-10"),
            *held("省丙", "省", "2024-02-20", kind="下访"),
        ]
    )
    frame = reception.obligations(made, "2024-04-15")
    states = frame.set_index(["office", "period"])["state"].to_dict()
    assert states == {
        ("县甲", "2024-01"): "已履行", ("县甲", "2024-02"): "未履行", ("县甲", "2024-03"): "已履行",
        ("县甲", "2024-04"): "尚未到期", ("市乙", "2024Q1"): "已履行", ("市乙", "2024Q2"): "尚未到期",
        ("省丙", "2024H1"): "已履行",
    }  # fmt: skip
    assert frame.set_index("office").loc["县甲", "longest_gap"].iloc[0] == 45  # 1 March to the as-of date
    assert "从未接访" in frame.attrs["note"]


def test_the_provincial_duty_is_going_down(tables: Callable) -> None:
    made = tables(
        receptions=[*held("省丙", "省", "2024-01-10"), *held("省丁", "省", "2024-02-10", kind="下访")]
    )
    frame = reception.obligations(made, "2024-07-01")
    assert frame[frame["period"] == "2024H1"].set_index("office")["state"].to_dict() == {"省丁": "已履行"}


def test_an_office_that_never_received_is_there_when_the_duty_is_stated(tables: Callable) -> None:
    made = tables(
        receptions=held("县甲", "县", "2024-01-05"),
        obligations=[
            {
                "office": office,
                "office_level": "县",
                "locality_code": "990102",
                "period": "2024-01",
                "obliged_leaders": 8,
                "leaders_met": met,
            }
            for office, met in (("县甲", 6), ("县戊", 0))
        ],
    )
    frame = reception.obligations(made, "2024-01-31")
    assert frame.set_index("office")["state"].to_dict() == {"县甲": "已履行", "县戊": "未履行"}
    table = cases.indicators(made, "2024-01", as_of="2024-01-31", only=["reception_duty"], views=["本期"])
    values = table[table["part_of"].isna()].set_index("variant")
    assert values.loc["headline", ["numerator", "denominator"]].tolist() == [1, 2]
    assert values.loc["leaders", "value"] == 6 / 16


def test_nobody_is_named_by_construction(tables: Callable) -> None:
    made = tables(receptions=held("县甲", "县", "2024-01-05"))
    assert set(reception.obligations(made).columns) == set(reception.COLUMNS)
    assert not any("name" in column for column in pd.Index(reception.COLUMNS))
