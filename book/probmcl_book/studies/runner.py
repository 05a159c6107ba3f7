"""Run a study: every trial with every seed, once; what is finished is not run again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from probmcl import _check
from probmcl_book.replicate.clock import Clock
from probmcl_book.replicate.data_sets import DataSets
from probmcl_book.replicate.finished import Finished
from probmcl_book.replicate.folder import RunFolder
from probmcl_book.replicate.runner import Runner, Say, Task
from probmcl_book.studies.design import Candidate, Study, Trial
from probmcl_book.studies.measures import MEASURES


@dataclass(frozen=True)
class StudyRuns:
    """What has been run of a study."""

    study: Study
    images: DataSets
    chosen: dict[str, Candidate]  #: by setting; empty before the tuning is complete
    tuning: list[tuple[str, Candidate, Finished]]  #: setting, candidate and run
    runs: dict[tuple[str, int], Finished]  #: of the report, by name of the trial and seed
    left: int  #: number of runs that are not finished
    made: int  #: number of runs that were made now and not found

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
    images: DataSets | None = None,
    weights: Path | None = None,
    device: torch.device | str = "cpu",
    budget: float | None = None,
    progress: bool = False,
    say: Say = lambda line: None,
) -> StudyRuns:
    """Run what is not finished of a study: first its tuning, then its report, seed by seed.

    What is found in ``folder``, one file per finished run, or in the folders of other studies beside it, is
    not run again. ``weights`` is the file of weights, if the start is one. ``budget`` is in hours: a run that
    would probably not end in time is not started. ``progress`` shows bars. Tuning is not even given the test
    images.
    """
    images = DataSets() if images is None else images
    runner = Runner(images, RunFolder(folder), weights, device, MEASURES, whole=False, progress=progress)
    with runner.held:
        return _finished(study, runner, budget, say)


def _finished(study: Study, runner: Runner, budget: float | None, say: Say) -> StudyRuns:
    candidates = list(study.tuning_runs())
    tasks = [
        Task(f"{trial.name} · tuning {candidate.name}", trial.recipe, trial.seeds[0], tuning=True)
        for trial, candidate in candidates
    ]
    clock = Clock(budget, len(tasks) + sum(len(trial.seeds) for trial in study.trials))
    tuning = [
        (trial.setting, candidate, run)
        for (trial, candidate), run in zip(candidates, runner.each(tasks, clock, say), strict=True)
        if run is not None
    ]
    if len(tuning) < len(tasks):
        return StudyRuns(study, runner.data, {}, tuning, {}, clock.left, clock.timed)
    chosen = choose(tuning)
    tasks = [Task(trial.name, trial.recipe, seed) for trial, seed in study.tuned(chosen).runs()]
    runs = {
        (task.name, task.seed): run
        for task, run in zip(tasks, runner.each(tasks, clock, say), strict=True)
        if run is not None
    }
    return StudyRuns(study, runner.data, chosen, tuning, runs, clock.left, clock.timed)


def repeat_runs(
    found: StudyRuns, count: int, *, weights: Path | None = None, device: torch.device | str = "cpu"
) -> list[tuple[Finished, Finished]]:
    """Draw some finished runs of the report and make them again, starts included: as kept, and as made again.

    On the same machine, device and number of threads, the numbers are the same to the last digit.
    """
    _check.count("count", count)
    names = sorted(found.runs)
    if not names:
        raise ValueError(f"found: expected finished runs of {found.study.name}, got none")
    kept = [found.runs[name] for name in random.Random(0).sample(names, min(count, len(names)))]
    tasks = [Task(run.row.method, run.recipe, run.seed) for run in kept]
    again = Runner(found.images, None, weights, device, whole=False).each(tasks)
    return [(one, other) for one, other in zip(kept, again, strict=True) if other is not None]


def choose(tuning: Sequence[tuple[str, Candidate, Finished]]) -> dict[str, Candidate]:
    """The candidate of every setting with the highest validation mAP; the first of equals."""
    best: dict[str, tuple[float, Candidate]] = {}
    for setting, candidate, run in tuning:
        score = run.row.metrics["validation mAP"].value
        if setting not in best or score > best[setting][0]:
            best[setting] = (score, candidate)
    return {setting: candidate for setting, (_, candidate) in best.items()}
