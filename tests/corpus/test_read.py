"""Reading as a whole: bad input, the origin of every character, real files, mutated files."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import docx
import opencc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.corpus.export import export
from analysis.corpus.read import parse, read, source_text
from analysis.corpus.records import DOCUMENTS, REJECTS, SENTENCES, TABLES
from analysis.corpus.source import Source
from analysis.errors import RequestError

GOOD = "全县会议召开\n\n1月16日，全县会议召开，部署工作。会议指出，要抓好源头治理，群众的事情要办好。\n"


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def test_tables_have_the_columns_of_the_contract(tmp_path):
    (tmp_path / "a.txt").write_text(GOOD, encoding="utf-8")
    corpus = read(tmp_path)
    for frame, columns in (
        (corpus.documents, DOCUMENTS),
        (corpus.sentences, SENTENCES),
        (corpus.tables, TABLES),
        (corpus.rejects, REJECTS),
    ):
        assert list(frame.columns) == list(columns)
    assert corpus.documents.loc[0, "body"].startswith("1月16日，")
    assert not corpus.documents.isin([""]).any().any()


def test_locate_leads_back_to_the_file(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes(GOOD.encode("gb18030"))
    corpus = read(file)
    (doc_id,) = corpus.documents["doc_id"]
    row = corpus.sentences.iloc[1]
    span = corpus.locate(doc_id, row.start, row.end)
    assert (
        source_text(file)[span.start : span.end] == row.text == "会议指出，要抓好源头治理，群众的事情要办好。"
    )
    with pytest.raises(RequestError, match="doc_id"):
        corpus.locate("none", 0, 1)


def test_bad_files_are_told_of_and_the_rest_is_read(tmp_path):
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate(200_000_000)
    word = docx.Document()
    word.add_paragraph(GOOD)
    buffer = io.BytesIO()
    word.save(buffer)
    files = {
        "good.txt": GOOD.encode(),
        "declared.html": f'<html><meta charset="big5"><body><p>{GOOD}</p></body></html>'.encode(),
        "empty.txt": b"",
        "binary.txt": bytes(range(256)) * 20,
        "truncated.docx": buffer.getvalue()[:-300],
        "locked.docx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512,
        "broken.pdf": b"%PDF-1.7 broken",
        "bomb.zip": zipped({"a.txt": b"0" * 60_000_000}),
        "climbs.zip": zipped({"../../a.txt": GOOD.encode(), "ok.txt": (GOOD + "又一句话在这里。").encode()}),
        "nested.zip": zipped({"inner.zip": zipped({"a.txt": GOOD.encode()})}),
        "english.txt": b"There is no Chinese in here at all.\n" * 5,
        "mostly.txt": ("This report is written in English, with one word: 信访. " * 8).encode(),
        "furniture.txt": "首页\n打印\n分享\n关闭\n".encode(),
        "picture.jpg": b"\xff\xd8\xff" + bytes(200),
        "copy.txt": GOOD.encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    corpus = read(tmp_path)
    told = {row.source: row.rule for row in corpus.rejects.itertuples()}
    assert told == {
        "bomb.zip": "压缩炸弹",
        "binary.txt": "二进制文件",
        "broken.pdf": "损坏的 PDF",
        "climbs.zip/../../a.txt": "路径越界",
        "good.txt": "相同文件",
        "empty.txt": "空文件",
        "english.txt": "没有中文",
        "furniture.txt": "没有正文",
        "huge.txt": "文件过大",
        "locked.docx": "加密或旧版文档",
        "mostly.txt": "不是中文",
        "nested.zip/inner.zip": "套叠压缩包",
        "picture.jpg": "不支持的格式",
        "truncated.docx": "损坏的文档",
    }
    assert corpus.documents["source"].tolist() == ["climbs.zip/ok.txt", "copy.txt", "declared.html"]
    assert all("。" in message for message in corpus.rejects["message"])  # what is wrong, and what to do


def test_scripts_of_a_page_are_not_read(tmp_path):
    page = f"<html><body><script>var x='脚本里的一句话。';alert(x)</script><p>{GOOD}</p></body></html>"
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    assert "脚本" not in read(tmp_path).documents.loc[0, "body"]


def test_a_copy_in_the_other_script_is_linked(tmp_path):
    text = (
        GOOD + "会议强调，各乡镇要压实责任，认真办理群众来信来访，建立台账，逐件落实，做到件件有着落。\n" * 4
    )
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(opencc.OpenCC("s2tw").convert(text).encode("big5hkscs"))
    documents = read(tmp_path).documents
    assert documents["script"].tolist() == ["简", "繁"]
    assert documents.loc[1, "near_duplicate_of"] == documents.loc[0, "doc_id"]


def test_workers_read_the_same(tmp_path):
    for n in range(6):
        (tmp_path / f"{n}.txt").write_text(GOOD + f"这是第{n}个文件的话。", encoding="utf-8")
    alone, together = read(tmp_path), read(tmp_path, workers=2)
    assert alone.documents.equals(together.documents)
    assert alone.sentences.equals(together.sentences)


# ----------------------------------------------------------------------------------------------------- real files


def scores(shared: Path, corpus, tmp_path: Path) -> dict[str, float]:
    file = tmp_path / "documents.jsonl"
    file.write_text("".join(export(corpus)), encoding="utf-8")
    said = subprocess.run(
        [sys.executable, shared / "tools" / "score.py", "documents", file],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name: float(value) for name, value in re.findall(r"([A-Za-z_0-9 ]+?) (\d\.\d+)", said)}


@pytest.fixture(scope="module")
def seeds(shared):
    return read(shared / "seeds")


def test_the_seeds_come_out_as_annotated(shared, seeds, tmp_path):
    got = {name.strip(): value for name, value in scores(shared, seeds, tmp_path).items()}
    assert got["F1"] == 1.0
    assert got["mean body similarity"] >= 0.99
    assert got["paragraphs whole"] >= 0.95
    assert min(got[name] for name in ("title", "genre", "level", "region_code", "event_date")) >= 0.9


def test_the_seeds_come_out_as_well_from_broken_lines_and_other_encodings(shared, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    for number, file in enumerate(sorted((shared / "seeds").iterdir())):
        lines = []
        for line in filter(None, map(str.strip, file.read_text(encoding="utf-8").split("\n"))):
            short = len(line) <= 30 and line[-1] not in "。！？；："
            text = line if short else "　　" + line
            lines += [text] if short else [text[i : i + 30] for i in range(0, len(text), 30)]
        encoding = ("utf-8", "gb18030", "utf-16")[number % 3]
        (folder / file.name).write_bytes("\r\n".join(lines).encode(encoding))
    got = {name.strip(): value for name, value in scores(shared, read(folder), tmp_path).items()}
    assert got["F1"] == 1.0
    assert got["mean body similarity"] >= 0.99
    assert got["paragraphs whole"] >= 0.95


def test_every_character_of_the_seeds_knows_where_it_stood(shared, seeds, misplaced):
    for row in seeds.documents.itertuples():
        source = source_text(shared / "seeds" / row.source)
        assert misplaced(seeds.traces[row.doc_id], source, masked=False) == []


ARTICLES = {"上海市信访条例": 53, "人民调解法": 35, "信访工作条例": 50, "信访条例": 51, "北京市信访条例": 70, "山东省信访条例": 68,
            "河南省信访条例": 37, "浙江省信访条例": 36, "深圳经济特区矛盾纠纷多元化解条例": 88}  # fmt: skip


def test_regulations_parse_into_their_articles(shared):
    corpus = read(shared / "corpus" / "regulations")
    joined = corpus.sentences.merge(corpus.documents[["doc_id", "source"]])
    for name, count in ARTICLES.items():
        rows = joined[joined["source"].str.match(rf"{name}(?:\(|\.)")]
        assert sorted(rows["article"].dropna().unique()) == list(range(1, count + 1)), name
        assert rows["chapter"].notna().all()
    assert set(corpus.documents["genre"]) == {"法规"}
    assert corpus.documents["effective"].notna().all()


def test_work_reports_without_furniture_and_with_headings(shared):
    corpus = read(shared / "corpus" / "work_reports")
    assert len(corpus.documents) == 16
    assert set(corpus.documents["genre"]) == {"政府工作报告"}
    assert (corpus.documents["region_code"] == corpus.documents["source"].str[:6]).all()
    assert (corpus.documents["event_date"].str[:4] == "2026").all()
    lines = corpus.documents["body"].str.split("\n").explode()
    assert not lines.isin(
        [
            "下载",
            "打印",
            "全屏",
            "收藏",
            "加大",
            "还原",
            "减小",
            "】",
            "【字号：",
            "相关报道：",
            "首页",
            ">",
            "分享：",
        ]
    ).any()
    headings = corpus.sentences[corpus.sentences["heading"]].groupby("doc_id").size()
    assert len(headings) == 16
    assert headings.min() >= 3


def test_the_sample_documents_come_out_as_their_author_meant(sample):
    import pandas as pd

    want = pd.read_csv(sample / "articles.csv", comment="#", dtype="string").astype({"position": "Int64"})
    got = read(sample / "documents").documents
    both = want.merge(got, on=["source", "position"], suffixes=("", "_got"))
    assert len(both) == len(want) == len(got)
    for column, least in {"genre": 0.9, "level": 0.95, "region_code": 0.9}.items():
        assert (both[column].fillna("") == both[f"{column}_got"].fillna("")).mean() >= least, column


# --------------------------------------------------------------------------------------------------- mutated files

MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["cut", "double", "bytes", "swap", "insert"]),
        st.floats(0, 1),
        st.binary(max_size=12) | st.sampled_from([b"\n\n", "（下转2版）".encode(), b"|", "“".encode(), "記".encode(), b"\r", "第三条 ".encode()]),
    ),
    max_size=6,
)  # fmt: skip


def mutated(data: bytes, mutations) -> bytes:
    for kind, where, what in mutations:
        at = int(where * len(data))
        if kind == "cut":
            data = data[: max(at, 1)]
        elif kind == "double":
            data = data[:at] + data[at : at + 400] * 2 + data[at + 400 :]
        elif kind == "bytes":
            data = data[:at] + what + data[at + len(what) :]
        elif kind == "swap":
            data = data[at:] + data[:at]
        else:
            data = data[:at] + what + data[at:]
    return data


def check(tmp_path_factory, name: str, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    file = folder / f"fuzz-{name}"
    file.write_bytes(data)
    parsed = parse(Source(name, file))
    assert parsed.documents or parsed.rejects
    for row in parsed.documents:
        trace = parsed.traces[row["doc_id"]]
        assert trace.value == row["body"]
        assert len(trace.origin) == len(trace.value)
        assert (trace.origin[1:] >= trace.origin[:-1]).all()
        assert len(trace) == 0 or 0 <= trace.origin[0] <= trace.origin[-1] < len(source_text(file))
    for row in parsed.sentences:
        assert parsed.traces[row["doc_id"]].value[row["start"] : row["end"]] == row["text"]
    json.dumps([parsed.documents, parsed.sentences, parsed.tables, parsed.rejects], ensure_ascii=False)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(0, 100), MUTATIONS)
def test_mutated_real_files_never_crash_a_reader(shared, tmp_path_factory, pick, mutations):
    files = sorted((shared / "seeds").iterdir()) + sorted((shared / "bulletins" / "text").iterdir())
    file = files[pick % len(files)]
    check(tmp_path_factory, file.name, mutated(file.read_bytes(), mutations))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(0, 100), MUTATIONS)
def test_mutated_sample_files_never_crash_a_reader(sample, tmp_path_factory, pick, mutations):
    files = sorted((sample / "documents").iterdir())
    file = files[pick % len(files)]
    check(tmp_path_factory, file.name, mutated(file.read_bytes(), mutations))
