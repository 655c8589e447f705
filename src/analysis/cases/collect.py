"""Every margin that a set of indicators needs (汇集), from the modules that know how, or from prepared data."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import backlog, duration, reception, registry, schema
from .load import Cases
from .margins import COLUMNS, Wanted, clocked, counted
from .names import firsts, numbered, stack
from .points import Margins
from .registry import Indicator

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_TERM = ["indicator", "variant", "part_of"]
_MOST_TERMS = 1000  # of one definition, so that a definition's numbers leave room


def margins(tables: Cases, chosen: Sequence[Indicator], as_of: dt.datetime, by: str | None = None) -> Margins:
    """Everything the chosen indicators are summed from.

    Parameters
    ----------
    by
        One more column to group by.
    """
    if (ready := tables.summed(as_of, by)) is not None:
        return ready.margins(chosen, as_of, by)
    # A brief asks for all indicators first and then for some of them again, by month and by place.
    known: tuple[set[str], Margins] | None = tables.noted.get(("margins", as_of, by))
    if known is not None and {one.id for one in chosen} <= known[0]:
        return known[1].of(chosen)
    made = _margins(tables, chosen, as_of, by)
    if known is None or len(chosen) > len(known[0]):
        tables.noted["margins", as_of, by] = ({one.id for one in chosen}, made)
    return made


def _margins(tables: Cases, chosen: Sequence[Indicator], as_of: dt.datetime, by: str | None) -> Margins:
    lacking: dict[tuple[str, str], str] = {}

    def pairs(*kinds: str) -> list[Wanted]:
        return [(one, variant) for one in chosen if one.kind in kinds for variant in one.variants.values()]

    sums = [
        *counted(tables, pairs("count", "share"), as_of, by, lacking),
        *clocked(tables, pairs("clock"), as_of, by, lacking),
        *backlog.levels(tables, pairs("level", "ages"), as_of, by, lacking),
    ]
    times = duration.histograms(tables, pairs("duration"), as_of, by, lacking)
    made = tables.side_by_side([*sums, *times])
    frames, histograms = (list(itertools.chain(*part)) for part in (made[: len(sums)], made[len(sums) :]))
    frames += reception.duties(tables, pairs("duty"), as_of, by, lacking)
    return Margins(_ordered(stack(frames, COLUMNS)), stack(histograms, duration.COLUMNS), lacking)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in an order that depends on nothing but the data (the database gives groups in any): as a brief prints them,
    and within a term by place.
    """
    import numpy as np

    if not len(table):
        return table
    within = numbered(table, ["part_of", "region", "group"])
    order = np.argsort(places(table) * (within.max() + 1) + within, kind="stable")
    return table.take(order).reset_index(drop=True)


def places(table: pd.DataFrame) -> NDArray[np.int64]:
    """A number a row by which briefs print margins: definitions as they come first, in them the terms of a closed
    vocabulary as they come; those of an open one (topics) share a number, so that none moves the others.
    """
    import numpy as np

    terms, first = firsts(numbered(table, _TERM))
    numbers, within = [], dict[tuple[str, str], int]()
    definitions: dict[tuple[str, str], int] = {}
    for indicator, variant, _ in table[_TERM].take(first).itertuples(index=False):
        definition = definitions.setdefault((indicator, variant), len(definitions))
        rank = within.get((indicator, variant), 0)
        numbers.append(definition * _MOST_TERMS + rank)
        within[indicator, variant] = rank if _is_open(indicator, variant) else rank + 1
    return np.array(numbers)[terms]


def _is_open(indicator: str, variant: str) -> bool:
    """Whether a definition is split by a column of no fixed terms."""
    found = registry.indicator(indicator).variants.get(variant)
    if found is None or not found.split or not found.table:
        return False
    return not schema.table(found.table).columns[found.split].terms
