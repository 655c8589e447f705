"""Stated changes held against series: rounding, bases, approximations, strength."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.effects import check
from analysis.effects.claims import COLUMNS
from analysis.errors import RequestError

MONTHS = [f"{year}-{month:02d}" for year in (2021, 2022, 2023, 2024) for month in range(1, 13)]


def counts(values=None, seed=0, level=1000):
    if values is None:
        values = np.random.default_rng(seed).poisson(level, len(MONTHS))
    return pd.DataFrame({"period": MONTHS, "numerator": np.asarray(values, float)})


def claim(
    value, direction="down", base="同比", start="2024-03-01", end="2024-03-31", unit="%", approx=None, **more
):
    return pd.DataFrame(
        [{"value": value, "direction": direction, "base": base, "period_start": start, "period_end": end, "unit": unit,
          "approx": approx, **more}]
    )  # fmt: skip


def one(claims, series):
    return check(claims, series).iloc[0]


def with_change(ratio, months, level=1000):
    values = np.full(len(MONTHS), float(level))
    for month in months:
        values[MONTHS.index(month)] = level * ratio
    return counts(values)


@pytest.mark.parametrize(
    ("stated", "ratio", "agrees"),
    [
        (12, 0.88, "一致"),
        (12, 0.886, "不一致"),
        (12, 0.875001, "一致"),  # 12.4999 is written 12
        (12.0, 0.88, "一致"),
        (11.6, 0.884, "一致"),
        (11.6, 0.8834, "不一致"),
    ],
)
def test_to_the_last_digit_stated(stated, ratio, agrees):
    made = one(claim(stated), with_change(ratio, ["2024-03"], level=100_000))
    assert made["agrees"] == agrees
    assert made["computed"] == pytest.approx(100 * (ratio - 1))
    assert made["stated"] == -stated


def test_direction_counts():
    made = one(claim(12, "up"), with_change(0.88, ["2024-03"]))
    assert made["agrees"] == "不一致"
    assert one(claim(12, "up"), with_change(1.12, ["2024-03"]))["agrees"] == "一致"


@pytest.mark.parametrize(
    ("approx", "ratio", "agrees"),
    [
        ("以上", 0.872, "一致"),
        ("以上", 0.89, "不一致"),
        ("近", 0.885, "一致"),
        ("近", 0.87, "不一致"),
        ("约", 0.87, "一致"),
        ("约", 0.80, "不一致"),
    ],
)
def test_approximations(approx, ratio, agrees):
    assert one(claim(12, approx=approx), with_change(ratio, ["2024-03"], level=100_000))["agrees"] == agrees


def test_bases_by_hand():
    values = np.arange(100.0, 148.0)  # 2021-01 is 100, each month one more
    series = counts(values)
    assert one(claim(1, base="同比"), series)["computed"] == pytest.approx(100 * (138 / 126 - 1))
    assert one(claim(1, base="环比"), series)["computed"] == pytest.approx(100 * (138 / 137 - 1))
    assert one(claim(1, base="比前三年平均数"), series)["computed"] == pytest.approx(
        100 * (138 / ((102 + 114 + 126) / 3) - 1)
    )
    quarter = claim(1, base="环比", start="2024-04-01", end="2024-06-30")
    assert one(quarter, series)["computed"] == pytest.approx(
        100 * ((139 + 140 + 141) / (136 + 137 + 138) - 1)
    )


def test_strength():
    steady = counts(seed=1)
    steady.loc[MONTHS.index("2024-03"), "numerator"] = 700
    steady.loc[MONTHS.index("2023-03"), "numerator"] = 1000
    strong = one(claim(30), steady)
    assert strong["strength"] == "超出常规波动"
    assert strong["low"] < -30 < strong["high"] < 0
    weak = one(claim(3), with_change(0.97, ["2024-03"]))
    assert weak["strength"] == "与常规波动无法区分"
    assert weak["low"] < 0 < weak["high"]
    tiny = one(claim(50), with_change(0.5, ["2024-03"], level=8))
    assert tiny["strength"] == "受小样本影响"


def test_a_series_that_jumps_about_has_wider_intervals():
    calm = counts(seed=2)
    rng = np.random.default_rng(3)
    wild = counts(calm["numerator"] * np.exp(rng.normal(0, 0.2, len(MONTHS))))
    for series in (calm, wild):
        series.loc[MONTHS.index("2024-03"), "numerator"] = 880
        series.loc[MONTHS.index("2023-03"), "numerator"] = 1000
    narrow, broad = one(claim(12), calm), one(claim(12), wild)
    assert narrow["agrees"] == broad["agrees"] == "一致"
    assert broad["high"] - broad["low"] > 2 * (narrow["high"] - narrow["low"])
    assert broad["strength"] == "与常规波动无法区分"


def test_points_of_a_rate():
    rate = pd.DataFrame({"period": MONTHS, "numerator": 800.0, "denominator": 1000.0})
    rate.loc[MONTHS.index("2024-03"), "numerator"] = 920
    made = one(claim(12, "up", unit="个百分点"), rate)
    assert made["computed"] == pytest.approx(12)
    assert made["agrees"] == "一致"
    assert made["strength"] == "超出常规波动"
    relative = one(claim(15, "up"), rate)
    assert relative["computed"] == pytest.approx(15)


def test_the_right_series_is_taken():
    both = pd.concat(
        [
            with_change(0.88, ["2024-03"]).assign(indicator="matters", region_code="990100"),
            with_change(0.5, ["2024-03"]).assign(indicator="matters", region_code="990200"),
        ]
    )
    made = one(claim(12, indicator_id="matters", region_code="990100"), both)
    assert made["agrees"] == "一致"
    assert "不止一条" in one(claim(12, indicator_id="matters"), both)["note"]


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        (claim(12, base="比计划"), "基期写法不认识"),
        (claim(12, unit="件"), "不是增减幅度"),
        (claim(12, direction=None), "不是增减幅度"),
        (claim(12, start="2024-03-05"), "没有整月"),
        (claim(12, start=None, end=None), "没有整月"),
        (claim(12, start="2021-03-01", end="2021-03-31"), "数据缺 2020-03"),
        (claim(12, unit="个百分点"), "百分点须对率而言"),
    ],
)
def test_what_cannot_be_checked_says_why(claims, word):
    made = one(claims, counts())
    assert made["agrees"] == "无法核对"
    assert word in made["note"]
    assert np.isnan(made["computed"])


def test_every_note_warns_of_before_and_after():
    made = one(claim(12), with_change(0.88, ["2024-03"]))
    assert "不等于政策效果" in made["note"]
    assert "下降12.0%" in made["note"]
    assert set(COLUMNS) <= set(made.index)


def test_columns_are_asked_for():
    with pytest.raises(RequestError, match="direction"):
        check(claim(12).drop(columns="direction"), counts())
    with pytest.raises(RequestError, match="numerator"):
        check(claim(12), counts().drop(columns="numerator"))


def test_the_interval_covers():
    """Two months of one Poisson level: the interval of their change holds 0 about 95 % of the time."""
    held = 0
    for seed in range(300):
        made = one(claim(1), counts(seed=seed, level=300))
        held += made["low"] <= 0 <= made["high"]
    assert 0.91 <= held / 300 <= 0.99
