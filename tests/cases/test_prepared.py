"""Prepared data: the same indicators as from the rows, whole and cut; what needs rows is refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest

from analysis import cases
from analysis.briefs import inputs
from analysis.cases import emerging, integrity, prepare, prepared, stages
from analysis.cases.reject import bounds
from analysis.errors import InputError


@pytest.fixture(scope="module")
def rows(sample: Path) -> cases.Cases:
    return cases.load(sample / "cases")


@pytest.fixture(scope="module")
def folder(rows: cases.Cases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare.prepare(rows, tmp_path_factory.mktemp("prepared") / "whole")


def city(folder: Path, out: Path) -> Path:
    """The slice that a run of one city is given."""
    pairs = {name: ((column, "9901"),) for name, column in prepared.REGION.items()}
    whole = inputs.Source("cases", "cases", str(folder), pairs, {})
    inputs.link(whole, out)
    return out / whole.parameter


@pytest.mark.parametrize(("region", "by"), [("990000", None), ("990000", "region"), ("990102", None)])
def test_the_same_indicators_as_from_the_rows(
    rows: cases.Cases, folder: Path, region: str, by: str | None
) -> None:
    ready = cases.load(folder)
    expected = cases.indicators(rows, "2024-03", region, by=by)
    pd.testing.assert_frame_equal(cases.indicators(ready, "2024-03", region, by=by), expected)
    assert ready.extent == rows.extent
    assert ready.systems == rows.systems
    assert ready.simulated


def test_the_same_rejects_and_bounds(rows: cases.Cases, folder: Path) -> None:
    ready = cases.load(folder)
    expected = cases.check(rows)
    found = cases.check(ready)
    assert found.attrs["counts"] == expected.attrs["counts"]
    assert found.astype(str).to_numpy().tolist() == expected.astype(str).to_numpy().tolist()
    pd.testing.assert_frame_equal(bounds(ready), bounds(rows))


def test_the_same_topics_and_stages(rows: cases.Cases, folder: Path, tmp_path: Path) -> None:
    ready = cases.load(folder)
    part = cases.load(city(folder, tmp_path))
    for source, region in ((ready, "990000"), (ready, "990102"), (part, "990102")):
        for verb in (emerging.emerging, stages.times, stages.closure):
            arguments = {"period": "2024Q1", "region": region}
            pd.testing.assert_frame_equal(verb(source, **arguments), verb(rows, **arguments))


def test_the_same_integrity_checks(rows: cases.Cases, folder: Path, tmp_path: Path) -> None:
    part = cases.load(city(folder, tmp_path))
    year = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
    for region in ("990102", "990100"):
        expected = integrity.checks(rows, *year, region=region, among="990100")
        pd.testing.assert_frame_equal(integrity.checks(part, *year, region=region, among="990100"), expected)


def test_a_cut_holds_the_rows_of_its_region_only(rows: cases.Cases, folder: Path, tmp_path: Path) -> None:
    part = cases.load(city(folder, tmp_path))
    pd.testing.assert_frame_equal(
        cases.indicators(part, "2024-03", "990102"), cases.indicators(rows, "2024-03", "990102")
    )
    table = cases.check(part)
    assert table["region_code"].str.startswith("9901").all()
    assert 0 < len(table) < len(cases.check(rows))


def test_the_same_bytes_again(sample: Path, folder: Path, tmp_path: Path) -> None:
    fresh = cases.load(sample / "cases")
    fresh.con.raw_sql("SET threads = 1")  # groups come in another order than by several
    again = prepare.prepare(fresh, tmp_path / "again")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        file.name: file.read_bytes() for file in again.iterdir()
    }


def test_one_countys_new_rows_move_none_of_anothers(sample: Path, folder: Path, tmp_path: Path) -> None:
    """A new topic and a reject of a rule that nothing broke before: both come before others' rows in print."""
    own = tmp_path / "rows"
    own.mkdir()
    for file in (sample / "cases").iterdir():
        (own / file.name).symlink_to(file)
    matters = pd.read_parquet(sample / "cases" / "matters.parquet")
    fresh = matters.index[matters["locality_code"] == "990102"][0]
    matters.loc[fresh, "topic_1"] = "乙一"  # sorts before the known ones
    matters.loc[fresh, "replied_at"] = matters.loc[fresh, "registered_at"] - pd.Timedelta(days=400)
    (own / "matters.parquet").unlink()
    matters.to_parquet(own / "matters.parquet")
    changed = prepare.prepare(cases.load(own), tmp_path / "prepared")
    differ = 0
    for name, column in prepared.REGION.items():
        before, after = (pd.read_parquet(place / f"{name}.parquet") for place in (folder, changed))
        differ += not before.equals(after)
        others = [table[table[column] != "990102"].reset_index(drop=True) for table in (before, after)]
        pd.testing.assert_frame_equal(*others)
    assert differ > 2


def test_what_needs_rows_is_refused(folder: Path) -> None:
    ready = cases.load(folder)
    with pytest.raises(InputError, match="responsible_body"):
        cases.indicators(ready, "2024-03", by="responsible_body")
    with pytest.raises(InputError, match="截止时间"):
        cases.indicators(ready, "2023-03", as_of="2023-12-31")


def test_torn_or_foreign_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "prepared.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="损坏"):
        cases.load(tmp_path)
    (tmp_path / "prepared.json").write_text(json.dumps({"format": 99}), encoding="utf-8")
    with pytest.raises(InputError, match="格式"):
        cases.load(tmp_path)


def test_beside_the_rows_the_margins_answer_and_the_rows_the_rest(
    rows: cases.Cases, folder: Path, sample: Path, tmp_path: Path
) -> None:
    both = tmp_path / "cases"
    both.mkdir()
    for file in (sample / "cases").iterdir():
        (both / file.name).symlink_to(file)
    (both / "prepared").symlink_to(folder)
    tables = cases.load(both)
    pd.testing.assert_frame_equal(
        cases.indicators(tables, "2024-03", "990102"), cases.indicators(rows, "2024-03", "990102")
    )
    table = cases.indicators(tables, "2024-03", by="responsible_body", only=["pieces", "resolved"])
    assert table["group"].notna().any()
