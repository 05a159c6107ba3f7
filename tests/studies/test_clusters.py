import math

import pytest
import torch

from probmcl_book.studies.clusters import clustered_mean


def test_values_on_their_own_have_the_usual_standard_error() -> None:
    values = torch.randn(500, generator=torch.Generator().manual_seed(0))
    found = clustered_mean(values, torch.arange(500).flip(0))
    error = values.double().std(correction=0).item() / math.sqrt(500)
    assert found.high - found.value == pytest.approx(1.959964 * error)
    assert found.value - found.low == pytest.approx(1.959964 * error)


def test_to_repeat_every_value_changes_nothing() -> None:
    values = torch.rand(60, generator=torch.Generator().manual_seed(1))
    once = clustered_mean(values, torch.arange(60))
    thrice = clustered_mean(values.repeat(3), torch.arange(60).repeat(3))
    assert (thrice.value, thrice.low, thrice.high) == pytest.approx((once.value, once.low, once.high))


def test_the_interval_covers_the_truth_about_as_often_as_promised() -> None:
    generator = torch.Generator().manual_seed(2)
    clusters = torch.arange(100).repeat_interleave(torch.arange(100) % 5 + 1)
    covered = 0
    for _ in range(300):
        shared = torch.randn(100, generator=generator)[clusters]
        values = shared + torch.randn(len(clusters), generator=generator)
        found = clustered_mean(values, clusters)
        covered += found.low <= 0 <= found.high
    assert 271 <= covered <= 298  # 285 +- 3.5 standard errors


@pytest.mark.parametrize(
    ("values", "clusters", "message"),
    [
        ([1.0, math.nan], [0, 1], "values: expected finite"),
        ([1.0, 1.0, 1.0], [0, 1], "clusters: expected"),
        ([1.0, 2.0, 3.0], [0, 0, 0], "clusters: expected at least 2, got 1"),
    ],
)
def test_bad_input_is_named(values: list[float], clusters: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clustered_mean(torch.tensor(values), torch.tensor(clusters))
