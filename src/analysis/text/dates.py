"""The date a document counts by (文献日期): published, else the event's; the one reading that all verbs share.

Where both are known and the event falls within what is stated of the publication (a year, a month), its fuller date
counts; an event of another time does not move the document there.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORM = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")


def stated_date(row: Mapping[Any, Any]) -> str | None:
    """The date of a row of ``documents`` as far as it is stated: ``2024``, ``2024-03`` or ``2024-03-05``; else None."""
    known = [_text(row.get(name)) for name in ("published", "event_date")]
    published, event = (text if text and _resolved(text, last=False) else None for text in known)
    if published is None or (event is not None and event.startswith(f"{published}-")):
        return event
    return published


def document_date(row: Mapping[Any, Any], *, last: bool = False) -> date | None:
    """Date of a row of ``documents``; of a year or month alone the first day (``last``: the last). None when unknown."""
    stated = stated_date(row)
    return None if stated is None else _resolved(stated, last)


def document_dates(documents: pd.DataFrame, *, last: bool = False) -> list[date | None]:
    """:func:`document_date` of every row."""
    return [document_date(row, last=last) for row in records(documents, "published", "event_date")]


def records(documents: pd.DataFrame, *columns: str) -> Iterator[dict[str, Any]]:
    """Rows as mappings of these columns alone, one at a time; what the table lacks is None."""
    values = [documents[name].array if name in documents else [None] * len(documents) for name in columns]
    for row in zip(*values, strict=True):
        yield dict(zip(columns, row, strict=True))


def _text(value: object) -> str | None:
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    return value if isinstance(value, str) else None


def _resolved(text: str, last: bool) -> date | None:
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    year, month = int(match[1]), int(match[2] or (12 if last else 1))
    if year < 1 or not 1 <= month <= 12:
        return None
    days = calendar.monthrange(year, month)[1]
    day = int(match[3] or (days if last else 1))
    return date(year, month, day) if 1 <= day <= days else None
