"""The matched Bhattacharyya similarity of some mixtures with others: component k against component k only."""

from __future__ import annotations

import torch
from torch import Tensor

from probmcl.loss.gaussian_kernel import Components


def numbers_per_pair(components: Components) -> int:
    """How many numbers a pair of mixtures takes on the way: one a component, or one a component and axis."""
    return components.variances[0].numel()


def log_matched_coefficient(a: Components, b: Components) -> Tensor:
    """Matched similarity log sum_k sqrt(pi_ik pi_jk) BC(N_ik, N_jk) of every pair of mixtures, ``(T, M)``.

    With V = Sigma_1 + Sigma_2,

        log BC = -|mu_1 - mu_2|^2_{V^-1} / 4 - log(det(V / 2) / sqrt(det Sigma_1 det Sigma_2)) / 2.

    On the way stands one tensor ``(K, T, M)``, or ``(K, T, M, D)`` with diagonal covariances: a tile's worth.

    >>> one = Components(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
    >>> log_matched_coefficient(one, one)
    tensor([[0.]])
    """
    (weights_a, first, variances_a), (weights_b, second, variances_b) = (
        (tensor.transpose(0, 1) for tensor in side) for side in (a, b)
    )  # components first: (K, T), (K, T, D), (K, T[, D]) and the same with M
    variance = variances_a.unsqueeze(2) + variances_b.unsqueeze(1)  # (K, T, M[, D])
    # The logarithm of the volumes' ratio before any sum: its parts are large and nearly cancel.
    log_ratio = (variance / 2).log() - (variances_a.log().unsqueeze(2) + variances_b.log().unsqueeze(1)) / 2
    if a.isotropic:
        # Differences, not a Gram matrix: a mixture is as similar to its copy as to itself, to the last digit.
        distance = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").square()
        log_coefficient = -distance / variance / 4 - log_ratio * (first.shape[-1] / 2)
    else:
        offset = first.unsqueeze(2) - second.unsqueeze(1)  # (K, T, M, D)
        log_coefficient = (-offset.square() / variance / 4 - log_ratio / 2).sum(-1)
    return (log_coefficient + (weights_a.unsqueeze(2) + weights_b.unsqueeze(1)) / 2).logsumexp(0)
