from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from analysis.briefs import definitions, plan
from analysis.briefs.inputs import Digests
from analysis.briefs.plan import Coverage, Request
from analysis.errors import CodebookError, InputError, RequestError


def test_runs_are_named_after_their_folder(project: Any) -> None:
    (run,) = project.plan("counts", region="990102")
    assert run.id == "counts/990102/2024-03"
    assert run.period_label == "2024年3月"
    assert run.region_name == "示例省澄川市澄浦区"
    assert run.formats == ("html",)
    assert run.values["period"] == "2024-03"
    assert run.values["table"] == "inputs/table.csv"
    assert run.values["word"] == "件"


def test_a_report_without_period_and_region_is_all_of_it(project: Any) -> None:
    text = "title: 报\nnotebook: nb/behaves.ipynb\nversion: 1\nformats: [html]\n"
    (project.root / "reports/definitions/whole.yml").write_text(text)
    (run,) = plan.plan([definitions.load("whole", project.root)], Request(), Digests())
    assert run.id == "whole/all/all"


def test_a_report_of_any_period_takes_each_length_or_all(project: Any) -> None:
    text = "title: 报\nnotebook: nb/behaves.ipynb\nversion: 1\nformats: [html]\nperiod: any\n"
    (project.root / "reports/definitions/whole.yml").write_text(text)
    definition = definitions.load("whole", project.root)
    runs = plan.plan([definition], Request(periods=("2024-03", "2023", "2024Q1")), Digests())
    assert [run.id for run in runs] == [f"whole/all/{period}" for period in ("2023", "2024-03", "2024Q1")]
    assert [run.values["period"] for run in runs] == ["2023", "2024-03", "2024Q1"]
    told: list[str] = []
    (run,) = plan.plan([definition], Request(), Digests(), told.append)
    assert run.id == "whole/all/all"
    assert run.values["period"] is None
    assert run.period_label is None
    assert any("全部资料" in one for one in told)


@pytest.fixture
def texts(project: Any) -> definitions.Definition:
    """A report of texts: any period, any region, no case data."""
    text = "title: 报\nnotebook: nb/behaves.ipynb\nversion: 1\nformats: [html]\nperiod: any\nregion: any\n"
    (project.root / "reports/definitions/texts.yml").write_text(text)
    return definitions.load("texts", project.root)


def test_a_report_of_any_region_takes_each_or_all(texts: definitions.Definition) -> None:
    asked = Request(regions=("990000", "990102"))
    assert [run.id for run in plan.plan([texts], asked, Digests())] == [
        "texts/990000/all",
        "texts/990102/all",
    ]
    told: list[str] = []
    (run,) = plan.plan([texts], Request(), Digests(), told.append)
    assert run.id == "texts/all/all"
    assert run.values["region"] is None
    assert any("不限地区" in one for one in told)


def test_a_level_without_data_to_list_it_is_refused_with_what_to_do(
    project: Any, texts: definitions.Definition
) -> None:
    with pytest.raises(RequestError, match="texts 的输入里没有案件数据，无从列出各县.*--region"):
        plan.plan([texts], Request(level="县"), Digests())
    # Beside a report that can list its counties too, rather than nothing of it without a word.
    counts = definitions.load("counts", project.root)
    with pytest.raises(RequestError, match="texts 的输入里没有案件数据"):
        plan.plan([counts, texts], Request(periods=("2024-03",), level="县"), Digests())


def test_a_level_that_the_report_or_its_place_does_not_have_is_refused(project: Any) -> None:
    file = project.root / "reports/definitions/counts.yml"
    stated = file.read_text()
    file.write_text(stated.replace("[省, 市, 县]", "[省]"))
    with pytest.raises(RequestError, match="只做省级，没有县级"):
        project.plan("counts", level="县")
    file.write_text(stated.replace("default: '990000'", "default: '990102'"))
    with pytest.raises(RequestError, match="990102里没有市级地区"):
        project.plan("counts", level="市")


def test_all_problems_of_a_request_are_told_at_once(project: Any) -> None:
    with pytest.raises(RequestError) as caught:
        project.plan("counts", period=("2024Q1", "2024-13"), region=("123456", "999999"))
    for word in ("应如 2024-03，得到 2024Q1", "2024-13", "123456", "999999"):
        assert word in str(caught.value)


def test_formats_inputs_and_levels_that_are_not_there(project: Any) -> None:
    with pytest.raises(RequestError) as caught:
        project.plan("counts", formats=("odt",), inputs={"corpus": "x"}, level="乡")
    for word in ("odt", "没有输入 corpus（有：table）", "乡"):
        assert word in str(caught.value)


def test_period_and_region_where_a_report_has_none(project: Any) -> None:
    text = "title: 报\nnotebook: nb/behaves.ipynb\nversion: 1\nformats: [html]\n"
    (project.root / "reports/definitions/whole.yml").write_text(text)
    with pytest.raises(RequestError, match="没有报告期.*不分地区"):
        project.plan("whole", region="990102")


def test_without_data_a_period_must_be_given(project: Any) -> None:
    with pytest.raises(RequestError, match="需要 --period"):
        project.plan("counts", period=())


def test_levels_that_the_definition_does_not_make(project: Any) -> None:
    file = project.root / "reports/definitions/counts.yml"
    file.write_text(file.read_text().replace("[省, 市, 县]", "[省]"))
    with pytest.raises(RequestError, match="只做省级，990102 是县级"):
        project.plan("counts", region="990102")


def test_a_missing_input_names_report_and_file(project: Any) -> None:
    (project.root / "data/table.csv").unlink()
    with pytest.raises(InputError, match=r"counts.*table.*data/table\.csv"):
        project.plan("counts")


def test_what_the_engine_fills_in_cannot_be_given(project: Any) -> None:
    with pytest.raises(RequestError, match="由引擎填写"):
        project.plan("counts", parameters={"period": "2024-05"})
    with pytest.raises(RequestError, match="没有名为 wrod 的参数"):
        project.plan("counts", parameters={"wrod": "x"})


def test_a_notebook_that_is_missing_broken_or_lacks_an_input(project: Any) -> None:
    file = project.root / "nb/counts.ipynb"
    text = file.read_text()
    file.write_text(text.replace("table: str", "tabel: str"))
    with pytest.raises(CodebookError, match="没有声明参数 table"):
        project.plan("counts")
    file.write_text("{")
    with pytest.raises(CodebookError, match="不是有效的笔记本"):
        project.plan("counts")
    file.unlink()
    with pytest.raises(CodebookError, match="不存在"):
        project.plan("counts")


@pytest.mark.parametrize(
    ("last", "frequency", "expected"),
    [("2024-03-31", "month", "2024-03"), ("2024-03-30", "month", "2024-02"), ("2024-03-31", "quarter", "2024Q1"),
     ("2024-12-30", "year", "2023"), ("2024-12-31", "half", "2024H2")],
)  # fmt: skip
def test_the_last_complete_period(last: str, frequency: str, expected: str) -> None:
    coverage = Coverage(dt.date(2022, 1, 1), dt.date.fromisoformat(last), (), False)
    assert str(coverage.latest(frequency)) == expected


def test_regions_of_a_level_are_those_in_the_data() -> None:
    coverage = Coverage(
        dt.date(2022, 1, 1), dt.date(2024, 1, 1), ("990102", "990103", "990200", "990202"), False
    )
    assert list(plan.at_level("县", "990000", coverage)) == ["990102", "990103", "990202"]
    assert list(plan.at_level("市", "990000", coverage)) == ["990100", "990200"]
    assert list(plan.at_level("省", "990000", coverage)) == ["990000"]
    assert len(plan.at_level("县", "990000", None)) == 90


def test_regions_of_a_level_without_data_are_those_of_the_table() -> None:
    assert plan.at_level("省", "990000", None) == ["990000"]
    assert "990100" in plan.at_level("市", "990000", None)
    assert plan.at_level("市", "990100", None) == ["990100"]
    assert plan.at_level("省", "990100", None) == []
    # A municipality's districts stand under it directly and are no cities.
    assert plan.at_level("市", "110000", None) == []
    assert "110101" in plan.at_level("县", "110000", None)


def test_the_default_period_and_region_come_from_the_case_data_and_are_told(
    project: Any, sample: Path
) -> None:
    if not (sample / "cases" / "metadata.json").is_file():
        pytest.skip("the sample data have not been made in this checkout")
    stated = json.loads((sample / "cases" / "metadata.json").read_text())
    file = project.root / "reports/definitions/counts.yml"
    file.write_text(
        file.read_text().replace("table: data/table.csv", "table: {path: data/table.csv, kind: table}")
    )
    text = file.read_text().replace("inputs: {", "inputs: {cases: " + str(sample / "cases") + ", ")
    file.write_text(text)
    notebook = project.root / "nb/counts.ipynb"
    notebook.write_text(
        notebook.read_text().replace('"table: str', '"cases: str = \\"inputs/cases\\"\\n",\n    "table: str')
    )
    told: list[str] = []
    digests = Digests()
    (run,) = plan.plan([definitions.load("counts", project.root)], Request(), digests, told.append)
    assert run.period is not None
    assert run.period <= stated["window"]["end"][:7]
    assert run.region == "990000"
    assert any(run.period in line for line in told)
    with pytest.raises(RequestError, match="不在数据范围内"):
        plan.plan([definitions.load("counts", project.root)], Request(periods=("2031-01",)), digests)
    counties = plan.plan([definitions.load("counts", project.root)], Request(level="县"), digests)
    assert len(counties) == 90
    assert plan.facts_of(run.inputs["cases"], digests)["simulated"] is True


def test_every_brief_on_the_sample_is_marked_as_simulated(root: Path) -> None:
    digests = Digests()
    for report in ("bulletin_audit", "policy_scan"):
        (run,) = plan.plan([definitions.load(report, root)], Request(), digests)
        assert plan.facts_of(run.inputs["corpus"], digests)["simulated"] is True


@pytest.mark.parametrize("report", ["bulletin_audit", "policy_scan"])
def test_the_reports_of_texts_take_their_region_as_the_others_do(root: Path, report: str) -> None:
    (run,) = plan.plan([definitions.load(report, root)], Request(regions=("990100",)), Digests())
    assert run.id == f"{report}/990100/all"
    assert run.values["region"] == "990100"
    assert run.region_name == "示例省澄川市"
