"""The engine itself: each notebook in its own pre-loaded, single-use process (派生执行).

papermill keeps its part (parameters, bookkeeping, the written notebook); only where the cells run differs. Every
papermill imports this module through the entry point in ``engine``, so it imports nothing that papermill has not.

Where forking is not to be trusted, or the notebook is not Python, the run goes to papermill's own engine.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NBClientEngine

from ..errors import EngineError

if TYPE_CHECKING:
    from .zygote import Child, Line, Zygote

_TICK = 0.1  # seconds between two looks at a running child's memory


class StoppedError(EngineError):
    """The process of a run died or was stopped (运行中止); carries the notebook as far as it came.

    Attributes
    ----------
    notebook
        The notebook with the outputs so far.
    cell
        Index of the cell that was running.
    transient
        Whether another try may succeed: a process killed from outside, not a limit that was reached.
    """

    def __init__(self, message: str, *, notebook: Any, cell: int, transient: bool, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.notebook = notebook
        self.cell = cell
        self.transient = transient


class PolicyBriefEngine(Engine):
    """``papermill --engine policy-brief``, and ``engine_name="policy-brief"`` with these engine arguments.

    ``zygote``: a :class:`~analysis.briefs.zygote.Zygote` or line to one (else one is started for this run);
    ``seconds``, ``memory_mb``: limits of this run; ``measured``: a dict that receives ``memory_mb`` and ``modules``, the
    names of the modules that the run imported beyond the preloaded ones.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        zygote: Zygote | Line | None = None,
        seconds: float | None = None,
        memory_mb: float | None = None,
        measured: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Run the cells; the notebook in ``nb_man`` receives the outputs.

        Raises
        ------
        StoppedError
            The process died or passed a limit.
        """
        from . import zygote as zygotes

        if not zygotes.available() or cls.nb_language(nb_man.nb) != "python":
            return NBClientEngine.execute_managed_notebook(
                nb_man, kernel_name, execution_timeout=seconds, **options
            )
        own = None if zygote is not None else zygotes.Zygote()
        parent = own or zygote
        assert parent is not None
        child = parent.fork(zygotes.CELLS)
        try:
            client = _ForkedClient(nb_man, child, seconds, memory_mb, kernel_name=kernel_name)
            notebook = client.execute()
            if measured is not None:
                measured["modules"] = client.imported()
            return notebook
        finally:
            ended = child.close()
            if measured is not None and ended is not None:
                measured["memory_mb"] = ended.memory_mb
            if own is not None:
                own.close()


class _ForkedClient(PapermillNotebookClient):
    """nbclient's folding of messages into outputs, with a forked child in place of a kernel."""

    def __init__(
        self, nb_man: Any, child: Child, seconds: float | None, memory_mb: float | None, **options: Any
    ) -> None:
        super().__init__(nb_man, **options)
        self.record_timing = False
        self._child = child
        self._memory_mb = memory_mb or float("inf")
        self._deadline = time.monotonic() + seconds if seconds else float("inf")

    def execute(self, **_: Any) -> Any:
        import os

        from .shell import CellShell

        self.reset_execution_trackers()
        self._child.connection.send(os.getcwd())
        self.papermill_execute_cells()
        self.nb.metadata["language_info"] = CellShell.language_info()
        return self.nb

    def imported(self) -> list[str]:
        """The modules the run has imported beyond the preloaded ones."""
        try:
            self._child.connection.send(None)
            return list(self._child.connection.recv()[1])
        except (EOFError, OSError):
            return []

    def execute_cell(self, cell: Any, cell_index: int, **_: Any) -> Any:
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        if self.skip_cells_with_tag in cell.metadata.get("tags", []):
            return cell
        cell.outputs = []
        self.clear_before_next_output = False
        self.code_cells_executed += 1
        reply = self._exchange(cell, cell_index)
        cell.execution_count = reply["execution_count"]
        if not reply["succeeded"]:
            self._raise_unless_allowed(cell)
        return cell

    def _exchange(self, cell: Any, index: int) -> dict[str, Any]:
        """Send a cell's source and fold its messages in, until it is done."""
        connection = self._child.connection
        try:
            connection.send(cell.source)
            while True:
                while not connection.poll(_TICK):
                    self._hold_to_limits(index)
                kind, content = connection.recv()
                if kind == "done":
                    return dict(content)
                message = {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {}}
                self.process_message({**message, "content": content}, cell, index)
        except (EOFError, OSError) as error:
            ended = self._child.ended(5.0)
            raise self._stopped(
                f"执行进程{ended.reason if ended else '失去联系'}",
                index,
                transient=True,
                hint="多为系统内存不足或崩溃；请减少并行数后重试",
            ) from error

    def _hold_to_limits(self, index: int) -> None:
        if time.monotonic() > self._deadline:
            self._child.kill()
            raise self._stopped(
                "运行超过时限", index, transient=False, hint="请在报告定义的 limits.seconds 中放宽"
            )
        if (used := self._child.memory_mb()) > self._memory_mb:
            self._child.kill()
            raise self._stopped(
                f"运行超过内存上限（已用 {used:.0f} MB，上限 {self._memory_mb:.0f} MB）",
                index,
                transient=False,
                hint="请在报告定义的 limits.memory_mb 中放宽",
            )

    def _stopped(self, message: str, index: int, *, transient: bool, hint: str) -> StoppedError:
        return StoppedError(
            f"{message}（第 {index + 1} 个单元）",
            notebook=self.nb,
            cell=index,
            transient=transient,
            hint=hint,
        )

    def _raise_unless_allowed(self, cell: Any) -> None:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        last = errors[-1] if errors else {"ename": "Error", "evalue": "", "traceback": []}
        if "raises-exception" not in cell.metadata.get("tags", []):
            raise CellExecutionError.from_cell_and_msg(cell, {"status": "error", **last})
