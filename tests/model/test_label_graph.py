"""The graph of labels and its head, against loops and by hand."""

import math

import pytest
import torch

from probmcl.model import LabelGraphHead, label_correlation


def by_loops(labels: torch.Tensor, tau: float, p: float) -> torch.Tensor:
    rows = [[int(entry) for entry in row] for row in labels]
    classes = range(labels.shape[1])
    reweighted = [[0.0] * len(classes) for _ in classes]
    for i in classes:
        carriers = [row for row in rows if row[i]]
        near = [
            j for j in classes if j != i and carriers and sum(r[j] for r in carriers) / len(carriers) >= tau
        ]
        for j in near:
            reweighted[i][j] = p / len(near)
        reweighted[i][i] = 1 - p
    degrees = [sum(row) for row in reweighted]
    return torch.tensor(
        [[reweighted[i][j] / math.sqrt(degrees[i] * degrees[j]) for j in classes] for i in classes]
    )


@pytest.mark.parametrize(("tau", "p"), [(0.4, 0.2), (0.5, 0.0), (0.1, 0.9), (1.0, 0.5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_correlation_agrees_with_the_loops(tau, p, seed, make_labels) -> None:
    labels = make_labels(30, 6, seed=seed, empty=2)
    labels[:, 4] = 0  # a label that never occurs
    found = label_correlation(labels, threshold=tau, reweighting=p)
    torch.testing.assert_close(found, by_loops(labels, tau, p))


def test_the_threshold_itself_is_enough() -> None:
    labels = torch.tensor([[1, 1], [1, 1], [1, 0], [1, 0], [1, 0]])  # P(1 given 0) = 2/5
    assert label_correlation(labels)[0, 1] > 0
    assert label_correlation(labels, threshold=0.41)[0, 1] == 0


def test_the_head_agrees_with_the_loops(make_labels) -> None:
    torch.manual_seed(0)
    labels, features = make_labels(20, 4), torch.randn(3, 5)
    head = LabelGraphHead(5, labels, hidden=7)
    graph, first, second = by_loops(labels, 0.4, 0.2), head.embeddings.detach(), head.mixing.detach()
    expected = torch.zeros(3, 4)
    for k in range(4):
        classifier = torch.zeros(5)
        for j in range(4):
            heard = sum(graph[j, i] * first[i] for i in range(4))
            classifier += graph[k, j] * (torch.where(heard > 0, heard, 0.2 * heard) @ second)
        expected[:, k] = features @ classifier
    torch.testing.assert_close(head(features), expected)
    layer = head.linear()
    torch.testing.assert_close(layer(features), expected)
    assert layer.bias.abs().sum() == 0


def test_a_label_learns_from_its_neighbours() -> None:
    labels = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    head = LabelGraphHead(4, labels, hidden=3)
    head(torch.ones(1, 4))[0, 0].backward()
    moved = head.embeddings.grad.abs().sum(1) > 0
    assert moved.tolist() == [True, True, False]
