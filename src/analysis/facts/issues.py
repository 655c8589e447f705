"""Beyond one text (表文之间、期与期之间): tables against themselves and the prose, the words of a base, and last month's issue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .relations import Interval, Item, Relation, number, told
from .sums import is_total

if TYPE_CHECKING:
    import pandas as pd

_TOTALS = ("合计", "总计", "小计", "全市", "全省", "全县")
_CLOSED = re.compile(r"办结|结案|已结|办毕")
_PENDING = re.compile(r"办理中|在办|未办|未结|正在")
_RECEIVED = re.compile(
    r"^(?:件数|转办|转交|派发|登记|应办|应办结|总数|受理|承办|收到|来信|交办|数量|接收|总件)"
)
_RATE = re.compile(r"(?:办结|结案|办毕)率$")


def in_tables(items: Sequence[Item]) -> list[Relation]:
    """Rows and columns of tables: handled + pending = received, rates, columns against their 合计, 合计 against the prose."""
    cells = [i for i in items if i.table]
    out: list[Relation] = []
    by_row: dict[tuple[int, str | None], list[Item]] = {}
    by_column: dict[tuple[int, str], list[Item]] = {}
    for cell in cells:
        by_row.setdefault((cell.group, cell.subject), []).append(cell)
        by_column.setdefault((cell.group, cell.indicator), []).append(cell)
    for (_, subject), row in by_row.items():
        if subject:
            out += _row(row)
    for column in by_column.values():
        out += _column(column)
    out += _against_prose(cells, [i for i in items if not i.table])
    return out


def _one(row: Sequence[Item], pattern: re.Pattern[str], *, rate: bool = False) -> Item | None:
    found = [c for c in row if pattern.search(c.indicator) and (c.unit == "%") == rate]
    return found[0] if len(found) == 1 else None


def _row(row: Sequence[Item]) -> list[Relation]:
    received, closed, pending = (_one(row, p) for p in (_RECEIVED, _CLOSED, _PENDING))
    rate = _one(row, _RATE, rate=True)
    out = []
    where = row[0].subject
    if received and closed and pending:
        made = closed.value + pending.value
        holds = abs(made - received.value) < 1e-6
        out.append(
            Relation(
                "sum",
                received,
                [closed, pending],
                received.value,
                made,
                Interval(made, made),
                holds,
                "ok" if holds else "contradiction",
                f"表中{where}：已办结与办理中之和为{number(made)}，"
                + ("与件数一致" if holds else f"与件数{number(received.value)}不符"),
            )
        )
    if received and closed and rate and received.value > 0:
        expected = 100 * closed.value / received.value
        holds = Interval(expected, expected).meets(rate.percent)
        near = abs(expected - rate.value) <= 1.5 * rate.step
        out.append(
            Relation(
                "rate",
                received,
                [closed],
                rate.value,
                expected,
                Interval(expected, expected),
                holds,
                "ok" if holds else "rounding" if near else "other base",
                f"表中{where}：按件数与已办结数计算为{number(expected)}%，"
                + ("与所列一致" if holds else f"所列为{number(rate.value)}%"),
                [received, closed, rate],
            )
        )
    return out


def _column(column: Sequence[Item]) -> list[Relation]:
    totals = [c for c in column if c.subject in _TOTALS or c.note == "合计"]
    parts = [c for c in column if c not in totals]
    if len(totals) != 1 or len(parts) < 2 or totals[0].kind != "count":
        return []
    made = sum(p.value for p in parts)
    holds = abs(made - totals[0].value) < 1e-6
    return [
        Relation(
            "sum",
            totals[0],
            parts,
            totals[0].value,
            made,
            Interval(made, made),
            holds,
            "ok" if holds else "contradiction",
            f"表中“{totals[0].indicator}”一列之和为{number(made)}，"
            + (
                "与合计一致"
                if holds
                else f"与合计{number(totals[0].value)}不符，相差{number(abs(made - totals[0].value))}"
            ),
        )
    ]


def _against_prose(cells: Sequence[Item], prose: Sequence[Item]) -> list[Relation]:
    """A table's total and the prose figure of the same registered indicator and period."""
    out = []
    for cell in cells:
        if (
            not (cell.subject in _TOTALS or cell.note == "合计")
            or cell.indicator_id is None
            or cell.kind != "count"
        ):
            continue
        same = [
            p
            for p in prose
            if p.indicator_id == cell.indicator_id
            and p.kind == "count"
            and not p.bracketed
            and p.days == cell.days
        ]
        if not same:
            continue
        equal = next((p for p in same if p.value == cell.value), None)
        if equal is None and len(same) > 1:
            continue
        other = equal or same[0]
        holds = equal is not None
        if not holds and (other.vague or not other.exact or not is_total(other)):
            continue
        out.append(
            Relation(
                "sum",
                other,
                [cell],
                other.value,
                cell.value,
                Interval(cell.value, cell.value),
                holds,
                "ok" if holds else "other base",
                f"文中“{told(other)}”与表中合计{number(cell.value)}"
                + ("一致" if holds else f"不符，相差{number(abs(other.value - cell.value))}"),
            )
        )
    return out


_MONTHLY = re.compile(
    r"环比[^,，。；;]{0,12}(?:去年|上年)(?:同期|同月|同季)|(?:比|较|与)(?:去年|上年)(?:同期|同月|同季度?)(?:相比)?[,，]?[^,，。；;]{0,12}环比"
)
_YEARLY = re.compile(
    r"同比[^,，。；;]{0,12}(?:上个?月|上一?季度|上周)|(?:比|较|与)(?:上个?月|上一?季度|上周)(?:相比)?[,，]?[^,，。；;]{0,12}同比"
)


def wording(read: Mapping[str, Sequence[Item]], documents: pd.DataFrame) -> list[dict[str, Any]]:
    """Bases called by the wrong name: 环比 beside 去年同期, 同比 beside 上月."""
    out = []
    for document in documents.to_dict("records"):
        body = document.get("body")
        items = read.get(document["doc_id"])
        if not items or not isinstance(body, str):
            continue
        for pattern, said, meant in ((_MONTHLY, "环比", "同比"), (_YEARLY, "同比", "环比")):
            for match in pattern.finditer(body):
                near = next(
                    (
                        i
                        for i in items
                        if i.kind == "change"
                        and match.start() <= i.end
                        and i.start <= match.end() + 30
                        and not i.table
                    ),
                    None,
                )
                if near is None:
                    continue
                relation = Relation(
                    "wording",
                    None,
                    [near],
                    near.value,
                    near.value,
                    near.interval,
                    False,
                    "other base",
                    f"“{match[0]}”把{'上年同期' if said == '环比' else '上期'}作基期却称{said}，应称{meant}",
                )
                out.append(relation.row(document["source"], document["doc_id"]))
    return out


def between(read: Mapping[str, Sequence[Item]], documents: pd.DataFrame) -> list[dict[str, Any]]:
    """This issue's stated changes and bases against the issues before it in the same folder."""
    from .series import place

    levels: dict[tuple[Any, ...], dict[tuple[Any, Any], tuple[Item, str]]] = {}
    info: dict[str, dict[str, Any]] = {
        str(row["doc_id"]): {str(k): v for k, v in row.items()} for row in documents.to_dict("records")
    }
    for doc_id, items in read.items():
        if doc_id not in info:
            continue
        for item in items:
            if (
                item.kind in ("count", "money")
                and not item.table
                and None not in item.days
                and not item.bracketed
                and item.note is None
                and item.index >= 0
            ):
                key = (place(info[doc_id]), item.subject, item.indicator, item.unit)
                levels.setdefault(key, {}).setdefault(item.days, (item, doc_id))
    out = []
    for doc_id, items in read.items():
        for item in items:
            if item.note != "base" or item.vague or None in item.days or doc_id not in info:
                continue
            key = (place(info[doc_id]), item.subject, item.indicator, item.unit)
            stated = levels.get(key, {}).get(item.days)
            if stated is not None and stated[1] != doc_id:
                out.append(_restated(item, stated[0]).row(info[doc_id]["source"], doc_id))
    for issues_of in levels.values():
        if len(issues_of) < 2:
            continue
        for days, (level, doc_id) in issues_of.items():
            for change in read[doc_id]:
                if change.kind != "change" or change.part_of != level.index or change.vague:
                    continue
                relation = _against_issue(level, change, days, issues_of)
                if relation:
                    out.append(relation.row(info[doc_id]["source"], doc_id))
    return out


def _restated(base: Item, issue: Item) -> Relation:
    """上月为 in this issue against what last month's issue said."""
    holds = base.interval.meets(issue.interval)
    message = (
        f"“{told(base)}”（{base.period or '基期'}）与该期通报的{number(issue.value)}{issue.unit or ''}"
        + (
            "一致"
            if holds
            else f"不符，相差{number(abs(base.value - issue.value))}{issue.unit or ''}；该期数字可能后来修订"
        )
    )
    return Relation(
        "sum",
        base,
        [issue],
        base.value,
        issue.value,
        issue.interval,
        holds,
        "ok" if holds else "other base",
        message,
        [base],
    )


def _against_issue(
    level: Item, change: Item, days: tuple[Any, Any], issues_of: Mapping[tuple[Any, Any], tuple[Item, str]]
) -> Relation | None:
    from .series import previous_period, same_period_last_year

    yearly = re.search(r"同比|上年|去年|同期", change.base or "") is not None
    periods = {"去年同期": same_period_last_year(days), "上期": previous_period(days)}
    own, other = ("去年同期", "上期") if yearly else ("上期", "去年同期")
    base = issues_of.get(periods[own])
    if base is None or base[0].vague or base[0].value <= 0:
        return None
    expected = _moved(level, base[0], change)
    stated = Interval(change.value - change.step / 2, change.value + change.step / 2)
    holds = expected.meets(stated)
    middle = (expected.low + expected.high) / 2
    reading = ""
    if not holds:
        second = issues_of.get(periods[other])
        if second is not None and second[0].value > 0 and _moved(level, second[0], change).meets(stated):
            reading = (
                f"；与{other}的{number(second[0].value)}{level.unit or ''}相比则一致，{change.base}可能写错"
            )
        else:
            reading = "；该期数字可能后来修订，或口径不同"
    message = (
        f"“{told(level)}”{change.base or ''}{'增长' if change.direction == 'up' else '下降'}{number(change.value, 4)}{change.unit}，"
        f"按{own}通报的{number(base[0].value)}{level.unit or ''}计算为{number(middle)}{change.unit}"
        + ("，一致" if holds else reading)
    )
    return Relation(
        "change",
        level,
        [base[0], change],
        change.value,
        middle,
        expected,
        holds,
        "ok" if holds else "other base",
        message,
        [level, change],
    )


def _moved(level: Item, base: Item, change: Item) -> Interval:
    sign = 1 if change.direction == "up" else -1
    gaps = (level.interval.low - base.interval.high, level.interval.high - base.interval.low)
    if change.unit == "%":
        values = sorted((sign * 100 * gaps[0] / base.value, sign * 100 * gaps[1] / base.value))
    else:
        values = sorted((sign * gaps[0], sign * gaps[1]))
    return Interval(*values)
