"""Wrong on purpose: the defects of the failure museum, in lines of our own that only its cases import."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from probmcl.data import LabelledImages
from probmcl.model import GaussianMixture


def jaccard_inside_the_log(logits: Tensor, jaccard: Tensor) -> Tensor:
    """Contrastive loss with log(J p) in the place of J log p; logits and Jaccard indices ``(N, N)``."""
    others = logits.clone().fill_diagonal_(-math.inf)
    positives = (jaccard > 0).to(logits).fill_diagonal_(0)
    weighted = (jaccard * others.softmax(1)).clamp(min=1e-30).log()  # (N, N)
    return -((positives * weighted).sum(1) / positives.sum(1)).mean()


def coefficient_to_the_power_of_d(mu: Tensor, nu: Tensor, s: Tensor, t: Tensor) -> Tensor:
    """Bhattacharyya coefficient of two diagonal Gaussians ``(D,)``: summed over D, then multiplied by D."""
    variance = (s**2 + t**2) / 2
    distance = ((mu - nu) ** 2 / variance).sum() / 8 + (variance / (s * t)).log().sum() / 2
    return (-len(mu) * distance).exp()


def log_of_softmax(logits: Tensor, positives: Tensor) -> Tensor:
    """Contrastive loss with log(softmax(s)) in the place of log_softmax(s); both ``(N, N)``."""
    probability = logits.clone().fill_diagonal_(-math.inf).softmax(1)
    per_anchor = torch.where(positives > 0, probability.log(), 0).sum(1) / positives.sum(1)
    return -per_anchor.mean()


def mean_over_no_positives(logits: Tensor, positives: Tensor) -> Tensor:
    """Contrastive loss that divides by the number of positives, also where it is 0; both ``(N, N)``."""
    others = logits.clone().fill_diagonal_(torch.finfo(logits.dtype).min)
    return -((positives * others.log_softmax(1)).sum(1) / positives.sum(1)).mean()


def zeros_in_the_mean(logits: Tensor, positives: Tensor) -> Tensor:
    """Contrastive loss whose mean counts anchors without positives as 0; both ``(N, N)``."""
    others = logits.clone().fill_diagonal_(torch.finfo(logits.dtype).min)
    return -((positives * others.log_softmax(1)).sum(1) / positives.sum(1).clamp(min=1)).mean()


def jaccard_by_double_loop(labels: Tensor) -> Tensor:
    """Jaccard index of every pair of rows ``(N, N)``, one pair at a time, 0/0 left as it is."""
    n = len(labels)
    jaccard = torch.zeros(n, n)
    for i in range(n):
        for j in range(n):
            shared = (labels[i] * labels[j]).sum()
            jaccard[i, j] = shared / ((labels[i] + labels[j]) > 0).sum()
    return jaccard


def nll_in_linear_space(mixture: GaussianMixture, z: Tensor) -> Tensor:
    """Mean negative log-likelihood at z ``(N, D)``: densities multiplied over D, summed over K, then log."""
    offset = (z.unsqueeze(1) - mixture.means) / mixture.scale  # (N, K, D)
    density = (-(offset**2) / 2).exp() / (mixture.scale * math.sqrt(2 * math.pi))
    return -(mixture.log_weights.exp() * density.prod(-1)).sum(1).log().mean()


def nll_of_every_dimension_alone(mixture: GaussianMixture, z: Tensor) -> Tensor:
    """Mean negative log-likelihood at z ``(N, D)``: a mixture in each dimension, multiplied over D."""
    offset = (z.unsqueeze(1) - mixture.means) / mixture.scale  # (N, K, D)
    log_density = -(offset**2) / 2 - (mixture.scale * math.sqrt(2 * math.pi)).log()
    return -(mixture.log_weights.unsqueeze(-1) + log_density).logsumexp(1).sum(1).mean()


def focal_weight_without_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """Loss whose weight is computed with gradients off, and gradients switched on afterwards; ``(N, K)``."""
    torch.set_grad_enabled(False)
    weight = (logits.sigmoid() - labels).abs() ** 2
    torch.set_grad_enabled(True)  # whatever the caller had chosen
    return (weight * functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")).mean()


def precision_at_every_place(scores: Tensor, labels: Tensor) -> float:
    """Average precision of one class ``(N,)`` that ranks rows of equal score by their place in the file."""
    ranked = labels[scores.argsort(descending=True, stable=True)].double()
    precision = ranked.cumsum(0) / torch.arange(1, len(ranked) + 1)
    return float((precision * ranked).sum() / ranked.sum())


class TenthOfTheImages(LabelledImages):
    """A data set for debugging, with a length that was never set back."""

    def __len__(self) -> int:
        return super().__len__() // 10


def loss_that_lives_on_the_gpu(logits: Tensor) -> Tensor:
    """Uniform contrastive loss ``(N, N)`` whose mask is made on a GPU, wherever the logits are."""
    itself = torch.eye(len(logits), dtype=torch.bool).cuda()
    return -logits.masked_fill(itself, -1e9).log_softmax(1)[~itself].mean()
