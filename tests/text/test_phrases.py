"""Phrases: each shape, what is no phrase, parts where the text spells them out, unquoted uses, the gold list."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import corpus
from analysis.errors import CodebookError
from analysis.text.phrases import Forms, mentions
from analysis.text.shapes import Shapes, members, normal


def phrases(*bodies: str | None) -> pd.DataFrame:
    documents = pd.DataFrame({"doc_id": [f"d{n}" for n in range(len(bodies))], "body": list(bodies)})
    table = mentions(documents)
    for row in table.itertuples():
        body = bodies[int(row.doc_id[1:])]
        assert body is not None
        assert body[row.start : row.end] == row.text, "every mention points to its own text"
    return table


def first(body: str) -> dict[str, list[str]]:
    table = phrases(body).drop_duplicates("phrase")
    return dict(zip(table["phrase"], table["parts"], strict=True))


@pytest.mark.parametrize(
    ("body", "phrase", "shape"),
    [
        ("推行“阳光晒单”做法。", "阳光晒单", "quoted"),
        ('依托"252"体系。', "252", "quoted"),
        ("建设“3+18+260”服务网。", "3+18+260", "quoted"),
        ("开展“霹雳”行动。", "“霹雳”行动", "quoted"),
        ("完善七大体系。", "七大体系", "numbered"),
        ("推进三大攻坚平台建设。", "三大攻坚平台", "numbered"),
        ("做到责任明、时限清、依法办、作风好。", "责任明、时限清、依法办、作风好", "parallel"),
        ("坚持查隐患、解民忧，深入基层。", "查隐患、解民忧", "parallel"),
        ("全面落实重大项目社会影响评估制度。", "重大项目社会影响评估制度", "named"),
        ("加快构建权责清晰的大调处格局。", "大调处格局", "named"),
        ("通过连心亭、议事长廊、红色哨点等载体，听取意见。", "连心亭", "listed"),
        ("发展新时代枫桥经验。", "枫桥经验", "known"),
        ("积“小网格”为“大服务”。", "积“小网格”为“大服务”", "quoted"),
    ],
)
def test_each_shape(body: str, phrase: str, shape: str) -> None:
    table = phrases(body)
    assert (normal(phrase), shape) in set(zip(table["phrase"], table["shape"], strict=True)), table


@pytest.mark.parametrize(
    "body",
    [
        "他说：“这件事情我们一定给您一个满意的答复。”",
        "牵住“牛鼻子”，打通“最后一公里”。",
        "荣获“全县先进单位”称号。",
        "（以下简称“有关部门”）",
        "什么是“难”？",
        "完善工作机制，健全规章制度。",
        "第三大市场开业，约五项措施。",
        "二十条措施出台。",
        "公安机关、司法机关、检察机关到场。",
        "涉及城东镇、城西镇、城南镇。",
    ],
)
def test_what_is_no_phrase(body: str) -> None:
    assert phrases(body).empty, phrases(body)


@pytest.mark.parametrize(
    ("body", "phrase", "parts"),
    [
        ("坚持村调、企调、校调“三域联调”。", "三域联调", ["村调", "企调", "校调"]),
        ("做到交心、交底、交友“三交”同步。", "三交", ["交心", "交底", "交友"]),
        (
            "已建立县级领导每周接访、镇级领导每日坐班、村级干部上门走访的“三级联访”架构。",
            "三级联访",
            ["县级领导每周接访", "镇级领导每日坐班", "村级干部上门走访"],
        ),
        ("以“清廉、清爽、清单”三大警务为抓手。", "三大警务", ["清廉", "清爽", "清单"]),
        ("构建预警、处置、评估、问效四大体系。", "四大体系", ["预警", "处置", "评估", "问效"]),
        ("落实“三个到”（到村、到户、到人）要求。", "三个到", ["到村", "到户", "到人"]),
        ("推行“1+2”工作法，即“支部引领+‘两个办’（代办、联办）机制”。", "1+2", ["支部引领", "两个办"]),
        ("推行“1+2”工作法，即“支部引领+‘两个办’（代办、联办）机制”。", "两个办", ["代办", "联办"]),
        ("建立“平台+专家+网格”模式。", "平台+专家+网格", ["平台", "专家", "网格"]),
        ("坚持硬件与软件、线上与线下、专职与兼职“三个并重”。", "三个并重", ["硬件与软件", "线上与线下", "专职与兼职"]),
        ("案件数、涉及人数和金额实现“三下降”。", "三下降", ["案件数", "涉及人数", "金额"]),
        ("聚焦“四个现代化”。一是“登记现代化”。二是“转办现代化”。三是“调处现代化”。四是“回访现代化”。",
         "四个现代化", ["登记现代化", "转办现代化", "调处现代化", "回访现代化"]),
        ("强化“三联”，加快建设。坚持联办、联查、联考，形成合力。", "三联", ["联办", "联查", "联考"]),
        ("突出“一个落脚点”。以“干部认可、村民满意”为落脚点。", "一个落脚点", ["干部认可", "村民满意"]),
        ("形成“隐患早知道、纠纷早化解、事情早办好”的局面。", "隐患早知道、纠纷早化解、事情早办好",
         ["隐患早知道", "纠纷早化解", "事情早办好"]),
        ("根本在“早”，要下沉。重点在“和”，要调解。", "根本在早", ["根本在早", "重点在和"]),
    ],
)  # fmt: skip
def test_parts_where_the_text_spells_them_out(body: str, phrase: str, parts: list[str]) -> None:
    assert first(body).get(phrase) == parts, first(body)


@pytest.mark.parametrize(
    ("body", "phrase"),
    [
        ("推行“三域联调”，成效明显。", "三域联调"),
        ("村调、企调“三域联调”。", "三域联调"),
        ("增强“四个意识”。", "四个意识"),
        ("树牢“四个理念”、坚守“四个底线”、做到“两个带头”。", "两个带头"),
        ("坚持甲论思想、乙论思想、丙论思想、“三个坚守”。", "三个坚守"),
        ("新增8所学校、12个班组入选“双优计划”。", "双优计划"),
        ("推进电动自行车、老旧厂房“两项整治”。", "两项整治"),
        ("开展“一村一策”，修渠、铺路“一村一策”。", "一村一策"),
        ("为老人送上“一顿饭”（牵头单位：民政局）。", "一顿饭"),
    ],
    ids=[
        "none given",
        "too few",
        "known but not given",
        "list of phrases",
        "itself a member",
        "counts",
        "cut inside a word",
        "one each",
        "one thing",
    ],
)
def test_no_parts_where_it_does_not(body: str, phrase: str) -> None:
    assert first(body)[phrase] == []


def test_the_list_of_parts_is_no_phrase_of_its_own() -> None:
    assert "清廉、清爽、清单" not in first("以“清廉、清爽、清单”三大警务为抓手。")


def test_once_quoted_then_found_without_marks_in_every_document() -> None:
    table = phrases("推行“阳光晒单”做法。", "各村学习阳光晒单。", None, "")
    assert table[["doc_id", "shape"]].to_numpy().tolist() == [["d0", "quoted"], ["d1", "known"]]


def test_no_phrase_overlaps_another_of_its_own_kind() -> None:
    table = phrases("全面落实“阳光晒单”工作机制，深化三大攻坚平台，坚持查隐患、解民忧。")
    assert not table.duplicated(["start", "end"]).any()


def test_kinds_go_by_the_head_noun() -> None:
    table = phrases("实施“连心”工程。推行“阳光晒单”机制。做到“四个不”。发布“平安云岭指数”。")
    assert dict(zip(table["phrase"], table["kind"], strict=True)) == {
        "连心工程": "programme", "阳光晒单": "mechanism", "四个不": "slogan", "平安云岭指数": "index",
    }  # fmt: skip


def test_normal_forms_and_members() -> None:
    assert normal(" “甲 乙”, 丙(丁)") == "甲乙，丙（丁）"
    assert members("早知道、早化解") == ["早知道", "早化解"]
    assert members("5+60") == []
    assert members("一个很长很长的说法、短") == []


def test_a_codebook_without_a_list(tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text("version: 1\nsource: x\nheads: {}\n", encoding="utf-8")
    with pytest.raises(CodebookError, match="naming"):
        Shapes.load(file)


def test_gold_phrases_of_the_seeds(shared: Path) -> None:
    read = corpus.read(shared / "seeds")
    keys = [
        f"{source[:3]}-{n}"
        for source, n in zip(read.documents["source"], read.documents["position"], strict=True)
    ]
    table = mentions(read.documents.assign(doc_id=keys))
    gold = [
        json.loads(line)
        for line in (shared / "gold" / "formulations.jsonl").read_text(encoding="utf-8").splitlines()
    ]

    def bare(text: str) -> str:
        return re.sub(r"[^\w+]", "", normal(text))

    hits = expanded = spelled = found = right = 0
    for (source, doc), group in itertools.groupby(gold, key=lambda g: (g["source"], g["doc"])):
        mine: dict[str, list[str]] = {}
        for row in table[table["doc_id"] == f"{source}-{doc}"].itertuples():
            mine[bare(row.phrase)] = mine.get(bare(row.phrase)) or row.parts
        wanted = {bare(entry["text"]): entry["expansion"] for entry in group}
        hits += sum(key in mine for key in wanted)
        right += sum(key in wanted for key in mine)
        found += len(mine)
        spelled += sum(bool(parts) for parts in wanted.values())
        expanded += sum(
            [bare(p) for p in mine.get(key, [])] == [bare(p) for p in parts]
            for key, parts in wanted.items()
            if parts
        )
    assert hits / len(gold) >= 0.93
    assert right / found >= 0.63
    assert expanded / spelled >= 0.93


@given(
    st.sets(st.text("甲乙丙丁𠮷", min_size=2, max_size=4), min_size=1, max_size=6),
    st.text("甲乙丙丁𠮷。", max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_every_form_is_found_at_every_place(standing: set[str], body: str) -> None:
    found = Forms(dict.fromkeys(standing, "slogan")).find(body)
    expected = {(form, at) for form in standing for at in range(len(body)) if body.startswith(form, at)}
    assert len(found) == len(expected)
    assert set(found) == expected


def test_the_number_of_a_paragraph_is_no_part_of_a_name() -> None:
    assert phrases("六、建立抽查制度\n每季一次。").empty
    assert phrases("六、建立首问负责接访制度\n每季一次。")["phrase"].tolist() == ["首问负责接访制度"]
    assert phrases("推进一、二、三产业融合发展机制。")["phrase"].tolist() == ["一、二、三产业融合发展机制"]


def test_a_table_without_uses_has_the_types_of_one_with() -> None:
    assert phrases("天晴。").dtypes.equals(phrases("推行“阳光晒单”做法。").dtypes)
