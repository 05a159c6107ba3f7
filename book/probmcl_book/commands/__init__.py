"""The command line: ``python -m probmcl --help``."""

from probmcl_book.commands.command_line import main

__all__ = ["main"]
