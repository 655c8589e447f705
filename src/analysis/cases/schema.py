"""What a case table holds (案件表的字段与用语): read from the codebook ``case_tables``, used by load, check and simulate.

Petition work counts pieces (件) and matters (事项) apart; so there are two tables and nothing adds across them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import codebooks
from ..errors import CodebookError

TYPES = ("text", "date", "int", "float", "bool")


@dataclass(frozen=True)
class Column:
    """One field of a case table (字段).

    Attributes
    ----------
    name
        The Chinese name, as in a table's head.
    type
        ``text``, ``date`` (a timestamp; midnight means the whole day), ``int``, ``float`` or ``bool``.
    terms
        The closed vocabulary; empty when the column is open.
    default
        The value a source without this column gets.
    """

    id: str
    name: str
    type: str
    terms: tuple[str, ...] = ()
    default: str | None = None


@dataclass(frozen=True)
class Table:
    """One case table (案件表).

    Attributes
    ----------
    key
        Columns that identify a row; empty where rows have no identity.
    needed
        Columns without which the table says nothing.
    region, when
        Columns of place and of the row's first date, or ``None``.
    """

    id: str
    name: str
    key: tuple[str, ...]
    needed: tuple[str, ...]
    region: str | None
    when: str | None
    columns: Mapping[str, Column]


@functools.lru_cache(maxsize=1)
def tables() -> Mapping[str, Table]:
    """All case tables by their id, in the codebook's order.

    Raises
    ------
    CodebookError
        The codebook names a type we do not have.
    """
    return {id: _table(id, entry) for id, entry in codebooks.load("case_tables")["tables"].items()}


def table(id: str) -> Table:
    """One case table."""
    return tables()[id]


def _table(id: str, entry: dict[str, Any]) -> Table:
    columns = {}
    for column, field in entry["columns"].items():
        if field["type"] not in TYPES:
            raise CodebookError(
                "字段类型不认识", file="case_tables.yml", value=f"{id}.{column}: {field['type']}"
            )
        columns[column] = Column(
            column, field["name"], field["type"], tuple(field.get("terms", ())), field.get("default")
        )
    return Table(
        id,
        entry["name"],
        tuple(entry["key"]),
        tuple(entry["needed"]),
        entry.get("region"),
        entry.get("when"),
        columns,
    )
