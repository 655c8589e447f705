"""The policy chapters: every number a result, every row linked to listed evidence, nothing invented where there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import display
from analysis.briefs.chapters import policy, policy_summary
from analysis.errors import RequestError

OLD = """安平市2023年信访工作要点

发布时间:2023-03-01
要坚持村调、企调、校调“三域联调”,对重大项目先做风险评估。受理群众来信312件。依据《信访工作条例》第二十二条登记。
"""
NEW = """安平市召开信访工作会议

本报讯 2024年4月2日,安平市召开信访工作会议。会议强调,要推行“阳光晒单”,领导包案化解积案,对推诿的单位约谈。
全年办结信访事项480件,同比增长12%。引导群众依法反映诉求。
"""
PARTS = (
    "overview", "terms", "phrases", "coding", "strength", "statistics", "disagreements", "citations", "origins", "commitments",
    "basis", "evidence",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(OLD, encoding="utf-8")
    (tmp_path / "b.txt").write_text(NEW, encoding="utf-8")
    return tmp_path


def shown(scan: policy.Scan) -> dict[str, list[dict]]:
    """The machine-readable parts by kind."""
    display.use()
    policy_summary.chapter(scan)
    for name in PARTS:
        getattr(policy, name)(scan)
    return parts()


def parts() -> dict[str, list[dict]]:
    return {
        kind: list(display.recorded(kind))
        for kind in ("result", "finding", "table", "chart", "evidence", "note")
    }


def test_all_documents(folder: Path) -> None:
    found = shown(policy.open_scan(folder))
    results = {part["name"]: part["value"] for part in found["result"]}
    assert results["文档数"] == results["来源文件数"] == 2
    tables = {part["name"]: part for part in found["table"]}
    assert {
        "documents",
        "terms",
        "phrases",
        "parts-sentences",
        "statistics",
        "citations",
        "health",
        "methods",
    } <= set(tables)
    assert "keyness" not in tables
    phrases = {row[0]: row[1] for row in tables["phrases"]["rows"]}
    assert phrases["三域联调"] == "村调；企调；校调"
    said = {row[0] for row in tables["parts-sentences"]["rows"]}
    assert {"预防", "受理", "办理", "监督追责", "维护秩序"} == said
    assert any("480" in str(row[1]) for row in tables["statistics"]["rows"])


def test_the_summary_says_what_the_chapters_find(folder: Path) -> None:
    """The chapters record the same results again; two values for one name would raise."""
    scan = policy.open_scan(folder, "2024")
    found = shown(scan)
    said = " ".join(part["text"] for part in found["finding"][:7])
    results = {part["name"]: part["value"] for part in found["result"]}
    assert results["上期文档数"] == 1
    assert "上期（2023年）1篇" in said
    assert "“阳光晒单”" in said
    assert results["新出现的提法数"] >= 1
    assert f"文中写有统计数字{results['文中统计数字']}项" in said


def test_a_place_is_not_its_neighbour_with_a_similar_code(folder: Path) -> None:
    from dataclasses import replace

    scan = policy.open_scan(folder)
    for codes, region, kept in (
        (["510100", "500103"], "500000", ["500103"]),
        (["511100", "511002"], "511000", ["511002"]),
        (["510000", "511002"], "511002", ["510000", "511002"]),
    ):
        documents = scan.corpus.documents.assign(region_code=codes)
        found = replace(scan, corpus=replace(scan.corpus, documents=documents), region=region).every
        assert found["region_code"].tolist() == kept


def test_headings_are_no_examples(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "安平市2024年信访工作要点\n\n发布时间:2024-03-01\n一、预防法治化\n对重大项目先做风险评估，再开工建设。\n"
        "二、办理法治化\n领导包案，逐件化解历年积案。\n（三）监督追责法治化。\n",
        encoding="utf-8",
    )
    found = shown(policy.open_scan(tmp_path))
    rows = next(part["rows"] for part in found["table"] if part["name"] == "parts-sentences")
    assert [row[2] for row in rows] == [
        "对重大项目先做风险评估，再开工建设。",
        "领导包案，逐件化解历年积案。",
    ]


def test_citations_with_version_and_short_forms(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "安平市2024年信访工作意见\n\n发布时间:2024-03-01\n为贯彻《信访工作条例》（以下简称《条例》），制定本意见。\n"
        "按照《条例》第二十二条登记。本意见第三条另行通知。\n",
        encoding="utf-8",
    )
    found = shown(policy.open_scan(tmp_path))
    (row,) = next(part["rows"] for part in found["table"] if part["name"] == "citations")
    assert row[0] == "《信访工作条例》"
    assert row[2:4] == ["2022年版", "《条例》"]
    assert row[6] == "第二十二条"


def test_contradictions_and_commitments_link_to_their_sentences(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "安平市2024年信访工作通报\n\n发布时间:2024-03-01\n去年共受理各类诉求500件，其中咨询类200件，占50%；投诉类300件，占60%。\n"
        "市信访局负责，6月底前完成30件积案化解。\n",
        encoding="utf-8",
    )
    found = shown(policy.open_scan(tmp_path))
    tables = {part["name"]: part for part in found["table"]}
    listed = {row["id"]: row["text"] for part in found["evidence"] for row in part["rows"]}
    ((wrong,),) = tables["disagreements"]["links"].values()
    assert "500件" in listed[wrong.removeprefix("#e-")]
    ((task,),) = tables["commitments"]["links"].values()
    assert "30件积案" in listed[task.removeprefix("#e-")]


def test_every_link_leads_to_listed_evidence(folder: Path) -> None:
    found = shown(policy.open_scan(folder))
    listed = {row["id"]: row for part in found["evidence"] for row in part["rows"]}
    targets = [t for part in found["table"] for column in part["links"].values() for t in column]
    assert len(targets) > 15
    for target in targets:
        assert target is not None
        assert target.removeprefix("#e-") in listed
    for row in listed.values():
        text = (folder / row["source"]).read_text(encoding="utf-8")[row["start"] : row["end"]]
        assert text.replace(",", "，").strip() == row["text"].replace(",", "，").strip()


def test_a_period_against_the_one_before(folder: Path) -> None:
    found = shown(policy.open_scan(folder, "2024"))
    results = {part["name"]: part["value"] for part in found["result"]}
    assert results["文档数"] == 1
    turnover = next(part for part in found["table"] if part["name"] == "turnover")
    status = {row[0]: row[1] for row in turnover["rows"]}
    assert status["阳光晒单"] == "新出现"
    assert status["三域联调"] == "本期未用"


def test_a_period_without_documents_says_so(folder: Path) -> None:
    found = shown(policy.open_scan(folder, "2019"))
    assert any("没有可分析的文档" in part["text"] for part in found["note"])
    assert {part["name"] for part in found["table"]} == {"health", "methods"}


def test_a_corpus_of_empty_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" \n", encoding="utf-8")
    found = shown(policy.open_scan(tmp_path))
    assert any("没有可分析的文档" in part["text"] for part in found["note"])


def test_codes_are_called_proposals(folder: Path) -> None:
    found = shown(policy.open_scan(folder))
    assert any(part.get("grade") == "待人工确认" for part in found["finding"])


def test_peoples_codes_override_and_are_compared(folder: Path, tmp_path: Path) -> None:
    from analysis.text import sheets

    scan = policy.open_scan(folder)
    assert any("没有人工编码" in part["text"] for part in shown(scan)["note"])
    filled = tmp_path / "sheets"
    filled.mkdir()
    sheet = sheets.draw(scan.sentences)
    sheet["监督追责"] = ["1" if "登记" in sentence else "" for sentence in sheet["句子"]]
    for coder in ("甲", "乙"):
        sheets.write(sheet, filled / f"{coder}.csv")
    found = shown(policy.open_scan(folder, sheets=filled))
    results = {part["name"]: part["value"] for part in found["result"]}
    assert results["人工编码的句数"] == len(sheet)
    assert results["人工补上的编码"] == 1
    assert results["人工确认的编码"] == 0
    tables = {part["name"]: part for part in found["table"]}
    assert {row[6] for row in tables["agreement"]["rows"]} == {3}
    assert "混淆表" in tables["confusion"]["caption"]
    assert {row[0] for row in tables["parts-sentences"]["rows"]} == {"监督追责"}


def test_the_chapter_of_a_periodic_brief(folder: Path, sample: Path) -> None:
    display.use()
    policy.dynamics(None, "2024-03")
    assert "没有提供政策文本语料" in parts()["note"][-1]["text"]
    display.use()
    policy.dynamics(folder, "2024-04")
    found = parts()
    assert {part["name"]: part["value"] for part in found["result"]}["文档数"] == 1
    assert found["evidence"]
    display.use()
    policy.dynamics(folder, "2020-01")
    assert "没有2020年1月的政策文本" in parts()["note"][-1]["text"]


def test_by_region_of_the_sample(sample: Path) -> None:
    every = policy.open_scan(sample / "documents").every
    city = policy.open_scan(sample / "documents", region="990500").every
    assert 0 < len(city) < len(every)
    assert set(city["region_code"].dropna()) <= {
        "990000",
        "990500",
        *[c for c in every["region_code"].dropna() if c.startswith("9905")],
    }
    with pytest.raises(RequestError, match="行政区划"):
        _ = policy.open_scan(sample / "documents", region="123").every


def test_a_corpus_of_other_work_is_said_and_the_field_comes_first(tmp_path: Path) -> None:
    (tmp_path / "甲.txt").write_text(
        "示例市政府工作报告\n一年来，接待游客35万人次，登记经营主体2万户。\n对重点工程开展督查督办，纳入年度考核。\n"
        "严格督查问责，压实防汛责任。\n依法受理信访事项，化解矛盾纠纷120件。\n全年投入资金66000万元，其中市级5.5亿元。\n",
        encoding="utf-8",
    )
    found = shown(policy.open_scan(tmp_path))
    results = {part["name"]: part["value"] for part in found["result"]}
    assert 0 < 2 * results["其中段落写到信访或纠纷的句数"] < results["涉及五部分的句数"]
    assert any("本语料多谈别的工作" in part["text"] for part in found["finding"])
    tables = {part["name"]: part for part in found["table"]}
    handled = [row for row in tables["parts-sentences"]["rows"] if row[0] in ("受理", "办理")]
    assert all("信访事项" in row[2] for row in handled[:1])
    values = {row[1] for row in tables["statistics"]["rows"]}
    assert {"6.6亿元", "5.5亿元"} <= values
    assert not any(".0" in value for value in values)


def test_where_a_text_came_from_with_what_else_speaks_for_it(tmp_path: Path) -> None:
    clause = "各级信访部门应当设立公开的接待场所，公布接待时间、查询方式和办理程序，并自收到诉求之日起十五日内书面告知来访群众受理情况。"
    (tmp_path / "a.txt").write_text(
        f"示例省信访接待办法\n\n发布时间:2021-03-01\n{clause}\n本办法由省信访局解释并负责组织实施全省的督促检查工作。\n",
        "utf-8",
    )
    (tmp_path / "b.txt").write_text(
        f"安平市信访接待细则\n\n发布时间:2023-05-01\n根据《示例省信访接待办法》，制定本细则。\n{clause}\n"
        "市级部门每月轮流到县区开展现场接待，结果向社会公布。\n",
        "utf-8",
    )
    found = shown(policy.open_scan(tmp_path))
    (table,) = (part for part in found["table"] if part["name"] == "origins")
    ((document, source, share, longest, *_, cited, phrases, verdict),) = table["rows"]
    assert (document, source) == ("安平市信访接待细则", "示例省信访接待办法")
    assert 30 < float(share) < 80
    assert longest >= 40
    assert (cited, verdict) == ("同向", "一致")
    listed = {row["id"]: row["text"] for part in found["evidence"] for row in part["rows"]}
    ((link,),) = table["links"].values()
    assert "接待场所" in listed[link.removeprefix("#e-")]


def test_a_single_document_has_no_sources(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("示例市信访工作要点\n依法受理信访事项，化解矛盾纠纷。\n", "utf-8")
    found = shown(policy.open_scan(tmp_path))
    assert any("只有一篇文档" in part["text"] for part in found["note"])


def test_the_sample_has_numbers_in_tables_too(sample: Path) -> None:
    display.use()
    scan = policy.open_scan(sample / "documents")
    assert scan.statistics["start"].isna().any()
    policy.statistics(scan)
    (table,) = (part for part in display.recorded("table") if part["name"] == "statistics")
    assert len(table["rows"]) == 60
    assert len({row[-1] for row in table["rows"]}) > 20  # of many documents, not of the first
