"""Is a default a good one? The rule of chapter 12, applied to a study around it, on validation alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean, stdev

from probmcl.evaluate import Interval
from probmcl_book.records.record import Record
from probmcl_book.studies import in_group, mean_of, study_in

VALIDATION = "validation mAP"
IDLE = 1.1
"""Effective number of components below which a mixture counts as a single Gaussian."""


def validation_gains(record: Record) -> dict[str, Interval]:
    """How much higher each setting is than the default on validation, plus and minus two standard errors.

    The record is of a study with one group, whose reference is the default.

    The gains are means over the seeds of both, by setting; without bounds where there is one seed.
    """
    default, found = study_in(record).reference, in_group(record)
    values: dict[str, dict[int, float]] = {}
    for row in found.rows:
        if row.seed is not None:
            values.setdefault(row.method, {})[row.seed] = row.metrics[VALIDATION].value
    base = values.pop(default, {})
    return {
        setting: _two_standard_errors([ours[seed] - base[seed] for seed in ours if seed in base])
        for setting, ours in values.items()
        if set(ours) & set(base)
    }


def components_in_use(record: Record, setting: str) -> float:
    """The effective number of components of a setting: the exponential of its mean weight entropy.

    It is at least 1, and NaN for a setting without a mixture.
    """
    entropy = mean_of(in_group(record), setting).metrics.get("weight entropy")
    return math.nan if entropy is None else math.exp(entropy.value)


def replaces_default(records: Mapping[str, Record]) -> dict[str, str]:
    """The settings that the rule would put in the default's place, each with the reason.

    A setting replaces the default if it is better on validation in every world by more than two standard
    errors over seeds; or if the default leaves one component in use and the setting does not, and is no
    worse, in every world.

    ``records`` are of one study, in every world that the rule asks for; nothing is returned if the default
    stays.
    """
    if not records:
        raise ValueError("records: expected one or more, got none")
    gains = {world: validation_gains(record) for world, record in records.items()}
    default = study_in(next(iter(records.values()))).reference
    shared = [name for name in next(iter(gains.values())) if all(name in found for found in gains.values())]
    idle = all(components_in_use(record, default) < IDLE for record in records.values())
    reasons = {}
    for setting in shared:
        each = [found[setting] for found in gains.values()]
        busy = all(components_in_use(record, setting) >= IDLE for record in records.values())
        if all(gain.low > 0 for gain in each):
            reasons[setting] = "better on validation by more than two standard errors"
        elif idle and busy and all(gain.high >= 0 for gain in each):
            reasons[setting] = "no worse, and uses more than one component"
    return reasons


def _two_standard_errors(differences: list[float]) -> Interval:
    mean = fmean(differences)
    if len(differences) < 2:
        return Interval(mean)
    reach = 2 * stdev(differences) / math.sqrt(len(differences))
    how = f"two standard errors over {len(differences)} seeds"
    return Interval(mean, mean - reach, mean + reach, math.nan, how)
