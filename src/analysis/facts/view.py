"""A working view of a body (工作文本): folded and without spaces, each character knowing its offset in the body.

Numbers in public texts are broken by spaces ("150.25 万件"), full-width digits and stray marks. The grammar reads this
view, the records carry offsets of the body as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Full-width forms and look-alikes; every one maps to a single character, so folding moves no offset.
_FOLD = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    ord(a): b
    for a, b in {
        "　": " ",
        " ": " ",
        "﹒": ".",
        "·": "·",
        "–": "-",
        "—": "-",
        "―": "-",
        "−": "-",
        "～": "~",
        "〜": "~",
        "「": "“",
        "」": "”",
        "『": "‘",
        "』": "’",
        "﹪": "%",
        "٪": "%",
        "〇": "零",
        "○": "零",
        "\t": " ",
        "\r": " ",
        "\x00": " ",
    }.items()
}
# 叁佰贰拾 as 三百二十, only where a formal ten or hundred marks the run: 陆 and 伍 are names otherwise.
_PLAIN = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千")
_FORMAL = re.compile(r"[壹贰叁肆伍陆柒捌玖万亿]{1,4}[拾佰仟][壹贰叁肆伍陆柒捌玖拾佰仟零万亿]{0,12}")
_SPACES = re.compile(r" +")
_WORD = re.compile(r"[0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class View:
    """Folded text without spaces between Chinese and digits.

    Attributes
    ----------
    text
        What the grammar reads.
    at
        ``at[i]`` is the offset in the body of ``text[i]``; one entry more marks the end.
    joined
        Positions in ``text`` where a space inside a number was closed (a doubtful reading).
    """

    text: str
    at: list[int]
    joined: frozenset[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the body of ``text[start:end]``."""
        return self.at[start], (self.at[end - 1] + 1 if end > start else self.at[start])


def view(body: str) -> View:
    """Fold the body and close its spaces.

    A space stays between two words of letters or digits, unless digits grouped in threes ("12 345 件") or spaced out
    one by one ("3 2 1 4 件") stand before a Chinese character: those are one number.
    """
    folded = _FORMAL.sub(lambda m: m[0].translate(_PLAIN), _pair_quotes(body.translate(_FOLD)))
    keep: list[int] = []
    joined = set()
    previous = 0
    for gap in _SPACES.finditer(folded):
        start, end = gap.span()
        keep.extend(range(previous, start))
        previous = end
        if not (start and end < len(folded) and _WORD.match(folded[start - 1]) and _WORD.match(folded[end])):
            continue
        if _one_number(folded, start, end):
            joined.add(len(keep))
        else:
            keep.append(start)
    keep.extend(range(previous, len(folded)))
    return View("".join([folded[k] for k in keep]), [*keep, len(body)], frozenset(joined))


def _pair_quotes(text: str) -> str:
    """Straight quotation marks as opening and closing ones, in turn within each paragraph."""
    if '"' not in text and "'" not in text:
        return text
    lines = text.split("\n")
    for k, line in enumerate(lines):
        for mark, pair in (('"', "“”"), ("'", "‘’")):
            if mark in line:
                pieces = line.split(mark)
                line = pieces[0] + "".join(pair[i % 2] + piece for i, piece in enumerate(pieces[1:]))
        lines[k] = line
    return "\n".join(lines)


_BEFORE = re.compile(r"(?<![0-9A-Za-z.])(?:\d{1,3}(?: \d{3})*|\d(?: \d)*)(?: ?\. ?\d(?: \d)*)?$")
_AFTER = re.compile(r"(?:\d{3}(?: \d{3})*|\d(?: \d)*)(?: ?\. ?\d(?: ?\d)*)?(?: ?[一-鿿%])")
_REACH = 24


def _one_number(text: str, start: int, end: int) -> bool:
    """Whether the space between two digit groups lies inside one number."""
    left = _BEFORE.search(text[max(0, start - _REACH) : start])
    right = _AFTER.match(text[end : end + _REACH])
    if not left or not right:
        return False
    before = text[: start - len(left[0])] if start <= _REACH else text[start - _REACH : start - len(left[0])]
    # A number that starts after a Chinese character (with or without a space) and ends before a unit.
    last = before.rstrip(" ")[-1:]
    return bool(last) and ("一" <= last <= "鿿" or last in "、,:;(")
