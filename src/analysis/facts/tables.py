"""Numbers in tables (表格中的数字): each cell read with its row and column heads as the same record as a sentence's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import dates, naming, numbers, units
from .dates import Reference
from .view import view

_UNIT_MARK = re.compile(r"[(（]\s*(?:单位[:：])?\s*([^()（）:：]{1,8})\s*[)）]")
_CAPTION_UNIT = re.compile(r"单位\s*[:：]\s*([^\s,，;；)）]{1,8})")
_NUMBER_CELL = re.compile(r"^[+\-]?\d+(?:,\d{3})*(?:\.\d+)?")
_SKIP_COLUMN = re.compile(r"^(?:序号|编号|排名|名次|位次|备注|联系电话|电话|文号|代码|邮编|行次|日期|时间)$")
_BODY = re.compile(
    r"(?:省|市|县|区|州|盟|旗|镇|乡|街道|局|厅|委|办|院|公司|中心|队|所|集团|政府|部门|单位|园区|合计|总计|小计|全市|全省|全县|全国)$"
)
_CHANGE_HEAD = re.compile(
    r"(?P<base>同比|环比|比上年(?:同期)?|较上年(?:同期)?|较上月|比上月)?(?P<verb>增长率?|增减|增幅|升降|下降|减少|上升|变化|±%?|增长)?$"
)
_TOTAL = ("合计", "总计", "小计")


def read(cells: Iterable[Mapping[str, Any]], reference: Reference) -> list[dict[str, Any]]:
    """Records of the cells of one document.

    Parameters
    ----------
    cells
        Rows of the corpus table ``tables``: table, row, column, row_head, column_head, text, caption, start, end
        (offsets in the source).
    reference
        Where the document stands in time; the caption's own period comes first.

    Returns
    -------
    list of dict
        Columns of ``statistics``; ``start`` and ``end`` are empty (the cells stand outside the body), ``source_start``
        and ``source_end`` are the cell's.
    """
    out = []
    cells = list(cells)
    bodies = _tables_of_bodies(cells)
    for cell in cells:
        record = _cell(cell, reference, cell.get("table") in bodies)
        if record is not None:
            out.append(record)
    return out


def _tables_of_bodies(cells: Iterable[Mapping[str, Any]]) -> set[Any]:
    """Tables whose rows are bodies or places: a row there is one even where its name does not look it (市残联)."""
    heads: dict[Any, set[str]] = {}
    for cell in cells:
        if row := _bare(_plain(cell.get("row_head"))):
            heads.setdefault(cell.get("table"), set()).add(row)
    return {t for t, rows in heads.items() if len(rows) > 3 and sum(map(_is_body, rows)) > 0.7 * len(rows)}


def _is_body(head: str) -> bool:
    return _BODY.search(head) is not None


def _cell(cell: Mapping[str, Any], reference: Reference, bodies: bool) -> dict[str, Any] | None:
    column_head, row_head, caption = (_plain(cell.get(k)) for k in ("column_head", "row_head", "caption"))
    text = view(_plain(cell.get("text"))).text
    if not cell.get("column") or not _NUMBER_CELL.match(text) or _SKIP_COLUMN.match(_bare(column_head)):
        return None
    if not column_head and not row_head:
        return None
    found, _ = numbers.scan(text, bytearray(len(text)))
    if len(found) != 1 or found[0].start > 1 or found[0].end < len(text.rstrip("。;)")):
        return None
    quantity = found[0]
    value = -quantity.value if text.startswith("-") else quantity.value
    unit = quantity.unit or _stated_unit(column_head) or _stated_unit(row_head) or _caption_unit(caption)
    factor = 1.0
    if quantity.unit is None and unit and unit[0] in "万亿" and len(unit) > 1:
        factor, unit = {"万": 1e4, "亿": 1e8}[unit[0]], unit[1:]
    column, row = _bare(column_head), _bare(row_head)
    indicator, subject, when = _heads(column, row, bodies)
    captioned = dates.find(caption)
    period = when or (captioned[0] if captioned else None)
    if period is not None:
        start, end = period.resolve(reference)
        words = period.text
    else:
        start, end = reference.period or (None, None)
        words = None
    if unit is None and re.search(r"率$|占比|比重|比例", indicator) and 0 <= value <= 1000:
        unit = "%" if value > 1 else None
    change = _CHANGE_HEAD.search(column)
    is_change = bool(
        change and (change["base"] or change["verb"]) and (unit in ("%", "个百分点", None) or change["base"])
    )
    direction = base = None
    kind = units.load().kind(unit)
    if is_change and change:
        kind, direction, base = (
            "change",
            "down" if value < 0 or change["verb"] in ("下降", "减少") else "up",
            change["base"],
        )
        indicator = column[: change.start()] or (row if not _BODY.search(row) else indicator)
        value = abs(value)
    entry, _ = naming.register(indicator)
    return {
        "start": None,
        "end": None,
        "text": " ".join(part for part in (row_head, column_head, _plain(cell.get("text"))) if part),
        "indicator": indicator,
        "indicator_id": entry,
        "value": value * factor,
        "unit": unit,
        "kind": kind,
        "approx": quantity.approx,
        "period": words,
        "period_start": start,
        "period_end": end,
        "subject": subject,
        "direction": direction,
        "base": base,
        "target": False,
        "table": True,
        "group": -1 - int(cell["table"]),
        "confidence": 0.9 if column_head and row_head else 0.6,
        "step": quantity.step * factor,
        "exact": quantity.exact and factor == 1.0,
        "share_of": None,
        "part_of": None,
        "note": "合计" if subject in _TOTAL or row in _TOTAL else None,
        "source_start": cell.get("start"),
        "source_end": cell.get("end"),
    }


def _heads(column: str, row: str, bodies: bool) -> tuple[str, str | None, dates.When | None]:
    """Which head says what is measured, which says where, which says when."""
    column_time = _whole_date(column)
    row_time = _whole_date(row)
    if column_time:
        return (row or column, None, column_time)
    if row_time:
        return (column or row, None, row_time)
    if _BODY.search(column) and not _BODY.search(row) and row and not bodies:
        return row, column, None
    if bodies or _BODY.search(row) or not row:
        return column or row, row or None, None
    return (row + column if column and column not in row else row), None, None


def _whole_date(head: str) -> dates.When | None:
    found = dates.find(view(head).text)
    return found[0] if found and len(found[0].text) >= len(head) - 1 else None


def _stated_unit(head: str) -> str | None:
    match = _UNIT_MARK.search(head)
    if match is None:
        return None
    mark = view(match[1]).text
    prefix = mark[0] if mark[:1] in "万亿" else ""
    found = units.load().match(mark, len(prefix))
    return prefix + found[0] if found and found[1] == len(mark) else None


def _caption_unit(caption: str) -> str | None:
    match = _CAPTION_UNIT.search(caption)
    return _stated_unit(f"({match[1]})") if match else None


def _bare(head: str) -> str:
    return view(_UNIT_MARK.sub("", head)).text.strip()


def _plain(value: Any) -> str:
    return "" if value is None or value != value or not isinstance(value, str) else value
