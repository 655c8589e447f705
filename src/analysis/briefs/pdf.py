"""PDF of a brief (PDF): the document laid out in Typst, in this process, with the fonts that came by wheel only.

Tagged and archivable (PDF/UA-1, PDF/A-3a), with bookmarks, text that can be searched, and the provenance attached.
The document is written as Typst straight away: going through pandoc would cost ten times the compilation itself.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from ..display import fonts, theme
from ..errors import RenderError
from .document import (
    Block,
    Cell,
    Document,
    Evidence,
    Figure,
    Finding,
    Heading,
    Inlines,
    Listing,
    Note,
    Paragraph,
    Quote,
    Table,
    Verbatim,
)
from .widths import fit

TEMPLATE = Path(__file__).parent / "templates" / "brief.typ"
STANDARDS = ["a-3a", "ua-1"]
_LONG = re.compile(r"[!-~·]{14,}")
_KEPT_WHOLE = 12  # tables of up to so many rows stay on one page


class PdfWriter:
    """Compiles briefs of a batch: fonts and template are read once."""

    def __init__(self) -> None:
        import typst

        folder = str(next(iter(fonts.paths().values())).parent)
        found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
        self._compiler = typst.Compiler(font_paths=found, ignore_system_fonts=True)
        self._template = TEMPLATE.read_text(encoding="utf-8")

    def write(self, document: Document) -> bytes:
        """The PDF; the same bytes for the same document.

        Raises
        ------
        RenderError
            Typst refused the document.
        """
        day = _day(document.meta.as_of)
        return self._compile(self._template + source(document), "pdf", pdf_standards=STANDARDS, timestamp=day)

    def png(self, figure: Figure, dpi: int = 200) -> bytes:
        """A chart as PNG, for Word."""
        if figure.png is not None:
            return figure.png
        page = (
            f"#set page(width: {figure.width}in, height: {figure.height}in, margin: 0pt)\n"
            f"#image(bytes({_string(figure.svg or '')}), width: 100%)"
        )
        return self._compile(page, "png", ppi=dpi)

    def _compile(self, text: str, kind: Literal["pdf", "png"], **options: Any) -> bytes:
        import typst

        try:
            made, warnings = self._compiler.compile_with_warnings(input=text.encode(), format=kind, **options)
        except typst.TypstError as error:
            raise RenderError(f"排版失败：{error.message}", hint="；".join(error.hints) or None) from error
        unknown = [warning.message for warning in warnings if "font family" in warning.message]
        if unknown:
            raise RenderError(f"排版用到了没有的字体：{unknown[0]}")
        return (
            made if isinstance(made, bytes) else b"".join(made or [])
        )  # a PNG of several pages comes as a list


def source(document: Document) -> str:
    """The document in Typst, to follow the template."""
    meta = document.meta
    day = _day(meta.as_of)
    colours = "".join(f'{name}: rgb("{value}"), ' for name, value in theme.load()["colours"].items())
    head = [
        f"#let colours = ({colours})",
        f"#show: brief.with(title: {_string(meta.title)}, underline: {_string(meta.underline)},",
        f"  as-of: {_string(meta.as_of) if meta.as_of else 'none'}, marks: ({''.join(_string(mark) + ', ' for mark in meta.marks)}),",
        f"  colours: colours, date: datetime(year: {day.year}, month: {day.month}, day: {day.day}),",
        f"  contents: {'true' if document.headings else 'false'})",
        f'#pdf.attach("provenance.json", bytes({_string(_json(meta.provenance))}), relationship: "data", '
        'mime-type: "application/json", description: "制作信息")',
    ]
    return "\n".join([*head, _blocks(document.blocks)])


def _blocks(blocks: Iterable[Block]) -> str:
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    match block:
        case Heading():
            mark = f"#label({_string(block.id)})" if block.id else ""
            return f"#heading(level: {block.level})[#{_string(block.number)}{_spans(block.spans)}]{mark}"
        case Paragraph():
            return f"#par[{_spans(block.spans)}]"
        case Finding():
            return f"#finding(colours, {_optional(block.grade)})[{_spans(block.spans)}]"
        case Note():
            colour = {"caution": "concern", "error": "accent"}.get(block.kind, "rule")
            return f"#note(colours, colours.{colour}, {_string(block.label)}, {_string(block.text)})"
        case Listing():
            items = "".join(f"[{_blocks(item)}]," for item in block.items)
            return f"#{'enum' if block.ordered else 'list'}({items})"
        case Quote():
            return f"#quote(block: true)[{_blocks(block.blocks)}]"
        case Verbatim():
            return f"#raw(block: true, {_string(block.text)})"
        case Table():
            return _table(block)
        case Figure():
            return _figure(block)
        case Evidence():
            return "\n".join(
                f"#quotation(colours, {_string(item.id)}, {_string(item.text)}, {_string(item.place)})"
                for item in block.items
            )


def _spans(spans: Inlines) -> str:
    return "".join(_span(span.text, span.style, span.href) for span in spans)


def _span(text: str, style: str, href: str | None) -> str:
    if text == "\n":
        return "#linebreak()"
    made = f"#{_string(text)}"
    if style == "strong":
        made = f"#strong[{made}]"
    elif style == "emphasis":
        made = f"#emph[{made}]"
    elif style == "code":
        made = f"#raw({_string(text)})"
    return _link(made, href)


def _link(made: str, href: str | None) -> str:
    if href is None:
        return made
    target = f"label({_string(href[1:])})" if href.startswith("#") else _string(href)
    return f"#link({target})[{made}]"


def _figure(figure: Figure) -> str:
    data = (
        _string(figure.svg) if figure.svg else "(" + "".join(f"{byte}," for byte in figure.png or b"") + ")"
    )
    drawn = f"image(bytes({data}), width: {min(figure.width / 6.8, 1):.0%}, alt: {_string(figure.alt)})"
    made = f"#picture(colours, {drawn}, {_optional(figure.number)}, {_optional(figure.caption)}, {_remark(figure.note)})"
    return f"#anchor({_string(figure.id)})\n{made}"


def _table(table: Table) -> str:
    size, widths = fit(table)
    columns = "".join(f"{width:.1f}pt, " for width in widths)
    aligns = "".join("right, " if column.numeric else "left, " for column in table.columns)
    group = "".join(f"({_string(text or '')}, {width}), " for text, width in table.group_spans())
    heads = "".join(f"[{_head(column.head)}], " for column in table.columns)
    rows = []
    for i, row in enumerate(table.rows):
        cells = [_cell(cell) for cell in row]
        if anchor := table.anchors[i] if table.anchors else None:
            cells[0] = f"[#anchor({_string(anchor)})#{cells[0]}]"
        rows.append(", ".join(cells))
        if i + 1 < len(table.rows):
            rows.append("table.hline(stroke: 0.3pt + colours.grid)")
    body = "".join(row + ",\n" for row in rows)
    return (
        f"#anchor({_string(table.id)})\n"
        f"#sheet(colours, {size}pt, ({columns}), {'false' if len(table.rows) <= _KEPT_WHOLE else 'true'}, ({aligns}), ({group}), ({heads}), (\n{body}), "
        f"{_optional(table.number)}, {_optional(table.caption)}, {_remark(table.note)})"
    )


def _cell(cell: Cell) -> str:
    text = _string(_breakable(cell.text))
    return text if cell.href is None else f"[{_link('#' + text, cell.href)}]"


def _breakable(text: str) -> str:
    """With places to break inside long Latin words (ids, paths), which else run over into the next column."""
    return _LONG.sub(lambda word: re.sub(r"([_./@·-])", "\\1\u200b", word[0]), text)


def _head(head: str) -> str:
    """A head whose bracketed unit is never torn."""
    name, bracket, unit = head.partition("（")
    return f"#{_string(name)}" + (f"#box[#{_string(bracket + unit)}]" if bracket else "")


def _remark(note: str | None) -> str:
    return _string(f"注：{note}") if note else "none"


def _optional(text: str | None) -> str:
    return "none" if text is None else _string(text)


def _string(text: str) -> str:
    """A Typst string literal: text never becomes markup."""
    escaped = (
        text.replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .replace("\t", " ")
        .replace("\r", "")
    )
    return f'"{escaped}"'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _day(as_of: str | None) -> dt.datetime:
    """The date inside the file: that of the data, since the clock must not show."""
    day = dt.date.fromisoformat(as_of) if as_of else dt.date(1970, 1, 1)
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
