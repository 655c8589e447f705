"""The scale benchmark's two contestants on little data: every figure by county and month, computed twice."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

COLUMNS = ["indicator", "variant", "part_of", "region_code", "period", "numerator", "denominator", "value"]


@pytest.fixture(scope="module")
def bench(root: Path) -> ModuleType:
    file = root / "benchmarks" / "bench_cases_scale.py"
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("extracted", ["2024-12-31", "2025-12-31"])
def test_every_figure_equals_pandas(bench: ModuleType, tmp_path: Path, extracted: str) -> None:
    """Of an extract of the as-of day, and of a later one, in which what came after must be left out."""
    bench.generate(tmp_path, 20_000, extracted)
    ours, theirs = bench._ours(tmp_path), bench._pandas(tmp_path)
    assert bench.compare(ours[COLUMNS], theirs[COLUMNS]) > 100_000
    kinds = {
        "pieces",
        "on_time",
        "resolved_once",
        "open_ages",
        "long_unresolved",
        "time_to_reply",
        "overdue_open",
    }
    assert kinds <= set(theirs["indicator"])


def test_a_difference_is_found(bench: ModuleType) -> None:
    row = dict(
        zip(COLUMNS, ["pieces", "headline", "", "990101", "2024-01", 5.0, float("nan"), 5.0], strict=True)
    )
    one, other = pd.DataFrame([row]), pd.DataFrame([row | {"numerator": 6.0}])
    assert bench.compare(one, one) == 1
    with pytest.raises(AssertionError, match="differ in numerator"):
        bench.compare(one, other)
    with pytest.raises(AssertionError, match="one side only"):
        bench.compare(one, other.assign(region_code="990102"))
