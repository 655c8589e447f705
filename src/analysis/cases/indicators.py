"""The indicator table (指标表): every indicator under every definition, for periods, regions and groups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import regions as region_tables
from ..errors import RequestError
from ..periods import Period
from . import intervals, margins, registry
from .load import Cases, moment
from .registry import Indicator, Variant

if TYPE_CHECKING:
    import pandas as pd

VIEWS = ("本期", "本年累计", "同比", "环比")
ALL = "all"
COLUMNS = [
    "indicator", "name", "part", "actor", "region_code", "group", "period", "period_start", "period_end", "view",
    "variant", "variant_name", "part_of", "numerator", "denominator", "value", "unit", "low", "high", "n", "direction",
    "definition", "note",
]  # fmt: skip


def indicators(
    tables: Cases,
    period: str | Period | Iterable[str | Period] | None = None,
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
    by: str | None = None,
    *,
    only: Iterable[str] | None = None,
    views: Sequence[str] = VIEWS,
) -> pd.DataFrame:
    """Compute the registry's indicators.

    Parameters
    ----------
    period
        ``2024-03``, ``2024Q1``, ``2024H1``, ``2024``, several of them, or nothing: all of the data.
    region
        A GB/T 2260 code (a city holds its counties) or, for sources without codes, the place's own name.
    as_of
        The snapshot; a day means its end. Without it the last moment of the data.
    by
        ``region`` (one level down), ``city``, ``county``, or a column such as ``responsible_body``, ``channel``, ``topic_1``.
    only
        Indicator ids; all when not given.
    views
        Of :data:`VIEWS`; without a period there is only 本期.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`: one row an indicator, definition, region, group, period and view. In 同比 and 环比
        ``value`` is the change (percent for counts, percentage points for shares) and numerator and denominator are the
        base period's. ``low`` and ``high`` are Wilson's 95 % interval of a share. What cannot be computed has no value
        and says why in ``note``.

    Raises
    ------
    RequestError
        An unknown period, region, indicator or grouping.
    """
    import pandas as pd

    now = moment(as_of, tables)
    chosen = (
        [registry.indicator(id) for id in only] if only is not None else list(registry.indicators().values())
    )
    places = Places(region, by)
    margin, lacking = _margins(tables, chosen, now, places.column)
    margin = places.assign(margin)
    spans = list(_spans(period, views))
    rows = [_rows(margin, span, tables, now) for span in spans]
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    table = _described(table, now)
    missing = _missing(chosen, lacking, spans, places)
    return pd.concat([table, missing], ignore_index=True)[COLUMNS] if len(missing) else table[COLUMNS]


def states(
    tables: Cases,
    indicator: str = "on_time",
    as_of: str | dt.date | dt.datetime | None = None,
    by: str | None = None,
) -> pd.DataFrame:
    """The four-state status at the as-of date (四种状态) over all rows that the clock binds.

    Returns
    -------
    DataFrame
        region, group, month (of the due date), state, n, indicator; ``unknown`` where the due date is not known.
    """
    chosen = registry.indicator(indicator)
    if chosen.kind != "clock":
        raise RequestError("这个指标没有期限", value=indicator)
    _, counts, lacking = margins.clocked(tables, [(chosen, chosen.headline)], moment(as_of, tables), by)
    if lacking:
        raise RequestError(next(iter(lacking.values())), value=indicator)
    return counts


@dataclass(frozen=True)
class Places:
    """Which rows of the margin belong to which printed region."""

    region: str | None
    by: str | None

    @property
    def column(self) -> str | None:
        """The grouping column when ``by`` is no level of the region tree."""
        return None if self.by in (None, "region", "city", "county") else self.by

    def assign(self, margin: pd.DataFrame) -> pd.DataFrame:
        """The margin with ``region_code``; rows outside the region are left out."""
        margin = margin[self._inside(margin["region"])] if self.region else margin
        if self.by in ("region", "city", "county"):
            return margin.assign(region_code=margin["region"].map(self._child))
        return margin.assign(region_code=self.region or ALL)

    def _inside(self, codes: pd.Series) -> pd.Series:
        region = str(self.region)
        table = region_tables.load()
        if region not in table:
            if not (codes == region).any():
                raise RequestError(
                    "数据和行政区划代码表里都没有这个地区", value=region, hint="请用六位代码，如 330000"
                )
            return codes == region
        prefix = {"省": region[:2], "市": region[:4], "县": region}[table.get(region).level]
        return codes.fillna("").str.startswith(prefix)

    def _child(self, code: str | None) -> str | None:
        if not isinstance(code, str) or len(code) != 6 or not code.isdigit():
            return code
        level = self.by
        if level == "region":
            level = "city" if self.region is None or self.region.endswith("0000") else "county"
        return code[:4] + "00" if level == "city" else code


@dataclass(frozen=True)
class Span:
    """A period in one view, with the base that a change is measured against."""

    period: Period | None
    view: str
    start: dt.date | None = None
    end: dt.date | None = None
    base_start: dt.date | None = None
    base_end: dt.date | None = None


def _spans(period: Any, views: Sequence[str]) -> Iterable[Span]:
    if unknown := set(views) - set(VIEWS):
        raise RequestError("没有这个视图", value="、".join(unknown), hint=f"可用：{'、'.join(VIEWS)}")
    if period is None:
        yield Span(None, "本期")
        return
    several = [period] if isinstance(period, str | Period) else list(period)
    for one in several:
        this = one if isinstance(one, Period) else Period.parse(one)
        for view in views:
            base = {"同比": this.last_year, "环比": this.previous}.get(view)
            start = dt.date(this.year, 1, 1) if view == "本年累计" else this.start
            yield Span(this, view, start, this.end, base and base.start, base and base.end)


def _margins(
    tables: Cases, chosen: Sequence[Indicator], now: dt.datetime, by: str | None
) -> tuple[pd.DataFrame, dict[tuple[str, str], str]]:
    import pandas as pd

    pairs = [(one, variant) for one in chosen for variant in one.variants.values()]
    additive, lacking = margins.counted(
        tables, [pair for pair in pairs if pair[0].kind in ("count", "share")], now, by
    )
    clocked, _, without = margins.clocked(
        tables, [pair for pair in pairs if pair[0].kind == "clock"], now, by
    )
    frames = [frame for frame in (additive, clocked) if len(frame)]
    joined = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=margins.COLUMNS)
    return joined, lacking | without


_KEYS = ["indicator", "variant", "part_of", "region_code", "group"]


def _rows(margin: pd.DataFrame, span: Span, tables: Cases, now: dt.datetime) -> pd.DataFrame:
    now_rows = _sums(margin, span.start, span.end)
    if span.base_start is not None:
        now_rows = _change(now_rows, _sums(margin, span.base_start, span.base_end))
    else:
        now_rows["value"] = now_rows["numerator"].where(now_rows["denominator"].isna(), _ratio(now_rows))
        now_rows["n"] = now_rows["denominator"].fillna(now_rows["numerator"])
        now_rows["low"], now_rows["high"] = _interval(now_rows)
    first, last = (span.start, span.end) if span.period else tables.extent
    return now_rows.assign(
        period=str(span.period) if span.period else ALL, period_start=first, period_end=last, view=span.view
    )


def _sums(margin: pd.DataFrame, start: dt.date | None, end: dt.date | None) -> pd.DataFrame:
    import pandas as pd

    if start is not None:
        month = pd.to_datetime(margin["month"])
        margin = margin[(month >= pd.Timestamp(start)) & (month <= pd.Timestamp(end))]
    return margin.groupby(_KEYS, dropna=False, sort=False, as_index=False)[["numerator", "denominator"]].sum(
        min_count=1
    )


def _ratio(frame: pd.DataFrame) -> pd.Series:
    return frame["numerator"] / frame["denominator"].where(frame["denominator"] > 0)


def _interval(frame: pd.DataFrame) -> tuple[Any, Any]:
    return intervals.wilson(frame["numerator"], frame["denominator"].where(frame["denominator"] > 0))


def _change(now: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    both = now.merge(base, on=_KEYS, how="left", suffixes=("_now", ""))
    counts = both["denominator_now"].isna()
    shares_now = both["numerator_now"] / both["denominator_now"].where(both["denominator_now"] > 0)
    percent = (both["numerator_now"] / both["numerator"].where(both["numerator"] > 0) - 1) * 100
    both["value"] = percent.where(counts, (shares_now - _ratio(both)) * 100)
    both["n"] = both["denominator"].fillna(both["numerator"])
    return both.drop(columns=["numerator_now", "denominator_now"]).assign(low=float("nan"), high=float("nan"))


def _described(table: pd.DataFrame, now: dt.datetime) -> pd.DataFrame:
    """Join the registry's words; order as in the registry."""
    import pandas as pd

    book = pd.DataFrame(
        [
            {
                "indicator": one.id, "variant": variant.id, "name": one.name, "part": one.part, "actor": one.actor,
                "unit": one.unit, "direction": one.direction, "minimum_n": one.minimum_n, "variant_name": variant.name,
                "definition": f"{one.id}.{variant.id}@{one.version}", "order": number,
            }
            for number, (one, variant) in enumerate(
                (one, variant) for one in registry.indicators().values() for variant in one.variants.values()
            )
        ]
    )  # fmt: skip
    joined = table.merge(book, on=["indicator", "variant"], how="left")
    change = joined["view"].isin(["同比", "环比"])
    joined.loc[change, "unit"] = joined.loc[change, "unit"].map(
        lambda unit: "百分点" if unit == "率" else "%"
    )
    small = joined["n"].fillna(0) < joined["minimum_n"]
    joined["note"] = None
    joined.loc[small, "note"] = "受小样本影响"
    joined.loc[change & joined["value"].isna(), "note"] = "基期无数据"
    order = ["region_code", "group", "period_end", "order"]
    return joined.sort_values(order, kind="stable", na_position="first").reset_index(drop=True)


def _missing(
    chosen: Sequence[Indicator], lacking: dict[tuple[str, str], str], spans: Sequence[Span], places: Places
) -> pd.DataFrame:
    """A row for each definition that the source cannot feed: never a silent gap."""
    import pandas as pd

    period = str(spans[0].period) if spans and spans[0].period else ALL
    rows: list[dict[str, Any]] = []
    for one in chosen:
        reasons = {variant.id: _reason(one, variant, lacking) for variant in one.variants.values()}
        for id, reason in reasons.items():
            if reason is not None:
                rows.append(
                    {
                        "indicator": one.id, "name": one.name, "part": one.part, "actor": one.actor,
                        "region_code": places.region or ALL, "period": period, "view": "本期", "variant": id,
                        "variant_name": one.variants[id].name, "unit": one.unit, "direction": one.direction,
                        "definition": f"{one.id}.{id}@{one.version}", "note": reason,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _reason(one: Indicator, variant: Variant, lacking: dict[tuple[str, str], str]) -> str | None:
    if one.kind == "missing":
        return "无数据来源"
    return lacking.get((one.id, variant.id))
