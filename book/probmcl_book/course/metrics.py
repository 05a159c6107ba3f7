"""Checkers of assignment 1 and of an exercise: imbalance, average precision, thresholds, macro F1."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from probmcl import evaluate
from probmcl_book.course import metrics_mistakes as mistakes
from probmcl_book.course.comparison import check_function, check_value
from probmcl_book.course.student import generator_of


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

    >>> instance("ada").test_scores.shape
    torch.Size([160, 6])
    """
    generator = generator_of(student_id, term, "a1")
    while True:
        validation, test = _scored(generator), _scored(generator)
        test[1][:, 5] = 0
        validation[1][2, 5] = 1
        if not mistakes.has_ties(*validation):  # or the last bit of a formula would decide a threshold
            return Instance(*validation, *test, *_few(generator))


def _scored(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Scores and labels of 160 images."""
    prevalence = torch.tensor([0.5, 0.3, 0.2, 0.1, 0.06, 0.04])
    labels = (torch.rand(160, 6, generator=generator) < prevalence).long()
    labels[:2, :5] = 1
    noise = torch.randn(160, 6, generator=generator, dtype=torch.float64)
    return (1.6 * labels - 1.2 + noise).sigmoid().mul(20).round().div(20), labels


def _few(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Eight scores, the highest first, and labels; drawn until every mistake gives a wrong number."""
    while True:
        labels = torch.tensor([1, 0, 1, 0, 0, 1, 0, 0])[torch.randperm(8, generator=generator)]
        scores = torch.randint(2, 10, (8,), generator=generator).sort(descending=True).values.double() / 10
        truth = mistakes.ranked_precision(scores, labels)
        seen = mistakes.AP[:-1]  # the last is of scores without a positive
        if all(abs(mistake.answer(scores, labels) - truth) > 0.01 for mistake in seen):
            return scores, labels


def label_statistics(answer: Any, *, seed: int = 0) -> None:
    """Check ``label_statistics(labels)``: cardinality, frequency of each class, imbalance."""
    cases = [(labels,) for labels in _label_cases(seed)]
    check_function(answer, mistakes.statistics_of, cases, mistakes.STATISTICS, name="label_statistics")


def average_precision(answer: Any, *, seed: int = 0) -> None:
    """Check ``average_precision(scores, labels)`` of one class: ties are one point; NaN without positives."""
    check_function(
        answer, mistakes.ranked_precision, _ranking_cases(seed), mistakes.AP, name="average_precision"
    )


def mean_average_precision(answer: Any, *, seed: int = 0) -> None:
    """Check ``mean_average_precision(scores, labels)``: the mean over classes that have positives."""
    check_function(answer, evaluate.mean_average_precision, _score_cases(seed), mistakes.MAP)


def best_thresholds(answer: Any, *, seed: int = 0) -> None:
    """Check ``best_thresholds(scores, labels)``: for each class the highest score with the best F1."""
    cases = _score_cases(seed)
    check_function(answer, mistakes.thresholds_of, cases, mistakes.THRESHOLD, name="best_thresholds")


def macro_f1(answer: Any, *, seed: int = 0) -> None:
    """Check ``macro_f1(answers, labels)``: the mean F1 of the classes that have positives."""

    def macro_f1(answers: Tensor, labels: Tensor) -> float:
        return mistakes.f1_of_classes(answers, labels)[labels.any(0)].mean().item()

    check_function(answer, macro_f1, _answer_cases(seed), mistakes.F1)


def by_hand(value: Any, student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check the average precision of a student's own eight scores; ``tell`` of :func:`check_value`."""
    own = instance(student_id, term)
    scores, labels = own.few_scores, own.few_labels
    truth = mistakes.ranked_precision(scores, labels)
    told = [(mistake.hint, mistake.answer(scores, labels)) for mistake in mistakes.AP]
    check_value("my_ap", value, truth, told, tolerance=2e-3, tell=tell)


def own_test(values: tuple[Any, Any], student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check thresholds from validation and CF1 on test of a student's own data; ``tell`` as above."""
    own = instance(student_id, term)
    scores, labels = own.validation_scores, own.validation_labels
    right = mistakes.search(scores, labels)
    on_test = mistakes.search(own.test_scores, own.test_labels)
    lowest = mistakes.search(scores, labels, ties="lowest")
    of_thresholds = (
        ("These thresholds were chosen on the test images, which are then no test any more.", on_test),
        ("You compare with > instead of >=.", mistakes.search(scores, labels, strict=True)),
        ("Of several thresholds with the same F1 take the highest.", lowest),
    )
    at_right = evaluate.multilabel_metrics(own.test_scores, own.test_labels, thresholds=right).at_threshold
    macro = "This is the mean of the classes' F1 (macro F1). CF1 is the harmonic mean of CP and CR."
    f1 = mistakes.f1_of_classes(own.test_scores >= right, own.test_labels)
    of_cf1 = (
        ("The thresholds of this number were chosen on the test images.", _cf1(own, on_test)),
        (macro, f1[own.test_labels.any(0)].mean()),
        (macro, f1.mean()),
        ("This is OF1: the counts are pooled over classes.", at_right.OF1),
        (
            "The class without positives is counted, with a recall of 0: leave it out.",
            _cf1_of_all(own, right),
        ),
        (
            "The thresholds were rounded to float32 on the way, and scores equal to them fell below.",
            _cf1(own, right.float().double()),
        ),
        ("This is CF1 at a threshold of 0.5.", _cf1(own, torch.full_like(right, 0.5))),
        (
            "This is CF1 on the validation images.",
            evaluate.multilabel_metrics(scores, labels, thresholds=right).at_threshold.CF1,
        ),
    )
    check_value("my_thresholds", values[0], right, of_thresholds, tell=tell)
    check_value("my_cf1", values[1], at_right.CF1, of_cf1, tell=tell)


def _cf1(own: Instance, thresholds: Tensor) -> float:
    metrics = evaluate.multilabel_metrics(own.test_scores, own.test_labels, thresholds=thresholds)
    return metrics.at_threshold.CF1


def _cf1_of_all(own: Instance, thresholds: Tensor) -> float:
    predicted, labels = own.test_scores >= thresholds, own.test_labels.bool()
    right = (predicted & labels).sum(0).double()
    precision, recall = (right / part.sum(0).clamp(min=1) for part in (predicted, labels))
    return (2 / (1 / precision.mean() + 1 / recall.mean())).item()


def _label_cases(seed: int) -> list[Tensor]:
    """Label matrices: small ones, with a class that never occurs, with a row without labels, a random one."""
    generator = torch.Generator().manual_seed(seed)
    drawn = (torch.rand(9, 4, generator=generator) < torch.tensor([0.7, 0.4, 0.3, 0.2])).long()
    drawn[0], drawn[1] = 1, 0
    return [
        torch.tensor([[1, 1, 0], [1, 0, 1]]),
        torch.tensor([[1, 1, 0], [1, 0, 0], [1, 0, 0]]),
        torch.tensor([[1, 1], [0, 0], [1, 0]]),
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
    """Several classes: a tie in F1 and a threshold that accuracy would not choose, then random ones.

    The tie is one that every formula of F1 sees; the random cases have none. The last class of the two larger
    random ones has no positives.
    """
    generator = torch.Generator().manual_seed(seed)
    scores = torch.tensor([[0.9, 0.8, 0.6, 0.4, 0.1], [0.1, 0.7, 0.5, 0.9, 0.3]]).double().T
    cases = [(scores, torch.tensor([[1, 0, 0, 1, 0], [0, 0, 1, 0, 0]]).T)]
    sizes = [(4, 2), (5, 3), (10, 4)]
    while sizes:
        n, k = sizes[0]
        scores = torch.rand(n, k, generator=generator, dtype=torch.float64).mul(10).round().div(10)
        labels = (torch.rand(n, k, generator=generator) < 0.4).long()
        labels[0] = 1
        if k > 2:
            labels[:, -1] = 0
        if not mistakes.has_ties(scores, labels):
            cases.append((scores, labels))
            sizes.pop(0)
    return cases


def _answer_cases(seed: int) -> list[tuple[Tensor, Tensor]]:
    """Answers and labels: a class never claimed, one never right, one without positives, random ones."""
    generator = torch.Generator().manual_seed(seed)
    answers, labels = torch.rand(2, 8, 4, generator=generator).round().long()
    labels[0] = 1
    labels[:, -1] = 0
    return [
        (torch.tensor([[1, 0], [0, 0], [1, 0]]), torch.tensor([[1, 0], [1, 1], [1, 0]])),
        (torch.tensor([[1, 1, 1], [1, 0, 0]]), torch.tensor([[1, 0, 0], [1, 1, 0]])),
        (answers, labels),
    ]
