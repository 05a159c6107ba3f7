"""A record of a comparison on a page: where it comes from, what it says, its curves."""

import shlex
from itertools import pairwise

from probmcl_book.pages.output import say
from probmcl_book.records import Record, over_seeds, verdict
from probmcl_book.replicate.recipe import Recipe

PARTS = ("train", "validation", "test")


def provenance_lines(record: Record) -> None:
    """Print what a reader needs to judge a record, and to make it again."""
    known = [part for part in PARTS if part in record.data.sizes]
    order = [*known, *sorted(set(record.data.sizes) - set(PARTS))]
    sizes = ", ".join(f"{record.data.sizes[part]:,} {part}" for part in order)
    machine = record.hardware.cpu if record.hardware.device == "cpu" else record.hardware.device
    seeds = f"{'seed' if len(record.seeds) == 1 else 'seeds'} {', '.join(map(str, record.seeds))}"
    say(_without_notes(record.command))
    say(f"Data: {record.data.name} ({sizes}). Split: {record.data.split}.")
    say(f"Access: {record.data.access}")
    say(f"{seeds}; {record.wall_seconds / 60:.0f} minutes on {machine}.")


def _without_notes(command: str) -> str:
    """A command without the notes that it wrote into its record, where they are read.

    >>> _without_notes("python -m probmcl run x --note 'Two epochs.' --seeds 0")
    'python -m probmcl run x --seeds 0'
    """
    pairs = pairwise(["", *shlex.split(command)])
    return shlex.join(word for before, word in pairs if "--note" not in (word, before))


def reference(record: Record) -> str:
    """The method that the others are read against: BCE, or else the first that is no start."""
    _, *methods = over_seeds(record)
    return "BCE" if "BCE" in methods else methods[0]


def verdicts(record: Record) -> None:
    """Print what the differences of a record allow to say, and its notes."""
    for line in [*map(verdict, record.differences), *record.notes]:
        print(line)


Curves = dict[str, list[list[float]]]  # over epochs by method, one per seed


def watched(record: Record) -> Curves:
    """The watched validation metric of every method."""
    curves: Curves = {}
    for row in record.rows:
        if row.seed is not None and "watched" in row.series:
            curves.setdefault(row.method, []).append(row.series["watched"])
    return curves


def by_watcher(record: Record) -> dict[str, Curves]:
    """The same of a comparison, by what watches: a classifier's numbers are no probe's."""
    whole = {method.name for method in Recipe.from_dict(record.recipe).methods if method.end_to_end}
    found: dict[str, Curves] = {"own classifier": {}, "ridge probe": {}}
    for method, curves in watched(record).items():
        found["own classifier" if method in whole else "ridge probe"][method] = curves
    return found
