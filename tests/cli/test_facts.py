"""The three verbs on files of one's own."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from analysis.cli.facts import app

BODY = (
    "2024年5月，全市12345热线共受理诉求1000件，环比增长25%。其中，咨询类600件，占60%；求助类300件，占30%；其他类120件，占10%。\n"
    * 1
)


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "一期.txt"
    file.write_text(
        "某市12345热线2024年5月运行通报\n" + BODY + "本月召开调度会3次，推送工单1.2.3件。\n", encoding="utf-8"
    )
    return file


def _run(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result


def test_extract(source):
    result = _run("extract", source)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    first = rows[0]
    assert (first["value"], first["unit"], first["period_start"], first["period_end"]) == (
        1000,
        "件",
        "2024-05-01",
        "2024-05-31",
    )
    assert "小数点" in result.stderr
    text = source.read_text(encoding="utf-8")
    for row in rows:
        assert text[row["source_start"] : row["source_end"]].replace(" ", "") == row["text"]


def test_audit_cites_places_in_the_source(source):
    result = _run("audit", source)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    wrong = [row for row in rows if not row["holds"] and row["type"] == "sum" and row["total"] == 1000]
    assert wrong
    assert "1020件" in wrong[0]["message"]
    span = wrong[0]["spans"][0]
    assert source.read_text(encoding="utf-8")[span["source_start"] : span["source_end"]] == span["text"]
    assert "不符" in result.stderr


def test_series_as_csv(source):
    result = _run("series", source, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {"首期"} == {row["status"] for row in rows}
    assert any(row["indicator"] == "受理量" and float(row["value"]) == 1000 for row in rows)
