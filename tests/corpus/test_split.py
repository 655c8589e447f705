"""Articles told apart: pages and compilations made up for it, in the shapes that papers and sites have."""

from __future__ import annotations

import pytest

from analysis.corpus.clean import clean
from analysis.corpus.split import Article, split
from analysis.corpus.trace import Traced


def articles(text: str) -> list[Article]:
    return split(clean(Traced.of(text)).text)


BODY = "会议指出，要把群众的事放在心上，完善接访下访制度，健全台账，逐件落实。\n\n会议强调，各乡镇要压实责任，做到件件有着落、事事有回音。"

PAGE = f"""
新闻热线:0000-11112222 | 国内统一刊号:CN99-0001 邮发代号:99-1 | 第1234期 今日8版

全县信访工作会议召开

压实责任抓落实 用心用情解民忧 努力开创信访工作新局面

甲乙丙讲话 丁戊己主持

本报记者 赵某甲 钱某乙

本报讯 3月5日上午,全县信访工作会议召开。{BODY}

县公安局党委会议强调

以更高标准推进接访工作 以更实举措化解矛盾纠纷

通讯员 孙某丙

本报讯 3月4日,县公安局召开党委会议。{BODY}

(下转2版)



社区里的说事长廊

3月5日,某街道云桥社区的说事长廊里,调解员正和居民说家常,把小矛盾化解在家门口,受到居民好评。

通讯员 李某丁 摄
"""


def test_a_newspaper_page():
    first, second, photo = articles(PAGE)
    assert (first.kicker, first.title) == (
        "全县信访工作会议召开",
        "压实责任抓落实 用心用情解民忧 努力开创信访工作新局面",
    )
    assert (first.subtitle, first.byline) == ("甲乙丙讲话 丁戊己主持", "本报记者 赵某甲 钱某乙")
    assert (first.truncated, second.truncated, photo.truncated) == (False, True, False)
    assert second.kicker == "县公安局党委会议强调"
    assert second.body.value.endswith("事事有回音。")
    assert (photo.photo, photo.title, photo.byline) == (True, "社区里的说事长廊", "通讯员 李某丁 摄")
    assert photo.body.value.count("\n") == 0


def test_a_text_that_goes_on_below_a_photograph_is_put_together():
    page = """全县推进矛盾纠纷排查

本报记者 赵某甲

今年以来，全县各乡镇组织网格员逐户走访，排查各类矛盾纠纷三百余起，其中大部分在村

春耕正忙

3月5日,某村农民在田间劳作,到处是一派繁忙的春耕景象,今年全村计划播种三千亩。

通讯员 李某丁 摄

里就得到了解决，群众不出村就能把事办好。
"""
    text, photo = articles(page)
    assert text.body.value.endswith("其中大部分在村里就得到了解决，群众不出村就能把事办好。")
    assert photo.title == "春耕正忙"


def test_a_compilation_of_several_kinds():
    compiled = f"""某某文库 — — 写材料◆收藏本站~

信访经验材料汇编-12篇(第2/4页)

小窗口办成大平台

{BODY}

让督办长出牙齿

某某日报评论员

督办函发出去，不能石沉大海。{BODY}

用好群众工作这把钥匙

--专访某县信访局局长周某某

周某某长期从事信访工作。{BODY}

记者：今年有什么打算？

周某某：要做好三件事，一是抓源头，二是抓首办，三是抓积案。

记者：最难的是什么？

周某某：最难的是坚持，要把每件事办实。

访调对接的实践与思考

吴某

摘要：访调对接是化解矛盾的重要方式。{BODY}

关键词：信访；调解

某市扎实推进访调对接

某市司法局 某市信访局

2024年4月25日

某市认真落实工作办法，推动调解与信访衔接。{BODY}

精选图文

331381
"""
    found = articles(compiled)
    assert [a.title for a in found] == [
        "小窗口办成大平台",
        "让督办长出牙齿",
        "用好群众工作这把钥匙",
        "访调对接的实践与思考",
        "某市扎实推进访调对接",
    ]
    assert [a.byline for a in found] == [None, "某某日报评论员", None, "吴某", "某市司法局 某市信访局"]
    assert found[2].subtitle == "--专访某县信访局局长周某某"
    assert found[-1].truncated  # page 2 of 4
    assert not any("文库" in a.body.value or "331381" in a.body.value for a in found)


def test_sections_of_one_article_are_no_articles():
    text = f"""大山里的调解室

本报记者 赵某甲

山路弯弯，调解员一走就是十年。{BODY}

沉到一线 直面难题

{BODY}

党建引领 多方联动

{BODY}

一张网格管到底

{BODY}
"""
    (only,) = articles(text)
    assert only.body.value.split("\n").count("沉到一线 直面难题") == 1


def test_a_work_report_with_page_tools():
    text = """2026年某省政府工作报告
下载
打印
【字号：
加大
】
2026年某省政府工作报告
——2026年1月26日在某省第十四届人民代表大会第四次会议上
来源：某某日报
时间：2026-02-03
某省省长 张某
张某作政府工作报告。
各位代表：
现在，我代表省人民政府向大会报告工作，请予审议。
一、工作回顾
过去一年，全省经济平稳运行，群众生活持续改善，社会大局保持稳定，各项事业取得新进步。
相关报道：
"""
    (report,) = articles(text)
    assert report.title == "2026年某省政府工作报告"
    assert report.subtitle == "——2026年1月26日在某省第十四届人民代表大会第四次会议上"
    assert report.byline == "某省省长 张某"
    assert report.meta == ["来源：某某日报", "时间：2026-02-03"]
    assert report.body.value.startswith("各位代表：\n现在，我代表")
    assert report.body.value.endswith("取得新进步。")


def test_a_text_without_a_title_keeps_its_first_sentence():
    (only,) = articles(
        "12月20日，我市召开联席会议，研究部署年底工作。市领导出席并讲话。\n会议要求，要抓好落实。"
    )
    assert only.title is None
    assert only.body.value.startswith("12月20日")


def test_names_in_brackets_at_the_end_are_the_byline():
    (only,) = articles("某县抓好信访工作\n\n今年以来，某县建立台账，逐件化解，信访总量持续下降。 (段某民)")
    assert only.byline == "段某民"
    assert only.body.value.endswith("持续下降。")


def test_advertisements_behind_the_last_sentence_go():
    (only,) = articles(
        "某县抓好信访工作\n\n今年以来，某县建立台账，逐件化解，信访总量持续下降。\n\n某某实训基地\n干部轮训 网格员实训\n0000-2966726"
    )
    assert only.body.value.endswith("持续下降。")


def test_a_signature_and_date_stay_under_a_document():
    (only,) = articles(
        "关于做好接访工作的通知\n\n各乡镇人民政府：\n\n请认真做好领导干部接访工作，按月报送情况。\n\n某县信访局\n2024年3月1日"
    )
    assert only.body.value.endswith("某县信访局\n2024年3月1日")
    assert not only.truncated


def test_nothing_but_furniture_is_no_article():
    assert articles("首页\n打印\n分享\n上一篇：无\n") == []
    assert articles("") == []


@pytest.mark.parametrize(
    "line",
    [
        "网站支持IPv6   无障碍浏览",
        "高级搜索 |",
        "第01版:封面 PDF版阅读",
        "©原创   01-19 21:07   某某发布",
        "2024-03-08 08:30 星期五 | 本版新闻",
        "北京 天津 河北 山西 内蒙古 辽宁",
        "石桥县人民政府网站\n首页 政务公开 新闻中心",
        "省份\n城市\n北京市\n天津市\n河北省\n新疆\n台湾省",
    ],
)
def test_furniture_above_a_title_is_no_title(line):
    (article,) = articles(
        f"{line}\n\n全县信访工作推进会召开\n\n来源：某某日报 发布时间：2024-03-08\n\n{BODY}"
    )
    assert (article.title, article.kicker) == ("全县信访工作推进会召开", None)


def test_a_title_said_over_and_over_and_the_note_of_adoption_on_two_lines():
    name = "某某省访调对接条例"
    text = f"{name}\n{name}\n某某省人大常委会\n{name}\n(2024年9月26日某某省第十四届人民代表大会\n常务委员会第十八次会议通过)\n第一章 总则\n第一条 为了访调对接，制定本条例。\n第二条 本条例自2025年1月1日起施行。"
    (article,) = articles(text)
    assert article.title == name
    assert article.body.value.startswith("第一章 总则\n第一条")
    assert any("第十四届人民代表大会常务委员会第十八次会议通过" in line for line in article.header)


def test_a_decree_and_what_it_enacts_are_one_document():
    text = (
        "某某省人民政府令\n第9号\n《某某省热线管理办法》已经2024年1月5日省人民政府第3次常务会议通过，现予公布。\n省长 王某某\n2024年1月8日\n"
        "某某省热线管理办法\n第一条 为了规范热线，制定本办法。\n第二条 本办法适用于本省。\n第三条 本办法自2024年3月1日起施行。"
    )
    (article,) = articles(text)
    assert article.title == "某某省热线管理办法"
    assert article.body.value.startswith("《某某省热线管理办法》已经")
    assert "2024年1月8日" in article.meta
    assert not article.truncated


def test_the_next_page_begins_with_a_bare_headline():
    for opening in ("本报石桥讯 （通讯员王某甲）近日，", "3月5日，石桥区司法局走进社区，"):
        text = f"全市会议召开\n\n{BODY}\n上一篇\n下一篇\n石桥区人民调解员走进网格\n{opening}{BODY}"
        first, second = articles(text)
        assert (first.title, second.title) == ("全市会议召开", "石桥区人民调解员走进网格")


@pytest.mark.parametrize(
    ("end", "body_ends", "truncated"),
    [
        ("“家门口”的", "“家门口”的", True),
        ("（王建国 李明摄）", "。", False),
        ("网站违法和不良信息举报电话：0571-00000000 联系邮箱：a@b.cn", "。", False),
        ("精彩专栏", "。", False),
    ],
)
def test_the_last_line(end, body_ends, truncated):
    (article,) = articles(f"全市会议召开\n\n{BODY}\n{end}")
    assert article.body.value.endswith(body_ends)
    assert article.truncated is truncated


@pytest.mark.parametrize(
    ("text", "truncated"),
    [
        ("第一条 为了热线，制定本办法。\n第二条 本办法适用于本省。\n第三条 热线分为两级。", True),
        ("第一条 为了热线，制定本办法。\n第二条 本办法适用于本省。\n第三条 本办法自印发之日起施行。", False),
        ("一、工作成效\n（一）抓好学习\n全年举办讲座三场，参加人数两百余人。", True),
        ("一、工作成效\n（一）抓好学习\n全年举办讲座三场。\n二、存在问题\n学习不够深入。", False),
    ],
)
def test_a_text_that_lacks_its_rest(text, truncated):
    (article,) = articles(f"某某办法\n\n{text}")
    assert article.truncated is truncated


def test_a_title_that_names_who_attends_stays_a_title():
    (article,) = articles(
        f"我县召开联席会议 赵某出席 钱某主持\n\n来源：某某日报 发布时间：2024-03-08\n\n{BODY}"
    )
    assert article.title == "我县召开联席会议 赵某出席 钱某主持"


def test_an_officers_name_in_a_title_is_no_byline():
    (article,) = articles(f"某某区区委书记大接访活动公告\n\n{BODY}")
    assert (article.title, article.byline) == ("某某区区委书记大接访活动公告", None)


def test_a_caption_with_its_credit_behind_it_is_photo_news():
    (article,) = articles("3月5日，石桥县信访局干部在大厅向群众宣传条例。 王建国 摄")
    assert (article.photo, article.byline, article.truncated) == (True, "王建国 摄", False)
    assert article.body.value == "3月5日，石桥县信访局干部在大厅向群众宣传条例。"


@pytest.mark.parametrize(
    "first",
    ["3月5日，某某县法院发布三件典型案例，涉及邻里纠纷。", "2024年3月5日，王某通过实地走访听取意见。"],
)
def test_a_first_sentence_that_begins_with_a_date_is_text(first):
    (article,) = articles(f"办实事解民忧\n\n{first}")
    assert article.body.value == first


def test_a_meeting_of_officers_is_no_officer():
    (article,) = articles(f"全国信访局长会议在京召开\n\n{BODY}")
    assert (article.title, article.byline) == ("全国信访局长会议在京召开", None)
    (report,) = articles(f"政府工作报告\n某县县长 王某某\n\n{BODY}")
    assert (report.title, report.byline) == ("政府工作报告", "某县县长 王某某")


def test_a_title_broken_behind_a_preposition():
    (article,) = articles(f"把矛盾化解在\n家门口\n——某某县推进访调对接\n\n{BODY}")
    assert (article.title, article.subtitle) == ("把矛盾化解在家门口", "——某某县推进访调对接")


def test_a_documents_number_below_a_title_as_wide_as_the_page_is_no_part_of_it():
    text = (
        "某省人民政府办公厅关于深化访调对接的意见\n某政办发〔2023〕8号\n各市、县（市、区）人民政府，省政府各单位：\n"
        "为深化访调对接，经省政府同意，提出如下意见。\n一、总体要求\n要坚持预防为主。"
    )
    (article,) = articles(text)
    assert article.title == "某省人民政府办公厅关于深化访调对接的意见"
