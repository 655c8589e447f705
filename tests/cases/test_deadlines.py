import datetime as dt
from collections.abc import Callable

import pandas as pd
import pytest

from analysis.cases import calendar, deadlines
from analysis.cases.deadlines import Clock
from analysis.errors import RequestError

NOW = dt.datetime(2024, 12, 31, 23, 59, 59, 999999)


def ran(made: object, id: str, rules: tuple[str, ...] = (), now: dt.datetime = NOW) -> pd.DataFrame:
    clock = deadlines.clock(id)
    return deadlines.run(made.tables[clock.table], clock, now, rules).execute().set_index("matter_id")


def test_four_states_to_the_day(tables: Callable) -> None:
    base = {"registered_at": "2024-10-01", "accepted_at": "2024-10-10", "path": "6"}  # due 2024-12-09
    made = tables(
        matters=[
            {"matter_id": "in", **base, "concluded_at": "2024-12-09 23:59"},
            {"matter_id": "late", **base, "concluded_at": "2024-12-10"},
            {"matter_id": "overdue", **base, "concluded_at": None},
            {"matter_id": "open", **base, "accepted_at": "2024-12-20", "concluded_at": None},
            {"matter_id": "off path", **base, "path": "1", "concluded_at": None},
            {"matter_id": "no start", **base, "accepted_at": None, "concluded_at": "2024-11-01"},
        ]
    )
    state = ran(made, "handling")["state"]
    assert state.drop("no start").to_dict() == {
        "in": "closed_in", "late": "closed_late", "overdue": "open_late", "open": "open_in",
    }  # fmt: skip
    assert state.isna()["no start"]  # bound, but the due date cannot be known: neither in time nor late


def test_what_happened_after_the_snapshot_is_not_known(tables: Callable) -> None:
    made = tables(
        matters=[
            {
                "matter_id": "a",
                "registered_at": "2024-10-01",
                "accepted_at": "2024-10-10",
                "path": "6",
                "concluded_at": "2024-12-09",
            }
        ]
    )
    assert ran(made, "handling", now=dt.datetime(2024, 11, 1))["state"]["a"] == "open_in"


def test_an_extension_counts_up_to_its_cap(tables: Callable) -> None:
    base = {"registered_at": "2024-01-01", "accepted_at": "2024-01-01", "path": "6", "concluded_at": None}
    made = tables(
        matters=[{"matter_id": str(days), **base, "extended_days": days} for days in (0, 20, 45, -5)]
    )
    due = ran(made, "handling")["due"].dt.date
    assert due.to_dict() == {
        "0": dt.date(2024, 3, 1), "20": dt.date(2024, 3, 21), "45": dt.date(2024, 3, 31), "-5": dt.date(2024, 3, 1),
    }  # fmt: skip


def test_a_stated_deadline_overrides_the_clock_and_binds_every_path(tables: Callable) -> None:
    made = tables(
        matters=[
            {
                "matter_id": "a",
                "registered_at": "2024-01-01",
                "accepted_at": "2024-01-01",
                "path": "1",
                "due_at": "2024-01-20 08:30",
                "concluded_at": "2024-01-20 09:00",
            },
            {
                "matter_id": "b",
                "registered_at": "2024-01-01",
                "accepted_at": "2024-01-01",
                "path": "6",
                "due_at": None,
                "concluded_at": "2024-01-20",
            },
        ]
    )
    frame = ran(made, "handling")
    assert frame["state"].to_dict() == {"a": "closed_late", "b": "closed_in"}
    assert frame["stated"].to_dict() == {"a": True, "b": False}


def test_leaving_before_the_limit_leaves_the_clock(tables: Callable) -> None:
    base = {"registered_at": "2024-01-01", "accepted_at": "2024-01-01", "path": "6", "concluded_at": None}
    made = tables(
        matters=[
            {"matter_id": "withdrawn in time", **base, "withdrawn_at": "2024-01-15"},
            {"matter_id": "withdrawn overdue", **base, "withdrawn_at": "2024-04-15"},
            {"matter_id": "stays", **base, "withdrawn_at": None},
        ]
    )
    assert ran(made, "handling")["state"].to_dict() == {
        "withdrawn overdue": "open_late",
        "stays": "open_late",
    }


def test_day_rules_in_the_database_agree_with_the_calendar(tables: Callable) -> None:
    days = pd.date_range("2024-01-01", "2025-10-31", freq="5D")
    made = tables(
        matters=[
            {
                "matter_id": str(day.date()),
                "registered_at": day.date(),
                "accepted_at": day.date(),
                "path": "6",
                "concluded_at": None,
                "extended_days": k % 4 * 10,
            }
            for k, day in enumerate(days)
        ]
    )
    rules = ("calendar_roll_forward", "workdays")
    frame = ran(made, "handling", rules)
    assert len(frame) == len(days)
    for row in frame.itertuples():
        start, n = dt.date.fromisoformat(row.Index), 60 + int(row.extended_days)
        assert row.due.date() == calendar.deadline(start, n).day
        assert row.due_calendar_roll_forward.date() == calendar.deadline(start, n, rules[0]).day
        assert row.due_workdays.date() == calendar.deadline(start, n, rules[1]).day


def test_a_deadline_past_the_published_year_is_provisional(tables: Callable) -> None:
    until = calendar.published_until()
    starts = [until - dt.timedelta(200), until - dt.timedelta(10)]
    made = tables(
        matters=[
            {"matter_id": str(k), "registered_at": day, "simplified": True, "replied_at": None}
            for k, day in enumerate(starts)
        ]
    )
    frame = ran(made, "simplified", ("calendar",), dt.datetime.combine(until, dt.time()))
    assert frame["provisional"].to_dict() == {"0": False, "1": True}
    assert not frame["provisional_calendar"].any()


def test_articles_22_and_23_are_two_clocks(tables: Callable) -> None:
    made = tables(
        matters=[
            {
                "matter_id": "a",
                "registered_at": "2024-01-01",
                "office_action": "转送",
                "office_acted_at": "2024-01-16",
                "unit_acted_at": "2024-02-01",
            },
            {
                "matter_id": "b",
                "registered_at": "2024-01-01",
                "office_action": "直接答复",
                "office_acted_at": "2024-01-17",
                "unit_acted_at": None,
            },
        ]
    )
    assert ran(made, "office_acceptance")["state"].to_dict() == {"a": "closed_in", "b": "closed_late"}
    assert ran(made, "unit_acceptance")["state"].to_dict() == {
        "a": "closed_late"
    }  # answered by the office itself: no unit


def test_a_clock_without_its_columns_is_refused(tables: Callable) -> None:
    made = tables(matters=[{"matter_id": "a", "registered_at": "2024-01-01"}])
    with pytest.raises(RequestError, match="缺少"):
        ran(made, "handling")


def test_every_clock_is_well_formed() -> None:
    for clock in deadlines.clocks().values():
        assert isinstance(clock, Clock)
        assert clock.days or clock.due
        assert clock.article
