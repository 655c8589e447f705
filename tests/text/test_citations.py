"""Citations: titles, short forms with their scope, numbers, articles, versions by date, works refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from analysis.text.citations import chain, cite


def cited(body: str, **fields: object) -> pd.DataFrame:
    return cite(pd.DataFrame([{"doc_id": "x", "body": body, **fields}]), refused=True)


def test_full_title_short_form_and_article_with_spans() -> None:
    body = (
        "依照《信访工作条例》（以下简称《条例》）第二十二条第一款办理。《条例》第三十四条规定的期限不得突破。"
    )
    table = cited(body, published="2023-05-01")
    assert table["title"].tolist() == ["信访工作条例"] * 2
    assert table["scope"].tolist() == ["全称", "简称约定"]
    assert table["article"].tolist() == ["第二十二条第一款", "第三十四条"]
    assert table["version"].tolist() == ["2022", "2022"]
    for row in table.itertuples():
        assert body[row.start : row.end] == row.text


def test_short_form_named_with_quotation_marks_and_one_without_a_naming() -> None:
    table = cited("《示例市初次信访事项办理规定》(以下称“规定”)印发。落实《规定》要求。《办法》另行制定。")
    assert table.loc[table["text"] == "《办法》", "scope"].item() == "简称未定"
    assert table.loc[table["text"] == "《规定》", "title"].item() == "示例市初次信访事项办理规定"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("电影《山那边的办法》上映。", None),
        ("话剧《听诉》、《老街》获奖。", "话剧"),
        ("在《示例日报》头版刊登。", "文件种类"),
        ("他写了小说《条例》。", "小说"),
        ("群众观看了《枫叶红了》。", "文件种类"),
    ],
)
def test_works_are_refused_with_the_reason(body: str, reason: str | None) -> None:
    table = cited(body)
    if reason is None:  # a long title with a document's ending is trusted over the word in front
        assert table["refused"].isna().all()
    else:
        assert table["refused"].str.contains(reason).all()
    assert cite(pd.DataFrame([{"doc_id": "x", "body": body}])).empty == (reason is not None)


def test_version_follows_the_date_of_the_citing_document() -> None:
    body = "根据《中华人民共和国行政复议法》和《信访条例》办理。"
    assert cited(body, published="2021-06-01")["version"].tolist() == ["2017", "2005"]
    late = cited(body, published="2024-03")["version"]
    assert late.iloc[0] == "2023"
    assert pd.isna(late.iloc[1])  # repealed on 2022-05-01: no version was in force
    assert cited(body)["version"].isna().all()  # no date, several versions: left open


def test_numbers_without_the_words_in_front_of_them() -> None:
    table = cited("按照示信联办〔2023〕4号文件要求，结合国务院令第431号和根据示府办发[2022]17号精神执行。")
    assert table["number"].tolist() == ["示信联办〔2023〕4号", "国务院令第431号", "示府办发〔2022〕17号"]
    assert table["text"].tolist() == ["示信联办〔2023〕4号", "国务院令第431号", "示府办发[2022]17号"]


def test_number_behind_a_title_belongs_to_it() -> None:
    table = cited("《关于推进预登记的通知》（示信办〔2024〕2号）已经印发。")
    assert table["number"].tolist() == ["示信办〔2024〕2号"]
    assert len(table) == 1


def test_nested_titles_and_a_regulation_citing_itself() -> None:
    table = cited("转发《关于贯彻〈信访工作条例〉的实施意见》。违反本办法第十条规定的，依法处理。")
    assert table["kind"].tolist() == ["公文", "本文"]
    assert table["article"].tolist()[1] == "第十条"
    assert table["resolved_to"].tolist()[1] == "x"


def test_resolves_inside_the_corpus_to_the_earliest_copy() -> None:
    documents = pd.DataFrame(
        [
            {
                "doc_id": "repost",
                "title": "示例省信访事项办理规程",
                "body": "正文。",
                "published": "2023-02-01",
            },
            {
                "doc_id": "first",
                "title": "示例省信访事项办理规程（试行）",
                "body": "正文。",
                "published": "2023-01-01",
            },
            {
                "doc_id": "county",
                "title": "甲县实施方案",
                "body": "落实《示例省信访事项办理规程》，对照《示例省信访事项办理规程》。",
                "published": "2023-06-01",
            },
        ]
    )
    table = cite(documents)
    assert set(table["resolved_to"]) == {"first"}
    links = chain(table, documents)
    assert links.to_dict("records") == [
        {"doc_id": "county", "resolved_to": "first", "citations": 2, "articles": 0, "first": 2}
    ]


def test_empty_bodies_and_unbalanced_brackets() -> None:
    assert cite(pd.DataFrame([{"doc_id": "x", "body": None}, {"doc_id": "y", "body": ""}])).empty
    assert cited("《《条例》》《没有结尾的办法").shape[0] <= 2
    assert cited("》《").empty


def test_precision_on_the_real_work_reports(shared: Path, root: Path) -> None:
    """Every 《》 of the sixteen reports was judged by hand; the sheet holds place and judgement, no text."""
    with (root / "tests" / "text" / "citations_sheet.csv").open(encoding="utf-8") as lines:
        judged = {(row["file"], int(row["start"])): row["judgement"] for row in csv.DictReader(lines)}
    rows = [
        {"doc_id": file.stem, "body": file.read_text(encoding="utf-8")}
        for file in sorted((shared / "corpus" / "work_reports").glob("*.txt"))
    ]
    table = cite(pd.DataFrame(rows), refused=True)
    titles = table.loc[table["text"].str.startswith("《")]
    found = {
        (row.doc_id, row.start): "document" if pd.isna(row.refused) else "work" for row in titles.itertuples()
    }
    assert set(found) == set(judged)
    right = sum(found[place] == judged[place] for place in judged)
    assert right / len(judged) >= 0.97


def test_counts_on_the_annotated_texts(shared: Path) -> None:
    import json

    from analysis import corpus

    read = corpus.read(shared / "seeds")
    table = cite(read.documents)
    source = read.documents.set_index("doc_id")["source"]
    found = {
        (source[doc][:3], _squeeze(title)) for doc, title in zip(table["doc_id"], table["title"], strict=True)
    }
    gold = [
        json.loads(line)
        for line in (shared / "gold" / "citations.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    wanted = {(row["source"], _squeeze(row["title"])) for row in gold}
    assert len(found & wanted) / len(wanted) >= 0.95
    assert len(found & wanted) / len(found) >= 0.95


def _squeeze(title: str) -> str:
    return "".join(char for char in title if "\u4e00" <= char <= "\u9fff")
