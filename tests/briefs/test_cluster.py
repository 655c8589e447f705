"""Runs on a real Dask cluster of two worker processes, one of which is killed in the middle of its run."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from analysis.briefs import batch, run
from analysis.briefs.inputs import Digests
from analysis.errors import RequestError

distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from analysis.briefs.cluster import DaskPool  # noqa: E402


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_results_are_those_of_a_local_build_though_a_worker_is_killed(project: Any, tmp_path: Path) -> None:
    project.build("counts", region="990102")
    local = run.hashes(project.folder("counts/990102/2024-03"))
    project.site = project.root / "reports" / "far"
    runs = [
        *project.plan("counts", region=("990102", "990202")),
        *project.plan("behaves", parameters={"how": "wait:4"}),
    ]
    killed: list[int] = []
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(tmp_path),
    ) as cluster:

        def kill_the_busy_one() -> None:
            with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
                deadline = time.monotonic() + 40
                while time.monotonic() < deadline and not killed:
                    for address, keys in client.processing().items():
                        if any("carry_out" in key for key in keys) and started.is_set():
                            killed.append(client.run(os.getpid, workers=[address])[address])
                            os.kill(killed[0], signal.SIGKILL)
                            return
                    time.sleep(0.1)

        started = threading.Event()
        thread = threading.Thread(target=kill_the_busy_one)
        thread.start()
        work = batch.Build(
            project.site,
            Digests(),
            batch.Options(),
            lambda event, it, _: started.set() if "behaves" in it.id else None,
        )
        outcomes = work.carry_out(runs, lambda: DaskPool(cluster.scheduler_address))
        thread.join()
    assert killed
    assert [outcome.status for outcome in outcomes] == [run.SUCCEEDED] * 3, outcomes
    far = run.hashes(project.folder("counts/990102/2024-03"))
    del far["about.html"], local["about.html"]
    assert far == local


def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match="连不上 Dask 调度器"):
        DaskPool("tcp://127.0.0.1:1")
