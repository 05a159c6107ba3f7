"""Reading a study's record: its plan, its runs, one group of it, one difference of it."""

from dataclasses import replace

from probmcl import _check
from probmcl.evaluate import Interval
from probmcl_book.records.record import Record, Row
from probmcl_book.studies.design import Study


def study_in(record: Record) -> Study:
    """The study as it was planned when it was recorded."""
    _check.one_of("record.kind", record.kind, ("study",))
    return Study.from_dict(record.recipe)


def recorded_runs(record: Record) -> int:
    """How many runs of the report a record holds, without tuning and without probes of the start."""
    trained = {trial.name for trial in study_in(record).trials if trial.recipe.methods}
    return sum(row.seed is not None and row.method in trained for row in record.rows)


def in_group(record: Record, group: str = "") -> Record:
    """The report of one group, with settings for methods: nothing of the tuning, nothing of other groups."""
    study = study_in(record)
    settings = {trial.name: trial.setting for trial in study.trials if trial.group == group}
    rows = [replace(row, method=settings[row.method]) for row in record.rows if row.method in settings]
    if not rows:
        groups = dict.fromkeys(trial.group for trial in study.trials)
        raise ValueError(f"group: {record.name} has runs in {', '.join(map(repr, groups))}, got {group!r}")
    differences = [
        replace(found, method=settings[found.method], against=settings[found.against])
        for found in record.differences
        if found.method in settings and found.against in settings
    ]
    seeds = tuple(sorted({row.seed for row in rows if row.seed is not None}))
    return replace(record, rows=rows, differences=differences, seeds=seeds)


def mean_of(record: Record, setting: str) -> Row:
    """The row over seeds of a setting."""
    means = {row.method: row for row in record.rows if row.seed is None}
    return means[_check.one_of("setting", setting, means)]


def difference_of(record: Record, setting: str, against: str, metric: str = "mAP") -> Interval | None:
    """How much higher one setting is than another; None where the record compares them neither way round.

    ``metric`` is "mAP" for the interval over images, "mAP over seeds" and the like for that over seeds.
    """
    for found in record.differences:
        one, pair = found.interval, (found.method, found.against)
        if found.metric == metric and pair == (setting, against):
            return one
        if found.metric == metric and pair == (against, setting):
            return replace(one, value=-one.value, low=-one.high, high=-one.low)
    return None
