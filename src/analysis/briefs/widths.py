"""How wide the columns of a table are on paper (列宽): for PDF and Word, which do not measure text themselves."""

from __future__ import annotations

from .document import Table

_WIDTH = 16.4 / 2.54 * 72  # of the type area, in points
_SIZES = (9.0, 8.5, 8.0, 7.5, 7.0, 6.5)


def fit(table: Table) -> tuple[float, list[float]]:
    """Type size and column widths in points: the largest size at which all stands in the type area.

    Before the type shrinks, heads break at their bracket and long texts wrap; what is left over is shared out.
    """
    padding = 0.95
    texts = [[_ems(row[k].text) for row in table.rows] for k in range(len(table.columns))]
    for size in _SIZES:
        for head, longest in ((_ems, 99.0), (_broken_head, 99.0), (_broken_head, 16.0), (_broken_head, 10.0)):
            ems = [
                max(
                    [
                        head(column.head),
                        *(width if column.numeric else min(width, longest) for width in widths),
                    ]
                )
                for column, widths in zip(table.columns, texts, strict=True)
            ]
            widths = [(width + padding) * size for width in ems]
            if sum(widths) <= _WIDTH:
                return size, _stretched(widths, [max(column, default=0) * size for column in texts])
    shrink = _WIDTH / sum(widths)
    return _SIZES[-1], [width * shrink for width in widths]


def _stretched(widths: list[float], wanted: list[float]) -> list[float]:
    """Widths that fill the type area: first what wrapped texts lack, then evenly by width."""
    spare = _WIDTH - sum(widths)
    lacking = [max(want - width, 0.0) for want, width in zip(wanted, widths, strict=True)]
    share = min(1.0, spare / sum(lacking)) if sum(lacking) else 0.0
    widths = [width + share * lack for width, lack in zip(widths, lacking, strict=True)]
    stretch = _WIDTH / sum(widths)
    return [width * stretch for width in widths]


def _broken_head(head: str) -> float:
    """Width of a head that breaks before its bracket, or in the middle."""
    name, bracket, unit = head.partition("（")
    return max(_ems(name) / (2 if _ems(name) > 5 else 1), _ems(bracket + unit))


def _ems(text: str) -> float:
    """Width of a text in ems: Chinese signs one, others a little more than a half, a quarter between the two."""
    wide = [sign > "\u2e7f" for sign in text]
    joints = sum(a != b for a, b in zip(wide, wide[1:], strict=False))
    return sum(1.0 if sign else 0.58 for sign in wide) + 0.25 * joints
