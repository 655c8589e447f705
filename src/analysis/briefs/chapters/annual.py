"""The yearly report under article 41 of 信访工作条例: its four items, in its order.

(1) statistics of the matters, their fields and the bodies most complained of; (2) transfer, hand-over and supervision;
(3) recommendations to improve work, complete policy or hold to account, and how many were adopted; (4) other matters.
"""

from __future__ import annotations

from ... import cases as case_tables
from ... import display
from ...cases import disclosure
from ...errors import InputError
from . import grid, history, volume
from .scope import Scope, known
from .words import small

ARTICLE = "《信访工作条例》第四十一条"


def statistics(scope: Scope) -> None:
    """Item 1: matters, their fields, the bodies most complained of."""
    display.text("## 信访事项的数据情况、涉及领域与被反映较多的部门")
    display.note(f"本章对应{ARTICLE}第一项。", "definition")
    volume.totals(scope)
    display.text("### 渠道与事项分类")
    volume.split(scope, "pieces", "channel", name="channels", caption="信访件的渠道构成", head="渠道")
    volume.split(scope, "matters", "class", name="classes", caption="信访事项的分类", head="事项分类")
    volume.topics(scope)
    volume.places(scope)
    bodies(scope)


def bodies(scope: Scope, most: int = 15) -> None:
    """Bodies with the most matters, as the article asks; with what became of the matters, and never as a ranking of places."""
    import pandas as pd

    if not scope.tables.has("matters.responsible_body"):
        return
    display.text("### 被反映较多的部门")
    try:
        rows = case_tables.indicators(
            scope.tables, scope.period, scope.region.code, scope.as_of, by="responsible_body",
            only=known(("matters", "on_time", "resolved")), views=("本期",),
        )  # fmt: skip
    except InputError as reason:  # prepared data hold no margin by body
        display.note(f"未列责任单位：{reason.message}。", "data")
        return
    rows = rows[rows["part_of"].isna() & rows["group"].notna()]
    if scope.audience is not None:
        # A count has no denominator: it is its own.
        whole = rows.assign(denominator=rows["denominator"].fillna(rows["numerator"]))
        rows = disclosure.gate_rates(whole, profile=scope.audience)
    heads = {"matters": "headline", "on_time": "due", "resolved": "headline"}
    wide = pd.DataFrame(
        {
            (indicator, column): rows[
                (rows["indicator"] == indicator) & (rows["variant"] == variant)
            ].set_index("group")[column]
            for indicator, variant in heads.items()
            for column in ("value", "denominator")
        }
    )
    counted = wide["matters", "value"].dropna().sort_values(ascending=False, kind="stable")
    chosen = wide.loc[counted.index[:most]]
    frame = pd.DataFrame({"责任单位": chosen.index, "信访事项数": chosen["matters", "value"].to_numpy()})
    for indicator, label in (("on_time", "按期办结率"), ("resolved", "化解率")):
        enough = chosen[indicator, "denominator"] >= 30
        frame[label] = (100 * chosen[indicator, "value"]).where(enough).to_numpy()
    display.table(
        frame,
        name="bodies",
        caption=f"{scope.region.name}{scope.period.label}被反映较多的责任单位（前{len(frame)}个）",
        units={"信访事项数": "项", "按期办结率": "%", "化解率": "%"},
        digits={"信访事项数": 0},
        note="事项多少与单位职责、服务人口有关，不代表工作好坏；分母不足 30 项或数字小的率不列。",
    )


def transfers(scope: Scope) -> None:
    """Item 2: transfer, hand-over, supervision."""
    display.text("## 转送、交办、督办情况")
    display.note(f"本章对应{ARTICLE}第二项。", "definition")
    grid.show(
        scope,
        only=known(("office_actions", "supervised", "supervision_answered", "overdue_open")),
        name="transfers",
        caption="转送、交办与督办",
    )
    volume.split(
        scope, "office_actions", "action", name="actions", caption="信访部门的处理方式", head="处理方式"
    )
    history.lines(scope, {"督办件数": "supervised"}, name="supervised-months", caption="督办件数走势")


def recommendations(scope: Scope) -> None:
    """Item 3: the three recommendations and how many were adopted."""
    display.text("## 三项建议及其采纳情况")
    display.note(f"本章对应{ARTICLE}第三项：改进工作、完善政策、追究责任的建议。", "definition")
    grid.show(
        scope,
        only=known(("recommendations", "recommendations_answered", "recommendations_adopted")),
        name="recommendations",
        caption="三项建议",
        variants=True,
    )
    if scope.has("recommendations"):
        issued, adopted = scope.result("recommendations"), scope.result("recommendations_adopted")
        display.finding(
            f"全年提出改进工作、完善政策、追究责任建议{{{issued.name}}}，采纳率{{{adopted.name}}}。",
            grade=small(scope, "recommendations_adopted"),
        )
