"""What policy texts say (政策文本): the chapters of the policy scan, and 政策文本动态 of the periodic briefs.

Every row of every table links to the sentence it rests on, and every sentence to its place in the file as received.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ... import corpus as corpora
from ... import display, text
from .policy_claims import citations, commitments, disagreements, statistics
from .policy_coding import agreement, coding, strength
from .policy_origins import origins
from .policy_texts import PARTS, Scan, open_scan, stated
from .policy_words import phrases, terms, turnover

__all__ = [
    "PARTS", "Scan", "agreement", "basis", "citations", "coding", "commitments", "disagreements", "dynamics", "evidence",
    "open_scan", "origins", "overview", "phrases", "statistics", "strength", "terms", "turnover",
]  # fmt: skip


def overview(scan: Scan) -> None:
    """What documents there are: when, where, of which level and kind."""
    import pandas as pd

    documents = scan.documents
    display.result("文档数", len(documents), unit="篇")
    display.result("来源文件数", int(documents["source"].nunique()), unit="个")
    display.result("句数", len(scan.sentences), unit="句")
    display.result("字数", int(documents["chars"].fillna(0).sum()), unit="字")
    if documents.empty:
        display.note(f"{scan.name}没有可分析的文档，以下各节从略。", "data")
        return
    display.finding("{来源文件数}来源文件中读出{文档数}文档，共{句数}、{字数}。")
    # As the text states them: a year alone stays a year.
    dated = [
        when
        for day, when in sorted(
            (row["date"], stated(row))
            for row in documents.to_dict("records")
            if isinstance(row["date"], dt.date)
        )
    ]
    display.result("有日期的文档数", len(dated), unit="篇")
    levels = documents["level"].value_counts()
    places = documents["region"].dropna().nunique()
    display.result("涉及地区数", int(places), unit="个")
    spread = "、".join(f"{level}级 {n} 篇" for level, n in levels.items()) or "均未能判定"
    span = f"，日期自 {dated[0]} 至 {dated[-1]}" if dated else ""
    display.finding(f"其中{{有日期的文档数}}可定日期{span}；涉及{{涉及地区数}}地区；按层级：{spread}。")
    table = pd.DataFrame(
        {
            "标题": [scan.titles[doc_id] for doc_id in documents["doc_id"]],
            "体裁": documents["genre"],
            "层级": documents["level"],
            "地区": documents["region"],
            "日期": [stated(row) or None for row in documents.to_dict("records")],
            "字数": documents["chars"],
            "说明": [_remarks(row) for row in documents.to_dict("records")],
            "to": [scan.link(doc_id, 0) for doc_id in documents["doc_id"]],
        }
    )
    display.table(
        table if table["说明"].any() else table.drop(columns="说明"),
        name="documents",
        caption=scan.titled("文档一览"),
        note="日期为文中可考的发布或事件日期，未写年份的只列月日，不推断。标题链到正文首句。",
        links={"标题": "to"},
    )


def basis(scan: Scan) -> None:
    """On what it all rests: the corpus's health and the codebooks' versions."""
    import pandas as pd

    health = corpora.health(scan.corpus)
    display.table(health["overview"], name="health", caption="语料体检（读入的全部文件）")
    if not scan.corpus.rejects.empty:
        display.table(
            scan.corpus.rejects[["source", "message"]]
            .rename(columns={"source": "来源", "message": "问题"})
            .head(50),
            name="rejects",
            caption="未采用的内容及原因",
        )
    segmenter = text.Lexicon.load()
    display.table(
        pd.DataFrame(
            [
                (
                    "词表 lexicon",
                    segmenter.version,
                    f"{len(segmenter.words)} 词；分词用 rjieba，关闭新词识别",
                ),
                *(
                    (f"编码表 {book.frame}", book.stated, book.name)
                    for book in (scan.book, text.Codebook.load("directive"))
                ),
                (
                    "提法编码表 phrases",
                    scan.mentions.attrs.get("version"),
                    "引号、数字、排比、中心词、并列五种形式",
                ),
            ],
            columns=["名称", "版本", "说明"],
        ),
        name="methods",
        caption="所用词表与编码表",
    )


def evidence(scan: Scan) -> None:
    """The sentences that the tables link to, each with its place in the file as received."""
    import pandas as pd

    if scan.shown:
        display.evidence(pd.DataFrame(scan.shown.values()))


def dynamics(corpus: str | Path | None, period: str, region: str | None = None, *, top: int = 12) -> None:
    """政策文本动态 of a periodic brief: the period's documents, phrases and five parts, in brief.

    ``corpus`` may be ``None`` or without a document of the period: then the chapter says so.
    """
    display.text("## 政策文本动态")
    if corpus is None:
        display.note("没有提供政策文本语料，本章从略。", "data")
        return
    scan = open_scan(corpus, period, region)
    if scan.documents.empty:
        undated = int(sum(not isinstance(day, dt.date) for day in scan.every["date"]))
        display.note(f"语料中没有{scan.name}的政策文本（另有 {undated} 篇日期不明，不计入）。", "data")
        return
    overview(scan)
    phrases(scan, top)
    coding(scan, most=5)
    display.text("### 政策文本依据")
    evidence(scan)


def _remarks(row: Mapping[Any, Any]) -> str:
    said = [
        words
        for words, holds in (
            ("文末不全", row.get("truncated") is True),
            ("繁体转简", row.get("script") == "繁"),
            ("与另一篇近似重复", isinstance(row.get("near_duplicate_of"), str)),
        )
        if holds
    ]
    return "；".join(said)
