"""Policy instruments (政策工具): supply, environment and demand side, and their match with the five-part framework.

Source: Rothwell & Zegveld (1985) for the three types, Salamon (2002) for the dimensions; codebook ``instruments.yml``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .coding import Codebook, code
from .genres import suited

if TYPE_CHECKING:
    import pandas as pd

TYPES = ("供给", "环境", "需求")
DIMENSIONS = ("coercive", "direct", "automatic", "visible")


def instruments(
    documents: pd.DataFrame, sentences: pd.DataFrame, codebook: str = "instruments"
) -> pd.DataFrame:
    """Code the clauses of policy documents by instrument (政策工具编码).

    Returns
    -------
    DataFrame
        As :func:`analysis.text.coding.code`, with ``type`` (供给, 环境, 需求) and Salamon's four dimensions.
        ``attrs["refused"]`` holds the documents of genres that the method is not made for, with the reason.

    Raises
    ------
    MethodError
        No document of a suited genre.
    """
    book = Codebook.load(codebook)
    kept, refused = suited(documents, book.genres, book.name)
    table = code(kept, sentences.loc[sentences["doc_id"].isin(kept["doc_id"])], book)
    attributes = {one.code: one.attributes for one in book.codes}
    for name in ("type", *DIMENSIONS):
        table[name] = table["code"].map(lambda label, name=name: attributes[label].get(name))
    table.attrs["refused"] = refused
    return table


def shares(codes: pd.DataFrame, documents: pd.DataFrame | None = None, by: str | None = None) -> pd.DataFrame:
    """Counts and shares of instruments (工具结构), over all or by a column of ``documents`` (level, region …).

    Returns
    -------
    DataFrame
        [by,] type, code, n (coded clauses), share (of the group's coded clauses), documents (that use it).
    """
    table = codes.assign(group="全部" if by is None else codes["doc_id"].map(_column(documents, by)))
    counts = table.groupby(["group", "type", "code"], as_index=False).agg(
        n=("start", "size"), documents=("doc_id", "nunique")
    )
    counts["share"] = counts["n"] / counts.groupby("group")["n"].transform("sum")
    counts = counts.sort_values(["group", "n"], ascending=[True, False], ignore_index=True)
    return counts.drop(columns="group") if by is None else counts.rename(columns={"group": by})


def matrix(codes: pd.DataFrame, frame_codes: pd.DataFrame, *, level: str = "type") -> pd.DataFrame:
    """Instrument × framework matrix (工具—框架矩阵): in how many sentences an instrument and a part meet.

    Parameters
    ----------
    codes
        From :func:`instruments`.
    frame_codes
        Codes of a second frame (five_part, …) of the same documents.
    level
        ``type`` or ``code``: the rows.

    Returns
    -------
    DataFrame
        Rows instruments, columns the second frame's codes, counts of sentences; an empty cell is a gap, shown as 0.
    """
    import pandas as pd

    left = codes[["doc_id", "sentence", level]].drop_duplicates()
    right = frame_codes[["doc_id", "sentence", "code"]].rename(columns={"code": "part"}).drop_duplicates()
    both = left.merge(right, on=["doc_id", "sentence"])
    rows = list(TYPES) if level == "type" else sorted(codes[level].unique())
    columns = list(dict.fromkeys(right["part"]))
    return pd.crosstab(both[level], both["part"]).reindex(index=rows, columns=columns, fill_value=0)


def _column(documents: pd.DataFrame | None, name: str) -> pd.Series:
    if documents is None:
        raise TypeError("documents is needed to group by a column of it")
    return documents.set_index("doc_id")[name]
