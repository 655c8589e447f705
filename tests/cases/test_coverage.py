"""What the data do not cover is refused, and the message says what was meant or what there is."""

from __future__ import annotations

import pytest

from analysis import cases
from analysis.cases.coverage import require
from analysis.errors import RequestError
from analysis.periods import Period

ROWS = [
    {"matter_id": "1", "locality_code": "990102", "registered_at": "2024-01-05"},
    {"matter_id": "2", "locality_code": "990203", "registered_at": "2024-03-20"},
]


@pytest.fixture
def source(tables) -> cases.Cases:
    return tables(matters=ROWS)


@pytest.mark.parametrize("region", [None, "990000", "990100", "990102", "990502"])
def test_what_is_covered_passes(source: cases.Cases, region: str | None) -> None:
    """990502 has no case: a county without cases is none that the data do not cover."""
    require(source, "2024-02", region)
    require(source, ["2024-01", Period.parse("2024Q1"), "2024"], region)


def test_a_mistyped_code_is_refused_with_the_nearest(source: cases.Cases) -> None:
    with pytest.raises(RequestError, match="都没有这个地区") as caught:
        require(source, region="99012")
    assert caught.value.value == "99012"
    assert "9901" in str(caught.value.hint)


def test_a_name_in_place_of_a_code_is_told_its_code(source: cases.Cases) -> None:
    with pytest.raises(RequestError, match="330100"):
        require(source, region="杭州")


def test_another_province_is_refused(source: cases.Cases) -> None:
    with pytest.raises(RequestError, match="没有浙江省的案件.*990000（示例省）"):
        require(source, region="330000")


def test_a_source_that_names_its_places(tables) -> None:
    named = tables(matters=[{**ROWS[0], "locality_code": "Roxbury"}])
    require(named, region="Roxbury")
    with pytest.raises(RequestError, match="Roxbury"):
        require(named, region="Dorchester")
    with pytest.raises(RequestError, match="浙江省"):
        require(named, region="330000")


@pytest.mark.parametrize(
    ("period", "near"), [("2023-12", "2024-01"), ("2024-04", "2024-03"), ("2019", "2024")]
)
def test_a_period_outside_is_refused_with_the_nearest(source: cases.Cases, period: str, near: str) -> None:
    with pytest.raises(RequestError, match="没有这个报告期") as caught:
        require(source, period)
    assert str(caught.value.hint).endswith(f"最近的报告期是 {near}")
    assert "2024-01-05" in str(caught.value.hint)


def test_a_source_without_places_or_dates_refuses_nothing(tables) -> None:
    require(tables(matters=[{"matter_id": "1", "registered_at": "2024-01-05"}]), region="990000")
