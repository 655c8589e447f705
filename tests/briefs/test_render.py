"""From a true notebook to HTML, PDF and Word: the same tables and charts in all three, no code in any."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lxml import etree
from lxml import html as lxml_html

from analysis.briefs import reference, word
from analysis.briefs.document import Meta
from analysis.briefs.reader import read
from analysis.briefs.render import Renderer
from analysis.errors import RenderError, RequestError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PIC = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"
META = Meta(
    "信访工作法治化监测月报",
    period="2024年3月",
    region="示例省",
    as_of="2024-03-31",
    classification="内部",
    simulated=True,
    provenance={"parameters": {"period": "2024-03"}, "closing": "</script><b>"},
)


@pytest.fixture(scope="module")
def notebook(root: Path) -> Any:
    """tests/notebooks/showcase.ipynb, executed in a fresh kernel."""
    from nbclient import NotebookClient

    made = nbformat.read(root / "tests" / "notebooks" / "showcase.ipynb", as_version=4)
    return NotebookClient(made, timeout=120, kernel_name="python3").execute()


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


@pytest.fixture(scope="module")
def brief(notebook, renderer, tmp_path_factory):
    return renderer.render(notebook, tmp_path_factory.mktemp("brief"), meta=META)


@pytest.fixture(scope="module")
def page(brief):
    return lxml_html.fromstring(brief.files["html"].read_bytes().decode())


@pytest.fixture(scope="module")
def pdf_text(brief) -> str:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(brief.files["pdf"])
    text = "\n".join(sheet.get_textpage().get_text_range() for sheet in pdf)
    pdf.close()
    return text


@pytest.fixture(scope="module")
def docx(brief):
    return etree.fromstring(zipfile.ZipFile(brief.files["docx"]).read("word/document.xml"))


def test_tables_and_charts_are_equal_in_all_three(notebook, page, pdf_text, docx):
    document = read(notebook, META)
    tables, figures = len(document.tables), len(document.figures)
    assert (tables, figures) == (7, 1)
    assert len(page.xpath("//table")) == tables
    assert len(page.xpath("//figure[@class='chart']//svg")) == figures
    assert len(docx.findall(f".//{W}tbl")) == tables
    assert len(docx.findall(f".//{PIC}")) == figures
    numbered = [table.number for table in document.tables if table.number] + [
        f.number for f in document.figures
    ]
    squeezed = re.sub(r"\s", "", pdf_text)
    words = "".join(docx.itertext())
    for number in numbered:
        caption = next(b.caption for b in (*document.tables, *document.figures) if b.number == number)
        assert f"{number}{caption}" in squeezed
        assert f"{number}　{caption}" in words
        assert page.xpath(f"//figcaption[b='{number}']")


def test_cells_are_equal_in_all_three(notebook, page, pdf_text, docx):
    table = next(table for table in read(notebook, META).tables if table.name == "county")
    rows = page.xpath("//figure[@id='t-county']//tbody/tr")
    assert [[cell.text_content() for cell in row] for row in rows] == [
        [cell.text for cell in row] for row in table.rows
    ]
    in_word = [["".join(cell.itertext()) for cell in row.iter(f"{W}tc")] for row in docx.iter(f"{W}tr")]
    assert [[cell.text for cell in row] for row in table.rows] == [
        row for row in in_word if row[0].startswith("示例")
    ]
    lines = [re.sub(r"\s", "", line) for line in pdf_text.splitlines()]
    for row in table.rows:
        assert "".join(cell.text for cell in row[:3]) in "".join(lines)


def test_no_code_anywhere(page, pdf_text, docx):
    for text in (page.text_content(), pdf_text, "".join(docx.itertext())):
        for code in ("import pandas", "display.", "default_rng", "period: str"):
            assert code not in text


def test_html_asks_no_other_host(brief, page):
    text = brief.files["html"].read_text(encoding="utf-8")
    assert page.get("lang") == "zh-CN"
    assert len(text.encode()) < 1_500_000
    for attribute in ("src", "href", "srcset", "action", "data", "poster"):
        for value in page.xpath(f"//@{attribute}"):
            assert value.startswith(("#", "data:")), value
    assert "@import" not in text
    assert all(target.startswith("data:font/woff") for target in re.findall(r"url\(([^#)][^)]*)\)", text))


def test_html_links_have_targets_and_ids_are_unique(page):
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    targets = [href[1:] for href in page.xpath("//a/@href") if href.startswith("#")]
    assert {"e-s1", "r-按期答复率", "d-reply_on_time", "s-2-1"} <= set(targets)
    assert set(targets) <= set(ids)


def test_the_embedded_font_has_every_character_of_the_page(brief, page):
    import base64

    from fontTools.ttLib import TTFont

    data = re.search(r"base64,([^)]+)\) format", brief.files["html"].read_text(encoding="utf-8"))
    font = TTFont(io.BytesIO(base64.b64decode(data[1])))
    printed = "".join(node for node in page.xpath("//body//text()[not(parent::script)]"))
    assert {sign for sign in printed if not sign.isspace()} <= {chr(code) for code in font.getBestCmap()}


def test_marks_stand_on_every_page(page, brief, docx):
    import pypdfium2

    assert [mark.text for mark in page.xpath("//div[@class='marks']/strong")] == ["内部资料", "模拟数据"]
    pdf = pypdfium2.PdfDocument(brief.files["pdf"])
    for sheet in pdf:
        text = sheet.get_textpage().get_text_range()
        assert "内部资料" in text
        assert "模拟数据" in text
    pdf.close()
    header = zipfile.ZipFile(brief.files["docx"]).read("word/header1.xml").decode()
    assert "【内部资料】　【模拟数据】" in header


def test_a_public_brief_of_real_data_has_no_mark(notebook, renderer, tmp_path):
    meta = Meta("监测月报", period="2024年3月", region="示例省")
    made = renderer.render(notebook, tmp_path, meta=meta)
    words = zipfile.ZipFile(made.files["docx"])
    assert "模拟数据" not in made.files["html"].read_text(encoding="utf-8").replace(
        "数据来源：模拟信访件", ""
    )
    assert "模拟数据" not in "".join(
        words.read(name).decode(errors="ignore") for name in words.namelist() if name.endswith("xml")
    )


def test_pdf_is_searchable_tagged_bookmarked_and_carries_provenance(brief, pdf_text, notebook):
    import pypdfium2

    assert "按期答复率" in pdf_text
    assert "信访件数" in pdf_text  # the words in the chart too
    pdf = pypdfium2.PdfDocument(brief.files["pdf"])
    assert pdf.get_metadata_dict()["Title"] == META.title
    headings = [
        heading.number + "".join(span.text for span in heading.spans)
        for heading in read(notebook, META).headings
    ]
    assert [mark.get_title() for mark in pdf.get_toc()] == headings
    attachment = pdf.get_attachment(0)
    assert json.loads(bytes(attachment.get_data())) == META.provenance
    assert f"共 {len(pdf)} 页" in pdf[0].get_textpage().get_text_range().replace("\xa0", " ")
    pdf.close()
    raw = brief.files["pdf"].read_bytes()
    assert b"pdfuaid:part" in raw
    assert b"pdfaid:part" in raw


def test_pdf_uses_the_fonts_of_the_wheel_only(brief):
    import ctypes

    import pypdfium2
    from pypdfium2 import raw

    pdf = pypdfium2.PdfDocument(brief.files["pdf"])
    names = set()
    for sheet in pdf:
        for item in sheet.get_objects():
            if item.type == raw.FPDF_PAGEOBJ_TEXT:
                buffer = ctypes.create_string_buffer(128)
                raw.FPDFFont_GetBaseFontName(raw.FPDFTextObj_GetFont(item.raw), buffer, 128)
                names.add(buffer.value.decode().rpartition("+")[2])
    pdf.close()
    assert {name.split("-Regular")[0] for name in names} == {"NotoSansSC", "NotoSerifSC"}


def test_provenance_in_html_cannot_close_its_element(page):
    (script,) = page.xpath("//script[@id='provenance']")
    assert script.get("type") == "application/json"
    assert json.loads(script.text) == META.provenance


def test_the_same_brief_is_the_same_bytes(notebook, brief, tmp_path):
    again = Renderer().render(notebook, tmp_path, meta=META)
    for name, path in brief.files.items():
        assert path.read_bytes() == again.files[name].read_bytes(), name
    for name, path in brief.tables.items():
        assert path.read_bytes() == again.tables[name].read_bytes()


def test_results_are_kept_apart_from_the_page(brief):
    content = json.loads(brief.files["results"].read_text(encoding="utf-8"))
    found = {result["name"]: result for result in content["results"]}
    assert found["按期答复率"]["value"] == 89.623
    assert found["按期答复率"]["definition"] == "reply_on_time"
    assert content["findings"][0]["text"] == "2024年3月，全省登记信访12,345件，同比基本持平。"
    assert [table["name"] for table in content["tables"]] == [
        "accept",
        "county",
        "wide",
        "grouped",
        "definitions",
    ]


def test_characters_without_a_glyph_fail_the_run_and_are_named(renderer, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("地名\U00020021村委会")])
    with pytest.raises(RenderError, match="U\\+20021") as caught:
        renderer.render(notebook, tmp_path, ["html"], {"title": "题"})
    assert "地名" in str(caught.value)
    assert not (tmp_path / "index.html").exists()


def test_unknown_format(renderer, tmp_path):
    with pytest.raises(RequestError, match="odt"):
        renderer.render(nbformat.v4.new_notebook(), tmp_path, ["odt"])


def test_an_empty_notebook_is_a_brief_without_contents(renderer, tmp_path):
    made = renderer.render(nbformat.v4.new_notebook(), tmp_path, meta={"title": "空"})
    assert "目录" not in made.files["html"].read_text(encoding="utf-8")
    assert made.results == []
    assert made.files["pdf"].read_bytes().startswith(b"%PDF")


def test_tables_as_csv_hold_no_formula(renderer, tmp_path):
    part = {
        "name": "a/b:c",
        "caption": "表",
        "note": None,
        "columns": [
            {"label": "=x", "group": None, "kind": "text", "unit": None, "digits": None},
            {"label": "值", "group": "组", "kind": "number", "unit": "%", "digits": 2},
        ],
        "rows": [["=1+1", -3.5], ["@cmd", None], [" -2", 0.125], ["甲", 1]],
        "links": {},
    }
    output = nbformat.v4.new_output("display_data", data={"application/vnd.policy-brief.table+json": part})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    made = renderer.render(notebook, tmp_path, ["html"], {"title": "题"})
    assert made.tables["a/b:c"].name == "a_b_c.csv"
    rows = list(csv.reader(made.tables["a/b:c"].read_text(encoding="utf-8-sig").splitlines()))
    assert rows == [["'=x", "组 值（%）"], ["'=1+1", "-3.5"], ["'@cmd", ""], ["' -2", "0.125"], ["甲", "1"]]


def test_remarks_of_the_workbook_speak_of_its_own_empty_cells(renderer, tmp_path):
    import openpyxl

    part = {
        "name": "t",
        "caption": "表",
        "note": "“—”为数字小，不示。",
        "rows": [["甲", None]],
        "columns": [
            {"name": "甲", "label": "指标", "group": None, "unit": None, "kind": "text", "digits": None},
            {"name": "乙", "label": "本期", "group": None, "unit": "件", "kind": "number", "digits": 0},
        ],
    }
    notebook = nbformat.v4.new_notebook()
    outputs = [nbformat.v4.new_output("display_data", {"application/vnd.policy-brief.table+json": part})]
    notebook.cells = [nbformat.v4.new_code_cell("", outputs=outputs)]
    made = renderer.render(notebook, tmp_path, ["html"], {"title": "题"})
    (sheet,) = openpyxl.load_workbook(made.files["tables"]).worksheets
    assert sheet["B2"].value is None
    assert str(sheet.cell(sheet.max_row, 1).value).endswith("空格为数字小，不示。")
    assert "“—”为数字小" in made.files["html"].read_text(encoding="utf-8")


def test_all_tables_stand_in_one_workbook(brief):
    import openpyxl

    book = openpyxl.load_workbook(brief.files["tables"])
    assert len(book.sheetnames) == 5
    assert book.sheetnames[3] == "表4 分组表头"
    sheet = book["表1 受理环节主要指标"]
    assert [cell.value for cell in sheet[1]] == [
        "指标",
        "本期（%）",
        "本年累计（%）",
        "同比（个百分点）",
        "环比（个百分点）",
        "样本量",
    ]
    assert [cell.value for cell in sheet[3]] == ["按期答复率", 89.6, 90.1, -1.2, 0.4, 24932]
    # As the brief prints them, digits kept: 89.60, 24,932.
    assert [cell.number_format for cell in sheet[3]] == ["@", *["#,##0.00_)"] * 4, "#,##0_)"]
    assert "【内部资料】【模拟数据】受理环节主要指标" in str(sheet.cell(sheet.max_row, 1).value)


def test_word_names_east_asian_fonts_and_writes_the_contents_out(brief, docx, notebook):
    archive = zipfile.ZipFile(brief.files["docx"])
    styles = etree.fromstring(archive.read("word/styles.xml"))
    fonts = {
        style.find(f"{W}name").get(f"{W}val"): style.find(f"{W}rPr/{W}rFonts").get(f"{W}eastAsia")
        for style in styles.iter(f"{W}style")
        if style.find(f"{W}rPr/{W}rFonts") is not None
    }
    assert fonts["Normal"] == "宋体"
    assert fonts["heading 1"] == "黑体"
    contents = docx.find(f".//{W}sdt")
    text = "".join(node.text for node in contents.iter(f"{W}t"))
    assert text == "目录" + "".join(
        heading.number + "".join(span.text for span in heading.spans)
        for heading in read(notebook, META).headings
        if heading.level <= 2
    )
    marks = {mark.get(f"{W}name") for mark in docx.iter(f"{W}bookmarkStart")}
    assert {link.get(f"{W}anchor") for link in contents.iter(f"{W}hyperlink")} <= marks
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_word_template_is_what_its_script_makes():
    kept, made = zipfile.ZipFile(reference.FILE), zipfile.ZipFile(io.BytesIO(reference.make()))
    assert kept.namelist() == made.namelist()
    for name in kept.namelist():
        assert kept.read(name) == made.read(name), name


def test_word_refused_by_pandoc_says_so(monkeypatch):
    monkeypatch.setattr(word, "tree", lambda *_: {"wrong": 1})
    with pytest.raises(RenderError, match="Word"):
        word.write(read(nbformat.v4.new_notebook(), META), {})


def test_nbconvert_itself_can_use_the_exporter(notebook):
    from analysis.briefs.html import BriefExporter

    copy = nbformat.from_dict(notebook)
    copy.metadata["policy_brief"] = {"title": "自带题头"}
    body, _ = BriefExporter().from_notebook_node(copy)
    assert "<h1>自带题头</h1>" in body
    assert 'lang="zh-CN"' in body


def test_no_caption_is_left_behind_by_its_table(renderer, tmp_path):
    """Tables long enough to run over pages, begun at every height of a page."""
    import pypdfium2

    kind = "application/vnd.policy-brief.table+json"
    head = {"label": "指标", "group": None, "kind": "text", "unit": None, "digits": None}
    cells = []
    for lines in range(40):
        part = {
            "name": f"t{lines}", "caption": "长表", "note": "注文。", "columns": [head], "links": {},
            "rows": [[f"第{row}行"] for row in range(30)],
        }  # fmt: skip
        cells.append(nbformat.v4.new_markdown_cell("\n\n".join(["一段话。"] * (lines % 11 + 1))))
        output = nbformat.v4.new_output("display_data", data={kind: part})
        cells.append(nbformat.v4.new_code_cell("", outputs=[output]))
    made = renderer.render(nbformat.v4.new_notebook(cells=cells), tmp_path, ["pdf"], {"title": "题"})
    pages = [
        page.get_textpage().get_text_range().split() for page in pypdfium2.PdfDocument(made.files["pdf"])
    ]
    assert sum(page.count("长表") for page in pages) == 40
    ends = [[word for word in page if not re.fullmatch(r"第|页|共|\d+", word)][-1] for page in pages]
    assert "长表" not in ends
