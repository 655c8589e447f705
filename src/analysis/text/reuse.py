"""Text reuse (文本复用): which passages of a document stood in another before, with both spans.

Works on the Han characters alone, so that punctuation, digits, spaces and line breaks do not hide a copy, and on
character n-grams, so that no segmentation is needed and a paragraph that moved is found where it went. The search
has two stages: candidate pairs by winnowed fingerprints in one sort (near-linear in the corpus), then the exact
common runs of each candidate pair.

Sources: winnowing after Schleimer, Wilkerson & Aiken (2003); share of runs of at least ten Han characters as
measured on petition regulations (see ``docs/text.md``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .dates import records, stated_date

if TYPE_CHECKING:
    import pandas as pd

SPANS = ("doc_id", "start", "end", "text", "source_doc_id", "source_start", "source_end", "length", "ritual")
GRAM = 10
# Window of the winnowing: a common run of GRAM + WINDOW - 1 characters is certain to be seen in the first stage.
WINDOW = 6
# A fingerprint in more documents than this says nothing on who copied whom; it is ritual, not reuse.
MOST_DOCUMENTS = 40
# A character run counts as ritual when at least this share of it stands in that many documents.
RITUAL_SHARE = 0.5
_BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Han:
    """The Han characters of a body: code points, and where each stands in it."""

    codes: np.ndarray
    at: np.ndarray

    @classmethod
    def of(cls, body: str | None) -> Han:
        """Read them off the body."""
        points = np.frombuffer((body or "").encode("utf-32-le"), dtype=np.uint32)
        at = np.flatnonzero((points >= 0x4E00) & (points <= 0x9FFF))
        return cls(points[at], at.astype(np.int32))

    def grams(self, n: int) -> np.ndarray:
        """64-bit hashes of the n-grams, shape (characters - n + 1,); empty when the body is shorter."""
        size = len(self.codes) - n + 1
        if size <= 0:
            return np.zeros(0, dtype=np.uint64)
        total = np.zeros(size, dtype=np.uint64)
        with np.errstate(over="ignore"):
            for k in range(n):
                total = total * _BASE + self.codes[k : k + size]
            # Mixing: winnowing takes minima, and a polynomial alone is not uniform in its high bits.
            total ^= total >> np.uint64(31)
            total *= np.uint64(0xBF58476D1CE4E5B9)
            total ^= total >> np.uint64(29)
        return total


def reuse(documents: pd.DataFrame, *, gram: int = GRAM, most_documents: int = MOST_DOCUMENTS) -> pd.DataFrame:
    """Every passage that a document shares with an earlier one (文本复用).

    Parameters
    ----------
    documents
        Needs ``doc_id`` and ``body``; ``published``, ``event_date`` and ``level`` decide which of two came first
        (the earlier date; on the same date the higher level; else the order of the table).
    gram
        Shortest common run in Han characters.
    most_documents
        A run that stands in more documents than this is ritual (套话): it makes no candidate pair by itself.

    Returns
    -------
    DataFrame
        Columns ``SPANS``: the later document's span (offsets in its body) and text, the earlier document's span,
        length in Han characters, and whether the run is ritual. Near-duplicates and reposts are found like any copy.
    """
    import pandas as pd

    order = precedence(documents)
    ids = documents["doc_id"].tolist()
    bodies = [body if isinstance(body, str) else "" for body in documents["body"]]
    texts = [Han.of(body) for body in bodies]
    prints = [winnow(text.grams(gram), WINDOW) for text in texts]
    ritual = ritual_prints(prints, most_documents)
    rows: list[tuple[object, ...]] = []
    for first, second in candidate_pairs(prints, most_documents):
        old, new = (first, second) if order[first] <= order[second] else (second, first)
        for start, other, length in common_runs(texts[new], texts[old], gram):
            at, there = texts[new].at, texts[old].at
            left, right = int(at[start]), int(at[start + length - 1]) + 1
            rows.append(
                (
                    ids[new],
                    left,
                    right,
                    bodies[new][left:right],
                    ids[old],
                    int(there[other]),
                    int(there[other + length - 1]) + 1,
                    length,
                    is_ritual(texts[new], start, length, gram, ritual),
                )
            )
    return pd.DataFrame(rows, columns=list(SPANS))


def shares(spans: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """How much of each document stands in each earlier one (复用占比).

    Returns
    -------
    DataFrame
        doc_id, source_doc_id, share (Han characters inside shared runs ÷ all Han characters of the document),
        share_proper (ritual runs left out), runs, longest.
    """
    import pandas as pd

    sizes = {
        doc: max(1, len(Han.of(body).codes))
        for doc, body in zip(documents["doc_id"], documents["body"], strict=True)
    }
    rows = []
    for (doc, source), group in spans.groupby(["doc_id", "source_doc_id"], sort=False):
        proper = group.loc[~group["ritual"].astype(bool)]
        rows.append(
            (
                doc,
                source,
                group["length"].sum() / sizes[doc],
                proper["length"].sum() / sizes[doc],
                len(group),
                group["length"].max(),
            )
        )
    table = pd.DataFrame(
        rows, columns=["doc_id", "source_doc_id", "share", "share_proper", "runs", "longest"]
    )
    return table.sort_values(["share_proper", "doc_id"], ascending=[False, True], ignore_index=True)


def common_runs(new: Han, old: Han, gram: int = GRAM) -> Iterator[tuple[int, int, int]]:
    """Maximal runs of ``new`` that stand in ``old``: (start in new, start in old, length), in Han characters.

    The runs do not overlap in ``new`` and together cover every character that lies in a common n-gram, so their
    length is the shared share. Where several places of ``old`` fit, the longest run wins.
    """
    mine, theirs = new.grams(gram), old.grams(gram)
    if not len(mine) or not len(theirs):
        return
    order = np.argsort(theirs, kind="stable")
    ranked = theirs[order]
    first = np.searchsorted(ranked, mine, "left")
    last = np.searchsorted(ranked, mine, "right")
    covered = 0
    position = 0
    hits = np.flatnonzero(last > first)
    while True:
        index = np.searchsorted(hits, position)
        if index == len(hits):
            return
        start = int(hits[index])
        best, where = 0, 0
        for other in order[first[start] : last[start]][:64]:
            length = _extent(new.codes, old.codes, start, int(other), gram)
            if length > best:
                best, where = length, int(other)
        if best >= gram:
            # Grams that begin inside the run may reach beyond its end into another run: cut what is covered already.
            cut = max(0, covered - start)
            if best > cut:
                yield start + cut, where + cut, best - cut
                covered = start + best
            position = max(start + 1, start + best - gram + 1)
        else:  # a hash collision
            position = start + 1


def candidate_pairs(
    prints: Sequence[np.ndarray], most_documents: int = MOST_DOCUMENTS
) -> list[tuple[int, int]]:
    """Pairs of documents that share a winnowed fingerprint which at most ``most_documents`` documents have."""
    hashes = np.concatenate(prints) if prints else np.zeros(0, dtype=np.uint64)
    owners = np.repeat(np.arange(len(prints), dtype=np.int32), [len(one) for one in prints])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    # In a stable sort the copies of a hash within one document lie together: keep one.
    keep = np.ones(len(hashes), dtype=bool)
    keep[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    hashes, owners = hashes[keep], owners[keep]
    starts = (
        np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]]) if len(hashes) else np.zeros(0, dtype=np.int64)
    )
    sizes = np.diff(np.r_[starts, len(hashes)])
    inside = np.repeat((sizes >= 2) & (sizes <= max(2, most_documents)), sizes)
    hashes, owners = hashes[inside], owners[inside]
    pairs = set()
    for step in range(1, max(2, most_documents)):
        same = hashes[step:] == hashes[:-step]
        if not same.any():
            break
        joined = owners[:-step][same].astype(np.int64) * len(prints) + owners[step:][same]
        pairs.update(np.unique(joined).tolist())
    return [divmod(pair, len(prints)) for pair in sorted(pairs)]


def winnow(grams: np.ndarray, window: int) -> np.ndarray:
    """The minima of all windows, each taken once: any run of gram + window - 1 characters leaves a fingerprint."""
    if len(grams) <= window:
        return grams[grams == grams.min()][:1] if len(grams) else grams
    views = np.lib.stride_tricks.sliding_window_view(grams, window)
    return np.unique(views.min(axis=1))


def ritual_prints(prints: Sequence[np.ndarray], most_documents: int = MOST_DOCUMENTS) -> np.ndarray:
    """Sorted fingerprints that stand in more than ``most_documents`` documents, or in over a fifth of a corpus of 15 or more."""
    limit = most_documents if len(prints) < 15 else min(most_documents, max(4, len(prints) // 5))
    if not prints:
        return np.zeros(0, dtype=np.uint64)
    values, counts = np.unique(np.concatenate(prints), return_counts=True)
    return values[counts > limit]


def is_ritual(text: Han, start: int, length: int, gram: int, ritual: np.ndarray) -> bool:
    """Whether half of the run's fingerprints are ritual."""
    if not len(ritual):
        return False
    run = Han(text.codes[start : start + length], text.at[start : start + length])
    prints = winnow(run.grams(gram), WINDOW)
    return bool(len(prints)) and float(np.isin(prints, ritual).mean()) >= RITUAL_SHARE


def precedence(documents: pd.DataFrame) -> list[tuple[str, int, int]]:
    """A sort key a document: its date, its level from the centre down, its place in the table."""
    ranks = {"中央": 0, "省": 1, "市": 2, "县": 3, "乡": 4}
    keys = []
    for place, row in enumerate(records(documents, "published", "event_date", "level")):
        # Unknown dates come last: a text without a date is never said to be somebody's source on that ground.
        keys.append((stated_date(row) or "9999", ranks.get(str(row["level"]), 5), place))
    return keys


def _extent(mine: np.ndarray, theirs: np.ndarray, start: int, other: int, gram: int) -> int:
    """How many characters agree from there on."""
    length, step = 0, max(gram, 64)
    room = min(len(mine) - start, len(theirs) - other)
    while length < room:
        take = min(step, room - length)
        differs = np.flatnonzero(
            mine[start + length : start + length + take] != theirs[other + length : other + length + take]
        )
        if len(differs):
            return length + int(differs[0])
        length += take
        step *= 2
    return length
