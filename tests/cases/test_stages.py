"""Stage times against lifelines and by hand; verdicts on paths against their definitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import cases, codebooks
from analysis.cases import duration, stages
from analysis.cases.duration import DONE, LEFT, OPEN
from analysis.errors import RequestError

PATH = ["受理", "分析", "流转", "处置", "督办", "反馈", "考核"]
Make = Callable[..., cases.Cases]


def events(matter: str, *steps: tuple[str, str], body: str = "甲局") -> list[dict[str, object]]:
    return [{"matter_id": matter, "stage": stage, "at": at, "body": body} for stage, at in steps]


def matter(id: str, **more: object) -> dict[str, object]:
    return {
        "matter_id": id,
        "system": "信访",
        "locality_code": "990102",
        "registered_at": "2024-01-02",
        **more,
    }


WHOLE = tuple(zip(["受理", "分析", "流转", "处置", "反馈", "考核"],
                  ["2024-01-02", "2024-01-03", "2024-01-05", "2024-01-08", "2024-02-20", "2024-03-10"], strict=True))  # fmt: skip


# ---- verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "gone", "kind", "skipped", "turned"),
    [
        ("受理→分析→流转→处置→反馈→考核", False, "closed", (), ()),
        ("受理→分析→流转→处置→督办→反馈→考核", False, "closed", (), ()),
        ("受理→分析→反馈→考核", False, "closed", (), ()),  # answered by the office itself
        ("受理→分析→流转→流转→处置", False, "underway", (), ()),
        ("受理→分析→流转", True, "ended", (), ()),
        ("受理→流转→处置→反馈→考核", False, "skipped", ("分析",), ()),
        ("受理→分析→流转→反馈", False, "skipped", ("处置",), ()),
        ("受理→分析→流转→处置→流转→处置→反馈→考核", False, "reversed", (), (("处置", "流转"),)),
        ("考核→受理", False, "reversed", ("分析", "反馈"), (("考核", "受理"),)),
    ],
)
def test_verdicts(
    path: str, gone: bool, kind: str, skipped: tuple[str, ...], turned: tuple[object, ...]
) -> None:
    found = stages.judge(path, gone=gone)
    assert (found.kind, found.skipped, found.reversed) == (kind, skipped, turned)
    assert found.finished == ("考核" in path)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PATH), min_size=1, max_size=9), st.booleans())
def test_a_verdict_is_one_of_five_and_says_why(path: list[str], gone: bool) -> None:
    found = stages.judge(path, gone=gone)
    assert found == stages.judge(stages.ARROW.join(path), gone=gone)
    assert found.kind in codebooks.load("stages")["verdicts"]
    in_order = [PATH.index(stage) for stage in path] == sorted(PATH.index(stage) for stage in path)
    assert (found.reversed == ()) == in_order
    assert not set(found.skipped) & {*path, "督办"}
    if found.kind == "closed":
        assert in_order
        assert {"受理", "分析", "反馈", "考核"} <= {*path}
    assert (found.kind == "reversed") == (not in_order)


# ---- times -----------------------------------------------------------------------------------------------------------


def test_days_between_events_by_hand(tables: Make) -> None:
    made = stages.times(tables(matters=[matter("1")], events=events("1", *WHOLE)), as_of="2024-03-31")
    assert made["stage"].tolist() == ["受理", "分析", "流转", "处置", "反馈"]
    assert made[["n", "done", "left", "open"]].to_numpy().tolist() == [[1, 1, 0, 0]] * 5
    assert made["median"].isna().all()  # one spell is no distribution
    assert (made["note"] == "受小样本影响").all()


def test_open_stages_are_censored_and_withdrawal_competes(tables: Make) -> None:
    """Twelve matters in 处置: ten answered after 10, 20 … 100 days, one still there, one withdrawn on day 5."""
    start = pd.Timestamp("2024-01-01")
    day = lambda n: (start + pd.Timedelta(days=n)).date().isoformat()  # noqa: E731
    rows = [row for k in range(1, 11) for row in events(str(k), ("处置", day(0)), ("反馈", day(10 * k)))]
    rows += events("11", ("处置", day(0))) + events("12", ("处置", day(0)))
    source = tables(
        matters=[matter(str(k)) for k in range(1, 12)] + [matter("12", withdrawn_at=day(5))], events=rows
    )
    made = stages.times(source, as_of=day(150)).set_index("stage").loc["处置"]
    assert (made["n"], made["done"], made["left"], made["open"]) == (12, 10, 1, 1)
    # Ends on day 5 and days 10 … 100 of twelve, one censored at 150: six of twelve are over on day 50.
    assert made["median"] == 50
    assert made["over"] == pytest.approx(5 / 12)  # days 70 … 100 and the open one
    assert made["limit"] == 60
    earlier = stages.times(source, as_of=day(40)).set_index("stage").loc["处置"]
    assert (earlier["done"], earlier["open"]) == (4, 7)
    assert np.isinf(earlier["median"])
    assert np.isnan(earlier["over"])  # nobody has been watched for sixty days yet


ROWS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([OPEN, DONE, DONE, LEFT])), min_size=10, max_size=60
)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_medians_and_bands_are_those_of_lifelines(rows: list[tuple[int, int]]) -> None:
    spells = pd.DataFrame(rows, columns=["day", "event"]).assign(n=1.0)
    table = spells.groupby(["day", "event"], as_index=False)["n"].sum()
    ours = stages._described(spells, {"days": 15}, least=10)
    assert ours["n"] == ours["done"] + ours["left"] + ours["open"]
    if not (table["event"] != OPEN).any():
        return
    curve = duration.curve(table)
    if curve["waiting"].sub(0.5).abs().min() > 1e-9:  # at exactly one half the last bit decides
        assert (ours["median"], ours["low"], ours["high"]) == duration.median(table)
    if "over" in ours and (curve["day"] <= 15).any():
        at = curve[curve["day"] <= 15].iloc[-1]
        assert ours["over"] == pytest.approx(at["waiting"], abs=1e-12)
        assert ours["over_low"] <= ours["over"] <= ours["over_high"]
        if 0 < at["waiting"] < 1:
            assert (ours["over_low"], ours["over_high"]) == pytest.approx((at["low"], at["high"]), abs=1e-12)


def test_groups_and_periods(tables: Make) -> None:
    rows = events("1", *WHOLE) + events("2", ("受理", "2024-02-01"), ("分析", "2024-02-02"), body="乙局")
    source = tables(matters=[matter("1"), matter("2", locality_code="990203")], events=rows)
    as_of = "2024-03-31"
    by_body = stages.times(source, "body", as_of=as_of)
    assert by_body.groupby("group")["n"].sum().to_dict() == {"甲局": 5, "乙局": 2}
    by_month = stages.times(source, "month", as_of=as_of)
    assert by_month.groupby("group")["n"].sum().to_dict() == {"2024-01": 4, "2024-02": 3}
    assert stages.times(source, period="2024-02", as_of=as_of)["n"].sum() == 3
    assert stages.times(source, region="990200", as_of=as_of)["n"].sum() == 2
    assert set(stages.times(source, "city", as_of=as_of)["group"]) == {"990100", "990200"}
    assert stages.closure(source, region="990100", as_of=as_of)["closed"].tolist() == [1]


# ---- closure ---------------------------------------------------------------------------------------------------------


def test_closure_by_hand(tables: Make) -> None:
    rows = [
        *events("1", *WHOLE),
        *events("2", *(step for step in WHOLE if step[0] != "分析")),
        *events("3", *WHOLE[:4]),
        *events("4", *WHOLE[:3]),
        *events("5", *WHOLE[:4], ("考核", "2024-02-10"), ("反馈", "2024-02-20")),
    ]
    named = [matter(str(k)) for k in range(1, 6)]
    named[3] |= {"transferred_at": "2024-01-10"}
    source = tables(matters=named, events=rows)
    (row,) = stages.closure(source, as_of="2024-03-31").to_dict("records")
    kinds = ("closed", "skipped", "underway", "ended", "reversed")
    assert [row[kind] for kind in kinds] == [1, 1, 1, 1, 1]
    assert (row["n"], row["finished"]) == (5, 3)
    assert row["value"] == pytest.approx(1 / 3)
    found = stages.breaks(stages.judged(source, as_of="2024-03-31"))
    assert {(b["kind"], b["stage"], b["n"]) for b in found.to_dict("records")} == {
        ("skipped", "分析", 1),
        ("reversed", "反馈", 1),
    }
    wrong = stages.irregular(source, as_of="2024-03-31")
    assert wrong["matter_id"].astype(str).tolist() == ["2", "5"]
    # On the day it was transferred nothing else had happened yet: as known then, 1, 2 and 3 were under way.
    early = stages.closure(source, as_of="2024-01-12").iloc[0]
    assert (early["finished"], early["ended"], early["skipped"]) == (0, 1, 1)


def test_a_matter_twice_in_the_source_is_one(tables: Make) -> None:
    source = tables(matters=[matter("1"), matter("1")], events=events("1", *WHOLE))
    assert stages.closure(source, as_of="2024-03-31")["n"].tolist() == [1]


def test_what_cannot_be_asked(tables: Make) -> None:
    source = tables(matters=[matter("1")], events=events("1", *WHOLE))
    with pytest.raises(RequestError, match="分组"):
        stages.times(source, "channel")
    with pytest.raises(RequestError, match="路径"):
        stages.closure(source, "body")
    with pytest.raises(RequestError, match="无数据来源"):
        stages.times(tables(matters=[matter("1")]))


# ---- the sample ------------------------------------------------------------------------------------------------------


def test_the_sample_again_from_its_events(root) -> None:
    source = cases.load(root / "data/sample/cases")
    rows = pd.read_parquet(root / "data/sample/cases/events.parquet")
    known = pd.read_parquet(root / "data/sample/cases/matters.parquet", columns=["matter_id", "system"])
    ours = rows[rows["matter_id"].isin(known.loc[known["system"] == "信访", "matter_id"])]
    made = stages.times(source).set_index("stage")
    assert made["n"].to_dict() == {
        stage: n for stage, n in ours["stage"].value_counts().to_dict().items() if stage != "考核"
    }
    wide = ours.pivot_table(index="matter_id", columns="stage", values="at", aggfunc="min")
    assert made.loc["受理", "over"] < 0.01
    assert stages.closure(source)["n"].iloc[0] == len(wide)
    planted = source.metadata["planted"]["stages"]
    skipped = stages.breaks(stages.judged(source)).set_index(["kind", "stage"])["n"]
    assert skipped["skipped", "分析"] == pytest.approx(len(wide) / planted["unrecorded"]["分析"], rel=0.1)
    assert (wide["考核"] < wide["反馈"]).sum() == skipped["reversed", "反馈"]
