"""A record as a table in the terminal."""

from __future__ import annotations

import math

from rich.table import Table

from probmcl_book.records.record import Difference, Record

METRICS = ("mAP", "AUROC", "CF1", "OF1")


def comparison_table(record: Record) -> Table:
    """One line a method: mAP with its interval, other metrics, seconds of training.

    Args:
        record: a comparison.

    Returns:
        A table for ``rich.print``.
    """
    seeds = ", ".join(str(seed) for seed in record.seeds)
    title = f"{record.data.name}: {record.data.sizes['test']:,} test images, seeds {seeds}"
    rows = [row for row in record.rows if row.seed is None]
    views = max(row.image_views for row in rows)
    how = rows[0].metrics["mAP"].how
    table = Table(title=title, caption=f"{views:,} image views a method. mAP with a 95 % interval: {how}.")
    table.add_column("method", no_wrap=True)
    for name in (*METRICS, "s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        first, *others = (row.metrics[name] for name in METRICS)
        table.add_row(
            row.method, f"{first:.3f}", *(f"{found.value:.3f}" for found in others), f"{row.seconds:.0f}"
        )
    return table


def verdict(difference: Difference) -> str:
    """What a difference with its interval lets us say, in one sentence, and no more.

    Args:
        difference: with an interval; without one, nothing is said of which is higher.

    Example:
        >>> from probmcl.evaluate import Interval
        >>> verdict(Difference("A", "B", "mAP", Interval(0.02, 0.01, 0.03, 0.95, "bootstrap")))
        'A is above B: mAP +0.020 [+0.010, +0.030].'
        >>> verdict(Difference("A", "B", "mAP", Interval(0.02, -0.01, 0.05, 0.95, "bootstrap")))
        'A and B cannot be told apart: mAP +0.020 [-0.010, +0.050].'
    """
    found = difference.interval
    if math.isnan(found.low):
        return (
            f"{difference.method} less {difference.against}, without an interval: "
            f"{difference.metric} {found:+.3f}."
        )
    relation = "is above" if found.low > 0 else "is below"
    subject = f"{difference.method} {relation} {difference.against}"
    if found.low <= 0 <= found.high:
        subject = f"{difference.method} and {difference.against} cannot be told apart"
    return f"{subject}: {difference.metric} {found:+.3f}."
