"""Run a study: every trial with every seed, once; what is finished is not run again."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from probmcl import _check
from probmcl.evaluate import Interval
from probmcl_book.records.provenance import Code, Hardware, provenance
from probmcl_book.records.record import DataIdentity
from probmcl_book.replicate.methods import Trained, probe_start, train_method
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.rows import result_row
from probmcl_book.replicate.splits import Splits
from probmcl_book.studies.clock import Clock
from probmcl_book.studies.design import Candidate, Study, Trial
from probmcl_book.studies.finished import Finished, run_key
from probmcl_book.studies.folder import StudyFolder
from probmcl_book.studies.measures import MEASURES, Measure

Say = Callable[[str], None]


@dataclass(frozen=True)
class Images:
    """The images of a study's recipes, read or drawn once.

    Attributes:
        folder: where the data set is; None where it is drawn.
    """

    folder: Path | None = None
    _known: dict[str, tuple[Splits, DataIdentity]] = field(default_factory=dict)

    def of(self, recipe: Recipe) -> tuple[Splits, DataIdentity]:
        """The images of a recipe, and their identity."""
        plain = recipe.to_dict()
        name = json.dumps([plain["data"], plain["limit"], plain["train_share"]], sort_keys=True)
        if name not in self._known:
            splits = recipe.splits(self.folder)
            self._known[name] = (splits, splits.identity())
        return self._known[name]


@dataclass(frozen=True)
class StudyRuns:
    """What has been run of a study.

    Attributes:
        study: the study, as it was planned.
        images: its images.
        chosen: what the tuning chose, by setting; empty before it is complete.
        tuning: finished runs of the tuning, with their settings and candidates.
        runs: finished runs of the report, by name of the trial and seed.
        left: number of runs that are not finished.
        made: number of runs that were made now and not found.
    """

    study: Study
    images: Images
    chosen: dict[str, Candidate]
    tuning: list[tuple[str, Candidate, Finished]]
    runs: dict[tuple[str, int], Finished]
    left: int
    made: int

    def trials(self) -> list[Trial]:
        """Trials of the report with a finished run, as they were planned."""
        return [trial for trial in self.study.trials if self.of(trial)]

    def of(self, trial: Trial) -> dict[int, Finished]:
        """Finished runs of a trial, by seed."""
        return {seed: run for (name, seed), run in self.runs.items() if name == trial.name}


def run_study(
    study: Study,
    folder: str | Path,
    *,
    images: Images | None = None,
    weights: Path | None = None,
    device: torch.device | str = "cpu",
    budget: float | None = None,
    resamples: int = 300,
    measures: Sequence[Measure] = MEASURES,
    say: Say = lambda line: None,
) -> StudyRuns:
    """Run what is not finished of a study.

    The tuning comes first. It is scored on validation images alone: it is not even given the test images.
    When every candidate has its score, the best of each setting goes into the report, whose runs follow
    seed by seed.

    Args:
        study: what to run.
        folder: where finished runs are kept, one file each; what is found there, or in the folders of other
            studies beside it, is not run again.
        images: the images; drawn if not given.
        weights: the file of weights, if the start is one.
        device: where to train.
        budget: hours; a run that would probably not end in time is not started. None for no end.
        resamples: bootstrap resamples of a run's own intervals.
        measures: what to measure of every run beside its metrics.
        say: takes a line of progress before and after every run.

    Returns:
        The finished runs.

    Raises:
        ValueError: if a file of the folder is torn, damaged or foreign; the message names it.
    """
    images = Images() if images is None else images
    made_by = provenance(device)  # before the first run: files may change while it trains
    work = _Work(StudyFolder(folder), images, weights, device, resamples, tuple(measures), say, made_by)
    tuning_runs = list(study.tuning_runs())
    clock = Clock(budget, len(tuning_runs) + sum(len(trial.seeds) for trial in study.trials))
    tuning = []
    for trial, candidate in tuning_runs:
        found = work.once(trial, trial.seeds[0], clock, candidate)
        if found is not None:
            tuning.append((trial.setting, candidate, found))
    if len(tuning) < len(tuning_runs):
        return StudyRuns(study, images, {}, tuning, {}, clock.left, clock.timed)
    chosen = choose(tuning)
    runs = {}
    for trial, seed in study.tuned(chosen).runs():
        found = work.once(trial, seed, clock)
        if found is not None:
            runs[trial.name, seed] = found
    return StudyRuns(study, images, chosen, tuning, runs, clock.left, clock.timed)


@dataclass(frozen=True)
class Repeat:
    """The test mAP of a run that was made twice: as it was kept, and as it came out again."""

    trial: str
    seed: int
    recorded: float
    made: float

    @property
    def verdict(self) -> str:
        """Whether the two are the same to the last digit, in words.

        >>> Repeat("BCE", 0, 0.75, 0.75).verdict, Repeat("BCE", 0, 0.75, 0.5).verdict
        ('the same', 'differs by -0.25')
        """
        moved = self.made - self.recorded
        return f"differs by {moved:+.3g}" if moved else "the same"


def repeat_runs(
    found: StudyRuns,
    folder: str | Path,
    count: int,
    *,
    weights: Path | None = None,
    device: torch.device | str = "cpu",
) -> list[Repeat]:
    """Draw some finished runs of the report and make them again; what is kept of them stays as it is.

    On the same machine, device and number of threads, the numbers are the same to the last digit.

    Args:
        found: a study's finished runs.
        folder: the study's folder, for the common starts.
        count: how many to draw.
        weights: the file of weights, if the start is one.
        device: where to train.

    Raises:
        ValueError: if there is no finished run to draw.
    """
    _check.count("count", count)
    names = sorted(found.runs)
    if not names:
        raise ValueError(f"folder: expected finished runs of {found.study.name} in {folder}, got none")
    drawn = random.Random(0).sample(names, min(count, len(names)))
    work = _Work(StudyFolder(folder), found.images, weights, device, 1, (), print, provenance(device))
    repeats = []
    for name, seed in drawn:
        (trial,) = (trial for trial in found.study.tuned(found.chosen).trials if trial.name == name)
        again = work.run(trial, seed, *found.images.of(trial.recipe), candidate=None)
        pair = (run.row.metrics["mAP"].value for run in (found.runs[name, seed], again))
        repeats.append(Repeat(name, seed, *pair))
    return repeats


def choose(tuning: Sequence[tuple[str, Candidate, Finished]]) -> dict[str, Candidate]:
    """The candidate of every setting with the highest validation mAP; the first of equals."""
    best: dict[str, tuple[float, Candidate]] = {}
    for setting, candidate, run in tuning:
        score = run.row.metrics["validation mAP"].value
        if setting not in best or score > best[setting][0]:
            best[setting] = (score, candidate)
    return {setting: candidate for setting, (_, candidate) in best.items()}


@dataclass(frozen=True)
class _Work:
    """What every run of a study needs."""

    folder: StudyFolder
    images: Images
    weights: Path | None
    device: torch.device | str
    resamples: int
    measures: tuple[Measure, ...]
    say: Say
    made_by: tuple[Code, Hardware]

    def once(
        self, trial: Trial, seed: int, clock: Clock, candidate: Candidate | None = None
    ) -> Finished | None:
        """The finished run, run now if need be; None if there is no time for it."""
        splits, identity = self.images.of(trial.recipe)
        found = self.folder.find(run_key(trial.recipe, seed, identity.checksum, tuning=candidate is not None))
        name = f"seed {seed} · {trial.name}" + ("" if candidate is None else f" · tuning {candidate.name}")
        if found is not None:
            clock.skipped(_kind(trial), found.seconds)
            return replace(found, row=replace(found.row, method=trial.name))  # another study's name for it
        if not clock.allows(_kind(trial)):
            return None
        self.say(f"{clock.position} {name}")
        run = self.run(trial, seed, splits, identity, candidate)
        self.folder.keep(run)
        clock.ran(_kind(trial), run.seconds)
        score = run.row.metrics["validation mAP"].value
        self.say(f"  validation mAP {score:.3f}, {run.seconds:.1f} s; {clock.outlook}")
        return run

    def run(
        self, trial: Trial, seed: int, splits: Splits, identity: DataIdentity, candidate: Candidate | None
    ) -> Finished:
        """Train, score and measure."""
        recipe, tuning = trial.recipe, candidate is not None
        start = self.folder.start(recipe, seed, device=self.device, weights=self.weights)
        begin = time.perf_counter()  # the common start is no part of a method's time
        seen = replace(splits, test=splits.validation) if tuning else splits  # tuning sees no test image
        if recipe.methods:
            trained = train_method(recipe.methods[0], start, recipe, seen, seed=seed, device=self.device)
        else:
            trained = probe_start(start, recipe, seen, seed=seed, device=self.device)
        row = result_row(trial.name, seed, trained, seen, self.resamples)
        metrics = {"validation mAP": row.metrics["validation mAP"]} if tuning else dict(row.metrics)
        for measure in () if tuning else self.measures:
            found = measure(trained, seen, recipe)
            metrics |= {key: Interval(value) for key, value in found.items() if math.isfinite(value)}
        kept = ("watched",) if tuning else row.series
        series = {name: row.series[name] for name in kept if name in row.series}
        return Finished(
            recipe,
            seed,
            identity.checksum,
            tuning,
            replace(row, metrics=metrics, series=series),
            trained.validation_scores,
            trained.test_scores,
            *_linear(trained),
            *self.made_by,
            seconds=time.perf_counter() - begin,
        )


def _kind(trial: Trial) -> str:
    """Runs of one kind take about the same time."""
    method = trial.recipe.methods[0] if trial.recipe.methods else None
    return f"{trial.group}: {'start' if method is None else method.criterion}"


def _linear(trained: Trained) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and bias of a linear classifier; empty ones of another."""
    if not isinstance(trained.classifier, nn.Linear):
        return torch.zeros(0), torch.zeros(0)
    return trained.classifier.weight, trained.classifier.bias
