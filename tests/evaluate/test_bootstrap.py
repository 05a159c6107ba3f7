"""Intervals: the weighted way equals the slow one, and both cover what they promise."""

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from probmcl.evaluate import (
    Interval,
    auroc,
    average_precision,
    bootstrap_interval,
    jackknife_interval,
    mean_auroc,
    mean_average_precision,
    paired_bootstrap_difference,
    seed_interval,
)
from probmcl.evaluate.bootstrap import _weighted_auroc, _weighted_average_precision


def scored_images(rows: int, *, seed: int = 0, ties: bool = False) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = (torch.rand(rows, 3, generator=generator) < 0.3).byte()
    scores = torch.randn(rows, 3, generator=generator) + labels
    return (scores.round() if ties else scores), labels


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(
    ("weighted", "oracle"),
    [(_weighted_average_precision, average_precision_score), (_weighted_auroc, roc_auc_score)],
)
def test_weights_give_what_scikit_learn_gives(weighted: Any, oracle: Any, ties: bool) -> None:
    scores, labels = scored_images(30, ties=ties)
    weights = torch.randint(0, 4, (5, 30), generator=torch.Generator().manual_seed(1)).double()
    values = weighted(weights, scores[:, 0], labels[:, 0].bool())
    for value, row in zip(values.tolist(), weights, strict=True):
        expected = oracle(labels[:, 0].numpy(), scores[:, 0].numpy(), sample_weight=row.numpy())
        assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "by_class"), [(mean_average_precision, average_precision), (mean_auroc, auroc)]
)
def test_fast_and_slow_resamples_are_the_same(metric: Any, by_class: Any) -> None:
    # one class is so rare that some resamples lose its only positive
    scores, labels = scored_images(40, ties=True)
    labels[:, 2] = torch.arange(40) == 7
    by_hand = lambda s, y: by_class(s, y).nanmean().item()  # noqa: E731
    fast, slow = (bootstrap_interval(m, scores, labels, resamples=50, seed=4) for m in (metric, by_hand))
    assert (fast.value, fast.low, fast.high) == pytest.approx((slow.value, slow.low, slow.high), abs=1e-12)


@pytest.mark.parametrize("value", [1, np.float64(0.5), np.array(0.5), torch.tensor(0.5)])
def test_a_metric_may_return_any_number_and_one_image_is_enough(value: Any) -> None:
    found = bootstrap_interval(lambda s, y: value, *scored_images(1), resamples=3, seed=0)
    assert (found.low, found.value, found.high) == (value, value, value)


@pytest.mark.parametrize("value", ["half", None, torch.rand(2)])
def test_a_metric_that_returns_no_number_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match="metric: expected a function that returns a number, got"):
        bootstrap_interval(lambda s, y: value, *scored_images(9), resamples=3, seed=0)


def test_the_interval_is_as_wide_as_it_should_be() -> None:
    """For the mean of one 0/1 label the bootstrap must find the binomial's standard error."""
    labels = (torch.arange(400) < 100).byte()[:, None]
    mean = lambda s, y: y.double().mean().item()  # noqa: E731
    interval = bootstrap_interval(mean, labels.double(), labels, resamples=2000, seed=0)
    error = 1.96 * math.sqrt(0.25 * 0.75 / 400)
    assert interval.value == 0.25
    assert interval.low == pytest.approx(0.25 - error, abs=0.005)
    assert interval.high == pytest.approx(0.25 + error, abs=0.005)


def test_seed_and_level() -> None:
    drawn = partial(bootstrap_interval, mean_average_precision, *scored_images(100), resamples=200)
    first, again, other = (drawn(seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    half = drawn(level=0.5, seed=1)
    assert first.low < half.low < half.high < first.high


def test_pairing_removes_what_both_systems_share() -> None:
    scores, labels = scored_images(300)
    noise = torch.randn(scores.shape, generator=torch.Generator().manual_seed(9))
    other = scores + 0.1 * noise
    paired = paired_bootstrap_difference(mean_average_precision, scores, other, labels, resamples=300, seed=0)
    one = bootstrap_interval(mean_average_precision, scores, labels, resamples=300, seed=0)
    two = bootstrap_interval(mean_average_precision, other, labels, resamples=300, seed=1)
    assert paired.value == pytest.approx(one.value - two.value)
    assert paired.low < paired.value < paired.high
    unpaired_width = math.hypot(one.high - one.low, two.high - two.low)
    assert paired.high - paired.low < 0.5 * unpaired_width


def test_a_system_does_not_differ_from_itself() -> None:
    scores, labels = scored_images(100)
    same = paired_bootstrap_difference(mean_auroc, scores, scores.clone(), labels, resamples=50, seed=0)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    better = paired_bootstrap_difference(mean_auroc, scores + labels, scores, labels, resamples=50, seed=0)
    assert better.low > 0  # the sign: the first minus the other


def test_undefined_metrics_have_no_interval() -> None:
    never = torch.rand(5, 2), torch.zeros(5, 2)
    undefined = bootstrap_interval(mean_average_precision, *never, resamples=5, seed=0)
    assert all(map(math.isnan, (undefined.value, undefined.low, undefined.high)))


def test_seed_interval_equals_scipy() -> None:
    values = [0.91, 0.93, 0.90, 0.95]
    interval = seed_interval(values, level=0.9)
    low, high = stats.t.interval(0.9, 3, loc=sum(values) / 4, scale=stats.sem(values))
    assert (interval.value, interval.low, interval.high) == pytest.approx((sum(values) / 4, low, high))
    assert interval.how == "t-interval over 4 seeds"
    assert seed_interval([0.5, 0.5]) == Interval(0.5, 0.5, 0.5, 0.95, "t-interval over 2 seeds")


class TestJackknife:
    @staticmethod
    def draw(images: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        labels = torch.rand(images, 4, generator=generator) < torch.tensor([0.1, 0.2, 0.3, 0.4])
        return torch.randn(images, 4, generator=generator) + 1.3 * labels, labels.int()

    def test_it_holds_the_truth_about_as_often_as_promised_on_a_hundred_images(self) -> None:
        """The percentile interval does so in 88 % of these cases."""
        generator = torch.Generator().manual_seed(0)
        truth = mean_average_precision(*self.draw(200_000, generator))
        covered = 0
        for seed in range(300):
            drawn = self.draw(100, generator)
            found = jackknife_interval(mean_average_precision, *drawn, groups=50, seed=seed)
            covered += found.low <= truth <= found.high
        assert 0.92 <= covered / 300 <= 0.98

    def test_a_metric_that_is_no_sum_of_weights_leaves_out_the_same_images(self) -> None:
        scores, labels = self.draw(30, torch.Generator().manual_seed(1))
        fast = jackknife_interval(mean_auroc, scores, labels, groups=7, seed=2)
        slow = jackknife_interval(lambda s, y: mean_auroc(s, y), scores, labels, groups=7, seed=2)
        assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high))
        assert fast.how == "jackknife over images, 7 groups"

    def test_what_cannot_be_is_named(self) -> None:
        scores, labels = self.draw(9, torch.Generator().manual_seed(1))
        with pytest.raises(ValueError, match=r"metric: expected values in \[0, 1\] on two images or more"):
            jackknife_interval(lambda s, y: 2.0, scores, labels, seed=0)
        with pytest.raises(ValueError, match="groups: expected"):
            jackknife_interval(mean_auroc, scores, labels, groups=1, seed=0)
