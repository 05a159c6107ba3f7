"""Differences between settings of a study: over test images, corrected for their number, and over seeds."""

import math
from collections import Counter
from functools import cache

import torch
from torch import Tensor

from probmcl.evaluate import bootstrap_values, mean_average_precision, percentile_interval, seed_interval
from probmcl_book.records.record import Difference
from probmcl_book.studies.design import Trial
from probmcl_book.studies.runner import StudyRuns

LEVEL = 0.95
OVER_SEEDS = ("mAP", "classifier graph", "embedding graph")  # also get t intervals, as "mAP over seeds"
TAIL_DRAWS = 5  # resamples outside either end of a corrected interval, at least


def compared(found: StudyRuns) -> list[tuple[Trial, Trial]]:
    """What is compared and has runs."""
    done = {trial.name for trial in found.trials()}
    return [(one, other) for one, other in found.study.pairs() if {one.name, other.name} <= done]


def corrected_level(comparisons: int) -> float:
    """Level of each of some intervals that hold together at 95 % (Bonferroni).

    >>> round(corrected_level(10), 6)
    0.995
    """
    return 1 - (1 - LEVEL) / comparisons


def study_differences(found: StudyRuns, resamples: int) -> list[Difference]:
    """Every difference that a study planned, over test images and over seeds."""
    recipes = {trial.name: trial.recipe for trial in found.study.trials}

    @cache
    def scored(name: str, seeds: tuple[int, ...], resamples: int) -> tuple[float, Tensor]:
        """Mean mAP over seeds on all test images, and on resamples of them; every setting is scored once."""
        scores = torch.cat([found.runs[name, seed].test_scores for seed in seeds], dim=1)  # (N, S K)
        labels = found.images.of(recipes[name])[0].test.labels.repeat(1, len(seeds))
        drawn = bootstrap_values(mean_average_precision, scores, labels, resamples=resamples, seed=0)
        return mean_average_precision(scores, labels), drawn

    pairs = compared(found)
    counts = Counter(one.group for one, _ in pairs)
    rows = []
    for one, other in pairs:
        seeds = tuple(seed for seed in found.of(one) if seed in found.of(other))
        if not seeds:
            continue
        level = corrected_level(counts[one.group])
        enough = max(resamples, math.ceil(2 * TAIL_DRAWS / (1 - level)))
        (ours, our_draws), (theirs, their_draws) = (scored(t.name, seeds, enough) for t in (one, other))
        interval = percentile_interval(ours - theirs, our_draws - their_draws, level)
        rows.append(Difference(one.name, other.name, "mAP", interval))
        rows += _over_seeds(found, one, other, seeds)
    return rows


def _over_seeds(found: StudyRuns, one: Trial, other: Trial, seeds: tuple[int, ...]) -> list[Difference]:
    """T intervals of paired differences of metrics, over two seeds or more."""
    runs = [[found.runs[name, seed].row.metrics for name in (one.name, other.name)] for seed in seeds]
    return [
        Difference(one.name, other.name, f"{metric} over seeds", seed_interval(gains, level=LEVEL))
        for metric in OVER_SEEDS
        if len(seeds) > 1 and all(metric in a and metric in b for a, b in runs)
        for gains in [[a[metric].value - b[metric].value for a, b in runs]]
    ]
