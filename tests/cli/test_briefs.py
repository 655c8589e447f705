"""The verbs of briefs as a user calls them: whole processes, real notebooks."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from analysis.briefs import publish, run

COUNTIES = ("990102", "990103", "990202")
COUNTS = (
    "title: 件数简报\nnotebook: nb/counts.ipynb\nversion: 1\nformats: [html, pdf, docx]\nperiod: month\n"
    "region: {levels: [省, 市, 县], default: '990000'}\ninputs: {table: data/table.csv}\n"
    "schedule: {lag_days: 5, catch_up: 1, regions: ['990102']}\n"
)
BEHAVES = "title: 行为简报\nnotebook: nb/behaves.ipynb\nversion: 1\nformats: [html]\nperiod: month\nregion: {default: '990000'}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    place = tmp_path_factory.mktemp("project")
    (place / "reports/definitions").mkdir(parents=True)
    (place / "reports/definitions/counts.yml").write_text(COUNTS, encoding="utf-8")
    (place / "reports/definitions/behaves.yml").write_text(BEHAVES, encoding="utf-8")
    shutil.copytree(root / "tests/notebooks", place / "nb")
    (place / "data").mkdir()
    lines = [f"{code},2024-{month:02d},{month * 7}" for code in COUNTIES for month in range(1, 8)]
    (place / "data/table.csv").write_text("region,month,count\n" + "\n".join(lines) + "\n")
    return place


def command(home: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from analysis.cli import main; main()", *arguments]
    return subprocess.run(program, cwd=home, capture_output=True, text=True, timeout=300, **options)


def test_one_brief_in_three_formats_then_all_that_can_be_asked_of_it(home: Path) -> None:
    site = home / "reports/site"
    done = command(home, "build", "counts", "--period", "2024-03", "--region", "990102", "-p", "word=批")
    assert done.returncode == 0, done.stderr
    folder = site / "counts/990102/2024-03"
    assert done.stdout.strip() == str(folder / "index.html")
    assert "[1/1] counts/990102/2024-03 完成" in done.stderr
    assert (folder / "brief.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "brief.docx").read_bytes().startswith(b"PK")
    key = publish.read_manifest(folder)["reproducible"]["keys"]["execution"]  # type: ignore[index]
    assert key.encode() in _pdf_text(folder / "brief.pdf")

    assert "不会重跑" in command(home, "explain", "counts/990102/2024-03").stdout
    assert "还没有已发布的简报" in command(home, "explain", "counts/990202/2024-03").stdout

    verified = command(home, "verify", "counts/990102")
    assert verified.returncode == 0, verified.stdout
    page = folder / "index.html"
    original = page.read_text()
    page.write_text(original.replace("21批", "22批"))
    altered = command(home, "verify", "counts")
    assert altered.returncode == 1
    assert "已发布的文件与清单不符：index.html" in altered.stdout
    page.write_text(original)

    command(home, "build", "counts", "--period", "2024-04", "--region", "990102", "--format", "html")
    compared = command(home, "compare", "counts/990102/2024-03", "counts/990102/2024-04")
    assert "来件总数：21批 → 28件" in compared.stdout
    assert json.loads(command(home, "compare", "counts/990102/2024-03", "counts/990102", "--json").stdout)[
        "results"
    ]

    listed = command(home, "list")
    assert "counts/990102/2024-03  已发布" in listed.stdout
    assert str(folder / "brief.pdf") in listed.stdout
    records = [json.loads(line) for line in command(home, "list", "--json").stdout.splitlines()]
    assert {record["run"] for record in records} == {"counts/990102/2024-03", "counts/990102/2024-04"}


def _pdf_text(file: Path) -> bytes:
    """The PDF's bytes with its embedded files unpacked."""
    import pypdfium2

    pdf = pypdfium2.PdfDocument(file)
    try:
        return (
            b"".join(bytes(pdf.get_attachment(k).get_data()) for k in range(pdf.count_attachments()))
            + file.read_bytes()
        )
    finally:
        pdf.close()


def test_some_fail_and_the_status_says_so(home: Path, tmp_path: Path) -> None:
    done = command(
        home,
        "build",
        "behaves",
        "--period",
        "2024-03",
        "-p",
        "how=raise",
        "--site",
        str(tmp_path / "s"),
        "--json",
    )
    assert done.returncode == 1
    record = json.loads(done.stdout)
    assert (record["status"], record["cell"]) == ("raised", 4)
    assert "× behaves/990000/2024-03：第 4 个单元出错：ValueError：数据有误" in done.stderr


def test_quiet_says_nothing_when_all_is_well(home: Path, tmp_path: Path) -> None:
    done = command(
        home, "build", "behaves", "--period", "2024-03", "--site", str(tmp_path / "s"), "--quiet", "--plain"
    )
    assert (done.returncode, done.stdout, done.stderr.replace("\n", "")[:20]) == (
        0,
        "",
        done.stderr.replace("\n", "")[:20],
    )
    assert "完成" not in done.stderr
    assert publish.read_manifest(tmp_path / "s/behaves/990000/2024-03")["build"]["mode"] == "plain"  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["build", "nope"], "没有这个报告"),
        (["build", "counts", "--period", "2024-13"], "报告期写法不对"),
        (["build", "counts", "--period", "2024-03", "--region", "123456"], "123456"),
        (
            ["build", "counts", "--period", "2024-03", "-p", "x=1", "-p", "y=2"],
            "没有名为 x 的参数；没有名为 y 的参数",
        ),
        (["build", "counts", "--period", "2024-03", "-p", "novalue"], "--param 应写成 名=值"),
        (["build", "counts", "--period", "2024-03", "--input", "table=/nowhere.csv"], "/nowhere.csv"),
        (["build", "counts", "--period", "2024-03", "--format", "odt"], "odt"),
        (["build", "counts", "--period", "2024-03", "--engine", "latex"], "latex"),
        (["build", "counts", "--period", "2024-03", "--engine", "quarto"], "没有 quarto 命令"),
        (["build", "counts", "--period", "2024-03", "--site", "/proc/site"], "站点文件夹不可写"),
        (["build", "counts", "--period", "2024-03", "--mail"], "没有邮件设置"),
        (["explain", "counts/990102/2024-03/x"], "简报的名字写法不对"),
        (["verify", "counts/990103"], "没有这份已发布的简报"),
        (["due", "--as-of", "yesterday"], "日期写法不对"),
        (["schedule", "at"], "没有这种排期"),
        (["build", "--project", "/"], "找不到项目文件夹"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_status_2(home: Path, arguments: list[str], word: str) -> None:
    done = command(home, *arguments, env={**os.environ, "PATH": "/usr/bin:/bin"})
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_due_lists_and_builds_what_is_missing_once(home: Path, tmp_path: Path) -> None:
    site = ["--site", str(tmp_path / "s"), "--as-of", "2024-06-05"]
    assert "counts/990102/2024-05  缺少（2024-06-05 到期）" in command(home, "due", "--list", *site).stdout
    assert not (tmp_path / "s").exists()
    done = command(home, "due", *site)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "s/counts/990102/2024-05/index.html").is_file()
    assert "counts/990102/2024-05  已有" in command(home, "due", "--list", *site).stdout


def test_schedule_writes_the_entries(home: Path, tmp_path: Path) -> None:
    assert "* * * " in command(home, "schedule", "cron").stdout
    done = command(home, "schedule", "systemd", "--out", str(tmp_path))
    assert done.stdout.split() == [
        str(tmp_path / "policy-brief.service"),
        str(tmp_path / "policy-brief.timer"),
    ]


def test_lab_hands_on_what_stands_after_the_dashes(home: Path) -> None:
    pytest.importorskip("jupyterlab")
    done = command(home, "lab", "--", "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(".")[0].isdigit()


def test_doctor_examines_the_machine(home: Path) -> None:
    (home / "reports/definitions/wrong.yml").write_text("title: x\n")
    try:
        done = command(home, "doctor")
    finally:
        (home / "reports/definitions/wrong.yml").unlink()
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "✓ 报告 counts：件数简报（公开）" in lines
    assert "能生成中文 PDF" in done.stdout
    assert [line[:6] for line in lines if line.startswith("×")] == ["× 报告 w"]


def test_a_disk_that_fills_up_leaves_what_is_published(home: Path, tmp_path: Path) -> None:
    site = ["--site", str(tmp_path / "s")]
    assert (
        command(home, "build", "counts", "--period", "2024-03", "--region", "990102", *site).returncode == 0
    )
    before = run.hashes(tmp_path / "s/counts/990102/2024-03")

    def small_files() -> None:
        # No file may grow beyond this: what a write meets when the disk is full.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = command(home, "build", "counts", "--period", "2024-03", "--region", "990102", "--region", "990202", "--force", *site,
                   preexec_fn=small_files)  # fmt: skip
    assert done.returncode == 1
    assert "写文件失败" in done.stderr or "发布失败" in done.stderr
    assert "Traceback" not in done.stderr
    assert run.hashes(tmp_path / "s/counts/990102/2024-03") == before
    after = command(home, "build", "counts", "--period", "2024-03", "--region", "990202", *site)
    assert after.returncode == 0


def whole(site: Path) -> list[str]:
    """The briefs in place, each held against its own manifest."""
    found = []
    for folder, manifest in publish.Site(site).manifests():
        assert {
            name: digest for name, digest in run.hashes(folder).items() if name != "about.html"
        } == manifest["outputs"]
        found.append(manifest["reproducible"]["run"])
    pages = {page.parent for page in site.glob("*/*/*/index.html")}
    assert pages == {folder for folder, _ in publish.Site(site).manifests()}  # no folder without its manifest
    return found


def kill_at_random(
    home: Path, site: Path, times: int, arguments: list[str], chance: random.Random, longest: float,
    ending: signal.Signals,
) -> None:  # fmt: skip
    """Start a build again and again and end it at a random moment; hold the site against its manifests each time."""
    good: set[str] = set()
    for _ in range(times):
        program = [
            sys.executable,
            "-c",
            "from analysis.cli import main; main()",
            "build",
            *arguments,
            "--site",
            str(site),
        ]
        with subprocess.Popen(
            program, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(chance.uniform(0.2, longest))
            process.send_signal(ending)
            process.wait(timeout=60)
        if site.is_dir():
            now = set(whole(site))
            assert good <= now, "a good brief was lost"
            good = now


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_build_killed_at_any_moment_leaves_whole_briefs_and_the_next_completes(
    home: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    # POLICY_BRIEF_KILLS=30 is the whole trial: 30 kills of a build of 21 briefs.
    kills = int(os.environ.get("POLICY_BRIEF_KILLS", 0))
    months = [part for month in range(1, 8 if kills else 4) for part in ("--period", f"2024-{month:02d}")]
    regions = [part for code in COUNTIES for part in ("--region", code)]
    arguments = ["counts", *months, *regions, "--format", "html"]
    times = (kills or 3) if ending is signal.SIGKILL else 1
    site = tmp_path / "s"
    kill_at_random(home, site, times, arguments, random.Random(7), 12.0 if kills else 6.0, ending)
    done = command(home, "build", *arguments, "--site", str(site))
    assert done.returncode == 0, done.stderr
    assert len(whole(site)) == (21 if kills else 9)
    assert not list((site / ".policy-brief/staging").iterdir())


@pytest.mark.slow
def test_two_builds_at_once_share_the_work(home: Path, tmp_path: Path) -> None:
    site = tmp_path / "s"
    arguments = ["build", "counts", "--period", "2024-03", *[part for code in COUNTIES for part in ("--region", code)],
                 "--format", "html", "--site", str(site), "--json"]  # fmt: skip
    program = [sys.executable, "-c", "from analysis.cli import main; main()", *arguments]
    both = [
        subprocess.Popen(program, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    states = [json.loads(line)["status"] for out, _ in told for line in out.splitlines()]
    assert sorted(states) == ["succeeded"] * 3 + ["unchanged"] * 3
    assert len(whole(site)) == 3
