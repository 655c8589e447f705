"""Typed parameters (参数): declared once, in the notebook's cell tagged ``parameters``, and checked before it runs.

Each line of that cell is ``name: type = default  # 说明``. Types: ``str int float bool datetime.date list[…]
Literal[…]`` and ``X | None``. A region code stays text because its annotation says ``str``; Chinese text is written
into the injected cell as it is (papermill would write ``\\uXXXX``).
"""

from __future__ import annotations

import ast
import datetime as dt
import io
import math
import re
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CodebookError, RequestError
from .definitions import Constraint

TAG = "parameters"
INJECTED = "injected-parameters"

_WORDS = {
    "true": True,
    "yes": True,
    "1": True,
    "是": True,
    "false": False,
    "no": False,
    "0": False,
    "否": False,
}
_NAMES = {
    "str": "文本",
    "int": "整数",
    "float": "数",
    "bool": "是/否（true/false）",
    "date": "日期（YYYY-MM-DD）",
}


@dataclass(frozen=True)
class Type:
    """A declared type (参数类型).

    Attributes
    ----------
    kind
        ``str``, ``int``, ``float``, ``bool``, ``date``, ``list``, ``choice`` or ``any`` (no annotation, default None).
    optional
        Whether ``None`` is a value.
    item
        Of a list: the type of its items.
    choices
        Of a choice: the values.
    """

    kind: str
    optional: bool = False
    item: Type | None = None
    choices: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """In Chinese, for messages."""
        if self.kind == "list":
            text = f"{self.item.name if self.item else '值'}的列表（逗号分隔）"
        elif self.kind == "choice":
            text = " / ".join(map(str, self.choices)) + " 之一"
        else:
            text = _NAMES.get(self.kind, "任意值")
        return text + ("，可为空" if self.optional else "")

    def read(self, value: Any) -> Any:
        """A value of this type from what a command line, YAML or Python gives.

        Raises
        ------
        ValueError
            It is none.
        """
        if value is None or (self.optional and value == "" and self.kind != "str"):
            if self.optional or self.kind == "any":
                return None
            raise ValueError(f"应为{self.name}")
        try:
            return getattr(self, f"_read_{self.kind}")(value)
        except (ValueError, TypeError):
            raise ValueError(f"应为{self.name}") from None

    def _read_any(self, value: Any) -> Any:
        return value

    def _read_str(self, value: Any) -> str:
        # A number given for a text has lost its leading zeros already: only text will do.
        if not isinstance(value, str):
            raise ValueError
        return value

    def _read_int(self, value: Any) -> int:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise ValueError
        return int(value)

    def _read_float(self, value: Any) -> float:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        if not math.isfinite(number):
            raise ValueError
        return number

    def _read_bool(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if (word := str(value).strip().lower()) in _WORDS:
            return _WORDS[word]
        raise ValueError

    def _read_date(self, value: Any) -> dt.date:
        if isinstance(value, dt.datetime):
            raise ValueError
        return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value).strip())

    def _read_list(self, value: Any) -> list[Any]:
        if isinstance(value, str):
            value = [part.strip() for part in re.split("[,，、]", value) if part.strip()]
        if not isinstance(value, (list, tuple)):
            raise ValueError
        item = self.item or Type("any")
        return [item.read(part) for part in value]

    def _read_choice(self, value: Any) -> Any:
        for choice in self.choices:
            if value == choice or str(value) == str(choice):
                return choice
        raise ValueError


@dataclass(frozen=True)
class Parameter:
    """One declared parameter (参数): its name, type, default and 说明."""

    name: str
    type: Type
    default: Any
    help: str = ""


def declared(notebook: Any) -> dict[str, Parameter]:
    """The parameters of a notebook, in order of declaration.

    Parameters
    ----------
    notebook
        An nbformat node (or any mapping of its shape).

    Raises
    ------
    CodebookError
        The cell holds something else than typed assignments of literals.
    """
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and TAG in cell["metadata"].get("tags", []):
            return {parameter.name: parameter for parameter in _declarations(cell["source"])}
    return {}


def resolve(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any], constraints: Mapping[str, Constraint]
) -> dict[str, Any]:
    """The value of every parameter: given, else the definition's default, else the notebook's own.

    Raises
    ------
    RequestError
        Unknown or ill-typed values; all of them in one message.
    """
    problems = [f"没有名为 {name} 的参数" for name in [*given, *constraints] if name not in parameters]
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        constraint = constraints.get(name, Constraint())
        value = given.get(name, parameter.default if constraint.default is None else constraint.default)
        try:
            values[name] = parameter.type.read(value)
        except ValueError as error:
            problems.append(f"{name} {error}，得到 {value!r}")
            continue
        problems += [f"{name} {fault}" for fault in _violations(values[name], constraint)]
    if problems:
        known = "、".join(parameters) or "（无）"
        raise RequestError("参数有误：" + "；".join(dict.fromkeys(problems)), hint=f"可用参数：{known}")
    return values


def inject(notebook: Any, values: Mapping[str, Any]) -> Any:
    """The notebook with a readable cell of these values after its ``parameters`` cell (a new nbformat node)."""
    import nbformat

    notebook = nbformat.from_dict(notebook)
    cell = nbformat.v4.new_code_cell(source(values), metadata={"tags": [INJECTED]})
    cell["id"] = INJECTED
    cells = [cell for cell in notebook.cells if INJECTED not in cell.metadata.get("tags", [])]
    place = next((k + 1 for k, cell in enumerate(cells) if TAG in cell.metadata.get("tags", [])), 0)
    notebook.cells = [*cells[:place], cell, *cells[place:]]
    return notebook


def source(values: Mapping[str, Any]) -> str:
    """The injected cell's code; dates bring their import with them."""
    lines = ["# 本次运行的参数"]
    if any(isinstance(item, dt.date) for value in values.values() for item in _flat(value)):
        lines.append("import datetime")
    return "\n".join([*lines, *(f"{name} = {value!r}" for name, value in values.items())])


def _flat(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _violations(value: Any, constraint: Constraint) -> list[str]:
    faults = []
    for item in _flat(value):
        if item is None:
            continue
        if constraint.minimum is not None and item < constraint.minimum:
            faults.append(f"不得小于 {constraint.minimum:g}，得到 {item!r}")
        if constraint.maximum is not None and item > constraint.maximum:
            faults.append(f"不得大于 {constraint.maximum:g}，得到 {item!r}")
        if constraint.choices is not None and item not in constraint.choices:
            faults.append(f"应为 {' / '.join(map(str, constraint.choices))} 之一，得到 {item!r}")
        if constraint.pattern is not None and re.fullmatch(constraint.pattern, str(item)) is None:
            faults.append(f"应符合 {constraint.pattern}，得到 {item!r}")
    return faults


def _declarations(code: str) -> list[Parameter]:
    statements = _statements(code)
    comments = _comments(code)
    found = []
    for statement in statements:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name, annotation, value = statement.target.id, statement.annotation, statement.value
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, annotation, value = statement.targets[0].id, None, statement.value
        elif isinstance(statement, (ast.Import, ast.ImportFrom)) or _is_docstring(statement):
            continue
        else:
            raise _malformed(statement, "只能有“名称: 类型 = 默认值”")
        default = None if value is None else _literal(value)
        kind = _guess(default) if annotation is None else _type(annotation)
        found.append(Parameter(name, kind, default, comments.get(statement.end_lineno or 0, "")))
    return found


def _statements(code: str) -> list[ast.stmt]:
    try:
        return ast.parse(code).body
    except SyntaxError as error:
        raise CodebookError(
            f"笔记本 parameters 单元有语法错误：{error.msg}", row=error.lineno, hint="请修改笔记本"
        ) from error


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _comments(code: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "date" and not node.keywords:
        return dt.date(*(ast.literal_eval(argument) for argument in node.args))
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise _malformed(node, "默认值应为字面量") from None


def _type(node: ast.expr) -> Type:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):  # a quoted annotation
        return _type(ast.parse(node.value, mode="eval").body)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right])
    name = ast.unparse(node.value if isinstance(node, ast.Subscript) else node).split(".")[-1]
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name in ("list", "List", "Sequence"):
            return Type("list", item=_type(inner[0]))
        if name == "Literal":
            return Type("choice", choices=tuple(ast.literal_eval(choice) for choice in inner))
        if name == "Optional":
            return _union([inner[0], ast.Constant(None)])
        if name == "Union":
            return _union(inner)
    if name == "list":
        return Type("list")
    if name in _NAMES:
        return Type(name)
    raise _malformed(node, f"不认识的类型 {ast.unparse(node)}")


def _union(parts: Sequence[ast.expr]) -> Type:
    parts = [inner for part in parts for inner in _arms(part)]
    types = [_type(part) for part in parts if not _is_none(part)]
    if len(types) != 1:
        raise _malformed(parts[0], "联合类型只能是“某类型 | None”")
    kind = types[0]
    return Type(kind.kind, optional=len(types) < len(parts), item=kind.item, choices=kind.choices)


def _arms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_arms(node.left), *_arms(node.right)]
    return [node]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _guess(default: Any) -> Type:
    for kind, python in (("bool", bool), ("int", int), ("float", float), ("str", str), ("date", dt.date)):
        if isinstance(default, python):
            return Type(kind)
    if isinstance(default, list):
        return Type("list", item=_guess(default[0]) if default else None)
    return Type("any", optional=True)


def _malformed(node: ast.AST, message: str) -> CodebookError:
    return CodebookError(
        f"笔记本 parameters 单元写法不对：{message}",
        row=getattr(node, "lineno", None),
        hint="写法见 docs/engine.md",
    )
