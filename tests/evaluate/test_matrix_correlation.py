from itertools import combinations, permutations

import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor

from probmcl.evaluate import mantel_test, rank_correlation


def similarity(labels: int, *, seed: int, dimensions: int = 3) -> Tensor:
    points = torch.randn(labels, dimensions, generator=torch.Generator().manual_seed(seed))
    return -(points.unsqueeze(0) - points.unsqueeze(1)).norm(dim=-1)


def above(matrix: Tensor) -> list[float]:
    return [matrix[i, j].item() for i, j in combinations(range(len(matrix)), 2)]


@pytest.mark.parametrize("rounded", [False, True])
def test_correlation_is_scipys_over_pairs(rounded: bool) -> None:
    a, b = similarity(8, seed=0), similarity(8, seed=0) + 2 * similarity(8, seed=1)
    if rounded:  # ties
        a, b = a.round(), b.round()
    assert rank_correlation(a, b) == pytest.approx(spearmanr(above(a), above(b)).statistic, abs=1e-12)


def test_identical_matrices_are_as_significant_as_can_be_and_opposite_ones_not_at_all() -> None:
    for sign, p_value in ((1, 1 / 200), (-1, 1)):
        found = mantel_test(similarity(10, seed=0), sign * similarity(10, seed=0), permutations=199, seed=0)
        assert (found.correlation, found.p_value) == (pytest.approx(sign), p_value)
        assert (found.permutations, found.labels) == (199, 10)


def test_p_is_the_share_of_all_permutations() -> None:
    a, b = similarity(5, seed=0), similarity(5, seed=0) + 2 * similarity(5, seed=3)
    observed = spearmanr(above(a), above(b)).statistic
    permuted = [b[list(order)][:, list(order)] for order in permutations(range(5))]
    reached = [spearmanr(above(a), above(other)).statistic >= observed - 1e-9 for other in permuted]
    exact = sum(reached) / len(reached)
    assert 0.02 < exact < 0.98
    found = mantel_test(a, b, permutations=20_000, seed=0)
    assert found.correlation == pytest.approx(observed)
    assert found.p_value == pytest.approx(exact, abs=0.015)


def test_a_seed_repeats_in_any_number_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = similarity(6, seed=0), similarity(6, seed=1)
    whole = mantel_test(a, b, permutations=500, seed=7)
    monkeypatch.setattr("probmcl.evaluate.matrix_correlation._NUMBERS_AT_A_TIME", 36 * 7)
    assert mantel_test(a, b, permutations=500, seed=7) == whole


def test_labels_that_never_occur_are_left_out_on_both_sides() -> None:
    a, b = similarity(8, seed=0), similarity(8, seed=1)
    with_gap = b.clone()
    with_gap[3], with_gap[:, 3] = float("nan"), float("nan")
    kept = torch.tensor([0, 1, 2, 4, 5, 6, 7])
    short = mantel_test(a[kept][:, kept], b[kept][:, kept], permutations=99, seed=0)
    assert mantel_test(a, with_gap, permutations=99, seed=0) == short
    assert short.labels == 7
    assert rank_correlation(with_gap, a) == pytest.approx(short.correlation)


def test_wrong_arguments_are_named() -> None:
    a = similarity(6, seed=0)
    with pytest.raises(ValueError, match="similarity: expected 4 labels or more that occur, got 3"):
        mantel_test(similarity(3, seed=0), similarity(3, seed=1), seed=0)
    with pytest.raises(ValueError, match="other: expected similarities that differ, got 1 everywhere"):
        rank_correlation(a, torch.ones(6, 6))
    with pytest.raises(ValueError, match="similarity: expected a symmetric matrix"):
        rank_correlation(torch.arange(36.0).view(6, 6), a)
    broken = a.clone()
    broken[0, 1] = broken[1, 0] = float("nan")
    with pytest.raises(ValueError, match="other: expected NaN in whole rows and columns only"):
        rank_correlation(a, broken)
