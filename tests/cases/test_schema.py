import pytest

from analysis.cases import schema
from analysis.errors import CodebookError


def test_every_table_is_whole() -> None:
    for table in schema.tables().values():
        named = [*table.key, *table.needed, *(name for name in (table.region, table.when) if name)]
        assert set(named) <= set(table.columns), table.id
        assert len({column.name for column in table.columns.values()}) == len(table.columns)


def test_pieces_and_matters_are_two_tables_joined_by_the_matter() -> None:
    assert schema.table("petitions").key == ("piece_id",)
    assert schema.table("matters").key == ("matter_id",)
    assert "matter_id" in schema.table("petitions").columns


def test_nobody_has_a_column() -> None:
    words = ("姓名", "身份证", "电话号码", "地址", "内容")
    for table in schema.tables().values():
        for column in table.columns.values():
            assert not any(word in column.name for word in words)


def test_an_unknown_type_is_named() -> None:
    entry = {"name": "x", "key": [], "needed": [], "columns": {"a": {"name": "a", "type": "soul"}}}
    with pytest.raises(CodebookError, match="soul"):
        schema._table("x", entry)
