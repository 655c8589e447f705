"""Scripts: pinyin notes, traditional characters, bytes that slipped."""

from __future__ import annotations

import opencc
import pytest

from analysis import regions
from analysis.corpus.script import repair_shifted, simplify, strip_pinyin
from analysis.corpus.trace import Traced


def test_pinyin_notes_go_and_other_brackets_stay():
    text = strip_pinyin(Traced.of("召開聯(lián)席會(huì)議(擴(kuò)大),附表(a)和說明(pdf)"))
    assert text.value == "召開聯席會議(擴大),附表(a)和說明(pdf)"
    assert text.origin.tolist()[:4] == [0, 1, 2, 9]


def test_notes_without_tones_count_only_beside_notes_with():
    assert strip_pinyin(Traced.of("辦(ban)理")).value == "辦(ban)理"
    assert strip_pinyin(Traced.of("聯(lián)會(huì)訪(fǎng)辦(ban)理")).value == "聯會訪辦理"


def test_a_note_may_be_broken_at_the_margin():
    assert strip_pinyin(Traced.of("聯(li\nán)席")).value == "聯席"


def test_a_real_page_of_notes_and_traditional_characters(shared):
    """text_methods.md 4.5: 216 notes, 1,124 of 2,501 characters; nothing traditional is left, no character lost."""
    (file,) = (shared / "seeds").glob("002_*.txt")
    text = Traced.of(file.read_text(encoding="utf-8"))
    plain = strip_pinyin(text)
    assert (len(text), len(plain)) == (2501, 1377)
    # A note is a jump in the origin.
    assert int((plain.origin[1:] - plain.origin[:-1] > 1).sum()) == 216
    simple, script = simplify(plain)
    assert (len(simple), script) == (1377, "繁")
    assert simple.origin.tolist() == plain.origin.tolist()
    assert opencc.OpenCC("t2s").convert(simple.value) == simple.value


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("信訪事項覆查覆核意見", "信访事项复查复核意见"),
        ("行政覆議機關的答覆與批覆", "行政复议机关的答复与批复"),
        ("看著、沿著、有著顯著成效的著作權", "看着、沿着、有着显著成效的著作权"),
        ("乾安縣、乾縣、藁城區、鍾祥市", "乾安县、乾县、藁城区、钟祥市"),
        ("於都縣與瀋陽市", "于都县与沈阳市"),
        ("羣衆閲後説産業", "群众阅后说产业"),
    ],
)
def test_the_domains_terms_and_places_come_out_right(traditional, simplified):
    text, script = simplify(Traced.of(traditional))
    assert (text.value, script) == (simplified, "繁")
    assert text.origin.tolist() == list(range(len(traditional)))


def test_no_name_of_a_region_is_harmed():
    table = regions.load()
    to_traditional = opencc.OpenCC("s2t")
    # The traditional form of a name comes back as the name; in a simplified text it is not touched at all.
    names = {row.name for row in table.rows}
    back = {name: simplify(Traced.of(to_traditional.convert(name) + "縣訪辦關於"))[0].value for name in names}
    assert {name: text for name, text in back.items() if not text.startswith(name)} == {}
    assert all(simplify(Traced.of(name))[0].value == name for name in names)


def test_in_a_simplified_text_only_what_is_surely_traditional_is_mended():
    text, script = simplify(
        Traced.of(
            "通過调解化解矛盾，干部在乾县瞭望台、著名调解员李昇处了解情况，效果显著，群众对这个做法是很满意的。"
        )
    )
    assert script == "简"
    assert text.value.startswith("通过调解")
    assert "乾县瞭望台、著名调解员李昇" in text.value


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("；鶎有旁L治理工作", "。基層信訪治理工作"),
        ("加強了？h域信訪工作", "加強了。縣域信訪工作"),
        ("安排下步工作??h委副書記參加", "安排下步工作。縣委副書記參加"),
        ("拔覐氖滦旁L工作", "“我從事信訪工作"),
        ("?。ㄒ唬?工作情況", "（一）工作情況"),
        (" ?。ǘ?辦理情況", " （二）辦理情況"),
    ],
)
def test_bytes_that_slipped_are_put_back(broken, mended):
    text = repair_shifted(Traced.of(broken))
    assert text.value == mended
    assert len(text.origin) == len(mended)


@pytest.mark.parametrize("text", ["第A级响应", "他说A和B", "来信|来访", "坚持“1+N”模式", "升级为V2版平台"])
def test_good_text_is_left_alone(text):
    assert repair_shifted(Traced.of(text)).value == text
