"""The contrastive loss over weights, and MulSupCon beside it."""

import math
import warnings

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.anchor_sum import TILE_ANCHORS, LazyLogits, anchor_sum
from probmcl.loss.overlap import LabelSets
from probmcl.loss.positives import PositiveRule

NO_POSITIVES = ("skip", "zero")
"""Names of the policies for anchors without positives (M9)."""


class NoPositivesWarning(UserWarning):
    """A batch in which no anchor has a positive: it teaches nothing.

    Attributes:
        batches: how many such batches this process has met.
    """

    batches = 0

    @classmethod
    def emit(cls) -> None:
        """Count one more batch, and warn."""
        cls.batches += 1
        warnings.warn(
            f"no anchor of this batch has a positive, so its loss is 0 (such batches so far: {cls.batches})",
            cls,
            stacklevel=3,
        )


def contrastive_loss(logits: Tensor, weights: Tensor, *, no_positives: str = "skip") -> Tensor:
    """Supervised contrastive loss with any weights between pairs (M9).

    The mean over anchors i with sum_j w_ij > 0 of

        -(sum_j w_ij log softmax_{j != i} s_ij) / sum_j w_ij.

    With w = [same class] it is the SupCon loss of Khosla et al. (2020); with w = [o(y_i, y_j) >= alpha] and s
    the similarity of two mixtures it is L_PCL.

    Args:
        logits: similarities divided by the temperature, ``(N, N)``; the diagonal is ignored. Half precision
            is computed in float32.
        weights: w_ij >= 0, ``(N, N)``, such as :func:`~probmcl.loss.positive_weights` returns; the diagonal
            is ignored.
        no_positives: ``"skip"`` leaves anchors without positives out of the mean, ``"zero"`` counts them as 0
            (as SupContrast's code does, which makes the loss smaller the fewer anchors have positives).

    Returns:
        The loss, a scalar >= 0. If no anchor has a positive it is 0 with a zero gradient, and a
        :class:`NoPositivesWarning` is given and counted.

    Raises:
        ValueError: if the matrices are not square and of one shape, a logit is NaN or infinite, a weight is
            negative, NaN or infinite, or the policy is unknown.

    >>> contrastive_loss(torch.zeros(3, 3), torch.ones(3, 3))  # two others, equally similar: log 2
    tensor(0.6931)
    """
    _check.one_of("no_positives", no_positives, NO_POSITIVES)
    _check.square("logits", logits)
    if _check.square("weights", weights).is_complex():
        raise TypeError(f"weights: expected real numbers, got {weights.dtype}")
    _check.same_shape("weights", weights, "logits", logits)
    _check.finite("logits", logits, limit=math.inf)
    dtype = torch.promote_types(logits.dtype, torch.float32)
    weights = _check.finite("weights", weights.to(dtype)).clone().fill_diagonal_(0)
    if (weights < 0).any():
        raise ValueError(f"weights: expected no negative weight, got {weights.min().item():g}")
    anchors = (weights.sum(1) > 0).sum()
    total = anchor_sum(_dense(logits, dtype), lambda rows: _shares(weights[rows]))
    return _mean(total, anchors, len(logits) if no_positives == "zero" else None)


def mulsupcon_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """MulSupCon (Zhang and Wu, AAAI 2024), as its code computes it: one contrastive task per label.

    With P_l(i) = {p != i : y_pl = 1} it is the sum over all pairs (i, l) with y_il = 1 and P_l(i) non-empty
    of the mean over P_l(i) of -log softmax s_ip, divided by the number of such pairs. It sums over labels
    first, so an anchor with many labels counts more: it is not the row-normalised mean of
    :func:`contrastive_loss`.

    Args:
        logits: similarities divided by the temperature, ``(N, N)``; the diagonal is ignored.
        labels: label matrix of zeros and ones, ``(N, K)``.

    Returns:
        The loss, a scalar >= 0; 0 with a zero gradient and a :class:`NoPositivesWarning` if no label occurs
        twice in the batch.

    Raises:
        ValueError: if the logits are not square, not finite, or their rows are not the labels' rows.

    >>> mulsupcon_loss(torch.zeros(3, 3), torch.tensor([[1, 1], [1, 0], [0, 1]]))
    tensor(0.6931)
    """
    _check.finite("logits", _check.square("logits", logits), limit=math.inf)
    present = _check.labels("labels", labels)
    _check.same_rows("logits", logits, "labels", labels)
    dtype = torch.promote_types(logits.dtype, torch.float32)
    return label_loss(_dense(logits, dtype), present.to(logits.device, dtype), None, rows=len(logits))


def rule_loss(
    logits: LazyLogits,
    rule: PositiveRule,
    images: LabelSets,
    queued: LabelSets | None,
    anchors: Tensor | None,
    no_positives: str,
) -> Tensor:
    """The contrastive loss of a batch under a rule: an anchor's positives share 1 by their weights.

    Args:
        logits: of the anchors against the rows of the batch and the queue behind them, ``(A, M)``.
        rule: who is positive for whom.
        images: the N images of the batch; its V N rows are V views of each.
        queued: the rows of the queue; None for none.
        anchors: rows of the batch that are scored, ``(A,)``; None for all.
        no_positives: policy for anchors without positives.
    """
    rows = logits.others - (0 if queued is None else len(queued))
    views = rows // len(images)
    if views == 1 and rule.empty == "own_view":
        raise ValueError('labels: expected one row per image of at least two views with empty="own_view"')

    def targets(some: Tensor) -> Tensor:
        # All rows are the images once per view, so that fewer pairs have to be looked at.
        everyone = anchors is None and len(some) == rows
        anchored, times = (images, views) if everyone else (images[some % len(images)], 1)
        weights = rule.between(anchored, images).to(logits.dtype).repeat(times, views)  # (T, V N)
        if queued is not None:
            with_queue = rule.between(anchored, queued).to(weights).repeat(times, 1)
            weights = torch.cat([weights, with_queue], 1)  # (T, M)
        return _shares(weights.scatter_(1, some.unsqueeze(1), 0))

    total = anchor_sum(logits, targets, anchors)
    if views > 1:  # the other views of an image are its positives, by every rule: no pair has to be looked at
        with_positives = views * (images.sizes > 0 if rule.empty == "drop" else images.sizes >= 0).sum()
    else:
        tiles = torch.split(torch.arange(rows, device=images.sizes.device), TILE_ANCHORS)
        with_positives = torch.cat([targets(some).sum(1) > 0 for some in tiles]).sum()
    return _mean(total, with_positives, rows if no_positives == "zero" else None)


def label_loss(logits: LazyLogits, present: Tensor, anchors: Tensor | None, *, rows: int) -> Tensor:
    """MulSupCon of a batch: an anchor shares 1 among its positives once for every label it carries.

    Args:
        logits: of the anchors against the batch and the queue behind it, ``(A, M)``.
        present: labels of all rows, ``(M, K)``, in the type of the logits.
        anchors: rows of the batch that are scored, ``(A,)``; None for all.
        rows: rows of the batch; the loss is a mean over their pairs (row, label) with a positive.
    """
    others = present.sum(0) - 1  # |P_l(i)| for any i that carries l: (K,)
    shared = present[:rows] * (others > 0)
    each = shared / others.clamp(min=1)

    def targets(some: Tensor) -> Tensor:
        return (each[some] @ present.T).scatter_(1, some.unsqueeze(1), 0)  # (T, M)

    return _mean(anchor_sum(logits, targets, anchors), shared.sum())


def _mean(total: Tensor, count: Tensor, over: int | None = None) -> Tensor:
    """A finite sum, divided by the count of what has positives, or by ``over``; warns if nothing has."""
    finite, some = torch.stack([total.isfinite(), count > 0]).tolist()  # one wait for the device
    if not finite:
        raise ValueError(f"logits: expected finite values, got a sum over anchors of {total.item()}")
    if not some:
        NoPositivesWarning.emit()
    return total / (count.clamp(min=1) if over is None else torch.full_like(count, over))


def _shares(weights: Tensor) -> Tensor:
    """Rows scaled to sum to 1, in place; a row of zeros stays."""
    total = weights.sum(1, keepdim=True)
    return weights.div_(torch.where(total > 0, total, 1))


def _dense(logits: Tensor, dtype: torch.dtype) -> LazyLogits:
    """Logits that exist as a matrix."""
    return LazyLogits(lambda tile: tile.to(dtype, copy=True), len(logits), (logits,))
