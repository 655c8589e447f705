"""Named phrases of policy language (提法): where each is used, what it is made of, who took it up, when it came and went.

Uses are found by shape (:mod:`analysis.text.shapes`); what is quoted once, and the standing phrases of the codebook, are then
looked for without marks as well. Fixed phrases that no mark betrays are proposed by :mod:`analysis.text.ngrams`.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .parts import parts_of
from .shapes import HAN, Mention, Shapes, find, members, normal

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("doc_id", "start", "end", "text", "phrase", "kind", "shape", "parts")


def mentions(documents: pd.DataFrame, codebook: str | Path = "phrases") -> pd.DataFrame:
    """Every use of a phrase in the documents.

    Parameters
    ----------
    documents
        With doc_id and body.

    Returns
    -------
    pandas.DataFrame
        doc_id, start, end (offsets in ``body``, without the quotation marks), text (as written), phrase (its normal
        form: see :func:`normal`), kind (slogan, mechanism, system, programme, index, framework), shape, parts (list of
        text, empty where the text does not spell them out). In the order of the text.
    """
    import pandas as pd

    shapes = Shapes.load(codebook)
    bodies = [
        (doc_id, body)
        for doc_id, body in zip(documents["doc_id"], documents["body"], strict=True)
        if isinstance(body, str)
    ]
    found = [_with_parts(find(body, shapes), body, shapes) for _, body in bodies]
    forms = Forms(_standing(shapes.known, found))
    # A column each, and for a known form the form itself: millions of uses never stand as objects of their own.
    columns: dict[str, Any] = {name: array("q") if name in ("start", "end") else [] for name in COLUMNS}
    for (doc_id, body), own in zip(bodies, found, strict=True):
        for m in sorted([*own, *_again(body, own, forms)], key=lambda m: (m.start, -m.end)):
            text = m.phrase if m.shape == "known" else body[m.start : m.end]
            row = (doc_id, m.start, m.end, text, m.phrase, m.kind, m.shape, m.parts)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    table = pd.DataFrame(
        {
            name: np.array(column) if isinstance(column, array) else pd.Series(column, dtype=object)
            for name, column in columns.items()
        }
    )
    table.attrs.update(codebook="phrases", version=shapes.version)
    return table


def _with_parts(found: list[Mention], body: str, shapes: Shapes) -> list[Mention]:
    """Mentions with their parts; what is only the list of another's parts is no phrase of its own."""
    quoted = [mention.phrase for mention in found if mention.shape == "quoted"]
    for mention in found:
        mention.parts = mention.parts or parts_of(mention, body, shapes, quoted)
    numbered = [mention for mention in found if mention.parts and not members(mention.phrase)]
    return [
        mention
        for mention in found
        if not (
            members(mention.phrase)
            and any(
                mention.parts == other.parts and abs(mention.start - other.start) < 200 for other in numbered
            )
        )
    ]


def _standing(known: Iterable[str], found: Iterable[list[Mention]]) -> dict[str, str]:
    """Phrases to look for without quotation marks: form → kind."""
    kinds: dict[str, str] = {}
    for own in found:
        for mention in own:
            if (
                mention.shape in ("quoted", "named", "parallel")
                and len(re.findall(f"[{HAN}]", mention.phrase)) >= 4
            ):
                kinds.setdefault(mention.phrase, mention.kind)
    for word in known:
        kinds.setdefault(normal(word), "framework" if word.endswith(("经验", "法治化", "格局")) else "slogan")
    return kinds


class Forms:
    """Forms to look for, by their first two characters: a text is read once, however many forms there are."""

    def __init__(self, standing: Mapping[str, str]) -> None:
        self.kinds = standing
        by_pair: dict[int, list[str]] = {}
        for form in sorted(standing, key=len, reverse=True):
            by_pair.setdefault(int(_pairs(form[:2])[0]), []).append(form)
        self._pairs = np.array(sorted(by_pair), dtype=np.uint64)
        self._forms = [by_pair[pair] for pair in self._pairs.tolist()]

    def find(self, body: str) -> list[tuple[str, int]]:
        """Every form at every place, overlapping ones too."""
        pairs = _pairs(body)
        place = np.searchsorted(self._pairs, pairs).clip(max=len(self._pairs) - 1)
        hits = np.flatnonzero(self._pairs[place] == pairs)
        return [
            (form, at)
            for at, pair in zip(hits.tolist(), place[hits].tolist(), strict=True)
            for form in self._forms[pair]
            if body.startswith(form, at)
        ]


def _pairs(text: str) -> np.ndarray:
    """Each two neighbouring characters as one number."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    return (points[:-1] << np.uint64(32)) | points[1:]


def _again(body: str, found: Sequence[Mention], forms: Forms) -> Iterator[Mention]:
    taken = sorted((m.start, m.end) for m in found)
    # The longest form wins where two overlap, then the first.
    for form, at in sorted(forms.find(body), key=lambda hit: (-len(hit[0]), hit[1])):
        end = at + len(form)
        if not any(start < end and at < stop for start, stop in taken):
            taken.append((at, end))
            yield Mention(at, end, form, forms.kinds[form], "known", members(form))
