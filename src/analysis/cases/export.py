"""附表 out: tables as CSV and as a plain Excel file that WPS and Excel open cleanly and that cannot run anything."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..formulas import harmless

if TYPE_CHECKING:
    import pandas as pd

_CREATED = dt.datetime(2000, 1, 1)  # same inputs, same bytes
_WIDEST, _NARROWEST = 60, 8  # columns, in digits
_LINE, _HIGHEST = 15, 409  # rows, in points; Excel takes none higher


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV, each text cell harmless, dates as ISO."""
    return _plain(table).to_csv(index=False, lineterminator="\n")


def to_csv(table: pd.DataFrame, file: str | Path) -> Path:
    """Write CSV that Excel opens as UTF-8 (with a byte-order mark)."""
    path = Path(file)
    path.write_bytes(b"\xef\xbb\xbf" + csv_text(table).encode("utf-8"))
    return path


def to_excel(
    sheets: Mapping[str, pd.DataFrame],
    file: str | Path,
    *,
    notes: Mapping[str, str] | None = None,
    decimals: Mapping[str, Sequence[Sequence[int | None]]] | None = None,
) -> Path:
    """Write 附表: one sheet a table, a head row that stays in sight, numbers as numbers, codes as text.

    Each sheet prints on pages as wide as the table. Numbers keep all their digits; only their look is rounded.

    Parameters
    ----------
    sheets
        Sheet name → table.
    notes
        Sheet name → a line under the table (source, definition, 模拟数据 …).
    decimals
        Sheet name → decimals shown, row by row, cell by cell; where not given, as many as the column needs.

    Returns
    -------
    Path
        The file; the same tables give the same bytes.
    """
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, table in sheets.items():
        plain = _plain(table)
        sheet = book.create_sheet(_sheet_name(name))
        _fill(sheet, plain, (decimals or {}).get(name) or _needed(plain))
        if notes and name in notes:
            _write(sheet.cell(len(plain) + 3, 1), notes[name])
        sheet.freeze_panes, sheet.print_title_rows = "A2", "1:1"
        sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
    book.properties.created = book.properties.modified = _CREATED
    book.properties.creator = "policy-brief"
    return _save(book, Path(file))


def _fill(sheet: Any, plain: pd.DataFrame, decimals: Sequence[Sequence[int | None]]) -> None:
    """Head, rows, widths; cells wider than the widest column are folded, their rows as high as that takes."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    lines = [1] * len(plain)
    for column, title in enumerate(map(str, plain.columns)):
        cells = list(plain.iloc[:, column])
        widths = [_width(_shown(cell, row[column])) for cell, row in zip(cells, decimals, strict=True)]
        head = sheet.cell(1, column + 1, harmless(title))
        head.font = Font(bold=True)
        if any(isinstance(cell, int | float) for cell in cells):
            head.alignment = Alignment(horizontal="right")
        for row, cell in enumerate(cells):
            _write(sheet.cell(row + 2, column + 1), cell, decimals[row][column])
            lines[row] = max(lines[row], math.ceil(widths[row] / _WIDEST))
        wide = min(_WIDEST, max([_width(title), *widths]))
        sheet.column_dimensions[get_column_letter(column + 1)].width = max(_NARROWEST, 2 + wide)
    for row, count in enumerate(lines, start=2):
        if count > 1:  # left to themselves not all programs make the row higher
            sheet.row_dimensions[row].height = min(_HIGHEST, _LINE * count)
            for cell in sheet[row]:
                cell.alignment = Alignment(wrap_text=True, vertical="top")


def _needed(plain: pd.DataFrame) -> list[list[int | None]]:
    """Decimals of each cell: none for whole numbers, two above one, below it four, or what two digits take (at most six).

    By cell and not by column, as a column of a long table holds counts and shares.
    """

    def of(cell: object) -> int | None:
        if not isinstance(cell, float):
            return None
        if cell.is_integer():
            return 0
        return 2 if abs(cell) >= 1 else min(6, max(4, 1 - math.floor(math.log10(abs(cell)))))

    return [[of(cell) for cell in row] for row in plain.itertuples(index=False)]


def _shown(cell: object, decimals: int | None) -> str:
    """How a cell prints, for the width of its column."""
    if cell is None:
        return ""
    return f"{cell:,.{decimals}f}" if decimals is not None and isinstance(cell, int | float) else str(cell)


def _width(text: str) -> float:
    """Width in digits: a Chinese character takes two."""
    return max(
        (
            sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1.1 for sign in line)
            for line in text.split("\n")
        ),
        default=0,
    )


def _write(target: Any, cell: object, decimals: int | None = None) -> None:
    target.value = None if cell is None or cell != cell else cell
    if isinstance(cell, str):
        target.data_type = "s"  # openpyxl takes text that begins with = for a formula
        if len(cell) <= 255:  # longer text in a cell of format “text” shows as #### in Excel
            target.number_format = "@"
    elif decimals is not None and isinstance(cell, int | float) and not isinstance(cell, bool):
        # The space of a parenthesis after it, so that it does not touch the text of the next column.
        target.number_format = "#,##0" + ("." + "0" * decimals if decimals else "") + "_)"


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    def plain(cell: Any) -> object:
        if isinstance(cell, list | tuple | set):
            cell = "、".join(map(str, cell))
        if cell is None or (not isinstance(cell, str) and pd.isna(cell)):
            return None
        if isinstance(cell, dt.datetime):
            return cell.isoformat(sep=" ") if cell.time() != dt.time() else cell.date().isoformat()
        if isinstance(cell, dt.date):
            return cell.isoformat()
        return harmless(cell.item() if hasattr(cell, "item") else cell)

    return pd.DataFrame(
        {
            column: pd.Series([plain(cell) for cell in table[column]], dtype=object)
            for column in table.columns
        },
        columns=[str(column) for column in table.columns],
    )


def _sheet_name(name: str) -> str:
    return "".join("_" if mark in r"[]:*?/\\" else mark for mark in name)[:31] or "表"


def _save(book: Any, path: Path) -> Path:
    """Write the workbook with fixed times inside the archive."""
    import io
    import zipfile

    draft = io.BytesIO()
    book.save(draft)
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            content = old.read(item.filename)
            if item.filename == "docProps/core.xml":
                content = _fixed_times(content)
            new.writestr(zipfile.ZipInfo(item.filename, (2000, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return path


def _fixed_times(core: bytes) -> bytes:
    import re

    stamp = _CREATED.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    return re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, core)
