"""Votes: probabilities recomputed by hand, evidence in the text, what the rules alone settle, files refused by line, learning."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import text
from analysis.errors import CodebookError, InputError
from analysis.text.coding import Codebook, _propose
from analysis.text.rules import Unit, View
from analysis.text.votes import Coded, Index, Votes, circumstance_names, circumstances, learn

CODES = ["受理", "办理"]
FILE: dict[str, Any] = {
    "version": "1",
    "source": "test",
    "codes": CODES,
    "limit": 0.5,
    "doubt": [0.2, 0.8],
    "circumstances": "constant -200 -200\nhit:受理 300 -100\nprevious:受理 0 100\n",
    "strings": "说和 -50 300\n说 0 10\n0件 40 0\n",
}
BOOK: dict[str, Any] = {
    "version": "1",
    "source": "test",
    "frame": "toy",
    "codes": [
        {"code": "受理", "rules": ["登记"], "exclude": "会议"},
        {"code": "办理", "rules": ["调解"]},
    ],
}


def units(*texts: str) -> list[Unit]:
    made, at = [], 0
    for words in texts:
        made.append(Unit(words, at, at + len(words)))
        at += len(words)
    return made


def decide(*texts: str, **changed: Any) -> list[dict[int, Any]]:
    book = Codebook.parse(BOOK)
    view = View(units(*texts))
    votes = Votes.parse({**FILE, **changed}, CODES)
    return votes.decide(view, [_propose(view, entry) for entry in book.codes])


def test_a_probability_by_hand() -> None:
    """登记 before: previous:受理. Three strings in the unit (说和, 说, 0件), each worth 4/√3."""
    accepted, handled = decide("登记。", "说和3件。")
    size = 4 / math.sqrt(3)
    assert handled == {1: (["votes"], round(1 / (1 + math.exp(-(-2 + 1 + size * (3 + 0.1)))), 3), ((0, 2),))}
    assert accepted[0][0] == ["受理.1"]
    assert accepted[0][1] == round(1 / (1 + math.exp(-(-2 + 3))), 3)
    assert 1 not in accepted  # 1/(1+e^(2 − 4/√3·(0.4 − 0.5))) is far below the limit


def test_evidence_of_a_rule_stays_the_rules() -> None:
    accepted, _ = decide("当场登记说和。", strings="说和 300 0\n")
    assert accepted[0][0] == ["受理.1"]
    assert accepted[0][2] == ((2, 4),)


def test_an_exclusion_stays_out_whatever_the_votes() -> None:
    loud = {"strings": "登记 900 0\n"}
    assert 0 in decide("当场登记。", **loud)[0]
    assert decide("会议登记。", **loud)[0] == {}


def test_an_item_under_a_leading_sentence_stays_in() -> None:
    """The votes are against it: without the lead the item falls out, under a lead that carries the code it stays."""
    quiet = {"circumstances": "constant -900 -900\nhit:受理 0 0\n", "strings": "窗口 900 0\n"}
    assert decide("（一）登记来信。", **quiet)[0] == {}
    accepted, _ = decide("窗口登记下列事项：", "（一）登记来信；", **quiet)
    assert sorted(accepted) == [0, 1]
    assert accepted[1][0] == ["受理.1"]


def test_digits_stand_for_one_another() -> None:
    loud = {"strings": "0件 900 0\n"}
    for words in ("共3件。", "共９件。", "共0件。"):
        assert list(decide(words, **loud)[0]) == [0]
    assert decide("共三件。", **loud)[0] == {}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"codes": ["受理"]}, "类目不一致"),
        ({"codes": None}, "类目不一致"),
        ({"circumstances": "constant 1 1\nwind:受理 1 1\n"}, "wind:受理"),
        ({"strings": "说和 1\n"}, "说和 1"),
        ({"strings": "说和 一 二\n"}, "说和 一 二"),
        ({"strings": "说和起来了 1 1\n"}, "说和起来了"),
        ({"limit": None}, "limit"),
        ({"doubt": [0.2]}, "doubt"),
        ({"doubt": "不明"}, "不明"),
    ],
    ids=[
        "fewer codes",
        "no codes",
        "unknown",
        "too few numbers",
        "no numbers",
        "too long",
        "no limit",
        "one end",
        "no ends",
    ],
)
def test_odd_files_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(CodebookError, match=said):
        Votes.parse({**FILE, **changed}, CODES, "own_votes.yml")


@given(
    st.lists(st.text("登记说和0件𠀀\n", max_size=12), min_size=1, max_size=4),
    st.lists(st.text("登记说和0件", min_size=1, max_size=4), min_size=1, max_size=8, unique=True),
)
def test_every_place_of_every_string(texts: list[str], strings: list[str]) -> None:
    texts = [words.replace("\n", "。") for words in texts]
    places = Index(strings).find(texts)
    seen = sorted(
        zip(places.unit.tolist(), places.start.tolist(), [strings[n] for n in places.string], strict=True)
    )
    wanted = sorted(
        (number, at, word)
        for number, words in enumerate(texts)
        for word in strings
        for at in range(len(words))
        if words.startswith(word, at)
    )
    assert seen == wanted
    assert places.length.tolist() == [len(strings[n]) for n in places.string]


def test_circumstances_of_a_small_document() -> None:
    """登记 | 天晴 | 登记调解: shares are drawn towards 0 by two imagined units without codes."""
    view = View(units("登记。", "天晴3日。", "应当登记、调解。"))
    rows = circumstances(view, [_propose(view, entry) for entry in Codebook.parse(BOOK).codes])
    table = [dict(zip(circumstance_names(CODES), row.tolist(), strict=True)) for row in rows]
    assert [row["hit:受理"] for row in table] == [1, 0, 1]
    assert [row["previous:受理"] for row in table] == [0, 1, 0]
    assert [row["next:办理"] for row in table] == [0, 1, 0]
    assert [row["window:受理"] for row in table] == [0.5, 1, 0.5]
    assert [row["share:受理"] for row in table] == [0.25, 0.5, 0.25]
    assert [(row["none"], row["two"], row["number"], row["duty"]) for row in table] == [
        (0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1),
    ]  # fmt: skip
    assert table[0]["length"] == pytest.approx(math.log(4) / 4)


def coded(pairs: list[tuple[str, tuple[int, int]]]) -> Coded:
    view = View(units(*(words for words, _ in pairs)))
    proposals = [_propose(view, entry) for entry in Codebook.parse(BOOK).codes]
    return Coded(view, proposals, np.array([gold for _, gold in pairs]))


def test_what_people_coded_is_learnt() -> None:
    """劝说 is in no rule; people coded it as 办理 wherever it stood, and a meeting never as anything."""
    documents = [
        coded([(f"干部劝说{who}。", (0, 1)), (f"{who}开会。", (0, 0)), (f"登记{who}来信。", (1, 0))])
        for who in ("张庄", "李村", "王屯", "赵家", "钱塘", "孙集")
    ]
    content = learn(documents, CODES, version="1", source="test", strength=10)
    assert learn(documents, CODES, version="1", source="test", strength=10) == content
    votes = Votes.parse(content, CODES)
    assert "劝说" in votes.strings
    assert not any(who in votes.strings for who in ("张庄", "李村"))  # in one document only
    view = View(units("组长劝说双方。", "组长开会。", "登记来访。"))
    accepted, handled = votes.decide(view, [_propose(view, entry) for entry in Codebook.parse(BOOK).codes])
    assert list(handled) == [0]
    assert list(accepted) == [2]
    start, end = handled[0][2][0]
    assert set("劝说") & set("组长劝说双方。"[start:end])


def test_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match="没有已编码的文件"):
        learn([], CODES, version="1", source="test")


def test_the_packaged_weights() -> None:
    book = Codebook.load("five_part")
    assert book.votes is not None
    assert book.votes.codes == tuple(entry.code for entry in book.codes)
    assert 0 < max(map(len, book.votes.strings)) <= 4
    assert book.stated == f"{book.version}+权重{book.votes.version}"
    assert book.by_rules().votes is None
    assert book.by_rules().stated == book.version


def test_doubts_lie_between_the_ends(frames) -> None:
    documents, sentences = frames(
        "镇里派人上门，把两家的疙瘩解开了。新食堂下周开张。要切实把群众的事放在心上。窗口当场登记。"
    )
    found = text.doubts(documents, sentences)
    low, high = Codebook.load("five_part").votes.doubt
    assert found["probability"].between(low, high, inclusive="left").all()
    codes = text.code(documents, sentences)
    sure = codes.loc[codes["confidence"] >= high, ["sentence", "code"]]
    assert sure.merge(found, on=["sentence", "code"]).empty
    for row in found.itertuples():
        assert documents["body"].iloc[0][row.start : row.end] == row.text


def test_a_codebook_of_rules_has_no_doubts(frames) -> None:
    found = text.doubts(*frames("应当登记。"), "directive")
    assert found.empty
    assert "没有概率" in found.attrs["note"]
