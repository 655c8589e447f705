"""PMC index: the published arithmetic, grades at their bounds, evidence, refusals, overrides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError, MethodError
from analysis.text import pmc

# text_methods.md 2.1: nine variables of a worked example.
GOLDEN = [
    [1, 1, 0, 1, 0],
    [0, 0, 1, 0],
    [1, 1, 1],
    [1, 1, 1, 0, 0],
    [1, 0, 1, 1, 1],
    [1, 1, 1],
    [1, 1, 0, 1],
    [1, 1],
    [1, 1, 1],
]

BODY = "各责任单位应当加强组织领导。到2025年底前初次信访事项按期办结率达到95%以上。建立矛盾纠纷排查预警机制。对推诿扯皮的依法追究责任。"


def golden(*extra: tuple[str, int]) -> pd.DataFrame:
    rows = [("a", f"X{i}", str(j), value) for i, row in enumerate(GOLDEN, 1) for j, value in enumerate(row)]
    rows += [("a", name, "0", value) for name, value in extra]
    return pd.DataFrame(rows, columns=["doc_id", "variable", "item", "value"])


def texts(genre: str = "工作部署") -> tuple[pd.DataFrame, pd.DataFrame]:
    documents = pd.DataFrame([{"doc_id": "d", "body": BODY, "genre": genre, "level": "市"}])
    rows, start = [], 0
    for number, part in enumerate(BODY.split("。")[:-1]):
        text = part + "。"
        rows.append(
            {
                "doc_id": "d",
                "paragraph": 0,
                "sentence": number,
                "start": start,
                "end": start + len(text),
                "text": text,
            }
        )
        start += len(text)
    return documents, pd.DataFrame(rows)


def test_golden_values() -> None:
    row = pmc.index(golden(), single=["X2"]).iloc[0]
    assert [row[f"X{i}"] for i in range(1, 10)] == pytest.approx([0.6, 0.25, 1, 0.6, 0.8, 1, 0.75, 1, 1])
    assert row["pmc9"] == pytest.approx(7.0)
    assert row["grade"] == "优秀"
    assert row["depression"] == pytest.approx(2.0)
    assert row["ceiling"] == pytest.approx(8.25)
    assert row["ratio"] == pytest.approx(0.848, abs=5e-4)
    ten = pmc.index(golden(("X10", 1)), single=["X2"]).iloc[0]
    assert ten["pmc"] == pytest.approx(8.0)
    assert ten["pmc9"] == pytest.approx(7.0)
    assert ten["grade_ten"] == "优秀"


def test_where_each_document_falls_short() -> None:
    """text_methods.md 2.1, item 5 and the grades of one variable: .90, .70, .50, .30."""
    two = pd.concat([golden(), golden().assign(doc_id="b", value=1)], ignore_index=True)
    table = pmc.variables(pmc.index(two, single=["X2"]))
    mine = table[table["doc_id"] == "a"].set_index("variable")
    assert mine["grade"].tolist() == [
        "可接受",
        "较差",
        "优秀",
        "可接受",
        "良好",
        "优秀",
        "良好",
        "优秀",
        "优秀",
    ]
    assert mine["depression"].sum() == pytest.approx(2.0)
    assert mine.loc["X2", ["depression", "below_mean"]].tolist() == pytest.approx([0.75, 0.375])
    assert table["below_mean"].sum() == pytest.approx(0)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (9, "完美"),
        (8.999, "优秀"),
        (7, "优秀"),
        (6.995, "可接受"),
        (5, "可接受"),
        (4.99, "不良"),
        (0, "不良"),
    ],
)
def test_half_open_grades_leave_no_gap(value: float, name: str) -> None:
    assert pmc.grade(value, [9, 7, 5, 0], ["完美", "优秀", "可接受", "不良"]) == name


def test_surface_is_not_rescaled() -> None:
    row = pmc.index(golden(), single=["X2"]).iloc[0]
    assert np.allclose(pmc.surface(row), [[0.6, 0.25, 1], [0.6, 0.8, 1], [0.75, 1, 1]])


def test_leave_one_out_names_what_moves_ranks() -> None:
    two = pd.concat(
        [golden(), golden().assign(doc_id="b", value=lambda t: t["value"].where(t["variable"] != "X9", 0))]
    )
    table = pmc.leave_one_out(two)
    assert len(table) == 18
    without = table.loc[table["left_out"] == "X9"].set_index("doc_id")
    assert without["pmc9"].to_dict() == {"a": pytest.approx(6.0), "b": pytest.approx(6.0)}
    assert without.loc["b", "moved"] == 1


def test_hits_carry_their_evidence_and_people_override_them() -> None:
    documents, sentences = texts()
    table = pmc.items(documents, sentences)
    met = table.loc[table["value"] == 1]
    assert {("X8", "追责"), ("X8", "组织领导"), ("X7", "预防"), ("X3", "市"), ("X9", "目标明确")} <= set(
        zip(met["variable"], met["item"], strict=True)
    )
    for row in met.loc[met["coder"] == "rule"].itertuples():
        assert row.evidence
        assert all(BODY[start:end] for start, end in row.evidence)
    human = pd.DataFrame([("d", "X8", "追责", 0)], columns=["doc_id", "variable", "item", "value"])
    changed = pmc.items(documents, sentences, overrides=human)
    assert changed.loc[
        (changed["variable"] == "X8") & (changed["item"] == "追责"), ["value", "coder"]
    ].values.tolist() == [[0, "human"]]
    assert pmc.index(changed)["confirmed"].item() == pytest.approx(1 / len(changed))
    with pytest.raises(InputError, match="X99"):
        pmc.items(documents, sentences, overrides=human.assign(variable="X99"))


def test_single_choice_variables_hold_at_most_one_item() -> None:
    table = pmc.items(*texts())
    assert table.loc[table["variable"].isin(["X2", "X3"])].groupby("variable")["value"].sum().tolist() == [
        1,
        1,
    ]


def test_news_is_refused_not_scored() -> None:
    documents, sentences = texts("会议报道")
    with pytest.raises(MethodError, match="会议报道"):
        pmc.items(documents, sentences)
    other, lines = texts("工作部署")
    assert set(
        pmc.items(pd.concat([other, other.assign(doc_id="n", genre="图片新闻")]), lines)["doc_id"]
    ) == {"d"}
