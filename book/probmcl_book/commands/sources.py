"""``python -m probmcl sources``: list the public data sets, and bring one here."""

from __future__ import annotations

import sys
from argparse import Namespace, _SubParsersAction
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from probmcl.data.public.fetch import fetch, state
from probmcl.data.public.sources import SOURCES, Source, source


def add(commands: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "sources",
        help="list the public data sets, or fetch one",
        description="List every data set with licence, size, splits, checksums and what is present. "
        "'sources fetch NAME --root DIR' downloads, verifies and unpacks one into DIR/NAME; a second call "
        "goes on where the first one ended.",
    )
    parser.add_argument("--root", type=Path, default=Path("data"), help="the folder of all data sets; data")
    parser.set_defaults(action=_list)
    fetching = parser.add_subparsers(metavar="").add_parser("fetch", help="download one data set")
    fetching.add_argument("name", choices=list(SOURCES), metavar="NAME", help=", ".join(SOURCES))
    fetching.add_argument("--root", type=Path, required=True, help="the folder of all data sets")
    fetching.set_defaults(action=_fetch, goes_on=True)


def _list(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    table = Table("name", "what", "download", "splits", "checksums", f"in {options.root}", show_lines=True)
    for found in SOURCES.values():
        table.add_row(
            found.name,
            f"{found.title}\n{found.licence}\n{found.page}\n{found.note}",
            f"{found.size / 1e9:.1f} GB" if found.size else "not stated",
            "\n".join(f"{part}: {images:,}" for part, images in found.splits.items()),
            _checksums(found),
            _present(found, options.root / found.name),
        )
    console.print(table)


def _checksums(found: Source) -> str:
    kinds = Counter(
        file.checksum.partition(":")[0].upper() if file.checksum else "none published" for file in found.files
    )
    return "\n".join(f"{kind}: {count} of {len(found.files)}" for kind, count in kinds.items())


def _present(found: Source, folder: Path) -> str:
    states = Counter(state(file, folder) for file in found.files)
    if states["missing"] == len(found.files):
        return "nothing"
    return "\n".join(f"{count} of {len(found.files)} {name}" for name, count in states.items())


def _fetch(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    folder = fetch(source(options.name), options.root, progress=sys.stderr.isatty())
    console.print(f"{options.name} is complete in {folder}")
