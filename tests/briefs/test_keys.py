from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from analysis.briefs import keys
from analysis.briefs.inputs import Digests
from analysis.briefs.keys import Environment
from analysis.briefs.plan import Run

ENV = Environment("library", "rendering", {"python": "3.11"})
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": "# 题"},
        {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "x: int = 1"},
    ]
}


def components(run: Run, notebook: Any = NOTEBOOK, env: Environment = ENV) -> dict[str, Any]:
    return keys.execution(run, notebook, {}, Digests(), env)


def test_the_execution_key_holds_what_it_should(project: Any) -> None:
    (run,) = project.plan("counts", region="990102")
    base = components(run)
    key = keys.execution_key(base)
    assert key == keys.execution_key(components(run))
    code = copy.deepcopy(NOTEBOOK)
    code["cells"][1]["source"] = "x: int = 2"
    text = copy.deepcopy(NOTEBOOK)
    text["cells"][0]["source"] = "# 另题"
    assert keys.execution_key(components(run, code)) != key
    assert keys.execution_key(components(run, text)) == key  # text cells are rendered, not executed
    assert keys.execution_key(components(run, env=Environment("library", "other theme", ENV.versions))) == key
    assert keys.execution_key(components(run, env=Environment("other", "rendering", ENV.versions))) != key
    assert (
        keys.execution_key(components(run, env=Environment("library", "rendering", {"python": "3.12"})))
        != key
    )


def test_the_render_key_changes_with_text_theme_and_format() -> None:
    base = ("hash", NOTEBOOK, {"title": "题"}, ("html",), "nbconvert", ENV)
    key = keys.rendering_key(*base)
    text = copy.deepcopy(NOTEBOOK)
    text["cells"][0]["source"] = "# 另题"
    for place, value in ((0, "other"), (1, text), (2, {"title": "另题"}), (3, ("html", "pdf")), (4, "quarto"),
                         (5, Environment("library", "other theme", ENV.versions))):  # fmt: skip
        changed = list(base)
        changed[place] = value
        assert keys.rendering_key(*changed) != key  # type: ignore[arg-type]
    assert keys.rendering_key(*base[:5], Environment("other library", "rendering", ENV.versions)) == key


def test_why_in_words(project: Any) -> None:
    (run,) = project.plan("counts", region="990102")
    old = components(run)
    assert keys.explain(None, old) == ["还没有已发布的简报"]
    assert keys.explain(old, old) == []
    project.write_table({**project.counts, ("990203", 1): 4, ("990203", 2): 5, ("990203", 3): 6})
    (said,) = keys.explain(old, components(run))
    assert said == "输入 table 变了：多 3 行"
    before = components(run)
    project.write_table({**project.counts, ("990102", 1): 999})
    assert keys.explain(before, components(run)) == ["输入 table 变了：行数未变（21），内容有改动"]
    project.write_table({key: n for key, n in project.counts.items() if key[0] != "990203"})
    (other,) = project.plan("counts", region="990102", parameters={"word": "批"})
    told = keys.explain(old, components(other, env=Environment("new", "rendering", ENV.versions)))
    assert "analysis 库的源代码或编码表变了" in told
    assert "参数 word 变了：'件' → '批'" in told


def test_the_changed_slice_is_named() -> None:
    def part(rows: int, own: str, city: str) -> dict[str, Any]:
        slices = {
            "locality_code=990102…": {"rows": rows, "sha256": own},
            "locality_code=9901…": {"rows": 50, "sha256": city},
        }
        return {"sha256": own + city, "rows": rows + 50, "slices": slices}

    def record(matters: dict[str, Any]) -> dict[str, Any]:
        files = {"matters.parquet": matters, "population.parquet": {"sha256": "p", "rows": 3}}
        inputs = {
            "cases": {
                "sha256": matters["sha256"],
                "files": files,
                "slices": {"本县": ["matters"], "同市各县": ["matters"]},
            }
        }
        return {"parameters": {}, "attached": {}, "inputs": inputs}

    (said,) = keys.explain(record(part(10, "a", "b")), record(part(13, "c", "b")))
    assert said == "输入 cases 的 matters.parquet 变了：切片“本县”（locality_code=990102…）：多 3 行"


def test_a_database_is_never_proven_unchanged(project: Any) -> None:
    (run,) = project.plan("counts", region="990102", inputs={"table": "duckdb://x"})
    now = components(run)
    assert keys.execution_key(now) is None
    assert "无法证明" in keys.explain(now, now)[0]


def test_rows_and_their_margins_are_compared_by_what_the_margins_were_made_from() -> None:
    def record(item: dict[str, Any]) -> dict[str, Any]:
        return {"parameters": {}, "attached": {}, "inputs": {"cases": item}}

    def rows(content: str) -> dict[str, Any]:
        return {"sha256": content, "files": {"matters.parquet": {"sha256": content, "rows": 5}}}

    made = {"sha256": "m", "files": {"margins.parquet": {"sha256": "m"}}, "prepared_from": rows("a")}
    assert keys.explain(record(made), record(rows("a"))) == [
        "输入 cases 未能预汇总，改读逐行数据（站点文件夹可写吗？）"
    ]
    changed, _ = keys.explain(record(rows("b")), record(made))
    assert changed == "输入 cases 变了：行数未变（5），内容有改动"


def test_the_environment_parts_library_and_rendering(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def env(**changed: str) -> Environment:
        for name, text in {**files, **changed}.items():
            file = tmp_path / name.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return keys.environment(Digests())

    files = dict.fromkeys(
        ("cases__indicators.py", "codebooks__indicators.yml", "briefs__render.py", "briefs__templates__brief.css",
         "briefs__chapters__volume.py", "briefs__batch.py", "cli__app.py"), "x"
    )  # fmt: skip
    monkeypatch.setattr(keys, "_LIBRARY", tmp_path)
    base = env()
    for name in files:
        now = env(**{name: "y"})
        executes = name.startswith(("cases", "codebooks")) or "chapters" in name
        renders = "render" in name or "templates" in name
        assert (now.library != base.library, now.rendering != base.rendering) == (executes, renders), name
    assert base.versions["python"]
    assert "pandas" in base.versions
