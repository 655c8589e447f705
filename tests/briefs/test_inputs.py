from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pandas as pd
import pytest

from analysis.briefs import inputs
from analysis.briefs.definitions import Definition, Slice
from analysis.briefs.inputs import Digests
from analysis.errors import InputError

ROWS = [
    ("m1", "990102", "甲"),
    ("m2", "990103", "乙"),
    ("m3", "990202", "丙"),
    ("m4", "990102", "丁"),
]
PIECES = [("p1", "m1"), ("p2", "m1"), ("p3", "m3"), ("p4", "m2")]
OWN = Slice(
    name="本地区", region="self", tables={"matters": "locality_code", "petitions": "matters.matter_id"}
)


def folder(place: Path, matters: list[tuple[str, ...]] = ROWS, form: str = "parquet") -> Path:
    place.mkdir(exist_ok=True)
    tables = {
        "matters": pd.DataFrame(matters, columns=["matter_id", "locality_code", "topic"]),
        "petitions": pd.DataFrame(PIECES, columns=["piece_id", "matter_id"]),
        "population": pd.DataFrame([("990102", 5)], columns=["region_code", "residents"]),
    }
    for name, table in tables.items():
        if form == "parquet":
            table.to_parquet(place / f"{name}.parquet")
        else:
            table.to_csv(place / f"{name}.csv", index=False)
    return place


def definition(root: Path, **cases: object) -> Definition:
    return Definition(
        id="a", title="报", notebook="a.ipynb", version="1", file=root / "a.yml", root=root,
        region={"default": "990000"}, inputs={"cases": {"path": "cases", **cases}},
    )  # fmt: skip


def source(root: Path, region: str, *slices: Slice) -> inputs.Source:
    return inputs.locate(definition(root, slices=list(slices)), {}, region)["cases"]


def test_a_missing_input_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cases"):
        inputs.locate(definition(tmp_path), {}, None)
    assert inputs.locate(definition(tmp_path, required=False), {}, None) == {}
    with pytest.raises(InputError, match="nowhere"):
        inputs.locate(definition(tmp_path, required=False), {"cases": "nowhere"}, None)


def test_a_url_is_passed_on_and_its_password_is_not_shown(tmp_path: Path) -> None:
    found = inputs.locate(definition(tmp_path), {"cases": "postgresql://me:secret@host/db"}, "990102")[
        "cases"
    ]
    assert found.parameter == "postgresql://me:secret@host/db"
    assert "secret" not in str(Digests().of_source(found))
    assert Digests().of_source(found)["sha256"] is None


def test_a_whole_input_is_linked_and_a_file_keeps_its_ending(tmp_path: Path) -> None:
    folder(tmp_path / "cases")
    it = source(tmp_path, "990102")
    inputs.link(it, tmp_path / "work")
    assert it.parameter == "inputs/cases"
    assert (tmp_path / "work/inputs/cases").is_symlink()
    (tmp_path / "facts.csv").write_text("a\n1\n")
    one = inputs.locate(definition(tmp_path), {"cases": str(tmp_path / "facts.csv")}, None)["cases"]
    assert one.parameter == "inputs/cases.csv"


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_slice_holds_exactly_the_regions_rows_and_theirs(tmp_path: Path, form: str) -> None:
    folder(tmp_path / "cases", form=form)
    inputs.link(source(tmp_path, "990102", OWN), tmp_path / "work")
    read = pd.read_parquet if form == "parquet" else pd.read_csv
    place = tmp_path / "work/inputs/cases"
    assert sorted(read(place / f"matters.{form}")["matter_id"]) == ["m1", "m4"]
    assert sorted(read(place / f"petitions.{form}")["piece_id"]) == ["p1", "p2"]
    assert (place / f"population.{form}").is_symlink()  # no slice names it: taken whole


@pytest.mark.parametrize(
    ("region", "extent", "expected"),
    [
        ("990102", "self", {"m1", "m4"}),
        ("990102", "siblings", {"m1", "m2", "m4"}),
        ("990100", "self", {"m1", "m2", "m4"}),
        ("990100", "siblings", {"m1", "m2", "m3", "m4"}),
        ("990102", "city", {"m1", "m2", "m4"}),
        ("990102", "province", {"m1", "m2", "m3", "m4"}),
        ("990000", "self", {"m1", "m2", "m3", "m4"}),
    ],
)
def test_extents(tmp_path: Path, region: str, extent: str, expected: set[str]) -> None:
    folder(tmp_path / "cases")
    part = Slice(name="片", region=extent, tables={"matters": "locality_code"})  # type: ignore[arg-type]
    inputs.link(source(tmp_path, region, part), tmp_path / "work")
    assert set(pd.read_parquet(tmp_path / "work/inputs/cases/matters.parquet")["matter_id"]) == expected


def test_the_digest_of_a_slice_changes_with_its_rows_only(tmp_path: Path) -> None:
    def digest(region: str, rows: list[tuple[str, ...]]) -> str:
        folder(tmp_path / "cases", rows)
        return str(Digests().of_source(source(tmp_path, region, OWN))["sha256"])

    before = digest("990102", ROWS)
    other = [*ROWS[:2], ("m3", "990202", "变"), ROWS[3]]
    assert digest("990102", other) == before
    assert digest("990102", ROWS[::-1]) == before  # the order of rows is no content
    assert digest("990102", [("m1", "990102", "变"), *ROWS[1:]]) != before
    assert digest("990102", [*ROWS, ("m1", "990102", "甲")]) != before  # a row twice is not a row once
    assert digest("990202", other) != digest("990202", ROWS)


def test_equal_slices_are_equal_bytes_whatever_the_order_of_rows(tmp_path: Path) -> None:
    made = []
    for k, rows in enumerate((ROWS, ROWS[::-1])):
        folder(tmp_path / "cases", rows)
        inputs.link(source(tmp_path, "990102", OWN), tmp_path / f"work{k}")
        made.append((tmp_path / f"work{k}/inputs/cases/matters.parquet").read_bytes())
    assert made[0] == made[1]


def test_rows_are_counted(tmp_path: Path) -> None:
    folder(tmp_path / "cases")
    record = Digests().of_source(source(tmp_path, "990102"))
    assert record["files"]["matters.parquet"]["rows"] == 4
    assert record["rows"] == 9
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["a"], [1], [2]])
    assert Digests().of_file(tmp_path / "t.csv")["rows"] == 2


def test_hashes_are_remembered_until_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, memory = tmp_path / "a.txt", tmp_path / "digests.json"
    file.write_text("one")
    os.utime(file, ns=(1, time.time_ns() - 10**9))
    first = Digests(memory)
    before = first.of_file(file)
    first.save()
    monkeypatch.setattr(inputs, "_sha256", lambda file: pytest.fail("read again"))
    assert Digests(memory).of_file(file) == before
    monkeypatch.undo()
    file.write_text("two")
    assert Digests(memory).of_file(file)["sha256"] != before["sha256"]


def test_a_file_written_just_now_is_not_remembered(tmp_path: Path) -> None:
    # Within one tick of the clock a second write of equal length would leave the same times.
    file = tmp_path / "a.txt"
    file.write_text("one")
    now = time.time_ns()
    os.utime(file, ns=(now, now))
    digests = Digests()
    digests.of_file(file)
    assert str(file) not in digests._known


def test_a_torn_memory_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "digests.json").write_text('{"a": ')
    (tmp_path / "a.txt").write_text("x")
    assert Digests(tmp_path / "digests.json").of_file(tmp_path / "a.txt")["bytes"] == 1


def test_a_replaced_file_is_seen(tmp_path: Path) -> None:
    folder(tmp_path / "cases")
    it = source(tmp_path, "990102")
    before = inputs.state(it)
    assert inputs.state(it) == before
    (tmp_path / "new").write_bytes((tmp_path / "cases/matters.parquet").read_bytes())
    (tmp_path / "new").replace(tmp_path / "cases/matters.parquet")
    assert inputs.state(it) != before


def test_a_slice_of_a_column_that_is_not_there_says_so(tmp_path: Path) -> None:
    folder(tmp_path / "cases")
    wrong = Slice(name="片", region="self", tables={"matters": "place"})
    with pytest.raises(InputError, match="slices"):
        Digests().of_source(source(tmp_path, "990102", wrong))
