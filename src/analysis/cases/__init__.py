"""Case tables in, indicators out (案件数据): load, check, indicators, and the comparisons built on them.

``load`` and ``indicators`` are imported here and now, since a module of the same name would else take the verb's
place; they are light. The other verbs come when asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

from .indicators import indicators, states
from .load import Cases, load

__all__ = ["Cases", "check", "compare", "indicators", "load", "simulate", "states"]

_LATER = {"check": "reject", "compare": "compare", "simulate": "simulate"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    verb = getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = verb
    return verb
