"""The indicator registry (指标目录): each indicator and its definitions, side by side, as data in ``indicators.yml``."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import codebooks
from ..errors import CodebookError, RequestError
from . import schema
from .deadlines import clock, clocks
from .expression import parse

KINDS = ("count", "share", "clock", "level", "ages", "duration", "duty", "rate", "ratio", "topics", "missing")
DERIVED = {"matters": ("closed_at", "repeated_piece")}
"""Columns that :mod:`.margins` makes out of others, by table."""
DIRECTIONS = ("高为好", "低为好", "中性")
HEADLINE = "主口径"


@dataclass(frozen=True)
class Variant:
    """One definition of an indicator (口径).

    Attributes
    ----------
    numerator, denominator
        Conditions (share), or lists of states (clock); ``total`` and ``out_of`` name columns to add up instead.
    when
        The date column that puts a row into a period.
    split
        A column whose terms each make a row of their own.
    basis, fallen, day_rule
        Of a clock: the date that puts a matter into a period (``due``, ``closed`` or ``started``), whether only what has
        fallen due counts, and the day rule.
    times
        A second share (``numerator``, ``denominator``) that the first is multiplied by.
    table, unit
        Where they differ from the indicator's.
    """

    id: str
    name: str
    numerator: Any = None
    denominator: Any = None
    total: str | None = None
    out_of: str | None = None
    when: str | None = None
    split: str | None = None
    basis: str | None = None
    fallen: bool = False
    day_rule: str | None = None
    times: Mapping[str, str] | None = None
    table: str | None = None
    unit: str | None = None
    source: str | None = None
    jurisdiction: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


@dataclass(frozen=True)
class Indicator:
    """One indicator (指标).

    Attributes
    ----------
    name, part, actor
        中文名; 总量 or one of the five parts; 信访部门 or 责任单位.
    kind
        How it is computed, one of :data:`KINDS`.
    unit, direction
        件, 率, 天 …; whether high is good.
    rankable
        False refuses any ranking of places or bodies.
    minimum_n
        Below it a value is listed, not compared.
    beside
        Indicators without which it may not stand.
    variants
        The headline first.
    needs
        ``table.column`` names it cannot do without.
    """

    id: str
    name: str
    part: str
    kind: str
    unit: str
    direction: str
    rankable: bool
    minimum_n: int
    actor: str | None
    article: str | None
    table: str | None
    clock: str | None
    definition: str | None
    definition_source: str | None
    disclosure: str
    jurisdiction: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    version: str
    beside: tuple[str, ...]
    variants: Mapping[str, Variant] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def headline(self) -> Variant:
        """The definition that is printed first."""
        return next(iter(self.variants.values()))


@functools.lru_cache(maxsize=1)
def indicators() -> Mapping[str, Indicator]:
    """All indicators in the order of a brief.

    Raises
    ------
    CodebookError
        An entry names a table, column, clock, kind or condition that we do not have.
    """
    book = codebooks.load("indicators")
    return {
        id: _indicator(id, entry, book["definitions"], str(book["version"]))
        for id, entry in book["indicators"].items()
    }


def indicator(id: str) -> Indicator:
    """One indicator."""
    try:
        return indicators()[id]
    except KeyError:
        raise RequestError("没有这个指标", value=id, hint=f"可用：{'、'.join(indicators())}") from None


_FIELDS = {
    "name", "part", "kind", "unit", "direction", "rankable", "minimum_n", "actor", "article", "table", "clock",
    "definition", "source", "disclosure", "jurisdiction", "valid_from", "valid_to", "version", "beside", "variants",
    "options",
}  # fmt: skip
_VARIANT_FIELDS = set(Variant.__dataclass_fields__) - {"id"}


def _indicator(id: str, entry: dict[str, Any], definitions: dict[str, Any], version: str) -> Indicator:
    unknown = set(entry) - _FIELDS - _VARIANT_FIELDS
    if unknown or entry.get("kind") not in KINDS or entry.get("direction") not in DIRECTIONS:
        raise CodebookError("指标条目不对", file="indicators.yml", value=f"{id}: {sorted(unknown) or entry}")
    shared = {key: entry[key] for key in entry if key in _VARIANT_FIELDS - {"name", "source"}}
    for key in ("jurisdiction", "valid_from", "valid_to"):
        shared.pop(key, None)  # of the indicator; a variant states its own
    spec: dict[str, dict[str, Any]] = {}
    if entry["kind"] == "clock":
        spec = {key: dict(value) for key, value in definitions.items()}
        rules = set(codebooks.load("deadlines")["day_rules"]) - {clock(entry["clock"]).day_rule}
        names = codebooks.load("deadlines")["day_rules"]
        spec |= {
            f"due_{rule}": {**spec["due"], "day_rule": rule, "name": names[rule]} for rule in sorted(rules)
        }
    elif not entry.get("options", {}).get("no_headline"):
        spec["headline"] = {"name": HEADLINE, "source": entry.get("source")}
    for key, value in (entry.get("variants") or {}).items():
        spec[key] = {"name": key, **value}
    variants = {key: Variant(id=key, **{**shared, **value}) for key, value in spec.items()}
    made = Indicator(
        id=id, name=entry["name"], part=entry["part"], kind=entry["kind"], unit=entry["unit"],
        direction=entry["direction"], rankable=bool(entry.get("rankable", True)),
        minimum_n=int(entry.get("minimum_n", 0)), actor=entry.get("actor"), article=entry.get("article"),
        table=entry.get("table"), clock=entry.get("clock"), definition=entry.get("definition"),
        definition_source=entry.get("source"), disclosure=entry.get("disclosure", "strict_suppress"),
        jurisdiction=str(entry.get("jurisdiction", "全国")), valid_from=entry.get("valid_from"),
        valid_to=entry.get("valid_to"), version=str(entry.get("version", version)),
        beside=tuple(entry.get("beside", ())), variants=variants, options=entry.get("options") or {},
    )  # fmt: skip
    _check_columns(made)
    return made


def _check_columns(made: Indicator) -> None:
    if made.kind == "clock" and made.clock not in clocks():
        raise CodebookError("指标用了不存在的期限", file="indicators.yml", value=f"{made.id}: {made.clock}")
    for variant in made.variants.values():
        if made.kind not in ("count", "share"):
            continue
        if variant.table is None or variant.when is None:
            raise CodebookError(
                "指标缺少 table 或 when", file="indicators.yml", value=f"{made.id}.{variant.id}"
            )
        have = {*schema.table(variant.table).columns, *DERIVED.get(variant.table, ())}
        for column in needs(variant):
            if column not in have:
                raise CodebookError(
                    "指标用了不存在的字段", file="indicators.yml", value=f"{made.id}: {column}"
                )


def needs(variant: Variant) -> tuple[str, ...]:
    """The columns of its table that a count or share reads."""
    parts = (variant.numerator, variant.denominator, *(variant.times or {}).values())
    conditions = [part for part in parts if isinstance(part, str)]
    named = [part for part in (variant.when, variant.split, variant.total, variant.out_of) if part]
    return tuple(dict.fromkeys([*named, *_columns(conditions)]))


def _columns(conditions: Iterable[str]) -> Iterable[str]:
    return (column for condition in conditions for column in parse(condition).columns)
