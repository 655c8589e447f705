"""Traced text (可追溯文本): a string in which every character knows where in the source file it stood.

Cleaning is a chain of functions from :class:`Traced` to :class:`Traced`. Each one states its change as a list of
edits; the offsets follow by themselves, so that no step can lose them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int32]


class Edit(NamedTuple):
    """Put ``text`` in the place of ``value[start:end]``."""

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A text and its origin (文本及其来处).

    Attributes
    ----------
    value
        The text.
    origin
        One offset a character into the decoded source (int32, never decreasing). A character that cleaning put in
        (a line end between paragraphs, a redaction mark) carries the offset of what it stands for.
    """

    value: str
    origin: Offsets

    @classmethod
    def of(cls, text: str, start: int = 0) -> Traced:
        """A text as received: every character is its own origin."""
        return cls(text, np.arange(start, start + len(text), dtype=np.int32))

    def __len__(self) -> int:
        return len(self.value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Traced):
            return NotImplemented
        return self.value == other.value and bool(np.array_equal(self.origin, other.origin))

    def __getitem__(self, part: slice) -> Traced:
        return Traced(self.value[part], self.origin[part])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Source offsets that ``value[start:end]`` came from, as a half-open span.

        An empty span lies where its place lies.
        """
        if start >= end:
            at = int(self.origin[min(start, len(self) - 1)]) if len(self) else 0
            return at, at
        return int(self.origin[start]), int(self.origin[end - 1]) + 1

    def edit(self, edits: Sequence[Edit]) -> Traced:
        """Apply edits that are in order and do not overlap.

        Text of the replaced span's length keeps its offsets one to one; any other text takes the offset of the
        span's first character (for an insertion, of the character before it).
        """
        if not edits:
            return self
        text: list[str] = []
        origin: list[Offsets] = []
        at = 0
        for start, end, new in edits:
            text.append(self.value[at:start])
            origin.append(self.origin[at:start])
            if new:
                text.append(new)
                if len(new) == end - start:
                    origin.append(self.origin[start:end])
                else:
                    anchor = start if end > start else max(start - 1, 0)
                    origin.append(np.full(len(new), self.origin[anchor] if len(self) else 0, dtype=np.int32))
            at = end
        text.append(self.value[at:])
        origin.append(self.origin[at:])
        return Traced("".join(text), np.concatenate(origin))

    def sub(self, pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str] = "") -> Traced:
        """Replace every match; a string is taken literally."""
        found = pattern.finditer(self.value)
        if isinstance(new, str):
            return self.edit([Edit(m.start(), m.end(), new) for m in found])
        return self.edit([Edit(m.start(), m.end(), new(m)) for m in found])

    def translate(self, table: dict[int, str]) -> Traced:
        """Map characters one to one.

        Raises
        ------
        ValueError
            The table maps a character to another length.
        """
        value = self.value.translate(table)
        if len(value) != len(self.value):
            raise ValueError("a character map must keep the length")
        return Traced(value, self.origin)

    def strip(self) -> Traced:
        """Without white space at both ends."""
        start = len(self.value) - len(self.value.lstrip())
        return self[start : max(start, len(self.value.rstrip()))]

    def lines(self) -> Iterator[Traced]:
        """The lines, without their ends."""
        start = 0
        for line in self.value.split("\n"):
            yield self[start : start + len(line)]
            start += len(line) + 1

    def runs(self) -> list[tuple[int, int, int]]:
        """The origin as (start in the text, start in the source, length), the form in which it is stored."""
        if not len(self):
            return []
        step = np.diff(self.origin)
        cuts = np.flatnonzero(step != 1) + 1
        starts = np.concatenate(([0], cuts))
        lengths = np.diff(np.concatenate((starts, [len(self)])))
        return [
            (int(a), int(o), int(n)) for a, o, n in zip(starts, self.origin[starts], lengths, strict=True)
        ]

    @classmethod
    def from_runs(cls, text: str, runs: Iterable[Sequence[int]]) -> Traced:
        """The inverse of :meth:`runs`."""
        origin = np.empty(len(text), dtype=np.int32)
        for at, source, length in runs:
            origin[at : at + length] = np.arange(source, source + length, dtype=np.int32)
        return cls(text, origin)


def join(parts: Iterable[Traced], mark: str = "\n") -> Traced:
    """Put texts together with a mark between them; the mark's origin is the end of the text before it."""
    text: list[str] = []
    origin: list[Offsets] = []
    for part in parts:
        if text and mark:
            last = next((o[-1] for o in reversed(origin) if len(o)), 0)
            text.append(mark)
            origin.append(np.full(len(mark), last, dtype=np.int32))
        text.append(part.value)
        origin.append(part.origin)
    if not text:
        return Traced.of("")
    return Traced("".join(text), np.concatenate(origin).astype(np.int32, copy=False))
