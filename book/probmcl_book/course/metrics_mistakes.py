"""Mistakes that the checkers of metrics know: each a wrong way to an answer, and its hint."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from probmcl.evaluate import average_precision, multilabel_metrics, thresholds_from_validation
from probmcl_book.course.comparison import Mistake


def statistics_of(labels: Tensor) -> dict[str, Any]:
    """Cardinality, frequencies and imbalance of labels (N, K)."""
    frequency = [sum(column) / len(column) for column in labels.T.tolist()]
    present = [share for share in frequency if share]
    return {
        "cardinality": sum(map(sum, labels.tolist())) / len(labels),
        "frequency": frequency,
        "imbalance": max(present) / min(present),
    }


def _with(**changes: Callable[[Tensor], Any]) -> Callable[[Tensor], dict[str, Any]]:
    return lambda labels: {
        **statistics_of(labels),
        **{name: change(labels) for name, change in changes.items()},
    }


STATISTICS = (
    Mistake(
        "`cardinality` is the number of labels per image, not their share of the K classes (the density).",
        _with(cardinality=lambda labels: labels.double().mean()),
    ),
    Mistake("`frequency` is a share of images: divide by N, not by the number of all labels.",
            _with(frequency=lambda labels: labels.double().sum(0) / labels.sum())),
    Mistake("`imbalance` is infinite: a class that never occurs is left out of it.",
            _with(imbalance=lambda labels: labels.double().sum(0).max() / labels.double().sum(0).min())),
    Mistake("`imbalance` is the most frequent class over the rarest, not the other way round.",
            _with(imbalance=lambda labels: 1 / statistics_of(labels)["imbalance"])),
    Mistake("`frequency` holds counts; divide by N.", _with(frequency=lambda labels: labels.sum(0))),
    Mistake("`cardinality` is over all images, also those without a label.",
            _with(cardinality=lambda labels: labels.sum() / labels.any(1).sum())),
)  # fmt: skip


Curve = list[tuple[float, float]]
"""Recall and precision at every distinct score, from the highest on."""


def _of_curve(measure: Callable[[Curve], float]) -> Callable[[Tensor, Tensor], float]:
    """A measure of one class's curve; NaN without positives."""

    def value(scores: Tensor, labels: Tensor) -> float:
        if not labels.any():
            return math.nan
        thresholds = sorted(set(scores.tolist()), reverse=True)
        taken = [labels[scores >= threshold].double() for threshold in thresholds]
        return measure([((part.sum() / labels.sum()).item(), part.mean().item()) for part in taken])

    return value


def _average_precision(curve: Curve) -> float:
    """The sum over distinct scores of precision times gain in recall."""
    return sum((r2 - r1) * p for (r1, _), (r2, p) in pairwise([(0.0, 0.0), *curve]))


def _trapezoid(curve: Curve) -> float:
    """The area under the curve by trapezoids that start at precision 1."""
    return sum((r2 - r1) * (p1 + p2) / 2 for (r1, p1), (r2, p2) in pairwise([(0.0, 1.0), *curve]))


def _interpolated(curve: Curve) -> float:
    """Average precision with the highest precision at the same or more recall, as VOC has it since 2010."""
    return _average_precision([(r, max(p for later, p in curve if later >= r)) for r, _ in curve])


def _eleven_points(curve: Curve) -> float:
    """The mean of interpolated precision at recall 0, 0.1, ..., 1, as VOC had it in 2007."""
    return sum(max(p for r, p in curve if r >= tenth / 10 - 1e-9) for tenth in range(11)) / 11


ranked_precision = _of_curve(_average_precision)


def _in_order(backwards: bool = False) -> Callable[[Tensor, Tensor], float]:
    """Average precision that takes tied rows one by one, in their own or the opposite order."""

    def wrong(scores: Tensor, labels: Tensor) -> float:
        order = sorted(range(len(scores)), key=lambda i: (-float(scores[i]), -i if backwards else i))
        hits, total = 0, 0.0
        for rank, row in enumerate(order, 1):
            if labels[row]:
                hits += 1
                total += hits / rank
        return total / hits if hits else math.nan

    return wrong


def _optimistic(scores: Tensor, labels: Tensor) -> float:
    """Average precision one by one, with the positives of a score first."""
    order = sorted(range(len(scores)), key=lambda i: (-float(scores[i]), -int(labels[i])))
    return _in_order()(torch.arange(len(scores), 0, -1).double(), labels[order])


def _roc(scores: Tensor, labels: Tensor) -> float:
    above = scores[labels > 0, None] - scores[labels == 0]
    return ((above > 0).double() + 0.5 * (above == 0)).mean().item()


_ONE_BY_ONE = "Tied scores are taken one by one, so their order decides. Take all rows of a score at once."

AP = (
    Mistake(_ONE_BY_ONE, _in_order()),
    Mistake(_ONE_BY_ONE, _in_order(backwards=True)),
    Mistake("Among tied scores the positives are taken first. Take all rows of a score at once.",
            _optimistic),
    Mistake("The scores are sorted the wrong way: the highest comes first.",
            lambda scores, labels: ranked_precision(-scores, labels)),
    Mistake("The sum is divided by all rows; divide by the number of positives.",
            lambda scores, labels: ranked_precision(scores, labels) * labels.double().mean().item()),
    Mistake("These are trapezoids. Average precision is a sum of steps: precision times gain in recall.",
            _of_curve(_trapezoid)),
    Mistake("This is interpolated: the precision at a score counts as it is, not the highest at more recall.",
            _of_curve(_interpolated)),
    Mistake("These are VOC's eleven points of recall. Sum over all distinct scores.",
            _of_curve(_eleven_points)),
    Mistake("This is the mean of the precisions. Each counts by what it adds to recall.",
            _of_curve(lambda curve: sum(precision for _, precision in curve) / len(curve))),
    Mistake("This is the area under the ROC curve: how often a positive is above a negative.", _roc),
    Mistake("Without positives there is no average precision: return NaN, not 0.",
            lambda scores, labels: ranked_precision(scores, labels) if labels.any() else 0.0),
)  # fmt: skip


def search(
    scores: Tensor,
    labels: Tensor,
    *,
    strict: bool = False,
    ties: str = "highest",
    measure: str = "f1",
    within: float = 0.0,
) -> Tensor:
    """The best threshold of each class by trying every score, with one thing changed."""
    found = []
    for column, truth in zip(scores.T.tolist(), labels.T.tolist(), strict=True):
        best, chosen = -1.0, math.inf
        for threshold in sorted(set(column), reverse=True):
            predicted = [score > threshold if strict else score >= threshold for score in column]
            correct = sum(p and y for p, y in zip(predicted, truth, strict=True))
            value = 2 * correct / max(sum(predicted) + sum(truth), 1)
            if measure == "accuracy":
                value = sum(p == bool(y) for p, y in zip(predicted, truth, strict=True)) / len(truth)
            if value > best + within or (value >= best - within and ties == "lowest"):
                best, chosen = value, threshold
        found.append(chosen if sum(truth) else math.inf)
    return torch.tensor(found, dtype=torch.float64)


def has_ties(scores: Tensor, labels: Tensor) -> bool:
    """Whether two thresholds of a class have the best F1, up to rounding."""
    return bool((search(scores, labels) != search(scores, labels, ties="lowest", within=1e-9)).any())


MAP = (
    Mistake("A class without positives is counted as 0. It has no average precision: leave it out.",
            lambda scores, labels: average_precision(scores, labels).nan_to_num(0).mean()),
    Mistake("One class without positives makes the mean NaN: leave it out.",
            lambda scores, labels: average_precision(scores, labels).mean()),
    Mistake("All classes are ranked together: mAP is a mean of one value per class.",
            lambda scores, labels: ranked_precision(scores.flatten(), labels.flatten())),
    Mistake("The mean is over images, it should be over classes.",
            lambda scores, labels: average_precision(scores.T, labels.T).nanmean()),
    Mistake("Classes count by their positives. The mean is over classes, each the same.",
            lambda s, y: average_precision(s, y).nan_to_num(0) @ y.sum(0).double() / y.sum()),
)  # fmt: skip


def thresholds_of(scores: Tensor, labels: Tensor) -> Tensor:
    """For each class the highest threshold with the highest F1."""
    return thresholds_from_validation(validation_scores=scores, validation_labels=labels)


THRESHOLD = (
    Mistake("Of several thresholds with the same F1 take the highest.",
            lambda s, y: search(s, y, ties="lowest")),
    Mistake("You compare with > instead of >=: a score equal to the threshold is predicted.",
            lambda s, y: search(s, y, strict=True)),
    Mistake("This is one threshold for all classes; look for one per class.",
            lambda s, y: search(s.reshape(-1, 1), y.reshape(-1, 1)).expand(s.shape[1])),
    Mistake("A class without positives gets infinity: it is never predicted.",
            lambda s, y: thresholds_of(s, y).nan_to_num(posinf=s.max().item())),
    Mistake("A class without positives gets infinity: it is never predicted.",
            lambda s, y: torch.where(y.sum(0) > 0, thresholds_of(s, y), s.max(0).values)),
    Mistake("The measure is F1, not accuracy.", lambda s, y: search(s, y, measure="accuracy")),
)  # fmt: skip


def f1_of_classes(answers: Tensor, labels: Tensor) -> Tensor:
    """F1 of each class, (K,); 0 for a class that is neither claimed nor present."""
    correct = (answers.bool() & labels.bool()).sum(0).double()
    return 2 * correct / (answers.sum(0) + labels.sum(0)).clamp(min=1)


def _f1_from_parts(answers: Tensor, labels: Tensor) -> Tensor:
    """F1 of the classes with positives, NaN where precision is 0/0 or nothing is right."""
    correct = (answers * labels).sum(0).double()
    precision, recall = correct / answers.sum(0), correct / labels.sum(0)
    return (2 * precision * recall / (precision + recall))[labels.any(0)]


def _pooled_f1(name: str) -> Callable[[Tensor, Tensor], float]:
    return lambda answers, labels: getattr(
        multilabel_metrics(answers.double(), labels, thresholds=0.5, top_k=1).at_threshold, name
    )


F1 = (
    Mistake("This is CF1: the harmonic mean of CP and CR. First take each class's F1, then the mean.",
            _pooled_f1("CF1")),
    Mistake("This is OF1: the counts are pooled over classes.", _pooled_f1("OF1")),
    Mistake("A class without positives is counted. It is not scored: leave it out of the mean.",
            lambda answers, labels: f1_of_classes(answers, labels).mean()),
    Mistake("0/0 at a class that is never claimed, or never rightly: its F1 is 0.",
            lambda answers, labels: _f1_from_parts(answers, labels).mean()),
    Mistake("A class that is never claimed is left out. It has positives, so it counts, with an F1 of 0.",
            lambda answers, labels: _f1_from_parts(answers, labels).nanmean()),
    Mistake("The mean is over images, it should be over classes.",
            lambda answers, labels: f1_of_classes(answers.T, labels.T)[labels.any(1)].mean()),
)  # fmt: skip
