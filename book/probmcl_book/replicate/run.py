"""One experiment: every method from the same start, over seeds, compared and written down."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from probmcl.train import is_first
from probmcl_book.records.kept import kept_elsewhere
from probmcl_book.records.making import Making
from probmcl_book.records.provenance import provenance
from probmcl_book.records.record import DataIdentity, Record, Row, check_notes, check_seeds
from probmcl_book.replicate.data_sets import DataSets
from probmcl_book.replicate.export import check_export, export_run
from probmcl_book.replicate.finished import Finished
from probmcl_book.replicate.folder import RunFolder, slug
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.rows import differences, with_means
from probmcl_book.replicate.runner import Runner, Task
from probmcl_book.replicate.splits import Splits

START = "Start (linear probe)"
"""Name of the row that holds the start's own linear probe."""


@dataclass(frozen=True)
class Runs:
    """All trained methods of one experiment.

    ``finished`` holds the runs, one per seed, by name of the method; the start comes first. ``notes`` are
    what a reader should know if the experiment was interrupted.
    """

    recipe: Recipe
    splits: Splits
    data: DataIdentity
    seeds: tuple[int, ...]
    finished: dict[str, list[Finished]]
    notes: Sequence[str] = ()

    @property
    def trained(self) -> dict[str, list[Trained]]:
        """The trained methods, one per seed, by name."""
        return {name: [run.whole() for run in runs] for name, runs in self.finished.items()}

    @property
    def rows(self) -> list[Row]:
        """One row per method and seed."""
        return [run.row for runs in self.finished.values() for run in runs]


def run_methods(
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    splits: Splits | None = None,
    weights: Path | None = None,
    device: torch.device | str = "cpu",
    progress: bool = False,
    checkpoints: Path | None = None,
) -> Runs:
    """Pretrain, then train every method of a recipe, once per seed.

    The images are the same for all seeds; a seed decides weights, order and augmentation. Test images are
    scored and nothing is chosen on them.

    ``splits`` are ``recipe.splits(folder)``, and not needed where they are drawn; ``weights`` is the file of
    weights, if the recipe's start is one. ``checkpoints`` is a folder for this experiment and others: what is
    finished there is not trained again, and a run that was killed goes on from it and ends with the same
    numbers.
    """
    check_seeds(seeds)
    data = DataSets()
    splits, identity = data.of(recipe) if splits is None else data.put(recipe, splits)
    folder = None if checkpoints is None else RunFolder(checkpoints / slug(recipe.name))
    runner = Runner(data, folder, weights, device, progress=progress)
    alone = {START: (), **{method.name: (method,) for method in recipe.methods}}
    tasks = [
        Task(name, replace(recipe, methods=methods), seed)
        for seed in seeds
        for name, methods in alone.items()
    ]
    finished: dict[str, list[Finished]] = {name: [] for name in alone}
    with runner.held:
        for task, run in zip(tasks, runner.each(tasks), strict=True):
            assert run is not None  # no clock stops it
            finished[task.name].append(run)
    return Runs(recipe, splits, identity, tuple(seeds), finished, runner.notes())


def run_experiment(
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    command: str,
    device: torch.device | str = "cpu",
    resamples: int = 1000,
    export: Path | None = None,
    notes: Sequence[str] = (),
    **options: Any,
) -> Record | None:
    """Run a recipe and write down what came out, with its provenance.

    ``command`` is what to type to make the record again, ``notes`` what its reader should know beside what
    the run finds out by itself, and ``export`` a folder for the trained methods, see
    :func:`~probmcl_book.replicate.export_run`. Other options are those of :func:`run_methods`.

    Rows with a seed hold one run, with jackknife intervals over the test images; rows without one hold the
    mean over seeds, with a t interval over seeds (from two seeds on). Differences are those of the last
    method to every other one: paired bootstrap intervals, over the test images, of the difference of mean mAP
    over seeds. Where several processes train together, the first writes down what they did, and the others
    return None.
    """
    check_notes(notes)
    if export is not None and is_first():
        check_export([START, *(method.name for method in recipe.methods)], seeds, export)
    making = Making(command, provenance(device))
    runs = run_methods(recipe, seeds, device=device, **options)
    if not is_first():
        return None
    record = making.record(
        recipe.name,
        "comparison",
        recipe=recipe.to_dict(),
        seeds=runs.seeds,
        data=runs.data,
        rows=with_means(runs.rows),
        differences=differences(runs.finished, runs.splits.test.labels, resamples=resamples),
        notes=[*notes, *_notes(runs), *runs.notes],
    )
    if export is not None:
        try:
            export_run(record, runs.finished, export)
        except (OSError, ValueError) as error:
            raise kept_elsewhere(record, error, options.get("checkpoints")) from error
    return record


def best_baseline(runs: Runs) -> str:
    """Name of the baseline with the highest mean validation mAP: what the last method is compared with."""
    baselines = list(runs.finished)[1:-1]  # the start comes first, the method in question last
    if not baselines:
        raise ValueError(f"runs: expected two methods or more, got {len(runs.recipe.methods)}")
    return max(
        baselines, key=lambda name: fmean(r.row.metrics["validation mAP"].value for r in runs.finished[name])
    )


def _notes(runs: Runs) -> list[str]:
    notes, limit = [], runs.recipe.limit
    if len(runs.recipe.methods) > 1:
        notes.append(f"The best baseline on validation, by mean mAP over seeds, is {best_baseline(runs)}.")
    if limit is not None:
        words = "Only" if min(runs.data.sizes.values()) == limit else "At most"
        notes.append(f"{words} {limit} images of each part: it shows that the parts fit and is no evidence.")
    return notes
