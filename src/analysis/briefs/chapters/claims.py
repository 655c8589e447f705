"""说法与数据: changes that the period's texts state, held against the case data of the same place and months."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import cases as case_tables
from ... import codebooks, display
from ... import regions as region_tables
from ...cases import registry
from ...effects import claims
from ...periods import Period
from .scope import Scope

if TYPE_CHECKING:
    import pandas as pd


Link = Callable[[Mapping[Any, Any]], str | None]
"""From a row of the statistics to the evidence that it stands in."""


def held(statistics: pd.DataFrame, link: Link, scope: Scope) -> None:
    """One line a claim: as stated, as the data give it with its interval, and whether it is more than usual variation."""
    stated = speaking(statistics, scope)
    if stated.empty:
        return
    known = _checked(stated, _series(scope, stated))
    if known.empty:
        return
    hidden = (known["strength"] == claims.SMALL) if scope.audience is not None else known["n"] < 0
    display.text("### 说法与案件数据")
    display.table(
        _frame(known, hidden, link),
        name="claims",
        caption="文本所称的增减与案件数据",
        links={"说法": "_依据"},
        note="按同一地区、同一月份的案件数据重算，指标注明所用口径（各口径都不一致的列主口径）；区间计入序列自身的月间波动。一致指按所写位数四舍五入后相同；"
        "前后之差不等于政策效果。“—”为数字小，不示。",
    )
    _finding(scope, known)


def speaking(statistics: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """The stated changes that case data can answer: same system, a place of theirs, a wording with one meaning."""
    book = codebooks.load("claims")["indicators"]
    change = statistics["direction"].notna() & statistics["base"].notna()
    rows = statistics[change & statistics["indicator_id"].isin(list(book))]
    rows = rows[(rows["system"] == scope.tables.system) & rows["region_code"].notna()]
    prefix = {"省": 2, "市": 4, "县": 6}[scope.region.level]
    rows = rows[rows["region_code"].astype(str).str.startswith(scope.region.code[:prefix])]
    meant = [
        re.search(book[id]["wording"], str(text)) is not None
        for id, text in zip(rows["indicator_id"], rows["indicator"], strict=True)
    ]
    rows = rows[np.array(meant, dtype=bool)]
    return rows.assign(
        indicator_id=[book[id]["indicator"] for id in rows["indicator_id"]],
        variants=[book[id]["variants"] for id in rows["indicator_id"]],
    ).drop_duplicates(["region_code", "indicator_id", "base", "period_start", "period_end", "value"])


def _checked(stated: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    """Each claim under the definition from which it follows, else under the first; what cannot be checked is left out."""
    import pandas as pd

    tried = (
        stated.assign(claim=range(len(stated))).explode("variants").rename(columns={"variants": "variant"})
    )
    parts = [
        claims.check(rows, series[series["variant"] == variant])
        for variant, rows in tried.groupby("variant", sort=False)
    ]
    found = pd.concat(parts, ignore_index=True)
    found = found[found["agrees"] != claims.UNKNOWN]
    found = found.assign(differs=found["agrees"] == claims.DIFFERS)
    return (
        found.sort_values(["claim", "differs"], kind="stable").drop_duplicates("claim").reset_index(drop=True)
    )


def _series(scope: Scope, stated: pd.DataFrame) -> pd.DataFrame:
    """Months of every place and indicator that is spoken of, up to the as-of day."""
    import pandas as pd

    last = Period.containing(scope.snapshot or scope.period.end, "month")
    length = (last.year - scope.first.year) * 12 + last.first_month - scope.first.month
    months = [last.shift(-back) for back in range(length, -1, -1)]
    made = []
    for code, rows in stated.groupby("region_code"):
        wanted = sorted(rows["indicator_id"].unique())
        table = case_tables.indicators(
            scope.tables, months, str(code), scope.as_of, only=wanted, views=("本期",)
        )
        whole = table[table["part_of"].isna() & table["numerator"].notna()]
        made.append(whole.assign(region_code=str(code)))
    columns = ["region_code", "indicator", "variant", "period", "numerator", "denominator"]
    return pd.concat(made, ignore_index=True)[columns]


def _frame(known: pd.DataFrame, hidden: pd.Series, link: Link) -> pd.DataFrame:
    import pandas as pd

    book = region_tables.load()
    rows = list(zip(known.to_dict("records"), hidden, strict=True))
    return pd.DataFrame(
        {
            "说法": [str(row["text"]) for row, _ in rows],
            "地区": [book.get(str(row["region_code"])).name for row, _ in rows],
            "指标": [_named(row["indicator_id"], row["variant"]) for row, _ in rows],
            "所称": [_signed(row["stated"], row) for row, _ in rows],
            "按数据": [None if shut else _signed(row["computed"], row) for row, shut in rows],
            "95%区间": [
                None if shut else f"{_signed(row['low'], row)}至{_signed(row['high'], row)}"
                for row, shut in rows
            ],
            "核对": [row["agrees"] for row, _ in rows],
            "变化": [row["strength"] for row, _ in rows],
            "_依据": [link(row) for row, _ in rows],
        }
    )


def _named(indicator: str, variant: str) -> str:
    """The indicator, with the definition where it is not the first."""
    entry = registry.indicator(indicator)
    plain = variant == entry.headline.id
    return entry.name if plain else f"{entry.name}（{entry.variants[variant].name}）"


def _signed(value: float, row: dict[Any, Any]) -> str:
    digits = max(1, len(f"{float(row['value']):.4f}".rstrip("0").partition(".")[2]))
    text = f"{value:+.{digits}f}".replace("-", "−")
    return f"{text}{row['unit']}"


def _finding(scope: Scope, known: pd.DataFrame) -> None:
    differ = int((known["agrees"] == claims.DIFFERS).sum())
    usual = int((known["strength"] == claims.ORDINARY).sum())
    source = f"{scope.tables.system}·{scope.region.code}"
    total, wrong, plain = (
        display.result(name, value, unit="条", source=source)
        for name, value in (
            ("可与数据核对的说法", len(known)), ("与数据不一致的说法", differ), ("与常规波动无法区分的说法", usual),
        )
    )  # fmt: skip
    display.finding(
        f"文本所称的增减中，可与案件数据核对的{{{total.name}}}，与数据不一致的{{{wrong.name}}}；"
        f"其中{{{plain.name}}}所称的变化与常规波动无法区分。",
        grade="提示" if differ else None,
    )
