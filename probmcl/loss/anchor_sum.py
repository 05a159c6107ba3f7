"""The sum over anchors that every contrastive loss is, a few anchors at a time.

Against M rows an anchor costs the cross-entropy -sum_j t_j log softmax_{j != itself} s_j of its targets t.
The sum over anchors is one number, so the gradient of a tile of anchors can be had as soon as the tile is
there: with respect to its logits it is (sum_j t_j) softmax_j - t_j. The forward pass adds it up and drops the
tile; the backward pass only multiplies. Neither the (A, M) logits nor the targets exist as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from probmcl import _check

TILE_ELEMENTS = 1 << 23
"""Logits in a tile: 32 MiB in float32, of which three are alive at a time."""


class Logits(NamedTuple):
    """How the logits of A anchors against M rows come about, tile by tile.

    Attributes:
        of_tile: a differentiable function; from a tile of every ``by_anchor`` tensor and all of every
            ``shared`` one it makes the logits of the tile, ``(T, M)``.
        others: the number M of rows.
        by_anchor: tensors with one row an anchor, ``(A, ...)``.
        shared: tensors that every anchor needs.
    """

    of_tile: Callable[..., Tensor]
    others: int
    by_anchor: tuple[Tensor, ...]
    shared: tuple[Tensor, ...] = ()

    @property
    def dtype(self) -> torch.dtype:
        """The type of the tensors, which is that of the logits; float32 for half precision."""
        return torch.promote_types(self.by_anchor[0].dtype, torch.float32)


Targets = Callable[[slice], Tensor]
"""Targets >= 0 of a tile of anchors, ``(T, M)``; 0 for an anchor itself."""


def anchor_sum(logits: Logits, targets: Targets, itself: Tensor) -> Tensor:
    """Sum over anchors of the cross-entropy between their targets and the softmax over all other rows.

    Args:
        logits: where the logits come from.
        targets: where the targets come from.
        itself: the row that each anchor is among the M, ``(A,)``; it is left out.

    Returns:
        The sum, a scalar >= 0, differentiable once.

    Raises:
        ValueError: if the sum is NaN or infinite, because a logit is.

    Example:
        >>> logits = Logits(lambda tile: tile, 3, (torch.zeros(3, 3),))
        >>> anchor_sum(logits, lambda rows: (1 - torch.eye(3)[rows]) / 2, torch.arange(3))  # 3 log 2
        tensor(2.0794)
    """
    leaves = (*logits.by_anchor, *logits.shared)
    found: Tensor = AnchorSum.apply(logits, targets, itself, *leaves)
    if not torch.isfinite(found):
        raise ValueError(f"logits: expected finite values, got a sum over anchors of {found.item()}")
    return found


def scored_rows(anchors: Tensor | None, rows: Tensor) -> Tensor:
    """The argument ``anchors`` of every criterion, checked: indices of some rows, or of all for None."""
    if anchors is None:
        return torch.arange(len(rows), device=rows.device)
    return _check.row_indices("anchors", anchors, len(rows)).to(rows.device)


class AnchorSum(torch.autograd.Function):
    """The sum and its gradient in one pass; called through :func:`anchor_sum`."""

    @staticmethod
    def forward(ctx: Any, logits: Logits, targets: Targets, itself: Tensor, *leaves: Tensor) -> Tensor:
        """Stream over anchors; keep nothing but the gradients of the leaves."""
        per_anchor, wanted = len(logits.by_anchor), ctx.needs_input_grad[3:]
        gradients = [
            torch.zeros_like(leaf) if want else None for leaf, want in zip(leaves, wanted, strict=True)
        ]
        total: Tensor = torch.zeros((), device=itself.device)
        for rows in _tiles(len(itself), logits.others):
            parts = [leaf[rows] if i < per_anchor else leaf for i, leaf in enumerate(leaves)]
            parts = [part.detach().requires_grad_(want) for part, want in zip(parts, wanted, strict=True)]
            with torch.autocast(itself.device.type, enabled=False):
                with torch.enable_grad():
                    tile = logits.of_tile(*parts)  # (T, M)
                value, slope = _cross_entropy(tile.detach(), targets(rows), itself[rows])
            total = total + value
            if any(wanted):
                slopes = iter(torch.autograd.grad(tile, [p for p in parts if p.requires_grad], slope))
                for i, gradient in enumerate(gradients):
                    if gradient is not None:
                        (gradient[rows] if i < per_anchor else gradient).add_(next(slopes))
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Multiply the gradients by the upstream scalar."""
        gradients = ctx.saved_tensors  # type: ignore[attr-defined]
        return (None, None, None, *(g if g is None else upstream * g for g in gradients))


def _tiles(anchors: int, others: int) -> Iterator[slice]:
    size = max(1, TILE_ELEMENTS // others)
    for start in range(0, anchors, size):
        yield slice(start, min(start + size, anchors))


def _cross_entropy(logits: Tensor, targets: Tensor, itself: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the cross-entropies of a tile, and its gradient with respect to the logits ``(T, M)``."""
    # The smallest number rather than -inf: a batch of one row then has a finite gradient too.
    shifted = logits.scatter(1, itself.unsqueeze(1), torch.finfo(logits.dtype).min)
    shifted.sub_(shifted.amax(1, keepdim=True))
    weight = targets.sum(1)  # (T,)
    agreement = (targets.unsqueeze(1) @ shifted.unsqueeze(2)).flatten()  # sum_j t_j s_j: (T,)
    partition = shifted.exp_().sum(1)
    value = (weight * partition.log() - agreement).sum()
    return value, shifted.mul_((weight / partition).unsqueeze(1)).sub_(targets)
