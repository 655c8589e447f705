"""``policy-brief facts``: numbers in prose, extracted, audited, in series."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from ..corpus import Corpus

app = typer.Typer(no_args_is_help=True)


class Format(StrEnum):
    """Output formats."""

    jsonl = "jsonl"
    csv = "csv"


Sources = Annotated[
    list[Path], typer.Argument(help="文件或文件夹（txt、html、docx、pdf、md）", show_default=False)
]
FormatOption = Annotated[Format, typer.Option("--format", help="输出格式")]


@app.callback()
def _noun() -> None:
    """Hold the verbs of this noun."""


@app.command()
def extract(sources: Sources, format: FormatOption = Format.jsonl) -> None:
    """提取文中与表中的统计数：每个数一条，带指标、单位、期间、主体、变动与出处。"""
    from .. import facts

    corpus = _read(sources)
    reading = facts.read(corpus.documents, corpus.tables)
    statistics = _located(corpus, reading.statistics)
    for reject in reading.rejects.to_dict("records"):
        typer.echo(f"{reject['source']} 第 {reject['row']} 段：{reject['message']}", err=True)
    typer.echo(f"{len(corpus.documents)} 篇文档，{len(statistics)} 条统计数", err=True)
    _write(statistics, format)


@app.command()
def audit(sources: Sources, format: FormatOption = Format.jsonl) -> None:
    """核对数字：分项与合计、占比与率、增减与基期、表与文、本期与上期，逐条给出结论与出处。"""
    import pandas as pd

    from .. import facts

    corpus = _read(sources)
    statistics = facts.extract(corpus.documents, corpus.sentences, corpus.tables)
    relations = facts.audit(statistics, corpus.documents)
    placed = [
        [_placed(corpus, doc_id, span) for span in spans]
        for doc_id, spans in zip(relations["doc_id"], relations["spans"], strict=True)
    ]
    relations["spans"] = pd.Series(placed, index=relations.index, dtype=object)
    failing = relations[~relations["holds"]]
    typer.echo(f"{len(relations)} 项关系，{len(failing)} 项不符", err=True)
    for row in failing.to_dict("records"):
        typer.echo(f"{row['source']}：{row['message']}", err=True)
    _write(relations, format)


@app.command()
def series(sources: Sources, format: FormatOption = Format.jsonl) -> None:
    """成序列：同一指标逐期排列，标出缺期、修订与口径变化，并核对所述增减。"""
    from .. import facts

    corpus = _read(sources)
    statistics = facts.extract(corpus.documents, corpus.sentences, corpus.tables)
    table = facts.series(statistics, corpus.documents)
    typer.echo(f"{table['series'].nunique()} 个序列，{len(table)} 行", err=True)
    _write(table, format)


def _placed(corpus: Corpus, doc_id: str, span: dict[str, object]) -> dict[str, object]:
    if "start" not in span:
        return span
    place = corpus.locate(doc_id, int(str(span["start"])), int(str(span["end"])))
    return span | {"source_start": place.start, "source_end": place.end}


def _read(sources: list[Path]) -> Corpus:
    from .. import corpus

    return corpus.read(sources[0] if len(sources) == 1 else sources)


def _located(corpus: Corpus, table: pd.DataFrame) -> pd.DataFrame:
    """Add the offsets in the source file to rows that stand in a body."""
    table = table.copy()
    for at, row in table[table["start"].notna()].iterrows():
        span = corpus.locate(row["doc_id"], int(row["start"]), int(row["end"]))
        table.loc[at, ["source_start", "source_end"]] = [span.start, span.end]
    return table


def _missing(value: object) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _write(table: pd.DataFrame, format: Format) -> None:
    import json

    if format is Format.csv:
        typer.echo(table.to_csv(index=False), nl=False)
        return
    for row in table.to_dict("records"):
        typer.echo(json.dumps({k: _plain(v) for k, v in row.items()}, ensure_ascii=False))


def _plain(value: object) -> object:
    import datetime as dt

    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if _missing(value):
        return None
    if hasattr(value, "item"):
        return value.item()
    return value
