"""A study in one record: rows a run, means over seeds, differences to the reference, everything tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from probmcl.evaluate import (
    bootstrap_values,
    mean_average_precision,
    percentile_interval,
    seed_interval,
    weight_similarity,
)
from probmcl.experiment.record import DataIdentity, Difference, Record, Row
from probmcl.experiment.rows import mean_row
from probmcl.experiment.study.design import Trial
from probmcl.experiment.study.finished import Finished
from probmcl.experiment.study.runner import StudyRuns

OVER_SEEDS = "mAP over seeds"
"""Name of a difference's t interval over seeds, beside the bootstrap over images that is called "mAP"."""

LEVEL = 0.95
TAIL_DRAWS = 5  # resamples outside either end of a corrected interval, at least


def summarise(found: StudyRuns, *, command: str, wall_seconds: float, resamples: int = 1000) -> Record:
    """Sum up the finished runs of a study.

    Args:
        found: what :func:`~probmcl.experiment.run_study` returned, complete or not.
        command: what to type to make the record again.
        wall_seconds: time of the command.
        resamples: bootstrap resamples of the differences, at least; narrow tails take more.

    Returns:
        A record of kind "study". Rows with a seed are runs, of the report and of the tuning; rows without are
        means over seeds with t intervals. A difference "mAP" is the reference less another setting of its
        group, or of another pair that the study names: mean mAP over the seeds of both, with a paired
        bootstrap interval over test images whose level is corrected for the number of comparisons
        (Bonferroni); "mAP over seeds" is the same difference with a t interval over seeds, not corrected.

    Raises:
        ValueError: if no run of the report is finished.
    """
    if not found.runs:
        raise ValueError(f"study: {found.study.name} has no finished run of the report yet")
    study, runs = found.study, list(found.runs.values())
    first = _trials(found)[0]
    _, identity = found.images.of(first.recipe)
    return Record(
        name=record_name(study.name, study.world),
        kind="study",
        command=command,
        recipe={**study.to_dict(), "chosen": {name: one.name for name, one in found.chosen.items()}},
        seeds=tuple(sorted({run.seed for run in runs})),
        data=identity,
        code=runs[-1].code,
        hardware=runs[-1].hardware,
        wall_seconds=wall_seconds,
        rows=[*(run.row for run in runs), *_means(found), *_tuning_rows(found)],
        differences=_differences(found, resamples),
        notes=_notes(found, identity),
    )


def record_name(study: str, world: str) -> str:
    """Name of a study's record.

    >>> record_name("main", "digits"), record_name("main", "mirflickr14")
    ('study_main', 'study_main_mirflickr14')
    """
    return f"study_{study}" if world == "digits" else f"study_{study}_{world}"


def _trials(found: StudyRuns) -> list[Trial]:
    """Trials with a finished run."""
    names = {name for name, _ in found.runs}
    return [trial for trial in found.study.trials if trial.name in names]


def _of(found: StudyRuns, trial: Trial) -> dict[int, Finished]:
    """Finished runs of a trial, by seed."""
    return {seed: run for (name, seed), run in found.runs.items() if name == trial.name}


def _means(found: StudyRuns) -> list[Row]:
    """A row without a seed for every trial, over its finished seeds, with values per class and of pairs."""
    rows = []
    for trial in _trials(found):
        runs = list(_of(found, trial).values())
        shared = set.intersection(*(set(run.row.metrics) for run in runs))
        one_kind = [
            replace(
                run.row, metrics={name: run.row.metrics[name] for name in run.row.metrics if name in shared}
            )
            for run in runs
        ]
        precision = torch.tensor([run.row.series["average_precision"] for run in runs]).nanmean(0)
        series = {"average_precision": precision.tolist()}
        if runs[0].weight.numel():
            alike = torch.stack([weight_similarity(run.weight) for run in runs]).mean(0)  # (K, K)
            series["weight similarity"] = alike.flatten().tolist()
        rows.append(replace(mean_row(one_kind), series=series))
    return rows


def _tuning_rows(found: StudyRuns) -> list[Row]:
    """Every candidate that was tried, and which was chosen."""
    rows = []
    for setting, candidate, run in found.tuning:
        words = "chosen" if found.chosen.get(setting) == candidate else "tried"
        rows.append(replace(run.row, method=f"{words}: {setting}: {candidate.name}"))
    return rows


def _pairs(found: StudyRuns) -> list[tuple[Trial, Trial]]:
    """The reference of every group with every other setting of the group, and what else is compared."""
    known = {(trial.setting, trial.group): trial for trial in _trials(found)}
    against = [(found.study.reference, setting) for setting in dict.fromkeys(name for name, _ in known)]
    return [
        (known[first, group], known[second, group])
        for group in dict.fromkeys(group for _, group in known)
        for first, second in [*against, *found.study.also]
        if first != second and (first, group) in known and (second, group) in known
    ]


def _differences(found: StudyRuns, resamples: int) -> list[Difference]:
    pairs = _pairs(found)
    if not pairs:
        return []
    level = 1 - (1 - LEVEL) / len(pairs)  # Bonferroni
    resamples = max(resamples, math.ceil(2 * TAIL_DRAWS / (1 - level))) if resamples >= 1000 else resamples
    rows = []
    known: dict[tuple[str, tuple[int, ...]], tuple[float, Tensor]] = {}

    def values(trial: Trial, seeds: tuple[int, ...]) -> tuple[float, Tensor]:
        """Mean mAP over seeds, on all test images and on the resamples; once a setting."""
        if (trial.name, seeds) not in known:
            scores = torch.cat([found.runs[trial.name, seed].test_scores for seed in seeds], dim=1)
            labels = found.images.of(trial.recipe)[0].test.labels.repeat(1, len(seeds))  # (N, S K)
            drawn = bootstrap_values(mean_average_precision, scores, labels, resamples=resamples, seed=0)
            known[trial.name, seeds] = (mean_average_precision(scores, labels), drawn)
        return known[trial.name, seeds]

    for reference, other in pairs:
        seeds = tuple(seed for seed in _of(found, reference) if seed in _of(found, other))
        if not seeds or len(found.images.of(reference.recipe)[0].test) != len(
            found.images.of(other.recipe)[0].test
        ):
            continue
        (ours, our_draws), (theirs, their_draws) = values(reference, seeds), values(other, seeds)
        over_images = percentile_interval(ours - theirs, our_draws - their_draws, level)
        rows.append(Difference(reference.name, other.name, "mAP", over_images))
        if len(seeds) > 1:
            each = [_map(found, reference, seed) - _map(found, other, seed) for seed in seeds]
            rows.append(Difference(reference.name, other.name, OVER_SEEDS, seed_interval(each, level=LEVEL)))
    return rows


def _map(found: StudyRuns, trial: Trial, seed: int) -> float:
    return found.runs[trial.name, seed].row.metrics["mAP"].value


def _notes(found: StudyRuns, identity: DataIdentity) -> list[str]:
    study, pairs = found.study, _pairs(found)
    runs, tuned = list(found.runs.values()), [run for _, _, run in found.tuning]
    minutes = sum(run.seconds for run in [*runs, *tuned]) / 60
    notes = [
        study.question,
        f"{len(runs)} runs of the report and {len(tuned)} of the tuning, {minutes:.0f} minutes together; "
        f"{found.left} runs are left.",
    ]
    if pairs:
        notes.append(
            f"{len(pairs)} comparisons{'' if study.also else f' with {study.reference}'}: "
            f"intervals over test images are at the level {1 - (1 - LEVEL) / len(pairs):.4g} each "
            f"(Bonferroni, {LEVEL:g} together); intervals over seeds are not corrected."
        )
    if study.tuning is not None:
        tried = len(next(iter(study.tuning.candidates.values())))
        notes.append(
            f"Tuned on validation images with seed {study.tuning.seed}, {tried} candidates for each of "
            f"{len(study.tuning.candidates)} settings"
            + (f", in the group {study.tuning.group}." if study.tuning.group else ".")
        )
    others = {(other.name, other.split, other.checksum) for other in _identities(found)}
    others -= {(identity.name, identity.split, identity.checksum)}
    notes += [f"Other images: {name}; {split}; {checksum}." for name, split, checksum in sorted(others)]
    return [*notes, *_moved([*runs, *tuned])]


def _identities(found: StudyRuns) -> list[DataIdentity]:
    return [found.images.of(trial.recipe)[1] for trial in _trials(found)]


def _moved(runs: Sequence[Finished]) -> list[str]:
    """What a reader should know of runs that were not made at one time and place."""
    commits = sorted({str(run.code.commit)[:12] + ("+" if run.code.dirty else "") for run in runs})
    machines = {run.hardware for run in runs}
    notes = [f"Runs were made on commits {', '.join(commits)}."] if len(commits) > 1 else []
    return notes + (["Runs were made on more than one machine."] if len(machines) > 1 else [])
