"""Which documents a method is made for (适用文种): the others are set apart with the reason, never scored as zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import MethodError

if TYPE_CHECKING:
    import pandas as pd


def suited(documents: pd.DataFrame, genres: Sequence[str], method: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split documents into those that a method is made for and those it refuses.

    Returns
    -------
    tuple
        The suited documents; the refused ones as doc_id, genre, reason.

    Raises
    ------
    MethodError
        No document is suited: there is nothing to say.
    """
    fits = documents["genre"].isin(list(genres)) if "genre" in documents else documents["doc_id"].notna()
    refused = documents.loc[~fits, ["doc_id"]].assign(
        genre=documents.loc[~fits, "genre"] if "genre" in documents else None,
        reason=f"{method}只用于{'、'.join(genres)}",
    )
    if not fits.any():
        found = sorted({str(one) for one in documents.get("genre", []) if isinstance(one, str)})
        raise MethodError(
            f"语料中没有{method}适用的文件",
            value="、".join(found) or "无文种",
            hint=f"该方法只用于{'、'.join(genres)}",
        )
    return documents.loc[fits], refused
