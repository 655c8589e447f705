"""What a document carries on (承前): where it stands in time, and what a sentence leaves to the next."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from . import changes, dates, naming
from .dates import Reference, When
from .view import view

HEADING = re.compile(
    r"^(?:[一二三四五六七八九十]{1,3}、|\([一二三四五六七八九十]{1,3}\)|\d{1,2}[.、]|第[一二三四五六七八九十]+[,、章节部])"
)
EARLIER = re.compile(r"上月|上个月|上季度|上周|上期|上年|去年|前年|(?:19|20)\d\d年.{0,6}同期|同期")
_OPENING = 8
_LENGTH = 40


@dataclass(slots=True)
class Carry:
    """What a sentence leaves to the next one."""

    when: When | None = None
    subject: str | None = None
    reference: Reference = field(default_factory=Reference)
    target: bool = False
    target_rank: int = 0
    group: int = 0


def reference_of(title: str | None, published: dt.date | None, text: str, whens: Sequence[When]) -> Reference:
    """Where the document stands: the period of its title, else the one that opens one of its first paragraphs."""
    reference = Reference(published=published)
    opening = [when for when in whens[:8] if _opens(text, when)]
    for when in [*(dates.find(view(title).text) if title else []), *opening]:
        if when.year is None:
            continue
        start, end = when.resolve(reference)
        if start and end and (end - start).days > 5:
            return Reference(published, when.year, (start, end))
        if reference.year is None:
            reference = replace(reference, year=when.year)
    return reference


def read_heading(words: str, carry: Carry) -> None:
    """A heading of plans makes what follows targets, until a heading of its own rank or a higher one says otherwise."""
    rank = _rank(words)
    if len(words) >= _LENGTH:
        # A numbered paragraph: its opening words are its heading, but rules no deeper than the section above.
        words = re.split("[。,;]", words, maxsplit=1)[0]
    planned = naming.target("heading", words) and not naming.target("past", words)
    if planned and not carry.target:
        carry.target, carry.target_rank = rank < 9, rank
    elif carry.target and rank <= carry.target_rank:
        carry.target = planned


def in_base(text: str, when: When, start: int = 0) -> bool:
    """Whether a date belongs to a base (比2022年) and says nothing of a number's own period."""
    begin = max(start, when.start - 3)
    base = changes.find_base(text[begin : when.end + 4])
    return base is not None and begin + base.start <= when.start < begin + base.end


def remember(text: str, times: Sequence[When], carry: Carry) -> None:
    """The last period that a sentence named holds on; bases, goals and single days inside a period do not."""
    for when in times:
        if (
            when.text.endswith("同期")
            or when.is_future_goal
            or EARLIER.match(when.text)
            or "dmy" in when.parts
            or when.text == "年末"
            or in_base(text, when)
        ):
            continue
        if (
            "d1" in when.parts
            and carry.when is not None
            and "d1" not in carry.when.parts
            and not when.parts.get("lead")
        ):
            continue
        carry.when = when
        if when.year is not None and carry.reference.year is None and "以来" not in when.text:
            carry.reference = replace(carry.reference, year=when.year)


def announce(text: str, times: Sequence[When], carry: Carry) -> None:
    """Keep the weeks, months and quarters that a sentence names for the 本周, 上月, 本季度 in it and after it."""
    for when in times:
        if not (
            when.text.endswith("同期")
            or when.is_future_goal
            or EARLIER.match(when.text)
            or in_base(text, when)
        ):
            _name(when, carry)


def _name(when: When, carry: Carry) -> None:
    parts = when.parts
    grain = "周" if "week" in parts else "季" if "q" in parts else "月" if "m" in parts else None
    start, end = when.resolve(carry.reference)
    if start is None or end is None:
        return
    if "d2" in parts and (end - start).days == 6:
        grain = "周"
    if grain and start < end:
        named = dict(carry.reference.named) | {grain: (start, end)}
        carry.reference = replace(carry.reference, named=tuple(named.items()))


def _opens(text: str, when: When) -> bool:
    """Whether a date stands at the beginning of one of the first paragraphs (numbering and a name before it at most)."""
    line = text.rfind("\n", 0, when.start) + 1
    return (
        when.start - line <= 40
        and "。" not in text[line : when.start]
        and text.count("\n", 0, line) < _OPENING
        and "以来" not in when.text
    )


def _rank(words: str) -> int:
    """1 for 一、, 2 for (一), 3 for 1. and 第一, 9 for a line without a number."""
    if re.match(r"[一二三四五六七八九十]{1,3}、|第[一二三四五六七八九十]+[章节部]", words):
        return 1
    if re.match(r"\([一二三四五六七八九十]{1,3}\)", words):
        return 2
    return 3 if re.match(r"\d{1,2}[.、](?!\d)|\(\d{1,2}\)|第[一二三四五六七八九十]+,", words) else 9
