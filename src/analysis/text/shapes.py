"""The shapes of named phrases (提法的形式): how policy language marks that a string of words is a name.

Five shapes, each matched on the raw text, never on tokens:

``quoted``    “双向规范”, “141”, “7+73+1330”; 根本在“防”, 重点在“解” …; 积“小平安”为“大平安”
``numbered``  五大体系, 两大指挥体系: numeral, measure, head noun
``parallel``  权责明、底数清、依法办: members of one length, built alike
``named``     a name up to its head noun after a verb: 落实 | 重大决策社会风险评估制度
``listed``    通过 甲、乙、丙 等载体: each a name
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import codebooks
from ..errors import CodebookError

HAN = "一-鿿㐀-䶿"
NUMERAL = {c: n for n, c in enumerate("一二三四五六七八九十", 1)} | {"两": 2, "双": 2}
STOP = "。；;！!？?：:，,\n"
_QUOTES = tuple(
    re.compile(pattern)
    for pattern in (
        r"“([^“”\n]{1,40})”", r"\"([^\"\n]{1,40})\"", r"「([^「」\n]{1,40})」", r"『([^『』\n]{1,40})』",
        r"‘([^‘’\n]{1,30})’", r"(?<=[\"“+＋、])'([^'\n]{1,30})'",
    )
)  # fmt: skip
_CONTRAST = re.compile(
    r"[以积用从变]?[“\"][小微][^”\"，。；\n]{1,6}[”\"][^“\"，。；、\n]{1,4}[“\"]大[^”\"]{1,6}[”\"]"
)
_PLUS = re.compile(rf"[{HAN}A-Za-z\d]{{1,12}}(?:[+＋][{HAN}A-Za-z\d]{{1,12}})+")
_CUTS = frozenset("的了》等把将以在对从向为是") | {"作为", "成为", "做到", "按照"}
_SENTENCE = re.compile("了|的|纳入|提供|成为|作为|体现|转化|什么|如何|必须|应当")
# The number before a clause (六、建立……制度) is no member of a list.
_NUMBER = rf"(?:(?<![^{STOP}])[一二三四五六七八九十]{{1,3}}、)?"
_FAMILY = re.compile(rf"([{HAN}]{{2}}在)[“\"]([{HAN}]{{1,2}})[”\"]")


@dataclass(frozen=True)
class Shapes:
    """The phrase codebook, ready for use."""

    heads: Mapping[str, str]
    triggers: re.Pattern[str]
    generic: re.Pattern[str]
    figurative: frozenset[str]
    not_ending: tuple[str, ...]
    said: tuple[str, ...]
    defined: tuple[str, ...]
    known: tuple[str, ...]
    weak: frozenset[str]
    verbs: frozenset[str]
    numbered: re.Pattern[str]
    named: re.Pattern[str]
    headed: re.Pattern[str]
    carried: re.Pattern[str]
    version: str

    @classmethod
    def load(cls, name: str | Path = "phrases") -> Shapes:
        """Read the codebook.

        Raises
        ------
        CodebookError
            A list is missing.
        """
        return _shapes(codebooks.load(name), str(name))


@dataclass
class Mention:
    """One use of a phrase."""

    start: int
    end: int
    phrase: str
    kind: str
    shape: str
    parts: list[str] = field(default_factory=list)


def find(body: str, shapes: Shapes) -> list[Mention]:
    """The phrases of one text by their shape, in the order of the text and without those inside another of a surer shape."""
    found: list[Mention] = []
    # From the surest shape to the least: what is taken is not looked at again.
    for shape in (_contrasts, _quoted, _plus, _numbered, _carried, _parallel):
        found.extend(_outside(found, shape(body, shapes)))
    # “阳光晒单”机制 is no other phrase than “阳光晒单”.
    bare = {(mention.start, mention.phrase + head) for mention in found for head in shapes.heads}
    named = [
        m
        for m in _named(body, shapes)
        if (m.start + 1, m.phrase) not in bare and (m.start, m.phrase) not in bare
    ]
    found.extend(_outside(found, named, around=True))
    return sorted(found, key=lambda mention: (mention.start, -mention.end))


def normal(text: str) -> str:
    """The form under which uses of a phrase are gathered: no quotation marks or white space, full-width 、."""
    text = re.sub(r"[“”\"「」『』‘’'\s]", "", text)
    return text.replace("＋", "+").replace(",", "，").replace("(", "（").replace(")", "）")


def members(phrase: str) -> list[str]:
    """Members of a phrase that is itself a list (稳进提质、除险保安、塑造变革; 专业+机制+大数据); else none."""
    if "+" in phrase:
        return [m for m in phrase.split("+") if m] if re.search(f"[{HAN}]", phrase) else []
    found = [m for m in re.split("[、，]", phrase) if m]
    sizes = [len(m) for m in found]
    return found if len(found) > 1 and max(sizes) - min(sizes) <= 3 and min(sizes) > 1 else []


def _shapes(content: Mapping[str, Any], name: str) -> Shapes:
    for key in (
        "heads", "naming", "triggers", "weak", "generic", "figurative", "not_ending", "said", "defined", "known", "verbs", "carriers", "numbers",
    ):  # fmt: skip
        if key not in content:
            raise CodebookError(f"提法编码表缺少 {key}", file=name, hint="请参照自带的 phrases.yml")
    heads = {head: kind for kind, words in content["heads"].items() for head in words}
    numbers = content["numbers"]
    return Shapes(
        heads=heads,
        triggers=re.compile(
            f"(?:{'|'.join(sorted(map(re.escape, content['triggers']), key=len, reverse=True))})+"
        ),
        generic=re.compile(
            f"(?:{'|'.join(sorted(map(re.escape, content['generic']), key=len, reverse=True))})*"
        ),
        figurative=frozenset(content["figurative"]),
        not_ending=tuple(content["not_ending"]),
        said=tuple(content["said"]),
        defined=tuple(content["defined"]),
        known=tuple(str(word) for word in content["known"]),
        weak=frozenset(content["weak"]),
        verbs=frozenset(content["verbs"]),
        numbered=re.compile(
            rf"[两二三四五六七八九十](?:{'|'.join(numbers['measures'])})[{HAN}]{{0,6}}?(?:{'|'.join(numbers['nouns'])})"
        ),
        named=re.compile("|".join(map(re.escape, content["naming"]))),
        headed=re.compile("|".join(map(re.escape, sorted(heads, key=len, reverse=True)))),
        carried=re.compile(
            rf"[{HAN}“”\"]{{3,12}}(?:、[{HAN}“”\"]{{3,12}})+(?=等[{HAN}]{{0,4}}?(?:{'|'.join(content['carriers'])}))"
        ),
        version=str(content["version"]),
    )


def _kind(text: str, after: str, shapes: Shapes) -> str:
    """By the head noun of the phrase itself, or of what follows it directly."""
    for head, kind in shapes.heads.items():
        if text.endswith(head):
            return kind
    near = after.lstrip('”"」』')[:8]
    places = [(near.find(head), kind) for head, kind in shapes.heads.items() if head in near]
    return min(places)[1] if places else "slogan"


@lru_cache(maxsize=20_000)
def _classes(text: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Word lengths and word classes."""
    words = _jieba().tag(text, False)
    return tuple(len(word) for word, _ in words), tuple(tag for _, tag in words)


def _contrasts(body: str, shapes: Shapes) -> Iterator[Mention]:
    """积“小平安”为“大平安”, also several in a row."""
    run: list[re.Match[str]] = []
    for match in [*_CONTRAST.finditer(body), None]:
        if run and (match is None or body[run[-1].end() : match.start()] not in ("，", ",", "、")):
            start, end = run[0].start(), run[-1].end()
            parts = [normal(each[0]) for each in run] if len(run) > 1 else []
            yield Mention(start, end, normal(body[start:end]), "slogan", "quoted", parts)
            run = []
        if match is not None:
            run.append(match)


def _quoted(body: str, shapes: Shapes) -> Iterator[Mention]:
    family = _FAMILY.findall(body)
    if len(family) > 1 and (first := _FAMILY.search(body)):
        parts = [before + inner for before, inner in family]
        yield Mention(*first.span(), parts[0], "framework", "quoted", parts)
    for pattern in _QUOTES:
        for match in pattern.finditer(body):
            text = re.split("--|——", match[1])[0]
            head = shapes.headed.match(body, match.end())
            if head and len(text) == 2 and re.fullmatch(f"[{HAN}]+", text):  # “闪电”行动
                yield Mention(
                    match.start(),
                    head.end(),
                    normal(body[match.start() : head.end()]),
                    shapes.heads[head[0]],
                    "quoted",
                )
            elif _is_name(text, body[max(0, match.start() - 5) : match.start()], shapes):
                start = match.start(1)
                kind = _kind(text, body[match.end() : match.end() + 8], shapes)
                yield Mention(start, start + len(text), normal(text), kind, "quoted")


def _is_name(text: str, before: str, shapes: Shapes) -> bool:
    """Whether what stands in quotation marks is a name, not speech, a figure of speech or a single word."""
    if before.endswith(shapes.defined) or re.search("什么|怎么|多少|[吗呢么]$", text):
        return False
    han = len(re.findall(f"[{HAN}]", text))
    if (
        re.search(r"[。！？；：!?;:（）()《》]", text)
        or text in shapes.figurative
        or text.endswith(shapes.not_ending)
    ):
        return False
    if han <= 2:
        return bool(re.search(r"\d", text)) or (han == 2 and text[0] in NUMERAL)
    several = members(normal(text))
    if not several and (han > 16 or re.search("[，,]", text)):
        return False
    return not (before.endswith(shapes.said) and len(text) > 12 and not several)


def _plus(body: str, shapes: Shapes) -> Iterator[Mention]:
    # The pattern tries every place of a text; few texts have the sign.
    for match in _PLUS.finditer(body) if "+" in body or "＋" in body else ():
        if re.search(f"[{HAN}]", match[0]):
            yield Mention(*match.span(), normal(match[0]), "framework", "quoted")


def _numbered(body: str, shapes: Shapes) -> Iterator[Mention]:
    for match in shapes.numbered.finditer(body):
        if not re.match(
            rf"[第每全各又约近多余几十\d{''.join(NUMERAL)}]",
            body[max(0, match.start() - 1) : match.start()] or " ",
        ):
            yield Mention(*match.span(), normal(match[0]), _kind(match[0], "", shapes), "numbered")


def _carried(body: str, shapes: Shapes) -> Iterator[Mention]:
    """通过甲、乙、丙等载体: each member is a name of its own."""
    for match in shapes.carried.finditer(body):
        at = match.start()
        for number, item in enumerate(match[0].split("、")):
            skip = 0
            if number == 0:
                skip = max(
                    (m.end() for m in shapes.triggers.finditer(item) if m.end() < len(item) - 1), default=0
                )
            text = item[skip:].strip('“”"')
            if len(text) > 2:
                start = at + skip + item[skip:].index(text)
                yield Mention(start, start + len(text), normal(text), "mechanism", "listed")
            at += len(item) + 1


def _parallel(body: str, shapes: Shapes) -> Iterator[Mention]:
    """Members of one length in a row, built alike: by 、, or by commas where a character recurs at one place in all."""
    for separator, stop in (("、", STOP), ("[，,]", "。；;！!？?：:\n")):
        for stretch in re.finditer(rf"[^{stop}]+", body):
            cuts = [m.start() for m in re.finditer(separator, stretch[0])]
            if not cuts:
                continue
            edges = [-1, *cuts, len(stretch[0])]
            items = [stretch[0][a + 1 : b] for a, b in zip(edges, edges[1:], strict=False)]
            starts = [stretch.start() + edge + 1 for edge in edges[:-1]]
            yield from _runs(body, items, starts, separator == "、", shapes)


def _runs(body: str, items: list[str], starts: list[int], loose: bool, shapes: Shapes) -> Iterator[Mention]:
    n = 1
    while n < len(items):
        size = len(items[n])
        if n == len(items) - 1:  # a pair whose second member may run on into the sentence
            size = min(size, len(items[0])) if len(items) == 2 else size
        last = n
        while last < len(items) and 3 <= size <= 8 and _is_member(items[last], size, last == len(items) - 1):
            last += 1
        first = items[n - 1][-size:]
        if last > n and len(first) == size and re.fullmatch(f"[{HAN}]+", first):
            run = [first, *(item[:size] for item in items[n:last])]
            whole = items[last - 1] if len(items[last - 1]) <= size + 1 else items[last - 1][:size]
            start, end = starts[n - 1] + len(items[n - 1]) - size, starts[last - 1] + len(whole)
            if _built_alike(run, loose, shapes) and _on_edges(body, starts[n - 1], start, end):
                yield Mention(start, end, normal(body[start:end]), "slogan", "parallel", [*run[:-1], whole])
        n = max(last, n) + 1


def _is_member(item: str, size: int, is_last: bool) -> bool:
    if len(item) == size:
        return bool(re.fullmatch(f"[{HAN}]+", item))
    return is_last and len(item) > size and bool(re.match(f"[{HAN}]{{{size}}}", item))


def _built_alike(run: Sequence[str], loose: bool, shapes: Shapes) -> bool:
    """Whether a run of members is a phrase, not a list of things: one character recurs at one place, or verbs abound."""
    size = len(run[0])
    if len(set(run)) < len(run):
        return False
    if re.search("[的了和与到]", "".join(run)) or run[-1].endswith("等"):
        return False
    recurring = [place for place in range(size) if len({member[place] for member in run}) == 1]
    if not loose:
        return (
            len(run) > 2 and size <= 7 and bool(recurring) and recurring != [size - 1] and _verbal(run) > 0.6
        )
    if size == 3:
        led = sum(member[0] in shapes.verbs for member in run) / len(run)
        split = sum(1 in _classes(member)[0] and len(_classes(member)[0]) > 1 for member in run) / len(run)
        return led == 1 or (len(run) > 2 and split > 0.6 and _verbal(run) >= 0.5)
    if len(run) == 2:
        return size >= 5 and bool(recurring) and _verbal(run) == 1
    if recurring and all(_classes(member)[1][-1] == "vn" for member in run):  # 质量变革、效率变革、动力变革
        return True
    return size <= 5 and _verbal(run) >= 0.6


def _on_edges(body: str, item: int, start: int, end: int) -> bool:
    """Whether a run begins and ends between words, not inside one."""
    lead = {place for *_, place in _tagged(body[item : start + 8])} | {0}
    tail = {place for *_, place in _tagged(body[max(item, end - 8) : end + 6])}
    return start - item in lead and end - max(item, end - 8) in tail


def _verbal(run: Sequence[str]) -> float:
    """Share of members with a verb, an adjective or a set phrase among their words."""
    wanted = {"v", "a", "ad", "vd", "i", "l", "z", "vg", "ag", "vi"}
    return sum(any(tag in wanted for tag in _classes(member)[1]) for member in run) / len(run)


def _named(body: str, shapes: Shapes) -> Iterator[Mention]:
    """Names that run up to a head noun from the last verb, 的 or mark before it, cut at the edges of words."""
    for clause in re.finditer(rf"{_NUMBER}([^{STOP}]+)", body):
        if not shapes.named.search(clause[1]):
            continue
        words = _tagged(clause[1])
        edges = {end for *_, end in words} | {len(clause[1])}
        for match in shapes.named.finditer(clause[1]):
            if match.end() not in edges or shapes.named.match(clause[1], match.end()):
                continue
            start = _name_start(clause[1], words, match.start(), shapes)
            if start is not None and _is_lead(clause[1][start : match.start()], shapes):
                name = clause[1][start : match.end()]
                at = clause.start(1) + start
                yield Mention(at, at + len(name), normal(name), shapes.heads[match[0]], "named")


def _name_start(
    clause: str, words: Sequence[tuple[str, str, int, int]], head: int, shapes: Shapes
) -> int | None:
    """Where the name before the head noun begins; ``None`` where nothing tells it from the sentence."""
    begin, told = 0, False
    for word, _, _, end in words:
        if head - end >= 3 and (shapes.triggers.fullmatch(word) or word in _CUTS):
            begin, told = end, True
    comma = clause.rfind("、", begin, head)
    if comma >= 0:
        listed = re.search(rf"[{HAN}]{{1,2}}(?:、[{HAN}]{{1,2}})*(?=、[{HAN}“”\"]+$)", clause[begin:head])
        begin = begin + listed.start() if listed and not listed.start() else comma + 1
    elif not told:
        return None
    for word, tag, start, _ in words:
        # What a name cannot begin with: function words and 各项, 整个, 做到 …
        if start == begin and (tag[0] in "pcdur" or word in shapes.weak):
            begin += len(word)
    return begin


def _is_lead(lead: str, shapes: Shapes) -> bool:
    if not 3 <= len(lead) <= 20 or not re.fullmatch(rf"[{HAN}“”\"、（）()\d]+", lead):
        return False
    if (
        _SENTENCE.search(lead)
        or lead.count("“") != lead.count("”")
        or lead.count('"') % 2
        or re.search(r"[（(]", lead)
        and not re.search(r"[）)]", lead)
    ):
        return False
    return not shapes.generic.fullmatch(lead) and not re.match(r"\d", lead)


def _tagged(text: str) -> list[tuple[str, str, int, int]]:
    """Words of a clause with their classes and places."""
    placed = []
    at = 0
    for word, tag in _jieba().tag(text, False):
        placed.append((word, tag, at, at + len(word)))
        at += len(word)
    return placed


def word_starts(text: str) -> set[int]:
    """Where the words of a text begin."""
    return {start for _, _, start, _ in _tagged(text)}


@lru_cache(maxsize=1)
def _jieba() -> Any:
    """A tokenizer of our own that nobody adds words to."""
    import rjieba

    return rjieba.Jieba()


def _outside(found: Sequence[Mention], more: Iterable[Mention], around: bool = False) -> list[Mention]:
    """Those that overlap nothing found already; with ``around`` they may contain it."""
    kept: list[Mention] = []
    for mention in more:
        for other in (*found, *kept):
            contains = (
                mention.start <= other.start
                and other.end <= mention.end
                and len(other.phrase) < len(mention.phrase)
            )
            if other.start < mention.end and mention.start < other.end and not (around and contains):
                break
        else:
            kept.append(mention)
    return kept
