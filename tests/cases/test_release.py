"""All briefs of a province together: everything that any of them shows, as one system, gives back no small count."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import linprog

from analysis import regions
from analysis.cases import registry, release
from analysis.cases.release import Release
from analysis.periods import Period

PROVINCE = "990000"
CHANNELS = ("来信", "来访", "网信", "电话")
MONTHS = ("2024-01", "2024-02", "2024-03")


@pytest.fixture(scope="module")
def places():
    book = regions.load()
    cities = [city.code for city in book.children(PROVINCE)]
    return {city: [county.code for county in book.children(city)][:5] for city in cities[:4]}


@pytest.fixture(scope="module")
def counts(places):
    """County × channel × month, many of them small."""
    rng = np.random.default_rng(11)
    return {
        (county, channel, month): int(rng.poisson(size * rate))
        for counties in places.values()
        for county, size in zip(counties, rng.gamma(2, 0.6, len(counties)), strict=True)
        for channel, rate in zip(CHANNELS, (4, 12, 16, 5), strict=True)
        for month in MONTHS
    }


def margin(counts):
    rows = []
    for (county, channel, month), n in counts.items():
        for indicator, variant, part in (("pieces", "channel", channel), ("pieces", "headline", "")):
            rows.append((indicator, variant, part, county, "", month, "sum", n, np.nan))
        if channel == "来访":
            rows.append(("batches", "headline", "", county, "", month, "sum", n, np.nan))
    names = [
        "indicator",
        "variant",
        "part_of",
        "region",
        "group",
        "month",
        "mode",
        "numerator",
        "denominator",
    ]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(month=pd.to_datetime(frame["month"]))


@pytest.fixture
def made(counts, monkeypatch):
    monkeypatch.setattr(release, "margins", lambda *_: SimpleNamespace(table=margin(counts)))
    monkeypatch.setattr(release, "moment", lambda *_: dt.datetime(2024, 4, 1))
    monkeypatch.setattr(release, "_by_topic", lambda *_: pd.DataFrame())
    return Release(None, "strict_suppress")  # type: ignore[arg-type]


def rows(places):
    """What the briefs ask: each place, each month, with its year to date and the change on the month before."""
    codes = [PROVINCE, *places, *(county for counties in places.values() for county in counties)]
    asked = [
        ("pieces", variant, part, view, code, month)
        for code in codes
        for month in MONTHS
        for view in ("本期", "本年累计", "环比")
        for variant, part in (("headline", None), *(("channel", channel) for channel in CHANNELS))
    ]
    asked += [("batches", "headline", None, "本期", code, month) for code in codes for month in MONTHS]
    names = ["indicator", "variant", "part_of", "view", "region_code", "period"]
    return pd.DataFrame(asked, columns=names).assign(numerator=np.nan, denominator=np.nan)


def cells_of(row, places):
    """The county cells that a row adds up."""
    code = row["region_code"]
    counties = [
        county for city, group in places.items() for county in group if code in (PROVINCE, city, county)
    ]
    parts = ["来访"] if row["indicator"] == "batches" else [row["part_of"]] if row["part_of"] else CHANNELS
    at = MONTHS.index(row["period"])
    months = MONTHS[: at + 1] if row["view"] == "本年累计" else MONTHS[at : at + 1]
    return [(county, part, month) for county in counties for part in parts for month in months]


def test_no_brief_and_no_two_briefs_give_back_a_small_count(made, counts, places):
    asked = rows(places)
    shown = asked[made.shows(asked)]
    shown = shown[shown["view"] != "环比"]  # adds its base, which is another row
    assert 0.3 < len(shown) / len(asked[asked["view"] != "环比"]) < 1
    place = {cell: number for number, cell in enumerate(counts)}
    lines = [[place[cell] for cell in cells_of(row, places)] for row in shown.to_dict("records")]
    matrix = sparse.lil_matrix((len(lines), len(place)))
    for number, line in enumerate(lines):
        matrix[number, line] = 1
    truth = np.array(list(counts.values()), float)
    matrix = matrix.tocsr()
    small = np.flatnonzero((truth > 0) & (truth <= 4))
    assert len(small) > 40
    for cell in np.random.default_rng(0).choice(small, 40, replace=False):
        goal = np.zeros(len(truth))
        for sign, need in ((1, 0), (-1, -4)):
            goal[cell] = sign
            found = linprog(goal, A_eq=matrix, b_eq=matrix @ truth, bounds=(0, 10_000))
            assert found.fun <= need + 1e-6, list(counts)[cell]


def test_a_change_and_a_year_are_shown_only_with_all_their_months(made, places):
    asked = rows(places)
    asked["shown"] = made.shows(asked)
    keys = ["indicator", "variant", "part_of", "region_code"]
    wide = asked.pivot_table(
        index=keys, columns=["view", "period"], values="shown", dropna=False, aggfunc="first"
    )
    wide = wide.dropna(how="all").astype(object).where(lambda frame: frame.notna(), other=False).astype(bool)
    month = wide["本期"]
    assert (wide["本年累计"]["2024-03"] <= month.all(axis=1)).all()
    assert (wide["环比"]["2024-02"] <= (month["2024-01"] & month["2024-02"])).all()
    assert not month.all(axis=None)


def test_one_cell_is_shown_or_not_under_all_its_names(made, places):
    asked = rows(places)
    asked["shown"] = made.shows(asked)
    now = asked[asked["view"] == "本期"].set_index(["region_code", "period"])
    visits = now[(now["variant"] == "channel") & (now["part_of"] == "来访")]["shown"]
    batches = now[now["indicator"] == "batches"]["shown"]
    assert (visits == batches).all()
    assert not visits.all()


def test_it_does_not_matter_who_asks(made, counts, places, monkeypatch):
    """A county's brief that sees its own city only decides as the province's does."""
    asked = rows(places)
    city = next(iter(places))
    own = asked[asked["region_code"].isin([city, *places[city]])]
    wide = made.shows(own)
    part = {key: n for key, n in counts.items() if key[0] in places[city]}
    monkeypatch.setattr(release, "margins", lambda *_: SimpleNamespace(table=margin(part)))
    narrow = Release(None, "strict_suppress")  # type: ignore[arg-type]
    assert narrow.shows(own) == wide


def test_the_certificate_counts_what_was_asked(made, places):
    asked = rows(places)
    city = next(iter(places))
    made.shows(asked[asked["region_code"].isin(places[city])])
    found = made.certificate()
    assert found["passed"]
    assert found["audited"] == found["primary"] > 0
    assert found["failed"] == 0
    assert found == made.certificate()


def test_topics_below_the_province_are_shown_over_a_year_only(counts, monkeypatch, places):
    table = margin(counts).replace({"variant": {"channel": "topic"}})
    monkeypatch.setattr(release, "margins", lambda *_: SimpleNamespace(table=table))
    monkeypatch.setattr(release, "moment", lambda *_: dt.datetime(2024, 4, 1))
    monkeypatch.setattr(release, "_by_topic", lambda *_: pd.DataFrame())
    made = Release(None, "strict_suppress")  # type: ignore[arg-type]
    city = next(iter(places))
    row = {
        "indicator": "pieces", "variant": "topic", "part_of": "来访", "view": "本期", "period": "2024-03",
        "numerator": np.nan, "denominator": np.nan,
    }  # fmt: skip
    asked = pd.DataFrame([row | {"region_code": code} for code in (places[city][0], city, PROVINCE)])
    assert made.shows(asked)[:2] == [False, False]
    assert made.rolling("pieces", "topic", city)
    assert not made.rolling("pieces", "topic", PROVINCE)
    assert made.shows_year("pieces", "topic", "网信", city, dt.date(2024, 3, 31))


def test_the_finest_topics_are_one_table_over_a_year_below_the_province(monkeypatch, places):
    """Decided alike by a city's own data and by the province's, which have topics that the city has not."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        [
            (county, month, topic, float(rng.poisson(0.1 * 3**number)))
            for counties in places.values()
            for county in counties
            for month in pd.date_range("2023-01-01", "2024-03-01", freq="MS")
            for number, topic in enumerate(("丁", "丙", "乙", "甲"))
        ],
        columns=["region", "month", "part_of", "numerator"],
    ).query("part_of != '丁' or region > '9903'")
    frame = frame.assign(indicator="matters", variant="finest", group="", mode="sum", denominator=np.nan)
    monkeypatch.setattr(release, "margins", lambda *_: SimpleNamespace(table=pd.DataFrame()))
    monkeypatch.setattr(release, "moment", lambda *_: dt.datetime(2024, 4, 1))
    city = next(iter(places))
    months = [Period.parse("2024-03").shift(-back) for back in range(11, -1, -1)]

    def decided(rows):
        monkeypatch.setattr(release, "_by_topic", lambda *_: rows)
        made = Release(None, "strict_suppress")  # type: ignore[arg-type]
        return made, [
            made.shows_topic(topic, code, months)
            for topic in ("丙", "乙", "甲")
            for code in (city, *places[city])
        ]

    whole, shown = decided(frame)
    assert shown == decided(frame[frame["region"].str.startswith(city[:4])])[1]
    assert 0 < sum(shown) < len(shown)
    year = frame[frame["month"] >= "2023-04-01"].groupby(["region", "part_of"])["numerator"].sum()
    for county in places[city]:
        for topic in ("丙", "乙", "甲"):
            assert not (
                year[county, topic] <= 4
                and year[county, topic] > 0
                and whole.shows_topic(topic, county, months)
            )
    assert whole.shows_topic("甲", PROVINCE, months[-1:])
    assert whole.certificate()["passed"]


def test_persons_of_groups_are_shown_only_with_the_number_of_groups(monkeypatch, places):
    city = next(iter(places))
    county = places[city][0]
    rows = [
        ("group_visits", variant, "", code, "", "2024-03", "sum", n, np.nan)
        for code, groups, persons in ((county, 1, 40), (places[city][1], 9, 80))
        for variant, n in (("headline", groups), ("persons", persons))
    ]
    frame = pd.DataFrame(rows, columns=margin({("990102", "来信", "2024-03"): 1}).columns)
    frame["month"] = pd.to_datetime(frame["month"])
    monkeypatch.setattr(release, "margins", lambda *_: SimpleNamespace(table=frame))
    monkeypatch.setattr(release, "moment", lambda *_: dt.datetime(2024, 4, 1))
    monkeypatch.setattr(release, "_by_topic", lambda *_: pd.DataFrame())
    made = Release(None, "strict_suppress")  # type: ignore[arg-type]
    row = {
        "indicator": "group_visits", "variant": "persons", "part_of": None, "view": "本期", "period": "2024-03",
        "numerator": 40, "denominator": np.nan,
    }  # fmt: skip
    asked = pd.DataFrame([row | {"region_code": code} for code in (county, city)])
    assert made.shows(asked) == [False, True]


def test_medians_of_a_few_and_acts_of_offices(made):
    registry.indicator("time_to_reply")
    base = {
        "variant": "headline",
        "part_of": None,
        "view": "本期",
        "region_code": "990102",
        "period": "2024-03",
    }
    few = base | {"indicator": "time_to_reply", "numerator": 6, "denominator": 9}
    act = base | {"indicator": "supervised", "numerator": 1, "denominator": np.nan}
    assert made.shows(pd.DataFrame([few, act])) == [False, True]
