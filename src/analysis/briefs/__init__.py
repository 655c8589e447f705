"""Notebooks run, rendered, published (简报): definitions in, a static site out; see ``docs/engine.md``.

Modules are imported when their names are first asked for: papermill imports this package with every engine.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Definition": "definitions",
    "load": "definitions",
    "load_all": "definitions",
    "Request": "plan",
    "Run": "plan",
    "Build": "batch",
    "Options": "batch",
    "Outcome": "run",
    "Renderer": "render",
    "LocalPool": "pool",
    "Zygote": "zygote",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
