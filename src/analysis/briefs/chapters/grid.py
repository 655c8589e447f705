"""The indicator table of a chapter (指标表): 本期, 本年累计, 同比, 环比 side by side, each row linked to its definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import display
from ...cases import registry
from ...cases.calendar import published_until
from ...cases.deadlines import clock
from . import integrity
from .scope import CHANGES, PARTS, VIEWS, Scope, decimals, headline, scaled, unit_text

if TYPE_CHECKING:
    import pandas as pd

_SHARES = ("share", "clock", "duty")
_DASH = "“—”为无数据或因数字小而不示"


def show(
    scope: Scope,
    *,
    name: str,
    caption: str,
    part: str | None = None,
    only: Sequence[str] | None = None,
    variants: bool = False,
    note: str = "",
) -> pd.DataFrame:
    """Show a table of indicators and return it.

    Parameters
    ----------
    part
        One of :data:`.scope.PARTS`: all its indicators.
    only
        Indicators in this order, instead.
    variants
        With every definition and every part of a split, not only the headlines.
    note
        Said before what every table of indicators says below it.

    Returns
    -------
    DataFrame
        指标, 主体, 单位, those of 本期, 本年累计, 同比, 环比 that the period has, 分母, 区间, 说明.
    """
    frame = rows(scope, _ids(part, only), variants)
    if frame.empty:
        return frame
    frame = frame.drop(columns=[view for view in VIEWS if view not in scope.views])
    changes = [view for view in scope.views if view in CHANGES]
    shown = _without_empty(frame, ("主体", "分母", "区间", "说明"))
    explained = [f"{'、'.join(changes)}：{_kinds_of_change(frame['_单位'])}"]
    if "区间" in shown:
        explained.append("区间为本期值的95%区间")
    display.table(
        shown.assign(_口径=frame["_口径"]),
        name=name,
        caption=f"{scope.region.name}{scope.period.label}{caption}",
        note=f"{note}{'；'.join([*explained, _DASH])}。{provisional(scope, frame['_指标'])}",
        links={"指标": "_口径"},
        digits={**dict.fromkeys(changes, 2), **({"分母": 0} if "分母" in shown else {})},
        row_digits=[decimals(unit) for unit in frame["_单位"]],
    )
    return frame


def _kinds_of_change(units: Iterable[str]) -> str:
    """How changes are given for rows of these units: shares apart in points, times and ratios in their own unit."""
    present = set(units)
    differ = [word for unit, word in (("天", "天数"), ("月", "月数"), ("比", "比值")) if unit in present]
    said = [
        words
        for words, holds in (
            ("率为百分点之差", "率" in present),
            (f"{'、'.join(differ)}为本期减基期之差", bool(differ)),
        )
        if holds
    ]
    if present - {"率", "天", "月", "比"}:
        said.append("其余为增减百分比" if said else "增减百分比")
    return "，".join(said)


def provisional(scope: Scope, ids: Iterable[str]) -> str:
    """What the note adds when limits of the period hang on holidays that are not published yet (暂定)."""
    rules = {
        clock(entry.clock).day_rule
        for entry in (registry.indicator(id) for id in set(ids))
        if entry.clock is not None
    }
    if rules <= {"calendar"} or scope.period.end <= published_until():
        return ""
    return f"{published_until().year}年以后的节假日安排尚未公布，按工作日计算的期限为暂定，公布后重算。"


def rows(scope: Scope, ids: Iterable[str], variants: bool = False) -> pd.DataFrame:
    """The rows of the table, unformatted; ``_口径`` is each row's link and ``_单位`` the registry's unit."""
    import pandas as pd

    wanted = list(ids)
    table = scope.gated(scope.table[scope.table["indicator"].isin(wanted)])
    if not variants:
        table = table[(table["variant"] == table["indicator"].map(headline)) & table["part_of"].isna()]
    made = []
    keys = ["indicator", "variant", "part_of"]
    for (indicator, variant, part_of), group in table.groupby(keys, sort=False, dropna=False):
        made.append(_row(str(indicator), str(variant), part_of, group, variants))
    order = {id: k for k, id in enumerate(wanted)}
    made.sort(key=lambda row: order[row["_指标"]])
    checked = integrity.beside(scope)
    for id, row in {row["_指标"]: row for row in reversed(made)}.items():  # an indicator's first row
        if id in checked:
            row["说明"] = "；".join(filter(None, (row["说明"], checked[id])))
    return pd.DataFrame(made)


def _row(indicator: str, variant: str, part_of: Any, group: pd.DataFrame, variants: bool) -> dict[str, Any]:
    entry = registry.indicator(indicator)
    by_view = {row["view"]: row for row in group.to_dict("records")}
    this = by_view.get("本期", next(iter(by_view.values())))
    values = {
        view: scaled(by_view[view]["value"], by_view[view]["unit"])
        if view in by_view and by_view[view]["shown"] and (this["shown"] or view == "本年累计")
        else None
        for view in VIEWS
    }
    low, high = (scaled(this[key], this["unit"]) if this["shown"] else None for key in ("low", "high"))
    digits = decimals(this["unit"])
    return {
        "指标": _label(entry, variant, part_of) if variants else entry.name,
        "主体": entry.actor,
        "单位": unit_text(this["unit"]),
        **values,
        "分母": int(this["denominator"])
        if this["shown"] and this["denominator"] == this["denominator"]
        else None,
        "区间": None if low is None or high is None else f"{low:.{digits}f}–{high:.{digits}f}",
        "说明": _remark(this),
        "_口径": f"#d-{this['definition']}",
        "_单位": this["unit"],
        "_指标": indicator,
    }


def _remark(row: Mapping[Any, Any]) -> str | None:
    """Why a row is as it is: why it shows nothing comes before how far what it shows can be trusted."""
    said = row["note"] if isinstance(row["note"], str) else None
    if said is not None and said.startswith("无数据来源"):
        return said
    if not row["shown"]:
        return "数字小，不示"
    return "期内没有应计的" if row["denominator"] == 0 and row["value"] != row["value"] else said


def _label(entry: registry.Indicator, variant: str, part_of: Any) -> str:
    if isinstance(part_of, str):
        return f"　{part_of}"
    if variant == headline(entry.id) or variant not in entry.variants:
        return entry.name
    return f"　{entry.variants[variant].name}"


def _without_empty(frame: pd.DataFrame, droppable: Sequence[str]) -> pd.DataFrame:
    public = frame[[column for column in frame.columns if not column.startswith("_")]]
    return public.drop(columns=[column for column in droppable if public[column].isna().all()])


def _ids(part: str | None, only: Sequence[str] | None) -> list[str]:
    if only is not None:
        return [id for id in only if id in registry.indicators()]
    assert part in PARTS
    return [id for id, entry in registry.indicators().items() if entry.part == part]
