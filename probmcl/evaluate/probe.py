"""How much of the labels can be read off a frozen feature, linearly? A probe cheap enough for every epoch."""

from __future__ import annotations

import torch
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from probmcl import _check as check


def ridge_probe(
    train_features: Tensor, train_labels: Tensor, features: Tensor, *, alpha: float = 1.0
) -> Tensor:
    """Return label scores of ``features`` by ridge regression on the standardised training features.

    It is a linear probe in closed form: no step size, no epochs, no random numbers. It watches training and
    compares encoders; the classifier of the method is the trained one of the second stage (M14).

    Args:
        train_features: (N, D) finite features of a frozen encoder.
        train_labels: (N, K) label matrix of zeros and ones.
        features: (M, D) features to score.
        alpha: ridge penalty on the weights of the standardised features, > 0; the intercept is free.

    Returns:
        (M, K) float64 scores on the CPU, near 0 and 1 for a good fit but not confined to [0, 1].

    Raises:
        ValueError: if rows or widths differ, features are not finite, labels are not 0/1, or alpha <= 0.

    Example:
        >>> train = torch.tensor([[0.0], [1.0]])
        >>> ridge_probe(train, torch.tensor([[0], [1]]), train, alpha=1e-9).round(decimals=3)
        tensor([[0.],
                [1.]], dtype=torch.float64)
    """
    check.finite("train_features", train_features, dims=2)
    check.labels("train_labels", train_labels)
    check.same_rows("train_features", train_features, "train_labels", train_labels)
    check.finite("features", features, dims=2)
    if features.shape[1] != train_features.shape[1]:
        expected, got = train_features.shape[1], features.shape[1]
        raise ValueError(f"features: expected the width of train_features ({expected}), got {got}")
    check.number("alpha", alpha, low=0, above=True)
    probe = make_pipeline(StandardScaler(), Ridge(alpha=alpha, solver="cholesky"))
    probe.fit(_as_array(train_features), _as_array(train_labels))
    return torch.from_numpy(probe.predict(_as_array(features))).reshape(len(features), -1)


def _as_array(values: Tensor) -> object:
    return values.detach().double().cpu().numpy()
