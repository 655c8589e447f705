"""Runs on a Dask cluster (``--dask ADDRESS``): the same orders, carried out by the cluster's workers.

Workers must see the project and the inputs under the same paths (a shared file system) and have this package. A worker
stages on its own disk and sends the finished brief back as bytes, so that only the caller writes to the site; keys and
results are those of a local build. A worker that dies costs its runs one more try elsewhere.
"""

from __future__ import annotations

import atexit
import io
import queue
import shutil
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import EngineError, RequestError
from . import run, zygote
from .run import Order, Outcome

_ATTRIBUTE = "policy_brief_bench"


class DaskPool:
    """Orders to the workers of an existing cluster.

    Parameters
    ----------
    address
        Of the scheduler, as ``tcp://host:8786``.

    Raises
    ------
    RequestError
        ``distributed`` is not installed, or nobody answers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise RequestError(
                "--dask 需要安装 distributed", hint="请安装附加组件：pip install policy-brief[cluster]"
            ) from None
        try:
            self._client = Client(address, timeout=10, set_as_default=False)
        except OSError as error:
            raise RequestError("连不上 Dask 调度器", value=address, hint="请检查地址与网络") from error
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._orders: dict[Any, Order] = {}
        self._futures: dict[Any, Any] = {}

    def free(self) -> int:
        """How many orders it can take now: a few more than there are workers, so that none waits."""
        threads = sum(
            info["nthreads"] for info in self._client.scheduler_info(n_workers=-1)["workers"].values()
        )
        return max(1, 2 * threads) - len(self._orders)

    def submit(self, order: Order) -> None:
        """Take an order."""
        future = self._client.submit(carry_out, order, pure=False, retries=0)
        self._orders[future.key], self._futures[future.key] = order, future
        future.add_done_callback(self._done.put)

    def collect(self, timeout: float) -> list[tuple[Order, Outcome]]:
        """Orders that are done; their files are unpacked in the caller's staging folder."""
        try:
            future = self._done.get(timeout=timeout)
        except queue.Empty:
            return []
        order = self._orders.pop(future.key)
        del self._futures[future.key]
        try:
            outcome, archive = future.result()
        except Exception as error:  # the cluster's own failures: a killed worker, a lost connection
            message = f"集群执行失败：{type(error).__name__}: {error}"
            return [(order, Outcome(order.run.id, run.FAILED, message=message, transient=True))]
        _unpack(archive, order.staging / "out")
        return [(order, outcome)]

    def close(self) -> None:
        """Cancel what is left and hang up; the cluster stays. A second time is no harm."""
        for future in self._futures.values():
            future.cancel()
        self._futures.clear()
        self._client.close(timeout=5)


def carry_out(order: Order) -> tuple[Outcome, bytes]:
    """On a worker: carry out an order, and pack what it made."""
    bench = _bench()
    staging = Path(tempfile.mkdtemp(prefix="policy-brief-"))
    try:
        moved = replace(order, staging=staging)
        try:
            outcome = run.perform(moved, bench.renderers.of(moved), bench.line)
        except EngineError as error:
            outcome = Outcome(order.run.id, run.FAILED, message=str(error), transient=True)
        return outcome, _pack(staging / "out")
    finally:
        shutil.rmtree(staging, ignore_errors=True)


class _Bench:
    """What a cluster worker keeps between orders: its zygote and its renderers."""

    def __init__(self) -> None:
        from .worker import Renderers

        self.renderers = Renderers()
        self._zygote = zygote.Zygote() if zygote.available() else None
        if self._zygote is not None:
            atexit.register(self._zygote.close)

    @property
    def line(self) -> Any:
        return self._zygote


def _bench() -> _Bench:
    """The worker's bench, kept on the worker itself."""
    from distributed import get_worker

    worker = get_worker()
    if not hasattr(worker, _ATTRIBUTE):
        setattr(worker, _ATTRIBUTE, _Bench())
    return getattr(worker, _ATTRIBUTE)


def _pack(folder: Path) -> bytes:
    with io.BytesIO() as stream:
        with tarfile.open(fileobj=stream, mode="w") as archive:
            archive.add(folder, arcname=".")
        return stream.getvalue()


def _unpack(data: bytes, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")
