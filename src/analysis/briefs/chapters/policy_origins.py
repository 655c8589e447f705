"""Where the policy texts came from (来源与扩散): reused passages, citations and phrases side by side, agreeing or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import display, text
from ...text import diffusion
from ...text.citations import cite
from ...text.reuse import reuse, shares
from .policy_texts import Scan

if TYPE_CHECKING:
    pass

#: Below this share of a text, set phrases of the field explain what two texts have in common.
FLOOR = 0.05


def origins(scan: Scan, most: int = 20) -> None:
    """Earlier documents of the corpus that the period's documents took text from, with what else speaks for it."""
    import pandas as pd

    if scan.documents.empty:
        return
    if len(scan.every) < 2:
        display.note("语料只有一篇文档，无从比较来源。", "data")
        return
    spans = reuse(scan.every)
    own = set(scan.documents["doc_id"])
    pairs = shares(spans, scan.every)
    pairs = pairs[pairs["doc_id"].isin(own) & (pairs["share_proper"] >= FLOOR)]
    display.result("有文本来源的文档数", int(pairs["doc_id"].nunique()), unit="篇")
    if pairs.empty:
        display.note(
            f"{scan.name}的文档中，没有一篇有 {FLOOR:.0%} 以上的文字（套话除外）见于语料中更早的文档。",
            "data",
        )
        return
    display.finding(
        f"有{{有文本来源的文档数}}文档，{FLOOR:.0%} 以上的文字（套话除外）见于语料中先出的文档。",
        grade="待人工确认",
    )
    shown = diffusion.direction(pairs.head(most), scan.every)
    evidence = diffusion.evidence(
        pairs, cite(scan.every), text.taken_up(scan.mentions, scan.every), floor=FLOOR
    )
    said = {(row["a"], row["b"]): row for row in evidence.to_dict("records")}
    longest = spans.sort_values("length", ascending=False, kind="stable").drop_duplicates(
        ["doc_id", "source_doc_id"]
    )
    places = {
        (doc, source): int(start)
        for doc, source, start in zip(
            longest["doc_id"], longest["source_doc_id"], longest["start"], strict=True
        )
    }
    keys = list(zip(shown["doc_id"], shown["source_doc_id"], strict=True))
    display.table(
        pd.DataFrame(
            {
                "文档": [scan.titles[doc] for doc, _ in keys],
                "先出文档": [scan.titles[source] for _, source in keys],
                "复用占比": [100 * share for share in shown["share_proper"]],
                "最长一段": shown["longest"].tolist(),
                "方向": shown["direction"].tolist(),
                "相隔天数": shown["days"].tolist(),
                "引用": [_way(said, *key, "citation") for key in keys],
                "提法": [_way(said, *key, "phrases") for key in keys],
                "三类证据": [said[min(key), max(key)]["verdict"] for key in keys],
                "to": [scan.link(key[0], places[key]) for key in keys],
            }
        ),
        name="origins",
        caption="文字来源：与语料中先出文档相同的部分"
        + ("" if len(pairs) <= most else f"（{len(pairs)} 对中的前 {most} 对）"),
        note="复用指连续十个以上汉字相同，多数文档都有的套话已除去；先后按日期，同日按层级；两篇都来自第三篇的，也会显出相同。"
        "“同向”指引用或提法的先后与复用一致，“反向”相反；语料之外的来源看不到。链到最长的一段。",
        units={"复用占比": "%", "最长一段": "字"},
        digits={"复用占比": 1},
        links={"文档": "to"},
    )


def _way(said: dict[tuple[str, str], dict[Any, Any]], doc: str, source: str, kind: str) -> str | None:
    """What one kind of evidence says of a pair that reuse reads as ``source`` → ``doc``."""
    arrow = said[min(doc, source), max(doc, source)][kind]
    if not isinstance(arrow, str):
        return None
    if arrow == "互见":
        return arrow
    return "同向" if arrow == ("b→a" if doc < source else "a→b") else "反向"
