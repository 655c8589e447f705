"""Showing things in notebooks (呈现): results, findings, tables, charts, evidence, notes.

Every verb emits ordinary rich output for JupyterLab and, beside it, a machine-readable MIME part that the renderer,
the comparison of briefs and the tests read instead of scraping HTML.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .charts import chart
    from .findings import available, evidence, finding, note, text
    from .record import result
    from .results import Result, p_text
    from .session import recorded, targets, use
    from .tables import table

_HOME = {
    "use": "session",
    "recorded": "session",
    "targets": "session",
    "result": "record",
    "Result": "results",
    "p_text": "results",
    "available": "findings",
    "finding": "findings",
    "text": "findings",
    "note": "findings",
    "evidence": "findings",
    "table": "tables",
    "chart": "charts",
}

__all__ = [
    "Result", "available", "chart", "evidence", "finding", "note", "p_text", "recorded", "result", "table", "targets",
    "text", "use",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
