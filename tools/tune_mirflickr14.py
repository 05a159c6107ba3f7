"""Choose the settings of ``mirflickr14-features``: ``python tools/tune_mirflickr14.py DIR OUT.json``.

Every method gets eight trials with one seed that no result uses: learning rates times its own options. A
trial trains as the recipe says and is scored on validation; test images are not looked at. OUT is a record of
all trials, its notes name the best of each method, and the recipe holds them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch

from probmcl_book.records import write_record
from probmcl_book.records.making import Making
from probmcl_book.replicate import RECIPES, DataSets, Method, Runner, Task

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
    torch.set_flush_denormal(True)
    making = Making(f"python tools/tune_mirflickr14.py {folder.name} {out.name}")
    recipe, data = RECIPES["mirflickr14-features"](), DataSets(folder)
    runner = Runner(data, whole=False)
    rows, notes = [], ["Validation only: no test image was scored."]
    for method in recipe.methods:
        tasks = [Task(n, replace(recipe, methods=(one,)), SEED, tuning=True) for n, one in trials(method)]
        found = [replace(run.row, series={}) for run in runner.each(tasks, say=print) if run is not None]
        best = max(found, key=lambda row: row.metrics["validation mAP"].value)
        notes.append(f"Chosen of {len(found)} trials for {best.method}.")
        rows += found
    content = {"recipe": recipe.to_dict(), "seeds": (SEED,), "data": data.of(recipe)[1]}
    write_record(making.record("mirflickr14_tuning", "study", rows=rows, notes=notes, **content), out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
