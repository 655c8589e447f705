"""Rows spoilt on purpose, one mistake each (坏行)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...errors import CodebookError
from . import draw
from .calendar import Calendar
from .draw import NAT, Columns, Draw


def spoil(
    name: str, counts: Mapping[str, int], calendar: Calendar, columns: Columns, rng: Draw
) -> dict[str, int]:
    """Spoil disjoint rows, so many for each rule (坏行); repeated keys are appended as further rows."""
    total = sum(counts.values())
    far = np.datetime64("2031-05-20", "D")

    def unresolved(here: np.ndarray) -> None:
        # One row, one planted mistake: a close that is wrong must not also make the resolution wrong.
        if name == "matters":
            columns["resolved_at"][here], columns["resolution_basis"][here] = NAT, None

    # Well inside the window, so that a shifted date breaks the one rule it is to break.
    fit = (columns["registered_at"] >= calendar.start) & (columns["registered_at"] < calendar.end - 90)
    if name == "matters":
        fit &= (columns["path"] == "6") & ~np.isnat(columns["replied_at"])
        fit &= columns["accepted_at"] > columns["registered_at"] + 6
    rows = np.split(
        rng.choice(np.flatnonzero(fit), total, replace=False), np.cumsum(list(counts.values()))[:-1]
    )
    for rule, here in zip(counts, rows, strict=True):
        match rule:
            case "registered_missing":
                columns["registered_at"][here] = NAT
            case "registered_before_petitioned":
                columns["petitioned_at"][here] = columns["registered_at"][here] + rng.integers(
                    3, 40, len(here)
                )
            case "date_in_future":
                columns["registered_at" if name == "petitions" else "concluded_at"][here] = far
                unresolved(here)
            case "locality_unknown":
                columns["locality_code"][here] = draw.where(rng.random(len(here)) < 0.5, "999999", "990199")
            case "channel_unknown":
                columns["channel"][here] = "传真"
            case "persons_not_positive":
                columns["persons"][here] = -(rng.random(len(here)) < 0.5).astype(int)
                columns["group_visit"][here] = False
            case "matter_unknown":
                columns["matter_id"][here] = np.char.mod("M9%06d", here).astype(object)
            case "concluded_before_registered":
                columns["concluded_at"][here] = columns["registered_at"][here] - rng.integers(
                    1, 60, len(here)
                )
                unresolved(here)
            case "replied_before_accepted":
                columns["replied_at"][here] = columns["accepted_at"][here] - rng.integers(1, 6, len(here))
            case "class_unknown":
                columns["matter_class"][here] = "其它诉求"
            case "path_unknown":
                columns["path"][here] = "7"
            case "extension_too_long":
                columns["extended_days"][here] = 45
            case "graded_without_rating":
                columns["unit_rating_state"][here], columns["unit_rating_grade"][here] = "未评价", "满意"
            case "key_repeated":
                for key, column in columns.items():
                    columns[key] = np.concatenate([column, column[here]])
            case _:
                raise CodebookError(
                    "模拟设定中有不认识的坏行规则",
                    value=f"{name}.{rule}",
                    hint="请对照 simulate.yml 的 invalid 一节",
                )
    return dict(counts)
