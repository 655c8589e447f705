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
    unless
        Matters it does not bind, where the source has the columns to tell.
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
    unless: str | None = None
    leaves: tuple[str, ...] = ()
    day_rule: str = "calendar"
    article: str | None = None
    jurisdiction: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @property
    def reads(self) -> set[str]:
        """Every column it may look at."""
        conditions = [parse(text).columns for text in (self.where, self.unless) if text]
        named = {column for column in (self.due, self.extension) if column}
        return {
            *self.start,
            *self.stop,
            *self.leaves,
            *named,
            *(column for part in conditions for column in part),
        }

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


def run(table: Any, clock: Clock, as_of: dt.datetime, rules: Iterable[str] = ()) -> Any:
    """Set the clock on each row it binds.

    Parameters
    ----------
    table
        ibis table with the clock's columns, as far as the source has them.
    as_of
        The moment of the snapshot: what happened later is not known.
    rules
        More day rules than the clock's own; what they give carries their name.

    Returns
    -------
    ibis table
        The bound rows with ``started``, ``stopped`` (known by ``as_of``), ``stated`` (the deadline stands in the row), and
        ``due`` (last moment in time), ``late`` (closed after it, or open at ``as_of`` past it), ``state`` (one of
        :data:`STATES`), ``fallen`` (due by ``as_of``), all null when the due date is unknown, and ``provisional`` (the due
        date rests on days whose holidays are not published), ``month`` (the due date's, as :func:`.calendar.month_number`);
        the same six as ``due_workdays`` … for each of ``rules``. Rows that left the clock before its limit are not in it.

    Raises
    ------
    RequestError
        The table has not the columns.
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
    table = table.mutate(bound=_bound(table, clock)).filter(lambda bound: bound.bound | bound.stated)
    table = _limited(table, clock, (clock.day_rule, *rules))
    left = _first(table, clock.leaves)
    if left is not None:
        gone = (left <= now) & (left <= table.due) & (table.stopped.isnull() | (left <= table.stopped))
        table = table.filter(~gone.fill_null(False))
    known_until = ibis.literal(dt.datetime.combine(calendar.published_until(), dt.time.max))
    made = {}
    for rule, end in ((clock.day_rule, ""), *((rule, f"_{rule}") for rule in rules)):
        due, late = table[f"due{end}"], table.stopped.fill_null(now) > table[f"due{end}"]
        closed = table.stopped.notnull()
        made[f"late{end}"] = late
        made[f"state{end}"] = ibis.cases(
            (due.isnull(), None), (closed & ~late, "closed_in"), (closed, "closed_late"), (~late, "open_in"),
            else_="open_late",
        )  # fmt: skip
        made[f"fallen{end}"] = due <= now
        made[f"provisional{end}"] = (
            ibis.literal(False) if rule == "calendar" else ~table.stated & (due > known_until)
        )
    return table.mutate(**made)


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
    bound = table.started.notnull() if condition is None else condition.on(table).fill_null(False)
    free = parse(clock.unless) if clock.unless else None
    if free is not None and set(free.columns) <= set(table.columns):
        bound = bound & ~free.on(table).fill_null(False)
    return bound


def _limited(table: Any, clock: Clock, rules: tuple[str, ...]) -> Any:
    """The table with ``due`` and ``month``, and ``due_…``, ``month_…`` for every rule after the first.

    A deadline is the stated one, else the clock's.
    """
    stated = _day_end(table[clock.due]) if clock.due in table.columns else None
    looked_up = clock.days is not None and set(rules) != {"calendar"}
    if clock.days is None:
        limits = dict.fromkeys(rules, stated)
    else:
        day = table.bound.ifelse(table.started, None).date().cast("timestamp(6)")
        table = table.mutate(_day=day, _days=_days(table, clock))
        limits = {"calendar": _last_moment(table._day + table._days.as_interval("D"))}
        if looked_up:
            lookup = _limits(clock.days, clock.extension_limit if clock.extension in table.columns else 0)
            table = table.left_join(lookup, [table._day == lookup.day, table._days == lookup.days])
            # Looking a day up is cheaper than reckoning; no calendar holds what a slip of the pen made of it.
            limits = {rule: table[rule] for rule in rules} | {
                "calendar": table.calendar.coalesce(limits["calendar"])
            }
        if stated is not None:
            limits = {rule: stated.coalesce(limit) for rule, limit in limits.items()}
    table = table.mutate(**{_named("due", rule, rules): limits[rule] for rule in rules})
    months = {}
    for rule in rules:
        month = calendar.month_number(table[_named("due", rule, rules)])
        if looked_up:
            found = table[f"{rule}_month"]
            month = (
                found.coalesce(month) if stated is None else table.stated.ifelse(month, found.coalesce(month))
            )
        months[_named("month", rule, rules)] = month
    return table.mutate(**months)


def _named(what: str, rule: str, rules: tuple[str, ...]) -> str:
    return what if rule == rules[0] else f"{what}_{rule}"


def _day_end(limit: Any) -> Any:
    """A deadline without a time of day lasts to the end of its day."""
    return (limit == limit.truncate("D")).ifelse(_last_moment(limit), limit)


def _last_moment(day: Any) -> Any:
    import ibis

    return day + ibis.interval(days=1) - ibis.interval(microseconds=1)


def _days(table: Any, clock: Clock) -> Any:
    import ibis

    if clock.extension not in table.columns:
        return ibis.literal(clock.days, "int32")
    granted = ibis.greatest(table[clock.extension].fill_null(0), 0)
    return (ibis.least(granted, clock.extension_limit) + clock.days).cast("int32")


@functools.lru_cache(maxsize=16)
def _limits(days: int, extension: int) -> Any:
    """For joins: day of start, days, and under each rule the last moment in time and the number of its month."""
    import ibis
    import numpy as np
    import pyarrow as pa

    book = calendar.days(_CALENDAR_FROM, dt.date(calendar.published_until().year + 3, 1, 31))
    day = book["day"].to_numpy().astype("datetime64[us]")
    workdays = np.flatnonzero(book["working"])
    number = np.arange(days, days + extension + 1)[:, None]
    # Days whose limits the calendar still holds; its last month is there for what rolls over the end of the year.
    start = np.arange(len(book) - 31 - number[-1, 0])[None, :]
    # Which day of the book a limit is; what is to be said of it is worked out once a day.
    limits = {
        "calendar": start + number,
        "calendar_roll_forward": np.searchsorted(day, book["rolled"].to_numpy())[start + number],
        "workdays": workdays[np.minimum(book["ordinal"].to_numpy()[start] + number - 1, len(workdays) - 1)],
    }
    columns = {"day": day[np.broadcast_to(start, limits["calendar"].shape)]}
    columns["days"] = np.broadcast_to(number, limits["calendar"].shape).astype(np.int32)
    last = day + np.timedelta64(1, "D") - np.timedelta64(1, "us")
    month = day.astype("datetime64[M]").astype(np.int32) + 1970 * 12
    for rule, limit in limits.items():
        columns |= {rule: last[limit], f"{rule}_month": month[limit]}
    return ibis.memtable(pa.table({name: column.ravel() for name, column in columns.items()}))
