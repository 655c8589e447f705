"""``policy-brief corpus``: read, build, look at and export the documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Workers = Annotated[int, typer.Option(min=1, help="并行的进程数")]


@app.callback()
def _noun() -> None:
    """Hold the verbs of this noun."""


@app.command()
def build(
    src: Annotated[
        list[Path], typer.Argument(help="文件、文件夹或 zip（txt、md、html、docx、pdf），可给多个")
    ],
    out: Annotated[Path, typer.Option(help="语料库所在的文件夹")],
    sidecar: Annotated[
        Path | None, typer.Option(help="补充或更正元数据的 YAML；缺省用 SRC 里的 corpus.yml")
    ] = None,
    workers: Workers = 1,
) -> None:
    """建立或更新语料库：只读新的和变了的文件，中断后可接着建。"""
    from .. import corpus

    def progress(done: int, total: int, name: str) -> None:
        typer.echo(f"\r[{done}/{total}] {name[-60:]}\x1b[K", nl=False, err=True)

    where = corpus.build(
        src[0] if len(src) == 1 else src, out, sidecar=sidecar, workers=workers, progress=progress
    )
    typer.echo("", err=True)
    typer.echo(str(where))


@app.command()
def show(
    path: Annotated[Path, typer.Argument(help="语料库，或尚未建库的文件、文件夹")],
    rows: Annotated[int, typer.Option(min=1, help="每张表最多显示的行数")] = 15,
) -> None:
    """体检：读了什么、拒了什么、杂项占比、重复、日期与地区未定、篇幅。"""
    from .. import corpus
    from ..corpus.export import load

    titles = {
        "overview": "概况",
        "genres": "体裁",
        "levels": "层级",
        "years": "年份",
        "regions": "地区",
        "open": "日期或地区未定",
        "noise": "杂项占比",
        "duplicates": "近似重复",
        "rejects": "拒收与提示",
    }
    held = load(path)
    tables = corpus.health(held)
    for name, title in titles.items():
        table = tables[name]
        typer.echo(f"\n【{title}】" + ("" if len(table) else " 无"))
        if len(table):
            typer.echo(table.head(rows).astype("string").fillna("—").to_string(index=False))
        if len(table) > rows:
            typer.echo(f"… 共 {len(table)} 行")
    for row in held.rejects.head(rows).itertuples():
        typer.echo(f"{row.severity} {row.source}：{row.rule}——{row.message}")


@app.command()
def export(
    src: Annotated[Path, typer.Argument(help="文件、文件夹，或已建的语料库")],
    form: Annotated[str, typer.Option("--format", help="jsonl 或 csv")] = "jsonl",
    workers: Workers = 1,
) -> None:
    """导出文章：一行一篇，写到标准输出；拒收的文件报到标准错误。"""
    from ..corpus.export import export as lines
    from ..corpus.export import load

    held = load(src, workers=workers)
    for line in lines(held, form):
        typer.echo(line, nl=False)
    for row in held.rejects.itertuples():
        typer.echo(f"{row.severity} {row.source}：{row.rule}——{row.message}", err=True)
