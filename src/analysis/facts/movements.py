"""Changes (增减): percentages against absolute changes, bases that no whole number can be, rates that moved too far."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .ratios import _digits
from .relations import Interval, Item, Relation, number, told

_WHOLE_UNITS = re.compile(r"^(?:件|件次|批|批次|人|人次|起|宗|例|名|户|家|个|封|通|次|场|份|条|项)$")

# One year's share of a change over several is compared with nothing stated.
_YEARLY = re.compile(r"年均|平均每年|每年平均")
# Output grows at constant prices, its levels are at current ones: the two need not agree.
_OUTPUT = re.compile(r"生产总值|增加值|GDP")


def find(items: Sequence[Item], rates: Sequence[Relation]) -> list[Relation]:
    """Relations of the changes of one document; ``rates`` are its rates already tied to their counts."""
    by_index = {i.index: i for i in items}
    out: list[Relation] = []
    for item in items:
        if item.kind != "change" or item.table or item.vague or _YEARLY.search(item.text):
            continue
        if pair := _from_to(item, by_index):
            out.append(_at_prices(_between(*pair, item), item))
            continue
        if item.part_of is None:
            continue
        level = by_index.get(item.part_of)
        if level is None or level.vague:
            continue
        if item.unit == "%" and level.kind != "rate":
            absolute, base = _absolute(item, level, items), _stated_base(item, level, items)
            if base is not None and base.value > 0 and not base.vague:
                relation: Relation | None = _from_base(level, base, item)
            else:
                relation = (
                    _percentage(level, absolute, item)
                    if absolute
                    else _whole_base_of_any(level, item, by_index)
                )
            if relation:
                out.append(_at_prices(relation, item))
        elif item.unit == level.unit and level.kind != "rate":
            base = _stated_base(item, level, items)
            if base:
                out.append(_difference(level, base, item))
        elif level.kind == "rate" and item.base:
            relation = _rate_moved(level, item, items, rates)
            if relation:
                out.append(relation)
    return out


def _from_to(change: Item, by_index: dict[int, Item]) -> tuple[Item, Item] | None:
    """The two levels of 由52.3天缩短至46.1天,缩短6.2天."""
    for back in (1, 2):
        first, second = by_index.get(change.index - back - 1), by_index.get(change.index - back)
        if (
            first is None
            or second is None
            or (first.note, second.note) != ("from", "to")
            or change.sentence != second.sentence
            # 由…增长到…,规上工业增加值增长6.5%: the change of something else.
            or change.indicator != second.indicator
        ):
            continue
        if change.unit == second.unit != "%" or (change.unit == "个百分点" and second.unit == "%"):
            return first, second
        if change.unit == "%" and second.unit != "%" and first.value > 0 and change.kind == "change":
            return first, second
    return None


def _between(first: Item, second: Item, change: Item) -> Relation:
    sign = 1 if change.direction == "up" else -1
    a, b = first.percent, second.percent
    if first.exact and first.kind != "rate":
        a, b = first.interval, second.interval
    interval = Interval(*sorted((sign * (b.low - a.high), sign * (b.high - a.low))))
    expected = sign * (second.value - first.value)
    if change.unit == "%":
        expected = 100 * expected / first.value
        interval = (
            Interval(100 * interval.low / a.high, 100 * interval.high / a.low) if a.low > 0 else interval
        )
    # 缩短6.2天 is stated to the digit of the two levels: their own rounding is no leave to differ by more.
    holds = interval.meets(change.percent)
    message = (
        f"{second.indicator}由{number(first.value, 4)}到{number(second.value, 4)}{second.unit or ''}，相差{number(abs(expected))}{change.unit or ''}，"
        + ("与所述一致" if holds else f"所述为{number(change.value, 4)}{change.unit or ''}")
    )
    return Relation(
        "difference",
        second,
        [first],
        change.value,
        expected,
        interval,
        holds,
        "ok" if holds else "contradiction",
        message,
        [first, second, change],
    )


def _absolute(change: Item, level: Item, items: Sequence[Item]) -> Item | None:
    """The absolute change stated beside a percentage, of the same level and base."""
    for item in items:
        if (
            item.kind == "change"
            and item.unit == level.unit
            and item.part_of == level.index
            and item.direction == change.direction
            and (item.base == change.base or None in (item.base, change.base))
            and abs(item.index - change.index) <= 2
            and not item.vague
        ):
            return item
    return None


def _percentage(level: Item, absolute: Item, change: Item) -> Relation:
    sign = 1 if change.direction == "up" else -1
    before = level.value - sign * absolute.value
    expected = 100 * absolute.value / before if before else math.inf
    bases = [
        level.interval.low - sign * absolute.interval.high,
        level.interval.high - sign * absolute.interval.low,
    ]
    low_base, high_base = min(bases), max(bases)
    interval = (
        Interval(100 * absolute.interval.low / high_base, 100 * absolute.interval.high / low_base)
        if low_base > 0
        else Interval(0.0, math.inf)
    )
    holds = interval.meets(change.percent)
    words = change.base or "与上期相比"
    digits = _digits(change.step) + 1
    if holds:
        grade, message = (
            "ok",
            f"{words}增减{number(absolute.value)}{absolute.unit or ''}，相当于{number(expected, digits)}%，与所述{number(change.value, 4)}%一致",
        )
    else:
        current = 100 * absolute.value / level.value if level.value else math.inf
        other = abs(current - change.value) <= change.step / 2
        grade = (
            "rounding"
            if abs(expected - change.value) <= 1.5 * change.step
            else "other base"
            if other
            else "contradiction"
        )
        message = (
            f"“{told(level)}”{words}{'增' if sign > 0 else '减'}{number(absolute.value)}{absolute.unit or ''}，基期应为{number(before)}，"
            f"变动应为{number(expected, digits)}%，所述为{number(change.value, 4)}%"
            + ("；所述比例以本期数为分母" if other else "，只差末位" if grade == "rounding" else "")
        )
    return Relation(
        "change",
        level,
        [absolute],
        change.value,
        expected,
        interval,
        holds,
        grade,
        message,
        [level, absolute, change],
    )


def _whole_base_of_any(level: Item, change: Item, by_index: dict[int, Item]) -> Relation | None:
    """The same for either number of a chain (80件131人次,同比上升60%): a change may be of the first."""
    relation = _whole_base(level, change)
    first = by_index.get(level.index - 1)
    if relation is None or relation.holds or first is None or first.end != level.start or first.vague:
        return relation
    other = _whole_base(first, change)
    return other if other is not None and other.holds else relation


def _whole_base(level: Item, change: Item) -> Relation | None:
    """Whether some whole number of last time gives the stated percentage."""
    if (
        not level.exact
        or level.kind != "count"
        or not _WHOLE_UNITS.match(level.unit or "")
        or not change.base
        or level.value <= 0
    ):
        return None
    sign = 1 if change.direction == "up" else -1
    near, far = 1 + sign * change.percent.low / 100, 1 + sign * change.percent.high / 100
    if min(near, far) <= 0:
        return None
    low, high = sorted((level.value / near, level.value / far))
    first = math.ceil(low - 1e-9)
    whole = first <= high + 1e-9
    middle = level.value / (1 + sign * change.value / 100)
    bases = [b for b in (math.floor(middle), math.ceil(middle)) if b > 0]
    if not bases:
        return None
    best = (
        first if whole else min(bases, key=lambda b: abs(100 * sign * (level.value / b - 1) - change.value))
    )
    expected = 100 * sign * (level.value / best - 1)
    digits = _digits(change.step) + 1
    if whole:
        message = f"“{told(level)}”{change.base}{_verb(change)}{number(change.value, 4)}%，基期可为{number(best)}{level.unit or ''}"
    else:
        message = (
            f"“{told(level)}”{change.base}{_verb(change)}{number(change.value, 4)}%，没有整数基期能得出这个比例："
            f"最接近的是基期{number(best)}{level.unit or ''}，变动{number(expected, digits)}%，可能另有口径或比例有误"
        )
    return Relation(
        "change",
        level,
        [change],
        change.value,
        expected,
        Interval(low, high),
        whole,
        "ok" if whole else "other base",
        message,
        [level, change],
    )


def _at_prices(relation: Relation, change: Item) -> Relation:
    """The growth of output in percent is no contradiction, only reckoned otherwise."""
    if relation.grade == "contradiction" and change.unit == "%" and _OUTPUT.search(change.indicator):
        relation.grade = "other base"
        relation.message += "；产出的增速一般按不变价格计算，不能由现价总量推出"
    return relation


def _verb(change: Item) -> str:
    return "增长" if change.direction == "up" else "下降"


def _stated_base(change: Item, level: Item, items: Sequence[Item]) -> Item | None:
    """The base that belongs to a change: the last one before it, else the one in the bracket right behind it.

    Each change of 环比上季度X件增长p%,同比去年Y件增长q% has a base of its own.
    """
    near = [
        i
        for i in items
        if i.note == "base"
        and i.unit == level.unit
        and i.part_of == level.index
        and abs(i.index - change.index) <= 2
    ]
    before = [i for i in near if i.index < change.index]
    return before[-1] if before else near[0] if near else None


def _from_base(level: Item, base: Item, change: Item) -> Relation:
    """A percentage against the level of last time stated beside it (上月为520件,环比下降13.8%)."""
    sign = 1 if change.direction == "up" else -1
    ends = [100 * sign * (v / b - 1) for v in level.interval for b in base.interval if b > 0]
    interval = Interval(min(ends), max(ends))
    expected = 100 * sign * (level.value / base.value - 1)
    holds = interval.meets(change.percent)
    near = abs(expected - change.value) <= 1.5 * change.step
    digits = _digits(change.step) + 1
    message = (
        f"“{told(level)}”与{base.period or '基期'}{number(base.value)}{base.unit or ''}相比，变动{number(expected, digits)}%，"
        + (
            "与所述一致"
            if holds
            else f"所述为{_verb(change)}{number(change.value, 4)}%" + ("，只差末位" if near else "")
        )
    )
    return Relation(
        "change",
        level,
        [base],
        change.value,
        expected,
        interval,
        holds,
        "ok" if holds else "rounding" if near else "contradiction",
        message,
        [level, base, change],
    )


def _difference(level: Item, base: Item, change: Item) -> Relation:
    sign = 1 if change.direction == "up" else -1
    expected = sign * (level.value - base.value)
    interval = Interval(
        *sorted(
            (
                sign * (level.interval.low - base.interval.high),
                sign * (level.interval.high - base.interval.low),
            )
        )
    )
    holds = interval.meets(change.interval)
    message = (
        f"“{told(level)}”与{base.period or '基期'}{number(base.value)}{base.unit or ''}相差{number(abs(expected))}{level.unit or ''}，"
        + ("与所述一致" if holds else f"所述为{_verb(change)}{number(change.value)}{change.unit or ''}")
    )
    return Relation(
        "difference",
        level,
        [base, change],
        change.value,
        expected,
        interval,
        holds,
        "ok" if holds else "contradiction",
        message,
        [level, base, change],
    )


def _rate_moved(
    rate: Item, change: Item, items: Sequence[Item], rates: Sequence[Relation]
) -> Relation | None:
    """A rate's stated change against the changes of its numerator and denominator."""
    tied = next((r for r in rates if r.type == "rate" and r.holds and r.parts and rate in r.cited), None)
    if tied is None or not isinstance(tied.total, Item):
        return None
    whole, part = tied.total, tied.parts[0]
    moved = {}
    for level in (whole, part):
        moved[level.index] = next(
            (
                i
                for i in items
                if i.kind == "change" and i.unit == "%" and i.part_of == level.index and i.base == change.base
            ),
            None,
        )
    of_whole, of_part = moved[whole.index], moved[part.index]
    if of_whole is None or of_part is None:
        return None
    before = [
        100
        * (part.value / (1 + _signed(of_part, p) / 100))
        / (whole.value / (1 + _signed(of_whole, w) / 100))
        for p in of_part.percent
        for w in of_whole.percent
    ]
    points = Interval(rate.percent.low - max(before), rate.percent.high - min(before))
    middle = (
        100
        * (part.value / (1 + _signed(of_part, of_part.value) / 100))
        / (whole.value / (1 + _signed(of_whole, of_whole.value) / 100))
    )
    expected = rate.value - middle
    relative = Interval(*sorted(100 * p / middle for p in points))
    sign = 1 if change.direction == "up" else -1
    stated = Interval(*sorted((sign * change.percent.low, sign * change.percent.high)))
    by_points, by_ratio = points.meets(stated), relative.meets(stated)
    holds = by_points if change.unit == "个百分点" else by_ratio
    digits = _digits(change.step) + 1
    reading = f"按所述增幅推算，{change.base}基期的{rate.indicator}为{number(middle, digits)}%，{'上升' if expected >= 0 else '下降'}{number(abs(expected), digits)}个百分点（{number(abs(100 * expected / middle), digits)}%）"
    if holds:
        grade, message = "ok", reading + "，与所述一致"
    elif by_points or by_ratio:
        grade, message = (
            "other base",
            reading
            + f"，所述{number(change.value, 4)}{change.unit}应为{'百分点' if by_points else '相对变动'}",
        )
    else:
        grade, message = "contradiction", reading + f"，不是{number(change.value, 4)}{change.unit}"
    return Relation(
        "difference",
        rate,
        [whole, part, of_whole, of_part],
        change.value,
        expected,
        points,
        holds,
        grade,
        message,
        [rate, whole, part, of_whole, of_part, change],
    )


def _signed(change: Item, value: float) -> float:
    return value if change.direction == "up" else -value
