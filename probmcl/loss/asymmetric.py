"""The asymmetric loss of the classification stage."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl import _check
from probmcl.model.mixture import widened

GAMMA_POSITIVE, GAMMA_NEGATIVE, MARGIN = 0.0, 4.0, 0.05
"""Defaults of the loss, those of ``train.py`` in the code of ASL, for MS-COCO (M14)."""


def asymmetric_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    gamma_positive: float = GAMMA_POSITIVE,
    gamma_negative: float = GAMMA_NEGATIVE,
    margin: float = MARGIN,
) -> Tensor:
    """Asymmetric loss (Ridnik et al., ICCV 2021) of a multi-label classifier (M14).

    With p = sigmoid(logit) and p_m = max(p - margin, 0):

        positives: -(1 - p)^gamma_positive log p
        negatives: -p_m^gamma_negative log(1 - p_m)

    Negatives that are easy (p below the margin) are dropped, the rest are weighed down. With both gammas and
    the margin at 0 it is binary cross-entropy; with equal gammas and no margin it is the focal loss.

    Args:
        logits: ``(N, K)``, any real numbers. Half precision is computed in float32.
        labels: zeros and ones, ``(N, K)``.
        gamma_positive: focusing exponent of the positives, in [0, 1e6].
        gamma_negative: focusing exponent of the negatives, in [0, 1e6].
        margin: probability margin of the negatives, in [0, 1).

    Returns:
        The mean over all N K entries, a scalar >= 0. (The authors' code returns the sum, so its learning
        rates do not carry over.) The gradient goes through the weights too, as the formula says.

    Raises:
        ValueError: if the shapes differ, a logit is not finite, labels are not 0/1 or a parameter is out of
            range.

    >>> asymmetric_loss(torch.tensor([[0.0, -9.0]]), torch.tensor([[1, 0]]))  # -log(1/2) / 2
    tensor(0.3466)
    """
    _check.scored("logits", logits, "labels", labels)
    _check_parameters(gamma_positive, gamma_negative, margin)
    return unchecked_asymmetric_loss(logits, labels.bool(), gamma_positive, gamma_negative, margin)


def unchecked_asymmetric_loss(
    logits: Tensor,
    present: Tensor,
    gamma_positive: float = GAMMA_POSITIVE,
    gamma_negative: float = GAMMA_NEGATIVE,
    margin: float = MARGIN,
) -> Tensor:
    """:func:`asymmetric_loss` of what has been checked; the labels as booleans."""
    logits = widened(logits)
    probability = logits.sigmoid()
    shifted = probability - margin
    positive = _focus(1 - probability, gamma_positive) * functional.logsigmoid(logits)
    # log(1 - p_m) = log(min(sigmoid(-s) + margin, 1)), without the cancellation of 1 - p.
    log_margin = torch.tensor(margin, dtype=logits.dtype, device=logits.device).log()
    log_rejection = torch.logaddexp(functional.logsigmoid(-logits), log_margin).clamp(max=0)
    negative = _focus(shifted, gamma_negative) * log_rejection
    return -torch.where(present, positive, negative).mean()


def _check_parameters(gamma_positive: float, gamma_negative: float, margin: float) -> None:
    _check.number("gamma_positive", gamma_positive, low=0.0, high=1e6)
    _check.number("gamma_negative", gamma_negative, low=0.0, high=1e6)
    _check.number("margin", margin, low=0.0, high=1.0, below=True)


def _focus(base: Tensor, gamma: float) -> Tensor:
    """``max(base, 0)^gamma`` with a finite gradient at 0, also for gamma below one."""
    if gamma == 0:
        return torch.ones_like(base)
    return base.clamp(min=torch.finfo(base.dtype).tiny).pow(gamma)


class AsymmetricLoss(nn.Module):
    """:func:`asymmetric_loss`, with its parameters and errors, as a module.

    >>> criterion = AsymmetricLoss()
    >>> criterion(torch.zeros(1, 2), torch.tensor([[1, 0]]))
    tensor(0.3588)
    """

    def __init__(
        self,
        gamma_positive: float = GAMMA_POSITIVE,
        gamma_negative: float = GAMMA_NEGATIVE,
        margin: float = MARGIN,
    ) -> None:
        super().__init__()
        _check_parameters(gamma_positive, gamma_negative, margin)
        self.gamma_positive = gamma_positive
        self.gamma_negative = gamma_negative
        self.margin = margin

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the mean loss of logits ``(N, K)`` against labels ``(N, K)``."""
        return asymmetric_loss(
            logits,
            labels,
            gamma_positive=self.gamma_positive,
            gamma_negative=self.gamma_negative,
            margin=self.margin,
        )
