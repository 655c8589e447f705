"""Coding by codebook (编码): which sentences say what, by which rule, with the evidence in the text.

A codebook is a YAML file with a frame, named lists, shields and codes; each code has rules, exclusions and examples
(see :mod:`analysis.text.rules` for the operators). Codes found by rules are proposals; codes of people replace them
sentence by sentence, and the replacements are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import codebooks
from ..errors import CodebookError, InputError
from .rules import CLAUSE, AnyOf, Rule, Spans, Unit, View, parse
from .votes import Given, Proposal, Votes

if TYPE_CHECKING:
    import pandas as pd

CODES = (
    "doc_id",
    "start",
    "end",
    "text",
    "sentence",
    "frame",
    "code",
    "rule",
    "coder",
    "confidence",
    "evidence",
)
_NUMBERS = {"start": "int64", "end": "int64", "sentence": "int64", "confidence": "float64"}


@dataclass(frozen=True)
class CodeRule:
    """One rule of a code, by its id."""

    id: str
    rule: Rule
    confidence: float


@dataclass(frozen=True)
class Code:
    """One code of a frame (编码类目): what it means, its rules, what is excluded, examples for and against.

    ``exclusion`` drops the code from a unit altogether; ``passing`` (顺带提及) names stretches of text that do not count:
    the code stays only where it holds without them.
    """

    code: str
    definition: str
    rules: tuple[CodeRule, ...]
    exclusion: Rule | None
    passing: Rule | None
    examples: tuple[str, ...]
    counterexamples: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Codebook:
    """A frame of codes with their rules (编码表).

    Attributes
    ----------
    frame, name, version, source
        As the file states them; every result carries the version.
    unit
        ``sentence`` or ``clause``.
    genres
        Genres that the frame is made for; empty when any.
    votes
        Learned weights that decide beside the rules; ``None`` where the rules decide alone.
    """

    frame: str
    name: str
    version: str
    source: str
    unit: str
    genres: tuple[str, ...]
    shields: tuple[str, ...]
    codes: tuple[Code, ...]
    votes: Votes | None = None

    @classmethod
    def load(cls, name: str | Path) -> Codebook:
        """Read a packaged codebook by its name or a user's by its path.

        Raises
        ------
        CodebookError
            No such file, unknown operator or list, a code without rules or twice.
        """
        return cls.parse(codebooks.load(name), name)

    @classmethod
    def parse(cls, content: Mapping[str, Any], name: str | Path = "") -> Codebook:
        """Read a codebook's content, as :func:`analysis.codebooks.load` gives it."""
        try:
            codes = tuple(_code(entry, content) for entry in _list("codes", content))
            genres, shields = (tuple(map(str, _list(key, content))) for key in ("genres", "shields"))
        except CodebookError as error:
            raise CodebookError(error.message, file=str(name), value=error.value, hint=error.hint) from None
        names = [code.code for code in codes]
        repeated = sorted({code for code in names if names.count(code) > 1})
        if repeated or not codes:
            raise CodebookError(
                "编码表没有 codes" if not codes else "编码表中类目重复",
                file=str(name),
                value="、".join(repeated) or None,
                hint="请参照自带的 five_part.yml",
            )
        unit = content.get("unit", "sentence")
        if unit not in ("sentence", "clause"):
            raise CodebookError("编码单元只能是 sentence 或 clause", file=str(name), value=unit)
        return cls(
            frame=str(content.get("frame") or Path(name).stem),
            name=str(content.get("name") or content.get("frame") or Path(name).stem),
            version=str(content["version"]),
            source=str(content["source"]),
            unit=unit,
            genres=genres,
            shields=shields,
            codes=codes,
            votes=Votes.load(content["votes"], names) if content.get("votes") else None,
        )

    @property
    def stated(self) -> str:
        """The version as results state it, with that of the votes: ``2026.7+权重2026.1``."""
        return f"{self.version}+权重{self.votes.version}" if self.votes else self.version

    def by_rules(self) -> Codebook:
        """The same codebook without votes: the rules decide alone (只用规则)."""
        return replace(self, votes=None)


def code(
    documents: pd.DataFrame, sentences: pd.DataFrame, codebook: Codebook | str | Path = "five_part"
) -> pd.DataFrame:
    """Code every sentence (or clause) of the documents by the rules of a codebook.

    Parameters
    ----------
    documents, sentences
        Tables of :mod:`analysis.corpus`.
    codebook
        A codebook, its packaged name, or the path of a YAML file.

    Returns
    -------
    pandas.DataFrame
        One row a unit and code: doc_id, start, end (offsets of the unit in ``body``), text, sentence (its number),
        frame, code, rule (ids of the rules that hold, joined by ``+``; ``votes`` where none does), coder (``rule``), confidence
        (the probability where the codebook has votes, else that stated for the best rule), evidence (list of (start, end) in
        ``body``). ``attrs`` names the codebook and counts the units read.
    """
    import pandas as pd

    book = codebook if isinstance(codebook, Codebook) else Codebook.load(codebook)
    columns: dict[str, list[Any]] = {name: [] for name in CODES}
    read = 0
    for doc_id, numbers, view in views(documents, sentences, book.unit, book.shields):
        read += len(view.units)
        for number, found in evaluate(view, book):
            unit = view.units[number]
            for label, ids, confidence, spans in found:
                evidence = [(unit.start + start, unit.start + end) for start, end in spans]
                row = (doc_id, unit.start, unit.end, unit.text, numbers[number], book.frame, label,
                       "+".join(ids), "rule", confidence, evidence)  # fmt: skip
                for column, value in zip(columns.values(), row, strict=True):
                    column.append(value)
    frame = pd.DataFrame(columns)
    if frame.empty:  # columns of nothing would be numbers
        frame = frame.astype({column: _NUMBERS.get(column, "object") for column in CODES})
    frame.attrs.update(codebook=book.frame, version=book.stated, unit=book.unit, units=read)
    return frame


def evaluate(view: View, book: Codebook) -> Iterator[tuple[int, list[tuple[str, list[str], float, Spans]]]]:
    """Codes of one document's units: unit number → (code, ids of its rules, confidence, evidence spans)."""
    proposals = [_propose(view, entry) for entry in book.codes]
    decided = book.votes.decide(view, proposals) if book.votes else [each.kept for each in proposals]
    found: dict[int, list[tuple[str, list[str], float, Spans]]] = {}
    for entry, units in zip(book.codes, decided, strict=True):
        for number, given in units.items():
            found.setdefault(number, []).append((entry.code, *given))
    return iter(sorted(found.items()))


def _propose(view: View, entry: Code) -> Proposal:
    """What the rules of one code say of each unit."""
    holds: dict[int, list[tuple[CodeRule, Spans]]] = {}
    for rule in entry.rules:
        units = rule.rule.candidates(view)
        for number in range(len(view.units)) if units is None else sorted(units):
            if number < len(view.units) and (spans := rule.rule.find(view, number)) is not None:
                holds.setdefault(number, []).append((rule, spans))
    kept: dict[int, Given] = {}
    rest: View | None = None
    for number, rules in holds.items():
        if entry.exclusion is not None and entry.exclusion.find(view, number) is not None:
            continue
        if entry.passing is not None and entry.passing.find(view, number):
            rest = rest or view.without(entry.passing)
            rules = [
                (rule, spans) for rule, _ in rules if (spans := rule.rule.find(rest, number)) is not None
            ]
            if not rules:
                continue
        spans = tuple(sorted({span for _, each in rules for span in each}))
        kept[number] = ([rule.id for rule, _ in rules], max(rule.confidence for rule, _ in rules), spans)
    return Proposal(frozenset(holds), kept)


def doubts(
    documents: pd.DataFrame, sentences: pd.DataFrame, codebook: Codebook | str | Path = "five_part"
) -> pd.DataFrame:
    """Where a person should look first (存疑): units in which the votes of a codebook are divided.

    Returns
    -------
    pandas.DataFrame
        doc_id, start, end, text, sentence, code, probability: one row a unit and code whose probability lies between the ends of
        the codebook's ``votes.doubt``. Empty where the codebook has no votes; ``attrs["note"]`` says so.
    """
    import pandas as pd

    book = codebook if isinstance(codebook, Codebook) else Codebook.load(codebook)
    rows: list[tuple[Any, ...]] = []
    if book.votes is not None:
        low, high = book.votes.doubt
        for doc_id, numbers, view in views(documents, sentences, book.unit, book.shields):
            chances = book.votes.chances(view, [_propose(view, entry) for entry in book.codes])
            for number, code in zip(*np.nonzero((chances >= low) & (chances < high)), strict=True):
                unit, chance = view.units[number], round(float(chances[number, code]), 3)
                rows.append(
                    (doc_id, unit.start, unit.end, unit.text, numbers[number], book.codes[code].code, chance)
                )
    table = pd.DataFrame(rows, columns=["doc_id", "start", "end", "text", "sentence", "code", "probability"])
    if book.votes is None:
        table.attrs["note"] = f"{book.name}只用规则，没有概率，无从说哪些句子存疑"
    return table


def views(
    documents: pd.DataFrame, sentences: pd.DataFrame, unit: str = "sentence", shields: Sequence[str] = ()
) -> Iterator[tuple[str, list[int], View]]:
    """Each document as its rules see it, with the sentence number of each unit."""
    wanted = ["sentence", "start", "end", "text", "paragraph", "speaker", "act", "heading"]
    absent = [column for column in ("doc_id", "start", "end", "text") if column not in sentences.columns]
    if absent:
        raise InputError("句子表缺少列", value="、".join(absent), hint="请用 corpus.read 得到的 sentences")
    attributes = documents.set_index("doc_id")
    kept = [column for column in ("title", "genre", "level", "issuer", "region") if column in attributes]
    known = {
        str(doc_id): {name: value for name, value in zip(kept, values, strict=True) if isinstance(value, str)}
        for doc_id, *values in attributes[kept].itertuples(name=None)
    }
    # Columns are unpacked a document at a time: millions of sentences never stand as Python objects together.
    columns = [sentences[column].array if column in sentences else None for column in wanted]
    ids = sentences["doc_id"].to_numpy()
    cuts = [*(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)] if len(ids) else []
    first = 0
    for last in cuts:
        here = [
            [None] * (last - first) if column is None else column[first:last].tolist() for column in columns
        ]
        numbers: list[int] = []
        units: list[Unit] = []
        for row, (number, start, end, text, paragraph, speaker, act, heading) in enumerate(
            zip(*here, strict=True)
        ):
            for left, right in _cut(text, unit):
                numbers.append(row if number is None else int(number))
                units.append(
                    Unit(
                        text[left:right],
                        int(start) + left,
                        int(end) if right == len(text) else int(start) + right,
                        0 if paragraph is None else int(paragraph),
                        speaker if isinstance(speaker, str) else None,
                        act if isinstance(act, str) else None,
                        heading is True,
                    )
                )
        doc_id = str(ids[first])
        yield doc_id, numbers, View(units, known.get(doc_id), shields)
        first = last


def labels(codes: pd.DataFrame, sentences: pd.DataFrame) -> pd.DataFrame:
    """Every sentence with its labels, also those without any.

    Returns
    -------
    pandas.DataFrame
        doc_id, sentence, start, end, text, and four lists of equal length: labels, rules (what found each label), confidence
        (of each; a probability where the codebook has votes), evidence (the words of the text that each rests on).
    """
    found: dict[tuple[str, int], dict[str, tuple[str, float, list[str]]]] = {}
    columns = ("doc_id", "sentence", "start", "text", "code", "rule", "confidence", "evidence")
    for doc_id, number, start, text, label, rule, confidence, evidence in zip(
        *(codes[column] for column in columns), strict=True
    ):
        words = [text[left - start : right - start] for left, right in evidence]
        # Clauses of one sentence may carry one label each on their own.
        earlier = found.setdefault((doc_id, int(number)), {}).get(label)
        if earlier:
            rule = "+".join(dict.fromkeys([*earlier[0].split("+"), *rule.split("+")]))
            confidence, words = max(earlier[1], confidence), [*earlier[2], *words]
        found[doc_id, int(number)][label] = (rule, float(confidence), words)
    every = sentences[["doc_id", "sentence", "start", "end", "text"]].reset_index(drop=True)
    keys = list(zip(every["doc_id"], every["sentence"].astype(int), strict=True))
    lists: dict[str, list[Any]] = {"labels": [list(found.get(key, {})) for key in keys]}
    for place, name in enumerate(("rules", "confidence", "evidence")):
        lists[name] = [[given[place] for given in found.get(key, {}).values()] for key in keys]
    return every.assign(**lists)


def examine(codebook: Codebook | str | Path) -> pd.DataFrame:
    """Hold a codebook's rules against its own examples (自检): code, kind (example or counterexample), text, holds."""
    import pandas as pd

    book = (codebook if isinstance(codebook, Codebook) else Codebook.load(codebook)).by_rules()
    rows = []
    for entry in book.codes:
        for kind, texts in (("example", entry.examples), ("counterexample", entry.counterexamples)):
            for text in texts:
                view = View([Unit(text, 0, len(text))], shields=book.shields)
                given = {label for _, found in evaluate(view, book) for label, *_ in found}
                rows.append((entry.code, kind, text, (entry.code in given) == (kind == "example")))
    return pd.DataFrame(rows, columns=["code", "kind", "text", "holds"])


def _code(entry: Mapping[str, Any], content: Mapping[str, Any]) -> Code:
    lists = content.get("lists") or {}
    if not isinstance(entry, Mapping):
        raise CodebookError(
            "codes 的每一项应为映射",
            value=str(entry)[:40],
            hint="写法为 - code: 名称，见自带的 five_part.yml",
        )
    name = str(entry.get("code") or "")
    if not name or not entry.get("rules"):
        raise CodebookError(
            "类目须有 code 和 rules", value=name or dict(entry), hint="请参照自带的 five_part.yml"
        )
    rules = []
    for number, rule in enumerate(_list("rules", entry), 1):
        if not isinstance(rule, Mapping) or "when" not in rule:
            rule = {"when": rule}
        id_ = str(rule.get("id") or f"{name}.{number}")
        rules.append(CodeRule(id_, parse(rule["when"], lists, id_), _confidence(rule, id_)))
    known = {"code", "definition", "rules", "exclude", "passing", "examples", "counterexamples"}
    return Code(
        name,
        str(entry.get("definition") or ""),
        tuple(rules),
        _both("exclude", entry, content),
        _both("passing", entry, content),
        tuple(_list("examples", entry)),
        tuple(_list("counterexamples", entry)),
        {key: value for key, value in entry.items() if key not in known},
    )


def _list(key: str, content: Mapping[str, Any]) -> list[Any]:
    """What stands under a key that holds a list."""
    found = content.get(key) or []
    if not isinstance(found, list):
        raise CodebookError(f"{key} 应为列表", value=str(found)[:40], hint="每项一行，行首写“- ”")
    return found


def _confidence(rule: Mapping[str, Any], id: str) -> float:
    stated = rule.get("confidence", 0.8)
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not 0 <= stated <= 1:
        raise CodebookError(f"{id} 的 confidence 应为 0 到 1 之间的数", value=stated)
    return float(stated)


def _both(key: str, entry: Mapping[str, Any], content: Mapping[str, Any]) -> Rule | None:
    """What the codebook says for all its codes, and the code for itself."""
    lists = content.get("lists") or {}
    said = [
        parse(rule, lists, f"{where}.{key}")
        for where, rule in ((entry.get("code"), entry.get(key)), ("codebook", content.get(key)))
        if rule
    ]
    return AnyOf(tuple(said)) if said else None


def _cut(text: str, unit: str) -> list[tuple[int, int]]:
    if unit == "sentence":
        return [(0, len(text))]
    return [match.span() for match in CLAUSE.finditer(text) if match[0].strip()] or [(0, len(text))]
