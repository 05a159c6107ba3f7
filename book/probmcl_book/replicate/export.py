"""A trained method leaves the run: the file of its weights, and a card that says what it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from probmcl._files import one_writer, whole_file
from probmcl_book.records.kept import check_writable
from probmcl_book.records.record import Record
from probmcl_book.replicate.finished import Finished, restored, write_finished
from probmcl_book.replicate.folder import slug
from probmcl_book.replicate.recipe import PretrainedStart
from probmcl_book.replicate.tensor_file import read_tensors
from probmcl_book.replicate.views import PhotoViews

WEIGHTS = "model.safetensors"
CARD = """# {run.row.method} on {data.name}

A multi-label image classifier: {run.recipe.encoder}, then {classifier}, trained with the method
"{run.row.method}" of the recipe `{record.name}`, seed {run.seed}. Inputs: {inputs}. Outputs: {count} logits,
one per label; labels are not exclusive.

## Data

- {data.name}; {sizes}.
- Split: {data.split}.
- To get it: {data.access}.
- Source: {data.source}.
- Checksum: `{data.checksum}`.

## Measured on the test images

{metrics}

Thresholds were chosen on validation images. Made by `{record.command}`, code version
{record.code.version}, commit {commit}.

## Intended use

Research and teaching: to measure this method again, to compare it with others, to look at what it learned.

## Limits

- **Not for clinical use**, and not for any decision about a person.
- It knows these labels only: {labels}. An image of anything else gets logits all the same.
- It carries whatever is wrong with the labels and the choice of images of its data set.
- Logits are not calibrated probabilities. On images from elsewhere expect less than is stated here.
{warning}
The weights are under the terms of the data and of the weights they started from ({start}).
Load with `probmcl_book.replicate.load_export(folder)`.
"""

CLASSIFIERS = {"ml-decoder": "a transformer head", "kmcl": "the classifier of a mixture density head"}


def export_run(record: Record, runs: Mapping[str, Sequence[Finished]], folder: str | Path) -> list[Path]:
    """Write every trained method and seed into a folder of its own.

    Each folder holds ``model.safetensors``, the file of a finished run, and ``README.md``, a model card.
    Files appear whole or not at all; those of an earlier export are replaced.

    ``runs`` holds finished runs, one per seed, by name of the method; ``<method>-seed-<seed>`` are the
    folders.
    """
    folders = []
    with one_writer(Path(folder) / ".lock", "*/.*.[0-9]*.tmp"):
        for run in (run for all_seeds in runs.values() for run in all_seeds):
            folders.append(Path(folder) / _name(run.row.method, run.seed))
            write_finished(run, folders[-1] / WEIGHTS)
            with whole_file(folders[-1] / "README.md") as file:
                file.write(model_card(record, run).encode())
    return folders


def check_export(methods: Sequence[str], seeds: Sequence[int], folder: str | Path) -> None:
    """Raise before the training unless the runs of these methods and seeds could be exported to a folder."""
    longest = max((_name(method, seed) for method in methods for seed in seeds), key=len)
    check_writable(Path(folder) / f"{longest}-{WEIGHTS}")  # as long as the path of a file


def _name(method: str, seed: int) -> str:
    """The folder of a run."""
    return f"{slug(method)}-seed-{seed}"


def load_export(path: str | Path) -> Finished:
    """Read a trained method, ready to score images: ``load_export(folder).evaluate(images)``.

    ``path`` is one of the folders that :func:`export_run` wrote, or the file of a finished run.

    >>> load_export("no/such/folder")
    Traceback (most recent call last):
    ...
    FileNotFoundError: path: expected a trained method at no/such/folder, got none
    """
    path = Path(path)
    file = path / WEIGHTS if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"path: expected a trained method at {path}, got none")
    run = restored(*read_tensors(file))
    run.whole()
    return run


def model_card(record: Record, run: Finished) -> str:
    """The card of one trained method, in Markdown."""
    recipe, data, views = run.recipe, run.data, run.recipe.views
    squished = isinstance(views, PhotoViews) and f"RGB squished to {views.size} x {views.size} pixels"
    partial = recipe.limit is not None or data.name.endswith("not the whole data set")
    criterion = recipe.methods[0].criterion if recipe.methods else "none"
    published = isinstance(recipe.start, PretrainedStart) and f"`{recipe.start.weights}`"
    return CARD.format(
        run=run,
        data=data,
        record=record,
        classifier=CLASSIFIERS.get(criterion, "one linear layer"),
        inputs=squished or "grey scenes of 32 x 32 pixels",
        count=len(run.classes),
        sizes=", ".join(f"{count:,} images for {part}" for part, count in data.sizes.items()),
        metrics="\n".join(f"- {name}: {value:.4f}" for name, value in run.row.metrics.items()),
        commit=record.code.commit or "unknown",
        labels=", ".join(run.classes),
        warning="- It saw a part of the data set only: it shows that the code runs.\n" if partial else "",
        start="random numbers" if recipe.start is None else published or "letters drawn with fonts",
    )
