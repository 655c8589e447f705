"""From monthly margins to figures of periods (时段取数): any set of spans at once, by running sums over months."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .names import firsts, numbered

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from .registry import Indicator

KEYS = ["indicator", "variant", "part_of", "region_code", "group"]
Span = tuple[dt.date | None, dt.date | None]


@dataclass(frozen=True)
class Margins:
    """What the database gave.

    Attributes
    ----------
    table
        The columns of :data:`.margins.COLUMNS`.
    durations
        Histograms for kind ``duration``: indicator, region, group, month (of the start), day, event, n.
    lacking
        (indicator, variant) → why it could not be computed.
    """

    table: pd.DataFrame
    durations: pd.DataFrame
    lacking: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, chosen: Sequence[Indicator]) -> Margins:
        """The part that these indicators need."""
        ids = {one.id for one in chosen}
        table, durations = (
            frame[frame["indicator"].isin(ids)] if len(frame) else frame
            for frame in (self.table, self.durations)
        )
        return Margins(table, durations, {key: why for key, why in self.lacking.items() if key[0] in ids})


def points(margin: pd.DataFrame, spans: Sequence[Span], as_of: dt.datetime) -> pd.DataFrame:
    """Numerator and denominator of every key in every span.

    Parameters
    ----------
    margin
        :data:`KEYS` and mode (categories), month, numerator, denominator.
    spans
        First and last day, whole months; ``(None, None)`` is all of the data, rows without a date included.
    as_of
        What is there ``at`` a span's end is looked up no later than this.

    Returns
    -------
    DataFrame
        :data:`KEYS` (as categories), ``span`` (position in ``spans``), numerator, denominator; a span of which the data say nothing at
        all (before their first month, or after both the last and ``as_of``) has missing figures.
    """
    import numpy as np
    import pandas as pd

    if not len(margin):
        return pd.DataFrame(columns=[*KEYS, "span", "numerator", "denominator"])
    month = pd.to_datetime(margin["month"])
    number = (month.dt.year * 12 + month.dt.month - 1).to_numpy(float)
    first = int(np.nanmin(number)) if np.isfinite(number).any() else 0
    last = int(np.nanmax(number)) if np.isfinite(number).any() else 0
    # Column 0 holds what has no date: it counts in all of the data and in no period.
    column = np.where(np.isnan(number), 0, number - first + 1).astype(int)
    keys, labels = _keys(margin)
    width = last - first + 2
    tops = _dense(keys, column, margin["numerator"].to_numpy(float), len(labels), width)
    bottoms = _dense(keys, column, margin["denominator"].to_numpy(float), len(labels), width)
    counts_only = ~np.isfinite(margin["denominator"].to_numpy(float))
    without = np.zeros(len(labels), bool)
    without[keys[counts_only]] = True
    mode = labels["mode"].to_numpy()
    now = as_of.year * 12 + as_of.month - first
    sums = [(dense, dense.cumsum(axis=1)) for dense in (tops, bottoms)]
    found: dict[str, list[np.ndarray]] = {"numerator": [], "denominator": []}
    for start, end in spans:
        left, right = _columns(start, end, first, width)
        top, bottom = (_figure(dense, running, left, right, now, mode) for dense, running in sums)
        known = right >= 1 and left <= max(width - 1, now)
        found["numerator"].append(top if known else np.full(len(labels), np.nan))
        found["denominator"].append(np.where(without | (not known), np.nan, bottom))
    every = np.tile(np.arange(len(labels)), len(spans))
    made: dict[str, Any] = {name: labels[name].array.take(every) for name in KEYS}
    made["span"] = np.repeat(np.arange(len(spans)), len(labels))
    return pd.DataFrame(made | {name: np.concatenate(parts) for name, parts in found.items()})


def _keys(margin: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """A number for each key, and the keys; the order is that of first appearance."""
    names = [*KEYS, "mode"]
    numbers, first = firsts(numbered(margin, names))
    return numbers, margin[names].take(first).reset_index(drop=True).astype("category")


def _dense(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, height: int, width: int) -> np.ndarray:
    import numpy as np

    flat = np.bincount(rows * width + columns, weights=np.nan_to_num(values), minlength=height * width)
    return flat.reshape(height, width)


def _columns(start: dt.date | None, end: dt.date | None, first: int, width: int) -> tuple[int, int]:
    """First and last column of a span; column 0 has no date."""
    if start is None or end is None:
        return 0, width - 1
    return start.year * 12 + start.month - first, end.year * 12 + end.month - first


def _figure(
    dense: np.ndarray, running: np.ndarray, left: int, right: int, now: int, mode: np.ndarray
) -> np.ndarray:
    """One span's figure of every row; column 0 (no date) belongs to all of the data only, which has left = 0."""
    import numpy as np

    end = min(max(right, 0), dense.shape[1] - 1)
    before = running[:, min(max(left, 1), dense.shape[1]) - 1] if left else 0.0
    added = running[:, end] - before
    level = running[:, end] - dense[:, 0]
    at = dense[:, min(end, max(now, 0), dense.shape[1] - 1)]
    return np.select([mode == "level", mode == "at"], [level, at], added)
