"""Saved web pages (网页): main content by trafilatura, every character with its offset in the page's source.

Scripts and styles are never read. Tables that hold data stay tables.
"""

from __future__ import annotations

import html as entities
import re
from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np

from .source import Page
from .tables import Cell, Table
from .trace import Traced, join

_SKIPPED = {
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "iframe",
    "object",
    "select",
    "textarea",
    "button",
    "form",
}
_INLINE = {
    "a",
    "abbr",
    "b",
    "bdi",
    "big",
    "cite",
    "code",
    "em",
    "font",
    "i",
    "ins",
    "label",
    "mark",
    "q",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "tt",
    "u",
    "var",
    "wbr",
    "o:p",
    "st1",
}
_VOID = {
    "br",
    "hr",
    "img",
    "input",
    "meta",
    "link",
    "area",
    "base",
    "col",
    "embed",
    "source",
    "track",
    "wbr",
    "param",
}
_META_DATE = {"pubdate", "publishdate", "article:published_time", "firstpublishedtime", "date", "dc.date"}
_META_SOURCE = {"contentsource", "source", "mediaid"}
_META_TITLE = {"articletitle", "og:title", "dc.title"}
_SQUEEZE = re.compile(r"[\s\u3000\u00a0|]+")


def read_html(text: str) -> Page:
    """Read a saved page.

    Returns
    -------
    Page
        The main text, one block a line, with offsets into ``text``; its data tables; what its metadata state.
    """
    parser = _Blocks()
    parser.feed(text)
    parser.close()
    parser.finish()
    blocks = [block for block in parser.blocks if block.text.value.strip()]
    kept = _main(text, blocks)
    tables = [table for table in parser.tables if _is_data(table)]
    return Page(
        join(block.text for block in kept),
        tables=tables,
        title=_title(parser),
        published=_date(next((v for k, v in parser.meta if k in _META_DATE), None)),
        outlet=next(
            (v for k, v in parser.meta if k in _META_SOURCE and re.search(r"[\u4e00-\u9fff]", v)), None
        ),
    )


@dataclass(slots=True)
class _Block:
    text: Traced
    heading: bool
    link: bool = False


class _Blocks(HTMLParser):
    """Text of a page as blocks, with offsets; tables apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.blocks: list[_Block] = []
        self.tables: list[Table] = []
        self.meta: list[tuple[str, str]] = []
        self.title = ""
        self._lines = [0]
        self._text: list[str] = []
        self._origin: list[np.ndarray] = []
        self._skip: list[str] = []
        self._stack: list[list[list[Cell]]] = []
        self._cell = False
        self._in_title = False
        self._heading = False
        self._in_link = False
        self._linked = 0
        # Cells of a table that turns out to be layout are text; that is known at its end.
        self._pending: list[Traced] = []

    def feed(self, data: str) -> None:
        self._lines = [0, *(m.end() for m in re.finditer("\n", data))]
        super().feed(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta":
            values = dict(attrs)
            name = (values.get("name") or values.get("property") or "").lower()
            self.meta.append((name, (values.get("content") or "").strip()))
        elif tag == "title":
            self._in_title = True
        elif tag == "a":
            self._in_link = True
        if tag in _SKIPPED:
            self._skip.append(tag)
        if tag in _INLINE:
            return
        if tag == "table" and not self._skip:
            self._break()
            self._stack.append([])
        elif self._stack and tag == "tr":
            self._end_cell()
            self._stack[-1].append([])
        elif self._stack and tag in {"td", "th"}:
            self._end_cell()
            self._cell = True
        elif tag == "br" and self._cell:
            self._add(" ", self._at())
        elif not self._cell:
            self._break()
            self._heading = tag in {"h1", "h2", "h3"} or (self._heading and tag in _VOID)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag == "a":
            self._in_link = False
        if self._skip and tag == self._skip[-1]:
            self._skip.pop()
        if tag in _INLINE:
            return
        if self._stack and tag in {"td", "th"}:
            self._end_cell()
        elif self._stack and tag == "table":
            self._end_cell()
            rows = [tuple(row) for row in self._stack.pop() if row]
            if rows:
                self._table(
                    Table(tuple(rows), self.blocks[-1].text.value.strip()[:60] if self.blocks else None)
                )
        elif not self._cell:
            self._break()

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._skip:
            self._add(data, self._at(), len(data))

    def handle_entityref(self, name: str) -> None:
        self._entity(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._entity(f"&#{name};")

    def finish(self) -> None:
        """Close what the page left open."""
        self._end_cell()
        while self._stack:
            rows = [tuple(row) for row in self._stack.pop() if row]
            if rows:
                self._table(Table(tuple(rows)))
        self._break()

    def _entity(self, written: str) -> None:
        if self._in_title:
            self.title += entities.unescape(written)
        elif not self._skip:
            self._add(entities.unescape(written), self._at())

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[min(line, len(self._lines)) - 1] + column

    def _add(self, text: str, at: int, length: int = 1) -> None:
        """Text from one place: character for character, or (an entity) all from its first."""
        if self._in_link:
            self._linked += len(text.strip())
        self._text.append(text)
        if length == len(text) and length > 1:
            self._origin.append(np.arange(at, at + length, dtype=np.int32))
        else:
            self._origin.append(np.full(len(text), at, dtype=np.int32))

    def _take(self) -> Traced:
        text = Traced.of("")
        if self._text:
            value = re.sub(r"[\r\n\t]", " ", "".join(self._text))
            text = Traced(value, np.concatenate(self._origin)).strip()
        self._text, self._origin = [], []
        return text

    def _break(self) -> None:
        text = self._take()
        if text.value:
            self.blocks.append(_Block(text, self._heading, self._linked >= 0.8 * len(text)))
        self._heading = False
        self._linked = 0

    def _end_cell(self) -> None:
        if self._cell and self._stack:
            text = self._take()
            if not self._stack[-1]:
                self._stack[-1].append([])
            self._stack[-1][-1].append(Cell(text.value, *text.span(0, len(text))))
            self._pending.append(text)
        elif not self._stack:
            self._break()
        self._cell = False

    def _table(self, table: Table) -> None:
        if _is_data(table):
            self.tables.append(table)
        else:
            self.blocks.extend(_Block(text, False) for text in self._pending if text.value)
        self._pending = []


def _is_data(table: Table) -> bool:
    """Whether a table holds data and not the page's layout."""
    cells = [cell for row in table.rows for cell in row if cell.text]
    wide = [row for row in table.rows if len(row) > 1]
    if len(wide) < 2 or len(cells) < 4:
        return False
    return sum(len(cell.text) <= 40 for cell in cells) >= 0.9 * len(cells)


def _main(text: str, blocks: list[_Block]) -> list[_Block]:
    """The blocks that trafilatura takes for the content, with the title block above them."""
    import trafilatura

    extracted = trafilatura.extract(text, include_comments=False, include_tables=True, favor_recall=True)
    if not extracted:
        return blocks
    content = _SQUEEZE.sub("", extracted)
    inside = [_squeezed(block) in content for block in blocks]
    if not any(inside):
        return blocks
    long = [
        i for i, (block, ok) in enumerate(zip(blocks, inside, strict=True)) if ok and len(block.text) >= 20
    ]
    first, last = (
        (min(long), max(long)) if long else (inside.index(True), len(inside) - 1 - inside[::-1].index(True))
    )
    top = next((i for i in range(first, -1, -1) if blocks[i].heading), None)
    if top is None:
        top = first
        while top > max(0, first - 8) and not blocks[top - 1].link:
            top -= 1
    return [
        block
        for i, block in enumerate(blocks)
        if (top <= i < first and len(block.text) <= 120 and not block.link)
        or (first <= i <= last and (inside[i] or len(block.text) < 4))
        or (last < i <= last + 3 and inside[i])
    ]


def _squeezed(block: _Block) -> str:
    return _SQUEEZE.sub("", block.text.value)


def _title(parser: _Blocks) -> str | None:
    stated = next((v for k, v in parser.meta if k in _META_TITLE and v), "") or parser.title
    title = re.split(r"\s*[_|]\s*|\s+[-–—]+\s+", re.sub(r"\s+", " ", stated).strip())[0].strip()
    return title if re.search(r"[\u4e00-\u9fff]", title) else None


def _date(value: str | None) -> str | None:
    match = re.search(r"((?:19|20)\d{2})[-/.年](\d{1,2})[-/.月](\d{1,2})", value or "")
    return f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}" if match else None
