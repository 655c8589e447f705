"""Diffusion: attribution, clause comparison, direction, and whether the kinds of evidence agree."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.text.diffusion import attribute, changes, direction, evidence, inheritance, spread

OLD = "第一条 信访事项应当自收到之日起十五日内登记并告知。第二条 办理机关应当在六十日内办结信访事项。第三条 本办法由市政府负责解释并组织实施。"
NEW = "第一条 信访事项应当自收到之日起十五日内登记并告知。第二条 办理机关应当在三十日内办结初次信访事项。第四条 建立信访工作法治化观察员制度并定期评议。"


def test_clauses_copied_adapted_added_and_dropped() -> None:
    table = changes(NEW, OLD)
    assert table["status"].tolist() == ["照搬", "改写", "新增", "删去"]
    for row in table.dropna(subset=["start"]).itertuples():
        assert NEW[row.start : row.end] == row.text
    assert OLD[table["old_start"].iloc[3] : table["old_end"].iloc[3]].endswith("组织实施。")
    assert changes("", OLD)["status"].unique().tolist() == ["删去"]
    assert changes(OLD, OLD)["status"].unique().tolist() == ["照搬"]


def test_real_regulations_go_back_to_2005_not_to_2022(shared: Path) -> None:
    rows = []
    for file in sorted((shared / "corpus" / "regulations").glob("*.md")):
        date = re.search(r"(\d{4}-\d\d-\d\d)", file.name)
        rows.append(
            {
                "doc_id": file.stem[:4],
                "body": file.read_text(encoding="utf-8"),
                "published": date[1] if date else None,
            }
        )
    documents = pd.DataFrame(rows)
    table = attribute(documents, ["信访条例", "信访工作"])
    best = table.loc[table["attributed"]].set_index("doc_id")["candidate"]
    for province in ("北京市信", "上海市信", "浙江省信", "山东省信", "河南省信"):
        assert best[province] == "信访条例"
    assert best["信访工作"] == "信访条例"
    assert "深圳经济" not in best
    control = table.loc[table["doc_id"] == "深圳经济", "share"]
    assert (control < 0.02).all()
    beijing = table.loc[table["doc_id"] == "北京市信"].set_index("candidate")["share"]
    assert beijing["信访工作"] == pytest.approx(0.124, abs=0.02)


def test_unknown_candidate_is_named() -> None:
    with pytest.raises(InputError, match="乙"):
        attribute(pd.DataFrame({"doc_id": ["甲"], "body": [OLD]}), ["乙"])


def test_direction_by_level_and_days_by_date() -> None:
    documents = pd.DataFrame(
        {
            "doc_id": list("abc"),
            "level": ["省", "县", None],
            "region": ["示例省", None, None],
            "published": ["2023-01-01", "2023-01-31", None],
        }
    )
    pairs = pd.DataFrame({"doc_id": ["b", "a", "c"], "source_doc_id": ["a", "b", "a"]})
    table = direction(pairs, documents)
    assert table["direction"].fillna("?").tolist() == ["下行", "上行", "?"]
    assert table["days"].fillna(-999).tolist() == [30, -30, -999]


def test_evidence_agrees_or_conflicts() -> None:
    reused = pd.DataFrame(
        {"doc_id": ["b", "d", "f"], "source_doc_id": ["a", "c", "e"], "share_proper": [0.4, 0.3, 0.01]}
    )
    cited = pd.DataFrame({"doc_id": ["b", "c", "f"], "resolved_to": ["a", "d", None]})
    adopted = pd.DataFrame({"doc_id": ["f"], "source_doc_id": ["e"]})
    table = evidence(reused, cited, adopted).set_index(["a", "b"])
    assert table["verdict"].to_dict() == {("a", "b"): "一致", ("c", "d"): "冲突", ("e", "f"): "单一证据"}
    assert table.loc[("a", "b"), "reuse"] == "a→b"
    assert table.loc[("c", "d"), "citation"] == "b→a"
    assert pd.isna(table.loc[("e", "f"), "reuse"])


def test_spread_and_inheritance_by_hand() -> None:
    adoptions = pd.DataFrame(
        {
            "policy": ["预登记"] * 3,
            "unit": ["甲县", "乙县", "甲县"],
            "date": ["2022-01-01", "2023-01-01", "2024-01-01"],
        }
    )
    row = spread(adoptions, units=10).iloc[0]
    assert (row["intensity"], row["breadth"], row["breadth_share"]) == (3, 2, 0.2)
    assert row["speed"] == pytest.approx(2 / (730 / 365.25))
    assert inheritance({"预防", "受理"}, {"受理", "办理", "监督"}) == (0.5, pytest.approx(2 / 3))
