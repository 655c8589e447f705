"""The text chain on the 16 real work reports, against the same steps written well with jieba, pandas and scikit-learn.

Both sides do the same: segment (fixed phrases whole, HMM off), TF-IDF, keyness of half the reports against the other,
discovery of fixed phrases (mutual information and boundary entropy), five-part coding, citations in 《》. The baseline is
what a careful analyst writes: one tokenizer loaded beforehand, a compiled pattern, vectorised pandas, ``Counter`` for
n-grams, rules evaluated sentence by sentence with ``in`` and ``re`` (what looks beyond the sentence is left out on both
sides). Results are compared, and the benchmark fails where they should agree and do not. Times are CPU seconds of this
one thread, the best of five rounds taken in turn. Loading dictionaries is left out on both sides (rjieba loads faster
too).
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import codebooks, corpus, text
from analysis.text.citations import cite
from analysis.text.rules import CLAUSE
from analysis.text.segment import _patterns

NAME = "text_chain"
REPORTS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "work_reports"
ROUNDS = 5


def run() -> list[dict]:
    if not REPORTS.is_dir():
        return []
    read = corpus.read(REPORTS)
    documents, sentences = read.documents, read.sentences
    ours, theirs = Ours(), Baseline()
    steps = ["segment", "terms", "keyness", "phrases", "coding", "citations"]
    times: dict[str, dict[str, float]] = {"ours": {}, "baseline": {}}
    results: dict[str, dict[str, Any]] = {"ours": {}, "baseline": {}}
    for _ in range(ROUNDS):
        for side, chain in (("ours", ours), ("baseline", theirs)):
            for step in steps:
                begun = time.process_time()
                results[side][step] = getattr(chain, step)(documents, sentences)
                spent = time.process_time() - begun
                times[side][step] = min(spent, times[side].get(step, math.inf))
    compared = agree(results["ours"], results["baseline"])
    total = {side: sum(each.values()) for side, each in times.items()}
    detail = "; ".join(
        f"{step} {times['baseline'][step] * 1e3:.0f} → {times['ours'][step] * 1e3:.0f} ms" for step in steps
    )
    characters = int(documents["chars"].sum())
    return [
        {
            "name": "text_segmentation",
            "ratio": round(times["baseline"]["segment"] / times["ours"]["segment"], 1),
            "against": "jieba, HMM off, the same lexicon and fixed phrases",
            "better": "higher",
            "detail": f"{len(documents)} reports, {characters:,} characters; identical words",
        },
        {
            "name": NAME,
            "ratio": round(total["baseline"] / total["ours"], 1),
            "against": "jieba + pandas + scikit-learn, the same steps",
            "better": "higher",
            "detail": f"{detail}; {compared}",
        },
    ]


def agree(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Hold the results against each other; raises where they differ."""
    assert ours["segment"] == theirs["segment"], "words differ"
    pd.testing.assert_series_equal(ours["terms"], theirs["terms"], check_names=False, rtol=1e-9)
    pd.testing.assert_series_equal(ours["keyness"], theirs["keyness"], check_names=False, rtol=1e-9)
    assert ours["phrases"] == theirs["phrases"], set(ours["phrases"]) ^ set(theirs["phrases"])
    assert ours["coding"] == theirs["coding"], list(set(ours["coding"]) ^ set(theirs["coding"]))[:5]
    missed = theirs["citations"] - ours["citations"]
    assert not ours["citations"] - theirs["citations"], "a title that is not in the text"
    return (
        f"words, {len(ours['terms'])} TF-IDF weights, {len(ours['keyness'])} keyness values, {len(ours['phrases'])} phrases, "
        f"{len(ours['coding'])} codes identical; of {len(theirs['citations'])} titles in 《》 {len(missed)} refused as works or parts"
    )


BEYOND = {"heading", "title", "lead", "previous", "next", "paragraph", "document", "speaker", "act", "is_heading",
          "genre", "level", "issuer", "region"}  # fmt: skip


def within_sentences(book: dict[str, Any]) -> dict[str, Any]:
    """A codebook without what looks beyond the sentence, conditions and votes: the baseline has nothing else to look at."""
    codes = [{name: inside(part) for name, part in code.items()} for code in book["codes"]]
    return {**book, "codes": codes, "votes": None}


def inside(node: Any) -> Any:
    """What is left of alternatives: those that need only the sentence; a rule is such an alternative too."""
    if isinstance(node, list):
        return [inside(each) for each in node if not beyond(each)]
    return {name: inside(part) for name, part in node.items()} if isinstance(node, dict) else node


def beyond(node: Any) -> bool:
    """Whether a condition needs more than the sentence: itself, or a part without which it cannot hold."""
    if isinstance(node, list):
        return bool(node) and all(map(beyond, node))
    if not isinstance(node, dict):
        return False
    return any(
        name in BEYOND or (any(map(beyond, part)) if name in _TOGETHER else beyond(part))
        for name, part in node.items()
    )


_TOGETHER = ("all", "near", "clause")


class Ours:
    """The library."""

    def __init__(self) -> None:
        self.segmenter = text.Segmenter()
        self.book = text.Codebook.parse(within_sentences(codebooks.load("five_part")))

    def segment(self, documents: pd.DataFrame, _: pd.DataFrame) -> list[list[str]]:
        return [self.segmenter.cut(body) for body in documents["body"]]

    def terms(self, documents: pd.DataFrame, _: pd.DataFrame) -> pd.Series:
        self.counts = text.count(documents, self.segmenter)
        table = text.tfidf(self.counts, top=None)
        return table.set_index(["doc_id", "term"])["tfidf"].sort_index()

    def keyness(self, documents: pd.DataFrame, _: pd.DataFrame) -> pd.Series:
        target = np.arange(len(documents)) < len(documents) // 2
        return text.keyness(self.counts, target).set_index("term")["g2"].sort_index()

    def phrases(self, documents: pd.DataFrame, _: pd.DataFrame) -> dict[str, int]:
        found = text.discover(documents)
        return dict(zip(found["phrase"], found["uses"], strict=True))

    def coding(self, documents: pd.DataFrame, sentences: pd.DataFrame) -> set[tuple[str, int, str]]:
        codes = text.code(documents, sentences, self.book)
        return set(zip(codes["doc_id"], codes["start"], codes["code"], strict=True))

    def citations(self, documents: pd.DataFrame, _: pd.DataFrame) -> set[tuple[str, str]]:
        found = cite(documents)
        return set(zip(found["doc_id"], found["text"], strict=True))


class Baseline:
    """The same by hand."""

    def __init__(self) -> None:
        import logging
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jieba
        jieba.setLogLevel(logging.WARNING)
        lexicon = text.Lexicon.load()
        self.jieba = jieba.Tokenizer()
        self.plain = jieba.Tokenizer()
        short = [word for word in lexicon.words if re.fullmatch("[一-龥]{1,3}", word)]
        for word in short:
            self.jieba.add_word(word)
        long = [word for word in lexicon.words if word not in short]
        covers = _patterns(tuple(sorted(long)))[1]
        quoted = r"(?<=“)[^“”「」『』\"，。；：！？、,;:!?\s（）()]{1,10}(?=”)|(?<=\")[^“”「」『』\"，。；：！？、,;:!?\s（）()]{1,10}(?=\")"
        numbers = r"(?<![\d.])\d+(?:\s?[+＋]\s?\d+)+"
        words = "|".join(re.escape(word) for word in sorted([*long, *covers], key=len, reverse=True))
        self.fixed = re.compile(f"{quoted}|{numbers}|{words}")
        self.covers = covers
        self.stop = text.stopwords()
        self.rules = within_sentences(codebooks.load("five_part"))
        self.laws = re.compile("《([^《》]+)》")

    def cut(self, body: str, tokenizer: Any = None, fixed: bool = True) -> list[str]:
        tokenizer = tokenizer or self.jieba
        held: list[str] = []

        def hold(match: re.Match[str]) -> str:
            if match[0] in self.covers:
                return match[0]
            held.append(match[0])
            return "\ue000"

        words = tokenizer.lcut(self.fixed.sub(hold, body) if fixed else body, HMM=False)
        rest = iter(held)
        return [next(rest) if word == "\ue000" else word for word in words]

    def segment(self, documents: pd.DataFrame, _: pd.DataFrame) -> list[list[str]]:
        self.words = [self.cut(body) for body in documents["body"]]
        return self.words

    def terms(self, documents: pd.DataFrame, _: pd.DataFrame) -> pd.Series:
        from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

        vectorizer = CountVectorizer(analyzer=self.content)
        self.counts = vectorizer.fit_transform(documents["body"])
        self.vocabulary = vectorizer.get_feature_names_out()
        weights = TfidfTransformer().fit_transform(self.counts).tocoo()
        ids = documents["doc_id"].to_numpy()
        index = pd.MultiIndex.from_arrays(
            [ids[weights.row], self.vocabulary[weights.col]], names=["doc_id", "term"]
        )
        return pd.Series(weights.data, index=index).sort_index()

    def content(self, body: str) -> list[str]:
        return [word for word in self.cut(body) if self.is_content(word)]

    def is_content(self, word: str) -> bool:
        from analysis.text.segment import is_content

        return is_content(word, self.stop)

    def keyness(self, documents: pd.DataFrame, _: pd.DataFrame) -> pd.Series:
        half = len(documents) // 2
        lengths = np.array([sum(any(c.isalnum() for c in word) for word in words) for words in self.words])
        a = np.asarray(self.counts[:half].sum(axis=0)).ravel().astype(float)
        b = np.asarray(self.counts[half:].sum(axis=0)).ravel().astype(float)
        frame = pd.DataFrame({"a": a, "b": b}, index=self.vocabulary)
        frame = frame[frame["a"] + frame["b"] >= 3]
        n_a, n_b = lengths[:half].sum(), lengths[half:].sum()
        both = frame["a"] + frame["b"]
        total = 0.0
        for observed, expected in (
            (frame["a"], n_a * both / (n_a + n_b)),
            (frame["b"], n_b * both / (n_a + n_b)),
            (n_a - frame["a"], n_a - n_a * both / (n_a + n_b)),
            (n_b - frame["b"], n_b - n_b * both / (n_a + n_b)),
        ):
            with np.errstate(divide="ignore", invalid="ignore"):
                total = total + np.where(observed > 0, observed * np.log(observed / expected), 0)
        return pd.Series(2 * total, index=frame.index).sort_index()

    def phrases(self, documents: pd.DataFrame, _: pd.DataFrame) -> dict[str, int]:
        word = re.compile(r"[一-鿿㐀-䶿A-Za-z0-9]+")
        grams: Counter[tuple[str, ...]] = Counter()
        left: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        right: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        clauses = []
        total = 0
        for body in documents["body"]:
            clause: list[str] = []
            # The quoted and numbered pass of the segmenter also holds here, without a lexicon.
            for each in [*self.cut_plain(body), "\n"]:
                if word.fullmatch(each):
                    clause.append(each)
                elif clause:
                    clauses.append(clause)
                    clause = []
        for clause in clauses:
            total += len(clause)
            for size in range(1, 7):
                for at in range(len(clause) - size + 1):
                    grams[tuple(clause[at : at + size])] += 1
        often = {gram for gram, uses in grams.items() if uses >= 5 and len(gram) > 1}
        edge = 0
        for clause in clauses:
            for size in range(2, 7):
                for at in range(len(clause) - size + 1):
                    gram = tuple(clause[at : at + size])
                    if gram in often:
                        edge += 1
                        left[gram][clause[at - 1] if at else f"\n{edge}"] += 1
                        right[gram][clause[at + size] if at + size < len(clause) else f"\n{edge}"] += 1

        def entropy(around: Counter[str]) -> float:
            every = sum(around.values())
            return -sum(n / every * math.log2(n / every) for n in around.values())

        kept = {}
        for gram in often:
            if gram[0] in self.stop or gram[-1] in self.stop:
                continue
            joints = range(1, len(gram))
            pmi = min(math.log2(grams[gram] * total / (grams[gram[:j]] * grams[gram[j:]])) for j in joints)
            if pmi >= 4 and min(entropy(left[gram]), entropy(right[gram])) >= 1:
                kept[gram] = grams[gram]
        inside: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
        final: list[tuple[str, ...]] = []
        for gram in sorted(kept, key=lambda g: -len(g)):
            for longer in final:
                if len(longer) > len(gram):
                    places = sum(
                        longer[at : at + len(gram)] == gram for at in range(len(longer) - len(gram) + 1)
                    )
                    inside[gram, longer] = places * grams[longer]
                    if inside[gram, longer] >= 0.8 * kept[gram]:
                        break
            else:
                final.append(gram)
        return {"".join(gram): kept[gram] for gram in final if 4 <= len("".join(gram)) <= 20}

    def cut_plain(self, body: str) -> list[str]:
        held: list[str] = []

        def hold(match: re.Match[str]) -> str:
            held.append(match[0])
            return "\ue000"

        words = self.plain.lcut(_QUOTED_OR_NUMBER.sub(hold, body), HMM=False)
        rest = iter(held)
        return [next(rest) if word == "\ue000" else word for word in words]

    def coding(self, documents: pd.DataFrame, sentences: pd.DataFrame) -> set[tuple[str, int, str]]:
        lists, shields = self.rules["lists"], self.rules["shields"]
        found = set()
        for doc_id, start, sentence in zip(
            sentences["doc_id"], sentences["start"], sentences["text"], strict=True
        ):
            shielded = [
                m.span()
                for shield in shields
                if shield in sentence
                for m in re.finditer(re.escape(shield), sentence)
            ]
            for code in self.rules["codes"]:
                if any(holds(rule["when"], sentence, lists, shielded) is not None for rule in code["rules"]):
                    excluded = code.get("exclude")
                    if excluded is not None and holds(excluded, sentence, lists, shielded) is not None:
                        continue
                    rest = sentence
                    for left, right in (
                        span
                        for passing in (code.get("passing"), self.rules.get("passing"))
                        for span in (passing and holds(passing, sentence, lists, shielded)) or ()
                    ):
                        rest = rest[:left] + "〓" * (right - left) + rest[right:]
                    if rest == sentence or any(
                        holds(rule["when"], rest, lists, shielded) is not None for rule in code["rules"]
                    ):
                        found.add((doc_id, int(start), code["code"]))
        return found

    def citations(self, documents: pd.DataFrame, _: pd.DataFrame) -> set[tuple[str, str]]:
        titles = documents.set_index("doc_id")["body"].str.extractall(
            "(《[^《》]+(?:《[^《》]+》[^《》]*)*》)"
        )[0]
        return set(zip(titles.index.get_level_values(0), titles, strict=True))


_INNER = r"[^“”「」『』\"，。；：！？、,;:!?\s（）()]{1,10}"
_QUOTED_OR_NUMBER = re.compile(
    rf"(?<=“){_INNER}(?=”)|(?<=「){_INNER}(?=」)|(?<=『){_INNER}(?=』)|(?<=\"){_INNER}(?=\")|(?<![\d.])\d+(?:\s?[+＋]\s?\d+)+"
)
_COMPILED: dict[str, re.Pattern[str]] = {}
Spans = list[tuple[int, int]]


def holds(rule: Any, sentence: str, lists: dict[str, Any], shielded: Spans) -> Spans | None:
    """One rule on one sentence, as one writes it without an engine."""
    if isinstance(rule, list):
        found = [spans for each in rule if (spans := holds(each, sentence, lists, shielded)) is not None]
        return sum(found, []) if found else None
    if isinstance(rule, str) and rule.startswith("$"):
        return holds(lists[rule[1:]], sentence, lists, shielded)
    if isinstance(rule, str) and rule.startswith("/"):
        pattern = _COMPILED.get(rule) or _COMPILED.setdefault(rule, re.compile(rule[1:-1]))
        return [m.span() for m in pattern.finditer(sentence) if m[0]] or None
    if isinstance(rule, str):
        if rule not in sentence:
            return None
        spans = [m.span() for m in re.finditer(re.escape(rule), sentence)]
        return [
            s for s in spans if not any(a <= s[0] and s[1] <= b and s[1] - s[0] < b - a for a, b in shielded)
        ] or None
    results: list[Spans | None] = []
    for operator, operand in rule.items():
        if operator == "any":
            results.append(holds(operand, sentence, lists, shielded))
        elif operator == "not":
            results.append([] if holds(operand, sentence, lists, shielded) is None else None)
        elif operator == "whole":
            hits = holds(operand, sentence, lists, shielded)
            clauses = [m.span() for m in CLAUSE.finditer(sentence)]
            results.append(hits and [c for c in clauses if any(c[0] < h[1] and h[0] < c[1] for h in hits)])
        elif operator in ("all", "near", "clause"):
            parts = [holds(each, sentence, lists, shielded) for each in operand]
            if any(part is None for part in parts):
                results.append(None)
            elif operator == "all":
                results.append(sum((part or [] for part in parts), []))
            elif operator == "near":
                results.append(close(parts, rule, sentence))
            else:
                results.append(together(parts, sentence))
    return None if any(part is None for part in results) else sum((part or [] for part in results), [])


def close(parts: list[Spans | None], rule: dict[str, Any], sentence: str) -> Spans | None:
    first, second = parts[0] or [], parts[1] or []
    kept: Spans = []
    for a in first:
        for b in second:
            pair = (a, b) if rule.get("ordered") or a <= b else (b, a)
            if len(parts) > 2:
                kept.extend(close_three(pair, parts[2] or [], rule, sentence))
            elif 0 <= pair[1][0] - pair[0][1] <= rule.get("within", 10) and CLAUSE.fullmatch(
                sentence, pair[0][0], pair[1][1]
            ):
                kept.extend(pair)
    return kept or None


def close_three(pair: tuple[Any, Any], third: Spans, rule: dict[str, Any], sentence: str) -> Spans:
    kept: Spans = []
    for c in third:
        line = (*pair, c) if rule.get("ordered") else tuple(sorted((*pair, c)))
        gaps = [b[0] - a[1] for a, b in zip(line, line[1:], strict=False)]
        if all(0 <= gap <= rule.get("within", 10) for gap in gaps) and CLAUSE.fullmatch(
            sentence, line[0][0], line[-1][1]
        ):
            kept.extend(line)
    return kept


def together(parts: list[Spans | None], sentence: str) -> Spans | None:
    kept: Spans = []
    for clause in CLAUSE.finditer(sentence):
        inside = [
            [s for s in part or [] if clause.start() <= s[0] and s[1] <= clause.end()] for part in parts
        ]
        if all(inside):
            kept.extend(sum(inside, []))
    return kept or None


Step = Callable[[pd.DataFrame, pd.DataFrame], Any]

if __name__ == "__main__":
    for item in run():
        print(item)
