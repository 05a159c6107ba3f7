"""Label sets, one pair at a time (M7)."""

import math
from fractions import Fraction

import torch
from torch import Tensor

from probmcl_book.reference.arithmetic import float64_matrix


def label_set(row: Tensor) -> frozenset[int]:
    """The classes that are on in one row (K,) of a label matrix.

    >>> sorted(label_set(torch.tensor([1, 0, 1])))
    [0, 2]
    """
    return frozenset(k for k, on in enumerate(row.tolist()) if on)


def index_value(a: frozenset[int], b: frozenset[int], index: str = "jaccard") -> float:
    """Overlap index of two label sets (M7), in [0, 1].

    With i = |a & b|: jaccard i / |a | b|, dice 2i / (|a| + |b|), overlap i / min(|a|, |b|),
    cosine i / sqrt(|a| |b|), exact [a = b]. An empty set overlaps with nothing: 0, also where the index is
    0/0 (two empty sets). Only ``exact`` finds two empty sets equal; what they are to each other is M8's
    question.

    >>> a, b = frozenset({0, 1}), frozenset({1, 2})
    >>> [round(index_value(a, b, name), 3) for name in ("jaccard", "dice", "overlap", "cosine", "exact")]
    [0.333, 0.5, 0.5, 0.5, 0.0]
    """
    if not a or not b:
        return float(index == "exact" and a == b)
    if index == "cosine":
        return len(a & b) / math.sqrt(len(a) * len(b))
    above, below = _counts(a, b, index)
    return above / below


def _counts(a: frozenset[int], b: frozenset[int], index: str) -> tuple[int, int]:
    """The index of two sets with labels as a fraction of whole numbers; cosine squared, without the root."""
    shared = len(a & b)
    if index == "jaccard":
        return shared, len(a | b)
    if index == "dice":
        return 2 * shared, len(a) + len(b)
    if index == "overlap":
        return shared, min(len(a), len(b))
    if index == "cosine":
        return shared**2, len(a) * len(b)
    if index == "exact":
        return int(a == b), 1
    raise ValueError(f"index: expected jaccard, dice, overlap, cosine or exact, got {index!r}")


def sets_overlap_enough(a: frozenset[int], b: frozenset[int], index: str, threshold: float) -> bool:
    """Whether o(a, b) >= alpha, the threshold, compared in whole numbers (M7).

    The threshold is read as the nearest fraction with a denominator up to 10**6, so 1/3 means one third; a
    threshold above 0 stays above 0.
    An empty set never matches, not even at threshold 0: two empty sets are left to the policy of M8.

    >>> five = frozenset(range(5))
    >>> 5 / (math.sqrt(5) * math.sqrt(5)) >= 1, sets_overlap_enough(five, five, "cosine", 1.0)
    (False, True)
    """
    if not a or not b:
        return False
    alpha = Fraction(threshold).limit_denominator(10**6)
    if threshold > 0:
        alpha = max(alpha, Fraction(1, 10**6))
    found = Fraction(*_counts(a, b, index))
    return found >= (alpha**2 if index == "cosine" else alpha)  # both sides are >= 0


def overlap(labels: Tensor, other: Tensor | None = None, *, index: str = "jaccard") -> Tensor:
    """Overlap index of every row of ``labels`` (N, K) with every row of ``other`` (M, K): (N, M) (M7).

    >>> overlap(torch.tensor([[1, 1, 0], [0, 1, 1]]))
    tensor([[1.0000, 0.3333],
            [0.3333, 1.0000]], dtype=torch.float64)
    """
    rows = [label_set(row) for row in labels]
    columns = rows if other is None else [label_set(row) for row in other]
    return float64_matrix([[index_value(a, b, index) for b in columns] for a in rows])


def overlaps_enough(
    labels: Tensor, other: Tensor | None = None, *, index: str = "jaccard", threshold: float = 0.5
) -> Tensor:
    """Whether the overlap reaches the threshold, exactly, for every pair of rows: (N, M) bool (M7).

    >>> overlaps_enough(torch.tensor([[1, 1, 0], [0, 1, 1]]), threshold=1 / 3).tolist()
    [[True, True], [True, True]]
    """
    rows = [label_set(row) for row in labels]
    columns = rows if other is None else [label_set(row) for row in other]
    return torch.tensor([[sets_overlap_enough(a, b, index, threshold) for b in columns] for a in rows])
