"""What the documents say (文本): verbs that take documents or sentences and return a table.

One verb family a module; each is loaded when first asked for.
"""

from __future__ import annotations

import importlib

_VERBS = {
    "Lexicon": "segment",
    "Segmenter": "segment",
    "tokens": "segment",
    "stopwords": "segment",
    "Counts": "terms",
    "count": "terms",
    "tfidf": "terms",
    "key_terms": "terms",
    "textrank": "terms",
    "keyness": "compare",
    "kwic": "concordance",
    "company": "network",
    "collocations": "network",
    "cooccurrence": "network",
    "clusters": "network",
    "mentions": "phrases",
    "discover": "ngrams",
    "ledger": "uptake",
    "adoption": "uptake",
    "s_curve": "uptake",
    "turnover": "uptake",
    "Codebook": "coding",
    "code": "coding",
    "labels": "coding",
    "examine": "coding",
    "agree": "agreement",
    "confusion": "agreement",
    "krippendorff": "agreement",
    "draw": "sheets",
    "as_coder": "sheets",
    "override": "sheets",
}

__all__ = sorted(_VERBS)


def __getattr__(name: str) -> object:
    module = _VERBS.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
