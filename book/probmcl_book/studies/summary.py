"""A study in one record: a row per run, means over seeds, differences to the reference, everything tried."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import torch

from probmcl.evaluate import weight_similarity
from probmcl_book.records.making import Making
from probmcl_book.records.record import DataIdentity, Record, Row
from probmcl_book.replicate.finished import Finished
from probmcl_book.replicate.rows import mean_row
from probmcl_book.studies.design import Study, Trial
from probmcl_book.studies.differences import LEVEL, compared, corrected_level, study_differences
from probmcl_book.studies.runner import StudyRuns


def summarise(
    found: StudyRuns, *, command: str, resamples: int = 1000, planned: Study | None = None
) -> Record:
    """Sum up the finished runs of a study; ``planned`` is the whole of it, where a part was asked for.

    A difference "mAP" is of means over the seeds of both, with a paired bootstrap interval over test images
    whose level is corrected for the number of comparisons in the group (Bonferroni); "mAP over seeds" is the
    same with a t interval over seeds, not corrected. The record's time is that of all runs.
    """
    if not found.runs:
        raise ValueError(f"study: {found.study.name} has no finished run of the report yet")
    study, runs = found.study, list(found.runs.values())
    _, identity = found.images.of(found.trials()[0].recipe)
    making = Making(command, (runs[-1].code, runs[-1].hardware))
    return making.record(
        record_name(study.name, study.world),
        "study",
        recipe={**study.to_dict(), "chosen": {name: one.name for name, one in found.chosen.items()}},
        seeds=tuple(sorted({run.seed for run in runs})),
        data=identity,
        wall_seconds=_seconds(found),
        rows=[*(run.row for run in runs), *_means(found), *_tuning_rows(found)],
        differences=study_differences(found, resamples),
        notes=_notes(found, identity, planned or study),
    )


def record_name(study: str, world: str) -> str:
    """Name of a study's record.

    >>> record_name("main", "digits"), record_name("main", "mirflickr14")
    ('study_main', 'study_main_mirflickr14')
    """
    return f"study_{study}" if world == "digits" else f"study_{study}_{world}"


def _seconds(found: StudyRuns) -> float:
    """Of all finished runs, tuning included."""
    return sum(run.seconds for run in [*found.runs.values(), *(run for _, _, run in found.tuning)])


def _means(found: StudyRuns) -> list[Row]:
    """A row without a seed for every trial, over its finished seeds, with values per class and of pairs."""
    rows = []
    for trial in found.trials():
        runs = list(found.of(trial).values())
        precision = torch.tensor([run.row.series["average_precision"] for run in runs]).nanmean(0)
        series = {"average_precision": precision.tolist()}
        if runs[0].weight.numel():
            alike = torch.stack([weight_similarity(run.weight) for run in runs]).mean(0)  # (K, K)
            series["weight similarity"] = alike.flatten().tolist()
        rows.append(replace(mean_row([run.row for run in runs]), series=series))
    return rows


def _tuning_rows(found: StudyRuns) -> list[Row]:
    """Every candidate that was tried, and which was chosen."""
    rows = []
    for setting, candidate, run in found.tuning:
        words = "chosen" if found.chosen.get(setting) == candidate else "tried"
        rows.append(replace(run.row, method=f"{words}: {setting}: {candidate.name}"))
    return rows


def _notes(found: StudyRuns, identity: DataIdentity, planned: Study) -> list[str]:
    study, pairs = found.study, compared(found)
    runs, tuned = list(found.runs.values()), [run for _, _, run in found.tuning]
    notes = [
        study.question,
        f"{len(runs)} runs of the report and {len(tuned)} of the tuning, {_seconds(found) / 60:.0f} minutes "
        f"together; {found.left} runs are left{_unasked(study, planned)}.",
    ]
    for group, count in Counter(one.group for one, _ in pairs).items():
        notes.append(
            f"{count} comparisons{f' in the group {group}' if group else ''}: intervals over test images are "
            f"at the level {corrected_level(count):.4g} each (Bonferroni, {LEVEL:g} together); those over "
            f"seeds are not corrected. {_best(found, group)}"
        )
    if study.tuning is not None:
        (tried,), group = set(map(len, study.tuning.candidates.values())), study.tuning.group
        notes.append(
            f"Tuned on validation images with seed {study.tuning.seed}, {tried} candidates for each of "
            f"{len(study.tuning.candidates)} settings{f', in the group {group}' if group else ''}."
        )
    identities = (found.images.of(trial.recipe)[1] for trial in found.trials())
    others = {(other.name, other.split, other.checksum) for other in identities}
    others -= {(identity.name, identity.split, identity.checksum)}
    notes += [f"Other images: {name}; {split}; {checksum}." for name, split, checksum in sorted(others)]
    return [*notes, *_moved([*runs, *tuned])]


def _unasked(study: Study, planned: Study) -> str:
    """How many runs of the plan were not asked for, in words; nothing where all were."""
    runs = (
        [(trial.name, seed) for trial, seed in s.runs() if trial.recipe.methods] for s in (study, planned)
    )
    asked, whole = map(set, runs)
    missing = len(whole - asked)
    return f", and {missing} of the {len(whole)} planned ones were not asked for" if missing else ""


def _best(found: StudyRuns, group: str) -> str:
    """The best setting but the reference, by mean validation mAP."""

    def validation(trial: Trial) -> float:
        return fmean(run.row.metrics["validation mAP"].value for run in found.of(trial).values())

    rivals = [t for t in found.trials() if t.group == group and t.setting != found.study.reference]
    best = max(rivals, key=validation)
    return f"By mean validation mAP, {best.setting} is the best beside {found.study.reference}."


def _moved(runs: Sequence[Finished]) -> list[str]:
    """What a reader should know of runs that were not made at one time and place."""
    commits = sorted({str(run.code.commit)[:12] + ("+" if run.code.dirty else "") for run in runs})
    machines = {run.hardware for run in runs}
    notes = [f"Runs were made on commits {', '.join(commits)}."] if len(commits) > 1 else []
    return notes + (["Runs were made on more than one machine."] if len(machines) > 1 else [])
