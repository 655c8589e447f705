"""Time and peak memory of building a large corpus of generated documents, in a process of its own.

Documents are about 1,500 characters, made of sentences of the field with random numbers, names and order, so that no two
are alike and near-duplicate search has its worst case: much shared wording, few duplicates.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "corpus_scale"
#: Characters of one generated document.
SIZE = 1500
_PLACES = ["栖岭市", "墨渡区", "漾溪县", "芷陵县", "柘丰县", "榧岩县", "澄浦区", "砚湖区"]
_DO = [
    "建立台账",
    "逐件包案",
    "定期接访",
    "主动下访",
    "排查隐患",
    "开展调解",
    "公开听证",
    "回访群众",
    "压实责任",
    "完善制度",
    "加强督办",
    "规范登记",
]
_ON = [
    "劳动社保",
    "城乡建设",
    "农村农业",
    "交通运输",
    "教育医疗",
    "物业管理",
    "征地拆迁",
    "环境保护",
    "涉法涉诉",
    "市场监管",
]
_CHARS = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条"


def document(seed: int) -> str:
    """One made-up piece of news about petition work in the sample province."""
    draw = random.Random(seed)
    place = draw.choice(_PLACES)
    lines = [
        f"{place}{draw.choice(_DO)}化解{draw.choice(_ON)}矛盾",
        "",
        f"本报记者 {draw.choice('赵钱孙李周吴')}样{draw.choice('甲乙丙丁')}",
        "",
    ]
    lead = f"本报讯 {draw.randint(1, 12)}月{draw.randint(1, 28)}日，{place}召开信访工作会议，通报办件{draw.randint(100, 9999)}件。"
    paragraph = lead
    size = 0
    while size < SIZE:
        filler = "".join(draw.choices(_CHARS, k=draw.randint(8, 22)))
        sentence = (
            f"{draw.choice(['会议指出', '会议强调', '据介绍', '今年以来', '下一步'])}，{draw.choice(_PLACES)}{draw.choice(_DO)}，"
            f"{filler}，{draw.choice(_ON)}类事项办结{draw.randint(10, 999)}件，占{draw.uniform(1, 99):.1f}%。"
        )
        paragraph += sentence
        size += len(sentence)
        if len(paragraph) > 220:
            lines += [paragraph, ""]
            paragraph = ""
    return "\n".join([*lines, paragraph, ""])


def generate(folder: Path, documents: int) -> None:
    """Write the documents, a thousand a folder."""
    for n in range(documents):
        file = folder / f"{n // 1000:04d}" / f"{n:07d}.txt"
        if n % 1000 == 0:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document(n), encoding="utf-8")


def run(documents: int = 10_000, workers: int = 1) -> list[dict[str, Any]]:
    """Peak memory of the build as a share of 2 GB; the big run is ``python bench_corpus_scale.py 100000``."""
    with tempfile.TemporaryDirectory() as folder:
        src = Path(folder) / "src"
        generate(src, documents)
        said = subprocess.run(
            [sys.executable, __file__, "--build", src, Path(folder) / "out", str(workers)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    got = json.loads(said)
    return [
        {
            "name": f"corpus: build of {documents:,} documents",
            "ratio": got["peak"] / 2048,
            "against": "2 GB of memory",
            "better": "lower",
            "detail": f"{got['seconds']:.0f} s, peak {got['peak']:.0f} MB in the largest process, "
            f"{got['documents']:,} articles, {got['linked']:,} near-duplicates, opened in {got['open']:.1f} s",
        }
    ]


def _build(src: str, out: str, workers: str) -> None:
    from peak import Workers, held

    from analysis import corpus

    start = time.perf_counter()
    with Workers() as processes:
        corpus.build(src, out, workers=int(workers))
    seconds = time.perf_counter() - start
    peak = max(held(), processes.peak)
    start = time.perf_counter()
    documents = corpus.open_store(out).documents
    opened = time.perf_counter() - start
    linked = int(documents["near_duplicate_of"].notna().sum())
    print(
        json.dumps(
            {"seconds": seconds, "peak": peak, "open": opened, "documents": len(documents), "linked": linked}
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        _build(*sys.argv[2:])
    else:
        print(run(int(sys.argv[1]) if sys.argv[1:] else 10_000, int(sys.argv[2]) if sys.argv[2:] else 1))
