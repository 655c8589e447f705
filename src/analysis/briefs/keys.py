"""Keys of a run (运行键): what an execution and a rendering depend on, and in words what differs from last time.

Execution key = code cells + library + parameters + content of the inputs (or of their declared slices) + lock +
definition version. Render key = executed notebook + template, renderer and fonts + what is printed around it.
A changed theme changes only the second; a changed row always the first.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from ..display import fonts
from .inputs import Digests
from .parameters import INJECTED
from .plan import Run

ENGINE = "1"  # raise when the environment of runs (zygote.environment) or their injection changes

_LIBRARY = Path(__file__).resolve().parent.parent
# Modules of briefs/ that run, record and list briefs: no executed notebook and no page depends on them.
_ENGINE = {
    "__init__", "batch", "catalogue", "cluster", "definitions", "doctor", "engine", "forked", "inputs", "keys", "mail",
    "parameters", "plan", "pool", "provenance", "publish", "ready", "recall", "schedule", "verify", "worker", "zygote",
}  # fmt: skip
# Modules of briefs/ that a notebook may call or that shape its outputs.
_EXECUTING = ("briefs/chapters/", "briefs/compare.py", "briefs/shell.py")


@dataclass(frozen=True)
class Environment:
    """What all runs of a build share (运行环境): hashes of library, renderer and fonts, and the installed versions."""

    library: str
    rendering: str
    versions: Mapping[str, str]
    fonts: Mapping[str, str] = field(default_factory=dict)

    @property
    def lock(self) -> str:
        """One hash of the versions."""
        return _hash(self.versions)


def environment(digests: Digests) -> Environment:
    """Read the sources and versions in use; a build does it once."""
    library, rendering = hashlib.sha256(), hashlib.sha256()
    for file in _sources():
        name = file.relative_to(_LIBRARY).as_posix()
        line = f"{name} {digests.of_file(file)['sha256']}\n".encode()
        if name.startswith(_EXECUTING) or not name.startswith(("briefs/", "cli/")):
            library.update(line)
        elif name.startswith("briefs/") and file.stem not in _ENGINE:
            rendering.update(line)
    shapes = {family: digests.of_file(file)["sha256"] for family, file in fonts.paths().items()}
    return Environment(library.hexdigest(), rendering.hexdigest(), _versions(digests), shapes)


def execution(
    run: Run, notebook: Mapping[str, Any], attached: Mapping[str, Path], digests: Digests, env: Environment
) -> dict[str, Any]:
    """The components of a run's execution key.

    Parameters
    ----------
    run, notebook
        The run, and its notebook before injection.
    attached
        Files that the engine adds (advice, previous results).
    digests, env
        Hashes of files; sources and versions.
    """
    return {
        "engine": ENGINE,
        "report": run.definition.id,
        "version": run.definition.version,
        "code": _hash(list(_code(notebook))),
        "library": env.library,
        "lock": env.lock,
        "parameters": {name: _plain(value) for name, value in run.values.items()},
        "inputs": {name: digests.of_source(source) for name, source in run.inputs.items()},
        "attached": {name: digests.of_file(file)["sha256"] for name, file in attached.items()},
    }


def execution_key(components: Mapping[str, Any]) -> str | None:
    """One hash of the components; ``None`` when an input cannot be proven unchanged (a database)."""
    if any(item["sha256"] is None for item in components["inputs"].values()):
        return None
    inputs = {name: _content(item) for name, item in components["inputs"].items()}
    return _hash({**components, "inputs": inputs})


def rendering_key(
    executed: str,
    notebook: Mapping[str, Any],
    printed: Mapping[str, Any],
    formats: tuple[str, ...],
    renderer: str,
    env: Environment,
) -> str:
    """The hash of what a rendering depends on.

    Parameters
    ----------
    executed
        SHA-256 of the executed notebook as published (it holds no clock).
    notebook
        The notebook as it stands: its text cells may have changed since it was executed.
    printed
        Title, region, period and the like.
    formats, renderer
        Formats made, and by which renderer (nbconvert, quarto).
    env
        Sources and versions.
    """
    text = [[cell["source"], cell["cell_type"]] for cell in notebook["cells"]]
    return _hash([executed, text, printed, formats, renderer, env.rendering, env.fonts, env.lock])


def explain(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """In words, why a run would execute again; empty when nothing differs.

    Parameters
    ----------
    old
        Components in the manifest of the published brief; ``None`` when there is none.
    new
        Components now.
    """
    if old is None:
        return ["还没有已发布的简报"]
    reasons = [said for name, said in _SAID.items() if old.get(name) != new.get(name)]
    reasons += _changes("参数", old.get("parameters", {}), new["parameters"])
    reasons += _changes("附件", old.get("attached", {}), new["attached"], values=False)
    before = old.get("inputs", {})
    for name, item in new["inputs"].items():
        reasons += _input_changes(name, before.get(name), item)
    reasons += [f"不再使用输入 {name}" for name in before if name not in new["inputs"]]
    return reasons


_SAID = {
    "engine": "引擎版本变了",
    "version": "报告定义的 version 变了",
    "code": "笔记本的代码单元变了",
    "library": "analysis 库的源代码或编码表变了",
    "lock": "已安装的依赖版本变了",
}


def _changes(
    what: str, old: Mapping[str, Any], new: Mapping[str, Any], *, values: bool = True
) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{what} {name} 变了" + (f"：{old.get(name)!r} → {new.get(name)!r}" if values else "")


def _input_changes(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Iterator[str]:
    if new["sha256"] is None:
        yield f"输入 {name} 是数据库，无法证明内容未变"
        return
    if old is None:
        yield f"新增输入 {name}"
        return
    if ("prepared_from" in old) != ("prepared_from" in new):
        # Margins on one side, rows on the other: what they were made from can still be compared.
        yield from _input_changes(name, old.get("prepared_from", old), new.get("prepared_from", new))
        yield f"输入 {name} " + (
            "改用预汇总数据" if "prepared_from" in new else "未能预汇总，改读逐行数据（站点文件夹可写吗？）"
        )
        return
    if _content(old) == _content(new):
        return
    before, after = old.get("files", {}), new.get("files", {})
    if not before or not after:
        yield f"输入 {name} 变了{_rows(old, new)}"
        return
    for file in sorted({*before, *after}):
        if file not in after:
            yield f"输入 {name} 少了 {file}"
        elif file not in before:
            yield f"输入 {name} 多了 {file}"
        elif before[file]["sha256"] != after[file]["sha256"]:
            yield f"{_place(name, file, after)} 变了{_in_slices(file, before[file], after[file], new)}"


def _place(name: str, file: str, files: Mapping[str, Any]) -> str:
    return f"输入 {name}" if len(files) == 1 else f"输入 {name} 的 {file}"


def _in_slices(file: str, old: Mapping[str, Any], new: Mapping[str, Any], source: Mapping[str, Any]) -> str:
    """Which of the declared slices of a table changed, and by how many rows."""
    if "slices" not in new:
        return _rows(old, new)
    table = Path(file).stem
    names = [name for name, tables in source.get("slices", {}).items() if table in tables]
    told = []
    for (where, after), name in zip(new["slices"].items(), names, strict=False):
        before = old.get("slices", {}).get(where, {})
        if before.get("sha256") != after["sha256"]:
            told.append(f"切片“{name}”（{where}）{_rows(before, after)}")
    return "：" + "；".join(told) if told else _rows(old, new)


def _rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, after = old.get("rows"), new.get("rows")
    if before is None or after is None:
        return ""
    if before == after:
        return f"：行数未变（{after}），内容有改动"
    return f"：{'多' if after > before else '少'} {abs(after - before)} 行"


def _content(item: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an input's record that makes up the key: content, not counts derived from it."""
    files = {name: part["sha256"] for name, part in item.get("files", {}).items()}
    return {"sha256": item["sha256"], "files": files}


def _code(notebook: Mapping[str, Any]) -> Iterator[Any]:
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and INJECTED not in tags:
            yield [cell["source"], sorted(tags)]


def _sources() -> list[Path]:
    skipped = {"__pycache__"}
    return sorted(
        file
        for file in _LIBRARY.rglob("*")
        if file.is_file() and not skipped & set(file.parts) and not file.name.startswith(".")
    )


def _versions(digests: Digests) -> dict[str, str]:
    """Python and every distribution that ours requires, with version; remembered by the time of site-packages."""
    places = [Path(place) for place in sys.path if place.endswith("-packages")]
    stamp = [[str(place), place.stat().st_mtime_ns] for place in places if place.is_dir()]
    key = f"versions:{_hash([stamp, sys.version])}"
    known = digests.recall(key)
    if known is None:
        known = {"python": sys.version.split()[0], **dict(sorted(_required("policy-brief").items()))}
        digests.remember(key, known)
    return dict(known)


def _required(name: str) -> dict[str, str]:
    import re

    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        try:
            distribution = metadata.distribution(waiting.pop())
        except metadata.PackageNotFoundError:
            continue
        title = distribution.metadata["Name"].lower().replace("_", "-")
        if title in found:
            continue
        found[title] = distribution.version
        for requirement in distribution.requires or []:
            if "extra ==" not in requirement and (match := re.match(r"[\w.-]+", requirement)):
                waiting.append(match[0])
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _hash(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
