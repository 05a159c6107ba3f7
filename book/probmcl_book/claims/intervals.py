"""The interval behind a verdict: over test images and over trainings at once, read from a record.

A record holds no scores of single images, so seeds and images cannot be drawn together again; and a bootstrap
that draws three seeds is too narrow in any case (its 95 % hold the truth in 79 % of simulated studies whose
trainings differ much more than images do; with five seeds in 89 %). So the half-width over images, of a
normal interval, and that over seeds, of a t interval, are joined at right angles: the root of the sum of
their squares. In the same simulations these 95 % hold the truth in 95 to 98 %.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from scipy.stats import norm

from probmcl.evaluate import Interval, seed_interval
from probmcl_book.records.record import Record
from probmcl_book.studies import difference_of


def over_images_and_seeds(over_images: Interval, per_seed: Sequence[float], level: float) -> Interval:
    """The interval of a number that is known over images, and once per training on the same images.

    Without a spread over trainings, from fewer than two seeds, there is none.

    >>> images = Interval(0.02, 0.01, 0.03, 0.95, "bootstrap over images")
    >>> print(f"{over_images_and_seeds(images, [0.01, 0.02, 0.03], 0.95):.3f}")
    0.020 [-0.007, 0.047]
    """
    if len(per_seed) < 2:
        return Interval(over_images.value)
    wider = norm.ppf((1 + level) / 2) / norm.ppf((1 + over_images.level) / 2)
    of_images = float(wider) * (over_images.high - over_images.low) / 2
    over_seeds = seed_interval(per_seed, level=level)
    half = math.hypot(of_images, (over_seeds.high - over_seeds.low) / 2)
    value, how = over_images.value, f"over images and {len(per_seed)} seeds"
    return Interval(value, value - half, value + half, level, how)


def gain(record: Record, setting: str, against: str, level: float) -> Interval | None:
    """How much higher one setting's mAP is than another's; None where the record does not compare them."""
    found = difference_of(record, setting, against)
    if found is None:
        return None
    return over_images_and_seeds(found, per_seed_gains(record, setting, against, "mAP"), level)


def gain_over_seeds(record: Record, setting: str, against: str, metric: str, level: float) -> Interval:
    """The difference of a metric that no test image enters; NaN without a common seed."""
    found = per_seed_gains(record, setting, against, metric)
    if len(found) < 2:
        return Interval(found[0] if found else math.nan)
    return replace(seed_interval(found, level=level), how=f"over {len(found)} seeds")


def per_seed(record: Record, setting: str, metric: str) -> dict[int, float]:
    """A metric of a setting by seed."""
    rows = (row for row in record.rows if row.method == setting and row.seed is not None)
    return {row.seed: row.metrics[metric].value for row in rows if row.seed is not None}


def per_seed_gains(record: Record, setting: str, against: str, metric: str) -> list[float]:
    """How much higher a setting is than another, for every seed that both have."""
    ours, theirs = (per_seed(record, name, metric) for name in (setting, against))
    return [value - theirs[seed] for seed, value in ours.items() if seed in theirs]
