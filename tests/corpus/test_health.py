"""Health tables, recomputed from a corpus small enough to count by hand."""

from __future__ import annotations

from analysis import corpus


def test_health_counts(tmp_path):
    (tmp_path / "a.txt").write_text(
        "江山市会议召开\n\n2024年3月5日，江山市会议召开，全市参加。会议指出，江山市要抓好源头治理。\n",
        encoding="utf-8",
    )
    (tmp_path / "b.txt").write_text(
        "朝阳区推进接访\n\n朝阳区委高度重视，全区信访总量下降，电话13800000000。\n首页\n打印\n",
        encoding="utf-8",
    )
    (tmp_path / "c.txt").write_text("")
    tables = corpus.health(corpus.read(tmp_path))
    overview = dict(zip(tables["overview"]["项目"], tables["overview"]["数值"], strict=True))
    assert (overview["读入文件"], overview["文章"], overview["拒收文件"]) == (2, 2, 1)
    assert (overview["地区未定"], overview["年份未定"], overview["脱敏处数"]) == (1, 1, 1)
    assert tables["regions"].to_dict("records")[0]["地区"] in {"江山市", "未定"}
    assert tables["open"]["候选"].tolist() == ["110105、220104"]
    assert tables["rejects"].to_dict("records") == [{"程度": "拒收", "规则": "空文件", "处数": 1}]
    noisy = tables["noise"].iloc[0]
    assert (noisy["来源"], noisy["杂项占比"] > 0) == ("b.txt", True)
    assert tables["years"]["年份"].tolist() == ["2024", "未定"]


def test_health_of_nothing(tmp_path):
    tables = corpus.health(corpus.read(tmp_path))
    assert tables["overview"]["数值"].tolist() == [0] * len(tables["overview"])
