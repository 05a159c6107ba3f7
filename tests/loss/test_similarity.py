"""Similarities of mixtures against the loop oracle, against Monte-Carlo and quadrature, and at extremes."""

import math
from itertools import product

import pytest
import torch

from probmcl import loss
from probmcl.model import GaussianMixture
from probmcl_book import reference

SHAPES = [(2, 1, 1), (2, 3, 2), (5, 4, 16), (2, 3, 512), (3, 1, 128)]  # (N, K, D)


@pytest.fixture(scope="module", params=[*product(SHAPES, (False, True))], ids=str)
def case(request, make_mixture):
    """A mixture with the oracle's log K: computed once, compared in both dtypes."""
    shape, diagonal = request.param
    mixture = make_mixture(*shape, seed=sum(shape), diagonal=diagonal)
    return mixture, reference.log_expected_likelihood_kernel(mixture, mixture)


class TestAgainstOracle:
    def test_every_similarity(self, case, dtype, assert_matches):
        mixture, log_k = case
        found, half = mixture.to(dtype), log_k.diagonal() / 2
        expected = log_k - half.unsqueeze(1) - half
        assert_matches(loss.log_expected_likelihood_kernel(found), log_k)
        assert_matches(loss.log_expected_likelihood(found), expected, scale=log_k.abs().max())
        assert_matches(loss.log_bhattacharyya(found), reference.log_bhattacharyya(mixture))
        assert_matches(loss.mean_cosine(found), reference.mean_cosine(mixture))

    def test_every_similarity_of_two_batches(self, diagonal, dtype, make_mixture, assert_matches):
        a = make_mixture(3, 2, 3, seed=1, diagonal=diagonal)
        b = make_mixture(4, 2, 3, seed=2, diagonal=diagonal)
        scale = reference.log_expected_likelihood_kernel(a, b).abs().max()
        for name in loss.SIMILARITIES:
            found = loss.similarity_scores(name, a.to(dtype), b.to(dtype))
            assert_matches(found, reference.similarity_scores(name, a, b), scale=scale)
        found = loss.log_expected_likelihood_kernel(a.to(dtype), b.to(dtype))
        assert_matches(found, reference.log_expected_likelihood_kernel(a, b))

    def test_eighty_components_in_512_dimensions(self, diagonal, dtype, eighty, assert_matches):
        mixture, log_k, log_b = eighty[diagonal]
        a, b = mixture[:1].to(dtype), mixture[1:].to(dtype)
        assert_matches(loss.log_expected_likelihood_kernel(a, b), log_k)
        assert_matches(loss.log_bhattacharyya(a, b), log_b)

    def test_cosine_similarity(self, dtype, assert_matches):
        z = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)).double()
        assert_matches(loss.cosine_similarity(z.to(dtype)), reference.cosine_similarity(z))
        assert_matches(
            loss.cosine_similarity(z.to(dtype), z[:2].to(dtype)), reference.cosine_similarity(z, z[:2])
        )


@pytest.fixture(scope="module")
def eighty(make_mixture):
    """Two mixtures of 80 components, and log K and log BC of the pair: 6,400 terms of the oracle."""
    found = {}
    for diagonal in (False, True):
        mixture = make_mixture(2, 80, 512, seed=80, diagonal=diagonal)
        log_k = reference.log_expected_likelihood_kernel(mixture[:1], mixture[1:])
        found[diagonal] = (mixture, log_k, reference.log_bhattacharyya(mixture[:1], mixture[1:]))
    return found


def test_numbers_of_components_may_differ_for_the_expected_likelihood(make_mixture, assert_matches):
    a, b = make_mixture(2, 3, 4, seed=1), make_mixture(3, 5, 4, seed=2)
    assert_matches(loss.log_expected_likelihood(a, b), reference.log_expected_likelihood(a, b))


class TestThirdWays:
    def test_monte_carlo(self, diagonal, make_mixture):
        """K_ij = E_{z ~ p_i}[p_j(z)]: within five standard errors, the average taken in log space."""
        points = 10_000
        mixture = make_mixture(2, 4, 3, seed=5, diagonal=diagonal, sigma=(0.3, 1.5))
        z = mixture.sample(points, generator=torch.Generator().manual_seed(0))  # (S, N, D)
        density = mixture.distribution()
        for j in range(2):
            log_p = torch.stack([density.log_prob(z[:, i : i + 1])[:, j] for i in range(2)], 1)  # (S, N)
            log_mean = log_p.logsumexp(0) - math.log(points)
            relative = (log_p - log_mean).exp()  # mean 1: the delta method gives the error of the log
            error = relative.std(0) / math.sqrt(points)
            difference = (loss.log_expected_likelihood_kernel(mixture)[:, j] - log_mean).abs()
            assert (error < 0.04).all()
            assert (difference < 5 * error).all()

    def test_quadrature_in_one_dimension(self, make_mixture):
        """The integrals themselves, on a grid: K, and the bound that the matched similarity is."""
        mixture = make_mixture(3, 4, 1, seed=3, sigma=(0.1, 1.0))
        grid = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
        log_p = mixture.distribution().log_prob(grid.view(-1, 1, 1))  # (S, N)
        pairs = log_p.unsqueeze(2) + log_p.unsqueeze(1)  # (S, N, N)
        kernel = torch.trapezoid(pairs.exp(), grid, dim=0)
        assert torch.allclose(loss.log_expected_likelihood_kernel(mixture), kernel.log(), atol=1e-8)
        coefficient = torch.trapezoid((pairs / 2).exp(), grid, dim=0)
        matched = loss.similarity_scores("bhattacharyya", mixture)
        assert (matched <= coefficient + 1e-9).all()
        one = GaussianMixture(torch.zeros(3, 1).double(), mixture.means[:, :1], mixture.sigmas[:, :1])
        log_p = one.distribution().log_prob(grid.view(-1, 1, 1))
        coefficient = torch.trapezoid(((log_p.unsqueeze(2) + log_p.unsqueeze(1)) / 2).exp(), grid, dim=0)
        assert torch.allclose(loss.similarity_scores("bhattacharyya", one), coefficient, atol=1e-8)

    def test_two_gaussians_by_hand(self):
        """Equal sigma: log Sim = -|mu - nu|^2 / (4 sigma^2), log BC = -|mu - nu|^2 / (8 sigma^2)."""
        means = torch.tensor([[[0.0, 0.0]], [[3.0, 4.0]]])
        mixture = GaussianMixture(torch.zeros(2, 1), means, torch.full((2, 1), 2.0))
        assert loss.log_expected_likelihood(mixture)[0, 1].item() == pytest.approx(-25 / 16, rel=1e-5)
        assert loss.log_bhattacharyya(mixture)[0, 1].item() == pytest.approx(-25 / 32, rel=1e-5)


@pytest.mark.parametrize("name", loss.SIMILARITIES)
def test_symmetric_and_largest_with_itself(name, make_mixture):
    scores = loss.similarity_scores(name, make_mixture(6, 3, 4, seed=1))
    top = 0.0 if name.startswith("log_") else 1.0
    assert torch.allclose(scores, scores.T, atol=1e-12)
    assert torch.allclose(scores.diagonal(), torch.full_like(scores.diagonal(), top), atol=1e-12)
    assert (scores <= top + 1e-12).all()


def on_an_arc(dimensions: int, sigma: float, diagonal: bool, dtype: torch.dtype) -> GaussianMixture:
    """Single Gaussians whose means move away from the first along a great circle."""
    generator = torch.Generator().manual_seed(dimensions)
    basis = torch.linalg.qr(torch.randn(dimensions, 2, generator=generator, dtype=torch.float64)).Q
    angles = torch.tensor([0, 0.1, 0.2, 0.5, 1, 2, 3], dtype=torch.float64)
    means = torch.stack([angles.cos(), angles.sin()], 1) @ basis.T
    shape = (7, 1, dimensions) if diagonal else (7, 1)
    sigmas = torch.full(shape, sigma, dtype=torch.float64)
    return GaussianMixture(torch.zeros(7, 1), means.unsqueeze(1), sigmas).to(dtype)


class TestExtremeSigmas:
    @pytest.mark.parametrize("sigma", [1e-3, 1e-2, 0.05, 1.0, 1e2, 1e3])
    @pytest.mark.parametrize("dimensions", [2, 128, 512])
    @pytest.mark.parametrize("similarity", [loss.log_expected_likelihood, loss.log_bhattacharyya])
    def test_finite_and_ordered(self, similarity, dimensions, sigma, diagonal):
        for dtype in (torch.float64, torch.float32):
            scores = similarity(on_an_arc(dimensions, sigma, diagonal, dtype))
            assert torch.isfinite(scores).all()
            assert torch.allclose(scores.diagonal(), torch.zeros_like(scores.diagonal()), atol=1e-6)
            steps = scores[0].diff()
            resolved = dtype == torch.float64 or sigma <= 1  # float32: wide Gaussians look all alike
            assert (steps < 0).all() if resolved else (steps <= 1e-6).all()

    @pytest.mark.parametrize("sigma", [(1e-3, 1e3), (1e-3, 1e-3), (1e3, 1e3)], ids=str)
    def test_mixtures_finite_with_a_finite_gradient(self, sigma, diagonal, make_mixture):
        start = make_mixture(3, 8, 128, sigma=sigma, diagonal=diagonal, dtype=torch.float32)
        parts = [t.requires_grad_() for t in (start.log_weights, start.means, start.sigmas)]
        for similarity in (loss.log_expected_likelihood, loss.log_bhattacharyya):
            scores = similarity(GaussianMixture(*parts))
            assert torch.isfinite(scores).all()
            gradients = torch.autograd.grad(scores.sum(), parts)
            assert all(torch.isfinite(gradient).all() for gradient in gradients)

    @pytest.mark.parametrize("sigma", [1e-3, 1e-2])
    def test_float32_error_below_the_usual_sigmas(self, sigma, diagonal, make_mixture):
        """Distances of unit means carry an error of a few 1e-7, which 1 / (4 sigma^2) magnifies."""
        mixture = make_mixture(4, 10, 128, sigma=(sigma, sigma), diagonal=diagonal)
        found = loss.log_expected_likelihood(mixture.to(torch.float32)).double()
        expected = loss.log_expected_likelihood(mixture)
        assert ((found - expected).abs() < 3e-7 / sigma**2 + 1e-5 * expected.abs()).all()


def test_zero_embedding_has_a_finite_cosine():
    assert torch.isfinite(loss.cosine_similarity(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))).all()
