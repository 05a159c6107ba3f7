"""A record as a table in the terminal."""

from __future__ import annotations

from rich.table import Table

from probmcl.experiment.record import Record


def comparison_table(record: Record) -> Table:
    """One line a method: mAP with its interval, other metrics, seconds, image views.

    Args:
        record: a comparison.

    Returns:
        A table for ``rich.print``.
    """
    seeds = ", ".join(str(seed) for seed in record.seeds)
    title = f"{record.data.name}: {record.data.sizes['test']:,} test images, seeds {seeds}"
    rows = [row for row in record.rows if row.seed is None]
    table = Table(title=title, caption=f"mAP with a 95 % interval: {rows[0].metrics['mAP'].how}.")
    table.add_column("method")
    for name in ("mAP", "AUROC", "CF1", "OF1", "seconds", "image views"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        others = (f"{row.metrics[name].value:.3f}" for name in ("AUROC", "CF1", "OF1"))
        table.add_row(
            row.method, f"{row.metrics['mAP']:.3f}", *others, f"{row.seconds:.1f}", f"{row.image_views:,}"
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
