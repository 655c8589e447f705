import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis import cases
from analysis.cases import backlog
from analysis.errors import MethodError, RequestError

PUBLISHED = [3292, 7393, 8353, 10306, 12759, 13876, 15556, 18564, 19290, 19534, 20597, 21174]


def test_month_end_stocks_of_the_open_hotline(boston: cases.Cases) -> None:
    flow = backlog.flow(boston, "2016-01-12T22:22:40")
    whole = flow[flow["level"] == "全部"]
    assert whole["closing"].astype(int).tolist()[:12] == PUBLISHED
    assert flow.attrs["impossible"] == 197
    bands = ["0–15日", "16–60日", "61–90日", "90日以上"]
    assert (flow[bands].sum(axis=1) == flow["closing"]).all()


def test_stock_and_flow_of_a_hotline_bulletin() -> None:
    """78,589 new + 4,629 carried over = 83,218 handled."""
    backlog.gate(
        pd.DataFrame(
            [
                {
                    "region_code": "a",
                    "month": "2020-09",
                    "opening": 4629,
                    "intake": 78589,
                    "outflow": 83218,
                    "closing": 0,
                }
            ]
        )
    )


def row(region: str, month: str, *figures: int, level: str = "县") -> dict[str, object]:
    return dict(zip(("opening", "intake", "outflow", "closing"), figures, strict=True)) | {
        "region_code": region, "month": month, "level": level,
    }  # fmt: skip


def test_the_gate_names_a_cell_that_does_not_add_up() -> None:
    with pytest.raises(MethodError, match="990102 2024-02"):
        backlog.gate(
            pd.DataFrame([row("990102", "2024-01", 0, 5, 2, 3), row("990102", "2024-02", 3, 1, 1, 4)]).drop(
                columns="level"
            )
        )


def test_the_gate_holds_what_is_carried_over() -> None:
    with pytest.raises(MethodError, match="2024-02"):
        backlog.gate(
            pd.DataFrame([row("a", "2024-01", 0, 5, 2, 3), row("a", "2024-02", 4, 1, 1, 4)]).drop(
                columns="level"
            )
        )


def test_the_gate_holds_the_tree() -> None:
    parts = [
        row("990100", "2024-01", 0, 5, 2, 3, level="市"),
        row("990000", "2024-01", 0, 6, 2, 4, level="省"),
    ]
    county = row("990102", "2024-01", 0, 6, 2, 4)
    whole = {**row("", "2024-01", 0, 6, 2, 4, level="全部"), "region_code": None}
    with pytest.raises(MethodError, match="市级合计"):
        backlog.gate(pd.DataFrame([*parts, county, whole]))


def test_by_hand_with_ages_and_leaving(tables: Callable) -> None:
    made = tables(
        matters=[
            {
                "matter_id": "1",
                "registered_at": "2024-01-31",
                "concluded_at": None,
                "withdrawn_at": None,
                "locality_code": "990102",
            },
            {
                "matter_id": "2",
                "registered_at": "2024-01-10",
                "concluded_at": "2024-03-31 18:00",
                "withdrawn_at": None,
                "locality_code": "990102",
            },
            {
                "matter_id": "3",
                "registered_at": "2024-02-01",
                "concluded_at": None,
                "withdrawn_at": "2024-02-20",
                "locality_code": "990203",
            },
            {
                "matter_id": "4",
                "registered_at": "2023-11-01",
                "concluded_at": None,
                "withdrawn_at": None,
                "locality_code": "990203",
            },
        ]
    )
    flow = backlog.flow(made, dt.date(2024, 3, 31), "990000")
    cell = flow.set_index(["level", "region_code", "month"])
    january = cell.loc[("省", "990000", "2024-01-01")]
    assert january[["opening", "intake", "outflow", "closing"]].tolist() == [1, 2, 0, 3]
    assert january[["0–15日", "16–60日", "61–90日", "90日以上"]].tolist() == [
        1,
        1,
        0,
        1,
    ]  # 0, 21 and 91 days old
    march = cell.loc[("省", "990000", "2024-03-01")]
    assert march[["opening", "intake", "outflow", "closing"]].tolist() == [3, 0, 1, 2]
    assert march["16–60日"] == 1  # 60 days on 31 March
    february = cell.loc[("市", "990200", "2024-02-01")]
    assert february["clearance"] == 1
    assert cell.loc[("县", "990203", "2024-02-01"), "closing"] == 1


def test_ages_equal_a_row_by_row_count(sample: Path) -> None:
    """The month-end bands against counting every open matter at three month ends."""
    tables = cases.load(sample / "cases")
    flow = backlog.flow(tables)
    rows = tables.matters.filter(tables.matters.system == "信访").select(
        "registered_at", "concluded_at", "withdrawn_at", "transferred_at"
    ).execute()  # fmt: skip
    late = pd.Timestamp("2024-12-31 23:59:59")
    leaves = rows[["concluded_at", "withdrawn_at", "transferred_at"]]
    closed = leaves.where(leaves <= late).min(axis=1)
    possible = ~(closed < rows["registered_at"]) & (rows["registered_at"] <= late)
    for end in pd.to_datetime(["2022-06-30", "2023-12-31", "2024-12-31"]):
        moment = end + pd.Timedelta("23:59:59")
        there = possible & (rows["registered_at"] <= moment) & ~(closed <= moment)
        age = (end - rows.loc[there, "registered_at"].dt.normalize()).dt.days
        wanted = pd.cut(age, [-1, 15, 60, 90, 10**6]).value_counts(sort=False).tolist()
        got = flow[(flow["level"] == "全部") & (flow["month"] == end.replace(day=1))].iloc[0]
        assert got[["0–15日", "16–60日", "61–90日", "90日以上"]].astype(int).tolist() == wanted


def test_stated_aggregates_pass_the_same_gate(tables: Callable) -> None:
    def stated(closing: int) -> cases.Cases:
        figures = {"期初存量": 4629, "收到": 78589, "办出": 83000, "期末存量": closing}
        return tables(
            monthly=[
                {"region_code": "990100", "month": "2020-09", "indicator": name, "numerator": n}
                for name, n in figures.items()
            ]
        )

    assert backlog.stated_flow(stated(218))["closing"].tolist() == [218]
    with pytest.raises(MethodError, match="恒等式"):
        backlog.stated_flow(stated(200))


def test_without_dates_there_is_no_stock(tables: Callable) -> None:
    with pytest.raises(RequestError, match="无数据来源"):
        backlog.flow(tables(matters=[{"matter_id": "1", "registered_at": "2024-01-01"}]))
