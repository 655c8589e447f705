"""The Word template (Word 模板): makes ``templates/reference.docx`` out of pandoc's own.

Run as ``python -m analysis.briefs.reference`` after a change; the file is kept in the package, so that a brief does not
pay for it. Latin letters in Times New Roman or Arial, Chinese ones in 宋体 or 黑体, which every office has.
"""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "templates" / "reference.docx"
RUNNING = "〔页眉〕"  # replaced by title and marks in each brief
_ACCENT, _INK, _MUTED = "A61C1C", "1F2328", "57606A"
SERIF, SANS = ("Times New Roman", "宋体"), ("Arial", "黑体")


def make() -> bytes:
    """The template's bytes, the same each time."""
    import pypandoc
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm

    default = subprocess.run(
        [pypandoc.get_pandoc_path(), "--print-default-data-file", "reference.docx"],
        capture_output=True,
        check=True,
    ).stdout
    document = Document(io.BytesIO(default))
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.3)
    section.top_margin, section.bottom_margin = Cm(2.7), Cm(2.4)

    centre, justify = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY
    looks: dict[str, dict[str, Any]] = {
        "Normal": {"font": SERIF, "size": 10.5},
        "Body Text": {"font": SERIF, "size": 10.5, "align": justify, "indent": 21, "line": 1.5},
        "First Paragraph": {"font": SERIF, "size": 10.5, "align": justify, "indent": 21, "line": 1.5},
        "Compact": {"font": SERIF, "size": 9, "line": 1.15, "space": (1.5, 1.5)},
        "Title": {
            "font": SERIF,
            "size": 23,
            "bold": True,
            "colour": _ACCENT,
            "align": centre,
            "space": (18, 6),
        },
        "Subtitle": {"font": SANS, "size": 12.5, "colour": _INK, "align": centre, "space": (0, 4)},
        "Date": {"font": SANS, "size": 9, "colour": _MUTED, "align": centre, "space": (0, 10)},
        "TOC Heading": {"font": SANS, "size": 12, "colour": _ACCENT, "space": (12, 6)},
        "Heading 1": {"font": SANS, "size": 15, "colour": _INK, "space": (20, 8)},
        "Heading 2": {"font": SANS, "size": 12, "colour": _INK, "space": (14, 6)},
        "Heading 3": {"font": SANS, "size": 10.5, "colour": _INK, "space": (10, 4)},
        "Heading 4": {"font": SANS, "size": 10.5, "colour": _MUTED, "space": (8, 4)},
        "Table Caption": {"font": SANS, "size": 9.5, "align": centre, "space": (12, 4), "keep": True},
        "Image Caption": {"font": SANS, "size": 9.5, "align": centre, "space": (2, 10)},
        "Captioned Figure": {"align": centre, "space": (8, 2), "keep": True},
        "Block Text": {"font": SERIF, "size": 10.5, "colour": _MUTED},
    }
    for name, look in looks.items():
        _style(document.styles[name], **look)
    added: dict[str, dict[str, Any]] = {
        "Header": {"font": SANS, "size": 8, "colour": _MUTED},
        "Footer": {"font": SANS, "size": 8.5, "colour": _MUTED, "align": centre},
        "TOC 1": {"font": SANS, "size": 10, "space": (3, 2)},
        "TOC 2": {"font": SANS, "size": 9.5, "colour": _MUTED, "space": (1, 1), "left": 21},
        "Finding": {"font": SERIF, "size": 10.5, "align": justify, "line": 1.5, "space": (2, 4)},
        "Remark": {"font": SERIF, "size": 8.5, "colour": _MUTED, "space": (2, 10)},
        "Note Box": {"font": SERIF, "size": 9.5, "line": 1.3, "space": (8, 8)},
        "Mark": {"font": SANS, "size": 9.5, "colour": _ACCENT, "space": (4, 8)},
        "Cell Small": {"font": SERIF, "size": 7.5, "line": 1.05, "space": (1, 1)},
        "Evidence": {"font": SERIF, "size": 9, "line": 1.25, "space": (3, 3)},
    }
    for name, look in added.items():
        style = document.styles[name] if name in document.styles else document.styles.add_style(name, 1)
        style.base_style = document.styles["Normal"]
        _style(style, **look)
    _shade(document.styles["Note Box"], "F6F7F9")
    _hyperlink(document.styles["Hyperlink"])
    _table_style(document.styles["Table"])
    _default_fonts(document.styles.element)

    header = section.header.paragraphs[0]
    header.text = RUNNING
    footer = section.footer.paragraphs[0]
    for piece in ("第 ", "PAGE", " 页　共 ", "NUMPAGES", " 页"):
        _field(footer, piece) if piece.isascii() else footer.add_run(piece)
    buffer = io.BytesIO()
    document.save(buffer)
    return still(buffer.getvalue())


def still(archive: bytes) -> bytes:
    """The same zip archive with fixed times, order kept."""
    source = zipfile.ZipFile(io.BytesIO(archive))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            fixed = zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0))
            fixed.compress_type, fixed.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            target.writestr(fixed, source.read(entry))
    return buffer.getvalue()


def _style(
    style: Any,
    *,
    font: tuple[str, str] | None = None,
    size: float | None = None,
    colour: str | None = None,
    bold: bool = False,
    align: Any = None,
    indent: float = 0,
    left: float = 0,
    line: float | None = None,
    space: tuple[float, float] | None = None,
    keep: bool = False,
) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    if font:
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for key in list(fonts.attrib):
            del fonts.attrib[key]
        for key, value in zip(
            ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"), (font[0],) * 3 + (font[1],), strict=True
        ):
            fonts.set(qn(key), value)
        style.font.bold, style.font.italic = bold, False
    if size:
        style.font.size = Pt(size)
    if colour:
        style.font.color.rgb = RGBColor.from_string(colour)
    shape = style.paragraph_format
    if align is not None:
        shape.alignment = align
    if font:
        shape.first_line_indent = Pt(indent)
    if left:
        shape.left_indent = Pt(left)
    if line:
        shape.line_spacing = line
    if space:
        shape.space_before, shape.space_after = Pt(space[0]), Pt(space[1])
    if keep:
        shape.keep_with_next = True


def _element(tag: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(tag)
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    return element


def _shade(style: Any, fill: str) -> None:
    properties = style.element.get_or_add_pPr()
    borders = _element("w:pBdr")
    borders.append(_element("w:left", val="single", sz="18", space="6", color="8C959F"))
    properties.insert(0, borders)  # the schema wants them before spacing
    properties.insert(1, _element("w:shd", val="clear", color="auto", fill=fill))


def _hyperlink(style: Any) -> None:
    from docx.shared import RGBColor

    style.font.color.rgb = RGBColor.from_string("0B4F8A")
    style.font.underline = False


def _table_style(style: Any) -> None:
    """Three rules (三线表): above, under the head, below; hair lines between rows."""
    from docx.oxml.ns import qn

    for old in (*style.element.findall(qn("w:tblStylePr")), *style.element.findall(qn("w:tblPr"))):
        style.element.remove(old)
    properties = _element("w:tblPr")
    properties.append(_element("w:jc", val="center"))
    borders = _element("w:tblBorders")
    for side, width, colour in (("top", "12", _INK), ("bottom", "12", _INK), ("insideH", "2", "C9CED4")):
        borders.append(_element(f"w:{side}", val="single", sz=width, space="0", color=colour))
    properties.append(borders)
    margins = _element("w:tblCellMar")
    for side in ("left", "right"):
        margins.append(_element(f"w:{side}", w="80", type="dxa"))
    properties.append(margins)
    head = _element("w:tblStylePr", type="firstRow")
    letters = _element("w:rPr")
    letters.append(_element("w:b"))
    head.append(letters)
    cell = _element("w:tcPr")
    edges = _element("w:tcBorders")
    edges.append(_element("w:bottom", val="single", sz="8", space="0", color=_INK))
    cell.append(edges)
    cell.append(_element("w:shd", val="clear", color="auto", fill="F6F7F9"))
    cell.append(_element("w:vAlign", val="bottom"))
    head.append(cell)
    style.element.append(properties)
    style.element.append(head)


def _default_fonts(styles: Any) -> None:
    """Fonts and language where no style says otherwise."""
    from docx.oxml.ns import qn

    defaults = styles.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    for tag in ("w:rFonts", "w:lang"):
        for old in defaults.findall(qn(tag)):
            defaults.remove(old)
    defaults.insert(0, _element("w:rFonts", ascii=SERIF[0], hAnsi=SERIF[0], cs=SERIF[0], eastAsia=SERIF[1]))
    defaults.append(_element("w:lang", val="en-US", eastAsia="zh-CN"))


def _field(paragraph: Any, code: str) -> None:
    """A field such as PAGE."""
    run = paragraph.add_run()
    run._r.append(_element("w:fldChar", fldCharType="begin"))
    instruction = _element("w:instrText")
    instruction.text = code
    run._r.append(instruction)
    run._r.append(_element("w:fldChar", fldCharType="end"))


if __name__ == "__main__":
    FILE.write_bytes(make())
