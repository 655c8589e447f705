"""Comparing bodies (单位比较): value, funnel, rank interval and words from one frame, the same everywhere.

A rank never stands without n, its interval and the number of bodies it cannot be told apart from; a body below the
minimum n is listed, not ranked; an indicator that must not be ranked is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from .. import codebooks
from .. import regions as region_tables
from ..errors import MethodError, RequestError
from . import intervals, ranking
from .funnel import Funnel, funnel

if TYPE_CHECKING:
    from ..periods import Period
    from .load import Cases
    from .registry import Indicator, Variant

COLUMNS = [
    "body", "name", "peer", "n", "numerator", "value", "low", "high", "effective_n", "target", "lower_inner", "upper_inner",
    "lower_outer", "upper_outer", "position", "flag", "ranked", "rank", "band_low", "band_high", "rank_low", "rank_high",
    "set_low", "set_high", "undistinguished", "peer_value", "peer_rank", "peer_low", "peer_high", "peer_size",
    "word", "colour", "note",
]  # fmt: skip
# What a reader calls a column → the column of the case tables.
_GROUPS = {"body": "responsible_body", "office": "petition_office"}


@dataclass(frozen=True)
class Comparison:
    """Everything one comparison page shows.

    Attributes
    ----------
    table
        One row a body, columns :data:`COLUMNS`, best first, unranked bodies last.
    funnel
        The fitted funnel over all bodies with cases; ``None`` with a single body.
    ranked, listed
        How many bodies are ranked and how many only listed.
    expected_false
        Bodies that chance alone would put outside the outer limits.
    notes
        Chinese sentences that belong under the table.
    """

    table: pd.DataFrame
    funnel: Funnel | None
    ranked: int
    listed: int
    expected_false: float
    notes: tuple[str, ...]


def compare(
    tables: Cases | pd.DataFrame,
    indicator: str,
    by: str = "region",
    period: str | Period | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
    *,
    region: str | None = None,
    variant: str | None = None,
    peers: Mapping[str, str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare bodies or regions by one indicator.

    Parameters
    ----------
    tables
        Loaded case tables; or a frame as :func:`assess` takes, with ``indicator`` naming the registry entry.
    by
        ``region`` (one level down), ``city``, ``county``, ``body`` (责任单位), ``office`` (信访部门), or a column.
    variant
        A definition other than the headline.
    peers
        Body → peer group; regions fall into 区, 县, 市 by their names without it.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`, with ``attrs``: ``indicator``, ``variant``, ``definition``, ``phi``, ``tau2``,
        ``adjusted``, ``expected_false``, ``ranked``, ``listed``, ``notes``.

    Raises
    ------
    RequestError
        An unknown indicator or definition, one that must not be ranked, or one that is not a share.
    MethodError
        No body has a case in the period.
    """
    made = page(tables, indicator, by, period, as_of, region=region, variant=variant, peers=peers, seed=seed)
    return made.table


def page(
    tables: Cases | pd.DataFrame,
    indicator: str,
    by: str = "region",
    period: str | Period | None = None,
    as_of: str | dt.date | dt.datetime | None = None,
    *,
    region: str | None = None,
    variant: str | None = None,
    peers: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Comparison:
    """As :func:`compare`, with the funnel and the notes for the page that shows it."""
    from . import registry

    entry = registry.indicator(indicator)
    if not entry.rankable:
        raise RequestError(
            f"“{entry.name}”不得用于排名或比较", value=indicator, hint="来访量、进京访等数量指标只作描述"
        )
    chosen = _variant(entry, variant)
    frame = (
        tables
        if isinstance(tables, pd.DataFrame)
        else _counts(tables, entry, chosen, by, period, region, as_of)
    )
    made = assess(frame, direction=entry.direction, minimum_n=entry.minimum_n or None, peers=peers, seed=seed)
    made.table.attrs |= {
        "indicator": entry.id,
        "variant": chosen.id,
        "definition": f"{entry.id}.{chosen.id}@{entry.version}",
    }
    return made


def assess(
    frame: pd.DataFrame,
    *,
    direction: str = "高为好",
    minimum_n: int | None = None,
    peers: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Comparison:
    """Funnel, rank intervals, peer group and words for a plain frame of proportions.

    Parameters
    ----------
    frame
        Columns ``body``, ``numerator``, ``denominator``; ``name`` (what is shown) and ``effective_n`` (see
        :func:`.intervals.effective_size`; pieces of one matter know less than their number) when known.
    direction
        ``高为好``, ``低为好`` or ``中性``.
    minimum_n
        Bodies with a smaller denominator are listed, not ranked; from ``comparison.yml`` unless given.

    Raises
    ------
    MethodError
        No body has a case, a body stands twice, or counts that are no proportion.
    """
    book = codebooks.load("comparison")
    least = book["ranking"]["minimum_n"] if minimum_n is None else minimum_n
    known = _checked(frame)
    used = known.assign(numerator=known["value"] * known["effective_n"], denominator=known["effective_n"])
    fit = funnel(used[["body", "numerator", "denominator"]])
    limits = fit.table[["lower_inner", "upper_inner", "lower_outer", "upper_outer", "position", "flag"]]
    table = pd.concat([known.reset_index(drop=True), limits.reset_index(drop=True)], axis=1)
    table["low"], table["high"] = intervals.wilson(used["numerator"], used["denominator"])
    table["target"] = fit.target
    table["ranked"] = (table["n"] >= least) & (table["n"] > 0)
    table["peer"] = _peers(table["body"], peers)
    table = _ranked(table, direction, seed)
    table = _within_peers(table, direction, seed)
    table = _worded(table, direction, least, book)
    ranked = int(table["ranked"].sum())
    alone = int((table["n"] > 0).sum()) < 2
    notes = [
        *([fit.note] if fit.note else []),
        *([book["notes"]["one_body"]] if alone else []),
        book["notes"]["expected_false"].format(expected=f"{fit.expected_false:.2f}", bodies=fit.bodies),
    ]
    table = table.sort_values(["ranked", "rank", "n"], ascending=[False, True, False], kind="stable")
    table = table[COLUMNS].reset_index(drop=True)
    table.attrs |= {
        "phi": fit.phi, "tau2": fit.tau2, "adjusted": fit.adjusted, "expected_false": fit.expected_false,
        "ranked": ranked, "listed": len(table) - ranked, "minimum_n": least, "notes": notes,
    }  # fmt: skip
    return Comparison(
        table, None if alone else fit, ranked, len(table) - ranked, fit.expected_false, tuple(notes)
    )


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in ("body", "numerator", "denominator") if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="比较需要 body、numerator、denominator")
    if frame["body"].duplicated().any():
        raise MethodError("同一单位出现两次", value=frame["body"][frame["body"].duplicated()].iloc[0])
    known = frame.rename(columns={"denominator": "n"}).copy()
    size = known["n"].where(known["n"] > 0)
    known["value"] = known["numerator"] / size
    if "effective_n" not in known:
        known["effective_n"] = known["n"]
    if "name" not in known:
        known["name"] = [_region_name(body) for body in known["body"]]
    return known


def _ranked(table: pd.DataFrame, direction: str, seed: int) -> pd.DataFrame:
    columns = [
        "rank",
        "band_low",
        "band_high",
        "rank_low",
        "rank_high",
        "set_low",
        "set_high",
        "undistinguished",
    ]
    part = table[table["ranked"]]
    for column in columns:
        table[column] = pd.array([pd.NA] * len(table), dtype="Int64")
    if len(part):
        found = ranking.rank_intervals(_proportions(part), highest_first=direction != "低为好", seed=seed)
        for column in columns:
            table.loc[part.index, column] = found[column].to_numpy()
    return table


def _within_peers(table: pd.DataFrame, direction: str, seed: int) -> pd.DataFrame:
    """Pooled value of the peer group, and the rank and its simultaneous set inside it."""
    pooled = table.groupby("peer", dropna=False)[["numerator", "n"]].transform("sum")
    table["peer_value"] = pooled["numerator"] / pooled["n"].where(pooled["n"] > 0)
    for column in ("peer_rank", "peer_low", "peer_high", "peer_size"):
        table[column] = pd.array([pd.NA] * len(table), dtype="Int64")
    for _, group in table[table["ranked"]].groupby("peer", dropna=False):
        sign = -1 if direction == "低为好" else 1
        good = group["value"] * group["effective_n"]
        if direction == "低为好":
            good = group["effective_n"] - good
        low, high = ranking.proportion_rank_sets(good, group["effective_n"], simultaneous=True)
        table.loc[group.index, "peer_rank"] = ranking.ranks(sign * group["value"])
        table.loc[group.index, "peer_low"], table.loc[group.index, "peer_high"] = low, high
        table.loc[group.index, "peer_size"] = len(group)
    return table


def _proportions(part: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "body": part["body"],
            "numerator": part["value"] * part["effective_n"],
            "denominator": part["effective_n"],
        }
    )


def _worded(table: pd.DataFrame, direction: str, least: int, book: Mapping[str, Any]) -> pd.DataFrame:
    keys, notes = [], []
    others = int(table["ranked"].sum()) - 1
    for row in table.itertuples():
        if row.n == 0:
            keys.append("none")
            notes.append(book["notes"]["no_cases"])
        elif not row.ranked:
            keys.append("small")
            notes.append(book["notes"]["below_minimum"].format(minimum=least))
        else:
            keys.append(_word(str(row.position) if row.flag else "inside", direction))
            apart = others > 0 and row.undistinguished == 0
            notes.append(
                book["notes"]["alone"] if apart else book["notes"]["tied"].format(count=row.undistinguished)
            )
    words = book["words"]
    table["word"] = [words[key]["text"] for key in keys]
    table["colour"] = [words[key]["colour"] for key in keys]
    table["note"] = notes
    return table


def _word(position: str, direction: str) -> str:
    if position == "inside":
        return "similar"
    above = position.startswith("above")
    if direction == "中性":
        return "higher" if above else "lower"
    return "improvement" if above == (direction == "高为好") else "concern"


def _peers(bodies: Iterable[Any], peers: Mapping[str, str] | None) -> list[str]:
    if peers is not None:
        lacking = [body for body in bodies if body not in peers]
        if lacking:
            raise RequestError("分组表里没有这个单位", value=lacking[0], hint="请为每个单位写明所属组")
        return [peers[body] for body in bodies]
    return [_region_peer(body) for body in bodies]


def _region_peer(code: object) -> str:
    """区, 县 and 市 of the same level are peers; what is no region is one group."""
    table = region_tables.load()
    if not isinstance(code, str) or code not in table:
        return "全部"
    region = table.get(code)
    if region.level != "县":
        return f"{region.level}级"
    last = region.name[-1]
    return f"{last if last in '区市' else '县'}组"


def _region_name(body: object) -> str:
    table = region_tables.load()
    return table.get(body).name if isinstance(body, str) and body in table else str(body)


def _variant(entry: Indicator, name: str | None) -> Variant:
    if not entry.variants:
        raise RequestError(f"“{entry.name}”没有可比较的口径", value=entry.id)
    if name is None:
        return entry.headline
    if name not in entry.variants:
        raise RequestError("没有这个口径", value=name, hint=f"可用：{'、'.join(entry.variants)}")
    return entry.variants[name]


def _counts(
    tables: Cases,
    entry: Indicator,
    variant: Variant,
    by: str,
    period: str | Period | None,
    region: str | None,
    as_of: str | dt.date | dt.datetime | None,
) -> pd.DataFrame:
    """Numerator and denominator a body, from the same margins as the indicator table."""
    from .indicators import indicators

    if entry.kind not in ("share", "clock"):
        raise RequestError(
            f"“{entry.name}”不是率，不能这样比较", value=entry.id, hint="可比较的是有分子、分母的指标"
        )
    column = _GROUPS.get(by, by)
    rows = indicators(tables, period, region, as_of, column, only=[entry.id], views=("本期",))
    rows = rows[(rows["variant"] == variant.id) & rows["part_of"].isna()]
    key = "region_code" if column in ("region", "city", "county") else "group"
    if rows.empty or rows["numerator"].isna().all():
        reason = rows["note"].dropna()
        raise MethodError(reason.iloc[0] if len(reason) else "所选期间没有数据", value=entry.id)
    frame = rows[rows[key].notna()]
    if key == "region_code":
        frame = _known_regions(frame)
    return pd.DataFrame(
        {
            "body": frame[key].astype(str),
            "numerator": frame["numerator"].fillna(0.0),
            "denominator": frame["denominator"].fillna(0.0),
        }
    ).reset_index(drop=True)


def _known_regions(frame: pd.DataFrame) -> pd.DataFrame:
    """Without codes that no region has, where the source uses codes at all: they are rejects, not places."""
    known = frame["region_code"].isin([region.code for region in region_tables.load().rows])
    return frame[known] if known.any() else frame
