"""The neutral document (文档模型): what a brief says, free of code and of layout, the same for HTML, PDF and Word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Meta:
    """What is printed around a brief (简报的题头).

    Attributes
    ----------
    title, subtitle
        Title, and the line under it; the subtitle defaults to region and period.
    period, region
        Their Chinese names: 2024年3月, 示例省.
    as_of
        Date of the data, ``YYYY-MM-DD``; also the creation date inside PDF and Word (never the clock).
    classification
        公开 or 内部; 内部 prints a header on every page.
    simulated
        Prints the mark 模拟数据 on every page.
    provenance
        The reproducible part of the manifest, carried inside HTML and PDF.
    """

    title: str
    subtitle: str | None = None
    period: str | None = None
    region: str | None = None
    as_of: str | None = None
    classification: str = "公开"
    simulated: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def underline(self) -> str:
        """The line under the title."""
        return self.subtitle or "　".join(part for part in (self.region, self.period) if part)

    @property
    def marks(self) -> tuple[str, ...]:
        """Words of the running header: 内部资料, 模拟数据."""
        internal = ("内部资料",) if self.classification == "内部" else ()
        return internal + (("模拟数据",) if self.simulated else ())


@dataclass(frozen=True)
class Span:
    """A run of text: ``style`` is ``""``, ``strong``, ``emphasis`` or ``code``; ``href`` a link's target."""

    text: str
    style: str = ""
    href: str | None = None


Inlines = tuple[Span, ...]


@dataclass(frozen=True)
class Heading:
    """A heading: ``level`` 1 is a chapter; ``number`` is 一、（一） 1. and so on."""

    level: int
    number: str
    spans: Inlines
    id: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    spans: Inlines


@dataclass(frozen=True)
class Listing:
    """A bulleted or numbered list; an item is a sequence of blocks."""

    ordered: bool
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True)
class Quote:
    """A block quotation."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Verbatim:
    """Text shown as it is: printed output, literal blocks."""

    text: str


@dataclass(frozen=True)
class Finding:
    """A finding; ``grade`` is how far it reaches."""

    spans: Inlines
    grade: str | None


@dataclass(frozen=True)
class Note:
    """A remark set apart; ``kind`` as in ``display.note``, or ``error``."""

    kind: str
    label: str
    text: str


@dataclass(frozen=True)
class Column:
    """A column's head, the head it is grouped under, and whether its cells are numbers."""

    head: str
    group: str | None
    numeric: bool


@dataclass(frozen=True)
class Cell:
    """A cell as it prints."""

    text: str
    href: str | None = None


@dataclass(frozen=True)
class Table:
    """A table; without a caption it has no number (Markdown tables). ``anchors`` are ids of its rows."""

    name: str
    number: str | None
    caption: str | None
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str | None = None
    anchors: tuple[str | None, ...] = ()

    @property
    def id(self) -> str:
        """Target of links."""
        return f"t-{self.name}"

    def group_spans(self) -> list[tuple[str | None, int]]:
        """The upper head row as (text, columns); empty when no column is grouped."""
        if not any(column.group for column in self.columns):
            return []
        spans: list[tuple[str | None, int]] = []
        for column in self.columns:
            if spans and column.group is not None and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans


@dataclass(frozen=True)
class Figure:
    """A chart as SVG or PNG, with its width and height in inches."""

    name: str
    number: str | None
    caption: str | None
    alt: str
    svg: str | None = None
    png: bytes | None = None
    note: str | None = None
    width: float = 6.8
    height: float = 3.4

    @property
    def id(self) -> str:
        """Target of links."""
        return f"f-{self.name}"


@dataclass(frozen=True)
class Quotation:
    """A piece of evidence: id, the words, and where they stand."""

    id: str
    text: str
    place: str


@dataclass(frozen=True)
class Evidence:
    """Sentences and rows that numbers link to."""

    items: tuple[Quotation, ...]


Block = Heading | Paragraph | Listing | Quote | Verbatim | Finding | Note | Table | Figure | Evidence


@dataclass(frozen=True)
class Document:
    """A brief before it is laid out.

    Attributes
    ----------
    meta, blocks
        Its head and its body in order.
    parts
        The machine-readable parts by kind, as the notebook emitted them.
    warnings
        What was left out or changed on the way, in Chinese.
    """

    meta: Meta
    blocks: tuple[Block, ...]
    parts: Mapping[str, tuple[Mapping[str, Any], ...]]
    warnings: tuple[str, ...]

    def __deepcopy__(self, memo: object) -> Document:
        # Nothing in it changes; nbconvert copies what it is handed.
        return self

    @property
    def headings(self) -> list[Heading]:
        """For the table of contents."""
        return [block for block in self.blocks if isinstance(block, Heading)]

    @property
    def tables(self) -> list[Table]:
        """All tables."""
        return [block for block in walk(self.blocks) if isinstance(block, Table)]

    @property
    def figures(self) -> list[Figure]:
        """All charts."""
        return [block for block in walk(self.blocks) if isinstance(block, Figure)]

    def text(self) -> str:
        """Every character that the writers print, for the check of glyphs and the subset of fonts."""
        meta = self.meta
        pieces = [meta.title, meta.underline, *meta.marks, meta.as_of or ""]
        for block in walk(self.blocks):
            pieces += _texts(block)
        pieces += ["".join(part["words"]) for part in self.parts.get("chart", ())]
        return "\n".join(pieces)


def walk(blocks: Iterable[Block]) -> Iterator[Block]:
    """All blocks, those inside lists and quotations too."""
    for block in blocks:
        yield block
        if isinstance(block, Quote):
            yield from walk(block.blocks)
        elif isinstance(block, Listing):
            for item in block.items:
                yield from walk(item)


def _texts(block: Block) -> list[str]:
    if isinstance(block, Heading):
        return [block.number, *(span.text for span in block.spans)]
    if isinstance(block, Paragraph):
        return [span.text for span in block.spans]
    if isinstance(block, Finding):
        return [*(span.text for span in block.spans), block.grade or ""]
    if isinstance(block, Verbatim):
        return [block.text]
    if isinstance(block, Note):
        return [block.label, block.text]
    if isinstance(block, Table):
        heads = [text for column in block.columns for text in (column.head, column.group or "")]
        return [
            block.caption or "",
            block.note or "",
            *heads,
            *(cell.text for row in block.rows for cell in row),
        ]
    if isinstance(block, Figure):
        return [block.caption or "", block.note or ""]
    if isinstance(block, Evidence):
        return [text for item in block.items for text in (item.id, item.text, item.place)]
    return []
