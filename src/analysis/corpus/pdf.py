"""PDF with a text layer (pdf): blocks of the page in reading order, columns one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .reject import Refusal
from .source import Page
from .trace import Traced

#: A page of fewer characters has no text layer worth the name.
_LEAST = 8
#: Pages beyond this are a book, not a document.
_PAGES = 2000


class Box(NamedTuple):
    """A run of text on a page; the y axis points up."""

    left: float
    bottom: float
    right: float
    top: float
    text: str

    @property
    def height(self) -> float:
        """Height, at least a point."""
        return max(self.top - self.bottom, 1.0)


def read_pdf(data: bytes) -> Page:
    """Read a PDF.

    Its source text, which the offsets count, is the text layer in reading order; pages are parted by a blank line.

    Raises
    ------
    Refusal
        It is protected by a password, damaged, or has no text layer.
    """
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise Refusal("加密的 PDF", "文件有密码保护", "请去掉密码后重新放入") from error
        raise Refusal("损坏的 PDF", "PDF 打不开", "请重新下载", value=str(error)) from error
    try:
        if len(document) > _PAGES:
            raise Refusal(
                "文件过大", f"PDF 有 {len(document)} 页", "请拆成小于 2000 页的文件", value=len(document)
            )
        pages = []
        for page in document:
            layer = page.get_textpage()
            pages.append(page_text(list(_boxes(layer))))
            layer.close()
            page.close()
    except pdfium.PdfiumError as error:
        raise Refusal("损坏的 PDF", "PDF 有一页读不出来", "请重新下载", value=str(error)) from error
    finally:
        document.close()
    text = "\n\n".join(pages)
    if len("".join(text.split())) < _LEAST:
        raise Refusal("没有文字层", "PDF 是扫描图像，没有文字层", "请先做文字识别（OCR）再放入")
    return Page(Traced.of(text))


def page_text(boxes: Sequence[Box]) -> str:
    """The text of a page in reading order: blocks parted by blank lines, lines by line ends."""
    boxes = [box for box in boxes if box.text.strip()]
    return "\n\n".join("\n".join(_lines(block)) for block in _cut(boxes, 0))


def _boxes(layer: object) -> Iterable[Box]:
    """Runs of text of a page, one for each rectangle that PDFium sees."""
    for index in range(layer.count_rects()):  # type: ignore[attr-defined]
        left, bottom, right, top = layer.get_rect(index)  # type: ignore[attr-defined]
        text = layer.get_text_bounded(left, bottom, right, top)  # type: ignore[attr-defined]
        yield Box(left, bottom, right, top, text.replace("\r", "").replace("\n", "").replace("\x00", ""))


def _cut(boxes: list[Box], depth: int) -> list[list[Box]]:
    """Recursive X–Y cut: part a region at its widest gutter, or at its widest horizontal gap."""
    if len(boxes) < 2 or depth > 40:
        return [boxes] if boxes else []
    size = sorted(box.height for box in boxes)[len(boxes) // 2]
    column, column_gap = _gap([(b.left, b.right) for b in boxes])
    row, row_gap = _gap([(b.bottom, b.top) for b in boxes])
    if row_gap >= 1.2 * size and (
        row_gap >= 1.8 * column_gap or column_gap < 0.8 * size or _spanning(boxes, row, column)
    ):
        above = [b for b in boxes if b.bottom >= row]
        below = [b for b in boxes if b.bottom < row]
        return _cut(above, depth + 1) + _cut(below, depth + 1)
    if column_gap >= 0.8 * size:
        left = [b for b in boxes if b.left < column]
        right = [b for b in boxes if b.left >= column]
        if min(len(left), len(right)) >= 1 and _stacked(left) and _stacked(right):
            return _cut(left, depth + 1) + _cut(right, depth + 1)
    if row_gap >= 0.9 * size:
        above = [b for b in boxes if b.bottom >= row]
        below = [b for b in boxes if b.bottom < row]
        return _cut(above, depth + 1) + _cut(below, depth + 1)
    return [boxes]


def _gap(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """Middle and width of the widest gap that no span covers."""
    best = (0.0, 0.0)
    reach: float | None = None
    for low, high in sorted(spans):
        if reach is not None and low - reach > best[1]:
            best = ((low + reach) / 2, low - reach)
        reach = high if reach is None else max(reach, high)
    return best


def _spanning(boxes: list[Box], row: float, column: float) -> bool:
    """Whether something above the gap (a headline) reaches over the gutter."""
    return any(b.bottom >= row and b.left < column < b.right for b in boxes)


def _stacked(boxes: list[Box]) -> bool:
    """Whether the boxes of a would-be column stand on more than one line."""
    return len({round(b.bottom / b.height) for b in boxes}) > 1 or len(boxes) == 1


def _lines(boxes: list[Box]) -> list[str]:
    """Boxes of one block as lines, top to bottom, left to right."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda b: -(b.top + b.bottom)):
        middle = (box.top + box.bottom) / 2
        if rows and any(b.bottom <= middle <= b.top for b in rows[-1]):
            rows[-1].append(box)
        else:
            rows.append([box])
    lines = []
    for row in rows:
        row.sort(key=lambda b: b.left)
        text = row[0].text.strip("\n")
        for last, box in zip(row, row[1:], strict=False):
            text += (" " if box.left - last.right > 0.6 * box.height else "") + box.text.strip("\n")
        lines.append(text)
    return lines
