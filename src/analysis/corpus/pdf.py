"""PDF with a text layer (pdf): blocks of the page in reading order, columns one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

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


def _boxes(layer: Any) -> Iterator[Box]:
    """Runs of characters on one line, in the order of the page's content.

    The box of a character is its place in the line (not its ink), so that quotation marks stand where they belong.
    """
    import ctypes

    import pypdfium2.raw as pdfium_c

    rect = pdfium_c.FS_RECTF()
    run: Box | None = None
    space = False
    for index in range(pdfium_c.FPDFText_CountChars(layer.raw)):
        code = pdfium_c.FPDFText_GetUnicode(layer.raw, index)
        if code in (0, 0xFFFE, 0xFFFF, 0xFEFF):
            continue
        char = chr(code)
        if char.isspace():
            space = space or char not in "\r\n"
            continue
        if not pdfium_c.FPDFText_GetLooseCharBox(layer.raw, index, ctypes.byref(rect)):
            continue
        box = Box(rect.left, rect.bottom, rect.right, rect.top, char)
        if run is not None and _follows(run, box):
            gap = " " if space and _spaced(run.text[-1], char) else ""
            run = Box(
                run.left,
                min(run.bottom, box.bottom),
                max(run.right, box.right),
                max(run.top, box.top),
                run.text + gap + char,
            )
        else:
            if run is not None:
                yield run
            run = box
        space = False
    if run is not None:
        yield run


def _follows(run: Box, box: Box) -> bool:
    """Whether a character stands next to the run before it, on the same line."""
    middle = (box.top + box.bottom) / 2
    return run.bottom <= middle <= run.top and -0.6 * run.height <= box.left - run.right <= 1.6 * run.height


def _spaced(before: str, after: str) -> bool:
    """Whether a gap is a space and not the thin gap that is set between Chinese and digits or at a mark."""
    han = [c for c in (before, after) if "\u2e80" <= c <= "\uffef" or c in "“”‘’"]
    latin = [c for c in (before, after) if c.isascii() and c.isalnum()]
    marks = [c for c in (before, after) if c in ",.;:!?()、，。；：！？（）《》%％-—"]
    return not marks and (len(han) == 2 or len(latin) == 2)


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
        head = _head(boxes)
        if head:
            return [head, *_cut([b for b in boxes if b not in head], depth + 1)]
        left = [b for b in boxes if b.left < column]
        right = [b for b in boxes if b.left >= column]
        if _stacked(left) and _stacked(right) and _abreast(left, right):
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


def _head(boxes: list[Box]) -> list[Box]:
    """The one line that stands above all columns, such as a byline centred over them; empty where there is none."""
    highest = max(boxes, key=lambda b: b.top)
    line = [b for b in boxes if b.top > highest.bottom]
    rest = [b for b in boxes if b not in line]
    # The first line of a column starts where its other lines start, or two characters further in.
    in_column = any(-0.5 * b.height < line[0].left - b.left < 2.6 * b.height for b in rest)
    above = max((b.top for b in rest), default=0.0) <= highest.bottom
    return line if len(line) == 1 and above and not in_column else []


def _abreast(left: list[Box], right: list[Box]) -> bool:
    """Whether two would-be columns stand side by side, and not one above the other."""
    top = min(max(b.top for b in left), max(b.top for b in right))
    bottom = max(min(b.bottom for b in left), min(b.bottom for b in right))
    shorter = min(max(b.top for b in side) - min(b.bottom for b in side) for side in (left, right))
    return top - bottom > 0.3 * shorter


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
    margin = min(box.left for box in boxes)
    for row in rows:
        row.sort(key=lambda b: b.left)
        indent = 1.5 * row[0].height < row[0].left - margin < 2.6 * row[0].height
        text = ("\u3000\u3000" if indent else "") + row[0].text.strip("\n")
        for last, box in zip(row, row[1:], strict=False):
            text += (" " if box.left - last.right > 0.6 * box.height else "") + box.text.strip("\n")
        lines.append(text)
    return lines
