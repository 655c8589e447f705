"""The design report refuses what has no controls and says so before any effect is looked at."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analysis.effects import design

ROLL_OUT = ((14, 2), (17, 17), (20, 71))


def test_a_roll_out_to_everyone_ends_where_the_last_wait_ends(counties):
    panel = counties(cohorts=ROLL_OUT)
    made = design.design(panel, draws=199)
    assert made.last_identified == panel.times[19]
    assert made.estimable
    assert (made.units, made.treated, made.never, made.always) == (90, 90, 0, 0)
    cells = made.cells
    assert (cells["identified"] == (cells["not_yet"] > 0)).all()
    assert cells[~cells["identified"]]["time"].min() == panel.times[20]
    cohorts = made.cohorts.set_index("units")
    assert cohorts.loc[2, "inference"] == "随机化推断"
    assert cohorts.loc[17, "inference"].startswith("随机化推断，另列")
    assert cohorts.loc[71, "inference"] == "不估计"
    assert cohorts.loc[2, "post_identified"] == 6
    assert np.isnan(cohorts.loc[71, "mde_all_pre"])
    assert cohorts.loc[2, "mde_all_pre"] > cohorts.loc[17, "mde_all_pre"] > 0
    said = "".join(made.refusals)
    assert panel.times[20] in said
    assert "只有 2 个单位" in said


def test_all_at_once_is_refused(counties):
    made = design.design(counties(cohorts=((12, 90),)), draws=199)
    assert not made.estimable
    assert made.last_identified is None
    assert any("不作任何因果估计" in sentence for sentence in made.refusals)


def test_always_treated_units_are_named(counties):
    panel = counties(cohorts=((14, 5),))
    panel.first[-3:] = 0
    made = design.design(panel, draws=199)
    assert made.always == 3
    assert any("3 个单位在首期就已实施" in sentence for sentence in made.refusals)
    assert (made.cells.query("group == @panel.times[0]")["reason"] == "首期之前没有数据").all()


def test_nobody_treated(counties):
    made = design.design(counties(cohorts=()), draws=199)
    assert made.refusals == ("窗口内没有单位实施，没有效果可估",)
    assert not made.estimable


def test_mpdta(mpdta):
    made = design.design(mpdta, draws=199)
    assert (made.units, made.treated, made.never) == (500, 191, 309)
    assert made.cells["identified"].all()
    assert made.last_identified == "2007"
    assert made.refusals == ()


def test_json_is_plain(counties):
    text = json.dumps(design.design(counties(cohorts=ROLL_OUT), draws=199).as_json(), allow_nan=False)
    assert "不估计" in json.loads(text)["cohorts"][2]["inference"]


def test_the_specification_does_not_look_at_the_outcome(counties):
    one, other = counties(effect=0), counties(effect=9, seed=7)
    assert design.specification(one, method="did") == design.specification(other, method="did")
    assert design.specification(one, method="did") != design.specification(one, method="its")
    assert design.specification(one) != design.specification(one.until(one.times[20]))
    moved = one.with_first(np.roll(one.first, 1))
    assert design.specification(one) != design.specification(moved)
    assert len(design.specification(one)) == 16


@pytest.mark.parametrize("draws", [199])
def test_same_seed_same_report(draws, counties):
    panel = counties(cohorts=ROLL_OUT)
    assert design.design(panel, draws=draws).as_json() == design.design(panel, draws=draws).as_json()
