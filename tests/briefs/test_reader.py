"""Reading notebooks: Markdown, foreign outputs, numbers of chapters, links that lead nowhere."""

from __future__ import annotations

import base64

import nbformat
import pytest

from analysis.briefs.document import (
    Figure,
    Finding,
    Heading,
    Listing,
    Meta,
    Note,
    Paragraph,
    Quote,
    Span,
    Table,
    Verbatim,
)
from analysis.briefs.reader import chinese, printable, read

META = Meta("题")
PNG = base64.b64encode(b"\x89PNG not really").decode()


def _read(*cells):
    return read(nbformat.v4.new_notebook(cells=list(cells)), META)


def _markdown(source):
    return _read(nbformat.v4.new_markdown_cell(source))


def _outputs(*outputs, **metadata):
    return _read(nbformat.v4.new_code_cell("1 + 1", outputs=list(outputs), metadata=metadata))


def _data(data):
    return nbformat.v4.new_output("display_data", data=data)


@pytest.mark.parametrize(
    ("number", "text"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (35, "三十五")]
)
def test_chinese_numbers(number, text):
    assert chinese(number) == text


def test_chapters_are_numbered_whatever_was_written():
    document = _markdown(
        "# 题\n\n## 三、摘要\n\n### （九）受理\n\n#### 1. 甲\n\n#### 乙\n\n## 附录\n\n### 依据"
    )
    assert [(h.level, h.number, h.spans[0].text, h.id) for h in document.headings] == [
        (1, "一、", "摘要", "s-1"),
        (2, "（一）", "受理", "s-1-1"),
        (3, "1. ", "甲", "s-1-1-1"),
        (3, "2. ", "乙", "s-1-1-2"),
        (1, "二、", "附录", "s-2"),
        (2, "（一）", "依据", "s-2-1"),
    ]


def test_a_year_at_the_head_of_a_heading_stays():
    assert _markdown("## 2024年工作").headings[0].spans[0].text == "2024年工作"
    assert _markdown("## 12345 热线").headings[0].spans[0].text == "12345 热线"


def test_markdown_blocks():
    document = _markdown(
        "第一行\n第二行 **重点** *强调* `代码`\n\n- 甲\n- 乙\n  1. 丙\n\n> 引文\n\n```\nliteral\n```\n\n|列|数|\n|---|--:|\n|甲|1|\n"
    )
    kinds = [type(block) for block in document.blocks]
    assert kinds == [Paragraph, Listing, Quote, Verbatim, Table]
    paragraph, listing, _, verbatim, table = document.blocks
    assert "".join(span.text for span in paragraph.spans) == "第一行第二行 重点 强调 代码"
    assert [span.style for span in paragraph.spans if span.style] == ["strong", "emphasis", "code"]
    assert not listing.ordered
    assert listing.items[1][1].ordered
    assert verbatim.text == "literal"
    assert table.number is None
    assert [column.numeric for column in table.columns] == [False, True]


def test_soft_breaks_join_western_words_with_a_space():
    (paragraph,) = _markdown("one\ntwo\n三").blocks
    assert "".join(span.text for span in paragraph.spans) == "one two三"


def test_what_a_brief_has_no_place_for_is_said():
    document = _markdown("段落 <b>粗</b> ![图](x.png)\n\n<div>块</div>\n")
    assert "".join(span.text for span in document.blocks[0].spans).split() == ["段落", "粗"]
    assert len(document.warnings) == 2


def test_links_that_lead_nowhere_become_text_and_scripts_are_no_links():
    document = _markdown("[甲](#e-1) [乙](javascript:alert) [丙](https://example.org/) [丁](#s-1)\n\n## 章\n")
    spans = {span.text: span.href for span in document.blocks[0].spans if span.text.strip()}
    assert spans == {"甲": None, "乙": None, "丙": "https://example.org/", "丁": "#s-1"}
    assert any("#e-1" in warning for warning in document.warnings)


def test_foreign_outputs():
    frame = "<table><thead><tr><th></th><th>件</th></tr></thead><tbody><tr><th>0</th><td>12</td></tr></tbody></table>"
    document = _outputs(
        nbformat.v4.new_output("stream", name="stdout", text="打印的行\n"),
        nbformat.v4.new_output("stream", name="stderr", text="warning"),
        _data({"text/html": frame, "text/plain": "frame"}),
        _data({"image/png": PNG, "text/plain": "<Figure>"}),
        _data({"text/plain": "42"}),
        nbformat.v4.new_output("error", ename="ValueError", evalue="坏值", traceback=[]),
    )
    kinds = [type(block) for block in document.blocks]
    assert kinds == [Verbatim, Table, Figure, Verbatim, Note]
    assert document.blocks[1].rows[0][1].text == "12"
    assert document.blocks[2].png.startswith(b"\x89PNG")
    assert document.blocks[4].kind == "error"
    assert "坏值" in document.blocks[4].text
    assert len(document.warnings) == 2  # the error stream, the chart without words


def test_hidden_cells_and_widgets_stay_out():
    assert _outputs(_data({"text/plain": "42"}), tags=["hide"]).blocks == ()
    document = _outputs(_data({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "w"}))
    assert document.blocks == ()
    assert "控件" in document.warnings[0]


def test_findings_link_to_the_table_of_results():
    result = {
        "name": "率", "value": 1.5, "unit": "%", "n": 3, "low": 1.0, "high": 2.0,
        "definition": "none_here", "source": None, "digits": None, "text": "1.50%",
    }  # fmt: skip
    finding = {"text": "共1.50%", "template": "共{率}", "grade": None}
    finding["parts"] = [{"text": "共"}, {"text": "1.50%", "result": "率"}]
    prefix = "application/vnd.policy-brief."
    document = _outputs(_data({f"{prefix}result+json": result}), _data({f"{prefix}finding+json": finding}))
    said, heading, table = document.blocks
    assert isinstance(said, Finding)
    assert said.spans[1] == Span("1.50%", href="#r-率")
    assert isinstance(heading, Heading)
    assert table.anchors == ("r-率",)
    assert [cell.text for cell in table.rows[0]] == ["率", "1.50%", "3", "1.00%–2.00%", "none_here", "—"]
    assert table.rows[0][4].href is None  # no definition of that id in this brief
    assert document.warnings == ()


def test_signs_without_a_glyph_by_nature_are_taken_out():
    assert printable("甲\u200b乙\ufeff\x07丙\ufe0f") == "甲乙丙"
    assert printable("a\tb\nc") == "a\tb\nc"


def test_a_sentence_that_two_chapters_quote_is_listed_once():
    rows = [{"id": name, "source": "甲.txt", "start": 0, "end": 3, "text": f"第{name}句"} for name in "ab"]
    kind = "application/vnd.policy-brief.evidence+json"
    document = _outputs(_data({kind: {"rows": rows[:1]}}), _data({kind: {"rows": rows}}))
    assert [[item.id for item in block.items] for block in document.blocks] == [["e-a"], ["e-b"]]


def test_a_list_of_sentences_all_quoted_before_says_so():
    rows = [{"id": "a", "source": "甲.txt", "start": 0, "end": 3, "text": "第一句"}]
    kind = "application/vnd.policy-brief.evidence+json"
    document = _outputs(_data({kind: {"rows": rows}}), _data({kind: {"rows": rows}}))
    first, second = document.blocks
    assert [item.id for item in first.items] == ["e-a"]
    assert "均已列于前文" in "".join(span.text for span in second.spans)
