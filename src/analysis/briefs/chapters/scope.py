"""What a brief is about (简报范围): one place, one period, one snapshot, and the indicator tables all chapters read.

Tables are computed once and kept; chapters only choose rows, so no two chapters can disagree about a number.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ... import cases as case_tables
from ... import display, regions
from ...cases import coverage, registry
from ...cases.emerging import window
from ...periods import Period
from ...regions import Region

if TYPE_CHECKING:
    import pandas as pd

    from ...cases import Cases
    from ...cases.release import Release

VIEWS = ("本期", "本年累计", "同比", "环比")
CHANGES = ("同比", "环比")
PARTS = ("总量", "预防", "受理", "办理", "监督追责", "维护秩序")
NOUNS = {"month": "本月", "quarter": "本季度", "half": "本半年", "year": "本年"}
# Indicators with a monthly history: those that a chapter charts or that the closing chapters judge.
FOLLOWED = (
    "pieces", "persons", "matters", "acceptance_office", "acceptance_unit", "on_time", "on_time_reply", "extension",
    "resolved", "repeat", "mediation", "satisfaction_office", "satisfaction_unit", "rated_office", "rated_unit",
    "open_stock", "overdue_open", "long_unresolved", "over_level", "group_visits", "supervised", "recommendations",
)  # fmt: skip
# Indicators shown by place. Counts stand in the order of the codes and are never ranked.
PLACED = ("pieces", "per_10k", "on_time", "acceptance_unit", "resolved", "satisfaction_unit")
_MONTHS = 36


def open_scope(
    cases: str,
    period: str,
    region: str,
    *,
    as_of: str | None = None,
    audience: str | None = "strict_suppress",
) -> Scope:
    """Open the case data for a brief.

    Parameters
    ----------
    cases
        Folder, file or database URL.
    period, region
        Such as ``2024-03`` and ``990000``.
    as_of
        The snapshot's day; without it the last moment of the data.
    audience
        Disclosure profile for what is shared; ``None`` shows every number.

    Raises
    ------
    RequestError
        An unknown period or region, or one that the data do not cover.
    """
    span, place = Period.parse(period), regions.load().get(region)
    tables = case_tables.load(cases)
    coverage.require(tables, span, place.code)
    return Scope(tables, span, place, as_of, audience or None)


@dataclass(frozen=True)
class Scope:
    """Place, period, snapshot, audience and the loaded tables of one brief."""

    tables: Cases
    period: Period
    region: Region
    as_of: str | None = None
    audience: str | None = None

    @property
    def views(self) -> tuple[str, ...]:
        """The views a table shows: for a year, 本年累计 is 本期 and 环比 is 同比."""
        return ("本期", "同比") if self.period.frequency == "year" else VIEWS

    @cached_property
    def table(self) -> pd.DataFrame:
        """All indicators under all definitions, in all four views."""
        return case_tables.indicators(self.tables, self.period, self.region.code, self.as_of)

    @cached_property
    def months(self) -> pd.DataFrame:
        """The followed indicators month by month, up to three years back."""
        months = [Period.containing(self.period.end, "month").shift(-k) for k in range(_MONTHS)]
        kept = [month for month in reversed(months) if month.start >= self.first]
        kept = kept or months[:1]  # a source that begins in the middle of the period's month
        return case_tables.indicators(
            self.tables, kept, self.region.code, self.as_of, only=known(FOLLOWED), views=("本期",)
        )

    @cached_property
    def places(self) -> pd.DataFrame:
        """The placed indicators for the places compared, with 同比."""
        return case_tables.indicators(
            self.tables,
            self.period,
            self.field.code,
            self.as_of,
            by="region",
            only=known(PLACED),
            views=("本期", "同比"),
        )

    @property
    def looked_at(self) -> list[Period]:
        """The months that tests look at: the period's, or below the province, where months are small, the twelve that end with it."""
        return window(self.period, self.region.code)

    @property
    def looked_at_label(self) -> str:
        """These months as one writes them: 2024年第一季度, 2023年4月至2024年3月."""
        months = self.looked_at
        return (
            self.period.label if months == self.period.months() else f"{months[0].label}至{months[-1].label}"
        )

    @cached_property
    def checks(self) -> pd.DataFrame:
        """Integrity checks of the months looked at, those that the source has columns for; a county among its city's."""
        from ...cases.integrity import checks

        months = self.looked_at
        found = checks(
            self.tables,
            months[0].start,
            months[-1].end,
            region=self.region.code,
            among=self.field.code if self.region.level == "县" else None,
            as_of=self.as_of,
        )
        found = found[~found["note"].fillna("").str.startswith("无数据来源")]
        coded = found["body"].map(lambda body: str(body) in regions.load())
        # Where there are codes, one that no region has is a reject, not a place.
        return found[found["body"].isna() | coded] if coded.any() else found

    @property
    def first(self) -> dt.date:
        """Where series begin: the window that the source states, else its first whole month."""
        window = self.tables.metadata.get("window") or {}
        stated = window.get("start")
        first = dt.date.fromisoformat(str(stated)) if stated else self.tables.extent[0] or self.period.start
        return first if first.day == 1 else (first.replace(day=1) + dt.timedelta(days=32)).replace(day=1)

    @property
    def since(self) -> str:
        """The month of :attr:`first` as one writes it: 2022年1月."""
        return Period.containing(self.first, "month").label

    @property
    def field(self) -> Region:
        """The region whose parts are compared: a province or a city itself, a county's city."""
        if self.region.level == "县" and self.region.parent is not None:
            return regions.load().get(self.region.parent)
        return self.region

    @property
    def noun(self) -> str:
        """本月, 本季度, 本半年 or 本年."""
        return NOUNS[self.period.frequency]

    @property
    def last_month(self) -> str:
        """What the last month of the period, which control charts judge, is called."""
        return self.noun if self.period.frequency == "month" else "末月"

    @property
    def snapshot(self) -> dt.date | None:
        """The day the numbers were seen."""
        if self.as_of:
            return dt.date.fromisoformat(self.as_of[:10])
        last = self.tables.last_moment
        return last.date() if last else None

    def placed(self, indicator: str, view: str = "本期") -> pd.DataFrame:
        """The headline rows of an indicator for the places compared, in order of the codes."""
        table = self.places
        codes = {region.code for region in regions.load().children(self.field.code)}
        return table[
            (table["indicator"] == indicator)
            & (table["variant"] == headline(indicator))
            & (table["view"] == view)
            & table["part_of"].isna()
            & table["region_code"].isin(codes)
        ].sort_values("region_code")

    # --- one number --------------------------------------------------------------------------------------------

    def row(
        self, indicator: str, view: str = "本期", variant: str | None = None, part_of: str | None = None
    ) -> Mapping[str, Any] | None:
        """The row of the indicator table; ``None`` when there is none. The headline definition unless named."""
        table = self.table
        variant = variant or headline(indicator)
        part = table["part_of"].isna() if part_of is None else table["part_of"] == part_of
        found = table[
            (table["indicator"] == indicator) & (table["view"] == view) & (table["variant"] == variant) & part
        ]
        return None if found.empty else {str(key): value for key, value in found.iloc[0].items()}

    def has(self, indicator: str) -> bool:
        """Whether the indicator has a value in this period that the audience may see."""
        row = self.row(indicator)
        return row is not None and _known(row["value"]) and self.open_to_all(row)

    def result(
        self, indicator: str, view: str = "本期", variant: str | None = None, part_of: str | None = None
    ) -> display.Result:
        """Record the number as a named result of the brief and return it.

        The name is the indicator's Chinese name with what sets the row apart: ``信访件数·来访·同比``.
        """
        row = self.row(indicator, view, variant, part_of)
        entry = registry.indicator(indicator)
        chosen = variant or headline(indicator)
        name = result_name(indicator, chosen, part_of, view)
        if row is None:
            return display.result(name, None, definition=f"{indicator}.{chosen}@{entry.version}")
        value, low, high = (scaled(row[key], row["unit"]) for key in ("value", "low", "high"))
        if not self._open_in(view, indicator, variant, part_of):
            value = low = high = None
        return display.result(
            name,
            value,
            unit=unit_text(row["unit"]),
            n=None if value is None or not _known(row["n"]) else int(row["n"]),
            low=low if view in ("本期", "本年累计") else None,
            high=high if view in ("本期", "本年累计") else None,
            definition=row["definition"],
            source=self.source(entry),
        )

    def source(self, entry: registry.Indicator) -> str:
        """What a number was computed from: table, place, period; the snapshot stands at the brief's head."""
        return f"{entry.table or 'matters'}·{self.region.code}·{self.period}"

    # --- what may be shown ---------------------------------------------------------------------------------------

    def open_to_all(self, row: Mapping[str, Any]) -> bool:
        """Whether the row's counts may be shown to the audience."""
        import pandas as pd

        return bool(self.gated(pd.DataFrame([row]))["shown"].iloc[0])

    def _open_in(self, view: str, indicator: str, variant: str | None, part_of: str | None) -> bool:
        """A change is open only when both its ends are: its row holds the base, the row of 本期 the rest."""
        rows = [self.row(indicator, one, variant, part_of) for one in dict.fromkeys((view, "本期"))]
        return all(row is None or self.open_to_all(row) for row in rows)

    def gated(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows with ``shown``: False where a count that must not be known stands in them or follows from them.

        Rows are of the indicator table or parts of it: what a frame does not say (place, period, view, definition) is that
        of the brief. The decisions are :class:`analysis.cases.release.Release`'s: the same in every brief.
        """
        if self.release is None or frame.empty:
            return frame.assign(shown=True)
        rows = frame.copy()
        defaults = {
            "region_code": rows.get("body", self.region.code),
            "period": str(self.period),
            "view": "本期",
            "variant": rows["indicator"].map(headline),
            "part_of": None,
        }
        for column, value in defaults.items():
            if column not in rows:
                rows[column] = value
        return frame.assign(shown=self.release.shows(rows))

    @cached_property
    def release(self) -> Release | None:
        """What may be shown to the audience; nothing is withheld without one."""
        if self.audience is None:
            return None
        from ...cases.release import Release

        return Release(self.tables, self.audience, self.as_of)


def result_name(indicator: str, variant: str, part_of: object, view: str) -> str:
    """What a number's result is called: ``信访件数·来访·同比``."""
    entry = registry.indicator(indicator)
    own = variant in entry.variants and variant != headline(indicator)
    apart = part_of if isinstance(part_of, str) else entry.variants[variant].name if own else None
    return "·".join(filter(None, (entry.name, apart, view if view != "本期" else None)))


def known(ids: Iterable[str]) -> list[str]:
    """Those of the ids that the registry has."""
    return [id for id in ids if id in registry.indicators()]


def headline(indicator: str) -> str:
    """Id of the definition printed first."""
    entry = registry.indicator(indicator)
    return entry.headline.id if entry.variants else "headline"


def scaled(value: Any, unit: str) -> float | None:
    """A value in the unit it prints in: shares in percent."""
    if not _known(value):
        return None
    number = float(value) * (100 if unit == "率" else 1)
    return (
        int(number)
        if unit in ("件", "批", "人次", "项", "个", "次", "类") and number.is_integer()
        else number
    )


def unit_text(unit: str) -> str:
    """How a unit prints: 率 as %, 百分点 as 个百分点, 比 as nothing."""
    return {"率": "%", "百分点": "个百分点", "比": ""}.get(unit, unit)


def decimals(unit: str) -> int:
    """Decimals of a unit in tables."""
    return {"率": 2, "百分点": 2, "比": 2, "天": 1, "月": 1, "件/万人": 2, "%": 1}.get(unit, 0)


def _known(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value)) and str(value) != "<NA>"
