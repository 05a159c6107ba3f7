"""How much of the labels can be read off a frozen feature, linearly? A probe cheap enough for every epoch."""

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

    >>> train = torch.tensor([[0.0], [1.0]])
    >>> ridge_probe(train, torch.tensor([[0], [1]]), train, alpha=1e-9).round(decimals=3)
    tensor([[0.],
            [1.]], dtype=torch.float64)
    """
    check.finite("train_features", train_features, dims=2)
    check.labels("train_labels", train_labels)
    check.same_rows("train_features", train_features, "train_labels", train_labels)
    check.finite("features", features, dims=2)
    check.alike("features", features.shape[1], "train_features", train_features.shape[1], "columns")
    check.number("alpha", alpha, low=0, above=True)
    probe = make_pipeline(StandardScaler(), Ridge(alpha=alpha, solver="cholesky"))
    X, Y, others = (check.real("values", one).numpy() for one in (train_features, train_labels, features))
    return torch.from_numpy(probe.fit(X, Y).predict(others)).reshape(len(features), -1)
