"""The indicator table (指标表): every indicator under every definition, for periods, regions and groups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import RequestError
from ..periods import Period
from . import registry
from .load import Cases, moment
from .places import ALL, Places
from .registry import Indicator, Variant

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

VIEWS = ("本期", "本年累计", "同比", "环比")
COLUMNS = [
    "indicator", "name", "part", "actor", "region_code", "group", "period", "period_start", "period_end", "view",
    "variant", "variant_name", "part_of", "numerator", "denominator", "value", "unit", "low", "high", "n", "direction",
    "definition", "note",
]  # fmt: skip
KEYS = ["indicator", "variant", "part_of", "region_code", "group"]
_CHANGES = {"同比": "last_year", "环比": "previous"}
NO_BASE, SMALL = "基期无数据", "受小样本影响"


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
        Columns :data:`COLUMNS`: one row an indicator, definition, term (``part_of``), region, group, period and view. In
        同比 and 环比 ``value`` is the change (per cent for counts, percentage points for shares, else in the unit itself)
        and numerator and denominator are the base period's. ``low`` and ``high`` are Wilson's 95 % interval of a share.
        What cannot be computed has no value and says why in ``note``.

    Raises
    ------
    RequestError
        An unknown period, region, indicator, grouping or view.
    """
    import pandas as pd

    now = moment(as_of, tables)
    chosen = (
        [registry.indicator(id) for id in only] if only is not None else list(registry.indicators().values())
    )
    places = Places(region, by)
    shown = list(_shown(period, views))
    spans = list(dict.fromkeys(span for one in shown for span in (one.span, one.base) if span is not None))
    figures, lacking = _figures(tables, chosen, places, spans, now)
    # What falls due may do so before anything was registered: such a month is no base to compare with.
    clocks = any(one.base for one in shown) and any(one.clock for one in chosen)
    began = tables.first_day if clocks else None
    table = _described([_view(figures, one, spans, began) for one in shown], tables, shown)
    missing = _missing(chosen, lacking, shown, places)
    if not len(table) or not len(missing):
        return table if len(table) else missing
    kinds = {name: kind for name, kind in table.dtypes.items() if missing[name].isna().all()}
    missing = missing.astype(kinds)
    # Column by column: a frame's columns of text would be searched for anything known, cell by cell.
    columns = {name: pd.concat([table[name], missing[name]], ignore_index=True) for name in COLUMNS}
    return pd.DataFrame(columns, copy=False)


def states(
    tables: Cases,
    indicator: str = "on_time",
    as_of: str | dt.date | dt.datetime | None = None,
    by: str | None = None,
) -> pd.DataFrame:
    """The four-state status at the as-of date (四种状态) of everything that a clock binds.

    Returns
    -------
    DataFrame
        region_code, group, state, name, n; a place or body in which a state does not occur has it with 0.

    Raises
    ------
    RequestError
        The indicator has no clock, or the source not the dates for it.
    """
    from .deadlines import STATES

    chosen = registry.indicator(indicator)
    if chosen.kind != "clock":
        raise RequestError("这个指标没有期限", value=indicator)
    table = indicators(tables, as_of=as_of, by=by, only=[indicator])
    rows = table[(table["variant"] == "status") & table["value"].notna()]
    if not len(rows):
        raise RequestError(str(table["note"].iloc[0]), value=indicator)
    made = rows[["region_code", "group", "part_of", "numerator"]].rename(
        columns={"part_of": "state", "numerator": "n"}
    )
    return made.assign(name=made["state"].map(STATES), n=made["n"].astype(int)).reset_index(drop=True)


# ---- what is shown ---------------------------------------------------------------------------------------------------

Span = tuple[dt.date | None, dt.date | None]


@dataclass(frozen=True)
class Shown:
    """One period in one view: its span, and the span that a change is measured against."""

    period: Period | None
    view: str
    span: Span
    base: Span | None = None

    @property
    def label(self) -> str:
        """The period as one writes it."""
        return str(self.period) if self.period else ALL


def _shown(period: Any, views: Sequence[str]) -> Iterable[Shown]:
    if unknown := set(views) - set(VIEWS):
        raise RequestError("没有这个视图", value="、".join(sorted(unknown)), hint=f"可用：{'、'.join(VIEWS)}")
    if period is None:
        yield Shown(None, "本期", (None, None))
        return
    for one in [period] if isinstance(period, str | Period) else list(period):
        this = one if isinstance(one, Period) else Period.parse(one)
        for view in views:
            span = this.year_to_date if view == "本年累计" else (this.start, this.end)
            base: Period | None = getattr(this, _CHANGES[view]) if view in _CHANGES else None
            yield Shown(this, view, span, (base.start, base.end) if base else None)


def _figures(
    tables: Cases, chosen: Sequence[Indicator], places: Places, spans: Sequence[Span], now: dt.datetime
) -> tuple[pd.DataFrame, dict[tuple[str, str], str]]:
    """Every key's numerator, denominator and value in every span, and what could not be computed."""
    from .collect import margins
    from .emerging import figures as emerging
    from .monthly import stated
    from .names import stack
    from .points import points

    wanted = _with_parts(chosen)
    made = margins(tables, wanted, now, places.column)
    lacking = dict(made.lacking) | {
        (one.id, variant): "无数据来源" for one in wanted if one.kind == "missing" for variant in one.variants
    }
    topics = [emerging(tables, one, places, spans, now, lacking) for one in wanted if one.kind == "topics"]
    extra = stated(tables, wanted, lacking, places, now)
    margin = stack([places.assign(made.table), extra], list(extra.columns))
    figures = points(margin, spans, now)
    figures["value"] = figures["numerator"].where(figures["denominator"].isna(), _ratio(figures))
    figures = _multiplied(figures)
    figures = stack(
        [
            figures,
            *_derived(figures, wanted, tables, spans, lacking),
            *([_durations(places.assign(made.durations), spans)] if len(made.durations) else []),
            *topics,
        ],
        list(figures.columns),
    )
    ids = {one.id for one in chosen}
    figures = figures[figures["indicator"].isin(ids)]
    there = figures[["indicator", "variant"]].drop_duplicates().itertuples(index=False, name=None)
    nothing = {(one.id, variant) for one in chosen for variant in one.variants} - {*there, *lacking}
    return figures, lacking | dict.fromkeys(nothing, "数据中没有应计的件")


def _with_parts(chosen: Sequence[Indicator]) -> list[Indicator]:
    """The chosen indicators and those that ratios and rates among them are made of."""
    book = registry.indicators()
    parts = [
        book[one.options[key]] for one in chosen for key in ("of", "top", "bottom") if key in one.options
    ]
    return list({one.id: one for one in (*chosen, *parts)}.values())


def _ratio(frame: pd.DataFrame) -> pd.Series:
    return frame["numerator"] / frame["denominator"].where(frame["denominator"] > 0)


def _multiplied(figures: pd.DataFrame) -> pd.DataFrame:
    """Products of shares: the second factor's row is folded into the first's value."""
    from .margins import TIMES

    marked = [name for name in figures["variant"].unique() if name.endswith(TIMES)]
    if not marked:
        return figures
    second = figures["variant"].isin(marked)
    names = [*KEYS, "span"]
    factor = figures.loc[second, [*names, "value"]].astype(dict.fromkeys(KEYS, object))
    factor["variant"] = factor["variant"].str.removesuffix(TIMES)
    first = ~second & figures["variant"].isin(factor["variant"].unique())
    both = figures.loc[first, names].astype(dict.fromkeys(KEYS, object)).merge(factor, on=names, how="left")
    figures.loc[first, "value"] *= both["value"].fillna(1.0).to_numpy()
    return figures[~second]


def _derived(
    figures: pd.DataFrame, wanted: Sequence[Indicator], tables: Cases, spans: Sequence[Span],
    lacking: dict[tuple[str, str], str],
) -> Iterable[pd.DataFrame]:  # fmt: skip
    for one in wanted:
        if one.kind == "ratio":
            reason = next((lacking[part, "headline"] for part in (one.options["top"], one.options["bottom"])
                           if (part, "headline") in lacking), None)  # fmt: skip
            frame = _quotient(figures, one, spans, tables) if reason is None else None
        elif one.kind == "rate":
            part = one.options["of"]
            reason = lacking.get((part, "headline")) or (
                None if tables.has("population.residents") else "无数据来源：没有常住人口表"
            )
            frame = _per_10k(figures, one, tables, spans) if reason is None else None
        else:
            continue
        if reason is not None:
            lacking[one.id, "headline"] = reason
        elif frame is not None and len(frame):
            yield frame


def _quotient(figures: pd.DataFrame, one: Indicator, spans: Sequence[Span], tables: Cases) -> pd.DataFrame:
    names = ["region_code", "group", "span"]
    top, bottom = (
        figures[(figures["indicator"] == one.options[part]) & (figures["variant"] == "headline")][
            [*names, "numerator"]
        ]
        for part in ("top", "bottom")
    )
    both = top.merge(bottom.rename(columns={"numerator": "denominator"}), on=names)
    if one.options.get("monthly"):
        both["denominator"] /= both["span"].map(
            {k: _months(span if span[0] else tables.extent) for k, span in enumerate(spans)}
        )
    return both.assign(indicator=one.id, variant="headline", part_of="", value=_ratio(both))


def _months(span: Span) -> float:
    start, end = span
    return (
        float("nan")
        if start is None or end is None
        else (end.year - start.year) * 12 + end.month - start.month + 1
    )


def _per_10k(figures: pd.DataFrame, one: Indicator, tables: Cases, spans: Sequence[Span]) -> pd.DataFrame:
    """Counts over residents in units of 10,000, of the span's last year or the latest before it."""
    import pandas as pd

    book = tables.population.select("region_code", "year", "residents").execute()
    top = book["region_code"].astype(str).str.endswith("0000")
    whole = book[top if top.any() else slice(None)].groupby("year", as_index=False)["residents"].sum()
    book = pd.concat([book, whole.assign(region_code=ALL)], ignore_index=True).sort_values("year")
    rows = figures[(figures["indicator"] == one.options["of"]) & (figures["variant"] == "headline")].copy()
    latest = int(book["year"].max()) if len(book) else 0
    rows["region_code"] = rows["region_code"].astype(object)
    rows["year"] = (
        rows["span"].map({k: span[1].year if span[1] else latest for k, span in enumerate(spans)}).astype(int)
    )
    rows = pd.merge_asof(
        rows.drop(columns=["denominator", "value"]).sort_values("year"), book.astype({"year": int}),
        on="year", by="region_code", direction="backward",
    )  # fmt: skip
    rows["denominator"] = rows["residents"] / 10000
    made = rows.assign(indicator=one.id, value=_ratio(rows))
    return made.drop(columns=["year", "residents"])


def _durations(histogram: pd.DataFrame, spans: Sequence[Span]) -> pd.DataFrame:
    """Median, restricted mean and shares done, of what began in each span."""
    import pandas as pd

    from .duration import summary

    there = histogram["month"].dropna().unique()
    months = pd.DataFrame(
        [(month, k) for k, span in enumerate(spans) for month in _starts(there, span)],
        columns=["month", "span"],
    )
    months["month"] = pd.to_datetime(months["month"])
    keys = ["indicator", "region_code", "group", "span"]
    wide = summary(histogram.merge(months, on="month"), keys)
    parts = {
        "headline": "median", "rmst_60": "rmst", "within_15": "within_15", "within_60": "within_60",
        "within_90": "within_90",
    }  # fmt: skip
    return pd.concat(
        [
            wide[keys].assign(
                variant=variant, part_of="", numerator=wide["done"], denominator=wide["n"], value=wide[column]
            )
            for variant, column in parts.items()
        ],
        ignore_index=True,
    )


def _starts(months: Any, span: Span) -> Any:
    """Those first days of months that a span holds."""
    import numpy as np

    start, end = span
    if start is None or end is None:
        return months
    return months[(months >= np.datetime64(start)) & (months <= np.datetime64(end))]


# ---- views and words -------------------------------------------------------------------------------------------------


def _view(figures: pd.DataFrame, one: Shown, spans: Sequence[Span], began: dt.date | None) -> pd.DataFrame:
    """One period in one view; a base that ends before the data begin is none."""
    rows = figures[figures["span"] == spans.index(one.span)].drop(columns="span")
    if one.base is not None:
        base = figures[figures["span"] == spans.index(one.base)].drop(columns="span")
        if began is not None and one.base[1] is not None and one.base[1] < began:
            base = base.iloc[:0]
        rows = rows.drop(columns=["numerator", "denominator"]).rename(columns={"value": "now"})
        rows = rows.merge(base, on=KEYS, how="left")
    return rows


def _described(frames: Sequence[pd.DataFrame], tables: Cases, shown: Sequence[Shown]) -> pd.DataFrame:
    """Values, intervals and the registry's words, in the registry's order: what was shown, one frame each."""
    import numpy as np
    import pandas as pd

    from .intervals import wilson

    table = pd.concat(frames, ignore_index=True)
    table["shown"] = np.repeat(np.arange(len(shown)), [len(frame) for frame in frames])
    book, entry = _entries(table)
    order = ["region_code", "group", "order", "shown"]
    places = table[["region_code", "group", "shown"]].assign(order=book["order"].to_numpy()[entry])
    ordered = places.sort_values(order, kind="stable").index.to_numpy()
    table, entry = table.take(ordered).reset_index(drop=True), entry[ordered]

    def said(name: str) -> pd.Series:
        return pd.Series(book[name].to_numpy()[entry], name=name)

    def of_shown(what: Iterable[object]) -> np.ndarray:
        cells = np.empty(len(shown), dtype=object)
        cells[:] = list(what)
        found: np.ndarray = cells[table["shown"].to_numpy()]
        return found

    unit, kind = said("unit"), said("kind")
    share, change = unit == "率", pd.Series(of_shown(one.view in _CHANGES for one in shown).astype(bool))
    table["n"] = table["denominator"].fillna(table["numerator"])
    proper = share & ~change & ~said("product") & (kind != "duration")
    low, high = wilson(table["numerator"], table["denominator"].where(proper & (table["denominator"] > 0)))
    small = (table["n"].fillna(0) < said("minimum_n")) & table["value"].notna()
    table = table.assign(unit=unit, kind=kind, note=small.map({True: SMALL, False: None}), low=low, high=high)
    if change.any():
        table = _changes(table, change, share)
    # How far the data reach is asked only where a period does not say it.
    first, last = (None, None) if all(one.period for one in shown) else tables.extent
    made: dict[str, Any] = {
        name: table[name] for name in table.columns if name in COLUMNS and name not in KEYS
    }
    made |= {name: _words(table[name]) for name in KEYS}
    made |= {name: said(name) for name in book.columns if name in COLUMNS and name not in made}
    made |= {
        "period": of_shown(one.label for one in shown), "view": of_shown(one.view for one in shown),
        "period_start": of_shown(one.span[0] or first for one in shown),
        "period_end": of_shown(one.span[1] or last for one in shown),
    }  # fmt: skip
    return pd.DataFrame({name: made[name] for name in COLUMNS}, copy=False)


def _entries(table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The registry's entries that occur, and for each row which of them is its own."""
    import pandas as pd

    variants = table["variant"].cat.categories
    pair = table["indicator"].cat.codes.to_numpy(int) * len(variants) + table["variant"].cat.codes.to_numpy()
    entry, there = pd.factorize(pair)
    ids = table["indicator"].cat.categories[there // len(variants)], variants[there % len(variants)]
    return _book().set_index(["indicator", "variant"]).reindex(pd.MultiIndex.from_arrays(ids)), entry


def _words(column: pd.Series) -> np.ndarray:
    """Names out of categories, the empty one as nothing."""
    import numpy as np

    words = np.array([*(word or None for word in column.cat.categories), None], dtype=object)
    found: np.ndarray = words[column.cat.codes.to_numpy()]
    return found


def _changes(table: pd.DataFrame, change: pd.Series, share: pd.Series) -> pd.DataFrame:
    """Turn the rows of 同比 and 环比 into changes; no per cent on a small base."""
    counts = table["kind"].isin(["count", "level", "ages", "rate"])
    base = table["value"].copy()
    percent = (table["now"] / base.where(base > 0) - 1) * 100
    difference = (table["now"] - base) * (share.astype(float) * 99 + 1)
    table.loc[change, "value"] = percent.where(counts, difference)[change]
    table.loc[change & counts, "unit"] = "%"
    table.loc[change & share & ~counts, "unit"] = "百分点"
    tiny = change & counts & (base < _LEAST_BASE)
    table.loc[tiny & base.notna(), "note"] = SMALL
    table.loc[tiny, "value"] = float("nan")
    table.loc[change & base.isna(), "note"] = NO_BASE
    return table.drop(columns="now")


_LEAST_BASE = 10
"""A percentage change on a smaller base says nothing."""


def _book() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "indicator": one.id, "variant": variant.id, "name": one.name, "part": one.part, "actor": one.actor,
                "kind": one.kind, "unit": variant.unit or one.unit, "direction": one.direction,
                "minimum_n": one.minimum_n, "variant_name": variant.name, "product": variant.times is not None,
                "definition": definition(one, variant.id), "order": number,
            }
            for number, (one, variant) in enumerate(
                (one, variant) for one in registry.indicators().values() for variant in one.variants.values()
            )
        ]
    )  # fmt: skip


def definition(one: Indicator, variant: str) -> str:
    """The link from a number to its entry (指标条目): id, variant and version."""
    return f"{one.id}.{variant}@{one.version}"


def _missing(
    chosen: Sequence[Indicator], lacking: dict[tuple[str, str], str], shown: Sequence[Shown], places: Places
) -> pd.DataFrame:
    """A row for each definition that the source cannot feed: never a silent gap."""
    import pandas as pd

    first = shown[0]
    absent = [(one, variant) for one in chosen for variant in _absent(one, lacking)]
    return pd.DataFrame(
        [
            {
                "indicator": one.id, "name": one.name, "part": one.part, "actor": one.actor,
                "region_code": places.region or ALL, "period": first.label, "period_start": first.span[0],
                "period_end": first.span[1], "view": "本期", "variant": variant.id, "variant_name": variant.name,
                "unit": variant.unit or one.unit, "direction": one.direction, "definition": definition(one, variant.id),
                "note": lacking[one.id, variant.id],
            }
            for one, variant in absent
        ],
        columns=COLUMNS,
    )  # fmt: skip


def _absent(one: Indicator, lacking: dict[tuple[str, str], str]) -> list[Variant]:
    """The definitions that cannot be computed; the headline alone when it is all of them."""
    absent = [variant for variant in one.variants.values() if (one.id, variant.id) in lacking]
    return absent[:1] if len(absent) == len(one.variants) else absent
