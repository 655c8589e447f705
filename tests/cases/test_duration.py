from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import cases
from analysis.cases import duration
from analysis.cases.duration import DONE, LEFT, OPEN
from analysis.errors import MethodError, RequestError

AS_OF = "2016-01-12T22:22:40"


def histogram(days: object, events: object, group: object = "") -> pd.DataFrame:
    rows = pd.DataFrame({"day": np.asarray(days), "event": np.asarray(events)}).assign(group=group)
    return rows.groupby(["group", "day", "event"], as_index=False).size().rename(columns={"size": "n"})


# ---- ends without a time of day ----------------------------------------------------------------------------------------


def mixed(tmp_path: Path, *ends: str) -> cases.Cases:
    """Matters registered at nine on 5 March, with these ends."""
    rows = "".join(f"{number},2024-03-05 09:00,{end}\n" for number, end in enumerate(ends))
    (tmp_path / "matters.csv").write_text("事项编号,登记日期,办结日期\n" + rows, encoding="utf-8")
    return cases.load(tmp_path / "matters.csv")


def test_an_end_on_the_day_of_the_start_is_not_before_it(tmp_path: Path) -> None:
    made = mixed(tmp_path, "2024-03-05", "2024-03-06", "2024-03-08", "2024-03-04", "")
    table = duration.histogram(made, as_of="2024-03-31")
    assert table.attrs["impossible"] == 1
    assert dict(zip(table["day"], table["event"], strict=True)) == {0: DONE, 1: DONE, 3: DONE, 26: OPEN}
    found = cases.indicators(made, "2024-03", as_of="2024-03-31").set_index(["indicator", "variant", "view"])
    assert found.loc[("outflow", "headline", "本期"), "value"] == 3
    assert cases.check(made).attrs["counts"]["closed_before_open"] == 1


def test_where_some_ends_have_a_time_only_the_same_day_is_surely_a_bare_one(tmp_path: Path) -> None:
    made = mixed(tmp_path, "2024-03-05", "2024-03-06 00:00", "2024-03-07 10:00", "2024-03-05 08:00")
    table = duration.histogram(made, as_of="2024-03-31")
    assert table.attrs["impossible"] == 1
    assert dict(zip(table["day"], table["n"], strict=True)) == {0: 2, 2: 1}


# ---- published numbers -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    from lifelines.datasets import load_lung

    rows = load_lung()
    return histogram(rows["time"], rows["status"].astype(int))


def test_lung(lung: pd.DataFrame) -> None:
    assert (lung["n"].sum(), lung.loc[lung["event"] == DONE, "n"].sum()) == (228, 165)
    assert duration.median(lung) == (310, 284, 361)
    curve = duration.curve(lung).set_index("day")
    assert curve["waiting"][curve.index <= 365].iloc[-1] == pytest.approx(0.40924, abs=5e-6)
    assert duration.rmst(lung, 365)[0] == pytest.approx(263.22, abs=5e-3)


def test_waltons() -> None:
    from lifelines.datasets import load_waltons

    rows = load_waltons()
    assert duration.median(histogram(rows["T"], rows["E"])) == (56, 53, 58)
    chi2, p = duration.compare(histogram(rows["T"], rows["E"], rows["group"]))
    assert chi2 == pytest.approx(122.24912, abs=1e-5)
    assert p == pytest.approx(2.04e-28, rel=5e-3)


def test_open_hotline(boston: cases.Cases) -> None:
    table = duration.histogram(boston, "responsible_body", AS_OF)
    assert table.attrs["impossible"] == 197
    assert (table["n"].sum(), table.loc[table["event"] == DONE, "n"].sum()) == (120_948, 101_075)
    whole = table.groupby(["day", "event"], as_index=False)["n"].sum().assign(group="")
    waiting = duration.curve(whole).set_index("day")["waiting"]
    published = {1: 0.613, 7: 0.427, 15: 0.338, 30: 0.264, 60: 0.211, 90: 0.184}
    assert waiting[list(published)].round(3).to_dict() == published
    medians = duration.summary(table).set_index("group")["median"]
    assert medians[["BTDT", "PARK", "ISD", "PROP", "PWDx", "BWSC"]].tolist() == [4, 9, 17, 18, 1, 6]
    assert np.isnan(
        medians["INFO"]
    )  # four in five still open: there is no median, whatever the closed ones say
    four = table[table["group"].isin(["BTDT", "ISD", "PARK", "PWDx"])]
    assert duration.compare(four)[0] == pytest.approx(14656.02, abs=0.005)


# ---- against lifelines and by hand -------------------------------------------------------------------------------------

ROWS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([OPEN, DONE, DONE])), min_size=2, max_size=60)


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_the_quick_summary_is_the_curve_of_lifelines(rows: list[tuple[int, int]]) -> None:
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    days, events = (np.array(part) for part in zip(*rows, strict=True))
    fit = KaplanMeierFitter().fit(days, events != OPEN)
    table = histogram(days, events)
    quick = duration.summary(table).iloc[0]
    for limit in (15, 60, 90):
        assert 1 - quick[f"within_{limit}"] == pytest.approx(fit.predict(limit), abs=1e-9)
    assert quick["rmst"] == pytest.approx(restricted_mean_survival_time(fit, 60), abs=1e-9)
    assert duration.rmst(table, 60)[0] == pytest.approx(quick["rmst"], abs=1e-9)
    if (
        fit.survival_function_.iloc[:, 0].sub(0.5).abs().min() > 1e-9
    ):  # at exactly one half the last bit decides
        median = fit.median_survival_time_
        assert quick["median"] == median or (np.isnan(quick["median"]) and np.isinf(median))


def test_many_groups_at_once_equal_one_at_a_time() -> None:
    rng = np.random.default_rng(5)
    table = histogram(
        rng.integers(0, 50, 900), rng.choice([OPEN, DONE, LEFT], 900), rng.choice(list("abcde"), 900)
    )
    together = duration.summary(table).set_index("group")
    for name, rows in table.groupby("group"):
        pd.testing.assert_series_equal(
            together.loc[name], duration.summary(rows).set_index("group").loc[name]
        )


def test_competing_risks_against_the_jittered_fitter() -> None:
    from lifelines import AalenJohansenFitter

    rng = np.random.default_rng(7)
    days = rng.permutation(400)[:150]  # no ties, so that lifelines has nothing to jitter
    events = rng.choice([OPEN, DONE, LEFT], 150, p=[0.2, 0.5, 0.3])
    ours = duration.incidence(histogram(days, events)).set_index("day")
    theirs = AalenJohansenFitter().fit(days, events, event_of_interest=1)
    shares = theirs.cumulative_density_.iloc[:, 0]
    assert np.allclose(ours["done"], shares.reindex(ours.index), atol=1e-12)
    assert np.allclose(ours["waiting"] + ours["done"] + ours["left"], 1)
    middle = ours.index[20:-20]
    assert np.allclose(ours.loc[middle, "se_done"] ** 2, np.ravel(theirs.variance_.loc[middle]), rtol=0.05)


def test_leaving_is_no_reply_and_no_censoring() -> None:
    table = histogram([1, 2, 3, 4], [DONE, LEFT, DONE, OPEN])
    last = duration.incidence(table).iloc[-1]
    assert (last["done"], last["left"]) == pytest.approx((0.5, 0.25))
    assert duration.summary(table)["median"].iloc[0] == 3


def test_aggregated_rows_give_the_curve_of_the_rows() -> None:
    from lifelines import KaplanMeierFitter

    rng = np.random.default_rng(3)
    days, events = rng.integers(0, 90, 5000), rng.choice([OPEN, DONE], 5000)
    curve = duration.curve(histogram(days, events)).set_index("day")
    raw = KaplanMeierFitter().fit(days, events)
    assert np.abs(curve["waiting"] - raw.predict(curve.index)).max() < 1e-12
    assert np.allclose(curve["low"], raw.confidence_interval_.iloc[:, 0].reindex(curve.index), atol=1e-12)


def test_rmst_interval_covers() -> None:
    """95 % intervals of the restricted mean over 400 draws: coverage between 92 and 98 %."""
    rng = np.random.default_rng(11)
    truth = 30 * (1 - np.exp(-60 / 30))
    inside = 0
    for _ in range(400):
        waits, ends = rng.exponential(30, 150), rng.uniform(20, 200, 150)
        table = histogram(np.minimum(waits, ends), np.where(waits <= ends, DONE, OPEN))
        _, _, low, high = duration.rmst(table, 60)
        inside += low <= truth <= high
    assert 0.92 <= inside / 400 <= 0.98


def test_nothing_to_say() -> None:
    with pytest.raises(MethodError):
        duration.curve(histogram([], []))
    with pytest.raises(MethodError, match="一组"):
        duration.compare(histogram([1, 2], [1, 1]))


def test_without_dates(tables: object) -> None:
    with pytest.raises(RequestError, match="无数据来源"):
        duration.histogram(tables(matters=[{"matter_id": "1", "registered_at": "2024-01-01"}]))  # type: ignore[operator]


def test_a_median_reached_exactly_does_not_depend_on_the_groups_before() -> None:
    """Half are done on day 38 and not before, whatever stands above: a running sum through all groups missed it."""
    rng = np.random.default_rng(5)
    many = [
        {"group": f"{k:04d}", "day": int(day), "event": duration.DONE, "n": float(rng.integers(1, 9))}
        for k in range(3000)
        for day in np.unique(rng.integers(0, 90, 40))
    ]
    last = [
        {"group": "z", "day": day, "event": duration.DONE, "n": n}
        for day, n in ((5, 37.0), (12, 41.0), (20, 29.0), (38, 8.0), (60, 115.0))
    ]
    wide = duration.summary(pd.DataFrame([*many, *last])).set_index("group")
    assert wide.loc["z", "median"] == 38
    assert wide.loc["z", "within_60"] == pytest.approx(1.0, abs=1e-15)
    alone = duration.summary(pd.DataFrame(last)).set_index("group").loc["z"]
    pd.testing.assert_series_equal(wide.loc["z"], alone, check_exact=True)
