"""Recording results (登记结果): the verb that names a number of the brief."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .results import Result, scalar
from .session import current, mime


def result(
    name: str,
    value: Any,
    *,
    unit: str | None = None,
    n: Any = None,
    low: Any = None,
    high: Any = None,
    definition: str | None = None,
    source: str | None = None,
    digits: int | None = None,
) -> Result:
    """Record a headline of the brief and return it (登记一项结果).

    Missing values (None, NaN, NA) become ``None``. The arguments are the attributes of :class:`Result`.

    Raises
    ------
    MethodError
        The name was recorded before with another value.
    """
    made = Result(name, scalar(value), unit, scalar(n), scalar(low), scalar(high), definition, source, digits)
    session = current()
    session.add(made)
    session.emit({mime("result"): {**asdict(made), "text": made.text}, "text/plain": f"{name}：{made.text}"})
    return made
