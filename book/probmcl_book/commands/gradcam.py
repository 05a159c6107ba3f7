"""``python -m probmcl gradcam``: where do ASL and ProbMCL look, on scenes whose digits have known places?"""

from __future__ import annotations

import sys
from argparse import ArgumentDefaultsHelpFormatter, Namespace, _SubParsersAction
from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from rich.console import Console

from probmcl_book.commands.arguments import add_checkpoints, add_training, hand_over
from probmcl_book.records import verdict
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
    add_training(parser, [0])
    add_checkpoints(parser)
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
    lines = chain(map(verdict, record.differences), record.notes)
    kept = {"smoke": options.smoke, "checkpoints": options.checkpoints}
    hand_over(record, options.out, lines, console, **kept)
