"""``policy-brief text code|kwic|keyness|phrases|sheet|agree``: records with their places, and plain refusals."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis import corpus
from analysis.cli.app import app
from analysis.errors import CodebookError, InputError, MethodError, RequestError
from analysis.text import Codebook, doubts

NEWS = """云溪市部署信访工作

本报讯 3月5日,云溪市召开信访工作会议。会议强调,要坚持村调、企调、校调“三域联调”,把纠纷化解在村口。
窗口当天登记,转给责任单位。天气晴好。
"""
PLAN = """青石县工作要点

要健全阳光晒单机制,推行“阳光晒单”。各乡镇每月督查一次,对敷衍应付的单位进行约谈。
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(NEWS, encoding="utf-8")
    (tmp_path / "b.txt").write_text(PLAN, encoding="utf-8")
    return tmp_path


def output(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["text", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def records(*arguments: str) -> list[dict]:
    return [json.loads(line) for line in output(*arguments).splitlines()]


def place(folder: Path, record: dict) -> str:
    return (folder / record["source"]).read_text(encoding="utf-8")[record["start"] : record["end"]]


def test_code_gives_every_sentence_its_line(folder: Path) -> None:
    lines = records("code", str(folder), "--frame", "five_part", "--format", "jsonl")
    by_text = {line["sentence"]: line for line in lines}
    assert any("天气晴好" in text and not line["labels"] for text, line in by_text.items())
    labels = {label for line in lines for label in line["labels"]}
    assert {"受理", "办理", "监督追责"} <= labels
    for line in lines:
        assert list(line)[:3] == ["source", "start", "end"]
        assert len(line["labels"]) == len(line["rules"]) == len(line["evidence"]) == len(line["confidence"])
        assert "权重" in line["version"]
        assert place(folder, line).replace(",", "，") == line["sentence"].replace(",", "，")
        assert all(word in line["sentence"] for words in line["evidence"] for word in words)


def test_code_by_rules_alone(folder: Path) -> None:
    alone = records("code", str(folder), "--rules-only")
    assert {rule for line in alone for rule in line["rules"] if "votes" in rule} == set()
    assert {line["version"] for line in alone} == {Codebook.load("five_part").version}


def test_a_sheet_of_the_doubtful(tmp_path: Path) -> None:
    """Only sentences whose votes are divided; none in a text that has nothing to do with the field."""
    sheet = tmp_path / "存疑.csv"
    samples = Path(__file__).parents[2] / "data" / "sample" / "documents"
    output("sheet", str(samples), "--out", str(sheet), "--n", "500", "--doubtful")
    read = corpus.read(samples)
    wanted = doubts(read.documents, read.sentences)
    rows = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    assert {row["编号"] for row in rows} == {
        f"{doc_id}:{number}" for doc_id, number in zip(wanted["doc_id"], wanted["sentence"], strict=True)
    }
    assert 0 < len(rows) < len(read.sentences)
    (tmp_path / "a.txt").write_text("新食堂开张\n\n新食堂下周一开张。菜价不变。\n", encoding="utf-8")
    with pytest.raises(MethodError, match="没有存疑的句子"):
        output("sheet", str(tmp_path / "a.txt"), "--out", str(sheet), "--doubtful")


def test_kwic_points_into_the_file(folder: Path) -> None:
    (hit,) = records("kwic", str(folder), "三域联调")
    assert place(folder, hit) == hit["text"] == "三域联调"
    assert hit["left"].endswith("“")
    assert hit["right"].startswith("”")


def test_kwic_by_a_lexicon_takes_words(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    words = tmp_path_factory.mktemp("words") / "词表.txt"
    words.write_text("登记\n晒单机制\n", encoding="utf-8")
    assert {hit["text"] for hit in records("kwic", str(folder), str(words), "--lexicon")} == {
        "登记",
        "晒单机制",
    }
    words.write_bytes("登记".encode("gbk"))
    result = CliRunner().invoke(app, ["text", "kwic", str(folder), str(words), "--lexicon"])
    assert isinstance(result.exception, CodebookError)
    assert "UTF-8" in str(result.exception)


def test_genres_without_commitments_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "图片新闻\n\n3月5日，工作人员在青石县来访接待大厅为群众办理登记。（张三 摄）", encoding="utf-8"
    )
    result = CliRunner().invoke(app, ["text", "commitments", str(tmp_path)], catch_exceptions=False)
    assert result.stdout == ""
    assert "图片新闻 1 篇" in result.stderr


def test_phrases_with_their_parts(folder: Path) -> None:
    lines = records("phrases", str(folder))
    assert all(place(folder, line) == line["text"] for line in lines)
    found = {line["phrase"]: line for line in lines}
    assert found["三域联调"]["parts"] == ["村调", "企调", "校调"]
    ledger = {line["phrase"]: line for line in records("phrases", str(folder), "--ledger")}
    assert ledger["阳光晒单"]["uses"] == 2
    assert place(folder, ledger["阳光晒单"]).startswith("阳光晒单")
    assert ledger["阳光晒单"]["variants"] == ["阳光晒单机制"]


def test_what_is_reported_done_has_its_place_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "安平市2023年信访工作要点\n\n发布时间:2023-03-01\n一、下步工作安排\n由市信访局牵头建立预登记平台。\n",
        encoding="utf-8",
    )
    (tmp_path / "b.txt").write_text(
        "安平市信访工作情况\n\n发布时间:2024-01-20\n一年来,市信访局牵头建立的预登记平台已建成投用。其他事项平稳。\n",
        encoding="utf-8",
    )
    (line,) = (one for one in records("commitments", str(tmp_path), "--fulfilled") if one["done_text"])
    assert line["done_source"] == "b.txt"
    done = {"source": line["done_source"], "start": line["done_start"], "end": line["done_end"]}
    assert place(tmp_path, done).replace(",", "，").strip() == line["done_text"].strip()
    unmatched = records("commitments", str(tmp_path / "a.txt"), "--fulfilled")
    assert [(one["done_source"], one["done_start"]) for one in unmatched] == [(None, None)]


def test_keyness_gives_a_place_for_each_term(folder: Path) -> None:
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    (folder / "one" / "a.txt").write_text("题目\n\n" + "各村登记来信,登记来访。" * 5, encoding="utf-8")
    (folder / "two" / "b.txt").write_text("题目\n\n" + "各村督查考核,督查通报。" * 5, encoding="utf-8")
    lines = records("keyness", str(folder / "one"), str(folder / "two"), "--top", "3")
    more = {line["term"]: line for line in lines if line["direction"] == "更多"}
    assert more["登记"]["source"] == "a.txt"
    assert {line["correction"] for line in lines} == {"holm"}
    assert all("只有一篇" in line["note"] for line in lines)
    assert (folder / "one" / "a.txt").read_text(encoding="utf-8")[more["登记"]["start"] :].startswith("登记")


def test_csv(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(output("code", str(folder), "--format", "csv"))))
    assert rows[0]["source"] == "a.txt"
    assert json.loads(rows[0]["labels"]) == [] or json.loads(rows[0]["labels"])


def test_a_blind_sheet_out_and_in(folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "编码员甲.csv"
    assert output("sheet", str(folder), "--out", str(sheet), "--n", "5").strip() == str(sheet)
    other = tmp_path / "编码员乙.csv"
    other.write_bytes(sheet.read_bytes())
    table = records("agree", str(sheet), str(other))
    assert {line["value"] for line in table} == {1.0}
    with_rules = records("agree", str(sheet), "--corpus", str(folder))
    assert {line["coders"] for line in with_rules} == {2}


def test_extract_writes_parquet_with_places(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    import pandas as pd

    out = tmp_path_factory.mktemp("found")
    result = CliRunner().invoke(
        app, ["text", "extract", str(folder), "--out", str(out)], catch_exceptions=False
    )
    assert result.stdout.splitlines() == [str(out / verb) for verb in ("codes", "citations", "commitments")]
    assert "[2/2]" in result.stderr
    codes = pd.read_parquet(out / "codes")
    assert f"codes {len(codes)} 行" in result.stderr
    lines = [line for line in records("code", str(folder)) if line["labels"]]
    assert {(row.source, row.source_start) for row in codes.itertuples()} == {
        (line["source"], line["start"]) for line in lines
    }
    only = output("extract", str(folder), "--out", str(out), "--verbs", "commitments，citations")
    assert only.splitlines() == [str(out / "commitments"), str(out / "citations")]


def test_a_corpus_on_disk_is_read_like_its_files(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from analysis import corpus

    held = str(corpus.build(folder, tmp_path_factory.mktemp("store")))
    for verb in ("code", "phrases", "commitments"):
        assert records(verb, held) == records(verb, str(folder))
    assert output("kwic", held, "三域联调") == output("kwic", str(folder), "三域联调")


def test_files_that_are_not_taken_are_named(folder: Path) -> None:
    (folder / "c.txt").write_text("", encoding="utf-8")
    (folder / "d.txt").write_text(NEWS, encoding="utf-8")
    result = CliRunner().invoke(app, ["text", "kwic", str(folder), "三域联调"])
    assert "拒收 c.txt：空文件" in result.stderr
    assert "提示 d.txt：相同文件" in result.stderr
    for number in range(20):
        (folder / f"e{number}.json").write_text(f"[{number}]", encoding="utf-8")
    result = CliRunner().invoke(app, ["text", "kwic", str(folder), "三域联调"])
    assert result.stderr.count("拒收 ") == 10
    assert "共 22 条" in result.stderr


def test_a_frame_for_other_genres_says_so(folder: Path) -> None:
    result = CliRunner().invoke(app, ["text", "code", str(folder), "--frame", "instruments"])
    assert "1 篇不是（会议报道）" in result.stderr
    assert "只用于" not in CliRunner().invoke(app, ["text", "code", str(folder)]).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("code",), "没有一句编到"),
        (("kwic", "火星"), "没有找到"),
        (("phrases",), "没有找到提法"),
        (("phrases", "--discover"), "语料太小"),
        (("cite",), "没有找到引用"),
        (("commitments",), "没有找到承诺"),
        (("reuse",), "只有一篇"),
    ],
)
def test_nothing_to_say_about_one_short_document_is_said(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "a.txt").write_text("天气晴好。", encoding="utf-8")
    verb, *rest = arguments
    result = CliRunner().invoke(app, ["text", verb, str(tmp_path), *rest])
    assert result.exit_code == 0, result.output
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("code", "{folder}/none"), InputError, "none"),
        (("code", "{folder}", "--frame", "no_frame"), CodebookError, "no_frame"),
        (("code", "{folder}", "--format", "xml"), RequestError, "xml"),
        (("kwic", "{folder}", "("), RequestError, "正则"),
        (("kwic", "{folder}", "村", "--sort", "up"), RequestError, "排序"),
        (("keyness", "{folder}/a.txt", "{folder}/b.txt", "--correction", "luck"), RequestError, "luck"),
        (("kwic", "{folder}", "{folder}", "--lexicon"), CodebookError, "文件夹"),
        (("extract", "{folder}", "--out", "{folder}"), InputError, "别的东西"),
        (("extract", "{folder}", "--out", "{folder}/new", "--verbs", "luck"), RequestError, "luck"),
        (("agree", "{folder}/a.csv"), InputError, "找不到"),
    ],
)
def test_wrong_requests_are_one_sentence(
    folder: Path, arguments: tuple[str, ...], error: type, said: str
) -> None:
    result = CliRunner().invoke(app, ["text", *(each.format(folder=folder) for each in arguments)])
    assert isinstance(result.exception, error)
    assert said in str(result.exception)


@pytest.mark.parametrize(
    "arguments", [("code",), ("kwic", "信"), ("phrases",), ("cite",), ("commitments",), ("reuse",)]
)
def test_empty_bodies_are_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    (tmp_path / "blank.txt").write_text("。\n\n，，\n", encoding="utf-8")
    verb, *rest = arguments
    result = CliRunner().invoke(app, ["text", verb, str(tmp_path), *rest])
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "没有可分析的正文" in result.stderr
    assert "空文件" in result.stderr
