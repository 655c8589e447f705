"""Chinese fonts (字体): those that came by wheel, never the machine's."""

from __future__ import annotations

import functools
from pathlib import Path

SANS, SERIF = "Noto Sans SC", "Noto Serif SC"


def paths() -> dict[str, Path]:
    """Font files by family name."""
    import pylopdf_fonts_zh_cn

    return {SANS: pylopdf_fonts_zh_cn.sans_path(), SERIF: pylopdf_fonts_zh_cn.serif_path()}


@functools.lru_cache(maxsize=2)
def characters(family: str = SANS) -> frozenset[int]:
    """Code points the family has glyphs for."""
    from fontTools.ttLib import TTFont

    with TTFont(paths()[family], lazy=True) as font:
        return frozenset(font["cmap"].getBestCmap())


def missing(text: str, family: str = SANS) -> list[str]:
    """Characters of the text that the family cannot draw, in order of first appearance (缺字)."""
    known = characters(family)
    return [sign for sign in dict.fromkeys(text) if ord(sign) not in known and not sign.isspace()]


def register() -> None:
    """Make the families known to matplotlib."""
    from matplotlib import font_manager

    known = {Path(entry.fname) for entry in font_manager.fontManager.ttflist}
    for path in paths().values():
        if path not in known:
            font_manager.fontManager.addfont(path)
