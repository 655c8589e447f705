"""Margins from few and cheap queries: however the definitions are put together, the sums are the same."""

from pathlib import Path

import pandas as pd
import pytest

from analysis import cases
from analysis.cases import margins, registry
from analysis.cases.collect import margins as collected
from analysis.cases.load import moment

NAMES = ["indicator", "variant", "part_of", "region", "group", "month"]


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "data" / "sample" / "cases"


def counts(folder: Path) -> pd.DataFrame:
    tables = cases.load(folder)
    chosen = [one for one in registry.indicators().values() if one.kind in ("count", "share")]
    table = collected(tables, chosen, moment(None, tables)).table
    tables.close()
    return table.astype(dict.fromkeys(NAMES[:5], object)).sort_values(NAMES, ignore_index=True)


def test_a_definition_alone_and_all_together_count_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(margins, "_MOST_COMBINATIONS", 1)
    alone = counts(folder)
    monkeypatch.setattr(margins, "_MOST_COMBINATIONS", 10**9)
    pd.testing.assert_frame_equal(alone, counts(folder))


def test_groups_of_definitions_look_at_few_combinations() -> None:
    members = [
        (one, variant) for one in registry.indicators().values() for variant in one.variants.values()
        if one.kind in ("count", "share") and variant.table == "petitions"
    ]  # fmt: skip
    groups = margins._apart("petitions", members)
    assert len(groups) > 1
    assert sorted(variant.name for group in groups for _, variant in group) == sorted(
        variant.name for _, variant in members
    )
    for group in groups:
        looked = {variant.split for _, variant in group} - {None, "topic_1"}
        assert not {"channel", "office_level"} <= looked  # six by six terms


def test_rows_on_which_a_date_is_known(folder: Path) -> None:
    tables = cases.load(folder)
    now = moment("2024-01-31", tables)
    plain = margins.snapshot(tables, "matters", now).filter(lambda row: row.concluded_at.notnull())
    short = margins.snapshot(
        tables, "matters", now, columns=("matter_id", "concluded_at", "resolved_at"), happened="concluded_at"
    )
    names = ["matter_id", "concluded_at", "resolved_at", "registered_at"]
    found, expected = (table.select(*names).order_by("matter_id").execute() for table in (short, plain))
    assert len(found) > 100
    assert found["resolved_at"].isna().any()
    pd.testing.assert_frame_equal(found, expected)
    tables.close()
