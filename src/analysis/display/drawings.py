"""The drawings briefs are made of (图形): each takes a plain frame and returns a matplotlib figure for ``display.chart``.

Figures are made without pyplot, so nothing is left open. Colours come from the theme, or from the frame's ``colour``
column where the comparison has judged the points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import theme

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 6.8  # inches
_RIGHT = 0.2  # room for half of the last label
_WHOLE = frozenset({"件", "批", "人次", "项", "个", "次"})  # units that come in whole numbers
_TOP = 1.6  # of the history on a comparison sheet


def lines(
    frame: pd.DataFrame, *, x: str, series: Mapping[str, str], unit: str, mark: object = None
) -> Figure:
    """Lines over periods.

    Parameters
    ----------
    frame
        One row a period, in order.
    x
        Column of period labels.
    series
        Label → column, in the order of the legend.
    unit
        Printed over the axis.
    mark
        The period of the brief: a ring on each line.
    """
    figure, axes = _one(2.55)
    periods = [str(value) for value in frame[x]]
    for label, column in series.items():
        (drawn,) = axes.plot(range(len(periods)), frame[column].to_numpy(float), label=label)
        if mark is not None and str(mark) in periods:
            at = periods.index(str(mark))
            axes.plot([at], [float(frame[column].iloc[at])], "o", markersize=5, color=drawn.get_color())
        values = frame[column].to_numpy(float)
        if alone := _alone(values):
            axes.plot(alone, values[alone], "o", markersize=3, color=drawn.get_color())
    _periods(axes, periods)
    _unit(axes, unit)
    axes.set_ylim(bottom=0 if axes.get_ylim()[0] < 0.35 * axes.get_ylim()[1] else None)
    if unit in _WHOLE:
        _whole(axes)
    if len(series) > 1:
        _legend(axes, len(series))
    return figure


def stacks(frame: pd.DataFrame, *, x: str, parts: Sequence[str], unit: str) -> Figure:
    """Stacked columns over periods: ``parts`` are columns, from the bottom up."""
    figure, axes = _one(2.55)
    periods = [str(value) for value in frame[x]]
    base = [0.0] * len(periods)
    for part in parts:
        heights = frame[part].fillna(0).to_numpy(float)
        axes.bar(range(len(periods)), heights, bottom=base, label=part, width=0.8)
        base = [low + height for low, height in zip(base, heights, strict=True)]
    _periods(axes, periods)
    _unit(axes, unit)
    _legend(axes, len(parts))
    return figure


def bars(
    frame: pd.DataFrame,
    *,
    label: str,
    value: str,
    unit: str,
    before: str | None = None,
    highlight: object = None,
    digits: int = 0,
) -> Figure:
    """Horizontal bars in the frame's order, first on top; ``before`` marks the base period's value with a tick.

    ``highlight`` is the label drawn in the accent colour.
    """
    labels = [str(text) for text in frame[label]]
    figure, axes = _one(0.74 + 0.27 * len(labels), left=_wide(labels, 9) + 0.14, bottom=0.42)
    values = frame[value].to_numpy(float)
    colours = [theme.colour("accent") if text == str(highlight) else _series(0) for text in labels]
    rows = range(len(labels))
    axes.barh(rows, values, color=colours, height=0.62)
    marks = frame[before].to_numpy(float) if before is not None else values
    top = max([number for number in (*values, *marks) if not math.isnan(number)], default=1.0)
    for row, number, mark in zip(rows, values, marks, strict=True):
        if not math.isnan(number):
            # Past a mark that would stand in the figure.
            end = mark if number < mark < number + top * 0.1 else number
            axes.text(end + top * 0.012, row, f"{number:,.{digits}f}", va="center", fontsize=8)
    if before is not None:
        axes.plot(
            marks,
            rows,
            "|",
            markersize=11,
            markeredgewidth=1.6,
            color=theme.colour("ink"),
            label="上年同期",
        )
        _legend(axes, 1)
    axes.set_yticks(rows, labels)
    axes.invert_yaxis()
    axes.set_xlim(0, top * 1.14 or 1)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(unit)
    return figure


def comparison(
    history: pd.DataFrame,
    bodies: pd.DataFrame,
    limits: pd.DataFrame,
    *,
    unit: str = "%",
    highlight: object = None,
) -> Figure:
    """History, funnel and rank intervals of one indicator on one sheet: none of the three is shown alone.

    Parameters
    ----------
    history
        ``period``, ``value``, ``mean``, ``lower``, ``upper``, ``colour`` (a process behaviour chart), fractions.
    bodies
        ``body``, ``name``, ``n``, ``value``, ``colour``, ``ranked``, ``rank``, ``rank_low``, ``rank_high``, in order of rank.
    limits
        ``denominator``, ``lower_inner``, ``upper_inner``, ``lower_outer``, ``upper_outer``; empty when there is no funnel.
    highlight
        The body named in the funnel and set off among the ranks.
    """
    from matplotlib.figure import Figure as Sheet

    ranked = bodies[bodies["ranked"].astype(bool)]
    shown = _shortened(ranked, highlight)
    lower = max(2.0, 0.19 * len(shown))
    height = _TOP + lower + 1.28
    sheet = Sheet(figsize=(_WIDTH, height))
    sheet.set_layout_engine("none")
    middle, labels = 0.47 * _WIDTH, _wide([str(name) for name in shown["name"]], 7.5) + 0.14
    if len(ranked) < 2:  # one body has no rank: the funnel takes the whole width
        middle = _WIDTH - _RIGHT
    boxes = (
        (0.52, lower + 1.0, _WIDTH - 0.52 - _RIGHT, _TOP),
        (0.52, 0.44, middle - 0.52, lower),
        (middle + labels, 0.44, _WIDTH - middle - labels - _RIGHT, lower),
    )
    top, left, *right = (
        sheet.add_axes((x / _WIDTH, y / height, width / _WIDTH, tall / height))
        for x, y, width, tall in boxes[: 2 if len(ranked) < 2 else 3]
    )
    behaviour(top, history, unit)
    funnel(left, bodies, limits, unit, highlight)
    for axes in right:
        ranks(axes, shown, len(ranked), highlight)
    return sheet


def behaviour(axes: Axes, history: pd.DataFrame, unit: str) -> None:
    """A process behaviour chart on the axes: mean, limits (clipped to what a rate can be), judged points."""
    scale = 100.0 if unit == "%" else 1.0
    periods = [str(value) for value in history["period"]]
    at = range(len(periods))
    top = 100.0 if unit == "%" else math.inf
    lower = (history["lower"] * scale).clip(lower=0)
    upper = (history["upper"] * scale).clip(upper=top)
    axes.fill_between(
        at, lower.to_numpy(float), upper.to_numpy(float), color=theme.colour("band"), linewidth=0, step="mid"
    )
    axes.plot(
        at,
        (history["mean"] * scale).to_numpy(float),
        color=theme.colour("muted"),
        linewidth=0.9,
        linestyle="--",
    )
    axes.plot(at, (history["value"] * scale).to_numpy(float), color=theme.colour("common"), linewidth=1)
    axes.scatter(at, (history["value"] * scale).to_numpy(float), c=list(history["colour"]), s=16, zorder=3)
    _periods(axes, periods)
    axes.set_title(f"历史走势（{unit}；浅色带为常规波动范围，虚线为均值）", loc="left")


def funnel(axes: Axes, bodies: pd.DataFrame, limits: pd.DataFrame, unit: str, highlight: object) -> None:
    """A funnel plot on the axes."""
    scale = 100.0 if unit == "%" else 1.0
    if len(limits):
        size = limits["denominator"].to_numpy(float)
        for name, style in (("inner", ":"), ("outer", "-")):
            for side in ("lower", "upper"):
                axes.plot(
                    size,
                    (limits[f"{side}_{name}"] * scale).to_numpy(float),
                    style,
                    color=theme.colour("rule"),
                    linewidth=0.9,
                )
    known = bodies[bodies["n"] > 0]
    axes.scatter(
        known["n"].to_numpy(float), (known["value"] * scale).to_numpy(float), c=list(known["colour"]), s=18,
        edgecolors=theme.colour("muted"), linewidths=0.4, zorder=3,
    )  # fmt: skip
    for row in known[known["body"].astype(str) == str(highlight)].to_dict("records"):
        point = (float(row["n"]), float(row["value"]) * scale)
        axes.scatter(
            [point[0]], [point[1]], s=70, facecolors="none", edgecolors=theme.colour("accent"), zorder=4
        )
        low, high = axes.get_ylim()
        below = point[1] > low + 0.85 * (high - low)  # where the label would run into the title
        axes.annotate(
            str(row["name"]), point, xytext=(6, -14 if below else 6), textcoords="offset points", fontsize=8
        )
    axes.set_xlabel("分母（项）")
    axes.set_title(f"漏斗图（{unit}{'；点线95%，实线外界限' if len(limits) else ''}）", loc="left")


def ranks(axes: Axes, bodies: pd.DataFrame, total: int, highlight: object) -> None:
    """Rank intervals on the axes, best on top."""
    from matplotlib.ticker import MaxNLocator

    for row, body in enumerate(bodies.to_dict("records")):
        own = str(body["body"]) == str(highlight)
        colour = theme.colour("accent") if own else str(body["colour"])
        axes.plot(
            [body["rank_low"], body["rank_high"]], [row, row], color=colour, linewidth=2.4 if own else 1.6
        )
        axes.plot([body["rank"]], [row], "o", color=colour, markersize=3.6)
    axes.set_yticks(range(len(bodies)), [str(name) for name in bodies["name"]], fontsize=7.5)
    axes.invert_yaxis()
    # Bodies that may not be shown have their ranks too.
    axes.set_xlim(0.5, max(total, 1, *bodies["rank_high"].astype(float)) + 0.5)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.set_xlabel("名次")
    few = "" if len(bodies) == total else f"；仅列首尾，共 {total} 个"
    axes.set_title(f"名次的95%区间{few}", loc="left")


def _alone(values: Any) -> list[int]:
    """Where a value stands between gaps: a line through one point is no line."""
    import numpy as np

    known = np.concatenate([[False], ~np.isnan(values), [False]])
    return [int(at) for at in np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])]


def _whole(axes: Axes) -> None:
    """Ticks at whole numbers, for what comes in whole numbers; an axis of nothing but noughts goes to one."""
    from matplotlib.ticker import MaxNLocator

    low, high = axes.get_ylim()
    axes.set_ylim(low, max(high, 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _shortened(ranked: pd.DataFrame, highlight: object, most: int = 24) -> pd.DataFrame:
    """All bodies when they fit; else the first and the last, and the highlighted one."""
    if len(ranked) <= most:
        return ranked
    half = most // 2
    kept = list(range(half)) + list(range(len(ranked) - half, len(ranked)))
    kept += [k for k, body in enumerate(ranked["body"]) if str(body) == str(highlight) and k not in kept]
    return ranked.iloc[sorted(kept)]


def _one(height: float, *, left: float = 0.52, bottom: float = 0.26) -> tuple[Figure, Axes]:
    """A figure of one plot with margins in inches: set by hand, since measuring every label doubles the drawing time."""
    from matplotlib.figure import Figure as Sheet

    figure = Sheet(figsize=(_WIDTH, height))
    figure.set_layout_engine("none")
    rectangle = (left / _WIDTH, bottom / height, 1 - (left + _RIGHT) / _WIDTH, 1 - (bottom + 0.28) / height)
    return figure, figure.add_axes(rectangle)


def _wide(labels: Sequence[str], size: float) -> float:
    """Width in inches of the longest label at that type size: Chinese signs count one em, others a little more than half."""
    ems = [sum(1.0 if sign > "\u2e7f" else 0.6 for sign in label) for label in labels]
    return max(ems, default=0.0) * size / 72


def _series(k: int) -> str:
    colours: list[str] = theme.load()["series"]
    return colours[k % len(colours)]


def _periods(axes: Axes, periods: Sequence[str]) -> None:
    """Period labels, at most nine, ending at the last."""
    step = max(1, math.ceil(len(periods) / 9))
    ticks = list(range(len(periods) - 1, -1, -step))[::-1]
    axes.set_xticks(ticks, [periods[tick] for tick in ticks])
    axes.set_xlim(-0.6, len(periods) - 0.4)


def _unit(axes: Axes, unit: str) -> None:
    axes.set_title(f"单位：{unit}", loc="left", fontsize=8.5, color=theme.colour("muted"))


def _legend(axes: Axes, entries: int) -> Any:
    """Above the plot at the right, in one row: it never hides a line."""
    return axes.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=min(entries, 6), borderaxespad=0.2, handlelength=1.6
    )
