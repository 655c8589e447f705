"""Word of a brief (Word): the document as pandoc's own tree, written with our reference document.

Charts as PNG; Chinese fonts named for East Asian text; running header, table of contents and bookmarks in Word's own
terms; the same bytes for the same document.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

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
    Span,
    Table,
    Verbatim,
)
from .reference import FILE, RUNNING, still
from .widths import fit

_API = [1, 23, 1]
_DENSE = 8.0  # tables that need smaller type than this in PDF get the small style here
_CONTENTS = re.compile(r"<w:sdt>.*?</w:sdt>", re.DOTALL)
_FIELD = re.compile(r'<w:p><w:r><w:fldChar w:fldCharType="begin".*?</w:p>', re.DOTALL)

Node = dict[str, Any]


def write(document: Document, pictures: Mapping[str, bytes]) -> bytes:
    """The docx; ``pictures`` holds each figure's PNG by its name.

    Raises
    ------
    RenderError
        pandoc refused the document.
    """
    import pypandoc

    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for k, (name, png) in enumerate(pictures.items(), start=1):
            files[name] = f"figure{k}.png"
            (Path(folder) / files[name]).write_bytes(png)
        run = subprocess.run(
            [
                pypandoc.get_pandoc_path(),
                "-f",
                "json",
                "-t",
                "docx",
                "-o",
                "brief.docx",
                "--toc",
                "--toc-depth=2",
                "--reference-doc",
                str(FILE),
            ],
            input=json.dumps(tree(document, files), ensure_ascii=False).encode(),
            capture_output=True,
            cwd=folder,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(_epoch(document.meta.as_of))},
            check=False,
        )
        if run.returncode:
            raise RenderError(f"生成 Word 失败：{run.stderr.decode(errors='replace').strip()}")
        return _finished((Path(folder) / "brief.docx").read_bytes(), document)


def tree(document: Document, files: Mapping[str, str]) -> Node:
    """The document as pandoc's JSON tree; ``files`` names each figure's image file."""
    meta = document.meta
    fields = {"title": meta.title, "subtitle": meta.underline, "toc-title": "目录", "lang": "zh-CN"}
    if meta.as_of:
        fields["date"] = f"数据截至 {meta.as_of}"
    marks = [
        _styled(
            "Mark",
            [_para((Span("模拟数据　本简报由模拟数据生成，地名与数字均为虚构，仅用于演示与检验方法。"),))],
        )
    ]
    blocks = (marks if meta.simulated else []) + _blocks(document.blocks, files)
    values = {key: {"t": "MetaInlines", "c": [_str(value)]} for key, value in fields.items() if value}
    return {"pandoc-api-version": _API, "meta": values, "blocks": blocks}


def _blocks(blocks: Iterable[Block], files: Mapping[str, str]) -> list[Node]:
    return [node for block in blocks for node in _block(block, files)]


def _block(block: Block, files: Mapping[str, str]) -> list[Node]:
    match block:
        case Heading():
            text = [_str(block.number), *_inlines(block.spans)]
            return [{"t": "Header", "c": [block.level, _attr(block.id), text]}]
        case Paragraph():
            return [_para(block.spans)]
        case Finding():
            grade = [_str(f"〔{block.grade}〕")] if block.grade else []
            return [_styled("Finding", [{"t": "Para", "c": [_str("■ "), *_inlines(block.spans), *grade]}])]
        case Note():
            return [_styled("Note Box", [_para((Span(block.label + "　", "strong"), Span(block.text)))])]
        case Listing():
            items = [_tight(_blocks(item, files)) for item in block.items]
            if not block.ordered:
                return [{"t": "BulletList", "c": items}]
            return [{"t": "OrderedList", "c": [[1, {"t": "Decimal"}, {"t": "Period"}], items]}]
        case Quote():
            return [{"t": "BlockQuote", "c": _blocks(block.blocks, files)}]
        case Verbatim():
            return [{"t": "CodeBlock", "c": [_attr(), block.text]}]
        case Table():
            return [_table(block), *_remark(block.note)]
        case Figure():
            return [*_figure(block, files[block.name]), *_remark(block.note)]
        case Evidence():
            return [
                _styled(
                    "Evidence",
                    [{"t": "Para", "c": [_anchor(item.id), _str(item.text), _str(f"（{item.place}）")]}],
                )
                for item in block.items
            ]


def _figure(figure: Figure, file: str) -> list[Node]:
    size = [["width", f"{min(figure.width / 6.8, 1) * 16.4:.1f}cm"]]
    image = {"t": "Image", "c": [["", [], size], [_str(figure.alt)], [file, ""]]}
    if figure.number is None:
        return [{"t": "Para", "c": [image]}]
    caption = [_str(f"{figure.number}　{figure.caption}")]
    return [
        {
            "t": "Figure",
            "c": [_attr(figure.id), [None, [{"t": "Plain", "c": caption}]], [{"t": "Plain", "c": [image]}]],
        }
    ]


def _table(table: Table) -> Node:
    size, widths = fit(table)
    total = sum(widths)
    specs = [
        [
            {"t": "AlignRight" if column.numeric else "AlignLeft"},
            {"t": "ColWidth", "c": round(width / total, 4)},
        ]
        for column, width in zip(table.columns, widths, strict=True)
    ]
    dense = size < _DENSE

    def row(cells: Iterable[Cell], anchor: str | None = None, spans: Iterable[int] = ()) -> list[Any]:
        made = []
        widths = list(spans)
        for k, cell in enumerate(cells):
            text = _inlines((Span(cell.text, "", cell.href),))
            if anchor and k == 0:
                text = [_anchor(anchor), *text]
            block = _styled("Cell Small", [{"t": "Para", "c": text}]) if dense else {"t": "Plain", "c": text}
            made.append([_attr(), {"t": "AlignDefault"}, 1, widths[k] if widths else 1, [block]])
        return [_attr(), made]

    heads = [row(Cell(column.head) for column in table.columns)]
    if group := table.group_spans():
        heads.insert(0, row((Cell(text or "") for text, _ in group), None, (width for _, width in group)))
    anchors = table.anchors or (None,) * len(table.rows)
    rows = [row(cells, anchor) for cells, anchor in zip(table.rows, anchors, strict=True)]
    caption = (
        [{"t": "Plain", "c": [_anchor(table.id), _str(f"{table.number}　{table.caption}")]}]
        if table.number
        else []
    )
    return {
        "t": "Table",
        "c": [_attr(), [None, caption], specs, [_attr(), heads], [[_attr(), 0, [], rows]], [_attr(), []]],
    }


def _remark(note: str | None) -> list[Node]:
    return [_styled("Remark", [_para((Span(f"注：{note}"),))])] if note else []


def _inlines(spans: Inlines) -> list[Node]:
    return [_inline(span) for span in spans]


def _inline(span: Span) -> Node:
    if span.text == "\n":
        return {"t": "LineBreak"}
    node = {"t": "Code", "c": [_attr(), span.text]} if span.style == "code" else _str(span.text)
    if span.style in ("strong", "emphasis"):
        node = {"t": "Strong" if span.style == "strong" else "Emph", "c": [node]}
    return {"t": "Link", "c": [_attr(), [node], [span.href, ""]]} if span.href else node


def _str(text: str) -> Node:
    return {"t": "Str", "c": text}


def _para(spans: Inlines) -> Node:
    return {"t": "Para", "c": _inlines(spans)}


def _tight(blocks: list[Node]) -> list[Node]:
    return [{"t": "Plain", "c": block["c"]} if block["t"] == "Para" else block for block in blocks]


def _styled(style: str, blocks: list[Node]) -> Node:
    return {"t": "Div", "c": [["", [], [["custom-style", style]]], blocks]}


def _anchor(name: str) -> Node:
    return {"t": "Span", "c": [_attr(name), []]}


def _attr(name: str = "") -> list[Any]:
    return [name, [], []]


def _epoch(as_of: str | None) -> int:
    """Seconds of the data's date: the clock must not show. Zip cannot say years before 1980."""
    import datetime as dt

    day = dt.date.fromisoformat(as_of) if as_of else dt.date(1980, 1, 1)
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def _finished(archive: bytes, document: Document) -> bytes:
    """With the running header filled, the contents written out, and fixed times in the archive."""
    meta = document.meta
    running = "　".join(
        part for part in (meta.title, meta.underline, *(f"【{mark}】" for mark in meta.marks)) if part
    )
    source = zipfile.ZipFile(io.BytesIO(archive))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.startswith("word/header"):
                content = content.replace(RUNNING.encode(), escape(running).encode())
            elif entry.filename == "word/document.xml":
                content = _CONTENTS.sub(
                    lambda found: _contents(found[0], document), content.decode(), count=1
                ).encode()
            target.writestr(entry.filename, content)
    return still(buffer.getvalue())


def _contents(found: str, document: Document) -> str:
    """pandoc leaves the table of contents empty until Word refreshes it; here its entries are written beforehand."""
    shown = [heading for heading in document.headings if heading.level <= 2]
    if not shown:
        return ""
    entries = [
        f'<w:p><w:pPr><w:pStyle w:val="TOC{heading.level}"/></w:pPr>%s<w:hyperlink w:anchor="{escape(heading.id)}"><w:r>'
        f'<w:t xml:space="preserve">{escape(heading.number + "".join(span.text for span in heading.spans))}</w:t></w:r>'
        "</w:hyperlink>%s</w:p>"
        for heading in shown
    ]
    field = {mark: f'<w:r><w:fldChar w:fldCharType="{mark}"/></w:r>' for mark in ("begin", "separate", "end")}
    code = '<w:r><w:instrText xml:space="preserve">TOC \\o "1-2" \\h \\z \\u</w:instrText></w:r>'
    opening, closing = field["begin"] + code + field["separate"], field["end"]
    last = len(entries) - 1
    written = "".join(
        entry % (opening if k == 0 else "", closing if k == last else "") for k, entry in enumerate(entries)
    )
    return _FIELD.sub(lambda _: written, found, count=1)
