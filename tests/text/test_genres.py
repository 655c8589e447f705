"""Which documents a method is made for: others, and empty ones, are set apart with the reason."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import MethodError
from analysis.text.genres import suited


def test_other_genres_and_empty_bodies_are_refused_with_the_reason(frames) -> None:
    documents, _ = frames(
        "应当登记。", None, "  ", "会场坐满了人。", genre=["法规", "法规", "法规", "图片新闻"]
    )
    kept, refused = suited(documents, ["法规"], "力度")
    assert kept["doc_id"].tolist() == ["d0"]
    assert {one["doc_id"]: one["reason"] for one in refused} == {
        "d1": "正文为空",
        "d2": "正文为空",
        "d3": "力度只用于法规",
    }


@pytest.mark.parametrize(
    ("bodies", "said"), [(["会场坐满了人。"], "没有力度适用的文件"), ([None, ""], "正文都是空的")]
)
def test_nothing_suited_is_an_error(frames, bodies: list[str | None], said: str) -> None:
    genre = "图片新闻" if bodies[0] else "法规"
    documents, _ = frames(*bodies, genre=[genre] * len(bodies))
    with pytest.raises(MethodError, match=said):
        suited(documents, ["法规"], "力度")


def test_a_table_without_genres_is_taken_as_it_is() -> None:
    documents = pd.DataFrame({"doc_id": ["a"], "body": ["应当登记。"]})
    assert len(suited(documents, ["法规"], "力度")[0]) == 1
