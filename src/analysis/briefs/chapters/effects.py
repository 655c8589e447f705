"""试点评估: what the roll-out allows to be estimated, what it shows, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ... import cases as case_tables
from ... import display, regions
from ...cases import coverage, registry
from ...effects.design import Design, design
from ...effects.methods import estimate
from ...effects.panel import Panel
from ...effects.pilots import Pilot, pilot
from ...errors import MethodError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWS = 999


@dataclass(frozen=True)
class Evaluation:
    """One policy over one outcome; design and estimates are made once and read by every section."""

    made: Pilot
    region: str
    base: str

    @cached_property
    def panel(self) -> Panel:
        """Counties × months."""
        return self.made.panel

    @cached_property
    def design(self) -> Design:
        """What can be estimated; no effect is looked at."""
        return design(self.panel)

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """The estimates; ``None`` where no cell has a control."""
        if not self.design.estimable:
            return None
        return estimate(self.panel, "did", base=self.base, draws=_DRAWS)

    @property
    def name(self) -> str:
        """The outcome's Chinese name with its definition."""
        entry = registry.indicator(self.made.indicator)
        variant = entry.variants[self.made.variant]
        return entry.name if variant.id == "headline" else f"{entry.name}（{variant.name}）"

    @property
    def short(self) -> str:
        """The outcome's Chinese name."""
        return registry.indicator(self.made.indicator).name

    @property
    def source(self) -> str:
        """What a number was computed from."""
        return f"matters·{self.region}·{self.panel.times[0]}至{self.panel.times[-1]}，按登记月份"

    def tier(self, month: str) -> str:
        """What the cohort that starts in a month is called in the pilots table."""
        starts = self.made.starts
        names = starts.loc[starts["first_treated"] == month, "tier"].unique()
        return "、".join(names) or month


def open_evaluation(
    cases: str,
    region: str,
    indicator: str,
    *,
    policy: str | None = None,
    base: str = "all_pre",
    as_of: str | None = None,
) -> Evaluation:
    """Open the case data for an evaluation.

    Parameters
    ----------
    indicator
        A share over matters in the registry.
    policy
        A policy of the pilots table; not needed when it holds but one.
    base
        Base period of the headline estimate, ``all_pre`` or ``varying``; the other stands beside it.

    Raises
    ------
    RequestError, MethodError
        As for :func:`analysis.effects.pilot`.
    """
    place = regions.load().get(region)
    tables = case_tables.load(cases)
    coverage.require(tables, region=place.code)
    return Evaluation(pilot(tables, indicator, region=region, policy=policy, as_of=as_of), region, base)


def chapter(evaluation: Evaluation) -> None:
    """All sections on one outcome."""
    display.text(f"## {evaluation.name}")
    plan(evaluation)
    means(evaluation)
    estimates(evaluation)
    after_everyone(evaluation)


def plan(evaluation: Evaluation) -> None:
    """设计: the cohorts, what each can show, and the refusals, before any effect."""
    report = evaluation.design
    display.text("### 设计：先看能估什么")
    cohorts = report.cohorts
    points = "个百分点"
    display.table(
        pd.DataFrame(
            {
                "批次": [evaluation.tier(month) for month in cohorts["group"]],
                "开始": cohorts["group"],
                "县数": cohorts["units"],
                "此前月数": cohorts["pre"],
                "有对照的月数": cohorts["post_identified"],
                "可检出·全期": cohorts["mde_all_pre"],
                "可检出·前月": cohorts["mde_varying"],
            }
        ),
        name=f"design-{evaluation.made.indicator}",
        caption=f"{evaluation.made.policy}：各批次能看出多大的效应",
        units={"可检出·全期": points, "可检出·前月": points},
        digits={"可检出·全期": 1, "可检出·前月": 1},
        note="可检出指最小可检出效应，为重抽标准差的2.8倍，分别以实施前全部月份和前一个月为基期；"
        "比它小的真实效应，这个设计多半看不出来。",
    )
    for sentence in report.refusals:
        display.note(f"不作估计：{sentence}。", "method")


def means(evaluation: Evaluation) -> None:
    """走势: pooled means of the cohorts, as they are."""
    from ...display import drawings

    frame = evaluation.made.means().dropna(how="all").reset_index()
    tiers = [str(column) for column in frame if column != "month"]
    first, *_, last = frame.to_dict("records")
    said = "；".join(
        f"{tier}由{first[tier]:.1f}%到{last[tier]:.1f}%"
        for tier in tiers
        if pd.notna(first[tier]) and pd.notna(last[tier])
    )
    display.chart(
        drawings.lines(frame, x="month", series={tier: tier for tier in tiers}, unit="%"),
        name=f"means-{evaluation.made.indicator}",
        caption=f"各批次县的{evaluation.short}（按登记月份，合并计算）",
        alt=f"折线图，{first['month']}至{last['month']}：{said}。",
        note="按登记月份；距数据截止不足六个月的不列，其事项还来不及走完。",
    )


def estimates(evaluation: Evaluation) -> None:
    """估计: each cohort among its re-draws, with its interval and what it could have seen."""
    display.text("### 有对照的部分：双重差分与随机化推断")
    made = evaluation.result
    if made is None:
        display.note("没有一个单元格有对照，不作任何因果估计。", "method")
        return
    rows = [row for row in made["cohorts"] if row["att"] is not None]
    frame = pd.DataFrame(
        {
            "批次": [evaluation.tier(row["group"]) for row in rows],
            "县数": [row["units"] for row in rows],
            "估计": [row["att"] for row in rows],
            "95%区间": [f"{row['low']:.1f}至{row['high']:.1f}" for row in rows],
            "p（随机化）": [row["p_randomisation"] for row in rows],
            "最小可检出": [row[f"mde_{evaluation.base}"] for row in rows],
            "另一基期": [row["att_other_base"] for row in rows],
            "另一基期的p": [row["p_other_base"] for row in rows],
        }
    )
    points = "个百分点"
    display.table(
        frame,
        name=f"estimates-{evaluation.made.indicator}",
        caption=f"{evaluation.short}：各批次的估计（截至{made['window'][1]}，此后没有对照）",
        units={"估计": points, "最小可检出": points, "另一基期": points},
        digits={"估计": 1, "最小可检出": 1, "另一基期": 1, "p（随机化）": 3, "另一基期的p": 3},
        note=f"设计指纹 {made['specification']}：由单位、窗口、批次与方法算出，不含结果，先于估计确定。"
        f"重抽{_DRAWS}次；另列插补法估计{_text(made['imputation'])}个百分点。",
    )
    for row in rows:
        _finding(evaluation, made, row)
    display.chart(
        _event_figure(made),
        name=f"event-{evaluation.made.indicator}",
        caption=f"{evaluation.short}：按实施后月数的估计",
        alt=_event_words(made),
        note="零之前的各点若明显偏离零，平行趋势便可疑。",
    )
    for sentence in made["caveats"]:
        display.note(f"{sentence}。", "method")


def _finding(evaluation: Evaluation, made: dict[str, Any], row: dict[str, Any]) -> None:
    tier = evaluation.tier(row["group"])
    effect = _effect(evaluation, f"{tier}效应", made, (row["att"], row["low"], row["high"]), row["units"])
    chance = row["p_randomisation"] <= 0.05
    size = row[f"mde_{evaluation.base}"]
    reading = "这样大的差别很少由抽签式的巧合产生" if chance else "与随意指定同样多的县所得的差别无法区分"
    grade = "提示" if chance else None
    seen = "" if abs(row["att"]) >= size else f"；估计小于最小可检出效应{size:.1f}个百分点，大小不可靠"
    other = row["p_other_base"]
    if chance and other is not None and other > 0.05:
        seen += f"；换另一基期则与随意指定的无法区分（{display.p_text(other)}），结论随基期而变"
    display.finding(
        f"{tier}（{row['units']}个县）的{evaluation.short}比对照多变化{{{effect.name}}}，{reading}"
        f"（随机化检验 {display.p_text(row['p_randomisation'])}）{seen}。",
        grade=grade,
    )


def _effect(
    evaluation: Evaluation, name: str, made: dict[str, Any], values: tuple[float, float, float], units: int
) -> display.Result:
    """An estimate with its interval as a named result; its definition carries the specification's hash."""
    value, low, high = values
    return display.result(
        f"{evaluation.short}·{name}", value, unit="个百分点", n=units, low=low, high=high, digits=1,
        definition=f"{evaluation.made.indicator}.{evaluation.made.variant}·{made['method']}·{made['specification']}",
        source=evaluation.source,
    )  # fmt: skip


def after_everyone(evaluation: Evaluation) -> None:
    """全面推开之后: described only."""
    display.text("### 没有对照的部分：只作描述")
    last = evaluation.design.last_identified
    waiting = evaluation.design.cohorts.query("post_identified == 0")
    if waiting.empty:
        display.note("窗口内始终有未实施的县，没有这一部分。", "method")
        return
    start = str(waiting["group"].iloc[0])
    try:
        made = estimate(evaluation.panel, "its", cohort=start)
    except MethodError as error:
        display.note(f"未作中断时间序列：{error}。", "data")
        return
    change = (made["level"], made["level_low"], made["level_high"])
    level = _effect(evaluation, f"{evaluation.tier(start)}水平变化", made, change, made["units"])
    alarms = made["false_alarms"]
    told = "" if alarms is None else f"在此前的假日期上，同样的模型有{alarms:.0%}也显示变化。"
    display.finding(
        f"{evaluation.tier(start)}（{made['units']}个县）在{start}前后水平变化{{{level.name}}}，没有对照，不能归因于政策。{told}"
    )
    display.note(f"自{last}之后各县都已实施；中断时间序列把同一时点的其他变化也算在内。", "method")


def _event_figure(made: dict[str, Any]) -> Figure:
    from matplotlib.figure import Figure as Sheet

    from ...display import theme

    rows = [row for row in made["event"] if row["at"] != "overall"]
    events = [int(row["at"]) for row in rows]
    values = [row["att"] for row in rows]
    figure = Sheet(figsize=(6.8, 2.6), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color=theme.colour("muted"), linewidth=0.8)
    axes.axvline(-0.5, color=theme.colour("muted"), linewidth=0.8, linestyle=":")
    if "low" in rows[0]:
        axes.vlines(events, [row["low"] for row in rows], [row["high"] for row in rows], linewidth=1.2)
    axes.plot(events, values, "o-", markersize=3.5, linewidth=0.8)
    axes.set_title("单位：个百分点", loc="left", fontsize=8.5, color=theme.colour("muted"))
    axes.set_xlabel("距实施的月数")
    return figure


def _event_words(made: dict[str, Any]) -> str:
    rows = {row["at"]: row["att"] for row in made["event"]}
    after = [value for at, value in rows.items() if at != "overall" and int(at) >= 0]
    before = [value for at, value in rows.items() if at != "overall" and int(at) < 0]
    return (
        f"点线图：实施前{len(before)}个月的估计在{min(before, default=0):.1f}与{max(before, default=0):.1f}之间，"
        f"实施后{len(after)}个月平均{sum(after) / len(after):.1f}个百分点。"
    )


def _text(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"
