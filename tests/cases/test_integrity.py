"""Integrity checks: planted practices are found, ordinary weeks and months are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import cases, codebooks
from analysis.cases import integrity, registry
from analysis.cases.calendar import days as calendar_days
from analysis.errors import MethodError, RequestError


def histogram(heaped=0, seed=1, per_day=200):
    """Closings fall away smoothly with a weekly pattern; some are moved from after day 60 to its eve."""
    rng = np.random.default_rng(seed)
    day = np.arange(0, 120)
    mean = per_day * np.exp(-day / 70) * np.where(day % 7 >= 5, 0.4, 1.2)
    n = rng.poisson(mean)
    n[59] += heaped
    n[61:64] = np.maximum(n[61:64] - heaped // 3, 0)
    return pd.DataFrame({"day": day, "n": n})


def test_a_heap_before_the_limit_is_found_and_measured():
    made = integrity.heaping(histogram(heaped=150)).set_index("at")
    assert made["flag"].to_dict() == {15: False, 60: True, 90: False}
    assert made.loc[60, "observed"] - made.loc[60, "expected"] == pytest.approx(150, abs=60)


def test_weekends_are_no_heap():
    flagged = sum(int(integrity.heaping(histogram(seed=seed))["flag"].sum()) for seed in range(40))
    assert flagged <= 1  # 120 tests at one in a thousand


def test_too_few_cases_are_not_tested():
    made = integrity.heaping(histogram(per_day=0.5))
    assert not made["flag"].any()
    assert (made["note"] == "件数过少，不作检验").all()


def daily(again=0.0, seed=2):
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2023-01-02", "2023-12-29")
    rows = []
    for group in range(12):
        open_day = (dates.dayofweek < 5).astype(float)
        closed = rng.poisson(0.8 * open_day)
        registered = rng.poisson(0.8 * open_day)
        back = rng.binomial(closed, again)
        registered[2:] += back[:-2]
        rows.append(
            pd.DataFrame({"group": group, "date": dates, "concluded": closed, "registered": registered})
        )
    return pd.concat(rows)


def test_registration_anew_after_conclusion_is_found():
    assert not integrity.reregistration(daily())["flag"].iloc[0]
    found = integrity.reregistration(daily(again=0.3)).iloc[0]
    assert found["flag"]
    # 30 % of the conclusions came back on the second day: so many pairs too many.
    assert found["observed"] - found["expected"] == pytest.approx(0.3 * found["n"], rel=0.35)


def test_pairs_by_hand():
    frame = pd.DataFrame(
        {
            "group": "a",
            "date": ["2023-03-01", "2023-03-03", "2023-03-09", "2023-04-10"],
            "concluded": [2, 0, 0, 0],
            "registered": [0, 3, 1, 0],
        }
    )
    made = integrity.reregistration(frame).iloc[0]
    assert made["observed"] == 6  # 2 × 3 on the second day after
    assert made["expected"] == pytest.approx(2 / 3)  # 2 × 1 a week later and one day, over three weeks


def closings(pushed=0.0, months=12, seed=3):
    days = calendar_days(pd.Timestamp("2023-01-01").date(), pd.Timestamp("2023-12-31").date())
    working = pd.to_datetime(days["day"][days["working"].astype(bool)])
    rng = np.random.default_rng(seed)
    n = pd.Series(rng.poisson(40, len(working)), index=working)
    last = working.groupby(working.dt.to_period("M")).max()
    n[last] += int(pushed * 40)
    frame = n.rename("n").rename_axis("date").reset_index()
    return frame[frame["date"].dt.month <= months]


def test_month_end_batching():
    assert not integrity.batching(closings())["flag"].iloc[0]
    found = integrity.batching(closings(pushed=2)).iloc[0]
    assert found["flag"]
    assert found["ratio"] > 1.6
    short = integrity.batching(closings(pushed=2, months=4)).iloc[0]
    assert not short["flag"]
    assert "不足六个月" in short["note"]
    with pytest.raises(MethodError, match="没有办结"):
        integrity.batching(closings().assign(n=0))


def test_a_body_that_extends_more_than_the_others():
    frame = pd.DataFrame({"body": range(20), "numerator": [10] * 19 + [60], "denominator": [200] * 20})
    made = integrity.shares(frame)
    assert made.query("flag")["body"].tolist() == [19]
    assert made["expected"].sum() == pytest.approx(frame["numerator"].sum())
    low = integrity.shares(frame.assign(numerator=[60] * 19 + [5]))
    assert not low["flag"].any()  # extending less is nothing to look into


def test_silence_bounds_satisfaction():
    frame = pd.DataFrame(
        {"body": ["a", "b"], "satisfied": [90, 18], "rated": [100, 20], "concluded": [120, 100]}
    )
    made = integrity.response(frame).set_index("body")
    assert made.loc["b", "response"] == 0.2
    assert made.loc["b", "satisfied_of_rated"] == 0.9
    assert made.loc["b", "satisfied_of_all"] == 0.18
    assert made.loc["b", "upper"] == 0.98
    assert made["flag"].tolist() == [False, True]
    assert "50%" in made.loc["b", "note"]
    with pytest.raises(MethodError, match="互相矛盾"):
        integrity.response(frame.assign(rated=[130, 20]))
    with pytest.raises(RequestError, match="rated"):
        integrity.response(frame.drop(columns="rated"))


def test_every_check_touches_indicators_that_exist():
    for words in codebooks.load("integrity")["checks"].values():
        assert words["touches"]
        for id in words["touches"]:
            assert registry.indicator(id)


def test_checks_of_the_sample(sample):
    tables = cases.load(sample / "cases")
    made = integrity.checks(tables, region="990000")
    assert list(made.columns) == integrity.COLUMNS
    assert set(made["check"]) == set(codebooks.load("integrity")["checks"])
    heaps = made[made["check"] == "heaping"].set_index("at")["flag"]
    # The simulator rushes before the 60 days (and 90 with the extension), not at month ends.
    assert heaps[60]
    assert not heaps[15]
    assert not made.loc[made["check"] == "batching", "flag"].any()


def test_a_source_without_the_columns_says_so(tmp_path):
    pd.DataFrame({"matter_id": ["a"], "registered_at": ["2024-01-02"]}).to_csv(
        tmp_path / "matters.csv", index=False
    )
    made = integrity.checks(cases.load(tmp_path))
    assert len(made) == len(codebooks.load("integrity")["checks"])
    assert made["note"].str.startswith("无数据来源").all()
