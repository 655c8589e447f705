"""Tables drawn in text, row by row and cell by cell."""

from __future__ import annotations

from analysis.corpus.tables import Cell, Table, take_tables
from analysis.corpus.trace import Traced

ROWS = "1.各县承办情况：\n| 单位 | 件数 | 办结率 |\n|---|---:|---:|\n| 甲县 | 52 | 100% |\n乙县 | 28 | 98% |\n以上为统计。\n"
CELLS = "情况如下：\n单位 |\n件数 |\n办结率 |\n甲县 |\n52 |\n100% |\n乙县 |\n28 |\n98% |\n完毕。"
NUMBERED = (
    "附件\n序号 |\n单位 |\n件数 |\n|||\n1 |\n住建局 |\n99 |\n2 |\n公安局 |\n77 |\n3 |\n城管局 |\n68 |\n"
)


def values(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_rows_with_bars():
    text, (table,) = take_tables(Traced.of(ROWS))
    assert values(table) == [["单位", "件数", "办结率"], ["甲县", "52", "100%"], ["乙县", "28", "98%"]]
    assert table.caption == "1.各县承办情况："
    assert text.value == "1.各县承办情况：\n\n以上为统计。\n"
    assert all(ROWS[c.start : c.end] == c.text for row in table.rows for c in row)


def test_cells_on_lines_of_their_own():
    _, (table,) = take_tables(Traced.of(CELLS))
    assert values(table) == [["单位", "件数", "办结率"], ["甲县", "52", "100%"], ["乙县", "28", "98%"]]


def test_numbered_rows_tell_their_width():
    _, (table,) = take_tables(Traced.of(NUMBERED))
    assert values(table) == [
        ["序号", "单位", "件数"],
        ["1", "住建局", "99"],
        ["2", "公安局", "77"],
        ["3", "城管局", "68"],
    ]


def test_records_name_row_and_column():
    _, (table,) = take_tables(Traced.of(ROWS))
    cell = next(r for r in table.records("d", 1) if r["text"] == "28")
    assert (cell["row_head"], cell["column_head"], cell["row"], cell["column"]) == ("乙县", "件数", 2, 1)
    first = next(iter(table.records("d", 1)))
    assert (first["row_head"], first["column_head"]) == (None, None)


def test_a_table_without_a_head_has_none():
    table = Table(((Cell("甲县", 0, 2), Cell("52", 3, 5)), (Cell("乙县", 6, 8), Cell("28", 9, 11))))
    assert [r["column_head"] for r in table.records("d", 1)] == [None] * 4


def test_a_bar_in_a_sentence_is_no_table():
    text = Traced.of("来信|来访|来电都要登记，这是规定。\n新闻热线 | 刊号 | 邮箱")
    assert take_tables(text) == (text, [])
