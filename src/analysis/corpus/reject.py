"""Refusals (拒收): what a reader says of a file it cannot use; each becomes one row of ``rejects``."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):  # noqa: N818 - an outcome that becomes a row, not a failure of the run
    """A file, or a part of one, that is not taken.

    Parameters
    ----------
    rule
        Name of the rule, a few characters: 空文件, 二进制文件, 压缩炸弹.
    problem, remedy
        What is wrong, and what to do about it.
    value
        The offending value, where there is one.
    """

    def __init__(self, rule: str, problem: str, remedy: str, value: object = None) -> None:
        super().__init__(rule, problem, remedy, value)
        self.rule = rule
        self.problem = problem
        self.remedy = remedy
        self.value = value

    def row(self, source: str) -> dict[str, Any]:
        """The row of ``rejects``."""
        return rejected(source, self.rule, f"{self.problem}。{self.remedy}", value=self.value)


def rejected(
    source: str,
    rule: str,
    message: str,
    *,
    value: object = None,
    severity: str = "拒收",
    row: int | None = None,
) -> dict[str, Any]:
    """One row of ``rejects``; ``severity`` is 拒收 (not taken) or 提示 (taken, but see the message)."""
    return {
        "source": source,
        "row": row,
        "rule": rule,
        "value": None if value is None else str(value)[:200],
        "severity": severity,
        "message": message,
    }
