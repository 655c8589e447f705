"""Low-way margins (低维边际表): what indicators are summed from, month × region × at most one more column.

The database sees one aggregate per table and date; periods, 本年累计, 同比, 环比 and the region tree are sums over the
small result. No full cube is ever made.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import deadlines, registry, schema
from .calendar import DAY_RULES, month_number
from .expression import parse
from .load import Cases
from .names import NAMES, numbered, same, words
from .registry import Indicator, Variant

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

KEYS = ["indicator", "variant", "part_of", "region", "group"]
COLUMNS = [*KEYS, "month", "mode", "numerator", "denominator"]
MODES = ("sum", "level", "at")
"""How a margin becomes a period's figure: its months added up; everything up to its end added up; its last month's."""

Wanted = tuple[Indicator, Variant]
Task = Callable[[], "list[pd.DataFrame]"]
"""Asks its queries, one after the other, and makes margins of them; many are done side by side."""
TIMES = "×"
"""Mark of the second factor of a product of shares, at the end of a variant's id."""


# ---- tables as they were known ---------------------------------------------------------------------------------------


_LEAVING = ("concluded_at", "withdrawn_at", "transferred_at")


def snapshot(
    tables: Cases,
    name: str,
    as_of: dt.datetime,
    derived: Iterable[str] = (),
    *,
    columns: Iterable[str | None] | None = None,
    happened: str | None = None,
) -> Any:
    """A table of the source's system as it was known at ``as_of``: later dates are unknown, later rows are not there.

    Parameters
    ----------
    derived
        Columns to add: ``closed_at`` (办结, 撤回 or 移送, the first of them), ``repeated_piece`` (the matter has a 重件).
    columns
        All that will be read, those to add included, where that is known: queries on somebody else's database then stay
        short. Place, system and first date come without asking.
    happened
        A date: only rows on which it is known. To leave rows out costs less than to look at each of them twice.
    """
    derived = tuple(one for one in registry.DERIVED.get(name, ()) if one in {*derived, *(columns or ())})
    if tables.embedded and happened is None:
        return tables.kept(
            ("snapshot", name, as_of, derived),
            lambda: _derived(_known(tables, name, as_of, None, None), tables, derived, as_of),
        )
    # Without views of our own in somebody's database, a query is as long as its columns are many.
    parts = (*(_LEAVING if "closed_at" in derived else ()), *(("matter_id",) if derived else ()))
    needed = None if columns is None else {*columns, *parts}
    return _derived(_known(tables, name, as_of, needed, happened), tables, derived, as_of)


def _known(
    tables: Cases, name: str, as_of: dt.datetime, columns: set[str | None] | None, happened: str | None
) -> Any:
    table, spec = tables.tables[name], schema.table(name)
    if columns is not None:
        wanted = columns | {spec.when, spec.region, "system"}
        table = table.select(*(column for column in table.columns if column in wanted))
    if "system" in table.columns and len(tables.systems) > 1:
        table = table.filter(table.system == tables.system)
    later = [column for column in tables.later(name, as_of) if column in table.columns]
    if spec.when in later:
        table = table.filter(table[spec.when].isnull() | (table[spec.when] <= as_of))
    if happened is not None:
        table = table.filter(table[happened] <= as_of)
    unknown = [column for column in later if column not in (spec.when, happened)]
    return table.mutate(
        **{column: (table[column] <= as_of).ifelse(table[column], None) for column in unknown}
    )


def _derived(table: Any, tables: Cases, derived: tuple[str, ...], as_of: dt.datetime) -> Any:
    if "closed_at" in derived:
        table = table.mutate(closed_at=earliest(table, _LEAVING))
    if "repeated_piece" in derived:
        again = table.matter_id.isin(_repeated(tables, as_of))
        table = table.mutate(repeated_piece=again.fill_null(False))
    return table


def _repeated(tables: Cases, as_of: dt.datetime) -> Any:
    """The ids of the matters that have a 重件."""
    pieces = snapshot(tables, "petitions", as_of, columns=("matter_id", "first_or_repeat"))
    return pieces.filter((pieces.first_or_repeat == "重件") & pieces.matter_id.notnull()).matter_id


# ---- what queries give -----------------------------------------------------------------------------------------------


def months(numbers: Any) -> np.ndarray:
    """The first days of numbered months; nothing where there is no number."""
    import numpy as np

    given = np.asarray(numbers, float)
    known = ~np.isnan(given)
    made = np.full(len(given), np.datetime64("NaT", "ns"))
    made[known] = (given[known].astype(np.int64) - 1970 * 12).astype("datetime64[M]").astype("datetime64[ns]")
    return made


def keys(table: Any, name: str, by: str | None) -> dict[str, Any]:
    """What every margin is grouped by besides its month: the place, if the table has one, and one more column."""
    region = schema.table(name).region
    found = {"region": table[region]} if region in table.columns else {}
    return found | ({"group": table[by].cast("string")} if by else {})


def fetch(tables: Cases, query: Any, *, month: Iterable[str] = ()) -> pd.DataFrame:
    """A query's rows, its months numbered no more; regions and groups are there even if all of them are nameless."""
    import pandas as pd

    table = tables.rows(query)
    frame = pd.DataFrame(
        {
            name: words(column) if name in NAMES else column.to_numpy()
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )
    for name in month:
        frame[name] = months(frame[name])
    for position, name in enumerate(("region", "group")):
        if name not in frame:
            frame.insert(position, name, same("", len(frame)))
    return frame


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
) -> list[Task]:
    """Queries by table and date; an open vocabulary to split by (topics) takes one of its own.

    What needs the join of matters with pieces takes one for all dates: the join is dear.
    """
    batches: dict[tuple[str, str | None, str | None], list[Wanted]] = {}
    for indicator, variant in wanted:
        name = str(variant.table)
        reason = lack(tables, name, (*registry.needs(variant), *([by] if by else [])))
        if reason:
            lacking[indicator.id, variant.id] = reason
            continue
        is_open = variant.split and not schema.table(name).columns[variant.split].terms
        joined = "repeated_piece" in registry.needs(variant)
        key = (name, variant.split if is_open else None, None if joined else variant.when)
        batches.setdefault(key, []).append((indicator, variant))
    # Where each query reads the rows again, and not only the columns it needs, one must do.
    return [
        functools.partial(_aggregate, tables, name, split, by, some, as_of)
        for (name, split, when), members in batches.items()
        for some in (_apart(name, members) if tables.embedded and when else [members])
    ]


def _apart(name: str, members: Sequence[Wanted]) -> list[list[Wanted]]:
    """Definitions that look at the same few columns together: counting rows by a handful of terms several times over
    costs far less than once by all their combinations.
    """
    columns = schema.table(name).columns
    groups: list[tuple[set[str], list[Wanted]]] = []
    for indicator, variant in members:
        looked = {*registry.needs(variant)} - {variant.when, variant.total, variant.out_of}
        for known, group in groups:
            terms = (len(columns[one].terms) + 1 if one in columns else 0 for one in known | looked)
            if math.prod(max(2, number) for number in terms) <= _MOST_COMBINATIONS:
                known |= looked
                group.append((indicator, variant))
                break
        else:
            groups.append((looked, [(indicator, variant)]))
    return [group for _, group in groups]


_MOST_COMBINATIONS = 24
"""Of terms in one query's cells, by place and month: so many fit into a processor's cache."""


def _aggregate(
    tables: Cases, name: str, split: str | None, by: str | None, members: Sequence[Wanted], as_of: dt.datetime
) -> list[pd.DataFrame]:
    """Every measure of definitions that share a table and an open split, a frame a date."""
    read = {column for _, variant in members for column in registry.needs(variant)}
    first = schema.table(name).when
    months = {str(variant.when): f"month_{variant.when}" for _, variant in members}
    early = len(months) == 1 and not {first, *registry.DERIVED.get(name, ())} & set(months)
    happened = next(iter(months)) if early else None
    table = snapshot(tables, name, as_of, columns={*read, by}, happened=happened)
    measures = _Measures(table, name, as_of, months)
    parts = {
        when: [part for one, variant in members if variant.when == when for part in measures.of(one, variant)]
        for when in months
    }
    where = keys(table, name, by) | ({"part_of": table[split].cast("string")} if split else {})
    cells = measures.cells(where)
    if len(months) > 1:
        cells = tables.kept(
            ("cells", name, split, by, as_of, *measures.asked),
            functools.partial(measures.cells, where),
            whole=True,
        )
    frames = []
    for when, month in months.items():
        # What has not happened is in no period, not even in all of them.
        rows = cells if early or when == first else cells.filter(cells[month].notnull())
        frame = fetch(tables, measures.sums(rows, [*where, month], parts[when]), month=[month])
        frame = frame.rename(columns={month: "month"})
        if not split:
            frame["part_of"] = same("", len(frame))
        # The database gives groups in any order; an open vocabulary would print in that order.
        names = ["region", "group", "month", "part_of"]
        frame = frame.sort_values(names, kind="stable", ignore_index=True)
        frames.append(_spread(frame, parts[when], split))
    return frames


def _spread(frame: pd.DataFrame, parts: Sequence[_Part], split: str | None) -> pd.DataFrame:
    """The sums of a query as margin rows, definition by definition."""
    import numpy as np
    import pandas as pd

    parts = [part for part in parts if part.term is None or frame[part.top].any()]  # terms that occur
    number = np.repeat(np.arange(len(parts)), len(frame))

    def sums(names: Iterable[str | None]) -> np.ndarray:
        unknown = np.full(len(frame), np.nan)
        found = [unknown if name is None else frame[name].to_numpy(float) for name in names]
        return np.concatenate(found) if found else unknown[:0]

    def names(words: Iterable[str]) -> Any:
        return pd.Categorical(list(words)).take(number)

    made = frame[["region", "group", "month", "part_of"]].take(np.tile(np.arange(len(frame)), len(parts)))
    made = made.assign(
        indicator=names(part.indicator for part in parts), variant=names(part.variant for part in parts),
        mode=same("sum", len(made)), numerator=sums(part.top for part in parts),
        denominator=sums(part.bottom for part in parts),
    )  # fmt: skip
    if split:
        return made.loc[made["part_of"] != "", COLUMNS]
    return made.assign(part_of=names(part.term or "" for part in parts))[COLUMNS]


@dataclass(frozen=True)
class _Part:
    """What one definition (or one term of it) takes from a query: the names of two sums."""

    indicator: str
    variant: str
    term: str | None
    top: str
    bottom: str | None


class _Measures:
    """The sums of one query, each asked for once.

    The rows are counted first by the closed vocabularies that the conditions look at and by what the other conditions
    say; every sum is then one over that smaller table. Many conditions on every row cost far more.
    """

    def __init__(self, table: Any, name: str, as_of: dt.datetime, months: Mapping[str, str]) -> None:
        """``months`` are the columns of the cells that hold the months of dates."""
        self._table, self._as_of, self._months = table, as_of, months
        columns = schema.table(name).columns.values()
        self._closed = {column.id for column in columns if column.terms or column.type == "bool"}
        self._closed |= {"repeated_piece"}
        self.asked: dict[tuple[str | None, ...], str] = {}

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

    def cells(self, by: Mapping[str, Any]) -> Any:
        """The rows counted by some keys, their months and what the conditions look at, as an ibis expression."""
        table, answers = self._table, self._answers()
        terms = dict.fromkeys(
            name for text in self._conditions() if self._is_closed(text) for name in parse(text).columns
        )
        totals = dict.fromkeys(total for total, *_ in self.asked if total)
        return table.group_by(
            **by,
            **{month: month_number(table[when]) for when, month in self._months.items()},
            **{name: table[name] for name in terms},
            **{name: parse(text).on(table, as_of=self._as_of) for text, name in answers.items()},
        ).aggregate(_n=table.count(), **{f"_{total}": table[total].sum() for total in totals})

    def sums(self, cells: Any, by: Sequence[str], parts: Sequence[_Part]) -> Any:
        """What some definitions take, by some keys of the cells."""
        answers, known = self._answers(), {f"known({when})": month for when, month in self._months.items()}
        wanted = {name for part in parts for name in (part.top, part.bottom)}

        def holds(text: str) -> Any:
            if text in known:
                return cells[known[text]].notnull()
            return cells[answers[text]] if text in answers else parse(text).on(cells, as_of=self._as_of)

        made = {}
        for (total, *texts), name in self.asked.items():
            if name in wanted:
                where = [holds(text) for text in texts if text]
                what = cells[f"_{total}" if total else "_n"]
                made[name] = what.sum(
                    where=functools.reduce(operator.and_, where) if where else None
                ).fill_null(0)
        return cells.group_by(*by).aggregate(**made)

    def _conditions(self) -> list[str]:
        return list(dict.fromkeys(text for _, *texts in self.asked for text in texts if text))

    def _is_closed(self, text: str) -> bool:
        return self._closed.issuperset(parse(text).columns)

    def _answers(self) -> dict[str, str]:
        """The conditions that are asked of the rows themselves, and the names of the answers."""
        open_ones = [text for text in self._conditions() if not self._is_closed(text)]
        dates = {f"known({when})" for when in self._months}
        return {text: f"_{number}" for number, text in enumerate(open_ones) if text not in dates}

    def _name(self, total: str | None, *conditions: str | None) -> str:
        return self.asked.setdefault((total, *conditions), f"m{len(self.asked)}")


# ---- clocks ----------------------------------------------------------------------------------------------------------


def cohort(tables: Cases, clock: deadlines.Clock, as_of: dt.datetime, by: str | None = None) -> pd.DataFrame:
    """The matters a clock binds, counted.

    Returns
    -------
    DataFrame
        region, group, ``place`` (the number of the two), closed (month; missing where open), n, and for the clock's own rule ``due`` (month), ``state`` (see
        :data:`.deadlines.STATES`), ``fallen`` (due by the as-of moment); the same with the rule's name for each other rule.
    """
    return tables.once(("cohort", clock.id, as_of, by), lambda: _cohort(tables, clock, as_of, by))


def _cohort(tables: Cases, clock: deadlines.Clock, as_of: dt.datetime, by: str | None) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    others = [rule for rule in DAY_RULES if rule != clock.day_rule]
    asked = ["", *(f"_{rule}" for rule in others if clock.days)]
    frame = fetch(
        tables, cohort_query(tables, clock, as_of, by, others if clock.days else ()), month=["closed"]
    )
    frame["n"] = frame["n"].astype(float)
    frame["place"] = np.unique(numbered(frame, ["region", "group"]), return_inverse=True)[1]
    for end in asked:
        code = frame[f"due{end}"].to_numpy(float)
        unknown = np.isnan(code)
        number = np.nan_to_num(code).astype(int)
        state = number // 2 % 2 + 2 * frame["closed"].isna().to_numpy()
        frame[f"due{end}"] = months(np.where(unknown, np.nan, number // 4))
        kinds = pd.CategoricalDtype(list(deadlines.STATES))
        frame[f"state{end}"] = pd.Categorical.from_codes(np.where(unknown, -1, state), dtype=kinds)
        frame[f"fallen{end}"] = (number % 2).astype(bool)
    if not clock.days:  # a deadline that is stated in every row knows no day rule
        frame = frame.assign(
            **{f"{name}_{rule}": frame[name] for rule in others for name in ("due", "state", "fallen")}
        )
    return frame


def cohort_query(
    tables: Cases, clock: deadlines.Clock, as_of: dt.datetime, by: str | None, rules: Sequence[str]
) -> Any:
    """What :func:`cohort` asks, as an ibis expression: each rule's due month, lateness and fallenness are one number."""
    table = snapshot(tables, clock.table, as_of, columns={*clock.reads, by})
    read = {*clock.reads, by, schema.table(clock.table).region}
    timed = deadlines.run(
        table.select(*(name for name in table.columns if name in read)), clock, as_of, rules
    )
    by_what = keys(timed, clock.table, by) | {"closed": month_number(timed.stopped)}
    for end in ("", *(f"_{rule}" for rule in rules)):
        late, fallen = (timed[f"{name}{end}"].cast("int32") for name in ("late", "fallen"))
        by_what[f"due{end}"] = timed[f"month{end}"] * 4 + late * 2 + fallen
    return timed.group_by(**by_what).aggregate(n=timed.count())


def clocked(
    tables: Cases,
    wanted: Sequence[Wanted],
    as_of: dt.datetime,
    by: str | None,
    lacking: dict[tuple[str, str], str],
) -> list[Task]:
    """Numerators and denominators of clocks under every definition, and their four states, as :func:`counted`."""
    runs: dict[str, list[Wanted]] = {}
    for indicator, variant in wanted:
        clock = deadlines.clock(str(indicator.clock))
        reason = lack_clock(tables, clock, by)
        if reason:
            lacking[indicator.id, variant.id] = reason
        else:
            runs.setdefault(clock.id, []).append((indicator, variant))
    return [
        functools.partial(_rates, tables, deadlines.clock(id), as_of, by, members)
        for id, members in runs.items()
    ]


def lack_clock(tables: Cases, clock: deadlines.Clock, by: str | None = None) -> str | None:
    """Why a clock cannot run on the source, or ``None``."""
    table = tables.tables.get(clock.table)
    if table is None or not clock.runs_on(table.columns):
        return f"无数据来源：没有“{clock.name}”期限所需的日期"
    return lack(tables, clock.table, [by]) if by else None


def _rates(
    tables: Cases, clock: deadlines.Clock, as_of: dt.datetime, by: str | None, members: Sequence[Wanted]
) -> list[pd.DataFrame]:
    """One clock's definitions, as sums over the states that each counts; what they count alike is counted once."""
    counts = functools.cache(functools.partial(_counts, cohort(tables, clock, as_of, by)))
    kinds, frames = list(deadlines.STATES), []
    for indicator, variant in members:
        rule = f"_{variant.day_rule}" if variant.day_rule else ""
        when = "closed" if variant.basis == "closed" else f"due{rule}"
        cells, states = counts(when, f"state{rule}", f"fallen{rule}" if variant.fallen else None)
        if variant.numerator is None:
            made = _states(cells, states)
        else:
            numerator, denominator = (
                states[:, [kinds.index(one) for one in wanted]].sum(axis=1)
                for wanted in (variant.numerator, variant.denominator)
            )
            made = cells.assign(part_of=same("", len(cells)), numerator=numerator, denominator=denominator)
        names = {"indicator": indicator.id, "variant": variant.id, "mode": "sum"}
        frames.append(made.assign(**{name: same(word, len(made)) for name, word in names.items()})[COLUMNS])
    return frames


def _states(cells: pd.DataFrame, states: np.ndarray) -> pd.DataFrame:
    """Every state in every cell, so that each has the whole cell as its denominator."""
    import numpy as np
    import pandas as pd

    known = np.flatnonzero(states.any(axis=1))
    width = states.shape[1]
    return cells.take(known.repeat(width)).assign(
        part_of=pd.Categorical(list(deadlines.STATES)).take(np.tile(np.arange(width), len(known))),
        numerator=states[known].ravel(), denominator=states[known].sum(axis=1).repeat(width),
    )  # fmt: skip


def _counts(rows: pd.DataFrame, when: str, state: str, only: str | None) -> tuple[pd.DataFrame, np.ndarray]:
    """The places and months of a cohort in order (what has no month last), and how many are in which state there.

    Parameters
    ----------
    when, state, only
        Columns: the month that counts, the state, and what must hold for a row to count.
    """
    import numpy as np
    import pandas as pd

    if only:
        rows = rows[rows[only]]
    if when == "closed":
        rows = rows[rows["closed"].notna()]
    month = rows[when].to_numpy().astype("datetime64[M]")
    dated = ~np.isnat(month)
    since = month.astype(int) - (month[dated].min().astype(int) if dated.any() else 0)
    width = int(np.max(since[dated], initial=-1)) + 2
    cell = rows["place"].to_numpy() * width + np.where(dated, since, width - 1)
    number, there = pd.factorize(cell, sort=True)
    one = np.empty(len(there), np.int64)
    one[number] = np.arange(len(rows))  # any row of a cell knows its names
    cells = rows[["region", "group", when]].take(one).reset_index(drop=True)
    kinds = len(deadlines.STATES) + 1  # the last is that of what has no due date
    code = rows[state].cat.codes.to_numpy().astype(int) % kinds
    counted = np.bincount(number * kinds + code, rows["n"], len(one) * kinds).reshape(-1, kinds)
    return cells.rename(columns={when: "month"}), counted[:, :-1]
