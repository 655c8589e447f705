"""The store: the same as reading, bit by bit, after changes and after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from analysis import corpus
from analysis.corpus import store
from analysis.errors import InputError, RequestError


def text(n: int) -> str:
    return f"第{n}次会议召开\n\n1月{n + 1}日，第{n}次会议召开，部署第{n}项工作。会议指出，要抓好第{n}项源头治理，件件有着落。\n"


@pytest.fixture
def folder(tmp_path):
    src = tmp_path / "src"
    src.mkdir()
    for n in range(5):
        (src / f"{n}.txt").write_text(text(n), encoding="utf-8")
    (src / "表.md").write_text(
        "统计表\n\n情况如下。\n\n| 单位 | 件数 |\n| 甲镇 | 5 |\n| 乙镇 | 6 |\n\n以上是统计。\n",
        encoding="utf-8",
    )
    (src / "empty.txt").write_text("")
    return src


def same(stored, src) -> None:
    memory = corpus.read(src)
    for name in ("documents", "sentences", "tables", "rejects"):
        want = getattr(memory, name)
        got = getattr(stored, name)
        by = [c for c in ("source", "doc_id", "position", "sentence", "row", "column") if c in want]
        order = [frame.sort_values(by, ignore_index=True) for frame in (got, want)]
        pd.testing.assert_frame_equal(*order)
    assert set(stored.traces) == set(memory.traces)
    assert all(stored.traces[key] == trace for key, trace in memory.traces.items())


def test_a_store_holds_what_reading_gives(folder, tmp_path):
    out = corpus.build(folder, tmp_path / "out")
    stored = corpus.open_store(out)
    same(stored, folder)
    (doc_id,) = stored.documents.loc[stored.documents["source"] == "3.txt", "doc_id"]
    span = stored.locate(doc_id, 0, 4)
    assert text(3)[span.start : span.end] == "1月4日"
    assert "documents" not in vars(corpus.open_store(out))  # nothing is loaded before it is asked for


def test_unchanged_files_are_not_read_again(folder, tmp_path, monkeypatch):
    out = corpus.build(folder, tmp_path / "out")
    read = []
    corpus.build(folder, out, progress=lambda done, total, name: read.append(name))
    assert read == []
    (folder / "2.txt").write_text(text(22), encoding="utf-8")
    (folder / "9.txt").write_text(text(9), encoding="utf-8")
    (folder / "0.txt").unlink()
    corpus.build(folder, out, progress=lambda done, total, name: read.append((done, total, name)))
    assert read == [(6, 7, "2.txt"), (7, 7, "9.txt")]
    same(corpus.open_store(out), folder)


def test_shards_that_hold_nothing_go(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SHARD", 1)
    out = corpus.build(folder, tmp_path / "out")
    before = len(list((out / "shards").iterdir()))
    for n in range(4):
        (folder / f"{n}.txt").unlink()
    corpus.build(folder, out)
    assert len(list((out / "shards").iterdir())) == before - 4
    same(corpus.open_store(out), folder)


def test_other_rules_read_all_anew(folder, tmp_path):
    out = corpus.build(folder, tmp_path / "out")
    sidecar = tmp_path / "s.yml"
    sidecar.write_text("defaults: {genre: 通报}", encoding="utf-8")
    corpus.build(folder, out, sidecar=sidecar)
    assert set(corpus.open_store(out).documents["genre"]) == {"通报"}


def test_copies_are_read_once_and_come_back_when_the_first_goes(folder, tmp_path):
    (folder / "copy.txt").write_text(text(1), encoding="utf-8")
    out = corpus.build(folder, tmp_path / "out")
    same(corpus.open_store(out), folder)
    (folder / "1.txt").unlink()
    corpus.build(folder, out)
    same(corpus.open_store(out), folder)
    assert "copy.txt" in set(corpus.open_store(out).documents["source"])


def test_a_build_that_was_killed_goes_on(folder, tmp_path):
    for n in range(10, 60):
        (folder / f"{n}.txt").write_text(text(n) * 3, encoding="utf-8")
    out = tmp_path / "out"
    program = (
        "import sys\nfrom analysis import corpus\nfrom analysis.corpus import store\n"
        "store.SHARD = 1500\ncorpus.build(sys.argv[1], sys.argv[2])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, folder, out])
    journal = out / "files.jsonl"
    until = time.monotonic() + 30
    while time.monotonic() < until and not (
        journal.exists() and journal.read_text(encoding="utf-8").count("\n") >= 4
    ):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with journal.open("a", encoding="utf-8") as file:
        file.write('{"source": "cut o')  # as a kill may leave it
    (out / "shards" / ".000099-1").mkdir()
    held = {json.loads(line)["source"] for line in journal.read_text(encoding="utf-8").splitlines()[:-1]}
    read: list[str] = []
    corpus.build(folder, out, progress=lambda done, total, name: read.append(name))
    assert held
    assert not held & set(read)
    same(corpus.open_store(out), folder)


def test_a_folder_of_something_else_is_not_touched(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("重要")
    with pytest.raises(InputError, match="别的东西"):
        corpus.build(folder, other)
    with pytest.raises(RequestError, match="文件夹"):
        corpus.build(folder, other / "thesis.txt")
    assert [p.name for p in other.iterdir()] == ["thesis.txt"]


def test_no_store_here(tmp_path):
    with pytest.raises(InputError, match="没有语料库"):
        corpus.open_store(tmp_path)


def test_an_empty_source_makes_an_empty_store(tmp_path):
    (tmp_path / "src").mkdir()
    stored = corpus.open_store(corpus.build(tmp_path / "src", tmp_path / "out"))
    assert len(stored.documents) == len(stored.sentences) == len(stored.traces) == 0


def test_two_builds_give_the_same_bytes(folder, tmp_path):
    outs = [corpus.build(folder, tmp_path / name) for name in ("a", "b")]
    files = [{p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()} for out in outs]
    assert files[0] == files[1]
