import torch
from torch import Tensor

from probmcl.evaluate import mean_average_precision, ridge_probe


def features_and_labels(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, 6, generator=generator) * torch.tensor([1, 10, 0.1, 1, 1, 1]) + 3
    labels = torch.stack([features[:, 0] > 3, features[:, 1] > 8], dim=1)
    return features, labels.byte()


def test_scores_equal_the_closed_form() -> None:
    train, labels = features_and_labels(50, seed=0)
    test, _ = features_and_labels(20, seed=1)
    mean, spread = train.double().mean(dim=0), train.double().std(dim=0, correction=0)
    X, Y = (train - mean) / spread, labels.double()
    weights = torch.linalg.solve(X.T @ X + 2.5 * torch.eye(6), X.T @ (Y - Y.mean(dim=0)))
    expected = (test - mean) / spread @ weights + Y.mean(dim=0)
    torch.testing.assert_close(ridge_probe(train, labels, test, alpha=2.5), expected)


def test_the_probe_reads_linear_labels_and_repeats_itself() -> None:
    train, labels = features_and_labels(400, seed=0)
    test, test_labels = features_and_labels(200, seed=1)
    scores = ridge_probe(train, labels, test)
    assert mean_average_precision(scores, test_labels) > 0.97
    assert torch.equal(scores, ridge_probe(train, labels, test))


def test_a_constant_feature_and_a_single_class_are_fine() -> None:
    train, labels = features_and_labels(50, seed=0)
    train[:, 3] = 1.0
    scores = ridge_probe(train, labels[:, :1], train)
    assert scores.shape == (50, 1)
    assert scores.isfinite().all()
