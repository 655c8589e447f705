"""Every indicator by county and month for three years: time and memory from 1 to 10 million cases, against pandas.

A case is one petitions piece (信访件): 10 million of them come with their 7.5 million matters, 17.5 million rows in all.
"pieces and matters" counts both kinds as cases: 5.7 million pieces and 4.3 million matters. The tables are an extract of
the day that the indicators are computed for, as a real one is: nothing later stands in them. To look back at an earlier
day, all that has happened since must be masked; what that costs is an item of its own.

The rows are drawn inside DuckDB (one hash an attribute), so that ten million take seconds to make. Each contestant runs
in a process of its own, ours under a limit on DuckDB that leaves room for pandas below 2 GB; the peak is the process's.
pandas computes the same definitions from the same files, reading for each date only the columns it needs, and every
figure must agree.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NAME = "cases_scale"
MILLION = 1_000_000
MONTHS = [f"{2022 + k // 12}-{k % 12 + 1:02d}" for k in range(36)]
AS_OF = "2024-12-31"  # the day of the extract
EARLIER = "2024-12-30"
MEMORY = "1200MB"
ALTOGETHER = 10 / 1.75  # million pieces that with their matters are ten million rows


def run(sizes: tuple[int, ...] = (1, 3, 10), against: int | None = None) -> list[dict[str, Any]]:
    """Times by size in millions of pieces; the comparison with pandas at ``against`` (the largest unless given)."""
    items: list[dict[str, Any]] = []
    ours: dict[float, dict[str, Any]] = {}
    last = sizes[-1]
    with tempfile.TemporaryDirectory() as folder:
        for millions in (*sizes, *([ALTOGETHER] if last == 10 else [])):
            data = Path(folder) / f"{millions:.2f}"
            generate(data, round(millions * MILLION))
            ours[millions] = _apart("ours", data)
            if millions == (against or last):
                items.append(_against(data, millions, ours[millions]))
                items.append(_looking_back(data, millions, ours[millions]))
            for file in data.iterdir():
                file.unlink()
    return [*items, *_items(ours, sizes)]


def _against(data: Path, millions: float, ours: dict[str, Any]) -> dict[str, Any]:
    import pandas as pd

    theirs = _apart("pandas", data)
    same = compare(*(pd.read_parquet(data / f"{who}.parquet_") for who in ("ours", "pandas")))
    return {
        "name": f"cases_scale.pandas: all indicators by county and month, {millions} M pieces",
        "ratio": round(theirs["seconds"] / ours["seconds"], 2), "against": "pandas", "better": "higher",
        "detail": f"ours {_said(ours)}; pandas {_said(theirs)}; {same} figures equal",
    }  # fmt: skip


def _looking_back(data: Path, millions: float, ours: dict[str, Any]) -> dict[str, Any]:
    earlier = _apart("ours", data, EARLIER)
    return {
        "name": f"cases_scale.earlier_day: {millions} M pieces as known on {EARLIER}",
        "ratio": round(earlier["seconds"] / ours["seconds"], 2), "against": "as known on the extract's day",
        "better": "lower", "detail": _said(earlier),
    }  # fmt: skip


def _items(ours: dict[float, dict[str, Any]], sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    first, last = sizes[0], sizes[-1]
    growth = (ours[last]["seconds"] - ours[first]["seconds"]) / (last - first)
    line = ours[last]["seconds"] / (ours[first]["seconds"] * last / first)
    made = [
        {
            "name": f"cases_scale.growth: time from {first} to {last} M pieces", "ratio": round(line, 3),
            "against": "proportional growth = 1", "better": "lower",
            "detail": "; ".join(f"{size:.3g} M {_said(figures)}" for size, figures in ours.items())
            + f"; {growth:.2f} s a further million",
        },
        {
            "name": f"cases_scale.memory: peak for {last} M pieces", "ratio": round(ours[last]["peak_mb"] / 2048, 3),
            "against": "2 GB", "better": "lower", "detail": _said(ours[last]),
        },
    ]  # fmt: skip
    for size in (last, ALTOGETHER):
        if size in ours:
            what = (
                f"{size} M pieces and their matters" if size == last else "10 M pieces and matters altogether"
            )
            made.append(
                {
                    "name": f"cases_scale.seconds: {what}", "ratio": round(ours[size]["seconds"] / 10, 3),
                    "against": "10 s", "better": "lower", "detail": _said(ours[size]),
                }
            )  # fmt: skip
    return made


def _said(figures: dict[str, Any]) -> str:
    return f"{figures['seconds']} s ({figures['cpu_seconds']} s of CPU, peak {figures['peak_mb']} MB)"


# ---- data --------------------------------------------------------------------------------------------------------------


DATES = (
    "registered_at", "office_acted_at", "received_at", "unit_acted_at", "accepted_at", "objected_at", "withdrawn_at",
    "replied_at", "concluded_at", "resolved_at", "review_requested_at", "review_answered_at", "recheck_requested_at",
    "recheck_answered_at", "office_rated_at", "unit_rated_at",
)  # fmt: skip


def generate(folder: Path, pieces: int, extracted: str = AS_OF) -> None:
    """Petitions and matters of a made-up province, ``pieces`` rows and three quarters as many, as known on a day."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spill")})
    matters = pieces * 3 // 4
    con.execute("CREATE MACRO u(i, k) AS (hash(i * 64 + k) % 1000003) / 1000003.0")
    con.execute("CREATE MACRO pick(i, k, list) AS list[1 + CAST(floor(u(i, k) * len(list)) AS INT)]")
    con.execute("CREATE MACRO day(base, n) AS CAST(base AS DATE) + CAST(n AS INT)")
    con.execute(
        "CREATE MACRO place(i) AS CAST(990100 + CAST(floor(u(i, 1) * 10) AS INT) * 100 + 1 + CAST(floor(u(i, 2) * 9) AS INT) AS VARCHAR)"
    )
    known = ", ".join(f"CASE WHEN {name} <= DATE '{extracted}' THEN {name} END AS {name}" for name in DATES)
    con.execute(f"""
        COPY (SELECT * REPLACE ({known}) FROM (WITH d AS (SELECT i, day(DATE '2021-11-01', floor(i * 1150.0 / {matters})) AS registered FROM range({matters}) t(i)),
        e AS (SELECT *, registered + CAST(floor(u(i, 3) * 17) AS INT) AS acted, CASE WHEN u(i, 4) < .9 THEN '转送' ELSE '直接答复' END AS action FROM d),
        f AS (SELECT *, acted + CAST(floor(u(i, 5) * 14) AS INT) AS accepted FROM e),
        g AS (SELECT *, accepted + CAST(floor(-25 * ln(1 - u(i, 6))) AS INT) AS concluded FROM f)
        SELECT 'M' || i AS matter_id, '信访' AS system, pick(i, 7, ['建议意见','检举控告','申诉求决']) AS matter_class,
          pick(i, 8, ['1','2','4','5','6','6','6']) AS path, u(i, 9) < .05 AS simplified, pick(i, 10, ['来信','来访','网信','电话']) AS channel,
          place(i) AS locality_code, '类' || CAST(floor(u(i, 11) * 12) AS INT) AS topic_1, 'B' || CAST(floor(u(i, 12) * 900) AS INT) AS responsible_body,
          pick(i, 13, ['县','县','市','乡']) AS body_level, registered AS registered_at, action AS office_action, acted AS office_acted_at, acted AS received_at,
          '受理告知' AS unit_action, accepted AS unit_acted_at, accepted AS accepted_at,
          CASE WHEN u(i, 14) < .01 THEN acted + 3 END AS objected_at, CASE WHEN u(i, 15) < .02 THEN accepted + 9 END AS withdrawn_at, CAST(NULL AS DATE) AS transferred_at,
          CASE WHEN u(i, 16) < .04 THEN 30 ELSE 0 END AS extended_days, CASE WHEN u(i, 17) < .95 THEN concluded END AS replied_at,
          CASE WHEN u(i, 17) < .95 THEN concluded END AS concluded_at, CASE WHEN u(i, 17) < .65 THEN concluded + 2 END AS resolved_at,
          CASE WHEN u(i, 17) < .65 THEN pick(i, 18, ['息诉息访','调解协议','和解协议','诉求落实']) END AS resolution_basis,
          CASE WHEN u(i, 19) < .2 THEN pick(i, 20, ['访调对接','人民调解','警调']) END AS mediation, CASE WHEN u(i, 19) < .15 THEN '调解' END AS agreement,
          CASE WHEN u(i, 21) < .03 THEN '县' END AS led_by_level,
          CASE WHEN u(i, 22) < .02 THEN concluded + 10 END AS review_requested_at, CASE WHEN u(i, 22) < .018 THEN concluded + 35 END AS review_answered_at, u(i, 23) < .8 AS review_upheld,
          CASE WHEN u(i, 22) < .004 THEN concluded + 50 END AS recheck_requested_at, CASE WHEN u(i, 22) < .003 THEN concluded + 75 END AS recheck_answered_at, u(i, 24) < .7 AS recheck_upheld,
          pick(i, 25, ['已评价','已评价','超期未评价','未评价']) AS office_rating_state, CASE WHEN u(i, 25) < .5 THEN pick(i, 26, ['满意','满意','基本满意','不满意']) END AS office_rating_grade, CASE WHEN u(i, 25) < .5 THEN concluded + 5 END AS office_rated_at,
          pick(i, 27, ['已评价','已评价','超期未评价','未评价']) AS unit_rating_state, CASE WHEN u(i, 27) < .5 THEN pick(i, 28, ['满意','满意','基本满意','不满意']) END AS unit_rating_grade, CASE WHEN u(i, 27) < .5 THEN concluded + 5 END AS unit_rated_at
        FROM g)) TO '{folder}/matters.parquet' (FORMAT parquet, COMPRESSION zstd)""")
    con.execute(f"""
        COPY (SELECT 'P' || i AS piece_id, 'M' || (i * 3 // 4) AS matter_id, '信访' AS system, day(DATE '2021-11-01', floor(i * 1150.0 / {pieces})) AS registered_at,
          pick(i, 10, ['来信','来访','网信','电话']) AS channel, pick(i, 29, ['县','县','县','市','省']) AS office_level, place(i * 3 // 4) AS locality_code,
          '类' || CAST(floor(u(i * 3 // 4, 11) * 12) AS INT) AS topic_1, CASE WHEN i % 4 = 1 THEN '重件' ELSE '初件' END AS first_or_repeat,
          CAST(1 + floor(u(i, 30) * 3) AS INT) AS persons, u(i, 31) < .02 AS group_visit, u(i, 32) < .01 AS over_level,
          CASE WHEN u(i, 10) BETWEEN .25 AND .5 THEN pick(i, 33, ['县','市','省','京']) END AS place_of_visit, u(i, 34) < .97 AS counted
        FROM range({pieces}) t(i)) TO '{folder}/petitions.parquet' (FORMAT parquet, COMPRESSION zstd)""")
    con.close()


# ---- the two contestants, each in a process of its own ------------------------------------------------------------------


def _apart(who: str, data: Path, as_of: str = AS_OF) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, who, str(data), as_of], stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _ours(data: Path, as_of: str = AS_OF) -> pd.DataFrame:
    from analysis import cases

    tables = cases.load(data, memory_limit=MEMORY)
    return cases.indicators(tables, MONTHS, as_of=as_of, by="county", views=["本期"])


def compare(ours: pd.DataFrame, theirs: pd.DataFrame) -> int:
    """How many figures agree; both must have the same ones, a count of nothing being no figure.

    Raises
    ------
    AssertionError
        A figure differs, or only one of the two has it.
    """
    import numpy as np

    names = ["indicator", "variant", "part_of", "region_code", "period"]
    figures = ["numerator", "denominator", "value"]
    ours = ours[ours["value"].notna() & (ours["numerator"] + ours["denominator"].fillna(0) != 0)]
    theirs = theirs[theirs["period"].isin(MONTHS) & theirs["value"].notna()]
    theirs = theirs[theirs["numerator"] + theirs["denominator"].fillna(0) != 0]
    both = (
        ours[[*names, *figures]]
        .fillna({"part_of": ""})
        .merge(theirs[[*names, *figures]], on=names, how="outer", suffixes=("", "_pandas"), indicator=True)
    )
    single = both[both["_merge"] != "both"]
    assert not len(single), f"{len(single)} figures stand on one side only:\n{single.head()}"
    for name in figures:
        same = np.isclose(both[name], both[f"{name}_pandas"], rtol=1e-9, atol=1e-12, equal_nan=True)
        assert same.all(), f"{(~same).sum()} figures differ in {name}:\n{both[~same].head()}"
    return len(both)


# ---- the same in pandas ----------------------------------------------------------------------------------------------


def _pandas(data: Path) -> pd.DataFrame:
    """The registry's definitions as a careful analyst would compute them.

    For each date only the columns it needs are read; text is categorical, conditions are masks made once, and all sums of
    a date come from one ``groupby``.
    """
    import pandas as pd

    from analysis.cases import registry

    book = registry.indicators()
    made = pd.concat([*_counts(data, book), *_clocks(data, book), *_levels(data, book)], ignore_index=True)
    made["denominator"] = made["denominator"].astype(float)
    share = made["denominator"].notna()
    made["value"] = made["value"].fillna(
        made["numerator"].where(
            ~share, made["numerator"] / made["denominator"].where(made["denominator"] > 0)
        )
    )
    made = pd.concat([made, *_ratios(made), _durations(data), _topics(data)], ignore_index=True)
    return made.assign(period=made["month"].astype(str), region_code=made["county"].astype(str))


def _read(data: Path, table: str, columns: Iterable[str]) -> pd.DataFrame:
    """Columns of a table as known at the end; what happened later is not known."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = data / f"{table}.parquet"
    shape = pq.read_schema(file)
    wanted = [name for name in dict.fromkeys([*columns, "locality_code"]) if name in shape.names]
    words = [name for name in wanted if shape.field(name).type == pa.string() and name != "matter_id"]
    frame = pq.read_table(file, columns=wanted, read_dictionary=words).to_pandas(date_as_object=False)
    for name in frame.columns[[kind.kind == "M" for kind in frame.dtypes]]:
        later = frame[name] > pd.Timestamp(AS_OF)
        if later.any():
            frame.loc[later, name] = pd.NaT
    return frame.rename(columns={"locality_code": "county"})


def _counts(data: Path, book: Mapping[str, Any]) -> Iterator[pd.DataFrame]:
    """Counts and shares, date by date."""
    import pyarrow.parquet as pq

    from analysis.cases import registry, schema

    batches: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
    for one in book.values():
        for variant in one.variants.values():
            if one.kind in ("count", "share") and variant.table in ("petitions", "matters"):
                batches.setdefault((variant.table, variant.when), []).append((one, variant))
    for (table, when), members in batches.items():
        have = {*pq.read_schema(data / f"{table}.parquet").names, "closed_at", "repeated_piece"}
        members = [(one, variant) for one, variant in members if set(registry.needs(variant)) <= have]
        needs = {name for _, variant in members for name in registry.needs(variant)} | {when}
        frame = _with_derived(data, table, needs)
        frame = frame[frame[when].notna()]
        cell = [frame["county"], frame[when].dt.to_period("M").rename("month")]
        sums, takes = _measures(frame, members)
        totals = sums.groupby(cell, observed=True).sum().reset_index()
        for one, variant, term, top, bottom, times in takes:
            if term and not totals[top].any():
                continue
            made = totals[["county", "month"]].assign(
                indicator=one.id, variant=variant.id, part_of=term, numerator=totals[top].astype(float),
                denominator=totals[bottom].astype(float) if bottom else float("nan"), value=float("nan"),
            )  # fmt: skip
            if times:
                made["value"] = made["numerator"] / made["denominator"] * totals[times[0]] / totals[times[1]]
            yield made
        for one, variant in members:
            if variant.split and not schema.table(table).columns[variant.split].terms:
                size = frame.groupby([*cell, frame[variant.split].rename("part_of")], observed=True).size()
                yield (
                    size.rename("numerator")
                    .reset_index()
                    .assign(
                        indicator=one.id, variant=variant.id, denominator=float("nan"), value=float("nan")
                    )
                )


def _measures(
    frame: pd.DataFrame, members: list[tuple[Any, Any]]
) -> tuple[pd.DataFrame, list[tuple[Any, ...]]]:
    """A column for each sum, made once, and what each definition takes of them."""
    import pandas as pd

    from analysis.cases import schema

    masks: dict[str, Any] = {}
    columns: dict[tuple[Any, ...], Any] = {}

    def summed(total: str | None, *conditions: str | None) -> str:
        asked = tuple(text for text in conditions if text)
        if (total, *asked) not in columns:
            found = None
            for text in asked:
                if text not in masks:
                    masks[text] = _mask(text, frame)
                found = masks[text] if found is None else found & masks[text]
            if total:
                found = frame[total] if found is None else frame[total].where(found, 0)
            columns[total, *asked] = pd.Series(True, index=frame.index) if found is None else found
        return str((total, *asked))

    takes = []
    for one, variant in members:
        terms: tuple[str, ...] = ("",)
        if variant.split:
            terms = schema.table(variant.table).columns[variant.split].terms
        share = one.kind == "share"
        for term in terms:
            only = f"{variant.split} == {term!r}" if term else None
            top = summed(variant.total, variant.numerator, variant.denominator if share else None, only)
            bottom = summed(variant.out_of, variant.denominator) if share else None
            times = None
            if variant.times:
                over = variant.times["denominator"]
                times = (summed(None, variant.times["numerator"], over), summed(None, over))
            takes.append((one, variant, term, top, bottom, times))
    return pd.DataFrame({str(key): column for key, column in columns.items()}), takes


def _with_derived(data: Path, table: str, needs: set[str]) -> pd.DataFrame:
    leaving = ["concluded_at", "withdrawn_at", "transferred_at"] if "closed_at" in needs else []
    frame = _read(data, table, [*needs, *leaving, *(["matter_id"] if "repeated_piece" in needs else [])])
    if leaving:
        frame["closed_at"] = frame[leaving].min(axis=1)
    if "repeated_piece" in needs:
        pieces = _read(data, "petitions", ["matter_id", "first_or_repeat"])
        again = pieces.loc[pieces["first_or_repeat"] == "重件", "matter_id"].unique()
        frame["repeated_piece"] = frame.pop("matter_id").isin(again)
    return frame


def _mask(text: str, frame: pd.DataFrame) -> pd.Series:
    """A condition of the registry as a mask; only what the registry uses. Unknown counts as no."""
    import ast

    import pandas as pd

    compare = {ast.Eq: "eq", ast.NotEq: "ne", ast.Gt: "gt", ast.GtE: "ge", ast.Lt: "lt", ast.LtE: "le"}

    def value(node: ast.AST) -> Any:
        match node:
            case ast.Name(id=name):
                return frame[name]
            case ast.Constant(value=constant):
                return constant
            case ast.Tuple(elts=parts):
                return [value(part) for part in parts]
            case ast.BoolOp(op=op, values=parts):
                masks = [value(part) for part in parts]
                whole = masks[0]
                for mask in masks[1:]:
                    whole = whole & mask if isinstance(op, ast.And) else whole | mask
                return whole
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~value(operand).fillna(True).astype(bool)
            case ast.Call(func=ast.Name(id=function), args=args):
                return value(args[0]).notna() if function == "known" else value(args[0]).isna()
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                a, b = value(left), value(right)
                return a.isin(b) if isinstance(op, ast.In) else getattr(a, compare[type(op)])(b)
        raise ValueError(text)

    found = value(ast.parse(text, mode="eval").body)
    return found if isinstance(found, pd.Series) and found.dtype == bool else found.fillna(False).astype(bool)


STATES = ["closed_in", "closed_late", "open_in", "open_late"]


def _clocks(data: Path, book: Mapping[str, Any]) -> Iterator[pd.DataFrame]:
    """Every clock under three day rules, counted once by month and state; the definitions are sums of these counts."""
    import pandas as pd

    from analysis.cases import calendar, deadlines

    days = calendar.days(pd.Timestamp("2021-01-01").date(), pd.Timestamp("2026-12-31").date())
    for one in book.values():
        if one.kind != "clock" or deadlines.clock(str(one.clock)).table != "matters":
            continue
        clock = deadlines.clock(str(one.clock))
        rules = [clock.day_rule, *(rule for rule in calendar.DAY_RULES if rule != clock.day_rule)]
        dues, stop, county = _timed(data, clock, days)
        counted = {
            rule: _states(dues[rule], stop, county, stop if k == 0 else None) for k, rule in enumerate(rules)
        }
        for variant in one.variants.values():
            cells = counted[variant.day_rule or clock.day_rule][variant.basis == "closed"]
            if variant.fallen:
                cells = cells[cells["fallen"]]
            if variant.numerator is None:
                wide = cells.pivot_table(
                    index=["county", "month"], columns="part_of", values="n", aggfunc="sum", observed=True
                )
                wide = wide.reindex(columns=STATES).fillna(0)
                made = (
                    wide.stack().rename("numerator").rename_axis(["county", "month", "part_of"]).reset_index()
                )
                made["denominator"] = wide.sum(axis=1).repeat(len(STATES)).to_numpy()
            else:
                made = cells.assign(
                    numerator=cells["n"].where(cells["part_of"].isin(variant.numerator), 0),
                    denominator=cells["n"].where(cells["part_of"].isin(variant.denominator), 0), part_of="",
                )  # fmt: skip
                made = made.groupby(["county", "month", "part_of"], observed=True)[
                    ["numerator", "denominator"]
                ].sum()
                made = made.reset_index()
            yield made.assign(indicator=one.id, variant=variant.id, value=float("nan"))
        if one.clock == "handling" and (overdue := book.get("overdue_open")) is not None:
            due = dues[clock.day_rule]
            late = (due <= pd.Timestamp(AS_OF)) & ~(stop <= due)
            yield _stock(county[late], due[late], stop[late]).assign(indicator=overdue.id, variant="headline")


def _timed(data: Path, clock: Any, days: pd.DataFrame) -> tuple[dict[str, Any], Any, Any]:
    """Due days by rule, the day it stopped, and the county, of the matters that a clock binds."""
    import numpy as np
    import pandas as pd

    frame = _read(data, "matters", sorted(clock.reads))
    start, stop = (
        frame[[name for name in names if name in frame]].bfill(axis=1).iloc[:, 0]
        for names in (clock.start, clock.stop)
    )
    bound = start.notna()
    if clock.where:
        bound &= _mask(clock.where, frame)
    if clock.unless:
        bound &= ~_mask(clock.unless, frame)
    frame, start, stop = frame[bound], start[bound], stop[bound]
    length = np.full(len(frame), clock.days)
    if clock.extension in frame:
        length = length + frame[clock.extension].clip(0, clock.extension_limit).to_numpy()
    place = (start - days["day"].iloc[0]).dt.days.to_numpy()
    worked = days.loc[days["working"], "day"].to_numpy()
    dues = {
        "calendar": start + pd.to_timedelta(length, unit="D"),
        "calendar_roll_forward": pd.Series(days["rolled"].to_numpy()[place + length], index=start.index),
        "workdays": pd.Series(worked[days["ordinal"].to_numpy()[place] + length - 1], index=start.index),
    }
    leaves = [name for name in clock.leaves if name in frame]
    if leaves:
        left = frame[leaves].bfill(axis=1).iloc[:, 0]
        stays = ~((left <= dues[clock.day_rule]) & (stop.isna() | (left <= stop)))
        dues = {rule: due[stays] for rule, due in dues.items()}
        frame, stop = frame[stays], stop[stays]
    return dues, stop, frame["county"]


def _states(due: Any, stop: Any, county: Any, closed: Any | None) -> list[pd.DataFrame]:
    """Counts by county, due month and state, and by the month of closing where that is asked."""
    import pandas as pd

    now = pd.Timestamp(AS_OF)
    late = (stop > due) | (stop.isna() & (due < now))
    state = pd.Categorical.from_codes(stop.isna().to_numpy() * 2 + late.to_numpy(), STATES)
    fallen = (due <= now).rename("fallen")
    found = []
    for when in (due, *([closed] if closed is not None else [])):
        keys = [
            county,
            when.dt.to_period("M").rename("month"),
            pd.Series(state, due.index, name="part_of"),
            fallen,
        ]
        found.append(county.groupby(keys, observed=True).size().rename("n").reset_index())
    return found


def _levels(data: Path, book: Mapping[str, Any]) -> Iterator[pd.DataFrame]:
    """Stocks from comings and leavings, ages of the open stock month by month."""
    import pandas as pd

    frame = _read(
        data, "matters", ["registered_at", "concluded_at", "withdrawn_at", "transferred_at", "resolved_at"]
    )
    came, county = frame["registered_at"], frame["county"]
    closed = frame[["concluded_at", "withdrawn_at", "transferred_at"]].min(axis=1)
    ended = frame[["resolved_at", "withdrawn_at", "transferred_at"]].min(axis=1)
    yield _stock(county, came, closed).assign(indicator="open_stock", variant="headline")
    known = frame["concluded_at"].notna()
    for variant, rows in (("headline", slice(None)), ("concluded", known)):
        yield _stock(county[rows], came[rows], ended[rows], 12).assign(
            indicator="long_unresolved", variant=variant
        )
    edges = book["open_ages"].options["bands"]
    bands = [f"{low + 1}–{high}日" for low, high in zip([-1, *edges], edges, strict=False)] + [
        f"{edges[-1]}日以上"
    ]
    for month in pd.period_range(MONTHS[0], MONTHS[-1], freq="M"):
        end = month.end_time
        there = (came <= end) & ~(closed <= end)
        age = pd.cut((end - came[there]).dt.days, [-1, *edges, 10**6], labels=bands).rename("part_of")
        size = age.groupby([county[there], age], observed=True).size().rename("numerator").reset_index()
        yield size.assign(
            indicator="open_ages",
            variant="headline",
            month=month,
            denominator=float("nan"),
            value=float("nan"),
        )


def _stock(county: Any, came: Any, left: Any, after: int = 0) -> pd.DataFrame:
    """What is there at each month's end, by county."""
    import pandas as pd

    months = pd.period_range("2021-01", MONTHS[-1], freq="M")
    came_at = came.dt.year * 12 + came.dt.month + after
    left_at = left.dt.year * 12 + left.dt.month
    moves = came_at.notna() & ~(left_at <= came_at)
    wide = [
        when[moves].groupby([county[moves], when[moves]], observed=True).size().unstack(fill_value=0)
        for when in (came_at.rename("month"), left_at.rename("month"))
    ]
    numbers = [month.year * 12 + month.month for month in months]
    moved_in, moved_out = (one.reindex(columns=numbers, fill_value=0) for one in wide)
    stock = moved_in.sub(moved_out, fill_value=0)
    stock = stock.cumsum(axis=1).set_axis(months, axis=1).rename_axis(columns="month")
    made = stock.stack().rename("numerator").reset_index()
    return made.assign(part_of="", denominator=float("nan"), value=float("nan"))


def _durations(data: Path) -> pd.DataFrame:
    """Time to reply by county and month of registration, from one histogram."""
    import pandas as pd

    from analysis.cases import duration

    frame = _read(
        data, "matters", ["registered_at", "replied_at", "concluded_at", "withdrawn_at", "transferred_at"]
    )
    stop = frame["replied_at"].fillna(frame["concluded_at"])
    left = frame[["withdrawn_at", "transferred_at"]].min(axis=1)
    done = stop.notna() & ~(left < stop)
    event = pd.Series(0, index=frame.index, dtype="int8").mask(left.notna(), 2).mask(done, 1).rename("event")
    end = stop.where(event == 1, left.where(event == 2, pd.Timestamp(AS_OF)))
    day = (end - frame["registered_at"]).dt.days.rename("day")
    month = frame["registered_at"].dt.to_period("M").rename("month")
    counts = day.groupby([frame["county"], month, day, event], observed=True).size().rename("n").reset_index()
    counts = counts[counts["day"] >= 0].assign(
        county=counts["county"].astype(str), n=counts["n"].astype(float)
    )
    wide = duration.summary(counts, ["county", "month"])
    parts = {
        "headline": "median",
        "rmst_60": "rmst",
        "within_15": "within_15",
        "within_60": "within_60",
        "within_90": "within_90",
    }
    return pd.concat(
        [
            wide[["county", "month"]].assign(
                indicator="time_to_reply", variant=variant, part_of="", numerator=wide["done"],
                denominator=wide["n"], value=wide[column],
            )
            for variant, column in parts.items()
        ]
    )  # fmt: skip


def _topics(data: Path) -> pd.DataFrame:
    """New and rising topics: matters by county, topic and month; the tests of such counts are the method's own."""
    import numpy as np
    import pandas as pd

    from analysis.cases import emerging
    from analysis.periods import Period

    frame = _read(data, "matters", ["registered_at", "topic_1"])
    frame = frame[frame["registered_at"].notna()]
    month = frame["registered_at"].dt.year * 12 + frame["registered_at"].dt.month - 1
    sizes = month.groupby([frame["county"].cat.codes, frame["topic_1"].cat.codes, month - month.min()]).size()
    at = [sizes.index.get_level_values(level) for level in range(3)]
    cube = np.zeros([places.max() + 1 for places in at])
    cube[tuple(at)] = sizes
    since = min(
        _read(data, table, ["registered_at"])["registered_at"].min() for table in ("petitions", "matters")
    )
    since = since if since.day == 1 else since + pd.offsets.MonthBegin()
    spans = [(Period.parse(text).start, Period.parse(text).end) for text in MONTHS]
    counties = np.array(frame["county"].cat.categories, dtype=object)
    found = emerging.verdicts(cube, counties, int(month.min()), since.date(), spans)
    names = ["variant", "county", "month", "numerator", "denominator"]
    made = pd.DataFrame(found, columns=names).assign(indicator="new_topics", part_of="")
    return made.assign(month=made["month"].map(dict(enumerate(MONTHS))), value=made["numerator"])


def _ratios(made: pd.DataFrame) -> Iterator[pd.DataFrame]:
    heads = made[made["variant"] == "headline"].assign(county=made["county"].astype(str))
    for id, top, bottom in (("clearance", "outflow", "matters"), ("months_of_work", "open_stock", "outflow")):
        above, below = (
            heads.loc[heads["indicator"] == name, ["county", "month", "numerator"]] for name in (top, bottom)
        )
        below = below.rename(columns={"numerator": "denominator"})
        both = above.merge(below, on=["county", "month"], how="outer").fillna(
            {"numerator": 0, "denominator": 0}
        )
        yield both.assign(
            indicator=id, variant="headline", part_of="",
            value=both["numerator"] / both["denominator"].where(both["denominator"] > 0),
        )  # fmt: skip


def _main() -> None:
    from peak import held

    who, data, as_of = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    import ibis.backends.duckdb  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.special  # noqa: F401

    import analysis.cases  # noqa: F401  (imports are not what is measured)

    start, cpu = time.perf_counter(), time.process_time()
    table = _ours(data, as_of) if who == "ours" else _pandas(data)
    figures = {
        "seconds": round(time.perf_counter() - start, 2), "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_mb": round(held()), "figures": len(table),
    }  # fmt: skip
    table[
        ["indicator", "variant", "part_of", "region_code", "period", "numerator", "denominator", "value"]
    ].to_parquet(data / f"{who}.parquet_")
    print(json.dumps(figures))


if __name__ == "__main__":
    _main()
