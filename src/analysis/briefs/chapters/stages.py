"""办理环节与闭环: how long matters stay in each stage and whether they take the whole path; nothing where no source says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import codebooks, display
from ...cases import disclosure, stages
from .scope import Scope

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "events"


def chapter(scope: Scope) -> None:
    """Stage times of the period, slow bodies by the longest stage, closure and where paths break."""
    if not scope.tables.has("events.at"):
        return
    found = stages.times(scope.tables, None, scope.period, scope.region.code, scope.as_of)
    if found.empty:
        return
    display.text("### 办理环节与闭环")
    times(scope, found)
    bodies(scope)
    closure(scope)
    display.note(
        "环节记录只覆盖来源中逐环节登记的事项；时间从进入一个环节算到进入下一个环节，尚在环节中的按截止时间删失，"
        "撤回、移送的不算走完。比较的是单位和流程，不涉及个人。",
        "method",
    )


def times(scope: Scope, found: pd.DataFrame) -> None:
    """Median, interval and share over the limit of each stage."""
    shown = _open(scope, found)
    frame = shown[["stage", "n", "open"]].join(_described(shown))
    frame = frame.assign(时限=shown["limit"], 超过时限=shown["over"] * 100, 说明=shown["note"])
    frame = frame.rename(columns={"stage": "环节", "n": "进入", "open": "仍在其中"})
    if frame["说明"].isna().all():
        frame = frame.drop(columns="说明")
    limits = codebooks.load("stages")["limits"]
    display.table(
        frame,
        name="stages",
        caption=f"{scope.region.name}{scope.period.label}各环节用时",
        units={"进入": "项次", "仍在其中": "项次", "时限": "天", "超过时限": "%"},
        digits={"进入": 0, "仍在其中": 0, "时限": 0, "超过时限": 1},
        note="中位数与超过时限的比例由 Kaplan–Meier 曲线得出，“未达一半”为曲线没有降到一半；"
        + "；".join(f"{stage}{entry['days']}天：{entry['source']}" for stage, entry in limits.items())
        + "。",
    )
    high = shown[shown["over_low"] > codebooks.load("stages")["signal"]]
    for row in high.to_dict("records"):
        share = display.result(
            f"{row['stage']}环节·超过时限", 100 * row["over"], unit="%", n=int(row["n"]),
            low=100 * row["over_low"], high=100 * row["over_high"], source=scope_source(scope),
        )  # fmt: skip
        display.finding(
            f"{row['stage']}环节有{{{share.name}}}超过{row['limit']:.0f}天（95%区间{{{share.name}:interval}}），宜查明原因。",
            grade="提示",
        )


def bodies(scope: Scope, most: int = 10) -> None:
    """The bodies whose matters stay longest in 处置, with interval; listed for finding out why, not ranked."""
    found = stages.times(scope.tables, "body", scope.period, scope.region.code, scope.as_of)
    long = found[(found["stage"] == "处置") & found["note"].isna() & found["median"].notna()]
    long = _open(scope, long)
    long = long[long["median"].notna()].sort_values(["median", "group"], ascending=[False, True]).head(most)
    if len(long) < 3:
        return
    whole = stages.times(scope.tables, None, scope.period, scope.region.code, scope.as_of)
    usual = float(whole.loc[whole["stage"] == "处置", "median"].iloc[0])
    frame = long[["group", "n", "open"]].join(_described(long))
    frame["与全体相比"] = [
        _against(low, high, usual) for low, high in zip(long["low"], long["high"], strict=True)
    ]
    frame = frame.rename(columns={"group": "单位", "n": "事项", "open": "仍在办"})
    display.table(
        frame,
        name="stages-bodies",
        caption=f"处置环节中位用时较长的单位（前{len(frame)}个；全体中位{usual:.0f}天）",
        units={"事项": "项次", "仍在办": "项次"},
        digits={"事项": 0, "仍在办": 0},
        note="区间含全体中位数的，与全体无法区分；事项不足最低数的单位不列。",
    )


def closure(scope: Scope) -> None:
    """How many took the whole path in order, and where the others broke off."""
    found = stages.closure(scope.tables, None, scope.period, scope.region.code, scope.as_of)
    if found.empty:
        return
    row = found.iloc[0]
    if row["finished"] == 0 or _small(scope, row["finished"]):
        display.note("走完全部环节的事项太少，闭环率不示。", "data")
        return
    rate = display.result(
        "全流程闭环率", 100 * row["value"], unit="%", n=int(row["finished"]), low=100 * row["low"],
        high=100 * row["high"], source=scope_source(scope),
    )  # fmt: skip
    path = "、".join(codebooks.load("stages")["path"])
    display.finding(
        f"{scope.period.label}进入办理、已走到最后环节的事项中，按序走完规定环节（{path}）的占{{{rate.name}}}"
        f"（95%区间{{{rate.name}:interval}}）。"
    )
    # What offices record of their own steps is about offices; how many withdrew is about people and stays in the rest.
    display.text(
        f"登记了环节的{int(row['n'])}项中：按序闭环{int(row['closed'])}项，跳过环节{int(row['skipped'])}项，"
        f"次序倒置{int(row['reversed'])}项，其余尚在进行或中途终止。督办只在超期时发生；信访部门直接答复的不经流转、处置。"
    )
    _breaks(scope)


def _breaks(scope: Scope) -> None:
    import pandas as pd

    paths = stages.judged(scope.tables, None, scope.period, scope.region.code, scope.as_of)
    found = stages.breaks(paths)
    if found.empty:
        return
    frame = pd.DataFrame(
        {
            "情形": ["跳过环节" if kind == "skipped" else "次序倒置" for kind in found["kind"]],
            "环节": [
                row["stage"] if row["kind"] == "skipped" else f"{row['before']}先于{row['stage']}"
                for row in found.to_dict("records")
            ],
            "事项": found["n"].to_numpy(),
        }
    )
    display.table(
        frame,
        name="stages-breaks",
        caption="路径断在哪里",
        units={"事项": "项"},
        digits={"事项": 0},
        note="一项可有几处断点；未登记的环节与确未办理的环节，记录上无法区分，须退回登记单位核对。",
    )


def scope_source(scope: Scope) -> str:
    """What the numbers were computed from."""
    return f"{SOURCE}·{scope.region.code}·{scope.period}"


def _open(scope: Scope, frame: pd.DataFrame) -> pd.DataFrame:
    """Medians and shares of too few spells emptied, for what is shared."""
    if scope.audience is None or frame.empty:
        return frame
    columns = ["median", "low", "high", "over", "over_low", "over_high"]
    return disclosure.gate_quantiles(frame, columns, profile=scope.audience)


def _small(scope: Scope, count: float) -> bool:
    return scope.audience is not None and bool(disclosure.Profile.named(scope.audience).is_small(count))


def _days(value: float) -> str | None:
    if value != value:
        return None
    return "未达一半" if value == float("inf") else f"{value:.0f}"


def _described(frame: pd.DataFrame) -> pd.DataFrame:
    """中位天数 and 95%区间 as text."""
    import pandas as pd

    rows = zip(frame["median"], frame["low"], frame["high"], strict=True)
    text = [(_days(median), _interval(low, high)) for median, low, high in rows]
    return pd.DataFrame(text, columns=["中位天数", "95%区间"], index=frame.index)


def _interval(low: float, high: float) -> str | None:
    return None if low != low else f"{low:.0f}–{_days(high)}"


def _against(low: float, high: float, usual: float) -> str:
    if low > usual:
        return "较长"
    return "较短" if high < usual else "无法区分"
