"""The date a document counts by (文献日期): published, else the event's; parts that are not stated are filled in."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

_FORM = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")


def document_date(row: Mapping[Any, Any], *, last: bool = False) -> date | None:
    """Date of a row of ``documents``; of a year or month alone the first day (``last``: the last). None when unknown."""
    for name in ("published", "event_date"):
        value = row.get(name)
        if isinstance(value, date):
            return value
        match = _FORM.fullmatch(value) if isinstance(value, str) else None
        if match:
            year, month = int(match[1]), int(match[2] or (12 if last else 1))
            if year >= 1 and 1 <= month <= 12:
                days = calendar.monthrange(year, month)[1]
                day = int(match[3] or (days if last else 1))
                if 1 <= day <= days:
                    return date(year, month, day)
    return None
