"""The three verbs on files of one's own."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from analysis import corpus
from analysis.cli.facts import app
from analysis.errors import InputError, RequestError

BODY = (
    "2024年5月，全市12345热线共受理诉求1000件，环比增长25%。其中，咨询类600件，占60%；求助类300件，占30%；其他类120件，占10%。\n"
    * 1
)


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "一期.txt"
    file.write_text(
        "某市12345热线2024年5月运行通报\n" + BODY + "本月召开调度会3次，推送工单1.2.3件。\n", encoding="utf-8"
    )
    return file


def _run(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result


def test_extract(source):
    result = _run("extract", source)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    first = rows[0]
    assert (first["value"], first["unit"], first["period_start"], first["period_end"]) == (
        1000,
        "件",
        "2024-05-01",
        "2024-05-31",
    )
    assert "小数点" in result.stderr
    text = source.read_text(encoding="utf-8")
    for row in rows:
        assert text[row["source_start"] : row["source_end"]].replace(" ", "") == row["text"]


def test_audit_cites_places_in_the_source(source):
    result = _run("audit", source)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    wrong = [row for row in rows if not row["holds"] and row["type"] == "sum" and row["total"] == 1000]
    assert wrong
    assert "1020件" in wrong[0]["message"]
    span = wrong[0]["spans"][0]
    assert source.read_text(encoding="utf-8")[span["source_start"] : span["source_end"]] == span["text"]
    assert "不符" in result.stderr


def test_series_as_csv(source):
    result = _run("series", source, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {"首期"} == {row["status"] for row in rows}
    assert any(row["indicator"] == "受理量" and float(row["value"]) == 1000 for row in rows)


def test_series_point_into_the_source(source):
    rows = [json.loads(line) for line in _run("series", source).stdout.splitlines()]
    text = source.read_text(encoding="utf-8")
    assert rows
    for row in rows:
        assert text[row["source_start"] : row["source_end"]] == row["text"]


def test_cells_of_tables_have_both_ends_of_their_place(tmp_path):
    file = tmp_path / "表.md"
    file.write_text(
        "某市2024年5月办理情况\n\n本月各县区办理来信情况如下。\n\n| 县区 | 件数 | 办理中 | 已办结 |\n|---|---|---|---|\n"
        "| 甲县 | 10 | 3 | 7 |\n| 乙县 | 20 | 4 | 15 |\n| 丙县 | 8 | 4 | 4 |\n",
        encoding="utf-8",
    )
    text = file.read_text(encoding="utf-8")
    rows = [json.loads(line) for line in _run("audit", file).stdout.splitlines()]
    spans = [span for row in rows for span in row["spans"]]
    assert spans
    for span in spans:
        assert text[span["source_start"] : span["source_end"]].strip() == span["text"].split()[-1]


@pytest.mark.parametrize("verb", ["extract", "audit", "series"])
def test_a_corpus_on_disk_is_read_like_its_files(source, tmp_path_factory, verb):
    held = corpus.build(source.parent, tmp_path_factory.mktemp("store"))
    assert _run(verb, held).stdout == _run(verb, source.parent).stdout != ""


@pytest.mark.parametrize("verb", ["extract", "audit", "series"])
def test_files_that_are_not_taken_are_named(source, verb):
    (source.parent / "空.txt").write_text("", encoding="utf-8")
    (source.parent / "坏.docx").write_bytes(b"no zip")
    told = _run(verb, source.parent).stderr
    assert "拒收 空.txt：空文件" in told
    assert "拒收 坏.docx" in told


@pytest.mark.parametrize(
    ("verb", "said"), [("extract", "没有找到统计数"), ("audit", "互相核对"), ("series", "可成序列")]
)
def test_nothing_found_is_said_and_a_table_keeps_its_head(tmp_path, verb, said):
    (tmp_path / "a.txt").write_text("天气晴好。\n", encoding="utf-8")
    result = _run(verb, tmp_path, "--format", "csv")
    assert said in result.stderr
    (head,) = csv.reader(io.StringIO(result.stdout))
    assert {"source", "doc_id"} <= set(head)


def test_lists_in_csv_are_json(source):
    rows = list(csv.DictReader(io.StringIO(_run("audit", source, "--format", "csv").stdout)))
    assert all(json.loads(row["spans"])[0]["text"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("{folder}", "--format", "table"), RequestError, "可用：jsonl、csv"),
        (("{folder}/none",), InputError, "none"),
        (("{folder}", "{store}"), RequestError, "单独给出"),
    ],
)
def test_wrong_requests_are_one_chinese_sentence(source, tmp_path_factory, arguments, error, said):
    store = corpus.build(source.parent, tmp_path_factory.mktemp("store"))
    given = [one.format(folder=source.parent, store=store) for one in arguments]
    result = CliRunner().invoke(app, ["extract", *given])
    assert isinstance(result.exception, error)
    assert said in str(result.exception)
