"""Low-way margins (低维边际表): what indicators are summed from, month × region × at most one more column.

The database sees one aggregate per table and date; periods, 本年累计, 同比, 环比 and the region tree are sums over the
small result. No full cube is ever made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from . import deadlines, registry, schema
from .expression import parse
from .load import Cases
from .registry import Indicator, Variant

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["indicator", "variant", "part_of", "region", "group", "month", "numerator", "denominator"]
Wanted = tuple[Indicator, Variant]


def counted(
    tables: Cases, wanted: Sequence[Wanted], as_of: dt.datetime, by: str | None = None
) -> tuple[pd.DataFrame, dict[tuple[str, str], str]]:
    """Numerators and denominators of counts and shares.

    Returns
    -------
    DataFrame
        One row an indicator, variant, split term (``part_of``), region, group and month; numerator, denominator.
    dict
        (indicator, variant) → why it could not be computed.
    """
    import pandas as pd

    lacking: dict[tuple[str, str], str] = {}
    batches: dict[tuple[str, str, str | None], list[Wanted]] = {}
    for indicator, variant in wanted:
        reason = _lacks(tables, indicator, variant, by)
        if reason:
            lacking[indicator.id, variant.id] = reason
        else:
            assert indicator.table is not None and variant.when is not None
            batches.setdefault((indicator.table, variant.when, variant.split), []).append(
                (indicator, variant)
            )
    frames = [
        _aggregate(snapshot(tables, table, as_of), table, when, split, by, members, as_of)
        for (table, when, split), members in batches.items()
    ]
    return (pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)), lacking


def snapshot(tables: Cases, name: str, as_of: dt.datetime) -> Any:
    """A table as it was known at ``as_of``: later dates are unknown, rows registered later are not there."""
    table = tables.tables[name]
    spec = schema.table(name)
    if spec.when in table.columns:
        table = table.filter(table[spec.when].isnull() | (table[spec.when] <= as_of))
    if tables.last_moment is None or tables.last_moment <= as_of:
        return table
    later = [
        column.id for column in spec.columns.values()
        if column.type == "date" and column.id in table.columns and column.id not in ("due_at", spec.when)
    ]  # fmt: skip
    return table.mutate(**{column: (table[column] <= as_of).ifelse(table[column], None) for column in later})


def _lacks(tables: Cases, indicator: Indicator, variant: Variant, by: str | None) -> str | None:
    assert indicator.table is not None
    if not tables.has(indicator.table):
        return f"无数据来源：没有{schema.table(indicator.table).name}表"
    columns = schema.table(indicator.table).columns
    for column in (*registry.needs(indicator, variant), *([by] if by else [])):
        if not tables.has(f"{indicator.table}.{column}"):
            name = columns[column].name if column in columns else column
            return f"无数据来源：{schema.table(indicator.table).name}没有{name}"
    return None


def _aggregate(
    table: Any,
    name: str,
    when: str,
    split: str | None,
    by: str | None,
    members: Iterable[Wanted],
    as_of: dt.datetime,
) -> pd.DataFrame:
    import pandas as pd

    measures: dict[str, Any] = {}
    columns: list[tuple[Indicator, Variant, str, str | None]] = []
    for indicator, variant in members:
        base = parse(variant.denominator).on(table, as_of=as_of) if variant.denominator else None
        hits = parse(variant.numerator).on(table, as_of=as_of) if variant.numerator else None
        if indicator.kind == "count":
            pair = (_measure(table, hits, variant.total), None)
        else:
            both = base if hits is None else hits if base is None else hits & base
            pair = (_measure(table, both, variant.total), _measure(table, base, variant.out_of))
        keys = []
        for measure in pair:
            if measure is None:
                keys.append(None)
                continue
            key = f"m{len(measures)}"
            measures[key] = measure
            keys.append(key)
        columns.append((indicator, variant, keys[0], keys[1]))  # type: ignore[arg-type]
    frame = table.group_by(**_keys(table, name, when, split, by)).aggregate(**measures).execute()
    shared = frame[["part_of", "region", "group", "month"]]
    return pd.concat(
        [
            shared.assign(
                indicator=indicator.id, variant=variant.id, numerator=frame[top].astype(float),
                denominator=frame[bottom].astype(float) if bottom else float("nan"),
            )
            for indicator, variant, top, bottom in columns
        ],
        ignore_index=True,
    )[COLUMNS]  # fmt: skip


def _measure(table: Any, where: Any, total: str | None) -> Any:
    if total is not None:
        return table[total].sum(where=where).fill_null(0)
    return table.count(where=where)


def _keys(table: Any, name: str, when: str, split: str | None, by: str | None) -> dict[str, Any]:
    import ibis

    region = schema.table(name).region
    nothing = ibis.null("string")
    return {
        "region": table[region] if region in table.columns else nothing,
        "month": table[when].truncate("M"),
        "part_of": table[split].cast("string") if split else nothing,
        "group": table[by].cast("string") if by else nothing,
    }


def clocked(
    tables: Cases, wanted: Sequence[Wanted], as_of: dt.datetime, by: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, dict[tuple[str, str], str]]:
    """Numerators and denominators of clocks, and the four states.

    Returns
    -------
    DataFrame
        As :func:`counted`.
    DataFrame
        The states: indicator, region, group, month (of the due date), state, n.
    dict
        What could not be computed, and why.
    """
    import pandas as pd

    frames, states, lacking = [], [], {}
    runs: dict[tuple[str, str | None], list[Wanted]] = {}
    for indicator, variant in wanted:
        assert indicator.clock is not None
        clock = deadlines.clock(indicator.clock)
        table = tables.tables.get(clock.table)
        if table is None or not clock.runs_on(table.columns) or (by and by not in table.columns):
            lacking[indicator.id, variant.id] = f"无数据来源：没有“{clock.name}”期限所需的日期"
        else:
            runs.setdefault((clock.id, variant.day_rule), []).append((indicator, variant))
    for (id, rule), members in runs.items():
        clock = deadlines.clock(id)
        cohort = _cohort(snapshot(tables, clock.table, as_of), clock, as_of, rule, by)
        for indicator, variant in members:
            frames.append(_cohort_rates(cohort, indicator, variant))
            if variant is indicator.headline:
                states.append(_states(cohort, indicator))
    empty = pd.DataFrame(columns=COLUMNS)
    return (
        pd.concat(frames, ignore_index=True) if frames else empty,
        pd.concat(states, ignore_index=True) if states else pd.DataFrame(columns=["indicator", "state", "n"]),
        lacking,
    )


def _cohort(
    table: Any, clock: deadlines.Clock, as_of: dt.datetime, rule: str | None, by: str | None
) -> pd.DataFrame:
    """region × group × months of start, due date and closing × state × fallen due, n."""
    import ibis

    timed = deadlines.run(table, clock, as_of, rule)
    region = schema.table(clock.table).region
    nothing = ibis.null("string")
    return (
        timed.group_by(
            region=timed[region] if region in timed.columns else nothing,
            group=timed[by].cast("string") if by else nothing,
            started=timed.started.truncate("M"), due=timed.due.truncate("M"), closed=timed.stopped.truncate("M"),
            state=timed.state, fallen=timed.fallen,
        )
        .aggregate(n=timed.count())
        .execute()
    )  # fmt: skip


def _cohort_rates(cohort: pd.DataFrame, indicator: Indicator, variant: Variant) -> pd.DataFrame:
    rows = cohort[cohort["fallen"].fillna(False).astype(bool)] if variant.fallen else cohort
    if variant.basis == "closed":
        rows = rows[rows["closed"].notna()]
    counted = rows.assign(
        numerator=rows["n"].where(rows["state"].isin(variant.numerator), 0).astype(float),
        denominator=rows["n"].where(rows["state"].isin(variant.denominator), 0).astype(float),
        month=rows[variant.basis],
    )
    sums = counted.groupby(["region", "group", "month"], dropna=False, as_index=False)[
        ["numerator", "denominator"]
    ].sum()
    return sums.assign(indicator=indicator.id, variant=variant.id, part_of=None)[COLUMNS]


def _states(cohort: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    rows = cohort.assign(month=cohort["due"], state=cohort["state"].fillna("unknown"))
    sums = rows.groupby(["region", "group", "month", "state"], dropna=False, as_index=False)["n"].sum()
    return sums.assign(indicator=indicator.id)
