"""100,000 documents of 1,500 characters through the whole text chain, within 4 GB, the tables of the corpus included.

The corpus is simulated: sentences drawn from patterns of the domain, filled with Zipf-distributed words of the
dictionary, in the density of sentences, codes and citations that real texts of the field have. It is written as a
corpus on disk. A process of its own opens it, holds documents and sentences whole, and runs terms, keyness and phrase
discovery; codes, citations and commitments then go part by part to Parquet in two more processes, while the tables are
still held. The peak counted is that process's own plus, for each worker, the largest worker's. Parts are of one size
and leave nothing behind, so only the first ``PARTS`` are timed here; ``--all`` runs them all, and ``--whole`` runs the
three verbs on the whole tables in the one process instead.

The ledger of phrases (uses, first and last use, adopters, what is new) is an item of its own, in a process that holds
the documents alone. The simulated texts quote thousands of words of the dictionary, which are then looked for
everywhere: several times as many uses a document as real bulletins have.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peak import Workers, held

NAME = "text_memory"
DOCUMENTS = 100_000
CHARACTERS = 1_500
LIMIT_GB = 4.0
WORKERS = 2
SHARD = 2_500
PARTS = 12
# Two in five say something of the five parts, one in twelve cites, one in eight orders something: as in real bulletins.
PATTERNS = (
    "各级{0}应当依法受理群众的信访事项，自收到{1}之日起十五日内予以登记，并将{2}的情况告知{3}和{4}。",
    "要坚持{0}与{1}相结合，推动矛盾纠纷就地化解，把{2}解决在基层、解决在{3}萌芽状态。",
    "下一步，全面推进{0}建设，年底前完成{1}和{2}的改造提升任务，新增{3}服务点20个。",
    "{0}依据《信访工作条例》有关规定，对{1}的办理情况开展督查，并将{2}纳入年度{3}考核。",
    "会议听取了{0}关于{1}工作情况的汇报，研究了{2}和{3}的有关事项，{4}同志参加会议。",
    "{0}聚焦{1}，以{2}为抓手，不断优化{3}的流程，让更多{4}享受到便利，{5}取得新的进展。",
    "在{0}，记者看到{1}正在有序进行，{2}负责人介绍说，{3}的变化离不开{4}的支持。",
    "近年来，{0}投入资金用于{1}，带动{2}和{3}协同发展，{4}持续改善，{5}稳步提高。",
    "探索推行“{0}”工作法，把{1}、{2}、{3}贯通起来，形成了{4}共同参与的良好局面。",
    "针对{0}反映的{1}问题，{2}组织人员逐户走访，摸清{3}底数，建立了{4}台账。",
    "这里的{0}依山而建，{1}沿着河岸铺开，{2}和{3}错落有致，吸引了许多{4}前来参观。",
    "与上年相比，{0}增长较快，{1}保持平稳，{2}有所回落，{3}占比进一步提高。",
)  # fmt: skip


def run(count: int = DOCUMENTS, *options: str) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder) / "corpus", count)
        items = []
        for name, more in ((NAME, options), (f"{NAME}_ledger", ("--ledger",))):
            command = [sys.executable, __file__, "--measure", folder, *more]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            measured = json.loads(done.stdout.splitlines()[-1])
            items.append(
                {
                    "name": name,
                    "ratio": round(measured["peak_gb"] / LIMIT_GB, 2),
                    "against": f"{LIMIT_GB:g} GB for {DOCUMENTS:,} documents of {CHARACTERS:,} characters",
                    "better": "lower",
                    "detail": f"simulated texts; {measured['detail']}",
                }
            )
    return items


class Steps:
    """Named steps of this process, each with its time and the peak of memory so far."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        result = call()
        self.told.append(f"{name} {time.perf_counter() - begun:.0f} s, {held() / 1024:.2f} GB")
        print(self.told[-1], file=sys.stderr, flush=True)
        return result


def measure_ledger(folder: Path) -> dict[str, object]:
    """The phrases of a corpus on disk: their uses, and all that is worked out from them."""
    from analysis import corpus, text

    step = Steps()
    documents = step("documents", lambda: corpus.open_store(folder / "corpus").documents)
    uses = step("mentions", lambda: text.mentions(documents))
    phrases = step("ledger", lambda: text.ledger(uses, documents))
    step("adoption", lambda: text.adoption(uses, documents))
    step("turnover", lambda: text.turnover(uses, documents, "2019"))
    pairs = step("taken_up", lambda: text.taken_up(uses, documents))
    detail = (
        f"{len(documents):,} documents; {'; '.join(step.told)}; {len(uses):,} uses of {len(phrases):,} phrases, "
        f"{len(pairs):,} pairs of documents"
    )
    return {"peak_gb": held() / 1024, "detail": detail}


def measure(folder: Path, whole: bool, parts: int | None) -> dict[str, object]:
    """The chain on a corpus on disk, in this process and its workers."""
    import numpy as np

    from analysis import corpus, text
    from analysis.corpus import store
    from analysis.text.citations import cite
    from analysis.text.commitments import commitments

    step = Steps()
    read = corpus.open_store(folder / "corpus")
    documents, sentences = step("tables", lambda: (read.documents, read.sentences))
    characters = int(documents["chars"].sum())
    counts = step("count", lambda: text.count(documents))
    step("tfidf", lambda: text.tfidf(counts, top=5))
    step("key terms", lambda: text.key_terms(counts))
    half = np.arange(len(documents)) % 2 == 0
    step("keyness", lambda: text.keyness(counts, half, min_count=20))
    counts = None
    phrases = len(step("phrases", lambda: text.discover(documents, min_uses=20)))
    if whole:
        rows = {
            "codes": len(step("codes", lambda: text.code(documents, sentences))),
            "citations": len(step("citations", lambda: cite(documents))),
            "commitments": len(step("commitments", lambda: commitments(documents))),
        }
        total = held() / 1024
    else:
        out = folder / "found"
        some = store.StoredCorpus(read.path, dict(list(read.live.items())[:parts]))
        with Workers() as workers:
            step(
                f"codes, citations, commitments of the first {len(some.live)} of {len(read.live)} parts by {WORKERS} workers",
                lambda: text.extract(some, out, workers=WORKERS),
            )
        counted = json.loads((out / "extract.json").read_text(encoding="utf-8"))
        rows = {verb: counted[verb]["rows"] for verb in ("codes", "citations", "commitments")}
        step.told[-1] += f" and {WORKERS} × {workers.peak / 1024:.2f} GB"
        total = (held() + WORKERS * workers.peak) / 1024
    found = ", ".join(f"{rows[verb]:,} {verb}" for verb in rows)
    detail = (
        f"{len(documents):,} documents, {characters:,} characters, {len(sentences):,} sentences; "
        f"{'; '.join(step.told)}; {phrases:,} phrases, {found}"
    )
    return {"peak_gb": total, "detail": detail}


def simulate(out: Path, count: int) -> None:
    """A corpus on disk of simulated texts, shard by shard."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from analysis.corpus import store
    from analysis.text.segment import _dictionary

    rng = np.random.default_rng(7)
    every = [word for word in _dictionary().split("\n") if re.fullmatch("[一-龥]{2,4}", word)]
    words = np.array([every[k] for k in rng.choice(len(every), 30_000, replace=False)], dtype=object)
    share = np.cumsum(1 / np.arange(1, len(words) + 1))
    share /= share[-1]
    journal = []
    for number, first in enumerate(range(0, count, SHARD)):
        size = min(SHARD, count - first)
        most = CHARACTERS // 30
        drawn = words[np.searchsorted(share, rng.random((size * most, 6)))].tolist()
        patterns = rng.integers(0, len(PATTERNS), size * most).tolist()
        texts = [PATTERNS[pattern].format(*line) for pattern, line in zip(patterns, drawn, strict=True)]
        documents: dict[str, list[Any]] = {name: [] for name in ("doc_id", "source", "title", "body")}
        sentences: dict[str, list[Any]] = {
            name: [] for name in ("doc_id", "sentence", "start", "end", "text")
        }
        for place in range(size):
            name, start = f"{first + place:016d}", 0
            begin = place * most
            for sentence, words_ in enumerate(texts[begin : begin + most]):
                if start >= CHARACTERS:
                    break
                for column, value in zip(
                    sentences.values(), (name, sentence, start, start + len(words_), words_), strict=True
                ):
                    column.append(value)
                start += len(words_)
                begin += 1
            for column, value in zip(
                documents.values(),
                (name, f"{name}.txt", texts[place * most][:12], "".join(texts[place * most : begin])),
                strict=True,
            ):
                column.append(value)
        documents |= {
            "position": [1] * size,
            "genre": ["工作部署"] * size,
            "chars": [len(body) for body in documents["body"]],
            "published": [
                f"20{15 + k % 10}-{1 + k % 12:02d}-{1 + k % 28:02d}" for k in range(first, first + size)
            ],
        }
        sentences |= {"paragraph": [0] * len(sentences["text"]), "heading": [False] * len(sentences["text"])}
        folder = out / "shards" / f"{number:06d}"
        folder.mkdir(parents=True)
        for table, filled in (
            ("documents", documents),
            ("sentences", sentences),
            ("tables", {}),
            ("rejects", {}),
        ):
            kinds = store._kinds(store._TABLES[table])
            length = len(filled["doc_id"]) if filled else 0
            arrays = [pa.array(filled.get(name, [None] * length), kind) for name, kind in kinds]
            pq.write_table(pa.table(arrays, names=[name for name, _ in kinds]), folder / f"{table}.parquet")
        traces = {
            "doc_id": pa.array(documents["doc_id"], pa.string()),
            "runs": pa.array([[0, 0, chars] for chars in documents["chars"]], pa.list_(pa.int32())),
        }
        pq.write_table(pa.table(traces), folder / "traces.parquet")
        journal += [
            json.dumps({"source": source, "sha256": "", "shard": folder.name})
            for source in documents["source"]
        ]
    (out / "files.jsonl").write_text("\n".join(journal) + "\n", encoding="utf-8")
    (out / "corpus.json").write_text(json.dumps({"format": store.FORMAT}), encoding="utf-8")
    links = pa.table({"doc_id": pa.array([], pa.string()), "near_duplicate_of": pa.array([], pa.string())})
    pq.write_table(links, out / "links.parquet")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--whole", action="store_true", help="codes and the like on the whole tables")
    parser.add_argument("--all", action="store_true", help="codes and the like of all parts")
    parser.add_argument("--ledger", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure and given.ledger:
        print(json.dumps(measure_ledger(given.measure)))
    elif given.measure:
        print(json.dumps(measure(given.measure, given.whole, None if given.all else PARTS)))
    else:
        options = [name for name, wanted in (("--whole", given.whole), ("--all", given.all)) if wanted]
        print(run(given.documents, *options))
