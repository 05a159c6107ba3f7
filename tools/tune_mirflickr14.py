"""Choose the settings of ``mirflickr14-features``: ``python tools/tune_mirflickr14.py DIR OUT.json``.

Every method gets eight trials with one seed that no result uses: learning rates times its own options. A
trial trains as the recipe says and is scored on validation; test images are not looked at. OUT is a record of
all trials, its notes name the best of each method, and the recipe holds them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch

from probmcl.evaluate import Interval, mean_average_precision
from probmcl_book.records import Record, Row, write_record
from probmcl_book.records.provenance import provenance
from probmcl_book.replicate import RECIPES, Method, Trained, pretrain, train_method

SEED = 100

GRIDS: dict[str, dict[str, list[Any]]] = {
    "BCE": {"learning_rate": [3e-4, 6e-4, 1e-3, 2e-3], "weight_decay": [1e-4, 1e-1]},
    "ASL": {"learning_rate": [3e-4, 6e-4, 1e-3, 2e-3], "gamma_negative": [2.0, 4.0]},
    "SupCon, threshold": {"learning_rate": [1e-3, 3e-3], "threshold": [0.5, 1.0], "temperature": [0.1, 0.25]},
    "ProbMCL": {"learning_rate": [1e-3, 3e-3], "threshold": [0.5, 1.0], "temperature": [0.25, 0.5]},
}
"""What is tried for each method; settings of the training are told from options of the criterion by name."""


def trials(method: Method) -> Iterator[tuple[str, Method]]:
    """Yield every trial of a method under a name that says its settings."""
    grid = GRIDS[method.name]
    for values in product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        name = ", ".join(f"{key} {value:g}" for key, value in chosen.items())
        training = {key: chosen.pop(key) for key in ("learning_rate", "weight_decay") if key in chosen}
        settings = replace(method.training, **training)
        yield f"{method.name}: {name}", replace(method, training=settings, options=chosen)


def main(folder: Path, out: Path) -> None:
    """Run all trials and write the record."""
    begin = time.perf_counter()
    torch.set_flush_denormal(True)
    code, hardware = provenance()
    recipe = RECIPES["mirflickr14-features"]()
    splits = recipe.splits(folder)
    identity = splits.identity()
    blind = replace(splits, test=splits.validation)
    start = pretrain(recipe, seed=SEED)
    rows, notes = [], ["Validation only: no test image was scored."]
    for method in recipe.methods:
        found = []
        for name, trial in trials(method):
            found.append(_row(name, train_method(trial, start, recipe, blind, seed=SEED), blind.test.labels))
            print(f"{name}: {found[-1].metrics['validation mAP'].value:.4f}", flush=True)
        best = max(found, key=lambda row: row.metrics["validation mAP"].value)
        notes.append(f"Chosen of {len(found)} trials for {best.method}.")
        rows += found
    record = Record(
        name="mirflickr14_tuning",
        kind="study",
        command=f"python tools/tune_mirflickr14.py {folder.name} {out.name}",
        recipe=recipe.to_dict(),
        seeds=(SEED,),
        data=identity,
        code=code,
        hardware=hardware,
        wall_seconds=time.perf_counter() - begin,
        rows=rows,
        notes=notes,
    )
    write_record(record, out)


def _row(name: str, trained: Trained, labels: torch.Tensor) -> Row:
    reached = Interval(mean_average_precision(trained.validation_scores, labels))
    return Row(name, SEED, {"validation mAP": reached}, trained.seconds, trained.image_views)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
