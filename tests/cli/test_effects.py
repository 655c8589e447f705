"""The command ``policy-brief effects``: JSON on stdout, one sentence and exit status 2 on a wrong request."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analysis.cli import main

NAMES = ["--unit", "county", "--time", "month", "--outcome", "rate", "--first-treated", "start"]


@pytest.fixture
def panel(tmp_path):
    rng = np.random.default_rng(0)
    months = [f"2023-{month:02d}" for month in range(1, 13)]
    rows = [
        {"county": f"9901{unit:02d}", "month": month, "rate": 80 + rng.normal() + 6 * (unit < 4 and month >= "2023-07"),
         "start": "2023-07" if unit < 4 else ""}
        for unit in range(12)
        for month in months
    ]  # fmt: skip
    file = tmp_path / "panel.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def run(monkeypatch, capsys, *arguments):
    """Exit status, stdout and stderr of one call."""
    monkeypatch.setattr("sys.argv", ["policy-brief", "effects", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


def test_design(panel, monkeypatch, capsys):
    status, out, _ = run(monkeypatch, capsys, "design", panel, *NAMES, "--draws", 199, "--format", "json")
    made = json.loads(out)
    assert status == 0
    assert (made["units"], made["treated"], made["last_identified"]) == (12, 4, "2023-12")
    assert "只有 4 个单位" in made["refusals"][0]


def test_difference_in_differences(panel, monkeypatch, capsys):
    status, out, _ = run(monkeypatch, capsys, "estimate", panel, *NAMES, "--draws", 199, "--format", "json")
    made = json.loads(out)
    assert status == 0
    assert made["method"] == "did"
    assert made["overall"]["att"] == pytest.approx(6, abs=2)
    assert made["cohorts"][0]["p_randomisation"] <= 0.02


@pytest.mark.parametrize("method", ["its", "synthetic"])
def test_other_methods(method, panel, tmp_path, monkeypatch, capsys):
    rows = pd.read_csv(panel, dtype={"county": str})
    if method == "synthetic":
        rows = rows[(rows["county"] == "990100") | rows["start"].isna()]
    else:  # longer, so that a monthly season can be fitted
        rows = pd.concat(
            [rows.assign(month=rows["month"].str.replace("2023", str(year))) for year in (2021, 2022, 2023)]
        )
    file = tmp_path / "other.parquet"
    rows.to_parquet(file)
    status, out, _ = run(
        monkeypatch, capsys, "estimate", file, *NAMES, "--method", method, "--format", "json"
    )
    assert status == 0
    assert json.loads(out)["method"] == method


def test_text_for_people(panel, monkeypatch, capsys):
    status, out, _ = run(monkeypatch, capsys, "design", panel, *NAMES, "--draws", 199)
    assert status == 0
    assert "last_identified：2023-12" in out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["design", "absent.csv", *NAMES], "找不到面板文件"),
        (["estimate", "{panel}", *NAMES[:6], "--first-treated", "begin"], "缺少列：begin"),
        (["estimate", "{panel}", *NAMES, "--method", "ols"], "没有这种估计方法"),
        (["design", "{panel}", *NAMES, "--draws", "199", "--format", "xml"], "没有这种输出格式"),
        (["estimate", "{panel}", *NAMES, "--draws", "10"], "199"),
    ],
)
def test_a_wrong_request_is_one_sentence(arguments, word, panel, monkeypatch, capsys):
    filled = [str(panel) if argument == "{panel}" else argument for argument in arguments]
    status, out, err = run(monkeypatch, capsys, *filled)
    assert status == 2
    assert out == ""
    assert word in err
    assert len(err.strip().splitlines()) == 1


def test_an_unreadable_file(tmp_path, monkeypatch, capsys):
    file = tmp_path / "panel.txt"
    file.write_text("x", encoding="utf-8")
    status, _, err = run(monkeypatch, capsys, "design", file, *NAMES)
    assert status == 2
    assert "不认识的面板文件类型" in err
