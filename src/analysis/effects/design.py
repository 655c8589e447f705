"""The design report (设计报告): what can be estimated at all, said before anything is.

Which units were treated when, which cells have controls, what is refused and why, how large an effect the design could see,
and by which inference each cohort may be judged. A specification is hashed before estimation and the hash stored with the
result, so that a reader can tell what was planned from what was found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .did import FEW
from .panel import Panel
from .power import mde, pretrend_power


@dataclass(frozen=True)
class Design:
    """What a panel allows.

    Attributes
    ----------
    cohorts
        One row a cohort: ``group``, ``units``, ``pre``, ``post`` (periods), ``post_identified``, ``inference`` (随机化推断 only for
        cohorts below five units), ``mde_varying``, ``mde_all_pre``, ``pretrend_slope`` (slope visible with 80 % power).
    cells
        One row a cohort and time from its date on: ``group``, ``time``, ``never``, ``not_yet`` (possible controls), ``identified``,
        ``reason``.
    units, treated, never
        Counts of units; ``always`` are treated from the window's start and cannot be used.
    last_identified
        Last time at which any treated cell has a control, or ``None``.
    refusals
        Chinese sentences: what is not estimated, and why.
    """

    cohorts: pd.DataFrame
    cells: pd.DataFrame
    units: int
    treated: int
    never: int
    always: int
    last_identified: str | None
    refusals: tuple[str, ...]

    @property
    def estimable(self) -> bool:
        """Whether any effect with controls can be estimated."""
        return self.last_identified is not None

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the command line and the manifest."""
        return {
            "units": self.units,
            "treated": self.treated,
            "never": self.never,
            "always": self.always,
            "estimable": self.estimable,
            "last_identified": self.last_identified,
            "cohorts": records(self.cohorts),
            "cells": records(self.cells),
            "refusals": list(self.refusals),
        }


def design(panel: Panel, *, draws: int = 399, seed: int = 0) -> Design:
    """Report what the panel allows, without looking at any effect.

    Parameters
    ----------
    draws
        Re-draws for the minimum detectable effects.
    """
    cells = _cells(panel)
    always = int((panel.first <= 0).sum())
    identified = cells[cells["identified"]]
    positions = [panel.times.index(str(label)) for label in identified["time"]]
    last = panel.times[max(positions)] if positions else None
    inner = _window(panel, last)
    cohorts = _cohorts(panel, cells, inner, draws, seed)
    return Design(
        cohorts=cohorts,
        cells=cells,
        units=len(panel.units),
        treated=int(np.isfinite(panel.first).sum()),
        never=int(np.isinf(panel.first).sum()),
        always=always,
        last_identified=last,
        refusals=tuple(_refusals(panel, cells, cohorts, always, last)),
    )


def specification(panel: Panel, **choices: object) -> str:
    """First 16 hex digits of the SHA-256 of what is to be estimated: units, times, dates and choices, not the outcome.

    The same specification on revised data keeps its hash; any change of window, cohort or method changes it.
    """
    content = {
        "units": panel.units,
        "times": panel.times,
        "first": [None if np.isinf(g) else int(g) for g in panel.first],
        "covariates": panel.covariates.shape[1],
        "choices": choices,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _cells(panel: Panel) -> pd.DataFrame:
    rows = []
    never = int(np.isinf(panel.first).sum())
    for g in panel.cohorts:
        for t in range(g, len(panel.times)):
            waiting = int((panel.first > t).sum())
            reason = None
            if g == 0:
                reason = "首期之前没有数据"
            elif waiting == 0:
                reason = "没有尚未实施的单位可作对照"
            rows.append(
                {
                    "group": panel.times[g],
                    "time": panel.times[t],
                    "never": never,
                    "not_yet": waiting,
                    "identified": reason is None,
                    "reason": reason,
                }
            )
    return pd.DataFrame(rows, columns=["group", "time", "never", "not_yet", "identified", "reason"]).astype(
        {"identified": bool}
    )


def _window(panel: Panel, last: str | None) -> Panel | None:
    """The panel up to the last cell with controls: later units are untreated in it."""
    if last is None:
        return None
    stop = panel.times.index(last) + 1
    first = np.where(panel.first < stop, panel.first, np.inf)
    return Panel(panel.outcome[:, :stop], panel.units, panel.times[:stop], first, panel.covariates)


def _cohorts(panel: Panel, cells: pd.DataFrame, inner: Panel | None, draws: int, seed: int) -> pd.DataFrame:
    sizes = pd.DataFrame() if inner is None else mde(inner, draws=draws, seed=seed)
    rows = []
    for g in panel.cohorts:
        label = panel.times[g]
        count = int(panel.members(g).sum())
        own = cells[cells["group"] == label]
        row: dict[str, Any] = {
            "group": label,
            "units": count,
            "pre": g,
            "post": len(panel.times) - g,
            "post_identified": int(own["identified"].sum()),
        }
        row["inference"] = "随机化推断" if count < FEW else "随机化推断，另列聚类标准误"
        if not row["post_identified"]:
            row["inference"] = "不估计"
        for base in ("varying", "all_pre"):
            found = sizes[(sizes["group"] == label) & (sizes["base"] == base)] if len(sizes) else sizes
            row[f"mde_{base}"] = float(found["mde"].iloc[0]) if len(found) else float("nan")
        visible = inner is not None and g >= 3 and row["post_identified"] > 0
        row["pretrend_slope"] = (
            pretrend_power(inner, g, draws=draws, seed=seed) if visible and inner else float("nan")
        )
        rows.append(row)
    columns = [
        "group", "units", "pre", "post", "post_identified", "inference", "mde_varying", "mde_all_pre", "pretrend_slope",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _refusals(
    panel: Panel, cells: pd.DataFrame, cohorts: pd.DataFrame, always: int, last: str | None
) -> list[str]:
    said = []
    if not panel.cohorts:
        return ["窗口内没有单位实施，没有效果可估"]
    if always:
        said.append(f"{always} 个单位在首期就已实施，没有实施前的数据，不用于估计")
    without = cells[~cells["identified"] & (cells["reason"] == "没有尚未实施的单位可作对照")]
    if len(without):
        first = min(without["time"], key=panel.times.index)
        said.append(f"自 {first} 起所有单位都已实施，没有对照：{len(without)} 个组别×时间单元格不作估计")
    if last is None:
        said.append("没有一个单元格有对照，不作任何因果估计；只能作描述或中断时间序列")
    for row in cohorts.to_dict("records"):
        if row["units"] < FEW and row["post_identified"]:
            said.append(f"{row['group']} 组只有 {row['units']} 个单位，不给聚类标准误，只作随机化推断")
    return said


def records(frame: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Rows as plain values, missing numbers as ``None``."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [
        {str(key): value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
        for row in plain.to_dict("records")
    ]
