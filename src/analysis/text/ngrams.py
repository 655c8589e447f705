"""New fixed phrases that no mark betrays (新词与固定搭配发现): word n-grams by pointwise mutual information and boundary entropy.

A phrase is a run of words that holds together (its words meet far more often than chance) and stands free (what comes before
and after it varies). Long ones such as 信访工作法治化 are found whole: a shorter run that a longer one nearly always contains
is dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from .segment import Lexicon, Segmenter, stopwords

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("phrase", "uses", "documents", "pmi", "entropy_left", "entropy_right", "doc_id", "start", "end")
_WORD = re.compile(r"[一-鿿㐀-䶿A-Za-z0-9]+")


def discover(
    documents: pd.DataFrame,
    *,
    min_uses: int = 5,
    min_pmi: float = 4.0,
    min_entropy: float = 1.0,
    longest: int = 6,
    absorbed: float = 0.8,
    stop: frozenset[str] | None = None,
) -> pd.DataFrame:
    """Runs of two to ``longest`` words that hold together and stand free.

    Parameters
    ----------
    documents
        With doc_id and body. Cut without a lexicon, so that what is found is new to it.
    min_uses
        Uses over the corpus.
    min_pmi
        log₂ p(run) / (p(left) p(right)) at the weakest of its joints.
    min_entropy
        In bits, of the words before and of the words after (the edge of a clause counts as a new word each time).
    absorbed
        A run is dropped when this share of its uses lies inside one longer run that is kept.
    stop
        Words that a phrase neither begins nor ends with.

    Returns
    -------
    pandas.DataFrame
        phrase, uses, documents, pmi, entropy_left, entropy_right, doc_id, start, end (of the first use), most used first.
        Empty when nothing qualifies; a corpus below ``min_uses`` words has nothing that could.
    """
    import pandas as pd

    stop = stopwords() if stop is None else stop
    ids, docs, starts, vocabulary = _encode(documents)
    if not len(ids):
        return pd.DataFrame(columns=list(COLUMNS))
    weak = np.array(
        [word in stop or len(word) == 1 and not word.isalnum() for word in vocabulary], dtype=bool
    )
    levels = _grams(ids, min_uses, longest)
    total = int((ids >= 0).sum())
    rows = []
    for size in range(2, len(levels)):
        gram = levels[size]
        for places in _places(gram):
            words = ids[places[0] : places[0] + size]
            if weak[words[0]] or weak[words[-1]]:
                continue
            pmi = _weakest_joint(levels, places, size, total)
            if pmi < min_pmi:
                continue
            left = _entropy(ids[np.maximum(places - 1, 0)], places == 0)
            after = np.minimum(places + size, len(ids) - 1)
            right = _entropy(ids[after], places + size >= len(ids))
            if min(left, right) >= min_entropy:
                rows.append((places, size, pmi, left, right))
    kept = _without_absorbed(rows, absorbed)
    ids_of = documents["doc_id"].tolist()
    table = []
    for places, size, pmi, left, right in kept:
        first = places[0]
        phrase = "".join(vocabulary[word] for word in ids[first : first + size])
        if 4 <= len(phrase) <= 20:
            start = int(starts[first])
            found = len(np.unique(docs[places]))
            table.append(
                (
                    phrase,
                    len(places),
                    found,
                    pmi,
                    left,
                    right,
                    ids_of[docs[first]],
                    start,
                    start + len(phrase),
                )
            )
    frame = pd.DataFrame(table, columns=list(COLUMNS))
    return frame.sort_values(["uses", "phrase"], ascending=[False, True], ignore_index=True)


def _encode(documents: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """The corpus as word numbers (-1 at each edge of a clause), with document and offset of each word."""
    cut = Segmenter(Lexicon()).cut
    codes: dict[str, int] = {}
    ids: list[np.ndarray] = []
    docs: list[np.ndarray] = []
    starts: list[np.ndarray] = []
    for number, body in enumerate(documents["body"].tolist()):
        if not isinstance(body, str):
            continue
        words = cut(body)
        if not words:
            continue
        line = np.fromiter(
            (codes.setdefault(word, len(codes)) if _WORD.fullmatch(word) else -1 for word in words),
            np.int32,
            len(words),
        )
        ends = np.cumsum(np.fromiter((len(word) for word in words), np.int32, len(words)))
        ids.append(np.append(line, np.int32(-1)))
        starts.append(
            np.append(ends - np.fromiter((len(word) for word in words), np.int32, len(words)), ends[-1])
        )
        docs.append(np.full(len(words) + 1, number, dtype=np.int32))
    if not ids:
        empty = np.zeros(0, dtype=np.int32)
        return empty, empty, empty, []
    return np.concatenate(ids), np.concatenate(docs), np.concatenate(starts), list(codes)


def _grams(ids: np.ndarray, min_uses: int, longest: int) -> list[np.ndarray]:
    """For each size the number of the frequent run that begins at each place, -1 where none does (level 0 is unused)."""
    single = ids.astype(np.int64)
    levels = [single, single]
    for size in range(2, longest + 1):
        shorter = levels[-1]
        gram = np.full(len(ids), -1, dtype=np.int64)
        if len(ids) < size:
            break
        first, second = shorter[: len(ids) - size + 1], shorter[1 : len(ids) - size + 2]
        here = np.flatnonzero((first >= 0) & (second >= 0))
        if not len(here):
            break
        key = first[here] * (second.max() + 1) + second[here]
        _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
        often = counts[inverse] >= min_uses
        if not often.any():
            break
        gram[here[often]] = inverse[often]
        levels.append(gram)
    return levels


def _places(gram: np.ndarray) -> list[np.ndarray]:
    """The places of each run, in the order of the text."""
    here = np.flatnonzero(gram >= 0)
    order = here[np.argsort(gram[here], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(gram[order])) + 1) if len(order) else []


def _weakest_joint(levels: list[np.ndarray], places: np.ndarray, size: int, total: int) -> float:
    first = places[0]
    weakest = np.inf
    for joint in range(1, size):
        left = _uses(levels[joint], first)
        right = _uses(levels[size - joint], first + joint)
        weakest = min(weakest, float(np.log2(len(places) * total / (left * right))))
    return weakest


def _uses(level: np.ndarray, place: int) -> int:
    return int((level == level[place]).sum())


def _entropy(neighbours: np.ndarray, edge: np.ndarray) -> float:
    """In bits; every edge of a clause is a neighbour of its own."""
    at_edge = (neighbours < 0) | edge
    _, counts = np.unique(neighbours[~at_edge], return_counts=True)
    shares = np.append(counts, np.ones(int(at_edge.sum()))) / len(neighbours)
    return float(-(shares * np.log2(shares)).sum())


def _without_absorbed(
    rows: list[tuple[np.ndarray, int, float, float, float]], absorbed: float
) -> list[tuple[np.ndarray, int, float, float, float]]:
    kept: list[tuple[np.ndarray, int, float, float, float]] = []
    for row in sorted(rows, key=lambda row: -row[1]):
        places, size = row[0], row[1]
        for longer, length, *_ in kept:
            inside = sum(np.isin(places - shift, longer).sum() for shift in range(length - size + 1))
            if length > size and inside >= absorbed * len(places):
                break
        else:
            kept.append(row)
    return kept
