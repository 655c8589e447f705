"""The open hotline data as case tables; small tables from rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis import cases

AS_OF = "2016-01-12T22:22:40"


@pytest.fixture(scope="session")
def boston_file(shared: Path) -> Path:
    return shared / "reference_data" / "cases" / "boston311_2015_cases.parquet"


@pytest.fixture(scope="session")
def boston(boston_file: Path, root: Path) -> cases.Cases:
    return cases.load(boston_file, mapping=root / "data" / "mappings" / "boston311.yml")


@pytest.fixture
def tables(tmp_path: Path) -> Callable[..., cases.Cases]:
    """Case tables from lists of rows: ``tables(matters=[{...}, …], petitions=…)``."""

    def make(**rows: list[dict[str, object]]) -> cases.Cases:
        folder = tmp_path / f"tables{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name, records in rows.items():
            pd.DataFrame(records).to_csv(folder / f"{name}.csv", index=False)
        return cases.load(folder)

    return make
