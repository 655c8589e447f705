"""What a line is, and which lines make a paragraph."""

from __future__ import annotations

import pytest

from analysis.corpus.clean import clean
from analysis.corpus.lines import masthead, paragraphs, read_lines, role_of
from analysis.corpus.trace import Traced


@pytest.mark.parametrize(
    "line",
    [
        "新闻热线：0000-87654321 | 国内统一刊号：CN99-0001 邮发代号：99-1",
        "责任编辑：甲乙丙 版式：丁戊 校对：己庚",
        "3>",
        "— 12 —",
        "第3页 共8页",
        "【字号：",
        "打印",
        "下载 打印 全屏 收藏",
        "】",
        "首页 > 政务公开 > 工作动态",
        "当前位置：首页 > 信访要闻",
        "分享到：微信 微博",
        "扫一扫在手机打开当前页",
        "上一篇：某县召开会议",
        "下一篇 没有了",
        "相关报道：",
        "精选图文",
        "访问次数：475",
        "共计48709个字，预计阅读时长163分钟",
        "当前浏览：18374次 | 评论：26条",
        "今天是 2026年03月14日 星期六",
        "2024年1月19日 星期五 农历腊月初九",
        "版权所有：某县信访局 某ICP备00000号",
        "未经本网授权不得转载",
        "凡本网注明来源的作品，转载时请注明出处。",
        "d09138b4a85e4ccb.png",
        "[1] [2] [3] 下一页",
        "221381",
        "2024年1月至3月某市某县材料汇编（第3/5页）",
    ],
)
def test_furniture(line):
    assert role_of(line) == "furniture"


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("本报记者 王甲 李乙丙", "byline"),
        ("通讯员陈某某", "byline"),
        ("□本报记者 赵甲 通讯员 钱乙", "byline"),
        ("某某日报评论员", "byline"),
        ("通讯员 孙某 摄", "credit"),
        ("县领导作工作报告。本报记者 周甲摄", "credit"),
        ("本报讯 1月16日上午，全县会议召开。", "dateline"),
        ("新华社北京3月1日电 （记者周甲）全国会议召开。", "dateline"),
        ("来源：某某日报 发布时间：2025-04-22", "meta"),
        ("发文字号：某政发〔2024〕7号", "meta"),
        ("各位代表：", "salutation"),
        ("（下转2版）", "turned"),
        ("（紧接第一版）", "continued"),
        ("——以机制创新为抓手，推动工作。", "dash"),
        ("●加强源头预防。", "bullet"),
        ("一、总体要求", "numbered"),
        ("（三）健全机制", "numbered"),
        ("一是高位统筹，抓好学习。", "numbered"),
        ("第二十三条 本办法自发布之日起施行。", "article"),
        ("第二章 受理", "chapter"),
        ("记者：今年有什么打算？", "turn"),
        ("摘要：本文讨论信访制度。", "abstract"),
        # none of these is furniture, though each holds a word of it
        ("第三十四条 户外广告设施设置报送审批的，应当提交材料：", "article"),
        ("第三十条 未经许可转载他人信息的，责令改正。", "article"),
        ("广播电台电视台播放录音制品支付报酬暂行办法", "plain"),
        ("未经许可擅自占用道路的，由城管部门处理。", "plain"),
        ("群众关注的问题得到解决。", "plain"),
        ("推行建筑工程竣工综合测绘。", "plain"),
        ("党建引领以上率下", "plain"),
    ],
)
def test_roles(line, role):
    assert role_of(line) == role


def lines_of(text: str):
    cleaned = clean(Traced.of(text)).text
    return cleaned, read_lines(cleaned)


def joined(text: str) -> list[str]:
    cleaned, lines = lines_of(text)
    return [p.value for p in paragraphs(lines, cleaned)]


def test_a_sentence_goes_on_across_the_blank_line_of_a_column():
    assert joined(
        "会议要求，各地要把预防纳入基\n\n层治理格局，从源头减少矛盾。\n\n会议强调，要抓好落实。"
    ) == [
        "会议要求，各地要把预防纳入基层治理格局，从源头减少矛盾。",
        "会议强调，要抓好落实。",
    ]


def test_a_sentence_broken_inside_a_quotation_goes_on():
    assert joined("这里要坚持调解优先，防止“两张\n\n皮”，形成“横向到边、纵向到底”的网\n\n络体系。") == [
        "这里要坚持调解优先，防止“两张皮”，形成“横向到边、纵向到底”的网络体系。"
    ]


def test_short_lines_of_one_item_go_together():
    assert joined("——以深化改革为抓手，\n更加有力地筑牢基层的\n铜墙铁壁。\n●建立台账。") == [
        "——以深化改革为抓手，更加有力地筑牢基层的铜墙铁壁。",
        "●建立台账。",
    ]


def test_headings_bullets_and_speakers_stay_apart():
    text = "一、强化预防，改善态势\n\n在工作中，要抓早抓小。\n\n党建引领 以上率下\n\n县委高度重视，多次研究。\n\n记者：效果如何？\n\n答：很好。"
    assert joined(text) == text.split("\n\n")


def test_an_unfinished_line_does_not_swallow_the_next_point():
    assert joined("工作经验主要体现在以下几个方面，一共有三点\n\n第一是以人为本，培育人、服务人。") == [
        "工作经验主要体现在以下几个方面，一共有三点",
        "第一是以人为本，培育人、服务人。",
    ]


def test_a_label_takes_its_value_from_the_line_below():
    _, lines = lines_of(
        "• 索引号：\n\n    0001/2024-5\n• 发文字号：\n    某政发〔2024〕7号\n正文第一句话在这里。"
    )
    assert [(line.role, line.text) for line in lines] == [
        ("meta", "• 索引号：0001/2024-5"),
        ("meta", "• 发文字号：某政发〔2024〕7号"),
        ("plain", "正文第一句话在这里。"),
    ]


def test_a_path_on_lines_of_its_own_goes():
    _, lines = lines_of("首页\n>\n政务公开\n>\n工作动态\n全县会议召开\n会议今天召开，部署工作。")
    assert [line.text for line in lines] == ["全县会议召开", "会议今天召开，部署工作。"]


def test_lines_that_a_page_repeats_go():
    _, lines = lines_of("省内新闻网站\n会议今天召开，部署工作。\n省内新闻网站\n省内新闻网站")
    assert [line.text for line in lines] == ["会议今天召开，部署工作。"]


def test_the_masthead_is_kept_for_what_it_tells():
    value = clean(
        Traced.of("新闻热线:0000-1 | 国内统一刊号:CN99-0001 | 平安某某网\n\n全县会议召开\n")
    ).text.value
    assert "平安某某网" in masthead(value)
