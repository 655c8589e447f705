"""Sentences of change (措辞): how a brief says that a number moved, and when it may not say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import display
from ...cases import intervals, registry
from .scope import Scope

GRADES = {
    "small": "受小样本影响",
    "moved": "超出抽样波动",
    "same": "与基期无法区分",
    "counted": None,
}


def change(scope: Scope, indicator: str, view: str) -> tuple[str, display.Result | None, str | None]:
    """The phrase for 同比 or 环比, its result, and its grade.

    Returns
    -------
    tuple
        A phrase with a slot, such as ``同比上升{信访件数·同比:size}``; the recorded result; and a grade of :data:`GRADES`.
        Without a base the phrase says so and there is no result.
    """
    row = scope.row(indicator, view)
    if row is None or row["value"] is None or row["value"] != row["value"]:
        return f"{view}无基期数据", None, None
    made = scope.result(indicator, view)
    if made.value is None:
        return f"{view}数字小，不示", None, None
    value = float(made.value)
    direction = "持平" if abs(value) < 0.005 else ("上升" if value > 0 else "下降")
    if direction == "持平":
        return f"{view}持平", None, _grade(scope, indicator, row)
    return f"{view}{direction}{{{made.name}:size}}", made, _grade(scope, indicator, row)


def small(scope: Scope, indicator: str) -> str | None:
    """The grade of a share whose denominator is under its minimum; nothing for all others."""
    now = scope.row(indicator)
    few = now is not None and now["denominator"] < registry.indicator(indicator).minimum_n
    return GRADES["small"] if few else None


def _grade(scope: Scope, indicator: str, base: Mapping[str, Any]) -> str | None:
    """Whether the two shares' 95 % intervals stand apart; counts are a full count and have no grade."""
    entry = registry.indicator(indicator)
    now = scope.row(indicator)
    if now is None or entry.kind not in ("share", "clock"):
        return GRADES["counted"]
    if min(now["denominator"], base["denominator"]) < entry.minimum_n:
        return GRADES["small"]
    low, high = intervals.wilson(base["numerator"], base["denominator"])
    apart = now["low"] > float(high) or now["high"] < float(low)
    return GRADES["moved"] if apart else GRADES["same"]
