"""The audit of stated numbers (数字核对): relations are found in the text, not configured, and each is judged.

What is looked for: parts and totals, handled and pending, the same figure twice (:mod:`sums`); shares, rates, daily means
(:mod:`ratios`); changes against absolute changes and whole bases (:mod:`movements`); tables against themselves and
their prose, the words of a base, this issue against the last (:mod:`issues`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import issues, movements, ratios, sums
from .relations import COLUMNS, Item

if TYPE_CHECKING:
    import pandas as pd

_CONFIDENT = 0.35


def audit(statistics: pd.DataFrame, documents: pd.DataFrame | None = None) -> pd.DataFrame:
    """The relations between the statistics of each document, and between the issues of a series.

    Parameters
    ----------
    statistics
        From :func:`analysis.facts.extract`.
    documents
        The documents they stand in; with their bodies the wording of bases is checked too.

    Returns
    -------
    pandas.DataFrame
        One row a relation: source, doc_id, type (sum, ratio, rate, difference, change, wording), total, parts,
        stated, expected, low and high (what the other numbers allow), holds, grade (ok, rounding, other base,
        contradiction), message (one Chinese sentence), spans (where each number stands).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    read: dict[str, list[Item]] = {}
    for doc_id, part in statistics.groupby("doc_id", sort=False):
        items = _items(part)
        read[str(doc_id)] = items
        source = part["source"].iloc[0]
        tied = ratios.find(items)
        found = [*sums.find(items), *tied, *movements.find(items, tied), *issues.in_tables(items)]
        rows += [relation.row(source, str(doc_id)) for relation in found]
    if documents is not None:
        rows += issues.wording(read, documents)
        rows += issues.between(read, documents)
    return pd.DataFrame(rows, columns=COLUMNS)


def _items(part: pd.DataFrame) -> list[Item]:
    """Rows as items; ``index`` is the number that ``part_of`` refers to. Targets and doubtful readings stay out."""
    items = []
    for index, row in enumerate(part.to_dict("records")):
        if row["target"] or row["confidence"] < _CONFIDENT:
            continue
        items.append(
            Item(
                index=index,
                row=index,
                value=float(row["value"]),
                unit=_plain(row["unit"]),
                kind=row["kind"],
                indicator=_plain(row["indicator"]) or "",
                indicator_id=_plain(row["indicator_id"]),
                subject=_plain(row["subject"]),
                period=_plain(row["period"]),
                days=(_plain(row["period_start"]), _plain(row["period_end"])),
                direction=_plain(row["direction"]),
                base=_plain(row["base"]),
                approx=_plain(row["approx"]),
                step=float(row["step"]),
                exact=bool(row["exact"]),
                share_of=_plain(row["share_of"]),
                part_of=_whole(row["part_of"]),
                paragraph=_whole(row["paragraph"]) or 0,
                sentence=_whole(row["sentence"]) or 0,
                group=_whole(row["group"]) or 0,
                table=bool(row["table"]),
                note=_plain(row["note"]),
                text=row["text"],
                start=_whole(row["start"]) or 0,
                end=_whole(row["end"]) or 0,
                source_start=_whole(row["source_start"]),
                source_end=_whole(row["source_end"]),
            )
        )
    return items


def _plain(value: Any) -> Any:
    import pandas as pd

    return None if value is None or (not isinstance(value, (list, dict)) and pd.isna(value)) else value


def _whole(value: Any) -> int | None:
    value = _plain(value)
    return None if value is None else int(value)
