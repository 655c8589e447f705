"""Bytes to text (解码): find the encoding by what the text then looks like, never by what the file says of itself.

UTF-8 (with or without BOM), UTF-16, GB18030 and Big5. The offsets of :class:`~analysis.corpus.trace.Traced` count
characters of the text returned here.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from .reject import Refusal

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
# The commonest function characters of modern Chinese, both scripts: about a sixth of any running text, and next to
# absent from a text decoded with the wrong table.
_FREQUENT = re.compile(
    r"[的一是在不了有和人这這中大为為上个個国國我以要他时時来來用们們生到作地于於出就分对對成会會可主发發年动動同工也能下"
    r"过過子说說产產种種面而方后後多定行学學法所民得经經十三之进進着著等部度家电電力里如水化高自二理起小物现現实實加量"
    r"都两兩体體制机機当當使点點从從业業本去把性好应應开開它合还還因由其些然前外天政四日那社义義事平形相全表间間样樣与與"
    r"关關各重新线線内內数數正心反你明看原又么麼利比或但质質气氣第向道命此变變条條只没沒结結解问問意建月公无無系军軍很情"
    r"者最立代想已通并提直题題党黨程展五果料象员員革位入常文总總次品式活设設及管特件长長求老头頭基资資边邊流路级級少图圖"
    r"山统統接知较較将將组組见見计計别別她手角期根论論运運农農指几幾九区區强強放决決西被干做必战戰先回则則任取据據处處"
    r"务務省市县縣信访訪]"
)


class Decoded(NamedTuple):
    """The text of a file and the encoding it was read with."""

    text: str
    encoding: str


def decode(data: bytes) -> Decoded:
    """Decode a text file.

    Raises
    ------
    Refusal
        The bytes are no text in any of the encodings.
    """
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xfe\xff"):
        raise Refusal("空文件", "文件没有内容", "请确认下载完整后重新放入")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _checked(data[len(bom) :].decode(encoding, errors="replace"), encoding)
    try:
        return _checked(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        # Cut off inside its last character: still UTF-8.
        if error.start >= len(data) - 3 and error.start > 0:
            return _checked(data[: error.start].decode("utf-8"), "utf-8")
    if data[:2000].count(0) > min(len(data), 2000) // 50:
        wide = max(("utf-16-le", "utf-16-be"), key=lambda e: _likeness(data.decode(e, errors="replace")))
        return _checked(data.decode(wide, errors="replace"), wide)
    best = max(
        (Decoded(data.decode(e, errors="replace"), e) for e in ("utf-8", "gb18030", "big5hkscs")),
        key=lambda d: _likeness(d.text),
    )
    return _checked(*best)


def _likeness(text: str) -> float:
    """How much a text looks like Chinese: frequent characters, less what a wrong table leaves behind."""
    sample = text[:20000]
    if not sample:
        return -1.0
    wrong = sample.count("\ufffd") + len(_PRIVATE.findall(sample)) + len(_CONTROL.findall(sample))
    return (len(_FREQUENT.findall(sample)) - 5 * wrong) / len(sample)


def _checked(text: str, encoding: str) -> Decoded:
    sample = text[:20000]
    if len(_CONTROL.findall(sample)) > len(sample) / 200:
        raise Refusal("二进制文件", "内容不是文本", "若是扫描件或其他格式，请先转换为 txt、html、docx 或 pdf")
    lost = sample.count("\ufffd") + len(_PRIVATE.findall(sample))
    if lost > len(sample) / 20:
        raise Refusal(
            "无法解码", "按 UTF-8、GB18030、Big5 都读不通", "请用 UTF-8 另存后重新放入", value=encoding
        )
    if not _HAN.search(text):
        raise Refusal("没有中文", "文件里没有一个汉字", "请确认文件内容；本语料只收中文文本")
    return Decoded(text, encoding)
