"""附表 out: tables as CSV and as a plain Excel file that WPS and Excel open cleanly and that cannot run anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_ILLEGAL = {code: None for code in range(32) if code not in (9, 10, 13)}
_CREATED = dt.datetime(2000, 1, 1)  # same inputs, same bytes


def harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula (防公式注入): text that begins like one gets an apostrophe.

    Numbers stay numbers, so a negative change is not touched.
    """
    if not isinstance(cell, str):
        return cell
    clean = cell.translate(_ILLEGAL)
    active = clean.lstrip(" \u3000\ufeff").startswith(_ACTIVE)
    return f"'{clean}" if active and clean != "%" else clean  # a unit is no formula


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV, each text cell harmless, dates as ISO."""
    return _plain(table).to_csv(index=False, lineterminator="\n")


def to_csv(table: pd.DataFrame, file: str | Path) -> Path:
    """Write CSV that Excel opens as UTF-8 (with a byte-order mark)."""
    path = Path(file)
    path.write_bytes(b"\xef\xbb\xbf" + csv_text(table).encode("utf-8"))
    return path


def to_excel(
    sheets: Mapping[str, pd.DataFrame], file: str | Path, *, notes: Mapping[str, str] | None = None
) -> Path:
    """Write 附表: one sheet a table, a head row that stays in sight, numbers as numbers, codes as text.

    Parameters
    ----------
    sheets
        Sheet name → table.
    notes
        Sheet name → a line under the table (source, definition, 模拟数据 …).

    Returns
    -------
    Path
        The file; the same tables give the same bytes.
    """
    import openpyxl
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, table in sheets.items():
        sheet = book.create_sheet(_sheet_name(name))
        plain = _plain(table)
        for column, title in enumerate(plain.columns, start=1):
            sheet.cell(1, column, harmless(str(title))).font = Font(bold=True)
        for row, cells in enumerate(plain.itertuples(index=False), start=2):
            for column, cell in enumerate(cells, start=1):
                _write(sheet.cell(row, column), cell)
        if notes and name in notes:
            _write(sheet.cell(len(plain) + 3, 1), notes[name])
        sheet.freeze_panes = "A2"
        for column, title in enumerate(plain.columns, start=1):
            longest = max([len(str(title)), *(len(str(cell)) for cell in plain.iloc[:200, column - 1])])
            sheet.column_dimensions[get_column_letter(column)].width = min(60, 2 + 1.6 * longest)
    book.properties.created = book.properties.modified = _CREATED
    book.properties.creator = "policy-brief"
    return _save(book, Path(file))


def _write(target: Any, cell: object) -> None:
    target.value = None if cell is None or cell != cell else cell
    if isinstance(cell, str):
        target.data_type = "s"  # openpyxl takes text that begins with = for a formula
        target.number_format = "@"


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
