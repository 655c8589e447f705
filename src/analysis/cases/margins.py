"""Low-way margins (低维边际表): what indicators are summed from, month × region × at most one more column.

The database sees one aggregate per table and date; periods, 本年累计, 同比, 环比 and the region tree are sums over the
small result. No full cube is ever made.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import deadlines, registry, schema
from .calendar import DAY_RULES
from .expression import parse
from .load import STATED, Cases
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


def stack(frames: Iterable[pd.DataFrame], columns: list[str] | None = None) -> pd.DataFrame:
    """Frames one under the other, the empty ones left out."""
    import pandas as pd

    full = [frame for frame in frames if len(frame)]
    made = pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=columns)
    return made if columns is None else made[columns]


# ---- tables as they were known ---------------------------------------------------------------------------------------


_LEAVING = ("concluded_at", "withdrawn_at", "transferred_at")


def snapshot(
    tables: Cases,
    name: str,
    as_of: dt.datetime,
    derived: Iterable[str] = (),
    *,
    columns: Iterable[str | None] | None = None,
) -> Any:
    """A table of the source's system as it was known at ``as_of``: later dates are unknown, later rows are not there.

    Parameters
    ----------
    derived
        Columns to add: ``closed_at`` (办结, 撤回 or 移送, the first of them), ``repeated_piece`` (the matter has a 重件).
    columns
        All that will be read, those to add included, where that is known: queries on somebody else's database then stay
        short. Place, system and first date come without asking.
    """
    derived = tuple(one for one in registry.DERIVED.get(name, ()) if one in {*derived, *(columns or ())})
    if tables.con.name == "duckdb" and "repeated_piece" in derived and columns is not None:
        # The join of matters with pieces is dear: it is made once, for all that is ever read with it.
        both = registry.reading(name, "repeated_piece") | {*columns, "matter_id"}
        return tables.kept(
            ("joined", name, as_of, derived, frozenset(both)),
            lambda: _derived(_known(tables, name, as_of, both), tables, derived, as_of).drop("matter_id"),
            whole=True,
        )
    if tables.con.name == "duckdb":
        return tables.kept(
            ("snapshot", name, as_of, derived),
            lambda: _derived(_known(tables, name, as_of, None), tables, derived, as_of),
        )
    # Without views of our own in somebody's database, a query is as long as its columns are many.
    parts = (*(_LEAVING if "closed_at" in derived else ()), *(("matter_id",) if derived else ()))
    needed = None if columns is None else {*columns, *parts}
    return _derived(_known(tables, name, as_of, needed), tables, derived, as_of)


def _known(tables: Cases, name: str, as_of: dt.datetime, columns: set[str | None] | None) -> Any:
    table, spec = tables.tables[name], schema.table(name)
    if columns is not None:
        wanted = columns | {spec.when, spec.region, "system"}
        table = table.select(*(column for column in table.columns if column in wanted))
    if "system" in table.columns and len(tables.systems) > 1:
        table = table.filter(table.system == tables.system)
    if spec.when in table.columns:
        table = table.filter(table[spec.when].isnull() | (table[spec.when] <= as_of))
    later = [
        column.id for column in spec.columns.values()
        if column.type == "date" and column.id in table.columns and column.id not in (*STATED, spec.when)
    ]  # fmt: skip
    return table.mutate(**{column: (table[column] <= as_of).ifelse(table[column], None) for column in later})


def _derived(table: Any, tables: Cases, derived: tuple[str, ...], as_of: dt.datetime) -> Any:
    if "closed_at" in derived:
        table = table.mutate(closed_at=earliest(table, _LEAVING))
    if "repeated_piece" in derived:
        again = _repeated(tables, as_of)
        table = table.left_join(again, table.matter_id == again.again)
        table = table.mutate(repeated_piece=table.again.notnull()).drop("again")
    return table


def _repeated(tables: Cases, as_of: dt.datetime) -> Any:
    pieces = snapshot(tables, "petitions", as_of, columns=("matter_id", "first_or_repeat"))
    return pieces.filter(pieces.first_or_repeat == "重件").select(again=pieces.matter_id).distinct()


def named(frame: pd.DataFrame) -> pd.DataFrame:
    """A result whose names are text throughout: what has no region, group or part has the empty name."""
    for name in ("region", "group", "part_of"):
        if name in frame:
            frame[name] = frame[name].fillna("").astype(object)
    return frame


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
                tables.has(need)
                for need in ("petitions.matter_id", "petitions.first_or_repeat", "matters.matter_id")
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


def earliest(table: Any, columns: Iterable[str]) -> Any:
    """The earliest of some date columns, those a table has; null where none is known."""
    import ibis

    have = [table[column] for column in columns if column in table.columns]
    far = ibis.timestamp("9999-12-31")
    return have[0] if len(have) == 1 else ibis.least(*(part.fill_null(far) for part in have)).nullif(far)


# ---- counts and shares -----------------------------------------------------------------------------------------------


def counted(
    tables: Cases,
    wanted: Sequence[Wanted],
    as_of: dt.datetime,
    by: str | None,
    lacking: dict[tuple[str, str], str],
) -> list[pd.DataFrame]:
    """One query a table and date; an open vocabulary to split by (topics) takes one of its own."""
    batches: dict[tuple[str, str, str | None, bool], list[Wanted]] = {}
    for indicator, variant in wanted:
        name = str(variant.table)
        reason = lack(tables, name, (*registry.needs(variant), *([by] if by else [])))
        if reason:
            lacking[indicator.id, variant.id] = reason
            continue
        is_open = variant.split and not schema.table(name).columns[variant.split].terms
        joined = "repeated_piece" in registry.needs(variant)
        key = (name, str(variant.when), variant.split if is_open else None, joined)
        batches.setdefault(key, []).append((indicator, variant))
    return [_aggregate(tables, *key[:3], by, members, as_of) for key, members in batches.items()]


def _aggregate(
    tables: Cases,
    name: str,
    when: str,
    split: str | None,
    by: str | None,
    members: Sequence[Wanted],
    as_of: dt.datetime,
) -> pd.DataFrame:
    """Every measure of the definitions that share a table, a date and an open split."""
    import ibis

    read = {column for _, variant in members for column in registry.needs(variant)}
    table = snapshot(tables, name, as_of, columns={*read, when, split, by})
    if when != schema.table(name).when:
        table = table.filter(
            table[when].notnull()
        )  # what has not happened is in no period, not even in all of them
    measures = _Measures(table, as_of)
    parts = [part for one, variant in members for part in measures.of(one, variant)]
    keys = {"region": place(table, name), "group": grouped(table, by), "month": table[when].truncate("M")}
    keys["part_of"] = table[split].cast("string") if split else ibis.null("string")
    frame = named(table.group_by(**keys).aggregate(**measures.made).execute())
    # The database gives groups in any order; an open vocabulary would print in that order.
    frame = frame.sort_values(list(keys), kind="stable", ignore_index=True)
    pieces = []
    for part in parts:
        piece = frame[list(keys)].assign(
            indicator=part.indicator, variant=part.variant, mode="sum", numerator=frame[part.top].astype(float),
            denominator=frame[part.bottom].astype(float) if part.bottom else float("nan"),
        )  # fmt: skip
        if part.term is not None:
            piece["part_of"] = part.term
            if not piece["numerator"].any():
                continue  # a term that nowhere occurs
        pieces.append(piece[piece["part_of"] != ""] if split else piece)
    return stack(pieces, COLUMNS)


@dataclass(frozen=True)
class _Part:
    """What one definition (or one term of it) takes from a query: the names of two sums."""

    indicator: str
    variant: str
    term: str | None
    top: str
    bottom: str | None


class _Measures:
    """The sums of one query, each asked for once."""

    def __init__(self, table: Any, as_of: dt.datetime) -> None:
        self._table, self._as_of = table, as_of
        self._names: dict[tuple[str | None, ...], str] = {}
        self.made: dict[str, Any] = {}

    def of(self, one: Indicator, variant: Variant) -> list[_Part]:
        """A definition's sums: for each term of a closed vocabulary it is split by, and for its second factor."""
        terms: tuple[str | None, ...] = (None,)
        if variant.split:
            terms = schema.table(str(variant.table)).columns[variant.split].terms or terms
        whole = None if one.kind == "count" else self._name(variant.out_of, variant.denominator)
        base = None if one.kind == "count" else variant.denominator
        found = [
            _Part(
                one.id, variant.id, term,
                self._name(variant.total, variant.numerator, base, f"{variant.split} == {term!r}" if term else None),
                whole,
            )
            for term in terms
        ]  # fmt: skip
        if variant.times:
            top, bottom = variant.times["numerator"], variant.times["denominator"]
            found.append(
                _Part(
                    one.id, variant.id + TIMES, None, self._name(None, top, bottom), self._name(None, bottom)
                )
            )
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


def cohort(tables: Cases, clock: deadlines.Clock, as_of: dt.datetime, by: str | None = None) -> pd.DataFrame:
    """The matters a clock binds, counted.

    Returns
    -------
    DataFrame
        region, group, closed (month; missing where open), n, and for the clock's own rule ``due`` (month), ``state`` (see
        :data:`.deadlines.STATES`), ``fallen`` (due by the as-of moment); the same with the rule's name for each other rule.
    """
    key = ("cohort", clock.id, as_of, by)
    if key not in tables.noted:
        others = [rule for rule in DAY_RULES if rule != clock.day_rule]
        frame = named(cohort_query(tables, clock, as_of, by, others if clock.days else ()).execute())
        frame["n"] = frame["n"].astype(float)
        if not clock.days:  # a deadline that is stated in every row knows no day rule
            names = ("due", "state", "fallen")
            frame = frame.assign(**{f"{name}_{rule}": frame[name] for rule in others for name in names})
        tables.noted[key] = frame
    return tables.noted[key]


def cohort_query(
    tables: Cases, clock: deadlines.Clock, as_of: dt.datetime, by: str | None, rules: Sequence[str]
) -> Any:
    """What :func:`cohort` asks, as an ibis expression."""
    timed = deadlines.run(
        snapshot(tables, clock.table, as_of, columns={*clock.reads, by}), clock, as_of, rules
    )
    keys = {
        "region": place(timed, clock.table),
        "group": grouped(timed, by),
        "closed": timed.stopped.truncate("M"),
    }
    for end in ("", *(f"_{rule}" for rule in rules)):
        keys |= {
            f"due{end}": timed[f"due{end}"].truncate("M"), f"state{end}": timed[f"state{end}"],
            f"fallen{end}": timed[f"fallen{end}"].fill_null(False),
        }  # fmt: skip
    return timed.group_by(**keys).aggregate(n=timed.count())


def clocked(
    tables: Cases,
    wanted: Sequence[Wanted],
    as_of: dt.datetime,
    by: str | None,
    lacking: dict[tuple[str, str], str],
) -> list[pd.DataFrame]:
    """Numerators and denominators of clocks under every definition, and their four states, as :func:`counted`."""
    frames = []
    runs: dict[str, list[Wanted]] = {}
    for indicator, variant in wanted:
        clock = deadlines.clock(str(indicator.clock))
        reason = lack_clock(tables, clock, by)
        if reason:
            lacking[indicator.id, variant.id] = reason
        else:
            runs.setdefault(clock.id, []).append((indicator, variant))
    for id, members in runs.items():
        rows = cohort(tables, deadlines.clock(id), as_of, by)
        frames += [
            _states(rows, one) if variant.numerator is None else _rates(rows, one, variant)
            for one, variant in members
        ]
    return frames


def lack_clock(tables: Cases, clock: deadlines.Clock, by: str | None = None) -> str | None:
    """Why a clock cannot run on the source, or ``None``."""
    table = tables.tables.get(clock.table)
    if table is None or not clock.runs_on(table.columns):
        return f"无数据来源：没有“{clock.name}”期限所需的日期"
    return lack(tables, clock.table, [by]) if by else None


def _rates(rows: pd.DataFrame, indicator: Indicator, variant: Variant) -> pd.DataFrame:
    if variant.day_rule:
        names = ["due", "state", "fallen"]
        rows = rows.drop(columns=names).rename(columns={f"{name}_{variant.day_rule}": name for name in names})
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
    return sums.assign(indicator=indicator.id, variant=variant.id, part_of="", mode="sum")[COLUMNS]


def _states(rows: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """Every state in every cell, so that each has the whole cell as its denominator."""
    import pandas as pd

    known = rows[rows["state"].notna()]
    keys = ["region", "group", "month"]
    cells = (
        known.assign(month=known["due"])
        .groupby(keys, dropna=False)["n"]
        .sum()
        .rename("denominator")
        .reset_index()
    )
    states = pd.DataFrame({"part_of": list(deadlines.STATES)})
    counts = (
        known.assign(month=known["due"])
        .groupby([*keys, "state"], dropna=False)["n"]
        .sum()
        .rename("numerator")
    )
    full = cells.merge(states, how="cross").merge(
        counts.reset_index().rename(columns={"state": "part_of"}), on=[*keys, "part_of"], how="left"
    )
    full["numerator"] = full["numerator"].fillna(0.0)
    return full.assign(indicator=indicator.id, variant="status", mode="sum")[COLUMNS]
