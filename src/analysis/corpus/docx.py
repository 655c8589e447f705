"""Word files (docx): paragraphs and tables in the order of the document."""

from __future__ import annotations

import io
import zipfile

from .reject import Refusal
from .source import Page
from .tables import Cell, Table
from .trace import Edit, Traced

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Uncompressed bytes beyond which a document is refused.
_LIMIT = 256 * 1024 * 1024


def read_docx(data: bytes) -> Page:
    """Read a Word file.

    Its source text, which the offsets count, is the paragraphs and the cells of the tables, one a line.

    Raises
    ------
    Refusal
        The file is protected by a password, damaged, or empty.
    """
    import docx
    from docx.oxml.exceptions import InvalidXmlError
    from docx.table import Table as WordTable

    if data.startswith(_OLE):
        raise Refusal("加密或旧版文档", "文件有密码保护，或是旧版 doc 格式", "请去掉密码并另存为 docx")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _LIMIT:
                raise Refusal("压缩炸弹", "文档解压后过大", "请确认来源；正常文档不会如此", value=len(data))
        document = docx.Document(io.BytesIO(data))
        text: list[str] = []
        edits: list[Edit] = []
        tables: list[Table] = []
        caption: str | None = None
        at = 0
        for block in document.iter_inner_content():
            if isinstance(block, WordTable):
                start = at
                rows = []
                for row in block.rows:
                    cells = []
                    seen = None
                    for cell in row.cells:
                        if cell._tc is seen:
                            continue  # a merged cell is listed once for every column it spans
                        seen = cell._tc
                        value = " ".join(cell.text.split())
                        cells.append(Cell(value, at, at + len(value)))
                        text.append(value + "\n")
                        at += len(value) + 1
                    rows.append(tuple(cells))
                tables.append(Table(tuple(rows), caption))
                edits.append(Edit(start, at, ""))
            else:
                line = block.text.replace("\t", " ")
                text.append(line + "\n")
                at += len(line) + 1
                caption = line.strip()[:60] or caption
    except Refusal:
        raise
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        InvalidXmlError,
        SyntaxError,
        EOFError,
        OSError,
    ) as error:
        raise Refusal(
            "损坏的文档", "docx 打不开", "请重新下载，或另存为新的 docx", value=type(error).__name__
        ) from error
    source = "".join(text)
    if not source.strip():
        raise Refusal("空文件", "文档没有文字", "若是图片，请先做文字识别")
    return Page(Traced.of(source).edit(edits), tables=tables, source=source)
