"""What the study of uncertainty lets us say about the word "epistemic"."""

from __future__ import annotations

from probmcl.evaluate import Interval
from probmcl.evaluate.uncertainty import BETWEEN
from probmcl.experiment.doubts import AT_THRESHOLDS
from probmcl.experiment.record import Record

UNFAMILIAR = ("unseen symbols AUROC", "held-out theme AUROC")


def epistemic_verdict(record: Record, score: str = BETWEEN) -> str:
    """Say whether a score behaves as epistemic uncertainty should: numbers, scope, what would change it.

    Doubt that comes from what a model has not seen should know the unfamiliar better than the classifier's
    entropy does (the difference of AUROC lies above 0), and shrink with more data (the growth with fewer
    images lies above 1).

    Args:
        record: from :func:`~probmcl.experiment.run_uncertainty`.
        score: one that the record compares.

    Raises:
        ValueError: if the record does not compare the score.
    """
    gains = {d.metric: d.interval for d in record.differences if d.method == score}
    if not gains:
        compared = dict.fromkeys(difference.method for difference in record.differences)
        raise ValueError(f"score: expected one of {', '.join(compared)}, got {score!r}")
    found = {row.method: row.metrics for row in record.rows if row.seed is None}
    growth = found[score]["growth"]
    passed = {metric: gains[metric].low > 0 for metric in UNFAMILIAR}
    passed["growth"] = growth.low > 1
    met = sum(passed.values())
    earned = {0: "does not earn", len(passed): "earns"}.get(met, "does not fully earn")
    clauses = [
        f"its AUROC for {metric.removesuffix(' AUROC')} is {found[score][metric]:.2f}, "
        f"{_against(gains[metric])} the {AT_THRESHOLDS}"
        for metric in UNFAMILIAR
    ]
    clauses.append(f"with fewer training images it is {growth:.2f} times as large")
    sizes = record.data.sizes
    scope = f"On {record.data.name} ({sizes['train']:,} training scenes, {len(record.seeds)} seeds)"
    return f"{scope}, {score} {earned} the word epistemic: {'; '.join(clauses)}. {_missing(passed)}"


def _against(gain: Interval) -> str:
    if gain.low <= 0 <= gain.high:
        return f"not told apart ({gain:+.2f}) from"
    return f"{'above' if gain.low > 0 else 'below'} ({gain:+.2f})"


def _missing(passed: dict[str, bool]) -> str:
    """What a reader would have to see to change the verdict."""
    wanted = {
        **{
            metric: f"an interval above 0 for the gain on {metric.removesuffix(' AUROC')}"
            for metric in UNFAMILIAR
        },
        "growth": "a growth whose interval lies above 1",
    }
    missing = [words for metric, words in wanted.items() if not passed[metric]]
    if not missing:
        return "Any of these intervals reaching 0, or 1 for the last, would change it."
    return f"What would change it: {' and '.join(missing)}."
