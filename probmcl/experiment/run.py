"""One experiment: every method from the same start, over seeds, compared and written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from probmcl.data import checksum
from probmcl.evaluate import (
    Interval,
    bootstrap_interval,
    mean_average_precision,
    multilabel_metrics,
    paired_bootstrap_difference,
    seed_interval,
    thresholds_from_validation,
)
from probmcl.experiment.checkpoints import RunCheckpoints
from probmcl.experiment.methods import Splits, Trained, pretrain, probe_start, train_method
from probmcl.experiment.provenance import provenance
from probmcl.experiment.recipe import Recipe
from probmcl.experiment.record import DataIdentity, Difference, Record, Row
from probmcl.train import is_first

START = "Start (linear probe)"
"""Name of the row that holds the start's own linear probe."""


@dataclass(frozen=True)
class Runs:
    """All trained methods of one experiment.

    Attributes:
        recipe: what was run.
        splits: on which images.
        seeds: with which seeds.
        trained: the trained methods, one a seed, by name; the start comes first.
    """

    recipe: Recipe
    splits: Splits
    seeds: tuple[int, ...]
    trained: dict[str, list[Trained]]


def run_methods(
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    device: torch.device | str = "cpu",
    progress: bool = False,
    checkpoints: RunCheckpoints | None = None,
) -> Runs:
    """Pretrain, then train every method of a recipe, once a seed.

    The images are the same for all seeds; a seed decides weights, order and augmentation. Test images are
    scored and nothing is chosen on them.

    Args:
        recipe: the experiment.
        seeds: at least one.
        device: where to train.
        progress: show progress bars.
        checkpoints: where to save, and to go on from: what is finished there is not trained again.

    Returns:
        The trained methods.

    Raises:
        ValueError: if there is no seed.
    """
    if not seeds:
        raise ValueError("seeds: expected at least one seed, got none")
    splits = Splits.of_digits(recipe.data)
    trained: dict[str, list[Trained]] = {START: [], **{method.name: [] for method in recipe.methods}}
    for seed in seeds:
        for name, found in _train_seed(recipe, splits, seed, device, progress, checkpoints):
            trained[name].append(found)
    return Runs(recipe, splits, tuple(seeds), trained)


def _train_seed(
    recipe: Recipe,
    splits: Splits,
    seed: int,
    device: torch.device | str,
    progress: bool,
    checkpoints: RunCheckpoints | None,
) -> Iterator[tuple[str, Trained]]:
    """The start and every method with one seed, by name."""

    def bar(name: str) -> str | None:
        return f"seed {seed} · {name}" if progress else None

    def once(name: str, train: Callable[[], Trained]) -> tuple[str, Trained]:
        """Train, unless that has been done before."""
        found = None if checkpoints is None else checkpoints.finished(seed, name, start)
        if found is None:
            found = train()
            if checkpoints is not None:
                checkpoints.keep(seed, name, found)
        return name, found

    saved = None if checkpoints is None else checkpoints.start(seed)
    start = pretrain(recipe, seed=seed, device=device, progress=bar("start"), checkpoint=saved)
    options: dict[str, Any] = {"seed": seed, "device": device}
    yield once(START, partial(probe_start, start, splits, recipe.probe, **options))
    for method in recipe.methods:
        options["progress"] = bar(method.name)
        options["checkpoints"] = None if checkpoints is None else checkpoints.stages(seed, method.name)
        yield once(method.name, partial(train_method, method, start, splits, recipe.probe, **options))


def run_experiment(
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    command: str,
    device: torch.device | str = "cpu",
    progress: bool = False,
    resamples: int = 1000,
    checkpoints: Path | None = None,
) -> Record | None:
    """Run a recipe and write down what came out, with its provenance.

    Args:
        recipe: the experiment.
        seeds: at least one.
        command: what to type to make the record again.
        device: where to train.
        progress: show progress bars.
        resamples: bootstrap resamples of the test images.
        checkpoints: a folder; a run that was killed goes on from it and ends with the same numbers.

    Returns:
        The record. Its rows with a seed hold one run, with bootstrap intervals over the test images; its rows
        without a seed hold the mean over seeds, with a t interval over seeds (from two seeds on). Its
        differences are those of the last method to every other one: paired bootstrap intervals, over the test
        images, of the difference of mean mAP over seeds. Where several processes train together, the first
        writes down what they did, and the others return None.
    """
    begin = time.perf_counter()
    code, hardware = provenance(device)  # before the run: files may change while it trains
    saved = None if checkpoints is None else RunCheckpoints(checkpoints, recipe, code, hardware)
    runs = run_methods(recipe, seeds, device=device, progress=progress, checkpoints=saved)
    if not is_first():
        return None
    rows = [
        _row(name, seed, trained, runs.splits, resamples)
        for name, all_seeds in runs.trained.items()
        for seed, trained in zip(runs.seeds, all_seeds, strict=True)
    ]
    return Record(
        name=recipe.name,
        kind="comparison",
        command=command,
        recipe=recipe.to_dict(),
        seeds=runs.seeds,
        data=_identity(recipe, runs.splits),
        code=code,
        hardware=hardware,
        wall_seconds=time.perf_counter() - begin,
        rows=[*rows, *(_mean_row([row for row in rows if row.method == name]) for name in runs.trained)],
        differences=_differences(runs, resamples),
        notes=[_baseline_note(runs), *([] if saved is None else saved.notes())],
    )


def best_baseline(runs: Runs) -> str:
    """Name of the baseline with the highest mean validation mAP: what the last method is compared with."""
    _, *baselines, _ = runs.trained  # the start comes first, the method in question last
    return max(baselines, key=lambda name: _validation_map(runs, name))


def _validation_map(runs: Runs, name: str) -> float:
    labels = runs.splits.validation.labels
    found = [mean_average_precision(trained.validation_scores, labels) for trained in runs.trained[name]]
    return sum(found) / len(found)


def _row(name: str, seed: int, trained: Trained, splits: Splits, resamples: int) -> Row:
    labels = splits.test.labels
    thresholds = thresholds_from_validation(
        validation_scores=trained.validation_scores, validation_labels=splits.validation.labels
    )
    found = multilabel_metrics(trained.test_scores, labels, thresholds=thresholds)
    interval = bootstrap_interval(
        mean_average_precision, trained.test_scores, labels, resamples=resamples, seed=0
    )
    validation = mean_average_precision(trained.validation_scores, splits.validation.labels)
    series = {"average_precision": found.average_precision.tolist()}
    if trained.history is not None:
        series |= {"loss": trained.history.curve("loss"), "watched": trained.history.curve("watched")}
    return Row(
        method=name,
        seed=seed,
        metrics={
            "mAP": interval,
            "validation mAP": Interval(validation),
            "AUROC": Interval(found.mean_auroc),
            "CF1": Interval(found.at_threshold.CF1),
            "OF1": Interval(found.at_threshold.OF1),
        },
        seconds=trained.seconds,
        image_views=trained.image_views,
        series=series,
    )


def _mean_row(rows: Sequence[Row]) -> Row:
    """The mean over seeds, with a t interval where there are two seeds or more."""

    def over_seeds(name: str) -> Interval:
        values = [row.metrics[name].value for row in rows]
        return seed_interval(values) if len(values) > 1 else rows[0].metrics[name]

    return Row(
        method=rows[0].method,
        seed=None,
        metrics={name: over_seeds(name) for name in rows[0].metrics},
        seconds=sum(row.seconds for row in rows) / len(rows),
        image_views=rows[0].image_views,
    )


def _differences(runs: Runs, resamples: int) -> list[Difference]:
    """The last method against every other, on the same images and seeds."""
    *others, method = runs.trained
    labels = runs.splits.test.labels.repeat(1, len(runs.seeds))
    # Side by side, the mean AP over the columns of S seeds is the mean mAP over the seeds.
    scores = _side_by_side(runs.trained[method])
    return [
        Difference(
            method,
            other,
            "mAP",
            paired_bootstrap_difference(
                mean_average_precision,
                scores,
                _side_by_side(runs.trained[other]),
                labels,
                resamples=resamples,
                seed=0,
            ),
        )
        for other in others
    ]


def _side_by_side(trained: Sequence[Trained]) -> Tensor:
    return torch.cat([one.test_scores for one in trained], dim=1)  # (N, S K)


def _baseline_note(runs: Runs) -> str:
    return f"The best baseline on validation, by mean mAP over seeds, is {best_baseline(runs)}."


def _identity(recipe: Recipe, splits: Splits) -> DataIdentity:
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    tensors = [tensor for part in parts.values() for tensor in (part.images, part.labels)]
    return DataIdentity(
        name=f"DigitScenes, difficulty {recipe.data.difficulty}, seed {recipe.data.seed}",
        split="train/validation/test with disjoint handwriting",
        sizes={name: len(part) for name, part in parts.items()},
        checksum=checksum(*tensors),
        access="generated by probmcl.data.digit_scenes; no download",
        source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998",
    )
