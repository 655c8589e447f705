"""Simulated case tables: same bytes for a seed, exact stocks, and what was planted can be found again."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import cases, codebooks, regions
from analysis.cases import schema
from analysis.cases.simulate import simulate
from analysis.errors import CodebookError

SEED = 20240101
START, END = pd.Timestamp("2022-01-01"), pd.Timestamp("2024-12-31")


@pytest.fixture(scope="module")
def committed(root: Path) -> Path:
    return root / "data/sample/cases"


@pytest.fixture(scope="module")
def metadata(committed: Path) -> dict:
    return json.loads((committed / "metadata.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def raw(committed: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_parquet(path) for path in sorted(committed.glob("*.parquet"))}


@pytest.fixture(scope="module")
def small() -> dict:
    """A tenth of the settings' matters, nothing spoilt."""
    plan = copy.deepcopy(codebooks.load("simulate"))
    plan["matters_a_year"] = {year: number // 10 for year, number in plan["matters_a_year"].items()}
    plan["invalid"] = {table: dict.fromkeys(rules, 0) for table, rules in plan["invalid"].items()}
    return plan


@pytest.fixture(scope="module")
def clean(small: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("clean"), 7, settings=small)


@pytest.fixture(scope="module")
def matters(raw: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The good rows, with how often each came back."""
    table = raw["matters"].drop_duplicates("matter_id", keep=False)
    table = table[
        table["registered_at"].notna() & (table["concluded_at"].isna() | (table["concluded_at"] <= END))
    ]
    table = table[~(table["concluded_at"] < table["registered_at"])]
    repeats = raw["petitions"].query("first_or_repeat == '重件'").groupby("matter_id").size()
    return table.assign(repeats=table["matter_id"].map(repeats).fillna(0))


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class TestReproduction:
    def test_a_seed_gives_the_same_bytes(self, clean: Path, small: dict, tmp_path: Path) -> None:
        assert _bytes(simulate(tmp_path / "again", 7, settings=small)) == _bytes(clean)

    def test_another_seed_gives_others(self, clean: Path, small: dict, tmp_path: Path) -> None:
        other = _bytes(simulate(tmp_path / "other", 8, settings=small))
        assert other["petitions.parquet"] != _bytes(clean)["petitions.parquet"]

    def test_the_committed_sample_is_the_seed_it_names(
        self, raw: dict[str, pd.DataFrame], metadata: dict, tmp_path: Path
    ) -> None:
        # Tables, not bytes: another Parquet writer may pack the same rows otherwise.
        again = simulate(tmp_path, metadata["seed"])
        assert metadata["seed"] == SEED
        assert json.loads((again / "metadata.json").read_text(encoding="utf-8")) == metadata
        for name, table in raw.items():
            pd.testing.assert_frame_equal(pd.read_parquet(again / f"{name}.parquet"), table)

    def test_settings_may_be_a_file(self, small: dict, clean: Path, tmp_path: Path) -> None:
        import yaml

        file = tmp_path / "mine.yml"
        file.write_text(yaml.safe_dump(small, allow_unicode=True, sort_keys=False), encoding="utf-8")
        assert _bytes(simulate(tmp_path / "out", 7, settings=file)) == _bytes(clean)

    def test_real_places_are_refused(self, small: dict, tmp_path: Path) -> None:
        with pytest.raises(CodebookError, match="虚构"):
            simulate(tmp_path, 1, settings=small | {"region": "330000"})

    def test_a_missing_setting_is_named(self, small: dict, tmp_path: Path) -> None:
        without = {key: value for key, value in small.items() if key != "rating"}
        with pytest.raises(CodebookError, match="rating"):
            simulate(tmp_path, 1, settings=without)


class TestShape:
    def test_size_rows_and_mark(self, committed: Path, raw: dict[str, pd.DataFrame], metadata: dict) -> None:
        assert sum(path.stat().st_size for path in committed.iterdir()) < 10_000_000
        assert metadata["mark"] == "模拟数据"
        assert metadata["simulated"] is True
        assert metadata["rows"] == {name: len(table) for name, table in raw.items()}
        inside = raw["petitions"]["registered_at"].between(START, END)
        assert 190_000 < inside.sum() < 215_000

    def test_columns_are_those_of_the_codebook(self, raw: dict[str, pd.DataFrame]) -> None:
        assert set(raw) == set(schema.tables())
        for name, table in raw.items():
            assert set(table.columns) <= set(schema.table(name).columns)
            assert set(schema.table(name).needed) <= set(table.columns)

    def test_every_place_is_fictional(self, raw: dict[str, pd.DataFrame]) -> None:
        counties = {region.name for region in regions.load().counties("990000")}
        for table, column in [("petitions", "registering_office"), ("matters", "responsible_body")]:
            named = raw[table][column].dropna().unique()
            fictional = [region.name for region in regions.load().rows if region.fictional]
            assert all(any(body.startswith(name) for name in fictional) for body in named)
        assert len(set(raw["matters"]["petition_office"].str.removesuffix("信访局")) & counties) == 90

    def test_cases_reads_it_as_simulated(self, clean: Path) -> None:
        loaded = cases.load(clean)
        assert loaded.simulated
        assert loaded.extent[1] is not None
        assert loaded.extent[1].isoformat() == "2024-12-31"

    def test_a_sample_without_spoilt_rows_passes_every_check(self, clean: Path) -> None:
        rejects = cases.check(cases.load(clean))
        assert set(rejects["severity"]) <= {"提示"}, rejects[rejects["severity"] != "提示"].head()

    def test_one_first_piece_a_matter(self, clean: Path) -> None:
        pieces, table = (pd.read_parquet(clean / f"{name}.parquet") for name in ("petitions", "matters"))
        first = pieces[pieces["first_or_repeat"] == "初件"].set_index("matter_id")
        assert first.index.is_unique
        assert set(first.index) == set(table["matter_id"]) == set(pieces["matter_id"])
        registered = table.set_index("matter_id")["registered_at"]
        assert (first["registered_at"] == registered[first.index]).all()
        repeats = pieces[pieces["first_or_repeat"] == "重件"]
        assert (repeats["registered_at"].to_numpy() > registered[repeats["matter_id"]].to_numpy()).all()

    def test_dates_of_a_matter_are_in_order(self, clean: Path) -> None:
        table = pd.read_parquet(clean / "matters.parquet")
        chain = [
            "registered_at",
            "office_acted_at",
            "received_at",
            "unit_acted_at",
            "accepted_at",
            "replied_at",
        ]
        for before, after in [*zip(chain, chain[1:], strict=False), ("concluded_at", "resolved_at")]:
            assert not (table[after] < table[before]).any(), (before, after)
        ends = table[["concluded_at", "withdrawn_at", "transferred_at"]].notna().sum(axis=1)
        assert ends.max() == 1

    def test_preregistered_is_answered_plus_taken(self, raw: dict[str, pd.DataFrame]) -> None:
        table = raw["preregistration"]
        assert (table["registered"] == table["answered"] + table["taken"]).all()

    def test_residents_of_cities_are_sums_of_their_counties(self, raw: dict[str, pd.DataFrame]) -> None:
        table = raw["population"].pivot_table(index="region_code", columns="year", values="residents")
        county = table[~table.index.str.endswith("00")]
        city = county.groupby(county.index.str[:4] + "00").sum()
        pd.testing.assert_frame_equal(city, table.loc[city.index], check_names=False)
        pd.testing.assert_series_equal(city.sum(), table.loc["990000"], check_names=False)


class TestStock:
    @pytest.fixture(scope="class")
    @classmethod
    def flows(cls, clean: Path) -> pd.DataFrame:
        table = pd.read_parquet(clean / "matters.parquet")
        closed = table[["concluded_at", "withdrawn_at", "transferred_at"]].min(axis=1)
        return table.assign(closed=closed)[["locality_code", "registered_at", "closed"]]

    def test_stock_is_stock_before_plus_in_minus_out(self, flows: pd.DataFrame) -> None:
        """Counted from the open matters of each month's end, not from the flows."""
        ends = pd.date_range(START, END, freq="ME")
        for _, part in [("省", flows), *flows.groupby("locality_code")]:
            stock = [_open(part, START - pd.Timedelta(days=1)), *(_open(part, end) for end in ends)]
            came = part["registered_at"].dt.to_period("M").value_counts()
            went = part["closed"].dt.to_period("M").value_counts()
            net = [came.get(end.to_period("M"), 0) - went.get(end.to_period("M"), 0) for end in ends]
            assert np.diff(stock).tolist() == net

    def test_the_statement_has_the_same_stock(self, flows: pd.DataFrame, clean: Path) -> None:
        stated = json.loads((clean / "metadata.json").read_text(encoding="utf-8"))["realised"][
            "stock_month_end"
        ]
        counted = {str(end)[:7]: _open(flows, end) for end in pd.date_range(START, END, freq="ME")}
        assert stated == counted

    def test_there_is_a_backlog_at_both_ends(self, flows: pd.DataFrame) -> None:
        assert _open(flows, START - pd.Timedelta(days=1)) > 300
        assert _open(flows, END) > 300
        assert (flows["registered_at"] < START).any()


def _open(part: pd.DataFrame, day: pd.Timestamp) -> int:
    return int(((part["registered_at"] <= day) & ~(part["closed"] <= day)).sum())


class TestPlanted:
    @pytest.mark.parametrize(("tier", "tolerance"), [("国家级", 0.06), ("省级", 0.025)])
    def test_a_simple_difference_finds_the_pilot_effect(
        self, matters: pd.DataFrame, raw: dict[str, pd.DataFrame], metadata: dict, tier: str, tolerance: float
    ) -> None:
        """Difference in differences on matters of 2022–2023, against counties not treated before 2024."""
        pilots = raw["pilots"][raw["pilots"]["tier"] == tier]
        others = raw["pilots"][raw["pilots"]["tier"] != "全省"]["region_code"]
        known = matters[matters["registered_at"].between(START, "2023-12-31") & matters["replied_at"].notna()]
        once = (known["resolved_at"].notna() & (known["repeats"] == 0)).astype(float)
        after = known["registered_at"] >= pilots["start"].iloc[0]
        treated, control = (
            known["locality_code"].isin(pilots["region_code"]),
            ~known["locality_code"].isin(others),
        )
        effect = (once[treated & after].mean() - once[treated & ~after].mean()) - (
            once[control & after].mean() - once[control & ~after].mean()
        )
        assert effect == pytest.approx(metadata["planted"]["tiers"][tier]["once"], abs=tolerance)

    def test_the_province_wide_start_lifts_the_others(
        self, matters: pd.DataFrame, raw: dict[str, pd.DataFrame]
    ) -> None:
        rest = matters[
            ~matters["locality_code"].isin(raw["pilots"]["region_code"]) & matters["replied_at"].notna()
        ]
        once = (
            (rest["resolved_at"].notna() & (rest["repeats"] == 0))
            .groupby(rest["registered_at"].dt.year)
            .mean()
        )
        assert once[2024] - once[2023] == pytest.approx(0.04 + 12 * 0.0006, abs=0.015)

    def test_nothing_is_planted_on_volume(self, matters: pd.DataFrame, raw: dict[str, pd.DataFrame]) -> None:
        pilots = raw["pilots"].query("tier == '省级'")["region_code"]
        year = matters["registered_at"].dt.year
        counts = pd.crosstab(matters["locality_code"].isin(pilots), year)
        ratio = (counts.loc[True, 2024] / counts.loc[True, 2022]) / (
            counts.loc[False, 2024] / counts.loc[False, 2022]
        )
        assert ratio == pytest.approx(1, abs=0.06)

    def test_slow_counties_are_the_latest(self, matters: pd.DataFrame, metadata: dict) -> None:
        path_6 = matters[
            (matters["path"] == "6") & matters["accepted_at"].notna() & (matters["extended_days"] != 45)
        ]
        clock = path_6["accepted_at"] + pd.to_timedelta(60 + path_6["extended_days"].fillna(0), unit="D")
        due = path_6["due_at"].fillna(clock)
        fallen = path_6[(due >= START) & (due < END)]
        in_time = (
            (fallen["concluded_at"] <= due[fallen.index])
            .groupby(fallen["locality_code"])
            .agg(["mean", "size"])
        )
        worst = in_time[in_time["size"] > 100]["mean"].nsmallest(6)
        assert set(worst.index) == set(metadata["planted"]["slow_counties"])
        assert in_time["mean"].median() > 0.975

    def test_replies_heap_before_the_limit(self, matters: pd.DataFrame) -> None:
        days = (matters["replied_at"] - matters["accepted_at"]).dt.days[matters["path"] == "6"].value_counts()
        assert days.loc[[58, 59, 60]].mean() > 5 * days.loc[[61, 62, 63]].mean()
        assert days.loc[[58, 59, 60]].mean() > 3 * days.loc[[48, 49, 50]].mean()

    def test_spring_festival_and_weekends_are_quiet(self, matters: pd.DataFrame) -> None:
        a_day = matters.groupby("registered_at").size().reindex(pd.date_range(START, END), fill_value=0)
        assert a_day["2023-01-22":"2023-01-27"].mean() < 0.4 * a_day["2023-02-06":"2023-02-10"].mean()
        assert a_day[a_day.index.dayofweek == 5].mean() < 0.5 * a_day[a_day.index.dayofweek == 0].mean()

    def test_spoilt_rows_are_as_many_as_stated(self, raw: dict[str, pd.DataFrame], metadata: dict) -> None:
        p, m, stated = raw["petitions"], raw["matters"], metadata["invalid_rows"]
        codes = {region.code for region in regions.load().rows}
        terms = schema.table("matters").columns["matter_class"].terms
        assert stated["petitions"] == {
            "registered_missing": p["registered_at"].isna().sum(),
            "registered_before_petitioned": (p["petitioned_at"] > p["registered_at"]).sum(),
            "date_in_future": (p["registered_at"] > END).sum(),
            "locality_unknown": (~p["locality_code"].isin(codes)).sum(),
            "channel_unknown": (p["channel"] == "传真").sum(),
            "persons_not_positive": (p["persons"] < 1).sum(),
            "matter_unknown": (~p["matter_id"].isin(m["matter_id"])).sum(),
            "key_repeated": p["piece_id"].duplicated().sum(),
        }
        assert stated["matters"] == {
            "concluded_before_registered": (m["concluded_at"] < m["registered_at"]).sum(),
            "replied_before_accepted": (m["replied_at"] < m["accepted_at"]).sum(),
            "locality_unknown": (~m["locality_code"].isin(codes)).sum(),
            "date_in_future": (m["concluded_at"] > END).sum(),
            "registered_missing": m["registered_at"].isna().sum(),
            "class_unknown": (~m["matter_class"].isin(terms)).sum(),
            "path_unknown": (m["path"] == "7").sum(),
            "extension_too_long": (m["extended_days"] > 30).sum(),
            "graded_without_rating": (
                m["unit_rating_grade"].notna() & (m["unit_rating_state"] != "已评价")
            ).sum(),
            "key_repeated": m["matter_id"].duplicated().sum(),
        }
