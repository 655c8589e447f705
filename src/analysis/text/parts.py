"""The parts of a phrase (提法的构成): what 三源共治, 四解 or “1+3” stand for, where the text spells it out.

A numbered phrase announces how many parts to expect, and a list counts as its parts only when it has that many.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .shapes import HAN, NUMERAL, STOP, Mention, Shapes, members, word_starts

_MEASURE = "大个项级种位条"
# How many of something, which is no part of anything; and 等方面, which leaves a list open.
_NO_PART = re.compile(r"\d+(?:余|多)?(?:[个所项条家年批件万亿人名户]|%)|等(?:方面|领域|工作)")
_AND = "(?:[和与]|(?<![涉以普顾])及)"
# Verbs between a list and the phrase that sums it up: 起数、人数实现“双下降”.
_LINK = re.compile(r"(?:实现|保持|呈现|达到|做到)$")


def parts_of(mention: Mention, body: str, shapes: Shapes, quoted: Sequence[str] = ()) -> list[str]:
    """What a phrase stands for, where the text spells it out: before it, after it, or in itself."""
    phrase = mention.phrase
    inner = members(phrase)
    if len(inner) > 1:
        return inner
    wanted = _wanted(phrase)
    if wanted is None:
        return []
    if wanted == 1:  # one thing has no list of parts, only, sometimes, what makes it: 以“甲、乙”为着力点
        return _as_core(body, wanted, phrase[1:].lstrip(_MEASURE))
    core = phrase[1:].lstrip(_MEASURE) if phrase[0] in NUMERAL else phrase
    before = body[max(0, mention.start - 120) : mention.start]
    after = body[mention.end : mention.end + 200]
    return (
        _in_brackets(after, wanted)
        or _listed_before(before, wanted, shapes)
        or _listed_after(after, wanted)
        or _as_core(body, wanted, core)
        or _sharing_core(after, wanted, core)
        or _named_apart(quoted, wanted, core, phrase)
    )


def _wanted(phrase: str) -> int | None:
    """How many parts a numbered phrase announces: 四解 4, 五级大接访 5, 1+3 2, 三会一课 3 + 1."""
    if re.fullmatch(r"\d+(?:\+\d+)+", phrase):
        return phrase.count("+") + 1
    if len(phrase) == 4 and phrase[0] in NUMERAL and phrase[2] in NUMERAL:
        several = NUMERAL[phrase[0]] + NUMERAL[phrase[2]]
        return several if several > 2 else None  # 一村一策 counts nothing
    return NUMERAL.get(phrase[0]) if phrase else None


def _in_brackets(after: str, wanted: int) -> list[str]:
    match = re.match(r"[”\"'’」』]*[^（(，。；\n]{0,6}[（(]([^（）()\n]+)[）)]", after)
    items = _split(match[1]) if match else []
    return items if len(items) == wanted else []


def _listed_before(before: str, wanted: int, shapes: Shapes) -> list[str]:
    if re.search(r"、[“\"「『]*$", before.rstrip()):  # the phrase is itself a member of the list
        return []
    before = re.sub(r"(?:的|等|这|为|“|\"|「|『|”|」)+$", "", before.rstrip())
    clause = re.split(f"[{STOP}]", before)[-1]
    several = clause.split("、")[-wanted:]
    # Other phrases in marks make it a list of phrases, of which this is one; marks around the whole are none of them.
    if any(re.search("[“”]", item) for item in several[1:]) or "”" in several[0]:
        return []
    items = _split(_LINK.sub("", clause), last_and=True)
    if len(items) < wanted:
        return []
    items = items[-wanted:]
    first = items[0]
    sizes = {len(item) for item in items[1:]}
    if len(sizes) == 1 and len(first) > (size := sizes.pop()):
        if len(first) - size not in word_starts(first):
            return []
        first = first[-size:]
    else:
        ends = [trigger.end() for trigger in shapes.triggers.finditer(first) if trigger.end() < len(first)]
        first = first[max(ends, default=0) :]
    items = [_bare(first), *items[1:]]
    return [] if any(_NO_PART.search(item) for item in items) else items


def _listed_after(after: str, wanted: int) -> list[str]:
    match = re.match(
        r"[”\"'’」』]*[^，。；\n：:]{0,8}[，,：:]?(?:即|就是|包括|分别是|分别为|是指|指的是|：|:)[“\"]?([^。；;\n]+)",
        after,
    )
    if match is None:
        return []
    listed = match[1]
    if "+" in listed or "＋" in listed:
        items = [_bare(re.split(r"[（(]", item)[0]) for item in re.split("[+＋]", listed)]
        items[-1] = re.split(r"[”\"]?机制|[”\"」，,]", items[-1])[0]
    else:
        items = _split(re.split(r"[”\"」]?[，,]", listed)[0], last_and=True)
    return [_bare(item) for item in items] if len(items) == wanted else []


def _as_core(body: str, wanted: int, core: str) -> list[str]:
    """以“干警认可、群众满意”为着力点."""
    match = re.search(rf"[“\"]([^”\"]+)[”\"]为{re.escape(core)}", body) if len(core) > 1 else None
    items = _split(match[1]) if match else []
    return items if len(items) > 1 and wanted in (1, len(items)) else []


def _sharing_core(after: str, wanted: int, core: str) -> list[str]:
    """三联 … 联建、联培、联用: a list of that many members soon after, each with the core's character."""
    if not core or wanted < 2:
        return []
    for match in re.finditer(rf"[{HAN}]{{2,12}}(?:、[{HAN}]{{2,8}}){{{wanted - 1}}}(?!、)", after):
        items = match[0].split("、")
        size = len(items[1])
        if max(0, len(items[0]) - size) not in word_starts(items[0]) or re.search("[的了和与]", match[0]):
            continue
        items[0], items[-1] = items[0][-size:], items[-1][:size]
        if (
            all(core[-1] in item or core[0] in item for item in items)
            and len({len(item) for item in items}) == 1
        ):
            return items
    return []


def _named_apart(quoted: Sequence[str], wanted: int, core: str, phrase: str) -> list[str]:
    """五个法治化 … “受理法治化” … “办理法治化”: that many other phrases of the text end with the core."""
    apart = list(
        dict.fromkeys(
            q for q in quoted if len(core) > 1 and q.endswith(core) and q != phrase and q[0] not in NUMERAL
        )
    )
    return apart if len(apart) == wanted else []


def _split(text: str, last_and: bool = False) -> list[str]:
    items = list(re.split("[、]", text))
    paired = any(re.search("[和与]", item) for item in items[1:-1])  # 甲与乙、丙与丁、戊与己 are three
    if (
        last_and
        and len(items) > 1
        and not paired
        and re.fullmatch(rf"[{HAN}]{{2,8}}{_AND}[{HAN}]{{2,8}}", items[-1])
    ):
        items[-1:] = re.split(_AND, items[-1], maxsplit=1)
    return [bare for item in items if (bare := _bare(item))]


def _bare(item: str) -> str:
    return re.sub(r"^[“”\"「」『』‘’'\s]+|[“”\"「」『』‘’'\s等]+$", "", item)
