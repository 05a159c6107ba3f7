"""Do two similarities of the same labels agree? Rank correlation, with a test and an interval over labels.

The K (K - 1) / 2 pairs of K labels are not independent: each label is part of K - 1 of them. So nothing here
treats pairs as a sample. The test permutes *labels* (N. Mantel, "The detection of disease clustering and a
generalized regression approach", Cancer Research, 1967) and the interval resamples *labels* (T. Snijders and
S. Borgatti, "Non-parametric standard errors and tests for network statistics", Connections, 1999).

Labels that have no similarity to any other (NaN), because they never occur, are left out on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from scipy.stats import rankdata
from torch import Tensor

from probmcl import _check as check
from probmcl.evaluate.bootstrap import Interval, check_level, percentile_interval
from probmcl.evaluate.topology import symmetric

FEWEST_LABELS = 4  # three labels have three pairs and six permutations: no test
_SAME = 1e-12  # correlations that differ by rounding alone
_NUMBERS_AT_A_TIME = 2**21


def rank_correlation(similarity: Tensor, other: Tensor) -> float:
    """Return Spearman's rank correlation of two similarity matrices over their pairs of labels.

    Args:
        similarity: (K, K) symmetric; rows and columns of NaN are labels to leave out.
        other: (K, K) likewise, of the same labels.

    Raises:
        ValueError: if shapes differ, a matrix is not symmetric, fewer than four labels remain, NaN remains,
            or all pairs of a matrix are equal.

    Example:
        >>> similarity = torch.tensor([[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0.0]])
        >>> rank_correlation(similarity, -similarity)
        -1.0
    """
    return _correlate(*_compared(similarity, other))


def rank_correlation_interval(
    similarity: Tensor, other: Tensor, *, resamples: int = 1000, level: float = 0.95, seed: int
) -> Interval:
    """Return :func:`rank_correlation` with a bootstrap interval over labels.

    A resample draws as many labels as there are, with replacement, and correlates the pairs among them; a
    pair of two copies of one label is left out, for it says nothing. With few labels the interval is
    rough: it tells what hangs on single labels, and the test of "no relation" is :func:`mantel_test`.

    Args:
        similarity: as in :func:`rank_correlation`.
        other: likewise.
        resamples: number of resamples, at least 1; those with fewer than four different labels are left out.
        level: coverage in (0, 1).
        seed: the same seed draws the same labels.

    Raises:
        ValueError: as :func:`rank_correlation`, and for ``resamples`` < 1, a level outside (0, 1), a negative
            seed.

    Example:
        >>> similarity = torch.tensor([[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0.0]])
        >>> print(f"{rank_correlation_interval(similarity, similarity, resamples=50, seed=0):.1f}")
        1.0 [1.0, 1.0]
    """
    check_level(level)
    a, b = _compared(similarity, other)
    found = [
        _correlate(a, b, labels)
        for labels in _draws(len(a), check.count("resamples", resamples), check.count("seed", seed, low=0))
        if len(set(labels.tolist())) >= FEWEST_LABELS
    ]
    values = torch.tensor(found or [float("nan")], dtype=torch.float64)
    return percentile_interval(_correlate(a, b), values, level, over="labels")


@dataclass(frozen=True)
class MantelTest:
    """Whether two similarities of the same labels go together more than chance.

    Attributes:
        correlation: Spearman's rank correlation over pairs of labels.
        p_value: share of permutations with at least this correlation, the observed order counted as one:
            (1 + hits) / (1 + permutations). One-sided.
        permutations: number of random permutations.
        labels: number of labels compared.
    """

    correlation: float
    p_value: float
    permutations: int
    labels: int


def mantel_test(similarity: Tensor, other: Tensor, *, permutations: int = 9999, seed: int) -> MantelTest:
    """Test whether two similarities of the same labels go together, by exchanging the labels of one.

    Args:
        similarity: as in :func:`rank_correlation`.
        other: likewise.
        permutations: number of random permutations, at least 1.
        seed: the same seed draws the same permutations.

    Raises:
        ValueError: as :func:`rank_correlation`, and for ``permutations`` < 1 or a negative seed.

    Example:
        >>> points = torch.randn(10, 2, generator=torch.Generator().manual_seed(0))
        >>> near = -torch.cdist(points, points)
        >>> found = mantel_test(near, near, permutations=99, seed=0)
        >>> round(found.correlation, 6), found.p_value
        (1.0, 0.01)
    """
    a, b = _compared(similarity, other)
    k = len(a)
    # To permute labels permutes pairs, so ranks are taken once and a correlation is a sum of products.
    left, right = _standard_ranks(a), _standard_ranks(b)
    observed = (left * right).sum() / 2
    generator = torch.Generator().manual_seed(check.count("seed", seed, low=0))
    hits, left_to_do = 0, check.count("permutations", permutations)
    while left_to_do:
        batch = min(left_to_do, max(1, _NUMBERS_AT_A_TIME // k**2))
        order = torch.rand(batch, k, generator=generator).argsort(1)  # (B, K)
        permuted = right[order.unsqueeze(2), order.unsqueeze(1)]  # (B, K, K)
        hits += int(((left * permuted).sum((1, 2)) / 2 >= observed - _SAME).sum())
        left_to_do -= batch
    return MantelTest(float(observed), (1 + hits) / (1 + permutations), permutations, k)


def _compared(similarity: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Check two matrices and leave out the labels that either of them does not know."""
    a, b = symmetric("similarity", similarity), symmetric("other", other)
    check.same_shape("other", b, "similarity", a)
    known = torch.ones(len(a), dtype=torch.bool)
    for matrix in (a, b):
        off_diagonal = matrix.clone().fill_diagonal_(float("nan"))
        known &= ~off_diagonal.isnan().all(1)
    if int(known.sum()) < FEWEST_LABELS:
        raise ValueError(
            f"similarity: expected {FEWEST_LABELS} labels or more that occur, got {int(known.sum())}"
        )
    a, b = a[known][:, known], b[known][:, known]
    for name, matrix in (("similarity", a), ("other", b)):
        pairs = matrix[_pairs(len(matrix))]
        if pairs.isnan().any():
            raise ValueError(f"{name}: expected NaN in whole rows and columns only, got some between")
        if (pairs == pairs[0]).all():
            raise ValueError(f"{name}: expected similarities that differ, got {pairs[0]:g} everywhere")
    return a, b


def _pairs(k: int) -> tuple[Tensor, Tensor]:
    first, second = torch.triu_indices(k, k, offset=1)
    return first, second


def _standard_ranks(matrix: Tensor) -> Tensor:
    """Ranks of the pairs with mean 0 and length 1, as a symmetric (K, K) with zeros on the diagonal."""
    first, second = _pairs(len(matrix))
    ranks = torch.from_numpy(rankdata(matrix[first, second].numpy()))
    ranks = ranks - ranks.mean()
    out = torch.zeros_like(matrix)
    out[first, second] = ranks / ranks.norm()
    return out + out.T


def _correlate(a: Tensor, b: Tensor, labels: Tensor | None = None) -> float:
    """Spearman's correlation over the pairs of ``labels``, without pairs of one label with itself."""
    labels = torch.arange(len(a)) if labels is None else labels
    first, second = _pairs(len(labels))
    i, j = labels[first], labels[second]
    i, j = i[i != j], j[i != j]
    ranks = torch.stack([torch.from_numpy(rankdata(matrix[i, j].numpy())) for matrix in (a, b)])
    return torch.corrcoef(ranks)[0, 1].item()  # NaN where a resample has equal pairs only


def _draws(k: int, resamples: int, seed: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(resamples):
        yield torch.randint(k, (k,), generator=generator)
