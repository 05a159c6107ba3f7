"""How unsure is a model about an image? Scores from its mixture, its classifier, or an ensemble.

Each score is higher where there is more doubt. What it is good for is a question for
:mod:`probmcl.evaluate.selective`: does it find errors, and images from elsewhere?

Probabilities enter as logits and stay logarithms until an entropy is summed.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from probmcl import _check as check
from probmcl.model import GaussianMixture
from probmcl.model.mixture import checked_mixture

WITHIN = "within variance"
BETWEEN = "between variance"
WEIGHTS = "weight entropy"
CLASSIFIER = "classifier's entropy"
DISAGREEMENT = "ensemble's mutual information"
SPREAD = "ensemble's variance"
POOLED = "entropy of the ensemble's mean"
ENSEMBLES = (DISAGREEMENT, SPREAD, POOLED)


def mixture_uncertainty(mixture: GaussianMixture) -> dict[str, Tensor]:
    """Return what a mixture says about doubt (C2).

    Args:
        mixture: N mixtures of K components.

    Returns:
        Scores (N,) float64 on the CPU: ``"within variance"`` and ``"between variance"``, the two parts of the
        trace of the mixture's covariance, and ``"weight entropy"``, -sum_k pi_k log pi_k in nats, between 0
        and log K. Choi et al. (2018) read the first as aleatoric uncertainty and the second as epistemic.

    Raises:
        ValueError: if a mean is not finite, a sigma is out of range, or a weight is NaN or infinite.

    >>> means = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]])
    >>> mixture = GaussianMixture(torch.full((1, 2), 0.5).log(), means, torch.ones(1, 2))
    >>> {name: round(score.item(), 3) for name, score in mixture_uncertainty(mixture).items()}
    {'within variance': 2.0, 'between variance': 1.0, 'weight entropy': 0.693}
    """
    check.instance("mixture", mixture, GaussianMixture)
    mixture = mixture.detach().to(torch.device("cpu")).to(torch.float64)
    log_weights = mixture.log_weights  # (N, K)
    nothing = log_weights.isneginf()  # a weight so small that its logarithm is -inf: it adds nothing
    checked_mixture("mixture", replace(mixture, log_weights=log_weights.masked_fill(nothing, 0)))
    entropy = -torch.where(nothing, 0.0, log_weights.exp() * log_weights).sum(1)
    return {WITHIN: mixture.within_variance(), BETWEEN: mixture.between_variance(), WEIGHTS: entropy}


def label_entropy(logits: Tensor) -> Tensor:
    """Return the entropy of every label's probability, sigmoid(logit), in nats.

    Args:
        logits: finite, of any shape.

    Returns:
        Entropies in [0, log 2] of the same shape, float64 on the CPU. Their mean over the labels of an image
        is the classifier's own doubt about the image.

    >>> label_entropy(torch.tensor([0.0, 5.0])).round(decimals=4).tolist()
    [0.6931, 0.0402]
    """
    found = check.real("logits", check.finite("logits", logits))
    return _entropy(logsigmoid(found), logsigmoid(-found))


def ensemble_uncertainty(logits: Tensor) -> dict[str, Tensor]:
    """Return how much the members of an ensemble disagree about every label.

    After B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and Scalable Predictive Uncertainty
    Estimation using Deep Ensembles", NeurIPS 2017.

    Args:
        logits: (M, N, K) finite logits of M >= 2 members for N images and K labels.

    Returns:
        Scores (N, K) float64 on the CPU. ``"ensemble's mutual information"`` is the entropy of the mean
        probability minus the mean entropy, in [0, log 2]: how much a label would tell about which member is
        right. ``"ensemble's variance"`` is the variance of the probabilities over members, in [0, 1/4].
        ``"entropy of the ensemble's mean"`` holds both kinds of doubt.

    >>> members = torch.tensor([[[0.0, 50.0]], [[0.0, -50.0]]])  # two members, one image, two labels
    >>> ensemble_uncertainty(members)["ensemble's mutual information"]
    tensor([[0.0000, 0.6931]], dtype=torch.float64)
    """
    found = check.real("logits", check.finite("logits", logits, dims=3))
    if len(found) < 2:
        raise ValueError(f"logits: expected two members or more, got {len(found)}")
    log_p, log_q = logsigmoid(found), logsigmoid(-found)  # (M, N, K)
    pooled = _entropy(_log_mean(log_p), _log_mean(log_q))  # (N, K)
    single = _entropy(log_p, log_q).mean(0)
    return {
        DISAGREEMENT: (pooled - single).clamp(min=0),  # below 0 by rounding only
        SPREAD: log_p.exp().var(0, correction=0),
        POOLED: pooled,
    }


def _entropy(log_p: Tensor, log_q: Tensor) -> Tensor:
    return -(log_p.exp() * log_p + log_q.exp() * log_q)


def _log_mean(logarithms: Tensor) -> Tensor:
    """Logarithm of the mean over members, (M, N, K) to (N, K)."""
    return logarithms.logsumexp(0) - math.log(len(logarithms))
