from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import cases
from analysis.cases import reject
from analysis.errors import CodebookError, RequestError

AS_OF = "2024-12-31"


def found(made: cases.Cases, as_of: str = AS_OF) -> set[tuple[str, int | None, str]]:
    rejects = cases.check(made, as_of)
    return {
        (row.rule, None if row.row is None or row.row != row.row else int(row.row), row.field)
        for row in rejects.itertuples()
    }


def test_exact_counts_of_the_open_hotline(boston: cases.Cases) -> None:
    rejects = cases.check(boston, "2016-01-12T22:22:40")
    counts = reject.counts(rejects)
    assert counts["closed_before_open"] == 197
    assert counts["neighborhood_missing"] == 10_955
    assert counts["open_with_close"] == counts["closed_without_date"] == 0
    assert counts["flag_disagreement"] == 1
    assert sum(counts.values()) == len(rejects) == 197 + 10_955 + 1
    assert rejects["row"].between(1, 121_145).all()
    assert not rejects.duplicated(["row", "rule"]).any()


def test_bounds_say_how_far_the_doubted_rows_could_move_a_share(boston: cases.Cases) -> None:
    bounds = reject.bounds(boston, "2016-01-12T22:22:40").set_index("indicator").loc["on_time"]
    assert bounds["low"] <= bounds["value"] <= bounds["high"]
    assert bounds["high"] - bounds["low"] == pytest.approx(bounds["doubted"] / bounds["denominator"])
    assert 0 < bounds["doubted"] <= 197


def test_one_line_for_a_row_and_a_rule(tables: Callable) -> None:
    base = {
        "registered_at": "2024-03-01",
        "concluded_at": "2024-03-20",
        "locality_code": "990102",
        "path": "6",
        "extended_days": 0,
    }
    made = tables(
        matters=[
            {"matter_id": "1", **base},
            {"matter_id": "2", **base, "concluded_at": "2024-02-01"},
            {"matter_id": "2", **base},
            {"matter_id": "4", **base, "registered_at": "2031/1/1", "concluded_at": "去年"},
            {"matter_id": "5", **base, "locality_code": "998877", "path": "七"},
            {"matter_id": "6", **base, "extended_days": -3, "locality_code": None},
            {"matter_id": None, **base, "extended_days": 60},
        ]
    )
    assert found(made) == {
        ("closed_before_open", 2, "concluded_at、registered_at"),
        ("duplicate_id", 2, "matter_id"), ("duplicate_id", 3, "matter_id"),
        ("in_future", 4, "registered_at"), ("unreadable_value", 4, "concluded_at"),
        ("unknown_region", 5, "locality_code"), ("unknown_term", 5, "path"),
        ("negative_count", 6, "extended_days"), ("locality_missing", 6, "locality_code"),
        ("missing_key", 7, "matter_id"), ("extension_too_long", 7, "extended_days"),
    }  # fmt: skip


def test_a_line_says_what_it_is_and_what_it_touches(tables: Callable) -> None:
    made = tables(
        matters=[
            {
                "matter_id": "1",
                "registered_at": "2024-03-05",
                "concluded_at": "2024-03-01",
                "path": "6",
                "accepted_at": "2024-03-05",
            }
        ]
    )
    line = cases.check(made, AS_OF).set_index("rule").loc["closed_before_open"]
    assert line["message"] == "办结早于登记"
    assert line["severity"] == "错误"
    assert line["value"].startswith("2024-03-01")
    assert {"on_time", "resolved", "open_stock", "time_to_reply"} <= set(line["touches"].split("、"))
    assert "pieces" not in line["touches"].split("、")  # pieces are another table


def test_value_is_shown_as_received(tables: Callable) -> None:
    made = tables(
        petitions=[{"piece_id": "1", "registered_at": "二〇二四年", "channel": "飞鸽", "persons": "三人"}]
    )
    lines = cases.check(made, AS_OF).set_index("rule")
    assert lines.loc["unreadable_value", "value"] == "二〇二四年；三人"  # one row, one rule, two cells
    assert lines.loc["unknown_term", "value"] == "飞鸽"


def test_an_empty_month_and_a_silent_county(tables: Callable) -> None:
    made = tables(
        petitions=[
            {"piece_id": "1", "registered_at": "2024-01-05", "locality_code": "990102"},
            {"piece_id": "2", "registered_at": "2024-03-05", "locality_code": "990181"},
        ]
    )
    rejects = cases.check(made, "2024-03-31")
    assert rejects.loc[rejects["rule"] == "empty_month", "value"].tolist() == ["2024-02"]
    silent = rejects.loc[rejects["rule"] == "silent_region", "value"]
    assert "990203" in set(silent)
    assert "990102" not in set(silent)


def test_preregistration_must_add_up(tables: Callable) -> None:
    rows = [
        {"office": "甲", "date": "2024-03-31", "registered": 3214, "answered": 1193, "taken": taken}
        for taken in (2021, 2020)
    ]
    rows[1]["office"] = "乙"
    assert found(tables(preregistration=rows)) == {("parts_do_not_add", 2, "registered、answered、taken")}


def test_a_mapping_renames_changes_and_adds_rules(tmp_path: Path) -> None:
    data = tmp_path / "cases.csv"
    data.write_text(
        "编号,登记,办结,部门\n1,2024-03-05,2024-03-01,甲\n2,2024-03-05,2024-03-09,测试\n", encoding="utf-8"
    )
    mapping = tmp_path / "m.yml"
    mapping.write_text(
        "version: '1'\nsource: 手写\ntables:\n  matters:\n    columns: {编号: matter_id, 登记: registered_at, 办结: concluded_at}\n"
        "    keep: [部门]\n    rules:\n      closed_before_open: {as: early, severity: 警告}\n      locality_missing: false\n"
        "      test_rows: {when: '部门 == \"测试\"', severity: 提示, message: 测试数据}\n",
        encoding="utf-8",
    )
    counts = Counter(cases.check(cases.load(data, mapping=mapping), AS_OF)["rule"])
    assert counts == {"early": 1, "test_rows": 1}


def test_a_rule_without_words_is_refused() -> None:
    from analysis.cases.mapping import TableMapping

    with pytest.raises(CodebookError, match="message"):
        reject.rules("matters", TableMapping(rules={"mine": {"when": "known(path)"}}))


def test_every_rule_reads_columns_that_exist() -> None:
    from analysis.cases import schema
    from analysis.cases.expression import parse

    for name, table in schema.tables().items():
        for rule in reject.rules(name):
            assert set(parse(str(rule.when)).columns) <= set(table.columns), rule.id
            assert set(rule.blames) <= set(table.columns), rule.id


def test_planted_errors_of_the_sample_are_found(sample: Path) -> None:
    counts = reject.counts(cases.check(cases.load(sample / "cases")))
    for rule in (
        "duplicate_id",
        "closed_before_open",
        "in_future",
        "unknown_region",
        "negative_count",
        "unknown_term",
    ):
        assert counts[rule] > 0, rule


def test_rows_go_back_to_the_body_that_is_to_mend_them(tables: Callable) -> None:
    late = {"registered_at": "2024-03-09", "concluded_at": "2024-03-01", "locality_code": "990102"}
    made = tables(
        matters=[
            late | {"matter_id": "1", "responsible_body": "甲局"},
            late | {"matter_id": "2", "responsible_body": "甲局"},
            late | {"matter_id": "3", "responsible_body": "乙局"},
            late | {"matter_id": "4", "responsible_body": "乙局", "concluded_at": "2024-03-20"},
        ]
    )
    rejects = cases.check(made, AS_OF)
    back = reject.returned(made, rejects, by="responsible_body")
    ends = back[back["rule"] == "closed_before_open"]
    assert ends[["responsible_body", "n"]].to_numpy().tolist() == [["甲局", 2], ["乙局", 1]]
    with pytest.raises(RequestError, match="petition_office"):
        reject.returned(made, rejects)
