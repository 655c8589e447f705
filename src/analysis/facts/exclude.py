"""Numbers that measure nothing (不计量的数字): dates, ordinals, names, enumerators, telephone and document numbers.

``cover`` marks their characters, so that the reading of numbers never sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_QUOTE = 40  # a quotation without clause marks and no longer than this is a name, not speech

_PATTERNS = {
    "标题": r"《[^《》\n]{0,120}》",
    "引号内的名称": rf"“[^“”\n,。;:!?]{{1,{_QUOTE}}}”|‘[^‘’\n,。;:!?]{{1,{_QUOTE}}}’",
    "网址": r"(?:https?://|www\.)[\w./?=&%#-]+|[\w.-]{1,64}@[\w.-]{1,64}",
    "文号": r"[〔\[【(](?:19|20)\d\d[〕\]】)]第?\d{1,5}号",
    "序数": r"第(?:\d{1,12}(?:[-~至、]\d{1,12})*|[零一二三四五六七八九十百千]{1,9})(?:[年]代|[个号])?",
    "编号": r"(?:图|表|附件|附表|附图|案例|专栏|例|式|注|[Nn][Oo]\.)\d{1,3}(?:[-.]\d{1,3}){0,9}(?![\d,.]*(?:件|人|起|%))",
    "号": r"[A-Za-z]?\d{1,12}(?:-\d{1,12}){0,4}号(?!召)",
    "字母数字": r"(?<![A-Za-z0-9])[A-Za-z]{1,20}-?\d{1,12}(?:\.\d{1,12})*[A-Za-z]*|(?<![\d.])\d{1,2}[DGKkA](?![A-Za-z])|\d{1,12}[A-Za-z]{2,}\d{1,12}",
    "电话": r"(?:电话|热线|拨打|号码|传真|邮编|邮政编码|QQ|微信|编号|代码|代号|邮发)(?:号)?[:是为]?[\d\-、/()]{3,24}(?![\d.,]{0,12}(?:[余多万]|人|件|个|次|起|通|宗|批|部|条|户|名|%))"
    r"|(?<![\d.])0\d{2,3}-\d{7,8}(?!\d)|(?<![\d.])1[3-9]\d{9}(?![\d.])|(?<![\d.])\d{3,4}-\d{3,4}-\d{3,4}(?!\d)"
    r"|CN\d{1,12}-\d{1,12}",
    "浏览量": r"(?:浏览|访问|阅读|点击|下载|分享)(?:次数:?|(?:人数|总量|量|数)?:)\d[\d,]{0,14}(?:次)?|(?:共计?\d{1,12}个?字|阅读时长\d{1,12}分钟)",
    "项目符号": r"(?m:^)\(?\d{1,3}(?:[、)．]|\.(?=(?:19|20)\d\d年)|\.(?!\d))|(?m:^)\(?[一二三四五六七八九十]{1,3}[、)]"
    r"|(?<=[\n。;:,])\(\d{1,2}\)|(?<=[。;:])\d{1,2}[、](?!\d)|[(][一二三四五六七八九十]{1,3}[)]",
    "一是": r"(?:(?<=^)|(?<=[\n。;:,、]))[一二三四五六七八九十](?:是|要|要求|方面|则|来)",
    "世纪年代": r"\d{2}世纪(?:\d0年代)?|\d0年代|[零一二三四五六七八九十]{1,9}年代|[一二三四五六七八九十]{1,9}世纪",
    "会议届次": r"[一二三四五六七八九十]{1,4}(?:届(?:[一二三四五六七八九十]{1,9}(?:次|中)全会)?|大(?:报告|精神|会议|召开|以来|胜利)?|中全会|次全会)"
    r"|十[一二三四五](?:五|四)(?:规划|时期|期间)?",
    "组合名": r"\d{1,12}(?:[+]\d{1,12}){1,9}|\d{1,12}[+][A-Za-z]{1,8}|[A-Za-z]\+\d{1,12}",
    "比号": r"(?<![\d.])\d{1,12}(?:\.\d{1,12})?(?::\d{1,12}(?:\.\d{1,12})?){1,9}",
    "钟点": r"(?<!\d)(?:[01]?\d|2[0-4])[时点](?:[0-5]?\d分|半|整|许|前|后|至|到|-)|(?:上午|下午|晚上|凌晨|中午)\d{1,2}[时点]",
    "年级": r"(?:近|过去|未来|今后|此后|前|后|最近|这|头)(?:\d{1,12}|[零一二三四五六七八九十两几百]{1,9})[多余]?(?:个月|年|天|周|季度|个季度)(?:来|间|内|里|以来|时间)?"
    r"|(?:\d{1,12}|[零一二三四五六七八九十两百]{1,9})[多余]?年(?:以来|来|前|后|间)|(?:\d{1,12}|[一二三四五六七八九十两]{1,9})年(?:行动|计划|规划|期|级|任期)"
    r"|年(?:满)?\d{1,12}(?:周)?岁|(?<![\d.])\d{1,3}[-~至]\d{1,3}(?:周)?岁|(?<![\d.])\d{1,3}(?:周)?岁及?以[上下]|\d{1,12}(?:周)?岁(?!,|;|。|\))",
    "年份": r"(?<![\d.])(?:19|20)\d\d(?=年)",
    "章节": r"(?:\d{1,12}|[零一二三四五六七八九十百]{1,9})[章节款目](?=[^\d]|$)(?!课)|[一二三四五]审|[一二三]胎",
    "量级名": r"(?:省|市|县|区|乡|镇|村|中央|国家|部|厅|上下|各|两|三|四|五)[、]?[一二三四五六]级(?!以)|[一二三四五六]级(?!以)",
    "每万人": r"每(?:[十百千万]+|\d{1,12}万?)(?:人|户|名|元|平方公里|辆|件)(?=[^,。;\d]{1,20}\d)",
    "生活圈": r"\d{1,12}(?:公里|分钟|小时)(?=[^,。;\d]{0,10}圈)",
    "全天": r"(?:7[x×*]|全天|每天|坚持|实行|提供)?24小时(?=值班|服务|热线|在线|开放|不间断|受理|接听|运行|响应|内部|全天|人工|自助)|365天|7[x×*]24",
}
_ALL = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS.values()))
# The characters with which a pattern can begin: most of a text is passed over without trying them.
_BEGIN = re.compile(
    r"[0-9A-Za-z《“‘〔\[【(第零一二三四五六七八九十百千两图表附案专例式注电热拨号传邮微编代浏访阅点下分共上晚凌中"
    r"近过未今此前后最这头年省市县区乡镇村国部厅各每全坚实提.-]"
)
_NAMED = re.compile(f"{_PATTERNS['标题']}|{_PATTERNS['引号内的名称']}")


def cover(text: str, dates: Iterable[tuple[int, int]]) -> bytearray:
    """One byte a character of the view: 1 where a number must not be read as a quantity."""
    covered = bytearray(len(text))
    position = 0
    while begin := _BEGIN.search(text, position):
        match = _ALL.match(text, begin.start())
        if match is None:
            position = begin.start() + 1
            continue
        start, end = match.span()
        # A percentage quoted for emphasis is still a figure.
        if not (text[start] in "“‘" and "%" in match[0]):
            covered[start:end] = b"\x01" * (end - start)
        position = max(end, start + 1)
    for start, end in dates:
        covered[start:end] = b"\x01" * (end - start)
    return covered


def named(text: str) -> bytearray:
    """One byte a character: 1 inside a title or a quoted name, where a date is part of the name."""
    covered = bytearray(len(text))
    for match in _NAMED.finditer(text):
        covered[match.start() : match.end()] = b"\x01" * (match.end() - match.start())
    return covered
