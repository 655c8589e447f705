"""A pre-loaded process that forks single-use children (预载进程): start-up is paid once a batch.

The zygote imports the libraries, makes a shell (no thread, no socket, no database), and then only forks. Each child
serves one notebook and dies; nothing it does can reach the next one. A child is either :data:`CELLS` (runs code cells
sent over its socket) or calls a function named ``module:function`` with its connection (a worker).

It works where a process can fork and hand over descriptors (Linux, macOS), and is trusted on Linux only: macOS's own
libraries start threads that do not survive a fork, so :func:`available` says no there and papermill runs plainly.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ..errors import EngineError

# What a brief's cells and its renderer nearly always load; ``.*`` stands for all modules of a package. Anything else is
# imported by the run that needs it.
PRELOAD = (
    "papermill",
    "nbformat.v4",
    "pandas",
    "pandas.plotting",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline",
    "duckdb",
    "scipy.stats",
    "statsmodels.genmod.generalized_linear_model",
    "openpyxl",
    "ibis.backends.duckdb",
    "ipywidgets",
    "analysis.display.*",
    "analysis.cases.*",
    "analysis.briefs.chapters.*",
    "analysis.briefs.compare",
    "analysis.briefs.html",
    "analysis.briefs.pdf",
)
# What they read from the package alone, whatever the run: read once, before the first fork.
WARM = ("analysis.regions:load", "analysis.cases.registry:indicators", "analysis.display.fonts:characters")
CELLS = "cells"
PLAIN_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS")
_PDEATHSIG = 1
_THREADED = 3  # the zygote's status when a library has started threads in it
_PATIENCE = 0.2  # seconds it has to end by itself: it may be importing, and there is nothing it could lose


@dataclass(frozen=True)
class Ended:
    """How a child ended (子进程的结局): exit code or signal, and its greatest memory in MB."""

    pid: int
    code: int
    memory_mb: float

    @property
    def reason(self) -> str:
        """In words."""
        if self.code < 0:
            return f"被信号 {signal.Signals(-self.code).name} 终止"
        return f"以状态 {self.code} 退出"


def available() -> bool:
    """Whether runs can be forked on this machine."""
    return sys.platform.startswith("linux") and hasattr(os, "fork")


def environment() -> dict[str, str]:
    """The environment of every run: fixed hashes, encoding and threads, so that a run depends on its key alone."""
    fixed = dict.fromkeys(PLAIN_THREADS, "1")
    return {
        **os.environ,
        **fixed,
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "LC_ALL": "C.UTF-8",
        "TZ": "Asia/Shanghai",
        # pyarrow's allocator starts a thread when it is loaded, and the zygote must have one only.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }


class Zygote:
    """The caller's end: starts the process, asks for children, hears how they ended.

    Parameters
    ----------
    modules
        Modules to import before the first fork, beside :data:`PRELOAD`.
    """

    def __init__(self, modules: Iterable[str] = ()) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "analysis.briefs.zygote", str(theirs.fileno()), *PRELOAD, *modules],
            env=environment(),
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self.pid = self._process.pid
        self._line = Line(ours)

    def line(self) -> Line:
        """Another line to the same zygote, which may be handed to another process."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.send({"role": "line"}, [theirs.fileno()])
        theirs.close()
        return Line(ours)

    def fork(self, role: str) -> Child:
        """A child of that role."""
        return self._line.fork(role)

    def preload(self, modules: Iterable[str]) -> None:
        """Have it import more before its next fork: what a run has turned out to need."""
        with tempfile.TemporaryFile() as file:
            file.write("\n".join(modules).encode())
            file.flush()
            self._line.send({"role": "preload"}, [file.fileno()])

    def close(self) -> None:
        """Stop the zygote; its children die with it."""
        self._line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_PATIENCE)
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Line:
    """A control line to the zygote: one caller, one child at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def send(self, message: dict[str, Any], descriptors: list[int]) -> None:
        """Send a request with the descriptors it is about."""
        try:
            socket.send_fds(self.sock, [json.dumps(message).encode()], descriptors)
        except OSError as error:
            raise EngineError("预载进程已退出", hint="请重试；反复出现时请加 --plain 运行") from error

    def fork(self, role: str) -> Child:
        """Ask for a child; its socket is ours, its end is told on this line."""
        ours, theirs = socket.socketpair()
        with theirs, ours:
            self.send({"role": role}, [theirs.fileno()])
            pid = self._hear()["pid"]
            return Child(Connection(ours.detach()), pid, self)

    def ended(self, pid: int, timeout: float) -> Ended | None:
        """How that child ended; ``None`` when it is still alive after the timeout."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                news = self._hear()
            except TimeoutError:
                return None
            finally:
                self.sock.settimeout(None)
            if news.get("pid") == pid and "code" in news:
                return Ended(**news)
        return None

    def close(self) -> None:
        """Hang up."""
        self.sock.close()

    def _hear(self) -> dict[str, Any]:
        try:
            data = self.sock.recv(4096)
        except ConnectionError:
            data = b""
        if not data:
            raise EngineError("预载进程已退出", hint="请重试；反复出现时请加 --plain 运行")
        return dict(json.loads(data))


@dataclass
class Child:
    """One forked process: its connection, its pid, and the line on which its end is told."""

    connection: Connection
    pid: int
    line: Line
    _ended: Ended | None = None

    def ended(self, timeout: float) -> Ended | None:
        """How it ended; ``None`` when it is still alive after the timeout."""
        if self._ended is None:
            self._ended = self.line.ended(self.pid, timeout)
        return self._ended

    def kill(self) -> None:
        """Kill it with everything it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGKILL)

    def memory_mb(self) -> float:
        """Resident memory now; 0 when it cannot be read."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def close(self, timeout: float = 5.0) -> Ended | None:
        """Let it end (or end it), and tell how it went."""
        self.connection.close()
        if self.ended(timeout) is None:
            self.kill()
        return self.ended(timeout)


# --- the zygote's own side -------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> None:
    """Import, make the shell, then fork on request until the first line is hung up."""
    control = socket.socket(fileno=int(arguments[0]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who then hangs up
    from .shell import CellShell

    shell = CellShell()  # before the libraries: matplotlib looks for a shell when its backend is loaded
    _preload(arguments[1:])
    _warm()
    wake_read, wake_write = socket.socketpair()
    wake_write.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
    callers: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is wake_read:
                    wake_read.recv(4096)
                    _tell_ends(callers)
                    continue
                line = key.fileobj
                assert isinstance(line, socket.socket)
                request = _request(line)
                if request is None:
                    if line is control:
                        return
                    selector.unregister(line)
                    line.close()
                    continue
                role, descriptor = request
                if role == "line":
                    selector.register(socket.socket(fileno=descriptor), selectors.EVENT_READ)
                    continue
                if role == "preload":
                    with open(descriptor, encoding="utf-8") as file:
                        file.seek(0)
                        modules = file.read().split()
                    if _harmless(modules):
                        _preload(modules)
                    continue
                pid = os.fork()
                if pid == 0:
                    keep = {descriptor}
                    signal.set_wakeup_fd(-1)
                    selector.close()
                    _become(role, keep, Connection(descriptor), shell)
                os.close(descriptor)
                callers[pid] = line
                _tell(line, {"pid": pid})


def _preload(modules: list[str]) -> None:
    for module in _each(modules):
        if module in sys.modules:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                importlib.import_module(module)
            except (
                Exception
            ):  # an extra that is not installed, a module that wants to be run: not ours to judge
                continue
        _stay_single(module)
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, pages shared with the children


def _warm() -> None:
    for name in WARM:
        _function(name)()
        _stay_single(name)
    gc.collect()
    gc.freeze()


def _stay_single(name: str) -> None:
    """Forking beside other threads could deadlock a child: rather be gone, and the pool does without."""
    if _threads() > 1:
        print(f"policy-brief: 预载 {name} 时启动了线程，改用普通内核", file=sys.stderr)
        os._exit(_THREADED)


def _harmless(modules: list[str]) -> bool:
    """Whether importing them leaves a process with one thread; tried out in a child that is thrown away."""
    pid = os.fork()
    if pid == 0:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        _preload(modules)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _function(name: str) -> Any:
    """What ``module:function`` names."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def _each(modules: list[str]) -> Iterator[str]:
    """The modules, a package's own for ``package.*``."""
    for name in modules:
        package, star, _ = name.partition(".*")
        yield package
        if star:
            path = importlib.import_module(package).__path__
            yield from (f"{package}.{module.name}" for module in pkgutil.iter_modules(path))


def _threads() -> int:
    tasks = "/proc/self/task"
    return len(os.listdir(tasks)) if os.path.isdir(tasks) else 1


def _request(line: socket.socket) -> tuple[str, int] | None:
    try:
        data, descriptors, _, _ = socket.recv_fds(line, 4096, 1)
    except OSError:
        return None
    if not data:
        return None
    return json.loads(data)["role"], descriptors[0]


def _tell_ends(callers: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            memory = usage.ru_maxrss / 1024
            line = callers.pop(pid, None)
            if line is not None:
                _tell(line, {"pid": pid, "code": os.waitstatus_to_exitcode(status), "memory_mb": memory})


def _tell(line: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # a caller that is gone needs no news
        line.send(json.dumps(message).encode())


def _become(role: str, keep: set[int], connection: Connection, shell: Any) -> None:
    """The child's life; never returns."""
    code = 1
    try:
        os.setsid()
        _die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _close_others(keep)
        _fresh_randomness()
        if role == CELLS:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _serve_cells(connection, shell)
        else:
            _function(role)(connection)
        code = 0
    except (EOFError, ConnectionError):
        code = 0  # the caller hung up
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _serve_cells(connection: Connection, shell: Any) -> None:
    """Run cells in the folder named first, until the caller hangs up."""
    folder = connection.recv()
    os.chdir(folder)
    # As in a kernel, a notebook may import what lies beside it.
    sys.path.insert(0, "")
    before = set(sys.modules)
    for source in _received(connection):
        if source is None:
            connection.send(("modules", _installed(set(sys.modules) - before)))
            continue
        succeeded, count = shell.run(source, lambda kind, content: connection.send((kind, content)))
        connection.send(("done", {"succeeded": succeeded, "execution_count": count}))


def _installed(names: Iterable[str]) -> list[str]:
    """Those modules that are the environment's or ours, not something that lay in the run's folder."""
    places = (sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[1]))
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in names}
    return sorted(name for name, file in files.items() if file and str(file).startswith(places))


def _received(connection: Connection) -> Iterator[Any]:
    while True:
        try:
            yield connection.recv()
        except EOFError:
            return


def _fresh_randomness() -> None:
    """A fork inherits the generators' states; a fresh process would have its own."""
    import random

    random.seed()
    if "numpy" in sys.modules:
        import numpy as np

        np.random.seed()


def _close_others(keep: set[int]) -> None:
    """Close all inherited descriptors but the standard ones and ours, so that no line is held open."""
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else range(3, 256):
        number = int(name)
        if number > 2 and number not in keep:
            with contextlib.suppress(OSError):
                os.close(number)


def _die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (Linux)."""
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
    # No teardown: the libraries would complain of objects that the collector was told to leave alone.
    os._exit(0)
