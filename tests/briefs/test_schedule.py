from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from analysis.briefs import definitions, schedule
from analysis.briefs.inputs import Digests
from analysis.briefs.publish import Site


def due(project: Any, day: str) -> dict[str, str]:
    known = definitions.load_all(project.root)
    found = schedule.due(known, dt.date.fromisoformat(day), Site(project.site), None, Digests())
    return {entry.id: entry.state for entry in found}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-04-04", ["2024-01", "2024-02"]),  # March ends on the 31st and is due five days later
        ("2024-04-05", ["2024-02", "2024-03"]),
        ("2024-05-04", ["2024-02", "2024-03"]),
        ("2025-01-06", ["2024-11", "2024-12"]),
    ],
)
def test_periods_fall_due_after_their_lag_and_within_the_catch_up(
    project: Any, day: str, expected: list[str]
) -> None:
    it = definitions.load("counts", project.root)
    assert [str(period) for period in schedule.periods(it, dt.date.fromisoformat(day))] == expected


def test_what_is_published_is_present_and_a_failed_one_is_missing(project: Any) -> None:
    project.build("counts", region="990102")
    assert due(project, "2024-04-05") == {
        "counts/990102/2024-02": "missing",
        "counts/990202/2024-02": "missing",
        "counts/990102/2024-03": "present",
        "counts/990202/2024-03": "missing",
    }


def test_reports_without_schedule_are_never_due(project: Any) -> None:
    assert all(name.startswith("counts/") for name in due(project, "2024-04-05"))


def test_the_cron_entry_has_five_fields_and_one_command(tmp_path: Path) -> None:
    lines = schedule.cron(tmp_path / "a b", tmp_path / "site", 7).splitlines()
    fields = lines[-1].split(maxsplit=5)
    assert fields[:5] == ["0", "7", "*", "*", "*"]
    assert "due --quiet" in fields[5]
    assert f"'{tmp_path / 'a b'}'" in fields[5]  # a blank in the path is quoted


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = schedule.systemd(tmp_path, tmp_path / "site", 6)
    assert "OnCalendar=*-*-* 06:00:00" in units["policy-brief.timer"]
    assert "Persistent=true" in units["policy-brief.timer"]  # missed while the machine was off
    command = shutil.which("systemd-analyze")
    if command is None:
        pytest.skip("systemd-analyze, which checks units, is not on this machine")
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    subprocess.run([command, "verify", *(str(tmp_path / name) for name in units)], check=True)
