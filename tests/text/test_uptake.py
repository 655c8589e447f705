"""The ledger: first and last use, adopters, variants, the curve, and what a period brought."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError, RequestError
from analysis.text.phrases import mentions
from analysis.text.uptake import adoption, canonical, ledger, logistic, s_curve, taken_up, turnover


def documents(*rows: tuple[str | None, str | None, str | None, str | None]) -> pd.DataFrame:
    """Rows of body, date, level and region code."""
    return pd.DataFrame(
        [
            {
                "doc_id": f"d{n}",
                "body": body,
                "published": day,
                "event_date": None,
                "level": level,
                "region_code": code,
                "region": code,
            }
            for n, (body, day, level, code) in enumerate(rows)
        ]
    )


TEXT = "推行“阳光晒单”做法。"
FOUR = documents(
    (TEXT, "2023-05-02", "县", "990101"),
    ("村调、企调、校调“三域联调”。" + TEXT, "2022-03-01", "市", "990100"),
    ("“三域联调”见效。", "2024-01-09", "县", "990102"),
    (TEXT, None, "省", "990000"),
)


def test_first_and_last_use() -> None:
    book = ledger(mentions(FOUR), FOUR).set_index("phrase")
    row = book.loc["阳光晒单"]
    assert (row["first_date"], row["last_date"]) == (dt.date(2022, 3, 1), dt.date(2023, 5, 2))
    assert (row["first_doc_id"], row["first_level"], row["first_region"]) == ("d1", "市", "990100")
    assert row["levels"] == ["市", "县"]
    assert (row["uses"], row["documents"], row["places"], row["undated"]) == (3, 3, 3, 1)
    body = FOUR["body"].iloc[1]
    assert body[row["first_start"] : row["first_end"]] == "阳光晒单"
    assert book.loc["三域联调", "parts"] == ["村调", "企调", "校调"]


def test_without_any_date_first_use_is_unknown_not_invented() -> None:
    undated = documents((TEXT, None, None, None))
    row = ledger(mentions(undated), undated).iloc[0]
    assert row["first_date"] is None
    assert row["undated"] == 1
    assert row["levels"] == []


def test_adopters_in_order() -> None:
    table = adoption(mentions(FOUR), FOUR)
    table = table[table["phrase"] == "阳光晒单"]
    assert table[["unit", "order"]].to_numpy().tolist() == [["990100", 1], ["990101", 2]]
    assert table.attrs["left_out"] == 1
    assert adoption(mentions(FOUR), FOUR, by="level")["unit"].isin(["市", "县"]).all()
    with pytest.raises(InputError, match="issuer"):
        adoption(mentions(FOUR), FOUR, by="issuer")


def test_variants_are_gathered() -> None:
    forms = [
        "访调对接",
        "访调对接机制",
        "新时代枫桥经验",
        "枫桥经验",
        "大排查、大化解",
        "大化解、大排查",
        "联动机制",
    ]
    assert canonical(forms) == {
        "访调对接": "访调对接", "访调对接机制": "访调对接", "新时代枫桥经验": "枫桥经验", "枫桥经验": "枫桥经验",
        "大排查、大化解": "大排查、大化解", "大化解、大排查": "大排查、大化解", "联动机制": "联动机制",
    }  # fmt: skip


def test_the_curve_is_recovered() -> None:
    # Twenty adopters exactly on a logistic curve with K = 25, a = -3, b = 2 a year.
    n = np.arange(1, 21)
    years = (np.log(n / (25 - n)) + 3) / 2
    days = [dt.date(2015, 1, 1) + dt.timedelta(days=round(year * 365.25)) for year in years - years[0]]
    curve = s_curve(days)
    assert curve["K"] == pytest.approx(25, rel=0.03)
    assert curve["b"] == pytest.approx(2, rel=0.03)
    assert curve["a"] == pytest.approx(-3 + 2 * years[0], rel=0.05)
    middle = dt.date(2015, 1, 1) + dt.timedelta(days=round((1.5 - years[0]) * 365.25))
    assert abs((curve["inflection"] - middle).days) < 10
    assert curve["note"] is None
    assert curve["rmse"] < 0.2


def test_too_few_adopters_are_said_not_fitted() -> None:
    few = s_curve([dt.date(2020, 1, day) for day in range(1, 5)])
    assert (few["K"], few["n"]) == (None, 4)
    assert "不拟合" in few["note"]
    same_day = s_curve([dt.date(2020, 1, 1)] * 20)
    assert "不拟合" in same_day["note"]
    assert s_curve([])["n"] == 0


def test_logistic() -> None:
    assert logistic(np.array([0.0]), 10, 0, 1)[0] == 5


def test_new_rising_steady_and_retired() -> None:
    filler = "今天多云。" * 40
    table = documents(
        (filler + "学“枫叶经验”。", "2021-06-01", None, None),
        (filler + TEXT + "“旧账清理”。“旧账清理”。" + "学“枫叶经验”。", "2023-06-01", None, None),
        (filler + TEXT * 12 + "“新办通”。学“枫叶经验”。", "2024-06-01", None, None),
        ("“无日期”。", None, None, None),
    )
    found = turnover(mentions(table), table, "2024").set_index("phrase")
    assert found["status"].astype(str).to_dict() == {
        "新办通": "新出现", "阳光晒单": "上升", "枫叶经验": "平稳", "旧账清理": "本期未用",
    }  # fmt: skip
    assert found.loc["阳光晒单", ["uses", "previous_uses"]].tolist() == [12, 1]
    assert found.loc["旧账清理", "doc_id"] == "d1"
    body = table["body"].iloc[2]
    row = found.loc["新办通"]
    assert body[row["start"] : row["end"]] == "新办通"
    assert found.attrs["undated"] == 1


def test_without_a_base_nothing_is_claimed() -> None:
    alone = documents((TEXT, "2024-06-01", None, None))
    table = turnover(mentions(alone), alone, "2024")
    assert table["status"].isna().all()
    assert table["note"].str.contains("无从判断").all()
    gap = documents((TEXT, "2020-06-01", None, None), (TEXT, "2024-06-01", None, None))
    assert "上期没有文档" in turnover(mentions(gap), gap, "2024")["note"].iloc[0]


def test_periods_in_order() -> None:
    with pytest.raises(RequestError, match="之前"):
        turnover(mentions(FOUR), FOUR, "2023", "2024")


def test_the_fuller_date_counts() -> None:
    table = documents((TEXT, "2023", None, None)).assign(event_date="2023-12-20")
    assert ledger(mentions(table), table)["first_date"].iloc[0] == dt.date(2023, 12, 20)


def test_phrases_taken_up_from_the_document_that_used_them_first() -> None:
    two = "推行“阳光晒单”做法，用好“红黄绿灯”机制。"
    texts = documents(
        (two, "2022-03-01", "市", "990100"),
        (two, "2023-05-02", "县", "990101"),
        (TEXT, "2023-06-02", "县", "990102"),
        (two, None, "县", "990103"),
    )
    pairs = taken_up(mentions(texts), texts)
    assert pairs[["doc_id", "source_doc_id"]].to_numpy().tolist() == [["d1", "d0"]]
    assert sorted(pairs["phrases"].iloc[0]) == ["红黄绿灯", "阳光晒单"]
    assert len(taken_up(mentions(texts), texts, least=1)) == 2
    same_day = texts.assign(published="2022-03-01")
    assert taken_up(mentions(same_day), same_day, least=1).empty


def test_uses_in_a_document_that_is_not_given_have_no_date() -> None:
    uses = mentions(FOUR)
    row = ledger(uses, FOUR.iloc[1:]).set_index("phrase").loc["阳光晒单"]
    assert (row["uses"], row["undated"]) == (3, 2)
    assert (row["first_doc_id"], row["last_doc_id"]) == ("d1", "d1")
    assert taken_up(uses, FOUR.iloc[1:], least=1)[["doc_id", "source_doc_id"]].to_numpy().tolist() == [
        ["d2", "d1"]
    ]


def test_each_ledger_agrees_with_counting_by_hand() -> None:
    rng = np.random.default_rng(5)
    names = ["阳光晒单", "三域联调", "访前三问", "夜间议事"]
    rows = []
    for _ in range(40):
        used = rng.choice(names, size=rng.integers(0, 4))
        day = (
            None
            if rng.random() < 0.2
            else str(dt.date(2022, 1, 1) + dt.timedelta(days=int(rng.integers(0, 30))))
        )
        rows.append(
            (
                "".join(f"推行“{name}”。" for name in used) or "无。",
                day,
                "县",
                f"99{rng.integers(1, 4):02d}01",
            )
        )
    frame = documents(*rows)
    uses = mentions(frame)
    book = ledger(uses, frame).set_index("phrase")
    pairs: dict[tuple[str, str], set[str]] = {}
    for name in names:
        where = [(row[1], f"d{n}") for n, row in enumerate(rows) if name in row[0]]
        dated = sorted(day for day, _ in where if day)
        assert book.loc[name, "documents"] == len(where)
        assert book.loc[name, "uses"] == sum(row[0].count(name) for row in rows)
        assert (str(book.loc[name, "first_date"]), str(book.loc[name, "last_date"])) == (dated[0], dated[-1])
        first = [doc for day, doc in where if day == dated[0]]
        for day, doc in where:
            if len(first) == 1 and day and day > dated[0]:
                pairs.setdefault((doc, first[0]), set()).add(name)
    for least in (1, 2):
        found = taken_up(uses, frame, least=least)
        assert {(row.doc_id, row.source_doc_id): set(row.phrases) for row in found.itertuples()} == {
            pair: shared for pair, shared in pairs.items() if len(shared) >= least
        }


def test_a_year_may_be_a_number() -> None:
    uses = mentions(FOUR)
    pd.testing.assert_frame_equal(turnover(uses, FOUR, 2023, 2022), turnover(uses, FOUR, "2023", "2022"))  # type: ignore[arg-type]
