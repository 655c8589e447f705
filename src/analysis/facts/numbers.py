"""Quantities in text (数量): number, multiplier, approximation and unit, read in one pass from left to right.

``scan`` is linear in the length of the text: every pattern is anchored at a position and bounded in length.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from . import numerals, units

_MULT = r"(?:万亿|千亿|百亿|十亿|千万|百万|十万|[十百千万亿])"
_VALUE = {
    "万亿": 10**12,
    "千亿": 10**11,
    "百亿": 10**10,
    "十亿": 10**9,
    "千万": 10**7,
    "百万": 10**6,
    "十万": 10**5,
}
_VALUE |= {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_CN = "零一二三四五六七八九十百千万亿两"

_ARABIC = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?")
_START = re.compile(rf"[\d{_CN}数几上]")
_CHINESE = re.compile(rf"[{_CN}]+")
_VAGUE = re.compile(r"(?:数|几|上)(?=[十百千万亿])([十百千万亿]{1,3})|十几")
_PERCENT_OF = re.compile(
    r"(百|千|万)分之(?:(\d+(?:\.\d+)?)|([零一二三四五六七八九十百两]+(?:点[零一二三四五六七八九]+)?))"
)
_FRACTION = re.compile(r"([二三四五六七八九十]{1,3})分之([一二三四五六七八九十两]{1,3})")
_TENTHS = re.compile(r"([一二三四五六七八九两])成(半|多)?(?![立为功员效果都本交长就人年品因分绩熟语])")
_INFIX = "余|多|来|几"
_TAIL = re.compile(rf"(?P<mult1>{_MULT})?(?P<infix>{_INFIX})?(?P<mult2>{_MULT})?")
_GE_INFIX = re.compile(r"个(多|来|半)(小时|月|星期|钟头)")
_HALF = re.compile(r"个半(小时|月|星期)")
_SUFFIX = re.compile(r"\(?(以上|以下|以内|之内|左右|上下|余|多(?=[,。;、)\n]|$)|不等|内)")
_PREFIX = re.compile(
    r"(不少于|不低于|不超过|不高于|不多于|不足|不到|不满|不小于|低于|高于|少于|多于|超过|超|突破|逾|至少|最多|最高|最低|至多|将近|接近|近|大约|约|达到?|上)(?:了)?$"
)
_DIGITS_MAX = 16
_ADJACENT = ("一两", "两三", *(a + b for a, b in zip("一二三四五六七八", "二三四五六七八九", strict=True)))
_SIGNED = "为达是率比长幅降"  # a dash after these is a minus
_RANGE = re.compile(r"(?:-|~|至|到|—)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as the text states it.

    Attributes
    ----------
    start, end
        Offsets in the view, from the first digit to the end of the unit and its 以上, 左右 …
    number_end
        End of the number itself with its multiplier, before the unit.
    value
        In the unit, multipliers multiplied out; per cent as written (32.9).
    unit
        As in the text (aliases folded), ``None`` when there is none.
    approx
        近, 余, 多, 以上 …, or ``None``.
    step
        The value of one unit of the last digit stated (0.01 万件 = 100): half of it is the rounding tolerance.
    exact
        A whole number written out, so that it stands for itself and not for a rounded one.
    chinese
        Written in Chinese numerals.
    confidence
        Of the reading.
    note
        from, to, low, high, or why the reading is doubtful.
    """

    start: int
    end: int
    number_end: int
    value: float
    unit: str | None
    approx: str | None
    step: float
    exact: bool
    chinese: bool = False
    confidence: float = 0.95
    note: str | None = None
    negative: bool = False

    @property
    def kind(self) -> str:
        """What the unit measures by itself."""
        return units.load().kind(self.unit)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A run of digits that is no quantity, with the reason (写给使用者)."""

    start: int
    end: int
    reason: str


def scan(text: str, covered: bytearray) -> tuple[list[Quantity], list[Refusal]]:
    """Quantities of a view, in order, and what looked like one but cannot be read.

    Parameters
    ----------
    text
        Folded text.
    covered
        One byte a character; 1 where a number measures nothing (:func:`analysis.facts.exclude.cover`).
    """
    found: list[Quantity] = []
    refused: list[Refusal] = []
    position = 0
    while start_match := _START.search(text, position):
        start = start_match.start()
        if covered[start]:
            gap = covered.find(0, start)
            position = gap if gap >= 0 else len(text)
            continue
        read = _read(text, start)
        if isinstance(read, Refusal):
            refused.append(read)
            position = max(read.end, start + 1)
        elif read is None or any(covered[read.start : read.number_end]):
            position = _past(text, start)
        else:
            found.append(read)
            position = read.end
    return _ranges(text, found), refused


def _past(text: str, start: int) -> int:
    run = _ARABIC.match(text, start) or _CHINESE.match(text, start)
    return run.end() if run else start + 1


def _read(text: str, start: int) -> Quantity | Refusal | None:
    for reader in (_percent_of, _fraction, _tenths, _arabic, _vague, _chinese):
        result = reader(text, start)
        if result is not None:
            return result
    return None


def _percent_of(text: str, start: int) -> Quantity | Refusal | None:
    match = _PERCENT_OF.match(text, start)
    if match is None:
        if text.startswith("百分之", start):
            return Refusal(start, start + 3, "“百分之”后面没有数")
        return None
    unit = {"百": "%", "千": "‰", "万": "‱"}[match[1]]
    if match[2]:
        value, step = float(match[2]), _step(match[2])
    else:
        whole, _, part = match[3].partition("点")
        number = numerals.parse(whole)
        if number is None:
            return None
        decimals = "".join(str(numerals.DIGITS[c]) for c in part)
        value = float(f"{number}.{decimals}" if decimals else number)
        step = 10.0 ** -len(decimals)
    return _finish(text, start, match.end(), value, unit, step, False, chinese=True, unit_end=match.end())


def _fraction(text: str, start: int) -> Quantity | None:
    match = _FRACTION.match(text, start)
    if match is None:
        return None
    below, above = numerals.parse(match[1]), numerals.parse(match[2])
    if not below or not above:
        return None
    return _finish(
        text, start, match.end(), above / below, None, 0.0, True, chinese=True, unit_end=match.end()
    )


def _tenths(text: str, start: int) -> Quantity | None:
    match = _TENTHS.match(text, start)
    if match is None:
        return None
    value = 10.0 * (numerals.parse(match[1]) or 0) + (5 if match[2] == "半" else 0)
    quantity = _finish(text, start, match.end(), value, "%", 10.0, False, chinese=True, unit_end=match.end())
    return replace(quantity, approx=quantity.approx or ("多" if match[2] == "多" else None))


def _arabic(text: str, start: int) -> Quantity | Refusal | None:
    match = _ARABIC.match(text, start)
    if match is None:
        return None
    digits, end = match[0], match.end()
    after = text[end : end + 2]
    if after[:1] in (".", ",") and after[1:2].isdigit():
        run = re.compile(r"[\d.,]{1,200}").match(text, start)
        assert run is not None
        if after[0] == "." or "." in run[0]:
            return Refusal(start, run.end(), "一个数里有两个以上小数点")
    if after[:1] == "^" and after[1:2].isdigit():
        power = re.compile(r"\^(\d{1,6})").match(text, end)
        assert power is not None
        return Refusal(start, power.end(), "以乘方写出的数，不作为统计数")
    if sum(c.isdigit() for c in digits) > _DIGITS_MAX:
        return Refusal(start, end, "数字过长，可能是编码或识别有误")
    before = text[start - 1 : start]
    if before.isascii() and before.isalpha():
        return None
    negative = before == "-" and not _joined(text, start - 2)
    begin = start - 1 if negative else start
    value = float(digits.replace(",", ""))
    grouped = "," in digits
    tail = _TAIL.match(text, end)
    assert tail is not None
    step, exact, infix = _step(digits), "." not in digits, tail["infix"]
    end_number = end
    multiplier = 1
    if tail["mult1"] or (infix and tail["mult2"]):
        multiplier = _VALUE[tail["mult1"]] if tail["mult1"] else 1
        if tail["mult2"]:
            multiplier *= _VALUE[tail["mult2"]]
        end_number = tail.end()
    elif infix:
        # 几 after a plain number is a question, 多 may open the next word: only a unit after it makes it ours.
        if infix == "几" or units.load().match(text, tail.end()) is None:
            infix = None
        else:
            end_number = tail.end()
    if multiplier > 1:
        value, step, exact = value * multiplier, step * multiplier, False
        value = _tidy(value)
    quantity = _finish(text, begin, end_number, value, None, step, exact, infix=infix)
    if (
        quantity.unit is None
        and end_number == end
        and text[end : end + 1].isascii()
        and text[end : end + 1].isalpha()
    ):
        return None
    if negative or grouped:
        return replace(quantity, negative=negative, note="千分位" if grouped else None)
    return quantity


def _vague(text: str, start: int) -> Quantity | None:
    """上百件, 数千人, 十几件: the power of ten is the value, the word says how far to trust it."""
    match = _VAGUE.match(text, start)
    if match is None or (start and text[start - 1] in f"{_CN}零以网线向之早晚街桌身"):
        return None
    word = match[0]
    value = 10 if word.startswith("十") else math.prod(_VALUE[c] for c in match[1])
    tail = re.compile("余|多").match(text, match.end())
    end = tail.end() if tail else match.end()
    quantity = _finish(text, start, end, float(value), None, float(value), False, chinese=True)
    if quantity.unit is None:
        return None
    mark = word[0] if not word.startswith("十") else "几"
    return replace(quantity, approx=mark, confidence=0.4 if mark in "数几" else 0.6)


def _chinese(text: str, start: int) -> Quantity | None:
    match = _CHINESE.match(text, start)
    if match is None:
        return None
    word = match[0]
    if text[start - 1 : start] in ("第", "之") or (start and text[start - 1].isdigit()):
        return None
    if len(word) == 2 and word in _ADJACENT:
        return None  # 三四个部门: about three or four, not 34
    value = numerals.parse(word)
    end = match.end()
    infix = None
    tail = re.compile(rf"({_INFIX})({_MULT})?").match(text, end)
    if tail and value is not None and value >= 10:
        follow = units.load().match(text, tail.end())
        if tail[2] or (follow and tail[1] != "几"):
            infix, end = tail[1], tail.end()
            value *= _VALUE[tail[2]] if tail[2] else 1
    if value is None:
        return None
    step = 1.0
    while value and value % (step * 10) == 0:
        step *= 10
    quantity = _finish(
        text, start, end, float(value), None, step if infix else 1.0, infix is None, infix=infix, chinese=True
    )
    if quantity.unit is None and not (infix and value >= 10_000):
        return None
    return quantity


def _finish(
    text: str,
    start: int,
    end: int,
    value: float,
    unit: str | None,
    step: float,
    exact: bool,
    *,
    infix: str | None = None,
    chinese: bool = False,
    unit_end: int | None = None,
) -> Quantity:
    """Read the unit and the words of approximation around the number."""
    number_end = end
    approx = infix
    if unit_end is None:
        special = _GE_INFIX.match(text, end)
        half = _HALF.match(text, end)
        if half:
            value, unit, end = value + 0.5, {"小时": "小时", "月": "个月", "星期": "周"}[half[1]], half.end()
        elif special:
            unit = {"小时": "小时", "月": "个月", "星期": "周", "钟头": "小时"}[special[2]]
            approx, end = special[1], special.end()
        else:
            opening = end + 1 if text[end : end + 1] == "(" else end
            matched = units.load().match(text, end)
            if matched is None and opening > end:
                # 受理 1234(件)
                inner = units.load().match(text, opening)
                if inner and text[inner[1] : inner[1] + 1] == ")":
                    matched = inner[0], inner[1] + 1
            if matched:
                unit, end = matched
    if approx is None:
        after = _SUFFIX.match(text, end)
        if after and not (text[end] == "(" and text[after.end() : after.end() + 1] != ")"):
            approx = after[1]
            end = after.end() + (1 if text[end] == "(" else 0)
    if approx is None:
        before = _PREFIX.search(text[max(0, start - 4) : start])
        if before and not before[1].startswith("达"):
            approx = before[1]
    return Quantity(start, end, number_end, value, unit, approx, step, exact and not approx, chinese)


def multiplier(text: str, quantity: Quantity) -> float:
    """The 万 or 亿 that a number is written with; 1 when there is none."""
    written = text[quantity.start : quantity.number_end]
    return float(_VALUE[written[-1]]) if written[-1:] in ("万", "亿") and written[:1].isdigit() else 1.0


def scaled(value: float, factor: float) -> float:
    """A value times a multiplier, a whole number where it is one."""
    return _tidy(value * factor) if factor != 1.0 else value


def _step(digits: str) -> float:
    return 10.0 ** -len(digits.partition(".")[2]) if "." in digits else 1.0


def _tidy(value: float) -> float:
    """27.5 × 10 000 as 275 000, without the tail of binary fractions."""
    return float(round(value)) if abs(value - round(value)) < 1e-6 * max(1.0, abs(value)) else value


def _joined(text: str, position: int) -> bool:
    """Whether the character before a dash belongs to a range or a code, so that the dash is no minus."""
    if position < 0 or text[position] in _SIGNED:
        return False
    return text[position].isalnum() or text[position] in "%)”"


def _ranges(text: str, found: list[Quantity]) -> list[Quantity]:
    """5-20%, 30至50件: both ends of a range carry the unit of the second, and say which end they are."""
    out = list(found)
    for k in range(1, len(out)):
        low, high = out[k - 1], out[k]
        between = text[low.end : high.start]
        if len(between) != 1 or not _RANGE.fullmatch(between) or high.unit is None:
            continue
        if (
            low.unit not in (None, high.unit)
            or low.value > high.value
            or (between in "至到" and text[low.start - 1 : low.start] in "由从")
        ):
            continue
        scale = 1.0
        if (
            low.unit is None
            and not high.exact
            and text[high.number_end - 1] in "万亿"
            and low.number_end == low.end
        ):
            scale = _VALUE[text[high.number_end - 1]]
        out[k - 1] = replace(low, unit=high.unit, value=low.value * scale, step=low.step * scale, note="low")
        out[k] = replace(high, note="high")
    return out
