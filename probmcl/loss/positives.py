"""Who is positive for whom: from a label matrix to a positive set, or to weights between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.overlap import INDICES, overlap, overlaps_enough

RULES = ("any", "all", "exact", "threshold", "weighted")
"""Names of the rules that turn label sets into weights."""

EMPTY = ("match", "own_view", "drop")
"""Names of the policies for label-less rows (M8)."""


def positive_set(
    labels: Tensor,
    index: str = "jaccard",
    threshold: float = 0.5,
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> Tensor:
    """The positive set A(i) = {j != i : o(y_i, y_j) >= alpha} of every row (C1, M7, M8).

    Args:
        labels: label matrix of zeros and ones, ``(N, K)``.
        index: overlap index o, one of :data:`~probmcl.loss.INDICES`.
        threshold: decision threshold alpha in [0, 1].
        empty: what label-less rows are to each other: ``"match"`` positives, ``"own_view"`` positives only of
            views of the same image, ``"drop"`` never positives. A label-less row and a labelled row never
            match.
        image_ids: which image each row is a view of, ``(N,)``; needed by ``"own_view"``.

    Returns:
        Booleans, ``(N, N)``; row i marks the positives of anchor i, the diagonal is False.

    Raises:
        ValueError: for a bad label matrix, an unknown index or policy, a threshold outside [0, 1], or missing
            ``image_ids``.

    Example:
        >>> labels = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
        >>> positive_set(labels, threshold=0.5).int()
        tensor([[0, 1, 0, 0, 0],
                [1, 0, 0, 0, 0],
                [0, 0, 0, 0, 0],
                [0, 0, 0, 0, 1],
                [0, 0, 0, 1, 0]], dtype=torch.int32)
    """
    positives = overlaps_enough(labels, index=index, threshold=threshold)
    return _without_self(positives | _empty_pairs(labels, empty, image_ids))


def positive_weights(
    labels: Tensor,
    rule: str = "threshold",
    index: str = "jaccard",
    threshold: float = 0.5,
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> Tensor:
    """Weights w_ij >= 0 of the contrastive loss, one rule a reading of "positive" (M7, M9).

    ===============  =====================================================================
    rule             w_ij, for i != j and two labelled rows
    ===============  =====================================================================
    ``"any"``        [y_i and y_j share a label]
    ``"all"``        [y_i is a subset of y_j]
    ``"exact"``      [y_i = y_j]
    ``"threshold"``  [o(y_i, y_j) >= alpha], as :func:`positive_set`
    ``"weighted"``   o(y_i, y_j)
    ===============  =====================================================================

    Args:
        labels: label matrix of zeros and ones, ``(N, K)``.
        rule: one of :data:`RULES`.
        index: overlap index o of the last two rules.
        threshold: alpha of ``"threshold"``.
        empty: policy for label-less rows, as in :func:`positive_set`; the same under every rule.
        image_ids: which image each row is a view of, ``(N,)``; needed by ``empty="own_view"``.

    Returns:
        Weights in [0, 1], ``(N, N)``, in the default floating-point type; the diagonal is 0.

    Raises:
        ValueError: as :func:`positive_set`, or for an unknown rule.

    Example:
        >>> labels = torch.tensor([[1, 1], [1, 0]])
        >>> positive_weights(labels, "all")  # {0} is a subset of {0, 1}, not the other way round
        tensor([[0., 0.],
                [1., 0.]])
    """
    _check.one_of("rule", rule, RULES)
    if rule == "weighted":
        weights = overlap(labels, index=index)
    elif rule == "threshold":
        weights = overlaps_enough(labels, index=index, threshold=threshold)
    elif rule == "exact":
        weights = overlaps_enough(labels, index="exact", threshold=1.0)
    else:
        weights = _shares_any(labels) if rule == "any" else _contained(labels)
    weights = weights.to(torch.get_default_dtype())
    return _without_self(torch.where(_empty_rows(labels), _empty_pairs(labels, empty, image_ids), weights))


@dataclass(frozen=True)
class PositiveRule:
    """A choice of positives, checked once: the arguments of :func:`positive_weights` except the batch.

    Attributes:
        rule: one of :data:`RULES`.
        index: overlap index.
        threshold: decision threshold alpha.
        empty: policy for label-less rows.

    Example:
        >>> PositiveRule(threshold=1.0).two_view_weights(torch.tensor([[1, 0], [0, 1]]), rows=4)
        tensor([[0., 0., 1., 0.],
                [0., 0., 0., 1.],
                [1., 0., 0., 0.],
                [0., 1., 0., 0.]])
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

    def two_view_weights(self, labels: Tensor, *, rows: int) -> Tensor:
        """Weights between the 2N rows of a batch of N images, ``(2N, 2N)``; ``rows`` is checked to be 2N."""
        view_labels, image_ids = two_view_labels(labels)
        if rows != len(image_ids):
            raise ValueError(f"labels: expected {rows / 2:g} rows (two views an image), got {len(labels)}")
        return positive_weights(
            view_labels, self.rule, self.index, self.threshold, self.empty, image_ids=image_ids
        )


@dataclass(frozen=True)
class PositiveStatistics:
    """What a threshold does to a batch; one entry a threshold.

    Attributes:
        thresholds: the thresholds alpha.
        mean_positives: mean number of positives an anchor.
        share_without: share of the anchors that have no positive, in [0, 1].
    """

    thresholds: tuple[float, ...]
    mean_positives: tuple[float, ...]
    share_without: tuple[float, ...]


def positive_statistics(
    labels: Tensor,
    thresholds: Sequence[float],
    index: str = "jaccard",
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> PositiveStatistics:
    """Positives per anchor and share of anchors without any, over a grid of thresholds (C1, M7).

    Args:
        labels: label matrix of zeros and ones, ``(N, K)``.
        thresholds: the grid of alpha.
        index: overlap index.
        empty: policy for label-less rows.
        image_ids: which image each row is a view of, ``(N,)``.

    Returns:
        The statistics of this batch.

    Raises:
        ValueError: as :func:`positive_set`, or if there is no threshold.

    Example:
        >>> positive_statistics(torch.tensor([[1, 1], [1, 0], [0, 1]]), [0.5, 1.0])
        PositiveStatistics(thresholds=(0.5, 1.0), mean_positives=(1.333..., 0.0), share_without=(0.0, 1.0))
    """
    if not len(thresholds):
        raise ValueError("thresholds: expected at least one threshold, got none")
    counts = [positive_set(labels, index, alpha, empty, image_ids).sum(1).double() for alpha in thresholds]
    return PositiveStatistics(
        thresholds=tuple(thresholds),
        mean_positives=tuple(count.mean().item() for count in counts),
        share_without=tuple((count == 0).double().mean().item() for count in counts),
    )


def two_view_labels(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Labels and image ids of a batch of two views: row i and row i + N are the views of image i (M1).

    Args:
        labels: label matrix of the N images, ``(N, K)``.

    Returns:
        Labels of the 2N rows, ``(2N, K)``, and the image of every row, ``(2N,)``.

    Example:
        >>> two_view_labels(torch.tensor([[1, 0], [0, 1]]))[1]
        tensor([0, 1, 0, 1])
    """
    n = _check.labels("labels", labels).shape[0]
    return labels.repeat(2, 1), torch.arange(n, device=labels.device).repeat(2)


def _shares_any(labels: Tensor) -> Tensor:
    return overlap(labels) > 0


def _contained(labels: Tensor) -> Tensor:
    """Whether row i's label set is a subset of row j's: no label of i is missing in j."""
    present = labels.to(torch.get_default_dtype())
    return present @ (1 - present).T == 0


def _empty_rows(labels: Tensor) -> Tensor:
    """Pairs in which at least one row is label-less, ``(N, N)``: there the policy decides."""
    empty = ~labels.bool().any(1)
    return empty.unsqueeze(1) | empty.unsqueeze(0)


def _empty_pairs(labels: Tensor, policy: str, image_ids: Tensor | None) -> Tensor:
    """Pairs of label-less rows that the policy makes positives, ``(N, N)``."""
    _check.one_of("empty", policy, EMPTY)
    empty = ~labels.bool().any(1)
    both = empty.unsqueeze(1) & empty.unsqueeze(0)
    if policy == "match":
        return both
    if policy == "drop":
        return torch.zeros_like(both)
    if image_ids is None:
        raise ValueError('image_ids: expected the image of every row with empty="own_view", got None')
    _check.same_rows("image_ids", _check.tensor("image_ids", image_ids, dims=1), "labels", labels)
    return both & (image_ids.unsqueeze(1) == image_ids.unsqueeze(0))


def _without_self(pairs: Tensor) -> Tensor:
    """Clear the diagonal of a matrix that belongs to us: an anchor is never its own positive."""
    return pairs.fill_diagonal_(0)
