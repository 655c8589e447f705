"""Diffusion (政策扩散): where a text came from, what was copied, added and dropped, and whether the evidence agrees.

Three kinds of evidence speak to one question, from whom to whom: reused passages, citations, and adopted phrases.
They are shown side by side with their agreement or conflict, never merged into one score.

Sources: Chen, Liao & Yi (2025) on clause similarity of statutes; the measures 强度, 广度, 速度, 方向 of the Chinese
diffusion literature as listed in ``docs/text.md``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .reuse import GRAM, Han, common_runs, precedence

if TYPE_CHECKING:
    import pandas as pd

LEVELS = ("中央", "省", "市", "县", "乡")
# A clause counts as copied when this share of its 4-grams stands in the older clause, as adapted from the second on.
COPIED, ADAPTED = 0.85, 0.4
# Texts of one field share set phrases: below this share there is no derivation to speak of.
FLOOR = 0.05
_CLAUSE = re.compile(r"[^。；;！？\n]+[。；;！？]?")
_CLAUSE_GRAM = 4


def attribute(
    documents: pd.DataFrame, candidates: Sequence[str], *, gram: int = GRAM, floor: float = FLOOR
) -> pd.DataFrame:
    """Which of several candidate sources a document is written from (来源归属).

    Parameters
    ----------
    documents
        Needs ``doc_id``, ``body``; dates and levels as for :func:`analysis.text.reuse.reuse`.
    candidates
        The ``doc_id`` of the possible sources.

    Returns
    -------
    DataFrame
        One row a document and candidate: doc_id, candidate, share (Han characters in runs of at least ``gram``
        shared with the candidate ÷ all), only (share that no other candidate explains), feasible (the candidate is
        not dated after the document; NA where a date is missing), attributed (the best feasible candidate of the
        document, if its share reaches ``floor``).

    Raises
    ------
    InputError
        A candidate is not among the documents.
    """
    import pandas as pd

    bodies = dict(zip(documents["doc_id"], documents["body"], strict=True))
    dates = {doc: key[0] for doc, key in zip(documents["doc_id"], precedence(documents), strict=True)}
    if missing := [one for one in candidates if one not in bodies]:
        raise InputError("候选来源不在语料中", value=missing, hint="请用 corpus export 查看 doc_id")
    sources = {one: Han.of(bodies[one]) for one in candidates}
    rows = []
    for doc, body in bodies.items():
        text = Han.of(body)
        if doc in sources and len(sources) == 1 or not len(text.codes):
            continue
        covers = {one: _cover(text, source, gram) for one, source in sources.items() if one != doc}
        for one, cover in covers.items():
            others = [other for name, other in covers.items() if name != one]
            alone = cover & ~np.logical_or.reduce(others) if others else cover
            known = "9999" not in (dates[doc], dates[one])
            rows.append((doc, one, cover.mean(), alone.mean(), dates[one] <= dates[doc] if known else pd.NA))
    table = pd.DataFrame(rows, columns=["doc_id", "candidate", "share", "only", "feasible"]).astype(
        {"feasible": "boolean"}
    )
    possible = table.loc[table["feasible"].fillna(True) & (table["share"] >= floor)]
    best = possible.groupby("doc_id")["share"].idxmax()
    table["attributed"] = table.index.isin(best)
    return table


def changes(new: str, old: str) -> pd.DataFrame:
    """Clause by clause, what a text took over from another, changed, added and dropped (条款对照).

    Returns
    -------
    DataFrame
        status (照搬 copied, 改写 adapted, 新增 added, 删去 dropped), start, end, text (in ``new``; NA for dropped),
        old_start, old_end, old_text (NA for added), similarity (share of the clause's 4-grams found in the other).
    """
    import pandas as pd

    mine, theirs = _clauses(new), _clauses(old)
    index: dict[str, list[int]] = {}
    for place, (_, _, grams) in enumerate(theirs):
        for one in grams:
            index.setdefault(one, []).append(place)
    rows: list[tuple[object, ...]] = []
    used: set[int] = set()
    for start, end, grams in mine:
        votes: dict[int, int] = {}
        for one in grams:
            for place in index.get(one, ()):
                votes[place] = votes.get(place, 0) + 1
        # The clause explained best; of equals the one that is itself used up most.
        best = max(
            votes, key=lambda place: (votes[place], votes[place] / len(theirs[place][2])), default=None
        )
        similarity = votes[best] / len(grams) if best is not None else 0.0
        if best is None or similarity < ADAPTED:
            rows.append(("新增", start, end, new[start:end], pd.NA, pd.NA, pd.NA, similarity))
            continue
        used.add(best)
        left, right, other = theirs[best]
        whole = similarity >= COPIED and votes[best] / len(other) >= COPIED
        rows.append(
            (
                "照搬" if whole else "改写",
                start,
                end,
                new[start:end],
                left,
                right,
                old[left:right],
                similarity,
            )
        )
    for place, (left, right, _) in enumerate(theirs):
        if place not in used:
            rows.append(("删去", pd.NA, pd.NA, pd.NA, left, right, old[left:right], 0.0))
    return pd.DataFrame(
        rows, columns=["status", "start", "end", "text", "old_start", "old_end", "old_text", "similarity"]
    )


def direction(pairs: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """Say of each pair (doc_id, source_doc_id) which way it runs: 下行, 上行, 横向 (扩散方向).

    Returns
    -------
    DataFrame
        ``pairs`` with level, source_level, region, source_region, days (later minus earlier date; NA where one is
        unknown) and direction (NA where a level is unknown).
    """
    import pandas as pd

    facts = documents.set_index("doc_id")
    dates = pd.to_datetime(
        pd.Series({doc: key[0] for doc, key in zip(documents["doc_id"], precedence(documents), strict=True)}),
        errors="coerce",
        format="mixed",
    )
    table = pairs.copy()
    for prefix, column in (("", "doc_id"), ("source_", "source_doc_id")):
        for name in ("level", "region"):
            table[prefix + name] = table[column].map(facts[name]) if name in facts else pd.NA
    later, earlier = table["doc_id"].map(dates), table["source_doc_id"].map(dates)
    known = (later.dt.year < 9999) & (earlier.dt.year < 9999)
    table["days"] = (later - earlier).dt.days.where(known).astype("Int64")
    ways = [_way(above, below) for above, below in zip(table["source_level"], table["level"], strict=True)]
    return table.assign(direction=ways)


def spread(adoptions: pd.DataFrame, *, units: int | None = None) -> pd.DataFrame:
    """Intensity, breadth and speed of one or more policies' spread (强度、广度、速度).

    Parameters
    ----------
    adoptions
        One row a reference: policy, unit (region or body), date.
    units
        How many units there are in all, for the share; NA in the result when unknown.

    Returns
    -------
    DataFrame
        policy, intensity (references), breadth (adopting units), breadth_share, first, last, speed (units a year,
        广度 ÷ (last − first); NA when all on one day).
    """
    import pandas as pd

    rows = []
    for policy, group in adoptions.groupby("policy"):
        days = pd.to_datetime(group["date"])
        span = (days.max() - days.min()).days / 365.25
        breadth = group["unit"].nunique()
        rows.append(
            (
                policy,
                len(group),
                breadth,
                breadth / units if units else pd.NA,
                days.min(),
                days.max(),
                breadth / span if span else pd.NA,
            )
        )
    return pd.DataFrame(
        rows, columns=["policy", "intensity", "breadth", "breadth_share", "first", "last", "speed"]
    )


def inheritance(source: set[str], target: set[str]) -> tuple[float, float]:
    """继承度 |S∩T| ÷ |S| and 创新度 |T∖S| ÷ |T| of keywords or topics; NaN where the set is empty."""
    return (
        len(source & target) / len(source) if source else float("nan"),
        len(target - source) / len(target) if target else float("nan"),
    )


def evidence(
    reused: pd.DataFrame, cited: pd.DataFrame, adopted: pd.DataFrame, *, floor: float = 0.05
) -> pd.DataFrame:
    """The three kinds of evidence for each pair of documents, and whether they agree (证据对照).

    Parameters
    ----------
    reused
        doc_id, source_doc_id, share_proper as from :func:`analysis.text.reuse.shares`; below ``floor`` it is silent.
    cited
        doc_id, resolved_to as from :func:`analysis.text.citations.cite`.
    adopted
        doc_id, source_doc_id: a phrase first used in the source and later in the document; optional column ``phrase``.

    Returns
    -------
    DataFrame
        a, b (the two documents), reuse, citation, phrases: ``b→a`` means that a took from b, ``a→b`` the reverse,
        both ``互见``, NA silent; verdict: 一致 (two or three kinds, one way), 冲突 (they point both ways), 单一证据.
    """
    import pandas as pd

    columns = {
        "reuse": reused.loc[reused["share_proper"] >= floor, ["doc_id", "source_doc_id"]],
        "citation": cited.dropna(subset=["resolved_to"])[["doc_id", "resolved_to"]].set_axis(
            ["doc_id", "source_doc_id"], axis=1
        ),
        "phrases": adopted[["doc_id", "source_doc_id"]],
    }
    ways: dict[tuple[str, str], dict[str, set[str]]] = {}
    for kind, pairs in columns.items():
        for doc, source in pairs.drop_duplicates().itertuples(index=False):
            if doc != source:
                a, b = sorted((doc, source))
                ways.setdefault((a, b), {}).setdefault(kind, set()).add("b→a" if doc == a else "a→b")
    rows = []
    for (a, b), found in sorted(ways.items()):
        said = set().union(*found.values())
        verdict = "冲突" if len(said) > 1 else "一致" if len(found) > 1 else "单一证据"
        shown = {kind: "互见" if len(one) > 1 else next(iter(one)) for kind, one in found.items()}
        rows.append((a, b, *(shown.get(kind, pd.NA) for kind in columns), verdict))
    return pd.DataFrame(rows, columns=["a", "b", *columns, "verdict"])


def _cover(text: Han, source: Han, gram: int) -> np.ndarray:
    mask = np.zeros(len(text.codes), dtype=bool)
    for start, _, length in common_runs(text, source, gram):
        mask[start : start + length] = True
    return mask


def _clauses(text: str) -> list[tuple[int, int, set[str]]]:
    """Clauses with their offsets and their sets of Han 4-grams; clauses too short to compare are left out."""
    found = []
    for match in _CLAUSE.finditer(text):
        han = "".join(re.findall(r"[一-鿿]", match[0]))
        # The number of an article is no wording of it.
        han = re.sub(r"^第[一二三四五六七八九十百零]+[条章节]", "", han)
        if len(han) >= 2 * _CLAUSE_GRAM:
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            found.append(
                (start, match.end(), {han[k : k + _CLAUSE_GRAM] for k in range(len(han) - _CLAUSE_GRAM + 1)})
            )
    return found


def _way(above: object, below: object) -> Any:
    import pandas as pd

    if not {str(above), str(below)} <= set(LEVELS):
        return pd.NA
    step = LEVELS.index(str(below)) - LEVELS.index(str(above))
    return "下行" if step > 0 else "上行" if step < 0 else "横向"
