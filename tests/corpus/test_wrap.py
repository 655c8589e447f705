"""Lines broken at the margin, told from lines that end of themselves."""

from __future__ import annotations

from analysis.corpus.wrap import at_margin

PARAGRAPHS = [
    "县信访局本月共受理群众来信来访三百二十件，比上月下降百分之五，其中来信一百一十件，来访二百一十件，按期办结率为百分之九十八。",
    "各乡镇建立了领导干部包案制度，每周一次集中接访，当场能答复的当场答复，不能当场答复的限期办理。",
    "下一步将继续抓好源头预防，完善矛盾纠纷排查台账，做到底数清、情况明、责任实。",
]


def broken(width: int, indent: str = "　　") -> tuple[list[str], list[bool]]:
    lines: list[str] = []
    full: list[bool] = []
    for paragraph in PARAGRAPHS * 2:
        text = indent + paragraph
        pieces = [text[i : i + width] for i in range(0, len(text), width)]
        lines += pieces
        full += [True] * (len(pieces) - 1) + [False]
    return lines, full


def test_a_page_of_broken_lines():
    for width in (18, 24, 31):
        lines, full = broken(width)
        found = at_margin(lines)
        assert all(f for f, want in zip(found, full, strict=True) if want)
        # a last line may reach the margin by chance, but not many do
        assert sum(f and not want for f, want in zip(found, full, strict=True)) <= 2


def test_a_page_of_whole_paragraphs_has_no_margin():
    assert not any(at_margin(PARAGRAPHS * 3))
    assert at_margin([]) == []
    assert at_margin(["一行"]) == [False]


def test_latin_characters_are_half_as_wide():
    lines = [
        "本月共受理2384件办结2021件占比98",
        "来信来访共计三千二百一十四件其中",
        "本月共受理1193件办结1002件占比84",
    ] * 3
    assert all(at_margin(lines))
