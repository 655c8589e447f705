"""The panel (面板): units × times of one outcome, and when each unit was first treated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, MethodError

Array = NDArray[np.float64]
NEVER = np.inf


@dataclass(frozen=True)
class Panel:
    """A balanced panel as matrices.

    Attributes
    ----------
    outcome
        Units × times; a missing observation is NaN.
    units, times
        Labels, in order.
    first
        For each unit the position in ``times`` of its first treated period; ``NEVER`` if it is not treated in the window.
    covariates
        Units × covariates, constant over time; no columns when there are none.
    """

    outcome: Array
    units: tuple[str, ...]
    times: tuple[str, ...]
    first: Array
    covariates: Array

    @property
    def cohorts(self) -> list[int]:
        """Positions at which some unit is first treated."""
        return sorted({int(g) for g in self.first if np.isfinite(g)})

    def members(self, cohort: int) -> NDArray[np.bool_]:
        """Units first treated then."""
        return np.asarray(self.first == cohort)

    def until(self, time: str) -> Panel:
        """The panel up to a time; units treated only later become untreated in it."""
        stop = sum(label <= time for label in self.times)
        if stop < 2:
            raise MethodError("窗口内不足两期", value=time, hint=f"数据从 {self.times[0]} 开始")
        first = np.where(self.first < stop, self.first, NEVER)
        return Panel(self.outcome[:, :stop], self.units, self.times[:stop], first, self.covariates)

    def with_first(self, first: Array) -> Panel:
        """The same outcomes under other treatment dates (for randomisation)."""
        return Panel(self.outcome, self.units, self.times, first, self.covariates)


def read(
    frame: pd.DataFrame,
    *,
    unit: str,
    time: str,
    outcome: str,
    first_treated: str,
    covariates: Sequence[str] = (),
) -> Panel:
    """Make a panel of a long table.

    Parameters
    ----------
    frame
        One row a unit and time.
    first_treated
        Column with the time of first treatment; empty, 0 or infinite for never. A time between two of the panel's counts as
        the later one, a time past its end as never, a time at or before its start as treated throughout.

    Raises
    ------
    InputError
        A missing column, an outcome that is no number, a unit and time twice, or a unit with two treatment dates.
    MethodError
        Fewer than two units or two times.
    """
    needed = [unit, time, outcome, first_treated, *covariates]
    missing = [name for name in needed if name not in frame]
    if missing:
        raise InputError(
            f"缺少列：{'、'.join(missing)}", hint=f"表中有：{'、'.join(map(str, frame.columns))}"
        )
    rows = frame[needed].copy()
    numbers = pd.to_numeric(rows[outcome], errors="coerce")
    bad = numbers.isna() & rows[outcome].notna() & (rows[outcome].astype(str).str.strip() != "")
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError("结果列有的值不是数字", row=row + 1, value=rows[outcome].iloc[row])
    rows[outcome] = numbers
    rows["_unit"], rows["_time"] = rows[unit].map(_label), rows[time].map(_label)
    twice = rows.duplicated(["_unit", "_time"])
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        raise InputError(
            "同一单位同一期出现两次",
            row=row + 1,
            value=f"{rows['_unit'].iloc[row]} {rows['_time'].iloc[row]}",
        )
    wide = rows.pivot(index="_unit", columns="_time", values=outcome).sort_index()
    wide = wide[_in_order(list(wide.columns))]
    if min(wide.shape) < 2:
        raise MethodError("至少需要两个单位、两期数据", value=f"{wide.shape[0]} 个单位 {wide.shape[1]} 期")
    dates = rows.groupby("_unit")[first_treated].agg(lambda values: sorted({_label(v) for v in values}))
    several = dates[dates.map(len) > 1]
    if len(several):
        raise InputError("同一单位有两个实施时间", value=f"{several.index[0]}：{'、'.join(several.iloc[0])}")
    times = [str(label) for label in wide.columns]
    first = np.array([_position(dates[name][0], times) for name in wide.index])
    extra = rows.groupby("_unit")[list(covariates)].first().reindex(wide.index).to_numpy(float)
    return Panel(wide.to_numpy(float), tuple(map(str, wide.index)), tuple(times), first, extra)


def _label(value: object) -> str:
    """A label as text: 2004.0 is 2004, a timestamp its day, nothing the empty text."""
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    return str(value).strip()


def _in_order(labels: list[str]) -> list[str]:
    """Numbers by size, ISO dates and periods as text."""
    if all(label.lstrip("-").isdigit() for label in labels):
        return sorted(labels, key=int)
    return sorted(labels)


def _position(start: str, times: list[str]) -> float:
    if start in ("", "0", "nan", "None", "inf"):
        return NEVER
    numeric = start.lstrip("-").isdigit() and all(label.lstrip("-").isdigit() for label in times)
    for place, label in enumerate(times):
        if (int(label) >= int(start)) if numeric else (label >= start[: len(label)]):
            return float(place)
    return NEVER
