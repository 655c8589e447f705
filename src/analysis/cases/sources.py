"""Where case tables come from (数据来源): files and databases as raw ibis tables, with a row number where rows have one.

Parquet and databases are read in place. CSV and Excel are read as text, cell by cell, into DuckDB: no type is guessed.
"""

from __future__ import annotations

import collections
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError

ROW = "_row"
"""The raw column that counts rows from 1; absent where a source's rows have no order."""

ENCODINGS = ("utf-8", "gb18030")
_CHINESE = re.compile("[\u3000-\u9fff\uff00-\uffef]")
_CHINESE_UTF8 = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}){2}")
_SUFFIXES = (".parquet", ".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
_HEAD_ROWS = 12
_THEIRS = "theirs"
"""Name under which our DuckDB sees somebody's database file."""


@dataclass(frozen=True)
class Raw:
    """One table as received.

    Attributes
    ----------
    label
        Its name at the source: file stem, sheet or database table.
    source
        What a reject line calls it.
    table
        ibis table.
    whole
        Whether typing it once and for all pays: its cells are text.
    flaws
        Lines for the rejects found while reading: dicts of row, rule, field, value.
    """

    label: str
    source: str
    table: Any
    whole: bool = False
    flaws: tuple[dict[str, object], ...] = ()


def is_url(source: str | Path) -> bool:
    """Whether it names a database."""
    return re.match(r"[a-z][a-z0-9+]+://", str(source)) is not None


def connect(memory_limit: str = "2GB", threads: int | None = None) -> Any:
    """An embedded DuckDB that spills to the temporary folder and never outgrows the limit."""
    import ibis

    spill = Path(tempfile.gettempdir()) / f"policy-brief-spill-{os.getpid()}"
    options: dict[str, object] = {"memory_limit": memory_limit, "temp_directory": str(spill)}
    if threads is not None:
        options["threads"] = threads
    con = ibis.duckdb.connect(**options)
    con.raw_sql("SET preserve_insertion_order = false")
    # In a notebook a slow query would leave a progress bar among the outputs.
    con.raw_sql("SET enable_progress_bar = false")
    return con


def open_database(url: str, names: dict[str, str | None], memory_limit: str = "2GB") -> tuple[Any, list[Raw]]:
    """Connect and find the tables. We never write to a database: a file of DuckDB's is only looked into by our own.

    Parameters
    ----------
    names
        Our table → its name there (``schema.table`` allowed), or ``None`` for our own name if it is there.
    memory_limit
        What the embedded DuckDB may use, where it is a file of DuckDB's.

    Raises
    ------
    InputError
        No connection, or a named table is not there.
    """
    import ibis

    shown = re.sub(r"//([^:/@]+):[^@]*@", r"//\1:***@", url)
    file = url.split("?")[0].removeprefix("duckdb://") if url.startswith("duckdb://") else None
    try:
        if file:
            con = connect(memory_limit)
            con.raw_sql(f"ATTACH '{_quoted(file)}' AS {_THEIRS} (READ_ONLY)")
        else:
            con = ibis.connect(url)
    except Exception as error:
        raise InputError(
            f"数据库连接失败：{_first_line(error)}", file=shown, hint="请检查地址、用户和网络"
        ) from error
    raws = []
    for ours, theirs in names.items():
        schema, _, name = (theirs or ours).rpartition(".")
        try:
            table = con.table(name, database=(_THEIRS, schema or "main") if file else schema or None)
        except ibis.common.exceptions.TableNotFound as error:
            if theirs is None:
                continue
            raise InputError(
                "数据库里没有这张表", file=shown, value=theirs, hint="请检查映射文件的 from"
            ) from error
        raws.append(Raw(ours, f"{shown}#{theirs or ours}", table))
    if not raws:
        raise InputError("数据库里没有可用的案件表", file=shown, hint="请在映射文件里用 from 写明表名")
    return con, raws


def read_path(path: Path, con: Any) -> list[Raw]:
    """A file, or every readable file of a folder.

    Raises
    ------
    InputError
        Missing, empty, or of a format or encoding that we do not read.
    """
    if not path.exists():
        raise InputError("找不到案件数据", file=path, hint="请检查路径")
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
        if not files:
            raise InputError("文件夹里没有案件数据", file=path, hint=f"可读：{' '.join(_SUFFIXES)}")
    else:
        files = [path]
    return [raw for file in files for raw in _read_file(file, con)]


def read_report(path: Path, form: Mapping[str, Any], con: Any) -> list[Raw]:
    """A 报表 as the table ``monthly`` (see :mod:`.report`)."""
    import pyarrow as pa

    from . import report

    rows, rejects = report.read(path, **form)
    cells = [
        pa.array([None if cell is None or cell != cell else str(cell) for cell in rows[name]], pa.string())
        for name in rows
    ]
    table = pa.Table.from_arrays(cells, names=list(rows.columns))
    return [
        Raw("monthly", path.name, _store(table, con, list(range(1, len(rows) + 1))), True, tuple(rejects))
    ]


def _read_file(file: Path, con: Any) -> Iterator[Raw]:
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        try:
            table = _seen(f"read_parquet('{_quoted(file)}', file_row_number = true)", con)
        except Exception as error:
            raise InputError(
                f"Parquet 文件读不了：{_first_line(error)}", file=file, hint="请重新导出"
            ) from error
        yield Raw(
            file.stem, file.name, table.mutate(**{ROW: table.file_row_number + 1}).drop("file_row_number")
        )
    elif suffix in (".csv", ".tsv", ".txt"):
        yield _read_csv(file, con)
    elif suffix in (".xlsx", ".xlsm"):
        yield from _read_excel(file, con)
    else:
        raise InputError("不认识的文件格式", file=file, hint=f"可读：{' '.join(_SUFFIXES)}")


def _read_csv(file: Path, con: Any) -> Raw:
    """Every cell as text; a line with more or fewer cells than the head is left out and reported."""
    import io

    import pyarrow as pa
    from pyarrow import csv

    text, flaws = _decode(file)
    if not text.strip():
        raise InputError("文件是空的", file=file, hint="请检查导出")
    head = text.splitlines()[0]
    separator = max(",\t;|", key=head.count)
    broken: list[dict[str, object]] = []

    def refuse(row: Any) -> str:
        broken.append(
            {
                "row": row.number and row.number - 1,
                "rule": "broken_line",
                "field": None,
                "value": row.text[:200],
            }
        )
        return "skip"

    try:
        table = csv.read_csv(
            io.BytesIO(text.encode("utf-8")),
            # Only one thread numbers the lines it refuses.
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(
                delimiter=separator,
                newlines_in_values=True,
                invalid_row_handler=refuse,
                ignore_empty_lines=True,
            ),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.string() for name in _cells(head, separator)},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(
            f"CSV 文件读不了：{_first_line(error)}", file=file, hint="请检查分隔符和引号"
        ) from error
    refused = sorted(int(str(line["row"])) for line in broken if line["row"])
    return Raw(
        file.stem, file.name, _store(table, con, _numbers(table.num_rows, refused)), True, (*flaws, *broken)
    )


def _cells(head: str, separator: str) -> list[str]:
    import csv

    return next(csv.reader([head], delimiter=separator))


def _numbers(rows: int, refused: list[int]) -> list[int]:
    """The source's row numbers of what was taken, refused rows passed over."""
    passed = set(refused)
    return [number for number in range(1, rows + len(passed) + 1) if number not in passed]


def _decode(file: Path) -> tuple[str, list[dict[str, object]]]:
    """The text of a file; when lines differ in their encoding each is read in its own, and those unlike the most reported."""
    data = file.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16"), []
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    # Much UTF-8 is also GB 18030, of another sense: a file in which both may be is asked line by line.
    if not _CHINESE_UTF8.search(data):
        try:
            return data.decode("gb18030"), []
        except UnicodeDecodeError:
            pass
    lines = [_line(line) for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    told = collections.Counter(encoding for _, encoding in lines if encoding in ENCODINGS)
    usual = told.most_common(1)[0][0] if told else None
    flaws: list[dict[str, object]] = [
        {
            "row": number or None, "rule": "mixed_encoding" if encoding in ENCODINGS else "unreadable_bytes",
            "field": None, "value": text[:60],
        }
        for number, (text, encoding) in enumerate(lines) if encoding not in (usual, "ascii")
    ]  # fmt: skip
    return "\n".join(text for text, _ in lines), flaws


def _line(line: bytes) -> tuple[str, str | None]:
    """A line's text and encoding: ``ascii``, one of :data:`ENCODINGS`, or ``None`` where some of it cannot be read."""
    if line.isascii():
        return line.decode("ascii"), "ascii"
    for encoding in ENCODINGS:
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Bytes of GB 18030 may by chance be UTF-8, but then of letters and not of Chinese.
        if encoding != "utf-8" or _CHINESE.search(text):
            return text, encoding
    return line.decode("utf-8", errors="replace"), None


def _read_excel(file: Path, con: Any) -> Iterator[Raw]:
    import openpyxl
    import pyarrow as pa

    try:
        values = openpyxl.load_workbook(file, read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(file, read_only=True)
    except Exception as error:
        raise InputError(
            f"Excel 文件读不了：{_first_line(error)}", file=file, hint="请另存为 .xlsx"
        ) from error
    for sheet in values.worksheets:
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        while rows and all(cell is None for cell in rows[-1]):
            rows.pop()
        if not rows:
            continue
        head = max(range(min(_HEAD_ROWS, len(rows))), key=lambda k: sum(isinstance(c, str) for c in rows[k]))
        names = [str(cell).strip() if cell is not None else "" for cell in rows[head]]
        keep = [k for k, name in enumerate(names) if name]
        flaws = _formulas(formulas[sheet.title], names, head, rows)
        cells = [[_cell(row[k]) if k < len(row) else "" for k in keep] for row in rows[head + 1 :]]
        numbers = [number for number, row in enumerate(cells, start=1) if any(row)]
        columns = [
            pa.array([cells[number - 1][k] for number in numbers], pa.string()) for k in range(len(keep))
        ]
        table = pa.Table.from_arrays(columns, names=[names[k] for k in keep])
        yield Raw(sheet.title, f"{file.name}#{sheet.title}", _store(table, con, numbers), True, tuple(flaws))
    formulas.close()
    values.close()


def _formulas(sheet: Any, names: list[str], head: int, rows: list[list[object]]) -> list[dict[str, object]]:
    """The formula cells below the head; one without a stored result has no value."""
    flaws: list[dict[str, object]] = []
    for number, cells in enumerate(sheet.iter_rows(min_row=head + 2, max_row=len(rows)), start=1):
        for k, cell in enumerate(cells):
            if cell.data_type == "f" and k < len(names):
                rule = "formula_without_value" if rows[head + number][k] is None else "formula_cell"
                flaws.append({"row": number, "rule": rule, "field": names[k], "value": str(cell.value)})
    return flaws


def _cell(value: object) -> str:
    """A cell as text; a real date keeps its time of day, a whole number loses the decimal point."""
    import datetime as dt

    if value is None:
        return ""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _seen(what: str, con: Any) -> Any:
    """What DuckDB can read, as a view that every cursor sees; Ibis would make a temporary one, which only its own does."""
    import ibis

    name = ibis.util.gen_name("seen")
    con.raw_sql(f'CREATE VIEW "{name}" AS SELECT * FROM {what}')
    return con.table(name)


def _quoted(path: str | Path) -> str:
    return str(path).replace("'", "''")


def _store(table: Any, con: Any, numbers: list[int]) -> Any:
    """Text cells into DuckDB, with the row numbers."""
    import ibis
    import pyarrow as pa

    names = [str(name).strip().lstrip("\ufeff") for name in table.column_names]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError("表头有重复的列名", value="、".join(twice), hint="请改名后再读")
    table = table.rename_columns(names).append_column(ROW, pa.array(numbers, pa.int64()))
    name, received = ibis.util.gen_name("raw"), ibis.util.gen_name("received")
    con.con.register(received, table)
    con.raw_sql(f'CREATE TABLE "{name}" AS SELECT * FROM "{received}"')
    con.con.unregister(received)
    return con.table(name)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
