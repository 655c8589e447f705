"""Coding rules (编码规则): AND, OR, NOT, near, clause and context operators over the units of a document.

A rule is a tree of small frozen nodes, read from YAML by :func:`parse`. Every node answers two questions about a
:class:`View` (a document cut into units):

``candidates(view)``  in which units it could hold (``None``: in any), so that units without its terms cost nothing;
``find(view, unit)``  the evidence spans within the unit's text where it holds, or ``None`` where it does not.

The five-part coding, the policy instruments, directive strength and the variables of the PMC index all use this one
engine; their codebooks only differ in the rules.

Terms are matched on characters, never on tokens, so no segmenter can split them. A *shield* is a longer string inside
which shorter terms do not count (印度 in 印度尼西亚, 监督 in 市场监督管理局).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from operator import add
from typing import Any, Protocol

from ..errors import CodebookError

Span = tuple[int, int]
Spans = tuple[Span, ...]

CLAUSE = re.compile(r"[^，,；;。！？!?：:\n]+")
_BLANK = "〓"
_NUMBERING = tuple(
    re.compile(pattern)
    for pattern in (
        r"第[一二三四五六七八九十百零\d]+编",
        r"第[一二三四五六七八九十百零\d]+章",
        r"第[一二三四五六七八九十百零\d]+节",
        r"[一二三四五六七八九十]+、",
        r"[（(][一二三四五六七八九十]+[）)]",
        r"\d+[.．、]",
    )
)
_ITEM = re.compile(r"\s*(?:[（(][一二三四五六七八九十\d]+[)）]|\d+[.．、](?!\d)|[①-⑳])")
_GROUP = re.compile(r"\(\?(?:<?[=!]|:)")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_COUNT = re.compile(r"(?:[?*+]|\{\d*,?\d*\})[?+]?")
_UNREAD = re.compile(r"\(\?(?!<?[=!]|:)|\\[\dxuUN]")
_FIRST_ITEM = re.compile(r"[：:]\s*[（(][一1][)）]")
_FIRST = re.compile(r"\s*(?:[（(][一1][)）]|1[.．、](?!\d)|①)")
_BELOW = re.compile(r"下列|以下|如下")


@dataclass(frozen=True)
class Unit:
    """One coding unit (编码单元): a sentence, a clause or a heading, with its place in the body."""

    text: str
    start: int
    end: int
    paragraph: int = 0
    speaker: str | None = None
    act: str | None = None
    heading: bool = False


class View:
    """A document as the rules see it: its units, title and attributes, and the hits of every term, found once.

    Parameters
    ----------
    units
        In the order of the text.
    attributes
        title, genre, level, issuer … of the document.
    shields
        Strings inside which shorter terms do not count.
    pairs
        All pairs of neighbouring characters, or more than there are, when they are known.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        attributes: Mapping[str, Any] | None = None,
        shields: Sequence[str] = (),
        pairs: set[str] | None = None,
    ) -> None:
        self.units = units
        self.attributes = dict(attributes or {})
        self._shields = shields
        title = self.attributes.get("title")
        # The title is the unit after the last, so that every operator can be asked of it too.
        self._texts = [unit.text for unit in units] + [title if isinstance(title, str) else ""]
        self._buffer = "\n".join(self._texts)
        self._pairs = set(map(add, self._buffer, self._buffer[1:])) if pairs is None else pairs
        self._starts = [0]
        for text in self._texts[:-1]:
            self._starts.append(self._starts[-1] + len(text) + 1)
        self._hits: dict[str | re.Pattern[str], dict[int, Spans]] = {}
        self._headings: list[tuple[int, ...]] | None = None
        self._leads: list[int | None] | None = None
        self._shielded = sorted(
            (at, at + len(shield)) for shield in shields for at in self._occurrences(shield)
        )

    @property
    def title(self) -> int:
        """Index of the title's unit."""
        return len(self.units)

    def text(self, unit: int) -> str:
        """The unit's text; the title's for :attr:`title`."""
        return self._texts[unit]

    def hits(self, term: str) -> dict[int, Spans]:
        """Where a term stands: unit → spans within the unit's text."""
        if term not in self._hits:
            length = len(term)
            self._hits[term] = self._by_unit(
                (at, at + length) for at in self._occurrences(term) if not self._is_shielded(at, at + length)
            )
        return self._hits[term]

    def matches(self, pattern: re.Pattern[str]) -> dict[int, Spans]:
        """Where a regular expression matches, each unit searched on its own."""
        if pattern not in self._hits:
            found = {}
            for number in self._touched(pattern) if self._can_match(pattern) else ():
                spans = tuple(match.span() for match in pattern.finditer(self._texts[number]) if match[0])
                if spans:
                    found[number] = spans
            self._hits[pattern] = found
        return self._hits[pattern]

    def without(self, rule: Rule) -> View:
        """The same view with the evidence of a rule blanked out, place for place; itself where the rule never holds."""
        units = rule.candidates(self)
        texts = {}
        for number in range(len(self.units)) if units is None else units:
            text = self._texts[number]
            for start, end in rule.find(self, number) or ():
                text = text[:start] + _BLANK * (end - start) + text[end:]
            if text != self._texts[number]:
                texts[number] = text
        if not texts:
            return self
        left = [
            replace(unit, text=texts[number]) if number in texts else unit
            for number, unit in enumerate(self.units)
        ]
        title = texts.get(self.title, self._texts[-1])
        return View(left, {**self.attributes, "title": title}, self._shields, self._pairs)

    def headings(self, unit: int) -> tuple[int, ...]:
        """The headings a unit stands under, nearest first, by the rank of their numbering (章 over 节 over 一、)."""
        if self._headings is None:
            open_: list[tuple[int, int]] = []
            self._headings = []
            for number, candidate in enumerate(self.units):
                if candidate.heading:
                    rank = heading_rank(candidate.text)
                    while open_ and open_[-1][0] >= rank:
                        open_.pop()
                self._headings.append(tuple(index for _, index in reversed(open_)))
                if candidate.heading:
                    open_.append((rank, number))
        return self._headings[unit] if unit < len(self.units) else ()

    def lead(self, unit: int) -> int | None:
        """The sentence that introduces the list a unit is an item of (引领句): ``……有下列情形之一的：（一）……；（二）……``.

        Items are numbered, or parted by semicolons; the introduction ends with a colon, holds the first item itself, or
        announces the list before its first item (下列、以下、如下).
        """
        if self._leads is None:
            self._leads = []
            for number, text in enumerate(self._texts[:-1]):
                before = self._texts[number - 1].rstrip() if number else ""
                item = _ITEM.match(text) is not None
                announced = _FIRST.match(text) and _BELOW.search(before)
                if before.endswith(("：", ":")) or announced or (item and _FIRST_ITEM.search(before)):
                    self._leads.append(number - 1)
                elif number and (before.endswith(("；", ";")) or (item and _ITEM.match(before))):
                    self._leads.append(self._leads[-1])
                else:
                    self._leads.append(None)
        return self._leads[unit] if unit < len(self.units) else None

    def _occurrences(self, term: str) -> Iterator[int]:
        # Most terms of a codebook are in no text: a pair of characters that is nowhere saves the search.
        if not self._pairs.issuperset(map(add, term, term[1:])):
            return
        at = self._buffer.find(term)
        while at >= 0:
            yield at
            at = self._buffer.find(term, at + len(term))

    def _can_match(self, pattern: re.Pattern[str]) -> bool:
        """Whether the strings that every match must hold could be in the text at all."""
        return all(
            any(self._pairs.issuperset(map(add, word, word[1:])) for word in words)
            for words in required(pattern.pattern)
        )

    def _touched(self, pattern: re.Pattern[str]) -> Iterable[int]:
        """Units that a match in the whole text touches: no other can have one."""
        units: set[int] = set()
        for match in pattern.finditer(self._buffer):
            first = bisect_right(self._starts, match.start()) - 1
            units.update(range(first, bisect_right(self._starts, max(match.start(), match.end() - 1))))
        return sorted(units)

    def _by_unit(self, spans: Iterator[Span]) -> dict[int, Spans]:
        found: dict[int, list[Span]] = {}
        for start, end in spans:
            unit = bisect_right(self._starts, start) - 1
            base = self._starts[unit]
            found.setdefault(unit, []).append((start - base, end - base))
        return {unit: tuple(within) for unit, within in found.items()}

    def _is_shielded(self, start: int, end: int) -> bool:
        for left, right in self._shielded:
            if left > start:
                return False
            if end <= right and end - start < right - left:
                return True
        return False


class Rule(Protocol):
    """What every node of a rule can do."""

    def candidates(self, view: View) -> set[int] | None:
        """Units in which the rule could hold; ``None`` when that cannot be narrowed."""

    def find(self, view: View, unit: int) -> Spans | None:
        """Evidence spans in the unit, empty when it holds without evidence of its own; ``None`` where it fails."""


@dataclass(frozen=True)
class Term:
    """A string of characters."""

    term: str

    def candidates(self, view: View) -> set[int] | None:
        """Units with the string."""
        return set(view.hits(self.term))

    def find(self, view: View, unit: int) -> Spans | None:
        """All its places."""
        return view.hits(self.term).get(unit)


@dataclass(frozen=True)
class Regex:
    """A regular expression, written ``/…/``."""

    pattern: re.Pattern[str]

    def candidates(self, view: View) -> set[int] | None:
        """Units in which it matches."""
        return set(view.matches(self.pattern))

    def find(self, view: View, unit: int) -> Spans | None:
        """All its matches."""
        return view.matches(self.pattern).get(unit)


@dataclass(frozen=True)
class AnyOf:
    """OR: at least one holds; the evidence is that of all that do."""

    rules: tuple[Rule, ...]

    def candidates(self, view: View) -> set[int] | None:
        """The union."""
        units: set[int] = set()
        for rule in self.rules:
            more = rule.candidates(view)
            if more is None:
                return None
            units |= more
        return units

    def find(self, view: View, unit: int) -> Spans | None:
        """Evidence of every rule that holds."""
        found = [spans for rule in self.rules if (spans := rule.find(view, unit)) is not None]
        return _merge(found) if found else None


@dataclass(frozen=True)
class AllOf:
    """AND: all hold in the unit."""

    rules: tuple[Rule, ...]

    def candidates(self, view: View) -> set[int] | None:
        """The intersection of those that can be narrowed."""
        units: set[int] | None = None
        for rule in self.rules:
            more = rule.candidates(view)
            if more is not None:
                units = more if units is None else units & more
            if units is not None and not units:
                break
        return units

    def find(self, view: View, unit: int) -> Spans | None:
        """Evidence of all together."""
        found = []
        for rule in self.rules:
            spans = rule.find(view, unit)
            if spans is None:
                return None
            found.append(spans)
        return _merge(found)


@dataclass(frozen=True)
class Not:
    """NOT: holds where the inner rule does not, without evidence."""

    rule: Rule

    def candidates(self, view: View) -> set[int] | None:
        """Any unit."""
        return None

    def find(self, view: View, unit: int) -> Spans | None:
        """No span of its own."""
        return () if self.rule.find(view, unit) is None else None


@dataclass(frozen=True)
class Near(AllOf):
    """NEAR: hits of all parts with at most ``within`` characters between neighbours, in one clause unless told not to.

    The evidence is the hits of the closest choice.
    """

    within: int = 10
    ordered: bool = False
    across: bool = False

    def find(self, view: View, unit: int) -> Spans | None:
        """The hits that lie together."""
        parts = []
        for rule in self.rules:
            spans = rule.find(view, unit)
            if not spans:
                return None
            parts.append(spans)
        kept: list[Spans] = []
        for choice in product(*parts):
            line = choice if self.ordered else tuple(sorted(choice))
            gaps = [right[0] - left[1] for left, right in zip(line, line[1:], strict=False)]
            if any(gap > self.within or gap < 0 for gap in gaps):
                continue
            if self.across or CLAUSE.fullmatch(view.text(unit), line[0][0], line[-1][1]):
                kept.append(line)
        return _merge(kept) if kept else None


@dataclass(frozen=True)
class Clause(AllOf):
    """All hold within one and the same clause of the unit."""

    def find(self, view: View, unit: int) -> Spans | None:
        """Evidence of the clauses in which all hold."""
        parts = [rule.find(view, unit) for rule in self.rules]
        if any(spans is None for spans in parts):
            return None
        kept = []
        for clause in CLAUSE.finditer(view.text(unit)):
            inside = [
                tuple(s for s in spans or () if clause.start() <= s[0] and s[1] <= clause.end())
                for spans in parts
            ]
            if all(inside):
                kept.extend(inside)
        return _merge(kept) if kept else None


@dataclass(frozen=True)
class Whole:
    """The inner rule holds; the evidence is the whole clauses (分句) that its own lies in."""

    rule: Rule

    def candidates(self, view: View) -> set[int] | None:
        """Those of the inner rule."""
        return self.rule.candidates(view)

    def find(self, view: View, unit: int) -> Spans | None:
        """The clauses with a hit."""
        spans = self.rule.find(view, unit)
        if not spans:
            return spans
        clauses = (match.span() for match in CLAUSE.finditer(view.text(unit)))
        return tuple(
            clause for clause in clauses if any(clause[0] < s[1] and s[0] < clause[1] for s in spans)
        )


@dataclass(frozen=True)
class Around:
    """The inner rule holds in some unit around this one: heading, title, lead, previous, next, paragraph, document."""

    place: str
    rule: Rule

    def candidates(self, view: View) -> set[int] | None:
        """Any unit, or none when the rule holds nowhere."""
        return set() if self.rule.candidates(view) == set() else None

    def find(self, view: View, unit: int) -> Spans | None:
        """No span in the unit itself."""
        return (
            ()
            if any(self.rule.find(view, other) is not None for other in _AROUND[self.place](view, unit))
            else None
        )


@dataclass(frozen=True)
class Is:
    """The unit's or the document's attribute is one of some values: speaker, act, genre, level, issuer, is_heading."""

    attribute: str
    values: tuple[Any, ...]

    def candidates(self, view: View) -> set[int] | None:
        """Any unit."""
        return None

    def find(self, view: View, unit: int) -> Spans | None:
        """No span; text values match where the attribute contains them."""
        if self.attribute in _OF_UNIT:
            value = getattr(view.units[unit], _OF_UNIT[self.attribute]) if unit < len(view.units) else None
        else:
            value = view.attributes.get(self.attribute)
        if isinstance(value, str):
            return () if any(isinstance(wanted, str) and wanted in value for wanted in self.values) else None
        return () if any(value is not None and value == wanted for wanted in self.values) else None


_OF_UNIT = {"speaker": "speaker", "act": "act", "is_heading": "heading"}
_OF_DOCUMENT = ("genre", "level", "issuer", "region")
_AROUND: dict[str, Callable[[View, int], Sequence[int]]] = {
    "heading": lambda view, unit: view.headings(unit),
    "title": lambda view, unit: (view.title,),
    "previous": lambda view, unit: (unit - 1,) if 0 < unit <= len(view.units) - 1 else (),
    "lead": lambda view, unit: () if (lead := view.lead(unit)) is None else (lead,),
    "next": lambda view, unit: (unit + 1,) if unit < len(view.units) - 1 else (),
    "paragraph": lambda view, unit: _paragraph(view, unit),
    "document": lambda view, unit: range(len(view.units) + 1),
}
OPERATORS = (
    "term",
    "regex",
    "any",
    "all",
    "not",
    "near",
    "clause",
    "whole",
    *_AROUND,
    *_OF_UNIT,
    *_OF_DOCUMENT,
)


def parse(content: object, lists: Mapping[str, object] | None = None, where: str = "") -> Rule:
    """Read a rule as YAML writes it.

    ``词`` is a term, ``/…/`` a regular expression, ``$name`` a list of the codebook, a sequence an OR. A mapping holds
    operators, all of which must hold: ``any``, ``all``, ``not``, ``clause`` (all in one clause), ``whole`` (the clauses
    with a hit, whole), ``near`` (a sequence, with ``within``, ``ordered``, ``across`` beside it), the places ``heading``,
    ``title``, ``lead`` (the sentence that introduces the list the unit is an item of), ``previous``, ``next``,
    ``paragraph``, ``document`` and the attributes ``speaker``, ``act``, ``is_heading``, ``genre``, ``level``,
    ``issuer``, ``region``.

    Raises
    ------
    CodebookError
        Unknown operator or list, empty rule, or a regular expression that does not compile; the message names the
        place in the codebook.
    """
    lists = lists or {}
    if isinstance(content, bool) or content is None or content == "" or content == [] or content == {}:
        raise CodebookError("编码规则为空", value=where, hint="请写明词语，或删去这一条")
    if isinstance(content, int | float):
        content = str(content)
    if isinstance(content, str):
        return _leaf(content, lists, where)
    if isinstance(content, Sequence):
        return AnyOf(tuple(parse(item, lists, f"{where}[{n}]") for n, item in enumerate(content, 1)))
    if isinstance(content, Mapping):
        return _mapping(content, lists, where)
    raise CodebookError("编码规则只能是词语、列表或算符", value=f"{where}: {content!r}")


@lru_cache(maxsize=4096)
def required(pattern: str) -> tuple[frozenset[str], ...]:
    """What every match of a regular expression holds: of each set, at least one string; empty where nothing is certain.

    Reads literals, classes, groups, lookarounds and quantifiers; a pattern with anything else claims nothing.
    """
    return () if _UNREAD.search(pattern) else tuple(_alternatives(pattern, 0)[0])


def _alternatives(pattern: str, at: int) -> tuple[list[frozenset[str]], int]:
    branches: list[list[frozenset[str]]] = []
    while True:
        needs, at = _sequence(pattern, at)
        branches.append(needs)
        if at >= len(pattern) or pattern[at] != "|":
            break
        at += 1
    if len(branches) == 1:
        return branches[0], at
    if not all(branches):
        return [], at
    # One need of each branch will do: the one with the fewest strings, the longest of those.
    chosen = (min(needs, key=lambda words: (len(words), -min(map(len, words)))) for needs in branches)
    return [frozenset().union(*chosen)], at


def _sequence(pattern: str, at: int) -> tuple[list[frozenset[str]], int]:
    needs: list[frozenset[str]] = []
    run = ""

    def close() -> None:
        nonlocal run
        if len(run) > 1:
            needs.append(frozenset([run]))
        run = ""

    while at < len(pattern) and pattern[at] not in "|)":
        inner: list[frozenset[str]] = []
        literal = ""
        if pattern[at] == "(":
            group = _GROUP.match(pattern, at)
            inner, at = _alternatives(pattern, group.end() if group else at + 1)
            at += 1
            inner = [] if group and group[0] != "(?:" else inner
        elif bracket := _CLASS.match(pattern, at):
            at = bracket.end()
        elif pattern[at] == "\\":
            at += 2
        else:
            literal = "" if pattern[at] in ".^$" else pattern[at]
            at += 1
        count = _COUNT.match(pattern, at)
        optional = count is not None and (count[0][0] in "?*" or count[0].startswith(("{0", "{,")))
        at = count.end() if count else at
        if literal and not optional:
            run += literal
        if count or not literal:
            close()
        if not optional:
            needs.extend(inner)
    close()
    return needs, at


def heading_rank(text: str) -> int:
    """0 for 第一编, 1 for 章 … 5 for ``1.``, 6 for a heading without a number."""
    for rank, pattern in enumerate(_NUMBERING):
        if pattern.match(text.lstrip("#＃ 　")):
            return rank
    return len(_NUMBERING)


def _leaf(content: str, lists: Mapping[str, object], where: str) -> Rule:
    if content.startswith("$"):
        name = content[1:]
        if name not in lists:
            raise CodebookError(
                "编码规则引用了没有定义的词表", value=f"{where}: ${name}", hint="请在 lists 中写出它"
            )
        return parse(
            lists[name], {key: value for key, value in lists.items() if key != name}, f"lists.{name}"
        )
    if len(content) > 2 and content.startswith("/") and content.endswith("/"):
        try:
            # The units of a text are searched together, a line each: ^ and $ are the edges of the unit.
            return Regex(re.compile(content[1:-1], re.MULTILINE))
        except re.error as error:
            raise CodebookError(f"正则表达式写法不对：{error}", value=f"{where}: {content}") from error
    return Term(content)


def _mapping(content: Mapping[str, Any], lists: Mapping[str, object], where: str) -> Rule:
    options = {key: content[key] for key in ("within", "ordered", "across") if key in content}
    if options and "near" not in content:
        raise CodebookError(f"{'、'.join(options)} 只能与 near 同用", value=where)
    rules: list[Rule] = []
    for operator, operand in content.items():
        if operator in options:
            continue
        place = f"{where}.{operator}"
        if operator in ("all", "clause", "near"):
            if isinstance(operand, str) or not isinstance(operand, Sequence) or not operand:
                raise CodebookError(f"算符 {operator} 后应是列表", value=place)
            parts = tuple(parse(item, lists, f"{place}[{n}]") for n, item in enumerate(operand, 1))
            if operator == "near":
                rules.append(_near(parts, options, place))
            else:
                rules.append(AllOf(parts) if operator == "all" else Clause(parts))
        elif operator in ("any", "term"):
            rules.append(parse(operand, lists, place))
        elif operator == "regex":
            rules.append(_leaf(f"/{operand}/", lists, place))
        elif operator == "whole":
            rules.append(Whole(parse(operand, lists, place)))
        elif operator == "not":
            rules.append(Not(parse(operand, lists, place)))
        elif operator in _AROUND:
            rules.append(Around(operator, parse(operand, lists, place)))
        elif operator in _OF_UNIT or operator in _OF_DOCUMENT:
            values = tuple(operand) if isinstance(operand, list) else (operand,)
            rules.append(Is(operator, values))
        else:
            raise CodebookError(
                "编码规则中有不认识的算符", value=place, hint=f"可用的算符：{'、'.join(OPERATORS)}"
            )
    return rules[0] if len(rules) == 1 else AllOf(tuple(rules))


def _near(parts: tuple[Rule, ...], options: Mapping[str, Any], where: str) -> Near:
    within = options.get("within", 10)
    if len(parts) < 2 or not isinstance(within, int) or within < 0:
        raise CodebookError("near 至少要两项，within 应为非负整数", value=where)
    return Near(parts, within, bool(options.get("ordered", False)), bool(options.get("across", False)))


def _paragraph(view: View, unit: int) -> Sequence[int]:
    if unit >= len(view.units):
        return ()
    wanted = view.units[unit].paragraph
    return [other for other, candidate in enumerate(view.units) if candidate.paragraph == wanted]


def _merge(found: Sequence[Spans]) -> Spans:
    return tuple(sorted({span for spans in found for span in spans}))
