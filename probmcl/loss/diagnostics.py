"""What to watch while training: has the embedding collapsed, is sigma at its floor, who has no positive?"""

from __future__ import annotations

import torch
from torch import Tensor

from probmcl import _check
from probmcl.model import HeadOutput


def effective_rank(embedding: Tensor) -> Tensor:
    """Effective number of directions that embeddings use (Roy and Vetterli, 2007).

    The exponential of the entropy of the eigenvalues of E[z z^T], scaled to sum to one: 1 when all embeddings
    are one point (collapse), D when they use all directions alike.

    Args:
        embedding: embeddings, ``(N, D)``.

    Returns:
        A scalar between 1 and min(N, D), without gradient.

    Example:
        >>> effective_rank(torch.eye(3)), effective_rank(torch.ones(5, 3))
        (tensor(3.), tensor(1.))
    """
    z = _check.finite("embedding", embedding, dims=2).detach().float()
    eigenvalues = torch.linalg.svdvals(z).square()
    shares = eigenvalues / eigenvalues.sum()
    rank: Tensor = torch.special.entr(shares).sum().exp()
    return rank


def collapse_diagnostics(output: HeadOutput, sigma_floor: float | None = None) -> dict[str, Tensor]:
    """Scalars that show a collapse (M11): of the embedding to a point, of sigma to its floor.

    Args:
        output: embeddings and perhaps mixtures of a batch.
        sigma_floor: the floor of the head; adds the share of sigmas within 1 % of it.

    Returns:
        ``effective_rank``; with a mixture also ``mean_sigma``, ``weight_entropy`` (nats, between 0 and log
        K) and, with a floor, ``sigma_at_floor`` in [0, 1].

    Example:
        >>> collapse_diagnostics(HeadOutput(torch.eye(3)))
        {'effective_rank': tensor(3.)}
    """
    found = {"effective_rank": effective_rank(output.embedding)}
    if output.mixture is not None:
        mixture = output.mixture.detach()
        found["mean_sigma"] = mixture.sigmas.mean()
        found["weight_entropy"] = torch.special.entr(mixture.log_weights.exp()).sum(-1).mean()
        if sigma_floor is not None:
            found["sigma_at_floor"] = (mixture.sigmas <= 1.01 * sigma_floor).float().mean()
    return found
