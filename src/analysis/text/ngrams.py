"""New fixed phrases that no mark betrays (新词与固定搭配发现): word n-grams by pointwise mutual information and boundary entropy.

A phrase is a run of words that holds together (its words meet far more often than chance) and stands free (what comes before
and after it varies). Long ones such as 信访工作法治化 are found whole: a shorter run that a longer one nearly always contains
is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

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
    weak = np.array([word in stop for word in vocabulary], dtype=bool)
    levels = _grams(ids, min_uses, longest)
    uses = [np.bincount(level[level >= 0]) for level in levels]
    total = int((ids >= 0).sum())
    found = []
    for size in range(2, len(levels)):
        here = np.flatnonzero(levels[size] >= 0)
        gram = levels[size][here]
        numbers, first = np.unique(gram, return_index=True)
        first = here[first]
        pmi = np.full(len(first), np.inf)
        for joint in range(1, size):
            left = uses[joint][levels[joint][first]]
            right = uses[size - joint][levels[size - joint][first + joint]]
            pmi = np.minimum(pmi, np.log2(uses[size][numbers] * total / (left * right)))
        before = _entropy(gram, _neighbours(ids, here - 1))[numbers]
        after = _entropy(gram, _neighbours(ids, here + size))[numbers]
        free = (pmi >= min_pmi) & (np.minimum(before, after) >= min_entropy)
        free &= ~weak[ids[first]] & ~weak[ids[first + size - 1]]
        found.append(
            _Level(size, levels[size], numbers[free], first[free], pmi[free], before[free], after[free])
        )
    ids_of = documents["doc_id"].tolist()
    table = []
    for level, row in _without_absorbed(found, uses, absorbed):
        place, size, number = int(level.first[row]), level.size, level.numbers[row]
        phrase = "".join(vocabulary[word] for word in ids[place : place + size])
        if 4 <= len(phrase) <= 20:
            start = int(starts[place])
            in_documents = len(np.unique(docs[level.gram == number]))
            table.append(
                (phrase, int(uses[size][number]), in_documents, float(level.pmi[row]), float(level.before[row]),
                 float(level.after[row]), ids_of[docs[place]], start, start + len(phrase))
            )  # fmt: skip
    frame = pd.DataFrame(table, columns=list(COLUMNS))
    return frame.sort_values(["uses", "phrase"], ascending=[False, True], ignore_index=True)


class _Level(NamedTuple):
    """Runs of one size that hold together and stand free: their number at each place, and for each its figures."""

    size: int
    gram: np.ndarray
    numbers: np.ndarray
    first: np.ndarray
    pmi: np.ndarray
    before: np.ndarray
    after: np.ndarray


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


def _neighbours(ids: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The words there, -1 at the edge of a clause."""
    inside = (places >= 0) & (places < len(ids))
    return np.where(inside, ids[np.clip(places, 0, len(ids) - 1)], -1)


def _entropy(gram: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """For each run the entropy of its neighbours in bits; every edge of a clause is a neighbour of its own.

    H = log₂ n − Σ c log₂ c / n, in which edges (c = 1) add nothing to the sum.
    """
    n = np.bincount(gram)
    word = neighbours >= 0
    pair, counts = np.unique(
        gram[word] * (neighbours.max(initial=0) + 1) + neighbours[word], return_counts=True
    )
    spent = np.bincount(
        pair // (neighbours.max(initial=0) + 1), weights=counts * np.log2(counts), minlength=len(n)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log2(n) - spent / n


def _without_absorbed(
    levels: list[_Level], uses: list[np.ndarray], absorbed: float
) -> Iterator[tuple[_Level, int]]:
    """Runs that no longer kept run nearly always contains, the longest first."""
    kept: list[tuple[int, np.ndarray]] = []
    for level in reversed(levels):
        wanted = np.zeros(len(uses[level.size]), dtype=bool)
        wanted[level.numbers] = True
        here = np.flatnonzero((level.gram >= 0) & wanted[level.gram])
        order = here[np.argsort(level.gram[here], kind="stable")]
        cuts = np.flatnonzero(np.diff(level.gram[order])) + 1
        by_number = {int(level.gram[places[0]]): places for places in np.split(order, cuts) if len(places)}
        stays = []
        for row, number in enumerate(level.numbers):
            places = by_number[int(number)]
            if not any(
                _inside(places, level.size, length, owner) >= absorbed * len(places) for length, owner in kept
            ):
                stays.append(row)
                yield level, row
        own = np.full(len(level.gram), -1, dtype=np.int64)
        lasting = np.zeros(len(uses[level.size]), dtype=bool)
        lasting[level.numbers[stays]] = True
        mine = (level.gram >= 0) & lasting[level.gram]
        own[mine] = level.gram[mine]
        kept.append((level.size, own))


def _inside(places: np.ndarray, size: int, length: int, owner: np.ndarray) -> int:
    """How many of the places lie within the one longer run that holds most of them."""
    around = [places - shift for shift in range(length - size + 1)]
    found = owner[np.clip(np.concatenate(around), 0, None)]
    found = found[found >= 0]
    return int(np.unique(found, return_counts=True)[1].max()) if len(found) else 0
