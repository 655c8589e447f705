"""Sheets: blind, reproducible, read back as filled, refused by row when odd; people's codes override and are counted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import InputError, MethodError, RequestError
from analysis.text.agreement import agree
from analysis.text.coding import Codebook, code
from analysis.text.sheets import as_coder, draw, override, read, write

BOOK = Codebook.parse(
    {
        "version": "1",
        "source": "test",
        "frame": "toy",
        "codes": [{"code": "受理", "rules": ["登记"]}, {"code": "办理", "rules": ["调解"]}],
    }
)
BODY = "当场登记。天气晴。上门调解。午后有雨。登记后调解。"


@pytest.fixture
def coded(frames):
    documents, sentences = frames(BODY, "另一篇。")
    return documents, sentences, code(documents, sentences, BOOK)


def test_a_sheet_is_blind_and_repeats(coded) -> None:
    _, sentences, codes = coded
    sheet = draw(sentences, BOOK, n=4, seed=1, codes=codes)
    assert sheet.columns.tolist() == ["编号", "上一句", "句子", "下一句", "受理", "办理"]
    assert (sheet[["受理", "办理"]] == "").all(axis=None)
    assert len(sheet) == sheet["编号"].nunique() == 4
    pd.testing.assert_frame_equal(sheet, draw(sentences, BOOK, n=4, seed=1, codes=codes))


def test_neighbours_are_of_the_same_document(coded) -> None:
    _, sentences, _ = coded
    sheet = draw(sentences, BOOK, n=100).set_index("编号")
    assert len(sheet) == 6
    assert sheet.loc["d0:0", ["上一句", "下一句"]].tolist() == ["", "天气晴。"]
    assert sheet.loc["d0:4", "下一句"] == ""
    assert sheet.loc["d1:0", "上一句"] == ""


def test_rare_codes_come_on_a_stratified_sheet(frames) -> None:
    documents, sentences = frames("闲话。" * 200 + "上门调解。")
    sheet = draw(sentences, BOOK, n=4, codes=code(documents, sentences, BOOK))
    assert "d0:200" in set(sheet["编号"])


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_there_and_back(coded, tmp_path: Path, ending: str) -> None:
    _, sentences, _ = coded
    sheet = draw(sentences, BOOK, n=6)
    sheet.loc[sheet["编号"] == "d0:4", ["受理", "办理"]] = ["1", "是"]
    sheet.loc[sheet["编号"] == "d0:1", "办理"] = "0"
    found = read(write(sheet, tmp_path / f"甲{ending}"), BOOK)
    assert set(found["coder"]) == {"甲"}
    assert found.set_index("unit")["labels"].to_dict() == {
        **{f"d0:{n}": [] for n in range(4)}, "d1:0": [], "d0:4": ["受理", "办理"],
    }  # fmt: skip


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_no_sentence_becomes_a_formula(frames, tmp_path: Path, ending: str) -> None:
    _, sentences = frames("=1+1件来访。+86开头的来电。-3℃仍有来访。'引号'开头。来访登记。")
    file = write(draw(sentences, BOOK, n=5), tmp_path / f"甲{ending}")
    assert set(read(file, BOOK)["text"]) == set(sentences["text"])
    if ending == ".csv":
        saved = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        for cell in saved[["上一句", "句子", "下一句"]].to_numpy().ravel():
            assert not cell.startswith(("=", "+", "-", "@"))
        assert "'=1+1件来访。" in set(saved["句子"])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda s: s.drop(columns="办理"), "办理"),
        (lambda s: s.assign(受理=["大概", *[""] * 5]), "大概"),
        (lambda s: s.assign(编号="d0:1"), "重复"),
        (lambda s: s.assign(编号=[f"x{n}" for n in range(6)]), "编号"),
    ],
    ids=["column gone", "odd mark", "twice", "no unit"],
)
def test_odd_sheets_are_refused(coded, tmp_path: Path, spoil, said: str) -> None:
    _, sentences, _ = coded
    file = write(spoil(draw(sentences, BOOK, n=6)), tmp_path / "a.csv")
    with pytest.raises(InputError, match=said):
        read(file, BOOK)


def test_no_sheet(tmp_path: Path, coded) -> None:
    _, sentences, _ = coded
    with pytest.raises(InputError, match="找不到"):
        read(tmp_path / "none.csv", BOOK)
    with pytest.raises(InputError, match="xlsx"):
        write(draw(sentences, BOOK), tmp_path / "a.ods")
    with pytest.raises(MethodError, match="没有可抽的句子"):
        draw(sentences.iloc[:0], BOOK)
    with pytest.raises(RequestError, match="至少要抽一句"):
        draw(sentences, BOOK, n=0)


def test_a_sheet_saved_by_a_chinese_spreadsheet(coded, tmp_path: Path) -> None:
    _, sentences, _ = coded
    file = write(draw(sentences, BOOK, n=6), tmp_path / "new folder" / "a.csv")
    saved = tmp_path / "gbk.csv"
    saved.write_bytes(file.read_text(encoding="utf-8-sig").encode("gb18030"))
    pd.testing.assert_frame_equal(read(saved, BOOK, "甲"), read(file, BOOK, "甲"))


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b""), ("a.xlsx", "编号,句子\n".encode()), ("b.csv", b"\xff\xfe\x00")]
)
def test_files_that_are_no_sheets(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="读不出来|缺少列"):
        read(tmp_path / name, BOOK)


def human(**labels: list[str]) -> pd.DataFrame:
    rows = [("d0:" + unit[1:], "d0", int(unit[1:]), "句", "甲", given) for unit, given in labels.items()]
    return pd.DataFrame(rows, columns=["unit", "doc_id", "sentence", "text", "coder", "labels"])


def test_people_override_and_are_counted(coded) -> None:
    _, sentences, codes = coded
    result = override(codes, human(s0=["办理"], s4=["受理", "办理"], s1=[]), sentences)
    assert result.attrs["overrides"] == {
        "sentences": 3, "confirmed": 2, "removed": 1, "added": 1, "share_confirmed": 2 / 3,
    }  # fmt: skip
    by = {(row.sentence, row.code): row.coder for row in result.itertuples()}
    assert by == {(2, "办理"): "rule", (4, "受理"): "甲", (4, "办理"): "甲", (0, "办理"): "甲"}
    added = result[result["sentence"] == 0].iloc[0]
    assert BODY[added["start"] : added["end"]] == "当场登记。"
    assert result.attrs["codebook"] == "toy"


def test_the_majority_of_coders_stands(coded) -> None:
    _, sentences, codes = coded
    votes = pd.concat(
        [human(s0=["受理"]), human(s0=["受理"]).assign(coder="乙"), human(s0=[]).assign(coder="丙")]
    )
    assert override(codes, votes, sentences).attrs["overrides"]["confirmed"] == 1
    split = pd.concat([human(s0=["受理"]), human(s0=[]).assign(coder="乙")])
    assert override(codes, split, sentences).attrs["overrides"]["removed"] == 1


def test_nobody_saw_a_code(coded) -> None:
    _, sentences, codes = coded
    assert override(codes, human(s1=[]), sentences).attrs["overrides"]["share_confirmed"] is None


def test_codes_of_another_corpus_are_refused(coded) -> None:
    _, sentences, codes = coded
    with pytest.raises(InputError, match="不在语料中"):
        override(codes, human(s99=["受理"]), sentences)


def test_rules_as_one_of_the_coders(coded) -> None:
    _, sentences, codes = coded
    rules = as_coder(codes, sentences)
    assert rules["labels"].tolist() == [["受理"], [], ["办理"], [], ["受理", "办理"], []]
    table = agree(pd.concat([rules, rules.assign(coder="甲")]), replicates=20)
    assert set(table["value"]) == {1.0}


def test_a_sheet_can_be_filled_in_as_it_opens(coded, tmp_path: Path) -> None:
    import openpyxl

    _, sentences, _ = coded
    sheet = draw(sentences, BOOK, n=6)
    sheet.loc[0, "句子"] = "=" + "长" * 80
    page = openpyxl.load_workbook(write(sheet, tmp_path / "甲.xlsx")).active
    head = {cell.value: cell.column_letter for cell in page[1]}
    cell = page[f"{head['句子']}2"]
    assert (cell.data_type, cell.value, cell.alignment.wrap_text) == ("s", "=" + "长" * 80, True)
    assert page.column_dimensions[head["句子"]].width == 40
    assert page.row_dimensions[2].height >= 5 * 15
    assert page.freeze_panes == "A2"
