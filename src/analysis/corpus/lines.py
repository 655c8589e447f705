"""Lines of a page (行): what each one is, and which of them belong together as one paragraph."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .. import codebooks
from .clean import pair_quotes
from .trace import Traced, join

#: Marks that close a paragraph wherever a line ends with them.
_CLOSED = re.compile(r"(?:[。！？!?；;：:…]|\.{3})[”’」』）)】\]》]*$|[—]{2}$")
_INNER = re.compile(r"[，。；！？、：]")
_SENTENCE_INSIDE = re.compile(r"[。！？；，].")
_LONG = 45
_INDENT = {ord("\u3000"): " "}


@dataclass(slots=True, eq=False)
class Line:
    """One line of a cleaned page.

    Attributes
    ----------
    text
        Without white space at its ends.
    start, end
        Its span in the cleaned text.
    gap
        Blank lines (and lines of furniture) before it.
    indent
        Whether it begins with the indent of a paragraph.
    role
        plain, furniture, turned (下转2版), continued (上接1版), meta, byline, credit, dateline, salutation,
        dash, bullet, numbered, enumerated, article, chapter, abstract or turn.
    cut
        Whether furniture stood between the line before and this one.
    """

    text: str
    start: int
    end: int
    gap: int
    indent: bool
    role: str
    cut: bool = False

    @property
    def prose(self) -> bool:
        """Whether it reads as running text, not as a headline."""
        return len(self.text) > _LONG or bool(_SENTENCE_INSIDE.search(self.text)) or self.closed

    @property
    def closed(self) -> bool:
        """Whether a paragraph can end here."""
        return bool(_CLOSED.search(self.text))

    @property
    def headline(self) -> bool:
        """Whether it could be (part of) a title: short, no full stop, no item of a list."""
        text = self.text
        return (
            self.role in {"plain", "dash"}
            and 2 <= len(text) <= (120 if "关于" in text else 60)
            and "。" not in text
            and text[-1] not in "，、；：,;:"
            and (len(text) <= _LONG or " " in text or "关于" in text)
            and not _unbalanced(text)
        )


def read_lines(text: Traced) -> list[Line]:
    """The lines that say something; furniture is left out."""
    lines: list[Line] = []
    gap = 0
    cut = False
    spans = list(_spans(text.value))
    repeated = _repeated(text.value)
    for at, (start, end) in enumerate(spans):
        raw = text.value[start:end]
        stripped = raw.strip()
        if not stripped:
            gap += 1
            continue
        role = role_of(stripped)
        if (
            role == "meta"
            and stripped[-1] in "：:"
            and (below := _value_below(text.value, spans, at)) is not None
        ):
            # The label stands on one line, what it labels on the next.
            end = spans[below][1]
            raw = text.value[start:end]
            stripped = re.sub(r"\s*\n\s*", "", raw.strip())
            spans[below] = (end, end)
        if role == "furniture" or (
            role == "plain" and (stripped in repeated or _crumb(text.value, spans, at))
        ):
            gap += 1
            cut = True
            continue
        lead = len(raw) - len(raw.lstrip())
        indent = raw.startswith(("\u3000", "  "))
        lines.append(Line(stripped, start + lead, start + lead + len(stripped), gap, indent, role, cut))
        gap, cut = 0, False
    return lines


def _value_below(value: str, spans: Sequence[tuple[int, int]], at: int) -> int | None:
    """The line that holds the value of a label, where it is the next one."""
    for below in range(at + 1, min(at + 4, len(spans))):
        found = value[slice(*spans[below])].strip()
        if found:
            return below if len(found) <= 40 and role_of(found) in {"plain", "furniture"} else None
    return None


def _repeated(value: str) -> set[str]:
    """Short lines that a page says three times or more: the names of its parts, not its text."""
    counts = Counter(line.strip() for line in value.split("\n") if 2 <= len(line.strip()) <= 20)
    return {
        line for line, n in counts.items() if n >= 3 and re.fullmatch(r"[\u4e00-\u9fffA-Za-z·、\s]+", line)
    }


def _crumb(value: str, spans: Sequence[tuple[int, int]], at: int) -> bool:
    """Whether a line is one step of a path of which every step stands on a line of its own."""
    beside = [value[slice(*spans[i])].strip() for i in (at - 1, at + 1) if 0 <= i < len(spans)]
    return any(mark in {">", "＞", "›", "»", ">>"} for mark in beside) and spans[at][1] - spans[at][0] <= 24


def role_of(text: str) -> str:
    """What a line is, by its form alone."""
    patterns = _patterns()
    if len(text) <= 160:
        if patterns["furniture"].fullmatch(text) and not patterns["law"].match(text):
            return "furniture"
        match = patterns["short"].fullmatch(text) or patterns["opening"].match(text)
    else:
        match = patterns["opening"].match(text)
    if match is None:
        return "plain"
    role = match.lastgroup or "plain"
    if role == "turn" and len(text) <= 4:
        return "plain"
    return role


def is_open(text: str) -> bool:
    """Whether a paragraph stops in mid-sentence."""
    said = len(text) > _LONG or _SENTENCE_INSIDE.search(text)
    return bool(said) and not _CLOSED.search(text)


def paragraphs(lines: Sequence[Line], text: Traced, width: int | None) -> list[Traced]:
    """Join the lines of one article into its paragraphs, across blank lines that columns left."""
    found: list[list[Line]] = []
    for line in lines:
        if found and _continues(found[-1], line, width):
            found[-1].append(line)
        else:
            found.append([line])
    whole = (join((text[p.start : p.end] for p in part), _glue(part)) for part in found)
    return [pair_quotes(p.translate(_INDENT)) for p in whole]


def wrap_width(lines: Iterable[Line]) -> int | None:
    """The width at which a page's lines were broken, where they were.

    Broken pages have most lines of one length; a page of whole paragraphs has lines of all lengths.
    """
    lengths = [len(line.text) for line in lines if line.role != "meta"]
    if len(lengths) < 6:
        return None
    common = Counter(length for length in lengths if 10 <= length <= 60)
    if not common:
        return None
    width = max(common, key=lambda w: common[w] + common[w - 1] + common[w + 1])
    near = sum(common[w] for w in (width - 2, width - 1, width, width + 1))
    longer = sum(length > width + 3 for length in lengths)
    return width if near >= 0.35 * len(lengths) and longer <= 0.15 * len(lengths) else None


def _continues(part: Sequence[Line], line: Line, width: int | None) -> bool:
    """Whether a line goes on with the paragraph before it."""
    last = part[-1]
    if last.role in {"byline", "credit", "meta", "turned", "chapter", "salutation"}:
        return False
    if line.role in {
        "byline",
        "credit",
        "meta",
        "bullet",
        "article",
        "chapter",
        "turn",
        "dateline",
        "salutation",
        "abstract",
    }:
        return False
    full = width is not None and len(last.text) >= width - 2
    if line.indent and not last.indent and len(part) > 1 and last.closed:
        return False
    said = "".join(p.text for p in part)
    if last.closed:
        # In a page of broken lines a sentence may end exactly at the margin.
        return (
            full and not line.indent and line.gap == 0 and last.text[-1] not in "：:" and line.role == "plain"
        )
    if last.text[-1] in "，、,（(“‘《":
        return True
    if last.role == "numbered" and len(part) == 1 and len(last.text) <= _LONG and not _unbalanced(last.text):
        return full  # the heading of a section
    if last.role == "abstract" and len(last.text) <= 80:
        return False  # key words
    if line.role in {"numbered", "dash"} and not full:
        return False
    if line.role == "enumerated" and not (full or _unbalanced(said)):
        return False
    if _unbalanced(said):
        return True
    if full:
        return not (line.indent and line.gap)
    return len(said) > _LONG or bool(_SENTENCE_INSIDE.search(said))


def _unbalanced(text: str) -> bool:
    """Whether a quotation or a pair of brackets is still open."""
    return any(text.count(a) > text.count(b) for a, b in ("“”", "《》", "（）"))


def _glue(part: Sequence[Line]) -> str:
    """A space where a line break stood between Latin words, nothing between Chinese."""
    ends = part[0].text[-1:]
    return " " if len(part) > 1 and ends.isascii() and ends.isalpha() and part[1].text[0].isascii() else ""


def _spans(value: str) -> Iterable[tuple[int, int]]:
    """Spans of the lines; a 下转/上接 mark within a line is a line of its own."""
    marks = list(_patterns()["marks"].finditer(value))
    start = 0
    at = 0
    while start <= len(value):
        end = value.find("\n", start)
        end = len(value) if end < 0 else end
        while at < len(marks) and marks[at].start() < end:
            yield start, marks[at].start()
            yield marks[at].span()
            start = marks[at].end()
            at += 1
        yield start, end
        start = end + 1


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    furniture, layout = codebooks.load("furniture"), codebooks.load("layout")
    short = {
        "turned": furniture["turned"],
        "continued": furniture["continued"],
        "meta": r"[•·●\-*]?\s*(?:" + "|".join(layout["meta"].values()) + ").{0,120}",
        "credit": layout["credit"],
        "byline": "|".join(layout["byline"]),
        "salutation": layout["salutation"],
    }
    opening = {
        key: layout[key]
        for key in (
            "dateline",
            "article",
            "chapter",
            "bullet",
            "dash_item",
            "numbered",
            "enumerated",
            "abstract",
            "turn",
        )
    }
    return {
        "furniture": re.compile("|".join(f"(?:{p})" for p in furniture["line"].values()), re.DOTALL),
        "marks": re.compile(f"(?:{furniture['turned']})|(?:{furniture['continued']})"),
        "short": re.compile("|".join(f"(?P<{name}>{p})" for name, p in short.items())),
        "opening": re.compile(
            "|".join(f"(?P<{name.replace('dash_item', 'dash')}>{p})" for name, p in opening.items())
        ),
        # A line of a regulation is text whatever it speaks of.
        "law": re.compile(f"{layout['article']}|{layout['chapter']}"),
    }
