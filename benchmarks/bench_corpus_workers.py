"""Two processes against one, building the same corpus of generated documents."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from bench_corpus_scale import generate

NAME = "corpus_workers"


def run(documents: int = 4000) -> list[dict[str, Any]]:
    """How many times faster two workers are; start-up of the processes counts."""
    from analysis import corpus

    with tempfile.TemporaryDirectory() as folder:
        src = Path(folder) / "src"
        generate(src, documents)
        seconds = {}
        for workers in (1, 2):
            start = time.perf_counter()
            corpus.build(src, Path(folder) / f"out{workers}", workers=workers)
            seconds[workers] = time.perf_counter() - start
    return [
        {
            "name": "corpus: two workers",
            "ratio": seconds[1] / seconds[2],
            "against": "one worker",
            "better": "higher",
            "detail": f"{documents} documents: {seconds[1]:.1f} s with one, {seconds[2]:.1f} s with two",
        }
    ]


if __name__ == "__main__":
    print(run())
