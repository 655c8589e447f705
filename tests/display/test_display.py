"""What the display verbs emit: parts that can be read back, and bytes that do not change."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analysis import display
from analysis.display import fonts
from analysis.display.results import format_value, scalar
from analysis.display.tables import cell_texts
from analysis.errors import MethodError, RequestError


@pytest.fixture(autouse=True)
def _fresh():
    display.use()


def test_result_is_recorded_and_printed_with_its_unit():
    made = display.result("及时受理率", np.float64(89.623), unit="%", n=np.int64(24932), low=89.2, high=90.0)
    assert made.text == "89.62%"
    (part,) = display.recorded("result")
    assert part["value"] == 89.623
    assert part["n"] == 24932
    assert part["text"] == "89.62%"
    assert json.loads(json.dumps(part)) == part


@pytest.mark.parametrize(
    ("value", "unit", "digits", "text"),
    [
        (3214, "件", None, "3,214件"),
        (-0.004, "%", None, "0.00%"),
        (-3.5, "个百分点", None, "−3.50个百分点"),
        (12.345, "天", None, "12.3天"),
        (12.345, "天", 0, "12天"),
        (float("nan"), "%", None, "—"),
        (pd.NA, None, None, "—"),
        ("12345", None, None, "12345"),
        (True, None, None, "是"),
    ],
)
def test_values_print_as_briefs_print_them(value, unit, digits, text):
    assert format_value(value, unit, digits) == text


def test_scalars_are_json_safe():
    cells = [np.int32(3), np.bool_(True), pd.Timestamp("2024-03-01"), pd.NaT, np.nan, ["甲", "乙"], {"键": 1}]
    assert [scalar(cell) for cell in cells] == [3, True, "2024-03-01", None, None, "甲、乙", "{'键': 1}"]


def test_the_same_name_cannot_hold_two_values():
    display.result("总量", 10)
    display.result("总量", 10)
    with pytest.raises(MethodError, match="总量"):
        display.result("总量", 11)


def test_a_finding_fills_its_slots_and_keeps_the_links():
    display.result("rate", 89.623, unit="%", n=1200, low=89.2, high=90.0)
    said = display.finding("按期答复率{rate}（{rate:interval}，共{rate:n}件）。", grade="提示")
    assert said == "按期答复率89.62%（89.20%–90.00%，共1,200件）。"
    (part,) = display.recorded("finding")
    assert [piece["text"] for piece in part["parts"] if "result" in piece] == [
        "89.62%",
        "89.20%–90.00%",
        "1,200",
    ]
    assert "".join(piece["text"] for piece in part["parts"]) == said


def test_a_slot_can_leave_the_sign_to_the_words():
    display.result("变化", -1.234, unit="个百分点")
    assert display.finding("下降{变化:size}") == "下降1.23个百分点"
    assert display.finding("变化{变化}") == "变化−1.23个百分点"


def test_a_finding_without_its_number_is_refused():
    with pytest.raises(MethodError, match="没有登记"):
        display.finding("共{missing}件")
    with pytest.raises(MethodError, match="取值方式"):
        display.finding("共{x:wrong}件", x=display.result("x", 1))


def test_text_carries_links_to_results():
    display.result("total", 3214, unit="件")
    display.text("## 总量\n共{total}。")
    bundle = display.recorded()[-1]
    assert bundle["text/markdown"] == "## 总量\n共[3,214件](#r-total)。"


def test_a_table_keeps_raw_cells_and_its_links():
    frame = pd.DataFrame({"县": ["甲县", "乙县"], "率": [98.2, None], "件": [1200, 4], "出处": ["s1", None]})
    display.table(frame, name="rates", caption="各县", units={"率": "%"}, links={"率": "出处"})
    (part,) = display.recorded("table")
    assert [column["label"] for column in part["columns"]] == ["县", "率", "件"]
    assert [column["kind"] for column in part["columns"]] == ["text", "number", "number"]
    assert part["rows"] == [["甲县", 98.2, 1200], ["乙县", None, 4]]
    assert part["links"] == {"1": ["#e-s1", None]}
    assert "<td>1,200</td>" in display.recorded()[-1]["text/html"]


def test_grouped_heads_and_a_named_index():
    columns = pd.MultiIndex.from_tuples([("2024年3月", "件"), ("2024年3月", "同比")])
    frame = pd.DataFrame([[5, 1.5]], index=pd.Index(["甲县"], name="地区"), columns=columns)
    display.table(frame, name="grouped", caption="各县")
    (part,) = display.recorded("table")
    assert [(c["group"], c["label"]) for c in part["columns"]] == [
        (None, "地区"),
        ("2024年3月", "件"),
        ("2024年3月", "同比"),
    ]


def test_a_table_refuses_unknown_columns_and_taken_names():
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(MethodError, match="没有列"):
        display.table(frame, name="t", caption="表", units={"b": "%"})
    display.table(frame, name="t", caption="表")
    with pytest.raises(MethodError, match="另一个表"):
        display.table(frame, name="t", caption="表")


def test_rows_may_have_decimals_of_their_own():
    frame = pd.DataFrame({"指标": ["件数", "率"], "本期": [5874.0, 99.1208], "同比": [-3.456, 0.5]})
    display.table(frame, name="mixed", caption="指标", digits={"同比": 1}, row_digits=[0, 2])
    (part,) = display.recorded("table")
    assert cell_texts(part) == [["件数", "5,874", "−3.5"], ["率", "99.12", "0.5"]]
    assert part["rows"][0][1] == 5874.0


def test_a_chart_is_small_self_contained_and_the_same_bytes_twice():
    import matplotlib.pyplot as plt

    def draw() -> str:
        display.use()
        figure, axes = plt.subplots()
        axes.plot(range(12), range(12), label="信访件数")
        axes.legend()
        display.chart(figure, name="走势", caption="走势", alt="折线上升")
        assert plt.get_fignums() == []
        return display.recorded()[-1]["image/svg+xml"]

    first = draw()
    assert first == draw()
    assert first.startswith("<svg ")
    assert len(first) < 20_000
    assert "信访件数" in first
    assert "<style" not in first
    assert "http://www.w3.org/2000/svg" in first
    (part,) = display.recorded("chart")
    assert set("信访件数") <= set(part["words"])


def test_a_chart_without_words_for_the_blind_is_refused():
    from matplotlib.figure import Figure

    with pytest.raises(MethodError, match="替代文本"):
        display.chart(Figure(), name="x", caption="图", alt=" ")


def test_evidence_needs_unique_ids():
    frame = pd.DataFrame(
        {"id": ["a", "a"], "source": ["f"] * 2, "start": [0, 1], "end": [1, 2], "text": ["甲", "乙"]}
    )
    with pytest.raises(MethodError, match="重复"):
        display.evidence(frame)
    with pytest.raises(MethodError, match="缺少列"):
        display.evidence(frame.drop(columns="text"))


def test_notes_have_known_kinds():
    display.note("样本很小。", "data")
    assert display.recorded("note")[0]["label"] == "数据说明"
    with pytest.raises(MethodError, match="提示"):
        display.note("x", "loud")


def test_what_a_source_has_not_is_said_and_other_errors_stay():
    with display.available():
        raise RequestError("没有接访表", hint="需要 receptions 表")
    (part,) = display.recorded("note")
    assert part["kind"] == "data"
    assert "没有接访表" in part["text"]
    assert "需要 receptions 表" in part["text"]
    with pytest.raises(ZeroDivisionError), display.available():
        raise ZeroDivisionError


def test_missing_characters_are_named():
    assert fonts.missing("信访工作 2024−%\n") == []
    assert fonts.missing("甲\U000e0100乙") == ["\U000e0100"]


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "p<0.001"), (0.00099, "p<0.001"), (0.001, "p=0.001"), (0.04, "p=0.040")]
)
def test_a_p_value_is_never_zero(value: float, said: str) -> None:
    assert display.p_text(value) == said
