"""data/facts/public_statistics.csv: real figures, each with its source, and the sums they state."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import defaultdict
from pathlib import Path

import pytest

from analysis import regions

REQUIRED = ("fact_id", "indicator", "value", "unit", "kind", "place", "system", "source_title")


@pytest.fixture(scope="module")
def facts(root: Path) -> list[dict[str, str]]:
    with (root / "data/facts/public_statistics.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_head_names_version_and_source(root: Path) -> None:
    head = (root / "data/facts/public_statistics.csv").read_text(encoding="utf-8").splitlines()[:2]
    assert head[0].startswith("# version:")
    assert head[1].startswith("# source:")


def test_every_figure_has_what_makes_it_citable(facts: list[dict[str, str]]) -> None:
    assert len(facts) >= 25
    assert len({fact["fact_id"] for fact in facts}) == len(facts)
    for fact in facts:
        assert all(fact[name] for name in REQUIRED), fact
        assert float(fact["value"]) >= 0
        assert fact["kind"] in {"结果", "规定"}
        for name in ("period_start", "period_end"):
            if fact[name]:
                dt.date.fromisoformat(fact[name])
        if fact["source_date"]:
            assert re.fullmatch(r"\d{4}(-\d{2}){0,2}", fact["source_date"])


def test_places_are_real_and_no_figure_is_simulated(facts: list[dict[str, str]]) -> None:
    table = regions.load()
    for fact in facts:
        assert not fact["region_code"].startswith("99")
        if fact["region_code"]:
            region = table.get(fact["region_code"])
            assert not region.fictional
            assert fact["place"].endswith(region.name)


def test_preregistered_is_answered_plus_taken(facts: list[dict[str, str]]) -> None:
    value = {fact["indicator"]: float(fact["value"]) for fact in facts if fact["place"] == "浙江省"}
    assert value["来访预登记"] == 3214
    assert value["预登记中直接办理答复"] + value["预登记中纳入下访接访"] == 1193 + 2021 == 3214
    assert value["接待信访群众"] == 2384


def test_totals_are_the_sums_of_their_parts(facts: list[dict[str, str]]) -> None:
    totals: dict[str, list[float]] = defaultdict(list)
    parts: dict[str, float] = defaultdict(float)
    for fact in facts:
        if fact["role"] == "total":
            totals[fact["group"]].append(float(fact["value"]))
        elif fact["role"] == "part":
            parts[fact["group"]] += float(fact["value"])
        else:
            assert not fact["group"]
    assert len(totals) >= 8
    assert {group: [value] for group, value in parts.items()} == dict(totals)


def test_figures_stand_in_the_texts_they_cite(facts: list[dict[str, str]], shared: Path) -> None:
    files = [path for folder in ("seeds", "bulletins/text") for path in (shared / folder).glob("*.txt")]
    texts = "".join(path.read_text(encoding="utf-8").replace(" ", "") for path in files)
    for fact in facts:
        value = float(fact["value"])
        if fact["kind"] == "规定" or fact["indicator"] in {"国家级试点县（市、区）", "规范的复查复核流程"}:
            continue  # written out in words there
        forms = {f"{value:g}", f"{value:.0f}", f"{value / 10000:.2f}万"}
        assert any(form in texts for form in forms), fact
