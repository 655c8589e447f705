"""The date a document counts by: one reading for all verbs."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from analysis.text.dates import document_date, document_dates, records, stated_date


@pytest.mark.parametrize(
    ("published", "event", "stated"),
    [
        ("2024-03-05", "2024-03-01", "2024-03-05"),
        ("2024", "2024-03-05", "2024-03-05"),
        ("2024-03", "2024-03-05", "2024-03-05"),
        ("2024", "2024-03", "2024-03"),
        ("2024", "2009-03-05", "2024"),  # an event of another time, told later
        ("2024-04", "2024-03-31", "2024-04"),
        (None, "2023-12", "2023-12"),
        ("2024-13-01", "2023-12", "2023-12"),  # no date at all
        (dt.date(2024, 1, 2), None, "2024-01-02"),
        (None, None, None),
        (pd.NA, float("nan"), None),
        ("", "二〇二四年", None),
    ],
)
def test_an_event_completes_the_publication_and_never_contradicts_it(
    published: object, event: object, stated: str | None
) -> None:
    assert stated_date({"published": published, "event_date": event}) == stated


def test_what_is_not_stated_is_the_first_or_the_last_day() -> None:
    assert document_date({"published": "2024-02"}) == dt.date(2024, 2, 1)
    assert document_date({"published": "2024-02"}, last=True) == dt.date(2024, 2, 29)
    assert document_date({"published": "2023"}, last=True) == dt.date(2023, 12, 31)
    assert document_date({"published": "2023-02-30"}) is None


def test_a_table_may_lack_columns() -> None:
    table = pd.DataFrame({"doc_id": ["a", "b"], "event_date": ["2024-01-02", None]})
    assert document_dates(table) == [dt.date(2024, 1, 2), None]
    assert list(records(table, "doc_id", "level")) == [
        {"doc_id": "a", "level": None},
        {"doc_id": "b", "level": None},
    ]
