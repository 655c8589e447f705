"""Flow and open stock (流量与存量): what comes in, what leaves, what stays and for how long.

The stock identity, opening + in − out = closing, must hold in every cell and at every level of the region tree; it is a
gate: a flow that breaks it is not shown.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .. import regions as region_tables
from ..errors import MethodError, RequestError
from . import margins as margin_tables
from .calendar import month_number
from .deadlines import clock
from .load import Cases, moment
from .names import firsts, numbered, same, stack
from .registry import Indicator

if TYPE_CHECKING:
    import pandas as pd

BANDS = (15, 60, 90)
_OPEN = {"enters": ["registered_at"], "leaves": ["closed_at"]}  # the stock whose stays and ages are one query
FLOW_COLUMNS = [
    "region_code", "level", "month", "opening", "intake", "outflow", "closing", "clearance", "months_of_work",
]  # fmt: skip


def flow(
    tables: Cases, as_of: str | dt.date | dt.datetime | None = None, region: str | None = None
) -> pd.DataFrame:
    """Opening stock, in, out and closing stock of matters, by month, at every level of the region tree.

    The stock is counted (matters open at the month's end), not carried forward, so the identity is a real check. Rows
    that leave before they come are left out of both sides; ``attrs["impossible"]`` says how many, ``attrs["undated"]``
    how many have no date of registration.

    Returns
    -------
    DataFrame
        Columns :data:`FLOW_COLUMNS`: ``level`` 全部, 省, 市 or 县 (places without a code are 县), ``clearance`` out ÷ in,
        ``months_of_work`` closing stock ÷ mean outflow of the last twelve months; then ``0–15日`` … ``90日以上``, the bands
        of the closing stock in days since registration.

    Raises
    ------
    RequestError
        The source has no matters with a date of conclusion.
    MethodError
        The identity is broken somewhere; the message names the first cells.
    """
    import pandas as pd

    now = moment(as_of, tables)
    reason = margin_tables.lack(tables, "matters", ("registered_at", "closed_at"))
    if reason:
        raise RequestError(reason, hint="存量需要登记日期和办结日期")
    cells, counted = _cells(tables, now)
    ages = _ages(tables, now, None, BANDS)
    leaf = cells.merge(_wide(ages), on=["region", "month"], how="left").fillna(
        dict.fromkeys(_band_names(BANDS), 0.0)
    )
    prefix = _prefix(region)
    if prefix:
        leaf = leaf[leaf["region"].astype("string").str.startswith(prefix).fillna(False)]
    tree = pd.concat([_lifted(leaf, level) for level in ("全部", "省", "市", "县")], ignore_index=True)
    tree = tree.sort_values(
        ["level", "region_code", "month"], kind="stable", na_position="first", ignore_index=True
    )
    gate(tree)
    tree["clearance"] = tree["outflow"] / tree["intake"].where(tree["intake"] > 0)
    mean_out = tree.groupby(["level", "region_code"], dropna=False)["outflow"].transform(
        lambda out: out.rolling(12, min_periods=1).mean()
    )
    tree["months_of_work"] = tree["closing"] / mean_out.where(mean_out > 0)
    made = tree[[*FLOW_COLUMNS, *_band_names(BANDS)]]
    made.attrs |= counted
    return made


def gate(table: pd.DataFrame) -> None:
    """Refuse a flow whose stock identity does not hold (存量恒等式).

    Parameters
    ----------
    table
        region_code, level (optional), month, opening, intake, outflow, closing, the months of a region in order.

    Raises
    ------
    MethodError
        opening + in − out ≠ closing in a cell, the next opening is not this closing, or a region is not the sum of its
        parts.
    """
    names = [name for name in ("level", "region_code") if name in table]
    ordered = table.sort_values([*names, "month"], kind="stable")
    cell = (ordered["opening"] + ordered["intake"] - ordered["outflow"] - ordered["closing"]).abs() > 1e-9
    carried = ordered.groupby(names, dropna=False)["closing"].shift()
    carried_wrong = carried.notna() & ((carried - ordered["opening"]).abs() > 1e-9)
    broken = ordered[cell | carried_wrong]
    if len(broken):
        first = "；".join(
            f"{row['region_code'] or '全部'} {str(row['month'])[:7]}："
            f"{row['opening']:.0f}＋{row['intake']:.0f}−{row['outflow']:.0f}≠{row['closing']:.0f}"
            for row in broken.head(3).to_dict("records")
        )
        raise MethodError(
            f"存量恒等式在 {len(broken)} 个单元不成立：{first}",
            hint="期初＋收到−办出应等于期末；请核对来源后再出报告",
        )
    if "level" in table:
        _gate_tree(table)


def _gate_tree(table: pd.DataFrame) -> None:
    figures = ["opening", "intake", "outflow", "closing"]
    whole = table[table["level"] == "全部"].set_index("month")[figures]
    for level in ("省", "市", "县"):
        parts = table[table["level"] == level].groupby("month")[figures].sum()
        wrong = (whole - parts.reindex(whole.index, fill_value=0)).abs() > 1e-9
        if wrong.any(axis=None):
            month = wrong.index[wrong.any(axis=1)][0]
            raise MethodError(f"{str(month)[:7]} {level}级合计不等于全部", hint="请核对行政区划代码")


def stated_flow(tables: Cases) -> pd.DataFrame:
    """The flow as a source states it in ``monthly`` (indicators 期初存量, 收到, 办出, 期末存量), through the same gate.

    Raises
    ------
    RequestError
        The source has no such rows.
    MethodError
        As :func:`gate`.
    """
    names = {
        "期初存量": "opening", "收到": "intake", "办出": "outflow", "期末存量": "closing",
        "opening": "opening", "intake": "intake", "outflow": "outflow", "closing": "closing",
    }  # fmt: skip
    table = tables.tables.get("monthly")
    frame = table.filter(table.indicator.isin(list(names))).execute() if table is not None else None
    if frame is None or not len(frame):
        raise RequestError("月度汇总里没有存量和流量", hint="指标名用 期初存量、收到、办出、期末存量")
    wide = frame.assign(indicator=frame["indicator"].map(names)).pivot_table(
        index=["region_code", "month"], columns="indicator", values="numerator", aggfunc="sum"
    )
    if missing := {"intake", "outflow", "closing"} - set(wide.columns):
        raise RequestError("月度汇总缺少存量恒等式的一项", value="、".join(sorted(missing)))
    wide = wide.reset_index()
    if "opening" not in wide:
        before = wide.groupby("region_code")["closing"].shift()
        wide["opening"] = before.fillna(wide["closing"] - wide["intake"] + wide["outflow"])
    gate(wide)
    return wide


# ---- cells -----------------------------------------------------------------------------------------------------------


def _impossible(table: Any) -> Any:
    """Matters that leave before they come; a day without a time of day lasts to its end."""
    opened, closed = table.registered_at, table.closed_at
    return (closed < opened) & (closed != opened.truncate("D"))


def _cells(tables: Cases, now: dt.datetime) -> tuple[pd.DataFrame, dict[str, int]]:
    """region × month: opening, intake, outflow, closing, all counted from the months of opening and closing."""
    import numpy as np
    import pandas as pd

    table = margin_tables.snapshot(tables, "matters", now, columns=("closed_at",))
    query = table.group_by(
        **margin_tables.keys(table, "matters", None),
        opened=month_number(table.registered_at), closed=month_number(table.closed_at),
        impossible=_impossible(table).fill_null(False),
    ).aggregate(n=table.count())  # fmt: skip
    pairs = margin_tables.fetch(tables, query, month=["opened", "closed"]).astype({"region": object})
    counted = {
        "impossible": int(pairs.loc[pairs["impossible"], "n"].sum()),
        "undated": int(pairs.loc[pairs["opened"].isna(), "n"].sum()),
    }
    pairs = pairs[~pairs["impossible"] & pairs["opened"].notna()]
    if not len(pairs):
        raise MethodError("没有一条事项有可用的登记日期", hint="请先运行 cases check")
    first = int(_number(pairs["opened"]).min())
    last = now.year * 12 + now.month - 1
    months = pd.to_datetime([f"{k // 12}-{k % 12 + 1:02d}-01" for k in range(first, last + 1)])
    regions = pairs["region"].unique()
    where = pd.Series(range(len(regions)), index=pd.Index(regions, dtype=object))
    row = where.reindex(pairs["region"]).to_numpy()
    opened = _number(pairs["opened"]).to_numpy(int) - first
    closed = (_number(pairs["closed"]) - first).fillna(len(months)).to_numpy(int)
    n = pairs["n"].to_numpy(float)
    intake, outflow, stock = (np.zeros((len(regions), len(months) + 1)) for _ in range(3))
    np.add.at(intake, (row, opened), n)
    np.add.at(outflow, (row, closed), n)
    for at in range(len(months)):  # counted anew at each month's end: come by then, not left by then
        there = (opened <= at) & (closed > at)
        stock[:, at] = np.bincount(row[there], weights=n[there], minlength=len(regions))
    cells = pd.DataFrame(
        {
            "region": np.repeat(regions, len(months)), "month": np.tile(months, len(regions)),
            "opening": np.hstack([np.zeros((len(regions), 1)), stock[:, : len(months) - 1]]).ravel(),
            "intake": intake[:, : len(months)].ravel(), "outflow": outflow[:, : len(months)].ravel(),
            "closing": stock[:, : len(months)].ravel(),
        }
    )  # fmt: skip
    return cells, counted


def _number(months: pd.Series) -> pd.Series:
    return months.dt.year * 12 + months.dt.month - 1


def _lifted(leaf: pd.DataFrame, level: str) -> pd.DataFrame:
    """Sums at one level of the tree; places without a code stand for themselves."""
    width = {"全部": 0, "省": 2, "市": 4, "县": 6}[level]

    def code(region: object) -> str | None:
        if width == 0:
            return None
        if not isinstance(region, str) or len(region) != 6 or not region.isdigit():
            return str(region) or "属地不明"
        return region[:width].ljust(6, "0")

    names = {region: code(region) for region in leaf["region"].unique()}
    figures = [name for name in leaf.columns if name not in ("region", "month")]
    lifted = leaf.assign(region_code=leaf["region"].map(names) if width else None, level=level)
    return lifted.groupby(["level", "region_code", "month"], dropna=False, as_index=False)[figures].sum()


def _prefix(region: str | None) -> str | None:
    if region is None:
        return None
    level = region_tables.load().get(region).level
    return {"省": region[:2], "市": region[:4], "县": region}[level]


# ---- age bands -------------------------------------------------------------------------------------------------------


def _band_names(bands: Sequence[int]) -> list[str]:
    edges = [-1, *bands]
    return [f"{low + 1}–{high}日" for low, high in zip(edges, bands, strict=False)] + [f"{bands[-1]}日以上"]


def _ages(tables: Cases, now: dt.datetime, by: str | None, bands: Sequence[int]) -> pd.DataFrame:
    """Open matters at each month's end by days since registration: region, group, month, part_of (band), n.

    One query counts matters by day of coming and month of leaving; at a month's end a matter that leaves in a later
    month, or not at all, is there, and its day says how old it is. What left before it came is there at no month's end.
    """
    import numpy as np
    import pandas as pd

    cells = _stays(tables, now, by)
    if not len(cells):
        return pd.DataFrame(columns=["region", "group", "month", "part_of", "n"])
    opened = cells["opened"].to_numpy("datetime64[D]")
    came = opened.astype("datetime64[M]")
    left = np.where(
        cells["closed"].isna(), np.datetime64("9999-01"), cells["closed"].to_numpy("datetime64[M]")
    )
    number, first = firsts(numbered(cells, ["region", "group"]))
    labels = cells[["region", "group"]].take(first)
    names, n = _band_names(bands), cells["n"].to_numpy(float)
    start, today = came.min(), np.datetime64(now, "D")
    months = pd.date_range(str(start), str(today.astype("datetime64[M]")), freq="MS")
    stacked = np.zeros((len(names), len(labels), len(months)))  # band × place × month
    came_at, left_at = ((when - start).astype(int) for when in (came, left))
    # After so many months the oldest band is certain: what is still there is in it until it leaves.
    certain = bands[-1] // 28 + 2
    for after in range(certain):
        there = (left_at > came_at + after) & (came_at + after < len(months))
        end = np.minimum((came[there] + after + 1).astype("datetime64[D]") - 1, today)
        band = np.searchsorted(bands, (end - opened[there]).astype(int))
        np.add.at(stacked, (band, number[there], came_at[there] + after), n[there])
    old = (left_at > came_at + certain) & (came_at + certain < len(months))
    steps = np.zeros((len(labels), len(months) + 1))
    np.add.at(steps, (number[old], came_at[old] + certain), n[old])
    np.add.at(steps, (number[old], np.minimum(left_at[old], len(months))), -n[old])
    stacked[-1] += steps[:, :-1].cumsum(axis=1)
    # Band by band: briefs print the bands in the order in which they come here.
    band, which, where = np.nonzero(stacked)
    return labels.take(which).assign(
        month=months[where], part_of=pd.Categorical(names).take(band), n=stacked[band, which, where]
    )


def _stays(tables: Cases, now: dt.datetime, by: str | None) -> pd.DataFrame:
    """Matters by day of coming and month of leaving: region, group, opened (day), closed (month), n."""

    def asked() -> pd.DataFrame:
        table = margin_tables.snapshot(tables, "matters", now, columns=("closed_at", by))
        table = table.filter(table.registered_at.notnull())
        query = table.group_by(
            **margin_tables.keys(table, "matters", by),
            opened=table.registered_at.date(), closed=month_number(table.closed_at),
        ).aggregate(n=table.count())  # fmt: skip
        return margin_tables.fetch(tables, query, month=["closed"])

    return tables.once(("stays", now, by), asked)


def _wide(ages: pd.DataFrame) -> pd.DataFrame:
    wide = ages.astype({"region": object, "part_of": object}).pivot_table(
        index=["region", "month"], columns="part_of", values="n", aggfunc="sum", dropna=False
    )
    return wide.reindex(columns=_band_names(BANDS)).fillna(0.0).reset_index()


# ---- levels for the indicator table ----------------------------------------------------------------------------------


def levels(
    tables: Cases, wanted: Sequence[margin_tables.Wanted], as_of: dt.datetime, by: str | None,
    lacking: dict[tuple[str, str], str],
) -> list[margin_tables.Task]:  # fmt: skip
    """Margins of what is there at a period's end: coming and leaving by month (mode ``level``), age bands (``at``)."""
    there: dict[str, list[margin_tables.Wanted]] = {}
    for one, variant in wanted:
        if one.kind == "ages":
            reason = margin_tables.lack(
                tables, "matters", ("registered_at", "closed_at", *([by] if by else []))
            )
        elif one.clock:
            reason = margin_tables.lack_clock(tables, clock(one.clock), by)
        else:
            reason = _lacks_level(tables, one, variant.numerator, by)
        if reason:
            lacking[one.id, variant.id] = reason
        else:
            there.setdefault(one.id, []).append((one, variant))
    return [functools.partial(_levels, tables, members, as_of, by) for members in there.values()]


def _levels(
    tables: Cases, members: Sequence[margin_tables.Wanted], as_of: dt.datetime, by: str | None
) -> list[pd.DataFrame]:
    """One indicator's definitions."""
    one, variants = members[0][0], [variant for _, variant in members]
    if one.kind == "ages":
        frame = _ages(tables, as_of, by, one.options["bands"]).rename(columns={"n": "numerator"})
        found = [frame.assign(mode=same("at", len(frame)))] * len(variants)
    elif one.clock:
        found = [_overdue(tables, one, as_of, by)] * len(variants)
    else:
        found = _level(tables, one, [variant.numerator for variant in variants], as_of, by)
    return [
        frame.assign(
            indicator=same(one.id, len(frame)), variant=same(variant.id, len(frame)), denominator=float("nan")
        )[margin_tables.COLUMNS]
        for frame, variant in zip(found, variants, strict=True)
    ]


def _lacks_level(tables: Cases, one: Indicator, where: str | None, by: str | None) -> str | None:
    from .expression import parse

    leaves = [
        name for name in one.options["leaves"] if name == "closed_at" or tables.has(f"{one.table}.{name}")
    ]
    first = one.options["leaves"][0]
    needed = [*one.options["enters"], first, *(parse(where).columns if where else ()), *([by] if by else [])]
    return margin_tables.lack(tables, str(one.table), needed if first in leaves or not leaves else needed)


def _level(
    tables: Cases, one: Indicator, conditions: Sequence[str | None], now: dt.datetime, by: str | None
) -> list[pd.DataFrame]:
    """Months of coming (+n) and leaving (−n) of the rows under each condition, from one query.

    With ``after_months``, coming is that much later.
    """
    from .expression import parse

    name, options = str(one.table), one.options
    asked = [text for text in dict.fromkeys(conditions) if text]
    if not asked and options == _OPEN:
        pairs = _stays(tables, now, by)
        opened = pairs["opened"].to_numpy("datetime64[M]").astype("datetime64[ns]")
        return [_at_ends(_deltas(pairs.assign(opened=opened), now))] * len(conditions)
    read = (
        *options["enters"],
        *options["leaves"],
        by,
        *(name for text in asked for name in parse(text).columns),
    )
    table = margin_tables.snapshot(tables, name, now, columns=read)
    holds = {f"_{k}": parse(text).on(table, as_of=now).fill_null(False) for k, text in enumerate(asked)}
    opened = month_number(_coalesced(table, options["enters"]))
    leaves = margin_tables.earliest(table, options["leaves"])
    query = table.group_by(
        **margin_tables.keys(table, name, by), **holds,
        opened=opened + options.get("after_months", 0), closed=month_number(leaves),
    ).aggregate(n=table.count())  # fmt: skip
    pairs = margin_tables.fetch(tables, query, month=["opened", "closed"])
    return [
        _at_ends(_deltas(pairs[pairs[f"_{asked.index(text)}"]] if text else pairs, now))
        for text in conditions
    ]


def _coalesced(table: Any, columns: Iterable[str]) -> Any:
    import ibis

    have = [table[column] for column in columns if column in table.columns]
    return have[0] if len(have) == 1 else ibis.coalesce(*have)


def _deltas(pairs: pd.DataFrame, now: dt.datetime) -> pd.DataFrame:
    """region, group, month, numerator: +n in the month something comes, −n in the month it leaves, up to now's month.

    What leaves in the month it comes, or before, makes no difference at any month's end: it comes as nothing, so that
    a place where all is done at once has a stock of 0 and not no stock.
    """
    import numpy as np

    pairs = pairs[pairs["opened"].notna()]
    stays = ~(pairs["closed"] <= pairs["opened"])
    come = pairs[["region", "group"]].assign(month=pairs["opened"], n=pairs["n"].where(stays, 0.0))
    gone = pairs[stays & pairs["closed"].notna()]
    leave = gone[["region", "group"]].assign(month=gone["closed"], n=-gone["n"])
    both = stack([come, leave], ["region", "group", "month", "n"])
    both = both[both["month"] <= _month_start(now)].rename(columns={"n": "numerator"})
    month = both["month"].to_numpy().astype("datetime64[M]").astype(int)
    month -= month.min(initial=0)
    number, first = firsts(numbered(both, ["region", "group"]) * (month.max(initial=0) + 1) + month)
    made = both.take(first).assign(numerator=np.bincount(number, both["numerator"], len(first)))
    return made.sort_values(["region", "group", "month"], ignore_index=True)


def _month_start(now: dt.datetime) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(now.year, now.month, 1)


def _overdue(tables: Cases, one: Indicator, now: dt.datetime, by: str | None) -> pd.DataFrame:
    """Overdue and open: comes when it falls due, leaves when it is closed later."""
    rows = margin_tables.cohort(tables, clock(str(one.clock)), now, by)
    rows = rows[rows["fallen"] & ~(rows["closed"] <= rows["due"])]
    come = rows[["region", "group", "n"]].assign(month=rows["due"])
    gone = rows[rows["closed"].notna()]
    leave = gone[["region", "group"]].assign(month=gone["closed"], n=-gone["n"])
    return _at_ends(
        stack([come, leave], ["region", "group", "month", "n"]).rename(columns={"n": "numerator"})
    )


def _at_ends(deltas: pd.DataFrame) -> pd.DataFrame:
    return deltas.assign(part_of=same("", len(deltas)), mode=same("level", len(deltas)))
