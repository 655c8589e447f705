"""``policy-brief text cite|commitments|reuse``: one record a line, each with its place in the file as received."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.cli.app import app

PLAN = "二、工作安排\n2024年6月底前,由市信访局牵头建立预登记平台。依照《信访工作条例》第二十二条办理,各县区在十五日内登记并书面告知信访人。\n"
COUNTY = "二、工作安排\n依照《信访工作条例》第二十二条办理,各县区在十五日内登记并书面告知信访人。观看电影《清风》。\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("关于印发工作方案的通知\n" + PLAN, encoding="utf-8")
    (tmp_path / "b.txt").write_text("某县工作方案\n" + COUNTY, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> list[dict]:
    result = CliRunner().invoke(app, ["text", *arguments])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_cite_points_into_the_file(folder: Path) -> None:
    records = run("cite", str(folder))
    assert {record["source"] for record in records} == {"a.txt", "b.txt"}
    for record in records:
        text = (folder / record["source"]).read_text(encoding="utf-8")
        assert text[record["start"] : record["end"]] == "《信访工作条例》"
        assert record["article"] == "第二十二条"
    assert any(record["refused"] for record in run("cite", str(folder), "--refused"))


def test_commitments_have_who_and_when(folder: Path) -> None:
    record = next(record for record in run("commitments", str(folder)) if record["by_when"])
    assert (record["who"], record["by_date"], record["source"]) == ("市信访局", "2024-06-30", "a.txt")


def test_reuse_shows_both_places(folder: Path) -> None:
    (record,) = run("reuse", str(folder))
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in ("a.txt", "b.txt")}
    here = texts[record["source"]][record["start"] : record["end"]]
    there = texts[record["reused_from"]][record["reused_start"] : record["reused_end"]]
    # The reader turns the half-width comma between Chinese words into the full-width one; the file keeps its own.
    assert here == there == record["text"].replace("，", ",")
