"""A corpus on disk (语料库): Parquet shards, built bit by bit, opened without reading what is not asked for.

::

    out/
      corpus.json           format, library version, digest of the codebooks that shaped it
      files.jsonl           the journal: one line a file, with its hash and the shard that holds it; the last line counts
      links.parquet         doc_id → near_duplicate_of, over the whole corpus
      shards/NNNNNN/        documents, sentences, tables, rejects and traces of some files, one Parquet file each

A shard is written under another name, renamed into place, and only then entered in the journal: a build that was
killed goes on where it stopped. What the codebooks shaped is read anew when they change.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import codebooks
from ..errors import InputError, RequestError
from . import duplicates, records, source
from .read import Parsed, parse_all, same_file
from .records import Corpus, frame
from .sidecar import Sidecar
from .trace import Traced

if TYPE_CHECKING:
    import pandas as pd

#: Version of the layout on disk.
FORMAT = 1
#: Characters after which a shard is written.
SHARD = 4_000_000
_CODEBOOKS = (
    "furniture.yml",
    "genres.yml",
    "layout.yml",
    "names.yml",
    "places.yml",
    "script.yml",
    "regions.csv",
)
_TABLES: dict[str, dict[str, str]] = {
    "documents": records.DOCUMENTS,
    "sentences": records.SENTENCES,
    "tables": records.TABLES,
    "rejects": records.REJECTS,
}

#: Called with (files done, files in all, name of the file).
Progress = Callable[[int, int, str], None]


def build(
    src: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    sidecar: str | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Build or bring up to date a corpus on disk.

    Unchanged files cost a hash; changed and new ones are read, files that are gone leave the corpus. Memory holds one
    shard and 1 kB an article, whatever the size of the corpus.

    Returns
    -------
    Path
        The corpus, for :func:`open_store`.

    Raises
    ------
    InputError
        There is no such source, or ``out`` holds something else.
    CodebookError
        The sidecar is malformed.
    """
    out = Path(out)
    stated = Sidecar.beside(src, sidecar)
    files = source.find(src)
    shape = _shape(stated)
    journal = _prepare(out, shape)
    wanted = {one.name for one in files}
    known = {name: entry for name, entry in journal.items() if name in wanted}
    done = 0
    todo: list[source.Source] = []
    first: dict[str, str] = {}
    copies: list[tuple[str, str, str]] = []
    for one in files:
        digest = _digest(one.path)
        entry = known.get(one.name)
        if digest and digest in first:
            copies.append((one.name, digest, first[digest]))
            continue
        first.setdefault(digest, one.name)
        if entry and entry["sha256"] == digest and digest and not entry.get("copy_of"):
            done += 1
        else:
            todo.append(one)
    gone = [name for name in journal if name not in wanted]
    _enter(out, [{"source": name, "gone": True} for name in gone])
    shard = _Shard(out)
    for parsed in parse_all(todo, stated, workers):
        shard.add(parsed)
        done += 1
        if progress:
            progress(done, len(files) - len(copies), parsed.source)
        if shard.chars >= SHARD:
            shard.write()
    for name, digest, original in copies:
        shard.add(Parsed(name, digest, rejects=[same_file(name, original)]), copy_of=original)
    shard.write()
    _sweep(out)
    _write_links(out)
    return out


def open_store(out: str | Path) -> Corpus:
    """Open a corpus on disk; its tables are read when they are first used.

    Raises
    ------
    InputError
        The folder holds no corpus, or one of another format.
    """
    out = Path(out)
    try:
        head = json.loads((out / "corpus.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("这里没有语料库", file=out, hint="请先运行 policy-brief corpus build") from error
    if head.get("format") != FORMAT:
        raise InputError(
            "语料库的格式版本不同", file=out, value=head.get("format"), hint="请重新运行 corpus build"
        )
    return StoredCorpus(out)


class StoredCorpus(Corpus):
    """A corpus whose tables lie on disk until they are asked for."""

    path: Path
    live: dict[str, set[str]]

    def __init__(self, path: Path, live: dict[str, set[str]] | None = None) -> None:
        live = _live(path) if live is None else live
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "live", live)
        object.__setattr__(self, "traces", _Traces(path, live))

    def parts(self, size: int = 2_000) -> Iterator[Corpus]:
        """A shard at a time, its tables read when they are first used; ``size`` is that of the shards."""
        yield from (StoredCorpus(self.path, {shard: live}) for shard, live in self.live.items())

    @functools.cached_property
    def documents(self) -> pd.DataFrame:
        """Documents, with the near-duplicates linked."""
        import pandas as pd

        documents = _load(self.path, "documents", self.live)
        links = pd.read_parquet(self.path / "links.parquet")
        found = dict(zip(links["doc_id"], links["near_duplicate_of"], strict=True))
        documents["near_duplicate_of"] = documents["doc_id"].map(found).astype("string")
        return documents

    @functools.cached_property
    def sentences(self) -> pd.DataFrame:
        """Sentences."""
        return _load(self.path, "sentences", self.live)

    @functools.cached_property
    def tables(self) -> pd.DataFrame:
        """Cells of tables."""
        return _load(self.path, "tables", self.live)

    @functools.cached_property
    def rejects(self) -> pd.DataFrame:
        """What was not taken."""
        return _load(self.path, "rejects", self.live)


class _Traces(Mapping[str, Traced]):
    """Traces by doc_id, read a shard at a time."""

    def __init__(self, path: Path, live: dict[str, set[str]]) -> None:
        self._path = path
        self._live = live
        self._shard: tuple[str, dict[str, Traced]] | None = None

    @functools.cached_property
    def _where(self) -> dict[str, str]:
        import pyarrow.parquet as pq

        where = {}
        for shard, live in self._live.items():
            table = pq.read_table(
                self._path / "shards" / shard / "documents.parquet", columns=["doc_id", "source"]
            )
            for row in table.to_pylist():
                if _owner(row["source"], live):
                    where[row["doc_id"]] = shard
        return where

    def __getitem__(self, doc_id: str) -> Traced:
        shard = self._where[doc_id]
        if self._shard is None or self._shard[0] != shard:
            import pyarrow.parquet as pq

            folder = self._path / "shards" / shard
            bodies = pq.read_table(folder / "documents.parquet", columns=["doc_id", "body"]).to_pylist()
            runs = {
                row["doc_id"]: row["runs"] for row in pq.read_table(folder / "traces.parquet").to_pylist()
            }
            self._shard = (
                shard,
                {
                    row["doc_id"]: Traced.from_runs(row["body"], _triples(runs[row["doc_id"]]))
                    for row in bodies
                },
            )
        return self._shard[1][doc_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def __len__(self) -> int:
        return len(self._where)


class _Shard:
    """Rows gathered until they are worth a file."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._clear()

    def _clear(self) -> None:
        self.chars = 0
        self._parsed: list[Parsed] = []
        self._entries: list[dict[str, Any]] = []

    def add(self, one: Parsed, *, copy_of: str | None = None) -> None:
        """Take what one file gave."""
        self._parsed.append(one)
        entry: dict[str, Any] = {"source": one.source, "sha256": one.digest}
        self._entries.append(entry | ({"copy_of": copy_of} if copy_of else {}))
        self.chars += sum(row["chars"] for row in one.documents) + 200

    def write(self) -> None:
        """Write the shard, put it in its place, enter its files in the journal."""
        if not self._parsed:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        shards = self._out / "shards"
        number = max((int(p.name) for p in shards.iterdir() if p.name.isdigit()), default=-1) + 1
        name = f"{number:06d}"
        staged = shards / f".{name}-{os.getpid()}"
        staged.mkdir()
        for table, columns in _TABLES.items():
            rows = [row for one in self._parsed for row in getattr(one, table)]
            arrays = [pa.array([row.get(name) for row in rows], kind) for name, kind in _kinds(columns)]
            pq.write_table(pa.table(arrays, names=list(columns)), staged / f"{table}.parquet")
        traces = [(doc_id, t) for one in self._parsed for doc_id, t in one.traces.items()]
        sketches = [s for one in self._parsed for s in one.sketches.values()]
        pq.write_table(
            pa.table(
                {
                    "doc_id": pa.array([doc_id for doc_id, _ in traces], pa.string()),
                    "runs": pa.array(
                        [[n for run in t.runs() for n in run] for _, t in traces], pa.list_(pa.int32())
                    ),
                    "sketch": pa.array(duplicates.pack(sketches), pa.binary()),
                }
            ),
            staged / "traces.parquet",
        )
        staged.rename(shards / name)
        _enter(self._out, [entry | {"shard": name} for entry in self._entries])
        self._clear()


def _prepare(out: Path, shape: str) -> dict[str, dict[str, Any]]:
    """Make or check the folder; the journal of what it already holds."""
    head = out / "corpus.json"
    if out.exists() and not out.is_dir():
        raise RequestError("--out 应为文件夹", file=out, hint="请换一个文件夹")
    if out.is_dir() and any(out.iterdir()) and not head.exists():
        raise InputError("输出文件夹里有别的东西", file=out, hint="请给一个空文件夹或已有的语料库")
    (out / "shards").mkdir(parents=True, exist_ok=True)
    for left in (out / "shards").glob(".*"):
        shutil.rmtree(left)  # a shard that was being written when a build was killed
    if head.exists() and json.loads(head.read_text(encoding="utf-8")).get("shape") != shape:
        # Other rules, other texts: what was built by the old ones does not count.
        (out / "files.jsonl").unlink(missing_ok=True)
    from .. import __version__

    _replace(head, json.dumps({"format": FORMAT, "library": __version__, "shape": shape}, indent=1) + "\n")
    return _rewrite_journal(out)


def _rewrite_journal(out: Path) -> dict[str, dict[str, Any]]:
    """The journal with one whole line for each file that it knows, and nothing else."""
    entries = _journal(out)
    text = "".join(json.dumps(entries[name], ensure_ascii=False) + "\n" for name in sorted(entries))
    _replace(out / "files.jsonl", text)
    return entries


def _journal(out: Path) -> dict[str, dict[str, Any]]:
    """Source → its last entry; a line cut short by a kill does not count."""
    entries: dict[str, dict[str, Any]] = {}
    file = out / "files.jsonl"
    if not file.exists():
        return entries
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("gone"):
            entries.pop(entry["source"], None)
        else:
            entries[entry["source"]] = entry
    return entries


def _enter(out: Path, entries: list[dict[str, Any]]) -> None:
    if not entries:
        return
    with (out / "files.jsonl").open("a", encoding="utf-8") as journal:
        journal.write("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries))
        journal.flush()
        os.fsync(journal.fileno())


def _live(out: Path) -> dict[str, set[str]]:
    """Shard → the sources it holds the last word on."""
    live: dict[str, set[str]] = {}
    for name, entry in _journal(out).items():
        live.setdefault(entry["shard"], set()).add(name)
    return dict(sorted(live.items()))


def _owner(name: str, live: set[str]) -> bool:
    """Whether a document's source, or the archive it lies in, is among the live ones."""
    return name in live or any(name[:i] in live for i, c in enumerate(name) if c == "/")


def _sweep(out: Path) -> None:
    """Remove shards that hold nothing any more, and write the journal without its history."""
    _rewrite_journal(out)
    live = _live(out)
    for shard in (out / "shards").iterdir():
        if shard.name not in live:
            shutil.rmtree(shard)


def _write_links(out: Path) -> None:
    """Link near-duplicates over the whole corpus, in order of source and position."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[tuple[str, int, str, bytes]] = []
    for shard, live in _live(out).items():
        folder = out / "shards" / shard
        documents = pq.read_table(
            folder / "documents.parquet", columns=["doc_id", "source", "position"]
        ).to_pylist()
        traces = pq.read_table(folder / "traces.parquet", columns=["doc_id", "sketch"])
        sketches = dict(zip(traces["doc_id"].to_pylist(), traces["sketch"].to_pylist(), strict=True))
        rows += [
            (d["source"], d["position"], d["doc_id"], sketches[d["doc_id"]])
            for d in documents
            if _owner(d["source"], live)
        ]
    rows.sort()
    links = duplicates.link((doc_id, duplicates.unpack(s)) for _, _, doc_id, s in rows)
    table = pa.table(
        {
            "doc_id": pa.array(list(links), pa.string()),
            "near_duplicate_of": pa.array(list(links.values()), pa.string()),
        }
    )
    staged = out / ".links.parquet"
    pq.write_table(table, staged)
    staged.replace(out / "links.parquet")


def _load(out: Path, table: str, shards: Mapping[str, set[str]]) -> pd.DataFrame:
    """A table over the shards, only what is live, in order of source."""
    import pandas as pd

    parts = []
    for shard, live in shards.items():
        folder = out / "shards" / shard
        part = pd.read_parquet(folder / f"{table}.parquet")
        if "source" in part:
            part = part[part["source"].map(lambda name, live=live: _owner(name, live)).astype(bool)]
        else:
            documents = pd.read_parquet(folder / "documents.parquet", columns=["doc_id", "source"])
            kept = {
                d for d, s in zip(documents["doc_id"], documents["source"], strict=True) if _owner(s, live)
            }
            part = part[part["doc_id"].isin(kept)]
        parts.append(part)
    columns = _TABLES[table]
    whole = pd.concat(parts, ignore_index=True) if parts else frame([], columns)
    if "region_candidates" in whole:
        whole["region_candidates"] = [list(c) if c is not None else [] for c in whole["region_candidates"]]
    whole = whole.astype({name: kind for name, kind in columns.items() if kind != "object"})
    if table == "documents":
        return whole.sort_values(["source", "position"], kind="stable", ignore_index=True)
    return whole


def _kinds(columns: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Columns with their Arrow types."""
    import pyarrow as pa

    kinds = {"string": pa.string(), "Int64": pa.int64(), "Float64": pa.float64(), "boolean": pa.bool_()}
    return [(name, kinds.get(kind, pa.list_(pa.string()))) for name, kind in columns.items()]


def _triples(numbers: list[int]) -> Iterator[tuple[int, int, int]]:
    it = iter(numbers)
    return zip(it, it, it, strict=True)


def _digest(path: Path) -> str:
    """SHA-256 of a file, read piece by piece; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _shape(stated: Sidecar) -> str:
    """What decides how a file is read, besides the file: the codebooks and the sidecar."""
    books = [codebooks.digest(codebooks.path(name)) for name in _CODEBOOKS]
    said = json.dumps([stated.defaults, stated.files], ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256("".join([str(FORMAT), *books, said]).encode()).hexdigest()[:16]


def _replace(file: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    staged = file.with_name(f".{file.name}.{os.getpid()}")
    staged.write_text(text, encoding="utf-8")
    staged.replace(file)


if __name__ == "__main__":
    build(sys.argv[1], sys.argv[2])
