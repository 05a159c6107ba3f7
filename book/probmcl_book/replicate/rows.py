"""Trained methods become rows of a record: metrics with intervals, and differences between methods."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from probmcl.evaluate import Interval, mean_auroc, mean_average_precision, multilabel_metrics
from probmcl.evaluate.bootstrap import jackknife_interval, paired_bootstrap_difference, seed_interval
from probmcl_book.records.record import Difference, Row
from probmcl_book.replicate.finished import Finished
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.splits import Splits


def result_row(name: str, seed: int, trained: Trained, splits: Splits, thresholds: Tensor) -> Row:
    """What one method reached with one seed, at thresholds ``(K,)`` that validation chose."""
    labels = splits.test.labels
    found = multilabel_metrics(trained.test_scores, labels, thresholds=thresholds)
    precision, area = (
        jackknife_interval(metric, trained.test_scores, labels, seed=0)
        for metric in (mean_average_precision, mean_auroc)
    )
    validation = mean_average_precision(trained.validation_scores, splits.validation.labels)
    series = {"average_precision": found.average_precision.tolist()}
    if trained.history is not None:
        series |= {"loss": trained.history.curve("loss"), "watched": trained.history.curve("watched")}
    return Row(
        method=name,
        seed=seed,
        metrics={
            "mAP": precision,
            "validation mAP": Interval(validation),
            "AUROC": area,
            "CF1": Interval(found.at_threshold.CF1),
            "OF1": Interval(found.at_threshold.OF1),
        },
        seconds=trained.seconds,
        image_views=trained.image_views,
        series=series,
    )


def with_means(rows: Sequence[Row]) -> list[Row]:
    """Rows of methods and seeds, followed by the mean over seeds of every method."""
    names = dict.fromkeys(row.method for row in rows)
    return [*rows, *(mean_row([row for row in rows if row.method == name]) for name in names)]


def mean_row(rows: Sequence[Row]) -> Row:
    """The mean over seeds of what all rows hold, with a t interval where there are two seeds or more."""

    def over_seeds(name: str) -> Interval:
        values = [row.metrics[name].value for row in rows]
        return seed_interval(values) if len(values) > 1 else rows[0].metrics[name]

    shared = [name for name in rows[0].metrics if all(name in row.metrics for row in rows)]
    return Row(
        method=rows[0].method,
        seed=None,
        metrics={name: over_seeds(name) for name in shared},
        seconds=sum(row.seconds for row in rows) / len(rows),
        image_views=rows[0].image_views,
    )


def differences(
    runs: Mapping[str, Sequence[Finished]], labels: Tensor, *, resamples: int
) -> list[Difference]:
    """The last method against every other, on the same images and seeds.

    ``runs`` are one per seed, by name of the method; ``labels``, ``(N, K)``, are of the test images.
    """
    # Side by side, the mean AP over the columns of S seeds is the mean mAP over the seeds.
    scores = {name: torch.cat([run.test_scores for run in each], dim=1) for name, each in runs.items()}
    *others, method = scores
    labels = labels.repeat(1, len(runs[method]))  # (N, S K)
    draw = partial(paired_bootstrap_difference, mean_average_precision, resamples=resamples, seed=0)
    return [Difference(method, other, "mAP", draw(scores[method], scores[other], labels)) for other in others]
