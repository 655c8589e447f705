"""Policy intensity (政策力度): 力度 × (目标 + 措施) by document, year and in sum, and the synergy of measures.

Source: 彭纪生、仲为国、孙文祥 (2008) and the papers that follow it; the scale's tables are data (``intensity.yml``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .. import codebooks
from ..errors import MethodError
from .genres import suited

if TYPE_CHECKING:
    import pandas as pd


def intensity(table: pd.DataFrame) -> pd.DataFrame:
    """Intensity by year (年度政策力度).

    Parameters
    ----------
    table
        One row a policy: year, p (力度), g (目标), m (措施), each 1–5; optional ``repealed`` (year of repeal).

    Returns
    -------
    DataFrame
        year, policies, total (TPMG = Σ (m + g)·p), mean (PMG = total ÷ policies), cumulative (NTPMG: the sum of all so
        far less what was repealed up to that year). Years without a policy stand with 0 and NA mean. Policies without a
        year or a score are left out; ``attrs["left_out"]`` counts them.

    Raises
    ------
    MethodError
        No policy has a year and all three scores.
    """
    import pandas as pd

    known = table[["year", "p", "g", "m"]].notna().all(axis=1)
    if not known.any():
        raise MethodError(
            "没有一份文件的年份和力度、目标、措施都已知", value=len(table), hint="请先补上年份或评分"
        )
    left_out = int((~known).sum())
    table = table[known].infer_objects().astype({"year": int})
    scored = table.assign(score=(table["m"] + table["g"]) * table["p"])
    years = range(int(table["year"].min()), int(table["year"].max()) + 1)
    total = scored.groupby("year")["score"].sum().reindex(years, fill_value=0)
    policies = scored.groupby("year").size().reindex(years, fill_value=0)
    gone = pd.Series(0, index=list(years))
    if "repealed" in scored:
        gone = (
            scored.dropna(subset=["repealed"]).groupby("repealed")["score"].sum().reindex(years, fill_value=0)
        )
    result = pd.DataFrame(
        {
            "year": list(years),
            "policies": policies.to_numpy(),
            "total": total.to_numpy(),
            "mean": (total / policies.where(policies > 0)).to_numpy(),
            "cumulative": (total - gone).cumsum().to_numpy(),
        }
    )
    result.attrs["left_out"] = left_out
    return result


def synergy(table: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Synergy of two measures or goals a year (协同度): Σ p · a · b; columns year, synergy. ``table``: year, p and both columns."""
    score = table["p"] * table[first] * table[second]
    return score.groupby(table["year"]).sum().rename("synergy").reset_index()


def propose(documents: pd.DataFrame, commitments: pd.DataFrame, *, book: str = "intensity") -> pd.DataFrame:
    """Proposed p, g and m of each policy document, for a person to confirm (力度—目标—措施提议).

    p follows the kind of document and its level, g and m the strongest commitment of the document; each with the span
    it rests on.

    Returns
    -------
    DataFrame
        doc_id, year, p, p_ground (the title's ending and level; NA where no row of the table fits, and then p is NA), g,
        g_start, g_end, m, m_start, m_end, confirmed (False). ``attrs["refused"]`` as in the other methods.
    """
    import pandas as pd

    content = codebooks.load(book)
    kept, refused = suited(documents, content["genres"], "力度—目标—措施")
    groups = dict(list(commitments.groupby("doc_id"))) if len(commitments) else {}
    rows = []
    for row in kept.to_dict("records"):
        force, ground = _force(row, content["force"])
        best = {
            kind: _best(groups.get(row["doc_id"]), content[kind], content["supervision"])
            for kind in ("goal", "measure")
        }
        published = row.get("published")
        year = int(published[:4]) if isinstance(published, str) else pd.NA
        rows.append((row["doc_id"], year, force, ground, *best["goal"], *best["measure"], False))
    columns = [
        "doc_id",
        "year",
        "p",
        "p_ground",
        "g",
        "g_start",
        "g_end",
        "m",
        "m_start",
        "m_end",
        "confirmed",
    ]
    table = pd.DataFrame(rows, columns=columns)
    table.attrs["refused"] = refused
    return table


def _force(row: Any, table: list[dict[str, Any]]) -> tuple[Any, Any]:
    import pandas as pd

    title, level = re.sub(r"(?:[（(][^（）()]*[)）])+$", "", str(row.get("title") or "")), row.get("level")
    # The longest ending decides: 督办办法 ends in 法 too.
    fits = [
        (len(ending), ending, entry)
        for entry in table
        for ending in entry["endings"]
        if title.endswith(ending)
    ]
    _, ending, entry = max(fits, key=lambda fit: fit[0], default=(0, "", {}))
    return (entry[level], f"{ending}·{level}") if level in entry else (pd.NA, pd.NA)


def _best(
    commitments: pd.DataFrame | None, scale: list[dict[str, Any]], supervision: list[str]
) -> tuple[Any, Any, Any]:
    """The highest score among the commitments, with its span; 1 without a span where there is none (提及)."""
    import pandas as pd

    best: tuple[Any, Any, Any] = (1, pd.NA, pd.NA)
    for row in () if commitments is None else commitments.to_dict("records"):
        facts = {
            "measurable": bool(row["measurable"]),
            "who": bool(row["who_stated"]),
            "deadline": isinstance(row["by_when"], str),
            "supervision": any(word in row["text"] for word in supervision),
            "strength": int(row["strength"]),
        }
        score = next(
            entry["score"]
            for entry in scale
            if all(facts[name] >= wanted for name, wanted in entry["when"].items())
        )
        if score > best[0]:
            best = (score, row["start"], row["end"])
    return best
