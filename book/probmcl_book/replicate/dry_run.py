"""A recipe at full scale with a stand-in encoder: all files and steps of an epoch, kill, resume and export.

What fails after hours on the real data, such as names, labels, loaders or checkpoints, fails here in minutes.
The images are a few tiny ones under all names, and the numbers say nothing.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from probmcl.data.public.sources import source
from probmcl.evaluate import Interval
from probmcl_book.records.making import Making
from probmcl_book.records.record import Record, Row
from probmcl_book.replicate.datasets import ChestData, CocoData
from probmcl_book.replicate.estimate import estimate
from probmcl_book.replicate.export import load_export
from probmcl_book.replicate.fakes.scale import draw_chest, draw_coco
from probmcl_book.replicate.folder import slug
from probmcl_book.replicate.memory import step_memory
from probmcl_book.replicate.origin import Origin, write_origin
from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.replicate.run import run_experiment
from probmcl_book.replicate.splits import Splits

PIXELS = 16
COMPONENTS = 8
T = TypeVar("T")


def dry_run(
    recipe: Recipe,
    folder: Path,
    *,
    command: str,
    limit: int | None = None,
    say: Callable[[str], None] = print,
) -> Record:
    """Go the whole way of a recipe on COCO or ChestX-ray14 in a folder, and write down time and memory.

    ``limit`` images are drawn for each of its public parts, or as many as these have. A process trains until
    its first checkpoint, where it is killed; this one goes on.
    """
    making, rows = Making(command), list[Row]()

    def timed(name: str, work: Callable[[], T]) -> T:
        begin = time.perf_counter()
        found, seconds = work(), time.perf_counter() - begin
        measured = {"seconds": seconds, "GiB at most": _peak()}
        rows.append(Row(name, None, {key: Interval(value) for key, value in measured.items()}, seconds, 0))
        say(f"{name}: {seconds:.0f} s")
        return found

    data, stand_in = folder / "data", _stand_in(recipe)
    timed("files drawn", lambda: _draw(recipe, data, limit))
    splits = timed("labels read", lambda: stand_in.splits(data))
    timed("training, killed", lambda: _killed(stand_in, folder))
    export = folder / "models"
    run = timed("the rest, resumed", lambda: _train(stand_in, splits, folder, command, export))
    assert run is not None  # one process
    for row in (row for row in run.rows if row.seed is not None):
        speed = {"views per second": Interval(row.image_views / row.seconds)}
        rows.append(Row(f"one epoch: {row.method}", None, speed, row.seconds, row.image_views))
    last = export / f"{slug(recipe.methods[-1].name)}-seed-0"
    timed("export read and scored", lambda: load_export(last).evaluate(splits.validation))
    expected = estimate(recipe, splits, 1)
    half = max(
        step_memory(one, expected.parameters, expected.kept, torch.device("cuda")) for one in recipe.methods
    )
    needed = {
        "M parameters": expected.parameters / 1e6,
        "GMAC per view": expected.macs / 1e9,
        "image views": expected.image_views,
        "hours here": expected.hours,
        "GiB per step, float32": expected.needed / 2**30,
        "GiB per step, half precision": half / 2**30,
    }
    rows.append(Row("the real encoder", None, {k: Interval(v) for k, v in needed.items()}, 0.0, 0))
    stands_in = "Tiny images under the names of the real ones, a small network of random weights"
    notes = [f"{stands_in}, mixtures of {COMPONENTS} components: no evidence.", *run.notes]
    content: dict[str, Any] = {"recipe": recipe.to_dict(), "seeds": [0], "data": run.data, "rows": rows}
    return making.record(f"dry_run_{recipe.data.kind}", "benchmark", notes=notes, **content)


def _stand_in(recipe: Recipe) -> Recipe:
    """The recipe with its data, batches, methods and optimisers, but a small network on small views, once."""
    once = recipe.trained(epochs=1)
    views = replace(recipe.views, size=PIXELS)  # type: ignore[arg-type]  # photographs
    probe = replace(recipe.probe, epochs=1)
    methods = tuple(_narrow(one) for one in once.methods)
    return replace(once, start=None, encoder="small-cnn", methods=methods, views=views, probe=probe)


def _narrow(method: Method) -> Method:
    """A method with a small head: the loss of 80 components would be nearly all of the time."""
    head = {**method.head, "components": COMPONENTS} if method.criterion == "probmcl" else method.head
    return replace(method, trunk=(32, 16) if method.trunk else (), head=head)


def _draw(recipe: Recipe, folder: Path, limit: int | None) -> None:
    """Draw the public parts of the recipe's data set."""

    def some(part: str) -> int:
        images = public.splits[part]
        return images if limit is None else min(limit, images)

    if isinstance(recipe.data, CocoData):
        public = source("coco2014")
        for part in ("train2014", "val2014"):
            draw_coco(folder, part, images=some(part), labelled=some(f"{part}, with labels"), pixels=PIXELS)
    elif isinstance(recipe.data, ChestData):
        public = source("chestxray14")
        draw_chest(folder, train=some("official train_val"), test=some("official test"), pixels=PIXELS)
    else:
        raise ValueError(f"dry_run: expected a recipe on COCO or ChestX-ray14, got {recipe.name}")
    name, drawn = f"tiny images under the names of {public.title}", "drawn by python -m probmcl run --dry-run"
    write_origin(folder, Origin(name, "labels at random", drawn, public.page))


def _train(recipe: Recipe, splits: Splits, folder: Path, command: str, export: Path | None) -> Record | None:
    options: dict[str, Any] = {"splits": splits, "checkpoints": folder / "runs", "resamples": 20}
    return run_experiment(recipe, [0], command=command, export=export, **options)


def _killed(recipe: Recipe, folder: Path) -> None:
    """Train in another process, and kill it when there is a checkpoint of a method, or all is trained.

    A fault of that process is seen when its work is resumed.
    """
    (folder / "recipe.json").write_text(json.dumps(recipe.to_dict()))
    command = [sys.executable, "-m", __name__, str(folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(folder.glob("runs/*/*/training.pt")):
            time.sleep(0.05)
        process.kill()


def _peak() -> float:
    """GiB that this process and its children had at most."""
    import resource  # not on Windows

    who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(resource.getrusage(one).ru_maxrss for one in who) / 2**20


if __name__ == "__main__":
    root = Path(sys.argv[1])
    small = Recipe.from_dict(json.loads((root / "recipe.json").read_text()))
    _train(small, small.splits(root / "data"), root, "-", None)
