"""``make bundle``: one archive that installs and runs where there is no network (office intranets).

It holds the project as git has it, a wheel of every locked core package for this platform and Python, a wheel of the
project, and ``install.sh``. The machine that receives it needs the same platform and Python version, nothing else.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALL = """#!/bin/sh
# 离线安装：sh install.sh，然后 .venv/bin/policy-brief build monthly --period 2024-03 --region 990000
set -eu
cd "$(dirname "$0")"
${PYTHON:-python3} -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels --require-hashes -r wheels/requirements.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation wheels/project/*.whl
echo "已安装。示例：.venv/bin/policy-brief build monthly --period 2024-03 --region 990000"
"""


def main() -> Path:
    """Build the archive under dist/ and return its path."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    tag = f"{sys.platform}-{platform.machine()}-py{sys.version_info.major}{sys.version_info.minor}"
    target = ROOT / "dist" / f"policy-brief-{version}-{tag}.tar.gz"
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / f"policy-brief-{version}"
        copy_project(folder)
        collect_wheels(folder / "wheels")
        (folder / "install.sh").write_text(INSTALL, encoding="utf-8")
        (folder / "install.sh").chmod(0o755)
        with tarfile.open(target, "w:gz", compresslevel=6) as archive:
            archive.add(folder, arcname=folder.name)
    print(f"{target.relative_to(ROOT)}  {target.stat().st_size / 1e6:.0f} MB")
    return target


def copy_project(folder: Path) -> None:
    """The tracked files, as they are in the working tree."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def collect_wheels(wheels: Path) -> None:
    """Every locked core package as a wheel (what is published as a source tree is built here), and a list with their hashes."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "wheel",
        "--no-build-isolation",
        "--no-deps",
    ]
    for lock in ("requirements-build.lock", "requirements.lock"):
        subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / lock), "-w", str(wheels)], check=True)
    lines = []
    for wheel in sorted(wheels.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    (wheels / "requirements.txt").write_text("".join(lines), encoding="utf-8")
    subprocess.run([*pip, str(ROOT), "-w", str(wheels / "project")], check=True)


if __name__ == "__main__":
    main()
