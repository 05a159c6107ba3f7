import pytest
import torch

from probmcl.loss import NLL_TARGETS, mixture_nll, view_targets
from probmcl.model import GaussianMixture
from probmcl_book import reference


def points(n: int, d: int, *, seed: int = 0) -> torch.Tensor:
    z = torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(z, dim=-1).double()


@pytest.mark.parametrize(("n", "components", "d"), [(2, 1, 1), (4, 3, 2), (2, 80, 512), (6, 5, 128)])
@pytest.mark.parametrize("per_dimension", [True, False])
def test_agrees_with_oracle(n, components, d, diagonal, per_dimension, dtype, make_mixture, assert_matches):
    mixture, z = make_mixture(n, components, d, diagonal=diagonal), points(n, d)
    found = mixture_nll(mixture.to(dtype), z.to(dtype), per_dimension=per_dimension)
    assert_matches(found, reference.mixture_nll(mixture, z, per_dimension))


def test_precision_of_the_input_is_kept(dtype, make_mixture):
    assert mixture_nll(make_mixture(2, 2, 3, dtype=dtype), points(2, 3).to(dtype)).dtype == dtype


@pytest.mark.parametrize("sigma", [1e-3, 0.05, 1e3])
def test_finite_where_a_density_over_or_underflows(sigma, diagonal, make_mixture):
    mixture = make_mixture(4, 80, 512, sigma=(sigma, sigma), diagonal=diagonal, dtype=torch.float32)
    means = mixture.means.requires_grad_()
    nll = mixture_nll(mixture, points(4, 512).float())
    nll.backward()
    assert torch.isfinite(nll)
    assert torch.isfinite(means.grad).all()


def test_gradcheck(diagonal, make_mixture):
    start = make_mixture(2, 2, 3, diagonal=diagonal, sigma=(0.3, 2.0))
    logits, means, sigmas = (t.requires_grad_() for t in (start.log_weights, start.means, start.sigmas))
    target = points(2, 3).requires_grad_()

    def loss(weights, mu, sigma, z):
        return mixture_nll(GaussianMixture(weights.log_softmax(-1), mu, sigma), z)

    assert torch.autograd.gradcheck(loss, (logits, means, sigmas, target))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_computed_in_float32(dtype, make_mixture):
    mixture, z = make_mixture(4, 3, 8, sigma=(0.3, 1.0)).to(dtype), points(4, 8).to(dtype)
    found = mixture_nll(mixture, z)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(mixture_nll(mixture.to(torch.float64), z.double()).item(), rel=1e-2)


def test_collapse_is_its_minimum(make_mixture):
    """The reason for its small weight: means on the target and sigma at the floor beat all else."""
    mixture, z = make_mixture(4, 3, 64), points(4, 64)
    means = z.unsqueeze(1).expand(4, 3, 64)
    collapsed = GaussianMixture(mixture.log_weights, means, torch.full((4, 3), 0.05).double())
    assert mixture_nll(collapsed, z) < -1.5
    assert mixture_nll(collapsed, z) < mixture_nll(mixture, z)


class TestViewTargets:
    @pytest.mark.parametrize("target", NLL_TARGETS)
    @pytest.mark.parametrize("n", [1, 3])
    def test_agrees_with_oracle(self, target, n):
        z = points(2 * n, 4)
        assert torch.equal(view_targets(z, target), reference.view_targets(z, target))

    @pytest.mark.parametrize("target", NLL_TARGETS)
    def test_stop_gradient_stops(self, target, make_mixture):
        z = points(4, 5).requires_grad_()
        assert not view_targets(z, target).requires_grad
        assert view_targets(z, target, stop_gradient=False).requires_grad
        mixture_nll(make_mixture(4, 3, 5), view_targets(z, target, stop_gradient=False)).backward()
        assert (z.grad.abs().sum(1) > 0).all()
