"""The table of a graded class: one line per submission, and what is odd about it."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Row = dict[str, object]

FORMULA = re.compile(r"^[=+\-@\t\r]")
BY_HAND = " by hand"


def quoted(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers.

    Example:
        >>> quoted("=1+2"), quoted(-1.5), quoted("ada")
        ("'=1+2", '-1.5', 'ada')
    """
    return f"{value:g}" if isinstance(value, int | float) else FORMULA.sub(r"'\g<0>", str(value))


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table; none if there is no table."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table; it is there in whole, the old one or the new one, also after a kill."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(map(quoted, columns))
        writer.writerows([quoted(row.get(column, "")) for column in columns] for row in rows)
    temporary.replace(path)


def copies(ids: Mapping[str, str], cells: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """What is odd about submissions beside each other: one id in several, answers of another.

    Args:
        ids: that each submission states.
        cells: digests of the cells of each that were not handed out.
    """
    return {
        name: [
            f"{what} {other}"
            for other in ids
            if other != name
            for what, odd in (
                ("same id as", bool(ids[name]) and ids[name].strip().lower() == ids[other].strip().lower()),
                ("answers of", _alike(cells[name], cells[other])),
            )
            if odd
        ]
        for name in ids
    }


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether most of what two students wrote is the same text."""
    return len(one & other) > 1 and len(one & other) > 0.7 * min(len(one), len(other))
