"""The contrastive loss over weights, and MulSupCon beside it."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from probmcl import _check

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
    log_probability = _log_softmax_over_others(logits)
    weights = _check.finite("weights", weights.to(log_probability.dtype)).clone().fill_diagonal_(0)
    if (weights < 0).any():
        raise ValueError(f"weights: expected no negative weight, got {weights.min().item():g}")
    total = weights.sum(1)  # (N,)
    has_positives = total > 0
    anchors = has_positives.sum()
    if not anchors:
        NoPositivesWarning.emit()
    per_anchor = -(weights * log_probability).sum(1) / torch.where(has_positives, total, 1)
    counted = anchors.clamp(min=1) if no_positives == "skip" else total.numel()
    return per_anchor.sum() / counted


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
    log_probability = _log_softmax_over_others(logits)
    present = _check.labels("labels", labels).to(log_probability)  # (N, K)
    _check.same_rows("logits", logits, "labels", labels)
    others = present.sum(0) - 1  # |P_l(i)| for any i that carries l: (K,)
    shared = others > 0
    weights = (present[:, shared] / others[shared]) @ present[:, shared].T  # (N, N)
    pairs = present[:, shared].sum()
    if not pairs:
        NoPositivesWarning.emit()
    return -(weights.fill_diagonal_(0) * log_probability).sum() / pairs.clamp(min=1)


def _log_softmax_over_others(logits: Tensor) -> Tensor:
    """Row-wise log softmax over j != i, ``(N, N)``; the diagonal holds 0."""
    _check.finite("logits", _check.square("logits", logits))
    logits = logits if logits.dtype == torch.float64 else logits.float()
    itself = torch.eye(logits.shape[0], dtype=torch.bool, device=logits.device)
    # The smallest number rather than -inf: a batch of one row then has a finite gradient too.
    others = logits.masked_fill(itself, torch.finfo(logits.dtype).min)
    return others.log_softmax(1).masked_fill(itself, 0)
