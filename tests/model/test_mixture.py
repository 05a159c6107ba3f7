import math

import pytest
import torch
from draws import normal

from probmcl.model import GaussianMixture
from probmcl_book import reference

SHAPES = [(2, 1, 1), (5, 4, 3), (2, 80, 512)]


class TestDensity:
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_log_prob_agrees_with_oracle(self, shape, dtype, diagonal, make_mixture, assert_matches):
        n, _, d = shape
        mixture, z = make_mixture(*shape, diagonal=diagonal), normal(n, d)
        found, z_found = mixture.to(dtype), z.to(dtype)
        assert_matches(found.log_prob(z_found), reference.log_prob(mixture, z))
        assert_matches(found.distribution().log_prob(z_found), reference.log_prob(mixture, z))

    def test_gradcheck(self, diagonal, make_mixture):
        start, z = make_mixture(2, 2, 3, diagonal=diagonal, sigma=(0.3, 2.0)), normal(2, 3)
        parts = [t.requires_grad_() for t in (start.log_weights, start.means, start.sigmas)]

        def quantities(logits, means, sigmas, at):
            mixture = GaussianMixture(logits.log_softmax(-1), means, sigmas)
            return mixture.log_prob(at), mixture.mean(), mixture.within_variance(), mixture.between_variance()

        assert torch.autograd.gradcheck(quantities, (*parts, z.requires_grad_()))


@pytest.mark.parametrize("sigma", [1.0, 0.01])
def test_half_precision_far_away_has_finite_gradients(sigma):
    """Points at 60,000, the end of float16: the slope at sigma 0.01 is 600 million."""
    tensors = torch.zeros(2, 1), torch.zeros(2, 1, 3), torch.full((2, 1), sigma), torch.full((2, 3), 6e4)
    leaves = [tensor.half().requires_grad_() for tensor in tensors]
    log_p = GaussianMixture(*leaves[:3]).log_prob(leaves[3])
    assert log_p.dtype == torch.float32
    for gradient in torch.autograd.grad(log_p.sum(), leaves):
        assert gradient.isfinite().all()


class TestMoments:
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_agree_with_oracle(self, shape, dtype, diagonal, make_mixture, assert_matches):
        mixture = make_mixture(*shape, diagonal=diagonal)
        found = mixture.to(dtype)
        assert_matches(found.mean(), reference.mixture_mean(mixture))
        assert_matches(found.within_variance(), reference.within_variance(mixture))
        assert_matches(found.between_variance(), reference.between_variance(mixture))

    def test_two_points_by_hand(self):
        means = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
        mixture = GaussianMixture(torch.full((1, 2), math.log(0.5)), means, torch.tensor([[1.0, 3.0]]))
        assert mixture.within_variance().item() == pytest.approx(2 * (1 + 9) / 2)
        assert mixture.between_variance().item() == pytest.approx(1)


class TestSample:
    def test_shape_seed_and_gradient(self, diagonal, make_mixture):
        mixture = make_mixture(3, 4, 5, diagonal=diagonal)
        mixture.means.requires_grad_()
        draws = [mixture.sample(7, generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
        assert draws[0].shape == (7, 3, 5)
        assert torch.equal(draws[0], draws[1])
        assert not torch.equal(draws[0], draws[2])
        assert not draws[0].requires_grad
        assert mixture.sample(1).shape == (1, 3, 5)

    def test_follows_the_weights(self):
        """Narrow components at -1 and 1: the share of draws near each is its weight."""
        weights = torch.tensor([[0.25, 0.75]])
        mixture = GaussianMixture(weights.log(), torch.tensor([[[-1.0], [1.0]]]), torch.full((1, 2), 0.05))
        z = mixture.sample(8000, generator=torch.Generator().manual_seed(0))
        assert (z < 0).float().mean().item() == pytest.approx(0.25, abs=5 * math.sqrt(0.25 * 0.75 / 8000))
        assert z[z > 0].std().item() == pytest.approx(0.05, rel=0.1)

    def test_follows_each_dimension_of_a_diagonal(self):
        sigmas = torch.tensor([[[0.1, 2.0]]])
        mixture = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), sigmas)
        z = mixture.sample(8000, generator=torch.Generator().manual_seed(0))[:, 0]
        assert torch.allclose(z.std(0), sigmas[0, 0], rtol=0.05)


class TestContainer:
    def test_indexing_and_joining_undo_each_other(self, diagonal, make_mixture):
        mixture = make_mixture(5, 3, 4, diagonal=diagonal)
        joined = GaussianMixture.cat([mixture[:2], mixture[2:]])
        assert len(joined) == 5
        assert (mixture.components, mixture.dimensions, mixture.isotropic) == (3, 4, not diagonal)
        for part in ("log_weights", "means", "sigmas"):
            assert torch.equal(getattr(joined, part), getattr(mixture, part))
            picked = getattr(mixture[torch.tensor([3, 0])], part)
            assert torch.equal(picked, getattr(mixture, part)[[3, 0]])

    def test_is_equal_to_itself_only(self, make_mixture):
        mixture = make_mixture(2, 3, 4)
        assert mixture == mixture
        assert mixture != make_mixture(2, 3, 4)

    def test_detach_and_to(self, make_mixture):
        mixture = make_mixture(2, 3, 4)
        mixture.means.requires_grad_()
        assert mixture.log_prob(torch.zeros(2, 4)).requires_grad
        assert not mixture.detach().log_prob(torch.zeros(2, 4)).requires_grad
        single = mixture.to(torch.float32)
        assert {single.log_weights.dtype, single.means.dtype, single.sigmas.dtype} == {torch.float32}
        assert mixture.to(torch.device("cpu")).means.device.type == "cpu"
