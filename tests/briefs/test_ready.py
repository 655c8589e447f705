"""Prepared inputs: made once for a content, cut for counties, beside the rows for a province, left alone when they cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.briefs.inputs import Digests, Source, link
from analysis.briefs.ready import place, ready

TEXTS = {
    "甲.txt": "全市信访工作会议召开\n会议强调，要依法按程序办理群众诉求。\n",
    "乙.txt": "某县工作方案\n建立预登记制度。\n",
}


@pytest.fixture
def corpus(tmp_path: Path) -> Source:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Source("corpus", "corpus", str(folder), {}, {})


def digests(tmp_path: Path) -> Digests:
    return Digests(tmp_path / "site" / ".policy-brief" / "digests.json")


def prepared(source: Source, memory: Digests) -> Source:
    return ready(source, place(source, memory))


def test_slices_by_another_column_are_not_shared(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    rows = pd.DataFrame({"home": ["990102", "990202"], "office": ["990202", "990102"], "n": [1, 2]})
    rows.to_parquet(made / "flows.parquet")
    whole = Source("cases", "cases", str(made), {}, {}, origin=Source("cases", "cases", "rows", {}, {}))
    for column, expected in (("home", [1]), ("office", [2])):
        cut = replace(whole, prefixes={"flows": ((column, "990102"),)})
        link(cut, tmp_path / column)
        found = tmp_path / column / cut.parameter / "flows.parquet"
        assert found.is_symlink()  # prepared data are cut once for all runs that see the same
        assert pd.read_parquet(found)["n"].tolist() == expected


def test_a_corpus_is_cleaned_once_for_its_content(corpus: Source, tmp_path: Path) -> None:
    first = prepared(corpus, digests(tmp_path))
    assert first.location == corpus.location
    assert first.served is not None
    stamp = Path(first.served) / "corpus.json"
    before = stamp.stat().st_mtime_ns
    assert prepared(corpus, digests(tmp_path)).served == first.served
    assert stamp.stat().st_mtime_ns == before
    (Path(corpus.location) / "丙.txt").write_text("又一篇。\n", encoding="utf-8")
    assert prepared(corpus, digests(tmp_path)).served != first.served


def test_a_run_reads_the_cleaned_form_under_the_same_name(corpus: Source, tmp_path: Path) -> None:
    from analysis import corpus as corpora

    work = tmp_path / "work"
    link(prepared(corpus, digests(tmp_path)), work)
    stored = corpora.open_store(work / "inputs" / "corpus")
    assert set(stored.documents["source"]) == set(TEXTS)


def test_what_cannot_be_prepared_is_left_as_it_is(tmp_path: Path) -> None:
    empty = tmp_path / "cases"
    empty.mkdir()
    (empty / "readme.txt").write_text("没有表", encoding="utf-8")
    source = Source("cases", "cases", str(empty), {}, {})
    assert prepared(source, digests(tmp_path)) == source
    assert not list((tmp_path / "site-prepared").glob("*.part"))
    database = Source("cases", "cases", "postgresql://host/db", {}, {})
    assert prepared(database, digests(tmp_path)) == database


def test_case_tables_become_margins_and_keep_their_origin(sample: Path, tmp_path: Path) -> None:
    source = Source("cases", "cases", str(sample / "cases"), {}, {})
    memory = digests(tmp_path)
    made = prepared(source, memory)
    assert made.origin == source
    assert json.loads((Path(made.location) / "prepared.json").read_text(encoding="utf-8"))["systems"]
    record = memory.of_source(made)
    assert "matters.parquet" in record["prepared_from"]["files"]
    assert "margins.parquet" in record["files"]
    # Beside the rows, as a province's run gets it.
    work = tmp_path / "work"
    link(Source("cases", "cases", source.location, {}, {}, served=made.location), work)
    assert (work / "inputs" / "cases" / "matters.parquet").is_symlink()
    assert (work / "inputs" / "cases" / "prepared" / "prepared.json").is_file()
