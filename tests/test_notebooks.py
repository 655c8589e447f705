"""The notebooks themselves: stored without outputs, thin, typed parameters, and the exploring ones run on the sample."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))
EXPLORE = [path for path in NOTEBOOKS if path.parent.name == "explore"]
LOGIC = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.While, ast.Try)


def name(path: Path) -> str:
    return path.relative_to(ROOT / "notebooks").as_posix()


def code(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_are_notebooks_for_briefs_and_for_exploring() -> None:
    assert {path.parent.name for path in NOTEBOOKS} == {"briefs", "explore"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_stored_without_outputs(path: Path) -> None:
    nbformat.validate(nbformat.read(path, as_version=4))
    for cell in code(path):
        assert not cell.outputs
        assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_thin(path: Path) -> None:
    """Parameters, calls, narrative: functions, classes and control flow belong to the library."""
    for cell in code(path):
        tree = ast.parse(cell.source)
        found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, LOGIC)]
        assert not found, f"{found} in {cell.source[:80]!r}"
        assert sum(1 for line in cell.source.splitlines() if line.strip()) <= 25, cell.source[:80]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_parameters_are_typed_and_stand_in_one_cell(path: Path) -> None:
    tagged = [cell for cell in code(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    for node in ast.parse(tagged[0].source).body:
        assert isinstance(node, ast.AnnAssign), ast.unparse(node)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_opens_in_jupyterlab_as_it_stands(path: Path) -> None:
    """A title first, the kernel's own name (else opening changes the file), and paths that lead from its own folder."""
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[0].source.startswith("# ")
    assert notebook.metadata.kernelspec.display_name == "Python 3 (ipykernel)"
    (parameters,) = [cell for cell in code(path) if "parameters" in cell.metadata.get("tags", [])]
    given = [node.value for node in ast.parse(parameters.source).body if isinstance(node, ast.AnnAssign)]
    texts = [node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    for text in texts:
        if "/" in text:
            assert (path.parent / text).exists(), text


@pytest.mark.slow
@pytest.mark.parametrize("path", EXPLORE, ids=name)
def test_exploring_notebook_runs_on_the_sample(path: Path) -> None:
    """Each in a kernel of its own, from its own folder, as JupyterLab would run it; its failure is the test's."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any(output.output_type in ("display_data", "execute_result") for output in shown)
    assert not any(output.output_type == "error" for output in shown)
