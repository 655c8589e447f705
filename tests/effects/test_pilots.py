"""The pilot panel of the sample: planted effects are found, and their counts are the registry's."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analysis import cases
from analysis.effects import estimate, pilot
from analysis.errors import MethodError, RequestError


@pytest.fixture(scope="module")
def province(root):
    return cases.load(root / "data/sample/cases")


@pytest.fixture(scope="module")
def tiers(root):
    metadata = json.loads((root / "data/sample/cases/metadata.json").read_text(encoding="utf-8"))
    return metadata["planted"]["tiers"]


@pytest.fixture(scope="module")
def resolved(province):
    return pilot(province, "resolved_once", region="990000")


def test_every_county_has_the_start_that_reaches_it_first(resolved, tiers):
    starts = resolved.starts.set_index("county")
    for tier in ("国家级", "省级"):
        assert set(starts.index[starts["tier"] == tier]) == set(tiers[tier]["counties"])
        assert set(starts.loc[tiers[tier]["counties"], "first_treated"]) == {str(tiers[tier]["start"])[:7]}
    assert (starts["tier"] == "全省").sum() == 90 - 19
    panel = resolved.panel
    assert panel.outcome.shape[0] == 90
    assert [int(panel.members(g).sum()) for g in panel.cohorts] == [2, 17, 71]


def test_counts_by_hand(resolved, root):
    matters = pd.read_parquet(root / "data/sample/cases/matters.parquet")
    pieces = pd.read_parquet(root / "data/sample/cases/petitions.parquet")
    matters = matters[(matters["system"] == "信访") & (matters["locality_code"] == "990181")]
    month = matters[matters["registered_at"].dt.strftime("%Y-%m") == "2023-05"]
    again = set(pieces.loc[(pieces["first_or_repeat"] == "重件") & (pieces["system"] == "信访"), "matter_id"])
    replied = month[month["replied_at"].notna()]
    once = replied["resolved_at"].notna() & ~replied["matter_id"].isin(again)
    row = resolved.counts.set_index(["county", "month"]).loc[("990181", "2023-05")]
    assert row["denominator"] == len(replied)
    assert row["numerator"] == once.sum()


def test_planted_effects_lie_in_the_intervals(resolved, tiers):
    made = estimate(resolved.panel, "did", base="all_pre", draws=499)
    assert made["window"][1] == "2023-12"
    planted = {str(tier["start"])[:7]: 100 * tier["once"] for tier in tiers.values()}
    for row in made["cohorts"]:
        assert row["low"] <= planted[row["group"]] <= row["high"]
        assert row["p_randomisation"] <= 0.05
    assert any("2024-01" in sentence for sentence in made["refusals"])


def test_nothing_is_found_where_nothing_was_planted(resolved):
    """Dates a year early, on months before any pilot."""
    panel = resolved.panel.until("2023-02")
    first = np.where(resolved.panel.first == 17, 8.0, np.inf)  # the seventeen, as if from September 2022 on
    made = estimate(panel.with_first(first), "did", base="all_pre", draws=199)
    assert made["cohorts"][0]["units"] == 17
    assert made["cohorts"][0]["p_randomisation"] > 0.05


def test_months_without_time_to_ripen_are_left_out(province, resolved):
    assert resolved.counts["month"].max() == "2024-06"
    assert pilot(province, "resolved_once", follow_up=30).counts["month"].max() == "2024-11"
    with pytest.raises(MethodError, match="跟踪时间"):
        pilot(province, "resolved_once", follow_up=10_000)


def test_means_are_pooled(resolved):
    means = resolved.means()
    assert list(means.columns) == ["国家级", "省级", "全省"]
    rows = resolved.counts.query("tier == '省级' and month == '2023-01'")
    assert means.loc["2023-01", "省级"] == pytest.approx(
        100 * rows["numerator"].sum() / rows["denominator"].sum()
    )


def test_what_it_refuses(province, shared, root):
    with pytest.raises(RequestError, match="不是按事项计的率"):
        pilot(province, "repeat")
    with pytest.raises(RequestError, match="没有这个政策"):
        pilot(province, "on_time", policy="无此政策")
    with pytest.raises(RequestError, match="没有这个口径"):
        pilot(province, "on_time", variant="none")
    boston = cases.load(
        shared / "reference_data/cases/boston311_2015_cases.parquet",
        mapping=root / "data/mappings/boston311.yml",
    )
    with pytest.raises(RequestError, match="没有试点表"):
        pilot(boston, "on_time")
