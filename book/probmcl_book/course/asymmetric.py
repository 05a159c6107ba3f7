"""Checker of chapter 9: the asymmetric loss of absent and present labels (M14)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from probmcl_book import reference
from probmcl_book.course.comparison import Mistake, check_function


def asymmetric_loss(answer: Any, *, seed: int = 0) -> None:
    """Check ``asymmetric_loss(logits, labels, gamma, margin)``: mean over entries, present labels in full.

    >>> from probmcl.loss import asymmetric_loss as ours
    >>> asymmetric_loss(lambda s, y, gamma, margin: ours(s, y, gamma_negative=gamma, margin=margin))
    """

    def asymmetric_loss(logits: Tensor, labels: Tensor, gamma: float, margin: float) -> Tensor:
        return reference.asymmetric_loss(logits, labels, 0.0, gamma, margin)

    check_function(answer, asymmetric_loss, _cases(seed), MISTAKES)


def _cases(seed: int) -> list[tuple[Tensor, Tensor, float, float]]:
    """Both exponents of one and larger ones, with and without a margin, and logits whose sigmoid is 0."""
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for n, gamma, margin in ((1, 1.0, 0.2), (2, 4.0, 0.05), (3, 2.0, 0.0)):
        logits = 2 * torch.randn(n, 4, generator=generator, dtype=torch.float64)
        logits[0, 0] = -3  # an absent label below the larger margin
        labels = torch.tensor([0, 1, 0, 1]).repeat(n, 1)
        cases.append((logits, labels, gamma, margin))
    far = torch.tensor([[-1000.0, 1000.0, -2.0], [0.5, 3.0, 1.0]], dtype=torch.float64)
    return [*cases, (far, torch.tensor([[1, 1, 0], [0, 0, 1]]), 2.0, 0.05)]


def _loss_with(
    *,
    shift: Callable[[Tensor, float], Tensor] = lambda s, margin: (s.sigmoid() - margin).clamp(min=0),
    weight: Callable[[Tensor, Tensor, float], Tensor] = lambda p, shifted, gamma: shifted**gamma,
    rejection: Callable[[Tensor, Tensor], Tensor] = lambda s, shifted: (1 - shifted).log(),
    present: Callable[[Tensor, float], Tensor] = lambda s, gamma: functional.logsigmoid(s),
    pool: Callable[[Tensor], Tensor] = torch.mean,
) -> Callable[[Tensor, Tensor, float, float], Tensor]:
    """The loss by its formula, with one of its parts exchanged."""

    def wrong(logits: Tensor, labels: Tensor, gamma: float, margin: float) -> Tensor:
        shifted = shift(logits, margin)
        absent = weight(logits.sigmoid(), shifted, gamma) * rejection(logits, shifted)
        return -pool(torch.where(labels.bool(), present(logits, gamma), absent))

    return wrong


MISTAKES = (
    Mistake("This is the sum over all entries; the loss is their mean.", _loss_with(pool=torch.sum)),
    Mistake("The shifted probability is never below 0: a label with p <= m does not count at all.",
            _loss_with(shift=lambda s, margin: s.sigmoid() - margin)),
    Mistake("The margin is taken off the probability, not off the logit.",
            _loss_with(shift=lambda s, margin: (s - margin).sigmoid())),
    Mistake("The margin stands in both places: in the weight and inside the logarithm, log(1 - p_m).",
            _loss_with(rejection=lambda s, shifted: functional.logsigmoid(-s))),
    Mistake("The weight of an absent label is p_m to the power of gamma: small where the label is easy.",
            _loss_with(weight=lambda p, shifted, gamma: (1 - shifted) ** gamma)),
    Mistake("The exponent belongs to absent labels; a present one keeps its full weight.",
            _loss_with(present=lambda s, gamma: s.neg().sigmoid() ** gamma * functional.logsigmoid(s))),
    Mistake("The sigmoid of a very negative logit is 0, and its logarithm infinite: use logsigmoid.",
            _loss_with(present=lambda s, gamma: s.sigmoid().log())),
    Mistake("Present and absent labels are exchanged.",
            lambda s, y, gamma, margin: reference.asymmetric_loss(s, 1 - y, 0.0, gamma, margin)),
)  # fmt: skip
