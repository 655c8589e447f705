"""Prose of a brief (结论与说明): findings with result slots, notes, and the evidence that links lead to."""

from __future__ import annotations

import contextlib
import html
import string
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import MethodError, RequestError
from .results import Result, scalar
from .session import current, mime

if TYPE_CHECKING:
    import pandas as pd

EVIDENCE_COLUMNS = ("id", "source", "start", "end", "text")
NOTE_KINDS = {
    "caution": "注意",
    "method": "方法说明",
    "data": "数据说明",
    "definition": "口径说明",
    "info": "说明",
}


def finding(template: str, grade: str | None = None, **results: Result) -> str:
    """Say one finding of the brief (一条结论); return its text.

    Parameters
    ----------
    template
        A sentence with slots: ``{name}`` prints a result's value and unit, ``{name:n}`` its number of cases,
        ``{name:interval}`` its interval, ``{name:value}`` the value without the unit, ``{name:size}`` the value
        without its sign (“下降{change:size}”). Names are those of ``result``, or keywords given here.
    grade
        How far it reaches, such as ``确证``, ``提示`` or ``受小样本影响``; printed beside the sentence.

    Raises
    ------
    MethodError
        A slot names no recorded result.
    """
    parts = list(_parts(template, results))
    said = "".join(part["text"] for part in parts)
    shown = "".join(
        f'<a href="#r-{html.escape(part["result"])}">{html.escape(part["text"])}</a>'
        if "result" in part
        else html.escape(part["text"])
        for part in parts
    )
    mark = f"（{grade}）" if grade else ""
    current().emit(
        {
            mime("finding"): {"text": said, "template": template, "parts": parts, "grade": grade},
            "text/html": f"<p>● {shown}{html.escape(mark)}</p>",
            "text/plain": f"● {said}{mark}",
        }
    )
    return said


def text(template: str, **results: Result) -> str:
    """Write Markdown prose from code (正文): headings and paragraphs a chapter composes; slots as in ``finding``."""
    said = "".join(
        f"[{part['text']}](#r-{part['result']})" if "result" in part else part["text"]
        for part in _parts(template, results)
    )
    current().emit({"text/markdown": said, "text/plain": said})
    return said


def note(text: str, kind: str = "caution") -> None:
    """Set a remark apart (提示框).

    Parameters
    ----------
    text
        One or more sentences, plain text.
    kind
        ``caution`` (the default), ``method``, ``data``, ``definition`` or ``info``.

    Raises
    ------
    MethodError
        No such kind.
    """
    if kind not in NOTE_KINDS:
        raise MethodError("没有这种提示", value=kind, hint=f"可用：{'、'.join(NOTE_KINDS)}")
    label = NOTE_KINDS[kind]
    current().emit(
        {
            mime("note"): {"text": text, "kind": kind, "label": label},
            "text/html": f"<blockquote><strong>{label}</strong> {html.escape(text)}</blockquote>",
            "text/plain": f"【{label}】{text}",
        }
    )


@contextlib.contextmanager
def available() -> Iterator[None]:
    """Say what a source has not and go on (无数据来源的说明), so that a notebook for all sources runs on a poorer one.

    A request that cannot be met ends the block and becomes a remark.
    """
    try:
        yield
    except RequestError as error:
        note(str(error), "data")


def evidence(frame: pd.DataFrame) -> None:
    """List the sentences and rows that numbers of the brief link to (依据).

    Parameters
    ----------
    frame
        Columns id, source, start, end (character offsets in the source), text. Ids are unique in the brief;
        ``display.table(..., links=…)`` and Markdown links ``#e-<id>`` lead here.

    Raises
    ------
    MethodError
        A column is missing, or an id comes twice.
    """
    missing = [column for column in EVIDENCE_COLUMNS if column not in frame.columns]
    if missing:
        raise MethodError(f"依据表缺少列 {'、'.join(missing)}", hint="需要 id、source、start、end、text 五列")
    if frame["id"].duplicated().any():
        raise MethodError("依据编号重复", value=str(frame.loc[frame["id"].duplicated(), "id"].iloc[0]))
    rows = [
        {column: scalar(value) for column, value in zip(EVIDENCE_COLUMNS, row, strict=True)}
        for row in frame.loc[:, list(EVIDENCE_COLUMNS)].itertuples(index=False)
    ]
    items = "".join(
        f'<li id="e-{html.escape(str(row["id"]))}">{html.escape(str(row["text"]))}'
        f"<small>（{html.escape(str(row['source']))} {row['start']}–{row['end']}）</small></li>"
        for row in rows
    )
    current().emit(
        {
            mime("evidence"): {"rows": rows},
            "text/html": f"<ol>{items}</ol>",
            "text/plain": "\n".join(f"[{row['id']}] {row['text']}（{row['source']}）" for row in rows),
        }
    )


def _parts(template: str, given: dict[str, Result]) -> Any:
    """Literal pieces and filled slots of a template, in order."""
    known = {**current().results, **given}
    for literal, name, spec, _ in string.Formatter().parse(template):
        if literal:
            yield {"text": literal}
        if name is None:
            continue
        if name not in known:
            raise MethodError(
                f"结论引用了没有登记的结果“{name}”",
                hint=f"请先用 display.result 登记；已有：{'、'.join(known) or '无'}",
            )
        yield {"text": _slot(known[name], spec or ""), "result": known[name].name}


def _slot(found: Result, spec: str) -> str:
    if spec == "":
        return found.text
    if spec == "value":
        return Result(found.name, found.value, digits=found.digits).text
    if spec == "size" and isinstance(found.value, int | float):
        return Result(found.name, abs(found.value), found.unit, digits=found.digits).text
    if spec == "n":
        return "无数据" if found.n is None else f"{found.n:,}"
    if spec == "interval":
        return found.interval or "无区间"
    raise MethodError("结论中的取值方式不认识", value=spec, hint="可用：value、size、n、interval，或留空")
