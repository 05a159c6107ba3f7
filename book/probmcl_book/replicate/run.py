"""One experiment: every method from the same start, over seeds, compared and written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from probmcl.evaluate import mean_average_precision
from probmcl.train import is_first
from probmcl_book.records.provenance import provenance
from probmcl_book.records.record import Record, check_notes, check_seeds
from probmcl_book.replicate.checkpoints import RunCheckpoints
from probmcl_book.replicate.export import export_run
from probmcl_book.replicate.methods import Trained, probe_start, train_method
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.rows import differences, mean_row, result_row
from probmcl_book.replicate.splits import Splits
from probmcl_book.replicate.starts import pretrain

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
    splits: Splits | None = None,
    weights: Path | None = None,
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
        splits: the images, ``recipe.splits(folder)``; not needed where they are drawn.
        weights: the file of weights, if the recipe's start is one.
        device: where to train.
        progress: show progress bars.
        checkpoints: where to save, and to go on from: what is finished there is not trained again.

    Returns:
        The trained methods.

    Raises:
        ValueError: if there is no seed, or one that no record could hold.
    """
    check_seeds(seeds)
    splits = recipe.splits() if splits is None else splits
    trained: dict[str, list[Trained]] = {START: [], **{method.name: [] for method in recipe.methods}}
    for seed in seeds:
        for name, found in _train_seed(recipe, splits, seed, weights, device, progress, checkpoints):
            trained[name].append(found)
    return Runs(recipe, splits, tuple(seeds), trained)


def _train_seed(
    recipe: Recipe,
    splits: Splits,
    seed: int,
    weights: Path | None,
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
    options: dict[str, Any] = {"seed": seed, "device": device}
    start = pretrain(recipe, progress=bar("start"), checkpoint=saved, weights=weights, **options)
    yield once(START, partial(probe_start, start, recipe, splits, **options))
    for method in recipe.methods:
        options["progress"] = bar(method.name)
        options["checkpoints"] = None if checkpoints is None else checkpoints.stages(seed, method.name)
        yield once(method.name, partial(train_method, method, start, recipe, splits, **options))


def run_experiment(
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    command: str,
    splits: Splits | None = None,
    weights: Path | None = None,
    device: torch.device | str = "cpu",
    progress: bool = False,
    resamples: int = 1000,
    checkpoints: Path | None = None,
    export: Path | None = None,
    notes: Sequence[str] = (),
) -> Record | None:
    """Run a recipe and write down what came out, with its provenance.

    Args:
        recipe: the experiment.
        seeds: at least one.
        command: what to type to make the record again.
        splits: the images, as in :func:`run_methods`.
        weights: the file of weights, as in :func:`run_methods`.
        device: where to train.
        progress: show progress bars.
        resamples: bootstrap resamples of the test images.
        checkpoints: a folder; a run that was killed goes on from it and ends with the same numbers.
        export: a folder for the trained methods, see :func:`~probmcl_book.replicate.export_run`.
        notes: what a reader of the record should know beside what the run finds out by itself.

    Returns:
        The record. Its rows with a seed hold one run, with bootstrap intervals over the test images; its rows
        without a seed hold the mean over seeds, with a t interval over seeds (from two seeds on). Its
        differences are those of the last method to every other one: paired bootstrap intervals, over the test
        images, of the difference of mean mAP over seeds. Where several processes train together, the first
        writes down what they did, and the others return None.
    """
    check_seeds(seeds)
    check_notes(notes)
    begin = time.perf_counter()
    code, hardware = provenance(device)  # before the run: files may change while it trains
    splits = recipe.splits() if splits is None else splits
    identity = splits.identity()
    saved = None
    if checkpoints is not None:
        saved = RunCheckpoints(checkpoints, recipe, code, hardware, data=identity.checksum)
    runs = run_methods(
        recipe, seeds, splits=splits, weights=weights, device=device, progress=progress, checkpoints=saved
    )
    if not is_first():
        return None
    rows = [
        result_row(name, seed, trained, splits, resamples)
        for name, all_seeds in runs.trained.items()
        for seed, trained in zip(runs.seeds, all_seeds, strict=True)
    ]
    record = Record(
        name=recipe.name,
        kind="comparison",
        command=command,
        recipe=recipe.to_dict(),
        seeds=runs.seeds,
        data=identity,
        code=code,
        hardware=hardware,
        wall_seconds=time.perf_counter() - begin,
        rows=[*rows, *(mean_row([row for row in rows if row.method == name]) for name in runs.trained)],
        differences=differences(runs.trained, splits.test.labels, resamples=resamples),
        notes=[*notes, *_notes(runs), *([] if saved is None else saved.notes())],
    )
    if export is not None:
        export_run(record, runs.trained, splits, export)
    return record


def best_baseline(runs: Runs) -> str:
    """Name of the baseline with the highest mean validation mAP: what the last method is compared with.

    Raises:
        ValueError: if there is no baseline.
    """
    baselines = list(runs.trained)[1:-1]  # the start comes first, the method in question last
    if not baselines:
        raise ValueError(f"runs: expected two methods or more, got {len(runs.recipe.methods)}")
    return max(baselines, key=lambda name: _validation_map(runs, name))


def _validation_map(runs: Runs, name: str) -> float:
    labels = runs.splits.validation.labels
    found = [mean_average_precision(trained.validation_scores, labels) for trained in runs.trained[name]]
    return sum(found) / len(found)


def _notes(runs: Runs) -> list[str]:
    notes, limit = [], runs.recipe.limit
    if len(runs.recipe.methods) > 1:
        notes.append(f"The best baseline on validation, by mean mAP over seeds, is {best_baseline(runs)}.")
    if limit is not None:
        parts = (runs.splits.train, runs.splits.validation, runs.splits.test)
        words = "Only" if min(map(len, parts)) == limit else "At most"
        notes.append(f"{words} {limit} images of each part: it shows that the parts fit and is no evidence.")
    return notes
