"""Numbers with their units: ours against the fastest general recogniser at hand, in one run on the same made-up prose.

The recogniser (PyPI ``recognizers-text-suite``; needs ``emoji<2``) is no dependency of this project. Without it in the
environment named by ``POLICY_BRIEF_RECOGNIZER`` (a Python executable), or in this one, the comparison is skipped with the
reason and only our own speed and linearity are given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from analysis.facts.dates import find
from analysis.facts.exclude import cover
from analysis.facts.extract import extract_text
from analysis.facts.numbers import scan
from analysis.facts.view import view

NAME = "facts_units"

# (sentence, its quantities as (value, unit)), made up here.
SENTENCES: list[tuple[str, list[tuple[float, str | None]]]] = [
    ("3月份，全市信访部门共受理信访事项1256件次，同比下降8.3%。", [(1256, "件次"), (8.3, "%")]),
    (
        "接待来访186批402人次，其中集体访21批268人次。",
        [(186, "批"), (402, "人次"), (21, "批"), (268, "人次")],
    ),
    ("办结27.5万件，涉及金额3.65亿元。", [(275000, "件"), (365000000, "元")]),
    ("满意率98.7%，较上年提高1.4个百分点。", [(98.7, "%"), (1.4, "个百分点")]),
    ("避免损失5000余万元，出动警力1.2万余人次。", [(50000000, "元"), (12000, "人次")]),
    ("收到来信三千二百一十四封，平均办理3.2个工作日。", [(3214, "封"), (3.2, "个工作日")]),
    ("调解纠纷368起，化解351起，化解率95.4%。", [(368, "起"), (351, "起"), (95.4, "%")]),
    ("执结案件2871件，兑付1230.5万元，惠及1012户。", [(2871, "件"), (12305000, "元"), (1012, "户")]),
    ("热线接听15862个，平均通话3.5分钟。", [(15862, "个"), (3.5, "分钟")]),
    ("走访企业48家，解决问题42个，开展宣传16场次。", [(48, "家"), (42, "个"), (16, "场次")]),
]
_THEIRS = r"""
import json, sys, time
from recognizers_number import NumberRecognizer
from recognizers_number_with_unit import NumberWithUnitRecognizer
from recognizers_text import Culture
number = NumberRecognizer(Culture.Chinese)
units = NumberWithUnitRecognizer(Culture.Chinese)
models = [number.get_number_model(), number.get_percentage_model(), units.get_currency_model(), units.get_dimension_model()]
lines = json.load(sys.stdin)
for line in lines[:3]:
    for model in models:
        model.parse(line)
start = time.perf_counter()
for line in lines:
    models[0].parse(line)
alone = time.perf_counter() - start
start = time.perf_counter()
found = [[r.resolution for model in models for r in model.parse(line)] for line in lines]
print(json.dumps([time.perf_counter() - start, found, alone], default=str))
"""


def run(repeat: int = 30) -> list[dict[str, Any]]:
    """Speed ratio and recall on (value, unit); linearity of ours on one long line."""
    lines = [sentence for sentence, _ in SENTENCES] * repeat
    for line in lines[:3]:
        extract_text(line)
    start = time.perf_counter()
    ours = [[(s.quantity.value, s.quantity.unit) for s in extract_text(line).statistics] for line in lines]
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    for line in lines:
        seen = view(line).text
        scan(seen, cover(seen, [(w.start, w.end) for w in find(seen)]))
    bare = time.perf_counter() - start
    wanted = [quantities for _, quantities in SENTENCES] * repeat
    total = sum(len(w) for w in wanted)
    hit = sum(_near(q, found) for w, found in zip(wanted, ours, strict=True) for q in w)
    characters = sum(map(len, lines))
    items = [_linear()]
    theirs = _recogniser(lines)
    if isinstance(theirs, str):
        detail = f"skipped: {theirs}; ours {characters / seconds:,.0f} characters/s, recall on value and unit {hit / total:.3f}"
        return [
            *items,
            {
                "name": "facts: numbers with units",
                "ratio": None,
                "against": "recognizers-text",
                "better": "higher",
                "detail": detail,
            },
        ]
    their_seconds, found, alone = theirs
    read = [[(_number(r), (r or {}).get("unit")) for r in line] for line in found]
    units = sum(_near(q, line) for w, line in zip(wanted, read, strict=True) for q in w)
    values = sum(
        any(v is not None and abs(v - q[0]) <= 1e-6 * max(1, q[0]) for v, _ in line)
        for w, line in zip(wanted, read, strict=True)
        for q in w
    )
    detail = (
        f"ours {characters / seconds:,.0f} characters/s, theirs {characters / their_seconds:,.0f}; recall on value and unit "
        f"{hit / total:.3f} to {units / total:.3f} (value alone, theirs: {values / total:.3f}); ours also names indicator, change and period"
    )
    return [
        *items,
        {
            "name": "facts: numbers with units",
            "ratio": their_seconds / seconds,
            "against": "recognizers-text 1.0.2a2",
            "better": "higher",
            "detail": detail,
        },
        {
            "name": "facts: our numbers with units alone against its number model alone (no units)",
            "ratio": alone / bare,
            "against": "recognizers-text 1.0.2a2",
            "better": "higher",
            "detail": detail,
        },
        {
            "name": "facts: recall on value and unit",
            "ratio": (hit / total) / max(units / total, 1e-9),
            "against": "recognizers-text 1.0.2a2",
            "better": "higher",
            "detail": detail,
        },
    ]


def _near(wanted: tuple[float, str | None], found: list[tuple[float | None, str | None]]) -> bool:
    value, unit = wanted
    return any(
        v is not None and abs(v - value) <= 1e-6 * max(1, abs(value)) and _same(u, unit) for v, u in found
    )


def _same(theirs: str | None, ours: str | None) -> bool:
    """Their units are in English or Chinese names; a percentage they mark in the value."""
    return theirs == ours or (theirs, ours) in {
        ("Chinese yuan", "元"),
        ("Percent", "%"),
        ("人民币", "元"),
        ("Minute", "分钟"),
    }


def _number(resolution: dict[str, Any] | None) -> float | None:
    value = str((resolution or {}).get("value") or "").replace(",", "")
    if value.endswith("%"):
        resolution["unit"] = "%"  # type: ignore[index]
        value = value[:-1]
    try:
        return float(value)
    except ValueError:
        return None


def _recogniser(lines: list[str]) -> tuple[float, list[Any], float] | str:
    python = os.environ.get("POLICY_BRIEF_RECOGNIZER", sys.executable)
    try:
        done = subprocess.run(
            [python, "-c", _THEIRS],
            input=json.dumps(lines),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except OSError as error:
        return f"cannot start {python}: {error}"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[-1]
    seconds, found, alone = json.loads(done.stdout)
    return seconds, found, alone


def _linear() -> dict[str, Any]:
    """Time a character on one line, at half a million characters against an eighth of it."""
    line = "受理诉求1256件,同比下降8.3%,其中投诉类300件,占23.9%;办结率98.7%;"
    times = {}
    for size in (62_500, 500_000):
        text = (line * (size // len(line) + 1))[:size]
        start = time.perf_counter()
        extract_text(text)
        times[size] = (time.perf_counter() - start) / size
    ratio = times[500_000] / times[62_500]
    return {
        "name": "facts: time a character, one line of 500 k against 62 k characters",
        "ratio": ratio,
        "against": "linear = 1",
        "better": "lower",
        "detail": f"{1e6 * times[62_500]:.1f} and {1e6 * times[500_000]:.1f} µs a character",
    }


if __name__ == "__main__":
    for item in run():
        print(item)
