"""How much two label sets share: five overlap indices, and a threshold on them that is exact at ties."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import torch
from torch import Tensor

from probmcl import _check

INDICES = ("jaccard", "dice", "overlap", "cosine", "exact")
"""Names of the overlap indices, as every ``index`` argument takes them."""


def overlap(labels: Tensor, other: Tensor | None = None, *, index: str = "jaccard") -> Tensor:
    """Overlap of every pair of label sets (M7).

    With sizes a and b and i labels in common: Jaccard i/(a+b-i), Dice 2i/(a+b), overlap coefficient
    i/min(a, b), cosine i/sqrt(ab), exact [the sets are equal].

    Args:
        labels: label matrix of zeros and ones, ``(N, K)``.
        other: second label matrix, ``(M, K)``; ``labels`` again by default.
        index: one of :data:`INDICES`.

    Returns:
        Overlaps in [0, 1], ``(N, M)``, in the default floating-point type, or that of the labels if it is
        wider. A label-less row overlaps with nothing: its value is 0, also with another label-less row,
        where the indices are 0/0. (Two equal rows have ``"exact"`` overlap 1, label-less or not.)

    Raises:
        ValueError: if a matrix is empty or not 0/1, the numbers of classes differ or the index is unknown.

    >>> overlap(torch.tensor([[1, 1, 0]]), torch.tensor([[1, 0, 0], [0, 1, 1]]))
    tensor([[0.5000, 0.3333]])
    """
    _check.one_of("index", index, INDICES)
    pairs = _both(labels, other)
    return pair_overlap(*pairs, index).to(torch.promote_types(torch.get_default_dtype(), labels.dtype))


def overlaps_enough(
    labels: Tensor, other: Tensor | None = None, *, index: str = "jaccard", threshold: float = 0.5
) -> Tensor:
    """Whether the overlap of every pair of label sets reaches the decision threshold alpha (M7).

    The comparison is made in whole numbers, so ties are exact. In floating point they are not: written as
    i / (sqrt(a) sqrt(b)), the cosine of two equal sets of 5 labels is 0.9999999999999998. The threshold is
    read as the nearest fraction with a denominator of at most one million, so 1/3 and 0.1 mean what they say;
    a threshold above 0 is read as at least one millionth, as 0 would let every labelled pair through.

    Args:
        labels: label matrix of zeros and ones, ``(N, K)``.
        other: second label matrix, ``(M, K)``; ``labels`` again by default.
        index: one of :data:`INDICES`.
        threshold: alpha in [0, 1].

    Returns:
        Booleans, ``(N, M)``. A pair with a label-less row is False; what two label-less rows are to each
        other is a policy (M8), see :func:`probmcl.loss.positive_set`.

    Raises:
        ValueError: as :func:`overlap`, or for a threshold outside [0, 1].

    >>> labels = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 0]])
    >>> overlaps_enough(labels, threshold=0.5)
    tensor([[ True,  True, False],
            [ True,  True, False],
            [False, False, False]])
    """
    _check.one_of("index", index, INDICES)
    alpha = as_fraction(_check.number("threshold", threshold, low=0.0, high=1.0))
    return pairs_overlap_enough(*_both(labels, other), index, alpha)


@lru_cache(maxsize=64)
def as_fraction(threshold: float) -> Fraction:
    """The threshold alpha as :func:`overlaps_enough` reads it.

    >>> as_fraction(1 / 3), as_fraction(1e-7)
    (Fraction(1, 3), Fraction(1, 1000000))
    """
    nearest = Fraction(float(threshold)).limit_denominator(10**6)
    return max(nearest, Fraction(1, 10**6)) if threshold > 0 else nearest


@dataclass(frozen=True)
class LabelSets:
    """The label sets of N rows, checked once.

    Whole numbers in a floating-point type, but none of 16 bits, which could not count beyond 256 or 2,048: a
    matrix product then counts labels in common.

    Attributes:
        present: zeros and ones, ``(N, K)``.
        sizes: how many labels each row has, ``(N,)``.
        image_ids: which image each row is a view of, ``(N,)``.
        largest: no row has more labels.
    """

    present: Tensor
    sizes: Tensor
    image_ids: Tensor
    largest: int

    @classmethod
    def of(cls, name: str, labels: Tensor, image_ids: Tensor | None = None) -> LabelSets:
        """The label sets of the matrix that an argument ``name`` holds; each of its own image by default."""
        present = countable(_check.labels(name, labels), labels.dtype)
        sizes = present.sum(1)
        own = torch.arange(len(labels), device=labels.device)
        return cls(present, sizes, own if image_ids is None else image_ids, int(sizes.max()))

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, rows: slice | Tensor) -> LabelSets:
        return LabelSets(self.present[rows], self.sizes[rows], self.image_ids[rows], self.largest)

    def common(self, other: LabelSets) -> Tensor:
        """How many labels every pair shares, ``(N, M)``."""
        with torch.autocast(self.present.device.type, enabled=False):
            return self.present @ other.present.T.to(self.present)


def countable(labels: Tensor, dtype: torch.dtype) -> Tensor:
    """Labels in the default floating-point type, or in ``dtype`` if that is wider, but in none of 16 bits."""
    exact = torch.promote_types(torch.get_default_dtype(), torch.float32)
    return labels.to(torch.promote_types(exact, dtype))


def pair_overlap(first: LabelSets, second: LabelSets, index: str) -> Tensor:
    """:func:`overlap` of label sets that have been checked."""
    common, a, b = first.common(second), first.sizes.unsqueeze(1), second.sizes
    if index == "exact":
        return ((common == a) & (common == b)).to(common.dtype)
    denominator = {
        "jaccard": lambda: a + b - common,
        "dice": lambda: (a + b) / 2,
        "overlap": lambda: torch.minimum(a, b),
        "cosine": lambda: (a * b).sqrt(),
    }[index]()
    return common / torch.where(denominator > 0, denominator, 1)


def pairs_overlap_enough(first: LabelSets, second: LabelSets, index: str, alpha: Fraction) -> Tensor:
    """:func:`overlaps_enough` of label sets that have been checked."""
    largest = max(first.largest, second.largest)
    # A power of two above the sizes that occur, so that few tables serve all batches.
    needed = _needed(index, alpha, 1 << largest.bit_length()).to(first.sizes)
    sizes = torch.arange(largest + 1, device=second.sizes.device)
    of_size = (second.sizes.unsqueeze(1) == sizes).to(needed.dtype)  # (M, S)
    # needed[size_a, size_b] as a product with a narrow matrix: looking it up costs several times more.
    short = first.common(second).addmm_(needed[first.sizes.long(), : len(sizes)], of_size.T, alpha=-1)
    return short >= 0


def _both(labels: Tensor, other: Tensor | None) -> tuple[LabelSets, LabelSets]:
    first = LabelSets.of("labels", labels)
    second = first if other is None else LabelSets.of("other", other)
    _check.alike("other", second.present.shape[1], "labels", first.present.shape[1], "classes")
    return first, second


@lru_cache(maxsize=64)
def _needed(index: str, alpha: Fraction, limit: int) -> Tensor:
    """Fewest common labels that reach alpha, by set sizes below ``limit``; out of reach if a set is empty."""
    p, q = alpha.as_integer_ratio()
    sizes = torch.arange(limit)
    a, b = sizes.unsqueeze(1), sizes
    fewest = {
        "jaccard": lambda: _ceil_divide(p * (a + b), p + q),  # i / (a + b - i) >= p / q
        "dice": lambda: _ceil_divide(p * (a + b), 2 * q),
        "overlap": lambda: _ceil_divide(p * torch.minimum(a, b), q),
        # i^2 >= a b p^2 / q^2; the root is exact below 2^52
        "cosine": lambda: _times_square(a * b, p, q).double().sqrt().ceil().long(),
        "exact": lambda: torch.where(a == b, a, a + b) * min(p, 1),
    }[index]()
    return fewest.masked_fill((a == 0) | (b == 0), limit)


def _ceil_divide(n: Tensor, d: int) -> Tensor:
    return -(-n // d)


def _times_square(n: Tensor, p: int, q: int) -> Tensor:
    """``n p^2 / q^2`` rounded up; divided by q twice on the way, as ``n p^2`` may not fit in 64 bits."""
    once = p * (n * p // q) + _ceil_divide(p * (n * p % q), q)  # n p^2 / q, rounded up
    return _ceil_divide(once, q)
