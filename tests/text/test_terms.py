"""Counts, TF-IDF (as scikit-learn's), TextRank (as networkx's), and what is said when there is too little."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.text.segment import Lexicon, Segmenter
from analysis.text.terms import COPIES, NOTHING, ONE_DOCUMENT, count, key_terms, textrank, tfidf, too_alike

BODIES = ("调解纠纷调解员，登记事项。", "登记来信，登记来访。", "督查考核，登记。")


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(Lexicon())


def test_counts_by_hand(frames, segmenter: Segmenter) -> None:
    documents, _ = frames("登记来信，登记来访。", "督查。")
    counts = count(documents, segmenter, frozenset())
    assert dict(zip(counts.terms, counts.totals, strict=True)) == {"登记": 2, "来信": 1, "来访": 1, "督查": 1}
    assert counts.lengths.tolist() == [4, 1]
    assert counts.document_frequency.tolist() == [1, 1, 1, 1]


def test_tfidf_is_scikit_learns(frames, segmenter: Segmenter) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    documents, _ = frames(*BODIES)
    counts = count(documents, segmenter, frozenset())
    ours = tfidf(counts, top=None)
    vectorizer = TfidfVectorizer(analyzer=lambda body: [w for w in segmenter.cut(body) if len(w) > 1])
    theirs = vectorizer.fit_transform(BODIES)
    for row in ours.itertuples():
        expected = theirs[int(row.doc_id[1:]), vectorizer.vocabulary_[row.term]]
        assert row.tfidf == pytest.approx(expected, rel=1e-12)
    assert len(ours) == theirs.nnz
    assert ours["note"].isna().all()


def test_one_document_is_said(frames, segmenter: Segmenter) -> None:
    documents, _ = frames("登记来信，登记来访。")
    counts = count(documents, segmenter)
    assert set(tfidf(counts)["note"]) == {ONE_DOCUMENT}
    table = key_terms(counts)
    assert table["term"].iloc[0] == "登记"
    assert set(table["note"]) == {ONE_DOCUMENT}


def test_empty_bodies_are_said(frames, segmenter: Segmenter) -> None:
    documents, _ = frames(None, "")
    counts = count(documents, segmenter)
    assert tfidf(counts)["note"].tolist() == [NOTHING, NOTHING]
    assert key_terms(counts)["note"].tolist() == [NOTHING]
    assert textrank(documents, segmenter)["note"].tolist() == [NOTHING, NOTHING]


def test_textrank_is_networkx_pagerank(frames, segmenter: Segmenter) -> None:
    import networkx as nx

    body = "调解纠纷登记来访督查考核登记来信调解来访"
    documents, _ = frames(body)
    ours = textrank(documents, segmenter, window=3, top=20, stop=frozenset()).set_index("term")["textrank"]
    words = [word for word in segmenter.cut(body) if len(word) > 1]
    graph = nx.Graph()
    for step in (1, 2):
        for a, b in zip(words, words[step:], strict=False):
            if a != b:
                weight = graph.get_edge_data(a, b, {"weight": 0})["weight"] + 1
                graph.add_edge(a, b, weight=weight)
    theirs = nx.pagerank(graph, alpha=0.85, tol=1e-12, weight="weight")
    assert ours.to_dict() == pytest.approx(theirs, abs=1e-8)
    assert ours.sum() == pytest.approx(1)


def test_ties_go_by_first_appearance(frames, segmenter: Segmenter) -> None:
    documents, _ = frames("来访。来信。", "督查。")
    assert tfidf(count(documents, segmenter, frozenset()))["term"].tolist() == ["来访", "来信", "督查"]


def test_counts_of_a_large_corpus_keep_no_row_a_word(frames, segmenter: Segmenter) -> None:
    documents, _ = frames(*(["登记来信，登记来访。"] * 50))
    counts = count(documents, segmenter)
    assert counts.matrix.nnz == 150
    assert counts.matrix.dtype == np.int32


def test_copies_of_one_text_cannot_be_compared(frames, segmenter: Segmenter) -> None:
    documents, _ = frames(*["群众来访登记办理"] * 3, None)
    counts = count(documents, segmenter)
    assert too_alike(counts) == COPIES
    assert set(tfidf(counts)["note"].dropna()) == {COPIES, NOTHING}
    assert set(key_terms(counts)["note"]) == {COPIES}
    other, _ = frames("群众来访登记办理", "群众来访登记办理", "群众来访办理")
    assert too_alike(count(other, segmenter)) is None
