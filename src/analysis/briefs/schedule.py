"""When reports fall due (排期): logical periods, catch-up, and entries for cron and systemd."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import regions
from ..errors import InputError
from ..periods import Period
from . import inputs, plan
from .definitions import Definition
from .inputs import Digests
from .publish import Site


@dataclass(frozen=True)
class Due:
    """One brief that should exist (应有的简报).

    Attributes
    ----------
    report, region, period
        Which.
    since
        The day it fell due.
    state
        ``present``, ``missing`` or ``waiting`` (the data do not yet cover the period).
    """

    report: str
    region: str | None
    period: str
    since: dt.date
    state: str

    @property
    def id(self) -> str:
        """As the run's."""
        return f"{self.report}/{self.region or plan.ALL}/{self.period}"


def due(
    definitions: Iterable[Definition], as_of: dt.date, site: Site, internal: Site | None, digests: Digests
) -> list[Due]:
    """What should exist as of a date, within each report's catch-up, oldest period first.

    A period falls due ``lag_days`` after its last day; only the last ``catch_up`` of those are made up for.
    """
    found = []
    for definition in definitions:
        if definition.schedule is None or definition.period is None:
            continue
        place = internal if definition.internal else site
        coverage = _coverage(definition, digests)
        for period in periods(definition, as_of):
            for region in _regions(definition, coverage):
                entry = Due(definition.id, region, str(period), _due_day(definition, period), "missing")
                if (
                    place is not None
                    and (manifest := place.manifest(entry.id))
                    and manifest["status"] == "succeeded"
                ):
                    state = "present"
                elif coverage is not None and coverage.last < period.end:
                    state = "waiting"
                else:
                    state = "missing"
                found.append(Due(entry.report, entry.region, entry.period, entry.since, state))
    return found


def periods(definition: Definition, as_of: dt.date) -> list[Period]:
    """The periods of a report that are due and within its catch-up, oldest first."""
    assert definition.period is not None
    assert definition.schedule is not None
    period = Period.containing(as_of, definition.period.frequency)
    while _due_day(definition, period) > as_of:
        period = period.previous
    return [period.shift(-k) for k in range(definition.schedule.catch_up)][::-1]


def cron(root: Path, site: Path, hour: int) -> str:
    """A crontab entry: every day at that hour; days on which nothing is due end at once."""
    return (
        "# policy-brief：每天检查并补做到期的简报（同一时间只运行一个）\n"
        f"0 {hour} * * * {_command(root, site)} >> {shlex.quote(str(root / 'reports' / 'due.log'))} 2>&1\n"
    )


def systemd(root: Path, site: Path, hour: int) -> dict[str, str]:
    """A user service and its timer: file name → content."""
    service = (
        "[Unit]\nDescription=policy-brief：补做到期的简报\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={root}\nExecStart={_command(root, site)}\n"
        "# 1：有简报失败，其余已发布\nSuccessExitStatus=0\nNice=10\n"
    )
    timer = (
        "[Unit]\nDescription=policy-brief：每天检查到期的简报\n\n"
        f"[Timer]\nOnCalendar=*-*-* {hour:02d}:00:00\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
    )
    return {"policy-brief.service": service, "policy-brief.timer": timer}


def _command(root: Path, site: Path) -> str:
    program = Path(sys.executable).with_name("policy-brief")
    return shlex.join([str(program), "due", "--quiet", "--project", str(root), "--site", str(site)])


def _due_day(definition: Definition, period: Period) -> dt.date:
    assert definition.schedule is not None
    return period.end + dt.timedelta(days=definition.schedule.lag_days)


def _coverage(definition: Definition, digests: Digests) -> plan.Coverage | None:
    try:
        located = inputs.locate(definition, {}, None)
    except InputError:
        return None  # building it will say what is missing
    return next(
        (plan.coverage_of(source, digests) for source in located.values() if source.kind == "cases"), None
    )


def _regions(definition: Definition, coverage: plan.Coverage | None) -> Sequence[str | None]:
    if definition.region is None:
        return [None]
    assert definition.schedule is not None
    named = definition.schedule.regions or ((definition.region.default,) if definition.region.default else ())
    codes: list[str] = []
    for name in named:
        codes += (
            plan.at_level(name, definition.region.default, coverage) if name in regions.LEVELS else [name]
        )
    return list(dict.fromkeys(codes))
