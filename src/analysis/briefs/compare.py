"""Two briefs side by side (两份简报比较): named results, tables, documents, findings; what the last brief said.

A change has a size (轻微, 明显, 重大: ``codebooks/brief_changes.yml``) and, where both sides have an interval, says
whether the intervals overlap; overlapping ones are graded no higher than 轻微.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import codebooks
from ..errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SAME, NEW, GONE = "未变", "新增", "不再出现"
COLUMNS = ("name", "before", "after", "difference", "relative", "unit", "intervals", "grade")


def compare(old: Path, new: Path) -> dict[str, Any]:
    """Compare the folders of two published briefs.

    Returns
    -------
    dict
        ``results`` (see :func:`results`), ``tables`` (name, rows before and after, changed cells), ``documents``
        (input files: new, gone, changed), ``findings`` (sentences: new, gone).

    Raises
    ------
    InputError
        A folder has no ``results.json``.
    """
    before, after = _read(old / "results.json"), _read(new / "results.json")
    return {
        "results": results(before, after),
        "tables": _tables(old, new, before, after),
        "documents": _documents(old, new),
        "findings": _findings(before, after),
    }


def results(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The named results of two ``results.json``, one row a name, greatest change first; columns :data:`COLUMNS`.

    ``difference`` is in the result's unit, ``relative`` a fraction of the old value, ``intervals`` 重叠, 分离 or
    ``None`` where a side has none.
    """
    before = {item["name"]: item for item in old.get("results", [])}
    after = {item["name"]: item for item in new.get("results", [])}
    rows = [_change(name, before.get(name), after.get(name)) for name in {**before, **after}]
    order = [grade["name"] for grade in _book()["grades"]][::-1]
    ranks = {name: rank for rank, name in enumerate([*order, GONE, NEW, SAME])}
    return sorted(rows, key=lambda row: (ranks[row["grade"]], -abs(row["relative"] or 0), row["name"]))


def since(previous: str | Path | None) -> pd.DataFrame | None:
    """与上期相比: this notebook's results so far against those of the last brief.

    Parameters
    ----------
    previous
        The parameter ``previous`` of the notebook; ``None`` when there is no earlier brief.

    Returns
    -------
    DataFrame or None
        Columns 结果, 上期, 本期, 变化, 单位, 区间, 程度; only what both briefs hold and what changed.
    """
    import pandas as pd

    from ..display.session import current

    if previous is None:
        return None
    now = {"results": [{**vars(item), "text": item.text} for item in current().results.values()]}
    rows = [row for row in results(_read(Path(previous)), now) if row["grade"] not in (NEW, GONE, SAME)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    names = {
        "name": "结果",
        "before": "上期",
        "after": "本期",
        "difference": "变化",
        "unit": "单位",
        "intervals": "区间",
        "grade": "程度",
    }
    return frame[list(names)].rename(columns=names).head(_book()["shown"])


def revisions(previous: str | Path | None, recomputed: Mapping[str, float | None]) -> pd.DataFrame | None:
    """修订表: what the last brief printed against what the data of today give for the same period.

    Parameters
    ----------
    previous
        The parameter ``previous``.
    recomputed
        Result name → its value for the last period, computed from the data of today.

    Returns
    -------
    DataFrame or None
        Columns 结果, 上期公布, 现在重算, 修订, 单位; rows that differ by more than the printed decimals.
    """
    import pandas as pd

    if previous is None:
        return None
    items = printed(previous)
    rows = []
    for name, value in recomputed.items():
        item = items.get(name)
        if item is None or value is None:
            continue
        if abs(value - item["value"]) > _rounding(item):
            rows.append((name, item["value"], value, value - item["value"], item.get("unit")))
    return pd.DataFrame(rows, columns=["结果", "上期公布", "现在重算", "修订", "单位"])


def printed(previous: str | Path) -> dict[str, Any]:
    """The numbers that the last brief printed: name → result."""
    items = _read(Path(previous)).get("results", [])
    return {item["name"]: item for item in items if _number(item["value"])}


def lines(comparison: Mapping[str, Any]) -> list[str]:
    """A comparison in words, the changes that matter first."""
    shown = _book()["shown"]
    changed = [row for row in comparison["results"] if row["grade"] != SAME]
    told = [f"结果：{len(comparison['results'])} 项，{len(changed)} 项有变化"]
    told += [f"  [{row['grade']}] {_sentence(row)}" for row in changed[:shown]]
    if len(changed) > shown:
        told.append(f"  ……另有 {len(changed) - shown} 项")
    for table in comparison["tables"]:
        told.append(
            f"表 {table['name']}：{table['state']}" + (f"，{table['cells']} 格不同" if table["cells"] else "")
        )
    told += [f"文件 {item['name']}：{item['state']}" for item in comparison["documents"][:shown]]
    told += [f"结论{item['state']}：{item['text']}" for item in comparison["findings"][:shown]]
    return told


def _sentence(row: Mapping[str, Any]) -> str:
    overlap = f"，区间{row['intervals']}" if row["intervals"] else ""
    unit = row["unit"] or ""
    if row["difference"] is None:
        return f"{row['name']}：{row['before']} → {row['after']}"
    return f"{row['name']}：{row['before']} → {row['after']}（{row['difference']:+.4g}{unit}{overlap}）"


def _change(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"name": name, "before": old and old["text"], "after": new and new["text"]}
    row["unit"] = (new or old or {}).get("unit")
    if old is None or new is None:
        return row | {"grade": NEW if old is None else GONE}
    if not (_number(old["value"]) and _number(new["value"])) or old.get("unit") != new.get("unit"):
        return row | {
            "grade": SAME if (old["value"], old.get("unit")) == (new["value"], new.get("unit")) else "重大"
        }
    difference = new["value"] - old["value"]
    row["difference"] = difference
    row["relative"] = difference / abs(old["value"]) if old["value"] else None
    row["intervals"] = _intervals(old, new)
    row["grade"] = SAME if abs(difference) <= _rounding(new) else _grade(row)
    return row


def _grade(row: Mapping[str, Any]) -> str:
    book = _book()
    points = row["unit"] in book["rate_units"]
    size = (
        abs(row["difference"])
        if points
        else abs(row["relative"])
        if row["relative"] is not None
        else float("inf")
    )
    names = [grade["name"] for grade in book["grades"]]
    bound = "points" if points else "relative"
    grade = next(
        grade["name"]
        for grade in book["grades"]
        if size < grade.get(bound, float("inf")) or grade is book["grades"][-1]
    )
    if row["intervals"] == "重叠":
        return str(min(grade, book["overlapping"], key=names.index))
    return str(grade)


def _intervals(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    if any(item.get(bound) is None for item in (old, new) for bound in ("low", "high")):
        return None
    return "重叠" if old["low"] <= new["high"] and new["low"] <= old["high"] else "分离"


def _rounding(item: Mapping[str, Any]) -> float:
    """Half a unit of the last printed decimal: what prints alike is alike."""
    digits = item.get("digits")
    if digits is None:
        digits = (
            2 if item.get("unit") in _book()["rate_units"] else 0 if float(item["value"]).is_integer() else 6
        )
    return float(0.5 * 10.0**-digits) if digits else 0.0


def _tables(
    old: Path, new: Path, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, Any]]:
    files = [{item["name"]: item["file"] for item in side.get("tables", [])} for side in (before, after)]
    rows = []
    for name in {**files[0], **files[1]}:
        sides = [
            _cells(folder / names[name]) if name in names else None
            for folder, names in zip((old, new), files, strict=True)
        ]
        cells = _differing(*sides) if None not in sides else 0
        state = NEW if sides[0] is None else GONE if sides[1] is None else "有变化" if cells else SAME
        if state != SAME:
            rows.append({"name": name, "state": state, "cells": cells})
    return rows


def _cells(file: Path) -> list[list[str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.reader(stream))
    except OSError:
        return []


def _differing(old: Sequence[Sequence[str]] | None, new: Sequence[Sequence[str]] | None) -> int:
    """Cells that differ, rows matched by their first cell (and its repetition) so that a new row is one row."""
    before, after = _by_row(old or []), _by_row(new or [])
    count = 0
    for key in {*before, *after}:
        one, other = before.get(key, []), after.get(key, [])
        width = max(len(one), len(other))
        padded = [[*side, *[""] * (width - len(side))] for side in (one, other)]
        count += sum(a != b for a, b in zip(*padded, strict=True))
    return count


def _by_row(rows: Sequence[Sequence[str]]) -> dict[tuple[str, int], Sequence[str]]:
    found: dict[tuple[str, int], Sequence[str]] = {}
    for row in rows:
        first = row[0] if row else ""
        repeat = 0
        while (first, repeat) in found:
            repeat += 1
        found[first, repeat] = row
    return found


def _documents(old: Path, new: Path) -> list[dict[str, str]]:
    sides = []
    for folder in (old, new):
        inputs = _read(folder / "manifest.json").get("reproducible", {}).get("inputs", {})
        sides.append(
            {
                f"{name}/{file}": part["sha256"]
                for name, item in inputs.items()
                for file, part in item.get("files", {}).items()
            }
        )
    before, after = sides
    states = [
        (name, NEW if name not in before else GONE if name not in after else "内容有变")
        for name in sorted({**before, **after})
        if before.get(name) != after.get(name)
    ]
    return [{"name": name, "state": state} for name, state in states]


def _findings(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str]]:
    sides = [[item["text"] for item in side.get("findings", [])] for side in (before, after)]
    told = [{"text": text, "state": NEW} for text in sides[1] if text not in sides[0]]
    return told + [{"text": text, "state": GONE} for text in sides[0] if text not in sides[1]]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _read(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InputError("读不到简报的结果文件", file=file, hint="请重新生成这份简报") from error


def _book() -> dict[str, Any]:
    return codebooks.load("brief_changes")
