"""Text reuse grows near-linearly: 1,000, 10,000 and 100,000 generated documents of 1,500 characters."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from peak import held

from analysis.text.reuse import reuse

NAME = "text_reuse_scaling"
SIZES = (1_000, 10_000, 100_000)
CHARACTERS = 1_500


def documents(count: int) -> pd.DataFrame:
    """Texts of Zipf-distributed characters; every tenth takes a passage of 200 characters from another."""
    rng = np.random.default_rng(5)
    alphabet = np.array([chr(0x4E00 + k) for k in range(3_000)])
    weights = 1 / np.arange(1, 3_001)
    drawn = rng.choice(3_000, size=(count, CHARACTERS), p=weights / weights.sum())
    bodies = ["".join(alphabet[row]) for row in drawn]
    for _ in range(count // 10):
        taker, giver = rng.integers(0, count, 2)
        start = int(rng.integers(0, CHARACTERS - 200))
        bodies[taker] = bodies[taker][:700] + bodies[giver][start : start + 200] + bodies[taker][900:]
    return pd.DataFrame({"doc_id": [f"d{k}" for k in range(count)], "body": bodies})


def run() -> list[dict]:
    seconds, found = {}, {}
    for size in SIZES:
        table = documents(size)
        begun = time.perf_counter()
        found[size] = reuse(table)["doc_id"].nunique()
        seconds[size] = time.perf_counter() - begun
    small, large = SIZES[0], SIZES[-1]
    growth = (seconds[large] / seconds[small]) / (large / small)
    detail = "; ".join(
        f"{size:,} documents {seconds[size]:.2f} s, {found[size]:,} takers found" for size in SIZES
    )
    memory = held() / 1024
    return [
        {
            "name": NAME,
            "ratio": round(growth, 2),
            "against": f"linear growth from {small:,} to {large:,} documents (1 = linear)",
            "better": "lower",
            "detail": f"{detail}; peak memory of the process {memory:.1f} GB, the generated texts included",
        }
    ]


if __name__ == "__main__":
    print(run())
