"""Simulated petitions and matters of the fictional 示例省 (模拟案件数据), reproducible byte for byte.

All settings are data (codebook ``simulate``); the parts in :mod:`.simulation` only draw from one seeded generator,
column by column, always in this order. Dates are NumPy days throughout, with NaT for "did not happen": arithmetic
and comparison then need no masks.

There is nobody in these tables: no name, no identity number, no free text; and no real place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import codebooks
from ..errors import CodebookError
from . import schema
from .simulation import beside, draw, life, pieces, spoil
from .simulation.calendar import Calendar
from .simulation.counties import Counties
from .simulation.draw import Columns

MARK = "模拟数据"


def simulate(out: Path, seed: int, *, settings: Mapping[str, Any] | str | Path | None = None) -> Path:
    """Write the case tables of the sample province as Parquet, with ``metadata.json`` (生成模拟案件数据).

    Parameters
    ----------
    out
        Folder to write; made if absent, files of the same names replaced.
    seed
        Seed of the one generator. Same seed, settings and library versions: same bytes.
    settings
        A YAML file or mapping of the form of the codebook ``simulate``, which is the default.

    Returns
    -------
    Path
        The folder: petitions, matters, supervision, receptions, obligations, preregistration, events, pilots,
        population and monthly ``.parquet`` in the columns of the codebook ``case_tables``, and ``metadata.json``,
        which states what was planted (effects, slow counties, spoilt rows) and carries the mark 模拟数据.

    Raises
    ------
    CodebookError
        The settings name a region that is not of the fictional province, or lack an entry.
    """
    plan = dict(settings) if isinstance(settings, Mapping) else codebooks.load(settings or "simulate")
    rng = np.random.default_rng(seed)
    try:
        calendar = Calendar.of(plan)
        counties = Counties.of(plan, rng)
        matters = life.arrive(plan, calendar, counties, rng)
        life.dispatch(plan, counties, matters, rng)
        life.handle(plan, counties, matters, rng)
        life.resolve(plan, calendar, counties, matters, rng)
        again = life.come_back(plan, calendar, matters, rng)
        matters, again = life.observe(calendar, matters, again)
        petitions = pieces.pieces(plan, calendar, counties, matters, again, rng)
        life.rate(plan, calendar, matters, rng)
        supervision = beside.supervise(plan, calendar, counties, matters, rng)
        tables = {
            "petitions": petitions,
            "matters": matters,
            "supervision": supervision,
            **beside.receive(plan, calendar, counties, rng),
            "preregistration": beside.preregister(plan, calendar, counties, rng),
            "events": beside.trace(plan, calendar, matters, supervision),
            "pilots": beside.pilots(plan),
            "population": beside.population(plan, calendar, counties),
            "monthly": beside.hotline(plan, calendar, counties, rng),
        }
        realised = _realised(calendar, counties, matters, petitions)
        invalid = {
            name: spoil.spoil(name, plan["invalid"][name], calendar, tables[name], rng)
            for name in plan["invalid"]
        }
    except KeyError as error:
        raise CodebookError(
            "模拟设定缺少一项", value=error.args[0], hint="请对照自带的 simulate.yml"
        ) from error
    out = Path(out)
    rows = _write(out, tables)
    statement = _statement(plan, seed, counties) | {
        "rows": rows,
        "invalid_rows": invalid,
        "realised": realised,
    }
    text = json.dumps(statement, ensure_ascii=False, indent=1)
    (out / "metadata.json").write_text(text + "\n", encoding="utf-8")
    return out


def _realised(calendar: Calendar, counties: Counties, m: Columns, petitions: Columns) -> dict[str, Any]:
    """Plain counts of the good rows, before any is spoilt: something to hold an analysis against."""
    closed = np.fmin(np.fmin(m["concluded_at"], m["withdrawn_at"]), m["transferred_at"])
    opened = m["registered_at"]
    stock = [int(((opened < day) & ~(closed < day)).sum()) for day in (calendar.months + 1).astype("M8[D]")]
    due = m["accepted_at"] + 60 + m["extension"]
    due = draw.where(np.isnat(m["due_at"]), due, m["due_at"])
    cohort = (m["path"] == "6") & (due >= calendar.start) & (due < calendar.end)
    closed_in = cohort & (m["concluded_at"] <= due)
    done = ~np.isnat(m["replied_at"])
    once = {}
    for tier in dict.fromkeys(counties.tier):
        here = done & (counties.tier[m["county"]] == tier)
        for name, part in (("before", here & ~m["treated"]), ("after", here & m["treated"])):
            once[f"{tier}_{name}"] = {"replied": int(part.sum()), "once": int((part & m["once"]).sum())}
    return {
        "carried_over_matters": int((opened < calendar.start).sum()),
        "repeat_pieces": int((petitions["first_or_repeat"] == "重件").sum()),
        "stock_month_end": dict(zip(calendar.months.astype(str).tolist(), stock, strict=True)),
        "due_cohort": {"due": int(cohort.sum()), "concluded_in_time": int(closed_in.sum())},
        "resolved_once": once,
    }


def _statement(plan: draw.Plan, seed: int, counties: Counties) -> dict[str, Any]:
    """What was planted (埋了什么), for whoever holds a method against these data."""
    spec = plan["pilots"]
    settings = json.dumps(plan, ensure_ascii=False, sort_keys=True, default=str)
    slow = zip(counties.code[counties.slow], counties.name[counties.slow], strict=True)
    return {
        "mark": MARK,
        "simulated": True,
        "note": "虚构地方的模拟数据，不代表任何真实地区；由 policy-brief cases simulate 生成",
        "seed": seed,
        "settings_version": plan["version"],
        "settings_sha256": hashlib.sha256(settings.encode()).hexdigest(),
        "region": plan["region"],
        "window": {key: str(day) for key, day in plan["window"].items()},
        "as_of": str(plan["window"]["end"]),
        "planted": {
            "outcome": "一次性化解：已答复事项中，办结后化解且从未重复信访的",
            "effect_scale": "登记日在起始日及以后的事项：化解概率相加（once），超期风险相乘（late_ratio）；对信访量无影响",
            "policy": spec["policy"],
            "tiers": {name: tier | {"start": str(tier["start"])} for name, tier in spec["tiers"].items()},
            "slow_counties": dict(slow),
            "slow": plan["slow"],
            "lax_reception_offices": plan["receptions"]["lax"]["offices"],
            "heaping": {"limit": 60, "share_just_before": plan["handling"]["rush"]["share"]},
            "rising_topic": "小区设施／充电设施",
            "stages": plan["events"],
        },
    }


def _write(out: Path, tables: Mapping[str, Columns]) -> dict[str, int]:
    """Parquet with fixed options and no clock in it; how many rows each table has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out.mkdir(parents=True, exist_ok=True)
    kinds = {
        "text": pa.string(),
        "date": pa.timestamp("us"),
        "int": pa.int32(),
        "float": pa.float64(),
        "bool": pa.bool_(),
    }
    rows = {}
    for name, columns in tables.items():
        arrays = {}
        for id, field in schema.table(name).columns.items():
            if id in columns:
                values = columns[id].astype("M8[us]") if field.type == "date" else columns[id]
                arrays[id] = pa.array(values, type=kinds[field.type])
        table = pa.table(arrays).replace_schema_metadata({"mark": MARK})
        pq.write_table(
            table, out / f"{name}.parquet", compression="zstd", compression_level=9, row_group_size=1 << 20
        )
        rows[name] = table.num_rows
    return rows
