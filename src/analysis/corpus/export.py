"""Export (导出): documents as JSON lines or CSV, one article a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import RequestError
from .read import read
from .records import DOCUMENTS, Corpus
from .store import open_store

FORMATS = ("jsonl", "csv")


def load(path: str | Path, *, workers: int = 1) -> Corpus:
    """A corpus from a store if there is one at the path, else read from the files there."""
    if (Path(path) / "corpus.json").is_file():
        return open_store(path)
    return read(path, workers=workers)


def export(corpus: Corpus, form: str = "jsonl") -> Iterator[str]:
    """The documents, line by line, with their columns as fields.

    An ``event_date`` whose year is open is written ``XXXX-MM-DD`` (ISO 8601-2, unspecified digits).

    Raises
    ------
    RequestError
        No such format.
    """
    if form not in FORMATS:
        raise RequestError("没有这种导出格式", value=form, hint="可用：jsonl、csv")
    if form == "csv":
        yield _line(list(DOCUMENTS))
    for row in corpus.documents.itertuples(index=False):
        fields = {name: _plain(getattr(row, name)) for name in DOCUMENTS}
        if fields["event_date"] is None and fields["event_day"] is not None:
            fields["event_date"] = f"XXXX-{fields['event_day']}"
        if form == "jsonl":
            yield json.dumps(fields, ensure_ascii=False) + "\n"
        else:
            yield _line(["；".join(v) if isinstance(v, list) else v for v in fields.values()])


def _plain(value: Any) -> Any:
    """A value as JSON knows it; NA is null."""
    import pandas as pd

    if isinstance(value, list):
        return value
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _line(values: list[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()
