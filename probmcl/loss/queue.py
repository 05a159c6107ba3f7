"""Rows of earlier batches as more rows to compare with: a cross-batch queue.

A batch of N images offers 2N - 1 others to an anchor. A queue (He et al., 2020, "Momentum contrast"; without
the second encoder, Wang et al., 2020, "Cross-batch memory") keeps what the last batches looked like and adds
it to them, positives and negatives alike, at the price of similarities only: its rows carry no gradient and
are never anchors. They are older than the weights, so a queue pays only while the encoder changes slowly.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from probmcl import _check
from probmcl.loss.overlap import LabelSets


class CrossBatchQueue(nn.Module):
    """The newest rows of earlier batches: their labels and some tensors, without gradient.

    It is empty at first. Its content is part of the ``state_dict``, whatever its length.

    Args:
        rows: how many rows it holds at most; 0 for a queue that stays empty.
        names: names of the tensors kept for every row.

    Raises:
        ValueError: if ``rows`` is negative.

    >>> queue = CrossBatchQueue(3, ["embedding"])
    >>> for value in (1.0, 2.0):
    ...     queue.add(torch.ones(2, 1), embedding=torch.full((2, 1), value))
    >>> len(queue), queue.embedding.flatten()
    (3, tensor([2., 2., 1.]))
    """

    def __init__(self, rows: int, names: Sequence[str]) -> None:
        super().__init__()
        self.rows = _check.count("rows", rows, low=0)
        kept = [_check.instance("names", name, str) for name in _check.several("names", names)]
        self.names = ("labels", *kept)
        for name in self.names:
            self.register_buffer(name, torch.empty(0))

    def __len__(self) -> int:
        return len(self.get_buffer("labels"))

    def add(self, labels: Tensor, **tensors: Tensor) -> None:
        """Put rows in front, and let the oldest go.

        Args:
            labels: label matrix of the rows, ``(N, K)``.
            tensors: what is kept for every row, by name, ``(N, ...)``.

        Raises:
            ValueError: if a row does not look like those in the queue.
        """
        _check.labels("labels", labels)
        for name in self.names:
            given = labels if name == "labels" else tensors.get(name)
            new = _check.tensor(name, given).detach()
            _check.same_rows(name, new, "labels", labels)
            old = self.get_buffer(name)
            if len(old):
                _check.shape(name, new, (len(new), *old.shape[1:]))
            joined = torch.cat([new, old.to(new)]) if len(old) else new
            setattr(self, name, joined[: self.rows].clone())

    def label_sets(self) -> LabelSets:
        """The label sets of the queue; its rows are views of no image of the batch."""
        labels = self.get_buffer("labels")
        return LabelSets.of("queue.labels", labels, labels.new_full((len(self),), -1).long())

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        """Take over the saved length before the values are copied."""
        for name in self.names:
            if prefix + name in state_dict:
                saved = state_dict[prefix + name]
                setattr(self, name, torch.empty_like(saved, device=self.get_buffer(name).device))
        super()._load_from_state_dict(state_dict, prefix, *rest)
