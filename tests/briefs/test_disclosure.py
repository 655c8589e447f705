"""A brief that is shared does not depend on what it withholds: hidden cells changed, every output stays the same."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from analysis import cases, display, regions
from analysis.briefs.chapters import closing, grid, history, volume
from analysis.briefs.chapters.scope import Scope, open_scope
from analysis.cases.prepare import prepare
from analysis.cases.siblings import conceal
from analysis.display.session import current, mime
from analysis.periods import Period

CITY, PERIOD = "990100", "2024-03"
MONTH = Period.parse(PERIOD)


@pytest.fixture(scope="module")
def prepared(sample: Path, tmp_path_factory) -> Path:
    """The margins of one city, as a county's brief has them."""
    folder = tmp_path_factory.mktemp("rows")
    own: set[str] = set()
    for file in sorted((sample / "cases").iterdir(), key=lambda file: file.stem != "matters"):
        if file.suffix != ".parquet":
            (folder / file.name).write_bytes(file.read_bytes())
            continue
        frame = pd.read_parquet(file)
        if "locality_code" in frame:
            frame = frame[frame["locality_code"].fillna("").str.startswith(CITY[:4])]
        elif "matter_id" in frame:
            frame = frame[frame["matter_id"].isin(own)]
        if file.stem == "matters":
            own = set(frame["matter_id"])
        frame.to_parquet(folder / file.name, index=False)
    return prepare(cases.load(str(folder)), tmp_path_factory.mktemp("prepared") / "cases")


@pytest.fixture(scope="module")
def scope(prepared: Path) -> Scope:
    return open_scope(str(prepared), PERIOD, CITY)


@pytest.fixture(scope="module")
def swap(scope: Scope) -> SimpleNamespace:
    """Two counties and two channels of which the month's four cells are not shown, one of them small."""
    release = scope.release
    (need,) = release._needs(cases.registry.indicator("pieces"), "channel", "电话")
    values, decided = release._siblings(need.table, CITY, release._month(MONTH.end))
    hidden = decided.cells[:-1, : len(need.table.parts)]
    counties, channels = release._children(CITY), list(need.table.parts)
    for one, part in np.argwhere(hidden & (values[:-1, :-1] > 0) & (values[:-1, :-1] < 4)):
        for other in range(len(counties)):
            for beside in range(len(channels)):
                four = hidden[np.ix_([one, other], [part, beside])]
                gives = min(values[one, beside], values[other, part])
                if other == one or beside == part or not four.all() or gives < 1:
                    continue
                # One that does not change which cells are chosen: what the choice itself tells is another matter.
                moved = values.copy()
                moved[[one, other], [part, beside]] += 1
                moved[[one, other], [beside, part]] -= 1
                again = conceal(moved, release.profile.is_small, release.profile.threshold)
                if (again.cells == decided.cells).all():
                    return SimpleNamespace(
                        counties=(counties[one], counties[other]),
                        channels=(channels[part], channels[beside]),
                        small=int(values[one, part]),
                    )
    raise AssertionError("no swap among the sample's channels")


@pytest.fixture(scope="module")
def altered(prepared: Path, swap: SimpleNamespace, tmp_path_factory) -> Path:
    """The same margins with one case moved round the rectangle: every total is as it was."""
    folder = tmp_path_factory.mktemp("altered")
    for file in prepared.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    frame = pd.read_parquet(folder / "margins.parquet")
    month = frame["month"] == pd.Timestamp(MONTH.start)
    changed = 0
    for county, first in zip(swap.counties, (1, -1), strict=True):
        for channel, sign in zip(swap.channels, (first, -first), strict=True):
            here = month & (frame["region"] == county)
            cell = (frame["indicator"] == "pieces") & (frame["part_of"] == channel)
            if channel == "来访":
                cell |= frame["indicator"] == "batches"
            at = frame.index[here & cell]
            assert len(at) == 1 + (channel == "来访")
            frame.loc[at, "numerator"] += sign
            changed += len(at)
    assert changed >= 4
    frame.to_parquet(folder / "margins.parquet", index=False)
    return folder


def outputs(root: Path, **parameters: Any) -> list[dict[str, Any]]:
    """All that the notebook of the monthly brief shows, which is all that is published: HTML, tables, charts, results."""
    book = nbformat.read(root / "notebooks" / "briefs" / "monthly.ipynb", as_version=4)
    names: dict[str, Any] = {}
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        exec(cell.source, names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= parameters
    bundles = [bundle for bundle in display.recorded() if mime("certificate") not in bundle]
    assert len(bundles) > 40
    results = {name: vars(item) for name, item in current().results.items()}
    return json.loads(json.dumps([*bundles, results], default=str))


def test_the_brief_is_the_same_whatever_the_hidden_cells_hold(root, prepared, altered, swap):
    first, second = (
        outputs(root, cases=str(folder), region=swap.counties[0], period=PERIOD)
        for folder in (prepared, altered)
    )
    assert first == second


def test_the_same_change_is_seen_where_nothing_is_withheld(root, prepared, altered, swap):
    first, second = (
        outputs(root, cases=str(folder), region=swap.counties[0], period=PERIOD, audience=None)
        for folder in (prepared, altered)
    )
    assert first != second


@pytest.fixture(scope="module")
def shared(root: Path, prepared: Path, swap: SimpleNamespace) -> dict[str, pd.DataFrame]:
    """The tables of a county's brief."""
    outputs(root, cases=str(prepared), region=swap.counties[0], period=PERIOD)
    return {
        part["name"]: pd.DataFrame(part["rows"], columns=[column["label"] for column in part["columns"]])
        for part in display.recorded("table")
    }


def test_totals_give_no_hidden_part_back(shared):
    for name in ("channels", "first-or-repeat", "topics"):
        counts = shared[name].iloc[:, 1]
        assert not counts.dropna().between(1, 4).any(), name
        assert counts.isna().sum() != 1, name
    counts = shared["places"]["信访件数"]
    assert not counts.dropna().between(1, 4).any()
    assert shared["channels"]["本期"].isna().sum() >= 2


def test_a_year_to_date_is_not_shown_where_one_of_its_months_is_not(shared):
    split = shared["channels"]
    hidden = split["本期"].isna()
    assert hidden.any()
    assert split.loc[hidden, ["占比", "同比", "环比", "本年累计"]].isna().all(axis=None)


def test_topics_of_a_county_stand_over_twelve_months(shared):
    assert list(shared["topics"].columns[:2]) == ["问题类别", "近十二个月"]
    assert "topics-watch" not in shared


def test_points_of_charts_pass_the_gate(scope, swap):
    own = replace(scope, region=regions.load().get(swap.counties[0]))
    months = volume.history_of_parts(own, "pieces", "channel")
    parts = [column for column in months if column not in ("月份", "其他")]
    assert not ((months[parts] > 0) & (months[parts] < 5)).any(axis=None)
    line = history.shown(own, "over_level")
    assert not ((line > 0) & (line < 5)).any()


def test_certificate_of_all_that_was_asked(scope):
    release = scope.release
    scope.gated(scope.table)
    made = release.certificate()
    assert made["passed"]
    assert made["audited"] > 50
    assert made["tables"] > 100
    assert re.fullmatch(r"[0-9a-f]{64}", made["cells_sha256"])


def test_what_the_last_brief_printed_and_today_would_be_withheld_is_certified(prepared, swap, tmp_path):
    """A county's channels of the month before, all printed then; by the data of today some may not be."""
    county = swap.counties[0]
    now = open_scope(str(prepared), str(MONTH.shift(1)), county)
    own = open_scope(str(prepared), PERIOD, county)
    channels = [
        f"信访件数·{channel}" for channel in own.table.query("variant == 'channel'")["part_of"].unique()
    ]
    hidden = [
        name
        for name in channels
        if not own.result("pieces", variant="channel", part_of=name.split("·")[1]).value
    ]
    assert f"信访件数·{swap.channels[0]}" in hidden
    items = [{"name": name, "value": 9, "text": "9件"} for name in ["信访件数", *channels, "别的结果"]]
    last = tmp_path / "results.json"
    last.write_text(
        json.dumps({"results": [*items, {"name": "人次", "value": None, "text": "—"}]}), encoding="utf-8"
    )
    display.use()
    closing.changes(now, str(last))
    (made,) = display.recorded("certificate")
    assert made["period"] == PERIOD
    assert made["printed"] == 1 + len(channels)
    assert made["results"] == sorted(hidden)
    assert made["withheld_now"] == len(hidden) > 0
    display.use()
    closing.changes(replace(now, audience=None), str(last))
    assert not display.recorded("certificate")


def test_limits_past_the_published_holidays_are_marked_provisional(scope):
    assert grid.provisional(scope, ["objection"]) == ""
    later = replace(scope, period=Period.parse("2099-03"))
    assert "暂定" in grid.provisional(later, ["objection"])
    assert grid.provisional(later, ["pieces", "on_time"]) == ""


def test_a_year_that_the_data_do_not_hold_is_not_shown(scope):
    release = scope.release
    assert release.shows_year("pieces", "topic", "城乡建设", CITY, dt.date(2024, 3, 31))
