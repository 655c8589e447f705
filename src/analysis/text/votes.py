"""Votes beside the rules (权衡): learned weights that overrule a codebook's rules where these are weak or silent.

The rules of a codebook are the first voice. What they cannot see — that a neighbouring sentence, or most of the document,
is about the same part; that a whole field of words (劝说、安抚、开导) stands where no single rule fits — is weighed by one
logistic regression a code: features of what the rules found here and around, groups of words of one meaning, and short
strings of characters. A code that the rules gave is dropped where its weighed share of belief (probability) is below the
lower limit; one on which they are silent is added where it is above the upper limit. Between the limits the rules
stand, and what an exclusion struck out stays out.

Weights, word groups and limits are a data file with a version and a source. No sentence is in it: the longest string has
four characters. :func:`learn` makes such a file's content from sentences that people have coded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
_KINDS = ("hit", "rules", "spans", "passing", "lead", "previous", "next", "window", "share", "part")
_DIGIT = re.compile(r"\d")
_DUTY = re.compile("应当|要|必须|不得")
_HAN = re.compile(r"[\u4e00-\u9fff]+")


@dataclass(frozen=True)
class Trace:
    """What the rules of one code did in a document: units where one held, and where the code stayed.

    ``kept`` gives the number of its rules and of its evidence spans in the unit.
    """

    held: frozenset[int]
    kept: Mapping[int, tuple[int, int]]


@dataclass(frozen=True)
class Lexicon:
    """Short strings and the feature that each stands for: a group of words, or the string itself."""

    features: tuple[str, ...]
    groups: int
    keys: Mapping[int, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, groups: Mapping[str, Sequence[str]], strings: Sequence[str]) -> Lexicon:
        """Number the groups first, then the strings."""
        features = (*groups, *strings)
        entries = [(word, number) for number, words in enumerate(groups.values()) for word in words]
        entries += [(word, number) for number, word in enumerate(strings, len(groups))]
        keys = {}
        for length in range(1, LONGEST + 1):
            found = sorted((_key(word), number) for word, number in entries if len(word) == length)
            if found:
                keys[length] = (
                    np.array([key for key, _ in found], np.uint64),
                    np.array([number for _, number in found]),
                )
        return cls(features, len(groups), keys)

    def find(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Every place of every string: its text, its offset there, its length, its feature."""
        points = np.frombuffer("\n".join(texts).encode("utf-32-le"), np.uint32).astype(np.uint64)
        # Signs beyond 16 bits are in no string.
        points[points > 0xFFFF] = 0
        sizes = np.array([len(text) + 1 for text in texts])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        places, lengths, features = [], [], []
        rolled = points.copy()
        for length in range(1, LONGEST + 1):
            if length > 1:
                if len(points) < length:
                    break
                rolled = (rolled[:-1] << np.uint64(16)) | points[length - 1 :]
            if length not in self.keys:
                continue
            keys, numbers = self.keys[length]
            # A string may stand for more than one feature: the keys may repeat.
            left = np.searchsorted(keys, rolled, "left")
            inside = np.flatnonzero(keys[np.minimum(left, len(keys) - 1)] == rolled)
            at = left[inside]
            while len(inside):
                places.append(inside)
                lengths.append(np.full(len(inside), length))
                features.append(numbers[at])
                at = at + 1
                more = (at < len(keys)) & (keys[np.minimum(at, len(keys) - 1)] == rolled[inside])
                inside, at = inside[more], at[more]
        if not places:
            none = np.zeros(0, np.int64)
            return none, none, none, none
        place = np.concatenate(places)
        unit = np.searchsorted(starts, place, "right") - 1
        return unit, place - starts[unit], np.concatenate(lengths), np.concatenate(features)


@dataclass(frozen=True)
class Votes:
    """Weights of one codebook's codes (权重表)."""

    version: str
    source: str
    codes: tuple[str, ...]
    lexicon: Lexicon
    circumstances: np.ndarray
    words: np.ndarray
    constant: np.ndarray
    limits: tuple[float, float]

    @classmethod
    def load(cls, name: str | Path, codes: Sequence[str]) -> Votes:
        """Read a packaged file by its name or a user's by its path; ``codes`` are those of the codebook.

        Raises
        ------
        CodebookError
            No such file, other codes than the codebook's, unknown circumstances, or a string longer than four characters.
        """
        return cls.parse(codebooks.load(name), codes, str(name))

    @classmethod
    def parse(cls, content: Mapping[str, Any], codes: Sequence[str], name: str = "") -> Votes:
        """Read a file's content."""
        if list(content.get("codes") or ()) != list(codes):
            raise CodebookError("权重表与编码表的类目不一致", file=name, value=content.get("codes"))
        groups = {key: tuple(words) for key, words in (content.get("groups") or {}).items()}
        table = {key: _table(content.get(key, ""), len(codes), name, key) for key in ("weights", "strings")}
        names = circumstance_names(codes)
        wrong = set(table["weights"]) - {*names, *groups, "constant"}
        long = [
            word for words in (*groups.values(), table["strings"]) for word in words if len(word) > LONGEST
        ]
        if wrong or long:
            raise CodebookError(
                "权重表中有不认识的特征" if wrong else f"权重表中的词语不得超过{LONGEST}个字",
                file=name,
                value="、".join(sorted(wrong) or long),
            )
        none = np.zeros(len(codes))
        words = [table["weights"].get(group, none) for group in groups]
        return cls(
            str(content["version"]),
            str(content["source"]),
            tuple(codes),
            Lexicon.of(groups, tuple(table["strings"])),
            np.array([table["weights"].get(key, none) for key in names]),
            np.array([*words, *table["strings"].values()]).reshape(-1, len(codes)),
            table["weights"].get("constant", none),
            (float(content["limits"][0]), float(content["limits"][1])),
        )

    def weigh(self, view: View, traces: Sequence[Trace]) -> Weighed:
        """The probability of every code in every unit, and the places of the words behind it."""
        texts = [unit.text for unit in view.units]
        found = self.lexicon.find(texts)
        scores = circumstances(view, traces) @ self.circumstances + self.constant
        unit, feature, value = presence(found, self.lexicon.groups, len(texts))
        for number in range(len(self.codes)):
            scores[:, number] += np.bincount(unit, self.words[feature, number] * value, len(texts))
        return Weighed(self, 1 / (1 + np.exp(-scores)), found)


@dataclass(frozen=True)
class Weighed:
    """A document's probabilities (units × codes) with what they rest on."""

    votes: Votes
    probabilities: np.ndarray
    found: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

    def evidence(self, unit: int, code: int, most: int = 3) -> Spans:
        """The places in the unit of the words that speak most for the code."""
        units, offsets, lengths, features = self.found
        here = np.flatnonzero(units == unit)
        weights = self.votes.words[features[here], code]
        best = here[np.argsort(-weights, kind="stable")]
        spans: list[Span] = []
        for place in best:
            start, end = int(offsets[place]), int(offsets[place] + lengths[place])
            if self.votes.words[features[place], code] <= 0 or len(spans) == most:
                break
            if all(end <= left or right <= start for left, right in spans):
                spans.append((start, end))
        return tuple(sorted(spans))


@dataclass(frozen=True)
class Coded:
    """A document whose units people have coded: what the rules did in it and what the people gave (units × codes)."""

    view: View
    traces: Sequence[Trace]
    gold: np.ndarray


def learn(
    coded: Sequence[Coded],
    codes: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    *,
    version: str,
    source: str,
    documents: int = 12,
    times: int = 25,
    strength: float = 0.5,
    limits: tuple[float, float] = (0.3, 0.65),
) -> dict[str, Any]:
    """Weights from coded documents: the content of a file that :meth:`Votes.parse` reads.

    One L2 logistic regression a code. Strings are those of two or three Chinese characters that stand in at least
    ``times`` units of ``documents`` documents. The traces should be those of a codebook that had not been fitted to the
    document yet: rules look better than they are where they were made.

    Parameters
    ----------
    coded
        The documents.
    codes, groups
        The codebook's codes in order; groups of words of one meaning.
    version, source
        As the file is to state them.
    documents, times, strength
        The least spread of a string; the inverse strength of the penalty.
    limits
        Probabilities under which a code of the rules is dropped and over which one they are silent on is added.
        The default was as good in cross-validation by document as limits sought for each code.

    Raises
    ------
    InputError
        No coded document.
    """
    if not coded:
        raise InputError("没有已编码的文件", hint="请给出人工编码的句子")
    dense = np.vstack([circumstances(each.view, each.traces) for each in coded])
    gold = np.vstack([each.gold for each in coded]).astype(bool)
    owner = np.repeat(np.arange(len(coded)), [len(each.view.units) for each in coded])
    texts = [unit.text for each in coded for unit in each.view.units]
    lexicon = Lexicon.of(groups, _frequent(texts, owner, documents, times))
    # A larger scale is a lighter penalty: single strings are as rare as they are telling, groups are neither.
    scale = np.ones(dense.shape[1] + len(lexicon.features))
    scale[dense.shape[1] :] = np.where(np.arange(len(lexicon.features)) < lexicon.groups, 0.6, 1.5)
    weights, constant = _regress(_matrix(lexicon, dense, texts).multiply(scale).tocsr(), gold, strength)
    weights *= scale[:, None]
    names = [*circumstance_names(codes), *lexicon.features]
    split = dense.shape[1] + lexicon.groups
    return {
        "version": version,
        "source": source,
        "codes": list(codes),
        "limits": list(limits),
        "groups": {name: list(words) for name, words in groups.items()},
        "weights": _written(["constant", *names[:split]], np.vstack([constant, weights[:split]])),
        "strings": _written(names[split:], weights[split:]),
    }


def circumstance_names(codes: Sequence[str]) -> list[str]:
    """The features of what the rules found in a unit and around it, in the order of :func:`circumstances`."""
    return [f"{kind}:{code}" for kind in _KINDS for code in codes] + [
        "codes:0",
        "codes:2",
        "codes:3",
        "length",
        "number",
        "quotation",
        "duty",
    ]


def circumstances(view: View, traces: Sequence[Trace]) -> np.ndarray:
    """Units × features (:func:`circumstance_names`): what the rules found here, beside and in the whole document.

    ``window`` is the share of the three units before and after that carry the code; ``share`` that of all other units
    of the document, ``part`` the code's share of all codes given there, both drawn towards 0 where there are few.
    """
    size = len(view.units)
    hit = np.zeros((size, len(traces)))
    rules, spans, passing, lead = (np.zeros_like(hit) for _ in range(4))
    for number, trace in enumerate(traces):
        for unit, (count, places) in trace.kept.items():
            hit[unit, number] = 1
            rules[unit, number] = min(count, 4) / 2
            spans[unit, number] = min(places, 6) / 3
        passing[[unit for unit in trace.held if unit not in trace.kept], number] = 1
    for unit in range(size):
        over = view.lead(unit)
        if over is not None:
            lead[unit] = hit[over]
    none = np.zeros((1, len(traces)))
    before, after = np.vstack([none, hit[:-1]]), np.vstack([hit[1:], none])
    sums = np.vstack([none, np.cumsum(hit, axis=0)])
    place = np.arange(size)
    low, high = np.maximum(place - WINDOW, 0), np.minimum(place + WINDOW + 1, size)
    window = (sums[high] - sums[low] - hit) / np.maximum(high - low - 1, 1)[:, None]
    others = hit.sum(axis=0) - hit
    share = others / (size - 1 + 2)
    part = others / (others.sum(axis=1, keepdims=True) + 2)
    texts = [unit.text for unit in view.units]
    count = hit.sum(axis=1)
    form = np.array(
        [
            (
                count[number] == 0,
                count[number] == 2,
                count[number] > 2,
                np.log1p(len(text)) / 4,
                _DIGIT.search(text) is not None,
                "“" in text,
                _DUTY.search(text) is not None,
            )
            for number, text in enumerate(texts)
        ],
        float,
    ).reshape(size, -1)
    return np.hstack([hit, rules, spans, passing, lead, before, after, window, share, part, form])


def presence(
    found: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], groups: int, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit, feature and value of every word group (1) and string present; a unit's strings share one length."""
    unit, _, _, feature = found
    if not len(unit):
        return unit, feature, np.zeros(0)
    width = int(feature.max()) + 1
    both = np.unique(unit * width + feature)
    unit, feature = both // width, both % width
    strings = feature >= groups
    number = np.bincount(unit[strings], minlength=size)
    return unit, feature, np.where(strings, 2 / np.sqrt(np.maximum(number[unit], 1)), 1.0)


def _key(word: str) -> int:
    key = 0
    for sign in word:
        key = key << 16 | ord(sign)
    return key


def _table(text: str, width: int, name: str, where: str) -> dict[str, np.ndarray]:
    """Lines of a name and one whole number of hundredths a code."""
    rows = {}
    for line in text.splitlines():
        key, *numbers = line.split()
        if len(numbers) != width:
            raise CodebookError("权重表每行应为一个词和各类目的权重", file=name, value=f"{where}: {line}")
        rows[key] = np.array([int(number) for number in numbers]) / 100
    return rows


def _frequent(texts: Sequence[str], owner: np.ndarray, documents: int, times: int) -> tuple[str, ...]:
    count: Counter[str] = Counter()
    spread: dict[str, set[int]] = {}
    for text, document in zip(texts, owner.tolist(), strict=True):
        runs = _HAN.findall(text)
        here = {run[at : at + size] for run in runs for size in (2, 3) for at in range(len(run) - size + 1)}
        count.update(here)
        for string in here:
            spread.setdefault(string, set()).add(document)
    return tuple(
        sorted(word for word, many in count.items() if many >= times and len(spread[word]) >= documents)
    )


def _matrix(lexicon: Lexicon, dense: np.ndarray, texts: Sequence[str]) -> sparse.csr_matrix:
    from scipy import sparse

    unit, feature, value = presence(lexicon.find(texts), lexicon.groups, len(texts))
    words = sparse.csr_matrix((value, (unit, feature)), (len(texts), len(lexicon.features)))
    return sparse.hstack([sparse.csr_matrix(dense), words]).tocsr()


def _regress(matrix: sparse.csr_matrix, gold: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import LogisticRegression

    weights, constant = np.zeros((matrix.shape[1], gold.shape[1])), np.zeros(gold.shape[1])
    for number in range(gold.shape[1]):
        if gold[:, number].min() == gold[:, number].max():
            constant[number] = 9.0 if gold[0, number] else -9.0
            continue
        model = LogisticRegression(C=strength, solver="liblinear", max_iter=500)
        model.fit(matrix, gold[:, number])
        weights[:, number], constant[number] = model.coef_[0], model.intercept_[0]
    return weights, constant


def _written(names: Sequence[str], weights: np.ndarray) -> str:
    lines = (
        f"{name} {' '.join(f'{100 * value:.0f}' for value in row)}"
        for name, row in zip(names, weights, strict=True)
    )
    return "\n".join(lines) + "\n"
