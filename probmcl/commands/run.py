"""``python -m probmcl run digits``: train and compare the methods of an experiment."""

from __future__ import annotations

import sys
from argparse import ArgumentDefaultsHelpFormatter, Namespace, _SubParsersAction
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from probmcl.commands.arguments import default_device, device
from probmcl.experiment import (
    comparison_table,
    digits_random_recipe,
    digits_recipe,
    run_experiment,
    verdict,
    write_record,
)
from probmcl.experiment.provenance import command_line
from probmcl.train import is_first, process_group

RECIPES = {"digits": digits_recipe, "digits-random": digits_random_recipe}


def add(commands: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="train and compare the methods of an experiment",
        description="Train every method of an experiment from the same start, print one table, write a "
        "record. 'digits' compares BCE, ASL, SupCon with thresholded positives and ProbMCL on DigitScenes: "
        "handwriting that comes with scikit-learn, so nothing is downloaded. Minutes a seed on two cores. "
        "'digits-random' starts from random weights instead of an encoder pretrained on letters. "
        "Started with 'torchrun --nproc-per-node 2 -m probmcl run ...', two processes share every batch.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("name", choices=sorted(RECIPES), help="the experiment")
    parser.add_argument("--smoke", action="store_true", help="few images, one epoch: seconds, no evidence")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="a whole run each")
    parser.add_argument("--device", type=device, default=default_device(), help="cpu, cuda, cuda:1 ...")
    parser.add_argument("--out", type=Path, help="the record's file; runs/NAME.json if not given")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="DIR",
        help="save to this folder; the same command goes on where a killed run stopped, to the same numbers",
    )
    parser.set_defaults(action=_run)


def _run(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    torch.set_flush_denormal(True)  # exp of very negative logits makes denormals, which CPUs handle slowly
    recipe = RECIPES[options.name](smoke=options.smoke)
    with process_group(options.device):
        record = run_experiment(
            recipe,
            options.seeds,
            command=command_line(arguments),
            device=options.device,
            progress=is_first() and sys.stderr.isatty(),
            resamples=100 if options.smoke else 1000,
            checkpoints=options.checkpoints,
        )
    if record is None:  # the first process has it
        return
    out = options.out or Path("runs") / f"{options.name}{'-smoke' if options.smoke else ''}.json"
    write_record(record, out)
    console.print(comparison_table(record))
    for line in [*map(verdict, record.differences), *record.notes]:
        console.print(line)
    console.print(f"{record.wall_seconds:.0f} seconds; record written to {out}")
