"""The look of charts (版式): colours, sizes and fonts from ``codebooks/theme.yml``, applied to matplotlib."""

from __future__ import annotations

from typing import Any

from .. import codebooks
from . import fonts


def load() -> dict[str, Any]:
    """The theme: ``colours`` (named), ``series`` (order of series), ``chart`` (sizes)."""
    return codebooks.load("theme")


def colour(name: str) -> str:
    """A colour of the theme by its name, such as ``accent`` or ``concern``."""
    return str(load()["colours"][name])


def apply(*, inline: bool = False) -> None:
    """Register the fonts and set matplotlib's defaults for this process.

    SVG keeps text as text: small, searchable, read aloud; the brief carries the font. Ids in SVG are hashed with
    a fixed salt, so that the same chart is the same bytes.

    Parameters
    ----------
    inline
        Something shows open figures by itself, as a kernel does for JupyterLab; else no window is ever opened.
    """
    import matplotlib
    from cycler import cycler

    fonts.register()
    theme = load()
    colours, chart = theme["colours"], theme["chart"]
    if not inline:
        matplotlib.use("agg")
    matplotlib.rcParams.update(
        {
            "font.family": [fonts.SANS],
            "font.size": chart["font_size"],
            "axes.unicode_minus": True,
            "axes.prop_cycle": cycler(color=theme["series"]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": colours["rule"],
            "axes.labelcolor": colours["muted"],
            "axes.titlesize": chart["font_size"],
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.grid.axis": "y",
            "grid.color": colours["grid"],
            "grid.linewidth": 0.6,
            "xtick.color": colours["muted"],
            "ytick.color": colours["muted"],
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "text.color": colours["ink"],
            "lines.linewidth": 1.6,
            "legend.frameon": False,
            "legend.fontsize": chart["font_size"],
            "figure.figsize": chart["size"],
            "figure.constrained_layout.use": True,
            "svg.fonttype": "none",
            "svg.hashsalt": "policy-brief",
            "savefig.dpi": chart["dpi"],
        }
    )
