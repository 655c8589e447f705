"""Whether a number measures something (是否计量): by its unit and neighbours, and by the words of its clause."""

from __future__ import annotations

import re

from . import naming
from .clauses import Frame
from .numbers import Quantity

_RATE_AHEAD = re.compile(r"[^,;。、:\d的]{1,10}率")
_THRESHOLD = re.compile(r"[^,;。:、()\d\n]{1,14}\d")
_COUNTED_VERB = re.compile(
    r"(?:新增|新建|建成|成立|设立|组建|组成|开展|召开|破获|抓获|查处|办理|受理|审结|化解|调处|举办|印发|出台|接待|发生|获|获得|荣获|立案|评选|评为|培训|发布|制定|修订|开设|配备|选派)(?:了|共|约)*$"
)
EACH = re.compile(r"每(?:半年|季度?|个?月|年|周|天|日|两年|人|件|批|万人|百人)")
_LIMIT = re.compile(r"(至少|最多|不少于|不低于|不超过|不得超过|不得少于|超过|最低|最高)")
LIMITED = re.compile(r"(至少|最多|不少于|不低于|不得?超过|不得少于)[^,;。\d]{0,8}$")
_UNMEASURED = ("类", "级", "层", "环", "面", "步", "代", "届", "款", "道", "网格", "字", "页")
RATIO_UNITS = ("%", "‰", "‱")
_YEARLIKE = re.compile(r"(?:19|20)\d\d$")
CLAUSE_MARK = re.compile(r"[,;。:]")


def measures(text: str, q: Quantity) -> bool:
    """Whether a quantity can be a statistic at all, judged by its unit and the characters that touch it.

    What fails here is part of a name (12345热线, 9类案件) and reads on as a word.
    """
    before, after = text[max(0, q.start - 12) : q.start], text[q.end : q.end + 4]
    if after[:1] == "级" and q.unit is not None:
        return False  # 30万吨级航道
    if q.approx in ("以上", "以下", "以内") and _THRESHOLD.match(text, q.end):
        return False  # 5人以上集体访3批
    if q.kind == "duration" and not q.approx and _RATE_AHEAD.match(text, q.end):
        return False  # 30秒接通率
    if q.unit is None:
        return q.chinese or not after[:1] or not ("一" <= after[0] <= "鿿") or after[0] in "和及与至到的"
    if q.unit in ("日", "号"):
        return q.approx in ("内", "以内", "之内", "不超过", "不少于", "以上", "以下") or bool(
            re.search(
                r"(?:平均|用时|历时|缩短|提前|延长|为期|满|压缩|周期|期限|不得?超过|至少|时限)[^,;]{0,6}$",
                before,
            )
        )
    if q.unit == "年":
        return bool(
            re.search(
                r"(?:连续|平均|为期|有期徒刑|徒刑|缩短|提前|延长|历时|达|满|不超过|不少于|期限为?)[^,;]{0,3}$",
                before,
            )
        ) and not _YEARLIKE.match(text[q.start : q.number_end])
    if q.unit in ("个月", "周"):
        return not re.search(r"(?:前|近|过去|最近|未来|今后)$", before)
    if q.unit in _UNMEASURED:
        return False
    if q.unit == "位":
        return not re.search(r"(?:前|第|后|列|居|排名|上升|下降|提升|跃升|位次)$", before)
    if q.unit == "次":
        return not re.match(r"性|会议|全会|党代会|常委会", after)
    return True


def counts(text: str, found: list[Frame], k: int) -> bool:
    """Whether the number measures something."""
    frame = found[k]
    q = frame.quantity
    left = naming.trim(frame.left)
    if q.unit is None:
        if q.chinese:
            return bool(left or frame.right)
        nothing_after = not frame.right and not re.match(r"[\w%]", text[q.end : q.end + 1])
        named = re.search(
            r"(?:数|量|率|指数|得分|人数|件数|总额|分值|比例|度)(?:为|是|达到?|共|:|约|分别|均)*$",
            naming.plain(frame.left),
        )
        verbed = naming.has_verb(left) and not _YEARLIKE.search(text[q.start : q.number_end])
        return nothing_after and bool(named or (verbed and q.value >= 10))
    if q.unit == "分" and not re.search(r"(?:得分|满分|均分|评分|成绩|指数|分值|扣|加|为|达|得)", frame.left):
        return False
    if q.chinese and q.unit not in RATIO_UNITS:
        return _chinese_counts(text, found, k)
    return True


def _chinese_counts(text: str, found: list[Frame], k: int) -> bool:
    """Chinese numerals are often figures of speech: they count where a measuring word or number stands beside."""
    frame = found[k]
    q = frame.quantity
    if q.approx:
        return q.value >= 2 or bool(_LIMIT.search(q.approx))
    if LIMITED.search(frame.raw) or (EACH.search(frame.raw) and q.unit == "次"):
        return True
    if frame.chained or (
        k + 1 < len(found)
        and not found[k + 1].quantity.chinese
        and not CLAUSE_MARK.search(found[k + 1].between)
    ):
        return q.value > 1 or found[k].left != ""
    bare = text[q.start : q.number_end] in ("百", "千", "万", "十", "百千", "千百")
    if bare:
        return q.unit in ("人", "名") and q.value >= 1000
    verb = _COUNTED_VERB.search(naming.plain(frame.left))
    if q.value == 1:
        return (
            bool(verb)
            and q.unit not in ("系列", "批", "套", "种", "个", "系")
            and not frame.right.startswith(("方面", "定"))
        )
    return (q.value > 10 or bool(verb) or q.unit in ("支",)) and not frame.right.startswith(
        ("方面", "大", "项制度")
    )
