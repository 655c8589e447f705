"""Votes (权衡): learned weights that decide, beside the rules, which codes a unit carries.

Rules say what their author thought of. In a kind of text that he had not seen they miss half of what is there, and what they give
in passing is wrong half of the time. Here one logistic regression a code weighs what the rules found in a unit, around it and
in the whole document, together with short strings of its characters; the code is given where its probability reaches the
limit. Two things the rules alone settle: what an exclusion struck out stays out, and what they find in an item of a list whose
leading sentence carries the code stays in. What the rules found stays the evidence; where they were silent, the strings that
speak most for the code are.

The probabilities are honest (docs/text.md shows how often each came true), so they also tell which units a person should look
at first: those between the ends of ``doubt``.

The weights are a data file with a version and a source. No sentence is in it: the longest string has four characters.
:func:`learn` makes its content from sentences that people have coded.

Method: L2-penalised logistic regression on binary n-gram features; Wang & Manning 2012 show how strong this baseline is on
short texts. Measured in docs/text.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import codebooks
from ..errors import CodebookError, InputError
from .rules import Span, Spans, View

if TYPE_CHECKING:
    from scipy import sparse

LONGEST = 4
WINDOW = 3
VOTED = "votes"
_MOST = 3  # strings shown as evidence
_KINDS = ("hit", "rules", "spans", "passing", "lead", "previous", "next", "window", "share")
_FORM = ("none", "two", "more", "length", "number", "quotation", "duty")
_DIGITS = str.maketrans("1234567890１２３４５６７８９０", "0" * 20)
_DUTY = re.compile("应当|要|必须|不得")
_WHOLE = re.compile(r"-?\d+")
_RUN = re.compile(r"[\u4e00-\u9fff0]+")

Given = tuple[list[str], float, Spans]


@dataclass(frozen=True)
class Proposal:
    """What the rules of one code say of a document's units: where one holds, and where the code stays.

    ``kept`` gives the ids of the rules, the best confidence and the evidence.
    """

    held: frozenset[int] = frozenset()
    kept: Mapping[int, Given] = field(default_factory=dict)

    @property
    def struck(self) -> frozenset[int]:
        """Units in which a rule holds and yet an exclusion leaves nothing."""
        return self.held - set(self.kept)


@dataclass(frozen=True)
class Votes:
    """Weights of one codebook's codes (权重表).

    Attributes
    ----------
    version, source
        As the file states them.
    codes
        Those of the codebook, in its order.
    limit
        The probability from which a code is given.
    doubt
        Between which probabilities a person should look.
    circumstances, constant, weights
        Weights of :func:`circumstances`, the constants, and those of ``strings``, each with one column a code.
    """

    version: str
    source: str
    codes: tuple[str, ...]
    limit: float
    doubt: tuple[float, float]
    circumstances: np.ndarray
    constant: np.ndarray
    strings: tuple[str, ...]
    weights: np.ndarray

    @classmethod
    def load(cls, name: str | Path, codes: Sequence[str]) -> Votes:
        """Read a packaged file by its name or a user's by its path; ``codes`` are those of the codebook.

        Raises
        ------
        CodebookError
            No such file, other codes than the codebook's, an unknown circumstance, a line without one whole number a code, a string
            longer than four characters, or no limit and ends of doubt.
        """
        return cls.parse(codebooks.load(name), codes, str(name))

    @classmethod
    def parse(cls, content: Mapping[str, Any], codes: Sequence[str], name: str = "") -> Votes:
        """Read a file's content, as :func:`learn` makes it."""
        if list(content.get("codes") or ()) != list(codes):
            raise CodebookError(
                "权重表与编码表的类目不一致",
                file=name,
                value="、".join(map(str, content.get("codes") or ())) or None,
                hint="请删去编码表的 votes 一行，只用规则",
            )
        names, values = _table(content.get("circumstances"), len(codes), name)
        strings, weights = _table(content.get("strings"), len(codes), name)
        wrong = sorted(set(names) - {"constant", *circumstance_names(codes)})
        long = [word for word in strings if len(word) > LONGEST]
        if wrong or long:
            raise CodebookError(
                "权重表中有不认识的特征" if wrong else f"权重表中的字串不得超过{LONGEST}个字",
                file=name,
                value="、".join(wrong or long),
            )
        given = dict(zip(names, values, strict=True))
        none = np.zeros(len(codes))
        try:
            limit, (low, high) = float(content["limit"]), map(float, content["doubt"])
        except (KeyError, TypeError, ValueError):
            said = f"limit: {content.get('limit')}，doubt: {content.get('doubt')}"
            raise CodebookError(
                "权重表须有 limit（一个概率）和 doubt（两个概率）", file=name, value=said
            ) from None
        return cls(
            str(content["version"]),
            str(content["source"]),
            tuple(codes),
            limit,
            (low, high),
            np.array([given.get(key, none) for key in circumstance_names(codes)]),
            given.get("constant", none),
            tuple(strings),
            weights,
        )

    def decide(self, view: View, proposals: Sequence[Proposal]) -> list[dict[int, Given]]:
        """Each code's units with rule ids (``votes`` where no rule holds), probability and evidence."""
        found = self.index.find([unit.text for unit in view.units])
        chances = self._weigh(view, proposals, found)
        decided: list[dict[int, Given]] = []
        for number, proposal in enumerate(proposals):
            kept = proposal.kept
            carried = {unit for unit in kept if view.lead(unit) in kept}
            elected = set(np.flatnonzero(chances[:, number] >= self.limit).tolist()) - proposal.struck
            units: dict[int, Given] = {}
            for unit in sorted(elected | carried):
                ids, _, spans = kept.get(unit) or ([VOTED], 0.0, self._speaking(found, unit, number))
                units[unit] = (ids, round(float(chances[unit, number]), 3), spans)
            decided.append(units)
        return decided

    def chances(self, view: View, proposals: Sequence[Proposal]) -> np.ndarray:
        """The probability of each code in each unit (units × codes)."""
        return self._weigh(view, proposals, self.index.find([unit.text for unit in view.units]))

    def _weigh(self, view: View, proposals: Sequence[Proposal], found: Places) -> np.ndarray:
        scores = circumstances(view, proposals) @ self.circumstances + self.constant
        unit, string, value = presence(found, len(view.units))
        for number in range(len(self.codes)):
            scores[:, number] += np.bincount(unit, self.weights[string, number] * value, len(view.units))
        return np.asarray(1 / (1 + np.exp(-scores)))

    def _speaking(self, found: Places, unit: int, code: int) -> Spans:
        """Where the strings stand in the unit that speak most for the code, words before single characters, joined where they meet."""
        first, last = np.searchsorted(found.unit, [unit, unit + 1])
        weights = self.weights[found.string[first:last], code]
        length = found.length[first:last]
        spans: list[Span] = []
        for place in np.lexsort((-weights, length == 1)).tolist()[:_MOST]:
            if weights[place] > 0:
                start = int(found.start[first + place])
                spans.append((start, start + int(length[place])))
        joined: list[Span] = []
        for start, end in sorted(spans):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return tuple(joined)

    @cached_property
    def index(self) -> Index:
        """The strings, ready to be found."""
        return Index(self.strings)


@dataclass(frozen=True)
class Places:
    """Every place of every string in some texts, by text: its number, the offset there, the length, the string."""

    unit: np.ndarray
    start: np.ndarray
    length: np.ndarray
    string: np.ndarray


class Index:
    """Short strings as numbers of 16 bits a character, so that all are found by one search a length."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._keys: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for length in range(1, LONGEST + 1):
            found = sorted((_key(word), number) for number, word in enumerate(strings) if len(word) == length)
            if found:
                self._keys[length] = (
                    np.array([key for key, _ in found], np.uint64),
                    np.array([number for _, number in found]),
                )

    def find(self, texts: Sequence[str]) -> Places:
        """Every place of every string; a digit stands for any other."""
        plain = "\n".join(texts).translate(_DIGITS)
        points = np.frombuffer(plain.encode("utf-32-le"), np.uint32).astype(np.uint64)
        points[points > 0xFFFF] = 0  # signs beyond 16 bits are in no string
        starts = np.cumsum([0, *(len(text) + 1 for text in texts)])[:-1]
        none = np.zeros(0, np.int64)
        places, lengths, strings = [none], [none], [none]
        rolled = points.copy()
        for length in range(1, LONGEST + 1):
            if length > 1:
                rolled = (rolled[:-1] << np.uint64(16)) | points[length - 1 :]
            if length not in self._keys or not len(rolled):
                continue
            keys, numbers = self._keys[length]
            at = np.minimum(np.searchsorted(keys, rolled), len(keys) - 1)
            here = np.flatnonzero(keys[at] == rolled)
            places.append(here)
            lengths.append(np.full(len(here), length))
            strings.append(numbers[at[here]])
        place = np.concatenate(places)
        order = np.argsort(place, kind="stable")
        place = place[order]
        unit = np.searchsorted(starts, place, "right") - 1
        return Places(
            unit, place - starts[unit], np.concatenate(lengths)[order], np.concatenate(strings)[order]
        )


def circumstance_names(codes: Sequence[str]) -> list[str]:
    """What :func:`circumstances` gives, in its order."""
    return [f"{kind}:{code}" for kind in _KINDS for code in codes] + list(_FORM)


def circumstances(view: View, proposals: Sequence[Proposal]) -> np.ndarray:
    """Units × features (:func:`circumstance_names`): what the rules found here, beside and in the whole document.

    ``hit``: the code stays; ``rules`` and ``spans``: how many of either; ``passing``: rules hold but the code does not stay;
    ``lead``, ``previous``, ``next``: the code in the leading sentence and the neighbours; ``window``: its share of the three units
    before and after; ``share``: that of all others of the document, drawn towards 0 where they are few. Then the unit itself:
    no, two or more codes by rule, its length (logarithm), whether it has a digit, a quotation, a word of duty.
    """
    size = len(view.units)
    hit = np.zeros((size, len(proposals)))
    rules, spans, passing, lead = (np.zeros_like(hit) for _ in range(4))
    for number, proposal in enumerate(proposals):
        for unit, (ids, _, places) in proposal.kept.items():
            hit[unit, number] = 1
            rules[unit, number] = min(len(ids), 4) / 2
            spans[unit, number] = min(len(places), 6) / 3
        passing[sorted(proposal.struck), number] = 1
    for unit in range(size):
        over = view.lead(unit)
        if over is not None:
            lead[unit] = hit[over]
    none = np.zeros((1, len(proposals)))
    before, after = np.vstack([none, hit[:-1]]), np.vstack([hit[1:], none])
    sums = np.vstack([none, np.cumsum(hit, axis=0)])
    place = np.arange(size)
    low, high = np.maximum(place - WINDOW, 0), np.minimum(place + WINDOW + 1, size)
    window = (sums[high] - sums[low] - hit) / np.maximum(high - low - 1, 1)[:, None]
    share = (hit.sum(axis=0) - hit) / (size + 1)
    texts = [unit.text for unit in view.units]
    count = hit.sum(axis=1)
    form = np.column_stack(
        [
            count == 0,
            count == 2,
            count > 2,
            [np.log1p(len(text)) / 4 for text in texts],
            [any(map(str.isdigit, text)) for text in texts],
            ["“" in text for text in texts],
            [_DUTY.search(text) is not None for text in texts],
        ]
    ).astype(float)
    return np.hstack([hit, rules, spans, passing, lead, before, after, window, share, form])


def presence(found: Places, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit, string and value of each string present: a unit's strings share one length (16), however many they are."""
    if not len(found.unit):
        return found.unit, found.string, np.zeros(0)
    width = int(found.string.max()) + 1
    both = np.unique(found.unit * width + found.string)
    unit, string = both // width, both % width
    return unit, string, 4 / np.sqrt(np.bincount(unit, minlength=size)[unit])


@dataclass(frozen=True)
class Coded:
    """A document whose units people have coded: its view, what the rules say, what the people gave (units × codes)."""

    view: View
    proposals: Sequence[Proposal]
    gold: np.ndarray


def learn(
    coded: Sequence[Coded],
    codes: Sequence[str],
    *,
    version: str,
    source: str,
    limit: float = 0.3,
    doubt: tuple[float, float] = (0.2, 0.5),
    documents: int = 3,
    times: int = 4,
    strength: float = 0.25,
    least: float = 0.1,
) -> dict[str, Any]:
    """Weights from coded documents: the content of a file that :meth:`Votes.parse` reads.

    The proposals should be those of a codebook that had not been fitted to the documents yet: rules look better than they are
    where they were made.

    Parameters
    ----------
    coded, codes
        The documents, and the codebook's codes in order.
    version, source, limit, doubt
        As the file is to state them.
    documents, times
        In how many documents and units a string of one to four characters stands at least.
    strength
        Inverse strength of the penalty.
    least
        Strings whose weights are all smaller are left out, and the rest is fitted again.

    Raises
    ------
    InputError
        No coded document.
    """
    if not coded:
        raise InputError("没有已编码的文件", hint="请给出人工编码的句子")
    given = np.vstack([circumstances(each.view, each.proposals) for each in coded])
    gold = np.vstack([each.gold for each in coded]).astype(bool)
    owner = np.repeat(np.arange(len(coded)), [len(each.view.units) for each in coded])
    texts = [unit.text for each in coded for unit in each.view.units]
    strings = _frequent(texts, owner, documents, times)
    split = given.shape[1]
    weights, _ = _regress(_matrix(strings, given, texts), gold, strength)
    telling = np.abs(weights[split:]).max(axis=1, initial=0) >= least
    strings = [word for word, tells in zip(strings, telling, strict=True) if tells]
    weights, constant = _regress(_matrix(strings, given, texts), gold, strength)
    return {
        "version": version,
        "source": source,
        "codes": list(codes),
        "limit": limit,
        "doubt": list(doubt),
        "circumstances": _written(
            ["constant", *circumstance_names(codes)], np.vstack([constant, weights[:split]])
        ),
        "strings": _written(strings, weights[split:]),
    }


def _key(word: str) -> int:
    key = 0
    for sign in word:
        key = key << 16 | ord(sign)
    return key


def _table(text: Any, width: int, name: str) -> tuple[list[str], np.ndarray]:
    """Lines of a name and one whole number of hundredths a code: the names, and the numbers (names × codes)."""
    rows = [line.split() for line in str(text or "").splitlines()]
    try:
        values = np.array([row[1:] for row in rows], dtype=np.int64).reshape(len(rows), width)
    except ValueError:
        wrong = next(row for row in rows if len(row) != width + 1 or not all(map(_WHOLE.fullmatch, row[1:])))
        raise CodebookError(
            "权重表每行应为一个特征或字串，和每个类目一个整数", file=name, value=" ".join(wrong)[:60]
        ) from None
    return [row[0] for row in rows], values / 100


def _frequent(texts: Sequence[str], owner: np.ndarray, documents: int, times: int) -> list[str]:
    count: Counter[str] = Counter()
    spread: dict[str, set[int]] = {}
    for text, document in zip(texts, owner.tolist(), strict=True):
        runs = _RUN.findall(text.translate(_DIGITS))
        here = {
            run[at : at + size]
            for run in runs
            for size in range(1, LONGEST + 1)
            for at in range(len(run) - size + 1)
        }
        count.update(here)
        for string in here:
            spread.setdefault(string, set()).add(document)
    return sorted(word for word, many in count.items() if many >= times and len(spread[word]) >= documents)


def _matrix(strings: Sequence[str], given: np.ndarray, texts: Sequence[str]) -> sparse.csr_matrix:
    from scipy import sparse

    unit, string, value = presence(Index(strings).find(texts), len(texts))
    words = sparse.csr_matrix((value, (unit, string)), (len(texts), len(strings)))
    return sparse.hstack([sparse.csr_matrix(given), words]).tocsr()


def _regress(matrix: sparse.csr_matrix, gold: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import LogisticRegression

    weights, constant = np.zeros((matrix.shape[1], gold.shape[1])), np.zeros(gold.shape[1])
    for number in range(gold.shape[1]):
        if gold[:, number].min() == gold[:, number].max():  # nothing to tell apart
            constant[number] = 9.0 if gold[0, number] else -9.0
            continue
        model = LogisticRegression(C=strength, solver="liblinear", max_iter=500, random_state=0)
        model.fit(matrix, gold[:, number])
        weights[:, number], constant[number] = model.coef_[0], model.intercept_[0]
    return weights, constant


def _written(names: Sequence[str], weights: np.ndarray) -> str:
    lines = (
        f"{name} {' '.join(f'{100 * value:.0f}' for value in row)}"
        for name, row in zip(names, weights, strict=True)
    )
    return "\n".join(lines) + "\n"
