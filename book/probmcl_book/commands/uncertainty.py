"""``python -m probmcl uncertainty``: what do the mixture's variances know that the classifier does not?"""

from __future__ import annotations

import sys
from argparse import ArgumentDefaultsHelpFormatter, Namespace, _SubParsersAction
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from probmcl_book.claims import epistemic_finding
from probmcl_book.commands.arguments import default_device, default_file, device, record_file
from probmcl_book.records import write_record
from probmcl_book.records.provenance import command_line
from probmcl_book.studies import run_uncertainty, uncertainty_recipe
from probmcl_book.studies.uncertainty_study import MODELS


def add(commands: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "uncertainty",
        help="ask trained mixtures about errors and unfamiliar images",
        description="Train ProbMCL on DigitScenes without one theme, from several seeds, and write down how "
        "well the mixture's variances, the classifier's entropy and an ensemble tell errors, corrupted "
        "scenes, unseen symbols and the held-out theme from the rest.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--smoke", action="store_true", help="few images, one epoch: no evidence")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=list(MODELS), metavar="SEED", help="rows of each"
    )
    parser.add_argument("--members", type=int, default=5, help="models in the ensemble, the seeds' included")
    parser.add_argument("--device", type=device, default=default_device(), help="cpu, cuda, cuda:1 ...")
    parser.add_argument("--out", type=record_file, help="the record's file; runs/NAME.json if not given")
    parser.set_defaults(action=_uncertainty)


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
    out = options.out or default_file(record.name, smoke=options.smoke)
    write_record(record, out)
    lines = list(record.notes)
    if not options.smoke:  # a few images allow no verdict
        finding = epistemic_finding(record)
        lines = [finding.sentence, finding.change, *lines]
    for line in lines:
        console.print(line, highlight=False, markup=False)
    console.print(f"{record.wall_seconds:.0f} seconds; record written to {out}")
