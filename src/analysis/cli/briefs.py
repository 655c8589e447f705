"""The verbs of briefs, at the top of the command tree: build, list, explain, verify, compare, due, schedule, doctor, lab."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import RequestError

if TYPE_CHECKING:
    from ..briefs.plan import Request

Project = Annotated[
    Path | None, typer.Option(help="项目文件夹（默认：向上查找含 reports/definitions 的一层）")
]
SiteFolder = Annotated[Path | None, typer.Option(help="站点文件夹（默认 reports/site）")]
Regions = Annotated[list[str] | None, typer.Option(help="地区代码，可多次给出")]
Inputs = Annotated[list[str] | None, typer.Option("--input", help="其他输入：名=路径，可多次给出")]
Params = Annotated[list[str] | None, typer.Option("--param", "-p", help="笔记本参数：名=值，可多次给出")]


def add_to(app: typer.Typer) -> None:
    """Put the verbs on the top command."""
    app.command("build")(build)


def build(
    reports: Annotated[list[str] | None, typer.Argument(help="报告的 id；不写则为全部报告")] = None,
    period: Annotated[
        list[str] | None, typer.Option(help="报告期，如 2024-03、2024Q1、2024；默认为数据中最近的完整一期")
    ] = None,
    region: Regions = None,
    level: Annotated[str | None, typer.Option(help="某一级的全部地区：省、市或县")] = None,
    corpus: Annotated[str | None, typer.Option(help="政策文本：文件或文件夹")] = None,
    cases: Annotated[str | None, typer.Option(help="案件数据：文件、文件夹或数据库地址")] = None,
    input_: Inputs = None,
    param: Params = None,
    formats: Annotated[str | None, typer.Option("--format", help="html、pdf、docx，逗号分隔")] = None,
    engine: Annotated[str, typer.Option(help="渲染：nbconvert 或 quarto")] = "nbconvert",
    workers: Annotated[int, typer.Option(min=0, help="并行数；0 为核数")] = 0,
    site: SiteFolder = None,
    project: Project = None,
    force: Annotated[bool, typer.Option("--force", help="未变也重跑")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="不用预载进程，由 papermill 逐个启动内核")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="只在出错时说话")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="每个简报一行 JSON（标准输出）")] = False,
) -> None:
    """生成简报：执行笔记本，渲染 HTML、PDF、Word，发布到站点。"""
    from ..briefs import batch, definitions, plan, pool
    from .progress import Progress

    root = definitions.project_root(project)
    folder = _site(site, root)
    chosen = [definitions.load(name, root) for name in reports] if reports else definitions.load_all(root)
    if not chosen:
        raise RequestError(
            "项目中还没有报告定义", file=root / definitions.FOLDER, hint="格式见 docs/engine.md"
        )
    if engine not in ("nbconvert", "quarto"):
        raise RequestError("没有这种渲染方式", value=engine, hint="可用：nbconvert、quarto")
    digests = batch.memory(folder)
    progress = Progress(quiet=quiet, as_json=as_json, root=folder)
    runs = plan.plan(
        chosen, _request(period, region, level, corpus, cases, input_, param, formats), digests, progress.say
    )
    progress.total = len(runs)
    work = batch.Build(folder, digests, batch.Options(renderer=engine, force=force), progress.listen)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        outcomes = work.carry_out(
            runs, lambda waiting: pool.LocalPool(min(workers or _cores(), waiting), plain=plain)
        )
    except KeyboardInterrupt:
        progress.interrupted()
        sys.exit(1)
    progress.recap(outcomes)
    if not all(outcome.good for outcome in outcomes):
        sys.exit(1)


def _request(
    period: list[str] | None,
    region: list[str] | None,
    level: str | None,
    corpus: str | None,
    cases: str | None,
    inputs: list[str] | None,
    param: list[str] | None,
    formats: str | None,
) -> Request:
    from ..briefs.plan import Request

    given = _pairs(inputs, "--input")
    given |= {name: value for name, value in (("corpus", corpus), ("cases", cases)) if value}
    return Request(
        periods=tuple(period or ()),
        regions=tuple(region or ()),
        level=level,
        inputs=given,
        parameters=_pairs(param, "--param"),
        formats=tuple(part.strip() for part in formats.split(",") if part.strip()) if formats else (),
    )


def _pairs(texts: list[str] | None, option: str) -> dict[str, Any]:
    pairs = [text.partition("=") for text in texts or []]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise RequestError(f"{option} 应写成 名=值", value="、".join(wrong))
    return {name.strip(): value for name, _, value in pairs}


def _site(site: Path | None, root: Path) -> Path:
    return site if site is not None else root / "reports" / "site"


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
