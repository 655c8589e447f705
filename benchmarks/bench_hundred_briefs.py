"""A hundred county briefs, HTML and PDF, against what a user of papermill and nbconvert has.

County briefs of 2, 8 and 16 charts (one query and one chart a cell, two tables, named results) on the sample's simulated
petitions, and the project's own monthly brief as it is. Compared, in this one run:

(a) a loop of ``papermill``, ``jupyter nbconvert --to html`` and the fastest PDF route such a user has (Chromium's
    ``--print-to-pdf`` or pandoc and typst, whichever is faster here);
(b) the same with as many processes as cores;
(c) Quarto, where it is installed;
floor: the same cells called in one warm process a core, with the same renders as ours.

The slow side runs a few briefs and is scaled to a hundred; the detail says how many.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

NAME = "hundred_briefs_vs_loop"

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "data" / "sample" / "cases"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
HUNDRED = 100
BRIEFS = int(
    os.environ.get("POLICY_BRIEF_BENCH_BRIEFS", HUNDRED)
)  # that our side makes; fewer for a quick look
SLOW = 4 if BRIEFS >= HUNDRED else 2  # briefs that the slow side makes, an even number for (b)
PERIOD = "2024-03"
COMMAND = [sys.executable, "-c", "from analysis.cli import main; main()"]

# One aggregate a chart, so that charts of a brief differ.
MEASURES = (
    ("每月登记", "count(*)"), ("每月答复", "count(replied_at)"), ("每月办结", "count(concluded_at)"),
    ("每月化解", "count(resolved_at)"), ("平均延期", "avg(coalesce(extended_days, 0))"),
    ("答复天数", "avg(date_diff('day', CAST(registered_at AS DATE), CAST(replied_at AS DATE)))"),
    ("办结天数", "avg(date_diff('day', CAST(registered_at AS DATE), CAST(concluded_at AS DATE)))"),
    ("复查", "count(review_requested_at)"),
)  # fmt: skip


def run() -> list[dict[str, Any]]:
    """All comparisons; items begin with the benchmark's name."""
    with tempfile.TemporaryDirectory(prefix="policy-brief-bench-") as place:
        project = make_project(Path(place))
        regions = counties(project)
        items = compare(project, "charts_8", regions, BRIEFS, NAME)
        items += look_ups(project, regions[:BRIEFS])
        for report in ("charts_2", "charts_16"):
            items += compare(project, report, regions, min(BRIEFS, 40), None)
        items += cold(project, regions[0])
        items += compare(monthly(project), "monthly", regions, min(BRIEFS, 12), None)
        return items


def compare(
    project: Path, report: str, regions: list[str], count: int, headline: str | None
) -> list[dict[str, Any]]:
    """Ours against (a), (b) and the floor for one report."""
    chosen = (regions * 2)[:count] if count > len(regions) else regions[:count]
    once = sorted(set(chosen))
    ours, memory = build(project, report, once, fresh=True)
    ours_each = ours / len(once)
    floor_each = floor(project, report, once[: min(len(once), 20)])
    work = project / "loop" / report
    loop_each, steps = loop(project, report, once[:SLOW], work, 1)
    both_each, _ = loop(project, report, once[:SLOW], work, CORES)
    told = (
        f"{len(once)} county briefs HTML+PDF: {ours:.1f} s with {CORES} workers ({ours_each * HUNDRED:.0f} s per 100, start-up included); "
        f"(a) {loop_each * HUNDRED:.0f} s per 100, scaled from {SLOW} ({steps}); (b) {both_each * HUNDRED:.0f} s per 100; "
        f"floor {floor_each * HUNDRED:.0f} s per 100; (c) {quarto()}; a run's process at most {memory:.0f} MB"
    )
    name = f"{NAME}.{report}"
    return [
        item(
            headline or name,
            loop_each / ours_each,
            "(a) papermill + nbconvert + PDF, one after the other",
            "higher",
            told,
        ),
        item(
            f"{name}_vs_processes",
            both_each / ours_each,
            f"(b) the same in {CORES} processes",
            "higher",
            told,
        ),
        item(
            f"{name}_vs_floor",
            ours_each / floor_each,
            "the same cells warm, one process a core",
            "lower",
            told,
        ),
    ]


def look_ups(project: Path, regions: list[str]) -> list[dict[str, Any]]:
    """Nothing changed, and one county's rows changed."""
    seconds, _ = build(project, "charts_8", regions)
    seconds = min(seconds, build(project, "charts_8", regions)[0])
    changed = regions[7]
    touch_county(project, changed)
    done = policy_brief(project, "build", "charts_8", *asked(regions), "--json")
    states = [json.loads(line) for line in done.stdout.splitlines()]
    again = [state["run"].split("/")[1] for state in states if state["status"] != "unchanged"]
    why = policy_brief(project, "explain", f"charts_8/{regions[0]}/{PERIOD}").stdout.strip()
    return [
        item(f"{NAME}.unchanged", seconds, "1 s", "lower", f"{len(regions)} unchanged briefs looked up in {seconds:.2f} s, process start included"),
        item(f"{NAME}.one_county_changed", len(again), "1 brief", "lower", f"rows of {changed} changed; executed again: {again}; another county: {why}"),
    ]  # fmt: skip


def cold(project: Path, region: str) -> list[dict[str, Any]]:
    """One brief from nothing, against the papermill command followed by the same renderer."""
    shutil.rmtree(project / "site", ignore_errors=True)
    ours = timed(lambda: policy_brief(project, "build", "charts_8", *asked([region]), "--format", "html,pdf"))
    work = prepare(project, "charts_8", region, project / "cold")
    render = (
        "import json, pathlib; from analysis.briefs.render import Renderer; "
        "Renderer().render(json.loads(pathlib.Path('out.ipynb').read_text()), pathlib.Path('out'), ('html', 'pdf'), {'title': '简报'})"
    )
    theirs = timed(lambda: (papermill(work, region), call([sys.executable, "-c", render], work)))
    told = f"one brief of 8 charts from a cold start: {ours:.1f} s; papermill, then the same HTML and PDF: {theirs:.1f} s"
    return [item(f"{NAME}.cold", ours / theirs, "papermill + the same renders", "lower", told)]


# --- the sides ----------------------------------------------------------------------------------------------------


def build(project: Path, report: str, regions: list[str], *, fresh: bool = False) -> tuple[float, float]:
    """Seconds of one build command, and the greatest memory of a run."""
    if fresh:
        shutil.rmtree(project / "site", ignore_errors=True)
    started = time.perf_counter()
    done = policy_brief(project, "build", report, *asked(regions), "--format", "html,pdf", "--json")
    seconds = time.perf_counter() - started
    states = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(states) == len(regions), done.stderr
    assert all(state["status"] in ("succeeded", "unchanged") for state in states), done.stderr
    return seconds, max((state["memory_mb"] or 0 for state in states), default=0)


def loop(project: Path, report: str, regions: list[str], work: Path, processes: int) -> tuple[float, str]:
    """Seconds a brief of papermill + nbconvert + PDF, and of which steps they consist."""
    places = {region: prepare(project, report, region, work) for region in regions}
    first = places[regions[0]]
    papermill(first, regions[0])
    nbconvert(first)
    routes = {"Chromium": chromium, "pandoc and typst": pandoc_typst}
    route = min(routes, key=lambda name: timed_or_never(lambda: routes[name](first)))
    spent = {"papermill": 0.0, "nbconvert": 0.0, route: 0.0}

    def one(region: str) -> None:
        for name, step in (("papermill", lambda: papermill(places[region], region)), ("nbconvert", lambda: nbconvert(places[region])),
                           (route, lambda: routes[route](places[region]))):  # fmt: skip
            spent[name] += timed(step)

    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(processes) as threads:
        list(threads.map(one, regions))
    each = (time.perf_counter() - started) / len(regions)
    return each, ", ".join(f"{name} {seconds / len(regions):.1f} s" for name, seconds in spent.items())


def floor(project: Path, report: str, regions: list[str]) -> float:
    """Seconds a brief of the same cells and renders in one warm process a core."""
    works = {region: prepare(project, report, region, project / "floor" / report) for region in regions}
    shares = [regions[k::CORES] for k in range(CORES)]
    program = [sys.executable, str(Path(__file__).resolve()), "floor"]
    started = [
        subprocess.Popen(
            [*program, *(f"{region}={works[region]}" for region in share)], stdout=subprocess.PIPE, text=True
        )
        for share in shares
    ]
    spent = [json.loads(process.communicate()[0].splitlines()[-1]) for process in started]
    assert all(process.returncode == 0 for process in started)
    return max(spent) / len(regions)


def warm_process(shares: list[str]) -> None:
    """The floor's own process: everything is imported and one brief made before the clock starts."""
    import matplotlib.pyplot as plt

    from analysis.briefs.render import Renderer
    from analysis.briefs.shell import CellShell

    shell, renderer = CellShell(), Renderer()

    def brief(region: str, work: str) -> None:
        os.chdir(work)
        notebook = nbformat.read("in.ipynb", as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                source = cell.source + (
                    f"\nregion = {region!r}; period = {PERIOD!r}"
                    if "parameters" in cell.metadata.get("tags", [])
                    else ""
                )
                succeeded, _ = shell.run(
                    source, lambda kind, content, cell=cell: cell.outputs.append(output(kind, content))
                )
                assert succeeded, cell.source
        plt.close("all")
        renderer.render(notebook, Path("out"), ("html", "pdf"), {"title": "简报"})

    pairs = [share.split("=", 1) for share in shares]
    brief(*pairs[0])
    started = time.perf_counter()
    for region, work in pairs:
        brief(region, work)
    sys.__stdout__.write(f"\n{time.perf_counter() - started}\n")  # type: ignore[union-attr]


def output(kind: str, content: dict[str, Any]) -> Any:
    message = {"msg_type": kind, "header": {"msg_type": kind}, "content": content}
    return nbformat.v4.output_from_msg(message)


# --- steps --------------------------------------------------------------------------------------------------------


def policy_brief(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    where = [] if arguments[0] == "explain" else ["--workers", str(CORES)]
    program = [*COMMAND, *arguments, "--project", str(project), "--site", str(project / "site"), *where]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def asked(regions: list[str]) -> list[str]:
    return ["--period", PERIOD, *[part for region in regions for part in ("--region", region)]]


def prepare(project: Path, report: str, region: str, folder: Path) -> Path:
    """A working folder as a careful user makes it: the notebook, and the inputs where it looks for them."""
    work = folder / region
    (work / "inputs").mkdir(parents=True, exist_ok=True)
    source = (
        ROOT / "notebooks" / "briefs" / "monthly.ipynb"
        if report == "monthly"
        else project / "nb" / f"{report}.ipynb"
    )
    shutil.copy(source, work / "in.ipynb")
    link = work / "inputs" / "cases"
    if not link.exists():
        link.symlink_to(CASES if report == "monthly" else project / "cases")
    if report == "monthly":
        notebook = nbformat.read(work / "in.ipynb", as_version=4)
        for cell in notebook.cells:
            if "parameters" in cell.metadata.get("tags", []):
                cell.source += f'\ncases = "inputs/cases"\ncorpus = {str(ROOT / "data/sample/documents")!r}'
        nbformat.write(notebook, work / "in.ipynb")
    return work


def papermill(work: Path, region: str) -> None:
    call(
        [
            sys.executable,
            "-m",
            "papermill",
            "--no-progress-bar",
            "in.ipynb",
            "out.ipynb",
            "-r",
            "region",
            region,
            "-r",
            "period",
            PERIOD,
        ],
        work,
    )


def nbconvert(work: Path) -> None:
    call([sys.executable, "-m", "nbconvert", "--to", "html", "--no-input", "out.ipynb"], work)


def chromium(work: Path) -> None:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "no Chromium on this machine"
    call([program, "--headless", "--no-sandbox", "--disable-gpu", "--print-to-pdf=out.pdf", "out.html"], work)


def pandoc_typst(work: Path) -> None:
    import pypandoc

    call(
        [
            pypandoc.get_pandoc_path(),
            "out.html",
            "-s",
            "-t",
            "typst",
            "--extract-media=media",
            "-o",
            "out.typ",
        ],
        work,
    )
    call([sys.executable, "-c", "import typst; typst.compile('out.typ', output='out.pdf')"], work)


def call(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def timed(step: Callable[[], Any]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def timed_or_never(step: Callable[[], Any]) -> float:
    try:
        return timed(step)
    except AssertionError:
        return float("inf")


def quarto() -> str:
    return (
        "Quarto is installed but not measured here"
        if shutil.which("quarto")
        else "Quarto is not installed here"
    )


def item(name: str, ratio: float, against: str, better: str, detail: str) -> dict[str, Any]:
    return {"name": name, "ratio": round(ratio, 2), "against": against, "better": better, "detail": detail}


# --- the project measured -----------------------------------------------------------------------------------------


def make_project(place: Path) -> Path:
    """A project with a copy of the sample's case tables and a notebook for each number of charts."""
    (place / "reports" / "definitions").mkdir(parents=True)
    (place / "nb").mkdir()
    shutil.copytree(CASES, place / "cases")
    for charts in (2, 8, 16):
        name = f"charts_{charts}"
        nbformat.write(notebook(charts), place / "nb" / f"{name}.ipynb")
        (place / "reports" / "definitions" / f"{name}.yml").write_text(
            f"title: 县区简报\nnotebook: nb/{name}.ipynb\nversion: 1\nformats: [html, pdf]\nperiod: month\n"
            "region: {levels: [县], default: '990102'}\ninputs:\n  cases:\n    path: cases\n    slices:\n"
            "      - {name: 本县, region: self, tables: {matters: locality_code, petitions: locality_code}}\n",
            encoding="utf-8",
        )
    return place


def monthly(project: Path) -> Path:
    """The same place with the project's own monthly brief in it, its inputs by absolute path."""
    text = (ROOT / "reports" / "definitions" / "monthly.yml").read_text(encoding="utf-8")
    text = text.replace("data/sample/", f"{ROOT}/data/sample/").replace("notebooks/", f"{ROOT}/notebooks/")
    (project / "reports" / "definitions" / "monthly.yml").write_text(text, encoding="utf-8")
    return project


def notebook(charts: int) -> Any:
    """A county brief of that many charts."""
    code = [
        f'period: str = "{PERIOD}"  # 报告期\nregion: str = "990102"  # 地区代码\ncases: str = "inputs/cases"  # 案件数据',
        "import duckdb\nimport matplotlib.pyplot as plt\n\nfrom analysis import display\n\ndisplay.use()\n"
        'con = duckdb.connect(config={"threads": 1})\n'
        "con.execute(f\"CREATE TABLE matters AS SELECT * FROM read_parquet('{cases}/matters.parquet') WHERE locality_code = '{region}'\")",
    ]
    for k in range(charts):
        title, measure = MEASURES[k % len(MEASURES)]
        where = "" if k < len(MEASURES) else " WHERE channel = '网信'"
        code.append(
            f"frame = con.execute(\"SELECT strftime(CAST(registered_at AS DATE), '%Y-%m') AS month, {measure} AS value "
            f'FROM matters{where} GROUP BY month ORDER BY month").df()\n'
            "figure, axes = plt.subplots(figsize=(6, 3))\naxes.plot(range(len(frame)), frame['value'])\n"
            f"axes.set_ylabel('{title}')\n"
            f"display.chart(figure, name='chart{k}', caption='{title}（{k + 1}）', alt='{title}的折线')\n"
            f"display.result('{title}{k}', float(frame['value'].iloc[-1]), unit='件')\n"
            f"display.finding('最近一月{title}为 {{{title}{k}}}。')"
        )
    for name, column in (("topics", "topic_1"), ("channels", "channel")):
        code.append(
            f'table = con.execute("SELECT {column} AS 类别, count(*) AS 件数 FROM matters GROUP BY ALL ORDER BY 件数 DESC, 类别").df()\n'
            f"display.table(table, name='{name}', caption='{name}')"
        )
    cells = [
        nbformat.v4.new_code_cell(text, metadata={"tags": ["parameters"]} if k == 0 else {})
        for k, text in enumerate(code)
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# 县区简报"), *cells], metadata={"kernelspec": kernel}
    )


def counties(project: Path) -> list[str]:
    """The counties that have matters in the sample."""
    import duckdb

    rows = duckdb.sql(
        f"SELECT locality_code FROM read_parquet('{project}/cases/matters.parquet') WHERE locality_code LIKE '99____' "
        "AND NOT locality_code LIKE '%00' GROUP BY 1 HAVING count(*) > 300 ORDER BY 1"
    ).fetchall()
    from analysis import regions

    return [code for (code,) in rows if code in regions.load()]


def touch_county(project: Path, region: str) -> None:
    """Add a day to one matter of a county."""
    import duckdb

    file = project / "cases" / "matters.parquet"
    duckdb.sql(
        f"COPY (SELECT * REPLACE (CASE WHEN locality_code = '{region}' AND matter_id = (SELECT min(matter_id) FROM '{file}' WHERE "
        f"locality_code = '{region}') THEN coalesce(extended_days, 0) + 1 ELSE extended_days END AS extended_days) FROM '{file}') "
        f"TO '{file}.new' (FORMAT parquet)"
    )
    Path(f"{file}.new").replace(file)


if __name__ == "__main__" and sys.argv[1:2] == ["floor"]:
    warm_process(sys.argv[2:])
