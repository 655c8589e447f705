"""Documents in, records out: what the verbs of text and facts share, so that both open, tell and write alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import RequestError

if TYPE_CHECKING:
    from ..corpus import Corpus

Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="SRC",
        help="文件或文件夹（txt、html、docx、pdf、md），可多个；或一个建好的语料库",
        show_default=False,
    ),
]


def _known(format: str) -> str:
    if format not in ("jsonl", "csv"):
        raise RequestError("没有这种输出格式", value=format, hint="可用：jsonl、csv")
    return format


# Refused before anything is read.
Format = Annotated[str, typer.Option("--format", callback=_known, help="输出格式：jsonl 或 csv")]
#: So many files that were not taken are named; the rest are counted.
_TOLD = 10
NO_TEXT = "没有可分析的正文"


def read(src: Sequence[Path]) -> Corpus:
    """The documents of files and folders, or of one corpus on disk; what was not taken is told.

    Raises
    ------
    RequestError
        A corpus on disk beside other sources.
    InputError
        There is no such source.
    """
    from .. import corpus
    from ..corpus.export import load

    stores = [one for one in src if (one / "corpus.json").is_file()]
    if stores and len(src) > 1:
        raise RequestError(
            "建好的语料库只能单独给出", value=str(stores[0]), hint="请用 corpus build 把各处文件建成一个"
        )
    held = load(src[0]) if len(src) == 1 else corpus.read(src)
    # Those not read at all (拒收) before those read with a remark (提示).
    for row in held.rejects.sort_values("severity", kind="stable").head(_TOLD).itertuples():
        typer.echo(f"{row.severity} {row.source}：{row.rule}——{row.message}", err=True)
    if len(held.rejects) > _TOLD:
        say(f"拒收与提示共 {len(held.rejects)} 条，全部见 policy-brief corpus show")
    return held


def say(message: str) -> None:
    """Tell what the records do not: on stderr, in the program's name."""
    typer.echo(f"policy-brief: {message}", err=True)


def note_if_empty(held: Corpus, empty: bool, message: str) -> None:
    """Tell why there are no records: no text at all, or nothing found in it."""
    if empty:
        say(NO_TEXT if held.sentences.empty else message)


def emit(records: Iterable[Mapping[Any, Any]], format: str, columns: Sequence[str]) -> None:
    """Write records to stdout.

    Parameters
    ----------
    records
        Each with the same fields.
    format
        ``jsonl``, or ``csv`` with lists and mappings as JSON.
    columns
        The fields in their order; a table without rows has them as its head.
    """
    import csv
    import json
    import sys

    plain = ({name: _plain(record[name]) for name in columns} for record in records)
    if format == "jsonl":
        for record in plain:
            sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for record in plain:
        writer.writerow(
            json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
            for value in record.values()
        )


def _plain(value: Any) -> Any:
    """What JSON can hold: numpy numbers as numbers, dates as text, NA and NaN as null."""
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
