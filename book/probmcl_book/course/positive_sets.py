"""Checkers of assignment 2 and of an exercise: overlap, positive sets, contrastive loss (M7 to M9)."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from probmcl.data import label_distribution, label_sets
from probmcl_book import reference
from probmcl_book.course import positive_sets_mistakes as mistakes
from probmcl_book.course.comparison import WrongAnswerError, check_function, check_value, measured
from probmcl_book.course.student import generator_of

ALPHA = 0.5
PRECISION = 1e-3
"""Of numbers that are asked for to three decimals."""


class Instance(NamedTuple):
    """A student's own batch."""

    labels: Tensor  # (N, K) zeros and ones, label sets of DigitScenes and some rows without a label
    logits: Tensor  # (N, N)


def instance(student_id: str, term: str = "public", rows: int = 48) -> Instance:
    """The batch of one student: the first drawn in which every mistake of :func:`own_loss` is seen.

    >>> instance("ada").labels.shape
    torch.Size([48, 10])
    """
    generator = generator_of(student_id, term, "a2")
    while True:
        drawn = torch.multinomial(label_distribution(), rows, replacement=True, generator=generator)
        labels = label_sets()[drawn]
        labels[torch.randperm(rows, generator=generator)[:3]] = 0
        own = Instance(labels, 4 * torch.randn(rows, rows, generator=generator, dtype=torch.float64))
        truth, told = _losses(own)
        if all(abs(loss - truth) > 3 * PRECISION for _, loss in told):
            return own


def jaccard(answer: Any, *, seed: int = 0) -> None:
    """Check ``jaccard(labels)``: the index of every pair of rows, 0 for two empty rows (M7)."""
    kinds = (torch.int64, torch.int64, torch.bool, torch.float32, torch.int64)  # of any dtype, says the task
    cases = [(labels.to(kind),) for labels, kind in zip(_label_cases(seed), kinds, strict=True)]
    check_function(answer, reference.overlap, cases, mistakes.JACCARD, name="jaccard")


def positive_mask(answer: Any, *, seed: int = 0) -> None:
    """Check ``positive_mask(labels, alpha)``: who is positive for whom, empty rows matching (M7, M8)."""

    def positive_mask(labels: Tensor, alpha: float) -> Tensor:
        return reference.positive_set(labels, "jaccard", alpha, "match").double()

    check_function(answer, positive_mask, _threshold_cases(seed), mistakes.MASK)


def contrastive_loss(answer: Any, *, seed: int = 0) -> None:
    """Check ``contrastive_loss(logits, mask)``: the mean over anchors with positives (M9), without a loop."""

    def contrastive_loss(logits: Tensor, mask: Tensor) -> Tensor:
        return reference.contrastive_loss(logits, mask)

    check_function(answer, contrastive_loss, _loss_cases(seed), mistakes.LOSS)
    check_function(answer, contrastive_loss, [_case_without_positives(seed)], [mistakes.LOSS_OF_NOBODY])
    _without_loops(answer, "contrastive_loss")


def loss_floor(answer: Any, *, seed: int = 0) -> None:
    """Check ``loss_floor(mask)``: the mean over anchors with positives of log |A(i)|."""

    def loss_floor(mask: Tensor) -> float:
        counts = [sum(row) for row in mask.tolist()]
        logs = [math.log(count) for count in counts if count]
        return sum(logs) / len(logs) if logs else 0.0

    cases = [(mask,) for _, mask in _loss_cases(seed)]
    check_function(answer, loss_floor, cases, mistakes.FLOOR)
    check_function(answer, loss_floor, [_case_without_positives(seed)[1:]], [mistakes.FLOOR_OF_NOBODY])


def weights_above(answer: Any, *, seed: int = 0) -> None:
    """Check ``weights_above(labels, alpha)``: the Jaccard index from alpha on, 0 below (M7, M8)."""

    def weights_above(labels: Tensor, alpha: float) -> Tensor:
        enough = reference.positive_set(labels, threshold=alpha)
        return reference.positive_weights(labels, "weighted") * enough

    check_function(answer, weights_above, _threshold_cases(seed), mistakes.WEIGHT)


def own_statistics(
    values: tuple[Any, Any], student_id: str, term: str = "public", *, tell: bool = False
) -> None:
    """Check mean positives per anchor and share of anchors without any, on a student's own labels."""
    labels = instance(student_id, term).labels
    (mean,), (share,) = reference.positive_statistics(labels, (ALPHA,))
    counts = reference.positive_set(labels, threshold=ALPHA).sum(1).double()
    dropped, share_dropped = reference.positive_statistics(labels, (ALPHA,), empty="drop")
    of_means = (
        ("Every anchor is counted as its own positive.", mean + 1),
        ("Rows without labels match each other here.", dropped[0]),
        ("The mean is over all anchors, also those without positives.", counts[counts > 0].mean()),
        ("This is the share of all pairs. Count the positives of each anchor.", mean / len(labels)),
        ("This is the number of all pairs; divide by the number of anchors.", mean * len(labels)),
    )
    of_shares = (
        ("This is the share of anchors that have positives.", 1 - share),
        ("Rows without labels match each other here.", share_dropped[0]),
        ("This is a number of anchors; divide by N.", share * len(labels)),
    )
    check_value("my_mean_positives", values[0], mean, of_means, tolerance=PRECISION, tell=tell)
    check_value("my_share_without", values[1], share, of_shares, tolerance=PRECISION, tell=tell)


def own_loss(value: Any, student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check the contrastive loss of a student's own logits over the own positives; ``tell`` as above."""
    truth, told = _losses(instance(student_id, term))
    check_value("my_loss", value, truth, told, tolerance=PRECISION, tell=tell)


def _losses(own: Instance) -> tuple[Tensor, list[tuple[str, Tensor]]]:
    """The loss of a batch, and what each typical mistake makes of it, with its hint."""
    labels, logits = own
    mask = reference.positive_set(labels, threshold=ALPHA)
    dropped = reference.positive_set(labels, threshold=ALPHA, empty="drop")
    itself = torch.eye(len(labels), dtype=torch.bool)
    return reference.contrastive_loss(logits, mask), [
        ("Rows without labels match each other here.", reference.contrastive_loss(logits, dropped)),
        ("The softmax runs over the wrong axis.", mistakes.loss_along_columns(logits, mask)),
        ("The mask keeps its diagonal.", mistakes.loss_with_itself(logits, mask | itself)),
        ("The diagonal is kept in the denominator.", mistakes.loss_with_itself(logits, mask)),
    ]


def _label_cases(seed: int) -> list[Tensor]:
    """Small label matrices: pairs on the edge, one and several empty rows, then random ones."""
    small = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 1, 1]])
    with_one_empty = torch.tensor([[1, 1], [0, 0], [1, 0]])
    with_empty_rows = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
    generator = torch.Generator().manual_seed(seed)
    drawn = [(torch.rand(n, 5, generator=generator) < 0.4).long() for n in (5, 7)]
    return [small, with_one_empty, with_empty_rows, *drawn]


def _threshold_cases(seed: int) -> list[tuple[Tensor, float]]:
    """Label matrices under three thresholds."""
    return [(labels, alpha) for labels in _label_cases(seed) for alpha in (0.25, ALPHA, 1.0)]


def _loss_cases(seed: int) -> list[tuple[Tensor, Tensor]]:
    """Logits and masks: a tiny one, one with a lonely anchor, random ones, and one with large logits."""
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for n, scale in ((3, 1.0), (4, 1.0), (5, 4.0), (6, 2.0), (6, 900.0)):
        logits = scale * torch.randn(n, n, generator=generator, dtype=torch.float64)
        mask = (torch.rand(n, n, generator=generator) < 0.5).double().fill_diagonal_(0)
        mask[0, 1] = 1
        if n == 4 or n == 6:
            mask[-1] = 0
        cases.append((logits, mask))
    return cases


def _case_without_positives(seed: int) -> tuple[Tensor, Tensor]:
    """Logits and an empty mask; checked by itself, or its NaN would hide the hint at another mistake."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3, 3, generator=generator, dtype=torch.float64), torch.zeros(3, 3).double()


def _without_loops(answer: Any, name: str, few: int = 6, many: int = 30) -> None:
    """Raise if an answer takes a step more for every anchor more: in a loop of its own or of a helper."""
    taken = []
    for n in (few, many):
        others = 1 - torch.eye(n, dtype=torch.float64)
        taken.append(measured(answer, "steps", [others.cumsum(0), others]))
    if taken[1] - taken[0] >= many - few:
        raise WrongAnswerError(
            f"`{name}` is right, but it has a loop: {few} anchors take {taken[0]} steps, {many} {taken[1]}.\n"
            "  Hint: compute all anchors at once: one (N, N) matrix."
        )
