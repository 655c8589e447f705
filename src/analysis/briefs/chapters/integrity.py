"""数据真实性提示: signs that the clock was worked to rather than the case, beside the indicators they touch; no verdicts.

Below the province, where months are small, the twelve that end with the period are looked at; a county is held against the
other counties of its city. Below the province only ratios are printed of what is shared: counts would add up to the city's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ... import display, regions
from ...cases import registry
from ...cases.disclosure import Profile
from .scope import Scope

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 6


def chapter(scope: Scope) -> None:
    """One row a check, with what was found and the indicators it touches."""
    import pandas as pd

    rows = [
        {
            "核查": _name(part),
            "涉及指标": "、".join(registry.indicator(id).name for id in _touched(part)),
            "结果": _said(scope, part),
        }
        for part in _parts(scope.checks)
    ]
    if not rows:
        return
    span = scope.looked_at_label
    display.text("### 数据真实性提示")
    display.table(
        pd.DataFrame(rows),
        name="integrity",
        caption=f"{scope.region.name}{span}办理数据的核查",
        note="只提示该看哪里，不作结论：聚集、延期、重访各有正当原因。期限前聚集为期限前两日至当日的办结数与前后平滑值之比；"
        "月末集中至少看十二个月；按地区的核查以漏斗外界限为准。",
    )
    flagged = [_name(part) for part in _parts(scope.checks) if part["flag"].any()]
    made = display.result(
        "有提示的核查",
        len(flagged),
        unit="项",
        n=len(rows),
        source=f"matters·{scope.region.code}·{span}",
    )
    named = f"：{'、'.join(flagged)}，引用所涉指标时应一并说明" if flagged else ""
    display.finding(f"数据真实性核查中有提示的{{{made.name}}}{named}。", grade="提示" if flagged else None)


def beside(scope: Scope) -> Mapping[str, str]:
    """Indicator → what stands beside it in its table: the checks that point at it."""
    said: dict[str, list[str]] = {}
    for part in _parts(scope.checks):
        flags = int(part["flag"].sum())
        if flags:
            many = f"（{flags}个县）" if part["body"].notna().any() and scope.region.level != "县" else ""
            for id in _touched(part):
                said.setdefault(id, []).append(_name(part) + many)
    return {id: f"核查提示：{'、'.join(names)}" for id, names in said.items()}


def _parts(found: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each check, of heaping for each limit."""
    return [part for _, part in found.groupby(["check", "at"], sort=False, dropna=False)]


def _name(part: pd.DataFrame) -> str:
    at = part["at"].iloc[0]
    return str(part["name"].iloc[0]) + (f"（{at:.0f}日）" if at == at else "")


def _touched(part: pd.DataFrame) -> list[str]:
    return str(part["touches"].iloc[0]).split("、")


def _said(scope: Scope, part: pd.DataFrame) -> str:
    """What one check found: a ratio for the whole, or how many places and which; of a county's own, a word."""
    first, flags = part.iloc[0], part[part["flag"].astype(bool)]
    if part["body"].notna().any():
        if scope.region.level == "县":
            return _of_county(first)
        names = [_place(body) for body in flags["body"][:_NAMED]]
        more = "等" if len(flags) > _NAMED else ""
        listed = f"：{'、'.join(names)}{more}" if names else ""
        return f"{len(part)}个地区中有提示的{len(flags)}个{listed}"
    if isinstance(first["note"], str):
        return str(first["note"])
    if scope.audience is not None and bool(Profile.named(scope.audience).is_small(first["observed"])):
        return "数字小，不示"
    if scope.audience is None or scope.region.level == "省":
        said = f"实际{first['observed']:,.0f}，预期{first['expected']:,.1f}，为{first['ratio']:.1f}倍"
    else:
        said = f"为预期的{first['ratio']:.1f}倍"
    return said if len(flags) else f"{said}，未见异常"


def _of_county(row: pd.Series) -> str:
    """A county among those of its city: no more than the word, unless it stands out, and then it is no small number."""
    if not row["flag"]:
        return "未见异常"
    if row["expected"] == row["expected"]:
        return f"明显高于同市各县，为其平均水平的{row['ratio']:.1f}倍"
    return str(row["note"])


def _place(body: object) -> str:
    book = regions.load()
    return book.get(str(body)).name if str(body) in book else str(body)
