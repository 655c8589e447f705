"""New fixed phrases that no mark betrays (新词与固定搭配发现): word n-grams by pointwise mutual information and boundary entropy.

A phrase is a run of words that holds together (its words meet far more often than chance) and stands free (what comes before
and after it varies). Long ones such as 信访工作法治化 are found whole: a shorter run that a longer one nearly always contains
is dropped.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .segment import Lexicon, Segmenter, stopwords

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("phrase", "uses", "documents", "pmi", "entropy_left", "entropy_right", "doc_id", "start", "end")
_STRETCH = 1_000_000
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
    cut = Segmenter(Lexicon()).cut
    bodies = [body if isinstance(body, str) else "" for body in documents["body"].tolist()]
    ids, begins, vocabulary = _encode(bodies, cut)
    weak = np.array([word in stop for word in vocabulary], dtype=bool)
    runs = _runs(ids, min_uses, longest)
    total = int((ids >= 0).sum())
    found = []
    for size, level in enumerate(runs[1:], 2):
        numbers, at = np.unique(level.gram, return_index=True)
        first = level.places[at]
        pmi = np.full(len(first), np.inf)
        for joint in range(1, size):
            left = runs[joint - 1].uses_at(first)
            right = runs[size - joint - 1].uses_at(first + joint)
            pmi = np.minimum(pmi, np.log2(level.uses[numbers] * total / (left * right)))
        before = _entropy(level.gram, _words(ids, level.places - 1))[numbers]
        after = _entropy(level.gram, _words(ids, level.places + size))[numbers]
        free = (pmi >= min_pmi) & (np.minimum(before, after) >= min_entropy)
        free &= ~weak[ids[first]] & ~weak[ids[first + size - 1]]
        found.append(_Free(size, level, numbers[free], first[free], pmi[free], before[free], after[free]))
    kept = []
    for level_, row, places in _without_absorbed(found, absorbed):
        begin, size = int(places[0]), level_.size
        phrase = "".join(vocabulary[word] for word in ids[begin : begin + size])
        if 4 <= len(phrase) <= 20:
            used_in = np.unique(np.searchsorted(begins, places, side="right")) - 1
            figures = (float(level_.pmi[row]), float(level_.before[row]), float(level_.after[row]))
            kept.append((int(used_in[0]), begin, phrase, len(places), len(used_in), figures))
    table = []
    doc_ids = documents["doc_id"].tolist()
    for document, group in itertools.groupby(sorted(kept), key=operator.itemgetter(0)):
        offsets = np.cumsum([0, *(len(word) for word in cut(bodies[document]))])
        for _, begin, phrase, uses, used_in_, figures in group:
            start = int(offsets[begin - begins[document]])
            table.append((phrase, uses, used_in_, *figures, doc_ids[document], start, start + len(phrase)))
    frame = pd.DataFrame(table, columns=list(COLUMNS))
    return frame.sort_values(["uses", "phrase"], ascending=[False, True], ignore_index=True)


class _Runs(NamedTuple):
    """Frequent runs of one size: where they begin (in order), which run it is, and how often each run is used."""

    places: np.ndarray
    gram: np.ndarray
    uses: np.ndarray

    def uses_at(self, places: np.ndarray) -> np.ndarray:
        """Uses of the runs that begin at some of the places."""
        return self.uses[self.gram[np.searchsorted(self.places, places)]]


class _Free(NamedTuple):
    """Runs of one size that hold together and stand free, with their figures."""

    size: int
    runs: _Runs
    numbers: np.ndarray
    first: np.ndarray
    pmi: np.ndarray
    before: np.ndarray
    after: np.ndarray


def _encode(bodies: list[str], cut: Callable[[str], list[str]]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The corpus as word numbers, -1 for marks and at each document's end, and where each document begins."""
    codes: dict[str, int] = {}
    ids: list[np.ndarray] = []
    begins = [0]
    for body in bodies:
        words = cut(body) if body else []
        line = np.full(len(words) + 1, -1, dtype=np.int32)
        line[:-1] = [codes.setdefault(word, len(codes)) if _WORD.fullmatch(word) else -1 for word in words]
        ids.append(line)
        begins.append(begins[-1] + len(line))
    every = np.concatenate(ids) if ids else np.zeros(0, dtype=np.int32)
    return every, np.array(begins[:-1], dtype=np.int64), list(codes)


def _runs(ids: np.ndarray, min_uses: int, longest: int) -> list[_Runs]:
    """Runs by size, from one word on; a longer run is frequent only where both its ends are."""
    places = np.flatnonzero(ids >= 0).astype(np.int32)
    single = ids[places]
    found = [_Runs(places, single, np.bincount(single))]
    for _ in range(2, longest + 1):
        places, gram, uses = found[-1]
        meets = np.flatnonzero(np.diff(places) == 1)
        key = gram[meets].astype(np.int64) * len(uses) + gram[meets + 1]
        values, counts = np.unique(key, return_counts=True)
        frequent = values[counts >= min_uses]
        del values, counts
        if not len(frequent):
            break
        # Looked up a stretch at a time: the inverse of `unique` would take several times the memory of the keys.
        kept, numbers = [], []
        for first in range(0, len(key), _STRETCH):
            stretch = key[first : first + _STRETCH]
            number = np.minimum(np.searchsorted(frequent, stretch), len(frequent) - 1)
            often = frequent[number] == stretch
            kept.append(places[meets[first : first + _STRETCH][often]])
            numbers.append(number[often].astype(np.int32))
        gram = np.concatenate(numbers)
        found.append(_Runs(np.concatenate(kept), gram, np.bincount(gram)))
    return found


def _words(ids: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The words there, -1 outside of the corpus."""
    inside = (places >= 0) & (places < len(ids))
    return np.where(inside, ids[np.clip(places, 0, len(ids) - 1)], -1)


def _entropy(gram: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """For each run the entropy of its neighbours in bits; every edge of a clause is a neighbour of its own.

    H = log₂ n − Σ c log₂ c / n, in which edges (c = 1) add nothing to the sum.
    """
    n = np.bincount(gram)
    word = neighbours >= 0
    width = int(neighbours.max(initial=0)) + 1
    pair, counts = np.unique(gram[word].astype(np.int64) * width + neighbours[word], return_counts=True)
    spent = np.bincount(pair // width, weights=counts * np.log2(counts), minlength=len(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log2(n) - spent / n


def _without_absorbed(levels: list[_Free], absorbed: float) -> Iterator[tuple[_Free, int, np.ndarray]]:
    """Runs that no longer kept run nearly always contains, with their places, the longest first."""
    kept: list[tuple[int, np.ndarray, np.ndarray]] = []
    for level in reversed(levels):
        wanted = np.isin(level.runs.gram, level.numbers)
        places, gram = level.runs.places[wanted], level.runs.gram[wanted]
        order = np.argsort(gram, kind="stable")
        cuts = np.flatnonzero(np.diff(gram[order])) + 1
        by_number = np.split(places[order], cuts) if len(order) else []
        stays = []
        for row, mine in enumerate(by_number):  # in the order of the numbers, as `level.numbers` is
            if not any(_inside(mine, level.size, *longer) >= absorbed * len(mine) for longer in kept):
                stays.append(level.numbers[row])
                yield level, row, mine
        lasting = np.isin(gram, stays)
        kept.append((level.size, places[lasting], gram[lasting]))


def _inside(places: np.ndarray, size: int, length: int, others: np.ndarray, gram: np.ndarray) -> int:
    """How many of the places lie within the one longer run that holds most of them."""
    if not len(others):
        return 0
    around = np.concatenate([places - shift for shift in range(length - size + 1)])
    at = np.minimum(np.searchsorted(others, around), len(others) - 1)
    found = gram[at[others[at] == around]]
    return int(np.unique(found, return_counts=True)[1].max()) if len(found) else 0
