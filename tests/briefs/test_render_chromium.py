"""A brief in a real browser: nothing asked of the network, nothing wider than the screen, the font in use."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from analysis.briefs.document import Meta
from analysis.briefs.render import Renderer

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
SWITCHES = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--allow-file-access-from-files", "--virtual-time-budget=4000",
]  # fmt: skip
PROBE = """<!DOCTYPE html><meta charset="utf-8"><body><pre id="out"></pre><iframe id="f" style="width:{width}px;height:900px;border:0" src="index.html"></iframe>
<script>f.onload = async () => {{ const w = f.contentWindow, d = w.document; await d.fonts.ready;
out.textContent = JSON.stringify({{ width: d.documentElement.scrollWidth,
 asked: w.performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith("data:")),
 fonts: [...d.fonts].filter(x => x.status === "loaded").map(x => x.family),
 contents: d.querySelector("nav.contents").getBoundingClientRect().width,
 title: d.querySelector("h1").textContent, lang: d.documentElement.lang }}); }};</script>"""


@pytest.fixture(scope="module")
def page(root: Path, tmp_path_factory) -> Path:
    from nbclient import NotebookClient

    notebook = nbformat.read(root / "tests" / "notebooks" / "showcase.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    folder = tmp_path_factory.mktemp("page")
    Renderer().render(
        notebook, folder, ["html"], Meta("监测月报", period="2024年3月", region="示例省", simulated=True)
    )
    return folder


def look(folder: Path, width: int, profile: Path) -> dict:
    """What the page says of itself in a frame of that width."""
    (folder / "probe.html").write_text(PROBE.format(width=width), encoding="utf-8")
    command = [
        str(CHROMIUM),
        *SWITCHES,
        f"--user-data-dir={profile}",
        "--dump-dom",
        (folder / "probe.html").as_uri(),
    ]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(re.search(r'<pre id="out">(.*?)</pre>', shown, re.DOTALL)[1])


@pytest.mark.chromium
@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_the_screen_and_asks_nobody(page, tmp_path, width):
    seen = look(page, width, tmp_path / "profile")
    assert seen["title"] == "监测月报"
    assert seen["lang"] == "zh-CN"
    assert seen["width"] <= width
    assert seen["asked"] == []
    assert seen["fonts"] == ["Brief Sans"] or seen["fonts"] == ['"Brief Sans"']
    assert (seen["contents"] < width / 3) == (width > 960)  # beside the text on a desk, above it on a phone
