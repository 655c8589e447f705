"""A small project of true notebooks, and one warm pool for all builds of the session."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.briefs import batch, definitions, keys, plan, pool
from analysis.briefs.inputs import Digests
from analysis.briefs.plan import Request
from analysis.briefs.run import Outcome

COUNTIES = ("990102", "990103", "990202")

DEFINITIONS = {
    "counts": (
        "title: 件数简报\nnotebook: nb/counts.ipynb\nversion: 1\nformats: [html]\nperiod: month\n"
        "region: {levels: [省, 市, 县], default: '990000'}\nadvice: counts.advice.md\n"
        "inputs: {table: data/table.csv}\nschedule: {lag_days: 5, catch_up: 2, regions: ['990102', '990202']}\n"
    ),
    "behaves": (
        "title: 行为简报\nnotebook: nb/behaves.ipynb\nversion: 1\nformats: [html]\nperiod: month\n"
        "region: {default: '990000'}\nlimits: {seconds: 60, memory_mb: 700, retries: 1}\n"
    ),
    "inner": (
        "title: 内部简报\nnotebook: nb/behaves.ipynb\nversion: 1\nformats: [html]\nperiod: month\n"
        "region: {default: '990000'}\nclassification: 内部\n"
    ),
}


class Project:
    """A project in a folder of its own, and short ways to build in it."""

    def __init__(self, root: Path, notebooks: Path, shared_pool: Callable[[], Any]) -> None:
        self.root = root
        self.site = root / "reports" / "site"
        self._pool = shared_pool
        self.events: list[tuple[str, str]] = []
        (root / "reports" / "definitions").mkdir(parents=True)
        for name, text in DEFINITIONS.items():
            (root / "reports" / "definitions" / f"{name}.yml").write_text(text, encoding="utf-8")
        (root / "nb").mkdir()
        for name in ("counts", "behaves"):
            (root / "nb" / f"{name}.ipynb").write_bytes((notebooks / f"{name}.ipynb").read_bytes())
        (root / "data").mkdir()
        self.write_table({(code, m): 10 * m + k for k, code in enumerate(COUNTIES) for m in range(1, 7)})

    def write_table(self, counts: dict[tuple[str, int], int]) -> None:
        self.counts = counts
        temporary = self.root / "data" / "new.csv"
        with temporary.open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["region", "month", "count"])
            rows.writerows([code, f"2024-{month:02d}", n] for (code, month), n in counts.items())
        temporary.replace(self.root / "data" / "table.csv")

    def request(self, period: str | tuple[str, ...] = "2024-03", region: Any = (), **more: Any) -> Request:
        periods = (period,) if isinstance(period, str) else period
        return Request(
            periods=periods, regions=(region,) if isinstance(region, str) else tuple(region), **more
        )

    def plan(self, report: str, **asked: Any) -> list[plan.Run]:
        return plan.plan([definitions.load(report, self.root)], self.request(**asked), Digests())

    def build(self, report: str, *, force: bool = False, **asked: Any) -> list[Outcome]:
        work = batch.Build(
            self.site,
            Digests(),
            batch.Options(force=force),
            lambda event, it, _: self.events.append((event, it.id)),
        )
        return work.carry_out(self.plan(report, **asked), lambda: self._pool())

    def folder(self, run_id: str) -> Path:
        return self.site / run_id


class _Kept:
    """A pool that outlives the build."""

    def __init__(self, real: pool.LocalPool) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def close(self) -> None:
        """The session closes it."""


@pytest.fixture(scope="session")
def warm_pool() -> Iterator[_Kept]:
    with_zygote = pool.LocalPool(1)
    yield _Kept(with_zygote)
    with_zygote.close()


@pytest.fixture(scope="session")
def real_environment() -> keys.Environment:
    return keys.environment(Digests())


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch, real_environment: keys.Environment) -> None:
    """The library's hash held still: in a checkout where others write, it may change between two builds of a test."""
    monkeypatch.setattr(keys, "environment", lambda digests: real_environment)


@pytest.fixture
def project(tmp_path: Path, root: Path, warm_pool: _Kept, steady: None) -> Project:
    return Project(tmp_path / "project", root / "tests" / "notebooks", lambda: warm_pool)
