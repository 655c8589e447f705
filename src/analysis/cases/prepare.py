"""Preparing case data (预汇总): the rows are read once, the margins written (see :mod:`.prepared`)."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import emerging, registry, stages
from .collect import margins, places
from .load import Cases, load, moment
from .prepared import FORMAT, SMALL, STAMP, write
from .reject import check, doubts, rule_places

if TYPE_CHECKING:
    import pandas as pd


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
    made = margins(tables, list(registry.indicators().values()), now)
    lines = check(tables, now)
    out.mkdir(parents=True)
    write(made.table, out / "margins.parquet", places(made.table))
    write(lines, out / "rejects.parquet", rule_places(lines))
    doubted = doubts(tables, now)
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
    if tables.has("events.at"):
        yield from zip(("spells", "paths"), stages.margin(tables, now), strict=True)


if __name__ == "__main__":
    prepare(load(sys.argv[1]), Path(sys.argv[2]))
