"""Every sample brief, byte for byte: by plain papermill kernels and by the forking engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.briefs import zygote

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not zygote.available(), reason="runs are forked on Linux only; elsewhere plainly"),
]

# What two runs of one brief may differ in: the clock and the host, how it was run, and the page that shows them.
RECORDED = {"manifest.json", "about.html"}
ASKED = (
    ("policy_scan", "bulletin_audit", "pilot_evaluation", "quarterly"),
    ("monthly", "annual", "--region", "990102"),
)
BRIEFS = 6


def build(root: Path, site: Path, *options: str) -> dict[str, Path]:
    """All sample reports into a site: run → its folder."""
    # Under pytest's variable a kernel does not catch what its child processes print.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    program = [sys.executable, "-c", "from analysis.cli import main; main()", "build"]
    made = {}
    for asked in ASKED:
        done = subprocess.run(
            [*program, *asked, "--project", str(root), "--site", str(site), "--json", *options],
            capture_output=True, text=True, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        made |= {run: site / run for run in (json.loads(line)["run"] for line in done.stdout.splitlines())}
    return made


def content(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and file.name not in RECORDED)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_every_sample_brief_is_the_same_by_plain_papermill_and_by_the_engine(
    root: Path, tmp_path: Path
) -> None:
    ours, plain = build(root, tmp_path / "engine"), build(root, tmp_path / "plain", "--plain")
    assert ours.keys() == plain.keys()
    assert len(ours) == BRIEFS
    for run, folder in ours.items():
        found, expected = content(folder), content(plain[run])
        assert {"index.html", "brief.pdf", "brief.docx", "notebook.ipynb", "results.json"} <= found.keys()
        assert found.keys() == expected.keys()
        assert [name for name in found if found[name] != expected[name]] == [], run
        records = [json.loads((place / "manifest.json").read_text()) for place in (folder, plain[run])]
        assert [record.pop("build")["mode"] for record in records] == ["warm", "plain"]
        assert records[0] == records[1]
