"""What the policy texts state (所述): numbers and their contradictions, citations, commitments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import display
from ...display.results import format_value
from ...text.commitments import unnumbered
from .policy_texts import NO_COMMITMENTS, Scan, short, speaks_of_the_field

_WAYS = {"up": "上升 ", "down": "下降 "}


def statistics(scan: Scan, most: int = 60) -> None:
    """The numbers that the documents state."""
    import pandas as pd

    if scan.documents.empty:
        return
    table = scan.statistics
    results = table[~table["target"].astype(bool)]
    display.result("文中统计数字", len(table), unit="项")
    display.result("其中结果数字", len(results), unit="项")
    display.finding("文中写有统计数字{文中统计数字}，其中报告结果的{其中结果数字}，其余是目标或规定。")
    if table.empty:
        return
    # Results before targets, numbers of the field before others, and some of every document before more of any.
    ranked = table.assign(field=speaks_of_the_field(scan, table))
    ranked["turn"] = ranked.groupby(["doc_id", "target", "field"]).cumcount()
    ranked = ranked.sort_values(["target", "field", "turn"], ascending=[True, False, True], kind="stable")
    shown = table.loc[ranked.index[:most].sort_values()]
    display.table(
        pd.DataFrame(
            {
                "指标": shown["indicator"],
                "数值": [_value(row) for row in shown.to_dict("records")],
                "时期": shown["period"],
                "变化基准": shown["base"],
                "性质": ["目标或规定" if target else "结果" for target in shown["target"]],
                "文档": [scan.titles[doc_id] for doc_id in shown["doc_id"]],
                "to": [
                    scan.link(doc_id, start) if not table_cell else None
                    for doc_id, start, table_cell in zip(
                        shown["doc_id"], shown["start"], shown["table"], strict=True
                    )
                ],
            }
        ),
        name="statistics",
        caption="文中的统计数字" + ("" if len(table) <= most else f"（{len(table)} 项中的前 {most} 项）"),
        note="数字照录原文口径，未经核对；近、余、以上等界限照写。列不下时先列结果、先列所在段落写到信访或纠纷的，各文档均列一些。",
        links={"指标": "to"},
    )


def disagreements(scan: Scan, most: int = 20) -> None:
    """Stated numbers that contradict each other, the sentence linked."""
    import pandas as pd

    if scan.statistics.empty:
        return
    relations = scan.relations
    failing = relations[relations["grade"] == "contradiction"]
    display.result("核对关系", len(relations), unit="项")
    display.result("不符关系", len(failing), unit="项")
    display.finding(
        "数字之间自动找到关系{核对关系}，其中{不符关系}前后不符。", None if failing.empty else "待核"
    )
    if failing.empty:
        return
    rows = failing.head(most).to_dict("records")
    placed = [next((span["start"] for span in row["spans"] if "start" in span), None) for row in rows]
    display.table(
        pd.DataFrame(
            {
                "核对结果": [row["message"] for row in rows],
                "文档": [scan.titles[row["doc_id"]] for row in rows],
                "to": [
                    None if start is None else scan.link(row["doc_id"], start)
                    for row, start in zip(rows, placed, strict=True)
                ],
            }
        ),
        name="disagreements",
        caption="前后不符的数字" + ("" if len(failing) <= most else f"（{len(failing)} 项中的前 {most} 项）"),
        note="只核对文中写出的数字之间的关系，可能另有口径；详见“数字核对”简报。",
        links={"核对结果": "to"},
    )


def citations(scan: Scan, most: int = 30) -> None:
    """The regulations and documents that they cite: version meant, short forms used, articles."""
    import pandas as pd

    if scan.documents.empty:
        return
    cited = scan.citations
    if cited.empty:
        display.note(f"{scan.name}没有引用法规文件。", "data")
        return
    # A document cited by its number alone is known by that.
    named = cited["title"].where(cited["title"].notna(), cited["number"])
    rows = []
    for (name, kind, version), uses in cited.assign(named=named).groupby(
        ["named", "kind", "version"], dropna=False, sort=False
    ):
        first = uses.iloc[0]
        titled = isinstance(first["title"], str)
        full = f"《{name}》" if titled else str(name)
        forms = [
            form for form in dict.fromkeys(uses["text"]) if titled and form.startswith("《") and form != full
        ]
        rows.append(
            {
                "文件": full if (uses["scope"] != "简称未定").any() else f"{full}（简称，未见全称）",
                "类别": kind,
                "版本": f"{version}年版" if isinstance(version, str) else None,
                "简称": "、".join(forms) or None,
                "次数": len(uses),
                "文档数": uses["doc_id"].nunique(),
                "条款": "、".join(dict.fromkeys(a for a in uses["article"] if isinstance(a, str))) or None,
                "to": scan.link(first["doc_id"], first["start"]),
            }
        )
    table = pd.DataFrame(rows).sort_values(["文档数", "次数"], ascending=False, kind="stable")
    display.result("引用的文件数", int(named.nunique()), unit="部")
    display.result("引用次数", len(cited), unit="次")
    display.finding("引用法规文件{引用的文件数}，共{引用次数}。")
    display.table(
        table.head(most),
        name="citations",
        caption="引用的法规文件",
        note="版本按引用文档的日期解析，日期不明或法规库未收的留空，同一文件引用不同版本分行列；简称归于其全称；"
        "书名号内的影视作品、报刊不计。",
        links={"文件": "to"},
    )


def commitments(scan: Scan, most: int = 20) -> None:
    """What they undertake: the measurable commitments, the strictest first."""
    import pandas as pd

    if scan.documents.empty:
        return
    table = scan.commitments
    if table.empty:
        display.note(f"{scan.name}没有发现承诺与任务（{'、'.join(NO_COMMITMENTS)}不计）。", "data")
        return
    measurable = table[table["measurable"].astype(bool)]
    display.result("承诺与任务数", len(table), unit="条")
    display.result("可核查的任务数", len(measurable), unit="条")
    display.finding("写有承诺与任务{承诺与任务数}，其中{可核查的任务数}写明时限或数量，可以核查。")
    if measurable.empty:
        return
    # Of equal strictness those that can be checked on a day of the calendar.
    chosen = measurable.assign(dated=measurable["by_date"].notna(), aimed=measurable["targets"].str.len() > 0)
    chosen = chosen.sort_values(["strength", "dated", "aimed"], ascending=False, kind="stable")
    # The strictest of every document before more of any; shown by strictness again.
    spread = chosen.assign(turn=chosen.groupby("doc_id").cumcount()).sort_values("turn", kind="stable")
    chosen = chosen.loc[chosen.index.isin(spread.index[:most])]
    frame = pd.DataFrame(
        {
            "任务": [short(unnumbered(words)) for words in chosen["text"]],
            "谁": [
                (who if stated else f"{who}（发文单位）") if isinstance(who, str) else None
                for who, stated in zip(chosen["who"], chosen["who_stated"], strict=True)
            ],
            "时限": chosen["by_when"],
            "数量": ["、".join(numbers) or None for numbers in chosen["targets"]],
            "语气": chosen["modality"],
            "文档": [scan.titles[doc_id] for doc_id in chosen["doc_id"]],
            "to": [
                scan.link(doc_id, start)
                for doc_id, start in zip(chosen["doc_id"], chosen["start"], strict=True)
            ],
        }
    )
    empty = [name for name in ("谁", "时限", "数量") if frame[name].isna().all()]
    display.table(
        frame.drop(columns=empty),
        name="commitments",
        caption="可核查的承诺与任务"
        + ("" if len(measurable) <= most else f"（{len(measurable)} 条中的前 {most} 条）"),
        note="按语气由强到弱，有确定日期的在前；列不下时各文档均列一些；由规则给出，待人工确认；法规的一般规定、论文、图片新闻和统计公报不计。",
        links={"任务": "to"},
    )


def amount(value: float, unit: Any) -> str:
    """A stated number with as many decimals as it needs, at most four; money as texts write it, in 万元 or 亿元."""
    value = float(value)
    if unit == "元" and abs(value) >= 10_000:
        value, unit = (value / 1e8, "亿元") if abs(value) >= 1e8 else (value / 1e4, "万元")
    decimals = len(f"{value:.4f}".rstrip("0").partition(".")[2])
    return format_value(value, unit if isinstance(unit, str) else None, decimals)


def _value(row: Mapping[Any, Any]) -> str:
    approx = row["approx"] if isinstance(row["approx"], str) else ""
    shown = _WAYS.get(row["direction"], "") + amount(row["value"], row["unit"])
    return f"{shown}（{approx}）" if approx else shown
