"""Policy effects (政策效果): what a panel allows, what it shows, and whether stated changes hold.

``read`` makes a panel, ``pilot`` one of case tables, ``estimate`` estimates by one method with its caveats, ``check`` holds a
stated change against a series; what can be estimated at all is reported by :mod:`.design`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .claims import check
    from .methods import estimate
    from .panel import Panel, read
    from .pilots import pilot

_HOME = {"read": "panel", "Panel": "panel", "pilot": "pilots", "estimate": "methods", "check": "claims"}

__all__ = ["Panel", "check", "estimate", "pilot", "read"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
