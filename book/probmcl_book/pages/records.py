"""A record of a comparison on a page: where it comes from, its table, its curves, its place among others."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from textwrap import fill

from probmcl_book.claims import Standing
from probmcl_book.pages.tables import Cell, table
from probmcl_book.records import Record, Row, verdict

PARTS = ("train", "validation", "test")
METRICS = ("mAP", "AUROC", "CF1", "OF1")


def provenance_lines(record: Record) -> None:
    """Print what a reader needs to judge a record, and to make it again.

    Args:
        record: any record.
    """
    order = [
        *(part for part in PARTS if part in record.data.sizes),
        *sorted(set(record.data.sizes) - set(PARTS)),
    ]
    sizes = ", ".join(f"{record.data.sizes[part]:,} {part}" for part in order)
    machine = record.hardware.cpu if record.hardware.device == "cpu" else record.hardware.device
    seeds = f"{'seed' if len(record.seeds) == 1 else 'seeds'} {', '.join(map(str, record.seeds))}"
    lines = [
        _without_notes(record.command),
        f"Data: {record.data.name} ({sizes}). Split: {record.data.split}.",
        f"Access: {record.data.access}",
        f"{seeds}; {record.wall_seconds / 60:.0f} minutes on {machine}.",
    ]
    for line in lines:
        print(fill(line, 110, break_long_words=False, break_on_hyphens=False))


def _without_notes(command: str) -> str:
    """A command without the notes that it wrote into its record, where they are read.

    >>> _without_notes("python -m probmcl run x --note 'Two epochs.' --seeds 0")
    'python -m probmcl run x --seeds 0'
    """
    words = shlex.split(command)
    return shlex.join(
        w for w, before in zip(words, ["", *words], strict=False) if "--note" not in (w, before)
    )


def over_seeds(record: Record) -> dict[str, Row]:
    """The rows over all seeds, by method, in the order of the record."""
    return {row.method: row for row in record.rows if row.seed is None}


def comparison(record: Record, *, what: str, interval: str = "mAP") -> None:
    """Display the methods of a record with their metrics.

    Args:
        record: a comparison.
        what: what was tested, for the caption.
        interval: the metric that is shown with its interval.
    """
    rows = over_seeds(record)
    names = [name for name in METRICS if all(name in row.metrics for row in rows.values())]
    cells: list[list[Cell]] = []
    for method, row in rows.items():
        line: list[Cell] = [method]
        for name in names:
            found = row.metrics[name]
            line.append((found.value, found.low, found.high) if name == interval else found.value)
        cells.append([*line, round(row.seconds)])
    seeds = f"{len(record.seeds)} seed{'s' if len(record.seeds) > 1 else ''}"
    how = next(iter(rows.values())).metrics[interval].how
    table(
        cells,
        ["method", *names, "seconds"],
        caption=f"{what}, mean over {seeds}; {interval} with its 95 % interval ({how}).",
        highlight=None if record.recipe.get("limit") else dict.fromkeys(names, "max"),  # a part ranks nobody
    )


def reference(record: Record) -> str:
    """The method that the others are read against: BCE, or else the first that is no start."""
    _, *methods = over_seeds(record)
    return "BCE" if "BCE" in methods else methods[0]


def verdicts(record: Record) -> None:
    """Print what the differences of a record allow to say, and its notes."""
    for line in [*map(verdict, record.differences), *record.notes]:
        print(line)


def watched(record: Record) -> dict[str, list[list[float]]]:
    """The curve of the watched validation metric over epochs, for every method one a seed."""
    curves: dict[str, list[list[float]]] = {}
    for row in record.rows:
        if row.seed is not None and "watched" in row.series:
            curves.setdefault(row.method, []).append(row.series["watched"])
    return curves


def published(found: Sequence[Standing], *, metric: str, caption: str) -> None:
    """Display published rows and ours: ranked ones with their place, the others with the reason.

    Args:
        found: from :func:`~probmcl_book.claims.standings`, ranked rows first.
        metric: name of the column of numbers.
        caption: what the table shows.
    """
    rows: list[list[Cell]] = []
    for place, one in enumerate(found, start=1):
        first = "not ranked" if one.reason else str(place)
        rows.append([first, one.row, one.method, one.setting, one.split, one.rows, one.shown, one.reason])
    columns = ["place", "row", "method", "setting", "split", "rows scored", metric, "why not ranked"]
    table(rows, columns, caption=caption)
