"""Stated aggregates (月度汇总): what a source gives as figures, where it gives no rows.

Bulletins, standard 报表 and hotlines state numbers by region and month, often at several levels of the region tree at
once; a province's own figure is taken as it stands and never added to its cities'.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import registry
from .load import Cases
from .places import ALL, Places
from .registry import Indicator

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["indicator", "variant", "part_of", "region_code", "group"]


def stated(
    tables: Cases,
    chosen: Sequence[Indicator],
    lacking: dict[tuple[str, str], str],
    places: Places,
    as_of: dt.datetime,
) -> pd.DataFrame:
    """Margin rows for the definitions that rows cannot feed but ``monthly`` can; these leave ``lacking``.

    Returns
    -------
    DataFrame
        indicator, variant, part_of (channel or state), region_code, group, month, mode, numerator, denominator.
    """
    import pandas as pd

    names = [*KEYS, "month", "mode", "numerator", "denominator"]
    table = tables.tables.get("monthly")
    if table is None or places.column is not None:
        return pd.DataFrame(columns=names)
    if "system" in table.columns and tables.system is not None:
        table = table.filter(table.system == tables.system)
    frame = table.filter(table.month <= as_of).execute()
    for name in ("variant", "channel", "state", "denominator"):
        if name not in frame:
            frame[name] = None
    wanted = {one.id: one.id for one in chosen} | {one.name: one.id for one in chosen}
    frame = frame.assign(indicator=frame["indicator"].map(wanted))
    frame = frame[frame["indicator"].notna()]
    heads = {one.id: one.headline.id for one in registry.indicators().values() if one.variants}
    frame["variant"] = frame["variant"].fillna(frame["indicator"].map(heads))
    pairs = zip(frame["indicator"], frame["variant"], strict=True)
    frame = frame[pd.Series([pair in lacking for pair in pairs], index=frame.index, dtype=bool)]
    if not len(frame):
        return pd.DataFrame(columns=names)
    frame["part_of"] = frame["channel"].fillna(frame["state"]).fillna("")
    placed = [_placed(group, places) for _, group in frame.groupby(["indicator", "variant"])]
    if not placed:
        return pd.DataFrame(columns=names)
    made = pd.concat(placed, ignore_index=True).assign(group="", mode="sum")
    for pair in set(zip(made["indicator"], made["variant"], strict=True)):
        lacking.pop(pair, None)
    return made[names]


def _level(code: str) -> int:
    """How many digits of a code speak: 2 for a province, 4 for a city, 6 for a county."""
    return 2 if code.endswith("0000") else 4 if code.endswith("00") else 6


def _placed(rows: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Each printed region's own row where it is stated, else the sum of the next level that is."""
    codes = rows["region_code"].astype(str)
    levels = codes.map(_level)
    if places.by is not None:
        inside = codes.str.startswith(places.prefix() or "")
        width = {"city": 4, "county": 6}.get(places.by) or (
            6 if places.region and not places.region.endswith("0000") else 4
        )
        return rows[inside & (levels == width)]
    if places.region is None:
        return rows[levels == levels.min()].assign(region_code=ALL)
    own = rows[codes == places.region]
    if len(own):
        return own
    prefix = places.prefix()
    below = rows[codes.str.startswith(prefix)] if prefix else rows.iloc[:0]
    below = below[
        below["region_code"].astype(str).map(_level) == below["region_code"].astype(str).map(_level).min()
    ]
    return below.assign(region_code=places.region)
