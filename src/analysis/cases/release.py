"""What the briefs of a province may show (发布范围): one decision a cell, the same in the county's, the city's and the province's.

The cell is an indicator's count in one place and one month. A longer period, a change or a share is shown where every cell
that it can be worked out from is shown, so that no difference of two prints, in one brief or in two of different months,
tells more than the months do. Counties are judged in the table of their city (:mod:`.siblings`), the province after its
cities; nothing depends on who asks. The rule is told in ``docs/disclosure.md``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import codebooks, regions
from ..errors import MethodError
from ..periods import Period
from . import emerging, registry
from .collect import margins
from .disclosure import Profile
from .load import Cases, moment
from .margins import COLUMNS
from .names import stack
from .places import Places
from .registry import Indicator, Variant
from .siblings import Hidden, conceal, crown
from .suppression import Array, Flags, System, audit

if TYPE_CHECKING:
    import pandas as pd

Terms = tuple[tuple[int, str, str], ...]
"""Signs, keys of margins, and which of their two sums (hit: numerator, of: denominator)."""
YEAR = 12
REST = "其余"
TOPICS = "matters.finest"
"""The split of matters by the finest topics; it is no indicator, and no coarser split of matters is printed beside it."""


@dataclass(frozen=True)
class Table:
    """A split of a total (表): the parts' names and, for each and the total, the sums of margins that make it.

    Attributes
    ----------
    id
        Such as ``pieces.channel``.
    total
        Terms of the total: sign, key of the margin, and which of its two sums; none: the parts' sum.
    parts
        Part → its terms.
    rolling
        Whether it is shown over twelve months below the province.
    """

    id: str
    total: Terms
    parts: Mapping[str, Terms]
    rolling: bool = False


@dataclass(frozen=True)
class Need:
    """What must be known for a number to be shown: a table's total, and sums of its parts."""

    table: Table
    sums: tuple[frozenset[str], ...] = ()


class Release:
    """The decisions about one source under one profile.

    Parameters
    ----------
    tables
        The source; of a county's brief its city suffices, of the province's all of it.
    profile
        A profile's name.
    as_of
        The snapshot.
    """

    def __init__(self, tables: Cases, profile: str, as_of: str | dt.datetime | None = None) -> None:
        self.profile = Profile.named(profile)
        self._book = codebooks.load("disclosure")
        self._now = moment(as_of, tables)
        self._source = tables
        self._below: dict[str, list[str]] = {}
        self._tables: dict[tuple[str, str], tuple[Need, ...]] = {}
        self._values: dict[tuple[str, str], Array] = {}
        self._decided: dict[tuple[str, str, int], tuple[Array, Hidden]] = {}
        self._crowned: dict[tuple[str, str, int], list[tuple[Array, Hidden]]] = {}

    # --- asking ----------------------------------------------------------------------------------------------------

    def shows(self, rows: pd.DataFrame) -> list[bool]:
        """Which rows of an indicator table may be shown: columns indicator, variant, part_of, view, region_code, period,
        numerator, denominator.

        A row of 同比 and 环比 holds its base, so its own cells and those of the base must be shown.
        """
        return [
            self._shows({str(key): value for key, value in row.items()}) for row in rows.to_dict("records")
        ]

    def rolling(self, indicator: str, variant: str, region: str) -> bool:
        """Whether the split is shown over twelve months in this place."""
        split = registry.indicator(indicator).variants[variant].split
        return split in self._book["rolling"] and self._level(region) != "top"

    def shows_year(self, indicator: str, variant: str, part: str, region: str, last: dt.date) -> bool:
        """Whether a part of a split may be shown over the twelve months that end with the month of ``last``."""
        needs = self._needs(registry.indicator(indicator), variant, part)
        month = self._month(last)
        return all(self._known(need, region, [month]) for need in needs)

    def shows_topic(self, topic: str, region: str, months: Sequence[Period]) -> bool:
        """Whether a topic's matters (:func:`.emerging.counts`) of some months may be shown: those of each, or below the province
        those of the year that they are.
        """
        # In order of their names, so that a city's own data give the table that the province's give.
        parts = {name: ((1, f"{TOPICS}/{name}", "hit"),) for name in sorted(self._margins.terms(TOPICS))}
        need = Need(Table(TOPICS, (), parts, rolling=True), (frozenset({topic}),))
        below = self._level(region) != "top"
        return all(
            self._known(need, region, [self._month(one.end)]) for one in (months[-1:] if below else months)
        )

    def _shows(self, row: Mapping[str, Any]) -> bool:
        one = registry.indicator(row["indicator"])
        if about(one) == "office":
            return True
        part = row["part_of"] if isinstance(row["part_of"], str) else ""
        needs = self._needs(one, str(row["variant"]), part)
        if not self._covers(needs) or row["region_code"] not in regions.load():
            return self._by_itself(one, row)
        if one.kind == "duration" and not self._enough(row):
            return False
        region = str(row["region_code"])
        if any(need.table.rolling for need in needs) and self._level(region) != "top":
            return False  # of a month; over twelve they are asked for by themselves
        months = self._months(Period.parse(str(row["period"])), str(row["view"]), one.kind)
        return all(self._known(need, region, months) for need in needs)

    def _enough(self, row: Mapping[str, Any]) -> bool:
        """A median or a share done of a handful is one case's time."""
        least = self.profile.minimum_for_quantile
        return all(not _number(row[side]) or row[side] >= least for side in ("numerator", "denominator"))

    def _by_itself(self, one: Indicator, row: Mapping[str, Any]) -> bool:
        """Figures that came as aggregates, without margins: by their own size."""
        top, bottom = (
            float(row[side]) if _number(row[side]) else -1.0 for side in ("numerator", "denominator")
        )
        counts = [bottom] if about(one) == "clock" else [top, bottom, bottom - top if bottom >= 0 else -1.0]
        return not self.profile.is_small(counts).any()

    def _known(self, need: Need, region: str, months: Iterable[int]) -> bool:
        for month in months:
            hidden = self._row(need.table, region, month)
            if hidden[-1]:
                return False
            names = list(need.table.parts)
            closed = {name for name, shut in zip(names, hidden, strict=False) if shut}
            for parts in need.sums:
                # A sum is known from its own parts, or from the total less all the others.
                if closed & parts and closed - parts:
                    return False
        return True

    # --- deciding --------------------------------------------------------------------------------------------------

    def _row(self, table: Table, region: str, month: int) -> Flags:
        """What is not shown of a place's row: parts, last the total."""
        level = self._level(region)
        if level == "top":
            return self._top(table, region, month)
        middle = region if level == "middle" else str(regions.load().get(region).parent)
        values, decided = self._siblings(table, middle, month)
        place = -1 if level == "middle" else self._children(middle).index(region)
        return decided.cells[place]

    def _siblings(self, table: Table, middle: str, month: int) -> tuple[Array, Hidden]:
        key = (table.id, middle, month)
        if key not in self._decided:
            values = self._cells(table, [*self._children(middle), middle], month)
            unseen = np.array([name == REST for name in table.parts], dtype=bool)
            self._decided[key] = (
                values,
                conceal(values, self.profile.is_small, self.profile.threshold, unseen),
            )
        return self._decided[key]

    def _top(self, table: Table, top: str, month: int) -> Flags:
        key = (table.id, top, month)
        if key not in self._crowned:
            unseen = np.array([name == REST for name in table.parts], dtype=bool)
            small, threshold = self.profile.is_small, self.profile.threshold
            cities = self._children(top)
            below = [self._siblings(table, city, month) for city in cities]
            values = self._cells(table, [*cities, top], month)
            blocks = [(values, crown(values, below, small, threshold, unseen))]
            if table.rolling:  # its months are shown, and the year that they add up to is not more than they
                own = self._cells(table, [top], month, rolling=False)
                blocks.append((own, crown(own, [], small, threshold, unseen)))
            self._crowned[key] = blocks
        made: Flags = np.any([decided.cells[-1] for _, decided in self._crowned[key]], axis=0)
        return made

    def _cells(self, table: Table, codes: Sequence[str], month: int, *, rolling: bool = True) -> Array:
        """Counts of some places in a month (or the year that ends with it): columns the parts, last the total."""
        rows = []
        for code in codes:
            series = self._series(table, code)
            first = month - YEAR + 1 if table.rolling and rolling else month
            here = series[:, max(first, 0) : max(month + 1, 0)]
            rows.append(here.sum(axis=1))
        return np.maximum(np.array(rows), 0.0)

    def _series(self, table: Table, code: str) -> Array:
        """Parts and total of a place, month by month."""
        key = (table.id, code)
        if key not in self._values:
            within = self._margins.within(code)
            parts = [self._sum(terms, within) for terms in table.parts.values()]
            nothing = np.zeros(self._margins.width)
            total = self._sum(table.total, within) if table.total else sum(parts, nothing)
            self._values[key] = np.array([*parts, total])
        return self._values[key]

    def _sum(self, terms: Iterable[tuple[int, str, str]], within: Flags) -> Array:
        made = np.zeros(self._margins.width)
        for sign, key, side in terms:
            made = made + sign * self._margins.of(key, side, within)
        return made

    # --- what a number needs ---------------------------------------------------------------------------------------

    def _needs(self, one: Indicator, variant: str, part: str) -> tuple[Need, ...]:
        key = (f"{one.id}.{variant}", part)
        if key not in self._tables:
            self._tables[key] = tuple(self._made(one, one.variants[variant], part))
        return self._tables[key]

    def _made(self, one: Indicator, variant: Variant, part: str) -> Iterable[Need]:
        id = f"{one.id}.{variant.id}"
        if one.kind in ("rate", "ratio"):
            for role in ("of", "top", "bottom"):
                if role in one.options:
                    other = registry.indicator(one.options[role])
                    yield from self._needs(other, next(iter(other.variants)), "")
            return
        if one.kind == "duration":
            yield from self._needs(registry.indicator("matters"), "headline", "")
            return
        if id in self._book["parts"] and not part:
            table, name = self._book["parts"][id].split("/")
            of, split = table.split(".")
            yield from self._needs(registry.indicator(of), split, name)
            return
        for name, spec in self._book["tables"].items():
            if id in spec["shows"]:
                sums = tuple(frozenset(parts) for parts in spec["shows"][id])
                yield Need(_joint(name, spec), sums)
                return
        if variant.total and variant.id != "headline" and not part:
            # The persons of a few groups tell about each of them.
            yield from self._needs(one, one.headline.id, "")
        yield self._own(one, variant, part)

    def _own(self, one: Indicator, variant: Variant, part: str) -> Need:
        """An indicator's own table: its split, its numerator and the rest, or a count alone."""
        id, headline = f"{one.id}.{variant.id}", f"{one.id}.headline"
        if one.kind == "clock":
            return Need(Table(id, ((1, f"{id}/", "of"),), {}))
        if one.kind == "share":
            total, hit = ((1, f"{id}/", "of"),), ((1, f"{id}/", "hit"),)
            if not part or not self._margins.terms(id):
                rest = ((1, f"{id}/", "of"), (-1, f"{id}/", "hit"))
                return Need(Table(id, total, {"hit": hit, "rest": rest}), (frozenset({"hit"}),))
            parts = {name: ((1, f"{id}/{name}", "hit"),) for name in self._margins.terms(id)}
            first = next(iter(parts))
            return Need(
                self._with_rest(Table(id, ((1, f"{id}/{first}", "of"),), parts)), (frozenset({part}),)
            )
        if part:
            parts = {name: ((1, f"{id}/{name}", "hit"),) for name in self._margins.terms(id)}
            whole: Terms = () if variant.id == "headline" else ((1, f"{headline}/", "hit"),)
            rolling = variant.split in self._book["rolling"]
            return Need(self._with_rest(Table(id, whole, parts, rolling)), (frozenset({part}),))
        if variant.id == "headline" or variant.total:
            return Need(Table(id, ((1, f"{id}/", "hit"),), {}))
        counted = ((1, f"{id}/", "hit"),)
        rest = ((1, f"{headline}/", "hit"), (-1, f"{id}/", "hit"))
        return Need(
            Table(id, ((1, f"{headline}/", "hit"),), {"hit": counted, "rest": rest}), (frozenset({"hit"}),)
        )

    @staticmethod
    def _with_rest(table: Table) -> Table:
        """With the part that a split does not name (未填), which is never shown."""
        if not table.total or not table.parts:
            return table
        taken = tuple((-sign, key, side) for terms in table.parts.values() for sign, key, side in terms)
        return Table(table.id, table.total, {**table.parts, REST: (*table.total, *taken)}, table.rolling)

    # --- places and months -----------------------------------------------------------------------------------------

    def _level(self, region: str) -> str:
        book = regions.load()
        parent = book.get(region).parent
        if parent is None:
            return "top"
        return "middle" if book.get(parent).parent is None else "lower"

    def _children(self, region: str) -> list[str]:
        if region not in self._below:
            self._below[region] = [child.code for child in regions.load().children(region)]
        return self._below[region]

    def _covers(self, needs: Sequence[Need]) -> bool:
        return all(
            self._margins.has(key)
            for need in needs
            for terms in (need.table.total, *need.table.parts.values())
            for _, key, _ in terms
        )

    def _month(self, day: dt.date) -> int:
        return day.year * 12 + day.month - 1 - self._margins.first

    def _months(self, period: Period, view: str, kind: str) -> list[int]:
        """The months whose cells a row of this view tells about."""
        spans = [(period.start, period.end)]
        if view == "本年累计":
            spans = [period.year_to_date]
        elif view in ("同比", "环比"):
            base = period.last_year if view == "同比" else period.previous
            spans.append((base.start, base.end))
        levels = kind in ("level", "ages")
        return [
            month
            for start, end in spans
            for month in range(self._month(end if levels else start), self._month(end) + 1)
        ]

    @cached_property
    def _margins(self) -> _Margins:
        table = margins(self._source, list(registry.indicators().values()), self._now).table
        return _Margins(stack([table, _by_topic(self._source, self._now)], COLUMNS), self._now)

    # --- the proof -------------------------------------------------------------------------------------------------

    def certificate(self) -> dict[str, Any]:
        """The audit of every table that was asked about so far, months and earlier periods included.

        Raises
        ------
        MethodError
            A small cell can be worked out: nothing may be published.
        """
        blocks = _Blocks(self.profile)
        for values, decided in self._decided.values():
            # Counties in the tables of their city: judged in the city's brief and in theirs, not again in the province's.
            if len(values) > 1 and not self._crowned:
                blocks.add(values, decided, top=False)
        for values, decided in chain.from_iterable(self._crowned.values()):
            blocks.add(values, decided, top=True)
        made = blocks.certificate(str(self._book["version"]))
        if made["failed"]:
            raise MethodError(
                f"披露审计未通过：有 {made['failed']} 个单元格可被推出，不得公开",
                hint="请合并分组、延长期间，或改用更粗的表",
            )
        return made


def _by_topic(tables: Cases, now: dt.datetime) -> pd.DataFrame:
    """Matters by the finest topics, as rows of a margin; none where a source has no topics."""
    import pandas as pd

    if not tables.has("matters.topic_1"):
        return pd.DataFrame()
    indicator, variant = TOPICS.split(".")
    frame = emerging.counts(tables, now).rename(columns={"topic": "part_of", "n": "numerator"})
    return frame.assign(indicator=indicator, variant=variant, group="", mode="sum", denominator=np.nan)


class _Margins:
    """The margins as dense sums: key × place × month."""

    def __init__(self, table: pd.DataFrame, now: dt.datetime) -> None:
        import pandas as pd

        dated = table[table["month"].notna()]
        month = pd.to_datetime(dated["month"])
        number = (month.dt.year * 12 + month.dt.month - 1).to_numpy()
        self.first = int(number.min()) if len(number) else now.year * 12
        last = max(int(number.max()), now.year * 12 + now.month - 1) if len(number) else self.first
        self.width = last - self.first + 1
        names = ["indicator", "variant", "part_of", "mode"]
        keys = dated.groupby(names, sort=False, dropna=False, observed=True).ngroup().to_numpy()
        labels = dated[names].assign(number=keys).drop_duplicates("number").sort_values("number")
        places, self.codes = pd.factorize(dated["region"].astype(object).fillna(""), sort=True)
        self._place = np.array([str(code) for code in self.codes])
        self._keys: dict[str, int] = {}
        self._terms: dict[str, list[str]] = {}
        self._levels = labels["mode"].to_numpy() == "level"
        for row in labels.to_dict("records"):
            id, part = f"{row['indicator']}.{row['variant']}", str(row["part_of"] or "")
            self._keys[f"{id}/{part}"] = int(row["number"])
            if part:
                self._terms.setdefault(id, []).append(part)
        shape = (len(labels), len(self.codes), self.width)
        flat = (keys * shape[1] + places) * shape[2] + (number - self.first)
        size = int(np.prod(shape))
        self._sides = {
            side: np.bincount(
                flat, weights=np.nan_to_num(dated[column].to_numpy(float)), minlength=size
            ).reshape(shape)
            for side, column in (("hit", "numerator"), ("of", "denominator"))
        }

    def has(self, key: str) -> bool:
        return key in self._keys

    def terms(self, id: str) -> list[str]:
        """The parts of a split that occur."""
        return self._terms.get(id, [])

    def within(self, code: str) -> Flags:
        """The places that a region holds."""
        prefix = Places(code).prefix()
        return np.asarray(np.char.startswith(self._place, prefix if prefix is not None else code), dtype=bool)

    def of(self, key: str, side: str, within: Flags) -> Array:
        number = self._keys[key]
        series = self._sides[side][number][within].sum(axis=0)
        return np.asarray(series.cumsum() if self._levels[number] else series)


class _Blocks:
    """Many small tables side by side, audited as one system."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.tables: list[tuple[Array, Hidden, bool]] = []
        self.asked = self.cells = 0

    def add(self, values: Array, decided: Hidden, *, top: bool) -> None:
        self.asked += 1
        self.cells += values.size
        if decided.cells.any():
            self.tables.append((values, decided, top))

    def certificate(self, version: str) -> dict[str, Any]:
        import hashlib

        primary = secondary = above = 0
        made: dict[str, Any] = {
            "profile": self.profile.id, "profile_version": version, "scope": "siblings", "tables": self.asked,
            "cells": self.cells,
        }  # fmt: skip
        for values, decided, top in self.tables:
            marked = self.profile.is_small(values)
            counted = decided.cells & ~_aside(values, decided, top)
            primary += int((counted & marked).sum())
            secondary += int((counted & ~marked).sum())
            above += 0 if top else int(decided.cells[-1].sum())
        audited = programmes = failed = 0
        if self.tables:
            system, hidden = self._system()
            found = audit(system, hidden, self._proofs(), ends=False)
            # A cell that is withheld beside a small one and can be worked out is no secret; only the small ones count.
            small = system.small[found.cells]
            audited, programmes = int(small.sum()), found.programmes
            failed = int((small & ~found.protected).sum())
        digest = hashlib.sha256()
        for values, decided, _ in self.tables:
            digest.update(np.where(decided.cells, -1, values).tobytes())
        return {
            **made,
            "primary": primary,
            "secondary": secondary,
            "withheld_by_parent": above,
            "method": "swap",
            "audited": audited,
            "programmes": programmes,
            "failed": failed,
            "passed": failed == 0,
            "cells_sha256": digest.hexdigest(),
        }

    def _system(self) -> tuple[System, Flags]:
        from scipy import sparse

        values = np.concatenate([table.ravel() for table, _, _ in self.tables])
        hidden = np.concatenate([decided.cells.ravel() for _, decided, _ in self.tables])
        small = self.profile.is_small(values) & hidden
        # What a parent withholds is protected one level up, and what a split does not name is nobody's: only unknown here.
        aside = np.concatenate([_aside(*table).ravel() for table in self.tables])
        shapes = {shape: _equations(shape).tocoo() for shape in {table.shape for table, _, _ in self.tables}}
        lines, places, signs, line, place = [], [], [], 0, 0
        for table, _, _ in self.tables:
            block = shapes[table.shape]
            lines.append(block.row + line)
            places.append(block.col + place)
            signs.append(block.data)
            line, place = line + block.shape[0], place + block.shape[1]
        equations = sparse.csr_matrix(
            (np.concatenate(signs), (np.concatenate(lines), np.concatenate(places))), shape=(line, place)
        )
        system = System(
            values=values,
            equations=equations,
            small=small & ~aside,
            withheld=hidden,
            hidden=hidden & aside,
            fixed=~hidden,
            low=values,
            high=values,
            cost=values + 1,
            need=(0.0, float(self.profile.threshold)),
            width=float(self.profile.threshold),
        )
        return system, hidden

    def _proofs(self) -> list[tuple[Any, Array]]:
        """One proof of each table at a time, side by side: tables that share no equation can all be other than they are."""
        most = max((len(decided.proofs) for _, decided, _ in self.tables), default=0)
        starts = np.cumsum([0, *(table.size for table, _, _ in self.tables)])
        made = []
        for turn in range(most):
            pairs = [
                (decided.proofs[turn][0] + start, decided.proofs[turn][1])
                for (_, decided, _), start in zip(self.tables, starts, strict=False)
                if turn < len(decided.proofs)
            ]
            made.append((np.concatenate([at for at, _ in pairs]), np.concatenate([by for _, by in pairs])))
        return made


def _aside(values: Array, decided: Hidden, top: bool) -> Flags:
    """Cells that this table is not to protect."""
    aside = np.zeros(values.shape, dtype=bool)
    if not top:
        aside[-1] = True
    if decided.unseen is not None:
        aside |= decided.unseen
    return aside


def _equations(shape: tuple[int, ...]) -> Any:
    """Total less parts of each row, parent less siblings of each column."""
    from scipy import sparse

    rows, columns = shape
    made = []
    if columns > 1:
        across = np.concatenate([np.full(columns - 1, -1.0), [1.0]])
        made.append(sparse.kron(sparse.identity(rows), across[None, :]))
    if rows > 1:
        down = np.concatenate([np.full(rows - 1, -1.0), [1.0]])
        made.append(sparse.kron(down[None, :], sparse.identity(columns)))
    return sparse.vstack(made) if made else sparse.csr_matrix((0, rows * columns))


def _joint(name: str, spec: Mapping[str, Any]) -> Table:
    def terms(texts: Iterable[str]) -> Terms:
        made: list[tuple[int, str, str]] = []
        for text in texts:
            sign = -1 if text.startswith("-") else 1
            id, side = text.lstrip("+-").split("/")
            made += (
                [(sign, f"{id}/", "of"), (-sign, f"{id}/", "hit")]
                if side == "rest"
                else [(sign, f"{id}/", side)]
            )
        return tuple(made)

    return Table(name, terms([spec["total"]]), {part: terms(texts) for part, texts in spec["parts"].items()})


def about(one: Indicator) -> str:
    """What small counts of an indicator would tell about: people, an office's time (clock), or an office's acts."""
    if one.kind in ("clock",):
        return "clock"
    if one.kind in ("rate", "ratio"):
        return "people"
    return "people" if one.table in ("petitions", "matters") else "office"


def _number(value: Any) -> bool:
    return value is not None and value == value and str(value) != "<NA>"
