"""Policy instruments: the codebook holds its own examples, shares and the matrix by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import MethodError
from analysis.text.coding import code, examine
from analysis.text.instruments import instruments, matrix, shares

LINES = [
    "配齐配强专职调解员队伍,信访事项应当在15日内登记。",
    "通过政府购买服务引入社会组织参与化解。",
    "会议在雨中结束。",
]


def texts(genre: str = "规范性文件") -> tuple[pd.DataFrame, pd.DataFrame]:
    body = "".join(LINES)
    documents = pd.DataFrame([{"doc_id": "d", "body": body, "genre": genre, "level": "市"}])
    starts = [0, len(LINES[0]), len(LINES[0]) + len(LINES[1])]
    rows = [
        {"doc_id": "d", "paragraph": 0, "sentence": k, "start": start, "end": start + len(text), "text": text}
        for k, (start, text) in enumerate(zip(starts, LINES, strict=True))
    ]
    return documents, pd.DataFrame(rows)


def test_codebook_holds_its_examples() -> None:
    table = examine("instruments")
    assert len(table) >= 13
    assert table["holds"].all(), table.loc[~table["holds"]]


def test_clauses_types_and_dimensions() -> None:
    documents, sentences = texts()
    table = instruments(documents, sentences)
    found = list(zip(table["text"], table["type"], table["code"], strict=True))
    assert ("配齐配强专职调解员队伍", "供给", "供给-人才") in found
    assert ("信访事项应当在15日内登记", "环境", "环境-法规管制") in found
    assert any(kind == "需求" for _, kind, _ in found)
    assert table.loc[table["code"] == "环境-法规管制", "coercive"].unique().tolist() == ["高"]
    assert not table["sentence"].eq(2).any()


def test_shares_add_up_and_group_by_level() -> None:
    documents, sentences = texts()
    codes = instruments(documents, sentences)
    assert shares(codes)["share"].sum() == pytest.approx(1)
    assert set(shares(codes, documents, "level")["level"]) == {"市"}


def test_matrix_counts_sentences_and_shows_gaps() -> None:
    documents, sentences = texts()
    codes = instruments(documents, sentences)
    parts = code(documents, sentences, "five_part")
    table = matrix(codes, parts)
    assert table.index.tolist() == ["供给", "环境", "需求"]
    both = {
        (row.type, part)
        for row in codes.itertuples()
        for part in parts.loc[parts["sentence"] == row.sentence, "code"]
    }
    assert {
        (kind, part) for kind in table.index for part in table.columns if table.loc[kind, part] > 0
    } == both


def test_captions_are_refused() -> None:
    with pytest.raises(MethodError, match="图片新闻"):
        instruments(*texts("图片新闻"))
