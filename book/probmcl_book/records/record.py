"""A result with its provenance: written once, read by every table and figure that shows it.

A record is one JSON file, ``book/results/<name>.json``. ``record.schema.json`` beside this file says what
it must hold; writing and reading check it. Measured numbers keep six significant digits, keys are sorted
and NaN is ``null``, so that two runs of one experiment can be compared line by line.
"""

from __future__ import annotations

import json
import math
import os
import re
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator

from probmcl import _check
from probmcl.evaluate import Interval
from probmcl_book.records.provenance import Code, Hardware, checkout


@dataclass(frozen=True)
class DataIdentity:
    """Which images were used, and how somebody else gets the same.

    Attributes:
        name: name of the data set.
        split: the split, by the name it is known under.
        sizes: images in each part, for instance ``{"train": 6000, "test": 2000}``.
        checksum: "md5:..." or "sha256:...", see :func:`~probmcl.data.checksum`.
        access: how a reader gets it, or "private rebuild of ...".
        source: the public source, an address or a citation.
    """

    name: str
    split: str
    sizes: dict[str, int]
    checksum: str
    access: str
    source: str


@dataclass(frozen=True)
class Row:
    """What one method reached with one seed.

    Attributes:
        method: name of the method.
        seed: its seed; None for a row over all seeds, or where nothing is random.
        metrics: the measured numbers by name; a number without an interval is ``Interval(value)``.
        seconds: time of training, or of what was measured.
        image_views: augmented images seen in training.
        series: curves over epochs and values per class, by name.
    """

    method: str
    seed: int | None
    metrics: dict[str, Interval]
    seconds: float
    image_views: int
    series: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """How much higher ``method`` is than ``against`` in ``metric``, with an interval."""

    method: str
    against: str
    metric: str
    interval: Interval


@dataclass(frozen=True)
class Record:
    """A result with everything needed to judge it and to make it again.

    Attributes:
        name: of the experiment, in lower case letters, digits, "_" and "-"; of a study, the name of its file
            without ``.json``.
        kind: what sort of result it is.
        command: what to type to make it again, see :func:`~probmcl_book.records.provenance.command_line`.
        recipe: every setting; kept unrounded.
        seeds: the seeds that were run.
        data: which images.
        code: which code, from :func:`~probmcl_book.records.provenance.provenance`.
        hardware: which machine, from :func:`~probmcl_book.records.provenance.provenance`.
        wall_seconds: time of the whole command.
        rows: the results.
        differences: comparisons between methods.
        notes: what a reader should know, one sentence each.
        created: UTC date.
    """

    name: str
    kind: Literal["comparison", "study", "benchmark", "statistics"]
    command: str
    recipe: dict[str, Any]
    seeds: Sequence[int]
    data: DataIdentity
    code: Code
    hardware: Hardware
    wall_seconds: float
    rows: Sequence[Row]
    differences: Sequence[Difference] = ()
    notes: Sequence[str] = ()
    created: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())


def write_record(record: Record, path: str | Path) -> None:
    """Check ``record`` and write it to ``path``, all of it or nothing; missing folders are made.

    Raises:
        ValueError: if the record does not follow the schema; the message names the field. Nothing is written.
    """
    path = Path(path)
    content = {**_plain(asdict(record), digits=6), "recipe": _plain(record.recipe, digits=17)}
    validate(content, source=path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_record(path: str | Path) -> Record:
    """Return the record in the file ``path``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not JSON or does not follow the schema; the message names the file and the field.
    """
    path = Path(path)
    return _parse(path.read_bytes(), source=path.name)


def load_result(name: str) -> Record:
    """Return the record ``name`` of the book, wherever the package runs.

    It is read from :func:`results_path`. Where the package is installed without the book (on Colab, say)
    and no such file exists, it is fetched from the project's repository.

    Raises:
        FileNotFoundError: if there is no such record; the message says how to make it.
        ValueError: as for :func:`read_record`.
    """
    path = results_path(name)
    if path.is_file():
        return read_record(path)
    sought = [path.as_posix()]
    if checkout() is None:
        url = f"{repository()}/raw/main/book/results/{name}.json"
        sought.append(url)
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                return _parse(response.read(), source=url)
        except OSError:  # no network, or no such page: the error below says what to do
            pass
    raise FileNotFoundError(
        f"no record {name!r} at {' or '.join(sought)}; make it (see `python -m probmcl --help`), "
        "or set PROBMCL_RESULTS to the folder that holds it"
    )


def results_path(name: str) -> Path:
    """Return where the record ``name`` belongs: the first of these folders that applies.

    1. ``PROBMCL_RESULTS``, if that environment variable is set;
    2. ``book/results`` of the checkout that holds the package, or else the working directory;
    3. ``results`` in the working directory.

    Raises:
        ValueError: if ``name`` is not made of lower case letters, digits, "_" and "-".

    Example:
        >>> results_path("digits").name
        'digits.json'
    """
    if not re.fullmatch(_schema()["properties"]["name"]["pattern"], name):
        raise ValueError(f"name: expected lower case letters, digits, '_' and '-', got {name!r}")
    if folder := os.environ.get("PROBMCL_RESULTS"):
        return Path(folder) / f"{name}.json"
    root = checkout()
    return (root / "book" / "results" if root else Path.cwd() / "results") / f"{name}.json"


def validate(content: Mapping[str, Any], *, source: str = "record") -> None:
    """Raise unless ``content``, a record as plain JSON values, follows ``record.schema.json``.

    Args:
        content: the parsed JSON.
        source: the file it came from, for the message.

    Raises:
        ValueError: naming ``source``, the field and what is wrong with it.

    Example:
        >>> validate({"name": "Digits"})
        Traceback (most recent call last):
        ...
        ValueError: record: name: 'Digits' does not match '^[a-z0-9]+([_-][a-z0-9]+)*$'
    """
    _refuse(content, _schema(), source=source)


def _refuse(content: Mapping[str, Any], schema: Mapping[str, Any], *, source: str) -> None:
    """Raise unless plain JSON values follow a schema."""
    errors = Draft202012Validator(schema).iter_errors(content)
    # the deepest complaint is the most specific one, and has a field to name
    error = max(errors, key=lambda found: len(found.absolute_path), default=None)
    if error is None:
        return
    where = error.json_path.removeprefix("$").removeprefix(".")
    message = error.message
    if error.validator == "not":
        message = f"{error.instance!r} holds a path that exists on one machine only"
    raise ValueError(f"{source}: {where + ': ' if where else ''}{message}")


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise unless a record can hold these seeds, before a run whose result would be lost.

    Raises:
        ValueError: if there is none, one stands there twice, or one is no whole number from 0 on.

    Example:
        >>> check_seeds([0, 0])
        Traceback (most recent call last):
        ...
        ValueError: seeds: expected different ones, got 0, 0
    """
    if not seeds:
        raise ValueError("seeds: expected at least one seed, got none")
    for seed in seeds:
        _check.count("seeds", seed, low=0)
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds: expected different ones, got {', '.join(map(str, seeds))}")


def check_notes(notes: Sequence[str]) -> None:
    """Raise unless a record can hold these notes, before a run whose result would be lost.

    Raises:
        ValueError: if one is empty or holds a path of one machine.

    Example:
        >>> check_notes(["One seed, untuned.", ""])
        Traceback (most recent call last):
        ...
        ValueError: record: notes[1]: '' should be non-empty
    """
    whole = _schema()
    schema = {"properties": {"notes": whole["properties"]["notes"]}, "$defs": whole["$defs"]}
    _refuse({"notes": list(notes)}, schema, source="record")


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("record.schema.json").read_text("utf-8"))
    return schema


def _plain(value: Any, *, digits: int) -> Any:
    """Return ``value`` as JSON has it: lists for tuples, rounded floats, null for NaN and infinity."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(entry, digits=digits) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, digits=digits) for entry in value]
    return value


def _parse(text: bytes, *, source: str) -> Record:
    try:
        content = json.loads(text)
    except ValueError as error:  # neither UTF-8 nor JSON is a given
        raise ValueError(f"{source}: not JSON: {error}") from error
    validate(content, source=source)
    return Record(
        **{
            **content,
            "seeds": tuple(content["seeds"]),
            "data": DataIdentity(**content["data"]),
            "code": Code(**content["code"]),
            "hardware": Hardware(**content["hardware"]),
            "rows": tuple(_row(row) for row in content["rows"]),
            "differences": tuple(
                Difference(**{**difference, "interval": _interval(difference["interval"])})
                for difference in content["differences"]
            ),
            "notes": tuple(content["notes"]),
        }
    )


def _row(row: Mapping[str, Any]) -> Row:
    metrics = {name: _interval(interval) for name, interval in row["metrics"].items()}
    series = {name: [_number(value) for value in values] for name, values in row["series"].items()}
    return Row(**{**row, "metrics": metrics, "series": series})


def _interval(interval: Mapping[str, Any]) -> Interval:
    numbers = {name: _number(interval[name]) for name in ("value", "low", "high", "level")}
    return Interval(**numbers, how=interval["how"])


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def repository() -> str:
    """Return the project's address as the installed package states it."""
    addresses = dict(entry.split(", ", 1) for entry in metadata("probmcl").get_all("Project-URL") or ())
    return str(addresses["Source"]).rstrip("/")
