"""Names of regions in running text."""

from __future__ import annotations

import pytest

from analysis.corpus.gazetteer import mentions


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("在文山会海中", []),
        ("南京路上好八连", []),
        ("吉林省吉林市", ["吉林省", "吉林市"]),
        ("浙江公安与杭州上城区", ["浙江", "杭州", "上城区"]),
        ("改造老城区和旧矿区", []),
        ("安吉公安破案", ["安吉"]),
        ("人民安居乐业、共和国卫士", []),
    ],
)
def test_names_in_running_text(text, names):
    assert [text[m.start : m.end] for m in mentions(text)] == names
