"""Coding: spans, exclusions, every sentence labelled, the packaged codebooks against their examples and the gold."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis import codebooks, corpus
from analysis.errors import CodebookError, InputError
from analysis.text.coding import Codebook, code, examine, labels

BOOK = {
    "version": "1",
    "source": "test",
    "frame": "toy",
    "shields": ["监督管理局"],
    "lists": {"reception": ["接访", "下访"]},
    "codes": [
        {
            "code": "受理",
            "rules": [{"id": "r1", "when": "登记", "confidence": 0.6}, {"id": "r2", "when": "$reception"}],
        },
        {"code": "监督", "rules": ["监督"], "exclude": {"previous": "样板"}, "weight": 3},
    ],
}


@pytest.fixture
def book() -> Codebook:
    return Codebook.parse(BOOK, "toy")


def test_codes_with_their_evidence(frames, book: Codebook) -> None:
    documents, sentences = frames("县长接访，当场登记。监督管理局参加。", "接受监督。")
    table = code(documents, sentences, book)
    assert table[["doc_id", "sentence", "code", "rule"]].to_numpy().tolist() == [
        ["d0", 0, "受理", "r1+r2"],
        ["d1", 0, "监督", "监督.1"],
    ]
    body = documents["body"].iloc[0]
    assert [body[a:b] for a, b in table["evidence"].iloc[0]] == ["接访", "登记"]
    assert body[table["start"].iloc[0] : table["end"].iloc[0]] == "县长接访，当场登记。"
    assert table["confidence"].tolist() == [0.8, 0.8]
    assert set(table["coder"]) == {"rule"}
    assert table.attrs == {"codebook": "toy", "version": "1", "unit": "sentence", "units": 3}
    assert book.codes[1].attributes == {"weight": 3}


def test_exclusions_drop_the_code(frames, book: Codebook) -> None:
    documents, sentences = frames("这是样板。接受监督。再受监督。")
    assert code(documents, sentences, book)["sentence"].tolist() == [2]


def test_what_is_said_in_passing_does_not_count(frames) -> None:
    """Stretches named for one code or for all are struck out; the code stays where it holds without them."""
    entry, other = BOOK["codes"]
    content = {
        **BOOK,
        "passing": ["/以[^，。]+为由/"],
        "codes": [{**entry, "passing": "/接访(数|率)/"}, {"code": "接访", "rules": ["接访"]}, other],
    }
    documents, sentences = frames("接访数上升。接访数上升，县长接访。他以未登记为由离开。当场登记。")
    table = code(documents, sentences, Codebook.parse(content, "toy"))
    assert table[["sentence", "code", "rule"]].to_numpy().tolist() == [
        [0, "接访", "接访.1"],
        [1, "受理", "r2"],
        [1, "接访", "接访.1"],
        [3, "受理", "r1"],
    ]
    body = documents["body"].iloc[0]
    assert table["evidence"].iloc[1] == [(14, 16)]
    assert body[14:16] == "接访"
    assert table["text"].iloc[1] == "接访数上升，县长接访。"


def test_passing_rules_name_their_place() -> None:
    with pytest.raises(CodebookError, match="nearly") as caught:
        Codebook.parse({**BOOK, "passing": {"nearly": ["x"]}}, "own.yml")
    assert "passing" in str(caught.value.value)


def test_every_sentence_has_its_line(frames, book: Codebook) -> None:
    documents, sentences = frames("县长接访。天气晴。", None, "")
    every = labels(code(documents, sentences, book), sentences)
    assert every["labels"].tolist() == [["受理"], []]
    assert every["evidence"].tolist() == [[["接访"]], []]
    assert every["rules"].tolist() == [["r2"], []]


def test_clauses_are_units_with_their_own_spans(frames) -> None:
    documents, sentences = frames("先登记，再接访。")
    table = code(documents, sentences, Codebook.parse({**BOOK, "unit": "clause"}, "toy"))
    body = documents["body"].iloc[0]
    assert [body[a:b] for a, b in zip(table["start"], table["end"], strict=True)] == ["先登记", "再接访"]
    assert labels(table, sentences)["labels"].tolist() == [["受理"]]
    assert labels(table, sentences)["evidence"].tolist() == [[["登记", "接访"]]]


def test_nothing_to_code(frames, book: Codebook) -> None:
    documents, sentences = frames(None)
    table = code(documents, sentences, book)
    assert table.empty
    assert table.attrs["units"] == 0
    assert table["text"].dtype == object
    assert table["start"].dtype == "int64"


def test_sentences_must_have_their_columns(frames, book: Codebook) -> None:
    documents, sentences = frames("登记。")
    with pytest.raises(InputError, match="start"):
        code(documents, sentences.drop(columns="start"), book)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"codes": []}, "没有 codes"),
        ({"codes": [{"code": "a", "rules": ["x"]}, {"code": "a", "rules": ["y"]}]}, "重复"),
        ({"codes": [{"code": "a"}]}, "rules"),
        ({"codes": [{"code": "a", "rules": [{"when": {"nearly": ["x"]}}]}]}, "nearly"),
        ({"unit": "page"}, "clause"),
        ({"codes": {"a": {"rules": ["x"]}}}, "codes 应为列表"),
        ({"codes": ["a"]}, "映射"),
        ({"codes": [{"code": "a", "rules": "甲乙"}]}, "rules 应为列表"),
        ({"codes": [{"code": "a", "rules": [{"when": "x", "confidence": "高"}]}]}, "confidence"),
        ({"shields": "甲乙"}, "shields 应为列表"),
        ({"genres": "通报"}, "genres 应为列表"),
    ],
)
def test_malformed_codebooks_name_file_and_place(change: dict, said: str) -> None:
    with pytest.raises(CodebookError, match=said) as caught:
        Codebook.parse({**BOOK, **change}, "own.yml")
    assert caught.value.file == "own.yml"


def test_a_users_codebook_by_its_path(tmp_path: Path, frames) -> None:
    file = tmp_path / "own.yml"
    file.write_text(
        "version: 1\nsource: 我\nframe: own\ncodes:\n  - {code: 甲, rules: [登记]}\n", encoding="utf-8"
    )
    documents, sentences = frames("登记。")
    assert code(documents, sentences, file)["code"].tolist() == ["甲"]


@pytest.mark.parametrize("name", ["five_part", "directive"])
def test_packaged_codebooks_agree_with_their_examples(name: str) -> None:
    table = examine(name)
    assert set(table["code"]) == {entry.code for entry in Codebook.load(name).codes}
    assert table[~table["holds"]].empty


FIVE = Codebook.load("five_part").by_rules()


def test_the_five_parts_are_found_without_being_named(frames) -> None:
    documents, sentences = frames(
        "新建项目先过稳评这一关。镇里每周派人到农户家走访排查。"
        "窗口当场录入，转给住建部门。区长每月到大厅坐班接待群众。"
        "老支书把两家叫到一起说和，签了协议。拖了九年的旧账由副区长包案了结。"
        "推诿的单位被约谈。季度考核把回访结果算进去。"
        "对堵门滋事的，民警依法带离。志愿者引导大伙依法反映诉求。"
        "新食堂下周开张。"
    )
    given = labels(code(documents, sentences), sentences)["labels"].tolist()
    wanted = ["预防", "预防", "受理", "受理", "办理", "办理", "监督追责", "监督追责", "维护秩序", "维护秩序"]
    assert [want in have for want, have in zip(wanted, given, strict=False)] == [True] * 10
    assert given[-1] == []


def test_organisational_sentences_have_no_label(frames) -> None:
    documents, sentences = frames(
        "县信访局局长主持会议。各成员单位负责同志参加。要加强干部队伍建设。市场监督管理局交流了做法。会上通报了有关情况。"
        "各包案领导列席。全镇举行矛盾纠纷预防化解工作推进会。会议对积案化解、安全生产作了部署。"
        "要认识到化解信访积案的重要性。“真没想到，难题一天就解决了！”村民说。",
        "记者：怎样办理群众来信？",
    )
    assert labels(code(documents, sentences, FIVE), sentences)["labels"].tolist() == [[]] * len(sentences)


def test_the_object_decides_between_handling_and_order(frames) -> None:
    documents, sentences = frames(
        "交办的进京访案件全部化解。属地要做好重点人员稳控。落实包案化解、属地稳控制度。风险稳控到位。"
        "抓好两会期间信访保障。到集市宣传调解的法律知识。"
    )
    given = labels(code(documents, sentences, FIVE), sentences)["labels"].tolist()
    assert given == [["办理"], ["维护秩序"], ["办理"], ["预防"], ["维护秩序"], ["办理"]]


def test_gold_sentences_of_the_seeds(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = corpus.read(shared / "seeds")
    every = labels(code(read.documents, read.sentences), read.sentences)
    source = dict(zip(read.documents["doc_id"], read.documents["source"], strict=True))
    predicted = [
        {"source": source[doc_id], "sentence": text, "labels": given}
        for doc_id, text, given in zip(every["doc_id"], every["text"], every["labels"], strict=True)
    ]
    sys.path.insert(0, str(shared / "tools"))
    try:
        import score
    finally:
        sys.path.pop(0)
    gold = [
        json.loads(line)
        for line in (shared / "gold" / "coding.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert score.coding(predicted, gold, 0) >= 0.80, capsys.readouterr().out


def test_items_of_a_list_follow_the_sentence_that_introduces_it(frames) -> None:
    documents, sentences = frames(
        "信访人走访时，不得有下列行为：\n（一）辱骂窗口人员；\n（二）损坏桌椅。\n"
        "窗口人员有下列情形之一的，给予处分：\n（一）对应当受理的事项不予登记；\n（二）泄露来信人姓名。\n"
        "窗口人员负责：\n（一）登记来信；\n（二）答复来信人。"
    )
    given = labels(code(documents, sentences, FIVE), sentences)
    assert given["labels"].tolist() == [
        ["维护秩序"], ["维护秩序"], ["维护秩序"],
        ["监督追责"], ["监督追责"], ["监督追责"],
        [], ["受理"], ["办理"],
    ]  # fmt: skip


def test_chapters_of_the_2022_regulation_as_weak_labels(shared: Path) -> None:
    """The rules were not written on these articles; most coded sentences of a chapter carry the chapter's own part."""
    read = corpus.read(next((shared / "corpus" / "regulations").glob("信访工作条例*")))
    codes = code(read.documents, read.sentences)
    chapter = read.sentences.set_index("sentence")["chapter"]
    table = pd.crosstab(codes["sentence"].map(chapter), codes["code"])
    for ordinal, part in (("第三章", "受理"), ("第四章", "办理"), ("第五章", "监督追责")):
        row = table.loc[[name for name in table.index if ordinal in name][0]]
        assert row.idxmax() == part, row.to_dict()


def test_codebooks_state_version_and_source() -> None:
    for name in ("five_part", "directive", "phrases"):
        content = codebooks.load(name)
        assert content["version"]
        assert content["source"]
