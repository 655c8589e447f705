"""Every margin that a set of indicators needs (汇集), from the modules that know how, or from prepared data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import backlog, duration, reception
from .load import Cases
from .margins import COLUMNS, clocked, counted, stack
from .points import Margins
from .registry import Indicator

if TYPE_CHECKING:
    import pandas as pd


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
    frames: list[pd.DataFrame] = []
    for kinds, collect in (
        (("count", "share"), counted),
        (("clock",), clocked),
        (("level", "ages"), backlog.levels),
        (("duty",), reception.duties),
    ):
        pairs = [(one, variant) for one in chosen if one.kind in kinds for variant in one.variants.values()]
        frames += collect(tables, pairs, as_of, by, lacking)
    histograms = [
        found for one in chosen if one.kind == "duration"
        if (found := duration.margin(tables, one, as_of, by, lacking)) is not None
    ]  # fmt: skip
    return Margins(_ordered(stack(frames, COLUMNS)), stack(histograms), lacking)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in an order that depends on nothing but the data (the database gives groups in any): terms as they come first,
    which is how a brief prints them, within a term by place.
    """
    import numpy as np

    if not len(table):
        return table
    term = table.groupby(["indicator", "variant", "part_of"], dropna=False, sort=False).ngroup()
    region, group = (table[name].astype("category").cat.codes for name in ("region", "group"))
    return table.iloc[np.lexsort((group, region, term))].reset_index(drop=True)
