"""Every piece of every simulated matter (信访件)."""

from __future__ import annotations

import numpy as np

from . import draw, life
from .calendar import Calendar
from .counties import Counties, place_name
from .draw import Columns, Draw, Plan
from .life import Repeats


def pieces(
    plan: Plan,
    calendar: Calendar,
    counties: Counties,
    m: Columns,
    repeats: Repeats,
    rng: Draw,
) -> Columns:
    """Every piece of every matter shown (件): the first, and the repeats of those that come back (重件)."""
    first, repeat, again = np.arange(len(m["county"])), repeats.matter, repeats.day
    matter = np.concatenate([first, repeat])
    registered = np.concatenate([m["registered_at"], again])
    order = np.lexsort((matter, registered))
    n, repeated = len(order), np.arange(len(order)) >= len(first)
    channel = np.concatenate([m["channel"], life.channels(plan["channels"], "repeat", again, calendar, rng)])
    level = np.concatenate([m["first_level"], draw.pick(plan["office_levels"]["repeat"], len(repeat), rng)])
    petitioned = np.concatenate(
        [m["petitioned_at"], again - rng.poisson(plan["registration_lag"]["others"], len(repeat))]
    )
    visit = channel == "来访"
    place = draw.pick(plan["place_of_visit"], n, rng)
    level = draw.where(visit & np.isin(place, ["县", "市", "省"]), place, level)
    level = draw.where(visit & np.isin(place, ["京", "非接待场所"]), "省", level)
    over = np.array([plan["over_level"].get(p, 0.0) for p in place])
    group = visit & (rng.random(n) < plan["group_visit"]["share"])
    few = 1 + sum(rng.random(n) < share for share in plan["companions"])
    persons = draw.where(
        group,
        plan["group_visit"]["threshold"] + rng.poisson(plan["group_visit"]["mean_more"], n),
        draw.where(visit, few, 1),
    )
    columns: Columns = {
        "matter_id": m["matter_id"][matter],
        "system": m["system"][matter],
        "petitioned_at": petitioned,
        "registered_at": registered,
        "channel": channel,
        "registering_office": place_name(counties, m["county"][matter], level) + "信访局",
        "office_level": level,
        "locality_code": m["locality_code"][matter],
        **{name: m[name][matter] for name in ("topic_1", "topic_2", "topic_3")},
        "first_or_repeat": draw.where(repeated, "重件", "初件"),
        "persons": persons,
        "group_visit": group,
        "over_level": visit & (rng.random(n) < over),
        "place_of_visit": draw.where(visit, place, None),
        "counted": rng.random(n) >= plan["not_counted"],
    }
    columns = {name: column[order] for name, column in columns.items()}
    return {"piece_id": np.char.mod("P%07d", np.arange(1, n + 1)).astype(object), **columns}
