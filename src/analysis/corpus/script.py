"""Scripts (字形与注音): pinyin notes stripped, traditional characters made simplified, the domain's terms right."""

from __future__ import annotations

import functools
import re

from .. import codebooks
from .trace import Edit, Traced

_LETTER = r"[a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹ\u0300-\u030c]"
# A note may be broken at the margin.
_NOTE = re.compile(
    rf"(?<=[\u3400-\u9fff\uf900-\ufaff])\s{{0,3}}[(（]\s?(?P<note>(?:{_LETTER}\s{{0,4}}){{1,6}})[)）]",
    re.IGNORECASE,
)
_SYLLABLE = re.compile(
    r"(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)?"
    r"[aeiouüvāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜńňǹ\u0300-\u030c]{1,6}(?:ng|n|r)?",
    re.IGNORECASE,
)
_TONE = re.compile(r"[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜńňǹ\u0300-\u030c]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_WIDE = r"[\u3001-\u9fff\uff01-\uffe5\ue000-\uf8ff]"
# Only a letter or sign stuck between two wide characters can close a run of shifted bytes.
_SHIFTED = re.compile(rf"(?<={_WIDE[:-1]}?])[@-~](?={_WIDE})")


def strip_pinyin(text: Traced) -> Traced:
    """Cut pinyin notes that follow a character: 聯(lián)席 → 聯席.

    A note with a tone mark always counts; notes without one only where the text has several with.
    """
    notes = [m for m in _NOTE.finditer(text.value) if _SYLLABLE.fullmatch(re.sub(r"\s", "", m["note"]))]
    marked = sum(bool(_TONE.search(m[0])) for m in notes)
    return text.edit(
        [
            Edit(m.start(), m.end())
            for m in notes
            if _TONE.search(m[0]) or (marked >= 3 and len(m["note"].strip()) > 1)
        ]
    )


def simplify(text: Traced) -> tuple[Traced, str]:
    """Make the text simplified, character for character.

    Returns
    -------
    tuple
        The text, and the script it came in: 繁 where more than 3 % of its Chinese characters are traditional
        forms, else 简. In a simplified text single traditional characters are mended only where no simplified
        word is written with them.
    """
    converted = _t2s(text.value)
    if converted == text.value:
        return text, "简"
    keep = set(codebooks.load("script")["simplified_keep"])
    changed = [
        i for i, (a, b) in enumerate(zip(text.value, converted, strict=True)) if a != b and a not in keep
    ]
    if len(changed) > 0.03 * len(_HAN.findall(text.value)):
        return Traced(converted, text.origin), "繁"
    mend = [Edit(i, i + 1, converted[i]) for i in changed]
    return text.edit(mend), "简"


def repair_shifted(text: Traced) -> Traced:
    """Mend runs of GBK text that lost a byte: ``；鶎有旁L`` → ``。基層信訪``.

    Such a run ends at the next ASCII character, whose byte completes the last pair. A candidate is taken where
    what it decodes to is made of common characters and real words, and what stands there is not.
    """
    if "。" in text.value:
        text = text.sub(_numbers_lost()[0], lambda m: f"（{_numbers_lost()[1][m[1]]}）")
    edits = []
    at = 0
    for match in _SHIFTED.finditer(text.value):
        end = match.end()
        best: Edit | None = _unmark(text.value, match.start(), at)
        for start in range(match.start() - 1, max(at, match.start() - 25) - 1, -1):
            if text.value[start] in "\n" or ord(text.value[start]) < 128:
                break
            mended = _unshift(text.value[start:end])
            if mended and _better(mended, text.value[start:end], text.value[end : end + 4]):
                best = Edit(start, end, mended)  # the longest run wins
        if best:
            edits.append(best)
            at = end
    return text.edit(edits)


@functools.cache
def _numbers_lost() -> tuple[re.Pattern[str], dict[str, str]]:
    """What （一） to （十） become when their bytes slip by one: ?。ㄒ唬? and the like, with the pairs that exist."""
    debris: dict[str, str] = {}
    for number in "一二三四五六七八九十":
        lost = b"\xa1" + f"（{number}）".encode("gbk")[:-1]
        pairs = (lost[i : i + 2].decode("gbk", "ignore") for i in range(0, len(lost), 2))
        left = "".join(pairs)
        if len(left) > 1:  # of （六） nothing is left
            debris[left] = number
    return re.compile(rf"[?？\ufffd]?({'|'.join(map(re.escape, debris))})(?:[?？\ufffd]|(?=“))"), debris


def _unmark(value: str, letter: int, at: int) -> Edit | None:
    """A run of which only question marks and its last letter are left: 工作??h委 → 工作。縣委."""
    start = letter
    while start > at and value[start - 1] == "?" and letter - start < 2:
        start -= 1
    if start == letter:
        return None
    mended = _unshift("？" + value[letter])
    if mended is None or not _better(mended, "？" + value[letter], value[letter + 1 : letter + 5]):
        return None
    return Edit(start, letter + 1, mended)


def _unshift(run: str) -> str | None:
    try:
        mended = (b"\xa1" + run.encode("gbk")).decode("gbk")
    except UnicodeError:
        return None
    if mended[0] not in "。、“”‘’《》〈〉「」【】（）·…—" or not all(
        c in "，。；：、“”《》！？（）" or _HAN.match(c) for c in mended
    ):
        return None
    return mended


def _better(mended: str, run: str, after: str) -> bool:
    """Whether a repair is more of a text than what stands there, read with the characters after it."""
    simple = _t2s(mended)
    return (
        _rare(simple) == 0
        and (_rare(_t2s(run)) > 0 or len(run) == 2)
        and _words(_t2s(mended + after)) > _words(_t2s(run + after))
    )


def _rare(text: str) -> int:
    """Chinese characters outside the 3,755 commonest (level 1 of GB 2312)."""
    rare = 0
    for c in _HAN.findall(text):
        try:
            rare += not 0xB0 <= c.encode("gb2312")[0] <= 0xD7
        except UnicodeEncodeError:
            rare += 1
    return rare


def _words(text: str) -> float:
    """Share of the characters that stand in words of two or more."""
    import rjieba

    return sum(len(w) for w in rjieba.cut(text, False) if len(w) > 1 and _HAN.match(w)) / len(text)


@functools.cache
def _converter() -> object:
    import opencc

    return opencc.OpenCC("t2s")


@functools.cache
def _fixes() -> tuple[dict[int, str], re.Pattern[str], dict[str, str], re.Pattern[str]]:
    book = codebooks.load("script")
    terms: dict[str, str] = book["terms"]
    words = "|".join(book["zhu_words"])
    return (
        {ord(a): b for a, b in book["characters"].items()},
        re.compile("|".join(map(re.escape, terms))),
        terms,
        re.compile(rf"({words})|著"),
    )


def _t2s(text: str) -> str:
    """OpenCC's conversion with this field's corrections, of the same length as the text."""
    converted = _converter().convert(text)  # type: ignore[attr-defined]
    if len(converted) != len(text):
        converted = "".join(
            new if len(new) == 1 else old
            for old, new in ((c, _converter().convert(c)) for c in text)  # type: ignore[attr-defined]
        )
    if converted == text and "著" not in text and "覆" not in text:
        return text
    characters, pattern, terms, zhu = _fixes()
    converted = pattern.sub(lambda m: terms[m[0]], converted.translate(characters))
    return zhu.sub(lambda m: m[1] or "着", converted)
