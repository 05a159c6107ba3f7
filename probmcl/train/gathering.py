"""The rows of all ranks on every rank, with gradients: a contrastive loss compares rows across ranks."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from probmcl import _check
from probmcl.data import SharedBatches
from probmcl.loss import ContrastiveCriterion, LossParts
from probmcl.model import GaussianMixture, HeadOutput
from probmcl.train.distributed import this_share


class AcrossRanks(nn.Module):
    """A contrastive criterion over the joined batch of all ranks, each rank scoring its own anchors.

    Every rank sees the rows of all in the order of one process: all first views, then the second ones. It
    scores its own rows as anchors. As ``DistributedDataParallel`` averages gradients, the loss is multiplied
    by the number of ranks: the means of gradients and losses are those of one process on the joined batch.

    Args:
        criterion: such as :class:`~probmcl.loss.ProbMCLLoss`; it has ``scores_anchors``.

    Raises:
        TypeError: if the criterion cannot score some rows against all, as ``KMCLLoss`` cannot.
    """

    def __init__(self, criterion: ContrastiveCriterion) -> None:
        super().__init__()
        if not getattr(criterion, "scores_anchors", False):
            name = type(criterion).__name__
            raise TypeError(f"criterion: expected one that scores anchors, as ProbMCLLoss does, got {name}")
        self.criterion = criterion

    def forward(self, output: HeadOutput, labels: Tensor) -> Tensor:
        """The loss, a scalar."""
        return self.in_parts(output, labels).total

    def in_parts(self, output: HeadOutput, labels: Tensor) -> LossParts:
        """Score this rank's 2n rows (row i and i + n: views of image i) with labels ``(n, K)``."""
        _check.instance("output", output, HeadOutput)
        _check.tensor("labels", labels, dims=2)
        if len(output.embedding) != 2 * len(labels):
            raise ValueError(f"labels: expected {len(output.embedding) / 2:g} rows, got {len(labels)}")
        joined, all_labels, sizes = _join(output, labels)
        share = this_share()
        first = sum(sizes[: share.rank])
        own = torch.arange(first, first + len(labels), device=labels.device)
        found = self.criterion.in_parts(joined, all_labels, torch.cat([own, own + len(all_labels)]))
        parts = {name: value * share.ranks for name, value in found.parts.items()}
        return LossParts(found.total * share.ranks, parts, found.diagnostics)


def gather_rows(tensors: Sequence[Tensor]) -> tuple[list[Tensor], list[int]]:
    """Join the rows of all ranks, rank by rank; gradients flow back to the rank that a row came from.

    They travel side by side: one exchange forward and one backward, so that no rank waits for another. One
    process alone has its own rows.

    Args:
        tensors: each ``(n, ...)``, with at least two dimensions; n may differ between ranks and may be 0.

    Returns:
        For each tensor the rows of all ranks, ``(N, ...)``, and every rank's number of rows n.
    """
    tensors = [_check.instance("tensors", tensor, Tensor) for tensor in _check.several("tensors", tensors)]
    if this_share().ranks == 1:
        return tensors, [len(tensors[0])]
    packed = torch.cat([tensor.flatten(1) for tensor in tensors], 1)  # (n, width)
    sizes: list[int] = _AllGather.apply(torch.tensor([len(packed)], device=packed.device)).flatten().tolist()
    padded = functional.pad(packed, (0, 0, 0, max(sizes) - len(packed)))  # (max n, width)
    gathered: Tensor = _AllGather.apply(padded)  # (ranks, max n, width)
    joined = torch.cat([rows[:size] for rows, size in zip(gathered, sizes, strict=True)])  # (N, width)
    columns = torch.split(joined, [math.prod(rows.shape[1:]) for rows in tensors], 1)
    pairs = zip(columns, tensors, strict=True)
    return [column.reshape(len(joined), *rows.shape[1:]).to(rows.dtype) for column, rows in pairs], sizes


def gather_in_order(
    batches: SharedBatches, outputs: Tensor, labels: Tensor, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Join outputs ``(n, F)`` and labels ``(n, K)`` of every rank's batches, in the order of the data set.

    They are exchanged on ``device``; the rows of all N images come back on the CPU, each once.
    """
    indices = torch.tensor(list(chain.from_iterable(batches))).unsqueeze(1)  # (n, 1)
    (all_indices,), _ = gather_rows([indices.to(device)])
    joined, _ = gather_rows([outputs.to(device), labels.to(device)])
    order = all_indices.squeeze(1).argsort()
    return joined[0][order].cpu(), joined[1][order].cpu()


def _join(output: HeadOutput, labels: Tensor) -> tuple[HeadOutput, Tensor, list[int]]:
    """Gather outputs and labels; both views of an image travel in one row, so the joined order follows."""
    mixture = output.mixture
    parts = [] if mixture is None else [mixture.log_weights, mixture.means, mixture.sigmas]
    tensors = [output.embedding, *parts]
    pairs = [torch.unflatten(part, 0, (2, len(labels))).transpose(0, 1) for part in tensors]  # (n, 2, ...)
    (all_labels, *joined), sizes = gather_rows([labels, *pairs])
    embedding, *rest = (tensor.transpose(0, 1).flatten(0, 1) for tensor in joined)  # (2N, ...)
    mixtures = GaussianMixture(*rest) if rest else None
    return replace(output, embedding=embedding, mixture=mixtures, logits=None), all_labels, sizes


class _AllGather(torch.autograd.Function):
    """The same shape from every rank ``(n, width)`` to all of them ``(ranks, n, width)``.

    ``torch.distributed.nn`` has such a function, deprecated without a public successor.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        gathered = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(gathered, rows.contiguous())
        return torch.stack(gathered)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Every rank's loss depends on these rows, so their gradients add up."""
        gradient = gradient.contiguous().clone()
        dist.all_reduce(gradient)
        return gradient[dist.get_rank()]
