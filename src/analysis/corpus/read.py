"""Read messy public texts into a corpus (读取)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import InputError
from .records import DOCUMENTS, REJECTS, SENTENCES, TABLES, Corpus, frame
from .trace import Traced, join

_SENTENCE = re.compile(r"[^。！？!?；;\n]*(?:[。！？!?；;]+[”’」』）)]*|(?=\n)|$)")


def read(
    src: str | Path | Iterable[str | Path], *, sidecar: str | Path | None = None, workers: int = 1
) -> Corpus:
    """Read a file, a folder or a list of them."""
    documents: list[dict[str, Any]] = []
    sentences: list[dict[str, Any]] = []
    traces: dict[str, Traced] = {}
    for name, file in _files(src):
        data = file.read_bytes()
        text = data.decode("utf-8-sig", errors="replace")
        doc_id = hashlib.sha256(hashlib.sha256(data).digest() + b":1").hexdigest()[:16]
        lines = [line.strip() for line in Traced.of(text).lines()]
        body = join(line for line in lines if line.value)
        traces[doc_id] = body
        documents.append(
            {
                "doc_id": doc_id,
                "source": name,
                "position": 1,
                "body": body.value,
                "script": "简",
                "truncated": False,
                "noise": 0.0,
                "redactions": 0,
                "chars": len(body),
                "region_candidates": [],
            }
        )
        start = 0
        for number, paragraph in enumerate(body.value.split("\n")):
            for match in _SENTENCE.finditer(paragraph):
                if match[0].strip():
                    sentences.append(
                        {
                            "doc_id": doc_id,
                            "paragraph": number,
                            "sentence": sum(s["doc_id"] == doc_id for s in sentences[-400:]),
                            "start": start + match.start(),
                            "end": start + match.end(),
                            "text": match[0],
                            "heading": False,
                        }
                    )
            start += len(paragraph) + 1
    return Corpus(
        frame(documents, DOCUMENTS),
        frame(sentences, SENTENCES),
        frame([], TABLES),
        frame([], REJECTS),
        traces,
    )


def _files(src: str | Path | Iterable[str | Path]) -> list[tuple[str, Path]]:
    if not isinstance(src, (str, Path)):
        return [pair for one in src for pair in _files(one)]
    root = Path(src)
    if root.is_file():
        return [(root.name, root)]
    if not root.is_dir():
        raise InputError("找不到语料", file=root, hint="请给出一个文件或文件夹")
    return [
        (f.relative_to(root).as_posix(), f) for f in sorted(root.rglob("*")) if f.suffix in {".txt", ".md"}
    ]
