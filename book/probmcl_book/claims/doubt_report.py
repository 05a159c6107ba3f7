"""What the study of uncertainty lets us say about the word "epistemic"."""

from __future__ import annotations

from probmcl.evaluate import Interval
from probmcl.evaluate.uncertainty import BETWEEN
from probmcl_book.claims.findings import NOT_REPRODUCED, PARTLY, REPRODUCED, Finding, scope
from probmcl_book.records.record import Record
from probmcl_book.studies import mean_of
from probmcl_book.studies.doubts import AT_THRESHOLDS

UNFAMILIAR = ("unseen symbols AUROC", "held-out theme AUROC")

_EARNED = {REPRODUCED: "earns", PARTLY: "does not fully earn", NOT_REPRODUCED: "does not earn"}


def epistemic_finding(record: Record, score: str = BETWEEN) -> Finding:
    """Say by the rule of chapter 12 whether a score earns the word epistemic: does it know the unfamiliar?

    The score is compared with the classifier's entropy, by the difference of AUROC, on two kinds of
    unfamiliar images. It is "reproduced" if the difference lies above 0 for both; "not reproduced" if it lies
    below 0 for both, or if the score may be at chance on both; "partly" otherwise. What more data do to the
    score is told and decides nothing, as a variance has a scale of its own in each training.
    """
    gains, own = _gains(record, score), mean_of(record, score).metrics
    worse, chance = (gain.high < 0 for gain in gains.values()), (own[metric].low <= 0.5 for metric in gains)
    status = PARTLY
    if all(gain.low > 0 for gain in gains.values()):
        status = REPRODUCED
    elif all(worse) or all(chance):
        status = NOT_REPRODUCED
    clauses = [
        f"its AUROC for {_kind(metric)} is {own[metric]:.2f}, {_against(gain)} the {AT_THRESHOLDS}"
        for metric, gain in gains.items()
    ]
    clauses.append(f"with fewer training images it is {own['growth']:.2f} times as large")
    earned = f"{score} {_EARNED[status]} the word epistemic"
    sentence = f"{scope(record)}, {earned}: {'; '.join(clauses)}."
    return Finding(status, sentence, _change(gains), (record.name,))


def _gains(record: Record, score: str) -> dict[str, Interval]:
    """By how much the score is above the entropy, for both kinds of unfamiliar images."""
    gains = {d.metric: d.interval for d in record.differences if d.method == score}
    if not gains:
        compared = dict.fromkeys(difference.method for difference in record.differences)
        raise ValueError(f"score: expected one of {', '.join(compared)}, got {score!r}")
    return {metric: gains[metric] for metric in UNFAMILIAR}


def _kind(metric: str) -> str:
    return metric.removesuffix(" AUROC")


def _against(gain: Interval) -> str:
    if gain.low <= 0 <= gain.high:
        return f"not told apart ({gain:+.2f}) from"
    return f"{'above' if gain.low > 0 else 'below'} ({gain:+.2f})"


def _change(gains: dict[str, Interval]) -> str:
    """What a reader would have to see to change the verdict."""
    wanted = [_kind(metric) for metric, gain in gains.items() if gain.low <= 0]
    if not wanted:
        return "It would change if either interval reached 0."
    return f"It would change with an interval above 0 for the gain on {' and on '.join(wanted)}."
