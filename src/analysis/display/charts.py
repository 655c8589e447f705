"""Charts of a brief (图): a matplotlib figure shown as compact SVG, the same bytes each time."""

from __future__ import annotations

import html
import io
import re
from typing import TYPE_CHECKING

from ..errors import MethodError
from .session import by_hand, current, mime

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLE = re.compile(r"\s*<defs>\s*<style type=\"text/css\">.*?</style>\s*</defs>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ID = re.compile(r' id="([^"]+)"')
_TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")


def chart(figure: Figure, *, name: str, caption: str, alt: str, note: str | None = None) -> None:
    """Show a chart (画一张图) and close the figure.

    Parameters
    ----------
    figure
        A matplotlib figure.
    name
        Target of links (``#f-<name>``); unique in the brief.
    caption
        What it shows, without a number: charts are numbered in order.
    alt
        What a reader who cannot see it should know, in Chinese: what is drawn and what it says.
    note
        A remark under it: source, method, what the signs mean.

    Raises
    ------
    MethodError
        The name is taken, or there is no alternative text.
    """
    if not alt.strip():
        raise MethodError(f"图“{caption}”没有替代文本", hint="请写明图中画了什么、说明什么")
    session = current()
    session.claim("chart", name)
    drawn = svg(figure, name)
    width, height = figure.get_size_inches()
    _close(figure)
    session.emit(
        {
            mime("chart"): {
                "name": name,
                "caption": caption,
                "alt": alt,
                "note": note,
                "width": round(float(width), 3),
                "height": round(float(height), 3),
                "words": "".join(sorted(set("".join(_TEXT.findall(drawn))))),
            },
            "image/svg+xml": drawn,
            "text/plain": f"图：{caption}",
        }
    )
    if by_hand():  # a renderer sets caption and note itself; JupyterLab shows the drawing alone
        under = f"<strong>{html.escape(caption)}</strong>"
        under += f"<br><small>注：{html.escape(note)}</small>" if note else ""
        session.emit({"text/html": f"<p>{under}</p>", "text/plain": f"图：{caption}"})


def svg(figure: Figure, name: str) -> str:
    """The figure as one ``<svg>`` element: text as text, no metadata, ids only where something refers to them.

    Ids begin with the chart's name, so that several charts stand in one page.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    # Not ``savefig``: it draws each figure once for nothing before it draws it.
    FigureCanvasSVG(figure).print_svg(
        buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    drawn = _HEAD.sub("", buffer.getvalue(), count=1)
    for noise in (_METADATA, _STYLE, _COMMENT):
        drawn = noise.sub("", drawn)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", drawn))
    prefix = re.sub(r"[^0-9A-Za-z一-鿿]+", "-", name)
    drawn = _ID.sub(lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "", drawn)
    drawn = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{prefix}-", drawn)
    # The style sheet of matplotlib would hold for the whole page: its one rule goes on the root instead.
    drawn = drawn.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    return re.sub(r"\n\s*", "\n", drawn).strip()


def _close(figure: Figure) -> None:
    """Forget the figure in pyplot, else the inline backend shows it a second time."""
    import sys

    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
