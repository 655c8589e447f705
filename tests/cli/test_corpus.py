"""``policy-brief corpus`` as a user runs it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from analysis.cli.app import app

TEXT = "江山市会议召开\n\n1月16日，江山市会议召开，全市参加。会议指出，要抓好源头治理，件件有着落。\n"


@pytest.fixture
def folder(tmp_path):
    src = tmp_path / "src"
    src.mkdir()
    (src / "a.txt").write_text(TEXT, encoding="utf-8")
    (src / "empty.txt").write_text("")
    return src


def run(*arguments: object):
    return CliRunner().invoke(app, ["corpus", *map(str, arguments)])


def test_build_show_export(folder, tmp_path):
    out = tmp_path / "out"
    built = run("build", folder, "--out", out)
    assert built.exit_code == 0
    assert built.stdout.strip() == str(out)
    assert "[2/2]" in built.stderr
    shown = run("show", out)
    assert shown.exit_code == 0
    assert "江山市" in shown.stdout
    assert "空文件" in shown.stdout
    exported = run("export", out, "--format", "jsonl")
    (line,) = exported.stdout.splitlines()
    assert json.loads(line)["title"] == "江山市会议召开"
    assert "empty.txt" in exported.stderr


def test_show_and_export_read_a_folder_that_is_no_store(folder):
    assert "江山市" in run("show", folder).stdout
    assert run("export", folder, "--format", "csv").stdout.startswith("doc_id,source,")


@pytest.mark.parametrize("arguments", [("export", "/none"), ("build", "/none", "--out", "/none2")])
def test_a_missing_source_is_a_wrong_request(arguments):
    result = run(*arguments)
    assert result.exit_code != 0
    assert "找不到语料" in str(result.exception)
