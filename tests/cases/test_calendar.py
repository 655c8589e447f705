import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cases import calendar
from analysis.errors import RequestError

DAY = dt.date.fromisoformat


@pytest.mark.parametrize(
    ("start", "days", "plain", "rolled", "workdays"),
    [
        ("2025-01-20", 15, "2025-02-04", "2025-02-05", "2025-02-14"),
        ("2025-09-17", 15, "2025-10-02", "2025-10-09", "2025-10-14"),
    ],
)
def test_published_fixtures_of_the_three_rules(
    start: str, days: int, plain: str, rolled: str, workdays: str
) -> None:
    rules = dict(zip(calendar.DAY_RULES, (plain, rolled, workdays), strict=True))
    for rule, day in rules.items():
        assert calendar.deadline(DAY(start), days, rule).day == DAY(day)


def test_sixty_days_and_an_extension() -> None:
    assert calendar.deadline(DAY("2023-08-02"), 60).day == DAY("2023-10-01")
    assert calendar.deadline(DAY("2023-08-02"), 60, "calendar_roll_forward").day == DAY("2023-10-07")
    assert calendar.deadline(DAY("2023-08-02"), 90).day == DAY("2023-10-31")


def test_made_up_working_days_and_holidays() -> None:
    assert calendar.working(DAY("2023-10-07"))  # a Saturday worked for the holiday
    assert not calendar.working(DAY("2023-10-02"))


def test_past_the_published_year_a_deadline_is_provisional() -> None:
    late = calendar.published_until() - dt.timedelta(5)
    assert calendar.deadline(late, 15, "workdays").provisional
    assert calendar.deadline(late, 15, "calendar_roll_forward").provisional
    assert not calendar.deadline(late, 15).provisional  # counts no holidays, so nothing can change it
    assert not calendar.deadline(DAY("2024-03-01"), 15, "workdays").provisional


def test_the_table_for_joins_agrees_day_by_day() -> None:
    book = calendar.days(DAY("2024-01-01"), DAY("2025-12-31"))
    for row in book.iloc[::17].itertuples():
        day = row.day.date()
        assert row.working == calendar.working(day)
        assert row.rolled.date() == calendar.deadline(day, 0, "calendar_roll_forward").day


def test_working_days_of_a_month() -> None:
    assert calendar.working_days_in(DAY("2024-02-10")) == 18
    assert calendar.working_days_in(DAY("2024-10-01")) == 19


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(RequestError, match="计日规则"):
        calendar.deadline(DAY("2024-01-01"), 5, "fortnight")


@given(st.dates(DAY("2010-01-01"), DAY("2025-06-01")), st.integers(1, 90))
def test_rules_are_ordered(start: dt.date, days: int) -> None:
    plain, rolled, worked = (calendar.deadline(start, days, rule).day for rule in calendar.DAY_RULES)
    assert plain <= rolled
    assert worked >= plain or not calendar.working(plain)
    assert calendar.working(rolled)
    assert calendar.working(worked)
