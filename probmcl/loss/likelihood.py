"""The likelihood term: how well a mixture explains an embedding."""

from __future__ import annotations

import torch
from torch import Tensor

from probmcl import _check
from probmcl.model import GaussianMixture

NLL_TARGETS = ("other_view", "self")
"""Names of the embeddings that a row's mixture is asked to explain (M11)."""


def mixture_nll(mixture: GaussianMixture, target: Tensor, *, per_dimension: bool = True) -> Tensor:
    """Mean negative log-likelihood of row i's mixture at row i of ``target`` (M11).

    Args:
        mixture: N mixtures in D dimensions.
        target: the points to explain, ``(N, D)``.
        per_dimension: divide by D. The term is O(D) nats, the contrastive term a few; undivided, it rules.

    Returns:
        The mean over rows, a scalar in nats (per dimension); it can be negative, for it is a density's.

    Raises:
        ValueError: if the target has another shape or is NaN or infinite.

    Example:
        >>> mixture = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
        >>> mixture_nll(mixture, torch.zeros(1, 2))  # log(2 pi) / 2
        tensor(0.9189)
    """
    _check.finite("target", target, dims=2)
    wide = torch.promote_types(torch.promote_types(mixture.means.dtype, target.dtype), torch.float32)
    nll = -mixture.to(wide).log_prob(target.to(wide)).mean()
    return nll / mixture.dimensions if per_dimension else nll


def view_targets(embedding: Tensor, target: str = "other_view", *, stop_gradient: bool = True) -> Tensor:
    """The embedding that each row's mixture is asked to explain (M11).

    Args:
        embedding: unit embeddings of 2N rows, ``(2N, D)``; row i and row i + N are views of one image.
        target: ``"other_view"``, the embedding of the image's other view, or ``"self"``, the row's own, which
            is minimised by copying.
        stop_gradient: do not let the loss move the target. It slows the collapse of all embeddings to one
            point but does not prevent it.

    Returns:
        Targets, ``(2N, D)``.

    Raises:
        ValueError: for an odd number of rows or an unknown target.

    Example:
        >>> view_targets(torch.tensor([[1.0], [2.0], [3.0], [4.0]])).T
        tensor([[3., 4., 1., 2.]])
    """
    _check.one_of("target", target, NLL_TARGETS)
    rows = _check.tensor("embedding", embedding, dims=2).shape[0]
    if rows % 2:
        raise ValueError(f"embedding: expected an even number of rows (two views an image), got {rows}")
    targets = embedding.roll(rows // 2, 0) if target == "other_view" else embedding
    return targets.detach() if stop_gradient else targets
