"""The sidecar (corpus.yml): what its owner states about files, beside them or given by path.

::

    defaults: {region_code: "330000"}
    files:
      "2024-01-17.txt": {published: 2024-01-17, issuer: 浙江法制报}
      "公报/*.pdf": {genre: 统计公报}
      "汇编.txt#3": {title: 第三篇的标题}
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import regions
from ..errors import CodebookError
from .source import SIDECAR

FIELDS = {
    "title",
    "kicker",
    "subtitle",
    "byline",
    "genre",
    "level",
    "region_code",
    "issuer",
    "number",
    "published",
    "event_date",
}


@dataclass(frozen=True)
class Sidecar:
    """Stated metadata: defaults for all files, and for files by name or pattern (``name#3`` is the third article)."""

    defaults: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, name: str, position: int) -> dict[str, Any]:
        """What is stated of an article; the more particular wins."""
        stated = dict(self.defaults)
        for pattern, fields in self.files.items():
            file, _, number = pattern.partition("#")
            if fnmatch.fnmatchcase(name, file) and (not number or int(number) == position):
                stated |= fields
        return stated

    @classmethod
    def beside(cls, src: str | Path | Iterable[str | Path], given: str | Path | None) -> Sidecar:
        """The sidecar given, or the one that lies in the folder.

        Raises
        ------
        CodebookError
            It cannot be read, or states a field that documents do not have.
        """
        if given is not None:
            return cls.load(Path(given))
        if isinstance(src, (str, Path)) and (file := Path(src) / SIDECAR).is_file():
            return cls.load(file)
        return cls()

    @classmethod
    def load(cls, file: Path) -> Sidecar:
        """Read and check a sidecar."""
        import yaml

        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8-sig")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CodebookError(
                f"元数据文件读不出来：{error}", file=file, hint="请用 UTF-8 保存并检查缩进"
            ) from error
        if not isinstance(content, dict) or not set(content) <= {"defaults", "files", "version", "source"}:
            raise CodebookError(
                "元数据文件的最外层应为 defaults 和 files", file=file, hint="请参照 docs/corpus.md"
            )
        defaults, files = content.get("defaults") or {}, content.get("files") or {}
        if not isinstance(defaults, dict) or not isinstance(files, dict):
            raise CodebookError("defaults 和 files 应为映射", file=file, hint="请参照 docs/corpus.md")
        for where, fields in [("defaults", defaults), *files.items()]:
            if not isinstance(fields, dict) or not set(fields) <= FIELDS:
                unknown = sorted(set(fields) - FIELDS) if isinstance(fields, dict) else fields
                raise CodebookError(
                    f"{where} 里有不认识的字段",
                    file=file,
                    value=unknown,
                    hint=f"可用：{'、'.join(sorted(FIELDS))}",
                )
            number = str(where).partition("#")[2]
            if number and not number.isdigit():
                raise CodebookError("# 后面应是第几篇", file=file, value=where, hint="例如 汇编.txt#3")
            code = fields.get("region_code")
            if code is not None and str(code) not in regions.load():
                raise CodebookError("行政区划代码不存在", file=file, value=code, hint="请写六位代码并加引号")
        return cls(defaults, files)
