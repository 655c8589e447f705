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
_KEYS = 20
#: Articles looked at under one hash: boilerplate must not make every article a candidate of every other.
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
    hashes.sort()
    return hashes[np.concatenate(([True], hashes[1:] != hashes[:-1]))][:SIZE]


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


def link(articles: Iterable[tuple[str, Sketch]]) -> dict[str, str]:
    """doc_id → the earliest article that it nearly duplicates; articles come in the order that decides what is first.

    Memory is the sketches (1 kB an article) and three arrays of their smallest hashes.
    """
    ids: list[str] = []
    sketches: list[Sketch] = []
    for doc_id, one in articles:
        ids.append(doc_id)
        sketches.append(one)
    first: dict[int, int] = {}
    for index, shared in sorted(_candidates(sketches).items()):
        new = sketches[index]
        for other in sorted(shared):
            if shared[other] < 2 and len(new) >= 40:
                continue
            jaccard, contained = similarity(new, sketches[other])
            whole = min(len(new), len(sketches[other])) >= 40
            if jaccard >= JACCARD or (contained >= CONTAINED and whole):
                first[index] = first.get(other, other)
                break
    return {ids[index]: ids[other] for index, other in first.items()}


def _candidates(sketches: Sequence[Sketch]) -> dict[int, dict[int, int]]:
    """Article → earlier articles that share some of its smallest hashes, with how many."""
    if not sketches:
        return {}
    keys = np.concatenate([s[:_KEYS] for s in sketches])
    owners = np.repeat(np.arange(len(sketches)), [min(len(s), _KEYS) for s in sketches])
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    cuts = np.flatnonzero(np.diff(keys)) + 1
    starts = np.concatenate(([0], cuts))
    ends = np.concatenate((cuts, [len(keys)]))
    found: dict[int, dict[int, int]] = {}
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        group = owners[start:end].tolist()
        for place, index in enumerate(group[1:], start=1):
            shared = found.setdefault(index, {})
            for other in group[: min(place, _CROWD)]:
                shared[other] = shared.get(other, 0) + 1
    return found


def pack(sketches: Sequence[Sketch]) -> list[bytes]:
    """Sketches as bytes, for a column."""
    return [s.astype("<u8").tobytes() for s in sketches]


def unpack(data: bytes) -> Sketch:
    """The inverse of :func:`pack` for one sketch."""
    return np.frombuffer(data, dtype="<u8").astype(np.uint64)
