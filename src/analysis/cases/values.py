"""From what stands in a source to typed values (取值规整), as ibis expressions: text, dates in their spellings, yes and no.

Nothing is guessed: what cannot be read becomes unknown here and a line of the rejects in ``check``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema import Column

_YES = ("是", "有", "1", "true", "t", "yes", "y")
_NO = ("否", "无", "0", "false", "f", "no", "n")
_EXCEL_EPOCH = 25569  # the serial number of 1970-01-01 in Excel's 1900 system
_PLAIN = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_CLOCK = r"^\d{4}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?)?$"
ORDERS = ("mdy", "dmy")
"""Orders of a date whose year comes last; which one it is, no cell can tell: the mapping says it (``dates``)."""


def conform(
    raw: Any, column: Column, terms: Mapping[str, str] | None = None, order: str | None = None
) -> Any:
    """The column as our type (ibis value in, ibis value out).

    Parameters
    ----------
    raw
        The source's column, of any type.
    column
        What we want of it.
    terms
        Their word → ours, applied to the trimmed text before anything else.
    order
        Of dates whose year comes last (see :data:`ORDERS`).
    """
    raw = worded(raw, terms)
    if column.type == "date":
        return date(raw, order)
    convert = {"text": text, "int": integer, "float": number, "bool": boolean}[column.type]
    value = convert(raw)
    return value.isin(column.terms).ifelse(value, None) if column.terms else value


def worded(raw: Any, terms: Mapping[str, str] | None) -> Any:
    """The source's column with their words replaced by ours."""
    return text(raw).substitute({str(theirs): str(ours) for theirs, ours in terms.items()}) if terms else raw


def text(raw: Any) -> Any:
    """Trimmed text; the empty string is unknown."""
    if raw.type().is_floating():  # a code that a spreadsheet turned into 330102.0
        raw = raw.cast("int64")
    return raw.cast("string").strip().nullif("")


def date(raw: Any, order: str | None = None) -> Any:
    """A timestamp from ``2024-03-05``, ``2024/3/5``, ``2024.3.5``, ``2024年3月5日``, ``20240305`` (each with or without a
    time of day) or an Excel serial number such as 45356; ``2024-03`` is the month's first day.

    Times of day are ``14:30``, ``14:30:05``, ``14时30分``, ``下午2:30`` or ``2:30 PM``. An offset such as ``+08:00`` is left
    out: the clock stands as the source wrote it. ``03/05/2024`` is read where the order is told.
    """  # noqa: D205
    kind = raw.type()
    if kind.is_timestamp() or kind.is_date():
        return raw.cast("timestamp(6)")
    if kind.is_numeric():
        raw = raw.cast("float64").cast("string").re_replace(r"\.0+$", "")
    trimmed = raw.cast("string").strip()
    serial = trimmed.re_search(r"^[2-6]\d{4}(\.\d+)?$")
    seconds = (
        ((serial.ifelse(trimmed, None).try_cast("float64") - _EXCEL_EPOCH) * 86400).round().cast("int64")
    )
    plain = trimmed.re_search(_PLAIN)
    return plain.ifelse(
        trimmed.try_cast("timestamp(6)"),
        serial.ifelse(seconds.as_timestamp("s").cast("timestamp(6)"), _spelled(trimmed, order)),
    )


def _spelled(trimmed: Any, order: str | None) -> Any:
    """A date in any spelling but the plain one."""
    written = trimmed
    if order is not None:
        ahead = r"\1-\2" if order == "mdy" else r"\2-\1"
        written = written.re_replace(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})( |$)", rf"\3-{ahead} ")
        written = written.re_replace(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{2})( |$)", rf"20\3-{ahead} ")
    written = written.re_replace(r"^(\d{4})(\d{2})(\d{2})( |$)", r"\1-\2-\3 ")
    written = written.re_replace(
        r"^(\d{4})\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})(\s*日\s*|[ T\x{3000}]+|$)", r"\1-\2-\3 "
    )
    written = written.re_replace(r"^(\d{4})\s*[年/.-]\s*(\d{1,2})月?$", r"\1-\2-1 ").strip()
    # Four digits come first, and nothing follows a time of day: "12:30", "March 5" are left to no parser's imagination,
    # nor is a word behind the clock that a cast would pass over, as the PM of 2:30 PM.
    return written.re_extract(_CLOCK, 0).try_cast("timestamp(6)").fill_null(_clocked(written, trimmed))


def _clocked(written: Any, trimmed: Any) -> Any:
    """A date with a time of day in any spelling but the plain one."""
    clock = written.re_replace(r"\s*(上午|下午)\s*|\s*[AaPp]\.?[Mm]\.?$", " ").strip()
    clock = clock.re_replace(r"^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$", r"\1-\2-\3 \4:\5:\6")
    clock = clock.re_replace(r"(:\d{1,2}(\.\d+)?)\s*(Z|[+-]\d{2}:?\d{2}|[A-Z]{3,4})$", r"\1")
    # 14时30分, where 时 alone is the full hour.
    clock = clock.re_replace(r"\s*[时点]$", ":00").re_replace(r"\s*[时点分]\s*(\d)", r":\1")
    clock = clock.re_replace(r"\s*[分秒]$", "")
    later = trimmed.re_search(r"下午\s*(0?\d|1[01])\D|\s(0?\d|1[01]):[\d:.]*\s*[Pp]\.?[Mm]\.?$")
    midnight = trimmed.re_search(r"上午\s*12\D|\s12:[\d:.]*\s*[Aa]\.?[Mm]\.?$")
    halves = later.ifelse(12, midnight.ifelse(-12, 0))
    return clock.re_extract(_CLOCK, 0).try_cast("timestamp(6)") + halves.as_interval("h")


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
