"""A hundred county briefs, HTML and PDF, against what a user of papermill and nbconvert has.

The project's monthly brief on the sample's simulated cases and its documents: whole, and cut down to chapters that show
two and eight charts. Compared, in this one run:

(a) a loop of ``papermill``, ``jupyter nbconvert --to html`` and the fastest PDF route such a user has (Chromium's
    ``--print-to-pdf`` or pandoc and typst, whichever is faster here), on the same notebook and the same files;
(b) the same with as many processes as cores;
(c) Quarto, where it is installed;
floor: the same cells called in one warm process a core, with the same renders as ours. Its inputs are the slices that
our run was given, so what cutting them took is counted to it once, as it is to ours; it pays for nothing else: no
start-up, no process of its own for a run, no folder, key, manifest, index or lock. The detail says it without them too.

Our seconds hold everything from an empty site: start-up, preparing the inputs, publishing. The slow side runs a few
briefs and is scaled to a hundred; the detail says how many.
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
DOCUMENTS = ROOT / "data" / "sample" / "documents"
MONTHLY = ROOT / "notebooks" / "briefs" / "monthly.ipynb"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
HUNDRED = 100
BRIEFS = int(
    os.environ.get("POLICY_BRIEF_BENCH_BRIEFS", HUNDRED)
)  # that our side makes; fewer for a quick look
SLOW = {1: 2, CORES: 2 * CORES}  # processes → briefs that the slow side makes, after one that is not timed
PERIOD = "2024-03"
COMMAND = [sys.executable, "-c", "from analysis.cli import main; main()"]

# Which chapters a report keeps; None keeps all. Every one has the summary, the problems and the notes on quality.
FRAME = ("summary.chapter", "closing.")
REPORTS: dict[str, tuple[str, ...] | None] = {
    "monthly_2": (*FRAME, "parts.acceptance", "parts.supervision"),
    "monthly_8": (*FRAME, "volume.chapter", "parts.acceptance", "parts.handling", "parts.order"),
    "monthly": None,
    "monthly_16": None,
}
# Histories added before the closing chapters. A county in which nothing of an order chapter's chart occurs has one chart
# fewer, and the whole brief twelve at most: four more make sixteen.
ADDED = {
    "monthly_8": {"登记件数": "pieces"},
    "monthly_16": {
        "登记件数": "pieces",
        "按期办结率": "on_time",
        "未结存量": "open_stock",
        "重复信访率": "repeat",
    },
}


def run() -> list[dict[str, Any]]:
    """All comparisons; the item of eight charts has the benchmark's name."""
    with tempfile.TemporaryDirectory(prefix="policy-brief-bench-") as place:
        project = make_project(Path(place))
        regions = counties(project)[:BRIEFS]
        items = compare(project, "monthly_8", regions, NAME)
        items += look_ups(project, "monthly_8", regions)
        items += cold(project, "monthly_8", regions[0])
        items += compare(project, "monthly_2", regions, None)
        items += compare(project, "monthly_16", regions[:40], None)
        items += compare(project, "monthly", regions[:40], None)
        return items


def compare(project: Path, report: str, regions: list[str], headline: str | None) -> list[dict[str, Any]]:
    """Ours against (a), (b) and the floor for one report."""
    ours, cells, worker = build(project, report, regions, fresh=True)
    ours_each = ours / len(regions)
    charts = charts_in(project / "site" / report / regions[0] / PERIOD / "notebook.ipynb")
    cells_each, preparing = floor(project, report, regions[: min(len(regions), 20)])
    floor_each = cells_each + preparing / len(regions)
    loop_each, steps, route = loop(project, report, regions, 1)
    both_each, _, _ = loop(project, report, regions, CORES, route)
    told = (
        f"{charts} charts; {len(regions)} county briefs HTML+PDF: {ours:.1f} s with {CORES} workers ({ours_each * HUNDRED:.0f} s per 100, start-up "
        f"and preparing included); (a) {loop_each * HUNDRED:.0f} s per 100, scaled from {SLOW[1]} ({steps}); (b) {both_each * HUNDRED:.0f} s "
        f"per 100, scaled from {SLOW[CORES]}; floor {floor_each * HUNDRED:.0f} s per 100, of it cells and renders {cells_each * HUNDRED:.0f} s (against these alone "
        f"{ours_each / cells_each:.2f}) and preparing once {preparing:.1f} s; (c) {quarto()}; memory at most: cells {cells:.0f} MB, "
        f"worker with renderer {worker:.0f} MB"
    )
    name = f"{NAME}.{report}"
    return [
        item(headline or name, loop_each / ours_each, "(a) papermill + nbconvert + PDF, one after the other", "higher", told),
        item(f"{name}_vs_processes", both_each / ours_each, f"(b) the same in {CORES} processes", "higher", told),
        item(f"{name}_vs_floor", ours_each / floor_each, "the same cells warm, one process a core", "lower", told),
    ]  # fmt: skip


def look_ups(project: Path, report: str, regions: list[str]) -> list[dict[str, Any]]:
    """Nothing changed, and one county's rows changed."""
    seconds = min(build(project, report, regions)[0] for _ in range(2))
    changed = regions[7 % len(regions)]
    expected = sorted(region for region in regions if region.startswith(changed[:4]))
    touch_county(project, changed)
    done = policy_brief(project, "build", report, *asked(regions), "--format", "html,pdf", "--json")
    states = [json.loads(line) for line in done.stdout.splitlines()]
    again = sorted(state["run"].split("/")[1] for state in states if state["status"] != "unchanged")
    away = next(region for region in regions if region not in expected)
    why = policy_brief(project, "explain", f"{report}/{away}/{PERIOD}").stdout.strip()
    told = f"rows of {changed} changed; executed again: {again}, which its city's briefs ({expected}) compare; in another city: {why}"
    return [
        item(f"{NAME}.unchanged", seconds, "1 s", "lower", f"{len(regions)} unchanged briefs looked up in {seconds:.2f} s, process start included"),
        item(f"{NAME}.one_county_changed", len(set(again) ^ set(expected)), "0 runs too many or too few", "lower", told),
    ]  # fmt: skip


def cold(project: Path, report: str, region: str) -> list[dict[str, Any]]:
    """One brief from nothing, against the papermill command followed by the same renderer; the best of three turns of each."""
    work = prepare(project, report, region, project / "cold")
    render = (
        "import json, pathlib; from analysis.briefs.render import Renderer; "
        "Renderer().render(json.loads(pathlib.Path('out.ipynb').read_text()), pathlib.Path('out'), ('html', 'pdf'), {'title': '简报'})"
    )
    ours = theirs = float("inf")
    for _ in range(3):
        empty(project)
        ours = min(
            ours,
            timed(lambda: policy_brief(project, "build", report, *asked([region]), "--format", "html,pdf")),
        )
        theirs = min(
            theirs, timed(lambda: (papermill(work, region), call([sys.executable, "-c", render], work)))
        )
    told = f"one brief of 8 charts from an empty site: {ours:.1f} s; papermill, then the same HTML and PDF: {theirs:.1f} s"
    return [item(f"{NAME}.cold", ours / theirs, "papermill + the same renders", "lower", told)]


# --- the sides ----------------------------------------------------------------------------------------------------


def build(
    project: Path, report: str, regions: list[str], *, fresh: bool = False
) -> tuple[float, float, float]:
    """Seconds of one build command, and the greatest memory of a run's cells and of a worker, MB."""
    if fresh:
        empty(project)
    started = time.perf_counter()
    done = policy_brief(project, "build", report, *asked(regions), "--format", "html,pdf", "--json")
    seconds = time.perf_counter() - started
    states = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(states) == len(regions), done.stderr
    assert all(state["status"] in ("succeeded", "unchanged") for state in states), done.stderr
    cells, worker = (
        max((state[name] or 0 for state in states), default=0) for name in ("memory_mb", "worker_mb")
    )
    return seconds, cells, worker


def empty(project: Path) -> None:
    """Away with the site and what was prepared beside it."""
    for folder in ("site", "site-prepared"):
        shutil.rmtree(project / folder, ignore_errors=True)


def charts_in(notebook: Path) -> int:
    """How many charts an executed notebook shows."""
    from analysis.display.session import mime

    cells = nbformat.read(notebook, as_version=4).cells
    outputs = (output for cell in cells if cell.cell_type == "code" for output in cell.outputs)
    return sum(mime("chart") in output.get("data", {}) for output in outputs)


def loop(
    project: Path, report: str, regions: list[str], processes: int, route: str | None = None
) -> tuple[float, str, str]:
    """Seconds a brief of papermill + nbconvert + PDF, of which steps they consist, and the PDF route (the faster)."""
    chosen = regions[: SLOW[processes]]
    places = {region: prepare(project, report, region, project / "loop" / report) for region in chosen}
    routes = {"Chromium": chromium, "pandoc and typst": pandoc_typst}
    if route is None:
        first = places[chosen[0]]
        papermill(first, chosen[0])
        nbconvert(first)
        route = min(routes, key=lambda name: timed_or_never(lambda: routes[name](first)))
    spent = {"papermill": 0.0, "nbconvert": 0.0, route: 0.0}

    def one(region: str) -> None:
        for name, step in (("papermill", lambda: papermill(places[region], region)), ("nbconvert", lambda: nbconvert(places[region])),
                           (route, lambda: routes[route](places[region]))):  # fmt: skip
            spent[name] += timed(step)

    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(processes) as threads:
        list(threads.map(one, chosen))
    each = (time.perf_counter() - started) / len(chosen)
    return each, ", ".join(f"{name} {seconds / len(chosen):.1f} s" for name, seconds in spent.items()), route


def floor(project: Path, report: str, regions: list[str]) -> tuple[float, float]:
    """Seconds a brief of the same cells and renders in one warm process a core, and seconds of preparing their inputs."""
    with tempfile.TemporaryDirectory(prefix="floor-", dir=project) as memory:
        preparing = timed(lambda: planned(project, report, regions, Path(memory)))
    from analysis.briefs.zygote import environment  # a thread a process, or two processes fight for two cores

    works = furnish(project, report, regions)
    shares = [regions[k::CORES] for k in range(CORES)]
    program = [sys.executable, str(Path(__file__).resolve()), "floor", report, str(project)]
    processes = [
        subprocess.Popen(
            [*program, *(f"{region}={works[region]}" for region in share)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for share in shares
    ]
    spent = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    assert all(process.returncode == 0 for process in processes)
    return max(spent) / len(regions), preparing


def planned(project: Path, report: str, regions: list[str], site: Path) -> list[Any]:
    """The runs with their inputs prepared, which a site does once."""
    from analysis.briefs import batch, definitions, plan, publish

    memory = batch.memory(publish.Site(site).writable().root)
    request = plan.Request(periods=(PERIOD,), regions=tuple(regions))
    runs = plan.plan([definitions.load(report, project)], request, memory)
    assert all(it.inputs["cases"].origin is not None for it in runs), "the cases could not be prepared"
    return runs


def furnish(project: Path, report: str, regions: list[str]) -> dict[str, Path]:
    """A folder a region with the inputs that our runs were given."""
    from analysis.briefs import inputs

    runs = planned(project, report, regions, project / "site")
    works = {}
    for it in runs:
        work = works[str(it.region)] = project / "floor" / report / str(it.region)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        for source in it.inputs.values():
            inputs.link(source, work)
    return works


def warm_process(report: str, project: str, *shares: str) -> None:
    """The floor's own process: everything is imported and one brief made before the clock starts."""
    import matplotlib.pyplot as plt

    from analysis.briefs.render import Renderer
    from analysis.briefs.shell import CellShell

    shell, renderer = CellShell(), Renderer()

    def brief(region: str, work: str) -> None:
        os.chdir(work)
        notebook = nbformat.read(Path(project, "nb", f"{report}.ipynb"), as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                source = cell.source + (
                    f"\nregion = {region!r}; period = {PERIOD!r}; cases = 'inputs/cases'; corpus = 'inputs/corpus'"
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
    shutil.copy(project / "nb" / f"{report}.ipynb", work / "in.ipynb")
    for name, place in (("cases", project / "cases"), ("corpus", DOCUMENTS)):
        if not (work / "inputs" / name).exists():
            (work / "inputs" / name).symlink_to(place)
    return work


def papermill(work: Path, region: str) -> None:
    values = {"region": region, "period": PERIOD, "cases": "inputs/cases", "corpus": "inputs/corpus"}
    given = [part for name, value in values.items() for part in ("-r", name, value)]
    call([sys.executable, "-m", "papermill", "--no-progress-bar", "in.ipynb", "out.ipynb", *given], work)


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
    """A project with a copy of the sample's case tables, and the monthly brief whole and cut down."""
    import yaml

    definitions = place / "reports" / "definitions"
    definitions.mkdir(parents=True)
    (place / "nb").mkdir()
    shutil.copytree(CASES, place / "cases")
    source = ROOT / "reports" / "definitions" / "monthly.yml"
    shutil.copy(source.with_name("monthly.advice.md"), definitions)
    for name, chapters in REPORTS.items():
        nbformat.write(cut_down(chapters, ADDED.get(name, {})), place / "nb" / f"{name}.ipynb")
        book = yaml.safe_load(source.read_text(encoding="utf-8")) | {"notebook": f"nb/{name}.ipynb"}
        book["inputs"]["cases"]["path"] = "cases"
        book["inputs"]["corpus"]["path"] = str(DOCUMENTS)
        (definitions / f"{name}.yml").write_text(yaml.safe_dump(book, allow_unicode=True), encoding="utf-8")
    return place


def cut_down(chapters: tuple[str, ...] | None, added: dict[str, str]) -> Any:
    """The monthly notebook with these chapters only, and charts of these indicators; parameters and opening stay."""
    notebook = nbformat.read(MONTHLY, as_version=4)
    head, calls = notebook.cells[:3], notebook.cells[3:]
    kept = [cell for cell in calls if chapters is None or cell.source.startswith(chapters)]
    at = next(k for k, cell in enumerate(kept) if cell.source.startswith("closing."))
    kept[at:at] = [
        nbformat.v4.new_code_cell(
            f"from analysis.briefs.chapters import history\n"
            f"history.lines(brief, {{{label!r}: {indicator!r}}}, name='added-{indicator}', caption='{label}走势')"
        )
        for label, indicator in added.items()
    ]
    notebook.cells = head + kept
    return notebook


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
    warm_process(*sys.argv[2:])
