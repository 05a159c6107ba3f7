"""The command line, one file a command: ``python -m probmcl --help``."""

from probmcl.commands import bench, gradcam, prepare, run, sources, statistics, study, uncertainty

COMMANDS = (run, study, uncertainty, gradcam, bench, sources, prepare, statistics)
"""Modules that each add one command to the parser, in the order of the help text."""

__all__ = ["COMMANDS"]
