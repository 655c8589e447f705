"""Word files: order of paragraphs and tables, and files that are none."""

from __future__ import annotations

import io

import docx
import pytest

from analysis.corpus.docx import read_docx
from analysis.corpus.reject import Refusal


def document() -> bytes:
    word = docx.Document()
    word.add_paragraph("关于做好接访工作的通知")
    word.add_paragraph("各乡镇：")
    word.add_paragraph("任务分工如下。")
    table = word.add_table(rows=2, cols=2)
    for row, values in zip(table.rows, [("单位", "任务"), ("甲镇", "排查")], strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    word.add_paragraph("请认真落实。")
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def test_paragraphs_in_order_and_tables_apart():
    page = read_docx(document())
    assert page.text.value == "关于做好接访工作的通知\n各乡镇：\n任务分工如下。\n请认真落实。\n"
    (table,) = page.tables
    assert [[c.text for c in row] for row in table.rows] == [["单位", "任务"], ["甲镇", "排查"]]
    assert table.caption == "任务分工如下。"


def test_offsets_count_paragraphs_and_cells(misplaced):
    page = read_docx(document())
    assert misplaced(page.text, page.source) == []
    assert all(page.source[c.start : c.end] == c.text for row in page.tables[0].rows for c in row)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "加密或旧版文档"),
        (b"PK\x03\x04 not a zip", "损坏的文档"),
        (document()[:-200], "损坏的文档"),
    ],
)
def test_what_is_no_document(data, rule):
    with pytest.raises(Refusal) as caught:
        read_docx(data)
    assert caught.value.rule == rule


def test_an_empty_document_is_refused():
    buffer = io.BytesIO()
    docx.Document().save(buffer)
    with pytest.raises(Refusal, match="没有文字"):
        read_docx(buffer.getvalue())
