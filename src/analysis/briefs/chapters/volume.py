"""总量: how much came in, by channel, kind, topic and place. Described, never ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import display, regions
from ...cases import registry
from ...display import drawings
from ...periods import Period
from . import grid, history
from .scope import CHANGES, Scope

if TYPE_CHECKING:
    import pandas as pd

HIDDEN = "“—”为数字小，不示；可由其他数推出的一并不示。"


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
        note="件、批、人次与事项分别计数，不相加；",
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
    if scope.release is not None and scope.release.rolling("pieces", "topic", scope.region.code):
        frame = over_a_year(
            scope, "pieces", "topic", name="topics", caption="信访件的问题类别", head="问题类别"
        )
        span, before = f"截至{scope.period.label}的十二个月", "此前十二个月"
    else:
        frame = split(
            scope, "pieces", "topic", name="topics", caption="信访件的问题类别", head="问题类别", by_size=True
        )
        span, before = scope.period.label, "上年同期"
    frame = frame[frame["本期"].notna()]
    if frame.empty:
        return
    figure = drawings.bars(
        frame.assign(**{before: frame["_基期"]}), label="问题类别", value="本期", unit="件", before=before
    )
    first = frame.iloc[0]
    display.chart(
        figure,
        name="topics-bars",
        caption=f"{span}信访件的问题类别",
        alt=f"条形图，共{len(frame)}类，件数最多的是{first['问题类别']}，{first['本期']:,.0f}件；竖线为{before}。",
    )


def places(scope: Scope) -> None:
    """件 and 件 per 10,000 residents by place, in order of the codes; what the city does not show is not shown."""
    pieces = scope.placed("pieces")
    if len(pieces) < 2:
        return
    shown = scope.gated(pieces)["shown"]
    change = scope.gated(scope.placed("pieces", "同比"))
    base = change["value"].where(change["shown"]).set_axis(change["region_code"])
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
    """Show an indicator by its parts: 本期, share, and the period's other views. Returns the frame; ``_基期`` is last year's count."""
    import pandas as pd

    table = scope.table
    unit = registry.indicator(indicator).unit
    rows = table[(table["indicator"] == indicator) & (table["variant"] == variant) & table["part_of"].notna()]
    rows = scope.gated(rows)
    view = {key: part.set_index("part_of") for key, part in rows.groupby("view")}
    if "本期" not in view:
        return rows.head(0).assign(**{head: [], "本期": []})
    now = view["本期"]
    if by_size:
        now = now.sort_values("value", ascending=False, kind="stable")

    def column(name: str, value: str = "value") -> pd.Series:
        if name not in view:
            return now["value"].map(lambda _: None)
        return view[name][value].where(view[name]["shown"]).reindex(now.index)

    shown = now["shown"]
    frame = now.assign(
        本期=now["value"].where(shown),
        占比=(100 * now["value"] / now["value"].sum()).where(shown),
        同比=column("同比"),
        环比=column("环比"),
        本年累计=column("本年累计"),
        _基期=column("同比", "numerator"),
    )
    frame = frame.rename_axis(head).reset_index()
    if by_size and not shown.all():
        # The order of what is not shown would tell which is larger.
        frame = pd.concat([frame[frame["本期"].notna()], frame[frame["本期"].isna()].sort_values(head)])
    columns = [view for view in ("同比", "环比", "本年累计") if view in scope.views]
    display.table(
        frame[[head, "本期", "占比", *columns]],
        name=name,
        caption=f"{scope.region.name}{scope.period.label}{caption}",
        units={"本期": unit, "占比": "%", **{view: "%" if view in CHANGES else unit for view in columns}},
        digits={"本期": 0, **({"本年累计": 0} if "本年累计" in columns else {})},
        note=None if frame["本年累计"].notna().all() and shown.all() else HIDDEN,
    )
    return frame


def over_a_year(
    scope: Scope, indicator: str, variant: str, *, name: str, caption: str, head: str
) -> pd.DataFrame:
    """Show a split over the twelve months to the period's end, beside the twelve before: what is too fine by month.

    Returns
    -------
    DataFrame
        ``head``, 本期 (the twelve months), 占比, 同比, and ``_基期``.
    """
    import pandas as pd

    release = scope.release
    assert release is not None
    last = Period.containing(scope.period.end, "month")
    months = scope.months
    rows = months[
        (months["indicator"] == indicator) & (months["variant"] == variant) & months["part_of"].notna()
    ]
    columns = {}
    for label, end in (("本期", last), ("_基期", last.shift(-12))):
        span = {str(end.shift(-k)) for k in range(12)}
        whole = rows[rows["period"].isin(span)]
        sums = whole.groupby("part_of")["value"].sum()
        # Twelve months that the data do not hold are no year.
        whole_year = len(span & set(rows["period"])) == len(span)
        columns[label] = pd.Series(
            {
                part: count
                if whole_year
                and release.shows_year(indicator, variant, str(part), scope.region.code, end.end)
                else float("nan")
                for part, count in sums.items()
            },
            dtype=float,
        )
        if label == "本期":
            total = sums.sum()
    frame = pd.DataFrame(columns).rename_axis(head).reset_index()
    if frame.empty or frame["本期"].isna().all():
        return frame.head(0)
    frame["占比"] = 100 * frame["本期"] / total
    # A percentage change on a small base says nothing.
    frame["同比"] = 100 * (frame["本期"] / frame["_基期"].where(frame["_基期"] >= 10) - 1)
    frame = frame.sort_values(["本期", head], ascending=[False, True], na_position="last", ignore_index=True)
    unit = registry.indicator(indicator).unit
    note = "按月列示数字过小，故列截至本期末的十二个月；同比为与此前十二个月相比。"
    display.table(
        frame[[head, "本期", "占比", "同比"]].rename(columns={"本期": "近十二个月"}),
        name=name,
        caption=f"{scope.region.name}截至{last.label}的十二个月{caption}",
        units={"近十二个月": unit, "占比": "%", "同比": "%"},
        digits={"近十二个月": 0},
        note=note if frame["本期"].notna().all() else note + HIDDEN,
    )
    return frame


def history_of_parts(scope: Scope, indicator: str, variant: str) -> pd.DataFrame:
    """Months × parts of a split: 月份 and one column a part; parts with a month that is not shown are added to 其他."""
    table = scope.months
    rows = table[(table["indicator"] == indicator) & (table["variant"] == variant) & table["part_of"].notna()]
    rows = scope.gated(rows)
    wide = rows.pivot_table(index="period", columns="part_of", values="value", aggfunc="sum").fillna(0)
    shut = rows[~rows["shown"]]
    closed = [part for part in wide.columns if part in set(shut["part_of"])]
    if closed:
        wide = wide.drop(columns=closed).assign(其他=wide[closed].sum(axis=1))
        # The rest is the total less what is shown: nothing new, where the total is shown.
        total = history.shown(scope, indicator).reindex(wide.index)
        wide["其他"] = wide["其他"].where(total.notna())
    ordered = wide[sorted(wide.columns, key=lambda column: (column == "其他", -wide[column].sum()))]
    return ordered.rename_axis(columns=None).rename_axis("月份").reset_index()
