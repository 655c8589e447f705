"""Validation (校验): everything that cannot be taken as it stands, one line for one bad row and one rule.

The rules are data (``case_rules.yml``, changed or extended by a mapping file); nothing is dropped by them. A line says
which indicators it touches, and :func:`bounds` how far they could move if every doubted row were wrong.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .. import codebooks
from .. import regions as region_tables
from ..errors import CodebookError, RequestError
from . import deadlines, registry, schema, values
from .expression import parse
from .load import STATED, Cases, moment
from .mapping import TableMapping
from .margins import lack, named, place, snapshot
from .sources import ROW

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

COLUMNS = [
    "source",
    "table",
    "row",
    "key",
    "region_code",
    "rule",
    "field",
    "value",
    "severity",
    "message",
    "hint",
    "touches",
]


@dataclass(frozen=True)
class Rule:
    """One rule (规则).

    Attributes
    ----------
    when
        Condition that is true for a bad row; ``None`` for the general rules, which :mod:`.reject` computes.
    blames
        The columns it doubts.
    severity
        错误, 警告 or 提示.
    """

    id: str
    severity: str
    message: str
    hint: str = ""
    when: str | None = None
    blames: tuple[str, ...] = ()


def check(tables: Cases, as_of: str | dt.date | dt.datetime | None = None) -> pd.DataFrame:
    """Run every rule whose columns are there.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`, in order of table, rule and row; ``row`` counts the source's data rows from 1 (missing for
        databases and for lines about a whole table), ``value`` is as received, ``touches`` names indicators.
        ``attrs["counts"]`` has the number of lines of each rule that ran, zeros included.
    """
    import pandas as pd

    now = moment(as_of, tables)
    if (ready := tables.summed(now)) is not None:
        return ready.rejects()
    frames: list[pd.DataFrame] = []
    counts: dict[str, int] = {}
    for name in tables.tables:
        plan = tables.mapping.get(name, TableMapping())
        for rule, lines in _table_lines(tables, name, plan, now):
            counts[rule.id] = counts.get(rule.id, 0) + len(lines)
            if len(lines):
                frames.append(_worded(lines, rule, name, tables))
    result = pd.concat(frames, ignore_index=True)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS)
    result.attrs["counts"] = counts
    result = result.iloc[rule_places(result).argsort(kind="stable")].reset_index(drop=True)
    result.attrs["counts"] = counts
    return result


def rule_places(rejects: pd.DataFrame) -> NDArray[np.int64]:
    """A number a line by which lines stand: tables in the order of the schema, in them rules in that of the codebook, last
    those that a mapping adds.
    """
    book = codebooks.load("case_rules")
    own = [rule for entry in book["tables"].values() for rule in entry or ()]
    rules = {rule: k for k, rule in enumerate(dict.fromkeys([*own, *book["general"]]))}
    tables = {table: k for k, table in enumerate(schema.tables())}
    numbers = rejects["table"].map(tables) * (len(rules) + 1) + rejects["rule"].map(rules).fillna(len(rules))
    return numbers.to_numpy(int)


def counts(rejects: pd.DataFrame) -> dict[str, int]:
    """Lines of each rule that ran, zeros included, in order of the rules."""
    return dict(rejects.attrs["counts"])


def returned(
    tables: Cases, rejects: pd.DataFrame, table: str = "matters", by: str = "petition_office"
) -> pd.DataFrame:
    """Rejected rows of a table by the body that is to mend them (按单位退回), most first.

    Parameters
    ----------
    rejects
        What :func:`check` gives.
    by
        A column of the table: the office that registered, the responsible body, the place.

    Returns
    -------
    DataFrame
        ``by`` (missing where the row names none), rule, n.

    Raises
    ------
    RequestError
        The source has not this column, or its rows have no numbers to find them by.
    """
    for need in (f"{table}.{by}", f"{table}.{ROW}"):
        if not tables.has(need):
            raise RequestError(
                "数据里没有这一列，不能按单位退回", value=need, hint="换一列（by），如 locality_code"
            )
    bad = rejects.loc[(rejects["table"] == table) & rejects["row"].notna(), ["row", "rule"]]
    bodies = tables.rows(tables.tables[table].select(ROW, by)).to_pandas()
    bad = bad.assign(row=bad["row"].astype(int)).merge(bodies, left_on="row", right_on=ROW, how="left")
    counted = bad.groupby([by, "rule"], dropna=False).size().rename("n").reset_index()
    return counted.sort_values(["n", by, "rule"], ascending=[False, True, True], ignore_index=True)


def rules(name: str, plan: TableMapping | None = None) -> list[Rule]:
    """The row rules of a table, with a mapping's changes.

    Raises
    ------
    CodebookError
        A rule without a condition or message, or of unknown severity.
    """
    book = codebooks.load("case_rules")
    found = {id: _rule(id, entry) for id, entry in (book["tables"].get(name) or {}).items()}
    for id, change in (plan.rules if plan else {}).items():
        if id in book["general"]:
            continue
        if change is False:
            found.pop(id, None)
        else:
            base = found.pop(id, Rule(id, "警告", ""))
            entry = {**base.__dict__, **change, "id": change.get("as", id)}
            found[entry["id"]] = _rule(entry["id"], entry)
    return list(found.values())


def _rule(id: str, entry: Mapping[str, Any]) -> Rule:
    if not entry.get("when") or not entry.get("message"):
        raise CodebookError("规则缺少 when 或 message", value=id)
    if entry.get("severity") not in codebooks.load("case_rules")["severities"]:
        raise CodebookError("规则的严重程度不对", value=f"{id}: {entry.get('severity')}")
    condition = parse(str(entry["when"]))
    return Rule(
        id, entry["severity"], entry["message"], entry.get("hint", ""), condition.text,
        tuple(entry.get("blames") or condition.columns),
    )  # fmt: skip


def _general(id: str, plan: TableMapping, blames: Iterable[str] = ()) -> Rule | None:
    """A general rule, under the name the mapping gives it; ``None`` when the mapping switches it off."""
    change = plan.rules.get(id, {})
    if change is False:
        return None
    entry = codebooks.load("case_rules")["general"][id]
    made = Rule(id, entry["severity"], entry["message"], entry.get("hint", ""), None, tuple(blames))
    words = {key: change[key] for key in ("severity", "message", "hint") if key in change}
    return replace(made, id=change.get("as", id), **words)


@dataclass(frozen=True)
class _Asked:
    """A rule put to a table: a condition for each column it looks at, or one (under "") for the row."""

    rule: Rule
    flags: Mapping[str, Any]
    columns: tuple[str, ...]


def _table_lines(
    tables: Cases, name: str, plan: TableMapping, now: dt.datetime
) -> Iterator[tuple[Rule, pd.DataFrame]]:
    """Each rule that runs on a table, with its lines (row, key, field, value)."""
    yield from _lines(tables.raw[name], name, _reading_rules(tables, name, plan))
    yield from _lines(tables.tables[name], name, _row_rules(tables, name, plan, now))
    yield from _reading_flaws(tables, name, plan)
    yield from _gaps(tables, name, plan)


def _asked(
    id: str, plan: TableMapping, flags: Mapping[str, Any], columns: Iterable[str] = ()
) -> list[_Asked]:
    """A general rule put to a table; nothing when the mapping switches it off or there is nothing to look at."""
    cells = tuple(columns) or tuple(flags)
    rule = _general(id, plan, cells)
    return [_Asked(rule, flags, cells)] if flags and rule is not None else []


def _reading_rules(tables: Cases, name: str, plan: TableMapping) -> list[_Asked]:
    """What could not be read, asked of the table as received."""
    table, raw = tables.tables[name], tables.raw[name]
    unread, strange = {}, {}
    for column in schema.table(name).columns.values():
        if column.id not in raw.columns or column.id not in table.columns:
            continue
        cell = raw[column.id]
        if column.terms:
            value = values.conform(cell, replace(column, terms=()), plan.terms.get(column.id))
            strange[column.id] = value.notnull() & ~value.isin(column.terms)
        elif column.type != "text" and not _typed(cell.type(), column.type):
            terms = plan.terms.get(column.id)
            written = values.text(values.worded(cell, terms)).notnull()
            unread[column.id] = written & values.conform(cell, column, terms, plan.dates).isnull()
    return [*_asked("unreadable_value", plan, unread), *_asked("unknown_term", plan, strange)]


def _row_rules(tables: Cases, name: str, plan: TableMapping, now: dt.datetime) -> list[_Asked]:
    """The other general rules and the table's own, asked of the typed table."""
    spec, table = schema.table(name), tables.tables[name]
    have = [column for column in spec.columns.values() if column.id in table.columns]
    asked: list[_Asked] = []
    if spec.key and set(spec.key) <= set(table.columns):
        empty = table[spec.key[0]].isnull()
        again = parse(f"repeated({', '.join(spec.key)})").on(table) & ~empty
        asked += _asked("missing_key", plan, {spec.key[0]: empty})
        asked += _asked("duplicate_id", plan, {"": again}, spec.key)
    if name not in ("pilots", "monthly"):
        later = {
            column.id: table[column.id] > now
            for column in have
            if column.type == "date" and column.id not in STATED
        }
        asked += _asked("in_future", plan, later)
    numbers = {column.id: table[column.id] < 0 for column in have if column.type in ("int", "float")}
    asked += _asked("negative_count", plan, numbers)
    if spec.region is not None and spec.region in table.columns:
        code = table[spec.region]
        book = region_tables.load()
        unknown = [one for one in _codes(tables, name) if len(one) == 6 and one.isdigit() and one not in book]
        asked += _asked("locality_missing", plan, {spec.region: code.isnull()})
        asked += _asked("unknown_region", plan, {spec.region: code.isin(unknown)})
    for rule in rules(name, plan):
        condition = parse(str(rule.when))
        if set(condition.columns) <= set(table.columns):
            asked.append(_Asked(rule, {"": condition.on(table, as_of=now)}, condition.columns))
    return asked


def _codes(tables: Cases, name: str) -> list[str]:
    """The places that occur in a table."""
    table = tables.tables[name]
    found = table.select(code=table[str(schema.table(name).region)]).distinct().execute()["code"]
    return [str(code) for code in found.dropna()]


def _typed(kind: Any, wanted: str) -> bool:
    """Whether a source's own type leaves nothing to read."""
    return bool(
        {
            "date": kind.is_timestamp() or kind.is_date(), "int": kind.is_integer(), "float": kind.is_numeric(),
            "bool": kind.is_boolean(),
        }[wanted]
    )  # fmt: skip


def _lines(table: Any, name: str, asked: list[_Asked]) -> Iterator[tuple[Rule, pd.DataFrame]]:
    """Every rule's bad rows, by one query for the table."""
    import ibis

    if not asked:
        return
    shown = dict.fromkeys(column for one in asked for column in one.columns)
    flags = {
        f"f{n}_{k}": flag.fill_null(False) for n, one in enumerate(asked) for k, flag in enumerate(one.flags.values())
    }  # fmt: skip
    keys = [table[key].cast("string").fill_null("") for key in schema.table(name).key if key in table.columns]
    picked = table.select(
        row=table[ROW] if ROW in table.columns else ibis.null("int64"),
        key=functools.reduce(lambda a, b: a + "/" + b, keys) if keys else ibis.null("string"),
        region_code=place(table, name).cast("string"),
        **flags,
        **{f"v_{column}": table[column].cast("string") for column in shown},
    )
    frame = picked.filter(functools.reduce(lambda a, b: a | b, (picked[flag] for flag in flags))).execute()
    frame = frame.sort_values(["row", "key"], kind="stable", ignore_index=True)
    for n, one in enumerate(asked):
        hits = frame[[f"f{n}_{k}" for k in range(len(one.flags))]].to_numpy(bool)
        yield one.rule, _folded(frame[hits.any(axis=1)], one, hits[hits.any(axis=1)])


def _folded(frame: pd.DataFrame, one: _Asked, hits: Any) -> pd.DataFrame:
    """One line a row: the columns that the rule hit, and what stands in them."""
    by_row = "" in one.flags
    names = [
        list(one.columns) if by_row else [c for c, hit in zip(one.columns, row, strict=True) if hit]
        for row in hits
    ]
    cells = [
        "；".join("" if record[f"v_{column}"] is None else str(record[f"v_{column}"]) for column in columns)
        or None
        for columns, record in zip(names, frame.to_dict("records"), strict=True)
    ]
    lines = frame[["row", "key", "region_code"]].assign(field=["、".join(columns) for columns in names])
    lines["value"] = cells
    return lines


def _reading_flaws(tables: Cases, name: str, plan: TableMapping) -> Iterator[tuple[Rule, pd.DataFrame]]:
    import pandas as pd

    flaws = pd.DataFrame(list(tables.flaws.get(name, ())), columns=["row", "rule", "field", "value"])
    for id, lines in flaws.groupby("rule", sort=False):
        rule = _general(str(id), plan)
        if rule is not None:
            yield rule, lines.drop(columns="rule").assign(key=None, region_code=None)


def _gaps(tables: Cases, name: str, plan: TableMapping) -> Iterator[tuple[Rule, pd.DataFrame]]:
    """Months without a row between the first and the last, and counties without one."""
    import pandas as pd

    spec, table = schema.table(name), tables.tables[name]
    if name not in ("petitions", "matters", "monthly") or spec.when is None or spec.when not in table.columns:
        return
    seen = table.select(month=table[spec.when].truncate("M")).distinct().execute()["month"].dropna()
    seen = seen[seen <= pd.Timestamp(tables.extent[1] or dt.date.today())]
    if len(seen):
        empty = pd.period_range(seen.min(), seen.max(), freq="M").difference(pd.PeriodIndex(seen, freq="M"))
        rule = _general("empty_month", plan, (spec.when,))
        if rule is not None:
            yield rule, _whole(empty.astype(str), spec.when)
    if spec.region in table.columns:
        book = region_tables.load()
        codes = {code for code in _codes(tables, name) if code in book}
        provinces = {code[:2] + "0000" for code in codes}
        counties = {
            row.code for province in provinces if province in book for row in book.counties(province)
            if row.valid_to is None
        }  # fmt: skip
        rule = _general("silent_region", plan, (str(spec.region),))
        if rule is not None and len(codes & counties) > 1:
            yield rule, _whole(sorted(counties - codes), str(spec.region))


def _whole(cells: Iterable[str], field: str | None) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"value": list(cells)}).assign(row=None, key=None, region_code=None, field=field)


def _worded(lines: pd.DataFrame, rule: Rule, name: str, tables: Cases) -> pd.DataFrame:
    return lines.assign(
        source=tables.sources[name], table=name, rule=rule.id, severity=rule.severity, message=rule.message,
        hint=rule.hint, touches="、".join(touched(name, rule.blames)), row=lines["row"].astype("Int64"),
    )  # fmt: skip


def touched(name: str, columns: Iterable[str]) -> list[str]:
    """Indicators that read one of these columns of a table."""
    blamed, spec = set(columns), schema.table(name)
    read = {one.id: reads(one, name) for one in registry.indicators().values()}
    if blamed & {*spec.key, spec.region, spec.when}:
        return [id for id, needed in read.items() if needed]  # who, where and when concern everything counted
    return [id for id, needed in read.items() if blamed & needed]


def reads(one: registry.Indicator, name: str) -> set[str]:
    """The columns of a table that an indicator reads."""
    if one.kind == "clock":
        clock = deadlines.clock(str(one.clock))
        if clock.table != name:
            return set()
        return clock.reads
    if one.kind in ("count", "share"):
        named = {column for v in one.variants.values() if v.table == name for column in registry.needs(v)}
        derived = {"closed_at": _LEAVING, "repeated_piece": set()}
        return {part for column in named for part in derived.get(column, {column})}
    if one.table != name:
        return set()
    listed = {column for key in ("enters", "start", "stop", "leaves") for column in one.options.get(key, ())}
    if one.kind in ("ages", "ratio"):
        listed |= {"registered_at", "closed_at"}
    return (listed - {"closed_at"}) | (_LEAVING if "closed_at" in listed else set())


_LEAVING = {"concluded_at", "withdrawn_at", "transferred_at"}


def bounds(tables: Cases, as_of: str | dt.date | dt.datetime | None = None) -> pd.DataFrame:
    """How far each share could move if every doubted row were wrong (数据质量界限).

    A doubted row is one that a rule of severity 错误 flags in a column that the indicator reads. Counted in the
    numerator or not as it now is, then as failing, then as succeeding.

    Returns
    -------
    DataFrame
        indicator, name, value, low, high, doubted (rows of the denominator that are doubted), denominator.
    """
    import pandas as pd

    sums = doubts(tables, as_of)
    sums = sums.groupby("indicator", sort=False)[["numerator", "denominator", "doubted", "good"]].sum()
    sums = sums[sums["denominator"] > 0]
    n = sums["denominator"]
    return pd.DataFrame(
        {
            "indicator": sums.index, "name": [registry.indicator(id).name for id in sums.index],
            "value": sums["numerator"] / n, "low": (sums["numerator"] - sums["good"]) / n,
            "high": (sums["numerator"] - sums["good"] + sums["doubted"]) / n,
            "doubted": sums["doubted"].astype(int), "denominator": n.astype(int),
        }
    ).reset_index(drop=True)  # fmt: skip


def doubts(tables: Cases, as_of: str | dt.date | dt.datetime | None = None) -> pd.DataFrame:
    """What :func:`bounds` is made of, by region: indicator, region, numerator, denominator, doubted, good.

    ``doubted`` counts the doubted rows of the denominator, ``good`` those of them in the numerator.
    """
    import pandas as pd

    now = moment(as_of, tables)
    if (ready := tables.summed(now)) is not None:
        return ready.doubts()
    columns = ["indicator", "region", "numerator", "denominator", "doubted", "good"]
    frames = [
        sums.assign(indicator=one)[columns]
        for table, name, shares in _counted(tables, now)
        for one, sums in _doubted(tables, table, name, shares, now)
    ]
    if not frames:
        return pd.DataFrame(columns=columns)
    order = {id: k for k, id in enumerate(registry.indicators())}
    found = pd.concat(frames, ignore_index=True)
    return found.iloc[found["indicator"].map(order).argsort(kind="stable")].reset_index(drop=True)


_Shares = dict[str, tuple[Any, Any]]  # indicator → what is in the numerator, what in the denominator


def _doubted(
    tables: Cases, table: Any, name: str, shares: _Shares, now: dt.datetime
) -> Iterator[tuple[str, pd.DataFrame]]:
    """The sums of each indicator by region, all of them by one query."""
    flags: dict[str, Any] = {}
    for k, (one, (top, bottom)) in enumerate(shares.items()):
        doubt = _doubt(table, registry.indicator(one), name, tables.mapping.get(name), now)
        flags |= {f"numerator{k}": top & bottom, f"denominator{k}": bottom}
        flags |= {f"doubted{k}": doubt & bottom, f"good{k}": doubt & top & bottom}
    marked = table.select(region=place(table, name), **flags)
    counted = marked.group_by("region").aggregate(
        **{flag: marked.count(where=marked[flag]) for flag in flags}
    )
    sums = named(counted.execute()).sort_values("region", kind="stable")
    for k, one in enumerate(shares):
        own = {f"{column}{k}": column for column in ("numerator", "denominator", "doubted", "good")}
        yield one, sums[["region", *own]].rename(columns=own)


def _counted(tables: Cases, now: dt.datetime) -> Iterator[tuple[Any, str, _Shares]]:
    """Each table that headline shares are counted on, its name, and these shares: clocks by clock, the others by table."""
    clocks: dict[str, list[registry.Indicator]] = {}
    others: dict[str, list[registry.Indicator]] = {}
    for one in registry.indicators().values():
        if one.variants and one.kind == "clock":
            clocks.setdefault(str(one.clock), []).append(one)
        elif one.variants and one.kind == "share" and _plain(tables, one):
            others.setdefault(str(one.table), []).append(one)
    for id, ones in clocks.items():
        clock = deadlines.clock(id)
        if tables.has(clock.table) and clock.runs_on(tables.tables[clock.table].columns):
            table = deadlines.run(snapshot(tables, clock.table, now), clock, now)
            yield table, clock.table, {one.id: _states(table, one.headline) for one in ones}
    for name, ones in others.items():
        read = {column for one in ones for column in registry.needs(one.headline)}
        table = snapshot(tables, name, now, set(registry.DERIVED.get(name, ())) & read)
        yield table, name, {one.id: _parsed(table, one.headline, now) for one in ones}


def _plain(tables: Cases, one: registry.Indicator) -> bool:
    """Whether the headline is a share of the table's own rows, and its columns are there."""
    variant = one.headline
    if variant.total or variant.out_of or not tables.has(str(one.table)):
        return False
    return not lack(tables, str(one.table), registry.needs(variant))


def _states(table: Any, variant: registry.Variant) -> tuple[Any, Any]:
    return table.state.isin(variant.numerator), table.state.isin(variant.denominator) & table.fallen


def _parsed(table: Any, variant: registry.Variant, now: dt.datetime) -> tuple[Any, Any]:
    top, bottom = (parse(text).on(table, as_of=now) for text in (variant.numerator, variant.denominator))
    return top.fill_null(False), bottom.fill_null(False)


def _doubt(
    table: Any, one: registry.Indicator, name: str, plan: TableMapping | None, now: dt.datetime
) -> Any:
    import ibis

    read = reads(one, name)
    found = [
        parse(str(rule.when)).on(table, as_of=now).fill_null(False) for rule in rules(name, plan)
        if rule.severity == "错误" and read & set(rule.blames) and set(parse(str(rule.when)).columns) <= set(table.columns)
    ]  # fmt: skip
    return functools.reduce(lambda a, b: a | b, found, ibis.literal(False))
