"""Terms of documents (关键词): counts, TF-IDF and TextRank, each a table with what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .segment import Segmenter, is_content, stopwords

if TYPE_CHECKING:
    import pandas as pd

#: What a result says when the corpus cannot carry the method.
ONE_DOCUMENT = "语料只有一篇有正文的文档，无从比较文档间的多少，按词频排序"
COPIES = "有正文的文档用词全部相同（同一文本的副本），无从比较文档间的多少，按词频排序"
COPIED = "各篇正文全部相同（同一文本的副本），次数随副本数增加，不说明用法的多少"
NOTHING = "没有可计的词：正文为空，或全是停用词"


@dataclass(frozen=True)
class Counts:
    """How often each document uses each term (文档—词频矩阵).

    Attributes
    ----------
    doc_ids
        Rows, in the order of the documents; documents without a body have an empty row.
    terms
        Columns, in the order of first appearance.
    matrix
        scipy CSR matrix of counts (int32).
    lengths
        Words of each document, stop words included and white space and marks left out: the base of rates.
    """

    doc_ids: tuple[str, ...]
    terms: tuple[str, ...]
    matrix: Any
    lengths: np.ndarray

    @property
    def totals(self) -> np.ndarray:
        """Count of each term over all documents."""
        return np.asarray(self.matrix.sum(axis=0)).ravel()

    @property
    def document_frequency(self) -> np.ndarray:
        """In how many documents each term stands."""
        return np.bincount(self.matrix.indices, minlength=len(self.terms))


def count(
    documents: pd.DataFrame | Iterable[pd.DataFrame],
    segmenter: Segmenter | None = None,
    stop: frozenset[str] | None = None,
) -> Counts:
    """Count the terms of each document, keeping one row a document and term and none a word.

    Parameters
    ----------
    documents
        With doc_id and body; or several such tables, of which one is held at a time.
    segmenter, stop
        Default: the packaged lexicon and stop words. A term has two characters or more, one of them Han.
    """
    import pandas as pd
    from scipy.sparse import csr_matrix

    segmenter = segmenter or Segmenter()
    vocabulary = _Vocabulary(stopwords() if stop is None else stop)
    indices: list[np.ndarray] = []
    values: list[np.ndarray] = []
    ends = [0]
    lengths = []
    ids: list[str] = []
    for table in (documents,) if isinstance(documents, pd.DataFrame) else documents:
        ids += table["doc_id"].tolist()
        for body in table["body"].tolist():
            words = segmenter.cut(body) if isinstance(body, str) else []
            codes = np.fromiter((vocabulary[word] for word in words), dtype=np.int32, count=len(words))
            lengths.append(int((codes >= -1).sum()))
            columns, numbers = np.unique(codes[codes >= 0], return_counts=True)
            indices.append(columns)
            values.append(numbers.astype(np.int32))
            ends.append(ends[-1] + len(columns))
    terms = vocabulary.terms
    matrix = csr_matrix(
        (
            np.concatenate(values) if values else np.zeros(0, dtype=np.int32),
            np.concatenate(indices) if indices else np.zeros(0, dtype=np.int32),
            np.asarray(ends, dtype=np.int64),
        ),
        shape=(len(lengths), len(terms)),
    )
    return Counts(tuple(ids), tuple(terms), matrix, np.asarray(lengths, dtype=np.int64))


def tfidf(counts: Counts, top: int | None = 20) -> pd.DataFrame:
    """Terms that mark each document off from the others (TF-IDF).

    Weight = count × (ln((1 + N) / (1 + df)) + 1), each document's vector scaled to length 1: the definition of
    scikit-learn's ``TfidfVectorizer`` with its defaults.

    Returns
    -------
    pandas.DataFrame
        doc_id, rank, term, count, documents (df), tfidf, note. A corpus of one document, or of copies of one, or documents without terms,
        are said in ``note``, never passed over: a document without any term has one row with NA as its term.
    """
    import pandas as pd

    sizes = np.diff(counts.matrix.indptr)
    frequency = counts.document_frequency
    parts = []
    for rows, columns, numbers, weights in _weighted(counts):
        order = np.lexsort((columns, -np.round(weights, 12), rows))
        rank = np.arange(len(order)) - np.searchsorted(rows, rows[order]) + 1
        if top is not None:
            order, rank = order[rank <= top], rank[rank <= top]
        parts.append((rows[order], rank, columns[order], numbers[order], weights[order]))
    rows, rank, columns, numbers, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    ids = np.array(counts.doc_ids, dtype=object)
    table = pd.DataFrame(
        {
            "doc_id": ids[rows],
            "rank": rank,
            "term": np.array(counts.terms, dtype=object)[columns],
            "count": numbers,
            "documents": frequency[columns],
            "tfidf": weights,
            "note": too_alike(counts),
        }
    )
    if (sizes > 0).all():
        return table
    bare = pd.DataFrame({"doc_id": ids[sizes == 0], "count": 0, "documents": 0, "note": NOTHING})
    every = pd.concat([table, bare], ignore_index=True) if len(table) else bare.reindex(columns=table.columns)
    place = {doc_id: number for number, doc_id in enumerate(counts.doc_ids)}
    return every.sort_values("doc_id", key=lambda column: column.map(place), kind="stable", ignore_index=True)


def key_terms(counts: Counts, top: int = 50) -> pd.DataFrame:
    """Terms of a whole corpus by their summed TF-IDF weight.

    Returns
    -------
    pandas.DataFrame
        rank, term, count, documents, per_10k (of all words), tfidf, note.
    """
    import pandas as pd

    names = ["rank", "term", "count", "documents", "per_10k", "tfidf", "note"]
    if not counts.matrix.nnz:
        return pd.DataFrame([(None, None, 0, 0, None, None, NOTHING)], columns=names)
    summed = np.zeros(len(counts.terms))
    for _, columns, _, weights in _weighted(counts):
        summed += np.bincount(columns, weights=weights, minlength=len(summed))
    totals = counts.totals
    alphabetical = np.argsort(np.argsort(np.array(counts.terms)))
    best = np.lexsort((alphabetical, -totals, -np.round(summed, 12)))[:top]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(best) + 1),
            "term": np.array(counts.terms, dtype=object)[best],
            "count": totals[best],
            "documents": counts.document_frequency[best],
            "per_10k": totals[best] / counts.lengths.sum() * 1e4,
            "tfidf": summed[best],
            "note": too_alike(counts),
        },
        columns=names,
    )


def copies(texts: Iterable[object]) -> str | None:
    """What to say where all texts are one and the same; None where they are not, or there is only one."""
    several = [text for text in texts if text]
    return COPIED if len(several) > 1 and all(text == several[0] for text in several) else None


def too_alike(counts: Counts) -> str | None:
    """What to say where documents cannot be compared: there is one, or all are copies of one text; None where they can."""
    matrix = counts.matrix
    filled = np.flatnonzero(np.diff(matrix.indptr))
    if len(filled) == 1:
        return ONE_DOCUMENT
    for row in filled[1:]:
        first, other = (
            (
                matrix.indices[matrix.indptr[one] : matrix.indptr[one + 1]],
                matrix.data[matrix.indptr[one] : matrix.indptr[one + 1]],
            )
            for one in (filled[0], row)
        )
        if not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True)):
            return None
    return COPIES if len(filled) else None


def textrank(
    documents: pd.DataFrame,
    segmenter: Segmenter | None = None,
    *,
    window: int = 5,
    damping: float = 0.85,
    top: int = 20,
    stop: frozenset[str] | None = None,
) -> pd.DataFrame:
    """Terms central to each document's own co-occurrence (TextRank; Mihalcea & Tarau 2004).

    Undirected graph of content words, an edge for each pair within ``window`` content words of one paragraph, weighted
    by how often; PageRank by power iteration to 1e-10.

    Returns
    -------
    pandas.DataFrame
        doc_id, rank, term, textrank (sums to 1 over the document's terms), note.
    """
    import pandas as pd

    segmenter = segmenter or Segmenter()
    stop = stopwords() if stop is None else stop
    rows: list[tuple[Any, ...]] = []
    for doc_id, body in zip(documents["doc_id"], documents["body"], strict=True):
        ids: dict[str, int] = {}
        left: list[int] = []
        right: list[int] = []
        for paragraph in body.split("\n") if isinstance(body, str) else []:
            line = [
                ids.setdefault(word, len(ids)) for word in segmenter.cut(paragraph) if is_content(word, stop)
            ]
            for step in range(1, window):
                left.extend(line[:-step])
                right.extend(line[step:])
        if not ids:
            rows.append((doc_id, None, None, None, NOTHING))
            continue
        terms = list(ids)
        rank = _pagerank(left, right, len(terms), damping)
        for place, i in enumerate(_ranked(rank, np.arange(len(terms)), top), 1):
            rows.append((doc_id, place, terms[i], float(rank[i]), None))
    return pd.DataFrame(rows, columns=["doc_id", "rank", "term", "textrank", "note"])


class _Vocabulary(dict[str, int]):
    """Word → column; -1 for words that are no terms, -2 for marks and white space, decided once a word."""

    def __init__(self, stop: frozenset[str]) -> None:
        super().__init__()
        self.stop = stop
        self.terms: list[str] = []

    def __missing__(self, word: str) -> int:
        if is_content(word, self.stop):
            code = len(self.terms)
            self.terms.append(word)
        else:
            code = -1 if any(character.isalnum() for character in word) else -2
        self[word] = code
        return code


def _weighted(
    counts: Counts, block: int = 4096
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Document numbers, columns, counts and TF-IDF weights, a block of documents at a time to bound the memory."""
    inverse = np.log((1 + len(counts.doc_ids)) / (1 + counts.document_frequency)) + 1
    for first in range(0, max(len(counts.doc_ids), 1), block):
        part = counts.matrix[first : first + block]
        sizes = np.diff(part.indptr)
        rows = np.repeat(np.arange(len(sizes)), sizes)
        weights = part.data * inverse[part.indices]
        norms = np.sqrt(np.bincount(rows, weights=weights**2, minlength=len(sizes)))
        yield rows + first, part.indices, part.data, weights / norms[rows]


def _ranked(weights: np.ndarray, columns: np.ndarray, top: int | None) -> Iterable[int]:
    """Places by falling weight, ties by first appearance, the first ``top`` of them."""
    order = np.lexsort((columns, -np.round(weights, 12)))
    return [int(i) for i in (order if top is None else order[:top])]


def _pagerank(left: list[int], right: list[int], size: int, damping: float) -> np.ndarray:
    from scipy.sparse import coo_matrix

    apart = [(a, b) for a, b in zip(left, right, strict=True) if a != b]
    rank = np.full(size, 1 / size)
    if not apart:
        return rank
    a, b = np.array(apart).T
    weight = np.ones(2 * len(a))
    graph = coo_matrix((weight, (np.r_[a, b], np.r_[b, a])), shape=(size, size)).tocsr()
    strength = np.asarray(graph.sum(axis=1)).ravel()
    alone = strength == 0
    share = np.divide(1.0, strength, out=np.zeros(size), where=~alone)
    for _ in range(200):
        passed = graph.T @ (rank * share) + rank[alone].sum() / size
        new = (1 - damping) / size + damping * passed
        if np.abs(new - rank).sum() < 1e-10:
            return new
        rank = new
    return rank
