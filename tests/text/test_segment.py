"""Segmentation: fixed phrases whole, both engines equal, nothing leaks, odd lexicons refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import CodebookError, RequestError
from analysis.text.segment import Lexicon, Segmenter, is_content, stopwords, tokens


@pytest.fixture(scope="module")
def plain() -> Segmenter:
    return Segmenter(Lexicon())


@pytest.fixture(scope="module")
def packaged() -> Segmenter:
    return Segmenter()


def test_a_lexicon_word_is_never_split_and_never_fires_inside_a_longer_word() -> None:
    words = Segmenter(Lexicon({"印度": "place"})).cut("从印度到印度尼西亚")
    assert words.count("印度") == 1
    assert "印度尼西亚" in words


def test_a_longer_lexicon_word_wins() -> None:
    words = Segmenter(Lexicon(dict.fromkeys(["信访", "信访工作", "信访工作法治化"], ""))).cut(
        "推进信访工作法治化和信访工作"
    )
    assert [word for word in words if word.startswith("信访")] == ["信访工作法治化", "信访工作"]


@pytest.mark.parametrize(
    ("word", "text", "words"),
    [
        ("来访", "本来访问过", ["本来", "访问", "过"]),
        ("来访", "群众来访", ["群众", "来访"]),
        ("调处", "协调处理", ["协调", "处理"]),
        ("全感", "安全感知", ["安全", "感知"]),
    ],
)
def test_a_short_lexicon_word_does_not_fire_across_words(word: str, text: str, words: list[str]) -> None:
    assert Segmenter(Lexicon({word: ""})).cut(text) == words


def test_a_dictionary_word_around_a_long_lexicon_word_is_left_to_the_tokenizer() -> None:
    words = Segmenter(Lexicon({"人民法院": ""})).cut("最高人民法院和乙县人民法院")
    assert "最高人民法院" in words
    assert words[-1] == "人民法院"


def test_quoted_phrases_and_number_names_stay_whole(plain: Segmenter) -> None:
    words = plain.cut('完善“三清双办”和"241"体系，优化5+60+800服务网，试行「一码通办」')
    assert {"三清双办", "241", "5+60+800", "一码通办"} <= set(words)


def test_a_long_quotation_is_no_name(plain: Segmenter) -> None:
    quotation = "我们先去看看现场然后再商量怎么办才好"
    assert quotation not in plain.cut(f"他说“{quotation}”")


def test_words_with_spaces_and_punctuation_are_matched_on_the_raw_text() -> None:
    segmenter = Segmenter(Lexicon(dict.fromkeys(["新时代“清溪经验”", "A 级 平台"], "")))
    words = segmenter.cut("学习新时代“清溪经验”，建成A 级 平台。")
    assert "新时代“清溪经验”" in words
    assert "A 级 平台" in words


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.sampled_from('信访工作法治化印度尼西亚“”"12+3，。 \n枫桥经验ab𠮷\ue000'), max_size=40)
)
def test_the_words_joined_are_the_text(text: str) -> None:
    segmenter = _SHARED
    assert "".join(segmenter.cut(text)) == text.replace("\ue000", " ")
    for word, start, end in segmenter.tokenize(text):
        assert text.replace("\ue000", " ")[start:end] == word


_SHARED = Segmenter(Lexicon(dict.fromkeys(["信访工作", "信访工作法治化", "印度", "枫桥经验"], "")))


def test_both_engines_give_the_same_words(packaged: Segmenter, shared: Path, sample: Path) -> None:
    slow = Segmenter(engine="jieba")
    files = [*sorted((shared / "seeds").glob("*.txt")), *sorted((sample / "documents").glob("*.txt"))]
    assert len(files) > 30
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")  # one sample file is GBK
        assert packaged.cut(text) == slow.cut(text), file.name


def test_nothing_leaks_from_one_lexicon_to_the_next() -> None:
    text = "沿河镇推行连心代跑"
    before = Segmenter(Lexicon()).cut(text)
    assert "连心代跑" in Segmenter(Lexicon({"连心代跑": ""})).cut(text)
    assert Segmenter(Lexicon()).cut(text) == before
    assert "连心代跑" not in before


def test_unknown_engine() -> None:
    with pytest.raises(RequestError, match="hanlp"):
        Segmenter(engine="hanlp")


def test_tokens_have_offsets_and_the_kind_of_lexicon_words(frames) -> None:
    documents, _ = frames("县里包案。", None)
    table = tokens(documents, Segmenter(Lexicon({"包案": "handling"})))
    assert table[["word", "start", "end"]].to_numpy().tolist()[-2:] == [["包案", 2, 4], ["。", 4, 5]]
    assert table.set_index("word")["kind"].dropna().to_dict() == {"包案": "handling"}
    assert table.attrs["hmm"] is False


def test_lexicon_file_as_people_save_it(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_bytes(
        "\ufeff# version: 3\r\n# source: 本单位\r\n包案\thandling\r\n访调对接 100 nz\r\n\r\n一 网 统管\r\n".encode()
    )
    lexicon = Lexicon.load(file)
    assert dict(lexicon.words) == {"包案": "handling", "访调对接": "", "一 网 统管": ""}
    assert (lexicon.version, lexicon.source) == ("3", "本单位")
    assert lexicon.digest != Lexicon().digest


@pytest.mark.parametrize(
    ("content", "row", "said"),
    [
        ("包案\n来访".encode("gbk"), 1, "UTF-8"),
        ("包案\n来访".encode("utf-16"), 1, "UTF-8"),
        ("包案\n来\u200b访".encode(), 2, "不可见"),
        (("包案\n" + "来访" * 3000).encode(), 2, "超过 60 字"),
    ],
    ids=["gbk", "utf-16", "zero-width", "endless"],
)
def test_odd_lexicons_are_refused_by_line(tmp_path: Path, content: bytes, row: int, said: str) -> None:
    file = tmp_path / "odd.txt"
    file.write_bytes(content)
    with pytest.raises(CodebookError, match=said) as caught:
        Lexicon.load(file)
    assert caught.value.row == row


def test_missing_lexicon() -> None:
    with pytest.raises(CodebookError, match="找不到词表"):
        Lexicon.load("no_such_lexicon.txt")


def test_a_folder_is_no_lexicon(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="文件夹"):
        Lexicon.load(tmp_path)


def test_packaged_lists_state_version_and_source() -> None:
    lexicon = Lexicon.load()
    assert lexicon.version
    assert lexicon.source
    assert "信访工作法治化" in lexicon.words
    assert "的" in stopwords()


@pytest.mark.parametrize(
    ("word", "counts"),
    [("调解", True), ("的", False), ("我们", False), ("三类", False), ("本月", False), ("2024", False)],
)
def test_what_counts_as_a_term(word: str, counts: bool) -> None:
    assert is_content(word, stopwords()) is counts
