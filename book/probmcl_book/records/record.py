"""A result with its provenance: written once, read by every table and figure that shows it.

A record is one JSON file, ``book/results/<name>.json``. The dataclasses here say what it must hold; writing
and reading check it. Measured numbers keep six significant digits, keys are sorted and NaN is ``null``, so
that two runs of one experiment can be compared line by line.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from probmcl import _check
from probmcl._files import whole_file
from probmcl.evaluate import Interval
from probmcl_book.records.constraints import Positive, Seconds, Text, Whole, different, filled, like, text
from probmcl_book.records.plain import from_json, from_plain, to_plain
from probmcl_book.records.provenance import Code, Hardware, book_folder, checkout

SHARES = ("mAP", "AUROC", "CF1", "OF1")
"""How the names of metrics end that lie in [0, 1]."""


def _interval(name: str, found: Interval) -> None:
    text(f"{name}.how", found.how)
    if found.low > found.high:
        raise ValueError(f"{name}: expected low <= high, got {found.low} and {found.high}")
    if found.level <= 0 or found.level >= 1:
        raise ValueError(f"{name}.level: expected a number in (0, 1), got {found.level}")


def _shares(name: str, metrics: dict[str, Interval]) -> None:
    for metric, found in metrics.items():
        if metric.endswith(SHARES) and (found.value < 0 or found.value > 1):
            raise ValueError(f"{name}.{metric}.value: expected a number in [0, 1], got {found.value}")


Measured = Annotated[Interval, _interval]
_name = like(r"[a-z0-9]+([_-][a-z0-9]+)*", "lower case letters, digits, '_' and '-'")


@dataclass(frozen=True)
class DataIdentity:
    """Which images were used, and how somebody else gets the same.

    ``sizes`` are the images in each part, for instance ``{"train": 6000, "test": 2000}``, and ``checksum`` is
    one of :func:`~probmcl.data.checksum`. ``access`` is how a reader gets them, or "private rebuild of ...";
    ``source`` is public, an address or a citation.
    """

    name: Text
    split: Text
    sizes: Annotated[dict[str, Positive], filled]
    checksum: Annotated[str, like("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", "md5:... or sha256:...")]
    access: Text
    source: Text


@dataclass(frozen=True)
class Row:
    """What one method reached with one seed, which is None over all seeds or where nothing is random.

    A metric without an interval is ``Interval(value)``. ``seconds`` are of training, or of what was measured;
    ``image_views`` are augmented images seen in training; ``series`` are curves over epochs and values per
    class, by name.
    """

    method: Text
    seed: Whole | None
    metrics: Annotated[dict[str, Measured], filled, _shares]
    seconds: Seconds
    image_views: Whole
    series: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """How much higher ``method`` is than ``against`` in ``metric``, with an interval."""

    method: Text
    against: Text
    metric: Text
    interval: Measured


@dataclass(frozen=True)
class Record:
    """A result with everything needed to judge it and to make it again.

    ``name`` is of the experiment, or of a study's file without ``.json``; ``command`` is what to type to make
    it again, see :func:`~probmcl_book.records.provenance.command_line`. The settings in ``recipe`` are kept
    unrounded, the time is of the whole command, a note is one sentence, and ``created`` is a UTC date.
    """

    name: Annotated[str, _name]
    kind: Literal["comparison", "study", "benchmark", "statistics"]
    command: Text
    recipe: dict[str, Any]
    seeds: Annotated[Sequence[Whole], different]
    data: DataIdentity
    code: Code
    hardware: Hardware
    wall_seconds: Seconds
    rows: Annotated[Sequence[Row], filled]
    differences: Sequence[Difference] = ()
    notes: Sequence[Text] = ()
    created: Annotated[str, like(r"\d{4}-\d{2}-\d{2}", "a date, YYYY-MM-DD")] = field(
        default_factory=lambda: datetime.now(UTC).date().isoformat()
    )


def write_record(record: Record, path: str | Path) -> None:
    """Check ``record`` and write it to ``path``, all of it or nothing; missing folders are made.

    A record that does not hold what it must is not written, and the message names the field.
    """
    path = Path(path)
    content = {**to_plain(record, digits=6), "recipe": to_plain(record.recipe)}
    from_plain(Record, content, path.name, complete=True)
    with whole_file(path) as file:
        file.write(f"{json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)}\n".encode())


def read_record(path: str | Path) -> Record:
    """Return the record in a file; if it holds none, the message names the file and the field."""
    path = Path(path)
    return from_json(Record, path.read_bytes(), path.name, complete=True)


def load_result(name: str) -> Record:
    """Return the record ``name`` of the book, wherever the package runs.

    It is read from :func:`results_path`; where the package is installed without the book (on Colab, say) and
    no such file exists, from the records that came with it.
    """
    path = results_path(name)
    if path.is_file():
        return read_record(path)
    if checkout() is None and (brought := book_folder()) and (brought / "results" / path.name).is_file():
        return read_record(brought / "results" / path.name)
    raise FileNotFoundError(
        f"no record {name!r} at {path.as_posix()}; make it (see `python -m probmcl --help`), "
        "or set PROBMCL_RESULTS to the folder that holds it"
    )


def results_path(name: str) -> Path:
    """Return where the record ``name`` belongs: the first of these folders that applies.

    1. ``PROBMCL_RESULTS``, if that environment variable is set;
    2. ``book/results`` of the checkout that holds the package, or else the working directory;
    3. ``results`` in the working directory.

    >>> results_path("digits").name
    'digits.json'
    """
    _name("name", name)
    if folder := os.environ.get("PROBMCL_RESULTS"):
        return Path(folder) / f"{name}.json"
    root = checkout()
    return (root / "book" if root else Path.cwd()) / "results" / f"{name}.json"


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise unless a record can hold these seeds, before a run whose result would be lost."""
    if not seeds:
        raise ValueError("seeds: expected at least one seed, got none")
    for seed in seeds:
        _check.count("seeds", seed, low=0)
    different("seeds", seeds)


def check_notes(notes: Sequence[str]) -> None:
    """Raise unless a record can hold these notes, before a run whose result would be lost."""
    for place, note in enumerate(notes):
        text(f"notes[{place}]", note)
