"""Named phrases of policy language (提法): where each is used, what it is made of, who took it up, when it came and went.

Uses are found by shape (:mod:`analysis.text.shapes`); what is quoted once, and the standing phrases of the codebook, are then
looked for without marks as well. Fixed phrases that no mark betrays are proposed by :mod:`analysis.text.ngrams`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
    found = {doc_id: _with_parts(find(body, shapes), body, shapes) for doc_id, body in bodies}
    standing = _standing(shapes.known, found.values())
    index = _index(standing)
    rows: list[tuple[object, ...]] = []
    for doc_id, body in bodies:
        own = found[doc_id]
        own.extend(_again(body, own, standing, index))
        rows.extend(
            (doc_id, m.start, m.end, body[m.start : m.end], m.phrase, m.kind, m.shape, m.parts)
            for m in sorted(own, key=lambda m: (m.start, -m.end))
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
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


def _index(standing: Mapping[str, str]) -> dict[str, list[str]]:
    """Forms by their first two characters, the longest first: a text is then read once, however many forms there are."""
    index: dict[str, list[str]] = {}
    for form in sorted(standing, key=len, reverse=True):
        index.setdefault(form[:2], []).append(form)
    return index


def _again(
    body: str, found: Sequence[Mention], standing: Mapping[str, str], index: Mapping[str, list[str]]
) -> Iterator[Mention]:
    taken = sorted((m.start, m.end) for m in found)
    hits = [
        (form, at)
        for at in range(len(body) - 1)
        for form in index.get(body[at : at + 2], ())
        if body.startswith(form, at)
    ]
    # The longest form wins where two overlap, then the first.
    for form, at in sorted(hits, key=lambda hit: (-len(hit[0]), hit[1])):
        end = at + len(form)
        if not any(start < end and at < stop for start, stop in taken):
            taken.append((at, end))
            yield Mention(at, end, form, standing[form], "known", members(form))
