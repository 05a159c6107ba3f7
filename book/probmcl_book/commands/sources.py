"""``python -m probmcl sources``: list the public data sets, and bring one here."""

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from probmcl.data.public.fetch import fetch, state
from probmcl.data.public.sources import SOURCES, Source, source
from probmcl_book.commands.arguments import Commands, add_command
from probmcl_book.records import Table


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "sources",
        _list,
        "list the public data sets, or fetch one",
        "List every data set with licence, size, splits, checksums and what is present. 'sources fetch NAME "
        "--root DIR' downloads, verifies and unpacks one into DIR/NAME; a second call goes on where the "
        "first one ended.",
    )
    parser.add_argument("--root", type=Path, default=Path("data"), help="the folder of all data sets")
    fetching = parser.add_subparsers(metavar="").add_parser("fetch", help="download one data set")
    fetching.add_argument("name", choices=list(SOURCES), metavar="NAME", help=", ".join(SOURCES))
    fetching.add_argument("--root", type=Path, required=True, help="the folder of all data sets")
    fetching.set_defaults(action=_fetch, goes_on=True)


def _list(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    columns = ["name", "what", "download", "splits", "checksums", f"in {options.root}"]
    rows = [_cells(found, options.root / found.name) for found in SOURCES.values()]
    console.print(Table(rows, columns, "Public data sets."))


def _cells(found: Source, folder: Path) -> list[str]:
    kinds = Counter((one.checksum or "none published").partition(":")[0] for one in found.files)
    states = Counter(state(file, folder) for file in found.files)
    present = [f"{count} of {len(found.files)} {name}" for name, count in states.items()]
    lines = (
        [found.title, found.licence, found.page, found.note],
        [f"{found.size / 1e9:.1f} GB" if found.size else "not stated"],
        [f"{part}: {images:,}" for part, images in found.splits.items()],
        [f"{kind}: {count} of {len(found.files)}" for kind, count in kinds.items()],
        ["nothing"] if set(states) == {"missing"} else present,
    )
    return [found.name, *map("\n".join, lines)]


def _fetch(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    folder = fetch(source(options.name), options.root, progress=sys.stderr.isatty())
    console.print(f"{options.name} is complete in {folder}")
