"""Commitments (承诺与任务): who shall do what by when, how strictly, measurable or not, and where it is reported done.

Rules only, from a codebook: a clause of a plan is a commitment when it looks ahead (by its own words or by the
section it stands in) and orders, promises or targets something. What a clause reports as done is none. Of a regulation
(法规) every clause that binds (应当, 不得, 必须 …) is a standing duty; a definition binds nobody, nor does a condition.
"""

from __future__ import annotations

import calendar
import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from .. import codebooks
from .dates import document_date, document_dates, records

if TYPE_CHECKING:
    import pandas as pd

COMMITMENTS = (
    "doc_id",
    "start",
    "end",
    "text",
    "who",
    "who_stated",
    "what",
    "by_when",
    "by_date",
    "modality",
    "strength",
    "measurable",
    "targets",
    "section",
)
# Genres in which nobody promises anything of his own: they are not read unless asked for.
NOT_MADE_FOR = ("图片新闻", "论文", "统计公报")
_CLAUSE = re.compile(r"[^。；;！!？?\n]+")
_COUNT = "一二三四五六七八九十"
# What numbers a clause in a list and is no word of it: 一是, 二要, （三）, 7．, ②, 第四，, and several in a row.
_ENUMERATOR = re.compile(
    rf"(?:[\s　]*(?:[{_COUNT}]{{1,3}}(?:是要?|要(?![素件点求领]))|[（(]\s?(?:[{_COUNT}]{{1,3}}|\d{{1,2}})\s?[)）][、.．]?|[{_COUNT}]{{1,3}}[、.．]"
    rf"|\d{{1,2}}(?:[、．]|[.](?!\d))|[①-⑳⑴-⒇㈠-㈩]|第[{_COUNT}]{{1,3}}[，,、]|第[{_COUNT}百零〇\d]+条(?:之[{_COUNT}])?(?=[\s　])))+[\s　]*"
)
_PART = re.compile(r"[，,：:]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_HEADING = re.compile(
    r"^\s*(?:[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十]{1,3}[)）]|第[一二三四五六七八九十]+部分)"
)
_DEADLINE = re.compile(
    r"(?:到|至|在|于)?(?P<year>20\d\d|今|明|本)年(?:(?P<end>年?底|年?末)(?:之?前)?|(?P<half>上半年|下半年)|第?(?P<quarter>[一二三四])季度末?|"
    r"(?P<month>1[0-2]|[1-9])月(?P<day>[12]\d|3[01]|[1-9](?=日))?日?(?:底|末)?)(?:之?前|以前|内)?"
    r"|(?:到|至)(?P<by>20\d\d)年(?!以来|以前的)"
    r"|(?:到|至|在|于)?(?P<bare>年底|年内|年末|上半年|6月底|一季度末?)(?:之?前|内)?"
    r"|(?:到|至|在|于)?(?P<month2>1[0-2]|[1-9])月(?:(?P<day2>[12]\d|3[01]|[1-9](?=日))日|底|末|份)(?:之?前|以前)"
    rf"|(?:力争|用|在)?[{_COUNT}两\d]{{1,3}}(?:年|个月|个?工作日|日|天|周)(?:之内|以内|内)"
    r"|(?:“十[一二三四五六七八九]五”|届)(?:末|期末|期间|时期)"
)
# A day of the calendar, whether a deadline or not, measures nothing.
_DAY = re.compile(
    r"(?:20\d\d年)?(?:1[0-2]|0?[1-9])月(?:[12]\d|3[01]|0?[1-9])[日号]|(?:[12]\d|3[01]|[1-9])日(?=之?前|以前|起)"
)
_TARGET = re.compile(
    r"(?:(?:达到|达|不低于|不少于|不超过|控制在|超过|突破|保持在|稳定在|提高到|提升到|提升至|降至|降到|增长|下降|新增|新建|改造|建设|建成|培育|完成|实施|推动|争取|安排|发放|筹集|办好|开展)[^，。；\d]{0,14})?"
    r"(?P<number>(?<!第)[约近超]?(?<![第\d])\d[\d,.]*(?:[—\-~至]\d[\d.]*)?%?\s?[万亿千百]?(?:个百分点|平方公里|公里|平方米|万千瓦|万亩|亩|亿元|万元|元|人次|件次|批次|件|家|个|户|套|所|项|条|处|座|人|名|张|吨|辆|场|次|台|天|日|种|类|%|%)?)(?:以上|左右|以内|以下)?"
)
_WHO = re.compile(
    r"(?:由|请)(?P<by>[^，。；：、“”]{2,24}?)(?:牵头|负责(?!人|同志)|会同|组织|落实)"
    r"|(?:责任单位|牵头单位|责任部门|牵头部门)[:：](?P<unit>[^。；）)]{2,60})"
    r"|[（(](?P<paren>[^（）()]{2,40}?)(?:牵头|负责|分别负责|配合)[^（）()]{0,30}[)）]"
    r"|(?:^|[，,])(?P<subject>[^，,。；：]{2,24}?)(?:都|均|还|也)?(?:要(?!求)|应当|应(?=于|在|按|及时|依)|须|必须|务必|负责(?!人|同志)|将)"
)


@dataclass(frozen=True)
class _Book:
    """The codebook with its patterns compiled, so that a clause costs no look-up."""

    modalities: tuple[tuple[str, int, re.Pattern[str]], ...]
    wished: re.Pattern[str]
    shields: re.Pattern[str]
    done: re.Pattern[str]
    actions: tuple[str, ...]
    bodies: tuple[str, ...]
    reported: tuple[str, ...]
    forward: re.Pattern[str]
    backward: re.Pattern[str]
    turning: re.Pattern[str]


@functools.lru_cache(maxsize=1)
def _book() -> _Book:
    book = codebooks.load("commitments")
    words = {
        name: re.compile("|".join(map(re.escape, book[name]))) for name in ("forward", "backward", "turning")
    }
    wished = [
        word for one in book["modalities"] if one["id"] in ("will", "want", "strive") for word in one["words"]
    ]
    return _Book(
        tuple(
            (one["name"], one["strength"], re.compile("|".join(one["words"]))) for one in book["modalities"]
        ),
        re.compile("|".join(wished)),
        re.compile("|".join(book["shields"])),
        re.compile("|".join(book["done"])),
        tuple(book["actions"]),
        tuple(book["bodies"]),
        tuple(book["reported"]),
        **words,
    )


def commitments(documents: pd.DataFrame, *, genres_refused: Sequence[str] = NOT_MADE_FOR) -> pd.DataFrame:
    """The commitments that documents state (承诺与任务).

    Parameters
    ----------
    documents
        Needs ``doc_id`` and ``body``; ``published`` or ``event_date`` resolves 年底前 and the like, ``issuer`` is who
        acts where the clause names nobody, ``genre`` decides whether the document is read at all.
    genres_refused
        Genres that are left out.

    Returns
    -------
    DataFrame
        Columns ``COMMITMENTS``: span and text of the clause; who (NA when nobody is named and the issuer is unknown)
        and who_stated (named in the clause); what (the clause without its enumerator, its deadline, and the words
        that name who shall act where they open it); by_when as it
        stands and by_date (last day of it; NA when it cannot be resolved); modality and strength 1–5 (the codebook's;
        部署 with strength 3 for a plain imperative); measurable (it states a number or a deadline that can be
        checked); targets (the numbers as they stand, days of the calendar and deadlines left out); section (the heading it stands under).
        ``attrs["refused"]``: genre → documents left out for it.
    """
    import pandas as pd

    book = _book()
    rows = []
    refused: Counter[str] = Counter()
    for row in records(documents, "doc_id", "body", "genre", "issuer", "published", "event_date"):
        body, genre = row["body"], row["genre"]
        if isinstance(genre, str) and genre in genres_refused:
            refused[genre] += 1
        elif isinstance(body, str):
            day = document_date(row)
            issuer = row["issuer"] if isinstance(row["issuer"], str) else None
            standing = isinstance(genre, str) and genre == "法规"
            rows += [{"doc_id": row["doc_id"], **one} for one in _in_body(body, day, issuer, standing, book)]
    table = pd.DataFrame(rows, columns=list(COMMITMENTS)).astype(
        {"start": "int64", "end": "int64", "strength": "int64"}
    )
    table.attrs["refused"] = dict(refused)
    return table


def fulfilment(table: pd.DataFrame, documents: pd.DataFrame, *, floor: float = 0.5) -> pd.DataFrame:
    """The later document that reports each commitment done, where the corpus has one (落实情况).

    A clause reports a commitment when it stands in a later dated document, carries a word of completion, and holds at
    least ``floor`` of the commitment's Han 3-grams. It is a proposal with its evidence, to be confirmed by a person.

    Returns
    -------
    DataFrame
        ``table`` with done_doc_id, done_start, done_end, done_text, similarity; NA where none was found.
    """
    import pandas as pd

    book = _book()
    dates = dict(zip(documents["doc_id"], document_dates(documents), strict=True))
    index: dict[str, list[int]] = {}
    reports: list[tuple[str, int, int, str]] = []
    for doc, body in zip(documents["doc_id"], documents["body"], strict=True):
        if isinstance(body, str) and dates[doc]:
            for match in _CLAUSE.finditer(body):
                # A report may name who led the work (牵头) and still be a report: words of will and wish look ahead.
                if any(word in match[0] for word in book.reported) and not book.wished.search(match[0]):
                    for gram in _grams(match[0]):
                        index.setdefault(gram, []).append(len(reports))
                    reports.append((doc, match.start(), match.end(), match[0]))
    found = []
    for doc, what in zip(table["doc_id"], table["what"], strict=True):
        grams = _grams(str(what))
        votes: dict[int, int] = {}
        for gram in grams:
            for place in index.get(gram, ()):
                other = dates[reports[place][0]]
                if dates.get(doc) and other and other > dates[doc]:
                    votes[place] = votes.get(place, 0) + 1
        best = max(votes, key=lambda place: (votes[place], -place), default=None)
        similarity = votes[best] / len(grams) if best is not None else 0.0
        found.append(
            (*reports[best], similarity)
            if best is not None and similarity >= floor
            else (None, None, None, None, None)
        )
    done = pd.DataFrame(
        found, columns=["done_doc_id", "done_start", "done_end", "done_text", "similarity"], index=table.index
    )
    return pd.concat([table, done.astype({"done_start": "Int64", "done_end": "Int64"})], axis=1)


def _in_body(
    body: str, day: date | None, issuer: str | None, standing: bool, book: _Book
) -> Iterator[dict[str, Any]]:
    ahead, section = False, None
    for line in re.finditer(r"[^\n]+", body):
        text = line[0].strip()
        short = len(text) <= 40 and not text.endswith(("。", "；", "，"))
        if short and (_HEADING.match(text) or not _imperative(text, book)):
            # A heading orders nothing by itself; it says which way the text below looks.
            section = text
            ahead = _turn(text, ahead, book.forward, book.backward)
            continue
        for match in _CLAUSE.finditer(line[0]):
            clause = match[0]
            ahead = (
                _turn(clause[:40], ahead, book.turning)
                if section
                else _turn(clause[:40], ahead, book.forward, book.backward)
            )
            numbered = _HEADING.match(clause) is not None and not standing  # there （一） numbers an item
            if numbered and len(clause) <= 45 and _deadline(clause) is None:
                continue  # a heading that runs into its paragraph; none sets a deadline
            found = _commitment(clause.strip(), ahead, day, issuer, standing, book)
            if found:
                start = line.start() + match.start() + len(clause) - len(clause.lstrip())
                yield {
                    "start": start,
                    "end": line.start() + match.end(),
                    "text": clause.strip(),
                    "section": section,
                    **found,
                }


def _commitment(
    clause: str, ahead: bool, day: date | None, issuer: str | None, standing: bool, book: _Book
) -> dict[str, Any] | None:
    """The fields of a commitment, or None when the clause is none."""
    if book.done.search(clause) or len(_HAN.findall(clause)) < 6:
        return None
    bare = unnumbered(clause)
    # In a regulation most clauses hold 应当; what they speak of as due binds nobody by being spoken of.
    said = book.shields.sub(_blank, clause)
    modality, strength = next(
        ((name, degree) for name, degree, words in book.modalities if words.search(said)), (None, 3)
    )
    when = _deadline(bare)
    imperative = _imperative(bare.replace(when, "", 1) if when else bare, book)
    due = _by_date(when, day) if when else None
    future = due is not None and (day is None or due >= day)
    # A strict modal word binds wherever it stands; a weak one or a bare imperative only where the text looks ahead.
    strict = modality is not None and strength >= 4
    binding = (
        (ahead and (imperative or modality is not None))
        or (future and (imperative or modality is not None))
        or (strict and (future or standing))
    )
    if not binding:
        return None
    # Blanked by a mark that no target runs across: deadlines and days are no quantities.
    amounts = _DAY.sub(_blank, _DEADLINE.sub(_blank, bare))
    targets = [match[0] for match in _TARGET.finditer(amounts) if _is_target(match)]
    who, opening = _who(bare, book)
    return {
        # Who issues a regulation is not who it binds.
        "who": who or (None if standing else issuer),
        "who_stated": who is not None,
        "what": _what(bare, when, opening),
        "by_when": when,
        "by_date": due.isoformat() if due else None,
        "modality": modality or "部署",
        "strength": strength,
        "measurable": bool(targets) or when is not None,
        "targets": targets,
    }


def unnumbered(clause: str) -> str:
    """The clause without what numbers it in a list."""
    number = _ENUMERATOR.match(clause)
    return clause[number.end() :] if number else clause


def _blank(match: re.Match[str]) -> str:
    return "；" * len(match[0])


def _what(bare: str, when: str | None, opening: str) -> str:
    """What shall be done: without the deadline, and without who shall do it where that opens the clause."""
    what = bare.replace(when, "", 1) if when else bare
    what = what.strip("，, 　")
    return what.removeprefix(opening).strip("，, 　") or what


def _turn(text: str, ahead: bool, forward: re.Pattern[str], backward: re.Pattern[str] | None = None) -> bool:
    """Which way the text looks from here on: a review that also names its plan is a review."""
    if backward is not None and backward.search(text):
        return False
    return ahead or forward.search(text) is not None


def _imperative(clause: str, book: _Book) -> bool:
    """Whether the clause, or a part of it after a comma or an enumerator, begins with a verb of action."""
    return any(unnumbered(part.strip()).startswith(book.actions) for part in _PART.split(clause))


def _is_target(match: re.Match[str]) -> bool:
    """A number with a unit, or one that a verb of target introduces; years and plain ordinals are none."""
    number = match["number"]
    return bool(re.search(r"[^\d.,—\-~至\s约近超]", number)) and not re.fullmatch(r"20\d\d", number)


def _deadline(clause: str) -> str | None:
    for match in _DEADLINE.finditer(clause):
        # 20XX年以来 looks back; 9月1日起 says when it begins, not when it is due.
        if not clause[match.end() :].startswith(("以来", "来", "度", "起")):
            return match[0]
    return None


def _by_date(when: str, day: date | None) -> date | None:
    """Last day of a deadline; NA where the year is not stated and the document has no date."""
    match = _DEADLINE.match(when)
    if match is None:
        return None
    stated = match["year"] or match["by"]
    if stated and stated.isdigit():
        year = int(stated)
    elif day is None:
        return None
    else:
        year = day.year + (1 if stated == "明" else 0)
    if match["month"] or match["month2"]:
        month = int(match["month"] or match["month2"])
        last = calendar.monthrange(year, month)[1]
        return date(year, month, min(last, int(match["day"] or match["day2"] or last)))
    if match["quarter"]:
        month = 3 * ("一二三四".index(match["quarter"]) + 1)
        return date(year, month, calendar.monthrange(year, month)[1])
    words = (match["half"] or "") + (match["bare"] or "")
    if "上半年" in words or "6月" in words:
        return date(year, 6, 30)
    if "一季度" in words:
        return date(year, 3, 31)
    if stated or match["bare"] or match["half"]:
        return date(year, 12, 31)
    return None


def _who(bare: str, book: _Book) -> tuple[str | None, str]:
    """Who shall act, as the clause names it, and the words of it that say so where they open the clause."""
    for match in _WHO.finditer(bare):
        name = next(group for group in match.groups() if group).strip()
        if (
            match["unit"]
            or match["paren"]
            or (name.endswith(book.bodies) and not name.startswith(book.actions))
        ):
            return name, "" if match["unit"] or match["paren"] else match[0].strip("，, 　")
    return None, ""


def _grams(text: str) -> set[str]:
    han = "".join(_HAN.findall(text))
    return {han[k : k + 3] for k in range(len(han) - 2)}
