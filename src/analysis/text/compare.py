"""Keyness (关键性): which terms one group of documents uses more than another, how surely, and who drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import RequestError
from .terms import NOTHING, Counts, too_alike

if TYPE_CHECKING:
    import pandas as pd

#: A term of which one document holds more than this share of the uses is flagged: it marks the document, not the group.
DRIVEN = 0.5
Correction = Literal["holm", "bonferroni", "bh", "none"]


def measures(a: np.ndarray, n_a: float, b: np.ndarray, n_b: float) -> dict[str, np.ndarray]:
    """Keyness statistics of counts ``a`` among ``n_a`` words against ``b`` among ``n_b``.

    Returns
    -------
    dict of arrays
        ``expected`` (of a, under equal use), ``chi2`` (Pearson, without continuity correction), ``g2`` (log-likelihood
        over the four cells), ``g2_two_cells`` (over the two cells of the term alone: Rayson & Garside 2000, AntConc),
        ``g2_williams`` (``g2`` over Williams' q, 1976), ``log_ratio`` (Hardie 2014: log₂ of the ratio of the relative
        frequencies; where a count is 0 it counts as 0.5). Signs: all but ``log_ratio`` are sizes, without direction.
    """
    a = np.asarray(a, dtype=float)
    b = np.asarray(b, dtype=float)
    n = n_a + n_b
    both = a + b
    expected_a, expected_b = n_a * both / n, n_b * both / n
    c, d = n_a - a, n_b - b
    expected_c, expected_d = n_a * (n - both) / n, n_b * (n - both) / n
    two = 2 * (_xlog(a, expected_a) + _xlog(b, expected_b))
    four = two + 2 * (_xlog(c, expected_c) + _xlog(d, expected_d))
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2 = n * (a * d - b * c) ** 2 / (n_a * n_b * both * (n - both))
        q = 1 + (n / n_a + n / n_b - 1) * (n / both + n / (n - both) - 1) / (6 * n)
        ratio = np.log2((np.where(a == 0, 0.5, a) / n_a) / (np.where(b == 0, 0.5, b) / n_b))
    return {
        "expected": expected_a,
        "chi2": np.nan_to_num(chi2),
        "g2": four,
        "g2_two_cells": two,
        "g2_williams": four / q,
        "log_ratio": ratio,
    }


def keyness(
    counts: Counts,
    target: np.ndarray,
    *,
    correction: Correction = "holm",
    min_count: int = 3,
    top: int | None = None,
) -> pd.DataFrame:
    """Terms of the target documents against all others (关键词对比).

    Parameters
    ----------
    counts
        Of both groups together.
    target
        Boolean, one a document: True for the group in question.
    correction
        For the number of terms tested: ``holm`` (default), ``bonferroni``, ``bh`` (false discovery rate) or ``none``.
    min_count
        Terms used less often over both groups are not tested.
    top
        Only so many terms of each direction; default all.

    Returns
    -------
    pandas.DataFrame
        term, count, reference_count, per_10k, reference_per_10k, the columns of :func:`measures`, p (χ² with one
        degree of freedom on ``g2``), p_corrected, correction, documents and reference_documents (how many use it),
        dp (Gries 2008: 0 spread like the text, towards 1 in one place; within the side that uses it more), driven_by
        (the document with more than half of that side's uses, where the side has several; else NA), direction
        (``更多`` / ``更少``, or ``持平`` where both use it at the same rate), note. Strongest first. A group without terms gives one row that says so in ``note``.

    Raises
    ------
    RequestError
        ``target`` has not one value a document, or the correction is unknown.
    """
    import pandas as pd
    from scipy.stats import chi2 as chi2_distribution

    target = np.asarray(target, dtype=bool)
    if target.shape != (len(counts.doc_ids),):
        raise RequestError("target 应与文档一一对应", value=target.shape)
    n_a, n_b = float(counts.lengths[target].sum()), float(counts.lengths[~target].sum())
    matrix = counts.matrix.tocsr()
    a = np.asarray(matrix[target].sum(axis=0)).ravel()
    b = np.asarray(matrix[~target].sum(axis=0)).ravel()
    tested = np.flatnonzero(a + b >= min_count)
    if n_a == 0 or n_b == 0 or not len(tested):
        if correction not in ("holm", "bonferroni", "bh", "none"):
            raise RequestError(
                "没有这种多重检验校正", value=correction, hint="可用：holm、bonferroni、bh、none"
            )
        side = "前一组" if n_a == 0 else "后一组" if n_b == 0 else "两组"
        return pd.DataFrame(
            [{**dict.fromkeys(_COLUMNS), "note": f"{side}：{NOTHING}，或词次不足 {min_count}，无从比较"}]
        )
    table = pd.DataFrame(
        {
            "term": [counts.terms[i] for i in tested],
            "count": a[tested],
            "reference_count": b[tested],
            "per_10k": a[tested] / n_a * 1e4,
            "reference_per_10k": b[tested] / n_b * 1e4,
            **measures(a[tested], n_a, b[tested], n_b),
        }
    )
    table["p"] = chi2_distribution.sf(table["g2"], 1)
    table["p_corrected"] = corrected(table["p"].to_numpy(), correction)
    table["correction"] = correction
    more = (table["log_ratio"] >= 0).to_numpy()
    table["direction"] = np.where(table["log_ratio"] == 0, "持平", np.where(more, "更多", "更少"))
    spread = [_spread(matrix[side][:, tested], counts, side) for side in (target, ~target)]
    table["dp"] = np.where(more, spread[0][0], spread[1][0])
    table["driven_by"] = np.where(more, spread[0][1], spread[1][1])
    frequency = np.asarray((matrix[target] > 0).sum(axis=0)).ravel()
    reference = np.asarray((matrix[~target] > 0).sum(axis=0)).ravel()
    table["documents"], table["reference_documents"] = frequency[tested], reference[tested]
    few = min(int(target.sum()), int((~target).sum())) < 2
    alike = "两组文档用词全部相同（同一文本的副本），没有可比的差别" if too_alike(counts) else None
    table["note"] = alike or ("有一组只有一篇文档，差别可能只是这一篇的" if few else None)
    table = table.sort_values(["g2", "term"], ascending=[False, True])
    if top is not None:
        table = table.groupby("direction", sort=False).head(top)
    return table[list(_COLUMNS)].reset_index(drop=True)


_COLUMNS = (
    "term", "direction", "count", "reference_count", "per_10k", "reference_per_10k", "expected", "chi2", "g2",
    "g2_two_cells", "g2_williams", "log_ratio", "p", "p_corrected", "correction", "documents", "reference_documents",
    "dp", "driven_by", "note",
)  # fmt: skip


def corrected(p: np.ndarray, correction: Correction = "holm") -> np.ndarray:
    """P values corrected for their number.

    Raises
    ------
    RequestError
        Unknown correction.
    """
    p = np.asarray(p, dtype=float)
    n = len(p)
    order = np.argsort(p, kind="stable")
    if correction == "none":
        return p.copy()
    if correction == "bonferroni":
        return np.minimum(p * n, 1)
    result = np.empty(n)
    if correction == "holm":
        result[order] = np.minimum(np.maximum.accumulate(p[order] * (n - np.arange(n))), 1)
    elif correction == "bh":
        falling = order[::-1]
        result[falling] = np.minimum(np.minimum.accumulate(p[falling] * n / np.arange(n, 0, -1)), 1)
    else:
        raise RequestError("没有这种多重检验校正", value=correction, hint="可用：holm、bonferroni、bh、none")
    return result


def dispersion(uses: np.ndarray, lengths: np.ndarray) -> float:
    """DP of Gries (2008): half the sum of the differences between the parts' shares of the uses and of the text."""
    uses = np.asarray(uses, dtype=float)
    lengths = np.asarray(lengths, dtype=float)
    return float(np.abs(uses / uses.sum() - lengths / lengths.sum()).sum() / 2)


def _spread(matrix: Any, counts: Counts, side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DP of each term over the documents of one side, and the document that has more than half of its uses."""
    by_term = matrix.tocsc()
    terms = np.repeat(np.arange(by_term.shape[1]), np.diff(by_term.indptr))
    uses = np.bincount(terms, weights=by_term.data, minlength=by_term.shape[1])
    lengths = counts.lengths[side] / counts.lengths[side].sum()
    shares = by_term.data / uses[terms]
    text = lengths[by_term.indices]
    # Documents without the term add their whole share of the text: 1 less that of those with it.
    dp = (np.bincount(terms, weights=np.abs(shares - text) - text, minlength=len(uses)) + 1) / 2
    drivers = np.full(len(uses), None, dtype=object)
    if side.sum() > 1:
        ids = np.array(counts.doc_ids, dtype=object)[side]
        above = shares > DRIVEN
        drivers[terms[above]] = ids[by_term.indices[above]]
    return dp, drivers


def _xlog(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(observed > 0, observed * np.log(observed / expected), 0.0)
