"""Leaders' reception (领导接访下访): obligations met by office and period, never by person.

How often is data (``deadlines.yml``, ``reception_duties``). A period that has not ended is *not yet due*: it is counted
apart, not as missed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import codebooks
from ..errors import RequestError
from ..periods import Period
from . import margins as margin_tables
from .load import Cases, moment

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLUMNS = [
    "office", "office_level", "region", "period", "period_start", "period_end", "held", "state", "obliged_leaders",
    "leaders_met", "longest_gap",
]  # fmt: skip
MET, MISSED, NOT_DUE = "已履行", "未履行", "尚未到期"


def obligations(tables: Cases, as_of: str | dt.date | dt.datetime | None = None) -> pd.DataFrame:
    """Every office's reception duty, period by period (接访义务).

    The offices are those of the ``obligations`` table, else those that held a reception at least once: an office that
    never did is then invisible, and ``attrs["note"]`` says so.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`: ``held`` receptions of the kind that counts, ``state`` 已履行, 未履行 or 尚未到期,
        ``obliged_leaders`` and ``leaders_met`` where the source has them, ``longest_gap`` of the office in days up to the
        as-of date.

    Raises
    ------
    RequestError
        The source has no receptions, or they lack the office's level.
    """
    import pandas as pd

    now = moment(as_of, tables)
    if reason := lack(tables):
        raise RequestError(reason, hint="需要 receptions 表的 office、office_level、date")
    held = _held(tables, now)
    stated = _stated(tables)
    offices = (
        held.groupby("office", as_index=False)[["office_level", "region"]].first()
        if stated is None
        else (stated.groupby("office", as_index=False)[["office_level", "region"]].first())
    )
    start = held["date"].min().date()
    if stated is not None:
        start = min(start, *(Period.parse(text).start for text in stated["period"].unique()))
    rows = [
        {"office": row.office, "office_level": row.office_level, "region": row.region, "period": str(period),
         "period_start": period.start, "period_end": period.end}
        for row in offices.itertuples() for period in _periods(str(row.office_level), start, now.date())
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["held"] = _counted(held, frame)
    if stated is not None:
        frame = frame.merge(
            stated[["office", "period", "obliged_leaders", "leaders_met"]],
            on=["office", "period"],
            how="left",
        )
    else:
        frame[["obliged_leaders", "leaders_met"]] = float("nan")
    due = pd.to_datetime(frame["period_end"]) <= pd.Timestamp(now)
    frame["state"] = (frame["held"] > 0).map({True: MET, False: MISSED})
    frame.loc[(frame["held"] == 0) & ~due, "state"] = NOT_DUE
    frame["longest_gap"] = frame["office"].map(_gaps(held, offices, start, now.date()))
    made = frame.reindex(columns=COLUMNS).sort_values(["region", "office", "period_start"], ignore_index=True)
    made.attrs["note"] = "" if stated is not None else "单位名单取自接访记录，从未接访的单位不在其中"
    return made


def duties(
    tables: Cases, wanted: Sequence[margin_tables.Wanted], as_of: dt.datetime, by: str | None,
    lacking: dict[tuple[str, str], str],
) -> list[pd.DataFrame]:  # fmt: skip
    """Margins of the reception duty; a period counts in the month of its last day."""
    import pandas as pd

    if not wanted:
        return []
    reason = lack(tables) or (f"无数据来源：接访义务没有{by}" if by else None)
    if reason:
        lacking |= {(one.id, variant.id): reason for one, variant in wanted}
        return []
    every = obligations(tables, as_of)
    month = pd.to_datetime(every["period_end"]).dt.to_period("M").dt.to_timestamp()
    base = every.assign(month=month, region=every["region"].fillna(""), group="", part_of="", mode="sum")
    due = base[base["state"] != NOT_DUE]
    # A running period in which the duty is already met is met, though not yet due: both sides count it.
    met = due.assign(numerator=(due["state"] == MET).astype(float), denominator=1.0)
    led = due[due["obliged_leaders"].notna()]
    led = led[pd.to_datetime(led["period_end"]) <= pd.Timestamp(as_of)]
    pending = base[base["state"] == NOT_DUE].assign(
        numerator=1.0, denominator=float("nan"), month=_month(as_of)
    )
    made = {
        "headline": met, "level": met.assign(part_of=met["office_level"]),
        "leaders": led.assign(numerator=led["leaders_met"].astype(float), denominator=led["obliged_leaders"].astype(float)),
        "not_due": pending,
    }  # fmt: skip
    if not len(led):
        lacking |= {
            (one.id, variant.id): "无数据来源：没有负有义务的人数"
            for one, variant in wanted
            if variant.id == "leaders"
        }
    return [
        made[variant.id].assign(indicator=one.id, variant=variant.id)[margin_tables.COLUMNS] for one, variant in wanted
        if variant.id in made
    ]  # fmt: skip


def lack(tables: Cases) -> str | None:
    """Why the duty cannot be computed, or ``None``."""
    return margin_tables.lack(tables, "receptions", ("office", "office_level", "date"))


def _month(day: dt.datetime) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(day.year, day.month, 1)


def _held(tables: Cases, now: dt.datetime) -> pd.DataFrame:
    table = margin_tables.snapshot(
        tables, "receptions", now, columns=("office", "office_level", "kind", "date")
    )
    columns = [name for name in ("office", "office_level", "kind", "date") if name in table.columns]
    frame = table.select(*columns, region=margin_tables.place(table, "receptions")).execute()
    frame = frame[frame["date"].notna() & frame["office_level"].isin(list(_rules()))]
    if "kind" in frame:
        wanted = frame["office_level"].map({level: rule.get("kind") for level, rule in _rules().items()})
        frame = frame[wanted.isna() | (wanted == frame["kind"])]
    return frame


def _stated(tables: Cases) -> pd.DataFrame | None:
    table = tables.tables.get("obligations")
    if table is None or "period" not in table.columns:
        return None
    frame = table.mutate(region=margin_tables.place(table, "obligations")).execute()
    frame = frame[frame["period"].notna() & frame["office_level"].isin(list(_rules()))]
    if not len(frame):
        return None
    frame["period"] = [str(Period.parse(text)) for text in frame["period"]]
    return frame.reindex(
        columns=["office", "office_level", "region", "period", "obliged_leaders", "leaders_met"]
    )


def _rules() -> dict[str, dict[str, str]]:
    rules: dict[str, dict[str, str]] = codebooks.load("deadlines")["reception_duties"]
    return rules


def _periods(level: str, start: dt.date, end: dt.date) -> list[Period]:
    period = Period.containing(start, _rules()[level]["every"])
    found = []
    while period.start <= end:
        found.append(period)
        period = period.shift(1)
    return found


def _counted(held: pd.DataFrame, frame: pd.DataFrame) -> np.ndarray:
    every = held["office_level"].map({level: rule["every"] for level, rule in _rules().items()})
    names = {
        (day, frequency): str(Period.containing(day.date(), frequency))
        for day, frequency in dict.fromkeys(
            zip(held["date"].dt.to_period("M").dt.to_timestamp(), every, strict=True)
        )
    }
    months = held["date"].dt.to_period("M").dt.to_timestamp()
    periods = [names[key] for key in zip(months, every, strict=True)]
    counts = held.assign(period=periods).groupby(["office", "period"]).size()
    return counts.reindex(list(zip(frame["office"], frame["period"], strict=True)), fill_value=0).to_numpy()


def _gaps(held: pd.DataFrame, offices: pd.DataFrame, start: dt.date, end: dt.date) -> dict[str, int]:
    """The longest time without a reception, in days, from the start of the record to the as-of date."""
    days = {office: sorted(group.dt.date) for office, group in held.groupby("office")["date"]}
    gaps = {}
    for office in offices["office"]:
        marks = [start, *days.get(office, ()), end]
        gaps[office] = max((late - early).days for early, late in zip(marks, marks[1:], strict=False))
    return gaps
