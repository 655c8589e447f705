"""Which rows belong to which printed region (地区归属): a province holds its cities, a city its counties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import regions as region_tables
from ..errors import RequestError
from .names import renamed

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
LEVELS = ("region", "city", "county")


@dataclass(frozen=True)
class Places:
    """A request's region and grouping.

    Attributes
    ----------
    region
        A GB/T 2260 code, a place's own name where the source has no codes, or ``None`` for all of the data.
    by
        ``region`` (one level down), ``city``, ``county``, a column, or ``None``.
    """

    region: str | None = None
    by: str | None = None

    @property
    def column(self) -> str | None:
        """The grouping column, when ``by`` is no level of the region tree."""
        return None if self.by is None or self.by in LEVELS else self.by

    def assign(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows within the region, ``region`` replaced by ``region_code``.

        Raises
        ------
        RequestError
            Neither the code table nor the data know the region.
        """
        if not len(frame):
            return frame.assign(region_code="")
        codes = frame["region"]
        if self.region:
            frame = frame[self._inside(codes)]
            codes = frame["region"]
        if self.by in LEVELS:
            return frame.assign(region_code=renamed(codes, self._printed))
        return frame.assign(region_code=self.region or ALL)

    def prefix(self) -> str | None:
        """The first digits that all codes within the region share; ``None`` for a place without a code."""
        book = region_tables.load()
        if self.region is None or self.region not in book:
            return None
        return {"省": self.region[:2], "市": self.region[:4], "县": self.region}[book.get(self.region).level]

    def _inside(self, codes: pd.Series) -> pd.Series:
        prefix = self.prefix()
        if prefix is not None:
            return codes.str.startswith(prefix)
        if not (codes == self.region).any():
            raise RequestError(
                "数据和行政区划代码表里都没有这个地区",
                value=self.region,
                hint="请用六位 GB/T 2260 代码，如 330000",
            )
        return codes == self.region

    def _printed(self, code: str) -> str:
        if len(code) != 6 or not code.isdigit():
            return code
        level = self.by
        if level == "region":
            level = "city" if self.region is None or self.region.endswith("0000") else "county"
        return code[:4] + "00" if level == "city" else code
