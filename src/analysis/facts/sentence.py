"""One sentence read from left to right (逐句读数): each number is a change, a share, or a level, by what stands before it."""

from __future__ import annotations

import bisect
import calendar
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace

from . import acceptance, changes, clauses, dates, naming, numbers
from .acceptance import CLAUSE_MARK, EACH, LIMITED, RATIO_UNITS
from .clauses import Frame
from .context import EARLIER, Carry, in_base
from .dates import When
from .memory import MEMORY, Memory, label_units
from .numbers import Quantity
from .records import Statistic

_RATE_NAME = re.compile(r"(?:率|比例|比重|占比|度|比|指数|得分)$")
_RULE = re.compile(r"应当(?![一-鿿]{1,6}的)|应于|应在|必须|不得")
_LIMITS = ("内", "以内", "之内", "不超过", "不少于", "至少", "不低于", "最多", "以上", "以下")
_ZERO = re.compile(
    r"(?P<left>[^,;。:、\d]{0,24}?)零(?P<noun>发生|事故|投诉|差错|积压|上访|越级访|进京访|发案|新增|死亡|伤亡|逾期|超期|退件|感染|案件|信访|复议|诉讼|非访|重访)(?!率)"
)
_QUALIFIER = re.compile(r"(?:[日月年周人户]均|平均每.{1,6}|平均|最高|最多|最低|最少|单日|单日最高|高峰)")
_REMARK = re.compile(r"(?:含|包括|其中)?(?:旧存|上年结转|结转|新收|上期结存|上月结转|结存)")
_ALIKE = re.compile(r"(?:均|皆|都|各)(?:为|是|有|达到?|超过?|约|在|保持在|实现|近)*$")
_COUNTED_UP = re.compile(r"共有|(?:共|累计|已)(?:受理|接到|收到|办结|完成|办理|接待)|其中")
_SUMMED = re.compile(r"(?:以上|各项|两项|三项|四类|五类)?(?:合计|总计|共计)(?:为|达)?")
_MOVED_NOUN = re.compile(
    r"(?:其中)?(?P<noun>[^,;:\d]{2,12}?)(?:有所|明显|大幅|持续|略有)?(?:减少|下降|增加|上升|增长|提高|回落)$"
)
_NO_NOUN = re.compile(r"增长率|增幅|增速|降幅|[年月]均?|[两三四五]年(?:平均|年均)?|平均")
_CONTRIBUTION = re.compile(r"贡献|拉动")
_NAME = 30
_CHAIN = 4


def read_sentence(
    text: str,
    blanked: str,
    covered: bytearray,
    start: int,
    end: int,
    quantities: Sequence[Quantity],
    times: Sequence[When],
    carry: Carry,
    records: list[Statistic],
) -> None:
    """Read one sentence and add its records.

    Parameters
    ----------
    text, blanked, covered
        The view, the view with dates and number-free brackets filled, and what measures nothing.
    start, end
        The sentence.
    quantities, times
        What stands in it, in order.
    carry, records
        What earlier sentences leave, and the list that grows.
    """
    _zeros(text, covered, start, end, times, carry, records)
    if not quantities:
        return
    found = clauses.frames(text, blanked, start, end, quantities)
    runs = dict(clauses.runs(found))
    first = len(records)
    state = _Sentence(text, start, times, carry, records, first)
    k = 0
    while k < len(found):
        if k in runs and state.deal(found[k : runs[k]]):
            k = runs[k]
        elif k + 1 < len(found) and state.pair(found[k], found[k + 1]):
            k += 2
        else:
            state.single(found, k)
            k += 1
    carry.group += 1


class _Sentence:
    """The reading of one sentence: what was read before decides what the next number is about."""

    def __init__(
        self,
        text: str,
        start: int,
        times: Sequence[When],
        carry: Carry,
        records: list[Statistic],
        first: int,
    ) -> None:
        self.text, self.start, self.times = text, start, times
        self.carry, self.records, self.first = carry, records, first
        self.memory = Memory(text, start, records, first)
        self.time_starts = [w.start for w in times]
        self.base: str | None = None
        self.announced: str | None = None  # 与上月相比, said for the whole sentence
        self.sharing = False
        self.parent: int | None = None
        self.scope = ""
        self.subject = carry.subject
        self.queue: list[tuple[str, int | None]] = []
        self.rule = False

    def single(self, found: list[Frame], k: int) -> None:
        """A number by itself: a change, a share, or a level."""
        frame = found[k]
        self._see_lead(frame)
        quantity = frame.quantity
        if (frame.bracketed and self._bracketed_base(frame)) or self._named_base(frame):
            return
        if self._base_value(frame, found[k + 1] if k + 1 < len(found) else None):
            return
        if self._alike(frame):
            return
        if frame.chained and self._chained_change(frame):
            return
        change = changes.read(frame.raw, quantity.unit, self.base, has_right=bool(frame.right))
        if change:
            self._queue_up(found, k)
            self._change(frame, change, self._own_noun(frame, change))
            return
        if (quantity.unit in RATIO_UNITS or quantity.unit is None) and (shared := self._shared(frame)):
            inner = self.memory.in_bracket(frame)
            reference = inner if inner is not None else self.memory.level_before(counts=True)
            own = naming.trim(shared.own) or self._enumerated(frame)
            if not own and inner is None and frame.bracketed and not self.memory.number_before(frame):
                own = naming.trim(re.split("[、,;:]|集中在|集中于", frame.lead.rstrip("("))[-1])
            if not own and reference is None:
                # 主要集中在甲县、乙县,占总数的八成: the end of the clause before, else what the share is of.
                clause = re.split("[,;:]", frame.lead.rstrip(",:"))[-1]
                own = naming.trim(re.split("[的在]", clause)[-1])[:_NAME] or shared.of or ""
            if own or reference is not None:
                name = own or self.records[reference].indicator  # type: ignore[index]
                self._add(
                    frame,
                    _share_name(name),
                    "rate",
                    share=True,
                    share_of=shared.of,
                    part_of=None if own else reference,
                )
                self.sharing = True
                return
        if self._bare_share(frame) or not acceptance.counts(self.text, found, k):
            return
        self._level(found, k)

    def _shared(self, frame: Frame) -> changes.Share | None:
        """The share that a number states, also where its clause is cut in two (占…比例最高,达92%)."""
        shared = changes.share(frame.left)
        if shared is None and not naming.trim(frame.left):
            last = re.split("[,;:(]", frame.lead.rstrip(","))[-1]
            if re.search(r"占.{1,20}?比[例重率]?(?:最高|最大|最多|较高|较大)$", last):
                shared = changes.share(f"{last},{naming.plain(frame.left)}")
        return shared

    def _enumerated(self, frame: Frame) -> str:
        """园林类,占31%;集市类,占22%: members of a list that are named without a count."""
        if frame.bracketed or not frame.between[: len(frame.between) - len(frame.left)].endswith(","):
            return ""
        opening = "^|" if len(self.records) == self.first else ""
        clause = re.search(rf"(?:{opening}[。;:])([^。;:,]{{2,20}})$", frame.lead)
        name = naming.trim(clause[1]) if clause else ""
        kind = re.search(r"(?:类|方面|领域|问题|事项|纠纷)$", name)
        return name if len(name) >= 2 and (kind or not naming.has_verb(name)) else ""

    def _bare_share(self, frame: Frame) -> bool:
        """咨询类5.2万个(53.1%): a percentage alone in the bracket right behind a count is its share."""
        if frame.quantity.unit != "%" or not frame.bracketed or naming.plain(frame.left) or frame.right:
            return False
        if not self.memory.number_before(frame) or self.records[-1].kind not in ("count", "money", "area"):
            return False
        name = _share_name(self.records[-1].indicator)
        self._add(frame, name, "rate", share=True, part_of=len(self.records) - 1)
        return True

    def _alike(self, frame: Frame) -> bool:
        """甲、乙…己各1件, 清理、整改比例均达100%: one record a member of the list."""
        match = _ALIKE.search(frame.raw)
        if match is None or "、" not in frame.left[: match.start()]:
            return False
        subject, words = naming.split_subject(naming.trim(frame.left[: match.start()]))
        each = match[0].startswith("各")
        if "、" not in words and each:
            subject, words = None, naming.trim(frame.left[: match.start()])
        names = naming.labels(words)
        if len(names) < 2 or (not each and not _RATE_NAME.search(names[-1])):
            return False
        for name in names:
            self._add(
                frame, naming.trim(name) + (frame.right if each else ""), frame.quantity.kind, subject=subject
            )
        return True

    def _level(self, found: list[Frame], k: int) -> None:
        frame = found[k]
        quantity = frame.quantity
        left = naming.trim(frame.left)
        subject, predicate = naming.split_subject(left)
        right, right_end = frame.right, frame.right_end
        chain = self._chain(found, k)
        if chain:
            # 438批1163人次: the words before, or after the last, name both.
            last = chain[-1]
            head = chain[0]
            left = naming.trim(head.left)
            subject, predicate = naming.split_subject(left)
            right = last.right
        if right:
            right = self._shared_tail(found, k, right)
            verb = naming.trailing_verb(predicate)
            if not predicate and k and not CLAUSE_MARK.search(frame.between):
                predicate = self.scope
            self.scope = _scope(predicate)
            if len(predicate) <= 6 or _scope(predicate):
                verb = _scope(predicate) or predicate
            elif "对" in predicate[-12:-1]:
                verb = predicate[predicate.rindex("对") + 1 :]
            indicator = verb + right
        else:
            indicator = predicate
        if not indicator and quantity.kind == "duration" and quantity.approx:
            indicator = self._rest(frame)
        if (
            not indicator
            and _SUMMED.fullmatch(naming.plain(frame.left))
            and len(self.records) - self.first >= 2
        ):
            indicator = "合计"  # 甲70件、乙19件,合计89件
        if not indicator:
            indicator = self._inherited(frame)
        if (
            frame.bracketed and _REMARK.match(naming.plain(frame.left)) or _QUALIFIER.fullmatch(indicator)
        ) and len(indicator) <= 10:
            indicator = self._completed(indicator, frame)
        if chain and indicator:
            indicator = f"{indicator}({'批次' if quantity.unit == '批' else quantity.unit})"
        kind = quantity.kind
        share = False
        if (
            kind == "rate"
            and quantity.unit == "%"
            and self.sharing
            and not right
            and not _RATE_NAME.search(indicator)
        ):
            indicator, share = _share_name(indicator), True
        if kind == "rate" and quantity.unit == "个百分点" and not _CONTRIBUTION.search(indicator):
            kind = "change"
        self._add(frame, indicator, kind, subject=subject, share=share, right_end=right_end)

    def _own_noun(self, frame: Frame, change: changes.Change) -> str:
        noun = naming.trim(frame.left[change.noun_start : change.noun_end])
        if (
            change.noun_start
            and (before := naming.trim(frame.left[: change.noun_start].split("同比")[0].split("环比")[0]))
            and self._is_name(before)
        ):
            noun = before + noun if not label_units(noun) or before not in noun else noun
        if _NO_NOUN.fullmatch(noun) or not change.verb and noun:
            noun = ""
        _, predicate = naming.split_subject(noun)
        return predicate

    def _change(self, frame: Frame, change: changes.Change, noun: str) -> None:
        reference = None
        if self.queue:
            noun, reference = self.queue.pop(0)
        elif not noun and (moved := _MOVED_NOUN.match(re.split("[,;:]", frame.lead.rstrip(","))[-1])):
            noun = naming.trim(moved[1])  # 参保人数减少,同比下降7%
            reference = self.memory.matching(noun)
        elif not noun:
            reference = self._level_of(frame.quantity.unit)
            noun = self.records[reference].indicator if reference is not None else ""
        else:
            reference = self.memory.matching(noun)
            noun = self.memory.as_unit_label(noun, reference) or noun
        if not noun and not frame.right:
            noun = self._inherited(frame)
        base = change.base or self._base_of_whole(reference)
        direction = change.direction
        if frame.quantity.negative:
            direction = "down" if direction == "up" else "up"
        self._add(frame, noun or frame.right, "change", direction=direction, base=base, part_of=reference)
        if change.base:
            self.base = change.base

    def _level_of(self, unit: str | None) -> int | None:
        """The level that a change without a noun speaks of; 增加5条 is of a count of its unit, not of the rate before it."""
        last = self.memory.level_before()
        if (
            last is None
            or unit in (*RATIO_UNITS, "倍", "个百分点", None)
            or self.records[last].kind != "rate"
        ):
            return last
        own = range(self.first, len(self.records))
        return next((i for i in own if self.records[i].level and self.records[i].quantity.unit == unit), last)

    def _base_of_whole(self, reference: int | None) -> str | None:
        """总值…,比上年下降4%。其中甲…,增长3%: the parts are compared as their whole is."""
        whole = self.records[reference].part_of if reference is not None else None
        if whole is None:
            return None
        following = self.records[whole + 1 : whole + 3]
        return next((r.base for r in following if r.kind == "change" and r.part_of == whole and r.base), None)

    def _is_name(self, words: str) -> bool:
        """Whether words before a base name something, and are no base of their own (较上月)."""
        return changes.find_base(words) is None and len(words) > 1

    def _chained_change(self, frame: Frame) -> bool:
        """较上月减少3批9人次: the second number changes as the first does."""
        if len(self.records) == self.first:
            return False
        last = self.records[-1]
        if (
            last.kind != "change"
            or last.quantity.end != frame.quantity.start
            or last.quantity.unit in ("%", "个百分点")
        ):
            return False
        reference = next(
            (
                i
                for i in range(len(self.records) - 1, max(-1, len(self.records) - 12), -1)
                if self.records[i].level and self.records[i].quantity.unit == frame.quantity.unit
            ),
            None,
        )
        earlier = next(
            (
                i
                for i in range(len(self.records) - 1, max(-1, len(self.records) - 12), -1)
                if self.records[i].level and self.records[i].quantity.unit == last.quantity.unit
            ),
            None,
        )
        if reference is not None and earlier is not None:
            last.part_of, last.indicator = earlier, self.records[earlier].indicator
        name = self.records[reference].indicator if reference is not None else last.indicator
        self._add(frame, name, "change", direction=last.direction, base=last.base, part_of=reference)
        return True

    def _queue_up(self, found: list[Frame], k: int) -> None:
        """分别增长5%、下降3.2%和持平: each has a verb of its own, the order still deals them out."""
        frame = found[k]
        if not re.search("分别|依次", frame.raw) or self.queue:
            return
        size = 1
        stop = frame.quantity.end
        for following in found[k + 1 : k + 1 + MEMORY]:
            if CLAUSE_MARK.search(following.between) or not changes.read(
                following.raw, following.quantity.unit, "同比"
            ):
                break
            size += 1
            stop = following.quantity.end
        rest = re.match(r"[^,;。:\n]*", self.text[stop : stop + 60])
        size += len(re.findall(r"持平", rest[0])) if rest else 0
        if size < 2:
            return
        base = changes.find_base(frame.raw)
        words = frame.left[: re.search("分别|依次", frame.left).start()]  # type: ignore[union-attr]
        words = words[: base.start] if base and base.start < len(words) else words
        names = [n for n in (naming.trim(m) for m in naming.labels(self._without_subject(words))) if n]
        if len(names) == size:
            self.queue = [(name, self.memory.matching(name)) for name in names]
            return
        joined = re.findall("来[信访电网]|网[上络]?信访?", names[0]) if len(names) == 1 else []
        if len(joined) == size:
            self.queue = [(name, self.memory.matching(name)) for name in joined]  # 来信来访来电
            return
        levels = self.memory.levels_before(size, counts=False)
        if len(levels) == size:
            self.queue = [(self.records[i].indicator, i) for i in levels]

    def _base_value(self, frame: Frame, following: Frame | None) -> bool:
        """比上年同期847件少297件: the first number is the level of the base."""
        base = changes.find_base(frame.raw)
        if base is None or following is None or frame.quantity.unit in RATIO_UNITS:
            return False
        if (
            frame.raw[base.end :].strip("的为")
            or base.text in ("同比", "环比")
            or base.text.endswith(("相比", "比"))
            and len(base.text) < 3
        ):
            return False
        if changes.read(following.raw, following.quantity.unit, base.text) is None:
            return False
        reference = self.memory.level_before()
        name = naming.trim(frame.left[: base.start]) or (
            self.records[reference].indicator if reference is not None else ""
        )
        period = re.sub("^(?:同比|环比|[比较与同和])|相比$", "", base.text)
        self._add(frame, name, frame.quantity.kind, note="base", period_words=period, part_of=reference)
        if base.text in ("同比去年", "同比上年") and reference is not None:
            # 三季度…,同比去年…件: the same quarter of last year.
            self.records[-1].period_start = _year_before(self.records[reference].period_start)
            self.records[-1].period_end = _year_before(self.records[reference].period_end)
        self.base = base.text
        return True

    def _named_base(self, frame: Frame) -> bool:
        """448件,上月为520件: a clause that names only an earlier period holds the level of the base."""
        if naming.trim(frame.left) or frame.right or frame.quantity.unit in RATIO_UNITS:
            return False
        inside = [w for w in self.times if frame.left_start <= w.start < frame.quantity.start]
        reference = self.memory.level_before()
        if reference is None or reference < self.first or not inside or not EARLIER.match(inside[-1].text):
            return False
        if self.records[reference].quantity.unit != frame.quantity.unit:
            return False
        self._add(
            frame,
            self.records[reference].indicator,
            frame.quantity.kind,
            note="base",
            when=inside[-1],
            part_of=reference,
        )
        return True

    def _bracketed_base(self, frame: Frame) -> bool:
        """较上周(14907个)上升: the bracket holds the level of the base."""
        inside = [w for w in self.times if frame.left_start <= w.start < frame.quantity.start]
        if (
            inside
            and not naming.plain(frame.left)
            and len(self.records) > self.first
            and self.records[-1].kind == "change"
        ):
            # 增长22.9%(4月份70封): the level of the month before.
            reference = self.memory.level_before()
            name = self.records[reference].indicator if reference is not None else ""
            self._add(frame, name, frame.quantity.kind, note="base", when=inside[-1], part_of=reference)
            return True
        words = self.text[max(self.start, frame.left_start - 16) : frame.left_start].removesuffix("(")
        base = changes.find_base(words)
        if base is None or base.end != len(words) or frame.quantity.unit in RATIO_UNITS:
            return False
        reference = self.memory.level_before()
        name = self.records[reference].indicator if reference is not None else ""
        self._add(
            frame,
            name,
            frame.quantity.kind,
            note="base",
            period_words=re.sub("^(?:同比|环比|[比较与同和])", "", base.text),
            part_of=reference,
        )
        self.base = base.text
        return True

    def pair(self, first: Frame, second: Frame) -> bool:
        """由62.3%提升至74.45%: two levels of one indicator."""
        if not changes.is_from(first.raw) or changes.is_to(naming.plain(second.between)) is None:
            return False
        self._see_lead(first)
        words = re.sub(r"(?:由|从)[^由从]*$", "", first.left)
        name = naming.split_subject(naming.trim(words))[1]
        reference = self.memory.level_before() if not name else None
        if not name:
            name = (
                self.records[reference].indicator
                if reference is not None
                else naming.trim(first.lead.split(",")[-1]) or second.right
            )
        unit = first.quantity.unit or second.quantity.unit
        for frame, note in ((first, "from"), (second, "to")):
            frame.quantity = replace(frame.quantity, unit=frame.quantity.unit or unit)
            self._add(frame, name, frame.quantity.kind, note=note, left_start=first.left_start)
        return True

    def deal(self, run: list[Frame]) -> bool:
        """Numbers of a list, dealt out in order to labels, years, or the levels stated before (分别)."""
        first = run[0]
        self._see_lead(first)
        spread = re.search("分别|依次", first.raw) or re.search("各(?!级|类|地|项|种)", first.raw)
        change = changes.read(first.raw, run[-1].quantity.unit, self.base)
        shared = changes.share(first.left) if run[-1].quantity.unit in RATIO_UNITS else None
        if not spread and not change and not shared and not self._years(first):
            return False
        if any(frame.right for frame in run[:-1]):
            return False
        unit = run[-1].quantity.unit
        scale = numbers.multiplier(self.text, run[-1].quantity)
        words = first.left[: spread.start()] if spread else first.left
        after = first.left[spread.end() :] if spread else ""
        base = changes.find_base(first.raw[: len(words)])
        if base:
            stop = change.noun_end if change else len(words)
            words = words[: base.start] + words[base.end : max(stop, base.end)]
        if shared and not spread:
            words = shared.own
        names = [n for n in (naming.trim(m) for m in naming.labels(self._without_subject(words))) if n]
        if len(names) != len(run) and (shared or spread):
            names = self._announced(first, len(run)) or names
        years = self._years(first)
        targets: list[tuple[str, int | None, When | None]]
        run = self._ungroup(
            run, [n * max(1, len(years)) for n in {len(names) or 1, 1, 2}] if years else [len(names)]
        )
        size = len(run)
        if years and len(years) * max(1, len(names)) == size:
            stems = names or [re.split("连续|持续|逐年|呈", self._inherited(first))[0]]
            targets = [(stem, None, year) for year in years for stem in stems]
        elif years and size % len(years) == 0 and len(names) <= 1:
            each = size // len(years)
            stems = _split_compound(names[0] if names else "", each)
            targets = [(stem, None, year) for year in years for stem in stems]
        elif len(names) == size:
            targets = [(name, self.memory.matching(name), None) for name in names]
        else:
            found = self.memory.levels_before(size, counts=bool(shared)) if (change or shared) else []
            if len(found) == size:
                targets = [(self.records[i].indicator, i, None) for i in found]
            elif names:
                targets = [(names[0], None, None)] * size
            else:
                return False
        for frame in run:
            loose = frame.quantity.unit is None or (frame.quantity.unit == "个" and unit == "个百分点")
            if loose and frame.quantity.note != "千分位":
                q = frame.quantity
                # 分别为3.2、1.5、4.8亿元: the last one's multiplier is the others' too.
                factor = scale if q.number_end == q.end and "." in self.text[q.start : q.end] else 1.0
                frame.quantity = replace(
                    q, unit=unit, value=numbers.scaled(q.value, factor), step=q.step * factor
                )
        suffix = "" if change or shared or years else naming.trim(after)
        for frame, (name, reference, year) in zip(run, targets, strict=True):
            frame_change = change
            if change:
                label = self.memory.as_unit_label(name, reference) or name
                self._add(
                    frame,
                    label,
                    "change",
                    direction=_turn(frame_change.direction, frame.quantity),  # type: ignore[union-attr]
                    base=frame_change.base,  # type: ignore[union-attr]
                    part_of=reference,
                    left_start=first.left_start,
                    when=year,
                )
            elif shared:
                self._add(
                    frame,
                    _share_name(name),
                    "rate",
                    share=True,
                    share_of=shared.of,
                    part_of=reference,
                    left_start=first.left_start,
                    when=year,
                )
            else:
                points = frame.quantity.unit == "个百分点" and not _CONTRIBUTION.search(name)
                kind = "change" if points else frame.quantity.kind
                self._add(
                    frame,
                    name + suffix if suffix not in name else name,
                    kind,
                    left_start=first.left_start,
                    when=year,
                )
        if change and change.base:
            self.base = change.base
        return True

    def _announced(self, first: Frame, size: int) -> list[str]:
        """主要集中在甲、乙、丙等领域,分别占…: the list of as many members in the clause before."""
        clause = re.split("[,;:]", first.lead.rstrip(",:"))[-1]
        listed = re.split("(?:集中|表现|反映|体现)在|涉及|分别是|依次是|[是为]", clause)[-1]
        names = [naming.trim(n) for n in naming.labels(re.sub("等[^、]{0,8}$", "", listed))]
        return names if len(names) == size > 1 and all(names) else []

    def _see_lead(self, frame: Frame) -> None:
        """What the clauses before a number say once: the base, the parent of 其中."""
        raw_lead = self.text[max(self.start, frame.quantity.start - len(frame.between)) : frame.left_start]
        base = changes.find_base(raw_lead) if raw_lead else None
        if base and not raw_lead[base.end :].strip(",、的"):
            self.base = self.announced = base.text
        elif ";" in frame.between:
            self.base = self.announced  # a base that a change named in passing ends with its clause
        if frame.bracketed:
            pass  # 325件(其中甲210件)、乙315件: what the bracket parts ends with it
        elif "其中" in frame.between or frame.raw.startswith("含"):
            self.parent = self.memory.level_before(counts=True)
            self.sharing = False
        elif (
            ";" in frame.between and self.parent is not None and self.records[self.parent].part_of is not None
        ):
            self.parent = self.records[self.parent].part_of  # the breakdown of a part ends with its clause

    def _without_subject(self, words: str) -> str:
        words = naming.plain(words)
        return naming.split_subject(words)[1] if "、" not in words.split("分别")[0][:30] else words

    def _chain(self, found: list[Frame], k: int) -> list[Frame]:
        a, b = k, k + 1
        while found[a].chained and k - a <= _CHAIN:
            a -= 1
        while b < len(found) and found[b].chained and b - k <= _CHAIN:
            b += 1
        return found[a:b] if 1 < b - a <= _CHAIN else []

    def _shared_tail(self, found: list[Frame], k: int, right: str) -> str:
        """1个全国、2个全省示范所: what only the last of a list bears belongs to all."""
        if k + 1 >= len(found):
            return right
        following = found[k + 1]
        gap = self.text[found[k].quantity.end : following.quantity.start]
        if (
            not gap.endswith(("、", "和", "及"))
            or found[k].quantity.unit != following.quantity.unit
            or not following.right
        ):
            return right
        scope = re.match(
            r"(.*?)(全国|全省|全市|国家级|省级|市级|县级|区级|省部级|[\w]{0,4}[部厅局委])", following.right
        )
        if (
            scope
            and right.startswith(scope[1])
            and re.search(r"(?:全国|全省|全市|级|部|厅|局|委|省|市)$", right)
        ):
            return right + following.right[scope.end() :]
        return right

    def _inherited(self, frame: Frame) -> str:
        """The words of the clauses before, when the number's own clause has none."""
        for clause in reversed(re.split(r"[,;:()]", frame.lead)):
            words = naming.split_subject(naming.trim(clause))[1]
            if words and len(words) <= 24:
                return words
        reference = self.memory.level_before()
        return self.records[reference].indicator if reference is not None and reference >= self.first else ""

    def _rest(self, frame: Frame) -> str:
        """What is done within a time: the clause after 1小时内, its other numbers left out."""
        clause = re.match(r"[^,;。:!?\n]*", self.text[frame.quantity.end : frame.quantity.end + 60])
        words = clause[0] if clause else ""
        return naming.right(re.sub(r"^(?:将|把|就|即|能|可)|\d+[\w]?|千名|百名", "", words))[:30]

    def _completed(self, indicator: str, frame: Frame) -> str:
        """旧存 in a bracket after 受理诉讼案件879件 is 旧存诉讼案件; 日均 after 话务总量 is 日均话务总量."""
        reference = self.memory.level_before(counts=True)
        if reference is None:
            return indicator
        whole = self.records[reference].indicator
        noun = naming.without_verbs(whole)
        noun = noun if len(noun) > 1 else whole
        return indicator + noun if noun and noun not in indicator else indicator

    def _years(self, first: Frame) -> list[When]:
        """Years listed before a run of numbers: 2015、2016、2017年."""
        stop = bisect.bisect_left(self.time_starts, first.quantity.start)
        before = self.times[max(0, stop - 12) : stop]
        listed = [year for w in before for year in w.each()]
        multiple = any(len(w.each()) > 1 for w in before)
        return listed if multiple or (len(listed) > 1 and all("year" in w.parts for w in listed)) else []

    def _ungroup(self, run: list[Frame], sizes: Sequence[int]) -> list[Frame]:
        """分别为345、456,567: a number with a comma is two where the labels want one more."""
        if len(run) in sizes or not any(f.quantity.note == "千分位" for f in run):
            return run
        split: list[Frame] = []
        for frame in run:
            q = frame.quantity
            digits = self.text[q.start : q.number_end]
            if q.note != "千分位" or not digits.replace(",", "").isdigit():
                split.append(frame)
                continue
            at = q.start
            parts = digits.split(",")
            for n, part in enumerate(parts):
                last = n == len(parts) - 1
                piece = replace(
                    q,
                    start=at,
                    end=q.end if last else at + len(part),
                    number_end=at + len(part),
                    value=float(part),
                    note=None,
                    confidence=0.7,
                )
                split.append(replace(frame, quantity=piece, left="" if n else frame.left))
                at += len(part) + 1
        return split if len(split) in sizes else run

    def _add(
        self,
        frame: Frame,
        indicator: str,
        kind: str,
        *,
        subject: str | None = None,
        direction: str | None = None,
        base: str | None = None,
        share: bool = False,
        share_of: str | None = None,
        part_of: int | None = None,
        note: str | None = None,
        left_start: int | None = None,
        right_end: int | None = None,
        when: When | None = None,
        period_words: str | None = None,
    ) -> None:
        q = frame.quantity
        if subject:
            self.subject = subject
            if len(self.records) == self.first:
                self.carry.subject = subject  # the first of a sentence speaks for the next ones too
        time, words = self._time(frame, when, period_words)
        whole = (
            self.carry.reference.period if words is None else None
        )  # of the title, where nothing else is said
        start_day, end_day = time.resolve(self.carry.reference) if time else whole or (None, None)
        limited = LIMITED.search(frame.raw)
        if q.approx is None and limited:
            q = replace(q, approx=limited[1])
        if part_of is None and (frame.bracketed or self.parent is not None):
            part_of = self.parent if not frame.bracketed else self.memory.level_before(counts=True)
            if part_of is not None and self.records[part_of].quantity.unit != q.unit:
                chained = (
                    part_of > 0
                    and self.memory.chained(part_of)
                    and self.records[part_of - 1].quantity.unit == q.unit
                )
                part_of = part_of - 1 if chained else None
        if q.negative and direction is None:
            q = replace(q, value=-abs(q.value))
        begin = frame.left_start if left_start is None else left_start
        while begin < q.start and self.text[begin] in " ,、和及;:":
            begin += 1
        record = Statistic(
            q,
            begin,
            right_end if right_end is not None else q.end,
            indicator,
            kind,
            words,
            start_day,
            end_day,
            subject or self.subject,
            direction if kind == "change" else None,
            base if kind == "change" else None,
            self._is_target(frame, time),
            self.carry.group,
            share_of,
            part_of,
            note or (None if q.note == "千分位" else q.note),
            frame.bracketed,
            confidence=_confidence(q, indicator),
            share=share,
        )
        self.records.append(record)

    def _time(self, frame: Frame, when: When | None, words: str | None) -> tuple[When | None, str | None]:
        if words is not None:
            found = dates.find(words)
            return (found[0] if found else None), words
        if when is not None:
            return when, when.text
        if each := EACH.search(frame.raw):
            return None, each[0]
        time = self.carry.when
        for k in range(bisect.bisect_left(self.time_starts, frame.quantity.start) - 1, -1, -1):
            w = self.times[k]
            own = w.start >= frame.left_start
            if not own and (EARLIER.match(w.text) or _closed(self.text, w.end, frame.quantity.start)):
                continue  # 23封(上月31封),办结率100%: last month ends with its clause
            if not w.text.endswith("同期") and not in_base(self.text, w, self.start):
                time = w
                break
        return time, (time.text if time else None)

    def _ahead(self, time: When) -> bool:
        published = self.carry.reference.published
        _, end = time.resolve(self.carry.reference)
        return published is None or end is None or end >= published

    def _is_target(self, frame: Frame, time: When | None) -> bool:
        sentence = self.text[max(self.start, frame.quantity.end - 200) : frame.quantity.end]
        lead = frame.lead.rstrip(",;:、").rsplit(",", 1)[-1]
        clause = (
            self.text[frame.left_start - len(lead) - 1 : frame.left_start] if len(lead) <= 12 else ""
        ) + frame.raw
        if naming.target("result", clause):
            return False
        if time is not None and time.is_future_goal and self._ahead(time):
            return True
        if _RULE.search(frame.raw) or _RULE.search(frame.lead):
            self.rule = True
        if self.rule and (frame.quantity.kind == "duration" or (frame.quantity.approx or "") in _LIMITS):
            return True
        if (
            naming.target("clause", clause)
            or (frame.quantity.approx or "") in ("至少", "不少于", "不低于")
            and naming.target("clause", sentence)
        ):
            return True
        return self.carry.target and not self._reported(frame, time)

    def _reported(self, frame: Frame, time: When | None) -> bool:
        """What a section of plans tells of the past: counted up, received, or of a period that is over."""
        if _COUNTED_UP.search(frame.lead + frame.raw):
            return True
        published = self.carry.reference.published
        _, end = time.resolve(self.carry.reference) if time else (None, None)
        return published is not None and end is not None and end < published


def _zeros(
    text: str,
    covered: bytearray,
    start: int,
    end: int,
    times: Sequence[When],
    carry: Carry,
    records: list[Statistic],
) -> None:
    """执法安全事故零发生: the value is 0, the unit is not in the text."""
    for match in _ZERO.finditer(text, start, end):
        at = match.end("left")
        if covered[at]:
            continue
        name = naming.split_subject(naming.trim(match["left"]))[1]
        name = re.sub(r"^(?:实现|确保|保持|做到|连续)+了?", "", name)
        noun = match["noun"]
        if noun not in ("发生",):
            name = name + noun if name else noun
        q = Quantity(at, at + 1 + len(noun), at + 1, 0.0, None, None, 1.0, True, chinese=True, confidence=0.8)
        time = times[-1] if times and times[-1].start < at else carry.when
        days = time.resolve(carry.reference) if time else (None, None)
        target = naming.target("clause", match["left"]) and not naming.target("result", match["left"])
        records.append(
            Statistic(
                q,
                match.start(),
                match.end(),
                name,
                "count",
                time.text if time else None,
                *days,
                carry.subject,
                target=bool(target or carry.target),
                group=carry.group,
            )
        )


def _year_before(day: dt.date | None) -> dt.date | None:
    if day is None:
        return None
    last = calendar.monthrange(day.year - 1, day.month)[1]
    return day.replace(year=day.year - 1, day=min(day.day, last))


def _closed(text: str, start: int, end: int) -> bool:
    """Whether a bracket that was open at ``start`` closes before ``end``."""
    closing = text.find(")", start, min(end, start + 80))
    return closing >= 0 and "(" not in text[start:closing]


def _share_name(name: str) -> str:
    return name if re.search(r"(?:占比|比重|比例)$", name) else name + "占比"


def _scope(predicate: str) -> str:
    """The words that a preposition puts before a number: 对信访复查复核, 在全市, 将村里的."""
    match = re.search(r"(?:^|[^针相])(?:对|将|把|在|为|向)(?P<noun>[^,;对将把在为向]{1,14})$", predicate)
    return match["noun"] if match else ""


def _turn(direction: str, quantity: Quantity) -> str:
    if not quantity.negative:
        return direction
    return "down" if direction == "up" else "up"


def _split_compound(name: str, each: int) -> list[str]:
    """收结案 for two numbers a year is 收案 and 结案."""
    if each == 2:
        match = re.search(r"(收)(结)(案)", name)
        if match:
            return [
                name[: match.start()] + "收案" + name[match.end() :],
                name[: match.start()] + "结案" + name[match.end() :],
            ]
    return [name] * each


def _confidence(quantity: Quantity, indicator: str) -> float:
    score = quantity.confidence
    if quantity.unit is None:
        score = min(score, 0.7)
    if quantity.chinese:
        score = min(score, 0.8)
    if not indicator:
        score = min(score, 0.4)
    if abs(quantity.value) >= 1e13:
        score = min(score, 0.2)
    return score
