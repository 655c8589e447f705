"""Broken lines (硬回车): which lines of a page ended at its margin, so that the next one goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

#: Lines narrower than this are no lines of a column.
_NARROW = 9
#: How far around a line its neighbours are looked at where the page has no one margin.
_AROUND = 3


def at_margin(lines: Sequence[str], received: Sequence[float] = ()) -> list[bool]:
    """For each line (with its indent, without its end) whether it was broken at the margin.

    A page that was broken has most of its lines of one width; so has each column of a page with several. A page of
    whole paragraphs has lines of all widths. Width is counted in characters and in columns of a terminal, where a
    Chinese character is twice as wide as a Latin one, and, if given, as the lines were ``received`` (before notes were
    cut out of them); the count that fits best is taken.
    """
    columns = [_columns(line) for line in lines]
    best: tuple[float, Sequence[float], float] | None = None
    for widths in (columns, [float(len(line)) for line in lines], received):
        if (found := _margin(widths)) and (best is None or found[0] > best[0]):
            best = found[0], widths, found[1]
    if best is not None:
        _, widths, margin = best
        return [margin - 2 <= width <= margin + 2 for width in widths]
    return [_in_column(columns, i) for i in range(len(columns))]


def _columns(line: str) -> float:
    """Width with a Chinese character as one and a Latin one as a half."""
    return (len(line.encode("utf-8", "replace")) + len(line)) / 4


def _margin(widths: Sequence[float]) -> tuple[float, float] | None:
    """Share of lines at the page's margin, and the margin; ``None`` where the page has none."""
    if len(widths) < 6:
        return None
    rounded = Counter(round(width) for width in widths if _NARROW < width <= 64)
    if not rounded:
        return None
    margin = max(rounded, key=lambda w: (sum(rounded[w + d] for d in (-2, -1, 0, 1)), w))
    near = sum(margin - 2 <= width <= margin + 1 for width in widths) / len(widths)
    beyond = sum(width > margin + 3 for width in widths) / len(widths)
    return (near - beyond, float(margin)) if near >= 0.4 and beyond <= 0.1 else None


def _in_column(widths: Sequence[float], at: int) -> bool:
    """Whether a line is as wide as those around it, and none of them wider."""
    width = widths[at]
    if width < 1.6 * _NARROW:
        return False
    around = [widths[i] for i in range(max(0, at - _AROUND), min(len(widths), at + _AROUND + 1)) if i != at]
    return sum(abs(w - width) <= 1 for w in around) >= 3 and max(around) <= width + 2
