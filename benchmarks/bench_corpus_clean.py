"""Cleaning, splitting and describing against one jieba segmentation of the same text.

The text is the sample's documents; ours includes decoding, sentences, redaction and the near-duplicate sketch. jieba runs
in its default mode with its dictionary loaded beforehand; so are our codebooks. Processor time is measured, both sides take turns, and the fastest
turn of each counts.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from bench_corpus_scale import generate

NAME = "corpus_clean"
_SAMPLE = Path(__file__).resolve().parent.parent / "data" / "sample" / "documents"


def run(turns: int = 5) -> list[dict[str, Any]]:
    """Processor time of ours over that of jieba; lower is better, 1 is the budget."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), 200)
        return [
            _item("the sample's short news", sorted(_SAMPLE.glob("*.txt")), turns),
            _item("documents of 1,500 characters", sorted(Path(folder).rglob("*.txt")), turns),
        ]


def _item(what: str, files: list[Path], turns: int) -> dict[str, Any]:
    import jieba

    from analysis.corpus.read import parse
    from analysis.corpus.source import Source

    jieba.setLogLevel(60)
    jieba.initialize()
    sources = [Source(file.name, file) for file in files]
    texts = [file.read_text(encoding="utf-8", errors="ignore") for file in files]
    ours, theirs = [], []
    for _ in range(turns + 1):
        start = time.process_time()
        for one in sources:
            parse(one)
        ours.append(time.process_time() - start)
        start = time.process_time()
        for text in texts:
            for _word in jieba.cut(text):
                pass
        theirs.append(time.process_time() - start)
    mine, other = min(ours[1:]), min(theirs[1:])  # the first turn warms up
    return {
        "name": f"corpus: clean, split and describe {what}",
        "ratio": mine / other,
        "against": "jieba segmentation of the same text",
        "better": "lower",
        "detail": f"{len(files)} files, {sum(map(len, texts))} characters: {mine:.3f} s against {other:.3f} s",
    }


if __name__ == "__main__":
    print(run())
