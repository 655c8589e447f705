"""Saved pages: main content, tables, metadata, and offsets into the page's source."""

from __future__ import annotations

from analysis.corpus.html import read_html

SENTENCE = "县信访局今年以来建立台账、逐件包案，群众反映的问题大多得到解决，信访总量持续下降，受到上级肯定。"
PAGE = f"""<!DOCTYPE html><html><head><meta charset="gb2312"><title>某县抓好信访工作_某县政府网</title>
<meta name="PubDate" content="2024-03-05 10:20"><meta name="ContentSource" content="某县信访局">
<script>document.write("<p>脚本里的话不是正文，不应读入。</p>");</script><style>p {{color: red}}</style></head>
<body><ul><li><a href="/">首页</a></li><li><a href="/a">政务公开</a></li><li><a href="/b">新闻中心</a></li></ul>
<div class="content"><h1>某县抓好信访工作</h1><p>来源：某县信访局</p>
<p>&nbsp;&nbsp;{SENTENCE}</p><p>领导干部&ldquo;<b>带头</b>&rdquo;接访，{SENTENCE}</p>
<table><tr><th>单位</th><th>件数</th></tr><tr><td>甲镇</td><td>52</td></tr><tr><td>乙镇</td><td>28</td></tr></table>
<p>下一步，{SENTENCE}</p></div>
<div class="share">分享到：<a href="#">微信</a></div><div class="footer">主办单位：某县政府办公室 版权所有</div></body></html>"""


def test_main_content_without_navigation_scripts_and_footer():
    text = read_html(PAGE).text.value
    assert text.startswith("某县抓好信访工作\n来源：某县信访局\n")
    assert "“带头”接访" in text
    assert text.count(SENTENCE) == 3
    for furniture in ("首页", "政务公开", "脚本里的话", "color", "版权所有"):
        assert furniture not in text


def test_data_tables_stay_tables():
    (table,) = read_html(PAGE).tables
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["单位", "件数"],
        ["甲镇", "52"],
        ["乙镇", "28"],
    ]
    assert all(PAGE[cell.start : cell.end] == cell.text for row in table.rows for cell in row)
    assert "甲镇" not in read_html(PAGE).text.value


def test_layout_tables_are_text():
    page = f"<html><body><table><tr><td><p>{SENTENCE}</p></td></tr><tr><td>{SENTENCE}</td></tr></table></body></html>"
    read = read_html(page)
    assert read.tables == []
    assert read.text.value.count(SENTENCE) == 2


def test_what_the_page_states_of_itself():
    page = read_html(PAGE)
    assert (page.title, page.published, page.outlet) == ("某县抓好信访工作", "2024-03-05", "某县信访局")


def test_every_character_knows_where_it_stood(misplaced):
    assert misplaced(read_html(PAGE).text, PAGE) == []


def test_broken_pages_are_read_as_far_as_they_go(misplaced):
    for cut in range(0, len(PAGE), 97):
        page = PAGE[:cut]
        assert misplaced(read_html(page).text, page) == [] if page.strip() else True
