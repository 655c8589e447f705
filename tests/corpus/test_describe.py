"""Document numbers, issuers, and how the pieces of a description fit."""

from __future__ import annotations

import pytest

from analysis.corpus.clean import clean
from analysis.corpus.describe import Known, describe, document_number
from analysis.corpus.split import split
from analysis.corpus.trace import Traced

NOTICE = """某市人民政府办公室文件

某政办发〔2023〕21号

某市人民政府办公室关于印发访调对接办法的通知

各县（市、区）人民政府，市直各单位：

现将《访调对接办法》印发给你们，请按照《信访工作条例》和某发〔2022〕5号文件要求认真执行。

某市人民政府办公室
2023年11月9日
"""


def described(text: str, **known):
    (article,) = split(clean(Traced.of(text)).text)
    return describe(article, Known(**known))


def test_an_official_document():
    row = described(NOTICE)
    assert row["title"] == "某市人民政府办公室关于印发访调对接办法的通知"
    assert (row["number"], row["issuer"]) == ("某政办发〔2023〕21号", "某市人民政府办公室")
    assert (row["genre"], row["published"]) == ("规范性文件", "2023-11-09")


REPORT = "各位代表：\n现在，我代表政府向大会报告工作，请予审议。\n一、过去一年工作回顾\n受理群众信访事项，推动问题就地解决。"


@pytest.mark.parametrize(
    ("head", "issuer"),
    [
        ("2024年示例省政府工作报告", "示例省人民政府"),
        ("安平市2023年度政府工作报告", "安平市人民政府"),
        ("乌兰自治州青石县人民政府工作报告", "乌兰自治州青石县人民政府"),
        ("政府工作报告\n——2024年1月9日在青石县第十七届人民代表大会第四次会议上\n县长 某某", "青石县人民政府"),
        ("政府工作报告\n（2024年1月9日）\n青石县人民政府县长 某某", "青石县人民政府"),
        ("政府工作报告\n——2024年3月5日在第十四届全国人民代表大会第二次会议上\n国务院总理 某某", "国务院"),
        ("政府工作报告\n——2024年1月9日\n自治区主席 某某", None),
    ],
)
def test_a_work_report_is_its_governments(head, issuer):
    row = described(f"{head}\n\n{REPORT}")
    assert (row["genre"], row["issuer"]) == ("政府工作报告", issuer)


@pytest.mark.parametrize(
    ("passed", "issuer"),
    [
        ("2019年9月24日示例省第十二届人民代表大会常务委员会第十六次会议通过", "示例省人民代表大会常务委员会"),
        ("2019年9月24日示例省第十二届人民代表大会第三次会议通过", "示例省人民代表大会"),
        ("2019年8月28日 第十三届全国人民代表大会常务委员会第十二次会议通过", "全国人民代表大会常务委员会"),
        ("2019年9月24日示例省人民政府第十次常务会议通过", "示例省人民政府"),
    ],
)
def test_who_passed_a_regulation(passed, issuer):
    row = described(f"示例省信访条例\n\n{passed}\n\n第一条 为了规范信访工作，制定本条例。\n第二条 本省适用。")
    assert (row["genre"], row["issuer"]) == ("法规", issuer)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("某政发〔2024〕7号", "某政发〔2024〕7号"),
        ("某信联[2023] 1号", "某信联〔2023〕1号"),
        ("发文字号：某办函（2022）15号", "某办函〔2022〕15号"),
        ("中华人民共和国国务院令第431号", "中华人民共和国国务院令第431号"),
        ("根据《某办法》（某发〔2020〕1号）", None),
    ],
)
def test_document_numbers(line, number):
    (article,) = split(
        clean(Traced.of(f"关于某事的通知\n{line}\n\n各乡镇：\n请认真做好接访工作，按月报送。")).text
    )
    assert document_number(article) == number


def test_the_outlet_places_an_article_that_says_only_our_province():
    text = "全省会议召开\n来源：浙江日报\n\n3月5日，全省会议召开，省委领导出席并讲话。会议要求，我省各地抓好落实。"
    row = described(text)
    assert (row["outlet"], row["level"], row["region_code"]) == ("浙江日报", "省", "330000")


def test_numbers_in_titles_are_masked():
    row = described("联系电话13800000000的来信\n\n这是一封来信，反映道路问题，希望尽快解决。")
    assert row["title"] == "联系电话138********的来信"


def test_a_decree_is_published_on_the_day_of_its_signature():
    row = described(
        "某某省人民政府令\n第9号\n《某某省热线管理办法》已经2023年12月14日省人民政府第3次常务会议审议通过，现予公布。\n省长 王某某\n2024年1月8日\n"
        "某某省热线管理办法\n第一条 为了规范热线，制定本办法。\n第二条 本办法适用于本省。\n第三条 本办法自2024年3月1日起施行。"
    )
    assert (row["genre"], row["published"], row["event_date"]) == ("法规", "2024-01-08", None)


def test_what_is_announced_lies_ahead():
    row = described(
        "某区大接访活动公告\n\n某区决定开展大接访活动，现就有关事项公告如下：\n1.时间：1月22日上午；\n2.地点：各乡镇。\n某区信访局\n2024年1月18日"
    )
    assert (row["published"], row["event_date"]) == ("2024-01-18", "2024-01-22")
