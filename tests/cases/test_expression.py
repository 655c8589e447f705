import datetime as dt

import ibis
import pandas as pd
import pytest

from analysis.cases.expression import parse
from analysis.errors import CodebookError

ROWS = pd.DataFrame(
    {
        "channel": ["来访", "网信", None, "来访"],
        "persons": [6, 1, 2, None],
        "a": pd.to_datetime(["2024-03-01 09:00", "2024-03-05", None, "2024-03-01"], format="ISO8601"),
        "b": pd.to_datetime(["2024-03-01 08:00", "2024-03-09", "2024-03-01", None], format="ISO8601"),
        "flag": [True, False, None, True],
    }
)


def hits(text: str, **names: object) -> list[int]:
    table = ibis.memtable(ROWS.assign(row=range(len(ROWS))))
    return sorted(table.filter(parse(text).on(table, **names)).row.execute())


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('channel == "来访" and persons >= 5', [0]),
        ('channel != "来访"', [1]),  # unknown is not "different"
        ('channel in ("来访", "网信")', [0, 1, 3]),
        ('channel not in ("来访",)', [1]),
        ("unknown(persons)", [3]),
        ("known(a) and not flag", [1]),
        ("a > b", [0]),
        ("day(a) > day(b)", []),
        ("days(a, b) == 4", [1]),
        ("1 < persons <= 6", [0, 2]),
        ("persons + 1 == 7", [0]),
        ("a > as_of", [1]),
        ('matches(channel, "^网")', [1]),
        ("repeated(channel)", [0, 3]),
    ],
)
def test_conditions_mean_what_they_say(text: str, rows: list[int]) -> None:
    assert hits(text, as_of=dt.datetime(2024, 3, 2)) == rows


def test_knows_its_columns_without_the_constants() -> None:
    assert parse("a > as_of and (b == 1 or a < 2)").columns == ("a", "b")


@pytest.mark.parametrize(
    "text", ["a ==", "__import__('os')", "a.b == 1", "a[0] == 1", "[x for x in a]", "lambda: 1"]
)
def test_nothing_else_is_expressible(text: str) -> None:
    with pytest.raises(CodebookError):
        parse(text)


def test_the_same_condition_compiles_for_other_databases() -> None:
    table = ibis.table({"channel": "string", "a": "timestamp", "b": "timestamp"}, name="matters")
    condition = parse('channel == "来访" and days(a, b) > 15 and day(a) <= day(b)')
    for dialect in ("duckdb", "postgres", "trino", "pyspark"):
        assert "channel" in str(ibis.to_sql(table.filter(condition.on(table)), dialect=dialect))
