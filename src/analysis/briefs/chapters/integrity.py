"""数据真实性提示: signs that the clock was worked to rather than the case, beside the indicators they touch; no verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import display, regions
from ...cases import registry
from ...cases.disclosure import Profile
from ...cases.integrity import checks
from .scope import Scope

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 6


def chapter(scope: Scope) -> None:
    """One row a check, with what was found and the indicators it touches."""
    if scope.tables.matters is None:  # prepared data hold no days
        return
    found = checks(scope.tables, scope.period.start, scope.period.end, region=scope.region.code)
    found = found[~found["note"].fillna("").str.startswith("无数据来源")]
    coded = found["body"].map(lambda body: str(body) in regions.load())
    if coded.any():  # then a code that no region has is a reject, not a place
        found = found[found["body"].isna() | coded]
    rows = [row for (_, at), part in found.groupby(["check", "at"], sort=False, dropna=False)
            if (row := _row(scope, part, at))]  # fmt: skip
    if not rows:
        return
    import pandas as pd

    display.text("### 数据真实性提示")
    display.table(
        pd.DataFrame(rows).drop(columns="_提示"),
        name="integrity",
        caption=f"{scope.region.name}{scope.period.label}办理数据的核查",
        note="只提示该看哪里，不作结论：聚集、延期、重访各有正当原因。期限前聚集为期限前两日至当日的办结数与前后平滑值之比；"
        "按地区的核查以漏斗外界限为准。",
    )
    flagged = [row["核查"] for row in rows if row["_提示"]]
    made = display.result(
        "有提示的核查",
        len(flagged),
        unit="项",
        n=len(rows),
        source=f"matters·{scope.region.code}·{scope.period}",
    )
    named = f"：{'、'.join(flagged)}，引用所涉指标时应一并说明" if flagged else ""
    display.finding(f"数据真实性核查中有提示的{{{made.name}}}{named}。", grade="提示" if flagged else None)


def _row(scope: Scope, part: pd.DataFrame, at: Any) -> dict[str, Any] | None:
    first = part.iloc[0]
    touched = "、".join(registry.indicator(id).name for id in str(first["touches"]).split("、"))
    flags = part[part["flag"].astype(bool)]
    name = str(first["name"]) + (f"（{at:.0f}日）" if at == at else "")
    return {"核查": name, "涉及指标": touched, "结果": _said(scope, part, flags), "_提示": bool(len(flags))}


def _said(scope: Scope, part: pd.DataFrame, flags: pd.DataFrame) -> str:
    """What one check found: a ratio for the whole, or how many places and which."""
    first = part.iloc[0]
    if part["body"].notna().any():
        names = [_place(body) for body in flags["body"][:_NAMED]]
        more = "等" if len(flags) > _NAMED else ""
        listed = f"：{'、'.join(names)}{more}" if names else ""
        return f"{len(part)}个地区中有提示的{len(flags)}个{listed}"
    if isinstance(first["note"], str):
        return str(first["note"])
    if scope.audience is not None and bool(Profile.named(scope.audience).is_small(first["observed"])):
        return "数字小，不示"
    said = f"实际{first['observed']:,.0f}，预期{first['expected']:,.1f}，为{first['ratio']:.1f}倍"
    return said if len(flags) else f"{said}，未见异常"


def _place(body: object) -> str:
    book = regions.load()
    return book.get(str(body)).name if str(body) in book else str(body)
