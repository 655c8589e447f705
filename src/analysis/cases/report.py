"""A standard 报表 in Excel (统计报表): places down, figures across, read into rows of ``monthly``.

The period is read from the lines above the head or given; a total row is checked against its parts and taken only where
the mapping says which region it is. A cumulative report (1—3月) is no month and is refused rather than split.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import regions as region_tables
from ..errors import InputError
from ..periods import Period

if TYPE_CHECKING:
    import pandas as pd

ROWS = [
    "region_code",
    "month",
    "indicator",
    "variant",
    "actor",
    "channel",
    "state",
    "numerator",
    "denominator",
    "source",
]
REJECTS = ["row", "rule", "field", "value"]
_FORMULA = {True: "formula_without_value", False: "formula_cell"}
_TOTALS = ("合计", "总计", "全省", "全市", "小计", "合 计")
_PLACE = ("地区", "单位", "县区", "县（市、区）", "区划", "地市", "设区市", "行政区划")
_MONTH = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月(?!\s*[—–\-至~])")
_SPAN = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*[月]?\s*[—–\-至~]\s*\d{1,2}\s*月")


def read(
    file: str | Path,
    columns: Mapping[str, Mapping[str, str]],
    *,
    period: str | None = None,
    regions: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> tuple[pd.DataFrame, list[dict[str, object]]]:
    """Read one sheet.

    Parameters
    ----------
    columns
        Head of a column → ``indicator`` and, where they apply, ``denominator`` (the head of another column), ``variant``,
        ``actor``, ``channel``, ``state``.
    period
        The month, when the sheet does not state it.
    regions
        Place as written → code, for names that the code table does not know or knows twice; a total row too.

    Returns
    -------
    DataFrame
        Columns :data:`ROWS`, one row a place and figure.
    list of dict
        :data:`REJECTS`: unknown places, cells that are no number, formulas, totals that do not add up. Nothing is dropped
        silently.

    Raises
    ------
    InputError
        No such file, no month, or no head with the named columns.
    """
    import pandas as pd

    cells, formulas = _cells(Path(file), sheet)
    head = _head(cells, columns, file)
    names = [_text(cell) for cell in cells[head]]
    month = str(Period.parse(period)) if period else _month(cells[:head], file)
    place = next((k for k, name in enumerate(names) if name in _PLACE), 0)
    used = {names.index(_text(name)): name for name in _heads(columns) if _text(name) in names}
    rows: list[dict[str, object]] = []
    rejects: list[dict[str, object]] = []
    totals: list[tuple[int, list[Any]]] = []
    parts: list[list[Any]] = []
    for number, row in enumerate(cells[head + 1 :], start=1):
        name = _text(row[place])
        if not name or all(_text(row[k]) == "" for k in used):
            continue  # a remark below the table
        rejects += [
            {"row": number, "rule": _FORMULA[row[k] is None], "field": label, "value": formulas[head + number, k]}
            for k, label in used.items() if (head + number, k) in formulas
        ]  # fmt: skip
        if name in _TOTALS:
            totals.append((number, row))
        else:
            parts.append(row)
        code = _code(name, regions or {})
        if code is None:
            if name not in _TOTALS:
                rejects.append(
                    {"row": number, "rule": "unknown_region", "field": names[place], "value": name}
                )
            continue
        rows += _figures(
            row,
            names,
            columns,
            number,
            rejects,
            {"region_code": code, "month": month, "source": Path(file).name},
        )
    rejects += _wrong_totals(totals, parts, names, columns)
    return pd.DataFrame(rows, columns=ROWS), rejects


def _cells(file: Path, sheet: str | None) -> tuple[list[list[Any]], dict[tuple[int, int], str]]:
    """The cells of a sheet, of formulas their stored results, and the formulas by row and column."""
    import openpyxl

    if not file.exists():
        raise InputError("找不到报表", file=file, hint="请检查路径")
    try:
        book = openpyxl.load_workbook(file, data_only=True)
        written = openpyxl.load_workbook(file, read_only=True)
    except Exception as error:
        raise InputError("报表读不了", file=file, hint="请另存为 .xlsx") from error
    page = book[sheet] if sheet else book.worksheets[0]
    cells = [[cell.value for cell in row] for row in page.iter_rows()]
    for span in page.merged_cells.ranges:  # a merged head speaks for all of its cells
        for row in range(span.min_row - 1, span.max_row):
            for column in range(span.min_col - 1, span.max_col):
                cells[row][column] = cells[span.min_row - 1][span.min_col - 1]
    formulas = {
        (row, column): str(cell.value)
        for row, line in enumerate(written[page.title].iter_rows())
        for column, cell in enumerate(line)
        if cell.data_type == "f"
    }
    written.close()
    book.close()
    return cells, formulas


def _text(cell: object) -> str:
    return "" if cell is None else re.sub(r"\s+", "", str(cell))


def _head(cells: Sequence[Sequence[Any]], columns: Mapping[str, Any], file: object) -> int:
    wanted = {_text(name) for name in columns}
    for number, row in enumerate(cells):
        if wanted <= {_text(cell) for cell in row}:
            return number
    raise InputError(
        "报表里没有这样的表头", file=str(file), value="、".join(columns), hint="请核对映射里的列名"
    )


def _month(above: Sequence[Sequence[Any]], file: object) -> str:
    text = " ".join(_text(cell) for row in above for cell in row)
    if _SPAN.search(text):
        raise InputError("这是累计报表，不能当作一个月", file=str(file), hint="请用当月报表")
    found = _MONTH.search(text)
    if found is None:
        raise InputError("报表没有写明报告期", file=str(file), hint="请在映射里用 period 写明，如 2024-03")
    return f"{found[1]}-{int(found[2]):02d}"


def _code(name: str, regions: Mapping[str, str]) -> str | None:
    if name in regions:
        return str(regions[name])
    found = {region.code for region in region_tables.load().named(name)}
    return found.pop() if len(found) == 1 else None


def _figures(
    row: Sequence[Any], names: Sequence[str], columns: Mapping[str, Mapping[str, str]], number: int,
    rejects: list[dict[str, object]], common: Mapping[str, object],
) -> list[dict[str, object]]:  # fmt: skip
    made = []
    for head, what in columns.items():
        top = _number(row, names, head, number, rejects)
        if top is not None:
            bottom = (
                _number(row, names, what["denominator"], number, rejects) if "denominator" in what else None
            )
            made.append({**common, **what, "numerator": top, "denominator": bottom})
    return made


def _number(
    row: Sequence[Any], names: Sequence[str], head: str, number: int, rejects: list[dict[str, object]]
) -> float | None:
    cell = row[names.index(_text(head))]
    if cell is None or _text(cell) in ("", "-", "—", "/"):
        return None
    try:
        return float(_text(cell).replace(",", ""))
    except ValueError:
        rejects.append({"row": number, "rule": "unreadable_value", "field": head, "value": str(cell)})
        return None


def _heads(columns: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The heads that figures are read from, denominators among them."""
    found = (head for name, what in columns.items() for head in (name, what.get("denominator")) if head)
    return list(dict.fromkeys(found))


def _wrong_totals(
    totals: Sequence[tuple[int, Sequence[Any]]], parts: Sequence[Sequence[Any]], names: Sequence[str],
    columns: Mapping[str, Mapping[str, str]],
) -> list[dict[str, object]]:  # fmt: skip
    """Total rows that are not the sum of the rows beneath them."""
    found: list[dict[str, object]] = []
    if len(totals) != 1:
        return found
    number, total = totals[0]
    for head in _heads(columns):
        stated = _number(total, names, head, number, found)
        added = sum(_number(row, names, head, number, []) or 0 for row in parts)
        if stated is not None and abs(stated - added) > 1e-9:
            found.append(
                {"row": number, "rule": "total_mismatch", "field": head, "value": f"{stated:g}≠{added:g}"}
            )
    return found
