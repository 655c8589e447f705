"""Text reuse, checked on hand-made texts, against a brute-force share, and on the real petition regulations."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.text.diffusion import attribute
from analysis.text.reuse import Han, candidate_pairs, common_runs, reuse, shares, winnow

PLAN = "各县区应当在每季度末汇总信访事项的登记和受理情况,并于次月十日前报送市信访工作联席会议办公室。"
OTHER = "本方案自印发之日起施行,由市社会治理中心负责解释,此前规定与本方案不一致的以本方案为准。"


def frame(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(rows).reindex(columns=["doc_id", "body", "published", "level"])


def brute_cover(new: str, old: str, gram: int) -> float:
    """Share of Han characters of ``new`` that lie in an n-gram that ``old`` has, by sets of strings."""
    a, b = ("".join(re.findall("[\u4e00-\u9fff]", one)) for one in (new, old))
    have = {b[k : k + gram] for k in range(len(b) - gram + 1)}
    covered = [False] * len(a)
    for k in range(len(a) - gram + 1):
        if a[k : k + gram] in have:
            covered[k : k + gram] = [True] * gram
    return sum(covered) / max(1, len(a))


def test_finds_a_moved_paragraph_with_both_spans() -> None:
    old = PLAN + "\n" + OTHER
    new = "为做好工作,制定本通知。\n" + OTHER + "\n" + PLAN
    spans = reuse(
        frame(
            {"doc_id": "new", "body": new, "published": "2024-02-01"},
            {"doc_id": "old", "body": old, "published": "2023-05-01"},
        )
    )
    assert set(spans["doc_id"]) == {"new"}
    assert len(spans) == 2
    for row in spans.itertuples():
        mine, theirs = new[row.start : row.end], old[row.source_start : row.source_end]
        assert re.sub(r"\W", "", mine) == re.sub(r"\W", "", theirs)
        assert row.text == mine


def test_punctuation_and_line_breaks_do_not_hide_a_copy() -> None:
    broken = PLAN.replace("的登记", "的\n\n登记").replace(",", "，")
    spans = reuse(
        frame(
            {"doc_id": "a", "body": PLAN, "published": "2023-01-01"},
            {"doc_id": "b", "body": broken, "published": "2023-02-01"},
        )
    )
    assert spans["length"].sum() == len(re.findall("[\u4e00-\u9fff]", PLAN))


def test_the_earlier_date_is_the_source_and_the_higher_level_on_the_same_day() -> None:
    spans = reuse(
        frame(
            {"doc_id": "county", "body": PLAN, "published": "2023-01-01", "level": "县"},
            {"doc_id": "city", "body": PLAN, "published": "2023-01-01", "level": "市"},
            {"doc_id": "undated", "body": PLAN, "published": None, "level": "省"},
        )
    )
    assert set(zip(spans["doc_id"], spans["source_doc_id"], strict=True)) == {
        ("county", "city"),
        ("undated", "county"),
        ("undated", "city"),
    }


def test_nothing_in_common_and_too_little_text() -> None:
    assert reuse(frame({"doc_id": "a", "body": PLAN}, {"doc_id": "b", "body": OTHER})).empty
    assert reuse(
        frame({"doc_id": "a", "body": ""}, {"doc_id": "b", "body": None}, {"doc_id": "c", "body": "短文"})
    ).empty
    assert reuse(frame()).empty


def test_ritual_runs_are_set_apart() -> None:
    opening = "要始终坚持以人民为中心的发展思想扎实推进新时代各项工作取得新的更大成效。"
    bodies = [opening + f"第{k}份文件说的事情各不相同编号{chr(0x4E00 + 37 * k) * 15}。" for k in range(20)]
    bodies[1] += PLAN
    bodies[2] += PLAN
    spans = reuse(
        frame(
            *(
                {"doc_id": str(k), "body": body, "published": f"2023-01-{k + 1:02d}"}
                for k, body in enumerate(bodies)
            )
        )
    )
    assert not spans.loc[spans["text"].str.contains("次月十日"), "ritual"].any()
    assert spans.loc[spans["text"].str.contains("以人民为中心"), "ritual"].all()


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="信访事项办理期限登记", max_size=120),
    st.text(alphabet="信访事项办理期限登记,。\n", max_size=120),
)
def test_common_runs_cover_what_brute_force_covers(new: str, old: str) -> None:
    a, b = Han.of(new), Han.of(old)
    runs = list(common_runs(a, b, 4))
    covered = sum(length for _, _, length in runs)
    assert covered / max(1, len(a.codes)) == pytest.approx(brute_cover(new, old, 4))
    end = 0
    for start, other, length in runs:
        assert start >= end
        end = start + length
        assert (a.codes[start:end] == b.codes[other : other + length]).all()


def test_winnowing_keeps_a_print_of_every_long_enough_run() -> None:
    run = "办理机关应当自收到申请之日起依法作出书面答复"
    one, two = Han.of("甲乙丙丁" + run), Han.of(run + "戊己庚辛壬癸")
    prints = [winnow(text.grams(10), 6) for text in (one, two)]
    assert len(run) >= 15
    assert candidate_pairs(prints) == [(0, 1)]


# text_methods.md 2.4: share in runs of ten from the text of 2005, the same from that of 2022, containment of 5-grams in 2005.
REGULATIONS = {
    "信访工作条例": (0.290, None, 0.368),
    "北京市信访条": (0.313, 0.124, 0.346),
    "上海市信访条": (0.308, 0.107, 0.281),
    "浙江省信访条": (0.254, 0.117, 0.257),
    "山东省信访条": (0.233, 0.134, 0.384),
    "河南省信访条": (0.120, 0.060, 0.159),
    "深圳经济特区": (0.012, 0.005, 0.044),
}


@pytest.fixture(scope="module")
def regulations(shared: Path) -> pd.DataFrame:
    files = sorted((shared / "corpus" / "regulations").glob("*.md"))
    return frame(
        *(
            {
                "doc_id": file.stem[:6].partition("(")[0],
                "body": file.read_text(encoding="utf-8"),
                "published": date[1] if (date := re.search(r"(\d{4}-\d\d-\d\d)", file.name)) else None,
            }
            for file in files
        )
    )


def test_shares_of_the_real_regulations(regulations: pd.DataFrame) -> None:
    """Each within ±0.02 (measured there with another program)."""
    table = shares(reuse(regulations), regulations).set_index(["doc_id", "source_doc_id"])["share"]
    for doc, (share, *_) in REGULATIONS.items():
        assert table[(doc, "信访条例")] == pytest.approx(share, abs=0.02), doc


def test_shares_of_the_real_regulations_in_each_candidate(regulations: pd.DataFrame) -> None:
    """From 2005 and from 2022 alike, whichever came first: the table's figures to the third decimal."""
    table = attribute(regulations, ["信访条例", "信访工作条例"]).set_index(["doc_id", "candidate"])["share"]
    for doc, (old, new, _) in REGULATIONS.items():
        assert table[(doc, "信访条例")] == pytest.approx(old, abs=1e-3), doc
        if new is not None:
            assert table[(doc, "信访工作条例")] == pytest.approx(new, abs=1e-3), doc


def test_containment_of_the_real_regulations(regulations: pd.DataFrame) -> None:
    """Different 5-grams in common ÷ those of the shorter text."""
    grams = {
        doc: set(Han.of(body).grams(5).tolist())
        for doc, body in zip(regulations["doc_id"], regulations["body"], strict=True)
    }
    old = grams["信访条例"]
    for doc, (*_, contained) in REGULATIONS.items():
        found = len(grams[doc] & old) / min(len(grams[doc]), len(old))
        assert found == pytest.approx(contained, abs=0.02), doc
