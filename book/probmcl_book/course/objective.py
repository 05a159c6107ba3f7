"""Checker of chapter 7: the effective rank, the diagnostic of a collapse."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from probmcl_book.course.comparison import Mistake, check_function


def effective_rank(answer: Any, *, seed: int = 0) -> None:
    """Check ``effective_rank(z)`` of rows z (N, D): exp of the entropy of the eigenvalues' shares.

    >>> from probmcl.loss import effective_rank as ours
    >>> effective_rank(ours)
    """
    check_function(answer, _rank_of, _cases(seed), MISTAKES, name="effective_rank", tolerance=1e-4)


def _rank_of(z: Tensor) -> float:
    """The rank, eigenvalue by eigenvalue; those that rounding has made negative are zeros."""
    eigenvalues = [value for value in torch.linalg.eigvalsh(z.T @ z).tolist() if value > 0]
    shares = [value / sum(eigenvalues) for value in eigenvalues]
    return math.exp(-sum(share * math.log(share) for share in shares))


def _cases(seed: int) -> list[tuple[Tensor]]:
    """Embeddings in one point, on unequal axes, few rows in many dimensions, and many in few."""
    generator = torch.Generator().manual_seed(seed)
    one_point = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.6, 0.8]], dtype=torch.float64)
    axes = torch.eye(3, dtype=torch.float64)[[0, 0, 1, 2]]
    drawn = [torch.randn(n, d, generator=generator, dtype=torch.float64) for n, d in ((3, 5), (12, 4))]
    return [(one_point,), (axes,), *((torch.nn.functional.normalize(z, dim=1),) for z in drawn)]


def _rank_with(
    *,
    centre: bool = False,
    spectrum: Callable[[Tensor], Tensor] = lambda eigenvalues: eigenvalues / eigenvalues.sum(),
    count: Callable[[Tensor], Tensor] = lambda shares: torch.special.entr(shares).sum().exp(),
) -> Callable[[Tensor], Tensor]:
    """The rank with one of its steps exchanged."""

    def wrong(z: Tensor) -> Tensor:
        rows = z - z.mean(0) if centre else z
        return count(spectrum(torch.linalg.eigvalsh(rows.T @ rows).clamp(min=0)))

    return wrong


MISTAKES = (
    Mistake(
        "The mean is taken off. These are second moments around zero: embeddings in one point have rank 1.",
        _rank_with(centre=True),
    ),
    Mistake("These are shares of the singular values; eigenvalues of the second moments are their squares.",
            _rank_with(spectrum=lambda eigenvalues: eigenvalues.sqrt() / eigenvalues.sqrt().sum())),
    Mistake("The eigenvalues are not divided by their sum: only shares have an entropy.",
            _rank_with(spectrum=lambda eigenvalues: eigenvalues)),
    Mistake("This is the entropy; the rank is its exponential.",
            _rank_with(count=lambda shares: torch.special.entr(shares).sum())),
    Mistake("The entropy is in bits, the exponential is not: take the natural logarithm.",
            _rank_with(count=lambda shares: (torch.special.entr(shares).sum() / math.log(2)).exp())),
    Mistake("This is one over the sum of squared shares, another count of directions.",
            _rank_with(count=lambda shares: 1 / shares.square().sum())),
    Mistake("The rank as such is counted: every direction counts for one, however little it is used.",
            _rank_with(count=lambda shares: (shares > 1e-9).sum())),
)  # fmt: skip
