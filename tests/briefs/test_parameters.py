from __future__ import annotations

import datetime as dt
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.briefs import parameters
from analysis.briefs.definitions import Constraint
from analysis.briefs.parameters import Type
from analysis.errors import CodebookError, RequestError

CELL = """
import datetime
from typing import Literal

region: str = "010000"  # 地区代码
top: int = 10  # 列出几个
share: float = 0.5
deep: bool = False
since: datetime.date = datetime.date(2022, 5, 1)
until: datetime.date | None = None
topics: list[str] = []
ways: Literal["来信", "来访"] = "来信"
level: "None | str" = None
plain = 3
"""


def notebook(code: str) -> Any:
    parameters_cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["parameters"]})
    return nbformat.v4.new_notebook(cells=[parameters_cell, nbformat.v4.new_code_cell("region")])


def test_types_defaults_and_comments_are_read_from_the_cell() -> None:
    declared = parameters.declared(notebook(CELL))
    assert list(declared) == [
        "region", "top", "share", "deep", "since", "until", "topics", "ways", "level", "plain"
    ]  # fmt: skip
    assert declared["region"].help == "地区代码"
    assert declared["since"].default == dt.date(2022, 5, 1)
    assert declared["until"].type == Type("date", optional=True)
    assert declared["topics"].type == Type("list", item=Type("str"))
    assert declared["ways"].type == Type("choice", choices=("来信", "来访"))
    assert declared["level"].type == Type("str", optional=True)
    assert declared["plain"].type == Type("int")


def test_values_are_converted_by_their_declared_type() -> None:
    declared = parameters.declared(notebook(CELL))
    given = {
        "region": "010000",
        "top": "5",
        "deep": "true",
        "until": "2024-02-29",
        "topics": "土地、 欠薪",
        "ways": "来访",
    }
    values = parameters.resolve(declared, given, {})
    assert values["region"] == "010000"
    assert (values["top"], values["deep"], values["until"]) == (5, True, dt.date(2024, 2, 29))
    assert values["topics"] == ["土地", "欠薪"]
    assert values["ways"] == "来访"
    assert values["share"] == 0.5


def test_all_problems_are_told_at_once() -> None:
    declared = parameters.declared(notebook(CELL))
    given = {"topp": 1, "top": "ten", "region": 10000, "until": "2023-02-29", "ways": "电话", "share": "9"}
    with pytest.raises(RequestError) as caught:
        parameters.resolve(declared, given, {"share": Constraint(maximum=1)})
    told = str(caught.value)
    for word in (
        "没有名为 topp",
        "top 应为整数",
        "region 应为文本",
        "until 应为日期",
        "ways 应为来信 / 来访",
        "不得大于 1",
    ):
        assert word in told


@pytest.mark.parametrize(
    ("kind", "value"), [("int", True), ("int", 1.5), ("float", "nan"), ("bool", "maybe"), ("str", 12)]
)
def test_what_is_no_value_of_a_type(kind: str, value: object) -> None:
    with pytest.raises(ValueError, match="应为"):
        Type(kind).read(value)


def test_a_definition_may_give_another_default() -> None:
    declared = parameters.declared(notebook("top: int = 10"))
    assert parameters.resolve(declared, {}, {"top": Constraint(default=4)}) == {"top": 4}
    assert parameters.resolve(declared, {"top": 2}, {"top": Constraint(default=4)}) == {"top": 2}


@pytest.mark.parametrize(
    "code", ["x: int = f(1)", "for x in y: pass", "x: set = 1", "x: int | str = 1", "x = ("]
)
def test_a_cell_of_another_shape_is_refused(code: str) -> None:
    with pytest.raises(CodebookError):
        parameters.declared(notebook(code))


def test_injection_is_readable_and_replaces_an_older_one() -> None:
    once = parameters.inject(notebook('word: str = "a"'), {"word": "访调对接"})
    twice = parameters.inject(once, {"word": "诉调对接"})
    assert "word = '诉调对接'" in twice.cells[1].source
    assert "\\u" not in twice.cells[1].source
    assert [cell.metadata.get("tags") for cell in twice.cells] == [
        ["parameters"],
        ["injected-parameters"],
        None,
    ]


VALUES = st.one_of(
    st.text(), st.integers(), st.booleans(), st.none(), st.dates(), st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.one_of(st.text(), st.dates())),
)  # fmt: skip


@given(st.dictionaries(st.from_regex(r"p_[a-z]{1,8}", fullmatch=True), VALUES, max_size=5))
def test_the_injected_code_gives_back_the_values(values: dict[str, Any]) -> None:
    scope: dict[str, Any] = {}
    exec(parameters.source(values), scope)
    assert {name: scope[name] for name in values} == values
