"""The command line, one file per command: ``python -m probmcl --help``."""

from probmcl_book.commands.command_line import COMMANDS, main

__all__ = ["COMMANDS", "main"]
