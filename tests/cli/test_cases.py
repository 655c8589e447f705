import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

POLICY_BRIEF = Path(sys.executable).with_name("policy-brief")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(POLICY_BRIEF), "cases", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def hotline(shared: Path, root: Path) -> tuple[object, ...]:
    file = shared / "reference_data" / "cases" / "boston311_2015_cases.parquet"
    return (file, "--mapping", root / "data" / "mappings" / "boston311.yml")


def test_four_states_and_shares_of_the_open_hotline(hotline: tuple[object, ...]) -> None:
    done = run("indicators", *hotline, "--as-of", "2016-01-12T22:22:40", "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["as_of"] == "2016-01-12T22:22:40"
    assert result["status"] == {"closed_in": 60054, "closed_late": 19154, "open_in": 3502, "open_late": 11444}
    shares = {name: round(value, 5) for name, value in result["on_time"].items()}
    assert (shares["on_time_closed"], shares["on_time_all"], shares["on_time_moj"]) == (
        0.75818,
        0.66247,
        0.67502,
    )
    assert round(shares["on_time_due"], 3) == 0.632
    assert result["flagged"]["closed_before_open"] == 197


def test_check_counts_of_the_open_hotline(hotline: tuple[object, ...], tmp_path: Path) -> None:
    done = run("check", *hotline, "--format", "json", "--out", tmp_path / "rejects.csv")
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    wanted = {
        "closed_before_open": 197,
        "neighborhood_missing": 10955,
        "open_with_close": 0,
        "closed_without_date": 0,
        "flag_disagreement": 1,
    }
    assert wanted.items() <= counts.items()
    lines = list(csv.DictReader(io.StringIO((tmp_path / "rejects.csv").read_text("utf-8-sig"))))
    assert len(lines) == sum(counts.values())


def test_a_month_of_a_county_as_csv_and_excel(sample: Path, tmp_path: Path) -> None:
    done = run(
        "indicators", sample / "cases", "--period", "2024-03", "--region", "990102", "--indicator", "on_time",
        "--indicator", "pieces", "--format", "csv", "--out", tmp_path / "附表.xlsx",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["region_code"] for row in rows} == {"990102"}
    assert {row["view"] for row in rows} == {"本期", "本年累计", "同比", "环比"}
    sheet = openpyxl.load_workbook(tmp_path / "附表.xlsx").active
    assert sheet.max_row >= len(rows) + 1
    assert "模拟数据" in str(sheet.cell(sheet.max_row, 1).value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("indicators", "nothing.parquet"), "找不到案件数据"),
        (("check", "{sample}", "--format", "yaml"), "输出格式"),
        (("indicators", "{sample}", "--period", "2024-99"), "报告期"),
        (("indicators", "{sample}", "--region", "1"), "地区"),
        (("indicators", "{sample}", "--mapping", "none.yml"), "映射文件"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_exit_2(
    sample: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run(*(argument.replace("{sample}", str(sample / "cases")) for argument in arguments))
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
