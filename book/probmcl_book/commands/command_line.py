"""The command line: ``python -m probmcl run digits``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from probmcl_book.commands import bench, gradcam, prepare, run, sources, statistics, study, uncertainty

COMMANDS = (run, study, uncertainty, gradcam, bench, sources, prepare, statistics)
"""Modules that each add one command to the parser, in the order of the help text."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words behind ``python -m probmcl``; those of the process by default.

    Returns:
        The exit status: 0, or 2 when an argument is wrong.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    console = Console(markup=False)  # brackets of a path or a note are no markup
    try:
        options.action(options, arguments, console)
    except (ValueError, OSError) as error:
        console.print(Text.assemble(("error:", "red"), f" {error}"))
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m probmcl",
        description="ProbMCL: probabilistic contrastive learning for multi-label images.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
