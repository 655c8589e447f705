"""Case tables in (案件数据入口): a file, a folder or a database becomes the tables of :mod:`.schema`, lazily."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .. import codebooks
from ..errors import InputError, RequestError
from . import mapping as mappings
from . import schema, sources, values
from .asking import Asking
from .mapping import TableMapping
from .prepared import SMALL, Prepared, find

if TYPE_CHECKING:
    import pyarrow as pa

Noted = TypeVar("Noted")

_SAMPLED = 2000


@dataclass(frozen=True)
class Cases:
    """Case tables of one source (一个来源的案件表).

    ``petitions``, ``matters``, ``supervision``, ``events``, ``receptions``, ``obligations``, ``preregistration``,
    ``population``, ``pilots`` and ``monthly`` are ibis tables with the columns of :mod:`.schema` that the source has,
    or ``None``. Nothing is read until something is asked.

    Attributes
    ----------
    con
        The ibis backend that holds the tables.
    tables
        Our table → ibis table of typed columns, ``_row`` where rows have a number, and the columns kept for rules.
    raw
        Our table → the same before typing, under our column names, for ``check``.
    mapping
        How they were mapped.
    sources, flaws
        What a reject line calls each table, and what was found wrong while reading.
    metadata
        Content of ``metadata.json`` beside the tables.
    prepared
        Where there are prepared data (see :mod:`.prepared`): margins in place of the rows, or beside them.
    noted
        Small results that were computed once and may be asked for again.
    """

    con: Any
    tables: Mapping[str, Any]
    raw: Mapping[str, Any]
    mapping: Mapping[str, TableMapping]
    sources: Mapping[str, str]
    flaws: Mapping[str, tuple[dict[str, object], ...]] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    prepared: Prepared | None = None
    noted: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)
    _kept: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)
    _locks: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)

    def __getattr__(self, name: str) -> Any:
        if name in schema.tables():
            return self.tables.get(name)
        raise AttributeError(name)

    def has(self, name: str) -> bool:
        """Whether the source has ``table`` or ``table.column``."""
        table, _, column = name.partition(".")
        if self.prepared is not None:
            columns = self.prepared.facts["columns"]
            return table in columns and (not column or column in columns[table])
        return table in self.tables and (not column or column in self.tables[table].columns)

    def summed(self, as_of: dt.datetime, by: str | None = None) -> Prepared | None:
        """The prepared data, where they answer or where there is nothing else."""
        ready = self.prepared
        return ready if ready is not None and (not self.raw or ready.answers(as_of, by)) else None

    def close(self) -> None:
        """Leave the database."""
        self.con.disconnect()

    def once(self, key: object, make: Callable[[], Noted]) -> Noted:
        """A small result computed once for this source (see ``noted``)."""
        with self._alone(key):
            if key not in self.noted:
                self.noted[key] = make()
        made: Noted = self.noted[key]
        return made

    def kept(self, key: object, make: Callable[[], Any], *, whole: bool = False) -> Any:
        """An ibis table made once; on the embedded DuckDB a view (a table, if ``whole``), so that queries stay short."""
        with self._alone(key):
            if key not in self._kept:
                self._kept[key] = self._asking.kept(make(), whole)
        return self._kept[key]

    @property
    def embedded(self) -> bool:
        """Whether the tables are in our own DuckDB, where a query may be many short ones."""
        return self._asking.embedded

    def later(self, name: str, moment: dt.datetime) -> list[str]:
        """The date columns of a table that tell of something after a moment, which was not known then.

        A fresh extract has none, and what need not be masked is counted faster. On somebody else's database they are all
        of them: to find out would cost a look at every row.
        """
        dates = self._dates(name)
        if not self.embedded or not dates:
            return dates
        latest = self.once(("latest", name), lambda: self._latest(name, dates))
        return [column for column, last in latest.items() if last > moment]

    def _dates(self, name: str) -> list[str]:
        """A table's columns of dates on which something happened."""
        return [
            column.id for column in schema.table(name).columns.values()
            if column.type == "date" and column.id in self.tables[name].columns and column.id not in STATED
        ]  # fmt: skip

    def _latest(self, name: str, dates: Sequence[str]) -> dict[str, dt.datetime]:
        """The last moment in each date column that has any."""
        # What a file itself knows as dates, its own statistics answer for.
        plain = all(self._is_day(name, one) for one in dates)
        table = (self.raw if plain else self.tables)[name]
        found = self.rows(table.aggregate(**{one: table[one].max().cast("timestamp(6)") for one in dates}))
        return {one: last for one, last in found.to_pylist()[0].items() if last is not None}

    def timed(self, name: str, column: str) -> bool:
        """Whether any date of a column has a time of day; where none has, midnight is the bare day."""
        if self._is_day(name, column):
            return False
        cell = self.tables[name][column]
        asked = self.tables[name].aggregate(timed=(cell != cell.truncate("D")).any())
        return self.once(("timed", name, column), lambda: bool(self.rows(asked)["timed"][0].as_py()))

    def _is_day(self, name: str, column: str) -> bool:
        """Whether the source itself holds a column as days, without a time."""
        raw = self.raw.get(name)
        return raw is not None and column in raw.columns and raw[column].type().is_date()

    def rows(self, query: Any) -> pa.Table:
        """What an ibis expression over these tables gives; threads may ask at once."""
        return self._asking.rows(query)

    def side_by_side(self, tasks: Sequence[Callable[[], Noted]]) -> list[Noted]:
        """Do tasks that ask, several at once where that pays (see :mod:`.asking`)."""
        return self._asking.side_by_side(tasks)

    @cached_property
    def _asking(self) -> Asking:
        return Asking(self.con)

    def _alone(self, key: object) -> Any:
        """What a key stands for is made by one thread; those that want it too wait."""
        return self._locks.setdefault(key, threading.RLock())

    @property
    def simulated(self) -> bool:
        """Whether the numbers are simulated (模拟数据)."""
        return bool(self.metadata.get("simulated"))

    @cached_property
    def extent(self) -> tuple[dt.date | None, dt.date | None]:
        """First and last day something happened, dates after today left out as errors."""
        first, last = self._span
        return (first and first.date(), last and last.date())

    @cached_property
    def first_day(self) -> dt.date | None:
        """The first of ``extent``; alone it costs a look at one date a table."""
        if self.prepared is not None or "_span" in self.__dict__:
            return self.extent[0]
        firsts = [
            self.tables[name][schema.table(name).when].min().execute()
            for name in _HAPPENS if self.has(f"{name}.{schema.table(name).when}")
        ]  # fmt: skip
        return min((first.date() for first in firsts if first == first), default=None)

    @cached_property
    def last_moment(self) -> dt.datetime | None:
        """The as-of moment when none is given: what the metadata state, else the last moment something happened."""
        stated = self.metadata.get("as_of")
        return _read_moment(str(stated)) if stated else self._span[1]

    @cached_property
    def systems(self) -> dict[str, int]:
        """Rows by system (系统), most first. Systems are never added together."""
        if self.prepared is not None:
            return dict(self.prepared.facts["systems"])
        counts: dict[str, int] = {}
        rows = [name for name in ("petitions", "matters") if self.has(name)]
        for name in rows or ["monthly"]:
            if self.has(f"{name}.system"):
                table = self.tables[name]
                for row in table.group_by("system").aggregate(n=table.count()).execute().itertuples():
                    counts[row.system] = counts.get(row.system, 0) + int(row.n)
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    @cached_property
    def system(self) -> str | None:
        """The system that indicators speak of: 信访 where there is one, else the largest."""
        return "信访" if "信访" in self.systems else next(iter(self.systems), None)

    @cached_property
    def _span(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        if self.prepared is not None:
            first, last = self.prepared.facts["extent"][0], self.prepared.facts["last_moment"]
            return first and dt.datetime.fromisoformat(first), last and dt.datetime.fromisoformat(last)
        today = dt.datetime.combine(dt.date.today(), dt.time.max)
        firsts, lasts = [], []
        for name in (name for name in _HAPPENS if name in self.tables):
            table, spec = self.tables[name], schema.table(name)
            asked = {f"first_{spec.when}": table[spec.when].min()} if spec.when in table.columns else {}
            for column in self._dates(name):
                when = table[column]
                asked[f"last_{column}"] = (when <= today).ifelse(when, None).max()
            if asked:
                found = table.aggregate(**asked).execute().iloc[0].dropna()
                firsts += [found[key] for key in found.index if key.startswith("first_")]
                lasts += [found[key] for key in found.index if key.startswith("last_")]
        return (
            min(firsts).to_pydatetime() if firsts else None,
            max(lasts).to_pydatetime() if lasts else None,
        )


STATED = ("due_at",)
"""Dates that are set, not dates on which something happened: these may lie in the future."""
_HAPPENS = ("petitions", "matters", "supervision", "receptions", "preregistration", "monthly")


def load(
    source: str | Path | list[str | Path], *, mapping: str | Path | None = None, memory_limit: str = "2GB"
) -> Cases:
    """Open case tables.

    Parameters
    ----------
    source
        A CSV, Excel or Parquet file, a folder of them, or a database URL such as ``postgresql://host/db``. A table is
        recognised by its name, by the mapping, or by its columns (our ids or their Chinese names).
    mapping
        YAML file (see :mod:`.mapping`); without one, ``mapping.yml`` in the folder of the data, if it is there.
    memory_limit
        What the embedded DuckDB may use.

    Raises
    ------
    InputError
        Nothing readable, a needed column is missing, or a column names a person and the mapping does not drop it.
    CodebookError
        The mapping is malformed.
    """
    if (
        isinstance(source, str | Path)
        and not sources.is_url(source)
        and (ready := find(Path(source))) is not None
    ):
        if ready.folder == Path(source):
            return _open_prepared(ready, memory_limit)
    else:
        ready = None
    maps = mappings.read(mapping if mapping is not None else _beside(source, "mapping.yml"))
    if isinstance(source, str | Path) and sources.is_url(source):
        wanted = {
            name: maps[name].source_table if name in maps else None for name in (maps or schema.tables())
        }
        con, raws = sources.open_database(str(source), wanted, memory_limit)
    else:
        con = sources.connect(memory_limit)
        paths = [Path(item) for item in (source if isinstance(source, list) else [source])]
        form = maps["monthly"].report if "monthly" in maps else None
        raws = [
            raw
            for path in paths
            for raw in (sources.read_report(path, form, con) if form else sources.read_path(path, con))
        ]
    asking = Asking(con)
    tables, renamed, origins, flaws = {}, {}, {}, {}
    for raw in raws:
        name = _recognise(raw, maps)
        if name is None:
            continue
        if name in tables:
            raise InputError("同一张表出现了两次", file=raw.source, value=name, hint="请合并后再读")
        plan = maps.get(name, TableMapping())
        _refuse_persons(raw, plan)
        renamed[name] = _rename(raw, schema.table(name), plan)
        typed = _typed(
            renamed[name],
            schema.table(name),
            plan,
            _clean(renamed[name], schema.table(name), plan, raw, asking),
        )
        tables[name] = asking.kept(typed, raw.whole)
        origins[name], flaws[name] = raw.source, raw.flaws
    if not tables:
        raise InputError(
            "没有认出任何案件表",
            file=str(source),
            hint=f"表或文件名用 {'、'.join(schema.tables())}，列名用字段名或中文名，或给出映射文件（--mapping）",
        )
    return Cases(con, tables, renamed, maps, origins, flaws, _metadata(source), ready)


def _open_prepared(ready: Prepared, memory_limit: str) -> Cases:
    """The small tables of prepared data, and its margins in place of the others' rows."""
    con = sources.connect(memory_limit)
    files = {name: ready.folder / f"{name}.parquet" for name in SMALL}
    tables = {name: con.read_parquet(file) for name, file in files.items() if file.exists()}
    return Cases(con, tables, {}, {}, {}, metadata=ready.facts["metadata"], prepared=ready)


def _recognise(raw: sources.Raw, maps: Mapping[str, TableMapping]) -> str | None:
    """Which of our tables a source table is: by name, else the one whose needed columns it has."""
    label = raw.label.strip()
    for name, plan in maps.items():
        if plan.source_table == label:
            return name
    for name, table in schema.tables().items():
        if label in (name, table.name):
            return name
    if len(maps) == 1:
        return next(iter(maps))
    have = set(raw.table.columns)
    fits = {
        name: sum(column.id in have or column.name in have for column in table.columns.values())
        for name, table in schema.tables().items()
        if all(need in have or table.columns[need].name in have for need in (*table.needed, *table.key[:1]))
    }
    return max(fits, key=lambda name: fits[name]) if fits else None


def _refuse_persons(raw: sources.Raw, plan: TableMapping) -> None:
    """Stop at a column that names a person, by its name or by what stands in it."""
    book = codebooks.load("personal_columns")
    columns = [name for name in raw.table.columns if name != sources.ROW and name not in plan.drop]
    named = [name for name in columns if any(re.search(pattern, name) for pattern in book["names"])]
    if named:
        raise _personal(
            "这一列会指向个人，不能读入" if len(named) == 1 else "这些列会指向个人，不能读入", raw, named
        )
    texts = [name for name in columns if raw.table[name].type().is_string()]
    if not texts:
        return
    sample = raw.table.select(*texts).limit(_SAMPLED).execute()
    for kind, pattern in book["values"].items():
        inner = re.compile(pattern)
        for name in texts:
            cells = sample[name].dropna()
            if len(cells) and sum(bool(inner.search(str(cell))) for cell in cells) >= max(
                1, len(cells) // 100
            ):
                raise _personal(f"这一列里像是有{kind}，不能读入", raw, [name])


def _personal(message: str, raw: sources.Raw, columns: list[str]) -> InputError:
    """All such columns at once, so that one line of the mapping answers."""
    return InputError(
        message,
        file=raw.source,
        value="、".join(columns),
        hint=f"请在导出时去掉，或在映射文件的 drop 里写明丢弃：drop: {json.dumps(columns, ensure_ascii=False)}",
    )


def _rename(raw: sources.Raw, table: schema.Table, plan: TableMapping) -> Any:
    """The source's columns under our names, untyped; unmapped ones only when kept for rules."""
    have = raw.table.columns
    for theirs in plan.columns:
        if theirs not in have:
            raise InputError(
                "映射文件里的列在数据里没有",
                file=raw.source,
                value=theirs,
                hint=f"数据里有：{'、'.join(have)}",
            )
    chosen = {ours: theirs for theirs, fields in plan.columns.items() for ours in fields}
    for column in table.columns.values():
        for candidate in (column.id, column.name):
            if column.id not in chosen and candidate in have and candidate not in plan.drop:
                chosen[column.id] = candidate
    for need in table.needed:
        if need not in chosen and need not in plan.fixed:
            raise InputError(
                f"{table.name}缺少必需的列",
                file=raw.source,
                value=f"{need}（{table.columns[need].name}）",
                hint="请补上这一列，或在映射文件里写明它对应哪一列",
            )
    extra = [name for name in (sources.ROW, *plan.keep) if name in have and name not in chosen]
    return raw.table.select(*extra, **{ours: raw.table[theirs] for ours, theirs in chosen.items()})


def _clean(table: Any, spec: schema.Table, plan: TableMapping, raw: sources.Raw, asking: Asking) -> set[str]:
    """Text columns that already are what we would make of them; keys are taken as they are.

    Trimming and asking the vocabulary in every query costs more than the counting; one look at all of them saves it.
    """
    if raw.whole:
        return set()
    written = [
        name for name in table.columns
        if name in spec.columns and spec.columns[name].type == "text" and name not in plan.terms
        and table[name].type().is_string()
    ]  # fmt: skip
    keys = {name for name in written if name in _KEYS}
    asked = {name: spec.columns[name].terms for name in written if name not in keys}
    if not asked:
        return keys
    if asking.embedded:
        # A filter is asked of a column's dictionary, however long the column, and columns are read one by one.
        texts = asking.kept(table.select(*asked), whole=False)

        def odd(name: str) -> bool:
            cells = texts.filter(_odd(texts[name], asked[name]))
            return bool(asking.rows(cells.aggregate(n=cells.count()))["n"][0].as_py())

        found = dict(zip(asked, asking.side_by_side([partial(odd, name) for name in asked]), strict=True))
    else:
        found = asking.rows(
            table.aggregate(**{name: _odd(table[name], terms).any() for name, terms in asked.items()})
        ).to_pylist()[0]
    return keys | {name for name in asked if not found[name]}


def _odd(cell: Any, terms: Collection[str]) -> Any:
    """Whether a cell is not what we would make of it."""
    wrong = ~cell.isin(terms) if terms else (cell != cell.strip()) | (cell == "")
    return wrong.fill_null(False)


_KEYS = ("piece_id", "matter_id", "supervision_id")


def _typed(raw: Any, table: schema.Table, plan: TableMapping, clean: Collection[str] = ()) -> Any:
    import ibis

    columns = {}
    for name in raw.columns:
        if name not in table.columns or name in clean:
            columns[name] = raw[name]
            continue
        column = table.columns[name]
        columns[name] = values.conform(raw[name], column, plan.terms.get(name), plan.dates)
    for name, value in plan.fixed.items():
        columns[name] = ibis.literal(value).cast(
            {"int": "int64", "float": "float64", "bool": "boolean"}.get(table.columns[name].type, "string")
        )
    for column in table.columns.values():
        if column.default is not None and column.id not in columns:
            columns[column.id] = ibis.literal(column.default)
    return raw.select(**columns)


def _beside(source: object, name: str) -> Path | None:
    """A file of this name in the folder of the data."""
    if not isinstance(source, str | Path) or sources.is_url(source):
        return None
    path = Path(source)
    file = (path if path.is_dir() else path.parent) / name
    return file if file.exists() else None


def _metadata(source: object) -> dict[str, Any]:
    file = _beside(source, "metadata.json")
    if file is None:
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"metadata.json 读不了：{error}", file=file, hint="请用 UTF-8 的 JSON") from error
    return content if isinstance(content, dict) else {}


def moment(text: str | dt.date | dt.datetime | None, tables: Cases) -> dt.datetime:
    """The as-of moment: a bare day means its end; without one, the last moment of the data.

    Raises
    ------
    RequestError
        It cannot be read, or the data have no date at all.
    """
    if text is None:
        if tables.last_moment is None:
            raise _undated(tables)
        return _day_end(tables.last_moment)
    return _read_moment(text) if isinstance(text, str) else _day_end(text)


def _undated(tables: Cases) -> RequestError:
    """Why there is no last moment: no dates, or none that can be read."""
    for name, raw in tables.raw.items():
        when = schema.table(name).when
        if when is not None and when in raw.columns:
            cell = values.text(raw[when])
            found = raw.filter(cell.notnull()).select(cell=cell).limit(1).execute()["cell"]
            if len(found):
                return RequestError(
                    f"{tables.sources[name]} 的{schema.table(name).columns[when].name}一个也读不出来，无法确定截止时间",
                    value=found[0],
                    hint="请写成 2024-03-05；年份在后的，请在映射文件里写 dates: mdy（月/日/年）或 dates: dmy（日/月/年）",
                )
    return RequestError("数据里没有日期，无法确定截止时间", hint="请用 --as-of 写明")


def _read_moment(text: str) -> dt.datetime:
    try:
        return _day_end(dt.datetime.fromisoformat(text))
    except ValueError:
        raise RequestError(
            "截止时间写法不对", value=text, hint="请写成 2024-03-31 或 2024-03-31T18:00:00"
        ) from None


def _day_end(value: dt.date | dt.datetime) -> dt.datetime:
    if isinstance(value, dt.datetime) and value.time() != dt.time():
        return value.replace(tzinfo=None)
    return dt.datetime.combine(value, dt.time.max)
