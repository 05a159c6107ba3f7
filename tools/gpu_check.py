"""Check and measure what needs a GPU: ``python tools/gpu_check.py`` (at most 8 minutes; prints as it goes).

In this order: the tests that need a CUDA device; the loss at COCO's size and the largest batch of its encoder
(``book/results/gpu_loss.json``); a training step of every method of the recipes for public photographs, with
the memory it had beside the memory that was counted for it (``book/results/gpu_steps.json``); two chapters at
profile gpu. A part that fails is named at the end, and the others run all the same.

``--rehearse`` goes the same way on a machine without a GPU, at sizes that prove nothing, and writes nothing
into the book.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from probmcl.data import checksum
from probmcl.evaluate import Interval
from probmcl_book.records import DataIdentity, Row, write_record
from probmcl_book.records.making import Making
from probmcl_book.records.provenance import provenance
from probmcl_book.replicate import RECIPES, Estimate, estimate, sized_splits

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/loss", "tests/model", "tests/data", "tests/train")
PHOTOGRAPHS = ("coco-tresnet-m-224", "coco-tresnet-l-448", "chestxray14-densenet121-320")
CHAPTERS = ("book/08_contrastive_stage.ipynb", "book/11_scale.ipynb")
CLASSES = 80


def python(*arguments: str, **variables: str) -> None:
    """Run Python in the root of the book; a failure raises."""
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=True)


def measured_steps(name: str, images: int, device: str) -> list[tuple[str, Estimate]]:
    """Return what a step of each method of the recipe ``name`` takes, on its own."""
    recipe = RECIPES[name]()
    found = []
    for method in recipe.methods:
        size = min(images, method.training.batch_size)
        one = replace(method, training=replace(method.training, batch_size=size, epochs=1))
        splits = sized_splits(recipe, size, 2, 2, CLASSES)
        found.append(
            (f"{name}: {method.name}", estimate(replace(recipe, methods=(one,)), splits, 1, device=device))
        )
    return found


def steps(results: Path, names: Sequence[str], images: int, device: str) -> None:
    """Time a step of every method of recipes and write the record."""
    labels = sized_splits(RECIPES[names[0]](), images, 2, 2, CLASSES).train.labels
    data = DataIdentity(
        name="black images and random labels",
        split="none",
        sizes={"images": images},
        checksum=checksum(labels),
        access="drawn from seed 0",
        source="this package",
    )
    making, rows = Making("python tools/gpu_check.py", provenance(device)), []
    for name in names:
        for title, found in measured_steps(name, images, device):
            print(title, *found.lines()[1:3], sep="\n  ", flush=True)
            figures = {"seconds": 3600 * found.hours, "counted_gib": found.needed / 2**30}
            if found.memory is not None:
                figures["memory_gib"] = found.memory / 2**30
            metrics = {key: Interval(value) for key, value in figures.items()}
            rows.append(Row(title, 0, metrics, 3600 * found.hours, found.image_views))
    record = making.record(
        "gpu_steps",
        "benchmark",
        recipe={"images": images, "recipes": list(names)},
        seeds=(0,),
        data=data,
        rows=rows,
        notes=(),
    )
    write_record(record, results / "gpu_steps.json")


def plan(results: Path, rehearse: bool) -> dict[str, Callable[[], None]]:
    """Return the parts of the check by name."""
    device, profile = ("cpu", "smoke") if rehearse else ("cuda", "gpu")
    bench = ["small", "--smoke"] if rehearse else ["cuda"]
    return {
        "tests": partial(python, "-m", "pytest", "-q", "-k", "cuda or device", *TESTS),
        "loss": partial(python, "-m", "probmcl", "bench", *bench, "--out", str(results / "gpu_loss.json")),
        "steps": partial(steps, results, *((["digits"], 2) if rehearse else (PHOTOGRAPHS, 128)), device),
        "chapters": partial(
            python,
            "-m",
            "pytest",
            "-q",
            "--nbmake",
            "--nbmake-timeout=300",
            *CHAPTERS,
            PROBMCL_PROFILE=profile,
        ),
    }


def check(parts: dict[str, Callable[[], None]]) -> list[str]:
    """Run the parts, tell how long each took, and return the names of those that failed."""
    failed = []
    for name, part in parts.items():
        print(f"== {name}", flush=True)
        start = time.monotonic()
        try:
            part()
        except (subprocess.CalledProcessError, RuntimeError, ValueError) as error:
            print(f"{name} failed: {error}", file=sys.stderr)
            failed.append(name)
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Check; return the exit status."""
    parser = argparse.ArgumentParser(description="Check and measure what needs a GPU.")
    parser.add_argument("--rehearse", action="store_true", help="the same way without a GPU, proving nothing")
    options = parser.parse_args(arguments)
    if not options.rehearse and not torch.cuda.is_available():
        print("torch finds no GPU here; --rehearse goes the same way without one", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) if options.rehearse else ROOT / "book" / "results"
        failed = check(plan(results, options.rehearse))
    print(f"failed: {', '.join(failed)}" if failed else "All parts passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
