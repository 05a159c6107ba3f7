"""``python -m probmcl prepare``: make a folder of photographs small, once."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from probmcl.data import ImageFolderLabels, prepare_images
from probmcl_book.commands.arguments import Commands, add_command


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "prepare",
        _prepare,
        "make a folder of photographs small, once",
        "Write squished JPEG copies of images and a table of the same labels. Training from the "
        "copies decodes far fewer pixels an epoch. The folder appears when all copies are there; after an "
        "interruption the same command goes on.",
        goes_on=True,
    )
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="the folder of the images")
    parser.add_argument(
        "--labels", type=Path, required=True, metavar="FILE", help="a CSV file: file names, a column a class"
    )
    parser.add_argument("--size", type=int, default=256, help="height and width of the copies, in pixels")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")


def _prepare(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    console.print(f"read {ImageFolderLabels(options.images, options.labels)}")
    prepared = prepare_images(
        options.images, options.labels, options.out, size=options.size, progress=sys.stderr.isatty()
    )
    megabytes = sum(path.stat().st_size for path in prepared.paths) / 1e6
    console.print(f"{len(prepared):,} images, {megabytes:,.1f} MB, in {options.out}; labels in labels.csv")
