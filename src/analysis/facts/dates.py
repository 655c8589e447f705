"""Periods in running text (时间表述) and what days they mean.

``find`` lists the time expressions of a text; :meth:`When.resolve` turns one into a first and a last day, given the
year or the day that the document itself stands at. What cannot be resolved stays ``None``: no year is guessed.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass, field

from . import numerals

_CN_YEAR = r"[一二][零九][零一二三四五六七八九]{2}"
_YEAR = rf"(?:(?:19|20)\d\d|{_CN_YEAR})年度?"
_REL_YEAR = r"今年|去年|上年度?|前年|本年度?|当年|明年|次年|上一年"
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]|[一二三四五六七八九十])"
_DAY = r"(?:3[01]|[12]\d|0?[1-9]|三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九])[日号]"
_TO = r"[至到~\-]{1,3}"
_ORD = "一二三四1234"

_DATE = re.compile(
    rf"""
    (?P<years>(?:(?:19|20)\d\d年?[、,和及]){{1,30}}(?:19|20)\d\d年)
  | (?P<yrange>(?:19|20)\d\d年?{_TO}(?:19|20)\d\d年(?!{_MONTH}月))
  | (?P<dotted>(?:19|20)\d\d[./-](?:1[0-2]|0?[1-9])[./-](?:3[01]|[12]\d|0?[1-9])(?!\d))
  | (?P<dmy>(?:3[01]|[12]\d|0?[1-9])\.(?:1[0-2]|0?[1-9])\.(?:19|20)\d\d(?!\d))
  | (?P<deictic>年末|本月份?|当月|上月份?|上个月|本季度?|上季度|本周|上周|本期|上期|上半年|下半年|年初以来|截至目前|目前|今天|昨天|近日|日前)
  | 第(?P<week>\d{{1,2}}|[一二三四五十]{{1,4}})周
  | (?P<last>(?:近|最近|过去|前)(?:\d{{1,4}}|[一二三四五六七八九十两几]{{1,4}})余?(?:个月|年|周|天|个季度)(?:来|以来|间|中)?)
  | (?P<lead>自|从|截至|截止到?|到)?
    (?:(?P<year>{_YEAR})|(?P<rel>{_REL_YEAR}))?的?
    (?P<inner>
        (?P<m1>{_MONTH})月份?(?P<d1>{_DAY})(?:{_TO}(?:(?P<y2>{_YEAR})?(?P<m2>{_MONTH})月)?(?P<d2>{_DAY}))?
      | (?P<ma>{_MONTH})(?:月份?)?{_TO}(?P<y3>{_YEAR})?(?P<mb>{_MONTH})月份?
      | (?P<mm>{_MONTH})[、和](?P<mn>{_MONTH})月份?
      | (?P<m>{_MONTH})月份?(?P<third>[上中下]旬)?
      | 第?(?P<q>[{_ORD}])季度
      | (?P<qa>[{_ORD}])(?:季度)?[至到\-、](?P<qb>[{_ORD}])季度
      | 前(?P<nq>[二三两23])个?季度
      | (?P<half>[上下])半年
      | 前(?P<nm>\d{{1,2}}|[一二三四五六七八九十]{{1,2}})个月
      | 全年 | 同期 | 春节期间 | 期间
    )?
    (?P<tail>以来|年?底|年?末|年?初|以前|以后|起)?
    """,
    re.X,
)
_MIN = re.compile(r"[\d一二三四五六七八九十今去上本当明次前年月初]")


@dataclass(frozen=True, slots=True)
class When:
    """A time expression.

    Attributes
    ----------
    start, end, text
        Where it stands in the view.
    parts
        Named pieces of the expression, as the pattern read them.
    """

    start: int
    end: int
    text: str
    parts: dict[str, str] = field(repr=False)

    @property
    def year(self) -> int | None:
        """The explicit year, the last of a list."""
        if "years" in self.parts or "yrange" in self.parts:
            return int(re.findall(r"\d{4}", self.text)[-1])
        if "dotted" in self.parts:
            return int(self.text[:4])
        if "dmy" in self.parts:
            return int(self.text[-4:])
        return _year(self.parts.get("year"))

    @property
    def is_future_goal(self) -> bool:
        """到2025年(底): the time of a goal."""
        return self.parts.get("lead") == "到"

    @property
    def dependent(self) -> bool:
        """Whether it needs a year from elsewhere."""
        return self.year is None

    def each(self) -> list[When]:
        """One expression a year, for 2015、2016、2017年 and 2019年至2023年."""
        if "years" in self.parts:
            years = [int(y) for y in re.findall(r"\d{4}", self.text)]
        elif "yrange" in self.parts:
            first, last = (int(y) for y in re.findall(r"\d{4}", self.text))
            years = list(range(first, last + 1)) if last - first < 60 else []
        else:
            return [self]
        return [When(self.start, self.end, f"{y}年", {"year": f"{y}年"}) for y in years]

    def resolve(self, reference: Reference) -> tuple[dt.date | None, dt.date | None]:
        """First and last day; ``None`` for what the text and the reference leave open."""
        p = self.parts
        if "years" in p or "yrange" in p:
            years = [int(y) for y in re.findall(r"\d{4}", self.text)]
            return dt.date(min(years), 1, 1), dt.date(max(years), 12, 31)
        if "dotted" in p:
            y, m, d = (int(n) for n in re.split(r"[./-]", self.text))
            day = _day(y, m, d)
            return day, day
        if "dmy" in p:
            d, m, y = (int(n) for n in self.text.split("."))
            day = _day(y, m, d)
            return day, day
        if "deictic" in p:
            return reference.deictic(p["deictic"])
        if "week" in p:
            return reference.week(_number(p["week"]))
        if "last" in p:
            return reference.recent(p["last"])
        year = _year(p.get("year"))
        if year is None:
            year = reference.relative_year(
                p.get("rel"), _number(p.get("mb") or p.get("m") or p.get("m1") or "")
            )
        if year is None:
            return None, None
        start, end = self._within(year)
        return _bounded(start, end, p, reference)

    def _within(self, year: int) -> tuple[dt.date | None, dt.date | None]:
        p = self.parts
        if "m1" in p:
            first = _day(year, _number(p["m1"]), _number(p["d1"][:-1]))
            if "d2" not in p:
                return first, first
            return first, _day(
                _year(p.get("y2")) or year, _number(p.get("m2") or p["m1"]), _number(p["d2"][:-1])
            )
        if "ma" in p:
            return _month(year, _number(p["ma"]))[0], _month(_year(p.get("y3")) or year, _number(p["mb"]))[1]
        if "mm" in p:
            return _month(year, _number(p["mm"]))[0], _month(year, _number(p["mn"]))[1]
        if "m" in p:
            return _month(year, _number(p["m"]))
        if "q" in p:
            q = _number(p["q"])
            return _month(year, 3 * q - 2)[0], _month(year, 3 * q)[1]
        if "qa" in p:
            return _month(year, 3 * _number(p["qa"]) - 2)[0], _month(year, 3 * _number(p["qb"]))[1]
        if "nq" in p:
            return dt.date(year, 1, 1), _month(year, 3 * _number(p["nq"]))[1]
        if "nm" in p:
            return dt.date(year, 1, 1), _month(year, min(12, _number(p["nm"])))[1]
        if "half" in p:
            return (
                (dt.date(year, 1, 1), dt.date(year, 6, 30))
                if p["half"] == "上"
                else (dt.date(year, 7, 1), dt.date(year, 12, 31))
            )
        return dt.date(year, 1, 1), dt.date(year, 12, 31)


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the document stands in time.

    Attributes
    ----------
    published
        Day of publication, when known.
    year
        Year last named in the text (or of the title).
    period
        Reporting period of the document (of its title, or the first one that its text names).
    named
        The periods that the text last named, a week, a month and a quarter: what 本周, 本月 and 本季度 mean after them.
    """

    published: dt.date | None = None
    year: int | None = None
    period: tuple[dt.date, dt.date] | None = None
    named: tuple[tuple[str, tuple[dt.date, dt.date]], ...] = ()

    @property
    def today(self) -> dt.date | None:
        """The day that "so far" means: the end of the period, or the day of publication."""
        return self.published or (self.period[1] if self.period else None)

    def relative_year(self, word: str | None, month: int | None) -> int | None:
        """The year of 今年, 去年 … or of a bare month."""
        own = self.period[1].year if self.period else self.year
        if word is None:
            if own is not None:
                return own
            if self.published is None:
                return None
            return self.published.year - (1 if month and month > self.published.month else 0)
        base = own if own is not None else (self.published.year if self.published else None)
        if base is None:
            return None
        step = {"去年": -1, "上年": -1, "上年度": -1, "上一年": -1, "前年": -2, "明年": 1, "次年": 1}.get(
            word, 0
        )
        return base + step

    def deictic(self, word: str) -> tuple[dt.date | None, dt.date | None]:
        """本月, 上季度, 年初以来 …"""
        if word.startswith(("本", "当月")):
            stated = dict(self.named).get(word[1:2])
            if stated is not None:
                return stated
        own = self.period
        if word.startswith("上") and not word.endswith(("半年", "期")):
            own = dict(self.named).get("季" if "季" in word else word.rstrip("份")[-1], own)
        if word == "年末":
            year = own[1].year if own else self.year
            return (dt.date(year, 12, 31),) * 2 if year else (None, None)
        if own is None:
            if self.published is None:
                return None, None
            own = _month(self.published.year, self.published.month)
        start, end = own
        if word in ("今天", "近日", "日前", "昨天"):
            return None, None
        if word.startswith(("本", "当月")):
            return start, end
        if word.startswith("上半"):
            return dt.date(end.year, 1, 1), dt.date(end.year, 6, 30)
        if word.startswith("下半"):
            return dt.date(end.year, 7, 1), dt.date(end.year, 12, 31)
        if word == "年初以来":
            return dt.date(end.year, 1, 1), end
        if word in ("截至目前", "目前"):
            return None, self.today
        if word in ("上周",):
            return start - dt.timedelta(7), end - dt.timedelta(7)
        months = 3 if "季" in word else 1 if "月" in word else _length(start, end)
        last = start - dt.timedelta(1)
        back = last
        for _ in range(months - 1):
            back = back.replace(day=1) - dt.timedelta(1)
        return back.replace(day=1), last

    def week(self, number: int) -> tuple[dt.date | None, dt.date | None]:
        """ISO week of the document's year."""
        year = self.year or (self.published.year if self.published else None)
        if year is None or not 1 <= number <= 53:
            return None, None
        try:
            return dt.date.fromisocalendar(year, number, 1), dt.date.fromisocalendar(year, number, 7)
        except ValueError:
            return None, None

    def recent(self, words: str) -> tuple[dt.date | None, dt.date | None]:
        """近三年, 近6个月 up to the document's day."""
        today = self.today
        found = re.search(r"(\d+|[一二三四五六七八九十两]+)余?(个月|年|周|天|个季度)", words)
        if today is None or found is None:
            return None, today
        count, unit = _number(found[1]), found[2]
        days = {"周": 7 * count, "天": count}.get(unit)
        try:
            if days is not None:
                return today - dt.timedelta(days), today
            months = count * {"年": 12, "个月": 1, "个季度": 3}[unit]
            index = today.year * 12 + today.month - 1 - months
            return dt.date(index // 12, index % 12 + 1, 1), today
        except (ValueError, OverflowError):
            return None, today


def find(text: str) -> list[When]:
    """The time expressions of a text, in order."""
    found = []
    position = 0
    while ahead := _START.search(text, position):
        match = _DATE.match(text, ahead.start())
        when = _accept(text, match) if match and match.end() > match.start() else None
        if when is None:
            position = ahead.start() + 1
        else:
            found.append(when)
            position = when.end
    return found


_START = re.compile(r"[\d一二三四五六七八九十今去上下本当明次前自从截到第全同近最过年目昨日春期]")


def _accept(text: str, match: re.Match[str]) -> When | None:
    parts = {k: v for k, v in match.groupdict().items() if v is not None}
    core = set(parts) - {"lead", "tail"}
    start, end = match.span()
    if not core:
        return None
    inner = parts.get("inner", "")
    if not core - {"inner"} and inner not in ("全年", "同期", "春节期间"):
        return None
    before = text[start - 1 : start]
    if before.isdigit() or (before == "." and text[start : start + 1].isdigit()):
        return None
    # 三季度 in 前三季度 and 月 in 个月 are handled by the pattern; a bare numeral month after 第 is an ordinal.
    if core <= {"inner", "mm", "mn"} and before in "第":
        return None
    if parts.get("lead") == "到" and _VERB_TO.search(text[max(0, start - 3) : start]):
        # 提高到2023年的: the 到 belongs to the verb.
        del parts["lead"]
        start += 1
    if text[end - 1] == "的":
        end -= 1
    if parts.get("deictic") == "日前" and before in "今目":
        return None
    return When(start, end, text[start:end], parts)


_VERB_TO = re.compile(r"[高加少降升长大短至达减增]$")


def _year(text: str | None) -> int | None:
    if not text:
        return None
    digits = text.rstrip("年度")
    return int(digits) if digits.isdigit() else numerals.parse(digits)


def _number(text: str) -> int:
    if not text:
        return 0
    return int(text) if text.isdigit() else (numerals.parse(text) or 0)


def _month(year: int, month: int) -> tuple[dt.date, dt.date]:
    month = min(max(month, 1), 12)
    return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])


def _day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _length(start: dt.date, end: dt.date) -> int:
    return max(1, (end.year - start.year) * 12 + end.month - start.month + 1)


def _bounded(
    start: dt.date | None, end: dt.date | None, parts: dict[str, str], reference: Reference
) -> tuple[dt.date | None, dt.date | None]:
    """Apply 自…以来, 截至…, …底 to the days of the expression itself."""
    lead, tail = parts.get("lead", ""), parts.get("tail", "")
    if tail == "以来" or (lead in ("自", "从") and tail in ("起", "")):
        return start, reference.today if reference.today and start and reference.today >= start else None
    if lead.startswith("截"):
        return (dt.date(end.year, 1, 1) if end and parts.get("rel") in ("今年", "本年") else None), end
    if tail.endswith(("底", "末")):
        return end, end
    return start, end
