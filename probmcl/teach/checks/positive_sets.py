"""Checkers of assignment 2: overlap, positive sets, and the contrastive loss over them (M7 to M9)."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from probmcl import reference
from probmcl.data import label_distribution, label_sets
from probmcl.teach.checks.comparison import Mistake, WrongAnswerError, check_function, check_value
from probmcl.teach.checks.student import generator_of

ALPHA = 0.5


class Instance(NamedTuple):
    """A student's own batch."""

    labels: Tensor  # (N, K) zeros and ones, label sets of DigitScenes and some rows without a label
    logits: Tensor  # (N, N)


def instance(student_id: str, term: str = "public", rows: int = 48) -> Instance:
    """The batch of one student.

    Example:
        >>> instance("ada").labels.shape
        torch.Size([48, 10])
    """
    generator = generator_of(student_id, term, "a2")
    drawn = torch.multinomial(label_distribution(), rows, replacement=True, generator=generator)
    labels = label_sets()[drawn]
    labels[torch.randperm(rows, generator=generator)[:3]] = 0
    return Instance(labels, 4 * torch.randn(rows, rows, generator=generator, dtype=torch.float64))


def jaccard(answer: Any, *, seed: int = 0) -> None:
    """Check ``jaccard(labels)``: the index of every pair of rows, 0 for two empty rows (M7)."""

    def jaccard(labels: Tensor) -> Tensor:
        return reference.overlap(labels, index="jaccard")

    def over(denominator: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def wrong(labels: Tensor) -> Tensor:
            y = labels.double()
            sizes = y.sum(1)
            below = denominator(sizes[:, None], sizes[None])
            return torch.where(below > 0, y @ y.T / below, 0)

        return wrong

    def divide_by_zero(labels: Tensor) -> Tensor:
        y = labels.double()
        shared = y @ y.T
        return shared / (y.sum(1)[:, None] + y.sum(1) - shared)

    def integers(labels: Tensor) -> Tensor:
        return jaccard(labels).floor()

    mistakes = (
        Mistake(
            "The denominator counts the shared labels twice: the union has |a| + |b| - |a and b| labels.",
            over(lambda a, b: a + b),
        ),
        Mistake(
            "That is the Dice index. Jaccard divides the shared labels by the union.",
            lambda labels: reference.overlap(labels, index="dice"),
        ),
        Mistake(
            "That is the overlap coefficient: you divide by the smaller set, Jaccard by the union.",
            lambda labels: reference.overlap(labels, index="overlap"),
        ),
        Mistake("Divide the shared labels by the size of the union.", lambda labels: _shared(labels)),
        Mistake(
            "All K classes are in the denominator: the union holds only labels that one of the rows has.",
            lambda labels: _shared(labels) / labels.shape[1],
        ),
        Mistake("Two empty rows give 0/0. Here their index is 0.", divide_by_zero),
        Mistake("Whole numbers were divided with //, or the result was rounded.", integers),
    )
    check_function(answer, jaccard, [(labels,) for labels in _label_cases(seed)], mistakes)


def positive_mask(answer: Any, *, seed: int = 0) -> None:
    """Check ``positive_mask(labels, alpha)``: who is positive for whom, empty rows matching (M7, M8)."""

    def positive_mask(labels: Tensor, alpha: float) -> Tensor:
        return reference.positive_set(labels, "jaccard", alpha, "match").double()

    def without(
        change: Callable[[Tensor, Tensor, float], Tensor],
    ) -> Callable[[Tensor, float], Tensor]:
        return lambda labels, alpha: change(labels, positive_mask(labels, alpha), alpha).double()

    def strict(labels: Tensor, right: Tensor, alpha: float) -> Tensor:
        on_the_edge = (reference.overlap(labels) - alpha).abs() < 1e-9
        return torch.where(on_the_edge, 0, right)

    def empty_drop(labels: Tensor, right: Tensor, alpha: float) -> Tensor:
        return reference.positive_set(labels, "jaccard", alpha, "drop")

    def any_label(labels: Tensor, right: Tensor, alpha: float) -> Tensor:
        shared = (_shared(labels) > 0).double().fill_diagonal_(0)
        return torch.where(_both_empty(labels), right, shared)

    def empty_and_diagonal(labels: Tensor, right: Tensor, alpha: float) -> Tensor:
        diagonal = (labels.sum(1) > 0).double().diag()
        return empty_drop(labels, right, alpha).double() + diagonal

    mistakes = (
        Mistake(
            "The diagonal is kept: a row is never its own positive.",
            without(lambda labels, right, alpha: right.clone().fill_diagonal_(1)),
        ),
        Mistake("You compare with > instead of >=: an overlap of exactly alpha is enough.", without(strict)),
        Mistake("Two rows without labels match each other here (the policy `match`).", without(empty_drop)),
        Mistake(
            "The diagonal is kept, and rows without labels do not match each other.",
            without(empty_and_diagonal),
        ),
        Mistake("One shared label is taken to be enough: alpha has no effect.", without(any_label)),
        Mistake(
            "The two halves are exchanged: positives are the pairs whose overlap reaches alpha.",
            without(lambda labels, right, alpha: (1 - right).fill_diagonal_(0)),
        ),
    )
    cases = [(labels, alpha) for labels in _label_cases(seed) for alpha in (0.25, ALPHA, 1.0)]
    check_function(answer, positive_mask, cases, mistakes)


def contrastive_loss(answer: Any, *, seed: int = 0) -> None:
    """Check ``contrastive_loss(logits, mask)``: the mean over anchors with positives (M9), without a loop."""

    def contrastive_loss(logits: Tensor, mask: Tensor) -> Tensor:
        return reference.contrastive_loss(logits, mask)

    mistakes = (
        Mistake(
            "The softmax runs over the wrong axis: each row, an anchor's candidates, has to sum to one.",
            _loss(transpose=True),
        ),
        Mistake(
            "The diagonal is kept in the denominator: an anchor is no candidate of its own.",
            _loss(diagonal=True),
        ),
        Mistake(
            "Anchors without positives are counted as 0 in the mean. Here they are left out.",
            _loss(reduce=lambda per_anchor, count: per_anchor.sum() / len(count)),
        ),
        Mistake(
            "This is a sum over anchors; the loss is their mean.",
            _loss(reduce=lambda per_anchor, count: per_anchor.sum()),
        ),
        Mistake(
            "All pairs are averaged at once. First take the mean of each anchor, then the mean over anchors.",
            _loss(reduce=lambda per_anchor, count: (per_anchor * count).sum() / count.sum().clamp(min=1)),
        ),
        Mistake(
            "An anchor's sum is not divided by its number of positives.",
            _loss(reduce=lambda per_anchor, count: _mean_with_positives(per_anchor * count, count)),
        ),
        Mistake(
            "An anchor's sum is divided by N, not by its number of positives.",
            _loss(
                reduce=lambda per_anchor, count: _mean_with_positives(per_anchor * count / len(count), count)
            ),
        ),
        Mistake(
            "The sign is missing: a loss is the negative mean of log-probabilities.",
            _loss(reduce=lambda per_anchor, count: -_mean_with_positives(per_anchor, count)),
        ),
        Mistake(
            "0/0 at an anchor without positives: leave it out before you divide.",
            _loss(reduce=lambda per_anchor, count: (per_anchor * count / count).mean()),
        ),
        Mistake("log(softmax) underflows at large logits: use log_softmax or logsumexp.", _log_of_softmax),
        Mistake(
            "exp overflows at large logits: subtract the largest first, or use log_softmax.",
            _naive_exponentials,
        ),
    )
    check_function(answer, contrastive_loss, _loss_cases(seed), mistakes)
    _without_loops(answer, "contrastive_loss")


def loss_floor(answer: Any, *, seed: int = 0) -> None:
    """Check ``loss_floor(mask)``: the mean over anchors with positives of log |A(i)|."""

    def loss_floor(mask: Tensor) -> float:
        counts = [sum(row) for row in mask.tolist()]
        logs = [math.log(count) for count in counts if count]
        return sum(logs) / len(logs) if logs else 0.0

    def over_all(mask: Tensor) -> float:
        return mask.sum(1).clamp(min=1).double().log().mean().item()

    def log_of_mean(mask: Tensor) -> float:
        counts = mask.sum(1).double()
        return counts[counts > 0].mean().log().item() if counts.any() else 0.0

    mistakes = (
        Mistake(
            "Anchors without positives are counted. They are not in the mean of the loss either.", over_all
        ),
        Mistake("This is the logarithm of the mean; take the mean of the logarithms.", log_of_mean),
        Mistake(
            "log 0 is minus infinity: leave anchors without positives out.", lambda m: m.sum(1).log().mean()
        ),
    )
    cases = [(mask,) for _, mask in _loss_cases(seed)]
    check_function(answer, loss_floor, cases, mistakes)


def own_statistics(
    values: tuple[Any, Any], student_id: str, term: str = "public", *, tell: bool = False
) -> None:
    """Check mean positives an anchor and share of anchors without any, on a student's own labels.

    Args:
        values: the two numbers.
        student_id: whose labels.
        term: of the course.
        tell: whether a wrong number that fits no known mistake is called wrong; False before grading.
    """
    labels = instance(student_id, term).labels
    (mean,), (share,) = reference.positive_statistics(labels, (ALPHA,))
    counts = reference.positive_set(labels, threshold=ALPHA).sum(1).double()
    dropped, share_dropped = reference.positive_statistics(labels, (ALPHA,), empty="drop")
    of_means = (
        ("Every anchor is counted as its own positive.", mean + 1),
        ("Rows without labels match each other here.", dropped[0]),
        ("The mean is over all anchors, also those without positives.", counts[counts > 0].mean()),
    )
    of_shares = (
        ("This is the share of anchors that have positives.", 1 - share),
        ("Rows without labels match each other here.", share_dropped[0]),
        ("This is a number of anchors; divide by N.", share * len(labels)),
    )
    check_value("my_mean_positives", values[0], mean, of_means, tell=tell)
    check_value("my_share_without", values[1], share, of_shares, tell=tell)


def own_loss(value: Any, student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check the contrastive loss of a student's own logits over the own positives; arguments as above."""
    labels, logits = instance(student_id, term)
    mask = reference.positive_set(labels, threshold=ALPHA)
    others = ~torch.eye(len(labels), dtype=torch.bool)
    mistakes = (
        (
            "Rows without labels match each other here.",
            reference.contrastive_loss(logits, reference.positive_set(labels, threshold=ALPHA, empty="drop")),
        ),
        ("The softmax runs over the wrong axis.", _loss(transpose=True)(logits, mask)),
        ("The mask keeps its diagonal.", _loss(diagonal=True)(logits, mask | ~others)),
        ("The diagonal is kept in the denominator.", _loss(diagonal=True)(logits, mask)),
    )
    check_value("my_loss", value, reference.contrastive_loss(logits, mask), mistakes, tell=tell)


def _loss(
    *,
    transpose: bool = False,
    diagonal: bool = False,
    reduce: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Callable[[Tensor, Tensor], Tensor]:
    """A contrastive loss with one thing changed."""

    def loss(logits: Tensor, mask: Tensor) -> Tensor:
        candidates = logits.double().clone()
        if not diagonal:
            candidates.fill_diagonal_(-1e300)
        log_p = candidates.log_softmax(0 if transpose else 1)
        count = mask.double().sum(1)
        per_anchor = -torch.where(mask > 0, log_p, 0).sum(1) / count.clamp(min=1)
        return (reduce or _mean_with_positives)(per_anchor, count)

    return loss


def _mean_with_positives(per_anchor: Tensor, count: Tensor) -> Tensor:
    return per_anchor[count > 0].sum() / (count > 0).sum().clamp(min=1)


def _log_of_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    probability = logits.clone().fill_diagonal_(-math.inf).softmax(1)
    count = mask.sum(1)
    per_anchor = -torch.where(mask > 0, probability.log(), 0).sum(1) / count.clamp(min=1)
    return _mean_with_positives(per_anchor, count)


def _naive_exponentials(logits: Tensor, mask: Tensor) -> Tensor:
    weights = logits.exp().fill_diagonal_(0)
    log_p = (weights / weights.sum(1, keepdim=True)).log()
    count = mask.sum(1)
    per_anchor = -torch.where(mask > 0, log_p, 0).sum(1) / count.clamp(min=1)
    return _mean_with_positives(per_anchor, count)


def _shared(labels: Tensor) -> Tensor:
    return labels.double() @ labels.double().T


def _both_empty(labels: Tensor) -> Tensor:
    empty = labels.sum(1) == 0
    return empty[:, None] & empty[None]


def _label_cases(seed: int) -> list[Tensor]:
    """Small label matrices: pairs on the edge, one and several empty rows, then random ones."""
    small = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 1, 1]])
    with_one_empty = torch.tensor([[1, 1], [0, 0], [1, 0]])
    with_empty_rows = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
    generator = torch.Generator().manual_seed(seed)
    drawn = [(torch.rand(n, 5, generator=generator) < 0.4).long() for n in (5, 7)]
    return [small, with_one_empty, with_empty_rows, *drawn]


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


def _without_loops(answer: Any, name: str) -> None:
    """Raise if the function's own code has a loop."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(answer)))
    except (OSError, TypeError, SyntaxError):
        return
    loops = ast.For | ast.While | ast.ListComp | ast.GeneratorExp
    if any(isinstance(node, loops) for node in ast.walk(tree)):
        raise WrongAnswerError(
            f"`{name}` is right, but it has a loop. Compute all anchors at once: one (N, N) matrix."
        )
