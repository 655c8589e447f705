"""A mapping file (字段映射): how a real extract's columns and words become ours, without renaming anything in it.

.. code-block:: yaml

    version: "1"
    source: where the extract comes from
    system: "12345"                       # the system all rows belong to
    tables:
      matters:
        from: name of the table or sheet               # when it is not ours; a database may say schema.table
        columns: {their column: our field}           # or a list of our fields
        terms: {our field: {their word: our word}}
        fixed: {our field: value}
        drop: [columns we must not take]              # the only way past a column that names a person
        keep: [columns kept as they are, for rules]
        dates: mdy                                    # 03/05/2024 is 5 March; dmy: 3 May; without it, unknown
        report: {columns: {head: {indicator: …}}}      # monthly only: places down, figures across
        rules: {rule id: {as: other id} | {when: condition, severity: …, message: …, touches: […]} | false}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import codebooks
from ..errors import CodebookError
from . import schema, values

_KEYS = ("from", "columns", "terms", "fixed", "drop", "keep", "dates", "report", "rules")


@dataclass(frozen=True)
class TableMapping:
    """How one source table becomes one of ours.

    Attributes
    ----------
    columns
        Their column → our fields.
    terms
        Our field → their word → our word.
    fixed
        Our field → the value of every row.
    drop, keep
        Their columns that are left out knowingly, and those kept as they are.
    rules
        Changes to the rule table of ``check``, by rule id.
    source_table
        Name of the database table or sheet when it is not ours.
    dates
        Order of dates whose year comes last (:data:`.values.ORDERS`).
    report
        The source is a 报表 with places down and figures across: arguments of :func:`.report.read` (monthly only).
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    terms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    source_table: str | None = None
    dates: str | None = None
    report: Mapping[str, Any] | None = None


def read(file: str | Path | None) -> Mapping[str, TableMapping]:
    """The mappings of a file, by our table's name; none when no file is given.

    Raises
    ------
    CodebookError
        Unreadable, without version or source, or naming a table, field or word that we do not have.
    """
    if file is None:
        return {}
    if not Path(file).exists():
        raise CodebookError("找不到映射文件", file=file, hint="请检查路径")
    content = codebooks.load(Path(file))
    tables = content.get("tables")
    if not isinstance(tables, dict) or not tables:
        raise CodebookError("映射文件缺少 tables", file=file, hint="请参照 data/mappings/boston311.yml")
    return {name: _table(name, entry or {}, file, content.get("system")) for name, entry in tables.items()}


def _table(name: str, entry: dict[str, Any], file: str | Path, system: str | None) -> TableMapping:
    if name not in schema.tables():
        raise CodebookError(
            "映射到了不存在的表", file=file, value=name, hint=f"可用：{'、'.join(schema.tables())}"
        )
    for key in (key for key in entry if key not in _KEYS):
        raise CodebookError(
            "映射文件里有不认识的项", file=file, value=f"{name}.{key}", hint=f"可用：{'、'.join(_KEYS)}"
        )
    dates = entry.get("dates")
    if dates not in (None, *values.ORDERS):
        raise CodebookError(
            "日期次序写法不对",
            file=file,
            value=f"{name}.dates: {dates}",
            hint="请写 mdy（月/日/年）或 dmy（日/月/年）",
        )
    ours = schema.table(name).columns
    columns = {
        str(theirs): tuple(fields) if isinstance(fields, list) else (str(fields),)
        for theirs, fields in (entry.get("columns") or {}).items()
    }
    fixed = dict(entry.get("fixed") or {})
    if system is not None:
        fixed.setdefault("system", str(system))
    terms = {
        key: {str(theirs): str(word) for theirs, word in words.items()}
        for key, words in (entry.get("terms") or {}).items()
    }
    fed = [one for fields in columns.values() for one in fields]
    named = [*fed, *fixed, *terms]
    for unknown in (name for name in named if name not in ours):
        raise CodebookError(
            "映射到了不存在的字段", file=file, value=f"{name}.{unknown}", hint=f"可用：{'、'.join(ours)}"
        )
    for twice in (one for one in fed if fed.count(one) > 1):
        raise CodebookError("两列映射到了同一个字段", file=file, value=f"{name}.{twice}", hint="请只留一列")
    for key, words in [*terms.items(), *((key, {"": value}) for key, value in fixed.items())]:
        for word in words.values():
            if ours[key].terms and str(word) not in ours[key].terms:
                raise CodebookError(
                    "映射到了词表以外的用语",
                    file=file,
                    value=f"{name}.{key}: {word}",
                    hint=f"可用：{'、'.join(ours[key].terms)}",
                )
    return TableMapping(
        columns,
        terms,
        fixed,
        tuple(entry.get("drop") or ()),
        tuple(entry.get("keep") or ()),
        dict(entry.get("rules") or {}),
        entry.get("from"),
        dates,
        entry.get("report"),
    )
