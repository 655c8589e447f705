"""100,000 documents of 1,500 characters through the text chain, within 4 GB.

Phrases are those discovered (the ledger works document by document and adds nothing to the peak). Documents are drawn sentence by sentence from patterns of the domain and Zipf-distributed words of the dictionary, so that
lexicon, phrases and codes all find something. The chain runs in a process of its own whose peak is measured, the texts
and the sentence table included.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

NAME = "text_memory"
DOCUMENTS = 100_000
CHARACTERS = 1_500
LIMIT_GB = 4.0
PATTERNS = (
    "各级{}应当{}信访事项，及时登记{}。", "要坚持{}，化解{}矛盾纠纷，推动{}。", "对{}开展督查，{}纳入考核。",
    "推行“{}”机制，{}持续{}。", "{}依据《信访工作条例》{}，办结率达到{}。", "{}、{}、{}有序推进。",
)  # fmt: skip


def run(count: int = DOCUMENTS) -> list[dict]:
    done = subprocess.run([sys.executable, __file__, str(count)], capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    return [
        {
            "name": NAME,
            "ratio": round(measured["peak_gb"] / LIMIT_GB, 2),
            "against": f"{LIMIT_GB:g} GB for {DOCUMENTS:,} documents of {CHARACTERS:,} characters",
            "better": "lower",
            "detail": measured["detail"],
        }
    ]


def measure(count: int) -> dict[str, object]:
    import resource

    import numpy as np

    from analysis import text
    from analysis.text.citations import cite

    documents, sentences = frames(count)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    told = []

    def step(name: str, call):
        begun = time.perf_counter()
        result = call()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        told.append(f"{name} {time.perf_counter() - begun:.0f} s, {peak:.2f} GB")
        print(told[-1], file=sys.stderr, flush=True)
        return result

    counts = step("count", lambda: text.count(documents))
    step("tfidf", lambda: text.tfidf(counts, top=5))
    step("key terms", lambda: text.key_terms(counts))
    step("keyness", lambda: text.keyness(counts, np.arange(count) % 2 == 0, min_count=20))
    counts = None
    found = len(step("phrases", lambda: text.discover(documents, min_uses=20)))
    codes = step("coding", lambda: text.code(documents, sentences))
    coded = len(codes)
    codes = None
    step("citations", lambda: cite(documents))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    detail = f"{count:,} documents, {len(sentences):,} sentences ({base:.2f} GB); {'; '.join(told)}; {found:,} phrases, {coded:,} codes"
    return {"peak_gb": peak, "detail": detail}


def frames(count: int):
    import re

    import numpy as np
    import pandas as pd

    from analysis.text.segment import _dictionary

    rng = np.random.default_rng(7)
    every = [word for word in _dictionary().split("\n") if re.fullmatch("[一-龥]{2,4}", word)]
    words = [every[k] for k in rng.choice(len(every), 30_000, replace=False)]
    weights = 1 / np.arange(1, len(words) + 1)
    weights /= weights.sum()
    bodies, ids, numbers, starts, ends, texts = [], [], [], [], [], []
    for document in range(count):
        drawn = iter(rng.choice(len(words), 300, p=weights).tolist())
        body, number = [], 0
        size = 0
        while size < CHARACTERS:
            pattern = PATTERNS[(document + number) % len(PATTERNS)]
            sentence = pattern.format(*(words[next(drawn)] for _ in range(3)))
            body.append(sentence)
            ids.append(document)
            numbers.append(number)
            starts.append(size)
            size += len(sentence)
            ends.append(size)
            texts.append(sentence)
            number += 1
        bodies.append("".join(body))
    names = np.array([f"d{k}" for k in range(count)], dtype=object)
    documents = pd.DataFrame({"doc_id": names, "body": bodies})
    sentences = pd.DataFrame(
        {
            "doc_id": names[np.array(ids)],
            "sentence": np.array(numbers, dtype=np.int32),
            "start": np.array(starts, dtype=np.int32),
            "end": np.array(ends, dtype=np.int32),
            "text": texts,
        }
    )
    return documents, sentences


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        print(run())
