"""The corpus's health (语料体检): on what any later result rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .records import Corpus

if TYPE_CHECKING:
    import pandas as pd


def health(corpus: Corpus) -> dict[str, pd.DataFrame]:
    """Tables that tell what was read and how well.

    Returns
    -------
    dict
        ``overview`` (项目, 数值), ``genres`` and ``levels`` (with articles and characters), ``years`` (of publication or
        event; 未定 where open), ``regions``, ``open`` (articles with a date or region left open, and the candidates),
        ``noise`` (share removed by file), ``duplicates`` (linked articles), ``rejects`` (by rule).
    """
    import pandas as pd

    documents, rejects = corpus.documents, corpus.rejects
    count = len(documents)
    year = documents["published"].str[:4].fillna(documents["event_date"].str[:4])
    refused = rejects[rejects["severity"] == "拒收"]
    chars = documents["chars"].astype("int64")
    placed = documents["region_code"].notna() | (documents["level"] == "中央").fillna(False)
    overview = pd.DataFrame(
        [
            ("读入文件", documents["source"].nunique()),
            ("文章", count),
            ("句子", len(corpus.sentences)),
            ("表格", int(corpus.tables.groupby("doc_id")["table"].nunique().sum())),
            ("字符", int(chars.sum())),
            ("篇幅中位数（字符）", int(chars.median()) if count else 0),
            ("拒收文件", refused["source"].nunique()),
            ("提示", int((rejects["severity"] == "提示").sum())),
            ("近似重复", int(documents["near_duplicate_of"].notna().sum())),
            ("繁体来源", int((documents["script"] == "繁").sum())),
            ("未完（断在中途）", int(documents["truncated"].sum())),
            ("无标题", int(documents["title"].isna().sum())),
            ("脱敏处数", int(documents["redactions"].sum())),
            ("年份未定", int(year.isna().sum())),
            ("地区未定", int((~placed).sum())),
        ],
        columns=["项目", "数值"],
    )
    files = documents.drop_duplicates("source")
    open_ones = documents[~placed | year.isna()]
    return {
        "overview": overview,
        "genres": _counted(documents, "genre", "体裁"),
        "levels": _counted(documents, "level", "层级"),
        "years": _counted(documents.assign(year=year), "year", "年份"),
        "regions": _counted(documents, "region", "地区"),
        "open": pd.DataFrame(
            {
                "doc_id": open_ones["doc_id"],
                "来源": open_ones["source"],
                "标题": open_ones["title"],
                "年份": year[open_ones.index].fillna("未定"),
                "事件日": open_ones["event_date"].fillna(open_ones["event_day"]),
                "地区": open_ones["region"].fillna("未定"),
                "候选": ["、".join(c) for c in open_ones["region_candidates"]],
            }
        ).reset_index(drop=True),
        "noise": files[["source", "noise"]]
        .rename(columns={"source": "来源", "noise": "杂项占比"})
        .sort_values("杂项占比", ascending=False, ignore_index=True),
        "duplicates": documents.loc[
            documents["near_duplicate_of"].notna(), ["doc_id", "source", "title", "near_duplicate_of"]
        ].reset_index(drop=True),
        "rejects": rejects.groupby(["severity", "rule"], as_index=False)
        .size()
        .rename(columns={"severity": "程度", "rule": "规则", "size": "处数"}),
    }


def _counted(documents: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    """Articles and characters by a column, 未定 where it is open, largest first."""
    named = documents.assign(**{column: documents[column].fillna("未定")})
    table = named.groupby(column, as_index=False).agg(文章=("doc_id", "size"), 字符=("chars", "sum"))
    return table.rename(columns={column: name}).sort_values(
        ["文章", name], ascending=[False, True], ignore_index=True
    )
