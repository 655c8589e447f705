"""``--engine quarto`` with a stand-in for the executable: Quarto itself is not installed where tests run.

The stand-in keeps what it was called with and writes the file Quarto would write, so these tests hold our side of the
bargain (a copy, silent code, the arguments, moving the result); they say nothing of Quarto's own rendering.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from analysis.briefs import quarto
from analysis.errors import RenderError, RequestError

STAND_IN = """#!/bin/sh
# stand-in for quarto: quarto render FILE --to FORMAT …
echo "$@" >> "$QUARTO_CALLS"
cp "$2" "$QUARTO_CALLS.ipynb"
echo '{"spoiled": true}' > "$2.tmp"
case "$4" in html) end=html;; typst) end=pdf;; docx) end=docx;; esac
[ -n "$QUARTO_FAILS" ] && { echo "ERROR: no such thing" >&2; exit 1; }
echo "made $4" > "${2%.ipynb}.$end"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "bin"
    place.mkdir()
    (place / "quarto").write_text(STAND_IN)
    (place / "quarto").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("QUARTO_CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def executed() -> Any:
    cell = nbformat.v4.new_code_cell("secret = 1", outputs=[nbformat.v4.new_output("stream", text="shown")])
    return nbformat.v4.new_notebook(cells=[cell])


META = {"title": "题", "classification": "内部", "simulated": True}


def test_the_executed_notebook_is_copied_silenced_and_rendered(calls: Path, tmp_path: Path) -> None:
    notebook = executed()
    made = quarto.QuartoRenderer().render(notebook, tmp_path / "out", ("html", "pdf", "docx"), META)
    assert notebook == executed() | {"cells": notebook["cells"]}
    assert {file.name for file in (tmp_path / "out").iterdir()} >= {
        "index.html",
        "brief.pdf",
        "brief.docx",
        "results.json",
    }
    assert made.files["pdf"].read_text() == "made typst\n"
    lines = calls.read_text().splitlines()
    assert [line.split()[3] for line in lines] == ["html", "typst", "docx"]
    assert all("--no-execute" in line and "title:题" in line and "-P" not in line.split() for line in lines)
    given = json.loads(calls.with_suffix(".ipynb").read_text())
    assert "".join(given["cells"][1]["source"]).startswith("#| echo: false\n")
    assert "内部资料" in given["cells"][0]["source"]
    assert "模拟数据" in given["cells"][0]["source"]
    assert given["cells"][1]["outputs"][0]["text"] == "shown"


def test_its_failure_is_ours_in_one_sentence(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTO_FAILS", "1")
    with pytest.raises(RenderError, match="quarto 渲染 html 失败：ERROR: no such thing"):
        quarto.QuartoRenderer().render(executed(), tmp_path / "out", ("html",), META)


def test_where_it_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RequestError, match="没有 quarto 命令"):
        quarto.executable()
