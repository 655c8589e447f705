"""Where orders are carried out (执行池): processes of this machine, forked from a zygote or started plainly."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import reduction
from multiprocessing.connection import Connection, wait
from typing import Protocol

from ..errors import EngineError
from . import run, zygote
from .run import Order, Outcome

_GRACE = 300.0  # seconds a worker has beyond a run's own limit, for rendering


class Pool(Protocol):
    """What a build needs of a pool."""

    def free(self) -> int:
        """How many orders it can take now."""

    def submit(self, order: Order) -> None:
        """Take an order."""

    def collect(self, timeout: float) -> list[tuple[Order, Outcome]]:
        """Orders that are done, waiting at most so long for the first."""

    def close(self) -> None:
        """Stop everything at once."""


@dataclass
class _Worker:
    """One worker process and what it is doing."""

    connection: Connection
    process: zygote.Child | subprocess.Popen[bytes]
    order: Order | None = None
    deadline: float = float("inf")

    def kill(self) -> None:
        self.process.kill()


class LocalPool:
    """Worker processes of this machine.

    Parameters
    ----------
    workers
        How many.
    plain
        Without a zygote: cells run in ordinary kernels. Forced where forking is not to be trusted.
    modules
        Modules the zygote imports beside its own list.
    """

    def __init__(self, workers: int, *, plain: bool = False, modules: Iterable[str] = ()) -> None:
        self._size = workers
        self._workers: list[_Worker] = []
        self._zygote = None if plain or not zygote.available() else zygote.Zygote(modules)
        self._learnt: set[str] = set(modules)

    @property
    def plain(self) -> bool:
        """Whether cells run in ordinary kernels."""
        return self._zygote is None

    def free(self) -> int:
        """How many orders it can take now."""
        return self._size - sum(worker.order is not None for worker in self._workers)

    def submit(self, order: Order) -> None:
        """Hand an order to an idle worker, made if need be."""
        worker = next((worker for worker in self._workers if worker.order is None), None) or self._new()
        worker.order = order
        worker.deadline = time.monotonic() + order.run.definition.limits.seconds + _GRACE
        with contextlib.suppress(OSError):  # a dead worker's closed line is found by collect()
            worker.connection.send(order)

    def collect(self, timeout: float) -> list[tuple[Order, Outcome]]:
        """Orders that are done, waiting at most so long for the first."""
        busy = {worker.connection: worker for worker in self._workers if worker.order is not None}
        done = []
        for connection in wait(list(busy), timeout):
            worker = busy[connection]  # type: ignore[index]
            order = worker.order
            assert order is not None
            try:
                outcome = worker.connection.recv()
                worker.order = None
                self._learn(outcome)
            except (EOFError, OSError):
                self._bury(worker)
                outcome = _lost(order, "执行者进程意外退出")
            done.append((order, outcome))
        for worker in list(self._workers):
            late = worker.order
            if late is not None and time.monotonic() > worker.deadline:
                self._bury(worker)
                done.append((late, _lost(late, "渲染超过时限")))
        return done

    def close(self) -> None:
        """Stop everything at once; a second time is no harm."""
        for worker in self._workers:
            worker.connection.close()
            if worker.order is not None:
                worker.kill()
        if self._zygote is not None:
            self._zygote.close()
        for worker in self._workers:
            if isinstance(worker.process, subprocess.Popen):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.process.wait(timeout=10)
        self._workers.clear()

    def _learn(self, outcome: Outcome) -> None:
        """Have the zygote import what the first runs turned out to need, so that later ones start with it."""
        fresh = [name for name in outcome.modules if name not in self._learnt]
        if self._zygote is not None and fresh:
            self._learnt.update(fresh)
            with contextlib.suppress(EngineError):
                self._zygote.preload(fresh)

    def _new(self) -> _Worker:
        worker = self._forked(self._zygote) if self._zygote is not None else None
        self._workers.append(worker or self._started())
        return self._workers[-1]

    def _forked(self, parent: zygote.Zygote) -> _Worker | None:
        """A worker of the zygote; ``None`` when that is gone, which it has said: from now on without it."""
        try:
            child = parent.fork("analysis.briefs.worker:serve")
            line = parent.line()
        except EngineError:
            parent.close()
            self._zygote = None
            return None
        reduction.send_handle(child.connection, line.sock.fileno(), child.pid)
        line.close()
        return _Worker(child.connection, child)

    def _started(self) -> _Worker:
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "analysis.briefs.worker", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env=zygote.environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the caller
        )
        theirs.close()
        return _Worker(Connection(ours.detach()), process)

    def _bury(self, worker: _Worker) -> None:
        with contextlib.suppress(OSError):
            worker.connection.close()
        worker.kill()
        self._workers.remove(worker)


def _lost(order: Order, message: str) -> Outcome:
    return Outcome(order.run.id, run.FAILED, message=f"{message}。可稍后重试", transient=True)
