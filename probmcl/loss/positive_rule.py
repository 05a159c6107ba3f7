"""A rule for positives, as a function of two sets of rows: some anchors against all, without the rest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.overlap import INDICES, LabelSets, as_fraction, pair_overlap, pairs_overlap_enough

RULES = ("any", "all", "exact", "threshold", "weighted")
"""Names of the rules that turn label sets into weights."""

EMPTY = ("match", "own_view", "drop")
"""Names of the policies for label-less rows (M8)."""


@dataclass(frozen=True)
class LabelledRows:
    """Rows of a batch: their label sets and, where known, the image that each is a view of, ``(N,)``."""

    sets: LabelSets
    image_ids: Tensor | None = None

    def __len__(self) -> int:
        return len(self.sets.sizes)

    def __getitem__(self, rows: slice | Tensor) -> LabelledRows:
        return LabelledRows(self.sets.rows(rows), None if self.image_ids is None else self.image_ids[rows])

    @classmethod
    def images(cls, labels: Tensor, *, views: int) -> LabelledRows:
        """One row an image, for a batch of two views; ``views`` is checked to be twice as many."""
        sets = LabelSets.of("labels", labels)
        if views != 2 * len(labels):
            raise ValueError(f"labels: expected {views / 2:g} rows (two views an image), got {len(labels)}")
        return cls(sets, torch.arange(len(labels), device=labels.device))


@dataclass(frozen=True)
class PositiveRule:
    """A choice of positives, checked once: the arguments of :func:`positive_weights` except the batch.

    Attributes:
        rule: one of :data:`RULES`.
        index: overlap index.
        threshold: decision threshold alpha.
        empty: policy for label-less rows.

    Example:
        >>> images = LabelledRows.images(torch.tensor([[1, 0], [0, 1], [1, 0]]), views=6)
        >>> PositiveRule(threshold=1.0).between(images[:2], images).int()
        tensor([[1, 0, 1],
                [0, 1, 0]], dtype=torch.int32)
    """

    rule: str = "threshold"
    index: str = "jaccard"
    threshold: float = 0.5
    empty: str = "match"

    def __post_init__(self) -> None:
        _check.one_of("rule", self.rule, RULES)
        _check.one_of("index", self.index, INDICES)
        _check.number("threshold", self.threshold, low=0.0, high=1.0)
        _check.one_of("empty", self.empty, EMPTY)

    def between(self, anchors: LabelledRows, others: LabelledRows) -> Tensor:
        """Weights of ``others`` as positives of ``anchors``, ``(A, M)``: booleans, floats if "weighted".

        A row is a positive of itself here; who calls knows which row is which and takes it out.
        """
        pairs = self._labelled_pairs(anchors.sets, others.sets)
        label_less = anchors.sets.sizes == 0  # a labelled anchor matches no label-less row under any rule
        pairs[label_less] = self._label_less_pairs(anchors[label_less], others).to(pairs.dtype)
        return pairs

    def anchors_with_positives(self, images: LabelledRows) -> Tensor:
        """How many views of a batch of two views have a positive: a scalar that needs no pair of rows.

        Every rule makes the other view of a labelled image a positive, for its label set is the same, and so
        do the policies for label-less images except "drop".
        """
        sizes = images.sets.sizes
        return 2 * (sizes > 0 if self.empty == "drop" else sizes >= 0).sum()

    def _labelled_pairs(self, a: LabelSets, b: LabelSets) -> Tensor:
        """The rule for a labelled anchor, ``(A, M)``."""
        if self.rule == "weighted":
            return pair_overlap(a, b, self.index)
        if self.rule == "threshold":
            return pairs_overlap_enough(a, b, self.index, as_fraction(self.threshold))
        common = a.common(b)
        if self.rule == "any":
            return common > 0
        contained = common == a.sizes.unsqueeze(1)  # no label of the anchor is missing
        return contained if self.rule == "all" else contained & (common == b.sizes)

    def _label_less_pairs(self, anchors: LabelledRows, others: LabelledRows) -> Tensor:
        """What the policy makes positives of label-less anchors, ``(A, M)``."""
        label_less = (others.sets.sizes == 0).expand(len(anchors), -1)
        if self.empty == "match":
            return label_less
        if self.empty == "drop":
            return torch.zeros_like(label_less)
        if anchors.image_ids is None or others.image_ids is None:
            raise ValueError('image_ids: expected the image of every row with empty="own_view", got None')
        return label_less & (anchors.image_ids.unsqueeze(1) == others.image_ids)
