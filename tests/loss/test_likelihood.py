import pytest
import torch
from draws import unit

from probmcl.loss import NLL_TARGETS, mixture_nll, view_targets
from probmcl_book import reference


@pytest.mark.parametrize(("n", "components", "d"), [(2, 1, 1), (4, 3, 2), (2, 80, 512), (6, 5, 128)])
@pytest.mark.parametrize("per_dimension", [True, False])
def test_agrees_with_oracle(n, components, d, diagonal, per_dimension, dtype, make_mixture, assert_matches):
    mixture, z = make_mixture(n, components, d, diagonal=diagonal), unit(n, d)
    found = mixture_nll(mixture.to(dtype), z.to(dtype), per_dimension=per_dimension)
    assert_matches(found, reference.mixture_nll(mixture, z, per_dimension))


@pytest.mark.parametrize("sigma", [1e-3, 0.05, 1e3])
def test_finite_where_a_density_over_or_underflows(sigma, diagonal, make_mixture):
    mixture = make_mixture(4, 80, 512, sigma=(sigma, sigma), diagonal=diagonal, dtype=torch.float32)
    means = mixture.means.requires_grad_()
    nll = mixture_nll(mixture, unit(4, 512).float())
    nll.backward()
    assert torch.isfinite(nll)
    assert torch.isfinite(means.grad).all()


@pytest.mark.parametrize("target", NLL_TARGETS)
@pytest.mark.parametrize("n", [1, 3])
def test_view_targets_agree_with_the_oracle_and_stop_the_gradient(target, n):
    z = unit(2 * n, 4).requires_grad_()
    found = view_targets(z, target)
    assert torch.equal(found, reference.view_targets(z, target))
    assert not found.requires_grad
    assert view_targets(z, target, stop_gradient=False).requires_grad
