"""New fixed phrases that no mark betrays (新词与固定搭配发现): word n-grams by pointwise mutual information and boundary entropy.

A phrase is a run of words that holds together (its words meet far more often than chance) and stands free (what comes before
and after it varies). Long ones such as 信访工作法治化 are found whole: a shorter run that a longer one nearly always contains
is dropped.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .segment import Lexicon, Segmenter, stopwords
from .terms import copies

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("phrase", "uses", "documents", "pmi", "entropy_left", "entropy_right", "doc_id", "start", "end")
_STRETCH = 1_000_000
_SHARE = 20_000_000
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
        Empty when nothing qualifies; ``attrs["note"]`` then says whether the corpus was too small to tell, and in any
        case whether all documents are copies of one text.
    """
    import pandas as pd

    stop = stopwords() if stop is None else stop
    cut = Segmenter(Lexicon()).cut
    bodies = [body if isinstance(body, str) else "" for body in documents["body"].tolist()]
    ids, begins, vocabulary = _encode(bodies, cut)
    weak = np.array([word in stop for word in vocabulary], dtype=bool)
    found = []
    for level in _levels(ids, len(vocabulary), min_uses, longest):
        numbers = np.arange(len(level.uses))
        first, last = level.first, level.first + level.size - 1
        pmi = level.pmi()
        before, after = (_entropy(level, ids, step) for step in (-1, level.size))
        free = (pmi >= min_pmi) & (np.minimum(before, after) >= min_entropy)
        free &= ~weak[ids[first]] & ~weak[ids[last]]
        wanted = free[level.gram]
        found.append(
            _Free(
                level.size,
                level.places[wanted],
                level.gram[wanted],
                numbers[free],
                pmi[free],
                before[free],
                after[free],
            )
        )
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
    frame = frame.sort_values(["uses", "phrase"], ascending=[False, True], ignore_index=True)
    few = f"语料太小：没有两个以上的词连用达到 {min_uses} 次，无从发现固定搭配"
    frame.attrs["note"] = copies(bodies) if found else few
    return frame


class _Level(NamedTuple):
    """Frequent runs of one size: where they begin (in order) and which run each is; of every run its uses and its ends.

    ``left`` and ``right`` are the runs of one word less that it begins and ends with, numbered as in ``shorter``.
    """

    size: int
    places: np.ndarray
    gram: np.ndarray
    uses: np.ndarray
    first: np.ndarray
    left: np.ndarray
    right: np.ndarray
    shorter: _Shorter

    def pmi(self) -> np.ndarray:
        """log₂ p(run) / (p(left) p(right)) at the weakest of each run's joints."""
        begin, end = [self.left], [self.right]
        for level in self.shorter.levels:  # from one word less down to single words
            begin.append(level.left[begin[-1]])
            end.append(level.right[end[-1]])
        weakest = np.full(len(self.uses), np.inf)
        uses = [*(level.uses for level in self.shorter.levels), self.shorter.words]
        for joint in range(1, self.size):
            left = uses[self.size - 1 - joint][begin[self.size - 1 - joint]]
            right = uses[joint - 1][end[joint - 1]]
            weakest = np.minimum(weakest, np.log2(self.uses * self.shorter.total / (left * right)))
        return weakest


class _Ends(NamedTuple):
    """What is kept of a size once the next is found: uses, and the shorter runs at both ends."""

    uses: np.ndarray
    left: np.ndarray
    right: np.ndarray


class _Shorter(NamedTuple):
    """All sizes below one: the longest first, and the uses of single words."""

    levels: tuple[_Ends, ...]
    words: np.ndarray
    total: int


class _Free(NamedTuple):
    """Runs of one size that hold together and stand free: their places, and their figures in the order of the numbers."""

    size: int
    places: np.ndarray
    gram: np.ndarray
    numbers: np.ndarray
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


def _levels(ids: np.ndarray, words: int, min_uses: int, longest: int) -> Iterator[_Level]:
    """Frequent runs by size, from two words on; a longer run is frequent only where both its ends are.

    Only one size is held with its places; large arrays are gone through a stretch at a time, and pairs counted a share
    of the left runs at a time, so that the memory stays near that of the words themselves.
    """
    single = np.bincount(ids[ids >= 0], minlength=words)
    shorter = _Shorter((), single, int(single.sum()))
    before: _Level | None = None
    for size in range(2, longest + 1):
        count = words if before is None else len(before.uses)
        many = len(ids) if before is None else len(before.places)
        frequent = _frequent(functools.partial(_meetings, ids, before), count, min_uses, 1 + many // _SHARE)
        if not len(frequent):
            return
        kept, numbers = [], []
        for place, key in _meetings(ids, before, count):
            number = np.minimum(np.searchsorted(frequent, key), len(frequent) - 1).astype(np.int32)
            often = frequent[number] == key
            kept.append(place[often])
            numbers.append(number[often])
        places, gram = np.concatenate(kept), np.concatenate(numbers)
        del kept, numbers
        first = np.empty(len(frequent), dtype=np.int64)
        first[gram[::-1]] = places[::-1]  # the last value assigned is that of the first place
        left, right = np.divmod(frequent, count)
        if before is not None:
            ends = _Ends(before.uses, before.left, before.right)
            shorter = shorter._replace(levels=(ends, *shorter.levels))
        before = _Level(size, places, gram, np.bincount(gram), first, left, right, shorter)
        yield before


def _meetings(ids: np.ndarray, level: _Level | None, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places where two runs (or, without a level, two words) begin one word apart, with the key of the pair."""
    for at in range(0, len(ids) if level is None else len(level.places), _STRETCH):
        if level is None:
            line = ids[at : at + _STRETCH + 1]
            meets = np.flatnonzero((line[:-1] >= 0) & (line[1:] >= 0))
            place = (meets + at).astype(np.int32)
        else:
            line = level.gram[at : at + _STRETCH + 1]
            places = level.places[at : at + _STRETCH + 1]
            meets = np.flatnonzero(np.diff(places) == 1)
            place = places[meets]
        yield place, line[meets].astype(np.int64) * count + line[meets + 1]


def _frequent(
    meetings: Callable[[int], Iterator[tuple[np.ndarray, np.ndarray]]], count: int, min_uses: int, shares: int
) -> np.ndarray:
    """Keys of the pairs that meet often enough, in order; counted a share of the left runs at a time."""
    often = []
    for share in range(shares):
        keys = [key if shares == 1 else key[key // count % shares == share] for _, key in meetings(count)]
        values, uses = np.unique(np.concatenate(keys) if keys else np.zeros(0, np.int64), return_counts=True)
        often.append(values[uses >= min_uses])
    return np.sort(np.concatenate(often))


def _entropy(level: _Level, ids: np.ndarray, step: int) -> np.ndarray:
    """For each run the entropy in bits of the words that many steps from its beginning; every edge of a clause counts as new.

    H = log₂ n − Σ c log₂ c / n, in which edges (c = 1) add nothing to the sum.
    """
    n = level.uses
    spent = np.zeros(len(n))
    shares = 1 + len(level.places) // _SHARE
    for share in range(shares):
        mine = slice(None) if shares == 1 else level.gram % shares == share
        gram, near = level.gram[mine], level.places[mine] + step
        inside = (near >= 0) & (near < len(ids))
        gram, word = gram[inside], ids[near[inside]]
        known = word >= 0
        width = int(word.max(initial=0)) + 1
        pair, counts = np.unique(gram[known].astype(np.int64) * width + word[known], return_counts=True)
        spent += np.bincount(pair // width, weights=counts * np.log2(counts), minlength=len(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log2(n) - spent / n


def _without_absorbed(levels: list[_Free], absorbed: float) -> Iterator[tuple[_Free, int, np.ndarray]]:
    """Runs that no longer kept run nearly always contains, with their places, the longest first."""
    kept: list[tuple[int, np.ndarray, np.ndarray]] = []
    for level in reversed(levels):
        places, gram = level.places, level.gram
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
