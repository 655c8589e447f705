"""The most memory that a process has held, for benchmarks that start processes of their own.

``getrusage`` would not do: a process that another one started begins there with what that one held.
"""

from __future__ import annotations

import multiprocessing
import re
import threading
from pathlib import Path


def held(process: int | str = "self") -> float:
    """MB, since its program began; 0 when it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


class Workers:
    """What the largest of this process's children holds at most, looked at while they run: ``peak``, in MB."""

    def __enter__(self) -> Workers:
        self.peak, self._over = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self.peak = max([self.peak, *(held(each.pid or 0) for each in multiprocessing.active_children())])

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
