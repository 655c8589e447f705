"""Suppression among siblings (同级抑制): what one city's data alone decide about its counties, the same in every brief.

A table is a city's counties by parts (a split, or numerator and rest), with each county's total, the city's parts and the
city's total. All of these are taken as published. A small cell is protected by a *swap*: it, another part of the same county,
and both parts of other counties are not shown, so that cases can be moved round the rectangle without changing any total.
Because no total moves, no table above can undo it, and no other city's data are needed. Only where the city's own figure is
small or a swap cannot be had, the city's figure is withheld too, and :func:`crown` decides what the province withholds.
"""

from __future__ import annotations

from collections.abc import Callable
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
    aside = np.zeros(values.shape[1], dtype=bool)
    if unseen is not None:
        # Where nothing is left unnamed there is nothing to hide behind.
        aside[:-1] = unseen & (values.sum(axis=0) > 0)[:-1]
    table = _Table(values, small, threshold, aside)
    if not table.marked.any():
        return Hidden(table.hidden, unseen=aside)
    table.parent()
    table.totals()
    for row, part in np.argwhere(table.marked[:-1, :-1]):
        table.protect(int(row), int(part))
    return Hidden(table.hidden, tuple(table.proofs), aside)


def crown(values: Array, hidden: Flags, small: Small, threshold: int, unseen: Flags | None = None) -> Flags:
    """What the top (the province) does not show, given what its cities do not: parts, last the total.

    A city's figures that are withheld can be moved against those of cities that withhold the same, if these hold at least
    the threshold; where there are none, the top withholds these parts as well.
    """
    aside = np.zeros(values.shape[1], dtype=bool)
    if unseen is not None:
        aside[:-1] = unseen
    table = _Table(values, small, threshold, aside)
    table.hidden[:-1] = hidden
    table.parent()
    top = table.hidden[-1]
    for row in np.flatnonzero((hidden & ~aside).any(axis=1)):
        own = hidden[row] & ~aside
        others = [other for other in range(len(hidden)) if other != row and (hidden[other] >= own).all()]
        if (values[others][:, own].sum(axis=0) < threshold).any():
            top |= own
    return top


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

    def parent(self) -> None:
        """The parent's own row: a small part is not its total less the other parts."""
        row, parts = self.hidden[-1], slice(None, self.parts)
        if row[-1]:
            row[:] = True
            return
        counts = self.values[-1, parts]
        for part in np.flatnonzero(row[parts] & self._named):
            for other in np.argsort(counts, kind="stable"):
                hidden = row[parts].copy()
                hidden[part] = False
                if hidden.any() and counts[hidden].sum() >= self.threshold - counts[part]:
                    break
                row[other] |= counts[other] > 0

    def totals(self) -> None:
        """Totals of siblings: a small one is not the parent's less the others'. With its total a row shows none of its parts."""
        small = np.flatnonzero(self.marked[:-1, -1])
        if len(small) and not self.hidden[-1, -1]:
            counts = self.values[:-1, -1]
            for row in small.tolist():
                for other in (-1, *np.argsort(counts, kind="stable")):
                    if other >= 0:
                        self.hidden[other, -1] |= counts[other] > 0
                    donors = self._without(row)
                    if counts[donors].sum() >= self.threshold:
                        break
                else:
                    self.hidden[-1] = True
        rows = self.hidden[:, -1]
        self.hidden[rows] |= self.values[rows] > 0
        for row in small.tolist():
            self._prove(row, self.parts, [(int(donor), self.parts) for donor in self._without(row)])

    def _without(self, row: int) -> NDArray[np.int64]:
        """Siblings but one whose totals are not shown."""
        others = np.flatnonzero(self.hidden[:-1, -1])
        return others[others != row]

    def protect(self, row: int, part: int) -> None:
        """Find a swap for one small cell; withhold what it takes."""
        if self.marked[row, -1]:
            self._beside_total(row, part)
            return
        if not self._swap(row, part) and not self._several(row, part):
            self._through_parent(row, part)

    def _beside_total(self, row: int, part: int) -> None:
        """A row without its total: the part moves against the same part of other such rows, else against the parent's."""
        donors = self._without(row)
        if not self.hidden[-1, -1] and self.values[donors, part].sum() < self.threshold:
            self.hidden[-1, : self.parts] |= self.values[-1, : self.parts] > 0
        self._prove(row, part, [(int(donor), part) for donor in donors], whole=True)

    def _swap(self, row: int, part: int) -> bool:
        """The cheapest rectangle with one other sibling and one other part."""
        values, hidden = self.values[:-1, : self.parts], self.hidden[:-1, : self.parts]
        down, up = values[row, part], max(self.threshold - values[row, part], 0.0)
        cost = np.where(hidden, 0.0, values + 1)
        usable = hidden | (values > 0)
        here = usable[row] & (values[row] >= up)
        here[part] = False
        there = usable[:, [part]] & usable & (values[:, [part]] >= up) & (values >= down)
        there[row] = False
        price = np.where(here & there, cost[row] + cost[:, [part]] + cost, np.inf)
        if self.hidden[-1, part]:
            # The parent's own figures may move with it.
            free = np.where(here & self.hidden[-1, : self.parts], cost[row], np.inf)
            if free.min(initial=np.inf) <= price.min(initial=np.inf) and np.isfinite(free).any():
                other = int(np.argmin(free))
                self.hidden[row, other] = True
                self._prove(row, part, [(-1, part)], [other])
                return True
        if not np.isfinite(price).any():
            return False
        donor, other = divmod(int(np.argmin(price)), price.shape[1])
        self.hidden[row, other] = self.hidden[donor, part] = self.hidden[donor, other] = True
        self._prove(row, part, [(donor, part)], [other])
        return True

    def _several(self, row: int, part: int) -> bool:
        """Rectangles with several siblings that together hold enough."""
        values, hidden = self.values[:-1, : self.parts], self.hidden[:-1, : self.parts]
        down, up = values[row, part], max(self.threshold - values[row, part], 0.0)
        best: tuple[float, int, list[int]] | None = None
        here = (hidden[row] | (values[row] > 0)) & (values[row] >= up)
        here[part] = False
        for other in (int(number) for number in np.flatnonzero(here)):
            rows = np.flatnonzero((values[:, part] > 0) & (values[:, other] > 0))
            rows = rows[rows != row]
            rows = rows[np.argsort(-np.minimum(values[rows, part], values[rows, other]), kind="stable")]
            enough = np.flatnonzero(
                (values[rows, part].cumsum() >= up) & (values[rows, other].cumsum() >= down)
            )
            if len(enough):
                chosen = rows[: enough[0] + 1]
                price = float(np.where(hidden, 0, values + 1)[chosen][:, [part, other]].sum())
                if best is None or price < best[0]:
                    best = (price, other, [int(donor) for donor in chosen])
        if best is None:
            return False
        _, other, donors = best
        self.hidden[row, other] = True
        self.hidden[donors, part] = self.hidden[donors, other] = True
        self._prove(row, part, [(donor, part) for donor in donors], [other])
        return True

    def _through_parent(self, row: int, part: int) -> None:
        """No swap among siblings: the parent withholds the parts between which the row moves."""
        counts = self.values[row, : self.parts].copy()
        counts[part] = 0
        order = np.argsort(-counts, kind="stable")
        up = max(self.threshold - self.values[row, part], 0.0)
        last = int(np.argmax(counts[order].cumsum() >= up))
        others = [int(other) for other in order[: last + 1] if counts[other] > 0]
        self.hidden[row, others] = True
        self.hidden[-1, [part, *others]] = True
        self._prove(row, part, [(-1, part)], others)

    def _prove(
        self,
        row: int,
        part: int,
        donors: list[tuple[int, int]],
        others: list[int] | None = None,
        *,
        whole: bool = False,
    ) -> None:
        """Two tables: one in which the cell is 0, one in which it is the threshold."""
        value = self.values[row, part]
        for aim in (0.0, float(self.threshold)):
            change = aim - value
            if change == 0 or (aim > 0 and change < 0):
                continue
            moved = np.zeros(self.values.shape)
            if part == self.parts:
                self._shift_total(moved, row, change, donors)
            elif whole:
                self._shift_whole(moved, row, part, change, donors)
            else:
                self._shift(moved, row, part, change, donors, others or [])
            places = np.flatnonzero(moved)
            self.proofs.append((places, moved.ravel()[places]))

    def _shift(
        self,
        moved: Array,
        row: int,
        part: int,
        change: float,
        donors: list[tuple[int, int]],
        others: list[int],
    ) -> None:
        moved[row, part] += change
        left = change
        for other in others:
            step = max(left, 0.0) if len(others) == 1 else min(left, self.values[row, other])
            step = left if change < 0 else step
            moved[row, other] -= step
            self._spread(moved, part, other, step, donors)
            left -= step

    def _spread(
        self, moved: Array, part: int, other: int, step: float, donors: list[tuple[int, int]]
    ) -> None:
        """Undo a step of one row in its two columns, by the donors."""
        if donors[0][0] == -1:
            # The parent's figures are what changes.
            moved[-1, part] += step
            moved[-1, other] -= step
            return
        left = abs(step)
        gives = part if step > 0 else other
        for donor, _ in donors:
            give = min(left, self.values[donor, gives] + moved[donor, gives])
            moved[donor, part] -= np.sign(step) * give
            moved[donor, other] += np.sign(step) * give
            left -= give

    def _shift_total(self, moved: Array, row: int, change: float, donors: list[tuple[int, int]]) -> None:
        """A row without its total changes in its largest part, donors in theirs, so that no part of the parent changes."""
        if self.parts:
            return  # the parts' own proofs say more
        moved[row, -1] += change
        if self.hidden[-1, -1]:
            moved[-1, -1] += change
            return
        self._give(moved, [(donor, -1) for donor, _ in donors], change)

    def _shift_whole(
        self, moved: Array, row: int, part: int, change: float, donors: list[tuple[int, int]]
    ) -> None:
        moved[row, part] += change
        moved[row, -1] += change
        if self.hidden[-1, -1]:
            moved[-1, part] += change
            moved[-1, -1] += change
            return
        left = change
        # First of the same part, then of others, between which the parent's own figures move.
        for other in (part, *(other for other in range(self.parts) if other != part)):
            for donor in (donor for donor, _ in donors if self.hidden[donor, other]):
                step = min(left, self.values[donor, other]) if change > 0 else left
                moved[donor, other] -= step
                moved[donor, -1] -= step
                moved[-1, other] -= step
                moved[-1, part] += step
                left -= step

    def _give(self, moved: Array, donors: list[tuple[int, int]], change: float) -> None:
        """Take a change back from the donors."""
        left = abs(change)
        for place in donors:
            give = min(left, self.values[place]) if change > 0 else left
            moved[place] -= np.sign(change) * give
            left -= give
