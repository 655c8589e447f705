"""The words around each number of a sentence (分句): what stands before it, after it, and between it and its neighbours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import changes, naming
from .numbers import Quantity

_BOUNDARY = re.compile(r"[,;:。!?\n()]|[-~]{2,}")
_LIST = re.compile(r"^(?:、|,|;|和|及|以及|与|或)$")
_DIMENSION = re.compile(r"^(?:总?(?:面积|长度?|宽度?|高度?|深度?|投资|建筑面积|占地)|约|共|近)+$")
_BRACKET = re.compile(r"\([^()\n]{0,60}\)")
_REACH = 120  # characters before and after a number that the grammar looks at: what keeps it linear
_BRACKETED = 60
_FINAL = re.compile(r"[。!?\n]")


@dataclass(slots=True)
class Frame:
    """A quantity with its words.

    Attributes
    ----------
    quantity
        The number.
    left_start, left
        Words of its clause before it; dates and brackets without numbers are blanked in ``left`` (same length).
    raw
        The same words, nothing blanked.
    lead
        Clauses without a number that stand before (与上月相比,).
    right, right_end
        Words after it that belong to it.
    between
        Text since the number before (blanked); the whole beginning of the sentence for the first.
    bracketed
        Inside a bracket that follows another number.
    chained
        Follows the number before it without a word between (438批1163人次).
    """

    quantity: Quantity
    left_start: int
    left: str
    raw: str
    lead: str
    right: str
    right_end: int
    between: str
    bracketed: bool
    chained: bool


def sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Sentence spans of a paragraph; a mark inside quotation stays with its sentence only when nothing follows it."""
    spans = []
    at = start
    for match in _FINAL.finditer(text, start, end):
        if match.end() > at:
            spans.append((at, match.end()))
        at = match.end()
    if at < end:
        spans.append((at, end))
    return spans


def blank(text: str, quantities: Sequence[Quantity], dates: Sequence[tuple[int, int]]) -> str:
    """The text with dates and number-free brackets filled, so that words around them read on."""
    chars = list(text)
    numbered = [q.start for q in quantities]
    for match in _BRACKET.finditer(text):
        if not any(match.start() < n < match.end() for n in _within(numbered, match.start(), match.end())):
            chars[match.start() : match.end()] = "\x00" * (match.end() - match.start())
    for start, end in dates:
        chars[start:end] = "\x01" * (end - start)
    return "".join(chars)


def _within(sorted_starts: list[int], start: int, end: int) -> list[int]:
    import bisect

    return sorted_starts[bisect.bisect_left(sorted_starts, start) : bisect.bisect_right(sorted_starts, end)]


def frames(text: str, blanked: str, start: int, end: int, quantities: Sequence[Quantity]) -> list[Frame]:
    """The frames of one sentence ``text[start:end]``."""
    out: list[Frame] = []
    for k, quantity in enumerate(quantities):
        previous = quantities[k - 1].end if k else start
        between = blanked[previous : quantity.start]
        cut = _last_boundary(between)
        lead = between[: max(cut, 0)]
        left_start = previous + cut + 1
        if cut < 0 and k:
            # No clause mark: a list mark or the grammar decides how much belongs to the number before.
            stop = quantities[k + 1].start if k + 1 < len(quantities) else end
            left_start = previous + _divide(between, blanked, quantity, stop, naming.names(out[-1].left))
        elif cut >= 0 and not naming.plain(between[cut + 1 :]) and between[cut] == ":":
            # 满意率:98%
            earlier = _last_boundary(between[:cut])
            left_start = previous + earlier + 1
            lead = between[: max(earlier, 0)]
        left_start = max(left_start, quantity.start - _REACH)
        left = blanked[left_start : quantity.start].rstrip(":") if left_start < quantity.start else ""
        bracketed = _bracketed(blanked, start, quantity.start)
        out.append(
            Frame(
                quantity,
                left_start,
                left,
                text[left_start : quantity.start],
                lead[-2 * _REACH :],
                "",
                quantity.end,
                between,
                bracketed,
                bool(k) and quantity.start == previous and not bracketed,
            )
        )
    for k, frame in enumerate(out):
        stop = out[k + 1].left_start if k + 1 < len(out) else end
        tail = blanked[frame.quantity.end : min(max(stop, frame.quantity.end), frame.quantity.end + _REACH)]
        mark = _BOUNDARY.search(tail)
        if mark:
            tail = tail[: mark.start()]
        elif k + 1 < len(out):
            tail = tail.rstrip("、和及与")
        tail = tail.removeprefix("、")
        frame.right = naming.right(tail)
        frame.right_end = frame.quantity.end + (len(tail.rstrip()) if frame.right else 0)
    return out


def _last_boundary(between: str) -> int:
    last = -1
    skipped = max(0, len(between) - 2 * _REACH)
    for match in _BOUNDARY.finditer(between, skipped):
        last = match.end() - 1
    return last if last >= 0 or not skipped else skipped


def _divide(between: str, blanked: str, quantity: Quantity, stop: int, named: bool) -> int:
    """How many characters between two numbers of one clause belong to the first."""
    words = naming.plain(between)
    if not words or _LIST.match(words) or between[:1] in "、和及与并":
        return 0
    if changes.read(between, quantity.unit, None) or changes.share(between) or _DIMENSION.match(words):
        return 0
    mark = max(between.rfind("、"), between.rfind("并"))
    if mark > 0:
        return mark + 1
    after = blanked[quantity.end : min(stop, quantity.end + _REACH)]
    boundary = _BOUNDARY.search(after)
    after = after[: boundary.start()] if boundary else after
    head = naming.plain(between)
    if not naming.right(after) or after.startswith("、"):
        # 12个项目完成投资3亿元: the first has no words of its own, so it takes those up to the verb.
        return 0 if named else naming.first_verb(between)
    # Both could own the words: a verb at their beginning opens the second number's own phrase.
    return 0 if naming.trailing_verb(head) == head else len(between)


def _bracketed(blanked: str, start: int, position: int) -> bool:
    start = max(start, position - _BRACKETED)
    opening = blanked.rfind("(", start, position)
    return opening > blanked.rfind(")", start, position) and opening > start


def runs(found: Sequence[Frame]) -> list[tuple[int, int]]:
    """Index ranges of numbers joined by list marks alone (32.9%、482%和95.5%), two or more."""
    out = []
    k = 0
    while k < len(found):
        stop = k + 1
        while (
            stop < len(found) and _LIST.match(naming.plain(found[stop].between)) and not found[stop].bracketed
        ):
            if found[stop].between.strip() in ",;" and not _spread(found[k]):
                break
            stop += 1
        if stop - k >= 2:
            out.append((k, stop))
        k = stop
    return out


def _spread(frame: Frame) -> bool:
    return "分别" in frame.left or "依次" in frame.left
