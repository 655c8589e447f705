"""Stage times and closure (环节用时与闭环): how long matters stay in each stage, and whether they take the whole path.

An event says that a matter entered a stage on a day; it stays until its next event. A matter still in the stage at the
as-of moment is censored; one that was withdrawn, transferred or (before 反馈) concluded there has left, which competes with
going on. The database counts spells (region, body, month, stage, day, event, n) and paths (region, month, the stages in
the order they happened, n); everything else is arithmetic on these two small tables. The path, its optional stages and
the limits are the codebook ``stages``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import codebooks
from ..errors import RequestError
from ..periods import Period
from . import duration
from . import margins as margin_tables
from .intervals import wilson
from .load import Cases, moment
from .places import LEVELS, Places

if TYPE_CHECKING:
    import pandas as pd

TIMES = [
    "group", "stage", "n", "done", "left", "open", "median", "low", "high", "limit", "over", "over_low", "over_high", "note",
]  # fmt: skip
CLOSURE = [
    "group", "n", "finished", "closed", "value", "low", "high", "underway", "ended", "skipped", "reversed", "note",
]  # fmt: skip
ARROW = "→"
_GROUPINGS = ("body", "month", *LEVELS)


@dataclass(frozen=True)
class Verdict:
    """What became of one path.

    Attributes
    ----------
    kind
        ``closed`` (all needed stages, in order, up to the last), ``underway``, ``ended`` (left on the way), ``skipped``
        or ``reversed``.
    finished
        Whether the last stage was reached, in whatever order.
    skipped
        Needed stages that are missing though a later one was entered.
    reversed
        Pairs (stage, earlier stage that came after it).
    """

    kind: str
    finished: bool
    skipped: tuple[str, ...] = ()
    reversed: tuple[tuple[str, str], ...] = ()


def times(
    tables: Cases,
    by: str | None = None,
    period: str | Period | None = None,
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
) -> pd.DataFrame:
    """Time in each stage (环节用时).

    Parameters
    ----------
    by
        ``body`` (the unit of the event), ``month`` (in which the stage was entered), ``region`` (one level down),
        ``city``, ``county``; nothing for all together.
    period
        Spells that began in it.

    Returns
    -------
    DataFrame
        Columns :data:`TIMES`, one row a group and stage in the order of the path (the last stage has no length). ``n`` spells,
        of which ``done`` went on, ``left`` the matter there and are still ``open``. ``median`` days with the log–log
        interval of Kaplan–Meier, infinite where the curve does not come down to one half. ``over``: share longer than
        ``limit`` days, with its interval; missing while nobody has been watched that long. Too few spells are counted and
        not described (``note``).

    Raises
    ------
    RequestError
        The source has no events, or an unknown grouping, region or period.
    """
    import pandas as pd

    book = codebooks.load("stages")
    least = book["minimum_n"]
    frame = _chosen(_margin(tables, moment(as_of, tables))[0], by, period, region)
    cells = dict(list(frame.groupby(["group", "stage"])))
    rows = [
        {"group": group, "stage": stage, **_described(cells[group, stage], book["limits"].get(stage), least)}
        for group in sorted(frame["group"].dropna().unique())
        for stage in book["path"]
        if (group, stage) in cells
    ]
    return pd.DataFrame(rows, columns=TIMES)


def closure(
    tables: Cases,
    by: str | None = None,
    period: str | Period | None = None,
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
) -> pd.DataFrame:
    """Whether matters took the whole path in order (闭环率).

    Parameters
    ----------
    by
        As for :func:`times`, but ``body``: a path belongs to many.
    period
        Matters whose first event falls in it.

    Returns
    -------
    DataFrame
        Columns :data:`CLOSURE`, one row a group: ``n`` matters; ``finished`` reached the last stage in whatever order, of
        which ``closed`` passed every needed stage in order (``value``, with Wilson's interval). The kinds ``closed``,
        ``underway``, ``ended``, ``skipped`` and ``reversed`` add up to ``n``.

    Raises
    ------
    RequestError
        As for :func:`times`.
    """
    import pandas as pd

    least = codebooks.load("stages")["minimum_n"]
    frame = judged(tables, by, period, region, as_of)
    kinds = ("closed", "underway", "ended", "skipped", "reversed")
    wide = frame.pivot_table(index="group", columns="kind", values="n", aggfunc="sum", fill_value=0.0)
    wide = wide.reindex(columns=kinds, fill_value=0.0).astype(int)
    finished = frame[frame["finished"]].groupby("group")["n"].sum().reindex(wide.index, fill_value=0)
    made = wide.assign(n=wide.sum(axis=1), finished=finished.astype(int)).reset_index()
    made["value"] = made["closed"] / made["finished"].where(made["finished"] > 0)
    made["low"], made["high"] = wilson(made["closed"], made["finished"].where(made["finished"] > 0))
    made["note"] = pd.Series([_small(size, least) for size in made["finished"]], dtype=object)
    return made[CLOSURE]


def judged(
    tables: Cases,
    by: str | None = None,
    period: str | Period | None = None,
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
) -> pd.DataFrame:
    """Every path that occurs, how often, and the verdict on it.

    Returns
    -------
    DataFrame
        group, path (stages joined by :data:`ARROW`), kind, finished, skipped (list), reversed (list of pairs), n; most
        frequent first in each group.
    """
    import pandas as pd

    if by == "body":
        raise RequestError("一条路径经过多个单位，不能按单位分组", value=by, hint="环节用时可以按单位分组")
    frame = _chosen(_margin(tables, moment(as_of, tables))[1], by, period, region)
    counts = frame.groupby(["group", "path", "gone"], as_index=False)["n"].sum()
    found = [judge(path, gone=bool(gone)) for path, gone in zip(counts["path"], counts["gone"], strict=True)]
    made = counts.assign(
        kind=[one.kind for one in found],
        finished=pd.Series([one.finished for one in found], index=counts.index, dtype=bool),
        skipped=[list(one.skipped) for one in found],
        reversed=[list(one.reversed) for one in found],
    )
    made = made.sort_values(["group", "n", "path"], ascending=[True, False, True], ignore_index=True)
    return made[["group", "path", "kind", "finished", "skipped", "reversed", "n"]]


def breaks(paths: pd.DataFrame) -> pd.DataFrame:
    """Where paths break, from :func:`judged`.

    Returns
    -------
    DataFrame
        kind (``skipped`` or ``reversed``), stage, before (for reversed: the later stage that stands before it), n matters;
        most frequent first. A matter with two breaks counts in both.
    """
    import pandas as pd

    skipped = paths[["skipped", "n"]].explode("skipped").dropna().rename(columns={"skipped": "stage"})
    turned = paths[["reversed", "n"]].explode("reversed").dropna()
    pairs = pd.DataFrame(turned["reversed"].tolist(), columns=["before", "stage"], index=turned.index)
    both = pd.concat(
        [
            skipped.assign(kind="skipped", before=None),
            pairs.assign(kind="reversed", n=turned["n"]),
        ]
    )
    made = both.groupby(["kind", "stage", "before"], dropna=False)["n"].sum().reset_index()
    return made.sort_values(["n", "kind", "stage"], ascending=[False, False, True], ignore_index=True)


def judge(path: str | Sequence[str], *, gone: bool = False) -> Verdict:
    """The verdict on one path: stages in the order they were entered (text joined by :data:`ARROW`, or a list).

    A stage entered again at once is one stage. ``gone``: the matter was withdrawn, transferred or concluded on the way.
    """
    book = codebooks.load("stages")
    place = {stage: number for number, stage in enumerate(book["path"])}
    named = path.split(ARROW) if isinstance(path, str) else path
    stages = [stage for number, stage in enumerate(named) if number == 0 or named[number - 1] != stage]
    turned = tuple(
        (before, after)
        for before, after in zip(stages, stages[1:], strict=False)
        if place[after] < place[before]
    )
    furthest = max(place[stage] for stage in stages)
    spared = {*book["optional"], *(() if {*book["direct"]} & {*stages} else book["direct"])}
    needed = [stage for stage in book["path"] if stage not in spared]
    missing = tuple(stage for stage in needed if place[stage] < furthest and stage not in stages)
    finished = book["path"][-1] in stages
    if turned:
        kind = "reversed"
    elif missing:
        kind = "skipped"
    elif finished:
        kind = "closed"
    else:
        kind = "ended" if gone else "underway"
    return Verdict(kind, finished, missing, turned)


def irregular(tables: Cases, as_of: str | dt.date | dt.datetime | None = None) -> pd.DataFrame:
    """The matters whose path was skipped or reversed, to go back to the body that keeps the record.

    Returns
    -------
    DataFrame
        matter_id, path, kind, skipped, reversed; rows of matters, for internal use.
    """
    rows = _paths(tables, moment(as_of, tables)).select("matter_id", "path", "gone").execute()
    found = {
        key: judge(key[0], gone=bool(key[1])) for key in set(zip(rows["path"], rows["gone"], strict=True))
    }
    verdicts = [found[key] for key in zip(rows["path"], rows["gone"], strict=True)]
    made = rows.assign(
        kind=[one.kind for one in verdicts],
        skipped=[list(one.skipped) for one in verdicts],
        reversed=[list(one.reversed) for one in verdicts],
    )
    made = made[made["kind"].isin(["skipped", "reversed"])].sort_values("matter_id", ignore_index=True)
    return made[["matter_id", "path", "kind", "skipped", "reversed"]]


# ---- from spells to figures ------------------------------------------------------------------------------------------


def _described(spells: pd.DataFrame, limit: dict[str, Any] | None, least: int) -> dict[str, Any]:
    day, first = np.unique(spells["day"].to_numpy(int), return_inverse=True)
    counts = np.zeros((len(day), 3))
    np.add.at(counts, (first, spells["event"].to_numpy(int)), spells["n"].to_numpy(float))
    still, done, left = counts.sum(axis=0).astype(int)
    size = int(counts.sum())
    made: dict[str, Any] = {
        "n": size, "done": done, "left": left, "open": still, "limit": limit["days"] if limit else None,
        "note": _small(size, least),
    }  # fmt: skip
    if size < least:
        return made
    waiting, low, high = _band(counts)
    made["median"], made["low"], made["high"] = (_half(day, share) for share in (waiting, low, high))
    if limit and day[-1] > limit["days"]:  # somebody was watched for longer than the limit
        at = np.searchsorted(day, limit["days"], side="right") - 1
        made["over"], made["over_low"], made["over_high"] = (
            (waiting[at], low[at], high[at]) if at >= 0 else (1.0, 1.0, 1.0)
        )
    return made


def _band(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kaplan–Meier and its log–log band from days × (open, done, left); for a thousand bodies at once lifelines is slow."""
    from scipy.special import ndtri

    total = counts.sum(axis=1)
    risk = total[::-1].cumsum()[::-1]
    ended = counts[:, duration.DONE] + counts[:, duration.LEFT]
    waiting = np.cumprod(1 - ended / risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(ended / (risk * (risk - ended)))
        log = np.log(waiting)
        half = float(ndtri(0.975)) * np.sqrt(greenwood) / log
        low, high = (np.exp(-np.exp(np.log(-log) - side * half)) for side in (1, -1))
    inside = (waiting > 0) & (waiting < 1)
    return waiting, np.where(inside, low, waiting), np.where(inside, high, waiting)


def _half(day: np.ndarray, share: np.ndarray) -> float:
    reached = share <= 0.5 + 1e-12
    return float(day[reached.argmax()]) if reached.any() else float("inf")


def _small(size: float, least: int) -> str | None:
    return "受小样本影响" if size < least else None


def _chosen(
    frame: pd.DataFrame, by: str | None, period: str | Period | None, region: str | None
) -> pd.DataFrame:
    """The rows of a margin within a period and region, with ``group``."""
    if by is not None and by not in _GROUPINGS:
        raise RequestError("环节不能按这一列分组", value=by, hint=f"可用：{'、'.join(_GROUPINGS)}")
    if period is not None:
        span = period if isinstance(period, Period) else Period.parse(period)
        frame = frame[(frame["month"].dt.date >= span.start) & (frame["month"].dt.date <= span.end)]
    frame = Places(region, by if by in LEVELS else None).assign(frame)
    if by == "body":
        group = frame["body"]
    elif by == "month":
        group = frame["month"].dt.strftime("%Y-%m")
    else:
        group = frame["region_code"]
    return frame.assign(group=group)


# ---- from events to spells and paths -----------------------------------------------------------------------------------


def margin(tables: Cases, as_of: dt.datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spells (region, body, month, stage, day, event, n) and paths (region, month, path, gone, n) of a source with events."""
    paths = _paths(tables, as_of)
    counted = paths.group_by(region=paths.region, month=paths.month, path=paths.path, gone=paths.gone)
    frames = [
        margin_tables.named(query.execute())
        for query in (_spells(tables, as_of), counted.aggregate(n=paths.count()))
    ]
    spells, found = (
        frame.sort_values(list(frame.columns), kind="stable", ignore_index=True) for frame in frames
    )
    return spells, found


def _margin(tables: Cases, as_of: dt.datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    reason = margin_tables.lack(tables, "events", ("matter_id", "stage", "at"))
    if reason:
        raise RequestError(reason)
    ready = tables.summed(as_of)
    return tables.once(
        ("stages", as_of),
        lambda: margin(tables, as_of) if ready is None else (ready.beside("spells"), ready.beside("paths")),
    )


def _events(tables: Cases, as_of: dt.datetime) -> Any:
    """The events of the source's system, with their place in the path, the region, and when the matter left."""
    return tables.kept(("stages", as_of), lambda: _joined(tables, as_of), whole=True)


def _joined(tables: Cases, as_of: dt.datetime) -> Any:
    import ibis

    path = codebooks.load("stages")["path"]
    events = margin_tables.snapshot(tables, "events", as_of)
    events = events.filter(events.matter_id.notnull(), events.at.notnull(), events.stage.isin(path))
    events = events.select(
        "matter_id", "stage", "at",
        body=events.body if "body" in events.columns else ibis.null("string"),
        place=events.stage.cases(*((stage, number) for number, stage in enumerate(path)), else_=len(path)),
    )  # fmt: skip
    if not tables.has("matters.matter_id"):
        return events.mutate(
            region=ibis.null("string"), out=ibis.null("timestamp"), concluded=ibis.null("timestamp")
        )
    matters = margin_tables.snapshot(
        tables, "matters", as_of,
        columns=("matter_id", "locality_code", "withdrawn_at", "transferred_at", "concluded_at"),
    )  # fmt: skip
    matters = matters.semi_join(events, "matter_id")
    left = [matters[name] for name in ("withdrawn_at", "transferred_at") if name in matters.columns]
    far = ibis.timestamp("9999-12-31")
    # A matter that stands twice in the source is one matter.
    facts = matters.group_by(key=matters.matter_id).aggregate(
        region=margin_tables.place(matters, "matters").min(),
        out=ibis.least(*(one.fill_null(far) for one in left), far).nullif(far).min() if left else ibis.null("timestamp"),
        concluded=matters.concluded_at.min() if "concluded_at" in matters.columns else ibis.null("timestamp"),
    )  # fmt: skip
    return events.inner_join(facts, events.matter_id == facts.key).drop("key")


def _spells(tables: Cases, as_of: dt.datetime) -> Any:
    import ibis

    book = codebooks.load("stages")
    last, closing = len(book["path"]) - 1, book["path"].index(book["closing"])
    events = _events(tables, as_of)
    order = ibis.window(group_by=events.matter_id, order_by=[events.at, events.place])
    table = events.mutate(next=events.at.lead().over(order))
    before = table.place < closing
    out = ibis.least(
        table.out.fill_null(ibis.timestamp("9999-12-31")),
        before.ifelse(table.concluded, ibis.null("timestamp")).fill_null(ibis.timestamp("9999-12-31")),
    ).nullif(ibis.timestamp("9999-12-31"))
    gone = table.next.isnull() & out.notnull() & (out >= table["at"])
    event = ibis.cases(
        (table.next.notnull(), duration.DONE), (gone.fill_null(False), duration.LEFT), else_=duration.OPEN
    )
    end = ibis.cases(
        (event == duration.DONE, table.next), (event == duration.LEFT, out), else_=ibis.literal(as_of)
    )
    table = table.mutate(
        event=event, month=table["at"].truncate("M"),
        day=((end.epoch_seconds() - table["at"].epoch_seconds()) / 86400).floor().cast("int32"),
    )  # fmt: skip
    table = table.filter(table.place < last)  # the last stage is an arrival: nothing is waited for in it
    return table.group_by("region", "body", "month", "stage", "day", "event").aggregate(n=table.count())


def _paths(tables: Cases, as_of: dt.datetime) -> Any:
    """One row a matter: matter_id, region, month of its first event, path, gone."""
    book = codebooks.load("stages")
    events = _events(tables, as_of)
    one = events.group_by(events.matter_id).aggregate(
        region=events.region.min(),
        month=events["at"].min().truncate("M"),
        path=events.stage.group_concat(sep=ARROW, order_by=[events["at"], events.place]),
        left=events.out.notnull().any(), concluded=events.concluded.notnull().any(), furthest=events.place.max(),
    )  # fmt: skip
    before = one.furthest < book["path"].index(book["closing"])
    return one.select("matter_id", "region", "month", "path", gone=one.left | (one.concluded & before))
