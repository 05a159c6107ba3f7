"""The kernel's own gradient and its tiles, against autograd on the formula held as one dense tensor."""

import math

import pytest
import torch

from probmcl.loss import SIMILARITIES, gaussian_kernel, log_expected_likelihood_kernel, similarity_scores
from probmcl.model import GaussianMixture
from probmcl_book import reference


def dense_log_kernel(a: GaussianMixture, b: GaussianMixture) -> torch.Tensor:
    """The formula, (N, M), through one tensor of shape (N, K, M, L, D)."""
    d = a.means.shape[-1]
    variance = a.scale.expand_as(a.means).square()[:, :, None, None] + b.scale.expand_as(b.means).square()
    offset = a.means[:, :, None, None] - b.means
    exponent = -0.5 * (offset.square() / variance + variance.log()).sum(-1) - d / 2 * math.log(2 * math.pi)
    return (exponent + a.log_weights[:, :, None, None] + b.log_weights).logsumexp((1, 3))


def parameters(mixture: GaussianMixture) -> list[torch.Tensor]:
    return [t.clone().requires_grad_() for t in (mixture.log_weights, mixture.means, mixture.sigmas)]


def test_the_dense_formula_is_the_oracle_too(diagonal, make_mixture, assert_matches):
    a, b = make_mixture(2, 3, 4, seed=1, diagonal=diagonal), make_mixture(3, 2, 4, seed=2, diagonal=diagonal)
    assert_matches(dense_log_kernel(a, b), reference.log_expected_likelihood_kernel(a, b))


@pytest.mark.parametrize("name", SIMILARITIES)
def test_second_derivatives_are_refused_or_right(name, diagonal, make_mixture):
    log_weights, means, sigmas = parameters(make_mixture(3, 2, 2, diagonal=diagonal, sigma=(0.3, 2.0)))

    def scores(mu: torch.Tensor) -> torch.Tensor:
        return similarity_scores(name, GaussianMixture(log_weights, mu, sigmas))

    if name.endswith("expected_likelihood"):
        with pytest.raises(NotImplementedError, match="create_graph: expected False"):
            torch.autograd.grad(scores(means).sum(), means, create_graph=True)
        with pytest.raises(NotImplementedError, match="expected a call outside of its transforms"):
            torch.func.jacrev(scores)(means.detach())
    else:
        assert torch.autograd.gradgradcheck(scores, means)


@pytest.mark.parametrize("tile", [1, 80, 1 << 20])  # one anchor a tile, a few, all
@pytest.mark.parametrize("two_batches", [False, True])
def test_tiles_change_neither_value_nor_gradient(tile, two_batches, diagonal, make_mixture, monkeypatch):
    """Of two batches, and of one with itself, where only the upper half is computed."""
    monkeypatch.setattr(gaussian_kernel, "TILE_ELEMENTS", tile)
    parts = parameters(make_mixture(5, 3, 4, seed=1, diagonal=diagonal))
    a = b = GaussianMixture(*parts)
    if two_batches:
        other = parameters(make_mixture(4, 2, 4, seed=2, diagonal=diagonal))
        b = GaussianMixture(*other)
        parts += other
    found = log_expected_likelihood_kernel(a, b if two_batches else None)
    expected = dense_log_kernel(a, b)
    assert torch.allclose(found, expected, rtol=1e-10)
    upstream = torch.randn(found.shape, dtype=torch.float64)  # not symmetric
    gradients = (torch.autograd.grad(kernel, parts, upstream) for kernel in (found, expected))
    for x, y in zip(*gradients, strict=True):
        assert torch.allclose(x, y, rtol=1e-8, atol=1e-10)


def test_a_batch_given_twice_is_the_batch_with_itself(diagonal, make_mixture):
    mixture = make_mixture(5, 3, 4, seed=1, diagonal=diagonal)
    once, twice = log_expected_likelihood_kernel(mixture), log_expected_likelihood_kernel(mixture, mixture)
    assert torch.allclose(once, twice, rtol=1e-12)


@pytest.mark.parametrize(("components", "dimensions"), [(4, 128), (10, 16), (2, 512)])
def test_float32_gradient(components, dimensions, diagonal, make_mixture):
    """The gradient that training sees, against float64 autograd: within 1e-4 of its largest entry."""
    mixture = make_mixture(4, components, dimensions, diagonal=diagonal)
    upstream = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    exact = parameters(mixture)
    expected = dense_log_kernel(GaussianMixture(*exact), GaussianMixture(*exact))
    single = parameters(mixture.to(torch.float32))
    found = log_expected_likelihood_kernel(GaussianMixture(*single))
    gradients = torch.autograd.grad(expected, exact, upstream)
    for x, y in zip(torch.autograd.grad(found, single, upstream.float()), gradients, strict=True):
        assert (x.double() - y).abs().max() <= 1e-4 * y.abs().max()


def test_gradient_reaches_every_parameter_at_the_floor_in_128_dimensions(make_mixture):
    """Where Sim itself is 0 in float32, log Sim still pulls (M10)."""
    parts = parameters(make_mixture(4, 3, 128, sigma=(0.05, 0.05), dtype=torch.float32))
    for name, alive in (("log_expected_likelihood", True), ("expected_likelihood", False)):
        scores = similarity_scores(name, GaussianMixture(*parts))
        gradient = torch.autograd.grad(scores[0, 1], parts[1])[0]
        assert bool(gradient.abs().max() > 1.0) is alive
        assert alive or gradient.abs().max() < 1e-12
