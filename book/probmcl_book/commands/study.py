"""``python -m probmcl study main``: run a planned study, bit by bit, and sum it up."""

import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console

from probmcl import _check
from probmcl_book.commands.arguments import Commands, add_command, add_training, hand_over, report
from probmcl_book.records import Cell, Table
from probmcl_book.records.provenance import command_line
from probmcl_book.replicate import DataSets, PretrainedStart
from probmcl_book.studies import (
    EVERY_WORLD,
    STUDIES,
    Study,
    StudyRuns,
    planned_study,
    record_name,
    repeat_runs,
    run_study,
    summarise,
)


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "study",
        _study,
        "run a planned study: many settings and seeds, resumable",
        "Run a planned study: its tuning, then every setting with every seed, each kept in a "
        "file as soon as it is finished. The same command goes on where it was stopped. At the end, or when "
        "the budget is spent, what is finished is summed up in one record.",
        goes_on=True,
    )
    parser.add_argument("name", nargs="?", choices=sorted(STUDIES), help="the study")
    parser.add_argument(
        "--world", choices=sorted(EVERY_WORLD), help="the data; the study's first if not given"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of the data, if it is on disk")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of the start, if it is a file")
    parser.add_argument("--budget", type=float, metavar="HOURS", help="start no run that would end later")
    parser.add_argument("--folder", type=Path, help="finished runs; runs/studies/NAME if not given")
    add_training(parser, None)  # the planned seeds
    parser.add_argument("--repeat", type=int, metavar="N", help="make N finished runs again, and compare")
    parser.add_argument("--list", action="store_true", help="show what would be run, and run nothing")


def _study(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    if options.name is None:
        if not options.list:
            raise ValueError(f"name: expected one of {', '.join(STUDIES)}, got none")
        console.print(_overview([planned_study(name, options.world) for name in STUDIES]))
        return
    planned = planned_study(options.name, options.world, smoke=options.smoke)
    study = planned.with_seeds(tuple(options.seeds)) if options.seeds else planned
    if options.list:
        console.print(_settings(study))
        return
    _check_options(options, study)
    torch.set_flush_denormal(True)  # exp of very negative logits makes denormals, which CPUs handle slowly
    begin = time.perf_counter()
    name = record_name(study.name, study.world).removeprefix("study_")
    usual = Path("runs", "smoke", f"{name}_smoke") if options.smoke else Path("runs", "studies", name)
    found = run_study(
        study,
        options.folder or usual,
        images=DataSets(options.data),
        weights=options.weights,
        device=options.device,
        budget=options.budget if options.repeat is None else 0.0,
        say=lambda line: console.print(line, highlight=False, markup=False),
    )
    if options.repeat is not None:
        _repeat(found, options, console)
        return
    if found.runs:
        resamples = 20 if options.smoke else 1000
        command = command_line(arguments)
        record = summarise(found, command=command, resamples=resamples, planned=planned)
        lines = report(record, verdicts=not options.smoke)  # a few images allow none
        kept = {"smoke": options.smoke, "checkpoints": options.folder or usual}
        hand_over(record, options.out, lines, console, **kept)
    console.print(f"{found.made} runs made in {time.perf_counter() - begin:.0f} s, {found.left} left")


def _check_options(options: Namespace, study: Study) -> None:
    """Refuse before the first run what would be ignored or come to nothing."""
    if options.repeat is not None:
        _check.count("repeat", options.repeat)
    starts = [trial.recipe.start for trial in study.trials]
    if options.weights is not None and not any(isinstance(start, PretrainedStart) for start in starts):
        raise ValueError(
            f"weights: expected none, {study.world} has no start from a file; got {options.weights}"
        )


def _repeat(found: StudyRuns, options: Namespace, console: Console) -> None:
    for kept, made in repeat_runs(found, options.repeat, weights=options.weights, device=options.device):
        then, now = (run.row.metrics["mAP"].value for run in (kept, made))
        words = "the same" if now == then else f"differs by {now - then:+.3g}"
        line = f"seed {kept.seed} · {kept.row.method}: mAP {then:.6f}, again {now:.6f}: {words}"
        console.print(line, highlight=False, markup=False)


def _overview(studies: Sequence[Study]) -> Table:
    rows: list[list[Cell]] = [
        [one.name, one.question, len(one.trials), len(one), len(list(one.tuning_runs()))] for one in studies
    ]
    return Table(rows, ["study", "question", "settings", "runs", "tuning"], "Planned studies.")


def _settings(study: Study) -> Table:
    tuned = study.tuning
    rows = []
    for trial in study.trials:
        tried = tuned.candidates.get(trial.setting, ()) if tuned and tuned.group == trial.group else ()
        words = "; ".join(one.name for one in tried)
        rows.append([trial.setting, trial.group, " ".join(map(str, trial.seeds)), words])
    title = f"{study.name}, {study.world}: {len(study)} runs, {len(list(study.tuning_runs()))} of tuning"
    return Table(rows, ["setting", "group", "seeds", "candidates"], title)
