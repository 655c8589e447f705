"""政策效果: what the pilots changed, where a design can say so; elsewhere a pointer to the evaluation brief."""

from __future__ import annotations

from ... import display
from ...effects import pilot
from ...errors import InputError, MethodError, RequestError
from . import effects
from .scope import Scope

OUTCOME = "resolved_once"


def chapter(scope: Scope) -> None:
    """Estimates with their re-draws for a province; counties and cities are no design of their own."""
    display.text("## 政策效果")
    if scope.region.level != "省":
        display.note("试点效果须在全省各县之间比较才能估计，见全省的简报与《试点评估》专报。", "method")
        return
    if not scope.tables.has("pilots"):
        display.note("数据中没有试点表，本章从略。", "data")
        return
    try:
        evaluation = effects.Evaluation(
            pilot(scope.tables, OUTCOME, region=scope.region.code, as_of=scope.as_of),
            scope.region.code,
            "all_pre",
        )
        effects.estimates(evaluation)
        effects.after_everyone(evaluation)
    except (InputError, MethodError, RequestError) as reason:
        display.note(f"未作估计：{reason.message}。", "method")
