"""``python -m probmcl run digits``: train and compare the methods of an experiment."""

from __future__ import annotations

import sys
from argparse import ArgumentDefaultsHelpFormatter, Namespace, _SubParsersAction
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from probmcl.model import check_weights
from probmcl.train import is_first, process_group
from probmcl_book.claims import published_table, read_ledger, standings
from probmcl_book.commands.arguments import default_device, device, record_file
from probmcl_book.records import Record, comparison_table, verdict, write_record
from probmcl_book.records.provenance import command_line
from probmcl_book.replicate import (
    RECIPES,
    DigitsData,
    PretrainedStart,
    Recipe,
    estimate,
    run_experiment,
    shortened,
    smaller,
    weights_file,
)


def add(commands: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="train and compare the methods of an experiment",
        description="Train every method of an experiment from the same start, print one table, write a "
        "record. 'digits' compares BCE, ASL, SupCon with thresholded positives and ProbMCL on DigitScenes: "
        "handwriting that comes with scikit-learn, so nothing is downloaded. Minutes a seed on two cores. "
        "'digits-random' starts from random weights instead of an encoder pretrained on letters. "
        "'mirflickr14-features' trains on features of stored views of photographs, in minutes. The others "
        "compare BCE, ASL and ProbMCL on photographs that you have (see 'sources') and take GPU hours or "
        "days; an estimate comes first, and with --limit and --epochs the whole way runs in minutes. "
        "Started with 'torchrun --nproc-per-node 2 -m probmcl run ...', two processes share every batch.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("name", choices=sorted(RECIPES), help="the experiment")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of the photographs")
    parser.add_argument(
        "--weights",
        metavar="none|TAG|FILE",
        help="other weights to start from: random ones, a tag of timm, or a file",
    )
    parser.add_argument("--smoke", action="store_true", help="few images, one epoch: no evidence")
    parser.add_argument("--limit", type=int, metavar="N", help="N photographs of each part: no evidence")
    parser.add_argument("--epochs", type=int, metavar="N", help="epochs of every method on photographs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="a whole run each")
    parser.add_argument("--device", type=device, default=default_device(), help="cpu, cuda, cuda:1 ...")
    parser.add_argument("--out", type=record_file, help="the record's file; runs/NAME.json if not given")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="DIR",
        help="save to this folder; the same command goes on where a killed run stopped, to the same numbers",
    )
    parser.add_argument(
        "--export", type=Path, metavar="DIR", help="write every trained method there, with a model card"
    )
    parser.add_argument(
        "--note", action="append", default=[], metavar="TEXT", help="a sentence for the record's readers"
    )
    parser.set_defaults(action=_run)


def _run(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    torch.set_flush_denormal(True)  # exp of very negative logits makes denormals, which CPUs handle slowly
    recipe, weights = _chosen(options)
    splits = recipe.splits(options.data)
    with process_group(options.device):
        if is_first() and not isinstance(recipe.data, DigitsData):
            expected = estimate(recipe, splits, len(options.seeds), device=options.device)
            for line in expected.lines():
                console.print(line, highlight=False)
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
    out = options.out or Path("runs") / f"{options.name}{'-smoke' if options.smoke else ''}.json"
    write_record(record, out)
    console.print(comparison_table(record))
    verdicts = [] if recipe.limit else map(verdict, record.differences)  # a few images allow none
    for line in [*verdicts, *record.notes]:
        console.print(line)
    _place(record, console)
    console.print(f"{record.wall_seconds:.0f} seconds; record written to {out}")


def _chosen(options: Namespace) -> tuple[Recipe, Path | None]:
    """The recipe with what the command line changes of it, and the file of weights if there is one."""
    recipe = RECIPES[options.name]()
    if isinstance(recipe.data, DigitsData):
        given = [name for name in ("weights", "limit", "epochs") if getattr(options, name) is not None]
        if given:
            raise ValueError(f"{given[0]}: {options.name} is no experiment on photographs and takes none")
        return (smaller(recipe, images=384, epochs=1) if options.smoke else recipe), None
    small = {"limit": 64, "epochs": 1} if options.smoke else {"limit": None, "epochs": None}
    asked = {name: getattr(options, name) for name in small}
    recipe = shortened(recipe, **{k: small[k] if asked[k] is None else asked[k] for k in small})
    if options.weights is None:
        return recipe, None
    if options.weights == "none":
        return replace(recipe, start=None), None
    path = Path(options.weights)
    if path.is_file():
        return replace(recipe, start=weights_file(path)), path
    check_weights(recipe.encoder, options.weights)  # before the data are read
    return replace(recipe, start=PretrainedStart(options.weights)), None


def _place(record: Record, console: Console) -> None:
    """Show the record among published rows, where there are some and the ledger is at hand."""
    try:
        entries = read_ledger()
    except FileNotFoundError:
        if Recipe.from_dict(record.recipe).data.benchmark is not None:
            console.print("The published rows stand in book/ledger.yml, which is not here.")
        return
    found = standings(record, entries)
    if found:
        console.print(published_table(record, found))
