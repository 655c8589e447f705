"""Topics: identical on rerun, two planted topics found, too little said plainly."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import MethodError
from analysis.text.topics import by_group, choose, topics

PETITION = ["信访", "登记", "受理", "告知", "答复", "复查"]
HARVEST = ["粮食", "收割", "烘干", "仓储", "农机", "秋播"]


@pytest.fixture(scope="module")
def words() -> pd.DataFrame:
    rows = []
    for doc in range(24):
        pool = PETITION if doc % 2 else HARVEST
        rows += [(f"d{doc:02d}", pool[(doc + 5 * k) % len(pool)]) for k in range(40)]
    return pd.DataFrame(rows, columns=["doc_id", "word"])


def test_two_planted_topics_are_found_and_a_rerun_is_identical(words: pd.DataFrame) -> None:
    first, second = topics(words, 2), topics(words, 2)
    pd.testing.assert_frame_equal(first.terms, second.terms)
    pd.testing.assert_frame_equal(first.documents, second.documents)
    tops = [set(first.terms.loc[first.terms["topic"] == k, "term"].head(6)) for k in range(2)]
    assert sorted(map(sorted, tops)) == sorted(map(sorted, (set(PETITION), set(HARVEST))))
    assert first.documents.groupby("doc_id")["share"].sum().to_numpy() == pytest.approx(1, abs=1e-5)
    assert first.summary["weight"].sum() == pytest.approx(1)
    assert first.settings["left_out"] == []


def test_stability_is_highest_at_the_true_number(words: pd.DataFrame) -> None:
    table = choose(words, [2, 4], seeds=(1, 2, 3), iterations=150).set_index("k")
    assert table.loc[2, "stability"] == pytest.approx(1.0)
    assert table.loc[2, "stability"] >= table.loc[4, "stability"]
    assert (table["coherence_low"] <= table["coherence_high"]).all()


def test_shares_by_level(words: pd.DataFrame) -> None:
    documents = pd.DataFrame(
        {"doc_id": [f"d{k:02d}" for k in range(24)], "level": ["市" if k % 2 else "县" for k in range(24)]}
    )
    table = by_group(topics(words, 2), documents, "level")
    assert table.groupby("level")["share"].max().min() > 0.9


def test_too_few_documents_are_refused(words: pd.DataFrame) -> None:
    with pytest.raises(MethodError, match="文件太少"):
        topics(words.loc[words["doc_id"] < "d03"], 2)
    with pytest.raises(MethodError, match="文件太少"):
        topics(words, 30)


def test_only_content_words_make_topics_and_copies_are_one_document(words: pd.DataFrame) -> None:
    noise = pd.DataFrame(
        [(doc, word) for doc in words["doc_id"].unique() for word in ("，", "的", "2024", "应当")],
        columns=["doc_id", "word"],
    )
    noisy = pd.concat([words, noise], ignore_index=True)
    assert not set(topics(noisy, 2).terms["term"]) & {"，", "的", "2024"}
    one = words[words["doc_id"] == "d00"]
    copies = pd.concat([one.assign(doc_id=f"c{n}") for n in range(9)], ignore_index=True)
    with pytest.raises(MethodError, match="内容不同的文件太少"):
        topics(copies, 2)
