"""``python -m probmcl uncertainty``: what do the mixture's variances know that the classifier does not?"""

from __future__ import annotations

import sys
from argparse import ArgumentDefaultsHelpFormatter, Namespace, _SubParsersAction
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from probmcl_book.claims import epistemic_finding
from probmcl_book.commands.arguments import add_training, hand_over
from probmcl_book.records import Record
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
    add_training(parser, list(MODELS))
    parser.add_argument("--members", type=int, default=5, help="models in the ensemble, the seeds' included")
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
    hand_over(record, options.out, _lines(record, options.smoke), console, smoke=options.smoke)


def _lines(record: Record, smoke: bool) -> Iterator[str]:
    if not smoke:  # a few images allow no verdict
        finding = epistemic_finding(record)
        yield from (finding.sentence, finding.change)
    yield from record.notes
