"""Conditions as data (条件表达式): the small language of ``indicators.yml``, ``case_rules.yml`` and mapping files.

A condition is one Python comparison over column names, such as ``channel == "来访" and persons >= 5`` or
``path in ("6",)``; it compiles to an ibis expression, so it runs on whatever database the table lives in. Functions:
``known(x)``, ``unknown(x)``, ``day(x)`` (midnight of that day), ``days(a, b)`` (whole days from a to b),
``matches(x, "pattern")``, ``repeated(x, …)`` (more than one row has these values). Nothing else is callable: a
condition cannot run code. As in SQL, a comparison with an unknown value is unknown, and unknown counts as no.
"""

from __future__ import annotations

import ast
import datetime as dt
import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import CodebookError

_COMPARE = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS = ("known", "unknown", "day", "days", "matches", "repeated")


@dataclass(frozen=True)
class Expression:
    """A parsed condition or value (条件).

    Attributes
    ----------
    text
        As written.
    columns
        The column names it needs, in order of appearance.
    """

    text: str
    tree: ast.expr
    columns: tuple[str, ...]

    def on(self, table: Any, **names: object) -> Any:
        """The ibis expression over ``table``; ``names`` are constants such as ``as_of``."""
        return _build(self.tree, table, names)


@functools.lru_cache(maxsize=1024)
def parse(text: str, constants: tuple[str, ...] = ("as_of",)) -> Expression:
    """Read a condition.

    Parameters
    ----------
    constants
        Names that are not columns; the caller gives their values to :meth:`Expression.on`.

    Raises
    ------
    CodebookError
        It is no single expression, or uses something outside the small language.
    """
    try:
        tree = ast.parse(str(text).strip(), mode="eval").body
    except SyntaxError as error:
        raise CodebookError(
            "条件写法不对", value=text, hint='请参照 channel == "来访" and persons >= 5'
        ) from error
    names: list[str] = []
    _check(tree, text, names)
    return Expression(text, tree, tuple(dict.fromkeys(name for name in names if name not in constants)))


def _check(node: ast.AST, text: str, names: list[str]) -> None:
    match node:
        case ast.Name(id=name):
            names.append(name)
        case ast.Constant():
            pass
        case ast.Call(func=ast.Name(id=function), args=args, keywords=[]) if function in _FUNCTIONS:
            for argument in args:
                _check(argument, text, names)
        case ast.BoolOp() | ast.Compare() | ast.Tuple() | ast.BinOp():
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    _check(child, text, names)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            _check(operand, text, names)
        case _:
            raise CodebookError(
                "条件里有不支持的写法",
                value=text,
                hint=f"可用：比较、and/or/not、in、加减乘除和函数 {', '.join(_FUNCTIONS)}",
            )


def _build(node: ast.expr, table: Any, names: Mapping[str, object]) -> Any:
    import ibis

    def value(part: ast.expr) -> Any:
        return _build(part, table, names)

    match node:
        case ast.Name(id=name):
            return names[name] if name in names else table[name]
        case ast.Constant(value=constant):
            return constant
        case ast.Tuple(elts=parts):
            return [value(part) for part in parts]
        case ast.BoolOp(op=op, values=parts):
            return functools.reduce(
                operator.and_ if isinstance(op, ast.And) else operator.or_, map(value, parts)
            )
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ~value(operand)
        case ast.UnaryOp(operand=operand):
            return -value(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](value(left), value(right))
        case ast.Compare(left=left, ops=ops, comparators=rights):
            sides = [value(left), *map(value, rights)]
            pairs = zip(ops, sides[:-1], sides[1:], strict=True)
            return functools.reduce(operator.and_, (_compare(op, a, b) for op, a, b in pairs))
        case ast.Call(func=ast.Name(id=function), args=args):
            first = value(args[0])
            match function:
                case "known":
                    return first.notnull()
                case "unknown":
                    return first.isnull()
                case "day":
                    return first.truncate("D") if hasattr(first, "truncate") else _midnight(first)
                case "days":
                    return value(args[1]).date().delta(first.date(), unit="day")
                case "matches":
                    return first.cast("string").re_search(value(args[1]))
                case "repeated":
                    columns = [value(argument) for argument in args]
                    return ibis._.count().over(group_by=columns) > 1
    raise CodebookError("条件里有不支持的写法", value=ast.unparse(node))


def _compare(op: ast.cmpop, left: Any, right: Any) -> Any:
    if isinstance(op, ast.In | ast.NotIn):
        inside = left.isin(right)
        return inside if isinstance(op, ast.In) else ~inside
    return _COMPARE[type(op)](left, right)


def _midnight(value: object) -> dt.datetime:
    assert isinstance(value, dt.datetime)
    return value.replace(hour=0, minute=0, second=0, microsecond=0)
