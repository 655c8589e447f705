"""摘要 of the policy scan: what the chapters find, said first; each number a result that the chapters record too."""

from __future__ import annotations

import datetime as dt

from ... import display
from .policy_texts import PARTS, Scan


def chapter(scan: Scan) -> None:
    """At most seven findings: documents, phrases, what is new, the five parts, numbers, citations, commitments."""
    if scan.documents.empty:
        display.note(f"{scan.name}没有可分析的文档，以下各节从略。", "data")
        return
    for said in (documents, phrases, renewal, parts, numbers, citations, commitments):
        said(scan)


def documents(scan: Scan) -> None:
    """How many documents, of which levels, and how many the period before had."""
    display.result("文档数", len(scan.documents), unit="篇")
    levels = scan.documents["level"].value_counts()
    most = f"，以{levels.index[0]}级的为最多" if len(levels) else ""
    before = ""
    if scan.period is not None:
        previous = scan.period.previous
        count = sum(isinstance(day, dt.date) and day in previous for day in scan.every["date"])
        display.result("上期文档数", count, unit="篇")
        before = f"；上期（{previous.label}）{{上期文档数}}"
    display.finding(f"{scan.name}有文档{{文档数}}{most}{before}。")


def phrases(scan: Scan) -> None:
    """The phrases that most documents use."""
    if scan.ledger.empty:
        return
    display.result("提法数", len(scan.ledger), unit="个")
    top = scan.ledger.sort_values(["documents", "uses"], ascending=False, kind="stable").head(3)
    leading = "、".join(
        f"“{phrase}”（{count} 篇）" for phrase, count in zip(top["phrase"], top["documents"], strict=True)
    )
    display.finding(f"共用到{{提法数}}提法，用得最广的是{leading}。")


def renewal(scan: Scan) -> None:
    """What is new and what is no longer said, against the period before; nothing where that has no documents."""
    if scan.period is None or not scan.turnover.attrs["previous_documents"]:
        return
    table = scan.turnover
    said = []
    for status, words in (("新出现", "新出现提法"), ("本期未用", "上期用过而本期未用的提法")):
        found = table[table["status"] == status]
        name = f"{status}的提法数"
        display.result(name, len(found), unit="个")
        examples = "、".join(f"“{phrase}”" for phrase in found["phrase"].head(3))
        said.append(f"{words}{{{name}}}" + (f"，如{examples}" if examples else ""))
    display.finding(f"与{scan.period.previous.label}相比，" + "；".join(said) + "。")


def parts(scan: Scan) -> None:
    """Which of the five parts is spoken of most and least."""
    counts = scan.codes["code"].value_counts()
    ranked = sorted(PARTS, key=lambda part: -counts.get(part, 0))
    if not counts.get(ranked[0], 0):
        return
    for part in (ranked[0], ranked[-1]):
        display.result(f"谈到{part}的句数", int(counts.get(part, 0)), unit="句")
    display.finding(
        f"五部分中谈得最多的是{ranked[0]}（{{谈到{ranked[0]}的句数}}），最少的是{ranked[-1]}（{{谈到{ranked[-1]}的句数}}）。",
        grade="待人工确认" if scan.people is None else "部分经人工编码",
    )


def numbers(scan: Scan) -> None:
    """How many numbers are stated, and whether they agree."""
    if scan.statistics.empty:
        return
    wrong = int((scan.relations["grade"] == "contradiction").sum())
    display.result("文中统计数字", len(scan.statistics), unit="项")
    display.result("核对关系", len(scan.relations), unit="项")
    display.result("不符关系", wrong, unit="项")
    display.finding(
        "文中写有统计数字{文中统计数字}；数字之间的关系{核对关系}，其中{不符关系}前后不符。",
        "待核" if wrong else None,
    )


def citations(scan: Scan) -> None:
    """What is cited by most documents."""
    titled = scan.citations[scan.citations["title"].notna()]
    if titled.empty:
        return
    documents = (
        titled.groupby("title", sort=False)["doc_id"].nunique().sort_values(ascending=False, kind="stable")
    )
    display.result("引用最广的文件的引用文档数", int(documents.iloc[0]), unit="篇")
    display.finding(f"引用最广的是《{documents.index[0]}》，有{{引用最广的文件的引用文档数}}文档引用。")


def commitments(scan: Scan) -> None:
    """How many commitments can be checked."""
    if scan.commitments.empty:
        return
    display.result("承诺与任务数", len(scan.commitments), unit="条")
    display.result("可核查的任务数", int(scan.commitments["measurable"].astype(bool).sum()), unit="条")
    display.finding(
        "写有承诺与任务{承诺与任务数}，其中{可核查的任务数}写明时限或数量，可以核查。", "待人工确认"
    )
