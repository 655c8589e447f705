"""Claims (说法核对): a stated change, such as 下降12%, against the series it is about.

Two questions, kept apart. Does the number follow from the data, to the decimals it is given with? And is the change more than
such series do by themselves? A change before and after is never, by itself, the effect of anything; the sentence says so.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from ..errors import RequestError
from ..periods import Period

COLUMNS = ["stated", "computed", "low", "high", "agrees", "strength", "n", "note"]
AGREES, DIFFERS, UNKNOWN = "一致", "不一致", "无法核对"
BEYOND, ORDINARY, SMALL = "超出常规波动", "与常规波动无法区分", "受小样本影响"
# Fewer cases than this on either side: a percentage of them says little.
_SMALL = 20
_LESS = ("近", "不到", "不足")
_MORE = ("余", "多", "超", "超过", "以上", "逾")
_ABOUT = ("约", "左右")


@dataclass(frozen=True)
class _Span:
    """Whole months from first to last."""

    first: Period
    months: int

    def back(self, months: int) -> _Span:
        return _Span(self.first.shift(-months), self.months)

    def labels(self) -> list[str]:
        return [str(self.first.shift(step)) for step in range(self.months)]


def check(claims: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    """Hold stated changes against monthly series.

    Parameters
    ----------
    claims
        Rows of the statistics table that state a change: ``value`` (as written, positive), ``unit`` (% or 个百分点),
        ``direction`` (up, down), ``base`` (同比, 环比, 比前三年平均数 …), ``period_start``, ``period_end``; ``indicator_id`` and
        ``region_code`` to find the series; ``approx`` when the text says 近, 余, 约 …
    series
        ``period`` (month), ``numerator``, and ``denominator`` where the series is a rate; ``indicator`` and ``region_code``
        where there is more than one.

    Returns
    -------
    DataFrame
        The claims with :data:`COLUMNS`: ``stated`` and ``computed`` (signed, % or points), 95 % interval ``low``–``high`` of the
        computed change, ``agrees`` (一致, 不一致, 无法核对), ``strength`` (超出常规波动, 与常规波动无法区分, 受小样本影响), ``n`` (cases of
        the two spans), ``note`` (a Chinese sentence).

    Raises
    ------
    RequestError
        A missing column.
    """
    for name, frame, needed in (
        ("说法", claims, ("value", "unit", "direction", "base", "period_start", "period_end")),
        ("序列", series, ("period", "numerator")),
    ):
        missing = [column for column in needed if column not in frame]
        if missing:
            raise RequestError(f"{name}表缺少列：{'、'.join(missing)}", hint="请见函数说明中的列名")
    rows = [_checked(row, _own(row, series)) for row in claims.to_dict("records")]
    return claims.reset_index(drop=True).assign(
        **{column: [row[column] for row in rows] for column in COLUMNS}
    )


def _own(claim: Mapping[Any, Any], series: pd.DataFrame) -> pd.DataFrame:
    for ours, theirs in (("indicator_id", "indicator"), ("region_code", "region_code")):
        wanted = claim.get(ours)
        if theirs in series and isinstance(wanted, str):
            series = series[series[theirs] == wanted]
    return series


def _checked(claim: Mapping[Any, Any], series: pd.DataFrame) -> dict[str, Any]:
    blank = {
        "stated": np.nan,
        "computed": np.nan,
        "low": np.nan,
        "high": np.nan,
        "agrees": UNKNOWN,
        "strength": None,
        "n": 0,
    }
    sign = {"up": 1.0, "down": -1.0}.get(str(claim["direction"]))
    if sign is None or claim["unit"] not in ("%", "个百分点") or pd.isna(claim["value"]):
        return blank | {"note": "不是增减幅度，不在核对之列"}
    blank["stated"] = sign * float(claim["value"])
    span = _span(claim["period_start"], claim["period_end"])
    if span is None:
        return blank | {"note": "没有整月的报告期，无法核对"}
    bases = _bases(str(claim["base"] or ""), span)
    if not bases:
        return blank | {"note": "基期写法不认识，无法核对"}
    if series["period"].duplicated().any():
        return blank | {"note": "对应的序列不止一条，无法核对"}
    indexed = series.set_index("period")
    wanted = {label for one in (span, *bases) for label in one.labels()}
    if not wanted <= set(indexed.index):
        lacking = sorted(wanted - set(indexed.index))
        return blank | {"note": f"数据缺 {lacking[0]} 等 {len(lacking)} 个月，无法核对"}
    is_rate = "denominator" in indexed and bool(indexed.loc[sorted(wanted), "denominator"].notna().all())
    if claim["unit"] == "个百分点" and not is_rate:
        return blank | {"note": "百分点须对率而言，对应的序列是数量"}
    return blank | _compared(claim, indexed, span, bases, is_rate)


def _compared(
    claim: Mapping[Any, Any], indexed: pd.DataFrame, span: _Span, bases: list[_Span], is_rate: bool
) -> dict[str, Any]:
    now = indexed.loc[span.labels()]
    then = pd.concat([indexed.loc[base.labels()] for base in bases])
    noise = _dispersion(indexed, is_rate)
    a, b = float(now["numerator"].sum()), float(then["numerator"].sum())
    points = claim["unit"] == "个百分点"
    if is_rate:
        n, m = float(now["denominator"].sum()), float(then["denominator"].sum())
        if min(n, m) == 0:
            return {"note": "分母为零，无法核对"}
        p, q = a / n, b / m
        pooled = (a + b) / (n + m)
        spread = np.sqrt(noise * pooled * (1 - pooled) * (1 / n + 1 / m))
        if points:
            computed, low, high = (
                100 * value for value in (p - q, p - q - 1.959964 * spread, p - q + 1.959964 * spread)
            )
        else:
            computed, low, high = _percent(p, q, spread / max(pooled, 1e-12))
        cases = n + m
        small = min(n, m) < _SMALL
    else:
        if b == 0:
            return {"note": "基期为零，没有增减幅度"}
        computed, low, high = _percent(a, b / len(bases), np.sqrt(noise * (1 / max(a, 0.5) + 1 / b)))
        cases = a + b
        small = min(a, b / len(bases)) < _SMALL
    stated = (1 if claim["direction"] == "up" else -1) * float(claim["value"])
    agrees = _rounds_to(computed, stated, claim["value"], str(claim.get("approx") or ""))
    strength = SMALL if small else (BEYOND if low > 0 or high < 0 else ORDINARY)
    unit = "个百分点" if points else "%"
    note = (
        f"按数据计算为{_signed(computed, unit)}（95%区间{_signed(low, unit)}至{_signed(high, unit)}），"
        f"与所称{AGREES if agrees else DIFFERS}，{strength}；前后之差不等于政策效果"
    )
    return {
        "computed": float(computed),
        "low": float(low),
        "high": float(high),
        "agrees": AGREES if agrees else DIFFERS,
        "strength": strength,
        "n": cases,
        "note": note,
    }


def _percent(new: float, old: float, spread: float) -> tuple[float, float, float]:
    """Change in percent with an interval on the log scale."""
    if old == 0:
        return float("nan"), float("nan"), float("nan")
    ratio = new / old
    reach = np.exp(1.959964 * spread)
    return 100 * (ratio - 1), 100 * (ratio / reach - 1), 100 * (ratio * reach - 1)


def _dispersion(indexed: pd.DataFrame, is_rate: bool) -> float:
    """How much more a month differs from the next than counting alone explains (at least 1)."""
    ordered = indexed.sort_index()
    x = ordered["numerator"].to_numpy(float)
    if is_rate:
        n = ordered["denominator"].to_numpy(float)
        ok = n > 0
        p = x[ok].sum() / n[ok].sum()
        if not 0 < p < 1 or ok.sum() < 6:
            return 1.0
        z = (x[ok] / n[ok] - p) / np.sqrt(p * (1 - p) / n[ok])
    else:
        # Square roots of counts have a variance of a quarter whatever their size.
        z = 2 * np.sqrt(x)
        if len(z) < 6:
            return 1.0
    # Successive differences leave trend and season mostly out.
    return float(max(1.0, np.mean(np.diff(z) ** 2) / 2))


def _rounds_to(computed: float, stated: float, written: object, approx: str) -> bool:
    """Whether the computed change would be written as stated: to its last digit, or as its 近, 约 or 以上 allows."""
    step = 10.0 ** _exponent(written)
    half = step / 2 + 1e-9
    if computed * stated < 0:
        return abs(computed - stated) <= half  # only where both round to nought
    far, said = abs(computed), abs(stated)
    if any(word in approx for word in _MORE):
        return said - half <= far <= said + max(step, 0.1 * said)
    if any(word in approx for word in _LESS):
        return said - max(step, 0.1 * said) <= far <= said + half
    if any(word in approx for word in _ABOUT):
        return abs(far - said) <= max(step, 0.1 * said)
    return abs(far - said) <= half


def _exponent(written: object) -> int:
    """Power of ten of the last digit written: 32.9 → −1, 12 and 12.0 → 0."""
    exponent = Decimal(str(written)).normalize().as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _signed(value: float, unit: str) -> str:
    return f"{'上升' if value >= 0 else '下降'}{abs(value):.1f}{unit}"


def _span(start: object, end: object) -> _Span | None:
    first, last = _day(start), _day(end)
    if first is None or last is None or first > last or first.day != 1:
        return None
    if last.day != calendar.monthrange(last.year, last.month)[1]:
        return None
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    return _Span(Period(first.year, first.month, "month"), months)


def _day(value: object) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _bases(base: str, span: _Span) -> list[_Span]:
    if "环比" in base or "上月" in base or "上季" in base:
        return [span.back(span.months)]
    if "三年" in base and "平均" in base:
        return [span.back(12 * years) for years in (1, 2, 3)]
    if "同比" in base or "去年同期" in base or "上年同期" in base or "上年" in base or "去年" in base:
        return [span.back(12)]
    return []
