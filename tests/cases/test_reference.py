"""Published reference numbers that no module's own test holds: of the library we fit with, of variants we do not print,
and of facts the definitions rest on. The others stand in the tests of their modules."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis import cases
from analysis.cases import duration, spc
from analysis.cases.calendar import days, deadline
from analysis.cases.deadlines import clock, run
from analysis.cases.duration import DONE, OPEN
from analysis.cases.margins import snapshot

AS_OF = dt.datetime(2016, 1, 12, 22, 22, 40)


def histogram(rows: pd.DataFrame, day: str, event: str) -> pd.DataFrame:
    return (
        rows.groupby([rows[day].rename("day"), rows[event].rename("event")]).size().rename("n").reset_index()
    )


# ---- 2.1 --------------------------------------------------------------------------------------------------------------


def test_recomputed_lateness_is_the_publishers_flag_in_all_but_one_case(boston: cases.Cases) -> None:
    rows = run(snapshot(boston, "matters", AS_OF), clock("handling"), AS_OF)
    frame = rows.filter(rows.state.notnull()).select("state", "stated_on_time").execute()
    flagged = frame.dropna(subset="stated_on_time")  # 153 rows carry no flag
    late = flagged["state"].isin(["closed_late", "open_late"])
    assert len(flagged) == 94_001
    assert (late == (flagged["stated_on_time"] == "超期")).sum() == 94_000


def test_closing_and_closing_in_time_of_a_bulletin(tables) -> None:
    """April 2017: 24,932 due, 23,974 closed (96.16 %), 22,345 in time (89.62 %)."""
    stated = {"region_code": "320700", "month": "2017-04", "indicator": "按期办结率", "denominator": 24_932}
    source = tables(monthly=[{**stated, "numerator": 22_345}])
    (row,) = cases.indicators(source, "2017-04", only=["on_time"], views=["本期"]).dropna(subset=["value"]).to_dict(
        "records"
    )  # fmt: skip
    assert round(100 * row["value"], 2) == 89.62
    assert round(100 * 23_974 / row["denominator"], 2) == 96.16


def test_how_far_the_day_rule_moves_a_deadline() -> None:
    """Start dates of 2022–2025: rolling changes 31.7 % of limits by at most 9 days, working days add 27.6 days to 60."""
    starts = days(dt.date(2022, 1, 1), dt.date(2025, 12, 31))["day"]
    moved = {15: [], 60: []}
    for start in pd.to_datetime(starts).dt.date:
        for limit, found in moved.items():
            plain = deadline(start, limit).day
            found.append((deadline(start, limit, "calendar_roll_forward").day - plain).days)
    share = np.mean(np.array(moved[15]) > 0)
    assert round(100 * share, 1) == 31.7
    assert np.mean(np.array(moved[60]) > 0) == pytest.approx(0.317, abs=0.002)
    assert max(*moved[15], *moved[60]) == 9


def test_working_days_move_the_sixty_day_limit() -> None:
    starts = pd.to_datetime(days(dt.date(2022, 1, 1), dt.date(2025, 9, 1))["day"]).dt.date
    more = [(deadline(day, 60, "workdays").day - deadline(day, 60).day).days for day in starts]
    assert np.mean(more) == pytest.approx(27.6, abs=0.1)


# ---- 2.2 --------------------------------------------------------------------------------------------------------------


def test_how_often_each_rule_fires_in_the_nhs_series(shared) -> None:
    file = shared / "reference_data/reference_outputs/xmr_NHSRplotthedots_ae_type1_compliance.csv"
    frame = pd.read_csv(file).rename(columns={"x": "period", "y": "value", "f": "body"})
    chart = spc.xmr(frame[["period", "value", "body"]], by="body")
    assert chart["rule"].value_counts().to_dict() == {
        "common": 2477, "shift_above": 845, "shift_below": 371, "above_limit": 175, "below_limit": 356,
        "trend_up": 55, "trend_down": 110, "near_upper": 346, "near_lower": 185,
    }  # fmt: skip


# ---- 2.5 --------------------------------------------------------------------------------------------------------------


def test_lung_by_the_other_interval_and_greenwoods_error() -> None:
    """R's default interval is on the log scale: 285–363; ours is log–log: 284–361. Both need S and its error."""
    from lifelines.datasets import load_lung

    rows = load_lung().assign(event=lambda frame: frame["status"].astype(int))
    curve = duration.curve(histogram(rows, "time", "event"))
    ended = curve["done"] + curve["left"]
    greenwood = (ended / (curve["at_risk"] * (curve["at_risk"] - ended))).cumsum()
    error = curve["waiting"] * np.sqrt(greenwood)
    year = curve["day"] <= 365
    assert error[year].iloc[-1] == pytest.approx(0.0358, abs=5e-5)
    half = 1.959964 * np.sqrt(greenwood)
    low, high = (curve["waiting"] * np.exp(sign * half) for sign in (-1, 1))
    assert curve.loc[low <= 0.5, "day"].iloc[0] == 285
    assert curve.loc[high <= 0.5, "day"].iloc[0] == 363


def test_cox_model_of_the_arrests() -> None:
    """The library's Cox regression (Efron) as published: coefficients, errors, likelihood, concordance, tests."""
    from lifelines import CoxPHFitter
    from lifelines.datasets import load_rossi
    from lifelines.statistics import proportional_hazard_test

    rows = load_rossi()
    fit = CoxPHFitter().fit(rows, "week", "arrest")
    published = {
        "fin": (-0.37942, 0.19138), "age": (-0.05744, 0.02200), "race": (0.31390, 0.30799), "wexp": (-0.14980, 0.21222),
        "mar": (-0.43370, 0.38187), "paro": (-0.08487, 0.19576), "prio": (0.09150, 0.02865),
    }  # fmt: skip
    for name, (coefficient, error) in published.items():
        assert fit.params_[name] == pytest.approx(coefficient, abs=5e-6)
        assert fit.standard_errors_[name] == pytest.approx(error, abs=5e-6)
    assert fit.log_likelihood_ == pytest.approx(-658.74766, abs=5e-6)
    assert fit.concordance_index_ == pytest.approx(0.6403, abs=5e-5)
    p = proportional_hazard_test(fit, rows, time_transform="km").summary["p"]
    assert (round(p["age"], 3), round(p["wexp"], 3)) == (0.001, 0.006)
    assert round(proportional_hazard_test(fit, rows, time_transform="rank").summary["p"]["wexp"], 3) == 0.007


def test_free_of_arrest_at_the_studys_end() -> None:
    from lifelines.datasets import load_rossi

    curve = duration.curve(histogram(load_rossi(), "week", "arrest"))
    assert curve["waiting"].iloc[-1] == pytest.approx(0.7361111, abs=5e-8)


def test_departments_of_the_open_hotline_still_waiting(boston: cases.Cases) -> None:
    table = duration.histogram(boston, "responsible_body", AS_OF)
    published = {
        "BTDT": (0.2183, 0.0613),
        "ISD": (0.5152, 0.3282),
        "PARK": (0.4485, 0.2923),
        "PWDx": (0.1765, 0.0803),
    }
    found = duration.summary(table).set_index("group")
    for body, (fifteen, sixty) in published.items():
        assert 1 - found.loc[body, "within_15"] == pytest.approx(fifteen, abs=5e-5)
        assert 1 - found.loc[body, "within_60"] == pytest.approx(sixty, abs=5e-5)
    # Of what INFO closed the median took three days; four in five of all it received are open at day 15.
    info = table[table["group"] == "INFO"]
    closed = info[info["event"] == DONE]
    assert np.median(np.repeat(closed["day"], closed["n"].astype(int))) == 3
    assert 1 - found.loc["INFO", "within_15"] == pytest.approx(0.8, abs=0.02)
    assert info.loc[info["event"] == OPEN, "n"].sum() > 0
