"""Cell suppression (单元格抑制): which further cells must go so that no small one can be worked out, and the proof.

A system of linked tables is a vector of non-negative cells and equations among them (a total is the sum of its parts,
over region levels, topics, months and releases). Someone who subtracts published cells from one another learns, for each
suppressed cell, the range of values that the equations allow: two linear programmes. Small cells need a range that
reaches from 0 to the threshold at least.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Larger joint programmes than this (cells × small cells) are not tried: few end within a minute, and whether one does
# would depend on the machine. For the same reason only a proven optimum is used.
_JOINT = 12_000
# Secondary cells for which other proofs are looked for, so that they can be published again: a number, not a time, so that
# the same table gives the same pattern.
_ATTEMPTS = 60
# Rounds of random programmes before a cell gets one of its own.
_ROUNDS = 12
# Largest group of unknown cells in which every range is computed to its ends and not only shown to suffice.
_EXACT = 150
# How far a cell may move in a protecting pattern, in thresholds; any pattern within it protects, so it costs only optimality.
_REACH = 4.0
_EPS = 1e-6

Deviation = tuple[NDArray[np.int64], Array]
"""A table that agrees with all that is shown, as what it adds to the true one: positions and differences."""


@dataclass(frozen=True)
class System:
    """Linked tables as one vector.

    Attributes
    ----------
    values
        True cell values, non-negative.
    equations
        Sparse matrix A with A @ values = 0.
    small
        Cells to protect (一次抑制, and hidden cells as small).
    withheld
        Cells not shown from the start: the small ones, unless they are blurred, and the hidden.
    hidden
        Cells that are never published and were never meant to be.
    fixed
        Cells that cannot be suppressed any more (already public, or shown by rule).
    low, high
        What a shown cell's printed value says about it; both equal to ``values`` where printed exactly.
    cost
        What suppressing a cell loses.
    need
        Range that a suppressed small cell must be able to have, such as (0, threshold); ``None`` if a width will do.
    width
        Width of range that any other small cell (hidden, blurred) must be able to have at least.
    blocks
        Overlapping sets of positions within which proofs are looked for first, such as a city with its counties: a table
        that differs from the true one within a block only is small to find and holds for the whole.
    """

    values: Array
    equations: Any
    small: Flags
    withheld: Flags
    hidden: Flags
    fixed: Flags
    low: Array
    high: Array
    cost: Array
    need: tuple[float, float] | None
    width: float
    blocks: tuple[NDArray[np.int64], ...] = ()

    @property
    def reach(self) -> float:
        """How far a cell may move in a protecting pattern."""
        return _REACH * max(self.need[1] if self.need else 0.0, self.width, 1.0)

    def moves(self, cell: int) -> tuple[float, float]:
        """How far down and up a small cell must be able to go."""
        if self.need is None or self.hidden[cell] or not self.withheld[cell]:
            return 0.0, self.width
        value = float(self.values[cell])
        return min(self.need[0] - value, 0.0), max(self.need[1] - value, 0.0)


@dataclass(frozen=True)
class Suppression:
    """A pattern and how it was found.

    Attributes
    ----------
    suppressed
        All cells not shown: small, secondary and hidden.
    method
        ``none`` (nothing to add), ``milp`` (least total cost, proven) or ``greedy``.
    seconds
        Time taken.
    fallback
        Why it is greedy: ``size`` (too large for one programme) or ``time_limit`` (no proven optimum in time).
    tables
        Tables that agree with all that is shown, found on the way: the audit checks and uses them.
    """

    suppressed: Flags
    method: str
    seconds: float
    fallback: str | None = None
    tables: tuple[Deviation, ...] = ()


@dataclass(frozen=True)
class Ranges:
    """The audit: what can be inferred about every small and every suppressed cell.

    Attributes
    ----------
    cells
        Their positions in the system.
    low, high
        Least and greatest value that the printed cells allow.
    protected
        Whether the range suffices: see :class:`System`; a secondary cell needs more than one possible value.
    exact
        Whether ``low`` and ``high`` are the ends; else the range is at least as wide.
    programmes
        How many cells took programmes of their own; the rest was settled by tables found for many cells at once.
    """

    cells: NDArray[np.int64]
    low: Array
    high: Array
    protected: Flags
    exact: Flags
    programmes: int = 0


def suppress(system: System, *, time_limit: float = 20.0) -> Suppression:
    """Choose secondary suppressions so that every small cell is protected.

    One mixed-integer programme for all where it is small enough to be solved in the time limit (seconds), else greedily:
    for each small cell the cheapest pattern by linear programme, in its block where that does, one after another; then
    cells that proved unnecessary are given back.
    """
    start = time.monotonic()
    proofs = _Proofs(system, system.withheld)
    proofs.search()
    small = len(system.values) * int(system.small.sum()) <= _JOINT
    if small:
        proofs.settle()
    if not len(proofs.missing()):
        return Suppression(system.withheld, "none", time.monotonic() - start, tables=proofs.tables)
    if small:
        joint = _joint(system, np.flatnonzero(system.small), time_limit)
        if joint is not None:
            pattern = _without_known(system, joint)
            if audit(system, pattern).protected.all():
                return Suppression(pattern, "milp", time.monotonic() - start)
    proofs = _greedy(proofs)
    return Suppression(
        proofs.pattern,
        "greedy" if (proofs.pattern != system.withheld).any() else "none",
        time.monotonic() - start,
        "time_limit" if small else "size",
        proofs.tables,
    )


def audit(
    system: System, suppressed: Flags, tables: Iterable[Deviation] = (), *, ends: bool = True
) -> Ranges:
    """Range of every small and every suppressed cell.

    In groups of few unknown cells each gets a minimisation and a maximisation of its own. In large ones a range that
    suffices is shown by tables that agree with all that is printed; each of ``tables`` is checked before it is believed,
    more are looked for by random programmes, and what is left gets its own. Without ``ends`` all groups are taken so.
    """
    checked = system.small | (suppressed & ~system.hidden)
    cells = np.flatnonzero(checked)
    proofs = _Proofs(system, suppressed)
    for table in tables:
        proofs.learn(*table)
    # A cell in no component is known.
    exact = ~(suppressed | (system.high > system.low))
    programmes = 0
    if ends or not proofs.enough(cells).all():
        components = _components(system, suppressed)
        for component in components:
            few = ends and len(component.unknown) <= _EXACT
            exact[component.unknown] = few & ~system.hidden[component.unknown]
        proofs.search(checked & ~exact)
        for component in components:
            inside = component.unknown
            waiting = checked[inside] & (exact[inside] | ~proofs.enough(inside))
            for number in np.flatnonzero(waiting):
                cell = inside[number]
                proofs.low[cell], proofs.high[cell] = component.range(int(number))
                exact[cell] = True
            programmes += int(waiting.sum())
    return Ranges(
        cells, proofs.low[cells], proofs.high[cells], proofs.enough(cells), exact[cells], programmes
    )


class _Proofs:
    """Tables that agree with what a pattern lets be seen, and the values that cells take in them.

    A pattern that grows keeps its proofs: what could be before can still be.
    """

    def __init__(self, system: System, pattern: Flags) -> None:
        self.system, self.pattern = system, pattern.copy()
        self.low, self.high = system.values.copy(), system.values.copy()
        self._matrix = system.equations.tocsr()
        self._tables: list[Deviation] = []

    @property
    def tables(self) -> tuple[Deviation, ...]:
        """All that were found."""
        return tuple(self._tables)

    def enough(self, cells: NDArray[np.int64]) -> Flags:
        """Which ranges suffice."""
        system, low, high = self.system, self.low[cells], self.high[cells]
        protected = high - low >= system.width - _EPS
        if system.need is not None:
            ranged = (system.withheld & ~system.hidden)[cells]
            reaches = (low <= system.need[0] + _EPS) & (high >= system.need[1] - _EPS)
            protected = np.where(ranged, reaches, protected)
        return np.where(system.small[cells], protected, high - low > _EPS).astype(bool)

    def missing(self) -> NDArray[np.int64]:
        """Small cells without a proof."""
        small = np.flatnonzero(self.system.small)
        return small[~self.enough(small)]

    def learn(self, cells: NDArray[np.int64], added: Array) -> None:
        """Take a table, if it agrees with the equations and with every cell that is shown."""
        moved = np.abs(added) > _EPS
        cells, added = cells[moved], added[moved]
        value = self.system.values[cells] + added
        low, high = (edge[cells] for edge in _edges(self.system, self.pattern))
        if not len(cells) or (value < low - _EPS).any() or (value > high + _EPS).any():
            return
        if np.abs(self._matrix[:, cells] @ added).max(initial=0.0) > 100 * _EPS:
            return
        self._tables.append((cells, added))
        self.low[cells] = np.minimum(self.low[cells], value)
        self.high[cells] = np.maximum(self.high[cells], value)

    def search(self, wanted: Flags | None = None) -> None:
        """Random programmes, each moving many cells at once: block by block, then all together for what is left."""
        wanted = self.system.small if wanted is None else wanted
        whole = np.arange(len(self.system.values))
        blocks = self.system.blocks
        for cells, rounds in (*((block, _ROUNDS) for block in blocks), (whole, 2 if blocks else _ROUNDS)):
            self.look(wanted, cells, rounds)

    def look(self, wanted: Flags, cells: NDArray[np.int64], rounds: int) -> None:
        """Random programmes within some cells."""
        waits = wanted[cells] & ~self.enough(cells)
        if waits.any():
            part = _part(self.system, self.pattern, cells)
            aims = np.flatnonzero(wanted[part.unknown])
            random = np.random.default_rng(0)
            for _ in range(rounds):
                waiting = aims[~self.enough(part.unknown[aims])]
                if not len(waiting):
                    break
                goal = np.zeros(len(part.unknown))
                goal[waiting] = random.uniform(-1, 1, len(waiting))
                for sign in (1.0, -1.0):
                    # Far enough for any need, and never unbounded.
                    point, _ = part.solve(
                        sign * goal, np.minimum(part.high, part.truth + 2 * self.system.reach)
                    )
                    if point is not None:
                        self.learn(part.unknown, point - part.truth)

    def settle(self) -> None:
        """A programme of its own for every small cell that is still without a proof."""
        for part in _components(self.system, self.pattern):
            aims = np.flatnonzero(self.system.small[part.unknown])
            for number in aims[~self.enough(part.unknown[aims])]:
                low, high = part.range(int(number))
                cell = part.unknown[number]
                self.low[cell], self.high[cell] = min(low, self.low[cell]), max(high, self.high[cell])

    def without(self, cell: int) -> _Proofs:
        """The same with one cell shown: the tables that leave it as it is."""
        kept = _Proofs(self.system, self.pattern)
        kept.pattern[cell] = False
        for cells, added in self._tables:
            if cell not in cells:
                kept._tables.append((cells, added))
                value = self.system.values[cells] + added
                kept.low[cells] = np.minimum(kept.low[cells], value)
                kept.high[cells] = np.maximum(kept.high[cells], value)
        return kept


def _edges(system: System, pattern: Flags) -> tuple[Array, Array]:
    """What someone knows about each cell by itself."""
    return np.where(pattern, 0.0, system.low), np.where(pattern, np.inf, system.high)


@dataclass(frozen=True)
class _Part:
    """Some unknown cells, all others being as they are."""

    unknown: NDArray[np.int64]
    matrix: Any
    truth: Array
    low: Array
    high: Array

    def range(self, place: int) -> tuple[float, float]:
        """Least and greatest value of one cell, by its position in the part."""
        goal = np.zeros(len(self.unknown))
        goal[place] = 1.0
        found = []
        for sign in (1.0, -1.0):
            point, unbounded = self.solve(sign * goal, self.high)
            if unbounded:
                found.append(-sign * np.inf)
            else:
                # The true values satisfy every equation, so no optimum is a numerical failure: assume the worst.
                found.append(float(self.truth[place] if point is None else point[place]))
        return found[0], found[1]

    def solve(self, goal: Array, ceiling: Array) -> tuple[Array | None, bool]:
        """A table that minimises the goal; or none, and whether it is because there is no least."""
        from scipy.optimize import linprog

        if self.matrix.shape[0] == 0:
            point = np.where(goal < 0, ceiling, np.where(goal > 0, self.low, self.truth))
            return (point, False) if np.isfinite(point[goal != 0]).all() else (None, True)
        bounds = np.column_stack([self.low, ceiling])
        result = linprog(goal, A_eq=self.matrix, b_eq=self.matrix @ self.truth, bounds=bounds, method="highs")
        return (result.x if result.success else None), result.status == 3


def _part(system: System, pattern: Flags, cells: NDArray[np.int64]) -> _Part:
    """The unknown ones among some cells."""
    # A rounded cell is known to a range only: it is a variable too.
    unknown = cells[(pattern | (system.high > system.low))[cells]]
    matrix = system.equations.tocsr()[:, unknown]
    matrix = matrix[np.flatnonzero(np.diff(matrix.indptr))]
    low, high = _edges(system, pattern)
    return _Part(unknown, matrix, system.values[unknown], low[unknown], high[unknown])


def _components(system: System, suppressed: Flags) -> list[_Part]:
    """Unknown cells bound together by equations: what is inferred about one never needs the rest of the system."""
    from scipy.sparse.csgraph import connected_components

    whole = _part(system, suppressed, np.arange(len(system.values)))
    if not len(whole.unknown):
        return []
    links = abs(whole.matrix).T @ abs(whole.matrix)
    count, label = connected_components(links, directed=False)
    row_label = label[whole.matrix.indices[whole.matrix.indptr[:-1]]]
    parts = []
    for number in range(count):
        own, lines = np.flatnonzero(label == number), np.flatnonzero(row_label == number)
        parts.append(
            _Part(
                whole.unknown[own],
                whole.matrix[lines][:, own],
                whole.truth[own],
                whole.low[own],
                whole.high[own],
            )
        )
    return parts


def _joint(system: System, targets: NDArray[np.int64], time_limit: float) -> Flags | None:
    """All small cells at once (Fischetti & Salazar): binaries for the pattern, a deviation vector a need."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    n = len(system.values)
    matrix = sparse.csr_matrix(system.equations)
    needs = [(cell, need) for cell in targets for need in system.moves(int(cell)) if need != 0]
    # A shown cell moves within its rounding, a suppressed one down to the mark's least value and up as far as need be.
    still_down, still_up = system.values - system.low, system.high - system.values
    down = np.minimum(system.values, system.reach) - still_down
    up = system.reach - still_up
    width = n * (1 + len(needs))
    blocks, lows, highs = [], [], []

    def constrain(block: Any, low: Array | float, high: Array | float) -> None:
        blocks.append(block)
        lows.append(np.broadcast_to(low, block.shape[0]))
        highs.append(np.broadcast_to(high, block.shape[0]))

    lower, upper = np.zeros(width), np.ones(width)
    lower[:n] = system.withheld
    upper[:n] = ~system.fixed | system.withheld
    identity = sparse.identity(n, format="csr")
    for number, (cell, need) in enumerate(needs, 1):
        before, after = sparse.csr_matrix((n, n * (number - 1))), n * (len(needs) - number)
        rest = sparse.csr_matrix((n, after))
        span = slice(n * number, n * (number + 1))
        lower[span], upper[span] = -system.values, np.inf
        if need > 0:
            lower[n * number + cell] = need
        else:
            upper[n * number + cell] = need
        constrain(
            sparse.hstack(
                [
                    sparse.csr_matrix((matrix.shape[0], n * number)),
                    matrix,
                    sparse.csr_matrix((matrix.shape[0], after)),
                ]
            ),
            0.0,
            0.0,
        )
        constrain(sparse.hstack([sparse.diags(-up), before, identity, rest]), -np.inf, still_up)
        constrain(sparse.hstack([sparse.diags(down), before, identity, rest]), -still_down, np.inf)
    cost = np.zeros(width)
    cost[:n] = np.where(system.withheld, 0.0, system.cost)
    integral = np.zeros(width)
    integral[:n] = 1
    result = milp(
        cost,
        constraints=LinearConstraint(
            sparse.vstack(blocks, format="csr"), np.concatenate(lows), np.concatenate(highs)
        ),
        integrality=integral,
        bounds=Bounds(lower, upper),
        options={"time_limit": time_limit},
    )
    return result.x[:n] > 0.5 if result.status == 0 else None


def _greedy(proofs: _Proofs) -> _Proofs:
    """Protect small cells one after another, then publish again, dearest first, what no proof needs."""
    system = proofs.system
    homes: dict[int, NDArray[np.int64]] = {}
    for block in system.blocks:
        for cell in block[system.small[block]]:
            if int(cell) not in homes or len(block) < len(homes[int(cell)]):
                homes[int(cell)] = block
    whole = np.arange(len(system.values))
    # Small cells with large values need most room downward: their patterns serve others too, so they go first.
    for reach in (system.reach, np.inf):
        targets = proofs.missing()
        for cell in targets[np.argsort(-system.values[targets], kind="stable")]:
            if not proofs.enough(np.array([cell]))[0]:
                _protect(proofs, int(cell), reach, homes.get(int(cell), whole))
        for cell in proofs.missing():
            _protect(proofs, int(cell), reach, whole)
    return _give_back(proofs)


def _protect(proofs: _Proofs, cell: int, reach: float, cells: NDArray[np.int64]) -> None:
    """Take one cell as far as it needs, down and up, within some cells; suppress what that moves."""
    for need in proofs.system.moves(cell):
        if need == 0:
            continue
        found = _cheapest(proofs.system, proofs.pattern, cell, need, reach, cells)
        if found is not None:
            added, paid = found
            proofs.pattern[cells[paid]] = True
            proofs.learn(cells, added)


def _cheapest(
    system: System, pattern: Flags, cell: int, need: float, reach: float, cells: NDArray[np.int64]
) -> tuple[Array, Flags] | None:
    """The cheapest deviation within some cells that takes one of them as far as it needs, and what it suppresses."""
    from scipy import sparse
    from scipy.optimize import linprog

    # Each cell moves up and down, first within what is unknown about it anyhow, then at its cost.
    values, known, fixed = system.values[cells], ~pattern[cells], system.fixed[cells] | pattern[cells]
    free_up = np.where(known, system.high[cells] - values, reach)
    free_down = np.where(known, values - system.low[cells], np.minimum(values, reach))
    paid_up = np.where(fixed, 0.0, reach)
    paid_down = np.where(fixed, 0.0, np.minimum(values, reach))
    n, place = len(cells), int(np.flatnonzero(cells == cell)[0])
    lower, upper = np.zeros(4 * n), np.concatenate([free_up, free_down, paid_up, paid_down])
    moving, still = (place, n + place) if need > 0 else (n + place, place)
    if upper[moving] < abs(need) - _EPS:
        moving += 2 * n
    lower[moving] = upper[moving] = abs(need)
    upper[still] = upper[2 * n + still] = 0.0
    matrix = system.equations.tocsr()[:, cells]
    matrix = matrix[np.flatnonzero(np.diff(matrix.indptr))]
    movable = upper > 0
    tiny = np.full(n, _EPS)
    cost = np.concatenate([tiny, tiny, system.cost[cells], system.cost[cells]])
    signed = sparse.hstack([matrix, -matrix, matrix, -matrix], format="csr")[:, movable]
    result = linprog(
        cost[movable],
        A_eq=signed,
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.column_stack([lower, upper])[movable],
        method="highs",
    )
    if not result.success:
        return None
    moves = np.zeros(4 * n)
    moves[movable] = result.x
    up, down, paid_up, paid_down = moves.reshape(4, n)
    return up - down + paid_up - paid_down, (paid_up > _EPS) | (paid_down > _EPS)


def _give_back(proofs: _Proofs) -> _Proofs:
    """Publish again, dearest first, what no small cell needs."""
    system = proofs.system
    failing = len(proofs.missing())
    spare = np.flatnonzero(proofs.pattern & ~system.withheld)
    attempts = _ATTEMPTS
    homes = system.blocks or (np.arange(len(system.values)),)
    for cell in spare[np.argsort(-system.cost[spare], kind="stable")]:
        without = proofs.without(int(cell))
        if len(without.missing()) > failing and attempts:
            attempts -= 1
            for block in homes:
                if cell in block:
                    without.look(system.small, block, _ROUNDS // 4)
        if len(without.missing()) <= failing:
            proofs = without
    return proofs


def _without_known(system: System, pattern: Flags) -> Flags:
    """Publish secondary cells that the others determine anyhow: withholding them hides nothing."""
    ranges = audit(system, pattern)
    known = ranges.cells[(ranges.high - ranges.low <= _EPS) & ~system.withheld[ranges.cells]]
    shown = pattern.copy()
    shown[known] = False
    return shown
