"""Commitments: who, what, by when, how strictly; measurable or not; reported done later."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.text.commitments import commitments, fulfilment

PLAN = (
    "一、工作回顾\n去年完成了信访大厅改造。建设接待场所3处。\n"
    "二、下步工作安排\n2024年6月底前,由市信访局牵头建立预登记平台。各县区要在10个工作日内完成信访事项甄别分流。"
    "确保初次信访事项一次性化解率达到93%以上。严禁推诿扯皮。鼓励社会组织参与调解。\n"
)


def found(body: str, **fields: object) -> pd.DataFrame:
    return commitments(pd.DataFrame([{"doc_id": "x", "body": body, **fields}]))


def test_fields_of_a_plan_by_hand() -> None:
    table = found(PLAN, published="2024-01-10", issuer="示例市信访局")
    assert table["modality"].tolist() == ["应当", "要", "必须", "禁止", "鼓励"]
    assert table["strength"].tolist() == [4, 3, 5, 5, 1]
    assert table["by_date"].tolist() == ["2024-06-30", None, None, None, None]
    assert table["who"].tolist() == ["市信访局", "各县区", "示例市信访局", "示例市信访局", "示例市信访局"]
    assert table["who_stated"].tolist() == [True, True, False, False, False]
    assert table["measurable"].tolist() == [True, True, True, False, False]
    assert table["targets"].iloc[2] == ["达到93%以上"]
    assert set(table["section"]) == {"二、下步工作安排"}
    for row in table.itertuples():
        assert PLAN[row.start : row.end] == row.text


@pytest.mark.parametrize(
    "number",
    [
        "一是",
        "十二是",
        "三是要",
        "二要",
        "（三）",
        "(3)",
        "（12）",
        "7．",
        "7.",
        "7、",
        "九、",
        "②",
        "⑶",
        "㈠",
        "第四，",
        "（二）一是",
    ],
)
def test_what_numbers_a_clause_is_no_word_of_it(number: str) -> None:
    table = found(
        f"下一步工作安排如下，请抓好落实。{number}各镇街要在6月底前建成信访联合接待站点。", issuer="示例县"
    )
    row = table[table["what"].str.contains("接待站点")].iloc[0]
    assert row["what"] == "建成信访联合接待站点"
    assert row["who"] == "各镇街"
    assert row["who_stated"]
    assert row["text"].startswith(number)


@pytest.mark.parametrize(
    "figure",
    [
        "2.5万人次的接访能力要有保障，加快扩建接待场所",
        "3.1版平台要加快建设，实施全省统一部署",
        "三要素保障要到位，落实用地指标",
    ],
)
def test_a_figure_at_the_head_is_no_enumerator(figure: str) -> None:
    assert found(f"下一步\n{figure}。", published="2024-01-10")["what"].tolist() == [figure]


@pytest.mark.parametrize(
    ("clause", "targets", "when"),
    [
        ("6月30日前完成积案清理120件", ["完成积案清理120件"], "6月30日前"),
        ("20日前报送情况，梳理5类清单，落实到人", ["5类"], None),
        ("2024年9月1日起实施，新建调解室3个", ["新建调解室3个"], None),
        ("在15个工作日内完成登记甄别工作", [], "在15个工作日内"),
        ("建立第3批次重点事项包案台账", [], None),
        ("完成第12批重点事项化解工作", [], None),
        ("优化流程，平均办理时间缩短至40天", ["40天"], None),
    ],
)
def test_days_and_ordinals_measure_nothing(clause: str, targets: list[str], when: str | None) -> None:
    row = found(f"下一步\n{clause}。", published="2024-01-10").iloc[0]
    assert row["targets"] == targets
    assert row["by_when"] == when
    assert row["measurable"] == (bool(targets) or when is not None)


def test_who_opens_the_clause_or_stands_after_its_first_part() -> None:
    table = found(
        "下一步\n由县司法局牵头建立调解员名册。为此，各级调解组织都要做好衔接。落实首办责任（县信访局牵头）。"
    )
    assert table["who"].tolist() == ["县司法局", "各级调解组织", "县信访局"]
    assert table["what"].tolist()[:2] == ["建立调解员名册", "为此，各级调解组织都要做好衔接"]


def test_a_review_promises_nothing() -> None:
    assert found("一、工作回顾\n建设接待场所3处。推进信访工作法治化取得成效。确保了平稳有序。\n").empty
    assert found("会议室里坐满了人。天气很好。").empty


@pytest.mark.parametrize(
    ("when", "date"),
    [
        ("2024年底前", "2024-12-31"),
        ("今年9月底前", "2024-09-30"),
        ("年底前", "2024-12-31"),
        ("到2025年", "2025-12-31"),
        ("明年上半年", "2025-06-30"),
        ("2024年第三季度末", "2024-09-30"),
        ("5月20日前", "2024-05-20"),
    ],
)
def test_deadlines_are_resolved_against_the_document(when: str, date: str) -> None:
    table = found(f"下一步\n{when}完成信访积案清仓工作。", published="2024-03-01")
    assert table["by_date"].tolist() == [date]


def test_a_deadline_without_year_stays_open_without_a_date() -> None:
    table = found("下一步\n年底前完成信访积案清仓工作。")
    assert table["by_when"].tolist() == ["年底前"]
    assert table["by_date"].isna().all()


def test_genres_that_promise_nothing_are_left_out() -> None:
    refused = found(PLAN, genre="图片新闻")
    assert refused.empty
    assert refused.attrs["refused"] == {"图片新闻": 1}
    assert len(found(PLAN, genre="工作部署")) == 5


def test_a_later_report_is_proposed_as_fulfilment_with_its_span() -> None:
    report = "一年来,市信访局牵头建立的预登记平台已建成投用。其他事项平稳。"
    documents = pd.DataFrame(
        [
            {"doc_id": "plan", "body": PLAN, "published": "2024-01-10"},
            {"doc_id": "report", "body": report, "published": "2024-12-20"},
            {"doc_id": "early", "body": report, "published": "2023-12-20"},
        ]
    )
    table = fulfilment(commitments(documents.head(1)), documents)
    first = table.iloc[0]
    assert first["done_doc_id"] == "report"
    assert report[first["done_start"] : first["done_end"]] == first["done_text"]
    assert table["done_doc_id"].isna().sum() == 4


def test_precision_on_a_random_hundred_of_the_real_work_reports(shared: Path, root: Path) -> None:
    """A hundred hits drawn at random (seed 2026) were judged by hand: is it a commitment? The sheet holds place and judgement."""
    with (root / "tests" / "text" / "commitments_sheet.csv").open(encoding="utf-8") as lines:
        judged = {
            (row["file"], int(row["start"])): row["judgement"] == "yes" for row in csv.DictReader(lines)
        }
    assert len(judged) == 100
    rows = [
        {"doc_id": file.stem, "body": file.read_text(encoding="utf-8"), "published": "2026-01-20"}
        for file in sorted((shared / "corpus" / "work_reports").glob("*.txt"))
    ]
    table = commitments(pd.DataFrame(rows))
    places = set(zip(table["doc_id"], table["start"], strict=True))
    still = [place for place in judged if place in places]
    assert sum(not judged[place] for place in still) <= 4
    assert sum(judged[place] for place in still) >= 96


def test_a_regulation_states_standing_duties() -> None:
    rules = (
        "第一章　总则\n第一条　为了规范接待工作，制定本规则。\n第二条　县级信访部门应当自收到诉求之日起十五日内告知来访人。\n"
        "第三条　任何单位不得推诿。\n第四条　来访人可以书面提出诉求。\n"
    )
    table = found(rules, genre="法规", issuer="示例省人民代表大会")
    assert table["modality"].tolist() == ["应当", "禁止"]
    assert table["who"].tolist() == ["县级信访部门", None]
    assert table["what"].tolist()[0].startswith("自收到诉求之日起")
    assert found(rules, genre="会议报道").empty
    assert found(rules, genre=pd.NA).empty


@pytest.mark.parametrize(
    "clause",
    [
        "第二条　本规则所称接待场所，是指县级以上机关设立的、应当公开地址的来访接待场所",
        "第二条　本规则所称重复来访应当理解为同一人就同一事项再次来访",
        "初次来访，是指来访人第一次提出的、依法应当由本级机关登记的来访",
        "本规则由市信访局负责解释",
        "乡镇、街道的接待工作应当参照本规则执行",
        "依法应当由上级机关登记的，移送上级机关",
        "（二）应当登记而未登记，或者应当告知而不告知的，由上级机关责令改正",
        "已经按规定应当通过诉讼途径处理的来访事项，窗口不再登记",
        "造成严重后果的，对直接负责的主管人员依规给予处分",
        "接待日的主持人一般由负责同志轮流担任",
        "专门设立的接待机构和确定的负责接待的人员，可以查阅登记簿",
        "（六）其他应当登记的来访",
        "（七）依法应当登记的其他来访事项",
        "（一）属地管理、分级负责，谁接待、谁负责",
        "对接待工作不负责任的人员，给予批评教育",
    ],
)
def test_a_definition_or_a_condition_of_a_regulation_binds_nobody(clause: str) -> None:
    assert found(f"{clause}。", genre="法规").empty


@pytest.mark.parametrize(
    ("clause", "who"),
    [
        ("前款所称单位应当为来访人提供便利", None),
        ("（一）应当由本机关登记的，接待部门应当当日登记", "接待部门"),
        ("上级机关应当是公开的接待日程的发布者", None),
        ("县级信访部门应当公布来访人应当提交的材料", "县级信访部门"),
        ("县级机关应当设立或者确定负责接待的机构", "县级机关"),
        ("分管负责人和其他负责人分别负责处理本单位的来访事项", None),
        ("对不予登记的，接待部门（是指设有窗口的部门）应当说明理由", None),
        ("信访部门是指导接待工作的机构，应当每月抽查登记簿", None),
        ("其他单位参照本规则，应当公布接待时间", None),
        ("（二）诉求合理但没有依据的，应当说明理由", None),
        ("（三）如实登记，应当做到件件有编号", None),
    ],
)
def test_a_duty_beside_a_definition_or_a_condition_stays(clause: str, who: str | None) -> None:
    (row,) = found(f"{clause}。", genre="法规").itertuples()
    assert row.modality == "应当"
    assert who is None or row.who == who


def test_what_binds_nobody_is_no_order_in_a_plan_either() -> None:
    table = found(
        "下一步\n对应当登记而不登记的，加强督查。会同直接负责的主管人员逐件核对。\n", issuer="示例县"
    )
    assert table["modality"].tolist() == ["部署"]


def test_real_regulations_state_no_duty_by_definition(shared: Path) -> None:
    """What a word means, who answers for a failure and what a condition speaks of is no duty of the nine regulations."""
    from analysis import corpus

    documents = corpus.read(shared / "corpus" / "regulations").documents
    table = commitments(documents)
    assert len(table) > 500
    assert (
        not table["text"]
        .str.contains(r"本(?:条例|法)所称|(?:是|系)指(?!定|导)|直接负责的主管人员|统称为")
        .any()
    )
    duty = re.compile("应当|不得|必须")
    for clause in table["text"]:
        parts = [part for part in re.split("[，,：:]", clause) if duty.search(part)]
        assert not parts or not all(part.endswith("的") for part in parts)


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="年底前完成确保推进2024月日。\n一、到由局牵头%3", max_size=80))
def test_any_text_gives_valid_spans(body: str) -> None:
    table = found(body, published="2024-02-30")
    for row in table.itertuples():
        assert body[row.start : row.end].strip() == row.text
