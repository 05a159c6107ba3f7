"""Mistakes that the checkers of positive sets know: each a wrong way to an answer, and its hint."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from probmcl_book import reference
from probmcl_book.course.comparison import Mistake


def _mean_with_positives(per_anchor: Tensor, count: Tensor) -> Tensor:
    return per_anchor[count > 0].sum() / (count > 0).sum().clamp(min=1)


def _loss_with(
    log_p: Callable[[Tensor, Tensor], Tensor] = lambda s, mask: s.fill_diagonal_(-1e300).log_softmax(1),
    reduce: Callable[[Tensor, Tensor], Tensor] = _mean_with_positives,
) -> Callable[[Tensor, Tensor], Tensor]:
    """A contrastive loss with other log-probabilities of logits and mask, or another mean over anchors."""

    def loss(logits: Tensor, mask: Tensor) -> Tensor:
        count = mask.double().sum(1)
        summed = torch.where(mask > 0, log_p(logits.double().clone(), mask), 0).sum(1)
        return reduce(-summed / count.clamp(min=1), count)

    return loss


loss_along_columns = _loss_with(lambda s, mask: s.fill_diagonal_(-1e300).log_softmax(0))
loss_with_itself = _loss_with(lambda s, mask: s.log_softmax(1))


def _log_of_mean_probability(logits: Tensor, mask: Tensor) -> Tensor:
    log_p = logits.clone().fill_diagonal_(-1e300).log_softmax(1)
    count = mask.sum(1)
    summed = log_p.masked_fill(mask == 0, -math.inf).logsumexp(1)
    return _mean_with_positives(torch.where(count > 0, count.clamp(min=1).log() - summed, 0), count)


def _log_of_negatives(logits: Tensor, mask: Tensor) -> Tensor:
    own = torch.eye(len(logits), dtype=torch.bool)
    return logits.masked_fill(own | (mask > 0), -1e300).logsumexp(1, keepdim=True)


def _naive_exponentials(logits: Tensor, mask: Tensor) -> Tensor:
    weights = logits.exp().fill_diagonal_(0)
    return (weights / weights.sum(1, keepdim=True)).log()


def _shared(labels: Tensor) -> Tensor:
    return labels.double() @ labels.double().T


def _both_empty(labels: Tensor) -> Tensor:
    empty = labels.sum(1) == 0
    return empty[:, None] & empty[None]


def _over(denominator: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def wrong(labels: Tensor) -> Tensor:
        sizes = labels.double().sum(1)
        below = denominator(sizes[:, None], sizes[None])
        return torch.where(below > 0, _shared(labels) / below, 0)

    return wrong


def _divide_by_zero(labels: Tensor) -> Tensor:
    shared, sizes = _shared(labels), labels.double().sum(1)
    return shared / (sizes[:, None] + sizes - shared)


JACCARD = (
    Mistake("The denominator counts the shared labels twice: the union has |a| + |b| - |a and b| labels.",
            _over(lambda a, b: a + b)),
    Mistake("That is the Dice index. Jaccard divides the shared labels by the union.",
            lambda labels: reference.overlap(labels, index="dice")),
    Mistake("That is the overlap coefficient: you divide by the smaller set, Jaccard by the union.",
            lambda labels: reference.overlap(labels, index="overlap")),
    Mistake("Divide the shared labels by the size of the union.", _shared),
    Mistake("All K classes are in the denominator: the union holds only labels that one of the rows has.",
            lambda labels: _shared(labels) / labels.shape[1]),
    Mistake("That is the cosine of two rows. Jaccard divides the shared labels by the union.",
            _over(lambda a, b: (a * b).sqrt())),
    Mistake("The shared labels are divided by those of one row: the matrix is not symmetric. Take the union.",
            _over(lambda a, b: a + 0 * b)),
    Mistake("Two empty rows give 0/0. Here their index is 0.", _divide_by_zero),
    Mistake("Two empty rows get 1. Here their index is 0.",
            lambda labels: torch.where(_both_empty(labels), 1, reference.overlap(labels))),
    Mistake("The diagonal is 0. A row that has labels overlaps itself completely: its index is 1.",
            lambda labels: reference.overlap(labels).fill_diagonal_(0)),
    Mistake("Whole numbers were divided with //, or the result was rounded.",
            lambda labels: reference.overlap(labels).floor()),
)  # fmt: skip


def _changed_mask(change: Callable[[Tensor, Tensor, float], Tensor]) -> Callable[[Tensor, float], Tensor]:
    return lambda labels, alpha: change(
        labels, reference.positive_set(labels, threshold=alpha).double(), alpha
    ).double()


def _strict(labels: Tensor, right: Tensor, alpha: float) -> Tensor:
    on_the_edge = (reference.overlap(labels) - alpha).abs() < 1e-9
    return torch.where(on_the_edge, 0, right)


def _empty_drop(labels: Tensor, right: Tensor, alpha: float) -> Tensor:
    return reference.positive_set(labels, "jaccard", alpha, "drop")


def _any_label(labels: Tensor, right: Tensor, alpha: float) -> Tensor:
    shared = (_shared(labels) > 0).double().fill_diagonal_(0)
    return torch.where(_both_empty(labels), right, shared)


def _empty_and_diagonal(labels: Tensor, right: Tensor, alpha: float) -> Tensor:
    diagonal = (labels.sum(1) > 0).double().diag()
    return _empty_drop(labels, right, alpha).double() + diagonal


MASK = (
    Mistake("The diagonal is kept: a row is never its own positive.",
            _changed_mask(lambda labels, right, alpha: right.clone().fill_diagonal_(1))),
    Mistake("You compare with > instead of >=: an overlap of exactly alpha is enough.",
            _changed_mask(_strict)),
    Mistake("Two rows without labels match each other here (the policy `match`).",
            _changed_mask(_empty_drop)),
    Mistake("The diagonal is kept, and rows without labels do not match each other.",
            _changed_mask(_empty_and_diagonal)),
    Mistake("One shared label is taken to be enough: alpha has no effect.", _changed_mask(_any_label)),
    Mistake("Each pair is marked once: j is a positive of i, and i one of j, so the matrix is symmetric.",
            _changed_mask(lambda labels, right, alpha: right.triu())),
    Mistake("The two halves are exchanged: positives are the pairs whose overlap reaches alpha.",
            _changed_mask(lambda labels, right, alpha: (1 - right).fill_diagonal_(0))),
)  # fmt: skip


def _changed_weights(change: Callable[[Tensor, Tensor, float], Tensor]) -> Callable[[Tensor, float], Tensor]:
    """Weights made of the Jaccard index, the positive set and alpha; both matrices with zero diagonal."""
    return lambda labels, alpha: change(
        reference.positive_weights(labels, "weighted"),
        reference.positive_set(labels, threshold=alpha).double(),
        alpha,
    )


def _overlap_from_alpha(labels: Tensor, alpha: float) -> Tensor:
    """Without the policy for empty rows and with the diagonal."""
    return reference.overlap(labels) * reference.overlaps_enough(labels, threshold=alpha)


WEIGHT = (
    Mistake("These are the positives; their weight is the index.", _changed_weights(lambda w, a, alpha: a)),
    Mistake("alpha has no effect: an index below it gets the weight 0.",
            _changed_weights(lambda w, a, alpha: w)),
    Mistake("alpha is subtracted: a pair with enough in common keeps its whole index.",
            _changed_weights(lambda w, a, alpha: (w - alpha) * a)),
    Mistake("You compare with > instead of >=: an overlap of exactly alpha is enough.",
            _changed_weights(lambda w, a, alpha: w * (w > alpha + 1e-9))),
    Mistake("The diagonal is kept: a row has no weight for itself.",
            _changed_weights(lambda w, a, alpha: (w * a).fill_diagonal_(1))),
    Mistake("The diagonal is kept, and two rows without labels get 0 for 0/0.", _overlap_from_alpha),
    Mistake("Two rows without labels match (the policy `match`), with weight 1.",
            lambda labels, alpha: _overlap_from_alpha(labels, alpha).fill_diagonal_(0)),
)  # fmt: skip


LOSS = (
    Mistake("The softmax runs over the wrong axis: each row, an anchor's candidates, has to sum to one.",
            loss_along_columns),
    Mistake("The diagonal is kept in the denominator: an anchor is no candidate of its own.",
            loss_with_itself),
    Mistake("Anchors without positives are counted as 0 in the mean. Here they are left out.",
            _loss_with(reduce=lambda per_anchor, count: per_anchor.mean())),
    Mistake("This is a sum over anchors; the loss is their mean.",
            _loss_with(reduce=lambda per_anchor, count: per_anchor.sum())),
    Mistake("All pairs are averaged at once. First take the mean of each anchor, then the mean over anchors.",
            _loss_with(reduce=lambda mean, count: (mean * count).sum() / count.sum().clamp(min=1))),
    Mistake("An anchor's sum is not divided by its number of positives.",
            _loss_with(reduce=lambda mean, count: _mean_with_positives(mean * count, count))),
    Mistake("An anchor's sum is divided by N, not by its number of positives.",
            _loss_with(reduce=lambda mean, count: _mean_with_positives(mean * count / len(count), count))),
    Mistake("The sign is missing: a loss is the negative mean of log-probabilities.",
            _loss_with(reduce=lambda per_anchor, count: -_mean_with_positives(per_anchor, count))),
    Mistake("0/0 at an anchor without positives: leave it out before you divide.",
            _loss_with(reduce=lambda per_anchor, count: (per_anchor * count / count).mean())),
    Mistake("This is the log of the mean probability of the positives; take the mean of their logs.",
            _log_of_mean_probability),
    Mistake("Only the negatives stand in the denominator: it runs over all other rows, m != i.",
            _loss_with(lambda s, mask: s - _log_of_negatives(s, mask))),
    Mistake("The other positives are left out of the denominator: it runs over all other rows, m != i.",
            _loss_with(lambda s, mask: s - torch.logaddexp(s, _log_of_negatives(s, mask)))),
    Mistake("log(softmax) underflows at large logits: use log_softmax or logsumexp.",
            _loss_with(lambda s, mask: s.fill_diagonal_(-math.inf).softmax(1).log())),
    Mistake("exp overflows at large logits: subtract the largest first, or use log_softmax.",
            _loss_with(_naive_exponentials)),
)  # fmt: skip

LOSS_OF_NOBODY = Mistake(
    "No anchor has a positive, so the mean over none of them is 0/0. Here the loss is 0.",
    _loss_with(reduce=lambda per_anchor, count: per_anchor[count > 0].mean()),
)


def _log_of_mean(mask: Tensor) -> float:
    counts = mask.sum(1).double()
    return counts[counts > 0].mean().log().item() if counts.any() else 0.0


FLOOR = (
    Mistake("Anchors without positives are counted. They are not in the mean of the loss either.",
            lambda mask: mask.sum(1).clamp(min=1).log().mean()),
    Mistake("This is the logarithm of the mean; take the mean of the logarithms.", _log_of_mean),
    Mistake("log 0 is minus infinity: leave anchors without positives out.", lambda m: m.sum(1).log().mean()),
    Mistake("This is a sum over anchors; the bound is their mean, as the loss is.",
            lambda mask: mask.sum(1).clamp(min=1).log().sum()),
)  # fmt: skip

FLOOR_OF_NOBODY = Mistake(
    "No anchor has a positive, so the mean over none of them is 0/0. Here the bound is 0.",
    lambda mask: mask.sum(1)[mask.sum(1) > 0].log().mean(),
)
