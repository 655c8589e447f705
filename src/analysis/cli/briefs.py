"""The verbs of briefs, at the top of the command tree: build, list, explain, verify, compare, due, schedule, doctor, lab."""

from __future__ import annotations

import functools
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import RequestError

if TYPE_CHECKING:
    import datetime as dt

    from ..briefs.definitions import Definition
    from ..briefs.mail import Settings
    from ..briefs.plan import Request
    from ..briefs.pool import Pool

STATUS = {"succeeded": "已发布", "raised": "笔记本出错", "failed": "引擎故障"}

Project = Annotated[
    Path | None, typer.Option(help="项目文件夹（默认：向上查找含 reports/definitions 的一层）")
]
SiteFolder = Annotated[Path | None, typer.Option(help="站点文件夹（默认 reports/site）")]
Regions = Annotated[list[str] | None, typer.Option(help="地区代码，可多次给出")]
Inputs = Annotated[list[str] | None, typer.Option("--input", help="其他输入：名=路径，可多次给出")]
Params = Annotated[list[str] | None, typer.Option("--param", "-p", help="笔记本参数：名=值，可多次给出")]
Workers = Annotated[int, typer.Option(min=0, help="并行数；0 为核数")]
Plain = Annotated[bool, typer.Option("--plain", help="不用预载进程，由 papermill 逐个启动内核")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="只在出错时说话")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON（每行一条）")]
Mail = Annotated[bool, typer.Option("--mail", help="按 reports/mail.yml 发邮件")]
RunName = Annotated[str, typer.Argument(help="报告/地区/报告期，可只写前面的部分；或简报文件夹")]


def add_to(app: typer.Typer) -> None:
    """Put the verbs on the top command."""
    for verb in (build, list_, explain, verify, compare, due, schedule, doctor, lab):
        app.command(verb.__name__.rstrip("_"))(verb)


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
    workers: Workers = 0,
    dask: Annotated[str | None, typer.Option(help="Dask 调度器地址，如 tcp://host:8786")] = None,
    site: SiteFolder = None,
    project: Project = None,
    force: Annotated[bool, typer.Option("--force", help="未变也重跑")] = False,
    plain: Plain = False,
    mail: Mail = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """生成简报：执行笔记本，渲染 HTML、PDF、Word，发布到站点。"""
    from ..briefs import definitions

    root = definitions.project_root(project)
    chosen = [definitions.load(name, root) for name in reports] if reports else definitions.load_all(root)
    if not chosen:
        raise RequestError(
            "项目中还没有报告定义", file=root / definitions.FOLDER, hint="格式见 docs/engine.md"
        )
    request = _request(period, region, level, corpus, cases, input_, param, formats)
    _carry_out(
        [(chosen, request)], root, site, engine=engine, workers=workers, dask=dask, force=force, plain=plain,
        mail=mail, quiet=quiet, as_json=as_json,
    )  # fmt: skip


def list_(
    site: SiteFolder = None,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """列出已发布的简报（含内部与失败的）。"""
    import json

    from ..briefs import definitions, publish

    folder = _site(site, definitions.project_root(project))
    for root in (folder, publish.internal(folder)):
        if not root.is_dir():
            continue
        for place, manifest in publish.Site(root).manifests():
            made = manifest["reproducible"]
            if as_json:
                record = {
                    "run": made["run"],
                    "status": manifest["status"],
                    "folder": str(place),
                    "at": manifest["build"]["at"],
                }
                typer.echo(json.dumps(record, ensure_ascii=False))
                continue
            name = " ".join(
                part
                for part in (manifest["title"], manifest["region_name"], manifest["period_label"])
                if part
            )
            typer.echo(f"{made['run']}  {STATUS[manifest['status']]}  {name}")
            for file in ("index.html", "brief.pdf", "brief.docx"):
                if file in manifest["outputs"]:
                    typer.echo(f"    {place / file}")
    if not as_json and (folder / "index.html").is_file():
        typer.echo(f"目录：{folder / 'index.html'}")


def explain(run: RunName, site: SiteFolder = None, project: Project = None) -> None:
    """用文字说明一份简报会不会重跑、为什么。"""
    from ..briefs import batch, definitions, keys, recall

    root = definitions.project_root(project)
    folder = _site(site, root)
    digests = batch.memory(folder)
    build = batch.Build(folder, digests, batch.Options())
    job = build.prepare(recall.run(run, folder, root, digests))
    reasons = keys.explain(job.manifest["components"] if job.manifest else None, job.components)
    if reasons:
        typer.echo(f"{job.run.id} 会重新执行：")
        for reason in reasons:
            typer.echo(f"  · {reason}")
    elif job.manifest is not None and not build.rendered(job):
        typer.echo(
            f"{job.run.id} 不会重新执行，只重新渲染：模板、字体、渲染器、正文单元或格式变了，或有文件缺失"
        )
    else:
        typer.echo(f"{job.run.id} 不会重跑：代码、库、参数、输入与依赖都没有变")
    digests.save()


def verify(run: RunName, site: SiteFolder = None, project: Project = None, plain: Plain = False) -> None:
    """复核一份已发布的简报：重算哈希、重新运行、逐文件比较，说出哪里不同。"""
    from ..briefs import batch, definitions, recall
    from ..briefs import verify as verifying

    root = definitions.project_root(project)
    folder = _site(site, root)
    published = recall.folder(run, folder)
    it = recall.run(run, folder, root, batch.memory(folder))
    verdict = verifying.verify(it, published, plain=plain)
    for line in verdict.lines():
        typer.echo(line)
    if not verdict.good:
        sys.exit(1)


def compare(
    old: RunName, new: RunName, site: SiteFolder = None, project: Project = None, as_json: Json = False
) -> None:
    """比较两份简报：结果、表、文件与结论，按变化大小与区间是否重叠分级。"""
    import json

    from ..briefs import compare as comparing
    from ..briefs import definitions, recall

    folder = _site(site, definitions.project_root(project))
    found = comparing.compare(recall.folder(old, folder), recall.folder(new, folder))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        typer.echo("\n".join(comparing.lines(found)))


def due(
    as_of: Annotated[str | None, typer.Option(help="截至哪一天，YYYY-MM-DD（默认今天）")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="只列出，不生成")] = False,
    workers: Workers = 0,
    site: SiteFolder = None,
    project: Project = None,
    plain: Plain = False,
    mail: Mail = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """列出截至某日应有的简报，并在补做期数之内生成缺少的。"""
    from ..briefs import batch, definitions, publish
    from ..briefs import schedule as schedules
    from ..briefs.plan import Request

    root = definitions.project_root(project)
    folder = _site(site, root)
    known = {it.id: it for it in definitions.load_all(root)}
    digests = batch.memory(folder)
    inner = publish.internal(folder)
    found = schedules.due(
        known.values(),
        _day(as_of),
        publish.Site(folder),
        publish.Site(inner) if inner.is_dir() else None,
        digests,
    )
    digests.save()
    words = {"present": "已有", "missing": "缺少", "waiting": "数据未到"}
    for entry in found:
        if not quiet and not (as_json and not only_list):
            typer.echo(f"{entry.id}  {words[entry.state]}（{entry.since} 到期）", err=not only_list)
    missing = [entry for entry in found if entry.state == "missing"]
    if only_list or not missing:
        return
    requests = [
        (
            [known[entry.report]],
            Request(periods=(entry.period,), regions=(entry.region,) if entry.region else ()),
        )
        for entry in missing
    ]
    _carry_out(requests, root, site, workers=workers, plain=plain, mail=mail, quiet=quiet, as_json=as_json)


def schedule(
    kind: Annotated[str, typer.Argument(help="cron 或 systemd")],
    hour: Annotated[int, typer.Option(min=0, max=23, help="每天几点")] = 6,
    out: Annotated[Path | None, typer.Option(help="写入这个文件夹；不写则显示在屏幕上")] = None,
    site: SiteFolder = None,
    project: Project = None,
) -> None:
    """写出定时条目：crontab 一行，或 systemd 的 service 与 timer。"""
    from ..briefs import definitions
    from ..briefs import schedule as schedules

    root = definitions.project_root(project)
    folder = _site(site, root).absolute()
    if kind == "cron":
        files = {"policy-brief.cron": schedules.cron(root, folder, hour)}
    elif kind == "systemd":
        files = schedules.systemd(root, folder, hour)
    else:
        raise RequestError("没有这种排期", value=kind, hint="可用：cron、systemd")
    for name, text in files.items():
        if out is None:
            typer.echo(f"# {name}\n{text}" if len(files) > 1 else text)
        else:
            out.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, encoding="utf-8")
            typer.echo(out / name)


def doctor(site: SiteFolder = None, project: Project = None) -> None:
    """检查这台机器能不能生成简报，缺什么。"""
    from ..briefs import definitions
    from ..briefs import doctor as doctors

    try:
        root: Path | None = definitions.project_root(project)
    except RequestError:
        root = None
    folder = _site(site, root) if root is not None else site
    marks = {"ok": "✓", "optional": "–", "bad": "×"}
    checks = []
    for check in doctors.examine(root, folder):
        checks.append(check)
        typer.echo(f"{marks[check.state]} {check.name}：{check.said}")
    if any(check.state == "bad" for check in checks):
        sys.exit(1)


def lab(
    options: Annotated[
        list[str] | None,
        typer.Argument(help="原样交给 JupyterLab 的选项，写在 -- 之后，如 -- --no-browser --port=8899"),
    ] = None,
    project: Project = None,
) -> None:
    """在 notebooks/ 上打开 JupyterLab；它不联网查新闻和更新。"""
    import importlib.util
    import os

    from ..briefs import definitions

    root = definitions.project_root(project)
    if importlib.util.find_spec("jupyterlab") is None:
        raise RequestError(
            "没有安装 JupyterLab", hint="请安装附加组件：make lab，或 pip install policy-brief[lab]"
        )
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={root / 'notebooks'}", *_QUIET_LAB]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container, where else it would refuse in English
    os.execv(sys.executable, command + (options or []))


# Nothing needs the network once installed, and an office's machine asks no one for news.
_QUIET_LAB = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def _carry_out(
    requests: list[tuple[list[Definition], Request]],
    root: Path,
    site: Path | None,
    *,
    engine: str = "nbconvert",
    workers: int = 0,
    dask: str | None = None,
    force: bool = False,
    plain: bool = False,
    mail: bool = False,
    quiet: bool = False,
    as_json: bool = False,
) -> None:
    """Plan, build, recap, and exit with the status."""
    from ..briefs import batch, plan, publish
    from .progress import Progress

    folder = _site(site, root)
    publish.Site(folder).writable()  # said before anything is read
    _check_engine(engine)
    letters = _mail_settings(root) if mail else None
    digests = batch.memory(folder)
    progress = Progress(quiet=quiet, as_json=as_json, root=folder)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Made when the first run needs it; or while inputs are prepared, so that it loads its libraries meanwhile.
    pool = functools.cache(lambda: _pool(dask, workers or _cores(), plain))
    try:
        runs = [
            it
            for chosen, request in requests
            for it in plan.plan(chosen, request, digests, progress.say, pool)
        ]
        progress.total = len(runs)
        work = batch.Build(folder, digests, batch.Options(renderer=engine, force=force), progress.listen)
        outcomes = work.carry_out(runs, pool)
    except KeyboardInterrupt:
        progress.interrupted()
        sys.exit(1)
    finally:
        if pool.cache_info().currsize:
            pool().close()
    progress.recap(outcomes)
    if letters is not None:
        from ..briefs import mail as mailing

        progress.say(f"已发出 {mailing.send(letters, runs, outcomes, folder)} 封邮件")
    if not all(outcome.good for outcome in outcomes):
        sys.exit(1)


def _check_engine(engine: str) -> None:
    if engine == "quarto":
        from ..briefs import quarto

        quarto.executable()
    elif engine != "nbconvert":
        raise RequestError("没有这种渲染方式", value=engine, hint="可用：nbconvert、quarto")


def _mail_settings(root: Path) -> Settings:
    from ..briefs import mail

    return mail.settings(root)


def _pool(dask: str | None, workers: int, plain: bool) -> Pool:
    if dask is not None:
        from ..briefs import cluster

        return cluster.DaskPool(dask)
    from ..briefs import pool

    return pool.LocalPool(workers, plain=plain)


def _day(text: str | None) -> dt.date:
    import datetime as dt

    if text is None:
        return dt.date.today()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RequestError("日期写法不对", value=text, hint="请写成 YYYY-MM-DD") from None


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
