"""Which documents a method is made for (适用文种): the others are set apart with the reason, never scored as zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import MethodError

if TYPE_CHECKING:
    import pandas as pd


def suited(
    documents: pd.DataFrame, genres: Sequence[str], method: str
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Split documents into those that a method is made for and those it refuses.

    Returns
    -------
    tuple
        The suited documents, which have a body and one of the genres; the refused ones as records with doc_id, genre, reason (records, not a table: pandas cannot
        carry a table in ``attrs`` through a join).

    Raises
    ------
    MethodError
        No document is suited: there is nothing to say.
    """
    fits = documents["genre"].isin(list(genres)) if "genre" in documents else documents["doc_id"].notna()
    genre = documents["genre"] if "genre" in documents else documents["doc_id"].map(lambda _: None)
    body = documents["body"].map(lambda text: isinstance(text, str) and bool(text.strip())).astype(bool)
    refused = [
        {
            "doc_id": doc,
            "genre": str(kind),
            "reason": "正文为空" if suits else f"{method}只用于{'、'.join(genres)}",
        }
        for doc, kind, suits, filled in zip(documents["doc_id"], genre, fits, body, strict=True)
        if not (suits and filled)
    ]
    if fits.any() and not (fits & body).any():
        raise MethodError(f"{method}适用的文件正文都是空的", value=int(fits.sum()), hint="请检查语料的正文")
    fits &= body
    if not fits.any():
        found = sorted({one for one in genre if isinstance(one, str)})
        raise MethodError(
            f"语料中没有{method}适用的文件",
            value="、".join(found) or "无文种",
            hint=f"该方法只用于{'、'.join(genres)}",
        )
    return documents.loc[fits], refused
