import ibis
import pandas as pd
import pytest

from analysis.cases import values
from analysis.cases.schema import Column


def conformed(
    cells: list[object], type: str, terms: tuple[str, ...] = (), words: dict[str, str] | None = None
) -> list:
    table = ibis.memtable(pd.DataFrame({"x": pd.Series(cells, dtype=object).astype("string")}))
    made = table.select(x=values.conform(table.x, Column("x", "x", type, terms), words)).execute()["x"]
    return [None if pd.isna(cell) else cell for cell in made]


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-05", "2024/3/5", "2024年3月5日", "2024.3.5", "20240305", " 2024-3-5 ", "45356", "45356.0",
        "2024 年 3 月 5 日",
    ],
)  # fmt: skip
def test_one_day_in_every_spelling(text: str) -> None:
    assert conformed([text], "date") == [pd.Timestamp("2024-03-05")]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-05 08:30", "2024-03-05 08:30"),
        ("2024-03-05T08:30:15", "2024-03-05 08:30:15"),
        ("2024年3月5日 8:30", "2024-03-05 08:30"),
        ("45356.5", "2024-03-05 12:00"),
        ("2024年3月", "2024-03-01"),
        ("2024-03", "2024-03-01"),
        ("2024年3月5日14:30", "2024-03-05 14:30"),
        ("2024年3月5日14时5分6秒", "2024-03-05 14:05:06"),
        ("2024年3月5日14时", "2024-03-05 14:00"),
        ("20240305143005", "2024-03-05 14:30:05"),
        ("2024/3/5 下午 2:30:05", "2024-03-05 14:30:05"),
        ("2024/3/5 2:30:05 PM", "2024-03-05 14:30:05"),
        ("2024-03-05 12:30 am", "2024-03-05 00:30"),
        ("2024-03-05 上午12:30", "2024-03-05 00:30"),
        ("2024-03-05 12:30 p.m.", "2024-03-05 12:30"),
        ("2024-03-05T00:30:00+08:00", "2024-03-05 00:30"),  # the clock as written, not UTC
        ("2024-03-05T08:30:00.000Z", "2024-03-05 08:30"),
    ],
)
def test_times_of_day_and_months(text: str, moment: str) -> None:
    assert conformed([text], "date") == [pd.Timestamp(moment)]


@pytest.mark.parametrize(
    "text", ["2024-02-30", "3月5日", "昨天", "5/3/2024", "12:30", "2024-13-01", "", "2024-03-05 14:30 左右"]
)
def test_what_is_no_date_is_unknown(text: str) -> None:
    assert conformed([text], "date") == [None]


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("03/05/2024", "mdy", "2024-03-05"),
        ("03/05/2024", "dmy", "2024-05-03"),
        ("3/5/24 0:05", "mdy", "2024-03-05 00:05"),
        ("03/05/2024 02:30:05 PM", "mdy", "2024-03-05 14:30:05"),
        ("05.03.2024 8:30", "dmy", "2024-03-05 08:30"),
        ("2024-03-05", "mdy", "2024-03-05"),
        ("13/05/2024", "mdy", None),
    ],
)
def test_the_year_last_is_read_in_the_order_told(text: str, order: str, moment: str | None) -> None:
    table = ibis.memtable(pd.DataFrame({"x": [text]}))
    made = table.select(x=values.date(table.x, order)).execute()["x"][0]
    assert pd.isna(made) if moment is None else made == pd.Timestamp(moment)


def test_excel_serial_numbers_that_came_as_numbers() -> None:
    table = ibis.memtable(pd.DataFrame({"x": [45356.0, 20240305.0, 7.0]}))
    made = table.select(x=values.date(table.x)).execute()["x"]
    assert list(made[:2]) == [pd.Timestamp("2024-03-05")] * 2
    assert pd.isna(made[2])


def test_numbers() -> None:
    assert conformed(["1,234", " 12 ", "12.0", "12.5", "十二", "-3"], "int") == [1234, 12, 12, None, None, -3]
    assert conformed(["1,234.5", "x"], "float") == [1234.5, None]


def test_yes_and_no() -> None:
    assert conformed(["是", "否", "1", "0", "TRUE", "有", "也许", ""], "bool") == [True, False] * 2 + [
        True,
        True,
        None,
        None,
    ]


def test_words_are_mapped_before_the_vocabulary_is_asked() -> None:
    cells = [" 上门 ", "来访", "飞鸽", None]
    assert conformed(cells, "text", ("来访", "来信"), {"上门": "来访"}) == ["来访", "来访", None, None]


def test_codes_that_a_spreadsheet_made_numbers_stay_text() -> None:
    table = ibis.memtable(pd.DataFrame({"x": [330102.0]}))
    assert table.select(x=values.text(table.x)).execute()["x"][0] == "330102"
