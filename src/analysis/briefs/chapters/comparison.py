"""县区比较: history, funnel and rank interval side by side; what must not be ranked is refused by the comparison itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import cases as case_tables
from ... import codebooks, display, regions
from ...cases import registry
from ...display import drawings
from .history import behaviour
from .scope import Scope, headline, known

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
    """One page an indicator: a place never stands with a rank alone. A province's counties follow its cities."""
    display.text("## 县区比较")
    display.note(
        "比较只涉及机构与地区的率，供查找差异原因，不作通报排名；信访总量、越级走访、集体访等一律不比较。"
        "名次须连同其区间一起看：区间重叠的不应分先后。",
        "method",
    )
    for indicator in COMPARED:
        if registry.indicator(indicator).rankable:
            page(scope, indicator)
    if scope.region.level == "省":
        counties(scope)


def page(scope: Scope, indicator: str) -> None:
    """Sheet and table of one indicator over the places one level down (a county: over those of its city)."""
    entry = registry.indicator(indicator)
    rows = scope.placed(indicator)
    if len(rows) < 2:
        display.note(f"{entry.name}未作比较：{scope.field.name}没有两个以上可比的地区。", "data")
        return
    display.text(f"### {entry.name}")
    _show(scope, entry, rows, Page(f"compare-{indicator}", f"{scope.field.name}各地", entry.name))


def counties(scope: Scope) -> None:
    """The same pages over all counties of a province; only counties that can be told apart are listed by name."""
    codes = [region.code for region in regions.load().counties(scope.region.code)]
    if {region.code for region in regions.load().children(scope.region.code)} >= set(codes):
        return  # districts of a municipality have been compared
    wanted = [id for id in known(COMPARED) if registry.indicator(id).rankable]
    table = case_tables.indicators(
        scope.tables, scope.period, scope.region.code, scope.as_of, by="county", only=wanted, views=("本期",)
    )
    table = table[table["region_code"].isin(codes) & table["part_of"].isna()]
    display.text("### 全省各县（市、区）")
    for indicator in wanted:
        entry = registry.indicator(indicator)
        rows = table[(table["indicator"] == indicator) & (table["variant"] == headline(indicator))]
        if len(rows) < 2:
            display.note(f"{entry.name}未作县级比较：没有两个以上可比的县。", "data")
            continue
        whole = f"{scope.region.name}各县（市、区）"
        _show(scope, entry, rows, Page(f"counties-{indicator}", whole, f"{entry.name}·县级", brief=True))


@dataclass(frozen=True)
class Page:
    """One comparison: the name of its chart and table, what is compared, how its results begin.

    ``brief``: only bodies outside the limits, or that some other can be told apart from, are listed.
    """

    name: str
    whole: str
    result: str
    brief: bool = False


def _show(scope: Scope, entry: registry.Indicator, rows: pd.DataFrame, page: Page) -> None:
    from ...cases.compare import page as compare

    counts = rows.rename(columns={"region_code": "body"})[["body", "numerator", "denominator"]]
    if not counts["denominator"].fillna(0).gt(0).any():
        display.note(f"{entry.name}未作比较：期内没有应计的件。", "data")
        return
    made = compare(counts.fillna(0.0), entry.id)
    bodies = _gated(scope, made.table)
    if page.brief and int(bodies["ranked"].sum()) < 2:
        display.note(f"{page.whole}的{entry.name}：各县数字小，不示，未作比较。", "data")
        return
    own = scope.region.code if scope.region is not scope.field else None
    _sheet(scope, entry, made, bodies, own, page)
    _table(scope, entry, made, bodies, page)
    _finding(scope, entry, made, bodies, page)


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
    scope: Scope,
    entry: registry.Indicator,
    made: Comparison,
    bodies: pd.DataFrame,
    own: str | None,
    page: Page,
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
        name=page.name,
        caption=f"{entry.name}：{scope.region.name}走势，{page.whole}的漏斗图与名次区间",
        alt=f"三联图。上为{scope.region.name}逐月走势与常规波动范围；左下为{page.whole}的漏斗图，{said}落在外界限之外；"
        "右下为各地名次的95%区间。",
        note="；".join([*made.notes, *_colours(history)]) + "。",
    )


def _table(
    scope: Scope, entry: registry.Indicator, made: Comparison, bodies: pd.DataFrame, page: Page
) -> None:
    listed, rest = bodies, ""
    if page.brief:
        ranked = bodies["ranked"].astype(bool)
        outside = ~bodies["word"].isin([_word("similar"), _word("small")])
        told_apart = bodies["undistinguished"].fillna(made.ranked) < made.ranked - 1
        listed = bodies[ranked & (outside | told_apart)]
        if listed.empty:
            display.note(
                f"{page.whole}的{entry.name}：示出的{int(ranked.sum())}个都在漏斗外界限之内，与其他各县均无法区分，不列名次。",
                "method",
            )
            return
        rest = f"只列落在外界限之外或与部分县可以区分的，另有{len(bodies) - len(listed)}个未列；"
    frame = listed.assign(
        value=listed["value"] * 100,
        interval=_ranges(listed["low"], listed["high"], 100, 1),
        ranks=_ranges(listed["rank_low"], listed["rank_high"], 1, 0),
    )[list(_COLUMNS)].rename(columns=_COLUMNS)
    display.table(
        frame.rename(columns={"值": entry.name}),
        name=page.name,
        caption=f"{page.whole}{entry.name}（{scope.period.label}）",
        units={entry.name: "%", "分母": "项"},
        digits={"分母": 0},
        note=f"{rest}口径：{entry.variants[headline(entry.id)].name}（{made.table.attrs['definition']}）；不足 {made.table.attrs['minimum_n']} 项的只列出、不排名；“—”为数字小，不示。",
    )


def _colours(history: pd.DataFrame) -> list[str]:
    """What the coloured points of the history mean; nothing where all are grey."""
    kinds = set(history["type"]) if "type" in history else set()
    said = [
        text for kind, text in (("concern", "橙色为不利"), ("improvement", "蓝色为有利")) if kind in kinds
    ]
    return [f"走势中有颜色的点超出常规波动，{'，'.join(said)}"] if said else []


def _finding(
    scope: Scope, entry: registry.Indicator, made: Comparison, bodies: pd.DataFrame, page: Page
) -> None:
    ranked = bodies[bodies["ranked"].astype(bool)]
    worse = ranked[ranked["word"] == _word("concern")]
    source = scope.source(entry)
    if made.ranked < 2:
        display.finding(
            f"{page.whole}的{entry.name}，分母够{made.table.attrs['minimum_n']}项的不到两个，只列出，不比较。",
            grade=_word("small"),
        )
        return
    total = display.result(f"{page.result}·参与比较的地区", made.ranked, unit="个", source=source)
    count = display.result(f"{page.result}·差于同组的地区", len(worse), unit="个", source=source)
    named = f"：{'、'.join(worse['name'])}" if len(worse) else ""
    hidden = made.ranked - len(ranked)
    aside = f"（其中{hidden}个数字小，不示）" if hidden else ""
    display.finding(
        f"{entry.name}参与比较的{{{total.name}}}地区{aside}中，落在漏斗外界限之外且差于同组的有{{{count.name}}}{named}；"
        f"漏斗图的{made.funnel.bodies if made.funnel else made.ranked}个地区中，偶然落在界外的预期为{made.expected_false:.2f}个。",
        grade="提示" if len(worse) else None,
    )
    if scope.region is not scope.field:
        _own(scope, entry, ranked[ranked["body"].astype(str) == scope.region.code], page)


def _own(scope: Scope, entry: registry.Indicator, mine: pd.DataFrame, page: Page) -> None:
    """The place's own rank: with its n, value and interval, and how many it cannot be told apart from."""
    if mine.empty:
        return
    row = mine.iloc[0]
    low, high = (
        display.result(
            f"{page.result}·{scope.region.name}名次{side}", int(row[column]), n=int(row["n"]),
            source=scope.source(entry),
        )
        for side, column in (("上限", "rank_low"), ("下限", "rank_high"))
    )  # fmt: skip
    display.finding(
        f"{scope.region.name}（{int(row['n'])}项，{100 * row['value']:.1f}%，"
        f"95%区间{100 * row['low']:.1f}%–{100 * row['high']:.1f}%）"
        f"的名次在第{{{low.name}}}至第{{{high.name}}}之间，与{int(row['undistinguished'])}个地区无法区分。"
    )


def _word(key: str) -> str:
    """A word of the comparison's codebook."""
    return str(codebooks.load("comparison")["words"][key]["text"])


def _ranges(low: pd.Series, high: pd.Series, scale: float, digits: int) -> pd.Series:
    """Pairs as text; nothing where a bound is missing."""
    texts = [
        None if pd.isna(a) or pd.isna(b) else f"{float(a) * scale:.{digits}f}–{float(b) * scale:.{digits}f}"
        for a, b in zip(low, high, strict=True)
    ]
    return pd.Series(texts, index=low.index, dtype=object)
