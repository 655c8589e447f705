"""One run (一次运行): execute a notebook in a folder of its own, render it, and leave the result staged.

This is what a worker does with an order; it publishes nothing. Three outcomes: succeeded, the notebook raised, the
engine failed — the latter two with the cell, the message and a partial brief.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..display.session import mime
from ..errors import EngineError, NotebookError, PolicyBriefError
from . import inputs, keys, parameters
from .plan import Run, read_notebook

CERTIFICATE = mime("certificate")
SUCCEEDED, RAISED, FAILED, UNCHANGED = "succeeded", "raised", "failed", "unchanged"

# Exceptions of a cell that another try may not meet again: the other end was busy or away.
_TRANSIENT = {
    "ConnectionError",
    "ConnectionResetError",
    "ConnectionRefusedError",
    "TimeoutError",
    "OperationalError",
}


@dataclass(frozen=True)
class Order:
    """What a worker needs to know of a run (派工单); it is pickled.

    Attributes
    ----------
    run
        The run.
    staging
        Folder on the site's file system: ``work/`` is the notebook's, ``out/`` what will be published.
    attached
        Parameter → file that the engine adds (advice, previous results).
    executed
        Executed notebook to render again instead of executing.
    provenance
        The reproducible part of the manifest, to be carried inside the brief; its render key is filled in here.
    environment
        Sources and versions.
    printed
        What is printed around the brief: title, region, period, classification …
    renderer
        ``nbconvert`` or ``quarto``.
    """

    run: Run
    staging: Path
    attached: Mapping[str, Path]
    executed: Path | None
    provenance: Mapping[str, Any]
    environment: keys.Environment
    printed: Mapping[str, Any]
    renderer: str = "nbconvert"


@dataclass(frozen=True)
class Outcome:
    """How a run went (运行结果).

    Attributes
    ----------
    run_id, status
        ``succeeded``, ``raised`` (the notebook), ``failed`` (the engine or renderer) or ``unchanged``.
    message, cell, traceback
        Of a failure: one sentence, the cell's number from 1, the traceback as text.
    transient
        Whether another try may succeed.
    mode
        ``warm`` (forked), ``plain`` (papermill's own engine) or ``reused`` (only rendered).
    seconds
        Spent executing and rendering.
    memory_mb
        Greatest memory of the cells' process.
    worker_mb
        Greatest memory so far of the worker, which renders and lives longer than the run.
    keys
        ``render`` key, when rendered.
    warnings
        What the renderer could not show as it was.
    certificates
        Disclosure certificates that the notebook emitted (see ``docs/engine.md``).
    outputs
        File → SHA-256 of everything in ``out/``.
    modules
        Modules that the cells imported beyond the preloaded ones.
    """

    run_id: str
    status: str
    message: str = ""
    cell: int | None = None
    traceback: str = ""
    transient: bool = False
    mode: str = "warm"
    seconds: Mapping[str, float] = field(default_factory=dict)
    memory_mb: float | None = None
    worker_mb: float | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    certificates: list[Any] = field(default_factory=list)
    outputs: Mapping[str, str] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether a whole brief is there."""
        return self.status in (SUCCEEDED, UNCHANGED)


def perform(order: Order, renderer: Any, line: Any = None) -> Outcome:
    """Carry out an order; every failure becomes an outcome.

    Parameters
    ----------
    order
        The run.
    renderer
        The worker's long-lived renderer: ``render(notebook, out, formats, meta)``.
    line
        Line to a zygote; without it cells run in a plain kernel.
    """
    out = order.staging / "out"
    out.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, float] = {}
    measured: dict[str, Any] = {}
    mode = "reused" if order.executed else "warm" if line is not None else "plain"
    failure: PolicyBriefError | None = None
    render_key, warnings, certificates = "", list[str](), list[Any]()
    started = time.perf_counter()
    try:
        try:
            notebook = _reuse(order) if order.executed else _execute(order, line, measured)
        except StoppedEarlyError as error:
            failure, notebook = error.error, error.notebook
        seconds["execute"] = round(time.perf_counter() - started, 3)
        started = time.perf_counter()
        certificates = _certificates(notebook)
        render_key, warnings = _render(order, renderer, notebook, out, failure, certificates)
        seconds["render"] = round(time.perf_counter() - started, 3)
    except PolicyBriefError as error:
        failure = error
    except OSError as error:
        failure = EngineError(f"写文件失败：{error.strerror}", file=error.filename)
    except Exception as error:  # the renderer's libraries may raise anything; the batch goes on
        import traceback

        failure = EngineError(f"渲染失败：{type(error).__name__}: {error}", hint="请附上日志报告这个问题")
        failure.__dict__["traceback"] = traceback.format_exc()
    common: dict[str, Any] = {
        "mode": mode,
        "seconds": seconds,
        "memory_mb": measured.get("memory_mb"),
        "worker_mb": _peak_mb(),
        "warnings": warnings,
        "certificates": certificates,
        "outputs": hashes(out),
        "modules": measured.get("modules", []),
    }
    if failure is None:
        return Outcome(order.run.id, SUCCEEDED, keys={"render": render_key}, **common)
    return Outcome(
        order.run.id,
        RAISED if isinstance(failure, NotebookError) else FAILED,
        message=str(failure),
        cell=getattr(failure, "cell", None),
        traceback=getattr(failure, "traceback", ""),
        transient=bool(getattr(failure, "transient", False)),
        **common,
    )


def _peak_mb() -> float:
    """Greatest memory of this process so far, MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)


def hashes(folder: Path) -> dict[str, str]:
    """File → SHA-256 of a folder's files, the manifest excepted (it holds them)."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "manifest.json")
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


class StoppedEarlyError(Exception):
    """A run that stopped early: the error, and the notebook as far as it came."""

    def __init__(self, error: PolicyBriefError, notebook: Any) -> None:
        super().__init__(str(error))
        self.error = error
        self.notebook = notebook


def _execute(order: Order, line: Any, measured: dict[str, Any]) -> Any:
    """The executed notebook, cleaned of all that differs between equal runs."""
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from .forked import StoppedError

    work = order.staging / "work"
    values = _furnish(order, work)
    source = parameters.inject(read_notebook(order.run.definition), values)
    written = order.staging / "executed.ipynb"
    limits = order.run.definition.limits
    if line is not None:
        options: dict[str, Any] = {
            "engine_name": "policy-brief",
            "zygote": line,
            "seconds": limits.seconds,
            "memory_mb": limits.memory_mb,
            "measured": measured,
        }
    else:
        # A kernel warns of its unencrypted loopback at every start; its errors still come through.
        options = {
            "execution_timeout": int(limits.seconds),
            "extra_arguments": ["--IPKernelApp.log_level=40"],
        }
    try:
        executed = papermill.execute_notebook(
            _file_of(source, order.staging),
            str(written),
            cwd=str(work),
            progress_bar=False,
            request_save_on_cell_execute=False,
            **options,
        )
    except PapermillExecutionError as error:
        notebook = clean(nbformat.read(written, as_version=4))
        raise StoppedEarlyError(_raised(error, notebook), notebook) from error
    except StoppedError as error:
        notebook = clean(error.notebook)
        _mark(notebook, error.cell, str(error))
        raise StoppedEarlyError(error, notebook) from error
    except Exception as error:
        if type(error).__module__.startswith(("nbclient", "jupyter_client")):
            raise EngineError(f"内核故障：{error}", hint="请重试；反复出现时请减少并行数") from error
        raise
    return clean(executed)


def _furnish(order: Order, work: Path) -> dict[str, Any]:
    """The working folder with its inputs, and the parameters that name them."""
    work.mkdir(parents=True, exist_ok=True)
    for source in order.run.inputs.values():
        inputs.link(source, work)
    values = dict(order.run.values)
    for name, file in order.attached.items():
        values[name] = f"{inputs.FOLDER}/{name}{file.suffix}"
        place = work / values[name]
        place.parent.mkdir(exist_ok=True)
        # A copy: the site's own files may be exchanged by another build while this run reads them.
        place.write_bytes(file.read_bytes())
    return values


def _file_of(notebook: Any, folder: Path) -> str:
    """The notebook as a file: papermill reads paths."""
    import nbformat

    file = folder / "source.ipynb"
    nbformat.write(notebook, file)
    return str(file)


def clean(notebook: Any) -> Any:
    """An executed notebook without clock, host or chance: times and error banners out, streams joined, ids fixed."""
    from papermill.execute import remove_error_markers

    notebook = remove_error_markers(notebook)
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    for position, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        cell["id"] = cell.get("id") if _stable(cell.get("id")) else f"cell-{position}"
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _stable(name: str | None) -> bool:
    return bool(name) and name != "None"


def _joined(outputs: list[Any]) -> list[Any]:
    """All text of a stream in one output, stdout before stderr: how it was split depends on the clock."""
    streams: dict[str, Any] = {}
    kept = []
    for output in outputs:
        if output["output_type"] != "stream":
            kept.append(output)
        elif output["name"] in streams:
            streams[output["name"]]["text"] += output["text"]
        else:
            streams[output["name"]] = output
            kept.append(output)
    for one, (first, second) in enumerate(itertools.pairwise(kept)):
        if (first.get("name"), second.get("name")) == ("stderr", "stdout"):
            kept[one], kept[one + 1] = second, first
            break
    for output in streams.values():
        # A kernel names the cell's file after its process.
        output["text"] = re.sub(r"\S*ipykernel_\d+/\d+\.py|<ipython-input-[\w-]+>", "<cell>", output["text"])
    return kept


def _raised(error: Any, notebook: Any) -> NotebookError:
    number = next(
        (
            position
            for position, cell in enumerate(notebook.cells, start=1)
            if any(output["output_type"] == "error" for output in cell.get("outputs", []))
        ),
        None,
    )
    raised = NotebookError(
        f"第 {number} 个单元出错：{error.ename}：{error.evalue}",
        cell=number,
        traceback=re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback)),
    )
    raised.__dict__["transient"] = error.ename in _TRANSIENT
    return raised


def _mark(notebook: Any, cell: int, message: str) -> None:
    """Show in the partial notebook where the engine stopped."""
    import nbformat

    output = nbformat.v4.new_output("error", ename="EngineError", evalue=message, traceback=[message])
    if notebook.cells[cell].cell_type == "code":
        notebook.cells[cell].outputs.append(output)


def _reuse(order: Order) -> Any:
    """The notebook as it is now, with the outputs of its last execution: text cells may have changed."""
    import nbformat

    assert order.executed is not None
    executed = nbformat.read(order.executed, as_version=4)
    injected = next(c for c in executed.cells if parameters.INJECTED in c.metadata.get("tags", []))
    current = parameters.inject(read_notebook(order.run.definition), {})
    outputs = [cell for cell in executed.cells if cell.cell_type == "code"]
    for position, cell in enumerate(current.cells):
        if cell.cell_type == "code":
            before = outputs.pop(0)
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
            if before is injected:
                current.cells[position] = before
    current.metadata = executed.metadata
    return clean(current)


def _certificates(notebook: Any) -> list[Any]:
    """What the disclosure control of the notebook certified: plain data, for a process that knows no notebooks."""
    import json

    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    found = [output["data"][CERTIFICATE] for output in outputs if CERTIFICATE in output.get("data", {})]
    return list(json.loads(json.dumps(found)))


def _render(
    order: Order,
    renderer: Any,
    notebook: Any,
    out: Path,
    failure: PolicyBriefError | None,
    certificates: list[Any],
) -> tuple[str, list[str]]:
    """Write all files of the brief but the manifest (of a failed run the page alone); render key and warnings."""
    import nbformat

    run = order.run
    written = out / "notebook.ipynb"
    nbformat.write(notebook, written)
    key = keys.rendering_key(
        hashlib.sha256(written.read_bytes()).hexdigest(),
        read_notebook(run.definition),
        order.printed,
        run.formats,
        order.renderer,
        order.environment,
    )
    keyed = {**order.provenance["keys"], "render": key}
    provenance = {**order.provenance, "disclosure": certificates, "keys": keyed}
    meta = {**order.printed, "provenance": provenance}
    formats = run.formats
    if failure is not None:
        meta["title"] = f"{meta['title']}（生成失败，内容不完整）"
        formats = ("html",)
    rendered = renderer.render(notebook, out, formats, meta)
    return key, list(rendered.warnings)
