"""The five parts in the policy texts (五部分编码), how far people and rules agree on them, and how strongly texts direct."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ... import display, text
from ...display import drawings
from .policy_texts import PARTS, Scan, short, speaks_of_the_field

if TYPE_CHECKING:
    import pandas as pd


# A numbered heading that ends with a full stop: （四）监督追责法治化。
_LISTED = re.compile(r"[（(]?[一二三四五六七八九十\d]+[）)、.．]\s*[^，；：。]{2,16}。?")
_FIGURE = r"[\d一二三四五六七八九十年月日季度上下半.%]+"
_ALIKE = 16  # characters, figures and months left out
PROPOSED = "编码由规则给出，是待人工确认的建议；每条可点到原句核对。"
WEIGHED = PROPOSED.replace("规则", "规则和权重")


def coding(scan: Scan, most: int = 12) -> None:
    """The five parts: how many sentences, by level, and the sentences themselves."""
    import pandas as pd

    if scan.documents.empty:
        return
    codes = scan.codes
    sentences = len(scan.sentences)
    coded = codes[["doc_id", "sentence"]].drop_duplicates()
    display.result("涉及五部分的句数", len(coded), unit="句")
    display.result(
        "涉及五部分的句占比", 100 * len(coded) / sentences if sentences else None, unit="%", n=sentences
    )
    counts = codes["code"].value_counts()
    summary = pd.DataFrame(
        {
            "部分": PARTS,
            "句数": [int(counts.get(part, 0)) for part in PARTS],
            "占全部句": [100 * counts.get(part, 0) / sentences if sentences else None for part in PARTS],
            "文档数": [codes.loc[codes["code"] == part, "doc_id"].nunique() for part in PARTS],
        }
    )
    display.finding(
        "按五部分编码，有{涉及五部分的句数}谈到其中至少一部分，占{涉及五部分的句占比}。",
        grade="待人工确认" if scan.people is None else "部分经人工编码",
    )
    if scan.people is None:
        display.note("没有人工编码，一致性无从计算；编码均为规则和权重的建议。", "method")
    else:
        agreement(scan, scan.people)
    if codes.empty:
        return
    codes = codes.assign(field=speaks_of_the_field(scan, codes))
    inside = codes.loc[codes["field"], ["doc_id", "sentence"]].drop_duplicates()
    display.result("其中段落写到信访或纠纷的句数", len(inside), unit="句")
    if 2 * len(inside) < len(coded):
        display.finding(
            "其中只有{其中段落写到信访或纠纷的句数}所在的段落写到信访或矛盾纠纷：本语料多谈别的工作，其余的编码多半不是信访工作意义上的五部分。",
            grade="慎用",
        )
    votes = scan.book.votes
    if votes is not None:
        display.result("概率偏低的编码", int((codes["confidence"] < votes.doubt[1]).sum()), unit="处")
        display.finding(
            f"编码各有概率，其中{{概率偏低的编码}}不到 {votes.doubt[1]:g}，宜由人先看。", grade="待人工确认"
        )
    most_said = PARTS[int(summary["句数"].to_numpy().argmax())]
    display.chart(
        drawings.bars(summary, label="部分", value="句数", unit="句"),
        name="five-part",
        caption="谈到五部分的句数",
        alt="横条图："
        + "，".join(f"{part}{n}句" for part, n in zip(summary["部分"], summary["句数"], strict=True))
        + f"；最多的是{most_said}。",
        note="一句可以属于几个部分。" + WEIGHED,
    )
    level = dict(zip(scan.documents["doc_id"], scan.documents["level"].fillna("未定"), strict=True))
    by_level = pd.crosstab(codes["doc_id"].map(level), codes["code"]).reindex(
        columns=list(PARTS), fill_value=0
    )
    order = [name for name in ("中央", "省", "市", "县", "乡", "未定") if name in by_level.index]
    by_level = by_level.loc[order].rename_axis("层级").rename_axis(None, axis=1).reset_index()
    display.table(
        by_level, name="parts-levels", caption="各层级谈到五部分的句数", units=dict.fromkeys(PARTS, "句")
    )
    # A heading names its part without saying anything; it is counted above, but no example.
    heads = scan.sentences.loc[scan.sentences["heading"].astype(bool), ["doc_id", "start"]]
    headings = set(zip(heads["doc_id"], heads["start"], strict=True))
    prose = codes[
        [
            (doc_id, start) not in headings and not _LISTED.fullmatch(words)
            for doc_id, start, words in zip(codes["doc_id"], codes["start"], codes["text"], strict=True)
        ]
    ]
    rows: list[dict[str, Any]] = []
    for part in PARTS:
        found = prose[prose["code"] == part].sort_values(
            ["field", "confidence"], ascending=False, kind="stable"
        )
        # A monthly bulletin says the same every month with other numbers: once is enough.
        found = found[~found["text"].str.replace(_FIGURE, "", regex=True).str[:_ALIKE].duplicated()]
        # What stands in a passage on the field first; there the best of every document before the second best of any.
        found = found.assign(turn=found.groupby("doc_id").cumcount())
        found = found.sort_values(["field", "turn"], ascending=[False, True], kind="stable")
        found = found.head(most)
        for doc_id, start, words, spans in zip(
            *(found[column] for column in ("doc_id", "start", "text", "evidence")), strict=True
        ):
            rests_on = dict.fromkeys(words[left - start : right - start] for left, right in spans)
            rows.append(
                {
                    "部分": part,
                    "依据词": "、".join(rests_on),
                    "句": short(words),
                    "文档": scan.titles[doc_id],
                    "to": scan.link(doc_id, start),
                }
            )
    display.table(
        pd.DataFrame(rows),
        name="parts-sentences",
        caption=f"五部分的例句（每部分至多 {most} 句）",
        note="不列标题；月月同一写法的只列一句。" + WEIGHED,
        links={"句": "to"},
    )


def agreement(scan: Scan, people: pd.DataFrame) -> None:
    """How far rules and people, and people among themselves, agree; what people changed."""
    import pandas as pd

    counted = scan.codes.attrs["overrides"]
    display.result("人工编码的句数", counted["sentences"], unit="句")
    display.result("人工确认的编码", counted["confirmed"], unit="条")
    display.result("人工删去的编码", counted["removed"], unit="条")
    display.result("人工补上的编码", counted["added"], unit="条")
    display.finding(
        "人工编码{人工编码的句数}，确认规则的编码{人工确认的编码}，删去{人工删去的编码}，补上{人工补上的编码}。"
    )
    if people.empty:
        return
    rules = text.as_coder(scan.rules, scan.sentences, "规则")
    rules = rules[rules["unit"].isin(set(people["unit"]))]
    both = pd.concat([people, rules], ignore_index=True)
    table = text.agree(both, PARTS).rename(
        columns={"label": "类目", "coefficient": "系数", "value": "值", "low": "下限", "high": "上限",
                 "n": "单元数", "coders": "编码者", "grade": "判断", "note": "说明"}
    )  # fmt: skip
    display.table(
        table[["类目", "系数", "值", "下限", "上限", "单元数", "编码者", "判断", "说明"]],
        name="agreement",
        caption="编码一致性（规则算作一名编码者）",
        note="区间由单元自助法得出；Krippendorff α 不低于 .80 可用，.667–.80 试用。",
        digits={"值": 3, "下限": 3, "上限": 3},
    )
    coder = str(people["coder"].iloc[0])
    display.table(
        text.confusion(both, "规则", coder, PARTS).rename(
            columns={"label": "类目", "both": "都编", "only_one": "只有规则", "only_other": "只有人工", "neither": "都不编",
                     "n": "单元数", "precision": "精确率", "recall": "召回率", "f1": "F1"}
        ),
        name="confusion",
        caption=f"混淆表：规则与{coder}",
        digits={"精确率": 3, "召回率": 3, "F1": 3},
    )  # fmt: skip


def strength(scan: Scan) -> None:
    """How strongly it is said: clauses by directive strength and level."""
    import pandas as pd

    book = text.Codebook.load("directive")
    suited = scan.documents[scan.documents["genre"].isin(book.genres)]
    if suited.empty:
        display.note(f"指令强度只用于{'、'.join(book.genres)}，{scan.name}没有这类文档。", "method")
        return
    codes = text.code(suited, scan.sentences[scan.sentences["doc_id"].isin(set(suited["doc_id"]))], book)
    if codes.empty:
        display.note(f"{scan.name}没有可判定指令强度的分句。", "data")
        return
    order = [entry.code for entry in book.codes]
    genre = dict(zip(suited["doc_id"], suited["genre"], strict=True))
    table = pd.crosstab(codes["doc_id"].map(genre), codes["code"]).reindex(columns=order, fill_value=0)
    table = table.rename_axis("体裁").rename_axis(None, axis=1).reset_index()
    display.table(
        table,
        name="strength",
        caption="指令强度：各体裁的分句数",
        units=dict.fromkeys(order, "分句"),
        note="禁止、强制、授权、弹性、模糊依次由强到弱；一个分句可兼有几类。" + PROPOSED,
    )
