import pytest
import torch
from draws import normal
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from probmcl.loss import AsymmetricLoss, asymmetric_loss
from probmcl_book import reference


@pytest.mark.parametrize(
    ("gamma_positive", "gamma_negative", "margin"),
    [(0, 4, 0.05), (0, 0, 0), (1, 4, 0.05), (2, 2, 0), (0.5, 0.5, 0.2), (0, 0, 0.9), (3, 1, 0)],
)
@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (7, 80)])
def test_agrees_with_oracle(n, k, gamma_positive, gamma_negative, margin, dtype, make_labels, assert_matches):
    logits, labels = 3 * normal(n, k), make_labels(n, k, empty=n // 2)
    arguments = {"gamma_positive": gamma_positive, "gamma_negative": gamma_negative, "margin": margin}
    expected = reference.asymmetric_loss(logits, labels, **arguments)
    assert_matches(asymmetric_loss(logits.to(dtype), labels, **arguments), expected)
    assert_matches(AsymmetricLoss(**arguments)(logits.to(dtype), labels), expected)


class TestOtherImplementations:
    @pytest.mark.parametrize("scale", [1.0, 30.0])
    def test_binary_cross_entropy(self, scale, make_labels):
        logits, labels = scale * normal(6, 5), make_labels(6, 5)
        found = asymmetric_loss(logits, labels, gamma_positive=0, gamma_negative=0, margin=0)
        expected = functional.binary_cross_entropy_with_logits(logits, labels.double())
        assert found.item() == pytest.approx(expected.item(), rel=1e-12)

    @pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 4.0])
    def test_focal_loss(self, gamma, make_labels):
        logits, labels = 3 * normal(6, 5), make_labels(6, 5)
        found = asymmetric_loss(logits, labels, gamma_positive=gamma, gamma_negative=gamma, margin=0)
        expected = sigmoid_focal_loss(logits, labels.double(), alpha=-1, gamma=gamma, reduction="mean")
        assert found.item() == pytest.approx(expected.item(), rel=1e-12)


def test_a_negative_below_the_margin_costs_nothing():
    logits = torch.tensor([[-6.0, -3.0]], requires_grad=True)  # p = 0.002 and 0.047
    loss = asymmetric_loss(logits, torch.zeros(1, 2), margin=0.05)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-12)
    assert not logits.grad.any()


class TestRobustness:
    @pytest.mark.parametrize("gammas", [(0.0, 4.0), (0.5, 0.5), (0.0, 0.0)])
    @pytest.mark.parametrize("margin", [0.0, 0.05])
    def test_extreme_logits(self, dtype, gammas, margin):
        logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], dtype=dtype, requires_grad=True)
        labels = torch.tensor([[1, 0, 1], [1, 0, 0]])
        loss = AsymmetricLoss(*gammas, margin)(logits, labels)
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(logits.grad).all()
        assert loss > 1e4 / 6 - 1  # the wrong positive alone costs that

    def test_works_under_no_grad_and_leaves_it_so(self, make_labels):
        with torch.no_grad():
            loss = asymmetric_loss(normal(3, 2).requires_grad_(), make_labels(3, 2))
            assert not torch.is_grad_enabled()
        assert not loss.requires_grad
