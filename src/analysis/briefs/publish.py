"""The site on disk (发布): staging, locks, and one rename that replaces a brief whole.

Layout: ``<report>/<region>/<period>/`` holds the last good brief; ``<period>.failed/`` beside it the partial one of a
failed run. ``.policy-brief/`` holds locks, remembered hashes and, while runs go on, their inputs: no web server may
serve it. Prepared data lie beside the site (see :mod:`.ready`).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import EngineError, RequestError

STATE = ".policy-brief"
MANIFEST = "manifest.json"
FAILED_SUFFIX = ".failed"
_AT_FDCWD = -100
_EXCHANGE = 2


class Site:
    """One folder of published briefs (站点): the shared one, or that of 内部 briefs. Reading it leaves no trace."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def writable(self) -> Site:
        """The site, made where it is not there yet.

        Raises
        ------
        RequestError
            The folder cannot be written.
        """
        try:
            (self.root / STATE).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.root, error) from error
        if not os.access(self.root, os.W_OK) or not os.access(self.root / STATE, os.W_OK):
            raise _unwritable(self.root, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        return self

    @property
    def memory(self) -> Path:
        """Where content hashes are remembered."""
        return self.root / STATE / "digests.json"

    def folder(self, run_id: str) -> Path:
        """Where a brief is published."""
        return self.root / run_id

    def manifest(self, run_id: str) -> dict[str, Any] | None:
        """The manifest of the last good brief; ``None`` when there is none."""
        return read_manifest(self.folder(run_id))

    def failed(self, run_id: str) -> Path:
        """Where the partial brief of a failed run stands."""
        return self.root / f"{run_id}{FAILED_SUFFIX}"

    def manifests(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """All published briefs, failed ones too: folder and manifest."""
        for file in sorted(self.root.glob(f"*/*/*/{MANIFEST}")):
            if STATE not in file.parts and (manifest := read_manifest(file.parent)) is not None:
                yield file.parent, manifest

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A build's own folder for unfinished briefs; it goes away with the build, or at the next one's start."""
        place = self.root / STATE / "staging"
        place.mkdir(exist_ok=True)
        _remove_abandoned(place)
        mine = place / uuid.uuid4().hex
        mine.mkdir()
        with (mine / ".lock").open("wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            try:
                yield mine
            finally:
                shutil.rmtree(mine, ignore_errors=True)

    def try_lock(self, run_id: str) -> BinaryIO | None:
        """A run's lock, held until the file returned is closed or its process dies; ``None`` when another has it."""
        held = self._lock_file(run_id)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            return None
        return held

    def _lock_file(self, run_id: str) -> BinaryIO:
        folder = self.root / STATE / "locks"
        folder.mkdir(exist_ok=True)
        return (folder / run_id.replace("/", "-")).open("ab")

    def publish(self, staged: Path, run_id: str) -> None:
        """Put a finished brief in the place of the old one by one rename, and take a failed one away."""
        _replace(staged, self.folder(run_id))
        failed = self.failed(run_id)
        if failed.exists():
            _discard(failed, staged.parent)

    def publish_failed(self, staged: Path, run_id: str) -> None:
        """Put the partial brief of a failed run beside the last good one."""
        _replace(staged, self.failed(run_id))


def internal(site: Path) -> Path:
    """The folder of 内部 briefs that goes with a site: ``internal`` beside ``site``."""
    return site.parent / ("internal" if site.name == "site" else f"{site.name}-internal")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in a brief's folder; ``None`` when it is not there or not whole."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_whole(file: Path, text: str) -> None:
    """Write a file so that readers see the old one or the new one."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _replace(staged: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        staged.rename(target)
    elif _exchange(staged, target):
        shutil.rmtree(staged, ignore_errors=True)
    else:
        # No atomic exchange on this file system: two renames, with a moment between them.
        aside = staged.with_name(f"{staged.name}.old")
        target.rename(aside)
        staged.rename(target)
        shutil.rmtree(aside, ignore_errors=True)


def _discard(folder: Path, staging: Path) -> None:
    aside = staging / f"discarded-{uuid.uuid4().hex}"
    folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform.startswith("linux") and hasattr(library, "renameat2"):
        done = library.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE)
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        done = library.renamex_np(os.fsencode(one), os.fsencode(other), _EXCHANGE)
    else:
        return False
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _remove_abandoned(place: Path) -> None:
    """Clear the staging folders whose build is dead: nobody holds their lock."""
    for folder in place.iterdir():
        try:
            with (folder / ".lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        except FileNotFoundError:
            if not (folder / ".lock").exists() and _old(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _old(folder: Path) -> bool:
    import time

    try:
        return time.time() - folder.stat().st_mtime > 60  # not just being made by another build
    except FileNotFoundError:
        return False


def _unwritable(folder: Path, error: OSError) -> RequestError:
    return RequestError(
        f"站点文件夹不可写：{error.strerror}", file=folder, hint="请检查权限与磁盘，或用 --site 换一个位置"
    )


def disk_error(error: OSError) -> EngineError:
    """What a failing write during publication says."""
    return EngineError(
        f"发布失败：{error.strerror}",
        file=error.filename,
        hint="请检查磁盘空间与权限后重新运行；已发布的简报未受影响",
    )
