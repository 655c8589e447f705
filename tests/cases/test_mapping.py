from pathlib import Path

import pytest

from analysis.cases import mapping
from analysis.errors import CodebookError


def made(tmp_path: Path, body: str) -> Path:
    file = tmp_path / "m.yml"
    file.write_text("version: '1'\nsource: 手写\n" + body, encoding="utf-8")
    return file


def test_the_open_hotline_maps_onto_matters_alone(root: Path) -> None:
    plans = mapping.read(root / "data" / "mappings" / "boston311.yml")
    assert set(plans) == {"matters"}
    assert plans["matters"].columns["open_dt"] == ("registered_at",)
    assert plans["matters"].fixed["system"] == "12345"


def test_one_column_may_feed_two_fields(tmp_path: Path) -> None:
    plans = mapping.read(made(tmp_path, "tables:\n  matters:\n    columns: {来源: [channel, topic_1]}\n"))
    assert plans["matters"].columns["来源"] == ("channel", "topic_1")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("tables: {}\n", "tables"),
        ("tables:\n  people: {}\n", "不存在的表"),
        ("tables:\n  matters:\n    columns: {a: fame}\n", "不存在的字段"),
        ("tables:\n  matters:\n    terms: {channel: {a: 飞鸽}}\n", "词表以外"),
        ("tables:\n  matters:\n    fixed: {path: '9'}\n", "词表以外"),
        ("tables:\n  matters:\n    colums: {a: matter_id}\n", "不认识的项.*matters.colums"),
        ("tables:\n  matters:\n    dates: ymd\n", "日期次序.*ymd"),
        ("tables:\n  matters:\n    columns: {a: topic_1, b: topic_1}\n", "同一个字段.*topic_1"),
    ],
)
def test_a_wrong_mapping_is_named(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(CodebookError, match=words):
        mapping.read(made(tmp_path, body))


def test_a_missing_mapping(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="找不到"):
        mapping.read(tmp_path / "none.yml")
