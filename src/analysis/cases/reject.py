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
from ..errors import CodebookError
from . import deadlines, registry, schema, values
from .expression import parse
from .load import STATED, Cases, moment
from .margins import snapshot
from .mapping import TableMapping
from .sources import ROW

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["source", "table", "row", "key", "rule", "field", "value", "severity", "message", "hint", "touches"]


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
    return result


def counts(rejects: pd.DataFrame) -> dict[str, int]:
    """Lines of each rule that ran, zeros included, in order of the rules."""
    return dict(rejects.attrs["counts"])


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


def _table_lines(
    tables: Cases, name: str, plan: TableMapping, now: dt.datetime
) -> Iterator[tuple[Rule, pd.DataFrame]]:
    """Each rule that runs on a table, with its lines (row, key, field, value)."""
    for id, condition, cells in _cell_rules(tables, name, plan, now):
        rule = _general(id, plan, cells)
        if rule is not None:
            yield rule, _lines(condition[0], condition[1], name, cells)
    table = tables.tables[name]
    for rule in rules(name, plan):
        condition_ = parse(str(rule.when))
        if set(condition_.columns) <= set(table.columns):
            yield rule, _lines(table, condition_.on(table, as_of=now), name, condition_.columns)
    yield from _reading_flaws(tables, name, plan)
    yield from _gaps(tables, name, plan)


def _cell_rules(
    tables: Cases, name: str, plan: TableMapping, now: dt.datetime
) -> Iterator[tuple[str, tuple[Any, dict[str, Any] | Any], tuple[str, ...]]]:
    """The general rules: rule id, (table, condition or conditions by column), the columns looked at."""
    spec, table, raw = schema.table(name), tables.tables[name], tables.raw[name]
    have = [column for column in spec.columns.values() if column.id in table.columns]
    unread, strange = {}, {}
    for column in (column for column in have if column.id in raw.columns):
        there = values.text(raw[column.id]).notnull()
        if column.terms:
            open_column = replace(column, terms=())
            value = values.conform(raw[column.id], open_column, plan.terms.get(column.id))
            strange[column.id] = value.notnull() & ~value.isin(column.terms)
        elif column.type != "text" and not _typed(raw[column.id].type(), column.type):
            unread[column.id] = there & values.conform(raw[column.id], column).isnull()
    if unread:
        yield "unreadable_value", (raw, unread), tuple(unread)
    if strange:
        yield "unknown_term", (raw, strange), tuple(strange)
    keys = [key for key in spec.key if key in table.columns]
    if spec.key and len(keys) == len(spec.key):
        empty = table[keys[0]].isnull()
        yield "missing_key", (table, {keys[0]: empty}), (keys[0],)
        yield "duplicate_id", (table, parse(f"repeated({', '.join(keys)})").on(table) & ~empty), tuple(keys)
    later = {c.id: table[c.id] > now for c in have if c.type == "date" and c.id not in STATED}
    if later and name not in ("pilots", "monthly"):
        yield "in_future", (table, later), tuple(later)
    negative = {c.id: table[c.id] < 0 for c in have if c.type in ("int", "float")}
    if negative:
        yield "negative_count", (table, negative), tuple(negative)
    if spec.region in table.columns:
        code = table[spec.region]
        coded = code.re_search(r"^\d{6}$")
        codes = [row.code for row in region_tables.load().rows]
        yield "locality_missing", (table, {spec.region: code.isnull()}), (spec.region,)
        if codes:
            yield "unknown_region", (table, {spec.region: coded & ~code.isin(codes)}), (spec.region,)


def _typed(kind: Any, wanted: str) -> bool:
    """Whether a source's own type leaves nothing to read."""
    return bool(
        {
            "date": kind.is_timestamp() or kind.is_date(), "int": kind.is_integer(), "float": kind.is_numeric(),
            "bool": kind.is_boolean(),
        }[wanted]
    )  # fmt: skip


def _lines(table: Any, condition: Any, name: str, columns: Iterable[str]) -> pd.DataFrame:
    """The bad rows: row, key, field, value. ``condition`` is one for the row or one for each column."""
    import ibis

    if isinstance(condition, dict):
        parts = condition
        condition = functools.reduce(lambda a, b: a | b, parts.values())
        named = {column: part.fill_null(False) for column, part in parts.items()}
    else:
        named = {column: ibis.literal(True) for column in columns}
    nothing = ibis.null("string")
    keys = [key for key in schema.table(name).key if key in table.columns]
    flagged = table.mutate(_bad=condition)
    picked = flagged.select(
        row=flagged[ROW] if ROW in table.columns else ibis.null("int64"),
        key=_joined([flagged[key].cast("string").fill_null("") for key in keys], "/") if keys else nothing,
        bad=flagged._bad,
        **{f"f{k}": part for k, part in enumerate(named.values())},
        **{f"v{k}": flagged[column].cast("string") for k, column in enumerate(named)},
    )
    frame = picked.filter(picked.bad.fill_null(False)).execute()
    return _folded(frame, list(named))


def _folded(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    fields, cells = [], []
    for record in frame.to_dict("records"):
        hit = [k for k in range(len(names)) if record[f"f{k}"] is True]
        fields.append("、".join(names[k] for k in hit))
        shown = [record[f"v{k}"] for k in hit]
        cells.append("；".join("" if pd.isna(value) else str(value) for value in shown) or None)
    lines = frame[["row", "key"]].assign(field=fields, value=cells)
    return lines.sort_values(["row", "key"], kind="stable").reset_index(drop=True)


def _joined(parts: list[Any], separator: str) -> Any:
    return functools.reduce(lambda a, b: a + separator + b, parts)


def _reading_flaws(tables: Cases, name: str, plan: TableMapping) -> Iterator[tuple[Rule, pd.DataFrame]]:
    import pandas as pd

    flaws = pd.DataFrame(list(tables.flaws.get(name, ())), columns=["row", "rule", "field", "value"])
    for id, lines in flaws.groupby("rule", sort=False):
        rule = _general(str(id), plan)
        if rule is not None:
            yield rule, lines.drop(columns="rule").assign(key=None)


def _gaps(tables: Cases, name: str, plan: TableMapping) -> Iterator[tuple[Rule, pd.DataFrame]]:
    """Months without a row between the first and the last, and counties without one."""
    import pandas as pd

    spec, table = schema.table(name), tables.tables[name]
    if name not in ("petitions", "matters", "monthly") or spec.when not in table.columns:
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
        codes = {code for code in table.select(code=table[spec.region]).distinct().execute()["code"] if code in book}
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

    return pd.DataFrame({"value": list(cells)}).assign(row=None, key=None, field=field)


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
        conditions = set(parse(clock.where).columns) if clock.where else set()
        named = {column for column in (clock.due, clock.extension) if column}
        return {*clock.start, *clock.stop, *clock.leaves, *named, *conditions}
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

    now = moment(as_of, tables)
    rows = []
    for one in registry.indicators().values():
        counted = _counted_rows(tables, one, now)
        if counted is None:
            continue
        table, top, bottom, name = counted
        table = table.mutate(_top=top & bottom, _bottom=bottom)
        doubt = _doubt(table, one, name, tables.mapping.get(name), now)
        table = table.mutate(_doubt=doubt)
        sums = table.aggregate(
            numerator=table.count(where=table._top), denominator=table.count(where=table._bottom),
            doubted=table.count(where=table._doubt & table._bottom), good=table.count(where=table._doubt & table._top),
        ).execute().iloc[0]  # fmt: skip
        if sums["denominator"]:
            n = sums["denominator"]
            rows.append(
                {
                    "indicator": one.id, "name": one.name, "value": sums["numerator"] / n,
                    "low": (sums["numerator"] - sums["good"]) / n,
                    "high": (sums["numerator"] - sums["good"] + sums["doubted"]) / n,
                    "doubted": int(sums["doubted"]), "denominator": int(n),
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["indicator", "name", "value", "low", "high", "doubted", "denominator"])


def _counted_rows(tables: Cases, one: registry.Indicator, now: dt.datetime) -> tuple[Any, Any, Any, str] | None:
    """(table, in the numerator, in the denominator, table name) of a headline share, or ``None``."""
    if not one.variants:
        return None
    variant = one.headline
    if one.kind == "clock":
        clock = deadlines.clock(str(one.clock))
        if not tables.has(clock.table) or not clock.runs_on(tables.tables[clock.table].columns):
            return None
        table = deadlines.run(snapshot(tables, clock.table, now), clock, now)
        return table, table.state.isin(variant.numerator), table.state.isin(variant.denominator) & table.fallen, clock.table
    if one.kind != "share" or variant.total or variant.out_of or not tables.has(str(one.table)):
        return None
    table = snapshot(tables, str(one.table), now)
    if not set(registry.needs(variant)) <= set(table.columns):
        return None
    base = parse(variant.denominator).on(table, as_of=now).fill_null(False)
    return table, parse(variant.numerator).on(table, as_of=now).fill_null(False), base, str(one.table)


def _doubt(table: Any, one: registry.Indicator, name: str, plan: TableMapping | None, now: dt.datetime) -> Any:
    import ibis

    read = reads(one, name)
    found = [
        parse(str(rule.when)).on(table, as_of=now).fill_null(False) for rule in rules(name, plan)
        if rule.severity == "错误" and read & set(rule.blames) and set(parse(str(rule.when)).columns) <= set(table.columns)
    ]  # fmt: skip
    return functools.reduce(lambda a, b: a | b, found, ibis.literal(False))
