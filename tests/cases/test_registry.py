import pytest

from analysis.cases import registry
from analysis.errors import CodebookError, RequestError

PARTS = {"总量", "预防", "受理", "办理", "监督追责", "维护秩序"}


def test_every_entry_is_complete() -> None:
    for one in registry.indicators().values():
        assert one.part in PARTS
        assert one.name
        assert one.version
        assert one.variants
        if one.kind != "missing":
            assert one.definition_source or one.options.get("no_headline"), one.id
        if one.kind == "clock":
            assert list(one.variants)[0] == "due"
            assert {"closed", "all", "moj", "dashboard", "status"} <= set(one.variants)
        for other in one.beside:
            assert other in registry.indicators()


def test_volume_and_visits_are_never_ranked() -> None:
    book = registry.indicators()
    for one in book.values():
        if one.part in ("总量", "维护秩序"):
            assert not one.rankable, one.id


def test_conclusion_never_stands_without_resolution_and_repetition() -> None:
    assert set(registry.indicator("on_time").beside) == {"resolved", "repeat"}


def test_a_definition_without_a_source_is_no_headline() -> None:
    once = registry.indicator("resolved_once")
    assert "headline" not in once.variants
    assert "试算" in once.headline.name


def test_variants_carry_jurisdiction_and_validity() -> None:
    old = registry.indicator("on_time_zhejiang_2016")
    assert old.jurisdiction == "330000"
    assert str(old.valid_to) == "2022-04-30"
    assert str(registry.indicator("on_time").valid_from) == "2022-05-01"


def test_an_unknown_indicator_lists_what_there_is() -> None:
    with pytest.raises(RequestError, match="on_time"):
        registry.indicator("fame")


def test_a_malformed_entry_is_named() -> None:
    with pytest.raises(CodebookError, match="fame"):
        registry._indicator(
            "x", {"name": "x", "part": "办理", "kind": "fame", "unit": "率", "direction": "高为好"}, {}, "1"
        )
    entry = {
        "name": "x",
        "part": "办理",
        "kind": "count",
        "unit": "件",
        "direction": "中性",
        "table": "matters",
        "when": "nowhere",
    }
    with pytest.raises(CodebookError, match="nowhere"):
        registry._indicator("x", entry, {}, "1")
