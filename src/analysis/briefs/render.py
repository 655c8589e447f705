"""From an executed notebook to the files of a brief (渲染): HTML, PDF, Word, results.json, tables as CSV and Excel.

One long-lived :class:`Renderer` serves a batch: templates, fonts and compilers are loaded once, and only those that
are asked for.
"""

from __future__ import annotations

import csv
import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..display import fonts
from ..display.tables import cell_decimals, head_text
from ..errors import RenderError, RequestError
from . import reader
from .document import Document, Meta

if TYPE_CHECKING:
    from .html import BriefExporter
    from .pdf import PdfWriter

FORMATS = ("html", "pdf", "docx")
FILES = {"html": "index.html", "pdf": "brief.pdf", "docx": "brief.docx"}


@dataclass(frozen=True)
class Rendered:
    """What a rendering made.

    Attributes
    ----------
    files
        Path by format, ``results`` (results.json) and, with tables, ``tables`` (tables.xlsx, 附表).
    results
        The named results, in order.
    tables
        CSV path by table name.
    warnings
        What did not get into the brief as it was, in Chinese.
    """

    files: Mapping[str, Path]
    results: list[dict[str, Any]]
    tables: Mapping[str, Path]
    warnings: list[str]


class Renderer:
    """Renders executed notebooks (渲染器); loads what a format needs when it is first asked for."""

    def render(
        self,
        notebook: Mapping[str, Any],
        out_dir: Path,
        formats: Iterable[str] = FORMATS,
        meta: Meta | Mapping[str, Any] | None = None,
    ) -> Rendered:
        """Write a brief's files into a folder.

        Parameters
        ----------
        notebook
            The executed notebook.
        out_dir
            Made when missing: index.html, brief.pdf, brief.docx, results.json, tables/*.csv, tables.xlsx.
        formats
            Of ``html``, ``pdf``, ``docx``.
        meta
            What is printed around the brief; a mapping holds the fields of :class:`Meta`.

        Raises
        ------
        RequestError
            An unknown format.
        RenderError
            Characters that no font has (they are named), or a writer failed.
        """
        wanted = tuple(dict.fromkeys(formats))
        if unknown := [name for name in wanted if name not in FORMATS]:
            raise RequestError("不支持这种格式", value="、".join(unknown), hint=f"可用：{'、'.join(FORMATS)}")
        if not isinstance(meta, Meta):
            meta = Meta(**{"title": "简报", **(meta or {})})
        document = reader.read(notebook, meta)
        _check_glyphs(document)
        out_dir.mkdir(parents=True, exist_ok=True)
        files = {name: out_dir / FILES[name] for name in wanted}
        for name, path in files.items():
            path.write_bytes(self._write(name, document, notebook))
        files["results"] = out_dir / "results.json"
        files["results"].write_text(_results(document), encoding="utf-8")
        tables = dict(_tables(document, out_dir / "tables"))
        if tables:
            files["tables"] = _workbook(document, out_dir / "tables.xlsx")
        results = [dict(part) for part in _unique(document.parts.get("result", ()))]
        return Rendered(files, results, tables, list(document.warnings))

    def preload(self, formats: Iterable[str] = FORMATS) -> None:
        """Load templates, fonts and compilers now: before a process forks, or before a clock starts."""
        for name in formats:
            if name == "html":
                _ = self._html
            else:
                _ = self._pdf

    def _write(self, name: str, document: Document, notebook: Mapping[str, Any]) -> bytes:
        if name == "html":
            return self._html.page(document, notebook)
        if name == "pdf":
            return self._pdf.write(document)
        from . import word

        return word.write(document, {figure.name: self._pdf.png(figure) for figure in document.figures})

    @functools.cached_property
    def _html(self) -> BriefExporter:
        from .html import BriefExporter

        return BriefExporter()

    @functools.cached_property
    def _pdf(self) -> PdfWriter:
        from .pdf import PdfWriter

        return PdfWriter()


def _check_glyphs(document: Document) -> None:
    """Fail when a character would come out as a box, in text or in a chart, and name it."""
    text = document.text()
    lost = [sign for family in (fonts.SANS, fonts.SERIF) for sign in fonts.missing(text, family)]
    if lost:
        named = "、".join(f"{sign}（U+{ord(sign):04X}）" for sign in dict.fromkeys(lost))
        place = _around(text, lost[0])
        raise RenderError(
            f"字体缺少这些字符：{named}",
            value=place,
            hint="请在来源文本中改用通行字形，或换用含有这些字的字体",
        )


def _around(text: str, sign: str) -> str:
    at = text.index(sign)
    return text[max(0, at - 12) : at + 13].replace("\n", " ")


def _results(document: Document) -> str:
    """results.json: what comparison, verification and tests read."""
    meta = document.meta
    content = {
        "schema": 1,
        "title": meta.title,
        "period": meta.period,
        "region": meta.region,
        "as_of": meta.as_of,
        "results": _unique(document.parts.get("result", ())),
        "findings": [
            {"text": part["text"], "grade": part["grade"]} for part in document.parts.get("finding", ())
        ],
        "tables": [
            {
                "name": part["name"],
                "caption": part["caption"],
                "rows": len(part["rows"]),
                "file": f"tables/{_file(part['name'])}",
            }
            for part in document.parts.get("table", ())
        ],
        "figures": [
            {"name": part["name"], "caption": part["caption"]} for part in document.parts.get("chart", ())
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _unique(parts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return list({part["name"]: part for part in parts}.values())


def _tables(document: Document, folder: Path) -> Iterable[tuple[str, Path]]:
    parts = document.parts.get("table", ())
    if parts:
        folder.mkdir(exist_ok=True)
    for part in parts:
        path = folder / _file(part["name"])
        with path.open("w", encoding="utf-8-sig", newline="") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow([_safe(_csv_head(column)) for column in part["columns"]])
            writer.writerows([_safe(value) for value in row] for row in part["rows"])
        yield part["name"], path


def _workbook(document: Document, path: Path) -> Path:
    """附表: all tables in one Excel file, a sheet each, with their captions and remarks."""
    import pandas as pd

    from ..cases.export import to_excel

    sheets, notes, decimals = {}, {}, {}
    for table, part in zip(
        (table for table in document.tables if table.number), document.parts["table"], strict=False
    ):
        name = f"{table.number} {part['caption']}"
        decimals[name] = cell_decimals(part)
        sheets[name] = pd.DataFrame(part["rows"], columns=[_csv_head(column) for column in part["columns"]])
        marks = "".join(f"【{mark}】" for mark in document.meta.marks)
        # What a page prints as a dash is an empty cell here: a column of numbers stays one.
        note = (part["note"] or "").replace("“—”", "空格")
        notes[name] = f"{marks}{part['caption']}" + (f"。{note}" if note else "")
    return to_excel(sheets, path, notes=notes, decimals=decimals)


def _csv_head(column: Mapping[str, Any]) -> str:
    head = head_text(column)
    return f"{column['group']} {head}" if column["group"] else head


def _safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe before it."""
    if isinstance(value, str) and value.lstrip(" ").startswith(
        ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
    ):
        return f"'{value}"
    return "" if value is None else value


def _file(name: str) -> str:
    """A file name on every system."""
    return re.sub(r"[^0-9A-Za-z_.一-鿿-]+", "_", name).strip(".") + ".csv"
