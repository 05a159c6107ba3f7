import math

import pytest
import torch
from draws import normal
from torch import nn
from torch.nn import functional

from probmcl.model import MixtureClassifier, MixtureDensityHead, ProjectionHead

SMALL = {"trunk": (16, 6)}


def features(n: int = 5) -> torch.Tensor:
    return normal(n, 8).float()


@pytest.fixture(params=["isotropic", "diagonal"])
def covariance(request):
    return request.param


class TestShapes:
    @pytest.mark.parametrize(("n", "components", "trunk"), [(1, 1, (4,)), (2, 80, (8, 8, 8))])
    def test_of_every_part(self, n, components, trunk, covariance):
        output = MixtureDensityHead(8, components, trunk=trunk, covariance=covariance)(features(n))
        d = trunk[-1]
        assert output.embedding.shape == (n, d)
        assert output.mixture.log_weights.shape == (n, components)
        assert output.mixture.means.shape == (n, components, d)
        assert output.mixture.isotropic is (covariance == "isotropic")
        assert output.mixture.log_prob(output.embedding).shape == (n,)

    def test_default_trunk_of_the_ledger(self):
        linear = [m for m in MixtureDensityHead(32, 4).trunk if isinstance(m, nn.Linear)]
        assert [layer.out_features for layer in linear] == [2048, 128]


class TestRanges:
    def test_affine_means_when_switched_off(self):
        output = MixtureDensityHead(8, 3, unit_means=False, **SMALL)(features())
        assert (output.mixture.means.norm(dim=-1) - 1).abs().max() > 0.1

    @pytest.mark.parametrize("floor", [0.05, 0.5])
    def test_sigma_is_elu_plus_one_plus_floor(self, floor, covariance):
        """M4: ELU(a) + 1 + floor, so the floor far below, 1 + floor at a = 0 and linear above."""
        head = MixtureDensityHead(8, 3, covariance=covariance, sigma_floor=floor, **SMALL)
        nn.init.zeros_(head.sigma.weight)
        for activation in (-200.0, -2.0, 0.0, 3.0):
            nn.init.constant_(head.sigma.bias, activation)
            expected = (activation if activation > 0 else math.exp(activation) - 1) + 1 + floor
            assert torch.allclose(head(features()).mixture.sigmas, torch.tensor(expected))

    @pytest.mark.parametrize("scale", [0.0, 1e-20, 1e20])
    def test_finite_for_extreme_features(self, scale, covariance):
        output = MixtureDensityHead(8, 3, covariance=covariance, **SMALL)(scale * features())
        assert torch.isfinite(output.mixture.log_prob(output.embedding)).all()


class TestFormula:
    def test_written_out(self, covariance):
        """sqrt(F) h/|h| -> trunk -> t; z = t/|t|; mu, sigma and pi affine in t (M2 to M6)."""
        head = MixtureDensityHead(8, 3, covariance=covariance, **SMALL)
        h = features()
        first, second = (m for m in head.trunk if isinstance(m, nn.Linear))
        t = second(first(8**0.5 * h / h.norm(dim=-1, keepdim=True)).clamp(min=0))
        output = head(h)
        assert torch.allclose(output.embedding, t / t.norm(dim=-1, keepdim=True), atol=1e-6)
        assert torch.allclose(output.mixture.log_weights, head.pi(t).log_softmax(-1), atol=1e-6)
        means = torch.stack(head.mu(t).chunk(3, dim=-1), 1)  # component after component
        expected = functional.normalize(means, dim=-1)
        assert torch.allclose(output.mixture.means, expected, atol=1e-6)
        sigmas = functional.elu(head.sigma(t)) + 1.05
        expected = sigmas if covariance == "isotropic" else torch.stack(sigmas.chunk(3, dim=-1), 1)
        assert torch.allclose(output.mixture.sigmas, expected, atol=1e-6)

    def test_trunk_switch(self):
        """M3: without the activation the trunk is one linear map."""
        for activation, linear in ((False, True), (True, False)):
            trunk, x = MixtureDensityHead(8, 3, activation=activation, **SMALL).trunk, features()
            both, apart = trunk(x + x.flip(0)) + trunk(0 * x), trunk(x) + trunk(x.flip(0))
            assert torch.allclose(both, apart, atol=1e-5) is linear


@pytest.mark.parametrize("first", [0.0, -200.0])  # of sigma's bias: -200 is its floor
def test_gradients_reach_every_parameter_and_are_finite_at_the_floor_of_sigma(first, covariance):
    head = MixtureDensityHead(8, 3, covariance=covariance, **SMALL)
    nn.init.constant_(head.sigma.bias, first)
    output = head(features())
    output.mixture.log_prob(output.embedding).sum().backward()
    assert all(p.grad.isfinite().all() for p in head.parameters())
    assert first or all(p.grad.abs().sum() > 0 for p in head.parameters())


def test_mixed_precision_ends_before_the_mixture(device):
    head = MixtureDensityHead(8, 3, **SMALL).to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        mixture = head(features().to(device)).mixture
    assert mixture.means.dtype == mixture.sigmas.dtype == mixture.log_weights.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_features_of_zeros_are_finite_in_half_precision(dtype):
    features = torch.stack([torch.zeros(8), torch.ones(8)]).to(dtype)
    embedding = ProjectionHead(8, (4,)).to(dtype)(features).embedding
    assert torch.isfinite(embedding).all()
    assert embedding.dtype == dtype


def test_different_features_start_with_different_embeddings():
    """Beside default biases, entries of size 1/sqrt(F) would give every image almost the same embedding."""
    torch.manual_seed(0)
    features = torch.randn(64, 128).clamp(min=0)  # as after a ReLU
    for head in (MixtureDensityHead(128, 10, trunk=(256, 64)), ProjectionHead(128, (256, 64))):
        embedding = head(features).embedding
        cosine = (embedding @ embedding.T).fill_diagonal_(0).sum() / (64 * 63)
        assert cosine < 0.9


def test_sigmoid_weights_are_a_classifier_as_well():
    torch.manual_seed(0)
    head = MixtureDensityHead(8, 3, weights="sigmoid", **SMALL)
    output = head(features())
    probabilities = output.logits.sigmoid()
    scaled = probabilities / probabilities.sum(-1, keepdim=True)
    assert torch.allclose(output.mixture.log_weights.exp(), scaled, atol=1e-6)
    assert MixtureDensityHead(8, 3, **SMALL)(features()).logits is None


def test_the_classifier_inside_a_head_shares_its_weights():
    head = MixtureDensityHead(8, 3, weights="sigmoid", **SMALL)
    classifier = MixtureClassifier(head)
    assert torch.equal(classifier(features()), head(features()).logits)
    assert {id(p) for p in classifier.parameters()} == {id(p) for p in head.parameters()}


@pytest.mark.parametrize("first", [0.31, 0.4, 2.0])
def test_sigmas_begin_where_they_are_told(first, covariance):
    options = {"covariance": covariance, "sigma_floor": 0.3, **SMALL}
    torch.manual_seed(0)
    usual = MixtureDensityHead(8, 3, **options)
    torch.manual_seed(0)
    head = MixtureDensityHead(8, 3, first_sigma=first, **options)
    assert torch.allclose(head.sigma.weight, 0.1 * usual.sigma.weight)
    assert torch.equal(head.pi.weight, usual.pi.weight)  # no random number more or less
    nn.init.zeros_(head.sigma.weight)
    assert torch.allclose(head(features()).mixture.sigmas, torch.tensor(first))
    with pytest.raises(ValueError, match="first_sigma: expected a number in"):
        MixtureDensityHead(8, 3, first_sigma=0.3, **options)


@pytest.mark.parametrize("widths", [(4,), (16, 6), (8, 8, 3)])
def test_a_projection_has_unit_embeddings_and_no_mixture(widths):
    output = ProjectionHead(8, widths)(features())
    assert output.mixture is None
    assert output.embedding.shape == (5, widths[-1])
    assert torch.allclose(output.embedding.norm(dim=-1), torch.ones(5), atol=1e-5)


@pytest.mark.parametrize("activation", [True, False])
def test_a_projection_is_the_mixture_density_head_without_its_mixture(activation):
    """The ablation asks one question only: both heads share the trunk, its widths and its start."""
    torch.manual_seed(0)
    plain = ProjectionHead(8, (16, 6), activation=activation)
    torch.manual_seed(0)
    mixture = MixtureDensityHead(8, 3, trunk=(16, 6), activation=activation)
    assert torch.equal(plain(features()).embedding, mixture(features()).embedding)
    assert sum(isinstance(m, nn.ReLU) for m in plain.modules()) == int(activation)
