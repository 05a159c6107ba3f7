"""The benchmarks as a table."""

from probmcl_book.bench.cases import CASES, Goal
from probmcl_book.records.record import Record, Row
from probmcl_book.records.table import Cell, Table


def bench_table(record: Record) -> Table:
    """One line per side of a case: its cost, how it compares with the other side, the figures to reach."""
    rows: list[list[Cell]] = []
    for name in (name for name in CASES if name in record.recipe["sizes"]):
        words = " ".join(f"{key} {value:,}" for key, value in record.recipe["sizes"][name].items())
        sides = [row for row in record.rows if row.method.startswith(f"{name}: ")]
        for row in sides:
            figures = [row.metrics.get(key) for key in ("seconds", "growth_mib", "speed", "memory")]
            goals = [f"{goal}: {_reached(goal, row)}" for goal in CASES[name].goals]
            beside = [words, "; ".join(goals)] if row is sides[0] else ["", ""]
            rows.append([row.method, beside[0], *figures, beside[1]])
        if not sides:
            rows.append([name, words, *[None] * 4, "not run on a GPU yet"])
    hardware = record.hardware
    return Table(
        rows,
        ["case: side", "sizes", "seconds", "MiB", "times as fast", "times as small", "asked for"],
        "Forward and backward pass: median seconds, and by how much memory grew. "
        f"{hardware.cpu}, {hardware.threads} threads, {hardware.device}, torch {hardware.torch}.",
    )


def _reached(goal: Goal, ours: Row) -> str:
    """Whether a figure is reached, in a word or two; a ratio needs the alternative beside it."""
    metric = {"growth": "growth_mib", "time": "speed"}.get(goal.ratio, goal.ratio)
    if metric not in ours.metrics:
        return "not compared"
    found = ours.metrics[metric].value
    return "yes" if goal.reached(1 / found if goal.ratio == "time" else found) else "no"
