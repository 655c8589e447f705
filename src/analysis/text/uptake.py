"""The phrase ledger (提法台账): when and where each phrase came up, who took it up, how fast, and whether it is still used."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, RequestError
from ..periods import Period
from .compare import measures
from .dates import document_dates

if TYPE_CHECKING:
    import pandas as pd

#: From this many adopters, at this many different dates, a curve is fitted.
MIN_ADOPTERS, MIN_DATES = 6, 5
#: A change in the rate of use counts when G² exceeds this (χ² with one degree of freedom, p = 0.05).
CRITICAL = 3.8415
#: Words around a phrase that make no other phrase of it: 新时代“枫桥经验”, “访调对接”机制.
_BEFORE = re.compile(r"^(?:新时代|新时期|深化|坚持|发展|推进|落实)")
_AFTER = re.compile(r"(?:机制|制度|工作|活动|体系|建设|理念|要求|格局|模式|改革|行动|专项行动)$")
STATUS = ("新出现", "上升", "平稳", "下降", "本期未用")


def ledger(mentions: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """One row a phrase: its forms, parts, and first and last use.

    Parameters
    ----------
    mentions
        Of :func:`analysis.text.mentions`.
    documents
        With doc_id; published or event_date, level, region_code and region where they are known.

    Returns
    -------
    pandas.DataFrame
        phrase, kind, shapes (list), variants (list of other forms), parts (list: the spelling-out given most often), uses,
        documents, places (different regions that use it), levels (list, in the order in which they took it up), first_date,
        first_doc_id, first_start, first_end, first_level, first_region, last_date, last_doc_id, undated (uses in documents
        without a date, which first and last use leave out). Most used first. First use is first use *in this corpus*.
    """
    import pandas as pd

    table = _dated(mentions, documents)
    column = {name: table[name].to_numpy() for name in table.columns}
    rows = []
    for phrase, uses, dated in _by_phrase(table):
        first = dated[0] if len(dated) else uses[0]
        last = dated[-1] if len(dated) else None
        kinds = Counter(column["kind"][uses])
        spelled = Counter(tuple(parts) for parts in column["parts"][uses] if len(parts))
        forms = dict.fromkeys(form for form in column["phrase"][uses] if form != phrase)
        levels = column["level"][dated if len(dated) else uses]
        rows.append(
            {
                "phrase": phrase,
                "kind": min(kinds, key=lambda kind: (-kinds[kind], kind)),
                "shapes": list(dict.fromkeys(column["shape"][uses])),
                "variants": list(forms),
                "parts": list(spelled.most_common(1)[0][0]) if spelled else [],
                "uses": len(uses),
                "documents": len(np.unique(column["order"][uses])),
                "places": len({place for place in column["region_code"][uses] if pd.notna(place)}),
                "levels": list(dict.fromkeys(level for level in levels if pd.notna(level))),
                "first_date": column["date"][first] if len(dated) else None,
                "first_doc_id": column["doc_id"][first],
                "first_start": int(column["start"][first]),
                "first_end": int(column["end"][first]),
                "first_level": column["level"][first],
                "first_region": column["region"][first],
                "last_date": None if last is None else column["date"][last],
                "last_doc_id": None if last is None else column["doc_id"][last],
                "undated": len(uses) - len(dated),
            }
        )
    frame = pd.DataFrame(rows, columns=_LEDGER)
    return frame.sort_values(
        ["uses", "documents", "phrase"], ascending=[False, False, True], ignore_index=True
    )


def adoption(mentions: pd.DataFrame, documents: pd.DataFrame, by: str = "region_code") -> pd.DataFrame:
    """First use of each phrase by each unit that uses it (采纳).

    Parameters
    ----------
    by
        The unit: region_code, level or issuer.

    Returns
    -------
    pandas.DataFrame
        phrase, unit, level, date, doc_id, start, end, order (1 for the first adopter; units with the same date share it).
        Documents without a date or unit are left out and counted in ``attrs["left_out"]``.

    Raises
    ------
    InputError
        The documents have no such column.
    """
    if by not in documents:
        raise InputError("文档表缺少列", value=by, hint="可用：region_code、level、issuer")
    table = _dated(mentions, documents, by)
    known = table[table["date"].notna() & table[by].notna()].sort_values(["date", "order", "start"])
    first = known.drop_duplicates(["canonical", by]).assign(
        phrase=lambda t: t["canonical"], unit=lambda t: t[by]
    )
    first["order"] = first.groupby("phrase")["date"].rank(method="min").astype(int)
    result = first[["phrase", "unit", "level", "date", "doc_id", "start", "end", "order"]].reset_index(
        drop=True
    )
    result.attrs["left_out"] = int(table["doc_id"].nunique() - known["doc_id"].nunique())
    return result


def taken_up(mentions: pd.DataFrame, documents: pd.DataFrame, *, least: int = 2) -> pd.DataFrame:
    """From which earlier document each document may have its phrases: the one that used them first in this corpus (沿用).

    Parameters
    ----------
    least
        So many different phrases of one source speak for a pair; one alone may have come from anywhere.

    Returns
    -------
    pandas.DataFrame
        doc_id, source_doc_id, phrases (list), of pairs with the source dated before the document. A phrase whose first
        date several documents share has no source. For :func:`analysis.text.diffusion.evidence`.
    """
    import pandas as pd

    table = _dated(mentions, documents)
    place, day = table["order"].to_numpy(), table["day"].to_numpy()
    ids = documents["doc_id"].drop_duplicates().tolist()
    told: list[tuple[str, np.ndarray]] = []
    for phrase, _, dated in sorted(_by_phrase(table), key=lambda found: found[0]):
        once = dated[np.sort(np.unique(place[dated], return_index=True)[1])]
        later = once[day[once] > day[once[:1]]]
        if len(once) - len(later) == 1:
            # A pair of documents is one number: those that share a single phrase, by far the most, cost no more than that.
            told.append((phrase, place[later] * len(ids) + place[once[0]]))
    numbers = np.concatenate([pairs for _, pairs in told]) if told else np.zeros(0, dtype=np.int64)
    _, which, times = np.unique(numbers, return_inverse=True, return_counts=True)
    enough = np.split(times[which] >= least, np.cumsum([len(pairs) for _, pairs in told])[:-1])
    shared: dict[int, list[str]] = {}
    for (phrase, pairs), kept in zip(told, enough, strict=False):
        for number in pairs[kept].tolist():
            shared.setdefault(number, []).append(phrase)
    rows = sorted(
        (ids[number // len(ids)], ids[number % len(ids)], phrases) for number, phrases in shared.items()
    )
    return pd.DataFrame(rows, columns=["doc_id", "source_doc_id", "phrases"])


def s_curve(dates: Sequence[dt.date]) -> dict[str, Any]:
    """Logistic curve of cumulative adoption, N(t) = K / (1 + e^{−(a + b t)}), t in years from the first adoption.

    Returns
    -------
    dict
        K (ceiling), a, b (per year), inflection (date at −a/b), n (adopters), rmse, note. The parameters are ``None`` and
        ``note`` says why where adopters are fewer than six or on fewer than five dates, or where no curve fits.
    """
    days = (
        np.array(sorted((day - min(dates)).days for day in dates), dtype=float) if len(dates) else np.zeros(0)
    )
    result: dict[str, Any] = dict.fromkeys(("K", "a", "b", "inflection", "rmse"))
    result.update(n=len(days), note=None)
    if len(days) < MIN_ADOPTERS or len(np.unique(days)) < MIN_DATES:
        return result | {"note": f"采纳单位少于 {MIN_ADOPTERS} 个或日期少于 {MIN_DATES} 个，不拟合扩散曲线"}
    from scipy.optimize import OptimizeWarning, curve_fit

    t, n = days / 365.25, np.arange(1, len(days) + 1, dtype=float)
    middle = float(np.median(t))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", OptimizeWarning)
        try:
            (K, a, b), _ = curve_fit(
                logistic,
                t,
                n,
                p0=(1.2 * len(n), -4 * middle / max(t[-1], 1e-6), 4 / max(t[-1], 1e-6)),
                maxfev=20_000,
            )
        except (RuntimeError, OptimizeWarning):
            return result | {"note": "扩散曲线拟合不收敛"}
    if not (b > 0 and K > 0):
        return result | {"note": "采纳没有减缓的迹象，扩散曲线的上限无从估计"}
    inflection = min(dates) + dt.timedelta(days=round(-a / b * 365.25)) if abs(a / b) < 100 else None
    note = "上限远高于已采纳数，仅供参考" if 3 * len(n) < K else None
    rmse = float(np.sqrt(np.mean((logistic(t, K, a, b) - n) ** 2)))
    return result | {
        "K": float(K),
        "a": float(a),
        "b": float(b),
        "inflection": inflection,
        "rmse": rmse,
        "note": note,
    }


def logistic(t: np.ndarray, K: float, a: float, b: float) -> np.ndarray:
    """K / (1 + e^{−(a + b t)})."""
    return K / (1 + np.exp(-np.clip(a + b * t, -60, 60)))


def turnover(
    mentions: pd.DataFrame,
    documents: pd.DataFrame,
    period: Period | str,
    previous: Period | str | None = None,
) -> pd.DataFrame:
    """What a period brought and dropped against the period before: new, rising, falling and retired phrases.

    Parameters
    ----------
    period, previous
        Default of ``previous``: the period before of the same length.

    Returns
    -------
    pandas.DataFrame
        phrase, status (新出现: not used in any earlier document of the corpus; 上升 / 下降: rate changed, G² over 3.84;
        平稳; 本期未用: used in the previous period, not in this), uses, previous_uses, per_10k, previous_per_10k (per 10,000
        characters), g2, documents, doc_id, start, end (first use in the period; for 本期未用 the last use before it), note.
        ``attrs``: documents, previous_documents, earlier_documents, undated. Without documents in the period before,
        statuses but 新出现 are NA and ``note`` says so.
    """
    import pandas as pd

    # A year is often written as a number.
    period = period if isinstance(period, Period) else Period.parse(str(period))
    if previous is None:
        before = period.previous
    else:
        before = previous if isinstance(previous, Period) else Period.parse(str(previous))
    if before.end >= period.start:
        raise RequestError("对比期应在本期之前", value=str(before))
    table = _dated(mentions, documents)
    dates = document_dates(documents)
    sizes = [len(body) if isinstance(body, str) else 0 for body in documents["body"]]
    chars = {
        name: sum(size for day, size in zip(dates, sizes, strict=True) if day is not None and day in span)
        for name, span in (("now", period), ("then", before))
    }
    counted = {
        "documents": sum(day is not None and day in period for day in dates),
        "previous_documents": sum(day is not None and day in before for day in dates),
        "earlier_documents": sum(day is not None and day < period.start for day in dates),
        "undated": sum(day is None for day in dates),
    }
    rows = []
    column = {name: table[name].to_numpy() for name in ("doc_id", "start", "end", "order", "day")}
    for phrase, _, dated in _by_phrase(table):
        day = column["day"][dated]
        now = dated[(period.start.toordinal() <= day) & (day <= period.end.toordinal())]
        then = dated[(before.start.toordinal() <= day) & (day <= before.end.toordinal())]
        earlier = int((day < period.start.toordinal()).sum())
        if not len(now) and not len(then):
            continue
        place = now[0] if len(now) else then[-1]
        status, g2, note = _status(len(now), len(then), earlier, chars, counted)
        rows.append(
            (phrase, status, len(now), len(then), _rate(len(now), chars["now"]), _rate(len(then), chars["then"]), g2,
             len(np.unique(column["order"][now])), column["doc_id"][place], int(column["start"][place]),
             int(column["end"][place]), note)
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=_TURNOVER)
    frame["status"] = pd.Categorical(frame["status"], STATUS, ordered=True)
    frame = frame.sort_values(
        ["status", "uses", "previous_uses", "phrase"], ascending=[True, False, False, True], ignore_index=True
    )
    frame.attrs.update(counted, period=str(period), previous=str(before))
    return frame


_LEDGER = [
    "phrase", "kind", "shapes", "variants", "parts", "uses", "documents", "places", "levels", "first_date", "first_doc_id",
    "first_start", "first_end", "first_level", "first_region", "last_date", "last_doc_id", "undated",
]  # fmt: skip
_TURNOVER = [
    "phrase", "status", "uses", "previous_uses", "per_10k", "previous_per_10k", "g2", "documents", "doc_id", "start", "end", "note",
]  # fmt: skip


def _status(
    now: int, then: int, earlier: int, chars: dict[str, int], counted: dict[str, int]
) -> tuple[str | None, float | None, str | None]:
    if now and not earlier:
        if not counted["earlier_documents"]:
            return None, None, "语料中没有更早的文档，无从判断新旧"
        return "新出现", None, None
    if not counted["previous_documents"]:
        return None, None, "上期没有文档，无从比较"
    if not counted["documents"]:
        return None, None, "本期没有文档，无从比较"
    g2 = float(measures(np.array([now]), chars["now"], np.array([then]), chars["then"])["g2"][0])
    if not now:
        return "本期未用", g2, None
    if g2 <= CRITICAL:
        return "平稳", g2, None
    return ("上升" if now / chars["now"] > then / chars["then"] else "下降"), g2, None


def _rate(uses: int, chars: int) -> float | None:
    return uses / chars * 1e4 if chars else None


def _dated(mentions: pd.DataFrame, documents: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Mentions with the order, date (also as ``day``, its ordinal, -1 for none), level and place of their document, and the
    form under which they are gathered.
    """
    import pandas as pd

    facts = documents.drop_duplicates("doc_id")
    order = pd.Index(facts["doc_id"]).get_indexer(mentions["doc_id"])

    def known(values: Sequence[Any]) -> np.ndarray:
        # A use in none of the documents (-1) takes what stands behind the last one.
        behind = np.empty(len(values) + 1, dtype=object)
        behind[:-1] = [None if value is pd.NA else value for value in values]
        return behind[order]

    dates = document_dates(facts)
    table = mentions.assign(order=order, date=known(dates))
    days = np.array([*(-1 if day is None else day.toordinal() for day in dates), -1], dtype=np.int64)
    table["day"] = days[order]
    for name in dict.fromkeys(["level", "region_code", "region", *([by] if by else [])]):
        table[name] = known(facts[name].tolist() if name in facts else [None] * len(facts))
    table["canonical"] = table["phrase"].map(canonical(table["phrase"].tolist()))
    return table


def _by_phrase(table: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each phrase with the rows of its uses in the order of the table, and of its dated uses in the order of time."""
    import pandas as pd

    codes, phrases = pd.factorize(table["canonical"])
    day = table["day"].to_numpy()
    time = np.lexsort((table["start"].to_numpy(), table["order"].to_numpy(), day))
    time = time[day[time] >= 0]
    every = np.split(
        np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes, minlength=len(phrases)))[:-1]
    )
    dated = np.split(
        time[np.argsort(codes[time], kind="stable")],
        np.cumsum(np.bincount(codes[time], minlength=len(phrases)))[:-1],
    )
    yield from zip(phrases, every, dated, strict=False)


def canonical(phrases: Sequence[str]) -> dict[str, str]:
    """Each form → the form it is gathered under: the same members in another order or with other marks, or the same name
    within words that make no other of it, where the bare name is used too.
    """
    known = set(phrases)
    by_members: dict[frozenset[str], str] = {}
    result = {}
    for phrase, _ in Counter(phrases).most_common():
        bare = phrase
        for pattern in (_BEFORE, _AFTER):
            shorter = pattern.sub("", bare)
            if shorter != bare and shorter in known:
                bare = shorter
        members = re.split("[、，]", bare)
        if len(members) > 1:
            bare = by_members.setdefault(frozenset(members), bare)
        result[phrase] = bare
    return result
