"""What several commands share: arguments, and how a record is handed over."""

import os
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, ArgumentTypeError, _SubParsersAction
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import torch
from rich.console import Console

from probmcl_book.records import Record, comparison_table, verdict, write_record
from probmcl_book.records.kept import check_writable, kept_elsewhere

Commands: TypeAlias = "_SubParsersAction[ArgumentParser]"


def add_command(
    commands: Commands, name: str, action: Callable[..., None], brief: str, whole: str, **defaults: Any
) -> ArgumentParser:
    """A command with what runs it, and what its help says in brief and as a whole."""
    parser = commands.add_parser(
        name, help=brief, description=whole, formatter_class=ArgumentDefaultsHelpFormatter
    )
    parser.set_defaults(action=action, **defaults)
    return parser


def device(name: str) -> torch.device:
    """The device of that name, if torch can use it here.

    Of several processes that ``torchrun`` started on one machine, each takes a GPU of its own for ``cuda``.

    >>> device("cpu")
    device(type='cpu')
    """
    if name == "cuda":
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # the latter from a torch built without CUDA
        raise ArgumentTypeError(f"expected one that torch can use here, got {name!r} ({error})") from error


def record_file(name: str) -> Path:
    """The file of that name, if a record can be written there: tried before the run whose result it takes."""
    try:
        check_writable(name)
    except (OSError, ValueError) as error:  # the latter for a null character
        raise ArgumentTypeError(str(error)) from None
    return Path(name)


def add_out(parser: ArgumentParser) -> None:
    """Let a command be told where its record goes."""
    parser.add_argument("--out", type=record_file, help="the record's file; runs/NAME.json if not given")


def add_training(parser: ArgumentParser, seeds: list[int] | None, *, checkpoints: bool = False) -> None:
    """What every command that trains takes, with the seeds that it takes by itself.

    With ``checkpoints`` it can go on where a killed one stopped.
    """
    parser.add_argument("--smoke", action="store_true", help="few images, one epoch: no evidence")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=seeds, metavar="SEED", help="each gives rows of its own"
    )
    usual = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", type=device, default=usual, help="cpu, cuda, cuda:1 ...")
    add_out(parser)
    if checkpoints:
        kept = "save to this folder; the same command goes on where a killed run stopped, to the same numbers"
        parser.add_argument("--checkpoints", type=Path, metavar="DIR", help=kept)


def report(record: Record, *, verdicts: bool) -> Iterator[Any]:
    """A table of methods, verdicts where the images are enough for some, and the notes."""
    yield comparison_table(record)
    yield from map(verdict, record.differences if verdicts else ())
    yield from record.notes


def hand_over(
    record: Record,
    out: Path | None,
    lines: Iterable[Any],
    console: Console,
    *,
    smoke: bool = False,
    checkpoints: Path | None = None,
) -> None:
    """Write a record, to ``runs`` if no file was given, and then print what is to be said about it.

    A try is kept beside the real record and not over it. A record that cannot be written there is written to
    the folder of the checkpoints, or to another. What is said is found out as late as it is printed.
    """
    out = out or Path("runs") / f"{record.name}{'_smoke' * smoke}.json"
    try:
        write_record(record, out)
    except (OSError, ValueError) as error:
        raise kept_elsewhere(record, error, checkpoints) from error
    try:
        for line in lines:
            console.print(line, highlight=False, markup=False)
    finally:
        console.print(f"{record.wall_seconds:.0f} seconds; record written to {out}")
