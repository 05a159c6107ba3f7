import numpy as np
import pytest
import torch

from probmcl.data import co_occurrence, label_statistics
from probmcl.evaluate import co_occurrence_similarity, label_tree, weight_similarity


def label_matrix(rows: int = 300, classes: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    common = torch.rand(rows, 1, generator=generator) < 0.5
    own = torch.rand(rows, classes, generator=generator) < torch.linspace(0.1, 0.6, classes)
    return torch.where(common & (torch.arange(classes) < 2), True, own).byte()


def test_phi_is_the_correlation_of_label_columns() -> None:
    labels = label_matrix()
    graph = label_statistics(labels, list("abcde")).co_occurrence
    expected = np.corrcoef(labels.numpy().T)
    assert co_occurrence_similarity(graph).numpy() == pytest.approx(expected, abs=1e-12)
    of_digits = co_occurrence_similarity(co_occurrence())  # an exact graph
    assert of_digits[3, 5] > 0 > of_digits[3, 4]


def test_a_label_that_never_occurs_has_no_similarity() -> None:
    labels = label_matrix()
    labels[:, 2] = 0
    graph = label_statistics(labels, list("abcde")).co_occurrence
    unknown = co_occurrence_similarity(graph).isnan()
    assert unknown[2].all()
    assert unknown.sum() == 9


def test_weights_that_point_alike_are_similar_whatever_their_length() -> None:
    weight = torch.tensor([[1.0, 1.0], [5.0, 5.0], [1.0, -1.0], [-2.0, -2.0]])
    assert weight_similarity(weight)[0].round(decimals=9).tolist() == [1, 1, 0, -1]


def test_the_tree_joins_similar_labels_first_and_puts_them_side_by_side() -> None:
    similarity = torch.eye(6)
    for i, j, value in ((0, 3, 0.9), (1, 4, 0.8), (2, 5, 0.7), (0, 1, 0.2), (3, 4, 0.2)):
        similarity[i, j] = similarity[j, i] = value
    tree = label_tree(similarity)
    assert sorted(tree.order) == list(range(6))
    assert [set(pair) for pair in tree.linkage[:3, :2].tolist()] == [{0, 3}, {1, 4}, {2, 5}]
    assert tree.linkage[:3, 2] == pytest.approx([0.1, 0.2, 0.3])
    places = {label: place for place, label in enumerate(tree.order)}
    assert all(abs(places[i] - places[i + 3]) == 1 for i in range(3))


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="weight: expected rows that are not zero, got zero for label 1"):
        weight_similarity(torch.tensor([[1.0], [0.0]]))
    with pytest.raises(ValueError, match="got NaN for label 1; leave it out"):
        label_tree(torch.tensor([[1, float("nan"), 0.0], [float("nan")] * 3, [0.0, float("nan"), 1]]))
    for function, name in ((co_occurrence_similarity, "graph"), (label_tree, "similarity")):
        with pytest.raises(ValueError, match=f"{name}: expected a symmetric matrix, got another"):
            function(torch.tensor([[0.5, 0.1], [0.2, 0.5]]))
