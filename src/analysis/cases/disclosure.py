"""Disclosure control (披露控制): what may leave the office, table by table and release by release.

Profiles are data (``codebooks/disclosure.yml``). Tables linked by region levels, topics, months and earlier releases are
protected together (:mod:`.suppression`); charts, rates, ranks, medians and survival steps pass the same gate. How the
gate works and what it promises is told in ``docs/disclosure.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import codebooks
from .. import regions as region_tables
from ..errors import MethodError, RequestError
from .suppression import Flags, Ranges, Suppression, System, audit, suppress

TOTAL = "合计"
Tree = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Profile:
    """A named set of rules (披露档); the fields are those of ``disclosure.yml``."""

    id: str
    name: str
    threshold: int
    zero_is_small: bool
    small: str
    round_to: int | None
    secondary: bool
    protection: str
    width: float
    minimum_for_quantile: int
    minimum_per_step: int
    top_exempt: bool = False
    dominance: Mapping[str, float] | None = None

    @classmethod
    def named(cls, name: str | None = None) -> Profile:
        """The profile of that name; the codebook's default without one.

        Raises
        ------
        RequestError
            No such profile.
        """
        book = codebooks.load("disclosure")
        key = name or book["default"]
        if key not in book["profiles"]:
            raise RequestError("没有这个披露档", value=name, hint=f"可用：{'、'.join(book['profiles'])}")
        return cls(id=key, **book["profiles"][key])

    def is_small(self, values: Any) -> Any:
        """Which counts must not be shown as they are."""
        count = np.asarray(values, float)
        return (count <= self.threshold) & ((count >= 0) if self.zero_is_small else (count > 0))


@dataclass(frozen=True)
class Protected:
    """Protected tables.

    Attributes
    ----------
    cells
        One row a cell, totals included: the keys, ``state`` (公开, 一次抑制, 二次抑制, 取整, 不公开, 此前已公开) and
        ``shown`` (text as printed; missing when hidden). The true value is not among the columns.
    keys
        Names of the key columns.
    ranges
        The audit: the keys, ``low``, ``high``, ``protected``, ``exact`` for every small or suppressed cell. Where it is not
        exact the range is at least as wide.
    certificate
        What goes into the manifest: profile, version, counts, method, audit, hash of the cells.
    """

    cells: pd.DataFrame
    keys: tuple[str, ...]
    ranges: pd.DataFrame
    certificate: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether the audit found every cell protected."""
        return bool(self.certificate["passed"])

    def published(self) -> pd.DataFrame:
        """The cells to print: keys, ``shown``, ``state``; hidden ones left out.

        Raises
        ------
        MethodError
            The audit failed: nothing may be released.
        """
        self._require()
        return self.cells[self.cells["shown"].notna()].reset_index(drop=True)

    def mask(self, frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
        """Any frame with the same keys, its columns emptied where the cell is not shown: for charts and derived tables.

        A row whose keys are no cell of the protected tables is emptied too: it was never judged.

        Raises
        ------
        MethodError
            The audit failed, or a key column is missing.
        """
        self._require()
        missing = [key for key in self.keys if key not in frame]
        if missing:
            raise MethodError(f"缺少列：{'、'.join(missing)}", hint="遮盖需要与受保护的表相同的键列")
        words = codebooks.load("disclosure")["words"]
        open_cells = self.cells[self.cells["state"].isin([words["shown"], words["public"]])]
        allowed = pd.MultiIndex.from_frame(open_cells[list(self.keys)].astype(str))
        rows = pd.MultiIndex.from_frame(frame[list(self.keys)].astype(str))
        shut = ~rows.isin(allowed)
        masked = frame.copy()
        for column in columns:
            masked[column] = masked[column].mask(shut)
        return masked

    def _require(self) -> None:
        if not self.passed:
            worst = self.ranges[~self.ranges["protected"]].iloc[0]
            cell = "、".join(str(worst[key]) for key in self.keys)
            raise MethodError(
                f"披露审计未通过：有 {self.certificate['failed']} 个单元格可被推出，不得公开",
                value=cell,
                hint="请合并分组、延长期间，或改用更粗的表",
            )


def protect(
    frame: pd.DataFrame,
    keys: Sequence[str],
    *,
    value: str = "n",
    trees: Mapping[str, Tree] | None = None,
    hidden: Mapping[str, Sequence[str]] | None = None,
    released: pd.DataFrame | None = None,
    contributions: pd.DataFrame | None = None,
    profile: Profile | str | None = None,
    time_limit: float | None = None,
) -> Protected:
    """Protect all tables over the keys and their totals at once.

    Parameters
    ----------
    frame
        Counts of the finest cells: the key columns and ``value``; a combination that is absent counts 0.
    keys
        Key columns, such as ``region_code``, ``topic``, ``period``.
    trees
        Key → {total: its parts}; several levels and shared parts (:func:`rolling`) are allowed. A key without a tree gets
        one total, 合计; ``region_code`` gets the levels of the region table (:func:`region_tree`).
    hidden
        Key → nodes that are never published, such as the single months behind rolling sums.
    released
        Cells of earlier releases: the keys and ``published`` (bool). What was published cannot be taken back; what was
        suppressed stays so.
    contributions
        For the dominance rules: the keys, ``largest``, ``second`` (the two largest contributors of each cell).
    profile, time_limit
        A profile or its name; seconds for the search. From ``disclosure.yml`` unless given.

    Raises
    ------
    RequestError
        An unknown profile or a missing column.
    MethodError
        A negative count, a cell that stands twice, or one that no tree knows.
    """
    rules = profile if isinstance(profile, Profile) else Profile.named(profile)
    limit = codebooks.load("disclosure")["time_limit"] if time_limit is None else time_limit
    axes = [_Axis.build(frame, key, (trees or {}).get(key)) for key in keys]
    values = _totals(frame, keys, value, axes)
    index = pd.MultiIndex.from_product([axis.nodes for axis in axes], names=list(keys))
    system = _system(values, index, axes, rules, hidden or {}, released, contributions)
    found = (
        suppress(system, time_limit=limit) if rules.secondary else Suppression(system.withheld, "none", 0.0)
    )
    ranges = audit(system, found.suppressed, found.tables)
    return _protected(system, index, rules, found, ranges, released is not None)


def region_tree(codes: Iterable[str]) -> dict[str, list[str]]:
    """Totals over the region levels above these codes: city over counties, province over cities."""
    table = region_tables.load()
    tree: dict[str, list[str]] = {}
    seen = set()
    level = {str(code) for code in codes}
    while level:
        seen |= level
        parents = set()
        for code in sorted(level):
            parent = table.get(code).parent if code in table else None
            if parent is not None:
                tree.setdefault(parent, []).append(code)
                parents.add(parent)
        level = parents - seen
    roots = sorted(seen - {child for parts in tree.values() for child in parts})
    if len(roots) > 1:
        tree[TOTAL] = roots
    return tree


def rolling(previous: str, current: str) -> tuple[dict[str, list[str]], list[str]]:
    """Tree and hidden nodes for two overlapping rolling sums: the month that left, those both hold, the month that came.

    Returns
    -------
    tree
        ``previous`` = 移出 + 重叠, ``current`` = 重叠 + 移入.
    hidden
        The three nodes; counts are given for them.
    """
    return {previous: ["移出", "重叠"], current: ["重叠", "移入"]}, ["移出", "重叠", "移入"]


def gate_rates(
    frame: pd.DataFrame,
    *,
    numerator: str = "numerator",
    denominator: str = "denominator",
    columns: Sequence[str] = ("value",),
    profile: Profile | str | None = None,
) -> pd.DataFrame:
    """Empty rates from which a small count could be read: with its denominator a rate says the numerator and the rest.

    ``columns``, the numerator and the denominator are emptied in rows where any of numerator, denominator and their
    difference is small; ``gated`` says so.
    """
    rules = profile if isinstance(profile, Profile) else Profile.named(profile)
    _need(frame, [numerator, denominator, *columns])
    top, bottom = frame[numerator].to_numpy(float), frame[denominator].to_numpy(float)
    shut = rules.is_small(top) | rules.is_small(bottom) | rules.is_small(bottom - top)
    return _emptied(frame, dict.fromkeys([*columns, numerator, denominator]), shut)


def gate_ranks(
    frame: pd.DataFrame, columns: Sequence[str], *, n: str = "n", profile: Profile | str | None = None
) -> pd.DataFrame:
    """Empty ranks and their intervals of bodies with a small n; ``gated`` says so."""
    rules = profile if isinstance(profile, Profile) else Profile.named(profile)
    _need(frame, [n, *columns])
    return _emptied(frame, columns, rules.is_small(frame[n]))


def gate_quantiles(
    frame: pd.DataFrame, columns: Sequence[str], *, n: str = "n", profile: Profile | str | None = None
) -> pd.DataFrame:
    """Empty medians and other quantiles of few cases: a quantile of a handful is one case's value."""
    rules = profile if isinstance(profile, Profile) else Profile.named(profile)
    _need(frame, [n, *columns])
    return _emptied(frame, columns, (frame[n] < rules.minimum_for_quantile).to_numpy())


def _emptied(frame: pd.DataFrame, columns: Iterable[str], shut: Flags) -> pd.DataFrame:
    gated = frame.copy()
    for column in columns:
        gated[column] = gated[column].mask(shut)
    return gated.assign(gated=shut)


def gate_steps(curve: pd.DataFrame, *, profile: Profile | str | None = None) -> pd.DataFrame:
    """Coarsen a survival curve so that no step is a few cases.

    Parameters
    ----------
    curve
        Columns ``time``, ``at_risk``, ``events`` and the estimates, in order of time.

    Returns
    -------
    DataFrame
        The rows at which at least ``minimum_per_step`` events have gathered since the last row kept and as many remain at
        risk, with ``events`` the gathered number; estimates are those of the kept times.
    """
    rules = profile if isinstance(profile, Profile) else Profile.named(profile)
    _need(curve, ["time", "at_risk", "events"])
    kept, gathered, events = [], 0.0, []
    left = (curve["at_risk"] - curve["events"]).to_numpy(float)
    for place, happened in enumerate(curve["events"].to_numpy(float)):
        gathered += happened
        if gathered >= rules.minimum_per_step and left[place] >= rules.minimum_per_step:
            kept.append(place)
            events.append(gathered)
            gathered = 0.0
    return curve.iloc[kept].assign(events=events)


@dataclass(frozen=True)
class _Axis:
    """One key: its nodes, which leaves each contains, and total − parts for each total."""

    nodes: list[str]
    leaves: list[str]
    contains: np.ndarray  # nodes × leaves
    equations: np.ndarray  # totals × nodes
    roots: set[str]

    @classmethod
    def build(cls, frame: pd.DataFrame, key: str, tree: Tree | None) -> _Axis:
        _need(frame, [key])
        present = sorted({str(code) for code in frame[key]})
        if tree is None:
            tree = region_tree(present) if key == "region_code" else {TOTAL: present}
        parts = {str(part) for group in tree.values() for part in group}
        leaves = sorted((parts | set(present)) - set(tree))
        nodes = [*leaves, *sorted(tree)]
        clash = set(present) & set(tree)
        if clash:
            raise MethodError("合计与明细混在一起", value=sorted(clash)[0], hint="请只给最细一级的计数")
        place = {node: number for number, node in enumerate(nodes)}
        contains = np.zeros((len(nodes), len(leaves)))
        contains[: len(leaves)] = np.eye(len(leaves))
        waiting = dict(tree)
        while waiting:
            ready = [total for total, group in waiting.items() if not set(group) & set(waiting)]
            if not ready:
                raise MethodError("合计互相包含", value=next(iter(waiting)), hint="请检查层级表")
            for total in ready:
                contains[place[total]] = sum(contains[place[str(part)]] for part in waiting.pop(total))
        equations = np.zeros((len(tree), len(nodes)))
        for row, (total, group) in enumerate(tree.items()):
            equations[row, place[total]] = 1
            equations[row, [place[str(part)] for part in group]] -= 1
        return cls(nodes, leaves, contains, equations, set(tree) - parts)

    def families(self) -> list[list[str]]:
        """Each lowest total with its parts and all totals that hold it; none where there are no two levels of totals."""
        leaves = len(self.leaves)
        if not (self.equations[:, leaves:] < 0).any():
            return []
        found = []
        for equation in self.equations:
            parts = np.flatnonzero(equation < 0)
            if parts.min() < leaves:
                total = self.contains[np.flatnonzero(equation > 0)[0]]
                over = np.flatnonzero((self.contains >= total).all(axis=1))
                found.append([self.nodes[node] for node in (*parts, *over)])
        return found


def _totals(frame: pd.DataFrame, keys: Sequence[str], value: str, axes: Sequence[_Axis]) -> np.ndarray:
    _need(frame, [*keys, value])
    negative = frame[frame[value] < 0]
    if len(negative):
        raise MethodError("计数为负", value=float(negative[value].iloc[0]), hint="请先核对数据")
    finest = frame.assign(**{key: frame[key].astype(str) for key in keys}).set_index(list(keys))[value]
    if finest.index.duplicated().any():
        raise MethodError("同一单元格出现两次", value=str(finest.index[finest.index.duplicated()][0]))
    leaves = pd.MultiIndex.from_product([axis.leaves for axis in axes], names=list(keys))
    full = (
        finest
        if len(keys) > 1
        else finest.set_axis(pd.MultiIndex.from_arrays([finest.index], names=list(keys)))
    )
    cube = full.reindex(leaves, fill_value=0).to_numpy(float).reshape([len(axis.leaves) for axis in axes])
    for number, axis in enumerate(axes):
        cube = np.moveaxis(np.tensordot(axis.contains, cube, axes=(1, number)), 0, number)
    return np.asarray(cube.ravel())


def _system(
    values: np.ndarray,
    index: pd.MultiIndex,
    axes: Sequence[_Axis],
    rules: Profile,
    hidden: Mapping[str, Sequence[str]],
    released: pd.DataFrame | None,
    contributions: pd.DataFrame | None,
) -> System:
    from scipy import sparse

    blocks = []
    for number, axis in enumerate(axes):
        block = sparse.csr_matrix(np.ones((1, 1)))
        for other, neighbour in enumerate(axes):
            factor = axis.equations if other == number else np.eye(len(neighbour.nodes))
            block = sparse.kron(block, sparse.csr_matrix(factor), format="csr")
        blocks.append(block)

    keys = [str(name) for name in index.names]
    concealed = np.zeros(len(values), dtype=bool)
    for key, nodes in hidden.items():
        concealed |= index.get_level_values(key).isin([str(node) for node in nodes])
    public, was_suppressed = _released(index, keys, released)
    small = rules.is_small(values) | _dominated(index, keys, values, rules, contributions)
    if rules.top_exempt and "region_code" in index.names:
        place = index.names.index("region_code")
        small &= ~index.get_level_values("region_code").isin(axes[place].roots)
    small &= ~public
    withheld = concealed | was_suppressed
    if rules.small == "suppress":
        withheld = withheld | small
    # A published nought is fixed: suppressing it would deny what the rule lets be shown.
    fixed = public | ((values == 0) & ~small)
    low, high = _printed(values, small & ~withheld, rules, exact=public)
    return System(
        values=values,
        equations=sparse.vstack(blocks, format="csr"),
        small=small | (was_suppressed & rules.is_small(values)),
        withheld=withheld,
        hidden=concealed,
        fixed=fixed & ~withheld,
        low=low,
        high=high,
        cost=values + 1,
        need=(0.0, float(rules.threshold)) if rules.protection == "range" else None,
        width=float(rules.width),
        blocks=_blocks(index, axes),
    )


def _blocks(index: pd.MultiIndex, axes: Sequence[_Axis]) -> tuple[NDArray[np.int64], ...]:
    """Where proofs are looked for first: of the key with the most levels, each lowest total with its own."""
    families = max((axis.families() for axis in axes), key=len)
    place = next((number for number, axis in enumerate(axes) if axis.families() == families), 0)
    held = index.get_level_values(place)
    return tuple(np.flatnonzero(held.isin(family)) for family in families)


def _released(index: pd.MultiIndex, keys: list[str], released: pd.DataFrame | None) -> tuple[Flags, Flags]:
    """Cells that an earlier release printed, and cells that it suppressed."""
    if released is None:
        nothing = np.zeros(len(index), dtype=bool)
        return nothing, nothing
    _need(released, [*keys, "published"])
    rows = pd.MultiIndex.from_frame(released[keys].astype(str))
    printed = released["published"].to_numpy(bool)
    public = np.asarray(index.isin(rows[printed]))
    return public, np.asarray(index.isin(rows[~printed])) & ~public


def _dominated(
    index: pd.MultiIndex,
    keys: list[str],
    values: np.ndarray,
    rules: Profile,
    contributions: pd.DataFrame | None,
) -> Flags:
    """Cells that one or two contributors make up: the n–k and p % rules."""
    if contributions is None or rules.dominance is None:
        return np.zeros(len(index), dtype=bool)
    _need(contributions, [*keys, "largest", "second"])
    rows = pd.MultiIndex.from_frame(contributions[keys].astype(str))
    two = contributions.set_axis(rows)[["largest", "second"]].reindex(index).to_numpy(float)
    largest, second = two[:, 0], two[:, 1]
    rest = values - largest - second
    with np.errstate(invalid="ignore"):
        concentrated = (largest + second) > rules.dominance["share"] * values
        estimable = rest < rules.dominance["p"] * largest
    return np.asarray((values > 0) & (concentrated | estimable))


def _printed(
    values: np.ndarray, blurred: Flags, rules: Profile, exact: Flags
) -> tuple[np.ndarray, np.ndarray]:
    """What the printed figure says about each cell: itself, or all that round to it."""
    low, high = values.copy(), values.copy()
    if rules.round_to:
        near = _rounded(values, rules.round_to)
        reach = (rules.round_to - 1) // 2
        rounded = ~exact & (values > 0)
        low = np.where(rounded, np.maximum(near - reach, rules.threshold + 1), values)
        high = np.where(rounded, near + reach, values)
    low = np.where(blurred, 0.0, low)
    high = np.where(blurred, float(rules.threshold), high)
    # An exempt small cell is printed as it is: its own value must lie in what it says.
    return np.minimum(low, values), np.maximum(high, values)


def _rounded(values: np.ndarray, base: int) -> np.ndarray:
    return np.floor(values / base + 0.5) * base


def _protected(
    system: System,
    index: pd.MultiIndex,
    rules: Profile,
    found: Suppression,
    ranges: Ranges,
    linked: bool,
) -> Protected:
    book = codebooks.load("disclosure")
    words, mark = book["words"], book["marks"]["suppressed"]
    suppressed = found.suppressed & ~system.hidden
    blurred = system.small & ~found.suppressed
    figures = _rounded(system.values, rules.round_to) if rules.round_to else system.values
    figures = np.where(blurred, 0.0, figures)
    shown = np.array([f"{figure:.0f}" for figure in figures], dtype=object)
    shown[suppressed], shown[system.hidden] = mark, None
    state = np.full(len(index), words["shown"], dtype=object)
    state[blurred] = words["blurred"]
    state[suppressed & system.small], state[suppressed & ~system.small] = words["primary"], words["secondary"]
    state[system.hidden] = words["hidden"]
    cells = index.to_frame(index=False).assign(state=state, shown=shown)
    checked = index[ranges.cells].to_frame(index=False)
    checked = checked.assign(low=ranges.low, high=ranges.high, protected=ranges.protected, exact=ranges.exact)
    failed = int((~ranges.protected).sum())
    certificate = {
        "profile": rules.id,
        "profile_version": str(book["version"]),
        "cells": int((~system.hidden).sum()),
        "hidden": int(system.hidden.sum()),
        "primary": int((suppressed & system.small).sum()),
        "secondary": int((suppressed & ~system.small).sum()),
        "blurred": int(blurred.sum()),
        "linked_to_previous": linked,
        "method": found.method,
        "fallback": found.fallback,
        "audited": len(ranges.cells),
        "exact": int(ranges.exact.sum()),
        "programmes": ranges.programmes,
        "failed": failed,
        "passed": failed == 0,
        "narrowest": float((ranges.high - ranges.low).min()) if len(ranges.cells) else None,
        "cells_sha256": hashlib.sha256(cells.to_csv(index=False).encode()).hexdigest(),
    }
    return Protected(cells, tuple(str(name) for name in index.names), checked, certificate)


def _need(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        raise RequestError(f"缺少列：{'、'.join(missing)}", hint="请见函数说明中的列名")
