import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import cases
from analysis.cases import registry
from analysis.cases.indicators import COLUMNS, NO_BASE, SMALL
from analysis.errors import RequestError

AS_OF = "2016-01-12T22:22:40"


def value(table: pd.DataFrame, indicator: str, variant: str, **where: object) -> float:
    rows = table[(table["indicator"] == indicator) & (table["variant"] == variant)]
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    assert len(rows) == 1, rows
    return float(rows["value"].iloc[0])


# ---- the open hotline data: published numbers -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hotline(boston: cases.Cases) -> pd.DataFrame:
    return cases.indicators(boston, as_of=AS_OF)


def test_on_time_under_four_definitions(hotline: pd.DataFrame) -> None:
    rows = hotline[hotline["indicator"] == "on_time"].set_index("variant")
    assert rows.loc["due", ["numerator", "denominator"]].tolist() == [52_581, 83_179]
    assert rows.loc[["closed", "all", "moj", "dashboard"], "value"].round(5).tolist() == [
        0.75818,
        0.66247,
        0.67502,
        0.63783,
    ]
    assert rows.index[0] == "due"  # the headline stands first


def test_four_states(boston: cases.Cases) -> None:
    states = cases.states(boston, as_of=AS_OF).set_index("state")["n"]
    assert states.to_dict() == {
        "closed_in": 60_054,
        "closed_late": 19_154,
        "open_in": 3_502,
        "open_late": 11_444,
    }


def test_what_a_hotline_cannot_feed_is_said(hotline: pd.DataFrame) -> None:
    absent = hotline[hotline["indicator"].isin(["pieces", "repeat", "satisfaction_unit", "resolved"])]
    assert absent["value"].isna().all()
    assert absent["note"].str.startswith("无数据来源").all()
    assert set(hotline["indicator"]) == set(registry.indicators())


def test_one_department_under_the_definitions(boston: cases.Cases) -> None:
    table = cases.indicators(boston, as_of=AS_OF, by="responsible_body", only=["on_time"])
    shares = {body: rows.set_index("variant")["value"] for body, rows in table.groupby("group")}
    spread = [
        tuple(rows.drop("status").reindex(["closed", "all", "moj"]).round(3)) for rows in shares.values()
    ]
    assert (0.736, 0.161, 0.185) in spread  # the published example of how far the definitions part


# ---- by hand ---------------------------------------------------------------------------------------------------------


def matter(id: str, registered: str, **more: object) -> dict[str, object]:
    return {
        "matter_id": id,
        "registered_at": registered,
        "locality_code": "990102",
        "concluded_at": None,
    } | more


@pytest.fixture
def small(tables: Callable) -> cases.Cases:
    pieces = [
        ("2023-03-05", "来信", "初件", 1, "990102"), ("2024-02-10", "来访", "初件", 6, "990102"),
        ("2024-02-11", "来访", "重件", 1, "990102"), ("2024-03-01", "网信", "初件", 1, "990102"),
        ("2024-03-02", "来访", "重件", 3, "990181"), ("2024-03-31", "电话", "初件", 1, "990203"),
    ]  # fmt: skip
    return tables(
        petitions=[
            {
                "piece_id": f"p{k}",
                "registered_at": day,
                "channel": channel,
                "first_or_repeat": kind,
                "persons": n,
                "locality_code": code,
            }
            for k, (day, channel, kind, n, code) in enumerate(pieces)
        ],
        population=[
            {"region_code": "990000", "year": 2023, "residents": 40_000},
            {"region_code": "990000", "year": 2024, "residents": 20_000},
        ],
    )


def test_month_year_to_date_and_changes(small: cases.Cases) -> None:
    table = cases.indicators(small, "2024-03", "990000", only=["pieces", "repeat", "persons"])
    assert value(table, "pieces", "headline", view="本期") == 3
    assert value(table, "pieces", "headline", view="本年累计") == 5
    assert value(table, "repeat", "headline", view="本期") == pytest.approx(1 / 3)
    assert value(table, "repeat", "headline", view="环比") == pytest.approx(
        (1 / 3 - 1 / 2) * 100
    )  # percentage points
    assert value(table, "persons", "channel", view="本期", part_of="来访") == 3
    change = table[
        (table["indicator"] == "pieces") & (table["variant"] == "headline") & (table["view"] == "同比")
    ].iloc[0]
    assert np.isnan(change["value"])
    assert change["note"] == SMALL  # no percentage on a base of one
    assert change["numerator"] == 1
    assert table["period_end"].eq(dt.date(2024, 3, 31)).all()


def test_a_percentage_on_a_base_that_bears_it(tables: Callable) -> None:
    days = ["2024-01-10"] * 20 + ["2024-02-10"] * 25
    made = tables(petitions=[{"piece_id": str(k), "registered_at": day} for k, day in enumerate(days)])
    table = cases.indicators(made, "2024-02", only=["pieces"])
    assert value(table, "pieces", "headline", view="环比") == pytest.approx(25)
    assert set(table.loc[table["view"] == "同比", "note"].dropna()) == {NO_BASE}


def test_regions_add_up_the_tree(small: cases.Cases) -> None:
    def pieces(region: str | None, by: str | None = None) -> dict[str, float]:
        table = cases.indicators(small, "2024Q1", region, only=["pieces"], by=by, views=["本期"])
        return table[table["variant"] == "headline"].set_index("region_code")["value"].to_dict()

    assert pieces(None) == {"all": 5}
    assert pieces("990000") == {"990000": 5}
    assert pieces("990100") == {"990100": 4}
    assert pieces("990102") == {"990102": 3}
    assert pieces("990000", "region") == {"990100": 4, "990200": 1}
    assert pieces(None, "county") == {"990102": 3, "990181": 1, "990203": 1}


def test_residents_of_the_year(small: cases.Cases) -> None:
    table = cases.indicators(small, "2024-03", "990000", only=["per_10k"])
    assert value(table, "per_10k", "headline", view="本期") == pytest.approx(1.5)


def test_satisfaction_never_without_its_bounds(tables: Callable) -> None:
    base = {"registered_at": "2024-01-01", "concluded_at": "2024-02-01"}
    rated = [("已评价", "满意"), ("已评价", "不满意"), ("超期未评价", None), ("待评价", None)]
    made = tables(
        matters=[
            {
                "matter_id": str(k),
                **base,
                "unit_rating_state": state,
                "unit_rating_grade": grade,
                "unit_rated_at": "2024-02-05" if grade else None,
            }
            for k, (state, grade) in enumerate(rated)
        ]
    )
    table = cases.indicators(made, only=["satisfaction_unit", "rated_unit"])
    assert value(table, "satisfaction_unit", "headline") == 1 / 2
    assert value(table, "satisfaction_unit", "concluded") == 1 / 4
    assert value(table, "satisfaction_unit", "bound_high") == 3 / 4
    assert value(table, "satisfaction_unit", "participation") == (2 / 4) * (
        2 / 4
    )  # silence counted as satisfied × rated
    assert value(table, "rated_unit", "headline") == 2 / 3
    assert set(table["note"].dropna()) == {SMALL}


def test_a_matter_is_once_resolved_when_nobody_came_back(tables: Callable) -> None:
    made = tables(
        matters=[
            matter(
                str(k),
                "2024-01-01",
                replied_at="2024-01-20",
                concluded_at="2024-01-20",
                resolved_at="2024-02-01",
            )
            for k in range(3)
        ],
        petitions=[
            {"piece_id": "a", "matter_id": "0", "registered_at": "2024-01-01", "first_or_repeat": "初件"},
            {"piece_id": "b", "matter_id": "0", "registered_at": "2024-03-01", "first_or_repeat": "重件"},
            {"piece_id": "c", "matter_id": "0", "registered_at": "2024-03-09", "first_or_repeat": "重件"},
            {"piece_id": "d", "matter_id": "1", "registered_at": "2024-01-01", "first_or_repeat": "初件"},
        ],
    )
    table = cases.indicators(made, only=["resolved_once", "repeat"])
    assert value(table, "resolved_once", "trial") == pytest.approx(2 / 3)
    assert value(table, "repeat", "matters") == pytest.approx(1 / 3)
    assert value(table, "repeat", "headline") == 2 / 4  # pieces, not matters
    earlier = cases.indicators(made, as_of="2024-02-15", only=["resolved_once"])
    assert value(earlier, "resolved_once", "trial") == 1  # nobody had come back by then


def test_systems_are_never_added_together(tables: Callable) -> None:
    made = tables(
        petitions=[
            {"piece_id": str(k), "registered_at": "2024-01-05", "system": system}
            for k, system in enumerate(["信访", "12345", "12345", "12345"])
        ]
    )
    assert made.systems == {"12345": 3, "信访": 1}
    assert value(cases.indicators(made, only=["pieces"]), "pieces", "headline") == 1


def test_shares_by_term_are_parts_of_the_whole(tables: Callable) -> None:
    kinds = ["访调对接", "人民调解", None, None]
    made = tables(matters=[matter(str(k), "2024-01-01", mediation=kind) for k, kind in enumerate(kinds)])
    table = cases.indicators(made, only=["mediation"])
    parts = table[table["variant"] == "kind"].set_index("part_of")["value"]
    assert parts.to_dict() == {"访调对接": 0.25, "人民调解": 0.25}
    assert value(table, "mediation", "headline") == 0.5


def test_a_month_before_the_data_is_no_base(tables: Callable) -> None:
    """A stated deadline before the registration, an error, makes no December of data that begin in January."""
    dues = ["2023-12-20"] * 40 + ["2024-01-20"] * 40
    rows = [
        matter(f"m{k}", "2024-01-08", concluded_at="2024-01-09", due_at=due) for k, due in enumerate(dues)
    ]
    table = cases.indicators(tables(matters=rows), "2024-01", as_of="2024-02-29", only=["on_time"])
    due = table[table["variant"] == "due"].set_index("view")
    assert due.loc["本期", "value"] == 1
    assert due.loc[["同比", "环比"], "note"].tolist() == [NO_BASE] * 2
    assert due.loc[["同比", "环比"], "value"].isna().all()


def test_overdue_and_old_matters_at_a_months_end(tables: Callable) -> None:
    base = {"accepted_at": "2023-01-10", "path": "6", "resolved_at": None}  # due 2023-03-11
    made = tables(
        matters=[
            matter("never", "2023-01-10", **base),
            matter("late", "2023-01-10", **base | {"concluded_at": "2023-04-20"}),
            matter(
                "in time", "2023-01-10", **base | {"concluded_at": "2023-02-01", "resolved_at": "2023-02-01"}
            ),
        ]
    )

    def at(period: str) -> dict[str, float]:
        table = cases.indicators(
            made,
            period,
            as_of="2024-06-30",
            views=["本期"],
            only=["overdue_open", "open_stock", "long_unresolved"],
        )
        return table[table["variant"] == "headline"].set_index("indicator")["value"].to_dict()

    assert at("2023-02") == {"open_stock": 2, "overdue_open": 0, "long_unresolved": 0}
    assert at("2023-03") == {"open_stock": 2, "overdue_open": 2, "long_unresolved": 0}
    assert at("2023-04") == {"open_stock": 1, "overdue_open": 1, "long_unresolved": 0}
    assert at("2024-01") == {"open_stock": 1, "overdue_open": 1, "long_unresolved": 2}  # 办结 is not 化解
    concluded = cases.indicators(made, "2024-01", as_of="2024-06-30", only=["long_unresolved"])
    assert value(concluded, "long_unresolved", "concluded", view="本期") == 1


def test_preregistration_and_its_parts(tables: Callable) -> None:
    made = tables(
        preregistration=[
            {"office": "甲", "date": "2024-03-31", "registered": 3214, "answered": 1193, "taken": 2021}
        ]
    )
    table = cases.indicators(
        made, "2024-03", only=["preregistered", "preregistered_answered"], views=["本期"]
    )
    assert value(table, "preregistered", "headline") == 3214
    assert value(table, "preregistered_answered", "headline") == pytest.approx(1193 / 3214)
    assert value(table, "preregistered_answered", "taken") == pytest.approx(2021 / 3214)


def test_a_county_bulletin_by_the_due_definition(tables: Callable) -> None:
    """601 dispatched, 597 in time, 4 late: 99.33 %, printed as 99 %."""
    made = tables(
        matters=[
            matter(
                str(k),
                "2022-03-01",
                due_at="2022-04-15",
                concluded_at="2022-04-10" if k < 597 else "2022-04-20",
            )
            for k in range(601)
        ]
    )
    assert value(
        cases.indicators(made, "2022-04", only=["on_time"]), "on_time", "due", view="本期"
    ) == pytest.approx(0.9933, abs=5e-5)


# ---- shape and requests ------------------------------------------------------------------------------------------------


def test_columns_and_order_are_the_contract(small: cases.Cases) -> None:
    table = cases.indicators(small, ["2024-02", "2024-03"], by="county", only=["pieces"])
    assert list(table.columns) == COLUMNS
    assert table["definition"].str.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+@.+").all()
    assert list(dict.fromkeys(table["period"])) == ["2024-02", "2024-03"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"period": "2024-13"}, "报告期"),
        ({"region": "123456"}, "地区"),
        ({"as_of": "昨天"}, "截止时间"),
        ({"only": ["fame"]}, "没有这个指标"),
        ({"period": "2024", "views": ["旬"]}, "视图"),
    ],
)
def test_wrong_requests_are_named(small: cases.Cases, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        cases.indicators(small, **arguments)


def test_an_unknown_grouping_leaves_a_reason(small: cases.Cases) -> None:
    table = cases.indicators(small, by="topic_1", only=["pieces"])
    assert table["value"].isna().all()
    assert table["note"].iloc[0] == "无数据来源：信访件没有问题类别（一级）"


def test_sample_has_a_figure_for_nearly_every_indicator(sample: Path) -> None:
    table = cases.indicators(cases.load(sample / "cases"), "2024-03", "990000", views=["本期"])
    empty = set(table.loc[table["note"].fillna("").str.startswith("无数据来源"), "indicator"])
    assert empty == {"legality_review", "risk_assessment"}
    shares = table[(table["unit"] == "率") & table["value"].notna()]
    assert shares["value"].between(0, 1).all()
    proper = shares.dropna(subset=["low"])
    assert ((proper["low"] <= proper["value"] + 1e-12) & (proper["value"] <= proper["high"] + 1e-12)).all()
