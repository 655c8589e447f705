"""The five parts (预防、受理、办理、监督追责、维护秩序): each its indicator table, its charts, its own words."""

from __future__ import annotations

from ... import display
from ...cases import registry
from . import grid, history, topics
from .scope import Scope, known
from .volume import history_of_parts


def prevention(scope: Scope) -> None:
    """预防: which topics grow, and what the source says of reviews and assessments."""
    display.text("## 预防")
    grid.show(
        scope, only=known(("legality_review", "risk_assessment")), name="prevention", caption="预防环节指标"
    )
    growing_topics(scope)
    topics.chapter(scope)


def acceptance(scope: Scope) -> None:
    """受理: each actor's own clock, reception as a duty of the office."""
    display.text("## 受理")
    grid.show(scope, part="受理", name="acceptance", caption="受理环节指标")
    history.lines(
        scope,
        {"信访部门": "acceptance_office", "责任单位": "acceptance_unit"},
        name="acceptance-months",
        caption="及时受理率走势",
        note="信访部门按第二十二条、责任单位按第二十三条，各十五日；到期口径。",
    )
    display.note(
        "信访部门与责任单位的受理各有期限，分别统计，不相加；接访下访按机构统计履行情况，不涉及个人。",
        "method",
    )


def handling(scope: Scope) -> None:
    """办理: on time under every definition, with 化解 and 重复信访 beside it; time, stock, satisfaction with its bounds."""
    display.text("## 办理")
    display.text("### 按期办理与化解")
    grid.show(
        scope,
        only=known(
            ("on_time", "on_time_reply", "extension", "resolved", "resolved_once", "repeat", "concluded",
             "mediation", "mediation_success", "led", "led_concluded", "led_resolved", "resolved_in_county",
             "time_to_reply")
        ),
        name="handling",
        caption="办理与化解指标",
        note="办结不等于化解，按期办结率应与化解率、重复信访率并读；",
    )  # fmt: skip
    history.lines(
        scope,
        {"按期办结率": "on_time", "化解率": "resolved", "重复信访率": "repeat"},
        name="handling-months",
        caption="按期办结率、化解率与重复信访率走势",
        note="按期办结率为到期口径；近期办结的事项化解观察时间较短，化解率可能偏低。",
    )
    definitions(scope, "on_time")
    display.text("### 存量与积案")
    grid.show(
        scope,
        only=known(
            ("open_stock", "open_ages", "clearance", "months_of_work", "overdue_open", "long_unresolved")
        ),
        name="stock",
        caption="存量与积案",
        variants=True,
        note=f"只计来源所载的登记（{scope.since}起），更早的未计入，积案因此逐月累积，其同比、环比不宜读作积案增多；"
        "积案含已办结而未化解的，不与存量相加或相比；",
    )
    history.lines(
        scope,
        {"未办结存量": "open_stock"},
        name="stock-months",
        caption="未办结存量走势",
        note="各月末未办结、未撤回、未移送的事项。",
    )
    display.text("### 复查复核")
    grid.show(
        scope,
        only=known(
            ("review_requested", "review_overturned", "review_on_time",
             "recheck_requested", "recheck_overturned", "recheck_on_time")
        ),
        name="review",
        caption="复查复核指标",
    )  # fmt: skip
    display.text("### 群众评价")
    satisfaction(scope)


def definitions(scope: Scope, indicator: str) -> None:
    """One rate under every definition and day rule: how much the answer hangs on the definition."""
    entry = registry.indicator(indicator)
    rows = scope.table[
        (scope.table["indicator"] == indicator)
        & (scope.table["view"] == "本期")
        & scope.table["part_of"].isna()
        & scope.table["value"].notna()
    ]
    rows = scope.gated(rows)
    rows = rows[rows["shown"]]
    if len(rows) < 2:
        return
    frame = rows.assign(
        口径=[name if isinstance(name, str) else entry.name for name in rows["variant_name"]],
        分子=rows["numerator"],
        分母=rows["denominator"],
        率=rows["value"] * 100,
        _链接="#d-" + rows["definition"],
    )[["口径", "分子", "分母", "率", "_链接"]]
    display.table(
        frame,
        name=f"{indicator}-definitions",
        caption=f"{entry.name}在不同口径与计日规则下的结果",
        units={"率": "%", "分子": "项", "分母": "项"},
        digits={"分子": 0, "分母": 0},
        links={"口径": "_链接"},
        note="首行为主口径；条例未写明期限是否按工作日或节假日顺延计算，其余规则列出供对照。",
    )
    spread = round(frame["率"].max() - frame["率"].min(), 2)
    made = display.result(f"{entry.name}·口径极差", spread, unit="个百分点", source=scope.source(entry))
    said = f"最高与最低相差{{{made.name}}}，引用时须注明口径" if spread else "结果相同"
    display.finding(f"{entry.name}在各口径与计日规则下{said}。", grade="口径")


def satisfaction(scope: Scope) -> None:
    """满意率 never without 参评率 and the bounds that silence leaves."""
    grid.show(
        scope,
        only=known(("satisfaction_office", "rated_office", "satisfaction_unit", "rated_unit")),
        name="satisfaction",
        caption="群众满意率与参评率",
        variants=True,
        note="满意率只代表已评价的；上下界为未评价的全部算满意或全部算不满意；",
    )
    history.lines(
        scope,
        {
            "满意率（对信访部门）": "satisfaction_office",
            "满意率（对责任单位）": "satisfaction_unit",
            "参评率（对责任单位）": "rated_unit",
        },
        name="satisfaction-months",
        caption="群众满意率与参评率走势",
    )


def supervision(scope: Scope) -> None:
    """监督追责: what was sent on, supervised and recommended, and what became of it."""
    display.text("## 监督追责")
    grid.show(scope, part="监督追责", name="supervision", caption="监督追责环节指标", variants=False)
    history.lines(
        scope,
        {"督办件数": "supervised", "三项建议件数": "recommendations"},
        name="supervision-months",
        caption="督办与三项建议走势",
    )


def order(scope: Scope) -> None:
    """维护秩序: as the source describes it; neither compared nor ranked."""
    display.text("## 维护秩序")
    display.note(
        "越级走访、集体访和走访去向按来源所载如实描述，不用于排名、通报或考核任何地区和个人。", "method"
    )
    grid.show(scope, part="维护秩序", name="order", caption="维护秩序环节指标", variants=True)
    history.lines(
        scope,
        {"越级走访": "over_level", "集体访": "group_visits"},
        name="order-months",
        caption="越级走访与集体访走势",
    )


def growing_topics(scope: Scope) -> None:
    """Topics whose last months lie above their usual range."""
    import pandas as pd

    from ...cases import spc

    if scope.release is not None and scope.release.rolling("pieces", "topic", scope.region.code):
        return  # by month the topics of a city or county are too few to show, and twelve months are no series
    months = history_of_parts(scope, "pieces", "topic")
    if len(months) < 6:
        return
    rows = []
    for topic in (column for column in months.columns if column not in ("月份", "其他")):
        chart = spc.xmr(
            pd.DataFrame({"period": months["月份"], "value": months[topic]}), improvement="neutral"
        )
        last = spc.summary(chart).iloc[-1]
        usual = chart["mean"].iloc[-1]
        rows.append(
            {
                "问题类别": topic,
                "末月件数": last["value"],
                "常规均值": usual,
                "相差": 100 * (last["value"] / usual - 1) if usual else None,
                "判断": last["rule_name"],
            }
        )
    if not rows:
        return
    frame = pd.DataFrame(rows).sort_values("相差", ascending=False, kind="stable")
    display.table(
        frame,
        name="topics-watch",
        caption=f"各类问题末月（{months['月份'].iloc[-1]}）与常规水平之比",
        units={"末月件数": "件", "常规均值": "件", "相差": "%"},
        digits={"末月件数": 0, "常规均值": 1, "相差": 1},
        note="常规均值与判断来自各类问题自身的月度控制图；“常规波动”以外的才值得查明原因。",
    )
    rising = frame[
        frame["判断"].isin(["超出上控制限", "连续上升", "连续位于均值之上", "三点中两点接近上控制限"])
    ]
    said = display.result(
        "高于常规的问题类别数", len(rising), unit="类", source=scope.source(registry.indicator("pieces"))
    )
    named = f"，为{'、'.join(rising['问题类别'])}" if len(rising) else ""
    display.finding(f"末月件数高于自身常规水平的问题有{{{said.name}}}{named}。", grade="提示")
