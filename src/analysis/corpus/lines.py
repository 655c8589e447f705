"""Lines of a page (行): what each one is, and which of them belong together as one paragraph."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .. import codebooks, regions
from .clean import pair_quotes
from .trace import Traced, join
from .wrap import at_margin

#: Marks that close a paragraph wherever a line ends with them.
_CLOSED = re.compile(r"(?:[。！？!?；;：:…]|\.{3})[”’」』）)】\]》]*$|[—]{2}$")
_SENTENCE_INSIDE = re.compile(r"[。！？；，].")
_LONG = 45
#: How a report begins, but no headline.
_NO_TITLE = re.compile(
    r"(?:会议|会上|大会|全会)(?:还)?(?:指出|强调|要求|认为|提出)|(?:\d{4}年)?\d{1,2}月\d{1,2}日[上下，]|本报讯|据悉"
)
#: The first of two lines that tell in brackets when a regulation was passed.
_ADOPTED = re.compile(r"[（(]\s*\d{4}\s*年[^（）()]{6,60}$")
#: The number of a document on a line of its own.
_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,14}[〔\[【（(]\d{4}[〕\]】）)]\s?第?\s?\d{1,4}\s?号")
#: So many bare names of regions above a text are a list to choose from.
_CHOICES = 5
#: Roles that the value of a label may look like.
_VALUES = {"plain", "furniture", "meta"}
#: Roles of lines that are whole by themselves, and of lines that begin something.
_SINGLE = {"byline", "credit", "meta", "turned", "chapter", "salutation"}
_STARTING = {
    "byline", "credit", "meta", "bullet", "article", "chapter", "turn", "dateline", "salutation", "abstract",
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Line:
    """One line of a cleaned page.

    Attributes
    ----------
    text
        Without white space at its ends; lines broken at the margin are one.
    pieces
        Its spans in the cleaned text, one for each line that it stood on.
    gap
        Blank lines (and lines of furniture) before it.
    indent
        Whether it begins with the indent of a paragraph.
    role
        plain, furniture, turned (下转2版), continued (上接1版), meta, byline, credit, dateline, salutation,
        dash, bullet, numbered, enumerated, article, chapter, abstract or turn.
    cut
        Whether furniture stood between the line before and this one.
    closing
        Whether it was furniture that stands below an article: its neighbours, related ones, its editor.
    """

    text: str
    pieces: tuple[tuple[int, int], ...]
    gap: int
    indent: bool
    role: str
    cut: bool = False
    closing: bool = False
    #: Whether a paragraph can end here; whether it reads as running text; whether it is short as a title is.
    closed: bool = field(init=False)
    prose: bool = field(init=False)
    _short: bool = field(init=False)

    def __post_init__(self) -> None:
        text = self.text
        self.closed = bool(_CLOSED.search(text))
        self.prose = self.closed or len(text) > _LONG or bool(_SENTENCE_INSIDE.search(text))
        self._short = (
            2 <= len(text) <= (120 if "关于" in text else 60)
            and "。" not in text
            and text[-1] not in "，、；：,;:"
            and (len(text) <= _LONG or " " in text or "关于" in text)
            and text.count("，") <= (2 if len(text) <= 30 else 1)
            and not _NO_TITLE.match(text)
            and not _unbalanced(text)
        )

    @property
    def headline(self) -> bool:
        """Whether it could be (part of) a title: short, no full stop, no item of a list."""
        return self._short and self.role in {"plain", "dash"}


@dataclass(slots=True)
class _Raw:
    """A line as it stands on the page: its text and span without white space at its ends."""

    text: str
    start: int
    end: int
    gap: int
    indent: bool


def read_lines(text: Traced) -> list[Line]:
    """The lines that say something; furniture is left out, lines broken at the margin are put together."""
    raw = _raw_lines(text.value)
    repeated = _repeated(raw)
    lines: list[Line] = []
    gap = 0
    cut = closing = False
    for part in _with_values(_unwrap(raw, text)):
        said = _glued([piece.text for piece in part])
        role = role_of(said)
        if role == "furniture" or (role == "plain" and said in repeated):
            gap += part[0].gap + 1
            cut = True
            closing = closing or bool(_patterns()["closing"].match(said))
            continue
        spans = tuple((piece.start, piece.end) for piece in part)
        lines.append(Line(said, spans, gap + part[0].gap, part[0].indent, role, cut, closing))
        gap, cut, closing = 0, False, False
    return lines


def _raw_lines(value: str) -> list[_Raw]:
    lines: list[_Raw] = []
    gap = 0
    for start, end in _spans(value):
        line = value[start:end]
        text = line.strip()
        if not text:
            gap += 1
            continue
        lead = start + len(line) - len(line.lstrip())
        lines.append(_Raw(text, lead, lead + len(text), gap, line.startswith(("\u3000", "  "))))
        gap = 0
    return _without_choices(_without_crumbs(lines))


def _unwrap(lines: list[_Raw], text: Traced) -> list[list[_Raw]]:
    """Lines that belong together because the one before was broken at the margin."""
    spans = [(line.start - 2 * line.indent, line.end) for line in lines]
    received = [float(text.origin[end - 1] - text.origin[start] + 1) for start, end in spans]
    full = at_margin([text.value[start:end] for start, end in spans], received)
    indented = sum(line.indent for line in lines) >= 3
    parts: list[list[_Raw]] = []
    for i, line in enumerate(lines):
        goes_on = i > 0 and full[i - 1] and line.gap == 0 and not (indented and line.indent)
        if i > 0 and line.gap == 0 and _ADOPTED.match(lines[i - 1].text) and line.text[-1] in ")）":
            parts[-1].append(line)  # (某年某月某日某省人民代表大会 / 常务委员会第几次会议通过)
            continue
        if goes_on and _CLOSED.search(lines[i - 1].text) and not full[i] and not _CLOSED.search(line.text):
            goes_on = False  # the last line of a paragraph ends a sentence; a headline does not
        if goes_on and not _starts(line.text, lines[i - 1].text):
            parts[-1].append(line)
        else:
            parts.append([line])
    return parts


def _starts(text: str, before: str) -> bool:
    """Whether a line begins something new although the one before reached the margin."""
    if _NUMBER.fullmatch(text):
        return True
    role = role_of(text)
    if role in {"numbered", "enumerated", "dash"}:
        return bool(_CLOSED.search(before))
    return role not in {"plain", "furniture"} or (role == "furniture" and bool(_CLOSED.search(before)))


def _with_values(parts: list[list[_Raw]]) -> list[list[_Raw]]:
    """Labels put together with what they label where that stands on the next line."""
    whole: list[list[_Raw]] = []
    for part in parts:
        label = whole[-1] if whole else None
        if label and len(label) == 1 and label[0].text[-1] in "：:" and part[0].gap <= 2 and len(part) == 1:
            value = part[0].text
            labelled = re.match(r"[•·●\-*]?\s*[\u4e00-\u9fff]{2,6}\s*：", value)
            if (
                role_of(label[0].text) == "meta"
                and len(value) <= 40
                and not labelled
                and role_of(value) in _VALUES
            ):
                label.append(part[0])
                continue
        whole.append(list(part))
    return whole


def _without_crumbs(lines: list[_Raw]) -> list[_Raw]:
    """Without a path of which every step stands on a line of its own (首页, >, 政务公开, >, …)."""
    arrows = {">", "＞", "›", "»", ">>"}
    beside = [
        len(line.text) <= 24
        and ((i > 0 and lines[i - 1].text in arrows) or (i + 1 < len(lines) and lines[i + 1].text in arrows))
        for i, line in enumerate(lines)
    ]
    return [line for line, step in zip(lines, beside, strict=True) if not step and line.text not in arrows]


def _without_choices(lines: list[_Raw]) -> list[_Raw]:
    """Without the names that a page offers for choice above its text: 省份, 甲省, 乙省, …, one a line."""
    table = regions.load()
    chosen: list[int] = []
    for at, line in enumerate(lines):
        if len(line.text) > _LONG or "。" in line.text:
            break
        if len(line.text) <= 12 and (table.named(line.text) or table.called(line.text)):
            chosen.append(at)
    if len(chosen) < _CHOICES:
        return lines
    labels = {at for at in range(chosen[0]) if lines[at].text in {"省份", "城市", "区县", "地区", "全国"}}
    return [line for at, line in enumerate(lines) if at not in labels.union(chosen)]


def _repeated(lines: Sequence[_Raw]) -> set[str]:
    """Short lines that a page says three times or more: the names of its parts, not its text.

    Above the text a page may say its title over and over.
    """
    counts = Counter(line.text for line in lines if 2 <= len(line.text) <= 20)
    head = itertools.takewhile(lambda line: len(line.text) <= _LONG and "。" not in line.text, lines)
    above = Counter(line.text for line in head if len(line.text) >= 8)
    return {
        line
        for line, n in counts.items()
        if n >= 3 and n > above[line] and re.fullmatch(r"[\u4e00-\u9fffA-Za-z·、\s]+", line)
    }


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


def masthead(value: str) -> str:
    """The masthead of a newspaper page, which the text is without: it tells where the paper is printed."""
    pattern = _patterns()["masthead"]
    found = [
        line.strip()
        for line in (value[:1500] + "\n" + value[-800:]).split("\n")
        if pattern.fullmatch(line.strip())
    ]
    return " ".join(found)[:400]


def is_open(text: str) -> bool:
    """Whether a paragraph stops in mid-sentence."""
    said = len(text) > _LONG or _SENTENCE_INSIDE.search(text)
    return bool(said) and not _CLOSED.search(text)


def paragraphs(lines: Sequence[Line], text: Traced) -> list[Traced]:
    """Join the lines of one article into its paragraphs, across blank lines that columns left."""
    found: list[list[Line]] = []
    for line in lines:
        if found and _continues(found[-1], line):
            found[-1].append(line)
        else:
            found.append([line])
    return [_paragraph([span for line in part for span in line.pieces], text) for part in found]


def _paragraph(spans: Sequence[tuple[int, int]], text: Traced) -> Traced:
    pieces = [text[start:end] for start, end in spans]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = join((whole, piece), _glue(whole.value, piece.value))
    return pair_quotes(Traced(whole.value.replace("\u3000", " "), whole.origin))


def _continues(part: Sequence[Line], line: Line) -> bool:
    """Whether a line goes on with the paragraph before it: that one stops in mid-sentence, this one starts nothing."""
    last = part[-1]
    if last.role in _SINGLE or line.role in _STARTING or last.closed:
        return False
    said = "".join(p.text for p in part)
    if last.text[-1] in "，、,（(“‘《":
        return True
    if last.role == "numbered" and len(part) == 1 and len(last.text) <= _LONG and not _unbalanced(last.text):
        return False  # the heading of a section
    if last.role == "abstract" and len(last.text) <= 80:
        return False  # key words
    if line.role in {"numbered", "dash"}:
        return False
    if _unbalanced(said):
        return True
    return line.role != "enumerated" and is_open(said)


def _unbalanced(text: str) -> bool:
    """Whether a quotation or a pair of brackets is still open."""
    return any(text.count(a) > text.count(b) for a, b in ("“”", "《》", "（）"))


def _glue(before: str, after: str) -> str:
    """A space where a line break stood between Latin words, nothing between Chinese."""
    latin = before[-1:].isascii() and before[-1:].isalpha() and after[:1].isascii() and after[:1].isalpha()
    return " " if latin else ""


def _glued(texts: Sequence[str]) -> str:
    whole = texts[0]
    for text in texts[1:]:
        whole += _glue(whole, text) + text
    return whole


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
        "closing": re.compile(
            "|".join(furniture["line"][name] for name in ("neighbour", "related", "colophon"))
        ),
        "marks": re.compile(f"(?:{furniture['turned']})|(?:{furniture['continued']})"),
        "short": re.compile("|".join(f"(?P<{name}>{p})" for name, p in short.items())),
        "opening": re.compile(
            "|".join(f"(?P<{name.replace('dash_item', 'dash')}>{p})" for name, p in opening.items())
        ),
        "masthead": re.compile(furniture["line"]["masthead"]),
        # A line of a regulation is text whatever it speaks of.
        "law": re.compile(f"{layout['article']}|{layout['chapter']}"),
    }
