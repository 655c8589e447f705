"""Simulated petitions and matters of the fictional 示例省 (模拟案件数据), reproducible byte for byte.

All settings are data (codebook ``simulate``); this module only draws from one seeded generator, column by column.
Dates are NumPy days throughout, with NaT for "did not happen": arithmetic and comparison then need no masks.

There is nobody in these tables: no name, no identity number, no free text; and no real place.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import codebooks, regions
from ..errors import CodebookError
from . import schema

MARK = "模拟数据"
NAT = np.datetime64("NaT", "D")
Columns = dict[str, np.ndarray]
Draw = np.random.Generator


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
        calendar = _Calendar.of(plan)
        counties = _Counties.of(plan, rng)
        matters = _arrive(plan, calendar, counties, rng)
        _dispatch(plan, counties, matters, rng)
        _handle(plan, counties, matters, rng)
        _resolve(plan, calendar, counties, matters, rng)
        again = _come_back(plan, calendar, matters, rng)
        matters, again = _observe(calendar, matters, again)
        petitions = _pieces(plan, calendar, counties, matters, again, rng)
        _rate(plan, calendar, matters, rng)
        tables = {
            "petitions": petitions,
            "matters": matters,
            "supervision": _supervise(plan, calendar, counties, matters, rng),
            **_receive(plan, calendar, counties, rng),
            "preregistration": _preregister(plan, calendar, counties, rng),
            "events": _trace(plan, matters),
            "pilots": _pilots(plan),
            "population": _population(plan, calendar, counties),
            "monthly": _hotline(plan, calendar, counties, rng),
        }
        realised = _realised(calendar, counties, matters, petitions)
        invalid = {
            name: _spoil(name, plan["invalid"][name], calendar, tables[name], rng) for name in plan["invalid"]
        }
    except KeyError as error:
        raise CodebookError(
            "模拟设定缺少一项", value=error.args[0], hint="请对照自带的 simulate.yml"
        ) from error
    return _write(Path(out), seed, plan, tables, counties, invalid, realised)


# --- place and time -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Calendar:
    """Days from the start of the warm-up to the window's end, and how much comes in on each."""

    start: np.datetime64
    end: np.datetime64
    days: np.ndarray
    working: np.ndarray
    intake: np.ndarray

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> _Calendar:
        from chinese_calendar import is_workday

        volume, start, end = plan["volume"], _day(plan["window"]["start"]), _day(plan["window"]["end"])
        days = np.arange(start - plan["warm_up_days"], end + 1)
        working = np.array([is_workday(day) for day in days.astype(object)])
        weekday = (days.astype(int) + 3) % 7
        intake = _where(working, np.array([*volume["weekday"], 1.0, 1.0])[weekday], volume["idle_day"])
        intake *= np.array(volume["month"])[_month(days) % 12]
        before, after = volume["before_festival"], volume["after_festival"]
        for festival in volume["festivals"]:
            gap = (days - _day(festival)).astype(int)
            intake[(gap >= -before["days"]) & (gap < 0)] *= before["factor"]
            intake[(gap >= after["from"]) & (gap < after["from"] + after["days"])] *= after["factor"]
        for year, number in plan["matters_a_year"].items():
            within = _year(days) == year
            if within.any():
                length = 366 if year % 4 == 0 else 365
                intake[within] *= number / intake[within].sum() * within.sum() / length
        return cls(start, end, days, working, intake)

    def next_working(self, day: np.ndarray) -> np.ndarray:
        """The day itself, or the first working day after it (the day itself past the table's end)."""
        place = np.arange(len(self.days))
        onward = np.minimum.accumulate(_where(self.working, place, len(place))[::-1])[::-1]
        table = _where(onward < len(place), self.days[np.minimum(onward, len(place) - 1)], self.days)
        index = (day - self.days[0]).astype(float)
        inside = (index >= 0) & (index < len(place))
        return _where(inside, table[_where(inside, index, 0).astype(int)], day)


@dataclass(frozen=True)
class _Counties:
    """The province's counties, in order of code: names, sizes, and what is planted in each."""

    code: np.ndarray
    name: np.ndarray
    city: np.ndarray
    city_name: np.ndarray
    province: str
    residents: np.ndarray
    rate: np.ndarray
    late: np.ndarray
    slow: np.ndarray
    once: np.ndarray
    tier: np.ndarray
    pilot_start: np.ndarray
    pilot_once: np.ndarray
    pilot_late: np.ndarray

    @classmethod
    def of(cls, plan: Mapping[str, Any], rng: Draw) -> _Counties:
        table = regions.load()
        rows = table.counties(plan["region"])
        if not all(row.fictional for row in rows):
            raise CodebookError(
                "模拟数据只能放在虚构的地方", value=plan["region"], hint="请用 990000 及其下级"
            )
        code = np.array([row.code for row in rows], dtype=object)
        for named in [
            *plan["slow_counties"],
            *(c for t in plan["pilots"]["tiers"].values() for c in t["counties"] if t["counties"] != "all"),
        ]:
            if named not in code:
                raise CodebookError(
                    "模拟设定中的县不在代码表里", value=named, hint="请对照 regions_sample.csv"
                )
        low, high = (np.log([plan["population"][row.name[-1]][k] for row in rows]) for k in (0, 1))
        residents = np.exp(low + (high - low) * rng.random(len(code)))
        late = plan["handling"]["late"]
        slow = np.isin(code, plan["slow_counties"])
        once = plan["resolution"]["once"]
        tier, effect = np.full(len(code), "全省", dtype=object), plan["pilots"]["tiers"]
        for name, entry in effect.items():
            if entry["counties"] != "all":
                tier[np.isin(code, entry["counties"])] = name
        return cls(
            code=code,
            name=np.array([row.name for row in rows], dtype=object),
            city=np.array([row.parent for row in rows], dtype=object),
            city_name=np.array([table.get(str(row.parent)).name for row in rows], dtype=object),
            province=table.get(plan["region"]).name,
            residents=residents,
            rate=residents * np.exp(plan["volume"]["county_spread"] * rng.standard_normal(len(code))),
            late=late["mean"]
            * np.exp(late["spread"] * rng.standard_normal(len(code)) - late["spread"] ** 2 / 2),
            slow=slow,
            once=once["county_spread"] * rng.standard_normal(len(code)) + plan["slow"]["once"] * slow,
            tier=tier,
            pilot_start=np.array([_day(effect[t]["start"]) for t in tier]),
            pilot_once=np.array([effect[t]["once"] for t in tier]),
            pilot_late=np.array([effect[t]["late_ratio"] for t in tier]),
        )


# --- matters, in the order of their life ----------------------------------------------------------------------


def _arrive(plan: Mapping[str, Any], calendar: _Calendar, counties: _Counties, rng: Draw) -> Columns:
    """Matters by day of registration (登记): a Poisson count for every county and day, then what each is about."""
    month = _month(calendar.days) - _month(calendar.days)[0]
    noise = np.exp(plan["volume"]["month_spread"] * rng.standard_normal((len(counties.code), month[-1] + 1)))
    expected = calendar.intake[:, None] * (counties.rate / counties.rate.sum()) * noise.T[month]
    count = rng.poisson(expected)
    day, county = (np.repeat(axis.ravel(), count.ravel()) for axis in np.indices(count.shape))
    n = len(day)
    registered = calendar.days[day]
    level = _pick(plan["body_levels"], n, rng)
    topic = _topics(plan["topics"], registered, rng)
    body = np.array([entry["body"] for entry in plan["topics"]], dtype=object)[topic]
    names = np.array([entry["path"] for entry in plan["topics"]], dtype=object)[topic]
    channel = _channels(plan["channels"], "first", registered, calendar, rng)
    kind = _pick(plan["classes"], n, rng)
    path = _where(kind == "申诉求决", _pick(plan["paths"], n, rng), None)
    # Posted letters are registered days after they were written; the other channels mostly on the day.
    lag = _where(channel == "来信", 1 + rng.poisson(2.0, n), rng.poisson(0.3, n))
    return {
        "county": county,
        "treated": registered >= counties.pilot_start[county],
        "petitioned_at": registered - lag,
        "registered_at": registered,
        "system": _pick(plan["systems"], n, rng),
        "matter_class": kind,
        "path": path,
        "channel": channel,
        "first_level": _pick(plan["office_levels"]["first"], n, rng),
        "locality_code": counties.code[county],
        "topic_1": names[:, 0],
        "topic_2": names[:, 1],
        "topic_3": names[:, 2],
        "department": body,
        "body_level": level,
        "responsible_body": _place_name(counties, county, level) + body,
        "petition_office": counties.name[county] + "信访局",
    }


def _topics(topics: list[Mapping[str, Any]], registered: np.ndarray, rng: Draw) -> np.ndarray:
    """Index of each matter's topic, by weights that change with month and year (季节与趋势)."""
    months = _month(registered)
    draw, chosen = rng.random(len(registered)), np.zeros(len(registered), dtype=int)
    for month in np.unique(months):
        year, calendar_month = 1970 + month // 12, month % 12 + 1
        weight = [
            t["weight"] * t.get("months", {}).get(calendar_month, 1) * t.get("years", {}).get(year, 1)
            for t in topics
        ]
        here = months == month
        chosen[here] = np.searchsorted(_cumulative(weight), draw[here], side="right")
    return chosen


def _channels(
    plan: Mapping[str, Any], kind: str, at: np.ndarray, calendar: _Calendar, rng: Draw
) -> np.ndarray:
    """Channel of each piece; letters move to the net as the years pass (网上信访渐多)."""
    channel = _pick(plan[kind], len(at), rng)
    years = (at - calendar.start).astype(float) / 365.25
    moved = (channel == "来信") & (rng.random(len(at)) < plan["net_drift"] * np.clip(years, 0, None))
    return _where(moved, "网信", channel)


def _dispatch(plan: Mapping[str, Any], counties: _Counties, m: Columns, rng: Draw) -> None:
    """The petition office's 15 days (转送、交办、直接答复) and the body's (受理告知、异议、不予受理)."""
    office, unit, county = plan["office"], plan["unit"], m["county"]
    n, slow = len(county), counties.slow[county]
    action = _pick(office["actions"], n, rng)
    acted = m["registered_at"] + _clock_15(office, slow, rng)
    direct = action == "直接答复"
    received = _where(direct, NAT, acted + (rng.random(n) < 0.25))
    draw = rng.random(n)
    objects = ~direct & (draw < unit["objection"])
    refuses = ~direct & ~objects & (draw < unit["objection"] + unit["refusal"])
    moved = objects & (rng.random(n) < unit["objection_moved"])
    objected = _where(objects, received + rng.integers(1, 6, n), NAT)
    informed = _where(objects, objected, received + _clock_15(unit, slow, rng))
    accepted = _where(objects, objected + rng.integers(2, 9, n), informed)
    m |= {
        "office_action": action,
        "office_acted_at": acted,
        "received_at": received,
        "unit_action": _where(direct, None, _where(objects, "异议", _where(refuses, "不予受理", "受理告知"))),
        "unit_acted_at": informed,
        "accepted_at": _where(direct | moved | refuses, NAT, accepted),
        "objected_at": objected,
        "transferred_at": _where(moved, objected + rng.integers(1, 6, n), NAT),
        "refused": refuses,
        "direct": direct,
    }


def _clock_15(clock: Mapping[str, Any], slow: np.ndarray, rng: Draw) -> np.ndarray:
    """Days to act under a limit of 15: most act early, some on the last days, a few late."""
    n = len(slow)
    days = np.minimum(rng.gamma(2.0, clock["mean_days"] / 2, n).astype(int), 15 - rng.integers(0, 3, n))
    late = rng.random(n) < _where(slow, clock["late_slow"], clock["late"])
    return _where(late, 15 + rng.geometric(0.2, n), days)


def _handle(plan: Mapping[str, Any], counties: _Counties, m: Columns, rng: Draw) -> None:
    """Days from acceptance to the written reply (答复) and to the close (办结); withdrawals (撤回)."""
    spec, county, n = plan["handling"], m["county"], len(m["county"])
    clocked = m["path"] == "6"
    simplified = clocked & (rng.random(n) < spec["simplified"]["share"])
    extension = spec["extension"]
    extended = _where(
        clocked & ~simplified & (rng.random(n) < extension["share"]),
        np.array(extension["days"])[_index(extension["weights"], n, rng)],
        0,
    )
    stated = (
        clocked
        & (m["office_action"] == "交办")
        & (extended == 0)
        & (rng.random(n) < spec["stated_deadline"]["share"] * 8)
    )
    limit = _where(stated, spec["stated_deadline"]["days"], 60 + extended)

    body = np.array([plan["slow_bodies"].get(d, 1.0) for d in m["department"]])
    risk = counties.late[county] * body * _where(m["treated"], counties.pilot_late[county], 1.0)
    late = clocked & ~simplified & (rng.random(n) < risk + plan["slow"]["late"] * counties.slow[county])

    parts = [spec[name]["share"] for name in ("quick", "usual", "rush")]
    part = _index(parts, n, rng)
    quick, usual = (
        _lognormal(spec[name]["median"], spec[name]["spread"], n, rng) for name in ("quick", "usual")
    )
    rush = limit - rng.exponential(spec["rush"]["mean_days_left"], n).astype(int)
    days = np.choose(part, [quick, usual, rush])
    days = _where((days > limit) | ((extended > 0) & (days < 61)), rush, days)
    over = _where(
        rng.random(n) < spec["late"]["long_share"],
        rng.exponential(spec["late"]["long_mean_days"], n),
        rng.exponential(spec["late"]["mean_days"], n),
    )
    days = _where(late, limit + 1 + over, days)
    days = _where(simplified, np.minimum(rng.exponential(spec["simplified"]["mean_days"], n), 14), days)
    for path, (median, spread) in spec["other_paths"].items():
        days = _where(m["path"] == path, _lognormal(median, spread, n, rng), days)

    replied = _where(m["direct"], m["office_acted_at"], m["accepted_at"] + np.maximum(days, 1).astype(int))
    concluded = replied + _where(rng.random(n) < 0.6, 0, rng.integers(1, 6, n))
    # The body closes on the limit what it answered in time: a close is late only when the answer was.
    last = m["accepted_at"] + limit
    concluded = _where(clocked & (replied <= last) & (concluded > last), last, concluded)
    concluded = _where(m["refused"], m["unit_acted_at"], concluded)
    withdrawn = _where(
        (rng.random(n) < plan["withdrawn"]) & ~m["refused"] & ~m["direct"],
        m["office_acted_at"] + rng.integers(1, 40, n),
        NAT,
    )
    withdrawn = _where(withdrawn < replied, withdrawn, NAT)
    gone = ~np.isnat(withdrawn)
    m["accepted_at"] = _where(m["accepted_at"] > withdrawn, NAT, m["accepted_at"])
    m["transferred_at"] = _where(gone, NAT, m["transferred_at"])
    m |= {
        "simplified": simplified,
        "due_at": _where(stated, m["accepted_at"] + spec["stated_deadline"]["days"], NAT),
        "extension": extended,
        "withdrawn_at": withdrawn,
        "replied_at": _where(gone, NAT, replied),
        "concluded_at": _where(gone, NAT, concluded),
    }


def _resolve(
    plan: Mapping[str, Any], calendar: _Calendar, counties: _Counties, m: Columns, rng: Draw
) -> None:
    """Whether a matter is resolved at once (一次性化解), by what, and what follows if not.

    The planted policy effect is here: additive on the probability, for matters registered from the start on.
    """
    spec, county, n = plan["resolution"], m["county"], len(m["county"])
    once, month = spec["once"], _month(m["registered_at"]) - _month(calendar.days)[0]
    wobble = once["county_month_spread"] * rng.standard_normal((len(counties.code), month.max() + 1))
    chance = once["base"] + counties.once[county] + once["monthly_trend"] * month + wobble[county, month]
    chance = chance + _where(m["treated"], counties.pilot_once[county], 0.0)
    replied = ~np.isnat(m["replied_at"])
    resolved_once = replied & (rng.random(n) < chance)
    comes_back = ~resolved_once & np.isnat(m["withdrawn_at"]) & (rng.random(n) < spec["repeats"]["share"])
    later = comes_back & replied & (rng.random(n) < spec["later"]["share"])

    settled = _where(resolved_once, m["concluded_at"] + rng.integers(0, 13, n), NAT)
    link = plan["mediation"]
    mediated = replied & (rng.random(n) < _by(resolved_once, link["share"]))
    reached = mediated & (rng.random(n) < _by(resolved_once, link["reached"]))
    agreement = _where(reached, _where(rng.random(n) < link["settled"], "和解", "调解"), "未达成")
    basis = _pick(spec["basis"], n, rng)
    basis = _where(reached, _where(agreement == "和解", "和解协议", "调解协议"), basis)
    led = np.full(n, None, dtype=object)
    draw = rng.random(n)
    for level, share in plan["led"].items():
        led = _where(draw < share * _where(resolved_once, 1, 4), level, led)

    review = plan["review"]
    asks = ~resolved_once & replied & (m["path"] == "6") & (rng.random(n) < review["share"])
    asked, answered = _appeal(m["replied_at"], asks, review["answered_late"], rng)
    again = asks & (rng.random(n) < review["recheck"])
    asked_again, answered_again = _appeal(answered, again, review["answered_late"], rng)
    m |= {
        "resolved_at": settled,
        "resolution_basis": basis,
        "result": _where(replied, _pick(plan["results"], n, rng), None),
        "mediation": _where(mediated, _pick(link["kinds"], n, rng), None),
        "agreement": _where(mediated, agreement, None),
        "led_by_level": led,
        "review_requested_at": asked,
        "review_answered_at": answered,
        "review_upheld": rng.random(n) < review["upheld"],
        "recheck_requested_at": asked_again,
        "recheck_answered_at": answered_again,
        "recheck_upheld": rng.random(n) < review["recheck_upheld"],
        "once": resolved_once,
        "comes_back": comes_back,
        "later": later,
        "repeats": _where(comes_back, rng.geometric(1 - spec["repeats"]["continue"], n), 0),
        "later_days": rng.exponential(spec["later"]["mean_days"], n).astype(int),
    }


def _appeal(after: np.ndarray, asks: np.ndarray, late: float, rng: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Requested within 30 days, answered within 30 more but for a few (复查、复核)."""
    n = len(asks)
    asked = _where(asks, after + rng.integers(1, 31, n), NAT)
    taken = _where(rng.random(n) < late, rng.integers(31, 60, n), rng.integers(12, 31, n))
    return asked, asked + taken


@dataclass(frozen=True)
class _Repeats:
    """Repeat pieces (重件): position of the matter, and the day."""

    matter: np.ndarray
    day: np.ndarray


def _come_back(plan: Mapping[str, Any], calendar: _Calendar, m: Columns, rng: Draw) -> _Repeats:
    """Days on which matters come back, as far as the window shows them; some are resolved after the last of them."""
    spec = plan["resolution"]["repeats"]
    number = m["repeats"]
    matter = np.repeat(np.arange(len(number)), number)
    which = np.arange(len(matter)) - np.repeat(np.cumsum(number) - number, number)
    gap = _where(which == 0, spec["first_gap_days"], spec["gap_days"]) * rng.exponential(1.0, len(matter)) + 3
    total = np.cumsum(gap)
    before = np.repeat((total - gap)[which == 0], number[number > 0])
    day = calendar.next_working(m["registered_at"][matter] + (total - before).astype(int))
    seen = day <= calendar.end
    matter, day = matter[seen], day[seen]

    last = np.full(len(number), np.datetime64("1970-01-01", "D"))
    np.maximum.at(last, matter, day)
    complete = (
        m["later"] & (np.bincount(matter, minlength=len(number)) == number) & ~np.isnat(m["concluded_at"])
    )
    later = _where(complete, np.fmax(last, m["concluded_at"]) + m["later_days"], NAT)
    m["resolved_at"] = _where(m["once"], m["resolved_at"], later)
    return _Repeats(matter, day)


def _observe(calendar: _Calendar, m: Columns, again: _Repeats) -> tuple[Columns, _Repeats]:
    """What the extract of the window's last day shows: nothing later; of older matters those open or active in it."""
    closed = np.fmin(np.fmin(m["concluded_at"], m["withdrawn_at"]), m["transferred_at"])
    kept = (m["registered_at"] >= calendar.start) | ~(closed < calendar.start)
    kept[again.matter[again.day >= calendar.start]] = True
    stays = kept[again.matter]
    again = _Repeats((np.cumsum(kept) - 1)[again.matter[stays]], again.day[stays])
    m = {name: column[kept] for name, column in m.items()}
    for name, column in m.items():
        if column.dtype.kind == "M" and name != "due_at":
            m[name] = _where(column > calendar.end, NAT, column)
    unseen = np.isnat(m["office_acted_at"])
    m["office_action"] = _where(unseen, None, m["office_action"])
    m["unit_action"] = _where(np.isnat(m["unit_acted_at"]), None, m["unit_action"])
    without_body = m["direct"] | unseen
    for name in ("responsible_body", "body_level"):
        m[name] = _where(without_body, None, m[name])
    open_or_gone = np.isnat(m["replied_at"])
    for name in ("result", "mediation", "agreement"):
        m[name] = _where(open_or_gone, None, m[name])
    m["extension"] = _where(np.isnat(m["accepted_at"]), 0, m["extension"])
    m["extended_days"] = _where(m["extension"] == 0, None, m["extension"])
    for name in ("review", "recheck"):
        m[f"{name}_upheld"] = _where(np.isnat(m[f"{name}_answered_at"]), None, m[f"{name}_upheld"])
    m["due_at"] = _where(np.isnat(m["accepted_at"]), NAT, m["due_at"])
    m["resolution_basis"] = _where(np.isnat(m["resolved_at"]), None, m["resolution_basis"])
    m["matter_id"] = np.char.mod("M%07d", np.arange(1, len(unseen) + 1)).astype(object)
    return m, again


def _pieces(
    plan: Mapping[str, Any],
    calendar: _Calendar,
    counties: _Counties,
    m: Columns,
    repeats: _Repeats,
    rng: Draw,
) -> Columns:
    """Every piece of every matter shown (件): the first, and the repeats of those that come back (重件)."""
    first, repeat, again = np.arange(len(m["county"])), repeats.matter, repeats.day
    matter = np.concatenate([first, repeat])
    registered = np.concatenate([m["registered_at"], again])
    order = np.lexsort((matter, registered))
    n, repeated = len(order), np.arange(len(order)) >= len(first)
    channel = np.concatenate([m["channel"], _channels(plan["channels"], "repeat", again, calendar, rng)])
    level = np.concatenate([m["first_level"], _pick(plan["office_levels"]["repeat"], len(repeat), rng)])
    petitioned = np.concatenate([m["petitioned_at"], again - rng.poisson(0.3, len(repeat))])
    visit = channel == "来访"
    place = _pick(plan["place_of_visit"], n, rng)
    level = _where(visit & np.isin(place, ["县", "市", "省"]), place, level)
    level = _where(visit & np.isin(place, ["京", "非接待场所"]), "省", level)
    over = np.array([plan["over_level"].get(p, 0.0) for p in place])
    group = visit & (rng.random(n) < plan["group_visit"]["share"])
    few = 1 + (rng.random(n) < 0.22) + (rng.random(n) < 0.06)
    persons = _where(group, plan["group_visit"]["threshold"] + rng.poisson(4.0, n), _where(visit, few, 1))
    columns: Columns = {
        "matter_id": m["matter_id"][matter],
        "system": m["system"][matter],
        "petitioned_at": petitioned,
        "registered_at": registered,
        "channel": channel,
        "registering_office": _place_name(counties, m["county"][matter], level) + "信访局",
        "office_level": level,
        "locality_code": m["locality_code"][matter],
        **{name: m[name][matter] for name in ("topic_1", "topic_2", "topic_3")},
        "first_or_repeat": _where(repeated, "重件", "初件"),
        "persons": persons,
        "group_visit": group,
        "over_level": visit & (rng.random(n) < over),
        "place_of_visit": _where(visit, place, None),
        "counted": rng.random(n) >= plan["not_counted"],
    }
    columns = {name: column[order] for name, column in columns.items()}
    return {"piece_id": np.char.mod("P%07d", np.arange(1, n + 1)).astype(object), **columns}


def _rate(plan: Mapping[str, Any], calendar: _Calendar, m: Columns, rng: Draw) -> None:
    """Ratings of the petition office and of the responsible body, asked for once a reply is out (满意度评价)."""
    spec, n = plan["rating"], len(m["county"])
    window = spec["window_days"]
    for actor, name in (("信访部门", "office"), ("责任单位", "unit")):
        replied = m["replied_at"] if actor == "信访部门" else _where(m["direct"], NAT, m["replied_at"])
        rated_at = np.minimum(
            replied + np.minimum(rng.geometric(0.12, n) - 1, window),
            _where(np.isnat(replied), NAT, calendar.end),
        )
        rated = ~np.isnat(replied) & (rng.random(n) < spec["answers"][actor])
        over = replied + window < calendar.end
        state = _where(
            rated, "已评价", _where(np.isnat(replied), "未评价", _where(over, "超期未评价", "待评价"))
        )
        draw = rng.random(n)
        grade = _where(
            m["once"],
            *(np.searchsorted(_cumulative(spec["grades"][k]), draw, side="right") for k in ("once", "other")),
        )
        m[f"{name}_rating_state"] = _where(m["direct"] & (name == "unit"), None, state)
        m[f"{name}_rating_grade"] = _where(
            rated, np.array(["满意", "基本满意", "不满意"], dtype=object)[grade], None
        )
        m[f"{name}_rated_at"] = _where(rated, rated_at, NAT)


# --- the tables beside them -----------------------------------------------------------------------------------


def _supervise(
    plan: Mapping[str, Any], calendar: _Calendar, counties: _Counties, m: Columns, rng: Draw
) -> Columns:
    """督办 of matters past their limit, and the three recommendations (改进工作、完善政策、追究责任)."""
    spec = plan["supervision"]
    limit = m["accepted_at"] + 60 + m["extension"]
    alarm = limit + spec["open_days"]
    overdue = (m["path"] == "6") & (_where(np.isnat(m["replied_at"]), calendar.end, m["replied_at"]) > alarm)
    matter = np.flatnonzero(overdue & (rng.random(len(overdue)) < spec["overdue"]))
    months = (calendar.end.astype("M8[M]") - calendar.start.astype("M8[M]")).astype(int) + 1
    kinds, issued, county = (
        [np.full(len(matter), "督办", dtype=object)],
        [alarm[matter]],
        [m["county"][matter]],
    )
    chance = [np.full(len(matter), np.nan)]
    for kind, entry in spec["recommendations"].items():
        n = rng.poisson(entry["a_month"] * months)
        kinds.append(np.full(n, kind, dtype=object))
        issued.append(calendar.start + rng.integers(0, int((calendar.end - calendar.start).astype(int)), n))
        county.append(_index(1.0 + 3.0 * counties.slow, n, rng))
        chance.append(np.full(n, entry["adopted"]))
    kind, where, adopt = np.concatenate(kinds), np.concatenate(county), np.concatenate(chance)
    n = len(kind)
    at = calendar.next_working(np.concatenate(issued))
    body = counties.name[where] + np.array(["人民政府"], dtype=object)
    body[: len(matter)] = m["responsible_body"][matter]
    due = at + spec["answer_days"]
    taken = _where(rng.random(n) < spec["late_answer"], rng.integers(16, 50, n), rng.integers(3, 16, n))
    answered = _where(rng.random(n) < spec["answered"], at + taken, NAT)
    answered = _where(answered > calendar.end, NAT, answered)
    adopted = _where(np.isnat(answered) | np.isnan(adopt), None, rng.random(n) < np.nan_to_num(adopt))
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


def _receive(
    plan: Mapping[str, Any], calendar: _Calendar, counties: _Counties, rng: Draw
) -> dict[str, Columns]:
    """Leaders' receptions and the duty behind them (接访、下访): counted by office, nobody named."""
    spec, offices = plan["receptions"], _offices(plan, counties)
    duties: dict[str, list[Any]] = {
        k: [] for k in ("office", "office_level", "locality_code", "period", "obliged_leaders", "leaders_met")
    }
    days: list[np.ndarray] = []
    rows: list[tuple[str, str, str]] = []
    for code, name, level in offices:
        months = {"县": 1, "市": 3, "省": 6}[level]
        low, high = spec["obliged"][level]
        obliged = int(rng.integers(low, high + 1))
        met_share = spec["lax"]["share"] if code in spec["lax"]["offices"] else spec["met"]
        first = calendar.start.astype("M8[M]")
        for start in np.arange(first, (calendar.end + 1).astype("M8[M]"), months):
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
        "kind": _where(down, "下访", "接访"),
        "batches": batches,
        "persons": persons,
        "matters_taken": batches,
        "matters_concluded": rng.binomial(batches, spec["concluded"]),
    }
    return {
        "receptions": receptions,
        "obligations": {k: np.array(v, dtype=object) for k, v in duties.items()},
    }


def _preregister(plan: Mapping[str, Any], calendar: _Calendar, counties: _Counties, rng: Draw) -> Columns:
    """Monthly pre-registration counts of each county's office (来访预登记): registered = answered + taken."""
    spec = plan["preregistration"]
    months = np.arange(calendar.start.astype("M8[M]"), (calendar.end + 1).astype("M8[M]"))
    since = np.array([_day(spec["from"][tier]) for tier in counties.tier])
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


def _trace(plan: Mapping[str, Any], m: Columns) -> Columns:
    """Stages of one matter in so many (办理环节): enough to show the closed loop, small enough to ship."""
    some = np.arange(0, len(m["county"]), plan["events"]["one_in"])
    office, body = m["petition_office"][some], m["responsible_body"][some]
    stages = [
        ("分析", "registered_at", office),
        ("流转", "office_acted_at", office),
        ("受理", "accepted_at", body),
        ("处置", "replied_at", body),
        ("反馈", "concluded_at", body),
        ("考核", "unit_rated_at", office),
    ]
    columns = {
        "matter_id": np.concatenate([m["matter_id"][some] for _ in stages]),
        "stage": np.repeat(np.array([stage for stage, _, _ in stages], dtype=object), len(some)),
        "at": np.concatenate([m[column][some] for _, column, _ in stages]),
        "body": np.concatenate([who for _, _, who in stages]),
    }
    order = np.lexsort((np.tile(np.arange(len(some)), len(stages)),))
    order = order[~np.isnat(columns["at"][order])]
    return {name: column[order] for name, column in columns.items()}


def _pilots(plan: Mapping[str, Any]) -> Columns:
    """The roll-out (试点): one row a county and tier, one for the province."""
    spec = plan["pilots"]
    rows = [
        (spec["policy"], code, tier, _day(entry["start"]), spec["source"])
        for tier, entry in spec["tiers"].items()
        for code in ([plan["region"]] if entry["counties"] == "all" else entry["counties"])
    ]
    policy, code, tier, start, source = zip(*rows, strict=True)
    text = [np.array(column, dtype=object) for column in (policy, code, tier, source)]
    return dict(zip(("policy", "region_code", "tier", "source"), text, strict=True)) | {
        "start": np.array(start)
    }


def _population(plan: Mapping[str, Any], calendar: _Calendar, counties: _Counties) -> Columns:
    """Residents of every region and year (常住人口): cities and the province are the sums of their counties."""
    years = np.arange(_year(calendar.start), _year(calendar.end) + 1)
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


def _hotline(plan: Mapping[str, Any], calendar: _Calendar, counties: _Counties, rng: Draw) -> Columns:
    """Monthly aggregates of city hotlines (12345 月度汇总): a source without rows, and another system."""
    spec = plan["monthly"]
    months = np.arange(calendar.start.astype("M8[M]"), (calendar.end + 1).astype("M8[M]"))
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


# --- what was planted, what came out, and the files -----------------------------------------------------------


def _realised(calendar: _Calendar, counties: _Counties, m: Columns, petitions: Columns) -> dict[str, Any]:
    """Plain counts of the good rows, before any is spoilt: something to hold an analysis against."""
    closed = np.fmin(np.fmin(m["concluded_at"], m["withdrawn_at"]), m["transferred_at"])
    opened = m["registered_at"]
    months = np.arange(calendar.start.astype("M8[M]"), (calendar.end + 1).astype("M8[M]"))
    stock = [int(((opened < day) & ~(closed < day)).sum()) for day in (months + 1).astype("M8[D]")]
    due = m["accepted_at"] + 60 + m["extension"]
    due = _where(np.isnat(m["due_at"]), due, m["due_at"])
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
        "stock_month_end": dict(zip(months.astype(str).tolist(), stock, strict=True)),
        "due_cohort": {"due": int(cohort.sum()), "concluded_in_time": int(closed_in.sum())},
        "resolved_once": once,
    }


def _spoil(
    name: str, counts: Mapping[str, int], calendar: _Calendar, columns: Columns, rng: Draw
) -> dict[str, int]:
    """Spoil disjoint rows, so many for each rule (坏行); repeated keys are appended as further rows."""
    total = sum(counts.values())
    far = np.datetime64("2031-05-20", "D")

    def unresolved(here: np.ndarray) -> None:
        # One row, one planted mistake: a close that is wrong must not also make the resolution wrong.
        if name == "matters":
            columns["resolved_at"][here], columns["resolution_basis"][here] = NAT, None

    # Well inside the window, so that a shifted date breaks the one rule it is to break.
    fit = (columns["registered_at"] >= calendar.start) & (columns["registered_at"] < calendar.end - 90)
    if name == "matters":
        fit &= (columns["path"] == "6") & ~np.isnat(columns["replied_at"])
        fit &= columns["accepted_at"] > columns["registered_at"] + 6
    rows = np.split(
        rng.choice(np.flatnonzero(fit), total, replace=False), np.cumsum(list(counts.values()))[:-1]
    )
    for rule, here in zip(counts, rows, strict=True):
        match rule:
            case "registered_missing":
                columns["registered_at"][here] = NAT
            case "registered_before_petitioned":
                columns["petitioned_at"][here] = columns["registered_at"][here] + rng.integers(
                    3, 40, len(here)
                )
            case "date_in_future":
                columns["registered_at" if name == "petitions" else "concluded_at"][here] = far
                unresolved(here)
            case "locality_unknown":
                columns["locality_code"][here] = _where(rng.random(len(here)) < 0.5, "999999", "990199")
            case "channel_unknown":
                columns["channel"][here] = "传真"
            case "persons_not_positive":
                columns["persons"][here] = -(rng.random(len(here)) < 0.5).astype(int)
                columns["group_visit"][here] = False
            case "matter_unknown":
                columns["matter_id"][here] = np.char.mod("M9%06d", here).astype(object)
            case "concluded_before_registered":
                columns["concluded_at"][here] = columns["registered_at"][here] - rng.integers(
                    1, 60, len(here)
                )
                unresolved(here)
            case "replied_before_accepted":
                columns["replied_at"][here] = columns["accepted_at"][here] - rng.integers(1, 6, len(here))
            case "class_unknown":
                columns["matter_class"][here] = "其它诉求"
            case "path_unknown":
                columns["path"][here] = "7"
            case "extension_too_long":
                columns["extended_days"][here] = 45
            case "graded_without_rating":
                columns["unit_rating_state"][here], columns["unit_rating_grade"][here] = "未评价", "满意"
            case "key_repeated":
                for key, column in columns.items():
                    columns[key] = np.concatenate([column, column[here]])
            case _:
                raise CodebookError(
                    "模拟设定中有不认识的坏行规则",
                    value=f"{name}.{rule}",
                    hint="请对照 simulate.yml 的 invalid 一节",
                )
    return dict(counts)


def _write(
    out: Path,
    seed: int,
    plan: Mapping[str, Any],
    tables: Mapping[str, Columns],
    counties: _Counties,
    invalid: Mapping[str, Mapping[str, int]],
    realised: Mapping[str, Any],
) -> Path:
    """Parquet with fixed options and no clock in it, and the statement of what was planted."""
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
        fields = schema.table(name).columns
        arrays = {
            id: pa.array(
                columns[id].astype("M8[us]") if fields[id].type == "date" else columns[id],
                type=kinds[fields[id].type],
            )
            for id in fields
            if id in columns
        }
        table = pa.table(arrays).replace_schema_metadata({"mark": MARK})
        pq.write_table(
            table, out / f"{name}.parquet", compression="zstd", compression_level=9, row_group_size=1 << 20
        )
        rows[name] = table.num_rows
    spec = plan["pilots"]
    statement = {
        "mark": MARK,
        "simulated": True,
        "note": "虚构地方的模拟数据，不代表任何真实地区；由 policy-brief cases simulate 生成",
        "seed": seed,
        "settings_version": plan["version"],
        "settings_sha256": hashlib.sha256(
            json.dumps(plan, ensure_ascii=False, sort_keys=True, default=str).encode()
        ).hexdigest(),
        "region": plan["region"],
        "window": {key: str(day) for key, day in plan["window"].items()},
        "as_of": str(plan["window"]["end"]),
        "rows": rows,
        "planted": {
            "outcome": "一次性化解：已答复事项中，办结后化解且从未重复信访的",
            "effect_scale": "登记日在起始日及以后的事项：化解概率相加（once），超期风险相乘（late_ratio）；对信访量无影响",
            "policy": spec["policy"],
            "tiers": {
                tier: {key: (str(value) if key == "start" else value) for key, value in entry.items()}
                for tier, entry in spec["tiers"].items()
            },
            "slow_counties": {
                code: name
                for code, name, slow in zip(counties.code, counties.name, counties.slow, strict=True)
                if slow
            },
            "slow": plan["slow"],
            "lax_reception_offices": plan["receptions"]["lax"]["offices"],
            "heaping": {"limit": 60, "share_just_before": plan["handling"]["rush"]["share"]},
            "rising_topic": "小区设施／充电设施",
        },
        "invalid_rows": invalid,
        "realised": realised,
    }
    text = json.dumps(statement, ensure_ascii=False, indent=1)
    (out / "metadata.json").write_text(text + "\n", encoding="utf-8")
    return out


# --- draws and small things -----------------------------------------------------------------------------------


def _cumulative(weights: Any) -> np.ndarray:
    """Running shares of the weights; the last one is left out, so that a draw near 1 stays inside."""
    total = np.cumsum(np.asarray(weights, dtype=float))
    return total[:-1] / total[-1]


def _index(weights: Any, n: int, rng: Draw) -> np.ndarray:
    return np.searchsorted(_cumulative(weights), rng.random(n), side="right")


def _pick(shares: Mapping[str, float], n: int, rng: Draw) -> np.ndarray:
    """One of the terms for each of n rows, by share."""
    return np.array(list(shares), dtype=object)[_index(list(shares.values()), n, rng)]


def _where(mask: Any, yes: Any, no: Any) -> np.ndarray:
    """``np.where`` for columns of text and days, where either side may be nothing (None, NaT)."""
    return np.where(mask, yes, no)


def _by(once: np.ndarray, values: Mapping[str, float]) -> np.ndarray:
    return _where(once, values["once"], values["other"])


def _lognormal(median: float, spread: float, n: int, rng: Draw) -> np.ndarray:
    return median * np.exp(spread * rng.standard_normal(n))


def _day(value: dt.date | str) -> np.datetime64:
    return np.datetime64(str(value), "D")


def _month(days: np.ndarray) -> np.ndarray:
    """Months since 1970-01."""
    return days.astype("M8[M]").astype(int)


def _year(days: Any) -> Any:
    return days.astype("M8[Y]").astype(int) + 1970


def _place_name(counties: _Counties, county: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Name of the county, its city or the province, by level."""
    return _where(
        level == "县",
        counties.name[county],
        _where(level == "市", counties.city_name[county], counties.province),
    )


def _offices(plan: Mapping[str, Any], counties: _Counties) -> list[tuple[str, str, str]]:
    """Code, name and level of every petition office that holds receptions."""
    cities = dict(zip(counties.city, counties.city_name, strict=True))
    named = [(plan["region"], counties.province, "省")]
    named += [(code, name, "市") for code, name in cities.items()]
    named += [(code, name, "县") for code, name in zip(counties.code, counties.name, strict=True)]
    return [(code, f"{name}信访局", level) for code, name, level in named]


def _period(start: Any, months: int) -> str:
    """A month, quarter or half-year as the project writes it."""
    year, month = str(start).split("-")
    index = (int(month) - 1) // months + 1
    return str(start) if months == 1 else f"{year}{'Q' if months == 3 else 'H'}{index}"
