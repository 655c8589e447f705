"""Read messy public texts into a corpus (读取): one file after the other, each on its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import duplicates, source
from .clean import clean
from .dates import issue_date
from .decode import decode
from .describe import Known, describe
from .docx import read_docx
from .html import read_html
from .lines import masthead
from .pdf import read_pdf
from .records import DOCUMENTS, REJECTS, SENTENCES, TABLES, Corpus, frame
from .redact import redact, redact_text
from .reject import Refusal, rejected
from .sentences import sentences
from .sidecar import Sidecar
from .source import Page, Source
from .split import Article, split
from .tables import Table, take_tables
from .trace import Traced

_HTML = re.compile(rb"(?i)<!doctype html|<html[\s>]|<body[\s>]|<head[\s>]")


#: Share of letters that must be Chinese.
_LEAST_CHINESE = 0.2


@dataclass(slots=True)
class Parsed:
    """What one file gave: rows of each table, traces and sketches by doc_id."""

    source: str
    digest: str
    documents: list[dict[str, Any]] = field(default_factory=list)
    sentences: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    traces: dict[str, Traced] = field(default_factory=dict)
    sketches: dict[str, duplicates.Sketch] = field(default_factory=dict)


def read(
    src: str | Path | Iterable[str | Path], *, sidecar: str | Path | None = None, workers: int = 1
) -> Corpus:
    """Read files of txt, html, docx, pdf, md and zip archives of them into one corpus in memory.

    Parameters
    ----------
    src
        A file, a folder (with all below it), a zip archive, or a list of these.
    sidecar
        YAML that states or corrects metadata; without it, ``corpus.yml`` in the folder, if there is one.
    workers
        Processes to read with.

    Returns
    -------
    Corpus
        What could not be read is in its ``rejects``, with the reason.

    Raises
    ------
    InputError
        There is no such file or folder.
    CodebookError
        The sidecar is malformed.
    """
    stated = Sidecar.beside(src, sidecar)
    parsed = list(_without_copies(parse_all(source.find(src), stated, workers)))
    links = duplicates.link((doc_id, s) for p in parsed for doc_id, s in p.sketches.items())
    documents = [row | {"near_duplicate_of": links.get(row["doc_id"])} for p in parsed for row in p.documents]
    return Corpus(
        frame(documents, DOCUMENTS),
        frame((row for p in parsed for row in p.sentences), SENTENCES),
        frame((row for p in parsed for row in p.tables), TABLES),
        frame((row for p in parsed for row in p.rejects), REJECTS),
        {doc_id: trace for p in parsed for doc_id, trace in p.traces.items()},
    )


def parse_all(sources: Iterable[Source], stated: Sidecar, workers: int = 1) -> Iterator[Parsed]:
    """Parse files in their order, in this process or in several."""
    jobs = ((one, stated) for one in sources)
    if workers <= 1:
        yield from map(_job, jobs)
        return
    import multiprocessing

    # Fresh interpreters: a fork would carry over whatever threads the caller runs.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_job, jobs, chunksize=8)


def parse(one: Source, stated: Sidecar | None = None) -> Parsed:
    """Read one file: an archive gives all of its members."""
    stated = stated or Sidecar()
    try:
        data = source.load_bytes(one.path)
    except Refusal as refusal:
        return Parsed(one.name, "", rejects=[refusal.row(one.name)])
    parsed = Parsed(one.name, hashlib.sha256(data).hexdigest())
    if data[:4] == b"PK\x03\x04" and one.path.suffix.lower() != ".docx" and b"word/document.xml" not in data:
        _archive(parsed, one.name, data, stated)
    else:
        _file(parsed, one.name, data, stated)
    return parsed


def _job(job: tuple[Source, Sidecar]) -> Parsed:
    return parse(*job)


def _archive(parsed: Parsed, name: str, data: bytes, stated: Sidecar) -> None:
    try:
        for member, content in source.members(data):
            if isinstance(content, Refusal):
                parsed.rejects.append(content.row(f"{name}/{member}"))
            elif content[:4] == b"PK\x03\x04" and b"word/document.xml" not in content:
                nested = Refusal("套叠压缩包", "压缩包里还有压缩包", "请解压后放入文件夹")
                parsed.rejects.append(nested.row(f"{name}/{member}"))
            else:
                _file(parsed, f"{name}/{member}", content, stated)
    except Refusal as refusal:
        parsed.rejects.append(refusal.row(name))


def _file(parsed: Parsed, name: str, data: bytes, stated: Sidecar) -> None:
    """Read one document file and add what it gives."""
    try:
        page = read_page(name, data)
    except Refusal as refusal:
        parsed.rejects.append(refusal.row(name))
        return
    except RecursionError:
        parsed.rejects.append(rejected(name, "结构过深", "网页或文档嵌套过深。请另存为纯文本后重新放入"))
        return
    if _chinese(page.text.value) < _LEAST_CHINESE:
        other = Refusal("不是中文", "文字大多不是中文", "本语料只收中文文本")
        parsed.rejects.append(other.row(name))
        return
    cleaned = clean(page.text, markdown=page.markdown)
    text, drawn = take_tables(cleaned.text)
    tables = [*page.tables, *drawn]
    articles = split(text)
    if not articles:
        nothing = Refusal("没有正文", "除去页面杂项后没有成句的正文", "请确认文件内容")
        parsed.rejects.append(nothing.row(name))
        return
    digest = hashlib.sha256(data).digest()
    issue = issue_date(cleaned.text.value[:1500], name.rsplit("/", 1)[-1])
    ids = [
        hashlib.sha256(digest + f":{position}".encode()).hexdigest()[:16]
        for position in range(1, len(articles) + 1)
    ]
    owned = _owned(tables, articles)
    noise = _noise(page, articles, tables)
    for position, (doc_id, article) in enumerate(zip(ids, articles, strict=True), start=1):
        body, hidden = redact(article.body)
        article.body = body
        own = owned[position - 1]
        known = Known(
            issue,
            page.title if len(articles) == 1 else None,
            page.published if len(articles) == 1 else None,
            page.outlet,
            stated.of(name, position),
            " ".join(cell.text for table in own for row in table.rows for cell in row[:1]),
            masthead(cleaned.text.value),
        )
        row = describe(article, known)
        parsed.documents.append(
            {
                "doc_id": doc_id,
                "source": name,
                "position": position,
                "body": body.value,
                "script": cleaned.script,
            }
            | row
            | {"noise": noise, "redactions": hidden, "chars": len(body)}
        )
        parsed.sentences.extend(sentences(doc_id, body.value))
        for number, table in enumerate(own, start=1):
            parsed.tables.extend(
                cell | {"text": redact_text(cell["text"])} for cell in table.records(doc_id, number)
            )
        parsed.traces[doc_id] = body
        parsed.sketches[doc_id] = duplicates.sketch(body.value)
    if "\ufffd" in page.text.value:
        parsed.rejects.append(
            rejected(
                name,
                "个别字符无法解码",
                f"有 {page.text.value.count(chr(0xFFFD))} 处字符读不出来，已保留为 �。请核对原文",
                severity="提示",
            )
        )


def read_page(name: str, data: bytes) -> Page:
    """Read a document file with the reader that its content (not its name) calls for.

    Raises
    ------
    Refusal
        No reader can use it.
    """
    suffix = "." + name.rsplit(".", 1)[-1].lower() if "." in name.rsplit("/", 1)[-1] else ""
    if not data.strip(b"\x00 \t\r\n"):
        raise Refusal("空文件", "文件没有内容", "请确认下载完整后重新放入")
    if data.startswith(b"%PDF"):
        return read_pdf(data)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or suffix == ".docx":
        return read_docx(data)
    if suffix not in source.KINDS and suffix:
        raise Refusal(
            "不支持的格式", f"不读 {suffix} 文件", "请转换为 txt、md、html、docx 或 pdf", value=suffix
        )
    if suffix == ".pdf":
        raise Refusal("损坏的 PDF", "文件开头不是 PDF", "请重新下载")
    decoded = decode(data)
    if suffix in {".html", ".htm", ".shtml", ".xhtml"} or _HTML.search(data[:3000]):
        return read_html(decoded.text)
    return Page(Traced.of(decoded.text), markdown=suffix in {".md", ".markdown"})


def source_text(path: str | Path, member: str | None = None) -> str:
    """The decoded text of a source, which the offsets of :class:`~.records.Span` count.

    For txt, md and html the file's characters; for docx its paragraphs and cells, for pdf its text layer.
    """
    data = source.load_bytes(Path(path))
    if member is not None:
        data = next(content for name, content in source.members(data) if name == member)  # type: ignore[assignment]
    if data.startswith(b"%PDF"):
        return read_pdf(data).text.value
    if data.startswith(b"PK\x03\x04"):
        return read_docx(data).source
    return decode(data).text


def _chinese(text: str) -> float:
    """Share of Chinese characters among the letters of a text."""
    sample = text[:20000]
    if len(sample.encode("utf-8", "replace")) > 2 * len(sample):
        return 1.0  # three bytes a character: no need to count
    han = len(re.findall(r"[\u3400-\u9fff\uf900-\ufaff]", sample))
    latin = len(re.findall(r"[A-Za-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]+", sample))
    return han / (han + latin) if han else 0.0


def _noise(page: Page, articles: list[Article], tables: list[Table]) -> float:
    """Share of the page's visible characters that is in no article, title block or table."""
    total = len("".join(page.text.value.split())) + _visible(page.tables)
    kept = sum(
        len("".join(text.split())) for a in articles for text in (a.body.value, *a.header, *a.meta)
    ) + _visible(tables)
    return round(max(0.0, 1 - kept / total), 4) if total else 0.0


def _visible(tables: list[Table]) -> int:
    return sum(len("".join(cell.text.split())) for table in tables for row in table.rows for cell in row)


def _owned(tables: list[Table], articles: list[Article]) -> list[list[Table]]:
    """The tables of each article: a table belongs to the last article that starts before it."""
    starts = [int(article.body.origin[0]) for article in articles]
    owned: list[list[Table]] = [[] for _ in articles]
    for table in tables:
        owner = max((i for i, start in enumerate(starts) if start <= table.start), default=0)
        owned[owner].append(table)
    return owned


def _without_copies(parsed: Iterable[Parsed]) -> Iterator[Parsed]:
    """Files of the same bytes are read once; the copy is told of."""
    seen: dict[str, str] = {}
    for one in parsed:
        if one.digest and one.digest in seen:
            yield Parsed(one.source, one.digest, rejects=[same_file(one.source, seen[one.digest])])
            continue
        seen.setdefault(one.digest, one.source)
        yield one


def same_file(name: str, first: str) -> dict[str, Any]:
    """The row of ``rejects`` for a file whose bytes were read before."""
    return rejected(
        name, "相同文件", f"与 {first} 完全相同，只读一次。不必处理", value=first, severity="提示"
    )
