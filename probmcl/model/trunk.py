"""The fully connected trunk that both heads share."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from probmcl import _check


def build_trunk(in_dim: int, widths: Sequence[int], *, activation: bool) -> nn.Sequential:
    """Linear layers of the given widths, with a ReLU between them (never after the last).

    Args:
        in_dim: size of the feature.
        widths: width of every layer; the last one is the latent dimension D (M3, M6).
        activation: put a ReLU between layers. No activation is drawn in the figure we read; without one the
            layers are one linear map, so True is our default (M3).

    Example:
        >>> build_trunk(8, (32, 4), activation=True)
        Sequential(
          (0): Linear(in_features=8, out_features=32, bias=True)
          (1): ReLU()
          (2): Linear(in_features=32, out_features=4, bias=True)
        )
    """
    _check.count("in_dim", in_dim)
    if not widths:
        raise ValueError("trunk: expected at least one width, got none")
    layers: list[nn.Module] = []
    for width in widths:
        layers.append(nn.Linear(in_dim, _check.count("trunk", width)))
        if activation:
            layers.append(nn.ReLU())
        in_dim = width
    return nn.Sequential(*(layers[:-1] if activation else layers))
