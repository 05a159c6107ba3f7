"""Tiles of anchors: they change neither the loss nor its gradient, and the gradient is the formula's."""

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from probmcl import loss
from probmcl.model import GaussianMixture, HeadOutput

CRITERIA = [
    loss.SupConLoss("weighted", empty="own_view"),
    loss.MulSupConLoss(),
    *map(loss.ProbMCLLoss, loss.SIMILARITIES),
]


def leaves_of(make_mixture, rows: int, *, diagonal: bool = False) -> list[torch.Tensor]:
    mixture = make_mixture(rows, 3, 4, sigma=(0.3, 2.0), diagonal=diagonal)
    z = torch.randn(rows, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return [t.requires_grad_() for t in (z, mixture.log_weights, mixture.means, mixture.sigmas)]


def total(criterion, leaves, labels):
    return criterion(HeadOutput(leaves[0], GaussianMixture(*leaves[1:])), labels)


def gradients(loss, leaves):
    return torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: getattr(c, "similarity", type(c).__name__))
@pytest.mark.parametrize("images", [1, 5])
def test_tiles_change_nothing(criterion, diagonal, images, make_mixture, make_labels, monkeypatch):
    leaves, labels = leaves_of(make_mixture, 2 * images, diagonal=diagonal), make_labels(images, 3)
    expected = total(criterion, leaves, labels)
    whole = gradients(expected, leaves)
    for anchors in (1, 3):  # a tile each; three, which do not divide ten
        monkeypatch.setattr(loss.anchor_sum, "TILE_ELEMENTS", 1)
        monkeypatch.setattr(loss.anchor_sum, "TILE_ANCHORS", anchors)
        found = total(criterion, leaves, labels)
        assert torch.allclose(found, expected, rtol=1e-12)
        for x, y in zip(gradients(3 * found, leaves), whole, strict=True):
            assert torch.allclose(x, 3 * y, rtol=1e-10, atol=1e-12)


def test_dense_logits_in_tiles(monkeypatch):
    logits = torch.randn(7, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = torch.rand(7, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    itself = torch.eye(7, dtype=torch.bool)
    shares = weights.masked_fill(itself, 0) / weights.masked_fill(itself, 0).sum(1, keepdim=True)
    expected = functional.cross_entropy(logits.masked_fill(itself, -1e9), shares)
    slope = (logits.masked_fill(itself, -1e9).softmax(1) - shares) / 7
    for anchors in (1, 2, 128):
        monkeypatch.setattr(loss.anchor_sum, "TILE_ELEMENTS", 1)
        monkeypatch.setattr(loss.anchor_sum, "TILE_ANCHORS", anchors)
        leaf = logits.clone().requires_grad_()
        found = loss.contrastive_loss(leaf, weights)
        found.backward()
        assert torch.allclose(found, expected, rtol=1e-12)
        assert torch.allclose(leaf.grad, slope, atol=1e-12)


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: getattr(c, "similarity", type(c).__name__))
class TestInputs:
    def test_memory_order_does_not_matter(self, criterion, make_mixture, make_labels):
        leaves, labels = leaves_of(make_mixture, 6), make_labels(3, 3)
        strided = [torch.stack([leaf, leaf], -1)[..., 0].detach().requires_grad_() for leaf in leaves]
        assert not any(leaf.is_contiguous() for leaf in strided)
        found, expected = total(criterion, strided, labels), total(criterion, leaves, labels)
        assert torch.allclose(found, expected, rtol=1e-12)
        for x, y in zip(gradients(found, strided), gradients(expected, leaves), strict=True):
            assert torch.allclose(x, y, rtol=1e-10, atol=1e-12)

    def test_inputs_that_need_no_gradient(self, criterion, make_mixture, make_labels):
        leaves, labels = leaves_of(make_mixture, 6), make_labels(3, 3)
        expected = total(criterion, leaves, labels)
        whole = gradients(expected, leaves)
        frozen = [leaf.detach() for leaf in leaves]
        assert not total(criterion, frozen, labels).requires_grad
        with torch.no_grad():
            assert torch.allclose(total(criterion, leaves, labels), expected, rtol=1e-12)
        for i, leaf in enumerate(leaves):
            if whole[i].any():
                some = [leaf if j == i else other for j, other in enumerate(frozen)]
                found = torch.autograd.grad(total(criterion, some, labels), leaf)[0]
                assert torch.allclose(found, whole[i], rtol=1e-10, atol=1e-12)

    def test_under_autocast_the_loss_stays_in_float32(self, criterion, make_mixture, make_labels):
        leaves = [leaf.detach().float().requires_grad_() for leaf in leaves_of(make_mixture, 16)]
        labels = make_labels(8, 3)
        expected = total(criterion, leaves, labels)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = total(criterion, leaves, labels)
        assert found.dtype == torch.float32
        assert torch.allclose(found, expected, rtol=1e-5)
        for x, y in zip(gradients(found, leaves), gradients(expected, leaves), strict=True):
            assert torch.allclose(x, y, rtol=1e-4, atol=1e-6)


class Largest(TorchDispatchMode):
    """Notes the largest tensor that any operation returns."""

    numel = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        found = function(*arguments, **(keywords or {}))
        for tensor in found if isinstance(found, tuple | list) else [found]:
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        return found


@pytest.mark.parametrize(
    ("criterion", "matrices"),
    [
        *((loss.SupConLoss(rule), 0) for rule in loss.RULES),
        (loss.MulSupConLoss(), 0),
        (loss.ProbMCLLoss("mean_cosine"), 0),
        (loss.ProbMCLLoss("log_bhattacharyya"), 0),
        (loss.ProbMCLLoss("log_expected_likelihood"), 1),
    ],
)
def test_memory_is_not_quadratic(criterion, matrices, make_mixture, make_labels, monkeypatch):
    """But for the one matrix of log kernels of the expected likelihood."""
    monkeypatch.setattr(loss.anchor_sum, "TILE_ELEMENTS", 1 << 11)
    monkeypatch.setattr(loss.anchor_sum, "TILE_ANCHORS", 4)
    monkeypatch.setattr(loss.gaussian_kernel, "TILE_ELEMENTS", 1 << 11)
    leaves, labels = leaves_of(make_mixture, 256), make_labels(128, 3)
    with Largest() as largest:
        total(criterion, leaves, labels).backward()
    assert largest.numel <= max(256**2 * matrices, 256 * 3 * 4)
