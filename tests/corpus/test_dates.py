"""Dates: published, event, resolved against the issue or left open."""

from __future__ import annotations

import pytest

from analysis.corpus.clean import clean
from analysis.corpus.dates import Dates, dates, full_dates, issue_date
from analysis.corpus.split import split
from analysis.corpus.trace import Traced

TAIL = "会议指出，要抓好源头治理，完善制度，落实责任。"


def when(text: str, genre: str = "会议报道", **known) -> Dates:
    (article,) = split(clean(Traced.of(text)).text)
    return dates(article, genre, **known)


def test_a_day_without_a_year_stays_open_where_nothing_tells_the_year():
    found = when(f"全县会议召开\n本报记者 赵某甲\n\n本报讯 1月16日，全县会议召开。{TAIL}")
    assert (found.published, found.event_date, found.event_day) == (None, None, "01-16")


@pytest.mark.parametrize(
    ("said", "issue", "event"),
    [("1月16日", "2024-01-17", "2024-01-16"), ("12月30日", "2024-01-02", "2023-12-30"), ("昨日", "2024-03-01", "2024-02-29"),
     ("今天上午", "2024-03-01", "2024-03-01")],
)  # fmt: skip
def test_days_are_resolved_against_the_date_of_issue(said, issue, event):
    assert when(f"全县会议召开\n\n本报讯 {said}，全县会议召开。{TAIL}", issue=issue).event_date == event


def test_the_one_year_that_the_lead_names_is_the_year():
    found = when(f"12月20日，我市召开2023年联席会议第四次会议，总结今年工作。{TAIL}")
    assert (found.published, found.event_date) == ("2023", "2023-12-20")


def test_a_december_meeting_that_plans_next_year_is_of_this_year():
    found = when(f"全县会议召开\n\n12月20日，全县会议召开，部署2024年工作。{TAIL}")
    assert found.event_date == "2023-12-20"


def test_two_years_leave_it_open():
    found = when(f"全县会议召开\n\n3月5日，全县会议召开，总结2022年和2021年工作。{TAIL}")
    assert (found.event_date, found.event_day) == (None, "03-05")


@pytest.mark.parametrize("phrase", ["截至1月16日，共办结五件", "自5月1日起施行新办法", "到8月31日前完成排查"])
def test_other_days_are_no_events(phrase):
    assert when(f"某县抓落实\n\n{phrase}。{TAIL}").event_day is None


@pytest.mark.parametrize(
    ("text", "genre", "published"),
    [
        ("标题在这里\n来源：某报 发布时间：2025-04-22\n\n" + TAIL, "会议报道", "2025-04-22"),
        ("关于某事的通知\n\n各乡镇：\n请认真做好接访工作，按月报送情况。\n某县信访局\n2024年3月1日", "规范性文件", "2024-03-01"),
        ("关于某事的通知\n\n各乡镇：\n请认真做好接访工作。\n某县信访局\n二〇二四年三月十一日", "规范性文件", "2024-03-11"),
        ("某条例\n2010年8月28日某省人大常委会通过\n2018年5月24日某省人大常委会修正\n\n第一条 一。\n第二条 本条例自2011年1月1日起施行。", "法规", "2018-05-24"),
        ("办好小事\n某报评论员\n2023年9月20日\n\n" + TAIL, "评论", "2023-09-20"),
        ("某区：经验\n某区信访局\n2022年11月\n\n" + TAIL, "经验案例", "2022-11"),
    ],
)  # fmt: skip
def test_dates_of_publication(text, genre, published):
    assert when(text, genre).published == published


def test_a_regulation_says_from_when_it_is_in_force():
    text = "某条例\n2010年8月28日某省人大常委会通过\n\n第一条 一。\n第二条 本条例自2011年1月1日起施行。"
    assert when(text, "法规").effective == "2011-01-01"


def test_a_stated_date_wins():
    assert when(f"标题\n发布时间：2025-04-22\n\n{TAIL}", stated="2024-01-01").published == "2024-01-01"


@pytest.mark.parametrize(
    ("head", "name", "issue"),
    [
        ("某某日报 2024年1月17日 星期三 第1234期\n", "a.txt", "2024-01-17"),
        ("正文里有2024年1月17日\n", "a.txt", None),
        ("", "2024-01-17_02版.txt", "2024-01-17"),
        ("", "某报20240117.txt", "2024-01-17"),
        ("", "20241399.txt", None),
    ],
)
def test_the_date_of_issue(head, name, issue):
    assert issue_date(head, name) == issue


def test_full_dates_in_all_writings():
    text = "2024年1月7日、2024-01-08、2024.1.9、二〇二四年一月十日和2024年13月1日、2023年2月29日"
    assert full_dates(text) == ["2024-01-07", "2024-01-08", "2024-01-09", "2024-01-10"]
