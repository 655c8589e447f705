"""Counts of one indicator by several columns at once (分层计数), for case mix and for pieces clustered by matter.

One span, one indicator, a handful of columns: the aggregate the comparison needs beyond the monthly margins, from the same
rows by the same conditions, so that its sums equal theirs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import regions as region_tables
from ..errors import MethodError, RequestError
from ..periods import Period
from . import deadlines, margins, registry, schema
from .expression import parse
from .load import Cases, moment
from .places import LEVELS, Places
from .registry import Indicator, Variant

if TYPE_CHECKING:
    import pandas as pd


def strata(
    tables: Cases,
    entry: Indicator,
    variant: Variant,
    by: str,
    factors: Sequence[str],
    *,
    period: str | Period | None = None,
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
) -> pd.DataFrame:
    """Numerator and denominator by body and factors.

    Returns
    -------
    DataFrame
        ``body``, the factors, ``numerator``, ``denominator``; one row a combination that occurs.

    Raises
    ------
    RequestError
        A factor that the source does not have.
    """
    rows = rows_of(tables, entry, variant, by, period, region, as_of)
    missing = [factor for factor in factors if factor not in rows.columns]
    if missing:
        raise RequestError(
            "数据没有这个字段", value=missing[0], hint="案件结构可用 topic_1、channel、path、body_level 等"
        )
    grouped = rows.group_by(body=rows._body, **{factor: rows[factor] for factor in factors})
    frame = grouped.aggregate(numerator=rows.count(where=rows._good), denominator=rows.count()).execute()
    return frame.dropna(subset=["body"]).sort_values(["body", *factors]).reset_index(drop=True)


def clusters(
    tables: Cases,
    entry: Indicator,
    variant: Variant,
    by: str,
    *,
    period: str | Period | None = None,
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
) -> pd.DataFrame | None:
    """Effective sample sizes where pieces repeat: the pieces of one matter are one cluster.

    Returns
    -------
    DataFrame
        ``body``, ``effective_n``; ``None`` for an indicator that counts matters, or a source without matter ids.
    """
    from .intervals import effective_size

    if variant.table != "petitions" or not tables.has("petitions.matter_id"):
        return None
    rows = rows_of(tables, entry, variant, by, period, region, as_of)
    # A piece without a matter is a cluster of its own; there is no more to know about it.
    cluster = (
        rows.matter_id.fill_null("")
        if not tables.has("petitions.piece_id")
        else rows.matter_id.coalesce(rows.piece_id)
    )
    inner = rows.group_by(body=rows._body, cluster=cluster)
    sums = inner.aggregate(y=rows.count(where=rows._good), n=rows.count())
    frame = (
        sums.group_by("body")
        .aggregate(
            clusters=sums.count(), y=sums.y.sum(), n=sums.n.sum(),
            yy=(sums.y * sums.y).sum(), yn=(sums.y * sums.n).sum(), nn=(sums.n * sums.n).sum(),
        )
        .execute()
        .dropna(subset=["body"])
    )  # fmt: skip
    frame["effective_n"] = effective_size(*(frame[name] for name in ("clusters", "y", "n", "yy", "yn", "nn")))
    return frame[["body", "effective_n"]].sort_values("body").reset_index(drop=True)


def rows_of(
    tables: Cases,
    entry: Indicator,
    variant: Variant,
    by: str,
    period: str | Period | None = None,
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
) -> Any:
    """The rows of a definition's denominator as an ibis table, with ``_good`` (in the numerator) and ``_body``."""
    now = moment(as_of, tables)
    if entry.kind == "clock":
        rows, when, name = _clocked(tables, entry, variant, now)
    elif entry.kind == "share" and not (variant.times or variant.total or variant.out_of or variant.split):
        rows, when, name = _shared(tables, entry, variant, now)
    else:
        raise RequestError(f"“{entry.name}”的这个口径不能分层", value=f"{entry.id}.{variant.id}")
    if period is not None:
        span = period if isinstance(period, Period) else Period.parse(period)
        after = dt.datetime.combine(span.end, dt.time.min) + dt.timedelta(days=1)
        rows = rows.filter(
            (rows[when] >= dt.datetime.combine(span.start, dt.time.min)) & (rows[when] < after)
        )
    place = schema.table(name).region
    prefix = Places(region, by).prefix()
    if region is not None and place in rows.columns:
        rows = rows.filter(rows[place].startswith(prefix) if prefix else rows[place] == region)
    return rows.mutate(_body=_body(rows, by, place, region))


def _body(rows: Any, by: str, place: str | None, region: str | None) -> Any:
    if by not in LEVELS:
        if by not in rows.columns:
            raise RequestError("数据没有这个字段", value=by)
        return rows[by].cast("string")
    if place is None or place not in rows.columns:
        raise RequestError("数据没有地区字段", value=by)
    code = rows[place]
    level = by
    if by == "region":
        level = "city" if region is None or region.endswith("0000") else "county"
    return (code.substr(0, 4) + "00") if level == "city" and _coded(region) else code


def _coded(region: str | None) -> bool:
    return region is None or region in region_tables.load()


def _clocked(tables: Cases, entry: Indicator, variant: Variant, now: dt.datetime) -> tuple[Any, str, str]:
    clock = deadlines.clock(str(entry.clock))
    reason = margins.lack_clock(tables, clock)
    if reason:
        raise MethodError(reason, value=entry.id)
    rules = (variant.day_rule,) if variant.day_rule else ()
    timed = deadlines.run(margins.snapshot(tables, clock.table, now), clock, now, rules)
    end = f"_{variant.day_rule}" if variant.day_rule else ""
    state = timed[f"state{end}"]
    rows = timed.mutate(_good=state.isin(list(variant.numerator)), _when=timed[f"due{end}"])
    kept = rows[f"state{end}"].isin(list(variant.denominator))
    if variant.fallen:
        kept = kept & rows[f"fallen{end}"].fill_null(False)
    if variant.basis == "closed":
        rows, kept = rows.mutate(_when=rows.stopped), kept & rows.stopped.notnull()
    return rows.filter(kept), "_when", clock.table


def _shared(tables: Cases, entry: Indicator, variant: Variant, now: dt.datetime) -> tuple[Any, str, str]:
    name = str(variant.table)
    needed = registry.needs(variant)
    reason = margins.lack(tables, name, needed)
    if reason:
        raise MethodError(reason, value=entry.id)
    rows = margins.snapshot(tables, name, now, set(needed) & set(registry.DERIVED.get(name, ())))
    when = str(variant.when)
    if when != schema.table(name).when:
        rows = rows.filter(rows[when].notnull())
    if variant.denominator:
        rows = rows.filter(parse(variant.denominator).on(rows, as_of=now).fill_null(False))
    good = parse(variant.numerator).on(rows, as_of=now).fill_null(False)
    return rows.mutate(_good=good), when, name
