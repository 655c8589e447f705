"""Concordance (KWIC，语境共现): every place of a pattern with what stands left and right of it in its sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from ..errors import RequestError
from .segment import Lexicon, Segmenter

if TYPE_CHECKING:
    import pandas as pd

Find = Callable[[str], list[tuple[int, int]]]
COLUMNS = ("doc_id", "sentence", "start", "end", "left", "text", "right")


def kwic(
    sentences: pd.DataFrame,
    pattern: str | Iterable[str] | Lexicon,
    *,
    width: int | None = None,
    sort: Literal["position", "left", "right"] = "position",
) -> pd.DataFrame:
    """Places of a pattern, each bounded by its sentence.

    Parameters
    ----------
    sentences
        Table of :mod:`analysis.corpus`.
    pattern
        A regular expression; or words, found on characters, the longest where several begin together; or a lexicon,
        whose words count only where the segmenter with that lexicon makes them words (印度 not in 印度尼西亚).
    width
        Characters of context on each side; default the whole sentence.
    sort
        ``position``; ``right``: by what follows; ``left``: by what precedes, read backwards from the hit.

    Returns
    -------
    pandas.DataFrame
        doc_id, sentence, start, end (of the hit, offsets in ``body``), left, text (the hit), right.

    Raises
    ------
    RequestError
        No pattern, one that does not compile or matches the empty string, or a negative width.
    """
    import pandas as pd

    find = _finder(pattern)
    if width is not None and width < 0:
        raise RequestError("左右文的字数不能是负数", value=width)
    rows = []
    for doc_id, number, start, text in zip(
        sentences["doc_id"], sentences["sentence"], sentences["start"], sentences["text"], strict=True
    ):
        for begin, end in find(text):
            left, right = text[:begin], text[end:]
            if width is not None:
                left, right = left[max(0, len(left) - width) :], right[:width]
            rows.append(
                (
                    doc_id,
                    int(number),
                    int(start) + begin,
                    int(start) + end,
                    left,
                    text[begin:end],
                    right,
                )
            )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    if sort == "right":
        table = table.sort_values("right", kind="stable")
    elif sort == "left":
        table = table.sort_values("left", kind="stable", key=lambda column: column.str[::-1])
    elif sort != "position":
        raise RequestError("没有这种排序", value=sort, hint="可用：position、left、right")
    return table.reset_index(drop=True)


def _finder(pattern: str | Iterable[str] | Lexicon) -> Find:
    if isinstance(pattern, Lexicon):
        words, tokenize = pattern.words, Segmenter(pattern).tokenize
        if not words:
            raise RequestError("没有给出检索词", hint="词表是空的")
        return lambda text: [(begin, end) for word, begin, end in tokenize(text) if word in words]
    compiled = _compiled(pattern)
    return lambda text: [match.span() for match in compiled.finditer(text)]


def _compiled(pattern: str | Iterable[str]) -> re.Pattern[str]:
    if not isinstance(pattern, str):
        words = sorted({word for word in pattern if word}, key=lambda word: (-len(word), word))
        pattern = "|".join(re.escape(word) for word in words)
    if not pattern:
        raise RequestError("没有给出检索词", hint="请给出词语或正则表达式")
    try:
        find = re.compile(pattern)
    except re.error as error:
        raise RequestError(f"正则表达式写法不对：{error}", value=pattern) from None
    if find.match(""):
        raise RequestError("检索式会匹配空字符串", value=pattern, hint="请去掉 * 或 ? 使它至少匹配一个字")
    return find
