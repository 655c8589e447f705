"""Sources (来源): what lies in a folder, an archive or a list, and what a reader makes of one file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..errors import InputError
from .reject import Refusal
from .tables import Table
from .trace import Traced

#: A text of this many bytes is no document; nothing larger is read into memory.
FILE_LIMIT = 64 * 1024 * 1024
#: What an archive may hold: bytes in all, members, and how much smaller than its content it may be.
ARCHIVE_LIMIT = 512 * 1024 * 1024
MEMBER_LIMIT = 20_000
RATIO_LIMIT = 200
SIDECAR = "corpus.yml"
# What a folder says of its files and of itself (``simulated``); no documents.
_ABOUT = frozenset({SIDECAR, "metadata.json"})
KINDS = {
    ".txt",
    ".text",
    ".md",
    ".markdown",
    ".html",
    ".htm",
    ".shtml",
    ".xhtml",
    ".mhtml",
    ".docx",
    ".pdf",
    ".zip",
}


class Source(NamedTuple):
    """A file of the corpus: its name within it (with ``/``) and where it lies."""

    name: str
    path: Path


@dataclass(slots=True)
class Page:
    """What a reader hands on: text with offsets, tables, and what the format itself states.

    ``source`` is the text that the offsets count, where it is not the text itself.
    """

    text: Traced
    tables: list[Table] = field(default_factory=list)
    title: str | None = None
    published: str | None = None
    outlet: str | None = None
    markdown: bool = False
    source: str = ""


def find(src: str | Path | Iterable[str | Path]) -> list[Source]:
    """All files of a file, a folder or a list of them, in order of name.

    Raises
    ------
    InputError
        There is no such file or folder.
    """
    if not isinstance(src, (str, Path)):
        found: dict[Path, Source] = {}
        for one in src:
            for source in find(one):
                found.setdefault(source.path.resolve(), source)
        names: set[str] = set()
        unique = []
        for source in found.values():
            name = source.name
            if name in names:  # two folders may hold files of the same name
                name = f"{source.path.parent.name}/{name}"
            names.add(name)
            unique.append(Source(name, source.path))
        return unique
    root = Path(src)
    if root.is_file():
        return [Source(root.name, root)]
    if not root.is_dir():
        raise InputError("找不到语料", file=root, hint="请给出一个文件、文件夹或 zip")
    return [
        Source(file.relative_to(root).as_posix(), file)
        for file in sorted(root.rglob("*"))
        if file.is_file()
        and not any(part.startswith((".", "~$")) for part in file.relative_to(root).parts)
        and file.name not in _ABOUT
    ]


def load_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    Refusal
        It is too large or cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > FILE_LIMIT and path.suffix.lower() != ".zip":
            raise Refusal(
                "文件过大",
                f"文件有 {size / 1e6:.0f} MB",
                f"请拆成小于 {FILE_LIMIT // 2**20} MB 的文件",
                value=size,
            )
        if size > ARCHIVE_LIMIT:
            raise Refusal("文件过大", f"压缩包有 {size / 1e6:.0f} MB", "请拆成几个压缩包", value=size)
        return path.read_bytes()
    except OSError as error:
        raise Refusal(
            "无法读取", f"文件读不出来：{error.strerror}", "请检查权限和磁盘", value=error.errno
        ) from error


def members(data: bytes) -> Iterator[tuple[str, bytes | Refusal]]:
    """Name and content of each member of a zip archive; a Refusal in place of what is not taken.

    Nothing is ever written to disk. Names that climb out of the archive are refused, and so is an archive that
    unpacks to far more than it holds.

    Raises
    ------
    Refusal
        The archive as a whole cannot be used.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise Refusal(
            "损坏的压缩包", "zip 打不开", "请重新下载或重新打包", value=type(error).__name__
        ) from error
    with archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        total = sum(info.file_size for info in infos)
        if len(infos) > MEMBER_LIMIT or total > ARCHIVE_LIMIT or total > RATIO_LIMIT * max(len(data), 10_000):
            raise Refusal(
                "压缩炸弹",
                f"压缩包有 {len(infos)} 个文件、解压后 {total / 1e6:.0f} MB",
                "请确认来源后解压到文件夹再读",
                value=total,
            )
        for info in sorted(infos, key=lambda i: i.filename):
            name = _name(info)
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
                yield (
                    name,
                    Refusal("路径越界", "压缩包里的文件名指向包外", "请确认来源；该文件没有读", value=name),
                )
                continue
            if any(part.startswith((".", "~$", "__MACOSX")) for part in parts) or parts[-1] in _ABOUT:
                continue
            if info.flag_bits & 1:
                yield name, Refusal("加密的压缩包", "文件有密码保护", "请去掉密码后重新打包")
                continue
            if info.file_size > FILE_LIMIT:
                yield (
                    name,
                    Refusal(
                        "文件过大",
                        f"文件有 {info.file_size / 1e6:.0f} MB",
                        "请拆成小文件",
                        value=info.file_size,
                    ),
                )
                continue
            try:
                with archive.open(info) as member:
                    content = member.read(FILE_LIMIT + 1)
            except (
                zipfile.BadZipFile,
                EOFError,
                OSError,
                ValueError,
                NotImplementedError,
                RuntimeError,
            ) as error:
                yield name, Refusal("损坏的压缩包", "文件解不开", "请重新打包", value=type(error).__name__)
                continue
            if len(content) > FILE_LIMIT:
                yield (
                    name,
                    Refusal("压缩炸弹", "文件解压后远大于所称大小", "请确认来源", value=info.file_size),
                )
                continue
            yield name, content


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name; archives made on Chinese Windows write it in GBK without saying so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return info.filename
