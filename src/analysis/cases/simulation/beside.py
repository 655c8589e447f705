"""The tables beside petitions and matters: supervision, receptions, pilots, population … (附属各表)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import draw
from .calendar import Calendar
from .counties import Counties, offices
from .draw import NAT, Columns, Draw, Plan


def supervise(plan: Plan, calendar: Calendar, counties: Counties, m: Columns, rng: Draw) -> Columns:
    """督办 of matters past their limit, and the three recommendations (改进工作、完善政策、追究责任)."""
    spec = plan["supervision"]
    limit = m["accepted_at"] + 60 + m["extension"]
    alarm = limit + spec["open_days"]
    overdue = (m["path"] == "6") & (
        draw.where(np.isnat(m["replied_at"]), calendar.end, m["replied_at"]) > alarm
    )
    matter = np.flatnonzero(overdue & (rng.random(len(overdue)) < spec["overdue"]))
    kinds, issued, county = (
        [np.full(len(matter), "督办", dtype=object)],
        [alarm[matter]],
        [m["county"][matter]],
    )
    chance = [np.full(len(matter), np.nan)]
    for kind, entry in spec["recommendations"].items():
        n = rng.poisson(entry["a_month"] * len(calendar.months))
        kinds.append(np.full(n, kind, dtype=object))
        issued.append(calendar.start + rng.integers(0, int((calendar.end - calendar.start).astype(int)), n))
        county.append(draw.index(1.0 + spec["slow_weight"] * counties.slow, n, rng))
        chance.append(np.full(n, entry["adopted"]))
    kind, where, adopt = np.concatenate(kinds), np.concatenate(county), np.concatenate(chance)
    n = len(kind)
    at = calendar.next_working(np.concatenate(issued))
    body = counties.name[where] + np.array(["人民政府"], dtype=object)
    body[: len(matter)] = m["responsible_body"][matter]
    due = at + spec["answer_days"]
    taken = draw.where(
        rng.random(n) < spec["late_answer"],
        draw.between(spec["days_late"], n, rng),
        draw.between(spec["days_in_time"], n, rng),
    )
    answered = draw.where(rng.random(n) < spec["answered"], at + taken, NAT)
    answered = draw.where(answered > calendar.end, NAT, answered)
    adopted = draw.where(np.isnat(answered) | np.isnan(adopt), None, rng.random(n) < np.nan_to_num(adopt))
    order = np.argsort(at, kind="stable")
    matters = np.full(n, None, dtype=object)
    matters[: len(matter)] = m["matter_id"][matter]
    columns = {
        "matter_id": matters,
        "kind": kind,
        "body": body,
        "locality_code": counties.code[where],
        "issued_at": at,
        "due_at": due,
        "answered_at": answered,
        "adopted": adopted,
    }
    columns = {name: column[order] for name, column in columns.items() if len(column)}
    return {"supervision_id": np.char.mod("D%05d", np.arange(1, n + 1)).astype(object), **columns}


def receive(plan: Plan, calendar: Calendar, counties: Counties, rng: Draw) -> dict[str, Columns]:
    """Leaders' receptions and the duty behind them (接访、下访): counted by office, nobody named."""
    spec = plan["receptions"]
    duties: dict[str, list[Any]] = {
        k: [] for k in ("office", "office_level", "locality_code", "period", "obliged_leaders", "leaders_met")
    }
    days: list[np.ndarray] = []
    rows: list[tuple[str, str, str]] = []
    for code, name, level in offices(plan, counties):
        months = {"县": 1, "市": 3, "省": 6}[level]
        low, high = spec["obliged"][level]
        obliged = int(rng.integers(low, high + 1))
        met_share = spec["lax"]["share"] if code in spec["lax"]["offices"] else spec["met"]
        for start in calendar.months[::months]:
            begin, stop = start.astype("M8[D]"), (start + months).astype("M8[D]")
            open_days = calendar.days[(calendar.days >= begin) & (calendar.days < stop) & calendar.working]
            met = int(rng.binomial(obliged, met_share))
            held = met + int(rng.poisson(spec["extra"])) if met else 0
            days.append(np.sort(rng.choice(open_days, held)))
            rows += [(code, name, level)] * held
            values = (name, level, code, _period(start, months), obliged, met)
            for column, value in zip(duties.values(), values, strict=True):
                column.append(value)
    n = len(rows)
    codes, names, levels = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
    batches = rng.poisson(spec["batches"], n)
    persons = batches + rng.binomial(batches, min(spec["persons_a_batch"] - 1, 1.0))
    down = rng.random(n) < np.array([spec["visit_down"][x] for x in levels])
    receptions = {
        "office": names,
        "office_level": levels,
        "locality_code": codes,
        "date": np.concatenate(days),
        "kind": draw.where(down, "下访", "接访"),
        "batches": batches,
        "persons": persons,
        "matters_taken": batches,
        "matters_concluded": rng.binomial(batches, spec["concluded"]),
    }
    return {
        "receptions": receptions,
        "obligations": {k: np.array(v, dtype=object) for k, v in duties.items()},
    }


def preregister(plan: Plan, calendar: Calendar, counties: Counties, rng: Draw) -> Columns:
    """Monthly pre-registration counts of each county's office (来访预登记): registered = answered + taken."""
    spec = plan["preregistration"]
    months = calendar.months
    since = np.array([draw.day(spec["from"][tier]) for tier in counties.tier])
    county, month = (axis.ravel() for axis in np.indices((len(since), len(months))))
    begun = months[month].astype("M8[D]") >= since[county]
    county, month = county[begun], month[begun]
    size = counties.rate / counties.rate.mean()
    registered = rng.poisson(spec["batches_a_month"] * size[county])
    answered = rng.binomial(registered, spec["answered"])
    return {
        "office": counties.name[county] + "信访局",
        "locality_code": counties.code[county],
        "date": (months[month] + 1).astype("M8[D]") - 1,
        "registered": registered,
        "answered": answered,
        "taken": registered - answered,
    }


def trace(plan: Plan, calendar: Calendar, m: Columns, supervision: Columns) -> Columns:
    """Stages of one matter in so many, each on the day it was entered (办理环节); draws nothing.

    What the settings plant is planted by counting: stages not recorded, and 考核 recorded ahead of 反馈.
    """
    spec = plan["events"]
    some = np.arange(0, len(m["county"]), spec["one_in"])
    office, body = m["petition_office"][some], m["responsible_body"][some]
    registered, acted, replied = (
        m[name][some] for name in ("registered_at", "office_acted_at", "replied_at")
    )
    direct = m["direct"][some]
    of_matter = dict(zip(supervision["matter_id"], supervision["issued_at"], strict=True))
    issued = np.array([of_matter.get(id, NAT) for id in m["matter_id"][some]], dtype="M8[D]")
    concluded = draw.where(np.isnat(replied), NAT, m["concluded_at"][some])
    # Each month's concluded matters are assessed on the tenth of the next.
    assessed = draw.where(
        np.isnat(concluded), NAT, (concluded.astype("M8[M]") + 1).astype("M8[D]") + spec["assessed_on"] - 1
    )
    ahead = replied - spec["early"]["days"]
    early = _every(spec["early"]["考核"], len(some)) & (ahead > m["accepted_at"][some])
    assessed = draw.where(early, ahead, assessed)
    stages = [
        ("受理", registered, office),
        ("分析", registered + (acted - registered).astype(int) // 2, office),
        ("流转", draw.where(direct, NAT, acted), office),
        ("处置", m["accepted_at"][some], body),
        ("督办", issued, office),
        ("反馈", replied, draw.where(direct, office, body)),
        ("考核", assessed, office),
    ]
    columns = {
        "matter_id": np.concatenate([m["matter_id"][some] for _ in stages]),
        "stage": np.repeat(np.array([stage for stage, _, _ in stages], dtype=object), len(some)),
        "at": np.concatenate([at for _, at, _ in stages]),
        "body": np.concatenate([who for _, _, who in stages]),
    }
    kept = ~np.isnat(columns["at"]) & (columns["at"] <= calendar.end)
    for stage, one_in in spec["unrecorded"].items():
        kept &= ~((columns["stage"] == stage) & np.tile(_every(one_in, len(some)), len(stages)))
    order = np.argsort(np.tile(np.arange(len(some)), len(stages)), kind="stable")
    order = order[kept[order]]
    return {name: column[order] for name, column in columns.items()}


def _every(one_in: int, n: int) -> np.ndarray:
    """True at one place in so many."""
    return np.arange(n) % one_in == one_in // 2


def pilots(plan: Plan) -> Columns:
    """The roll-out (试点): one row a county and tier, one for the province."""
    spec = plan["pilots"]
    rows = [
        (spec["policy"], code, tier, draw.day(entry["start"]), spec["source"])
        for tier, entry in spec["tiers"].items()
        for code in ([plan["region"]] if entry["counties"] == "all" else entry["counties"])
    ]
    policy, code, tier, start, source = zip(*rows, strict=True)
    text = [np.array(column, dtype=object) for column in (policy, code, tier, source)]
    return dict(zip(("policy", "region_code", "tier", "source"), text, strict=True)) | {
        "start": np.array(start)
    }


def population(plan: Plan, calendar: Calendar, counties: Counties) -> Columns:
    """Residents of every region and year (常住人口): cities and the province are the sums of their counties."""
    years = np.arange(draw.year(calendar.start), draw.year(calendar.end) + 1)
    growth = (1 + plan["population"]["yearly_growth"]) ** np.arange(len(years))
    county = np.round(counties.residents[:, None] * growth / 100).astype(int) * 100
    cities = list(dict.fromkeys(counties.city))
    city = np.array([county[counties.city == code].sum(axis=0) for code in cities])
    residents = np.vstack([county.sum(axis=0)[None], city, county])
    code = np.array([plan["region"], *cities, *counties.code], dtype=object)
    return {
        "region_code": np.repeat(code, len(years)),
        "year": np.tile(years, len(code)),
        "residents": residents.ravel(),
    }


def hotline(plan: Plan, calendar: Calendar, counties: Counties, rng: Draw) -> Columns:
    """Monthly aggregates of city hotlines (12345 月度汇总): a source without rows, and another system."""
    spec = plan["monthly"]
    months = calendar.months
    cities = [code for code in dict.fromkeys(counties.city) if code not in spec["cities_left_out"]]
    residents = np.array([counties.residents[counties.city == code].sum() for code in cities])
    season = np.array(plan["volume"]["month"])[months.astype(int) % 12]
    due = rng.poisson(residents[:, None] * spec["calls_a_resident"] * season)
    on_time = rng.binomial(due, spec["on_time"])
    blank = np.full(due.size, np.nan)
    both = {"受理量": (due.ravel(), blank), "按期办结率": (on_time.ravel(), due.ravel())}
    n = len(both)
    return {
        "region_code": np.tile(np.repeat(np.array(cities, dtype=object), len(months)), n),
        "month": np.tile(months.astype("M8[D]"), len(cities) * n),
        "indicator": np.repeat(np.array(list(both), dtype=object), due.size),
        "numerator": np.concatenate([top for top, _ in both.values()]).astype(float),
        "denominator": np.concatenate([bottom for _, bottom in both.values()]).astype(float),
        "system": np.full(due.size * n, spec["system"], dtype=object),
        "source": np.full(due.size * n, spec["source"], dtype=object),
    }


def _period(start: Any, months: int) -> str:
    """A month, quarter or half-year as the project writes it."""
    year, month = str(start).split("-")
    index = (int(month) - 1) // months + 1
    return str(start) if months == 1 else f"{year}{'Q' if months == 3 else 'H'}{index}"
