from collections.abc import Callable

import pandas as pd
import pytest

from analysis import cases


def stated(
    region: str,
    month: str,
    indicator: str,
    numerator: float,
    denominator: float | None = None,
    **more: object,
) -> dict[str, object]:
    return {
        "region_code": region,
        "month": month,
        "indicator": indicator,
        "numerator": numerator,
        "denominator": denominator,
    } | more


def values(table: pd.DataFrame) -> dict[str, float]:
    rows = table[table["value"].notna() & (table["view"] == "本期") & table["part_of"].isna()]
    return rows.set_index("indicator")["value"].to_dict()


def test_a_hotline_bulletin_states_its_rate(tables: Callable) -> None:
    """April 2017: 24,932 due, 22,345 closed in time."""
    made = tables(
        monthly=[
            stated("320700", "2017-04", "按期办结率", 22345, 24932),
            stated("320700", "2017-04", "风险评估", 1),
        ]
    )
    table = cases.indicators(made, "2017-04")
    assert values(table) == {"on_time": pytest.approx(0.8962, abs=5e-5)}


def test_a_province_stated_beside_its_cities_is_not_added_to_them(tables: Callable) -> None:
    made = tables(
        monthly=[
            stated(code, "2024-03", "pieces", n)
            for code, n in (("990000", 100), ("990100", 60), ("990200", 40))
        ]
    )
    for region, wanted in ((None, 100), ("990000", 100), ("990100", 60)):
        assert values(cases.indicators(made, "2024-03", region, only=["pieces"])) == {"pieces": wanted}
    cities = cases.indicators(made, "2024-03", "990000", by="city", only=["pieces"], views=["本期"])
    assert cities.dropna(subset=["value"]).set_index("region_code")["value"].to_dict() == {
        "990100": 60,
        "990200": 40,
    }


def test_cities_stand_in_for_a_province_that_is_not_stated(tables: Callable) -> None:
    made = tables(
        monthly=[stated(code, "2024-03", "pieces", n) for code, n in (("990100", 60), ("990200", 40))]
    )
    assert values(cases.indicators(made, "2024-03", "990000", only=["pieces"])) == {"pieces": 100}


def test_rows_come_before_stated_figures(tables: Callable) -> None:
    made = tables(
        petitions=[{"piece_id": "1", "registered_at": "2024-03-05", "locality_code": "990102"}],
        monthly=[
            stated("990000", "2024-03", "pieces", 100),
            stated("990000", "2024-03", "legality_review", 7),
        ],
    )
    assert values(cases.indicators(made, "2024-03", only=["pieces", "legality_review"])) == {
        "pieces": 1,
        "legality_review": 7,
    }


def test_what_is_wrong_in_stated_figures_is_reported(tables: Callable) -> None:
    made = tables(
        monthly=[
            stated("990100", "2024-03", "on_time", 12, 10),
            stated("990100", "2024-04", "on_time", -1, 10),
        ]
    )
    lines = cases.check(made, "2024-12-31")
    assert set(zip(lines["rule"], lines["row"], strict=True)) >= {
        ("numerator_above_denominator", 1),
        ("negative_count", 2),
    }
