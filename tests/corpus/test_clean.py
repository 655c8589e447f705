"""Cleaning, step by step, on sentences made for it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.corpus import clean
from analysis.corpus.trace import Traced


def cleaned(text: str, *, markdown: bool = False) -> str:
    return clean.clean(Traced.of(text), markdown=markdown).text.value


@pytest.mark.parametrize(
    ("raw", "clean_text"),
    [
        ("1月16日上午,全县会议召开.", "1月16日上午，全县会议召开。"),
        ("共受理3,214件,占98.5％;", "共受理3,214件，占98.5%；"),
        ("时间:10:30,编号CN33-0118 (abc)", "时间：10:30，编号CN33-0118 (abc)"),
        ("县(市、区)召开(扩大)会议", "县（市、区）召开（扩大）会议"),
        ("共２０２３年度Ａ类", "共2023年度A类"),
        ("办理,,答复,。群众。。满意", "办理，答复。群众。满意"),
        ("等等……还有。。。", "等等……还有。。。"),
        ("a\r\nb信访\rc", "a\nb信访\nc"),
        ("信\u200b访\ufeff局", "信访局"),
        ("??? 本月受理", "本月受理"),
        ("&ldquo;一本账&rdquo;和?ldquo;两张表?rdquo;", "“一本账”和“两张表”"),
        ("居民李**和王*反映**县问题", "居民李**和王*反映**县问题"),
    ],
)
def test_characters_are_mended(raw, clean_text):
    assert cleaned(raw) == clean_text


@pytest.mark.parametrize(
    ("raw", "clean_text"),
    [
        ("应当当场【广告】会员五折【/广告】答复。", "应当当场答复。"),
        ("调解的事项，（广告）会员限时五折，任意下载 点击进入>>> 应当介绍。", "调解的事项，应当介绍。"),
        ("办结率上升。更多内容请关注某某公众号", "办结率上升。"),
        ("详见https://example.org/a?b=1说明", "详见说明"),
        ("调解室（图片来源：资料室）启用", "调解室启用"),
        ("分享到：微信 微博 QQ空间 全县信访工作", " 全县信访工作"),
        ("![配图](a.png)全县![]()共办结5件", "全县共办结5件"),
        ("(浏览次数:475)全县", "全县"),
        ("办理<!-- 统计 -->结果", "办理结果"),
    ],
)
def test_furniture_within_sentences_goes(raw, clean_text):
    assert cleaned(raw) == clean_text


def test_markdown_goes_and_masks_stay():
    text = "# 总则\n**第一条** 李**和王**反映，要**优先**办理\n> 摘编\n---\n"
    assert cleaned(text, markdown=True) == "总则\n第一条 李**和王**反映，要**优先**办理\n摘编\n"


def test_quotes_are_paired_within_a_paragraph():
    assert clean.pair_quotes(Traced.of('推行"一本账"和"两张表"')).value == "推行“一本账”和“两张表”"
    assert clean.pair_quotes(Traced.of('少了一个"引号')).value == '少了一个"引号'


pieces = st.sampled_from(
    ["信访", "會(huì)議", "，", ",,", "。。", "(", ")", "（二）", "３", "％", " ", "　", "\r\n", "\n", "&ldquo;", "？h域", "3,214件",
     "更多内容请关注本号。", "https://a.cn/b ", "**", "# ", "|", "李**", "著", "覆核", "\u200b", "A", "'", '"', "\ufffd", "𠮷", "..."]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=40).map("".join), st.booleans())
def test_every_character_knows_where_it_stood(misplaced, source, markdown):
    result = clean.clean(Traced.of(source), markdown=markdown).text
    assert misplaced(result, source, repaired=True) == []
