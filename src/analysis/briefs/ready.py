"""Prepared inputs (预处理的输入): case margins and corpus stores, made once for their content and shared by all runs.

A definition says ``prepared: true`` of an input. Preparing is a pure function of content and library, so a prepared
folder is never changed, only left behind. Of case tables the margins become the input: what a run sees, and what its
key holds, are its rows of them; the files they were made from stay in the manifest as ``prepared_from``. A corpus stays
the input it is, only read in its cleaned form.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from .inputs import Digests, Source

FOLDER = "prepared"
# What makes each kind, run in a process of its own: it starts threads, which a fork must not meet.
_MAKERS = {"cases": "analysis.cases.prepare", "corpus": "analysis.corpus.store"}
_STAMPS = {"cases": "prepared.json", "corpus": "corpus.json"}
_LIBRARY = Path(__file__).resolve().parent.parent
_PACKAGES = ("duckdb", "ibis-framework", "numpy", "pandas", "pyarrow", "trafilatura", "opencc", "pypdfium2")


def place(source: Source, digests: Digests) -> Path | None:
    """Where a source's prepared form lies, or is to lie; ``None`` for what is not prepared.

    Databases, single files, folders that are prepared already, and everything where no memory is kept.
    """
    kept, path = digests.folder, Path(source.location)
    if kept is None or source.is_url or not path.is_dir() or (path / _STAMPS[source.kind]).exists():
        return None
    content = digests.of_source(replace(source, prefixes={}, slices={}))["sha256"]
    return _beside(kept) / _name(source.kind, content, digests)


def _beside(memory: Path) -> Path:
    """Beside the site and never in it: prepared data hold every cell, and a site is served or zipped as it is."""
    site = memory.parent
    return site.with_name(f"{site.name}-{FOLDER}")


def ready(source: Source, made: Path | None) -> Source:
    """The source with its prepared form at :func:`place`; the source itself where that cannot be.

    Data that cannot be prepared are left as they are: what is wrong with them is then said by the notebook that reads
    them.
    """
    if made is None or (not made.is_dir() and not _make(source, made)):
        return source
    if source.kind == "cases":
        return replace(source, location=str(made), origin=source)
    return replace(source, served=str(made))


def _name(kind: str, content: str, digests: Digests) -> str:
    """One hash of content, the sources that read it, and the packages they stand on."""
    total = hashlib.sha256(f"{kind} {content}\n".encode())
    for folder in (_LIBRARY, _LIBRARY / kind, _LIBRARY / "codebooks"):
        for file in sorted(file for file in folder.iterdir() if file.is_file()):
            total.update(f"{file.name} {digests.of_file(file)['sha256']}\n".encode())
    for package in _PACKAGES:
        total.update(f"{package} {metadata.version(package)}\n".encode())
    return total.hexdigest()[:24]


def _make(source: Source, made: Path) -> bool:
    """Prepare into a folder beside and rename; whether it is there now."""
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        with _locked(made.with_suffix(".lock")):
            if made.is_dir():
                return True
            unfinished = made.with_suffix(".part")
            shutil.rmtree(unfinished, ignore_errors=True)
            command = [sys.executable, "-P", "-m", _MAKERS[source.kind], source.location, str(unfinished)]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if done.returncode or not (unfinished / _STAMPS[source.kind]).exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                return False
            unfinished.rename(made)
    except OSError:
        return False  # a full or read-only disk: the run is made from the data themselves, and says what is wrong
    return True


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Two builds at once prepare once."""
    with file.open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
