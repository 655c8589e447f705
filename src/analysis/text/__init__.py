"""What the documents say (文本): verbs that take documents or sentences and return a table.

One verb family a module; each is loaded when first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agreement import agree, confusion, krippendorff
    from .bulk import extract
    from .coding import Codebook, code, doubts, examine, labels
    from .compare import keyness
    from .concordance import kwic
    from .network import clusters, collocations, company, cooccurrence
    from .ngrams import discover
    from .phrases import mentions
    from .segment import Lexicon, Segmenter, stopwords, tokens
    from .sheets import as_coder, draw, override
    from .terms import Counts, count, key_terms, textrank, tfidf
    from .uptake import adoption, ledger, s_curve, taken_up, turnover

_HOME = {
    "agreement": ("agree", "confusion", "krippendorff"),
    "bulk": ("extract",),
    "coding": ("Codebook", "code", "doubts", "examine", "labels"),
    "compare": ("keyness",),
    "concordance": ("kwic",),
    "network": ("clusters", "collocations", "company", "cooccurrence"),
    "ngrams": ("discover",),
    "phrases": ("mentions",),
    "segment": ("Lexicon", "Segmenter", "stopwords", "tokens"),
    "sheets": ("as_coder", "draw", "override"),
    "terms": ("Counts", "count", "key_terms", "textrank", "tfidf"),
    "uptake": ("adoption", "ledger", "s_curve", "taken_up", "turnover"),
}
_MODULE = {verb: module for module, verbs in _HOME.items() for verb in verbs}

__all__ = [
    "Codebook", "Counts", "Lexicon", "Segmenter", "adoption", "agree", "as_coder", "clusters", "code", "collocations",
    "company", "confusion", "cooccurrence", "count", "discover", "doubts", "draw", "examine", "extract", "key_terms",
    "keyness", "krippendorff", "kwic", "labels", "ledger", "mentions", "override", "s_curve", "stopwords", "taken_up",
    "textrank", "tfidf", "tokens", "turnover",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULE[name]}", __name__), name)
