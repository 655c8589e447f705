"""``policy-brief text``: what the documents say, one record a line with source, start and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..corpus import Corpus

app = typer.Typer(no_args_is_help=True)

Source = Annotated[
    list[Path],
    typer.Argument(
        help="文件或文件夹（txt、html、docx、pdf、md），可多个；或一个建好的语料库", show_default=False
    ),
]
Format = Annotated[str, typer.Option("--format", help="输出格式：jsonl 或 csv")]
#: So many files that were not taken are named; the rest are counted.
_TOLD = 10
_NO_TEXT = "没有可分析的正文"


@app.callback()
def _noun() -> None:
    """Hold the verbs of this noun."""


@app.command("code")
def code(
    src: Source,
    frame: Annotated[
        str, typer.Option("--frame", help="编码表：自带的名称（five_part、directive …）或 YAML 文件")
    ] = "five_part",
    format: Format = "jsonl",
) -> None:
    """按编码表给每一句编码；没有类目的句子也列出（labels 为空）。"""
    from .. import text

    codebook = text.Codebook.load(frame)
    corpus_ = _read(src)
    codes = text.code(corpus_.documents, corpus_.sentences, codebook)
    coded = text.labels(codes, corpus_.sentences)
    outside = corpus_.documents.loc[~corpus_.documents["genre"].isin(codebook.genres), "genre"]
    if codebook.genres and len(outside):
        kinds = "、".join(sorted(set(outside.fillna("文种未定"))))
        _say(
            f"{codebook.name}只用于{'、'.join(codebook.genres)}；{len(outside)} 篇不是（{kinds}），其编码不宜计数"
        )
    _note_if_empty(corpus_, codes.empty, f"没有一句编到{codebook.name}的类目")
    _emit(
        (
            {
                "sentence": row.text,
                "labels": row.labels,
                "rules": row.rules,
                "evidence": row.evidence,
                "frame": codebook.frame,
                "version": codebook.version,
            }
            | where
            for row, where in _placed(coded, corpus_)
        ),
        format,
    )


@app.command("kwic")
def kwic(
    src: Source,
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

    corpus_ = _read(src)
    wanted = text.Lexicon.load(pattern) if lexicon else pattern
    hits = text.kwic(corpus_.sentences, wanted, width=width, sort=sort)  # type: ignore[arg-type]  # kwic refuses the rest
    _note_if_empty(corpus_, hits.empty, f"没有找到 {pattern!r}")
    _emit(
        (
            {"left": row.left, "text": row.text, "right": row.right} | where
            for row, where in _placed(hits, corpus_)
        ),
        format,
    )


@app.command("phrases")
def phrases(
    src: Source,
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

    corpus_ = _read(src)
    documents = corpus_.documents
    if discover:
        table = text.discover(documents)
    else:
        table = text.mentions(documents)
        if ledger:
            first = {"first_doc_id": "doc_id", "first_start": "start", "first_end": "end"}
            table = text.ledger(table, documents).rename(columns=first)
    _note_if_empty(corpus_, table.empty, table.attrs.get("note") or "没有找到提法")
    _emit(_records(table, corpus_), format)


@app.command("sheet")
def sheet(
    src: Source,
    out: Annotated[Path, typer.Option(help="盲编表存到哪里（.xlsx 或 .csv）")],
    frame: Annotated[str, typer.Option("--frame", help="编码表")] = "five_part",
    n: Annotated[int, typer.Option("--n", min=1, help="抽多少句")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="随机种子")] = 2022,
    stratified: Annotated[
        bool, typer.Option("--stratified", help="一半从规则编到的句子里抽，各类目均等")
    ] = False,
) -> None:
    """抽一张盲编表：句子及其上下句，不显示规则的结果；两人各填一份。"""
    from .. import text
    from ..text import sheets

    corpus_ = _read(src)
    codes = text.code(corpus_.documents, corpus_.sentences, frame) if stratified else None
    drawn = text.draw(corpus_.sentences, frame, n=n, seed=seed, codes=codes)
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
        corpus_ = _read([corpus_dir])
        codes = text.code(corpus_.documents, corpus_.sentences, frame)
        mine = text.as_coder(codes, corpus_.sentences)
        coders.append(mine[mine["unit"].isin(set(coders[0]["unit"]))])
    table = text.agree(
        pd.concat(coders, ignore_index=True), [one.code for one in text.Codebook.load(frame).codes]
    )
    _emit(
        ({str(key): value for key, value in record.items()} for record in table.to_dict("records")),
        format,
        (),
    )


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

    sides = [_read([src]), _read([src2])]
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
    _emit(_first_uses(table.to_dict("records"), sides), format)


@app.command("cite")
def cite(
    src: Source,
    refused: Annotated[
        bool, typer.Option("--refused", help="同时列出被判为作品或刊物的书名号内容及理由")
    ] = False,
    format: Format = "jsonl",
) -> None:
    """引用：书名号内的文件、简称、文号与条款，解析到当时有效的版本。"""
    from ..text.citations import cite as find

    corpus_ = _read(src)
    table = find(corpus_.documents, refused=refused)
    _note_if_empty(corpus_, table.empty, "没有找到引用")
    _emit(_records(table, corpus_), format)


@app.command("commitments")
def commitments(
    src: Source,
    fulfilled: Annotated[bool, typer.Option("--fulfilled", help="在后来的文件中寻找落实情况")] = False,
    format: Format = "jsonl",
) -> None:
    """承诺与任务：谁、做什么、何时前、强度、可否衡量。"""
    from ..text.commitments import commitments as find
    from ..text.commitments import fulfilment

    corpus_ = _read(src)
    table = find(corpus_.documents)
    if table.attrs["refused"]:
        kinds = "、".join(f"{genre} {count} 篇" for genre, count in sorted(table.attrs["refused"].items()))
        _say(f"不作承诺的文章未读：{kinds}")
    _note_if_empty(corpus_, table.empty, "没有找到承诺与任务")
    _emit(_records(fulfilment(table, corpus_.documents) if fulfilled else table, corpus_), format)


@app.command("reuse")
def reuse(
    src: Source,
    gram: Annotated[int, typer.Option(min=4, help="最短多少个连续汉字算复用")] = 10,
    format: Format = "jsonl",
) -> None:
    """文本复用：后出文件与先出文件相同的段落，两边的位置都给出。"""
    from ..text.reuse import reuse as find

    corpus_ = _read(src)
    table = find(corpus_.documents, gram=gram)
    alone = "只有一篇有正文的文档，无从比较" if corpus_.sentences["doc_id"].nunique() == 1 else None
    _note_if_empty(corpus_, table.empty, alone or "没有发现复用的段落")
    places = zip(table["source_doc_id"], table["source_start"], table["source_end"], strict=True)
    origin = [corpus_.locate(doc, int(start), int(end)) for doc, start, end in places]
    # The other side's place replaces its body offsets, as start and end do on this side.
    table = table.assign(
        reused_from=[span.source for span in origin],
        reused_start=[span.start for span in origin],
        reused_end=[span.end for span in origin],
    ).drop(columns=["source_start", "source_end"])
    _emit(_records(table, corpus_), format)


@app.command("extract")
def extract(
    src: Source,
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

    corpus_ = _read(src)
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
    rows = "，".join(f"{verb} {told[verb]} 行" for verb in found)
    typer.echo(f"{told['documents']} 篇文档，{told['sentences']} 句；{rows}", err=True)
    if not told["sentences"]:
        _say(_NO_TEXT)
    for folder in found.values():
        typer.echo(str(folder))


def _read(src: list[Path]) -> Corpus:
    """The documents of files and folders, or of one corpus on disk; what was not taken is told."""
    from .. import corpus
    from ..corpus.export import load

    corpus_ = load(src[0]) if len(src) == 1 else corpus.read(src)
    # Those not read at all (拒收) before those read with a remark (提示).
    for row in corpus_.rejects.sort_values("severity", kind="stable").head(_TOLD).itertuples():
        typer.echo(f"{row.severity} {row.source}：{row.rule}——{row.message}", err=True)
    if len(corpus_.rejects) > _TOLD:
        _say(f"拒收与提示共 {len(corpus_.rejects)} 条，全部见 policy-brief corpus show")
    return corpus_


def _records(table: Any, corpus_: Corpus) -> Iterator[dict[str, Any]]:
    """All columns of a table with spans, its body offsets replaced by the place in the file as received."""
    for (_, where), record in zip(_placed(table, corpus_), table.to_dict("records"), strict=True):
        yield record | where


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


def _placed(table: Any, corpus_: Corpus) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Rows of a table with doc_id, start and end, each with its place in the file as received."""
    position = dict(zip(corpus_.documents["doc_id"], corpus_.documents["position"], strict=True))
    for row in table.itertuples(index=False):
        span = corpus_.locate(row.doc_id, int(row.start), int(row.end))
        yield (
            row,
            {
                "source": span.source,
                "start": span.start,
                "end": span.end,
                "doc": int(position[row.doc_id]),
                "doc_id": row.doc_id,
            },
        )


def _note_if_empty(corpus_: Corpus, empty: bool = False, message: str = "") -> None:
    if corpus_.sentences.empty:
        message = _NO_TEXT
    elif not empty:
        return
    _say(message)


def _say(message: str) -> None:
    typer.echo(f"policy-brief: {message}", err=True)


def _emit(
    records: Iterable[Mapping[str, Any]], format: str, first: tuple[str, ...] = ("source", "start", "end")
) -> None:
    """Records to stdout, source, start and end first."""
    import json
    import sys

    from ..errors import RequestError

    if format not in ("jsonl", "csv"):
        raise RequestError("没有这种输出格式", value=format, hint="可用：jsonl、csv")
    lines = ({**{key: record.get(key) for key in first}, **record} for record in records)
    if format == "jsonl":
        for line in lines:
            sys.stdout.write(json.dumps(_plain(line), ensure_ascii=False) + "\n")
        return
    import csv

    writer: csv.DictWriter[str] | None = None
    for line in lines:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(line), lineterminator="\n")
            writer.writeheader()
        writer.writerow(
            {
                key: json.dumps(_plain(value), ensure_ascii=False)
                if isinstance(value, list | dict)
                else _plain(value)
                for key, value in line.items()
            }
        )


def _plain(value: Any) -> Any:
    """What JSON can hold: numpy numbers as numbers, NA and NaN as null."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return None if value != value else value
    return None if str(value) in ("<NA>", "NaT") else str(value)
