"""The texts of a policy scan (扫描的语料): a corpus, a period and a place, and what each chapter computes from them, once."""

from __future__ import annotations

import bisect
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import codebooks, facts, text
from ...corpus.export import load as load_corpus
from ...periods import Period
from ...regions import load as load_regions
from ...text import sheets as coding_sheets
from ...text.citations import cite
from ...text.commitments import NOT_MADE_FOR
from ...text.commitments import commitments as find_commitments
from ...text.dates import document_dates, stated_date

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ...corpus import Corpus


PARTS = ("预防", "受理", "办理", "监督追责", "维护秩序")
# Standing duties of a regulation are nobody's commitment of the period.
NO_COMMITMENTS = (*NOT_MADE_FOR, "法规")


def open_scan(
    corpus: str | Path,
    period: str | None = None,
    region: str | None = None,
    sheets: str | Path | None = None,
) -> Scan:
    """Read a corpus for a scan.

    Parameters
    ----------
    corpus
        File or folder of policy texts, or a built corpus.
    period
        The period scanned, such as ``2024`` or ``2024Q1``; without it all documents, dated or not.
    region
        Only documents about the region, what lies within it, and what lies above it.
    sheets
        A filled coding sheet, or a folder of them, one a coder: people's codes then stand in the place of the rules'.

    Raises
    ------
    RequestError
        No such period or region.
    InputError
        No such corpus.
    """
    read = load_corpus(corpus)
    files = (
        [] if sheets is None else sorted(Path(sheets).iterdir()) if Path(sheets).is_dir() else [Path(sheets)]
    )
    filled = [coding_sheets.read(file) for file in files if file.suffix in (".csv", ".xlsx")]
    return Scan(read, Period.parse(period) if period else None, region, tuple(filled))


@dataclass(frozen=True)
class Scan:
    """A corpus and a period, with everything that the chapters show computed once."""

    corpus: Corpus
    period: Period | None = None
    region: str | None = None
    sheets: tuple[pd.DataFrame, ...] = ()
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def every(self) -> pd.DataFrame:
        """All documents of the place, with ``date``, of whatever period."""
        documents = self.corpus.documents
        if self.region is not None:
            wanted = {self.region, *(above.code for above in load_regions().path(self.region))}
            code = documents["region_code"].astype("string")
            prefix = re.sub("(00){1,2}$", "", self.region)
            documents = documents[code.isin(wanted) | code.str.startswith(prefix).fillna(False)]
        dates: list[Any] = document_dates(documents)
        return documents.assign(date=dates)

    @cached_property
    def documents(self) -> pd.DataFrame:
        """Documents of the period; all when no period was asked for."""
        if self.period is None:
            return self.every
        import pandas as pd

        inside = [isinstance(day, dt.date) and day in self.period for day in self.every["date"]]
        # As booleans: of a place without documents the list is empty, and would choose no columns.
        return self.every[pd.Series(inside, index=self.every.index, dtype=bool)]

    @cached_property
    def sentences(self) -> pd.DataFrame:
        """Their sentences."""
        everything = self.corpus.sentences
        return everything[everything["doc_id"].isin(set(self.documents["doc_id"]))]

    @cached_property
    def counts(self) -> text.Counts:
        """Terms of all documents of the place."""
        return text.count(self.every)

    @cached_property
    def mentions(self) -> pd.DataFrame:
        """Uses of phrases in all documents of the place: first use needs the earlier ones."""
        return text.mentions(self.every)

    @cached_property
    def codes(self) -> pd.DataFrame:
        """Five-part codes of the period's sentences: people's where there are any, else the rules'."""
        rules = self.rules
        people = self.people
        return rules if people is None else text.override(rules, people, self.sentences)

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Phrases that the period's documents use."""
        return text.ledger(
            self.mentions[self.mentions["doc_id"].isin(set(self.documents["doc_id"]))], self.every
        )

    @cached_property
    def turnover(self) -> pd.DataFrame:
        """Phrases of the period against those of the period before; asked for only where there is a period."""
        assert self.period is not None
        return text.turnover(self.mentions, self.every, self.period)

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Numbers that the period's documents state."""
        tables = self.corpus.tables
        kept = tables[tables["doc_id"].isin(set(self.documents["doc_id"]))]
        return facts.extract(self.documents, self.sentences, kept)

    @cached_property
    def relations(self) -> pd.DataFrame:
        """Relations between those numbers."""
        return facts.audit(self.statistics, self.documents)

    @cached_property
    def citations(self) -> pd.DataFrame:
        """Documents that the period's documents cite; what they say of themselves (本规定第四条) is no citation."""
        cited = cite(self.documents)
        return cited[cited["kind"] != "本文"]

    @cached_property
    def commitments(self) -> pd.DataFrame:
        """What the period's documents undertake or order."""
        return find_commitments(self.documents, genres_refused=NO_COMMITMENTS)

    @cached_property
    def book(self) -> text.Codebook:
        """The codebook of the five parts."""
        return text.Codebook.load("five_part")

    @cached_property
    def rules(self) -> pd.DataFrame:
        """What rules and votes propose."""
        return text.code(self.documents, self.sentences, self.book)

    @cached_property
    def people(self) -> pd.DataFrame | None:
        """What people coded, of the period's sentences."""
        import pandas as pd

        if not self.sheets:
            return None
        every = pd.concat(self.sheets, ignore_index=True)
        return every[every["doc_id"].isin(set(self.documents["doc_id"]))]

    @cached_property
    def titles(self) -> dict[str, str]:
        """doc_id → what to call the document."""
        named = zip(self.every["doc_id"], self.every["title"], self.every["source"], strict=True)
        return {
            doc_id: title if isinstance(title, str) else f"（无题）{source}"
            for doc_id, title, source in named
        }

    @property
    def name(self) -> str:
        """The period in words, for sentences."""
        return "语料" if self.period is None else self.period.label

    def titled(self, caption: str) -> str:
        """A caption with the period before it, where there is one."""
        return caption if self.period is None else f"{self.period.label}{caption}"

    def in_period(self) -> np.ndarray:
        """Which documents of the place are the period's."""
        return self.every["doc_id"].isin(set(self.documents["doc_id"])).to_numpy()

    def link(self, doc_id: str, start: int) -> str | None:
        """Id of the evidence for a place: the sentence around it, listed once at the end of the brief."""
        doc_id = str(doc_id)
        rows = self._sentences_of.get(doc_id)
        if rows is None:
            return None
        starts, records = rows
        number = max(bisect.bisect_right(starts, int(start)) - 1, 0)
        sentence, begin, end, words = records[number]
        # Eight digits tell documents apart in any corpus a brief can list.
        key = f"{doc_id[:8]}-{sentence}"
        if key not in self.shown:
            span = self.corpus.locate(doc_id, begin, end)
            self.shown[key] = {
                "id": key,
                "source": span.source,
                "start": span.start,
                "end": span.end,
                "text": words,
            }
        return key

    @cached_property
    def _sentences_of(self) -> dict[str, tuple[list[int], list[tuple[int, int, int, str]]]]:
        found: dict[str, tuple[list[int], list[tuple[int, int, int, str]]]] = {}
        table = self.corpus.sentences
        for doc_id, number, start, end, words in zip(
            *(table[column] for column in ("doc_id", "sentence", "start", "end", "text")), strict=True
        ):
            starts, records = found.setdefault(str(doc_id), ([], []))
            starts.append(int(start))
            records.append((int(number), int(start), int(end), words))
        return found


def stated(row: Mapping[Any, Any]) -> str:
    """The fullest date that the text supports: of the event or of publication, or a day without its year."""
    day = row.get("event_day")
    return stated_date(row) or (str(day) if isinstance(day, str) else "")


def speaks_of_the_field(scan: Scan, table: pd.DataFrame) -> np.ndarray:
    """Whether each row of a table with spans stands in a paragraph that speaks of petitions or disputes at all."""
    import numpy as np
    import pandas as pd

    words = re.compile("|".join(map(re.escape, codebooks.load("field")["words"])))
    sentences = scan.sentences[["doc_id", "paragraph", "start", "text"]]
    spoken = sentences["text"].map(lambda said: words.search(said) is not None).astype(bool)
    speaks = spoken.groupby([sentences["doc_id"], sentences["paragraph"]]).transform("any").to_numpy(bool)
    starts: dict[str, tuple[list[int], list[bool]]] = {}
    for doc_id, start, about in zip(sentences["doc_id"], sentences["start"], speaks, strict=True):
        places, flags = starts.setdefault(doc_id, ([], []))
        places.append(int(start))
        flags.append(bool(about))
    found = []
    for doc_id, start in zip(table["doc_id"], table["start"], strict=True):
        places, flags = starts.get(doc_id, ([], []))
        # What a table states has no place in the body.
        at = -1 if pd.isna(start) else bisect.bisect_right(places, int(start)) - 1
        found.append(at >= 0 and flags[at])
    return np.array(found, dtype=bool)


def short(words: str, most: int = 60) -> str:
    """The words, cut where they are too long for a table."""
    return words if len(words) <= most else words[: most - 1] + "…"


def joined(note: str, more: Any) -> str:
    """A note with what a verb says of its own table."""
    said = next((each for each in more if isinstance(each, str)), None)
    return f"{note}{said}。" if said else note
