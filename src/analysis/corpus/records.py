"""What the corpus hands on (语料的各表): the columns of its tables, one article, one refusal, and the corpus itself."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import RequestError
from .trace import Traced

if TYPE_CHECKING:
    import pandas as pd

#: Column → pandas type, the contract of docs/contracts.md. ``object`` holds lists. Beyond it: ``outlet`` (where it was
#: published), ``event_day`` (MM-DD where the year of the event is open), ``effective`` (a regulation's first day).
DOCUMENTS = {
    "doc_id": "string",
    "source": "string",
    "position": "Int64",
    "title": "string",
    "kicker": "string",
    "subtitle": "string",
    "byline": "string",
    "body": "string",
    "genre": "string",
    "level": "string",
    "region_code": "string",
    "region": "string",
    "region_candidates": "object",
    "issuer": "string",
    "outlet": "string",
    "number": "string",
    "published": "string",
    "event_date": "string",
    "event_day": "string",
    "effective": "string",
    "script": "string",
    "truncated": "boolean",
    "near_duplicate_of": "string",
    "noise": "Float64",
    "redactions": "Int64",
    "chars": "Int64",
}
#: Beyond the contract: ``chapter``, ``article``, ``clause``, ``item`` (章、条、款、项) of regulations.
SENTENCES = {
    "doc_id": "string",
    "paragraph": "Int64",
    "sentence": "Int64",
    "start": "Int64",
    "end": "Int64",
    "text": "string",
    "speaker": "string",
    "act": "string",
    "heading": "boolean",
    "chapter": "string",
    "article": "Int64",
    "clause": "Int64",
    "item": "Int64",
}
TABLES = {
    "doc_id": "string",
    "table": "Int64",
    "row": "Int64",
    "column": "Int64",
    "row_head": "string",
    "column_head": "string",
    "text": "string",
    "caption": "string",
    "start": "Int64",
    "end": "Int64",
}
REJECTS = {
    "source": "string",
    "row": "Int64",
    "rule": "string",
    "value": "string",
    "severity": "string",
    "message": "string",
}


class Span(NamedTuple):
    """A place in a source file: character offsets into its decoded text, half open."""

    source: str
    start: int
    end: int


@dataclass(frozen=True, eq=False, repr=False)
class Corpus:
    """Documents and all that belongs to them (语料).

    Attributes
    ----------
    documents, sentences, tables, rejects
        Data frames with at least the columns of :data:`DOCUMENTS`, :data:`SENTENCES`, :data:`TABLES` and
        :data:`REJECTS`. ``start`` and ``end`` of sentences are offsets in ``body``.
    traces
        doc_id → body with the source offset of each of its characters.
    """

    documents: pd.DataFrame
    sentences: pd.DataFrame
    tables: pd.DataFrame
    rejects: pd.DataFrame
    traces: Mapping[str, Traced]

    def __repr__(self) -> str:
        return f"<Corpus: {len(self.traces)} documents>"

    @functools.cached_property
    def _sources(self) -> dict[str, str]:
        return dict(zip(self.documents["doc_id"], self.documents["source"], strict=True))

    def locate(self, doc_id: str, start: int, end: int) -> Span:
        """Where in the decoded source file the body's span [start, end) stood.

        Raises
        ------
        RequestError
            The corpus has no such document.
        """
        if doc_id not in self._sources:
            raise RequestError("语料中没有这篇文档", value=doc_id, hint="请用 documents 表中的 doc_id")
        return Span(self._sources[doc_id], *self.traces[doc_id].span(start, end))

    def parts(self, size: int = 2_000) -> Iterator[Corpus]:
        """The corpus a few documents at a time, each part a corpus of whole documents (分批).

        A corpus on disk comes a shard at a time, whatever the size: only the shard in hand is in memory.
        """
        for first in range(0, len(self.documents), size):
            documents = self.documents.iloc[first : first + size]
            own = set(documents["doc_id"])
            yield Corpus(
                documents,
                self.sentences[self.sentences["doc_id"].isin(own)],
                self.tables[self.tables["doc_id"].isin(own)],
                self.rejects[self.rejects["source"].isin(set(documents["source"]))],
                {doc_id: self.traces[doc_id] for doc_id in documents["doc_id"] if doc_id in self.traces},
            )


def frame(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows as a data frame with exactly these columns and types; what a row lacks is NA."""
    import pandas as pd

    rows = list(rows)
    return pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=kind) for name, kind in columns.items()}
    )
