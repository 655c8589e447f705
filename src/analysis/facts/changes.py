"""Change and its base (变动与基期): 同比上升, 较上月减少, 比前三年平均数下降, 由…提升至…, 占…的."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REF = (
    r"(?:(?:19|20)\d\d年|上年度?|去年|前年|往年|历年|上个?月|上周|上一?个?季度?|上期|前[一二三四五两\d]年|全[国省市县区州]平均(?:水平|值)?|年初|同期|此前|以前|"
    r"(?:\d{1,2}|[一二三四五六七八九十]{1,2})月份?|第?[一二三四]季度|上一年度?|前期|基期|试点前|改革前|实施前|\d{4}年|[“\"]?十[一二三四五六七八九]五[”\"]?(?:时期|规划)?(?=期?[末初]))"
    r"(?:年?(?:同期|同月|同季度?|第?[一二三四]季度|\d{1,2}月份?|前三季度|[上下]半年|[年期]?[底末初]|平均水平|平均值|平均数?|均值|全年|的)){0,3}"
)
_BASE = re.compile(
    rf"(?:同比|环比|比|较|与|同|和|相比于?)(?P<ref>{_REF})(?:相比|相较|比较|比)?|(?P<plain>同比|环比)(?!例)"
    r"|(?P<level>高于|低于|高出|低出)(?P<than>[^,。;\d]{2,14})(?=$)"
)
_HINT = re.compile("[比较与和于出]")
_STANDARD = re.compile(r"(?:标准|要求|指标|目标|基准|底线)$")  # 低于最低标准92%: a limit, no base
_UP = "增长|上升|提高|提升|增加|增多|增涨|上涨|扩大|升高|攀升|上浮|回升|延长|增幅|涨幅|增速|升幅|增长率|增|升|涨|多|高"
_DOWN = (
    "下降|减少|降低|缩短|缩减|下滑|回落|降幅|减幅|下跌|压减|压缩|压降|收窄|节约|节省|下降率|减|降|少|低|跌"
)
_STRONG_UP = {w for w in _UP.split("|") if len(w) > 1}
_STRONG_DOWN = {w for w in _DOWN.split("|") if len(w) > 1}
_VERB = re.compile(
    rf"(?P<adverb>(?:分别|各|均|都|又|再|累计|大幅度?|明显|显著|同时|小幅|略微?|净|进一步|平均|总体|有所|依次|共|则|也|也都)*)"
    rf"(?P<verb>(?<!新)(?:{_UP}|{_DOWN}))(?:了|幅度?|率)?(?:分别)?(?:为|是|达到?|约|近|超过|超|逾|高达|不足|:|分别|均)*$"
)
_MOVED = re.compile("[增长升提加多涨扩攀浮延幅速高下减降缩滑落跌压收节少低]")
_LEAD_VERB = re.compile(rf"(?:{'|'.join(sorted(_STRONG_UP | _STRONG_DOWN, key=len, reverse=True))})")
_SHARE = re.compile(
    r"(?P<own>[^占]{0,120}?)(?:约|共|仅|只|各|分别|均|就|则)*占(?:比重?|到了?|据|了|有(?!效))?(?P<of>[^占,;]{0,24}?)"
    r"(?:的?比(?:重|例|数|率))?(?:的|最高,|最大,|最多,|较高,|较大,|最高|最大|最多|较高|较大|分别|均|各|为|是|达到?|约|近|超过|超|逾|到|:|高达|接近|将近|不足|不到)*$"
)
_FROM = re.compile(r"(?:由|从)(?P<ref>[^,;由从]{0,16}?)(?:的)?(?:约|近)?$")
_TO = re.compile(
    r"^(?:左右|以上)?(?:的)?(?P<verb>[^,;。]{0,8}?)(?P<to>到了?|至|为|成)(?:了|约|近)?(?P<when>[^,;。\d]{0,6}?)(?:的)?$"
)


@dataclass(frozen=True, slots=True)
class Base:
    """What a change is measured against: its words, and where in the text they begin and end."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Change:
    """A change read off the words before a number.

    Attributes
    ----------
    direction
        up or down.
    base
        同比, 环比, 与上月相比 …; ``None`` when the words name none.
    noun_start, noun_end
        The words before the number that name what changed: before the base, or between it and the verb.
    verb
        The word of change.
    """

    direction: str
    base: str | None
    noun_end: int
    verb: str
    noun_start: int = 0


def find_base(text: str) -> Base | None:
    """The last base that the words name."""
    found = None
    if _HINT.search(text) is None:
        return None
    for match in _BASE.finditer(text):
        # 同比前三年平均数: a mean of years is no 同期, the 同 is only a turn of phrase.
        words = match[0][1:] if match[0].startswith("同比") and "均" in match[0] else match[0]
        if match["than"] and _STANDARD.search(match["than"]):
            continue
        if match["plain"] and found is not None and found.end == match.start():
            # 较上月同比增长: the period named is the base, whatever it is called.
            found = Base(found.text, found.start, match.end())
            continue
        # 同期 alone after 和 is no base without 相比 or a comparing word.
        if match[0].startswith("和") and not match[0].endswith(("相比", "比")):
            continue
        found = Base(words.removesuffix("的"), match.start(), match.end())
    return found


def read(text: str, unit: str | None, inherited: str | None, *, has_right: bool = False) -> Change | None:
    """The change that ends right before a number, or ``None``.

    Parameters
    ----------
    text
        The words before the number, back to the last clause mark or number.
    unit
        Of the number: 多, 少, 高, 低 and single characters count only beside a base, a percentage or points.
    inherited
        Base named in an earlier clause of the sentence (与上月相比,…).
    has_right
        Whether a noun follows the number (增加5个窗口 counts windows).
    """
    base = find_base(text)
    match = _VERB.search(text) if _MOVED.search(text) else None
    relative = unit in ("%", "‰", "个百分点", "倍", "个千分点", "个基点")
    if base and base.end == len(text) and base.text.startswith(("高", "低")):
        return Change("up" if base.text[0] == "高" else "down", base.text, base.start, base.text[:2])
    if match is None:
        if (
            base is not None
            and relative
            and base.text in ("同比", "环比")
            and text[base.end :].strip("为是约") == ""
        ):
            return Change("up", base.text, base.start, "")
        return _object_change(text, unit, base) if relative and unit != "倍" else None
    verb = match["verb"]
    if re.match(r"自然增长率", text[match.start("verb") - 2 :]):
        return None  # a rate of its own
    if text[match.end("verb") : match.end("verb") + 1] == "率" and verb in (
        "压缩",
        "压减",
        "缩短",
        "缩减",
        "节约",
        "节省",
        "提升",
        "提高",
    ):
        return None  # 压缩率 is a rate of its own
    strong = verb in _STRONG_UP or verb in _STRONG_DOWN
    words = base.text if base else inherited
    if (
        not strong
        and not (words and (relative or verb in "多少增减升降高低"))
        and not (relative and verb in "增升降减涨跌")
    ):
        return None
    if strong and not relative and not words and has_right:
        return None
    before = text[match.start("verb") - 1 : match.start("verb")]
    if not strong and before and before in "最至新更较很极不提率过":
        return None
    noun_start, noun_end = 0, match.start()
    if base:
        inner = text[base.end : match.start()].strip(",的相比")
        noun_start, noun_end = (
            (base.end, match.start())
            if inner and base.start < match.start()
            else (0, min(match.start(), base.start))
        )
    direction = "up" if verb in _UP.split("|") else "down"
    return Change(direction, words, noun_end, verb, noun_start)


def _object_change(text: str, unit: str | None, base: Base | None) -> Change | None:
    """压减审批时间60%: the verb stands before what it changes."""
    match = _LEAD_VERB.search(text)
    if match is None or unit not in ("%", "个百分点", "‰"):
        return None
    if re.search(r"[率度比重例]$|达|为|占|至|到", text[match.end() :]) and unit == "%":
        return None
    if text.startswith("的", match.end()):
        return None  # 对增长的贡献
    verb = match[0]
    direction = "up" if verb in _STRONG_UP else "down"
    return Change(
        direction, base.text if base else None, match.start() if match.start() else match.end(), verb
    )


@dataclass(frozen=True, slots=True)
class Share:
    """占比: the words before 占 and what the share is taken of."""

    own: str
    of: str | None


def share(text: str) -> Share | None:
    """The share that ends right before a percentage."""
    if "占" not in text:
        return None
    match = _SHARE.search(text)
    if match is None:
        return None
    return Share(match["own"], match["of"].strip("的") or None)


def is_from(text: str) -> bool:
    """Whether the words before a number end in 由 or 从 (with a time at most)."""
    return _FROM.search(text) is not None


def is_to(between: str) -> str | None:
    """The verb between the two numbers of from … to …, or ``None``."""
    match = _TO.match(between)
    return match["verb"] if match else None
