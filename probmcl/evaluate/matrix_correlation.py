"""Do two similarities of the same labels agree? Rank correlation, with a test over labels.

The K (K - 1) / 2 pairs of K labels are not independent: each label is part of K - 1 of them. So nothing here
treats pairs as a sample. The test permutes *labels* (N. Mantel, "The detection of disease clustering and a
generalized regression approach", Cancer Research, 1967).

Labels that have no similarity to any other (NaN), because they never occur, are left out on both sides.
"""

from dataclasses import dataclass

import torch
from scipy.stats import rankdata
from torch import Tensor

from probmcl import _check as check
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

    >>> similarity = torch.tensor([[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0.0]])
    >>> rank_correlation(similarity, -similarity)
    -1.0
    """
    pairs = [matrix[_pairs(len(matrix))] for matrix in _compared(similarity, other)]
    ranks = torch.stack([torch.from_numpy(rankdata(values.numpy())) for values in pairs])
    return torch.corrcoef(ranks)[0, 1].item()


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
        similarity: as in :func:`rank_correlation`, which has the same errors.
        other: likewise.
        permutations: number of random permutations, at least 1.
        seed: the same seed draws the same permutations.

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
    generator = torch.Generator().manual_seed(check.seed(seed))
    hits, most = 0, max(1, _NUMBERS_AT_A_TIME // k**2)
    for done in range(0, check.count("permutations", permutations), most):
        order = torch.rand(min(most, permutations - done), k, generator=generator).argsort(1)  # (B, K)
        permuted = right[order.unsqueeze(2), order.unsqueeze(1)]  # (B, K, K)
        hits += int(((left * permuted).sum((1, 2)) / 2 >= observed - _SAME).sum())
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
        wanted = f"{FEWEST_LABELS} labels or more that occur"
        raise ValueError(f"similarity: expected {wanted}, got {int(known.sum())}")
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
