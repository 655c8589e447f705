"""Tables of a brief (表): raw cells and how each column prints, so that HTML, PDF, Word and CSV agree."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import MethodError
from .results import decimals, format_value, scalar
from .session import current, mime

if TYPE_CHECKING:
    import pandas as pd


_LEFT = ' style="text-align: left"'
_SHORT = ' style="text-align: left; white-space: nowrap"'


def table(
    frame: pd.DataFrame,
    *,
    name: str,
    caption: str,
    note: str | None = None,
    units: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    digits: Mapping[str, int] | None = None,
    anchor: str | None = None,
    row_digits: Sequence[int] | None = None,
) -> None:
    """Show a table (列出一张表).

    Parameters
    ----------
    frame
        Columns print under their own names; a named index comes first as columns. Two-level columns make
        grouped heads. Missing values print as a dash.
    name
        File name of its CSV and target of links (``#t-<name>``); unique in the brief.
    caption
        What it shows, without a number: tables are numbered in order.
    note
        A remark under it: source, what is suppressed, what the signs mean.
    units
        Unit by column, printed in the head; ``%`` also sets two decimals.
    links
        Column → the column of ``frame`` that holds its targets (not shown itself): an id of ``evidence``, or
        a full target such as ``#r-<result>``, ``#d-<definition>``, ``https://…``.
    digits
        Decimals by column, where the usual ones (0 for whole numbers, 2 for rates, 1 otherwise) do not fit.

    anchor
        The column that holds each row's own id for links (not shown itself), such as ``d-<definition>``.

    row_digits
        Decimals by row, for tables whose rows have units of their own; columns named in ``digits`` keep theirs.

    Raises
    ------
    MethodError
        The name is taken, or ``units``, ``links``, ``digits`` or ``anchor`` name a column that is not there.
    """
    session = current()
    units, links, digits = dict(units or {}), dict(links or {}), dict(digits or {})
    frame = _with_index(frame)
    heads = [_head(column) for column in frame.columns]
    for wanted in (*units, *links, *links.values(), *digits, *([anchor] if anchor else [])):
        if wanted not in {head[-1] for head in heads}:
            raise MethodError(
                f"表“{caption}”没有列“{wanted}”", hint=f"现有列：{'、'.join(head[-1] for head in heads)}"
            )
    session.claim("table", name)

    values = {head: [scalar(value) for value in frame.iloc[:, k]] for k, head in enumerate(heads)}
    by_label = {head[-1]: column for head, column in values.items()}
    shown = [head for head in heads if head[-1] not in {*links.values(), anchor}]
    columns = [
        {
            "label": head[-1],
            "group": head[0] if len(head) > 1 and head[0] != head[-1] else None,
            "kind": "number" if _numeric(values[head], head[-1] in units or head[-1] in digits) else "text",
            "unit": units.get(head[-1]),
            "digits": digits.get(
                head[-1], None if row_digits else _digits(values[head], units.get(head[-1]))
            ),
        }
        for head in shown
    ]
    targets = {
        str(k): [_target(target) for target in by_label[links[head[-1]]]]
        for k, head in enumerate(shown)
        if head[-1] in links
    }
    part = {
        "name": name,
        "caption": caption,
        "note": note,
        "columns": columns,
        "rows": [list(row) for row in zip(*(values[head] for head in shown), strict=True)],
        "links": targets,
        "row_digits": list(row_digits or ()),
        "anchors": by_label[anchor] if anchor else [],
    }
    session.targets.update(target for column in targets.values() for target in column if target)
    session.emit(
        {mime("table"): part, "text/html": _plain_html(part), "text/plain": f"{caption}（{len(frame)} 行）"}
    )


def cell_texts(part: Mapping[str, Any]) -> list[list[str]]:
    """A table part's cells as they print; units stand in the heads, not here."""
    return [
        [format_value(value, None, digits) for value, digits in zip(row, asked, strict=True)]
        for row, asked in zip(part["rows"], _asked(part), strict=True)
    ]


def cell_decimals(part: Mapping[str, Any]) -> list[list[int | None]]:
    """How many decimals each cell of a table part prints with; None where it holds no number."""
    return [
        [
            decimals(value, None, digits)
            if isinstance(value, int | float) and not isinstance(value, bool)
            else None
            for value, digits in zip(row, asked, strict=True)
        ]
        for row, asked in zip(part["rows"], _asked(part), strict=True)
    ]


def _asked(part: Mapping[str, Any]) -> list[list[int | None]]:
    """Decimals asked for, cell by cell: the row's own where its column has none."""
    rows = part.get("row_digits") or [None] * len(part["rows"])
    return [
        [
            digits if column["digits"] is None and column["kind"] == "number" else column["digits"]
            for column in part["columns"]
        ]
        for digits in rows
    ]


def head_text(column: Mapping[str, Any]) -> str:
    """A column's head with its unit: 按期办结率（%）."""
    return f"{column['label']}（{column['unit']}）" if column["unit"] else str(column["label"])


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    named = any(level is not None for level in frame.index.names)
    return frame.reset_index() if named else frame


def _head(column: Any) -> tuple[str, ...]:
    if not isinstance(column, tuple):
        return (str(column),)
    return tuple(str(level) for level in column if str(level)) or ("",)


def _numeric(cells: list[Any], declared: bool) -> bool:
    """Numbers only; a column without any value is numeric when a unit or decimals were given for it."""
    present = [cell for cell in cells if cell is not None]
    numbers = all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in present)
    return numbers and (bool(present) or declared)


def _digits(cells: list[Any], unit: str | None) -> int | None:
    """Decimals of a column of numbers: one rule for the whole column, so that the points stand under each other."""
    numbers = [cell for cell in cells if isinstance(cell, float)]
    if not numbers:
        return None
    if unit in ("%", "个百分点"):
        return 2
    return 0 if all(number.is_integer() for number in numbers) else 1


def _target(target: Any) -> str | None:
    """A link's full target: bare ids are ids of evidence."""
    if target is None or target == "":
        return None
    text = str(target)
    return text if text.startswith(("#", "https://", "http://")) else f"#e-{text}"


def _plain_html(part: Mapping[str, Any]) -> str:
    """What JupyterLab shows; briefs are rendered from the part itself."""
    # JupyterLab sets every cell to the right, prose too, and breaks Chinese after any character; a style sheet of
    # ours would not survive its sanitizer.
    texts = cell_texts(part)
    short = [all(len(row[k]) <= 10 for row in texts) for k in range(len(part["columns"]))]
    sides = [
        "" if column["kind"] == "number" else _SHORT if whole else _LEFT
        for column, whole in zip(part["columns"], short, strict=True)
    ]
    head = "".join(
        f"<th{side}>{html.escape(head_text(column))}</th>"
        for column, side in zip(part["columns"], sides, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{side}>{html.escape(text)}</td>" for text, side in zip(row, sides, strict=True))
        + "</tr>"
        for row in texts
    )
    note = f"<p><small>注：{html.escape(part['note'])}</small></p>" if part["note"] else ""
    return (
        f"<table><caption{_LEFT}><strong>{html.escape(part['caption'])}</strong></caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"
    )
