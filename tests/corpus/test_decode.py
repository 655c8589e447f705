"""Encodings told by what the text looks like."""

from __future__ import annotations

import codecs

import opencc
import pytest

from analysis.corpus.decode import decode
from analysis.corpus.reject import Refusal

TEXT = "县信访局召开会议，部署上半年工作。会议要求，各乡镇要把群众的事办好，做到件件有着落。\n" * 3
TRADITIONAL = opencc.OpenCC("s2tw").convert(TEXT)


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (TEXT.encode("utf-8"), TEXT, "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode("utf-8"), TEXT, "utf-8"),
        (TEXT.encode("gb18030"), TEXT, "gb18030"),
        (TRADITIONAL.encode("gb18030"), TRADITIONAL, "gb18030"),
        (TRADITIONAL.encode("big5"), TRADITIONAL, "big5hkscs"),
        (TEXT.encode("utf-16"), TEXT, "utf-16-le"),
        (TEXT.encode("utf-16-be"), TEXT, "utf-16-be"),
    ],
)
def test_encodings(data, text, encoding):
    assert decode(data) == (text, encoding)


def test_a_declared_encoding_does_not_count():
    page = '<meta charset="gb2312">' + TEXT
    assert decode(page.encode("utf-8")).text == page
    page = '<meta charset="utf-8">' + TEXT
    assert decode(page.encode("gb18030")).text == page


def test_a_file_cut_off_inside_a_character_loses_only_that():
    assert decode(TEXT.encode("utf-8")[:-2]).text == TEXT[:-2]


def test_a_few_bad_bytes_do_not_spoil_a_file():
    data = TEXT.encode("utf-8")
    spoiled = data[:30] + b"\xff" + data[30:]
    assert decode(spoiled).text.replace("\ufffd", "") == TEXT


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "空文件"),
        (codecs.BOM_UTF8 + b" \n", "空文件"),
        (bytes(range(256)) * 40, "二进制文件"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(0, 250, 3)) * 30, "二进制文件"),
        (b"only english here\n" * 5, "没有中文"),
    ],
)
def test_what_is_no_chinese_text_is_refused(data, rule):
    with pytest.raises(Refusal) as caught:
        decode(data)
    assert caught.value.rule == rule
