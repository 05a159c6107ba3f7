"""What somebody who finds a file of weights should know about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probmcl_book.records.record import Record, Row

CARD = """# {method} on {data}

A multi-label image classifier: {encoder}, then {classifier}, trained with the method "{method}" of the
recipe `{recipe}`, seed {seed}. Inputs: {inputs}. Outputs: {count} logits, one a label; labels are not
exclusive.

## Data

- {data}; {sizes}.
- Split: {split}.
- To get it: {access}.
- Source: {source}.
- Checksum: `{checksum}`.

## Measured on the test images

{metrics}

Thresholds were chosen on validation images. Made by `{command}`, code version {version}, commit {commit}.

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


def model_card(record: Record, row: Row, classes: Sequence[str]) -> str:
    """The card of one trained method, in Markdown.

    Args:
        record: the record of the run.
        row: the method's row with one seed.
        classes: names of the labels.
    """
    recipe, data = record.recipe, record.data
    size = recipe["views"].get("size")
    inputs = f"RGB squished to {size} x {size} pixels" if size else "grey scenes of 32 x 32 pixels"
    partial = recipe["limit"] is not None or data.name.endswith("not the whole data set")
    return CARD.format(
        method=row.method,
        data=data.name,
        encoder=recipe["encoder"],
        classifier=CLASSIFIERS.get(_criterion(recipe, row.method), "one linear layer"),
        recipe=record.name,
        seed=row.seed,
        inputs=inputs,
        count=len(classes),
        sizes=", ".join(f"{count:,} images for {part}" for part, count in data.sizes.items()),
        split=data.split,
        access=data.access,
        source=data.source,
        checksum=data.checksum,
        metrics="\n".join(f"- {name}: {value:.4f}" for name, value in row.metrics.items()),
        command=record.command,
        version=record.code.version,
        commit=record.code.commit or "unknown",
        labels=", ".join(classes),
        warning="- It saw a part of the data set only: it shows that the code runs.\n" if partial else "",
        start=_start(recipe["start"]),
    )


def _criterion(recipe: dict[str, Any], name: str) -> str:
    """The criterion of a method; none for the start, which is no method."""
    return next((method["criterion"] for method in recipe["methods"] if method["name"] == name), "none")


def _start(start: dict[str, object] | None) -> str:
    if start is None:
        return "random numbers"
    return f"`{start['weights']}`" if "weights" in start else "letters drawn with fonts"
