"""The counties of the fictional province: names, sizes, and what is planted in each (虚构的县)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ... import regions
from ...errors import CodebookError
from . import draw
from .draw import Draw, Plan


@dataclass(frozen=True)
class Counties:
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
    def of(cls, plan: Plan, rng: Draw) -> Counties:
        """Drawn from the settings.

        Raises
        ------
        CodebookError
            The region is real, or a county named in the settings is not in the code table.
        """
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
            pilot_start=np.array([draw.day(effect[t]["start"]) for t in tier]),
            pilot_once=np.array([effect[t]["once"] for t in tier]),
            pilot_late=np.array([effect[t]["late_ratio"] for t in tier]),
        )


def place_name(counties: Counties, county: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Name of the county, its city or the province, by level."""
    return draw.where(
        level == "县",
        counties.name[county],
        draw.where(level == "市", counties.city_name[county], counties.province),
    )


def offices(plan: Plan, counties: Counties) -> list[tuple[str, str, str]]:
    """Code, name and level of every petition office that holds receptions."""
    cities = dict(zip(counties.city, counties.city_name, strict=True))
    named = [(plan["region"], counties.province, "省")]
    named += [(code, name, "市") for code, name in cities.items()]
    named += [(code, name, "县") for code, name in zip(counties.code, counties.name, strict=True)]
    return [(code, f"{name}信访局", level) for code, name, level in named]
