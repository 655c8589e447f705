"""Shares, rates and means (占比、率、均值): percentages that should follow from stated counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .relations import Interval, Item, Relation, number, similar, told
from .sums import is_total, kin

_STEMS = {
    "办结": "(?<!应)(?<!应当)(?<!应予)(?:办结|审结|执结|结案|办毕)",
    "结案": "结案|审结|执结|办结",
    "办毕": "办毕|办结",
    "回复": "回复|答复",
    "答复": "答复|回复",
    "化解": "化解",
    "满意": "(?<!不)满意",
    "调解": "调解|调撤",
    "参评": "参评|评价",
    "接通": "接通|接听",
    "受理": "受理",
    "超期": "超期|逾期",
    "逾期": "超期|逾期",
    "破案": "破获|侦破|破案",
    "完成": "完成",
}
_WHOLES = ("received", "letters", "calls", "transferred", "web_petitions", "visits")
_GENERAL = re.compile(r"总数|总量|全部|全市|全省|全县|各类|所有|数量|数|量|的|总")
_CARRIED = re.compile(r"结转|旧存|结存")
_HANDLED = re.compile(r"(?:办结|结案|办毕|审结|执结|回复|答复|受理|反馈)率")
_OTHER = re.compile(r"^(?:其他|其它|其余)")
# 以上五类合计占…: a share of all that was listed, not of the last.
_TOGETHER = re.compile(r"(?:合计|共计|累计|总共|一共|(?<!公)共|合)占")
_NEAR = 14
_WHOLE = 99.0  # per cent
_MADE = 0.6  # per cent within which shares make 100: the next share opens a list of its own
_BACK, _ON = 300, 40  # records before and after a share among which its whole is looked for
_REACH = 60  # records between the first and the last member of a list
_FAR = 10.0  # per cent that shares of a whole can be off together before they are no shares of one whole


def find(items: Sequence[Item]) -> list[Relation]:
    """Shares of totals, shares that should make 100, rates, and daily means."""
    return [*_shares(items), *_hundreds(items), *_rates(items), *_means(items)]


# --- shares -----------------------------------------------------------------------------------------------------


def _shares(items: Sequence[Item]) -> list[Relation]:
    by_index = {i.index: i for i in items}
    place = {i.index: k for k, i in enumerate(items)}
    groups: list[list[tuple[Item, Item]]] = []
    last: Item | None = None
    together: list[Relation] = []
    for item in items:
        if not item.share or item.unit != "%" or item.table:
            continue
        part = by_index.get(item.part_of) if item.part_of is not None else None
        if part is None or not part.counted or part.vague or item.vague:
            continue
        if _TOGETHER.search(item.text):
            near = items[max(0, place[item.index] - _BACK) : place[item.index]]
            wholes = [i for i in near if i.counted and not i.table and i.note != "base"]
            joint = _joint(part, item, wholes, near)
            together += [joint] if joint else []
            continue
        if (
            last is not None
            and item.paragraph - last.paragraph <= 1
            and _members_between(items[place[last.index] : place[item.index]]) <= 4
            and kin(part) == kin(groups[-1][-1][0])
            and abs(sum(s.value for _, s in groups[-1]) - 100) > _MADE
            and (item.share_of in (None, last.share_of) or (last.share_of is None and not _specific(item)))
        ):
            groups[-1].append((part, item))
        else:
            groups.append([(part, item)])
        last = item
    out = together
    for group in groups:
        start = place[group[0][0].index]
        out += _group_shares(group, items[max(0, start - _BACK) : place[group[-1][1].index] + _ON])
    return out


def _members_between(items: Sequence[Item]) -> int:
    return sum(1 for i in items[1:] if i.kind != "change")


def _group_shares(group: list[tuple[Item, Item]], items: Sequence[Item]) -> list[Relation]:
    parts = {part.index for part, _ in group}
    largest = max(part.value for part, _ in group)
    first, first_share = group[0]
    wider = [
        i
        for i in items
        if i.counted
        and not i.table
        and i.index not in parts
        and i.value >= largest
        and i.value > 0
        and i.kind == first.kind
        and i.note != "base"
        and not (i.value == first.value and len(group) == 1)
    ]
    candidates = [i for i in wider if kin(i) == kin(first)]
    if not candidates:
        # 来电1000个, 直接答复800件,占80%: another measure will do where every share agrees with it.
        candidates = [
            i for i in wider if len(group) >= 2 and all(_fits(p, share, i.interval) for p, share in group)
        ]
    if not candidates:
        return []
    group = [(_chosen(part, share, candidates, items), share) for part, share in group]
    parts |= {part.index for part, _ in group}
    candidates = [c for c in candidates if c.index not in parts]
    if not candidates:
        return []
    fits = {c.index: sum(_fits(part, share, c.interval) for part, share in group) for c in candidates}
    best = max(
        candidates,
        key=lambda c: (
            fits[c.index],
            _called(first_share, c),
            -sum(_gap(part, share, c) for part, share in group),
            c.unit == first.unit,
            c.index < first.index,
            is_total(c) or c.indicator_id in _WHOLES,
            c.index,
        ),
    )
    if fits[best.index] * 2 >= len(group) and fits[best.index] > 0:
        # A number is no share of itself, however it is called the second time.
        itself = [(part, share) for part, share in group if part.value == best.value and share.value < _WHOLE]
        rest = [pair for pair in group if pair not in itself]
        found = _adjusted([_share(part, share, best, others=None) for part, share in rest])
        for part, share in itself:
            whole = next((c for c in reversed(candidates) if _fits(part, share, c.interval)), None)
            found += [_share(part, share, whole, others=None)] if whole is not None else []
        return found
    if len(group) == 1 and (joint := _joint(first, first_share, candidates, items)):
        return [joint]
    return _unfounded(group, candidates, items)


def _specific(share: Item) -> bool:
    """Whether 占Y的 says more than 占总数的."""
    return bool(_GENERAL.sub("", share.share_of or ""))


def _called(share: Item, total: Item) -> bool:
    """Whether 占Y的 names the total by its words."""
    words = _GENERAL.sub("", share.share_of or "")
    return len(words) >= 2 and any(words[i : i + 2] in total.indicator for i in range(len(words) - 1))


def _gap(part: Item, share: Item, total: Item) -> float:
    return min(10.0, abs(100 * part.value / total.value - share.value) / share.step)


def _adjusted(relations: list[Relation]) -> list[Relation]:
    """Shares are adjusted in the last digit to make 100: where others of the list are plainly wrong, that explains none."""
    if any(r.grade == "contradiction" for r in relations):
        for relation in relations:
            if (
                relation.grade == "rounding"
                and abs(relation.expected - relation.stated) > relation.cited[-1].step
            ):
                relation.grade = "contradiction"
                relation.message = relation.message.replace(
                    "只差末位，可能为使各占比合计100%而调整", "不是四舍五入的结果"
                )
    return relations


def _joint(last: Item, share: Item, candidates: Sequence[Item], items: Sequence[Item]) -> Relation | None:
    """甲60件、乙50件、丙40件,占总量的75%: a share behind a list may be of the whole list."""
    listed = [
        i
        for i in items
        if 0 <= last.index - i.index <= _REACH
        and i.counted
        and not i.table
        and i.paragraph == last.paragraph
        and kin(i) == kin(last)
        and i.note != "base"
    ]
    for size in range(2, min(10, len(listed)) + 1):
        parts = listed[-size:]
        made = Interval(sum(p.interval.low for p in parts), sum(p.interval.high for p in parts))
        for total in candidates:
            if total in parts or total.value < made.low or not (is_total(total) or _called(share, total)):
                continue
            interval = _ratio(made, total.interval)
            if interval.meets(share.percent):
                whole = sum(p.value for p in parts)
                expected = 100 * whole / total.value
                message = f"{size}项之和{number(whole)}{last.unit or ''}占“{told(total)}”的{number(expected, 2)}%，与所述{number(share.value, 4)}%一致"
                return Relation(
                    "ratio",
                    total,
                    parts,
                    share.value,
                    expected,
                    interval,
                    True,
                    "ok",
                    message,
                    [total, *parts, share],
                )
    return None


def _chosen(part: Item, share: Item, candidates: Sequence[Item], items: Sequence[Item]) -> Item:
    if any(_fits(part, share, c.interval) for c in candidates):
        return part
    return next(
        (s for s in _siblings(part, items) if any(_fits(s, share, c.interval) for c in candidates)), part
    )


def _siblings(part: Item, items: Sequence[Item]) -> list[Item]:
    """The number chained before a part (来访19484批31559人次): a share may be of either."""
    at = items.index(part)
    before = items[at - 1] if at else None
    return [before] if before is not None and before.counted and before.end == part.start else []


def _fits(part: Item, share: Item, total: Interval) -> bool:
    return _ratio(part.interval, total).meets(share.percent)


def _ratio(part: Interval, total: Interval) -> Interval:
    if total.low <= 0:
        return Interval(0.0, float("inf"))
    return Interval(100 * part.low / total.high, 100 * part.high / total.low)


def _share(part: Item, share: Item, total: Item, others: str | None) -> Relation:
    expected = 100 * part.value / total.value
    interval = _ratio(part.interval, total.interval)
    holds = interval.meets(share.percent)
    gap = share.value - expected
    digits = _digits(share.step) + 1
    if holds:
        grade, message = (
            "ok",
            f"“{told(part)}”占“{told(total)}”的{number(expected, digits)}%，与所述{number(share.value, 4)}%一致",
        )
    elif others is None and abs(gap) <= 1.5 * share.step:
        grade = "rounding"
        message = f"“{told(part)}”占“{told(total)}”应为{number(expected, digits)}%，所述{number(share.value, 4)}%只差末位，可能为使各占比合计100%而调整"
    else:
        grade = "other base" if others else "contradiction"
        message = (
            f"“{told(part)}”占“{told(total)}”应为{number(expected, digits)}%，所述为{number(share.value, 4)}%"
            + (f"；{others}" if others else "")
        )
    return Relation(
        "ratio", total, [part], share.value, expected, interval, holds, grade, message, [total, part, share]
    )


def _unfounded(
    group: list[tuple[Item, Item]], candidates: Sequence[Item], items: Sequence[Item]
) -> list[Relation]:
    """Shares that no stated total gives: do they agree on one that is not stated?"""
    first = group[0][0]
    before = [c for c in candidates if c.index < first.index and c.measure == first.measure]
    called = [c for c in before if is_total(c) or (c.sentence == first.sentence and _called(group[0][1], c))]
    same = [c for c in called if c.paragraph == first.paragraph]
    if not called:
        return []
    total = (same or called)[0]
    if total.vague:
        return []
    share_of = group[0][1].share_of
    if _specific(group[0][1]) and not _called(group[0][1], total):
        return []  # the denominator is named, and it is another
    if len(group) == 1 and (
        first.paragraph != total.paragraph
        or (share_of not in (None, "总数", "总量", "全部") and first.part_of is not None)
    ):
        return []
    if len(group) == 1 and first.sentence - total.sentence > 1:
        return []
    implied = _implied(group)
    made = sum(part.value for part, _ in group)
    if implied is None or len(group) == 1:
        others = None
    elif implied.low <= made <= implied.high and len(group) >= 3:
        others = f"各占比与各类之和{number(made)}{first.unit or ''}一致，与总数{number(total.value)}{total.unit or ''}不符"
    else:
        others = f"各占比共同指向约{number((implied.low + implied.high) / 2, 0)}{first.unit or ''}的总数，文中没有这个数"
    return [_share(part, share, total, others) for part, share in group]


def _implied(group: list[tuple[Item, Item]]) -> Interval | None:
    """Totals with which every share agrees."""
    low, high = 0.0, float("inf")
    for part, share in group:
        p = share.percent
        if p.low <= 0 or part.value == 0:
            continue
        low, high = max(low, 100 * part.interval.low / p.high), min(high, 100 * part.interval.high / p.low)
    # One more unit of the last digit is granted: shares are often adjusted to make 100.
    return Interval(low, high) if low <= high * 1.005 and high < float("inf") else None


def _hundreds(items: Sequence[Item]) -> list[Relation]:
    """Shares of one enumeration that should make 100%."""
    out = []
    run: list[Item] = []
    for item in [*(i for i in items if not i.table), None]:
        if (
            item is not None
            and item.share
            and item.unit == "%"
            and (
                not run
                or item.share_of == run[-1].share_of
                and item.paragraph - run[-1].paragraph <= (1 if item.share_of else 0)
            )
        ):
            run.append(item)
            continue
        if (
            item is not None
            and (item.counted or item.kind == "change")
            and run
            and item.paragraph - run[-1].paragraph <= 1
        ):
            continue
        if len(run) >= 2 and not any(r.vague for r in run):
            out += _hundred(run)
        run = [item] if item is not None and item.share and item.unit == "%" else []
    return out


def _hundred(run: Sequence[Item]) -> list[Relation]:
    made = sum(i.value for i in run)
    slack = sum(i.step for i in run) / 2
    interval = Interval(made - slack, made + slack)
    holds = interval.low - 1e-9 <= 100 <= interval.high + 1e-9
    whole = any(_OTHER.match(i.indicator) for i in run)
    if not holds and not (whole and len(run) >= 3 and len({i.indicator for i in run}) == len(run)):
        return []
    if not holds and abs(made - 100) > _FAR:
        return []  # 其他 of a ranking, not of the whole
    near = abs(made - 100) <= 2 * slack
    return [
        Relation(
            "sum",
            100.0,
            run,
            100.0,
            made,
            interval,
            holds,
            "ok" if holds else "rounding" if near else "contradiction",
            f"各占比合计{number(made)}%，"
            + ("合为100%" if holds else f"与100%相差{number(abs(made - 100))}个百分点"),
        )
    ]


# --- rates ------------------------------------------------------------------------------------------------------


def _rates(items: Sequence[Item]) -> list[Relation]:
    out = []
    for at, rate in enumerate(items):
        if (
            rate.kind != "rate"
            or rate.unit != "%"
            or rate.share
            or rate.table
            or (rate.vague and rate.approx not in ("约", "大约"))
            or rate.note in ("from", "to")
        ):
            continue
        if not re.search(r"率$|比例$", rate.indicator):
            continue
        relation = _rate(rate, items, at)
        if relation:
            out.append(relation)
    return out


def _rate(rate: Item, items: Sequence[Item], at: int) -> Relation | None:
    before = [
        i
        for i in items[max(0, at - _NEAR) : at]
        if i.kind == "count" and not i.table and not i.bracketed and not i.share and i.note != "base"
    ]
    sentence = [i for i in before if i.sentence == rate.sentence]
    stem = next((pattern for key, pattern in _STEMS.items() if key in rate.indicator), None)
    if stem is None and (own_stem := re.search(r"([一-鿿]{2})率$", rate.indicator)):
        stem = re.escape(own_stem[1])  # 纠错率 of 纠错
    done = [i for i in before if stem and re.search(stem, i.indicator)]
    if len(done) == 1 and (said := _said_whole(rate, done[0], sentence)):
        return _judged(rate, done[0], said)
    for near, numerators in (
        (sentence, [i for i in done if i in sentence]),
        (before, done),
        (sentence, sentence),
    ):
        for part in reversed(numerators):
            for whole in reversed(near):
                if (
                    whole is part
                    or whole.value < part.value
                    or whole.value <= 0
                    or (numerators is done and whole.unit != part.unit)
                ):
                    continue
                if _fits(part, rate, whole.interval) and (numerators is not sentence or whole.value >= 30):
                    return _judged(rate, part, whole)
    if "满意" in rate.indicator and (graded := _graded(rate, sentence)):
        return graded
    own = [i for i in sentence if stem and re.search(stem, i.indicator)]
    wholes = [i for i in sentence if i.indicator_id in _WHOLES and i.index < (own[-1].index if own else 0)]
    if len(own) == 1 and not wholes:
        # 诉前调解4210件,调解成功2947件: the one larger count that the sentence puts before.
        larger = [
            i
            for i in sentence
            if i.index < own[0].index
            and i.unit == own[0].unit
            and i.value >= own[0].value
            and similar(i.indicator, own[0].indicator) > 0
        ]
        wholes = larger if len(larger) == 1 and sum(1 for i in sentence if i.unit == own[0].unit) == 2 else []
    if len(own) != 1 or len(wholes) != 1 or own[0].unit != wholes[0].unit or own[0].vague or wholes[0].vague:
        return None
    if not _plainly(rate, own[0]):
        return None
    remarks = [i for i in items[max(0, at - _NEAR) : at] if i.bracketed and i.sentence == rate.sentence]
    if any(_CARRIED.search(i.text) for i in remarks):
        return None  # 办结1995件(含上期结转95件): of this period's and the last one's
    if not _HANDLED.search(rate.indicator) and similar(wholes[0].indicator, own[0].indicator) == 0:
        return None  # 调解成功率 is of what was mediated, not of all that was received
    return _judged(rate, own[0], wholes[0])


def _said_whole(rate: Item, part: Item, sentence: Sequence[Item]) -> Item | None:
    """审结140件,其中纠错28件,纠错率…: the whole that the sentence itself takes the part of."""
    whole = next((i for i in sentence if i.index == part.part_of), None)
    if whole is None or not part.text.startswith("其中") or part.sentence != rate.sentence:
        return None
    plain = whole.unit == part.unit and whole.value >= part.value and not whole.vague and not part.vague
    return whole if plain and _plainly(rate, part) else None


def _graded(rate: Item, sentence: Sequence[Item]) -> Relation | None:
    """满意、基本满意、不满意 counted apart: the rate takes the first two, or the first alone."""
    grades = [i for i in sentence if "满意" in i.indicator]
    if len(grades) < 2 or any(g.unit != grades[0].unit for g in grades):
        return None
    good = [g for g in grades if "不满意" not in g.indicator]
    whole = sum(g.value for g in grades)
    for parts in (good, good[:1]):
        expected = 100 * sum(p.value for p in parts) / whole if whole else 0.0
        if abs(expected - rate.value) <= rate.step / 2 + 1e-9:
            message = f"{'、'.join(p.indicator for p in parts)}占评价总数{number(whole)}{grades[0].unit or ''}的{number(expected, 2)}%，与{rate.indicator}一致"
            return Relation(
                "rate",
                whole,
                parts,
                rate.value,
                expected,
                Interval(expected, expected),
                True,
                "ok",
                message,
                [*grades, rate],
            )
    return None


def _plainly(rate: Item, part: Item) -> bool:
    """办结率 of 办结: no word (按期, 直接, 审限内) narrows the one and not the other."""
    narrowing = re.compile(r"按期|按时|及时|直接|审限|一次|首次|线上|回访|综合|群众")
    return set(narrowing.findall(rate.indicator)) == set(narrowing.findall(part.indicator))


def _judged(rate: Item, part: Item, whole: Item) -> Relation:
    expected = 100 * part.value / whole.value if whole.value else 0.0
    interval = _ratio(part.interval, whole.interval)
    holds = interval.meets(rate.percent)
    digits = _digits(rate.step) + 1
    if holds:
        grade, message = (
            "ok",
            f"“{told(part)}”比“{told(whole)}”为{number(expected, digits)}%，与{rate.indicator}{number(rate.value, 4)}%一致",
        )
    else:
        gap = abs(rate.value - expected)
        grade = "rounding" if gap <= 1.5 * rate.step else "other base"
        message = (
            f"按“{told(part)}”与“{told(whole)}”计算，{rate.indicator}应为{number(expected, digits)}%，所述为{number(rate.value, 4)}%"
            + ("，只差末位" if grade == "rounding" else "；分母可能是到期应办件或另有口径")
        )
    return Relation(
        "rate", whole, [part], rate.value, expected, interval, holds, grade, message, [whole, part, rate]
    )


def _means(items: Sequence[Item]) -> list[Relation]:
    """日均 = total / days of the period."""
    out = []
    for at, mean in enumerate(items):
        daily = re.fullmatch(r"(.+)/[天日]", mean.unit or "")  # 6200起(200起/天)
        if mean.kind != "count" or not (daily or mean.indicator.startswith("日均")) or mean.table:
            continue
        days, unit = _days(mean), daily[1] if daily else mean.unit
        if days is None:
            continue
        whole = next(
            (
                i
                for i in reversed(items[max(0, at - 6) : at])
                if i.kind == "count" and i.unit == unit and i.value > mean.value and i.note != "base"
            ),
            None,
        )
        if whole is None or days < 2:
            continue
        expected = whole.value / days
        half = max(mean.step / 2, 0.5 if mean.exact else 0.0)
        interval = Interval(whole.interval.low / days, whole.interval.high / days)
        holds = interval.meets(Interval(mean.value - half, mean.value + half))
        if not holds and (mean.vague or whole.vague or abs(expected - mean.value) > 0.5 * mean.value):
            continue
        workdays = abs(mean.value * 5 / 7 * days - whole.value) <= 0.03 * whole.value
        out.append(
            Relation(
                "rate",
                whole,
                [],
                mean.value,
                expected,
                interval,
                holds,
                "ok" if holds else "other base",
                f"“{told(whole)}”按{days}天计日均{number(expected, 1)}，"
                + (
                    "与所述一致"
                    if holds
                    else f"所述为{number(mean.value)}" + ("，可能按工作日计" if workdays else "")
                ),
                [whole, mean],
            )
        )
    return out


def _days(mean: Item) -> int | None:
    """Days of the period that a mean is of; a week has seven whether or not it is dated."""
    first, last = mean.days
    if first is not None and last is not None:
        return (last - first).days + 1
    return 7 if re.fullmatch(r"[本上]周|第\w{1,3}周", mean.period or "") else None


def _digits(step: float) -> int:
    return max(0, len(f"{step:.10f}".rstrip("0").partition(".")[2]))
