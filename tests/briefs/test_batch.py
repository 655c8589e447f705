from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from analysis.briefs import batch, inputs, plan, publish, run
from analysis.briefs.inputs import Digests


def manifest(project: Any, run_id: str) -> dict[str, Any]:
    found = publish.read_manifest(project.site / run_id)
    assert found is not None
    return found


def test_a_brief_is_made_whole_and_unchanged_ones_are_looked_up(project: Any) -> None:
    (made,) = project.build("counts", region="990102")
    assert (made.status, made.mode) == (run.SUCCEEDED, "warm")
    folder = project.folder("counts/990102/2024-03")
    assert {file.name for file in folder.iterdir()} == {
        "index.html", "notebook.ipynb", "results.json", "tables", "tables.xlsx", "manifest.json", "about.html"
    }  # fmt: skip
    results = json.loads((folder / "results.json").read_text())
    assert results["results"][0]["value"] == project.counts["990102", 3]
    before = (folder / "manifest.json").read_bytes()
    (again,) = project.build("counts", region="990102")
    assert again.status == run.UNCHANGED
    assert (folder / "manifest.json").read_bytes() == before


def test_parameters_and_inputs_reach_the_notebook_readable(project: Any) -> None:
    project.build("counts", region="990102", parameters={"word": "批次"})
    cells = json.loads((project.folder("counts/990102/2024-03") / "notebook.ipynb").read_text())["cells"]
    injected = "".join(cells[1]["source"])
    assert "word = '批次'" in injected
    assert "region = '990102'" in injected
    assert "table = 'inputs/table.csv'" in injected
    assert str(project.root) not in injected


def test_the_manifest_states_what_went_in(project: Any) -> None:
    project.build("counts", region="990102")
    made = manifest(project, "counts/990102/2024-03")
    part = made["reproducible"]
    assert part["inputs"]["table"]["rows"] == len(project.counts)
    assert part["parameters"]["region"] == "990102"
    assert set(part["keys"]) == {"execution", "render"}
    assert part["versions"]["papermill"]
    assert "host" not in json.dumps(part)
    assert made["build"]["host"]
    page = (project.folder("counts/990102/2024-03") / "index.html").read_text()
    assert part["keys"]["render"] in page  # carried inside the page


def test_a_disclosure_certificate_goes_into_the_manifest_and_the_page(project: Any) -> None:
    file = project.root / "nb" / "behaves.ipynb"
    emit = "from analysis.display.session import current, mime; current().emit({mime('certificate'): {'passed': True}})"
    notebook = json.loads(file.read_text())
    notebook["cells"][-1]["source"] = emit
    file.write_text(json.dumps(notebook))
    project.build("behaves")
    assert manifest(project, "behaves/990000/2024-03")["reproducible"]["disclosure"] == [{"passed": True}]
    assert '"passed"' in (project.folder("behaves/990000/2024-03") / "index.html").read_text()


def test_equal_inputs_make_equal_bytes(project: Any, tmp_path: Path) -> None:
    project.build("counts", region="990102")
    folder = project.folder("counts/990102/2024-03")
    first = run.hashes(folder)
    project.build("counts", region="990102", force=True)
    second = run.hashes(folder)
    del first["about.html"], second["about.html"]  # tells when it was built
    assert first == second


def test_a_changed_row_executes_and_changed_text_only_renders(project: Any) -> None:
    project.build("counts", region="990102")
    file = project.root / "nb" / "counts.ipynb"
    file.write_text(file.read_text().replace("本简报由测试数据生成", "正文改了一句"))
    (rendered,) = project.build("counts", region="990102")
    folder = project.folder("counts/990102/2024-03")
    assert (rendered.status, rendered.mode) == (run.SUCCEEDED, "reused")
    assert "正文改了一句" in (folder / "index.html").read_text()
    assert project.build("counts", region="990102")[0].status == run.UNCHANGED
    project.write_table({**project.counts, ("990102", 3): 77})
    (executed,) = project.build("counts", region="990102")
    assert executed.mode == "warm"
    assert json.loads((folder / "results.json").read_text())["results"][0]["value"] == 77


def test_a_missing_file_is_made_again(project: Any) -> None:
    project.build("counts", region="990102")
    page = project.folder("counts/990102/2024-03") / "index.html"
    page.unlink()
    (again,) = project.build("counts", region="990102")
    assert again.mode == "reused"
    assert page.is_file()


def test_an_altered_notebook_is_not_rendered_again_but_executed(project: Any) -> None:
    project.build("counts", region="990102")
    folder = project.folder("counts/990102/2024-03")
    (folder / "notebook.ipynb").write_text((folder / "notebook.ipynb").read_text().replace("30", "31"))
    (folder / "index.html").unlink()
    (again,) = project.build("counts", region="990102")
    assert again.mode == "warm"
    assert "30件" in (folder / "index.html").read_text()


def test_the_last_brief_is_handed_on_in_order_of_periods(project: Any) -> None:
    outcomes = project.build("counts", period=("2024-04", "2024-03"), region="990102")
    assert [outcome.status for outcome in outcomes] == [run.SUCCEEDED] * 2
    assert "上期来件 30" in (project.folder("counts/990102/2024-04") / "index.html").read_text()
    assert "上期来件" not in (project.folder("counts/990102/2024-03") / "index.html").read_text()
    # A revised last brief makes this one stale.
    project.write_table({**project.counts, ("990102", 3): 31})
    project.build("counts", period=("2024-03", "2024-04"), region="990102")
    assert "上期来件 31" in (project.folder("counts/990102/2024-04") / "index.html").read_text()


def test_advice_of_a_person_is_read_from_its_file(project: Any) -> None:
    (project.root / "reports/definitions/counts.advice.md").write_text("加强源头预防。", encoding="utf-8")
    project.build("counts", region="990102")
    assert "加强源头预防" in (project.folder("counts/990102/2024-03") / "index.html").read_text()
    (project.root / "reports/definitions/counts.advice.md").write_text("改了。", encoding="utf-8")
    assert project.build("counts", region="990102")[0].status == run.SUCCEEDED


def test_a_raising_cell_leaves_a_partial_brief_beside_the_last_good_one(project: Any) -> None:
    project.build("behaves")
    good = (project.folder("behaves/990000/2024-03") / "index.html").read_bytes()
    (outcome,) = project.build("behaves", parameters={"how": "raise"})
    assert (outcome.status, outcome.cell) == (run.RAISED, 4)
    assert "ValueError" in outcome.message
    assert "数据有误" in outcome.traceback
    assert (project.folder("behaves/990000/2024-03") / "index.html").read_bytes() == good
    failed = project.folder("behaves/990000/2024-03.failed")
    page = (failed / "index.html").read_text()
    assert "生成失败，内容不完整" in page
    assert "已完成的部分" in page
    assert "数据有误" in (failed / "about.html").read_text()
    assert manifest(project, "behaves/990000/2024-03.failed")["failure"]["cell"] == 4
    project.build("behaves", force=True)
    assert not failed.exists()  # a good run takes it away


@pytest.mark.parametrize(
    ("how", "word", "tries"),
    [("exit", "以状态 3 退出", 2), ("kill", "SIGKILL", 2), ("memory", "内存上限", 1)],
)
def test_an_engine_failure_says_how_and_is_retried_only_if_transient(
    project: Any, how: str, word: str, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_BACKOFF", 0.01)
    (outcome,) = project.build("behaves", parameters={"how": how})
    assert outcome.status == run.FAILED
    assert word in outcome.message
    assert "第 4 个单元" in outcome.message
    page = (project.folder("behaves/990000/2024-03.failed") / "index.html").read_text()
    assert "已完成的部分" in page
    assert "其余部分" not in page
    assert sum(event == "started" for event, _ in project.events) == tries


def test_a_time_limit_stops_one_run_only(project: Any) -> None:
    file = project.root / "reports/definitions/behaves.yml"
    file.write_text(file.read_text().replace("seconds: 60", "seconds: 1.5"))
    (outcome,) = project.build("behaves", parameters={"how": "hang"})
    assert (outcome.status, outcome.transient) == (run.FAILED, False)
    assert "时限" in outcome.message
    assert project.build("behaves")[0].good


def test_a_transient_failure_is_tried_again(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_BACKOFF", 0.01)
    (outcome,) = project.build("behaves", parameters={"how": f"once:{tmp_path / 'flag'}"})
    assert outcome.good
    assert manifest(project, "behaves/990000/2024-03")["build"]["attempts"] == 2


def test_other_runs_go_on_when_one_fails(project: Any) -> None:
    rows = {key: n for key, n in project.counts.items() if key[0] != "990103"}
    project.write_table(rows)  # the chart of a county without rows raises
    outcomes = project.build("counts", region=("990102", "990103", "990202"))
    assert [outcome.status for outcome in outcomes] == [run.SUCCEEDED, run.RAISED, run.SUCCEEDED]


def test_an_input_replaced_in_mid_run_voids_the_run(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_BACKOFF", 0.01)
    real = inputs.state
    seen: list[int] = []

    def replace_once(source: inputs.Source) -> Any:
        seen.append(1)
        if len(seen) == 3:  # look-up, with the lock held, and then after the run
            project.write_table({**project.counts, ("990102", 3): 55})
        return real(source)

    monkeypatch.setattr(inputs, "state", replace_once)
    (outcome,) = project.build("counts", region="990102")
    assert outcome.good
    made = manifest(project, "counts/990102/2024-03")
    assert made["build"]["attempts"] == 2
    assert "retrying" in [event for event, _ in project.events]
    folder = project.folder("counts/990102/2024-03")
    assert json.loads((folder / "results.json").read_text())["results"][0]["value"] == 55


def test_two_builds_at_once_make_each_brief_once(project: Any) -> None:
    site = publish.Site(project.site).writable()
    held = site.try_lock("counts/990102/2024-03")
    assert held is not None
    timer = threading.Timer(0.5, held.close)
    timer.start()
    (outcome,) = project.build("counts", region="990102")
    assert outcome.good
    assert ("waiting", "counts/990102/2024-03") in project.events


def test_what_another_build_made_while_waiting_is_not_made_again(project: Any) -> None:
    site = publish.Site(project.site)
    work = batch.Build(project.site, Digests(), batch.Options())
    (it,) = project.plan("counts", region="990102")
    job, outcome = work._look_up(it)
    assert outcome is None
    project.build("counts", region="990102")
    job.lock = site.try_lock(it.id)
    _, outcome = work._recheck(job)
    assert outcome is not None
    assert outcome.status == run.UNCHANGED
    with closing(site.try_lock(it.id)) as held:  # it has been let go
        assert held is not None


def test_a_full_disk_leaves_what_is_published(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    project.build("behaves")
    good = run.hashes(project.folder("behaves/990000/2024-03"))

    def full(staged: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(publish, "_replace", full)
    (outcome,) = project.build("behaves", force=True)
    assert outcome.status == run.FAILED
    assert "No space left" in outcome.message
    assert run.hashes(project.folder("behaves/990000/2024-03")) == good


def test_an_interrupt_leaves_a_whole_site_and_the_next_build_resumes(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(event: str, it: plan.Run, _: Any) -> None:
        if event == "finished":
            raise KeyboardInterrupt

    runs = project.plan("counts", region=("990102", "990103", "990202"))
    work = batch.Build(project.site, Digests(), batch.Options(), stop)
    with pytest.raises(KeyboardInterrupt):
        work.carry_out(runs, lambda: project._pool())
    published = [folder for folder, _ in publish.Site(project.site).manifests()]
    assert len(published) == 1
    assert (project.site / "index.html").read_text().count("<tr data-") == 1
    deadline = time.monotonic() + 30
    while project._pool().free() == 0 and time.monotonic() < deadline:
        project._pool().collect(0.2)
    statuses = [outcome.status for outcome in project.build("counts", region=("990102", "990103", "990202"))]
    assert sorted(statuses) == [run.SUCCEEDED, run.SUCCEEDED, run.UNCHANGED]


def test_a_database_input_always_runs(project: Any) -> None:
    (it,) = project.plan("counts", region="990102", inputs={"table": "duckdb:///x"})
    work = batch.Build(project.site, Digests(), batch.Options())
    assert work.executed(work.prepare(it)) is None


def test_an_internal_brief_stays_out_of_the_shared_site(project: Any) -> None:
    project.build("behaves")
    project.build("inner")
    internal = publish.internal(project.site)
    assert internal == project.root / "reports" / "internal"
    assert (internal / "inner/990000/2024-03/index.html").is_file()
    for name in ("index.html", "feed.xml"):
        assert "内部简报" not in (project.site / name).read_text()
    assert "内部资料" in (internal / "index.html").read_text()
    assert not (internal / "feed.xml").exists()


def test_a_run_sees_only_its_own_folder(project: Any) -> None:
    project.build("behaves")
    project.build("counts", region="990102")
    assert not list((project.site / ".policy-brief" / "staging").iterdir())
    assert sorted(file.name for file in (project.root / "nb").iterdir()) == ["behaves.ipynb", "counts.ipynb"]
