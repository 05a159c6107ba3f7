"""A record as a table in the terminal."""

from __future__ import annotations

from rich.table import Table

from probmcl.experiment.record import Record

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
    for name in (*METRICS, "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        first, *others = (row.metrics[name] for name in METRICS)
        table.add_row(
            row.method, f"{first:.3f}", *(f"{found.value:.3f}" for found in others), f"{row.seconds:.0f}"
        )
    return table


def difference_lines(record: Record) -> list[str]:
    """One sentence a difference of the record.

    Returns:
        Such as "ProbMCL - BCE: mAP +0.004 [-0.003, +0.011]".
    """
    return [
        f"{found.method} - {found.against}: {found.metric} {found.interval:+.3f}"
        for found in record.differences
    ]
