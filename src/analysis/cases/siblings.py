"""Suppression among siblings (同级抑制): what one city's data alone decide about its counties, the same in every brief.

A table is a city's counties by parts (a split, or numerator and rest), with each county's total, the city's parts and the
city's total. All of these are taken as published. A small cell is protected by a *swap*: it, another part of the same county,
and both parts of other counties are not shown, so that cases can be moved round the rectangle without changing any total.
Because no total moves, no table above can undo it, and no other city's data are needed. Where there is no swap, the cheapest way
round the table is taken; only where that leads through the city's own figures, or these are small, are they withheld too, and
:func:`crown` decides what the province withholds: no more than what other cities' counties cannot take back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .suppression import Array, Deviation, Flags

Small = Callable[[Array], Flags]


@dataclass(frozen=True)
class Hidden:
    """What is not shown of a table of siblings.

    Attributes
    ----------
    cells
        Rows: the siblings, last their parent. Columns: the parts, last the total.
    proofs
        Tables that agree with all that is shown, as positions in the flattened cells and differences: they take each small
        cell of the siblings to 0 and to the threshold.
    unseen
        Columns that are never shown and need no protection.
    """

    cells: Flags
    proofs: tuple[Deviation, ...] = ()
    unseen: Flags | None = None


def conceal(values: Array, small: Small, threshold: int, unseen: Flags | None = None) -> Hidden:
    """Choose what siblings and their parent do not show.

    Parameters
    ----------
    values
        Counts, rows the siblings and last their parent, columns the parts and last the total. The parent may hold more than
        its siblings (cases of no known place): that rest is taken as known.
    small
        Which counts are small.
    threshold
        A small cell must be able to be anything from 0 to this.
    unseen
        Parts that are never shown (the rest that a split does not name).
    """
    aside = _aside(values, unseen)
    table = _Table(values, small, threshold, aside)
    if not table.marked.any():
        return Hidden(table.hidden, unseen=aside)
    if table.parts:
        table.protect()
    else:
        table.alone()
    table.close()
    return Hidden(table.hidden, tuple(table.proofs), aside)


def _aside(values: Array, unseen: Flags | None) -> Flags:
    """Columns that are never shown; where nothing is left unnamed there is nothing to hide behind."""
    aside = np.zeros(values.shape[1], dtype=bool)
    if unseen is not None:
        aside[:-1] = unseen & (values.sum(axis=0) > 0)[:-1]
    return aside


def crown(
    values: Array, below: Sequence[tuple[Array, Hidden]], small: Small, threshold: int, unseen: Flags | None = None
) -> Hidden:  # fmt: skip
    """What the top (the province) does not show, given what its cities do not.

    Whatever a city's own figures would do while a small count in it moves, other cities must be able to undo, by counties of
    theirs that show neither of the two parts. Only where they cannot, the top withholds these two parts as well.

    Parameters
    ----------
    values
        Rows the cities and last the top; columns the parts and last the total.
    below
        For each city the table of its counties and what is not shown of it (:func:`conceal`).

    Returns
    -------
    Hidden
        Of the same shape, with proofs as for siblings.
    """
    aside = _aside(values, unseen)
    table = _Table(values, small, threshold, aside)
    for city, (_, hidden) in enumerate(below):
        table.hidden[city] = hidden.cells[-1]
    table.top()
    made = _Crown(table, below)
    for city in np.flatnonzero((table.hidden[:-1] & ~aside).any(axis=1)).tolist():
        made.protect(city)
    return Hidden(table.hidden, tuple(table.proofs), aside)


Step = tuple[int, int, float]
"""So many cases leave one column for another. The total's sign is the other way round: it gives when it grows."""


class _Crown:
    """Cities and their top while the top's pattern grows."""

    def __init__(self, table: _Table, below: Sequence[tuple[Array, Hidden]]) -> None:
        self.table, self._below = table, below
        self._total = table.values.shape[1] - 1
        self._outside = self._total + 1  # where a total's cases come from that has no parts
        self._room = np.zeros((len(below), self._total + 2, self._total + 2))
        """City × column given × column taken: how many can leave the one for the other in counties that show neither."""
        for city, (values, hidden) in enumerate(below):
            shut = hidden.cells[:-1] & hidden.cells[-1]
            shut = np.column_stack(
                [shut, shut[:, -1] if not self._total else np.zeros(len(shut), dtype=bool)]
            )
            counts = np.column_stack([values[:-1], values[:-1, -1]])
            counts[:, self._total] = values.sum() + table.threshold  # a total may grow as it likes
            both = shut[:, :, None] & shut[:, None, :]
            self._room[city] = (counts[:, :, None] * both).sum(axis=0)

    def protect(self, city: int) -> None:
        """See that all can be undone that the city's own row must be able to do."""
        values, hidden = self._below[city]
        asked: list[list[Step]] = []
        for places, added in hidden.proofs:
            moved = np.zeros(values.size)
            moved[places] = added
            steps = self._steps(moved.reshape(values.shape)[-1])
            if steps and steps not in asked:
                asked.append(steps)
        for steps in asked:
            self._prove(city, [(step, self._undone(city, step, steps)) for step in steps])

    def _steps(self, changes: Array) -> list[Step]:
        """A row's changes as steps from columns that lose to columns that win."""
        signed = np.append(changes, 0.0)
        signed[self._total] *= -1
        signed[self._outside] = -signed.sum()
        made: list[Step] = []
        for take in np.flatnonzero(signed > 0).tolist():
            for give in np.flatnonzero(signed < 0).tolist():
                many = float(min(signed[take], -signed[give]))
                if many > 0:
                    made.append((give, take, many))
                    signed[take] -= many
                    signed[give] += many
        return made

    def _undone(self, city: int, step: Step, steps: Sequence[Step]) -> list[tuple[int, int]]:
        """How a city's step is taken back: hops from the column that won to the one that gave, the cheapest to withhold.

        A hop between two columns is made by other cities, which costs nothing; one to and from the ground by the top's own
        figures.
        """
        give, take, _ = step
        room = self._room.sum(axis=0) - self._room[city]
        # Steps of one change may draw on the same counties: each hop must have room for all of them.
        possible = room >= sum(many for _, _, many in steps)
        if possible[take, give]:
            return [(take, give)]
        ground = self._outside + 1
        price = np.full((ground + 1, ground + 1), np.inf)
        price[:ground, :ground][possible] = 1e-6
        top = np.where(self.table.hidden[-1], 0.0, self.table.values[-1] + 1)
        top[-1] += _TOTAL * (not self.table.hidden[-1, -1])
        top = np.append(top, 0.0 if self._total else top[-1])  # what comes from outside shows in the total
        price[:ground, ground] = price[ground, :ground] = top
        hops = _path(price, take, give)
        shown = [
            min(column, self._total) for hop in hops if ground in hop for column in hop if column != ground
        ]
        self.table.hidden[-1, shown] = True
        self.table.close()
        return hops

    def _prove(self, city: int, undone: Sequence[tuple[Step, list[tuple[int, int]]]]) -> None:
        moved = np.zeros((len(self.table.values), self._outside + 2))
        room = self._room.copy()

        def move(row: int, give: int, take: int, many: float) -> None:
            moved[row, give] -= many
            moved[row, take] += many

        for (give, take, many), hops in undone:
            move(city, give, take, many)
            for start, end in hops:
                if self._outside + 1 in (start, end):
                    move(-1, end, start, many)
                    continue
                left = many
                for other in (number for number in range(len(room)) if number != city):
                    share = float(min(left, room[other, start, end]))
                    move(other, start, end, share)
                    room[other, start] -= share
                    left -= share
        moved[:, self._total] *= -1
        self.table.prove(moved[:, : self._outside])


_PARENT, _TOTAL = 1e6, 1e8
"""What it costs to withhold a figure of the parent, or a total, beside its own value: only where nothing else will do."""


class _Table:
    """One table while its pattern grows."""

    def __init__(self, values: Array, small: Small, threshold: int, aside: Flags) -> None:
        self.values, self.threshold = values, threshold
        self.marked = small(values) & ~aside
        self.hidden = self.marked.copy()
        if len(values) > 1:
            self.hidden[-1] |= small(values[:-1].sum(axis=0)) & ~aside
        self._named = ~aside[:-1]
        self.hidden |= aside
        self.parts = values.shape[1] - 1
        self.proofs: list[Deviation] = []

    def top(self) -> None:
        """The last row by itself: a small part is not its total less the other parts."""
        row, parts = self.hidden[-1], slice(None, self.parts)
        self.close()
        counts = self.values[-1, parts]
        for part in np.flatnonzero(row[parts] & self._named & (not row[-1])):
            for other in np.argsort(counts, kind="stable"):
                hidden = row[parts].copy()
                hidden[part] = False
                if hidden.any() and counts[hidden].sum() >= self.threshold - counts[part]:
                    break
                row[other] |= counts[other] > 0

    def close(self) -> None:
        """With its total a row shows none of its parts."""
        rows = self.hidden[:, -1]
        self.hidden[rows] |= self.values[rows] > 0
        self.hidden[-1] |= rows[-1]

    def prove(self, moved: Array) -> None:
        """Keep a table of differences that change nothing shown."""
        places = np.flatnonzero(moved)
        self.proofs.append((places, moved.ravel()[places]))

    def alone(self) -> None:
        """Totals without parts: small ones move against each other and the least that are not, else with the parent's."""
        counts, hidden = self.values[:-1, 0], self.hidden[:-1, 0]
        if not hidden.any():
            return
        for row in (-1, *np.argsort(counts, kind="stable")):
            if row >= 0:
                hidden[row] |= counts[row] > 0
            if enough := hidden.sum() > 1 and counts[hidden].sum() >= self.threshold:
                break
        self.hidden[-1] |= not enough
        rows = np.flatnonzero(hidden)
        for row in np.flatnonzero(self.marked[:, 0]):
            value, others = self.values[row, 0], rows[rows != row]
            for change in (-value, self.threshold - value):
                moved = np.zeros(self.values.shape)
                if row == len(counts):
                    moved[others, 0] = self._spread(others, change)
                    moved[row] = moved.sum()
                else:
                    moved[row] = change
                    if enough:
                        moved[others, 0] = self._spread(others, -change)
                    else:
                        moved[-1] = change
                if change:
                    self.prove(moved)

    def _spread(self, rows: NDArray[np.int64], change: float) -> Array:
        """A change of totals over rows: those that lose do so as far as they go, one by one; a gain is the first's."""
        counts = self.values[rows, 0]
        if change > 0:
            return np.where(np.arange(len(rows)) == 0, change, 0.0)
        lost: Array = -np.clip(-change - (counts.cumsum() - counts), 0, counts)
        return lost

    def protect(self) -> None:
        """See that every small cell can be nothing and the threshold; withhold what it takes."""
        parent = len(self.values) - 1
        # The parent's own and totals first: the rest can make use of what they withhold.
        cells = sorted(np.argwhere(self.marked).tolist(), key=lambda at: (at[0] < parent, at[1] < self.parts))
        for row, part in cells:
            if row < parent and part < self.parts and self._swap(row, part):
                continue
            value = self.values[row, part]
            for change in (-value, self.threshold - value):
                if change:
                    self._route(row, part, change)

    def _swap(self, row: int, part: int) -> bool:
        """The cheapest rectangle with one other sibling, or the parent where it shows neither, and one other part."""
        values, hidden = self.values[:, : self.parts], self.hidden[:, : self.parts]
        down, up = values[row, part], max(self.threshold - values[row, part], 0.0)
        cost = np.where(hidden, 0.0, values + 1)
        usable = hidden | (values > 0)
        here = usable[row] & (values[row] >= up)
        here[part] = False
        there = usable[:, [part]] & usable & (values[:, [part]] >= up) & (values >= down)
        there[-1] = hidden[-1, part] & hidden[-1]  # moves with the cell, not against it
        there[row] = False
        price = np.where(here & there, cost[row] + cost[:, [part]] + cost, np.inf)
        if not np.isfinite(price).any():
            return False
        # Of equals the parent, with which no other county need be withheld.
        donor, other = divmod(int(np.argmin(price[::-1])), price.shape[1])
        donor = len(price) - 1 - donor
        sign = 1 if donor == len(price) - 1 else -1
        self.hidden[np.ix_([row, donor], [part, other])] = True
        for change in (-down, up):
            if change:
                moved = np.zeros(self.values.shape)
                moved[row, [part, other]] = change, -change
                moved[donor, [part, other]] = sign * change, -sign * change
                self.prove(moved)
        return True

    def _route(self, row: int, part: int, change: float) -> None:
        """The cheapest way round the table for a change, case by case.

        With the signs of totals turned, rows and columns add to nothing: a change is a flow between rows and columns that
        comes back to where it began.
        """
        values, hidden = self.values, self.hidden
        sign = np.ones(values.shape)
        sign[:, -1] *= -1
        sign[-1] *= -1
        cost = values + 1.0
        cost[-1] += _PARENT
        cost[:, -1] += _TOTAL
        sign *= np.sign(change) * sign[row, part]
        moved = np.zeros(values.shape)
        left = abs(change)
        while left > 0:
            free = hidden | (values > 0)
            price = np.where(hidden, 1e-6, cost)
            has = values + moved > 0
            gains, loses = (np.where(free & (has | (sign * way > 0)), price, np.inf) for way in (1, -1))
            gains[row, part] = loses[row, part] = np.inf
            cells = _way(gains, loses, row, part)
            # As many as the cells on the way hold that have to give.
            many = min([left, *(values[at] + moved[at] for at, way in cells if way * sign[at] < 0)])
            moved[row, part] += many * sign[row, part]
            for at, way in cells:
                moved[at] += many * way * sign[at]
                hidden[at] = True
            left -= many
        self.prove(moved)


def _path(price: Array, start: int, end: int) -> list[tuple[int, int]]:
    """The cheapest way from one node to another, as hops."""
    reach, before = np.full(len(price), np.inf), np.full(len(price), start)
    reach[start] = 0.0
    while True:
        through = reach[:, None] + price
        best = through.min(axis=0)
        better = best < reach
        if not better.any():
            break
        reach[better], before[better] = best[better], through.argmin(axis=0)[better]
    hops = []
    while end != start:
        hops.append((int(before[end]), end))
        end = int(before[end])
    return hops[::-1]


def _way(gains: Array, loses: Array, row: int, part: int) -> list[tuple[tuple[int, int], int]]:
    """The cheapest path from a column to a row: cells that lose lead from columns to rows, those that gain back."""
    to_row, to_column = np.full(len(gains), np.inf), np.full(gains.shape[1], np.inf)
    from_column, from_row = np.zeros(len(gains), dtype=int), np.zeros(gains.shape[1], dtype=int)
    to_column[part] = 0.0
    while True:
        reach = to_column + loses
        best = reach.min(axis=1)
        better = best < to_row
        from_column[better], to_row[better] = reach.argmin(axis=1)[better], best[better]
        reach = to_row[:, None] + gains
        best = reach.min(axis=0)
        nearer = best < to_column
        from_row[nearer], to_column[nearer] = reach.argmin(axis=0)[nearer], best[nearer]
        if not better.any() and not nearer.any():
            break
    made = []
    while True:
        column = int(from_column[row])
        made.append(((row, column), -1))
        if column == part:
            return made
        row = int(from_row[column])
        made.append(((row, column), 1))
