"""Chinese numerals (中文数词) as numbers: 三千二百一十四, 一百零五, 二〇二四, 十四, 1.2万, 三亿五千万."""

from __future__ import annotations

DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "两": 2,
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "肆": 4,
    "伍": 5,
}
DIGITS |= {"陆": 6, "柒": 7, "捌": 8, "玖": 9, "弐": 2}
SMALL = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
LARGE = {"万": 10**4, "亿": 10**8}
_LONGEST = 24


def parse(text: str) -> int | None:
    """The value of a Chinese numeral, or ``None`` when it is no well-formed one.

    A row of two or more plain digits is read positionally (二零二四 is 2024); 百, 千, 万 alone count once.
    """
    if not text or len(text) > _LONGEST:
        return None
    if len(text) > 1 and all(c in DIGITS for c in text):
        return int("".join(str(DIGITS[c]) for c in text)) if "两" not in text else None
    total = section = 0
    digit: int | None = None
    last = 10**9
    for char in text:
        if char in DIGITS:
            if digit not in (None, 0):
                return None
            digit = DIGITS[char]
        elif char in SMALL:
            unit = SMALL[char]
            if unit >= last:
                return None
            section += (1 if digit is None or digit == 0 else digit) * unit
            digit, last = None, unit
        else:
            unit = LARGE[char]
            section += digit or 0
            if total and unit == 10**8:
                total = (total + section) * unit
            else:
                total += (section or 1) * unit
            section, digit, last = 0, None, 10**9
    return total + section + (digit or 0)
