"""Collocation measures against published numbers, binary counting, merging, communities, clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import MethodError, RequestError
from analysis.text.network import Company, clusters, collocations, company, cooccurrence, draw, measures
from analysis.text.segment import Lexicon, Segmenter


@pytest.fixture(scope="module")
def plain() -> Segmenter:
    return Segmenter(Lexicon())


def test_golden_numbers() -> None:
    found = {
        name: float(v[0])
        for name, v in measures(np.array([50]), np.array([80]), np.array([20]), 100_000).items()
    }
    golden = {
        "expected": 0.04, "mi": 8.9658, "mi3": 17.6096, "t": 4.4632, "logdice": 12.2996, "npmi": 0.7297,
        "jaccard": 0.1818, "ochiai": 0.3162,
    }  # fmt: skip
    assert found == pytest.approx(golden, abs=5e-5)


def test_perfect_company_has_npmi_one() -> None:
    assert measures(np.array([7]), np.array([7]), np.array([7]), 7)["npmi"][0] == 1


def test_a_term_counts_once_a_unit(frames, plain: Segmenter) -> None:
    _, sentences = frames("登记登记来访。登记督查。")
    counts = company(sentences, plain, stop=frozenset())
    assert counts.terms == {"登记": 2, "来访": 1, "督查": 1}
    assert counts.pairs == {("来访", "登记"): 1, ("登记", "督查"): 1} or counts.pairs == {
        tuple(sorted(("来访", "登记"))): 1,
        tuple(sorted(("登记", "督查"))): 1,
    }
    assert counts.units == 2
    assert company(sentences, plain, unit="document", stop=frozenset()).units == 1


def test_parts_add_up_to_the_whole(frames, plain: Segmenter) -> None:
    _, sentences = frames("登记来访。督查来访。", "登记督查。登记来访督查。")
    first, second = (sentences[sentences["doc_id"] == doc] for doc in ("d0", "d1"))
    whole = company(sentences, plain, stop=frozenset())
    assert company(first, plain, stop=frozenset()) + company(second, plain, stop=frozenset()) == whole
    with pytest.raises(RequestError, match="单元不同"):
        whole + company(sentences, plain, unit="document")


def _two_groups() -> Company:
    from collections import Counter

    left, right = ["登记", "来信", "来访"], ["督查", "考核", "通报"]
    pairs: Counter[tuple[str, str]] = Counter()
    for group in (left, right):
        for a in group:
            for b in group:
                if a < b:
                    pairs[a, b] = 9
    pairs[min("来访", "督查"), max("来访", "督查")] = 3
    return Company(Counter(dict.fromkeys(left + right, 12)), pairs, 40, "sentence")


def test_communities_and_tables() -> None:
    network = cooccurrence(_two_groups(), min_pair=3)
    groups = network.nodes.groupby("community")["term"].agg(set).tolist()
    assert sorted(map(sorted, groups)) == sorted(
        [sorted(["登记", "来信", "来访"]), sorted(["督查", "考核", "通报"])]
    )
    assert len(network.edges) == 7
    assert network.density == pytest.approx(7 / 15)
    assert network.modularity > 0.3
    assert "3" in network.cut
    between = network.nodes.set_index("term")["betweenness"]
    assert between["来访"] == between["督查"] == between.max()
    again = cooccurrence(_two_groups(), min_pair=3)
    pd.testing.assert_frame_equal(network.nodes, again.nodes)


def test_collocations_of_one_word() -> None:
    table = collocations(_two_groups(), "来访")
    assert set(table["source"]) == {"来访"}
    assert table["target"].tolist()[-1] == "督查"
    assert table["ochiai"].iloc[0] == pytest.approx(9 / 12)
    assert table.attrs["unit"] == "sentence"


def test_clusters_find_the_groups() -> None:
    table = clusters(_two_groups(), groups=2)
    assert table.groupby("cluster")["term"].agg(frozenset).nunique() == 2
    assert {frozenset(g) for g in table.groupby("cluster")["term"].agg(list)} == {
        frozenset({"登记", "来信", "来访"}),
        frozenset({"督查", "考核", "通报"}),
    }


def test_too_little_for_a_network(frames, plain: Segmenter) -> None:
    _, sentences = frames("登记来访。")
    counts = company(sentences, plain)
    assert "没有两个词同现达到 3 次" in collocations(counts).attrs["note"]
    with pytest.raises(MethodError, match="不成网络"):
        cooccurrence(counts)
    with pytest.raises(MethodError, match="聚类"):
        clusters(counts)


def test_copies_of_one_text_are_said(frames, plain: Segmenter) -> None:
    body = "登记来访群众。督查办理情况。"
    counts = company(frames(*[body] * 4)[1], plain)
    assert "副本" in collocations(counts).attrs["note"]
    assert "副本" in clusters(counts).attrs["note"]
    assert "副本" in str(cooccurrence(counts).note)
    other = company(frames(body, body, "登记来信。")[1], plain)
    assert other.note is None
    assert (counts + other).note is None


@pytest.mark.parametrize("call", [lambda c: cooccurrence(c, weight="luck")])
def test_unknown_weight(call) -> None:
    with pytest.raises(RequestError, match="luck"):
        call(_two_groups())


def test_the_drawing_names_its_terms_and_repeats() -> None:
    from analysis import display

    display.use()  # a font with these characters
    network = cooccurrence(_two_groups(), min_pair=3)
    first, again = draw(network), draw(network)
    assert {text.get_text() for text in first.axes[0].texts} == set(network.nodes["term"])
    assert [text.xy for text in first.axes[0].texts] == [text.xy for text in again.axes[0].texts]
    assert len(first.axes[0].lines) == len(network.edges)
