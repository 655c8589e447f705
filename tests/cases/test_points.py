import datetime as dt

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analysis.cases.points import points
from analysis.periods import Period

NOW = dt.datetime(2024, 6, 15)


def margin(rows: list[tuple[str, str, float, float]], mode: str = "sum") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["region_code", "month", "numerator", "denominator"])
    return frame.assign(
        indicator="i", variant="v", part_of="", group="", mode=mode, month=pd.to_datetime(frame["month"])
    )


def figure(frame: pd.DataFrame, span: tuple[dt.date | None, dt.date | None]) -> tuple[float, float]:
    made = points(frame, [span], NOW)
    assert len(made) == 1
    return made["numerator"].iloc[0], made["denominator"].iloc[0]


def span(text: str) -> tuple[dt.date, dt.date]:
    return Period.parse(text).start, Period.parse(text).end


def test_sums_levels_and_states_at_an_end() -> None:
    rows = [("a", "2024-01-01", 5.0, np.nan), ("a", "2024-03-01", -2.0, np.nan)]
    assert figure(margin(rows), span("2024Q1"))[0] == 3
    assert figure(margin(rows, "level"), span("2024-02"))[0] == 5
    assert figure(margin(rows, "level"), span("2024-05"))[0] == 3
    assert figure(margin(rows, "at"), span("2024Q1"))[0] == -2
    assert figure(margin(rows, "at"), span("2024-02"))[0] == 0


def test_before_the_first_month_nothing_is_known() -> None:
    assert np.isnan(figure(margin([("a", "2024-01-01", 5.0, 9.0)]), span("2023"))).all()


def test_rows_without_a_date_count_in_all_of_the_data_only() -> None:
    rows = [("a", "2024-01-01", 1.0, 2.0), ("a", None, 10.0, 20.0)]
    assert figure(margin(rows), (None, None)) == (11, 22)
    assert figure(margin(rows), span("2024-01")) == (1, 2)
    assert figure(margin(rows), span("2024")) == (1, 2)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=40
    ),
    st.integers(0, 30), st.integers(0, 30),
)  # fmt: skip
def test_any_span_is_the_plain_sum_of_its_months(
    rows: list[tuple[str, int, int, int]], first: int, last: int
) -> None:
    first, last = sorted((first, last))
    start = Period(2022, 1, "month")
    frame = margin([(code, str(start.shift(k).start), float(n), float(d)) for code, k, n, d in rows])
    made = points(frame, [(start.shift(first).start, start.shift(last).end)], NOW).set_index("region_code")
    known = min(k for _, k, _, _ in rows) <= last and max(29, *(k for _, k, _, _ in rows)) >= first
    for code in {row[0] for row in rows}:
        inside = [row for row in rows if row[0] == code and first <= row[1] <= last]
        if known:
            assert made.loc[code, "numerator"] == sum(row[2] for row in inside)
            assert made.loc[code, "denominator"] == sum(row[3] for row in inside)
        else:
            assert np.isnan(made.loc[code, "numerator"])
