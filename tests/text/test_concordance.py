"""KWIC: first, last and only place, bounded by the sentence, sorted both ways, bad patterns refused."""

from __future__ import annotations

import pytest

from analysis.errors import RequestError
from analysis.text.concordance import kwic
from analysis.text.segment import Lexicon

BODY = "信访事项先登记。乙村信访，丙村也信访。信访"


def test_first_last_and_only_place(frames) -> None:
    documents, sentences = frames(BODY)
    table = kwic(sentences, "信访")
    assert table["start"].tolist() == [0, 10, 16, 19]
    assert [BODY[a:b] for a, b in zip(table["start"], table["end"], strict=True)] == ["信访"] * 4
    assert table["left"].tolist() == ["", "乙村", "乙村信访，丙村也", ""]
    assert table["right"].tolist() == ["事项先登记。", "，丙村也信访。", "。", ""]
    assert documents["body"].iloc[0] == BODY


def test_never_beyond_the_sentence_and_no_wider_than_asked(frames) -> None:
    _, sentences = frames(BODY)
    table = kwic(sentences, "丙", width=2)
    assert table[["left", "text", "right"]].to_numpy().tolist() == [["访，", "丙", "村也"]]
    assert kwic(sentences, "登记。乙村").empty


def test_lexicon_patterns_take_the_longest_word(frames) -> None:
    _, sentences = frames("印度尼西亚和印度。")
    assert kwic(sentences, ["印度", "印度尼西亚"])["text"].tolist() == ["印度尼西亚", "印度"]


def test_sorted_by_what_precedes_and_follows(frames) -> None:
    _, sentences = frames("甲B访乙。甲A访丙。丁A访甲。")
    assert kwic(sentences, "访", sort="left")["left"].tolist() == ["丁A", "甲A", "甲B"]
    assert kwic(sentences, "访", sort="right")["right"].tolist() == ["丙。", "乙。", "甲。"]


def test_regular_expressions(frames) -> None:
    _, sentences = frames("受理12件，办结9件。")
    assert kwic(sentences, r"\d+件")["text"].tolist() == ["12件", "9件"]


@pytest.mark.parametrize(
    "pattern", ["", [], "a*", "("], ids=["empty", "no words", "matches nothing", "broken"]
)
def test_bad_patterns(frames, pattern: str | list[str]) -> None:
    _, sentences = frames("信访。")
    with pytest.raises(RequestError):
        kwic(sentences, pattern)


def test_unknown_order(frames) -> None:
    _, sentences = frames("信访。")
    with pytest.raises(RequestError, match="排序"):
        kwic(sentences, "信", sort="up")  # type: ignore[arg-type]


def test_a_negative_width(frames) -> None:
    _, sentences = frames("信访。")
    with pytest.raises(RequestError, match="负数"):
        kwic(sentences, "信", width=-3)
    assert kwic(sentences, "信", width=0)[["left", "right"]].to_numpy().tolist() == [["", ""]]


def test_words_of_a_lexicon_count_only_as_words(frames) -> None:
    _, sentences = frames("印度尼西亚和印度。本来访问过，群众来访登记。")
    table = kwic(sentences, Lexicon({"印度": "", "来访": ""}))
    assert table["text"].tolist() == ["印度", "来访"]
    assert table["left"].tolist() == ["印度尼西亚和", "本来访问过，群众"]
    with pytest.raises(RequestError, match="没有给出检索词"):
        kwic(sentences, Lexicon())
