"""The life of simulated matters, step by step: arrive, dispatch, handle, resolve, come back (信访事项的各环节)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import draw
from .calendar import Calendar
from .counties import Counties, place_name
from .draw import NAT, Columns, Draw, Plan


def arrive(plan: Plan, calendar: Calendar, counties: Counties, rng: Draw) -> Columns:
    """Matters by day of registration (登记): a Poisson count for every county and day, then what each is about."""
    month = draw.month(calendar.days) - draw.month(calendar.days)[0]
    noise = np.exp(plan["volume"]["month_spread"] * rng.standard_normal((len(counties.code), month[-1] + 1)))
    expected = calendar.intake[:, None] * (counties.rate / counties.rate.sum()) * noise.T[month]
    count = rng.poisson(expected)
    day, county = (np.repeat(axis.ravel(), count.ravel()) for axis in np.indices(count.shape))
    n = len(day)
    registered = calendar.days[day]
    level = draw.pick(plan["body_levels"], n, rng)
    topic = _topics(plan["topics"], registered, rng)
    body = np.array([entry["body"] for entry in plan["topics"]], dtype=object)[topic]
    names = np.array([entry["path"] for entry in plan["topics"]], dtype=object)[topic]
    channel = channels(plan["channels"], "first", registered, calendar, rng)
    kind = draw.pick(plan["classes"], n, rng)
    path = draw.where(kind == "申诉求决", draw.pick(plan["paths"], n, rng), None)
    # Posted letters are registered days after they were written; the other channels mostly on the day.
    lag = plan["registration_lag"]
    waited = draw.where(channel == "来信", 1 + rng.poisson(lag["letters"], n), rng.poisson(lag["others"], n))
    return {
        "county": county,
        "treated": registered >= counties.pilot_start[county],
        "petitioned_at": registered - waited,
        "registered_at": registered,
        "system": draw.pick(plan["systems"], n, rng),
        "matter_class": kind,
        "path": path,
        "channel": channel,
        "first_level": draw.pick(plan["office_levels"]["first"], n, rng),
        "locality_code": counties.code[county],
        "topic_1": names[:, 0],
        "topic_2": names[:, 1],
        "topic_3": names[:, 2],
        "department": body,
        "body_level": level,
        "responsible_body": place_name(counties, county, level) + body,
        "petition_office": counties.name[county] + "信访局",
    }


def _topics(topics: list[Mapping[str, Any]], registered: np.ndarray, rng: Draw) -> np.ndarray:
    """Index of each matter's topic, by weights that change with month and year (季节与趋势)."""
    months = draw.month(registered)
    lot, chosen = rng.random(len(registered)), np.zeros(len(registered), dtype=int)
    for month in np.unique(months):
        year, calendar_month = 1970 + month // 12, month % 12 + 1
        weight = [
            t["weight"] * t.get("months", {}).get(calendar_month, 1) * t.get("years", {}).get(year, 1)
            for t in topics
        ]
        here = months == month
        chosen[here] = np.searchsorted(draw.cumulative(weight), lot[here], side="right")
    return chosen


def channels(plan: Plan, kind: str, at: np.ndarray, calendar: Calendar, rng: Draw) -> np.ndarray:
    """Channel of each piece; letters move to the net as the years pass (网上信访渐多)."""
    channel = draw.pick(plan[kind], len(at), rng)
    years = (at - calendar.start).astype(float) / 365.25
    moved = (channel == "来信") & (rng.random(len(at)) < plan["net_drift"] * np.clip(years, 0, None))
    return draw.where(moved, "网信", channel)


def dispatch(plan: Plan, counties: Counties, m: Columns, rng: Draw) -> None:
    """The petition office's 15 days (转送、交办、直接答复) and the body's (受理告知、异议、不予受理)."""
    office, unit, county = plan["office"], plan["unit"], m["county"]
    n, slow = len(county), counties.slow[county]
    action = draw.pick(office["actions"], n, rng)
    acted = m["registered_at"] + _clock_15(office, slow, rng)
    direct = action == "直接答复"
    received = draw.where(direct, NAT, acted + (rng.random(n) < 0.25))
    lot = rng.random(n)
    objects = ~direct & (lot < unit["objection"])
    refuses = ~direct & ~objects & (lot < unit["objection"] + unit["refusal"])
    moved = objects & (rng.random(n) < unit["objection_moved"])
    objected = draw.where(objects, received + rng.integers(1, 6, n), NAT)
    informed = draw.where(objects, objected, received + _clock_15(unit, slow, rng))
    accepted = draw.where(objects, objected + rng.integers(2, 9, n), informed)
    m |= {
        "office_action": action,
        "office_acted_at": acted,
        "received_at": received,
        "unit_action": draw.where(
            direct, None, draw.where(objects, "异议", draw.where(refuses, "不予受理", "受理告知"))
        ),
        "unit_acted_at": informed,
        "accepted_at": draw.where(direct | moved | refuses, NAT, accepted),
        "objected_at": objected,
        "transferred_at": draw.where(moved, objected + rng.integers(1, 6, n), NAT),
        "refused": refuses,
        "direct": direct,
    }


def _clock_15(clock: Mapping[str, Any], slow: np.ndarray, rng: Draw) -> np.ndarray:
    """Days to act under a limit of 15: most act early, some on the last days, a few late."""
    n = len(slow)
    days = np.minimum(rng.gamma(2.0, clock["mean_days"] / 2, n).astype(int), 15 - rng.integers(0, 3, n))
    late = rng.random(n) < draw.where(slow, clock["late_slow"], clock["late"])
    return draw.where(late, 15 + rng.geometric(0.2, n), days)


def handle(plan: Plan, counties: Counties, m: Columns, rng: Draw) -> None:
    """Days from acceptance to the written reply (答复) and to the close (办结); withdrawals (撤回)."""
    spec, county, n = plan["handling"], m["county"], len(m["county"])
    clocked = m["path"] == "6"
    simplified = clocked & np.isnat(m["objected_at"]) & (rng.random(n) < spec["simplified"]["share"])
    # What is simple is accepted at once (简易办理), and answered within ten working days but for a few.
    soon = draw.where(simplified, m["received_at"] + rng.integers(0, 3, n), NAT)
    for column in ("unit_acted_at", "accepted_at"):
        m[column] = draw.where(m[column] > soon, soon, m[column])
    extension = spec["extension"]
    extended = draw.where(
        clocked & ~simplified & (rng.random(n) < extension["share"]),
        np.array(extension["days"])[draw.index(extension["weights"], n, rng)],
        0,
    )
    stated = (
        clocked
        & (m["office_action"] == "交办")
        & (extended == 0)
        & (rng.random(n) < spec["stated_deadline"]["share_of_assigned"])
    )
    limit = draw.where(stated, spec["stated_deadline"]["days"], 60 + extended)

    body = np.array([plan["slow_bodies"].get(d, 1.0) for d in m["department"]])
    risk = counties.late[county] * body * draw.where(m["treated"], counties.pilot_late[county], 1.0)
    late = clocked & ~simplified & (rng.random(n) < risk + plan["slow"]["late"] * counties.slow[county])

    parts = [spec[name]["share"] for name in ("quick", "usual", "rush")]
    part = draw.index(parts, n, rng)
    quick, usual = (
        draw.lognormal(spec[name]["median"], spec[name]["spread"], n, rng) for name in ("quick", "usual")
    )
    rush = limit - rng.exponential(spec["rush"]["mean_days_left"], n).astype(int)
    days = np.choose(part, [quick, usual, rush])
    days = draw.where((days > limit) | ((extended > 0) & (days < 61)), rush, days)
    over = draw.where(
        rng.random(n) < spec["late"]["long_share"],
        rng.exponential(spec["late"]["long_mean_days"], n),
        rng.exponential(spec["late"]["mean_days"], n),
    )
    days = draw.where(late, limit + 1 + over, days)
    short = np.minimum(rng.exponential(spec["simplified"]["mean_days"], n), spec["simplified"]["longest"])
    slipped = rng.random(n) < spec["simplified"]["late"]
    days = draw.where(simplified, draw.where(slipped, rng.integers(16, 40, n), short), days)
    for path, (median, spread) in spec["other_paths"].items():
        days = draw.where(m["path"] == path, draw.lognormal(median, spread, n, rng), days)

    replied = draw.where(
        m["direct"], m["office_acted_at"], m["accepted_at"] + np.maximum(days, 1).astype(int)
    )
    concluded = replied + draw.where(rng.random(n) < 0.6, 0, rng.integers(1, 6, n))
    # The body closes on the limit what it answered in time: a close is late only when the answer was.
    last = m["accepted_at"] + limit
    concluded = draw.where(clocked & (replied <= last) & (concluded > last), last, concluded)
    concluded = draw.where(m["refused"], m["unit_acted_at"], concluded)
    withdrawn = draw.where(
        (rng.random(n) < plan["withdrawn"]["share"]) & ~m["refused"] & ~m["direct"],
        m["office_acted_at"] + rng.integers(1, plan["withdrawn"]["within_days"], n),
        NAT,
    )
    withdrawn = draw.where(withdrawn < replied, withdrawn, NAT)
    gone = ~np.isnat(withdrawn)
    for column in ("unit_acted_at", "objected_at", "accepted_at"):
        m[column] = draw.where(m[column] > withdrawn, NAT, m[column])
    m["transferred_at"] = draw.where(gone, NAT, m["transferred_at"])
    m |= {
        "simplified": simplified,
        "due_at": draw.where(stated, m["accepted_at"] + spec["stated_deadline"]["days"], NAT),
        "extension": extended,
        "withdrawn_at": withdrawn,
        "replied_at": draw.where(gone, NAT, replied),
        "concluded_at": draw.where(gone, NAT, concluded),
    }


def resolve(plan: Plan, calendar: Calendar, counties: Counties, m: Columns, rng: Draw) -> None:
    """Whether a matter is resolved at once (一次性化解), by what, and what follows if not.

    The planted policy effect is here: additive on the probability, for matters registered from the start on.
    """
    spec, county, n = plan["resolution"], m["county"], len(m["county"])
    once, month = spec["once"], draw.month(m["registered_at"]) - draw.month(calendar.days)[0]
    wobble = once["county_month_spread"] * rng.standard_normal((len(counties.code), month.max() + 1))
    chance = once["base"] + counties.once[county] + once["monthly_trend"] * month + wobble[county, month]
    chance = chance + draw.where(m["treated"], counties.pilot_once[county], 0.0)
    replied = ~np.isnat(m["replied_at"])
    resolved_once = replied & (rng.random(n) < chance)
    comes_back = ~resolved_once & np.isnat(m["withdrawn_at"]) & (rng.random(n) < spec["repeats"]["share"])
    later = comes_back & replied & (rng.random(n) < spec["later"]["share"])

    settled = draw.where(
        resolved_once, m["concluded_at"] + rng.integers(0, spec["settled_within"] + 1, n), NAT
    )
    link = plan["mediation"]
    mediated = replied & (rng.random(n) < draw.by(resolved_once, link["share"]))
    reached = mediated & (rng.random(n) < draw.by(resolved_once, link["reached"]))
    agreement = draw.where(reached, draw.where(rng.random(n) < link["settled"], "和解", "调解"), "未达成")
    basis = draw.pick(spec["basis"], n, rng)
    basis = draw.where(reached, draw.where(agreement == "和解", "和解协议", "调解协议"), basis)
    led = np.full(n, None, dtype=object)
    lot = rng.random(n)
    for level, share in plan["led"].items():
        led = draw.where(lot < share * draw.where(resolved_once, 1, plan["led_hard"]), level, led)

    review = plan["review"]
    asks = ~resolved_once & replied & (m["path"] == "6") & (rng.random(n) < review["share"])
    asked, answered = _appeal(m["replied_at"], asks, review, rng)
    again = asks & (rng.random(n) < review["recheck"])
    asked_again, answered_again = _appeal(answered, again, review, rng)
    m |= {
        "resolved_at": settled,
        "resolution_basis": basis,
        "result": draw.where(replied, draw.pick(plan["results"], n, rng), None),
        "mediation": draw.where(mediated, draw.pick(link["kinds"], n, rng), None),
        "agreement": draw.where(mediated, agreement, None),
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
        "repeats": draw.where(comes_back, rng.geometric(1 - spec["repeats"]["continue"], n), 0),
        "later_days": rng.exponential(spec["later"]["mean_days"], n).astype(int),
    }


def _appeal(after: np.ndarray, asks: np.ndarray, spec: Plan, rng: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Requested within 30 days, answered within 30 more but for a few (复查、复核)."""
    n = len(asks)
    asked = draw.where(asks, after + rng.integers(1, 31, n), NAT)
    late = rng.random(n) < spec["answered_late"]
    taken = draw.where(
        late, draw.between(spec["days_late"], n, rng), draw.between(spec["days_in_time"], n, rng)
    )
    return asked, asked + taken


@dataclass(frozen=True)
class Repeats:
    """Repeat pieces (重件): position of the matter, and the day."""

    matter: np.ndarray
    day: np.ndarray


def come_back(plan: Plan, calendar: Calendar, m: Columns, rng: Draw) -> Repeats:
    """Days on which matters come back, as far as the window shows them; some are resolved after the last of them."""
    spec = plan["resolution"]["repeats"]
    number = m["repeats"]
    matter = np.repeat(np.arange(len(number)), number)
    which = np.arange(len(matter)) - np.repeat(np.cumsum(number) - number, number)
    gap = (
        draw.where(which == 0, spec["first_gap_days"], spec["gap_days"]) * rng.exponential(1.0, len(matter))
        + 3
    )
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
    later = draw.where(complete, np.fmax(last, m["concluded_at"]) + m["later_days"], NAT)
    m["resolved_at"] = draw.where(m["once"], m["resolved_at"], later)
    return Repeats(matter, day)


def observe(calendar: Calendar, m: Columns, again: Repeats) -> tuple[Columns, Repeats]:
    """What the extract of the window's last day shows: nothing later; of older matters those open or active in it."""
    closed = np.fmin(np.fmin(m["concluded_at"], m["withdrawn_at"]), m["transferred_at"])
    kept = (m["registered_at"] >= calendar.start) | ~(closed < calendar.start)
    kept[again.matter[again.day >= calendar.start]] = True
    stays = kept[again.matter]
    again = Repeats((np.cumsum(kept) - 1)[again.matter[stays]], again.day[stays])
    m = {name: column[kept] for name, column in m.items()}
    for name, column in m.items():
        if column.dtype.kind == "M" and name != "due_at":
            m[name] = draw.where(column > calendar.end, NAT, column)
    unseen = np.isnat(m["office_acted_at"])
    m["office_action"] = draw.where(unseen, None, m["office_action"])
    m["unit_action"] = draw.where(np.isnat(m["unit_acted_at"]), None, m["unit_action"])
    without_body = m["direct"] | unseen
    for name in ("responsible_body", "body_level"):
        m[name] = draw.where(without_body, None, m[name])
    open_or_gone = np.isnat(m["replied_at"])
    for name in ("result", "mediation", "agreement"):
        m[name] = draw.where(open_or_gone, None, m[name])
    m["extension"] = draw.where(np.isnat(m["accepted_at"]), 0, m["extension"])
    m["extended_days"] = draw.where(m["extension"] == 0, None, m["extension"])
    for name in ("review", "recheck"):
        m[f"{name}_upheld"] = draw.where(np.isnat(m[f"{name}_answered_at"]), None, m[f"{name}_upheld"])
    m["due_at"] = draw.where(np.isnat(m["accepted_at"]), NAT, m["due_at"])
    m["resolution_basis"] = draw.where(np.isnat(m["resolved_at"]), None, m["resolution_basis"])
    m["matter_id"] = np.char.mod("M%07d", np.arange(1, len(unseen) + 1)).astype(object)
    return m, again


def rate(plan: Plan, calendar: Calendar, m: Columns, rng: Draw) -> None:
    """Ratings of the petition office and of the responsible body, asked for once a reply is out (满意度评价)."""
    spec, n = plan["rating"], len(m["county"])
    window = spec["window_days"]
    for actor, name in (("信访部门", "office"), ("责任单位", "unit")):
        replied = m["replied_at"] if actor == "信访部门" else draw.where(m["direct"], NAT, m["replied_at"])
        rated_at = np.minimum(
            replied + np.minimum(rng.geometric(spec["daily"], n) - 1, window),
            draw.where(np.isnat(replied), NAT, calendar.end),
        )
        rated = ~np.isnat(replied) & (rng.random(n) < spec["answers"][actor])
        over = replied + window < calendar.end
        state = draw.where(
            rated, "已评价", draw.where(np.isnat(replied), "未评价", draw.where(over, "超期未评价", "待评价"))
        )
        lot = rng.random(n)
        grade = draw.where(
            m["once"],
            *(
                np.searchsorted(draw.cumulative(spec["grades"][k]), lot, side="right")
                for k in ("once", "other")
            ),
        )
        m[f"{name}_rating_state"] = draw.where(m["direct"] & (name == "unit"), None, state)
        m[f"{name}_rating_grade"] = draw.where(
            rated, np.array(["满意", "基本满意", "不满意"], dtype=object)[grade], None
        )
        m[f"{name}_rated_at"] = draw.where(rated, rated_at, NAT)
