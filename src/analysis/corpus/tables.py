"""Tables in running text (表格): rows drawn with ``|``, taken out of the text before its lines are joined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .trace import Edit, Traced

_ROW = re.compile(r"(?m)^[ \t\u3000]*\|?[^|\n]*(?:\|[^|\n]*)+$")
_RULE = re.compile(r"^[\s|:\-—=+]+$")
_NUMBER = re.compile(r"^[\d.,%％+\-—–/ ]*\d[\d.,%％]*\D{0,3}$|^[-—–/]*$")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text and its span in the source."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes
    ----------
    rows
        Rows of cells; the first is the head where it holds no number.
    caption
        The line above it, or ``None``.
    """

    rows: tuple[tuple[Cell, ...], ...]
    caption: str | None = None

    @property
    def start(self) -> int:
        """Offset of its first character in the source."""
        return min((cell.start for row in self.rows for cell in row), default=0)

    def records(self, doc_id: str, number: int) -> Iterable[dict[str, Any]]:
        """Its cells as rows of the table of tables."""
        headed = len(self.rows) > 1 and not any(
            _NUMBER.match(cell.text) for cell in self.rows[0][1:] if cell.text
        )
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                yield {
                    "doc_id": doc_id,
                    "table": number,
                    "row": r,
                    "column": c,
                    "row_head": row[0].text if c and not (headed and r == 0) else None,
                    "column_head": self.rows[0][c].text if headed and r and c < len(self.rows[0]) else None,
                    "text": cell.text,
                    "caption": self.caption,
                    "start": cell.start,
                    "end": cell.end,
                }


def take_tables(text: Traced) -> tuple[Traced, list[Table]]:
    """Cut the tables out of a text.

    Rows stand on lines of two or more cells, or (pages saved cell by cell) every cell stands on a line of its own
    that ends with ``|``; then the numbers tell where a row ends.
    """
    if text.value.count("|") < 4:
        return text, []
    tables, edits = [], []
    for block in _blocks(text.value):
        rows = [_cells(text, *span) for span in block if not _RULE.match(text.value[slice(*span)])]
        rows = [row for row in rows if any(cell.text for cell in row)]
        if sum(len(row) == 1 for row in rows) > 0.8 * len(rows):
            rows = _reflow([cell for row in rows for cell in row if cell.text])
        if len(rows) < 2 or max(map(len, rows)) < 2:
            continue
        tables.append(Table(tuple(tuple(row) for row in rows), _caption(text.value, block[0][0])))
        edits.append(Edit(block[0][0], block[-1][1]))
    return text.edit(edits), tables


def _blocks(value: str) -> Iterable[list[tuple[int, int]]]:
    """Runs of lines with cells; blank lines may stand between them."""
    block: list[tuple[int, int]] = []
    for match in _ROW.finditer(value):
        line = match[0].strip()
        if "。" in line and not line.startswith("|") and not line.endswith("|"):
            continue  # a sentence with bars in it
        if block and value[block[-1][1] : match.start()].strip():
            yield block
            block = []
        block.append(match.span())
    if block:
        yield block


def _cells(text: Traced, start: int, end: int) -> list[Cell]:
    cells = []
    line = text.value[start:end]
    at = start
    parts = line.split("|")
    for n, part in enumerate(parts):
        inner = part.strip()
        if inner or 0 < n < len(parts) - 1:
            lead = at + len(part) - len(part.lstrip()) if inner else at
            cells.append(Cell(inner, *text.span(lead, lead + len(inner))))
        at += len(part) + 1
    return cells


def _reflow(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Rows of a table of which only the order of the cells is left.

    Where the rows are numbered 1, 2, 3 the numbers tell their width; else the head ends before the first row's name.
    """
    texts = [cell.text for cell in cells]
    for one in (i for i, text in enumerate(texts) if text == "1"):
        for two in (i for i in range(one + 2, min(one + 40, len(texts))) if texts[i] == "2"):
            width = two - one
            if texts[two + width : two + width + 1] == ["3"]:
                head = [list(cells[:one])] if one == width else []
                return head + [list(cells[i : i + width]) for i in range(one, len(cells), width)]
    first = next((i for i, text in enumerate(texts) if _NUMBER.match(text)), len(cells))
    width = first - 1
    if width < 2 or len(cells) < 2 * width:
        return []
    return [list(cells[i : i + width]) for i in range(0, len(cells), width)]


def _caption(value: str, start: int) -> str | None:
    above = value[:start].rstrip().rsplit("\n", 1)[-1].strip()
    return above if 0 < len(above) <= 60 else None
