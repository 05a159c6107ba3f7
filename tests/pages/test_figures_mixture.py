from collections.abc import Callable

import pytest
import torch
from matplotlib.figure import Figure

from probmcl.model import GaussianMixture
from probmcl_book.pages.figures import mixture, similarity


def on_a_line(rows: int, components: int) -> GaussianMixture:
    weights = torch.full((rows, components), 1 / components).log()
    return GaussianMixture(weights, torch.zeros(rows, components, 1), torch.ones(rows, components))


def in_the_plane() -> GaussianMixture:
    return GaussianMixture(torch.zeros(1, 1), torch.tensor([[[1.0, 0.0]]]), torch.full((1, 1), 0.3))


GRID = torch.linspace(0, 1, 5).unsqueeze(1)
OVERLAP = similarity.Overlap(torch.ones(5), torch.ones(5), torch.ones(5), 0.25)
DRAWINGS: dict[str, Callable[[], Figure]] = {
    "one_point_or_two": lambda: mixture.one_point_or_two(
        torch.eye(2), ["A", "B"], torch.tensor([1.0, 0.0]), in_the_plane()
    ),
    "inverse_problem": lambda: mixture.inverse_problem(GRID, GRID, GRID, on_a_line(5, 1), on_a_line(5, 2)),
    "variance_by_input": lambda: mixture.variance_by_input(
        ["a", "b"], torch.ones(1, 2), torch.zeros(1, 2), torch.ones(2)
    ),
    "mixture_at_sigma": lambda: mixture.mixture_at_sigma(0.5, torch.zeros(1, 1), in_the_plane().means),
    "float_range": lambda: mixture.float_range(torch.arange(1, 4), (1.0,), [torch.zeros(3)]),
    "overlapping_densities": lambda: similarity.overlapping_densities(0.5, GRID[:, 0], {0.5: OVERLAP}),
    "monte_carlo_estimates": lambda: similarity.monte_carlo_estimates(
        (10, 100), {"D = 2": torch.ones(2)}, {"D = 2": torch.ones(2)}
    ),
    "gram_and_spectra": lambda: similarity.gram_and_spectra(torch.eye(2), {"Sim": torch.ones(2)}),
    "score_matrices": lambda: similarity.score_matrices(["A"], {"Sim": torch.ones(1, 1)}),
    "spread_of_scores": lambda: similarity.spread_of_scores((2,), [torch.tensor([-1.0, 0.0])]),
    "gradient_norms": lambda: similarity.gradient_norms((0.1, 1.0), {"Sim/τ": torch.zeros(1, 2)}, (8,)),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_small_data_can_be_drawn(name, drawn) -> None:
    assert drawn(DRAWINGS[name]()).axes  # layout warnings are errors here


def test_the_slider_writes_the_variances_of_the_mixture_it_draws(drawn) -> None:
    figure = drawn(mixture.mixture_at_sigma(0.5, torch.tensor([[0.5, 0.5]]).log(), torch.eye(2).unsqueeze(0)))
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "within 0.500" in words  # D sigma^2
    assert "between 0.500" in words  # a half of the squared distance from (1/2, 1/2) twice


def test_a_zero_gradient_is_drawn_on_the_line_of_zeros(drawn, line) -> None:
    norms = {"Sim/τ": torch.tensor([[0.0, 1e-3]])}
    (axes,) = drawn(similarity.gradient_norms((0.1, 1.0), norms, (8,))).axes
    _, curve = line(axes, label="D = 8")
    assert curve == pytest.approx([line(axes, linestyle=":")[1][0], 1e-3])


def test_the_spread_marks_the_extremes_and_the_median(drawn, line) -> None:
    scores = torch.tensor([-4.0, -3.0, -2.0, -1.0, 0.0])
    (axes,) = drawn(similarity.spread_of_scores((2,), [scores])).axes
    assert line(axes, linewidth=2.0, marker="None")[0] == [-4, 0]
    assert line(axes, marker="|")[0] == [-2]
