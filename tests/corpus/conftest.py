"""An independent check of the origin map: does each character of a text come from where it says?"""

from __future__ import annotations

import unicodedata

import opencc
import pytest

from analysis.corpus.trace import Traced

_T2S = opencc.OpenCC("t2s")
_SAME = [
    set('“”"＂'),
    set("‘’'"),
    set("。.．｡"),
    set("、､"),
    set(" \u3000\t\xa0\n\r"),
    set("%％﹪"),
    set("-－"),
    set("，,﹐"),
]
# Domain corrections that OpenCC does not know, stated here once more and by hand.
_DOMAIN = {
    "覆": "复",
    "著": "着",
    "産": "产",
    "衹": "只",
    "砲": "炮",
    "澂": "澄",
    "濬": "浚",
    "説": "说",
    "衆": "众",
    "閲": "阅",
    "戸": "户",
    "瞭": "了",
}


def same(char: str, source: str) -> bool:
    """Whether a character of a cleaned text may stand for that character of the source."""
    if char == source or unicodedata.normalize("NFKC", source) == unicodedata.normalize("NFKC", char):
        return True
    if _T2S.convert(source) == char or _DOMAIN.get(source) == char:
        return True
    return any(char in group and source in group for group in _SAME)


def _misplaced(
    text: Traced, source: str, *, masked: bool = True, repaired: bool = False
) -> list[tuple[int, str, str]]:
    """Characters whose origin holds another one; line ends between paragraphs and masks stand for what was there."""
    assert len(text.value) == len(text.origin)
    wrong = []
    last = -1
    for index, (char, at) in enumerate(zip(text.value, text.origin.tolist(), strict=True)):
        assert 0 <= at < len(source), f"origin {at} outside of the source"
        assert at >= last, "origin goes back"
        last = at
        if char == "\n" or (masked and char in "*某"):
            continue
        if source[at] == "&" or (repaired and source[at] in "？?hHlL;"):  # an entity, a run of shifted bytes
            continue
        if not same(char, source[at]):
            wrong.append((index, char, source[at]))
    return wrong


@pytest.fixture(scope="session")
def misplaced():
    """Characters of a text that do not come from where its origin says."""
    return _misplaced
