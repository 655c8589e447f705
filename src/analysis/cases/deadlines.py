"""Clocks and deadlines (期限): when a matter falls due, and whether it was in time at the as-of date.

Four states, exclusive and exhaustive: ``closed_in`` closed by the limit, ``closed_late`` closed after it, ``open_in``
open and not yet due, ``open_late`` open and overdue. The clocks are data (``deadlines.yml``).
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import codebooks
from ..errors import CodebookError, RequestError
from . import calendar
from .expression import parse

STATES = {"closed_in": "按期办结", "closed_late": "超期办结", "open_in": "未到期", "open_late": "超期未办结"}
_CALENDAR_FROM = dt.date(2004, 1, 1)  # chinesecalendar's first year


@dataclass(frozen=True)
class Clock:
    """A time limit (期限).

    Attributes
    ----------
    start, stop
        Columns; the first known one counts.
    days, extension, extension_limit
        The limit, the column of granted extra days and its cap.
    where
        The matters it binds; a deadline stated in the row (``due``) binds whatever they are.
    leaves
        Columns of dates on which a matter leaves the clock before its limit (withdrawn, transferred).
    day_rule
        See :func:`.calendar.deadline`.
    """

    id: str
    name: str
    table: str
    start: tuple[str, ...]
    stop: tuple[str, ...]
    actor: str | None = None
    days: int | None = None
    extension: str | None = None
    extension_limit: int = 0
    where: str | None = None
    due: str | None = None
    leaves: tuple[str, ...] = ()
    day_rule: str = "calendar"
    article: str | None = None
    jurisdiction: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def runs_on(self, columns: Iterable[str]) -> bool:
        """Whether these columns are enough for it."""
        have = set(columns)
        stated = self.due is not None and self.due in have
        computed = (
            self.days is not None and bool(have & set(self.start))
            and (self.where is None or have.issuperset(parse(self.where).columns))
        )  # fmt: skip
        return bool(have & set(self.stop)) and (stated or computed)


@functools.lru_cache(maxsize=1)
def clocks() -> Mapping[str, Clock]:
    """All clocks of the codebook.

    Raises
    ------
    CodebookError
        A field or day rule that we do not have.
    """
    return {id: _clock(id, entry) for id, entry in codebooks.load("deadlines")["clocks"].items()}


def clock(id: str) -> Clock:
    """One clock."""
    try:
        return clocks()[id]
    except KeyError:
        raise RequestError("没有这个期限", value=id, hint=f"可用：{'、'.join(clocks())}") from None


def _clock(id: str, entry: dict[str, Any]) -> Clock:
    entry = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    try:
        made = Clock(id=id, **entry)
    except TypeError as error:
        raise CodebookError(f"期限的字段不对：{error}", file="deadlines.yml", value=id) from error
    if made.day_rule not in calendar.DAY_RULES:
        raise CodebookError("不认识的计日规则", file="deadlines.yml", value=f"{id}: {made.day_rule}")
    return made


def run(table: Any, clock: Clock, as_of: dt.datetime, day_rule: str | None = None) -> Any:
    """Set the clock on each row it binds.

    Parameters
    ----------
    table
        ibis table with the clock's columns, as far as the source has them.
    as_of
        The moment of the snapshot: what happened later is not known.
    day_rule
        Another rule than the clock's own.

    Returns
    -------
    ibis table
        The bound rows with ``started``, ``due`` (last moment in time), ``stopped`` (known by ``as_of``), ``state`` (one
        of :data:`STATES`, null when the due date is unknown), ``fallen`` (due by ``as_of``), ``stated`` (the deadline
        stands in the row). Rows that left the clock before its limit are not in it.
    """
    import ibis

    if not clock.runs_on(table.columns):
        raise RequestError("数据缺少这个期限所需的列", value=clock.id)
    now = ibis.literal(as_of)
    stopped = _first(table, clock.stop)
    started = _first(table, clock.start)
    table = table.mutate(
        started=ibis.null("timestamp") if started is None else started,
        stopped=(stopped <= now).ifelse(stopped, None),
        stated=ibis.literal(False) if clock.due not in table.columns else table[clock.due].notnull(),
    )
    bound = _bound(table, clock)
    table = table.mutate(bound=bound).filter(bound | ibis._.stated)
    table = _limited(table, clock, day_rule or clock.day_rule)
    limit = (
        table.limit_day
        if clock.due not in table.columns
        else ibis.coalesce(table[clock.due], table.limit_day)
    )
    # A deadline without a time of day lasts to the end of its day.
    day_end = limit.truncate("D") + ibis.interval(days=1) - ibis.interval(microseconds=1)
    table = table.mutate(due=(limit == limit.truncate("D")).ifelse(day_end, limit))
    left = _first(table, clock.leaves)
    if left is not None:
        gone = (left <= now) & (left <= table.due) & (table.stopped.isnull() | (left <= table.stopped))
        table = table.filter(~gone.fill_null(False))
    state = ibis.cases(
        (table.due.isnull(), None),
        (table.stopped.notnull() & (table.stopped <= table.due), "closed_in"),
        (table.stopped.notnull(), "closed_late"),
        (table.due >= now, "open_in"),
        else_="open_late",
    )
    return table.mutate(state=state, fallen=table.due <= now)


def _first(table: Any, columns: Iterable[str]) -> Any:
    import ibis

    have = [table[column] for column in columns if column in table.columns]
    if not have:
        return None
    return have[0] if len(have) == 1 else ibis.coalesce(*have)


def _bound(table: Any, clock: Clock) -> Any:
    """Whether the clock binds a row of itself; never when the columns to tell it are missing."""
    import ibis

    condition = parse(clock.where) if clock.where else None
    missing = condition is not None and not set(condition.columns) <= set(table.columns)
    if clock.days is None or missing or not set(clock.start) & set(table.columns):
        return ibis.literal(False)
    return table.started.notnull() if condition is None else condition.on(table).fill_null(False)


def _limited(table: Any, clock: Clock, rule: str) -> Any:
    """The table with ``limit_day``, the limit date that the clock sets under a day rule (null where it does not)."""
    import ibis

    if clock.days is None:
        return table.mutate(limit_day=ibis.null("timestamp"))
    start = table.bound.ifelse(table.started, None).truncate("D")
    days = ibis.literal(clock.days)
    if clock.extension in table.columns:
        granted = ibis.greatest(table[clock.extension].fill_null(0), 0)
        days = days + ibis.least(granted, clock.extension_limit).cast("int32")
    if rule == "calendar":
        return table.mutate(limit_day=start + days.as_interval("D"))
    lookup = _days_table()
    if rule == "calendar_roll_forward":
        table = table.mutate(limit_raw=start + days.as_interval("D"))
        rolled = lookup.select(limit_raw=lookup.day, limit_day=lookup.rolled)
        return table.left_join(rolled, "limit_raw").drop("limit_raw", "limit_raw_right")
    table = table.mutate(start_day=start, work_days=days)
    ordinals = lookup.select(start_day=lookup.day, start_ordinal=lookup.ordinal)
    table = table.left_join(ordinals, "start_day").drop("start_day", "start_day_right")
    table = table.mutate(limit_ordinal=table.start_ordinal + table.work_days).drop(
        "start_ordinal", "work_days"
    )
    limits = lookup.filter(lookup.working).select(limit_ordinal=lookup.ordinal, limit_day=lookup.day)
    return table.left_join(limits, "limit_ordinal").drop("limit_ordinal", "limit_ordinal_right")


@functools.lru_cache(maxsize=1)
def _days_table() -> Any:
    import ibis

    frame = calendar.days(_CALENDAR_FROM, dt.date(calendar.published_until().year + 2, 12, 31))
    return ibis.memtable(frame.astype({"day": "datetime64[us]", "rolled": "datetime64[us]"}))
