"""Cleaning (清洗): each step is a function from traced text to traced text.

The steps of :func:`clean` mend characters and need no idea of the page; what is furniture or a broken line is
decided on lines, in :mod:`~analysis.corpus.lines`.
"""

from __future__ import annotations

import functools
import html as entities
import re
from dataclasses import dataclass

from .. import codebooks
from .script import repair_shifted, simplify, strip_pinyin
from .trace import Edit, Traced

_HAN = r"\u3400-\u9fff\uf900-\ufaff"
_INVISIBLE = re.compile(r"\r\n?|[\u200b-\u200f\u2028-\u202e\u2060\ufeff\u00ad\x00-\x08\x0b-\x1f\x7f]|\ufe0f")
# Indents that a wrong decoding left as question marks.
_LOST_INDENT = re.compile(rf"(?m)^[?？ ]*[?？]{{2,}}[?？ ]*(?=[{_HAN}（“])")
# References such as &ldquo;, also where the ampersand was lost.
_ENTITY = re.compile(
    r"(?:&|\?)(?:(?:l|r)[ds]quo|mdash|ndash|hellip|middot|nbsp|amp|lt|gt|quot|emsp|ensp|times);|&#(?:x[0-9a-fA-F]{2,5}|\d{2,6});"
)
_ODD = {
    **dict.fromkeys(map(ord, "\t\u00a0\u2002\u2003\u2009\u202f"), " "),
    **dict.fromkeys(map(ord, "\x0c\u2028\u2029"), "\n"),
}
_HAS_ODD = re.compile("[" + "".join(map(chr, _ODD)) + "]")
_WIDE = {
    **{ord("０") + i: chr(ord("0") + i) for i in range(10)},
    **{ord("Ａ") + i: chr(ord("A") + i) for i in range(26)},
    **{ord("ａ") + i: chr(ord("a") + i) for i in range(26)},
    ord("％"): "%",
    ord("＋"): "+",
    ord("＝"): "=",
    ord("／"): "/",
    ord("－"): "-",
    ord("｡"): "。",
    ord("､"): "、",
    ord("﹪"): "%",
    ord("﹐"): "，",
    ord("﹔"): "；",
    ord("﹕"): "：",
}
_HAS_WIDE = re.compile("[" + "".join(map(chr, _WIDE)) + "]")
_FULL = {",": "，", ";": "；", ":": "：", "!": "！", "?": "？", "(": "（", ")": "）"}
_NEAR = rf"[{_HAN}，。；：、！？（）《》“”‘’%…—]"
_HALF = re.compile("[,;:!?]")
_PUNCTUATION = re.compile(
    rf"(?<={_NEAR})\s?[,;:!?](?!\d{{3}}\b)|(?<=\d)[,;:](?=\s?[{_HAN}“《（])|[,;:!?](?={_NEAR})"
)
_STOP = re.compile(rf"(?<=[{_HAN}”）])\.(?=[{_HAN}]|$)", re.MULTILINE)
_POINT = re.compile(r"(?<=\d)[．·](?=\d)")
_PARENTHESES = re.compile(rf"(?<=[{_HAN}])\([^()\n]*\)|\([^()\n]*[{_HAN}][^()\n]*\)|\([^()\n]*\)(?=[{_HAN}])")
_DOUBLED = re.compile(
    r"([，、；：])\1+|[，、；：](?=[。！？；])|(?<=[。！？])[，、；]+|。(?=。)(?<![。.]{2})(?!。。)|(?<=[，；：、])[，、]+"
)
_SPACE_AFTER_MARK = re.compile(rf"(?<=[，。；：、！？]) +(?=[{_HAN}“《])")
_RUN_OF_SPACES = re.compile(r"(?<=\S)[ \u3000]{2,}(?=\S)")
_MARKDOWN = re.compile(r"(?m)^\s{0,3}#{1,6}\s+|^\s{0,3}>\s+|^\s{0,3}(?:[-*_]\s*){3,}$")
# Bold marks come in pairs and open after white space or a mark; the stars of a mask follow a character.
_BOLD = re.compile(
    r"(?m)(?:^|(?<=[\s，。；：、（“]))(\*\*)(?=\S)[^*\n]+(\*\*)(?=[\s，。；：、）”]|$|[\u4e00-\u9fff])"
)


@dataclass(frozen=True)
class Cleaned:
    """A cleaned source: its text and the script it came in (简 or 繁)."""

    text: Traced
    script: str


def clean(text: Traced, *, markdown: bool = False) -> Cleaned:
    """All steps on the text of one source, in order."""
    text = drop_invisible(text)
    text = repair_shifted(text)
    text = strip_pinyin(text)
    text, script = simplify(text)
    if markdown:
        text = strip_markdown(text)
    text = fold_widths(text)
    text = drop_inline_furniture(text)
    text = single_punctuation(text)
    return Cleaned(text, script)


def drop_invisible(text: Traced) -> Traced:
    """Line ends become one character, invisible characters go, odd spaces become plain ones, references characters.

    The ideographic space stays: it is the indent that tells paragraphs.
    """
    text = text.translate(_ODD) if _HAS_ODD.search(text.value) else text
    text = text.sub(_INVISIBLE, lambda m: "\n" if m[0][0] == "\r" else "").sub(_LOST_INDENT)
    return text.sub(_ENTITY, lambda m: entities.unescape("&" + m[0][1:]).replace("\xa0", " "))


def fold_widths(text: Traced) -> Traced:
    """Full-width digits and letters become half-width, punctuation among Chinese full-width.

    Marks inside numbers (3,214 and 10:30) and among Latin letters stay.
    """
    value = text.value.translate(_WIDE) if _HAS_WIDE.search(text.value) else text.value
    # A plain search for the marks is many times faster than a pattern that looks around them.
    if "(" in value:
        value = _PARENTHESES.sub(lambda m: f"（{m[0][1:-1]}）", value)
    if _HALF.search(value):
        value = _PUNCTUATION.sub(lambda m: m[0][:-1] + _FULL[m[0][-1]], value)
    if "." in value:
        value = _STOP.sub("。", value)
    value = _POINT.sub(lambda m: "." if m[0] == "．" else m[0], value)
    return Traced(value, text.origin)


def single_punctuation(text: Traced) -> Traced:
    """Doubled marks become one (，， and ，。), runs of spaces one space, and none behind a full-width mark."""
    return text.sub(_DOUBLED, lambda m: m[1] or "").sub(_SPACE_AFTER_MARK).sub(_RUN_OF_SPACES, " ")


def strip_markdown(text: Traced) -> Traced:
    """Heading marks and bold marks go; masks such as 李** stay, because a mask follows a character."""
    text = text.sub(_MARKDOWN)
    marks = [m.span(g) for m in _BOLD.finditer(text.value) for g in (1, 2)]
    return text.edit([Edit(*span) for span in marks])


def drop_inline_furniture(text: Traced) -> Traced:
    """Advertisements, share bars, links and counters in mid-sentence go (furniture.yml, ``inline``)."""
    pattern = _inline()
    edits = [Edit(m.start(), m.end()) for m in pattern.finditer(text.value)]
    return text.edit(edits)


def pair_quotes(text: Traced) -> Traced:
    """Straight quotation marks of one paragraph become opening and closing ones, where they come in pairs."""
    if text.value.count('"') % 2 or '"' not in text.value:
        return text
    marks = iter("“”" * (text.value.count('"') // 2))
    return Traced("".join(next(marks) if c == '"' else c for c in text.value), text.origin)


@functools.cache
def _inline() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in codebooks.load("furniture")["inline"].values()))
