"""Is this machine fit to build briefs? (自检): one line a check, each with what to do when it fails."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import PolicyBriefError
from . import definitions, parameters, plan, publish, zygote

_LEAST_FREE = 500 * 2**20


@dataclass(frozen=True)
class Check:
    """One check (检查项): ``state`` is ``ok``, ``optional`` (absent, and only an extra needs it) or ``bad``."""

    name: str
    state: str
    said: str


def examine(root: Path | None, site: Path | None) -> Iterator[Check]:
    """All checks; ``root`` and ``site`` are ``None`` outside a project."""
    yield Check("Python", "ok" if sys.version_info >= (3, 11) else "bad", sys.version.split()[0])
    for name, module in (
        ("papermill", "papermill"),
        ("nbconvert", "nbconvert"),
        ("duckdb", "duckdb"),
        ("ibis", "ibis"),
        ("matplotlib", "matplotlib"),
    ):
        yield _try(name, lambda module=module: str(importlib.import_module(module).__version__))  # type: ignore[misc]
    yield _try("pandoc", _pandoc)
    yield _try("typst 与字体", _page)
    yield _try("执行引擎", _engine)
    for name, module, what in (
        ("JupyterLab", "jupyterlab", "policy-brief lab"),
        ("Dask", "distributed", "--dask"),
    ):
        yield _extra(name, module, what)
    yield Check(
        "Quarto",
        "ok" if (found := shutil.which("quarto")) else "optional",
        found or "没有安装；只有 --engine quarto 需要它",
    )
    if root is not None:
        yield from _project(root)
    if site is not None:
        yield _try("站点", lambda: _site(site))


def _try(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", check())
    except PolicyBriefError as error:
        return Check(name, "bad", str(error))
    except Exception as error:  # a check tells whatever goes wrong
        return Check(name, "bad", f"{type(error).__name__}: {error}")


def _extra(name: str, module: str, what: str) -> Check:
    if importlib.util.find_spec(module) is None:
        return Check(name, "optional", f"没有安装；只有 {what} 需要它")
    return Check(name, "ok", "已安装")


def _pandoc() -> str:
    import pypandoc

    return str(pypandoc.get_pandoc_version())


def _page() -> str:
    """A page with Chinese text through the real renderer."""
    from .render import Renderer

    cell = {"cell_type": "markdown", "metadata": {}, "source": "信访工作法治化"}
    with tempfile.TemporaryDirectory(prefix="policy-brief-") as place:
        Renderer().render({"cells": [cell], "metadata": {}}, Path(place), ("html", "pdf"), {"title": "自检"})
        size = (Path(place) / "brief.pdf").stat().st_size
    return f"能生成中文 PDF（{size // 1024} KB）"


def _engine() -> str:
    if not zygote.available():
        return "本机不派生进程，由 papermill 逐个启动内核（较慢，结果相同）"
    with zygote.Zygote() as parent:
        parent.fork("cells").close()
    return "预载进程可用"


def _project(root: Path) -> Iterator[Check]:
    names = definitions.names(root)
    if not names:
        yield Check("报告定义", "bad", f"{root / definitions.FOLDER} 中没有定义")
    for name in names:
        yield _try(f"报告 {name}", lambda name=name: _definition(name, root))  # type: ignore[misc]


def _definition(name: str, root: Path) -> str:
    definition = definitions.load(name, root)
    declared = parameters.declared(plan.read_notebook(definition))
    missing = [name for name in definition.inputs if name not in declared]
    if missing:
        raise PolicyBriefError(f"笔记本没有声明参数 {'、'.join(missing)}", file=definition.notebook_file)
    return f"{definition.title}（{definition.classification}）"


def _site(site: Path) -> str:
    publish.Site(site).writable()
    free = shutil.disk_usage(site).free
    if free < _LEAST_FREE:
        raise PolicyBriefError(f"磁盘只剩 {free // 2**20} MB", file=site, hint="请清理磁盘")
    return f"{site} 可写，余 {free / 2**30:.1f} GB"
