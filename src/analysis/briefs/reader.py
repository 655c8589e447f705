"""From an executed notebook to the neutral document (读笔记本).

``read`` walks the cells once: Markdown cells and outputs become blocks, chapters, tables and figures get their
numbers, links that lead nowhere lose their target. Code is never read.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..display.results import format_value
from ..display.session import mime
from ..display.tables import cell_texts, head_text
from . import prose
from .document import (
    Block,
    Cell,
    Column,
    Document,
    Evidence,
    Figure,
    Finding,
    Heading,
    Inlines,
    Listing,
    Meta,
    Note,
    Paragraph,
    Quotation,
    Quote,
    Span,
    Table,
    Verbatim,
    walk,
)


def read(notebook: Mapping[str, Any], meta: Meta) -> Document:
    """The document of an executed notebook.

    Parameters
    ----------
    notebook
        An nbformat 4 notebook. Cells tagged ``remove`` or ``hide`` are left out; code is never read.
    meta
        What is printed around it. A level-1 heading at the notebook's head gives way to ``meta.title``.
    """
    reader = _Reader()
    for position, cell in enumerate(notebook["cells"], start=1):
        if {"remove", "hide"} & set(cell.get("metadata", {}).get("tags", [])):
            continue
        if cell["cell_type"] == "markdown":
            reader.markdown(_joined(cell["source"]))
        elif cell["cell_type"] == "code":
            for output in cell.get("outputs", []):
                reader.output(output, position)
    return reader.document(meta)


class _Reader:
    """Collects blocks and parts; numbers and links are settled at the end, when all of them are known."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.parts: dict[str, list[Mapping[str, Any]]] = {}
        self.warnings: list[str] = []
        self.quoted: set[str] = set()

    def markdown(self, source: str) -> None:
        self.blocks += prose.blocks(source, self.warnings)

    def output(self, output: Mapping[str, Any], position: int) -> None:
        kind = output["output_type"]
        if kind == "error":
            message = f"第 {position} 个单元执行出错：{output.get('ename')}：{output.get('evalue')}"
            self.blocks.append(Note("error", "未完成", message))
        elif kind == "stream":
            if output.get("name") == "stderr":
                self.warnings.append(f"第 {position} 个单元的错误流输出没有进入简报")
            elif text := _joined(output["text"]).strip("\n"):
                self.blocks.append(Verbatim(text))
        else:
            self.data(output["data"], position)

    def data(self, data: Mapping[str, Any], position: int) -> None:
        for kind, take in (
            ("result", None),
            ("finding", self.finding),
            ("table", self.table),
            ("evidence", self.evidence),
            ("note", self.note),
        ):
            if mime(kind) in data:
                part = data[mime(kind)]
                self.parts.setdefault(kind, []).append(part)
                if take is not None:
                    take(part)
                return
        if mime("chart") in data:
            self.chart(data[mime("chart")], data)
        elif "text/markdown" in data:
            self.markdown(_joined(data["text/markdown"]))
        elif "image/svg+xml" in data or "image/png" in data:
            self.picture(data, position)
        elif "text/html" in data and "<table" in _joined(data["text/html"]):
            self.blocks += prose.html_tables(_joined(data["text/html"]))
        elif any(key.startswith("application/vnd.jupyter.widget") for key in data):
            self.warnings.append(f"第 {position} 个单元的交互控件没有进入简报")
        elif text := _joined(data.get("text/plain", "")):
            self.blocks.append(Verbatim(text))

    def finding(self, part: Mapping[str, Any]) -> None:
        spans = tuple(
            Span(piece["text"], href=f"#r-{piece['result']}" if "result" in piece else None)
            for piece in part["parts"]
        )
        self.blocks.append(Finding(spans, part["grade"]))

    def note(self, part: Mapping[str, Any]) -> None:
        self.blocks.append(Note(part["kind"], part["label"], part["text"]))

    def table(self, part: Mapping[str, Any]) -> None:
        columns = tuple(
            Column(head_text(column), column["group"], column["kind"] == "number")
            for column in part["columns"]
        )
        links = part.get("links", {})
        rows = tuple(
            tuple(Cell(text, links[str(k)][i] if str(k) in links else None) for k, text in enumerate(row))
            for i, row in enumerate(cell_texts(part))
        )
        anchors = tuple(part.get("anchors") or ())
        self.blocks.append(Table(part["name"], "", part["caption"], columns, rows, part["note"], anchors))

    def evidence(self, part: Mapping[str, Any]) -> None:
        # Two chapters may rest on the same sentence: it is listed once, and both link to it.
        items = tuple(_quotation(row) for row in part["rows"] if row["id"] not in self.quoted)
        self.quoted.update(row["id"] for row in part["rows"])
        if items:
            self.blocks.append(Evidence(items))
        elif part["rows"]:
            self.markdown("所依据的语句均已列于前文。")

    def chart(self, part: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        self.parts.setdefault("chart", []).append(part)
        svg, png = _image(data)
        shape = {"width": part["width"], "height": part["height"]}
        self.blocks.append(
            Figure(part["name"], "", part["caption"], part["alt"], svg, png, part["note"], **shape)
        )

    def picture(self, data: Mapping[str, Any], position: int) -> None:
        """An image that no ``display.chart`` made: shown, but without number, and said."""
        self.warnings.append(f"第 {position} 个单元的图没有经 display.chart 输出，缺少图题与替代文本")
        svg, png = _image(data)
        self.blocks.append(
            Figure(f"cell-{position}-{len(self.blocks)}", None, None, "未加说明的图", svg, png)
        )

    def document(self, meta: Meta) -> Document:
        blocks = _numbered(self.blocks)
        results = self.parts.get("result", [])
        if results:
            blocks += _lineage(results, blocks)
        targets = set(_targets(blocks))
        blocks = [_linked(block, targets, self.warnings) for block in blocks]
        parts = {kind: tuple(found) for kind, found in self.parts.items()}
        return Document(meta, tuple(blocks), parts, tuple(dict.fromkeys(self.warnings)))


def _joined(source: Any) -> str:
    return "".join(source) if isinstance(source, list) else str(source)


def _image(data: Mapping[str, Any]) -> tuple[str | None, bytes | None]:
    if "image/svg+xml" in data:
        svg = _joined(data["image/svg+xml"])
        return svg[svg.index("<svg") :], None
    return None, base64.b64decode(_joined(data["image/png"]))


def _quotation(row: Mapping[str, Any]) -> Quotation:
    span = "" if row["start"] is None else f"，第 {row['start']}–{row['end']} 字"
    return Quotation(f"e-{row['id']}", str(row["text"]), f"{row['source']}{span}")


# --- numbers -----------------------------------------------------------------------------------------------------

_WRITTEN_NUMBER = re.compile(
    r"^\s*(?:[一二三四五六七八九十]+、|（[一二三四五六七八九十]+）|\d+(?:\.\d+)*[.、．]\s*)"
)
_DIGITS = "〇一二三四五六七八九"


def chinese(number: int) -> str:
    """1 … 99 in Chinese: 一, 十, 二十一."""
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def _numbered(blocks: list[Block]) -> list[Block]:
    """Chapters 一、（一） 1.; tables 表1 …, figures 图1 … in order; a title heading at the head is dropped."""
    if blocks and isinstance(blocks[0], Heading) and blocks[0].level == 1:
        blocks = blocks[1:]
    top = min((block.level for block in blocks if isinstance(block, Heading)), default=1)
    counts = [0] * 6
    tables = figures = 0
    numbered: list[Block] = []
    for block in blocks:
        if isinstance(block, Heading):
            level = block.level - top + 1
            counts[level - 1] += 1
            counts[level:] = [0] * (6 - level)
            block = replace(
                block,
                level=level,
                number=_heading_number(level, counts),
                spans=_unnumbered(block.spans),
                id="s-" + "-".join(str(count) for count in counts[:level]),
            )
        elif isinstance(block, Table) and block.caption:
            tables += 1
            block = replace(block, number=f"表{tables}")
        elif isinstance(block, Table):
            block = replace(block, name=f"block-{len(numbered)}")
        elif isinstance(block, Figure) and block.caption:
            figures += 1
            block = replace(block, number=f"图{figures}")
        numbered.append(block)
    return numbered


def _heading_number(level: int, counts: list[int]) -> str:
    count = counts[level - 1]
    return {1: f"{chinese(count)}、", 2: f"（{chinese(count)}）", 3: f"{count}. "}.get(level, f"（{count}）")


def _unnumbered(spans: Inlines) -> Inlines:
    """Without a number written by hand, since chapters are numbered here."""
    return (replace(spans[0], text=_WRITTEN_NUMBER.sub("", spans[0].text)), *spans[1:]) if spans else spans


def _lineage(results: Iterable[Mapping[str, Any]], blocks: list[Block]) -> list[Block]:
    """The closing table that links of numbers lead to: every named result, its interval, definition and source."""
    chapters = sum(isinstance(block, Heading) and block.level == 1 for block in blocks)
    tables = sum(isinstance(block, Table) and block.number is not None for block in blocks)
    unique = {part["name"]: part for part in results}.values()
    heading = Heading(1, f"{chinese(chapters + 1)}、", (Span("数字出处"),), f"s-{chapters + 1}")
    columns = tuple(
        Column(head, None, numeric)
        for head, numeric in (
            ("名称", False),
            ("数值", True),
            ("样本量", True),
            ("区间", True),
            ("口径", False),
            ("来源", False),
        )
    )
    rows = tuple(
        (
            Cell(part["name"]),
            Cell(part["text"]),
            Cell(format_value(part["n"])),
            Cell(_interval(part)),
            Cell(
                str(part["definition"] or "—").partition("@")[0],
                f"#d-{part['definition']}" if part["definition"] else None,
            ),
            Cell(part["source"] or "—", part["source"] if str(part["source"]).startswith("#") else None),
        )
        for part in unique
    )
    table = Table(
        "results",
        f"表{tables + 1}",
        "本简报的有名结果",
        columns,
        rows,
        None,
        tuple(f"r-{part['name']}" for part in unique),
    )
    return [heading, table]


def _interval(part: Mapping[str, Any]) -> str:
    if part["low"] is None or part["high"] is None:
        return "—"
    return "–".join(format_value(part[bound], part["unit"], part["digits"]) for bound in ("low", "high"))


# --- links -------------------------------------------------------------------------------------------------------


def _targets(blocks: Iterable[Block]) -> Iterator[str]:
    for block in walk(blocks):
        if isinstance(block, Heading | Table | Figure):
            yield block.id
        if isinstance(block, Table):
            yield from (anchor for anchor in block.anchors if anchor)
        if isinstance(block, Evidence):
            yield from (item.id for item in block.items)


def _linked(block: Block, targets: set[str], warnings: list[str]) -> Block:
    """The block with links that lead nowhere turned to plain text, and unprintable signs taken out."""

    def keep(href: str | None) -> str | None:
        if href is None or href.startswith(("https://", "http://", "mailto:")):
            return href
        if href.startswith("#") and href[1:] in targets:
            return href
        if not href.startswith("#d-"):  # definitions have targets only where a brief prints its indicators
            warnings.append(f"链接 {href} 没有目标，已改为普通文字")
        return None

    def spans(found: Inlines) -> Inlines:
        return tuple(replace(span, text=printable(span.text), href=keep(span.href)) for span in found)

    if isinstance(block, Heading | Paragraph | Finding):
        return replace(block, spans=spans(block.spans))
    if isinstance(block, Listing):
        return replace(
            block,
            items=tuple(tuple(_linked(inner, targets, warnings) for inner in item) for item in block.items),
        )
    if isinstance(block, Quote):
        return replace(block, blocks=tuple(_linked(inner, targets, warnings) for inner in block.blocks))
    if isinstance(block, Table):
        return replace(
            block,
            rows=tuple(
                tuple(Cell(printable(cell.text), keep(cell.href)) for cell in row) for row in block.rows
            ),
        )
    if isinstance(block, Evidence):
        return replace(block, items=tuple(replace(item, text=printable(item.text)) for item in block.items))
    if isinstance(block, Verbatim):
        return Verbatim(printable(block.text))
    return block


def printable(text: str) -> str:
    """Without control, format and variation signs, which have no glyph in any font."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        sign
        for sign in text
        if sign in "\n\t"
        or (unicodedata.category(sign) not in ("Cc", "Cf") and not "\ufe00" <= sign <= "\ufe0f")
    )
