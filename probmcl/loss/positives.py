"""Who is positive for whom: from a label matrix to a positive set, or to weights between 0 and 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.anchor_sum import TILE_ELEMENTS
from probmcl.loss.gaussian_kernel import slices
from probmcl.loss.overlap import INDICES, LabelSets, as_fraction, pair_overlap, pairs_overlap_enough

RULES = ("any", "all", "exact", "threshold", "weighted")
"""Names of the rules that turn label sets into weights."""

EMPTY = ("match", "own_view", "drop")
"""Names of the policies for label-less rows (M8)."""


@dataclass(frozen=True)
class PositiveRule:
    """A choice of positives, checked once: the arguments of :func:`positive_weights` except the batch.

    Attributes:
        rule: one of :data:`RULES`.
        index: overlap index.
        threshold: decision threshold alpha.
        empty: policy for label-less rows.

    >>> images = LabelSets.of("labels", torch.tensor([[1, 0], [0, 1], [1, 0]]))
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

    def between(self, anchors: LabelSets, others: LabelSets) -> Tensor:
        """Weights of ``others`` as positives of ``anchors``, ``(A, M)``: booleans, floats if "weighted".

        A row is a positive of itself here; who calls knows which row is which and takes it out.
        """
        if self.rule == "weighted":
            pairs = pair_overlap(anchors, others, self.index)
        elif self.rule == "threshold":
            pairs = pairs_overlap_enough(anchors, others, self.index, as_fraction(self.threshold))
        else:
            common = anchors.common(others)
            # "all": no label of the anchor is missing.
            pairs = common > 0 if self.rule == "any" else common == anchors.sizes.unsqueeze(1)
            if self.rule == "exact":
                pairs &= common == others.sizes
        label_less = anchors.sizes == 0  # a labelled anchor matches no label-less row under any rule
        partners = (others.sizes == 0) & (self.empty != "drop")  # (M,)
        if self.empty == "own_view":
            partners = partners & (anchors.image_ids.unsqueeze(1) == others.image_ids)  # (A, M)
        return torch.where(label_less.unsqueeze(1), partners.to(pairs.dtype), pairs)


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

    >>> labels = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
    >>> positive_set(labels, threshold=0.5).int()
    tensor([[0, 1, 0, 0, 0],
            [1, 0, 0, 0, 0],
            [0, 0, 0, 0, 0],
            [0, 0, 0, 0, 1],
            [0, 0, 0, 1, 0]], dtype=torch.int32)
    """
    return _between_all(labels, PositiveRule("threshold", index, threshold, empty), image_ids)


def positive_weights(
    labels: Tensor,
    rule: str = "threshold",
    index: str = "jaccard",
    threshold: float = 0.5,
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> Tensor:
    """Weights w_ij >= 0 of the contrastive loss, one rule per reading of "positive" (M7, M9).

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
        Weights in [0, 1], ``(N, N)``, of the type of :func:`overlap`; the diagonal is 0.

    Raises:
        ValueError: as :func:`positive_set`, or for an unknown rule.

    >>> labels = torch.tensor([[1, 1], [1, 0]])
    >>> positive_weights(labels, "all")  # {0} is a subset of {0, 1}, not the other way round
    tensor([[0., 0.],
            [1., 0.]])
    """
    chosen = PositiveRule(rule, index, threshold, empty)
    weights = _between_all(labels, chosen, image_ids)
    return weights.to(torch.promote_types(torch.get_default_dtype(), labels.dtype))


@dataclass(frozen=True)
class PositiveStatistics:
    """What a threshold does to a batch; one entry per threshold.

    Attributes:
        thresholds: the thresholds alpha.
        mean_positives: mean number of positives per anchor.
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

    ``thresholds`` is the grid of alpha, one at least; other arguments and errors as for :func:`positive_set`.

    >>> positive_statistics(torch.tensor([[1, 1], [1, 0], [0, 1]]), [0.5, 1.0])
    PositiveStatistics(thresholds=(0.5, 1.0), mean_positives=(1.333..., 0.0), share_without=(0.0, 1.0))
    """
    thresholds = [
        _check.number("thresholds", alpha, low=0.0, high=1.0)
        for alpha in _check.several("thresholds", thresholds)
    ]
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

    >>> two_view_labels(torch.tensor([[1, 0], [0, 1]]))[1]
    tensor([0, 1, 0, 1])
    """
    n = _check.labels("labels", labels).shape[0]
    return labels.repeat(2, 1), torch.arange(n, device=labels.device).repeat(2)


def _between_all(labels: Tensor, rule: PositiveRule, image_ids: Tensor | None) -> Tensor:
    """Every row as a positive of every other, ``(N, N)``; no row is its own."""
    rows = LabelSets.of("labels", labels, image_ids)
    if image_ids is not None:
        _check.same_rows("image_ids", _check.tensor("image_ids", image_ids, dims=1), "labels", labels)
    elif rule.empty == "own_view":
        raise ValueError('image_ids: expected the image of every row with empty="own_view", got None')
    # In tiles, so that the counts of common labels are never a whole matrix.
    tiles = slices(0, len(rows), max(1, TILE_ELEMENTS // len(rows)))
    return torch.cat([rule.between(rows[tile], rows) for tile in tiles]).fill_diagonal_(0)
