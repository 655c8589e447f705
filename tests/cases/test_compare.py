"""One comparison frame: funnel, ranks, peers and words together; what must not be ranked is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analysis import cases, codebooks, regions
from analysis.cases import ranking, registry
from analysis.cases.compare import ADJUSTED, COLUMNS, assess, compare, history
from analysis.cases.funnel import funnel
from analysis.errors import MethodError, RequestError


def bodies(pairs):
    return pd.DataFrame(
        [(chr(97 + i), k, n) for i, (k, n) in enumerate(pairs)], columns=["body", "numerator", "denominator"]
    )


MANY = bodies(
    [
        (190, 200),
        (180, 200),
        (95, 100),
        (60, 100),
        (45, 50),
        (48, 50),
        (88, 90),
        (140, 150),
        (29, 30),
        (4, 4),
        (70, 75),
        (0, 0),
    ]
)


def test_the_table_holds_what_its_parts_say():
    made = assess(MANY, minimum_n=10)
    table = made.table.set_index("body")
    assert list(made.table.columns) == COLUMNS
    fit = funnel(MANY)
    assert made.table.attrs["phi"] == fit.phi
    limits = fit.table.set_index("body")
    np.testing.assert_allclose(table["lower_outer"], limits.loc[table.index, "lower_outer"])
    part = MANY[MANY["denominator"] >= 10]
    ranks = ranking.rank_intervals(part).set_index("body")
    for column in ("rank", "band_low", "band_high", "set_low", "set_high", "undistinguished"):
        assert table.loc[ranks.index, column].tolist() == ranks[column].tolist()


def test_small_bodies_are_listed_and_not_ranked():
    made = assess(MANY, minimum_n=10)
    small = made.table[~made.table["ranked"]].set_index("body")
    assert sorted(small.index) == ["j", "l"]
    assert small["rank"].isna().all()
    assert small["set_low"].isna().all()
    assert small.loc["j", "word"] == "受小样本影响"
    assert "分母不足 10" in small.loc["j", "note"]
    assert small.loc["l", "word"] == "无应计件"
    assert (made.ranked, made.listed) == (10, 2)
    assert made.table["ranked"].tolist() == [True] * 10 + [False] * 2  # listed last


def test_a_rank_never_stands_alone():
    ranked = assess(MANY, minimum_n=10).table.query("ranked")
    for column in ("n", "low", "high", "rank_low", "rank_high", "set_low", "set_high", "undistinguished"):
        assert ranked[column].notna().all()
    for row in ranked.itertuples():
        told = (
            "与其他单位均可区分"
            if row.undistinguished == 0
            else f"与其他 {row.undistinguished} 个单位无法区分"
        )
        assert row.note == told


def test_words_follow_the_direction():
    pairs = [(900, 1000)] * 14 + [(600, 1000), (999, 1000)]
    words = {
        direction: assess(bodies(pairs), direction=direction).table.set_index("body")["word"]
        for direction in ("高为好", "低为好", "中性")
    }
    assert words["高为好"][["o", "p", "a"]].tolist() == ["差于同组", "好于同组", "与同组相近"]
    assert words["低为好"][["o", "p", "a"]].tolist() == ["好于同组", "差于同组", "与同组相近"]
    assert words["中性"][["o", "p", "a"]].tolist() == ["低于同组", "高于同组", "与同组相近"]
    best = assess(bodies(pairs), direction="低为好").table
    assert best["body"].iloc[0] == "o"
    assert best["rank"].iloc[0] == 1


def test_colours_and_words_come_from_the_codebook():
    words = codebooks.load("comparison")["words"].values()
    known = {(word["text"], word["colour"]) for word in words}
    table = assess(MANY).table
    assert set(zip(table["word"], table["colour"], strict=True)) <= known


def test_regions_are_compared_with_their_peers():
    # Two 区 and three 县 of the fictional province: codes read from the table, not written here.
    table = regions.load()
    counties = table.counties("990000")
    districts = [region.code for region in counties if region.name.endswith("区")][:2]
    rural = [region.code for region in counties if region.name.endswith("县")][:3]
    frame = pd.DataFrame(
        {"body": [*districts, *rural], "numerator": [90, 50, 80, 70, 99], "denominator": [100] * 5}
    )
    made = assess(frame).table.set_index("body")
    assert made.loc[districts, "peer"].tolist() == ["区组", "区组"]
    assert made.loc[rural, "peer"].tolist() == ["县组"] * 3
    assert made.loc[districts, "peer_value"].tolist() == [0.7, 0.7]
    assert made.loc[districts, "peer_rank"].tolist() == [1, 2]
    assert made.loc[districts[0], "peer_high"] == 1
    assert made.loc[rural, "peer_size"].tolist() == [3] * 3
    assert made.loc[districts[0], "name"].endswith("区")


def test_stated_peer_groups():
    made = assess(MANY, peers={body: "甲" if body < "e" else "乙" for body in MANY["body"]}).table
    assert made.groupby("peer")["peer_size"].max().to_dict() == {"甲": 4, "乙": 6}
    with pytest.raises(RequestError, match="分组表"):
        assess(MANY, peers={"a": "甲"})


def test_clustered_pieces_widen_everything():
    plain = assess(MANY).table.set_index("body")
    shared = assess(MANY.assign(effective_n=MANY["denominator"] / 4)).table.set_index("body")
    assert (shared["n"] == plain["n"]).all()
    assert shared["value"].dropna().tolist() == plain["value"].dropna().tolist()
    known = plain["n"] > 0
    assert (shared["high"] - shared["low"] > plain["high"] - plain["low"])[known].all()
    assert (shared["undistinguished"] >= plain["undistinguished"])[plain["ranked"]].all()


def test_chance_signals_are_stated():
    made = assess(MANY)
    assert made.expected_false == made.funnel.expected_false
    assert any(f"{made.expected_false:.2f}" in note and "11 个单位" in note for note in made.notes)


def test_few_bodies_that_count_are_not_adjusted_however_many_small_ones_stand_beside_them():
    few = bodies([(90, 100), (150, 200), (160, 200), *[(1, 2)] * 12])
    made = assess(few, minimum_n=30)
    assert not made.table.attrs["adjusted"]
    assert any("不足 10 个" in note for note in made.notes)
    assert assess(MANY, minimum_n=10).table.attrs["adjusted"]


def test_one_body_only():
    made = assess(bodies([(7, 20)]))
    assert made.funnel is None
    assert "只有一个单位，无从比较" in made.notes
    assert made.table["word"].tolist() == ["与同组相近"]


def test_all_on_time_is_one_tie():
    made = assess(bodies([(n, n) for n in range(20, 35)]))
    assert (made.table["rank"] == 1).all()
    assert (made.table["undistinguished"] == 14).all()
    assert (made.table["word"] == "与同组相近").all()


def test_what_it_refuses():
    with pytest.raises(MethodError, match="出现两次"):
        assess(pd.concat([MANY, MANY]))
    with pytest.raises(MethodError, match="没有一个单位"):
        assess(bodies([(0, 0)]))
    with pytest.raises(RequestError, match="denominator"):
        assess(MANY[["body", "numerator"]])


def test_volume_is_never_ranked():
    unranked = [id for id, entry in registry.indicators().items() if not entry.rankable]
    assert unranked
    for id in unranked:
        with pytest.raises(RequestError, match="不得用于排名"):
            compare(MANY, id)
    with pytest.raises(RequestError, match="没有这个指标"):
        compare(MANY, "no_such")
    with pytest.raises(RequestError, match="没有这个口径"):
        compare(MANY, "on_time", variant="no_such")


def test_a_frame_of_the_users_own():
    made = compare(MANY, "on_time")
    entry = registry.indicator("on_time")
    assert made.attrs["definition"] == f"on_time.{entry.headline.id}@{entry.version}"
    assert made.attrs["minimum_n"] == entry.minimum_n
    assert not made.set_index("body").loc["j", "ranked"]


def test_boston_areas_from_the_file(shared, root):
    tables = cases.load(
        shared / "reference_data/cases/boston311_2015_cases.parquet",
        mapping=root / "data/mappings/boston311.yml",
    )
    made = compare(tables, "on_time", by="county", as_of="2016-01-12T22:22:40")
    assert len(made) == 23
    assert made.attrs["phi"] == pytest.approx(22.529514, abs=5e-7)
    assert made.attrs["tau2"] == pytest.approx(0.0017349472, abs=5e-11)
    assert not made["flag"].any()
    hill = made.set_index("body").loc["Chestnut Hill"]
    assert (hill["n"], hill["numerator"], hill["ranked"]) == (4, 4, False)
    assert hill["word"] == "受小样本影响"


def test_counties_of_the_sample(sample):
    tables = cases.load(sample / "cases")
    made = compare(tables, "on_time", by="county", period="2024", region="990000")
    rows = cases.indicators(tables, "2024", "990000", by="county", only=["on_time"], views=("本期",))
    headline = rows[rows["variant"] == registry.indicator("on_time").headline.id].set_index("region_code")
    known = headline[headline.index.isin([region.code for region in regions.load().rows])]
    assert len(headline) > len(known) > 80  # the sample has rows of unknown places: rejects, never compared
    assert made.set_index("body")["n"].to_dict() == known["denominator"].to_dict()
    assert set(made["peer"]) <= {"区组", "县组", "市组"}
    assert made["ranked"].any()


@pytest.fixture(scope="module")
def province(root):
    return cases.load(root / "data/sample/cases")


@pytest.fixture(scope="module")
def planted(root):
    return json.loads((root / "data/sample/cases/metadata.json").read_text(encoding="utf-8"))["planted"]


def test_the_planted_slow_counties_are_found(province, planted):
    slow = set(planted["slow_counties"])
    made = compare(province, "on_time", by="county", period="2024", region="990000")
    assert slow <= set(made["body"].tail(len(slow) + 2))
    flagged = set(made.loc[made["word"] == "差于同组", "body"])
    assert flagged
    assert flagged <= slow  # nobody is blamed who was not made slow
    longer = compare(province, "on_time", by="county", region="990000")
    assert set(longer.loc[longer["word"] == "差于同组", "body"]) == slow


def test_case_mix_sums_to_what_was_observed(province, planted):
    made = compare(
        province, "on_time", by="county", period="2024", region="990000",
        adjust=("topic_1", "channel", "body_level"),
    )  # fmt: skip
    assert list(made.columns) == [*COLUMNS, *ADJUSTED]
    assert made["expected"].sum() == pytest.approx(made["observed"].sum(), rel=1e-6)
    # On the rarer outcome: late, so observed is what is not in the numerator.
    assert made["observed"].to_numpy() == pytest.approx((made["n"] - made["numerator"]).to_numpy())
    slow = made["body"].isin(planted["slow_counties"])
    assert made.loc[slow, "ratio"].min() > made.loc[~slow, "ratio"].median()
    assert set(made.loc[made["adjusted_word"] == "差于同组", "body"]) <= set(planted["slow_counties"])
    with pytest.raises(RequestError, match="没有这个字段"):
        compare(province, "on_time", by="county", period="2024", adjust=("weather",))
    with pytest.raises(RequestError, match="汇总表"):
        compare(MANY, "on_time", adjust=("channel",))


def test_pieces_of_one_matter_widen_the_interval_of_a_rate_over_pieces(province):
    made = compare(province, "repeat", by="city", period="2024", region="990000")
    # First and repeated pieces of one matter offset one another in part; never does a cluster know more than its pieces.
    assert (made["effective_n"] <= made["n"]).all()
    assert (made["effective_n"] < made["n"]).any()
    assert (made["effective_n"] > 0.5 * made["n"]).all()
    over_matters = compare(province, "on_time", by="city", period="2024", region="990000")
    assert (over_matters["effective_n"] == over_matters["n"]).all()


def test_history_of_the_whole_and_of_cities(province):
    whole = history(province, "on_time", region="990000")
    assert whole["period"].tolist() == [f"{2022 + k // 12}-{k % 12 + 1:02d}" for k in range(36)]
    assert whole["adjusted"].all()
    assert whole["raw"].between(0, 1).all()
    rows = cases.indicators(province, "2024-03", "990000", only=["on_time"], views=("本期",))
    counted = rows[rows["variant"] == registry.indicator("on_time").headline.id]["value"].iloc[0]
    assert whole.set_index("period").loc["2024-03", "raw"] == pytest.approx(counted)
    cities = history(province, "on_time", by="city", region="990000", months=24)
    assert cities["body"].nunique() == 11
    assert not cities["adjusted"].any()  # two years say nothing about a season
