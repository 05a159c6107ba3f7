"""Doubts become rows of a record: how well each score ranks errors and shifted images, and by how much.

A row is one score with one seed, or the mean over seeds with a bootstrap interval over images. Among its
metrics, "errors AUROC" ranks images with at least one wrong label, whose share is also the risk of "AURC";
"label errors AUROC" ranks the wrong decisions of a label, mean over labels; "corruptions AUROC" is the mean
over all at strength 3; "growth" is how many times larger the mean score is with fewer training images. The
row "ProbMCL" holds mAP and the share of images with an error.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from scipy.stats import spearmanr
from torch import Tensor

from probmcl.data import CORRUPTIONS
from probmcl.evaluate import (
    Interval,
    area_under_risk_coverage,
    bootstrap_interval,
    mean_auroc,
    mean_average_precision,
    paired_bootstrap_difference,
    risk_coverage,
    seed_interval,
    shifted_against_clean,
)
from probmcl.evaluate.metrics import Metric
from probmcl.evaluate.uncertainty import BETWEEN, DISAGREEMENT, ENSEMBLES, WEIGHTS, WITHIN
from probmcl_book.records.record import Difference, Row
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.rows import with_means
from probmcl_book.studies.doubts import AT_THRESHOLDS, Doubts

ERRORS, LABEL_ERRORS, AURC = "errors AUROC", "label errors AUROC", "AURC"
CORRUPTED, MIDDLE, COVERAGES = "corruptions", 3, 20

COMPARED = (WITHIN, BETWEEN, WEIGHTS, DISAGREEMENT)  # with the classifier's entropy at its thresholds

Task = tuple[Metric, Tensor, Tensor]
"""A metric, doubt (R, S) and events (R, S): one column per seed, or several per seed."""


def doubt_rows(
    trained: Sequence[Trained],
    clean: Doubts,
    shifted: Mapping[str, Doubts],
    scarce: Doubts,
    labels: Tensor,
    seeds: Sequence[int],
    resamples: int,
) -> list[Row]:
    """Rows of every score, one per seed and one over seeds, about the test images with ``(N, K)`` labels.

    The first trained models belong to ``seeds``; ``scarce`` are doubts after training on fewer images.
    """
    models = len(seeds)
    rows = _model_rows(trained, clean, labels, seeds)
    questions = _Questions(clean, shifted, labels, models)
    levels = _levels(clean, scarce, labels)
    for name in questions.clean:
        tasks = questions.tasks(name)
        ensemble = clean.logits.shape[0] if name in ENSEMBLES else 1
        seconds = ensemble * sum(one.seconds for one in trained[:models]) / models
        views = ensemble * trained[0].image_views
        for column, seed in enumerate(seeds):
            metrics = {
                task: Interval(metric(*(part.chunk(models, dim=1)[column] for part in (doubt, events))))
                for task, (metric, doubt, events) in tasks.items()
            }
            rows.append(Row(name, seed, metrics, seconds, views))
        over_seeds = {
            task: bootstrap_interval(metric, doubt, events, resamples=resamples, seed=0)
            for task, (metric, doubt, events) in tasks.items()
        }
        over_seeds |= levels[name]
        rows.append(Row(name, None, over_seeds, seconds, views, series=_curve(*tasks[AURC][1:])))
    return rows


def doubt_differences(
    clean: Doubts, shifted: Mapping[str, Doubts], labels: Tensor, models: int, resamples: int
) -> list[Difference]:
    """Scores less the entropy at the thresholds, with intervals that hold together at 95 % (Bonferroni)."""
    chosen = (ERRORS, AURC, "unseen symbols AUROC", "held-out theme AUROC", f"{CORRUPTED} AUROC")
    questions = _Questions(clean, shifted, labels, models)
    scores = [name for name in COMPARED if name in questions.clean]
    level = 1 - 0.05 / (len(scores) * len(chosen))
    baseline = questions.tasks(AT_THRESHOLDS)
    less = partial(paired_bootstrap_difference, resamples=resamples, level=level, seed=0)
    differences = []
    for name in scores:
        tasks = questions.tasks(name)
        for task in chosen:
            (metric, doubt, events), other = tasks[task], baseline[task][1]
            differences.append(Difference(name, AT_THRESHOLDS, task, less(metric, doubt, other, events)))
    return differences


class _Questions:
    """What every score is asked for; all scores of all images are computed once."""

    def __init__(self, clean: Doubts, shifted: Mapping[str, Doubts], labels: Tensor, models: int) -> None:
        self.clean = clean.of_images(models)
        self.of_labels = clean.of_labels(models)
        self.shifted = {kind: doubts.of_images(models) for kind, doubts in shifted.items()}
        self.wrong = clean.wrong(labels, models).to(torch.uint8)  # (N, S, K)
        self.failed = self.wrong.amax(2)  # (N, S) with at least one wrong label

    def tasks(self, name: str) -> dict[str, Task]:
        """The questions to one score; columns of one seed stand together."""
        doubt = self.clean[name]  # (N, S)
        found = {k: shifted_against_clean(doubt, scores[name]) for k, scores in self.shifted.items()}
        middle = [found[f"{corruption} {MIDDLE}"] for corruption in CORRUPTIONS]
        together, events = (torch.stack(part, dim=2).flatten(1) for part in zip(*middle, strict=True))
        return {
            ERRORS: (mean_auroc, doubt, self.failed),
            LABEL_ERRORS: (mean_auroc, self.of_labels[name], self.wrong.flatten(1)),
            AURC: (area_under_risk_coverage, doubt, self.failed),
            **{f"{kind} AUROC": (mean_auroc, *pair) for kind, pair in found.items()},
            f"{CORRUPTED} AUROC": (mean_auroc, together, events),
        }


def _levels(clean: Doubts, scarce: Doubts, labels: Tensor) -> dict[str, dict[str, Interval]]:
    """How high every score is, with many training images and with few, and what it counts."""
    members = clean.logits.shape[0]
    many, few, cardinality = clean.of_images(members), scarce.of_images(members), labels.sum(1).numpy()
    found = {}
    for name, score in many.items():
        columns = score[:, :1] if name in ENSEMBLES else score  # an ensemble repeats its one opinion
        ratios = (few[name].mean(0) / score.mean(0))[: columns.shape[1]].tolist()
        counted = [float(spearmanr(column.numpy(), cardinality).statistic) for column in columns.T]
        found[name] = {
            "mean": Interval(score.mean().item()),
            "growth": _over(ratios),
            "rank correlation with labels": _over(counted),
        }
    return found


def _over(values: Sequence[float]) -> Interval:
    return seed_interval(values) if len(values) > 1 else Interval(values[0])


def _curve(doubt: Tensor, failed: Tensor) -> dict[str, list[float]]:
    """The risk-coverage curve, the mean over seeds, at some coverages."""
    curves = [risk_coverage(*columns) for columns in zip(doubt.T, failed.T, strict=True)]
    risk = torch.stack([curve.risk for curve in curves]).mean(0)  # (N,)
    kept = [max(1, round(len(risk) * step / COVERAGES)) - 1 for step in range(1, COVERAGES + 1)]
    return {"coverage": curves[0].coverage[kept].tolist(), "risk": risk[kept].tolist()}


def _model_rows(trained: Sequence[Trained], clean: Doubts, labels: Tensor, seeds: Sequence[int]) -> list[Row]:
    """How good the models are that are asked."""
    share = clean.wrong(labels, len(seeds)).any(2).double().mean(0)  # (S,)
    rows = []
    for seed, one, errors in zip(seeds, trained[: len(seeds)], share.tolist(), strict=True):
        reached = {"mAP": mean_average_precision(one.test_scores, labels), "images with an error": errors}
        metrics = {name: Interval(value) for name, value in reached.items()}
        rows.append(Row("ProbMCL", seed, metrics, one.seconds, one.image_views))
    return with_means(rows)
