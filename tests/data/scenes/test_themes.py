import itertools
import math

import pytest

from probmcl.data import THEMES, co_occurrence, digit_scenes, label_distribution, label_sets


def distribution_by_loops(themes: list[str]) -> dict[tuple[int, ...], float]:
    """The definition, one label set at a time."""
    total = dict.fromkeys(itertools.product((0, 1), repeat=10), 0.0)
    weights = sum(THEMES[name].weight for name in themes)
    for name in themes:
        chances = THEMES[name].inclusion().tolist()
        likelihood = {
            y: math.prod(q if present else 1 - q for present, q in zip(y, chances, strict=True))
            for y in total
            if 1 <= sum(y) <= 6
        }
        for y, value in likelihood.items():
            total[y] += THEMES[name].weight / weights * value / sum(likelihood.values())
    return total


@pytest.mark.parametrize("themes", [list(THEMES), ["even", "odd"]])
def test_distribution_agrees_with_loops(themes: list[str]):
    expected = distribution_by_loops(themes)
    for row, probability in zip(label_sets().tolist(), label_distribution(themes).tolist(), strict=True):
        assert probability == pytest.approx(expected[tuple(row)], abs=1e-12)


def test_co_occurrence_sums_the_distribution():
    probability, sets = label_distribution(), label_sets()
    for i, j in ((2, 3), (6, 6)):
        expected = probability[sets[:, i] * sets[:, j] == 1].sum().item()
        assert co_occurrence()[i, j].item() == pytest.approx(expected)


def test_the_world_is_worth_learning():
    """Imbalance, about three labels, and dependencies of both signs: what the chapters rely on."""
    graph = co_occurrence()
    frequency = graph.diagonal()
    spread = (frequency * (1 - frequency)).sqrt()
    correlation = (graph - frequency.outer(frequency)) / spread.outer(spread)
    assert frequency.max() / frequency.min() > 4
    assert frequency.argmin() == 6
    assert 2.7 < frequency.sum() < 3.3
    assert correlation.fill_diagonal_(0).max() > 0.3
    assert correlation.min() < -0.3


def test_drawn_scenes_follow_the_exact_co_occurrence():
    scenes = digit_scenes("train", 20_000, seed=5, image_size=8)
    exact = co_occurrence()
    # Each entry is a binomial share; 5 standard errors fail once in 30,000 seeds over 55 entries.
    standard_error = (exact * (1 - exact) / len(scenes)).sqrt()
    assert ((scenes.describe().co_occurrence - exact).abs() < 5 * standard_error).all()
    assert scenes.labels.sum(1).min() == 1
    assert scenes.labels.sum(1).max() == 6


def test_a_held_out_theme_changes_the_graph():
    rest = [name for name in THEMES if name != "even"]
    assert co_occurrence(rest)[6, 6] < 0.6 * co_occurrence()[6, 6]
    scenes = digit_scenes("test", 500, themes=["even"], image_size=8)
    assert scenes.describe().frequency[6] > 0.5
