"""Stated numbers (数字核对): the chapters of the bulletin audit, and 数字核对 of the periodic briefs.

Every number links to the sentence that states it, and every sentence to its place in the file as received.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import display
from ... import facts as numbers
from ...display import drawings
from ...display.results import format_value
from . import claims
from .policy import Scan, open_scan
from .policy_claims import amount

if TYPE_CHECKING:
    import pandas as pd

    from .scope import Scope

GRADES = {"contradiction": "不符", "other base": "疑为口径不同", "rounding": "只差末位", "ok": "相符"}
TYPES = {
    "sum": "分项与合计",
    "ratio": "占比",
    "rate": "率与均值",
    "difference": "差数",
    "change": "增减",
    "wording": "基期措辞",
}
_ORDER = list(GRADES)
_CHARTED = 6


def open_audit(corpus: str | Path, period: str | None = None, region: str | None = None) -> Audit:
    """Read bulletins for an audit: a file, a folder, or a built corpus; a draft before it is signed will do.

    Raises
    ------
    RequestError
        No such period or region.
    InputError
        No such file or folder.
    """
    return Audit(open_scan(corpus, period, region))


@dataclass(frozen=True)
class Audit:
    """Documents with their numbers, relations and series, each computed once."""

    scan: Scan

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Numbers of all documents of the place: the issues before the period are needed to compare with."""
        tables = self.scan.corpus.tables
        kept = tables[tables["doc_id"].isin(set(self.scan.every["doc_id"]))]
        return numbers.extract(self.scan.every, None, kept)

    @cached_property
    def shown(self) -> pd.DataFrame:
        """Numbers of the period's documents."""
        return self.statistics[self.statistics["doc_id"].isin(set(self.scan.documents["doc_id"]))]

    @cached_property
    def relations(self) -> pd.DataFrame:
        """Relations of the period's documents."""
        table = numbers.audit(self.statistics, self.scan.every)
        return table[table["doc_id"].isin(set(self.scan.documents["doc_id"]))]

    @cached_property
    def failing(self) -> pd.DataFrame:
        """Those that do not hold, the graver first."""
        table = self.relations[~self.relations["holds"].astype(bool)]
        return table.assign(rank=table["grade"].map(_ORDER.index)).sort_values("rank", kind="stable")

    @cached_property
    def series(self) -> pd.DataFrame:
        """Series over all issues of the place."""
        return numbers.series(self.statistics, self.scan.every)

    def link(self, row: Mapping[Any, Any]) -> str | None:
        """The evidence of a record: its sentence; a table's cell stands in no sentence."""
        start = row["start"]
        return (
            None
            if start is None or start != start or str(start) == "<NA>"
            else self.scan.link(row["doc_id"], int(start))
        )

    def cited(self, relation: Mapping[Any, Any]) -> str | None:
        """The evidence of a relation: the sentence of its first number that stands in one."""
        for span in relation["spans"]:
            if "start" in span:
                return self.scan.link(relation["doc_id"], int(span["start"]))
        return None


def overview(audit: Audit) -> None:
    """What was read, and what the audit came to."""
    relations, failing = audit.relations, audit.failing
    display.result("通报数", len(audit.scan.documents), unit="篇")
    display.result("提取数字", len(audit.shown), unit="项")
    display.result("核对关系", len(relations), unit="项")
    display.result("相符关系", int(relations["holds"].astype(bool).sum()), unit="项")
    for grade in _ORDER[:-1]:
        display.result(GRADES[grade], int((failing["grade"] == grade).sum()), unit="项")
    if audit.scan.documents.empty:
        display.note(f"{audit.scan.name}没有可核对的文档，以下各节从略。", "data")
        return
    display.finding(
        "从{通报数}文档提取数字{提取数字}，自动找到数字之间的关系{核对关系}，其中{相符关系}相符。"
    )
    if failing.empty:
        display.finding("没有发现前后不符的数字。")
    else:
        display.finding(
            "不相符的关系中，{不符}为前后不符，{疑为口径不同}可能是口径或基期不同，{只差末位}只差末位。",
            "待核",
        )


def disagreements(audit: Audit, most: int = 60) -> None:
    """Each relation that does not hold: one sentence, its grade, and the sentence it cites."""
    import pandas as pd

    table = audit.failing
    if table.empty:
        return
    rows = table.head(most).to_dict("records")
    display.table(
        pd.DataFrame(
            {
                "文档": [audit.scan.titles[row["doc_id"]] for row in rows],
                "核对结果": [row["message"] for row in rows],
                "类型": [TYPES[row["type"]] for row in rows],
                "所述": [format_value(row["stated"], digits=_digits(row["stated"])) for row in rows],
                "推算": [format_value(row["expected"], digits=_digits(row["expected"])) for row in rows],
                "判断": [GRADES[row["grade"]] for row in rows],
                "to": [audit.cited(row) for row in rows],
            }
        ),
        name="disagreements",
        caption=audit.scan.titled("数字核对不相符的关系")
        + ("" if len(table) <= most else f"（{len(table)} 项中的前 {most} 项）"),
        note="推算值由同一文中或前几期的其他数字得出；四舍五入以所述末位的半个单位为界，界内不算不符。判断供核对，不是结论。",
        links={"核对结果": "to"},
    )


def kinds(audit: Audit) -> None:
    """How many relations of each kind were found, and how they came out."""
    import pandas as pd

    if audit.relations.empty:
        return
    counted = audit.relations.groupby(["type", "grade"]).size().unstack(fill_value=0)
    frame = pd.DataFrame({"类型": [TYPES[name] for name in counted.index]})
    for grade in reversed(_ORDER):
        frame[GRADES[grade]] = [int(v) for v in counted[grade]] if grade in counted else 0
    display.table(frame, name="relation-kinds", caption="找到的关系，按类型")


def records(audit: Audit, most: int = 120) -> None:
    """The numbers themselves, in the order of the documents."""
    import pandas as pd

    table = audit.shown
    if table.empty:
        return
    rows = table.head(most).to_dict("records")
    display.table(
        pd.DataFrame(
            {
                "文档": [audit.scan.titles[row["doc_id"]] for row in rows],
                "指标": [row["indicator"] or "（未写明）" for row in rows],
                "数值": [_value(row) for row in rows],
                "时期": [row["period"] for row in rows],
                "主体": [row["subject"] for row in rows],
                "系统": [row["system"] for row in rows],
                "性质": [
                    "目标或规定" if row["target"] else "表中数" if row["table"] else "结果" for row in rows
                ],
                "to": [audit.link(row) for row in rows],
            }
        ),
        name="numbers",
        caption=audit.scan.titled("提取的数字")
        + ("" if len(table) <= most else f"（{len(table)} 项中的前 {most} 项，其余见附表）"),
        note="指标用原文的词；近、余、以上等界限照写；不同系统（信访、12345、信箱等）的数字不相加。",
        links={"指标": "to"},
    )


def series(audit: Audit, most: int = 80) -> None:
    """The same figure issue after issue, with gaps, revisions and changed definitions; charts of the longest."""
    import pandas as pd

    table = audit.series
    lengths = (
        table[table["value"].notna()].groupby("series")["period_start"].nunique()
        if len(table)
        else pd.Series(dtype=int)
    )
    kept = lengths[lengths >= 2].sort_values(ascending=False, kind="stable")
    if kept.empty:
        display.note("没有两期以上的同一指标，不成序列。", "data")
        return
    chosen = table[table["series"].isin(set(kept.index))]
    display.result("序列数", len(kept), unit="个")
    for status in ("缺期", "修订", "口径变化"):
        display.result(f"{status}数", int((chosen["status"] == status).sum()), unit="处")
    stated = chosen["agrees"].dropna()
    display.result("可核对的增减", len(stated), unit="处")
    display.result("与序列不一致的增减", int((~stated.astype(bool)).sum()), unit="处")
    display.finding(
        "两期以上的序列{序列数}；缺期{缺期数}，修订{修订数}，口径变化{口径变化数}；所述增减可与序列核对的{可核对的增减}，不一致的{与序列不一致的增减}。"
    )
    for at, name in enumerate(_telling(chosen, kept)):
        part = chosen[(chosen["series"] == name) & (chosen["status"] != "重复")].drop_duplicates(
            "period_start", keep="last"
        )
        label = f"{part['body'].iloc[0] or ''}{part['indicator'].iloc[0]}"
        unit = part["unit"].iloc[0]
        figure = drawings.lines(part, x="period", series={str(label): "value"}, unit=unit or "无单位")
        known = part[part["value"].notna()]
        display.chart(
            figure,
            name=f"series-{at + 1}",
            caption=f"{label}（{part['system'].iloc[0] or '系统未注明'}）",
            alt=f"{label}共{len(known)}期，由{known['period'].iloc[0]}的{amount(known['value'].iloc[0], unit)}"
            f"到{known['period'].iloc[-1]}的{amount(known['value'].iloc[-1], unit)}",
            note="断处为缺期。" if len(known) < len(part) else None,
        )
    rows = chosen.head(most).to_dict("records")
    display.table(
        pd.DataFrame(
            {
                "指标": [row["indicator"] for row in rows],
                "主体": [row["body"] for row in rows],
                "系统": [row["system"] for row in rows],
                "时期": [row["period"] for row in rows],
                "数值": [
                    None if row["value"] != row["value"] else amount(row["value"], row["unit"])
                    for row in rows
                ],
                "所述增减": [_moved(row["stated_change"], row["stated_unit"]) for row in rows],
                "推算增减": [_moved(row["computed_change"], row["stated_unit"] or "%") for row in rows],
                "标记": [
                    "；".join(part for part in (row["status"], row["note"]) if isinstance(part, str))
                    for row in rows
                ],
                "to": [audit.link(row) if isinstance(row["doc_id"], str) else None for row in rows],
            }
        ),
        name="series",
        caption="跨期序列" + ("" if len(chosen) <= most else f"（{len(chosen)} 行中的前 {most} 行）"),
        note="修订指另一期对同一时期给出不同的数；口径变化指单位或名称改变，前后不宜直接相比。",
        links={"数值": "to"},
    )


def basis(audit: Audit) -> None:
    """The sentences that the tables link to."""
    import pandas as pd

    if audit.scan.shown:
        display.evidence(pd.DataFrame(audit.scan.shown.values()))


def chapter(
    corpus: str | Path | None,
    period: str,
    region: str | None = None,
    *,
    scope: Scope | None = None,
    most: int = 20,
) -> None:
    """数字核对 of a periodic brief: what the period's bulletins state and what in them does not agree.

    ``corpus`` may be ``None`` or without a document of the period: then the chapter says so. With case data (``scope``) the
    changes that the texts state are held against them.
    """
    import pandas as pd

    display.text("## 数字核对")
    if corpus is None:
        display.note("没有提供通报等文本，本章从略。", "data")
        return
    audit = open_audit(corpus, period, region)
    overview(audit)
    if audit.scan.documents.empty:
        return
    disagreements(audit, most)
    if scope is not None:
        claims.held(audit.shown, audit.link, scope)
    if audit.scan.shown:
        display.text("### 数字核对依据")
        display.evidence(pd.DataFrame(audit.scan.shown.values()))


def _telling(chosen: pd.DataFrame, lengths: pd.Series) -> list[str]:
    """The series worth a chart: whole-document figures first, then the longest."""
    named = chosen.drop_duplicates("series").set_index("series")
    registered = named["indicator_id"].notna() & ~named["indicator"].str.endswith("占比")
    ranked = sorted(
        lengths.index,
        key=lambda name: (not bool(registered.get(name, False)), -int(lengths[name]), str(name)),
    )
    return [name for name in ranked if lengths[name] >= 3][:_CHARTED]


def _value(row: Mapping[Any, Any]) -> str:
    value = amount(row["value"], row["unit"])
    if row["direction"]:
        value = f"{row['base'] or ''}{'升' if row['direction'] == 'up' else '降'}{value}"
    return f"{value}（{row['approx']}）" if row["approx"] else value


def _moved(value: Any, unit: Any) -> str | None:
    if value is None or value != value:
        return None
    sign = "+" if value > 0 else ""
    return sign + format_value(float(value), unit if isinstance(unit, str) else "", 2)


def _digits(value: float) -> int:
    """Decimals that a stated number needs, at most four."""
    return len(f"{float(value):.4f}".rstrip("0").partition(".")[2])
