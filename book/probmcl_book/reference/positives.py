"""Positive sets and weights, one pair at a time (M7, M8)."""

from collections.abc import Sequence

from torch import Tensor

from probmcl_book.reference.arithmetic import float64_matrix
from probmcl_book.reference.overlap import index_value, label_set, sets_overlap_enough


def positive_set(
    labels: Tensor,
    index: str = "jaccard",
    threshold: float = 0.5,
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> Tensor:
    """A(i) = {j != i : o(y_i, y_j) >= alpha} as a matrix (N, N) of bool (M7, M8).

    >>> positive_set(torch.tensor([[1, 1], [1, 0], [0, 0]])).int().tolist()
    [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    """
    return positive_weights(labels, "threshold", index, threshold, empty, image_ids) > 0


def positive_weights(
    labels: Tensor,
    rule: str = "threshold",
    index: str = "jaccard",
    threshold: float = 0.5,
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> Tensor:
    """Weight w_ij >= 0 of row j as a positive of anchor i, for labels (N, K): (N, N), zero diagonal (M7, M9).

    Rules: any (a shared label), all (y_i a non-empty subset of y_j), exact (y_i = y_j), threshold
    (o(y_i, y_j) >= alpha), weighted (w = o(y_i, y_j)). A label-less and a labelled row are never positives of
    each other. For two label-less rows ``empty`` decides under every rule (M8): match (weight 1), own_view
    (weight 1 if they are views of one image, by ``image_ids`` (N,)), drop (0).

    >>> positive_weights(torch.tensor([[1, 1], [1, 0], [0, 0]]), "all").int().tolist()
    [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    """
    sets = [label_set(row) for row in labels]
    if image_ids is None and empty == "own_view":
        raise ValueError("image_ids: own_view needs the image of every row, got None")
    images = [0] * len(sets) if image_ids is None else image_ids.tolist()
    weights = [[0.0] * len(sets) for _ in sets]
    for i, a in enumerate(sets):
        for j, b in enumerate(sets):
            if i == j:
                continue
            if not a and not b:
                weights[i][j] = _empty_pair_weight(empty, images[i] == images[j])
            elif a and b:
                weights[i][j] = _pair_weight(a, b, rule, index, threshold)
    return float64_matrix(weights)


def _pair_weight(a: frozenset[int], b: frozenset[int], rule: str, index: str, threshold: float) -> float:
    """Weight of the non-empty set b as a positive of the non-empty set a."""
    if rule == "any":
        return float(bool(a & b))
    if rule == "all":
        return float(a <= b)
    if rule == "exact":
        return float(a == b)
    if rule == "threshold":
        return float(sets_overlap_enough(a, b, index, threshold))
    if rule == "weighted":
        return index_value(a, b, index)
    raise ValueError(f"rule: expected any, all, exact, threshold or weighted, got {rule!r}")


def _empty_pair_weight(empty: str, same_image: bool) -> float:
    """Weight of one label-less row as a positive of another (M8)."""
    if empty == "match":
        return 1.0
    if empty == "own_view":
        return float(same_image)
    if empty == "drop":
        return 0.0
    raise ValueError(f"empty: expected match, own_view or drop, got {empty!r}")


def positive_statistics(
    labels: Tensor,
    thresholds: Sequence[float],
    index: str = "jaccard",
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> tuple[list[float], list[float]]:
    """Mean positives per anchor and share of anchors without any, one number per threshold (M7).

    >>> positive_statistics(torch.tensor([[1, 1], [1, 0], [0, 1]]), (0.5, 1.0))
    ([1.3333333333333333, 0.0], [0.0, 1.0])
    """
    mean_positives, share_without = [], []
    for threshold in thresholds:
        counts = [sum(row) for row in positive_set(labels, index, threshold, empty, image_ids).tolist()]
        mean_positives.append(sum(counts) / len(counts))
        share_without.append(sum(count == 0 for count in counts) / len(counts))
    return mean_positives, share_without
