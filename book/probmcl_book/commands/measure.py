"""``bench``, ``gradcam``, ``statistics`` and ``uncertainty``: one question each, and one record."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import torch
from rich.console import Console

from probmcl_book.bench import CASES, bench_table, run_benchmarks
from probmcl_book.claims import epistemic_finding
from probmcl_book.commands.arguments import Commands, add_command, add_out, add_training, hand_over
from probmcl_book.records import verdict
from probmcl_book.records.provenance import command_line
from probmcl_book.replicate import digits_recipe
from probmcl_book.studies import (
    LABEL_SOURCES,
    label_record,
    looks_record,
    read_label_matrix,
    run_uncertainty,
    uncertainty_recipe,
)
from probmcl_book.studies.uncertainty_study import MODELS


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    parser = add_command(
        commands,
        "uncertainty",
        _uncertainty,
        "ask trained mixtures about errors and unfamiliar images",
        "Train ProbMCL on DigitScenes without one theme, from several seeds, and write down how well the "
        "mixture's variances, the classifier's entropy and an ensemble tell errors, corrupted scenes, unseen "
        "symbols and the held-out theme from the rest.",
    )
    add_training(parser, list(MODELS))
    parser.add_argument("--members", type=int, default=5, help="models in the ensemble, the seeds' included")
    parser = add_command(
        commands,
        "gradcam",
        _gradcam,
        "measure where two methods look",
        "Train ASL and ProbMCL on DigitScenes as 'run digits' does, draw the Grad-CAM of every digit of "
        "every test scene, and write down how much of it lies where the digit stands.",
    )
    add_training(parser, [0], checkpoints=True)
    parser = add_command(
        commands,
        "bench",
        _bench,
        "measure time and memory of the loss",
        "Measure the loss against named alternatives, every side in a process of its own, print a table, "
        "write a record. Some minutes on two quiet cores. The case 'cuda' needs a GPU.",
    )
    of = f"of {', '.join(CASES)}; all if none is given"
    parser.add_argument("cases", nargs="*", metavar="CASE", help=of)
    parser.add_argument("--smoke", action="store_true", help="the smallest sizes: seconds, no evidence")
    add_out(parser)
    parser = add_command(
        commands,
        "statistics",
        _statistics,
        "describe the labels of a public data set",
        "Count labels, label sets and positives per anchor of a label matrix; write a record.",
    )
    parser.add_argument("name", choices=sorted(LABEL_SOURCES), help="the data set")
    of = "labels (N, K), classes (K,) and, if there is one, split (N,)"
    parser.add_argument("--labels", type=Path, required=True, metavar="FILE.npz", help=of)
    add_out(parser)


def _uncertainty(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    record = run_uncertainty(
        uncertainty_recipe(images=64, epochs=1) if options.smoke else None,
        options.seeds,
        members=options.members,
        command=command_line(arguments),
        device=options.device,
        progress=sys.stderr.isatty(),
        resamples=20 if options.smoke else 1000,
    )

    def lines() -> Iterator[str]:
        if not options.smoke:  # a few images allow no verdict
            finding = epistemic_finding(record)
            yield from (f"The word epistemic: {finding.word}.", finding.sentence, finding.change)
        yield from record.notes

    hand_over(record, options.out, lines(), console, smoke=options.smoke)


def _gradcam(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    torch.set_flush_denormal(True)
    record = looks_record(
        digits_recipe(smoke=options.smoke),
        options.seeds,
        command=command_line(arguments),
        device=options.device,
        progress=sys.stderr.isatty(),
        checkpoints=options.checkpoints,
    )
    lines = chain(map(verdict, record.differences), record.notes)
    kept = {"smoke": options.smoke, "checkpoints": options.checkpoints}
    hand_over(record, options.out, lines, console, **kept)


def _bench(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    command = command_line(arguments)
    record = run_benchmarks(options.cases or None, command=command, smoke=options.smoke, say=console.print)
    hand_over(record, options.out, chain(map(bench_table, [record]), record.notes), console)


def _statistics(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    labels, classes, parts = read_label_matrix(options.labels)
    record = label_record(options.name, labels, classes, parts=parts, command=command_line(arguments))
    hand_over(record, options.out, [f"{len(labels):,} images"], console)
