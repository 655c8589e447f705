"""Every indicator by county and month for three years: time and memory from 1 to 10 million pieces, against pandas.

The rows are drawn inside DuckDB (one hash an attribute), so that ten million take seconds to make. Ours runs in a process
of its own under a 2 GB DuckDB limit; its peak memory is that process's. pandas computes the same definitions from the same
files, reading for each date only the columns it needs, as a careful analyst would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "cases_scale"
MILLION = 1_000_000
MONTHS = [f"{2022 + k // 12}-{k % 12 + 1:02d}" for k in range(36)]
AS_OF = "2024-12-31"
_COUNTIES = 90


def run(sizes: tuple[int, ...] = (1, 3, 10), against: int | None = None) -> list[dict[str, Any]]:
    """Times by size in millions of pieces; the comparison with pandas at ``against`` (the largest unless given)."""
    items: list[dict[str, Any]] = []
    ours: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for millions in sizes:
            data = Path(folder) / str(millions)
            generate(data, millions * MILLION)
            ours[millions] = _apart("ours", data)
            if millions == (against or sizes[-1]):
                theirs = _apart("pandas", data)
                items.append(
                    {
                        "name": f"cases: all indicators by county and month, {millions} M pieces",
                        "ratio": theirs["seconds"] / ours[millions]["seconds"], "against": "pandas", "better": "higher",
                        "detail": {"ours": ours[millions], "pandas": theirs},
                    }
                )  # fmt: skip
            for file in data.iterdir():
                file.unlink()
    first, last = sizes[0], sizes[-1]
    items.append(
        {
            "name": f"cases: time a row from {first} to {last} M pieces",
            "ratio": (ours[last]["seconds"] / last) / (ours[first]["seconds"] / first),
            "against": "linear growth = 1 (below: better than linear)", "better": "lower",
            "detail": {str(size): figures for size, figures in ours.items()},
        }
    )  # fmt: skip
    items.append(
        {
            "name": f"cases: seconds for {last} M pieces",
            "ratio": ours[last]["seconds"] / 10, "against": "10 s", "better": "lower", "detail": ours[last],
        }
    )  # fmt: skip
    items.append(
        {
            "name": f"cases: peak memory for {last} M pieces",
            "ratio": ours[last]["peak_mb"] / 2048, "against": "2 GB", "better": "lower", "detail": ours[last],
        }
    )  # fmt: skip
    return items


# ---- data --------------------------------------------------------------------------------------------------------------


def generate(folder: Path, pieces: int) -> None:
    """Petitions and matters of a made-up province, ``pieces`` rows and three quarters as many."""
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
    con.execute(f"""
        COPY (WITH d AS (SELECT i, day(DATE '2021-11-01', floor(i * 1150.0 / {matters})) AS registered FROM range({matters}) t(i)),
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
        FROM g) TO '{folder}/matters.parquet' (FORMAT parquet, COMPRESSION zstd)""")
    con.execute(f"""
        COPY (SELECT 'P' || i AS piece_id, 'M' || (i * 3 // 4) AS matter_id, '信访' AS system, day(DATE '2021-11-01', floor(i * 1150.0 / {pieces})) AS registered_at,
          pick(i, 10, ['来信','来访','网信','电话']) AS channel, pick(i, 29, ['县','县','县','市','省']) AS office_level, place(i * 3 // 4) AS locality_code,
          '类' || CAST(floor(u(i * 3 // 4, 11) * 12) AS INT) AS topic_1, CASE WHEN i % 4 = 1 THEN '重件' ELSE '初件' END AS first_or_repeat,
          CAST(1 + floor(u(i, 30) * 3) AS INT) AS persons, u(i, 31) < .02 AS group_visit, u(i, 32) < .01 AS over_level,
          CASE WHEN u(i, 10) BETWEEN .25 AND .5 THEN pick(i, 33, ['县','市','省','京']) END AS place_of_visit, u(i, 34) < .97 AS counted
        FROM range({pieces}) t(i)) TO '{folder}/petitions.parquet' (FORMAT parquet, COMPRESSION zstd)""")
    con.close()


# ---- the two contestants, each in a process of its own ------------------------------------------------------------------


def _apart(who: str, data: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, who, str(data)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _ours(data: Path) -> int:
    from analysis import cases

    tables = cases.load(data, memory_limit="1200MB")
    table = cases.indicators(tables, MONTHS, as_of=AS_OF, by="county", views=["本期"])
    return len(table)


def _pandas(data: Path) -> int:
    """The same definitions: counts and shares, clocks under three day rules, levels, ages and durations."""
    from analysis.cases import deadlines, registry

    made = 0
    book = registry.indicators()
    for batch in _batches(book):
        made += _pandas_batch(data, *batch)
    for one in book.values():
        if one.kind == "clock" and deadlines.clock(str(one.clock)).table == "matters":
            made += _pandas_clock(data, deadlines.clock(str(one.clock)), one)
    return made + _pandas_levels(data) + _pandas_durations(data)


def _batches(book: Any) -> list[tuple[str, str, list[tuple[Any, Any]]]]:
    from analysis.cases import registry

    found: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
    for one in book.values():
        for variant in one.variants.values():
            derived = set(registry.needs(variant)) & {"repeated_piece", "closed_at"}
            if one.kind in ("count", "share") and variant.table in ("petitions", "matters") and not derived:
                found.setdefault((variant.table, variant.when), []).append((one, variant))
    return [(*key, members) for key, members in found.items()]


def _read(data: Path, table: str, columns: Any) -> Any:
    import pandas as pd
    import pyarrow.parquet as pq

    there = set(pq.read_schema(data / f"{table}.parquet").names)
    wanted = [column for column in dict.fromkeys([*columns, "locality_code"]) if column in there]
    frame = pq.read_table(data / f"{table}.parquet", columns=wanted, read_dictionary=wanted).to_pandas(
        date_as_object=False
    )
    return (
        frame.assign(locality_code=frame["locality_code"].astype("category"))
        if isinstance(frame, pd.DataFrame)
        else frame
    )


def _pandas_batch(data: Path, table: str, when: str, members: list[tuple[Any, Any]]) -> int:
    from analysis.cases import registry

    frame = _read(data, table, [when, *(c for _, variant in members for c in registry.needs(variant))])
    month = frame[when].dt.to_period("M")
    made = 0
    for one, variant in members:
        if not set(registry.needs(variant)) <= set(frame.columns):
            continue
        keys = [frame["locality_code"], month, *([frame[variant.split]] if variant.split else [])]
        base = _mask(variant.denominator, frame)
        hits = _mask(variant.numerator, frame) & base
        weight = frame[variant.total] if variant.total else 1
        made += len((hits * weight).groupby(keys, observed=True).sum())
        if one.kind == "share":
            made += len(base.groupby(keys, observed=True).sum())
    return made


def _mask(text: str | None, frame: Any) -> Any:
    import pandas as pd

    from analysis.cases.expression import parse

    if text is None:
        return pd.Series(True, index=frame.index)
    names = {name: _Cell(frame[name]) for name in parse(text).columns}
    code = text.replace(" and ", " & ").replace(" or ", " | ")
    return _evaluate(code, names, frame)


class _Cell:
    """Marks a column for the evaluator below."""

    def __init__(self, series: Any) -> None:
        self.series = series


def _evaluate(code: str, names: dict[str, _Cell], frame: Any) -> Any:
    """The conditions of the registry as pandas masks; only what the registry uses."""
    import ast

    import pandas as pd

    def value(node: ast.AST) -> Any:
        match node:
            case ast.Name(id=name):
                return names[name].series
            case ast.Constant(value=constant):
                return constant
            case ast.Tuple(elts=parts):
                return [value(part) for part in parts]
            case ast.BoolOp(op=op, values=parts):
                masks = [value(part) for part in parts]
                made = masks[0]
                for mask in masks[1:]:
                    made = made & mask if isinstance(op, ast.And) else made | mask
                return made
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~value(operand).fillna(True).astype(bool)
            case ast.Call(func=ast.Name(id=function), args=args):
                return value(args[0]).notna() if function == "known" else value(args[0]).isna()
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                a, b = value(left), value(right)
                if isinstance(op, ast.In):
                    return a.isin(b)
                compare = {
                    ast.Eq: "eq",
                    ast.NotEq: "ne",
                    ast.Gt: "gt",
                    ast.GtE: "ge",
                    ast.Lt: "lt",
                    ast.LtE: "le",
                }[type(op)]
                return getattr(a, compare)(b) & a.notna()
        raise ValueError(code)

    found = value(ast.parse(code.replace(" & ", " and ").replace(" | ", " or "), mode="eval").body)
    return found if isinstance(found, pd.Series) and found.dtype == bool else found.fillna(False).astype(bool)


def _pandas_clock(data: Path, clock: Any, one: Any) -> int:
    import numpy as np
    import pandas as pd

    from analysis.cases import calendar

    frame = _read(data, "matters", clock.reads)
    if not set(clock.start) & set(frame.columns) or not set(clock.stop) & set(frame.columns):
        return 0
    if clock.where:
        frame = frame[_mask(clock.where, frame)]
    now = pd.Timestamp(AS_OF + " 23:59:59")
    start = frame[[c for c in clock.start if c in frame]].bfill(axis=1).iloc[:, 0]
    stop = frame[[c for c in clock.stop if c in frame]].bfill(axis=1).iloc[:, 0]
    frame, start, stop = (
        frame[start.notna()],
        start[start.notna()],
        stop[start.notna()].where(lambda day: day <= now),
    )
    days = np.int64(clock.days) + (
        frame[clock.extension].clip(0, clock.extension_limit).to_numpy() if clock.extension in frame else 0
    )
    book = calendar.days(pd.Timestamp("2021-01-01").date(), pd.Timestamp("2026-12-31").date())
    first = book["day"].iloc[0]
    offset = (start - first).dt.days.to_numpy()
    worked = book.loc[book["working"], "day"].to_numpy()
    dues = {
        "calendar": start + pd.to_timedelta(days, unit="D"),
        "rolled": pd.Series(book["rolled"].to_numpy()[offset + days], index=start.index),
        "workdays": pd.Series(worked[book["ordinal"].to_numpy()[offset] + days - 1], index=start.index),
    }
    made = 0
    for rule, due in dues.items():
        late = np.where(stop.notna(), stop > due, due < now)
        state = pd.Series(np.where(stop.notna(), 0, 2) + late, index=start.index)
        fallen = due <= now
        for month, rows in (
            (due.dt.to_period("M"), fallen),
            (due.dt.to_period("M"), due.notna()),
            (stop.dt.to_period("M"), stop.notna()),
        ):
            made += len(
                state[rows]
                .groupby([frame["locality_code"][rows], month[rows], state[rows]], observed=True)
                .size()
            )
            if rule != "calendar":
                break
    return made


def _pandas_levels(data: Path) -> int:
    import pandas as pd

    frame = _read(data, "matters", ["registered_at", "concluded_at", "withdrawn_at", "resolved_at"])
    closed = frame[["concluded_at", "withdrawn_at"]].min(axis=1)
    made = 0
    for month in MONTHS:
        end = pd.Period(month).end_time
        there = (frame["registered_at"] <= end) & ~(closed <= end)
        age = (end - frame.loc[there, "registered_at"]).dt.days
        bands = pd.cut(age, [-1, 15, 60, 90, 10**6])
        made += len(age.groupby([frame.loc[there, "locality_code"], bands], observed=True).size())
        old = (frame["registered_at"] <= end - pd.DateOffset(months=12)) & ~(frame["resolved_at"] <= end)
        made += len(frame[old].groupby("locality_code", observed=True).size())
    return made


def _pandas_durations(data: Path) -> int:
    import pandas as pd

    from analysis.cases import duration

    frame = _read(data, "matters", ["registered_at", "replied_at", "concluded_at", "withdrawn_at"])
    now = pd.Timestamp(AS_OF + " 23:59:59")
    stop = frame["replied_at"].fillna(frame["concluded_at"])
    left = frame["withdrawn_at"]
    event = pd.Series(0, index=frame.index).mask(left <= now, 2).mask((stop <= now) & ~(left < stop), 1)
    end = stop.where(event == 1, left.where(event == 2, now))
    day = (end - frame["registered_at"]).dt.days
    table = pd.DataFrame(
        {
            "group": frame["locality_code"].astype(str),
            "month": frame["registered_at"].dt.to_period("M"),
            "day": day,
            "event": event,
        }
    )
    counts = (
        table[table["day"] >= 0]
        .groupby(["group", "month", "day", "event"], observed=True)
        .size()
        .rename("n")
        .reset_index()
    )
    return len(duration.summary(counts.assign(n=counts["n"].astype(float)), ["group", "month"]))


def _main() -> None:
    import resource

    who, data = sys.argv[1], Path(sys.argv[2])
    import ibis  # noqa: F401
    import pandas  # noqa: F401

    import analysis.cases  # noqa: F401  (imports are not what is measured)

    start = time.perf_counter()
    cpu = time.process_time()
    figures = _ours(data) if who == "ours" else _pandas(data)
    print(
        json.dumps(
            {
                "seconds": round(time.perf_counter() - start, 2), "cpu_seconds": round(time.process_time() - cpu, 2),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), "figures": figures,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    _main()
