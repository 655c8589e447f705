"""Agreement of coders (编码一致性): Holsti, Cohen, Fleiss and Krippendorff with unit-bootstrap intervals, per label and for label sets.

The unit of every bootstrap is the coded unit (sentence, clause, document), resampled with all that its coders said. Where all codes
are one and the same value, chance-corrected coefficients are 0/0: they are defined as 1 here and the note says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import InputError, MethodError, RequestError

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["nominal", "ordinal", "interval", "ratio"]
ONE_VALUE = "所有编码同为一个值，偶然一致为 0/0，按 1 计，不足以说明一致"
#: Krippendorff (2004): from .800 on conclusions may rest on the codes, from .667 on tentative ones.
USABLE, TENTATIVE = 0.800, 0.667


def holsti(agreed: int, *coded: int) -> float:
    """Holsti's CR (1969): for two coders 2M/(N₁+N₂); the pairwise mean Ā of more coders goes to :func:`composite`."""
    if len(coded) != 2 or sum(coded) == 0:
        raise RequestError("Holsti 系数需要两名编码者各自的编码数", value=coded)
    return 2 * agreed / sum(coded)


def composite(mean_pairwise: float, coders: int) -> float:
    """Composite reliability of n coders from their mean pairwise agreement: n·Ā / (1 + (n−1)·Ā)."""
    return coders * mean_pairwise / (1 + (coders - 1) * mean_pairwise)


def cohen(table: np.ndarray) -> float:
    """Cohen's κ (1960) of a square table of counts, rows the first coder, columns the second."""
    table = np.asarray(table, dtype=float)
    n = table.sum()
    if table.ndim != 2 or table.shape[0] != table.shape[1] or n == 0:
        raise InputError("Cohen's κ 需要非空的方阵", value=table.shape)
    observed = np.trace(table) / n
    expected = float(table.sum(axis=0) @ table.sum(axis=1)) / n**2
    return _corrected(observed, expected)


def fleiss(counts: np.ndarray) -> float:
    """Fleiss' κ (1971): units × categories, how many coders chose each; every unit by the same number of coders (at least two)."""
    counts = np.asarray(counts, dtype=float)
    coders = counts.sum(axis=1)
    if counts.ndim != 2 or not len(counts) or (coders != coders[0]).any() or coders[0] < 2:
        raise InputError("Fleiss' κ 要求每个单元的编码人数相同且不少于两人", value=sorted(set(coders)))
    n = coders[0]
    observed = float(((counts**2).sum(axis=1) - n).mean() / (n * (n - 1)))
    expected = float((counts.mean(axis=0) / n) @ (counts.mean(axis=0) / n))
    return _corrected(observed, expected)


def krippendorff(
    ratings: Sequence[Sequence[Any]],
    level: Level = "nominal",
    distance: Callable[[Any, Any], float] | None = None,
) -> float:
    """Krippendorff's α (2011) = 1 − Do/De, from the coincidences of values, not from pairs of ratings.

    Parameters
    ----------
    ratings
        One row a coder, one column a unit; ``None`` or NaN where a coder did not code a unit.
    level
        nominal, ordinal, interval or ratio: the difference function δ².
    distance
        A δ² of one's own instead, such as :func:`masi` for label sets.

    Raises
    ------
    MethodError
        No unit was coded twice.
    """
    values, by_unit = _tally(ratings)
    delta = _delta(values, by_unit, level, distance)
    return _alpha(_coincidences(by_unit).sum(axis=0), delta)


def masi(one: frozenset[str], other: frozenset[str]) -> float:
    """Distance of two label sets (Passonneau 2006): 1 − Jaccard × monotonicity (1 equal, ⅔ subset, ⅓ overlap, 0 disjoint)."""
    if not one and not other:
        return 0.0
    overlap = len(one & other) / len(one | other)
    if one == other:
        monotone = 1.0
    elif one <= other or other <= one:
        monotone = 2 / 3
    else:
        monotone = 1 / 3 if one & other else 0.0
    return 1 - overlap * monotone


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """1 − |A∩B| / |A∪B|; 0 for two empty sets."""
    return 1 - len(one & other) / len(one | other) if one or other else 0.0


def agree(
    codes: pd.DataFrame,
    labels: Sequence[str] | None = None,
    *,
    replicates: int = 1000,
    seed: int = 2022,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Agreement of two or more coders on labelled units, per label and over the label sets (一致性表).

    Parameters
    ----------
    codes
        One row a unit and coder: unit, coder, labels (list, empty where the coder gave none). A unit that a coder did not
        see has no row.
    labels
        The labels to report; default all that occur.
    replicates, seed, confidence
        Of the bootstrap over units.

    Returns
    -------
    pandas.DataFrame
        label (one row each, then ``全部标签`` for the sets), coefficient (percent, cohen, fleiss, krippendorff, masi, jaccard;
        cohen for two coders, fleiss for units that all coded), value, low, high (percentile bootstrap), n (units coded at
        least twice), positive (share of codes that give the label), coders, grade (可用 ≥ .80, 试用 ≥ .667, 不可用; 不足以判断
        where all codes are one value), note.

    Raises
    ------
    MethodError
        Fewer than two coders, or no unit coded twice: too little to say.
    """
    import pandas as pd

    absent = [column for column in ("unit", "coder", "labels") if column not in codes]
    if absent:
        raise InputError("编码表缺少列", value="、".join(absent), hint="需要 unit、coder、labels")
    given: list[Any] = [frozenset(each) for each in codes["labels"]]
    sets = codes.assign(labels=pd.Series(given, index=codes.index, dtype=object))
    wide = sets.pivot_table(index="unit", columns="coder", values="labels", aggfunc="first", dropna=False)
    twice = wide[wide.notna().sum(axis=1) > 1]
    if len(wide.columns) < 2 or twice.empty:
        raise MethodError(
            "不足以计算一致性", value=f"{len(wide.columns)} 名编码者", hint="至少要有两人编码同一批单元"
        )
    names = sorted(set().union(*sets["labels"])) if labels is None else list(labels)
    draws = np.random.default_rng(seed).multinomial(
        len(twice), np.full(len(twice), 1 / len(twice)), size=replicates
    )
    tail = (1 - confidence) / 2 * 100
    rows: list[dict[str, Any]] = []

    def add(
        label: str, coefficient: str, units: np.ndarray, of: Callable[[np.ndarray], float], **more: object
    ) -> None:
        value = of(units.sum(axis=0))
        spread = [of(total) for total in draws @ units]
        low, high = np.percentile(spread, [tail, 100 - tail])
        rows.append(
            {
                "label": label,
                "coefficient": coefficient,
                "value": value,
                "low": float(low),
                "high": float(high),
                **more,
            }
        )

    for label in names:
        present = [
            [None if not isinstance(each, frozenset) else label in each for each in twice[coder]]
            for coder in twice
        ]
        flat = [each for coder in present for each in coder if each is not None]
        more = {"positive": sum(flat) / len(flat), "note": ONE_VALUE if len(set(flat)) == 1 else None}
        for coefficient, units, of in _binary(present):
            add(label, coefficient, units, of, **more)
    columns = [[each if isinstance(each, frozenset) else None for each in twice[coder]] for coder in twice]
    values, by_unit = _tally(columns)
    size = len(values)
    of_sets = {"positive": None, "note": ONE_VALUE if size == 1 else None}
    for coefficient, distance in (("masi", masi), ("jaccard", jaccard)):
        delta = _delta(values, by_unit, "nominal", distance)
        of = functools.partial(_alpha_of, delta=delta)
        add("全部标签", coefficient, _coincidences(by_unit).reshape(len(by_unit), -1), of, **of_sets)
    table = pd.DataFrame(rows)
    table["n"], table["coders"] = len(twice), len(wide.columns)
    corrected = table["coefficient"] != "percent"
    table["grade"] = np.select(
        [~corrected, table["note"].notna(), table["value"] >= USABLE, table["value"] >= TENTATIVE],
        ["", "不足以判断", "可用", "试用"],
        "不可用",
    )
    return table[["label", "coefficient", "value", "low", "high", "n", "positive", "coders", "grade", "note"]]


def confusion(codes: pd.DataFrame, one: str, other: str, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """For each label how two coders' codes meet (混淆表), on the units that both coded.

    Returns
    -------
    pandas.DataFrame
        label, both, only_one, only_other, neither, n, precision and recall of ``one`` against ``other``, f1.
    """
    import pandas as pd

    sides = []
    for coder in (one, other):
        mine = codes[codes["coder"] == coder]
        sides.append({unit: frozenset(each) for unit, each in zip(mine["unit"], mine["labels"], strict=True)})
    shared = [unit for unit in sides[0] if unit in sides[1]]
    if not shared:
        raise MethodError("两名编码者没有共同的单元", value=f"{one}、{other}")
    names = (
        sorted(set().union(*(side[unit] for side in sides for unit in shared)))
        if labels is None
        else list(labels)
    )
    rows = []
    for label in names:
        x = np.array([label in sides[0][unit] for unit in shared])
        y = np.array([label in sides[1][unit] for unit in shared])
        both, left, right = int((x & y).sum()), int((x & ~y).sum()), int((~x & y).sum())
        precision = both / (both + left) if both + left else None
        recall = both / (both + right) if both + right else None
        f1 = 2 * both / (2 * both + left + right) if both + left + right else None
        rows.append(
            (label, both, left, right, len(shared) - both - left - right, len(shared), precision, recall, f1)
        )
    return pd.DataFrame(
        rows, columns=["label", "both", "only_one", "only_other", "neither", "n", "precision", "recall", "f1"]
    )


def _binary(present: list[list[bool | None]]) -> list[tuple[str, np.ndarray, Callable[[np.ndarray], float]]]:
    """Coefficients of one label: name, per-unit statistics that add up over units, and the coefficient of their sum."""
    values, by_unit = _tally(present)
    delta = _delta(values, by_unit, "nominal", None)
    complete = np.array([all(each is not None for each in unit) for unit in zip(*present, strict=True)])
    found: list[tuple[str, np.ndarray, Callable[[np.ndarray], float]]] = []
    coincidences = _coincidences(by_unit)
    same = np.stack([np.trace(coincidences, axis1=1, axis2=2), coincidences.sum(axis=(1, 2))], axis=1)
    found.append(("percent", same, lambda total: float(total[0] / total[1])))
    if len(present) == 2:
        cells = np.zeros((len(by_unit), 4))
        pairs = np.array([2 * bool(a) + bool(b) for a, b in zip(*present, strict=True)])
        cells[np.flatnonzero(complete), pairs[complete]] = 1
        found.append(("cohen", cells, lambda total: cohen(total.reshape(2, 2))))
    elif complete.all():
        counts = np.array(
            [[sum(not each for each in unit), sum(map(bool, unit))] for unit in zip(*present, strict=True)]
        )
        n = len(present)
        stats = np.column_stack([(counts**2).sum(axis=1) - n, counts, np.ones(len(counts))])
        found.append(("fleiss", stats, lambda total: _fleiss_of(total, n)))
    found.append(
        (
            "krippendorff",
            coincidences.reshape(len(by_unit), -1),
            functools.partial(_alpha_of, delta=delta),
        )
    )
    return found


def _fleiss_of(total: np.ndarray, coders: int) -> float:
    units = total[-1]
    shares = total[1:-1] / (units * coders)
    return _corrected(total[0] / (units * coders * (coders - 1)), float(shares @ shares))


def _corrected(observed: float, expected: float) -> float:
    return 1.0 if np.isclose(expected, 1) else float((observed - expected) / (1 - expected))


def _tally(ratings: Sequence[Sequence[Any]]) -> tuple[list[Any], np.ndarray]:
    """The values that occur, and for each unit coded at least twice how often each was given."""
    coded: list[list[Hashable]] = [
        [each for each in unit if not _missing(each)] for unit in zip(*ratings, strict=True)
    ]
    coded = [unit for unit in coded if len(unit) > 1]
    if not coded:
        raise MethodError("没有两人以上编码过的单元", hint="一致性至少要有两人编码同一单元")
    domain = set().union(*coded)
    values = sorted(domain, key=_order)
    place: Mapping[Hashable, int] = {value: number for number, value in enumerate(values)}
    by_unit = np.zeros((len(coded), len(values)))
    for number, unit in enumerate(coded):
        for each in unit:
            by_unit[number, place[each]] += 1
    return values, by_unit


def _order(value: Any) -> Any:
    return (
        (0, value, "")
        if isinstance(value, int | float)
        else (1, 0, str(sorted(value)) if isinstance(value, frozenset) else str(value))
    )


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _coincidences(by_unit: np.ndarray) -> np.ndarray:
    """o_ck of each unit: pairs of values within it, over one less than its codes."""
    pairs = by_unit[:, :, None] * by_unit[:, None, :]
    diagonal = np.arange(by_unit.shape[1])
    pairs[:, diagonal, diagonal] -= by_unit
    return pairs / (by_unit.sum(axis=1) - 1)[:, None, None]


def _delta(
    values: Sequence[Any], by_unit: np.ndarray, level: str, distance: Callable[[Any, Any], float] | None
) -> np.ndarray:
    """δ² of each pair of values."""
    if distance is not None:
        return np.array([[distance(one, other) for other in values] for one in values], dtype=float)
    size = len(values)
    if level == "nominal":
        return 1 - np.eye(size)
    if level == "ordinal":
        n = by_unit.sum(axis=0)
        upto = np.cumsum(n)
        between = np.abs(upto[:, None] - upto[None, :])
        least = np.minimum.outer(np.arange(size), np.arange(size))
        most = np.maximum.outer(np.arange(size), np.arange(size))
        # Σ n_g from c to k, less half of both ends.
        return (between + n[least] - (n[least] + n[most]) / 2) ** 2 * (1 - np.eye(size))
    if level not in ("interval", "ratio"):
        raise RequestError("没有这种测量层次", value=level, hint="可用：nominal、ordinal、interval、ratio")
    x = np.array(values, dtype=float)
    difference = x[:, None] - x[None, :]
    if level == "interval":
        return difference**2
    total = x[:, None] + x[None, :]
    return np.divide(difference, total, out=np.zeros_like(difference), where=total != 0) ** 2


def _alpha_of(total: np.ndarray, delta: np.ndarray) -> float:
    """α of coincidences that lie flat, as the bootstrap sums them."""
    return _alpha(total.reshape(delta.shape), delta)


def _alpha(coincidences: np.ndarray, delta: np.ndarray) -> float:
    n_c = coincidences.sum(axis=1)
    n = n_c.sum()
    expected = float((np.outer(n_c, n_c) * delta).sum() / (n - 1))
    if np.isclose(expected, 0):
        return 1.0
    return float(1 - (coincidences * delta).sum() / expected)
