"""Cell suppression (单元格抑制): which further cells must go so that no small one can be worked out, and the proof.

A system of linked tables is a vector of non-negative cells and equations among them (a total is the sum of its parts,
over region levels, topics, months and releases). Someone who subtracts published cells from one another learns, for each
suppressed cell, the range of values that the equations allow: two linear programmes. Small cells need a range that
reaches from 0 to the threshold at least.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Larger joint programmes than this (cells × small cells) are not tried: few end within a minute, and whether one does
# would depend on the machine. For the same reason only a proven optimum is used.
_JOINT = 12_000
# Attempts to publish a secondary cell again, times the number of cells: a number, not a time, so that the same table gives
# the same pattern.
_ATTEMPTS = 200_000
# Rounds of random programmes before a cell gets one of its own.
_WITNESSES = 12
# How far a cell may move in a protecting pattern, in thresholds; any pattern within it protects, so it costs only optimality.
_REACH = 4.0
_EPS = 1e-6


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
    """

    suppressed: Flags
    method: str
    seconds: float


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
    """

    cells: NDArray[np.int64]
    low: Array
    high: Array
    protected: Flags


def suppress(system: System, *, time_limit: float = 20.0) -> Suppression:
    """Choose secondary suppressions so that every small cell is protected.

    One mixed-integer programme for all where it is small enough to be solved in the time limit (seconds), else greedily:
    for each small cell the cheapest pattern by linear programme, one after another, then cells that proved unnecessary are
    given back.
    """
    start = time.monotonic()
    targets = np.flatnonzero(system.small)
    failing = _failing(system, system.withheld)
    if not len(failing):
        return Suppression(system.withheld, "none", time.monotonic() - start)
    if len(targets) * len(system.values) <= _JOINT:
        pattern = _joint(system, targets, time_limit)
        if pattern is not None and not len(_failing(system, pattern)):
            return Suppression(_without_known(system, pattern), "milp", time.monotonic() - start)
    pattern = _without_known(system, _give_back(system, _greedy(system, failing)))
    return Suppression(pattern, "greedy", time.monotonic() - start)


def audit(system: System, suppressed: Flags) -> Ranges:
    """Range of every small and every suppressed cell.

    A suppressed cell gets a minimisation and a maximisation of its own. Small cells that were never to be published are
    only shown to have range enough: theirs may be wider than what is given.
    """
    return _ranges(
        system, suppressed, system.small | (suppressed & ~system.hidden), exact=suppressed & ~system.hidden
    )


def _ranges(system: System, suppressed: Flags, checked: Flags, exact: Flags) -> Ranges:
    cells = np.flatnonzero(checked)
    low, high = system.values[cells], system.values[cells]  # a cell in no component is known
    place = np.full(len(system.values), -1)
    place[cells] = np.arange(len(cells))
    for component in _components(system, suppressed):
        inside = np.flatnonzero(checked[component.unknown])
        if not len(inside):
            continue
        at = place[component.unknown[inside]]
        quick = np.flatnonzero(~exact[component.unknown[inside]])
        if len(quick):
            low[at[quick]], high[at[quick]] = component.witnessed(inside[quick])
        enough = _enough(system, cells[at], low[at], high[at])
        for number in np.flatnonzero(exact[cells[at]] | ~enough):
            low[at[number]], high[at[number]] = component.range(int(inside[number]))
    return Ranges(cells, low, high, _enough(system, cells, low, high))


def _enough(system: System, cells: NDArray[np.int64], low: Array, high: Array) -> Flags:
    """Which ranges suffice."""
    protected = high - low >= system.width - _EPS
    if system.need is not None:
        ranged = (system.withheld & ~system.hidden)[cells]
        reaches = (low <= system.need[0] + _EPS) & (high >= system.need[1] - _EPS)
        protected = np.where(ranged, reaches, protected)
    return np.where(system.small[cells], protected, high - low > _EPS).astype(bool)


@dataclass(frozen=True)
class _Component:
    """Unknown cells bound together by equations: what is inferred about one never needs the rest of the system."""

    system: System
    unknown: NDArray[np.int64]
    matrix: Any
    known: Array  # right-hand side from the published cells
    low: Array
    high: Array

    def range(self, place: int) -> tuple[float, float]:
        """Least and greatest value of one cell, by its position in the component."""
        goal = np.zeros(len(self.unknown))
        goal[place] = 1.0
        found = []
        for sign in (1.0, -1.0):
            point, unbounded = self._solve(sign * goal, self.high)
            if unbounded:
                found.append(-sign * np.inf)
            else:
                # The true values satisfy every equation, so no optimum is a numerical failure: assume the worst.
                found.append(
                    float(self.system.values[self.unknown[place]] if point is None else point[place])
                )
        return found[0], found[1]

    def witnessed(self, places: NDArray[np.int64]) -> tuple[Array, Array]:
        """Values that some cells take in a few tables that agree with all that is printed.

        One programme with random weights moves many cells at once, so that few of them need programmes of their own.
        """
        truth = self.system.values[self.unknown]
        low, high = truth[places].copy(), truth[places].copy()
        # Far enough for any need, and never unbounded.
        ceiling = np.minimum(self.high, truth + 2 * self.system.reach)
        random = np.random.default_rng(0)
        for _ in range(_WITNESSES):
            waiting = ~_enough(self.system, self.unknown[places], low, high)
            if not waiting.any():
                break
            goal = np.zeros(len(self.unknown))
            goal[places[waiting]] = random.uniform(-1, 1, int(waiting.sum()))
            for sign in (1.0, -1.0):
                point, _ = self._solve(sign * goal, ceiling)
                if point is not None:
                    low, high = np.minimum(low, point[places]), np.maximum(high, point[places])
        return low, high

    def _solve(self, goal: Array, ceiling: Array) -> tuple[Array | None, bool]:
        """A table that minimises the goal; or none, and whether it is because there is no least."""
        from scipy.optimize import linprog

        if self.matrix.shape[0] == 0:
            point = np.where(goal < 0, ceiling, self.low)
            return (point, False) if np.isfinite(point[goal != 0]).all() else (None, True)
        bounds = np.column_stack([self.low, ceiling])
        result = linprog(goal, A_eq=self.matrix, b_eq=self.known, bounds=bounds, method="highs")
        return (result.x if result.success else None), result.status == 3


def _components(system: System, suppressed: Flags) -> list[_Component]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    # A rounded cell is known to a range only: it is a variable too.
    free = suppressed | (system.high > system.low)
    low = np.where(suppressed, 0.0, system.low)
    high = np.where(suppressed, np.inf, system.high)
    unknown = np.flatnonzero(free)
    if not len(unknown):
        return []
    matrix = csr_matrix(system.equations)
    part = matrix[:, unknown]
    rows = np.flatnonzero(np.diff(part.indptr))
    part = csr_matrix(part[rows])
    known = -np.asarray(matrix[rows][:, ~free] @ system.values[~free]).ravel()
    links = abs(part).T @ abs(part)
    count, label = connected_components(links, directed=False)
    row_label = label[part.indices[part.indptr[:-1]]] if len(rows) else np.empty(0, dtype=int)
    components = []
    for number in range(count):
        columns, lines = np.flatnonzero(label == number), np.flatnonzero(row_label == number)
        cells = unknown[columns]
        components.append(
            _Component(system, cells, part[lines][:, columns], known[lines], low[cells], high[cells])
        )
    return components


def _failing(system: System, suppressed: Flags, only: Flags | None = None) -> NDArray[np.int64]:
    """Small cells that are not protected, among all or among ``only``."""
    checked = system.small if only is None else only
    ranges = _ranges(system, suppressed, checked, exact=np.zeros_like(checked))
    return ranges.cells[~ranges.protected]


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


def _greedy(system: System, targets: NDArray[np.int64]) -> Flags:
    pattern = system.withheld
    # Small cells with large values need most room downward: their patterns serve others too, so they go first.
    for reach in (system.reach, np.inf):
        for cell in targets[np.argsort(-system.values[targets], kind="stable")]:
            for need in system.moves(int(cell)):
                if need:
                    pattern = pattern | _cheapest(system, pattern, int(cell), need, reach)
        targets = _failing(system, pattern)
        if not len(targets):
            break
    return pattern


def _cheapest(system: System, pattern: Flags, cell: int, need: float, reach: float) -> Flags:
    """Cells to suppress for the cheapest deviation that takes one cell as far as it needs; none if there is no such."""
    from scipy import sparse
    from scipy.optimize import linprog

    # Each cell moves up and down, first within what is unknown about it anyhow, then at its cost.
    values, n = system.values, len(system.values)
    free_up = np.where(pattern, reach, system.high - values)
    free_down = np.where(pattern, np.minimum(values, reach), values - system.low)
    paid_up = np.where(pattern | system.fixed, 0.0, reach)
    paid_down = np.where(pattern | system.fixed, 0.0, np.minimum(values, reach))
    lower, upper = np.zeros(4 * n), np.concatenate([free_up, free_down, paid_up, paid_down])
    moving, still = (cell, n + cell) if need > 0 else (n + cell, cell)
    if upper[moving] < abs(need) - _EPS:
        moving += 2 * n
    lower[moving] = upper[moving] = abs(need)
    upper[still] = upper[2 * n + still] = 0.0
    matrix = sparse.csr_matrix(system.equations)
    tiny = np.full(n, _EPS)
    result = linprog(
        np.concatenate([tiny, tiny, system.cost, system.cost]),
        A_eq=sparse.hstack([matrix, -matrix, matrix, -matrix]),
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.column_stack([lower, upper]),
        method="highs",
    )
    if not result.success:
        return np.zeros(n, dtype=bool)
    return np.asarray((result.x[2 * n : 3 * n] > _EPS) | (result.x[3 * n :] > _EPS))


def _give_back(system: System, pattern: Flags) -> Flags:
    """Publish again, dearest first, what no small cell needs."""
    failing = set(_failing(system, pattern).tolist())
    spare = np.flatnonzero(pattern & ~system.withheld)
    for cell in spare[np.argsort(-system.cost[spare], kind="stable")][: _ATTEMPTS // len(pattern)]:
        bound = next(part.unknown for part in _components(system, pattern) if cell in part.unknown)
        without = pattern.copy()
        without[cell] = False
        # Only cells that hang together with this one can lose their protection.
        concerned = np.zeros_like(pattern)
        concerned[bound] = system.small[bound]
        if set(_failing(system, without, concerned).tolist()) <= failing:
            pattern = without
    return pattern


def _without_known(system: System, pattern: Flags) -> Flags:
    """Publish secondary cells that the others determine anyhow: withholding them hides nothing."""
    ranges = audit(system, pattern)
    known = ranges.cells[(ranges.high - ranges.low <= _EPS) & ~system.withheld[ranges.cells]]
    shown = pattern.copy()
    shown[known] = False
    return shown
