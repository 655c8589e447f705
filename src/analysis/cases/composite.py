"""Composite indices (综合指数): a weighted sum, and how much of its ranking is the weights.

A score never stands without the range of ranks that other weights, other normalisations and the loss of any one component
would give (OECD & JRC 2008, Handbook on Constructing Composite Indicators).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .. import codebooks, regions
from ..errors import CodebookError, MethodError, RequestError
from ..periods import Period
from . import registry
from .indicators import SMALL, indicators
from .places import LEVELS
from .ranking import ranks

if TYPE_CHECKING:
    from .load import Cases

NORMALISATIONS = ("minmax", "zscore", "rank")


@dataclass(frozen=True)
class Index:
    """The definition of an index (指数定义).

    Attributes
    ----------
    weights
        Component → weight; they add to 1.
    directions
        Component → ``up`` (high is good) or ``down``.
    normalisation
        ``minmax`` (0–100 between the worst and the best body), ``zscore`` or ``rank``.
    weights_source
        Who says so.
    """

    id: str
    name: str
    weights: Mapping[str, float]
    directions: Mapping[str, str]
    normalisation: str
    weights_source: str

    @classmethod
    def named(cls, id: str) -> Index:
        """The index of that id in ``composite.yml``.

        Raises
        ------
        RequestError
            No such index.
        """
        indices = codebooks.load("composite")["indices"]
        if id not in indices:
            raise RequestError("没有这个指数", value=id, hint=f"可用：{'、'.join(indices)}")
        return cls.read(id, indices[id])

    @classmethod
    def read(cls, id: str, entry: Mapping[str, Any]) -> Index:
        """From an entry of the shape of ``composite.yml``.

        Raises
        ------
        CodebookError
            Weights that are negative or do not add to 1, an unknown direction or normalisation, or no source.
        """
        parts: Mapping[str, Mapping[str, Any]] = entry.get("components", {})
        weights = {key: float(part["weight"]) for key, part in parts.items()}
        directions = {key: str(part.get("direction", "up")) for key, part in parts.items()}
        if len(weights) < 2 or min(weights.values()) < 0 or abs(sum(weights.values()) - 1) > 1e-9:
            raise CodebookError("指数的权重应不少于两项、不为负、合计为 1", value=id)
        if set(directions.values()) - {"up", "down"} or entry.get("normalisation") not in NORMALISATIONS:
            raise CodebookError("指数的方向或标准化方法不认识", value=id)
        if not entry.get("weights_source"):
            raise CodebookError("指数没有写明权重来源", value=id, hint="请在 weights_source 中写明")
        return cls(
            id, str(entry["name"]), weights, directions, entry["normalisation"], entry["weights_source"]
        )


@dataclass(frozen=True)
class Composite:
    """A computed index.

    Attributes
    ----------
    table
        One row a body, best first: ``body``, ``score`` (0–100 for minmax), ``rank``; ``weights_low``, ``weights_high`` (rank in
        95 % of the drawn weights); ``loo_low``, ``loo_high`` (rank when any one component is left out); ``norm_low``,
        ``norm_high`` (over the normalisations); ``stable`` (all of these within three ranks of ``rank``). Bodies with a missing
        component come last without score and rank, ``note`` says which.
    parts
        body × component: normalised value and its share of the score.
    leave_one_out
        Component → Spearman correlation of the ranking without it with the full one.
    index
        The definition.
    """

    table: pd.DataFrame
    parts: pd.DataFrame
    leave_one_out: pd.Series
    index: Index


def composite(frame: pd.DataFrame, index: Index | str, *, seed: int = 0) -> Composite:
    """Compute an index with its sensitivities.

    Parameters
    ----------
    frame
        ``body`` and one column a component.
    index
        A definition or the id of one in ``composite.yml``.

    Raises
    ------
    RequestError
        A missing column or an unknown index.
    MethodError
        Fewer than two bodies with every component, or a body that stands twice.
    """
    made = Index.named(index) if isinstance(index, str) else index
    names = list(made.weights)
    missing = [name for name in ("body", *names) if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="综合指数需要 body 和各分项指标")
    if frame["body"].duplicated().any():
        raise MethodError("同一单位出现两次", value=frame["body"][frame["body"].duplicated()].iloc[0])
    whole = frame[names].notna().all(axis=1)
    if whole.sum() < 2:
        raise MethodError("各分项齐全的单位不足两个，算不出综合指数", value=int(whole.sum()))
    known = frame[whole]
    sign = np.array([1.0 if made.directions[name] == "up" else -1.0 for name in names])
    raw = known[names].to_numpy(float) * sign
    weights = np.array([made.weights[name] for name in names])
    scaled = {method: _normalised(raw, method) for method in NORMALISATIONS}
    main = scaled[made.normalisation]
    score = main @ weights
    rank = ranks(score)

    book = codebooks.load("composite")
    drawn = np.random.default_rng(seed).dirichlet(
        np.maximum(weights, 1e-3) * book["concentration"], size=book["draws"]
    )
    by_weights = _ranked(main @ drawn.T)
    without = np.column_stack([ranks(main @ _left_out(weights, place)) for place in range(len(names))])
    by_scale = np.column_stack([ranks(scaled[method] @ weights) for method in book["normalisations"]])
    table = pd.DataFrame({"body": known["body"].to_numpy(), "score": score, "rank": rank})
    for name, alternatives, tail in (
        ("weights", by_weights, 0.025),
        ("loo", without, 0.0),
        ("norm", by_scale, 0.0),
    ):
        table[f"{name}_low"] = np.quantile(alternatives, tail, axis=1, method="lower").astype(int)
        table[f"{name}_high"] = np.quantile(alternatives, 1 - tail, axis=1, method="higher").astype(int)
    lows = table[["weights_low", "loo_low", "norm_low"]].min(axis=1)
    highs = table[["weights_high", "loo_high", "norm_high"]].max(axis=1)
    table["stable"] = (table["rank"] - lows <= 3) & (highs - table["rank"] <= 3)
    table = table.sort_values(["rank", "body"], kind="stable")
    absent = frame.loc[~whole]
    lost = pd.DataFrame(
        {
            "body": absent["body"],
            "note": [
                f"缺少分项：{'、'.join(name for name in names if pd.isna(row[name]))}"
                for _, row in absent.iterrows()
            ],
        }
    )
    everyone = (
        pd.concat([table.assign(note=None), lost], ignore_index=True)
        if len(lost)
        else table.assign(note=None)
    )
    parts = pd.DataFrame(
        {
            "body": np.repeat(known["body"].to_numpy(), len(names)),
            "component": names * len(known),
            "normalised": main.ravel(),
            "share": (main * weights).ravel(),
        }
    )
    kept = pd.Series(
        {name: _spearman(rank, without[:, place]) for place, name in enumerate(names)}, name="spearman"
    )
    return Composite(everyone, parts, kept, made)


def of_places(
    tables: Cases,
    index: Index | str,
    by: str = "county",
    period: str | Period | None = None,
    *,
    region: str | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
) -> Composite:
    """The index of places from case tables: each component the headline of its indicator.

    A component of fewer cases than its indicator's minimum is missing: a place that few cases speak for has no score.

    Parameters
    ----------
    by
        ``region`` (one level down), ``city`` or ``county``.

    Returns
    -------
    Composite
        ``table`` has the places' names beside their codes (``body``).

    Raises
    ------
    RequestError
        An unknown index, indicator, period, region or grouping; a component that may not be ranked or that the source cannot feed.
    MethodError
        Fewer than two places with every component.
    """
    made = Index.named(index) if isinstance(index, str) else index
    book = regions.load()
    unranked = [id for id in made.weights if not registry.indicator(id).rankable]
    if unranked:
        raise RequestError("这个指标不用于比较，不能编入指数", value="、".join(unranked))
    if by not in LEVELS:
        raise RequestError("指数只按地区编制", value=by, hint=f"可用：{'、'.join(LEVELS)}")
    rows = indicators(tables, period, region, as_of, by, only=list(made.weights), views=("本期",))
    heads = {id: registry.indicator(id).headline.id for id in made.weights}
    rows = rows[(rows["variant"] == rows["indicator"].map(heads)) & rows["part_of"].isna()]
    missing = sorted(set(made.weights) - set(rows.loc[rows["value"].notna(), "indicator"]))
    if missing:
        raise RequestError("来源没有指数的这些分项", value="、".join(missing))
    rows = rows[rows["region_code"].map(lambda code: code in book)]
    enough = rows["value"].where(rows["note"] != SMALL)
    wide = rows.assign(value=enough).pivot(index="region_code", columns="indicator", values="value")
    found = composite(wide.rename_axis("body").reset_index(), made)
    names = found.table["body"].map(lambda code: book.get(code).name)
    return replace(found, table=found.table.assign(name=names))


def _normalised(raw: np.ndarray, method: str) -> np.ndarray:
    """Columns on one scale, higher is better; a component in which all are alike says nothing and is 0 throughout."""
    if method == "minmax":
        spread = np.ptp(raw, axis=0)
        return np.where(spread > 0, 100 * (raw - raw.min(axis=0)) / np.where(spread > 0, spread, 1), 0.0)
    if method == "zscore":
        sd = raw.std(axis=0)
        return np.where(sd > 0, (raw - raw.mean(axis=0)) / np.where(sd > 0, sd, 1), 0.0)
    # Ties share their mean place, so that being alike brings no order.
    from scipy.stats import rankdata

    return np.asarray(rankdata(raw, axis=0))


def _ranked(scores: np.ndarray) -> np.ndarray:
    """Ranks within each column of scores."""
    order = (-scores).argsort(axis=0, kind="stable")
    return order.argsort(axis=0, kind="stable") + 1


def _left_out(weights: np.ndarray, place: int) -> np.ndarray:
    rest = weights.copy()
    rest[place] = 0
    return rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / len(rest))


def _spearman(one: np.ndarray, other: np.ndarray) -> float:
    from scipy.stats import rankdata

    a, b = rankdata(one), rankdata(other)
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
