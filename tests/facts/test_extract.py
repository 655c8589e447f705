"""The grammar on made-up sentences, and the real files beside their gold where those are at hand."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import corpus, facts
from analysis.facts.extract import extract_text

CASES = yaml.safe_load((Path(__file__).parent / "sentences.yml").read_text(encoding="utf-8"))
FIELDS = ("kind", "direction", "base", "period", "subject", "target", "note", "share_of")


def _compare(found, wanted):
    assert found.quantity.value == pytest.approx(wanted["value"])
    assert found.quantity.unit == wanted["unit"]
    assert wanted.get("indicator", "") in found.indicator
    if "approx" in wanted:
        assert found.quantity.approx == wanted["approx"]
    for name in FIELDS:
        if name in wanted or name in ("direction", "base"):
            assert getattr(found, name) == wanted.get(name), name
    for name in ("period_start", "period_end"):
        if name in wanted:
            assert getattr(found, name) == wanted[name]


@pytest.mark.parametrize("case", CASES, ids=[c["text"][:12] for c in CASES])
def test_sentence(case):
    found = extract_text(case["text"]).statistics
    read = [(s.indicator, s.quantity.value, s.quantity.unit) for s in found]
    assert len(found) == len(case["records"]), read
    for statistic, wanted in zip(found, case["records"], strict=True):
        _compare(statistic, wanted)


def _documents(*bodies, **columns):
    return pd.DataFrame(
        [
            {"doc_id": f"d{i}", "source": f"{i:03d}.txt", "body": body, **columns}
            for i, body in enumerate(bodies)
        ]
    )


def test_spans_are_the_body():
    body = "一、总体\n5月份，全市受理 诉求１，２００件，环比增长5%。\n其中投诉类300 件。"
    table = facts.extract(_documents(body, title="2024年5月通报"))
    assert list(table["value"]) == [1200, 5, 300]
    for row in table.to_dict("records"):
        assert body[row["start"] : row["end"]] == row["text"]
        assert row["start"] <= row["number_start"] < row["number_end"] <= row["end"]
    assert set(table["period_start"]) == {dt.date(2024, 5, 1)}


def test_targets_follow_their_section():
    body = "一、上年工作回顾\n化解积案120件。\n二、下一步工作打算\n（一）抓化解\n化解积案150件。\n三、数据说明\n涉及部门12个。"
    table = facts.extract(_documents(body))
    assert dict(zip(table["value"], table["target"], strict=True)) == {120: False, 150: True, 12: False}


def test_day_first_dates_and_the_month_before_a_named_one():
    body = "01.03.2019  10:20\n一季度办理援助案件120件。"
    table = facts.extract(_documents(body))
    assert (table["period_start"][0], table["period_end"][0]) == (dt.date(2019, 1, 1), dt.date(2019, 3, 31))
    body = "4月份受理信访件30件，较上月的25件增加5件。"
    table = facts.extract(_documents(body, title="2022年上半年信访情况")).set_index("value")
    assert table["period_start"][30] == dt.date(2022, 4, 1)
    assert (table["period_start"][25], table["period_end"][25]) == (dt.date(2022, 3, 1), dt.date(2022, 3, 31))


def test_results_under_a_heading_of_plans():
    body = "一、重点工作\n1—3月，累计受理诉求183件，其中办结75件。\n化解积案40件。"
    table = facts.extract(_documents(body))
    assert dict(zip(table["value"], table["target"], strict=True)) == {183: False, 75: False, 40: True}


def test_no_year_is_guessed():
    table = facts.extract(_documents("11月份，受理诉求500件。"))
    assert table["period"].tolist() == ["11月份"]
    assert table["period_start"].isna().all()


def test_periods_against_publication():
    body = "今年以来受理300件。前三季度办结200件。去年同期为180件。自去年12月起接访40批。第28周来电900个。"
    table = facts.extract(_documents(body, published="2024-10-15")).set_index("value")
    start, end = table["period_start"], table["period_end"]
    assert (start[300], end[300]) == (dt.date(2024, 1, 1), dt.date(2024, 10, 15))
    assert (start[200], end[200]) == (dt.date(2024, 1, 1), dt.date(2024, 9, 30))
    assert (start[40], end[40]) == (dt.date(2023, 12, 1), dt.date(2024, 10, 15))
    assert (start[900], end[900]) == (dt.date(2024, 7, 8), dt.date(2024, 7, 14))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("受理1.2.3件", "小数点"),
        ("受理10^30件", "乘方"),
        ("百分之", "百分之"),
        ("9" * 500, "过长"),
        ("共12345678901234567890件", "过长"),
    ],
)
def test_malformed_digits_are_refused_with_a_reason(text, reason):
    reading = facts.read(_documents(text))
    assert reading.statistics.empty
    assert reason in reading.rejects["message"].iloc[0]
    assert reading.rejects["row"].tolist() == [1]


@pytest.mark.parametrize(
    "text", ["", "（（（（", "”“”“3件", "》《共5件》", "\n\n", "占", "分别", "同比", "由3%", "3件" * 3000]
)
def test_odd_input_does_not_crash(text):
    extract_text(text)


@settings(max_examples=60, deadline=None)
@given(
    st.text(
        alphabet="受理件批人次同比增长下降占分别为由至其中一二十百千万0123456789.,、，。；（）“”%-年月日 \n",
        max_size=120,
    )
)
def test_any_text_keeps_its_offsets(body):
    result = extract_text(body)
    for statistic in result.statistics:
        start, end = result.view.span(statistic.start, statistic.end)
        assert 0 <= start <= end <= len(body)
        assert statistic.quantity.value == statistic.quantity.value
    for statistic in result.statistics:
        assert statistic.part_of is None or 0 <= statistic.part_of < len(result.statistics)


@pytest.mark.parametrize("folder", ["seeds", "bulletins/text"])
def test_real_files_against_their_gold(shared, tmp_path, folder):
    read = corpus.read(shared / folder)
    table = facts.extract(read.documents, read.sentences, read.tables)
    out = tmp_path / "out.jsonl"
    columns = [
        "source",
        "text",
        "indicator",
        "value",
        "unit",
        "kind",
        "direction",
        "base",
        "approx",
        "target",
        "table",
    ]
    rows = [
        {k: (None if pd.isna(v) else v) for k, v in row.items()} for row in table[columns].to_dict("records")
    ]
    out.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    command = [sys.executable, str(shared / "tools" / "score.py"), "statistics", str(out)]
    if folder != "seeds":
        command += ["--gold", str(shared / "bulletins")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = said.replace(":", " ").split()
    scores = {
        name: float(words[words.index(name) + 1])
        for name in ("precision", "recall", "indicator", "kind", "direction", "base")
    }
    assert min(scores["precision"], scores["recall"]) >= 0.95, said
    assert scores["indicator"] >= 0.90, said
    assert min(scores["kind"], scores["direction"], scores["base"]) >= 0.95, said


def test_periods_of_the_bulletins(shared):
    read = corpus.read(shared / "bulletins" / "text")
    table = facts.extract(read.documents, read.sentences, read.tables)
    known = [
        json.loads(line)
        for line in (shared / "bulletins" / "index.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for entry in known:
        part = table[table["source"].str.startswith(entry["source"]) & table["period_end"].notna()]
        if part.empty:
            continue  # the text names no year
        ranges = {(str(a), str(b)) for a, b in zip(part["period_start"], part["period_end"], strict=True)}
        if entry["period_start"]:
            assert (entry["period_start"], entry["period_end"]) in ranges, entry["source"]
