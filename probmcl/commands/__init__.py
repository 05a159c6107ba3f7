"""The command line, one file a command: ``python -m probmcl --help``."""

from probmcl.commands import run, sources, statistics

COMMANDS = (run, statistics, sources)
"""Modules that each add one command to the parser, in the order of the help text."""

__all__ = ["COMMANDS"]
