"""总量: how much came in, by channel, kind, topic and place. Described, never ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import display, regions
from ...cases import registry
from ...display import drawings
from ...display.session import current, mime
from . import grid, history
from .scope import Scope

if TYPE_CHECKING:
    import pandas as pd


def chapter(scope: Scope) -> None:
    """Total and channels, kinds of matters, topics, places."""
    display.text("## 信访总量与结构")
    totals(scope)
    structure(scope)
    topics(scope)
    places(scope)


def totals(scope: Scope) -> None:
    """件, 批, 人次 and 事项, each counted apart, and their months."""
    grid.show(
        scope,
        part="总量",
        name="volume",
        caption="信访总量",
        note="件、批、人次与事项分别计数，不相加；" + grid.NOTE,
    )
    history.lines(
        scope,
        {"信访件数": "pieces", "信访事项数": "matters"},
        name="volume-months",
        caption="信访件数与信访事项数走势",
        note="按登记日期；春节所在月份通常偏低。",
    )


def structure(scope: Scope) -> None:
    """件 by channel and by first or repeat, with the table protected as a whole."""
    display.text("### 渠道与初重件")
    split(scope, "pieces", "channel", name="channels", caption="信访件的渠道构成", head="渠道")
    split(scope, "pieces", "first_or_repeat", name="first-or-repeat", caption="初件与重件", head="初重件")
    months = history_of_parts(scope, "pieces", "channel")
    if len(months) > 2:
        parts = [column for column in months.columns if column != "月份"]
        display.chart(
            drawings.stacks(months, x="月份", parts=parts, unit="件"),
            name="channels-months",
            caption="分渠道信访件数走势",
            alt=f"堆叠柱图，{months['月份'].iloc[0]}至{months['月份'].iloc[-1]}各月信访件数按{'、'.join(parts)}分列。",
        )


def topics(scope: Scope) -> None:
    """件 by topic with 同比; the bars stand in order of size, since topics are no bodies."""
    display.text("### 问题类别")
    frame = split(
        scope, "pieces", "topic", name="topics", caption="信访件的问题类别", head="问题类别", by_size=True
    )
    frame = frame[frame["本期"].notna()]
    if frame.empty:
        return
    figure = drawings.bars(
        frame.assign(上年同期=frame["_基期"]), label="问题类别", value="本期", unit="件", before="上年同期"
    )
    first = frame.iloc[0]
    display.chart(
        figure,
        name="topics-bars",
        caption=f"{scope.period.label}信访件的问题类别",
        alt=f"条形图，共{len(frame)}类，件数最多的是{first['问题类别']}，{first['本期']:,.0f}件；竖线为上年同期。",
    )


def places(scope: Scope) -> None:
    """件 and 件 per 10,000 residents by place, in order of the codes; small cells suppressed together."""
    pieces = scope.placed("pieces")
    if len(pieces) < 2:
        return
    shown = protected(scope, pieces["region_code"], pieces["numerator"])
    base = scope.placed("pieces", "同比").set_index("region_code")["value"]
    per_head = scope.placed("per_10k").set_index("region_code")["value"]
    names = regions.load()
    frame = pieces.assign(
        地区=[names.get(code).name for code in pieces["region_code"]],
        信访件数=pieces["numerator"].where(shown),
        同比=pieces["region_code"].map(base).where(shown),
        每万人件数=pieces["region_code"].map(per_head).where(shown),
    )[["地区", "信访件数", "同比", "每万人件数"]]
    display.table(
        frame,
        name="places",
        caption=f"{scope.field.name}各地信访件数（按行政区划代码排列，不作排名）",
        units={"信访件数": "件", "同比": "%", "每万人件数": "件/万人"},
        digits={"信访件数": 0, "每万人件数": 2},
        note="问题属地口径；信访总量受人口、渠道畅通程度等影响，多少不代表工作好坏。“—”为数字小，不示。",
    )


def split(
    scope: Scope,
    indicator: str,
    variant: str,
    *,
    name: str,
    caption: str,
    head: str,
    by_size: bool = False,
) -> pd.DataFrame:
    """Show an indicator by its parts: 本期, share, 同比, 环比, 本年累计. Returns the frame; ``_基期`` is last year's count."""
    table = scope.table
    unit = registry.indicator(indicator).unit
    rows = table[(table["indicator"] == indicator) & (table["variant"] == variant) & table["part_of"].notna()]
    view = {key: part.set_index("part_of") for key, part in rows.groupby("view")}
    if "本期" not in view:
        return rows.head(0).assign(**{head: [], "本期": []})
    now = view["本期"]
    if by_size:
        now = now.sort_values("value", ascending=False, kind="stable")
    shown = protected(scope, now.index.to_series(), now["value"])
    empty = now["value"].map(lambda _: None)
    frame = now.assign(
        本期=now["value"].where(shown),
        占比=(100 * now["value"] / now["value"].sum()).where(shown),
        同比=(view["同比"]["value"] if "同比" in view else empty).reindex(now.index).where(shown),
        环比=(view["环比"]["value"] if "环比" in view else empty).reindex(now.index).where(shown),
        本年累计=(view["本年累计"]["value"] if "本年累计" in view else empty).reindex(now.index),
        _基期=(view["同比"]["numerator"] if "同比" in view else empty).reindex(now.index).where(shown),
    )
    frame["本年累计"] = frame["本年累计"].where(
        protected(scope, frame.index.to_series(), frame["本年累计"].fillna(0))
    )
    frame = frame.rename_axis(head).reset_index()
    display.table(
        frame[[head, "本期", "占比", "同比", "环比", "本年累计"]],
        name=name,
        caption=f"{scope.region.name}{scope.period.label}{caption}",
        units={"本期": unit, "占比": "%", "同比": "%", "环比": "%", "本年累计": unit},
        digits={"本期": 0, "本年累计": 0},
        note=None if shown.all() else "“—”为数字小，不示；可由合计推出的一并不示。",
    )
    return frame


def history_of_parts(scope: Scope, indicator: str, variant: str) -> pd.DataFrame:
    """Months × parts of a split: 月份 and one column a part; parts with a small month are added to 其他."""
    table = scope.months
    rows = table[(table["indicator"] == indicator) & (table["variant"] == variant) & table["part_of"].notna()]
    wide = rows.pivot_table(index="period", columns="part_of", values="value", aggfunc="sum").fillna(0)
    if scope.audience is not None and len(wide.columns):
        from ...cases.disclosure import Profile

        small = [column for column in wide if Profile.named(scope.audience).is_small(wide[column]).any()]
        if small:
            wide = wide.drop(columns=small).assign(其他=wide[small].sum(axis=1))
    ordered = wide[sorted(wide.columns, key=lambda column: (column == "其他", -wide[column].sum()))]
    return ordered.rename_axis(columns=None).rename_axis("月份").reset_index()


def protected(scope: Scope, keys: pd.Series, counts: pd.Series) -> pd.Series:
    """Which cells of a split may be shown beside their total: small ones and those that give them away may not."""
    import pandas as pd

    if scope.audience is None or not len(keys):
        return pd.Series(True, index=counts.index)
    from ...cases import disclosure

    frame = pd.DataFrame({"cell": keys.astype(str).to_numpy(), "n": counts.fillna(0).to_numpy(float)})
    made = disclosure.protect(frame, ["cell"], profile=scope.audience)
    current().emit({mime("certificate"): made.certificate})  # for the manifest; prints nothing
    kept = made.mask(frame, ["n"])["n"].notna()
    return pd.Series(kept.to_numpy(), index=counts.index)
