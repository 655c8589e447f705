"""Inputs of a run (输入): where they lie, what is in them (hash, rows, slices), and how a run's folder receives them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from .definitions import Definition, Slice

FOLDER = "inputs"
SLICES = ".slices"  # beside a prepared folder
_TABLES = (".parquet", ".csv")
_LISTED = 500  # files of one input that are named one by one in a manifest
_RACY = 100_000_000  # ns: a file changed this short ago may change again within one tick of its clock
_MODULUS = 1 << 128


@dataclass(frozen=True)
class Source:
    """One input of one run, resolved (已定位的输入).

    Attributes
    ----------
    name, kind
        As in the definition.
    location
        Absolute path or database URL.
    prefixes
        Table → (column, code prefix) pairs: the rows the run may see. Empty: everything.
    slices
        Slice name → tables, for ``explain``.
    origin
        Of prepared data: the source they were made from (see :mod:`.ready`).
    served
        Another form of the same content that runs are given: in its place, or (of case tables) beside it.
    """

    name: str
    kind: str
    location: str
    prefixes: Mapping[str, tuple[tuple[str, str], ...]]
    slices: Mapping[str, tuple[str, ...]]
    origin: Source | None = None
    served: str | None = None

    @property
    def is_url(self) -> bool:
        """Whether it is a database."""
        return "://" in self.location

    @property
    def parameter(self) -> str:
        """What the notebook is told: the path in its own folder, or the database URL."""
        if self.is_url:
            return self.location
        path = Path(self.location)
        return f"{FOLDER}/{self.name}" + ("" if path.is_dir() else "".join(path.suffixes[-1:]))

    @property
    def shown(self) -> str:
        """The location as a manifest may show it: a URL without its password."""
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1@", self.location)

    def files(self) -> dict[str, Path]:
        """Name within the input → file, in order of the names, part by part; hidden ones are no input."""
        path = Path(self.location)
        if not path.is_dir():
            return {path.name: path}
        parts: list[tuple[str, ...]] = []
        for folder, below, names in os.walk(path):
            below[:] = _shown(below)
            inside = tuple(part for part in folder[len(str(path)) :].split(os.sep) if part)
            parts += [(*inside, name) for name in _shown(names)]
        return {"/".join(names): path.joinpath(*names) for names in sorted(parts)}


def locate(definition: Definition, given: Mapping[str, str], region: str | None) -> dict[str, Source]:
    """The inputs of a run: given on the command line, else the definition's defaults; absent optional ones are left out.

    Raises
    ------
    InputError
        A required input is missing.
    """
    found = {}
    for name, item in definition.inputs.items():
        location = given.get(name) or item.path
        if location is None:
            if item.required:
                raise InputError(
                    f"报告 {definition.id} 需要输入 {name}", hint=f"请用 --input {name}=路径 给出"
                )
            continue
        if "://" not in location:
            # A path on the command line is the caller's; one in the definition is the project's.
            path = Path(location) if name in given else definition.root / location
            if not path.exists():
                if not item.required and name not in given:
                    continue
                raise InputError(
                    f"报告 {definition.id} 的输入 {name} 不存在",
                    file=location,
                    hint=f"请检查路径，或用 --input {name}=路径 给出",
                )
            location = str(path.resolve())
        prefixes, slices = _resolve(item.slices, region, location)
        found[name] = Source(name, item.kind, location, prefixes, slices)
    return found


def link(source: Source, folder: Path) -> None:
    """Put an input under ``inputs/`` of a run's folder: links, or the declared rows as files of their own."""
    if source.is_url:
        return
    place = folder / source.parameter
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.served is not None and source.kind == "cases":
        place.mkdir()
        for name, file in source.files().items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).symlink_to(file)
        (place / "prepared").symlink_to(source.served)
        return
    if not source.prefixes:
        place.symlink_to(source.served or source.location)
        return
    place.mkdir()
    for name, file in source.files().items():
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.stem in source.prefixes and file.suffix in _TABLES:
            _put_slice(source, file, target)
        else:
            target.symlink_to(file)


def state(source: Source) -> tuple[tuple[Any, ...], ...]:
    """The files' sizes, times and inodes: equal before and after a run means nobody replaced them."""
    return () if source.is_url else tuple((str(file), *_stat(file)) for file in source.files().values())


class Digests:
    """Content hashes of files and slices, remembered between builds by size, times and inode.

    Parameters
    ----------
    file
        Where to remember them; ``None``: nowhere.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: dict[str, Any] = {}
        self._fresh: dict[str, list[Any]] = {}
        self._changed = False
        if file is not None:
            try:
                self._known = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self._known = {}  # absent or torn: it is only a memory

    @property
    def folder(self) -> Path | None:
        """Where the memory lies, and what else is kept from build to build."""
        return None if self._file is None else self._file.parent

    def of_file(self, file: Path) -> dict[str, Any]:
        """SHA-256, bytes and (of a table) rows of a file."""
        return dict(self._entry(file)["content"])

    def of_source(self, source: Source) -> dict[str, Any]:
        """What a run's key and manifest hold of an input.

        Returns
        -------
        dict
            ``sha256``, ``rows`` and, for folders, ``files``: name → the same of each; for sliced tables ``slices``:
            slice prefix → rows and hash of its rows. A database has ``sha256`` ``None``: nothing proves it unchanged.
        """
        if source.is_url:
            return {"kind": source.kind, "sha256": None, "location": source.shown}
        files = {name: self._of_part(source, file) for name, file in source.files().items()}
        total = hashlib.sha256(
            json.dumps([(name, part["sha256"]) for name, part in files.items()]).encode()
        ).hexdigest()
        rows = [part["rows"] for part in files.values() if part.get("rows") is not None]
        record: dict[str, Any] = {"kind": source.kind, "sha256": total, "count": len(files)}
        if rows:
            record["rows"] = sum(rows)
        if len(files) <= _LISTED:
            record["files"] = files
        if source.slices:
            record["slices"] = {name: list(tables) for name, tables in source.slices.items()}
        if source.origin is not None:
            record["prepared_from"] = self.of_source(replace(source.origin, prefixes={}, slices={}))
        return record

    def remember(self, key: str, value: Any) -> None:
        """Keep a derived fact (the extent of some data) under a key that names the content it came from."""
        self._known[key] = value
        self._changed = True

    def recall(self, key: str) -> Any:
        """A derived fact kept before, or ``None``."""
        return self._known.get(key)

    def save(self) -> None:
        """Write the memory, if it changed and its folder is there and can be written."""
        if self._file is None or not self._changed:
            return
        temporary = self._file.with_suffix(f".{os.getpid()}.tmp")
        try:
            temporary.write_text(json.dumps(self._known), encoding="utf-8")
            temporary.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _entry(self, file: Path) -> dict[str, Any]:
        stat, key = list(_stat(file)), str(file)
        entry = self._known.get(key)
        if entry is not None and entry["stat"] == stat:
            return dict(entry)
        now = time.time_ns()
        content: dict[str, Any] = {"sha256": _sha256(file), "bytes": stat[0]}
        if (rows := _rows(file)) is not None:
            content["rows"] = rows
        entry = {"stat": stat, "content": content}
        if now - stat[1] > _RACY:
            self._known[key] = entry
            self._changed = True
        return entry

    def _of_part(self, source: Source, file: Path) -> dict[str, Any]:
        whole = self.of_file(file)
        pairs = source.prefixes.get(file.stem, ()) if file.suffix in _TABLES else ()
        if not pairs:
            return whole
        rows, total, shown = 0, 0, {}
        for column, prefix in pairs:
            count, value = self._slice(source, file, whole["sha256"], column, prefix)
            rows, total = rows + count, total + value
            shown[f"{column}={prefix}…"] = {"rows": count, "sha256": f"{value % _MODULUS:032x}"}
        return {"sha256": f"{total % _MODULUS:032x}", "rows": rows, "slices": shown}

    def _slice(self, source: Source, file: Path, sha256: str, column: str, prefix: str) -> tuple[int, int]:
        """Rows of a slice and the sum of their hashes (a set's hash: independent of the order of rows)."""
        other = ""
        if "." in column:
            other = self.of_file(_beside(file, column.split(".")[0]))["sha256"]
        key = f"slices:{sha256}:{column}:{other}"
        codes = self._known.get(key)
        if codes is None:
            codes = _codes(file, column, source)
            self._known[key] = codes
            self._changed = True
        chosen = [value for code, value in codes.items() if code.startswith(prefix)]
        return sum(rows for rows, _ in chosen), sum(int(value, 16) for _, value in chosen) % _MODULUS


def _resolve(
    slices: tuple[Slice, ...], region: str | None, location: str
) -> tuple[dict[str, tuple[tuple[str, str], ...]], dict[str, tuple[str, ...]]]:
    if not slices or region is None or "://" in location or not Path(location).is_dir():
        return {}, {}
    prefixes: dict[str, tuple[tuple[str, str], ...]] = {}
    for part in slices:
        for table, column in part.tables.items():
            prefixes[table] = (*prefixes.get(table, ()), (column, _prefix(region, part.region)))
    return prefixes, {part.name: tuple(part.tables) for part in slices}


def _prefix(code: str, extent: str) -> str:
    """The beginning that all codes within an extent share."""
    length = 2 if code.endswith("0000") else 4 if code.endswith("00") else 6
    if extent == "siblings":
        length = max(2, length - 2)
    elif extent in ("city", "province"):
        length = min(length, {"city": 4, "province": 2}[extent])
    return code[:length]


def _codes(file: Path, column: str, source: Source) -> dict[str, list[Any]]:
    """Region code → rows and the hex sum of their hashes."""
    rows = _query(
        f"SELECT code, count(*), sum(low), sum(high) FROM (SELECT {_code(column)} AS code, "
        "md5_number_lower(CAST(t AS VARCHAR)) AS low, md5_number_upper(CAST(t AS VARCHAR)) AS high "
        f"FROM {_from(file, column)}) GROUP BY code",
        source,
        threads=None,  # sums, in whatever order
    )
    return {
        str(code): [count, f"{(int(low) + (int(high) << 64)) % _MODULUS:x}"]
        for code, count, low, high in rows
        if code is not None
    }


def _put_slice(source: Source, file: Path, target: Path) -> None:
    """The rows of the declared slices; of prepared data, which never change, cut once for all runs that see the same."""
    if source.origin is None:
        _write_slice(source, file, target)
        return
    names = "+".join(f"{column}={prefix}" for column, prefix in source.prefixes[file.stem])
    shared = Path(f"{source.location}{SLICES}", names, file.name)
    try:
        if not shared.exists():
            shared.parent.mkdir(parents=True, exist_ok=True)
            unfinished = shared.with_name(f"{file.stem}.{uuid.uuid4().hex}{file.suffix}")
            _write_slice(source, file, unfinished)
            unfinished.replace(shared)
        target.symlink_to(shared)
    except OSError:
        _write_slice(source, file, target)  # the site cannot be written


def _write_slice(source: Source, file: Path, target: Path) -> None:
    """The rows of the declared slices, in an order that depends on nothing but the rows."""
    pairs = source.prefixes[file.stem]
    columns = {column for column, _ in pairs}
    if len(columns) > 1:
        raise InputError("同一张表的各个切片应使用同一列", file=file, hint="请修改报告定义的 slices")
    column = columns.pop()
    where = " OR ".join(f"starts_with(CAST({_code(column)} AS VARCHAR), '{prefix}')" for _, prefix in pairs)
    form = "FORMAT parquet" if file.suffix == ".parquet" else "FORMAT csv, HEADER"
    _query(
        f"COPY (SELECT t.* FROM {_from(file, column)} WHERE {where} ORDER BY ALL) TO '{_quoted(target)}' ({form})",
        source,
    )


def _query(sql: str, source: Source, threads: int | None = 1) -> list[tuple[Any, ...]]:
    import duckdb

    try:
        with duckdb.connect(config={"threads": threads} if threads else {}) as connection:
            connection.execute("SET enable_progress_bar = false")
            return connection.execute(sql).fetchall()
    except duckdb.Error as error:
        raise InputError(
            f"读取输入 {source.name} 的切片失败：{error}",
            file=source.shown,
            hint="请检查报告定义的 slices 所写的表与列",
        ) from error


def _from(file: Path, column: str) -> str:
    text = f"{_reader(file)} AS t"
    if "." in column:
        table, key = column.split(".")
        region = "locality_code"
        other = _reader(_beside(file, table))
        text += f" JOIN (SELECT DISTINCT {key}, {region} AS code_of_other FROM {other}) AS o USING ({key})"
    return text


def _code(column: str) -> str:
    return "o.code_of_other" if "." in column else f't."{column}"'


def _reader(file: Path) -> str:
    if file.suffix == ".parquet":
        return f"read_parquet('{_quoted(file)}')"
    return f"read_csv('{_quoted(file)}', all_varchar = true)"


def _beside(file: Path, table: str) -> Path:
    for ending in _TABLES:
        if (other := file.with_name(table + ending)).exists():
            return other
    raise InputError(f"切片引用的表 {table} 不存在", file=file.parent, hint="请检查报告定义的 slices")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _shown(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith(".")]


def _stat(file: Path) -> tuple[int, int, int, int]:
    try:
        it = file.stat()
    except FileNotFoundError:
        return (-1, 0, 0, 0)
    return (it.st_size, it.st_mtime_ns, it.st_ctime_ns, it.st_ino)


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"无法读取：{error.strerror}", file=file, hint="请检查文件与权限") from error


def _rows(file: Path) -> int | None:
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            return int(pq.read_metadata(file).num_rows)
        except (OSError, ValueError):
            return None  # the notebook that reads it will say what is wrong with it
    if file.suffix == ".csv":
        with file.open("rb") as stream:
            return max(0, sum(block.count(b"\n") for block in _blocks(stream)) - 1)
    return None


def _blocks(stream: Any) -> Iterator[bytes]:
    while block := stream.read(1 << 20):
        yield block
