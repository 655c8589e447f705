"""PDF: columns in order, broken lines, files without a text layer or with a password."""

from __future__ import annotations

from pathlib import Path

import pytest
import typst

from analysis.corpus.pdf import Box, page_text, read_pdf
from analysis.corpus.read import read
from analysis.corpus.reject import Refusal

COLUMN = "县信访局今年以来建立台账、逐件包案，群众反映的“烦心事”大多得到解决，信访总量持续下降。"


@pytest.fixture(scope="module")
def fonts() -> list[str]:
    import pylopdf_fonts_zh_cn

    return [str(Path(pylopdf_fonts_zh_cn.__file__).parent)]


def compiled(source: str, fonts: list[str]) -> bytes:
    return typst.compile(source.encode(), font_paths=fonts, ignore_system_fonts=True)


def newspaper(fonts: list[str]) -> bytes:
    paragraphs = "\n\n".join(f"第{n}段：{COLUMN}" for n in range(1, 10))
    return compiled(
        f"""#set page(width: 160mm, height: 90mm, margin: 8mm)
#set text(font: "Noto Sans SC", size: 9pt, lang: "zh")
#set par(justify: true, first-line-indent: (amount: 2em, all: true))
#align(center)[#text(size: 16pt)[全县信访工作会议召开]]
#align(center)[本报记者 赵某甲]
#columns(3)[{paragraphs}]""",
        fonts,
    )


def test_columns_are_read_one_after_the_other(tmp_path, fonts):
    (tmp_path / "报纸.pdf").write_bytes(newspaper(fonts))
    documents = read(tmp_path).documents
    assert documents["title"].tolist() == ["全县信访工作会议召开"]
    assert documents["byline"].tolist() == ["本报记者 赵某甲"]
    assert documents["body"][0].split("\n") == [f"第{n}段：{COLUMN}" for n in range(1, 10)]


def test_boxes_in_two_columns_under_a_headline():
    boxes = [
        Box(10, 100, 190, 115, "横贯两栏的标题"),
        Box(10, 80, 95, 90, "左一"),
        Box(10, 68, 95, 78, "左二"),
        Box(110, 80, 195, 90, "右一"),
        Box(110, 68, 195, 78, "右二"),
    ]
    assert page_text(boxes[::-1]) == "横贯两栏的标题\n\n左一\n左二\n\n右一\n右二"


def test_no_text_layer(fonts):
    with pytest.raises(Refusal) as caught:
        read_pdf(compiled("#rect(width: 3cm, height: 2cm)", fonts))
    assert caught.value.rule == "没有文字层"


@pytest.mark.parametrize("data", [b"%PDF-1.7\nbroken", b"%PDF-1.4" + bytes(range(256)) * 8])
def test_broken_files(data):
    with pytest.raises(Refusal) as caught:
        read_pdf(data)
    assert caught.value.rule == "损坏的 PDF"


def test_a_password(tmp_path, fonts):
    # A minimal encryption dictionary (standard handler, revision 2) whose user key no password of ours opens.
    plain = compiled("信访", fonts)
    trailer = plain.rfind(b"trailer")
    head, tail = plain[:trailer], plain[trailer:]
    encrypt = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O (" + b"o" * 32 + b") /U (" + b"u" * 32 + b") >> "
    )
    protected = head + tail.replace(b"<<", b"<< " + encrypt, 1) if trailer > 0 else b""
    if not protected:
        pytest.skip("this typst writes its trailer as a stream; see test_read for the refusal itself")
    with pytest.raises(Refusal) as caught:
        read_pdf(protected)
    assert caught.value.rule == "加密的 PDF"
