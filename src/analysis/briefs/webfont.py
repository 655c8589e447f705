"""The font inside an HTML brief (网页字体): only the characters the brief prints, as WOFF.

A whole Chinese font would add ten megabytes to a page and seconds to its making. A subset of a thousand characters
is 200 KB; outlines are read once a process and kept, so a further brief takes a few hundredths of a second.
"""

from __future__ import annotations

import io
from typing import Any

from ..display import fonts

FAMILY = "Brief Sans"
_ASCENT, _DESCENT = 1160, -288  # of Noto Sans SC, units of 1/1000 em


class WebFont:
    """Makes subsets of one family for a batch of briefs (a long-lived object)."""

    def __init__(self, family: str = fonts.SANS) -> None:
        from fontTools.ttLib import TTFont

        # From memory: an open file would outlive forks and be one more thing to close.
        font = TTFont(io.BytesIO(fonts.paths()[family].read_bytes()), lazy=True)
        self._names: dict[int, str] = font.getBestCmap()
        self._glyphs: Any = font.getGlyphSet()
        self._drawn: dict[str, tuple[bytes, int]] = {}

    def subset(self, text: str) -> bytes:
        """A WOFF file with the characters of ``text`` (those the family has), the same bytes for the same set."""
        from fontTools.fontBuilder import FontBuilder
        from fontTools.misc.psCharStrings import T2CharString

        characters = {code: self._names[code] for code in sorted(set(map(ord, text))) if code in self._names}
        order = [".notdef", *dict.fromkeys(characters.values())]
        drawn = {name: self._draw(name) for name in order}
        builder = FontBuilder(1000, isTTF=False)
        builder.setupGlyphOrder(order)
        builder.setupCharacterMap(characters)
        builder.setupCFF(
            "BriefSans", {}, {name: T2CharString(bytecode=code) for name, (code, _) in drawn.items()}, {}
        )
        builder.setupHorizontalMetrics({name: (width, 0) for name, (_, width) in drawn.items()})
        builder.setupHorizontalHeader(ascent=_ASCENT, descent=_DESCENT)
        builder.setupNameTable({"familyName": FAMILY, "styleName": "Regular"})
        builder.setupOS2(
            sTypoAscender=_ASCENT, sTypoDescender=_DESCENT, usWinAscent=_ASCENT, usWinDescent=-_DESCENT
        )
        builder.setupPost(keepGlyphNames=False)
        builder.setupHead(unitsPerEm=1000, created=0, modified=0)
        builder.font.recalcTimestamp = builder.font.recalcBBoxes = False
        builder.font.flavor = "woff"
        buffer = io.BytesIO()
        builder.save(buffer)
        return buffer.getvalue()

    def _draw(self, name: str) -> tuple[bytes, int]:
        """A glyph's outline as a Type 2 charstring without subroutines, and its width."""
        if name not in self._drawn:
            from fontTools.pens.t2CharStringPen import T2CharStringPen

            glyph = self._glyphs[name]
            pen = T2CharStringPen(glyph.width, self._glyphs)
            glyph.draw(pen)
            code = pen.getCharString()
            code.compile()
            self._drawn[name] = (code.bytecode, glyph.width)
        return self._drawn[name]
