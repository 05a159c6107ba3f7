"""``python -m probmcl statistics NAME``: describe the labels of a public data set."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from probmcl_book.commands.arguments import add_out, hand_over
from probmcl_book.records.provenance import command_line
from probmcl_book.studies import LABEL_SOURCES, label_record, read_label_matrix


def add(commands: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "statistics",
        help="describe the labels of a public data set",
        description="Count labels, label sets and positives per anchor of a label matrix; write a record.",
    )
    parser.add_argument("name", choices=sorted(LABEL_SOURCES), help="the data set")
    parser.add_argument(
        "--labels",
        type=Path,
        required=True,
        metavar="FILE.npz",
        help="labels (N, K), classes (K,) and, if there is one, split (N,)",
    )
    add_out(parser)
    parser.set_defaults(action=_statistics)


def _statistics(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    labels, classes, parts = read_label_matrix(options.labels)
    record = label_record(options.name, labels, classes, parts=parts, command=command_line(arguments))
    hand_over(record, options.out, [f"{len(labels):,} images"], console)
