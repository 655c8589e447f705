"""Low-way margins (低维边际表): what indicators are summed from, month × region × at most one more column.

The database sees one aggregate per table and date; periods, 本年累计, 同比, 环比 and the region tree are sums over the
small result. No full cube is ever made.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import deadlines, registry, schema
from .expression import parse
from .load import Cases
from .registry import Indicator, Variant

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["indicator", "variant", "part_of", "region", "group"]
COLUMNS = [*KEYS, "month", "mode", "numerator", "denominator"]
MODES = ("sum", "level", "at")
"""How a margin becomes a period's figure: its months added up; everything up to its end added up; its last month's."""

Wanted = tuple[Indicator, Variant]
TIMES = "×"
"""Mark of the second factor of a product of shares, at the end of a variant's id."""


@dataclass(frozen=True)
class Margins:
    """What the database gave.

    Attributes
    ----------
    table
        Columns :data:`COLUMNS`.
    durations
        Histograms for kind ``duration``: indicator, region, group, month (of the start), day, event, n.
    lacking
        (indicator, variant) → why it could not be computed.
    """

    table: pd.DataFrame
    durations: pd.DataFrame
    lacking: Mapping[tuple[str, str], str] = field(default_factory=dict)


def margins(tables: Cases, chosen: Sequence[Indicator], as_of: dt.datetime, by: str | None = None) -> Margins:
    """Everything the chosen indicators are summed from.

    Parameters
    ----------
    by
        One more column to group by.
    """
    import pandas as pd

    from . import backlog, duration, reception

    lacking: dict[tuple[str, str], str] = {}
    frames: list[pd.DataFrame] = []
    for kinds, collect in (
        (("count", "share"), _counted),
        (("clock",), _clocked),
        (("level", "ages"), backlog.levels),
        (("duty",), reception.duties),
    ):
        pairs = [(one, variant) for one in chosen if one.kind in kinds for variant in one.variants.values()]
        frames += collect(tables, pairs, as_of, by, lacking)
    histograms = [
        found for one in chosen if one.kind == "duration"
        if (found := duration.margin(tables, one, as_of, by, lacking)) is not None
    ]  # fmt: skip
    frames = [frame for frame in frames if len(frame)]
    return Margins(
        pd.concat(frames, ignore_index=True)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS),
        pd.concat(histograms, ignore_index=True) if histograms else pd.DataFrame(),
        lacking,
    )


# ---- tables as they were known ---------------------------------------------------------------------------------------


def snapshot(tables: Cases, name: str, as_of: dt.datetime, derived: Iterable[str] = ()) -> Any:
    """A table of the source's system as it was known at ``as_of``: later dates are unknown, later rows are not there.

    Parameters
    ----------
    derived
        Columns of :data:`.registry.DERIVED` to add: ``closed_at`` (办结, 撤回 or 移送, the first of them) and
        ``repeated_piece`` (the matter has a 重件).
    """
    table = tables.tables[name]
    if "system" in table.columns and len(tables.systems) > 1:
        table = table.filter(table.system == tables.system)
    spec = schema.table(name)
    if spec.when in table.columns:
        table = table.filter(table[spec.when].isnull() | (table[spec.when] <= as_of))
    later = [
        column.id for column in spec.columns.values()
        if column.type == "date" and column.id in table.columns and column.id not in ("due_at", spec.when)
    ]  # fmt: skip
    table = table.mutate(**{column: (table[column] <= as_of).ifelse(table[column], None) for column in later})
    if "closed_at" in derived:
        table = table.mutate(closed_at=_earliest(table, ("concluded_at", "withdrawn_at", "transferred_at")))
    if "repeated_piece" in derived:
        pieces = snapshot(tables, "petitions", as_of)
        again = pieces.filter(pieces.first_or_repeat == "重件").select(again=pieces.matter_id).distinct()
        table = table.left_join(again, table.matter_id == again.again)
        table = table.mutate(repeated_piece=table.again.notnull()).drop("again")
    return table


def lack(tables: Cases, name: str, columns: Iterable[str]) -> str | None:
    """Why a table cannot feed an indicator, or ``None``."""
    spec = schema.table(name)
    if not tables.has(name):
        return f"无数据来源：没有{spec.name}表"
    for column in columns:
        if column == "closed_at":
            missing = not any(tables.has(f"{name}.{part}") for part in ("concluded_at", "withdrawn_at"))
        elif column == "repeated_piece":
            missing = not all(
                tables.has(need) for need in ("petitions.matter_id", "petitions.first_or_repeat", "matters.matter_id")
            )
        else:
            missing = not tables.has(f"{name}.{column}")
        if missing:
            label = spec.columns[column].name if column in spec.columns else column
            return f"无数据来源：{spec.name}没有{label}"
    return None


def place(table: Any, name: str) -> Any:
    """The region column of a table, or nothing."""
    import ibis

    region = schema.table(name).region
    return table[region] if region in table.columns else ibis.null("string")


def grouped(table: Any, by: str | None) -> Any:
    """The grouping column as text, or nothing."""
    import ibis

    return table[by].cast("string") if by else ibis.null("string")


def _earliest(table: Any, columns: Iterable[str]) -> Any:
    import ibis

    have = [table[column] for column in columns if column in table.columns]
    far = ibis.timestamp("9999-12-31")
    return have[0] if len(have) == 1 else ibis.least(*(part.fill_null(far) for part in have)).nullif(far)


# ---- counts and shares -----------------------------------------------------------------------------------------------


def _counted(
    tables: Cases, wanted: Sequence[Wanted], as_of: dt.datetime, by: str | None, lacking: dict[tuple[str, str], str]
) -> list[pd.DataFrame]:
    batches: dict[tuple[str, str], list[Wanted]] = {}
    splits: dict[tuple[str, str, str], list[Wanted]] = {}
    for indicator, variant in wanted:
        name, when = str(variant.table), str(variant.when)
        reason = lack(tables, name, (*registry.needs(variant), *([by] if by else [])))
        if reason:
            lacking[indicator.id, variant.id] = reason
        elif variant.split:
            splits.setdefault((name, when, variant.split), []).append((indicator, variant))
        else:
            batches.setdefault((name, when), []).append((indicator, variant))
    frames = [
        _aggregate(tables, name, when, None, by, members, as_of) for (name, when), members in batches.items()
    ]
    frames += [
        _aggregate(tables, name, when, split, by, members, as_of)
        for (name, when, split), members in splits.items()
    ]
    return frames


def _aggregate(
    tables: Cases, name: str, when: str, split: str | None, by: str | None, members: Sequence[Wanted], as_of: dt.datetime
) -> pd.DataFrame:
    """One query: every measure of the indicators that share a table, a date and a split."""
    import ibis
    import pandas as pd

    read = {column for _, variant in members for column in registry.needs(variant)}
    table = snapshot(tables, name, as_of, read & set(registry.DERIVED.get(name, ())))
    if when != schema.table(name).when:
        table = table.filter(table[when].notnull())  # what has not happened is in no period, not even in all of them
    measures = _Measures(table, as_of)
    parts = [part for one, variant in members for part in measures.of(one, variant)]
    keys = {"region": place(table, name), "group": grouped(table, by), "month": table[when].truncate("M")}
    keys["part_of"] = table[split].cast("string") if split else ibis.null("string")
    frame = table.group_by(**keys).aggregate(**measures.made).execute()
    shared = frame[list(keys)]
    pieces = []
    for indicator, variant, top, bottom in parts:
        piece = shared.assign(indicator=indicator, variant=variant, mode="sum", numerator=frame[top].astype(float))
        piece["denominator"] = frame[bottom].astype(float) if bottom else float("nan")
        if split and bottom:
            # A share by term: each term's part of the whole, not of itself.
            whole = piece.groupby(["region", "group", "month"], dropna=False)["denominator"]
            piece["denominator"] = whole.transform("sum")
        if split:
            piece = piece[piece["part_of"].notna()]
        pieces.append(piece)
    return pd.concat(pieces, ignore_index=True)[COLUMNS]


class _Measures:
    """The sums of one query, each asked for once."""

    def __init__(self, table: Any, as_of: dt.datetime) -> None:
        self._table, self._as_of = table, as_of
        self._names: dict[tuple[str | None, ...], str] = {}
        self.made: dict[str, Any] = {}

    def of(self, one: Indicator, variant: Variant) -> list[tuple[str, str, str, str | None]]:
        """(indicator, variant, numerator's name, denominator's name) of a definition, and of its second factor."""
        if one.kind == "count":
            return [(one.id, variant.id, self._name(variant.total, variant.numerator), None)]
        whole = self._name(variant.out_of, variant.denominator)
        found: list[tuple[str, str, str, str | None]] = [
            (one.id, variant.id, self._name(variant.total, variant.numerator, variant.denominator), whole)
        ]
        if variant.times:
            top, bottom = variant.times["numerator"], variant.times["denominator"]
            found.append((one.id, variant.id + TIMES, self._name(None, top, bottom), self._name(None, bottom)))
        return found

    def _name(self, total: str | None, *conditions: str | None) -> str:
        key = (total, *conditions)
        if key not in self._names:
            name = self._names[key] = f"m{len(self._names)}"
            parts = [parse(text).on(self._table, as_of=self._as_of) for text in conditions if text]
            where = functools.reduce(lambda a, b: a & b, parts) if parts else None
            self.made[name] = (
                self._table[total].sum(where=where).fill_null(0) if total else self._table.count(where=where)
            )
        return self._names[key]


# ---- clocks ----------------------------------------------------------------------------------------------------------


def cohort(
    tables: Cases, clock: deadlines.Clock, as_of: dt.datetime, by: str | None = None, day_rule: str | None = None
) -> pd.DataFrame:
    """The matters a clock binds, counted: region × group × months of start, due date and closing × state × fallen.

    Returns
    -------
    DataFrame
        region, group, started, due, closed (months; missing where unknown), state (see :data:`.deadlines.STATES`),
        fallen (due by the as-of moment), n.
    """
    timed = deadlines.run(snapshot(tables, clock.table, as_of), clock, as_of, day_rule)
    frame = (
        timed.group_by(
            region=place(timed, clock.table), group=grouped(timed, by), started=timed.started.truncate("M"),
            due=timed.due.truncate("M"), closed=timed.stopped.truncate("M"), state=timed.state,
            fallen=timed.fallen.fill_null(False),
        )
        .aggregate(n=timed.count())
        .execute()
    )  # fmt: skip
    frame["n"] = frame["n"].astype(float)
    return frame


def _clocked(
    tables: Cases, wanted: Sequence[Wanted], as_of: dt.datetime, by: str | None, lacking: dict[tuple[str, str], str]
) -> list[pd.DataFrame]:
    frames = []
    runs: dict[tuple[str, str | None], list[Wanted]] = {}
    for indicator, variant in wanted:
        clock = deadlines.clock(str(indicator.clock))
        reason = lack_clock(tables, clock, by)
        if reason:
            lacking[indicator.id, variant.id] = reason
        else:
            runs.setdefault((clock.id, variant.day_rule), []).append((indicator, variant))
    for (id, rule), members in runs.items():
        rows = cohort(tables, deadlines.clock(id), as_of, by, rule)
        frames += [
            _states(rows, one) if variant.numerator is None else _rates(rows, one, variant) for one, variant in members
        ]
    return frames


def lack_clock(tables: Cases, clock: deadlines.Clock, by: str | None = None) -> str | None:
    """Why a clock cannot run on the source, or ``None``."""
    table = tables.tables.get(clock.table)
    if table is None or not clock.runs_on(table.columns):
        return f"无数据来源：没有“{clock.name}”期限所需的日期"
    return lack(tables, clock.table, [by]) if by else None


def _rates(rows: pd.DataFrame, indicator: Indicator, variant: Variant) -> pd.DataFrame:
    if variant.fallen:
        rows = rows[rows["fallen"]]
    if variant.basis == "closed":
        rows = rows[rows["closed"].notna()]
    counted = rows.assign(
        numerator=rows["n"].where(rows["state"].isin(variant.numerator), 0.0),
        denominator=rows["n"].where(rows["state"].isin(variant.denominator), 0.0),
        month=rows[variant.basis],
    )
    keys = ["region", "group", "month"]
    sums = counted.groupby(keys, dropna=False, as_index=False)[["numerator", "denominator"]].sum()
    return sums.assign(indicator=indicator.id, variant=variant.id, part_of=None, mode="sum")[COLUMNS]


def _states(rows: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """Every state in every cell, so that each has the whole cell as its denominator."""
    import pandas as pd

    known = rows[rows["state"].notna()]
    keys = ["region", "group", "month"]
    cells = known.assign(month=known["due"]).groupby(keys, dropna=False)["n"].sum().rename("denominator").reset_index()
    states = pd.DataFrame({"part_of": list(deadlines.STATES)})
    counts = known.assign(month=known["due"]).groupby([*keys, "state"], dropna=False)["n"].sum().rename("numerator")
    full = cells.merge(states, how="cross").merge(
        counts.reset_index().rename(columns={"state": "part_of"}), on=[*keys, "part_of"], how="left"
    )
    full["numerator"] = full["numerator"].fillna(0.0)
    return full.assign(indicator=indicator.id, variant="status", mode="sum")[COLUMNS]
