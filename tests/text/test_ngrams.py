"""Discovery: long fixed phrases whole, free pieces not, numbers recomputed, too little gives nothing."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from analysis.text import ngrams
from analysis.text.ngrams import COLUMNS, discover

LEAD = ["县里", "市里", "镇上", "村中", "厂里", "校内"]
TAIL = ["有序", "提速", "见效", "启动", "铺开", "总结"]


def corpus_of(phrase: str, uses: int = 6) -> pd.DataFrame:
    body = "。".join(f"{LEAD[n % 6]}{phrase}{TAIL[n % 6]}" for n in range(uses)) + "。天气晴朗。粮食丰收。"
    return pd.DataFrame({"doc_id": ["d0"], "body": [body]})


def test_a_long_phrase_is_found_whole() -> None:
    documents = corpus_of("信访工作法治化")
    table = discover(documents, min_pmi=2)
    assert "信访工作法治化" in set(table["phrase"])
    assert not {"信访工作", "工作法治化"} & set(table["phrase"])
    row = table.set_index("phrase").loc["信访工作法治化"]
    body = documents["body"].iloc[0]
    assert body[row["start"] : row["end"]] == "信访工作法治化"
    assert body.index("信访工作法治化") == row["start"]
    assert (row["uses"], row["documents"]) == (6, 1)


def test_the_numbers_by_hand() -> None:
    from analysis.text.segment import Lexicon, Segmenter

    documents = corpus_of("矛盾调处", 6)
    row = discover(documents, min_pmi=0, min_entropy=0).set_index("phrase").loc["矛盾调处"]
    words = [w for w in Segmenter(Lexicon()).cut(documents["body"].iloc[0]) if w != "。"]
    count, total = Counter(words), len(words)
    pair = sum(a + b == "矛盾调处" for a, b in zip(words, words[1:], strict=False))
    assert row["pmi"] == pytest.approx(math.log2(pair * total / (count["矛盾"] * count["调处"])))
    assert row["entropy_left"] == pytest.approx(math.log2(6))
    assert row["entropy_right"] == pytest.approx(math.log2(6))


def test_what_is_always_followed_by_the_same_word_does_not_stand_free() -> None:
    table = discover(corpus_of("矛盾调处中心"), min_pmi=0, min_entropy=0.5)
    assert "矛盾调处" not in set(table["phrase"])


def test_never_across_marks() -> None:
    documents = pd.DataFrame({"doc_id": ["d0"], "body": ["矛盾，调处。" * 9]})
    assert discover(documents, min_pmi=0, min_entropy=0).empty


@pytest.mark.parametrize(
    "bodies", [[None], [""], ["短。"], []], ids=["none", "empty", "short", "no document"]
)
def test_too_little_gives_nothing(bodies: list[str | None]) -> None:
    documents = pd.DataFrame({"doc_id": [f"d{n}" for n in range(len(bodies))], "body": bodies})
    table = discover(documents)
    assert table.empty
    assert table.columns.tolist() == list(COLUMNS)
    assert "语料太小" in table.attrs["note"]


def test_copies_of_one_text_are_said() -> None:
    body = "矛盾纠纷多元化解机制。天晴。"
    documents = pd.DataFrame({"doc_id": [f"d{n}" for n in range(7)], "body": [body] * 6 + [None]})
    table = discover(documents, min_pmi=0)
    assert table["uses"].tolist() == [6]
    assert "副本" in table.attrs["note"]
    other = documents.assign(body=[body] * 6 + ["另一篇。"])
    assert discover(other, min_pmi=0).attrs["note"] is None


def test_counting_in_shares_and_stretches_changes_nothing(frames, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    words = ["群众", "矛盾", "纠纷", "多元", "化解", "机制", "办理", "登记", "的", "。"]
    bodies = ["".join(rng.choice(words, 60)) + "矛盾纠纷多元化解机制。" * 3 for _ in range(12)]
    documents, _ = frames(*bodies)
    whole = discover(documents, min_uses=3, min_pmi=0.5, min_entropy=0.2)
    assert len(whole) > 5
    monkeypatch.setattr(ngrams, "_SHARE", 50)
    monkeypatch.setattr(ngrams, "_STRETCH", 7)
    pd.testing.assert_frame_equal(discover(documents, min_uses=3, min_pmi=0.5, min_entropy=0.2), whole)
