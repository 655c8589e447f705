"""Topics (主题): latent Dirichlet allocation with a fixed seed and one worker, so that a rerun gives the same topics.

How many topics is a choice: coherence and stability over seeds are computed for each candidate number and shown.
A topic is labelled by its key terms and its closest documents, never by a word made up for it.

Library: tomotopy (its SIMD variant is recorded; another processor may differ in the last digits).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MethodError
from .segment import is_content, stopwords

if TYPE_CHECKING:
    import pandas as pd

ITERATIONS = 300
LEAST_DOCUMENTS = 5
_TOP = 15


@dataclass(frozen=True)
class Topics:
    """A fitted topic model as tables.

    Attributes
    ----------
    terms
        topic, rank, term, weight (probability within the topic).
    documents
        doc_id, topic, share; one row a document and topic.
    summary
        topic, label (its five key terms), weight (share of all tokens), coherence (NPMI), closest (three doc_ids).
    settings
        k, seed, iterations, tomotopy version and instruction set, left_out (documents without any term).
    """

    terms: pd.DataFrame
    documents: pd.DataFrame
    summary: pd.DataFrame
    settings: dict[str, object]


def topics(
    words: pd.DataFrame, k: int, *, seed: int = 20240101, iterations: int = ITERATIONS, least: int = 2
) -> Topics:
    """Fit k topics (主题模型).

    Parameters
    ----------
    words
        doc_id, word: in the order of the text, as from :func:`analysis.text.segment.tokens`; only content words
        count, marks, numbers and stop words do not.
    least
        A word must stand in at least this many documents.

    Raises
    ------
    MethodError
        Too few documents or words for k topics; copies of one text count as one document.
    """
    import pandas as pd
    import tomotopy

    model, ids = _fit(words, k, seed, iterations, least)
    coherence = tomotopy.coherence.Coherence(model, coherence="c_npmi", top_n=10)
    counts = model.get_count_by_topics()
    terms = pd.DataFrame(
        [
            (topic, rank, term, weight)
            for topic in range(k)
            for rank, (term, weight) in enumerate(model.get_topic_words(topic, top_n=_TOP), 1)
        ],
        columns=["topic", "rank", "term", "weight"],
    )
    shares = np.array([doc.get_topic_dist() for doc in model.docs])
    documents = pd.DataFrame(
        {"doc_id": np.repeat(ids, k), "topic": np.tile(np.arange(k), len(ids)), "share": shares.ravel()}
    )
    summary = pd.DataFrame(
        {
            "topic": range(k),
            "label": ["、".join(terms.loc[terms["topic"] == topic, "term"].head(5)) for topic in range(k)],
            "weight": np.asarray(counts) / max(1, int(np.sum(counts))),
            "coherence": [coherence.get_score(topic_id=topic) for topic in range(k)],
            "closest": [
                [ids[place] for place in np.argsort(-shares[:, topic], kind="stable")[:3]]
                for topic in range(k)
            ],
        }
    )
    left_out = sorted(set(words["doc_id"]) - set(ids))
    settings = {
        "k": k,
        "seed": seed,
        "iterations": iterations,
        "tomotopy": tomotopy.__version__,
        "isa": tomotopy.isa,
        "left_out": left_out,
    }
    return Topics(terms, documents, summary, settings)


def choose(
    words: pd.DataFrame,
    ks: Sequence[int],
    *,
    seeds: Sequence[int] = (1, 2, 3),
    iterations: int = ITERATIONS,
    least: int = 2,
) -> pd.DataFrame:
    """Coherence and stability for each number of topics (主题数选择); the reader chooses.

    Returns
    -------
    DataFrame
        k, coherence (mean NPMI over topics and seeds), coherence_low, coherence_high (least and most over seeds),
        stability (mean Jaccard of the ten top terms of best-matched topics over all pairs of seeds; 1 = the same).
    """
    import pandas as pd
    import tomotopy

    rows = []
    for k in ks:
        scores, tops = [], []
        for seed in seeds:
            model, _ = _fit(words, k, seed, iterations, least)
            scores.append(
                float(tomotopy.coherence.Coherence(model, coherence="c_npmi", top_n=10).get_score())
            )
            tops.append([{term for term, _ in model.get_topic_words(topic, top_n=10)} for topic in range(k)])
        pairs = [_agreement(a, b) for a, b in itertools.combinations(tops, 2)]
        rows.append(
            (
                k,
                float(np.mean(scores)),
                min(scores),
                max(scores),
                float(np.mean(pairs)) if pairs else float("nan"),
            )
        )
    return pd.DataFrame(rows, columns=["k", "coherence", "coherence_low", "coherence_high", "stability"])


def by_group(fitted: Topics, documents: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean share of each topic by a column of ``documents`` (level, region, year): column, topic, label, share, documents."""
    table = fitted.documents.assign(
        **{column: fitted.documents["doc_id"].map(documents.set_index("doc_id")[column])}
    )
    means = table.groupby([column, "topic"], as_index=False).agg(
        share=("share", "mean"), documents=("doc_id", "nunique")
    )
    return means.assign(label=means["topic"].map(fitted.summary.set_index("topic")["label"]))


def _fit(words: pd.DataFrame, k: int, seed: int, iterations: int, least: int) -> tuple[Any, list[str]]:
    import tomotopy

    stop = stopwords()
    content = {word for word in words["word"].unique() if is_content(word, stop)}
    texts = {
        str(doc): tuple(group)
        for doc, group in words.loc[words["word"].isin(content)].groupby("doc_id", sort=False)["word"]
    }
    different = len(set(texts.values()))
    if different < max(LEAST_DOCUMENTS, k):
        raise MethodError(
            "内容不同的文件太少，不足以建立主题模型",
            value=different,
            hint=f"至少需要 {max(LEAST_DOCUMENTS, k)} 篇；可减少主题数",
        )
    model = tomotopy.LDAModel(k=k, seed=seed, min_df=least)
    ids = []
    for doc, text in texts.items():
        if model.add_doc(list(text)) is not None:
            ids.append(doc)
    model.burn_in = min(50, iterations // 3)
    # One worker: the order of sampling, and with it the result, is then the same on every run.
    model.train(iterations, workers=1)
    if len(model.used_vocabs) < 2 * k:
        raise MethodError(
            "词太少，不足以建立主题模型", value=len(model.used_vocabs), hint="请减少主题数，或放宽 least"
        )
    # Documents none of whose words are frequent enough are dropped by the library: keep the ids in step.
    if len(model.docs) != len(ids):
        raise MethodError("有文件没有任何可用的词", value=len(ids) - len(model.docs), hint="请先去掉空白文件")
    return model, ids


def _agreement(first: list[set[str]], second: list[set[str]]) -> float:
    """Mean Jaccard of the best one-to-one matching of topics."""
    from scipy.optimize import linear_sum_assignment

    gain = np.array([[len(a & b) / len(a | b) for b in second] for a in first])
    rows, columns = linear_sum_assignment(-gain)
    return float(gain[rows, columns].mean())
