import math

import pytest
import torch

from probmcl.evaluate import ensemble_uncertainty, label_entropy, mixture_uncertainty
from probmcl.model import GaussianMixture


def entropy(*probabilities: float) -> float:
    return -sum(p * math.log(p) for p in probabilities if p > 0)


def test_the_moments_and_the_entropy_of_a_mixture_by_a_loop(make_mixture) -> None:
    mixture = make_mixture(3, 4, 5)
    found = mixture_uncertainty(mixture)
    for n in range(len(mixture)):
        weights = mixture.log_weights[n].double().exp().tolist()
        means, sigmas = mixture.means[n].double(), mixture.sigmas[n].double()
        mean = sum(w * mu for w, mu in zip(weights, means, strict=True))
        within = sum(w * 5 * float(s) ** 2 for w, s in zip(weights, sigmas, strict=True))
        between = sum(w * float((mu - mean).square().sum()) for w, mu in zip(weights, means, strict=True))
        assert found["within variance"][n].item() == pytest.approx(within)
        assert found["between variance"][n].item() == pytest.approx(between)
        assert found["weight entropy"][n].item() == pytest.approx(entropy(*weights), abs=1e-6)


def test_a_weight_of_zero_adds_nothing() -> None:
    one = GaussianMixture(torch.tensor([[0.0, -math.inf]]), torch.randn(1, 2, 3), torch.ones(1, 2))
    assert mixture_uncertainty(one)["weight entropy"].item() == 0


def test_label_entropy_is_that_of_a_coin() -> None:
    logits = torch.tensor([[-3.0, 0.0], [0.5, 8.0]])
    p = torch.sigmoid(logits.double())
    expected = [[entropy(v, 1 - v) for v in row] for row in p.tolist()]
    assert label_entropy(logits).tolist() == [pytest.approx(row) for row in expected]
    assert label_entropy(torch.tensor([-500.0, 40.0])).gt(0).tolist() == [True, True]  # 1 - p is 0 in float64


def test_an_ensembles_scores_by_a_loop() -> None:
    logits = 2 * torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(1))
    found = ensemble_uncertainty(logits)
    for n in range(3):
        for k in range(2):
            p = [1 / (1 + math.exp(-x)) for x in logits[:, n, k].tolist()]
            mean = sum(p) / 5
            doubts = sum(entropy(v, 1 - v) for v in p) / 5
            expected = {
                "ensemble's mutual information": entropy(mean, 1 - mean) - doubts,
                "ensemble's variance": sum((v - mean) ** 2 for v in p) / 5,
                "entropy of the ensemble's mean": entropy(mean, 1 - mean),
            }
            assert {name: score[n, k].item() for name, score in found.items()} == pytest.approx(expected)


def test_members_that_agree_have_nothing_to_tell() -> None:
    logits = torch.randn(1, 4, 3).expand(5, 4, 3)
    found = ensemble_uncertainty(logits)
    assert found["ensemble's mutual information"].max() < 1e-12
    assert found["ensemble's mutual information"].min() >= 0
    assert found["ensemble's variance"].max() < 1e-12
    torch.testing.assert_close(found["entropy of the ensemble's mean"], label_entropy(logits[0]))
