"""Suppression against the GaussSuppression example and brute force; links over levels and releases; every gate."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import regions
from analysis.cases import disclosure
from analysis.cases.disclosure import Profile, protect
from analysis.errors import MethodError, RequestError

STRICT = Profile.named("strict_suppress")
ONE = replace(STRICT, threshold=1, zero_is_small=True)
EXAMPLE = pd.DataFrame(
    [("young", "Spain", 5), ("young", "Iceland", 2), ("young", "Portugal", 0),
     ("old", "Spain", 6), ("old", "Iceland", 3), ("old", "Portugal", 4)],
    columns=["age", "country", "n"],
)  # fmt: skip


def table(cube, rows="甲乙丙丁戊己", columns="ABCDEF"):
    return pd.DataFrame(
        [(rows[i], columns[j], n) for i, line in enumerate(cube) for j, n in enumerate(line)],
        columns=["region", "topic", "n"],
    )


def states(made):
    return made.cells.set_index(list(made.keys))["state"].to_dict()


def shown(made):
    return made.cells.set_index(list(made.keys))["shown"].to_dict()


def ranges(made):
    rows = made.ranges.set_index(list(made.keys))
    return {key: (low, high) for key, low, high in zip(rows.index, rows["low"], rows["high"], strict=True)}


def test_the_gauss_suppression_example():
    made = protect(EXAMPLE, ["age", "country"], profile=ONE)
    suppressed = {key for key, mark in shown(made).items() if mark == "*"}
    assert suppressed == {(age, country) for age in ("young", "old") for country in ("Iceland", "Portugal")}
    assert {key: tuple(map(round, pair)) for key, pair in ranges(made).items()} == {
        ("young", "Iceland"): (0, 2),
        ("young", "Portugal"): (0, 2),
        ("old", "Iceland"): (3, 5),
        ("old", "Portugal"): (2, 4),
    }
    assert made.certificate["method"] == "milp"
    assert (made.certificate["primary"], made.certificate["secondary"]) == (1, 3)
    assert made.passed


def test_with_primary_suppression_only_the_cell_is_recovered():
    made = protect(EXAMPLE, ["age", "country"], profile=replace(ONE, secondary=False))
    assert ranges(made) == {("young", "Portugal"): (0, 0)}
    assert not made.passed
    with pytest.raises(MethodError, match="披露审计未通过"):
        made.published()
    with pytest.raises(MethodError, match="披露审计未通过"):
        made.mask(EXAMPLE, ["n"])


def test_what_is_printed_holds_no_true_value_of_a_suppressed_cell():
    made = protect(EXAMPLE, ["age", "country"], profile=ONE)
    assert set(made.cells.columns) == {"age", "country", "state", "shown"}
    published = made.published().set_index(["age", "country"])["shown"]
    assert published["young", "Portugal"] == "*"
    assert published["young", "合计"] == "7"
    masked = made.mask(EXAMPLE, ["n"])
    assert masked["n"].isna().sum() == 4


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 7), min_size=3, max_size=3), min_size=2, max_size=3))
def test_no_small_cell_can_be_worked_out_by_enumeration(cube):
    """Every table of whole numbers that agrees with what is printed, one by one, without the method's own programmes."""
    profile = replace(STRICT, threshold=2)
    made = protect(table(cube), ["region", "topic"], profile=profile)
    if not made.passed:  # too little left to hide among: refused, which is the right answer
        return
    names = sorted(set(zip(table(cube)["region"], table(cube)["topic"], strict=True)))
    truth = table(cube).set_index(["region", "topic"])["n"]
    text = shown(made)
    open_cells = [key for key in names if text[key] == "*"]
    fixed = {key: int(text[key]) for key in names if text[key] != "*"}
    sums = {}
    for row in sorted({key[0] for key in names}):
        sums[row, "合计"] = [key for key in names if key[0] == row]
    for column in sorted({key[1] for key in names}):
        sums["合计", column] = [key for key in names if key[1] == column]
    sums["合计", "合计"] = names
    seen = {key: set() for key in open_cells}
    top = int(truth.sum()) + 2  # the grand total may be withheld too
    if (top + 1) ** len(open_cells) > 200_000:
        return
    for values in itertools.product(range(top + 1), repeat=len(open_cells)):
        trial = fixed | dict(zip(open_cells, values, strict=True))
        if all(
            text[total] == "*" or sum(trial[k] for k in keys) == int(text[total])
            for total, keys in sums.items()
        ):
            for key, value in zip(open_cells, values, strict=True):
                seen[key].add(value)
    for key in open_cells:
        assert len(seen[key]) > 1
        if 0 < truth[key] <= 2:
            assert min(seen[key]) == 0
            assert max(seen[key]) >= 2


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), min_size=4, max_size=4), min_size=4, max_size=4))
def test_the_joint_programme_never_loses_more_than_the_greedy_way(cube):
    from analysis.cases import suppression

    made = protect(table(cube), ["region", "topic"])
    joint = suppression._JOINT
    try:
        suppression._JOINT = 0
        other = protect(table(cube), ["region", "topic"])
    finally:
        suppression._JOINT = joint
    truth = {key: int(text) if text != "*" else None for key, text in shown(made).items()}
    assert set(truth) == set(shown(other))
    if made.certificate["method"] == "milp" and other.passed:
        assert made.passed

    def loss(result):
        frame = table(cube)
        cells = {(r, t): n for r, t, n in frame.itertuples(index=False)}
        for (r, t), n in list(cells.items()):
            for key in ((r, "合计"), ("合计", t), ("合计", "合计")):
                cells[key] = cells.get(key, 0) + n
        return sum(cells[key] + 1 for key, word in states(result).items() if word == "二次抑制")

    if made.certificate["method"] == "milp" and other.certificate["method"] == "greedy" and other.passed:
        assert loss(made) <= loss(other)


def test_levels_of_the_region_tree_are_protected_together():
    codes = [region.code for region in regions.load().counties("990000")][:14]
    tree = disclosure.region_tree(codes)
    assert "990000" in tree
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        [(code, topic, int(rng.integers(0, 40))) for code in codes for topic in "AB"],
        columns=["region_code", "topic", "n"],
    )
    frame.loc[0, "n"] = 2
    made = protect(frame, ["region_code", "topic"])
    assert made.passed
    assert {"990000", *codes} <= set(made.cells["region_code"])
    assert states(made)[codes[0], "A"] == "一次抑制"


def test_a_county_alone_in_its_city_takes_the_citys_figure_with_it():
    table_of_regions = regions.load()
    first, second = table_of_regions.children("990000")[:2]
    several = [region.code for region in table_of_regions.children(first.code)][:4]
    lone = table_of_regions.children(second.code)[0].code
    frame = pd.DataFrame({"region_code": [*several, lone], "n": [20, 31, 42, 12, 3]})
    text = protect(frame, ["region_code"]).cells.set_index("region_code")["shown"]
    assert text[lone] == "*"
    assert text[second.code] == "*"
    assert (
        text["990000"] == "*"
    )  # or the total less the first city would tell; cheaper than that city and a county


def test_a_year_to_date_less_last_months_gives_this_month_away():
    # January to March was published last time; January to April less that is April's small cell.
    frame = pd.DataFrame({"topic": list("AABB"), "period": ["01-03", "04"] * 2, "n": [50, 2, 40, 30]})
    trees = {"period": {"01-04": ["01-03", "04"]}}
    past = pd.DataFrame({"topic": ["A", "B", "合计"], "period": "01-03", "published": True})
    free = protect(frame, ["topic", "period"], trees=trees)
    linked = protect(frame, ["topic", "period"], trees=trees, released=past)
    assert linked.passed
    assert linked.certificate["linked_to_previous"]
    assert states(linked)["A", "01-03"] == "公开"
    assert shown(linked)["A", "01-04"] == "*"
    assert shown(linked)["B", "01-04"] == "*"
    assert free.certificate["secondary"] <= linked.certificate["secondary"]


def test_what_was_published_small_cannot_be_taken_back_and_what_was_suppressed_stays_so():
    frame = table([[3, 20], [30, 40]])
    past = pd.DataFrame({"region": ["甲", "乙"], "topic": ["A", "B"], "published": [True, False]})
    made = protect(frame, ["region", "topic"], released=past)
    assert shown(made)["甲", "A"] == "3"
    assert shown(made)["乙", "B"] == "*"


def test_rolling_years_hide_the_month_that_came():
    tree, hidden = disclosure.rolling("至2月", "至3月")
    parts = {
        ("A", "移出"): 2,
        ("A", "重叠"): 60,
        ("A", "移入"): 3,
        ("B", "移出"): 9,
        ("B", "重叠"): 80,
        ("B", "移入"): 11,
    }
    frame = pd.DataFrame([(*key, n) for key, n in parts.items()], columns=["topic", "period", "n"])
    made = protect(frame, ["topic", "period"], trees={"period": tree}, hidden={"period": hidden})
    assert made.passed
    assert set(made.published()["period"]) == {"至2月", "至3月"}
    assert shown(made)["A", "至3月"] == "63"
    low, high = ranges(made)["A", "移入"]
    assert high - low >= STRICT.width


def test_counties_by_topics_on_rolling_years_with_each_range_again_by_programmes_of_the_whole():
    """A province of counties and cities is protected block by block; a sample of cells is judged without the blocks."""
    from scipy.optimize import linprog

    from analysis.cases import suppression

    tree, hidden = disclosure.rolling("至2月", "至3月")
    codes = [region.code for region in regions.load().counties("990000")][:24]
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        [(code, topic, node, int(rng.poisson(months * rate)))
         for code in codes for topic, rate in zip("ABCDE", (3, 1, 0.6, 0.4, 0.2), strict=True)
         for node, months in (("移出", 1), ("重叠", 11), ("移入", 1))],
        columns=["region_code", "topic", "period", "n"],
    )  # fmt: skip
    systems = []
    kept = suppression.audit
    keys = ["region_code", "topic", "period"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            disclosure,
            "audit",
            lambda system, pattern, tables: (
                systems.append((system, pattern)) or kept(system, pattern, tables)
            ),
        )
        made = protect(frame, keys, trees={"period": tree}, hidden={"period": hidden})
    assert made.passed
    assert made.certificate["method"] == "greedy"
    assert made.certificate["fallback"] == "size"
    assert made.certificate["primary"] > 20
    assert made.certificate["secondary"] < made.certificate["cells"] / 5
    system, pattern = systems[0]
    small = np.flatnonzero(system.small & ~system.hidden)
    bounds = np.column_stack([
        np.where(pattern, 0, system.low),
        np.where(pattern, np.minimum(system.high + 50, 10_000), system.high),
    ])  # fmt: skip
    for cell in rng.choice(small, 6, replace=False):
        goal = np.zeros(len(pattern))
        for sign, need in ((1, 0), (-1, -STRICT.threshold)):
            goal[cell] = sign
            found = linprog(
                goal, A_eq=system.equations, b_eq=np.zeros(system.equations.shape[0]), bounds=bounds
            )
            assert found.fun <= need + 1e-6


def test_the_same_table_gives_the_same_certificate():
    rng = np.random.default_rng(1)
    frame = table(rng.integers(0, 25, (6, 6)).tolist())
    assert protect(frame, ["region", "topic"]).certificate == protect(frame, ["region", "topic"]).certificate


def test_nhs_rule():
    codes = [region.code for region in regions.load().counties("990000")][:4]
    frame = pd.DataFrame({"region_code": codes, "n": [3, 12, 0, 48]})
    made = protect(frame, ["region_code"], profile="nhs_hes")
    text = {
        code: mark
        for (code,), mark in ((k if isinstance(k, tuple) else (k,), v) for k, v in shown(made).items())
    }
    assert text[codes[0]] == "*"
    assert text[codes[1]] in ("10", "*")
    assert text[codes[2]] == "0"
    assert text[codes[3]] in ("50", "*")
    assert text["990000"] == "65"  # the top is exempt and rounded on its own
    assert made.passed


def test_the_top_level_is_exempt_in_the_nhs_rule_only():
    codes = [region.code for region in regions.load().counties("990000")][:2]
    frame = pd.DataFrame({"region_code": codes, "n": [1, 2]})
    top = {
        profile: protect(frame, ["region_code"], profile=profile).cells.set_index("region_code")["state"][
            "990000"
        ]
        for profile in ("nhs_hes", "acro")
    }
    assert top == {"nhs_hes": "公开", "acro": "一次抑制"}


def test_ehrql_rule():
    frame = pd.DataFrame({"topic": list("ABCDE"), "n": [0, 7, 8, 12, 13]})
    made = protect(frame, ["topic"], profile="ehrql")
    text = made.cells.set_index("topic")["shown"]
    assert text.reindex([*"ABCDE", "合计"]).tolist() == ["0", "0", "10", "10", "15", "40"]
    assert set(made.cells["state"]) == {"公开", "取整"}


def test_acro_rules():
    frame = pd.DataFrame({"topic": list("ABCD"), "n": [9, 10, 100, 100]})
    contributions = pd.DataFrame({"topic": list("ABCD"), "largest": [3, 3, 60, 80], "second": [1, 2, 10, 15]})
    words = protect(frame, ["topic"], profile="acro").cells.set_index("topic")["state"]
    assert words["A"] == "一次抑制"
    with_dominance = protect(frame, ["topic"], profile="acro", contributions=contributions)
    words = with_dominance.cells.set_index("topic")["state"]
    assert words["D"] == "一次抑制"  # two hold 95 %
    assert words["C"] != "一次抑制"
    close = contributions.assign(largest=[3, 3, 80, 30], second=[1, 2, 13, 10])
    words = protect(frame, ["topic"], profile="acro", contributions=close).cells.set_index("topic")["state"]
    assert words["C"] == "一次抑制"  # the rest, 7, is less than a tenth of the largest


def test_what_earlier_releases_give_away_is_refused():
    made = protect(pd.DataFrame({"topic": ["A", "B"], "n": [2, 0]}), ["topic"])
    assert made.cells.set_index("topic")["shown"].to_dict() == {"A": "*", "B": "0", "合计": "*"}
    public = pd.DataFrame({"topic": ["合计", "B"], "published": [True, True]})
    linked = protect(pd.DataFrame({"topic": ["A", "B"], "n": [2, 0]}), ["topic"], released=public)
    assert not linked.passed
    with pytest.raises(MethodError, match="不得公开"):
        linked.published()


def test_rates_with_their_denominator_and_their_complement():
    frame = pd.DataFrame(
        {"numerator": [50, 2, 98, 100, 0, 3], "denominator": [100, 100, 100, 100, 100, 4], "value": 0.5}
    )
    gated = disclosure.gate_rates(frame)
    assert gated["gated"].tolist() == [False, True, True, False, False, True]
    assert gated.loc[gated["gated"], ["value", "numerator", "denominator"]].isna().all(axis=None)
    assert gated["value"].notna().sum() == 3


def test_ranks_and_medians_of_a_few_cases():
    frame = pd.DataFrame({"n": [3, 30, 9], "rank": [1, 2, 3], "median": [4.0, 5.0, 6.0]})
    assert disclosure.gate_ranks(frame, ["rank"])["rank"].isna().tolist() == [True, False, False]
    assert disclosure.gate_quantiles(frame, ["median"])["median"].isna().tolist() == [True, False, True]


def test_survival_steps_gather_enough_events():
    curve = pd.DataFrame(
        {"time": range(8), "at_risk": [40, 38, 35, 32, 26, 20, 11, 4], "events": [2, 3, 3, 6, 6, 9, 7, 4]}
    )
    gated = disclosure.gate_steps(curve)
    # By hand: 2+3 = 5 at time 1; 3+6 = 9 at time 3; 6; 9; at time 6 only 4 remain.
    assert gated["time"].tolist() == [1, 3, 4, 5]
    assert gated["events"].tolist() == [5, 9, 6, 9]
    assert (gated["events"] >= STRICT.minimum_per_step).all()


def test_a_mask_empties_what_was_never_judged():
    made = protect(EXAMPLE, ["age", "country"], profile=ONE)
    other = pd.DataFrame({"age": ["old", "old"], "country": ["Spain", "France"], "value": [1.0, 2.0]})
    assert made.mask(other, ["value"])["value"].isna().tolist() == [False, True]


def test_what_it_refuses():
    with pytest.raises(RequestError, match="披露档"):
        protect(EXAMPLE, ["age", "country"], profile="none")
    with pytest.raises(RequestError, match="topic"):
        protect(EXAMPLE, ["age", "topic"])
    with pytest.raises(MethodError, match="为负"):
        protect(EXAMPLE.assign(n=-1), ["age", "country"])
    with pytest.raises(MethodError, match="出现两次"):
        protect(pd.concat([EXAMPLE, EXAMPLE]), ["age", "country"])
    with pytest.raises(MethodError, match="混在一起"):
        protect(EXAMPLE, ["age", "country"], trees={"age": {"old": ["young"]}})
    with pytest.raises(MethodError, match="互相包含"):
        protect(EXAMPLE, ["age", "country"], trees={"age": {"x": ["y", "young"], "y": ["x", "old"]}})
