"""The sidecar: what it states wins, what it misspells is told."""

from __future__ import annotations

import pytest

from analysis.corpus.read import read
from analysis.corpus.sidecar import Sidecar
from analysis.errors import CodebookError

TEXT = "全县会议召开\n\n1月16日，全县会议召开，部署工作。会议指出，要抓好源头治理。\n"


def test_what_is_stated_wins_and_resolves_dates(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "corpus.yml").write_text(
        'defaults: {region_code: "130404"}\nfiles:\n  "*.txt": {published: 2024-01-17, issuer: 某报}\n  "a.txt#1": {genre: 工作部署}\n',
        encoding="utf-8",
    )
    row = read(tmp_path).documents.iloc[0]
    assert (row.region_code, row.region, row.level) == ("130404", "复兴区", "县")
    assert (row.published, row.event_date, row.issuer, row.genre) == (
        "2024-01-17",
        "2024-01-16",
        "某报",
        "工作部署",
    )


def test_the_more_particular_wins():
    sidecar = Sidecar({"genre": "评论"}, {"*.txt": {"genre": "专访"}, "a.txt#2": {"genre": "论文"}})
    assert sidecar.of("a.txt", 2)["genre"] == "论文"
    assert sidecar.of("a.txt", 1)["genre"] == "专访"
    assert sidecar.of("a.md", 1)["genre"] == "评论"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("files: [1, 2]", "映射"),
        ("other: {}", "defaults"),
        ("defaults: {gerne: 专访}", "不认识"),
        ('defaults: {region_code: "123456"}', "代码"),
        ('files: {"a.txt#x": {genre: 专访}}', "第几篇"),
        ("defaults: {a: [", "读不出来"),
    ],
)
def test_a_malformed_sidecar_is_told(tmp_path, text, said):
    (tmp_path / "s.yml").write_text(text, encoding="utf-8")
    with pytest.raises(CodebookError, match=said):
        Sidecar.load(tmp_path / "s.yml")
