"""Preparing case data (预汇总): the rows are read once, the margins written (see :mod:`.prepared`)."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from . import emerging, integrity, registry, stages
from .collect import margins, places
from .load import Cases, load, moment
from .prepared import FORMAT, SMALL, STAMP, write
from .reject import check, doubts, rule_places

if TYPE_CHECKING:
    import pandas as pd

    Judged: TypeAlias = tuple[pd.DataFrame, pd.DataFrame]


def prepare(tables: Cases, out: Path, as_of: str | dt.date | dt.datetime | None = None) -> Path:
    """Write the margins, reject lines and doubts of a source into a new folder.

    Parameters
    ----------
    out
        A folder that is made; the stamp is written last, so that a torn one is never taken for whole.

    Returns
    -------
    Path
        ``out``.
    """
    now = moment(as_of, tables)
    return _written(tables, out, now, lambda: _judged(tables, now))


def main(source: str, out: Path) -> None:
    """Prepare a folder of case tables, the validation in a process beside: most of either is planning queries."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        judged = pool.submit(_judged_source, source)
        tables = load(source)
        _written(tables, out, moment(None, tables), judged.result)


def _judged_source(source: str) -> Judged:
    tables = load(source)
    return _judged(tables, moment(None, tables))


def _judged(tables: Cases, now: dt.datetime) -> Judged:
    """Reject lines and doubts."""
    return check(tables, now), doubts(tables, now)


def _written(tables: Cases, out: Path, now: dt.datetime, judged: Callable[[], Judged]) -> Path:
    made = margins(tables, list(registry.indicators().values()), now)
    lines, doubted = judged()
    out.mkdir(parents=True)
    write(made.table, out / "margins.parquet", places(made.table))
    write(lines, out / "rejects.parquet", rule_places(lines))
    write(doubted, out / "doubts.parquet", doubted["indicator"].map(list(registry.indicators()).index))
    for name, frame in (("durations", made.durations), *_beside(tables, now)):
        write(frame, out / f"{name}.parquet")
    for name in SMALL:
        if tables.has(name):
            kept = tables.tables[name]
            write(
                kept.select(*(column for column in kept.columns if not column.startswith("_"))).execute(),
                out / f"{name}.parquet",
            )
    first, last = tables.extent
    facts = {
        "format": FORMAT,
        "as_of": now.isoformat(),
        "extent": [first and first.isoformat(), last and last.isoformat()],
        "last_moment": tables.last_moment and tables.last_moment.isoformat(),
        "systems": tables.systems,
        "columns": {
            name: [column for column in table.columns if not column.startswith("_")]
            for name, table in tables.tables.items()
        },
        "metadata": dict(tables.metadata),
        "lacking": [[one, variant, reason] for (one, variant), reason in made.lacking.items()],
        "rules": list(lines.attrs["counts"]),
    }
    (out / STAMP).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    return out


def _beside(tables: Cases, now: dt.datetime) -> Iterator[tuple[str, pd.DataFrame]]:
    """What chapters ask for beside the indicators, where the source can feed it."""
    if tables.has("matters.topic_1"):
        yield "topics", emerging.margin(tables, now)
    if tables.has("matters.concluded_at"):
        yield "integrity", integrity.margin(tables, now)
    if tables.has("events.at"):
        yield from zip(("spells", "paths"), stages.margin(tables, now), strict=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
