"""The benchmarks as a table in the terminal."""

from __future__ import annotations

from rich.table import Table

from probmcl_book.bench.cases import CASES, Goal
from probmcl_book.records.record import Record, Row


def bench_table(record: Record) -> Table:
    """One line a case: time and memory of both sides, their ratios, and the figures to reach.

    Args:
        record: made by :func:`~probmcl_book.bench.run_benchmarks`.

    Returns:
        A table for ``rich.print``.
    """
    hardware = record.hardware
    title = f"{hardware.cpu}, {hardware.threads} threads, {hardware.device}, torch {hardware.torch}"
    table = Table(
        title=title, caption="Median seconds; growth of the resident set in MiB; forward and backward."
    )
    for column in ("case", "sizes", "s", "MiB", "against", "s", "MiB", "faster", "smaller", "goal"):
        table.add_column(column, justify="right" if column in ("s", "MiB", "faster", "smaller") else "left")
    for name, sizes in record.recipe["sizes"].items():
        rows = [row for row in record.rows if row.method.startswith(f"{name}: ")]
        words = " ".join(f"{key} {value}" for key, value in sizes.items())
        if not rows:
            table.add_row(name, words, "not run on a GPU yet")
            continue
        ours, theirs = rows[0], rows[1] if len(rows) > 1 else None
        goals = ", ".join(f"{goal}: {_reached(goal, ours)}" for goal in CASES[name].goals)
        table.add_row(
            name,
            words,
            *_cost(ours),
            *(("", "", "") if theirs is None else (theirs.method.split(": ", 1)[1], *_cost(theirs))),
            *("" if theirs is None else f"{ours.metrics[key].value:.1f}x" for key in ("speed", "memory")),
            goals,
        )
    return table


def _cost(row: Row) -> tuple[str, str]:
    return f"{row.metrics['seconds'].value:.3g}", f"{row.metrics['growth_mib'].value:,.0f}"


def _reached(goal: Goal, ours: Row) -> str:
    """Whether a figure is reached, in a word or two; a ratio needs the alternative beside it."""
    metric = {"growth": "growth_mib", "time": "speed"}.get(goal.ratio, goal.ratio)
    if metric not in ours.metrics:
        return "not compared"
    found = ours.metrics[metric].value
    return "yes" if goal.reached(1 / found if goal.ratio == "time" else found) else "no"
