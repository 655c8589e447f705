"""Sections on topics, stages and a province's counties: numbers again from the rows, small ones kept back, ranks with their n."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis import cases, display, regions
from analysis.briefs.chapters import comparison, facts, grid, integrity, stages, topics
from analysis.briefs.chapters.scope import Scope, open_scope
from analysis.cases import emerging
from analysis.cases.integrity import checks as integrity_checks
from analysis.cases.prepare import prepare
from analysis.display.session import current
from analysis.periods import Period

COUNTY = "990102"


@pytest.fixture(scope="module")
def source(sample: Path) -> cases.Cases:
    return cases.load(sample / "cases")


def brief(source: cases.Cases, period: str, region: str, audience: str | None = None) -> Scope:
    display.use()
    return Scope(source, Period.parse(period), regions.load().get(region), None, audience)


def shown() -> SimpleNamespace:
    parts = {kind: display.recorded(kind) for kind in ("table", "chart", "finding", "note")}
    found = {
        part["name"]: pd.DataFrame(part["rows"], columns=[column["label"] for column in part["columns"]])
        for part in parts["table"]
    }
    said = "\n".join(part["text"] for part in parts["finding"])
    return SimpleNamespace(tables=found, said=said, results=dict(current().results), **parts)


# ---- topics ----------------------------------------------------------------------------------------------------------


def test_rising_topics_of_the_province_again_from_the_rows(source: cases.Cases, sample: Path) -> None:
    topics.chapter(brief(source, "2024Q1", "990000"))
    made = shown()
    rows = pd.read_parquet(sample / "cases" / "matters.parquet")
    rows = rows[(rows["system"] == "信访") & rows["locality_code"].str.startswith("99", na=False)]
    month = rows["registered_at"].dt.strftime("%Y-%m")
    own = rows["topic_3"] == "充电设施"
    first = made.tables["topics-new"].iloc[0]
    assert first["问题类别"].endswith("充电设施")
    assert first["本期"] == (own & month.isin(["2024-01", "2024-02", "2024-03"])).sum()
    before = own & month.str[5:].isin(["01", "02", "03"]) & month.str[:4].isin(["2022", "2023"])
    assert first["往年同期平均"] == before.sum() / 2
    assert made.results["明显上升的问题"].value == (made.tables["topics-new"]["判断"] == "明显上升").sum()
    assert "充电设施" in made.said
    assert "偶然" in made.said
    assert made.results["明显上升的问题"].definition.startswith("new_topics.rising@")


def test_a_county_is_judged_on_twelve_months_and_lists_only_what_is_judged(source: cases.Cases) -> None:
    scope = brief(source, "2024-06", COUNTY, "strict_suppress")
    months = emerging.window(scope.period, COUNTY)
    assert [str(months[0]), str(months[-1]), len(months)] == ["2023-07", "2024-06", 12]
    topics.chapter(scope)
    made = shown()
    listed = made.tables.get("topics-new", pd.DataFrame(columns=["本期", "判断"]))
    assert set(listed["判断"]) <= {"新出现", "明显上升"}
    assert not (listed["本期"].dropna().between(1, 4)).any()
    found = emerging.emerging(source, months, COUNTY, since=scope.first)
    assert made.results["明显上升的问题"].value == (found["verdict"] == "rising").sum()


def test_a_first_year_has_nothing_to_compare_with(source: cases.Cases) -> None:
    topics.chapter(brief(source, "2022Q2", "990000"))
    (note,) = shown().note
    assert "往年同月" in note["text"]


# ---- stages ----------------------------------------------------------------------------------------------------------


def test_stages_of_a_quarter_again_from_the_events(source: cases.Cases, sample: Path) -> None:
    stages.chapter(brief(source, "2024Q1", "990000", "strict_suppress"))
    made = shown()
    matters = pd.read_parquet(sample / "cases" / "matters.parquet").drop_duplicates("matter_id")
    ours = matters[(matters["system"] == "信访") & matters["locality_code"].str.startswith("99", na=False)]
    events = pd.read_parquet(sample / "cases" / "events.parquet")
    events = events[events["matter_id"].isin(ours["matter_id"])]
    inside = events["at"].between("2024-01-01", "2024-03-31")
    entered = events[inside]["stage"].value_counts()
    table = made.tables["stages"].set_index("环节")
    assert table["进入"].dropna().astype(int).to_dict() == entered.drop("考核").reindex(table.index).to_dict()
    first = events.groupby("matter_id")["at"].min()
    chosen = first[first.between("2024-01-01", "2024-03-31")].index
    path = events[events["matter_id"].isin(chosen)].groupby("matter_id")["stage"].agg(set)
    finished = path.map(lambda one: "考核" in one)
    assert made.results["全流程闭环率"].n == finished.sum()
    assert re.search(r"跳过环节\d+项", "".join(display_texts()))
    assert table.loc["督办", "中位天数"] is None  # a handful


def display_texts() -> list[str]:
    return [str(bundle.get("text/markdown", "")) for bundle in display.recorded()]


def test_a_source_without_events_says_nothing_of_stages(tmp_path: Path) -> None:
    row = {"matter_id": "1", "locality_code": COUNTY, "registered_at": "2024-01-05"}
    pd.DataFrame([row]).to_csv(tmp_path / "matters.csv", index=False)
    display.use()
    stages.chapter(open_scope(str(tmp_path), "2024-01", "990000"))
    assert not shown().table


# ---- comparison ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fifteen counties of two cities, 60 concluded matters each; one resolves a third, the others nine in ten."""
    codes = [region.code for region in regions.load().counties("990000")[:15]]
    rows = [
        {
            "matter_id": f"{code}-{k}", "locality_code": code, "registered_at": pd.Timestamp("2024-01-05"),
            "concluded_at": pd.Timestamp("2024-01-20"),
            "resolved_at": pd.Timestamp("2024-01-21") if k % 10 < (3 if code == codes[4] else 9) else None,
        }
        for code in codes for k in range(60)
    ]  # fmt: skip
    rows.append({"matter_id": "old", "locality_code": codes[0], "registered_at": pd.Timestamp("2022-05-05")})
    folder = tmp_path_factory.mktemp("uneven")
    pd.DataFrame(rows).to_parquet(folder / "matters.parquet")
    return str(folder)


def test_counties_of_a_province_and_the_one_that_stands_out(uneven: str) -> None:
    display.use()
    scope = open_scope(uneven, "2024-01", "990000", audience=None)
    comparison.counties(scope)
    made = shown()
    slow = regions.load().counties("990000")[4].name
    listed = made.tables["counties-resolved"].set_index("地区")
    assert listed.loc[slow, "与同组相比"] == "差于同组"
    assert listed.loc[slow, "分母"] == 60
    assert made.results["化解率·县级·参与比较的地区"].value == 15
    assert made.results["化解率·县级·差于同组的地区"].value == 1
    assert slow in made.said


def test_a_rank_never_stands_without_n_interval_and_how_many_are_alike(uneven: str) -> None:
    display.use()
    scope = open_scope(uneven, "2024-01", "990000", audience=None)
    comparison.chapter(scope)
    county = open_scope(uneven, "2024-01", COUNTY, audience=None)
    made = shown()
    compared = [table for name, table in made.tables.items() if name.startswith(("compare-", "counties-"))]
    assert compared
    for table in compared:
        ranked = table[table["名次区间"].notna()]
        assert ranked["分母"].notna().all()
        assert ranked["95%区间"].notna().all()
        assert ranked["说明"].str.contains(r"与其他 \d+ 个单位无法区分|均可区分").all()
    display.use()
    comparison.page(county, "resolved")
    (own,) = [part["text"] for part in shown().finding if "名次在第" in part["text"]]
    assert re.search(r"（60项，90\.0%，95%区间\d+\.\d%–\d+\.\d%）", own)
    assert re.search(r"与\d+个地区无法区分", own)


def test_bodies_too_small_to_rank_are_listed_without_ranks(tmp_path: Path) -> None:
    rows = [
        {
            "matter_id": f"{code}-{k}", "locality_code": code, "registered_at": pd.Timestamp("2024-01-05"),
            "concluded_at": pd.Timestamp("2024-01-20"), "resolved_at": pd.Timestamp("2024-01-21"),
        }
        for code, count in (("990102", 60), ("990103", 8), ("990104", 9)) for k in range(count)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "matters.parquet")
    display.use()
    comparison.page(open_scope(str(tmp_path), "2024-01", "990100", audience=None), "resolved")
    made = shown()
    (said,) = made.finding
    assert "只列出，不比较" in said["text"]
    assert said["grade"] == "受小样本影响"
    assert made.tables["compare-resolved"]["分母"].tolist() == [60, 9, 8]


def test_what_must_not_be_ranked_is_not_compared(uneven: str) -> None:
    display.use()
    scope = open_scope(uneven, "2024-01", "990000", audience=None)
    comparison.chapter(scope)
    assert not any("pieces" in name or "matters" in name for name in shown().tables)


# ---- integrity -------------------------------------------------------------------------------------------------------


def test_heaping_before_the_limit_is_pointed_at_beside_its_indicator(
    source: cases.Cases, sample: Path
) -> None:
    integrity.chapter(brief(source, "2024Q1", "990000"))
    made = shown()
    table = made.tables["integrity"].set_index("核查")
    assert table.loc["期限前聚集（60日）", "涉及指标"] == "按期办结率"
    rows = pd.read_parquet(sample / "cases" / "matters.parquet")
    rows = rows[rows["concluded_at"].between("2024-01-01", "2024-03-31") & (rows["path"] == "6")]
    took = (rows["concluded_at"] - rows["accepted_at"]).dt.days
    said = re.search(r"实际([\d,]+)，预期([\d.]+)", table.loc["期限前聚集（60日）", "结果"])
    assert said is not None
    assert int(said[1].replace(",", "")) == pytest.approx(took.between(58, 60).sum(), rel=0.15)
    assert float(said[2]) < 0.2 * int(said[1].replace(",", ""))
    assert "期限前聚集（60日）" in made.said
    assert "不作结论" in made.table[0]["note"]


def test_a_countys_checks_stand_beside_their_indicator_in_the_prepared_brief_too(
    source: cases.Cases, tmp_path: Path
) -> None:
    own = brief(source, "2024-03", COUNTY, "strict_suppress")
    ready = brief(cases.load(prepare(source, tmp_path / "ready")), "2024-03", COUNTY, "strict_suppress")
    made = []
    for scope in (own, ready):
        display.use()
        integrity.chapter(scope)
        grid.show(scope, only=("on_time", "resolved"), name="handling", caption="办理")
        made.append(shown())
    for name in ("integrity", "handling"):
        pd.testing.assert_frame_equal(made[0].tables[name], made[1].tables[name])
    said = made[1].tables["handling"].set_index("指标")["说明"]
    assert "核查提示：期限前聚集（60日）" in said["按期办结率"]
    assert said["化解率"] is None
    table = made[1].tables["integrity"].set_index("核查")
    assert "2023年4月至2024年3月" in made[1].table[0]["caption"]
    # Counts of the city's counties would add up to the city's: ratios and words only.
    assert not table["结果"].str.contains("实际|%").any()
    rows = integrity_checks(source, dt.date(2023, 4, 1), dt.date(2024, 3, 31), region=COUNTY, among="990100")
    heap = rows[(rows["check"] == "heaping") & (rows["at"] == 60)].iloc[0]
    assert table.loc["期限前聚集（60日）", "结果"] == f"为预期的{heap['ratio']:.1f}倍"


def test_a_source_without_rows_of_matters_has_no_integrity_section(tmp_path: Path) -> None:
    rows = [{"piece_id": "1", "matter_id": "1", "locality_code": COUNTY, "registered_at": "2024-01-05"}]
    pd.DataFrame(rows).to_csv(tmp_path / "petitions.csv", index=False)
    display.use()
    integrity.chapter(open_scope(str(tmp_path), "2024-01", "990000"))
    assert not shown().table


# ---- claims ----------------------------------------------------------------------------------------------------------


def test_what_bulletins_say_of_change_again_from_the_rows(source: cases.Cases, sample: Path) -> None:
    """The sample's bulletins were written from the simulated pieces that are counted (纳入统计)."""
    scope = brief(source, "2024Q2", "990200")
    facts.chapter(str(sample / "documents"), "2024Q2", "990200", scope=scope)
    made = shown()
    table = made.tables["claims"]
    assert set(table["核对"]) == {"一致"}
    assert table["指标"].str.contains("纳入统计的").all()
    pieces = pd.read_parquet(sample / "cases" / "petitions.parquet").drop_duplicates("piece_id")
    pieces = pieces[
        (pieces["system"] == "信访") & pieces["counted"] & pieces["locality_code"].str.startswith("9902")
    ]
    counts = pieces["registered_at"].dt.strftime("%Y-%m").value_counts()
    change = 100 * (counts["2024-03"] / counts["2024-02"] - 1)
    (row,) = table[table["所称"] == "+25.7%"].to_dict("records")
    assert row["按数据"] == f"+{change:.1f}%"
    assert made.results["与数据不一致的说法"].value == 0
    assert made.results["可与数据核对的说法"].value == len(table)
    assert made.results["与常规波动无法区分的说法"].value == (table["变化"] == "与常规波动无法区分").sum()


@pytest.mark.parametrize(
    ("said", "verdict"), [("环比上升50.0%", "一致"), ("环比上升40.0%", "不一致"), ("环比下降50.0%", "不一致")]
)
def test_a_claim_is_held_against_its_own_place_and_months(tmp_path: Path, said: str, verdict: str) -> None:
    months = {f"2023-{month:02d}": 40 for month in range(6, 13)} | {
        "2024-01": 40,
        "2024-02": 40,
        "2024-03": 60,
    }
    rows = [
        {
            "piece_id": f"{month}-{k}",
            "locality_code": COUNTY,
            "registered_at": f"{month}-10",
            "channel": "来信",
        }
        for month, n in months.items()
        for k in range(n)
    ]
    (tmp_path / "cases").mkdir()
    pd.DataFrame(rows).to_csv(tmp_path / "cases" / "petitions.csv", index=False)
    name = regions.load().get(COUNTY).name
    (tmp_path / "通报.txt").write_text(
        f"{name}信访局2024年3月信访工作情况通报\n\n2024年4月5日\n\n2024年3月，{name}共登记信访件60件，{said}。其中来信60件。\n",
        encoding="utf-8",
    )
    display.use()
    scope = open_scope(str(tmp_path / "cases"), "2024", COUNTY, as_of="2024-03-31", audience=None)
    facts.chapter(str(tmp_path / "通报.txt"), "2024", COUNTY, scope=scope)
    (row,) = shown().tables["claims"].to_dict("records")
    assert row["核对"] == verdict
    assert row["按数据"] == "+50.0%"


def test_nothing_is_held_against_another_system(source: cases.Cases, sample: Path) -> None:
    """The bulletins of 990500 are a hotline's; petition data do not speak of calls."""
    scope = brief(source, "2024Q1", "990500")
    facts.chapter(str(sample / "documents"), "2024Q1", "990500", scope=scope)
    assert "claims" not in shown().tables
