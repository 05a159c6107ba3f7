"""How sure is a metric? Intervals over images by the bootstrap, over seeds by Student's t.

The percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13) draws
as many images as there are, with replacement, computes the metric again, and reads the interval off the
quantiles. It measures how much the result depends on *which images were tested*; :func:`seed_interval`
measures how much it depends on *the random numbers of training*.

To draw an image w times is to give it the weight w. For mAP and mean AUROC this saves the work: each class
is sorted once for many resamples, and all of them are cumulative sums of their weights. Any other metric is
computed on each resample.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import torch
from scipy.stats import t as student_t
from torch import Tensor

from probmcl import _check as check
from probmcl.evaluate.metrics import Metric, mean_auroc, mean_average_precision


@dataclass(frozen=True)
class Interval:
    """A measured number and how sure it is.

    Attributes:
        value: the number, on all data.
        low: lower end; NaN for a number that has no interval.
        high: upper end; NaN likewise.
        level: the interval's coverage in (0, 1); NaN likewise.
        how: how the interval was computed, in words.

    >>> print(f"{Interval(0.9123, 0.9051, 0.9187, 0.95, 'bootstrap'):.3f}")
    0.912 [0.905, 0.919]
    >>> print(f"{Interval(23.0):.1f}")
    23.0
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    how: str = "no interval"

    def __format__(self, spec: str) -> str:
        bounds = "" if math.isnan(self.low) else f" [{self.low:{spec}}, {self.high:{spec}}]"
        return f"{self.value:{spec}}{bounds}"


def bootstrap_interval(
    metric: Metric, scores: Tensor, labels: Tensor, *, resamples: int = 1000, level: float = 0.95, seed: int
) -> Interval:
    """Return ``metric(scores, labels)`` with its percentile bootstrap interval over images.

    A class that has no positive in a resample is left out of that resample's mean, as the metric itself
    leaves it out; a resample in which the metric is NaN is left out of the quantiles. With very rare
    classes the resampled means are over fewer classes than ``value``, and the interval may lie to one side
    of it.

    On few images the interval of mAP lies too high and may even exclude ``value``: average precision is too
    high on a small sample, and a resample, which repeats images, is a smaller sample still. On simulated
    scores (10 classes, 5 to 40 % positive, true mAP .53) 95 % intervals held the truth in 59, 68, 88 and
    90 % of the cases on 40, 100, 400 and 2,000 images; where they missed, the truth was below.
    :func:`jackknife_interval` corrects for that. Differences of two systems on the same images do not
    suffer, as both are high alike: 95, 98, 93 and 92 % there.

    Args:
        metric: function of scores and labels; :func:`~probmcl.evaluate.mean_average_precision` and
            :func:`~probmcl.evaluate.mean_auroc` are resampled as weights, many resamples at a time.
        scores: (N, K) finite scores.
        labels: (N, K) label matrix of zeros and ones.
        resamples: number of resamples, at least 1.
        level: coverage of the interval, in (0, 1).
        seed: the same seed draws the same resamples.

    Raises:
        TypeError: if the metric returns no number.
        ValueError: for wrong scores or labels, ``resamples`` < 1, ``level`` outside (0, 1), a negative seed.

    >>> labels = torch.tensor([[1], [0]]).repeat(50, 1)
    >>> print(f"{bootstrap_interval(mean_auroc, labels.double(), labels, resamples=20, seed=0):.2f}")
    1.00 [1.00, 1.00]
    """
    values = bootstrap_values(metric, scores, labels, resamples=resamples, seed=seed)
    return percentile_interval(_number(metric(scores, labels)), values, level)


def jackknife_interval(
    metric: Metric, scores: Tensor, labels: Tensor, *, groups: int = 100, level: float = 0.95, seed: int
) -> Interval:
    """Return ``metric(scores, labels)``, in [0, 1], with an interval over images that corrects its bias.

    The images fall into groups at random, and each group is left out once (Efron and Tibshirani, chapter 11).
    How the logit of the metric changes tells how far it is off on so few images, and how much it varies. The
    t interval lies around the corrected value; ``value`` stays what was measured. A metric of 0 or 1 counts
    as half an image away from it.

    On simulated scores as in :func:`bootstrap_interval`, 95 % intervals of mAP held the truth in 94, 93 and
    94 % of 500 to 1,900 cases on 100, 300 and 1,000 images; around a true mAP of .96 in 94, 94 and 95 %; of
    the mean AUROC in 96, 95 and 95 % of 250 to 400. Rarer classes were not tried.

    Args:
        metric: function of scores and labels with values in [0, 1].
        scores: (N, K) finite scores.
        labels: (N, K) label matrix of zeros and ones.
        groups: how many, at least 2; every image is one if there are fewer images.
        level: coverage of the interval, in (0, 1).
        seed: the same seed makes the same groups.

    Raises:
        ValueError: for wrong scores or labels, fewer than two images or groups, ``level`` outside (0, 1), a
            metric outside [0, 1], a negative seed.

    >>> labels = torch.tensor([[1], [0]]).repeat(50, 1)
    >>> print(f"{jackknife_interval(mean_auroc, labels.double(), labels, seed=0):.2f}")
    1.00 [1.00, 1.00]
    """
    value = _number(check.function("metric", metric)(scores, labels))  # checks both
    images, groups = len(labels), min(check.count("groups", groups, low=2), len(labels))
    if images < 2 or not (0 <= value <= 1 or math.isnan(value)):
        raise ValueError(
            f"metric: expected values in [0, 1] on two images or more, got {value:g} on {images}"
        )
    order = torch.randperm(images, generator=torch.Generator().manual_seed(check.seed(seed)))
    kept = order % groups != torch.arange(groups).unsqueeze(1)  # (G, N)
    found = torch.cat([torch.tensor([value], dtype=torch.float64), _on_rows(metric, scores, labels, kept)])
    whole, *parts = torch.logit((found * (images - 1) + 0.5) / images)
    left = torch.stack(parts)
    left = left[~left.isnan()]
    centre = whole + (groups - 1) * (whole - left.mean())
    error = ((groups - 1) * (left - left.mean()).square().mean()).sqrt()
    half = float(student_t.ppf((1 + check.share("level", level)) / 2, df=groups - 1)) * error
    ends = (torch.sigmoid(torch.stack([centre - half, centre + half])) * images - 0.5) / (images - 1)
    low, high = ends.clamp(0, 1).tolist()
    return Interval(value, low, high, level, f"jackknife over images, {groups} groups")


def paired_bootstrap_difference(
    metric: Metric,
    scores: Tensor,
    other_scores: Tensor,
    labels: Tensor,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int,
) -> Interval:
    """Return ``metric(scores) - metric(other_scores)`` of two systems on the same images, with its interval.

    Both systems are scored on the same resamples, so an image that is hard for both does not widen the
    interval. Arguments, resamples without positives and errors as for :func:`bootstrap_interval`.

    >>> labels = torch.tensor([[1], [0]]).repeat(50, 1)
    >>> good, bad = labels.double(), 1 - labels.double()
    >>> print(f"{paired_bootstrap_difference(mean_auroc, good, bad, labels, resamples=20, seed=0):.2f}")
    1.00 [1.00, 1.00]
    """
    check.scored("other_scores", other_scores, "labels", labels)
    values, others = (
        bootstrap_values(metric, given, labels, resamples=resamples, seed=seed)
        for given in (scores, other_scores)
    )
    one, other = (_number(metric(given, labels)) for given in (scores, other_scores))
    return percentile_interval(one - other, values - others, level)


def seed_interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """Return the mean over seeds with its Student t interval: mean +- t_(n-1) s / sqrt(n).

    Args:
        values: one result per seed, at least two. For the difference of two methods, pass the differences.
        level: coverage of the interval, in (0, 1).

    Raises:
        ValueError: if there are fewer than two values, one is not finite, or ``level`` is outside (0, 1).

    >>> print(f"{seed_interval([0.90, 0.91, 0.92]):.3f}")  # 0.91 +- 4.303 * 0.01 / sqrt(3)
    0.910 [0.885, 0.935]
    """
    check.share("level", level)
    most = check.LARGEST
    found = [check.number("values", one, low=-most, high=most) for one in check.several("values", values)]
    if len(found) < 2:
        raise ValueError("values: expected the results of at least 2 seeds, got 1")
    mean, spread = fmean(found), stdev(found) / math.sqrt(len(found))
    half = float(student_t.ppf((1 + level) / 2, df=len(found) - 1)) * spread
    return Interval(mean, mean - half, mean + half, level, f"t-interval over {len(found)} seeds")


def bootstrap_values(
    metric: Metric, scores: Tensor, labels: Tensor, *, resamples: int = 1000, seed: int
) -> Tensor:
    """Return the metric on each resample of the images, float64 ``(resamples,)``.

    The same seed draws the same resamples, so the values of two systems on the same images are paired: their
    differences are those of :func:`paired_bootstrap_difference`, and a system that is compared with many
    others is scored once. Arguments and errors as for :func:`bootstrap_interval`.

    >>> labels = torch.tensor([[1], [0]]).repeat(50, 1)
    >>> bootstrap_values(mean_auroc, labels.double(), labels, resamples=3, seed=0).tolist()
    [1.0, 1.0, 1.0]
    """
    _number(check.function("metric", metric)(scores, labels))  # checks all three
    generator, rows, values = torch.Generator().manual_seed(check.seed(seed)), len(labels), []
    batch = max(1, 2**21 // rows)  # resamples at a time: their row numbers take about 16 MB
    for start in range(0, check.count("resamples", resamples), batch):
        draws = torch.randint(rows, (min(batch, resamples - start), rows), generator=generator)  # (B, N)
        values.append(_on_rows(metric, scores, labels, draws))
    return torch.cat(values)


def _on_rows(metric: Metric, scores: Tensor, labels: Tensor, chosen: Tensor) -> Tensor:
    """Return the metric on each B rows of images, row numbers or a mask (B, N): (B,) float64."""
    chosen = chosen.to(labels.device)
    if metric not in _WEIGHTED:
        found = [_number(metric(scores[rows], labels[rows])) for rows in chosen]
        return torch.tensor(found, dtype=torch.float64)
    weights = chosen.double()  # how often each image counts
    if chosen.dtype != torch.bool:
        weights = torch.zeros_like(weights).scatter_add_(1, chosen, torch.ones_like(weights))
    of_class = _WEIGHTED[metric]
    values = [of_class(weights, scores[:, k].detach(), labels[:, k].bool()) for k in range(labels.shape[1])]
    return torch.stack(values).nanmean(dim=0).cpu()  # (K, B) -> (B,)


def _number(found: Any) -> float:
    """What a metric returned: a number, NaN too, also as a tensor or array."""
    try:
        return float(found)
    except (TypeError, ValueError, RuntimeError):
        got = f"{type(found).__name__}: {found!r:.100}"
        raise TypeError(f"metric: expected a function that returns a number, got {got}") from None


def _weighted_average_precision(weights: Tensor, scores: Tensor, truth: Tensor) -> Tensor:
    """Return the average precision of one class, scores and truth (N,), under each row of weights (B, N)."""
    order = scores.argsort(descending=True)
    _, last = _tied_ranks(scores[order])
    positive = truth[order].nonzero().squeeze(1)  # (P,) ranks of the positives
    ranked = weights[:, order]
    mass = ranked[:, positive]  # (B, P)
    retrieved = ranked.cumsum(dim=1)[:, last[positive]]  # weight of all rows that score at least as high
    found = mass.cumsum(dim=1)[:, truth[order].cumsum(dim=0)[last[positive]] - 1]  # of these, the positives
    # an image that was not drawn may have retrieved = 0; its mass is 0 as well
    # and where no positive was drawn, 0/0 = NaN
    return (mass * found / retrieved.clamp(min=1)).sum(dim=1) / mass.sum(dim=1)


def _weighted_auroc(weights: Tensor, scores: Tensor, truth: Tensor) -> Tensor:
    """Return the AUROC of one class, scores and truth (N,), under each row of weights (B, N)."""
    order = scores.argsort(descending=True)
    first, last = _tied_ranks(scores[order])
    positive = truth[order]
    mass = weights[:, order] * positive  # (B, N)
    negative_mass = weights[:, order] * ~positive
    found = torch.nn.functional.pad(mass.cumsum(dim=1), (1, 0))  # (B, N + 1) positives before each rank
    beaten_by = (found[:, first] + found[:, last + 1]) / 2  # positives above, and half of the tied
    pairs = mass.sum(dim=1) * negative_mass.sum(dim=1)
    return (negative_mass * beaten_by).sum(dim=1) / pairs


def _tied_ranks(ranked_scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and the last rank of each rank's group of equal scores, (N,) each."""
    ascending = -ranked_scores
    return torch.searchsorted(ascending, ascending), torch.searchsorted(ascending, ascending, right=True) - 1


_WEIGHTED: dict[Metric, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    mean_average_precision: _weighted_average_precision,
    mean_auroc: _weighted_auroc,
}


def percentile_interval(value: float, resampled: Tensor, level: float) -> Interval:
    """Return ``value`` with the quantiles of its resampled values, (B,); NaN among them are left out.

    >>> print(f"{percentile_interval(2.0, torch.tensor([1.0, 2.0, 3.0]), 0.5):.1f}")
    2.0 [1.5, 2.5]
    """
    if not (isinstance(value, float) and math.isnan(value)):  # what a metric says without positives
        check.number("value", value, low=-math.inf, high=math.inf)
    found = check.real("resampled", resampled, dims=1)
    tail = (1 - check.share("level", level)) / 2
    low, high = found.nanquantile(torch.tensor([tail, 1 - tail], dtype=found.dtype)).tolist()
    return Interval(value, low, high, level, f"percentile bootstrap over images, {len(found)} resamples")
