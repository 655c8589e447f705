"""Integrity checks: planted practices are found, ordinary weeks and months are not."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from analysis import cases, codebooks
from analysis.cases import integrity, registry
from analysis.cases.calendar import days as calendar_days
from analysis.cases.load import moment
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


def test_a_countys_few_cases_show_a_heap_and_nothing_else():
    """Below what a curve needs: 44 in three days against 45 in some fifty."""
    few = pd.DataFrame({"day": [58, 59, 60, *range(33, 57), *range(64, 85)], "n": [12, 14, 18, *[1] * 45]})
    made = integrity.heaping(few).set_index("at")
    assert made["flag"].to_dict() == {15: False, 60: True, 90: False}
    # 50 days around, three in the heap, weekdays up to 1.4 times an even week.
    assert made.loc[60, "expected"] == pytest.approx(1.4 * 3 * 45 / 51)
    assert made.loc[60, "p"] == pytest.approx(binom.sf(43, 89, 4.2 / 55.2))
    rng = np.random.default_rng(4)
    day = np.arange(0, 120)
    even = [rng.poisson(0.8 * np.where(day % 7 >= 5, 0.0, 1.4)) for _ in range(60)]
    assert sum(int(integrity.heaping(pd.DataFrame({"day": day, "n": n}))["flag"].sum()) for n in even) <= 1


def daily(again=0.0, seed=2):
    """Matters of twelve groups: concluded on some days, registered on others, some again two days after."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2023-01-02", "2023-12-29")
    rows = []
    for group in range(12):
        open_day = (dates.dayofweek < 5).astype(float)
        closed = rng.poisson(0.8 * open_day)
        registered = rng.poisson(0.8 * open_day)
        back = rng.binomial(closed, again)
        registered[2:] += back[:-2]
        topic = f"类{group}"
        rows += [(topic, "2022-01-01", date) for date, n in zip(dates, closed, strict=True) for _ in range(n)]
        rows += [(topic, date, None) for date, n in zip(dates, registered, strict=True) for _ in range(n)]
    return matters(rows)


def matters(rows):
    return [
        {
            "matter_id": f"M{k}",
            "locality_code": "990102",
            "topic_3": topic,
            "registered_at": str(registered)[:10],
            "concluded_at": None if concluded is None else str(concluded)[:10],
        }
        for k, (topic, registered, concluded) in enumerate(rows)
    ]


def pairs(source):
    made = integrity.checks(source)
    return made[made["check"] == "reregistration"].iloc[0]


def test_registration_anew_after_conclusion_is_found(tables):
    assert not pairs(tables(matters=daily()))["flag"]
    found = pairs(tables(matters=daily(again=0.3)))
    assert found["flag"]
    # 30 % of the conclusions came back on the second day: so many pairs too many.
    assert found["observed"] - found["expected"] == pytest.approx(0.3 * found["n"], rel=0.35)


def test_pairs_by_hand(tables):
    closed = [("甲", "2022-01-01", "2023-03-01")] * 2
    opened = [("甲", "2023-03-03", None)] * 3 + [("甲", "2023-03-09", None), ("甲", "2023-04-10", None)]
    other = [("乙", "2023-03-02", None), (None, "2023-03-02", None)]
    made = pairs(tables(matters=matters([*closed, *opened, *other])))
    assert made["n"] == 2
    assert made["observed"] == 6  # 2 × 3 on the second day after
    assert made["expected"] == pytest.approx(2 / 3)  # 2 × 1 a week later and one day, over three weeks
    assert made["note"] == integrity.FEW


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


def test_the_margin_of_the_sample_by_hand(sample):
    tables = cases.load(sample / "cases")
    rows = pd.read_parquet(sample / "cases" / "matters.parquet")
    now = moment(None, tables)
    rows = rows[(rows["system"] == "信访") & (rows["concluded_at"] <= now) & ~(rows["registered_at"] > now)]
    counted = integrity.margin(tables, now).groupby("measure")["n"].sum()
    assert counted["closings"] == counted["concluded"] == len(rows)
    bound = rows[rows["path"] == "6"]
    assert counted["bound"] == len(bound)
    assert counted["extended"] == (bound["extended_days"] > 0).sum()
    took = (bound["concluded_at"].dt.normalize() - bound["accepted_at"].dt.normalize()).dt.days
    assert counted["days"] == took.between(0, 118).sum()
    rated = rows["unit_rating_state"] == "已评价"
    assert counted["rated"] == rated.sum()
    assert counted["satisfied"] == (rated & rows["unit_rating_grade"].isin(["满意", "基本满意"])).sum()
    pieces = pd.read_parquet(sample / "cases" / "petitions.parquet")
    pieces = pieces[pieces["system"] == "信访"][["matter_id", "registered_at"]].rename(
        columns={"registered_at": "again"}
    )
    both = rows[["matter_id", "concluded_at"]].merge(pieces, on="matter_id")
    after = both["again"] - both["concluded_at"]
    back = both[(after > pd.Timedelta(0)) & (after <= pd.Timedelta(days=90))]
    assert counted["reopened"] == rows["matter_id"].isin(back["matter_id"]).sum()


def test_a_county_is_held_against_the_counties_of_its_city(sample):
    tables = cases.load(sample / "cases")
    year = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
    city = integrity.checks(tables, *year, region="990100")
    county = integrity.checks(tables, *year, region="990102", among="990100")
    for check in ("extension", "reopening", "response"):
        own = city[(city["check"] == check) & (city["body"] == "990102")].iloc[0]
        (row,) = county[county["check"] == check].to_dict("records")
        assert (row["body"], row["n"], row["ratio"]) == (own["body"], own["n"], own["ratio"])
    assert county["n"].max() < city.loc[city["body"].isna(), "n"].max()


def test_month_ends_are_looked_at_over_twelve_months_and_nothing_to_look_at_is_said(sample):
    tables = cases.load(sample / "cases")
    made = integrity.checks(tables, dt.date(2024, 3, 1), dt.date(2024, 3, 31), region="990100")
    by_check = made.drop_duplicates("check").set_index("check")
    assert by_check.loc["batching", "note"] is None or pd.isna(by_check.loc["batching", "note"])
    assert by_check.loc["batching", "n"] > 6 * by_check.loc["reregistration", "n"]
    nothing = integrity.checks(tables, dt.date(2031, 3, 1), dt.date(2031, 3, 31), region="990100")
    assert not nothing["flag"].any()
    assert nothing.drop_duplicates("check")["note"].notna().all()
