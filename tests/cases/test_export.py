import csv
import datetime as dt
import io
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cases import export

TABLE = pd.DataFrame(
    {
        "地区": ["330102", "=HYPERLINK(1)", "+1", "@x", None],
        "值": [0.5, -3.25, 7, float("nan"), 1],
        "日期": [dt.date(2024, 3, 5), pd.Timestamp("2024-03-05 08:30"), None, pd.NaT, dt.date(2024, 1, 1)],
    }
)


def test_excel_holds_no_formula_and_keeps_codes_and_numbers(tmp_path: Path) -> None:
    file = export.to_excel({"指标/一": TABLE}, tmp_path / "附表.xlsx", notes={"指标/一": "模拟数据"})
    sheet = openpyxl.load_workbook(file).worksheets[0]
    assert sheet.title == "指标_一"
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not any(cell.data_type == "f" for cell in cells)
    assert sheet["A2"].value == "330102"
    assert sheet["A2"].data_type == "s"
    assert sheet["B3"].value == -3.25
    assert sheet["C3"].value == "2024-03-05 08:30:00"
    assert sheet["B5"].value is None
    assert sheet["A8"].value == "模拟数据"


def test_excel_is_fit_to_be_read_and_printed(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "编号": ["440113199001011234", "990102202403110042"],
            "比": [1 / 3, 0.0042],
            "件": [1234567, 8],
            "句": ["长" * 200, "短"],
            "文": ["", "x" * 300],
        }
    )
    sheet = openpyxl.load_workbook(export.to_excel({"表": table}, tmp_path / "a.xlsx")).active
    assert [cell.value for cell in sheet["A"]] == ["编号", *table["编号"]]  # a code is text: no 4.40E+17
    assert [cell.number_format for cell in sheet[2]][:4] == ["@", "#,##0.0000_)", "General", "@"]
    assert sheet["B2"].value == 1 / 3
    assert sheet["E3"].number_format == "General"  # more than 255 characters of format “text” show as ####
    widths = {letter: sheet.column_dimensions[letter].width for letter in "ABCD"}
    assert widths["A"] > 18
    assert widths["B"] < 12  # as wide as what is shown, not as all digits
    assert widths["D"] == 62
    assert sheet["D2"].alignment.wrap_text
    assert sheet.row_dimensions[2].height == 7 * 15  # 200 characters of two digits in lines of sixty
    assert sheet["B1"].alignment.horizontal == "right"
    assert sheet.freeze_panes == "A2"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage


def test_decimals_may_differ_by_row(tmp_path: Path) -> None:
    table = pd.DataFrame({"指标": ["率", "件"], "值": [89.5, 1200.0]})
    file = export.to_excel({"表": table}, tmp_path / "a.xlsx", decimals={"表": [[None, 2], [None, 0]]})
    sheet = openpyxl.load_workbook(file).active
    assert [cell.number_format for cell in sheet["B"]][1:] == ["#,##0.00_)", "#,##0_)"]


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (export.to_excel({"a": TABLE}, tmp_path / f"{k}.xlsx").read_bytes() for k in (1, 2))
    assert first == second


def test_csv_is_utf8_for_excel_and_harmless(tmp_path: Path) -> None:
    data = export.to_csv(TABLE, tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == ["330102", "'=HYPERLINK(1)", "'+1", "'@x", ""]
    assert rows[2][1] == "-3.25"  # a number may be negative


@pytest.mark.parametrize("cell", ["=1+1", " =1", "-x", "\t=1", "\u3000@x", "%0", "|cmd"])
def test_active_beginnings_are_quoted(cell: str) -> None:
    assert str(export.harmless(cell)).startswith("'")


def test_a_unit_is_no_formula() -> None:
    assert export.harmless("%") == "%"


@given(st.text(max_size=20))
def test_no_text_is_active_after_it(text: str) -> None:
    made = str(export.harmless(text)).lstrip(" \u3000\ufeff")
    assert made == "%" or not made.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "|", "%"))
