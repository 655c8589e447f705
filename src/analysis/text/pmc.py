"""PMC index (政策一致性指数): what a policy text covers, variable by variable, with the evidence behind every 1.

Sources: Ruiz Estrada (2011); the variables as 张永安 and others adapted them; cut-offs in ``pmc.yml``. Hits are
proposals with spans, people's judgements replace them and are counted. Surfaces are never rescaled per policy, so
they stay comparable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import codebooks
from ..errors import InputError
from .coding import Codebook, code
from .genres import suited

if TYPE_CHECKING:
    import pandas as pd

ITEMS = ("doc_id", "variable", "item", "value", "coder", "evidence")


def items(
    documents: pd.DataFrame,
    sentences: pd.DataFrame,
    *,
    overrides: pd.DataFrame | None = None,
    book: str = "pmc",
) -> pd.DataFrame:
    """Secondary variables of each document (二级变量): 1 where the text meets it, with the evidence.

    Parameters
    ----------
    overrides
        A person's judgements: doc_id, variable, item, value. They replace the rules' proposals.

    Returns
    -------
    DataFrame
        Columns ``ITEMS``: value 0 or 1, coder (``rule``, ``document`` or ``human``), evidence (spans in the body).
        ``attrs["refused"]``: documents of genres that the index is not made for.

    Raises
    ------
    MethodError
        No document of a suited genre.
    InputError
        An override names an unknown document or item.
    """
    import pandas as pd

    content = codebooks.load(book)
    kept, refused = suited(documents, content["genres"], content["name"])
    spans = _evidence(kept, sentences.loc[sentences["doc_id"].isin(kept["doc_id"])], content)
    rows: dict[tuple[str, str, str], list[Any]] = {}
    for row in kept.to_dict("records"):
        for variable in content["variables"]:
            found = {item: spans.get((row["doc_id"], variable["id"], item), []) for item in variable["items"]}
            coder = variable.get("reading", "rule")
            if coder == "document":
                met = {row.get("level")} if variable["id"] == "X3" else set(variable["items"])
            elif variable["choice"] == "single":
                # The item with most evidence; of equals the first, which is the longer horizon.
                best = max(found, key=lambda item: len(found[item]))
                met = {best} if found[best] else set()
            else:
                met = {item for item in variable["items"] if found[item]}
            for item in variable["items"]:
                rows[row["doc_id"], variable["id"], item] = [int(item in met), coder, found[item]]
    for doc, variable_id, item, value in (
        [] if overrides is None else overrides[list(ITEMS[:4])].itertuples(index=False)
    ):
        if (doc, variable_id, item) not in rows:
            raise InputError(
                "人工编码中的文件或二级变量不存在",
                value=f"{doc} {variable_id} {item}",
                hint="请按 pmc.yml 的 variables 填写",
            )
        rows[doc, variable_id, item][:2] = [int(value), "human"]
    table = pd.DataFrame([(*key, *value) for key, value in rows.items()], columns=list(ITEMS))
    table.attrs["refused"] = refused
    return table


def index(table: pd.DataFrame, *, book: str = "pmc", single: Collection[str] | None = None) -> pd.DataFrame:
    """Main variables and the index of each document (PMC 指数).

    Parameters
    ----------
    table
        doc_id, variable, item, value; optional ``coder``.
    single
        The variables of which at most one item can hold; by default those of the codebook.

    Returns
    -------
    DataFrame
        doc_id, one column a variable (Σ of its items ÷ their number), pmc (sum over variables), pmc9 (without those
        outside the surface), ceiling (the most that can be reached: a one-of-k variable reaches 1/k), ratio (pmc9 ÷
        ceiling), depression (凹陷指数: number of variables − pmc9), grade (of pmc9 by the table of nine variables),
        grade_ten (of pmc by the table of ten), grade_of_ratio (of the ratio, same cut-offs in relative terms),
        confirmed (share of items that a person set).
    """
    content = codebooks.load(book)
    known = {variable["id"]: variable for variable in content["variables"]}
    present = [name for name in known if name in set(table["variable"])] or list(
        dict.fromkeys(table["variable"])
    )
    means = table.groupby(["doc_id", "variable"], sort=False)["value"].mean().unstack("variable")[present]
    inner = [name for name in present if known.get(name, {}).get("in_surface", True)]
    sizes = table.groupby("variable")["item"].nunique()
    if single is None:
        single = [name for name, variable in known.items() if variable["choice"] == "single"]
    ceiling = sum(1 / sizes[name] if name in single else 1.0 for name in inner)
    result = means.copy()
    result["pmc"] = means.sum(axis=1)
    result["pmc9"] = means[inner].sum(axis=1)
    result["ceiling"] = ceiling
    result["ratio"] = result["pmc9"] / ceiling
    result["depression"] = len(inner) - result["pmc9"]
    cutoffs, names = content["grades"]["cutoffs"], content["grades"]["names"]
    result["grade"] = [grade(value, cutoffs["nine"]["lower"], names) for value in result["pmc9"]]
    result["grade_ten"] = [grade(value, cutoffs["ten"]["lower"], names) for value in result["pmc"]]
    result["grade_of_ratio"] = [
        grade(value, content["grades"]["relative"], names) for value in result["ratio"]
    ]
    human = table["coder"].eq("human") if "coder" in table else table["value"].isna()
    result["confirmed"] = human.groupby(table["doc_id"]).mean().reindex(result.index)
    return result.reset_index()


def variables(scores: pd.DataFrame, *, book: str = "pmc") -> pd.DataFrame:
    """Where each document falls short (分变量凹陷与等级).

    Parameters
    ----------
    scores
        Of :func:`index`.

    Returns
    -------
    DataFrame
        doc_id, variable, name, value (X_i), grade (by the codebook's grades of one variable), depression (1 − X_i),
        below_mean (mean of X_i over the documents − X_i; above 0 where it falls short of the set).
    """
    content = codebooks.load(book)
    names = {variable["id"]: variable["name"] for variable in content["variables"]}
    single = content["grades"]["single"]
    present = [name for name in names if name in scores]
    table = scores.melt("doc_id", present, "variable", "value")
    table.insert(2, "name", table["variable"].map(names))
    table["grade"] = [grade(value, single["lower"], single["names"]) for value in table["value"]]
    table["depression"] = 1 - table["value"]
    table["below_mean"] = table.groupby("variable")["value"].transform("mean") - table["value"]
    return table


def grade(value: float, lower: list[float], names: list[str]) -> str:
    """The grade whose half-open interval holds the value; floating noise of 1e-9 counts as the bound itself."""
    return next(name for bound, name in zip(lower, names, strict=True) if value >= bound - 1e-9)


def surface(row: Mapping[str, float]) -> np.ndarray:
    """The 3×3 matrix X1…X9 (PMC 曲面), unscaled. Shape (3, 3), values in [0, 1]."""
    return np.array([[float(row[f"X{3 * i + j + 1}"]) for j in range(3)] for i in range(3)])


def leave_one_out(table: pd.DataFrame, *, book: str = "pmc") -> pd.DataFrame:
    """The index without each variable in turn (留一变量敏感性): doc_id, left_out, pmc9, rank, rank_full, moved (places)."""
    import pandas as pd

    full = index(table, book=book).set_index("doc_id")["pmc9"]
    rank_full = full.rank(ascending=False, method="min").astype(int)
    parts = []
    for name in dict.fromkeys(table["variable"]):
        rest = table.loc[table["variable"] != name]
        if rest.empty:
            continue
        score = index(rest, book=book).set_index("doc_id")["pmc9"].reindex(full.index)
        rank = score.rank(ascending=False, method="min").astype(int)
        parts.append(
            pd.DataFrame(
                {
                    "doc_id": full.index,
                    "left_out": name,
                    "pmc9": score.to_numpy(),
                    "rank": rank.to_numpy(),
                    "rank_full": rank_full.to_numpy(),
                }
            ).assign(moved=(rank - rank_full).abs().to_numpy())
        )
    return pd.concat(parts, ignore_index=True)


def _evidence(
    documents: pd.DataFrame, sentences: pd.DataFrame, content: dict[str, Any]
) -> dict[tuple[str, str, str], list[tuple[int, int]]]:
    """Spans for each document, variable and item; two variables borrow their evidence from the other codebooks."""
    spans: dict[tuple[str, str, str], list[tuple[int, int]]] = {}

    def take(table: pd.DataFrame, names: list[tuple[str, str]]) -> None:
        for doc, evidence, (variable, item) in zip(table["doc_id"], table["evidence"], names, strict=True):
            spans.setdefault((doc, variable, item), []).extend(evidence)

    own = code(documents, sentences, Codebook.parse(content, "pmc"))
    take(own, [(label.split("-", 1)[0], label.split("-", 1)[1]) for label in own["code"]])
    for variable, origin in content["borrowed"].items():
        other = Codebook.load(origin["codebook"])
        table = code(documents, sentences, other)
        attributes = {one.code: one.attributes for one in other.codes}
        by = origin["by"]
        take(
            table,
            [(variable, label if by == "code" else str(attributes[label][by])) for label in table["code"]],
        )
    return spans
