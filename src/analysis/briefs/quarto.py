"""Rendering by Quarto (``--engine quarto``): the same executed notebook, rendered where Quarto is installed.

Quarto ignores ``-P`` unless it executes, and writes outputs into the notebook it renders: so the notebook is executed
by us and Quarto gets a copy, with code cells told not to show their source. Results and tables come from our own
renderer, so that comparison and verification read the same files whichever made the pages.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import RenderError, RequestError
from .render import FILES, Rendered, Renderer

_TARGETS = {"html": "html", "pdf": "typst", "docx": "docx"}
_ENDINGS = {"html": "html", "pdf": "pdf", "docx": "docx"}
_SECONDS = 300


def executable() -> str:
    """Path of the Quarto command.

    Raises
    ------
    RequestError
        It is not installed; says what is missing.
    """
    found = shutil.which("quarto")
    if found is None:
        raise RequestError(
            "这台机器没有 quarto 命令，不能用 --engine quarto",
            hint="请从 quarto.org 安装 Quarto 并放入 PATH，或去掉 --engine（默认的 nbconvert 不需要它）",
        )
    return found


class QuartoRenderer:
    """Renders with the ``quarto`` command; one process a format."""

    def __init__(self) -> None:
        self._command = executable()
        self._ours = Renderer()

    def render(
        self, notebook: Mapping[str, Any], out_dir: Path, formats: Iterable[str], meta: Mapping[str, Any]
    ) -> Rendered:
        """As :meth:`analysis.briefs.render.Renderer.render`.

        Raises
        ------
        RenderError
            Quarto failed; its last words are in the message.
        """
        made = self._ours.render(notebook, out_dir, (), meta)
        files = dict(made.files)
        with tempfile.TemporaryDirectory(prefix="policy-brief-") as place:
            source = Path(place) / "brief.ipynb"
            source.write_text(json.dumps(_silent(notebook, meta), ensure_ascii=False), encoding="utf-8")
            for name in formats:
                self._run(source, name, meta)
                files[name] = out_dir / FILES[name]
                shutil.move(source.with_suffix(f".{_ENDINGS[name]}"), files[name])
        return Rendered(files, made.results, made.tables, made.warnings)

    def _run(self, source: Path, name: str, meta: Mapping[str, Any]) -> None:
        command = [self._command, "render", source.name, "--to", _TARGETS[name], "--no-execute"]
        command += [
            "-M",
            "lang:zh-CN",
            "-M",
            f"title:{meta['title']}",
            "-M",
            "embed-resources:true",
            "-M",
            "toc:true",
        ]
        try:
            done = subprocess.run(
                command, cwd=source.parent, capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise RenderError(f"quarto 超过 {_SECONDS} 秒未完成", value=name) from error
        if done.returncode != 0 or not source.with_suffix(f".{_ENDINGS[name]}").is_file():
            words = (done.stderr or done.stdout).strip().splitlines()[-3:]
            raise RenderError(
                f"quarto 渲染 {name} 失败：{' '.join(words)}", hint="可用 quarto check 检查安装"
            )


def _silent(notebook: Mapping[str, Any], meta: Mapping[str, Any]) -> Any:
    """A copy whose code cells show their outputs only, with the mark of 内部 and simulated briefs on top."""
    changed: dict[str, Any] = copy.deepcopy(dict(notebook))
    for cell in changed["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = "#| echo: false\n" + "".join(cell["source"])
    marks = ["内部资料"] * (meta.get("classification") == "内部") + ["模拟数据"] * bool(meta.get("simulated"))
    if marks:
        top = {"cell_type": "markdown", "id": "marks", "metadata": {}, "source": f"**{'　'.join(marks)}**"}
        changed["cells"] = [top, *changed["cells"]]
    return changed
