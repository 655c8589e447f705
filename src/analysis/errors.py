"""The error tree: every error that a user can cause or mend derives from :class:`PolicyBriefError`.

An error carries data (file, row, value, hint), survives pickling (runs happen in other processes), and reads as
one Chinese sentence that names what is wrong and says what to do.
"""

from __future__ import annotations

from pathlib import Path


class PolicyBriefError(Exception):
    """Base class (本项目错误的基类).

    Parameters
    ----------
    message
        What is wrong, in one Chinese sentence without the closing mark.
    file, row, value
        Where: the file as the user named it, the row (1 is the first data row) and the offending value.
    hint
        What to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        value: object = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = None if file is None else str(file)
        self.row = row
        self.value = value
        self.hint = hint

    def __str__(self) -> str:
        where = []
        if self.file is not None:
            where.append(f"文件 {self.file}")
        if self.row is not None:
            where.append(f"第 {self.row} 行")
        if self.value is not None:
            where.append(f"取值 {self.value!r}")
        sentence = self.message + (f"（{'，'.join(where)}）" if where else "")
        return sentence + (f"。{self.hint}" if self.hint else "")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


class RequestError(PolicyBriefError):
    """The request itself is wrong (请求有误): unknown report, region, period, parameter; exit status 2."""


class InputError(PolicyBriefError):
    """An input file or table cannot be used (输入不可用): missing, unreadable, without a needed column."""


class CodebookError(PolicyBriefError):
    """A codebook, lexicon, mapping or report definition is malformed (编码表或定义有误)."""


class MethodError(PolicyBriefError):
    """The data do not support what was asked of the method (数据不足以支持该方法): too little to say."""


class EngineError(PolicyBriefError):
    """We failed, not the notebook (引擎故障): a process died, a limit was reached."""


class NotebookError(PolicyBriefError):
    """A cell of the notebook raised (笔记本执行出错); carries the cell's number and the traceback."""

    def __init__(
        self, message: str, *, cell: int | None = None, traceback: str = "", **where: object
    ) -> None:
        super().__init__(message, **where)  # type: ignore[arg-type]
        self.cell = cell
        self.traceback = traceback


class RenderError(PolicyBriefError):
    """A brief could not be rendered (渲染出错): for example characters that no font has."""


def _rebuild(kind: type[PolicyBriefError], state: dict[str, object]) -> PolicyBriefError:
    error = kind.__new__(kind)
    Exception.__init__(error, state.get("message", ""))
    error.__dict__.update(state)
    return error
