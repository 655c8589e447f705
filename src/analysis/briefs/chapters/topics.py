"""新出现与明显上升的问题: topics against the same months of the years before, with the stated rate of false signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import codebooks, display
from ...cases import registry
from ...cases.emerging import VERDICTS, emerging
from ...cases.indicators import definition
from ...errors import MethodError, RequestError
from ...periods import Period
from .scope import Scope

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 12


def chapter(scope: Scope) -> None:
    """Topics that are new or rise; below the province on the rolling year that ends with the period."""
    if not scope.tables.has("matters.topic_1"):
        return
    months = scope.looked_at
    span = scope.looked_at_label
    display.text("### 新出现与明显上升的问题")
    try:
        found = emerging(scope.tables, months, scope.region.code, scope.as_of, since=scope.first)
    except (MethodError, RequestError) as reason:
        display.note(f"未作判断：{reason.message}。", "data")
        return
    if found.empty or not found["n"].sum():
        display.note(f"{span}没有登记的信访事项。", "data")
        return
    entry = registry.indicator("new_topics")
    links = {verdict: f"#d-{definition(entry, _VARIANTS[verdict])}" for verdict in _VARIANTS}
    facts = {str(key): value for key, value in found.attrs.items()}
    shown = _gated(scope, found, months)
    if len(shown):
        _table(shown, facts, span, links)
    _finding(scope, shown, facts, span, entry)


_VARIANTS = {verdict: variant for variant, verdict in VERDICTS.items()}


def _gated(scope: Scope, found: pd.DataFrame, months: list[Period]) -> pd.DataFrame:
    """Counts that the release lets be shown, now and in the base; no ratio to a base that may not.

    Below a province only what is judged new or rising is listed.
    """
    release = scope.release
    if release is None:
        return found
    code, years = scope.region.code, int(found["base_years"].iloc[0])

    def shown(back: int) -> pd.Series:
        span = [month.shift(-12 * back) for month in months]
        return found["topic"].map(lambda topic: release.shows_topic(topic, code, span)).astype(bool)

    now = shown(0)
    base = now.copy()
    for back in range(1, years + 1):
        base &= shown(back)
    columns = ["base", "ratio", "low", "high"]
    gated = found.assign(n=found["n"].where(now), **{name: found[name].where(base) for name in columns})
    gated.attrs = found.attrs
    return gated if scope.region.level == "省" else gated[gated["verdict"].isin(list(_VARIANTS))]


def _table(shown: pd.DataFrame, facts: dict[str, Any], span: str, links: dict[str, str]) -> None:
    import pandas as pd

    usual = codebooks.load("emerging")["words"]["usual"]
    flagged = shown["verdict"].isin(list(_VARIANTS))
    rest = shown[~flagged & shown["n"].notna()].head(max(0, _LISTED - int(flagged.sum())))
    first = shown[flagged].sort_values("ratio", ascending=False, kind="stable", na_position="first")
    rows = pd.concat([first, rest])
    frame = pd.DataFrame(
        {
            "问题类别": rows["topic"].to_numpy(),
            "本期": rows["n"].to_numpy(),
            "往年同期平均": rows["base"].to_numpy(),
            "占比之比": rows["ratio"].to_numpy(),
            "95%区间": [
                None if low != low else f"{low:.2f}–{high:.2f}"
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            "校正p": [None if q != q else "<0.001" if q < 0.001 else f"{q:.3f}" for q in rows["q"]],
            "判断": rows["word"].to_numpy(),
            "_链接": [links.get(verdict) for verdict in rows["verdict"]],
        }
    )
    display.table(
        frame,
        name="topics-new",
        caption=f"{span}各类问题与往年同期相比（新出现与上升的在前，其余按件数；列{len(frame)}类）",
        units={"本期": "项", "往年同期平均": "项"},
        digits={"本期": 0, "往年同期平均": 1, "占比之比": 2},
        links={"判断": "_链接"},
        note=f"占比之比为该类问题占全部事项比重与往年同月之比；比重之比显著高于{facts['ratio']}的才判为上升"
        f"（非中心超几何精确检验，{facts['tested']}类一并校正，错误发现率不超过{facts['false_discovery']:.0%}）；"
        f"“{usual}”指没有证据表明高于{facts['ratio']}，比重下降或略升的也在其中；件数不足的不判断；“—”为没有基数或数字小，不示。",
    )


def _finding(
    scope: Scope, shown: pd.DataFrame, facts: dict[str, Any], span: str, entry: registry.Indicator
) -> None:
    said = []
    for verdict, label in (("new", "新出现的问题"), ("rising", "明显上升的问题")):
        part = shown[shown["verdict"] == verdict]
        made = display.result(
            label, len(part), unit="类", n=facts["tested"], definition=definition(entry, _VARIANTS[verdict]),
            source=f"matters·{scope.region.code}·{span}",
        )  # fmt: skip
        named = f"（{'、'.join(part['topic'])}）" if len(part) else ""
        said.append(f"{label}{{{made.name}}}{named}")
    flagged = facts["flagged"]
    false = f"；其中预期至多{facts['expected_false']:.2f}类是偶然" if flagged else ""
    display.finding(
        f"{span}与往年同期相比，" + "，".join(said) + false + "。", grade="提示" if flagged else None
    )
