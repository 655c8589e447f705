"""Composite indices: sums by hand, sensitivities that mean what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import cases, codebooks
from analysis.cases import registry
from analysis.cases.composite import Index, composite, of_places
from analysis.errors import CodebookError, MethodError, RequestError

ENTRY = {
    "name": "试例",
    "normalisation": "minmax",
    "weights_source": "手算",
    "components": {"x": {"weight": 0.75}, "y": {"weight": 0.25, "direction": "down"}},
}
INDEX = Index.read("toy", ENTRY)
FRAME = pd.DataFrame({"body": list("abc"), "x": [10.0, 20, 30], "y": [1.0, 5, 5]})


def test_scores_by_hand():
    made = composite(FRAME, INDEX).table.set_index("body")
    # x: 0, 50, 100; y, fewer is better: 100, 0, 0.
    assert made["score"].to_dict() == {"a": 25.0, "b": 37.5, "c": 75.0}
    assert made["rank"].to_dict() == {"c": 1, "b": 2, "a": 3}
    assert made.index.tolist() == ["c", "b", "a"]


def test_leaving_one_out_by_hand():
    made = composite(FRAME, INDEX)
    table = made.table.set_index("body")
    # Without x only y speaks: a first, b and c tied at 2. Without y only x: c, b, a.
    assert table.loc["a", ["loo_low", "loo_high"]].tolist() == [1, 3]
    assert table.loc["c", ["loo_low", "loo_high"]].tolist() == [1, 2]
    assert made.leave_one_out["y"] == pytest.approx(1)
    assert made.leave_one_out["x"] < 0


def test_a_body_best_in_everything_is_first_under_any_weights():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"body": range(12), "x": rng.random(12), "y": rng.random(12)})
    frame.loc[0, ["x", "y"]] = [2.0, -1.0]
    top = composite(frame, INDEX).table.iloc[0]
    assert top["body"] == 0
    assert (
        top[["rank", "weights_low", "weights_high", "loo_low", "loo_high", "norm_low", "norm_high"]].tolist()
        == [1] * 7
    )
    assert top["stable"]


def test_shares_add_to_the_score():
    made = composite(FRAME, INDEX)
    sums = made.parts.groupby("body")["share"].sum()
    np.testing.assert_allclose(sums[made.table["body"]], made.table["score"])


def test_a_missing_component_is_said_and_not_filled():
    frame = pd.concat([FRAME, pd.DataFrame({"body": ["d"], "x": [40.0], "y": [np.nan]})], ignore_index=True)
    made = composite(frame, INDEX).table
    assert made["body"].tolist()[-1] == "d"
    assert pd.isna(made["rank"].iloc[-1])
    assert made["note"].iloc[-1] == "缺少分项：y"
    assert made["score"].head(3).tolist() == composite(FRAME, INDEX).table["score"].tolist()


def test_a_component_in_which_all_are_alike_says_nothing():
    made = composite(FRAME.assign(y=5.0), INDEX).table
    assert made["body"].tolist() == ["c", "b", "a"]
    assert np.isfinite(made["score"]).all()


def test_same_seed_same_ranges():
    pd.testing.assert_frame_equal(composite(FRAME, INDEX).table, composite(FRAME, INDEX).table)


def test_packaged_indices_are_of_registered_indicators():
    for id in codebooks.load("composite")["indices"]:
        index = Index.named(id)
        for component, direction in index.directions.items():
            entry = registry.indicator(component)
            assert entry.rankable
            assert entry.direction == {"up": "高为好", "down": "低为好"}[direction]


@pytest.mark.parametrize(
    "change",
    [
        {"components": {"x": {"weight": 0.5}, "y": {"weight": 0.4}}},
        {"components": {"x": {"weight": 1.0}}},
        {"components": {"x": {"weight": 1.5}, "y": {"weight": -0.5}}},
        {"normalisation": "log"},
        {"weights_source": ""},
        {"components": {"x": {"weight": 0.5, "direction": "left"}, "y": {"weight": 0.5}}},
    ],
)
def test_definitions_that_are_refused(change):
    with pytest.raises(CodebookError):
        Index.read("toy", {**ENTRY, **change})


def test_what_it_refuses():
    with pytest.raises(RequestError, match="没有这个指数"):
        composite(FRAME, "none")
    with pytest.raises(RequestError, match="y"):
        composite(FRAME[["body", "x"]], INDEX)
    with pytest.raises(MethodError, match="不足两个"):
        composite(FRAME.head(1), INDEX)
    with pytest.raises(MethodError, match="出现两次"):
        composite(pd.concat([FRAME, FRAME]), INDEX)


def test_of_places_each_component_is_the_headline_of_its_indicator(sample):
    tables = cases.load(sample / "cases")
    made = of_places(tables, "petition_rule_of_law", "county", "2024", region="990000")
    names = list(Index.named("petition_rule_of_law").weights)
    rows = cases.indicators(tables, "2024", "990000", by="county", only=names, views=["本期"])
    heads = {name: registry.indicator(name).headline.id for name in names}
    rows = rows[(rows["variant"] == rows["indicator"].map(heads)) & rows["part_of"].isna()]
    wide = (
        rows.pivot(index="region_code", columns="indicator", values="value").rename_axis("body").reset_index()
    )
    wide = wide[wide["body"].isin(made.table["body"])]
    again = composite(wide, "petition_rule_of_law").table.dropna(subset=["score"])
    ranked = made.table.dropna(subset=["score"])
    assert ranked["body"].tolist() == again["body"].tolist()
    assert ranked["score"].tolist() == pytest.approx(again["score"].tolist())
    assert len(ranked) > 80
    assert made.table["name"].str.endswith(("县", "区", "市")).all()
    assert 0 < ranked["stable"].sum() < len(ranked)


def test_places_with_few_cases_have_no_score_and_what_may_not_be_ranked_no_index(sample):
    tables = cases.load(sample / "cases")
    month = of_places(tables, "petition_rule_of_law", "county", "2024-03", region="990000").table
    few = month[month["score"].isna()]
    assert 0 < len(few) < len(month)
    assert few["note"].str.startswith("缺少分项").all()
    counts = Index.read(
        "counts", ENTRY | {"components": {"pieces": {"weight": 0.5}, "on_time": {"weight": 0.5}}}
    )
    with pytest.raises(RequestError, match="pieces"):
        of_places(tables, counts, "county", "2024")
    with pytest.raises(RequestError, match="responsible_body"):
        of_places(tables, "petition_rule_of_law", "responsible_body", "2024")
