"""Sentences (句), who says them (发言人、言语行为), and where in a regulation they stand (章、条、款、项)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from .. import codebooks

_SENTENCE = re.compile(r"[^。！？!?]+(?:[。！？!?…]+[”’」』）)】》]*|$)|[。！？!?…]+[”’」』）)】》]*")
_ACTS = "指出|强调|要求|认为|提出|表示|明确|号召|决定|部署|听取|审议|传达学习|传达|通报|介绍|说"
_OPENING = re.compile(
    r"^(?P<speaker>会议|全会|会上|大会|座谈会|[\u4e00-\u9fff、（）]{0,24}?(?:书记|省长|市长|县长|区长|主席|局长|厅长|主任|同志|部长|组长|负责人|发言人)?"
    rf"[\u4e00-\u9fff·]{{2,4}}?)(?:同志)?(?:还|并|最后|同时|进一步|再次|特别|明确|着重|反复|在讲话中|在会上)?(?P<act>{_ACTS})(?=[，：,:])"
)
_COUNCIL = re.compile(
    rf"(?:^|[，。；])(?P<speaker>会议|全会|大会)(?:还|并|同时)?(?P<act>{_ACTS})(?=[，：,:]|了)"
)
_AFTER_QUOTE = re.compile(
    r"^(?P<speaker>[\u4e00-\u9fff、·]{2,30}?)(?:这样|如此|激动地|高兴地|对记者|向记者)?(?P<act>说|表示|介绍|回忆说|告诉记者|坦言|感慨)[。，]"
)
_QUOTED = re.compile(
    r"[”](?P<speaker>[\u4e00-\u9fff、·]{2,30}?)(?:这样|如此|激动地|高兴地|坦言|对记者|向记者)?(?P<act>说|表示|介绍|回忆说|告诉记者|坦言|感慨)"
)
_CARRIED = re.compile(
    r"^(?:[一二三四五六七八九十]{1,2}[是要]|要|——|--|[●■◆▲★○□◇]|（?[一二三四五六七八九十]+[、）])"
)
_CHAPTER = re.compile(r"^第[一二三四五六七八九十百零〇\d]{1,6}[编章节](?:\s|(?=[\u4e00-\u9fff]{2,20}$)|$)")
_ARTICLE = re.compile(
    r"^第([一二三四五六七八九十百千零〇\d]{1,8})条(之[一二三四五六七八九十]{1,2})?(?=[\s：:【\u4e00-\u9fff]|$)"
)
_ARTICLES = re.compile(_ARTICLE.pattern, re.MULTILINE)
_ITEM = re.compile(r"^(?:[（(]([一二三四五六七八九十]{1,3})[)）]|(\d{1,2})[、.．](?!\d))")
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


def sentences(doc_id: str, body: str) -> Iterator[dict[str, Any]]:
    """The sentences of a body in order, one row each.

    ``start`` and ``end`` are offsets in the body. ``speaker`` and ``act`` hold from the sentence that names them to
    the end of its paragraph, and on through the numbered points that follow it; an interview's speaker holds until
    the next turn. Where a text is drawn up in articles, ``chapter``, ``article``, ``clause`` and ``item`` (章、条、款、项) are given.
    """
    at = number = 0
    said: tuple[str | None, str | None] = (None, None)
    turn: str | None = None
    place = _Place() if len(_ARTICLES.findall(body)) > 1 else None
    for index, paragraph in enumerate(body.split("\n")):
        heading = is_heading(paragraph)
        if place:
            place.move(paragraph)
        if (spoken := _turn().match(paragraph)) is not None:
            turn = spoken["speaker"].rstrip("：: ")
        if not _CARRIED.match(paragraph):
            said = (None, None)
        rows: list[dict[str, Any]] = []
        for match in _SENTENCE.finditer(paragraph):
            lead = len(match[0]) - len(match[0].lstrip())
            text = match[0].strip()
            if not text:
                continue
            said = _said(text) or said
            start = at + match.start() + lead
            row: dict[str, Any] = {
                "doc_id": doc_id,
                "paragraph": index,
                "sentence": number,
                "start": start,
                "end": start + len(text),
                "text": text,
                "speaker": said[0] or turn,
                "act": said[1],
                "heading": heading,
            }
            if place:
                row |= place.row()
            if rows and rows[-1]["text"].endswith("”") and (named := _AFTER_QUOTE.match(text)):
                # “……。”某某说。 The one named behind the quotation is who said it.
                rows[-1] |= {"speaker": named["speaker"], "act": _plain(named["act"])}
                row |= {"speaker": named["speaker"], "act": _plain(named["act"])}
            rows.append(row)
            number += 1
        yield from rows
        at += len(paragraph) + 1


def is_heading(paragraph: str) -> bool:
    """Whether a paragraph is a heading: short, and no sentence."""
    return (
        len(paragraph) <= 45
        and paragraph[-1:] not in "。！？；：…，、"
        and not re.search(r"[。；！？]", paragraph)
    )


def _said(text: str) -> tuple[str, str] | None:
    match = _OPENING.match(text) or _COUNCIL.search(text) or _QUOTED.search(text)
    if match is None:
        return None
    return match["speaker"], _plain(match["act"])


def _plain(act: str) -> str:
    return "说" if act in {"回忆说", "告诉记者"} else act


@functools.cache
def _turn() -> re.Pattern[str]:
    return re.compile(codebooks.load("layout")["turn"])


class _Place:
    """Where in a regulation we are: chapter, article, clause, item."""

    def __init__(self) -> None:
        self.chapter: str | None = None
        self.article: int | None = None
        self.clause: int | None = None
        self.item: int | None = None

    def move(self, paragraph: str) -> None:
        """Go on to a paragraph: a new article, the next clause of this one, or one of its items."""
        if _CHAPTER.match(paragraph):
            self.chapter, self.article, self.clause, self.item = paragraph, None, None, None
        elif match := _ARTICLE.match(paragraph):
            self.article, self.clause, self.item = numeral(match[1]), 1, None
        elif self.article is not None and (match := _ITEM.match(paragraph)):
            self.item = numeral(match[1] or match[2])
        elif self.article is not None:
            self.clause, self.item = (self.clause or 0) + 1, None

    def row(self) -> dict[str, Any]:
        """The columns of a sentence here."""
        return {"chapter": self.chapter, "article": self.article, "clause": self.clause, "item": self.item}


def numeral(text: str) -> int:
    """A Chinese or Arabic numeral below 10,000 as a number: 一百零二 → 102, 二〇 → 20."""
    if text.isdigit():
        return int(text)
    if not any(c in text for c in "十百千"):
        return int("".join(str(_DIGITS[c]) for c in text))
    total = digit = 0
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        else:
            unit = {"十": 10, "百": 100, "千": 1000}[c]
            total += (digit or 1) * unit
            digit = 0
    return total + digit
