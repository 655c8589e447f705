"""Cells that a spreadsheet would run (公式注入): text going out is made harmless, and read back as it was."""

from __future__ import annotations

_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_ILLEGAL = {code: None for code in range(32) if code not in (9, 10, 13)}


def harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula (防公式注入): text that begins like one gets an apostrophe.

    Numbers stay numbers, so a negative change is not touched.
    """
    if not isinstance(cell, str):
        return cell
    clean = cell.translate(_ILLEGAL)
    active = clean.lstrip(" \u3000\ufeff").startswith(_ACTIVE)
    return f"'{clean}" if active and clean != "%" else clean  # a unit is no formula


def restored(cell: object) -> object:
    """What a cell was before :func:`harmless`: its apostrophe taken off again, where that is why it stands there."""
    return cell[1:] if isinstance(cell, str) and cell[1:] and harmless(cell[1:]) == cell else cell
