from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from analysis.briefs import publish
from analysis.briefs.publish import Site
from analysis.errors import RequestError


def brief(place: Path, text: str) -> Path:
    place.mkdir(parents=True)
    (place / "index.html").write_text(text)
    (place / "manifest.json").write_text('{"status": "succeeded"}')
    return place


def test_a_brief_is_replaced_whole(tmp_path: Path) -> None:
    site = Site(tmp_path / "site").writable()
    with site.staging() as staging:
        site.publish(brief(staging / "a", "one"), "r/1/2024")
        site.publish_failed(brief(staging / "b", "half"), "r/1/2024")
        assert site.failed("r/1/2024").is_dir()
        site.publish(brief(staging / "c", "two"), "r/1/2024")
    assert (site.folder("r/1/2024") / "index.html").read_text() == "two"
    assert not site.failed("r/1/2024").exists()
    assert [folder.name for folder, _ in site.manifests()] == ["2024"]


def test_a_reader_always_finds_a_whole_brief(tmp_path: Path) -> None:
    site = Site(tmp_path / "site").writable()
    seen, stop = set(), threading.Event()
    page = site.folder("r/1/2024") / "index.html"

    def read() -> None:
        while not stop.is_set():
            seen.add(page.read_text() if page.exists() else "missing")

    with site.staging() as staging:
        site.publish(brief(staging / "first", "x" * 1000), "r/1/2024")
        reader = threading.Thread(target=read)
        reader.start()
        try:
            for k in range(200):
                site.publish(brief(staging / str(k), "x" * 1000), "r/1/2024")
        finally:
            stop.set()
            reader.join()
    assert seen == {"x" * 1000}


def test_without_an_exchange_two_renames_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    site = Site(tmp_path / "site").writable()
    with site.staging() as staging:
        site.publish(brief(staging / "a", "one"), "r/1/2024")
        site.publish(brief(staging / "b", "two"), "r/1/2024")
    assert (site.folder("r/1/2024") / "index.html").read_text() == "two"


def test_staging_of_a_dead_build_is_cleared_and_of_a_live_one_kept(tmp_path: Path) -> None:
    site = Site(tmp_path / "site").writable()
    place = site.root / publish.STATE / "staging"
    pid = os.fork()
    if pid == 0:
        entered = Site(tmp_path / "site").writable().staging()
        brief(entered.__enter__() / "half", "half")
        os._exit(0)  # killed: nothing is cleared
    os.waitpid(pid, 0)
    assert len(list(place.iterdir())) == 1
    with site.staging() as first:
        assert list(place.iterdir()) == [first]
        with Site(tmp_path / "site").writable().staging() as second:
            assert set(place.iterdir()) == {first, second}
    assert not list(place.iterdir())


def test_a_lock_is_held_once_and_falls_free(tmp_path: Path) -> None:
    site = Site(tmp_path).writable()
    held = site.try_lock("r/1/2024")
    assert held is not None
    assert site.try_lock("r/1/2024") is None
    with site.try_lock("r/2/2024") as other:  # type: ignore[union-attr]
        assert other
    held.close()
    again = site.try_lock("r/1/2024")
    assert again is not None
    again.close()


def test_a_site_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "site", Path("/proc/site")):
        with pytest.raises(RequestError, match="站点文件夹不可写"):
            Site(place).writable()


def test_reading_a_site_leaves_no_trace(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    assert list(site.manifests()) == []
    assert site.manifest("r/1/2024") is None
    assert not site.root.exists()


def test_a_torn_manifest_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"a"')
    assert publish.read_manifest(tmp_path) is None
