"""Known seasons, festivals and steps put in and found again; the calendar's own facts."""

from __future__ import annotations

import chinese_calendar
import numpy as np
import pandas as pd
import pytest

from analysis import codebooks
from analysis.cases import season, spc
from analysis.errors import MethodError, RequestError
from analysis.periods import Period

MONTHS = [Period(2021 + k // 12, k % 12 + 1, "month") for k in range(48)]


def planted(step=0.0, noise=0.01, seed=4):
    """log value = level + season + 3 % a working day − 30 % over the festival window + step from the 31st month on."""
    facts = season.month_facts(MONTHS)
    month = np.arange(48) % 12
    shape = 0.15 * np.sin(2 * np.pi * month / 12) + 0.08 * (month == 6)
    working = 0.03 * (facts["working_days"] - facts["working_days"].groupby(month).transform("mean"))
    festival = -0.30 * (facts["festival"] - facts["festival"].groupby(month).transform("mean"))
    rng = np.random.default_rng(seed)
    log = 7 + shape + working + festival + step * (np.arange(48) >= 30) + noise * rng.standard_normal(48)
    return pd.DataFrame({"period": [str(m) for m in MONTHS], "value": np.exp(log)}), shape, festival


def test_the_new_year_dates_are_holidays_of_that_name():
    for day in codebooks.load("season")["spring_festival"]:
        if day.year <= 2026:
            _, name = chinese_calendar.get_holiday_detail(day)
            assert name == "Spring Festival"


def test_month_facts_by_hand():
    facts = season.month_facts([Period(2023, 1, "month"), Period(2023, 2, "month"), Period(2024, 2, "month")])
    # 2023: 22 January; window 14 January to 10 February, 18 days and 10 of 28. 2024: 10 February, all within 2–29 February.
    assert facts["festival"].tolist() == pytest.approx([18 / 28, 10 / 28, 1.0])
    # January 2023 by hand: 22 weekdays, less 2 January, less 23–27 January, plus the make-up days 28 and 29.
    assert facts["working_days"][0] == 18


def test_season_and_calendar_are_found():
    frame, shape, festival = planted()
    made = season.adjust(frame)
    assert made["adjusted"].std() / made["adjusted"].mean() < 0.02
    assert frame["value"].std() / frame["value"].mean() > 0.09
    truth = shape - shape.mean()
    found = np.log(made["value"] - made["calendar"]) - np.log(made["adjusted"])
    assert np.corrcoef(found, truth)[0, 1] > 0.98
    in_winter = np.flatnonzero(np.abs(festival) > 0.05)
    effect = np.log(made["value"]) - np.log(made["value"] - made["calendar"])
    assert np.corrcoef(effect[in_winter], festival[in_winter])[0, 1] > 0.9


@pytest.mark.parametrize("step", [-0.2, 0.15])
def test_a_step_survives_and_is_the_only_signal(step):
    made = season.adjust(planted(step)[0])
    log = np.log(made["adjusted"])
    assert log[33:].mean() - log[:27].mean() == pytest.approx(step, abs=0.03)


def test_the_season_raises_few_signals_once_adjusted():
    before = after = 0
    for seed in range(8):
        frame, _, _ = planted(noise=0.02, seed=seed)
        made = season.adjust(frame)
        before += (spc.xmr(frame)["rule"] != "common").sum()
        adjusted = spc.xmr(made.assign(value=made["adjusted"]))
        after += adjusted["rule"].isin(["above_limit", "below_limit"]).sum()
    assert before > 100
    assert after <= 16  # of 384 points: robust weights keep some noise as signals


def test_parts_add_up():
    made = season.adjust(planted()[0])
    np.testing.assert_allclose(made["value"], made["adjusted"] + made["seasonal"] + made["calendar"])


def test_a_season_and_a_step_put_into_a_real_series(shared):
    real = pd.read_csv(shared / "reference_data/funnel/nhs_ae_attendances_2016_2019.csv", dtype={"type": str})
    monthly = real[real["type"] == "1"].groupby("period")["attendances"].sum()
    frame = pd.DataFrame({"period": monthly.index.str[:7], "value": monthly.to_numpy(float)})
    assert len(frame) == 36
    month = np.arange(36) % 12
    season_in = 0.12 * np.sin(2 * np.pi * month / 12)
    changed = frame.assign(value=frame["value"] * np.exp(season_in + 0.10 * (np.arange(36) >= 20)))
    before, after = season.adjust(frame), season.adjust(changed)
    gained = np.log(after["adjusted"]) - np.log(before["adjusted"])
    assert gained[24:].mean() - gained[:16].mean() == pytest.approx(0.10, abs=0.03)
    put_in = (np.log(after["value"]) - np.log(after["adjusted"])) - (
        np.log(before["value"]) - np.log(before["adjusted"])
    )
    assert np.corrcoef(put_in, season_in)[0, 1] > 0.95


def test_rates_are_adjusted_in_points():
    facts = season.month_facts(MONTHS)
    rate = 0.9 + 0.03 * np.sin(2 * np.pi * (np.arange(48) % 12) / 12) + 0 * facts["festival"]
    made = season.adjust(pd.DataFrame({"period": [str(m) for m in MONTHS], "value": rate}))
    assert made["adjusted"].between(0.88, 0.92).all()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda frame: frame.head(35), "至少需要 36"),
        (lambda frame: frame.drop(index=10), "缺月"),
        (lambda frame: frame.assign(value=frame["value"].where(frame.index != 5)), "缺失"),
    ],
)
def test_what_it_refuses(change, word):
    with pytest.raises(MethodError, match=word):
        season.adjust(change(planted()[0]))
    with pytest.raises(RequestError, match="value"):
        season.adjust(planted()[0][["period"]])


def test_a_month_of_nought_cannot_be_adjusted_in_proportion():
    frame = planted()[0]
    frame.loc[3, "value"] = 0
    with pytest.raises(MethodError, match="为零"):
        season.adjust(frame, log=True)
