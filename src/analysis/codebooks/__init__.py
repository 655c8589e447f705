"""Codebooks as data (编码表、词表、口径、期限): one loader, every file with a version and a source."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import CodebookError


def path(name: str) -> Path:
    """Where the packaged codebook file lies; ``name`` with its ending, as in ``five_part.yml``."""
    return Path(str(resources.files(__name__) / name))


def load(name: str | Path) -> dict[str, Any]:
    """Read a YAML codebook: a packaged one by its name, or a file of the user's by its path.

    Returns
    -------
    dict
        The file's content; ``version`` and ``source`` are always there.

    Raises
    ------
    CodebookError
        No such file, no YAML mapping, or no version or source stated in it.
    """
    file = Path(name)
    if file.suffix != ".yml" and not file.exists():
        file = path(f"{name}.yml")
    elif not file.exists() and file.parent == Path():
        file = path(str(name))
    return _read(file, file.stat().st_mtime_ns if file.exists() else 0)


def digest(name: str | Path) -> str:
    """First 12 hex digits of the SHA-256 of a packaged codebook's bytes, for manifests."""
    file = Path(name) if Path(name).exists() else path(str(name))
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def parse(text: str) -> Any:
    """What a YAML text holds, read by libyaml where PyYAML was built with it: seven times as fast.

    Raises
    ------
    yaml.YAMLError
        Not valid YAML.
    """
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.lru_cache(maxsize=64)
def _read(file: Path, _mtime: int) -> dict[str, Any]:
    import yaml

    try:
        content = parse(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CodebookError("找不到编码表", file=file, hint="请检查名称，或给出 YAML 文件的路径") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CodebookError(
            f"编码表不是有效的 YAML：{error}", file=file, hint="请用 UTF-8 保存并检查缩进"
        ) from error
    if not isinstance(content, dict):
        raise CodebookError("编码表的最外层应为映射", file=file, hint="请参照自带的 five_part.yml")
    for key in ("version", "source"):
        if not content.get(key):
            raise CodebookError(f"编码表缺少 {key}", file=file, hint="请写明版本与来源，数字才可追溯")
    return content
