"""A pilot's panel out of case tables (试点面板): counties × months of one indicator, and when the policy reached each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import pandas as pd

from .. import regions as region_tables
from ..cases import Cases, registry
from ..cases.load import moment
from ..errors import MethodError, RequestError
from ..periods import Period
from .panel import Panel, read


@dataclass(frozen=True)
class Pilot:
    """One policy's roll-out over an outcome.

    Attributes
    ----------
    counts
        One row a county and month of registration: ``county``, ``month``, ``numerator``, ``denominator``, ``value``
        (percent), ``first_treated`` (month, empty if never), ``tier``.
    starts
        ``county``, ``tier``, ``first_treated``, ``source``.
    policy, indicator, variant
        What it is about.
    """

    counts: pd.DataFrame
    starts: pd.DataFrame
    policy: str
    indicator: str
    variant: str

    @property
    def panel(self) -> Panel:
        """As matrices; a month without cases is a gap."""
        return read(self.counts, unit="county", time="month", outcome="value", first_treated="first_treated")

    def means(self) -> pd.DataFrame:
        """Pooled value by month and tier, tiers as columns in order of their start."""
        sums = self.counts.groupby(["month", "tier"])[["numerator", "denominator"]].sum()
        wide = (100 * sums["numerator"] / sums["denominator"]).unstack("tier")
        order = self.starts.sort_values("first_treated")["tier"].unique()
        return wide[
            [*[tier for tier in order if tier in wide], *[tier for tier in wide if tier not in order]]
        ]


def pilot(
    tables: Cases,
    indicator: str,
    *,
    variant: str | None = None,
    region: str | None = None,
    policy: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
    follow_up: int = 180,
) -> Pilot:
    """Counties × months of an indicator, matters counted in the month they were registered.

    By registration and not by answer or conclusion, because a policy binds the matters that come in under it: by month of
    answer the first treated months would hold mostly old matters.

    Parameters
    ----------
    indicator, variant
        A share over matters in the registry.
    policy
        Name in the pilots table; not needed when it holds but one.
    follow_up
        Months of registration that ended fewer days than this before the snapshot are left out: their matters have not had
        the time to go the way of the others.

    Raises
    ------
    RequestError
        No pilots table, several policies and none named, or an indicator that is no share of matters.
    MethodError
        No county with cases, or no county that the policy reached.
    """
    entry = registry.indicator(indicator)
    chosen = _variant(entry, variant)
    starts, name = _starts(tables, policy)
    counts = _monthly(tables, entry, chosen, region, as_of)
    ripe = (moment(as_of, tables) - dt.timedelta(days=follow_up)).date()
    counts = counts[[Period.parse(month).end <= ripe for month in counts["month"]]]
    if counts.empty:
        raise MethodError(
            "没有一个月有足够的跟踪时间", value=follow_up, hint="请缩短 follow_up，或等数据更新"
        )
    counts = counts.merge(starts, on="county", how="left")
    counts["tier"] = counts["tier"].fillna("未实施")
    counts["first_treated"] = counts["first_treated"].fillna("")
    if not (counts["first_treated"] != "").any():
        raise MethodError("数据中没有一个县在试点表里", value=name, hint="请检查 pilots 表的地区代码")
    return Pilot(counts, starts, name, entry.id, chosen.id)


def _variant(entry: registry.Indicator, name: str | None) -> registry.Variant:
    if name is not None and name not in entry.variants:
        raise RequestError("没有这个口径", value=name, hint=f"可用：{'、'.join(entry.variants)}")
    if not entry.variants:
        raise RequestError(f"“{entry.name}”没有可用的口径", value=entry.id)
    chosen = entry.headline if name is None else entry.variants[name]
    if entry.kind != "clock" and (entry.kind != "share" or chosen.table != "matters"):
        raise RequestError(f"“{entry.name}”不是按事项计的率，不能作试点评估", value=entry.id)
    # A clock's cohort is what was registered, whatever has fallen due since.
    return chosen if entry.kind == "clock" else replace(chosen, when="registered_at")


def _monthly(
    tables: Cases,
    entry: registry.Indicator,
    variant: registry.Variant,
    region: str | None,
    as_of: str | dt.date | dt.datetime | None,
) -> pd.DataFrame:
    from ..cases.strata import rows_of

    rows = rows_of(tables, entry, variant, "county", region=region, as_of=as_of)
    rows = rows.filter(rows.registered_at.notnull())
    keys = {"county": rows._body, "month": rows.registered_at.strftime("%Y-%m")}
    frame = (
        rows.group_by(**keys)
        .aggregate(numerator=rows.count(where=rows._good), denominator=rows.count())
        .execute()
    )
    book = region_tables.load()
    frame = frame[[code in book and book.get(code).level == "县" for code in frame["county"].fillna("")]]
    window = tables.metadata.get("window") or {}
    if "start" in window:
        frame = frame[frame["month"] >= str(window["start"])[:7]]
    if frame.empty:
        raise MethodError("所选范围内没有一个县有数据", value=region)
    frame["value"] = 100 * frame["numerator"] / frame["denominator"]
    return frame.sort_values(["county", "month"]).reset_index(drop=True)


def _starts(tables: Cases, policy: str | None) -> tuple[pd.DataFrame, str]:
    """The earliest start that reaches each county: its own, its city's or its province's."""
    if not tables.has("pilots"):
        raise RequestError(
            "数据没有试点表（pilots）", hint="试点表需要 policy、region_code、tier、start、source"
        )
    table = tables.pilots.execute()
    names = sorted(table["policy"].dropna().unique())
    if policy is None and len(names) != 1:
        raise RequestError("试点表里的政策不止一个，请指明", hint=f"可选：{'、'.join(names) or '无'}")
    name = policy or names[0]
    table = table[table["policy"] == name].dropna(subset=["region_code", "start"])
    if table.empty:
        raise RequestError("试点表里没有这个政策", value=name, hint=f"可选：{'、'.join(names)}")
    book = region_tables.load()
    reached = []
    for row in table.sort_values("start", kind="stable").to_dict("records"):
        code = str(row["region_code"])
        counties = [county.code for county in book.counties(code)] if code in book else [code]
        month = pd.Timestamp(row["start"]).strftime("%Y-%m")
        reached += [(county, str(row["tier"]), month, row.get("source")) for county in counties]
    starts = pd.DataFrame(reached, columns=["county", "tier", "first_treated", "source"])
    return starts.drop_duplicates("county", keep="first").sort_values("county").reset_index(drop=True), name
