"""摘要: the findings of the brief, each number a named result with its link."""

from __future__ import annotations

from ... import display
from ...cases import registry
from .history import judged
from .scope import Scope
from .words import change, small


def chapter(scope: Scope) -> None:
    """At most ten findings: volume, on time with 化解 beside it, acceptance, satisfaction with 参评率, what is open."""
    display.text("## 摘要")
    if not scope.has("pieces") and not scope.has("matters"):
        display.note(
            f"{scope.region.name}{scope.period.label}没有登记的信访件或信访事项，以下各章相应为空。", "data"
        )
        return
    volume(scope)
    for said in (acceptance, handling, appeal, satisfaction, stock, supervision):
        said(scope)


def volume(scope: Scope) -> None:
    """件, 人次, channels."""
    if scope.has("pieces"):
        total = scope.result("pieces")
        year, _, _ = change(scope, "pieces", "同比")
        month, _, _ = change(scope, "pieces", "环比")
        both = "；".join([year] if scope.period.frequency == "year" else [year, month])
        persons = f"，{{{scope.result('persons').name}}}" if scope.has("persons") else ""
        display.finding(
            f"{scope.period.label}，{scope.region.name}登记信访{{{total.name}}}{persons}，{both}{_usual(scope, 'pieces')}。"
        )
    if scope.has("repeat"):
        rate = scope.result("repeat")
        year, _, grade = change(scope, "repeat", "同比")
        display.finding(f"重复信访率{{{rate.name}}}，{year}。", grade=grade)


def acceptance(scope: Scope) -> None:
    """Each actor under its own article."""
    rates = [
        (who, id)
        for who, id in (("信访部门", "acceptance_office"), ("责任单位", "acceptance_unit"))
        if scope.has(id)
    ]
    if not rates:
        return
    said, grades = [], []
    for who, indicator in rates:
        year, _, grade = change(scope, indicator, "同比")
        said.append(f"{who}及时受理率{{{scope.result(indicator).name}}}（{year}）")
        grades.append(grade)
    display.finding("，".join(said) + "。", grade=_weakest(grades))


def handling(scope: Scope) -> None:
    """按期办结率 never without 化解率."""
    if not scope.has("on_time"):
        return
    rate = scope.result("on_time")
    year, _, grade = change(scope, "on_time", "同比")
    interval = f"（95%区间{{{rate.name}:interval}}）" if rate.interval else ""
    beside = (
        f"；已办结事项的化解率{{{scope.result('resolved').name}}}，办结不等于化解"
        if scope.has("resolved")
        else ""
    )
    display.finding(
        f"按期办结率{{{rate.name}}}{interval}，{year}{beside}{_usual(scope, 'on_time')}。", grade=grade
    )


def appeal(scope: Scope) -> None:
    """Mediation and its success."""
    if scope.has("mediation") and scope.has("mediation_success"):
        share, success = scope.result("mediation"), scope.result("mediation_success")
        display.finding(
            f"进入调解的事项占{{{share.name}}}，其中达成调解或和解的占{{{success.name}}}。",
            grade=_weakest([small(scope, "mediation"), small(scope, "mediation_success")]),
        )


def satisfaction(scope: Scope) -> None:
    """满意率 with 参评率: most did not say."""
    for actor, rate, rated in (
        ("信访部门", "satisfaction_office", "rated_office"),
        ("责任单位", "satisfaction_unit", "rated_unit"),
    ):
        if scope.has(rate) and scope.has(rated):
            year, _, grade = change(scope, rate, "同比")
            display.finding(
                f"已评价事项中对{actor}满意或基本满意的占{{{scope.result(rate).name}}}，{year}；"
                f"参评率{{{scope.result(rated).name}}}，未参评者的意见不得而知。",
                grade=grade,
            )


def stock(scope: Scope) -> None:
    """What is open, overdue, long unresolved."""
    present = [id for id in ("open_stock", "overdue_open", "long_unresolved") if scope.has(id)]
    if not present:
        return
    said = [f"{registry.indicator(id).name}{{{scope.result(id).name}}}" for id in present]
    old = registry.indicator("long_unresolved")
    meaning = f"{old.name}指{old.definition}，不与存量相加。" if old.id in present else ""
    display.finding(f"期末{'，'.join(said)}。{meaning}")


def supervision(scope: Scope) -> None:
    """督办 and the three recommendations."""
    said = [
        f"{label}{{{scope.result(id).name}}}"
        for label, id in (("督办", "supervised"), ("提出改进工作、完善政策、追究责任建议", "recommendations"))
        if scope.has(id)
    ]
    adopted, grade = "", None
    if scope.has("recommendations_adopted"):
        adopted = f"，采纳率{{{scope.result('recommendations_adopted').name}}}"
        grade = small(scope, "recommendations_adopted")
    if said:
        display.finding("，".join(said) + adopted + "。", grade=grade)


def _usual(scope: Scope, indicator: str) -> str:
    """Whether the last month is more than the usual variation, in words."""
    found = judged(scope, indicator)
    if found is None:
        return ""
    return f"；{scope.last_month}{'属常规波动' if found['rule'] == 'common' else found['rule_name']}"


def _weakest(grades: list[str | None]) -> str | None:
    """The most careful of several grades."""
    for grade in ("受小样本影响", "与基期无法区分", "超出抽样波动"):
        if grade in grades:
            return grade
    return None
