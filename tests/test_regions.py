"""The code table: facts spot-checked against the ministry's announcements, look-ups against hand-made tables."""

from __future__ import annotations

import pytest

from analysis import regions
from analysis.errors import RequestError
from analysis.regions import Region, Regions


@pytest.fixture(scope="module")
def table() -> Regions:
    return regions.load()


@pytest.mark.parametrize(
    ("code", "name", "level", "path"),
    [
        ("330000", "浙江省", "省", ["浙江省"]),
        ("330881", "江山市", "县", ["浙江省", "衢州市", "江山市"]),
        ("130404", "复兴区", "县", ["河北省", "邯郸市", "复兴区"]),
        ("110101", "东城区", "县", ["北京市", "东城区"]),  # a municipality has no prefectures
        ("429004", "仙桃市", "县", ["湖北省", "仙桃市"]),  # directly under the province
        ("810000", "香港特别行政区", "省", ["香港特别行政区"]),
    ],
)
def test_codes_have_their_names_levels_and_paths(table, code, name, level, path):
    region = table.get(code)
    assert (region.name, region.level) == (name, level)
    assert [r.name for r in table.path(code)] == path


def test_the_table_holds_the_whole_country(table):
    provinces = [r for r in table.rows if r.level == "省" and not r.fictional and r.valid(None)]
    assert len(provinces) == 34
    # 333 prefectures and 2,846 counties at the end of 2024, as the ministry's yearbook counts them
    real = [r for r in table._valid(None) if not r.fictional and r.code[:2] not in {"71", "81", "82"}]
    assert sum(r.level == "市" for r in real) == 333
    assert sum(r.level == "县" for r in real) == pytest.approx(2846, abs=3)


def test_renamed_and_merged_counties_keep_their_years_and_successors(table):
    (gone,) = table.named("崇文区")
    assert (gone.code, gone.valid_to, gone.successors) == ("110103", 2010, ("110101",))
    assert [r.name for r in table.rows if r.code == "420600"] == ["襄樊市", "襄阳市"]
    assert table.get("420600").name == "襄阳市"
    assert table.named("襄樊市", 2009)
    assert not table.named("襄樊市", 2015)
    assert "330113" not in {r.code for r in table.children("330100", 2019)}
    assert "330113" in {r.code for r in table.children("330100", 2022)}


def test_one_name_may_mean_several_places(table):
    assert {r.code for r in table.named("朝阳区", 2024)} == {"110105", "220104"}


@pytest.mark.parametrize(
    ("code", "short"),
    [
        ("330000", "浙江"),
        ("150000", "内蒙古"),
        ("450000", "广西"),
        ("650000", "新疆"),
        ("540000", "西藏"),
        ("230000", "黑龙江"),
        ("330881", "江山"),
        ("622927", "积石山"),
        ("222400", "延边"),
        ("632222", "祁连"),
        ("622926", "东乡"),
        ("130921", "沧县"),  # one character would remain
        ("150721", "阿荣"),
        ("433100", "湘西"),
    ],
)
def test_short_names_read_as_in_running_text(table, code, short):
    assert table.get(code).short == short
    assert code in {r.code for r in table.called(short)}


def test_children_and_counties_of_a_small_table():
    table = Regions(
        (
            Region("990000", "甲省"),
            Region("990100", "乙市"),
            Region("990101", "旧县", None, 2005, successors=("990102",)),
            Region("990102", "新区", 2005),
            Region("999001", "直辖县"),
        )
    )
    assert [r.code for r in table.children("990000")] == ["990100", "999001"]
    assert [r.code for r in table.counties("990000")] == ["990102", "999001"]
    assert [r.code for r in table.counties("990100", 2005)] == ["990101", "990102"]
    assert [r.code for r in table.counties("990102")] == ["990102"]


def test_an_unknown_code_says_what_to_do(table):
    with pytest.raises(RequestError, match="六位") as caught:
        table.get("12")
    assert caught.value.value == "12"
