"""Series across issues (跨期序列): the same figure of the same body, issue after issue, with what changed on the way.

Systems (信访, 12345, 信箱 …) are part of the key: their numbers are never joined. Gaps are rows, not silence.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..periods import Period
from . import naming

if TYPE_CHECKING:
    import pandas as pd

Days = tuple[Any, Any]

COLUMNS = [
    "series",
    "system",
    "region_code",
    "body",
    "indicator_id",
    "indicator",
    "unit",
    "frequency",
    "period",
    "period_start",
    "period_end",
    "value",
    "status",
    "note",
    "stated_change",
    "stated_unit",
    "stated_base",
    "computed_change",
    "agrees",
    "words",
    "source",
    "doc_id",
    "start",
    "end",
    "source_start",
    "source_end",
    "text",
]
MONTHLY = [
    "region_code",
    "month",
    "indicator",
    "variant",
    "actor",
    "channel",
    "state",
    "numerator",
    "denominator",
    "system",
    "source",
]
_SAME_UNIT = {"件次": "件", "封": "件", "宗": "起", "名": "人", "批次": "批", "家次": "家"}
_SYSTEMS = {"信访": "信访", "12345": "12345", "信箱": "政府信箱", "公安": "公安"}
_CHANNELS = {
    "visits": "来访",
    "letters": "来信",
    "web_petitions": "网信",
    "calls": "电话",
    "group_visits": "来访",
}
_ACTING = re.compile(r"^(?:收到的?|受理的?|累计|各类|涉及|登记|共)+|(?:诉求|事项|件)$")
_SIMILAR = 0.34


def series(statistics: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """One table by indicator, period and body from several issues of a bulletin.

    Parameters
    ----------
    statistics
        From :func:`analysis.facts.extract`; changes, shares of a part and targets are no levels and enter as such.
    documents
        The issues: doc_id, source, title, region_code, issuer.

    Returns
    -------
    pandas.DataFrame
        :data:`COLUMNS`. ``status``: 首期, 连续, 缺期 (a gap, no value), 修订 (another issue states another value for
        the period), 口径变化 (unit or words changed), 重复 (the same value again). ``computed_change`` is in the
        unit of ``stated_change`` against the base that it names, ``agrees`` whether the two meet within rounding.
    """
    import pandas as pd

    levels = _levels(statistics, documents)
    rows: list[dict[str, Any]] = []
    for key, entries in levels.items():
        rows += _one(key, entries)
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("start", "end", "source_start", "source_end"):
        table[name] = table[name].astype("Int64")
    table["agrees"] = table["agrees"].astype("boolean")
    return table.reset_index(drop=True)


def monthly(table: pd.DataFrame) -> pd.DataFrame:
    """A series as the ``monthly`` aggregates that the case part reads where there are no case rows.

    Only months are taken: a quarter is not divided. Of an indicator that an issue states for several bodies, the first
    stands for the region. A rate keeps itself over 100 as numerator and denominator.

    Returns
    -------
    pandas.DataFrame
        region_code, month (its first day), indicator (name in the registry), variant, actor, channel, state,
        numerator, denominator, system, source. Actor and state are left open: a bulletin's body is no actor of the
        regulation, and what a series remarks on a value is in the series.
    """
    import pandas as pd

    kept = table[(table["frequency"] == "month") & table["value"].notna() & table["indicator_id"].notna()]
    kept = kept[kept["region_code"].notna() & ~kept["indicator"].astype(str).str.endswith("占比")]
    rows = []
    for row in kept.sort_values(["source", "start"], kind="stable").to_dict("records"):
        rate = row["unit"] == "%"
        rows.append(
            {
                "region_code": row["region_code"],
                "month": row["period_start"],
                "indicator": naming.register(row["words"])[1],
                "channel": _CHANNELS.get(row["indicator_id"]),
                "numerator": row["value"],
                "denominator": 100.0 if rate else None,
                "system": _SYSTEMS.get(row["system"], "其他"),
                "source": row["source"],
            }
        )
    made = pd.DataFrame(rows, columns=MONTHLY)
    return made.drop_duplicates(["region_code", "month", "indicator", "system", "source"]).reset_index(
        drop=True
    )


# --- levels -----------------------------------------------------------------------------------------------------


def _levels(statistics: pd.DataFrame, documents: pd.DataFrame) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Levels with a period, by series; each with the changes that speak of it."""
    info = documents.set_index("doc_id").to_dict("index")
    out: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for doc_id, part in statistics.groupby("doc_id", sort=False):
        document: Mapping[str, Any] = {str(k): v for k, v in info.get(doc_id, {}).items()}
        records: list[dict[str, Any]] = [
            {str(k): v for k, v in row.items()} for row in part.to_dict("records")
        ]
        headlines: set[tuple[Any, ...]] = set()
        for index, row in enumerate(records):
            if (
                row["kind"] == "change"
                or row["target"]
                or not row["indicator"]
                or row["note"] in ("base", "from", "low", "high")
            ):
                continue
            days = (row["period_start"], row["period_end"])
            frequency = frequency_of(days)
            if frequency is None:
                continue
            body = row["subject"] if isinstance(row["subject"], str) else None
            unit = _SAME_UNIT.get(row["unit"], row["unit"])
            name = _name(row, headlines, body, days)
            key = (row["system"], place(document), body, name, "件" if unit is None else unit, frequency)
            changes = [
                c
                for c in records
                if c["kind"] == "change" and not _missing(c["part_of"]) and int(c["part_of"]) == index
            ]
            out.setdefault(key, []).append(row | {"days": days, "changes": changes, "own_unit": row["unit"]})
    return out


def _name(row: Mapping[str, Any], headlines: set[tuple[Any, ...]], body: str | None, days: Days) -> str:
    """What is the same from issue to issue: the registry's entry for the first figure of its kind, else the words."""
    words = _ACTING.sub("", str(row["indicator"])) or str(row["indicator"])
    entry = row["indicator_id"]
    if not _missing(entry) and not row["table"]:
        headline = (entry, row["unit"], body, days)
        if headline not in headlines:
            headlines.add(headline)
            return f"#{entry}"
    # 财税金融类 and 金融财税类 are one class: the order of the parts carries no meaning.
    return "".join(sorted(words)) if words.endswith(("类", "类占比")) else words


def _one(key: tuple[Any, ...], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    system, _, body, name, unit, frequency = key
    entries = sorted(entries, key=lambda e: (e["period_start"], e["period_end"]))
    values: dict[Days, float] = {}
    rows = []
    previous: dict[str, Any] | None = None
    label = _label(name, entries)
    identity = "|".join(
        str(part) for part in (system, place_text(key[1]), body, label, unit, frequency) if part
    )
    for entry in entries:
        days = entry["days"]
        if previous is not None and days != previous["days"]:
            rows += _gaps(previous["days"], days, frequency)
        status, note = _status(entry, previous, values)
        values[days] = entry["value"]
        change = _stated(entry["changes"])
        computed, agrees = _compare(entry, change, values)
        rows.append(
            {
                "period": period_label(days),
                "period_start": days[0],
                "period_end": days[1],
                "value": entry["value"],
                "status": status,
                "note": note,
                "stated_change": None
                if change is None
                else (change["value"] if change["direction"] == "up" else -change["value"]),
                "stated_unit": None if change is None else change["unit"],
                "stated_base": None if change is None else change["base"],
                "computed_change": computed,
                "agrees": agrees,
                "words": entry["indicator"],
                "source": entry["source"],
                "doc_id": entry["doc_id"],
                "start": entry["start"],
                "end": entry["end"],
                "source_start": entry["source_start"],
                "source_end": entry["source_end"],
                "text": entry["text"],
            }
        )
        previous = entry
    common = {
        "series": identity,
        "system": system,
        "region_code": entries[0]["region_code"],
        "body": body,
        "indicator_id": entries[0]["indicator_id"],
        "indicator": label,
        "unit": unit if entries[0]["unit"] is not None else None,
        "frequency": frequency,
    }
    return [common | row for row in rows]


def _label(name: str, entries: list[dict[str, Any]]) -> str:
    if name.startswith("#"):
        return naming.register(entries[0]["indicator"])[1] or name[1:]
    return str(entries[0]["indicator"])


def _status(
    entry: Mapping[str, Any], previous: Mapping[str, Any] | None, values: Mapping[Days, float]
) -> tuple[str, str | None]:
    from .relations import number, similar

    if entry["days"] in values:
        before = values[entry["days"]]
        if before == entry["value"]:
            return "重复", None
        return "修订", f"同一期前述为{number(before, 4)}"
    if previous is None:
        return "首期", None
    if entry["own_unit"] != previous["own_unit"]:
        return "口径变化", f"单位由{previous['own_unit'] or '无'}改为{entry['own_unit'] or '无'}"
    if (
        entry["indicator"] != previous["indicator"]
        and similar(_ACTING.sub("", entry["indicator"]), _ACTING.sub("", previous["indicator"])) < _SIMILAR
    ):
        return "口径变化", f"上期称“{previous['indicator']}”，本期称“{entry['indicator']}”"
    return "连续", None


def _gaps(before: Days, after: Days, frequency: str) -> list[dict[str, Any]]:
    """The periods missing between two issues, one row each."""
    if frequency not in ("month", "quarter", "half", "year"):
        return []
    rows: list[dict[str, Any]] = []
    period = Period.containing(before[0], frequency).shift(1)
    last = Period.containing(after[0], frequency)
    while period < last and len(rows) < 240:
        rows.append(
            {"period": period.label, "period_start": period.start, "period_end": period.end, "status": "缺期"}
        )
        period = period.shift(1)
    return rows


def _stated(changes: list[dict[str, Any]]) -> dict[str, Any] | None:
    percent = [c for c in changes if c["unit"] in ("%", "个百分点") and c["base"]]
    based = percent or [c for c in changes if c["base"]]
    return based[0] if based else None


def _compare(
    entry: Mapping[str, Any], change: Mapping[str, Any] | None, values: Mapping[Days, float]
) -> tuple[float | None, bool | None]:
    """The change that the series itself gives against the base that the text names."""
    days = entry["days"]
    yearly = change is not None and re.search("同比|上年|去年|同期", change["base"]) is not None
    base = values.get(same_period_last_year(days) if yearly else previous_period(days))
    if base is None:
        return None, None
    relative = change is None or change["unit"] == "%"
    if relative and not base:
        return None, None
    computed = 100 * (entry["value"] - base) / base if relative else entry["value"] - base
    if change is None:
        return round(computed, 2), None
    stated = change["value"] if change["direction"] == "up" else -change["value"]
    slack = change["step"] / 2 + (100 * entry["step"] / abs(base) if relative and not entry["exact"] else 0.0)
    return round(computed, 2), bool(abs(computed - stated) <= slack + 1e-9)


# --- periods and places -----------------------------------------------------------------------------------------


def frequency_of(days: Days) -> str | None:
    """month, quarter, half, year, cumulative (from 1 January), span; ``None`` without both days."""
    start, end = days
    if _missing(start) or _missing(end):
        return None
    for frequency in ("month", "quarter", "half", "year"):
        period = Period.containing(start, frequency)
        if (period.start, period.end) == (start, end):
            return frequency
    return "cumulative" if (start.month, start.day) == (1, 1) and start.year == end.year else "span"


def period_label(days: Days) -> str:
    """The Chinese name of a period."""
    frequency = frequency_of(days)
    if frequency in ("month", "quarter", "half", "year"):
        return Period.containing(days[0], frequency).label
    start, end = days
    if frequency == "cumulative" and end == _month_end(end):
        return f"{start.year}年1—{end.month}月"
    return f"{start.isoformat()}至{end.isoformat()}"


def previous_period(days: Days) -> Days:
    """The base of 环比: the period of the same kind right before (a week before a span of days)."""
    frequency = frequency_of(days)
    if frequency in ("month", "quarter", "half", "year"):
        period = Period.containing(days[0], frequency).previous
        return period.start, period.end
    if frequency is None or frequency == "cumulative":
        return None, None
    length = days[1] - days[0] + dt.timedelta(1)
    return days[0] - length, days[1] - length


def same_period_last_year(days: Days) -> Days:
    """The base of 同比."""
    if _missing(days[0]) or _missing(days[1]):
        return None, None
    start, end = (_year_back(day) for day in days)
    return start, _month_end(end) if days[1] == _month_end(days[1]) else end


def place(document: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Which bulletin a document is an issue of: its region, and the issuer or the title without its numbers."""

    def text(name: str) -> str | None:
        value = document.get(name)
        return value if isinstance(value, str) and value else None

    title = text("title")
    stem = re.sub(r"[\d零〇一二三四五六七八九十]+|[年月日季度第期上下半]|\s", "", title) if title else None
    return text("region_code"), text("issuer") or (None if text("region_code") else stem)


def place_text(where: tuple[str | None, str | None]) -> str:
    """The place in words."""
    return "·".join(part for part in where if part)


def _missing(value: Any) -> bool:
    import pandas as pd

    return value is None or bool(pd.isna(value))


def _month_end(day: dt.date) -> dt.date:
    return Period.containing(day, "month").end


def _year_back(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
