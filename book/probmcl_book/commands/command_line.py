"""The command line: ``python -m probmcl run digits``."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from tempfile import NamedTemporaryFile

from rich.console import Console
from rich.text import Text

from probmcl_book.commands import claims, measure, prepare, run, sources, study


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words behind ``python -m probmcl``; those of the process by default.

    Returns:
        The exit status: 0; 2 when an argument or a file is wrong; 1 when the program is; 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    console = Console(markup=False)  # brackets of a path or a note are no markup
    try:
        options.action(options, arguments, console)
    except (ValueError, OSError, ArithmeticError) as error:
        console.print(Text.assemble(("error:", "red"), f" {error}"))
        return 2
    except KeyboardInterrupt:
        console.print(f"stopped; {_how_to_go_on(options)}")
        return 130
    except Exception as error:  # no user is to read a traceback, and who mends this needs it
        with NamedTemporaryFile("w", prefix="probmcl-", suffix=".txt", delete=False) as file:
            traceback.print_exc(file=file)
        said = f" {type(error).__name__}: {error}; traceback in {file.name}"
        console.print(Text.assemble(("error:", "red"), said))
        return 1
    return 0


def _how_to_go_on(options: argparse.Namespace) -> str:
    if getattr(options, "goes_on", False) or getattr(options, "checkpoints", None):
        return "the same command goes on from here"
    if hasattr(options, "checkpoints"):
        return "nothing is kept; with --checkpoints DIR, the same command would go on from where it was"
    return "nothing is kept; the same command begins anew"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m probmcl",
        description="ProbMCL: probabilistic contrastive learning for multi-label images.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (run, study, measure, claims, sources, prepare):
        module.add(commands)
    return parser
