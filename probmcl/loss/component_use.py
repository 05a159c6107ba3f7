"""Which components a batch of mixtures uses: all of them together, but few for one image (M5, our choice)."""

import math

from torch import Tensor


def balance(log_weights: Tensor) -> Tensor:
    """KL divergence of the batch's mean weights from uniform ones, log K - H(mean of pi), in [0, log K] nats.

    It is 0 where all components are used equally often, whether by each image or by different images.

    >>> import torch
    >>> sharp = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).log()
    >>> round(balance(sharp).item(), 4), round(balance(sharp[:1]).item(), 4)
    (0.0, 0.3681)
    """
    n, k = log_weights.shape
    log_mean = log_weights.logsumexp(0) - math.log(n)  # (K,)
    return (log_mean.exp() * log_mean).sum() + math.log(k)


def excess_entropy(log_weights: Tensor, sizes: Tensor) -> Tensor:
    """What the entropy of an image's weights exceeds log m by, on average, in nats; m are labels per image.

    The mean over rows of max(0, H(pi_i) - log m), with m the batch's mean of ``sizes``, at least 1. The hinge
    is the bound: without it the weights go on sharpening after they stand for as many components as an image
    has labels.

    Args:
        log_weights: logarithms of the mixture weights, ``(V N, K)``.
        sizes: how many labels each image has, ``(N,)``.

    >>> import torch
    >>> four = torch.full((1, 4), 0.25).log()
    >>> [round(excess_entropy(four, torch.tensor([m])).item(), 4) for m in (1.0, 2.0, 4.0)]
    [1.3863, 0.6931, 0.0]
    """
    entropy = -(log_weights.exp() * log_weights).sum(-1)  # (V N,)
    return (entropy - sizes.mean().clamp(min=1).log()).clamp(min=0).mean()
