"""The sum over anchors that every contrastive loss is, a few anchors at a time.

Against M rows an anchor costs the cross-entropy -sum_j t_j log softmax_{j != itself} s_j of its targets t.
The sum over anchors is one number, so the gradient of a tile of anchors can be had as soon as the tile is
there: with respect to its logits it is (sum_j t_j) softmax_j - t_j. The forward pass adds it up and drops the
tile; the backward pass only multiplies. Neither the (A, M) logits nor the targets exist as a whole.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from probmcl.loss.gaussian_kernel import BITS, refuse_second_order, refuse_transforms, slices, tile_elements

TILE_ELEMENTS = 1 << 20
"""Logits in a tile on a CPU, 4 MiB in float32 ..."""

TILE_ANCHORS = 128
"""... but at least so many anchors: each tile adds to the gradient of whatever all anchors share."""


class LazyLogits(NamedTuple):
    """The logits of A anchors against M rows, which do not exist yet: how a tile of them is made.

    Attributes:
        of_tile: a differentiable function; from a tile of every ``by_anchor`` tensor and all of every
            ``shared`` one it makes the logits of the tile, ``(T, M)``: a new tensor, which is used up.
        others: the number M of rows.
        by_anchor: tensors with one row per anchor, ``(A, ...)``.
        shared: tensors that every anchor needs.
        numbers: how many numbers a logit takes on the way, for the size of a tile.
    """

    of_tile: Callable[..., Tensor]
    others: int
    by_anchor: tuple[Tensor, ...]
    shared: tuple[Tensor, ...] = ()
    numbers: int = 1

    @property
    def dtype(self) -> torch.dtype:
        """The type of the tensors, which is that of the logits; float32 for half precision."""
        return torch.promote_types(self.by_anchor[0].dtype, torch.float32)

    @property
    def in_one_tile(self) -> bool:
        """Whether a tile holds all anchors."""
        return len(list(self.tiles())) == 1

    def tiles(self) -> Iterator[slice]:
        """The anchors, a tile at a time."""
        elements = tile_elements(self.by_anchor[0].device, TILE_ELEMENTS)
        size = max(1, TILE_ANCHORS // self.numbers, elements // (self.others * self.numbers))
        return slices(0, len(self.by_anchor[0]), size)

    def matrix(self) -> Tensor:
        """All logits, ``(A, M)``.

        >>> LazyLogits(torch.add, 2, (torch.tensor([[1.0], [2.0]]),), (torch.tensor([0.0, 0.5]),)).matrix()
        tensor([[1.0000, 1.5000],
                [2.0000, 2.5000]])
        """
        with torch.autocast(self.by_anchor[0].device.type, enabled=False):
            if self.numbers == 1 or self.in_one_tile:
                return self.of_tile(*self.by_anchor, *self.shared)
            # The backward pass computes each tile again, so that only the (A, M) result is kept.
            inputs = [(*(tensor[rows] for tensor in self.by_anchor), *self.shared) for rows in self.tiles()]
            return torch.cat([checkpoint(self.of_tile, *tile, use_reentrant=False) for tile in inputs])


Targets = Callable[[Tensor], Tensor]
"""From the rows that T anchors are ``(T,)`` to their targets >= 0, ``(T, M)``; 0 for an anchor itself."""


def anchor_sum(logits: LazyLogits, targets: Targets, itself: Tensor | None = None) -> Tensor:
    """Sum over anchors of the cross-entropy between their targets and the softmax over all other rows.

    Args:
        logits: where the logits come from.
        targets: where the targets come from.
        itself: the row that each anchor is among the M, ``(A,)``; it is left out. The first A by default.

    Returns:
        The sum, a scalar >= 0, differentiable once.

    Raises:
        NotImplementedError: under a transform of ``torch.func``, or for second derivatives.

    >>> logits = LazyLogits(torch.clone, 3, (torch.zeros(3, 3),))
    >>> anchor_sum(logits, lambda rows: (1 - torch.eye(3)[rows]) / 2)  # 3 log 2
    tensor(2.0794)
    """
    refuse_transforms()
    if itself is None:
        itself = torch.arange(len(logits.by_anchor[0]), device=logits.by_anchor[0].device)
    if logits.in_one_tile:
        # A number far below the others, rather than -inf: a batch of one row then has a finite gradient too.
        with torch.autocast(itself.device.type, enabled=False):
            scores = logits.of_tile(*logits.by_anchor, *logits.shared)  # (A, M)
            scores = scores.scatter(1, itself.unsqueeze(1), torch.finfo(logits.dtype).min / 2)
            return functional.cross_entropy(scores, targets(itself).detach(), reduction="sum")
    found: Tensor = AnchorSum.apply(logits, targets, itself, *logits.by_anchor, *logits.shared)
    return found


class AnchorSum(torch.autograd.Function):
    """The sum and its gradient in one pass; called through :func:`anchor_sum`."""

    @staticmethod
    def forward(ctx: Any, logits: LazyLogits, targets: Targets, itself: Tensor, *leaves: Tensor) -> Tensor:
        """Stream over anchors; keep nothing but the gradients of the leaves."""
        per_anchor, wanted = len(logits.by_anchor), ctx.needs_input_grad[3:]
        gradients = [torch.zeros_like(x) if want else None for x, want in zip(leaves, wanted, strict=True)]
        total: Tensor = torch.zeros((), device=itself.device)
        for tile in logits.tiles():
            inputs = [
                (leaf[tile] if i < per_anchor else leaf).detach().requires_grad_(wanted[i])
                for i, leaf in enumerate(leaves)
            ]
            # Both passes of a tile run in here, so mixed precision must end here for both.
            with torch.autocast(itself.device.type, enabled=False):
                with torch.enable_grad():
                    scores = logits.of_tile(*inputs)  # (T, M)
                value, slope = _cross_entropy(scores.detach(), targets(itself[tile]), itself[tile])
                total = total + value
                if any(wanted):
                    moving = [x for x in inputs if x.requires_grad]
                    slopes = iter(torch.autograd.grad(scores, moving, slope))
            for i, gradient in enumerate(gradients):
                if gradient is not None:
                    (gradient[tile] if i < per_anchor else gradient).add_(next(slopes))
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Multiply the gradients by the upstream scalar."""
        refuse_second_order()
        return (None, None, None, *[g if g is None else upstream * g for g in ctx.saved_tensors])


def _cross_entropy(logits: Tensor, targets: Tensor, itself: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the cross-entropies of a tile, and its gradient with respect to the logits, in their place."""
    logits.scatter_(1, itself.unsqueeze(1), torch.finfo(logits.dtype).min / 2)
    agreement = (targets * logits).sum()  # sum_ij t_ij s_ij
    weight, largest = targets.sum(1), logits.amax(1)  # (T,)
    torch.add(-BITS * largest.unsqueeze(1), logits, alpha=BITS, out=logits)
    partition = logits.exp2_().sum(1)  # faster than exp, see gaussian_kernel
    value = torch.dot(weight, partition.log() + largest) - agreement
    return value, logits.mul_((weight / partition).unsqueeze(1)).sub_(targets)
