import warnings

import numpy as np
import pytest
import torch
from draws import normal, unit
from pytorch_metric_learning.losses import SupConLoss as LibrarySupConLoss

from probmcl import loss
from probmcl_book import reference


def random_weights(n: int, *, without: int = 0) -> torch.Tensor:
    """Non-negative weights, not symmetric; the first ``without`` rows have no positive."""
    generator = torch.Generator().manual_seed(n)
    weights = torch.rand(n, n, generator=generator) * (torch.rand(n, n, generator=generator) < 0.5)
    weights[:without] = 0
    weights[without:, -2:] += 0.1
    return weights.fill_diagonal_(0).double()


@pytest.mark.parametrize("no_positives", ["skip", "zero"])
class TestAgainstOracle:
    @pytest.mark.parametrize(("n", "without"), [(2, 0), (2, 1), (5, 0), (8, 6), (12, 3)])
    def test_any_weights(self, n, without, no_positives, dtype, assert_matches):
        logits, weights = 4 * normal(n, n), random_weights(n, without=without)
        found = loss.contrastive_loss(logits.to(dtype), weights.to(dtype), no_positives=no_positives)
        assert_matches(found, reference.contrastive_loss(logits, weights, no_positives=no_positives))

    def test_diagonals_are_ignored(self, no_positives, dtype, assert_matches):
        logits, weights = 4 * normal(5, 5), random_weights(5, without=1) + torch.eye(5)
        found = loss.contrastive_loss(logits.to(dtype), weights.to(dtype), no_positives=no_positives)
        assert_matches(found, reference.contrastive_loss(logits, weights, no_positives=no_positives))
        assert weights.diagonal().all()  # and left as they are


@pytest.mark.parametrize(("n", "k", "empty"), [(2, 1, 0), (6, 4, 1), (10, 20, 3)])
def test_mulsupcon_against_oracle(n, k, empty, dtype, make_labels, assert_matches):
    labels, logits = make_labels(n, k, seed=4, empty=empty), 4 * normal(n, n)
    assert_matches(loss.mulsupcon_loss(logits.to(dtype), labels), reference.mulsupcon_loss(logits, labels))


class TestOtherImplementations:
    @pytest.mark.parametrize("threshold", [0.3, 0.5, 1.0])
    def test_pytorch_metric_learning(self, threshold, make_labels):
        """SupConLoss(indices_tuple=...) averages the anchors whose loss is above 0: our "skip"."""
        labels, z = make_labels(16, 4, seed=5), unit(16, 8)
        positives = loss.positive_set(labels, threshold=threshold)
        negatives = ~positives & ~torch.eye(16, dtype=torch.bool)
        pairs = (*positives.nonzero(as_tuple=True), *negatives.nonzero(as_tuple=True))
        expected = LibrarySupConLoss(temperature=0.1)(z, indices_tuple=pairs)
        found = loss.contrastive_loss(loss.cosine_similarity(z) / 0.1, positives.double())
        assert found.item() == pytest.approx(expected.item(), rel=1e-10)

    def test_supcontrast_and_pytorch_metric_learning_average_differently(self):
        """Eight anchors, six without positives: one averages over eight, the other over two."""
        z = unit(8, 4, seed=1)
        positives = torch.zeros(8, 8, dtype=torch.bool)
        positives[0, 1] = positives[1, 0] = True
        logits = loss.cosine_similarity(z) / 0.5
        negatives = ~positives & ~torch.eye(8, dtype=torch.bool)
        pairs = (*positives.nonzero(as_tuple=True), *negatives.nonzero(as_tuple=True))
        library = LibrarySupConLoss(temperature=0.5)(z, indices_tuple=pairs)
        skip = loss.contrastive_loss(logits, positives.double(), no_positives="skip")
        zero = loss.contrastive_loss(logits, positives.double(), no_positives="zero")
        assert skip.item() == pytest.approx(library.item(), rel=1e-10)
        assert zero.item() == pytest.approx(supcontrast(logits.numpy(), positives.numpy()), rel=1e-10)
        assert skip.item() == pytest.approx(4 * zero.item(), rel=1e-10)

    def test_single_label_supcon(self):
        """One label an image: the loss of Khosla et al. (2020)."""
        z, classes = unit(10, 6), torch.tensor([0, 0, 1, 1, 2, 2, 2, 0, 1, 3])
        labels = torch.nn.functional.one_hot(classes)
        for rule in loss.RULES:
            found = loss.contrastive_loss(
                loss.cosine_similarity(z) / 0.2, loss.positive_weights(labels, rule)
            )
            assert found.item() == pytest.approx(reference.supcon_loss(z, classes, 0.2).item(), rel=1e-6)
        library = LibrarySupConLoss(temperature=0.2)(z, classes)
        assert reference.supcon_loss(z, classes, 0.2).item() == pytest.approx(library.item(), rel=1e-10)


def supcontrast(logits: np.ndarray, mask: np.ndarray) -> float:
    """What SupContrast's code computes from a mask: anchors without positives enter the mean as zeros."""
    others = 1 - np.eye(len(logits))
    log_prob = logits - np.log((np.exp(logits) * others).sum(1, keepdims=True))
    count = np.where(mask.sum(1) == 0, 1, mask.sum(1))
    return float(-((mask * log_prob).sum(1) / count).mean())


class TestByHand:
    logits = torch.tensor([[9.0, 1.0, 2.0], [0.0, 9.0, 3.0], [1.0, 1.0, 9.0]], dtype=torch.float64)
    # log softmax over the two others: log 1/(1 + e^d) with d the other logit minus this one
    l01, l02 = -np.log1p(np.e), -np.log1p(1 / np.e)
    l10, l12 = -np.log1p(np.e**3), -np.log1p(np.e**-3)
    l20 = l21 = -np.log(2)

    def test_weights(self):
        weights = torch.tensor([[0.0, 1, 0], [0, 0, 0], [3, 1, 0]])
        skip, zero = (-(self.l01 + (3 * self.l20 + self.l21) / 4) / n for n in (2, 3))
        assert loss.contrastive_loss(self.logits, weights).item() == pytest.approx(skip)
        assert loss.contrastive_loss(self.logits, weights, no_positives="zero").item() == pytest.approx(zero)

    def test_mulsupcon_is_not_the_row_normalised_mean(self):
        """Rows {a, b}, {a}, {b}: the first has two terms of four, not one of three."""
        labels = torch.tensor([[1, 1], [1, 0], [0, 1]])
        by_label = -(self.l01 + self.l02 + self.l10 + self.l20) / 4
        by_row = -((self.l01 + self.l02) / 2 + self.l10 + self.l20) / 3
        assert loss.mulsupcon_loss(self.logits, labels).item() == pytest.approx(by_label)
        assert loss.contrastive_loss(
            self.logits, loss.positive_weights(labels, "any")
        ).item() == pytest.approx(by_row)
        assert abs(by_label - by_row) > 0.05

    def test_mulsupcon_leaves_out_labels_that_occur_once(self):
        labels = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1]])
        expected = -(self.l01 + self.l10) / 2
        assert loss.mulsupcon_loss(self.logits, labels).item() == pytest.approx(expected)


class TestGradients:
    def test_extreme_logits(self, dtype, make_labels):
        signs = torch.randint(0, 2, (6, 6), generator=torch.Generator().manual_seed(0)) * 2 - 1
        for compute in (
            lambda s: loss.contrastive_loss(s, random_weights(6, without=1)),
            lambda s: loss.mulsupcon_loss(s, make_labels(6, 3)),
        ):
            logits = (1e4 * signs.to(dtype)).requires_grad_()
            value = compute(logits)
            value.backward()
            assert torch.isfinite(value)
            assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    "compute",
    [
        lambda s: loss.contrastive_loss(s, torch.zeros_like(s)),
        lambda s: loss.contrastive_loss(s, torch.zeros_like(s), no_positives="zero"),
        lambda s: loss.contrastive_loss(s, torch.eye(len(s))),  # only itself
        lambda s: loss.mulsupcon_loss(s, torch.eye(len(s))),  # no label occurs twice
        lambda s: loss.mulsupcon_loss(s, torch.zeros(len(s), 2)),
    ],
)
@pytest.mark.parametrize("n", [1, 4])
def test_no_positive_at_all(compute, n):
    """The loss is 0 with a zero gradient, and every such batch is counted and warned about."""
    logits = normal(n, n).requires_grad_()
    before = loss.NoPositivesWarning.batches
    with pytest.warns(loss.NoPositivesWarning, match="no anchor of this batch has a positive"):
        value = compute(logits)
    value.backward()
    assert value.item() == 0
    assert not logits.grad.any()
    assert loss.NoPositivesWarning.batches == before + 1


def test_one_anchor_with_a_positive_does_not_warn():
    before = loss.NoPositivesWarning.batches
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss.contrastive_loss(4 * normal(4, 4), random_weights(4, without=3))
    assert loss.NoPositivesWarning.batches == before
