"""Agreement: published values, independent recomputation, bootstrap, the 0/0 case, too few coders."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError, MethodError, RequestError
from analysis.text.agreement import (
    ONE_VALUE,
    agree,
    cohen,
    composite,
    confusion,
    fleiss,
    holsti,
    jaccard,
    krippendorff,
    masi,
)

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", the four-by-twelve example.
NA = None
FOUR_CODERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NA, NA, NA],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NA, 3],
    [NA, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NA],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NA],
]
# Fleiss (1971), the ten patients rated by fourteen psychiatrists as tabulated in textbooks.
TEN_UNITS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.7434), ("ordinal", 0.8154), ("interval", 0.8491), ("ratio", 0.7974)]
)
def test_krippendorffs_example(level, alpha: float) -> None:
    assert krippendorff(FOUR_CODERS, level) == pytest.approx(alpha, abs=5e-5)


def test_golden_holsti_cohen_fleiss() -> None:
    assert holsti(45, 50, 52) == pytest.approx(0.8824, abs=5e-5)
    assert composite(holsti(45, 50, 52), 2) == pytest.approx(0.9375, abs=5e-5)
    assert cohen(np.array([[20, 5], [10, 15]])) == pytest.approx(0.40)
    assert fleiss(np.array(TEN_UNITS)) == pytest.approx(0.210, abs=5e-4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=30))
def test_cohen_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    import warnings

    from sklearn.metrics import cohen_kappa_score

    table = np.zeros((3, 3))
    for a, b in pairs:
        table[a, b] += 1
    if len({value for pair in pairs for value in pair}) == 1:
        assert cohen(table) == 1
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = cohen_kappa_score(*zip(*pairs, strict=True))
    assert cohen(table) == pytest.approx(theirs)


def _alpha_by_pairs(ratings: list[list[float | None]], distance) -> float:
    """α from its definition over pairs of ratings, without any coincidence matrix."""
    units = [[v for v in unit if v is not None] for unit in zip(*ratings, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    values = [v for unit in units for v in unit]
    n = len(values)
    observed = sum(
        sum(distance(a, b) for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j)
        / (len(unit) - 1)
        for unit in units
    )
    expected = sum(distance(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j) / (
        n - 1
    )
    return 1 - observed / expected


@settings(deadline=None)
@given(
    st.lists(st.tuples(*[st.one_of(st.none(), st.integers(0, 4))] * 3), min_size=2, max_size=12).map(
        lambda units: [list(coder) for coder in zip(*units, strict=True)]
    )
)
def test_alpha_is_its_definition_over_pairs(ratings: list[list[float | None]]) -> None:
    paired = [[v for v in unit if v is not None] for unit in zip(*ratings, strict=True)]
    paired = [unit for unit in paired if len(unit) > 1]
    if not paired:
        with pytest.raises(MethodError):
            krippendorff(ratings)
    elif len({v for unit in paired for v in unit}) == 1:
        assert krippendorff(ratings, "interval") == 1
    else:
        assert krippendorff(ratings) == pytest.approx(_alpha_by_pairs(ratings, lambda a, b: float(a != b)))
        assert krippendorff(ratings, "interval") == pytest.approx(
            _alpha_by_pairs(ratings, lambda a, b: (a - b) ** 2)
        )


def test_label_sets() -> None:
    a, b, ab, none = frozenset("a"), frozenset("b"), frozenset("ab"), frozenset()
    assert [masi(a, a), masi(a, ab), masi(a, b), masi(none, none), masi(none, a)] == pytest.approx(
        [0, 2 / 3, 1, 0, 1]
    )
    assert masi(frozenset("abc"), frozenset("bcd")) == pytest.approx(1 - 0.5 / 3)
    assert [jaccard(a, ab), jaccard(none, none)] == [0.5, 0]


def codes(*coders: list[list[str]]) -> pd.DataFrame:
    rows = [
        (unit, f"c{n}", labels)
        for n, coder in enumerate(coders)
        for unit, labels in enumerate(coder)
        if labels is not None
    ]
    return pd.DataFrame(rows, columns=["unit", "coder", "labels"])


def test_per_label_and_over_sets() -> None:
    one = [["甲"], ["甲", "乙"], [], ["乙"], [], ["甲"]]
    two = [["甲"], ["甲"], [], ["乙"], ["甲"], ["甲"]]
    table = agree(codes(one, two), replicates=200).set_index(["label", "coefficient"])
    expected = cohen(np.array([[2, 1], [0, 3]]))
    assert table.loc[("甲", "cohen"), "value"] == pytest.approx(expected)
    assert table.loc[("甲", "percent"), "value"] == pytest.approx(5 / 6)
    binary = [[int("甲" in unit) for unit in coder] for coder in (one, two)]
    assert table.loc[("甲", "krippendorff"), "value"] == pytest.approx(krippendorff(binary))
    sets = [[frozenset(unit) for unit in coder] for coder in (one, two)]
    assert table.loc[("全部标签", "masi"), "value"] == pytest.approx(krippendorff(sets, distance=masi))
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert set(table["n"]) == {6}
    assert table.loc[("甲", "cohen"), "grade"] == "不可用"  # 2/3 is below .667
    assert ("乙", "fleiss") not in table.index


def test_three_coders_and_a_unit_not_seen_by_all() -> None:
    full = agree(codes([["甲"], []], [["甲"], []], [["甲"], ["甲"]]), replicates=50)
    assert {"fleiss", "krippendorff"} <= set(full["coefficient"])
    assert "cohen" not in set(full["coefficient"])
    gaps = agree(codes([["甲"], []], [["甲"], []], [["甲"], None]), replicates=50)  # type: ignore[list-item]
    assert "fleiss" not in set(gaps["coefficient"])


def test_the_bootstrap_is_over_units_and_repeats() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(200) < 0.4
    coders = [[["甲"] if (value != (rng.random() < 0.1)) else [] for value in truth] for _ in range(2)]
    first, again = (agree(codes(*coders), replicates=400) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    kappa = first.set_index(["label", "coefficient"]).loc[("甲", "cohen")]
    values = []
    binary = np.array([[int(bool(unit)) for unit in coder] for coder in coders])
    for _ in range(400):
        drawn = binary[:, rng.integers(0, 200, 200)]
        table = np.array([[((drawn[0] == a) & (drawn[1] == b)).sum() for b in (0, 1)] for a in (0, 1)])
        values.append(cohen(table))
    low, high = np.percentile(values, [2.5, 97.5])
    assert kappa["low"] == pytest.approx(low, abs=0.04)
    assert kappa["high"] == pytest.approx(high, abs=0.04)


def test_one_value_throughout_is_one_and_said() -> None:
    table = agree(codes([["甲"], ["甲"]], [["甲"], ["甲"]]), replicates=20)
    assert set(table["value"]) == {1.0}
    assert set(table["note"]) == {ONE_VALUE}
    assert set(table["grade"]) == {"", "不足以判断"}


def test_too_little_to_say() -> None:
    with pytest.raises(MethodError, match="1 名编码者"):
        agree(codes([["甲"], []]))
    with pytest.raises(MethodError, match="至少要有两人"):
        agree(codes([["甲"], None], [None, ["甲"]]))  # type: ignore[list-item]
    with pytest.raises(InputError, match="labels"):
        agree(pd.DataFrame({"unit": [1], "coder": ["a"]}))


def test_wrong_requests() -> None:
    with pytest.raises(RequestError):
        holsti(3, 4)
    with pytest.raises(RequestError, match="测量层次"):
        krippendorff(FOUR_CODERS, "scale")  # type: ignore[arg-type]
    with pytest.raises(InputError):
        fleiss(np.array([[1, 2], [2, 2]]))
    with pytest.raises(InputError):
        cohen(np.zeros((2, 3)))


def test_confusion_by_hand() -> None:
    one = [["甲"], ["甲", "乙"], [], ["乙"], ["甲"]]
    two = [["甲"], [], ["甲"], ["乙"], None]
    table = confusion(codes(one, two), "c0", "c1").set_index("label")  # type: ignore[arg-type]
    assert table.loc["甲", ["both", "only_one", "only_other", "neither", "n"]].tolist() == [1, 1, 1, 1, 4]
    assert table.loc["甲", ["precision", "recall", "f1"]].tolist() == [0.5, 0.5, 0.5]
    with pytest.raises(MethodError, match="共同"):
        confusion(codes(one, two), "c0", "nobody")  # type: ignore[arg-type]
