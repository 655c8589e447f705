"""Comparing bodies (单位比较): value, funnel, rank interval and words from one frame, the same everywhere.

A rank never stands without n, its interval and the number of bodies it cannot be told apart from; a body below the
minimum n is listed, not ranked; an indicator that must not be ranked is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from .. import codebooks
from .. import regions as region_tables
from ..errors import MethodError, RequestError
from . import intervals, ranking
from .casemix import expected
from .funnel import Funnel, funnel
from .places import LEVELS
from .strata import clusters, strata

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
ADJUSTED = [
    "observed", "expected", "ratio", "ratio_low", "ratio_high", "ratio_lower", "ratio_upper", "adjusted", "adjusted_word",
]  # fmt: skip
"""Observed ÷ expected by case mix, its Byar limits, the outer funnel limits at that size, the adjusted value, the word."""
# Fewer cases in any month than this: a season fitted to the rate would be fitted to its noise.
_SEASONAL_CASES = 30
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
        Bodies that would lie outside the outer limits though nothing is the matter with them.
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
    **choices: Any,
) -> pd.DataFrame:
    """Compare bodies or regions by one indicator: the table of :func:`page`, which see for everything else.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS` (and :data:`ADJUSTED`), with ``attrs``: ``indicator``, ``variant``, ``definition``, ``phi``,
        ``tau2``, ``adjusted``, ``expected_false``, ``ranked``, ``listed``, ``minimum_n``, ``notes``.
    """
    return page(tables, indicator, by, period, as_of, **choices).table


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
    adjust: Sequence[str] = (),
    seed: int = 0,
) -> Comparison:
    """Compare bodies or regions by one indicator: everything one page shows.

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
    adjust
        Case-mix columns (``topic_1``, ``channel``, ``path``, ``body_level`` …): adds :data:`ADJUSTED`.

    Raises
    ------
    RequestError
        An unknown indicator or definition, one that must not be ranked, or one that is not a share.
    MethodError
        No body has a case in the period.
    """
    from . import registry

    entry = registry.indicator(indicator)
    if not entry.rankable:
        raise RequestError(
            f"“{entry.name}”不得用于排名或比较", value=indicator, hint="来访量、进京访等数量指标只作描述"
        )
    chosen = _variant(entry, variant)
    if isinstance(tables, pd.DataFrame):
        if adjust:
            raise RequestError("只有汇总表时不能按案件结构调整", hint="请给出案件表")
        frame = tables
    else:
        frame = _counts(tables, entry, chosen, by, period, region, as_of).drop(columns="period")
        sizes = clusters(
            tables, entry, chosen, _GROUPS.get(by, by), period=period, region=region, as_of=as_of
        )
        if sizes is not None:
            frame = frame.merge(sizes, on="body", how="left")
            frame["effective_n"] = frame["effective_n"].fillna(frame["denominator"])
    made = assess(frame, direction=entry.direction, minimum_n=entry.minimum_n or None, peers=peers, seed=seed)
    if adjust and not isinstance(tables, pd.DataFrame):
        adjusted = _adjusted(tables, entry, chosen, by, period, region, as_of, adjust, made.table)
        made = replace(made, table=adjusted)
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
    ranked_enough = (known["n"] >= least) & (known["n"] > 0)
    few = int(ranked_enough.sum()) < book["funnel"]["minimum_bodies"]
    # Bodies too small to rank say nothing about how much the others differ, so they do not count towards the adjustment.
    fit = funnel(used[["body", "numerator", "denominator"]], adjust=not few)
    limits = fit.table[["lower_inner", "upper_inner", "lower_outer", "upper_outer", "position", "flag"]]
    table = pd.concat([known.reset_index(drop=True), limits.reset_index(drop=True)], axis=1)
    table["low"], table["high"] = intervals.wilson(used["numerator"], used["denominator"])
    table["target"] = fit.target
    table["ranked"] = ranked_enough.to_numpy()
    table["peer"] = _peers(table["body"], peers)
    table = _ranked(table, direction, seed)
    table = _within_peers(table, direction, seed)
    table = _worded(table, direction, least, book)
    ranked = int(table["ranked"].sum())
    alone = int((table["n"] > 0).sum()) < 2
    notes = [
        *(
            [book["notes"]["unadjusted_few"].format(minimum=book["funnel"]["minimum_bodies"])]
            if few and not alone
            else []
        ),
        *([book["notes"]["one_body"]] if alone else []),
        book["notes"]["expected_false"].format(
            kind=book["notes"]["usual_spread" if fit.adjusted else "chance_only"],
            expected=f"{fit.expected_false:.2f}",
            bodies=fit.bodies,
        ),
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
            keys.append("empty")
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
    by: str | None,
    period: str | Period | Sequence[Period] | None,
    region: str | None,
    as_of: str | dt.date | dt.datetime | None,
) -> pd.DataFrame:
    """Numerator and denominator a body (and month), from the same margins as the indicator table."""
    from .indicators import indicators

    if entry.kind not in ("share", "clock"):
        raise RequestError(
            f"“{entry.name}”不是率，不能这样比较", value=entry.id, hint="可比较的是有分子、分母的指标"
        )
    column = None if by is None else _GROUPS.get(by, by)
    rows = indicators(tables, period, region, as_of, column, only=[entry.id], views=("本期",))
    rows = rows[(rows["variant"] == variant.id) & (rows["part_of"].fillna("") == "")]
    if rows.empty or rows["numerator"].isna().all():
        reason = rows["note"].dropna()
        raise MethodError(reason.iloc[0] if len(reason) else "所选期间没有数据", value=entry.id)
    if column is None:
        rows = rows.assign(body="all")
    elif column in LEVELS:
        rows = _known_regions(rows).assign(body=lambda frame: frame["region_code"])
    else:
        rows = rows.assign(body=rows["group"])
    rows = rows[rows["body"].notna() & (rows["body"] != "")]
    return pd.DataFrame(
        {
            "body": rows["body"].astype(str),
            "period": rows["period"],
            "numerator": rows["numerator"].fillna(0.0),
            "denominator": rows["denominator"].fillna(0.0),
        }
    ).reset_index(drop=True)


def _known_regions(frame: pd.DataFrame) -> pd.DataFrame:
    """Without codes that no region has, where the source uses codes at all: they are rejects, not places."""
    known = frame["region_code"].isin([region.code for region in region_tables.load().rows])
    return frame[known] if known.any() else frame


def _adjusted(
    tables: Cases,
    entry: Indicator,
    variant: Variant,
    by: str,
    period: str | Period | None,
    region: str | None,
    as_of: str | dt.date | dt.datetime | None,
    factors: Sequence[str],
    table: pd.DataFrame,
) -> pd.DataFrame:
    """The table with observed ÷ expected, on the rarer outcome, and its own overdispersed funnel."""
    cells = strata(
        tables, entry, variant, _GROUPS.get(by, by), factors, period=period, region=region, as_of=as_of
    )
    cells = cells[cells["body"].isin(table["body"])]
    complement = cells["numerator"].sum() * 2 > cells["denominator"].sum()
    made = expected(cells, factors, complement=bool(complement))
    fit = funnel(made.rename(columns={"observed": "numerator", "expected": "denominator"}), kind="cqc").table
    bad_when_high = complement == (entry.direction == "高为好")
    words = codebooks.load("comparison")["words"]
    word = [
        words[_word(str(position) if flag else "inside", "低为好" if bad_when_high else "高为好")]["text"]
        for position, flag in zip(fit["position"], fit["flag"], strict=True)
    ]
    made = made.assign(
        ratio_low=made["low"], ratio_high=made["high"],
        ratio_lower=fit["lower_outer"].to_numpy(), ratio_upper=fit["upper_outer"].to_numpy(), adjusted_word=word,
    )  # fmt: skip
    joined = table.merge(made[["body", *ADJUSTED]], on="body", how="left")
    joined.loc[~joined["ranked"], "adjusted_word"] = words["small"]["text"]
    joined.attrs = table.attrs | {"adjusted_for": list(factors), "complement": bool(complement)}
    return joined


def history(
    tables: Cases,
    indicator: str,
    by: str | None = None,
    *,
    region: str | None = None,
    variant: str | None = None,
    until: str | Period | None = None,
    months: int = 36,
    as_of: str | dt.date | dt.datetime | None = None,
    target: float | None = None,
    rebase: Sequence[str] = (),
) -> pd.DataFrame:
    """Monthly control charts of an indicator, one a body (or one for all), season and calendar taken out where possible.

    Parameters
    ----------
    until, months
        The last month and how many; the last whole month of the data without it.
    target, rebase
        As for :func:`.spc.xmr`; a change of definition is a rebase.

    Returns
    -------
    DataFrame
        ``body`` (``all`` without ``by``) and the columns of :func:`.spc.history`; ``value`` is adjusted where ``adjusted`` is
        true and ``raw`` is the figure as counted. A body is adjusted with three full years of months of at least 30 cases.

    Raises
    ------
    RequestError, MethodError
        As for :func:`compare`.
    """
    from . import registry, spc

    entry = registry.indicator(indicator)
    chosen = _variant(entry, variant)
    last = _last_month(tables, until)
    spans = [last.shift(-step) for step in range(months - 1, -1, -1)]
    frame = _counts(tables, entry, chosen, by, spans, region, as_of)
    improvement = {"高为好": "up", "低为好": "down"}.get(entry.direction, "neutral")
    charts = []
    for body, series in frame.groupby("body", sort=True):
        ready, adjusted = _seasonless(series)
        chart = spc.history(ready, improvement=improvement, target=target, rebase=rebase)
        charts.append(chart.assign(body=body, adjusted=adjusted))
    return pd.concat(charts, ignore_index=True)


def _seasonless(series: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    from . import season

    raw = series["numerator"] / series["denominator"].where(series["denominator"] > 0)
    series = series.assign(raw=raw)
    try:
        made = season.adjust(series.assign(value=raw), log=False)
    except MethodError:  # too short or with gaps: the chart says that it is unadjusted
        return series, False
    if series["denominator"].min() < _SEASONAL_CASES:
        return series, False
    value = made["adjusted"].clip(0, 1)
    return made.drop(columns=["value", "trend"]).assign(numerator=value * made["denominator"]), True


def _last_month(tables: Cases, until: str | Period | None) -> Period:
    from ..periods import Period

    if until is not None:
        return until if isinstance(until, Period) else Period.parse(until)
    _, end = tables.extent
    if end is None:
        raise MethodError("数据里没有日期，画不出历史")
    month = Period.containing(end, "month")
    return month if month.end == end else month.previous
