"""The case chapters: every number again from the rows, small numbers kept back, nothing ranked that must not be."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pandas as pd
import pytest

from analysis import codebooks, display, regions
from analysis.briefs.chapters import annual, closing, comparison, grid, history, summary, volume, words
from analysis.briefs.chapters.scope import Scope, decimals, open_scope, scaled, unit_text
from analysis.briefs.document import Meta
from analysis.briefs.reader import read
from analysis.cases import registry
from analysis.cases.disclosure import Profile
from analysis.cases.release import Release
from analysis.display.session import current
from analysis.errors import RequestError
from analysis.periods import Period

COUNTY, CITY = "990181", "9901"


@pytest.fixture(scope="module")
def slice_(sample: Path, tmp_path_factory) -> Path:
    """The sample's rows of one city, as a run of a county brief sees them."""
    folder = tmp_path_factory.mktemp("cases")
    matters = pd.read_parquet(sample / "cases" / "matters.parquet", columns=["matter_id", "locality_code"])
    own = set(matters.loc[matters["locality_code"].fillna("").str.startswith(CITY), "matter_id"])
    for file in sorted((sample / "cases").iterdir()):
        if file.suffix != ".parquet":
            shutil.copy(file, folder / file.name)
            continue
        frame = pd.read_parquet(file)
        if "locality_code" in frame:
            frame = frame[frame["locality_code"].fillna("").str.startswith(CITY)]
        elif "matter_id" in frame:
            frame = frame[frame["matter_id"].isin(own)]
        frame.to_parquet(folder / file.name, index=False)
    return folder


@pytest.fixture(scope="module")
def petitions(slice_: Path) -> pd.DataFrame:
    """信访 pieces of the county in March 2024, read without the library."""
    frame = pd.read_parquet(slice_ / "petitions.parquet")
    when = pd.to_datetime(frame["registered_at"], errors="coerce")
    return frame[
        (frame["system"] == "信访")
        & (frame["locality_code"] == COUNTY)
        & (when.dt.strftime("%Y-%m") == "2024-03")
    ]


@pytest.fixture(scope="module")
def monthly(root: Path, slice_: Path) -> SimpleNamespace:
    """The monthly notebook's own cells, run for the county in this process: bundles, results, the document."""
    return run(
        root / "notebooks" / "briefs" / "monthly.ipynb", cases=str(slice_), region=COUNTY, period="2024-03"
    )


def run(path: Path, **parameters: Any) -> SimpleNamespace:
    book = nbformat.read(path, as_version=4)
    names: dict[str, Any] = {}
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        exec(cell.source, names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= parameters
    return shown()


def shown() -> SimpleNamespace:
    """What was shown since ``display.use()``: parts, results, and the document they make."""
    bundles = display.recorded()
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in bundles]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    results = dict(current().results)
    parts = {kind: display.recorded(kind) for kind in ("table", "chart", "finding", "note")}
    return SimpleNamespace(results=results, document=read(book, Meta("月报")), **parts)


def tables(made: SimpleNamespace) -> dict[str, pd.DataFrame]:
    return {
        part["name"]: pd.DataFrame(part["rows"], columns=[column["label"] for column in part["columns"]])
        for part in made.table
    }


# --- the whole brief -------------------------------------------------------------------------------------------------


def test_headlines_again_from_the_rows(monthly, petitions, slice_):
    found = monthly.results
    assert found["信访件数"].value == len(petitions)
    assert found["人次"].value == petitions["persons"].sum()
    known = petitions[petitions["first_or_repeat"].notna()]
    repeat = (known["first_or_repeat"] == "重件").mean() * 100
    assert found["重复信访率"].value == pytest.approx(repeat)
    assert found["重复信访率"].n == len(known)

    matters = pd.read_parquet(slice_ / "matters.parquet")
    own = matters[(matters["system"] == "信访") & (matters["locality_code"] == COUNTY)]
    concluded = pd.to_datetime(own["concluded_at"], errors="coerce").dt.strftime("%Y-%m") == "2024-03"
    resolved = own.loc[concluded, "resolved_at"].notna().mean() * 100
    assert found["化解率"].value == pytest.approx(
        resolved, abs=0.6
    )  # rows with impossible dates are the library's to judge


def test_a_year_on_year_change_again_from_the_rows(monthly, petitions, slice_):
    frame = pd.read_parquet(slice_ / "petitions.parquet")
    when = pd.to_datetime(frame["registered_at"], errors="coerce").dt.strftime("%Y-%m")
    base = int(((frame["system"] == "信访") & (frame["locality_code"] == COUNTY) & (when == "2023-03")).sum())
    assert monthly.results["信访件数·同比"].value == pytest.approx(100 * (len(petitions) / base - 1))


def test_the_plan_of_the_brief(monthly):
    chapters = [heading.spans[0].text for heading in monthly.document.headings if heading.level == 1]
    assert chapters == [
        "摘要", "政策文本动态", "信访总量与结构", "预防", "受理", "办理", "监督追责", "维护秩序", "县区比较", "政策效果",
        "数字核对", "存在问题", "数据质量与方法", "附录", "数字出处",
    ]  # fmt: skip


def test_every_link_has_its_target(monthly):
    assert monthly.document.warnings == ()
    targets = {anchor for table in monthly.document.tables for anchor in table.anchors}
    linked = {result.definition for result in monthly.results.values() if result.definition}
    assert {f"d-{definition}" for definition in linked} <= targets


def test_on_time_never_stands_without_resolution(monthly):
    (said,) = [
        part["text"]
        for part in monthly.finding
        if part["text"].startswith("按期办结率") and "95%" in part["text"]
    ]
    assert "化解率" in said
    (rated,) = [part for part in monthly.finding if "对信访部门满意" in part["text"]]
    assert "参评率" in rated["text"]


def test_small_counts_of_petitioners_do_not_show(monthly):
    shown = tables(monthly)
    for name in ("channels", "topics", "first-or-repeat"):
        figures = shown[name]["近十二个月" if name == "topics" else "本期"]
        counts = figures.dropna()
        assert not counts.between(1, 4).any(), name
        hidden = figures.isna().sum()
        assert hidden != 1, f"{name}: one hidden cell is the total less the others"
    order = shown["order"]
    assert not order["本期"].dropna().between(1, 4).any()
    changes = order.loc[order["本期"].isna(), ["同比", "环比"]]
    assert changes.isna().all().all()


def test_places_stand_in_order_of_their_codes(monthly):
    names = [region.name for region in regions.load().children("990100")]
    assert list(tables(monthly)["places"]["地区"]) == names


def test_volume_is_never_compared(monthly):
    compared = {part["name"] for part in monthly.chart if part["name"].startswith("compare-")}
    ids = {name.removeprefix("compare-") for name in compared}
    assert ids <= set(comparison.COMPARED)
    assert all(registry.indicator(id).rankable for id in comparison.COMPARED)


def test_charts_say_what_they_show(monthly):
    for part in monthly.chart:
        assert len(part["alt"]) > 20
        assert not part["alt"].isascii()


def test_the_yearly_report_follows_article_41(slice_):
    display.use()
    scope = open_scope(str(slice_), "2023", "990100")
    for chapter in (annual.statistics, annual.transfers, annual.recommendations):
        chapter(scope)
    made = shown()
    chapters = [heading.spans[0].text for heading in made.document.headings if heading.level == 1]
    assert chapters[:3] == [
        "信访事项的数据情况、涉及领域与被反映较多的部门", "转送、交办、督办情况", "三项建议及其采纳情况",
    ]  # fmt: skip
    matters = pd.read_parquet(slice_ / "matters.parquet")
    registered = pd.to_datetime(matters["registered_at"], errors="coerce").dt.year == 2023
    own = matters[registered & (matters["system"] == "信访") & matters["locality_code"].str.startswith(CITY)]
    bodies = tables(made)["bodies"].set_index("责任单位")["信访事项数"]
    counts = own["responsible_body"].value_counts()
    assert bodies.iloc[0] == counts.iloc[0]
    assert bodies.to_dict() == {body: counts[body] for body in bodies.index}


# --- scope -----------------------------------------------------------------------------------------------------------


def test_unknown_period_and_region_are_refused(slice_):
    with pytest.raises(RequestError, match="报告期"):
        open_scope(str(slice_), "2024-13", COUNTY)
    with pytest.raises(RequestError, match="行政区划"):
        open_scope(str(slice_), "2024-03", "123456")


def fake(rows: list[dict[str, Any]], audience: str | None = None) -> Scope:
    """A scope whose indicator table is written by hand."""
    made = Scope(
        SimpleNamespace(metadata={}, extent=(dt.date(2023, 1, 1), None), last_moment=None),  # type: ignore[arg-type]
        Period.parse("2024-03"),
        regions.load().get(COUNTY),
        audience=audience,
    )
    blank = {
        "part_of": None, "view": "本期", "unit": "率", "low": 0.5, "high": 0.7, "note": None, "denominator": 100.0,
        "numerator": 60.0, "n": 100.0, "value": 0.6,
    }  # fmt: skip
    frame = pd.DataFrame([{**blank, **row} for row in rows])
    frame["definition"] = frame["indicator"] + "." + frame["variant"] + "@1"
    made.__dict__["table"] = frame
    if audience is not None:
        made.__dict__["release"] = by_size(audience)
    return made


def by_size(audience: str) -> Release:
    """Decisions about figures that came without margins: each by its own size."""
    made = Release.__new__(Release)
    made.__dict__ |= {
        "profile": Profile.named(audience), "_book": codebooks.load("disclosure"), "_tables": {}, "_below": {},
        "_margins": SimpleNamespace(has=lambda _: False, terms=lambda _: []),
    }  # fmt: skip
    return made


@pytest.fixture
def _fresh():
    display.use()


RATE = {"indicator": "resolved", "variant": "headline"}


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize(
    ("base", "value", "phrase", "grade"),
    [
        ({"numerator": 20.0}, 40.0, "同比上升40.00个百分点", "超出抽样波动"),
        ({"numerator": 62.0}, -2.0, "同比下降2.00个百分点", "与基期无法区分"),
        ({"numerator": 60.0}, 0.0, "同比持平", "与基期无法区分"),
        ({"numerator": 12.0, "denominator": 20.0}, 0.5, "同比上升0.50个百分点", "受小样本影响"),
        ({}, None, "同比无基期数据", None),
    ],
)
def test_words_of_change(base, value, phrase, grade):
    scope = fake(
        [
            {**RATE, "low": 0.5, "high": 0.7},
            {**RATE, "view": "同比", "unit": "百分点", "value": value, **base},
        ]
    )
    said, _, found = words.change(scope, "resolved", "同比")
    assert display.finding(said) == phrase
    assert found == grade


@pytest.mark.usefixtures("_fresh")
def test_a_change_is_hidden_when_either_end_is_small():
    small = {**RATE, "numerator": 3.0, "value": 0.03}
    change = {**RATE, "view": "同比", "unit": "百分点", "value": 10.0, "numerator": 50.0}
    assert words.change(fake([small, change], "strict_suppress"), "resolved", "同比")[0] == "同比数字小，不示"
    display.use()
    assert words.change(fake([small, change]), "resolved", "同比")[1] is not None


def test_a_clock_shows_how_an_office_kept_its_time():
    rows = [
        {"indicator": "on_time", "variant": "due", "numerator": 98.0},
        {"indicator": "on_time", "variant": "due", "numerator": 3.0, "denominator": 3.0},
        {"indicator": "resolved", "variant": "headline", "numerator": 98.0},
        {"indicator": "supervised", "variant": "headline", "numerator": 2.0, "denominator": None},
        {"indicator": "over_level", "variant": "headline", "numerator": 2.0, "denominator": None},
    ]
    scope = fake(rows, "strict_suppress")
    assert list(scope.gated(scope.table)["shown"]) == [True, False, False, True, False]
    assert fake(rows).gated(scope.table)["shown"].all()


@pytest.mark.usefixtures("_fresh")
def test_a_note_gives_changes_in_the_unit_they_have(monkeypatch):
    """Days and months are subtracted, shares too (in points); only counts change by per cent."""
    monkeypatch.setattr(grid.integrity, "beside", lambda _: {})
    days = {"indicator": "time_to_reply", "variant": "headline", "unit": "天"}
    stock = {"indicator": "open_stock", "variant": "headline", "unit": "项"}
    for rows, note in (
        ([RATE], "同比、环比：率为百分点之差；"),
        ([stock], "同比、环比：增减百分比；"),
        ([RATE, days], "同比、环比：率为百分点之差，天数为本期减基期之差；"),
        ([RATE, days, stock], "同比、环比：率为百分点之差，天数为本期减基期之差，其余为增减百分比；"),
    ):
        grid.show(fake(rows), only=[row["indicator"] for row in rows], name=f"t-{len(note)}", caption="表")
        assert display.recorded("table")[-1]["note"].startswith(note)


@pytest.mark.usefixtures("_fresh")
def test_why_a_row_is_empty_comes_before_how_far_it_reaches(monkeypatch):
    monkeypatch.setattr(grid.integrity, "beside", lambda _: {})
    small = {**RATE, "numerator": 2.0, "denominator": 9.0, "note": "受小样本影响"}
    none = {**RATE, "numerator": 0.0, "denominator": 0.0, "value": float("nan")}
    for row, audience, remark in (
        (small, None, "受小样本影响"),
        (small, "strict_suppress", "数字小，不示"),
        (none, None, "期内没有应计的"),
        ({**none, "note": "无数据来源"}, None, "无数据来源"),
    ):
        assert list(grid.rows(fake([row], audience), ["resolved"])["说明"]) == [remark]


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize(("issued", "grade"), [(3.0, "受小样本影响"), (300.0, None)])
def test_a_share_of_three_is_no_plain_share(issued, grade):
    scope = fake(
        [
            {"indicator": "recommendations", "variant": "headline", "unit": "件", "value": issued},
            {"indicator": "recommendations_adopted", "variant": "headline", "denominator": issued},
        ]
    )
    summary.supervision(scope)
    (found,) = display.recorded("finding")
    assert "采纳率" in found["text"]
    assert found["grade"] == grade


@pytest.mark.usefixtures("_fresh")
def test_what_piles_up_from_the_start_of_the_data_is_no_signal_of_its_own(monkeypatch):
    """Old matters can only grow in number where the source begins with the first month: said, and not called a concern."""
    rows = [
        {"indicator": id, "variant": "headline", "unit": "项", "value": 40.0}
        for id in ("long_unresolved", "overdue_open")
    ]
    scope = fake(rows)
    signal = {"type": "concern", "rule": "outside", "rule_name": "超出上控制限"}
    wanted = {"long_unresolved", "overdue_open"}
    monkeypatch.setattr(closing, "judged", lambda _, id: signal if id in wanted else None)
    closing.problems(scope)
    said = {part["text"]: part["grade"] for part in display.recorded("finding")}
    (old,) = [text for text in said if text.startswith("积案")]
    assert "2023年1月" in old
    assert "方向不利" not in old
    assert said[old] == "受数据起点影响"
    assert (
        len([text for text in said if "超期未办结" in text]) == 1
    )  # the signal and the count are one finding


def test_units_print_as_they_should():
    assert scaled(0.8962, "率") == pytest.approx(89.62)
    assert scaled(12.0, "件") == 12
    assert isinstance(scaled(12.0, "件"), int)
    assert scaled(float("nan"), "率") is None
    assert scaled(pd.NA, "率") is None
    assert (unit_text("率"), unit_text("百分点"), unit_text("比"), unit_text("天")) == (
        "%",
        "个百分点",
        "",
        "天",
    )
    assert (decimals("率"), decimals("件"), decimals("天")) == (2, 0, 1)


@pytest.mark.usefixtures("_fresh")
def test_nothing_registered_is_said_and_not_guessed():
    scope = fake([{"indicator": "pieces", "variant": "headline", "value": None, "unit": "件"}])
    summary.chapter(scope)
    assert display.recorded("finding") == []
    assert "没有登记" in display.recorded("note")[0]["text"]


def test_parts_with_small_months_are_added_to_the_rest():
    months = [f"2024-{month:02d}" for month in range(1, 5)]
    rows = [
        {
            "indicator": "pieces",
            "variant": "channel",
            "part_of": part,
            "period": month,
            "value": value,
            "unit": "件",
        }
        for part, values in {"来信": [10, 12, 11, 9], "来访": [2, 8, 7, 9], "电话": [5, 3, 6, 7]}.items()
        for month, value in zip(months, values, strict=True)
    ]
    totals = [17, 23, 24, 25]
    rows += [
        {
            "indicator": "pieces",
            "variant": "headline",
            "part_of": None,
            "period": month,
            "value": total,
            "unit": "件",
        }
        for month, total in zip(months, totals, strict=True)
    ]
    scope = fake([RATE], "strict_suppress")
    scope.__dict__["months"] = pd.DataFrame(rows).assign(
        numerator=lambda frame: frame["value"], denominator=float("nan"), n=lambda frame: frame["value"]
    )
    wide = volume.history_of_parts(scope, "pieces", "channel")
    assert list(wide.columns) == ["月份", "来信", "其他"]
    assert list(wide["其他"]) == [7, 11, 13, 16]


def test_a_history_needs_three_months_and_ends_with_the_brief():
    scope = fake([RATE])
    frame = pd.DataFrame(
        {
            **RATE, "part_of": None, "period": ["2024-01", "2024-02", "2024-03"], "value": [0.6, 0.61, 0.9],
            "numerator": [60.0, 61.0, 90.0], "denominator": 100.0, "n": 100.0,
        }
    )  # fmt: skip
    scope.__dict__["months"] = frame
    assert history.judged(scope, "resolved")["points"] == 3
    scope.__dict__["months"] = frame.head(2)
    assert history.judged(scope, "resolved") is None


# --- the closing chapters --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_fresh")
def test_advice_is_the_persons_own_text(tmp_path):
    closing.advice(None)
    closing.advice(str(tmp_path / "none.md"))
    assert display.recorded() == []
    file = tmp_path / "advice.md"
    file.write_text("# 下步建议\n\n<!-- 说明 -->\n\n1. 核对{期限}。\n2. 督办。\n", encoding="utf-8")
    closing.advice(str(file))
    (bundle,) = display.recorded()
    assert bundle["text/markdown"] == "## 下步建议\n\n1. 核对{期限}。\n2. 督办。"


@pytest.mark.usefixtures("_fresh")
def test_changes_and_revisions_against_the_last_brief(tmp_path):
    scope = fake([RATE, {**RATE, "view": "环比", "unit": "百分点", "value": 1.0, "numerator": 50.0}])
    closing.changes(scope, None)
    assert display.recorded() == []
    scope.result("resolved")
    last = {
        "name": "化解率",
        "value": 40.0,
        "text": "40.00%",
        "unit": "%",
        "low": 30.0,
        "high": 45.0,
        "n": 100,
        "digits": None,
    }
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"results": [last]}), encoding="utf-8")
    closing.changes(scope, str(file))
    shown = {part["name"]: part["rows"] for part in display.recorded("table")}
    assert shown["changes"][0][:4] == ["化解率", "40.00%", "60.00%", 20.0]
    assert shown["revisions"] == [["化解率", 40.0, 50.0, 10.0, "%"]]
