"""Words of the policy texts (用词): key terms, fixed phrases with their parts, what is new and what is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import display, text
from ...text.uptake import STATUS
from .policy_texts import Scan, joined, stated

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


KINDS = {
    "slogan": "口号",
    "mechanism": "机制",
    "programme": "行动工程",
    "system": "制度体系",
    "index": "指数",
    "framework": "格局框架",
}


def terms(scan: Scan, top: int = 20) -> None:
    """Key terms, and what the period uses more or less than what came before."""
    import numpy as np

    if scan.documents.empty:
        return
    inside = scan.in_period()
    own = _rows(scan.counts, inside)
    table = text.key_terms(own, top=top)
    table = table[table["term"].notna()]
    if table.empty:
        display.note(f"{scan.name}没有可计的词。", "data")
        return
    to: list[Any] = [scan.link(*_first(scan.documents, term)) for term in table["term"]]
    display.table(
        table.assign(to=to).rename(
            columns={
                "rank": "序",
                "term": "词",
                "count": "次数",
                "documents": "文档数",
                "per_10k": "每万词",
                "tfidf": "权重",
            }
        )[["序", "词", "次数", "文档数", "每万词", "权重", "to"]],
        name="terms",
        caption=scan.titled("关键词"),
        note=joined("TF-IDF 权重按文档归一后求和；链到首次出现的句子。", table["note"]),
        links={"词": "to"},
        digits={"权重": 2},
    )
    if scan.period is None:
        return
    previous = scan.period.previous
    before = np.array([isinstance(day, dt.date) and day in previous for day in scan.every["date"]])
    if not before.any():
        display.note(f"{previous.label}没有文档，不作词频对比。", "data")
        return
    both = inside | before
    compared = text.keyness(_rows(scan.counts, both), inside[both], top=top // 2)
    if compared["term"].isna().all():
        display.note(str(compared["note"].iloc[0]), "data")
        return
    compared = compared[compared["p"] < 0.01]
    if compared.empty:
        display.note(f"{scan.name}与{previous.label}没有哪个词的用量有明显差别（p < 0.01）。", "data")
        return
    drivers = [scan.titles.get(doc, "") if isinstance(doc, str) else "" for doc in compared["driven_by"]]
    to = [
        scan.link(*_first(scan.every[inside if way == "更多" else before], term))
        for term, way in zip(compared["term"], compared["direction"], strict=True)
    ]
    display.table(
        compared.assign(driven_by=drivers, to=to).rename(
            columns={
                "term": "词", "direction": "本期", "count": "本期次数", "reference_count": "上期次数", "g2": "G²",
                "log_ratio": "对数比", "p_corrected": "p（Holm 校正）", "dp": "离散度 DP", "driven_by": "主要来自一篇",
            }
        )[["词", "本期", "本期次数", "上期次数", "G²", "对数比", "p（Holm 校正）", "离散度 DP", "主要来自一篇", "to"]],
        name="keyness",
        caption=f"{scan.period.label}与{previous.label}的关键性对比",
        note=joined("G² 为四格对数似然比，列出未校正 p < 0.01 的词；对数比为两期相对频率之比的二进对数；一半以上用例来自同一篇的予以标明。", compared["note"]),
        links={"词": "to"},
        digits={"G²": 1, "对数比": 2, "p（Holm 校正）": 4, "离散度 DP": 2},
    )  # fmt: skip


def phrases(scan: Scan, top: int = 30) -> None:
    """Phrases with their parts, first use and adopters; what is new, rising or gone."""
    import pandas as pd

    if scan.documents.empty:
        return
    ledger = scan.ledger
    if ledger.empty:
        display.note(f"{scan.name}没有发现提法。", "data")
        return
    display.result("提法数", len(ledger), unit="个")
    display.result("写明构成的提法数", int((ledger["parts"].str.len() > 0).sum()), unit="个")
    display.finding("共用到{提法数}提法，其中{写明构成的提法数}由原文写明构成。")
    # Those spelled out first: they are what a reader looks for, and what no count shows.
    chosen = ledger.assign(spelled=ledger["parts"].str.len() > 0).sort_values(
        ["documents", "uses", "spelled"], ascending=False, kind="stable"
    )
    chosen = pd.concat([chosen.head(top), chosen[chosen["spelled"]].iloc[:top]]).drop_duplicates("phrase")
    dates = {row["doc_id"]: stated(row) for row in scan.every.to_dict("records")}
    display.table(
        pd.DataFrame(
            {
                "提法": chosen["phrase"],
                "构成": ["；".join(parts) for parts in chosen["parts"]],
                "种类": chosen["kind"].map(KINDS),
                "次数": chosen["uses"],
                "文档数": chosen["documents"],
                "首见": [_first_seen(row, dates) for row in chosen.to_dict("records")],
                "to": [
                    scan.link(doc, at)
                    for doc, at in zip(chosen["first_doc_id"], chosen["first_start"], strict=True)
                ],
            }
        ),
        name="phrases",
        caption=scan.titled("提法及其构成"),
        note="构成只列原文写明的；首见限于本语料，日期不明的用例不参与先后。",
        links={"提法": "to"},
    )
    if scan.period is not None:
        turnover(scan, top)


def turnover(scan: Scan, top: int = 30) -> None:
    """New, rising, falling and unused phrases of the period against the period before."""
    import pandas as pd

    assert scan.period is not None
    table = scan.turnover
    told = table[table["status"].isin([status for status in STATUS if status != "平稳"])]
    if not table.attrs["previous_documents"]:
        display.note(
            f"{scan.period.previous.label}没有文档，升降无从比较；“新出现”只就更早的文档而言。", "data"
        )
    if told.empty:
        display.note(f"{scan.period.label}没有可判定为新出现、上升、下降或不再使用的提法。", "data")
        return
    counts = told["status"].value_counts()
    for status in ("新出现", "上升", "下降", "本期未用"):
        display.result(f"{status}的提法数", int(counts.get(status, 0)), unit="个")
    display.finding(
        "与上期相比，新出现提法{新出现的提法数}，上升{上升的提法数}，下降{下降的提法数}，上期用过本期未用{本期未用的提法数}。"
    )
    told = told.groupby("status", observed=True, sort=False).head(top // 2)
    display.table(
        pd.DataFrame(
            {
                "提法": told["phrase"],
                "变化": told["status"].astype(str),
                "本期": told["uses"],
                "上期": told["previous_uses"],
                "本期每万字": told["per_10k"],
                "上期每万字": told["previous_per_10k"],
                "G²": told["g2"],
                "to": [scan.link(doc, at) for doc, at in zip(told["doc_id"], told["start"], strict=True)],
            }
        ),
        name="turnover",
        caption="提法的新旧更替",
        note="“新出现”指本语料中更早的文档未用过；升降以每万字用例数的 G² 检验（p < 0.05）。",
        links={"提法": "to"},
        digits={"G²": 1, "本期每万字": 2, "上期每万字": 2},
    )


def _rows(counts: text.Counts, chosen: np.ndarray) -> text.Counts:
    """Counts of some of the documents."""
    ids = [doc_id for doc_id, keep in zip(counts.doc_ids, chosen, strict=True) if keep]
    return text.Counts(tuple(ids), counts.terms, counts.matrix[chosen], counts.lengths[chosen])


def _first(documents: pd.DataFrame, term: str) -> tuple[str, int]:
    """First place of a term: document and offset; the first document's start where segmentation made it of two lines."""
    for doc_id, body in zip(documents["doc_id"], documents["body"], strict=True):
        at = body.find(term) if isinstance(body, str) else -1
        if at >= 0:
            return doc_id, at
    return documents["doc_id"].iloc[0], 0


def _first_seen(row: Mapping[Any, Any], dates: dict[str, str]) -> str:
    when = dates.get(row["first_doc_id"], "") if isinstance(row["first_date"], dt.date) else ""
    level = f"{row['first_level']}级" if isinstance(row["first_level"], str) else ""
    region = row["first_region"] if isinstance(row["first_region"], str) else ""
    return " ".join(part for part in (when, region, level) if part) or "不详"
