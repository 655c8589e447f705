"""Codes, citations and commitments part by part: the same rows as of the whole, on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis import corpus, text
from analysis.corpus import store
from analysis.errors import InputError, RequestError
from analysis.text.citations import cite
from analysis.text.commitments import commitments

RULES = "示例省信访办法\n第一条 为了规范信访工作，根据《信访工作条例》，制定本办法。\n第二条 各级机关应当及时受理群众信访事项。\n"
PLAN = (
    "示例市信访局年度工作安排\n一、下步工作安排\n2024年6月底前，由示例市信访局牵头建立预登记平台。"
    "认真学习《示例省信访办法》第二条。对重复信访事项开展督查督办，压实化解责任。\n"
)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}规定.txt").write_text(
            RULES if number == 5 else f"{PLAN}第{number}号。\n", "utf-8"
        )
    return folder


def rows(table: pd.DataFrame) -> list[str]:
    """Rows as text in a fixed order, lists and NA made comparable."""
    return sorted(str([plain(value) for value in row]) for row in table.itertuples(index=False, name=None))


def plain(value: object) -> object:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if pd.isna(value) else value


@pytest.mark.parametrize("workers", [1, 2])
def test_parts_of_a_store_give_what_the_whole_gives(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(store, "SHARD", 300)
    held = corpus.open_store(corpus.build(texts, tmp_path / "store"))
    assert len(list(held.parts())) > 2
    whole = corpus.read(texts)
    found = text.extract(held, tmp_path / "out", workers=workers)
    wanted = {
        "codes": text.code(whole.documents, whole.sentences),
        "citations": cite(whole.documents),
        "commitments": commitments(whole.documents),
    }
    for verb, table in wanted.items():
        assert len(table) > 2
        written = pd.read_parquet(found[verb])
        assert rows(written[list(table.columns)]) == rows(table)
        # Each row also says where it stands in the file as received.
        for row in written.itertuples():
            file = (texts / row.source).read_text("utf-8")
            assert file[row.source_start : row.source_end] == row.text
    # A title is found wherever in the corpus it lies, not only within the part.
    rule = whole.documents.loc[whole.documents["source"] == "5规定.txt", "doc_id"].iloc[0]
    cited = pd.read_parquet(found["citations"])
    assert (cited.loc[cited["title"] == "示例省信访办法", "resolved_to"] == rule).sum() == 5
    told = json.loads((tmp_path / "out" / "extract.json").read_text("utf-8"))
    assert {verb: entry["documents"] for verb, entry in told.items()} == dict.fromkeys(wanted, 6)
    assert {verb: entry["rows"] for verb, entry in told.items()} == {
        verb: len(table) for verb, table in wanted.items()
    }
    assert told["codes"]["frame"] == "five_part"


def test_a_corpus_in_memory_and_a_second_run_of_one_verb(texts: Path, tmp_path: Path) -> None:
    whole = corpus.read(texts)
    out = tmp_path / "out"
    text.extract(whole, out)
    before = pd.read_parquet(out / "codes")
    again = text.extract(whole, out, ["citations"])
    assert set(again) == {"citations"}
    assert pd.read_parquet(out / "codes").equals(before)
    assert told_of(out)["codes"]["rows"] == len(before)


def test_each_table_keeps_what_was_said_of_it(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = corpus.read(texts)
    text.extract(first, out)
    stays = {verb: entry for verb, entry in told_of(out).items() if verb != "citations"}
    # Fewer verbs over another corpus: only their own table and entry change.
    text.extract(corpus.read(texts / "5规定.txt"), out, ["citations"])
    told = told_of(out)
    assert told["citations"]["documents"] == 1
    assert told["citations"]["rows"] == len(pd.read_parquet(out / "citations"))
    assert {verb: entry for verb, entry in told.items() if verb != "citations"} == stays
    assert stays["codes"]["documents"] == 6
    # Another frame is another entry; a table that is gone is told no more.
    shutil.rmtree(out / "commitments")
    text.extract(first, out, ["codes"], frame="directive")
    told = told_of(out)
    assert set(told) == {"codes", "citations"}
    assert told["codes"]["frame"] == "directive"
    assert told["codes"]["rows"] == len(pd.read_parquet(out / "codes"))


def told_of(out: Path) -> dict[str, dict]:
    return json.loads((out / "extract.json").read_text("utf-8"))


def test_parts_of_a_corpus_in_memory_are_whole_documents(texts: Path) -> None:
    whole = corpus.read(texts)
    parts = list(whole.parts(4))
    assert [len(part.documents) for part in parts] == [4, 2]
    assert sum(len(part.sentences) for part in parts) == len(whole.sentences)
    for part in parts:
        assert set(part.sentences["doc_id"]) <= set(part.documents["doc_id"]) == set(part.traces)
    one = text.count(part.documents for part in parts)
    other = text.count(whole.documents)
    assert one.doc_ids == other.doc_ids
    assert one.terms == other.terms
    assert (one.matrix != other.matrix).nnz == 0
    assert one.lengths.tolist() == other.lengths.tolist()


def test_a_corpus_without_documents_gives_empty_tables(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "空.txt").write_text("", "utf-8")
    held = corpus.open_store(corpus.build(tmp_path / "texts", tmp_path / "store"))
    found = text.extract(held, tmp_path / "out")
    assert all(pd.read_parquet(folder).empty for folder in found.values())


def test_progress_counts_documents(texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SHARD", 300)
    held = corpus.open_store(corpus.build(texts, tmp_path / "store"))
    told: list[tuple[int, int]] = []
    text.extract(held, tmp_path / "out", ["citations"], progress=lambda done, of: told.append((done, of)))
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == (6, 6)


def test_refusals(texts: Path, tmp_path: Path) -> None:
    whole = corpus.read(texts)
    with pytest.raises(RequestError, match="没有这种抽取"):
        text.extract(whole, tmp_path / "out", ["keyness"])
    with pytest.raises(InputError, match="别的东西"):
        text.extract(whole, texts)
    assert len(list(texts.iterdir())) == 6
