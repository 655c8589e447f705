"""The engine against plain papermill, and what a single-use process promises."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from analysis.briefs import parameters, run, zygote
from analysis.briefs.forked import StoppedError
from analysis.briefs.pool import LocalPool
from analysis.briefs.zygote import Zygote

pytestmark = pytest.mark.skipif(
    not zygote.available(), reason="runs are forked on Linux only; elsewhere plainly"
)


@pytest.fixture(scope="module")
def parent() -> Iterator[Zygote]:
    with Zygote() as it:
        yield it


def notebook(*codes: str, tags: dict[int, list[str]] | None = None) -> Any:
    cells = [nbformat.v4.new_code_cell(code) for code in codes]
    for number, names in (tags or {}).items():
        cells[number].metadata["tags"] = names
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def execute(it: Any, engine: str | None = "policy-brief", **options: Any) -> Any:
    return papermill.execute_notebook(it, None, engine_name=engine, progress_bar=False, **options)


def printed(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["outputs", "counts"])
def test_every_notebook_is_the_same_by_plain_papermill_and_by_the_engine(
    name: str, root: Path, tmp_path: Path, parent: Zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(
        "PYTEST_CURRENT_TEST"
    )  # under it a kernel does not catch what its child processes print
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs/table.csv").write_text("region,month,count\n990102,2024-02,4\n990102,2024-03,5\n")
    source = nbformat.read(root / "tests/notebooks" / f"{name}.ipynb", as_version=4)
    values = {"region": "990102", "word": "件次"} if name == "counts" else {"title": "中文题"}
    filled = parameters.inject(source, values)
    ours = run.clean(execute(filled, zygote=parent, cwd=str(tmp_path)))
    plain = run.clean(execute(filled, engine=None, cwd=str(tmp_path)))
    assert ours == plain


def test_the_plain_command_knows_the_engine(tmp_path: Path) -> None:
    nbformat.write(notebook("x = 1", "print(x + 1)", tags={0: ["parameters"]}), tmp_path / "in.ipynb")
    subprocess.run(
        [sys.executable, "-m", "papermill", "--engine", "policy-brief", "--no-progress-bar",
         str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), "-p", "x", "41"],
        check=True, capture_output=True,
    )  # fmt: skip
    made = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert printed(made.cells[-1]) == "42\n"
    assert made.metadata.papermill.parameters == {"x": 41}


def test_either_import_may_come_first() -> None:
    for first, second in (("papermill", "analysis.briefs.engine"), ("analysis.briefs.engine", "papermill")):
        code = (
            f"import {first}, {second}, papermill, analysis.briefs.engine as e\n"
            "from papermill.engines import papermill_engines as known\n"
            "assert known.get_engine('policy-brief') is e.PolicyBriefEngine"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


def test_no_state_leaks_from_one_run_to_the_next(parent: Zygote, tmp_path: Path) -> None:
    spoil = notebook(
        "import os, sys, random, pandas, matplotlib as mpl\n"
        "left = 1; os.environ['LEFT'] = '1'; sys.path.append('/left'); random.seed(1)\n"
        "pandas.options.display.max_rows = 3; mpl.rcParams['font.size'] = 99; os.chdir('/')\n"
        "sys.modules['left'] = sys"
    )
    look = notebook(
        "import os, sys, pandas, matplotlib as mpl\n"
        "print('left' in globals(), 'LEFT' in os.environ, '/left' in sys.path, 'left' in sys.modules,"
        " pandas.options.display.max_rows == 3, mpl.rcParams['font.size'] == 99, os.getcwd())"
    )
    execute(spoil, zygote=parent, cwd=str(tmp_path))
    made = execute(look, zygote=parent, cwd=str(tmp_path))
    assert printed(made.cells[0]) == f"False False False False False False {tmp_path}\n"
    assert made.cells[0].execution_count == 1


def test_two_runs_draw_different_chance_and_the_same_hashes(parent: Zygote) -> None:
    it = notebook("import random, numpy\nprint(random.random(), numpy.random.random(), hash('信访'))")
    one, other = (printed(execute(it, zygote=parent).cells[0]).split() for _ in range(2))
    assert one[0] != other[0]
    assert one[1] != other[1]
    assert one[2] == other[2]


def test_a_raising_cell_stops_and_an_allowed_one_does_not(parent: Zygote, tmp_path: Path) -> None:
    allowed = notebook("1/0", "print('after')", tags={0: ["raises-exception"]})
    for it, after in ((allowed, "after\n"), (notebook("1/0", "print('after')"), "")):
        # papermill names any error at the end; the tag decides whether the cells after it run.
        with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
            papermill.execute_notebook(
                it, str(tmp_path / "out.ipynb"), engine_name="policy-brief", progress_bar=False, zygote=parent
            )
        made = nbformat.read(tmp_path / "out.ipynb", as_version=4)
        assert printed(made.cells[-1]) == after


def test_a_killed_process_is_told_with_what_it_had_shown(parent: Zygote) -> None:
    it = notebook(
        "print('shown')", "print('half', flush=True)\nimport os; os.kill(os.getpid(), 9)", "print('never')"
    )
    with pytest.raises(StoppedError, match="SIGKILL") as caught:
        execute(it, zygote=parent)
    assert caught.value.transient
    assert caught.value.cell == 1
    assert [printed(cell) for cell in caught.value.notebook.cells] == ["shown\n", "half\n", ""]
    assert printed(execute(notebook("print(1)"), zygote=parent).cells[0]) == "1\n"  # the next run is well


def test_limits_kill_everything_the_run_started(parent: Zygote, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    it = notebook(
        f"import subprocess, time\nchild = subprocess.Popen(['sleep', '60'])\nopen({str(mark)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    with pytest.raises(StoppedError, match="时限") as caught:
        execute(it, zygote=parent, seconds=1.0)
    assert not caught.value.transient
    deadline = time.monotonic() + 5
    while _alive(int(mark.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(int(mark.read_text()))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_memory_of_a_run_is_measured(parent: Zygote) -> None:
    measured: dict[str, float] = {}
    execute(notebook("held = bytearray(200 << 20)"), zygote=parent, measured=measured)
    assert 200 < measured["memory_mb"] < 1000


def test_the_zygote_has_one_thread(parent: Zygote) -> None:
    parent.fork("cells").close()
    assert len(os.listdir(f"/proc/{parent.pid}/task")) == 1


def test_what_a_run_imports_can_be_had_before_the_next(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("here = 1")
    with Zygote() as it:
        measured: dict[str, Any] = {}
        execute(notebook("import beside, sqlite3"), zygote=it, cwd=str(tmp_path), measured=measured)
        assert "sqlite3" in measured["modules"]
        assert "beside" not in measured["modules"]  # a run's own file is nobody else's
        it.preload(measured["modules"])
        again: dict[str, Any] = {}
        made = execute(
            notebook("import sys; print('sqlite3' in sys.modules); import beside"),
            zygote=it, cwd=str(tmp_path), measured=again,
        )  # fmt: skip
        assert printed(made.cells[0]) == "True\n"
        assert "sqlite3" not in again["modules"]


@pytest.fixture
def threaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that starts a thread when it is imported."""
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]))  # fmt: skip
    return "threaded"


def test_a_library_that_starts_threads_is_not_held_by_the_zygote(threaded: str) -> None:
    with Zygote() as it:
        it.preload([threaded])
        made = execute(notebook(f"import sys; print({threaded!r} in sys.modules)"), zygote=it)
        assert printed(made.cells[0]) == "False\n"
        assert len(os.listdir(f"/proc/{it.pid}/task")) == 1


def test_without_a_zygote_the_pool_goes_on_with_plain_kernels(threaded: str, project: Any) -> None:
    real, project._pool = project._pool, lambda: LocalPool(1, modules=[threaded])
    (outcome,) = project.build("counts", region="990102")
    project._pool = real
    assert outcome.good
    assert outcome.mode == "plain"


def test_children_go_with_a_killed_zygote() -> None:
    it = Zygote()
    child = it.fork("cells")
    os.kill(it.pid, 9)
    deadline = time.monotonic() + 5
    while _alive(child.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(child.pid)
    child.connection.close()
    it.close()


def test_magics_shell_and_await_work(parent: Zygote) -> None:
    it = notebook(
        "!echo 命令", "%precision 2\n3.14159", "import asyncio\nawait asyncio.sleep(0)\n'done'", "input()"
    )
    with pytest.raises(papermill.PapermillExecutionError, match="StdinNotImplemented|input"):
        execute(it, zygote=parent)
    made = execute(notebook(*[cell.source for cell in it.cells[:3]]), zygote=parent)
    assert printed(made.cells[0]).strip() == "命令"
    assert made.cells[1].outputs[0].data["text/plain"] == "3.14"
    assert made.cells[2].outputs[0].data["text/plain"] == "'done'"


def test_another_language_goes_to_papermills_own_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    from papermill.engines import NBClientEngine

    seen: list[str] = []
    monkeypatch.setattr(
        NBClientEngine,
        "execute_managed_notebook",
        classmethod(lambda cls, nb, kernel, **_: seen.append(kernel)),
    )
    it = notebook("cat(1)")
    it.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    execute(it)
    assert seen == ["ir"]
