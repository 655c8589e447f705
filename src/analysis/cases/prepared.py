"""Prepared case data (预汇总): the low-way margins of a source on disk, so that a hundred briefs are summed from one reading.

Everything a periodic brief prints is a sum over margins of month × region. ``prepare`` (its own module) reads the rows once and writes the
margins, the reject lines and what doubt they cast; ``load`` opens such a folder like any other source. What needs rows
(another grouping column, another as-of moment) is refused with a plain sentence, never guessed.

A folder holds ``prepared.json`` (format, as-of moment, extent, systems, columns, metadata), ``margins.parquet``,
``durations.parquet``, ``rejects.parquet``, ``doubts.parquet``, what the source has of ``topics.parquet`` (see
:mod:`.emerging`), ``integrity.parquet`` (see :mod:`.integrity`), ``spells.parquet`` and ``paths.parquet`` (see :mod:`.stages`), and
the small tables that are no rows of cases.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .registry import Indicator

if TYPE_CHECKING:
    import pandas as pd

    from .points import Margins

STAMP = "prepared.json"
SMALL = ("population", "monthly", "pilots")
FORMAT = 3
PLACE = "place"
BESIDE = "prepared"
REGION = {
    "margins": "region", "durations": "region", "rejects": "region_code", "doubts": "region",
    "topics": "region", "integrity": "region", "spells": "region", "paths": "region",
}  # fmt: skip
"""Which column of each file holds the region code by which a slice is cut."""


@dataclass(frozen=True)
class Prepared:
    """A prepared folder, read when asked.

    Attributes
    ----------
    folder
        Where it lies.
    facts
        Content of ``prepared.json``.
    """

    folder: Path
    facts: Mapping[str, Any]

    @property
    def as_of(self) -> dt.datetime:
        """The moment that the margins were taken at."""
        return dt.datetime.fromisoformat(self.facts["as_of"])

    def answers(self, as_of: dt.datetime, by: str | None = None) -> bool:
        """Whether the files hold what is asked for; else it takes the rows."""
        return by is None and as_of == self.as_of

    def margins(self, chosen: Sequence[Indicator], as_of: dt.datetime, by: str | None) -> Margins:
        """What :func:`.collect.margins` gives, from the files.

        Raises
        ------
        InputError
            Another as-of moment or another grouping than the margins have.
        """
        if by is not None:
            raise InputError(
                "预汇总数据没有这一列，不能按它分组", file=self.folder, value=by, hint="请改用逐行的案件数据"
            )
        if as_of != self.as_of:
            raise InputError(
                "预汇总数据只有一个截止时间",
                file=self.folder,
                value=str(as_of),
                hint=f"请用 {self.facts['as_of']}，或改用逐行的案件数据",
            )
        return self._margins.of(chosen)

    def rejects(self) -> pd.DataFrame:
        """What :func:`.reject.check` gives; ``attrs["counts"]`` holds the rules that ran."""
        table = self._read("rejects")
        found = table["rule"].value_counts()
        table.attrs["counts"] = {rule: int(found.get(rule, 0)) for rule in self.facts["rules"]}
        return table

    def doubts(self) -> pd.DataFrame:
        """What :func:`.reject.doubts` gives."""
        return self._read("doubts")

    def beside(self, name: str) -> pd.DataFrame:
        """A margin beside those of the indicators: ``topics``, ``integrity``, ``spells`` or ``paths``."""
        return self._read(name)

    @cached_property
    def _margins(self) -> Margins:
        from .names import stack
        from .points import Margins

        lacking = {(one, variant): reason for one, variant, reason in self.facts["lacking"]}
        table, durations = (
            stack([read], list(read.columns)) for read in map(self._read, ("margins", "durations"))
        )
        return Margins(table, durations, lacking)

    def _read(self, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_parquet(self.folder / f"{name}.parquet").drop(columns=PLACE)


def find(folder: Path) -> Prepared | None:
    """The prepared data in a folder, or beside its rows in ``prepared/``; ``None`` when there are none.

    Raises
    ------
    InputError
        It is torn or of another format.
    """
    stamp = next((place / STAMP for place in (folder, folder / BESIDE) if (place / STAMP).is_file()), None)
    if stamp is None:
        return None
    try:
        facts = json.loads(stamp.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError("预汇总数据损坏", file=stamp, hint="请删除该文件夹后重新生成") from error
    if facts.get("format") != FORMAT:
        raise InputError(
            "预汇总数据的格式不是本版本的", file=stamp, value=facts.get("format"), hint="请重新生成"
        )
    return Prepared(stamp.parent, facts)


def write(frame: pd.DataFrame, file: Path, places: Any = 0) -> None:
    """Parquet whose bytes depend on nothing but the table.

    Where slices are cut, rows stand in order of all columns, the first of them ``places``: so a slice is in order whoever
    cuts it, and one county's new row moves none of another's.
    """
    frame = frame.reset_index(drop=True)
    frame = frame.astype({name: object for name, kind in frame.dtypes.items() if kind == "category"})
    for name in [name for name in frame.columns if frame[name].dtype == object]:
        frame[name] = frame[name].where(frame[name].notna(), None)
    if file.stem in REGION:
        frame.insert(0, PLACE, places)
        frame = frame.sort_values(list(frame.columns), kind="stable", ignore_index=True)
    frame.attrs = {}
    frame.to_parquet(file, index=False, compression="zstd")
