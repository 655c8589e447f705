"""``policy-brief facts``: numbers in prose, extracted, audited, in series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from .records import Format, Sources, emit, note_if_empty, read

if TYPE_CHECKING:
    import pandas as pd

    from ..corpus import Corpus

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _noun() -> None:
    """Hold the verbs of this noun."""


@app.command()
def extract(src: Sources, format: Format = "jsonl") -> None:
    """提取文中与表中的统计数：每个数一条，带指标、单位、期间、主体、变动与出处。"""
    from .. import facts

    corpus = read(src)
    reading = facts.read(corpus.documents, corpus.tables)
    statistics = _located(corpus, reading.statistics)
    for reject in reading.rejects.to_dict("records"):
        typer.echo(f"{reject['source']} 第 {reject['row']} 段：{reject['message']}", err=True)
    typer.echo(f"{len(corpus.documents)} 篇文档，{len(statistics)} 条统计数", err=True)
    note_if_empty(corpus, statistics.empty, "没有找到统计数")
    _write(statistics, format)


@app.command()
def audit(src: Sources, format: Format = "jsonl") -> None:
    """核对数字：分项与合计、占比与率、增减与基期、表与文、本期与上期，逐条给出结论与出处。"""
    import pandas as pd

    from .. import facts

    corpus = read(src)
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
    note_if_empty(corpus, relations.empty, "没有找到可以互相核对的数字")
    _write(relations, format)


@app.command()
def series(src: Sources, format: Format = "jsonl") -> None:
    """成序列：同一指标逐期排列，标出缺期、修订与口径变化，并核对所述增减。"""
    from .. import facts

    corpus = read(src)
    statistics = facts.extract(corpus.documents, corpus.sentences, corpus.tables)
    table = facts.series(statistics, corpus.documents)
    typer.echo(f"{table['series'].nunique()} 个序列，{len(table)} 行", err=True)
    note_if_empty(corpus, table.empty, "没有可成序列的统计数：要有指标，并能定出时期")
    _write(_located(corpus, table), format)


def _located(corpus: Corpus, table: pd.DataFrame) -> pd.DataFrame:
    """Add the offsets in the source file to rows that stand in a body."""
    inside = table["start"].notna()
    spans = table.loc[inside, ["doc_id", "start", "end"]].itertuples(index=False)
    places = [corpus.locate(doc_id, int(start), int(end)) for doc_id, start, end in spans]
    table = table.copy()
    table.loc[inside, "source_start"] = [place.start for place in places]
    table.loc[inside, "source_end"] = [place.end for place in places]
    return table


def _placed(corpus: Corpus, doc_id: str, span: dict[str, Any]) -> dict[str, Any]:
    """A number of a relation with its offsets in the source file; a table's cell has no others."""
    if "start" not in span:
        return span
    place = corpus.locate(doc_id, span["start"], span["end"])
    return span | {"source_start": place.start, "source_end": place.end}


def _write(table: pd.DataFrame, format: str) -> None:
    emit(table.to_dict("records"), format, list(table.columns))
