"""Near-duplicates: estimates against the exact shares, and links."""

from __future__ import annotations

import random

import opencc
import pytest

from analysis.corpus import duplicates
from analysis.corpus.clean import clean
from analysis.corpus.duplicates import SHINGLE, link, pack, similarity, sketch, unpack
from analysis.corpus.trace import Traced

HAN = [chr(c) for c in range(0x4E00, 0x4E00 + 3000)]


def text(seed: int, size: int = 1200) -> str:
    return "".join(random.Random(seed).choices(HAN, k=size))


def exact(a: str, b: str) -> tuple[float, float]:
    x, y = ({t[i : i + SHINGLE] for i in range(len(t) - SHINGLE + 1)} for t in (a, b))
    return len(x & y) / len(x | y), len(x & y) / min(len(x), len(y))


@pytest.mark.parametrize(
    ("shared", "other"), [(0, 1200), (300, 900), (600, 600), (900, 300), (1200, 0), (600, 0)]
)
def test_estimates_come_near_the_exact_shares(shared, other):
    a = text(1)
    b = a[:shared] + text(2, other)
    jaccard, contained = similarity(sketch(a), sketch(b))
    want = exact(a, b)
    assert jaccard == pytest.approx(want[0], abs=0.12)
    assert contained == pytest.approx(want[1], abs=0.15)


def test_short_and_empty_texts():
    assert len(sketch("")) == len(sketch("信访")) == 0
    assert similarity(sketch(""), sketch(text(1))) == (0.0, 0.0)


def test_a_repost_in_the_other_script_is_the_same_text():
    body = (
        "会议要求，各乡镇要压实责任，认真办理群众来信来访，建立台账，逐件落实，做到件件有着落、事事有回音，群众满意。"
        * 3
    )
    traditional = opencc.OpenCC("s2t").convert(body)
    back = clean(Traced.of(traditional)).text.value
    assert similarity(sketch(body), sketch(back)) == (1.0, 1.0)


def test_links_lead_to_the_first():
    a, b = text(1), text(9)
    rewrite = a[:500] + text(3, 60) + a[560:]
    part = a[:700]
    found = link(
        [
            ("a", sketch(a)),
            ("b", sketch(b)),
            ("c", sketch(rewrite)),
            ("d", sketch(part)),
            ("e", sketch(rewrite)),
        ]
    )
    assert found == {"c": "a", "d": "a", "e": "a"}


def test_boilerplate_does_not_link():
    opening = text(5, 150)
    found = link([(str(n), sketch(opening + text(100 + n, 1000))) for n in range(12)])
    assert found == {}


def test_many_articles_of_one_opening_stay_cheap(monkeypatch):
    compared = []
    exactly = duplicates.similarity
    monkeypatch.setattr(duplicates, "similarity", lambda a, b: compared.append(1) or exactly(a, b))
    opening = text(5, 400)
    assert link([(str(n), sketch(opening + text(100 + n, 600))) for n in range(60)]) == {}
    # at most 8 earlier articles for each of the 20 hashes, not all 59
    assert 0 < len(compared) < 60 * 59 / 2


def test_sketches_survive_storage():
    one = sketch(text(1))
    assert (unpack(pack([one])[0]) == one).all()
