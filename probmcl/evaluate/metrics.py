"""Scores of many labels become a few honest numbers.

Ranking metrics (average precision, AUROC) come from scikit-learn, class by class; the precision and recall of
yes/no decisions are counted here as the tables of multi-label classification count them (ML-GCN, arXiv
1904.03582, and ASL, arXiv 2009.14119). Two rules hold throughout:

* a class on which a metric is undefined gives NaN and is left out of the mean, and the number of classes that
  were scored stands beside the mean;
* the order of the rows never matters, not even where scores are equal.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import inf, nan

import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from probmcl import _check as check

Metric = Callable[[Tensor, Tensor], float]
"""A metric of scores (N, K) and labels (N, K): what training watches and what the bootstrap resamples."""


def scored_classes(labels: Tensor) -> Tensor:
    """Return which classes have at least one positive, (K,) bool: mAP, CP and CR are means over them.

    Args:
        labels: (N, K) label matrix of zeros and ones.

    >>> scored_classes(torch.tensor([[1, 0], [1, 0]]))
    tensor([ True, False])
    """
    return check.labels("labels", labels).bool().any(dim=0)


def average_precision(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the average precision of each class: sum_n (R_n - R_(n-1)) P_n over its distinct scores.

    Equal scores are one point of the curve, so the order of tied rows does not matter.

    Args:
        scores: (N, K) finite scores, higher for more likely; only their order within a class matters.
        labels: (N, K) label matrix of zeros and ones.

    Returns:
        (K,) float64 in [0, 1]; NaN for a class without positives, 1 for a class with positives only.

    Raises:
        ValueError: if shapes differ, scores are not finite, or labels are not 0/1.

    >>> scores = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.1, 0.3]])
    >>> labels = torch.tensor([[1, 0], [0, 0], [1, 0]])
    >>> average_precision(scores, labels)  # (1/1 + 2/3) / 2, and a class without positives
    tensor([0.8333,    nan], dtype=torch.float64)
    """
    check.scored("scores", scores, "labels", labels)
    return _by_class(average_precision_score, scores, labels, scored_classes(labels))


def mean_average_precision(scores: Tensor, labels: Tensor) -> float:
    """Return mAP: the mean :func:`average_precision` of the classes that have positives.

    How many classes that are is ``scored_classes(labels).sum()``, and ``classes_scored`` of
    :func:`multilabel_metrics`. NaN if no class has a positive. Arguments and errors as for
    :func:`average_precision`.

    >>> scores = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.1, 0.3]])
    >>> round(mean_average_precision(scores, torch.tensor([[1, 0], [0, 0], [1, 0]])), 4)
    0.8333
    """
    return average_precision(scores, labels).nanmean().item()


def auroc(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the area under the ROC curve of each class: P(score of a positive > score of a negative).

    Ties count one half. Arguments and errors as for :func:`average_precision`.

    Returns:
        (K,) float64 in [0, 1]; NaN for a class whose labels are all 0 or all 1.

    >>> scores = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.1, 0.3]])
    >>> auroc(scores, torch.tensor([[1, 1], [0, 1], [1, 1]]))
    tensor([0.5000,    nan], dtype=torch.float64)
    """
    check.scored("scores", scores, "labels", labels)
    both_values = scored_classes(labels) & (labels == 0).any(dim=0)
    return _by_class(roc_auc_score, scores, labels, both_values)


def mean_auroc(scores: Tensor, labels: Tensor) -> float:
    """Return the mean :func:`auroc` of the classes that have both positives and negatives; NaN if none has.

    >>> mean_auroc(torch.tensor([[0.9], [0.8], [0.1]]), torch.tensor([[1], [0], [1]]))
    0.5
    """
    return auroc(scores, labels).nanmean().item()


@dataclass(frozen=True)
class Decisions:
    """Precision, recall and F1 of yes/no decisions, each in [0, 1], under the names of the field's tables.

    With TP_k correct, P_k predicted and G_k true rows of class k: CP = mean_k TP_k / P_k and CR = mean_k
    TP_k / G_k over the classes with positives; OP = sum_k TP_k / sum_k P_k and OR = sum_k TP_k / sum_k G_k
    over all classes; each F1 is the harmonic mean of the pair before it, 2 CP CR / (CP + CR) and 2 OP OR /
    (OP + OR). So CF1 is *not* the mean of the classes' F1, which other libraries call macro F1.

    A class that is never predicted has precision 0, and F1 is 0 where precision and recall both are. Without
    any positive in any class, CP, CF1, CR, OR and OF1 are NaN.
    """

    CP: float
    CR: float
    CF1: float
    OP: float
    OR: float
    OF1: float


@dataclass(frozen=True, eq=False)
class MultiLabelMetrics:
    """What :func:`multilabel_metrics` returns.

    Attributes:
        rows: N, the images scored.
        classes: K, all classes.
        classes_scored: the classes with at least one positive; mAP, CP, CR and chance are means over these.
        cardinality: mean labels an image.
        chance: the mAP of random scores: the mean frequency of the scored classes.
        mean_average_precision: mAP.
        average_precision: (K,) NaN for a class without positives.
        mean_auroc: mean over the classes with positives and negatives.
        auroc: (K,) NaN for a class whose labels are all equal.
        at_threshold: decisions "score >= threshold".
        k: the k of the top-k decisions.
        top_k: decisions "among the image's k highest scores, and score >= threshold"; NaN where K < k.
    """

    rows: int
    classes: int
    classes_scored: int
    cardinality: float
    chance: float
    mean_average_precision: float
    average_precision: Tensor
    mean_auroc: float
    auroc: Tensor
    at_threshold: Decisions
    k: int
    top_k: Decisions

    def summary(self) -> dict[str, float]:
        """Return the scalar metrics by the names of the field's tables: mAP, AUROC, CP, ..., top-3 OF1."""
        top_k = {f"top-{self.k} {name}": value for name, value in asdict(self.top_k).items()}
        means = {"mAP": self.mean_average_precision, "AUROC": self.mean_auroc}
        return means | asdict(self.at_threshold) | top_k


def multilabel_metrics(
    scores: Tensor, labels: Tensor, *, thresholds: float | Tensor = 0.5, top_k: int = 3
) -> MultiLabelMetrics:
    """Return all metrics of the field's tables for one set of images.

    Thresholds are compared with the scores as they are, so 0.5 is meant for probabilities and 0 for logits.
    As in the evaluation code released with ML-GCN, which many tables come from, the top-k labels of an
    image must also reach the threshold; a threshold of ``-inf`` takes all k.

    Args:
        scores: (N, K) finite scores, higher for more likely.
        labels: (N, K) label matrix of zeros and ones.
        thresholds: one number, or (K,) one per class, for instance from
            :func:`~probmcl.evaluate.thresholds_from_validation`. Predicted means score >= threshold.
        top_k: labels an image in the top-k decisions, >= 1; with fewer classes these are NaN. Of equal
            scores the first class wins.

    Raises:
        ValueError: if shapes differ, scores are not finite, labels are not 0/1, thresholds are NaN or not
            (K,), or top_k < 1.

    >>> scores = torch.tensor([[0.9, 0.1], [0.8, 0.7], [0.1, 0.6]])
    >>> metrics = multilabel_metrics(scores, torch.tensor([[1, 0], [0, 1], [0, 1]]), top_k=1)
    >>> metrics.mean_average_precision, metrics.at_threshold.CP, metrics.top_k.OR
    (1.0, 0.75, 0.6666666666666666)
    """
    check.scored("scores", scores, "labels", labels)
    enough = check.count("top_k", top_k) <= scores.shape[1]
    truth, scored = labels.bool(), scored_classes(labels)
    predicted = decide(scores, thresholds)
    # A stable sort gives ties to the first class on every device.
    best = scores.sort(dim=1, descending=True, stable=True).indices[:, :top_k]  # (N, k)
    highest = torch.zeros_like(predicted).scatter_(1, best, True)
    class_average_precision, class_auroc = average_precision(scores, labels), auroc(scores, labels)
    return MultiLabelMetrics(
        rows=len(labels),
        classes=labels.shape[1],
        classes_scored=int(scored.sum()),
        cardinality=truth.sum(dim=1).double().mean().item(),
        chance=truth.double().mean(dim=0)[scored].mean().item(),
        mean_average_precision=class_average_precision.nanmean().item(),
        average_precision=class_average_precision,
        mean_auroc=class_auroc.nanmean().item(),
        auroc=class_auroc,
        at_threshold=_decisions(predicted, truth),
        k=top_k,
        top_k=_decisions(predicted & highest, truth) if enough else Decisions(*[nan] * 6),
    )


def decide(scores: Tensor, thresholds: float | Tensor) -> Tensor:
    """Return the decisions "score >= threshold", (N, K) bool, the same wherever a score meets a threshold.

    Thresholds are compared in the precision of the scores, so a score reaches the threshold it was made.

    Args:
        scores: (N, K).
        thresholds: one number, or (K,), one per class; infinite ones decide alike for all rows.

    >>> decide(torch.tensor([[0.1, 0.7]]), torch.tensor([0.1, 0.8], dtype=torch.float64))
    tensor([[ True, False]])
    """
    if not isinstance(thresholds, Tensor):
        return scores >= check.number("thresholds", thresholds, low=-inf, high=inf)
    found = check.real("thresholds", thresholds)
    if found.shape not in ((), (scores.shape[1],)):
        raise ValueError(f"thresholds: expected shape ({scores.shape[1]},), got {tuple(found.shape)}")
    if found.isnan().any():
        raise ValueError("thresholds: expected numbers, got NaN")
    return scores >= found.to(scores)


def _decisions(predicted: Tensor, truth: Tensor) -> Decisions:
    """Count the decisions ``predicted`` (N, K) bool against ``truth`` (N, K) bool."""
    correct = (predicted & truth).sum(dim=0).double()  # (K,) TP_k
    claimed, actual = predicted.sum(dim=0), truth.sum(dim=0)  # (K,) P_k, G_k
    scored = actual > 0
    CP = (correct / claimed.clamp(min=1))[scored].mean().item()
    CR = (correct / actual)[scored].mean().item()
    OP = (correct.sum() / claimed.sum().clamp(min=1)).item()
    OR = (correct.sum() / actual.sum()).item()
    return Decisions(CP=CP, CR=CR, CF1=_f1(CP, CR), OP=OP, OR=OR, OF1=_f1(OP, OR))


def _f1(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def _by_class(metric: Callable[..., float], scores: Tensor, labels: Tensor, defined: Tensor) -> Tensor:
    """Return scikit-learn's ``metric`` of each class on which it is ``defined``, NaN elsewhere."""
    columns, truth = scores.detach().double().cpu().numpy(), labels.bool().cpu().numpy()
    values = torch.full((len(defined),), nan, dtype=torch.float64)
    for k in defined.nonzero().flatten().tolist():
        values[k] = float(metric(truth[:, k], columns[:, k]))
    return values
