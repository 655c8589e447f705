"""Numbers in prose (文中数字): extract them, audit them, make series of them.

``extract`` reads the statistics that documents state, ``audit`` finds the arithmetic relations between them and says
which hold, ``series`` puts several issues of a bulletin side by side, ``monthly`` hands them to the case part.
"""

from __future__ import annotations

from .audit import audit
from .extract import extract, extract_text, read
from .series import monthly, series

__all__ = ["audit", "extract", "extract_text", "monthly", "read", "series"]
