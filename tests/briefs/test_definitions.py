from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.briefs import definitions
from analysis.errors import CodebookError, RequestError


def project(folder: Path, **files: str) -> Path:
    place = folder / "reports" / "definitions"
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


def test_short_forms_are_the_long_ones(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        a="title: 月报\nnotebook: a.ipynb\nversion: 1\nperiod: month\nregion: {default: 990100}\n"
        "inputs: {cases: data/cases, facts: null}\nparameters: {top: 5}\n",
    )
    it = definitions.load("a", root)
    assert it.id == "a"
    assert it.version == "1"
    assert it.period is not None
    assert it.period.frequency == "month"
    assert it.region is not None
    assert it.region.default == "990100"  # text, whatever YAML thought
    assert (it.inputs["cases"].kind, it.inputs["cases"].required) == ("cases", True)
    assert (it.inputs["facts"].kind, it.inputs["facts"].required) == ("file", False)
    assert it.parameters["top"].default == 5
    assert it.formats == ("html", "pdf", "docx")
    assert not it.internal


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    root = project(
        tmp_path, a="notebook: a.ipynb\nversion: 1\ncolour: red\nformats: [pdf, odt]\nlimits: {seconds: -1}\n"
    )
    with pytest.raises(CodebookError) as caught:
        definitions.load("a", root)
    for word in ("title", "colour：没有这一项", "formats", "limits.seconds"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("formats: [pdf]", "html"),
        ("schedule: {lag_days: 3}", "period"),
        ("period: any\nschedule: {lag_days: 3}", "不能是 any"),
        ("inputs: {period: x}", "输入名"),
        ("inputs: {cases: {path: x, slices: [{name: 本县, region: self, tables: {a: b}}]}}", "region"),
        ("id: other", "文件名"),
    ],
)
def test_what_does_not_agree_is_refused(tmp_path: Path, text: str, word: str) -> None:
    root = project(tmp_path, a=f"title: 报\nnotebook: a.ipynb\nversion: 1\n{text}\n")
    with pytest.raises(CodebookError, match=word):
        definitions.load("a", root)


def test_unknown_report_names_the_known_ones(tmp_path: Path) -> None:
    root = project(tmp_path, alpha="title: 报\nnotebook: a.ipynb\nversion: 1\n")
    with pytest.raises(RequestError, match="alpha"):
        definitions.load("beta", root)


def test_root_is_found_upwards_or_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path / "p")
    deep = root / "x" / "y"
    deep.mkdir(parents=True)
    monkeypatch.delenv(definitions.HOME_VARIABLE, raising=False)
    assert definitions.project_root(deep) == root.resolve()
    with pytest.raises(RequestError):
        definitions.project_root(tmp_path)
    monkeypatch.setenv(definitions.HOME_VARIABLE, str(root))
    assert definitions.project_root(tmp_path) == root.resolve()


def test_the_documented_example_is_valid(root: Path, tmp_path: Path) -> None:
    example = re.search(
        r"```yaml\n(.*?)```", (root / "docs/engine.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert example is not None
    it = definitions.load("monthly", project(tmp_path, monthly=example[1]))
    assert it.inputs["cases"].slices[0].tables["petitions"] == "matters.matter_id"


def test_the_projects_own_definitions_are_valid(root: Path) -> None:
    for it in definitions.load_all(root):
        assert it.notebook_file.is_file(), it.file
