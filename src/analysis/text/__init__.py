"""What the documents say (文本): verbs that take documents or sentences and return a table.

One verb family a module; each is loaded when first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

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
    "Codebook": "coding",
    "code": "coding",
    "labels": "coding",
    "examine": "coding",
}

__all__ = sorted(_VERBS)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    module = _VERBS.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
