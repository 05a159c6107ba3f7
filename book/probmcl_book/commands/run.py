"""``python -m probmcl run digits``: train and compare the methods of an experiment."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.console import Console

from probmcl.model import check_weights
from probmcl.train import is_first, process_group
from probmcl.train.settings import PRECISIONS
from probmcl_book.claims import published_table, read_ledger, standings
from probmcl_book.commands.arguments import Commands, add_command, add_training, hand_over, report
from probmcl_book.records import Record
from probmcl_book.records.provenance import command_line
from probmcl_book.replicate import (
    RECIPES,
    DigitsData,
    FolderData,
    PretrainedStart,
    Recipe,
    Splits,
    estimate,
    own_recipe,
    run_experiment,
    shortened,
    smaller,
    weights_file,
)
from probmcl_book.replicate.dry_run import dry_run
from probmcl_book.replicate.folder import slug


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "run",
        _run,
        "train and compare the methods of an experiment",
        "Train every method of an experiment from the same start, print one table, write a "
        "record. 'digits' compares BCE, ASL, SupCon with thresholded positives and ProbMCL on DigitScenes: "
        "handwriting that comes with scikit-learn, so nothing is downloaded. Minutes a seed on two cores. "
        "'digits-random' starts from random weights instead of an encoder pretrained on letters. "
        "'mirflickr14-features' trains on features of stored views of photographs, in minutes. The others "
        "compare BCE, ASL and ProbMCL on photographs that you have (see 'sources') and take GPU hours or "
        "days; an estimate comes first, and with --limit and --epochs the whole way runs in minutes. "
        "--images DIR --labels FILE, in place of a name, compares them on your own photographs. "
        "Started with 'torchrun --nproc-per-node 2 -m probmcl run ...', two processes share every batch.",
    )
    parser.add_argument("name", nargs="?", choices=sorted(RECIPES), help="the experiment")
    parser.add_argument("--images", type=Path, metavar="DIR", help="your own photographs, in its place")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="their table; DIR/labels.csv by default")
    parser.add_argument("--encoder", metavar="timm/NAME", help="for your own: timm/resnet18 by default")
    parser.add_argument("--size", type=int, metavar="N", help="for your own: pixels that the encoder sees")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of the photographs")
    parser.add_argument(
        "--weights",
        metavar="none|TAG|FILE",
        help="other weights to start from: random ones, a tag of timm, or a file",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="N photographs of each part: no evidence")
    parser.add_argument("--epochs", type=int, metavar="N", help="epochs of every method on photographs")
    parser.add_argument("--batch-size", type=int, metavar="N", help="images per step of every method")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="of every method on a GPU; bfloat16 is float16 where the GPU only emulates it",
    )
    parser.add_argument("--chunk", type=int, metavar="N", help="views of a contrastive batch kept at once")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="before the data are here: all of their names on tiny images, a small network, one epoch",
    )
    add_training(parser, [0], checkpoints=True)
    parser.add_argument(
        "--export", type=Path, metavar="DIR", help="write every trained method there, with a model card"
    )
    parser.add_argument(
        "--note", action="append", default=[], metavar="TEXT", help="a sentence for the record's readers"
    )


def _run(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    torch.set_flush_denormal(True)  # exp of very negative logits makes denormals, which CPUs handle slowly
    if options.dry_run:
        _dry_run(options, arguments, console)
        return
    recipe, splits = _own(options) if options.name is None else _named(options)
    recipe, weights = _started(recipe, options.weights)
    asked = {name: getattr(options, name) for name in ("batch_size", "precision")}
    recipe = recipe.trained(**{name: value for name, value in asked.items() if value is not None})
    recipe = recipe if options.chunk is None else recipe.in_chunks(options.chunk)
    splits = recipe.splits(options.data) if splits is None else splits
    with process_group(options.device):
        if is_first() and not isinstance(recipe.data, DigitsData):
            expected = estimate(recipe, splits, len(options.seeds), device=options.device)
            for line in expected.lines():
                console.print(line, highlight=False)
            expected.check()
        record = run_experiment(
            recipe,
            options.seeds,
            command=command_line(arguments),
            splits=splits,
            weights=weights,
            device=options.device,
            progress=is_first() and sys.stderr.isatty(),
            resamples=100 if options.smoke else 1000,
            checkpoints=options.checkpoints,
            export=options.export,
            notes=options.note,
        )
    if record is None:  # the first process has it
        return
    name = f"{options.name or recipe.name}{'-smoke' if options.smoke else ''}"
    out = options.out or Path("runs") / f"{name}.json"
    lines = chain(report(record, verdicts=not recipe.limit), _published(record))
    hand_over(record, out, lines, console, checkpoints=options.checkpoints)


def _dry_run(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    """Go the whole way of a recipe in a temporary folder."""
    if options.name is None:
        raise ValueError("name: expected an experiment for --dry-run, got none")
    own = ("images", "labels", "encoder", "size", "data", "weights", "epochs", "batch_size", "precision")
    _refuse(options, "a dry run takes the recipe as it is", *own, "chunk", "checkpoints", "export")
    limit = 64 if options.smoke and options.limit is None else options.limit
    command = command_line(arguments)
    with TemporaryDirectory() as folder:
        record = dry_run(
            RECIPES[options.name](), Path(folder), command=command, limit=limit, say=console.print
        )
    lines = (
        f"{row.method}: {', '.join(f'{found.value:,.4g} {name}' for name, found in row.metrics.items())}"
        for row in record.rows
    )
    hand_over(record, options.out, chain(lines, record.notes), console)


def _named(options: Namespace) -> tuple[Recipe, Splits | None]:
    """The recipe of a name, with what the command line changes of it; its images are still to be read."""
    _refuse(options, f"{options.name} has its own", "images", "labels", "encoder", "size")
    recipe = RECIPES[options.name]()
    if not isinstance(recipe.data, DigitsData):
        return _shorter(recipe, options), None
    _refuse(options, f"{options.name} is no experiment on photographs", "weights", "limit", "epochs")
    return (smaller(recipe, images=384, epochs=1) if options.smoke else recipe), None


def _own(options: Namespace) -> tuple[Recipe, Splits | None]:
    """A recipe for photographs that no recipe names, and the photographs."""
    if options.images is None:
        raise ValueError(f"name: expected one of {', '.join(sorted(RECIPES))}, or --images DIR; got neither")
    _refuse(options, "your own photographs are in --images", "data")
    splits = FolderData().read(options.images, options.labels)
    name = f"own-{slug(options.images.resolve().name)}".strip("-")
    encoder = options.encoder or "timm/resnet18"
    own = own_recipe(name, encoder, images=len(splits.train), size=options.size)
    recipe = _shorter(own, options)
    return recipe, splits.limited(recipe.limit)


def _refuse(options: Namespace, reason: str, *names: str) -> None:
    """Refuse options that would come to nothing."""
    for name in names:
        if getattr(options, name) is not None:
            raise ValueError(f"{name}: {reason}, expected none, got {getattr(options, name)}")


def _shorter(recipe: Recipe, options: Namespace) -> Recipe:
    """A recipe on photographs with the images and the epochs that were asked for."""
    small = {"limit": 64, "epochs": 1} if options.smoke else {"limit": None, "epochs": None}
    asked = {name: getattr(options, name) for name in small}
    return shortened(recipe, **{k: small[k] if asked[k] is None else asked[k] for k in small})


def _started(recipe: Recipe, weights: str | None) -> tuple[Recipe, Path | None]:
    """The recipe with other weights to start from, if some were asked for, and their file if it is one."""
    if weights is None:
        return recipe, None
    if weights == "none":
        return replace(recipe, start=None), None
    path = Path(weights)
    if path.is_file():
        return replace(recipe, start=weights_file(path)), path
    check_weights(recipe.encoder, weights)  # before the data are read
    return replace(recipe, start=PretrainedStart(weights)), None


def _published(record: Record) -> Iterator[Any]:
    """The record among published rows, where there are some and the ledger is at hand."""
    try:
        if found := standings(record, read_ledger()):
            yield published_table(record, found)
    except FileNotFoundError:
        if Recipe.from_dict(record.recipe).data.benchmark is not None:
            yield "The published rows stand in book/ledger.yml, which is not here."
