import math

import pytest
import torch
from draws import unit

from probmcl import loss
from probmcl.model import GaussianMixture
from probmcl_book import reference


@pytest.mark.parametrize(("n", "k", "d", "empty"), [(2, 1, 1, 0), (7, 4, 3, 2), (6, 12, 20, 1)])
def test_agrees_with_the_oracle(n, k, d, empty, diagonal, dtype, make_mixture, make_labels, assert_matches):
    mixture = make_mixture(n, k, d, sigma=(0.2, 2.0), diagonal=diagonal)
    labels, z = make_labels(n, k, seed=3, empty=empty), unit(n, d)
    for temperature in (0.17, 1.0):
        found = loss.kmcl_contrastive_loss(mixture.to(dtype), labels, temperature=temperature)
        expected = reference.kmcl_contrastive_loss(mixture, labels, temperature=temperature)
        assert found.dtype == dtype
        assert_matches(found, expected)
    found = loss.kmcl_reconstruction_loss(mixture.to(dtype), z.to(dtype), labels)
    assert_matches(found, reference.kmcl_reconstruction_loss(mixture, z, labels))


class TestCorrections:
    def test_the_jaccard_weight_stands_outside_the_logarithm(self):
        """Three equal kernels of one shared class: log 2 a pair, times 1, 1/2 and 1/2, 1/2 and 1, 1/2."""
        mixture = GaussianMixture(torch.zeros(3, 2), torch.zeros(3, 2, 4), torch.ones(3, 2))
        found = loss.kmcl_contrastive_loss(mixture, torch.tensor([[1, 0], [1, 1], [1, 0]]))
        assert found.item() == pytest.approx(2 / 3 * math.log(2))

    def test_an_isotropic_kernel_written_as_a_diagonal_one_is_the_same(self, make_mixture, make_labels):
        """A coefficient raised to the power D would be far from it."""
        mixture, labels = make_mixture(6, 3, 32, sigma=(0.3, 0.6)), make_labels(6, 3)
        sigmas = mixture.sigmas.unsqueeze(-1).expand(6, 3, 32)
        diagonal = GaussianMixture(mixture.log_weights, mixture.means, sigmas)
        found = loss.kmcl_contrastive_loss(diagonal, labels)
        assert found.item() == pytest.approx(loss.kmcl_contrastive_loss(mixture, labels).item(), rel=1e-9)


class TestReconstruction:
    def test_by_hand(self):
        """Kernels of size 1 and e^-2 at the point, equal weights: the first has 1/(1 + e^-2)."""
        mixture = GaussianMixture(torch.zeros(2, 2), torch.tensor([[[0.0], [2.0]]] * 2), torch.ones(2, 2))
        found = loss.kmcl_reconstruction_loss(mixture, torch.zeros(2, 1), torch.tensor([[1, 0], [0, 1]]))
        first, second = (1 + torch.tensor([-2.0, 2.0]).exp()).log()
        assert found.item() == pytest.approx(((first + second) / 2).item())

    def test_all_classes_explain_everything(self, make_mixture):
        assert loss.kmcl_reconstruction_loss(make_mixture(3, 4, 2), unit(3, 2), torch.ones(3, 4)).item() == 0

    def test_finite_where_every_kernel_underflows(self, make_mixture):
        mixture = make_mixture(4, 3, 128, sigma=(0.05, 0.06), dtype=torch.float32)
        labels = torch.tensor([[1, 0, 0]] * 4)
        distances = (unit(4, 128).unsqueeze(1) - mixture.means).square().sum(-1)
        assert (distances / -0.007).float().exp().max() == 0
        assert torch.isfinite(loss.kmcl_reconstruction_loss(mixture, unit(4, 128).float(), labels))


def test_total_is_the_weighted_sum_of_its_parts(make_output, make_labels):
    output, labels = make_output(8), make_labels(4, 3, empty=1)
    found = loss.KMCLLoss(temperature=0.3, contrastive_weight=2.0, reconstruction_weight=0.5).in_parts(
        output, labels
    )
    rows = loss.two_view_labels(labels)[0]
    contrastive = reference.kmcl_contrastive_loss(output.mixture, rows, temperature=0.3)
    reconstruction = reference.kmcl_reconstruction_loss(output.mixture, output.embedding, rows)
    expected = 2 * contrastive + 0.5 * reconstruction + loss.asymmetric_loss(output.logits, rows)
    assert found.total.item() == pytest.approx(expected.item())
    assert set(found.parts) == {"contrastive", "reconstruction", "asymmetric"}


def test_classes_one_at_a_time_are_the_same(diagonal, make_mixture, make_labels, monkeypatch):
    mixture, labels = make_mixture(9, 5, 3, sigma=(0.2, 2.0), diagonal=diagonal), make_labels(9, 5)
    expected = loss.kmcl_contrastive_loss(mixture, labels)
    monkeypatch.setattr(loss.kmcl, "TILE_ELEMENTS", 1)
    assert torch.allclose(loss.kmcl_contrastive_loss(mixture, labels), expected, rtol=1e-12)


def test_without_positives_the_other_terms_are_left(make_mixture):
    mixture = make_mixture(3, 3, 2)
    mixture.means.requires_grad_()
    for labels in (torch.eye(3), torch.zeros(3, 3)):
        with pytest.warns(loss.NoPositivesWarning):
            total = loss.kmcl_contrastive_loss(mixture, labels)
        assert total == 0
        assert torch.equal(torch.autograd.grad(total, mixture.means)[0], torch.zeros(3, 3, 2))
    assert loss.kmcl_reconstruction_loss(mixture, unit(3, 2), torch.zeros(3, 3)) == 0
