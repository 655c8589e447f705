"""Keeps the rows of a coverage script beside it: parts run by name replace their own rows only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any


def keep(script: str, parts: Iterable[Callable[[], list[dict[str, Any]]]], names: Sequence[str]) -> None:
    """Run the parts (or those named), print their rows, and write them to ``<script>.json``."""
    file = Path(script).with_suffix(".json")
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    for part in parts:
        if names and part.__name__ not in names:
            continue
        made = [{"part": part.__name__, **row} for row in part()]
        for row in made:
            print(json.dumps(row, ensure_ascii=False), flush=True)
        rows = [row for row in rows if row["part"] != part.__name__] + made
        file.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
