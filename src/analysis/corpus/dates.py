"""Dates (日期): when an article was published and when what it reports happened.

"1月16日" and "昨日" are resolved against the date of issue where the source has one, or against the one year that the
title and the first sentences name. Otherwise they stay open: the day is known, the year is not.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from .split import Article

_CN = {c: str(i) for i, c in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0", "Ｏ": "0", "O": "0"}
_FULL = re.compile(
    r"((?:19|20)\d{2})\s?[年\-./]\s?(1[0-2]|0?[1-9])\s?[月\-./]\s?(3[01]|[12]\d|0?[1-9])(?:日|号)?(?!\d)"
)
_DAY_FIRST = re.compile(r"(?<!\d)(3[01]|[12]\d|0?[1-9])\.(1[0-2]|0?[1-9])\.((?:19|20)\d{2})(?!\d)")
_FULL_CN = re.compile(
    r"([二一][〇○零O九一二三四五六七八]{3})年([十一二三四五六七八九]{1,3})月([十一二三四五六七八九二]{1,3})日"
)
_MONTH_STAMP = re.compile(
    r"[（(]?(?:[\u4e00-\u9fff（）]{2,30}\s+)?((?:19|20)\d{2})年(1[0-2]|0?[1-9])月[)）]?"
)
_DAY = re.compile(r"(?<![\d年至\-—])(?P<month>1[0-2]|[1-9])月(?P<day>3[01]|[12]\d|[1-9])日")
_RELATIVE = {"今日": 0, "今天": 0, "昨日": 1, "昨天": 1, "前天": 2, "前日": 2}
_YEAR = re.compile(r"(?<![\d“])((?:19|20)\d{2})年(?!来|以来|至|—|-|前|后|起)")
_NO_EVENT_BEFORE = re.compile(
    r"(?:截至|截止|自|从|至|到|到了|于|据|—|-|《[^》]*)(?:目前|去年|今年|\d{4}年)?$"
)
_NO_EVENT_AFTER = re.compile(r"^(?:起|前|后|以来|以前|之前|至|—|-|到|《|》|施行|出台|发布的|印发|颁布)")
_SIGNED = re.compile(
    r"(?m)^[\u4e00-\u9fff（）、\s]{4,50}\n(?:\d{4}年\d{1,2}月\d{1,2}日|[二〇○零一三四五六七八九]{4}年.{1,3}月.{1,3}日)$"
)
_PASSED = re.compile(r"通过|公布|修[正订改]|发布|批准")
_PUBLISHED = re.compile(r"(?:发布|发表|刊发|发文|公布|印发|成文|公开|更新|上传)?(?:时间|日期)\s*[：:]?\s*")
_ISSUE_LINE = re.compile(r"(?:星期|周)[一二三四五六日天]|农历|第\d+期|今日\d+版|\d+版")
#: Genres that report an event on a day.
_REPORTS = {"会议报道", "工作部署", "图片新闻", "新闻特写", "专访", "经验案例", "其他"}


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of one article.

    Attributes
    ----------
    published
        YYYY-MM-DD, or YYYY-MM or YYYY where the text supports no more, or ``None``.
    event_date
        YYYY-MM-DD, or ``None``.
    event_day
        MM-DD of the event where the year is open.
    effective
        The day from which a regulation is in force.
    """

    published: str | None = None
    event_date: str | None = None
    event_day: str | None = None
    effective: str | None = None


def dates(article: Article, genre: str, *, issue: str | None = None, stated: str | None = None) -> Dates:
    """Find the dates of an article.

    Parameters
    ----------
    issue
        Date of issue of the page or file it stands in (masthead, file name), if any.
    stated
        Date of publication stated for it in the sidecar or the page's own metadata; it wins.
    """
    published = stated or _published(article, genre) or issue
    event = _event(article, genre)
    if event is None:
        return Dates(published, effective=_effective(article, genre))
    year, month, day = event
    if month == 0:
        resolved = _relative(day, published)
    else:
        year = year or _year(article, month, day, published)
        resolved = _iso(year, month, day) if year else None
    if resolved and not published and genre in {"会议报道", "工作部署"}:
        published = resolved[:4]  # news is printed in the year of its event
    open_day = f"{month:02d}-{day:02d}" if month and not resolved else None
    return Dates(published, resolved, open_day, _effective(article, genre))


def issue_date(head: str, name: str) -> str | None:
    """The date of issue that a page's masthead or a file's name states."""
    for line in head.split("\n")[:12]:
        if len(line) <= 160 and _ISSUE_LINE.search(line) and (found := full_dates(line)):
            return found[0]
    match = re.search(r"(?<!\d)((?:19|20)\d{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)", name)
    return _iso(*map(int, match.groups())) if match else None


def full_dates(text: str) -> list[str]:
    """All complete dates in a text, in order, as YYYY-MM-DD."""
    found = [(m.start(), _iso(int(m[1]), int(m[2]), int(m[3]))) for m in _FULL.finditer(text)]
    found += [(m.start(), _iso(int(m[3]), int(m[2]), int(m[1]))) for m in _DAY_FIRST.finditer(text)]
    for m in _FULL_CN.finditer(text):
        year = int("".join(_CN.get(c, c) for c in m[1]))
        found.append((m.start(), _iso(year, _small(m[2]), _small(m[3]))))
    return [day for _, day in sorted(found, key=lambda f: f[0]) if day]


def _published(article: Article, genre: str) -> str | None:
    for line in article.meta:
        if _PUBLISHED.search(line) and (found := full_dates(line)):
            return found[0]
    if genre == "法规":
        passed = [
            line
            for line in re.split(r"(?=(?:19|20)\d{2}年)", " ".join(article.header))
            if _PASSED.search(line)
        ]
        found = [day for line in passed for day in full_dates(line)]
        return max(found or [day for line in article.meta for day in full_dates(line)], default=None)
    body = article.body.value
    last = body[-60:].rsplit("\n", 1)[-1]
    if len(last) <= 24 and not last.endswith("。") and (found := full_dates(last)):
        return found[-1]  # the date under a document
    if genre in {"规范性文件", "通报"} and (signed := _SIGNED.search(body)):
        return full_dates(signed[0])[-1]  # under the letter, above what it is sent with
    for line in article.header:
        if len(line) <= 60 and "会议上" not in line and line[0] not in "—-" and (found := full_dates(line)):
            return found[-1]
    for line in article.meta:
        if found := full_dates(line):
            return found[0]
    for line in article.header:
        if match := _MONTH_STAMP.fullmatch(line):
            return f"{match[1]}-{int(match[2]):02d}"
    return None


def _event(article: Article, genre: str) -> tuple[int | None, int, int] | None:
    """Year (or none), month and day of the event; month 0 and days ago for 昨日."""
    if genre == "政府工作报告":
        found = [day for line in article.header if "会议上" in line for day in full_dates(line)]
        return (int(found[0][:4]), int(found[0][5:7]), int(found[0][8:])) if found else None
    if genre not in _REPORTS:
        return None
    body = article.body.value
    turn = re.search(r"\n[^\n：]{1,12}：", body[:3000])
    lead = body[: turn.start() if genre == "专访" and turn else 320]
    if genre in {"经验案例", "其他"}:
        lead = lead.split("。", 1)[0]  # further down a case tells of many days
    for match in re.finditer(
        rf"{_FULL.pattern}|{_DAY.pattern}|昨[日天]|前[日天]|今[日天](?=上午|下午|，|召开|举行)", lead
    ):
        before, after = lead[max(0, match.start() - 8) : match.start()], lead[match.end() : match.end() + 4]
        if _NO_EVENT_BEFORE.search(before) or _NO_EVENT_AFTER.match(after):
            continue
        if match[0] in _RELATIVE:
            return None, 0, _RELATIVE[match[0]]
        if match[1]:
            return int(match[1]), int(match[2]), int(match[3])
        return None, int(match["month"]), int(match["day"])
    return None


def _year(article: Article, month: int, day: int, published: str | None) -> int | None:
    """The year of a day without one."""
    if published:
        year = int(published[:4])
        later = len(published) == 10 and (month, day) > (int(published[5:7]), int(published[8:]))
        announced = re.search(rf"(?:时间\s?[：:]|[将定拟]于)\s?{month}月{day}日", article.body.value[:600])
        return year - 1 if later and not announced else year
    titles = " ".join(filter(None, (article.kicker, article.title, article.subtitle)))
    text = titles + "。" + article.body.value[:260]
    years = {int(y) for y in _YEAR.findall(re.sub(r"《[^》]*》|\d{4}[—-]\d{4}年?", "", text))}
    if len(years) != 1:
        return None
    year = years.pop()
    planned = re.search(rf"(?:部署|谋划|安排|研究|做好|布置)[^。]{{0,12}}{year}年", text)
    return year - 1 if planned and month >= 11 else year


def _relative(days_ago: int, published: str | None) -> str | None:
    if not published or len(published) != 10:
        return None
    return (dt.date.fromisoformat(published) - dt.timedelta(days=days_ago)).isoformat()


def _effective(article: Article, genre: str) -> str | None:
    if genre not in {"法规", "规范性文件"}:
        return None
    text = article.body.value[-600:]
    for match in re.finditer(r"自[^。]{0,24}(?:起|之日起)(?:施行|实施|执行)", text):
        if found := full_dates(match[0]):
            return found[0]
    found = [day for line in article.header if "施行" in line for day in full_dates(line)]
    return found[-1] if found else None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return None


def _small(text: str) -> int:
    """A Chinese numeral up to 31."""
    from .sentences import numeral

    return numeral(text)
