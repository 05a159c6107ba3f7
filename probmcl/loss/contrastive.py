"""The contrastive loss over weights, and MulSupCon beside it."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.anchor_sum import Logits, Targets, anchor_sum
from probmcl.loss.positive_rule import LabelledRows, PositiveRule

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

    Example:
        >>> contrastive_loss(torch.zeros(3, 3), torch.ones(3, 3))  # two others, equally similar: log 2
        tensor(0.6931)
    """
    _check.one_of("no_positives", no_positives, NO_POSITIVES)
    _check.square("logits", logits)
    _check.square("weights", weights)
    _check.same_shape("weights", weights, "logits", logits)
    _check.finite("logits", logits)
    dtype = torch.promote_types(logits.dtype, torch.float32)
    weights = _check.finite("weights", weights.to(dtype)).clone().fill_diagonal_(0)
    if (weights < 0).any():
        raise ValueError(f"weights: expected no negative weight, got {weights.min().item():g}")
    anchors = (weights.sum(1) > 0).sum()
    everyone = torch.arange(len(logits), device=logits.device)
    total = anchor_sum(_dense(logits, dtype), lambda tile: _shares(weights[tile]), everyone)
    return total / _counted(anchors, len(logits), no_positives)


def mulsupcon_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """MulSupCon (Zhang and Wu, AAAI 2024), as its code computes it: one contrastive task a label.

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

    Example:
        >>> mulsupcon_loss(torch.zeros(3, 3), torch.tensor([[1, 1], [1, 0], [0, 1]]))
        tensor(0.6931)
    """
    _check.finite("logits", _check.square("logits", logits))
    present = _check.labels("labels", labels)
    _check.same_rows("logits", logits, "labels", labels)
    dtype = torch.promote_types(logits.dtype, torch.float32)
    everyone = torch.arange(len(logits), device=logits.device)
    targets, pairs = label_targets(present.to(logits.device, dtype), everyone)
    return pair_mean(anchor_sum(_dense(logits, dtype), targets, everyone), pairs)


def rule_targets(
    rule: PositiveRule,
    images: LabelledRows,
    queued: LabelledRows | None,
    anchors: Tensor,
    dtype: torch.dtype,
) -> Targets:
    """Targets of the contrastive loss: an anchor's positives share 1 by their weights.

    Args:
        rule: who is positive for whom.
        images: the N images of the batch; its rows are two views of each.
        queued: more rows to compare with, behind those of the batch.
        anchors: rows that are scored, ``(A,)``.
        dtype: type of the targets.
    """

    def targets(tile: slice) -> Tensor:
        rows = anchors[tile]
        images_of_anchors = images[rows % len(images)]
        weights = rule.between(images_of_anchors, images).to(dtype).repeat(1, 2)  # (T, 2N)
        if queued is not None:
            weights = torch.cat([weights, rule.between(images_of_anchors, queued).to(dtype)], 1)  # (T, M)
        return _shares(weights.scatter_(1, rows.unsqueeze(1), 0))

    return targets


def label_targets(present: Tensor, anchors: Tensor, rows: int | None = None) -> tuple[Targets, Tensor]:
    """Targets of MulSupCon, and its number of pairs (row, label) with a positive.

    An anchor shares 1 among its positives once for every label it carries.

    Args:
        present: labels of all rows, ``(M, K)``, in the type of the logits.
        anchors: rows that are scored, ``(A,)``.
        rows: count the pairs of the first ``rows`` rows, those of the batch; None for all.
    """
    others = present.sum(0) - 1  # |P_l(i)| for any i that carries l: (K,)
    shared = present[:rows] * (others > 0)
    each = shared / others.clamp(min=1)

    def targets(tile: slice) -> Tensor:
        return (each[anchors[tile]] @ present.T).scatter_(1, anchors[tile].unsqueeze(1), 0)  # (T, M)

    return targets, shared.sum()


def rule_mean(total: Tensor, rule: PositiveRule, images: LabelledRows, no_positives: str) -> Tensor:
    """A sum over anchors, divided by the count over all rows of a batch of two views."""
    return total / _counted(rule.anchors_with_positives(images), 2 * len(images), no_positives)


def pair_mean(total: Tensor, pairs: Tensor) -> Tensor:
    """A sum over pairs (anchor, label), divided by their number over all rows."""
    return total / _at_least_one(pairs)


def _counted(with_positives: Tensor, rows: int, no_positives: str) -> Tensor:
    """What the sum over anchors is divided by; warns if no anchor has a positive."""
    count = _at_least_one(with_positives)
    return count if no_positives == "skip" else torch.full_like(count, rows)


def _at_least_one(count: Tensor) -> Tensor:
    if not count:
        NoPositivesWarning.emit()
    return count.clamp(min=1)


def _shares(weights: Tensor) -> Tensor:
    """Rows scaled to sum to 1, in place; a row of zeros stays."""
    total = weights.sum(1, keepdim=True)
    return weights.div_(torch.where(total > 0, total, 1))


def _dense(logits: Tensor, dtype: torch.dtype) -> Logits:
    """Logits that exist as a matrix."""
    return Logits(lambda tile: tile.to(dtype, copy=True), len(logits), (logits,))
