"""From what stands in a source to typed values (取值规整), as ibis expressions: text, dates in four spellings, yes and no.

Nothing is guessed: what cannot be read becomes unknown here and a line of the rejects in ``check``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema import Column

_YES = ("是", "有", "1", "true", "t", "yes", "y")
_NO = ("否", "无", "0", "false", "f", "no", "n")
_EXCEL_EPOCH = 25569  # the serial number of 1970-01-01 in Excel's 1900 system


def conform(raw: Any, column: Column, terms: Mapping[str, str] | None = None) -> Any:
    """The column as our type (ibis value in, ibis value out).

    Parameters
    ----------
    raw
        The source's column, of any type.
    column
        What we want of it.
    terms
        Their word → ours, applied to the trimmed text before anything else.
    """
    if terms:
        raw = text(raw).substitute({str(theirs): str(ours) for theirs, ours in terms.items()})
    convert = {"text": text, "date": date, "int": integer, "float": number, "bool": boolean}[column.type]
    value = convert(raw)
    return value.isin(column.terms).ifelse(value, None) if column.terms else value


def text(raw: Any) -> Any:
    """Trimmed text; the empty string is unknown."""
    if raw.type().is_floating():  # a code that a spreadsheet turned into 330102.0
        raw = raw.cast("int64")
    return raw.cast("string").strip().nullif("")


def date(raw: Any) -> Any:
    """A timestamp from ``2024-03-05``, ``2024/3/5``, ``2024.3.5``, ``2024年3月5日``, ``20240305`` (each with or without a
    time of day) or an Excel serial number such as 45356; ``2024-03`` is the month's first day.
    """  # noqa: D205
    kind = raw.type()
    if kind.is_timestamp() or kind.is_date():
        return raw.cast("timestamp(6)")
    if kind.is_numeric():
        raw = raw.cast("float64").cast("string").re_replace(r"\.0+$", "")
    trimmed = raw.cast("string").strip()
    written = trimmed.re_replace(r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")
    written = written.re_replace(r"^(\d{4})\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})(\s*日)?", r"\1-\2-\3")
    written = written.re_replace(r"^(\d{4})\s*[年/.-]\s*(\d{1,2})月?$", r"\1-\2-1")
    serial = trimmed.re_search(r"^[2-6]\d{4}(\.\d+)?$")
    seconds = (
        ((serial.ifelse(trimmed, None).try_cast("float64") - _EXCEL_EPOCH) * 86400).round().cast("int64")
    )
    # A bare "12:30" or "March 5" is left to no parser's imagination: four digits come first or it is no date.
    dated = written.re_search(r"^\d{4}-\d{1,2}-\d{1,2}([ T].*)?$").ifelse(written, None)
    return serial.ifelse(seconds.as_timestamp("s").cast("timestamp(6)"), dated.try_cast("timestamp(6)"))


def number(raw: Any) -> Any:
    """A float; thousands separators are allowed in text."""
    if raw.type().is_numeric():
        return raw.cast("float64")
    written = raw.cast("string").strip()
    grouped = written.re_search(r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$")
    return grouped.ifelse(written.replace(",", ""), written).try_cast("float64")


def integer(raw: Any) -> Any:
    """A whole number; ``12.5`` is unknown."""
    if raw.type().is_integer():
        return raw.cast("int64")
    value = number(raw)
    return (value == value.round()).ifelse(value.cast("int64"), None)


def boolean(raw: Any) -> Any:
    """Yes and no in their usual spellings (是/否, 有/无, 1/0, true/false)."""
    if raw.type().is_boolean():
        return raw
    word = text(raw).lower()
    return word.isin(_YES).ifelse(True, word.isin(_NO).ifelse(False, None))
