"""The command line: ``python -m probmcl run digits``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console

from probmcl.experiment import (
    LABEL_SOURCES,
    comparison_table,
    digits_random_recipe,
    digits_recipe,
    label_record,
    read_label_matrix,
    run_experiment,
    verdict,
    write_record,
)
from probmcl.experiment.provenance import command_line

RECIPES = {"digits": digits_recipe, "digits-random": digits_random_recipe}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words behind ``python -m probmcl``; those of the process by default.

    Returns:
        The exit status: 0, or 2 when an argument is wrong.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    console = Console()
    try:
        options.action(options, arguments, console)
    except (ValueError, OSError) as error:
        console.print(f"[red]error:[/red] {error}")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m probmcl",
        description="ProbMCL: probabilistic contrastive learning for multi-label images.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="train and compare the methods of an experiment",
        description="Train every method of an experiment from the same start, print one table, write a "
        "record. 'digits' compares BCE, ASL, SupCon with thresholded positives and ProbMCL on DigitScenes: "
        "handwriting that comes with scikit-learn, so nothing is downloaded. Minutes a seed on two cores. "
        "'digits-random' starts from random weights instead of an encoder pretrained on letters.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    run.add_argument("name", choices=sorted(RECIPES), help="the experiment")
    run.add_argument("--smoke", action="store_true", help="few images, one epoch: seconds, no evidence")
    run.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="a whole run each")
    run.add_argument("--device", default=device, help="cpu, cuda, cuda:1 ...")
    run.add_argument("--out", type=Path, help="the record's file; runs/NAME.json if not given")
    run.set_defaults(action=_run)
    statistics = commands.add_parser(
        "statistics",
        help="describe the labels of a public data set",
        description="Count labels, label sets and positives per anchor of a label matrix; write a record.",
    )
    statistics.add_argument("name", choices=sorted(LABEL_SOURCES), help="the data set")
    statistics.add_argument(
        "--labels",
        type=Path,
        required=True,
        metavar="FILE.npz",
        help="labels (N, K), classes (K,) and, if there is one, split (N,)",
    )
    statistics.add_argument("--out", type=Path, help="the record's file; runs/labels_NAME.json if not given")
    statistics.set_defaults(action=_statistics)
    return parser


def _device(name: str) -> torch.device:
    """The device of that name, if torch can use it here."""
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # the latter from a torch built without CUDA
        raise ValueError(f"device: expected one that torch can use here, got {name!r} ({error})") from error


def _run(options: argparse.Namespace, arguments: Sequence[str], console: Console) -> None:
    torch.set_flush_denormal(True)  # exp of very negative logits makes denormals, which CPUs handle slowly
    recipe = RECIPES[options.name](smoke=options.smoke)
    record = run_experiment(
        recipe,
        options.seeds,
        command=command_line(arguments),
        device=_device(options.device),
        progress=sys.stderr.isatty(),
        resamples=100 if options.smoke else 1000,
    )
    out = options.out or Path("runs") / f"{options.name}{'-smoke' if options.smoke else ''}.json"
    write_record(record, out)
    console.print(comparison_table(record))
    for line in [*map(verdict, record.differences), *record.notes]:
        console.print(line)
    console.print(f"{record.wall_seconds:.0f} seconds; record written to {out}")


def _statistics(options: argparse.Namespace, arguments: Sequence[str], console: Console) -> None:
    labels, classes, parts = read_label_matrix(options.labels)
    record = label_record(options.name, labels, classes, parts=parts, command=command_line(arguments))
    out = options.out or Path("runs") / f"{record.name}.json"
    write_record(record, out)
    console.print(f"{len(labels):,} images; {record.wall_seconds:.0f} seconds; record written to {out}")


if __name__ == "__main__":
    raise SystemExit(main())
