"""``policy-brief text``: what the documents say, one record a line with source, start and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .records import NO_TEXT, Format, Sources, emit, note_if_empty, read, say

if TYPE_CHECKING:
    import pandas as pd

    from ..corpus import Corpus

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _noun() -> None:
    """Hold the verbs of this noun."""


@app.command("code")
def code(
    src: Sources,
    frame: Annotated[
        str, typer.Option("--frame", help="编码表：自带的名称（five_part、directive …）或 YAML 文件")
    ] = "five_part",
    rules_only: Annotated[
        bool, typer.Option("--rules-only", help="只用规则，不用学得的权重（five_part 有权重）")
    ] = False,
    format: Format = "jsonl",
) -> None:
    """按编码表给每一句编码；没有类目的句子也列出（labels 为空）。"""
    from .. import text

    codebook = text.Codebook.load(frame)
    if rules_only:
        codebook = codebook.by_rules()
    corpus_ = read(src)
    codes = text.code(corpus_.documents, corpus_.sentences, codebook)
    coded = text.labels(codes, corpus_.sentences)
    outside = corpus_.documents.loc[~corpus_.documents["genre"].isin(codebook.genres), "genre"]
    if codebook.genres and len(outside):
        kinds = "、".join(sorted(set(outside.fillna("文种未定"))))
        say(
            f"{codebook.name}只用于{'、'.join(codebook.genres)}；{len(outside)} 篇不是（{kinds}），其编码不宜计数"
        )
    note_if_empty(corpus_, codes.empty, f"没有一句编到{codebook.name}的类目")
    columns = ["doc_id", "start", "end", "text", "labels", "rules", "confidence", "evidence"]
    table = coded[columns].rename(columns={"text": "sentence"})
    _write(table.assign(frame=codebook.frame, version=codebook.stated), corpus_, format)


@app.command("kwic")
def kwic(
    src: Sources,
    pattern: Annotated[str, typer.Argument(help="词语或正则表达式", show_default=False)],
    lexicon: Annotated[
        bool, typer.Option("--lexicon", help="PATTERN 是词表文件：按分词取词，印度不取自印度尼西亚")
    ] = False,
    width: Annotated[int | None, typer.Option(min=0, help="左右各多少字；默认整句")] = None,
    sort: Annotated[str, typer.Option(help="排序：position、left、right")] = "position",
    format: Format = "jsonl",
) -> None:
    """语境共现：检索式的每一处，连同它在句中的左右文。"""
    from .. import text

    corpus_ = read(src)
    wanted = text.Lexicon.load(pattern) if lexicon else pattern
    hits = text.kwic(corpus_.sentences, wanted, width=width, sort=sort)  # type: ignore[arg-type]  # kwic refuses the rest
    note_if_empty(corpus_, hits.empty, f"没有找到 {pattern!r}")
    _write(hits[["doc_id", "start", "end", "left", "text", "right"]], corpus_, format)


@app.command("phrases")
def phrases(
    src: Sources,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="一个提法一行：写法、构成、首次与末次使用、采纳地方")
    ] = False,
    discover: Annotated[
        bool, typer.Option("--discover", help="不带标记的固定搭配（互信息与边界熵）")
    ] = False,
    format: Format = "jsonl",
) -> None:
    """提法：每一处的位置、种类与构成。"""
    from .. import text

    corpus_ = read(src)
    documents = corpus_.documents
    if discover:
        table = text.discover(documents)
    else:
        table = text.mentions(documents)
        if ledger:
            first = {"first_doc_id": "doc_id", "first_start": "start", "first_end": "end"}
            table = text.ledger(table, documents).rename(columns=first)
    note_if_empty(corpus_, table.empty, table.attrs.get("note") or "没有找到提法")
    _write(table, corpus_, format)


@app.command("sheet")
def sheet(
    src: Sources,
    out: Annotated[Path, typer.Option(help="盲编表存到哪里（.xlsx 或 .csv）")],
    frame: Annotated[str, typer.Option("--frame", help="编码表")] = "five_part",
    n: Annotated[int, typer.Option("--n", min=1, help="抽多少句")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="随机种子")] = 2022,
    stratified: Annotated[
        bool, typer.Option("--stratified", help="一半从规则编到的句子里抽，各类目均等")
    ] = False,
    doubtful: Annotated[
        bool, typer.Option("--doubtful", help="只抽存疑的句子（概率不高不低的），人先看这些收效最大")
    ] = False,
) -> None:
    """抽一张盲编表：句子及其上下句，不显示规则的结果；两人各填一份。"""
    from .. import text
    from ..text import sheets

    corpus_ = read(src)
    frames = (corpus_.documents, corpus_.sentences, frame)
    codes = text.code(*frames) if stratified else None
    among = text.doubts(*frames) if doubtful else None
    drawn = text.draw(corpus_.sentences, frame, n=n, seed=seed, codes=codes, among=among)
    typer.echo(str(sheets.write(drawn, out)))


@app.command("agree")
def agree(
    sheet: Annotated[list[Path], typer.Argument(help="填好的编码表，两张以上", show_default=False)],
    corpus_dir: Annotated[
        Path | None, typer.Option("--corpus", help="给出语料，则把规则也当作一名编码者")
    ] = None,
    frame: Annotated[str, typer.Option("--frame", help="编码表")] = "five_part",
    format: Format = "jsonl",
) -> None:
    """一致性：各类目的 Cohen、Fleiss、Krippendorff 系数及区间。"""
    import pandas as pd

    from .. import text
    from ..text import sheets

    coders = [sheets.read(one, frame) for one in sheet]
    if corpus_dir is not None:
        corpus_ = read([corpus_dir])
        codes = text.code(corpus_.documents, corpus_.sentences, frame)
        mine = text.as_coder(codes, corpus_.sentences)
        coders.append(mine[mine["unit"].isin(set(coders[0]["unit"]))])
    table = text.agree(
        pd.concat(coders, ignore_index=True), [one.code for one in text.Codebook.load(frame).codes]
    )
    emit(table.to_dict("records"), format, list(table.columns))


@app.command("keyness")
def keyness(
    src: Annotated[Path, typer.Argument(help="文件或文件夹", show_default=False)],
    src2: Annotated[Path, typer.Argument(help="用来对比的文件或文件夹", show_default=False)],
    top: Annotated[int, typer.Option(min=1, help="每个方向列多少词")] = 50,
    correction: Annotated[str, typer.Option(help="多重检验校正：holm、bonferroni、bh、none")] = "holm",
    format: Format = "jsonl",
) -> None:
    """关键性：SRC 比 SRC2 更多用、更少用哪些词；每词给出第一处的位置。"""
    import numpy as np
    import pandas as pd

    from .. import text

    sides = [read([src]), read([src2])]
    documents = pd.concat([side.documents.assign(side=n) for n, side in enumerate(sides)], ignore_index=True)
    # A text on both sides must stay two documents.
    documents["doc_id"] = documents["side"].astype(str) + ":" + documents["doc_id"]
    counts = text.count(documents)
    table = text.keyness(
        counts,
        np.asarray(documents["side"] == 0),
        top=top,
        correction=correction,  # type: ignore[arg-type]  # keyness refuses the rest
    )
    emit(_first_uses(table.to_dict("records"), sides), format, ["source", "start", "end", *table.columns])


@app.command("cite")
def cite(
    src: Sources,
    refused: Annotated[
        bool, typer.Option("--refused", help="同时列出被判为作品或刊物的书名号内容及理由")
    ] = False,
    format: Format = "jsonl",
) -> None:
    """引用：书名号内的文件、简称、文号与条款，解析到当时有效的版本。"""
    from ..text.citations import cite as find

    corpus_ = read(src)
    table = find(corpus_.documents, refused=refused)
    note_if_empty(corpus_, table.empty, "没有找到引用")
    _write(table, corpus_, format)


@app.command("commitments")
def commitments(
    src: Sources,
    fulfilled: Annotated[bool, typer.Option("--fulfilled", help="在后来的文件中寻找落实情况")] = False,
    format: Format = "jsonl",
) -> None:
    """承诺与任务：谁、做什么、何时前、强度、可否衡量。"""
    from ..text.commitments import commitments as find
    from ..text.commitments import fulfilment

    corpus_ = read(src)
    table = find(corpus_.documents)
    if table.attrs["refused"]:
        kinds = "、".join(f"{genre} {count} 篇" for genre, count in sorted(table.attrs["refused"].items()))
        say(f"不作承诺的文章未读：{kinds}")
    note_if_empty(corpus_, table.empty, "没有找到承诺与任务")
    if fulfilled:
        table = fulfilment(table, corpus_.documents)
        table = _other_side(table, corpus_, "done", ["done_source", "done_start", "done_end"])
    _write(table, corpus_, format)


@app.command("reuse")
def reuse(
    src: Sources,
    gram: Annotated[int, typer.Option(min=4, help="最短多少个连续汉字算复用")] = 10,
    format: Format = "jsonl",
) -> None:
    """文本复用：后出文件与先出文件相同的段落，两边的位置都给出。"""
    from ..text.reuse import reuse as find

    corpus_ = read(src)
    table = find(corpus_.documents, gram=gram)
    alone = "只有一篇有正文的文档，无从比较" if corpus_.sentences["doc_id"].nunique() == 1 else None
    note_if_empty(corpus_, table.empty, alone or "没有发现复用的段落")
    table = _other_side(table, corpus_, "source", ["reused_from", "reused_start", "reused_end"])
    _write(table, corpus_, format)


@app.command("extract")
def extract(
    src: Sources,
    out: Annotated[Path, typer.Option(help="结果所在的文件夹")],
    verbs: Annotated[
        str, typer.Option("--verbs", help="codes、citations、commitments 中的一种或几种，逗号分隔")
    ] = "codes,citations,commitments",
    frame: Annotated[str, typer.Option("--frame", help="编码表：自带的名称或 YAML 文件")] = "five_part",
    workers: Annotated[int, typer.Option(min=1, help="并行的进程数")] = 1,
) -> None:
    """大语料：编码、引用、承诺分批存成 Parquet，每行带来源与起止；语料库（corpus build）再大也不占内存。"""
    import json

    from .. import text

    corpus_ = read(src)
    found = text.extract(
        corpus_,
        out,
        [verb.strip() for verb in verbs.replace("，", ",").split(",") if verb.strip()],
        frame=frame,
        workers=workers,
        progress=lambda done, total: typer.echo(f"\r[{done}/{total}] 篇\x1b[K", nl=False, err=True),
    )
    typer.echo("", err=True)
    told = json.loads((out / "extract.json").read_text(encoding="utf-8"))
    rows = "，".join(f"{verb} {told[verb]['rows']} 行" for verb in found)
    made = told[next(iter(found))]
    typer.echo(f"{made['documents']} 篇文档，{made['sentences']} 句；{rows}", err=True)
    if not made["sentences"]:
        say(NO_TEXT)
    for folder in found.values():
        typer.echo(str(folder))


def _write(table: pd.DataFrame, corpus_: Corpus, format: str) -> None:
    """A table with spans, their body offsets replaced by the place in the file as received."""
    position = dict(zip(corpus_.documents["doc_id"], corpus_.documents["position"], strict=True))

    def records() -> Iterator[dict[Any, Any]]:
        for record in table.to_dict("records"):
            span = corpus_.locate(record["doc_id"], int(record["start"]), int(record["end"]))
            yield {**record, **span._asdict(), "doc": position[record["doc_id"]]}

    said = [name for name in table.columns if name not in ("doc_id", "start", "end")]
    emit(records(), format, ["source", "start", "end", *said, "doc", "doc_id"])


def _other_side(table: pd.DataFrame, corpus_: Corpus, side: str, named: list[str]) -> pd.DataFrame:
    """A table whose rows point to a second document: its place in the file as received instead of body offsets."""
    import pandas as pd

    offsets = [f"{side}_start", f"{side}_end"]
    places = [
        corpus_.locate(doc_id, int(start), int(end)) if isinstance(doc_id, str) else (None, None, None)
        for doc_id, start, end in table[[f"{side}_doc_id", *offsets]].itertuples(index=False)
    ]
    found = pd.DataFrame(places, columns=named, index=table.index, dtype=object)
    return pd.concat([table.drop(columns=offsets), found], axis=1)


def _first_uses(records: Iterable[Mapping[Any, Any]], sides: list[Corpus]) -> Iterator[dict[str, Any]]:
    """Each term with the first place where the side that uses it more has it."""
    for record in records:
        where: dict[str, Any] = {"source": None, "start": None, "end": None}
        if record["term"] is not None:
            side = sides[0 if record["direction"] == "更多" else 1]
            for doc_id, body in zip(side.documents["doc_id"], side.documents["body"], strict=True):
                at = body.find(record["term"]) if isinstance(body, str) else -1
                if at >= 0:
                    where = side.locate(doc_id, at, at + len(record["term"]))._asdict()
                    break
        driver = record.get("driven_by")
        yield {**record, "driven_by": driver.partition(":")[2] if isinstance(driver, str) else None, **where}
