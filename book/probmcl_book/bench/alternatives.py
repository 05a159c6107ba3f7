"""What the loss is measured against: the obvious code in PyTorch, and other libraries."""

from __future__ import annotations

import math

from torch import Tensor

from probmcl.loss import positive_set
from probmcl.model import GaussianMixture


def dense_log_expected_likelihood(mixture: GaussianMixture) -> Tensor:
    """The log of the normalised expected likelihood through tensors of shape (N, K, N, K), by autograd.

    >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
    >>> dense_log_expected_likelihood(mixture)[0, 1]
    tensor(-0.5000)
    """
    n, k, dimensions = mixture.means.shape
    variance = mixture.sigmas.square()[:, :, None, None] + mixture.sigmas.square()  # (N, K, N, K)
    means = mixture.means.flatten(0, 1)  # (N K, D)
    squares = means.square().sum(1)
    distance = (squares.unsqueeze(1) + squares - 2 * means @ means.T).clamp(min=0).view(n, k, n, k)
    exponents = distance / variance + dimensions * (variance.log() + math.log(2 * math.pi))
    weights = mixture.log_weights[:, :, None, None] + mixture.log_weights
    log_k = (weights - exponents / 2).logsumexp((1, 3))
    own = log_k.diagonal() / 2
    return log_k - own.unsqueeze(1) - own


def metric_learning_supcon(z: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """SupCon of pytorch-metric-learning with the pairs that thresholded positives make."""
    from pytorch_metric_learning.losses import SupConLoss

    positives = positive_set(labels)
    negatives = ~positives
    negatives.fill_diagonal_(False)
    pairs = (*positives.nonzero(as_tuple=True), *negatives.nonzero(as_tuple=True))
    loss: Tensor = SupConLoss(temperature=temperature)(z, indices_tuple=pairs)
    return loss


def scikit_learn_jaccard(labels: Tensor) -> None:
    """Jaccard distances of every pair by scikit-learn."""
    from sklearn.metrics import pairwise_distances

    pairwise_distances(labels.bool().numpy(), metric="jaccard")
