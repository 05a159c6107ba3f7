"""What the loss is measured against: the obvious code in PyTorch, and other libraries."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from probmcl.loss import positive_set
from probmcl.model import GaussianMixture


def gram_log_expected_likelihood(mixture: GaussianMixture) -> Tensor:
    """The log of the normalised expected likelihood through a Gram matrix, and tensors (N, K, N, K).

    >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
    >>> gram_log_expected_likelihood(mixture)[0, 1]
    tensor(-0.5000)
    """
    n, k, _ = mixture.means.shape
    means = mixture.means.flatten(0, 1)  # (N K, D)
    squares = means.square().sum(1)
    distance = (squares.unsqueeze(1) + squares - 2 * means @ means.T).clamp(min=0)
    return _from_distances(mixture, distance.view(n, k, n, k))


def broadcast_log_expected_likelihood(mixture: GaussianMixture) -> Tensor:
    """The same as the formula is written, through tensors (N, K, N, K, D)."""
    offset = mixture.means[:, :, None, None] - mixture.means
    return _from_distances(mixture, offset.square().sum(-1))


def _from_distances(mixture: GaussianMixture, distance: Tensor) -> Tensor:
    variance = mixture.sigmas.square()[:, :, None, None] + mixture.sigmas.square()  # (N, K, N, K)
    exponents = distance / variance + mixture.dimensions * (variance.log() + math.log(2 * math.pi))
    weights = mixture.log_weights[:, :, None, None] + mixture.log_weights
    log_k = (weights - exponents / 2).logsumexp((1, 3))
    own = log_k.diagonal() / 2
    return log_k - own.unsqueeze(1) - own


def ten_lines_of_supcon(z: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """SupCon with thresholded positives, of labels per row, as one would write it."""
    present, itself = labels.to(z.dtype), torch.eye(len(labels), dtype=torch.bool)
    common, sizes = present @ present.T, present.sum(1)
    jaccard = common / (sizes.unsqueeze(1) + sizes - common).clamp(min=1)
    positives = (jaccard >= 0.5).to(z.dtype).masked_fill(itself, 0)
    rows = functional.normalize(z, dim=1)
    logits = (rows @ rows.T / temperature).masked_fill(itself, -torch.inf)
    log_p = logits.log_softmax(1).masked_fill(itself, 0)
    counts = positives.sum(1)
    losses = -(positives * log_p).sum(1) / counts.clamp(min=1)
    return losses[counts > 0].mean()


def kmcl_by_anchors(mixture: GaussianMixture, labels: Tensor, temperature: float) -> Tensor:
    """KMCL's contrastive term: a tensor (N, N, K, D), then anchor by anchor."""
    present = labels.to(mixture.means.dtype)
    variances = mixture.sigmas.square()
    both = variances.unsqueeze(1) + variances  # (N, N, K)
    offset = mixture.means.unsqueeze(1) - mixture.means  # (N, N, K, D)
    volume = mixture.sigmas.unsqueeze(1) * mixture.sigmas * 2 / both
    scale = offset.shape[-1] / 2
    logits = (-(offset.square() / both.unsqueeze(-1)).sum(-1) / 4 + scale * volume.log()).exp() / temperature
    losses = []
    for i, own in enumerate(present):
        common = present @ own
        positives = [j for j in common.nonzero().flatten().tolist() if j != i]
        if positives:
            others = torch.arange(len(present)) != i
            log_p = logits[i] - logits[i][others].logsumexp(0)  # (N, K)
            jaccard = common / (present.sum(1) + own.sum() - common).clamp(min=1)
            each = jaccard * (log_p * own * present).sum(1)
            losses.append(-each[positives].sum() / len(positives))
    return torch.stack(losses).mean()


def metric_learning_supcon(z: Tensor, pairs: tuple[Tensor, ...], temperature: float) -> Tensor:
    """SupCon of pytorch-metric-learning with the pairs given."""
    from pytorch_metric_learning.losses import SupConLoss

    loss: Tensor = SupConLoss(temperature=temperature)(z, indices_tuple=pairs)
    return loss


def metric_learning_pairs(labels: Tensor) -> tuple[Tensor, ...]:
    """The pairs that thresholded positives make, as pytorch-metric-learning takes them."""
    positives = positive_set(labels)
    negatives = ~positives
    negatives.fill_diagonal_(False)
    return *positives.nonzero(as_tuple=True), *negatives.nonzero(as_tuple=True)


def scikit_learn_jaccard(labels: Tensor) -> None:
    """Jaccard distances of every pair by scikit-learn."""
    from sklearn.metrics import pairwise_distances

    pairwise_distances(labels.bool().numpy(), metric="jaccard")
