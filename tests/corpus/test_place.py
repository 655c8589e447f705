"""Level and region: words of level, names old and new, ambiguous ones, cities that rank as counties."""

from __future__ import annotations

import pytest

from analysis.corpus.clean import clean
from analysis.corpus.place import Place, place
from analysis.corpus.split import split
from analysis.corpus.trace import Traced


def where(text: str, genre: str = "会议报道", **known) -> Place:
    (article,) = split(clean(Traced.of(text)).text)
    return place(article, genre, **known)


@pytest.mark.parametrize(
    ("text", "level", "code"),
    [
        (
            "全省会议召开\n\n3月5日，浙江省会议召开，省委领导出席。我省在江山市、余杭区开展试点，宁波市、金华市交流发言。",
            "省",
            "330000",
        ),
        (
            "我市召开联席会议\n\n江门市召开会议，市委常委出席，学习深圳市马田街道经验，鹤山市作发言。",
            "市",
            "440700",
        ),
        (
            "江山市抓信访\n\n江山市委、市政府高度重视，全市信访总量下降，市信访局建立台账，江山市群众满意。",
            "县",
            "330881",
        ),
        ("上海市推进信访工作\n\n上海市委召开会议，全市各区参加，市信访局通报情况。", "省", "310000"),
        (
            "复兴区构建大格局\n\n河北省邯郸市复兴区地处城郊，复兴区委高度重视，全区信访总量下降。",
            "县",
            "130404",
        ),
        (
            "国家信访局召开会议\n\n国家信访局3月5日召开会议，贯彻党中央、国务院部署，全国各地参加。",
            "中央",
            None,
        ),
        ("没有地名的文章\n\n今天天气很好，大家都很高兴，出门散步。", None, None),
    ],
)
def test_level_and_region(text, level, code):
    found = where(text)
    assert (found.level, found.code) == (level, code)


def test_a_village_belongs_to_its_county():
    found = where("郎村变了样\n\n走进安吉县章村镇郎村村，处处是游客。镇里和村委一起化解纠纷。", "经验案例")
    assert (found.level, found.name) == ("乡", "安吉县")


def test_a_meeting_of_the_province_reposted_by_a_city_keeps_the_provinces_level():
    text = "全省信访工作会议召开\n来源：江门市信访局\n\n3月5日，广东省信访工作会议召开，省委常委出席并讲话，全省各地参加。省信访局通报情况。"
    assert (where(text).level, where(text).code) == ("省", "440000")


def test_our_county_is_told_by_the_paper():
    text = "我县召开会议\n\n3月5日，我县召开信访会议，县委书记讲话。县信访局通报情况。"
    assert where(text).level == "县"
    assert where(text, issuer="衡东县融媒体中心").code == "430424"


def test_an_ambiguous_name_is_resolved_by_its_context_or_left_open():
    open_place = where("朝阳区推进接访\n\n朝阳区委高度重视，全区信访总量下降。")
    assert (open_place.code, open_place.candidates) == (None, ("110105", "220104"))
    assert where("朝阳区推进接访\n\n吉林省长春市朝阳区委高度重视，全区信访总量下降。").code == "220104"


def test_names_of_their_time():
    text = "密云抓信访\n\n密云县委高度重视，全县信访总量下降，密云县群众满意。"
    assert where(text, year=2010).code == "110228"
    assert where("襄樊市会议\n\n襄樊市召开会议，全市参加，市委领导讲话。", year=2005).name == "襄樊市"


def test_documents_of_authority_are_placed_by_their_title_or_issuer():
    articles = "\n".join(f"第{n}条 乡镇人民政府应当做好本村工作。" for n in "一二三四五六")
    assert where(f"景宁畲族自治县乡村条例\n\n{articles}", "法规").code == "331127"
    assert where(f"浙江省村民自治条例\n\n{articles}", "法规").level == "省"
    assert where(f"中华人民共和国村民条例\n\n{articles}", "法规") == Place("中央")
    assert where(f"村民条例\n2020年1月1日国务院发布\n\n{articles}", "法规") == Place("中央")


def test_the_sample_province_is_a_place_too():
    found = where("全省会议召开\n\n示例省会议召开，省委领导出席，全省各地参加。栖岭市作发言。")
    assert (found.level, found.code) == ("省", "990000")


@pytest.mark.parametrize(
    ("text", "level", "code"),
    [
        # An acting county head (代县长) is no 代县.
        (
            "县里开会\n\n3月5日，县委副书记、代县长王某主持召开全县信访工作会议。县信访局作汇报，我县各乡镇参加。",
            "县",
            None,
        ),
        # 北京不去 names a watchword, and 进京 a journey.
        (
            "年度打算\n\n我市要守住底线，实现“北京不去、上海不聚”，劝返进京人员。市信访局抓好落实。",
            "市",
            None,
        ),
        ("我市召开会议\n\n我市召开会议，市委副书记出席，要求学习浙江经验，抓好落实。", "市", None),
        (
            "我市召开会议\n\n我市召开会议，市委副书记出席。外地有好办法，如江苏南京市的评议团、广东深圳市的议事厅等，可以借鉴。",
            "市",
            None,
        ),
        ("县里开会\n\n3月5日，代县长王某带队检查，县信访局汇报。我县各乡镇参加。", "县", None),
        (
            "省领导来我市考察\n\n3月5日，省委领导到衢州市考察，衢州市委书记陪同。我市如实反映情况，市信访局汇报。",
            "市",
            "330800",
        ),
        ("我市赴浙江学习\n\n3月5日，我市考察团赴浙江省杭州市学习考察，市委常委王某带队。", "市", None),
        # One place and no other, by its short name.
        (
            "大家谈信访\n\n今天我们请来嘉宾。那么南阳有哪些新办法？先说说南阳的接访大厅，再说说南阳的网络。",
            "市",
            "411300",
        ),
    ],
)
def test_words_that_name_no_place_of_the_article(text, level, code):
    found = where(text)
    assert (found.level, found.code) == (level, code)


def test_a_zone_without_a_code_belongs_to_its_city():
    text = "小院说事\n\n在陕西省西安市国际港务产业园区新筑街道，有一个说事小院。街道和社区一起化解纠纷。"
    found = where(text, "经验案例")
    assert (found.level, found.name) == ("乡", "西安市")


def test_the_level_is_that_of_who_acts_in_the_first_sentence():
    mayor = where(
        "某日要闻\n\n4月2日，市委书记王某到石梁镇、双港镇调研，衢州市江山市领导参加。江山市要抓好化解。",
        "会议报道",
    )
    town = where(
        "4月2日，江山市石门镇迅速组织站所召开推进会。\n\n该镇负责人作部署，各村参加，抓好排查化解。",
        "会议报道",
    )
    hosted = where("4月2日，江山市在石门镇召开现场会。\n\n江山市委副书记出席，全市各乡镇参加。", "会议报道")
    assert (mayor.level, town.level, hosted.level) == ("县", "乡", "县")
    assert town.name == hosted.name == "江山市"


def test_a_commentary_names_places_as_examples():
    text = (
        "把小事办好\n\n"
        + "小事不小，枝叶关情，把小事办好才能赢得民心。" * 16
        + "上海市人大常委会通过规定，上海市各区推行。"
    )
    assert where(text, "评论") == Place()


def test_where_a_report_was_filed_is_not_what_it_is_about():
    found = where(
        "新华社杭州3月5日电（记者 王某）浙江近年来推进改革，建成调处中心九十个，群众满意。", "经验案例"
    )
    assert (found.level, found.name) == ("省", "浙江省")


def test_a_rule_for_our_county_is_not_the_nations():
    rule = "信访事项办理办法\n第一条 为了规范办理，制定本办法。\n第二条 本办法适用于全县，县信访局负责。\n第三条 自公布之日起施行。"
    assert where(rule, "法规") == Place("县")
    law = "信访法\n第一条 为了规范信访，制定本法。\n第二条 国家机关适用本法。\n第三条 自公布之日起施行。"
    assert where(law, "法规") == Place("中央")
