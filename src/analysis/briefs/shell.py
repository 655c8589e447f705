"""A notebook's cells run inside one process, without a kernel (单进程执行单元).

:class:`CellShell` is ipykernel's own shell with its messages caught in place of a socket, so that rich output,
tracebacks, magics and matplotlib's inline charts come out as from a kernel; there is no start-up handshake, no port
and no thread. It is made before the fork (in ``zygote``) and used once, after it.

What a kernel has and this has not: stdin, comms (widgets show their static form), history between runs.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session
from traitlets.config import Config

Emit = Callable[[str, dict[str, Any]], None]

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"


class CellShell:
    """The shell of one notebook run: ``run`` executes cells in order and hands on each message."""

    def __init__(self) -> None:
        self._emit: Emit = _nowhere
        os.environ.setdefault("MPLBACKEND", INLINE_BACKEND)
        config = Config()
        config.HistoryManager.enabled = False  # its writer is a thread, and threads do not survive a fork
        session = _Caught(self)
        self._shell = ZMQInteractiveShell.instance(config=config)
        for publisher in (self._shell.display_pub, self._shell.displayhook):
            publisher.session = session
            publisher.topic = b""

    def run(self, source: str, emit: Emit) -> tuple[bool, int]:
        """Execute one cell; every output goes to ``emit(message_type, content)`` as a kernel would send it.

        Returns
        -------
        tuple
            Whether it succeeded, and the execution count.
        """
        self._emit = emit
        self._shell._last_traceback_during_displayhook = False
        with _streams(emit):
            result = self._shell.run_cell(source, store_history=True, silent=False)
        succeeded = bool(result.success) and not self._shell._last_traceback_during_displayhook
        return succeeded, self._shell.execution_count - 1

    @staticmethod
    def language_info() -> dict[str, Any]:
        """What a kernel states of its language."""
        from ipykernel.ipkernel import IPythonKernel

        return dict(IPythonKernel.language_info)


class _Caught(Session):
    """Jupyter's session with the wire replaced by a call."""

    def __init__(self, owner: CellShell) -> None:
        super().__init__(key=b"")
        self._owner = owner

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> None:
        if isinstance(msg_or_type, dict):
            msg_or_type, content = msg_or_type["msg_type"], msg_or_type["content"]
        self._owner._emit(msg_or_type, content or {})


def _nowhere(kind: str, content: dict[str, Any]) -> None:
    """Before the first cell nothing is shown."""


class _Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a cell: text is gathered until something else is shown.

    What C code and child processes write to the descriptor goes to a file, and joins the text when that is shown.
    """

    FULL = 1 << 16
    encoding = "utf-8"

    def __init__(self, name: str, emit: Emit, descriptor: int) -> None:
        self.name = name
        self._emit = emit
        self._descriptor = descriptor
        self._parts: list[str] = []
        self._size = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by restore)
        self._read = 0
        self._kept = os.dup(descriptor)
        os.dup2(self._file.fileno(), descriptor)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._parts.append(text)
        self._size += len(text)
        if self._size > self.FULL:
            self.flush()
        return len(text)

    def flush(self) -> None:
        text = self._from_descriptor() + "".join(self._parts)
        self._parts.clear()
        self._size = 0
        if text:
            self._emit("stream", {"name": self.name, "text": text})

    def restore(self) -> None:
        """Show what is left, and give the descriptor back."""
        self.flush()
        os.dup2(self._kept, self._descriptor)
        os.close(self._kept)
        self._file.close()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def _from_descriptor(self) -> str:
        length = os.fstat(self._file.fileno()).st_size - self._read
        if not length:
            return ""
        # pread: the descriptor's own position is where the writers write.
        data = os.pread(self._file.fileno(), length, self._read)
        self._read += len(data)
        return data.decode("utf-8", "replace")


@contextlib.contextmanager
def _streams(emit: Emit) -> Iterator[None]:
    """Catch what Python prints, and what C code and child processes write to descriptors 1 and 2."""
    before = sys.stdout, sys.stderr
    out, err = _Stream("stdout", emit, 1), _Stream("stderr", emit, 2)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        out.restore()
        err.restore()
