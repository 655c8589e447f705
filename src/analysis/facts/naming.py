"""Names of indicators (指标名): the text's own words cut to what is measured, and its entry in the registry."""

from __future__ import annotations

import functools
import re

from .. import codebooks

_FILL = re.compile(r"[\x00\x01\s]+")
_AFTER_DATE = re.compile(
    r"^[\s\x00]*\x01+[\s\x00]*(?:以来|期间|来|的|底|末|初|中|里|内|间|后|前|上|以|起|,)*"
)
_LEADING = re.compile(
    r"^(?:0?\d{1,2}[、.)](?=\D)|>|[①-⑳]|其中|此外|当中|另外|另有|另|同时|并且|并|还|而|且|据统计|据悉|据了解|共计|一共|共有|共|累计|已经|已|成功(?!率|[、,]|$)|先后|现已|现有|现|仅|就|又|再|也|仍|均|都|"
    r"各(?!类|级|地|部|县|市|区|乡|镇|项|种|单位|位|方|界|有关|族|街|村|派)|分别|总计|合计|全部|和(?![平谐睦])|及(?!时)|以及|与|等|期间|以来|通过|全年|截至|截止|今年|目前|"
    r"主要是|依次|力争|确保|计划|争取|努力|预计|每(?:半年|季度?|个?月|年|周|天|日)|至少|不少于|在此基础上|含有|含|包括|包含|的|,|、|:|;|“(?=[^”]*$)|有一群|一群|位于|地处)+"
)
_TRAILING = re.compile(
    r"(?:共计|总计|合计|累计|总共|一共|共有|共达|达到了|达到|达|高达|多达|为|是|有|约|大约|近|将近|接近|超过|超|突破|仅为|仅有|仅|只有|分别|依次|均|都|各|已|了|的|:|至|到|"
    r"保持在|稳定在|维持在|控制在|保持|稳定|共|就是|就|在|不少于|不低于|不超过|不足|不到|至少|最多|逾|“|以|上|,|平均|由|从|还|一个|下降至|上升至|提升至|提高到|增至|降至)+$"
)
_TRAILING_KEEP = re.compile(
    r"(?:行为|作为|[接收受得遇]到|以上|网上|[日月年人户件]均|线上|进度?至|保有|共有|所有|拥有|享有|含有|掌上|指尖上)$"
)
_RIGHT_LEAD = re.compile(r"^(?:的|由|个|左右|多|余|次|组成的|以上的|规模的?|了|,|:)+")
_RIGHT_EMPTY = re.compile(
    r"^(?:的|了|中|内|时|后|上|等|多|之多|左右|不等|,|在|为|将|就|即|人|之间|间|段|”)*$"
)
_WHOLE_PLACE = re.compile(
    r"(?:全[国省市县区州镇乡]|我[省市县区州局院]|本[省市县区州局院])(?=.{2})(?!(?:面|体|部)|.?范围)"
)
# 到市, 中、省 and the like say where to or from whom, not who acts.
_NO_SUBJECT = re.compile(r"(?:到|赴|进|至|涉及|属于)[^,]{0,8}$|^.$|^[^等]*、.{1,3}$")


@functools.lru_cache(maxsize=1)
def _book() -> dict[str, object]:
    book = codebooks.load("statistics")
    verbs = sorted(set(book["verbs"].split()), key=lambda w: (-len(w), w))
    passive = set(book["passive"].split())
    bodies = sorted(set(book["bodies"].split()), key=lambda w: (-len(w), w))
    return {
        "verb": re.compile("|".join(verbs)),
        "verb_end": re.compile(f"(?:{'|'.join(verbs)})(?:了|好|出|完|入|成|过|起)?$"),
        # The subject: the shortest beginning that ends in a body and is followed by a verb or an adverb of a verb.
        "subject": re.compile(
            rf"^(?P<subject>.{{0,30}}?(?:{'|'.join(bodies)})[”’]?)(?:共计|共|累计|已经|已|先后|成功|还|又|新|直接|日均|月均|总计|全部|分别|均|通过[^,]{{0,10}})*(?:(?<=[共计])(?=(?:{'|'.join(verbs)}))|(?=(?:{'|'.join(w for w in verbs if w not in passive)})(?![局厅委部院类办线网型化])))"
        ),
        "indicators": [(e["id"], e["name"], re.compile(e["pattern"])) for e in book["indicators"]],
        "systems": [(e["name"], re.compile(e["pattern"])) for e in book["systems"]],
        "target": {k: re.compile(v) for k, v in book["targets"].items()},
    }


def plain(words: str) -> str:
    """Without fillers and white space."""
    return _FILL.sub("", words)


def trim(words: str) -> str:
    """The words before a number without connectives at the front and copulas at the end."""
    words = plain(_AFTER_DATE.sub("", words))
    while True:
        shorter = _LEADING.sub("", words)
        cut = _TRAILING.search(shorter)
        if cut:
            keep = _TRAILING_KEEP.search(shorter)
            end = max(cut.start(), keep.end() if keep and keep.end() == len(shorter) else 0)
            shorter = shorter[:end]
        if shorter == words:
            return words
        words = shorter


def split_subject(words: str) -> tuple[str | None, str]:
    """The body or place that acts, and the rest."""
    match = _book()["subject"].match(words)  # type: ignore[attr-defined]
    # A verb at the beginning is no body: 挂牌帮办服务.
    if (
        match
        and words[match.end() :]
        and not _NO_SUBJECT.search(match["subject"])
        and not leading_verb(match["subject"])
    ):
        return match["subject"].strip("“”‘’"), trim(words[match.end("subject") :])
    whole = _WHOLE_PLACE.match(words)
    if whole is not None:
        return whole[0], trim(words[whole.end() :])
    return None, words


def trailing_verb(words: str) -> str:
    """The verb at the end of the words before a number, 成立 in …今年成立了, or nothing."""
    match = _book()["verb_end"].search(words)  # type: ignore[attr-defined]
    return re.sub("[了过]$", "", match[0]) if match else ""


def leading_verb(words: str) -> bool:
    """Whether the words begin with a verb of measuring."""
    return _book()["verb"].match(words) is not None  # type: ignore[attr-defined]


def has_verb(words: str) -> bool:
    """Whether a verb of measuring stands in the words."""
    return _book()["verb"].search(words) is not None  # type: ignore[attr-defined]


def first_verb(words: str) -> int:
    """Where the first verb after a noun begins; 0 when there is none."""
    match = _book()["verb"].search(words, 2)  # type: ignore[attr-defined]
    return match.start() if match else 0


def names(words: str) -> bool:
    """Whether the words before a number name something beyond a place (全镇)."""
    words = trim(words)
    place = _WHOLE_PLACE.match(words + "□□")
    return bool(words[place.end() :] if place else words)


def without_verbs(words: str) -> str:
    """The noun of an indicator: 诉讼案件 of 受理诉讼案件 and of 诉讼案件受理."""
    verb = _book()["verb"]
    lead = verb.match(words)  # type: ignore[attr-defined]
    if lead and lead.end() < len(words):
        return words[lead.end() :]
    tail = _book()["verb_end"].search(words)  # type: ignore[attr-defined]
    return words[: tail.start()] if tail else words


def right(words: str) -> str:
    """The noun after the number, or nothing when only particles stand there."""
    words = plain(words)
    if _RIGHT_EMPTY.match(words):
        return ""
    words = re.sub(r"(?:共计?|累计|已|均)$", "", _RIGHT_LEAD.sub("", words))
    return "" if _RIGHT_EMPTY.match(words) else words[:40]


def labels(words: str) -> list[str]:
    """The members of a list 甲、乙和丙, a head noun that only the last one bears given to all."""
    members = [m for m in re.split(r"[、,]", words) if m]
    if members:
        # 和 joins the last two; elsewhere it may begin a name (和平镇).
        members[-1:] = [
            m
            for m in re.split(
                r"(?<=[^、])(?:以及|及(?!时|以[上下])|和(?![平谐睦])|与)(?=.)", members[-1], maxsplit=1
            )
            if m
        ]
    if len(members) < 2:
        return members
    counted = re.search(r"(?:批次|人次|件次|人数|件数|批|件)$", members[0])
    if (
        counted
        and counted.start()
        and all(re.fullmatch(r"批次|人次|件次|人数|件数|批|件", m) for m in members[1:])
    ):
        return [members[0], *(members[0][: counted.start()] + m for m in members[1:])]
    last = members[-1]
    tail = re.search(
        r"(户籍人口|常住人口|人口|案件|事项|类|率|数|量|诉求|工单|人次|批次|件数|人数|金额|收入|占比|比重|产业|增加值|总额|产量)$",
        last,
    )
    if tail and len(last) > len(tail[0]) and not any(m.endswith(tail[0]) for m in members[:-1]):
        members = [m + tail[0] for m in members[:-1]] + [last]
    lead = _book()["verb"].match(last)  # type: ignore[attr-defined]
    if lead and all(_book()["verb"].fullmatch(m) for m in members[:-1]):  # type: ignore[attr-defined]
        members = [m + last[lead.end() :] for m in members[:-1]] + [last]
    return members


def register(indicator: str) -> tuple[str | None, str | None]:
    """Id and name of the registry entry that an indicator's words belong to."""
    for entry, name, pattern in _book()["indicators"]:  # type: ignore[attr-defined]
        if pattern.search(indicator):
            return entry, name
    return None, None


def system(words: str) -> str | None:
    """The system that numbers come from (信访, 12345, 信箱, 法院 …), read off a subject or a title."""
    for name, pattern in _book()["systems"]:  # type: ignore[attr-defined]
        if pattern.search(words):
            return name
    return None


def target(kind: str, words: str) -> bool:
    """Whether the words carry a mark of a rule or goal (``clause``, ``heading``) or of a result (``result``)."""
    return bool(_book()["target"][kind].search(words))  # type: ignore[index]
