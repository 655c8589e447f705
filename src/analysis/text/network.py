"""Words that keep company (搭配与共现网络): collocation measures, the network of terms, its communities and its clusters.

Counting is binary per unit: a term counts once in a sentence, however often it stands there. The unit and the cut are named in
the result. Counts of parts add up (:meth:`Company.__add__`), so corpora processed apart give the network of the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ..errors import MethodError, RequestError
from .segment import Segmenter, is_content, stopwords
from .terms import copies

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WEIGHTS = ("pair", "ochiai", "jaccard", "npmi", "logdice")


@dataclass(frozen=True)
class Company:
    """In how many units each term, and each pair of terms, stands (共现计数).

    Attributes
    ----------
    terms
        Term → units with it.
    pairs
        (term, term), in order of the characters → units with both.
    units
        All units with at least one term.
    unit
        What a unit is: sentence, paragraph or document.
    note
        That the documents are copies of one text, where they are.
    """

    terms: Counter[str]
    pairs: Counter[tuple[str, str]]
    units: int
    unit: str
    note: str | None = None

    def __add__(self, other: Company) -> Company:
        if other.unit != self.unit:
            raise RequestError("计数单元不同，不能合并", value=f"{self.unit} / {other.unit}")
        return Company(
            self.terms + other.terms,
            self.pairs + other.pairs,
            self.units + other.units,
            self.unit,
            self.note if self.note == other.note else None,
        )


@dataclass(frozen=True)
class Network:
    """The network and its tables (共现网络).

    Attributes
    ----------
    nodes
        term, units, degree, strength, betweenness, closeness, community (1 is the largest).
    edges
        source, target and the measures of :func:`collocations`.
    density, modularity
        Of the whole network; modularity of the communities by the edges' weight.
    unit, weight, cut
        How it was made.
    note
        That of the counts.
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame
    density: float
    modularity: float
    unit: str
    weight: str
    cut: str
    note: str | None = None


def measures(f_x: np.ndarray, f_y: np.ndarray, f_xy: np.ndarray, n: float) -> dict[str, np.ndarray]:
    """Collocation measures of a pair with frequencies f(x), f(y), together f(xy), in N.

    Returns
    -------
    dict of arrays
        expected E = f(x)f(y)/N; mi = log₂ f(xy)/E (Church & Hanks 1990); mi3 = log₂ f(xy)³/E; t = (f(xy) − E)/√f(xy);
        logdice = 14 + log₂ 2f(xy)/(f(x)+f(y)) (Rychlý 2008); npmi = mi / −log₂ f(xy)/N (Bouma 2009); jaccard; ochiai.
    """
    f_x, f_y, f_xy = (np.asarray(f, dtype=float) for f in (f_x, f_y, f_xy))
    expected = f_x * f_y / n
    with np.errstate(divide="ignore", invalid="ignore"):
        mi = np.log2(f_xy / expected)
        self_information = -np.log2(f_xy / n)
        npmi = np.where(self_information > 0, mi / self_information, 1.0)
        return {
            "expected": expected,
            "mi": mi,
            "mi3": np.log2(f_xy**3 / expected),
            "t": (f_xy - expected) / np.sqrt(f_xy),
            "logdice": 14 + np.log2(2 * f_xy / (f_x + f_y)),
            "npmi": npmi,
            "jaccard": f_xy / (f_x + f_y - f_xy),
            "ochiai": f_xy / np.sqrt(f_x * f_y),
        }


def company(
    sentences: pd.DataFrame,
    segmenter: Segmenter | None = None,
    *,
    unit: str = "sentence",
    terms: Iterable[str] | None = None,
    stop: frozenset[str] | None = None,
) -> Company:
    """Count terms and pairs of terms in each unit.

    Parameters
    ----------
    sentences
        Table of :mod:`analysis.corpus`.
    unit
        sentence, paragraph or document.
    terms
        Only these; default all content words. With more than a few hundred terms give them: pairs grow by the square.
    """
    if unit not in ("sentence", "paragraph", "document"):
        raise RequestError("没有这种计数单元", value=unit, hint="可用：sentence、paragraph、document")
    segmenter = segmenter or Segmenter()
    stop = stopwords() if stop is None else stop
    wanted = None if terms is None else set(terms)
    keys = {"sentence": ["doc_id", "sentence"], "paragraph": ["doc_id", "paragraph"], "document": ["doc_id"]}[
        unit
    ]
    found: dict[object, set[str]] = {}
    for key, text in zip(sentences[keys].itertuples(index=False, name=None), sentences["text"], strict=True):
        words = {
            word
            for word in segmenter.cut(text)
            if (word in wanted if wanted is not None else is_content(word, stop))
        }
        found.setdefault(key, set()).update(words)
    singles: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    units = 0
    for words in found.values():
        if words:
            units += 1
            singles.update(words)
            pairs.update(combinations(sorted(words), 2))
    texts: dict[str, list[str]] = {}
    for doc_id, text in zip(sentences["doc_id"], sentences["text"], strict=True):
        texts.setdefault(doc_id, []).append(text)
    return Company(singles, pairs, units, unit, copies(texts.values()))


def collocations(counts: Company, word: str | None = None, *, min_pair: int = 3) -> pd.DataFrame:
    """Pairs of terms with all measures, those of one word alone when it is given (搭配).

    Returns
    -------
    pandas.DataFrame
        source, target, f_source, f_target, pair, then the columns of :func:`measures`; strongest logDice first. Of an
        empty table ``attrs["note"]`` says why, of any other whether its counts are those of copies.
    """
    import pandas as pd

    chosen = [
        (a, b, counts.terms[a], counts.terms[b], together)
        for (a, b), together in counts.pairs.items()
        if together >= min_pair and (word is None or word in (a, b))
    ]
    if word is not None:
        chosen = [
            (word, b if a == word else a, *((x, y) if a == word else (y, x)), n) for a, b, x, y, n in chosen
        ]
    table = pd.DataFrame(chosen, columns=["source", "target", "f_source", "f_target", "pair"])
    more = measures(
        table["f_source"].to_numpy(),
        table["f_target"].to_numpy(),
        table["pair"].to_numpy(),
        max(counts.units, 1),
    )
    table = table.assign(**more).sort_values(
        ["logdice", "pair", "source", "target"], ascending=[False, False, True, True]
    )
    few = f"共 {counts.units} 个单元，没有两个词同现达到 {min_pair} 次，无从计算搭配"
    table.attrs.update(unit=counts.unit, units=counts.units, note=few if table.empty else counts.note)
    return table.reset_index(drop=True)


def cooccurrence(
    counts: Company,
    *,
    top: int = 60,
    weight: str = "ochiai",
    min_pair: int = 3,
    cut: float = 0.0,
    seed: int = 2022,
) -> Network:
    """The network of the most used terms, with Louvain communities (共现网络与社区).

    Parameters
    ----------
    top
        So many terms, by the units that use them.
    weight
        Measure that the communities go by: pair, ochiai, jaccard, npmi or logdice.
    min_pair, cut
        An edge needs so many units together, and a weight above the cut.
    seed
        Of Louvain; the same counts and seed give the same communities.

    Raises
    ------
    MethodError
        Fewer than three terms are joined: too little for a network.
    """
    import networkx as nx
    import pandas as pd

    if weight not in WEIGHTS:
        raise RequestError("没有这种边权", value=weight, hint=f"可用：{'、'.join(WEIGHTS)}")
    chosen = [term for term, _ in sorted(counts.terms.items(), key=lambda item: (-item[1], item[0]))[:top]]
    edges = collocations(counts, min_pair=min_pair)
    kept = edges["source"].isin(set(chosen)) & edges["target"].isin(set(chosen)) & (edges[weight] > cut)
    edges = edges[kept].reset_index(drop=True)
    graph = nx.Graph()
    for a, b, w in sorted(zip(edges["source"], edges["target"], edges[weight].astype(float), strict=True)):
        graph.add_edge(a, b, weight=w, distance=1 / w)
    if len(graph) < 3:
        raise MethodError("共现的词不足三个，不成网络", value=len(graph), hint="请降低 min_pair，或增加文本")
    groups = nx.community.louvain_communities(graph, weight="weight", seed=seed)
    groups = sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group[0]))
    community = {term: number for number, group in enumerate(groups, 1) for term in group}
    degree = dict(graph.degree())
    strength = dict(graph.degree(weight="weight"))
    between = nx.betweenness_centrality(graph, weight="distance")
    close = nx.closeness_centrality(graph, distance="distance")
    nodes = pd.DataFrame(
        [
            (
                term,
                counts.terms[term],
                degree[term],
                strength[term],
                between[term],
                close[term],
                community[term],
            )
            for term in sorted(graph, key=lambda term: (community[term], -counts.terms[term], term))
        ],
        columns=["term", "units", "degree", "strength", "betweenness", "closeness", "community"],
    )
    return Network(
        nodes,
        edges,
        nx.density(graph),
        nx.community.modularity(graph, groups, weight="weight"),
        counts.unit,
        weight,
        f"前 {top} 个词，同现不少于 {min_pair} 个单元，{weight} 大于 {cut:g}",
        counts.note,
    )


def draw(network: Network, labels: int = 40) -> Figure:
    """The network as a figure: a circle a term (area by units), a line an edge (width by weight), a colour a community.

    The layout is Kamada–Kawai on the inverse weights, so the same network is the same picture.
    """
    import networkx as nx
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    graph = nx.Graph()
    graph.add_nodes_from(network.nodes["term"])
    weights = network.edges[network.weight].astype(float)
    for a, b, weight in zip(network.edges["source"], network.edges["target"], weights, strict=True):
        graph.add_edge(a, b, weight=weight, distance=1 / weight)
    place = nx.kamada_kawai_layout(graph, weight="distance")
    figure = Figure(figsize=(6.8, 5.2))
    axes = figure.add_subplot()
    for a, b, weight in graph.edges(data="weight"):
        axes.plot(
            *zip(place[a], place[b], strict=True),
            color="0.75",
            linewidth=0.4 + 2 * weight / weights.max(),
            zorder=1,
        )
    colours = rcParams["axes.prop_cycle"].by_key()["color"]
    largest = network.nodes["units"].max()
    for number, (term, units, community) in enumerate(
        zip(network.nodes["term"], network.nodes["units"], network.nodes["community"], strict=True)
    ):
        x, y = place[term]
        colour = colours[(community - 1) % len(colours)]
        axes.scatter([x], [y], s=20 + 260 * units / largest, color=colour, zorder=2, edgecolors="white")
        if number < labels:
            axes.annotate(term, (x, y), textcoords="offset points", xytext=(0, 6), ha="center", fontsize=8)
    axes.set_axis_off()
    return figure


def clusters(counts: Company, *, top: int = 40, groups: int = 5) -> pd.DataFrame:
    """Hierarchical clusters of the most used terms on 1 − Ochiai (共词聚类; average linkage).

    Returns
    -------
    pandas.DataFrame
        term, units, cluster (1 is the largest), order (place in the dendrogram). ``attrs["note"]``: that of the counts.

    Raises
    ------
    MethodError
        Fewer than three terms.
    """
    import pandas as pd
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    terms = [term for term, _ in sorted(counts.terms.items(), key=lambda item: (-item[1], item[0]))[:top]]
    if len(terms) < 3:
        raise MethodError("词不足三个，无从聚类", value=len(terms))
    apart = np.ones((len(terms), len(terms)))
    np.fill_diagonal(apart, 0)
    for (i, a), (j, b) in combinations(enumerate(terms), 2):
        together = counts.pairs.get((min(a, b), max(a, b)), 0)
        apart[i, j] = apart[j, i] = 1 - together / np.sqrt(counts.terms[a] * counts.terms[b])
    tree = linkage(squareform(apart, checks=False), method="average")
    label = fcluster(tree, groups, criterion="maxclust")
    size = Counter(label)
    number = {old: new for new, old in enumerate(sorted(size, key=lambda old: (-size[old], old)), 1)}
    place = {leaf: at for at, leaf in enumerate(leaves_list(tree))}
    table = pd.DataFrame(
        [(term, counts.terms[term], number[label[i]], place[i]) for i, term in enumerate(terms)],
        columns=["term", "units", "cluster", "order"],
    )
    table.attrs["note"] = counts.note
    return table.sort_values(["cluster", "order"], ignore_index=True)
