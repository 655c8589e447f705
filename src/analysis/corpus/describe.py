"""Description (描述): the fields of ``documents`` for one article."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import regions
from .clean import pair_quotes
from .dates import dates
from .genre import genre
from .place import Place, place
from .redact import redact_text
from .split import Article
from .trace import Traced

_NUMBER = re.compile(
    r"[\u4e00-\u9fff]{1,12}[〔\[（(【﹝]\s*(?:19|20)\d{2}\s*[〕\]）)】﹞]\s*第?\s*\d{1,4}\s*号"
    r"|(?:[\u4e00-\u9fff]{2,20})?(?:公告|令)\s?(?:〔\d{4}〕)?第\s?[一二三四五六七八九十百零〇\d]{1,5}\s?号"
)
_OFFICE = re.compile(
    r"(?:中共|中国共产党)?[\u4e00-\u9fff（）、]{2,36}?(?:人民代表大会(?:常务委员会)?|人民政府(?:办公[厅室])?|委员会(?:办公[厅室])?|办公[厅室]"
    r"|信访局|法院|检察院|政法委|[市省县区州]委|[\u4e00-\u9fff]{1,8}[局厅部委院中心])$"
)
_MASTHEAD = re.compile(r"^(?P<office>[\u4e00-\u9fff、（）]{4,40})文件$")
_PASSED = re.compile(
    r"日\s*([\u4e00-\u9fff、]{3,30}?(?:大会(?:常务委员会)?|人大常委会|委员会|人民政府|国务院|中共中央、国务院|中共中央))"
)
_CONGRESS = re.compile(r"第?[一二三四五六七八九十]+届")
# The government whose report it is: in the title, in the place where it was given, in the office of who gave it.
_SEAT = r"(?P<place>(?!自治[区州县旗])[\u4e00-\u9fff]{2,16}?[省市区县旗州盟镇乡])"
_YEAR = r"(?:[（(]?(?:\d{4}|[二〇零一三四五六七八九]{4})年度?[)）]?)?"
_REPORTING = (
    re.compile(rf"^{_YEAR}\s*{_SEAT}\s*{_YEAR}\s*(?:人民)?政府{_YEAR}\s*工作报告"),
    re.compile(rf"在(?:中国共产党)?{_SEAT}第?[一二三四五六七八九十]+届人民代表大会"),
    re.compile(
        rf"(?:^|[\s，、]){_SEAT}(?:人民政府)?(?:代理?)?(?:省长|市长|区长|县长|旗长|州长|盟长|镇长|乡长|主席)"
    ),
)
_OUTLET = re.compile(r"来源\s*[：:]\s*(?P<name>(?=[^\s：:]*[\u4e00-\u9fff])[^\s：:]{2,24})")
_COLUMN = (
    "title",
    "genre",
    "level",
    "region_code",
    "region",
    "issuer",
    "number",
    "published",
    "event_date",
    "kicker",
    "subtitle",
    "byline",
)


@dataclass(frozen=True)
class Known:
    """What is known of a source besides its text.

    Attributes
    ----------
    issue
        Date of issue of the page it stands on.
    title, published, outlet
        As the page's own metadata state them.
    stated
        Fields that the sidecar states; they win over all else.
    extra_text
        Text of its tables, which name places too.
    page
        Masthead of the page it stands on.
    """

    issue: str | None = None
    title: str | None = None
    published: str | None = None
    outlet: str | None = None
    stated: Mapping[str, Any] = field(default_factory=dict)
    extra_text: str = ""
    page: str = ""


def describe(article: Article, known: Known) -> dict[str, Any]:
    """Title block, genre, level, region, dates, issuer and document number of an article.

    Returns
    -------
    dict
        The columns of ``documents`` that describe it, and ``outlet`` (where it was published), ``effective`` (from
        when a regulation is in force), ``event_day`` (MM-DD where the year of the event is open).
    """
    stated = known.stated
    number = document_number(article)
    kind = stated.get("genre") or genre(article, number)
    outlet = known.outlet or next((m["name"] for line in article.meta if (m := _OUTLET.search(line))), None)
    issuer = _issuer(article, kind)
    day = dates(article, kind, issue=known.issue, stated=_text(stated.get("published")) or known.published)
    year = next((int(d[:4]) for d in (day.event_date, day.published) if d), None)
    where = _stated_place(stated) or place(
        article,
        kind,
        year=year,
        issuer=" ".join(filter(None, (stated.get("issuer") or issuer, outlet, known.extra_text))),
        page=known.page,
    )
    row: dict[str, Any] = {
        "title": article.title or known.title,
        "kicker": article.kicker,
        "subtitle": article.subtitle,
        "byline": article.byline,
        "genre": kind,
        "level": where.level,
        "region_code": where.code,
        "region": where.name,
        "region_candidates": list(where.candidates),
        "issuer": issuer,
        "outlet": outlet,
        "number": number,
        "published": day.published,
        "event_date": day.event_date,
        "event_day": day.event_day,
        "effective": day.effective,
        "truncated": article.truncated,
    }
    row |= {key: _text(stated[key]) for key in _COLUMN if stated.get(key) is not None}
    for key in ("title", "kicker", "subtitle"):
        if row[key]:
            row[key] = redact_text(pair_quotes(Traced.of(row[key])).value)
    return row


def document_number(article: Article) -> str | None:
    """The document's own number (文号): in its title block or its first lines, not one it cites."""
    for line in [*article.meta, *article.header, *article.body.value[:200].split("\n")[:2]]:
        if len(line) > 60:
            continue
        match = _NUMBER.search(line)
        if match and "《" not in line[: match.start()]:
            return re.sub(r"\s", "", match[0]).translate(
                str.maketrans("[（(【﹝]）)】﹞", "〔〔〔〔〔〕〕〕〕〕")
            )
    return None


def _issuer(article: Article, kind: str) -> str | None:
    """The office that issues a document: its masthead, its metadata, its signature, or who passed a regulation."""
    for line in article.meta:
        match = re.search(
            r"(?:发文机关|发文机构|发布机构|发布部门|发布单位|制定机关|发文单位|公开主体|公开机构)\s*[：:]\s*(\S{2,40})",
            line,
        )
        if match:
            return match[1]
    for line in article.header:
        if match := _MASTHEAD.match(line):
            return match["office"]
    if kind == "法规":
        passed = _PASSED.findall(" ".join(article.header))
        # The next congress is the same body.
        return _CONGRESS.sub("", passed[-1]) if passed else None
    if kind == "政府工作报告":
        return _government(article)
    tail = article.body.value[-120:].split("\n")[-3:]
    for line in tail:
        if len(line) <= 40 and _OFFICE.fullmatch(line.strip()):
            return line.strip()
    for line in [*article.header, article.byline or ""]:
        if line != article.title and _OFFICE.fullmatch(line.strip()):
            return line.strip()
    return None


def _government(article: Article) -> str | None:
    """Whose report a government's work report is; its head gives it, the government answers for it."""
    head = [one for one in (article.title, article.subtitle, article.byline, *article.header) if one]
    if any("国务院总理" in one for one in head):
        return "国务院"
    found = (pattern.search(one) for pattern in _REPORTING for one in head)
    return next((f"{match['place']}人民政府" for match in found if match), None)


def _stated_place(stated: Mapping[str, Any]) -> Place | None:
    """The place that the sidecar states, by code or by name."""
    code = _text(stated.get("region_code"))
    if not code:
        return None
    region = regions.load().get(code)
    return Place(_text(stated.get("level")) or region.level, region.code, region.name)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
