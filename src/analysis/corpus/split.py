"""One file, many articles (切分): newspaper pages and compilations taken apart, each title block read."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .. import codebooks
from .gazetteer import mentions
from .lines import Line, is_open, paragraphs, read_lines
from .trace import Traced, join

#: Points a headline needs to open an article when no byline, dateline or subtitle vouches for it.
_ENOUGH = 5
#: A photograph's caption has no more characters.
_CAPTION = 400
#: How a credit ends that names who took a picture.
_TOOK_IT = ("摄", "摄影", "摄影报道", "供图", "图/文", "文/图")
#: Names behind the last sentence take no more characters.
_SIGNED = 120
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(slots=True)
class Article:
    """One article of a source, before it is described.

    Attributes
    ----------
    body
        One paragraph a line.
    title, kicker, subtitle, byline
        From its title block; ``None`` where there is none.
    header
        All lines above the body as read, for dates, issuer and document number.
    meta
        Lines that state something about the article (来源, 发布时间, 文号).
    photo
        Whether it is a photograph with its caption.
    truncated
        Whether it breaks off.
    """

    body: Traced
    title: str | None = None
    kicker: str | None = None
    subtitle: str | None = None
    byline: str | None = None
    header: list[str] = field(default_factory=list)
    meta: list[str] = field(default_factory=list)
    photo: bool = False
    truncated: bool = False


@dataclass(slots=True)
class _Draft:
    """Lines of one article: its title block and what follows."""

    head: list[Line]
    rest: list[Line]
    photo: bool = False


def split(text: Traced) -> list[Article]:
    """The articles of a cleaned source, in order."""
    drafts = _enacted(_resume(_drafts(_demote(read_lines(text)))))
    articles = [article for draft in drafts if (article := _article(draft, text)) is not None]
    if articles and _one_of_several_pages(text.value):
        articles[-1].truncated = True
    return articles


def _one_of_several_pages(value: str) -> bool:
    """Whether the file says of itself that it is page 3 of 5."""
    match = re.search(r"第\s*(\d{1,3})\s*/\s*(\d{1,3})\s*页", value[:2000])
    return match is not None and int(match[1]) < int(match[2])


def _demote(lines: list[Line]) -> list[Line]:
    """Speaker turns whose speaker speaks once are no turns."""
    speakers = Counter(_speaker(line.text) for line in lines if line.role == "turn")
    known = {"记者", "主持人", "问", "答"}
    for line in lines:
        if line.role == "turn" and speakers[_speaker(line.text)] < 2 and _speaker(line.text) not in known:
            line.role = "plain"
    return lines


def _speaker(text: str) -> str:
    return text.split("：", 1)[0].strip()


# ---------------------------------------------------------------------------------------------- where articles start


def _drafts(lines: list[Line]) -> list[_Draft]:
    if not lines:
        return []
    starts = _starts(lines)
    drafts = []
    for (start, photo), (end, _) in zip(starts, [*starts[1:], (len(lines), False)], strict=True):
        head = _head(lines, start, end)
        drafts.append(_Draft(lines[start : start + head], lines[start + head : end], photo))
    return drafts


def _starts(lines: list[Line]) -> list[tuple[int, bool]]:
    """Indices at which articles start, each with whether a photograph's credit says so."""
    starts: dict[int, bool] = {}
    enacted: set[str] = set()
    for at, line in enumerate(lines):
        signed = line.role == "plain" and not line.prose and (_stamp(line.text) or _signature(line.text))
        if (
            line.role in {"byline", "dateline", "salutation", "abstract", "meta"}
            or _interview(line)
            or (signed and _text_follows(lines, at))
        ):
            start = _block_above(lines, at)
            if start is not None and not any(start <= s <= at for s in starts):
                starts[start] = False
        elif line.role == "credit":
            start = _photo_above(lines, at, starts)
            if start is not None:
                starts[start] = True
        elif _part_mark(line.text) or (line.headline and line.text in enacted):
            starts[at] = False
        else:
            enacted.update(_enacts(line.text))
    usual = _usual_gap(lines)
    for at in range(1, len(lines) - 1):
        if _alone(lines, at) and not _near(starts, at, lines):
            last = max((s for s in starts if s < at), default=0)
            if not _announced(lines, last, at) and _points(lines, last, at, usual) >= _ENOUGH:
                starts[at] = False
    for start in sorted(starts)[1:]:
        before = max(s for s in starts if s < start)
        if not starts[start] and not any(line.prose and line.role != "meta" for line in lines[before:start]):
            del starts[start]  # the title block goes on
    if lines and not any(s == 0 for s in starts):
        first = min(starts, default=None)
        # What stands above the first title block is its page, unless it is running text.
        if first is None or any(line.prose for line in lines[:first]):
            starts[0] = False
    return sorted(starts.items())


def _enacts(text: str) -> list[str]:
    """Names of what a decree says that it enacts."""
    said = "公布" in text or "发布" in text
    return re.findall(r"《([^》]{4,60})》", text) if said and _patterns()["enacts"].search(text) else []


def _text_follows(lines: Sequence[Line], at: int) -> bool:
    """Whether running text stands below a line, after no more than a name or a date."""
    for line in lines[at + 1 : at + 4]:
        if line.prose and line.role not in {"meta", "byline"}:
            return len(line.text) >= 30 or line.role in {"turn", "numbered", "article"}
        if not (_stamp(line.text) or _signature(line.text) or line.role in {"byline", "meta"}):
            return False
    return False


def _block_above(lines: Sequence[Line], at: int) -> int | None:
    """Start of the title block that ends above line ``at``; ``None`` where there is none."""
    start = at
    while start > 0 and at - start < 14:
        above = lines[start - 1]
        if above.role in {"meta", "byline"} and not above.prose:
            start -= 1
            continue
        if not above.headline and not (above.role == "dash" and not above.prose):
            break
        if lines[start].gap > 2 and lines[start].role in {"plain", "dash"} and start < at:
            break
        start -= 1
    block = [line for line in lines[start:at] if line.headline and not _aside(line.text)]
    if not block:
        return None
    if lines[at].role == "meta" and sum(line.headline for line in lines[start:at]) > 4:
        return None
    return start


def _aside(text: str) -> bool:
    """Whether a short line is a name, an office or a date, and no title."""
    return _bare_name(text) or _signature(text) or _stamp(text)


def _photo_above(lines: Sequence[Line], at: int, starts: dict[int, bool]) -> int | None:
    """Start of a photograph's title, where its caption and credit end at line ``at``."""
    caption = at - 1
    while caption > 0 and lines[caption].prose and at - caption < 4:
        if lines[caption - 1].headline:
            break
        caption -= 1
    if caption < 1 or not lines[caption].prose or sum(len(x.text) for x in lines[caption:at]) > 500:
        return None
    start = caption - 1
    title = lines[start]
    if not title.headline or len(title.text) > 30 or any(start <= s < at for s in starts):
        return None
    if start and lines[start].gap <= 1 and lines[start - 1].headline and lines[start - 1].role == "plain":
        start -= 1
    return start


def _alone(lines: Sequence[Line], at: int) -> bool:
    """Whether a headline stands between the end of one text and the beginning of another."""
    line, before, after = lines[at], lines[at - 1], lines[at + 1]
    if not line.headline or line.role != "plain" or line.closed or len(line.text) < 5 or _aside(line.text):
        return False
    ended = (
        before.closed
        or before.role in {"turned", "credit", "byline", "meta"}
        or _dated(before.text)
        or line.cut
    )
    follows = after.prose or (after.headline and at + 2 < len(lines) and lines[at + 2].prose)
    return ended and follows


def _announced(lines: Sequence[Line], last: int, at: int) -> bool:
    """Whether a headline names what the letter above sends: 关于印发《某办法》的通知, and below it 某办法."""
    name = re.sub(r"[（(].{1,8}[)）]$", "", lines[at].text)
    head = "".join(line.text for line in lines[last : last + 6] if "关于" in line.text and line.headline)
    return len(name) >= 5 and name in head


def _near(starts: dict[int, bool], at: int, lines: Sequence[Line]) -> bool:
    """Whether a start lies within the same title block."""
    return any(
        abs(s - at) <= 12 and not any(line.prose for line in lines[min(s, at) : max(s, at)]) for s in starts
    )


def _points(lines: Sequence[Line], last: int, at: int, usual: int) -> int:
    """How much speaks for a headline opening an article rather than a section of one.

    The strongest reason is another place: sections of an article speak of the place that the article is about.
    """
    line, before = lines[at], lines[at - 1]
    after, earlier = _until(lines, at + 1, 900), "".join(x.text for x in lines[last:at])
    points = 0
    points += 2 if line.gap >= usual + 2 else 0
    points += 2 if len(line.text) >= 8 and _patterns()["genre_tail"].search(line.text) else 0
    points += 1 if "关于" in line.text or 14 <= len(line.text) <= 45 else 0
    points += 3 if before.role in {"turned", "credit"} or _dated(before.text) else 0
    points += 1 if line.cut else 0
    if line.closing:  # the page of the article before ended here
        points += 4 if _patterns()["opening"].match(lines[at + 1].text) else 3
    if len(earlier) < 150 or len(after) < 100:
        return points
    told, known = _overlap(line.text, after), _overlap(line.text, earlier)
    points += 2 if told >= 0.6 and known <= 0.45 and len(line.text) >= 10 else 0
    points += 1 if _overlap(after, earlier) < 0.12 else 0
    moved = _moved(line.text, after, earlier[-900:])
    alike = [x for x in lines[last + 1 : at + 40] if x is not line and x.headline and len(x.text) <= 24]
    if not moved and len(alike) >= 2 and len(line.text) <= 24:
        points -= 2  # one of several headings of a kind
    return points + moved - (len(line.text) < 10)


def _moved(title: str, after: str, earlier: str) -> int:
    """Points for a text that speaks of another place than the one before it; more where the title names the place."""
    here, there = _places(title + after), _places(earlier)
    if not here:
        return 2 if sum(there.values()) >= 3 and not _places(title) else 0
    if not there:
        points = 2 if sum(here.values()) >= 3 else 0
    else:
        (a, _), (b, _) = here.most_common(1)[0], there.most_common(1)[0]
        related = a == b or (a[:2] == b[:2] and "00" in (a[2:], b[2:]))
        points = 0 if related else 3
    named = _places(title)
    return points + (2 if points and any(code not in there for code in named) else 0)


def _places(text: str) -> Counter[str]:
    """Provinces and cities that a text names for certain, by the first four digits of their codes."""
    return Counter(m.regions[0].code[:4] for m in mentions(text) if len(m.regions) == 1)


def _until(lines: Sequence[Line], at: int, size: int) -> str:
    text = ""
    for line in lines[at:]:
        text += line.text
        if len(text) >= size:
            break
    return text


def _overlap(text: str, other: str) -> float:
    """Share of a text's character pairs that the other text has too."""
    pairs = {text[i : i + 2] for i in range(len(text) - 1) if _HAN.match(text[i]) and _HAN.match(text[i + 1])}
    return sum(pair in other for pair in pairs) / len(pairs) if pairs else 1.0


def _usual_gap(lines: Sequence[Line]) -> int:
    gaps = sorted(line.gap for line in lines[1:])
    return gaps[len(gaps) // 2] if gaps else 0


# --------------------------------------------------------------------------------------------------- the title block


def _head(lines: Sequence[Line], start: int, end: int) -> int:
    """How many lines from ``start`` on are title block, not body."""
    salutation = next((i for i in range(start, min(end, start + 40)) if lines[i].role == "salutation"), None)
    if salutation is not None and sum(line.prose for line in lines[start:salutation]) <= 2:
        return salutation - start
    count = 0
    titled = signed = False
    for line in lines[start:end]:
        text = line.text
        if (
            line.role == "meta"
            or (count == 0 and _part_mark(text))
            or line.role in {"plain", "dash"}
            and _passed(text)
        ):
            pass
        elif (line.role == "byline" and not line.prose) or (titled and line.role == "plain" and _aside(text)):
            signed = True
        elif line.role in {"plain", "dash"} and not line.prose and _subtitle(text):
            pass
        elif line.headline and (not signed or _again(text, lines[start : start + count])) and count < 8:
            titled = True
        elif signed and _patterns()["no_title"].fullmatch(text):
            pass  # the number below the office
        else:
            break
        count += 1
    head = lines[start : start + count]
    if not titled:
        return (
            sum(1 for line in head if line.role in {"meta", "byline"})
            if head and head[0].role == "meta"
            else 0
        )
    return count


def _again(text: str, above: Sequence[Line]) -> bool:
    """Whether a line says (part of) a title once more."""
    return len(text) >= 8 and any(text in line.text for line in above)


def _passed(text: str) -> bool:
    """Whether a line tells when a regulation was passed or published."""
    bracketed = text[0] in "（("
    return (
        len(text) < 300
        and bool(re.match(r"[（(]?\s*\d{4}\s?年", text))
        and (bracketed or text[-1] != "。")  # a report of the day ends as a sentence does
        and bool(_patterns()["passed"].search(text))
    )


def _article(draft: _Draft, text: Traced) -> Article | None:
    """Read the title block, join the paragraphs; ``None`` where nothing of a body is left."""
    lines, meta, bylines, credits, truncated = _body_lines(draft)
    found = paragraphs(lines, text)
    while found and not found[-1].value.strip():
        found.pop()
    if not found or not any(len(p) > 20 or p.value[-1] in "。！？" for p in found):
        return None
    found[-1], signed, pictured = _sign_off(found[-1])
    last = found[-1].value
    broken = not signed and (is_open(last) or _dangling(last)) and not _dated(last)
    photo = draft.photo or (pictured and len(found) == 1 and len(last) <= _CAPTION)
    body = join(found)
    article = Article(body, photo=photo, truncated=truncated or broken or _unfinished(body.value))
    _read_head(article, draft.head)
    article.meta += meta
    if not article.byline:
        named = credits if draft.photo else bylines
        article.byline = " ".join(named) or signed or _dateline_byline(found[0].value)
    return article


def _sign_off(last: Traced) -> tuple[Traced, str | None, bool]:
    """The last paragraph without the names in brackets behind it, those names, and whether they took the picture."""
    patterns = _patterns()
    tail = max(0, len(last) - _SIGNED)
    match = next(
        (m for key in ("sign_off", "credit_off") if (m := patterns[key].search(last.value, tail))), None
    )
    if match is None:
        return last, None, False
    name = match["name"].strip()
    return last[: match.start()].strip(), name, name.endswith(_TOOK_IT)


def _dangling(text: str) -> bool:
    """Whether a short last line can be no end: it stops at a particle or within a quotation."""
    return len(text) <= 40 and bool(_patterns()["dangling"].search(text))


def _unfinished(body: str) -> bool:
    """Whether a text with whole sentences still lacks its rest: articles without the one on its coming into force
    (every regulation closes with it), or a list of which there is a first item and no second.
    """
    patterns = _patterns()
    articles = patterns["articles"].findall(body)
    if len(articles) >= 3 and articles[0] == "一":
        return patterns["in_force"].search(body, body.index("第一条")) is None
    levels = ((r"^一、", r"^二、"), (r"^[（(]一[)）]", r"^[（(]二[)）]"))
    return all(re.search(a, body, re.M) and not re.search(b, body, re.M) for a, b in levels)


def _dateline_byline(first: str) -> str | None:
    """The reporter named in the dateline: 本报讯（记者 某某）."""
    match = _patterns()["dateline_byline"].match(first)
    return match["name"] if match else None


def _body_lines(draft: _Draft) -> tuple[list[Line], list[str], list[str], list[str], bool]:
    """The lines of the body; what states something about it; bylines; credits; whether the article breaks off."""
    lines: list[Line] = []
    meta: list[str] = []
    bylines: list[str] = []
    credits: list[str] = []
    truncated = False
    for line in draft.rest:
        if line.role == "continued":
            truncated = False
        elif line.role == "turned":
            truncated = True
        elif truncated:
            continue  # what follows the mark belongs to the page
        elif line.role == "credit":
            credits.append(line.text)
            if not draft.photo and len(line.text) > 40:
                lines.append(line)
        elif line.role == "meta":
            meta.append(line.text)
        elif line.role == "byline" and not line.prose:
            bylines.append(line.text)
        else:
            lines.append(line)
    if not lines:
        lines = [
            line for line in draft.rest if line.role == "credit" and line.prose
        ]  # text and credit in one
    return _without_tail(lines), meta, bylines, credits, truncated


def _without_tail(lines: list[Line]) -> list[Line]:
    """Without the short lines that trail behind the last sentence: an advertisement, the head of another column."""
    last = max((i for i, line in enumerate(lines) if line.prose or line.role not in {"plain"}), default=-1)
    tail = lines[last + 1 :]
    dated = max((i for i, line in enumerate(tail) if _dated(line.text)), default=-1)
    if not tail or all(_signature(line.text) for line in tail[dated + 1 :]):
        return lines
    if dated >= 0:
        return lines[: last + dated + 2]  # the office and the date under a document
    if len(tail) == 1 and tail[0].gap <= 1 and not tail[0].cut and _dangling(tail[0].text):
        return lines
    open_end = last >= 0 and not lines[last].closed
    return lines if open_end and len(tail) == 1 and tail[0].gap <= 1 else lines[: last + 1]


def _read_head(article: Article, head: Sequence[Line]) -> None:
    """Sort the lines of a title block into kicker, title, subtitle, byline and metadata."""
    patterns = _patterns()
    bylines: list[str] = []
    subtitles: list[str] = []
    titles: list[str] = []
    for line in head:
        text = line.text
        if line.role == "meta":
            article.meta.append(text)
            continue
        article.header.append(text)
        if line.role == "byline" or _officer(text) or (titles and (_bare_name(text) or _signature(text))):
            bylines.append(text)
        elif _stamp(text):
            stamp = _patterns()["stamp"].fullmatch(text)
            if stamp and stamp["office"] and titles:
                bylines.append(stamp["office"])
        elif _part_mark(text) or _passed(text) or _issue(text) or patterns["no_title"].fullmatch(text):
            continue
        elif any(text in t for t in (*titles, *subtitles)):
            continue  # pages say their title over and over
        elif titles and _subtitle(text):
            subtitles.append(text)
        elif subtitles and patterns["dash"].match(subtitles[-1]) and patterns["at_meeting"].search(text):
            subtitles[-1] += text
            article.header[-2:] = [article.header[-2] + text]
        elif line.role in {"plain", "dash"} and not (line.prose and not line.headline):
            titles.append(text)
    titles = _whole(titles)
    if len(titles) == 1:
        article.title = titles[0]
    elif titles:
        best = int(article.photo or _leads(titles[0], titles[1]))
        article.title = titles[best]
        article.kicker = titles[0] if best else None
        subtitles = [*titles[best + 1 :], *subtitles]
    article.subtitle = " ".join(subtitles) or None
    article.byline = " ".join(bylines) or None


def _whole(titles: list[str]) -> list[str]:
    """Titles broken over two lines put together."""
    whole: list[str] = []
    for line in titles:
        if whole and (
            whole[-1].count("《") > whole[-1].count("》")
            or whole[-1].count("“") > whole[-1].count("”")
            or whole[-1][-1] in "的和与、及在从把被让"
            or (whole[-1].startswith("关于") and not _patterns()["genre_tail"].search(whole[-1]))
        ):
            whole[-1] += line
        else:
            whole.append(line)
    return whole


def _leads(first: str, second: str) -> bool:
    """Whether the first of two headlines is the kicker of the second."""
    if (
        " " not in first
        and _patterns()["genre_tail"].search(first)
        and not _patterns()["genre_tail"].search(second)
    ):
        return False
    return bool(_patterns()["kicker"].search(first)) or len(first) < len(second)


def _resume(drafts: list[_Draft]) -> list[_Draft]:
    """Give a text broken by a photograph the rest that stands below the photograph."""
    for before, photo in zip(drafts, drafts[1:], strict=False):
        if not photo.photo or not before.rest or before.rest[-1].closed or before.rest[-1].role == "turned":
            continue
        credit = next((i for i, line in enumerate(photo.rest) if line.role == "credit"), None)
        if credit is not None and credit + 1 < len(photo.rest) and before.rest[-1].prose:
            before.rest.extend(photo.rest[credit + 1 :])
            del photo.rest[credit + 1 :]
    return drafts


def _enacted(drafts: list[_Draft]) -> list[_Draft]:
    """Put a decree (令) and the regulation printed below it together, under the regulation's name.

    The number, the signature and the date of the decree become part of the title block.
    """
    whole: list[_Draft] = []
    for draft in drafts:
        order = whole[-1] if whole else None
        names = {line.text for line in draft.head if line.headline}
        enacted = order and next((line for line in order.rest if names & set(_enacts(line.text))), None)
        if order and enacted:
            signed = [
                replace(line, role="meta") for line in (*order.head, *order.rest) if line is not enacted
            ]
            draft = _Draft([*signed, *draft.head], [enacted, *draft.rest])
            whole.pop()
        whole.append(draft)
    return whole


# ----------------------------------------------------------------------------------------------------- forms of lines


def _interview(line: Line) -> bool:
    return line.role == "dash" and bool(_patterns()["interview"].match(line.text))


def _part_mark(text: str) -> bool:
    return len(text) <= 10 and bool(_patterns()["part_mark"].fullmatch(text))


def _subtitle(text: str) -> bool:
    patterns = _patterns()
    attendance = patterns["attendance"].fullmatch(text) and not re.search("召开|举行", text)
    return bool(patterns["dash"].match(text) or attendance or patterns["held"].match(text))


def _officer(text: str) -> bool:
    """Whether a line is an office and who holds it: 某县县长 王某某; not 某县县长接访活动公告."""
    match = _patterns()["officer"].fullmatch(text) if len(text) <= 24 else None
    return match is not None and ("·" in text or bool(_patterns()["held_by"].search(text)))


def _issue(text: str) -> bool:
    return bool(re.fullmatch(r"[（(].{1,24}[)）]", text))


def _dated(text: str) -> bool:
    """Whether a line is the date under a document."""
    return len(text) <= 24 and bool(_patterns()["date"].search(text)) and "。" not in text


def _signature(text: str) -> bool:
    """Whether a line is the office that signs a document."""
    return len(text) <= 40 and bool(_patterns()["office"].fullmatch(text))


def _stamp(text: str) -> bool:
    """Whether a line is a date with or without the office that gives it: （某局 2022年3月8日）."""
    return len(text) <= 48 and bool(_patterns()["stamp"].fullmatch(text))


def _bare_name(text: str) -> bool:
    return len(text) <= 16 and bool(_patterns()["names"].fullmatch(text))


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    layout, names = codebooks.load("layout"), codebooks.load("names")
    name = rf"(?:{'|'.join(names['compounds'])}|[{names['surnames']}])\s?[\u4e00-\u9fff]{{1,2}}"
    # An office begins with whose it is; 构建大信访格局 and 打造社会治理中心 are headlines.
    office = (
        r"(?!打造|建设|推进|推动|构建|建立|设立|走进|探访|创新|成立|完善|优化|强化|筑牢|延伸|用好|做强|做实|建好|点亮)"
        r"(?:中共|国家|最高|全国|中央|国务院|[省市县区州]|(?:[\u4e00-\u9fff]{1,9}?(?:省|市|县|区|州|盟|旗|镇|乡|街道)))"
        r"[\u4e00-\u9fff（）]{0,22}"
        r"(?<![格结全布大新开破变僵])(?:局|委|厅|院|办|部|室|府|会|会议|中心|镇|街道|乡|组|处|所|专班|指挥部|支队)"
    )
    return {
        "interview": re.compile(layout["interview"]),
        "part_mark": re.compile(layout["part_mark"]),
        "dash": re.compile(layout["subtitle_dash"]),
        "attendance": re.compile(layout["attendance"]),
        "officer": re.compile(layout["officer"]),
        "held_by": re.compile(
            rf"(?:长|席|书记|主任)(?:\s*{name}|\s+[\u4e00-\u9fff]{{1,5}}|\s*[{names['surnames']}]\s[\u4e00-\u9fff])$"
        ),
        "genre_tail": re.compile(layout["genre_tail"] + "$"),
        "names": re.compile(rf"{name}(?:[\s、，]+{name}){{0,3}}"),
        "date": re.compile(
            r"\d{4}年\d{1,2}月\d{1,2}日|[二〇○０零一二三四五六七八九十]{4}年.{1,3}月.{1,3}日|\d{4}[-./]\d{1,2}[-./]\d{1,2}$"
        ),
        "office": re.compile(rf"{office}(?:[\s、]+{office}){{0,3}}(?:\s?供稿)?"),
        "stamp": re.compile(
            rf"[（(]?\s*(?:(?P<office>{office}|[\u4e00-\u9fff]{{4,24}})\s+)?"
            r"(?:\d{4}年\d{1,2}月(?:\d{1,2}日)?|[二〇○０零一二三四五六七八九十]{4}年.{1,3}月.{1,3}日)\s*[)）]?"
        ),
        "kicker": re.compile(r"(?:强调|指出|要求|提出|召开|举行|会议|消息|讲话时|调研时)$"),
        "passed": re.compile(r"(?:通过|公布|发布|批准|修[订正改]|施行|印发|令第?.{1,4}号)"),
        "enacts": re.compile(r"《[^》]{4,60}》.{0,80}(?:通过|批准|同意).{0,12}现(?:予|将其)?(?:公布|发布)"),
        "opening": re.compile(r"本报|本网|新华社|近日|日前|(?:\d{4}年)?\d{1,2}月\d{1,2}日"),
        "at_meeting": re.compile(r"(?:会议|大会|全会)上$"),
        "held": re.compile(
            r"^(?:——)?\s*(?:\d{4}|[二〇○零一三四五六七八九]{4})年.{3,12}在.{4,40}(?:会议|大会|全会)上(?:\s.{2,20})?$"
        ),
        "sign_off": re.compile(
            rf"(?<=[。！？”])\s*[（(](?P<name>(?:[\u4e00-\u9fff]{{0,8}}(?:记者|通讯员|作者|撰稿|供稿)?[：:]?\s?{name}[\s、，]*){{1,4}}(?:摄影报道|摄影|摄|图/文|文/图|供图)?)[)）]$"
        ),
        "credit_off": re.compile(
            rf"(?<=[。！？”])\s*(?P<name>[\u4e00-\u9fff]{{0,6}}(?:记者|通讯员)?[：:]?\s?{name}(?:[\s、]+{name}){{0,3}}"
            r"\s?(?:摄|摄影|摄影报道|供图|图/文|文/图))$"
        ),
        "dangling": re.compile(
            r"(?:(?<!目)的|(?<![共平温总柔调])和|(?<![参给赋])与|(?<![以普涉波])及|[把被、，“（《])$|“[^”]*$"
        ),
        "articles": re.compile(r"(?m)^第([一二三四五六七八九十百零〇\d]{1,6})条"),
        "in_force": re.compile(
            r"自[^。]{2,40}(?:施行|实施|执行|生效)|(?:公布|发布|通过|印发)之日起|负责解释|同时废止"
        ),
        "dateline_byline": re.compile(r"^[\u4e00-\u9fff]{2,8}[讯电]\s?[（(](?P<name>[^（）()]{2,40})[)）]"),
        # Captions, document numbers, the masthead of an official document, its secrecy and urgency.
        "no_title": re.compile(
            r".{2,16}作(?:政府)?工作报告。?|[\u4e00-\u9fff]{1,14}〔\d{4}〕第?\d{1,4}号|[\u4e00-\u9fff]{1,14}[\[（【]\d{4}[\]）】]\s?第?\d{1,4}号"
            r"|[\u4e00-\u9fff、（）]{4,40}文件|(?:特急|加急|急件|内部|秘密|机密|内部资料.{0,8}|签发人[：:].{0,10})"
        ),
    }
