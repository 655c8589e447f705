from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.briefs import recall, verify
from analysis.briefs.inputs import Digests
from analysis.errors import RequestError


@pytest.fixture(autouse=True)
def _one_pool(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "LocalPool", lambda *_, **__: project._pool())


def verdict(project: Any, name: str = "counts/990102/2024-03") -> verify.Verdict:
    it = recall.run(name, project.site, project.root, Digests())
    return verify.verify(it, recall.folder(name, project.site))


def test_an_untouched_brief_is_proven(project: Any) -> None:
    project.build("counts", period=("2024-02", "2024-03"), region="990102", parameters={"word": "批"})
    found = verdict(project)
    assert found.good, found.lines()
    assert "逐字节相同" in found.lines()[0]


def test_an_altered_page_is_named(project: Any) -> None:
    project.build("counts", region="990102")
    page = project.folder("counts/990102/2024-03") / "index.html"
    page.write_text(page.read_text().replace("30件", "29件"))
    (project.folder("counts/990102/2024-03") / "more.txt").write_text("slipped in")
    found = verdict(project)
    assert found.altered == ["index.html", "more.txt"]
    assert found.changed == []
    assert "已发布的文件与清单不符：index.html" in found.lines()


def test_changed_data_are_named_with_the_results_they_change(project: Any) -> None:
    project.build("counts", region="990102")
    project.write_table({**project.counts, ("990102", 3): 31})
    found = verdict(project)
    assert found.altered == []
    assert found.changed == ["输入 table 变了：行数未变（18），内容有改动"]
    assert found.results == ["来件总数：30件 → 31件"]
    assert "tables/by_month.csv" in (found.differing or [])


def test_a_run_that_cannot_be_repeated_says_why(project: Any) -> None:
    project.build("behaves", parameters={"how": "well"})
    file = project.root / "nb/behaves.ipynb"
    file.write_text(file.read_text().replace('how == \\"raise\\"', "True"))
    found = verdict(project, "behaves")
    assert "数据有误" in found.failure
    assert not found.good


def test_names_find_the_newest_brief_or_say_there_is_none(project: Any, tmp_path: Path) -> None:
    project.build("counts", period=("2024-02", "2024-03"), region="990102")
    folder = project.folder("counts/990102/2024-03")
    for name in ("counts", "counts/990102", "counts/990102/2024-03", str(folder)):
        assert recall.folder(name, project.site) == folder
    with pytest.raises(RequestError, match="没有这份"):
        recall.folder("counts/990103", project.site)
    assert (
        recall.run("counts/990202/2024-01", project.site, project.root, Digests()).id
        == "counts/990202/2024-01"
    )
