"""Series over months (走势): which months are more than the usual variation, and charts of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import display
from ...cases import registry, spc
from ...display import drawings
from .scope import Scope, headline, unit_text

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = [
    "indicator", "variant", "part_of", "region_code", "view", "period", "value", "numerator", "denominator", "n",
]  # fmt: skip
IMPROVEMENT = {"高为好": "up", "低为好": "down", "中性": "neutral"}


def series(
    scope: Scope, indicator: str, variant: str | None = None, part_of: str | None = None
) -> pd.DataFrame:
    """The months of one indicator: period, value (fractions for shares), numerator, denominator, n, and what names the row."""
    table = scope.months
    part = table["part_of"].isna() if part_of is None else table["part_of"] == part_of
    rows = table[
        (table["indicator"] == indicator) & (table["variant"] == (variant or headline(indicator))) & part
    ]
    return rows[[name for name in _COLUMNS if name in rows]].reset_index(drop=True)


def behaviour(scope: Scope, indicator: str) -> pd.DataFrame:
    """The process behaviour chart of an indicator's months; empty when there are none.

    Shares are judged on their numerators and denominators, counts and levels on their values; months that may not be shown
    are left out.
    """
    entry = registry.indicator(indicator)
    months = scope.gated(series(scope, indicator))
    months = months[months["value"].notna() & months["shown"]].drop(columns="shown")
    if len(months) < 3:
        return months.head(0)
    improvement = IMPROVEMENT[entry.direction]
    if entry.kind in ("share", "clock"):
        return spc.history(months, improvement=improvement)
    return spc.xmr(months, improvement=improvement).assign(chart="xmr")


def judged(scope: Scope, indicator: str) -> dict[str, Any] | None:
    """The last month's words: ``variation``, ``rule_name``, ``type``, ``points``; ``None`` without a chart."""
    chart = behaviour(scope, indicator)
    if chart.empty or str(chart["period"].iloc[-1]) != str(scope.months["period"].iloc[-1]):
        return None
    found = spc.summary(chart)
    return None if found.empty else {str(key): value for key, value in found.iloc[-1].items()}


def lines(
    scope: Scope, indicators: dict[str, str], *, name: str, caption: str, note: str | None = None
) -> None:
    """Chart months of several indicators of one unit: label → indicator."""
    import pandas as pd

    columns = {label: shown(scope, id) for label, id in indicators.items()}
    columns = {label: column for label, column in columns.items() if column.notna().any()}
    if not any(column.any() for column in columns.values()):  # nothing known, or nothing but noughts
        return
    unit = registry.indicator(next(iter(indicators.values()))).unit
    frame = pd.DataFrame(columns) * (100 if unit == "率" else 1)
    frame = frame.reset_index(names="月份")
    last = str(frame["月份"].iloc[-1])
    gaps = "线断开处为无数据或数字小，不示。" if frame[list(columns)].isna().any(axis=None) else ""
    display.chart(
        drawings.lines(
            frame, x="月份", series={label: label for label in columns}, unit=unit_text(unit), mark=last
        ),
        name=name,
        caption=caption,
        alt=_words(frame, list(columns), unit_text(unit)),
        note=f"{note or ''}{gaps}" or None,
    )


def shown(scope: Scope, indicator: str) -> pd.Series:
    """The months' values that the audience may see."""
    months = scope.gated(series(scope, indicator))
    return months["value"].where(months["shown"]).set_axis(months["period"])


def _words(frame: pd.DataFrame, labels: list[str], unit: str) -> str:
    """What a line chart says, for those who cannot see it."""
    first, last = frame["月份"].iloc[0], frame["月份"].iloc[-1]
    said = []
    for label in labels:
        known = frame[["月份", label]].dropna().sort_values(label, kind="stable")
        low, high = known.iloc[0], known.iloc[-1]
        end = frame[label].dropna().iloc[-1]
        said.append(
            f"{label}末期为{end:,.1f}{unit}，最高{high[label]:,.1f}{unit}（{high['月份']}），"
            f"最低{low[label]:,.1f}{unit}（{low['月份']}）"
        )
    return f"折线图，{first}至{last}：" + "；".join(said) + "。"
