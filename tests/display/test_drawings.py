"""Drawings: what is drawn is what the frame says."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import display
from analysis.display import drawings, theme


@pytest.fixture(autouse=True)
def _fresh():
    display.use()


@pytest.fixture
def bodies():
    count = 30
    return pd.DataFrame(
        {
            "body": [f"b{k}" for k in range(count)],
            "name": [f"单位{k}" for k in range(count)],
            "n": [100.0 + k for k in range(count)],
            "value": [0.99 - 0.005 * k for k in range(count)],
            "colour": ["#8a8f98"] * count,
            "ranked": [True] * (count - 1) + [False],
            "rank": [float(k + 1) for k in range(count)],
            "rank_low": [max(1.0, k - 4.0) for k in range(count)],
            "rank_high": [min(29.0, k + 5.0) for k in range(count)],
        }
    )


@pytest.fixture
def history():
    value = pd.Series([0.9, 0.95, 0.97, 0.96])
    return pd.DataFrame(
        {
            "period": ["2024-01", "2024-02", "2024-03", "2024-04"],
            "value": value,
            "mean": value.mean(),
            "lower": 0.8,
        }
    ).assign(upper=1.07, colour="#8a8f98")


def test_lines_mark_the_period_of_the_brief():
    frame = pd.DataFrame({"m": ["2024-01", "2024-02"], "a": [10.0, 12.0], "b": [1.0, 3.0]})
    (axes,) = drawings.lines(frame, x="m", series={"甲": "a", "乙": "b"}, unit="件", mark="2024-02").axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[10, 12], [12], [1, 3], [3]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["甲", "乙"]
    assert axes.get_title(loc="left") == "单位：件"


def test_a_month_between_gaps_is_a_point():
    frame = pd.DataFrame({"m": list("abcdef"), "a": [80.0, None, 90.0, None, 85.0, 86.0]})
    (axes,) = drawings.lines(frame, x="m", series={"甲": "a"}, unit="%").axes
    _, alone = axes.lines
    assert (list(alone.get_xdata()), list(alone.get_ydata())) == ([0, 2], [80.0, 90.0])


@pytest.mark.parametrize("values", [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
def test_pieces_are_counted_in_whole_numbers(values):
    frame = pd.DataFrame({"m": list("abc"), "a": values})
    (axes,) = drawings.lines(frame, x="m", series={"甲": "a"}, unit="件").axes
    assert axes.get_ylim()[1] >= 1
    assert all(float(tick).is_integer() for tick in axes.get_yticks())


def test_stacks_stand_on_each_other_and_gaps_are_nothing():
    frame = pd.DataFrame({"m": ["1", "2"], "a": [10.0, None], "b": [1.0, 3.0]})
    (axes,) = drawings.stacks(frame, x="m", parts=["a", "b"], unit="件").axes
    assert [(bar.get_y(), bar.get_height()) for bar in axes.patches] == [(0, 10), (0, 0), (10, 1), (0, 3)]


def test_bars_print_their_values_and_set_off_one():
    frame = pd.DataFrame({"n": ["甲", "乙"], "v": [1234.0, None], "w": [1000.0, 5.0]})
    (axes,) = drawings.bars(frame, label="n", value="v", unit="件", before="w", highlight="甲").axes
    assert [text.get_text() for text in axes.texts] == ["1,234"]
    from matplotlib.colors import to_hex

    assert to_hex(axes.patches[0].get_facecolor()) == theme.colour("accent")
    assert axes.yaxis_inverted()


def test_comparison_shows_the_three_together_and_only_ranked_bodies_among_ranks(bodies, history):
    limits = pd.DataFrame({"denominator": [90.0, 140.0]}).assign(
        lower_inner=0.9, upper_inner=0.98, lower_outer=0.85, upper_outer=0.99
    )
    figure = drawings.comparison(history, bodies, limits, highlight="b14")
    top, funnel, ranks = figure.axes
    assert top.collections[0].get_paths()[0].get_extents().ymax <= 100  # limits clipped to what a rate can be
    assert len(funnel.collections[0].get_offsets()) == 30
    assert [note.get_text() for note in funnel.texts] == ["单位14"]
    labels = [tick.get_text() for tick in ranks.get_yticklabels()]
    assert labels == [f"单位{k}" for k in [*range(12), 14, *range(17, 29)]]
    assert "共 29 个" in ranks.get_title(loc="left")


def test_ranks_among_bodies_that_are_not_shown_stay_on_the_sheet(bodies, history):
    few = bodies.head(5).assign(rank_high=90.0)
    empty = pd.DataFrame(columns=["denominator", "lower_inner", "upper_inner", "lower_outer", "upper_outer"])
    assert drawings.comparison(history, few, empty).axes[2].get_xlim()[1] >= 90


def test_comparison_without_funnel(bodies, history):
    empty = pd.DataFrame(columns=["denominator", "lower_inner", "upper_inner", "lower_outer", "upper_outer"])
    figure = drawings.comparison(history, bodies.head(5), empty)
    assert len(figure.axes[1].lines) == 0
    assert len(figure.axes[2].get_yticklabels()) == 5


def test_comparison_of_fewer_than_two_ranked_bodies_has_no_ranks(bodies, history):
    alone = bodies.head(5).assign(ranked=[True, False, False, False, False])
    limits = pd.DataFrame({"denominator": [90.0, 140.0]}).assign(
        lower_inner=0.9, upper_inner=0.98, lower_outer=0.85, upper_outer=0.99
    )
    _, funnel = drawings.comparison(history, alone, limits).axes
    assert funnel.get_position().width > 0.8
    assert funnel.get_xlabel() == "分母（项）"  # rates are of matters


@pytest.mark.parametrize("count", [1, 9, 36])
def test_period_labels_end_at_the_last(count):
    frame = pd.DataFrame({"m": [f"p{k}" for k in range(count)], "a": range(count)})
    (axes,) = drawings.lines(frame, x="m", series={"甲": "a"}, unit="件").axes
    labels = [tick.get_text() for tick in axes.get_xticklabels()]
    assert labels[-1] == f"p{count - 1}"
    assert len(labels) <= 9
