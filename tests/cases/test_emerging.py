"""Rising topics: the exact test against its definition, the stated false-signal rate, what was planted in the sample."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, false_discovery_control, nchypergeom_fisher

from analysis import cases, codebooks, regions
from analysis.cases import emerging
from analysis.cases.emerging import _flagged, _judged, _tail
from analysis.errors import MethodError, RequestError
from analysis.periods import Period

Make = Callable[..., cases.Cases]
BOOK = codebooks.load("emerging")


def wide(now: list[int], base: list[int], silent: list[int] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"now": now, "base": base, "silent": silent or base}, dtype=float)
    return frame.set_axis(pd.Index([f"t{k}" for k in range(len(now))], name="topic"))


def rows(counts: dict[tuple[str, str], int], code: str = "990102") -> list[dict[str, object]]:
    """Matters of (topic_3, month); every topic of one branch."""
    made = [
        {
            "topic_1": "甲",
            "topic_2": "乙",
            "topic_3": topic,
            "registered_at": f"{month}-10",
            "locality_code": code,
        }
        for (topic, month), n in counts.items()
        for _ in range(n)
    ]
    return [{"matter_id": f"{code}{k}", **row} for k, row in enumerate(made)]


def test_the_probability_by_its_definition() -> None:
    """Fisher's noncentral hypergeometric tail by hand: 15 of 40 now against 10 of 60 then, odds 1.2."""
    found = _judged(wide([15, 25], [10, 50]), 1, BOOK).set_index("topic").loc["t0"]
    weights = {k: comb(40, k) * comb(60, 25 - k) * BOOK["ratio"] ** k for k in range(26)}
    exact = sum(weight for k, weight in weights.items() if k >= 15) / sum(weights.values())
    assert found["p"] == pytest.approx(exact, rel=1e-9)
    assert found["ratio"] == pytest.approx((15 / 40) / (10 / 60))
    error = np.sqrt(1 / 15 - 1 / 40 + 1 / 10 - 1 / 60)
    assert found["low"] == pytest.approx(found["ratio"] * np.exp(-1.959964 * error))


def test_the_tail_is_that_of_the_published_distribution() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        all_now, all_base = rng.integers(20, 3000, 2)
        now, base = rng.integers(0, min(all_now, 90)), rng.integers(0, min(all_base, 90))
        exact = nchypergeom_fisher.sf(now - 1, all_now + all_base, all_now, now + base, 1.2)
        assert _tail(now, base, all_now, all_base, 1.2) == pytest.approx(exact, abs=1e-9)


def test_the_choice_is_benjamini_and_hochbergs_in_every_row() -> None:
    p = np.random.default_rng(6).beta(0.2, 2, (60, 12))
    p[p > 0.8] = np.nan
    p[3] = np.nan
    for row, chosen in zip(p, _flagged(p, 0.05), strict=True):
        known = ~np.isnan(row)
        q = false_discovery_control(row[known], method="bh") if known.any() else row[known]
        assert chosen[known].tolist() == (q <= 0.05).tolist()
        assert not chosen[~known].any()


def test_against_the_poisson_test_where_the_rest_is_large() -> None:
    """With a large rest the conditional test is binomial: of x + c, a share r N / (r N + C) is expected now."""
    now, base = [60, 100_000], [40, 200_000]
    found = _judged(wide(now, base), 2, BOOK).set_index("topic").loc["t0"]
    share = BOOK["ratio"] * 100_000 / (BOOK["ratio"] * 100_000 + 200_000)
    assert found["p"] == pytest.approx(binom.sf(59, 100, share), rel=0.01)
    assert found["base"] == 20
    assert found["verdict"] == "rising"


def test_a_certain_but_slight_shift_is_no_signal() -> None:
    found = _judged(wide([11_000, 100_000], [10_000, 100_000]), 1, BOOK)
    assert set(found["verdict"]) == {"usual"}


def test_when_everything_doubles_nothing_emerges() -> None:
    found = _judged(wide([400, 600, 2000], [200, 300, 1000]), 1, BOOK)
    assert set(found["verdict"]) == {"usual"}
    assert found["ratio"].tolist() == pytest.approx([1, 1, 1])


def test_new_needs_silence_before_and_small_ones_are_listed() -> None:
    found = _judged(wide([12, 6, 4, 9, 500], [0, 0, 0, 1, 500], [0, 3, 0, 1, 500]), 1, BOOK).set_index(
        "topic"
    )
    assert found["verdict"].to_dict() == {
        "t0": "new", "t1": "small", "t2": "small", "t3": "small", "t4": "usual",
    }  # fmt: skip
    assert found.attrs["tested"] == 2
    assert found["word"]["t2"] == "受小样本影响"


def test_the_adjusted_values_are_those_of_benjamini_and_hochberg() -> None:
    found = _judged(wide([30, 25, 20, 40, 900], [10, 12, 20, 40, 900]), 1, BOOK)
    p = found["p"].to_numpy()
    order = np.argsort(p)
    steps = p[order] * len(p) / np.arange(1, len(p) + 1)
    wanted = np.minimum.accumulate(steps[::-1])[::-1]
    assert found["q"].to_numpy()[order] == pytest.approx(np.minimum(wanted, 1))


def test_false_signals_stay_below_what_is_stated() -> None:
    """400 draws in which the odds grew by the set ratio for none: at most 5 % of them say anything."""
    rng = np.random.default_rng(3)
    share = rng.dirichlet(np.full(20, 3.0))
    said = 0
    for _ in range(400):
        now, base = rng.multinomial(600, share), rng.multinomial(1100, share)
        said += _judged(wide(list(now), list(base)), 2, BOOK).attrs["flagged"] > 0
    assert said / 400 <= BOOK["false_discovery"]


# ---- from rows -----------------------------------------------------------------------------------------------------------


def test_months_years_and_regions(tables: Make) -> None:
    usual = {("旧", month): 40 for month in ("2022-03", "2023-03", "2024-03")}
    source = tables(
        matters=[
            *rows(
                {
                    **usual,
                    ("新", "2024-03"): 12,
                    ("早", "2023-09"): 3,
                    ("早", "2024-03"): 12,
                    ("外", "2022-01"): 1,
                }
            ),
            *rows({("旧", "2024-03"): 99}, code="990203"),
        ]
    )
    found = emerging.emerging(source, "2024-03", "990100").set_index("topic")
    assert found["n"].to_dict() == {"甲／乙／旧": 40, "甲／乙／新": 12, "甲／乙／早": 12}
    assert found["base"].to_dict() == {"甲／乙／旧": 40, "甲／乙／新": 0, "甲／乙／早": 0}
    assert found["base_years"].unique().tolist() == [2]
    assert found["verdict"].to_dict() == {"甲／乙／旧": "usual", "甲／乙／新": "new", "甲／乙／早": "rising"}
    assert np.isnan(found.loc["甲／乙／新", "ratio"])
    assert found.attrs["expected_false"] == pytest.approx(0.05 * 2)
    year = [Period.parse("2024-03").shift(-k) for k in range(12)]
    rolling = emerging.emerging(source, year[::-1], "990100").set_index("topic")
    assert rolling.loc["甲／乙／早", "n"] == 15
    assert emerging.emerging(source, "2024-03", "990000").set_index("topic").loc["甲／乙／旧", "n"] == 139
    coarse = emerging.emerging(source, "2024-03", "990100", level=1)
    assert coarse["topic"].tolist() == ["甲"]


def test_what_cannot_be_compared_is_said(tables: Make) -> None:
    source = tables(matters=rows({("旧", "2024-01"): 3, ("旧", "2024-03"): 3}))
    with pytest.raises(MethodError, match="往年同月"):
        emerging.emerging(source, "2024-03")
    with pytest.raises(RequestError, match="可用：1、2、3"):
        emerging.emerging(source, "2024-03", level=4)
    with pytest.raises(RequestError, match="没有问题类别"):
        emerging.emerging(tables(matters=[{"matter_id": "1", "registered_at": "2024-03-01"}]), "2024-03")


def test_what_was_planted_in_the_sample_is_found_and_nothing_else(root) -> None:
    source = cases.load(root / "data/sample/cases")
    topics = {tuple(one["path"]): one.get("years", {}) for one in codebooks.load("simulate")["topics"]}
    for period, year in (("2024Q1", 2024), ("2024", 2024), ("2023Q1", 2023)):
        found = emerging.emerging(source, period, "990000")
        base = range(2022, year)
        grown = {
            "／".join(path)
            for path, years in topics.items()
            if years.get(year, 1) > 1.3 * np.mean([years.get(one, 1) for one in base])
        }
        said = set(found.loc[found["verdict"].isin(["new", "rising"]), "topic"])
        assert said
        assert said <= grown
    assert source.metadata["planted"]["rising_topic"] in {topic.split("／", 1)[1] for topic in said}


def test_the_indicator_counts_what_the_verdicts_say(root) -> None:
    """Many places and spans at once against one at a time."""
    source = cases.load(root / "data/sample/cases")
    risen, book = 0, regions.load()
    known = ["990000", *(one.code for one in (*book.children("990000"), *book.counties("990000")))]
    for period in ("2023-06", "2024Q1"):
        for by, region in ((None, "990000"), ("region", "990100")):
            table = cases.indicators(source, period, region, by=by, only=["new_topics"], views=["本期"])
            assert len(table) >= 2
            for place, rows in table[table["region_code"].isin(known)].groupby("region_code"):
                months = emerging.window(Period.parse(period), str(place))
                found = emerging.emerging(source, months, str(place)) if months[0].year > 2022 else None
                counts = rows.set_index("variant")["value"].to_dict()
                if found is None:  # a county's twelve months begin in the first year
                    assert all(np.isnan(count) for count in counts.values())
                    continue
                verdicts = found["verdict"]
                assert counts == {
                    "headline": (verdicts == "new").sum(),
                    "rising": (verdicts == "rising").sum(),
                }
                assert set(rows["denominator"]) == {found.attrs["tested"]}
                risen += counts["rising"]
    assert risen


def test_why_new_topics_cannot_be_counted_is_said(root, tables: Make) -> None:
    source = cases.load(root / "data/sample/cases")

    def said(tables: cases.Cases, *arguments: str | None) -> str:
        (note,) = cases.indicators(tables, *arguments[:2], by=arguments[2], only=["new_topics"])["note"]
        return str(note)

    assert "往年同月" in said(source, "2022-03", None, None)
    assert "往年同月" in said(source, None, None, None)
    assert "分组" in said(source, "2024", None, "channel")
    bare = tables(matters=[{"matter_id": "1", "registered_at": "2024-03-01"}])
    assert said(bare, "2024-03", None, None).startswith("无数据来源")


def test_carried_over_matters_are_no_base(root) -> None:
    """Matters registered before the stated window are those still open at its start: no year to compare with."""
    source = cases.load(root / "data/sample/cases")
    assert source.extent[0] < dt.date(2022, 1, 1)
    with pytest.raises(MethodError):
        emerging.emerging(source, "2022-06", "990000")
