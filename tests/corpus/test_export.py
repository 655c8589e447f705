"""Export: one line an article, the fields that readers of it expect."""

from __future__ import annotations

import csv
import io
import json

import pytest

from analysis import corpus
from analysis.corpus.export import export, load
from analysis.errors import RequestError


@pytest.fixture
def folder(tmp_path):
    src = tmp_path / "src"
    src.mkdir()
    (src / "a.txt").write_text(
        "江山市会议召开\n\n1月16日，江山市会议召开，全市参加。会议指出，要抓好治理，“件件”有着落。\n",
        encoding="utf-8",
    )
    return src


def test_json_lines(folder):
    (line,) = export(corpus.read(folder))
    row = json.loads(line)
    assert {
        "source",
        "title",
        "genre",
        "level",
        "region_code",
        "event_date",
        "published",
        "truncated",
        "body",
    } <= set(row)
    assert (row["source"], row["region_code"], row["truncated"]) == ("a.txt", "330881", False)
    assert row["event_date"] == "XXXX-01-16"  # the day is known, the year is open
    assert row["published"] is None


def test_csv(folder):
    head, row = csv.reader(io.StringIO("".join(export(corpus.read(folder), "csv"))))
    assert dict(zip(head, row, strict=True))["region"] == "江山市"


def test_an_unknown_format(folder):
    with pytest.raises(RequestError, match="导出格式"):
        list(export(corpus.read(folder), "xml"))


def test_a_store_exports_the_same(folder, tmp_path):
    out = corpus.build(folder, tmp_path / "out")
    assert list(export(load(out))) == list(export(load(folder)))
