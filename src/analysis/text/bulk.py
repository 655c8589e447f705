"""Large corpora (大语料): codes, citations and commitments part by part into Parquet, whatever the size of the corpus.

The three look at one document at a time, so nothing but the part in hand is held; a corpus on disk never comes into
memory as a whole. What needs all documents at once takes them without their sentences:
``count(part.documents for part in corpus.parts())`` for terms and keyness, ``discover(corpus.documents)`` for phrases.
"""

from __future__ import annotations

import functools
import itertools
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, RequestError
from .citations import CITATIONS, cite, titles
from .coding import CODES, Codebook, code
from .commitments import COMMITMENTS, commitments

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ..corpus import Corpus

VERBS = ("codes", "citations", "commitments")
_COLUMNS = {"codes": CODES, "citations": CITATIONS, "commitments": COMMITMENTS}
#: Columns that are no text, by their Arrow types.
_KINDS = {
    "start": "int64", "end": "int64", "sentence": "int64", "strength": "int64", "confidence": "double",
    "who_stated": "bool", "measurable": "bool", "targets": "list", "evidence": "spans",
    "source_start": "int64", "source_end": "int64",
}  # fmt: skip
_HEAD = "extract.json"

#: Called with (documents done, documents in all).
Progress = Callable[[int, int], None]


def extract(
    corpus: Corpus,
    out: str | Path,
    verbs: Sequence[str] = VERBS,
    *,
    frame: str | Path = "five_part",
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """Run the verbs over the parts of a corpus and write what they find.

    Parameters
    ----------
    corpus
        Of :func:`analysis.corpus.open_store` (a shard is held at a time) or :func:`analysis.corpus.read`.
    out
        A new folder, or one that an earlier run wrote: its tables of these verbs are replaced as a whole.
    verbs
        Some of ``codes``, ``citations``, ``commitments``.
    frame
        Codebook of the codes.
    workers
        Processes; the tables are the same for any number.
    progress
        Told after each part.

    Returns
    -------
    dict
        Verb → folder of Parquet files with the columns of :func:`code`, :func:`cite` and :func:`commitments`, for
        ``pandas.read_parquet`` or DuckDB, and three more: ``source``, ``source_start``, ``source_end``, the file as
        received and the place in it. ``out/extract.json`` says of each table in the folder, by its verb, of how many
        documents and sentences it was made and how many rows it has; of the codes also the codebook.

    Raises
    ------
    RequestError
        No such verb.
    InputError
        ``out`` holds something else.
    CodebookError
        As of :meth:`Codebook.load`.
    """
    out = Path(out)
    if unknown := [verb for verb in verbs if verb not in VERBS] or (not verbs and ["（空）"]):
        raise RequestError("没有这种抽取", value="、".join(unknown), hint=f"可用：{'、'.join(VERBS)}")
    # What a run that was killed left behind begins with a dot and is begun anew.
    others = out.is_dir() and any(not one.name.startswith(".") for one in out.iterdir())
    if (out.exists() and not out.is_dir()) or (others and not (out / _HEAD).exists()):
        raise InputError("输出文件夹里有别的东西", file=out, hint="请给一个空文件夹，或先前抽取的结果")
    book = Codebook.load(frame)
    staged = {verb: out / f".{verb}" for verb in verbs}
    for folder in staged.values():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    held = _held(corpus) if "citations" in verbs else {}
    job = functools.partial(_part, staged=staged, frame=frame, held=held)
    counted: dict[str, int] = {"documents": 0, "sentences": 0, **dict.fromkeys(verbs, 0)}
    parts = corpus.parts()
    # A corpus without documents is its own only part: its tables have columns and no rows.
    parts = itertools.chain([next(parts, corpus)], parts)
    for counts in _run(job, enumerate(parts), workers):
        counted = {name: counted[name] + counts[name] for name in counted}
        if progress:
            progress(counted["documents"], len(corpus.traces))
    found = {verb: out / verb for verb in verbs}
    for verb, folder in found.items():
        shutil.rmtree(folder, ignore_errors=True)
        staged[verb].rename(folder)
    read = {name: counted[name] for name in ("documents", "sentences")}
    told: dict[str, dict[str, Any]] = {verb: {**read, "rows": counted[verb]} for verb in found}
    if "codes" in told:
        told["codes"] |= {"frame": book.frame, "version": book.stated}
    _write_head(out, told)
    return found


def _run(job: Any, parts: Iterable[tuple[int, Corpus]], workers: int) -> Iterable[dict[str, int]]:
    if workers <= 1:
        yield from map(job, parts)
        return
    import multiprocessing

    # Fresh interpreters, as in reading: a fork would carry over the caller's threads and count its tables as its own.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(job, parts)


def _part(
    numbered: tuple[int, Corpus], *, staged: Mapping[str, Path], frame: str | Path, held: Mapping[str, str]
) -> dict[str, int]:
    """One part through the verbs, each table a file of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number, part = numbered
    documents, sentences = part.documents, part.sentences
    counts = {"documents": len(documents), "sentences": len(sentences)}
    for verb, folder in staged.items():
        if verb == "codes":
            table = code(documents, sentences, frame)
        elif verb == "citations":
            table = cite(documents, held=held)
        else:
            table = commitments(documents)
        counts[verb] = len(table)
        spans = zip(table["doc_id"], table["start"], table["end"], strict=True)
        places = [part.locate(doc_id, int(start), int(end)) for doc_id, start, end in spans]
        columns = {name: _plain(table[name]) for name in _COLUMNS[verb]}
        columns |= {
            "source": [place.source for place in places],
            "source_start": [place.start for place in places],
            "source_end": [place.end for place in places],
        }
        arrays = [pa.array(values, _kind(name)) for name, values in columns.items()]
        pq.write_table(pa.table(arrays, names=list(columns)), folder / f"{number:06d}.parquet")
    return counts


def _held(corpus: Corpus) -> dict[str, str]:
    """Titles that the whole corpus holds, in the order of its documents."""
    import pandas as pd

    wanted = ["source", "position", "doc_id", "title", "published", "event_date"]
    light = [part.documents.reindex(columns=wanted) for part in corpus.parts()]
    if not light:
        return {}
    return titles(pd.concat(light).sort_values(["source", "position"], kind="stable"))


def _plain(column: pd.Series) -> list[Any]:
    import pandas as pd

    return [None if value is None or value is pd.NA or value != value else value for value in column.tolist()]


def _kind(name: str) -> pa.DataType:
    import pyarrow as pa

    kind = _KINDS.get(name, "string")
    if kind == "list":
        return pa.list_(pa.string())
    if kind == "spans":
        return pa.list_(pa.list_(pa.int64()))
    return pa.type_for_alias(kind)


def _write_head(out: Path, told: Mapping[str, Mapping[str, Any]]) -> None:
    """What each table in the folder was made of: a table that stays from an earlier run keeps what was said of it."""
    from .. import __version__

    head = out / _HEAD
    before = json.loads(head.read_text(encoding="utf-8")) if head.exists() else {}
    kept = {verb: before[verb] for verb in VERBS if verb in before and (out / verb).is_dir()}
    entries = {**kept, **{verb: {**entry, "library": __version__} for verb, entry in told.items()}}
    head.write_text(
        json.dumps(entries, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
