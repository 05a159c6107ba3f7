"""What a classifier thinks labels have in common, and what the data say they have (C4).

A linear classifier has one row of weights a label. If labels that come together get similar rows, the matrix
of cosines resembles the matrix of co-occurrences: :mod:`probmcl.evaluate.matrix_correlation` compares
them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform
from torch import Tensor

from probmcl import _check as check


def weight_similarity(weight: Tensor) -> Tensor:
    """Return the cosines between the rows of a linear classifier, its label vectors, (K, K) float64.

    Args:
        weight: (K, F) finite weights, ``classifier.weight``; a row of zeros is a ValueError.

    >>> weight_similarity(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, -3.0]]))[0].tolist()
    [1.0, 1.0, 0.0]
    """
    rows = check.real("weight", check.finite("weight", weight, dims=2))
    length = rows.norm(dim=1, keepdim=True)  # (K, 1)
    if (length == 0).any():
        zero = int((length == 0).flatten().nonzero()[0])
        raise ValueError(f"weight: expected rows that are not zero, got zero for label {zero}")
    unit = rows / length
    cosines: Tensor = (unit @ unit.T).clamp(-1, 1)
    return cosines


def co_occurrence_similarity(graph: Tensor) -> Tensor:
    """Return how much labels come together, from the shares of images that carry both.

    This is phi, the correlation of two label columns, (p_ij - p_i p_j) / sqrt(p_i (1 - p_i) p_j (1 - p_j)):
    0 for independent labels, however frequent. (The cosine p_ij / sqrt(p_i p_j) grows with frequency.)

    Args:
        graph: (K, K) shares p_ij, p_i on the diagonal: :func:`~probmcl.data.co_occurrence` exactly for
            DigitScenes, ``label_statistics(labels, classes).co_occurrence`` for a label matrix.

    Returns:
        (K, K) float64 in [-1, 1]. NaN in the row and column of a label that never occurs or always does.

    Raises:
        ValueError: if the graph is not symmetric with entries in [0, 1].

    >>> together = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    >>> co_occurrence_similarity(together)[0].tolist()
    [1.0, 1.0, nan]
    """
    p = symmetric("graph", graph)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("graph: expected shares in [0, 1], got others")
    share = p.diagonal()
    spread = share * (1 - share)
    return (p - share.outer(share)) / spread.outer(spread).sqrt()  # 0 / 0 = NaN


@dataclass(frozen=True, eq=False)
class LabelTree:
    """Labels joined step by step, the most similar first.

    Attributes:
        linkage: (K - 1, 4) as scipy's hierarchical clustering has it.
        order: the labels from one end of the tree to the other, similar ones side by side.
    """

    linkage: Any
    order: tuple[int, ...]


def label_tree(similarity: Tensor) -> LabelTree:
    """Join labels by average linkage on the distance 1 - similarity.

    Args:
        similarity: (K, K) symmetric and finite, at most 1, of two labels or more.

    Raises:
        ValueError: if it is not; a label that never occurs has to be left out first.

    >>> similarity = torch.tensor([[1.0, 0.1, 0.9], [0.1, 1.0, 0.2], [0.9, 0.2, 1.0]])
    >>> label_tree(similarity).order
    (1, 2, 0)
    """
    matrix = symmetric("similarity", similarity)
    if len(matrix) < 2:
        raise ValueError(f"similarity: expected two labels or more, got {len(matrix)}")
    if matrix.isnan().any():
        label = int(matrix.isnan().sum(1).argmax())
        raise ValueError(f"similarity: expected finite values, got NaN for label {label}; leave it out")
    distance = squareform((1 - matrix).clamp(min=0).fill_diagonal_(0).numpy(), checks=False)
    tree = optimal_leaf_ordering(linkage(distance, "average"), distance)
    return LabelTree(tree, tuple(int(label) for label in leaves_list(tree)))


def symmetric(name: str, matrix: Tensor) -> Tensor:
    """Return a matrix as float64 on the CPU if it is square and symmetric; NaN may stand in it.

    >>> symmetric("similarity", torch.eye(2)).dtype
    torch.float64
    """
    checked = check.real(name, check.square(name, matrix))
    check.finite(name, checked.nan_to_num(0.0, posinf=torch.inf, neginf=-torch.inf))
    if not torch.allclose(checked, checked.T, equal_nan=True):
        raise ValueError(f"{name}: expected a symmetric matrix, got another")
    return checked
