import math

import pytest
import torch
from scipy.stats import norm

from probmcl.evaluate import Interval, seed_interval
from probmcl_book.claims.intervals import over_images_and_seeds

IMAGES = Interval(0.02, 0.01, 0.03, 0.95, "bootstrap")


def test_it_is_the_images_interval_where_trainings_do_not_differ() -> None:
    found = over_images_and_seeds(IMAGES, [0.02] * 5, 0.95)
    assert (found.low, found.high) == pytest.approx((0.01, 0.03))
    wider = over_images_and_seeds(IMAGES, [0.02] * 5, 0.995)
    assert wider.high - wider.value == pytest.approx(0.01 * norm.ppf(0.9975) / norm.ppf(0.975))


def test_it_is_the_seeds_interval_where_images_say_nothing() -> None:
    seeds, exact = [0.01, 0.02, 0.06], Interval(0.03, 0.03, 0.03, 0.95, "bootstrap")
    expected = seed_interval(seeds, level=0.9)
    found = over_images_and_seeds(exact, seeds, 0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_one_training_has_no_spread_and_so_no_interval() -> None:
    assert math.isnan(over_images_and_seeds(IMAGES, [0.02], 0.95).low)


@pytest.mark.parametrize("of_seeds", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("seeds", [3, 5])
def test_the_truth_lies_within_about_as_often_as_promised(seeds: int, of_seeds: float) -> None:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(2000, 1, generator=generator)
    covered = 0
    for drawn in (images + of_seeds * torch.randn(2000, seeds, generator=generator)).tolist():
        mean, half = sum(drawn) / seeds, norm.ppf(0.975)
        found = over_images_and_seeds(Interval(mean, mean - half, mean + half, 0.95, ""), drawn, 0.95)
        covered += found.low <= 0 <= found.high
    assert 0.935 <= covered / 2000 <= 0.985
