"""What policy texts say (政策文本): the chapters of the policy scan, and 政策文本动态 of the periodic briefs.

Every row of every table links to the sentence it rests on, and every sentence to its place in the file as received.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import corpus as corpora
from ... import display, facts, text
from ...display import drawings
from ...display.results import format_value
from ...periods import Period
from ...regions import load as load_regions
from ...text import sheets as coding_sheets
from ...text.citations import cite
from ...text.commitments import NOT_MADE_FOR
from ...text.commitments import commitments as find_commitments
from ...text.dates import document_dates, stated_date
from ...text.uptake import STATUS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ...corpus import Corpus

PARTS = ("预防", "受理", "办理", "监督追责", "维护秩序")
KINDS = {
    "slogan": "口号",
    "mechanism": "机制",
    "programme": "行动工程",
    "system": "制度体系",
    "index": "指数",
    "framework": "格局框架",
}
# Standing duties of a regulation are nobody's commitment of the period.
NO_COMMITMENTS = (*NOT_MADE_FOR, "法规")
# A numbered heading that ends with a full stop: （四）监督追责法治化。
_LISTED = re.compile(r"[（(]?[一二三四五六七八九十\d]+[）)、.．]\s*[^，；：。]{2,16}。?")
_ENUMERATED = re.compile(r"^\s*([一二三四五六七八九十]+是要?|\d+[.．、])\s*")
PROPOSED = "编码由规则给出，是待人工确认的建议；每条可点到原句核对。"


def open_scan(
    corpus: str | Path,
    period: str | None = None,
    region: str | None = None,
    sheets: str | Path | None = None,
) -> Scan:
    """Read a corpus for a scan.

    Parameters
    ----------
    corpus
        File or folder of policy texts, or a built corpus.
    period
        The period scanned, such as ``2024`` or ``2024Q1``; without it all documents, dated or not.
    region
        Only documents about the region, what lies within it, and what lies above it.
    sheets
        A filled coding sheet, or a folder of them, one a coder: people's codes then stand in the place of the rules'.

    Raises
    ------
    RequestError
        No such period or region.
    InputError
        No such corpus.
    """
    read = corpora.open_store(corpus) if (Path(corpus) / "corpus.json").exists() else corpora.read(corpus)
    files = (
        [] if sheets is None else sorted(Path(sheets).iterdir()) if Path(sheets).is_dir() else [Path(sheets)]
    )
    filled = [coding_sheets.read(file) for file in files if file.suffix in (".csv", ".xlsx")]
    return Scan(read, Period.parse(period) if period else None, region, tuple(filled))


@dataclass(frozen=True)
class Scan:
    """A corpus and a period, with everything that the chapters show computed once."""

    corpus: Corpus
    period: Period | None = None
    region: str | None = None
    sheets: tuple[pd.DataFrame, ...] = ()
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def every(self) -> pd.DataFrame:
        """All documents of the place, with ``date``, of whatever period."""
        documents = self.corpus.documents
        if self.region is not None:
            wanted = {self.region, *(above.code for above in load_regions().path(self.region))}
            code = documents["region_code"].astype("string")
            prefix = self.region.rstrip("0") if self.region.endswith("00") else self.region
            documents = documents[code.isin(wanted) | code.str.startswith(prefix).fillna(False)]
        dates: list[Any] = document_dates(documents)
        return documents.assign(date=dates)

    @cached_property
    def documents(self) -> pd.DataFrame:
        """Documents of the period; all when no period was asked for."""
        if self.period is None:
            return self.every
        return self.every[[isinstance(day, dt.date) and day in self.period for day in self.every["date"]]]

    @cached_property
    def sentences(self) -> pd.DataFrame:
        """Their sentences."""
        everything = self.corpus.sentences
        return everything[everything["doc_id"].isin(set(self.documents["doc_id"]))]

    @cached_property
    def counts(self) -> text.Counts:
        """Terms of all documents of the place."""
        return text.count(self.every)

    @cached_property
    def mentions(self) -> pd.DataFrame:
        """Uses of phrases in all documents of the place: first use needs the earlier ones."""
        return text.mentions(self.every)

    @cached_property
    def codes(self) -> pd.DataFrame:
        """Five-part codes of the period's sentences: people's where there are any, else the rules'."""
        rules = self.rules
        people = self.people
        return rules if people is None else text.override(rules, people, self.sentences)

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Phrases that the period's documents use."""
        return text.ledger(
            self.mentions[self.mentions["doc_id"].isin(set(self.documents["doc_id"]))], self.every
        )

    @cached_property
    def turnover(self) -> pd.DataFrame:
        """Phrases of the period against those of the period before; asked for only where there is a period."""
        assert self.period is not None
        return text.turnover(self.mentions, self.every, self.period)

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Numbers that the period's documents state."""
        tables = self.corpus.tables
        kept = tables[tables["doc_id"].isin(set(self.documents["doc_id"]))]
        return facts.extract(self.documents, self.sentences, kept)

    @cached_property
    def relations(self) -> pd.DataFrame:
        """Relations between those numbers."""
        return facts.audit(self.statistics, self.documents)

    @cached_property
    def citations(self) -> pd.DataFrame:
        """Documents that the period's documents cite; what they say of themselves (本规定第四条) is no citation."""
        cited = cite(self.documents)
        return cited[cited["kind"] != "本文"]

    @cached_property
    def commitments(self) -> pd.DataFrame:
        """What the period's documents undertake or order."""
        return find_commitments(self.documents, genres_refused=NO_COMMITMENTS)

    @cached_property
    def rules(self) -> pd.DataFrame:
        """What the rules propose."""
        return text.code(self.documents, self.sentences, "five_part")

    @cached_property
    def people(self) -> pd.DataFrame | None:
        """What people coded, of the period's sentences."""
        import pandas as pd

        if not self.sheets:
            return None
        every = pd.concat(self.sheets, ignore_index=True)
        return every[every["doc_id"].isin(set(self.documents["doc_id"]))]

    @cached_property
    def titles(self) -> dict[str, str]:
        """doc_id → what to call the document."""
        named = zip(self.every["doc_id"], self.every["title"], self.every["source"], strict=True)
        return {
            doc_id: title if isinstance(title, str) else f"（无题）{source}"
            for doc_id, title, source in named
        }

    @property
    def name(self) -> str:
        """The period in words, for sentences."""
        return "语料" if self.period is None else self.period.label

    def titled(self, caption: str) -> str:
        """A caption with the period before it, where there is one."""
        return caption if self.period is None else f"{self.period.label}{caption}"

    def in_period(self) -> np.ndarray:
        """Which documents of the place are the period's."""
        return self.every["doc_id"].isin(set(self.documents["doc_id"])).to_numpy()

    def link(self, doc_id: str, start: int) -> str | None:
        """Id of the evidence for a place: the sentence around it, listed once at the end of the brief."""
        doc_id = str(doc_id)
        rows = self._sentences_of.get(doc_id)
        if rows is None:
            return None
        starts, records = rows
        import bisect

        number = max(bisect.bisect_right(starts, int(start)) - 1, 0)
        sentence, begin, end, words = records[number]
        # Eight digits tell documents apart in any corpus a brief can list.
        key = f"{doc_id[:8]}-{sentence}"
        if key not in self.shown:
            span = self.corpus.locate(doc_id, begin, end)
            self.shown[key] = {
                "id": key,
                "source": span.source,
                "start": span.start,
                "end": span.end,
                "text": words,
            }
        return key

    @cached_property
    def _sentences_of(self) -> dict[str, tuple[list[int], list[tuple[int, int, int, str]]]]:
        found: dict[str, tuple[list[int], list[tuple[int, int, int, str]]]] = {}
        table = self.corpus.sentences
        for doc_id, number, start, end, words in zip(
            *(table[column] for column in ("doc_id", "sentence", "start", "end", "text")), strict=True
        ):
            starts, records = found.setdefault(str(doc_id), ([], []))
            starts.append(int(start))
            records.append((int(number), int(start), int(end), words))
        return found


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
        stated
        for day, stated in sorted(
            (row["date"], _stated(row))
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
            "日期": [_stated(row) or None for row in documents.to_dict("records")],
            "字数": documents["chars"],
            "说明": [_remarks(row) for row in documents.to_dict("records")],
            "to": [scan.link(doc_id, 0) for doc_id in documents["doc_id"]],
        }
    )
    display.table(
        table,
        name="documents",
        caption=scan.titled("文档一览"),
        note="日期为文中可考的发布或事件日期，未写年份的只列月日，不推断。标题链到正文首句。",
        links={"标题": "to"},
    )


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
        note=_joined("TF-IDF 权重按文档归一后求和；链到首次出现的句子。", table["note"]),
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
        note=_joined("G² 为四格对数似然比，列出未校正 p < 0.01 的词；对数比为两期相对频率之比的二进对数；一半以上用例来自同一篇的予以标明。", compared["note"]),
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
    stated = {row["doc_id"]: _stated(row) for row in scan.every.to_dict("records")}
    display.table(
        pd.DataFrame(
            {
                "提法": chosen["phrase"],
                "构成": ["；".join(parts) for parts in chosen["parts"]],
                "种类": chosen["kind"].map(KINDS),
                "次数": chosen["uses"],
                "文档数": chosen["documents"],
                "首见": [_first_seen(row, stated) for row in chosen.to_dict("records")],
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
        display.note("没有人工编码，一致性无从计算；编码均为规则的建议。", "method")
    else:
        agreement(scan, scan.people)
    if codes.empty:
        return
    most_said = PARTS[int(summary["句数"].to_numpy().argmax())]
    display.chart(
        drawings.bars(summary, label="部分", value="句数", unit="句"),
        name="five-part",
        caption="谈到五部分的句数",
        alt="横条图："
        + "，".join(f"{part}{n}句" for part, n in zip(summary["部分"], summary["句数"], strict=True))
        + f"；最多的是{most_said}。",
        note="一句可以属于几个部分。" + PROPOSED,
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
        found = prose[prose["code"] == part].sort_values("confidence", ascending=False, kind="stable")
        # The best of every document before the second best of any.
        found = found.assign(turn=found.groupby("doc_id").cumcount()).sort_values("turn", kind="stable")
        found = found.head(most)
        for doc_id, start, words, spans in zip(
            *(found[column] for column in ("doc_id", "start", "text", "evidence")), strict=True
        ):
            rests_on = dict.fromkeys(words[left - start : right - start] for left, right in spans)
            rows.append(
                {
                    "部分": part,
                    "依据词": "、".join(rests_on),
                    "句": _short(words),
                    "文档": scan.titles[doc_id],
                    "to": scan.link(doc_id, start),
                }
            )
    display.table(
        pd.DataFrame(rows),
        name="parts-sentences",
        caption=f"五部分的例句（每部分至多 {most} 句）",
        note="不列标题。" + PROPOSED,
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
    shown = table.sort_values("target", kind="stable").head(most)
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
        note="数字照录原文口径，未经核对；近、余、以上等界限照写。",
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
        short = [
            form for form in dict.fromkeys(uses["text"]) if titled and form.startswith("《") and form != full
        ]
        rows.append(
            {
                "文件": full,
                "类别": kind,
                "版本": f"{version}年版" if isinstance(version, str) else None,
                "简称": "、".join(short) or None,
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
        display.note(f"{scan.name}没有发现承诺与任务。", "data")
        return
    measurable = table[table["measurable"].astype(bool)]
    display.result("承诺与任务数", len(table), unit="条")
    display.result("可核查的任务数", len(measurable), unit="条")
    display.finding("写有承诺与任务{承诺与任务数}，其中{可核查的任务数}写明时限或数量，可以核查。")
    if measurable.empty:
        return
    # Of equal strictness those that can be checked on a day of the calendar.
    chosen = measurable.assign(dated=measurable["by_date"].notna(), aimed=measurable["targets"].str.len() > 0)
    chosen = chosen.sort_values(["strength", "dated", "aimed"], ascending=False, kind="stable").head(most)
    display.table(
        pd.DataFrame(
            {
                "任务": [_short(_ENUMERATED.sub("", words)) for words in chosen["text"]],
                "谁": [
                    (_ENUMERATED.sub("", who) if stated else f"{who}（发文单位）")
                    if isinstance(who, str)
                    else None
                    for who, stated in zip(chosen["who"], chosen["who_stated"], strict=True)
                ],
                "时限": chosen["by_when"],
                # The day of a deadline is no quantity.
                "数量": [
                    "、".join(number for number in numbers if number not in str(when)) or None
                    for numbers, when in zip(chosen["targets"], chosen["by_when"], strict=True)
                ],
                "语气": chosen["modality"],
                "文档": [scan.titles[doc_id] for doc_id in chosen["doc_id"]],
                "to": [
                    scan.link(doc_id, start)
                    for doc_id, start in zip(chosen["doc_id"], chosen["start"], strict=True)
                ],
            }
        ),
        name="commitments",
        caption="可核查的承诺与任务"
        + ("" if len(measurable) <= most else f"（{len(measurable)} 条中的前 {most} 条）"),
        note="按语气由强到弱，有确定日期的在前；由规则给出，待人工确认；法规的一般规定、论文、图片新闻和统计公报不计。",
        links={"任务": "to"},
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
                    (f"编码表 {one}", text.Codebook.load(one).version, text.Codebook.load(one).name)
                    for one in ("five_part", "directive")
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


def _stated(row: Mapping[Any, Any]) -> str:
    """The fullest date that the text supports: of the event or of publication, or a day without its year."""
    day = row.get("event_day")
    return stated_date(row) or (str(day) if isinstance(day, str) else "")


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


def _first_seen(row: Mapping[Any, Any], stated: dict[str, str]) -> str:
    when = stated.get(row["first_doc_id"], "") if isinstance(row["first_date"], dt.date) else ""
    level = f"{row['first_level']}级" if isinstance(row["first_level"], str) else ""
    region = row["first_region"] if isinstance(row["first_region"], str) else ""
    return " ".join(part for part in (when, region, level) if part) or "不详"


def _value(row: Mapping[Any, Any]) -> str:
    approx = row["approx"] if isinstance(row["approx"], str) else ""
    shown = format_value(row["value"], row["unit"] if isinstance(row["unit"], str) else None)
    return f"{shown}（{approx}）" if approx else shown


def _short(words: str, most: int = 60) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _joined(note: str, more: Any) -> str:
    said = next((each for each in more if isinstance(each, str)), None)
    return f"{note}{said}。" if said else note
