"""Numbers in prose (文中数字): extract them, audit them, make series of them.

``extract`` reads the statistics that documents state, ``audit`` finds the arithmetic relations between them and says
which hold, ``series`` puts several issues of a bulletin side by side.
"""

from __future__ import annotations

from .extract import extract, extract_text, refused

__all__ = ["extract", "extract_text", "refused"]
