"""What is a measure of doubt good for? It should find errors, and images from elsewhere.

Three questions, each with an answer that a bootstrap over images can put an interval on:

* does doubt rank the images with an error above those without one: AUROC, 0.5 for a blind score;
* what error remains if the most doubtful images are handed to somebody else: the risk-coverage curve and the
  area under it (Y. Geifman, G. Uziel and R. El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep Neural
  Classifiers", ICLR 2019);
* does doubt rank images of another kind above those of the kind that was trained on: AUROC again.

Only the order of a score matters. The order of the images never does: images with equal doubt count as if
they came in a random order, on average.

Columns stand side by side, each ranked by itself, and areas are means over columns. With one column a seed
that is the mean over seeds, so :func:`~probmcl.evaluate.bootstrap_interval` and
:func:`~probmcl.evaluate.paired_bootstrap_difference` take these metrics as they take mAP.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from probmcl import _check as check
from probmcl.evaluate.metrics import decide


def wrong_labels(scores: Tensor, labels: Tensor, thresholds: Tensor) -> Tensor:
    """Return which decisions "score >= threshold" are wrong, (N, K) bool on the CPU.

    ``wrong.any(1)`` marks the images with at least one wrong label. Arguments and errors as for
    :func:`~probmcl.evaluate.multilabel_metrics`, thresholds (K,).

    >>> wrong_labels(torch.tensor([[0.9, 0.2]]), torch.tensor([[1, 1]]), torch.tensor([0.5, 0.5]))
    tensor([[False,  True]])
    """
    check.scored("scores", scores, "labels", labels)
    return (decide(scores, check.tensor("thresholds", thresholds)) != labels.bool()).cpu()


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """What remains wrong when the least doubtful images are kept.

    Attributes:
        coverage: share of the images kept, (N,): 1/N, 2/N, ... 1.
        risk: mean loss of the images kept, (N,).
        area: mean of ``risk``, the AURC: lower is better.
    """

    coverage: Tensor
    risk: Tensor
    area: float


def risk_coverage(doubt: Tensor, losses: Tensor) -> RiskCoverage:
    """Return the risk-coverage curve of one measure of doubt.

    Args:
        doubt: (N,) finite, higher for images to hand on first.
        losses: (N,) what deciding on an image costs, for instance 1 if a label is wrong, else 0.

    Raises:
        ValueError: if shapes differ or a value is not finite.

    >>> curve = risk_coverage(torch.tensor([0.1, 0.2, 0.9]), torch.tensor([0.0, 0.0, 1.0]))
    >>> curve.risk.round(decimals=3).tolist(), round(curve.area, 3)
    ([0.0, 0.0, 0.333], 0.111)
    """
    check.finite("doubt", doubt, dims=1)
    found = check.finite("losses", check.real("losses", losses, dims=1))
    check.same_shape("losses", found, "doubt", doubt)
    _, group, size = torch.unique(check.real("doubt", doubt), return_inverse=True, return_counts=True)
    of_group = torch.zeros(len(size), dtype=torch.float64).index_add_(0, group, found)
    in_order = (of_group / size).repeat_interleave(size)  # (N,) each loss replaced by the mean of its ties
    risk = in_order.cumsum(0) / torch.arange(1, len(found) + 1)
    coverage = torch.arange(1, len(risk) + 1, dtype=torch.float64) / len(risk)
    return RiskCoverage(coverage, risk, risk.mean().item())


def area_under_risk_coverage(doubt: Tensor, losses: Tensor) -> float:
    """Return the AURC, the mean over columns; a metric for the bootstrap.

    Args:
        doubt: (N, S) finite, each column a measure of doubt.
        losses: (N, S) the losses that belong to each column. Errors as for :func:`risk_coverage`.

    >>> doubt = torch.tensor([[0.1], [0.2], [0.9]])
    >>> round(area_under_risk_coverage(doubt, torch.tensor([[0], [0], [1]])), 3)
    0.111
    """
    check.finite("doubt", doubt, dims=2)
    check.same_shape("losses", check.tensor("losses", losses), "doubt", doubt)
    areas = [risk_coverage(*column).area for column in zip(doubt.T, losses.T, strict=True)]
    return sum(areas) / len(areas)


def best_area(losses: Tensor) -> float:
    """Return the AURC of a score that ranks by the losses themselves, the lowest there can be.

    Args:
        losses: (N, S), as in :func:`area_under_risk_coverage`. A blind score has the area ``losses.mean()``.

    >>> round(best_area(torch.tensor([[1], [0], [0]])), 3)
    0.111
    """
    found = check.finite("losses", check.real("losses", losses, dims=2))
    return area_under_risk_coverage(found, found)


def shifted_against_clean(clean: Tensor, shifted: Tensor) -> tuple[Tensor, Tensor]:
    """Return doubt and event of a detection: which images are of another kind?

    Args:
        clean: (N, S) doubt about images of the kind that was trained on.
        shifted: (M, S) doubt about the others.

    Returns:
        Doubt (N + M, S) and events (N + M, S), 1 for the shifted images: arguments for
        :func:`~probmcl.evaluate.mean_auroc` and the bootstrap, which draws from both kinds together.

    >>> from probmcl.evaluate import mean_auroc
    >>> mean_auroc(*shifted_against_clean(torch.tensor([[0.1], [0.2]]), torch.tensor([[0.7]])))
    1.0
    """
    check.finite("clean", clean, dims=2)
    check.finite("shifted", shifted, dims=2)
    check.alike("shifted", shifted.shape[1], "clean", clean.shape[1], "columns")
    doubt = torch.cat([clean, shifted])
    events = torch.zeros(doubt.shape, dtype=torch.uint8, device=doubt.device)
    events[len(clean) :] = 1
    return doubt, events
