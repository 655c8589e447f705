"""Parts and totals (分项与合计): enumerations that should make a stated total, parts found by their place and words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .. import codebooks
from .relations import Interval, Item, Relation, number, similar, told

_TOTAL_WORDS = re.compile(
    r"总计|合计|共计|总共|累计|总数|总量|各类(?!案件[一-鿿])|(?:共|总)(?:有|达到?|为|约|近|超过|受理|收到|接收|登记|办理|处理)*[^一-鿿]*\d|(?<!公)共(?!同|享|建|治|产|青|有制|识)[一-鿿]{0,14}\d"
)
_GENERAL = re.compile(r"总(?=[量数])|全[市省县区国]")
_RANKED = 5.0  # per cent that shares must leave open to say that a list is a ranking
_OTHER = re.compile(r"^(?:其他|其它|其余)")
_PARTIAL = re.compile(r"主要|较多|排名|居前|前[三五十]|靠前|重点|突出|最多")
_VERBS = re.compile(r"受理|收到|接收|审执结|审结|执结|办结|结案|未结|收案|案件|事项|诉求|类|案|件|的|共|各")
_ACTING = re.compile(
    r"正在办理|在办|处理完毕|尚在.*|直接(?:答复|回复|办结)|转派|交办|转办|化解|排查|已?办结|满意|基本满意|不满意|群众评价|调解成功|回访|立案|破案|按时|按期|在线"
)
_AHEAD, _FURTHER, _WIDE = 8, 24, 40
_BREAKDOWNS = 12  # of one total; a bound that keeps long repetitive texts in linear time
_MOST = 0.6
_NOUN = 3  # characters that name the same thing at the end of a part and of its total
_FEW = 100  # a part this small is made by numbers of later sentences by chance
_CLOSE = 0.05  # how near a list told to be a breakdown must come to its total for the gap to be a slip
_SMALL = 30  # totals below this are met by chance: they need a tie in the text


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Counts of one unit listed one after another, with the labels they bear."""

    members: tuple[Item, ...]
    exhaustive: bool

    @property
    def total(self) -> float:
        """What the members make together."""
        return sum(m.value for m in self.members)

    @property
    def interval(self) -> Interval:
        """The same, as an interval."""
        out = Interval(0.0, 0.0)
        for member in self.members:
            out = out + member.interval
        return out

    def by_paragraph(self) -> list[Enumeration]:
        """Its members paragraph by paragraph, three or more each; itself when it stands in one."""
        pieces = [
            tuple(m for m in self.members if m.paragraph == p)
            for p in dict.fromkeys(m.paragraph for m in self.members)
        ]
        if len(pieces) == 1:
            return [self]
        return [
            Enumeration(piece, any(_OTHER.match(m.indicator) for m in piece))
            for piece in pieces
            if len(piece) >= 3
        ]

    @property
    def labels(self) -> set[str]:
        """Labels without the words of handling, so that lists of the same kinds can be told."""
        return {_VERBS.sub("", m.indicator) for m in self.members} - {""}


def find(items: Sequence[Item]) -> list[Relation]:
    """Sums that hold, and enumerations that claim to be whole and do not make their total."""
    counts = [i for i in items if i.counted and not i.table and i.note != "base"]
    relations = list(_holding(counts))
    relations += _twice(counts)
    relations = _distinct(relations, items)
    relations += _bases(items)
    lists = enumerations(items)
    relations += _failing(lists, counts, relations, items)
    relations += _handled_and_pending(counts, relations)
    relations += _complements(counts, relations)
    return relations


def _distinct(relations: Sequence[Relation], items: Sequence[Item]) -> list[Relation]:
    """One relation a set of numbers, and none of a part that only its own neighbours happen to make."""
    of = {i.part_of: (i.share_of, i.paragraph) for i in items if i.share and i.part_of is not None}
    held: dict[int, set[int]] = {}
    listed: set[int] = set()
    for r in relations:
        if r.holds and isinstance(r.total, Item) and len(r.parts) >= 2:
            for p in r.parts:
                held.setdefault(p.index, set()).update(q.index for q in r.parts)
            listed.update(p.index for p in r.parts if is_total(r.total))
    out: list[Relation] = []
    seen: set[tuple[float, ...]] = set()
    for r in relations:
        total = r.total
        if not isinstance(total, Item):
            out.append(r)
            continue
        key = (total.value, *sorted(p.value for p in r.parts)) if len(r.parts) >= 2 else (total.value,)
        if r.holds and key in seen:
            continue
        chance = (
            r.holds
            and len(r.parts) >= 2
            and total.index in held
            and not is_total(total)
            and any(
                p.part_of != total.index
                and (
                    p.index in held[total.index]
                    or (total.index in listed and total.value < _FEW and p.sentence != total.sentence)
                )
                for p in r.parts
            )
        )
        # 食品450件,占30%;服装300件,占20%;家电150件,占10%: shares of one whole are no parts of each other.
        if r.holds and len(r.parts) >= 2 and total.index in of:
            chance = chance or all(of.get(p.index) == of[total.index] for p in r.parts)
        if not chance:
            seen.add(key)
            out.append(r)
    return out


def _bases(items: Sequence[Item]) -> list[Relation]:
    """The figures of last time that are stated beside those of this time make a total of their own."""
    by_words: dict[str | None, list[Item]] = {}
    for item in items:
        if item.note == "base" and item.counted and not item.table:
            by_words.setdefault(item.period, []).append(item)
    out: list[Relation] = []
    for bases in by_words.values():
        total, parts = bases[0], _window(bases, 1, 1, bases[0])
        if len(parts) >= 3 and total.value >= _SMALL:
            out += _new(total, parts, set())
    return out


def enumerations(items: Sequence[Item]) -> list[Enumeration]:
    """Enumerations of a document, cut where a total, a step of handling or a heading stands between.

    A breakdown of one member (其中) is an enumeration of its own and no part of the one around it.
    """
    out: list[Enumeration] = []
    run: list[Item] = []
    shares: list[Item] = []
    nested: dict[int, list[Item]] = {}
    chained: set[int] = set()

    def close() -> None:
        if len(run) >= 3:
            whole = any(_OTHER.match(m.indicator) for m in run)
            summed = len(shares) >= len(run) - 1 and abs(sum(s.value for s in shares) - 100) <= 0.6
            out.append(Enumeration(tuple(run), whole or summed))
        run.clear()
        shares.clear()

    previous: Item | None = None
    for item in items:
        if item.table:
            continue
        if item.share:
            shares.append(item)
            continue
        if not item.counted or item.bracketed or item.note == "base":
            continue
        if previous is not None and previous.end == item.start and previous.measure == "批":
            chained.add(item.index)
        previous = item
        if item.index in chained:
            continue  # 2310批4876人次: the first number stands for the member
        if item.part_of is not None and any(item.part_of == m.index for m in run):
            nested.setdefault(item.part_of, []).append(item)
            continue
        last = run[-1] if run else None
        if last is not None and kin(item) != kin(last) and item.text.startswith("其中"):
            continue  # 到省反映30件次,其中走访4人次: a remark on the member before
        if last is not None and (
            kin(item) != kin(last)
            or item.paragraph - last.paragraph > 1
            or is_total(item)
            or (_OTHER.match(last.indicator) and item.sentence != last.sentence)
        ):
            close()
        if not is_total(item) and _VERBS.sub("", _ACTING.sub("", item.indicator)):
            run.append(item)
    close()
    for children in nested.values():
        whole = any(_OTHER.match(c.indicator) for c in children)
        if len(children) >= (2 if whole else 3):
            out.append(Enumeration(tuple(children), whole))
    return out


def kin(item: Item) -> str | None:
    """The measure, 批 among 件: visits are listed beside letters, each batch one matter."""
    return "件" if item.measure == "批" else item.measure


def is_total(item: Item) -> bool:
    """Whether the words call the number a total."""
    return _TOTAL_WORDS.search(item.text) is not None


def _holding(counts: Sequence[Item]) -> Iterator[Relation]:
    """Windows of counts beside a count that they make: by unit, by indicator, and pairs of one sentence."""
    seen: set[tuple[int, ...]] = set()
    views: list[list[Item]] = []
    for measure in dict.fromkeys(i.measure for i in counts):
        views.append([i for i in counts if i.measure == measure and not i.bracketed])
    for entry in dict.fromkeys(i.indicator_id for i in counts if i.indicator_id):
        views.append([i for i in counts if i.indicator_id == entry and not i.bracketed])
    if any(i.measure == "批" for i in counts):
        second = {b.index for a, b in zip(counts, counts[1:], strict=False) if a.end == b.start}
        inner = {
            i.index
            for i in counts
            if i.part_of is not None
            and any(c.index == i.part_of and not is_total(c) for c in counts[max(0, i.index - 40) :])
        }
        views.append(
            [i for i in counts if kin(i) == "件" and not i.bracketed and i.index not in second | inner]
        )
    for view in views:
        for at, total in enumerate(view):
            if total.value <= 0:
                continue
            start, misses, made = at + 1, 0, 0
            ahead = _FURTHER if is_total(total) and total.value >= 10 * _SMALL else _AHEAD
            while start < len(view) and misses < ahead and made < _BREAKDOWNS:
                window = _window(view, start, 1, total)
                # Further on only a list of one kind is taken up: 共受理甲件, 共受理乙件 … in the sections of a report.
                if (
                    window
                    and _tied(total, window)
                    and (misses < _AHEAD or len({is_total(w) for w in window}) == 1)
                ):
                    yield from _new(total, window, seen)
                    start, misses, made = start + len(window), 0, made + 1
                else:
                    start, misses = start + 1, misses + 1
            if at >= 2:
                window = _window(view, at - 1, -1, total)
                if window and _tied(total, window) and is_total(total):
                    yield from _new(total, list(reversed(window)), seen)
    yield from _pairs(counts, seen)


def _window(view: Sequence[Item], start: int, step: int, total: Item) -> list[Item]:
    """The shortest run of two or more counts from ``start`` that makes the total."""
    window: list[Item] = []
    made = Interval(0.0, 0.0)
    target = total.interval
    at = start
    while 0 <= at < len(view) and len(window) < _WIDE:
        item = view[at]
        if kin(item) != kin(total) and not (item.indicator_id and item.indicator_id == total.indicator_id):
            break
        window.append(item)
        made = made + item.interval
        if len(window) >= 2 and made.meets(target) and sum(1 for w in window if w.value > 0) >= 2:
            # Zeros right behind belong to the same list.
            while (
                0 <= at + step < len(view)
                and view[at + step].value == 0
                and view[at + step].sentence == item.sentence
            ):
                at += step
                window.append(view[at])
            return window
        if made.low > target.high:
            break
        at += step
    return []


def _tied(total: Item, window: Sequence[Item]) -> bool:
    """Whether a sum is more than chance: large, or in one sentence, or told to be a breakdown."""
    if any(part.value >= total.value and total.value > 0 for part in window if part.value):
        return False
    if len(window) > 3 and len({_ACTING.fullmatch(part.indicator) is None for part in window}) > 1:
        return False  # kinds of matters and steps of their handling are no one list
    if total.value >= _SMALL and (total.exact or len(window) <= 3 or is_total(total)):
        return len(window) <= 3 or all(
            b.sentence - a.sentence <= 3 for a, b in zip(window, window[1:], strict=False)
        )
    handled = {p.indicator_id for p in window} >= {"closed", "pending"}
    return (is_total(total) or handled or all(part.part_of == total.index for part in window)) and all(
        part.sentence - total.sentence <= 1 for part in window
    )


def _pairs(counts: Sequence[Item], seen: set[tuple[int, ...]]) -> Iterator[Relation]:
    """Two counts of a sentence, whatever their units, that make the total it opens with."""
    for at, total in enumerate(counts):
        if total.value < _SMALL or not is_total(total):
            continue
        near = [
            i
            for i in counts[at + 1 : at + 12]
            if i.paragraph == total.paragraph and 0 < i.value < total.value
        ]
        for a, first in enumerate(near):
            for second in near[a + 1 :]:
                if (
                    (first.interval + second.interval).meets(total.interval)
                    and total.exact
                    and first.exact
                    and second.exact
                ):
                    yield from _new(total, [first, second], seen)


def _new(total: Item, parts: Sequence[Item], seen: set[tuple[int, ...]]) -> Iterator[Relation]:
    key = (total.index, *(p.index for p in parts))
    if key in seen:
        return
    seen.add(key)
    made = sum(p.value for p in parts)
    low, high = _bounds(parts)
    exactly = abs(made - total.value) < 1e-9 * max(1.0, total.value)
    yield Relation(
        "sum",
        total,
        parts,
        total.value,
        made,
        Interval(low, high),
        True,
        "ok",
        f"{len(parts)}项之和为{number(made)}{total.unit or ''}，与“{told(total)}”{'一致' if exactly else '在四舍五入范围内一致'}",
    )


def _bounds(parts: Sequence[Item]) -> Interval:
    out = Interval(0.0, 0.0)
    for part in parts:
        out = out + part.interval
    return out


def _twice(counts: Sequence[Item]) -> list[Relation]:
    """The same figure stated twice: equal where the words are alike, or two values for the same words."""
    out = []
    by_value: dict[float, list[Item]] = {}
    for item in counts:
        earlier = by_value.setdefault(item.value, [])
        for other in earlier[-4:]:
            if item.value >= _SMALL and other.sentence != item.sentence and _same_thing(item, other):
                out.append(
                    Relation(
                        "sum",
                        item,
                        [other],
                        item.value,
                        other.value,
                        other.interval,
                        True,
                        "ok",
                        f"“{told(item)}”与前文“{told(other)}”一致",
                    )
                )
                break
            if (
                item.value >= _SMALL
                and other.sentence == item.sentence
                and similar(item.indicator, other.indicator) >= 0.5
            ):
                break
        earlier.append(item)
    named: dict[tuple[str, str | None, object, str | None], Item] = {}
    for item in counts:
        if (
            len(item.indicator) < 5
            or item.bracketed
            or item.vague
            or item.note
            or not item.exact
            or not is_total(item)
        ):
            continue
        key = (item.indicator, item.unit, (item.period, item.days), item.subject)
        first = named.setdefault(key, item)
        if (
            first is not item
            and first.value != item.value
            and first.paragraph != item.paragraph
            and abs(first.value - item.value) < 0.5 * first.value
        ):
            gap = item.value - first.value
            out.append(
                Relation(
                    "sum",
                    item,
                    [first],
                    item.value,
                    first.value,
                    first.interval,
                    False,
                    "contradiction",
                    f"同一数前后不一致：前文为“{told(first)}”，此处为“{told(item)}”，相差{number(abs(gap))}{item.unit or ''}",
                )
            )
    return out


def _same_thing(a: Item, b: Item) -> bool:
    return (
        (a.indicator_id is not None and a.indicator_id == b.indicator_id)
        or similar(a.indicator, b.indicator) >= 0.4
        or bool(set(re.findall(r"[一-鿿]{2}", a.indicator)) & set(re.findall(r"[一-鿿]{2}", b.indicator)))
    )


def _failing(
    lists: Sequence[Enumeration], counts: Sequence[Item], relations: Sequence[Relation], items: Sequence[Item]
) -> list[Relation]:
    """Enumerations that claim to be whole, or whose kinds are whole elsewhere, and make no stated total."""
    made = [r for r in relations if r.holds and len(r.parts) >= 2]
    held = [tuple(p.index for p in r.parts) for r in made]
    whole_labels = []
    open_lists: list[Enumeration] = []
    for entry in lists:
        # A list may run over paragraphs, or each paragraph may break the same total down anew.
        pieces = [entry] if _held(entry, held) else entry.by_paragraph()
        for piece in pieces if any(_held(p, held) or p.exhaustive for p in pieces) else [entry]:
            if _held(piece, held):
                whole_labels.append(piece.labels)
            else:
                open_lists.append(piece)
    out = []
    parts = {p.index for r in made for p in r.parts}
    shares = {i.part_of: i for i in items if i.share and not i.table and i.part_of is not None}
    explained = {r.total.index for r in made if isinstance(r.total, Item) and len(r.parts) >= 3}
    for entry in open_lists:
        parallel = any(
            len(entry.labels & labels) >= 0.7 * len(entry.labels | labels)
            for labels in whole_labels
            if len(labels) >= 3
        )
        if any(m.vague for m in entry.members) or _ranked(entry, shares):
            continue
        if sum(m.index in parts for m in entry.members) >= _MOST * len(entry.members):
            continue  # several breakdowns in a row are no one list
        if not (entry.exhaustive or parallel):
            rest = Enumeration(tuple(m for m in entry.members if m.index not in parts), False)
            total = _told_to_break_down(rest, counts) if len(rest.members) >= 3 else None
            if total is not None and not total.interval.meets(rest.interval):
                out.append(_disagreement(rest, total, parallel))
            continue
        total = _headline(entry, counts, explained if parallel else set())
        if (
            total is None
            or total.vague
            or total.interval.meets(entry.interval)
            or _PARTIAL.search(entry.members[0].text)
        ):
            continue
        out.append(_disagreement(entry, total, parallel))
    return out


def _ranked(entry: Enumeration, shares: Mapping[int, Item]) -> bool:
    """Whether the members' own shares say that they are not the whole."""
    own = [shares[m.index] for m in entry.members if m.index in shares]
    if len({s.share_of for s in own}) > 1:
        return True
    return len(own) >= len(entry.members) - 1 and sum(s.value for s in own) < 100 - _RANKED


def _told_to_break_down(entry: Enumeration, counts: Sequence[Item]) -> Item | None:
    """The total that a list in one sentence breaks down by its words (其中, 各…分别为, 按去向分) and nearly makes."""
    first = entry.members[0]
    if len({m.sentence for m in entry.members}) > 1 or any(_PARTIAL.search(m.text) for m in entry.members):
        return None
    noun = _shared_noun([m.indicator for m in entry.members])
    for total in reversed(counts):
        if total.paragraph < first.paragraph:
            break
        if (
            total.index >= first.index
            or total.paragraph != first.paragraph
            or kin(total) != kin(first)
            or total.value < _SMALL
            or not total.exact
            or total.bracketed
        ):
            continue
        tied = all(m.part_of == total.index for m in entry.members) or (
            len(_shared_noun([noun, total.indicator])) >= _NOUN
        )
        if tied and abs(entry.total - total.value) <= _CLOSE * total.value:
            return total
    return None


def _shared_noun(names: Sequence[str]) -> str:
    """The end that all names share: 来件量 of 省级来件量 and 县级来件量."""
    ends = [_GENERAL.sub("", n) for n in names]
    size = 0
    while all(len(e) > size for e in ends) and len({e[len(e) - size - 1 :] for e in ends}) == 1:
        size += 1
    return ends[0][len(ends[0]) - size :] if size else ""


def _held(entry: Enumeration, held: Collection[tuple[int, ...]]) -> bool:
    indexes = {m.index for m in entry.members}
    return any(len(indexes & set(key)) >= 0.8 * max(len(indexes), len(key)) for key in held)


def _headline(entry: Enumeration, counts: Sequence[Item], explained: set[int]) -> Item | None:
    """The total that an enumeration stands under: the nearest count before it that is called one and is large enough."""
    first = entry.members[0]
    members = {m.index for m in entry.members}
    largest = max(m.value for m in entry.members)
    before = [
        c
        for c in counts
        if c.index < first.index
        and c.index not in members | explained
        and kin(c) == kin(first)
        and c.value >= largest
        and c.kind == first.kind
        and not c.bracketed
    ]
    called = [c for c in before if is_total(c)]
    near = [c for c in called if c.paragraph == first.paragraph]
    parent = next((c for c in before if c.index == first.part_of), None)
    if parent is not None and (is_total(parent) or not near):
        return parent
    return (near or called)[-1] if called else None


def _disagreement(entry: Enumeration, total: Item, parallel: bool) -> Relation:
    made = entry.total
    gap = made - total.value
    unit = total.unit or ""
    reading = "如总数为分项之和，则应为" + number(made) + unit
    if parallel:
        reading = "同样的分类在别处与总数相符，此处总数可能含未列出的部分（如旧存），或口径不同"
    return Relation(
        "sum",
        total,
        entry.members,
        total.value,
        made,
        entry.interval,
        False,
        "other base" if parallel else "contradiction",
        f"各类之和为{number(made)}{unit}，与“{told(total)}”不符，{'多' if gap > 0 else '少'}{number(abs(gap))}{unit}；{reading}",
    )


def _handled_and_pending(counts: Sequence[Item], relations: Sequence[Relation]) -> list[Relation]:
    """办结 + 在办 = 受理, stated in one sentence."""
    out = []
    made_of = [{p.index for p in r.parts} for r in relations if r.holds and len(r.parts) == 2]
    held = {r.total.index for r in relations if r.holds and isinstance(r.total, Item) and len(r.parts) >= 2}
    for at, total in enumerate(counts):
        if (
            total.indicator_id not in ("received", "letters", "calls", "transferred")
            or total.index in held
            or total.vague
        ):
            continue
        near = [
            c
            for c in counts[at + 1 : at + 6]
            if c.sentence == total.sentence and c.unit == total.unit and not c.bracketed
        ]
        closed = [c for c in near if c.indicator_id == "closed"]
        pending = [c for c in near if c.indicator_id == "pending"]
        if len(closed) != 1 or len(pending) != 1 or any(c.vague for c in (*closed, *pending)):
            continue
        carried = any(c.bracketed and "旧存" in c.indicator for c in counts[at : at + 6])
        parts = [closed[0], pending[0]]
        made = sum(p.value for p in parts)
        # 新收420件,加旧存180件,共办理600件: closed and pending make what was handled.
        explained = {closed[0].index, pending[0].index} in made_of
        if (
            _bounds(parts).meets(total.interval)
            or explained
            or any(other.indicator_id == total.indicator_id for other in near)
        ):
            continue
        other = carried or made > total.value
        found = _misfit(total, parts, "办结与在办", "other base" if other else "contradiction")
        if made > total.value:
            found = replace(found, message=found.message + "；如含上期结转件，则两数口径不同")
        out.append(found)
    return out


def _complements(counts: Sequence[Item], relations: Sequence[Relation]) -> list[Relation]:
    """Two parts that are the whole between them (初件, 重件), right after their total."""
    pairs = codebooks.load("statistics")["complements"]
    held = {tuple(p.index for p in r.parts) for r in relations if r.holds}
    out = []
    for at in range(1, len(counts) - 1):
        first, second = counts[at], counts[at + 1]
        if (
            first.sentence != second.sentence
            or first.measure != second.measure
            or first.vague
            or second.vague
        ):
            continue
        if not any(a in first.indicator and b in second.indicator for a, b in pairs):
            continue
        total = next(
            (
                c
                for c in reversed(counts[max(0, at - 4) : at])
                if c.measure == first.measure
                and c.value >= max(first.value, second.value)
                and c.paragraph == first.paragraph
                and not c.vague
            ),
            None,
        )
        if total is None or (first.index, second.index) in held:
            continue
        parts = [first, second]
        if _bounds(parts).meets(total.interval):
            continue
        out.append(_misfit(total, parts, f"{first.indicator}与{second.indicator}"))
    return out


def _misfit(total: Item, parts: Sequence[Item], named: str, grade: str = "contradiction") -> Relation:
    """Parts whose sum is not their total, with the gap in words."""
    made, unit = sum(part.value for part in parts), total.unit or ""
    gap = made - total.value
    message = f"{named}之和为{number(made)}{unit}，与“{told(total)}”不符，{'多' if gap > 0 else '少'}{number(abs(gap))}{unit}"
    return Relation("sum", total, parts, total.value, made, _bounds(parts), False, grade, message)
