"""Does a published brief still follow from its sources? (复核): re-hash, re-run, compare, and name what differs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import batch, compare, keys, publish
from .batch import Build, Options
from .inputs import Digests
from .plan import Run
from .pool import LocalPool
from .run import hashes

# Word and PDF writers put nothing of the clock into their files, so every file is compared byte for byte.


@dataclass(frozen=True)
class Verdict:
    """What a verification found (复核结论).

    Attributes
    ----------
    altered
        Published files that are not what the manifest says.
    changed
        In words, what went in and is no longer the same.
    differing
        Files that a new run makes differently from the same inputs; ``None`` when inputs changed and none was made.
    results
        Named results that come out differently.
    failure
        Why the new run failed.
    """

    altered: list[str]
    changed: list[str]
    differing: list[str] | None = None
    results: list[str] = field(default_factory=list)
    failure: str = ""

    @property
    def good(self) -> bool:
        """Whether the brief is proven."""
        return not (self.altered or self.changed or self.differing or self.results or self.failure)

    def lines(self) -> list[str]:
        """In words."""
        if self.good:
            return ["一致：文件未被改动，输入与代码未变，重新运行的结果逐字节相同"]
        told = [f"已发布的文件与清单不符：{name}" for name in self.altered]
        told += [f"来源已变：{reason}" for reason in self.changed]
        if self.failure:
            told.append(f"重新运行失败：{self.failure}")
        if self.changed and self.differing:
            told.append("来源已变，下列差异由此而来：")
        told += [f"重新运行的结果不同：{name}" for name in self.differing or []]
        told += [f"结果不同：{line}" for line in self.results]
        return told


def verify(it: Run, folder: Path, *, plain: bool = False) -> Verdict:
    """Verify one published brief.

    Parameters
    ----------
    it
        Its run, as it would be built now.
    folder
        Where it is published.
    plain
        Re-run in an ordinary kernel.
    """
    manifest = publish.read_manifest(folder) or {}
    now = hashes(folder)
    altered = [name for name, digest in manifest["outputs"].items() if now.get(name) != digest] + [
        name for name in now if name not in manifest["outputs"] and name not in batch.ADDED
    ]
    with tempfile.TemporaryDirectory(prefix="policy-brief-") as place:
        build = Build(
            Path(place) / "site",
            Digests(),
            Options(renderer=manifest["request"].get("renderer", "nbconvert")),
        )
        _lend_previous(it, folder, build.site(it).root)
        changed = keys.explain(manifest["components"], build.prepare(it).components)
        (outcome,) = build.carry_out([it], lambda: LocalPool(1, plain=plain))
        if not outcome.good:
            return Verdict(altered, changed, failure=outcome.message)
        fresh = build.site(it).folder(it.id)
        made = hashes(fresh)
        differing = [name for name, digest in manifest["outputs"].items() if made.get(name) != digest] + [
            name for name in made if name not in manifest["outputs"] and name not in batch.ADDED
        ]
        return Verdict(altered, changed, differing, _results(folder, fresh))


def _lend_previous(it: Run, folder: Path, site: Path) -> None:
    """The brief before, which this one reads, stands in the new site as in the old."""
    if it.period is None:
        return
    from ..periods import Period

    before = str(Period.parse(it.period).previous)
    source = folder.parent / before / "results.json"
    if source.is_file():
        target = site / Path(it.id).parent / before / "results.json"
        target.parent.mkdir(parents=True)
        target.write_bytes(source.read_bytes())


def _results(old: Path, new: Path) -> list[str]:
    changes = compare.results(_read(old), _read(new))
    return [f"{row['name']}：{row['before']} → {row['after']}" for row in changes if row["grade"] != "未变"]


def _read(folder: Path) -> Mapping[str, Any]:
    try:
        return dict(json.loads((folder / "results.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
