"""Sentences with their offsets, speakers, acts and places in a regulation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.corpus.sentences import is_heading, numeral, sentences

MEETING = """本报讯 3月5日，全县会议召开。县委书记赵某出席并讲话。
会议指出，形势总体向好。压力仍然存在。
会议强调，要做好三项工作：
一是抓源头。要排查到户。
二是抓首办。
赵某要求，各乡镇要压实责任。
市里来人听取了汇报。
“群众满意才算数。”信访局负责人李某说。"""


def test_acts_and_speakers_of_a_meeting():
    rows = list(sentences("d", MEETING))
    assert [(r["speaker"], r["act"]) for r in rows] == [
        (None, None),
        (None, None),
        ("会议", "指出"),
        ("会议", "指出"),
        ("会议", "强调"),
        ("会议", "强调"),
        ("会议", "强调"),
        ("会议", "强调"),
        ("赵某", "要求"),
        (None, None),
        ("信访局负责人李某", "说"),
        ("信访局负责人李某", "说"),
    ]


def test_offsets_are_those_of_the_body():
    for row in sentences("d", MEETING):
        assert MEETING[row["start"] : row["end"]] == row["text"]
        assert MEETING.split("\n")[row["paragraph"]].find(row["text"]) >= 0


def test_speakers_of_an_interview_hold_until_the_next_turn():
    body = "某局长接受采访。\n记者：效果如何？\n王某某：效果很好。群众满意。\n还要再努力。\n记者：谢谢。"
    assert [r["speaker"] for r in sentences("d", body)] == [
        None,
        "记者",
        "王某某",
        "王某某",
        "王某某",
        "记者",
    ]


REGULATION = """第一章 总则
第一条 为了规范工作，制定本办法。
第二条 本办法适用于下列机关：
（一）各级机关；
（二）其他单位。
前款所称机关，包括派出机构。
第三条 国家鼓励调解。各地应当支持。
第二章 受理
第四条之一 本条后加。"""


def test_places_in_a_regulation():
    rows = [
        (r["text"], r["chapter"], r["article"], r["clause"], r["item"]) for r in sentences("d", REGULATION)
    ]
    assert rows == [
        ("第一章 总则", "第一章 总则", None, None, None),
        ("第一条 为了规范工作，制定本办法。", "第一章 总则", 1, 1, None),
        ("第二条 本办法适用于下列机关：", "第一章 总则", 2, 1, None),
        ("（一）各级机关；", "第一章 总则", 2, 1, 1),
        ("（二）其他单位。", "第一章 总则", 2, 1, 2),
        ("前款所称机关，包括派出机构。", "第一章 总则", 2, 2, None),
        ("第三条 国家鼓励调解。", "第一章 总则", 3, 1, None),
        ("各地应当支持。", "第一章 总则", 3, 1, None),
        ("第二章 受理", "第二章 受理", None, None, None),
        ("第四条之一 本条后加。", "第二章 受理", 4, 1, None),
    ]


def test_a_text_that_cites_one_article_is_no_regulation():
    assert "article" not in next(iter(sentences("d", "第三条 是这样写的。\n没有别的条文。")))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("一", 1),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("一百零二", 102),
        ("三百四十五", 345),
        ("二〇", 20),
        ("17", 17),
    ],
)
def test_numerals(text, number):
    assert numeral(text) == number


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("一、总体要求", True),
        ("沉到一线 直面难题", True),
        ("会议今天召开。", False),
        ("要做好三项工作：", False),
    ],
)
def test_headings(text, heading):
    assert is_heading(text) is heading


@given(st.text(st.sampled_from("会议指出，。！？；：”“\n 一二第条章（）—记者信访abc1"), max_size=80))
def test_sentences_cover_all_that_is_not_white_space(body):
    rows = list(sentences("d", body))
    said = "".join("".join(r["text"].split()) for r in rows)
    assert said == "".join(body.split())
    assert [r["sentence"] for r in rows] == list(range(len(rows)))
    assert all(a["end"] <= b["start"] for a, b in zip(rows, rows[1:], strict=False))
