"""The fully connected trunk that both heads share."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl import _check


def build_trunk(in_dim: int, widths: Sequence[int], *, activation: bool) -> nn.Sequential:
    """Linear layers of the given widths, with a ReLU between them (never after the last).

    Args:
        in_dim: size of the feature.
        widths: width of every layer; the last one is the latent dimension D (M3, M6).
        activation: put a ReLU between layers. No activation is drawn in the figure we read; without one the
            layers are one linear map, so True is our default (M3).

    >>> build_trunk(8, (32, 4), activation=True)
    Sequential(
      (0): Linear(in_features=8, out_features=32, bias=True)
      (1): ReLU()
      (2): Linear(in_features=32, out_features=4, bias=True)
    )
    """
    layers: list[nn.Module] = []
    for size, width in pairwise((_check.count("in_dim", in_dim), *widths)):
        layers.append(nn.Linear(size, width))
        if _check.flag("activation", activation):
            layers.append(nn.ReLU())
    return nn.Sequential(*(layers[:-1] if activation else layers))


def unit_features(features: Tensor, in_dim: int) -> Tensor:
    """L2-normalised features (M2), times sqrt(F) so that an entry has size one on average.

    The first linear layer could hold the factor as well. But PyTorch draws weights and biases on one scale:
    without the factor, what comes from the feature is no larger than the biases, which are the same for every
    image, and all embeddings start closer together.

    Args:
        features: features of the encoder, ``(N, F)``.
        in_dim: the F that the head was built for.

    Raises:
        ValueError: if the features are NaN, infinite or not of size F.

    >>> unit_features(torch.tensor([[3.0, 4.0]]), in_dim=2)  # (0.6, 0.8) times sqrt(2)
    tensor([[0.8485, 1.1314]])
    """
    check_features(features, in_dim)
    # In float16 the 1e-12 that a row of zeros is divided by would itself be 0.
    wide = features.float() if features.dtype == torch.float16 else features
    scaled = functional.normalize(wide, dim=-1) * math.sqrt(features.shape[-1])
    return scaled.to(features.dtype)


def check_features(features: Tensor, in_dim: int, weight: Tensor | None = None) -> Tensor:
    """Features ``(N, F)``, if they are finite, of size ``in_dim``, and of the type of what weighs them.

    On a GPU, where the host would have to wait, and inside ``torch.compile`` the loss finds NaN.
    """
    _check.floating("features", _check.tensor("features", features, dims=2))
    if features.is_cpu and not torch.compiler.is_compiling():
        _check.finite("features", features, limit=math.inf)
    if features.shape[1] != _check.count("in_dim", in_dim):
        raise ValueError(f"features: expected {in_dim} entries per row, got {features.shape[1]}")
    if weight is not None:
        _check.same_dtype("features", features, "the weights", weight)
    return features
