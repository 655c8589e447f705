"""Statistics stated in prose (文中数字的提取): one record a number, with what it measures.

``extract_text`` reads one body; :func:`extract` the documents of a corpus. The grammar goes sentence by sentence
(:mod:`sentence`): quantities are framed by their words (:mod:`clauses`), runs are dealt out to their labels (分别), changes
and shares are tied to the level they speak of (:mod:`memory`), and what is said once is carried on (:mod:`context`).
"""

from __future__ import annotations

import bisect
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from . import acceptance, clauses, dates, exclude, naming, numbers
from .context import HEADING, Carry, announce, read_heading, reference_of, remember
from .dates import Reference
from .numbers import Refusal
from .records import COLUMNS, Statistic
from .sentence import read_sentence
from .view import View, view

if TYPE_CHECKING:
    import pandas as pd


class Extraction(NamedTuple):
    """Records of one body, and the digits that were refused with a reason."""

    view: View
    statistics: list[Statistic]
    refusals: list[Refusal]
    reference: Reference


def extract_text(
    body: str,
    published: dt.date | None = None,
    *,
    title: str | None = None,
    skip: Sequence[tuple[int, int]] = (),
) -> Extraction:
    """The statistics of one body.

    Parameters
    ----------
    body
        Cleaned text, one paragraph a line.
    published
        Day of publication; relative periods (今年以来) are resolved against it when the text gives no year.
    title
        Its period is the default period of the body (2024年7月…通报).
    skip
        Spans of the body that are not prose (tables), not read here.

    Returns
    -------
    Extraction
        Offsets in it are of its ``view``; :meth:`View.span` turns them into offsets of the body.
    """
    seen = view(body)
    seen, endless = _without_endless(seen)
    whens = dates.find(seen.text)
    named = exclude.named(seen.text)
    whens = [w for w in whens if not named[w.start]]
    covered = exclude.cover(seen.text, [(w.start, w.end) for w in whens])
    for start, end in skip:
        a, b = bisect.bisect_left(seen.at, start), bisect.bisect_left(seen.at, end)
        covered[a:b] = b"\x01" * (b - a)
    quantities, refusals = numbers.scan(seen.text, covered)
    quantities = [q for q in quantities if acceptance.measures(seen.text, q)]
    blanked = clauses.blank(seen.text, quantities, [(w.start, w.end) for w in whens])
    carry = Carry(reference=reference_of(title, published, seen.text, whens))
    records: list[Statistic] = []
    starts = [q.start for q in quantities]
    when_starts = [w.start for w in whens]
    sentence_number = 0
    for number, (start, end) in enumerate(_paragraphs(seen.text)):
        if HEADING.match(seen.text[start:end]) or end - start < 30:
            read_heading(seen.text[start:end], carry)
        for a, b in clauses.sentences(seen.text, start, end):
            sentence_number += 1
            inside = quantities[bisect.bisect_left(starts, a) : bisect.bisect_left(starts, b)]
            times = whens[bisect.bisect_left(when_starts, a) : bisect.bisect_left(when_starts, b)]
            first = len(records)
            announce(seen.text, times, carry)
            read_sentence(seen.text, blanked, covered, a, b, inside, times, carry, records)
            for record in records[first:]:
                record.paragraph, record.sentence = number, sentence_number
            remember(seen.text, times, carry)
    joined = sorted(seen.joined)
    for record in records if joined else ():
        at = bisect.bisect_left(joined, record.quantity.start)
        if at < len(joined) and joined[at] <= record.quantity.end:
            record.confidence = min(record.confidence, 0.6)
    return Extraction(seen, records, sorted([*endless, *refusals], key=lambda r: r.start), carry.reference)


_ENDLESS = re.compile(r"\d[\d.,]{40,}")


def _without_endless(seen: View) -> tuple[View, list[Refusal]]:
    """Pages of digits: refused at once and blotted out, so that no rule has to look at each of them."""
    runs = [
        Refusal(m.start(), m.end(), "数字过长，可能是编码或识别有误") for m in _ENDLESS.finditer(seen.text)
    ]
    if not runs:
        return seen, []
    return replace(seen, text=_ENDLESS.sub(lambda m: "□" * len(m[0]), seen.text)), runs


def extract(
    documents: pd.DataFrame, sentences: pd.DataFrame | None = None, tables: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The statistics that documents state, in prose and in tables.

    Parameters
    ----------
    documents
        doc_id, source and body; title, published, region_code, issuer where they are known.
    sentences
        Not needed: the grammar finds its own sentences, since enumerations run over them.
    tables
        Cells with their heads (corpus table ``tables``).

    Returns
    -------
    pandas.DataFrame
        One row a number; columns :data:`analysis.facts.records.COLUMNS`. ``start`` and ``end`` are offsets in
        ``body`` and ``text`` is what stands there (of a cell: empty, and the source's offsets instead).
    """
    return read(documents, tables).statistics


class Reading(NamedTuple):
    """What :func:`read` returns: ``statistics`` and, with the columns of the corpus table, ``rejects``."""

    statistics: pd.DataFrame
    rejects: pd.DataFrame


def read(documents: pd.DataFrame, tables: pd.DataFrame | None = None) -> Reading:
    """:func:`extract`, and with it the digits that are no quantity because they are malformed (1.2.3, 百分之)."""
    import pandas as pd

    cells = (
        {} if tables is None or tables.empty else {k: _records(part) for k, part in tables.groupby("doc_id")}
    )
    rows: list[dict[str, Any]] = []
    rejects: list[dict[str, Any]] = []
    for document in _records(documents):
        found, refused = _document_rows(document, cells.get(document["doc_id"], []))
        rows += found
        rejects += refused
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in _WHOLE_COLUMNS:
        table[name] = table[name].astype("Int64")
    for name in ("target", "table", "exact"):
        table[name] = table[name].astype(bool)
    return Reading(
        table, pd.DataFrame(rejects, columns=["source", "row", "rule", "value", "severity", "message"])
    )


_WHOLE_COLUMNS = [
    "start",
    "end",
    "number_start",
    "number_end",
    "source_start",
    "source_end",
    "part_of",
    "paragraph",
    "sentence",
    "group",
]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _refusal_rows(source: Any, body: str, result: Extraction) -> list[dict[str, Any]]:
    breaks = [m.start() for m in re.finditer("\n", body)]
    rows = []
    for refusal in result.refusals:
        start, end = result.view.span(refusal.start, refusal.end)
        value = body[start:end][:60]
        rows.append(
            {
                "source": source,
                "row": bisect.bisect_left(breaks, start) + 1,
                "rule": "facts.number",
                "value": value,
                "severity": "提示",
                "message": f"“{value}”未作为统计数提取：{refusal.reason}，请核对原文",
            }
        )
    return rows


def _document_rows(
    document: dict[str, Any], cells: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    from . import tables as cell_reader

    body, title = _text(document.get("body")) or "", _text(document.get("title"))
    published = _date(document.get("published"))
    common = {
        "doc_id": document["doc_id"],
        "source": document.get("source"),
        "region_code": _text(document.get("region_code")),
    }
    whole = " ".join(filter(None, (title, _text(document.get("issuer")), body[:200])))
    default_system = naming.system(whole)
    result = extract_text(body, published, title=title)
    rows = []
    for record in result.statistics:
        q = record.quantity
        start, end = result.view.span(record.start, record.end)
        number_start, number_end = result.view.span(q.start, q.number_end)
        rows.append(
            common
            | {
                "start": start,
                "end": end,
                "text": body[start:end],
                "indicator": record.indicator or None,
                "indicator_id": naming.register(record.indicator)[0],
                "value": q.value,
                "unit": q.unit,
                "kind": record.kind,
                "approx": q.approx,
                "period": record.period,
                "period_start": record.period_start,
                "period_end": record.period_end,
                "subject": record.subject,
                "direction": record.direction,
                "base": record.base,
                "target": record.target,
                "table": False,
                "group": record.group,
                "confidence": record.confidence,
                "system": naming.system(record.subject or "") or default_system,
                "number_start": number_start,
                "number_end": number_end,
                "step": q.step,
                "exact": q.exact,
                "share_of": record.share_of,
                "part_of": record.part_of,
                "note": record.note,
                "paragraph": record.paragraph,
                "sentence": record.sentence,
            }
        )
    if cells:
        rows += [
            common | {"system": default_system} | row for row in cell_reader.read(cells, result.reference)
        ]
    return rows, _refusal_rows(document.get("source"), body, result)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _date(value: Any) -> dt.date | None:
    """A day from YYYY-MM-DD; a year or a month alone is no day."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _paragraphs(text: str) -> list[tuple[int, int]]:
    spans = []
    at = 0
    for line in text.split("\n"):
        if line:
            spans.append((at, at + len(line)))
        at += len(line) + 1
    return spans
