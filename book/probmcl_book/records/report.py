"""A record in words and as a table."""

import math

from probmcl_book.records.record import Difference, Record, Row
from probmcl_book.records.table import Table

METRICS = ("mAP", "AUROC", "CF1", "OF1")


def over_seeds(record: Record) -> dict[str, Row]:
    """The rows over all seeds, by method, in the order of the record."""
    return {row.method: row for row in record.rows if row.seed is None}


def comparison_table(record: Record, *, what: str | None = None, interval: str = "mAP") -> Table:
    """One line per method: its metrics, one of them with its interval, and seconds of training.

    ``what`` was tested stands in the caption, data set and sizes if not given; ``interval`` is the metric
    that is shown with its interval.
    """
    rows = over_seeds(record)
    names = [name for name in METRICS if all(name in row.metrics for row in rows.values())]
    if what is None:
        views = max(row.image_views for row in rows.values())
        tested = f"{record.data.sizes['test']:,} test images"
        what = f"{record.data.name}: {tested}, {views:,} image views per method"
    seeds = f"{len(record.seeds)} seed{'s' if len(record.seeds) > 1 else ''}"
    how = next(iter(rows.values())).metrics[interval].how
    cells = [
        [row.metrics[name] if name == interval else row.metrics[name].value for name in names]
        for row in rows.values()
    ]
    return Table(
        [[name, *found, round(rows[name].seconds)] for name, found in zip(rows, cells, strict=True)],
        ["method", *names, "seconds"],
        f"{what}, mean over {seeds}; {interval} with its 95 % interval ({how}).",
        highlight={} if record.recipe.get("limit") else dict.fromkeys(names, "max"),  # a part ranks nobody
    )


def verdict(difference: Difference) -> str:
    """What a difference with its interval lets us say, in one sentence, and no more.

    Without an interval, nothing is said of which is higher.

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
