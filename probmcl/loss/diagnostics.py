"""What to watch while training: has the embedding collapsed, is sigma at its floor, who has no positive?"""

from __future__ import annotations

import torch
from torch import Tensor

from probmcl import _check
from probmcl.model import HeadOutput


def effective_rank(embedding: Tensor) -> Tensor:
    """Effective number of directions that embeddings use (Roy and Vetterli, 2007).

    The exponential of the entropy of the eigenvalues of E[z z^T], scaled to sum to one: 1 when all embeddings
    are one point (collapse), also if that is the origin, D when they use all directions alike.

    Args:
        embedding: embeddings, ``(N, D)``.

    Returns:
        A scalar between 1 and min(N, D), without gradient.

    Example:
        >>> effective_rank(torch.eye(3)), round(effective_rank(torch.ones(5, 3)).item(), 3)
        (tensor(3.), 1.0)
    """
    z = _check.finite("embedding", embedding, dims=2).detach().float()
    with torch.autocast(z.device.type, enabled=False):
        gram = z.T @ z if z.shape[0] > z.shape[1] else z @ z.T  # the same eigenvalues but for zeros
    shares = torch.linalg.eigvalsh(gram).clamp(min=0)
    total = shares.sum().clamp(min=torch.finfo(shares.dtype).tiny)  # 0 for zeros, whose rank is then exp(0)
    rank: Tensor = torch.special.entr(shares / total).sum().exp()
    return rank


def collapse_diagnostics(output: HeadOutput) -> dict[str, Tensor]:
    """Scalars that show a collapse (M11): of the embedding to a point, of sigma to its floor.

    Args:
        output: embeddings of a batch, and perhaps mixtures and the floor of their sigmas.

    Returns:
        ``effective_rank``; with a mixture also ``mean_sigma``, ``weight_entropy`` (nats, between 0 and log
        K) and, with a floor, ``sigma_at_floor`` in [0, 1], the share of sigmas within 1 % of it. A component
        counts for the sigmas as much as it weighs in its mixture: what nobody uses must not hide a collapse.

    Example:
        >>> collapse_diagnostics(HeadOutput(torch.eye(3)))
        {'effective_rank': tensor(3.)}
    """
    found = {"effective_rank": effective_rank(output.embedding)}
    if output.mixture is not None:
        mixture = output.mixture.detach()
        weights = mixture.log_weights.exp()  # (N, K)
        found["mean_sigma"] = (weights * mixture.scale.mean(-1)).sum(-1).mean()
        found["weight_entropy"] = -(weights * mixture.log_weights).sum(-1).mean()
        if output.sigma_floor is not None:
            at_floor = (mixture.scale <= 1.01 * output.sigma_floor).to(weights.dtype).mean(-1)
            found["sigma_at_floor"] = (weights * at_floor).sum(-1).mean()
    return found
