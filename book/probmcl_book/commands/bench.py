"""``python -m probmcl bench``: time and memory of the loss against named alternatives."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction
from collections.abc import Sequence
from itertools import chain
from typing import Any

from rich.console import Console

from probmcl_book.bench import CASES, bench_table, run_benchmarks
from probmcl_book.commands.arguments import add_out, hand_over
from probmcl_book.records.provenance import command_line


def add(commands: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="measure time and memory of the loss",
        description="Measure the loss against named alternatives, every side in a process of its own, print "
        "a table, write a record. Some minutes on two quiet cores. The case 'cuda' needs a GPU.",
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all if none is given"
    )
    parser.add_argument("--smoke", action="store_true", help="the smallest sizes: seconds, no evidence")
    add_out(parser)
    parser.set_defaults(action=_bench)


def _bench(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    record = run_benchmarks(
        options.cases or None, command=command_line(arguments), smoke=options.smoke, say=console.print
    )
    hand_over(record, options.out, chain(map(bench_table, [record]), record.notes), console)
