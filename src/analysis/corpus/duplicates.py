"""Near-duplicates (近似重复): reposts in another script and light rewrites linked to the first of them.

Every article gets a bottom-k sketch of its four-character shingles (Broder 1997): the *k* smallest hashes. Two
sketches estimate how much of one text stands in the other; articles that share a few of their smallest hashes are
compared, all others are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Sketch = npt.NDArray[np.uint64]

SHINGLE = 4
SIZE = 128
#: Share of shingles in common (Jaccard) from which two articles are near-duplicates, or share of the shorter one's.
JACCARD = 0.5
CONTAINED = 0.8
#: How many of its smallest hashes an article is looked up by.
_KEYS = 24
#: Articles remembered under one key: boilerplate must not make every article a candidate of every other.
_CROWD = 8

_HAN = re.compile(r"[^\u4e00-\u9fff]+")
_P1, _P2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


def sketch(text: str) -> Sketch:
    """The sketch of a simplified text; only its Chinese characters count."""
    codes = np.frombuffer(_HAN.sub("", text).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if len(codes) < SHINGLE:
        return np.empty(0, dtype=np.uint64)
    with np.errstate(over="ignore"):
        hashes = np.zeros(len(codes) - SHINGLE + 1, dtype=np.uint64)
        for k in range(SHINGLE):
            hashes = hashes * _P1 + codes[k : k + len(hashes)]
        hashes ^= hashes >> np.uint64(29)
        hashes *= _P2
        hashes ^= hashes >> np.uint64(32)
    return np.unique(hashes)[:SIZE]


def similarity(a: Sketch, b: Sketch) -> tuple[float, float]:
    """Estimated Jaccard similarity, and the share of the shorter text that stands in the longer."""
    if not len(a) or not len(b):
        return 0.0, 0.0
    union = np.union1d(a, b)[:SIZE]
    shared = np.intersect1d(a, b, assume_unique=True)
    jaccard = float(np.isin(union, shared, assume_unique=True).mean())
    # Below the smaller of the two largest hashes both sketches are complete samples.
    limit = min(
        a[-1] if len(a) == SIZE else np.iinfo(np.uint64).max,
        b[-1] if len(b) == SIZE else np.iinfo(np.uint64).max,
    )
    shorter = min((a <= limit).sum(), (b <= limit).sum())
    return jaccard, float((shared <= limit).sum() / shorter) if shorter >= 12 else 0.0


class Links:
    """Sketches seen so far; each new one is linked to the first near-duplicate before it."""

    def __init__(self) -> None:
        self._sketches: list[Sketch] = []
        self._ids: list[str] = []
        self._first: list[str] = []
        self._keys: dict[int, list[int]] = {}

    def add(self, doc_id: str, new: Sketch) -> str | None:
        """Remember an article; return the one it nearly duplicates, or ``None``."""
        candidates: dict[int, int] = {}
        for key in new[:_KEYS].tolist():
            for other in self._keys.get(key, ()):
                candidates[other] = candidates.get(other, 0) + 1
        found = None
        for other in sorted(candidates):
            if candidates[other] >= 2 or len(new) < 40:
                jaccard, contained = similarity(new, self._sketches[other])
                if jaccard >= JACCARD or (
                    contained >= CONTAINED and min(len(new), len(self._sketches[other])) >= 40
                ):
                    found = self._first[other]
                    break
        index = len(self._ids)
        self._ids.append(doc_id)
        self._sketches.append(new)
        self._first.append(found or doc_id)
        for key in new[:_KEYS].tolist():
            crowd = self._keys.setdefault(key, [])
            if len(crowd) < _CROWD:
                crowd.append(index)
        return found


def link(articles: Iterable[tuple[str, Sketch]]) -> dict[str, str]:
    """doc_id → the earlier article that it nearly duplicates."""
    links = Links()
    return {doc_id: first for doc_id, new in articles if (first := links.add(doc_id, new)) is not None}


def pack(sketches: Sequence[Sketch]) -> list[bytes]:
    """Sketches as bytes, for a column."""
    return [s.astype("<u8").tobytes() for s in sketches]


def unpack(data: bytes) -> Sketch:
    """The inverse of :func:`pack` for one sketch."""
    return np.frombuffer(data, dtype="<u8").astype(np.uint64)
