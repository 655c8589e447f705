"""Markdown and foreign HTML tables to blocks (正文): the narrative cells of a notebook."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from .document import Block, Cell, Column, Heading, Inlines, Listing, Paragraph, Quote, Span, Table, Verbatim

_WIDE = re.compile(r"[⺀-鿿＀-￯　-〿]")


def blocks(source: str, warnings: list[str]) -> list[Block]:
    """The blocks of a piece of Markdown; what a brief has no place for (raw HTML, images) is named in ``warnings``."""
    return list(_blocks(_parser()(source), warnings))


def html_tables(source: str) -> list[Block]:
    """The tables of an HTML output that came without a part of ours, such as a bare DataFrame; no number, no caption."""
    from lxml import html

    found: list[Block] = []
    for element in html.fromstring(source).iter("table"):
        rows = [
            [" ".join(cell.text_content().split()) for cell in row.iter("th", "td")]
            for row in element.iter("tr")
        ]
        rows = [row for row in rows if row]
        if not rows:
            continue
        width = max(len(row) for row in rows)
        filled = [row + [""] * (width - len(row)) for row in rows]
        columns = tuple(
            Column(head, None, all(_is_number(row[j]) for row in filled[1:]))
            for j, head in enumerate(filled[0])
        )
        cells = tuple(tuple(Cell(text) for text in row) for row in filled[1:])
        found.append(Table("", None, None, columns, cells))
    return found


@functools.lru_cache(maxsize=1)
def _parser() -> Any:
    import mistune

    return mistune.create_markdown(renderer=None, plugins=["table", "strikethrough"])


def _blocks(tokens: Iterable[dict[str, Any]], warnings: list[str]) -> Iterable[Block]:
    for token in tokens:
        kind = token["type"]
        if kind == "heading":
            yield Heading(token["attrs"]["level"], "", _spans(token["children"], warnings), "")
        elif kind in ("paragraph", "block_text"):
            spans = _spans(token["children"], warnings)
            if any(span.text.strip() for span in spans):
                yield Paragraph(spans)
        elif kind == "list":
            items = tuple(tuple(_blocks(item["children"], warnings)) for item in token["children"])
            yield Listing(bool(token["attrs"].get("ordered")), items)
        elif kind == "block_quote":
            yield Quote(tuple(_blocks(token["children"], warnings)))
        elif kind == "block_code":
            yield Verbatim(token["raw"].rstrip("\n"))
        elif kind == "table":
            yield _table(token, warnings)
        elif kind == "block_html":
            warnings.append("正文中的 HTML 没有进入简报")


def _table(token: dict[str, Any], warnings: list[str]) -> Table:
    head, body = token["children"]
    columns = tuple(
        Column(_plain(cell["children"], warnings), None, cell["attrs"].get("align") == "right")
        for cell in head["children"]
    )
    rows = tuple(
        tuple(_cell(cell["children"], warnings) for cell in row["children"]) for row in body["children"]
    )
    return Table("", None, None, columns, rows)


def _cell(tokens: list[dict[str, Any]], warnings: list[str]) -> Cell:
    spans = _spans(tokens, warnings)
    return Cell("".join(span.text for span in spans), next((span.href for span in spans if span.href), None))


def _plain(tokens: list[dict[str, Any]], warnings: list[str]) -> str:
    return "".join(span.text for span in _spans(tokens, warnings))


def _spans(
    tokens: Iterable[dict[str, Any]], warnings: list[str], style: str = "", href: str | None = None
) -> Inlines:
    spans: list[Span] = []
    for token in tokens:
        kind = token["type"]
        if kind in ("text", "codespan"):
            spans.append(Span(token["raw"], "code" if kind == "codespan" else style, href))
        elif kind in ("strong", "emphasis"):
            spans += _spans(token["children"], warnings, kind, href)
        elif kind == "link":
            spans += _spans(token["children"], warnings, style, _unquoted(token["attrs"]["url"]))
        elif kind == "softbreak":
            spans.append(Span("\n", style, href))
        elif kind == "linebreak":
            spans.append(Span("\n\n", style, href))
        elif kind == "image":
            warnings.append("正文中的图片没有进入简报，请用 display.chart 输出")
        elif kind == "inline_html":
            warnings.append("正文中的 HTML 没有进入简报")
        else:
            spans += _spans(token.get("children", ()), warnings, style, href)
    return _joined_lines(spans)


def _joined_lines(spans: list[Span]) -> Inlines:
    """Soft breaks as a space between Western words and as nothing between Chinese signs; hard breaks stay."""
    joined: list[Span] = []
    for k, span in enumerate(spans):
        if span.text != "\n":
            joined.append(Span("\n", span.style, span.href) if span.text == "\n\n" else span)
            continue
        before = spans[k - 1].text[-1:] if k else ""
        after = spans[k + 1].text[:1] if k + 1 < len(spans) else ""
        if not (_WIDE.match(before) or _WIDE.match(after)):
            joined.append(Span(" ", span.style, span.href))
    return tuple(joined)


def _unquoted(url: str) -> str:
    """Internal targets as written: the parser percent-encodes Chinese."""
    from urllib.parse import unquote

    return unquote(url) if url.startswith("#") else url


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").rstrip("%"))
    except ValueError:
        return text in ("", "—", "NaN")
    return True
