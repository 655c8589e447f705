"""Small frames in the form of ``corpus.read``."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import pytest

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


@pytest.fixture
def frames() -> Frames:
    """Documents and sentences of bodies given in code; keyword columns go to the documents."""

    def make(*bodies: str | None, **columns: list[object]) -> tuple[pd.DataFrame, pd.DataFrame]:
        documents = pd.DataFrame(
            {
                "doc_id": [f"d{n}" for n in range(len(bodies))],
                "source": [f"{n}.txt" for n in range(len(bodies))],
                "body": list(bodies),
                **columns,
            }
        )
        rows = []
        for doc_id, body in zip(documents["doc_id"], bodies, strict=True):
            number = 0
            for paragraph, line in enumerate((body or "").split("\n")):
                begin = sum(len(before) + 1 for before in (body or "").split("\n")[:paragraph])
                for match in re.finditer("[^。]+。?", line):
                    heading = bool(re.match("第.+章|[一二三]、", match[0])) and "。" not in match[0]
                    rows.append(
                        (
                            doc_id,
                            paragraph,
                            number,
                            begin + match.start(),
                            begin + match.end(),
                            match[0],
                            None,
                            None,
                            heading,
                        )
                    )
                    number += 1
        sentences = pd.DataFrame(
            rows,
            columns=["doc_id", "paragraph", "sentence", "start", "end", "text", "speaker", "act", "heading"],
        )
        return documents, sentences

    return make
