"""Our row inside the published table: ranked only with rows that were measured on the same images.

A published number is comparable if its data set, split and metric are ours and all test images of that split
were scored, at the resolution at which the published rows had them. Whatever is not stands below the ranking,
with the reason. Input size and backbone, which differ within published tables too, stand beside each number.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from probmcl_book.claims.ledger import LedgerEntry
from probmcl_book.records.record import Record
from probmcl_book.records.table import Table
from probmcl_book.replicate.datasets import Benchmark
from probmcl_book.replicate.recipe import PretrainedStart, Recipe
from probmcl_book.replicate.views import PhotoViews

NAMES = {"mAP": "mAP", "mean AUROC": "AUROC"}  # of a metric: in the ledger, in a record
REBUILD = "private rebuild"  # how the access of other images than the public ones begins


@dataclass(frozen=True)
class Standing:
    """One line of a published table."""

    row: str  #: id in the ledger, or "ours"
    method: str
    setting: str
    split: str
    rows: str  #: test images that were scored, as far as it is known
    shown: str
    value: float  #: in [0, 1], by which the ranking goes; -1 where the ledger states no such metric
    reason: str = ""  #: why it is not ranked; empty if it is


def standings(record: Record, entries: Sequence[LedgerEntry]) -> list[Standing]:
    """Published rows of a record's data set, and its own: ranked ones, then those that are not comparable.

    >>> from probmcl_book.claims import read_ledger
    >>> from probmcl_book.records import load_result
    >>> standings(load_result("digits"), read_ledger())  # nobody else publishes on DigitScenes
    []
    """
    recipe = Recipe.from_dict(record.recipe)
    benchmark = recipe.data.benchmark
    if benchmark is None:
        return []
    found = [*_ours(record, recipe, benchmark), *_published(entries, benchmark)]
    return sorted(found, key=lambda one: (bool(one.reason), -one.value))


def published_table(record: Record, found: Sequence[Standing]) -> Table:
    """A ranking, below it what is not comparable with it, and why."""
    benchmark = Recipe.from_dict(record.recipe).data.benchmark
    assert benchmark is not None
    reasons = dict.fromkeys(one.reason for one in found if one.reason)
    marks = dict(zip(reasons, ascii_lowercase, strict=False))
    return Table(
        [
            [marks.get(one.reason, str(n)), one.row, one.method, one.setting, one.split, one.rows, one.shown]
            for n, one in enumerate(found, start=1)
        ],
        ["", "row", "method", "setting", "split", "rows scored", benchmark.metric],
        f"{benchmark.data}: published {benchmark.metric} and ours",
        notes=[
            "Ranked: same data set, split, metric and test images. Published numbers are as the ledger "
            "has them; backbones, weights and inputs differ.",
            *(f"{mark}, not comparable: {reason}." for reason, mark in marks.items()),
        ],
    )


def _ours(record: Record, recipe: Recipe, benchmark: Benchmark) -> Iterator[Standing]:
    tested = record.data.sizes["test"]
    reason, split = benchmark.apart, benchmark.split or "val2014"
    if record.data.access.startswith(REBUILD):
        reason, split = f"other images: {record.data.name}", "its own"
    elif benchmark.test_images is None:
        reason = "everybody's test images are another random draw"
    elif tested != benchmark.test_images:
        reason = f"{tested:,} test images, not the {benchmark.test_images:,} of the published rows"
    start = (
        f"weights {recipe.start.weights}" if isinstance(recipe.start, PretrainedStart) else "random weights"
    )
    size = f"input {recipe.views.size}" if isinstance(recipe.views, PhotoViews) else "scenes"
    setting = f"{recipe.encoder.partition('/')[2] or recipe.encoder}, {start}, {size}"
    for row in (row for row in record.rows if row.seed is None):
        value = row.metrics[NAMES[benchmark.metric]]
        yield Standing("ours", row.method, setting, split, f"{tested:,}", f"{value:.3f}", value.value, reason)


def _published(entries: Sequence[LedgerEntry], benchmark: Benchmark) -> Iterator[Standing]:
    for entry in entries:
        published = entry.published
        if published is None or published.data != benchmark.data:
            continue
        metrics = [name.strip() for name in published.metric.split(";")]
        reason = ""
        if benchmark.metric not in metrics:
            reason = f"{published.metric}, not {benchmark.metric}"
        if published.split != benchmark.split:
            reason = f"another split: {published.split}"
        elif benchmark.test_images is None:
            reason = "its test images are another random draw"
        rows = "" if reason or benchmark.test_images is None else f"{benchmark.test_images:,}"
        for setting, text in published.values:
            shown, value = f"{published.metric} {text}", -1.0
            if benchmark.metric in metrics:
                shown = text.split(";")[metrics.index(benchmark.metric)].strip()
                value = _fraction(shown)
            split = published.split or "val2014"
            yield Standing(entry.id, entry.part, setting, split, rows, shown, value, reason)


def _fraction(text: str) -> float:
    """A published number, of which some are in per cent, in [0, 1].

    >>> _fraction("89.1"), _fraction(".773"), _fraction("0.811 [.804, .817]")
    (0.891, 0.773, 0.811)
    """
    found = re.match(r"\d*\.?\d+", text)
    if found is None:
        raise ValueError(f"published value: expected a number, got {text!r}")
    value = float(found[0])
    return round(value / 100, 6) if value > 1 else value
