"""Is a default a good one? The rule of chapter 12, applied to a study around it, on validation alone."""

import math
from collections.abc import Mapping
from statistics import fmean, stdev

from probmcl.evaluate import Interval
from probmcl_book.claims.intervals import per_seed_gains
from probmcl_book.records.record import Record
from probmcl_book.studies import in_group, mean_of, study_in

IDLE = 1.1  #: effective number of components below which a mixture counts as a single Gaussian


def validation_gains(record: Record) -> dict[str, Interval]:
    """How much higher than the default each setting is on validation, with two standard errors if it has."""
    default, found = study_in(record).reference, in_group(record)
    settings = dict.fromkeys(row.method for row in found.rows if row.method != default)
    gains = {setting: per_seed_gains(found, setting, default, "validation mAP") for setting in settings}
    return {setting: _two_standard_errors(each) for setting, each in gains.items() if each}


def components_in_use(record: Record, setting: str) -> float:
    """The exponential of a setting's mean weight entropy: from 1 on, and NaN without a mixture."""
    entropy = mean_of(in_group(record), setting).metrics.get("weight entropy")
    return math.nan if entropy is None else math.exp(entropy.value)


def replaces_default(records: Mapping[str, Record]) -> dict[str, str]:
    """The settings that the rule puts in the default's place, with the reason that holds in every world."""
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
