"""``python -m probmcl gradcam``: where do ASL and ProbMCL look, on scenes whose digits have known places?"""

from __future__ import annotations

import sys
from argparse import ArgumentDefaultsHelpFormatter, Namespace, _SubParsersAction
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from probmcl_book.commands.arguments import default_device, default_file, device, record_file
from probmcl_book.records import verdict, write_record
from probmcl_book.records.provenance import command_line
from probmcl_book.replicate import digits_recipe
from probmcl_book.studies import looks_record


def add(commands: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "gradcam",
        help="measure where two methods look",
        description="Train ASL and ProbMCL on DigitScenes as 'run digits' does, draw the Grad-CAM of every "
        "digit of every test scene, and write down how much of it lies where the digit stands.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--smoke", action="store_true", help="few images, one epoch: no evidence")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="a whole run each")
    parser.add_argument("--device", type=device, default=default_device(), help="cpu, cuda, cuda:1 ...")
    parser.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="save to this folder, and go on from it"
    )
    parser.add_argument("--out", type=record_file, help="the record's file; runs/NAME.json if not given")
    parser.set_defaults(action=_gradcam)


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
    out = options.out or default_file(record.name, smoke=options.smoke)
    write_record(record, out)
    for line in [*map(verdict, record.differences), *record.notes]:
        console.print(line)
    console.print(f"{record.wall_seconds:.0f} seconds; record written to {out}")
