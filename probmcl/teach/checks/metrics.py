"""Checkers of assignment 1: imbalance, average precision, thresholds from validation."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

from probmcl.evaluate import average_precision as package_average_precision
from probmcl.evaluate import multilabel_metrics, thresholds_from_validation
from probmcl.teach.checks.comparison import Mistake, check_function, check_value
from probmcl.teach.checks.student import generator_of


class Instance(NamedTuple):
    """A student's own scores and labels; the last class has no positive among the test images."""

    validation_scores: Tensor  # (N, K) in [0, 1], with ties
    validation_labels: Tensor  # (N, K)
    test_scores: Tensor  # (N, K)
    test_labels: Tensor  # (N, K)
    few_scores: Tensor  # (8,) with ties, for a computation by hand
    few_labels: Tensor  # (8,)


def instance(student_id: str, term: str = "public") -> Instance:
    """The data of one student.

    Example:
        >>> instance("ada").test_scores.shape
        torch.Size([160, 6])
    """
    generator = generator_of(student_id, term, "a1")
    prevalence = torch.tensor([0.5, 0.3, 0.2, 0.1, 0.06, 0.04])
    parts: list[Tensor] = []
    for _ in range(2):
        labels = (torch.rand(160, 6, generator=generator) < prevalence).long()
        labels[:2, :5] = 1
        noise = torch.randn(160, 6, generator=generator, dtype=torch.float64)
        scores = (1.6 * labels - 1.2 + noise).sigmoid().mul(20).round().div(20)
        parts += [scores, labels]
    parts[3][:, 5] = 0
    parts[1][2, 5] = 1
    few_labels = torch.tensor([1, 0, 1, 0, 0, 1, 0, 0])[torch.randperm(8, generator=generator)]
    few_scores = torch.tensor([0.9, 0.8, 0.8, 0.7, 0.5, 0.5, 0.3, 0.2], dtype=torch.float64)
    return Instance(parts[0], parts[1], parts[2], parts[3], few_scores, few_labels)


def label_statistics(answer: Any, *, seed: int = 0) -> None:
    """Check ``label_statistics(labels)``: cardinality, frequency of each class, imbalance."""

    def label_statistics(labels: Tensor) -> dict[str, Any]:
        frequency = [sum(column) / len(column) for column in labels.T.tolist()]
        present = [share for share in frequency if share]
        return {
            "cardinality": sum(map(sum, labels.tolist())) / len(labels),
            "frequency": frequency,
            "imbalance": max(present) / min(present),
        }

    def with_(**changes: Callable[[Tensor], Any]) -> Callable[[Tensor], dict[str, Any]]:
        return lambda labels: {
            **label_statistics(labels),
            **{name: change(labels) for name, change in changes.items()},
        }

    mistakes = (
        Mistake(
            "`cardinality` is the number of labels an image, not their share of the K classes (the density).",
            with_(cardinality=lambda labels: labels.double().mean()),
        ),
        Mistake(
            "`frequency` is a share of images: divide by N, not by the number of all labels.",
            with_(frequency=lambda labels: labels.double().sum(0) / labels.sum()),
        ),
        Mistake(
            "`imbalance` is infinite: a class that never occurs is left out of it.",
            with_(imbalance=lambda labels: labels.double().sum(0).max() / labels.double().sum(0).min()),
        ),
        Mistake(
            "`imbalance` is the most frequent class over the rarest, not the other way round.",
            with_(imbalance=lambda labels: 1 / label_statistics(labels)["imbalance"]),
        ),
        Mistake("`frequency` holds counts; divide by N.", with_(frequency=lambda labels: labels.sum(0))),
    )
    check_function(answer, label_statistics, [(labels,) for labels in _label_cases(seed)], mistakes)


def average_precision(answer: Any, *, seed: int = 0) -> None:
    """Check ``average_precision(scores, labels)`` of one class: ties are one point; NaN without positives."""
    check_function(answer, _average_precision, _ranking_cases(seed), _AP_MISTAKES, name="average_precision")


def mean_average_precision(answer: Any, *, seed: int = 0) -> None:
    """Check ``mean_average_precision(scores, labels)``: the mean over classes that have positives."""

    def mean_average_precision(scores: Tensor, labels: Tensor) -> float:
        return _by_class(scores, labels).nanmean().item()

    def pooled(scores: Tensor, labels: Tensor) -> float:
        return _average_precision(scores.flatten(), labels.flatten())

    def by_image(scores: Tensor, labels: Tensor) -> float:
        return _by_class(scores.T, labels.T).nanmean().item()

    mistakes = (
        Mistake(
            "A class without positives is counted as 0. It has no average precision: leave it out.",
            lambda scores, labels: _by_class(scores, labels).nan_to_num(0).mean(),
        ),
        Mistake(
            "One class without positives makes the mean NaN: leave it out.",
            lambda scores, labels: _by_class(scores, labels).mean(),
        ),
        Mistake("All classes are ranked together: mAP is a mean of one value a class.", pooled),
        Mistake("The mean is over images, it should be over classes.", by_image),
    )
    check_function(answer, mean_average_precision, _score_cases(seed), mistakes)


def best_thresholds(answer: Any, *, seed: int = 0) -> None:
    """Check ``best_thresholds(scores, labels)``: for each class the highest score with the best F1."""

    def best_thresholds(scores: Tensor, labels: Tensor) -> Tensor:
        return thresholds_from_validation(validation_scores=scores, validation_labels=labels)

    mistakes = (
        Mistake(
            "Of several thresholds with the same F1 take the highest.",
            lambda s, y: _search(s, y, ties="lowest"),
        ),
        Mistake(
            "You compare with > instead of >=: a score equal to the threshold is predicted.",
            lambda s, y: _search(s, y, strict=True),
        ),
        Mistake(
            "This is one threshold for all classes; look for one a class.",
            lambda s, y: _search(s.reshape(-1, 1), y.reshape(-1, 1)).expand(s.shape[1]),
        ),
        Mistake(
            "A class without positives gets infinity: it is never predicted.",
            lambda s, y: best_thresholds(s, y).nan_to_num(posinf=s.max().item()),
        ),
        Mistake(
            "A class without positives gets infinity: it is never predicted.",
            lambda s, y: torch.where(y.sum(0) > 0, best_thresholds(s, y), s.max(0).values),
        ),
        Mistake("The measure is F1, not accuracy.", lambda s, y: _search(s, y, measure="accuracy")),
    )
    check_function(answer, best_thresholds, _score_cases(seed), mistakes)


def by_hand(value: Any, student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check the average precision of a student's own eight scores.

    Args:
        value: the number.
        student_id: whose scores.
        term: of the course.
        tell: whether a wrong number that fits no known mistake is called wrong; False before grading.
    """
    own = instance(student_id, term)
    scores, labels = own.few_scores, own.few_labels
    truth = _average_precision(scores, labels)
    mistakes = [(mistake.hint, mistake.answer(scores, labels)) for mistake in _AP_MISTAKES]
    check_value("my_ap", value, truth, mistakes, tolerance=2e-3, tell=tell)


def own_test(values: tuple[Any, Any], student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check thresholds from validation and CF1 on test of a student's own data; arguments as above."""
    own = instance(student_id, term)
    right = _search(own.validation_scores, own.validation_labels)
    on_test = _search(own.test_scores, own.test_labels)

    def cf1(thresholds: Tensor) -> float:
        return multilabel_metrics(own.test_scores, own.test_labels, thresholds=thresholds).at_threshold.CF1

    predicted = own.test_scores >= right
    correct = (predicted & (own.test_labels > 0)).sum(0).double()
    f1 = 2 * correct / (predicted.sum(0) + own.test_labels.sum(0)).clamp(min=1)
    scored = own.test_labels.sum(0) > 0
    at_threshold = multilabel_metrics(own.test_scores, own.test_labels, thresholds=right).at_threshold
    of_thresholds = (
        ("These thresholds were chosen on the test images, which are then no test any more.", on_test),
        (
            "You compare with > instead of >=.",
            _search(own.validation_scores, own.validation_labels, strict=True),
        ),
        (
            "Of several thresholds with the same F1 take the highest.",
            _search(own.validation_scores, own.validation_labels, ties="lowest"),
        ),
    )
    of_cf1 = (
        ("The thresholds of this number were chosen on the test images.", cf1(on_test)),
        (
            "This is the mean of the classes' F1 (macro F1). CF1 is the harmonic mean of CP and CR.",
            f1[scored].mean(),
        ),
        (
            "This is the mean of the classes' F1 over all classes. CF1 is the harmonic mean of CP and CR.",
            f1.mean(),
        ),
        ("This is OF1: the counts are pooled over classes.", at_threshold.OF1),
        (
            "This is CF1 at a threshold of 0.5.",
            multilabel_metrics(own.test_scores, own.test_labels).at_threshold.CF1,
        ),
        (
            "This is CF1 on the validation images.",
            multilabel_metrics(
                own.validation_scores, own.validation_labels, thresholds=right
            ).at_threshold.CF1,
        ),
    )
    check_value("my_thresholds", values[0], right, of_thresholds, tell=tell)
    check_value("my_cf1", values[1], cf1(right), of_cf1, tell=tell)


def _average_precision(scores: Tensor, labels: Tensor) -> float:
    """Average precision of one class, as the sum over distinct scores; NaN without positives."""
    pairs = list(zip(scores.tolist(), labels.tolist(), strict=True))
    positives = sum(label for _, label in pairs)
    if not positives:
        return math.nan
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        taken = [label for score, label in pairs if score >= threshold]
        recall = sum(taken) / positives
        total += (recall - before) * sum(taken) / len(taken)
        before = recall
    return total


def _by_class(scores: Tensor, labels: Tensor) -> Tensor:
    return package_average_precision(scores.contiguous(), labels.contiguous())


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


def _trapezoid(scores: Tensor, labels: Tensor) -> float:
    """The area under the curve of precision and recall, by trapezoids that start at precision 1."""
    positives = labels.sum().item()
    if not positives:
        return math.nan
    points = [(0.0, 1.0)]
    for threshold in sorted(set(scores.tolist()), reverse=True):
        taken = labels[scores >= threshold].double()
        points.append((taken.sum().item() / positives, taken.mean().item()))
    return sum((r2 - r1) * (p1 + p2) / 2 for (r1, p1), (r2, p2) in pairwise(points))


def _zero_without_positives(scores: Tensor, labels: Tensor) -> float:
    value = _average_precision(scores, labels)
    return 0.0 if math.isnan(value) else value


_ONE_BY_ONE = "Tied scores are taken one by one, so their order decides. Take all rows of a score at once."

_AP_MISTAKES = (
    Mistake(_ONE_BY_ONE, _in_order()),
    Mistake(_ONE_BY_ONE, _in_order(backwards=True)),
    Mistake(
        "The scores are sorted the wrong way: the highest comes first.",
        lambda scores, labels: _average_precision(-scores, labels),
    ),
    Mistake(
        "The sum is divided by all rows; divide by the number of positives.",
        lambda scores, labels: _average_precision(scores, labels) * labels.double().mean().item(),
    ),
    Mistake(
        "These are trapezoids. Average precision is a sum of steps: precision times gain in recall.",
        _trapezoid,
    ),
    Mistake("Without positives there is no average precision: return NaN, not 0.", _zero_without_positives),
)


def _search(
    scores: Tensor, labels: Tensor, *, strict: bool = False, ties: str = "highest", measure: str = "f1"
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
            if value > best or (value == best and ties == "lowest"):
                best, chosen = value, threshold
        found.append(chosen if sum(truth) else math.inf)
    return torch.tensor(found, dtype=torch.float64)


def _label_cases(seed: int) -> list[Tensor]:
    """Label matrices: a small one, one with a class that never occurs, random ones."""
    generator = torch.Generator().manual_seed(seed)
    drawn = (torch.rand(9, 4, generator=generator) < torch.tensor([0.7, 0.4, 0.3, 0.2])).long()
    drawn[0] = 1
    return [
        torch.tensor([[1, 1, 0], [1, 0, 1]]),
        torch.tensor([[1, 1, 0], [1, 0, 0], [1, 0, 0]]),
        drawn,
    ]


def _ranking_cases(seed: int) -> list[tuple[Tensor, Tensor]]:
    """One class: without ties, with ties that hide the order, without positives, random with ties."""
    generator = torch.Generator().manual_seed(seed)
    cases = [
        (torch.tensor([0.9, 0.4, 0.6]), torch.tensor([1, 1, 0])),
        (torch.tensor([0.8, 0.5, 0.5, 0.2]), torch.tensor([0, 1, 0, 1])),
        (torch.tensor([0.8, 0.5, 0.5, 0.2]), torch.tensor([0, 0, 1, 1])),
        (torch.tensor([0.7, 0.1, 0.3, 0.2]), torch.tensor([0, 0, 0, 0])),
    ]
    for n in (8, 12):
        scores = torch.rand(n, generator=generator).mul(5).round().div(5)
        labels = (torch.rand(n, generator=generator) < 0.4).long()
        labels[0] = 1
        cases.append((scores, labels))
    return [(scores.double(), labels) for scores, labels in cases]


def _score_cases(seed: int) -> list[tuple[Tensor, Tensor]]:
    """Several classes, the last one without positives in the second and third case."""
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for n, k in ((4, 2), (5, 3), (10, 4)):
        scores = torch.rand(n, k, generator=generator, dtype=torch.float64).mul(10).round().div(10)
        labels = (torch.rand(n, k, generator=generator) < 0.4).long()
        labels[0] = 1
        if k > 2:
            labels[:, -1] = 0
        cases.append((scores, labels))
    return cases
