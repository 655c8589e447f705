"""县区比较: history, funnel and rank interval side by side; what must not be ranked is refused by the comparison itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ... import codebooks, display
from ...cases import registry
from ...display import drawings
from .history import behaviour
from .scope import Scope

if TYPE_CHECKING:
    from ...cases.compare import Comparison

COMPARED = ("on_time", "acceptance_unit", "resolved", "satisfaction_unit")
_COLUMNS = {
    "name": "地区",
    "n": "分母",
    "value": "值",
    "interval": "95%区间",
    "word": "与同组相比",
    "ranks": "名次区间",
    "note": "说明",
}


def chapter(scope: Scope) -> None:
    """One page an indicator: a place never stands with a rank alone."""
    display.text("## 县区比较")
    display.note(
        "比较只涉及机构与地区的率，供查找差异原因，不作通报排名；信访总量、越级走访、集体访等一律不比较。"
        "名次须连同其区间一起看：区间重叠的不应分先后。",
        "method",
    )
    for indicator in COMPARED:
        if registry.indicator(indicator).rankable:
            page(scope, indicator)


def page(scope: Scope, indicator: str) -> None:
    """Sheet and table of one indicator."""
    from ...cases.compare import page as compare

    entry = registry.indicator(indicator)
    rows = scope.placed(indicator)
    if len(rows) < 2:
        display.note(f"{entry.name}未作比较：{scope.field.name}没有两个以上可比的地区。", "data")
        return
    counts = rows.rename(columns={"region_code": "body"})[["body", "numerator", "denominator"]]
    made = compare(counts.fillna(0.0), indicator)
    bodies = _gated(scope, made.table)
    display.text(f"### {entry.name}")
    own = scope.region.code if scope.region is not scope.field else None
    _sheet(scope, entry, made, bodies, own)
    _table(scope, entry, made, bodies)
    _finding(scope, entry, made, bodies)


def _gated(scope: Scope, table: pd.DataFrame) -> pd.DataFrame:
    """Values and ranks of bodies with small counts emptied, for what is shared."""
    gated = scope.gated(table.assign(indicator=table.attrs["indicator"], denominator=table["n"]))
    hidden = ~gated["shown"].to_numpy(bool)
    closed = table.copy()
    for column in ("value", "low", "high", "rank", "rank_low", "rank_high", "undistinguished"):
        closed[column] = closed[column].mask(hidden)
    closed["ranked"] = closed["ranked"].to_numpy(bool) & ~hidden
    return closed[closed["n"] > 0]


def _sheet(
    scope: Scope, entry: registry.Indicator, made: Comparison, bodies: pd.DataFrame, own: str | None
) -> None:
    history = behaviour(scope, entry.id)
    shown = bodies[bodies["value"].notna()]
    if history.empty or shown.empty:
        return
    limits = pd.DataFrame(columns=["denominator", "lower_inner", "upper_inner", "lower_outer", "upper_outer"])
    if made.funnel is not None:
        sizes = shown["n"].astype(float)
        limits = made.funnel.limits(np.linspace(max(1.0, sizes.min() * 0.7), sizes.max() * 1.08, 60))
    outside = shown[shown["word"].isin([_word(key) for key in ("improvement", "concern", "higher", "lower")])]
    said = "、".join(f"{row['name']}（{row['word']}）" for row in outside.to_dict("records")) or "没有地区"
    display.chart(
        drawings.comparison(history, shown, limits, highlight=own),
        name=f"compare-{entry.id}",
        caption=f"{entry.name}：{scope.region.name}走势，{scope.field.name}各地的漏斗图与名次区间",
        alt=f"三联图。上为{scope.region.name}逐月走势与常规波动范围；左下为各地的漏斗图，{said}落在外界限之外；"
        "右下为各地名次的95%区间。",
        note="；".join(made.notes),
    )


def _table(scope: Scope, entry: registry.Indicator, made: Comparison, bodies: pd.DataFrame) -> None:
    rows = bodies.to_dict("records")
    frame = bodies.assign(
        value=bodies["value"] * 100,
        interval=pd.Series([_range(row["low"], row["high"], 100, 1) for row in rows], index=bodies.index),
        ranks=pd.Series(
            [_range(row["rank_low"], row["rank_high"], 1, 0) for row in rows], index=bodies.index
        ),
    )[list(_COLUMNS)].rename(columns=_COLUMNS)
    display.table(
        frame.rename(columns={"值": entry.name}),
        name=f"compare-{entry.id}",
        caption=f"{scope.field.name}各地{entry.name}（{scope.period.label}）",
        units={entry.name: "%", "分母": "项"},
        digits={"分母": 0},
        note=f"口径：{made.table.attrs['definition']}；不足 {made.table.attrs['minimum_n']} 项的只列出、不排名；“—”为数字小，不示。",
    )


def _finding(scope: Scope, entry: registry.Indicator, made: Comparison, bodies: pd.DataFrame) -> None:
    ranked = bodies[bodies["ranked"].astype(bool)]
    worse = ranked[ranked["word"] == _word("concern")]
    total = display.result(f"{entry.name}·参与比较的地区", len(ranked), unit="个", source=scope.source(entry))
    count = display.result(f"{entry.name}·差于同组的地区", len(worse), unit="个", source=scope.source(entry))
    named = f"：{'、'.join(worse['name'])}" if len(worse) else ""
    display.finding(
        f"{entry.name}参与比较的{{{total.name}}}地区中，落在漏斗外界限之外且差于同组的有{{{count.name}}}{named}；"
        f"偶然落在界外的预期个数为{made.expected_false:.2f}。",
        grade="提示" if len(worse) else None,
    )
    if scope.region is not scope.field:
        mine = bodies[bodies["body"].astype(str) == scope.region.code]
        if len(mine) and bool(mine["ranked"].iloc[0]):
            row = mine.iloc[0]
            low, high = (
                display.result(
                    f"{entry.name}·{scope.region.name}名次{side}",
                    int(row[column]),
                    source=scope.source(entry),
                )
                for side, column in (("上限", "rank_low"), ("下限", "rank_high"))
            )
            display.finding(
                f"{scope.region.name}的名次在第{{{low.name}}}至第{{{high.name}}}之间，与{int(row['undistinguished'])}个地区无法区分。"
            )


def _word(key: str) -> str:
    """A word of the comparison's codebook."""
    return str(codebooks.load("comparison")["words"][key]["text"])


def _range(low: Any, high: Any, scale: float, digits: int) -> str | None:
    if pd.isna(low) or pd.isna(high):
        return None
    return f"{float(low) * scale:.{digits}f}–{float(high) * scale:.{digits}f}"
